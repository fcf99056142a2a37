/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blkpart.c - the partitions of a disk come and go.
 *
 * From the table on the disk (at registration, BLKRRPART) or one by one (BLKPG).
 *
 * INVARIANTS
 *   I1  Partitions made one by one do not overlap and lie inside of the disk; those
 *	 of a table lie inside (partition.c), and overlap only if the table says so.
 *   I2  A partition goes only while nobody has it open; then it has no dirty page
 *	 (blkdev_close()).
 *
 * Locking: part_mutex for changes, outside of blk_list_lock.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/assert.h>
#include <kernel/dev/partition.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static struct mutex part_mutex = MUTEX_INIT(part_mutex);
/* [part_mutex] removed ones, to be used again */
static struct list_head unused = LIST_HEAD_INIT(unused);

/* ---- make */

/* Linux puts a p between a name that ends in a digit and the number. */
static void partition_name(const struct blkdev *disk, u32 nr, char *out,
			   size_t size)
{
	size_t len = strlen(disk->name);
	bool digit = disk->name[len - 1] >= '0' && disk->name[len - 1] <= '9';

	scnprintf(out, size, "%s%s%u", disk->name, digit ? "p" : "", nr);
}

/* Memory for a partition; one that was removed keeps its page cache's. */
static struct blkdev *part_alloc(void)
{
	struct blkdev *bd =
		list_first_entry_or_null(&unused, struct blkdev, node);
	struct mapping *m;

	if (!bd)
		return kzalloc(sizeof(*bd));
	list_del(&bd->node);
	m = bd->mapping;
	memset(bd, 0, sizeof(*bd));
	bd->gone = true; /* until it is on the list */
	bd->mapping = m;
	return bd;
}

static void part_free(struct blkdev *bd)
{
	bd->gone = true;
	list_add_tail(&bd->node, &unused);
}

static int make(struct blkdev *disk, const struct partition *p)
{
	struct blkdev *bd = part_alloc();
	int err;

	if (!bd)
		return -ENOMEM;
	partition_name(disk, p->nr, bd->name, sizeof(bd->name));
	bd->dev = p->nr < disk->nr_minors
			  ? MKDEV(MAJOR(disk->dev), MINOR(disk->dev) + p->nr)
			  : blkdev_ext_dev();
	bd->whole = disk;
	bd->start_sector = p->start;
	bd->nr_sectors = p->len;
	bd->block_size = disk->block_size;
	bd->physical_block_size = disk->physical_block_size;
	bd->min_io_bytes = disk->min_io_bytes;
	bd->opt_io_bytes = disk->opt_io_bytes;
	bd->discard_granularity = disk->discard_granularity;
	bd->read_only = disk->read_only;
	bd->has_flush = disk->has_flush;
	bd->has_discard = disk->has_discard;
	bd->has_write_zeroes = disk->has_write_zeroes;
	bd->ra_pages = disk->ra_pages;
	bd->part_nr = p->nr;
	strscpy(bd->partuuid, p->uuid, sizeof(bd->partuuid));
	if (bd->mapping)
		bd->mapping->size = p->len * SECTOR_SIZE;
	err = blkdev_add(bd);
	if (err)
		part_free(bd);
	return err;
}

/* ---- remove */

static int unlist(struct blkdev *bd)
{
	int err = 0;

	spin_lock(&blk_list_lock);
	if (bd->nr_open || bd->holder) {
		err = -EBUSY;
	} else {
		bd->gone = true;
		list_del(&bd->node);
	}
	spin_unlock(&blk_list_lock);
	return err;
}

static int drop(struct blkdev *bd)
{
	int err = unlist(bd);

	if (err)
		return err;
	if (blkdev_notify)
		blkdev_notify(bd, false);
	blk_sys_del(bd);
	if (bd->mapping)
		(void)mapping_invalidate(bd->mapping, 0, ~0ull >> PAGE_SHIFT);
	part_free(bd);
	return 0;
}

/* ---- the table */

static int scan_read(void *ctx, u64 sector, void *buf, size_t len)
{
	return blk_read(ctx, sector, buf, len);
}

static void scan_found(void *ctx, const struct partition *p)
{
	struct blkdev *disk = ctx;
	int err = make(disk, p);

	if (err)
		pr_err("%s: partition %u: error %d", disk->name, p->nr, err);
}

static struct blkdev *first_part(struct blkdev *disk)
{
	struct blkdev *bd;

