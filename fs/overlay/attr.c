/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/attr.c - attributes of objects: seen, checked, changed.
 *
 * Locking: as fs/vfs.h says at each operation.
 */
#include <fs/overlay/overlay.h>

#include <fs/acl.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

#define XATTR_NAME_MAX 255

int ovl_permission(struct inode *i, u32 mask)
{
	int err = inode_mode_permission(i, mask);
	struct cred *mine;
	struct path real;

	if (err)
		return err;
	ovl_real_path(i, &real);
	if (!ovl_upper(i) && (mask & MAY_WRITE) &&
	    (S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode))) {
		mask &= ~(u32)MAY_WRITE; /* that is done to a copy */
		mask |= MAY_READ;
	}
	mine = ovl_enter(ovl_of(i));
	err = inode_permission(real.dentry->inode, mask);
	ovl_leave(mine);
	return err;
}

int ovl_revalidate(struct inode *i)
{
	struct inode *real;
	struct path p;
	int err = 0;

	ovl_real_path(i, &p);
	real = p.dentry->inode;
	if (real->ops->revalidate)
		err = real->ops->revalidate(real);
	if (!err)
		ovl_copy_attr(i);
	return err;
}

int ovl_setattr(struct inode *i, const struct iattr *a)
{
	struct iattr below = *a;
	struct cred *mine;
	struct path upper;
	int err = ovl_copy_up(i, false);

	if (err)
		return err;
	/* whose right it is to keep set-id bits has been asked */
	below.valid &= ~(u32)ATTR_OWNER;
	if (below.valid & (ATTR_ATIME | ATTR_MTIME))
		below.valid |= ATTR_TIMES_GIVEN;
	ovl_upper_path(i, &upper);
	mine = ovl_enter(ovl_of(i));
	err = vfs_setattr(&upper, &below);
	ovl_leave(mine);
	ovl_copy_attr(i);
	return err;
}

s64 ovl_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	struct ovl_fs *ofs = ovl_of(i);
	char below[XATTR_NAME_MAX + 1];
	struct cred *mine;
	struct path real;
	s64 r;

	name = ovl_xattr_below(ofs, name, below, sizeof(below));
	if (!name)
		return -ENODATA;
	ovl_real_path(i, &real);
	mine = ovl_enter(ofs);
	r = under_getxattr(real.dentry->inode, name, buf, n);
	ovl_leave(mine);
	return r;
}

/* @buf NULL: it is to go. */
static int change(struct inode *i, const char *name, const void *buf, size_t n,
		  int flags)
{
	struct ovl_fs *ofs = ovl_of(i);
	char below[XATTR_NAME_MAX + 1];
	struct cred *mine;
	struct path upper;
	int err;

	name = ovl_xattr_below(ofs, name, below, sizeof(below));
	if (!name)
		return -EOPNOTSUPP;
	err = ovl_copy_up(i, false);
	if (err)
		return err;
	ovl_upper_path(i, &upper);
	mine = ovl_enter(ofs);
	err = buf ? under_setxattr(&upper, name, buf, n, flags)
		  : under_removexattr(&upper, name);
	ovl_leave(mine);
	ovl_copy_attr(i);
	return err;
}

int ovl_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		 int flags)
{
	return change(i, name, buf ? buf : "", n, flags);
}

int ovl_removexattr(struct inode *i, const char *name)
{
	s64 n;

	if (!ovl_upper(i)) { /* what is not there is nothing to copy up for */
		n = ovl_getxattr(i, name, NULL, 0);
		if (n < 0)
			return (int)n;
	}
	return change(i, name, NULL, 0, 0);
}

s64 ovl_listxattr(struct inode *i, char *buf, size_t n)
{
	struct ovl_fs *ofs = ovl_of(i);
	struct cred *mine;
	struct path real;
	s64 r;

	ovl_real_path(i, &real);
	mine = ovl_enter(ofs);
	r = under_listxattr(real.dentry->inode, buf, n);
	ovl_leave(mine);
	return r > 0 ? ovl_xattr_shown(ofs, buf, r) : r;
}

static s64 ovl_readlink(struct inode *i, char *buf, size_t size)
{
	struct cred *mine = ovl_enter(ovl_of(i));
	struct path real;
	s64 n;

	ovl_real_path(i, &real);
	n = real.dentry->inode->ops->readlink(real.dentry->inode, buf, size);
	ovl_leave(mine);
	return n;
}

const struct inode_ops ovl_link_ops = {
	.readlink = ovl_readlink,
	OVL_ATTR_OPS,
};

const struct inode_ops ovl_special_ops = { OVL_ATTR_OPS };
