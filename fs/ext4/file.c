/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/file.c - attributes, size and synchronisation of files.
 *
 * Shrinking: the tail of the last block is zeroed, the size set, pages
 * dropped, blocks freed; in between the inode is on the orphan list, so that a
 * crash leaves nothing half freed.
 *
 * Locking: inode->lock is held for writing in setattr.
 */
#include <fs/ext4/ext4.h>
#include <kernel/init.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>

#define FS_IOC_GETFLAGS	  0x80086601u
#define FS_IOC_SETFLAGS	  0x40086602u
#define FS_IOC_GETVERSION 0x80087601u
#define FS_IMMUTABLE_BITS (EXT4_IMMUTABLE_FL | EXT4_APPEND_FL)

struct file_ops ext4_file_ops; /* [I] after ext4_file_init() */

/*
 * Zero bytes [from, to) of the file, all in one page, through the page cache.
 * Holes stay holes.
 */
int ext4_zero_bytes(struct inode *inode, u64 from, u64 to)
{
	struct mapping *mp = &inode->mapping;
	u32 off = (u32)(from & (PAGE_SIZE - 1)), len = (u32)(to - from);
	struct ext4_map m = { .len = 1 };
	struct page *pg;
	int err;

	if (from >= to)
		return 0;
	m.lblk = (u32)(from >> inode_sbi(inode)->block_bits);
	err = ext4_map_read(inode, &m);
	if (err)
		return err;
	pg = mapping_find(mp, from >> PAGE_SHIFT);
	if (!pg && m.state != EXT4_WRITTEN)
		return 0;
	if (pg)
		page_put(pg);
	pg = mapping_read(mp, from >> PAGE_SHIFT, NULL);
	if (IS_ERR(pg))
		return (int)PTR_ERR(pg);
	page_lock(pg);
	if (load_once(&pg->mapping) == mp) {
		page_wait_writeback(pg);
		memset((u8 *)page_addr(pg) + off, 0, len);
		if (m.state == EXT4_WRITTEN)
			page_set_dirty(pg);
	}
	page_unlock(pg);
	page_put(pg);
	return 0;
}

/* Bytes behind the old end that a mapping may have written become visible. */
void ext4_zero_eof(struct inode *inode, u64 old_size)
{
	u32 off = (u32)(old_size & (PAGE_SIZE - 1));
	struct page *pg;

	if (!off)
		return;
	pg = mapping_find(&inode->mapping, old_size >> PAGE_SHIFT);
	if (!pg)
		return;
	page_lock(pg);
	if (load_once(&pg->flags) & PG_UPTODATE)
		memset((u8 *)page_addr(pg) + off, 0, PAGE_SIZE - off);
	page_unlock(pg);
	page_put(pg);
}

static int shrink(struct inode *inode, u64 size)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u64 end = ALIGN_UP(size, (u64)sbi->block_size);
	struct ext4_handle h;
	int err = ext4_zero_bytes(inode, size, min(end, inode->i_size));

	if (!err)
		err = ext4_begin(sbi, &h, 4);
	if (err)
		return err;
	store_once(&inode->i_size, size);
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

static int set_size(struct inode *inode, u64 size)
{
	u64 old = inode->i_size;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	if (size > ext4_max_size(inode))
		return -EFBIG;
	if (size > old) {
		ext4_zero_eof(inode, old);
		store_once(&inode->i_size, size);
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

	if (inode->sb->flags & MS_RDONLY)
		return -EROFS;
	if (a->valid & ATTR_SIZE)
		err = set_size(inode, a->size);
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
	inode->ctime = inode_now(inode);
	err = ext4_begin(inode_sbi(inode), &h, 1);
	if (err)
		return err;
	err = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err;
}

/* Without a journal nothing tells which blocks belong to one file: all go. */
int ext4_fsync(struct file *f, bool datasync)
{
	struct inode *inode = f->inode;
	int err = 0;

	(void)datasync;
	if (S_ISREG(inode->mode))
		err = mapping_sync(&inode->mapping, 0, ~0ull, true);
	if (inode->sb->flags & MS_RDONLY)
		return err;
	if (!err && load_once(&inode->dirty))
		err = ext4_write_inode(inode, false);
	if (!err)
		err = ext4_bufs_flush(inode_sbi(inode), true);
	return err;
}

static int set_flags(struct inode *inode, u32 want)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_handle h;
	u32 change;
	int err;

	down_write(&inode->lock);
	change = (ei->flags ^ want) & EXT4_USER_FLAGS;
	err = 0;
	if (current_cred()->fsuid != inode->uid && !capable(CAP_FOWNER))
		err = -EACCES;
	else if ((change & FS_IMMUTABLE_BITS) && !capable(CAP_LINUX_IMMUTABLE))
		err = -EPERM;
	if (!err && change)
		err = ext4_begin(inode_sbi(inode), &h, 1);
	if (!err && change) {
		ei->flags ^= change;
		ext4_iflags_to_vfs(inode);
		inode->ctime = inode_now(inode);
		err = ext4_mark_dirty(&h, inode);
		ext4_end(&h);
	}
	up_write(&inode->lock);
	return err;
}

s64 ext4_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct inode *inode = f->inode;
	u32 v;

	switch (cmd) {
	case FS_IOC_GETFLAGS:
		v = EXT4_I(inode)->flags;
		return copy_to_user(arg, &v, sizeof(v)) ? -EFAULT : 0;
	case FS_IOC_SETFLAGS:
		if (copy_from_user(&v, arg, sizeof(v)))
			return -EFAULT;
		return set_flags(inode, v);
	case FS_IOC_GETVERSION:
		v = inode->generation;
		return copy_to_user(arg, &v, sizeof(v)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

void ext4_file_init(void)
{
	ext4_file_ops = generic_file_ops;
	ext4_file_ops.fsync = ext4_fsync;
	ext4_file_ops.fallocate = ext4_fallocate;
	ext4_file_ops.ioctl = ext4_ioctl;
}

const struct inode_ops ext4_file_inode_ops = {
	.setattr = ext4_setattr,
	.getxattr = ext4_getxattr,
	.setxattr = ext4_setxattr,
	.removexattr = ext4_removexattr,
	.listxattr = ext4_listxattr,
};

const struct file_ops ext4_dir_file_ops = {
	.llseek = generic_file_llseek,
	.readdir = ext4_readdir,
	.fsync = ext4_fsync,
	.ioctl = ext4_ioctl,
};
