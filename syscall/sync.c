/* SPDX-License-Identifier: MIT */
/* syscall/sync.c - bring data to the device; advice about them. */
#include <syscall/syscall.h>

#include <fs/vfs.h>
#include <kernel/mm/pagecache.h>

#define SYNC_FILE_RANGE_ALL  7u
#define SYNC_FILE_RANGE_WAIT 5u /* before, after */
#define POSIX_FADV_DONTNEED  4
#define POSIX_FADV_NOREUSE   5

SYSCALL0(81, sync)
{
	sync_all(true);
	return 0;
}

static s64 fsync_fd(int fd, bool datasync)
{
	struct fdref r = fd_ref(fd);
	s64 err;

	if (!r.f)
		return -EBADF;
	err = vfs_fsync(r.f, datasync);
	fd_unref(r);
	return err;
}

SYSCALL1(82, fsync, int, fd)
{
	return fsync_fd(fd, false);
}

SYSCALL1(83, fdatasync, int, fd)
{
	return fsync_fd(fd, true);
}

SYSCALL1(267, syncfs, int, fd)
{
	struct fdref r = fd_ref(fd);
	int err = 0;

	if (!r.f)
		return -EBADF;
	if (r.f->inode)
		err = sb_sync(r.f->inode->sb, true);
	fd_unref(r);
	return err;
}

/* What sort of file takes part in this: 0 or -errno. */
static int has_pages(const struct file *f)
{
	u32 kind = f->inode ? f->inode->mode & S_IFMT : S_IFIFO;

	if (kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFCHR)
		return -ESPIPE;
	return 0;
}

SYSCALL4(84, sync_file_range, int, fd, s64, off, s64, len, u32, flags)
{
	struct fdref r;
	s64 end;
	int err;

	if ((flags & ~SYNC_FILE_RANGE_ALL) || off < 0 || len < 0 ||
	    __builtin_add_overflow(off, len, &end))
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	err = has_pages(r.f);
	if (!err && flags && S_ISREG(r.f->inode->mode))
		err = mapping_sync(&r.f->inode->mapping, (u64)off,
				   len ? (u64)end : ~0ull,
				   flags & SYNC_FILE_RANGE_WAIT);
	fd_unref(r);
	return err;
}

SYSCALL4(223, fadvise64, int, fd, s64, off, s64, len, int, advice)
{
	struct fdref r = fd_ref(fd);
	int err;
	u64 end;

	if (!r.f)
		return -EBADF;
	err = has_pages(r.f);
	if (!err && (len < 0 || advice < 0 || advice > POSIX_FADV_NOREUSE))
		err = -EINVAL;
	if (!err && advice == POSIX_FADV_DONTNEED && off >= 0 &&
	    S_ISREG(r.f->inode->mode)) {
		end = len ? (u64)(off + len) : ~0ull;
		mapping_sync(&r.f->inode->mapping, (u64)off, end, false);
		mapping_invalidate(&r.f->inode->mapping,
				   DIV_ROUND_UP((u64)off, PAGE_SIZE),
				   end / PAGE_SIZE);
	}
	fd_unref(r);
	return err;
}

SYSCALL3(213, readahead, int, fd, s64, off, u64, count)
{
	struct fdref r = fd_ref(fd);
	struct page *pg;
	int err = 0;
	u64 at;

	if (!r.f)
		return -EBADF;
	if (!r.f->can_read)
		err = -EBADF;
	else if (!r.f->inode || !S_ISREG(r.f->inode->mode) || off < 0)
		err = -EINVAL;
	/* Enough to start the read-ahead of the page cache, not the whole. */
	for (at = (u64)off; !err && at < r.f->inode->i_size &&
			    at < (u64)off + min_t(u64, count, 1u << 17);
	     at += PAGE_SIZE) {
		pg = mapping_read(&r.f->inode->mapping, at / PAGE_SIZE, r.f);
		if (IS_ERR(pg))
			break;
		page_put(pg);
	}
	fd_unref(r);
	return err;
}
