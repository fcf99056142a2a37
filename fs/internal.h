/* SPDX-License-Identifier: MIT */
/*
 * fs/internal.h - what the files of the VFS share among themselves.
 *
 * Not for file systems: those include fs/vfs.h.
 */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include <fs/vfs.h>
#include <lib/atomic.h>

/*
 * dentry->refs.  DREF_DEAD: unhashed for good; whoever drops the last reference
 * of a dead dentry frees it.  A live dentry without references stays cached.
 */
#define DREF_DEAD BIT(31)

/* dentry->flags [dcache_lock] */
#define DENTRY_DIR	  BIT(0)
#define DENTRY_LINK	  BIT(1)
#define DENTRY_SLOW_PERM  BIT(2) /* inode has permission or revalidate */
#define DENTRY_SLOW_NAMES BIT(3) /* its names need the file system each time */
#define DENTRY_HASHED	  BIT(4)
#define DENTRY_USED	  BIT(5) /* found since the shrinker last looked */
#define DENTRY_GONE	  BIT(6) /* its name was taken from it, or it never had one */

extern struct spinlock dcache_lock; /* RANK_VFS */
extern struct spinlock icache_lock; /* RANK_INODE */

static inline u32 name_hash_step(u32 h, char c)
{
	return (h ^ (u8)c) * 0x01000193u;
}
#define NAME_HASH_INIT 0x811c9dc5u
u32 name_hash(const char *name, size_t len);

/* --- dcache.c.  d_find .. d_drop: dcache_lock held. */
struct dentry *d_find(struct dentry *dir, const char *name, u32 len, u32 hash);
/* Negative, unlinked, refs 1, holds its parent.  NULL: out of memory. */
struct dentry *d_alloc(struct dentry *dir, const char *name, u32 len, u32 hash);
/* Put into the tree with @inode (taken; may be NULL).  Not @cached: dead from
 * birth, found by nobody. */
void d_add(struct dentry *d, struct inode *inode, bool cached);
void d_instantiate(struct dentry *d, struct inode *inode); /* takes it */
void d_drop(struct dentry *d);
/* Likewise; and its name is no more: " (deleted)". */
void d_delete(struct dentry *d);
/* The file system has just said what @d is. */
static inline void d_made(struct inode *dir, struct dentry *d)
{
	if (unlikely(dir->ops->d_fresh))
		dir->ops->d_fresh(dir, d);
}
/* A dead dentry is what its name leads to again; the caller has a reference. */
void d_revive(struct dentry *d);
/* A dentry that d_alloc() gave and nobody else saw. */
void d_discard(struct dentry *d);
/* Rename @d to what @target is called, which dies.  Locks taken inside. */
void d_move(struct dentry *d, struct dentry *target);
void d_exchange(struct dentry *a, struct dentry *b);
static inline bool d_dead(const struct dentry *d)
{
	return load_once(&d->refs) & DREF_DEAD;
}
/* Is @a an ancestor of @d, or @d itself?  dcache_lock held. */
bool d_is_ancestor(const struct dentry *a, const struct dentry *d);
void dcache_drop_sb(struct super_block *sb);
u64 dcache_shrink(u64 nr);
/* Called when a dentry was made; sheds old ones beyond the limit.  May
 * sleep. */
void dcache_balance(void);

/* --- inode.c */
u64 icache_shrink(u64 nr);
void inodes_drop_sb(struct super_block *sb);
struct inode *inode_next_dirty(struct super_block *sb, struct inode *prev);
/* Open for writing, or deleted but still open: no read-only remount. */
bool sb_has_writers(struct super_block *sb);

/* --- iflush.c */
void iflush_wake(void); /* an inode became dirty */

/* --- super.c */
extern struct mutex
	mount_mutex;	   /* changes of the mount tree; creation of sbs */
extern bool fs_root_ready; /* the root is mounted: devices have nodes */
/* mount_mutex held for these two. */
struct fs_type *fs_find_type(const char *name);
struct user_ns *fs_owner(const struct fs_type *t); /* of a new instance */
struct super_block *sb_find_or_create(struct fs_type *t, const char *dev,
				      u64 flags, const char *data);
kdev_t sb_anon_dev(void); /* one that nobody has; mount_mutex held */
void sb_get(struct super_block *sb);
void sb_put(struct super_block *sb); /* may sleep and destroy it */
int sb_remount(struct super_block *sb, u64 flags, const char *data);
void sb_remount_force(struct super_block *sb);
void sb_for_each(void (*fn)(struct super_block *sb, void *ctx), void *ctx);

/* --- mount.c */
void mount_lock(void); /* mount_mutex */
/* Then all that was taken out of the tree meanwhile is put: no lock held. */
void mount_unlock(void);
void mount_put_later(struct mount *m); /* m->was, and ->through: m itself */
/* mount_find .. mount_unlink: dcache_lock held; the others:
 * mount_mutex, or as well dcache_lock where nothing is changed. */
