/* SPDX-License-Identifier: MIT */
/* syscall/fanotify.c - fanotify_init(2), fanotify_mark(2): what may be asked. */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/anon.h>
#include <fs/fanotify.h>
#include <lib/string.h>

#define USER_FLAGS (FAN_CLOEXEC | FAN_NONBLOCK | FAN_FID_BITS)
#define INIT_FLAGS                                                    \
	(USER_FLAGS | FAN_CLASS | FAN_REPORT_TID | FAN_REPORT_PIDFD | \
	 FAN_REPORT_FD_ERROR | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS)
#define EVENT_F_FLAGS                                                 \
	((u32)(O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | \
	       O_CLOEXEC | O_LARGEFILE | O_NOATIME))
#define MARK_FLAGS                                                       \
	(FAN_MARK_CMD_BITS | FAN_MARK_TYPE_BITS | FAN_MARK_IGNORE_BITS | \
	 FAN_MARK_DONT_FOLLOW | FAN_MARK_ONLYDIR |                       \
	 FAN_MARK_IGNORED_SURV_MODIFY | FAN_MARK_EVICTABLE)
/* Of directories only. */
#define DIR_BITS (FS_NAME_EVENTS | FAN_EVENT_FLAGS)

static int check_init(u32 flags, u32 event_flags, bool admin)
{
	u32 fid = flags & FAN_FID_BITS;

	if (!admin && ((flags & (INIT_FLAGS & ~USER_FLAGS)) || !fid))
		return -EPERM;
	if (flags & ~INIT_FLAGS)
		return -EINVAL;
	if ((flags & FAN_REPORT_PIDFD) && (flags & FAN_REPORT_TID))
		return -EINVAL;
	if ((event_flags & ~EVENT_F_FLAGS) ||
	    (event_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if (fid && (flags & FAN_CLASS))
		return -EINVAL;
	if ((fid & FAN_REPORT_NAME) && !(fid & FAN_REPORT_DIR_FID))
		return -EINVAL;
	if ((fid & FAN_REPORT_TARGET_FID) &&
	    (!(fid & FAN_REPORT_NAME) || !(fid & FAN_REPORT_FID)))
		return -EINVAL;
	return (flags & FAN_CLASS) == FAN_CLASS ? -EINVAL : 0;
}

SYSCALL2(262, fanotify_init, u32, flags, u32, event_flags)
{
	bool admin = capable(CAP_SYS_ADMIN);
	int err = check_init(flags, event_flags, admin);
	struct file *f;

	if (err)
		return err;
	f = fanotify_create(flags, event_flags, !admin);
	return IS_ERR(f) ? PTR_ERR(f)
			 : fd_open(f, flags & FAN_CLOEXEC ? O_CLOEXEC : 0);
}

static int check_flags(u32 flags, u64 mask)
{
	u32 cmd = flags & FAN_MARK_CMD_BITS;

	if ((mask >> 32) || (flags & ~MARK_FLAGS) ||
	    (flags & FAN_MARK_TYPE_BITS) == FAN_MARK_TYPE_BITS)
		return -EINVAL;
	if (cmd == FAN_MARK_ADD || cmd == FAN_MARK_REMOVE) {
		if (!mask)
			return -EINVAL;
	} else if (cmd != FAN_MARK_FLUSH ||
		   (flags & ~(FAN_MARK_TYPE_BITS | FAN_MARK_FLUSH))) {
		return -EINVAL;
	}
	if (mask & ~(u64)(FAN_EVENTS | FAN_PERM_EVENTS | FAN_EVENT_FLAGS))
		return -EINVAL;
	return (flags & FAN_MARK_IGNORE_BITS) == FAN_MARK_IGNORE_BITS ? -EINVAL
								      : 0;
}

/* What such a group may want of such an object. */
static int check_group(const struct fanotify *fa, u32 flags, u32 mask)
{
	u32 gf = fanotify_flags(fa), fid = gf & FAN_FID_BITS;
	u32 type = flags & FAN_MARK_TYPE_BITS;

	if ((!capable(CAP_SYS_ADMIN) || fanotify_unprivileged(fa)) && type)
		return -EPERM;
	if ((mask & FAN_PERM_EVENTS) && !(gf & FAN_CLASS))
		return -EINVAL;
	if ((mask & FS_ERROR) && type != FAN_MARK_FILESYSTEM)
		return -EINVAL;
	if ((flags & FAN_MARK_EVICTABLE) && type)
		return -EINVAL;
	if ((mask &
	     ~(u32)(FAN_PATH_EVENTS | FAN_PERM_EVENTS | FAN_EVENT_FLAGS)) &&
	    (!fid || type == FAN_MARK_MOUNT))
		return -EINVAL;
	return (mask & FS_RENAME) && !(fid & FAN_REPORT_NAME) ? -EINVAL : 0;
}

/* What such an object has. */
static int check_object(const struct fanotify *fa, const struct path *p,
			u32 flags, u32 mask)
{
	bool strict = (fanotify_flags(fa) & FAN_REPORT_TARGET_FID) ||
		      (mask & FS_RENAME) || (flags & FAN_MARK_IGNORE);
	const char *type = p->dentry->sb->type->name;
	bool isdir = S_ISDIR(p->dentry->inode->mode);

	if ((mask & FAN_PERM_EVENTS) && !strcmp(type, "proc"))
		return -EINVAL;
	if ((flags & FAN_MARK_TYPE_BITS) &&
	    (!strcmp(type, "pipefs") || !strcmp(type, "anon_inodefs")))
		return -EINVAL;
	if (strict && !(flags & FAN_MARK_TYPE_BITS) && !isdir &&
	    (mask & DIR_BITS))
		return -ENOTDIR;
	return 0;
}

static int find_object(int dirfd, uaddr_t upath, u32 flags, struct path *out)
{
	struct fdref r;
	int err = 0;

	if (upath) {
		err = upath_lookup(
			dirfd, upath,
			flags & FAN_MARK_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0,
			out);
		if (err)
			return err;
	} else {
		r = fd_ref(dirfd);
		if (!r.f)
			return -EBADF;
		*out = (struct path){ r.f->mnt, r.f->dentry };
		if (out->dentry)
			path_get(out);
		else /* no name: it can be marked, and nothing is told */
			err = anon_inode_path(anon_inode_of(r.f), out);
		fd_unref(r);
		if (err)
			return err;
	}
	if ((flags & FAN_MARK_ONLYDIR) && !S_ISDIR(out->dentry->inode->mode))
		err = -ENOTDIR;
	if (!err)
		err = path_permission(out, MAY_READ);
	if (err)
		path_put(out);
	return err;
}

static int change_mark(struct fanotify *fa, const struct path *p, u32 flags,
		       u32 mask, u32 umask)
{
	u32 ignore = flags & FAN_MARK_IGNORE_BITS;
	bool whole = flags & FAN_MARK_TYPE_BITS;
	bool isdir = S_ISDIR(p->dentry->inode->mode);
	int err;

	if ((flags & FAN_MARK_ADD)) {
		err = check_object(fa, p, flags, mask);
		if (err)
			return err;
	}
	if ((flags & FAN_MARK_ADD) && ignore == FAN_MARK_IGNORE &&
	    (whole || isdir) && !(flags & FAN_MARK_IGNORED_SURV_MODIFY))
		return whole ? -EINVAL : -EISDIR;
	if (whole || !isdir) {
		mask &= ~(u32)FS_ON_CHILD;
		umask |= FS_ON_CHILD;
		/* names of files are told with their directories */
		if ((fanotify_flags(fa) & FAN_REPORT_DIR_FID) &&
		    (flags & FAN_MARK_ADD) && !ignore)
			mask |= FS_ON_CHILD;
	}
	return flags & FAN_MARK_ADD
		       ? fanotify_add(fa, p, flags, mask)
		       : fanotify_remove(fa, p, flags, mask, umask);
}

SYSCALL5(263, fanotify_mark, int, fd, u32, flags, u64, mask64, int, dirfd,
	 uaddr_t, upath)
{
	u32 mask = (u32)mask64, umask = 0;
	struct fanotify *fa;
	struct fdref r;
	struct path p;
	int err = check_flags(flags, mask64);

	if (err)
		return err;
	if (flags & FAN_MARK_IGNORED_MASK) {
		mask &= ~(u32)FAN_EVENT_FLAGS;
		umask = FAN_EVENT_FLAGS;
	}
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	fa = fanotify_of(r.f);
	err = fa ? check_group(fa, flags, mask) : -EINVAL;
	if (!err && (flags & FAN_MARK_FLUSH)) {
		fanotify_flush(fa, flags);
	} else if (!err) {
		err = find_object(dirfd, upath, flags, &p);
		if (!err) {
			err = change_mark(fa, &p, flags, mask, umask);
			path_put(&p);
		}
	}
	fd_unref(r);
	return err;
}
