/* SPDX-License-Identifier: MIT */
/*
 * syscall/fsioctl.c - see fsioctl.h: sharing blocks, which nobody here can but whose
 * arguments are judged first; the old names of fallocate(2); what takes a second file.
 */
#include <syscall/fsioctl.h>

#include <syscall/syscall.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>

#define FS_IOC_FIEMAP	  0xc020660bu
#define FICLONE		  0x40049409u
#define FICLONERANGE	  0x4020940du
#define FIDEDUPERANGE	  0xc0189436u
#define FS_IOC_RESVSP	  0x40305828u
#define FS_IOC_UNRESVSP	  0x40305829u
#define FS_IOC_RESVSP64	  0x4030582au
#define FS_IOC_UNRESVSP64 0x4030582bu
#define FS_IOC_ZERO_RANGE 0x40305839u
#define EXT4_IOC_MOVE_EXT 0xc028660fu
#define FALLOC_KEEP_SIZE  0x01
#define FALLOC_PUNCH_HOLE 0x02
#define FALLOC_ZERO_RANGE 0x10

/* linux/falloc.h */
struct space_resv {
	s16 type, whence;
	s64 start, len; /* bytes */
	s32 sysid;
	u32 pid;
	s32 pad[4];
};

/* linux/fs.h */
struct clone_range {
	s64 src_fd;
	u64 src_offset, src_length, dest_offset; /* bytes */
};
struct dedupe_range {
	u64 src_offset, src_length; /* bytes */
	u16 dest_count, reserved1;
	u32 reserved2;
};

struct move_extent {
	u32 reserved, donor_fd;
	u64 orig_start, donor_start, len, moved_len; /* blocks */
};

static int may_share(const struct file *from, const struct file *to)
{
	const struct inode *a = from->inode, *b = to->inode;

	if (!a || !b || a->sb != b->sb)
		return -EXDEV;
	if (S_ISDIR(a->mode) || S_ISDIR(b->mode))
		return -EISDIR;
	if (!S_ISREG(a->mode) || !S_ISREG(b->mode))
		return -EINVAL;
	if (!from->can_read || !to->can_write || (to->flags & O_APPEND))
		return -EBADF;
	return -EOPNOTSUPP;
}

static int clone_from(struct file *to, int fd)
{
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = may_share(r.f, to);
	fd_unref(r);
	return err;
}

static int clone_range(struct file *to, uaddr_t arg)
{
	struct clone_range c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	return clone_from(to, (int)c.src_fd);
}

static int dedupe(struct file *f, uaddr_t arg)
{
	struct dedupe_range d;

	if (copy_from_user(&d, arg, sizeof(d)))
		return -EFAULT;
	if (sizeof(d) + d.dest_count * 32u > PAGE_SIZE)
		return -ENOMEM;
	if (!f->can_read || d.reserved1 || d.reserved2)
		return -EINVAL;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	return -EOPNOTSUPP;
}

static int reserve(struct file *f, int mode, uaddr_t arg)
{
	struct space_resv r;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.whence == SEEK_CUR)
		r.start += (s64)f->pos;
	else if (r.whence == SEEK_END)
		r.start += (s64)f->inode->i_size;
	else if (r.whence != SEEK_SET)
		return -EINVAL;
	return file_fallocate(f, mode | FALLOC_KEEP_SIZE, r.start, r.len);
}

static int move_from(struct file *f, int fd, struct move_extent *me)
{
	struct fdref r = fd_ref(fd);
	int err = -EBADF;

	if (!r.f)
		return err;
	me->moved_len = 0;
	if (r.f->can_write)
		err = r.f->inode && r.f->inode->sb == f->inode->sb
			      ? f->ops->move_blocks(f, r.f, me->orig_start,
						    me->donor_start, me->len,
						    &me->moved_len)
			      : -EXDEV;
	fd_unref(r);
	return err;
}

static int move_extent(struct file *f, uaddr_t arg)
{
	struct move_extent me;
	int err;

	if (!f->can_read || !f->can_write)
		return -EBADF;
	if (!f->ops->move_blocks)
		return -ENOTTY;
	if (copy_from_user(&me, arg, sizeof(me)))
		return -EFAULT;
	if (f->mnt->flags & MS_RDONLY)
		return -EROFS;
	err = move_from(f, (int)me.donor_fd, &me);
	if (copy_to_user(arg, &me, sizeof(me)))
		err = -EFAULT;
	return err;
}

s64 fs_ioctl(struct file *f, u32 cmd, uaddr_t arg)
{
	switch (cmd) {
	case FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	case FICLONE:
		return clone_from(f, (int)arg);
	case FICLONERANGE:
		return clone_range(f, arg);
	case FIDEDUPERANGE:
		return dedupe(f, arg);
	default:
		break;
	}
	if (!S_ISREG(f->inode->mode))
		return -ENOTTY;
	switch (cmd) {
	case FS_IOC_RESVSP:
	case FS_IOC_RESVSP64:
		return reserve(f, 0, arg);
	case FS_IOC_UNRESVSP:
	case FS_IOC_UNRESVSP64:
		return reserve(f, FALLOC_PUNCH_HOLE, arg);
	case FS_IOC_ZERO_RANGE:
		return reserve(f, FALLOC_ZERO_RANGE, arg);
	case EXT4_IOC_MOVE_EXT:
		return move_extent(f, arg);
	default:
		return -ENOTTY;
	}
}
