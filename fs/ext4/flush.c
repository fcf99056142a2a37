/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/flush.c - write dirty metadata blocks to the disk.
 *
 * Blocks are copied in batches into a buffer of their own while sbi->barrier
 * keeps all handles out (buf.h B3), then written in ascending order, so that
 * neighbours become one request.  The copy is short; the transfer runs beside
 * new operations.
 *
 * ORDERING
 *   FLUSHED  status of the batch's transfers before the last one's count.
 *
 * Locking: sbi->flush_lock over a whole write-out.
 */
#include <fs/ext4/flush.h>

#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <lib/atomic.h>
#include <lib/sort.h>
#include <kernel/mm/kmalloc.h>

#define BATCH	       64u
#define FLUSH_DELAY_NS (5 * NSEC_PER_SEC)

enum {
	FLUSHER_NONE,
	FLUSHER_RUN,
	FLUSHER_STOP,
};

struct ext4_batch {
	struct ext4_buf *buf[BATCH]; /* [flush_lock] */
	u32 nr;			     /* [flush_lock] */
	u8 *copy;		     /* [flush_lock] BATCH blocks */
	u32 in_flight;		     /* [a] */
	int status;		     /* [a] first error */
};

bool ext4_bio_add(struct ext4_sb *sbi, struct bio *bio, void *addr, u32 len)
{
	u32 first = (u32)min_t(u64, len,
			       PAGE_SIZE - ((uintptr_t)addr & (PAGE_SIZE - 1)));
	u32 need = 1 + DIV_ROUND_UP(len - first, (u32)PAGE_SIZE);
	u32 max_segs = min(sbi->bdev->max_segs, BIO_MAX_SEGS);
	u8 *p = addr;

	if (bio->nr_segs &&
	    (bio->nr_segs + need > max_segs ||
	     bio->nr_sectors + (len >> SECTOR_SHIFT) > sbi->bdev->max_sectors))
		return false;
	bio->nr_sectors += len >> SECTOR_SHIFT;
	while (len) {
		bio->seg[bio->nr_segs].addr = p;
		bio->seg[bio->nr_segs].len = first;
		bio->nr_segs++;
		p += first;
		len -= first;
		first = (u32)min_t(u64, len, PAGE_SIZE);
	}
	return true;
}

static int by_block(const void *a, const void *b)
{
	const struct ext4_buf *x = *(struct ext4_buf *const *)a;
	const struct ext4_buf *y = *(struct ext4_buf *const *)b;

	return x->blk < y->blk ? -1 : x->blk > y->blk;
}

/* Sums of bitmaps live in descriptors: make them before those are copied. */
static void bitmap_sums(struct ext4_sb *sbi)
{
	struct ext4_buf *b;

	/* The barrier keeps everybody out who could change the list but for
	 * ext4_buf_mark_dirty() below us, which appends. */
	list_for_each_entry(b, &sbi->buf_dirty, dirty) {
		if ((b->kind == EXT4_KIND_BLOCK_MAP ||
		     b->kind == EXT4_KIND_INODE_MAP) &&
		    (load_once(&b->flags) & BUF_STALE))
			ext4_buf_csum_set(sbi, b);
	}
}

/* Move up to a batch from the dirty list. */
static void take(struct ext4_sb *sbi, struct ext4_batch *ba)
{
	struct ext4_buf *b;

	ba->nr = 0;
	spin_lock(&sbi->buf_lock);
	while (ba->nr < BATCH && !list_empty(&sbi->buf_dirty)) {
		b = list_first_entry(&sbi->buf_dirty, struct ext4_buf, dirty);
		list_del(&b->dirty);
		sbi->nr_dirty--;
		atomic_fetch_or(&b->flags, (u32)BUF_WRITING);
		atomic_fetch_and(&b->flags, (u32)~BUF_DIRTY);
		ba->buf[ba->nr++] = b;
	}
	spin_unlock(&sbi->buf_lock);
	sort(ba->buf, ba->nr, sizeof(ba->buf[0]), by_block);
}

static void snapshot(struct ext4_sb *sbi, struct ext4_batch *ba)
{
	u32 i;

	down_write(&sbi->barrier);
	ext4_super_fill(sbi);
	bitmap_sums(sbi);
	take(sbi, ba);
	for (i = 0; i < ba->nr; i++) {
		if (load_once(&ba->buf[i]->flags) & BUF_STALE)
			ext4_buf_csum_set(sbi, ba->buf[i]);
		memcpy(ba->copy + (size_t)i * sbi->block_size, ba->buf[i]->data,
		       sbi->block_size);
	}
	up_write(&sbi->barrier);
}

/* Loop context. */
static void write_done(struct bio *bio)
{
	struct ext4_sb *sbi = bio->priv;
	struct ext4_batch *ba = sbi->batch;

	if (bio->status)
		store_once(&ba->status, bio->status);
	bio_free(bio);
	/* FLUSHED (full) - pairs with write_batch(). */
	atomic_dec(&ba->in_flight);
	wake_up_all(&sbi->buf_wait);
	atomic_dec(&sbi->buf_io);
}

static void submit(struct ext4_sb *sbi, struct bio *bio)
{
	atomic_inc(&sbi->buf_io);
	atomic_inc(&sbi->batch->in_flight);
	blk_submit(sbi->bdev, bio);
}

static struct bio *new_bio(struct ext4_sb *sbi, u64 blk)
{
	struct bio *bio = bio_alloc();

