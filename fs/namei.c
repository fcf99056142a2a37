/* SPDX-License-Identifier: MIT */
/*
 * fs/namei.c - make and remove names: mkdir, mknod, symlink, link, unlink.
 *
 * Every operation has the same shape: walk to the parent, lock its inode for
 * writing, look the last component up, check, let the file system do it, make
 * the dentry say so, unlock, put.  The order of the checks is Linux's, because
 * programs look at which error they get.
 *
 * Not here: rename (rename.c), open with O_CREAT (open.c), the walk (walk.c).
 */
#include <fs/acl.h>
#include <fs/internal.h>
#include <fs/landlock.h>
#include <fs/notify.h>
#include <kernel/cgroup/devprog.h>
#include <kernel/assert.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

/*
 * A directory that was found in @dir by a file system that may be mistaken has one
 * place.  What was cached elsewhere was dropped; is it below itself, mounted on, or
 * found elsewhere at the same time?  dcache_lock held.
 */
static bool misplaced(const struct dentry *dir, const struct inode *inode)
{
	const struct dentry *d;

	list_for_each_entry(d, &inode->dentries, alias) {
		if ((d->flags & DENTRY_HASHED) || d_is_ancestor(d, dir))
			return true;
	}
	return false;
}

static struct dentry *ask_fs(struct dentry *dir, const char *name, u32 len,
			     u32 hash)
{
	struct inode *di = dir->inode, *inode = NULL;
	struct dentry *d, *other;
	bool cached = !di->ops->no_dcache, moved;
	int err;

	if (!di->ops->lookup)
		return ERR_PTR(-ENOTDIR);
	d = d_alloc(dir, name, len, hash);
	if (!d)
		return ERR_PTR(-ENOMEM);
	err = di->ops->lookup(di, name, len, &inode);
	if (err) {
		d_discard(d);
		return ERR_PTR(err);
	}
	moved = inode && di->ops->d_fresh && S_ISDIR(inode->mode) &&
		!list_empty(&inode->dentries);
	if (unlikely(moved))
		dentry_drop_inode(inode);
	spin_lock(&dcache_lock);
	other = cached ? d_find(dir, name, len, hash) : NULL;
	if (other)
		dentry_get(other); /* two readers of one directory raced */
	else if (moved && misplaced(dir, inode))
		other = ERR_PTR(-ELOOP);
	if (!other) {
		d_add(d, inode, cached && !d_dead(dir));
		d_made(di, d);
	}
	spin_unlock(&dcache_lock);
	if (!other)
		return d;
	d_discard(d);
	inode_put(inode);
	return other;
}

struct dentry *lookup_locked(struct dentry *dir, const char *name, u32 len,
			     u32 hash)
{
	const struct inode_ops *ops = dir->inode->ops;
	struct dentry *d = NULL;

	if (len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!ops->no_dcache || load_once(&dir->nr_pins)) {
		spin_lock(&dcache_lock);
		d = d_find(dir, name, len, hash);
		if (d)
			dentry_get(d);
		spin_unlock(&dcache_lock);
	}
	if (d && (ops->no_dcache ? !place_valid(dir->inode, d)
				 : ops->d_revalidate &&
					   !ops->d_revalidate(dir->inode, d))) {
		spin_lock(&dcache_lock);
		d_drop(d);
		spin_unlock(&dcache_lock);
		dentry_put(d);
		d = NULL;
	}
	if (d)
		return d;
	dcache_balance();
	return ask_fs(dir, name, len, hash);
}

struct dentry *lookup_child(struct dentry *dir, const char *name, u32 len,
			    u32 hash)
{
	struct dentry *d;

	down_read(&dir->inode->lock);
	d = lookup_locked(dir, name, len, hash);
	up_read(&dir->inode->lock);
	return d;
}

/* May the file @old get a name there, whatever the directory says? */
static int may_link_to(const struct path *old, const struct path *dir)
{
	return old->mnt != dir->mnt ? -EXDEV : may_link(old->dentry->inode);
}

/* A new name for something of type @mode (0: for @old) is about to be made: parent
 * locked, *@out negative. */
static int create_begin(struct walk *w, int dirfd, const char *path, u32 mode,
			kdev_t dev, const struct path *old, struct dentry **out)
{
	struct dentry *d;
	int err = walk_parent(w, dirfd, path);

	if (err)
		return err;
	if (w->type != NAME_NORM) {
		walk_end(w);
		return -EEXIST;
	}
	down_write(&w->anchor.dentry->inode->lock);
	d = lookup_locked(w->anchor.dentry, w->name, w->len, w->hash);
	if (IS_ERR(d)) {
		err = (int)PTR_ERR(d);
		d = NULL;
	} else if (d->inode) {
		err = -EEXIST;
	} else if (w->slash && !S_ISDIR(mode)) {
		err = -ENOENT;
	} else {
		err = old ? may_link_to(old, &w->anchor)
			  : landlock_path(&w->anchor, landlock_make(mode, dev));
		if (!err)
			err = may_create(&w->anchor);
	}
	if (err) {
		up_write(&w->anchor.dentry->inode->lock);
		if (d)
			dentry_put(d);
		walk_end(w);
		return err;
	}
	*out = d;
	return 0;
}

