/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/writeback.c - take dirty data, give it blocks when it is written.
 *
 * Allocation is delayed: write_begin only promises a block for each hole of the
 * page that will be written; the promise is kept by writepages(), which sees
 * several pages at once and asks for all their blocks together.
 *
 * INVARIANTS
 *   W1  PG_PRIVATE <=> page->priv is the mask of the page's blocks for which a
 *       promise is held (counted in ei->delayed and sbi->delayed).
 *   W2  While a page is under PG_WRITEBACK, priv counts its requests instead
 *       (page.c); write_begin waits for that to end.
 *
 * ORDERING
 *   PGWRITE  status of a request before the count that finishes the page.
 *
 * Locking: page locks outside, then a handle, then ei->map_lock.
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define CREDITS 64u

struct writer {
	struct ext4_sb *sbi;
	struct bio *bio; /* open, or NULL */
	u64 next;	 /* block that would continue it */
};

/* Promises of the file: @nr more, or less. */
static void delay_change(struct inode *inode, s64 nr)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 shift = inode_sbi(inode)->block_bits - SECTOR_SHIFT;

	spin_lock(&ei->stat_lock);
	ei->delayed += (u64)nr;
	inode->blocks = ei->disk_blocks + (ei->delayed << shift);
	spin_unlock(&ei->stat_lock);
}

/* The page's promises are kept, or not needed any more. */
static void drop_promises(struct inode *inode, struct page *pg)
{
	u32 nr;

	if (!(load_once(&pg->flags) & PG_PRIVATE))
		return;
	nr = popcount64(pg->priv);
	pg->priv = 0;
	atomic_fetch_and(&pg->flags, (u32)~PG_PRIVATE);
	delay_change(inode, -(s64)nr);
	ext4_delay_release(inode_sbi(inode), nr);
}

void ext4_releasepage(struct mapping *m, struct page *pg)
{
	drop_promises(m->host, pg);
}

static int promise(struct inode *inode, struct page *pg, u64 mask)
{
	u64 have = load_once(&pg->flags) & PG_PRIVATE ? pg->priv : 0;
	u32 nr = popcount64(mask & ~have);

	if (!nr)
		return 0;
	if (!ext4_delay_reserve(inode_sbi(inode), nr))
		return -ENOSPC;
	delay_change(inode, nr);
	pg->priv = have | mask;
	atomic_fetch_or(&pg->flags, (u32)PG_PRIVATE);
	return 0;
}

/* Read what the volume has of the page, without giving up its lock. */
static int fill_page(struct inode *inode, struct page *pg)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u32 per_page = (u32)PAGE_SIZE >> sbi->block_bits, i = 0;
	u64 first = pg->index * per_page;
	int err = 0;

	while (i < per_page && !err) {
		u8 *at = (u8 *)page_addr(pg) + ((size_t)i << sbi->block_bits);
		struct ext4_map m = { .lblk = (u32)(first + i),
				      .len = per_page - i };
		size_t len;

		if (first + i < EXT4_MAX_LBLK)
			err = ext4_map_read(inode, &m);
		else
			m.state = EXT4_HOLE;
		len = (size_t)m.len << sbi->block_bits;
		if (!err && m.state == EXT4_WRITTEN)
			err = blk_read(
				sbi->bdev,
				m.pblk << (sbi->block_bits - SECTOR_SHIFT), at,
				len);
		else if (!err)
			memset(at, 0, len);
		i += m.len;
	}
	return err;
}

/* Holes among the blocks of the page that end before byte @end of the file. */
static int find_holes(struct inode *inode, struct page *pg, u64 end, u64 *mask)
{
	u32 bits = inode_sbi(inode)->block_bits;
	u32 per_page = (u32)PAGE_SIZE >> bits, i = 0;
	u64 first = pg->index * per_page;
	u64 stop =
		min_t(u64, per_page, DIV_ROUND_UP(end, 1ull << bits) - first);

	*mask = 0;
	while (i < stop) {
		struct ext4_map m = { .lblk = (u32)(first + i),
				      .len = (u32)stop - i };
		int err = ext4_map_read(inode, &m);

		if (err)
			return err;
		if (m.state == EXT4_HOLE)
			*mask |= GENMASK(i + m.len - 1, i);
		i += m.len;
	}
	return 0;
}

int ext4_write_begin(struct mapping *m, struct page *pg, unsigned int from,
		     unsigned int to)
{
	struct inode *inode = m->host;
	u64 pos = pg->index << PAGE_SHIFT, size = load_once(&m->size), mask;
	bool whole = from == 0 && to == PAGE_SIZE;
	int err = 0;

	if (inode->sb->flags & MS_RDONLY)
		return -EROFS;
	if (pos + to > ext4_max_size(inode))
		return -EFBIG;
	page_wait_writeback(pg); /* W2 */
	if (!(load_once(&pg->flags) & PG_UPTODATE) && !whole) {
		if (pos >= size)
			memset(page_addr(pg), 0, PAGE_SIZE);
		else
			err = fill_page(inode, pg);
		if (err)
			return err;
		atomic_fetch_or(&pg->flags, (u32)PG_UPTODATE);
	}
	/* What a mapping wrote behind the old end must not show. */
	if (size > pos && size < pos + from)
		memset((u8 *)page_addr(pg) + (size - pos), 0,
		       from - (size - pos));
	err = find_holes(inode, pg, max(size, pos + to), &mask);
	return err ? err : promise(inode, pg, mask);
}

int ext4_write_end(struct mapping *m, struct page *pg, unsigned int from,
		   unsigned int to)
{
	struct inode *inode = m->host;
	u64 end = (pg->index << PAGE_SHIFT) + to;

	(void)from;
	page_set_dirty(pg);
	if (end > load_once(&m->size)) {
		store_once(&m->size, end);
		inode_mark_dirty(inode);
	}
	return 0;
}

