/* SPDX-License-Identifier: MIT */
/*
 * fs/tmpfs.h - inside of the file system in memory, for its own files and for
 * those that are made of it (devfs.c, shmem.c).
 *
 * A directory's names are entries in two trees: by hash and name, to find them,
 * and by cookie, so that a reader of the directory goes on where it stopped
 * whatever was added or removed.  An entry holds a reference on its inode; the
 * inodes are in no hash and die when names, dentries and files let go of them.
 */
#ifndef FS_TMPFS_H
#define FS_TMPFS_H

#include <fs/vfs.h>
#include <lib/rbtree.h>

#define F_SEAL_SEAL	    0x01u
#define F_SEAL_SHRINK	    0x02u
#define F_SEAL_GROW	    0x04u
#define F_SEAL_WRITE	    0x08u
#define F_SEAL_FUTURE_WRITE 0x10u
#define F_SEAL_EXEC	    0x20u
#define F_SEAL_ALL	    0x3fu

#define DIRENT_BYTES 20u /* what Linux's tmpfs counts for a name */

struct tmpfs_sb {
	u64 max_blocks;	    /* [a] pages; 0: no limit */
	u64 default_blocks; /* [I] what it is when nobody says */
	u64 default_inodes; /* [I] */
	u64 used_blocks;    /* [a] */
	u64 max_inodes;	    /* [a] 0: no limit */
	u64 used_inodes;    /* [a] */
	u32 mode, uid, gid; /* [I] of the root */
	void *more;	    /* [I] of who builds upon it: devpts.c */
};

struct tmpfs_inode {
	struct inode vfs;
	struct rb_root by_name;	  /* [vfs.lock] directory */
	struct rb_root by_cookie; /* [vfs.lock] directory */
	u64 next_cookie;	  /* [vfs.lock] */
	u32 nr_entries;		  /* [vfs.lock] */
	u32 seals;		  /* [vfs.lock] F_SEAL_* of a memfd */
	struct list_head xattrs;  /* [xattr_mutex] fs/xattr_mem.c */
	u64 xattr_bytes;	  /* [xattr_mutex] */
};

struct tmpfs_entry {
	struct rb_node name_node;
	struct rb_node cookie_node;
	struct inode *inode; /* owned reference */
	u64 cookie;
	u32 hash, len;
	char name[];
};

static inline struct tmpfs_inode *tmpfs_i(const struct inode *i)
{
	return container_of(i, struct tmpfs_inode, vfs);
}
static inline struct tmpfs_sb *tmpfs_sb(const struct super_block *sb)
{
	return sb->priv;
}

/* --- tmpfs.c */
extern const struct super_ops tmpfs_super_ops;
int tmpfs_mount(struct super_block *sb, struct blkdev *bdev, u64 flags,
		const char *data);
/* Unlinked inode of @sb for a child of @dir (or NULL); ERR_PTR. */
struct inode *tmpfs_make_inode(struct super_block *sb, const struct inode *dir,
			       u32 mode, kdev_t rdev);
int tmpfs_charge(struct super_block *sb, u64 nr_pages); /* -ENOSPC */
void tmpfs_uncharge(struct super_block *sb, u64 nr_pages);
/* What the text of a symbolic link counts for: nothing when it is short. */
static inline u64 tmpfs_link_pages(size_t len)
{
	return len >= 128;
}

/* --- tmpfs_ioctl.c */
s64 tmpfs_ioctl(struct file *f, unsigned int cmd, u64 arg);

/* --- tmpfs_dir.c */
extern const struct inode_ops tmpfs_dir_ops;
extern const struct inode_ops tmpfs_link_ops;
extern const struct file_ops tmpfs_dir_fops;
void tmpfs_drop_names(struct super_block *sb);
s64 tmpfs_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int tmpfs_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		   int flags);
int tmpfs_removexattr(struct inode *i, const char *name);
s64 tmpfs_listxattr(struct inode *i, char *buf, size_t n);
#define TMPFS_XATTR_OPS                                         \
	.getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr, \
	.removexattr = tmpfs_removexattr, .listxattr = tmpfs_listxattr

/* --- tmpfs_file.c */
extern const struct inode_ops tmpfs_file_ops;
extern const struct inode_ops tmpfs_special_ops;
extern const struct file_ops tmpfs_file_fops;
extern const struct mapping_ops tmpfs_mapping_ops;
int tmpfs_noop_fsync(struct file *f, bool datasync);

/* --- shmem.c: files in memory without a name */
/* /proc/sys/vm: whether one is executable if nobody says so (0: yes), and may be. */
#define MEMFD_NEVER_EXEC 2
extern u64 memfd_noexec; /* [a] */
struct file *memfd_create(const char *name, u32 seals);
int memfd_add_seals(struct file *f, u32 seals);
int memfd_get_seals(struct file *f);

/* --- secretmem.c: memfd_secret(2) */
struct file *secretmem_create(void);
/* A file in memory called @label, which has no name in a directory. */
struct file *shmem_open(const char *label, u32 perm,
			void (*prepare)(struct inode *i));

#endif /* FS_TMPFS_H */
