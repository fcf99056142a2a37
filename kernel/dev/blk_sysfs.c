/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_sysfs.c - disks and partitions in /sys.
 *
 * A disk's directory is inside of its device's, a partition's inside of its disk's;
 * /sys/block, /sys/class/block and /sys/dev/block lead to them.  Names, units and
 * formats are Linux's, because lsblk, blkid and udev read them.
 *
 * Context: threads; the attributes run in the reader's coroutine.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define ATTR(nm, fn)                                      \
	{                                                 \
		.name = (nm), .mode = 0444, .show = (fn), \
	}
#define NUMBER(nm, field)                                     \
	{                                                     \
		.name = (nm), .mode = 0444, .show = show_u32, \
		.arg = offsetof(struct blkdev, field),        \
	}
/* The same value for every disk. */
#define FIXED(nm, value)                                                       \
	{                                                                      \
		.name = (nm), .mode = 0444, .show = show_fixed, .arg = (value) \
	}

/* ---- disks and partitions */

static s64 show_u32(void *obj, const struct sys_attr *a, char *buf, size_t size)
{
	const u8 *bd = obj;

	return scnprintf(buf, size, "%u\n",
			 *(const u32 *)(const void *)(bd + a->arg));
}

static s64 show_fixed(void *obj __unused, const struct sys_attr *a, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "%llu\n", (unsigned long long)a->arg);
}

static s64 show_dev(void *obj, const struct sys_attr *a __unused, char *buf,
		    size_t size)
{
	const struct blkdev *bd = obj;

	return scnprintf(buf, size, "%u:%u\n", MAJOR(bd->dev), MINOR(bd->dev));
}

static s64 show_size(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	const struct blkdev *bd = obj;

	return scnprintf(buf, size, "%llu\n",
			 (unsigned long long)bd->nr_sectors);
}

static s64 show_start(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	const struct blkdev *bd = obj;

	return scnprintf(buf, size, "%llu\n",
			 (unsigned long long)bd->start_sector);
}

static s64 show_ro(void *obj, const struct sys_attr *a __unused, char *buf,
		   size_t size)
{
	const struct blkdev *bd = obj;

	return scnprintf(buf, size, "%d\n", blkdev_read_only(bd));
}

static s64 show_uevent(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct blkdev *bd = obj;
	int n = scnprintf(buf, size,
			  "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n",
			  MAJOR(bd->dev), MINOR(bd->dev), bd->name,
			  bd->whole == bd ? "disk" : "partition");

	if (bd->part_nr)
		n += scnprintf(buf + n, size - (size_t)n, "PARTN=%u\n",
			       bd->part_nr);
	return n;
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	return uevent_store(((struct blkdev *)obj)->sys, "block", a, obj, buf,
			    n);
}

static const struct sys_attr uevent_attr = {
	.name = "uevent",
	.mode = 0644,
	.show = show_uevent,
	.store = store_uevent,
};

void blk_sys_tell(struct blkdev *bd, const char *action)
{
	uevent_send(bd->sys, action, "block", &uevent_attr, bd);
}

static u64 ms(u64 ns)
{
	return ns / NSEC_PER_MSEC;
}

int blk_stat_text(const struct blkdev *bd, char *buf, size_t size)
{
	u64 queued = 0;
	int n = 0;

	/* reads, writes; what is between; discards, flushes */
	for (u32 kind = 0; kind < 4; kind++)
		queued += bd->stat_ns[kind];
	for (u32 kind = 0; kind < 2; kind++)
		n += scnprintf(buf + n, size - (size_t)n,
			       "%8lu %8lu %8lu %8lu ", bd->stat_ios[kind],
			       bd->stat_merges[kind], bd->stat_sectors[kind],
			       ms(bd->stat_ns[kind]));
	n += scnprintf(buf + n, size - (size_t)n, "%8u %8lu %8lu ",
		       bd->in_flight, ms(bd->busy_ns), ms(queued));
	return n + scnprintf(buf + n, size - (size_t)n,
			     "%8lu %8lu %8lu %8lu %8lu %8lu", bd->stat_ios[2],
			     bd->stat_merges[2], bd->stat_sectors[2],
			     ms(bd->stat_ns[2]), bd->stat_ios[3],
			     ms(bd->stat_ns[3]));
}

static s64 show_stat(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	int n = blk_stat_text(obj, buf, size);

	return n + scnprintf(buf + n, size - (size_t)n, "\n");
}

static s64 show_inflight(void *obj, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	const struct blkdev *bd = obj;

	return scnprintf(buf, size, "%8u %8u\n", bd->in_flight, 0);
}

static s64 show_diskseq(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	return scnprintf(buf, size, "%lu\n", ((const struct blkdev *)obj)->seq);
}

static const struct sys_attr disk_attrs[] = {
	ATTR("dev", show_dev),
	ATTR("size", show_size),
	ATTR("ro", show_ro),
	ATTR("stat", show_stat),
	ATTR("inflight", show_inflight),
	ATTR("diskseq", show_diskseq),
	FIXED("removable", 0),
	FIXED("hidden", 0),
	FIXED("discard_alignment", 0),
	FIXED("ext_range", 256),
	FIXED("capability", 0),
	NUMBER("alignment_offset", alignment_bytes),
	NUMBER("range", nr_minors),
};

static const struct sys_attr part_attrs[] = {
	ATTR("dev", show_dev),	       ATTR("size", show_size),
	ATTR("start", show_start),     ATTR("ro", show_ro),
	ATTR("stat", show_stat),       ATTR("inflight", show_inflight),
	NUMBER("partition", part_nr),  FIXED("alignment_offset", 0),
	FIXED("discard_alignment", 0),
};

/* ---- the directories */

static struct sys_dir *parent_of(const struct blkdev *bd)
{
	if (bd->whole != bd)
		return bd->whole->sys;
	if (bd->sys_parent)
		return bd->sys_parent;
	return bd->device ? bd->device : sys_path("devices/virtual/block");
}

static void add_disk_parts(struct blkdev *bd)
{
	(void)sys_add(bd->sys, disk_attrs, ARRAY_SIZE(disk_attrs));
	blk_sys_add_queue(bd);
	(void)sys_mkdir(bd->sys, "slaves", NULL);
	if (bd->device)
		(void)sys_link(bd->sys, "device", bd->device);
	(void)sys_link(sys_path("block"), bd->name, bd->sys);
}

void blk_sys_add(struct blkdev *bd)
{
	bd->sys = sys_mkdir(parent_of(bd), bd->name, bd);
	if (bd->whole == bd)
		add_disk_parts(bd);
	else
		(void)sys_add(bd->sys, part_attrs, ARRAY_SIZE(part_attrs));
	(void)sys_add(bd->sys, &uevent_attr, 1);
	(void)sys_mkdir(bd->sys, "holders", NULL);
	(void)sys_join("class/block", bd->sys);
	(void)sys_link_dev(true, MAJOR(bd->dev), MINOR(bd->dev), bd->sys);
	blk_sys_tell(bd, "add");
}

void blk_sys_del(struct blkdev *bd)
{
	blk_sys_tell(bd, "remove");
	sys_rmdir(bd->sys);
	bd->sys = NULL;
}
