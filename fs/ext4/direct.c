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
 * Locking: inode->lock, for writing or, to read, for reading, until the
 * transfer has ended: nobody frees the blocks meanwhile.
 * Not here: asynchronous transfers; io_submit() returns when all is done.
 */
#include <fs/direct.h>
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <lib/atomic.h>

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
