/* SPDX-License-Identifier: MIT */
/*
 * fs/mount_ops.c - what mount(2), umount2(2) and pivot_root(2) do.
 *
 * Mounts do not propagate: every mount is private, so making one private
 * succeeds and asking for another kind does not.
 *
 * Locking: mount_mutex over each operation.  Everything is put after it.
 */
#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MS_MGC_MASK	0xffff0000u
#define MS_MGC_VAL	0xc0ed0000u
#define MS_UNBINDABLE	(1 << 17)
#define MS_PRIVATE	(1 << 18)
#define MS_SLAVE	(1 << 19)
#define MS_SHARED	(1 << 20)
#define MNT_FORCE	1u
#define MNT_DETACH	2u
#define MNT_EXPIRE	4u
#define UMOUNT_NOFOLLOW 8u

/* Flags that belong to one mount and not to the instance. */
#define MNT_FLAGS                                                    \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | \
	 MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)

static int mount_new(const char *dev, const struct path *at, const char *type,
		     u64 flags, const char *data)
{
	struct super_block *sb;
	struct fs_type *t;
	struct mount *m;
	int err;

	if (!type)
		return -EINVAL;
	mutex_lock(&mount_mutex);
	t = fs_find_type(type);
	sb = t ? sb_find_or_create(t, dev, flags, data ? data : "")
	       : ERR_PTR(-ENODEV);
	mutex_unlock(&mount_mutex);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	if (at->mnt->sb == sb && at->dentry == sb->root &&
	    at->mnt->root == at->dentry) {
		sb_put(sb);
		return -EBUSY; /* the same thing twice on one place */
	}
	m = mount_alloc(sb, sb->root, dev, flags & MNT_FLAGS);
	if (!m)
		return -ENOMEM;
	mutex_lock(&mount_mutex);
	err = mount_attach(m, at);
	mutex_unlock(&mount_mutex);
	if (err)
		mount_put(m);
	return err;
}

static struct mount *clone_mount(struct mount *old, struct dentry *root)
{
	sb_get(old->sb);
	return mount_alloc(old->sb, root, old->devname, old->flags);
}

/* Where in the copy the child @c of the mount all[..] belongs. */
static bool place_of_copy(struct mount *c, struct mount **all,
			  struct mount **copy, u32 nr, struct path *out)
{
	bool ok = false;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (all[i] != c->parent || !copy[i])
			continue;
		spin_lock(&dcache_lock);
		ok = c->mountpoint &&
		     d_is_ancestor(copy[i]->root, c->mountpoint);
		if (ok) {
			out->mnt = copy[i];
			out->dentry = c->mountpoint;
			path_get(out);
		}
		spin_unlock(&dcache_lock);
		break;
	}
	return ok;
}

/* Copy what is mounted below @from to the same places below its copy @to. */
static int bind_children(struct mount *from, struct mount *to)
{
	u32 nr = 0, i;
	struct mount **all = mount_snapshot(&nr), **copy = NULL;
	struct path at;
	int err = 0;

	if (all)
		copy = kcalloc(nr + 1, sizeof(*copy));
	if (!copy)
		err = -ENOMEM;
	for (i = 0; !err && i < nr; i++) {
		if (all[i] == from)
			copy[i] = to;
		/* in order of mounting: a parent stands before its children,
		 * unless it was moved; such are not copied */
		if (all[i] == from || all[i] == to ||
		    !place_of_copy(all[i], all, copy, i, &at))
			continue;
		copy[i] = clone_mount(all[i], all[i]->root);
		if (!copy[i])
			err = -ENOMEM;
		else
			err = mount_attach(copy[i], &at);
		path_put(&at);
	}
	kfree(copy);
	if (all)
		mount_snapshot_free(all, nr);
	return err;
}

static int mount_bind(const char *from, const struct path *at, bool rec)
{
	struct mount *m;
	struct path old;
	int err;

	if (!from || !*from)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, from, LOOKUP_FOLLOW, &old);
	if (err)
		return err;
	mutex_lock(&mount_mutex);
	m = clone_mount(old.mnt, old.dentry);
	err = m ? mount_attach(m, at) : -ENOMEM;
	if (err && m)
		mount_put(m);
	if (!err && rec) {
		err = bind_children(old.mnt, m);
		if (err)
			mount_detach(m, true);
	}
	mutex_unlock(&mount_mutex);
	path_put(&old);
	return err;
}

/* Is @at somewhere on @m or below it? */
static bool would_loop(const struct path *at, const struct mount *m)
{
	return mount_is_below(at->mnt, m);
}

