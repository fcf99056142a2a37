/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/direct.c - O_DIRECT on files: between the caller's memory and the disk.
 *
 * What has its place on the volume is moved without the page cache.  The rest
 * goes through it: holes, reserved blocks and whatever makes the file longer,
 * for that takes a transaction that waits for the data; and writes of parts of
 * pages, whose other parts somebody else may have changed.  It is then written
 * and dropped, so that the cache never has what the disk has not.
 *
 * A page that is cached in the meantime is older than what was written: it is
 * dropped, too, as is what a mapping does at the same time to the same bytes.
 *
 * An asynchronous transfer (io_submit()) is one that goes past the cache as a whole;
 * what does not is done at once.  While it is under way
 *   D1  ei->dio counts it: who frees or moves blocks of the file waits for 0 with
 *	 inode->lock held for writing, which keeps new ones out;
 *   D2  ei->dio_writes counts it, if it writes: nobody reads a page of the file into
 *	 the cache, and there was none of the range when it began.
 *
 * ORDERING
 *   DIOPAGE  a reader has its page in the cache, then looks at dio_writes; a writer
 *	      has counted itself, then looks for pages: one sees the other.
 *   DIOIDLE  a transfer's end before the counts that let others go on.
 *
 * Locking: inode->lock, for writing or, to read, for reading, until the
 * transfer has ended or is counted: nobody frees the blocks meanwhile.
 */
#include <fs/direct.h>
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

/* An asynchronous transfer under way; the caller's @outer has the file. */
struct transfer {
	struct aio_req req;
	struct aio_req *outer;
	struct inode *inode;
	bool write;
};

static int map_file(void *ctx, u64 pos, u64 bytes, struct direct_run *run)
{
	struct inode *inode = ctx;
	u32 bits = inode_sbi(inode)->block_bits;
	u64 in = pos & ((1ull << bits) - 1);
	u64 blocks = DIV_ROUND_UP(in + bytes, 1ull << bits);
	struct ext4_map m = { .lblk = (u32)(pos >> bits) };
	int err;

	m.len = (u32)min_t(u64, blocks, EXT4_MAX_LBLK - m.lblk);
	err = ext4_map_read(inode, &m);
	if (err)
		return err;
	run->hole = m.state != EXT4_WRITTEN;
	run->bytes = min(bytes, ((u64)m.len << bits) - in);
	run->sector = run->hole ? 0
				: (m.pblk << (bits - SECTOR_SHIFT)) +
					  (in >> SECTOR_SHIFT);
	return 0;
}

/* Bytes that were read; what is not in whole sectors is left to the cache. */
static s64 read_locked(struct file *f, struct iov_iter *to, u64 pos)
{
	struct inode *inode = f->inode;
	struct blkdev *bd = inode_sbi(inode)->bdev;
	u64 end = ALIGN_DOWN(load_once(&inode->i_size), (u64)bd->block_size);
	size_t all = iov_iter_count(to), len;
	s64 n;

	if (pos >= end)
		return 0;
	iov_iter_truncate(to, end - pos);
	len = iov_iter_count(to);
	n = direct_begin(&inode->mapping, pos, len, false);
	if (!n)
		n = direct_io(bd, to, pos, false, false, map_file, inode, NULL);
	to->count += all - len;
	return n;
}

s64 ext4_file_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct inode *inode = f->inode;
	s64 n, rest;

	if (unlikely(load_once(&inode_sbi(inode)->shut)))
		return -EIO;
	if (!(f->flags & O_DIRECT) || !to->is_user || !iov_iter_count(to))
		return generic_file_read(f, to, pos);
	if (!direct_aligned(to, *pos, inode_sbi(inode)->bdev->block_size))
		return -EINVAL;
	down_read(&inode->lock);
	n = read_locked(f, to, *pos);
	up_read(&inode->lock);
	if (n < 0 && n != -ENOTBLK)
		return n;
	n = max(n, (s64)0);
	*pos += (u64)n;
	/* The end of the file, or memory that is in the cache itself. */
	rest = iov_iter_count(to) ? generic_file_read(f, to, pos) : 0;
	if (n && !rest)
		file_accessed(f);
	return n ? n + max(rest, (s64)0) : rest;
}

/* Bytes written past the cache; -ENOTBLK: none can be.  inode->lock is held
 * for writing. */
