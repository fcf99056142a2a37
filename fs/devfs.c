/* SPDX-License-Identifier: MIT */
/*
 * fs/devfs.c - /dev: a tmpfs in which a node appears for every device.
 *
 * "devtmpfs" has one instance, however often it is mounted; users may add and
 * remove names in it as they like.  Pseudo terminals are in devpts only (devpts.c).
 *
 * Context: registration of devices, in a thread; may sleep.
 */
#include <fs/internal.h>
#include <fs/tmpfs.h>
#include <kernel/dev/blk.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct mount *dev_mount; /* [I after init] */

/* Child @name of @dir, referenced; made with @mode if it is not there. */
static struct dentry *make(struct dentry *dir, const char *name, size_t len,
			   u32 mode, kdev_t dev, const char *target)
{
	const struct inode_ops *ops = dir->inode->ops;
	struct inode *i = NULL;
	struct dentry *d;
	int err = 0;

	down_write(&dir->inode->lock);
	d = lookup_locked(dir, name, (u32)len, name_hash(name, len));
	if (!IS_ERR(d) && !d->inode) {
		if (!dir->inode->nlink) /* a user has removed it */
			err = -ENOENT;
		else if (S_ISDIR(mode))
			err = ops->mkdir(dir->inode, name, len, mode, &i);
		else if (S_ISLNK(mode))
			err = ops->symlink(dir->inode, name, len, target, &i);
		else
			err = ops->mknod(dir->inode, name, len, mode, dev, &i);
		if (!err) {
			spin_lock(&dcache_lock);
			d_instantiate(d, i);
			spin_unlock(&dcache_lock);
		}
	}
	up_write(&dir->inode->lock);
	if (err) {
		dentry_put(d);
		return ERR_PTR(err);
	}
	return d;
}

/* The directory in which the last component of *@path belongs, made if need
 * be; *@path moves on to that component. */
static struct dentry *make_parents(struct dentry *root, const char **path)
{
	struct dentry *dir = dentry_get(root), *next;
	const char *slash;

	while ((slash = strchr(*path, '/')) != NULL) {
		next = make(dir, *path, (size_t)(slash - *path), S_IFDIR | 0755,
			    0, NULL);
		dentry_put(dir);
		if (IS_ERR(next))
			return next;
		dir = next;
		*path = slash + 1;
	}
	return dir;
}

int devfs_add(struct dentry *root, const char *path, u32 mode, kdev_t dev,
	      const char *target)
{
	struct dentry *dir = make_parents(root, &path), *d;

	if (IS_ERR(dir))
		return (int)PTR_ERR(dir);
	d = make(dir, path, strlen(path), mode, dev, target);
	dentry_put(dir);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dentry_put(d);
	return 0;
}

void devfs_set_owner(struct dentry *root, const char *path, u32 uid, u32 gid)
{
	struct dentry *dir = make_parents(root, &path), *d;

	if (IS_ERR(dir))
		return;
	d = lookup_child(dir, path, (u32)strlen(path),
			 name_hash(path, strlen(path)));
	dentry_put(dir);
	if (IS_ERR(d))
		return;
	if (d->inode) {
		d->inode->uid = uid;
		d->inode->gid = gid;
	}
	dentry_put(d);
}

void devfs_del(struct dentry *root, const char *path)
{
	struct dentry *dir = make_parents(root, &path), *d;
	struct inode *di;

	if (IS_ERR(dir))
		return;
	di = dir->inode;
	down_write(&di->lock);
	d = lookup_locked(dir, path, (u32)strlen(path),
			  name_hash(path, strlen(path)));
	if (!IS_ERR(d) && d->inode && !S_ISDIR(d->inode->mode) &&
	    !di->ops->unlink(di, path, strlen(path), d->inode)) {
		spin_lock(&dcache_lock);
		d_drop(d);
		spin_unlock(&dcache_lock);
	}
	up_write(&di->lock);
	if (!IS_ERR(d))
		dentry_put(d);
	dentry_put(dir);
}

