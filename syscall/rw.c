/* SPDX-License-Identifier: MIT */
/*
 * syscall/rw.c - read, write and their relatives, lseek.
 *
 * The position of a file that several descriptors or threads share is guarded
 * by its pos_lock; one that only current can reach needs no lock.
 */
#include <syscall/rw.h>
#include <syscall/syscall.h>
#include <syscall/uiov.h>

#include <fs/vfs.h>
#include <kernel/mm/page.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/user.h>
#include <lib/atomic.h>

#define SIGPIPE 13

static bool pos_shared(struct fdref r)
{
	return r.f->atomic_pos && (r.owned || load_once(&r.f->refs) > 1);
}

static s64 rw_at_pos(struct fdref r, struct iov_iter *it, bool write)
{
	struct file *f = r.f;
	bool lock = pos_shared(r);
	u64 pos;
	s64 n;

	if (unlikely(lock))
		mutex_lock(&f->pos_lock);
	pos = f->pos;
	n = write ? vfs_write(f, it, &pos) : vfs_read(f, it, &pos);
	f->pos = pos;
	if (unlikely(lock))
		mutex_unlock(&f->pos_lock);
	return n;
}

/* One buffer at the file's own position. */
static s64 rw_simple(int fd, uaddr_t buf, u64 count, bool write)
{
	struct iovec_user iov = { .base = buf, .len = count };
	struct fdref r = fd_ref(fd);
	struct iov_iter it;
	s64 n;

	if (unlikely(!r.f))
		return -EBADF;
	if (unlikely(!user_range_ok(buf, count))) {
		n = (write ? r.f->can_write : r.f->can_read) ? -EFAULT : -EBADF;
	} else {
		iov_iter_user(&it, &iov, 1, count);
		n = rw_at_pos(r, &it, write);
	}
	fd_unref(r);
	return n;
}

SYSCALL3(63, read, int, fd, uaddr_t, buf, u64, count)
{
	return rw_simple(fd, buf, count, false);
}

SYSCALL3(64, write, int, fd, uaddr_t, buf, u64, count)
{
	return rw_simple(fd, buf, count, true);
}

static s64 rw_vector(int fd, uaddr_t vec, u64 nr, bool write)
{
	struct fdref r = fd_ref(fd);
	struct iov_iter it;
	struct uiov u;
	s64 n;

	if (!r.f)
		return -EBADF;
	if (!(write ? r.f->can_write : r.f->can_read)) {
		n = -EBADF;
		goto out;
	}
	n = uiov_get(&u, vec, nr, &it);
	if (n)
		goto out;
	/* of nothing the file is not asked, if it can be read at all */
	if (iov_iter_count(&it) || (write ? !r.f->ops->write : !r.f->ops->read))
		n = rw_at_pos(r, &it, write);
	uiov_put(&u);
out:
	fd_unref(r);
	return n;
}

SYSCALL3(65, readv, int, fd, uaddr_t, vec, u64, nr)
{
	return rw_vector(fd, vec, nr, false);
}

SYSCALL3(66, writev, int, fd, uaddr_t, vec, u64, nr)
{
	return rw_vector(fd, vec, nr, true);
}

/* At a place given, which the file must have. */
static s64 rw_at(struct file *f, struct iov_iter *it, u64 pos, bool write)
{
	if (!f->ops->llseek)
		return -ESPIPE;
	if ((s64)(pos + iov_iter_count(it)) < 0)
		return -EINVAL;
	return write ? vfs_write(f, it, &pos) : vfs_read(f, it, &pos);
}

static s64 prw_simple(int fd, uaddr_t buf, u64 count, s64 pos, bool write)
{
	struct iovec_user iov = { .base = buf, .len = count };
	struct iov_iter it;
	struct fdref r;
	s64 n;

	if (pos < 0)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	if (!user_range_ok(buf, count)) {
		n = (write ? r.f->can_write : r.f->can_read) ? -EFAULT : -EBADF;
	} else {
		iov_iter_user(&it, &iov, 1, count);
		n = rw_at(r.f, &it, (u64)pos, write);
	}
	fd_unref(r);
	return n;
}

SYSCALL4(67, pread64, int, fd, uaddr_t, buf, u64, count, s64, pos)
{
	return prw_simple(fd, buf, count, pos, false);
}

SYSCALL4(68, pwrite64, int, fd, uaddr_t, buf, u64, count, s64, pos)
{
	return prw_simple(fd, buf, count, pos, true);
}

static s64 prw_vector(int fd, uaddr_t vec, u64 nr, s64 pos, bool write)
{
	struct iov_iter it;
	struct fdref r;
	struct uiov u;
	s64 n;

	if (pos < 0)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	n = (write ? r.f->can_write : r.f->can_read) ? 0 : -EBADF;
	if (!n && !r.f->ops->llseek)
		n = -ESPIPE;
	if (!n)
		n = uiov_get(&u, vec, nr, &it);
	if (!n) {
		n = rw_at(r.f, &it, (u64)pos, write);
		uiov_put(&u);
	}
	fd_unref(r);
	return n;
}

SYSCALL4(69, preadv, int, fd, uaddr_t, vec, u64, nr, s64, pos)
{
	return prw_vector(fd, vec, nr, pos, false);
}

SYSCALL4(70, pwritev, int, fd, uaddr_t, vec, u64, nr, s64, pos)
{
	return prw_vector(fd, vec, nr, pos, true);
}

