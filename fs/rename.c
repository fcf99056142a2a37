/* SPDX-License-Identifier: MIT */
/*
 * fs/rename.c - move a name, or exchange two.
 *
 * Order of locks: sb->rename_lock (only between two directories, so that the
 * tree above them stands still), the two directories, ancestor first, then a
 * victim directory.
 */
#include <fs/internal.h>
#include <fs/landlock.h>
#include <fs/notify.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

struct rename {
	struct walk old, new;	  /* parents in anchor */
	struct dentry *from, *to; /* referenced, or NULL */
	u32 flags;
};

/* Write-lock two directories.  rename_lock keeps their relation as it is. */
void vfs_lock_two(struct dentry *a, struct dentry *b)
{
	bool a_first;

	if (a->inode == b->inode) {
		down_write(&a->inode->lock);
		return;
	}
	spin_lock(&dcache_lock);
	if (d_is_ancestor(a, b))
		a_first = true;
	else if (d_is_ancestor(b, a))
		a_first = false;
	else
		a_first = a->inode < b->inode;
	spin_unlock(&dcache_lock);
	down_write(a_first ? &a->inode->lock : &b->inode->lock);
	down_write(a_first ? &b->inode->lock : &a->inode->lock);
}

void vfs_unlock_two(struct dentry *a, struct dentry *b)
{
	up_write(&a->inode->lock);
	if (a->inode != b->inode)
		up_write(&b->inode->lock);
}

static bool is_dir(const struct dentry *d)
{
	return S_ISDIR(d->inode->mode);
}

static bool ancestor(const struct dentry *a, const struct dentry *d)
{
	bool yes;

	spin_lock(&dcache_lock);
	yes = d_is_ancestor(a, d);
	spin_unlock(&dcache_lock);
	return yes;
}

