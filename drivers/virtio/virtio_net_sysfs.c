/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net_sysfs.c - virtio_net/ of the device: counters, and a reset
 * for those who test it.
 *
 * Context: threads.
 */
#include <drivers/virtio/virtio_net_core.h>

#include <kernel/dev/sysfs.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>

enum counter {
	RX_INTERRUPTS,
	TX_INTERRUPTS,
	TX_NOTIFIES,
	NO_BUFFER,
	RESETS,
};

static u64 value_of(const struct vnet *vn, u64 which)
{
	switch (which) {
	case RX_INTERRUPTS:
		return load_once(&vn->rx.vq->nr_interrupts);
	case TX_INTERRUPTS:
		return load_once(&vn->tx.vq->nr_interrupts);
	case TX_NOTIFIES:
		return load_once(&vn->tx.vq->nr_notifies);
	case NO_BUFFER:
		return load_once(&vn->rx.nr_no_buffer);
	default:
		return load_once(&vn->nr_resets);
	}
}

static s64 show_counter(void *obj, const struct sys_attr *a, char *buf,
			size_t size)
{
	return scnprintf(buf, size, "%lu\n", value_of(obj, a->arg));
}

static s64 store_reset(void *obj, const struct sys_attr *a __unused,
		       const char *buf, size_t n)
{
	u64 v;
	int err = sys_parse_u64(buf, 1, 1, &v);

	if (err)
		return err;
	vnet_want_reset(obj, "somebody wants it");
	return (s64)n;
}

static const struct sys_attr attrs[] = {
	{ .name = "rx_interrupts",
	  .mode = 0444,
	  .show = show_counter,
	  .arg = RX_INTERRUPTS },
	{ .name = "tx_interrupts",
	  .mode = 0444,
	  .show = show_counter,
	  .arg = TX_INTERRUPTS },
	{ .name = "tx_notifies",
	  .mode = 0444,
	  .show = show_counter,
	  .arg = TX_NOTIFIES },
	{ .name = "no_buffer",
	  .mode = 0444,
	  .show = show_counter,
	  .arg = NO_BUFFER },
	{ .name = "resets", .mode = 0444, .show = show_counter, .arg = RESETS },
	{ .name = "reset", .mode = 0200, .store = store_reset },
};

void vnet_sys_add(struct vnet *vn)
{
	struct sys_dir *own = sys_mkdir(vn->vd->sys, "virtio_net", vn);

	(void)sys_add(own, attrs, ARRAY_SIZE(attrs));
}