static s64 write_past(struct inode *inode, struct iov_iter *from, u64 pos)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	size_t all = iov_iter_count(from), len;
	u64 size = inode->i_size;
	s64 n;

	if ((pos & (PAGE_SIZE - 1)) || pos >= size)
		return -ENOTBLK;
	iov_iter_truncate(from,
			  ALIGN_DOWN(min_t(u64, all, size - pos), PAGE_SIZE));
	len = iov_iter_count(from);
	n = len ? direct_begin(&inode->mapping, pos, len, true) : -ENOTBLK;
	if (!n) {
		n = direct_io(sbi->bdev, from, pos, true, false, map_file,
			      inode, NULL);
		ext4_note_write(sbi);
		if (load_once(&inode->mapping.nr_pages))
			mapping_punch(&inode->mapping, pos, pos + len);
	}
	from->count += all - len;
	return n;
}

/* Through the cache, and out of it. */
static s64 write_through(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct mapping *m = &f->inode->mapping;
	u64 start = *pos;
	s64 n = mapping_file_write(m, f, from, pos);
	int err;

	if (n <= 0)
		return n;
	err = mapping_sync(m, start, *pos, true);
	(void)mapping_invalidate(m, start >> PAGE_SHIFT,
				 DIV_ROUND_UP(*pos, PAGE_SIZE));
	return err ? err : n;
}

s64 ext4_write_direct(struct file *f, struct iov_iter *from, u64 *pos)
{
	s64 n, rest;

	if (!direct_aligned(from, *pos, inode_sbi(f->inode)->bdev->block_size))
		return -EINVAL;
	n = write_past(f->inode, from, *pos);
	if (n < 0 && n != -ENOTBLK)
		return n;
	n = max(n, (s64)0);
	*pos += (u64)n;
	rest = iov_iter_count(from) ? write_through(f, from, pos) : 0;
	return n ? n + max(rest, (s64)0) : rest;
}

/* --- asynchronous ones */

static bool is_idle(struct inode *inode)
{
	/* DIOIDLE (acquire) - pairs with uncount(). */
	return !load_acquire(&EXT4_I(inode)->dio);
}

void ext4_dio_wait(struct inode *inode)
{
	if (!is_idle(inode))
		wait_event(&inode_sbi(inode)->buf_wait, is_idle(inode));
}

static bool no_writes(struct inode *inode)
{
	/* DIOIDLE (acquire) - pairs with uncount(). */
	return !load_acquire(&EXT4_I(inode)->dio_writes);
}

void ext4_dio_wait_writes(struct inode *inode)
{
	/* DIOPAGE (full) - pairs with count(). */
	smp_mb();
	if (unlikely(!no_writes(inode)))
		wait_event(&inode_sbi(inode)->buf_wait, no_writes(inode));
}

static void count(struct inode *inode, bool write)
{
	atomic_inc(&EXT4_I(inode)->dio);
	if (write)
		atomic_inc(&EXT4_I(inode)->dio_writes);
	/* DIOPAGE (full) - pairs with ext4_dio_wait_writes(). */
	smp_mb();
}

static void uncount(struct inode *inode, bool write)
{
	struct ext4_sb *sbi = inode_sbi(inode);

	/* DIOIDLE (full) - pairs with is_idle() and no_writes(). */
	if (write)
		atomic_dec(&EXT4_I(inode)->dio_writes);
	/* DIOIDLE (full) - likewise. */
	atomic_dec(&EXT4_I(inode)->dio);
	wake_up_all(&sbi->buf_wait);
}

/* Any context. */
static void transfer_end(struct aio_req *req, s64 res)
{
	struct transfer *t = container_of(req, struct transfer, req);
	struct aio_req *outer = t->outer;

	if (t->write) {
		ext4_note_write(inode_sbi(t->inode));
		ext4_leave(inode_sbi(t->inode), EXT4_WRITE);
	}
	uncount(t->inode, t->write);
	kfree(t);
	outer->end(outer, res); /* and the inode may go */
}

static bool has_pages(struct inode *inode, u64 pos, size_t len)
{
	u64 i = pos >> PAGE_SHIFT, end = DIV_ROUND_UP(pos + len, PAGE_SIZE);

	if (!load_once(&inode->mapping.nr_pages))
		return false;
	for (; i < end; i++) {
		struct page *pg = mapping_find(&inode->mapping, i);

		if (!pg)
			continue;
		page_put(pg);
		return true;
	}
	return false;
}

