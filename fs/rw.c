/* SPDX-License-Identifier: MIT */
/*
 * fs/rw.c - read, write and seek, and the file_ops of files in the page cache.
 *
 * A write holds inode->lock for writing, a read takes no lock: the page cache
 * gives it whole pages' worth of consistency, which is what Linux gives.
 *
 * Context: coroutine.
 */
#include <fs/blkfile.h>
#include <fs/filecaps.h>
#include <fs/internal.h>
#include <fs/notify.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <kernel/mm/vm.h>
#include <lib/errno.h>

#define MAX_RW_COUNT 0x7ffff000ul
#define DAY_S	     (24 * 60 * 60)

s64 vfs_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	s64 n;

	if (unlikely(!f->can_read))
		return -EBADF;
	if (unlikely(!f->ops->read))
		return f->ops->readdir ? -EISDIR : -EINVAL;
	n = notify_perm(f, FS_ACCESS_PERM);
	if (unlikely(n))
		return n;
	iov_iter_truncate(to, MAX_RW_COUNT);
	n = f->ops->read(f, to, pos);
	current->io.syscr++;
	if (n > 0)
		current->io.rchar += (u64)n;
	if (notify_active() && n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

s64 vfs_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	s64 n;

	if (unlikely(!f->can_write))
		return -EBADF;
	if (unlikely(!f->ops->write))
		return -EINVAL;
	iov_iter_truncate(from, MAX_RW_COUNT);
	n = f->ops->write(f, from, pos);
	current->io.syscw++;
	if (n > 0)
		current->io.wchar += (u64)n;
	if (notify_active() && n > 0)
		notify_file(f, IN_MODIFY);
	return n;
}

struct mapping *vfs_mapping(struct file *f)
{
	if (!f->inode)
		return NULL;
	if (S_ISREG(f->inode->mode) && f->inode->mapping.ops)
		return &f->inode->mapping;
	if (f->ops->under)
		return vfs_mapping(f->ops->under(f));
	return S_ISBLK(f->inode->mode) ? blkfile_mapping(f) : NULL;
}

s64 vfs_read_kernel(struct file *f, void *buf, size_t n, u64 pos)
{
	struct iov_iter it;
	size_t done = 0;
	s64 r;

	if (!f->ops->read)
		return f->ops->readdir ? -EISDIR : -EINVAL;
	while (done < n) {
		iov_iter_kernel(&it, (char *)buf + done, n - done);
		r = f->ops->read(f, &it, &pos);
		if (r < 0)
			return done ? (s64)done : r;
		if (!r)
			break;
		done += (size_t)r;
	}
	return (s64)done;
}

static bool earlier(const struct timespec64 *a, const struct timespec64 *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec;
	return a->tv_nsec < b->tv_nsec;
}

/* relatime: when data or inode changed since, or once a day; @fresh: whoever
 * asks has looked at that already. */
static bool atime_due(const struct inode *i, bool *fresh)
{
	if (!earlier(&i->mtime, &i->atime) || !earlier(&i->ctime, &i->atime))
		return true;
	if (*fresh)
		return false;
	*fresh = true;
	return inode_now(i).tv_sec - i->atime.tv_sec >= DAY_S;
}

static void accessed(struct inode *i, const struct mount *m, bool *fresh)
{
	u64 flags = m->flags | i->sb->flags;

	if ((flags & (MS_NOATIME | MS_RDONLY)) || (i->iflags & FS_NOATIME_FL))
		return;
	if (S_ISDIR(i->mode) && (flags & MS_NODIRATIME))
		return;
	if (!(flags & MS_STRICTATIME) && !atime_due(i, fresh))
		return;
	i->atime = inode_now(i);
	inode_mark_dirty(i);
}

void file_accessed(struct file *f)
{
	if (!(f->flags & O_NOATIME) && f->mnt)
		accessed(f->inode, f->mnt, &f->atime_fresh);
}

void path_accessed(const struct path *p)
{
	bool fresh = false;

	accessed(p->dentry->inode, p->mnt, &fresh);
}

void inode_modified(struct inode *i)
{
	if (unlikely(i->mode & (S_ISUID | S_ISGID)) &&
	    !fs_capable_over(i, CAP_FSETID))
		i->mode &= ~setid_to_drop(i);
	inode_touch(i, true, true);
}

