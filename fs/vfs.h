/* SPDX-License-Identifier: MIT */
/*
 * fs/vfs.h - inodes, names, mounts: what every file system fills in.
 *
 * OBJECTS
 *   struct super_block  one mounted file system instance.
 *   struct inode        one file; found by (sb, ino) in a hash; refcounted;
 *                       kept in a cache after the last reference until evicted.
 *   struct dentry       a name in a directory -> inode (or negative); a cache;
 *                       a tree; refcounted; children hold their parent.
 *   struct mount        a super_block's root dentry on top of another dentry.
 *   struct path         (mount, dentry), both referenced.
 *
 * LOCKING
 *   inode->lock (rwsem, sleeping): directories: names in it (lookup reads,
 *     create/unlink/rename write); regular files: size and block map (write,
 *     truncate: write; reads of data take none: the page cache's).
 *     Two directories: ancestor first, else by address (vfs_lock_two()).
 *     rmdir, and rename over a directory, lock the victim directory for writing
 *     too, after its parent, so that nothing appears in it any more.
 *   sb->rename_lock (mutex): held over a rename between directories.
 *   dcache_lock (RANK_VFS): dentry hash, tree links, mounts; never sleeps.  A
 *     path whose names are all cached is walked under one hold of it.
 *   icache_lock (RANK_INODE): inode hash, LRU, lists of super blocks.
 *
 * File systems are called with the locks named at each operation.  All
 * inode_ops return 0 or -errno, leave nothing changed on error, and run in a
 * coroutine.
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include <kernel/dev/dev.h>
#include <kernel/file/file.h>
#include <kernel/mm/pagecache.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/list.h>
#include <lib/types.h>

struct super_block;
struct user_ns;
struct path;
struct kstatfs;
struct kstat;
struct blkdev;

#define S_IFMT	    0170000
#define S_IFSOCK    0140000
#define S_IFLNK	    0120000
#define S_IFREG	    0100000
#define S_IFBLK	    0060000
#define S_IFDIR	    0040000
#define S_IFCHR	    0020000
#define S_IFIFO	    0010000
#define S_ISUID	    0004000
#define S_ISGID	    0002000
#define S_ISVTX	    0001000
#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12
static inline unsigned int mode_to_dt(u32 mode)
{
	return (mode >> 12) & 15;
}

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE	 2u
#define RENAME_WHITEOUT	 4u

#define NAME_MAX     255
#define PATH_MAX     4096
#define MAX_SYMLINKS 40

struct iattr {
	u32 valid; /* ATTR_* */
	u32 mode;  /* permission bits */
	u32 uid, gid;
	u64 size;
	struct timespec64 atime, mtime, ctime;
};
#define ATTR_MODE	 BIT(0)
#define ATTR_UID	 BIT(1)
#define ATTR_GID	 BIT(2)
#define ATTR_SIZE	 BIT(3)
#define ATTR_ATIME	 BIT(4)
#define ATTR_MTIME	 BIT(5)
#define ATTR_CTIME	 BIT(6) /* always set by the VFS: to now */
#define ATTR_TIMES_GIVEN BIT(7) /* VFS only: not "now", so the owner must ask */
#define ATTR_OWNER	 BIT(8) /* VFS only: chown(), even of neither */
#define ATTR_ATIME_NOW	 BIT(9) /* VFS only: the same now as ctime */
#define ATTR_MTIME_NOW	 BIT(10) /* likewise */

