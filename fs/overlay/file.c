/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/file.c - open regular files: what is done goes to the file underneath.
 *
 * ORDERING
 *   COPIED  a file, then of->copied; who reads the pointer uses the file.
 *
 * Locking: inode->lock of the union's inode around what changes data, so that the
 * attributes that it shows follow.
 */
#include <fs/overlay/overlay.h>

#include <fs/filecaps.h>
#include <fs/internal.h>
#include <fs/landlock.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <lib/errno.h>

#define FS_IOC_GETFLAGS	  0x80086601u
#define FS_IOC_SETFLAGS	  0x40086602u
#define FS_IOC_FSGETXATTR 0x801c581fu
#define FS_IOC_FSSETXATTR 0x401c5820u
#define FS_IOC_FIEMAP	  0xc020660bu
#define FL_SHARED	  (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

struct ovl_file {
	struct file *real;   /* [I] owned: what it was opened to be */
	struct file *copied; /* [a] owned: the copy made since, or NULL */
};

static struct file *open_real(struct inode *i, u32 flags)
{
	struct cred *mine = ovl_enter(ovl_of(i));
	struct path real;
	struct file *f;

	ovl_real_path(i, &real);
	f = vfs_open_unwatched(&real, flags & ~(u32)(O_TRUNC | O_CREAT |
						     O_EXCL | O_ASYNC));
	ovl_leave(mine);
	return f;
}

static struct file *open_copied(struct file *f, struct ovl_file *of)
{
	struct file *later = open_real(f->inode, f->flags), *old;

	if (IS_ERR(later))
		return later;
	/* COPIED (full) - pairs with real_of(). */
	old = atomic_cmpxchg(&of->copied, NULL, later);
	if (!old)
		return later;
	file_put(later);
	return old;
}

/* The file underneath, with the flags that @f has now; ERR_PTR. */
static struct file *real_of(struct file *f)
{
	struct ovl_file *of = f->priv;
	const struct dentry *upper = ovl_upper(f->inode);
	struct file *real = of->real;
	u32 flags;

	if (unlikely(upper && real->inode != upper->inode)) {
		/* COPIED (acquire) - pairs with open_copied(). */
		real = load_acquire(&of->copied);
		if (!real)
			real = open_copied(f, of);
		if (IS_ERR(real))
			return real;
	}
	flags = (real->flags & ~(u32)FL_SHARED) | (f->flags & FL_SHARED);
	if (unlikely(flags != real->flags))
		store_once(&real->flags, flags);
	return real;
}

static int ovl_open(struct inode *i, struct file *f)
{
	bool empty = (f->flags & O_TRUNC) && !(f->landlock & LL_NO_TRUNCATE);
	struct ovl_file *of = kzalloc(sizeof(*of));
	int err = of ? 0 : -ENOMEM;

	if (!err && f->can_write)
		err = ovl_copy_up(i, empty);
	if (!err) {
		of->real = open_real(i, f->flags);
		err = IS_ERR(of->real) ? (int)PTR_ERR(of->real) : 0;
	}
	if (err) {
		kfree(of);
		return err;
	}
	f->priv = of;
	return 0;
}

static void ovl_release(struct file *f)
{
	struct ovl_file *of = f->priv;

	file_put(of->real);
	if (of->copied)
		file_put(of->copied);
	kfree(of);
}

/* Set-id bits and capabilities go before data change; @i is locked.  Whoever
 * mounted would keep them. */
static int drop_privileges(struct inode *i)
{
	u32 drop = setid_to_drop(i);
	struct iattr a = { .valid = ATTR_MODE };

	filecaps_drop(i);
	if (likely(!drop) || fs_capable_over(i, CAP_FSETID))
		return 0;
	a.mode = (i->mode & 07777) & ~drop;
	return ovl_setattr(i, &a);
}

static s64 ovl_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct file *real = real_of(f);
	struct cred *mine;
	s64 n;

	if (IS_ERR(real))
		return PTR_ERR(real);
	if ((to->rwf & IOV_NOWAIT) && !real->ops->nowait)
		return -EOPNOTSUPP;
	mine = ovl_enter(ovl_of(f->inode));
	n = real->ops->read(real, to, pos);
	ovl_leave(mine);
	return n;
}

static s64 ovl_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct file *real = real_of(f);
	struct inode *i = f->inode;
	struct cred *mine;
	s64 n;

	if (IS_ERR(real))
		return PTR_ERR(real);
	down_write(&i->lock);
	n = iov_iter_count(from) ? drop_privileges(i) : 0;
	if (!n) {
		mine = ovl_enter(ovl_of(i));
		n = real->ops->write(real, from, pos);
		ovl_leave(mine);
	}
	ovl_copy_attr(i);
	up_write(&i->lock);
	return n;
}

static s64 ovl_direct(struct file *f, struct iov_iter *it, u64 pos, bool write,
		      struct aio_req *req)
{
	struct file *real = real_of(f);
	struct cred *mine;
	s64 n = 0;

	if (IS_ERR(real))
		return PTR_ERR(real);
	if (!real->ops->direct)
		return -ENOTBLK;
	if (write) {
		down_write(&f->inode->lock);
		n = drop_privileges(f->inode);
		up_write(&f->inode->lock);
	}
	if (n)
		return n;
	mine = ovl_enter(ovl_of(f->inode));
	n = real->ops->direct(real, it, pos, write, req);
	ovl_leave(mine);
	return n;
}

