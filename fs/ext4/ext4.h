/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/ext4.h - what the files of ext4 share: objects, locks, calls.
 *
 * LOCKING, outer first (all may sleep but for the spinlocks)
 *   inode->lock		the VFS's: names of a directory, size of a file
 *   page lock			the page cache's
 *   the journal's		journal.h; taken by ext4_begin(), ext4_commit()
 *   handle			ext4_begin()..ext4_end(), ext4_journal.h; never
 *				nested, never around a page lock or inode_put()
 *   ei->map_lock (rwsem)	the inode's extents or block pointers
 *   ei->xattr_lock (mutex)	its attributes; then sbi->xattr_lock for blocks
 *				that several inodes may share
 *   sbi->orphan_lock (mutex)	the on-disk orphan list
 *   group lock (mutex)		bitmaps and descriptor of one group
 *   ei->raw_lock (mutex)	its 128..n bytes in the inode table
 *   sbi->buf_lock (RANK_INODE); ei->stat_lock (RANK_BLK, also taken with
 *				mapping->lock held: ext4_releasepage())
 *
 * Errors on the volume: -EUCLEAN (nonsense) and -EBADMSG (checksum); the one
 * who finds them calls ext4_error(), which prints and gives up writing unless
 * errors=continue, of the mount or else of the super block.
 */
#ifndef FS_EXT4_EXT4_H
#define FS_EXT4_EXT4_H

#include <fs/ext4/buf.h>
#include <fs/ext4/disk.h>
#include <fs/ext4/ext4_journal.h>
#include <fs/ext4/options.h>
#include <fs/vfs.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/log.h>
#include <lib/errno.h>
#include <lib/string.h>

#define EFSCORRUPTED EUCLEAN
#define EFSBADCRC    EBADMSG

#define EXT4_NR_GROUP_LOCKS 32u

/* What is known of a block group beyond its descriptor. */
struct ext4_group {
	u32 max_run;	 /* [group lock] no longer free run than this is here */
	u32 nr_busy;	 /* [group lock] blocks that are free but busy */
	u64 *busy;	 /* [group lock] bitmap of them, or NULL: none.  They
			  * were freed and that is not committed (J3) */
	bool bad_blocks; /* [group lock] block bitmap is corrupt: keep off */
	bool bad_inodes; /* [group lock] inode bitmap likewise */
	/* [group lock] the device knows of all free runs of this many blocks or
	 * more; 0: of none */
	u32 trimmed;
};

/* Blocks [start, end) hold the volume's own tables. */
struct ext4_zone {
	u64 start, end;
};

/* Arrays that were exchanged for longer ones: somebody may still look at them. */
struct ext4_retired {
	void *p;
	struct ext4_retired *next;
};

struct ext4_sb {
	struct super_block *vfs;    /* [I] */
	struct blkdev *bdev;	    /* [I] */
	struct ext4_buf *super_buf; /* [I] */
	struct ext4_super *es;	    /* [I] in super_buf; members: super.c */
	struct ext4_options opt, opt_default; /* [a] options.h */
	u32 aborted;	    /* [a] given up: nothing is written any more */
	bool shut;	    /* [a] likewise, by ioctl: before aborted; EIO */
	bool saw_error;	    /* [a] goes to s_state */
	bool error_unsaved; /* [a] it has not yet, and a journal cannot do it */
	u32 error_untold;   /* [a] fanotify has not heard of it */
	u64 error_ino;	    /* [a] inode of the last error, or 0 */
	u16 mount_state;    /* [I] s_state to restore */

	u32 resizing;		      /* [a] one at a time */
	struct thread *resizer;	      /* [a] whose handles begin all the same */
	struct ext4_retired *retired; /* [resizing] */
	/* geometry, [I]; what resize.c changes, [group locks and handle] */
	u32 block_size, block_bits;
	u32 inode_size, desc_size;
	u32 first_block; /* s_first_data_block */
	u64 nr_blocks;
	u32 nr_groups, nr_inodes, first_ino;
	u32 blocks_per_group, inodes_per_group;
	u32 inodes_per_block, itable_blocks, descs_per_block;
	u32 nr_desc_blocks;
	u64 overhead;
	u64 max_file_ext, max_file_ind; /* bytes */
	u32 flex_groups;		/* groups to a flex group, at least 1 */

