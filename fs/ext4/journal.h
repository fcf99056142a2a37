/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/journal.h - the journal of a volume, seen from inside.
 *
 * Handles (ext4_journal.h) add the blocks that they change to the running
 * transaction.  A commit closes it, copies its blocks to the log, and writes a
 * commit block when they and the file data that they point to are on the
 * medium.  Then its buffers wait on its cp list until a checkpoint writes them
 * home; when a transaction has none left, and all older ones are gone, the
 * tail of the log moves on.
 *
 *	running --ext4_commit()--> committing --> on cps --checkpoint--> gone
 *
 * INVARIANTS
 *	J1  A block is written home only in a state that is committed: not
 *	    while it belongs to the running transaction or the committing one.
 *	J2  The running transaction has log space for all that it may become
 *	    (max_need); one that commits has taken what it needs from `free'.
 *	    So a commit never waits for a checkpoint.
 *	J3  A freed block is not given out again before the transaction that
 *	    freed it is committed; if it was metadata, that has a revoke record
 *	    of it, and the buffer leaves all cp lists with the commit.
 *	J4  What a transaction has in the log is overwritten only after the
 *	    super block of the journal says, on the medium, that it begins
 *	    behind it.
 *
 * Locking, outer first: cp_lock, commit_lock, sbi->barrier, super_lock (all
 * may sleep); sbi->buf_lock (spinlock) for lists and counts.  With cp_lock,
 * commit_lock or super_lock held no handle is begun.
 *
 * Context: coroutine.
 */
#ifndef FS_EXT4_JOURNAL_H
#define FS_EXT4_JOURNAL_H

#include <fs/ext4/ext4.h>
#include <fs/ext4/jbd.h>

/* Log blocks [log, log + len) are blocks [blk, blk + len) of the volume. */
struct ext4_run {
	u32 log, len;
	u64 blk;
};

/* Metadata blocks freed by a transaction, some of them. */
struct ext4_revokes {
	struct list_head node; /* [buf_lock] */
	u32 nr;
	u64 blk[60];
};

/* A run of blocks of a group freed by a transaction. */
struct ext4_freed {
	struct list_head node; /* [buf_lock] */
	u32 group, at, nr;
};

struct ext4_txn {
	struct ext4_sb *sbi;	  /* [I] */
	u32 tid;		  /* [I] */
	u64 since_ns;		  /* [I] */
	struct list_head node;	  /* [buf_lock] in cps */
	struct list_head bufs;	  /* [buf_lock] by ->run; while running */
	struct list_head todo;	  /* [buf_lock] by ->com; to be copied */
	struct list_head done;	  /* [buf_lock] by ->com; copied, or freed */
	struct list_head cp;	  /* [buf_lock] by ->cp; to be written home */
	struct list_head revokes; /* [buf_lock] of struct ext4_revokes */
	struct list_head freed;	  /* [buf_lock] of struct ext4_freed */
	u32 nr_bufs;		  /* [buf_lock] on bufs, ever */
	u32 reserved;	/* [buf_lock] more that open handles may add */
	u32 nr_revokes; /* [buf_lock] */
	u32 data;	/* [a] writes of its file data under way */
	u32 start;	/* [buf_lock] log block, once it commits */
};

struct ext4_journal {
	struct ext4_sb *sbi;  /* [I] */
	struct ext4_run *run; /* [I] */
	u32 nr_runs;	      /* [I] */
	u32 first, end;	      /* [I] the ring is log blocks [first, end) */

	/* format, [I] after ext4_journal_start() */
	bool is_64bit, csum_v1, csum_v2, csum_v3;
	u32 seed; /* of checksums */
	u32 tag_bytes, tail_bytes;
	u32 revokes_per_block;
	u32 max_need; /* log blocks of one transaction */

	struct mutex super_lock;
	struct jbd_super
		*super; /* [super_lock] as on the disk, a whole block */
	u32 tail;	/* [super_lock] where the log begins */
	bool empty;	/* [super_lock, commit_lock] and nothing is in it */

	struct mutex commit_lock;
	u32 head;	 /* [commit_lock] next log block to write */
	u8 *pool;	 /* [commit_lock] copies on their way to the log */
	u32 pool_blocks; /* [I] */
	struct mutex cp_lock;
	struct ext4_buf **batch; /* [cp_lock] being written home */

	u32 free;     /* [buf_lock] log blocks that nobody has or will need */
	u32 next_tid; /* [buf_lock] */
	struct ext4_txn *running;    /* [buf_lock] */
	struct ext4_txn *committing; /* [buf_lock] */
	struct list_head cps; /* [buf_lock] committed ones, oldest first */
	u32 nr_cp;	      /* [buf_lock] buffers on all cp lists */
	u32 committed;	      /* [a] newest transaction on the medium */
	u32 wanted;	      /* [a] the thread shall commit this one now */
	u32 nr_overruns;      /* [a] handles that asked for too little */
	u64 last_commit_ns;   /* [commit_lock] CLOCK_REALTIME in the log */
	u64 last_cp_ns;	 /* the thread's: when it last began a checkpoint */
	u32 last_cp_tid; /* the thread's: what was committed then */
};

/* Blocks that a commit copies together. */
#define EXT4_POOL_BYTES (256u << 10)
/* Blocks that a checkpoint writes together. */
#define EXT4_CP_BATCH 256u

/* --- journal.c: from mount to unmount */
/* Find it and read its super block; 0 and no journal if there is none. */
int ext4_journal_open(struct ext4_sb *sbi);
/* The log is empty: make it ours, ready for transactions. */
int ext4_journal_start(struct ext4_sb *sbi);
void ext4_journal_close(struct ext4_sb *sbi);
/* The log on the disk begins at @start with transaction @tid from now on. */
enum ext4_tail {
	TAIL_BEGINS,  /* and was empty; on the medium with the next flush */
	TAIL_DURABLE, /* on the medium on return */
	TAIL_EMPTY,   /* the same, and there is nothing in it */
};
int ext4_journal_set_tail(struct ext4_journal *j, u32 start, u32 tid,
			  enum ext4_tail how);
/* Note for whoever mounts it next that somebody gave up. */
void ext4_journal_save_error(struct ext4_journal *j);

/* --- jlog.c: blocks of the log */
static inline u32 ext4_log_next(const struct ext4_journal *j, u32 log, u32 nr)
{
	log += nr;
	return log < j->end ? log : log - (j->end - j->first);
}
/* Read or write log blocks [log, log + nr), which may wrap. */
int ext4_log_io(struct ext4_journal *j, u32 op, u32 log, void *mem, u32 nr);
/* One block, on the medium when it returns (if barriers are on). */
int ext4_log_write_fua(struct ext4_journal *j, u32 log, void *mem);
/* The whole ring, to the device; it is empty. */
int ext4_log_discard(struct ext4_journal *j);
/* Checksum of a described block; of one with a struct jbd_tail, of a commit. */
u32 ext4_log_data_csum(const struct ext4_journal *j, u32 tid, const void *mem);
u32 ext4_log_tail_csum(const struct ext4_journal *j, const void *mem);
u32 ext4_log_commit_csum(const struct ext4_journal *j, const void *mem);
void ext4_log_head(void *mem, enum jbd_type type, u32 tid);

/* --- recover.c, revoke.c: replay */
int ext4_journal_recover(struct ext4_journal *j);
/* The log is not empty but need not be replayed: forget it. */
int ext4_journal_skip(struct ext4_journal *j);

struct ext4_revoke_table;
struct ext4_revoke_table *ext4_revoke_table_new(u32 nr);
void ext4_revoke_table_free(struct ext4_revoke_table *t);
int ext4_revoke_add(struct ext4_revoke_table *t, u64 blk, u32 tid);
/* Is a copy of @blk in transaction @tid not to be replayed? */
bool ext4_is_revoked(const struct ext4_revoke_table *t, u64 blk, u32 tid);

/* --- handle.c */
/* Log blocks that a transaction with so many buffers and revokes takes. */
u32 ext4_txn_need(const struct ext4_journal *j, u32 nr_bufs, u32 nr_revokes);
void ext4_txn_free(struct ext4_txn *t);

/* --- checkpoint.c */
/* Make room for one more transaction. */
int ext4_checkpoint_for_space(struct ext4_journal *j);
/* Write home what is committed.  @commit: commit first, and if all is at home
 * then, say in the journal that it is empty. */
int ext4_checkpoint_all(struct ext4_journal *j, bool commit);
/* The same, and nothing of what was in the log can be read from it: it is discarded, or
 * zeroes.  -EBUSY: others commit all the time.  The volume is writable. */
int ext4_checkpoint_erase(struct ext4_journal *j, bool discard);

#endif /* FS_EXT4_JOURNAL_H */
