/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/filemap.c - read, write and mmap of files that live in the page cache.
 *
 * Reading: a small read of a page that is there is one look-up and one copy under
 * mapping->lock, without touching the page's count.  Everything else goes page by
 * page through mapping_read().
 *
 * Writing: lock the page, let the file system prepare, copy, commit.  The copy must
 * not fault while the page is locked (the user's buffer may be a mapping of this
 * very page), so the buffer is faulted in before and, if it has gone again, copied
 * through a bounce page.
 *
 * Context: coroutine.  Locking: mapping->lock, page locks.
 */
#include <kernel/mm/cache.h>

#include <kernel/file/file.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pmem.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SMALL_READ 512u

/* --- read */

/* Bytes moved, or 0: take the long way. */
static size_t read_small(struct mapping *m, struct iov_iter *to, u64 pos)
{
	u64 off = pos & (PAGE_SIZE - 1), size = load_once(&m->size);
	size_t n = to->count, done = 0;
	struct page *pg;

	if (!to->is_user || to->nr_iov == 0 || pos >= size)
		return 0;
	n = min(n, (size_t)(size - pos));
	if (n > SMALL_READ || off + n > PAGE_SIZE ||
	    n > to->iov->len - to->seg_off)
		return 0;
	spin_lock(&m->lock);
	pg = radix_find(&m->pages, pos >> PAGE_SHIFT);
	if (likely(pg && (load_once(&pg->flags) & (PG_UPTODATE | PG_AHEAD)) ==
				 PG_UPTODATE)) {
		page_touch(pg);
		done = copy_to_user_nofault(to->iov->base + to->seg_off,
					    (char *)page_addr(pg) + off, n);
	}
	spin_unlock(&m->lock);
	if (done != n)
		return 0;
	iov_iter_advance(to, n);
	return n;
}

s64 mapping_file_read(struct mapping *m, struct file *f, struct iov_iter *to,
		      u64 *pos)
{
	size_t done = read_small(m, to, *pos);

	if (likely(done)) {
		*pos += done;
		return (s64)done;
	}
	f->ra_want = (u32)DIV_ROUND_UP(
		(*pos & (PAGE_SIZE - 1)) + iov_iter_count(to), PAGE_SIZE);
	while (iov_iter_count(to) > 0) {
		u64 size = load_once(&m->size), off = *pos & (PAGE_SIZE - 1);
		struct page *pg;
		size_t n, got;

		if (*pos >= size)
			break;
		pg = mapping_read(m, *pos >> PAGE_SHIFT, f);
		if (IS_ERR(pg))
			return done ? (s64)done : PTR_ERR(pg);
		n = min(iov_iter_count(to), (size_t)(PAGE_SIZE - off));
		n = min(n, (size_t)(size - *pos));
		got = copy_page_to_iter(pg, off, n, to);
		page_put(pg);
		done += got;
		*pos += got;
		if (got < n)
			return done ? (s64)done : -EFAULT;
		memcg_balance();
		cond_resched();
	}
	return (s64)done;
}

/* --- write */

/* The file system's part before the copy; @pg locked. */
static int prepare(struct mapping *m, struct page *pg, u32 from, u32 to)
{
	char *p = page_addr(pg);

	if (m->ops->write_begin)
		return m->ops->write_begin(m, pg, from, to);
	if (!page_is(pg, PG_UPTODATE)) {
		memset(p, 0, from);
		memset(p + to, 0, PAGE_SIZE - to);
	}
	return 0;
}

static int commit(struct mapping *m, struct page *pg, u32 from, u32 to)
{
	if (!page_is(pg, PG_UPTODATE))
		(void)page_set(pg, PG_UPTODATE);
	if (unlikely(page_is(pg, PG_ICACHE)))
		(void)page_clear(pg, PG_ICACHE); /* for who executes it next */
	if (m->ops->write_end)
		return m->ops->write_end(m, pg, from, to);
	page_set_dirty(pg);
	return 0;
}

/* Write [from, to) of the page at @index from @it, or from @bounce if given.
 * 0, -EAGAIN: the buffer was not there, or -errno. */
static int write_page(struct mapping *m, u64 index, u32 from, u32 to,
		      struct iov_iter *it, const void *bounce)
{
	struct page *pg = mapping_grab(m, index);
	size_t n = to - from, got = n;
	int err;

