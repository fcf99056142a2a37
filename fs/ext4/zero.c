/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/zero.c - parts of blocks that have to read as zeroes.
 *
 * What lies behind the end of a file in its last block is not to be seen when
 * the file grows over it.  It may be anything: bytes that a mapping wrote
 * there, or on the disk those that were written when the file was longer, or
 * was about to become so when the power went.
 *
 * Locking: inode->lock is held for writing.
 */
#include <fs/ext4/ext4.h>
#include <lib/atomic.h>

static bool is_zero(const u8 *p, u32 n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* Of locked @pg.  True: it is dirty now, unless @only_memory. */
static bool zero_part(struct page *pg, u32 off, u32 len, bool only_memory)
{
	u8 *p = (u8 *)page_addr(pg) + off;

	page_wait_writeback(pg);
	/* A clean page is what the disk has. */
	if (!(load_once(&pg->flags) & PG_DIRTY) && is_zero(p, len))
		return false;
	memset(p, 0, len);
	if (!only_memory)
		page_set_dirty(pg);
	return !only_memory;
}

static int zero_bytes(struct inode *inode, u64 from, u64 to, bool *dirty)
{
	struct mapping *mp = &inode->mapping;
	u32 off = (u32)(from & (PAGE_SIZE - 1)), len = (u32)(to - from);
	struct ext4_map m = { .len = 1 };
	struct page *pg;
	int err;

	*dirty = false;
	if (from >= to)
		return 0;
	m.lblk = (u32)(from >> inode_sbi(inode)->block_bits);
	err = ext4_map_read(inode, &m);
	if (err)
		return err;
	pg = mapping_find(mp, from >> PAGE_SHIFT);
	if (!pg && m.state != EXT4_WRITTEN)
		return 0;
	if (pg)
		page_put(pg);
	pg = mapping_read(mp, from >> PAGE_SHIFT, NULL);
	if (IS_ERR(pg))
		return (int)PTR_ERR(pg);
	page_lock(pg);
	if (load_once(&pg->mapping) == mp)
		*dirty = zero_part(pg, off, len, m.state != EXT4_WRITTEN);
	page_unlock(pg);
	page_put(pg);
	return 0;
}

int ext4_zero_bytes(struct inode *inode, u64 from, u64 to)
{
	bool dirty;

	return zero_bytes(inode, from, to, &dirty);
}

/* The rest of the page, in memory: blocks behind the last one have no place. */
static void zero_page_end(struct inode *inode, u64 from)
{
	u32 off = (u32)(from & (PAGE_SIZE - 1));
	struct page *pg;

	if (!off)
		return;
	pg = mapping_find(&inode->mapping, from >> PAGE_SHIFT);
	if (!pg)
		return;
	page_lock(pg);
	if (load_once(&pg->flags) & PG_UPTODATE)
		memset((u8 *)page_addr(pg) + off, 0, PAGE_SIZE - off);
	page_unlock(pg);
	page_put(pg);
}

int ext4_zero_eof(struct inode *inode, u64 old_size)
{
	u64 end = ALIGN_UP(old_size, (u64)inode_sbi(inode)->block_size);
	bool dirty;
	int err = zero_bytes(inode, old_size, end, &dirty);

	zero_page_end(inode, end);
	/* The zeroes must be there before the size says so. */
	if (!err && dirty && inode_sbi(inode)->journal)
		err = mapping_sync(&inode->mapping, old_size, end, true);
	return err;
}
