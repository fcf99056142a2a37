/* SPDX-License-Identifier: MIT */
/*
 * fs/notify.h - what the VFS tells those who watch files: inotify, dnotify and
 * fanotify (fs/mark.h has what these share).
 *
 * While nobody watches anything each of these is one load.  notify_perm() asks
 * instead, and may wait for the answer: no locks at all.
 *
 * Context: coroutine, no spinlock; inode locks may be held.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <fs/vfs.h>
#include <lib/atomic.h>

#define IN_ACCESS	 0x00000001u
#define IN_MODIFY	 0x00000002u
#define IN_ATTRIB	 0x00000004u
#define IN_CLOSE_WRITE	 0x00000008u
#define IN_CLOSE_NOWRITE 0x00000010u
#define IN_OPEN		 0x00000020u
#define IN_MOVED_FROM	 0x00000040u
#define IN_MOVED_TO	 0x00000080u
#define IN_CREATE	 0x00000100u
#define IN_DELETE	 0x00000200u
#define IN_DELETE_SELF	 0x00000400u
#define IN_MOVE_SELF	 0x00000800u
#define IN_ALL_EVENTS	 0x00000fffu
#define IN_UNMOUNT	 0x00002000u
#define IN_Q_OVERFLOW	 0x00004000u
#define IN_IGNORED	 0x00008000u
#define IN_ONLYDIR	 0x01000000u
#define IN_DONT_FOLLOW	 0x02000000u
#define IN_EXCL_UNLINK	 0x04000000u
#define IN_MASK_CREATE	 0x10000000u
#define IN_MASK_ADD	 0x20000000u
#define IN_ISDIR	 0x40000000u
#define IN_ONESHOT	 0x80000000u

/* Events that only fanotify (and of FS_RENAME dnotify) has. */
#define FS_OPEN_EXEC	  0x00001000u
#define FS_ERROR	  0x00008000u
#define FS_OPEN_PERM	  0x00010000u
#define FS_ACCESS_PERM	  0x00020000u
#define FS_OPEN_EXEC_PERM 0x00040000u
#define FS_ON_CHILD	  0x08000000u /* a flag: what is in a directory */
#define FS_RENAME	  0x10000000u

extern u32 notify_nr_watches; /* [a] marks of all kinds */
extern u32 notify_nr_perm;    /* [a] groups that may be asked */

/* Something happened to the name @name in @dir, which is or was @inode's. */
void notify_name_slow(struct inode *dir, u32 event, const char *name,
		      size_t len, struct inode *inode, u32 cookie);
/* @inode itself: DELETE_SELF (its watches end), MOVE_SELF, ATTRIB. */
void notify_self_slow(struct inode *inode, u32 event);
void notify_unlinked_slow(struct dentry *d);
void notify_inode_slow(struct inode *inode, u32 event); /* under any name */
/* An open file: it and, with its name, its directory. */
void notify_file_slow(struct file *f, u32 event);
int notify_perm_slow(struct file *f, u32 event);
void notify_drop_sb(struct super_block *sb); /* unmounted: watches end */
void notify_drop_mount_slow(const struct mount *m);
void notify_evicted_slow(struct inode *inode);
void notify_error_slow(struct super_block *sb, struct inode *inode, int err);

/* A rename, after the fact; both directories are locked. */
struct notify_rename {
	struct inode *old_dir, *new_dir, *moved, *victim; /* victim: or NULL */
	const char *old_name, *new_name;
	u32 old_len, new_len;
};
void notify_renamed(const struct notify_rename *r);

static inline bool notify_active(void)
{
	/* relaxed: a watch counts from when its caller knows of it */
	return unlikely(load_once(&notify_nr_watches) != 0);
}
static inline void notify_self(struct inode *inode, u32 event)
{
	if (notify_active())
		notify_self_slow(inode, event);
}
static inline void notify_name(struct inode *dir, u32 event, const char *name,
			       size_t len, struct inode *inode, u32 cookie)
{
	if (notify_active())
		notify_name_slow(dir, event, name, len, inode, cookie);
}
static inline void notify_file(struct file *f, u32 event)
{
	if (notify_active() && f->dentry && !(f->flags & O_PATH))
		notify_file_slow(f, event);
}
/* May current do that (FS_*_PERM)?  0 or -EPERM; waits for who is asked. */
static inline int notify_perm(struct file *f, u32 event)
{
	if (likely(!load_once(&notify_nr_perm)) || !f->dentry)
		return 0;
	return notify_perm_slow(f, event);
}
/* A transfer without vfs_read() and vfs_write() is about to begin. */
static inline int notify_direct(struct file *f, bool write)
{
	int err = write ? 0 : notify_perm(f, FS_ACCESS_PERM);

	if (!err)
		notify_file(f, write ? IN_MODIFY : IN_ACCESS);
	return err;
}
static inline void notify_inode(struct inode *inode, u32 event)
{
	if (notify_active())
		notify_inode_slow(inode, event);
}
/* The file of @d, which is unhashed by now, lost that name. */
static inline void notify_unlinked(struct dentry *d)
{
	if (notify_active())
		notify_unlinked_slow(d);
}
/* A dentry of @inode goes: with the last one of a file without names, that is
 * deleted. */
static inline void notify_dentry_gone(struct inode *inode)
{
	if (notify_active() && !load_once(&inode->nlink))
		notify_self_slow(inode, IN_DELETE_SELF);
}
/* The last reference of a mount, or of an inode in memory, is gone. */
static inline void notify_drop_mount(const struct mount *m)
{
	if (notify_active())
		notify_drop_mount_slow(m);
}
static inline void notify_evicted(struct inode *inode)
{
	if (notify_active())
		notify_evicted_slow(inode);
}
/* The file system found itself damaged; @inode NULL: not in a file. */
static inline void notify_error(struct super_block *sb, struct inode *inode,
				int err)
{
	if (notify_active())
		notify_error_slow(sb, inode, err);
}

/* --- dnotify.c */
extern u32 nr_dnotify; /* [a] */
void dnotify_release(struct file *f);
/* fcntl(F_NOTIFY): 0, -ENOTDIR or -ENOMEM. */
int dnotify_set(struct file *f, int fd, u32 arg);

/* --- for the system calls */
#define INOTIFY_MAX_EVENTS  16384u /* that wait, of one instance */
#define INOTIFY_MAX_WATCHES 65536u /* of one user */
extern u64 inotify_max_instances;  /* [a] of one user */

struct file *inotify_create(bool nonblock); /* or ERR_PTR */
/* The watch's number, or -errno. */
int inotify_add(struct file *f, struct inode *inode, u32 mask);
int inotify_remove(struct file *f, int wd);

#endif /* FS_NOTIFY_H */
