/* SPDX-License-Identifier: MIT */
/*
 * syscall/open.c - openat, openat2, close, close_range, memfd_create,
 * memfd_secret.
 */
#include <syscall/syscall.h>
#include <syscall/upath.h>
#include <syscall/ustruct.h>

#include <fs/tmpfs.h>
#include <fs/vfs.h>
#include <kernel/mm/user.h>

#define VALID_OPEN_FLAGS                                                \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | \
	 O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE |       \
	 O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH |    \
	 O_TMPFILE)
#define RESOLVE_ALL                                                      \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | \
	 RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED)
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u
#define MFD_CLOEXEC	    0x01u
#define MFD_ALLOW_SEALING   0x02u
#define MFD_NOEXEC_SEAL	    0x08u
#define MFD_EXEC	    0x10u
#define MFD_NAME_MAX	    249

struct open_how {
	u64 flags, mode, resolve;
};

/* The descriptor comes first, so that a full table opens and truncates
 * nothing. */
static s64 do_open(int dirfd, uaddr_t path, u32 flags, u32 mode, u32 resolve)
{
	struct upath p;
	struct file *f;
	int fd, err = upath_get(&p, path);

	if (err)
		return err;
	fd = fd_alloc(0, flags & O_CLOEXEC);
	if (fd < 0)
		goto out;
	f = vfs_openat(dirfd, p.s, flags, mode, resolve);
	if (IS_ERR(f)) {
		fd_unreserve(fd);
		fd = (int)PTR_ERR(f);
	} else {
		fd_install(fd, f);
	}
out:
	upath_put(&p);
	return fd;
}

SYSCALL4(56, openat, int, dirfd, uaddr_t, path, u32, flags, u32, mode)
{
	return do_open(dirfd, path, flags & VALID_OPEN_FLAGS, mode & 07777, 0);
}

static int check_how(const struct open_how *how)
{
	int err = 0;

	if (how->flags & ~(u64)VALID_OPEN_FLAGS)
		return -EINVAL;
	if (how->resolve & ~(u64)RESOLVE_ALL)
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) &&
	    (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (how->flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)))
		err = how->mode & ~07777ull ? -EINVAL : 0;
	else if (how->mode)
		err = -EINVAL;
	if (err)
		return err;
	if ((how->flags & O_PATH) &&
	    (how->flags &
	     ~(u64)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
		return -EINVAL;
	/* To change something means to wait. */
	return (how->resolve & RESOLVE_CACHED) &&
			       (how->flags & (O_CREAT | O_TRUNC |
					      (O_TMPFILE & ~O_DIRECTORY)))
		       ? -EAGAIN
		       : 0;
}

static int copy_how(struct open_how *how, uaddr_t from, u64 size)
{
	if (size < sizeof(*how))
		return -EINVAL;
	if (size > 4096)
		return -E2BIG;
	return ustruct_get(how, sizeof(*how), from, size);
}

SYSCALL4(437, openat2, int, dirfd, uaddr_t, path, uaddr_t, uhow, u64, size)
{
	struct open_how how;
	int err = copy_how(&how, uhow, size);

	if (!err)
		err = check_how(&how);
	if (err)
		return err;
	return do_open(dirfd, path, (u32)how.flags, (u32)how.mode,
		       (u32)how.resolve);
}

SYSCALL1(57, close, int, fd)
{
	s64 r = fd_close(fd);

	/* The descriptor is gone: there is nothing to restart. */
	return r == -ERESTARTSYS ? -EINTR : r;
}

SYSCALL3(436, close_range, u32, first, u32, last, u32, flags)
{
	int err;

	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if (first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		err = files_unshare();
		if (err)
			return err;
	}
	return fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
}

SYSCALL2(279, memfd_create, uaddr_t, uname, u32, flags)
{
	u64 noexec = load_once(&memfd_noexec);
	char name[MFD_NAME_MAX + 1];
	struct file *f;
	s64 n;

	if (flags &
	    ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC))
		return -EINVAL;
	if ((flags & MFD_NOEXEC_SEAL) && (flags & MFD_EXEC))
		return -EINVAL;
	n = strncpy_from_user(name, uname, sizeof(name));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	if (!(flags & (MFD_NOEXEC_SEAL | MFD_EXEC)))
		flags |= noexec ? MFD_NOEXEC_SEAL : MFD_EXEC;
	if (!(flags & MFD_NOEXEC_SEAL) && noexec >= MEMFD_NEVER_EXEC)
		return -EACCES;
	f = memfd_create(name, flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)
				       ? 0
				       : F_SEAL_SEAL);
	if (IS_ERR(f))
		return PTR_ERR(f);
	if (flags & MFD_NOEXEC_SEAL) {
		f->inode->mode &= ~0111u;
		memfd_add_seals(f, F_SEAL_EXEC);
	}
	return fd_open(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

SYSCALL1(447, memfd_secret, u32, flags)
{
	struct file *f;

	if (flags & ~(u32)O_CLOEXEC)
		return -EINVAL;
	f = secretmem_create();
	if (IS_ERR(f))
		return PTR_ERR(f);
	return fd_open(f, flags & O_CLOEXEC);
}