struct mount *mount_find(const struct mount *parent, const struct dentry *d);
void mount_link(struct mount *m, const struct path *p);
void mount_unlink(struct mount *m, struct path *was);
bool mount_is_below(const struct mount *m, const struct mount *top);
/* Of the tree that it is in; that of a loose one is current's. */
const struct user_ns *mount_owner(const struct mount *m);
/* May current change to whom what happens at @m spreads?  It may be in another
 * namespace.  0, -EINVAL: of no tree, -EPERM.  mount_mutex held. */
int mount_may_regroup(const struct mount *m);
bool mount_placed(const struct mount *m); /* in somebody's tree */
/* The top of the tree that it is in.  dcache_lock held, as for the next ones. */
const struct mount *mount_top(const struct mount *m);
/* The root tmpfs of a tree, when the real root lies on it: nobody gets there. */
bool mount_covered_top(const struct mount *m);
void mount_id_add(struct mount *m); /* mount_id.c */
void mount_id_del(struct mount *m);
struct mnt_ns;
void mount_ns_start(struct mount *top, struct mnt_ns *ns); /* its tree */
void mount_ns_end(struct mount *top); /* all of it goes; may sleep */
void mounts_changed(void);	      /* tell those who poll; no spinlock */
/* Sees current all of an instance of @t already?  mount_mutex held. */
bool mount_reveals_nothing(const struct fs_type *t);
bool mounts_full(u32 more); /* @more is too many */
/* The next one in @top's tree, parents first; NULL at the end. */
struct mount *mount_next(struct mount *m, const struct mount *top);
struct mount *mount_alloc(struct super_block *sb, struct dentry *root,
			  const char *dev, u64 flags);
/* What current sees of @sb, an instance of @t; takes the reference of @sb.  ERR_PTR. */
struct mount *mount_alloc_top(const struct fs_type *t, struct super_block *sb,
			      const char *dev, u64 flags);
/* --- devfs.c: nodes that the kernel makes below @root, with their directories */
int devfs_add(struct dentry *root, const char *path, u32 mode, kdev_t dev,
	      const char *target);
void devfs_set_owner(struct dentry *root, const char *path, u32 uid, u32 gid);
void devfs_del(struct dentry *root, const char *path);
/* --- place.c: what is mounted on names that are not cached */
/* What the name of @d leads to now, with a reference: @d itself, unless its
 * directory does not cache names.  May sleep.  ERR_PTR. */
struct dentry *place_again(struct dentry *d);
/* Is the name of @d one that its directory does not cache? */
bool place_uncached(const struct dentry *d);
void place_pin(struct dentry *d);   /* dcache_lock held, @d referenced */
void place_unpin(struct dentry *d); /* the reverse */
/* @d, found pinned in @dir, may be used still.  May sleep. */
bool place_valid(struct inode *dir, const struct dentry *d);
struct mount **mount_snapshot(u32 *nr);
void mount_snapshot_free(struct mount **all, u32 nr);

/* --- propagate.c: changes of the tree that others see.  mount_mutex held. */
#define COPY_SLAVE	BIT(0) /* of what is copied, else its peer */
#define COPY_SHARED	BIT(1)
#define COPY_UNBINDABLE BIT(2) /* these too */
#define COPY_ENSLAVE	BIT(4) /* what is shared has a slave as its copy */
#define COPY_NO_MNT_NS	BIT(3) /* but not files that are mount namespaces */
struct mount *mount_copy(struct mount *old, struct dentry *root, u32 kind);
/* With what is below it; NULL: *@err. */
struct mount *mount_copy_tree(struct mount *top, struct dentry *root, u32 kind,
			      int *err);
/* Put the tree @m, which has a place or not, on @at: on top of what is there,
 * or @beneath the mount whose root that is.  Takes the caller's reference of a
 * loose one. */
int mount_graft(struct mount *m, const struct path *at, bool beneath);
/* One reference of @top is the caller's.  @lazy: used or not, with all below. */
int mount_detach(struct mount *top, bool lazy);
/* A loose tree goes; the caller keeps his reference of its root. */
void mount_dissolve(struct mount *top);
void mount_set_kind(struct mount *m, u64 kind); /* MS_SHARED ... */
bool mount_has_unbindable(struct mount *top);
void mount_lock_tree(struct mount *top); /* for a user namespace below */
/* move_mount(MOVE_MOUNT_SET_GROUP) */
void mount_join(struct mount *m, const struct mount *peer);

/* --- mount_ops.c */
#define MNT_FLAGS                                                    \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | \
	 MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_NOSYMFOLLOW)
