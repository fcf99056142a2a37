/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/buf.c - find, read and keep metadata blocks.
 *
 * INVARIANTS and the ORDERING edge BUFIO: buf.h.  Transfers end in the hart's
 * loop, where no sleeping lock and no RANK_INODE lock may be taken; so end_io
 * only changes flags, and a buffer with BUF_READING is never freed, referenced
 * or not.
 *
 * Locking: sbi->buf_lock guards hash, lists and counts.
 * Not here: write-out (flush.c), checksums (csum.c).
 */
#include <fs/ext4/buf.h>

#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/hash.h>

#define NR_BUCKETS 4096u
#define READ_RUN   16u

static struct list_head *bucket(struct ext4_sb *sbi, u64 blk)
{
	return &sbi->buf_hash[hash64(blk) % NR_BUCKETS];
}

/* Blocks smaller than a page: aligned, so that none crosses one. */
static struct kmem_cache *small_cache[2]; /* [I] of 1 and 2 KiB */

int ext4_bufs_register(void)
{
	small_cache[0] = kmem_cache_create("ext4_1k", 1024, 1024);
	small_cache[1] = kmem_cache_create("ext4_2k", 2048, 2048);
	return small_cache[0] && small_cache[1] ? 0 : -ENOMEM;
}

static void *data_alloc(struct ext4_sb *sbi)
{
	if (sbi->block_size == PAGE_SIZE)
		return get_free_page(0);
	return kmem_cache_alloc(small_cache[sbi->block_bits - 10]);
}

static void buf_free(struct ext4_buf *b)
{
	if (b->data && b->sbi->block_size == PAGE_SIZE)
		free_page_addr(b->data);
	else if (b->data)
		kmem_cache_free(small_cache[b->sbi->block_bits - 10], b->data);
	kfree(b);
}

static struct ext4_buf *find_locked(struct ext4_sb *sbi, u64 blk)
{
	struct list_head *head = bucket(sbi, blk);
	struct ext4_buf *b;

	list_for_each_entry(b, head, hash) {
		if (b->blk == blk)
			return b;
	}
	return NULL;
}

void ext4_buf_ref_locked(struct ext4_buf *b)
{
	if (b->refs++ == 0)
		list_del(&b->lru);
}

void ext4_buf_unref_locked(struct ext4_buf *b)
{
	KASSERT(b->refs > 0);
	if (--b->refs == 0)
		list_add_tail(&b->lru, &b->sbi->buf_lru);
}

/* Take up to @nr unused buffers out of the cache, onto @out. */
static void shrink_locked(struct ext4_sb *sbi, u32 nr, struct list_head *out)
{
	struct ext4_buf *b, *tmp;

	list_for_each_entry_safe(b, tmp, &sbi->buf_lru, lru) {
		if (!nr)
			return;
		/* BUFIO (acquire) - pairs with read_done(). */
		if (load_acquire(&b->flags) & (BUF_READING | BUF_WRITING))
			continue;
		list_del(&b->hash);
		list_move(&b->lru, out);
		sbi->nr_bufs--;
		nr--;
	}
}

static void free_list(struct list_head *list)
{
	struct ext4_buf *b, *tmp;

	list_for_each_entry_safe(b, tmp, list, lru) {
		list_del(&b->lru);
		buf_free(b);
	}
}

static void shrink(struct ext4_sb *sbi, u32 nr)
{
	struct list_head gone;

	list_init(&gone);
	spin_lock(&sbi->buf_lock);
	shrink_locked(sbi, nr, &gone);
	spin_unlock(&sbi->buf_lock);
	free_list(&gone);
}

static struct ext4_buf *buf_alloc(struct ext4_sb *sbi, u64 blk)
{
	struct ext4_buf *b = kzalloc(sizeof(*b));

	if (!b)
		return NULL;
	b->sbi = sbi;
	b->blk = blk;
	b->refs = 1;
	list_init(&b->hash);
	list_init(&b->lru);
	list_init(&b->run);
	list_init(&b->com);
	list_init(&b->cp);
	b->data = data_alloc(sbi);
	if (!b->data) {
		shrink(sbi, sbi->nr_bufs / 2);
		b->data = data_alloc(sbi);
	}
	if (!b->data) {
		kfree(b);
		return NULL;
	}
	return b;
}

/* With a reference, whatever its state; NULL: -ENOMEM. */
static struct ext4_buf *lookup(struct ext4_sb *sbi, u64 blk)
{
	struct ext4_buf *b, *new;

