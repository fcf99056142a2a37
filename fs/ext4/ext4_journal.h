/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/ext4_journal.h - handles: a change of metadata is all or nothing.
 *
 * Every operation that changes metadata runs inside one handle:
 *
 *	ext4_begin(sbi, &h, credits)
 *	ext4_write_access(&h, buf); change buf->data; ext4_dirty(&h, buf);
 *	ext4_end(&h)
 *
 * Between begin and end the volume may be inconsistent in memory; write-out
 * takes its copies only while no handle is open (sbi->barrier), so what
 * reaches the disk is always the state between two operations.
 *
 * @credits bounds the number of different buffers that the handle dirties.
 * A journal will need it to reserve room; without one it is only checked.
 *
 * Context: coroutine.  A handle lives on the stack, is never nested and is not
 * held over a page lock, inode_put() or a wait for user memory.
 *
 * Not here: a journal.  So far a handle only keeps snapshots out.
 */
#ifndef FS_EXT4_EXT4_JOURNAL_H
#define FS_EXT4_EXT4_JOURNAL_H

#include <lib/types.h>

struct ext4_sb;
struct ext4_buf;

struct ext4_handle {
	struct ext4_sb *sbi;
	u32 credits;
};

/* 0, or -EROFS: the volume is or became read-only.  May sleep. */
int ext4_begin(struct ext4_sb *sbi, struct ext4_handle *h,
	       u32 credits) __must_check;
/* As ext4_begin() also on a volume mounted read-only: orphans, super block. */
void ext4_begin_force(struct ext4_sb *sbi, struct ext4_handle *h);
void ext4_end(struct ext4_handle *h);

/* @b is about to be changed. */
int ext4_write_access(struct ext4_handle *h, struct ext4_buf *b) __must_check;
/* It has been; it will be written. */
void ext4_dirty(struct ext4_handle *h, struct ext4_buf *b);
/* Metadata block @blk was freed: its contents must not be written any more. */
void ext4_forget(struct ext4_handle *h, u64 blk);

#endif /* FS_EXT4_EXT4_JOURNAL_H */
