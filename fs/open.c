/* SPDX-License-Identifier: MIT */
/*
 * fs/open.c - from a path to an open file.
 *
 * Two ways.  Without O_CREAT the whole path is walked and what is there is
 * opened.  With O_CREAT the walk stops at the parent; a cached name is taken as
 * it is, else the parent is locked and the file made.  A symbolic link at the
 * end sends the same walk on.
 *
 * Context: coroutine.
 */
#include <fs/acl.h>
#include <fs/internal.h>
#include <fs/landlock.h>
#include <fs/locks.h>
#include <fs/notify.h>
#include <kernel/assert.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define O_TMPFILE_ONLY (O_TMPFILE & ~O_DIRECTORY)
#define O_NOT_KEPT     (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define O_FOR_OPEN \
	(O_NOCTTY | O_EXCL | O_TRUNC) /* of these, what open() looks at */

struct open_how_k {
	u32 flags;
	u32 mode; /* of a new file, with type */
	u32 acc;  /* MAY_* */
	u32 resolve;
	bool created;
};

static const struct file_ops path_ops; /* O_PATH: nothing can be done */

/* writecount > 0: that many writers; < 0: that many executing. */
static int count_add(struct inode *i, s32 step)
{
	s32 old = load_once(&i->writecount), seen;

	for (;;) {
		if (old * step < 0)
			return -ETXTBSY;
		seen = atomic_cmpxchg(&i->writecount, old, old + step);
		if (seen == old)
			return 0;
		old = seen;
	}
}

int inode_deny_write(struct inode *i)
{
	return count_add(i, -1);
}

void inode_allow_write(struct inode *i)
{
	atomic_inc(&i->writecount);
}

/* The only file of its inode, which nobody but its maker knows yet. */
void file_uncount_writer(struct file *f)
{
	atomic_dec(&f->inode->writecount);
	atomic_dec(&f->mnt->writers);
	f->wrote = false;
}

