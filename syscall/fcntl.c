/* SPDX-License-Identifier: MIT */
/* syscall/fcntl.c - descriptors and their flags: dup, fcntl, ioctl, flock. */
#include <syscall/fsioctl.h>
#include <syscall/syscall.h>

#include <fs/anon.h>
#include <fs/landlock.h>
#include <fs/locks.h>
#include <fs/notify.h>
#include <fs/pipe.h>
#include <fs/tmpfs.h>
#include <fs/vfs.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/task.h>
#include <lib/atomic.h>

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_SETOWN	8
#define F_GETOWN	9
#define F_SETSIG	10
#define F_GETSIG	11
#define F_OFD_GETLK	36
#define F_OFD_SETLK	37
#define F_OFD_SETLKW	38
#define F_SETOWN_EX	15
#define F_GETOWN_EX	16
#define F_GETOWNER_UIDS 17
#define F_SETLEASE	1024
#define F_GETLEASE	1025
#define F_NOTIFY	1026
#define F_DUPFD_QUERY	1027
#define F_CREATED_QUERY 1028
#define F_GET_RW_HINT	1035
#define F_SET_RW_HINT	1036
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034
#define FD_CLOEXEC	1

#define FIONREAD  0x541bu
#define FIONBIO	  0x5421u
#define FIONCLEX  0x5450u
#define FIOCLEX	  0x5451u
#define FIOASYNC  0x5452u
#define FIOSETOWN 0x8901u
#define SIOCSPGRP 0x8902u
#define FIOGETOWN 0x8903u
#define SIOCGPGRP 0x8904u
#define FIOQSIZE  0x5460u
#define FIGETBSZ  2u
#define FIFREEZE  0xc0045877u
#define FITHAW	  0xc0045878u

SYSCALL1(23, dup, int, fd)
{
	int r = fd_dup(fd, 0, false);

	return r == -EINVAL ? -EMFILE : r; /* no descriptor is allowed */
}

SYSCALL3(24, dup3, int, oldfd, int, newfd, u32, flags)
{
	if (flags & ~(u32)O_CLOEXEC)
		return -EINVAL;
	return fd_dup2(oldfd, newfd, flags & O_CLOEXEC, false);
}

/* --- record locks */

struct user_flock {
	s16 type, whence;
	s32 pad1;
	s64 start, len;
	s32 pid, pad2;
};
STATIC_ASSERT(sizeof(struct user_flock) == 32, "as in the ABI");

/* start and len as bytes from the beginning; Linux's errors. */
static int to_range(struct file *f, const struct user_flock *u,
		    struct flock_range *r)
{
	s64 start = u->start, base = 0;