	/* features, [I] */
	bool has_csum, has_gdt_csum, has_64bit, has_extents, has_filetype;
	bool has_dir_index, has_huge_file, has_extra_isize, has_dir_nlink;
	bool has_xattr, has_meta_bg, has_sparse, has_sparse2, has_largedir;
	u32 csum_seed;	      /* [I] */
	u32 hash_seed[4];     /* [I] */
	u8 hash_version;      /* [I] with signedness resolved */
	u8 hash_unsigned;     /* [I] 3 when chars are unsigned */
	u32 want_extra_isize; /* [I] */

	struct ext4_buf **desc_buf; /* [I] all descriptor blocks, held */
	struct ext4_group *group;   /* [I] array */
	struct mutex group_lock[EXT4_NR_GROUP_LOCKS];
	struct ext4_zone *zone; /* [I] sorted */
	u32 nr_zones;		/* [I] */

	/* counters, [a] */
	u64 free_blocks, free_inodes, nr_dirs;
	u64 delayed;	 /* blocks promised to dirty pages */
	u64 busy_blocks; /* of free_blocks: not to be given out yet */
	u64 r_blocks;	 /* [I] for the super user */
	u32 next_group;	 /* spreads directories */
	u32 gen_seed;	 /* inode generations */

	struct mutex orphan_lock;
	struct list_head orphans; /* [orphan_lock] as on disk, first first */
	u64 *orphan_blk;	  /* [I] once open: blocks of the orphan file */
	u32 nr_orphan_blk;	  /* [I] likewise */
	u32 orphan_seed;	  /* [I] likewise, of their checksums */
	u32 nr_file_orphans;	  /* [orphan_lock] known ones in the file */
	struct mutex xattr_lock;  /* shared attribute blocks */

	/* buffer cache, buf.c */
	struct spinlock buf_lock;	 /* RANK_INODE */
	struct list_head *buf_hash;	 /* [buf_lock] */
	struct list_head buf_lru;	 /* [buf_lock] unused, oldest first */
	struct list_head buf_dirty;	 /* [buf_lock] each holds a reference */
	u32 nr_bufs, nr_dirty, max_bufs; /* [buf_lock] */
	struct waitq buf_wait;		 /* I/O of some buffer has ended */
	u32 buf_io;		 /* [a] transfers and threads under way */
	u64 nr_writes;		 /* [a] that reached the device (edge WROTE) */
	u64 nr_flushed;		 /* [a] of these, surely on the medium */
	struct list_head failed; /* [buf_lock] of fresh data; unwrite.c */
	struct ext4_journal *journal; /* [I] NULL: none, or noload */
	struct ext4_batch *batch;     /* [flush_lock] flush.c */
	struct mutex flush_lock;      /* one write-out at a time */
	struct rwsem barrier;	      /* handles read, snapshots write */
	u32 frozen;		      /* [a] enum ext4_frozen */
	u32 nr_in[2];		      /* [a] by enum ext4_door */
	struct waitq flusher_wait;
	u32 flusher_state;	    /* [a] flusher.c */
	struct sys_dir *sys, *proc; /* [I] once mounted; sysfs.c */
};

enum ext4_map_state {
	EXT4_HOLE,
	EXT4_UNWRITTEN,
	EXT4_WRITTEN,
};

/* A run of blocks of a file. */
struct ext4_map {
	u32 lblk;		   /* in: where */
	u32 len;		   /* in: at most; out: this many are alike */
	u64 pblk;		   /* out: unless a hole */
	enum ext4_map_state state; /* out */
	bool is_new;		   /* out: just allocated, contents undefined */
};
#define EXT4_MAX_LBLK 0xffffffffu /* this one is never used */

