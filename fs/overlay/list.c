/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/list.c - what is in a directory of the union.
 *
 * An open directory has a list of the names, whiteouts among them, made when it is
 * first read and when it is read from the beginning again; an offset is a place in
 * that list, so it stays good.
 *
 * Locking: the directory's inode->lock.
 */
#include <fs/overlay/overlay.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/rbtree.h>
#include <lib/string.h>

#define FIRST_POS 2u /* behind "." and ".." */

struct ovl_name {
	struct rb_node node;
	struct ovl_name *next; /* in the order of the layers */
	u64 ino;
	struct ovl_layer *layer;
	u32 hash, len;
	u8 type;
	bool white;
	char name[];
};

struct ovl_list {
	u64 version;
	struct rb_root tree;
	struct ovl_name *first, **end;
	u32 nr;
	struct ovl_name *at; /* where the last reader stopped, */
	u64 at_pos;	     /* which is that offset */
};

struct gather {
	struct dir_ctx ctx;
	struct ovl_list *list;
	struct ovl_layer *layer;
	int err;
};

static int compare(const struct ovl_name *e, u32 hash, const char *name,
		   size_t len)
{
	if (e->hash != hash)
		return e->hash < hash ? -1 : 1;
	if (e->len != len)
		return e->len < len ? -1 : 1;
	return memcmp(e->name, name, len);
}

/* False: it is there already; or *@out is a place for it. */
static bool find_place(struct ovl_list *l, u32 hash, const char *name,
		       size_t len, struct rb_node ***link,
		       struct rb_node **parent)
{
	struct rb_node **at = &l->tree.node;
	int c;

	*parent = NULL;
	while (*at) {
		*parent = *at;
		c = compare(rb_entry(*at, struct ovl_name, node), hash, name,
			    len);
		if (!c)
			return false;
		at = c < 0 ? &(*at)->right : &(*at)->left;
	}
	*link = at;
	return true;
}

static bool gather_one(struct dir_ctx *ctx, const char *name, size_t len,
		       u64 ino, unsigned int dtype, u64 next __unused)
{
	struct gather *g = container_of(ctx, struct gather, ctx);
	u32 hash = (u32)hash_mem(name, len);
	struct rb_node **link, *parent;
	struct ovl_name *e;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	if (!find_place(g->list, hash, name, len, &link, &parent))
		return true;
	e = kmalloc(sizeof(*e) + len + 1);
	if (!e) {
		g->err = -ENOMEM;
		return false;
	}
	memcpy(e->name, name, len);
	e->name[len] = '\0';
	e->len = (u32)len;
	e->hash = hash;
	e->ino = ino;
	e->type = (u8)dtype;
	e->layer = g->layer;
	e->next = NULL;
	/* perhaps: look_at_doubtful() */
	e->white = dtype == DT_CHR || (g->layer->xwhiteouts && dtype == DT_REG);
	rb_link_node(&e->node, parent, link);
	rb_insert_color(&e->node, &g->list->tree);
	*g->list->end = e;
	g->list->end = &e->next;
	g->list->nr++;
	return true;
}

static void list_free(struct ovl_list *l)
{
	struct ovl_name *e, *next;

	for (e = l ? l->first : NULL; e; e = next) {
		next = e->next;
		kfree(e);
	}
	kfree(l);
}

/* Which of the new names, from @e on, are whiteouts indeed? */
static int look_at_doubtful(struct ovl_fs *ofs, const struct path *dir,
			    struct ovl_name *e)
{
	struct dentry *d;

	for (; e; e = e->next) {
		if (!e->white)
			continue;
		d = under_lookup(dir, e->name, e->len);
		if (IS_ERR(d))
			return (int)PTR_ERR(d);
		e->white =
			!d->inode || ovl_is_whiteout(ofs, e->layer, d->inode);
		dentry_put(d);
		cond_resched();
	}
	return 0;
}

static int gather_layer(struct ovl_fs *ofs, struct ovl_list *l,
			struct ovl_layer *layer, struct dentry *dir)
{
	struct gather g = { .ctx = { .emit = gather_one },
			    .list = l,
			    .layer = layer };
	struct ovl_name **mark = l->end;
	struct path p = { layer->mnt, dir };
	int err = under_each(&p, &g.ctx);

	if (!err)
		err = g.err;
	return err ? err : look_at_doubtful(ofs, &p, *mark);
}

/* The names in @dir; ERR_PTR. */
static struct ovl_list *list_make(struct inode *dir)
{
	struct ovl_inode *oi = ovl_i(dir);
	struct ovl_fs *ofs = ovl_of(dir);
	struct ovl_list *l = kzalloc(sizeof(*l));
	struct dentry *upper = ovl_upper(dir);
	int err = 0;

	if (!l)
		return ERR_PTR(-ENOMEM);
	l->tree = RB_ROOT;
	l->end = &l->first;
	l->version = oi->version;
	if (upper)
		err = gather_layer(ofs, l, ofs->layer, upper);
	for (u32 k = 0; !err && k < oi->nr_lower; k++)
		err = gather_layer(ofs, l, oi->lower[k].layer, oi->lower[k].d);
	if (err) {
		list_free(l);
		return ERR_PTR(err);
	}
	return l;
}

