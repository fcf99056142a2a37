/* SPDX-License-Identifier: MIT */
/* syscall/attr.c - change modes, owners, times and sizes of files. */
#include <syscall/fsioctl.h>
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/notify.h>
#include <fs/vfs.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/string.h>

/* linux/falloc.h */
#define FALLOC_KEEP_SIZE      0x01
#define FALLOC_PUNCH_HOLE     0x02
#define FALLOC_COLLAPSE_RANGE 0x08
#define FALLOC_ZERO_RANGE     0x10
#define FALLOC_INSERT_RANGE   0x20
#define FALLOC_UNSHARE_RANGE  0x40

#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static int setattr_at(int dirfd, uaddr_t path, int flags, struct iattr *a)
{
	struct fdref r;
	struct path p;
	int err;

	if (upath_nameless(dirfd, path, flags, &r)) {
		err = vfs_fsetattr(r.f, a);
		fd_unref(r);
		return err;
	}
	err = upath_lookup(dirfd, path, flags, &p);
	if (err)
		return err;
	err = vfs_setattr(&p, a);
	path_put(&p);
	return err;
}

static int setattr_fd(int fd, struct iattr *a)
{
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = vfs_fsetattr(r.f, a);
	fd_unref(r);
	return err;
}

static int chmod_at(int dirfd, uaddr_t path, u32 mode, int flags)
{
	struct iattr a = { .valid = ATTR_MODE, .mode = mode & 07777 };
	struct fdref r;
	struct path p;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (upath_nameless(dirfd, path, flags, &r)) {
		err = vfs_fsetattr(r.f, &a);
		fd_unref(r);
		return err;
	}
	err = upath_lookup(dirfd, path, flags, &p);
	if (err)
		return err;
	if (S_ISLNK(p.dentry->inode->mode))
		err = -EOPNOTSUPP; /* a link has no mode of its own */
	else
		err = vfs_setattr(&p, &a);
	path_put(&p);
	return err;
}

SYSCALL3(53, fchmodat, int, dirfd, uaddr_t, path, u32, mode)
{
	return chmod_at(dirfd, path, mode, 0);
}

SYSCALL4(452, fchmodat2, int, dirfd, uaddr_t, path, u32, mode, int, flags)
{
	return chmod_at(dirfd, path, mode, flags);
}

SYSCALL2(52, fchmod, int, fd, u32, mode)
{
	struct iattr a = { .valid = ATTR_MODE, .mode = mode & 07777 };

	return setattr_fd(fd, &a);
}

/* -1 leaves an id as it is. */
static int chown_attr(struct iattr *a, u32 uid, u32 gid)
{
	memset(a, 0, sizeof(*a));
	a->valid = ATTR_OWNER;
	if (uid != ~0u)
		a->valid |= ATTR_UID;
	if (gid != ~0u)
		a->valid |= ATTR_GID;
	a->uid = uid_given(uid);
	a->gid = gid_given(gid);
	if (((a->valid & ATTR_UID) && a->uid == INVALID_ID) ||
	    ((a->valid & ATTR_GID) && a->gid == INVALID_ID))
		return -EINVAL;
	return 0;
}

SYSCALL5(54, fchownat, int, dirfd, uaddr_t, path, u32, uid, u32, gid, int,
	 flags)
{
	struct iattr a;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (chown_attr(&a, uid, gid))
		return -EINVAL;
	return setattr_at(dirfd, path, flags, &a);
}

SYSCALL3(55, fchown, int, fd, u32, uid, u32, gid)
{
	struct iattr a;

	if (chown_attr(&a, uid, gid))
		return -EINVAL;
	return setattr_fd(fd, &a);
}

/* --- times */

