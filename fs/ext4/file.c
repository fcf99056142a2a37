/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/file.c - attributes, size and synchronisation of files.
 *
 * Shrinking: the tail of the last block is zeroed, the size set, pages
 * dropped, blocks freed; in between the inode is on the orphan list, so that a
 * crash leaves nothing half freed.  Growing: zero.c.
 *
 * Locking: inode->lock is held for writing in setattr.
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <kernel/init.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>

struct file_ops ext4_file_ops; /* [I] after ext4_file_init() */

static int shrink(struct inode *inode, u64 size)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u64 end = ALIGN_UP(size, (u64)sbi->block_size);
	struct ext4_handle h;
	int err;

	ext4_dio_wait(inode);
	err = ext4_zero_bytes(inode, size, min(end, inode->i_size));
	if (!err)
		err = ext4_begin(sbi, &h, 4);
	if (err)
		return err;
	if (!size && inode->i_size)
		EXT4_I(inode)->truncated = true;
	ext4_set_size(inode, size);
	err = ext4_orphan_add(&h, inode);
	ext4_end(&h);
	mapping_truncate(&inode->mapping, size);
	if (!err)
		err = ext4_remove_blocks(inode, (u32)(end >> sbi->block_bits),
					 ~0ull);
	/* A reader that saw the old size may have brought a page back. */
	mapping_truncate(&inode->mapping, size);
	if (err || ext4_begin(sbi, &h, 4))
		return err;
	err = ext4_orphan_del(&h, inode);
	ext4_end(&h);
	return err;
}

/* The size goes to the disk with the attributes. */
static int set_size(struct inode *inode, u64 size)
{
	u64 old = inode->i_size;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if (size > ext4_max_size(inode))
		return -EFBIG;
	if (size > old) {
		int err = ext4_zero_eof(inode, old);

		if (err)
			return err;
		ext4_set_size(inode, size);
		ext4_grown(inode, old);
	} else if (size < old || inode->blocks) {
		/* Also what was allocated beyond the end. */
		return shrink(inode, size);
	}
	return 0;
}

int ext4_setattr(struct inode *inode, const struct iattr *a)
{
	struct ext4_handle h;
	int err = 0;

	if ((inode->sb->flags & MS_RDONLY) || load_once(&inode->sb->dead))
		return ext4_refusal(inode_sbi(inode));
	if (a->valid & ATTR_SIZE) {
		ext4_enter(inode_sbi(inode), EXT4_WRITE);
		err = set_size(inode, a->size);
		ext4_leave(inode_sbi(inode), EXT4_WRITE);
	}
	if (err)
		return err;
	if (a->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (a->mode & 07777);
	if (a->valid & ATTR_UID)
		inode->uid = a->uid;
	if (a->valid & ATTR_GID)
		inode->gid = a->gid;
	if (a->valid & ATTR_ATIME)
		inode->atime = a->atime;
	if (a->valid & ATTR_MTIME)
		inode->mtime = a->mtime;
	inode->ctime = a->ctime;
	err = ext4_begin(inode_sbi(inode), &h, 1);
	if (err)
		return err;
	err = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	if (a->valid & ATTR_SIZE)
		ext4_inode_done(inode);
	return err;
}

/*
 * Is there perhaps room after all?  What is promised to dirty pages counts with the
 * blocks of trees that it may need: once they have their places that is known.
 */
static bool settle_promises(struct mapping *m, bool *done)
{
	if (*done || !load_once(&m->nr_dirty))
		return false;
	*done = true;
	return !mapping_sync(m, 0, ~0ull, true);
}

/* Blocks that were freed are there again when that is committed. */
static s64 write_some(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct mapping *m = &f->inode->mapping;
	bool settled = false;
	u32 tries = 0;
	s64 n;

	do {
		n = (f->flags & O_DIRECT) && from->is_user
			    ? ext4_write_direct(f, from, pos)
			    : mapping_file_write(m, f, from, pos);
	} while (n == -ENOSPC &&
		 (settle_promises(m, &settled) ||
		  ext4_retry_nospc(inode_sbi(f->inode), &tries)));
	return n;
}

/* As generic_file_write(), but for what lies between the end and @pos. */
static s64 ext4_file_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct inode *inode = f->inode;
	u64 old;
	s64 n;

	if (unlikely(load_once(&inode_sbi(inode)->shut)))
		return -EIO;
	down_write(&inode->lock);
	old = inode->i_size;
	ext4_enter(inode_sbi(inode), EXT4_WRITE);
	n = file_prepare_write(f, from, pos);
	if (!n && *pos > old)
		n = ext4_zero_eof(inode, old);
	if (!n && iov_iter_count(from))
		n = write_some(f, from, pos);
	if (n > 0 && inode->i_size > old)
		ext4_grown(inode, old);
	ext4_leave(inode_sbi(inode), EXT4_WRITE);
	up_write(&inode->lock);
	if (n > 0 && file_is_sync(f)) {
		bool data_only = !(f->flags & (O_SYNC & ~O_DSYNC));
		int err = vfs_fsync(f, data_only);

		if (err)
			return err;
	}
	return n;
}