void fs_file_release(struct file *f)
{
	notify_file(f, f->can_write ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	file_locks_release(f);
	if (unlikely(load_once(&nr_leases)))
		lease_release(f);
	if (unlikely(load_once(&nr_dnotify)))
		dnotify_release(f);
	if (f->wrote) {
		atomic_dec(&f->inode->writecount);
		if (f->mnt)
			atomic_dec(&f->mnt->writers);
	}
	if (f->counted_read)
		atomic_dec(&f->inode->readcount);
	if (f->denies_write)
		inode_allow_write(f->inode);
	if (f->dentry) {
		dentry_put(f->dentry);
		mount_put(f->mnt);
	} else {
		inode_put(f->inode);
	}
}

static int open_inode(struct file *f, struct inode *i)
{
	int err;

	if (S_ISREG(i->mode) && f->can_write) {
		err = count_add(i, 1);
		if (err)
			return err;
		f->wrote = true;
		/* MNTRO (full) - pairs with mount_set_flags(). */
		atomic_inc(&f->mnt->writers);
		if (unlikely(load_once(&f->mnt->flags) & MS_RDONLY))
			return -EROFS;
	} else if (S_ISREG(i->mode) && f->can_read) {
		atomic_inc(&i->readcount);
		f->counted_read = true;
	}
	f->wb_seen = mapping_error_seen(&i->mapping);
	f->atomic_pos = S_ISREG(i->mode) || S_ISDIR(i->mode);
	if (!f->atomic_pos)
		return special_open(i, f);
	f->ops = i->fops;
	if (i->ops->open) {
		err = i->ops->open(i, f);
		if (err)
			return err;
	}
	return f->ops ? 0 : -ENXIO;
}

enum opener {
	OPEN_USUAL,
	OPEN_EXEC,
	OPEN_UNWATCHED
};

/* Ask who watches. */
static int may_be_opened(struct file *f, enum opener who)
{
	int err = 0;

	if (who == OPEN_EXEC)
		err = notify_perm(f, FS_OPEN_EXEC_PERM);
	return err ? err : notify_perm(f, FS_OPEN_PERM);
}

/* Takes the references of @p, also on error. */
static struct file *finish_open(const struct path *p, u32 flags,
				enum opener who)
{
	struct inode *i = p->dentry->inode;
	struct file *f = file_alloc(
		NULL, flags & ~(u32)(O_NOT_KEPT & ~O_FOR_OPEN), NULL);
	int err;

	if (!f) {
		path_put(p);
		return ERR_PTR(file_no_alloc());
	}
	f->inode = i;
	f->dentry = p->dentry;
	f->mnt = p->mnt;
	f->nonotify = who == OPEN_UNWATCHED;
	if (flags & O_PATH) {
		f->ops = &path_ops;
		f->can_read = f->can_write = false;
		return f;
	}
	err = landlock_open(f, who == OPEN_EXEC);
	if (!err)
		err = may_be_opened(f, who);
	if (!err)
		err = open_inode(f, i);
	if (err) {
		f->ops = NULL; /* it was not opened: no release() */
		f->nonotify = true;
		file_put(f);
		return ERR_PTR(err);
	}
	f->flags = (f->flags & ~(u32)O_FOR_OPEN) | O_LARGEFILE;
	if (notify_active()) {
		notify_file(f, IN_OPEN);
		if (who == OPEN_EXEC)
			notify_file(f, FS_OPEN_EXEC);
	}
	return f;
}

struct file *vfs_open_exec(const struct path *p)
{
	path_get(p);
	return finish_open(p, O_RDONLY, OPEN_EXEC);
}

struct file *vfs_open_unwatched(const struct path *p, u32 flags)
{
	path_get(p);
	return finish_open(p, flags, OPEN_UNWATCHED);
}

struct file *vfs_open_path(const struct path *p, u32 flags, struct cred *cred)
{
	struct file *f;

	path_get(p);
	f = finish_open(p, flags, OPEN_USUAL);
	if (!IS_ERR(f) && cred) {
		cred_put(f->cred);
		f->cred = cred_get(cred);
	}
	return f;
}

static int may_open(const struct path *p, const struct open_how_k *how)
{
	struct inode *i = p->dentry->inode;
	u32 acc = how->acc;

	if (S_ISLNK(i->mode))
		return -ELOOP;
	if (S_ISDIR(i->mode)) {
		if (how->flags & O_DIRECT)
			return -EINVAL;
		if (how->flags & O_CREAT)
			return -EISDIR;
		if (acc & MAY_WRITE)
			return -EISDIR;
		if (acc & MAY_EXEC)
			return -EACCES;
	} else if (how->flags & O_DIRECTORY) {
		return -ENOTDIR;
	} else if ((how->flags & O_DIRECT) &&
		   (S_ISFIFO(i->mode) || S_ISCHR(i->mode))) {
		return -EINVAL;
	}
	if ((S_ISCHR(i->mode) || S_ISBLK(i->mode)) &&
	    ((p->mnt->flags & MS_NODEV) ||
	     (p->dentry->sb->user_ns != &init_user_ns &&
	      !p->dentry->sb->own_devices)))
		return -EACCES;
	if (i->ops->revalidate) {
		int err = i->ops->revalidate(i);

		if (err)
			return err;
	}
	if (!how->created) {
		int err = path_permission(p, acc);

		if (err)
			return err;
	}
	if ((i->iflags & FS_APPEND_FL) && (acc & MAY_WRITE) &&
	    ((how->flags & O_TRUNC) || !(how->flags & O_APPEND)))
		return -EPERM;
	if ((how->flags & O_NOATIME) && !inode_owner_or_capable(i))
		return -EPERM;
	if (!how->created && S_ISREG(i->mode))
		return lease_break(i,
				   (acc & MAY_WRITE) || (how->flags & O_TRUNC),
				   how->flags & O_NONBLOCK);
	return 0;
}

/* Takes the references of @p. */
static struct file *open_checked(const struct path *p, struct open_how_k *how)
{
	struct file *f;
	int err = 0;

	if (!(how->flags & O_PATH))
		err = may_open(p, how);
	else if ((how->flags & O_DIRECTORY) && !S_ISDIR(p->dentry->inode->mode))
		err = -ENOTDIR;
	if (err) {
		path_put(p);
		return ERR_PTR(err);
	}
	f = finish_open(p, how->flags, OPEN_USUAL);
	if (!IS_ERR(f))
		f->created = how->created;
	if (IS_ERR(f) || !(how->flags & O_TRUNC) || how->created ||
	    !S_ISREG(f->inode->mode))
		return f;
	err = f->landlock & LL_NO_TRUNCATE ? -EACCES : do_truncate(f->inode, 0);
	if (err) {
		file_put(f);
		return ERR_PTR(err);
	}
	return f;
}

static struct dentry *cached_child(struct dentry *dir, const struct walk *w)
{
	struct dentry *d;

	if (dir->flags & DENTRY_SLOW_NAMES) {
		d = lookup_child(dir, w->name, w->len, w->hash);
		if (!IS_ERR(d) && d->inode)
			return d;
		if (!IS_ERR(d))
			dentry_put(d);
		return NULL;
	}
	spin_lock(&dcache_lock);
	d = d_find(dir, w->name, w->len, w->hash);
	if (d && d->inode)
		dentry_get(d);
	else
		d = NULL;
	spin_unlock(&dcache_lock);
	return d;
}

/* Parent locked, @d negative: make the file. */
static int create_file(struct walk *w, struct dentry *d,
		       const struct open_how_k *how)
{
	struct inode *dir = w->anchor.dentry->inode, *inode = NULL;
	u32 mode = how->mode;
	struct acl_inherit inherit = { 0 };
	int err = landlock_path(&w->anchor, LL_MAKE_REG);

	if (!err)
		err = may_create(&w->anchor);
	if (err)
		return err;
	if (!dir->ops->create)
		return -EACCES;
	err = acl_create(dir, &mode, &inherit);
	if (!err)
		err = dir->ops->create_open
			      ? dir->ops->create_open(dir, d->name, d->name_len,
						      mode, how->flags, &inode)
			      : dir->ops->create(dir, d->name, d->name_len,
						 mode, &inode);
	/* Without room for a list the mode, which is no wider, has to do. */
	(void)acl_created(err ? NULL : inode, &inherit);
	if (err)
		return err;
	spin_lock(&dcache_lock);
	d_instantiate(d, inode);
	d_made(dir, d);
	spin_unlock(&dcache_lock);
	notify_name(dir, IN_CREATE, d->name, d->name_len, inode, 0);
	return 0;
}

/* The file of the name in hand, found or made; anchor is its directory. */
static struct dentry *find_or_create(struct walk *w, struct open_how_k *how)
{
	struct dentry *dir = w->anchor.dentry, *d;
	int err = 0;

	if (!(how->flags & O_EXCL)) {
		d = cached_child(dir, w);
		if (d)
			return d;
	}
	down_write(&dir->inode->lock);
	d = lookup_locked(dir, w->name, w->len, w->hash);
	if (!IS_ERR(d) && d->inode) {
		err = how->flags & O_EXCL ? -EEXIST : 0;
	} else if (!IS_ERR(d)) {
		err = create_file(w, d, how);
		how->created = !err;
	}
	up_write(&dir->inode->lock);
	if (err) {
		dentry_put(d);
		return ERR_PTR(err);
	}
	return d;
}

/*
 * One round of the walk with O_CREAT.  1: @out is what to open, 0: a link was
 * met, walk on.  dcache_lock held on entry, not held on return but for 0.
 */
static int create_round(struct walk *w, struct open_how_k *how,
			struct path *out)
{
	struct dentry *d;
	int err = walk_run(w);

	if (!err && w->type != NAME_NORM && !w->jumped)
		err = how->flags & O_EXCL ? -EEXIST : -EISDIR;
	else if (!err && w->type == NAME_NORM && w->slash)
		err = -EISDIR;
	if (!err && w->type == NAME_NORM && w->len > NAME_MAX)
		err = -ENAMETOOLONG;
	if (err) {
		spin_unlock(&dcache_lock);
		return err;
	}
	if (w->type != NAME_NORM) { /* a magic link ended here */
		*out = w->at;
		path_get(out);
		spin_unlock(&dcache_lock);
		return 1;
	}
	walk_hold(w);
	d = find_or_create(w, how);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	if (S_ISLNK(d->inode->mode) && !(how->flags & O_NOFOLLOW)) {
		err = may_follow_last(w->anchor.dentry->inode, d->inode);
		if (!err)
			err = walk_follow(w, d);
		dentry_put(d);
		if (err)
			return err;
		walk_resume(w, NULL);
		return 0;
	}
	err = how->created ? 0
			   : may_open_sticky(w->anchor.dentry->inode, d->inode);
	if (err) {
		dentry_put(d);
		return err;
	}
	out->mnt = w->anchor.mnt;
	out->dentry = d;
	spin_lock(&dcache_lock);
	path_cross_mounts(out);
	path_get(out);
	spin_unlock(&dcache_lock);
	dentry_put(d);
	return 1;
}

static struct file *open_create(int dirfd, const char *path,
				struct open_how_k *how)
{
	struct path p;
	struct walk w;
	int r = walk_start(&w, dirfd, path, LOOKUP_PARENT, how->resolve);

	if (r)
		return ERR_PTR(r);
	do {
		r = create_round(&w, how, &p);
	} while (!r);
	walk_end(&w);
	if (r < 0)
		return ERR_PTR(r);
	return open_checked(&p, how);
}

static struct file *open_tmpfile(const struct path *dir, struct open_how_k *how)
{
	struct inode *di = dir->dentry->inode, *inode = NULL;
	struct path p = { dir->mnt, NULL };
	struct acl_inherit inherit = { 0 };
	int err = path_permission(dir, MAY_WRITE | MAY_EXEC);
	char name[24];
	u32 len;

	if (err)
		return ERR_PTR(err);
	if (!di->ops->tmpfile)
		return ERR_PTR(-EOPNOTSUPP);
	down_write(&di->lock);
	err = acl_create(di, &how->mode, &inherit);
	if (!err)
		err = di->ops->tmpfile(di, how->mode, &inode);
	if (!err)
		inode->linkable = !(how->flags & O_EXCL);
	(void)acl_created(err ? NULL : inode, &inherit);
	up_write(&di->lock);
	if (err)
		return ERR_PTR(err);
	len = (u32)scnprintf(name, sizeof(name), "#%llu",
			     (unsigned long long)inode->ino);
	p.dentry = d_alloc(dir->dentry, name, len, name_hash(name, len));
	if (!p.dentry) {
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock(&dcache_lock);
	p.dentry->flags |= DENTRY_GONE;
	d_add(p.dentry, inode, false);
	mount_get(p.mnt);
	spin_unlock(&dcache_lock);
	how->created = true;
	return open_checked(&p, how);
}

static struct file *open_existing(int dirfd, const char *path,
				  struct open_how_k *how)
{
	u32 lookup = how->flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct file *f;
	struct path p;
	int err;

	if (how->flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	err = path_lookup_at(dirfd, path, lookup, how->resolve, &p);
	if (err)
		return ERR_PTR(err);
	if (!(how->flags & O_TMPFILE_ONLY))
		return open_checked(&p, how);
	how->flags &= ~(u32)O_DIRECTORY;
	f = open_tmpfile(&p, how);
	path_put(&p);
	if (!IS_ERR(f))
		f->flags |= O_DIRECTORY; /* F_GETFL tells what was asked */
	return f;
}

static int check_flags(struct open_how_k *how)
{
	static const u8 acc[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				   MAY_READ | MAY_WRITE };
	u32 f = how->flags;

	how->acc = acc[f & O_ACCMODE];
	if (f & O_PATH) {
		how->flags =
			f & (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC);
		return 0;
	}
	if (f & O_TMPFILE_ONLY) {
		if (!(f & O_DIRECTORY) || (f & O_CREAT) ||
		    !(how->acc & MAY_WRITE))
			return -EINVAL;
	} else if ((f & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
		return -EINVAL;
	}
	if (f & O_TRUNC)
		how->acc |= MAY_WRITE;
	return 0;
}

struct file *vfs_openat(int dirfd, const char *path, u32 flags, u32 mode,
			u32 resolve)
{
	struct open_how_k how = { .flags = flags, .resolve = resolve };
	int err = check_flags(&how);

	if (err)
		return ERR_PTR(err);
	if (how.flags & (O_CREAT | O_TMPFILE_ONLY))
		how.mode = S_IFREG | (mode & 07777);
	if (how.flags & O_CREAT)
		return open_create(dirfd, path, &how);
	return open_existing(dirfd, path, &how);
}

struct file *vfs_open_at_path(const struct path *p, u32 flags)
{
	struct open_how_k how = { .flags = flags & ~(u32)(O_CREAT | O_EXCL) };
	int err = check_flags(&how);

	if (!err && (how.flags & O_TMPFILE_ONLY))
		err = -EINVAL;
	if (!err)
		return open_checked(p, &how);
	path_put(p);
	return ERR_PTR(err);
}

struct file *vfs_open(int dirfd, const char *path, u32 flags, u32 mode)
{
	return vfs_openat(dirfd, path, flags, mode, 0);
}