	switch (u->whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (s64)f->pos;
		break;
	case SEEK_END:
		base = f->inode ? (s64)f->inode->i_size : 0;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, base, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	r->start = (u64)start;
	r->end = FLOCK_EOF;
	if (u->len > 0) {
		if (u->len - 1 > (s64)FLOCK_EOF - start)
			return -EOVERFLOW;
		r->end = (u64)(start + u->len - 1);
	} else if (u->len < 0) {
		if (start + u->len < 0)
			return -EINVAL;
		r->end = (u64)start - 1;
		r->start = (u64)(start + u->len);
	}
	if (u->type != F_RDLCK && u->type != F_WRLCK && u->type != F_UNLCK)
		return -EINVAL;
	r->type = u->type;
	return 0;
}

static int lock_get(struct file *f, uaddr_t arg, bool ofd)
{
	struct flock_range r;
	struct user_flock u;
	int err = copy_from_user(&u, arg, sizeof(u));

	if (!err && ofd && u.pid)
		err = -EINVAL;
	if (!err)
		err = to_range(f, &u, &r);
	if (!err && r.type == F_UNLCK && !ofd)
		err = -EINVAL;
	if (!err)
		err = locks_get(f, &r, ofd);
	if (err)
		return err;
	u.type = (s16)r.type;
	if (r.type != F_UNLCK) {
		u.whence = SEEK_SET;
		u.start = (s64)r.start;
		u.len = r.end == FLOCK_EOF ? 0 : (s64)(r.end - r.start + 1);
		u.pid = r.pid < 0 ? r.pid : pid_shown(r.pid);
	}
	return copy_to_user(arg, &u, sizeof(u));
}

static int lock_set(struct file *f, uaddr_t arg, bool ofd, bool wait)
{
	struct flock_range r;
	struct user_flock u;
	int err = copy_from_user(&u, arg, sizeof(u));

	if (!err && ofd && u.pid)
		err = -EINVAL;
	if (!err)
		err = to_range(f, &u, &r);
	return err ? err : locks_set(f, &r, ofd, wait);
}

/* --- fcntl */

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

/* A pipe keeps packets apart; others bypass a cache. */
static bool can_be_direct(struct file *f)
{
	u32 kind = f->inode ? f->inode->mode & S_IFMT : 0;

	return kind == S_IFIFO || kind == S_IFBLK ||
	       (kind == S_IFREG && f->dentry && vfs_mapping(f));
}

static int set_flags(struct file *f, int fd, u32 flags)
{
	u32 want = (f->flags & ~(u32)SETFL_MASK) | (flags & SETFL_MASK);
	int err;

	if (!f->ops->sigio && !f->ops->own_sigio)
		want &= ~(u32)O_ASYNC;
	if ((flags & O_NOATIME) && !(f->flags & O_NOATIME) && f->inode &&
	    !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((f->flags & ~flags & O_APPEND) && f->inode &&
	    (f->inode->iflags & FS_APPEND_FL))
		return -EPERM;
	if ((flags & ~f->flags & O_DIRECT) && !can_be_direct(f))
		return -EINVAL;
	if (f->inode && (S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)))
		want &= ~(u32)O_ASYNC; /* always ready, so nothing to signal */
	if (f->ops->setfl) {
		err = f->ops->setfl(f, want);
		if (err)
			return err;
	}
	if (((want ^ f->flags) & O_ASYNC) && f->ops->sigio) {
		err = file_set_async(f, fd, want & O_ASYNC);
		if (err)
			return err;
	}
	store_once(&f->flags, want);
	return 0;
}

static s64 fcntl_locks(struct file *f, int cmd, u64 arg)
{
	switch (cmd) {
	case F_GETLK:
		return lock_get(f, arg, false);
	case F_SETLK:
		return lock_set(f, arg, false, false);
	case F_SETLKW:
		return lock_set(f, arg, false, true);
	case F_OFD_GETLK:
		return lock_get(f, arg, true);
	case F_OFD_SETLK:
		return lock_set(f, arg, true, false);
	default:
		return lock_set(f, arg, true, true);
	}
}

/* --- who gets signals of a file */

struct owner_ex {
	s32 type, pid;
};

static bool owner_exists(int type, int pid)
{
	bool found;

	if (type == OWNER_PGRP)
		return task_pgrp_exists(pid);
	spin_lock(&task_lock);
	found = type == OWNER_TID ? thread_find(pid) != NULL
				  : process_find_locked(pid) != NULL;
	spin_unlock(&task_lock);
	return found;
}

static int owner_changed(struct file *f)
{
	return f->ops->setfl ? f->ops->setfl(f, f->flags) : 0;
}

static s64 set_owner(struct file *f, int type, s32 pid)
{
	if (pid < 0)
		return -ESRCH;
	pid = pid_given(pid);
	if (pid && !owner_exists(type, pid))
		return -ESRCH;
	owner_set(&f->owner, type, type == OWNER_PGRP ? -pid : pid);
	return owner_changed(f);
}

static s64 set_owner_old(struct file *f, u64 arg)
{
	s32 pid = (s32)arg;

	if (pid == (s32)0x80000000)
		return -EINVAL;
	return pid < 0 ? set_owner(f, OWNER_PGRP, -pid)
		       : set_owner(f, OWNER_PID, pid);
}

static s64 set_owner_ex(struct file *f, uaddr_t arg)
{
	struct owner_ex o;

	if (copy_from_user(&o, arg, sizeof(o)))
		return -EFAULT;
	return o.type < OWNER_TID || o.type > OWNER_PGRP
		       ? -EINVAL
		       : set_owner(f, o.type, o.pid);
}

static s64 get_owner_ex(struct file *f, uaddr_t arg)
{
	s32 pid = pid_or_group_shown(load_once(&f->owner.pid));
	struct owner_ex o = { .type = load_once(&f->owner.type), .pid = pid };

	if (pid < 0)
		o.pid = -pid;
	return copy_to_user(arg, &o, sizeof(o));
}

static s64 get_owner_uids(struct file *f, uaddr_t arg)
{
	u32 ids[2] = { uid_shown(load_once(&f->owner.uid)),
		       uid_shown(load_once(&f->owner.euid)) };

	return copy_to_user(arg, ids, sizeof(ids));
}

/* How long what is written will live: kept with the inode, and nothing more. */
static s64 rw_hint(struct file *f, int cmd, uaddr_t arg)
{
	u64 hint;

	if (!f->inode)
		return -EINVAL;
	if (cmd == F_GET_RW_HINT)
		return put_user_u64(load_once(&f->inode->write_hint), arg);
	if (get_user_u64(&hint, arg))
		return -EFAULT;
	if (!inode_owner_or_capable(f->inode))
		return -EPERM;
	if (hint > 5)
		return -EINVAL;
	store_once(&f->inode->write_hint, (u8)hint);
	return 0;
}

static s64 fcntl_owner(struct file *f, int cmd, u64 arg)
{
	switch (cmd) {
	case F_SETOWN:
		return set_owner_old(f, arg);
	case F_GETOWN:
		return pid_or_group_shown(load_once(&f->owner.pid));
	case F_SETOWN_EX:
		return set_owner_ex(f, arg);
	case F_GETOWN_EX:
		return get_owner_ex(f, arg);
	default:
		return get_owner_uids(f, arg);
	}
}

static s64 fcntl_file(struct file *f, int fd, int cmd, u64 arg)
{
	switch (cmd) {
	case F_GETFL:
		return f->flags;
	case F_SETFL:
		return set_flags(f, fd, (u32)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_locks(f, cmd, arg);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_GETOWNER_UIDS:
		return fcntl_owner(f, cmd, arg);
	case F_SETSIG:
		if (arg > NSIG)
			return -EINVAL;
		store_once(&f->owner_sig, (u32)arg);
		return owner_changed(f);
	case F_GETSIG:
		return load_once(&f->owner_sig);
	case F_GETLEASE:
		return lease_get(f);
	case F_SETLEASE:
		return lease_set(f, fd, (int)arg);
	case F_NOTIFY:
		return dnotify_set(f, fd, (u32)arg);
	case F_GET_RW_HINT:
	case F_SET_RW_HINT:
		return rw_hint(f, cmd, arg);
	case F_CREATED_QUERY:
		return f->created;
	case F_SETPIPE_SZ:
		return pipe_set_size(f, arg);
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_ADD_SEALS:
		return memfd_add_seals(f, (u32)arg);
	case F_GET_SEALS:
		return memfd_get_seals(f);
	default:
		return -EINVAL;
	}
}

/* Are both descriptors of one opening? */
static s64 same_file(const struct file *f, int fd)
{
	struct fdref r = fd_ref_path(fd);
	s64 n = r.f == f;

	if (!r.f)
		return -EBADF;
	fd_unref(r);
	return n;
}

SYSCALL3(25, fcntl, int, fd, int, cmd, u64, arg)
{
	struct fdref r = fd_ref_path(fd);
	s64 n;

	if (!r.f)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
		n = fd_dup(fd, (int)arg, false);
		break;
	case F_DUPFD_CLOEXEC:
		n = fd_dup(fd, (int)arg, true);
		break;
	case F_GETFD:
		n = fd_get_cloexec(fd);
		break;
	case F_SETFD:
		n = fd_set_cloexec(fd, arg & FD_CLOEXEC);
		break;
	case F_DUPFD_QUERY:
		n = same_file(r.f, (int)arg);
		break;
	default:
		if ((r.f->flags & O_PATH) && cmd != F_GETFL)
			n = -EBADF;
		else
			n = fcntl_file(r.f, fd, cmd, arg);
		break;
	}
	fd_unref(r);
	return n;
}

/* --- ioctl */

static int set_flag_from_user(struct file *f, int fd, u32 flag, uaddr_t arg)
{
	u32 on;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	if (flag == O_ASYNC && !f->ops->sigio && !f->ops->own_sigio)
		return on ? -ENOTTY : 0;
	return set_flags(f, fd, on ? f->flags | flag : f->flags & ~flag);
}

static s64 ioctl_regular(struct file *f, u32 cmd, u64 arg)
{
	struct inode *i = f->inode;
	s64 r;

	switch (cmd) {
	case FIONREAD:
		if (S_ISREG(i->mode))
			return put_user_u32((u32)(i->i_size - f->pos), arg);
		break;
	case FIOQSIZE:
		return put_user_u64(i->i_size, arg);
	default:
		break;
	}
	r = f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
	return r == -ENOTTY ? fs_ioctl(f, cmd, arg) : r;
}

/* F_SETOWN and F_GETOWN as sockets have them, too. */
static s64 ioctl_owner(struct file *f, u32 cmd, uaddr_t arg)
{
	u32 pid;

	if (cmd == FIOGETOWN || cmd == SIOCGPGRP)
		return put_user_u32(
			(u32)pid_or_group_shown(load_once(&f->owner.pid)), arg);
	return get_user_u32(&pid, arg) ? -EFAULT : set_owner_old(f, pid);
}

/* Of the file system on which the name lies: a device's are those of /dev. */
static s64 ioctl_volume(struct file *f, u32 cmd, uaddr_t arg)
{
	struct inode *i = anon_inode_of(f);

	if (cmd == FIGETBSZ)
		return i->sb->block_size ? put_user_u32(i->sb->block_size, arg)
					 : -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return cmd == FIFREEZE ? sb_freeze(i->sb) : sb_thaw(i->sb);
}

static s64 do_ioctl(struct file *f, int fd, u32 cmd, u64 arg)
{
	switch (cmd) {
	case FIOCLEX:
		return fd_set_cloexec(fd, true);
	case FIONCLEX:
		return fd_set_cloexec(fd, false);
	case FIONBIO:
		return set_flag_from_user(f, fd, O_NONBLOCK, arg);
	case FIOASYNC:
		return set_flag_from_user(f, fd, O_ASYNC, arg);
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		if (S_ISSOCK(f->inode ? f->inode->mode : 0))
			return ioctl_owner(f, cmd, arg);
		break;
	case FIGETBSZ:
	case FIFREEZE:
	case FITHAW:
		return ioctl_volume(f, cmd, arg);
	default:
		break;
	}
	if (f->inode && (S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)))
		return ioctl_regular(f, cmd, arg);
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

SYSCALL3(29, ioctl, int, fd, u32, cmd, u64, arg)
{
	struct fdref r = fd_ref(fd);
	s64 n;

	if (!r.f)
		return -EBADF;
	if (unlikely(r.f->landlock & LL_NO_IOCTL) &&
	    !landlock_ioctl_is_free(cmd))
		n = -EACCES;
	else
		n = do_ioctl(r.f, fd, cmd, arg);
	fd_unref(r);
	return n;
}

SYSCALL2(32, flock, int, fd, int, op)
{
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = flock_file(r.f, op);
	fd_unref(r);
	return err;
}
