/* SPDX-License-Identifier: MIT */
/*
 * fs/protect.c - what others have put into a directory that everybody writes to
 * is not followed, linked to or opened unawares, when root says so.
 */
#include <fs/internal.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

#define SHARED (S_ISVTX | 0002)

u64 protected_symlinks, protected_hardlinks, protected_fifos, protected_regular;

/* @link is the last of a path, in @dir. */
int may_follow_last(const struct inode *dir, const struct inode *link)
{
	if (likely(!load_once(&protected_symlinks)) ||
	    link->uid == fs_cred()->fsuid || link->uid == dir->uid ||
	    (dir->mode & SHARED) != SHARED)
		return 0;
	return -EACCES;
}

/* May current make another name for the file of somebody else? */
int may_link(struct inode *i)
{
	const u32 sgid = S_ISGID | 0010;

	if (likely(!load_once(&protected_hardlinks)) ||
	    inode_owner_or_capable(i))
		return 0;
	if (!S_ISREG(i->mode) || (i->mode & S_ISUID) ||
	    (i->mode & sgid) == sgid ||
	    inode_permission(i, MAY_READ | MAY_WRITE))
		return -EPERM;
	return 0;
}

/* open() with O_CREAT finds @i in @dir: is it what current thinks? */
int may_open_sticky(const struct inode *dir, const struct inode *i)
{
	u64 level = S_ISREG(i->mode)	? load_once(&protected_regular)
		    : S_ISFIFO(i->mode) ? load_once(&protected_fifos)
					: 0;

	if (likely(!level) || !(dir->mode & S_ISVTX) || i->uid == dir->uid ||
	    i->uid == fs_cred()->fsuid)
		return 0;
	if ((dir->mode & 0002) || ((dir->mode & 0020) && level >= 2))
		return -EACCES;
	return 0;
}