struct ext4_inode {
	struct inode vfs;
	u32 data[EXT4_N_BLOCKS]; /* [map_lock] i_block as on disk */
	u32 flags;		 /* [inode->lock] EXT4_*_FL */
	u32 csum_seed;		 /* [I] */
	u32 dtime;		 /* [orphan_lock] next orphan, or time */
	u64 file_acl;		 /* [xattr_lock] attribute block */
	u16 extra_isize;	 /* [raw_lock] */
	bool fresh;		 /* [raw_lock] never written: clear all */
	struct rwsem map_lock;
	struct mutex xattr_lock;
	struct mutex raw_lock;
	struct list_head orphan_node; /* [orphan_lock] */
	u32 orphan_slot; /* [orphan_lock] 1 and up: its word in the file */
	u64 disk_size; /* [stat_lock] size as on disk: data is there up to here */
	u32 sync_tid;		/* [a] last transaction that changed it, ... */
	u32 datasync_tid;	/* [a] ... but for times */
	bool truncated;		/* [a] to be written when it is closed */
	struct ext4_map cached; /* [stat_lock] last run found, or len 0 */
	struct spinlock stat_lock; /* RANK_BLK */
	u64 disk_blocks;	   /* [stat_lock] 512-byte units allocated */
	u64 delayed;		   /* [stat_lock] blocks promised */
	u64 tables, tables_max;	   /* [stat_lock] promised: writeback.c W1 */
	u32 goal_lblk;		   /* [map_lock] end of the last allocation */
	u64 goal_pblk;		   /* [map_lock] and where it was */
	u32 dir_hint;		   /* [inode->lock] block with room, maybe */
	u32 dio, dio_writes;	   /* [a] direct.c D1, D2 */
};

static inline struct ext4_inode *EXT4_I(struct inode *i)
{
	return container_of(i, struct ext4_inode, vfs);
}

static inline struct ext4_sb *EXT4_SB(struct super_block *sb)
{
	return sb->priv;
}

static inline struct ext4_sb *inode_sbi(const struct inode *i)
{
	return i->sb->priv;
}

/* Blocks that data never gets, root's neither: a tree grows when what fallocate(2)
 * gave is written to, which must not fail. */
static inline u64 ext4_tree_reserve(const struct ext4_sb *sbi)
{
	return sbi->has_extents ? min_t(u64, sbi->nr_blocks / 50, 4096) : 0;
}

/* Tables that pages with promises may need: not more than there can be. */
static inline u64 ext4_promised_tables(const struct ext4_inode *ei)
{
	return min(ei->tables, ei->tables_max);
}

static inline bool ext4_has_extents(const struct ext4_inode *ei)
{
	return ei->flags & EXT4_EXTENTS_FL;
}

/* --- error.c */
/* The volume is corrupt. */
void ext4_error(struct ext4_sb *sbi, u64 ino, const char *fmt, ...)
	__printf(3, 4);
/* So is @inode: who watches (fanotify) is told at once.  May allocate. */
void ext4_error_inode(struct inode *inode, const char *fmt, ...) __printf(2, 3);
/* It cannot be written any more, whatever errors= says. */
void ext4_give_up(struct ext4_sb *sbi, int err, const char *why);
/* Nothing is written from now on, as after a power cut; no error is noted. */
void ext4_shut_down(struct ext4_sb *sbi);
/* What a change of a volume that is given up, or read-only, ends with. */
int ext4_refusal(const struct ext4_sb *sbi);
/* Mount option abort. */
void ext4_abort_if_asked(struct ext4_sb *sbi);

/* --- sysfs.c */
void ext4_sys_add(struct ext4_sb *sbi); /* a volume is mounted, ... */
void ext4_sys_del(struct ext4_sb *sbi); /* ... is not any more */
int ext4_sys_init(void);

/* --- csum.c */
u32 ext4_inode_seed(const struct ext4_sb *sbi, u32 ino, u32 generation);
bool ext4_super_csum_ok(const struct ext4_super *es);
void ext4_super_csum_set(struct ext4_super *es);
u16 ext4_desc_csum(const struct ext4_sb *sbi, u32 group,
		   const struct ext4_desc *d);
