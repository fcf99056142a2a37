/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/overlay.h - a file system made of layers of others: the contract.
 *
 * What is seen is the union of the lower layers, which are never changed, and of an
 * upper one, which takes every change.  On disk it is as Linux 6.12 has it, so that
 * either may go on with the other's layers.
 *
 * OBJECTS
 *   ovl_fs     an instance: layers, options, and the credentials of who mounted it.
 *   ovl_layer  a mount of our own of a layer's directory, in no tree.  Layer 0 is
 *		the upper one (mnt NULL: there is none), then the lower ones, top
 *		first.
 *   ovl_fsys   a file system that layers are of; number 0 is the upper one's.
 *   ovl_inode  an object of the union.  It owns references on what it is made of: the
 *		upper dentry, or NULL, and the lower ones, topmost first: several of a
 *		merged directory, one of any other object that is in no upper layer.
 *		What a copied-up file was made from is `origin'.
 *   ovl_file   what file->priv of an open regular file is: files underneath.
 *   ovl_list   what file->priv of an open directory is: the names in it.
 *
 * DATA
 *   An ovl_inode has no pages.  read, write and the like go to the file underneath,
 *   a mapping maps its pages.  A file that was opened before it was copied up reads
 *   the copy from then on; mappings of it keep what they had.
 *   Attributes are those of the topmost object (the "real" one), copied at each look
 *   (ops->revalidate) and after each change.
 *
 * COPY-UP
 *   A file: when it is opened for writing, or its attributes, extended attributes,
 *   flags or names change; with data unless it is being emptied.  A directory: when
 *   that, or something in it, changes; without what is in it.  Ancestors first.
 *   The copy is made in workdir/work, complete with attributes, synced (unless
 *   "volatile"), and then renamed to its place.  What fails before that is removed
 *   from the work directory, and nothing has changed (ancestors that were copied up
 *   show what they showed).  A crash leaves things in the work directory only,
 *   which the next mount empties.
 *
 * PERMISSIONS
 *   The caller needs them by the attributes that the union shows; then whoever
 *   mounted needs them underneath: there current->cred is ofs->cred (ovl_enter()).
 *
 * LOCKS, outer first
 *   inode->lock of ovl_inodes, as fs/vfs.h says at each operation
 *   ovl_inode->lock	an object's copy-up; two are never held
 *   locks of the file systems underneath, taken and given up inside of fs/under.c
 *   ofs->lock (RANK_FILE): the table of inodes; nothing inside
 *
 * INVARIANTS
 *   V1  oi->upper changes once, from NULL, under oi->lock, and stays.
 *   V2  An object that is in no upper layer is not renamed and has one name: so who
 *	 holds oi->lock can rely on where it is.
 *   V3  An object that can be reached by several names, or that is looked up again
 *	 while it is in use, is in ofs->table under what identifies it.
 *
 * ORDERING
 *   UPPER  the dentry, its inode and attributes, then oi->upper; who reads the
 *	    pointer reads them after it.
 */
#ifndef FS_OVERLAY_H
#define FS_OVERLAY_H

#include <fs/under.h>
#include <fs/vfs.h>
#include <kernel/spinlock.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>

#define OVERLAYFS_MAGIC	 0x794c7630u
#define OVL_MAX_LAYERS	 500u
#define OVL_MAX_DEPTH	 2u
#define OVL_NR_BUCKETS	 256u
#define OVL_NAME_LEN	 24u /* "#1234abcd" in the work directory */
#define OVL_REDIRECT_MAX 256u

enum ovl_redirect {
	OVL_REDIRECT_OFF, /* not followed, not made */
	OVL_REDIRECT_FOLLOW,
	OVL_REDIRECT_NOFOLLOW,
	OVL_REDIRECT_ON,
};
enum ovl_xino {
	OVL_XINO_OFF,
	OVL_XINO_AUTO,
	OVL_XINO_ON,
};
enum ovl_uuid {
	OVL_UUID_AUTO,
	OVL_UUID_OFF,
	OVL_UUID_NULL,
	OVL_UUID_ON,
};

/* As mounted; strings are owned.  All but those of `lower' are as given, with
 * escapes. */
struct ovl_config {
	char *lowerdirs;    /* as given by lowerdir=, or NULL */
	char **lower;	    /* each, unescaped */
	u32 nr_lower;	    /* of them */
	bool lower_plus;    /* given by lowerdir+= */
	char *upper, *work; /* or NULL */
	enum ovl_redirect redirect;
	enum ovl_xino xino;
	enum ovl_uuid uuid;
	bool redirect_set, default_permissions, volatile_, userxattr;
};

struct ovl_fsys {
	struct super_block *sb;
	kdev_t dev; /* st_dev of its files, where numbers may clash */
};

struct ovl_layer {
	struct mount *mnt; /* owned */
	u32 fsys;	   /* index */
	bool xwhiteouts;   /* files may stand for whiteouts */
};

