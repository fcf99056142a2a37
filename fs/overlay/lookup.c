/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/lookup.c - a name, through the layers.
 *
 * From the top: a whiteout ends the search; what is no directory is the answer, if it
 * is the first thing found; directories are gathered until one is opaque.  A directory
 * that was renamed says where it lies further down: relative to its parent there, or
 * from the layer's root.
 *
 * Locking: the directory's inode->lock; mounter's credentials inside.
 */
#include <fs/overlay/overlay.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

struct seek {
	struct ovl_fs *ofs;
	struct ovl_parts *p;
	char *name;	/* owned: what to look for in the next layer */
	char *redirect; /* owned: the topmost one's */
	bool absolute;	/* from the layers' roots */
	bool stop;
};

bool ovl_is_whiteout(const struct ovl_fs *ofs, const struct ovl_layer *l,
		     struct inode *real)
{
	if (S_ISCHR(real->mode))
		return !real->rdev;
	return l->xwhiteouts && S_ISREG(real->mode) &&
	       !load_once(&real->i_size) &&
	       ovl_mark_get(ofs, real, OVL_WHITEOUT, NULL, 0) >= 0;
}

/* @to, relative to where s->name leads, or from the layers' roots.  Takes it. */
static int set_name(struct seek *s, char *to)
{
	const char *slash = s->absolute ? strrchr(s->name, '/') : NULL;
	char *joined = to;
	size_t n;

	if (*to == '/') {
		s->absolute = true;
	} else if (slash) {
		n = (size_t)(slash - s->name) + 1;
		joined = kmalloc(n + strlen(to) + 1);
		if (joined) {
			memcpy(joined, s->name, n);
			memcpy(joined + n, to, strlen(to) + 1);
		}
		kfree(to);
	}
	if (!joined)
		return -ENOMEM;
	kfree(s->name);
	s->name = joined;
	return 0;
}

/* What @dir, which was just found, redirects to: into s->name.  0 or -errno. */
static int take_redirect(struct seek *s, struct inode *dir)
{
	char *buf;
	s64 n;

	if (s->ofs->config.redirect == OVL_REDIRECT_OFF)
		return 0;
	buf = kzalloc(OVL_REDIRECT_MAX + 1);
	if (!buf)
		return -ENOMEM;
	n = ovl_mark_get(s->ofs, dir, OVL_REDIRECT, buf, OVL_REDIRECT_MAX);
	if (n == -ENODATA || n == -EOPNOTSUPP) {
		kfree(buf);
		return 0;
	}
	if (n <= 0 || (buf[0] != '/' && strchr(buf, '/'))) {
		kfree(buf);
		return n < 0 && n != -ERANGE ? (int)n : -EINVAL;
	}
	if (s->ofs->config.redirect == OVL_REDIRECT_NOFOLLOW) {
		pr_warn_ratelimited("overlay: a redirect is not followed");
		kfree(buf);
		return -EPERM;
	}
	return set_name(s, buf);
}

static int add_lower(struct seek *s, struct dentry *d, struct ovl_layer *l)
{
	struct ovl_parts *p = s->p;
	struct ovl_lower *more;

	more = krealloc(p->lower, (p->nr_lower + 1) * sizeof(*more));
	if (!more) {
		dentry_put(d);
		return -ENOMEM;
	}
	p->lower = more;
	more[p->nr_lower].d = d;
	more[p->nr_lower++].layer = l;
	return 0;
}

/* Does the upper layer begin there? */
static bool is_upper_root(const struct ovl_fs *ofs, const struct inode *dir)
{
	return unlikely(ofs->nested) && ovl_upper_mnt(ofs)->root->inode == dir;
}

/* @d was found in @l.  Takes it. */
static int found(struct seek *s, struct dentry *d, struct ovl_layer *l)
{
	bool upper = l == s->ofs->layer,
	     first = !s->p->upper && !s->p->nr_lower;
	struct inode *i = d->inode;
	int err = 0;

	s->stop = true;
	if (!i || ovl_is_whiteout(s->ofs, l, i)) {
		s->stop = i != NULL;
		dentry_put(d);
		return 0;
	}
	if (!S_ISDIR(i->mode)) {
		if (!first) {
			dentry_put(d); /* hidden by the directory above */
			return 0;
		}
		if (ovl_mark_get(s->ofs, i, OVL_METACOPY, NULL, 0) >= 0)
			err = -EPERM; /* its data are elsewhere */
	} else if (!upper && is_upper_root(s->ofs, i)) {
		err = -ELOOP;
	} else {
		s->stop = ovl_opaque_kind(s->ofs, i) == 'y';
		if (s->stop && upper)
			s->p->opaque = true;
		if (!s->stop)
			err = take_redirect(s, i);
		if (!err && upper && s->name && !s->stop)
			s->redirect = kstrdup(s->name);
	}
	if (err) {
		dentry_put(d);
		return err;
	}
	if (upper) {
		s->p->upper = d;
		return 0;
	}
	return add_lower(s, d, l);
}

