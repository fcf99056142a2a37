/* SPDX-License-Identifier: MIT */
/*
 * fs/tmpfs_ioctl.c - flags of files in memory, as lsattr and chattr know them.
 *
 * The VFS enforces them.  Locking: inode->lock for writing.
 */
#include <fs/tmpfs.h>

#include <fs/internal.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

#define FS_IOC_GETFLAGS	  0x80086601u
#define FS_IOC_SETFLAGS	  0x40086602u
#define FS_IOC_FSGETXATTR 0x801c581fu

#define PRIVILEGED (FS_IMMUTABLE_FL | FS_APPEND_FL)
#define SETTABLE   (PRIVILEGED | FS_NODUMP_FL | FS_NOATIME_FL)

static int may_set(const struct inode *i, u32 want)
{
	if (!inode_owner_or_capable(i))
		return -EPERM;
	if (((i->iflags ^ want) & PRIVILEGED) && !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	return want & ~(u32)SETTABLE ? -EOPNOTSUPP : 0;
}

static int set_flags(struct file *f, uaddr_t arg)
{
	struct inode *i = f->inode;
	u32 want;
	int err;

	if (get_user_u32(&want, arg))
		return -EFAULT;
	if ((f->mnt->flags | i->sb->flags) & MS_RDONLY)
		return -EROFS;
	down_write(&i->lock);
	err = may_set(i, want);
	if (!err) {
		i->iflags = want;
		i->ctime = inode_now(i);
	}
	up_write(&i->lock);
	return err;
}

/* struct fsxattr of linux/fs.h; only xflags can be other than zero. */
static int get_fsxattr(const struct inode *i, uaddr_t arg)
{
	u32 f = i->iflags, x[7] = { 0 };

	x[0] = (f & FS_IMMUTABLE_FL ? 0x08 : 0) |
	       (f & FS_APPEND_FL ? 0x10 : 0) | (f & FS_NOATIME_FL ? 0x40 : 0) |
	       (f & FS_NODUMP_FL ? 0x80 : 0);
	return copy_to_user(arg, x, sizeof(x)) ? -EFAULT : 0;
}

s64 tmpfs_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	if (!f->mnt || !f->inode) /* memory that has a descriptor only */
		return -ENOTTY;
	switch (cmd) {
	case FS_IOC_GETFLAGS:
		return put_user_u32(f->inode->iflags, arg);
	case FS_IOC_SETFLAGS:
		return set_flags(f, arg);
	case FS_IOC_FSGETXATTR:
		return get_fsxattr(f->inode, arg);
	default:
		return -ENOTTY;
	}
}
