/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/layers.c - the directories that an overlay is made of: found, checked,
 * mounted once more for ourselves.
 *
 * Context: mount_mutex held, current is who mounts.
 */
#include <fs/overlay/overlay.h>

#include <fs/internal.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

static int refuse(const char *what, const char *path, int err)
{
	pr_warn_ratelimited("overlay: %s: %s", path, what);
	return err;
}

static int find_dir(const char *path, struct path *out)
{
	int err = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, out);

	if (err)
		return refuse("cannot be found", path, err);
	if (S_ISDIR(out->dentry->inode->mode))
		return 0;
	path_put(out);
	return refuse("is no directory", path, -EINVAL);
}

static int find_escaped(const char *path, struct path *out)
{
	char *plain = kstrdup(path);
	int err = -ENOMEM;

	if (plain) {
		ovl_unescape(plain);
		err = find_dir(plain, out);
	}
	kfree(plain);
	return err;
}

/* A mount of @p, a layer's directory, in no tree. */
static struct mount *clone(const struct path *p, u64 flags)
{
	struct mount *m;

	sb_get(p->dentry->sb);
	m = mount_alloc(p->dentry->sb, p->dentry, "overlay", flags);
	if (m)
		m->internal = true;
	return m;
}

static bool same_volume(const struct super_block *a,
			const struct super_block *b)
{
	return a == b;
}

/* Its index; a new one gets a device number of its own. */
static u32 fsys_of(struct ovl_fs *ofs, struct super_block *sb)
{
	u32 k;

	for (k = 0; k < ofs->nr_fsys; k++)
		if (ofs->fsys[k].sb && same_volume(ofs->fsys[k].sb, sb))
			return k;
	ofs->fsys[k] = (struct ovl_fsys){ sb, sb_anon_dev() };
	ofs->nr_fsys++;
	return k;
}

/* Is @a the directory @b, or below it? */
static bool is_within(struct dentry *a, const struct dentry *b)
{
	bool yes;

	spin_lock(&dcache_lock);
	yes = d_is_ancestor(b, a);
	spin_unlock(&dcache_lock);
	return yes;
}

static bool overlaps(struct dentry *a, struct dentry *b)
{
	return is_within(a, b) || is_within(b, a);
}

/* A lower layer is not, and lies not in, another layer or the work directory.  The
 * other way round is allowed, but the place in it is never entered (lookup.c). */
static int check_overlap(struct ovl_fs *ofs, const struct path *work)
{
	struct dentry *d, *e;

	for (u32 i = 1; i < ofs->nr_layers; i++) {
		d = ofs->layer[i].mnt->root;
		if (work->dentry && is_within(d, work->dentry))
			return -ELOOP;
		for (u32 k = 0; k < ofs->nr_layers; k++) {
			e = ofs->layer[k].mnt ? ofs->layer[k].mnt->root : NULL;
			if (e && k != i && is_within(d, e))
				return -ELOOP;
			if (e && !k && is_within(e, d))
				ofs->nested = true;
		}
	}
	return 0;
}

static int check_upper(const struct path *upper, const struct path *work)
{
	const struct inode *i = upper->dentry->inode;

	if (upper->mnt != work->mnt)
		return refuse("and workdir are of different mounts", "upperdir",
			      -EINVAL);
	if (overlaps(upper->dentry, work->dentry))
		return refuse("lies in upperdir, or the reverse", "workdir",
			      -EINVAL);
	if (path_readonly(upper))
		return refuse("is read-only", "upperdir", -EINVAL);
	if (i->sb->magic == OVERLAYFS_MAGIC || !i->ops->rename ||
	    !i->ops->mknod)
		return refuse("is of a file system that cannot be one",
			      "upperdir", -EINVAL);
	return 0;
}

static int take_layer(struct ovl_fs *ofs, u32 nr, const struct path *p,
		      u64 flags)
{
	struct super_block *sb = p->dentry->sb;
	struct ovl_layer *l = &ofs->layer[nr];

	if (sb->stack_depth + 1u > OVL_MAX_DEPTH)
		return refuse("is an overlay of overlays already", "layer",
			      -EINVAL);
	ofs->sb->stack_depth =
		(u8)max_t(u32, ofs->sb->stack_depth, sb->stack_depth + 1u);
	l->mnt = clone(p, flags);
	if (!l->mnt)
		return -ENOMEM;
	l->fsys = fsys_of(ofs, sb);
	return 0;
}

static int get_upper(struct ovl_fs *ofs, struct path *work)
{
	struct path upper;
	int err;

	ofs->nr_fsys = 1; /* the upper one's place, whether there is one */
	ofs->fsys[0].dev = sb_anon_dev();
	if (!ofs->config.upper)
		return 0;
	err = find_escaped(ofs->config.upper, &upper);
	if (err)
		return err;
	err = find_escaped(ofs->config.work, work);
	if (err) {
		work->dentry = NULL;
	} else {
		err = check_upper(&upper, work);
		ofs->fsys[0].sb = upper.dentry->sb;
		if (!err)
			err = take_layer(ofs, 0, &upper, 0);
	}
	path_put(&upper);
	return err;
}

static int get_lowers(struct ovl_fs *ofs)
{
	struct path p;
	int err = 0;

	for (u32 i = 0; !err && i < ofs->config.nr_lower; i++) {
		err = find_dir(ofs->config.lower[i], &p);
		if (err)
			return err;
		err = take_layer(ofs, i + 1, &p, MS_RDONLY | MS_NOATIME);
		if (!err)
			ofs->layer[i + 1].xwhiteouts =
				ovl_opaque_kind(ofs, p.dentry->inode) == 'x';
		path_put(&p);
	}
	return err;
}

/* Numbers of how many bits are left when the file system's is in front. */
static void choose_numbers(struct ovl_fs *ofs)
{
	u32 used = ofs->nr_fsys - !ofs->config.upper;

	ofs->same_fs = used == 1;
	if (!ofs->same_fs && ofs->config.xino != OVL_XINO_OFF) {
		ofs->xino_bits = 1;
		while ((1u << ofs->xino_bits) < ofs->nr_fsys + 1)
			ofs->xino_bits++;
	}
}

int ovl_layers_get(struct ovl_fs *ofs)
{
	u32 nr = ofs->config.nr_lower + 1;
	struct path work = { NULL, NULL };
	int err;

	ofs->layer = kcalloc(nr, sizeof(*ofs->layer));
	ofs->fsys = kcalloc(nr + 1, sizeof(*ofs->fsys));
	if (!ofs->layer || !ofs->fsys)
		return -ENOMEM;
	ofs->nr_layers = nr;
	err = get_upper(ofs, &work);
	if (!err)
		err = get_lowers(ofs);
	if (!err)
		err = check_overlap(ofs, &work);
	if (!err && work.dentry) {
		struct cred *mine = ovl_enter(ofs);

		err = ovl_work_make(ofs, &work);
		ovl_leave(mine);
	}
	if (!err)
		choose_numbers(ofs);
	if (work.dentry)
		path_put(&work);
	return err;
}

void ovl_layers_put(struct ovl_fs *ofs)
{
	dentry_put(ofs->work);
	for (u32 i = 0; i < ofs->nr_layers; i++)
		mount_put(ofs->layer[i].mnt);
	kfree(ofs->layer);
	kfree(ofs->fsys);
}