/* The file system answered @err and, if 0, gave @inode. */
static int create_end(struct walk *w, struct dentry *d, int err,
		      struct inode *inode)
{
	if (!err && inode) {
		spin_lock(&dcache_lock);
		d_instantiate(d, inode);
		d_made(w->anchor.dentry->inode, d);
		spin_unlock(&dcache_lock);
		notify_name(w->anchor.dentry->inode, IN_CREATE, d->name,
			    d->name_len, inode, 0);
	}
	up_write(&w->anchor.dentry->inode->lock);
	dentry_put(d);
	walk_end(w);
	return err;
}

int vfs_mkdir(int dirfd, const char *path, u32 mode)
{
	struct acl_inherit inherit = { 0 };
	struct inode *dir, *inode = NULL;
	struct dentry *d;
	struct walk w;
	int err = create_begin(&w, dirfd, path, S_IFDIR, 0, NULL, &d);

	if (err)
		return err;
	dir = w.anchor.dentry->inode;
	mode = S_IFDIR | (mode & 01777);
	err = acl_create(dir, &mode, &inherit);
	if (!err)
		err = dir->ops->mkdir
			      ? dir->ops->mkdir(dir, d->name, d->name_len, mode,
						&inode)
			      : -EPERM;
	/* Without room for a list the mode, which is no wider, has to do. */
	(void)acl_created(err ? NULL : inode, &inherit);
	return create_end(&w, d, err, inode);
}

static int mknod_in(struct inode *dir, struct dentry *d, u32 mode, kdev_t dev,
		    struct inode **out)
{
	if (S_ISREG(mode)) {
		if (!dir->ops->create)
			return -EACCES;
		return dir->ops->create(dir, d->name, d->name_len, mode, out);
	}
	/* a whiteout is no device */
	if ((S_ISBLK(mode) || (S_ISCHR(mode) && dev)) && !fs_capable(CAP_MKNOD))
		return -EPERM;
	if (!dir->ops->mknod)
		return -EPERM;
	if (S_ISBLK(mode) || (S_ISCHR(mode) && dev)) {
		int err = cgroup_dev_check(S_ISBLK(mode), dev, DEV_MAKE);

		if (err)
			return err;
	}
	return dir->ops->mknod(dir, d->name, d->name_len, mode, dev, out);
}

int vfs_mknod(int dirfd, const char *path, u32 mode, kdev_t dev)
{
	return vfs_mknod_get(dirfd, path, mode, dev, NULL, NULL);
}

int vfs_mknod_get(int dirfd, const char *path, u32 mode, kdev_t dev,
		  struct inode **node, struct mount **mnt)
{
	struct acl_inherit inherit = { 0 };
	struct inode *inode = NULL;
	struct dentry *d;
	struct walk w;
	int err;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode))
		return -EPERM;
	if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) &&
	    !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EINVAL;
	err = create_begin(&w, dirfd, path, mode & S_IFMT, dev, NULL, &d);
	if (err)
		return err;
	mode &= S_IFMT | 07777;
	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		dev = 0;
	err = acl_create(w.anchor.dentry->inode, &mode, &inherit);
	if (!err)
		err = mknod_in(w.anchor.dentry->inode, d, mode, dev, &inode);
	(void)acl_created(err ? NULL : inode, &inherit);
	if (!err && node) {
		*node = inode_get(inode);
		*mnt = mount_get(w.anchor.mnt);
	}
	return create_end(&w, d, err, inode);
}

int vfs_symlink(const char *target, int dirfd, const char *path)
{
	struct inode *dir, *inode = NULL;
	struct dentry *d;
	struct walk w;
	int err;

	if (!*target)
		return -ENOENT;
	err = create_begin(&w, dirfd, path, S_IFLNK, 0, NULL, &d);
	if (err)
		return err;
	dir = w.anchor.dentry->inode;
	err = -EPERM;
	if (dir->ops->symlink)
		err = dir->ops->symlink(dir, d->name, d->name_len, target,
					&inode);
	return create_end(&w, d, err, inode);
}

/* @old gets a name in another directory. */
static int may_refer(const struct path *old, const struct path *dir,
		     struct dentry *d)
{
	struct path from = { old->mnt, NULL };
	const struct landlock_refer r = {
		.old_dir = &from, .new_dir = dir, .from = old->dentry, .to = d
	};
	int err;