u32 ext4_raw_csum(const struct ext4_sb *sbi, u32 seed,
		  const struct ext4_raw_inode *raw);
bool ext4_raw_csum_ok(const struct ext4_sb *sbi, u32 seed,
		      const struct ext4_raw_inode *raw);
void ext4_raw_csum_set(const struct ext4_sb *sbi, u32 seed,
		       struct ext4_raw_inode *raw);
/* By kind, for buf.c: check after reading; make before writing. */
bool ext4_buf_csum_ok(struct ext4_sb *sbi, struct ext4_buf *b);
void ext4_buf_csum_set(struct ext4_sb *sbi, struct ext4_buf *b);

/* --- desc.c: group descriptors */
int ext4_descs_load(struct ext4_sb *sbi);
int ext4_descs_check(struct ext4_sb *sbi); /* and makes the counters */
void ext4_descs_free(struct ext4_sb *sbi);
struct ext4_desc *ext4_desc(struct ext4_sb *sbi, u32 group,
			    struct ext4_buf **buf);
u64 ext4_block_bitmap(const struct ext4_sb *sbi, const struct ext4_desc *d);
u64 ext4_inode_bitmap(const struct ext4_sb *sbi, const struct ext4_desc *d);
u64 ext4_inode_table(const struct ext4_sb *sbi, const struct ext4_desc *d);
u32 ext4_desc_free_blocks(const struct ext4_sb *s, const struct ext4_desc *d);
u32 ext4_desc_free_inodes(const struct ext4_sb *s, const struct ext4_desc *d);
u32 ext4_desc_used_dirs(const struct ext4_sb *s, const struct ext4_desc *d);
u32 ext4_desc_itable_unused(const struct ext4_sb *s, const struct ext4_desc *d);
void ext4_desc_set_free_blocks(const struct ext4_sb *s, struct ext4_desc *d,
			       u32 n);
void ext4_desc_set_free_inodes(const struct ext4_sb *s, struct ext4_desc *d,
			       u32 n);
void ext4_desc_set_used_dirs(const struct ext4_sb *s, struct ext4_desc *d,
			     u32 n);
void ext4_desc_set_itable_unused(const struct ext4_sb *s, struct ext4_desc *d,
				 u32 n);
bool ext4_group_has_super(const struct ext4_sb *sbi, u32 group);
u32 ext4_group_base_blocks(const struct ext4_sb *sbi, u32 group);
u32 ext4_group_blocks(const struct ext4_sb *sbi, u32 group);
static inline u64 ext4_group_start(const struct ext4_sb *sbi, u32 group)
{
	return (u64)group * sbi->blocks_per_group + sbi->first_block;
}
static inline u32 ext4_group_of(const struct ext4_sb *sbi, u64 blk)
{
	return (u32)((blk - sbi->first_block) / sbi->blocks_per_group);
}
static inline struct mutex *ext4_group_lock(struct ext4_sb *sbi, u32 group)
{
	return &sbi->group_lock[group % EXT4_NR_GROUP_LOCKS];
}
/* Data or tree blocks of a file: on the volume and in none of its tables? */
bool ext4_blocks_ok(const struct ext4_sb *sbi, u64 blk, u64 nr);

/* --- bitmap.c: group lock held */
struct ext4_buf *ext4_read_block_bitmap(struct ext4_sb *sbi, u32 group);
struct ext4_buf *ext4_read_inode_bitmap(struct ext4_sb *sbi, u32 group);

/* --- balloc.c */
int ext4_alloc_blocks(struct ext4_handle *h, struct ext4_sb *sbi, u64 goal,
		      u32 want, bool reserved, u64 *blk, u32 *got);
void ext4_free_blocks(struct ext4_handle *h, struct ext4_sb *sbi, u64 blk,
		      u64 nr, bool metadata);
