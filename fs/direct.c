/* SPDX-License-Identifier: MIT */
/*
 * fs/direct.c - O_DIRECT; see direct.h.
 *
 * A struct dio is one call.  Its bios are started while the buffer is walked, behind
 * a plug; each holds the pages of its segments and lets go of them when it ends.
 * The last one of them and the submitter, who counts as one, finishes the call.
 *
 * INVARIANTS
 *   I1  A page has one reference for each segment that it is in.
 *   I2  `pending` counts the bios that were started and not ended, and the submitter
 *	 until he has started all.
 *
 * ORDERING
 *   DIOEND  result of the bios before `pending` becomes 0.
 *   BIOEND  of kernel/dev/blk_poll.c, its other end.
 */
#include <fs/direct.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>
#include <lib/errno.h>

struct dio {
	struct bio first; /* most calls need one only */
	struct blkdev *bd;
	struct aio_req *req; /* NULL: somebody waits */
	u32 pending;	     /* [a] I2 */
	u32 refs;	     /* [a] waiter and end, when somebody waits */
	u32 done;	     /* [a] BIOEND */
	int error;	     /* [a] of some bio */
	u64 bytes; /* submitter's: in bios that were started, or zeroed */
	struct waitq wq;
};

/* What the submitter is just filling. */
struct walk {
	struct dio *d;
	struct bio *bio; /* NULL: none */
	struct direct_run run;
	u64 max_bytes; /* of a bio */
	u32 max_segs;
	u32 max_seg_bytes;
	bool write, durable, first_used;
};

static struct kmem_cache *dio_cache; /* [I after boot] */

/* ---- end */

static void put_pages(const struct bio *bio)
{
	for (u32 i = 0; i < bio->nr_segs; i++) {
		u64 a = (u64)bio->seg[i].addr & PAGE_MASK;
		u64 end = (u64)bio->seg[i].addr + bio->seg[i].len;

		for (; a < end; a += PAGE_SIZE)
			page_put(addr_page((void *)a));
	}
}

static void dio_put(struct dio *d)
{
	if (atomic_dec_and_test(&d->refs))
		kmem_cache_free(dio_cache, d);
}

static void finish(struct dio *d)
{
	struct aio_req *req = d->req;
	s64 res = load_once(&d->error);

	if (req) {
		if (!res)
			res = (s64)d->bytes;
		kmem_cache_free(dio_cache, d);
		req->end(req, res);
		return;
	}
	/* BIOEND (release) - pairs with blk_wait(). */
	store_release(&d->done, 1u);
	wake_up_all(&d->wq);
	dio_put(d);
}

static void drop_pending(struct dio *d)
{
	/* DIOEND (full) - pairs with itself: the last one sees all. */
	if (atomic_dec_and_test(&d->pending))
		finish(d);
}

static void bio_ended(struct bio *bio)
{
	struct dio *d = bio->priv;

	put_pages(bio);
	if (unlikely(bio->status))
		store_once(&d->error, bio->status);
	if (bio != &d->first)
		bio_free(bio);
	drop_pending(d);
}

/* ---- walk */

static void start(struct walk *w)
{
	struct bio *bio = w->bio;

	if (!bio)
		return;
	w->bio = NULL;
	w->d->bytes += (u64)bio->nr_sectors << SECTOR_SHIFT;
	atomic_inc(&w->d->pending);
	blk_submit(w->d->bd, bio);
}

static int new_bio(struct walk *w)
{
	struct bio *bio = w->first_used ? bio_alloc() : &w->d->first;

	if (!bio)
		return -ENOMEM;
	w->first_used = true;
	bio->op = w->write ? BIO_WRITE : BIO_READ;
	bio->flags = w->durable ? BIO_FUA : 0;
	bio->sector = w->run.sector;
	bio->nr_sectors = bio->nr_segs = 0;
	bio->end_io = bio_ended;
	bio->priv = w->d;
	w->bio = bio;
	return 0;
}

/* The device may write into it behind everybody's back. */
static bool may_pin(const struct page *pg, bool write)
{
	return write ||
	       (load_once(&pg->flags) & (PG_CACHE | PG_SHMEM)) != PG_CACHE;
}

static bool joins(const struct walk *w, const struct bio_seg *last,
		  const void *addr, u32 len)
{
	return (u8 *)last->addr + last->len == addr &&
	       last->len + len <= w->max_seg_bytes;
}

/* @len bytes at @addr, in one page of which we have a reference. */
static void add_seg(struct walk *w, struct page *pg, void *addr, u32 len)
{
	struct bio *bio = w->bio;
	struct bio_seg *last =
		bio->nr_segs ? &bio->seg[bio->nr_segs - 1] : NULL;

	if (last && joins(w, last, addr, len)) {
		if ((u64)addr & (PAGE_SIZE - 1))
			page_put(pg); /* I1: it is in this segment already */
		last->len += len;
	} else {
		bio->seg[bio->nr_segs].addr = addr;
		bio->seg[bio->nr_segs++].len = len;
	}
	bio->nr_sectors += len >> SECTOR_SHIFT;
}

