/* SPDX-License-Identifier: MIT */
/*
 * fs/tmpfs_file.c - data of tmpfs: pages that are their own storage.
 *
 * A page is charged when it gets its first byte (PG_PRIVATE says so) and given
 * back when it is released.  A hole has no page; reading one allocates nothing.
 *
 * Locking: inode lock for writing in every change; pages under PG_LOCKED.
 *
 * ORDERING
 *   TMPFILL  the bytes of a new page, then PG_UPTODATE; a reader takes the
 *            flag, then the bytes, without the page lock.
 */
#include <fs/tmpfs.h>

#include <fs/filecaps.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/vm.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define FALLOC_KEEP_SIZE  1
#define FALLOC_PUNCH_HOLE 2
#define SECTORS_PER_PAGE  (PAGE_SIZE / 512)

static struct inode *host(struct mapping *m)
{
	return m->host;
}

/* Charge @pg (locked) once. */
static int own_page(struct mapping *m, struct page *pg)
{
	int err;

	if (load_once(&pg->flags) & PG_PRIVATE)
		return 0;
	err = tmpfs_charge(host(m)->sb, 1);
	if (err)
		return err;
	atomic_fetch_or(&pg->flags, (u32)PG_PRIVATE);
	atomic_fetch_add(&host(m)->blocks, SECTORS_PER_PAGE);
	return 0;
}

static void tmpfs_releasepage(struct mapping *m, struct page *pg)
{
	if (!(load_once(&pg->flags) & PG_PRIVATE))
		return;
	atomic_fetch_and(&pg->flags, ~(u32)PG_PRIVATE);
	atomic_fetch_add(&host(m)->blocks, -(u64)SECTORS_PER_PAGE);
	tmpfs_uncharge(host(m)->sb, 1);
}

/* A hole is touched through a mapping. */
static int tmpfs_readpage(struct mapping *m, struct page *pg)
{
	int err = own_page(m, pg);

	if (!err)
		memset(page_addr(pg), 0, PAGE_SIZE);
	page_end_read(pg, err);
	return err;
}

static int tmpfs_write_begin(struct mapping *m, struct page *pg,
			     unsigned int from, unsigned int to)
{
	char *p = page_addr(pg);
	int err = own_page(m, pg);

	if (err || (load_once(&pg->flags) & PG_UPTODATE))
		return err;
	memset(p, 0, from);
	memset(p + to, 0, PAGE_SIZE - to);
	return 0;
}

static int tmpfs_write_end(struct mapping *m, struct page *pg,
			   unsigned int from, unsigned int to)
{
	u64 end = pg->index * PAGE_SIZE + to;

	if (!(load_once(&pg->flags) & PG_UPTODATE)) {
		smp_mb(); /* TMPFILL (full) - pairs with has_data(). */
		atomic_fetch_or(&pg->flags, (u32)PG_UPTODATE);
	}
	if (end > m->size && to > from)
		store_once(&m->size, end);
	return 0;
}

static int tmpfs_store(struct mapping *m)
{
	inode_touch(host(m), true, true);
	return 0;
}

const struct mapping_ops tmpfs_mapping_ops = {
	.store = tmpfs_store,
	.readpage = tmpfs_readpage,
	.write_begin = tmpfs_write_begin,
	.write_end = tmpfs_write_end,
	.releasepage = tmpfs_releasepage,
	.no_writeback = true,
};

static bool has_data(struct page *pg)
{
	/* TMPFILL (acquire) - pairs with tmpfs_write_end(). */
	return load_acquire(&pg->flags) & PG_UPTODATE;
}

/* Page with data, referenced, or NULL for a hole. */
static struct page *page_of(struct mapping *m, u64 index)
{
	struct page *pg = mapping_find(m, index);

	if (!pg || has_data(pg))
		return pg;
	page_put(pg); /* somebody is just filling it */
	return NULL;
}

static s64 tmpfs_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct mapping *m = &f->inode->mapping;
	size_t n, moved, off;
	struct page *pg;
	s64 done = 0;
	u64 size;

	while (iov_iter_count(to)) {
		size = load_once(&m->size);
		if (*pos >= size)
			break;
		off = *pos % PAGE_SIZE;
		n = min_t(u64, size - *pos, PAGE_SIZE - off);
		n = min(n, iov_iter_count(to));
		pg = page_of(m, *pos / PAGE_SIZE);
		if (pg) {
			moved = copy_page_to_iter(pg, off, n, to);
			page_put(pg);
		} else {
			moved = zero_iter(n, to);
		}
		*pos += moved;
		done += (s64)moved;
		if (moved < n) {
			if (!done)
				return -EFAULT;
			break;
		}
		cond_resched();
	}
	file_accessed(f);
	return done;
}

/* The file gets longer: what a mapping has written behind its end is no part of it. */
static void clear_tail(struct inode *i)
{
	u32 off = (u32)(i->i_size % PAGE_SIZE);
	struct page *pg;

	pg = off ? mapping_find(&i->mapping, i->i_size / PAGE_SIZE) : NULL;
	if (!pg)
		return;
	page_lock(pg);
	if (load_once(&pg->flags) & PG_UPTODATE)
		memset((char *)page_addr(pg) + off, 0, PAGE_SIZE - off);
	page_unlock(pg);
	page_put(pg);
}

static bool sealed(const struct inode *i, u32 seals)
{
	return tmpfs_i(i)->seals & seals & ~F_SEAL_SEAL;
}

