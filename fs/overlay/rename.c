/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/rename.c - names of the union change places.
 *
 * A directory that is (partly) of a lower layer stays where it is unless redirects may
 * be made (redirect_dir=on): EXDEV, and mv(1) copies it.  With one, it says in its
 * upper directory where its lower ones lie.
 *
 * Locking: both directories' inode->lock; a victim directory's too.
 */
#include <fs/overlay/overlay.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

/* One end of it. */
struct end {
	struct inode *dir, *inode; /* inode: what is there, or NULL */
	const char *name;
	size_t len;
	bool below; /* lower layers have something of that name */
};

static bool has_lower(const struct inode *i)
{
	return ovl_i(i)->nr_lower != 0;
}

static bool may_move(const struct inode *i)
{
	return !S_ISDIR(i->mode) || !has_lower(i) ||
	       ovl_of(i)->config.redirect == OVL_REDIRECT_ON;
}

/* --- redirects */

/* In front of what is at @at in @buf; NULL: it is full. */
static char *prepend(char *buf, char *at, const char *s, size_t n)
{
	if (!at || (size_t)(at - buf) < n)
		return NULL;
	return memcpy(at - n, s, n);
}

/* Where the lower directories of @e lie, from their roots.  dcache_lock inside. */
static char *absolute(const struct end *e, char *buf, size_t size)
{
	char *at = buf + size - 1;
	struct dentry *d;

	*at = '\0';
	spin_lock(&dcache_lock);
	d = list_first_entry(&e->inode->dentries, struct dentry, alias);
	for (; at && d->parent != d; d = d->parent) {
		const char *r = ovl_i(d->inode)->redirect;
		const char *s = r ? r : d->name;

		at = prepend(buf, at, s, strlen(s));
		if (r && *r == '/')
			break;
		at = prepend(buf, at, "/", 1);
	}
	spin_unlock(&dcache_lock);
	return at;
}

/* @e's directory is about to move; @same: within its parent. */
static int set_redirect(struct ovl_fs *ofs, const struct end *e, bool same)
{
	struct ovl_inode *oi = ovl_i(e->inode);
	char *buf, *at, *copy;
	int err;

	if (oi->redirect && (same || oi->redirect[0] == '/'))
		return 0;
	buf = kmalloc(OVL_REDIRECT_MAX + NAME_MAX);
	if (!buf)
		return -ENOMEM;
	at = absolute(e, buf, OVL_REDIRECT_MAX);
	if (same) {
		memcpy(buf, e->name, e->len);
		buf[e->len] = '\0';
		at = buf;
	}
	copy = at ? kstrdup(at) : NULL;
	err = !at ? -EXDEV : copy ? 0 : -ENOMEM;
	if (!err)
		err = ovl_mark_set(ofs, ovl_upper(e->inode), OVL_REDIRECT, at,
				   strlen(at));
	kfree(buf);
	if (err) {
		kfree(copy);
		return err == -EOPNOTSUPP ? -EXDEV : err;
	}
	kfree(oi->redirect);
	oi->redirect = copy;
	return 0;
}

/* @e, if it is a directory, must not be merged with what is called so at @to. */
static int ready_dir(struct ovl_fs *ofs, const struct end *e,
		     const struct end *to)
{
	int err = 0;

	if (!e->inode || !S_ISDIR(e->inode->mode))
		return 0;
	if (has_lower(e->inode))
		return set_redirect(ofs, e, e->dir == to->dir);
	if (has_lower(to->dir))
		err = ovl_set_opaque(ofs, e->inode);
	return err == -EIO ? -EXDEV : err;
}

/* --- the upper layer */

static int check_end(const struct ovl_fs *ofs, const struct end *e, bool *white)
{
	struct path upper;
	struct dentry *d;
	int err = 0;

	ovl_upper_path(e->dir, &upper);
	d = under_lookup(&upper, e->name, e->len);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	*white = d->inode && ovl_is_whiteout(ofs, ofs->layer, d->inode);
	if (!*white && (e->inode && ovl_upper(e->inode)
				? d->inode != ovl_upper(e->inode)->inode
				: d->inode != NULL))
		err = -ESTALE;
	dentry_put(d);
	return err;
}

