/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/journal.c - handles of a volume that writes no journal.
 *
 * INVARIANT  a handle is open <=> it holds sbi->barrier for reading.
 *
 * Not here: ordering on the disk.  After a power cut without a journal, what
 * the last write-out left is what e2fsck finds.
 */
#include <fs/ext4/ext4_journal.h>

#include <fs/ext4/ext4.h>
#include <lib/atomic.h>

int ext4_begin(struct ext4_sb *sbi, struct ext4_handle *h, u32 credits)
{
	if (load_once(&sbi->aborted) || (sbi->vfs->flags & MS_RDONLY))
		return -EROFS;
	/* Bounds the memory that dirty metadata pins. */
	if (sbi->nr_dirty > sbi->max_bufs / 2)
		(void)ext4_bufs_flush(sbi, false);
	*h = (struct ext4_handle){ .sbi = sbi, .credits = credits };
	down_read(&sbi->barrier);
	return 0;
}

void ext4_begin_force(struct ext4_sb *sbi, struct ext4_handle *h)
{
	*h = (struct ext4_handle){ .sbi = sbi };
	down_read(&sbi->barrier);
}

void ext4_end(struct ext4_handle *h)
{
	up_read(&h->sbi->barrier);
	h->sbi = NULL;
}

int ext4_write_access(struct ext4_handle *h, struct ext4_buf *b)
{
	KASSERT(h->sbi == b->sbi);
	return 0;
}

void ext4_dirty(struct ext4_handle *h, struct ext4_buf *b)
{
	KASSERT(h->sbi == b->sbi);
	ext4_buf_mark_dirty(b);
}

void ext4_forget(struct ext4_handle *h, u64 blk)
{
	ext4_buf_forget(h->sbi, blk);
}
