/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/dir.c - names of the union: made and removed.
 *
 * Where a whiteout is, something new is made in the work directory and takes its
 * place, a directory opaque; where something of a lower layer would come to light
 * again, a whiteout takes the place of what is removed.
 *
 * Locking: the directory's inode->lock, the victim's ovl_inode->lock.
 */
#include <fs/overlay/overlay.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Something is to be made in @dir, as @name; @cred: whoever mounted, but what he
 * makes is its maker's. */
struct making {
	struct ovl_fs *ofs;
	struct inode *dir;
	const char *name;
	size_t len;
	struct cred *cred, *mine;
	struct path upper;
	bool over; /* a whiteout */
};

static bool is_white(struct ovl_fs *ofs, const struct dentry *d)
{
	return ovl_is_whiteout(ofs, ofs->layer, d->inode);
}

static int look_at_place(struct making *m)
{
	struct dentry *d = under_lookup(&m->upper, m->name, m->len);
	int err = 0;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	m->over = d->inode != NULL;
	if (m->over && !is_white(m->ofs, d))
		err = -ESTALE; /* somebody changed the layer */
	dentry_put(d);
	return err;
}

/* Then current has m->cred, until making_end().  @len 0: without a name. */
static int making_begin(struct making *m, struct inode *dir, const char *name,
			size_t len)
{
	const struct cred *who = fs_cred();
	int err = ovl_copy_up(dir, false);

	*m = (struct making){
		.ofs = ovl_of(dir), .dir = dir, .name = name, .len = len
	};
	if (err)
		return err;
	ovl_upper_path(dir, &m->upper);
	m->cred = cred_dup(m->ofs->cred);
	if (!m->cred)
		return -ENOMEM;
	m->cred->fsuid = who->fsuid;
	m->cred->fsgid = dir->mode & S_ISGID ? dir->gid : who->fsgid;
	m->mine = cred_act(m->cred);
	err = len ? look_at_place(m) : 0;
	if (err) {
		ovl_leave(m->mine);
		cred_put(m->cred);
	}
	return err;
}

static void changed(struct inode *dir)
{
	ovl_i(dir)->version++;
	ovl_copy_attr(dir);
}

static void making_end(struct making *m)
{
	ovl_leave(m->mine);
	cred_put(m->cred);
	changed(m->dir);
}

/* What is called @temp in the work directory takes the whiteout's place. */
static int take_place(struct making *m, const char *temp, bool is_dir)
{
	struct under_name from, to = { &m->upper, m->name, m->len };
	struct path work;
	int err;

	ovl_work_path(m->ofs, &work);
	from = (struct under_name){ &work, temp, strlen(temp) };
	err = under_rename(&from, &to, is_dir ? RENAME_EXCHANGE : 0);
	if (err || is_dir)
		ovl_work_drop(m->ofs, temp);
	return err;
}

static int make_over(struct making *m, const struct under_node *node,
		     struct dentry **out)
{
	bool is_dir = S_ISDIR(node->mode);
	char temp[OVL_NAME_LEN];
	int err = ovl_work_new(m->ofs, node, temp, out);

	if (err)
		return err;
	if (is_dir) {
		err = ovl_mark_set(m->ofs, *out, OVL_OPAQUE, "y", 1);
		if (err)
			ovl_work_drop(m->ofs, temp);
		err = err == -EOPNOTSUPP ? -EIO : err;
	}
	if (!err)
		err = take_place(m, temp, is_dir);
	if (err)
		dentry_put(*out);
	return err;
}

static int make_node(struct making *m, struct under_node *node,
		     struct dentry **out, bool *opaque)
{
	bool is_dir = S_ISDIR(node->mode);
	int err;

	if (is_dir && (m->dir->mode & S_ISGID))
		node->mode |= S_ISGID;
	*opaque = false;
	if (m->over) {
		*opaque = is_dir;
		return make_over(m, node, out);
	}
	err = under_make(&m->upper, m->name, m->len, node, out);
	/* Saves who looks at it later the way down. */
	if (!err && is_dir && ovl_is_merged(m->dir))
		*opaque = !ovl_mark_set(m->ofs, *out, OVL_OPAQUE, "y", 1);
	return err;
}

static int make(struct inode *dir, const char *name, size_t len,
		struct under_node node, struct inode **out)
{
	struct ovl_parts p = { 0 };
	struct making m;
	int err = making_begin(&m, dir, name, len);

	if (err)
		return err;
	err = make_node(&m, &node, &p.upper, &p.opaque);
	if (!err) {
		*out = ovl_inode_get(dir->sb, &p);
		err = IS_ERR(*out) ? (int)PTR_ERR(*out) : 0;
	}
	making_end(&m);
	return err;
}

static int ovl_create(struct inode *dir, const char *name, size_t len, u32 mode,
		      struct inode **out)
{
	struct under_node n = { .mode = S_IFREG | (mode & 07777) };

