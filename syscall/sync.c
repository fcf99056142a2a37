/* SPDX-License-Identifier: MIT */
/* syscall/sync.c - bring data to the device; advice about them. */
#include <syscall/syscall.h>

#include <fs/vfs.h>
#include <kernel/mm/page.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/user.h>
#include <lib/atomic.h>

#define SYNC_FILE_RANGE_ALL  7u
#define SYNC_FILE_RANGE_WAIT 5u /* before, after */

/* posix_fadvise(2) */
#define POSIX_FADV_NORMAL     0
#define POSIX_FADV_RANDOM     1
#define POSIX_FADV_SEQUENTIAL 2
#define POSIX_FADV_WILLNEED   3
#define POSIX_FADV_DONTNEED   4
#define POSIX_FADV_NOREUSE    5

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
	struct mapping *m;
	struct fdref r;
	s64 end;
	int err;

	if ((flags & ~SYNC_FILE_RANGE_ALL) || off < 0 || len < 0 ||
	    __builtin_add_overflow(off, len, &end))
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	m = vfs_mapping(r.f);
	err = has_pages(r.f);
	if (!err && flags && m)
		err = flags & SYNC_FILE_RANGE_WAIT
			      ? mapping_fsync(m, r.f, (u64)off,
					      len ? (u64)end : ~0ull)
			      : mapping_sync(m, (u64)off,
					     len ? (u64)end : ~0ull, false);
	fd_unref(r);
	return err;
}

/* Only whole pages of [off, end) go. */
static void dont_need(struct mapping *m, u64 off, u64 end)
{
	(void)mapping_sync(m, off, end, false);
	(void)mapping_invalidate(m, DIV_ROUND_UP(off, PAGE_SIZE),
				 end / PAGE_SIZE);
}

static void will_need(struct mapping *m, u64 off, u64 end)
{
	u64 first = off / PAGE_SIZE;

	end = min(end, load_once(&m->size));
	if (end > off)
		mapping_readahead(m, first,
				  DIV_ROUND_UP(end, PAGE_SIZE) - first);
}

static int advise(struct file *f, u64 off, u64 end, int advice)
{
	static const u8 mode[] = { [POSIX_FADV_NORMAL] = FILE_RA_NORMAL,
				   [POSIX_FADV_RANDOM] = FILE_RA_RANDOM,
				   [POSIX_FADV_SEQUENTIAL] =
					   FILE_RA_SEQUENTIAL };
	struct mapping *m = vfs_mapping(f);

	switch (advice) {
	case POSIX_FADV_NORMAL:
	case POSIX_FADV_RANDOM:
	case POSIX_FADV_SEQUENTIAL:
		store_once(&f->ra_advice, (u32)mode[advice]);
		return 0;
	case POSIX_FADV_WILLNEED:
		if (m)
			will_need(m, off, end);
		return 0;
	case POSIX_FADV_DONTNEED:
		if (m)
			dont_need(m, off, end);
		return 0;
	case POSIX_FADV_NOREUSE: /* one use or many: the list is a clock */
		return 0;
	default:
		return -EINVAL;
	}
}

SYSCALL4(223, fadvise64, int, fd, s64, off, s64, len, int, advice)
{
	struct fdref r = fd_ref(fd);
	s64 end = 0;
	int err;

	if (!r.f)
		return -EBADF;
	err = r.f->inode && S_ISFIFO(r.f->inode->mode) ? -ESPIPE : 0;
	if (!err && (len < 0 || __builtin_add_overflow(off, len, &end)))
		err = -EINVAL;
	if (!err)
		err = advise(r.f, off > 0 ? (u64)off : 0,
			     len ? (u64)max(end, (s64)0) : ~0ull, advice);
	fd_unref(r);
	return err;
}

SYSCALL3(213, readahead, int, fd, s64, off, u64, count)
{
	struct fdref r = fd_ref(fd);
	struct mapping *m;
	int err = 0;

	if (!r.f)
		return -EBADF;
	m = vfs_mapping(r.f);
	if (!r.f->can_read)
		err = -EBADF;
	else if (!r.f->inode || (s64)count < 0 ||
		 (!S_ISREG(r.f->inode->mode) && !S_ISBLK(r.f->inode->mode)))
		err = -EINVAL;
	else if (m && off >= 0)
		will_need(m, (u64)off,
			  count > ~0ull - (u64)off ? ~0ull : (u64)off + count);
	fd_unref(r);
	return err;
}

/* --- cachestat(2) */

struct cachestat_range {
	u64 off, len;
};
struct cachestat {
	u64 cached, dirty, writeback, evicted, recently_evicted;
};

static void count_pages(struct mapping *m, u64 first, u64 end,
			struct cachestat *cs)
{
	end = min(end, DIV_ROUND_UP(load_once(&m->size), PAGE_SIZE));
	for (u64 i = first; i < end; i++) {
		struct page *pg = mapping_find(m, i);
		u32 flags;

		if (!pg)
			continue;
		flags = load_once(&pg->flags);
		cs->cached++;
		cs->dirty += (flags & PG_DIRTY) != 0;
		cs->writeback += (flags & PG_WRITEBACK) != 0;
		page_put(pg);
		cond_resched();
	}
}

SYSCALL4(451, cachestat, int, fd, uaddr_t, urange, uaddr_t, ucs, u32, flags)
{
	struct cachestat cs = { 0 };
	struct cachestat_range r;
	struct fdref f = fd_ref(fd);
	struct mapping *m;
	s64 err = 0;

	if (!f.f)
		return -EBADF;
	if (copy_from_user(&r, urange, sizeof(r)))
		err = -EFAULT;
	else if (flags)
		err = -EINVAL;
	m = err ? NULL : vfs_mapping(f.f);
	if (m)
		count_pages(m, r.off / PAGE_SIZE,
			    r.len && r.off + r.len > r.off
				    ? (r.off + r.len - 1) / PAGE_SIZE + 1
				    : ~0ull,
			    &cs);
	fd_unref(f);
	return err ? err : copy_to_user(ucs, &cs, sizeof(cs));
}