	if (IS_ERR(pg))
		return (int)PTR_ERR(pg);
	err = prepare(m, pg, from, to);
	if (!err) {
		char *p = (char *)page_addr(pg) + from;

		if (bounce)
			memcpy(p, bounce, n);
		else
			got = copy_from_iter_nofault(p, n, it);
		if (got == n) {
			err = commit(m, pg, from, to);
		} else {
			iov_iter_revert(it, got);
			/* what was moved is the user's data, too early; but a
			 * page that was not complete must not become so */
			err = -EAGAIN;
		}
	}
	page_unlock(pg);
	page_put(pg);
	return err;
}

/* As write_page(), through a page of our own: the buffer may come and go. */
static s64 write_bounced(struct mapping *m, u64 pos, size_t n,
			 struct iov_iter *it)
{
	u32 from = (u32)(pos & (PAGE_SIZE - 1));
	void *buf = get_free_page(GFP_KERNEL);
	int err;

	if (!buf)
		return -ENOMEM;
	n = copy_from_iter(buf, n, it);
	err = n ? write_page(m, pos >> PAGE_SHIFT, from, from + (u32)n, it, buf)
		: -EFAULT;
	free_page_addr(buf);
	return err ? err : (s64)n;
}

static s64 write_chunk(struct mapping *m, u64 pos, size_t n,
		       struct iov_iter *it)
{
	u32 from = (u32)(pos & (PAGE_SIZE - 1));
	int err;

	err = iov_iter_fault_in(it, n);
	if (err)
		return err;
	err = write_page(m, pos >> PAGE_SHIFT, from, from + (u32)n, it, NULL);
	if (err == -EAGAIN)
		return write_bounced(m, pos, n, it);
	return err ? err : (s64)n;
}

s64 mapping_file_write(struct mapping *m, struct file *f __unused,
		       struct iov_iter *from, u64 *pos)
{
	size_t done = 0;

	while (iov_iter_count(from) > 0) {
		u64 off = *pos & (PAGE_SIZE - 1);
		size_t n = min(iov_iter_count(from), (size_t)(PAGE_SIZE - off));
		s64 got = write_chunk(m, *pos, n, from);

		if (got < 0)
			return done ? (s64)done : got;
		done += (u64)got;
		*pos += (u64)got;
		if (!m->ops->no_writeback)
			dirty_balance();
		else
			memcg_balance();
		if (iov_iter_count(from) > 0)
			cond_resched();
	}
	return (s64)done;
}

/* --- mmap */

static int filemap_fault(struct vma *v, u64 pgoff, bool write __unused,
			 struct page **out)
{
	struct mapping *m = v->mapping;
	struct page *pg;

	if (pgoff >= DIV_ROUND_UP(load_once(&m->size), PAGE_SIZE))
		return -EIO;
	pg = mapping_read(m, pgoff, NULL);
	if (IS_ERR(pg))
		return (int)PTR_ERR(pg);
	*out = pg;
	return 0;
}

static int make_writable(struct mapping *m, u64 pgoff, struct page *pg)
{
	u64 size;
	u32 len;
	int err;

	page_lock(pg);
	size = load_once(&m->size);
	if (pg->mapping != m) {
		err = -EAGAIN;
	} else if (pgoff >= DIV_ROUND_UP(size, PAGE_SIZE)) {
		err = -EIO;
	} else {
		len = (u32)min(size - (pgoff << PAGE_SHIFT), (u64)PAGE_SIZE);
		err = prepare(m, pg, 0, len);
		if (!err)
			err = commit(m, pg, 0, len);
	}
	page_unlock(pg);
	return err;
}

static int filemap_mkwrite(struct vma *v, u64 pgoff, struct page *pg)
{
	struct mapping *m = v->mapping;
	int err = m->ops->store ? m->ops->store(m) : 0;

	if (err)
		return err;
	err = make_writable(m, pgoff, pg);
	if (m->ops->stored)
		m->ops->stored(m);
	if (!err && !m->ops->no_writeback)
		flusher_wake();
	return err;
}

const struct vm_ops mapping_vm_ops = {
	.fault = filemap_fault,
	.mkwrite = filemap_mkwrite,
};

int mapping_mmap(struct mapping *m, struct file *f __unused, struct vma *v)
{
	v->mapping = m;
	v->ops = &mapping_vm_ops;
	return 0;
}
