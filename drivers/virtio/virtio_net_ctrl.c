/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net_ctrl.c - commands to a virtio network device.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.1.6.5.  One command at a time, whose
 * sender sleeps until the device has answered.  A device that does not answer within
 * CTRL_WAIT_NS keeps the memory of the command, so there will be no other one until
 * it does or is reset.
 *
 * Context: coroutines that hold vnet->conf; the interrupt.
 * Locking: vnet_ctrl->lock for the ring.
 */
#include <drivers/virtio/virtio_net_core.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define CTRL_WAIT_NS (1 * NSEC_PER_SEC)
#define CTRL_SIZE    16u /* entries of the queue are enough */
#define CTRL_UNSET   0xffu

struct vnet_ctrl_mem {
	struct vnet_command command;
	u8 data[ETH_ALEN];
	u8 ack;
};

/* ---- one command */

static bool take(struct vnet_ctrl *c)
{
	bool was_busy = c->busy;
	u32 len;

	assert_held(&c->lock);
	do {
		while (vring_take(&c->vq->ring, &len))
			c->busy = false;
	} while (!vring_arm(&c->vq->ring));
	return was_busy && !c->busy;
}

bool vnet_ctrl_interrupt(struct virtqueue *vq)
{
	struct vnet *vn = vq->priv;
	struct vnet_ctrl *c = &vn->ctrl;
	bool found;

	spin_lock(&c->lock);
	/* not while the ring is made anew: set before vnet_ctrl_drop() was here */
	found = load_once(&vn->state) == VNET_UP && take(c);
	spin_unlock(&c->lock);
	if (found)
		wake_up_all(&c->wq);
	return found;
}

static int enqueue(struct vnet_ctrl *c, u8 class, u8 command, const void *data,
		   u32 len)
{
	struct vnet_ctrl_mem *m = c->mem;
	struct vring_seg seg[3] = {
		{ .addr = virt_to_phys(&m->command), .len = 2 },
		{ .addr = virt_to_phys(m->data), .len = len },
		{ .addr = virt_to_phys(&m->ack), .len = 1 },
	};
	int err;

	assert_held(&c->lock);
	if (c->busy)
		return -EBUSY;
	m->command.class = class;
	m->command.command = command;
	memcpy(m->data, data, len);
	m->ack = CTRL_UNSET;
	err = vring_add(&c->vq->ring, seg, 2, 1, m);
	if (!err)
		c->busy = true;
	return err;
}

/* 0, -EBUSY, -ETIMEDOUT, -EIO: refused. */
static int send(struct vnet *vn, u8 class, u8 command, const void *data,
		u32 len)
{
	struct vnet_ctrl *c = &vn->ctrl;
	bool notify;
	int err;

	spin_lock(&c->lock);
	err = enqueue(c, class, command, data, len);
	notify = !err && vring_publish(&c->vq->ring);
	spin_unlock(&c->lock);
	if (err)
		return err;
	if (notify)
		virtio_notify(c->vq);
	err = wait_event_timeout(&c->wq, !load_once(&c->busy),
				 clock_mono_ns() + CTRL_WAIT_NS);
	if (err) {
		pr_warn_ratelimited("%s: no answer to a command", vn->nd.name);
		return -ETIMEDOUT;
	}
	return load_once(&c->mem->ack) == VNET_CTRL_OK ? 0 : -EIO;
}

/* ---- what may be commanded */

static bool has(const struct vnet *vn, u64 feature)
{
	return vn->ctrl.vq && virtio_has(vn->vd, feature);
}

static void set_flag(struct vnet *vn, u8 command, bool on)
{
	u8 v = on;
	int err = send(vn, VNET_CTRL_RX, command, &v, 1);

	if (err)
		pr_warn_ratelimited("%s: receive mode %u is not set (%d)",
				    vn->nd.name, command, err);
}

/* Groups are not told one by one: it hears all of them. */
static void tell_rx_mode(struct vnet *vn)
{
	if (!has(vn, VIRTIO_NET_F_CTRL_RX))
		return;
	set_flag(vn, VNET_CTRL_RX_ALLMULTI, true);
	set_flag(vn, VNET_CTRL_RX_PROMISC,
		 load_once(&vn->nd.flags) & IFF_PROMISC);
}

static int tell_mac(struct vnet *vn, const u8 mac[ETH_ALEN])
{
	return send(vn, VNET_CTRL_MAC, VNET_CTRL_MAC_ADDR, mac, ETH_ALEN);
}

void vnet_set_rx_mode(struct net_device *dev)
{
	struct vnet *vn = dev->priv;

	mutex_lock(&vn->conf);
	if (load_once(&vn->state) == VNET_UP)
		tell_rx_mode(vn);
	mutex_unlock(&vn->conf);
}

/* A device that is down is told when it goes up. */
int vnet_set_mac(struct net_device *dev, const u8 mac[ETH_ALEN])
{
	struct vnet *vn = dev->priv;
	int err = 0;

	if (!has(vn, VIRTIO_NET_F_CTRL_MAC_ADDR))
		return -EOPNOTSUPP;
	mutex_lock(&vn->conf);
	if (load_once(&vn->state) == VNET_UP)
		err = tell_mac(vn, mac);
	mutex_unlock(&vn->conf);
	return err;
}

/* ---- life */

void vnet_ctrl_start(struct vnet *vn)
{
	struct vnet_ctrl *c = &vn->ctrl;

	if (!c->vq)
		return;
	spin_lock(&c->lock);
	(void)vring_arm(&c->vq->ring);
	spin_unlock(&c->lock);
	tell_rx_mode(vn);
	if (memcmp(vn->nd.mac, vn->nd.perm_mac, ETH_ALEN) != 0 &&
	    has(vn, VIRTIO_NET_F_CTRL_MAC_ADDR) && tell_mac(vn, vn->nd.mac))
		pr_warn("%s: the address is not set", vn->nd.name);
}

void vnet_ctrl_drop(struct vnet *vn)
{
	struct vnet_ctrl *c = &vn->ctrl;

	if (!c->vq)
		return;
	spin_lock(&c->lock);
	while (vring_abort(&c->vq->ring))
		;
	c->busy = false;
	spin_unlock(&c->lock);
	wake_up_all(&c->wq);
}

int vnet_ctrl_init(struct vnet *vn)
{
	struct vnet_ctrl *c = &vn->ctrl;
	int err;

	spin_init(&c->lock, "virtio-net-ctrl", RANK_DEV);
	waitq_init(&c->wq);
	if (!virtio_has(vn->vd, VIRTIO_NET_F_CTRL_VQ))
		return 0;
	c->mem = kzalloc(sizeof(*c->mem));
	if (!c->mem)
		return -ENOMEM;
	err = virtio_vq_setup(vn->vd, VNET_VQ_CTRL, CTRL_SIZE, -1,
			      vnet_ctrl_interrupt, vn, &c->vq);
	if (err)
		c->vq = NULL;
	return err;
}