	if (!landlocked())
		return 0;
	spin_lock(&dcache_lock);
	from.dentry = dentry_get(old->dentry->parent);
	spin_unlock(&dcache_lock);
	err = landlock_refer(&r);
	dentry_put(from.dentry);
	return err;
}

static int link_to(struct walk *w, struct dentry *d, const struct path *old)
{
	struct inode *dir = w->anchor.dentry->inode;
	struct inode *target = old->dentry->inode;
	int err = may_refer(old, &w->anchor, d);

	if (err)
		return err;
	if (S_ISDIR(target->mode) ||
	    (target->iflags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return -EPERM;
	if (!dir->ops->link)
		return -EPERM;
	/* removed, or never to have a name */
	if (!target->nlink && !target->linkable)
		return -ENOENT;
	err = dir->ops->link(dir, d->name, d->name_len, target);
	if (err >= 0)
		target->linkable = false;
	return err;
}

int vfs_link_path(const struct path *old, int newdirfd, const char *newpath)
{
	struct inode *inode = old->dentry->inode;
	struct dentry *d;
	struct walk w;
	int err = create_begin(&w, newdirfd, newpath, 0, 0, old, &d);

	if (err)
		return err;
	err = link_to(&w, d, old);
	if (err == 1) {
		spin_lock(&dcache_lock);
		d_drop(d);
		spin_unlock(&dcache_lock);
		return create_end(&w, d, 0, NULL);
	}
	if (!err)
		inode_get(inode);
	return create_end(&w, d, err, inode);
}

int vfs_link(int olddirfd, const char *oldpath, int newdirfd,
	     const char *newpath, u32 flags)
{
	struct path old;
	int err = path_lookup(olddirfd, oldpath, flags, &old);

	if (err)
		return err;
	err = vfs_link_path(&old, newdirfd, newpath);
	path_put(&old);
	return err;
}

/* The last component is not a name: what unlink and rmdir say to that. */
static int odd_name(enum name_type type, bool rmdir)
{
	if (!rmdir)
		return -EISDIR;
	switch (type) {
	case NAME_DOT:
		return -EINVAL;
	case NAME_DOTDOT:
		return -ENOTEMPTY;
	case NAME_NONE:
	case NAME_NORM:
		break;
	}
	return -EBUSY;
}

static int slash_error(const struct dentry *d)
{
	if (!d->inode)
		return -ENOENT;
	return S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
}

static int remove_dir(struct inode *dir, struct dentry *d)
{
	struct inode *victim = d->inode;
	int err;

	if (!dir->ops->rmdir || victim == dir)
		return -EPERM;
	down_write(&victim->lock);
	err = dir->ops->rmdir(dir, d->name, d->name_len, victim);
	up_write(&victim->lock);
	if (err)
		return err;
	spin_lock(&dcache_lock);
	d_delete(d); /* first: from now on nothing is cached below it */
	spin_unlock(&dcache_lock);
	dentry_drop_children(d);
	return 0;
}

static int remove_name(struct walk *w, struct dentry *d, bool rmdir)
{
	struct inode *dir = w->anchor.dentry->inode;
	int err;

	if (w->slash && !rmdir)
		return slash_error(d);
	if (!d->inode)
		return -ENOENT;
	err = landlock_path(&w->anchor, rmdir ? LL_REMOVE_DIR : LL_REMOVE_FILE);
	if (!err)
		err = may_delete(&w->anchor, d, rmdir);
	if (err)
		return err;
	if (rmdir)
		err = remove_dir(dir, d);
	else if (!dir->ops->unlink)
		err = -EPERM;
	else
		err = dir->ops->unlink(dir, d->name, d->name_len, d->inode);
	if (!err) {
		spin_lock(&dcache_lock);
		d_delete(d);
		spin_unlock(&dcache_lock);
		notify_unlinked(d);
		notify_name(dir, IN_DELETE, d->name, d->name_len, d->inode, 0);
	}
	return err;
}

int unlink_walked(struct walk *w, bool rmdir)
{
	struct dentry *d;
	int err;

	if (w->type != NAME_NORM)
		return odd_name(w->type, rmdir);
	if (path_readonly(&w->anchor))
		return -EROFS;
	down_write(&w->anchor.dentry->inode->lock);
	d = lookup_locked(w->anchor.dentry, w->name, w->len, w->hash);
	err = IS_ERR(d) ? (int)PTR_ERR(d) : remove_name(w, d, rmdir);
	up_write(&w->anchor.dentry->inode->lock);
	if (!IS_ERR(d))
		dentry_put(d); /* may free the blocks: without the lock */
	return err;
}

int vfs_unlink(int dirfd, const char *path, bool rmdir)
{
	struct walk w;
	int err = walk_parent(&w, dirfd, path);

	if (err)
		return err;
	err = unlink_walked(&w, rmdir);
	walk_end(&w);
	return err;
}
