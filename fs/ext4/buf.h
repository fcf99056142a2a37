/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/buf.h - cache of metadata blocks.
 *
 * A buffer is one block of the volume in memory.  It stays cached after the
 * last reference until room is wanted; each list of transactions or dirty
 * buffers that it is on has a reference.  Whoever changes the contents holds
 * the lock of what the block belongs to (ext4.h) and has write access in an
 * open handle (ext4_journal.h).
 *
 * INVARIANTS
 *   B1  BUF_DIRTY <=> on sbi->buf_dirty by ->run: a volume without journal.
 *   B2  BUF_VERIFIED: checksum and kind were right when it was read, or it was
 *       made here.  A block found under another kind is checked again.
 *   B3  Without a journal, what goes to the device is a copy made while no
 *       handle was open, with its checksum made then.  With one, journal.h.
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
struct ext4_handle;

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
/* handle.c, commit.c */
#define BUF_RUN BIT(8) /* in the running transaction */
#define BUF_MOD BIT(9) /* and changed */
#define BUF_FREED \
	BIT(10) /* its block was freed there, or in the committing one */
#define BUF_COM BIT(11) /* in the committing one, and still to be copied */

struct ext4_buf {
	u64 blk;	     /* [I] */
	struct ext4_sb *sbi; /* [I] */
	void *data;	     /* [owner's lock] block_size bytes */
	u32 refs;	     /* [buf_lock] */
	u32 flags;	     /* [a] BUF_* */
	u32 kind;	     /* [owner's lock] enum ext4_kind */
	u32 seed; /* [owner's lock] of the sum; bitmaps, descs: group */
	struct list_head hash; /* [buf_lock] */
	struct list_head lru;  /* [buf_lock] */
	struct list_head run; /* [buf_lock] running transaction, or buf_dirty */
	struct list_head com; /* [buf_lock] committing transaction */
	struct list_head cp;  /* [buf_lock] committed one, until written home */
};

int ext4_bufs_register(void); /* once, before the first mount */
int ext4_bufs_init(struct ext4_sb *sbi);
void ext4_bufs_destroy(struct ext4_sb *sbi);

/* The block, read if need be and checked as @kind; ERR_PTR(-EIO, -ENOMEM,
 * -EBADMSG, -EUCLEAN).  The caller owns a reference. */
struct ext4_buf *ext4_buf_read(struct ext4_sb *sbi, u64 blk,
			       enum ext4_kind kind, u32 seed);
/* The block, zeroed, not read: it was just allocated.  With write access, not
 * dirty yet. */
struct ext4_buf *ext4_buf_new(struct ext4_handle *h, u64 blk,
			      enum ext4_kind kind, u32 seed);
/* The same for what is made anew each time until it is first changed. */
struct ext4_buf *ext4_buf_made(struct ext4_sb *sbi, u64 blk,
			       enum ext4_kind kind, u32 seed);
/* If it is cached; a reference, or NULL. */
struct ext4_buf *ext4_buf_find(struct ext4_sb *sbi, u64 blk);
/* Start reading blocks that will be wanted; does not wait. */
void ext4_buf_prefetch(struct ext4_sb *sbi, u64 blk, u32 nr);
bool ext4_buf_cached(struct ext4_sb *sbi, u64 blk); /* or being read */
struct ext4_buf *ext4_buf_get(struct ext4_buf *b);
void ext4_buf_put(struct ext4_buf *b);	      /* NULL and ERR_PTR are fine */
void ext4_buf_ref_locked(struct ext4_buf *b); /* buf_lock is held */
void ext4_buf_unref_locked(struct ext4_buf *b);
/* For handle.c, without a journal. */
void ext4_buf_mark_dirty(struct ext4_buf *b);
void ext4_buf_forget(struct ext4_sb *sbi, u64 blk);

/* Without a journal: write all dirty blocks; @wait also for the device's
 * cache. */
int ext4_bufs_flush(struct ext4_sb *sbi, bool wait);

#endif /* FS_EXT4_BUF_H */