	spin_lock(&sbi->buf_lock);
	b = find_locked(sbi, blk);
	if (b)
		ext4_buf_ref_locked(b);
	spin_unlock(&sbi->buf_lock);
	if (b)
		return b;
	if (sbi->nr_bufs >= sbi->max_bufs) /* racy: a hint */
		shrink(sbi, 16);
	new = buf_alloc(sbi, blk);
	if (!new)
		return NULL;
	spin_lock(&sbi->buf_lock);
	b = find_locked(sbi, blk);
	if (b) {
		ext4_buf_ref_locked(b);
	} else {
		list_add(&new->hash, bucket(sbi, blk));
		sbi->nr_bufs++;
		b = new;
	}
	spin_unlock(&sbi->buf_lock);
	if (b != new)
		buf_free(new);
	return b;
}

struct ext4_buf *ext4_buf_get(struct ext4_buf *b)
{
	spin_lock(&b->sbi->buf_lock);
	ext4_buf_ref_locked(b);
	spin_unlock(&b->sbi->buf_lock);
	return b;
}

void ext4_buf_put(struct ext4_buf *b)
{
	if (!b || IS_ERR(b))
		return;
	spin_lock(&b->sbi->buf_lock);
	ext4_buf_unref_locked(b);
	spin_unlock(&b->sbi->buf_lock);
}

/* Consecutive blocks that are read by one request. */
struct read_run {
	struct ext4_sb *sbi;
	u32 nr;
	struct ext4_buf *buf[READ_RUN];
};

/* Loop context.  The last touch of each buffer clears BUF_READING. */
static void read_done(struct bio *bio)
{
	struct read_run *run = bio->priv;
	struct ext4_sb *sbi = run->sbi;
	u32 flag = bio->status ? BUF_ERROR : BUF_UPTODATE, i;

	for (i = 0; i < run->nr; i++) {
		atomic_fetch_or(&run->buf[i]->flags, flag);
		/* BUFIO (full) - pairs with wait_read() and shrink_locked(). */
		atomic_fetch_and(&run->buf[i]->flags, (u32)~BUF_READING);
	}
	kfree(run);
	bio_free(bio);
	wake_up_all(&sbi->buf_wait);
	atomic_dec(&sbi->buf_io);
}

static void read_given_up(struct ext4_sb *sbi, struct read_run *run)
{
	u32 i;

	for (i = 0; i < run->nr; i++)
		atomic_fetch_and(&run->buf[i]->flags, (u32)~BUF_READING);
	wake_up_all(&sbi->buf_wait);
}

/* BUF_READING of all of @run's buffers is ours.  @run is copied. */
static int start_read(struct ext4_sb *sbi, struct read_run *run)
{
	struct read_run *copy = kmemdup(run, sizeof(*run));
	struct bio *bio = copy ? bio_alloc() : NULL;
	u32 i;

	if (!bio) {
		kfree(copy);
		read_given_up(sbi, run);
		return -ENOMEM;
	}
	bio->op = BIO_READ;
	bio->sector = run->buf[0]->blk << (sbi->block_bits - SECTOR_SHIFT);
	bio->end_io = read_done;
	bio->priv = copy;
	for (i = 0; i < run->nr; i++) {
		atomic_fetch_and(&run->buf[i]->flags, (u32)~BUF_ERROR);
		KASSERT(ext4_bio_add(sbi, bio, run->buf[i]->data,
				     sbi->block_size));
	}
	atomic_inc(&sbi->buf_io);
	blk_submit(sbi->bdev, bio);
	return 0;
}

static int wait_read(struct ext4_sb *sbi, struct ext4_buf *b)
{
	struct read_run run = { .sbi = sbi, .nr = 1 };
	u32 flags;

	for (;;) {
		/* BUFIO (acquire) - pairs with read_done(). */
		flags = load_acquire(&b->flags);
		if (flags & BUF_UPTODATE)
			return 0;
		if (!(flags & BUF_READING)) {
			flags = atomic_fetch_or(&b->flags, (u32)BUF_READING);
			if (!(flags & BUF_READING))
				break;
		}
		wait_event(&sbi->buf_wait,
			   !(load_once(&b->flags) & BUF_READING));
		if (load_once(&b->flags) & BUF_ERROR)
			return -EIO;
	}
	if (load_once(&b->flags) & BUF_UPTODATE) { /* another was faster */
		atomic_fetch_and(&b->flags, (u32)~BUF_READING);
		wake_up_all(&sbi->buf_wait);
		return 0;
	}
	run.buf[0] = b;
	if (start_read(sbi, &run))
		return -ENOMEM;
	/* A flag, not data: read_done()'s full fence comes before it. */
	wait_event(&sbi->buf_wait, !(load_once(&b->flags) & BUF_READING));
	/* BUFIO (acquire) - pairs with read_done(). */
	return load_acquire(&b->flags) & BUF_UPTODATE ? 0 : -EIO;
}