static int ovl_write_now(struct file *f, u64 pos, u64 len)
{
	struct file *real = real_of(f);

	if (IS_ERR(real))
		return (int)PTR_ERR(real);
	return real->ops->write_now ? real->ops->write_now(real, pos, len)
				    : -EOPNOTSUPP;
}

static s64 ovl_llseek(struct file *f, s64 off, int whence)
{
	struct file *real;
	struct cred *mine;
	s64 to;

	ovl_copy_attr(f->inode);
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(f, off, whence);
	real = real_of(f);
	if (IS_ERR(real))
		return PTR_ERR(real);
	mine = ovl_enter(ovl_of(f->inode));
	to = real->ops->llseek(real, off, whence);
	ovl_leave(mine);
	if (to >= 0)
		f->pos = (u64)to;
	return to;
}

static int ovl_mmap(struct file *f, struct vma *vma)
{
	struct file *real = real_of(f);
	struct cred *mine;
	int err;

	if (IS_ERR(real))
		return (int)PTR_ERR(real);
	if (!real->ops->mmap)
		return -ENODEV;
	if (f->mnt && (load_once(&f->mnt->flags) & MS_NOEXEC))
		vma->flags &= ~(u32)VM_MAYEXEC;
	mine = ovl_enter(ovl_of(f->inode));
	err = real->ops->mmap(real, vma);
	ovl_leave(mine);
	return err;
}

static int ovl_fsync(struct file *f, bool datasync)
{
	struct ovl_fs *ofs = ovl_of(f->inode);
	struct file *real = real_of(f);
	struct cred *mine;
	int err;

	if (IS_ERR(real))
		return (int)PTR_ERR(real);
	if (!ovl_upper(f->inode) || ofs->config.volatile_)
		return 0; /* nothing of it was changed */
	mine = ovl_enter(ofs);
	err = vfs_fsync(real, datasync);
	ovl_leave(mine);
	return err;
}

static int ovl_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct file *real = real_of(f);
	struct inode *i = f->inode;
	struct cred *mine;
	int err;

	if (IS_ERR(real))
		return (int)PTR_ERR(real);
	if (!real->ops->fallocate)
		return -EOPNOTSUPP;
	down_write(&i->lock);
	err = drop_privileges(i);
	if (!err) {
		mine = ovl_enter(ovl_of(i));
		err = real->ops->fallocate(real, mode, off, len);
		ovl_leave(mine);
	}
	ovl_copy_attr(i);
	up_write(&i->lock);
	return err;
}

static int ovl_flush(struct file *f)
{
	struct file *real = real_of(f);

	if (IS_ERR(real))
		return (int)PTR_ERR(real);
	return real->ops->flush ? real->ops->flush(real) : 0;
}

/* Without opening anything: who asks may not be able to wait. */
static struct file *ovl_under(struct file *f)
{
	struct ovl_file *of = f->priv;
	/* COPIED (acquire) - pairs with open_copied(). */
	struct file *copied = load_acquire(&of->copied);

	return copied ? copied : of->real;
}

/* --- ioctl: flags, and where data lie */

static bool sets_flags(unsigned int cmd)
{
	return cmd == FS_IOC_SETFLAGS || cmd == FS_IOC_FSSETXATTR;
}

/* 0: @cmd may be handed down. */
static int ioctl_begin(struct file *f, unsigned int cmd)
{
	if (cmd == FS_IOC_GETFLAGS || cmd == FS_IOC_FSGETXATTR ||
	    cmd == FS_IOC_FIEMAP)
		return 0;
	if (!sets_flags(cmd))
		return -ENOTTY;
	if ((f->mnt->flags | f->inode->sb->flags) & MS_RDONLY)
		return -EROFS;
	if (!inode_owner_or_capable(f->inode))
		return -EPERM;
	return ovl_copy_up(f->inode, false);
}

static s64 hand_down(struct file *f, struct file *real, unsigned int cmd,
		     u64 arg)
{
	struct cred *mine;
	s64 r;

	if (!real->ops->ioctl)
		return -ENOTTY;
	/* who sets some needs the right to by himself */
	mine = sets_flags(cmd) ? NULL : ovl_enter(ovl_of(f->inode));
	r = real->ops->ioctl(real, cmd, arg);
	if (mine)
		ovl_leave(mine);
	ovl_copy_attr(f->inode);
	return r;
}

static s64 ovl_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	int err = ioctl_begin(f, cmd);
	struct file *real;

	if (err)
		return err;
	real = real_of(f);
	return IS_ERR(real) ? PTR_ERR(real) : hand_down(f, real, cmd, arg);
}

s64 ovl_dir_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	int err = ioctl_begin(f, cmd);
	struct file *real;
	s64 r;

	if (err)
		return err;
	real = open_real(f->inode, O_RDONLY | O_DIRECTORY);
	if (IS_ERR(real))
		return PTR_ERR(real);
	r = hand_down(f, real, cmd, arg);
	file_put(real);
	return r;
}

const struct inode_ops ovl_file_inode_ops = {
	.open = ovl_open,
	OVL_ATTR_OPS,
};

const struct file_ops ovl_file_ops = {
	.read = ovl_read,
	.write = ovl_write,
	.llseek = ovl_llseek,
	.ioctl = ovl_ioctl,
	.mmap = ovl_mmap,
	.fsync = ovl_fsync,
	.fallocate = ovl_fallocate,
	.flush = ovl_flush,
	.release = ovl_release,
	.direct = ovl_direct,
	.write_now = ovl_write_now,
	.under = ovl_under,
	.nowait = true,
};
