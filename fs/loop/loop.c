/* SPDX-License-Identifier: MIT */
/*
 * fs/loop/loop.c - the loop devices, what they are bound to, and since when.
 *
 * INVARIANTS
 *   I1  A struct loop stays for ever, as block devices do; a device that was removed
 *	 is kept for the next one of its number.
 *   I2  file, worker and loop/ in /sys are there together, or none of them is.
 *   I3  A device is unbound only with blkdev_shut(): nobody has it open, or can.
 *
 * Locking: see loop.h.
 */
#include <fs/loop/loop.h>

#include <fs/blkfile.h>
#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define LOOP_MAJOR    7u
#define LOOPS_AT_BOOT 8
#define LOOP_MAX_NR   ((1 << 20) - 1)
#define FILE_DEPTH    16u /* devices on files on devices ... */

static struct mutex loops_mutex = MUTEX_INIT(loops_mutex);
static struct list_head loops = LIST_HEAD_INIT(loops); /* [loops_mutex] */

/* --- the file */

static struct blkdev *device_of(const struct file *f)
{
	return S_ISBLK(f->inode->mode) ? f->priv : NULL;
}

/* W3.  The device on which @f lies, or which it is. */
static struct blkdev *device_below(const struct file *f)
{
	return S_ISBLK(f->inode->mode) ? device_of(f) : f->inode->sb->bdev;
}

int loop_may_back(const struct loop *lo, struct file *file)
{
	struct file *f = file;

	if (!f->inode || !vfs_mapping(f))
		return -EINVAL;
	for (u32 depth = 0; depth < FILE_DEPTH; depth++) {
		struct blkdev *bd = device_below(f);

		if (!bd || bd->whole->ops != &loop_ops)
			return f->can_read ? 0 : -EBADF;
		if (loop_of(bd) == lo)
			return -EBADF;
		f = load_once(&loop_of(bd)->file);
		if (!f)
			return -EINVAL;
	}
	return -ELOOP;
}

u64 loop_file_sectors(struct file *file, u64 offset, u64 sizelimit)
{
	u64 size = load_once(&vfs_mapping(file)->size);

	size = size > offset ? size - offset : 0;
	if (sizelimit)
		size = min(size, sizelimit);
	return size >> SECTOR_SHIFT;
}

/* What is cached of the device is written and goes. */
static void drop_cache(struct loop *lo)
{
	struct mapping *m = lo->bd.mapping;

	if (!m)
		return;
	(void)mapping_sync(m, 0, ~0ull, true);
	(void)mapping_invalidate(m, 0, ~0ull >> PAGE_SHIFT);
}

static void set_file(struct loop *lo, struct file *file)
{
	spin_lock(&lo->lock);
	store_once(&lo->file, file);
	spin_unlock(&lo->lock);
}

/* --- settings of a bound device */

/* As on Linux: whole blocks of what is below. */
static bool can_be_direct(const struct loop *lo)
{
	struct blkdev *below = device_below(lo->file);
	u32 align = below ? below->block_size : SECTOR_SIZE;

	return lo->file->ops->direct && !(lo->offset & (align - 1)) &&
	       lo->bd.block_size >= align;
}

void loop_set_range(struct loop *lo, u64 offset, u64 sizelimit)
{
	if (lo->offset != offset || lo->sizelimit != sizelimit)
		drop_cache(lo);
	mutex_lock(&lo->io);
	lo->offset = offset;
	lo->sizelimit = sizelimit;
	mutex_unlock(&lo->io);
	if (!can_be_direct(lo))
		atomic_fetch_and(&lo->flags, ~LO_FLAGS_DIRECT_IO);
	blkdev_resize(&lo->bd, loop_file_sectors(lo->file, offset, sizelimit));
}

int loop_change_file(struct loop *lo, struct file *file)
{
	struct file *old = lo->file;
	int err = loop_may_back(lo, file);

	if (err)
		return err;
	if (!(lo->flags & LO_FLAGS_READ_ONLY) ||
	    loop_file_sectors(file, lo->offset, lo->sizelimit) !=
		    loop_file_sectors(old, lo->offset, lo->sizelimit))
		return -EINVAL;
	mutex_lock(&lo->io);
	set_file(lo, file_get(file));
	mutex_unlock(&lo->io);
	file_put(old);
	drop_cache(lo);
	loop_set_partscan(lo);
	return 0;
}