/* Of bits [*at, end) of a group's bitmap: the first run that could be given out
 * is *at and as long as this; 0: none.  The group lock is held. */
u32 ext4_free_run(struct ext4_sb *sbi, u32 group, const u64 *map, u32 *at,
		  u32 end);
bool ext4_delay_reserve(struct ext4_sb *sbi, u32 nr); /* false: no space */
void ext4_delay_change(struct ext4_sb *sbi, s64 nr);  /* by so many */
/* Of a transaction that is committed: they may be given out again. */
void ext4_release_freed(struct ext4_sb *sbi, struct list_head *freed);

/* --- ialloc.c */
/* @inode, from inode_new(), becomes a new file near @dir; not on disk yet. */
int ext4_new_inode(struct ext4_handle *h, struct inode *dir,
		   struct inode *inode, u32 mode);
void ext4_free_inode(struct ext4_handle *h, struct inode *inode);

/* --- inode.c */
/* super_ops.fh_to_inode */
struct inode *ext4_fh_to_inode(struct super_block *sb, u64 ino, u32 gen);
int ext4_iget(struct ext4_sb *sbi, u64 ino, struct inode **out);
int ext4_iget_linked(struct ext4_sb *sbi, u64 ino, struct inode **out);
void ext4_set_ops(struct inode *inode);
void ext4_iflags_to_vfs(struct inode *inode);
int ext4_raw_slot(struct ext4_sb *sbi, u64 ino, struct ext4_buf **buf,
		  struct ext4_raw_inode **raw);
int ext4_mark_dirty(struct ext4_handle *h, struct inode *inode);
void ext4_set_size(struct inode *inode, u64 size);
/* The error of a later step, or else of an earlier one. */
static inline int ext4_first_error(int later, int err)
{
	return later ? later : err;
}
int ext4_write_inode(struct inode *inode, bool wait);
void ext4_evict_inode(struct inode *inode);
void ext4_add_blocks(struct inode *inode, s64 nr); /* of the volume */

/* --- seek.c: what the cache has of the first block of @m, where the volume has a hole or
 * unwritten blocks; all of @m, which is cut to fit and read again, is like it */
struct ext4_cached {
	bool delayed; /* data that waits for its block */
	bool changed; /* its page is dirty, or on its way */
};
int ext4_map_cached(struct inode *inode, struct ext4_map *m,
		    struct ext4_cached *c);
/* --- map.c */
int ext4_map_read(struct inode *inode, struct ext4_map *m);
/* With map_lock for writing; allocates what is missing of the first run and
 * makes an unwritten one written. */
int ext4_map_write(struct ext4_handle *h, struct inode *inode,
		   struct ext4_map *m, bool reserved);
int ext4_map_prealloc(struct ext4_handle *h, struct inode *inode,
		      struct ext4_map *m);
void ext4_map_forget(struct ext4_inode *ei);
u64 ext4_goal(struct inode *inode, u32 lblk);
/* Frees blocks [from, to); one handle's worth: *more says to call again. */
int ext4_map_remove(struct ext4_handle *h, struct inode *inode, u32 from,
		    u64 to, bool *more);
/* The same to the end, each step in a handle of its own. */
int ext4_remove_blocks(struct inode *inode, u32 from, u64 to);
/* An extent, if there is one, begins at block @at.  A handle of its own. */
int ext4_cut_extent(struct inode *inode, u32 at);
struct ext4_buf *ext4_bread(struct inode *inode, u32 lblk);

/* --- extent.c and its neighbours, see extent.h */

/* --- ind.c: block pointers of ext2 and ext3 */
/* How many tables lead to block @lblk. */
u32 ext4_ind_depth(const struct ext4_sb *sbi, u64 lblk);
/* How many tables a file of @nr blocks can have at most. */
u64 ext4_ind_most(const struct ext4_sb *sbi, u64 nr);
int ext4_ind_map(struct inode *inode, struct ext4_map *m);
int ext4_ind_alloc(struct ext4_handle *h, struct inode *inode,
		   struct ext4_map *m, bool reserved);