struct ovl_fs {
	struct super_block *sb;
	struct ovl_config config; /* [I] */
	struct cred *cred;	  /* [I] owned */
	struct ovl_layer *layer;  /* [I] nr_layers, 0: upper */
	u32 nr_layers;
	struct ovl_fsys *fsys; /* [I] */
	u32 nr_fsys;
	bool same_fs;  /* [I] all layers are of one file system */
	u32 xino_bits; /* [I] of a number, for the file system's; 0: none */
	bool nested;   /* [I] the upper one lies in a lower one */
	bool no_xattr; /* [I] the upper one takes none of ours */
	struct dentry *work;  /* [I] owned: workdir/work, or NULL */
	u32 next_temp;	      /* [a] */
	u64 next_ino;	      /* [a] */
	struct spinlock lock; /* of the table; RANK_FILE */
	struct list_head table[OVL_NR_BUCKETS];
};

struct ovl_lower {
	struct dentry *d; /* owned */
	struct ovl_layer *layer;
};

struct ovl_inode {
	struct inode vfs;
	struct mutex lock;
	struct dentry *upper;	 /* [a] V1; owned */
	struct ovl_lower *lower; /* [I] owned */
	u32 nr_lower;		 /* [I] */
	struct inode *origin;	 /* [I] owned, or NULL */
	u32 origin_fsys;	 /* [I] */
	bool impure;	       /* [a] directory: copies are in its upper one */
	bool opaque;	       /* [a] directory, upper: hides what is below */
	bool gone;	       /* [lock] of no upper layer, and removed */
	char *redirect;	       /* [vfs.lock] owned, or NULL */
	u64 version;	       /* [vfs.lock] directory: changes of names */
	const void *key;       /* [ofs->lock] */
	struct list_head node; /* [ofs->lock] in the table */
};

static inline struct ovl_fs *ovl_fs(const struct super_block *sb)
{
	return sb->priv;
}
static inline struct ovl_fs *ovl_of(const struct inode *i)
{
	return i->sb->priv;
}
static inline struct ovl_inode *ovl_i(const struct inode *i)
{
	return container_of(i, struct ovl_inode, vfs);
}
static inline struct dentry *ovl_upper(const struct inode *i)
{
	/* UPPER (acquire) - pairs with ovl_set_upper(). */
	return load_acquire(&ovl_i(i)->upper);
}
static inline struct mount *ovl_upper_mnt(const struct ovl_fs *ofs)
{
	return ofs->layer[0].mnt;
}
/* Made of several directories? */
static inline bool ovl_is_merged(const struct inode *i)
{
	const struct ovl_inode *oi = ovl_i(i);

	return oi->nr_lower + (ovl_upper(i) != NULL) > 1;
}

/* What current's thread does from here on, whoever mounted does; and the reverse
 * with what it returned. */
static inline struct cred *ovl_enter(const struct ovl_fs *ofs)
{
	return cred_act(ofs->cred);
}
static inline void ovl_leave(struct cred *mine)
{
	(void)cred_act(mine);
}

/* --- options.c */
int ovl_parse(struct ovl_config *c, const char *data);
void ovl_unescape(char *s); /* '\x' becomes x, in place */
int ovl_check_option(const char *opt);
void ovl_config_free(struct ovl_config *c);
void ovl_show_options(struct super_block *sb, char *buf, size_t n);

/* --- layers.c: fills ofs->layer, fsys, work; of what it filled ovl_layers_put()
 * takes the rest after an error, too. */
int ovl_layers_get(struct ovl_fs *ofs);
void ovl_layers_put(struct ovl_fs *ofs);

/* --- work.c: the work directory.  Mounter's credentials. */
int ovl_work_make(struct ovl_fs *ofs, const struct path *workdir);
void ovl_temp_name(struct ovl_fs *ofs, char name[OVL_NAME_LEN]);
void ovl_work_path(const struct ovl_fs *ofs, struct path *out);
/* Something new in it, called @name. */
int ovl_work_new(struct ovl_fs *ofs, const struct under_node *node,
		 char name[OVL_NAME_LEN], struct dentry **out);
/* What is there under that name goes, a directory with all that is in it. */
void ovl_work_drop(struct ovl_fs *ofs, const char *name);
/* A whiteout takes the place of what @name is in @dir, or of nothing. */
int ovl_whiteout_at(struct ovl_fs *ofs, const struct path *dir,
		    const char *name, size_t len, bool is_dir, bool exists);

