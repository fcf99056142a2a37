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
#define FS_IOC_FSSETXATTR 0x401c5820u

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

static int set_flags(struct file *f, u32 want)
{
	struct inode *i = f->inode;
	int err;

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

/* struct fsxattr of linux/fs.h; only xflags can be other than zero, and nr of
 * extents, which nobody sets. */
static int get_fsxattr(const struct inode *i, uaddr_t arg)
{
	u32 f = i->iflags, x[7] = { 0 };

	x[0] = (f & FS_IMMUTABLE_FL ? 0x08 : 0) |
	       (f & FS_APPEND_FL ? 0x10 : 0) | (f & FS_NOATIME_FL ? 0x40 : 0) |
	       (f & FS_NODUMP_FL ? 0x80 : 0);
	return copy_to_user(arg, x, sizeof(x)) ? -EFAULT : 0;
}

#define XFLAGS		   (0x08u | 0x10u | 0x40u | 0x80u)
#define FIBMAP		   1u
#define XFLAG_EXTSIZE	   0x0800u
#define XFLAG_EXTSZINHERIT 0x1000u

static int set_fsxattr(struct file *f, uaddr_t arg)
{
	u32 x[7], v;

	if (copy_from_user(x, arg, sizeof(x)))
		return -EFAULT;
	v = x[0];
	if ((v & XFLAG_EXTSIZE && !S_ISREG(f->inode->mode)) ||
	    (v & XFLAG_EXTSZINHERIT && !S_ISDIR(f->inode->mode)))
		return -EINVAL;
	if ((v & ~XFLAGS) || x[1] || x[3] || x[4])
		return -EOPNOTSUPP;
	return set_flags(f, (v & 0x08 ? FS_IMMUTABLE_FL : 0) |
				    (v & 0x10 ? FS_APPEND_FL : 0) |
				    (v & 0x40 ? FS_NOATIME_FL : 0) |
				    (v & 0x80 ? FS_NODUMP_FL : 0));
}

s64 tmpfs_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	u32 want;

	if (!f->mnt || !f->inode) /* memory that has a descriptor only */
		return -ENOTTY;
	switch (cmd) {
	case FS_IOC_GETFLAGS:
		return put_user_u32(f->inode->iflags, arg);
	case FS_IOC_SETFLAGS:
		return get_user_u32(&want, arg) ? -EFAULT : set_flags(f, want);
	case FS_IOC_FSSETXATTR:
		return set_fsxattr(f, arg);
	case FS_IOC_FSGETXATTR:
		return get_fsxattr(f->inode, arg);
	case FIBMAP: /* there are no blocks */
		if (!S_ISREG(f->inode->mode))
			return -ENOTTY;
		return capable(CAP_SYS_RAWIO) ? -EINVAL : -EPERM;
	default:
		return -ENOTTY;
	}
}
