/* SPDX-License-Identifier: MIT */
/*
 * syscall/xattr.c - extended attributes.
 *
 * Who may: "user." needs read or write permission and a regular file or
 * directory; "trusted." is for CAP_SYS_ADMIN; "security." may be read by all
 * and set by CAP_SYS_ADMIN; what else there is belongs to the file system.
 * The inode of a socket's file has one besides: syscall/sockfile.c.
 */
#include <syscall/sock.h>
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/acl.h>
#include <fs/anon.h>
#include <fs/filecaps.h>
#include <fs/notify.h>
#include <fs/vfs.h>
#include <fs/xattr_mem.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/string.h>

#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 65536u
#define XATTR_LIST_MAX 65536u

/* A file by path (following the last link or not) or by descriptor. */
struct target {
	struct path p; /* referenced, or dentry NULL */
	struct fdref r;
	struct inode *i;
};

static int by_path(struct target *t, uaddr_t path, bool follow)
{
	int err = upath_lookup(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW,
			       &t->p);

	t->r.f = NULL;
	t->i = err ? NULL : t->p.dentry->inode;
	return err;
}

static int by_fd(struct target *t, int fd)
{
	t->r = fd_ref(fd);
	if (!t->r.f)
		return -EBADF;
	t->p.mnt = t->r.f->mnt;
	t->p.dentry = t->r.f->dentry;
	t->i = anon_inode_of(t->r.f);
	return 0;
}

static void target_put(struct target *t)
{
	if (t->r.f)
		fd_unref(t->r);
	else
		path_put(&t->p);
}