int ovl_check_empty(struct inode *dir)
{
	struct ovl_list *l = list_make(dir);
	const struct ovl_name *e;
	int err = 0;

	if (IS_ERR(l))
		return (int)PTR_ERR(l);
	for (e = l->first; e && !err; e = e->next)
		err = e->white ? 0 : -ENOTEMPTY;
	list_free(l);
	return err;
}

/* Whiteouts in the upper directory of @dir, which shows nothing, go. */
static int clear(struct ovl_fs *ofs, struct inode *dir)
{
	struct ovl_list *l = list_make(dir);
	const struct ovl_name *e;
	struct path upper;
	int err = 0;

	if (IS_ERR(l))
		return (int)PTR_ERR(l);
	ovl_upper_path(dir, &upper);
	for (e = l->first; e && !err; e = e->next)
		if (e->white && e->layer == ofs->layer)
			err = under_remove(&upper, e->name, e->len, false);
	list_free(l);
	return err;
}

int ovl_make_empty(struct ovl_fs *ofs, struct inode *dir)
{
	int err = ovl_check_empty(dir);

	if (err || !ovl_upper(dir))
		return err;
	if (ovl_i(dir)->nr_lower)
		err = ovl_set_opaque(ofs, dir);
	return err ? err : clear(ofs, dir);
}

/* --- read */

/* The list of @f, made anew when it begins anew and something has changed. */
static struct ovl_list *list_of(struct file *f, u64 pos)
{
	struct ovl_list *l = f->priv;
	struct cred *mine;

	if (l && (pos > FIRST_POS || l->version == ovl_i(f->inode)->version))
		return l;
	mine = ovl_enter(ovl_of(f->inode));
	l = list_make(f->inode);
	ovl_leave(mine);
	if (IS_ERR(l))
		return l;
	list_free(f->priv);
	f->priv = l;
	return l;
}

static struct ovl_name *name_at(struct ovl_list *l, u64 pos)
{
	struct ovl_name *e = l->first;
	u64 at = FIRST_POS;

	if (l->at && pos >= l->at_pos) {
		e = l->at;
		at = l->at_pos;
	}
	for (; e && at < pos; at++)
		e = e->next;
	return e;
}

/* What stat(2) would say: copies have their originals' numbers. */
static u64 shown_ino(struct file *f, const struct ovl_name *e)
{
	struct ovl_fs *ofs = ovl_of(f->inode);
	struct dentry *d;
	u64 ino = e->ino;

	if ((!ofs->same_fs && !ofs->xino_bits) ||
	    (!load_once(&ovl_i(f->inode)->impure) && !ovl_is_merged(f->inode)))
		return ovl_ino(f->inode, ino, e->layer->fsys);
	d = lookup_locked(f->dentry, e->name, e->len,
			  name_hash(e->name, e->len));
	if (IS_ERR(d))
		return ino;
	if (d->inode)
		ino = d->inode->ino;
	dentry_put(d);
	return ino;
}

static int ovl_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct ovl_list *l = list_of(f, ctx->pos);
	struct ovl_name *e;

	if (IS_ERR(l))
		return (int)PTR_ERR(l);
	if (!dir_emit_dots(f, ctx))
		return 0;
	e = name_at(l, ctx->pos);
	for (; e; e = e->next, ctx->pos++) {
		l->at = e;
		l->at_pos = ctx->pos;
		if (e->white)
			continue;
		if (!ctx->emit(ctx, e->name, e->len, shown_ino(f, e), e->type,
			       ctx->pos + 1))
			return 0;
		cond_resched();
	}
	return 0;
}

static s64 ovl_dir_llseek(struct file *f, s64 off, int whence)
{
	return whence == SEEK_SET || whence == SEEK_CUR
		       ? generic_file_llseek(f, off, whence)
		       : -EINVAL;
}

static int ovl_dir_fsync(struct file *f, bool datasync)
{
	struct ovl_fs *ofs = ovl_of(f->inode);
	struct cred *mine;
	struct path upper;
	struct file *real;
	int err;

	ovl_upper_path(f->inode, &upper);
	if (!upper.dentry || ofs->config.volatile_)
		return 0;
	mine = ovl_enter(ofs);
	real = vfs_open_unwatched(&upper, O_RDONLY | O_DIRECTORY);
	err = IS_ERR(real) ? (int)PTR_ERR(real) : vfs_fsync(real, datasync);
	if (!IS_ERR(real))
		file_put(real);
	ovl_leave(mine);
	return err;
}

static void ovl_dir_release(struct file *f)
{
	list_free(f->priv);
}

const struct file_ops ovl_dir_fops = {
	.readdir = ovl_readdir,
	.llseek = ovl_dir_llseek,
	.fsync = ovl_dir_fsync,
	.ioctl = ovl_dir_ioctl,
	.release = ovl_dir_release,
};