/* The next piece, within a page and a run.  Bytes taken, or -errno. */
static s64 add_piece(struct walk *w, uaddr_t a, u64 max)
{
	u64 off = a & (PAGE_SIZE - 1), n = min(max, (u64)PAGE_SIZE - off);
	struct page *pg;
	int err;

	n = min(n, w->run.bytes);
	if (w->bio &&
	    (w->bio->nr_segs == w->max_segs ||
	     ((u64)w->bio->nr_sectors << SECTOR_SHIFT) + n > w->max_bytes))
		start(w);
	err = user_get_page(a, !w->write, &pg);
	if (err)
		return err;
	if (!may_pin(pg, w->write)) {
		page_put(pg);
		return -ENOTBLK;
	}
	err = w->bio ? 0 : new_bio(w);
	if (err) {
		page_put(pg);
		return err;
	}
	add_seg(w, pg, (char *)page_addr(pg) + off, (u32)n);
	w->run.sector += n >> SECTOR_SHIFT;
	return (s64)n;
}

static s64 add_hole(struct walk *w, struct iov_iter *it)
{
	size_t n = (size_t)min(w->run.bytes, (u64)iov_iter_count(it)), done;

	if (w->write)
		return -ENOTBLK;
	start(w);
	done = zero_iter(n, it);
	w->d->bytes += done;
	return done == n ? (s64)n : -EFAULT;
}

static s64 step(struct walk *w, struct iov_iter *it)
{
	uaddr_t at = 0;
	size_t len;
	s64 n;

	if (w->run.hole)
		return add_hole(w, it);
	len = iov_iter_piece(it, &at);
	n = len ? add_piece(w, at, len) : -EFAULT;
	if (n > 0)
		iov_iter_advance(it, (size_t)n);
	return n;
}

/* Start bios for all of @it; 0, or why it ended early. */
static int walk_all(struct walk *w, struct iov_iter *it, u64 pos,
		    direct_map_fn *map, void *ctx)
{
	while (iov_iter_count(it)) {
		s64 n;

		if (!w->run.bytes) {
			u64 next = w->run.sector;
			int err = map(ctx, pos, iov_iter_count(it), &w->run);

			if (err)
				return err;
			if (w->bio && (w->run.hole || w->run.sector != next))
				start(w);
		}
		n = step(w, it);
		if (n < 0)
			return (int)n;
		pos += (u64)n;
		w->run.bytes -= (u64)n;
	}
	return 0;
}

/* ---- the call */

bool direct_aligned(const struct iov_iter *it, u64 pos, u32 align)
{
	u64 bits = pos | it->count | it->seg_off;

	if (!it->is_user)
		return false;
	for (unsigned int i = 0; i < it->nr_iov; i++)
		bits |= it->iov[i].base | it->iov[i].len;
	return (bits & (align - 1)) == 0;
}

int direct_begin(struct mapping *m, u64 pos, u64 len, bool write)
{
	int err;

	if (!load_once(&m->nr_pages))
		return 0;
	/* Also when nothing is dirty any more: what somebody else has on its way
	 * to the disk would arrive there after us. */
	err = mapping_sync(m, pos, pos + len, true);
	if (!err)
		direct_end(m, pos, len, write);
	return err;
}

void direct_end(struct mapping *m, u64 pos, u64 len, bool write)
{
	u64 first = pos >> PAGE_SHIFT;
	u64 end = DIV_ROUND_UP(pos + len, PAGE_SIZE);

	if (!write || !load_once(&m->nr_pages))
		return;
	if (!list_empty(&m->vmas))
		mapping_unmap_user(m, first, end);
	(void)mapping_invalidate(m, first, end);
}

static s64 wait_done(struct dio *d, int err)
{
	s64 res;

	/* @d is ours, too, until dio_put() */
	blk_wait(d->bd, d->first.op, d->first.nr_sectors, &d->wq, &d->done);
	res = d->error ? d->error : d->bytes ? (s64)d->bytes : err;
	dio_put(d);
	return res;
}

s64 direct_io(struct blkdev *bd, struct iov_iter *it, u64 pos, bool write,
	      bool durable, direct_map_fn *map, void *ctx, struct aio_req *req)
{
	struct blkdev *disk = bd->whole;
	struct dio *d = kmem_cache_alloc(dio_cache);
	struct walk w = { .d = d, .write = write, .durable = durable };
	int err;

	if (!d)
		return -ENOMEM;
	if (write)
		current->io.write_bytes += iov_iter_count(it);
	else
		current->io.read_bytes += iov_iter_count(it);
	d->bd = bd;
	d->req = req;
	d->pending = 1;
	d->refs = 2;
	d->done = 0;
	d->error = 0;
	d->bytes = 0;
	waitq_init(&d->wq);
	w.max_segs = disk->max_segs ? min(disk->max_segs, BIO_MAX_SEGS)
				    : BIO_MAX_SEGS;
	w.max_seg_bytes = disk->max_seg_bytes ? disk->max_seg_bytes : 1u << 20;
	w.max_bytes = disk->max_sectors ? (u64)disk->max_sectors << SECTOR_SHIFT
					: 1u << 20;
	blk_plug();
	err = walk_all(&w, it, pos, map, ctx);
	start(&w);
	blk_unplug();
	if (req && !d->bytes) {
		kmem_cache_free(dio_cache, d); /* nothing was started */
		return err;
	}
	drop_pending(d);
	return req ? -EIOCBQUEUED : wait_done(d, err);
}

static int direct_init(void)
{
	dio_cache = kmem_cache_create("dio", sizeof(struct dio), 64);
	return dio_cache ? 0 : -ENOMEM;
}

INITCALL(INIT_CORE, direct_init);