static s64 tmpfs_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct inode *i = f->inode;
	s64 n;

	down_write(&i->lock);
	n = file_prepare_write(f, from, pos);
	if (!n && sealed(i, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		n = -EPERM;
	if (!n && sealed(i, F_SEAL_GROW) &&
	    *pos + iov_iter_count(from) > i->i_size)
		n = -EPERM;
	if (!n && *pos > i->i_size)
		clear_tail(i);
	if (!n && iov_iter_count(from))
		n = mapping_file_write(&i->mapping, f, from, pos);
	up_write(&i->lock);
	return n;
}

/* First offset from @off on that is data; the size when none. */
static u64 seek_data(struct mapping *m, u64 off, u64 size)
{
	u64 index = off / PAGE_SIZE;
	struct page *pg;

	for (; (pg = mapping_find_next(m, &index)); index++) {
		bool data = has_data(pg);

		page_put(pg);
		if (data)
			return min(max(off, index * PAGE_SIZE), size);
		cond_resched();
	}
	return size;
}

/* The same for a hole. */
static u64 seek_hole(struct mapping *m, u64 off, u64 size)
{
	struct page *pg;

	while (off < size && (pg = page_of(m, off / PAGE_SIZE))) {
		page_put(pg);
		off = ALIGN_DOWN(off, PAGE_SIZE) + PAGE_SIZE;
		cond_resched();
	}
	return min(off, size);
}

static s64 tmpfs_llseek(struct file *f, s64 off, int whence)
{
	struct mapping *m = &f->inode->mapping;
	u64 size = load_once(&m->size), at;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(f, off, whence);
	if (off < 0 || (u64)off >= size)
		return -ENXIO;
	at = whence == SEEK_DATA ? seek_data(m, (u64)off, size)
				 : seek_hole(m, (u64)off, size);
	if (at >= size && whence == SEEK_DATA)
		return -ENXIO;
	f->pos = at;
	return (s64)at;
}

int tmpfs_noop_fsync(struct file *f __unused, bool datasync __unused)
{
	return 0;
}

static int alloc_range(struct inode *i, u64 off, u64 end)
{
	struct page *pg;
	u64 idx;
	int err;

	for (idx = off / PAGE_SIZE; idx * PAGE_SIZE < end; idx++) {
		pg = mapping_grab(&i->mapping, idx);
		if (IS_ERR(pg))
			return (int)PTR_ERR(pg);
		err = tmpfs_write_begin(&i->mapping, pg, 0, 0);
		if (!err)
			tmpfs_write_end(&i->mapping, pg, 0, 0);
		page_unlock(pg);
		page_put(pg);
		if (err)
			return err;
		if (signal_pending_current())
			return -EINTR;
		memcg_balance();
		cond_resched();
	}
	return 0;
}

/* Not even when it were empty: nothing is begun then. */
static bool could_hold(struct super_block *sb, u64 off, u64 end)
{
	u64 max = load_once(&tmpfs_sb(sb)->max_blocks);

	return !max || DIV_ROUND_UP(end, PAGE_SIZE) - off / PAGE_SIZE <= max;
}

/* What alloc_range() got there is nothing that anybody could have written to. */
static void undo_beyond_end(struct inode *i, u64 off, u64 end)
{
	off = max(off, DIV_ROUND_UP(i->i_size, PAGE_SIZE) * PAGE_SIZE);
	if (off < end)
		mapping_punch(&i->mapping, off, end);
}

static int fallocate_locked(struct inode *i, int mode, u64 off, u64 len)
{
	int err;

	if (mode & FALLOC_PUNCH_HOLE) {
		if (sealed(i, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			return -EPERM;
		mapping_punch(&i->mapping, off, off + len);
		inode_modified(i);
		return 0;
	}
	if (sealed(i, F_SEAL_GROW) && off + len > i->i_size)
		return -EPERM;
	if (!could_hold(i->sb, off, off + len))
		return -ENOSPC;
	err = alloc_range(i, off, off + len);
	if (err) {
		undo_beyond_end(i, off, off + len);
		return err;
	}
	if (!(mode & FALLOC_KEEP_SIZE) && off + len > i->i_size) {
		clear_tail(i);
		store_once(&i->i_size, off + len);
	}
	inode_modified(i);
	return 0;
}

static int tmpfs_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct inode *i = f->inode;
	int err;

	if (mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if ((mode & FALLOC_PUNCH_HOLE) && !(mode & FALLOC_KEEP_SIZE))
		return -EOPNOTSUPP;
	down_write(&i->lock);
	filecaps_drop(i);
	err = fallocate_locked(i, mode, off, len);
	up_write(&i->lock);
	return err;
}

static int tmpfs_setattr(struct inode *i, const struct iattr *a)
{
	if ((a->valid & ATTR_MODE) && sealed(i, F_SEAL_EXEC) &&
	    ((a->mode ^ i->mode) & 0111))
		return -EPERM;
	if (a->valid & ATTR_SIZE) {
		if (sealed(i, F_SEAL_SHRINK) && a->size < i->i_size)
			return -EPERM;
		if (sealed(i, F_SEAL_GROW) && a->size > i->i_size)
			return -EPERM;
		if (a->size > i->i_size)
			clear_tail(i);
	}
	return inode_setattr_generic(i, a);
}

static int tmpfs_mmap(struct file *f, struct vma *vma)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);

	if (sealed(&ti->vfs, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) &&
	    (vma->flags & VM_SHARED)) {
		if (vma->flags & VM_WRITE)
			return -EPERM;
		vma->flags &= ~(u32)VM_MAYWRITE;
	}
	return generic_file_mmap(f, vma);
}

const struct inode_ops tmpfs_file_ops = {
	.setattr = tmpfs_setattr,
	TMPFS_XATTR_OPS,
};

const struct file_ops tmpfs_file_fops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.llseek = tmpfs_llseek,
	.mmap = tmpfs_mmap,
	.fsync = tmpfs_noop_fsync,
	.ioctl = tmpfs_ioctl,
	.fallocate = tmpfs_fallocate,
};
