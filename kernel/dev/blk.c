/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk.c - the way of a bio: check, remap, driver, end.
 *
 *	blk_submit()  check, partition -> whole disk
 *	     |
 *	blk_queue() --> waiting list --> ops->submit()    (blk_run)
 *	     ^                               |
 *	     | room again                    v
 *	bio_done() <---------------------- driver
 *	     |
 *	   end_io()
 *
 * One hart at a time moves bios of a disk from the waiting list to the driver;
 * who comes meanwhile leaves a note (rerun) and goes.  So bios reach the driver
 * in the order of submission, and neither a -EBUSY nor a bio_done() inside
 * ops->submit() recurses.
 *
 * INVARIANTS
 *   I1  end_io() is called exactly once for each blk_submit().
 *   I2  A bio waits only while the driver has others, or a hart dispatches.
 *
 * Locking: blkdev->lock (RANK_BLK), never held over driver or owner code.
 * Not here: the registry (blkdev.c), splitting (blk_split.c), synchronous
 * helpers (blk_sync.c), partitions (partition.c).
 */
#include <kernel/dev/blk.h>

#include <kernel/assert.h>
#include <kernel/dev/blk_core.h>
#include <kernel/hart.h>
#include <kernel/log.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define PLUG_DISKS 4u

/*
 * Doorbells held back.  A hart's plug is open only while the coroutine that
 * opened it runs, so it needs no owner and no lock.
 */
struct plug {
	u32 depth; /* own hart, like all of it */
	u32 nr;	   /* disks in bd[] */
	struct blkdev *bd[PLUG_DISKS];
};

static struct plug plugs[MAX_HARTS];

/* ---- doorbells */

static void plug_ring(struct plug *p)
{
	while (p->nr) {
		struct blkdev *bd = p->bd[--p->nr];

		bd->ops->commit(bd);
	}
}

static void commit(struct blkdev *disk)
{
	struct plug *p = this_hart()->plug;

	if (!disk->ops->commit)
		return;
	if (!p) {
		disk->ops->commit(disk);
		return;
	}
	for (u32 i = 0; i < p->nr; i++) {
		if (p->bd[i] == disk)
			return;
	}
	if (p->nr == PLUG_DISKS)
		plug_ring(p);
	p->bd[p->nr++] = disk;
}

void blk_plug(void)
{
	struct hart *h = this_hart();

	if (!h->plug)
		h->plug = &plugs[h->cpu];
	h->plug->depth++;
}

void blk_plug_end(void)
{
	struct hart *h = this_hart();
	struct plug *p = h->plug;

	h->plug = NULL;
	p->depth = 0;
	plug_ring(p);
}

void blk_unplug(void)
{
	struct plug *p = this_hart()->plug;

	/* none: it ended early */
	if (p && --p->depth == 0)
		blk_plug_end();
}

/* ---- dispatch */

/* Called with the lock held, which it drops around the driver's code. */
static bool dispatch_waiting(struct blkdev *disk)
{
	bool issued = false;

	while (!list_empty(&disk->waiting)) {
		struct bio *bio =
			list_first_entry(&disk->waiting, struct bio, node);
		int r;

		list_del(&bio->node);
		spin_unlock(&disk->lock);
		r = load_once(&disk->broken) ? -EIO
					     : disk->ops->submit(disk, bio);
		if (r && r != -EBUSY)
			bio_done(bio, r);
		issued |= r == 0;
		spin_lock(&disk->lock);
		if (r == -EBUSY) {
			list_add(&bio->node, &disk->waiting);
			break;
		}
	}
	return issued;
}

static void blk_run(struct blkdev *disk)
{
	bool issued = false;

	spin_lock(&disk->lock);
	disk->rerun = true;
	if (disk->dispatching) {
		spin_unlock(&disk->lock);
		return;
	}
	disk->dispatching = true;
	while (disk->rerun) {
		disk->rerun = false;
		issued |= dispatch_waiting(disk);
	}
	disk->dispatching = false;
	spin_unlock(&disk->lock);
	if (issued)
		commit(disk);
}

void blk_queue(struct blkdev *disk, struct bio *bio)
{
	spin_lock(&disk->lock);
	list_add_tail(&bio->node, &disk->waiting);
	spin_unlock(&disk->lock);
	blk_run(disk);
}

static void kick_waiting(struct blkdev *disk)
{
	bool more;

	spin_lock(&disk->lock);
	more = !list_empty(&disk->waiting) || disk->dispatching;
	spin_unlock(&disk->lock);
	if (more)
		blk_run(disk);
}

void blkdev_break(struct blkdev *bd)
{
	store_once(&bd->whole->broken, true);
	kick_waiting(bd->whole);
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

static int check_op(const struct blkdev *disk, const struct bio *bio)
{
	switch (bio->op) {
	case BIO_READ:
	case BIO_FLUSH:
		return 0;
	case BIO_WRITE:
		return disk->read_only ? -EROFS : 0;
	case BIO_DISCARD:
		if (!disk->has_discard)
			return -EOPNOTSUPP;
		return disk->read_only ? -EROFS : 0;
	case BIO_WRITE_ZEROES:
		if (!disk->has_write_zeroes)
			return -EOPNOTSUPP;
		return disk->read_only ? -EROFS : 0;
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
	err = check_op(disk, bio);
	if (!err)
		err = check_range(bd, bio);
	if (!err)
		err = check_segs(bio, disk->block_size);
	return err;
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
	atomic_add_relaxed(&disk->in_flight, 1u);
	if (bd != disk)
		atomic_add_relaxed(&bd->in_flight, 1u);
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

static void account(struct blkdev *bd, const struct bio *bio, u64 ns)
{
	u32 kind = is_data(bio) ? bio->op : 2;

	STATIC_ASSERT(BIO_READ == 0 && BIO_WRITE == 1, "stat_ios[]");
	atomic_add_relaxed(&bd->stat_ios[kind], 1ull);
	atomic_add_relaxed(&bd->stat_sectors[kind], (u64)bio->nr_sectors);
	atomic_add_relaxed(&bd->stat_ns[kind], ns);
	/* relaxed: a late store costs a millisecond until the next one */
	store_once(&bd->stat_ms[kind], bd->stat_ns[kind] / NSEC_PER_MSEC);
	atomic_add_relaxed(&bd->in_flight, (u32)-1);
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

void bio_done(struct bio *bio, int status)
{
	struct blkdev *bd = bio->dev;
	struct blkdev *disk = bd->whole;
	u64 ns;

	KASSERT(status <= 0);
	if (bio->flags & BIO_PIECE) {
		bio->status = status;
		bio->end_io(bio);
		kick_waiting(disk);
		return;
	}
	if (fua_step(disk, bio, status)) {
		kick_waiting(disk);
		return;
	}
	KASSERT(bio->flags & BIO_PART);
	bio->flags &= ~(u32)BIO_PART;
	if (unlikely(status)) {
		bio->status = status;
		report_error(disk, bio);
	}
	bio->sector -= bd->start_sector;
	bio->status = status;
	ns = clock_mono_ns() - bio->start_ns;
	account(disk, bio, ns);
	if (bd != disk)
		account(bd, bio, ns);
	bio->end_io(bio);
	kick_waiting(disk);
}
