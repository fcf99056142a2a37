/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk.c - the way of a bio: check, remap, driver, end.
 *
 *	blk_submit()  check, partition -> whole disk
 *	     |
 *	blk_queue() --> its process's flow --> merge --> ops->submit()
 *	     ^                                               |
 *	     | room again                                    v
 *	bio_done() <-------------------------------------- driver
 *	     |
 *	   end_io()
 *
 * INVARIANTS
 *   I1  end_io() is called exactly once for each blk_submit().
 *
 * Locking: none here.
 * Not here: queues, fairness, plugs (blk_queue.c), merging (blk_merge.c), splitting
 * (blk_split.c), waiting (blk_sync.c, blk_poll.c), the registry (blkdev.c).
 */
#include <kernel/dev/blk.h>

#include <kernel/assert.h>
#include <kernel/dev/blk_core.h>
#include <kernel/log.h>
#include <kernel/mm/page.h>
#include <kernel/sched/thread.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

void blkdev_break(struct blkdev *bd)
{
	store_once(&bd->whole->broken, true);
	blk_queues_run(bd->whole);
}

void blkdev_kick(struct blkdev *bd)
{
	blk_queues_run(bd->whole);
}

/* ---- submit */

static bool is_data(const struct bio *bio)
{
	return bio->op == BIO_READ || bio->op == BIO_WRITE;
}

/* The segments' bytes are ours to get right; their sum is the request's. */
static int check_segs(const struct bio *bio, u32 block_size)
{
	u64 bytes = 0;

	KASSERT(bio->nr_segs <= BIO_MAX_SEGS);
	for (u32 i = 0; i < bio->nr_segs; i++) {
		const struct bio_seg *s = &bio->seg[i];

		KASSERT(s->len && is_direct_map(s->addr) &&
			is_direct_map((const u8 *)s->addr + s->len - 1));
		if (s->len % block_size)
			return -EINVAL;
		bytes += s->len;
	}
	if (is_data(bio) && bytes != (u64)bio->nr_sectors << SECTOR_SHIFT)
		return -EINVAL;
	return is_data(bio) || !bio->nr_segs ? 0 : -EINVAL;
}

static int check_range(const struct blkdev *bd, const struct bio *bio)
{
	u32 spb = bd->whole->block_size >> SECTOR_SHIFT;

	if (bio->op == BIO_FLUSH)
		return bio->nr_sectors ? -EINVAL : 0;
	if (!bio->nr_sectors || bio->sector % spb || bio->nr_sectors % spb)
		return -EINVAL;
	if (bio->sector >= bd->nr_sectors ||
	    bio->nr_sectors > bd->nr_sectors - bio->sector)
		return -EIO;
	return 0;
}

static int check_op(const struct blkdev *bd, const struct bio *bio)
{
	const struct blkdev *disk = bd->whole;

	switch (bio->op) {
	case BIO_READ:
	case BIO_FLUSH:
		return 0;
	case BIO_WRITE:
		return blkdev_read_only(bd) ? -EROFS : 0;
	case BIO_DISCARD:
		if (!disk->has_discard)
			return -EOPNOTSUPP;
		return blkdev_read_only(bd) ? -EROFS : 0;
	case BIO_WRITE_ZEROES:
		if (!disk->has_write_zeroes)
			return -EOPNOTSUPP;
		return blkdev_read_only(bd) ? -EROFS : 0;
	default:
		return -EINVAL;
	}
}

static int check_bio(const struct blkdev *bd, const struct bio *bio)
{
	const struct blkdev *disk = bd->whole;
	int err;

	if (load_once(&disk->broken))
		return -EIO;
	err = check_op(bd, bio);
	if (!err)
		err = check_range(bd, bio);
	if (!err)
		err = check_segs(bio, disk->block_size);
	return err;
}

/* Processes share a disk fairly; kernel threads count as processes. */
static u32 flow_of_current(void)
{
	const struct thread *t = current;

	if (!t)
		return 0;
	return (u32)(t->proc ? t->proc->pid : t->tid);
}

static void begin(struct blkdev *bd, u64 now)
{
	/* relaxed, as all statistics: who is first may be seen a little late */
	if (atomic_fetch_add(&bd->in_flight, 1u) == 0)
		store_once(&bd->busy_since, now);
}

