/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/fallocate.c - reserve, punch, zero, take out and put in ranges of a file.
 *
 * The caller knows that @mode is one that Linux has, and the file may change.
 * Reserved blocks are unwritten extents: they read as zeroes until they are
 * written.  Files with block pointers cannot say that: -EOPNOTSUPP, but for
 * holes.
 *
 * Locking: inode->lock for writing, for the whole operation.
 */
#include <fs/ext4/extent.h>
#include <fs/filecaps.h>
#include <kernel/sched/thread.h>
#include <lib/atomic.h>

#define CREDITS 48u

#define FALLOC_KEEP_SIZE  0x01
#define FALLOC_PUNCH_HOLE 0x02
#define FALLOC_ZERO_RANGE 0x10
#define FALLOC_COLLAPSE	  0x08
#define FALLOC_INSERT	  0x20
#define FALLOC_KNOWN                                                \
	(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE | \
	 FALLOC_COLLAPSE | FALLOC_INSERT)

/* One handle's worth of the holes from *from on; *from: up to where. */
static int reserve_some(struct inode *inode, u64 *from, u64 to)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_map m = { .lblk = (u32)*from, .len = (u32)(to - *from) };
	struct ext4_handle h;
	int err, err2;

	err = ext4_begin(inode_sbi(inode), &h, CREDITS);
	if (err)
		return err;
	down_write(&ei->map_lock);
	err = ext4_map_prealloc(&h, inode, &m);
	up_write(&ei->map_lock);
	err2 = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	if (!err)
		*from += m.len;
	return err ? err : err2;
}

/* @some for blocks [from, to) until they are done; again when a commit frees some. */
static int in_steps(struct inode *inode, u64 from, u64 to,
		    int (*some)(struct inode *inode, u64 *from, u64 to))
{
	u32 tries = 0;
	int err = 0;

	while (from < to && !err) {
		err = some(inode, &from, to);
		if (err == -ENOSPC &&
		    ext4_retry_nospc(inode_sbi(inode), &tries))
			err = 0;
		cond_resched();
	}
	return err;
}

/* Blocks [from, to): unwritten where there was a hole. */
static int reserve(struct inode *inode, u64 from, u64 to)
{
	u32 bits = inode_sbi(inode)->block_bits;
	int err = 0;

	/* Dirty pages there have been promised blocks: they get those first. */
	if (load_once(&EXT4_I(inode)->delayed))
		err = mapping_sync(&inode->mapping, from << bits, to << bits,
				   false);
	return err ? err : in_steps(inode, from, to, reserve_some);
}

/* One extent's worth becomes unwritten where it is: nobody else gets the blocks
 * meanwhile, and a file in one piece stays so.  *from: up to where. */
static int unwrite_some(struct inode *inode, u64 *from, u64 to)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_map m = { .lblk = (u32)*from };
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(inode), &h, CREDITS), err2;

	if (err)
		return err;
	m.len = (u32)min_t(u64, to - *from, EXT4_EXT_UNW_MAX);
	down_write(&ei->map_lock);
	ext4_map_forget(ei);
	err = ext4_ext_map(inode, &m);
	if (!err && m.state == EXT4_WRITTEN)
		err = ext4_ext_convert(&h, inode, m.lblk, m.len, true);
	up_write(&ei->map_lock);
	store_once(&ei->datasync_tid, ext4_handle_tid(&h));
	err2 = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	if (!err)
		*from += m.len;
	return err ? err : err2;
}

/*
 * Bytes [off, end) read as zeroes from now on: parts of blocks are zeroed, whole
 * blocks freed or, if the file is to @keep them, unwritten.
 */