/* s->name, which may be a path, below @dir of layer @l: its dentry or NULL. */
static struct dentry *descend(struct seek *s, struct dentry *dir,
			      struct ovl_layer *l, const char *name, size_t len)
{
	struct path at = { l->mnt, dentry_get(dir) };
	const char *end = name + len, *next;
	struct dentry *d;

	for (;;) {
		while (name < end && *name == '/')
			name++;
		if (name == end)
			return at.dentry;
		for (next = name; next < end && *next != '/'; next++)
			;
		if (next - name > NAME_MAX) {
			d = ERR_PTR(-ENAMETOOLONG);
		} else {
			d = under_lookup(&at, name, (size_t)(next - name));
		}
		dentry_put(at.dentry);
		if (IS_ERR(d) || next == end)
			return d;
		if (!d->inode || !S_ISDIR(d->inode->mode)) {
			bool white = d->inode != NULL;

			dentry_put(d);
			s->stop = white;
			return NULL;
		}
		if (ovl_opaque_kind(s->ofs, d->inode) == 'y')
			s->stop = true; /* not beyond this layer */
		at.dentry = d;
		name = next;
	}
}

static int look_in(struct seek *s, struct dentry *dir, struct ovl_layer *l,
		   const char *name, size_t len)
{
	bool was_stop;
	struct dentry *d;
	int err;

	s->stop = false;
	if (s->name) {
		name = s->name;
		len = strlen(name);
	}
	d = descend(s, dir, l, name, len);
	if (!d)
		return 0;
	if (IS_ERR(d)) {
		err = (int)PTR_ERR(d);
		return err == -ENOENT || err == -ENOTDIR ? 0 : err;
	}
	was_stop = s->stop;
	err = found(s, d, l);
	s->stop = s->stop || was_stop;
	return err;
}

/* In the layers behind the last one that something was found in, from their roots. */
static int look_from_roots(struct seek *s)
{
	struct ovl_fs *ofs = s->ofs;
	const struct ovl_parts *p = s->p;
	u32 k = 1;
	int err = 0;

	if (p->nr_lower)
		k = (u32)(p->lower[p->nr_lower - 1].layer - ofs->layer) + 1;
	for (; !err && !s->stop && k < ofs->nr_layers; k++)
		err = look_in(s, ofs->layer[k].mnt->root, &ofs->layer[k], "",
			      0);
	return err;
}

static int look(struct seek *s, struct inode *dir, const char *name, size_t len)
{
	struct ovl_inode *od = ovl_i(dir);
	struct path upper;
	int err = 0;

	ovl_upper_path(dir, &upper);
	if (upper.dentry)
		err = look_in(s, upper.dentry, s->ofs->layer, name, len);
	for (u32 k = 0; k < od->nr_lower && !s->absolute; k++) {
		if (err || s->stop)
			break;
		err = look_in(s, od->lower[k].d, od->lower[k].layer, name, len);
	}
	return err || s->stop || !s->absolute ? err : look_from_roots(s);
}

static int make(struct inode *dir, struct seek *s, struct inode **out)
{
	struct ovl_parts *p = s->p;
	int err = 0;

	if (p->upper && !S_ISDIR(p->upper->inode->mode))
		err = ovl_origin_find(s->ofs, p->upper->inode, &p->origin,
				      &p->origin_fsys);
	if (err)
		return err;
	p->redirect = s->redirect;
	s->redirect = NULL;
	*out = ovl_inode_get(dir->sb, p);
	*p = (struct ovl_parts){ 0 };
	err = IS_ERR(*out) ? (int)PTR_ERR(*out) : 0;
	if (!err && S_ISDIR((*out)->mode) && ovl_upper(*out))
		ovl_i(*out)->impure =
			ovl_mark_get(s->ofs, ovl_upper(*out)->inode, OVL_IMPURE,
				     NULL, 0) >= 0;
	return err;
}

int ovl_lookup(struct inode *dir, const char *name, size_t len,
	       struct inode **out)
{
	struct ovl_parts parts = { 0 };
	struct seek s = { .ofs = ovl_of(dir), .p = &parts };
	struct cred *mine = ovl_enter(s.ofs);
	int err = look(&s, dir, name, len);

	*out = NULL;
	if (!err && (parts.upper || parts.nr_lower))
		err = make(dir, &s, out);
	ovl_leave(mine);
	ovl_parts_put(&parts);
	kfree(s.name);
	kfree(s.redirect);
	return err;
}

int ovl_lower_has(struct inode *dir, const char *name, size_t len)
{
	struct ovl_inode *od = ovl_i(dir);
	struct ovl_fs *ofs = ovl_of(dir);
	int has = 0;

	for (u32 k = 0; k < od->nr_lower; k++) {
		struct path p = { od->lower[k].layer->mnt, od->lower[k].d };
		struct dentry *d = under_lookup(&p, name, len);

		if (IS_ERR(d)) {
			if (PTR_ERR(d) == -ENOENT || PTR_ERR(d) == -ENOTDIR)
				continue;
			return (int)PTR_ERR(d);
		}
		if (d->inode) {
			has = !ovl_is_whiteout(ofs, od->lower[k].layer,
					       d->inode);
			dentry_put(d);
			return has;
		}
		dentry_put(d);
	}
	return 0;
}