static int get_name(char *name, uaddr_t from)
{
	s64 n = strncpy_from_user(name, from, XATTR_NAME_MAX + 1);

	if (n == -ENAMETOOLONG || n == 0)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

static const char *const classes[] = { "user.", "trusted.", "security." };

/* What is asked of who names a class, or none, before the name is looked at. */
static int may_class(struct inode *i, const char *name, u32 mask)
{
	if (str_has_prefix(name, "security."))
		return mask == MAY_READ || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	if (str_has_prefix(name, "trusted.")) {
		if (capable(CAP_SYS_ADMIN))
			return 0;
		return mask == MAY_WRITE ? -EPERM : -ENODATA;
	}
	if (str_has_prefix(name, "user.")) {
		if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
			return mask == MAY_WRITE ? -EPERM : -ENODATA;
		if (S_ISDIR(i->mode) && (i->mode & S_ISVTX) &&
		    mask == MAY_WRITE && !inode_owner_or_capable(i))
			return -EPERM;
	}
	return inode_permission(i, mask);
}

static int may_xattr(struct target *t, const char *name, u32 mask)
{
	int err;

	if (mask == MAY_WRITE) {
		if (t->p.mnt &&
		    ((t->p.mnt->flags | t->i->sb->flags) & MS_RDONLY))
			return -EROFS;
		if (t->i->iflags & (FS_IMMUTABLE_FL | FS_APPEND_FL))
			return -EPERM;
	}
	if (str_has_prefix(name, "system.")) {
		if (acl_is_name(name) ||
		    (mask == MAY_READ && sock_has_xattr(t->i, name)))
			return 0;
		return -EOPNOTSUPP;
	}
	err = may_class(t->i, name, mask);
	if (err)
		return err;
	for (u32 i = 0; i < ARRAY_SIZE(classes); i++) {
		size_t n = strlen(classes[i]);

		if (!strncmp(name, classes[i], n))
			return name[n] ? 0 : -EINVAL; /* of whom? */
	}
	return -EOPNOTSUPP;
}

/* A value of security.capability: two or three words of 64 bits, and its version. */
static int check_caps(const void *value, u64 size)
{
	u32 version;

	if (size != 20 && size != 24)
		return -EINVAL;
	memcpy(&version, value, sizeof(version));
	version &= 0xff000000u;
	if (version != (size == 20 ? 0x02000000u : 0x03000000u))
		return -EINVAL;
	return capable(CAP_SETFCAP) ? 0 : -EPERM;
}

/* All of these put the target. */
static s64 do_set(struct target *t, uaddr_t uname, uaddr_t value, u64 size,
		  int flags)
{
	char name[XATTR_NAME_MAX + 1];
	void *buf = NULL;
	s64 err;

	err = flags & ~(XATTR_CREATE | XATTR_REPLACE) ? -EINVAL : 0;
	if (!err)
		err = get_name(name, uname);
	if (!err && size > XATTR_SIZE_MAX)
		err = -E2BIG;
	if (!err && size) {
		buf = kmalloc(size);
		err = buf ? copy_from_user(buf, value, size) : -ENOMEM;
	}
	if (!err && !strcmp(name, FILECAPS_NAME))
		err = check_caps(buf, size);
	if (!err && acl_is_name(name))
		err = acl_given(buf, size);
	if (!err)
		err = may_xattr(t, name, MAY_WRITE);
	if (!err && !t->i->ops->setxattr)
		err = -EOPNOTSUPP;
	if (!err) {
		down_write(&t->i->lock);
		err = acl_is_name(name) ? acl_set(t->i, name, buf, size, flags)
					: t->i->ops->setxattr(t->i, name, buf,
							      size, flags);
		if (!err)
			inode_touch(t->i, false, true);
		store_once(&t->i->filecaps, FILECAPS_UNKNOWN);
		up_write(&t->i->lock);
	}
	if (!err)
		notify_inode(t->i, IN_ATTRIB);
	kfree(buf);
	target_put(t);
	return err;
}

static s64 do_get(struct target *t, uaddr_t uname, uaddr_t value, u64 size)
{
	char name[XATTR_NAME_MAX + 1];
	void *buf = NULL;
	s64 n = get_name(name, uname);

	size = min_t(u64, size, XATTR_SIZE_MAX);
	if (!n && size) {
		buf = kzalloc(size);
		n = buf ? 0 : -ENOMEM;
	}
	if (!n)
		n = may_xattr(t, name, MAY_READ);
	if (!n && !t->i->ops->getxattr)
		n = -EOPNOTSUPP;
	if (!n)
		n = t->i->ops->getxattr(t->i, name, buf, size);
	if (n > 0 && size && acl_is_name(name))
		acl_shown(buf, (size_t)n);
	if (n > 0 && size && copy_to_user(value, buf, (size_t)n))
		n = -EFAULT;
	kfree(buf);
	target_put(t);
	return n;
}

/* Names of a class that current may not see are left out.  @n: bytes in
 * @buf. */
static s64 hide_trusted(char *buf, s64 n)
{
	char *from = buf, *to = buf, *end = buf + n;
	size_t len;

	if (capable(CAP_SYS_ADMIN))
		return n;
	for (; from < end; from += len) {
		len = strlen(from) + 1;
		if (str_has_prefix(from, "trusted."))
			continue;
		memmove(to, from, len);
		to += len;
	}
	return to - buf;
}

static s64 do_list(struct target *t, uaddr_t list, u64 size)
{
	char *buf = kzalloc(XATTR_LIST_MAX);
	s64 n = buf ? 0 : -ENOMEM;

	if (!n && t->i->ops->listxattr)
		n = t->i->ops->listxattr(t->i, buf, XATTR_LIST_MAX);
	if (n > 0)
		n = hide_trusted(buf, n);
	if (n > 0 && size) {
		if ((u64)n > size)
			n = -ERANGE;
		else if (copy_to_user(list, buf, (size_t)n))
			n = -EFAULT;
	}
	kfree(buf);
	target_put(t);
	return n;
}

static s64 do_remove(struct target *t, uaddr_t uname)
{
	char name[XATTR_NAME_MAX + 1];
	s64 err = get_name(name, uname);

	if (!err)
		err = may_xattr(t, name, MAY_WRITE);
	if (!err && !t->i->ops->removexattr)
		err = -EOPNOTSUPP;
	if (!err) {
		down_write(&t->i->lock);
		err = acl_is_name(name) ? acl_remove(t->i, name)
					: t->i->ops->removexattr(t->i, name);
		if (!err)
			inode_touch(t->i, false, true);
		up_write(&t->i->lock);
	}
	if (!err)
		notify_inode(t->i, IN_ATTRIB);
	target_put(t);
	return err;
}

SYSCALL5(5, setxattr, uaddr_t, path, uaddr_t, name, uaddr_t, value, u64, size,
	 int, flags)
{
	struct target t;
	int err = by_path(&t, path, true);

	return err ? err : do_set(&t, name, value, size, flags);
}

SYSCALL5(6, lsetxattr, uaddr_t, path, uaddr_t, name, uaddr_t, value, u64, size,
	 int, flags)
{
	struct target t;
	int err = by_path(&t, path, false);

	return err ? err : do_set(&t, name, value, size, flags);
}

SYSCALL5(7, fsetxattr, int, fd, uaddr_t, name, uaddr_t, value, u64, size, int,
	 flags)
{
	struct target t;
	int err = by_fd(&t, fd);

	return err ? err : do_set(&t, name, value, size, flags);
}

SYSCALL4(8, getxattr, uaddr_t, path, uaddr_t, name, uaddr_t, value, u64, size)
{
	struct target t;
	int err = by_path(&t, path, true);

	return err ? err : do_get(&t, name, value, size);
}

SYSCALL4(9, lgetxattr, uaddr_t, path, uaddr_t, name, uaddr_t, value, u64, size)
{
	struct target t;
	int err = by_path(&t, path, false);

	return err ? err : do_get(&t, name, value, size);
}

SYSCALL4(10, fgetxattr, int, fd, uaddr_t, name, uaddr_t, value, u64, size)
{
	struct target t;
	int err = by_fd(&t, fd);

	return err ? err : do_get(&t, name, value, size);
}

SYSCALL3(11, listxattr, uaddr_t, path, uaddr_t, list, u64, size)
{
	struct target t;
	int err = by_path(&t, path, true);

	return err ? err : do_list(&t, list, size);
}

SYSCALL3(12, llistxattr, uaddr_t, path, uaddr_t, list, u64, size)
{
	struct target t;
	int err = by_path(&t, path, false);

	return err ? err : do_list(&t, list, size);
}

SYSCALL3(13, flistxattr, int, fd, uaddr_t, list, u64, size)
{
	struct target t;
	int err = by_fd(&t, fd);

	return err ? err : do_list(&t, list, size);
}

SYSCALL2(14, removexattr, uaddr_t, path, uaddr_t, name)
{
	struct target t;
	int err = by_path(&t, path, true);

	return err ? err : do_remove(&t, name);
}

SYSCALL2(15, lremovexattr, uaddr_t, path, uaddr_t, name)
{
	struct target t;
	int err = by_path(&t, path, false);

	return err ? err : do_remove(&t, name);
}

SYSCALL2(16, fremovexattr, int, fd, uaddr_t, name)
{
	struct target t;
	int err = by_fd(&t, fd);

	return err ? err : do_remove(&t, name);
}