/* --- inode.c */
/* The object made of these: takes the references, also on error.  ERR_PTR. */
struct ovl_parts {
	struct dentry *upper;
	struct ovl_lower *lower;
	u32 nr_lower;
	struct inode *origin;
	u32 origin_fsys;
	char *redirect;
	bool opaque;
};
struct inode *ovl_inode_get(struct super_block *sb, struct ovl_parts *p);
void ovl_parts_put(struct ovl_parts *p);
/* What it really is, without references. */
void ovl_real_path(const struct inode *i, struct path *out);
/* Its upper object; only when there is one. */
void ovl_upper_path(const struct inode *i, struct path *out);
void ovl_copy_attr(struct inode *i);
void ovl_set_upper(struct inode *i, struct dentry *upper);
u64 ovl_ino(const struct inode *i, u64 real_ino, u32 fsys);
int ovl_inode_init(void);
struct inode *ovl_alloc_inode(struct super_block *sb);
void ovl_free_inode(struct inode *i);
void ovl_evict_inode(struct inode *i);
extern const struct super_ops ovl_super_ops; /* super.c */

/* --- attr.c: what inode_ops have in common */
int ovl_permission(struct inode *i, u32 mask);
int ovl_revalidate(struct inode *i);
void ovl_fill_stat(struct inode *i, struct kstat *st);
int ovl_setattr(struct inode *i, const struct iattr *a);
s64 ovl_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int ovl_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		 int flags);
int ovl_removexattr(struct inode *i, const char *name);
s64 ovl_listxattr(struct inode *i, char *buf, size_t n);
#define OVL_ATTR_OPS                                                \
	.permission = ovl_permission, .revalidate = ovl_revalidate, \
	.fill_stat = ovl_fill_stat, .setattr = ovl_setattr,         \
	.getxattr = ovl_getxattr, .setxattr = ovl_setxattr,         \
	.removexattr = ovl_removexattr, .listxattr = ovl_listxattr

/* --- xattr.c: our own attributes.  Mounter's credentials. */
enum ovl_mark {
	OVL_OPAQUE,
	OVL_REDIRECT,
	OVL_ORIGIN,
	OVL_IMPURE,
	OVL_METACOPY,
	OVL_WHITEOUT,
	OVL_UPPER_ID,
	OVL_PROTATTR,
	OVL_UUID,
};
s64 ovl_mark_get(const struct ovl_fs *ofs, struct inode *real, enum ovl_mark m,
		 void *buf, size_t n);
int ovl_mark_set(const struct ovl_fs *ofs, struct dentry *upper,
		 enum ovl_mark m, const void *buf, size_t n);
/* 'y', 'x' or 0 */
char ovl_opaque_kind(const struct ovl_fs *ofs, struct inode *dir);
bool ovl_xattr_private(const struct ovl_fs *ofs, const char *name);
/* What it is called underneath: in @buf, or @name itself; NULL: too long. */
const char *ovl_xattr_below(const struct ovl_fs *ofs, const char *name,
			    char *buf, size_t n);
/* A list of names underneath as the union shows it; its length. */
s64 ovl_xattr_shown(const struct ovl_fs *ofs, char *list, s64 n);
int ovl_set_opaque(struct ovl_fs *ofs, struct inode *dir);
int ovl_set_impure(struct ovl_fs *ofs, struct inode *dir);
/* @moved gets a name in @dir: that is impure if it is, or was copied, of a lower layer. */
void ovl_tell_impure(struct ovl_fs *ofs, const struct inode *moved,
		     struct inode *dir);
/* --- origin.c: what a copy was made from */
int ovl_origin_set(struct ovl_fs *ofs, struct dentry *upper,
		   const struct inode *lower);
/* 0 also when nobody knows. */
int ovl_origin_find(struct ovl_fs *ofs, struct inode *upper, struct inode **out,
		    u32 *fsys);

/* --- lookup.c */
int ovl_lookup(struct inode *dir, const char *name, size_t len,
	       struct inode **out);
bool ovl_is_whiteout(const struct ovl_fs *ofs, const struct ovl_layer *l,
		     struct inode *real);
/* Would something below the upper layer be seen as @name in @dir?  1, 0, -errno. */
int ovl_lower_has(struct inode *dir, const char *name, size_t len);

/* --- copyup.c: no lock underneath held.  @empty: without data. */
int ovl_copy_up(struct inode *i, bool empty);

/* --- list.c */
extern const struct file_ops ovl_dir_fops;
/* 0, -ENOTEMPTY: something is to be seen in @dir.  Mounter's credentials. */
int ovl_check_empty(struct inode *dir);
/* @dir, which must show nothing (-ENOTEMPTY), is about to go: whiteouts in its upper
 * directory do, so that that can.  Mounter's credentials. */
int ovl_make_empty(struct ovl_fs *ofs, struct inode *dir);

/* --- dir.c, rename.c, file.c */
extern const struct inode_ops ovl_dir_ops;
extern const struct inode_ops ovl_file_inode_ops;
extern const struct inode_ops ovl_link_ops;
extern const struct inode_ops ovl_special_ops;
extern const struct file_ops ovl_file_ops;
s64 ovl_dir_ioctl(struct file *f, unsigned int cmd, u64 arg);
int ovl_rename(struct inode *old_dir, const char *old_name, size_t old_len,
	       struct inode *inode, struct inode *new_dir, const char *new_name,
	       size_t new_len, struct inode *victim, u32 flags);

#endif /* FS_OVERLAY_H */