/* Has all of the range its place? */
static bool all_there(struct inode *inode, u64 pos, size_t len)
{
	while (len) {
		struct direct_run run;

		if (map_file(inode, pos, len, &run) || run.hole)
			return false;
		pos += run.bytes;
		len -= (size_t)run.bytes;
	}
	return true;
}

/* Blocks that have to be found, and a file that grows, take a transaction. */
int ext4_write_now(struct file *f, u64 pos, u64 len)
{
	struct inode *inode = f->inode;
	bool yes = false;

	if (!(f->flags & O_DIRECT))
		return -EOPNOTSUPP;
	down_read(&inode->lock);
	if (!((pos | len) & (PAGE_SIZE - 1)) && pos < inode->i_size &&
	    len <= inode->i_size - pos && !(f->flags & O_APPEND))
		yes = all_there(inode, pos, len);
	up_read(&inode->lock);
	return yes ? 0 : -EAGAIN;
}

/* What is cached may have to be written first. */
bool ext4_read_now(struct file *f, u64 pos, u64 len)
{
	struct inode *inode = f->inode;
	u32 align = inode_sbi(inode)->bdev->block_size;
	u64 size = load_once(&inode->i_size);

	return (f->flags & O_DIRECT) && !((pos | len) & (align - 1)) &&
	       pos < size && !has_pages(inode, pos, min(len, size - pos));
}

/* -EIOCBQUEUED, -ENOTBLK, or another error.  inode->lock is held. */
static s64 start(struct inode *inode, struct iov_iter *it, u64 pos, bool write,
		 struct aio_req *req)
{
	struct transfer *t = kmalloc(sizeof(*t));
	size_t len = iov_iter_count(it);
	s64 n;

	if (!t)
		return -ENOMEM;
	*t = (struct transfer){ { transfer_end }, req, inode, write };
	count(inode, write); /* D1, D2 */
	n = direct_begin(&inode->mapping, pos, len, write);
	if (!n && write && has_pages(inode, pos, len))
		n = -ENOTBLK;
	if (!n)
		n = direct_io(inode_sbi(inode)->bdev, it, pos, write, false,
			      map_file, inode, &t->req);
	if (n != -EIOCBQUEUED) {
		uncount(inode, write);
		kfree(t);
	}
	return n;
}

static s64 start_read(struct file *f, struct iov_iter *it, u64 pos,
		      struct aio_req *req)
{
	struct inode *inode = f->inode;
	u64 size;
	s64 n = -ENOTBLK;

	down_read(&inode->lock);
	size = load_once(&inode->i_size);
	if (pos < size && iov_iter_count(it) <= size - pos)
		n = start(inode, it, pos, false, req);
	up_read(&inode->lock);
	if (n == -EIOCBQUEUED)
		file_accessed(f);
	return n;
}

/* A write; who would wait here does so where writes are done at once. */
static s64 start_thawed(struct inode *inode, struct iov_iter *it, u64 pos,
			struct aio_req *req)
{
	s64 n;

	if (!ext4_try_enter(inode_sbi(inode), EXT4_WRITE))
		return -ENOTBLK;
	n = start(inode, it, pos, true, req);
	if (n != -EIOCBQUEUED)
		ext4_leave(inode_sbi(inode), EXT4_WRITE);
	return n;
}

static s64 start_write(struct file *f, struct iov_iter *it, u64 pos,
		       struct aio_req *req)
{
	struct inode *inode = f->inode;
	size_t len = iov_iter_count(it);
	s64 n = -ENOTBLK;

	down_write(&inode->lock);
	if (!((pos | len) & (PAGE_SIZE - 1)) && pos < inode->i_size &&
	    len <= inode->i_size - pos && all_there(inode, pos, len)) {
		n = file_prepare_write(f, it, &pos);
		if (!n && iov_iter_count(it) == len)
			n = start_thawed(inode, it, pos, req);
		else if (!n)
			n = -ENOTBLK;
	}
	up_write(&inode->lock);
	return n;
}

s64 ext4_direct(struct file *f, struct iov_iter *it, u64 pos, bool write,
		struct aio_req *req)
{
	struct inode *inode = f->inode;

	if (!req || !it->is_user || !iov_iter_count(it) ||
	    load_once(&inode_sbi(inode)->shut) ||
	    (write && (file_is_sync(f) || (inode->sb->flags & MS_RDONLY))) ||
	    !direct_aligned(it, pos, inode_sbi(inode)->bdev->block_size))
		return -ENOTBLK; /* who does it at once knows what to say */
	return write ? start_write(f, it, pos, req)
		     : start_read(f, it, pos, req);
}