/* One of the two times: sets it in @a, or leaves it out. */
static int one_time(struct iattr *a, u32 which, u32 now,
		    const struct timespec64 *ts, struct timespec64 *out)
{
	if (ts->tv_nsec == UTIME_OMIT)
		return 0;
	a->valid |= which;
	if (ts->tv_nsec == UTIME_NOW) {
		a->valid |= now;
		return 0;
	}
	if ((u64)ts->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	a->valid |= ATTR_TIMES_GIVEN;
	*out = *ts;
	return 0;
}

static int times_attr(struct iattr *a, uaddr_t times)
{
	struct timespec64 ts[2];
	int err;

	memset(a, 0, sizeof(*a));
	if (!times) {
		a->valid = ATTR_ATIME | ATTR_ATIME_NOW | ATTR_MTIME |
			   ATTR_MTIME_NOW;
		return 0;
	}
	err = copy_from_user(ts, times, sizeof(ts));
	if (!err)
		err = one_time(a, ATTR_ATIME, ATTR_ATIME_NOW, &ts[0],
			       &a->atime);
	if (!err)
		err = one_time(a, ATTR_MTIME, ATTR_MTIME_NOW, &ts[1],
			       &a->mtime);
	/* One now and one left alone is not the "now" that writers may set. */
	if ((a->valid & (ATTR_ATIME | ATTR_MTIME)) != (ATTR_ATIME | ATTR_MTIME))
		a->valid |= ATTR_TIMES_GIVEN;
	return err;
}

/* There are no such times; but is there the file, which is told first? */
static int refuse_times(int dirfd, uaddr_t path, int flags)
{
	struct fdref r;
	struct path p;
	int err;

	if (upath_nameless(dirfd, path, flags, &r)) {
		fd_unref(r);
		return -EINVAL;
	}
	err = upath_lookup(dirfd, path, flags, &p);
	if (err)
		return err;
	path_put(&p);
	return -EINVAL;
}

SYSCALL4(88, utimensat, int, dirfd, uaddr_t, path, uaddr_t, times, int, flags)
{
	struct iattr a;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = times_attr(&a, times);
	if (err == -EINVAL && (path || dirfd == AT_FDCWD))
		return refuse_times(dirfd, path, flags);
	if (err)
		return err;
	if (!(a.valid & (ATTR_ATIME | ATTR_MTIME)))
		return 0; /* Linux does not even look at the path */
	if (!path && dirfd != AT_FDCWD)
		return flags ? -EINVAL : setattr_fd(dirfd, &a);
	return setattr_at(dirfd, path, flags, &a);
}

/* --- sizes */

SYSCALL2(45, truncate, uaddr_t, path, s64, size)
{
	struct path p;
	int err;

	if (size < 0)
		return -EINVAL;
	err = upath_lookup(AT_FDCWD, path, 0, &p);
	if (err)
		return err;
	err = vfs_truncate(&p, (u64)size);
	path_put(&p);
	return err;
}

SYSCALL2(46, ftruncate, int, fd, s64, size)
{
	struct fdref r;
	int err;

	if (size < 0)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	if (!r.f->can_write || !r.f->inode || !S_ISREG(r.f->inode->mode))
		err = -EINVAL;
	else
		err = vfs_ftruncate(r.f, (u64)size);
	fd_unref(r);
	return err;
}

/* One thing at a time, and KEEP_SIZE with some of them. */
static bool is_fallocate_mode(int mode)
{
	switch (mode & ~FALLOC_KEEP_SIZE) {
	case 0:
	case FALLOC_ZERO_RANGE:
		return true;
	case FALLOC_PUNCH_HOLE:
		return mode & FALLOC_KEEP_SIZE;
	case FALLOC_UNSHARE_RANGE:
		return true;
	case FALLOC_COLLAPSE_RANGE:
	case FALLOC_INSERT_RANGE:
		return !(mode & FALLOC_KEEP_SIZE);
	default:
		return false;
	}
}

int file_fallocate(struct file *f, int mode, s64 off, s64 len)
{
	u32 kind;
	s64 end;
	int err;

	if (off < 0 || len <= 0)
		return -EINVAL;
	if (!is_fallocate_mode(mode))
		return -EOPNOTSUPP;
	if (!f->can_write)
		return -EBADF;
	if (!f->inode)
		return -ENODEV;
	if ((f->inode->iflags & FS_IMMUTABLE_FL) ||
	    ((f->inode->iflags & FS_APPEND_FL) && (mode & ~FALLOC_KEEP_SIZE)))
		return -EPERM;
	kind = f->inode->mode & S_IFMT;
	if (kind == S_IFIFO)
		return -ESPIPE;
	if (kind == S_IFDIR)
		return -EISDIR;
	if (kind != S_IFREG && kind != S_IFBLK)
		return -ENODEV;
	if (__builtin_add_overflow(off, len, &end) ||
	    (u64)end > f->inode->sb->max_size)
		return -EFBIG;
	if (kind == S_IFREG && !(mode & FALLOC_KEEP_SIZE) &&
	    (u64)end > f->inode->i_size && (u64)end > fs_size_limit()) {
		fs_size_exceeded();
		return -EFBIG;
	}
	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	err = f->ops->fallocate(f, mode, (u64)off, (u64)len);
	if (!err)
		notify_file(f, IN_MODIFY);
	return err;
}

SYSCALL4(47, fallocate, int, fd, int, mode, s64, off, s64, len)
{
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = file_fallocate(r.f, mode, off, len);
	fd_unref(r);
	return err;
}
