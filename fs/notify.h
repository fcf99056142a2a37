/* SPDX-License-Identifier: MIT */
/*
 * fs/notify.h - what the VFS tells those who watch files: inotify.
 *
 * While nobody watches anything each of these is one load.
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

extern u32 notify_nr_watches; /* [a] */

/* @inode itself: DELETE_SELF (its watches end) and MOVE_SELF. */
void notify_unlinked_slow(struct dentry *d);
void notify_self_slow(struct inode *inode, u32 event);
/* Something happened to the name @name in @dir, which is or was @inode's. */
void notify_name_slow(struct inode *dir, u32 event, const char *name,
		      size_t len, struct inode *inode, u32 cookie);
/* To @d's inode and, with its name, to its directory. */
void notify_dentry_slow(struct dentry *d, u32 event);
void notify_inode_slow(struct inode *inode, u32 event); /* under any name */
void notify_drop_sb(struct super_block *sb); /* unmounted: watches end */
u32 notify_new_cookie(void);

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
		notify_dentry_slow(f->dentry, event);
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

/* --- dnotify.c */
#define DNOTIFY_RENAMED 0x08000000u /* an event of dnotify's only */
extern u32 nr_dnotify;		    /* [a] */
void dnotify_report(struct inode *dir, u32 event);
void dnotify_release(struct file *f);
/* fcntl(F_NOTIFY): 0, -ENOTDIR or -ENOMEM. */
int dnotify_set(struct file *f, int fd, u32 arg);
static inline void notify_renamed_in(struct inode *dir)
{
	if (unlikely(load_once(&nr_dnotify)))
		dnotify_report(dir, DNOTIFY_RENAMED);
}

/* --- for the system calls */
#define INOTIFY_MAX_EVENTS  16384u /* that wait, of one instance */
#define INOTIFY_MAX_WATCHES 65536u /* of one instance */
extern u64 inotify_max_instances;  /* [a] of one user */

struct file *inotify_create(bool nonblock); /* or ERR_PTR */
/* The watch's number, or -errno. */
int inotify_add(struct file *f, struct inode *inode, u32 mask);
int inotify_remove(struct file *f, int wd);

#endif /* FS_NOTIFY_H */