	if (!bio)
		return NULL;
	bio->op = BIO_WRITE;
	bio->sector = blk << (sbi->block_bits - SECTOR_SHIFT);
	bio->end_io = write_done;
	bio->priv = sbi;
	return bio;
}

static void write_batch(struct ext4_sb *sbi, struct ext4_batch *ba)
{
	struct bio *bio = NULL;
	u64 next = 0;
	u32 i;

	blk_plug();
	for (i = 0; i < ba->nr; i++) {
		u64 blk = ba->buf[i]->blk;
		void *p = ba->copy + (size_t)i * sbi->block_size;

		if (bio && (blk != next ||
			    !ext4_bio_add(sbi, bio, p, sbi->block_size))) {
			submit(sbi, bio);
			bio = NULL;
		}
		if (!bio) {
			bio = new_bio(sbi, blk);
			if (!bio) {
				store_once(&ba->status, -ENOMEM);
				break;
			}
			ext4_bio_add(sbi, bio, p, sbi->block_size);
		}
		next = blk + 1;
	}
	if (bio)
		submit(sbi, bio);
	blk_unplug();
	/* FLUSHED (acquire) - pairs with write_done(). */
	wait_event(&sbi->buf_wait, !load_acquire(&ba->in_flight));
}

static void release_batch(struct ext4_sb *sbi, struct ext4_batch *ba, int err)
{
	u32 i;

	for (i = 0; i < ba->nr; i++) {
		/* Out of memory only: it stays to be written. */
		if (err == -ENOMEM)
			ext4_buf_mark_dirty(ba->buf[i]);
		atomic_fetch_and(&ba->buf[i]->flags, (u32)~BUF_WRITING);
		ext4_buf_put(ba->buf[i]);
	}
	wake_up_all(&sbi->buf_wait);
}

static int flush_once(struct ext4_sb *sbi)
{
	struct ext4_batch *ba = sbi->batch;
	int err;

	ba->status = 0;
	snapshot(sbi, ba);
	if (!ba->nr)
		return 0;
	write_batch(sbi, ba);
	err = ba->status;
	release_batch(sbi, ba, err);
	return err;
}

int ext4_bufs_flush(struct ext4_sb *sbi, bool wait)
{
	u32 todo;
	int err = 0;

	mutex_lock(&sbi->flush_lock);
	/* What gets dirty meanwhile is not ours; descriptors and the super
	 * block may join, hence the extra batch. */
	todo = sbi->nr_dirty / BATCH + 2;
	while (todo-- && sbi->nr_dirty && !err)
		err = flush_once(sbi);
	if (wait && !err && sbi->bdev->has_flush)
		err = blk_flush(sbi->bdev);
	mutex_unlock(&sbi->flush_lock);
	if (err && err != -ENOMEM)
		ext4_error(sbi, 0, "cannot write metadata: %d", err);
	return err;
}

static void flusher(void *arg)
{
	struct ext4_sb *sbi = arg;

	for (;;) {
		wait_event(&sbi->flusher_wait,
			   sbi->nr_dirty || load_once(&sbi->flusher_state) ==
						    FLUSHER_STOP);
		(void)wait_event_timeout(&sbi->flusher_wait,
					 load_once(&sbi->flusher_state) ==
						 FLUSHER_STOP,
					 clock_mono_ns() + FLUSH_DELAY_NS);
		if (load_once(&sbi->flusher_state) == FLUSHER_STOP)
			break;
		(void)ext4_bufs_flush(sbi, false);
	}
	store_once(&sbi->flusher_state, FLUSHER_NONE);
	wake_up_all(&sbi->flusher_wait);
	atomic_dec(&sbi->buf_io); /* the last touch, see ext4_bufs_destroy() */
}

int ext4_flush_init(struct ext4_sb *sbi)
{
	sbi->batch = kzalloc(sizeof(*sbi->batch));
	if (!sbi->batch)
		return -ENOMEM;
	sbi->batch->copy =
		alloc_pages_exact((size_t)BATCH * sbi->block_size, 0);
	if (!sbi->batch->copy) {
		kfree(sbi->batch);
		sbi->batch = NULL;
		return -ENOMEM;
	}
	return 0;
}

void ext4_flush_destroy(struct ext4_sb *sbi)
{
	if (!sbi->batch)
		return;
	free_pages_exact(sbi->batch->copy, (size_t)BATCH * sbi->block_size);
	kfree(sbi->batch);
	sbi->batch = NULL;
}

/* No thread, no write-out on its own: sync still works. */
void ext4_flusher_start(struct ext4_sb *sbi)
{
	if (load_once(&sbi->flusher_state) != FLUSHER_NONE)
		return;
	store_once(&sbi->flusher_state, FLUSHER_RUN);
	atomic_inc(&sbi->buf_io);
	if (!kthread_create("ext4-flush", flusher, sbi)) {
		atomic_dec(&sbi->buf_io);
		store_once(&sbi->flusher_state, FLUSHER_NONE);
		pr_warn("ext4: no flusher thread");
	}
}

void ext4_flusher_stop(struct ext4_sb *sbi)
{
	if (load_once(&sbi->flusher_state) == FLUSHER_NONE)
		return;
	store_once(&sbi->flusher_state, FLUSHER_STOP);
	wake_up_all(&sbi->flusher_wait);
	wait_event(&sbi->flusher_wait,
		   load_once(&sbi->flusher_state) == FLUSHER_NONE);
}
