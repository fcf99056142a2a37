/* SPDX-License-Identifier: MIT */
/*
 * syscall/upath.h - a path given by user space, in kernel memory.
 *
 * Short ones lie on the stack, others in a page.  Paired: upath_get() that
 * returned 0, upath_put().
 */
#ifndef SYSCALL_UPATH_H
#define SYSCALL_UPATH_H

#include <lib/types.h>

struct upath {
	char *s;
	char inl[248];
};

/* 0, -EFAULT or -ENAMETOOLONG (4096 bytes with the NUL), -ENOMEM. */
int upath_get(struct upath *p, uaddr_t from);
void upath_put(struct upath *p);

#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS	    0x200
#define AT_REMOVEDIR	    0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT	    0x800
#define AT_EMPTY_PATH	    0x1000
#define AT_STATX_SYNC_TYPE  0x6000

/* Is it ""?  What cannot be read is not. */
bool upath_empty(uaddr_t path);

struct path;
struct fdref;
/* "" and AT_EMPTY_PATH with a descriptor whose file has no path (a pipe, a socket):
 * that file, to be let go of by fd_unref(). */
bool upath_nameless(int dirfd, uaddr_t path, int at_flags, struct fdref *r);
/* Walk a user's path: the usual AT_* flags, of which AT_SYMLINK_NOFOLLOW and
 * AT_EMPTY_PATH matter here.  Files without a path give -ENOTDIR. */
int upath_lookup(int dirfd, uaddr_t from, int at_flags, struct path *out);

#endif /* SYSCALL_UPATH_H */
