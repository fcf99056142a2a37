/* SPDX-License-Identifier: MIT */
/*
 * fs/attr.c - read and change what an inode says about its file.
 *
 * Locking: changes under inode->lock (write).  stat reads without: each word is
 * whole, and Linux promises no more.
 */
#include <fs/acl.h>
#include <fs/anon.h>
#include <fs/filecaps.h>
#include <fs/internal.h>
#include <fs/locks.h>
#include <fs/landlock.h>
#include <fs/notify.h>
#include <kernel/dev/blk.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define SHOWN_FLAGS \
	(FS_COMPR_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL)

static void fill_stat(const struct inode *i, struct kstat *st)
{
	st->attributes_known = i->sb->has_iflags ? SHOWN_FLAGS : 0;
	st->attributes = i->iflags & st->attributes_known;
	st->dio_align =
		S_ISREG(i->mode) && i->sb->bdev ? i->sb->bdev->block_size : 0;
	st->dev = dev_encode(i->sb->dev);
	st->ino = i->ino;
	st->mode = i->mode;
	st->nlink = i->nlink;
	st->uid = i->uid;
	st->gid = i->gid;
	st->rdev = dev_encode(i->rdev);
	st->size = load_once(&i->i_size);
	st->blksize = i->sb->block_size;
	st->blocks = i->blocks;
	st->atime = i->atime;
	st->mtime = i->mtime;
	st->ctime = i->ctime;
	st->btime = i->btime;
}

void stat_path(const struct path *p, struct kstat *st)
{
	fill_stat(p->dentry->inode, st);
	st->mnt_id = (u64)p->mnt->id;
	st->mnt_unique_id = p->mnt->unique_id;
	st->is_mount_root = p->dentry == p->mnt->root;
}

static int stat_computed(const struct path *p, struct kstat *st)
{
	struct inode *i = p->dentry->inode;
	int err = i->ops->revalidate(i);

	if (err)
		return err;
	stat_path(p, st);
	if (i->ops->fill_stat)
		i->ops->fill_stat(i, st);
	return 0;
}

int vfs_stat(const struct path *p, struct kstat *st)
{
	if (p->dentry->inode->ops->revalidate)
		return stat_computed(p, st);
	stat_path(p, st);
	return 0;
}

int vfs_fstat(struct file *f, struct kstat *st)
{
	struct inode *i = anon_inode_of(f);
	int err;

	if (i->ops->revalidate) {
		struct path p = { f->mnt, f->dentry };

		if (p.dentry)
			return stat_computed(&p, st);
		err = i->ops->revalidate(i);
		if (err)
			return err;
	}
	fill_stat(i, st);
	st->mnt_id = f->mnt ? (u64)f->mnt->id : 0;
	st->mnt_unique_id = f->mnt ? f->mnt->unique_id : 0;
	st->is_mount_root = f->mnt && f->dentry == f->mnt->root;
	return 0;
}

int inode_setattr_generic(struct inode *i, const struct iattr *a)
{
	if (a->valid & ATTR_SIZE) {
		store_once(&i->i_size, a->size);
		mapping_truncate(&i->mapping, a->size);
	}
	if (a->valid & ATTR_MODE)
		i->mode = (i->mode & S_IFMT) | (a->mode & 07777);
	if (a->valid & ATTR_UID)
		i->uid = a->uid;
	if (a->valid & ATTR_GID)
		i->gid = a->gid;
	if (a->valid & ATTR_ATIME)
		i->atime = a->atime;
	if (a->valid & ATTR_MTIME)
		i->mtime = a->mtime;
	if (a->valid & ATTR_CTIME)
		i->ctime = a->ctime;
	inode_mark_dirty(i);
	return 0;
}

/* inode->lock held for writing.  All that becomes "now" becomes the same. */
static int apply(struct inode *i, struct iattr *a)
{
	a->valid |= ATTR_CTIME;
	a->ctime = inode_now(i);
	if (a->valid & ATTR_ATIME_NOW)
		a->atime = a->ctime;
	if (a->valid & ATTR_MTIME_NOW)
		a->mtime = a->ctime;
	if (i->ops->setattr)
		return i->ops->setattr(i, a);
	return inode_setattr_generic(i, a);
}

static int may_chown(const struct inode *i, struct iattr *a)
{
	const struct cred *c = fs_cred();

	if (!sb_knows(i->sb, a->valid & ATTR_UID ? a->uid : i->uid,
		      a->valid & ATTR_GID ? a->gid : i->gid))
		return -EOVERFLOW;
	if (fs_capable_over(i, CAP_CHOWN))
		return 0;
	if ((a->valid & ATTR_UID) && (c->fsuid != i->uid || a->uid != i->uid))
		return -EPERM;
	if ((a->valid & ATTR_GID) &&
	    (c->fsuid != i->uid ||
	     (a->gid != i->gid && !cred_in_group(c, a->gid))))
		return -EPERM;
	return 0;
}

static int may_set_times(struct inode *i, const struct iattr *a)
{
	if (inode_owner_or_capable(i))
		return 0;
	if (a->valid & ATTR_TIMES_GIVEN)
		return -EPERM;
	return inode_permission(i, MAY_WRITE);
}

