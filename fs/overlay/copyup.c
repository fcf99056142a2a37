/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/copyup.c - an object of a lower layer becomes one of the upper layer.
 *
 * The copy is made in the work directory, whole, and renamed to its place; see
 * overlay.h.  Its parents come first, from the top.
 *
 * Locking: ovl_inode->lock of the one that is copied.
 */
#include <fs/overlay/overlay.h>

#include <fs/acl.h>
#include <fs/internal.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/errno.h>
#include <lib/string.h>

#define CHUNK	       (64u * 1024)
#define XATTR_LIST_MAX 65536u

struct copy {
	struct ovl_fs *ofs;
	struct inode *i,
		*dir; /* the object, and where it is: that has an upper */
	struct dentry *name;  /* its name there */
	struct path from, to; /* to: referenced dentry */
	char temp[OVL_NAME_LEN];
	bool origin;
};

/* --- data */

static s64 move_chunk(struct file *in, struct file *out, char *buf, u64 pos,
		      u64 len)
{
	s64 n = vfs_read_kernel(in, buf, (size_t)min(len, (u64)CHUNK), pos);
	struct iov_iter it;
	s64 done = 0, w;
	u64 at = pos;

	while (done < n) {
		iov_iter_kernel(&it, buf + done, (size_t)(n - done));
		w = out->ops->write(out, &it, &at);
		if (w <= 0)
			return w ? w : -EIO;
		done += w;
	}
	return n;
}

/* Bytes [pos, end), which are data. */
static int move_data(struct file *in, struct file *out, char *buf, u64 pos,
		     u64 end)
{
	while (pos < end) {
		s64 n = move_chunk(in, out, buf, pos, end - pos);

		if (n < 0)
			return (int)n;
		if (!n)
			break; /* it became shorter */
		pos += (u64)n;
		cond_resched();
	}
	return 0;
}

/* Holes stay holes where they are known. */
static int move_all(struct file *in, struct file *out, char *buf, u64 size)
{
	u64 pos = 0;
	int err = 0;

	while (!err && pos < size) {
		s64 data = in->ops->llseek(in, (s64)pos, SEEK_DATA), hole;

		if (data == -ENXIO)
			break;
		hole = data < 0 ? data : in->ops->llseek(in, data, SEEK_HOLE);
		if (hole < 0)
			return move_data(in, out, buf, pos, size);
		err = move_data(in, out, buf, (u64)data, min((u64)hole, size));
		pos = (u64)hole;
	}
	return err;
}

static int copy_data(struct copy *c)
{
	u64 size = load_once(&c->from.dentry->inode->i_size);
	struct iattr a = { .valid = ATTR_SIZE, .size = size };
	char *buf = alloc_pages_exact(CHUNK, 0);
	struct file *in, *out;
	int err = buf ? path_permission(&c->from, MAY_READ) : -ENOMEM;

	if (err)
		goto out_buf;
	in = vfs_open_unwatched(&c->from, O_RDONLY | O_NOATIME);
	if (IS_ERR(in)) {
		err = (int)PTR_ERR(in);
		goto out_buf;
	}
	out = vfs_open_unwatched(&c->to, O_WRONLY);
	err = IS_ERR(out) ? (int)PTR_ERR(out) : 0;
	if (!err) {
		err = move_all(in, out, buf, size);
		if (!err && c->to.dentry->inode->i_size != size)
			err = vfs_setattr(&c->to, &a);
		if (!err && !c->ofs->config.volatile_)
			err = vfs_fsync(out, false);
		file_put(out);
	}
	file_put(in);
out_buf:
	if (buf)
		free_pages_exact(buf, CHUNK);
	return err;
}

/* --- attributes */

static bool must_have(const char *name)
{
	return acl_is_name(name) || str_has_prefix(name, "security.");
}

static int copy_xattr(struct copy *c, const char *name)
{
	struct inode *from = c->from.dentry->inode;
	s64 n = under_getxattr(from, name, NULL, 0);
	char *buf;
	int err;

	if (n < 0)
		return n == -ENODATA ? 0 : (int)n;
	buf = kmalloc((size_t)n + 1);
	if (!buf)
		return -ENOMEM;
	n = under_getxattr(from, name, buf, (size_t)n);
	err = n < 0 ? (int)n : under_setxattr(&c->to, name, buf, (size_t)n, 0);
	kfree(buf);
	return err == -EOPNOTSUPP && !must_have(name) ? 0 : err;
}

static int copy_xattrs(struct copy *c)
{
	char *list = kzalloc(XATTR_LIST_MAX), *at;
	int err = 0;
	s64 n;

	if (!list)
		return -ENOMEM;
	n = under_listxattr(c->from.dentry->inode, list, XATTR_LIST_MAX);
	if (n < 0)
		err = n == -EOPNOTSUPP ? 0 : (int)n;
	for (at = list; !err && at < list + n; at += strlen(at) + 1)
		if (!ovl_xattr_private(c->ofs, at))
			err = copy_xattr(c, at);
	kfree(list);
	return err;
}

static int set_times(const struct path *p, struct timespec64 atime,
		     struct timespec64 mtime)
{
	struct iattr a = { .valid = ATTR_ATIME | ATTR_MTIME | ATTR_TIMES_GIVEN,
			   .atime = atime,
			   .mtime = mtime };