struct inode_ops {
	/*
	 * dir->lock held for reading (or writing).  Finds @name and returns its
	 * inode with a reference in *@out, or NULL in it when there is none.
	 */
	int (*lookup)(struct inode *dir, const char *name, size_t len,
		      struct inode **out);
	/* dir->lock held for writing for all that change names.  The VFS has
	 * checked permissions, existence and types. *@out gets a reference. */
	int (*create)(struct inode *dir, const char *name, size_t len, u32 mode,
		      struct inode **out);
	int (*mkdir)(struct inode *dir, const char *name, size_t len, u32 mode,
		     struct inode **out);
	int (*mknod)(struct inode *dir, const char *name, size_t len, u32 mode,
		     kdev_t rdev, struct inode **out);
	int (*symlink)(struct inode *dir, const char *name, size_t len,
		       const char *target, struct inode **out);
	/* 1: done, and what the name leads to has to be looked up. */
	int (*link)(struct inode *dir, const char *name, size_t len,
		    struct inode *target);
	int (*unlink)(struct inode *dir, const char *name, size_t len,
		      struct inode *victim);
	int (*rmdir)(struct inode *dir, const char *name, size_t len,
		     struct inode *victim);
	/* Both directories locked; @victim is what new_name names now, or NULL;
	 * flags: RENAME_EXCHANGE, RENAME_WHITEOUT, which leaves a character device
	 * 0:0 behind (-EINVAL: cannot), or 0 (NOREPLACE is checked by the VFS). */
	int (*rename)(struct inode *old_dir, const char *old_name,
		      size_t old_len, struct inode *inode,
		      struct inode *new_dir, const char *new_name,
		      size_t new_len, struct inode *victim, u32 flags);
	/* inode->lock held for writing.  Applies @a (also size: truncates
	 * blocks; the VFS has called nothing before) and updates the inode.
	 * NULL: the generic one, which changes the in-memory inode only. */
	int (*setattr)(struct inode *inode, const struct iattr *a);
	/* Symlink's target, NUL-terminated, into @buf: length or -errno.  Also
	 * for /proc's magic links: get_link below. */
	s64 (*readlink)(struct inode *inode, char *buf, size_t size);
	/* Magic link: jump to a path instead of walking text.  Optional. */
	int (*get_link)(struct inode *inode, struct path *out);
	/* O_TMPFILE.  Optional. */
	int (*tmpfile)(struct inode *dir, u32 mode, struct inode **out);
	/* Extended attributes; optional (-EOPNOTSUPP).  Full names "user.x". */
	s64 (*getxattr)(struct inode *i, const char *name, void *buf, size_t n);
	int (*setxattr)(struct inode *i, const char *name, const void *buf,
			size_t n, int flags);
	int (*removexattr)(struct inode *i, const char *name);
	s64 (*listxattr)(struct inode *i, char *buf, size_t n);
	/* Inodes whose attributes are computed (/proc): before stat and
	 * walk. */
	int (*revalidate)(struct inode *inode);
	/* What stat(2) shows that is not in the inode.  Only of those that have
	 * revalidate(), and after it.  Optional. */
	void (*fill_stat)(struct inode *inode, struct kstat *st);
	/* The same for a cached name; false: forget the dentry.  Optional. */
	bool (*d_revalidate)(struct inode *dir, struct dentry *d);
	/* @d is what lookup() or one that makes names has just said; dcache_lock
	 * held.  Optional. */
	void (*d_fresh)(struct inode *dir, struct dentry *d);
	/* As create(), for open(2) with @flags, which comes next.  Optional. */
	int (*create_open)(struct inode *dir, const char *name, size_t len,
			   u32 mode, u32 flags, struct inode **out);
	/* Called on open of a regular file or directory, may set f->priv,
	 * f->ops.  f->flags have O_TRUNC still, which the VFS sees to. */
	int (*open)(struct inode *inode, struct file *f);
	/* Replaces the generic mode check.  Optional. */
	int (*permission)(struct inode *inode, u32 mask);
	/* names here change on their own: never cache children */
	bool no_dcache;
};

struct inode {
	u64 ino;		/* [I] */
	struct super_block *sb; /* [I] */
	u32 refs;		/* [a] */
	u32 mode;		/* [lock] type bits [I] */
	u32 uid, gid;		/* [lock] */
	u32 nlink;		/* [lock] */
	u8 acl_state;		/* [a] fs/acl.h */
	u8 acl_default;		/* [a] likewise, of a directory */
	u8 filecaps;		/* [a] fs/filecaps.h */
	kdev_t rdev;		/* [I] */
	struct timespec64 atime, mtime, ctime,
		btime; /* [lock]; racy reads ok */
	u64 blocks;    /* [lock] 512-byte units */
	u32 generation;
	u32 iflags;		     /* [lock] FS_IMMUTABLE_FL etc. */
	const struct inode_ops *ops; /* [I] */
	const struct file_ops *fops; /* [I] default f->ops */
	struct rwsem lock;
	struct mapping mapping; /* page cache; mapping.size is i_size */
	struct hlist_link {
		struct list_head node; /* [icache lock] hash chain */
	} hash;
	struct list_head sb_node;  /* [icache lock] in sb->inodes */
	struct list_head lru_node; /* [icache lock] unreferenced, cached */
	u32 state;		   /* [icache lock] I_*, fs/inode.c */
	u32 dirty;		   /* [a] attributes to write: write_inode */
	s32 writecount;		 /* [a] > 0: open for writing; < 0: executed */
	u32 readcount;		 /* [a] open for reading only */
	u8 write_hint;		 /* [a] F_SET_RW_HINT */
	bool linkable;		 /* [lock] nameless, but may get a name */
	struct list_head flocks; /* [flock_lock] fs/locks.c */
	struct list_head dentries; /* [dcache_lock] aliases */
	char *link; /* [a] text of a symbolic link, once known and
					 * never to change; see fs/walk.c */
	void *fifo; /* named pipe: fs/pipe.c */
	void *priv; /* the file system's; or embed the inode */
};
#define i_size mapping.size

