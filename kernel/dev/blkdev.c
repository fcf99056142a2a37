/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blkdev.c - the list of disks and partitions, and who uses them.
 *
 * A dead disk is broken, so that nobody needs to hold a reference.  A partition, or
 * a disk whose driver wants it, may go while nobody has it open; its memory is kept
 * for the next one, so a pointer that was found a moment ago is never wild, and
 * blkdev_open() tells that it has gone.
 *
 * Locking: blk_list_lock (RANK_VFS).
 * Not here: making and removing partitions (blkpart.c).
 */
#include <kernel/dev/blk_core.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define BLOCK_EXT_MAJOR 259u /* minors handed out one by one */
#define RA_PAGES	32u

struct spinlock blk_list_lock = SPINLOCK_INIT("blkdevs", RANK_VFS);
static struct list_head blkdevs = LIST_HEAD_INIT(blkdevs); /* [list lock] */
static u32 next_ext_minor;				   /* [a] */
static u64 next_seq;					   /* [list lock] */

void (*blkdev_notify)(struct blkdev *bd, bool added);

static struct blkdev *find_locked(kdev_t dev, const char *name)
{
	struct blkdev *bd;

	assert_held(&blk_list_lock);
	list_for_each_entry(bd, &blkdevs, node) {
		if (name ? !strcmp(bd->name, name) : bd->dev == dev)
			return bd;
	}
	return NULL;
}

struct blkdev *blkdev_part_locked(const struct blkdev *disk, u32 nr)
{
	struct blkdev *bd;

	assert_held(&blk_list_lock);
	list_for_each_entry(bd, &blkdevs, node) {
		if (bd->whole == disk && bd != disk && bd->part_nr == nr)
			return bd;
	}
	return NULL;
}

struct blkdev *blkdev_next_part_locked(const struct blkdev *disk,
				       const struct blkdev *after)
{
	struct blkdev *bd;
	bool passed = !after;

	assert_held(&blk_list_lock);
	list_for_each_entry(bd, &blkdevs, node) {
		if (passed && bd->whole == disk && bd != disk)
			return bd;
		passed |= bd == after;
	}
	return NULL;
}

/* Behind its disk and that one's lower partitions. */
static void link_locked(struct blkdev *bd)
{
	struct list_head *pos = &blkdevs;
	struct blkdev *other;

	list_for_each_entry(other, &blkdevs, node) {
		if (bd->whole != bd && other->whole == bd->whole &&
		    other->part_nr < bd->part_nr)
			pos = other->node.next;
	}
	list_add_tail(&bd->node, pos);
}

int blkdev_add(struct blkdev *bd)
{
	int err = 0;

	spin_lock(&blk_list_lock);
	if (find_locked(bd->dev, NULL) || find_locked(0, bd->name)) {
		err = -EEXIST;
	} else {
		bd->gone = false;
		if (bd->whole == bd)
			bd->seq = ++next_seq;
		link_locked(bd);
	}
	spin_unlock(&blk_list_lock);
	if (err)
		return err;
	blk_sys_add(bd);
	if (blkdev_notify)
		blkdev_notify(bd, true);
	return 0;
}

kdev_t blkdev_ext_dev(void)
{
	return MKDEV(BLOCK_EXT_MAJOR, atomic_fetch_add(&next_ext_minor, 1u));
}

static void set_defaults(struct blkdev *bd)
{
	bd->whole = bd;
	bd->start_sector = 0;
	bd->ra_pages = RA_PAGES;
	if (!bd->nr_minors)
		bd->dev = blkdev_ext_dev();
	if (!bd->physical_block_size)
		bd->physical_block_size = bd->block_size;
	if (!bd->min_io_bytes)
		bd->min_io_bytes = bd->physical_block_size;
	if (!bd->discard_granularity)
		bd->discard_granularity = bd->block_size;
}

int blkdev_register(struct blkdev *bd)
{
	int err;

	KASSERT(bd->ops && bd->ops->submit && bd->name[0]);
	KASSERT(!bd->ops->poll == !bd->ops->poll_begin &&
		!bd->ops->poll == !bd->ops->poll_end);
	KASSERT(bd->block_size >= SECTOR_SIZE &&
		(bd->block_size & (bd->block_size - 1)) == 0);
	set_defaults(bd);
	err = blk_queues_init(bd);
	if (!err)
		err = blkdev_add(bd);
	if (err)
		return err;
	if (!bd->nr_sectors) /* no medium yet */
		return 0;
	pr_info("%s: %llu sectors of 512 bytes (%llu MiB), blocks of %u%s%s",
		bd->name, (unsigned long long)bd->nr_sectors,
		(unsigned long long)(bd->nr_sectors >> 11), bd->block_size,
		bd->has_flush ? ", write cache" : "",
		bd->read_only ? ", read-only" : "");
	blkdev_scan(bd);
	return 0;
}