	spin_lock(&blk_list_lock);
	bd = blkdev_next_part_locked(disk, NULL);
	spin_unlock(&blk_list_lock);
	return bd;
}

void blkdev_drop_partitions(struct blkdev *disk)
{
	struct blkdev *bd;
	int err = 0;

	mutex_lock(&part_mutex);
	while (!err && (bd = first_part(disk)))
		err = drop(bd);
	mutex_unlock(&part_mutex);
}

void blkdev_scan(struct blkdev *disk)
{
	struct part_disk d = {
		.nr_sectors = disk->nr_sectors,
		.block_size = disk->block_size,
		.read = scan_read,
		.found = scan_found,
		.ctx = disk,
	};
	int nr = load_once(&disk->no_scan) ? 0 : partition_parse(&d);

	if (nr < 0)
		pr_warn("%s: cannot read the partition table: error %d",
			disk->name, nr);
	else if (nr)
		pr_info("%s: %d partitions", disk->name, nr);
}

static bool any_in_use(struct blkdev *disk)
{
	struct blkdev *bd = NULL;
	bool used = false;

	spin_lock(&blk_list_lock);
	while ((bd = blkdev_next_part_locked(disk, bd)))
		used |= bd->nr_open || bd->holder;
	spin_unlock(&blk_list_lock);
	return used;
}

int blkdev_rescan(struct blkdev *disk, const void *by)
{
	const void *holder;
	struct blkdev *bd;
	int err = 0;

	KASSERT(disk->whole == disk);
	if (load_once(&disk->no_scan))
		return -EINVAL;
	mutex_lock(&part_mutex);
	holder = load_once(&disk->holder);
	if (any_in_use(disk) || (holder && holder != by))
		err = -EBUSY;
	/* what was written through /dev/<disk> */
	if (!err && disk->mapping)
		err = mapping_sync(disk->mapping, 0, ~0ull, true);
	while (!err && (bd = first_part(disk)))
		err = drop(bd);
	if (!err)
		blkdev_scan(disk);
	mutex_unlock(&part_mutex);
	return err;
}

/* ---- one by one */

static bool in_disk(const struct blkdev *disk, u64 start, u64 len)
{
	u32 spb = disk->block_size >> SECTOR_SHIFT;

	return len && start < disk->nr_sectors &&
	       len <= disk->nr_sectors - start && start % spb == 0 &&
	       len % spb == 0;
}

/* I1: does any partition but @but have some of it? */
static bool overlaps(struct blkdev *disk, const struct blkdev *but, u64 start,
		     u64 len)
{
	struct blkdev *bd = NULL;
	bool hit = false;

	spin_lock(&blk_list_lock);
	while ((bd = blkdev_next_part_locked(disk, bd)))
		hit |= bd != but && start < bd->start_sector + bd->nr_sectors &&
		       bd->start_sector < start + len;
	spin_unlock(&blk_list_lock);
	return hit;
}

static struct blkdev *find(struct blkdev *disk, u32 nr)
{
	struct blkdev *bd;

	spin_lock(&blk_list_lock);
	bd = blkdev_part_locked(disk, nr);
	spin_unlock(&blk_list_lock);
	return bd;
}

int blkdev_add_partition(struct blkdev *disk, u32 nr, u64 start, u64 len)
{
	struct partition p = { .nr = nr, .start = start, .len = len };
	int err;

	if (!in_disk(disk, start, len))
		return -EINVAL;
	mutex_lock(&part_mutex);
	if (find(disk, nr) || overlaps(disk, NULL, start, len))
		err = -EBUSY;
	else
		err = make(disk, &p);
	mutex_unlock(&part_mutex);
	return err;
}

int blkdev_del_partition(struct blkdev *disk, u32 nr)
{
	struct blkdev *bd;
	int err;

	mutex_lock(&part_mutex);
	bd = find(disk, nr);
	err = bd ? drop(bd) : -ENXIO;
	mutex_unlock(&part_mutex);
	return err;
}

int blkdev_resize_partition(struct blkdev *disk, u32 nr, u64 start, u64 len)
{
	struct blkdev *bd;
	int err = 0;

	if (!in_disk(disk, start, len))
		return -EINVAL;
	mutex_lock(&part_mutex);
	bd = find(disk, nr);
	if (!bd)
		err = -ENXIO;
	else if (bd->start_sector != start)
		err = -EINVAL;
	else if (overlaps(disk, bd, start, len))
		err = -EBUSY;
	else
		blkdev_resize(bd, len);
	mutex_unlock(&part_mutex);
	return err;
}