#define MNT_KINDS (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)
#define MNT_TIMES (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
/* A loose copy of what is at @old, with all below it when @rec; mount_mutex. */
int mount_bind_copy(const struct path *old, bool rec, struct mount **out);
int mount_move(const struct path *from, const struct path *at, bool beneath);
/* Flags of one mount; mount_mutex.  -EBUSY: open for writing. */
int mount_set_flags(struct mount *m, u64 flags);
bool path_readonly(const struct path *p);

/* --- walk.c: one path walk.  See there. */
enum name_type {
	NAME_NONE, /* nothing left: "/" */
	NAME_NORM,
	NAME_DOT,
	NAME_DOTDOT,
};
struct walk {
	struct path at; /* where it is; valid while dcache_lock is held */
	struct path
		anchor; /* referenced; what `at` was when the lock was let go */
	u32 flags;	/* LOOKUP_*, WALK_* */
	u32 resolve;	/* RESOLVE_* of openat2 */
	unsigned int nr_links; /* symlinks followed */
	const char *rest;      /* what remains of the path */
	const char *name;      /* component in hand, not terminated */
	u32 len, hash;
	enum name_type type;
	bool slash;	 /* a slash followed the component in hand */
	bool from_root;	 /* walk_resume() goes on at the root */
	bool jumped;	 /* a magic link led to `at' */
	char *page;	 /* text of the last symlink and what followed it */
	struct path top; /* referenced: RESOLVE_BENEATH, IN_ROOT; or NULL */
};
int walk_start(struct walk *w, int dirfd, const char *path, u32 flags,
	       u32 resolve);
int walk_run(struct walk *w);
void walk_hold(struct walk *w);
void walk_resume(struct walk *w, struct dentry *d);
int walk_follow(struct walk *w, struct dentry *link);
void walk_end(struct walk *w);
/* To the parent of the last component; on success no lock is held, anchor is
 * the parent and walk_end() is due. */
int walk_parent(struct walk *w, int dirfd, const char *path);
/* The same without a walk: the name @name of @len bytes in the directory @dir. */
void walk_given(struct walk *w, const struct path *dir, const char *name,
		u32 len);
int path_lookup_at(int dirfd, const char *path, u32 flags, u32 resolve,
		   struct path *out);
/* Child of @dir, referenced, perhaps negative; dir->inode->lock held. */
struct dentry *lookup_locked(struct dentry *dir, const char *name, u32 len,
			     u32 hash);
/* The same, taking the lock for reading. */
struct dentry *lookup_child(struct dentry *dir, const char *name, u32 len,
			    u32 hash);
/* Mounts on top of @p; dcache_lock held. */
void path_cross_mounts(struct path *p);
/* Root and working directory of current, alive while dcache_lock is held. */
void borrow_root(struct path *out);
void borrow_cwd(struct path *out);

/* --- path.c */
/* pivot_root: whoever is at @from is at @to from now on. */
void fs_ctx_replace_all(const struct path *from, const struct path *to);

/* --- perm.c */
/* Those of current; a kernel thread may do everything. */
const struct cred *fs_cred(void);
bool fs_capable(unsigned int cap); /* towards the first user namespace */
/* Towards that of current, if it knows the owner and group of @i. */
bool fs_capable_over(const struct inode *i, unsigned int cap);
bool fs_cred_capable(const struct user_ns *ns, unsigned int cap);
/* Has the namespace that @sb was made in names for both? */
bool sb_knows(const struct super_block *sb, u32 uid, u32 gid);
/* May current create in / remove @victim from @dir?  dir->lock held. */
int may_create(const struct path *dir);
int may_delete(const struct path *dir, const struct dentry *victim, bool isdir);

/* --- protect.c: 0 or -errno */
int may_follow_last(const struct inode *dir, const struct inode *link);
int may_link(struct inode *i);
int may_open_sticky(const struct inode *dir, const struct inode *i);

/* The set-id bits that go when current changes the file's data or owner. */
u32 setid_to_drop(const struct inode *i);

/* --- namei.c, rename.c */
/* unlink and rename once the parents are found; the caller ends the walks. */
int unlink_walked(struct walk *w, bool rmdir);
int rename_walked(const struct walk *old, const struct walk *new, u32 flags);
void vfs_lock_two(struct dentry *a, struct dentry *b);
void vfs_unlock_two(struct dentry *a, struct dentry *b);

/* --- open.c */
int special_open(struct inode *inode, struct file *f);
int fifo_open(struct inode *inode, struct file *f); /* fs/pipe.c */
int inode_deny_write(struct inode *i);		    /* -ETXTBSY */
void inode_allow_write(struct inode *i);
void file_uncount_writer(struct file *f);

/* --- attr.c */
int do_truncate(struct inode *i, u64 size);
void stat_path(const struct path *p, struct kstat *st); /* never sleeps */

#endif /* FS_INTERNAL_H */