static int move(const struct end *from, const struct end *to, u32 flags)
{
	struct path a, b;
	struct under_name old = { &a, from->name, from->len };
	struct under_name new = { &b, to->name, to->len };

	ovl_upper_path(from->dir, &a);
	ovl_upper_path(to->dir, &b);
	return under_rename(&old, &new, flags);
}

/* What is at @to makes room: an empty directory of whiteouts only is emptied. */
static int make_room(struct ovl_fs *ofs, const struct end *to)
{
	return to->inode && S_ISDIR(to->inode->mode)
		       ? ovl_make_empty(ofs, to->inode)
		       : 0;
}

/* Mounter's credentials; all is copied up. */
static int replace(struct ovl_fs *ofs, const struct end *from,
		   const struct end *to)
{
	bool is_dir = S_ISDIR(from->inode->mode), white = false, unused;
	u32 flags = 0;
	int err = check_end(ofs, from, &unused);

	if (!err)
		err = check_end(ofs, to, &white);
	if (!err)
		err = make_room(ofs, to);
	if (!err)
		err = ready_dir(ofs, from, to);
	if (err)
		return err;
	if (from->below)
		flags = white ? RENAME_EXCHANGE : RENAME_WHITEOUT;
	else if (is_dir && white)
		flags = RENAME_EXCHANGE;
	err = move(from, to, flags);
	if (!err && flags == RENAME_EXCHANGE && !from->below) {
		struct path p;

		ovl_upper_path(from->dir, &p); /* the whiteout is there now */
		(void)under_remove(&p, from->name, from->len, false);
	}
	return err;
}

static int exchange(struct ovl_fs *ofs, const struct end *a,
		    const struct end *b)
{
	bool white;
	int err = check_end(ofs, a, &white);

	if (!err)
		err = check_end(ofs, b, &white);
	if (!err)
		err = ready_dir(ofs, a, b);
	if (!err)
		err = ready_dir(ofs, b, a);
	return err ? err : move(a, b, RENAME_EXCHANGE);
}

/* --- the union */

static int copy_up_ends(const struct end *from, const struct end *to, bool both)
{
	int err = ovl_copy_up(from->inode, false);

	if (!err)
		err = ovl_copy_up(to->dir, false);
	if (!err && both)
		err = ovl_copy_up(to->inode, false);
	return err;
}

static int rename_all(struct ovl_fs *ofs, struct end *from, struct end *to,
		      bool both)
{
	int err = ovl_lower_has(from->dir, from->name, from->len);

	if (err < 0)
		return err;
	from->below = err;
	ovl_tell_impure(ofs, from->inode, to->dir);
	if (both)
		ovl_tell_impure(ofs, to->inode, from->dir);
	return both ? exchange(ofs, from, to) : replace(ofs, from, to);
}

int ovl_rename(struct inode *old_dir, const char *old_name, size_t old_len,
	       struct inode *inode, struct inode *new_dir, const char *new_name,
	       size_t new_len, struct inode *victim, u32 flags)
{
	struct end from = { old_dir, inode, old_name, old_len, false };
	struct end to = { new_dir, victim, new_name, new_len, false };
	struct ovl_fs *ofs = ovl_of(old_dir);
	bool both = flags & RENAME_EXCHANGE;
	struct cred *mine;
	int err;

	if (flags & RENAME_WHITEOUT)
		return -EINVAL;
	if (!may_move(inode) || (both && !may_move(victim)))
		return -EXDEV;
	if (victim && !both && S_ISDIR(victim->mode)) {
		mine = ovl_enter(ofs);
		err = ovl_check_empty(victim);
		ovl_leave(mine);
		if (err)
			return err;
	}
	err = copy_up_ends(&from, &to, both);
	if (err)
		return err;
	mine = ovl_enter(ofs);
	err = rename_all(ofs, &from, &to, both);
	ovl_leave(mine);
	for (struct inode *d = old_dir;; d = new_dir) {
		ovl_i(d)->version++;
		ovl_copy_attr(d);
		if (d == new_dir)
			break;
	}
	if (victim) {
		if (!err && !both && !ovl_upper(victim))
			store_once(&ovl_i(victim)->gone, true);
		ovl_copy_attr(victim);
	}
	ovl_copy_attr(inode);
	return err;
}
