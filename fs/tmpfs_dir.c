/* SPDX-License-Identifier: MIT */
/*
 * fs/tmpfs_dir.c - directories and symbolic links of tmpfs.
 *
 * INVARIANTS
 *   T1  An entry is in both trees of its directory, and holds a reference on
 *       its inode.
 *   T2  Cookies grow for ever; the next reader offset is the cookie of the
 *       entry it has not yet seen.  One that came after the reader began is not
 *       for him: who renames what he reads would never end.
 *
 * Locking: the directory's inode lock, as fs/vfs.h says at each operation.
 */
#include <fs/tmpfs.h>
#include <fs/xattr_mem.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>

static int compare(const struct tmpfs_entry *e, u32 hash, const char *name,
		   size_t len)
{
	if (e->hash != hash)
		return e->hash < hash ? -1 : 1;
	if (e->len != len)
		return e->len < len ? -1 : 1;
	return memcmp(e->name, name, len);
}

static struct tmpfs_entry *find(const struct inode *dir, const char *name,
				size_t len)
{
	struct rb_node *n = tmpfs_i(dir)->by_name.node;
	u32 hash = (u32)hash_mem(name, len);

	while (n) {
		struct tmpfs_entry *e =
			rb_entry(n, struct tmpfs_entry, name_node);
		int c = compare(e, hash, name, len);

		if (!c)
			return e;
		n = c < 0 ? n->right : n->left;
	}
	return NULL;
}

static void link_by_name(struct tmpfs_inode *ti, struct tmpfs_entry *e)
{
	struct rb_node **link = &ti->by_name.node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (compare(rb_entry(parent, struct tmpfs_entry, name_node),
			    e->hash, e->name, e->len) < 0)
			link = &parent->right;
		else
			link = &parent->left;
	}
	rb_link_node(&e->name_node, parent, link);
	rb_insert_color(&e->name_node, &ti->by_name);
}

/* The newest cookie is the largest. */
static void link_by_cookie(struct tmpfs_inode *ti, struct tmpfs_entry *e)
{
	struct rb_node **link = &ti->by_cookie.node, *parent = NULL;

	e->cookie = ti->next_cookie++;
	while (*link) {
		parent = *link;
		link = &parent->right;
	}
	rb_link_node(&e->cookie_node, parent, link);
	rb_insert_color(&e->cookie_node, &ti->by_cookie);
}

static struct tmpfs_entry *entry_alloc(const char *name, size_t len)
{
	struct tmpfs_entry *e = kmalloc(sizeof(*e) + len + 1);

	if (!e)
		return NULL;
	memcpy(e->name, name, len);
	e->name[len] = '\0';
	e->len = (u32)len;
	e->hash = (u32)hash_mem(name, len);
	e->inode = NULL;
	return e;
}

static void count_entries(struct inode *dir, int step)
{
	struct tmpfs_inode *ti = tmpfs_i(dir);

	ti->nr_entries += (u32)step;
	dir->i_size =
		(2 + ti->nr_entries) * DIRENT_BYTES; /* "." and ".." too */
	inode_touch(dir, true, true);
}

/* Takes the reference on @inode. */
static void entry_add(struct inode *dir, struct tmpfs_entry *e,
		      struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_i(dir);

	e->inode = inode;
	link_by_name(ti, e);
	link_by_cookie(ti, e);
	count_entries(dir, 1);
	if (S_ISDIR(inode->mode))
		dir->nlink++;
}

/* Gives the reference on the inode back to the caller. */
static struct inode *entry_del(struct inode *dir, struct tmpfs_entry *e)
{
	struct tmpfs_inode *ti = tmpfs_i(dir);
	struct inode *inode = e->inode;

	rb_erase(&e->name_node, &ti->by_name);
	rb_erase(&e->cookie_node, &ti->by_cookie);
	count_entries(dir, -1);
	if (S_ISDIR(inode->mode))
		dir->nlink--;
	kfree(e);
	return inode;
}

static int tmpfs_lookup(struct inode *dir, const char *name, size_t len,
			struct inode **out)
{
	struct tmpfs_entry *e = find(dir, name, len);

	*out = e ? inode_get(e->inode) : NULL;
	return 0;
}

static int make(struct inode *dir, const char *name, size_t len, u32 mode,
		kdev_t rdev, struct inode **out)
{
	struct tmpfs_entry *e = entry_alloc(name, len);
	struct inode *i;

	if (!e)
		return -ENOMEM;
	i = tmpfs_make_inode(dir->sb, dir, mode, rdev);
	if (IS_ERR(i)) {
		kfree(e);
		return (int)PTR_ERR(i);
	}
	entry_add(dir, e, i);
	*out = inode_get(i);
	return 0;
}

