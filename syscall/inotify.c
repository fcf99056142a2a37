/* SPDX-License-Identifier: MIT */
/* syscall/inotify.c - inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2). */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/notify.h>

/* One of these at least, if only to say how the path is walked. */
#define IN_ALL_BITS                                                   \
	(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED |    \
	 IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD | \
	 IN_ISDIR | IN_ONESHOT | IN_MASK_CREATE)

SYSCALL1(26, inotify_init1, u32, flags)
{
	struct file *f;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	f = inotify_create(flags & O_NONBLOCK);
	return IS_ERR(f) ? PTR_ERR(f) : fd_open(f, flags);
}

SYSCALL3(27, inotify_add_watch, int, fd, uaddr_t, upath, u32, mask)
{
	struct fdref r;
	struct path p;
	int n;

	if (!(mask & IN_ALL_BITS) || (mask & (IN_MASK_ADD | IN_MASK_CREATE)) ==
					     (IN_MASK_ADD | IN_MASK_CREATE))
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	n = upath_lookup(AT_FDCWD, upath,
			 mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &p);
	if (!n) {
		if ((mask & IN_ONLYDIR) && !S_ISDIR(p.dentry->inode->mode))
			n = -ENOTDIR;
		if (!n)
			n = path_permission(&p, MAY_READ);
		if (!n)
			n = inotify_add(r.f, p.dentry->inode, mask);
		path_put(&p);
	}
	fd_unref(r);
	return n;
}

SYSCALL2(28, inotify_rm_watch, int, fd, int, wd)
{
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = inotify_remove(r.f, wd);
	fd_unref(r);
	return err;
}
