/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/writeback.c - take dirty data, give it blocks when it is written.
 *
 * Allocation is delayed: write_begin only promises a block for each hole that
 * will be written to; the promise is kept by writepages(), which sees
 * several pages at once and asks for all their blocks together.
 *
 * Ordered data: the transaction that gives blocks to data, or says that the
 * file is longer, is told (ext4_data_begin()) and does not commit before that
 * data is written.  So no commit may be waited for between the two; blocks are
 * written as soon as the handle that gave them has ended.
 *
 * INVARIANTS
 *   W1  PG_PRIVATE <=> page->priv is the mask of the page's blocks for which a
 *       promise is held (counted in ei->delayed and sbi->delayed), and above them
 *       has a bit for each table that a file with block pointers may need on the
 *       way to them (counted in ei->tables; sbi->delayed has these as far as a
 *       file of that size can need so many, ei->tables_max).
 *   W2  While a page is under PG_WRITEBACK, priv counts its requests instead
 *       (page.c); write_begin waits for that to end.
 *   W3  The size on the disk does not reach behind data that has a place.
 *
 * ORDERING
 *   PGWRITE  status of a request before the count that finishes the page.
 *
 * Locking: page locks outside, then a handle, then ei->map_lock.
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <kernel/mm/vm.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define CREDITS	      96u
#define CREDITS_A_RUN 32u /* a place, and a tree that splits at every level */

struct writer {
	struct ext4_sb *sbi;
	struct inode *inode;
	struct page **pg; /* consecutive */
	unsigned int nr;
	u64 end;	      /* block behind the end of the file */
	struct bio *bio;      /* open, or NULL */
	u64 next;	      /* block that would continue it */
	bool bio_fresh;	      /* its blocks are fresh */
	struct ext4_txn *txn; /* waits for the data, or NULL */
	u64 fresh; /* blocks of pg[] that got their places just now */
};
STATIC_ASSERT(EXT4_WRITE_BATCH *PAGE_SIZE / 1024 <= 64, "bits of fresh");

/* bio->priv: the transaction, and whether the blocks are fresh. */
#define IS_FRESH 1ul

struct promises {
	s64 blocks, tables;
};

/* So many more promises of the file, or less; it may have @most tables, or more.
 * What sbi->delayed has to be told. */
static s64 delay_change(struct inode *inode, s64 blocks, s64 tables, u64 most)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 shift = inode_sbi(inode)->block_bits - SECTOR_SHIFT;
	s64 nr;

	spin_lock(&ei->stat_lock);
	nr = blocks - (s64)ext4_promised_tables(ei);
	ei->delayed += (u64)blocks;
	ei->tables += (u64)tables;
	ei->tables_max = max(ei->tables_max, most);
	nr += (s64)ext4_promised_tables(ei);
	inode->blocks = ei->disk_blocks + (ei->delayed << shift);
	spin_unlock(&ei->stat_lock);
	return nr;
}

/* Bits of page->priv for tables: W1.  Those of blocks are below. */
#define TABLES_SHIFT 60u
#define IS_BLOCK     (BIT(TABLES_SHIFT) - 1)

/* The page's are added to @p; they are not noted in it any more. */
static void take_promises(struct page *pg, struct promises *p)
{
	if (!(load_once(&pg->flags) & PG_PRIVATE))
		return;
	p->blocks += popcount64(pg->priv & IS_BLOCK);
	p->tables += popcount64(pg->priv & ~IS_BLOCK);
	pg->priv = 0;
	atomic_fetch_and(&pg->flags, (u32)~PG_PRIVATE);
}

/* They are kept, or not needed any more. */
static void drop_promises(struct inode *inode, const struct promises *p)
{
	ext4_delay_change(inode_sbi(inode),
			  delay_change(inode, -p->blocks, -p->tables, 0));
}

void ext4_releasepage(struct mapping *m, struct page *pg)
{
	struct promises p = { 0 };

	take_promises(pg, &p);
	if (p.blocks)
		drop_promises(m->host, &p);
}

/*
 * Tables that the page may need, as bits of its priv.  Those that are there, and those
 * that pages share, are promised in vain, until the pages are written.  A page never
 * has blocks of two tables: both begin at multiples of four.
 */