int ext4_ind_remove(struct ext4_handle *h, struct inode *inode, u32 from,
		    u64 to, bool *more);
/* From a tree of extents to block pointers, with inode->lock for writing; sleeps, in no
 * handle.  EOPNOTSUPP unless it is one written extent of the first EXT4_NDIR blocks, as
 * on Linux. */
int ext4_ind_take_over(struct inode *inode);

/* Pages that writepages() gets at most. */
#define EXT4_WRITE_BATCH 16u

/* --- page.c, writeback.c, file.c, fallocate.c, ioctl.c */
extern const struct mapping_ops ext4_mapping_ops;
extern const struct inode_ops ext4_file_inode_ops;
extern struct file_ops ext4_file_ops;
void ext4_file_init(void);
int ext4_writepage(struct mapping *m, struct page *pg);
int ext4_writepages(struct mapping *m, struct page **pg, unsigned int nr);
int ext4_write_begin(struct mapping *m, struct page *pg, unsigned int from,
		     unsigned int to);
int ext4_write_end(struct mapping *m, struct page *pg, unsigned int from,
		   unsigned int to);
void ext4_releasepage(struct mapping *m, struct page *pg);
int ext4_readpage(struct mapping *m, struct page *pg);
int ext4_setattr(struct inode *inode, const struct iattr *a);
int ext4_fallocate(struct file *f, int mode, u64 off, u64 len);

/* --- move.c */
int ext4_move_blocks(struct file *f, struct file *donor, u64 at, u64 place,
		     u64 len, u64 *moved);
int ext4_fsync(struct file *f, bool datasync);
/* --- sync.c: may sleep, no handle is held; the inode's lock may be.
 * All that was changed before is on the medium when it returns 0. */
int ext4_commit_now(struct ext4_sb *sbi);
/* A name in @dir, or @inode, was changed: see to it if that is to be so at once. */
void ext4_dir_done(struct inode *dir);
void ext4_inode_done(struct inode *inode);
s64 ext4_ioctl(struct file *f, unsigned int cmd, u64 arg);
/* flags.c, fiemap.c: ioctls, @arg in user memory */
int ext4_get_flags(struct inode *inode, uaddr_t arg);
int ext4_set_flags(struct file *f, uaddr_t arg);
int ext4_get_fsxattr(struct inode *inode, uaddr_t arg);
int ext4_set_fsxattr(struct file *f, uaddr_t arg);
int ext4_fiemap(struct inode *inode, uaddr_t arg);
int ext4_fibmap(struct inode *inode, uaddr_t arg);
s64 ext4_llseek(struct file *f, s64 off, int whence);
u64 ext4_max_size(const struct inode *inode);

/* --- direct.c */
s64 ext4_file_read(struct file *f, struct iov_iter *to, u64 *pos);
/* io_submit(): -EIOCBQUEUED, or -ENOTBLK: read or write it. */
s64 ext4_direct(struct file *f, struct iov_iter *it, u64 pos, bool write,
		struct aio_req *req);
/* Until no transfer is under way (inode->lock held for writing); no write. */
void ext4_dio_wait(struct inode *inode);
void ext4_dio_wait_writes(struct inode *inode);
/* inode->lock is held for writing; the caller has prepared the write. */
s64 ext4_write_direct(struct file *f, struct iov_iter *from, u64 *pos);
int ext4_write_now(struct file *f, u64 pos, u64 len); /* file_ops->write_now */
bool ext4_read_now(struct file *f, u64 pos, u64 len); /* ->read_now */

/* --- zero.c */
/* Bytes [from, to) of the file, all in one page; holes stay holes. */
int ext4_zero_bytes(struct inode *inode, u64 from, u64 to);
/* The file is about to grow from @old_size to beyond what follows it. */
int ext4_zero_eof(struct inode *inode, u64 old_size);
/* It has: after the new size is set, and ext4_zero_eof() was called before. */
void ext4_grown(struct inode *inode, u64 old_size);