static int punch(struct inode *inode, u64 off, u64 end, bool keep)
{
	u32 bits = inode_sbi(inode)->block_bits;
	u64 bs = 1ull << bits;
	u64 a = ALIGN_UP(off, bs), b = ALIGN_DOWN(end, bs);
	int err;

	if (a > b) /* inside of one block */
		return ext4_zero_bytes(inode, off, end);
	err = ext4_zero_bytes(inode, off, a);
	if (!err)
		err = ext4_zero_bytes(inode, b, end);
	if (err || a == b)
		return err;
	/* Dirty pages that are cut in two go to the disk while they have
	 * all their blocks. */
	err = mapping_sync(&inode->mapping, ALIGN_DOWN(a, PAGE_SIZE),
			   ALIGN_UP(b, PAGE_SIZE), true);
	mapping_punch(&inode->mapping, a, b);
	if (err)
		return err;
	err = keep ? in_steps(inode, a >> bits, b >> bits, unwrite_some)
		   : ext4_remove_blocks(inode, (u32)(a >> bits), b >> bits);
	/* Readers take no lock: what they brought back meanwhile is old. */
	mapping_punch(&inode->mapping, a, b);
	return err;
}

static int set_end(struct inode *inode, u64 end)
{
	struct ext4_handle h;
	u64 old;
	int err;

	if (end <= inode->i_size)
		return 0;
	err = ext4_zero_eof(inode, inode->i_size);
	if (!err)
		err = ext4_begin(inode_sbi(inode), &h, 1);
	if (err)
		return err;
	old = inode->i_size;
	ext4_set_size(inode, end);
	err = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	ext4_grown(inode, old);
	return err;
}

static int punch_hole(struct inode *inode, u64 off, u64 end)
{
	u64 last = ALIGN_UP(inode->i_size, (u64)inode_sbi(inode)->block_size);

	/* Up to the end of the last block: nothing is behind it. */
	return punch(inode, off, min(end, max(last, off)), false);
}

static int zero_range(struct inode *inode, u64 off, u64 end, bool keep)
{
	u64 inside = max(off, min(end, inode->i_size));
	u32 bits = inode_sbi(inode)->block_bits;
	int err = punch(inode, off, inside, true);

	if (!err)
		err = reserve(inode, off >> bits,
			      DIV_ROUND_UP(end, 1ull << bits));
	return err || keep ? err : set_end(inode, end);
}

/* --- ranges that go or come */

/* What is cached from byte @off on is written, and goes: its place changes. */
static int let_go(struct inode *inode, u64 off)
{
	u64 start = ALIGN_DOWN(off, PAGE_SIZE);
	int err = mapping_sync(&inode->mapping, start, ~0ull, true);

	mapping_punch(&inode->mapping, start,
		      ALIGN_UP(inode->i_size, PAGE_SIZE));
	return err;
}

static int resize(struct inode *inode, u64 size)
{
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(inode), &h, 1);

	if (err)
		return err;
	ext4_set_size(inode, size);
	store_once(&EXT4_I(inode)->datasync_tid, ext4_handle_tid(&h));
	err = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err;
}

/* All from block @from on move by @by, which leads to a hole. */
static int shift(struct inode *inode, u32 from, u32 by, bool up)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 end = EXT4_MAX_LBLK;
	struct ext4_handle h;
	bool more = true;
	int err = 0, err2;

	while (more && !err) {
		err = ext4_begin(inode_sbi(inode), &h, CREDITS);
		if (err)
			return err;
		down_write(&ei->map_lock);
		ext4_map_forget(ei);
		ei->goal_pblk = 0;
		if (up)
			err = ext4_ext_shift_up(&h, inode, from, &end, by,
						&more);
		else
			err = ext4_ext_shift_down(&h, inode, &from, by, &more);
		up_write(&ei->map_lock);
		store_once(&ei->datasync_tid, ext4_handle_tid(&h));
		err2 = ext4_mark_dirty(&h, inode);
		ext4_end(&h);
		err = err ? err : err2;
		cond_resched();
	}
	return err;
}

