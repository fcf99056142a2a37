/* SPDX-License-Identifier: MIT */
/*
 * fs/handle.c - files by number: what name_to_handle_at(2) gives out and
 * open_by_handle_at(2) takes.
 *
 * A handle is (inode number, generation), or the number alone in control groups, in
 * a file system that can find an inode by its number (super_ops.fh_to_inode).  A file whose name is not cached
 * is opened under a dead one; a directory must be in its place in the tree,
 * because it has children: its name is looked for, from the nearest ancestor
 * that has one downwards.
 *
 * Context: a coroutine, no locks held.
 */
#include <fs/internal.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_DEPTH 4096u

void inode_handle(const struct inode *i, struct fhandle *h)
{
	if (i->sb->ops->fh_id64) {
		*h = (struct fhandle){ 8,
				       FILEID_KERNFS,
				       { (u32)i->ino, (u32)(i->ino >> 32) } };
		return;
	}
	if (i->sb->ops->fh_to_inode) {
		*h = (struct fhandle){ 8,
				       FILEID_INO32_GEN,
				       { (u32)i->ino, i->generation } };
		return;
	}
	*h = (struct fhandle){ 12,
			       FILEID_INO64_GEN,
			       { (u32)i->ino, (u32)(i->ino >> 32),
				 i->generation } };
}

/* A name that @i has in the tree, referenced, or NULL. */
static struct dentry *alias_of(struct inode *i)
{
	struct dentry *d, *found = NULL;

	spin_lock(&dcache_lock);
	list_for_each_entry(d, &i->dentries, alias) {
		if (d_dead(d))
			continue;
		found = dentry_get(d);
		break;
	}
	spin_unlock(&dcache_lock);
	return found;
}

/* A file under a name that nobody finds. */
static struct dentry *nameless(struct inode *i)
{
	struct dentry *d = d_alloc(i->sb->root, "#", 1, name_hash("#", 1));

	if (!d)
		return ERR_PTR(-ENOMEM);
	spin_lock(&dcache_lock);
	d_add(d, inode_get(i), false);
	spin_unlock(&dcache_lock);
	return d;
}

struct seeker {
	struct dir_ctx ctx;
	u64 ino;
	char name[NAME_MAX + 1];
	u32 len; /* 0: not found yet */
};

static bool seek_one(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
		     unsigned int dtype __unused, u64 next __unused)
{
	struct seeker *s = container_of(ctx, struct seeker, ctx);

	if (ino != s->ino || len > NAME_MAX || (len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.'))
		return true;
	memcpy(s->name, name, len);
	s->len = (u32)len;
	return false;
}

static int seek_name(const struct path *dir, struct seeker *s)
{
	struct inode *i = dir->dentry->inode;
	struct file *f = vfs_open_path(dir, O_RDONLY | O_DIRECTORY, NULL);
	u64 before;
	int err = 0;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	if (!f->ops->readdir)
		err = -ESTALE;
	while (!err && !s->len) {
		before = s->ctx.pos;
		down_read(&i->lock);
		err = i->nlink ? f->ops->readdir(f, &s->ctx) : -ESTALE;
		up_read(&i->lock);
		if (s->ctx.pos == before && !s->len)
			err = -ESTALE;
	}
	file_put(f);
	return err;
}

/* The directory @child below @parent, which has a name.  Takes @parent. */
static int connect_child(struct mount *mnt, struct dentry *parent,
			 struct inode *child)
{
	struct seeker s = { .ctx = { .emit = seek_one }, .ino = child->ino };
	struct path p = { mnt, parent };
	struct dentry *d;
	int err = seek_name(&p, &s);

	if (!err) {
		d = lookup_child(parent, s.name, s.len,
				 name_hash(s.name, s.len));
		err = IS_ERR(d) ? (int)PTR_ERR(d) : 0;
		if (!err && d->inode != child)
			err = -ESTALE;
		if (!IS_ERR(d))
			dentry_put(d);
	}
	dentry_put(parent);
	return err;
}

/* One step: the highest ancestor of @dir without a name gets one. */
static int connect_one(struct mount *mnt, struct inode *dir)
{
	struct inode *child = inode_get(dir), *up;
	struct dentry *parent = NULL;
	u32 depth;
	int err = 0;

	for (depth = 0; !err && depth < MAX_DEPTH; depth++) {
		down_read(&child->lock);
		err = child->ops->lookup(child, "..", 2, &up);
		up_read(&child->lock);
		if (err || !up)
			break;
		parent = alias_of(up);
		if (parent) {
			err = connect_child(mnt, parent, child);
			inode_put(up);
			break;
		}
		inode_put(child);
		child = up;
	}
	inode_put(child);
	return parent ? err : -ESTALE;
}

static struct dentry *connect_dir(struct mount *mnt, struct inode *dir)
{
	struct dentry *d;
	u32 steps = 0;
	int err = 0;

	if (dir == dir->sb->root->inode)
		return dentry_get(dir->sb->root);
	while (!(d = alias_of(dir)) && !err) {
		err = -ESTALE;
		if (dir->sb->ops->has_dotdot && steps++ < MAX_DEPTH)
			err = connect_one(mnt, dir);
	}
	return d ? d : ERR_PTR(err);
}

int vfs_handle_open(struct mount *mnt, u64 ino, u32 gen, struct path *out)
{
	struct super_block *sb = mnt->sb;
	struct dentry *d;
	struct inode *i;

	if (!sb->ops->fh_to_inode)
		return -ESTALE;
	i = sb->ops->fh_to_inode(sb, ino, gen);
	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	if (S_ISDIR(i->mode)) {
		d = connect_dir(mnt, i);
	} else {
		d = alias_of(i);
		if (!d)
			d = nameless(i);
	}
	inode_put(i);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	*out = (struct path){ mount_get(mnt), d };
	return 0;
}