static int tmpfs_create(struct inode *dir, const char *name, size_t len,
			u32 mode, struct inode **out)
{
	return make(dir, name, len, S_IFREG | (mode & 07777), 0, out);
}

static int tmpfs_mkdir(struct inode *dir, const char *name, size_t len,
		       u32 mode, struct inode **out)
{
	return make(dir, name, len, S_IFDIR | (mode & 07777), 0, out);
}

static int tmpfs_mknod(struct inode *dir, const char *name, size_t len,
		       u32 mode, kdev_t rdev, struct inode **out)
{
	return make(dir, name, len, mode, rdev, out);
}

static int tmpfs_symlink(struct inode *dir, const char *name, size_t len,
			 const char *target, struct inode **out)
{
	u64 pages = tmpfs_link_pages(strlen(target));
	char *copy = kstrdup(target);
	int err = copy ? 0 : -ENOMEM;

	if (!err)
		err = tmpfs_charge(dir->sb, pages);
	if (err)
		goto fail;
	err = make(dir, name, len, S_IFLNK | 0777, 0, out);
	if (err)
		goto fail_charge;
	(*out)->link = copy;
	(*out)->i_size = strlen(copy);
	return 0;
fail_charge:
	tmpfs_uncharge(dir->sb, pages);
fail:
	kfree(copy);
	return err;
}

static int tmpfs_link(struct inode *dir, const char *name, size_t len,
		      struct inode *target)
{
	struct tmpfs_entry *e = entry_alloc(name, len);

	if (!e)
		return -ENOMEM;
	target->nlink++;
	inode_touch(target, false, true);
	entry_add(dir, e, inode_get(target));
	return 0;
}

/* A name of @i is gone; the VFS still has a reference. */
static void name_gone(struct inode *i)
{
	if (S_ISDIR(i->mode))
		i->nlink = 0;
	else
		i->nlink--;
	inode_touch(i, false, true);
	inode_put(i);
}

static int tmpfs_unlink(struct inode *dir, const char *name, size_t len,
			struct inode *victim __unused)
{
	struct tmpfs_entry *e = find(dir, name, len);

	if (!e)
		return -ENOENT;
	name_gone(entry_del(dir, e));
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, const char *name, size_t len,
		       struct inode *victim)
{
	if (tmpfs_i(victim)->nr_entries)
		return -ENOTEMPTY;
	return tmpfs_unlink(dir, name, len, victim);
}

static int exchange(struct inode *old_dir, struct tmpfs_entry *a,
		    struct inode *new_dir, struct tmpfs_entry *b)
{
	struct inode *i = a->inode;

	if (S_ISDIR(a->inode->mode) != S_ISDIR(b->inode->mode)) {
		int d = S_ISDIR(a->inode->mode) ? 1 : -1;

		old_dir->nlink -= (u32)d;
		new_dir->nlink += (u32)d;
	}
	a->inode = b->inode;
	b->inode = i;
	inode_touch(a->inode, false, true);
	inode_touch(b->inode, false, true);
	inode_touch(old_dir, true, true);
	inode_touch(new_dir, true, true);
	return 0;
}

static int tmpfs_rename(struct inode *old_dir, const char *old_name,
			size_t old_len, struct inode *inode,
			struct inode *new_dir, const char *new_name,
			size_t new_len, struct inode *victim, u32 flags)
{
	struct tmpfs_entry *from = find(old_dir, old_name, old_len);
	struct tmpfs_entry *to = find(new_dir, new_name, new_len);
	struct tmpfs_entry *e, *left = NULL;
	struct inode *white = NULL;

	if (!from || (!to) != (!victim))
		return -ENOENT;
	if (flags & RENAME_EXCHANGE)
		return exchange(old_dir, from, new_dir, to);
	if (victim && S_ISDIR(victim->mode) && tmpfs_i(victim)->nr_entries)
		return -ENOTEMPTY;
	e = entry_alloc(new_name, new_len);
	if (e && (flags & RENAME_WHITEOUT)) {
		left = entry_alloc(old_name, old_len);
		white = tmpfs_make_inode(old_dir->sb, old_dir, S_IFCHR, 0);
	}
	if (!e || ((flags & RENAME_WHITEOUT) && (!left || IS_ERR(white)))) {
		kfree(e);
		kfree(left);
		if (white && !IS_ERR(white)) {
			white->nlink = 0;
			inode_put(white);
		}
		return -ENOMEM;
	}
	if (to)
		name_gone(entry_del(new_dir, to));
	entry_add(new_dir, e, entry_del(old_dir, from));
	if (left)
		entry_add(old_dir, left, white);
	inode_touch(inode, false, true);
	return 0;
}

