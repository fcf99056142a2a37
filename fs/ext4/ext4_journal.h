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
 * Between begin and end the volume may be inconsistent in memory.  A commit
 * begins only while no handle is open (sbi->barrier), so what reaches the log,
 * or without a journal the disk, is always the state between two operations.
 *
 * @credits bounds the number of different buffers to which the handle gets
 * write access, plus one for every block full of revoke records: that much
 * room is reserved in the journal.
 *
 * Context: coroutine.  A handle lives on the stack, is never nested and is not
 * held over a page lock, inode_put(), ext4_commit() or a wait for user memory.
 */
#ifndef FS_EXT4_EXT4_JOURNAL_H
#define FS_EXT4_EXT4_JOURNAL_H

#include <lib/types.h>

struct ext4_sb;
struct ext4_buf;
struct ext4_txn;

struct ext4_handle {
	struct ext4_sb *sbi;
	struct ext4_txn *txn; /* NULL: the volume has no journal */
	u32 left;	      /* credits */
};

/* 0; -EROFS: the volume is or became read-only; -ENOMEM.  May sleep, commit
 * and write blocks home. */
int ext4_begin(struct ext4_sb *sbi, struct ext4_handle *h,
	       u32 credits) __must_check;
/* Without a journal, also on a volume mounted read-only: the super block. */
void ext4_begin_force(struct ext4_sb *sbi, struct ext4_handle *h);
void ext4_end(struct ext4_handle *h);
/* What is left for work that is done step by step. */
bool ext4_credits_left(const struct ext4_handle *h, u32 nr);

/* @b is about to be changed.  Waits while it is on its way to the disk. */
int ext4_write_access(struct ext4_handle *h, struct ext4_buf *b) __must_check;
/* It has been; it will be written. */
void ext4_dirty(struct ext4_handle *h, struct ext4_buf *b);
/* Metadata block @blk was freed: its contents must not be written any more. */
void ext4_forget(struct ext4_handle *h, u64 blk);

/* The transaction of the handle, for ext4_commit(). */
u32 ext4_handle_tid(const struct ext4_handle *h);
/* Data of which the handle's changes speak will be written: the commit waits
 * until the same number of ext4_data_done() were called.  NULL: need not. */
struct ext4_txn *ext4_data_begin(struct ext4_handle *h);
void ext4_data_more(struct ext4_txn *t);
void ext4_data_done(struct ext4_txn *t); /* any context */

/* --- commit.c: all of these hold no handle */
/* Transaction @tid is on the medium when it returns 0.  *@flushed: so is all
 * data written before the call. */
int ext4_commit(struct ext4_sb *sbi, u32 tid, bool *flushed);
/* Changes that were made until now are in this transaction or older ones. */
u32 ext4_newest_tid(struct ext4_sb *sbi);
/* What runs now; 0: nothing is to be committed. */
int ext4_commit_running(struct ext4_sb *sbi);
/* Likewise, by the journal's thread, soon. */
void ext4_commit_start(struct ext4_sb *sbi);
/* No room: would there be some after a commit?  Then it was done.  *@tries
 * begins with 0. */
bool ext4_retry_nospc(struct ext4_sb *sbi, u32 *tries);

#endif /* FS_EXT4_EXT4_JOURNAL_H */
