/* SPDX-License-Identifier: MIT */
/*
 * fs/loop/loop_io.c - the worker of a loop device; see loop.h for what it may
 * wait for.
 *
 * Reads and writes go through the page cache of the file, so that whoever reads the
 * file sees what was written to the device.  With LO_FLAGS_DIRECT_IO what was moved
 * is written at once and dropped, so that memory has it once and not twice.
 *
 * A flush is fdatasync() of the file, a discard a hole.
 */
#include <fs/loop/loop.h>

#include <kernel/assert.h>
#include <kernel/file/iov.h>
#include <kernel/mm/pagecache.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define FALLOC_KEEP_SIZE  1
#define FALLOC_PUNCH_HOLE 2
#define NO_MEMORY_TRIES	  1000u
#define NO_MEMORY_NS	  (10 * NSEC_PER_MSEC)

enum loop_worker {
	WORKER_NONE,
	WORKER_RUN,
	WORKER_STOP,
};

/* --- one bio; lo->io is held */

/* Until there may be memory again.  False: that has taken too long. */
static bool memory_again(struct loop *lo, u32 *tries)
{
	if (++*tries > NO_MEMORY_TRIES)
		return false;
	(void)mapping_sync(vfs_mapping(lo->file), 0, ~0ull, true);
	(void)sleep_until_ns(clock_mono_ns() + NO_MEMORY_NS, false);
	return true;
}

/* @len bytes at *pos; a file that has become too short reads as zeroes. */
static int move_segment(struct loop *lo, u8 *addr, size_t len, u64 *pos,
			bool write)
{
	struct file *f = lo->file;
	u32 tries = 0;

	while (len) {
		struct iov_iter it;
		s64 n;

		iov_iter_kernel(&it, addr, len);
		it.rwf = IOV_NOAPPEND;
		n = write ? f->ops->write(f, &it, pos)
			  : f->ops->read(f, &it, pos);
		if (n == -ENOMEM && memory_again(lo, &tries))
			continue;
		if (n < 0 || (write && !n))
			return n == -ENOSPC ? -ENOSPC : -EIO;
		if (!n) {
			memset(addr, 0, len);
			n = (s64)len;
			*pos += len;
		}
		addr += n;
		len -= (size_t)n;
	}
	return 0;
}

static int move(struct loop *lo, const struct bio *bio, u64 start)
{
	struct mapping *m = vfs_mapping(lo->file);
	bool write = bio->op == BIO_WRITE;
	u64 pos = start;
	int err = 0;

	for (u32 i = 0; i < bio->nr_segs && !err; i++)
		err = move_segment(lo, bio->seg[i].addr, bio->seg[i].len, &pos,
				   write);
	if (err)
		return err;
	if (lo->flags & LO_FLAGS_DIRECT_IO) {
		if (write)
			err = mapping_sync(m, start, pos, true);
		(void)mapping_invalidate(m, start >> PAGE_SHIFT,
					 DIV_ROUND_UP(pos, PAGE_SIZE));
	} else if (write && writeback_pressed()) {
		(void)mapping_sync(m, 0, ~0ull, true); /* W1 */
	}
	return err;
}

static int serve(struct loop *lo, const struct bio *bio)
{
	u64 pos = lo->offset + (bio->sector << SECTOR_SHIFT);
	struct file *f = lo->file;

	switch (bio->op) {
	case BIO_READ:
	case BIO_WRITE:
		return move(lo, bio, pos);
	case BIO_FLUSH:
		return f->ops->fsync ? f->ops->fsync(f, true) : 0;
	default: /* discarding and zeroing */
		return f->ops->fallocate(f,
					 FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE,
					 pos,
					 (u64)bio->nr_sectors << SECTOR_SHIFT);
	}
}

/* --- the thread */

static struct bio *next_bio(struct loop *lo)
{
	struct bio *bio;

	spin_lock(&lo->lock);
	bio = list_first_entry_or_null(&lo->queue, struct bio, node);
	if (bio)
		list_del(&bio->node);
	spin_unlock(&lo->lock);
	return bio;
}

static bool has_news(struct loop *lo)
{
	return !list_empty(&lo->queue) || load_once(&lo->worker) == WORKER_STOP;
}

/* Nothing is queued, and nothing will be. */
static bool may_end(struct loop *lo)
{
	bool yes;

	spin_lock(&lo->lock);
	yes = lo->worker == WORKER_STOP && list_empty(&lo->queue);
	spin_unlock(&lo->lock);
	return yes;
}

static void worker(void *arg)
{
	struct loop *lo = arg;
	struct bio *bio;

	while (!may_end(lo)) {
		wait_event(&lo->wq, has_news(lo));
		while ((bio = next_bio(lo))) {
			int err;

			mutex_lock(&lo->io);
			err = serve(lo, bio);
			mutex_unlock(&lo->io);
			bio_done(bio, err);
			cond_resched();
		}
	}
	spin_lock(&lo->lock);
	store_once(&lo->worker, WORKER_NONE);
	spin_unlock(&lo->lock);
	wake_up_all(&lo->wq); /* devices stay: @lo is there */
}

int loop_worker_start(struct loop *lo)
{
	store_once(&lo->worker, WORKER_RUN);
	if (kthread_create(lo->bd.name, worker, lo))
		return 0;
	store_once(&lo->worker, WORKER_NONE);
	return -ENOMEM;
}

void loop_worker_stop(struct loop *lo)
{
	spin_lock(&lo->lock);
	store_once(&lo->worker, WORKER_STOP);
	spin_unlock(&lo->lock);
	wake_up_all(&lo->wq);
	wait_event(&lo->wq, load_once(&lo->worker) == WORKER_NONE);
}

int loop_submit(struct blkdev *bd, struct bio *bio)
{
	struct loop *lo = loop_of(bd);
	bool bound;

	spin_lock(&lo->lock);
	bound = lo->worker == WORKER_RUN;
	if (bound)
		list_add_tail(&bio->node, &lo->queue);
	spin_unlock(&lo->lock);
	if (!bound)
		return -EIO;
	wake_up_all(&lo->wq);
	return 0;
}