/* Is it what the caller takes it for? */
static int verify(struct ext4_sb *sbi, struct ext4_buf *b, enum ext4_kind kind,
		  u32 seed)
{
	u32 flags = load_once(&b->flags);

	if ((flags & BUF_VERIFIED) && b->kind == kind && b->seed == seed)
		return 0;
	/* Changed in memory as something else: two owners claim the block. */
	if (flags & (BUF_DIRTY | BUF_STALE | BUF_RUN | BUF_COM)) {
		ext4_error(sbi, 0, "block %llu has two uses",
			   (unsigned long long)b->blk);
		return -EFSCORRUPTED;
	}
	atomic_fetch_and(&b->flags, (u32) ~(BUF_VERIFIED | BUF_CHECKED));
	b->kind = kind;
	b->seed = seed;
	if (!ext4_buf_csum_ok(sbi, b)) {
		ext4_error(sbi, 0, "block %llu: wrong checksum",
			   (unsigned long long)b->blk);
		b->kind = EXT4_KIND_NONE;
		return -EFSBADCRC;
	}
	atomic_fetch_or(&b->flags, (u32)BUF_VERIFIED);
	return 0;
}

struct ext4_buf *ext4_buf_read(struct ext4_sb *sbi, u64 blk,
			       enum ext4_kind kind, u32 seed)
{
	struct ext4_buf *b;
	int err;

	if (blk >= sbi->nr_blocks) {
		ext4_error(sbi, 0, "block %llu is beyond the end",
			   (unsigned long long)blk);
		return ERR_PTR(-EFSCORRUPTED);
	}
	b = lookup(sbi, blk);
	if (!b)
		return ERR_PTR(-ENOMEM);
	err = wait_read(sbi, b);
	if (!err)
		err = verify(sbi, b, kind, seed);
	if (err) {
		ext4_buf_put(b);
		return ERR_PTR(err);
	}
	return b;
}

static void make(struct ext4_sb *sbi, struct ext4_buf *b, enum ext4_kind kind,
		 u32 seed)
{
	memset(b->data, 0, sbi->block_size);
	atomic_fetch_and(&b->flags, (u32)~BUF_CHECKED);
	b->kind = kind;
	b->seed = seed;
	atomic_fetch_or(&b->flags, (u32)(BUF_UPTODATE | BUF_VERIFIED));
}

struct ext4_buf *ext4_buf_made(struct ext4_sb *sbi, u64 blk,
			       enum ext4_kind kind, u32 seed)
{
	struct ext4_buf *b = lookup(sbi, blk);

	if (!b)
		return ERR_PTR(-ENOMEM);
	wait_event(&sbi->buf_wait,
		   !(load_once(&b->flags) & (BUF_READING | BUF_WRITING)));
	make(sbi, b, kind, seed);
	return b;
}

struct ext4_buf *ext4_buf_new(struct ext4_handle *h, u64 blk,
			      enum ext4_kind kind, u32 seed)
{
	struct ext4_sb *sbi = h->sbi;
	struct ext4_buf *b = lookup(sbi, blk);
	int err;

	if (!b)
		return ERR_PTR(-ENOMEM);
	wait_event(&sbi->buf_wait,
		   !(load_once(&b->flags) & (BUF_READING | BUF_WRITING)));
	err = ext4_write_access(h, b);
	if (err) {
		ext4_buf_put(b);
		return ERR_PTR(err);
	}
	make(sbi, b, kind, seed);
	return b;
}

/* Block @blk, with BUF_READING won by us; NULL: it need not be read. */
static struct ext4_buf *prefetch_one(struct ext4_sb *sbi, u64 blk)
{
	struct ext4_buf *b = lookup(sbi, blk);
	u32 old;

	if (!b)
		return NULL;
	if (load_once(&b->flags) & (BUF_UPTODATE | BUF_READING))
		goto out;
	old = atomic_fetch_or(&b->flags, (u32)BUF_READING);
	if (!(old & (BUF_UPTODATE | BUF_READING))) {
		ext4_buf_put(b); /* BUF_READING keeps it */
		return b;
	}
	if (!(old & BUF_READING)) {
		atomic_fetch_and(&b->flags, (u32)~BUF_READING);
		wake_up_all(&sbi->buf_wait);
	}
out:
	ext4_buf_put(b);
	return NULL;
}

/* Whoever needs a block that could not be read tries again. */
void ext4_buf_prefetch(struct ext4_sb *sbi, u64 blk, u32 nr)
{
	u32 max =
		min(min(sbi->bdev->max_segs, READ_RUN),
		    sbi->bdev->max_sectors >> (sbi->block_bits - SECTOR_SHIFT));
	struct read_run run = { .sbi = sbi };

	blk_plug();
	for (; nr && blk < sbi->nr_blocks; nr--, blk++) {
		struct ext4_buf *b = prefetch_one(sbi, blk);

		if (run.nr && (!b || run.nr >= max)) {
			(void)start_read(sbi, &run);
			run.nr = 0;
		}
		if (b)
			run.buf[run.nr++] = b;
	}
	if (run.nr)
		(void)start_read(sbi, &run);
	blk_unplug();
}