static int collapse(struct inode *inode, u64 off, u64 end)
{
	u32 bits = inode_sbi(inode)->block_bits;
	u64 size = inode->i_size;
	int err;

	if (end >= size)
		return -EINVAL;
	err = let_go(inode, off);
	if (!err)
		err = ext4_remove_blocks(inode, (u32)(off >> bits),
					 end >> bits);
	if (!err)
		err = shift(inode, (u32)(end >> bits),
			    (u32)((end - off) >> bits), false);
	if (!err)
		err = resize(inode, size - (end - off));
	/* Readers take no lock. */
	mapping_punch(&inode->mapping, ALIGN_DOWN(off, PAGE_SIZE),
		      ALIGN_UP(size, PAGE_SIZE));
	return err;
}

static int insert(struct inode *inode, u64 off, u64 end)
{
	u32 bits = inode_sbi(inode)->block_bits, from = (u32)(off >> bits);
	u64 len = end - off, size = inode->i_size;
	u32 last = 0;
	int err;

	if (off >= size)
		return -EINVAL;
	if (len > ext4_max_size(inode) - size)
		return -EFBIG;
	err = let_go(inode, off);
	down_read(&EXT4_I(inode)->map_lock);
	if (!err)
		err = ext4_ext_end(inode, &last);
	up_read(&EXT4_I(inode)->map_lock);
	if (!err && last + (len >> bits) >= EXT4_MAX_LBLK)
		err = -EINVAL;
	if (!err)
		err = resize(inode, size + len);
	if (!err)
		err = ext4_cut_extent(inode, from);
	if (!err)
		err = shift(inode, from, (u32)(len >> bits), true);
	mapping_punch(&inode->mapping, ALIGN_DOWN(off, PAGE_SIZE),
		      ALIGN_UP(size + len, PAGE_SIZE));
	return err;
}

static int move_range(struct inode *inode, int mode, u64 off, u64 end)
{
	u64 part = inode_sbi(inode)->block_size - 1;

	if ((off | end) & part)
		return -EINVAL;
	if (!ext4_has_extents(EXT4_I(inode)))
		return -EOPNOTSUPP;
	return mode == FALLOC_COLLAPSE ? collapse(inode, off, end)
				       : insert(inode, off, end);
}

static int change(struct inode *inode, int mode, u64 off, u64 end)
{
	bool keep = mode & FALLOC_KEEP_SIZE;
	u32 bits = inode_sbi(inode)->block_bits;
	int err;

	if (mode & (FALLOC_COLLAPSE | FALLOC_INSERT))
		return move_range(inode, mode, off, end);
	if (mode & FALLOC_PUNCH_HOLE)
		return punch_hole(inode, off, end);
	if (!ext4_has_extents(EXT4_I(inode)))
		return -EOPNOTSUPP;
	if (mode & FALLOC_ZERO_RANGE)
		return zero_range(inode, off, end, keep);
	err = reserve(inode, off >> bits, DIV_ROUND_UP(end, 1ull << bits));
	return err || keep ? err : set_end(inode, end);
}

int ext4_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct inode *inode = f->inode;
	int err;

	if (mode & ~FALLOC_KNOWN)
		return -EOPNOTSUPP;
	if (!S_ISREG(inode->mode))
		return S_ISDIR(inode->mode) ? -EISDIR : -ENODEV;
	if ((inode->sb->flags & MS_RDONLY) || load_once(&inode->sb->dead))
		return ext4_refusal(inode_sbi(inode));
	if (!len || off + len < off || off + len > ext4_max_size(inode))
		return len ? -EFBIG : -EINVAL;
	down_write(&inode->lock);
	filecaps_drop(inode);
	ext4_enter(inode_sbi(inode), EXT4_WRITE);
	ext4_dio_wait(inode);
	err = change(inode, mode, off, off + len);
	if (!err)
		inode_modified(inode);
	ext4_leave(inode_sbi(inode), EXT4_WRITE);
	up_write(&inode->lock);
	return !err && file_is_sync(f) ? vfs_fsync(f, false) : err;
}