u64 rw_cached(struct file *f, u64 pos, u64 len)
{
	struct mapping *m = vfs_mapping(f);
	u64 size = m ? load_once(&m->size) : 0;
	u64 at = pos, end;

	if (!m || pos >= size)
		return len;
	end = min(pos + len, size);
	while (at < end) {
		struct page *pg = mapping_find(m, at / PAGE_SIZE);
		bool ok = pg && (load_once(&pg->flags) & PG_UPTODATE);

		if (pg)
			page_put(pg);
		if (!ok)
			return at - pos;
		at = min(ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE, end);
	}
	return len;
}

/* A read that shall not wait takes what is in memory: 0 or -EAGAIN. */
static int only_cached(struct file *f, struct iov_iter *it, u64 pos)
{
	u64 n = rw_cached(f, pos, iov_iter_count(it));

	if (!n && iov_iter_count(it))
		return -EAGAIN;
	iov_iter_truncate(it, n);
	return 0;
}

/* RWF_NOWAIT: 0: as it says, perhaps for a part; -EAGAIN, -EOPNOTSUPP. */
static int may_now(struct file *f, struct iov_iter *it, u64 pos, bool write)
{
	bool stream = !f->ops->llseek;
	u64 len = iov_iter_count(it);

	if (write && f->ops->write_now)
		return f->ops->write_now(f, pos, len);
	if (!write && f->ops->read_now && f->ops->read_now(f, pos, len))
		return 0;
	if (!f->ops->nowait || (write && !stream))
		return -EOPNOTSUPP;
	it->rwf |= IOV_NOWAIT;
	return stream ? 0 : only_cached(f, it, pos);
}

static int apply_flags(struct file *f, struct iov_iter *it, u64 pos, int flags,
		       bool write)
{
	if (flags & RWF_NOWAIT) {
		int err = may_now(f, it, pos, write);

		if (err)
			return err;
	}
	if ((flags & RWF_APPEND) && (flags & RWF_NOAPPEND))
		return -EINVAL;
	if (write && (flags & RWF_APPEND))
		it->rwf |= IOV_APPEND;
	if (write && (flags & RWF_NOAPPEND))
		it->rwf |= IOV_NOAPPEND;
	return 0;
}

static int sync_after(struct file *f, int flags)
{
	int err = vfs_fsync(f, !(flags & RWF_SYNC));

	return err == -EINVAL ? 0 : err;
}

static s64 transfer(struct fdref r, struct iov_iter *it, s64 pos, int flags,
		    bool write)
{
	struct file *f = r.f;
	s64 n = 0;

	if (iov_iter_count(it))
		n = apply_flags(f, it, pos == -1 ? f->pos : (u64)pos, flags,
				write);
	if (!n)
		n = pos == -1 ? rw_at_pos(r, it, write)
			      : rw_at(f, it, (u64)pos, write);
	if (n > 0 && write && (flags & (RWF_DSYNC | RWF_SYNC))) {
		int err = sync_after(f, flags);

		n = err ? err : n;
	}
	return n;
}

s64 rw_transfer(struct file *f, struct iov_iter *it, s64 pos, int flags,
		bool write)
{
	return transfer((struct fdref){ f, true }, it, pos, flags, write);
}

static s64 prw2_file(struct fdref r, uaddr_t vec, u64 nr, s64 pos, int flags,
		     bool write)
{
	struct iov_iter it;
	struct uiov u;
	s64 n;

	if (!(write ? r.f->can_write : r.f->can_read))
		return -EBADF;
	if (pos != -1 && !r.f->ops->llseek)
		return -ESPIPE;
	n = uiov_get(&u, vec, nr, &it);
	if (n)
		return n;
	n = transfer(r, &it, pos, flags, write);
	uiov_put(&u);
	return n;
}

static s64 prw2(int fd, uaddr_t vec, u64 nr, s64 pos, int flags, bool write)
{
	struct fdref r;
	s64 n;

	if (pos < -1)
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	n = flags & ~RWF_KNOWN ? -EOPNOTSUPP
			       : prw2_file(r, vec, nr, pos, flags, write);
	fd_unref(r);
	return n;
}

/* The offset comes in two halves, of which a 64-bit machine uses the first. */
SYSCALL6(286, preadv2, int, fd, uaddr_t, vec, u64, nr, s64, pos, u64,
	 pos_high __unused, int, flags)
{
	return prw2(fd, vec, nr, pos, flags, false);
}

SYSCALL6(287, pwritev2, int, fd, uaddr_t, vec, u64, nr, s64, pos, u64,
	 pos_high __unused, int, flags)
{
	return prw2(fd, vec, nr, pos, flags, true);
}

SYSCALL3(62, lseek, int, fd, s64, off, u32, whence)
{
	struct fdref r = fd_ref(fd);
	bool lock;
	s64 n;

	if (!r.f)
		return -EBADF;
	lock = pos_shared(r);
	if (lock)
		mutex_lock(&r.f->pos_lock);
	if (whence > SEEK_HOLE)
		n = -EINVAL;
	else if (!r.f->ops->llseek)
		n = r.f->ops->stands ? 0 : -ESPIPE;
	else
		n = r.f->ops->llseek(r.f, off, (int)whence);
	if (lock)
		mutex_unlock(&r.f->pos_lock);
	fd_unref(r);
	return n;
}
