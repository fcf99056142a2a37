/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/unwrite.c - data that did not reach the disk leaves nobody else's there.
 *
 * Blocks become written ones when they get their place, in the transaction that
 * waits for the data (writeback.c).  When the disk refuses that data they hold what
 * somebody had there before; so they become unwritten again, which reads as zeroes.
 * Who calls fsync() does that before he hears of the error, else the journal's
 * thread.  Until then the page in the cache hides it.
 *
 * Blocks whose page is dirty again, or was written in the meantime, stay.
 *
 * Locking: inode->lock for writing, the page's, a handle, map_lock.
 */
#include <fs/ext4/extent.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

#define CREDITS 24u

struct failed {
	struct list_head node;
	u64 ino, pblk;
	u32 lblk, nr;
};

void ext4_note_failed(struct inode *inode, u32 lblk, const struct bio *bio)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u32 shift = sbi->block_bits - SECTOR_SHIFT;
	struct failed *f = kmalloc(sizeof(*f));

	if (load_once(&sbi->opt.flags) & EXT4_OPT_DATA_ABORT)
		ext4_give_up(sbi, -EIO, "data was not written");
	if (!f)
		return; /* as it was before there was this file */
	f->ino = inode->ino;
	f->pblk = bio->sector >> shift;
	f->lblk = lblk;
	f->nr = bio->nr_sectors >> shift;
	spin_lock(&sbi->buf_lock);
	list_add_tail(&f->node, &sbi->failed);
	spin_unlock(&sbi->buf_lock);
	wake_up_all(&sbi->flusher_wait);
}

static struct failed *take(struct ext4_sb *sbi)
{
	struct failed *f;

	spin_lock(&sbi->buf_lock);
	f = list_first_entry_or_null(&sbi->failed, struct failed, node);
	if (f)
		list_del(&f->node);
	spin_unlock(&sbi->buf_lock);
	return f;
}

/* Block @lblk, if it is at @pblk still. */
static int convert(struct inode *inode, u32 lblk, u64 pblk)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_map m = { .lblk = lblk, .len = 1 };
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(inode), &h, CREDITS), err2;

	if (err)
		return err;
	down_write(&ei->map_lock);
	ext4_map_forget(ei);
	err = ext4_ext_map(inode, &m);
	if (!err && m.state == EXT4_WRITTEN && m.pblk == pblk)
		err = ext4_ext_convert(&h, inode, lblk, 1, true);
	ext4_map_forget(ei);
	up_write(&ei->map_lock);
	err2 = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err ? err : err2;
}

static int unwrite_block(struct inode *inode, u32 lblk, u64 pblk)
{
	u32 shift = PAGE_SHIFT - inode_sbi(inode)->block_bits;
	struct page *pg = mapping_find(&inode->mapping, lblk >> shift);
	bool mended = false;
	int err = 0;

	if (pg) {
		page_lock(pg);
		page_wait_writeback(pg);
		mended = pg->mapping == &inode->mapping &&
			 !(load_once(&pg->flags) & PG_ERROR);
	}
	if (!mended)
		err = convert(inode, lblk, pblk);
	if (pg) {
		page_unlock(pg);
		page_put(pg);
	}
	return err;
}

static void unwrite(struct ext4_sb *sbi, const struct failed *f)
{
	bool is_new;
	struct inode *inode = inode_get_by_ino(sbi->vfs, f->ino, &is_new);
	int err = 0;

	if (!inode)
		return;
	if (is_new) { /* it has gone, and its blocks most likely, too */
		inode_fail_new(inode);
		return;
	}
	down_write(&inode->lock);
	for (u32 i = 0; i < f->nr && !err && ext4_has_extents(EXT4_I(inode));
	     i++)
		err = unwrite_block(inode, f->lblk + i, f->pblk + i);
	up_write(&inode->lock);
	inode_put(inode);
}

void ext4_unwrite_failed(struct ext4_sb *sbi)
{
	struct failed *f;

	while ((f = take(sbi))) {
		if (!load_once(&sbi->aborted) && !(sbi->vfs->flags & MS_RDONLY))
			unwrite(sbi, f);
		kfree(f);
	}
}