struct super_ops {
	/* Allocate / free the object that embeds struct inode.  NULL: plain. */
	struct inode *(*alloc_inode)(struct super_block *sb);
	void (*free_inode)(struct inode *inode);
	/* Write attributes (called without locks), and clear inode->dirty, but not
	 * before who looks at it could miss them.  Optional. */
	int (*write_inode)(struct inode *inode, bool wait);
	/* Last reference to an inode with nlink 0, or eviction: free its blocks
	 * if nlink == 0; pages are gone already.  Optional. */
	void (*evict_inode)(struct inode *inode);
	/* Before the last inodes are evicted at unmount: memory file systems
	 * drop the references that their names hold.  Optional. */
	void (*drop_names)(struct super_block *sb);
	int (*sync_fs)(struct super_block *sb, bool wait);
	/* After that: all of it is at its place on the device, for who reads it
	 * there.  Optional. */
	int (*settle)(struct super_block *sb);
	/* Hold still, all written, until thaw(); who changes something waits.  Both
	 * or none. */
	int (*freeze)(struct super_block *sb);
	int (*thaw)(struct super_block *sb);
	/* Somebody has written bytes [pos, pos + len) of the device, and they are
	 * there.  Optional. */
	void (*device_written)(struct super_block *sb, u64 pos, u64 len);
	int (*statfs)(struct super_block *sb, struct kstatfs *out);
	int (*remount)(struct super_block *sb, u64 flags, const char *data);
	void (*put_super)(struct super_block *sb); /* unmounted: all synced */
	/* Options for /proc/mounts after "rw", e.g. ",size=4k".  Optional. */
	void (*show_options)(struct super_block *sb, char *buf, size_t n);
	/* What of it is mounted where @m is, for mountinfo; as mount_root_str().
	 * Optional: the path of m->root. */
	s64 (*show_root)(struct mount *m, char *buf, size_t n);
	/* The inode that had this number and generation, if it is still there:
	 * with a reference, or ERR_PTR(-ESTALE).  Optional: no file handles.
	 * ->fh_prepare: @inode's numbers are given out.  Optional. */
	struct inode *(*fh_to_inode)(struct super_block *sb, u64 ino, u32 gen);
	void (*fh_prepare)(struct inode *inode);
	/* umount(2) with MNT_FORCE, before anything else: let go who waits.  Does
	 * not wait itself.  Optional. */
	void (*umount_begin)(struct super_block *sb);
	bool fh_id64;	 /* a handle is the number alone (FILEID_KERNFS) */
	bool has_dotdot; /* lookup() of a directory finds its ".." */
	bool no_icache;	 /* inodes are dropped at the last reference */
	bool open_stays; /* FS_IMMUTABLE_FL binds who opens, not who has opened */
	bool fixed_names; /* a name that is not there cannot be made: ENOENT */
};

/* mount(2) flags kept in sb->flags / mnt->flags */
#define MS_RDONLY      1
#define MS_NOSUID      2
#define MS_NODEV       4
#define MS_NOEXEC      8
#define MS_SYNCHRONOUS 16
#define MS_REMOUNT     32
#define MS_DIRSYNC     128
#define MS_NOSYMFOLLOW 256
#define MS_NOATIME     1024
#define MS_NODIRATIME  2048
#define MS_BIND	       4096
#define MS_MOVE	       8192
#define MS_REC	       16384
#define MS_SILENT      32768
#define MS_UNBINDABLE  (1 << 17)
#define MS_PRIVATE     (1 << 18)
#define MS_SLAVE       (1 << 19)
#define MS_SHARED      (1 << 20)
#define MS_RELATIME    (1 << 21)
#define MS_STRICTATIME (1 << 24)
#define MS_LAZYTIME    (1 << 25)