void blkdev_resize(struct blkdev *bd, u64 nr_sectors)
{
	u64 old = load_once(&bd->nr_sectors);

	if (old == nr_sectors)
		return;
	store_once(&bd->nr_sectors, nr_sectors);
	if (bd->mapping)
		store_once(&bd->mapping->size, nr_sectors * SECTOR_SIZE);
	if (nr_sectors && old)
		pr_info_ratelimited("%s: %lu sectors now, %lu before", bd->name,
				    nr_sectors, old);
}

int blkdev_unregister(struct blkdev *disk)
{
	if (!blkdev_shut(disk, 0))
		return -EBUSY;
	blkdev_new_medium(disk, 0);
	spin_lock(&blk_list_lock);
	list_del(&disk->node);
	spin_unlock(&blk_list_lock);
	if (blkdev_notify)
		blkdev_notify(disk, false);
	blk_sys_del(disk);
	return 0;
}

bool blkdev_shut(struct blkdev *disk, u32 users)
{
	bool shut;

	KASSERT(disk->whole == disk);
	spin_lock(&blk_list_lock);
	shut = disk->nr_users <= users;
	if (shut)
		disk->gone = true;
	spin_unlock(&blk_list_lock);
	return shut;
}

void blkdev_reopen(struct blkdev *disk)
{
	spin_lock(&blk_list_lock);
	disk->gone = false;
	spin_unlock(&blk_list_lock);
}

void blkdev_new_medium(struct blkdev *disk, u64 nr_sectors)
{
	blkdev_drop_partitions(disk);
	if (disk->mapping)
		(void)mapping_invalidate(disk->mapping, 0, ~0ull >> PAGE_SHIFT);
	blkdev_resize(disk, nr_sectors);
	spin_lock(&blk_list_lock);
	disk->seq = ++next_seq;
	spin_unlock(&blk_list_lock);
	blk_sys_tell(disk, "change");
}

/* ---- who uses it */

int blkdev_open(struct blkdev *bd)
{
	int err = 0;

	spin_lock(&blk_list_lock);
	if (bd->gone || bd->whole->gone) {
		err = -ENXIO;
	} else {
		bd->nr_open++;
		bd->whole->nr_users++;
	}
	spin_unlock(&blk_list_lock);
	return err;
}

void blkdev_close(struct blkdev *bd)
{
	struct blkdev *disk = bd->whole;
	bool last, idle;

	spin_lock(&blk_list_lock);
	KASSERT(bd->nr_open);
	last = bd->nr_open == 1;
	spin_unlock(&blk_list_lock);
	/* still counted, so that the partition stays meanwhile */
	if (last && bd->mapping)
		(void)mapping_sync(bd->mapping, 0, ~0ull, true);
	spin_lock(&blk_list_lock);
	bd->nr_open--;
	idle = --disk->nr_users == 0;
	spin_unlock(&blk_list_lock);
	if (idle && disk->ops->idle)
		disk->ops->idle(disk);
}

int blkdev_claim(struct blkdev *bd, const void *holder)
{
	struct blkdev *whole = bd->whole;
	int err = 0;

	spin_lock(&blk_list_lock);
	if (bd->holder && bd->holder != holder)
		err = -EBUSY;
	else if (bd == whole ? bd->nr_part_claims != 0 : whole->holder != NULL)
		err = -EBUSY;
	if (!err) {
		if (bd->nr_claims++ == 0 && bd != whole)
			whole->nr_part_claims++;
		bd->holder = holder;
	}
	spin_unlock(&blk_list_lock);
	return err;
}

void blkdev_unclaim(struct blkdev *bd, const void *holder)
{
	spin_lock(&blk_list_lock);
	KASSERT(bd->holder == holder && bd->nr_claims);
	if (--bd->nr_claims == 0) {
		bd->holder = NULL;
		if (bd != bd->whole)
			bd->whole->nr_part_claims--;
	}
	spin_unlock(&blk_list_lock);
}

/* ---- look-up */

struct blkdev *blkdev_find(kdev_t dev)
{
	struct blkdev *bd;

	spin_lock(&blk_list_lock);
	bd = find_locked(dev, NULL);
	spin_unlock(&blk_list_lock);
	return bd;
}

struct blkdev *blkdev_by_name(const char *name)
{
	struct blkdev *bd;

	spin_lock(&blk_list_lock);
	bd = find_locked(0, name);
	spin_unlock(&blk_list_lock);
	return bd;
}

void blkdev_for_each(void (*fn)(struct blkdev *bd, void *ctx), void *ctx)
{
	struct blkdev *bd;

	spin_lock(&blk_list_lock);
	list_for_each_entry(bd, &blkdevs, node)
		fn(bd, ctx);
	spin_unlock(&blk_list_lock);
}
