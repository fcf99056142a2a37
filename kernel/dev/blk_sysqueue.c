/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_sysqueue.c - /sys/block/DISK/queue: limits, and how it is driven.
 *
 * Names and units are Linux's.  What can be written: read_ahead_kb, nr_requests,
 * io_poll and io_poll_delay (enum blk_wait), max_sectors_kb as far as the device
 * goes.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/dev/sysfs.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define RA_MAX_KIB   4096u

enum value {
	LOGICAL,
	PHYSICAL,
	MIN_IO,
	OPT_IO,
	MAX_HW_KIB,
	MAX_KIB,
	MAX_SEGS,
	MAX_SEG_BYTES,
	DISCARD_GRAN,
	DISCARD_MAX,
	ZEROES_MAX,
	READ_AHEAD,
	NR_REQUESTS,
	NO_MERGES,
	IO_POLL,
	FUA,
	NR_QUEUES,
	ZERO,
	ONE,
};

static u64 max_bytes(const struct blkdev *bd, bool can, u32 op)
{
	u32 sectors = blk_max_sectors(bd, op);

	if (!can)
		return 0;
	return (sectors == ~0u ? bd->nr_sectors : sectors) * (u64)SECTOR_SIZE;
}

static u64 segments(const struct blkdev *bd)
{
	return bd->max_segs ? min(bd->max_segs, BIO_MAX_SEGS) : BIO_MAX_SEGS;
}

static u64 value_of(const struct blkdev *bd, u64 which)
{
	switch (which) {
	case LOGICAL:
		return bd->block_size;
	case PHYSICAL:
		return bd->physical_block_size;
	case MIN_IO:
		return bd->min_io_bytes;
	case OPT_IO:
		return bd->opt_io_bytes;
	case MAX_HW_KIB:
		return max_bytes(bd, true, BIO_READ) >> 10;
	case MAX_KIB:
		return min(max_bytes(bd, true, BIO_READ) >> 10,
			   (u64)BLK_MERGED_SECTORS / 2);
	case MAX_SEGS:
		return segments(bd);
	case MAX_SEG_BYTES:
		return bd->max_seg_bytes ? bd->max_seg_bytes : ~0u;
	case DISCARD_GRAN:
		return bd->has_discard ? bd->discard_granularity : 0;
	case DISCARD_MAX:
		return max_bytes(bd, bd->has_discard, BIO_DISCARD);
	case ZEROES_MAX:
		return max_bytes(bd, bd->has_write_zeroes, BIO_WRITE_ZEROES);
	case READ_AHEAD:
		return load_once(&bd->ra_pages) * KIB_PER_PAGE;
	case NR_REQUESTS:
		return load_once(&bd->nr_requests);
	case NO_MERGES:
		return load_once(&bd->nomerges);
	case IO_POLL:
		return load_once(&bd->wait_mode) >= BLK_WAIT_POLL;
	case FUA:
		return bd->has_fua;
	case NR_QUEUES:
		return bd->nr_hwq;
	default:
		return which == ONE;
	}
}

static s64 show(void *obj, const struct sys_attr *a, char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", value_of(obj, a->arg));
}

static s64 show_delay(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	const struct blkdev *bd = obj;

	/* Linux: -1 looks all the time, 0 sleeps half of the usual time first */
	return scnprintf(buf, size, "%d\n",
			 load_once(&bd->wait_mode) == BLK_WAIT_HYBRID ? 0 : -1);
}

static s64 show_scheduler(void *obj __unused, const struct sys_attr *a __unused,
			  char *buf, size_t size)
{
	return scnprintf(buf, size, "[none]\n");
}

static s64 show_cache(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	const struct blkdev *bd = obj;

	return scnprintf(buf, size, "%s\n",
			 bd->has_flush ? "write back" : "write through");
}

static s64 show_zoned(void *obj __unused, const struct sys_attr *a __unused,
		      char *buf, size_t size)
{
	return scnprintf(buf, size, "none\n");
}

/* ---- what can be changed */

static s64 store_number(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	u64 min = a->arg == NR_REQUESTS, v;
	u64 max = a->arg == READ_AHEAD	? RA_MAX_KIB
		  : a->arg == NO_MERGES ? ~0u
					: 4096;
	struct blkdev *bd = obj;
	int err = sys_parse_u64(buf, min, max, &v);

	if (err)
		return err;
	if (a->arg == READ_AHEAD)
		store_once(&bd->ra_pages, (u32)(v / KIB_PER_PAGE));
	else if (a->arg == NO_MERGES)
		store_once(&bd->nomerges, v == 2 ? 2 : v != 0);
	else
		store_once(&bd->nr_requests, (u32)v);
	return (s64)n;
}