struct super_block {
	const struct fs_type *type;  /* [I] */
	const struct super_ops *ops; /* [I] */
	struct blkdev *bdev;	     /* [I] or NULL */
	kdev_t dev;		     /* [I] st_dev */
	u64 flags;		     /* [a] MS_* */
	bool dead;		     /* [a] nothing is written any more */
	u32 block_size;		     /* [I] */
	u64 max_size;		     /* [I] largest file */
	u64 magic;		     /* [I] statfs f_type */
	bool frozen;		     /* [freeze_mutex; racy reads ok] */
	bool has_iflags;	     /* [I] inodes can have FS_*_FL */
	bool own_checks;  /* [I] who may change attributes, it says itself */
	bool own_devices; /* [I] nodes are the kernel's: whoever mounted it */
	bool own_umask;	  /* [I] it takes the umask from modes itself */
	u8 stack_depth;	  /* [I] file systems below it, one on the other */
	u8 uuid[16];	  /* [I] of the volume; zeroes: none */
	u32 time_gran;	  /* [I] ns */
	s64 time_min, time_max; /* [I] seconds; both 0: no limits */
	struct dentry *root;	/* [I] owned */
	struct mutex rename_lock;
	struct list_head inodes; /* [icache lock] */
	struct list_head node;	 /* [icache lock] all super blocks */
	u32 refs;		 /* [icache lock] mounts, and 1 if single */
	u32 next_ino;		 /* for memory file systems, [a] */
	struct user_ns *user_ns; /* [I] owned: in which it was made */
	char *subtype; /* [I] "x" of what is mounted as "type.x", or NULL */
	void *priv;    /* the file system's */
};

struct dentry {
	u32 refs;		/* [a] */
	u32 flags;		/* [dcache_lock] DENTRY_* */
	struct inode *inode;	/* [dcache_lock / dir lock] NULL: negative */
	struct dentry *parent;	/* [dcache_lock] owned; root: self */
	struct super_block *sb; /* [I] */
	char *name;		/* [dcache_lock] NUL-terminated */
	u32 name_len, hash;
	char inline_name[32];
	struct list_head hash_node; /* [dcache_lock] */
	struct list_head children;  /* [dcache_lock] */
	struct list_head sibling;   /* [dcache_lock] */
	struct list_head alias;	    /* [dcache_lock] in inode->dentries */
	struct list_head lru;	    /* [dcache_lock] */
	u32 nr_mounted;		    /* [dcache_lock] mounts on top */
	u32 nr_pins;		    /* [dcache_lock] of names: place.c */
	void *priv; /* the file system's; not freed by the VFS */
};

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

struct mount {
	u32 refs;		   /* [a] 1 for its place in the tree, children,
					 * paths */
	int id;			   /* [I] */
	u64 unique_id;		   /* [I] never given again: statmount(2) */
	struct super_block *sb;	   /* [I] */
	struct dentry *root;	   /* [I] owned */
	struct mount *parent;	   /* [dcache_lock] owned; NULL: top */
	struct dentry *mountpoint; /* [dcache_lock] owned, in parent */
	u64 flags;		   /* [a] MS_RDONLY NOSUID ... */
	u64 locked_flags; /* [mount_mutex] of them: set from outside, to stay */
	bool locked;	  /* [mount_mutex] may not go alone, as it hides what
			   * somebody further up has hidden */
	u32 writers;	  /* [a] files of it open for writing */
	struct mnt_ns *ns; /* [a] of its tree's top: whose that is, or NULL */
	bool expiring;	   /* [a] umount2(MNT_EXPIRE) was here, and
					 * nobody since */
	bool internal;	   /* [I] of no tree, ever */
	bool loose; /* [mount_mutex] of no tree yet: fsmount(), open_tree() */
	struct list_head node;	    /* [dcache_lock] all mounts, in order */
	struct list_head hash_node; /* [dcache_lock] by (parent, mountpoint) */
	struct list_head id_node;   /* [dcache_lock] by unique_id */
	struct list_head children;  /* [dcache_lock] and mount_mutex */
	struct list_head child;	    /* likewise, in parent's */
	char *devname;		    /* [I] as given to mount(2) */
	/* [mount_mutex] for fs/propagate.c */
	u32 group;  /* peers have the same; 0: not shared */
	u32 master; /* group whose slave it is; 0: none's */
	bool unbindable;
	struct list_head sharing; /* all with a group or a master */
	/* [mount_mutex] for the time of one operation */
	bool doomed, through;
	u64 saved_flags;
	struct mount *copy, *target;
	struct path was;
	struct list_head pending;
};

