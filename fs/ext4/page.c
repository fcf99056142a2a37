/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/page.c - fill pages of the page cache from the volume.
 *
 * A page has one to four blocks.  Runs that lie side by side on the volume
 * become one request; a page is finished when its last request is.  Holes and
 * unwritten blocks are zeroes.
 *
 * INVARIANT  page->priv counts the requests of a page being read, plus one
 * while it is being set up; PG_PRIVATE is not set meanwhile.
 *
 * ORDERING
 *   PGREAD   what a request brought, before the count that finishes the page.
 *
 * Not here: writing (writeback.c).
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <lib/atomic.h>

/* One read-ahead in the making. */
struct reader {
	struct ext4_sb *sbi;
	struct bio *bio; /* open, or NULL */
	u64 next;	 /* block that would continue it */
};

/* Pages of a bio are found by their memory. */
static void page_part_done(struct page *pg, int status)
{
	if (status)
		atomic_fetch_or(&pg->flags, (u32)PG_ERROR);
	/* PGREAD (full) - pairs with the one below, of the last to end. */
	if (!atomic_dec_and_test(&pg->priv))
		return;
	/* PGREAD (acquire) - pairs with the one above. */
	page_end_read(pg, load_acquire(&pg->flags) & PG_ERROR ? -EIO : 0);
}

/* Loop context. */
static void read_done(struct bio *bio)
{
	u32 i;

	for (i = 0; i < bio->nr_segs; i++) {
		void *page = (void *)((uintptr_t)bio->seg[i].addr & PAGE_MASK);

		page_part_done(addr_page(page), bio->status);
	}
	bio_free(bio);
}

static void flush_reader(struct reader *r)
{
	if (r->bio)
		blk_submit(r->sbi->bdev, r->bio);
	r->bio = NULL;
}

/* Blocks [blk, blk + nr) belong at @addr in @pg. */
static int want(struct reader *r, struct page *pg, void *addr, u64 blk, u32 nr)
{
	u32 len = nr << r->sbi->block_bits;

	atomic_inc(&pg->priv);
	if (r->bio && blk == r->next &&
	    ext4_bio_add(r->sbi, r->bio, addr, len)) {
		r->next += nr;
		return 0;
	}
	flush_reader(r);
	r->bio = bio_alloc();
	if (!r->bio) {
		atomic_dec(&pg->priv);
		return -ENOMEM;
	}
	r->bio->op = BIO_READ;
	r->bio->sector = blk << (r->sbi->block_bits - SECTOR_SHIFT);
	r->bio->end_io = read_done;
	ext4_bio_add(r->sbi, r->bio, addr, len);
	r->next = blk + nr;
	return 0;
}

/* Always ends the page, perhaps later; the result says why it is bad. */
static int read_one(struct reader *r, struct inode *inode, struct page *pg)
{
	struct ext4_sb *sbi = r->sbi;
	u32 per_page = (u32)PAGE_SIZE >> sbi->block_bits, i = 0;
	u64 first = pg->index * per_page;
	int err = 0;

	atomic_fetch_and(&pg->flags, (u32)~PG_ERROR);
	pg->priv = 1;
	while (i < per_page && !err) {
		u8 *at = (u8 *)page_addr(pg) + ((size_t)i << sbi->block_bits);
		struct ext4_map m = { .lblk = (u32)(first + i),
				      .len = per_page - i };

		if (first + i >= EXT4_MAX_LBLK) {
			m.len = per_page - i;
			m.state = EXT4_HOLE;
		} else {
			err = ext4_map_read(inode, &m);
		}
		if (err)
			break;
		if (m.state == EXT4_WRITTEN)
			err = want(r, pg, at, m.pblk, m.len);
		else
			memset(at, 0, (size_t)m.len << sbi->block_bits);
		i += m.len;
	}
	page_part_done(pg, err);
	return err;
}

int ext4_readpage(struct mapping *m, struct page *pg)
{
	struct inode *inode = m->host;
	struct reader r = { .sbi = inode_sbi(inode) };
	int err;

	ext4_dio_wait_writes(inode);
	err = read_one(&r, inode, pg);
	flush_reader(&r);
	return err;
}

static int ext4_readpages(struct mapping *m, struct page **pg, unsigned int nr)
{
	struct inode *inode = m->host;
	struct reader r = { .sbi = inode_sbi(inode) };
	unsigned int i;
	int err = 0, e;

	ext4_dio_wait_writes(inode);
	blk_plug();
	for (i = 0; i < nr; i++) {
		e = read_one(&r, inode, pg[i]);
		if (e && !err)
			err = e;
	}
	flush_reader(&r);
	blk_unplug();
	return err;
}

static int ext4_store(struct mapping *m)
{
	struct inode *inode = m->host;

	if (inode->iflags & EXT4_IMMUTABLE_FL)
		return -EPERM;
	ext4_enter(inode_sbi(inode), EXT4_STORE);
	inode_touch(inode, true, true);
	return 0;
}

static void ext4_stored(struct mapping *m)
{
	ext4_leave(inode_sbi(m->host), EXT4_STORE);
}

const struct mapping_ops ext4_mapping_ops = {
	.readpage = ext4_readpage,
	.readpages = ext4_readpages,
	.writepage = ext4_writepage,
	.writepages = ext4_writepages,
	.write_begin = ext4_write_begin,
	.write_end = ext4_write_end,
	.store = ext4_store,
	.stored = ext4_stored,
	.releasepage = ext4_releasepage,
};