static void node_changed(const char *name, u32 mode, kdev_t dev, u32 uid,
			 u32 gid, bool added)
{
	struct dentry *root = dev_mount->root;
	int err;

	if (str_has_prefix(name, "pts/"))
		return;
	if (!added) {
		devfs_del(root, name);
		return;
	}
	err = devfs_add(root, name, mode, dev, NULL);
	if (err)
		pr_warn("devtmpfs: no node %s: error %d", name, err);
	else
		devfs_set_owner(root, name, uid, gid);
}

static void on_chrdev(struct chrdev *cd, bool added)
{
	node_changed(cd->name, S_IFCHR | (cd->mode & 07777), cd->dev, cd->uid,
		     cd->gid, added);
}

static void on_blkdev(struct blkdev *bd, bool added)
{
	node_changed(bd->name, S_IFBLK | 0660, bd->dev, 0, 6, added);
}

/* --- devices that were there before us */

struct earlier {
	void *dev[256];
	u32 nr;
};

static void collect_chrdev(struct chrdev *cd, void *ctx)
{
	struct earlier *e = ctx;

	if (e->nr < ARRAY_SIZE(e->dev))
		e->dev[e->nr++] = cd;
}

static void collect_blkdev(struct blkdev *bd, void *ctx)
{
	struct earlier *e = ctx;

	if (e->nr < ARRAY_SIZE(e->dev))
		e->dev[e->nr++] = bd;
}

static int add_earlier(void)
{
	struct earlier *e = kzalloc(sizeof(*e));
	u32 i;

	if (!e)
		return -ENOMEM;
	chrdev_for_each(collect_chrdev, e);
	for (i = 0; i < e->nr; i++)
		on_chrdev(e->dev[i], true);
	e->nr = 0;
	blkdev_for_each(collect_blkdev, e);
	for (i = 0; i < e->nr; i++)
		on_blkdev(e->dev[i], true);
	kfree(e);
	return 0;
}

struct file *fs_open_console(void)
{
	static const char name[] = "console";
	struct path p = { dev_mount, NULL };
	struct file *f = vfs_open(AT_FDCWD, "/dev/console", O_RDWR, 0);

	if (!IS_ERR(f))
		return f;
	p.dentry = lookup_child(dev_mount->root, name, sizeof(name) - 1,
				name_hash(name, sizeof(name) - 1));
	if (IS_ERR(p.dentry))
		return ERR_PTR(PTR_ERR(p.dentry));
	if (p.dentry->inode)
		f = vfs_open_path(&p, O_RDWR, NULL);
	dentry_put(p.dentry);
	return f;
}

static const struct {
	const char *name;
	u32 mode;
	const char *target;
} fixed[] = {
	{ "pts", S_IFDIR | 0755, NULL },
	{ "shm", S_IFDIR | 01777, NULL },
	{ "fd", S_IFLNK, "/proc/self/fd" },
	{ "stdin", S_IFLNK, "/proc/self/fd/0" },
	{ "stdout", S_IFLNK, "/proc/self/fd/1" },
	{ "stderr", S_IFLNK, "/proc/self/fd/2" },
};

static int devtmpfs_mount(struct super_block *sb, struct blkdev *bdev,
			  u64 flags, const char *data __unused)
{
	return tmpfs_mount(sb, bdev, flags, "mode=755");
}

static struct fs_type devtmpfs_type = {
	.name = "devtmpfs",
	.single = true,
	.mount = devtmpfs_mount,
};

static int devfs_init(void)
{
	size_t i;

	fs_register(&devtmpfs_type);
	dev_mount = mount_internal(&devtmpfs_type);
	if (IS_ERR(dev_mount))
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		devfs_add(dev_mount->root, fixed[i].name, fixed[i].mode, 0,
			  fixed[i].target);
	chrdev_notify = on_chrdev;
	blkdev_notify = on_blkdev;
	return add_earlier();
}
INITCALL(INIT_VFS, devfs_init);