struct fs_type {
	const char *name;
	bool needs_dev;
	bool has_subtype; /* "name.x" is it too, with option subtype=x */
	/* Whose root may make one, in whose namespace it then is; NULL: only that
	 * of the first. */
	struct user_ns *(*owner)(void);
	/* one instance, shared by all mounts and never destroyed */
	bool single;
	/* Or one for each value of this (a namespace of current's): sb->priv. */
	const void *(*key)(void);
	/* What it shows root of a user namespace may see only if he sees all of an
	 * instance already. */
	bool shows_system;
	/* although: on Linux each mount is an instance, so one may lie on another */
	bool single_stacks;
	/* no "nodev" in /proc/filesystems although !needs_dev */
	bool nodev_opt;
	/* Is @opt ("size=4k") one of its options?  0, -ENOENT: not known, or
	 * -EINVAL: a wrong value.  Optional: mount() will tell. */
	int (*check_option)(const char *opt);
	/* @bdev NULL unless needs_dev.  Fills sb (ops, root by
	 * dentry_alloc_root(inode), ...).  0 or -errno, then nothing is
	 * kept. */
	int (*mount)(struct super_block *sb, struct blkdev *bdev, u64 flags,
		     const char *data);
	/* The single instance is mounted once more.  Optional. */
	int (*again)(struct super_block *sb, const char *data);
	/* The directory of it that current sees as its root, with a reference, or
	 * ERR_PTR.  Optional: the root. */
	struct dentry *(*top)(struct super_block *sb);
	struct list_head node;	       /* [mount_mutex] */
	struct super_block *single_sb; /* [mount_mutex] */
};
int fs_register(struct fs_type *t);
/*
 * Each option of @data ("a,b=c"; NULL: none) is taken: @val is what stands behind the
 * '=', or NULL.  Until one is an error, which is the answer (what earlier ones did to @to
 * stays); unknown ones (-ENOENT) are -EINVAL.  May sleep.
 */
int fs_options(const char *data,
	       int (*take)(void *to, const char *key, const char *val),
	       void *to);
/* The same of one, where unknown is -ENOENT: for check_option. */
int fs_option(const char *opt,
	      int (*take)(void *to, const char *key, const char *val),
	      void *to);
/* "type", or "type.subtype"; into @buf of @n bytes, which it returns. */
const char *sb_type_str(const struct super_block *sb, char *buf, size_t n);
#define SB_TYPE_MAX 96u
void fs_for_each_type(void (*fn)(struct fs_type *t, void *ctx), void *ctx);

struct kstatfs {
	u64 type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen,
		frsize, flags;
};

struct kstat {
	u64 dev, ino;
	u32 mode, nlink, uid, gid;
	u64 rdev, size, blksize, blocks;
	struct timespec64 atime, mtime, ctime, btime;
	u64 mnt_id, mnt_unique_id;
	bool is_mount_root;
	/* STATX_ATTR_*: FS_*_FL are the same bits; @attributes_known: those the
	 * file system has. */
	u32 attributes, attributes_known;
	u32 dio_align; /* bytes, of memory and offset; 0: no O_DIRECT */
};

/* --- fs/inode.c */
/* New in-memory inode of @sb (refs 1, unhashed, times now, ino 0). */
struct inode *inode_new(struct super_block *sb);
/* Find in the cache, or allocate: *@is_new tells; a new one must be filled and
 * then inode_unlock_new() (or inode_fail_new() on error) - others wait for
 * it. */
struct inode *inode_get_by_ino(struct super_block *sb, u64 ino, bool *is_new);
void inode_unlock_new(struct inode *i);
void inode_fail_new(struct inode *i);
void inode_hash_insert(struct inode *i); /* nothing, when it is */
/* In the cache, referenced, or NULL. */
struct inode *inode_find(struct super_block *sb, u64 ino);
struct inode *inode_get(struct inode *i);
/* One more reference, unless there is none left: then it is about to go.  For who finds it
 * in a table of his own, in which it is without one. */
bool inode_try_get(struct inode *i);
/* Link count: nobody's business but the file system's; 0 means free at last
 * put. */
