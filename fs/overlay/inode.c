/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/inode.c - objects of the union: found again, made, freed.
 *
 * An object is known by what it was made from: the lower inode, if it is or was of one
 * alone, else the upper one.  A file with several names in a lower layer is an object
 * for each name, since copying one up takes it away from the others.
 *
 * Locking: ofs->lock for the table.  Objects are put without it.
 */
#include <fs/overlay/overlay.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/hash.h>

static struct kmem_cache *ovl_cache; /* [I] */

int ovl_inode_init(void)
{
	ovl_cache = kmem_cache_create("ovl_inode", sizeof(struct ovl_inode), 8);
	return ovl_cache ? 0 : -ENOMEM;
}

struct inode *ovl_alloc_inode(struct super_block *sb __unused)
{
	struct ovl_inode *oi = kmem_cache_zalloc(ovl_cache);

	if (!oi)
		return NULL;
	mutex_init(&oi->lock);
	list_init(&oi->node);
	return &oi->vfs;
}

void ovl_free_inode(struct inode *i)
{
	kmem_cache_free(ovl_cache, ovl_i(i));
}

void ovl_parts_put(struct ovl_parts *p)
{
	dentry_put(p->upper);
	for (u32 k = 0; k < p->nr_lower; k++)
		dentry_put(p->lower[k].d);
	kfree(p->lower);
	inode_put(p->origin);
	kfree(p->redirect);
}

void ovl_evict_inode(struct inode *i)
{
	struct ovl_fs *ofs = ovl_of(i);
	struct ovl_inode *oi = ovl_i(i);
	struct ovl_parts p = { .upper = oi->upper,
			       .lower = oi->lower,
			       .nr_lower = oi->nr_lower,
			       .origin = oi->origin,
			       .redirect = oi->redirect };

	spin_lock(&ofs->lock);
	list_del(&oi->node);
	spin_unlock(&ofs->lock);
	ovl_parts_put(&p);
}

void ovl_upper_path(const struct inode *i, struct path *out)
{
	out->mnt = ovl_upper_mnt(ovl_of(i));
	out->dentry = ovl_upper(i);
}

void ovl_real_path(const struct inode *i, struct path *out)
{
	const struct ovl_inode *oi = ovl_i(i);

	ovl_upper_path(i, out);
	if (out->dentry)
		return;
	out->mnt = oi->lower[0].layer->mnt;
	out->dentry = oi->lower[0].d;
}

static bool xino_fits(const struct ovl_fs *ofs, u64 real_ino)
{
	return ofs->xino_bits && !(real_ino >> (64 - ofs->xino_bits));
}

/* The number that the union shows for @real_ino of file system @fsys. */
u64 ovl_ino(const struct inode *i, u64 real_ino, u32 fsys)
{
	const struct ovl_fs *ofs = ovl_of(i);

	if (ofs->same_fs || !xino_fits(ofs, real_ino))
		return real_ino;
	return real_ino | (u64)fsys << (64 - ofs->xino_bits);
}

/* The root has the number of its upper directory, if there is one. */
static bool is_upper_root(const struct ovl_inode *oi)
{
	const struct mount *m = ovl_upper_mnt(ovl_of(&oi->vfs));

	return m && oi->upper == m->root;
}

/* Which object's number it has: what it was made from as long as that is known. */
static u64 first_ino(const struct ovl_inode *oi, u32 *fsys)
{
	const struct inode *origin = oi->origin;

	if (oi->nr_lower && !is_upper_root(oi)) {
		const struct inode *l = oi->lower[0].d->inode;

		/* not of one that several names shared */
		if (!ovl_upper(&oi->vfs) || S_ISDIR(l->mode) || l->nlink == 1) {
			*fsys = oi->lower[0].layer->fsys;
			return l->ino;
		}
	}
	if (origin && origin->nlink == 1) {
		*fsys = oi->origin_fsys;
		return origin->ino;
	}
	*fsys = 0;
	return ovl_upper(&oi->vfs)->inode->ino;
}

static void choose_ino(struct inode *i)
{
	struct ovl_fs *ofs = ovl_of(i);
	u32 fsys;
	u64 ino = first_ino(ovl_i(i), &fsys);

	if (S_ISDIR(i->mode) && !ofs->same_fs && !xino_fits(ofs, ino))
		i->ino = atomic_add_return(&ofs->next_ino, 1ul);
	else
		i->ino = ovl_ino(i, ino, fsys);
}

void ovl_fill_stat(struct inode *i, struct kstat *st)
{
	struct ovl_fs *ofs = ovl_of(i);
	struct path real;
	u32 fsys;
	u64 ino = first_ino(ovl_i(i), &fsys);

	ovl_real_path(i, &real);
	st->blksize = real.dentry->sb->block_size;
	if (S_ISREG(i->mode))
		st->dio_align = 0;
	if (S_ISDIR(i->mode) || ofs->same_fs || xino_fits(ofs, ino))
		return;
	st->dev = dev_encode(ofs->fsys[fsys].dev);
}