void loop_set_block_size(struct loop *lo, u32 size)
{
	if (lo->bd.block_size == size)
		return;
	drop_cache(lo);
	mutex_lock(&lo->io);
	store_once(&lo->bd.block_size, size);
	lo->bd.physical_block_size = lo->bd.min_io_bytes = size;
	mutex_unlock(&lo->io);
}

int loop_set_direct(struct loop *lo, bool on)
{
	if (on && !can_be_direct(lo))
		return -EINVAL;
	if (on)
		atomic_fetch_or(&lo->flags, LO_FLAGS_DIRECT_IO);
	else
		atomic_fetch_and(&lo->flags, ~LO_FLAGS_DIRECT_IO);
	return 0;
}

/* Look for partitions if that is wanted. */
void loop_set_partscan(struct loop *lo)
{
	store_once(&lo->bd.no_scan, !(lo->flags & LO_FLAGS_PARTSCAN));
	if (lo->flags & LO_FLAGS_PARTSCAN)
		(void)blkdev_rescan(&lo->bd, NULL);
}

/* --- binding and letting go */

static void describe(struct loop *lo, const struct loop_setup *s,
		     bool can_write)
{
	const struct file_ops *ops = lo->file->ops;
	struct blkdev *bd = &lo->bd;

	lo->flags = s->flags;
	if (!can_write || !lo->file->can_write || !ops->write)
		lo->flags |= LO_FLAGS_READ_ONLY;
	lo->offset = s->offset;
	lo->sizelimit = s->sizelimit;
	memcpy(lo->name, s->name, sizeof(lo->name));
	lo->name[LO_NAME_SIZE - 1] = '\0';
	bd->read_only = lo->flags & LO_FLAGS_READ_ONLY;
	bd->block_size = s->block_size ? s->block_size : SECTOR_SIZE;
	bd->physical_block_size = bd->min_io_bytes = bd->block_size;
	if (!can_be_direct(lo))
		lo->flags &= ~LO_FLAGS_DIRECT_IO;
	bd->has_flush = ops->fsync;
	bd->has_discard = bd->has_write_zeroes = ops->fallocate;
	bd->discard_granularity = bd->block_size;
	if (S_ISREG(lo->file->inode->mode))
		bd->discard_granularity = lo->file->inode->sb->block_size;
}

int loop_bind(struct loop *lo, struct file *file, const struct loop_setup *s,
	      bool can_write)
{
	int err = loop_may_back(lo, file);

	if (err)
		return err;
	if (lo->file)
		return -EBUSY;
	set_file(lo, file_get(file));
	describe(lo, s, can_write);
	err = loop_worker_start(lo);
	if (err) {
		set_file(lo, NULL);
		file_put(file);
		return err;
	}
	blkdev_new_medium(&lo->bd,
			  loop_file_sectors(file, lo->offset, lo->sizelimit));
	loop_sys_add(lo);
	loop_set_partscan(lo);
	return 0;
}

/* I3. */
static void unbind(struct loop *lo)
{
	struct file *file = lo->file;

	loop_sys_del(lo);
	blkdev_new_medium(&lo->bd, 0);
	loop_worker_stop(lo);
	set_file(lo, NULL);
	lo->flags = 0;
	lo->leaving = false;
	lo->offset = lo->sizelimit = 0;
	memset(lo->name, 0, sizeof(lo->name));
	store_once(&lo->bd.ro_set, false);
	lo->bd.read_only = false;
	lo->bd.block_size = SECTOR_SIZE;
	store_once(&lo->bd.no_scan, true);
	file_put(file);
}

int loop_let_go(struct loop *lo)
{
	if (!loop_bound(lo))
		return -ENXIO;
	atomic_fetch_or(&lo->flags, LO_FLAGS_AUTOCLEAR);
	lo->leaving = blkdev_shut(&lo->bd, 1); /* the caller's */
	return 0;
}