/* The limits on size for @count bytes at @pos; truncates. */
static int check_limits(struct inode *i, struct iov_iter *from, u64 pos)
{
	u64 limit = fs_size_limit();

	if (unlikely(pos >= limit && limit != RLIM_INFINITY)) {
		fs_size_exceeded();
		return -EFBIG;
	}
	if (pos >= i->sb->max_size)
		return -EFBIG;
	iov_iter_truncate(from, min(limit, i->sb->max_size) - pos);
	return 0;
}

int file_prepare_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct inode *i = f->inode;
	int err;

	if ((from->rwf & IOV_APPEND) ||
	    ((f->flags & O_APPEND) && !(from->rwf & IOV_NOAPPEND)))
		*pos = load_once(&i->i_size);
	if (unlikely(i->iflags & FS_IMMUTABLE_FL) && !i->sb->ops->open_stays)
		return -EPERM;
	if (!iov_iter_count(from))
		return 0;
	err = check_limits(i, from, *pos);
	if (err)
		return err;
	filecaps_drop(i);
	inode_modified(i);
	return 0;
}

s64 generic_file_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	s64 n = mapping_file_read(&f->inode->mapping, f, to, pos);

	if (n > 0)
		file_accessed(f);
	return n;
}

s64 generic_file_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct inode *i = f->inode;
	s64 n;

	down_write(&i->lock);
	n = file_prepare_write(f, from, pos);
	if (!n && iov_iter_count(from))
		n = mapping_file_write(&i->mapping, f, from, pos);
	up_write(&i->lock);
	if (n > 0 && (f->flags & O_DSYNC)) {
		int err = vfs_fsync(f, !(f->flags & (O_SYNC & ~O_DSYNC)));

		if (err)
			return err;
	}
	return n;
}

/* Without help from the file system all of the file is data. */
static s64 seek_data(u64 size, s64 off, int whence)
{
	if (off < 0 || (u64)off >= size)
		return -ENXIO;
	return whence == SEEK_DATA ? off : (s64)size;
}

s64 endless_llseek(struct file *f, s64 off, int whence)
{
	if (whence == SEEK_CUR)
		off += (s64)f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	f->pos = (u64)off;
	return off;
}

s64 generic_file_llseek(struct file *f, s64 off, int whence)
{
	u64 size = load_once(&f->inode->i_size);

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (!off)
			return (s64)f->pos;
		off += (s64)f->pos;
		break;
	case SEEK_END:
		off += (s64)size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		off = seek_data(size, off, whence);
		if (off < 0)
			return off;
		break;
	default:
		return -EINVAL;
	}
	if (off < 0 || (u64)off > f->inode->sb->max_size)
		return -EINVAL;
	f->pos = (u64)off;
	return off;
}

int generic_file_mmap(struct file *f, struct vma *vma)
{
	const struct inode *i = f->inode;

	if ((vma->flags & VM_SHARED) && f->can_write &&
	    (i->iflags & FS_APPEND_FL))
		return -EACCES;
	if (vma->pgoff + ((vma->end - vma->start) >> PAGE_SHIFT) >
	    i->sb->max_size >> PAGE_SHIFT)
		return -EOVERFLOW;
	if (f->mnt && (load_once(&f->mnt->flags) & MS_NOEXEC))
		vma->flags &= ~(u32)VM_MAYEXEC;
	file_accessed(f);
	return mapping_mmap(&f->inode->mapping, f, vma);
}

int generic_file_fsync(struct file *f, bool datasync)
{
	struct inode *i = f->inode;
	int err = mapping_fsync(&i->mapping, f, 0, ~0ull);

	(void)datasync;
	if (load_once(&i->dirty) && i->sb->ops->write_inode) {
		int err2 = i->sb->ops->write_inode(i, true);

		if (!err)
			err = err2;
	}
	return err;
}

int vfs_fsync(struct file *f, bool datasync)
{
	return f->ops->fsync ? f->ops->fsync(f, datasync) : -EINVAL;
}

bool dir_emit_dots(struct file *f, struct dir_ctx *ctx)
{
	u64 up = f->inode->ino;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, f->inode->ino, DT_DIR, 1))
			return false;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (f->dentry) {
			spin_lock(&dcache_lock);
			up = f->dentry->parent->inode->ino;
			spin_unlock(&dcache_lock);
		}
		if (!ctx->emit(ctx, "..", 2, up, DT_DIR, 2))
			return false;
		ctx->pos = 2;
	}
	return true;
}

const struct file_ops generic_file_ops = {
	.read = generic_file_read,
	.write = generic_file_write,
	.llseek = generic_file_llseek,
	.mmap = generic_file_mmap,
	.fsync = generic_file_fsync,
};