void ovl_copy_attr(struct inode *i)
{
	struct ovl_inode *oi = ovl_i(i);
	const struct inode *r;
	struct path real;

	ovl_real_path(i, &real);
	r = real.dentry->inode;
	i->mode = (i->mode & S_IFMT) | (r->mode & 07777);
	i->uid = r->uid;
	i->gid = r->gid;
	i->atime = r->atime;
	i->mtime = r->mtime;
	i->ctime = r->ctime;
	i->btime = r->btime;
	i->blocks = r->blocks;
	i->iflags = r->iflags;
	i->generation = r->generation;
	store_once(&i->i_size, load_once(&r->i_size));
	if (load_once(&oi->gone))
		i->nlink = 0;
	else if (S_ISDIR(i->mode))
		i->nlink = r->nlink && ovl_is_merged(i) ? 1 : r->nlink;
	else
		i->nlink = r->nlink;
}

static void set_ops(struct inode *i)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &ovl_file_inode_ops;
		i->fops = &ovl_file_ops;
		break;
	case S_IFDIR:
		i->ops = &ovl_dir_ops;
		i->fops = &ovl_dir_fops;
		break;
	case S_IFLNK:
		i->ops = &ovl_link_ops;
		break;
	default:
		i->ops = &ovl_special_ops;
		break;
	}
}

/* By what it is found again; NULL: it is not. */
static const void *key_of(const struct ovl_fs *ofs, const struct ovl_parts *p)
{
	const struct inode *l = p->nr_lower ? p->lower[0].d->inode : p->origin;

	if (l && (!ovl_upper_mnt(ofs) || S_ISDIR(l->mode) || l->nlink == 1))
		return l;
	return p->upper ? p->upper->inode : NULL;
}

static struct list_head *bucket(struct ovl_fs *ofs, const void *key)
{
	return &ofs->table[hash64((u64)(uintptr_t)key) % OVL_NR_BUCKETS];
}

/* Is it the same object still? */
static bool fits(const struct ovl_inode *oi, const struct ovl_parts *p)
{
	const struct dentry *upper = ovl_upper(&oi->vfs);

	if (p->upper && upper)
		return p->upper->inode == upper->inode;
	return S_ISDIR(oi->vfs.mode) || !p->upper == !upper;
}

static struct inode *find(struct ovl_fs *ofs, const struct ovl_parts *p,
			  const void *key)
{
	struct ovl_inode *oi;

	list_for_each_entry(oi, bucket(ofs, key), node)
		if (oi->key == key && fits(oi, p) && inode_try_get(&oi->vfs))
			return &oi->vfs;
	return NULL;
}

static void fill(struct inode *i, const struct ovl_parts *p)
{
	struct ovl_inode *oi = ovl_i(i);
	const struct inode *real =
		p->upper ? p->upper->inode : p->lower[0].d->inode;

	oi->upper = p->upper;
	oi->lower = p->lower;
	oi->nr_lower = p->nr_lower;
	oi->origin = p->origin;
	oi->origin_fsys = p->origin_fsys;
	oi->redirect = p->redirect;
	oi->opaque = p->opaque;
	i->mode = real->mode;
	i->rdev = real->rdev;
	set_ops(i);
	choose_ino(i);
	ovl_copy_attr(i);
}

struct inode *ovl_inode_get(struct super_block *sb, struct ovl_parts *p)
{
	struct ovl_fs *ofs = ovl_fs(sb);
	const void *key = key_of(ofs, p);
	struct inode *i, *old = NULL;

	i = inode_new(sb);
	if (!i) {
		ovl_parts_put(p);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock(&ofs->lock);
	if (key)
		old = find(ofs, p, key);
	if (!old) {
		fill(i, p);
		ovl_i(i)->key = key;
		if (key)
			list_add(&ovl_i(i)->node, bucket(ofs, key));
	}
	spin_unlock(&ofs->lock);
	if (!old)
		return i;
	ovl_parts_put(p);
	inode_put(i);
	return old;
}

void ovl_set_upper(struct inode *i, struct dentry *upper)
{
	struct ovl_fs *ofs = ovl_of(i);
	struct ovl_inode *oi = ovl_i(i);

	/* UPPER (release) - pairs with ovl_upper(). */
	store_release(&oi->upper, upper);
	ovl_copy_attr(i);
	spin_lock(&ofs->lock);
	if (!oi->key) { /* one of several names below: no more */
		oi->key = upper->inode;
		list_add(&oi->node, bucket(ofs, oi->key));
	}
	spin_unlock(&ofs->lock);
}
