/* SPDX-License-Identifier: MIT */
/*
 * fs/anon.h - inodes of files that have no name: pipes and sockets.
 *
 * fstat(2) and /proc/pid/fd see their type, owner and number.
 */
#ifndef FS_ANON_H
#define FS_ANON_H

#include <fs/vfs.h>

/* A new inode of type and permissions @mode, owned by current: refs 1, or NULL. */
struct inode *anon_inode_new(u32 mode);
/* The inode that stands for files which have none (eventfd and the like): of no type,
 * and nothing can be opened by it (ENXIO).  No reference. */
struct inode *anon_inode_plain(void);
/* What stands for @f: its inode, or the plain one.  No reference. */
static inline struct inode *anon_inode_of(const struct file *f)
{
	return f->inode ? f->inode : anon_inode_plain();
}
/* A path that leads to @i, which is one of the above: to open or look at it through
 * /proc/pid/fd.  0, -ENXIO (another kind of inode) or -ENOMEM; gives references. */
int anon_inode_path(struct inode *i, struct path *out);

#endif /* FS_ANON_H */