void inode_put(struct inode *i); /* may sleep */
void inode_mark_dirty(struct inode *i);
struct timespec64 inode_now(const struct inode *i); /* at sb granularity */
void inode_touch(struct inode *i, bool m, bool c);
/* Owner, group and mode of an inode that current makes in @dir. */
void inode_init_owner(struct inode *i, const struct inode *dir, u32 mode);
/* What is left of @mode, before the umask, for a file made in @dir. */
u32 mode_strip_sgid(const struct inode *dir, u32 mode);
int inode_setattr_generic(struct inode *i, const struct iattr *a);
int sb_sync(struct super_block *sb, bool wait);
/* Is a file system mounted from the block device that path @dev names?  0, -ENODEV,
 * -ENOTBLK or what the path has wrong. */
int sb_is_mounted(const char *dev);
/* fs/freeze.c: -EBUSY, -EINVAL: it is frozen already, is not; -EOPNOTSUPP. */
int sb_freeze(struct super_block *sb);
int sb_thaw(struct super_block *sb);
/* What is mounted from @bd, its partitions or its disk is on the device as it is in
 * memory.  0 or the first error. */
int sb_settle_bdev(struct blkdev *bd);
/* Tell what is mounted from @bd that somebody wrote there. */
void sb_bdev_written(struct blkdev *bd, u64 pos, u64 len);
void sync_all(bool wait);
u64 inode_cache_count(u64 *unused);

/* --- fs/dcache.c */
struct dentry *dentry_alloc_root(struct inode *root); /* takes the inode */
struct dentry *dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
/* Names below @dir that a file system knows to be gone. */
void dentry_drop_children(struct dentry *dir);
/* The name of @inode in a directory was removed behind the VFS's back. */
void dentry_drop_inode(struct inode *inode);
/* What @name in @dir leads to is not known any more; not @only (or NULL): -ENOENT.
 * @expire: ask again before it is used (dentry->priv becomes NULL).  -EBUSY:
 * something is mounted there.  Waits for nobody. */
int dentry_forget(struct inode *dir, const char *name, u32 len,
		  const struct inode *only, bool expire);
/* All that can be found; those that nobody uses, and which of them name nothing. */
u64 dentry_cache_count(u64 *unused, u64 *absent);

/* --- fs/namei.c */
#define LOOKUP_FOLLOW	 BIT(0)
#define LOOKUP_DIRECTORY BIT(1)
#define LOOKUP_EMPTY	 BIT(2) /* AT_EMPTY_PATH */
#define LOOKUP_PARENT	 BIT(3)
#define AT_FDCWD	 (-100)
/* @path in kernel memory, relative to @dirfd. */
int path_lookup(int dirfd, const char *path, u32 flags, struct path *out);
void path_get(const struct path *p);
void path_put(const struct path *p);
bool path_equal(const struct path *a, const struct path *b);
/* Absolute path of @p as seen from @root into buf: length or -ENAMETOOLONG. */
s64 path_to_str(const struct path *p, const struct path *root, char *buf,
		size_t size);
/* The same, -EXDEV when @p is not below @root. */
s64 path_below_str(const struct path *p, const struct path *root, char *buf,
		   size_t size);
/* What getcwd(2) says: length, -ENOENT (removed) or -ERANGE. */
s64 path_cwd_str(char *buf, size_t size);
bool inode_owner_or_capable(const struct inode *i);
/* /proc/sys/fs/protected_*: [a] what may be used in directories that everybody
 * writes to.  fs/protect.c */
extern u64 protected_symlinks, protected_hardlinks; /* 0, 1 */
extern u64 protected_fifos, protected_regular;	    /* 0 .. 2 */
#define FS_IMMUTABLE_FL 0x10u			    /* inode->iflags */
#define FS_APPEND_FL	0x20u
#define FS_NODUMP_FL	0x40u
#define FS_NOATIME_FL	0x80u
#define FS_COMPR_FL	0x04u
#define FS_SYNC_FL	0x08u
#define FS_DIRSYNC_FL	0x10000u
/* Is what is done on the disk when the call returns: with the file, with names in a
 * directory, by this open file?  O_DSYNC without O_SYNC means data and size. */
static inline bool inode_is_sync(const struct inode *i)
{
	return (i->sb->flags & MS_SYNCHRONOUS) || (i->iflags & FS_SYNC_FL);
}

