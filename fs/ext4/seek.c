/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/seek.c - lseek(2) to data and holes.
 *
 * What the cache has and the volume does not know of yet is data.  Unwritten blocks are
 * holes else.  The end of the file is one, too.
 */
#include <fs/ext4/ext4.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>

/* Of block @lblk, which is in @pg. */
static void look_at_page(const struct inode *inode, struct page *pg, u64 lblk,
			 struct ext4_cached *c)
{
	u32 shift = PAGE_SHIFT - inode_sbi(inode)->block_bits, flags;

	page_lock(pg);
	flags = load_once(&pg->flags);
	c->delayed = (flags & PG_PRIVATE) &&
		     (pg->priv & BIT(lblk & ((1u << shift) - 1)));
	c->changed = flags & (PG_DIRTY | PG_WRITEBACK);
	page_unlock(pg);
}

/* First the cache, then the volume once more: what is written back meanwhile leaves the one
 * when it is in the other. */
int ext4_map_cached(struct inode *inode, struct ext4_map *m,
		    struct ext4_cached *c)
{
	u32 shift = PAGE_SHIFT - inode_sbi(inode)->block_bits;
	u64 index = m->lblk >> shift;
	struct page *pg = mapping_find_next(&inode->mapping, &index);
	u64 first = index << shift;

	*c = (struct ext4_cached){ .delayed = false };
	if (pg && first <= m->lblk) {
		m->len = 1;
		look_at_page(inode, pg, m->lblk, c);
	} else if (pg) {
		m->len = (u32)min_t(u64, m->len, first - m->lblk);
	}
	if (pg)
		page_put(pg);
	return ext4_map_read(inode, m);
}

/* Is what is at the beginning of @m data?  The same holds for all of it. */
static int is_data(struct inode *inode, struct ext4_map *m, bool *data)
{
	struct ext4_cached c;
	int err = ext4_map_read(inode, m);

	*data = true;
	if (err || m->state == EXT4_WRITTEN)
		return err;
	err = ext4_map_cached(inode, m, &c);
	if (m->state != EXT4_WRITTEN)
		*data = c.delayed || (m->state == EXT4_UNWRITTEN && c.changed);
	return err;
}

/* First block from @lblk on, before @end, that is data or not; @end: none. */
static int find(struct inode *inode, u64 lblk, u64 end, bool data, u64 *out)
{
	while (lblk < end) {
		struct ext4_map m = { .lblk = (u32)lblk };
		bool is;
		int err;

		m.len = (u32)min_t(u64, end - lblk, EXT4_MAX_LBLK - lblk);
		err = is_data(inode, &m, &is);
		if (err)
			return err;
		if (is == data)
			break;
		lblk += m.len;
		cond_resched();
	}
	*out = min(lblk, end);
	return 0;
}

static s64 seek(struct inode *inode, u64 off, bool data)
{
	u32 bits = inode_sbi(inode)->block_bits;
	u64 size = load_once(&inode->i_size), lblk, end;
	int err;

	if (off >= size)
		return -ENXIO;
	end = DIV_ROUND_UP(size, 1ull << bits);
	err = find(inode, off >> bits, end, data, &lblk);
	if (err)
		return err;
	if (lblk == end)
		return data ? -ENXIO : (s64)size;
	return (s64)max(off, lblk << bits);
}

s64 ext4_llseek(struct file *f, s64 off, int whence)
{
	struct inode *inode = f->inode;
	s64 to;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(f, off, whence);
	if (off < 0)
		return -ENXIO;
	down_read(&inode->lock);
	to = seek(inode, (u64)off, whence == SEEK_DATA);
	up_read(&inode->lock);
	if (to >= 0)
		f->pos = (u64)to;
	return to;
}