static int mount_move(const char *from, const struct path *at)
{
	struct path old, was = { NULL, NULL };
	struct path to = *at;
	int err;

	if (!from || !*from)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, from, LOOKUP_FOLLOW, &old);
	if (err)
		return err;
	mutex_lock(&mount_mutex);
	spin_lock(&dcache_lock);
	path_cross_mounts(&to);
	if (old.dentry != old.mnt->root || !old.mnt->parent)
		err = -EINVAL;
	else if (S_ISDIR(old.dentry->inode->mode) !=
		 S_ISDIR(to.dentry->inode->mode))
		err = -EINVAL;
	else if (would_loop(&to, old.mnt))
		err = -ELOOP;
	if (!err) {
		mount_unlink(old.mnt, &was);
		mount_link(old.mnt, &to);
	}
	spin_unlock(&dcache_lock);
	mutex_unlock(&mount_mutex);
	path_put(&was);
	path_put(&old);
	return err;
}

static int mount_remount(const struct path *at, u64 flags, const char *data)
{
	struct mount *m = at->mnt;
	int err = 0;

	if (at->dentry != m->root)
		return -EINVAL;
	mutex_lock(&mount_mutex);
	if (!(flags & MS_BIND))
		err = sb_remount(m->sb, flags, data ? data : "");
	if (!err)
		m->flags = flags & MNT_FLAGS;
	mutex_unlock(&mount_mutex);
	return err;
}

static int change_propagation(u64 flags)
{
	flags &= MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED;
	return flags == MS_PRIVATE ? 0 : -EINVAL;
}

int vfs_mount(const char *dev, const char *dir, const char *type, u64 flags,
	      const char *data)
{
	struct path at;
	int err;

	if ((flags & MS_MGC_MASK) == MS_MGC_VAL)
		flags &= ~(u64)MS_MGC_MASK;
	err = path_lookup(AT_FDCWD, dir, LOOKUP_FOLLOW, &at);
	if (err)
		return err;
	if (flags & MS_REMOUNT)
		err = mount_remount(&at, flags, data);
	else if (flags & MS_BIND)
		err = mount_bind(dev, &at, flags & MS_REC);
	else if (flags & (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED))
		err = change_propagation(flags);
	else if (flags & MS_MOVE)
		err = mount_move(dev, &at);
	else
		err = mount_new(dev, &at, type, flags, data);
	path_put(&at);
	return err;
}

static bool is_current_root(const struct mount *m)
{
	struct path root;
	bool yes;

	spin_lock(&dcache_lock);
	borrow_root(&root);
	yes = root.mnt == m;
	spin_unlock(&dcache_lock);
	return yes;
}

static int umount_locked(const struct path *p, u32 flags)
{
	struct mount *m = p->mnt;

	if (p->dentry != m->root)
		return -EINVAL;
	if (is_current_root(m) && !(flags & MNT_DETACH))
		return sb_remount(m->sb, m->sb->flags | MS_RDONLY, "");
	if (!m->parent)
		return -EINVAL;
	/* path: one reference of the caller on the mount, as it expects. */
	return mount_detach(m, flags & MNT_DETACH);
}

int vfs_umount(const char *dir, u32 flags)
{
	struct path p;
	int err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	if (flags & MNT_EXPIRE)
		return flags & (MNT_FORCE | MNT_DETACH) ? -EINVAL : -EAGAIN;
	err = path_lookup(AT_FDCWD, dir,
			  flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	mutex_lock(&mount_mutex);
	err = umount_locked(&p, flags);
	mutex_unlock(&mount_mutex);
	path_put(&p);
	return err;
}

/* Everything checked: @new takes the place of @root, which goes to @put. */
static void pivot(struct mount *root, struct mount *new, const struct path *put,
		  struct path *was_root, struct path *was_new)
{
	mount_unlink(new, was_new);
	mount_unlink(root, was_root);
	mount_link(root, put);
	mount_link(new, was_root);
}

static int pivot_check(const struct path *root, const struct path *new,
		       const struct path *put)
{
	if (!root->mnt->parent || root->dentry != root->mnt->root)
		return -EINVAL;
	if (new->dentry != new->mnt->root || !new->mnt->parent)
		return -EINVAL;
	if (new->mnt == root->mnt || put->mnt == root->mnt)
		return -EBUSY;
	if (!mount_is_below(new->mnt, root->mnt) ||
	    !mount_is_below(put->mnt, new->mnt))
		return -EINVAL;
	return 0;
}

int vfs_pivot_root(const char *new_root, const char *put_old)
{
	struct path new, put, root, was_root = { NULL, NULL };
	struct path was_new = { NULL, NULL };
	int err = path_lookup(AT_FDCWD, new_root,
			      LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);

	if (err)
		return err;
	err = path_lookup(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY,
			  &put);
	if (err)
		goto out_new;
	fs_ctx_get_root(&root);
	mutex_lock(&mount_mutex);
	spin_lock(&dcache_lock);
	err = pivot_check(&root, &new, &put);
	if (!err)
		pivot(root.mnt, new.mnt, &put, &was_root, &was_new);
	spin_unlock(&dcache_lock);
	mutex_unlock(&mount_mutex);
	if (!err)
		fs_ctx_replace_all(&root, &new);
	path_put(&was_root);
	path_put(&was_new);
	path_put(&root);
	path_put(&put);
out_new:
	path_put(&new);
	return err;
}