/* --- namei.c, symlink.c */
extern const struct inode_ops ext4_dir_inode_ops;
extern const struct inode_ops ext4_symlink_inode_ops;
extern const struct inode_ops ext4_special_inode_ops;
extern const struct file_ops ext4_dir_file_ops;
int ext4_readdir(struct file *f, struct dir_ctx *ctx);
s64 ext4_dir_llseek(struct file *f, s64 off, int whence);

/* --- orphan.c */
int ext4_orphan_add(struct ext4_handle *h, struct inode *inode);
int ext4_orphan_del(struct ext4_handle *h, struct inode *inode);
/* One that was found, in word @slot of the file or (0) on the list: delete it, or
 * finish its truncation. */
int ext4_orphan_recover(struct ext4_sb *sbi, u64 ino, u32 slot);
/* orphan_file.c; add: -ENOSPC, and orphan_lock is held, as for del. */
void ext4_orphan_file_open(struct ext4_sb *sbi);
void ext4_orphan_file_close(struct ext4_sb *sbi);
int ext4_orphan_file_add(struct ext4_handle *h, struct inode *inode);
int ext4_orphan_file_del(struct ext4_handle *h, struct inode *inode);
u32 ext4_orphan_file_process(struct ext4_sb *sbi);
/* At mount: delete what was open and nameless; @file: look there, too. */
void ext4_orphan_process(struct ext4_sb *sbi, bool file);

/* --- xattr.c */
s64 ext4_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int ext4_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		  int flags);
int ext4_removexattr(struct inode *i, const char *name);
s64 ext4_listxattr(struct inode *i, char *buf, size_t n);
void ext4_xattr_drop_all(struct ext4_handle *h, struct inode *inode);

/* --- unwrite.c */
/* @bio's data did not reach the fresh blocks from @lblk on.  Loop context. */
void ext4_note_failed(struct inode *inode, u32 lblk, const struct bio *bio);
/* See to all that was noted.  No lock and no handle is held. */
void ext4_unwrite_failed(struct ext4_sb *sbi);

/* --- freeze.c */
enum ext4_frozen {
	EXT4_THAWED,
	EXT4_NO_WRITES,
	EXT4_NO_STORES,
	EXT4_FROZEN,
};
/* What makes pages of files dirty is done inside of one of these; entering waits
 * while the volume is frozen.  WRITE: inode->lock is held, so that nobody who is in
 * waits for it; STORE: mm->lock.  No handle is. */
enum ext4_door {
	EXT4_WRITE,
	EXT4_STORE,
	EXT4_NR_DOORS,
};
void ext4_enter(struct ext4_sb *sbi, enum ext4_door door);
bool ext4_try_enter(struct ext4_sb *sbi, enum ext4_door door);
void ext4_leave(struct ext4_sb *sbi, enum ext4_door door); /* any context */
/* For ext4_begin(): none begins, but of who resizes. */
bool ext4_keeps_out(const struct ext4_sb *sbi);
void ext4_await_thaw(struct ext4_sb *sbi);
int ext4_freeze(struct super_block *sb);
int ext4_thaw(struct super_block *sb);

/* --- resize.c */
/* To @end blocks, at most; -EBUSY: somebody does so already. */
int ext4_resize(struct ext4_sb *sbi, u64 end);

/* --- retune.c */
void ext4_device_written(struct super_block *sb, u64 pos, u64 len);

/* --- super.c */
int ext4_sync_fs(struct super_block *sb, bool wait);
/* The volume, on which nothing changes, is whole on the disk and says so, or will
 * change. */
int ext4_make_clean(struct ext4_sb *sbi);
int ext4_make_unclean(struct ext4_sb *sbi);
int ext4_super_check(struct ext4_sb *sbi, const struct ext4_super *es, bool ro);
int ext4_super_supported(struct ext4_sb *sbi, const struct ext4_super *es,
			 bool ro);
void ext4_super_geometry(struct ext4_sb *sbi, const struct ext4_super *es);

#endif /* FS_EXT4_EXT4_H */
