/* SPDX-License-Identifier: MIT */
/*
 * fs/under.c - names in a directory that is given; see under.h.
 */
#include <fs/under.h>

#include <fs/acl.h>
#include <fs/filecaps.h>
#include <fs/internal.h>
#include <fs/notify.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct dentry *under_lookup(const struct path *dir, const char *name,
			    size_t len)
{
	struct inode *i = dir->dentry->inode;
	int err = S_ISDIR(i->mode) ? inode_permission(i, MAY_EXEC) : -ENOTDIR;

	if (err)
		return ERR_PTR(err);
	return lookup_child(dir->dentry, name, (u32)len, name_hash(name, len));
}

static int make_in(struct inode *dir, const struct dentry *d,
		   const struct under_node *node, struct inode **out)
{
	const struct inode_ops *ops = dir->ops;

	switch (node->mode & S_IFMT) {
	case S_IFREG:
		return ops->create ? ops->create(dir, d->name, d->name_len,
						 node->mode, out)
				   : -EACCES;
	case S_IFDIR:
		return ops->mkdir ? ops->mkdir(dir, d->name, d->name_len,
					       node->mode, out)
				  : -EPERM;
	case S_IFLNK:
		return ops->symlink ? ops->symlink(dir, d->name, d->name_len,
						   node->link, out)
				    : -EPERM;
	default:
		break;
	}
	if ((S_ISBLK(node->mode) || (S_ISCHR(node->mode) && node->rdev)) &&
	    !fs_capable(CAP_MKNOD))
		return -EPERM;
	return ops->mknod ? ops->mknod(dir, d->name, d->name_len, node->mode,
				       node->rdev, out)
			  : -EPERM;
}

/* @dir is locked.  A dentry that is negative. */
static struct dentry *free_name(const struct path *dir, const char *name,
				size_t len)
{
	struct dentry *d = lookup_locked(dir->dentry, name, (u32)len,
					 name_hash(name, len));
	int err;

	if (IS_ERR(d))
		return d;
	err = d->inode ? -EEXIST : may_create(dir);
	if (!err)
		return d;
	dentry_put(d);
	return ERR_PTR(err);
}

/* @inode is what @d in @dir leads to now; @out gets the dentry. */
static void name_made(const struct path *dir, struct dentry *d,
		      struct inode *inode, struct dentry **out)
{
	spin_lock(&dcache_lock);
	d_instantiate(d, inode);
	spin_unlock(&dcache_lock);
	notify_name(dir->dentry->inode, IN_CREATE, d->name, d->name_len, inode,
		    0);
	if (out)
		*out = dentry_get(d);
}

int under_make(const struct path *dir, const char *name, size_t len,
	       const struct under_node *node, struct dentry **out)
{
	struct inode *di = dir->dentry->inode, *inode = NULL;
	struct dentry *d;
	int err;

	down_write(&di->lock);
	d = free_name(dir, name, len);
	err = IS_ERR(d) ? (int)PTR_ERR(d) : make_in(di, d, node, &inode);
	if (!err)
		name_made(dir, d, inode, out);
	up_write(&di->lock);
	if (!IS_ERR(d))
		dentry_put(d);
	return err;
}

int under_tmpfile(const struct path *dir, u32 mode, struct dentry **out)
{
	struct inode *di = dir->dentry->inode, *inode = NULL;
	struct dentry *d;
	char name[24];
	u32 len;
	int err = path_permission(dir, MAY_WRITE | MAY_EXEC);

	if (!err && !di->ops->tmpfile)
		err = -EOPNOTSUPP;
	if (err)
		return err;
	down_write(&di->lock);
	err = di->ops->tmpfile(di, mode, &inode);
	if (!err)
		inode->linkable = true;
	up_write(&di->lock);
	if (err)
		return err;
	len = (u32)scnprintf(name, sizeof(name), "#%llu",
			     (unsigned long long)inode->ino);
	d = d_alloc(dir->dentry, name, len, name_hash(name, len));
	if (!d) {
		inode_put(inode);
		return -ENOMEM;
	}
	spin_lock(&dcache_lock);
	d->flags |= DENTRY_GONE;
	d_add(d, inode, false);
	spin_unlock(&dcache_lock);
	*out = d;
	return 0;
}

