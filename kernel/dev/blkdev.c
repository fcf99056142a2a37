/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blkdev.c - the list of disks and partitions.
 *
 * Block devices only ever come: a dead disk stays, broken, so that nobody needs
 * to hold a reference.
 *
 * Locking: blk_list_lock (RANK_VFS).
 */
#include <kernel/dev/blk_core.h>

#include <kernel/assert.h>
#include <kernel/dev/partition.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define BLOCK_EXT_MAJOR 259u /* minors handed out one by one */

static struct spinlock blk_list_lock = SPINLOCK_INIT("blkdevs", RANK_VFS);
static struct list_head blkdevs = LIST_HEAD_INIT(blkdevs); /* [list lock] */
static u32 next_ext_minor;				   /* [a] */

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

static int add(struct blkdev *bd)
{
	int err = 0;

	spin_lock(&blk_list_lock);
	if (find_locked(bd->dev, NULL) || find_locked(0, bd->name))
		err = -EEXIST;
	else
		list_add_tail(&bd->node, &blkdevs);
	spin_unlock(&blk_list_lock);
	if (err)
		return err;
	blk_sys_add(bd);
	if (blkdev_notify)
		blkdev_notify(bd, true);
	return 0;
}

static kdev_t ext_dev(void)
{
	return MKDEV(BLOCK_EXT_MAJOR, atomic_fetch_add(&next_ext_minor, 1u));
}

/* Linux puts a p between a name that ends in a digit and the number. */
static void partition_name(const struct blkdev *disk, u32 nr, char *out,
			   size_t size)
{
	size_t len = strlen(disk->name);
	bool digit = disk->name[len - 1] >= '0' && disk->name[len - 1] <= '9';

	scnprintf(out, size, "%s%s%u", disk->name, digit ? "p" : "", nr);
}

static int add_partition(struct blkdev *disk, const struct partition *p)
{
	struct blkdev *bd = kzalloc(sizeof(*bd));
	int err;

	if (!bd)
		return -ENOMEM;
	partition_name(disk, p->nr, bd->name, sizeof(bd->name));
	bd->dev = p->nr < disk->nr_minors
			  ? MKDEV(MAJOR(disk->dev), MINOR(disk->dev) + p->nr)
			  : ext_dev();
	bd->whole = disk;
	bd->start_sector = p->start;
	bd->nr_sectors = p->len;
	bd->block_size = disk->block_size;
	bd->read_only = disk->read_only;
	bd->has_flush = disk->has_flush;
	bd->has_discard = disk->has_discard;
	bd->has_write_zeroes = disk->has_write_zeroes;
	bd->part_nr = p->nr;
	strscpy(bd->partuuid, p->uuid, sizeof(bd->partuuid));
	err = add(bd);
	if (err)
		kfree(bd);
	return err;
}

static int scan_read(void *ctx, u64 sector, void *buf, size_t len)
{
	return blk_read(ctx, sector, buf, len);
}

static void scan_found(void *ctx, const struct partition *p)
{
	struct blkdev *disk = ctx;
	int err = add_partition(disk, p);

	if (err)
		pr_err("%s: partition %u: error %d", disk->name, p->nr, err);
}

static void partition_scan(struct blkdev *disk)
{
	struct part_disk d = {
		.nr_sectors = disk->nr_sectors,
		.block_size = disk->block_size,
		.read = scan_read,
		.found = scan_found,
		.ctx = disk,
	};
	int nr = partition_parse(&d);

	if (nr < 0)
		pr_warn("%s: cannot read the partition table: error %d",
			disk->name, nr);
	else if (nr)
		pr_info("%s: %d partitions", disk->name, nr);
}

int blkdev_register(struct blkdev *bd)
{
	int err;

	KASSERT(bd->ops && bd->ops->submit && bd->name[0]);
	KASSERT(bd->block_size >= SECTOR_SIZE &&
		(bd->block_size & (bd->block_size - 1)) == 0);
	bd->whole = bd;
	bd->start_sector = 0;
	if (!bd->nr_minors)
		bd->dev = ext_dev();
	err = blk_queues_init(bd);
	if (!err)
		err = add(bd);
	if (err)
		return err;
	pr_info("%s: %llu sectors of 512 bytes (%llu MiB), blocks of %u%s%s",
		bd->name, (unsigned long long)bd->nr_sectors,
		(unsigned long long)(bd->nr_sectors >> 11), bd->block_size,
		bd->has_flush ? ", write cache" : "",
		bd->read_only ? ", read-only" : "");
	partition_scan(bd);
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
	pr_info_ratelimited("%s: %lu sectors now, %lu before", bd->name,
			    nr_sectors, old);
}

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
