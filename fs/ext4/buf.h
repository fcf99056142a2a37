/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/buf.h - cache of metadata blocks.
 *
 * A buffer is one block of the volume in memory.  It stays cached after the
 * last reference until room is wanted; a dirty one is referenced by the dirty
 * list.  Whoever changes the contents holds the lock of what the block belongs
 * to (ext4.h) and an open handle (ext4_journal.h).
 *
 * INVARIANTS
 *   B1  BUF_DIRTY <=> on sbi->buf_dirty, with a reference of its own.
 *   B2  BUF_VERIFIED: checksum and kind were right when it was read, or it was
 *       made here.  A block found under another kind is checked again.
 *   B3  What goes to the device is a copy made while no handle was open, with
 *       its checksum made then.
 *
 * ORDERING
 *   BUFIO   data and status of a finished transfer before the flag that says so.
 *
 * Context: coroutine; they may sleep but for ext4_buf_put().
 */
#ifndef FS_EXT4_BUF_H
#define FS_EXT4_BUF_H

#include <lib/list.h>
#include <lib/types.h>

struct ext4_sb;

/* What a block is: decides how its checksum is made. */
enum ext4_kind {
	EXT4_KIND_NONE, /* no checksum of its own (inode table, data) */
	EXT4_KIND_SUPER,
	EXT4_KIND_DESC,
	EXT4_KIND_BLOCK_MAP, /* bitmap; sum is in the descriptor */
	EXT4_KIND_INODE_MAP, /* bitmap; sum is in the descriptor */
	EXT4_KIND_DIR,	     /* directory: entries, or a node of the index */
	EXT4_KIND_EXTENT,
	EXT4_KIND_XATTR,
	EXT4_KIND_ORPHAN, /* block of the orphan file */
};

#define BUF_UPTODATE BIT(0)
#define BUF_READING  BIT(1)
#define BUF_WRITING  BIT(2)
#define BUF_DIRTY    BIT(3) /* changed under buf_lock only */
#define BUF_VERIFIED BIT(4)
#define BUF_STALE    BIT(5) /* checksum is to be made */
#define BUF_ERROR    BIT(6) /* the last read failed */
#define BUF_CHECKED  BIT(7) /* its owner has looked at every entry */

struct ext4_buf {
	u64 blk;	     /* [I] */
	struct ext4_sb *sbi; /* [I] */
	void *data;	     /* [owner's lock] block_size bytes */
	u32 refs;	     /* [buf_lock] */
	u32 flags;	     /* [a] BUF_* */
	u32 kind;	     /* [owner's lock] enum ext4_kind */
	u32 seed; /* [owner's lock] of the sum; bitmaps, descs: group */
	struct list_head hash;	/* [buf_lock] */
	struct list_head lru;	/* [buf_lock] */
	struct list_head dirty; /* [buf_lock] */
};

int ext4_bufs_register(void); /* once, before the first mount */
int ext4_bufs_init(struct ext4_sb *sbi);
void ext4_bufs_destroy(struct ext4_sb *sbi);

/* The block, read if need be and checked as @kind; ERR_PTR(-EIO, -ENOMEM,
 * -EBADMSG, -EUCLEAN).  The caller owns a reference. */
struct ext4_buf *ext4_buf_read(struct ext4_sb *sbi, u64 blk,
			       enum ext4_kind kind, u32 seed);
/* The block, zeroed, not read: it was just allocated.  Not dirty yet. */
struct ext4_buf *ext4_buf_new(struct ext4_sb *sbi, u64 blk, enum ext4_kind kind,
			      u32 seed);
/* Start reading blocks that will be wanted; does not wait. */
void ext4_buf_prefetch(struct ext4_sb *sbi, u64 blk, u32 nr);
bool ext4_buf_cached(struct ext4_sb *sbi, u64 blk); /* or being read */
struct ext4_buf *ext4_buf_get(struct ext4_buf *b);
void ext4_buf_put(struct ext4_buf *b); /* NULL and ERR_PTR are fine */
/* For journal.c. */
void ext4_buf_mark_dirty(struct ext4_buf *b);
void ext4_buf_forget(struct ext4_sb *sbi, u64 blk);

/* Write all dirty blocks; @wait also for the device's cache. */
int ext4_bufs_flush(struct ext4_sb *sbi, bool wait);

#endif /* FS_EXT4_BUF_H */