	return make(dir, name, len, n, out);
}

static int ovl_mkdir(struct inode *dir, const char *name, size_t len, u32 mode,
		     struct inode **out)
{
	struct under_node n = { .mode = S_IFDIR | (mode & 07777) };

	return make(dir, name, len, n, out);
}

static int ovl_mknod(struct inode *dir, const char *name, size_t len, u32 mode,
		     kdev_t rdev, struct inode **out)
{
	struct under_node n = { .mode = mode, .rdev = rdev };

	if (S_ISCHR(mode) && !rdev)
		return -EPERM; /* would be a whiteout */
	return make(dir, name, len, n, out);
}

static int ovl_symlink(struct inode *dir, const char *name, size_t len,
		       const char *target, struct inode **out)
{
	struct under_node n = { .mode = S_IFLNK | 0777, .link = target };

	return make(dir, name, len, n, out);
}

static int ovl_tmpfile(struct inode *dir, u32 mode, struct inode **out)
{
	struct ovl_parts p = { 0 };
	struct making m;
	int err = making_begin(&m, dir, "", 0);

	if (err)
		return err;
	err = under_tmpfile(&m.upper, S_IFREG | (mode & 07777), &p.upper);
	if (!err) {
		*out = ovl_inode_get(dir->sb, &p);
		err = IS_ERR(*out) ? (int)PTR_ERR(*out) : 0;
	}
	making_end(&m);
	return err;
}

static int link_over(struct making *m, struct inode *file)
{
	char temp[OVL_NAME_LEN];
	struct path work;
	int err;

	ovl_work_path(m->ofs, &work);
	ovl_temp_name(m->ofs, temp);
	err = under_link(file, &work, temp, strlen(temp), NULL);
	return err ? err : take_place(m, temp, false);
}

static int ovl_link(struct inode *dir, const char *name, size_t len,
		    struct inode *target)
{
	struct making m;
	struct inode *file;
	int err = ovl_copy_up(target, false);

	if (!err)
		err = making_begin(&m, dir, name, len);
	if (err)
		return err;
	file = ovl_upper(target)->inode;
	err = m.over ? link_over(&m, file)
		     : under_link(file, &m.upper, name, len, NULL);
	if (!err)
		ovl_tell_impure(m.ofs, target, dir);
	making_end(&m);
	ovl_copy_attr(target);
	return err;
}

/* --- removed */

/* The name leads to @victim's upper object still. */
static int check_name(const struct path *upper, const char *name, size_t len,
		      const struct inode *victim)
{
	const struct dentry *is = ovl_upper(victim);
	struct dentry *d = under_lookup(upper, name, len);
	int err = 0;

	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	if (is ? d->inode != is->inode : d->inode != NULL)
		err = -ESTALE;
	dentry_put(d);
	return err;
}

static int remove_it(struct inode *dir, const char *name, size_t len,
		     struct inode *victim)
{
	struct ovl_fs *ofs = ovl_of(dir);
	bool is_dir = S_ISDIR(victim->mode);
	struct path upper;
	int below, err;

	ovl_upper_path(dir, &upper);
	err = check_name(&upper, name, len, victim);
	if (!err && is_dir)
		err = ovl_make_empty(ofs, victim);
	below = err ? err : ovl_lower_has(dir, name, len);
	if (below < 0)
		return below;
	if (below)
		return ovl_whiteout_at(ofs, &upper, name, len, is_dir,
				       ovl_upper(victim) != NULL);
	return under_remove(&upper, name, len, is_dir);
}

static int ovl_remove(struct inode *dir, const char *name, size_t len,
		      struct inode *victim)
{
	struct ovl_inode *oi = ovl_i(victim);
	struct cred *mine;
	int err = ovl_copy_up(dir, false);

	if (err)
		return err;
	mine = ovl_enter(ovl_of(dir));
	mutex_lock(&oi->lock);
	err = remove_it(dir, name, len, victim);
	if (!err && !ovl_upper(victim))
		store_once(&oi->gone, true);
	mutex_unlock(&oi->lock);
	ovl_leave(mine);
	ovl_copy_attr(victim);
	changed(dir);
	return err;
}

static int ovl_dir_open(struct inode *i __unused, struct file *f)
{
	f->priv = NULL;
	return 0;
}

const struct inode_ops ovl_dir_ops = {
	.lookup = ovl_lookup,
	.create = ovl_create,
	.mkdir = ovl_mkdir,
	.mknod = ovl_mknod,
	.symlink = ovl_symlink,
	.link = ovl_link,
	.unlink = ovl_remove,
	.rmdir = ovl_remove,
	.rename = ovl_rename,
	.tmpfile = ovl_tmpfile,
	.open = ovl_dir_open,
	OVL_ATTR_OPS,
};