void blk_submit(struct blkdev *bd, struct bio *bio)
{
	struct blkdev *disk = bd->whole;
	int err;

	KASSERT(bio->end_io && !(bio->flags & ~(u32)BIO_FUA));
	bio->dev = bd;
	err = check_bio(bd, bio);
	if (err) {
		bio->status = err;
		bio->end_io(bio);
		return;
	}
	bio->start_ns = clock_mono_ns();
	bio->flow = flow_of_current();
	begin(disk, bio->start_ns);
	if (bd != disk)
		begin(bd, bio->start_ns);
	bio->sector += bd->start_sector;
	bio->flags |= BIO_PART;
	if (bio->op == BIO_FLUSH && !disk->has_flush)
		bio_done(bio, 0);
	else if (blk_must_split(disk, bio))
		blk_split(disk, bio);
	else
		blk_queue(disk, bio);
}

/* ---- end */

static u32 stat_kind(const struct bio *bio)
{
	switch (bio->op) {
	case BIO_READ:
		return 0;
	case BIO_WRITE:
		return 1;
	case BIO_FLUSH:
		return 3;
	default:
		return 2;
	}
}

static void account(struct blkdev *bd, const struct bio *bio, u64 now)
{
	u32 kind = stat_kind(bio);

	atomic_add_relaxed(&bd->stat_ios[kind], 1ull);
	atomic_add_relaxed(&bd->stat_sectors[kind], (u64)bio->nr_sectors);
	atomic_add_relaxed(&bd->stat_ns[kind], now - bio->start_ns);
	if (atomic_fetch_add(&bd->in_flight, (u32)-1) == 1)
		atomic_add_relaxed(&bd->busy_ns,
				   now - load_once(&bd->busy_since));
}

static void report_error(const struct blkdev *disk, const struct bio *bio)
{
	static const char *const name[] = { "read", "write", "flush", "discard",
					    "write zeroes" };

	if (bio->status == -EIO)
		pr_warn_ratelimited("%s: %s of %u sectors at %llu: I/O error",
				    disk->name, name[bio->op], bio->nr_sectors,
				    (unsigned long long)bio->sector);
}

/* A FUA write to a disk that cannot: now flush.  True when not over yet. */
static bool fua_step(struct blkdev *disk, struct bio *bio, int status)
{
	if (bio->flags & BIO_FLUSHES) {
		bio->flags &= ~(u32)BIO_FLUSHES;
		bio->op = BIO_WRITE;
		bio->nr_segs = bio->fua_segs;
		bio->nr_sectors = bio->fua_sectors;
		return false;
	}
	if (status || bio->op != BIO_WRITE || !(bio->flags & BIO_FUA) ||
	    disk->has_fua || !disk->has_flush)
		return false;
	bio->flags |= BIO_FLUSHES;
	bio->op = BIO_FLUSH;
	bio->fua_segs = bio->nr_segs;
	bio->fua_sectors = bio->nr_sectors;
	bio->nr_segs = bio->nr_sectors = 0;
	blk_queue(disk, bio);
	return true;
}

static void done(struct bio *bio, int status)
{
	struct blkdev *bd = bio->dev;
	struct blkdev *disk = bd->whole;
	u64 now;

	if (bio->flags & BIO_PIECE) {
		bio->status = status;
		bio->end_io(bio);
		return;
	}
	if (fua_step(disk, bio, status))
		return;
	KASSERT(bio->flags & BIO_PART);
	bio->flags &= ~(u32)(BIO_PART | BIO_ALONE);
	bio->status = status;
	if (unlikely(status))
		report_error(disk, bio);
	bio->sector -= bd->start_sector;
	now = clock_mono_ns();
	account(disk, bio, now);
	if (bd != disk)
		account(bd, bio, now);
	bio->end_io(bio);
}

void bio_done(struct bio *bio, int status)
{
	struct blkdev *disk = bio->dev->whole;
	bool issued = bio->flags & BIO_ISSUED;
	u32 hwq = bio->hwq;

	KASSERT(status <= 0);
	bio->flags &= ~(u32)BIO_ISSUED;
	done(bio, status); /* the bio is its owner's now */
	if (issued)
		blk_queue_ended(disk, hwq);
}
