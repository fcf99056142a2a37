/* SPDX-License-Identifier: MIT */
/*
 * fs/mount_loose.c - mounts that have no place yet, and changes of mounts by
 * file: fsmount(2), open_tree(2), move_mount(2), mount_setattr(2).
 *
 * A loose tree belongs to the file that was opened with it: when that is closed
 * before the tree has got a place, the tree falls apart.  Other files and
 * working directories may keep single mounts of it alive.
 *
 * Locking: mount_mutex over each operation.
 */
#include <fs/fsctx.h>

#include <fs/internal.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

static void loose_release(struct file *f)
{
	mount_lock();
	if (f->mnt->loose)
		mount_dissolve(f->mnt);
	mount_unlock();
}

/* An O_PATH file: nothing can be done but hold it. */
static const struct file_ops loose_fops = { .release = loose_release };

struct file *mount_open_loose(struct mount *m)
{
	struct path p = { m, m->root };
	struct file *f;

	mount_lock();
	m->loose = true;
	mount_unlock();
	f = vfs_open_path(&p, O_PATH, current->cred);
	if (IS_ERR(f)) {
		mount_lock();
		mount_dissolve(m);
		mount_unlock();
	} else {
		f->ops = &loose_fops;
	}
	mount_put(m);
	return f;
}

struct file *vfs_open_tree(const struct path *p, bool rec)
{
	struct mount *m = NULL;
	int err;

	mount_lock();
	err = mount_bind_copy(p, rec, &m);
	mount_unlock();
	return err ? ERR_PTR(err) : mount_open_loose(m);
}

int vfs_move_mount(const struct path *from, const struct path *to, bool beneath)
{
	return mount_move(from, to, beneath);
}

int vfs_mount_set_group(const struct path *from, const struct path *to)
{
	struct mount *a = from->mnt, *b = to->mnt;
	int err;

	mount_lock();
	spin_lock(&dcache_lock);
	err = mount_may_regroup(a);
	if (!err)
		err = mount_may_regroup(b);
	if (err)
		; /* of no tree, or of one that is not ours to change */
	else if (from->dentry != a->root || to->dentry != b->root)
		err = -EINVAL;
	else if (b->group || b->master || (!a->group && !a->master))
		err = -EINVAL; /* only to what has none, from what has one */
	else if (a->sb != b->sb || !d_is_ancestor(a->root, b->root))
		err = -EINVAL;
	spin_unlock(&dcache_lock);
	if (!err)
		mount_join(b, a);
	mount_unlock();
	return err;
}

static u64 changed_flags(const struct mount *m, const struct mount_change *c)
{
	return (m->flags & ~c->clear) | c->set;
}

static struct mount *next_of(struct mount *m, struct mount *top, bool rec)
{
	return rec ? mount_next(m, top) : NULL;
}

/* Flags of all, or of none: who was changed before has its old ones back. */
static int change_flags(struct mount *top, const struct mount_change *c)
{
	struct mount *m, *failed = NULL;
	int err = 0;

	for (m = top; m && !failed; m = next_of(m, top, c->rec)) {
		u64 old = m->flags;

		err = mount_set_flags(m, changed_flags(m, c));
		m->saved_flags = old;
		if (err)
			failed = m;
	}
	for (m = top; failed && m != failed; m = mount_next(m, top))
		(void)mount_set_flags(m, m->saved_flags);
	return err;
}

int vfs_mount_setattr(const struct path *p, const struct mount_change *c)
{
	struct mount *m, *top = p->mnt;
	int err = 0;

	mount_lock();
	if (p->dentry != top->root || (!top->loose && !mount_attached(top)))
		err = -EINVAL;
	if (!err)
		err = change_flags(top, c);
	for (m = top; m && !err && c->kind; m = next_of(m, top, c->rec))
		mount_set_kind(m, c->kind);
	mount_unlock();
	return err;
}
