/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_sysfs.c - controllers and namespaces in /sys.
 *
 *	/sys/class/nvme/nvme0			in its PCI function's directory
 *	/sys/class/nvme/nvme0/nvme0n1		the disk: also /sys/block/nvme0n1
 *	/sys/class/nvme-subsystem/nvme-subsys0	one for each controller
 *
 * Names and formats are Linux's, because nvme-cli reads them.  Ours are two:
 * `mode` (irq, poll or hybrid; may be written) and `stats` (what each queue did).
 * `mode` is how the driver notices completions; queue/io_poll of a disk is how
 * those who wait for one of its bios do (kernel/dev/).
 *
 * Context: threads; the attributes run in the reader's coroutine.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define ATTR(nm, fn)                                      \
	{                                                 \
		.name = (nm), .mode = 0444, .show = (fn), \
	}
#define TEXT(nm, field)                                        \
	{                                                      \
		.name = (nm), .mode = 0444, .show = show_text, \
		.arg = offsetof(struct nvme_ctrl, field),      \
	}
#define ACTION(nm, fn)                                     \
	{                                                  \
		.name = (nm), .mode = 0200, .store = (fn), \
	}

/* ---- controller */

static s64 show_text(void *obj, const struct sys_attr *a, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%s\n", (const char *)obj + a->arg);
}

static s64 show_fixed(void *obj __unused, const struct sys_attr *a, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "%s\n", (const char *)(uintptr_t)a->arg);
}

static s64 show_dev(void *obj, const struct sys_attr *a __unused, char *buf,
		    size_t size)
{
	const struct nvme_ctrl *c = obj;

	return scnprintf(buf, size, "%u:%u\n", MAJOR(c->chr.dev),
			 MINOR(c->chr.dev));
}

static s64 show_uevent(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct nvme_ctrl *c = obj;

	return scnprintf(buf, size,
			 "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nNVME_TRTYPE=pcie\n",
			 MAJOR(c->chr.dev), MINOR(c->chr.dev), c->name);
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	return uevent_store(((struct nvme_ctrl *)obj)->sys, "nvme", a, obj, buf,
			    n);
}

static s64 show_address(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	const struct nvme_ctrl *c = obj;

	return scnprintf(buf, size, "%s\n", c->pci->name);
}

static s64 show_cntlid(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct nvme_ctrl *c = obj;

	return scnprintf(buf, size, "%u\n", c->cntlid);
}

static s64 show_state(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	static const char *const name[] = {
		[NVME_STARTING] = "new",	[NVME_LIVE] = "live",
		[NVME_RESETTING] = "resetting", [NVME_DEAD] = "dead",
		[NVME_SHUT] = "deleting",
	};

	return scnprintf(buf, size, "%s\n", name[nvme_state(obj)]);
}

static s64 show_queue_count(void *obj, const struct sys_attr *a __unused,
			    char *buf, size_t size)
{
	return scnprintf(buf, size, "%u\n", nvme_nr_queues(obj));
}

static s64 show_sqsize(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct nvme_ctrl *c = obj;

	return scnprintf(buf, size, "%u\n", c->ioq[0]->ring.depth - 1u);
}

static enum nvme_mode mode_of(const struct nvme_ctrl *c)
{
	/* relaxed: a text for a reader */
	return (enum nvme_mode)load_once(&c->ioq[0]->mode);
}

static s64 show_mode(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%s\n", nvme_mode_names[mode_of(obj)]);
}

static s64 store_mode(void *obj, const struct sys_attr *a __unused,
		      const char *buf, size_t n)
{
	size_t len = n && buf[n - 1] == '\n' ? n - 1 : n;

	for (u32 m = 0; m < NR_NVME_MODES; m++) {
		int err;

		if (strlen(nvme_mode_names[m]) != len ||
		    strncmp(buf, nvme_mode_names[m], len) != 0)
			continue;
		err = nvme_change_mode(obj, (enum nvme_mode)m);
		return err ? err : (s64)n;
	}
	return -EINVAL;
}

static s64 store_reset(void *obj, const struct sys_attr *a __unused,
		       const char *buf __unused, size_t n)
{
	int err = nvme_user_reset(obj);

	return err ? err : (s64)n;
}

static s64 store_rescan(void *obj, const struct sys_attr *a __unused,
			const char *buf __unused, size_t n)
{
	int err = nvme_user_rescan(obj);

	return err ? err : (s64)n;
}

static int show_queue(const struct nvme_queue *q, char *buf, size_t size)
{
	const struct nvme_ring *r = &q->ring;

	/* relaxed: each figure may be of another moment */
	return scnprintf(buf, size,
			 "%5u %-6s %10llu %10llu %10llu %10llu %10llu %10llu "
			 "%6llu %8u\n",
			 r->qid, nvme_mode_names[q->mode],
			 (unsigned long long)r->nr_commands,
			 (unsigned long long)r->nr_sq_doorbells,
			 (unsigned long long)r->nr_cq_doorbells,
			 (unsigned long long)load_once(&q->nr_irqs),
			 (unsigned long long)q->nr_polls,
			 (unsigned long long)q->nr_poll_hits,
			 (unsigned long long)load_once(&q->nr_lost),
			 r->in_flight);
}