/* One page's request has ended, or its setting-up. */
static void part_done(struct page *pg, int status)
{
	if (status)
		atomic_fetch_or(&pg->flags, (u32)PG_ERROR);
	/* PGWRITE (full) - pairs with the one below, of the last to end. */
	if (!atomic_dec_and_test(&pg->priv))
		return;
	/* PGWRITE (acquire) - pairs with the one above. */
	page_end_writeback(pg, load_acquire(&pg->flags) & PG_ERROR ? -EIO : 0);
}

/* Loop context. */
static void write_done(struct bio *bio)
{
	u32 i;

	for (i = 0; i < bio->nr_segs; i++) {
		void *page = (void *)((uintptr_t)bio->seg[i].addr & PAGE_MASK);

		part_done(addr_page(page), bio->status);
	}
	bio_free(bio);
}

static void flush_writer(struct writer *w)
{
	if (w->bio)
		blk_submit(w->sbi->bdev, w->bio);
	w->bio = NULL;
}

static int add(struct writer *w, struct page *pg, void *addr, u64 blk, u32 nr)
{
	u32 len = nr << w->sbi->block_bits;

	atomic_inc(&pg->priv);
	if (w->bio && blk == w->next &&
	    ext4_bio_add(w->sbi, w->bio, addr, len)) {
		w->next += nr;
		return 0;
	}
	flush_writer(w);
	w->bio = bio_alloc();
	if (!w->bio) {
		atomic_dec(&pg->priv);
		return -ENOMEM;
	}
	w->bio->op = BIO_WRITE;
	w->bio->sector = blk << (w->sbi->block_bits - SECTOR_SHIFT);
	w->bio->end_io = write_done;
	ext4_bio_add(w->sbi, w->bio, addr, len);
	w->next = blk + nr;
	return 0;
}

/* Blocks of the page up to the end of the file: on their way to the device. */
static int write_one(struct writer *w, struct inode *inode, struct page *pg,
		     u64 end)
{
	u32 bits = w->sbi->block_bits, per_page = (u32)PAGE_SIZE >> bits, i;
	u64 first = pg->index * per_page;
	int err = 0;

	for (i = 0; i < per_page && first + i < end && !err;) {
		u8 *at = (u8 *)page_addr(pg) + ((size_t)i << bits);
		struct ext4_map m = { .lblk = (u32)(first + i) };

		m.len = (u32)min_t(u64, per_page - i, end - (first + i));
		err = ext4_map_read(inode, &m);
		if (!err && m.state != EXT4_WRITTEN)
			err = -EIO; /* the allocation has failed */
		if (!err)
			err = add(w, pg, at, m.pblk, m.len);
		i += m.len;
	}
	return err;
}

/* Are all of blocks [from, to) there? */
static bool all_written(struct inode *inode, u64 from, u64 to)
{
	while (from < to) {
		struct ext4_map m = { .lblk = (u32)from,
				      .len = (u32)(to - from) };

		if (ext4_map_read(inode, &m) || m.state != EXT4_WRITTEN)
			return false;
		from += m.len;
	}
	return true;
}

/* Give blocks [from, to) of the file a place. */
static int allocate(struct inode *inode, u64 from, u64 to)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_handle h;
	int err, err2;

	if (all_written(inode, from, to))
		return 0;
	err = ext4_begin(inode_sbi(inode), &h, CREDITS);
	if (err)
		return err;
	down_write(&ei->map_lock);
	while (from < to && !err) {
		struct ext4_map m = { .lblk = (u32)from,
				      .len = (u32)(to - from) };

		err = ext4_map_write(&h, inode, &m, true);
		from += m.len;
	}
	up_write(&ei->map_lock);
	err2 = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err ? err : err2;
}

/* Memory behind the end of the file is not written as it stands. */
static void zero_tail(struct page *pg, u64 size)
{
	u64 pos = pg->index << PAGE_SHIFT;

	if (size > pos && size < pos + PAGE_SIZE)
		memset((u8 *)page_addr(pg) + (size - pos), 0,
		       PAGE_SIZE - (size - pos));
}

int ext4_writepages(struct mapping *m, struct page **pg, unsigned int nr)
{
	struct inode *inode = m->host;
	struct writer w = { .sbi = inode_sbi(inode) };
	u32 bits = w.sbi->block_bits, per_page = (u32)PAGE_SIZE >> bits;
	u64 size = load_once(&m->size);
	u64 first = pg[0]->index * per_page;
	u64 end = DIV_ROUND_UP(size, 1ull << bits);
	u64 last = min(end, (pg[nr - 1]->index + 1) * per_page);
	unsigned int i;
	int err = 0, e;

	zero_tail(pg[nr - 1], size);
	if (first < last)
		err = allocate(inode, first, last);
	blk_plug();
	for (i = 0; i < nr; i++) {
		drop_promises(inode, pg[i]);
		atomic_fetch_and(&pg[i]->flags, (u32)~PG_ERROR);
		pg[i]->priv = 1;
		e = write_one(&w, inode, pg[i], end);
		err = err ? err : e;
		page_unlock(pg[i]);
		part_done(pg[i], e);
	}
	flush_writer(&w);
	blk_unplug();
	if (err)
		pr_warn_ratelimited("ext4: %s: inode %llu: data was lost: %d",
				    w.sbi->bdev->name,
				    (unsigned long long)inode->ino, err);
	return err;
}

int ext4_writepage(struct mapping *m, struct page *pg)
{
	return ext4_writepages(m, &pg, 1);
}