/* Nobody uses it any more, or somebody does again. */
static void loop_idle(struct blkdev *bd)
{
	struct loop *lo = loop_of(bd);

	mutex_lock(&lo->mutex);
	if (lo->file && (lo->flags & LO_FLAGS_AUTOCLEAR) &&
	    blkdev_shut(bd, 0)) {
		unbind(lo);
		blkdev_reopen(bd);
	}
	mutex_unlock(&lo->mutex);
}

const struct blkdev_ops loop_ops = {
	.submit = loop_submit,
	.ioctl = loop_ioctl,
	.idle = loop_idle,
};

/* --- which devices there are; loops_mutex is held */

static struct loop *find(int nr)
{
	struct loop *lo;

	list_for_each_entry(lo, &loops, node) {
		if (lo->nr == (u32)nr)
			return lo;
	}
	return NULL;
}

/* The lowest number without a device. */
static int unused_nr(void)
{
	struct loop *lo;
	int nr = 0;

	list_for_each_entry(lo, &loops, node) {
		if (lo->nr != (u32)nr || !lo->visible)
			break;
		nr++;
	}
	return nr;
}

static struct loop *make(int nr)
{
	struct list_head *at = &loops;
	struct loop *lo = kzalloc(sizeof(*lo)), *other;

	if (!lo)
		return NULL;
	lo->nr = (u32)nr;
	mutex_init(&lo->mutex);
	mutex_init(&lo->io);
	spin_init(&lo->lock, "loop", RANK_BLK);
	list_init(&lo->queue);
	waitq_init(&lo->wq);
	lo->bd = (struct blkdev){ .dev = MKDEV(LOOP_MAJOR, nr),
				  .ops = &loop_ops,
				  .block_size = SECTOR_SIZE,
				  .nr_minors = 1,
				  .no_scan = true,
				  .priv = lo };
	scnprintf(lo->bd.name, sizeof(lo->bd.name), "loop%d", nr);
	list_for_each_entry(other, &loops, node) {
		if (other->nr > lo->nr) {
			at = &other->node;
			break;
		}
	}
	list_add_tail(&lo->node, at);
	return lo;
}

static s64 add(int nr)
{
	struct loop *lo = find(nr);
	int err;

	if (lo && lo->visible)
		return -EEXIST;
	if (!lo)
		lo = make(nr);
	if (!lo)
		return -ENOMEM;
	err = blkdev_register(&lo->bd);
	lo->visible = !err;
	return err ? err : nr;
}

s64 loop_add(int nr)
{
	s64 r;

	if (nr > LOOP_MAX_NR)
		return -EINVAL;
	mutex_lock(&loops_mutex);
	r = add(nr < 0 ? unused_nr() : nr);
	mutex_unlock(&loops_mutex);
	return r;
}

int loop_remove(int nr)
{
	struct loop *lo;
	int err = -ENODEV;

	if (nr < 0)
		return -EINVAL;
	mutex_lock(&loops_mutex);
	lo = find(nr);
	if (lo && lo->visible) {
		mutex_lock(&lo->mutex);
		err = lo->file ? -EBUSY : blkdev_unregister(&lo->bd);
		lo->visible = err;
		mutex_unlock(&lo->mutex);
	}
	mutex_unlock(&loops_mutex);
	return err;
}

s64 loop_get_free(void)
{
	struct loop *lo;
	s64 nr = -1;

	mutex_lock(&loops_mutex);
	list_for_each_entry(lo, &loops, node) {
		if (lo->visible && !load_once(&lo->file)) {
			nr = lo->nr;
			break;
		}
	}
	if (nr < 0)
		nr = add(unused_nr());
	mutex_unlock(&loops_mutex);
	return nr;
}

static int loop_init(void)
{
	for (int nr = 0; nr < LOOPS_AT_BOOT; nr++) {
		s64 r = loop_add(nr);

		if (r < 0)
			return (int)r;
	}
	return 0;
}
INITCALL(INIT_LATE, loop_init);