static int may_setattr(struct inode *i, struct iattr *a)
{
	int err = 0;

	if (a->valid & (ATTR_UID | ATTR_GID))
		err = may_chown(i, a);
	if (!err && (a->valid & ATTR_MODE)) {
		u32 gid = a->valid & ATTR_GID ? a->gid : i->gid;

		if (!inode_owner_or_capable(i))
			return -EPERM;
		if (!cred_in_group(fs_cred(), gid) &&
		    !fs_capable_over(i, CAP_FSETID))
			a->mode &= ~(u32)S_ISGID;
	}
	if (!err && (a->valid & (ATTR_ATIME | ATTR_MTIME)))
		err = may_set_times(i, a);
	return err;
}

/* A new owner does not inherit the right to run as the old one; nor does one
 * who calls chown() and changes nothing keep it. */
static void drop_setid(const struct inode *i, struct iattr *a)
{
	u32 drop = setid_to_drop(i);

	if (!(a->valid & ATTR_OWNER) || !drop)
		return;
	a->mode = (a->valid & ATTR_MODE ? a->mode : i->mode & 07777) & ~drop;
	a->valid |= ATTR_MODE;
}

static struct timespec64 fit_time(const struct super_block *sb,
				  struct timespec64 t)
{
	if (sb->time_min != sb->time_max &&
	    (t.tv_sec <= sb->time_min || t.tv_sec >= sb->time_max)) {
		t.tv_sec = clamp(t.tv_sec, sb->time_min, sb->time_max);
		t.tv_nsec = 0;
	}
	if (sb->time_gran > 1)
		t.tv_nsec -= t.tv_nsec % sb->time_gran;
	return t;
}

/* What may be done with a file that shall not change, or only grow. */
static int check_flags(const struct inode *i, const struct iattr *a)
{
	u32 touch = ATTR_ATIME | ATTR_MTIME | ATTR_CTIME | ATTR_ATIME_NOW |
		    ATTR_MTIME_NOW;

	if (i->iflags & FS_IMMUTABLE_FL)
		return -EPERM;
	return (i->iflags & FS_APPEND_FL) && (a->valid & ~touch) ? -EPERM : 0;
}

static int setattr_locked(struct inode *i, struct iattr *a)
{
	int err = check_flags(i, a);

	if (err)
		return err;
	drop_setid(i, a);
	err = i->sb->own_checks ? 0 : may_setattr(i, a);
	if (err)
		return err;
	if (a->valid & ATTR_OWNER)
		filecaps_drop(i);
	a->atime = fit_time(i->sb, a->atime);
	a->mtime = fit_time(i->sb, a->mtime);
	err = apply(i, a);
	if (!err && (a->valid & ATTR_MODE))
		err = acl_chmod(i);
	return err;
}

/* One time alone looks like the access that sets it. */
static u32 event_of(u32 valid)
{
	u32 times = valid & (ATTR_ATIME | ATTR_MTIME);

	if (!times || times == (ATTR_ATIME | ATTR_MTIME) ||
	    (valid & (ATTR_MODE | ATTR_UID | ATTR_GID)))
		return IN_ATTRIB;
	return times == ATTR_ATIME ? IN_ACCESS : IN_MODIFY;
}

int vfs_setattr(const struct path *p, struct iattr *a)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (path_readonly(p))
		return -EROFS;
	if (i->ops->revalidate) {
		err = i->ops->revalidate(i);
		if (err)
			return err;
	}
	down_write(&i->lock);
	err = setattr_locked(i, a);
	up_write(&i->lock);
	if (!err)
		notify_inode(i, event_of(a->valid));
	return err;
}

int vfs_fsetattr(struct file *f, struct iattr *a)
{
	struct path p = { f->mnt, f->dentry };
	int err;

	if (p.dentry)
		return vfs_setattr(&p, a);
	if (!f->inode)
		return -EOPNOTSUPP;
	down_write(&f->inode->lock);
	err = setattr_locked(f->inode, a);
	up_write(&f->inode->lock);
	return err;
}

int do_truncate(struct inode *i, u64 size)
{
	struct iattr a = { .valid = ATTR_SIZE | ATTR_MTIME | ATTR_MTIME_NOW,
			   .size = size };
	u64 limit = fs_size_limit();
	int err;

	if ((s64)size < 0)
		return -EINVAL;
	down_write(&i->lock);
	if ((i->iflags & FS_IMMUTABLE_FL) && !i->sb->ops->open_stays) {
		err = -EPERM;
	} else if (size > i->i_size && size > limit) {
		fs_size_exceeded();
		err = -EFBIG;
	} else if (size > i->sb->max_size) {
		err = -EFBIG;
	} else {
		filecaps_drop(i);
		if (setid_to_drop(i) && !fs_capable_over(i, CAP_FSETID)) {
			a.mode = (i->mode & 07777) & ~setid_to_drop(i);
			a.valid |= ATTR_MODE;
		}
		err = apply(i, &a);
	}
	up_write(&i->lock);
	if (!err)
		notify_inode(i, IN_MODIFY);
	return err;
}

int vfs_truncate(const struct path *p, u64 size)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	err = path_permission(p, MAY_WRITE);
	if (err)
		return err;
	if (i->iflags & FS_APPEND_FL)
		return -EPERM;
	if (load_once(&i->writecount) < 0)
		return -ETXTBSY;
	err = landlock_path(p, LL_TRUNCATE);
	if (!err)
		err = lease_break(i, true, false);
	return err ? err : do_truncate(i, size);
}

int vfs_ftruncate(struct file *f, u64 size)
{
	if (f->inode->iflags & FS_APPEND_FL)
		return -EPERM;
	if (unlikely(f->landlock & LL_NO_TRUNCATE))
		return -EACCES;
	return do_truncate(f->inode, size);
}