/* What Linux checks about names and kinds, in its order. */
static int check_names(struct rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	if ((r->flags & RENAME_NOREPLACE) && r->to->inode)
		return -EEXIST;
	if (exchange && !r->to->inode)
		return -ENOENT;
	if (exchange && !is_dir(r->to) && r->new.slash)
		return -ENOTDIR;
	if (!is_dir(r->from) && (r->old.slash || (!exchange && r->new.slash)))
		return -ENOTDIR;
	if (ancestor(r->from, r->new.anchor.dentry))
		return -EINVAL;
	if (r->to->inode && (ancestor(r->to, r->old.anchor.dentry) ||
			     r->to->inode == r->old.anchor.dentry->inode ||
			     r->to->inode == r->new.anchor.dentry->inode))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_domain(const struct rename *r)
{
	const struct landlock_refer l = {
		.old_dir = &r->old.anchor,
		.new_dir = &r->new.anchor,
		.from = r->from,
		.to = r->to,
		.rename = true,
		.exchange = (r->flags & RENAME_EXCHANGE) != 0,
		.whiteout = (r->flags & RENAME_WHITEOUT) != 0,
	};

	return landlock_refer(&l);
}

/* A directory that changes its parent has its ".." rewritten. */
static int may_reparent(const struct dentry *d)
{
	return is_dir(d) ? inode_permission(d->inode, MAY_WRITE) : 0;
}

static int check_permissions(struct rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	int err = may_delete(&r->old.anchor, r->from, is_dir(r->from));

	if (err)
		return err;
	if (!r->to->inode)
		err = may_create(&r->new.anchor);
	else
		err = may_delete(&r->new.anchor, r->to,
				 is_dir(exchange ? r->to : r->from));
	if (err || r->old.anchor.dentry == r->new.anchor.dentry)
		return err;
	err = may_reparent(r->from);
	if (!err && exchange)
		err = may_reparent(r->to);
	return err;
}

/* @inode went from @a to @b. */
static void tell_moved(const struct walk *a, const struct walk *b,
		       struct inode *inode, struct inode *victim)
{
	const struct notify_rename n = {
		.old_dir = a->anchor.dentry->inode,
		.new_dir = b->anchor.dentry->inode,
		.moved = inode,
		.victim = victim,
		.old_name = a->name,
		.old_len = a->len,
		.new_name = b->name,
		.new_len = b->len,
	};

	notify_renamed(&n);
}

/* Everything is locked and allowed. */
static int rename_in_fs(struct rename *r)
{
	struct inode *dir = r->old.anchor.dentry->inode;
	struct inode *victim = r->to->inode;
	bool exchange = r->flags & RENAME_EXCHANGE;
	bool lock_victim = victim && S_ISDIR(victim->mode) && !exchange;
	int err;

	if (!dir->ops->rename)
		return -EPERM;
	if (lock_victim)
		down_write(&victim->lock);
	err = dir->ops->rename(dir, r->from->name, r->from->name_len,
			       r->from->inode, r->new.anchor.dentry->inode,
			       r->to->name, r->to->name_len, victim,
			       r->flags & (RENAME_EXCHANGE | RENAME_WHITEOUT));
	if (lock_victim)
		up_write(&victim->lock);
	if (err)
		return err;
	if (exchange) {
		d_exchange(r->from, r->to);
		if (notify_active()) {
			tell_moved(&r->old, &r->new, r->from->inode, NULL);
			tell_moved(&r->new, &r->old, r->to->inode, NULL);
		}
		return 0;
	}
	d_move(r->from, r->to);
	if (victim && S_ISDIR(victim->mode))
		dentry_drop_children(r->to);
	if (notify_active())
		tell_moved(&r->old, &r->new, r->from->inode, victim);
	return 0;
}

/* Both directories are locked. */
static int rename_locked(struct rename *r)
{
	int err;

	r->from = lookup_locked(r->old.anchor.dentry, r->old.name, r->old.len,
				r->old.hash);
	if (IS_ERR(r->from))
		return (int)PTR_ERR(r->from);
	if (!r->from->inode)
		return -ENOENT;
	r->to = lookup_locked(r->new.anchor.dentry, r->new.name, r->new.len,
			      r->new.hash);
	if (IS_ERR(r->to))
		return (int)PTR_ERR(r->to);
	err = check_names(r);
	if (!err)
		err = check_domain(r);
	if (err)
		return err;
	if (r->from->inode == r->to->inode)
		return 0; /* two names of one file: nothing to do */
	err = check_permissions(r);
	if (err)
		return err;
	return rename_in_fs(r);
}

static int rename_parents(struct rename *r)
{
	struct dentry *a = r->old.anchor.dentry, *b = r->new.anchor.dentry;
	struct super_block *sb = a->sb;
	int err;

	if (r->old.anchor.mnt != r->new.anchor.mnt)
		return -EXDEV;
	if (r->old.type != NAME_NORM)
		return -EBUSY;
	if (r->new.type != NAME_NORM)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (path_readonly(&r->old.anchor))
		return -EROFS;
	if (a != b)
		mutex_lock(&sb->rename_lock);
	vfs_lock_two(a, b);
	err = rename_locked(r);
	vfs_unlock_two(a, b);
	if (a != b)
		mutex_unlock(&sb->rename_lock);
	return err;
}

static int rename_all(struct rename *r)
{
	int err = rename_parents(r);

	if (r->from && !IS_ERR(r->from))
		dentry_put(r->from);
	if (r->to && !IS_ERR(r->to))
		dentry_put(r->to);
	return err;
}

int rename_walked(const struct walk *old, const struct walk *new, u32 flags)
{
	struct rename r = { .old = *old, .new = *new, .flags = flags };

	return rename_all(&r);
}

int vfs_rename(int olddirfd, const char *oldpath, int newdirfd,
	       const char *newpath, u32 flags)
{
	struct rename r = { .flags = flags };
	int err;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) ||
	    ((flags & RENAME_EXCHANGE) && flags != RENAME_EXCHANGE))
		return -EINVAL;
	err = walk_parent(&r.old, olddirfd, oldpath);
	if (err)
		return err;
	err = walk_parent(&r.new, newdirfd, newpath);
	if (err)
		goto out_old;
	err = rename_all(&r);
	walk_end(&r.new);
out_old:
	walk_end(&r.old);
	return err;
}