static s64 show_stats(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	const struct nvme_ctrl *c = obj;
	int n = scnprintf(buf, size,
			  "timeouts %llu aborts %llu resets %llu events %llu\n"
			  "queue mode     commands  sq-bells   cq-bells "
			  "interrupts      polls       hits   lost in-flight\n",
			  (unsigned long long)load_once(&c->nr_timeouts),
			  (unsigned long long)load_once(&c->nr_aborts),
			  (unsigned long long)load_once(&c->nr_resets),
			  (unsigned long long)load_once(&c->nr_events_seen));

	for (u32 i = 0; i < nvme_nr_queues(c); i++)
		n += show_queue(nvme_queue_nr(c, i), buf + n, size - (size_t)n);
	return n;
}

static const struct sys_attr ctrl_attrs[] = {
	ATTR("dev", show_dev),
	{ .name = "uevent",
	  .mode = 0644,
	  .show = show_uevent,
	  .store = store_uevent },
	TEXT("model", model),
	TEXT("serial", serial),
	TEXT("firmware_rev", firmware),
	TEXT("subsysnqn", nqn),
	ATTR("cntlid", show_cntlid),
	ATTR("address", show_address),
	ATTR("state", show_state),
	ATTR("queue_count", show_queue_count),
	ATTR("sqsize", show_sqsize),
	ATTR("stats", show_stats),
	{ .name = "transport",
	  .mode = 0444,
	  .show = show_fixed,
	  .arg = (u64) "pcie" },
	{ .name = "cntrltype",
	  .mode = 0444,
	  .show = show_fixed,
	  .arg = (u64) "io" },
	{ .name = "numa_node",
	  .mode = 0444,
	  .show = show_fixed,
	  .arg = (u64) "-1" },
	{ .name = "mode",
	  .mode = 0644,
	  .show = show_mode,
	  .store = store_mode },
	ACTION("reset_controller", store_reset),
	ACTION("rescan_controller", store_rescan),
};

static const struct sys_attr subsys_attrs[] = {
	TEXT("model", model),
	TEXT("serial", serial),
	TEXT("firmware_rev", firmware),
	TEXT("subsysnqn", nqn),
	{ .name = "subsystype",
	  .mode = 0444,
	  .show = show_fixed,
	  .arg = (u64) "nvm" },
};

static void add_subsystem(struct nvme_ctrl *c)
{
	struct sys_dir *d;
	char name[24];

	scnprintf(name, sizeof(name), "nvme-subsys%u", c->nr);
	d = sys_mkdir(sys_path("devices/virtual/nvme-subsystem"), name, c);
	(void)sys_add(d, subsys_attrs, ARRAY_SIZE(subsys_attrs));
	(void)sys_join("class/nvme-subsystem", d);
	(void)sys_link(d, c->name, c->sys);
}

void nvme_sys_add(struct nvme_ctrl *c)
{
	c->sys = sys_mkdir(sys_subdir(c->pci->sys, "nvme"), c->name, c);
	(void)sys_add(c->sys, ctrl_attrs, ARRAY_SIZE(ctrl_attrs));
	(void)sys_link(c->sys, "device", c->pci->sys);
	(void)sys_join("class/nvme", c->sys);
	(void)sys_link_dev(false, MAJOR(c->chr.dev), MINOR(c->chr.dev), c->sys);
	add_subsystem(c);
}

/* ---- namespace: the object is its struct blkdev */

static struct nvme_ns *ns_of(void *obj)
{
	return ((struct blkdev *)obj)->priv;
}

static bool is_zero(const u8 *id, size_t n)
{
	while (n) {
		if (id[--n])
			return false;
	}
	return true;
}

static s64 show_nsid(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%u\n", ns_of(obj)->nsid);
}

/* As a UUID: 8-4-4-4-12 digits. */
static s64 show_id16(const u8 *id, char *buf, size_t size)
{
	int n = 0;

	for (u32 i = 0; i < 16; i++)
		n += scnprintf(buf + n, size - (size_t)n, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       id[i]);
	return n + scnprintf(buf + n, size - (size_t)n, "\n");
}

static s64 show_uuid(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	const struct nvme_ns *ns = ns_of(obj);

	/* Linux too shows the NGUID when there is no UUID */
	return show_id16(is_zero(ns->uuid, 16) ? ns->nguid : ns->uuid, buf,
			 size);
}

static s64 show_nguid(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	return show_id16(ns_of(obj)->nguid, buf, size);
}

static s64 show_eui(void *obj, const struct sys_attr *a __unused, char *buf,
		    size_t size)
{
	const u8 *e = ns_of(obj)->eui64;

	return scnprintf(buf, size, "%02x %02x %02x %02x %02x %02x %02x %02x\n",
			 e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]);
}

static const struct sys_attr ns_attrs[] = {
	ATTR("nsid", show_nsid),
	ATTR("uuid", show_uuid),
	ATTR("nguid", show_nguid),
	ATTR("eui", show_eui),
};

void nvme_sys_add_ns(struct nvme_ns *ns)
{
	(void)sys_add(ns->bd.sys, ns_attrs, ARRAY_SIZE(ns_attrs));
}
