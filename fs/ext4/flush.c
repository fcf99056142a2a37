/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/flush.c - write metadata blocks to their places.
 *
 * Of a volume without journal, dirty blocks are copied in batches into a
 * buffer of their own while sbi->barrier keeps all handles out (buf.h B3),
 * then written in ascending order, so that neighbours become one request.  The
 * copy is short; the transfer runs beside new operations.
 *
 * ORDERING
 *   FLUSHED  status of a transfer before the count of those under way.
 *
 * Locking: sbi->flush_lock over a whole write-out.
 * Not here: when it is done (flusher.c, file.c), the journal's way.
 */
#include <fs/ext4/flush.h>

#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <lib/atomic.h>
#include <lib/sort.h>
#include <kernel/mm/kmalloc.h>

#define BATCH 64u

struct ext4_batch {
	struct ext4_buf *buf[BATCH]; /* [flush_lock] */
	u32 nr;			     /* [flush_lock] */
	u8 *copy;		     /* [flush_lock] BATCH blocks */
};

/* --- writing a list of buffers */

/* In the waiter's frame; not touched any more when in_flight is 0. */
struct transfer {
	struct ext4_sb *sbi;
	u32 in_flight; /* [a] requests, and one while they are made */
	int status;    /* [a] an error of one of them */
};

static int by_block(const void *a, const void *b)
{
	const struct ext4_buf *x = *(struct ext4_buf *const *)a;
	const struct ext4_buf *y = *(struct ext4_buf *const *)b;

	return x->blk < y->blk ? -1 : x->blk > y->blk;
}

void ext4_bufs_sort(struct ext4_buf **buf, u32 nr)
{
	sort(buf, nr, sizeof(buf[0]), by_block);
}

/* Loop context. */
static void write_done(struct bio *bio)
{
	struct transfer *t = bio->priv;
	struct ext4_sb *sbi = t->sbi;

	ext4_note_write(sbi);
	if (bio->status)
		store_once(&t->status, bio->status);
	bio_free(bio);
	/* FLUSHED (full) - pairs with ext4_bufs_write(). */
	atomic_dec(&t->in_flight);
	wake_up_all(&sbi->buf_wait);
	atomic_dec(&sbi->buf_io);
}

static void submit(struct transfer *t, struct bio *bio)
{
	atomic_inc(&t->sbi->buf_io);
	atomic_inc(&t->in_flight);
	blk_submit(t->sbi->bdev, bio);
}

static struct bio *new_bio(struct transfer *t, u64 blk)
{
	struct bio *bio = bio_alloc();

	if (!bio)
		return NULL;
	bio->op = BIO_WRITE;
	bio->sector = blk << (t->sbi->block_bits - SECTOR_SHIFT);
	bio->end_io = write_done;
	bio->priv = t;
	return bio;
}

static void submit_all(struct transfer *t, struct ext4_buf **buf, u32 nr,
		       u8 *copies)
{
	struct ext4_sb *sbi = t->sbi;
	struct bio *bio = NULL;
	u64 next = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		void *p = copies ? copies + ((size_t)i << sbi->block_bits)
				 : buf[i]->data;
		u64 blk = buf[i]->blk;

		if (bio && (blk != next ||
			    !ext4_bio_add(sbi, bio, p, sbi->block_size))) {
			submit(t, bio);
			bio = NULL;
		}
		if (!bio) {
			bio = new_bio(t, blk);
			if (!bio) {
				store_once(&t->status, -ENOMEM);
				return;
			}
			ext4_bio_add(sbi, bio, p, sbi->block_size);
		}
		next = blk + 1;
	}
	if (bio)
		submit(t, bio);
}

static bool is_over(const struct transfer *t)
{
	/* FLUSHED (acquire) - pairs with write_done(). */
	return !load_acquire(&t->in_flight);
}

int ext4_bufs_write(struct ext4_sb *sbi, struct ext4_buf **buf, u32 nr,
		    u8 *copies)
{
	struct transfer t = { .sbi = sbi };

	blk_plug();
	submit_all(&t, buf, nr, copies);
	blk_unplug();
	wait_event(&sbi->buf_wait, is_over(&t));
	return t.status;
}

/* --- without a journal */

/* Sums of bitmaps live in descriptors: make them before those are copied. */
static void bitmap_sums(struct ext4_sb *sbi)
{
	struct ext4_buf *b;

	/* The barrier keeps everybody out who could change the list but for
	 * ext4_buf_mark_dirty() below us, which appends. */
	list_for_each_entry(b, &sbi->buf_dirty, run) {
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
		b = list_first_entry(&sbi->buf_dirty, struct ext4_buf, run);
		list_del(&b->run);
		sbi->nr_dirty--;
		atomic_fetch_or(&b->flags, (u32)BUF_WRITING);
		atomic_fetch_and(&b->flags, (u32)~BUF_DIRTY);
		ba->buf[ba->nr++] = b;
	}
	spin_unlock(&sbi->buf_lock);
	ext4_bufs_sort(ba->buf, ba->nr);
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

	snapshot(sbi, ba);
	if (!ba->nr)
		return 0;
	err = ext4_bufs_write(sbi, ba->buf, ba->nr, ba->copy);
	release_batch(sbi, ba, err);
	return err;
}

int ext4_bufs_flush(struct ext4_sb *sbi, bool wait)
{
	u32 todo;
	int err = 0;

	KASSERT(!sbi->journal);
	mutex_lock(&sbi->flush_lock);
	/* What gets dirty meanwhile is not ours; descriptors and the super
	 * block may join, hence the extra batch. */
	todo = sbi->nr_dirty / BATCH + 2;
	while (todo-- && sbi->nr_dirty && !err)
		err = flush_once(sbi);
	if (wait && !err)
		err = ext4_flush_device(sbi);
	mutex_unlock(&sbi->flush_lock);
	if (err && err != -ENOMEM)
		ext4_error(sbi, 0, "cannot write metadata: %d", err);
	return err;
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