static inline bool inode_is_dirsync(const struct inode *dir)
{
	return (dir->sb->flags & (MS_SYNCHRONOUS | MS_DIRSYNC)) ||
	       (dir->iflags & (FS_SYNC_FL | FS_DIRSYNC_FL));
}

static inline bool file_is_sync(const struct file *f)
{
	return (f->flags & O_DSYNC) || inode_is_sync(f->inode);
}

int inode_permission(struct inode *i, u32 mask); /* current's fsuid */
/* The same by mode and access control list alone: for an op permission(). */
int inode_mode_permission(struct inode *i, u32 mask);
int path_permission(const struct path *p, u32 mask); /* + ro mounts, noexec */
#define MAY_EXEC  1
#define MAY_WRITE 2
#define MAY_READ  4
/* For file systems that check for themselves: it is access(2), chdir(2) that asks. */
#define MAY_ACCESS 16
#define MAY_CHDIR  64
/* By mode, owner and group alone. */
int generic_permission(const struct inode *i, u32 mask);

/* Kernel-side operations, paths in kernel memory. */
struct file *vfs_open(int dirfd, const char *path, u32 flags, u32 mode);
#define RESOLVE_NO_XDEV	      0x01 /* openat2(2) */
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS   0x04
#define RESOLVE_BENEATH	      0x08
#define RESOLVE_IN_ROOT	      0x10
#define RESOLVE_CACHED	      0x20 /* -EAGAIN rather than ask a file system */
struct file *vfs_openat(int dirfd, const char *path, u32 flags, u32 mode,
			u32 resolve);
/* What @p leads to, with all checks of open(2).  Takes the references of @p. */
struct file *vfs_open_at_path(const struct path *p, u32 flags);
/* References taken, permissions not checked. @cred NULL: current's. */
struct file *vfs_open_path(const struct path *p, u32 flags, struct cred *cred);
/* The same for two who are not like others: who executes it (and who watches hears
 * of that), and who watches (of whose deeds nobody hears). */
struct file *vfs_open_exec(const struct path *p);
struct file *vfs_open_unwatched(const struct path *p, u32 flags);
int vfs_mkdir(int dirfd, const char *path, u32 mode);
int vfs_mknod(int dirfd, const char *path, u32 mode, kdev_t dev);
/* The node itself, and the mount it was made on, with references: whatever has that
 * name by now. */
int vfs_mknod_get(int dirfd, const char *path, u32 mode, kdev_t dev,
		  struct inode **node, struct mount **mnt);
int vfs_symlink(const char *target, int dirfd, const char *path);
int vfs_link(int olddirfd, const char *oldpath, int newdirfd,
	     const char *newpath, u32 flags);
int vfs_link_path(const struct path *old, int newdirfd, const char *newpath);
int vfs_unlink(int dirfd, const char *path, bool rmdir);
int vfs_rename(int olddirfd, const char *oldpath, int newdirfd,
	       const char *newpath, u32 flags);
int vfs_stat(const struct path *p, struct kstat *st);
int path_stat(int dirfd, const char *path, u32 flags, struct kstat *st);
int vfs_fstat(struct file *f, struct kstat *st);
int vfs_setattr(const struct path *p, struct iattr *a);
int vfs_fsetattr(struct file *f, struct iattr *a);
int vfs_truncate(const struct path *p, u64 size);
int vfs_ftruncate(struct file *f, u64 size); /* open for writing, regular */
s64 vfs_read(struct file *f, struct iov_iter *to, u64 *pos);
s64 vfs_write(struct file *f, struct iov_iter *from, u64 *pos);
s64 vfs_read_kernel(struct file *f, void *buf, size_t n, u64 pos);
int vfs_fsync(struct file *f, bool datasync);
/* The page cache behind a regular file or block device, else NULL. */
struct mapping *vfs_mapping(struct file *f);
s64 generic_file_llseek(struct file *f, s64 off, int whence);
/* Of what has no end to seek from; SEEK_END is -EINVAL. */
s64 endless_llseek(struct file *f, s64 off, int whence);
/* readdir helper: "." at offset 0 and ".." at 1; false: the buffer is full.
 * The file system's own entries then use offsets from 2 on. */
bool dir_emit_dots(struct file *f, struct dir_ctx *ctx);
/* Access time after a read, by the mount's rules; cheap when nothing is due. */
void file_accessed(struct file *f);
/* The same for a path, without a file. */
void path_accessed(const struct path *p);
/* Data changes, by no write: set-id bits go, times move.  inode->lock held. */
void inode_modified(struct inode *i);
/* Before data is written: limits, O_APPEND, set-id bits, times.  inode->lock
 * held for writing.  0 or -errno; truncates @from at limits. */