struct ext4_buf *ext4_buf_find(struct ext4_sb *sbi, u64 blk)
{
	struct ext4_buf *b;

	spin_lock(&sbi->buf_lock);
	b = find_locked(sbi, blk);
	if (b)
		ext4_buf_ref_locked(b);
	spin_unlock(&sbi->buf_lock);
	return b;
}

bool ext4_buf_cached(struct ext4_sb *sbi, u64 blk)
{
	struct ext4_buf *b;
	bool cached;

	spin_lock(&sbi->buf_lock);
	b = find_locked(sbi, blk);
	cached = b && (load_once(&b->flags) & (BUF_UPTODATE | BUF_READING));
	spin_unlock(&sbi->buf_lock);
	return cached;
}

void ext4_buf_mark_dirty(struct ext4_buf *b)
{
	struct ext4_sb *sbi = b->sbi;
	bool first = false;

	atomic_fetch_or(&b->flags, (u32)BUF_STALE);
	if (load_once(&b->flags) & BUF_DIRTY)
		return;
	spin_lock(&sbi->buf_lock);
	if (!(load_once(&b->flags) & BUF_DIRTY)) {
		atomic_fetch_or(&b->flags, (u32)BUF_DIRTY);
		list_add_tail(&b->run, &sbi->buf_dirty);
		ext4_buf_ref_locked(b);
		first = sbi->nr_dirty++ == 0;
	}
	spin_unlock(&sbi->buf_lock);
	if (first)
		wake_up_all(&sbi->flusher_wait);
}

/*
 * The block was freed.  Its copy must not reach the disk any more, nor be
 * found there when it has a new owner; a transfer under way is waited for.
 */
void ext4_buf_forget(struct ext4_sb *sbi, u64 blk)
{
	struct ext4_buf *b;

	spin_lock(&sbi->buf_lock);
	b = find_locked(sbi, blk);
	if (b) {
		ext4_buf_ref_locked(b);
		if (load_once(&b->flags) & BUF_DIRTY) {
			list_del(&b->run);
			sbi->nr_dirty--;
			ext4_buf_unref_locked(b);
		}
		atomic_fetch_and(&b->flags,
				 (u32) ~(BUF_DIRTY | BUF_STALE | BUF_VERIFIED |
					 BUF_CHECKED));
		b->kind = EXT4_KIND_NONE;
	}
	spin_unlock(&sbi->buf_lock);
	if (!b)
		return;
	wait_event(&sbi->buf_wait,
		   !(load_once(&b->flags) & (BUF_READING | BUF_WRITING)));
	atomic_fetch_and(&b->flags, (u32)~BUF_UPTODATE);
	ext4_buf_put(b);
}

int ext4_bufs_init(struct ext4_sb *sbi)
{
	struct pmem_info info;
	u32 i;

	pmem_info(&info);
	sbi->max_bufs = (u32)max_t(u64, 256, info.total / 16);
	spin_init(&sbi->buf_lock, "ext4_buf", RANK_INODE);
	list_init(&sbi->buf_lru);
	list_init(&sbi->buf_dirty);
	waitq_init(&sbi->buf_wait);
	waitq_init(&sbi->flusher_wait);
	mutex_init(&sbi->flush_lock);
	rwsem_init(&sbi->barrier);
	sbi->buf_hash =
		alloc_pages_exact(NR_BUCKETS * sizeof(*sbi->buf_hash), 0);
	if (!sbi->buf_hash)
		return -ENOMEM;
	for (i = 0; i < NR_BUCKETS; i++)
		list_init(&sbi->buf_hash[i]);
	return 0;
}

/* Nobody uses the volume any more; what is dirty is lost. */
void ext4_bufs_destroy(struct ext4_sb *sbi)
{
	struct ext4_buf *b, *tmp;
	u32 i;

	if (!sbi->buf_hash)
		return;
	while (load_once(&sbi->buf_io))
		(void)sleep_until_ns(clock_mono_ns() + NSEC_PER_MSEC, false);
	for (i = 0; i < NR_BUCKETS; i++) {
		list_for_each_entry_safe(b, tmp, &sbi->buf_hash[i], hash) {
			list_del(&b->hash);
			list_del(&b->lru);
			list_del(&b->run);
			list_del(&b->com);
			list_del(&b->cp);
			buf_free(b);
		}
	}
	free_pages_exact(sbi->buf_hash, NR_BUCKETS * sizeof(*sbi->buf_hash));
	sbi->buf_hash = NULL;
}
