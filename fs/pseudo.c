/* SPDX-License-Identifier: MIT */
/*
 * fs/pseudo.c - trees of generated text as a file system; see pseudo.h.
 */
#include <fs/pseudo.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct spinlock pseudo_lock = SPINLOCK_INIT("pseudo", RANK_VFS);
static u32 next_ino = 1; /* [a] */

static struct pnode *node_new(const char *name, u32 mode)
{
	struct pnode *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	n->name = name;
	n->mode = mode;
	n->ino = atomic_add_return(&next_ino, 1);
	list_init(&n->children);
	list_init(&n->sibling);
	return n;
}

static struct pnode *node_add(struct pnode *parent, struct pnode *n)
{
	if (!n || !parent)
		return NULL;
	n->parent = parent;
	n->setting = parent->setting;
	spin_lock(&pseudo_lock);
	list_add_tail(&n->sibling, &parent->children);
	spin_unlock(&pseudo_lock);
	return n;
}

struct pnode *pseudo_root_new(void)
{
	struct pnode *n = node_new("", S_IFDIR | 0555);

	if (n)
		n->parent = n;
	return n;
}

struct pnode *pseudo_dir(struct pnode *parent, const char *name)
{
	return node_add(parent, node_new(name, S_IFDIR | 0555));
}

struct pnode *pseudo_file(struct pnode *parent, const char *name, u32 perm,
			  pseudo_show_fn *show, pseudo_write_fn *write,
			  void *arg)
{
	struct pnode *n = node_new(name, S_IFREG | perm);

	if (!n)
		return NULL;
	n->show = show;
	n->write = write;
	n->arg = arg;
	return node_add(parent, n);
}

static int show_fixed(struct text *t, void *arg)
{
	text_puts(t, arg);
	return 0;
}

struct pnode *pseudo_link(struct pnode *parent, const char *name,
			  const char *target)
{
	struct pnode *n = node_new(name, S_IFLNK | 0777);

	if (!n)
		return NULL;
	n->show = show_fixed;
	n->arg = (void *)(uintptr_t)target;
	return node_add(parent, n);
}

static struct pnode *find(struct pnode *dir, const char *name, size_t len)
{
	struct pnode *n;

	spin_lock(&pseudo_lock);
	list_for_each_entry(n, &dir->children, sibling) {
		if (!strncmp(n->name, name, len) && !n->name[len]) {
			spin_unlock(&pseudo_lock);
			return n;
		}
	}
	spin_unlock(&pseudo_lock);
	return NULL;
}

struct pnode *pseudo_find(struct pnode *dir, const char *name)
{
	return find(dir, name, strlen(name));
}

static bool shows(const struct pnode *dir, const struct super_block *sb,
		  const struct pnode *n)
{
	return !dir->shows || dir->shows(sb, n);
}

static int dir_lookup(struct inode *dir, const char *name, size_t len,
		      struct inode **out)
{
	struct pnode *d = dir->priv, *n = find(d, name, len);

	*out = NULL;
	if (n && shows(d, dir->sb, n)) {
		*out = pseudo_inode(dir->sb, n);
		return *out ? 0 : -ENOMEM;
	}
	return d->lookup ? d->lookup(dir, name, len, out) : 0;
}

/* The @idx-th child, or NULL. */
static struct pnode *nth(struct pnode *dir, u64 idx)
{
	struct pnode *n, *found = NULL;

	spin_lock(&pseudo_lock);
	list_for_each_entry(n, &dir->children, sibling) {
		if (!idx--) {
			found = n;
			break;
		}
	}
	spin_unlock(&pseudo_lock);
	return found;
}

/* Generated names come behind this offset. */
#define GENERATED_FIRST 65536u

static int dir_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct pnode *d = f->inode->priv, *n;

	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos < GENERATED_FIRST && (n = nth(d, ctx->pos - 2))) {
		if (shows(d, f->inode->sb, n) &&
		    !ctx->emit(ctx, n->name, strlen(n->name), n->ino,
			       mode_to_dt(n->mode), ctx->pos + 1))
			return 0;
		ctx->pos++;
	}
	if (!d->readdir)
		return 0;
	if (ctx->pos < GENERATED_FIRST)
		ctx->pos = GENERATED_FIRST;
	return d->readdir(f, ctx, GENERATED_FIRST);
}

/* Root may open what is only to be read for writing. */
static s64 no_write(void *arg __unused, char *buf __unused, size_t n __unused)
{
	return -EIO;
}

bool mode_opens(u32 mode, const struct file *f)
{
	return (!f->can_read || (mode & 0444)) &&
	       (!f->can_write || (mode & 0222));
}

static int file_open(struct inode *inode, struct file *f)
{
	struct pnode *n = inode->priv;
	int err;

	if (n->setting && !mode_opens(n->mode | (n->write ? 0200 : 0), f))
		return -EACCES;
	if (n->open)
		return n->open(inode, f);
	err = text_open(f, n->show, n->write ? n->write : no_write, n->arg,
			NULL);
	if (!err && n->setting)
		text_sized(f, false);
	if (!err)
		text_ready(f, false);
	return err;
}

static s64 link_read(struct inode *inode, char *buf, size_t size)
{
	struct pnode *n = inode->priv;
	struct text t = { .sb = inode->sb };
	s64 r = n->show(&t, n->arg);

	if (!r && t.failed)
		r = -ENOMEM;
	if (!r && t.len >= size)
		r = -ENAMETOOLONG;
	if (!r) {
		memcpy(buf, t.buf, t.len);
		buf[t.len] = '\0';
		r = (s64)t.len;
	}
	text_free(&t);
	return r;
}

const struct inode_ops pseudo_dir_iops = {
	.lookup = dir_lookup,
	.no_dcache = true,
};
const struct file_ops pseudo_dir_fops = {
	.readdir = dir_readdir,
	.llseek = generic_file_llseek,
};
static const struct inode_ops file_iops = { .open = file_open };
static const struct inode_ops link_iops = { .readlink = link_read };
static const struct file_ops no_fops;

struct inode *pseudo_inode(struct super_block *sb, struct pnode *n)
{
	struct inode *i = inode_new(sb);

	if (!i)
		return NULL;
	i->ino = n->ino;
	i->mode = n->mode;
	i->priv = n;
	i->fops = &no_fops;
	if (S_ISDIR(n->mode)) {
		i->ops = &pseudo_dir_iops;
		i->fops = &pseudo_dir_fops;
		i->nlink = 2;
	} else if (S_ISLNK(n->mode)) {
		i->ops = &link_iops;
	} else {
		i->ops = &file_iops;
	}
	return i;
}