static int tmpfs_tmpfile(struct inode *dir, u32 mode, struct inode **out)
{
	struct inode *i =
		tmpfs_make_inode(dir->sb, dir, S_IFREG | (mode & 07777), 0);

	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	i->nlink = 0;
	*out = i;
	return 0;
}

static s64 tmpfs_readlink(struct inode *i, char *buf, size_t size)
{
	return strscpy(buf, i->link, size);
}

/* First entry whose cookie is not below @cookie. */
static struct tmpfs_entry *entry_from(struct tmpfs_inode *ti, u64 cookie)
{
	struct rb_node *n = ti->by_cookie.node;
	struct tmpfs_entry *best = NULL, *e;

	while (n) {
		e = rb_entry(n, struct tmpfs_entry, cookie_node);
		if (e->cookie >= cookie) {
			best = e;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

static int tmpfs_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct tmpfs_inode *ti = tmpfs_i(f->inode);
	struct tmpfs_entry *e;
	struct rb_node *n;
	u64 end;

	if (!ctx->pos || !f->priv)
		f->priv = (void *)(uintptr_t)ti->next_cookie;
	end = (uintptr_t)f->priv; /* T2 */
	if (!dir_emit_dots(f, ctx))
		return 0;
	for (e = entry_from(ti, ctx->pos); e && e->cookie < end;) {
		if (!ctx->emit(ctx, e->name, e->len, e->inode->ino,
			       mode_to_dt(e->inode->mode), e->cookie + 1))
			return 0;
		ctx->pos = e->cookie + 1;
		n = rb_next(&e->cookie_node);
		e = n ? rb_entry(n, struct tmpfs_entry, cookie_node) : NULL;
	}
	return 0;
}

/* Cut every name off its inode, and only then let the inodes go: an eviction
 * must not lead to the next one. */
void tmpfs_drop_names(struct super_block *sb)
{
	struct tmpfs_entry *e, *first = NULL;
	struct inode *i;
	struct rb_node *n;

	list_for_each_entry(i, &sb->inodes, sb_node) { /* nobody else is left */
		while ((n = rb_first(&tmpfs_i(i)->by_cookie)) != NULL) {
			e = rb_entry(n, struct tmpfs_entry, cookie_node);
			rb_erase(&e->name_node, &tmpfs_i(i)->by_name);
			rb_erase(&e->cookie_node, &tmpfs_i(i)->by_cookie);
			e->cookie = (u64)(uintptr_t)first;
			first = e;
		}
	}
	while (first) {
		e = first;
		first = (struct tmpfs_entry *)(uintptr_t)e->cookie;
		inode_put(e->inode);
		kfree(e);
	}
}

s64 tmpfs_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	return xattr_mem_get(&tmpfs_i(i)->xattrs, name, buf, n);
}

int tmpfs_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		   int flags)
{
	struct tmpfs_inode *ti = tmpfs_i(i);

	return xattr_mem_set(&ti->xattrs, &ti->xattr_bytes, name, buf, n,
			     flags);
}

int tmpfs_removexattr(struct inode *i, const char *name)
{
	struct tmpfs_inode *ti = tmpfs_i(i);

	return xattr_mem_remove(&ti->xattrs, &ti->xattr_bytes, name);
}

s64 tmpfs_listxattr(struct inode *i, char *buf, size_t n)
{
	return xattr_mem_list(&tmpfs_i(i)->xattrs, buf, n);
}

const struct inode_ops tmpfs_dir_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.mkdir = tmpfs_mkdir,
	.mknod = tmpfs_mknod,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	TMPFS_XATTR_OPS,
};

const struct inode_ops tmpfs_link_ops = {
	.readlink = tmpfs_readlink,
	TMPFS_XATTR_OPS,
};

const struct inode_ops tmpfs_special_ops = { TMPFS_XATTR_OPS };

/* There is no end to count from. */
static s64 tmpfs_dir_llseek(struct file *f, s64 off, int whence)
{
	return whence == SEEK_SET || whence == SEEK_CUR
		       ? generic_file_llseek(f, off, whence)
		       : -EINVAL;
}

const struct file_ops tmpfs_dir_fops = {
	.readdir = tmpfs_readdir,
	.llseek = tmpfs_dir_llseek,
	.fsync = tmpfs_noop_fsync,
	.ioctl = tmpfs_ioctl,
};