int ext4_fsync(struct file *f, bool datasync)
{
	struct inode *inode = f->inode;
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_sb *sbi = inode_sbi(inode);
	bool flushed = false;
	int err = 0;

	if (load_once(&sbi->shut))
		return -EIO;
	if (S_ISREG(inode->mode))
		err = mapping_fsync(&inode->mapping, f, 0, ~0ull);
	if (unlikely(err))
		ext4_unwrite_failed(sbi);
	if (load_once(&sbi->aborted))
		return err ? err : ext4_refusal(sbi);
	if (err || (inode->sb->flags & MS_RDONLY))
		return err;
	if (!datasync && load_once(&inode->dirty))
		err = ext4_write_inode(inode, false);
	/* Without a journal nothing tells which blocks belong to one file. */
	if (!err && !sbi->journal)
		return ext4_bufs_flush(sbi, true);
	/* Of a directory, all that was done before: as on Linux. */
	if (!err && !S_ISREG(inode->mode))
		return ext4_commit_now(sbi);
	if (!err)
		err = ext4_commit(sbi,
				  load_once(datasync ? &ei->datasync_tid
						     : &ei->sync_tid),
				  &flushed);
	return err || flushed ? err : ext4_flush_device(sbi);
}

/*
 * A file that was emptied is written when it is closed, as on Linux: many a
 * program replaces a file so and forgets to call fsync().
 */
static int ext4_flush(struct file *f)
{
	struct ext4_inode *ei = EXT4_I(f->inode);

	if (!f->can_write || !load_once(&ei->truncated) ||
	    (load_once(&inode_sbi(f->inode)->opt.flags) & EXT4_OPT_NO_AUTO_DA))
		return 0;
	store_once(&ei->truncated, false);
	return mapping_sync(&f->inode->mapping, 0, ~0ull, false);
}

static int ext4_open(struct inode *inode, struct file *f __unused)
{
	return unlikely(load_once(&inode_sbi(inode)->shut)) ? -EIO : 0;
}

static int ext4_mmap(struct file *f, struct vma *vma)
{
	if (load_once(&inode_sbi(f->inode)->shut))
		return -EIO;
	return generic_file_mmap(f, vma);
}

void ext4_file_init(void)
{
	ext4_file_ops = generic_file_ops;
	ext4_file_ops.read = ext4_file_read;
	ext4_file_ops.nowait = true;
	ext4_file_ops.write_now = ext4_write_now;
	ext4_file_ops.read_now = ext4_read_now;
	ext4_file_ops.write = ext4_file_write;
	ext4_file_ops.direct = ext4_direct;
	ext4_file_ops.mmap = ext4_mmap;
	ext4_file_ops.fsync = ext4_fsync;
	ext4_file_ops.flush = ext4_flush;
	ext4_file_ops.llseek = ext4_llseek;
	ext4_file_ops.fallocate = ext4_fallocate;
	ext4_file_ops.move_blocks = ext4_move_blocks;
	ext4_file_ops.ioctl = ext4_ioctl;
}

const struct inode_ops ext4_file_inode_ops = {
	.open = ext4_open,
	.setattr = ext4_setattr,
	.getxattr = ext4_getxattr,
	.setxattr = ext4_setxattr,
	.removexattr = ext4_removexattr,
	.listxattr = ext4_listxattr,
};

const struct file_ops ext4_dir_file_ops = {
	.llseek = ext4_dir_llseek,
	.readdir = ext4_readdir,
	.fsync = ext4_fsync,
	.ioctl = ext4_ioctl,
};