	return vfs_setattr(p, &a);
}

static int copy_attrs(struct copy *c)
{
	const struct inode *from = c->from.dentry->inode;
	struct iattr owner = { .valid = ATTR_UID | ATTR_GID,
			       .uid = from->uid,
			       .gid = from->gid };
	struct iattr mode = { .valid = ATTR_MODE, .mode = from->mode & 07777 };
	int err = vfs_setattr(&c->to, &owner);

	if (!err && !S_ISLNK(from->mode))
		err = vfs_setattr(&c->to, &mode);
	return err ? err : set_times(&c->to, from->atime, from->mtime);
}

/* --- one object */

static int make_temp(struct copy *c)
{
	struct inode *from = c->from.dentry->inode;
	struct under_node node = { .mode = from->mode & S_IFMT,
				   .rdev = from->rdev };
	char *text = NULL;
	s64 n = 0;
	int err;

	if (S_ISLNK(from->mode)) {
		text = get_free_page(0);
		n = text ? from->ops->readlink(from, text, PAGE_SIZE) : -ENOMEM;
		node.link = text;
	}
	if (S_ISREG(from->mode))
		node.mode |= 0600;
	err = n < 0 ? (int)n
		    : ovl_work_new(c->ofs, &node, c->temp, &c->to.dentry);
	if (text)
		free_page_addr(text);
	return err;
}

static int fill_temp(struct copy *c, bool empty)
{
	struct inode *from = c->from.dentry->inode;
	int err = 0;

	c->origin = S_ISDIR(from->mode) || from->nlink == 1;
	if (S_ISREG(from->mode) && !empty)
		err = copy_data(c);
	if (!err)
		err = copy_xattrs(c);
	if (!err && c->origin)
		err = ovl_origin_set(c->ofs, c->to.dentry, from);
	return err ? err : copy_attrs(c);
}

static int put_in_place(struct copy *c)
{
	struct under_name from, to;
	struct path work, dir;
	struct timespec64 atime, mtime;
	int err = c->origin ? ovl_set_impure(c->ofs, c->dir) : 0;

	if (err)
		return err;
	ovl_work_path(c->ofs, &work);
	ovl_upper_path(c->dir, &dir);
	from = (struct under_name){ &work, c->temp, strlen(c->temp) };
	to = (struct under_name){ &dir, c->name->name, c->name->name_len };
	atime = dir.dentry->inode->atime;
	mtime = dir.dentry->inode->mtime;
	err = under_rename(&from, &to, RENAME_NOREPLACE);
	if (!err)
		(void)set_times(&dir, atime, mtime); /* nothing changed there */
	return err;
}

static int copy_locked(struct copy *c, bool empty)
{
	struct ovl_inode *oi = ovl_i(c->i);
	int err;

	if (ovl_upper(c->i))
		return 0;
	if (oi->gone)
		return -ENOENT;
	c->from = (struct path){ oi->lower[0].layer->mnt, oi->lower[0].d };
	c->to.mnt = ovl_upper_mnt(c->ofs);
	err = make_temp(c);
	if (err)
		return err;
	err = fill_temp(c, empty);
	if (!err)
		err = put_in_place(c);
	if (err) {
		ovl_work_drop(c->ofs, c->temp);
		dentry_put(c->to.dentry);
		return err;
	}
	ovl_set_upper(c->i, c->to.dentry);
	return 0;
}

static int copy_one(struct dentry *d, struct dentry *parent, bool empty)
{
	struct copy c = { .ofs = ovl_of(d->inode),
			  .i = d->inode,
			  .dir = parent->inode,
			  .name = d };
	struct ovl_inode *oi = ovl_i(c.i);
	struct cred *mine = ovl_enter(c.ofs);
	int err;

	mutex_lock(&oi->lock);
	err = copy_locked(&c, empty);
	mutex_unlock(&oi->lock);
	ovl_leave(mine);
	return err;
}

/* --- which */

/* The name of the topmost object on the way to @i, itself the last, that has no
 * upper one; *@parent: of its directory.  Both referenced, or NULL: it has no name. */
static struct dentry *topmost(struct inode *i, struct dentry **parent)
{
	struct dentry *d = NULL, *at;

	spin_lock(&dcache_lock);
	list_for_each_entry(at, &i->dentries, alias) {
		if (at->flags & DENTRY_GONE)
			continue;
		d = at;
		break;
	}
	while (d && d->parent != d && !ovl_upper(d->parent->inode))
		d = d->parent;
	if (d) {
		dentry_get(d);
		*parent = dentry_get(d->parent);
	}
	spin_unlock(&dcache_lock);
	return d;
}

int ovl_copy_up(struct inode *i, bool empty)
{
	struct dentry *d, *parent;
	int err = 0;

	if (likely(ovl_upper(i)))
		return 0;
	if (!ovl_of(i)->work)
		return -EROFS;
	while (!err && !ovl_upper(i)) {
		d = topmost(i, &parent);
		if (!d)
			return -ENOENT;
		err = copy_one(d, parent, empty && d->inode == i);
		dentry_put(d);
		dentry_put(parent);
	}
	return err;
}
