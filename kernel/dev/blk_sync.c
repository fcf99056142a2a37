/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_sync.c - wait for a bio in a coroutine; the bio slab.
 *
 * The record of a wait lives on the heap and has two owners, the waiter and the
 * end of the bio, because the waiter may see the result and leave while the end
 * is still waking it.
 *
 * ORDERING
 *   BIOEND  of blk_poll.c, its other end.
 *
 * Context: coroutine, no spinlock held.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define SYNC_BYTES (1u << 20) /* of one bio; the core splits it if need be */

struct blk_sync {
	struct bio bio;
	struct waitq wq;
	u32 done; /* [a] BIOEND */
	u32 refs; /* [a] */
};

static struct kmem_cache *bio_cache; /* [I after boot] */

struct bio *bio_alloc(void)
{
	return kmem_cache_zalloc(bio_cache);
}

void bio_free(struct bio *bio)
{
	kmem_cache_free(bio_cache, bio);
}

static void sync_put(struct blk_sync *s)
{
	if (atomic_dec_and_test(&s->refs))
		kfree(s);
}

static void sync_end(struct bio *bio)
{
	struct blk_sync *s = bio->priv;

	/* BIOEND (release) - pairs with blk_wait(). */
	store_release(&s->done, 1u);
	wake_up_all(&s->wq);
	sync_put(s);
}

static int sync_run(struct blkdev *bd, struct blk_sync *s)
{
	u32 op = s->bio.op, nr_sectors = s->bio.nr_sectors;
	int status;

	s->refs = 2;
	waitq_init(&s->wq);
	s->bio.end_io = sync_end;
	s->bio.priv = s;
	blk_submit(bd, &s->bio);
	blk_wait(bd, op, nr_sectors, &s->wq, &s->done);
	status = s->bio.status;
	sync_put(s);
	return status;
}

static int sync_one(struct blkdev *bd, enum bio_op op, u64 sector, void *buf,
		    u32 len)
{
	struct blk_sync *s = kzalloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->bio.op = op;
	s->bio.sector = sector;
	s->bio.nr_sectors = len >> SECTOR_SHIFT;
	if (len) {
		s->bio.nr_segs = 1;
		s->bio.seg[0].addr = buf;
		s->bio.seg[0].len = len;
	}
	return sync_run(bd, s);
}

static int sync_rw(struct blkdev *bd, enum bio_op op, u64 sector, void *buf,
		   size_t len)
{
	u8 *p = buf;

	if (len % SECTOR_SIZE)
		return -EINVAL;
	while (len) {
		u32 n = (u32)min_t(size_t, len, SYNC_BYTES);
		int err = sync_one(bd, op, sector, p, n);

		if (err)
			return err;
		p += n;
		len -= n;
		sector += n >> SECTOR_SHIFT;
	}
	return 0;
}

int blk_read(struct blkdev *bd, u64 sector, void *buf, size_t len)
{
	return sync_rw(bd, BIO_READ, sector, buf, len);
}

int blk_write(struct blkdev *bd, u64 sector, const void *buf, size_t len)
{
	/* BIO_WRITE only reads it */
	return sync_rw(bd, BIO_WRITE, sector, (void *)(uintptr_t)buf, len);
}

int blk_flush(struct blkdev *bd)
{
	return sync_one(bd, BIO_FLUSH, 0, NULL, 0);
}

int blk_range(struct blkdev *bd, enum bio_op op, u64 sector, u32 nr_sectors)
{
	struct blk_sync *s = kzalloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->bio.op = op;
	s->bio.sector = sector;
	s->bio.nr_sectors = nr_sectors;
	return sync_run(bd, s);
}

static int blk_sync_init(void)
{
	bio_cache = kmem_cache_create("bio", sizeof(struct bio), 64);
	return bio_cache ? 0 : -ENOMEM;
}

INITCALL(INIT_CORE, blk_sync_init);