static s64 set_mode(struct blkdev *bd, u32 mode, size_t n)
{
	store_once(&bd->wait_mode, mode);
	return (s64)n;
}

static s64 store_poll(void *obj, const struct sys_attr *a __unused,
		      const char *buf, size_t n)
{
	struct blkdev *bd = obj;
	u64 v;
	int err = sys_parse_u64(buf, 0, 1, &v);

	if (err)
		return err;
	if (v && load_once(&bd->wait_mode) >= BLK_WAIT_POLL)
		return (s64)n;
	return set_mode(bd, v ? BLK_WAIT_POLL : BLK_WAIT_IRQ, n);
}

static s64 store_delay(void *obj, const struct sys_attr *a __unused,
		       const char *buf, size_t n)
{
	struct blkdev *bd = obj;
	bool hybrid = buf[0] == '0' && (!buf[1] || buf[1] == '\n');

	if (!hybrid && !str_has_prefix(buf, "-1"))
		return -EINVAL;
	return set_mode(bd, hybrid ? BLK_WAIT_HYBRID : BLK_WAIT_POLL, n);
}

#define ATTR(nm, what)                                                  \
	{                                                               \
		.name = (nm), .mode = 0444, .show = show, .arg = (what) \
	}

static const struct sys_attr attrs[] = {
	ATTR("logical_block_size", LOGICAL),
	ATTR("hw_sector_size", LOGICAL),
	ATTR("physical_block_size", PHYSICAL),
	ATTR("minimum_io_size", MIN_IO),
	ATTR("optimal_io_size", OPT_IO),
	ATTR("max_hw_sectors_kb", MAX_HW_KIB),
	ATTR("max_sectors_kb", MAX_KIB),
	ATTR("max_segments", MAX_SEGS),
	ATTR("max_segment_size", MAX_SEG_BYTES),
	ATTR("discard_granularity", DISCARD_GRAN),
	ATTR("discard_max_bytes", DISCARD_MAX),
	ATTR("discard_max_hw_bytes", DISCARD_MAX),
	ATTR("discard_zeroes_data", ZERO),
	ATTR("write_zeroes_max_bytes", ZEROES_MAX),
	ATTR("write_same_max_bytes", ZERO),
	ATTR("nr_hw_queues", NR_QUEUES),
	ATTR("rotational", ZERO),
	ATTR("add_random", ZERO),
	ATTR("iostats", ONE),
	ATTR("dax", ZERO),
	ATTR("fua", FUA),
	{ .name = "scheduler", .mode = 0444, .show = show_scheduler },
	{ .name = "write_cache", .mode = 0444, .show = show_cache },
	{ .name = "zoned", .mode = 0444, .show = show_zoned },
	/* and so no zones, and no stripes */
	ATTR("nr_zones", ZERO),
	ATTR("chunk_sectors", ZERO),
	ATTR("zone_append_max_bytes", ZERO),
	ATTR("zone_write_granularity", ZERO),
	{ .name = "read_ahead_kb",
	  .mode = 0644,
	  .show = show,
	  .store = store_number,
	  .arg = READ_AHEAD },
	{ .name = "nr_requests",
	  .mode = 0644,
	  .show = show,
	  .store = store_number,
	  .arg = NR_REQUESTS },
	{ .name = "nomerges",
	  .mode = 0644,
	  .show = show,
	  .store = store_number,
	  .arg = NO_MERGES },
};

/* Where the core polls; a driver with a way of its own adds these by itself. */
static const struct sys_attr poll_attrs[] = {
	{ .name = "io_poll",
	  .mode = 0644,
	  .show = show,
	  .store = store_poll,
	  .arg = IO_POLL },
	{ .name = "io_poll_delay",
	  .mode = 0644,
	  .show = show_delay,
	  .store = store_delay },
};

void blk_sys_add_queue(struct blkdev *disk)
{
	struct sys_dir *queue = sys_mkdir(disk->sys, "queue", disk);

	(void)sys_add(queue, attrs, ARRAY_SIZE(attrs));
	if (disk->ops->poll)
		(void)sys_add(queue, poll_attrs, ARRAY_SIZE(poll_attrs));
}
