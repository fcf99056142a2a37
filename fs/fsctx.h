/* SPDX-License-Identifier: MIT */
/*
 * fs/fsctx.h - mounting in steps, and what may be asked of a mount by its number.
 *
 * All may sleep.  Errors are Linux's; files come back with a reference, or as
 * ERR_PTR.  Rights are the caller's business, and so is fsctx_is().
 */
#ifndef FS_FSCTX_H
#define FS_FSCTX_H

#include <fs/vfs.h>

/* --- fs/fsctx.c: contexts of file systems */
struct file *fsctx_open(const char *type);
struct file *fsctx_pick(
	const struct path *p); /* a mount's root: -EINVAL else */
bool fsctx_is(const struct file *f);
/* One parameter; @value NULL: a flag. */
int fsctx_set(struct file *f, const char *key, const char *value);
/* One whose value is a path, a descriptor or bytes: flags that every instance has
 * do not ask what it is, nobody takes another. */
int fsctx_refuse(struct file *f, const char *key);
int fsctx_create(struct file *f, bool exclusive);
int fsctx_reconfigure(struct file *f);
/* An O_PATH file on a mount that is nowhere yet; @flags: MS_*. */
struct file *fsctx_mount(struct file *f, u64 flags);

/* --- fs/mount_loose.c: mounts without a place */
/* An O_PATH file on @m, whose tree lives until that file is closed or the tree
 * has got a place.  Takes the caller's reference. */
struct file *mount_open_loose(struct mount *m);
/* Such a file on a copy of what is at @p, with all below when @rec. */
struct file *vfs_open_tree(const struct path *p, bool rec);
/* Put the mount whose root is @from (in the tree or loose) on @to, or @beneath
 * the mount whose root that is. */
int vfs_move_mount(const struct path *from, const struct path *to,
		   bool beneath);
/* The mount @to becomes a peer of @from, and has the same master. */
int vfs_mount_set_group(const struct path *from, const struct path *to);
/* Of the mount at @p, and of all below when @rec: flags MS_* go and come, @kind
 * is MS_SHARED ... or 0.  All or none: -EBUSY. */
struct mount_change {
	u64 set, clear, kind;
	bool rec;
};
int vfs_mount_setattr(const struct path *p, const struct mount_change *c);

/* --- fs/mount.c */
bool vfs_mount_is_ours(struct mount *m); /* in current's tree */
/* Does a path from @root downwards lead to the root of @m? */
bool vfs_mount_visible(struct mount *m, const struct path *root);

#endif /* FS_FSCTX_H */