int under_link(struct inode *file, const struct path *dir, const char *name,
	       size_t len, struct dentry **out)
{
	struct inode *di = dir->dentry->inode;
	struct dentry *d;
	int err;

	down_write(&di->lock);
	d = free_name(dir, name, len);
	err = IS_ERR(d) ? (int)PTR_ERR(d) : 0;
	if (!err && (file->iflags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		err = -EPERM;
	if (!err && !file->nlink && !file->linkable)
		err = -ENOENT;
	if (!err)
		err = di->ops->link ? di->ops->link(di, name, len, file)
				    : -EPERM;
	if (!err) {
		file->linkable = false;
		name_made(dir, d, inode_get(file), out);
	}
	up_write(&di->lock);
	if (!IS_ERR(d))
		dentry_put(d);
	return err;
}

int under_remove(const struct path *dir, const char *name, size_t len,
		 bool rmdir)
{
	struct walk w;
	int err;

	walk_given(&w, dir, name, (u32)len);
	err = unlink_walked(&w, rmdir);
	walk_end(&w);
	return err;
}

int under_rename(const struct under_name *from, const struct under_name *to,
		 u32 flags)
{
	struct walk old, new;
	int err;

	walk_given(&old, from->dir, from->name, (u32)from->len);
	walk_given(&new, to->dir, to->name, (u32)to->len);
	err = rename_walked(&old, &new, flags);
	walk_end(&new);
	walk_end(&old);
	return err;
}

int under_each(const struct path *dir, struct dir_ctx *ctx)
{
	struct inode *i = dir->dentry->inode;
	struct file *f;
	u64 before;
	int err = path_permission(dir, MAY_READ);

	if (err)
		return err;
	f = vfs_open_unwatched(dir, O_RDONLY | O_DIRECTORY | O_NOATIME);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	if (!f->ops->readdir)
		err = -ENOTDIR;
	ctx->pos = 0;
	do {
		before = ctx->pos;
		down_read(&i->lock);
		if (!err)
			err = i->nlink ? f->ops->readdir(f, ctx) : -ENOENT;
		up_read(&i->lock);
	} while (!err && ctx->pos != before);
	file_put(f);
	return err;
}

/* --- extended attributes */

static bool may_trusted(const char *name)
{
	return !str_has_prefix(name, "trusted.") ||
	       fs_cred_capable(&init_user_ns, CAP_SYS_ADMIN);
}

s64 under_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	if (!i->ops->getxattr)
		return -EOPNOTSUPP;
	return may_trusted(name) ? i->ops->getxattr(i, name, buf, n) : -ENODATA;
}

static int may_change(const struct path *p, const char *name)
{
	struct inode *i = p->dentry->inode;

	if (path_readonly(p))
		return -EROFS;
	if (i->iflags & (FS_IMMUTABLE_FL | FS_APPEND_FL))
		return -EPERM;
	if (!may_trusted(name))
		return -EPERM;
	if (str_has_prefix(name, "security."))
		return fs_cred_capable(i->sb->user_ns, CAP_SYS_ADMIN) ? 0
								      : -EPERM;
	return str_has_prefix(name, "user.") ? inode_permission(i, MAY_WRITE)
					     : 0;
}

int under_setxattr(const struct path *p, const char *name, const void *buf,
		   size_t n, int flags)
{
	struct inode *i = p->dentry->inode;
	int err = i->ops->setxattr ? may_change(p, name) : -EOPNOTSUPP;

	if (err)
		return err;
	down_write(&i->lock);
	err = acl_is_name(name) ? acl_set(i, name, buf, n, flags)
				: i->ops->setxattr(i, name, buf, n, flags);
	if (!err)
		inode_touch(i, false, true);
	store_once(&i->filecaps, FILECAPS_UNKNOWN);
	up_write(&i->lock);
	return err;
}

int under_removexattr(const struct path *p, const char *name)
{
	struct inode *i = p->dentry->inode;
	int err = i->ops->removexattr ? may_change(p, name) : -EOPNOTSUPP;

	if (err)
		return err;
	down_write(&i->lock);
	err = acl_is_name(name) ? acl_remove(i, name)
				: i->ops->removexattr(i, name);
	if (!err)
		inode_touch(i, false, true);
	up_write(&i->lock);
	return err;
}

s64 under_listxattr(struct inode *i, char *buf, size_t n)
{
	return i->ops->listxattr ? i->ops->listxattr(i, buf, n) : 0;
}