static u64 tables_bits(struct inode *inode, const struct page *pg, u64 *most)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u64 first = pg->index << (PAGE_SHIFT - sbi->block_bits);

	*most = 0;
	if (ext4_has_extents(EXT4_I(inode)))
		return 0;
	*most = ext4_ind_most(sbi, first + PAGE_SIZE / sbi->block_size);
	return (BIT(ext4_ind_depth(sbi, first)) - 1) << TABLES_SHIFT;
}

static int promise(struct inode *inode, struct page *pg, u64 mask)
{
	u64 have = load_once(&pg->flags) & PG_PRIVATE ? pg->priv : 0, want;
	struct ext4_sb *sbi = inode_sbi(inode);
	s64 blocks = popcount64(mask & ~have), tables, nr;
	u64 most;

	if (!blocks)
		return 0;
	want = have | mask | tables_bits(inode, pg, &most);
	tables = popcount64(want & ~have & ~IS_BLOCK);
	nr = delay_change(inode, blocks, tables, most);
	if (!ext4_delay_reserve(sbi, (u32)nr)) {
		nr += delay_change(inode, -blocks, -tables, 0);
		ext4_delay_change(sbi, nr); /* others have come or gone */
		return -ENOSPC;
	}
	pg->priv = want;
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

/* Holes among the blocks of the page that have bytes of [from, to) in it. */
static int find_holes(struct inode *inode, struct page *pg, u32 from, u32 to,
		      u64 *mask)
{
	u32 bits = inode_sbi(inode)->block_bits, i = from >> bits;
	u32 stop = DIV_ROUND_UP(to, 1u << bits);
	u64 first = pg->index << (PAGE_SHIFT - bits);

	*mask = 0;
	while (i < stop) {
		struct ext4_map m = { .lblk = (u32)(first + i),
				      .len = stop - i };
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
	err = find_holes(inode, pg, from, to, &mask);
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

/*
 * What a mapping stores behind the old end of the file, in the page where it was, asks
 * for no block when its entry is writable: it becomes read-only, and what has been
 * stored meanwhile gets its promise here.
 */
void ext4_grown(struct inode *inode, u64 old_size)
{
	struct mapping *m = &inode->mapping;
	u64 index = old_size >> PAGE_SHIFT, size = load_once(&m->size), mask;
	struct page *pg;

	if (inode_sbi(inode)->block_size == PAGE_SIZE ||
	    !(old_size & (PAGE_SIZE - 1)) || list_empty(&m->vmas))
		return;
	mapping_wrprotect_user(m, index, index + 1);
	pg = mapping_find(m, index);
	if (!pg)
		return;
	page_lock(pg);
	if (load_once(&pg->mapping) == m &&
	    (load_once(&pg->flags) & PG_DIRTY)) {
		u32 len =
			(u32)min(size - (index << PAGE_SHIFT), (u64)PAGE_SIZE);

		page_wait_writeback(pg);
		if (!find_holes(inode, pg, 0, len, &mask))
			(void)promise(inode, pg, mask);
	}
	page_unlock(pg);
	page_put(pg);
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

/* Of the file: where @bio, whose first page is @pg, begins. */
static u32 first_block(const struct ext4_sb *sbi, const struct page *pg,
		       const struct bio *bio)
{
	u64 in = (uintptr_t)bio->seg[0].addr & (PAGE_SIZE - 1);

	return (u32)(((pg->index << PAGE_SHIFT) + in) >> sbi->block_bits);
}

/* Loop context.  The pages, and what they belong to, may be gone when the last
 * one is done. */
static void write_done(struct bio *bio)
{
	struct page *first =
		addr_page((void *)((uintptr_t)bio->seg[0].addr & PAGE_MASK));
	struct inode *inode = first->mapping->host;
	struct ext4_sb *sbi = inode_sbi(inode);
	u64 priv = (u64)(uintptr_t)bio->priv;
	u32 i;

	ext4_note_write(sbi);
	if (unlikely(bio->status) && (priv & IS_FRESH))
		ext4_note_failed(inode, first_block(sbi, first, bio), bio);
	for (i = 0; i < bio->nr_segs; i++) {
		void *page = (void *)((uintptr_t)bio->seg[i].addr & PAGE_MASK);

		part_done(addr_page(page), bio->status);
	}
	ext4_data_done((void *)(uintptr_t)(priv & ~IS_FRESH));
	bio_free(bio);
	atomic_dec(&sbi->buf_io);
}

static void flush_writer(struct writer *w)
{
	if (w->bio) {
		atomic_inc(&w->sbi->buf_io);
		ext4_data_more(w->txn);
		w->bio->priv = (u8 *)w->txn + (w->bio_fresh ? IS_FRESH : 0);
		blk_submit(w->sbi->bdev, w->bio);
	}
	w->bio = NULL;
}

static int add(struct writer *w, struct page *pg, void *addr, u64 blk, u32 nr,
	       bool fresh)
{
	u32 len = nr << w->sbi->block_bits;

	atomic_inc(&pg->priv);
	if (w->bio && blk == w->next && w->bio_fresh == fresh &&
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
	w->bio_fresh = fresh;
	w->bio->op = BIO_WRITE;
	w->bio->sector = blk << (w->sbi->block_bits - SECTOR_SHIFT);
	w->bio->end_io = write_done;
	ext4_bio_add(w->sbi, w->bio, addr, len);
	w->next = blk + nr;
	return 0;
}

/* Are the lowest @nr bits the same? */
static bool alike(u64 bits, u32 nr)
{
	u64 mask = GENMASK(nr - 1, 0);

	return !(bits & mask) || (bits & mask) == mask;
}

/* Blocks [from, to) of the file, which have their places, are on their way. */
static int write_blocks(struct writer *w, u64 from, u64 to)
{
	u32 bits = w->sbi->block_bits, per_page = (u32)PAGE_SIZE >> bits;
	int err = 0;

	while (from < to && !err) {
		u64 page = from / per_page - w->pg[0]->index;
		u32 in = (u32)(from % per_page);
		u64 bit = from - w->pg[0]->index * per_page;
		bool fresh = w->fresh & BIT(bit);
		struct ext4_map m = { .lblk = (u32)from };
		u8 *at = (u8 *)page_addr(w->pg[page]) + ((size_t)in << bits);

		m.len = (u32)min_t(u64, per_page - in, to - from);
		while (m.len > 1 && alike(w->fresh >> bit, m.len) == false)
			m.len--;
		err = ext4_map_read(w->inode, &m);
		if (!err && m.state != EXT4_WRITTEN)
			err = -EIO;
		if (!err)
			err = add(w, w->pg[page], at, m.pblk, m.len, fresh);
		from += m.len;
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

/* W3: data is there up to byte @end.  The file may have become shorter. */
static bool grow_disk_size(struct inode *inode, u64 end, bool change)
{
	struct ext4_inode *ei = EXT4_I(inode);
	bool grows;

	spin_lock(&ei->stat_lock);
	end = min(end, load_once(&inode->i_size));
	grows = end > ei->disk_size;
	if (grows && change)
		ei->disk_size = end;
	spin_unlock(&ei->stat_lock);
	return grows;
}

/* Places for blocks from *from on, as many as one handle can; *from: up to
 * where.  -ENOSPC may come with progress. */
static int give_places(struct writer *w, u64 *from, u64 to)
{
	struct ext4_inode *ei = EXT4_I(w->inode);
	u32 bits = w->sbi->block_bits;
	u64 start = *from, base = w->pg[0]->index << (PAGE_SHIFT - bits);
	struct ext4_handle h;
	int err, err2;

	err = ext4_begin(w->sbi, &h, CREDITS);
	if (err)
		return err;
	down_write(&ei->map_lock);
	while (*from < to && !err && ext4_credits_left(&h, CREDITS_A_RUN)) {
		struct ext4_map m = { .lblk = (u32)*from,
				      .len = (u32)(to - *from) };

		err = ext4_map_write(&h, w->inode, &m, true);
		if (!err && m.is_new)
			w->fresh |= GENMASK(m.len - 1, 0) << (*from - base);
		if (!err)
			*from += m.len;
	}
	up_write(&ei->map_lock);
	if (*from > start)
		(void)grow_disk_size(w->inode, *from << bits, true);
	w->txn = ext4_data_begin(&h);
	store_once(&ei->datasync_tid, ext4_handle_tid(&h));
	err2 = ext4_mark_dirty(&h, w->inode);
	ext4_end(&h);
	return err ? err : err2;
}

/* Blocks [from, to) get places, and are written.  *@from: those behind are
 * not. */
static int place_and_write(struct writer *w, u64 *from, u64 to)
{
	u32 bits = w->sbi->block_bits, tries = 0;
	u64 at = *from;
	int err = 0, err2;

	if (all_written(w->inode, at, to) &&
	    !grow_disk_size(w->inode, to << bits, false))
		at = to;
	do {
		if (at < to)
			err = give_places(w, &at, to);
		err2 = write_blocks(w, *from, at);
		flush_writer(w);
		ext4_data_done(w->txn);
		w->txn = NULL;
		if (err2)
			return err2;
		*from = at;
		if (err == -ENOSPC && ext4_retry_nospc(w->sbi, &tries))
			err = 0;
	} while (!err && at < to);
	return err;
}

/* Is block @at on the volume, or to be there?  @promised: bits from pg[0] on. */
static int has_place(const struct writer *w, u64 at, u64 promised, bool *yes)
{
	u64 bit = at - (w->pg[0]->index << (PAGE_SHIFT - w->sbi->block_bits));
	struct ext4_map m = { .lblk = (u32)at, .len = 1 };
	int err = 0;

	*yes = promised >> bit & 1;
	if (!*yes) {
		err = ext4_map_read(w->inode, &m);
		*yes = m.state != EXT4_HOLE;
	}
	return err;
}

/* As place_and_write(), but a hole that nobody wrote to stays one although it shares
 * a page with data. */
static int write_parts(struct writer *w, u64 *from, u64 to, u64 promised)
{
	int err = 0;

	while (*from < to && !err) {
		u64 end = *from;
		bool yes = true;

		while (end < to && yes && !err) {
			err = has_place(w, end, promised, &yes);
			end += yes && !err;
		}
		if (err)
			break;
		if (end > *from)
			err = place_and_write(w, from, end);
		else
			++*from;
	}
	return err;
}

/* Memory behind the end of the file is not written as it stands. */
static void zero_tail(struct page *pg, u64 size)
{
	u64 pos = pg->index << PAGE_SHIFT;

	if (size > pos && size < pos + PAGE_SIZE)
		memset((u8 *)page_addr(pg) + (size - pos), 0,
		       PAGE_SIZE - (size - pos));
}

/* Let go of the pages; what is not before block @done was not written. */
static void end_pages(struct writer *w, u64 done, int err)
{
	u32 per_page = (u32)PAGE_SIZE >> w->sbi->block_bits;
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		u64 end = min((w->pg[i]->index + 1) * per_page, w->end);

		page_unlock(w->pg[i]);
		part_done(w->pg[i], end > done ? err : 0);
	}
}

int ext4_writepages(struct mapping *m, struct page **pg, unsigned int nr)
{
	struct inode *inode = m->host;
	struct writer w = {
		.sbi = inode_sbi(inode), .inode = inode, .pg = pg, .nr = nr
	};
	u32 bits = w.sbi->block_bits, per_page = (u32)PAGE_SIZE >> bits;
	u64 size = load_once(&m->size), from = pg[0]->index * per_page, to;
	u64 promised = 0;
	struct promises promises = { 0 };
	unsigned int i;
	int err = 0;

	w.end = DIV_ROUND_UP(size, 1ull << bits);
	to = min(w.end, (pg[nr - 1]->index + 1) * per_page);
	zero_tail(pg[nr - 1], size);
	for (i = 0; i < nr; i++) {
		if (load_once(&pg[i]->flags) & PG_PRIVATE)
			promised |= (pg[i]->priv & IS_BLOCK) << i * per_page;
		take_promises(pg[i], &promises);
		atomic_fetch_and(&pg[i]->flags, (u32)~PG_ERROR);
		pg[i]->priv = 1;
	}
	blk_plug();
	if (load_once(&w.sbi->shut))
		err = -EIO;
	else if (per_page > 1)
		err = write_parts(&w, &from, to, promised);
	else if (from < to)
		err = place_and_write(&w, &from, to);
	blk_unplug();
	drop_promises(inode, &promises);
	end_pages(&w, from, err);
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