int file_prepare_write(struct file *f, struct iov_iter *from, u64 *pos);
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4
/* The members of generic_file_ops, for those who replace some of them. */
s64 generic_file_read(struct file *f, struct iov_iter *to, u64 *pos);
s64 generic_file_write(struct file *f, struct iov_iter *from, u64 *pos);
int generic_file_mmap(struct file *f, struct vma *vma);
int generic_file_fsync(struct file *f, bool datasync);
/* Ready-made file_ops for regular files over inode->mapping. */
extern const struct file_ops generic_file_ops;

/* --- fs/mount.c */
int vfs_mount(const char *dev, const char *dir, const char *type, u64 flags,
	      const char *data);
int vfs_umount(const char *dir, u32 flags);
bool vfs_may_mount(void); /* may current change its mounts at all? */
int vfs_pivot_root(const char *new_root, const char *put_old);
struct mount *mount_of_root(void);
/* Is @m in current's tree?  mount_mutex, or as well dcache_lock. */
bool mount_attached(const struct mount *m);
/* The tree or a mount of it has changed: the number, then those who wait. */
extern u32 mounts_event; /* [a] */
extern struct waitq mounts_wq;
/* First mount: tmpfs/rootfs at /, for init. */
int vfs_mount_root(const char *dev, const char *type, u64 flags,
		   const char *data);
/* In order of unique_id; @fn runs without locks and may sleep. */
void mount_for_each(void (*fn)(struct mount *m, void *ctx), void *ctx);
u32 mount_count(void); /* at most so many does it call, unless some come */
/* Texts of up to @n bytes; their length.  "rw,nosuid,relatime,size=4k" as in
 * /proc/mounts; of it what belongs to the mount; what belongs to the instance. */
size_t mount_options_str(struct mount *m, char *buf, size_t n);
size_t mount_flags_str(const struct mount *m, char *buf, size_t n);
size_t sb_options_str(struct super_block *sb, char *buf, size_t n);
/* What of its file system is mounted: "/" or "/sub/directory".  As path_to_str. */
s64 mount_root_str(struct mount *m, char *buf, size_t n);
/* The next master group with a mount below @root that the slave @m gets events
 * from: "propagate_from" of mountinfo.  0: none. */
u32 mount_dominator(struct mount *m, const struct path *root);
struct mount *mount_get(struct mount *m);
void mount_put(struct mount *m); /* may sleep */
/* A mount that has no place in the tree (pipefs, proc for the kernel). */
struct mount *mount_internal(struct fs_type *t);

/* --- fs/handle.c */
/* What stands for an inode where it is named by number. */
struct fhandle {
	u32 bytes; /* of data */
	s32 type;
	u32 data[3];
};
#define FILEID_INO32_GEN	0x01
#define FILEID_INO32_GEN_PARENT 0x02
#define FILEID_INO64_GEN	0x81 /* of who cannot be opened by it */
#define FILEID_KERNFS		0xfe
#define FILEID_INVALID		0xff
/* Its numbers are to be found from then on (super_ops.fh_prepare). */
void inode_handle(const struct inode *i, struct fhandle *h);
/* The file of @mnt's file system that has these numbers, referenced: 0, -ESTALE
 * or another error. */
int vfs_handle_open(struct mount *mnt, u64 ino, u32 gen, struct path *out);

/* --- per-process root, cwd, umask (struct fs_ctx of kernel/task) */
struct fs_ctx {
	u32 refs;	       /* [a] */
	struct spinlock lock;  /* RANK_FILE */
	struct path root, cwd; /* changed under lock and dcache_lock, read under
				 * either */
	struct mnt_ns *ns;     /* [lock] whose mounts these are; owned */
	u32 umask;	       /* [a] */
};
void fs_ctx_get_root(struct path *out);
void fs_ctx_get_cwd(struct path *out);
/* These two take the references of @p. */
void fs_ctx_set_root(const struct path *p);
void fs_ctx_set_cwd(const struct path *p);
u32 current_umask(void);

/* RLIMIT_FSIZE of current; and SIGXFSZ for who goes beyond it. */
u64 fs_size_limit(void);
void fs_size_exceeded(void);

#endif /* FS_VFS_H */
