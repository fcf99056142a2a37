/* SPDX-License-Identifier: MIT */
/*
 * fs/sysfs.c - /sys: the tree of kernel/dev/sysfs.h as a file system; and a part of it,
 * /sys/kernel/tracing, as the one that perf(1) wants mounted there; /sys/kernel/security
 * likewise.
 *
 * An inode has a reference to its node.  The tree changes on its own, so names are
 * never cached.  A file of text is made as a whole when it is read at offset 0
 * (text.c); one of bytes is read through a page of ours.
 *
 * INVARIANTS
 *   I1  The owner's functions run between sys_node_enter() and sys_node_leave().
 */
#include <fs/sysnode.h>

#include <fs/pseudo.h>
#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SYSFS_MAGIC	 0x62656572
#define TRACEFS_MAGIC	 0x74726163
#define SECURITYFS_MAGIC 0x73636673
#define FUSECTL_MAGIC	 0x65735543

/* ---- files of text */

static int show(struct text *t, void *arg)
{
	struct sys_node *n = arg;
	const struct sys_attr *a = sys_node_attr(n);
	char *buf;
	void *obj;
	s64 r;

	if (!a->show)
		return -EIO;
	buf = kmalloc(SYS_TEXT_MAX);
	if (!buf)
		return -ENOMEM;
	r = -ENODEV;
	if (sys_node_enter(n, &obj)) {
		r = a->show(obj, a, buf, SYS_TEXT_MAX);
		sys_node_leave(n);
	}
	if (r > 0)
		text_write(t, buf, (size_t)r);
	kfree(buf);
	return r < 0 ? (int)r : 0;
}

static s64 store(void *arg, char *buf, size_t n)
{
	struct sys_node *node = arg;
	const struct sys_attr *a = sys_node_attr(node);
	void *obj;
	s64 r;

	if (!a->store)
		return -EIO;
	if (!sys_node_enter(node, &obj))
		return -ENODEV;
	r = a->store(obj, a, buf, n);
	sys_node_leave(node);
	return r;
}

/* ---- files of bytes */

static s64 bin_move(struct sys_node *n, void *buf, size_t len, u64 off,
		    bool write)
{
	const struct sys_attr *a = sys_node_attr(n);
	void *obj;
	s64 r = -EIO;

	if (!sys_node_enter(n, &obj))
		return -ENODEV;
	if (write && a->write)
		r = a->write(obj, a, buf, len, off);
	else if (!write && a->read)
		r = a->read(obj, a, buf, len, off);
	sys_node_leave(n);
	return r;
}

static s64 bin_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	size_t n = min(iov_iter_count(to), (size_t)PAGE_SIZE);
	void *buf = get_free_page(GFP_ZERO);
	s64 r;

	if (!buf)
		return -ENOMEM;
	r = bin_move(f->inode->priv, buf, n, *pos, false);
	if (r > 0) {
		n = copy_to_iter(buf, (size_t)r, to);
		*pos += n;
		r = n ? (s64)n : -EFAULT;
	}
	free_page_addr(buf);
	return r;
}

static s64 bin_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	size_t n = min(iov_iter_count(from), (size_t)PAGE_SIZE);
	void *buf = get_free_page(0);
	s64 r = -EFAULT;

	if (!buf)
		return -ENOMEM;
	if (copy_from_iter(buf, n, from) == n)
		r = bin_move(f->inode->priv, buf, n, *pos, true);
	if (r > 0)
		*pos += (u64)r;
	free_page_addr(buf);
	return r;
}

static int bin_fsync(struct file *f __unused, bool datasync __unused)
{
	return 0;
}

static const struct file_ops bin_fops = {
	.read = bin_read,
	.write = bin_write,
	.llseek = generic_file_llseek,
	.fsync = bin_fsync,
};

static void put_node(void *arg)
{
	sys_node_put(arg);
}

/* What nobody may, root may not either. */
static bool can_open(const struct sys_attr *a, const struct file *f)
{
	return mode_opens(a->mode, f) &&
	       (!f->can_write || a->store || a->write) &&
	       (!f->can_read || a->show || a->read);
}

static int attr_open(struct inode *inode, struct file *f)
{
	struct sys_node *n = inode->priv;
	const struct sys_attr *a = sys_node_attr(n);
	int err;

	if (!can_open(a, f))
		return -EACCES;
	if (a->read || a->write) {
		f->ops = &bin_fops;
		return 0;
	}
	err = text_open(f, show, store, sys_node_get(n), put_node);
	if (err) {
		sys_node_put(n);
		return err;
	}
	text_sized(f, true);
	text_ready(f, true);
	return 0;
}

/* ---- inodes */

int sysnode_lookup(struct super_block *sb, struct sys_node *d, const char *name,
		   size_t len, struct inode **out)
{
	struct sys_node *n = sys_node_lookup(d, name, len);

	*out = NULL;
	if (!n)
		return 0;
	*out = sysnode_inode(sb, n);
	sys_node_put(n);
	return *out ? 0 : -ENOMEM;
}

static int dir_lookup(struct inode *dir, const char *name, size_t len,
		      struct inode **out)
{
	return sysnode_lookup(dir->sb, dir->priv, name, len, out);
}

static u32 mode_of(const struct sys_node *n)
{
	switch (sys_node_kind(n)) {
	case SYS_DIR:
		return S_IFDIR | 0755;
	case SYS_LINK:
		return S_IFLNK | 0777;
	default:
		return S_IFREG | sys_node_attr(n)->mode;
	}
}

/* An entry's position is its number, so nobody is shown twice or left out. */
int sysnode_readdir(struct sys_node *d, struct dir_ctx *ctx, u64 first)
{
	struct sys_node *n;

	while ((n = sys_node_next(d, (u32)(ctx->pos - first)))) {
		const char *name = sys_node_name(n);
		u32 ino = sys_node_ino(n);
		u64 next = first + ino + 1;
		bool taken = ctx->emit(ctx, name, strlen(name), ino,
				       mode_to_dt(mode_of(n)), next);

		sys_node_put(n);
		if (!taken)
			break;
		ctx->pos = next;
	}
	return 0;
}

static int dir_readdir(struct file *f, struct dir_ctx *ctx)
{
	if (!dir_emit_dots(f, ctx))
		return 0;
	return sysnode_readdir(f->inode->priv, ctx, 0);
}

static s64 link_read(struct inode *inode, char *buf, size_t size)
{
	return sys_node_target(inode->priv, buf, size);
}

static const struct inode_ops dir_iops = {
	.lookup = dir_lookup,
	.no_dcache = true,
};
static const struct file_ops dir_fops = {
	.readdir = dir_readdir,
	.llseek = generic_file_llseek,
};
static const struct inode_ops attr_iops = { .open = attr_open };
static const struct inode_ops link_iops = { .readlink = link_read };
static const struct file_ops no_fops;

struct inode *sysnode_inode(struct super_block *sb, struct sys_node *n)
{
	struct inode *i = inode_new(sb);

	if (!i)
		return NULL;
	i->ino = sys_node_ino(n);
	i->mode = mode_of(n);
	i->priv = sys_node_get(n);
	i->fops = &no_fops;
	i->nlink = sys_node_nlink(n);
	if (S_ISDIR(i->mode)) {
		i->ops = &dir_iops;
		i->fops = &dir_fops;
	} else if (S_ISLNK(i->mode)) {
		i->ops = &link_iops;
	} else {
		i->ops = &attr_iops;
		i->i_size = sys_node_attr(n)->read ? sys_node_attr(n)->size
						   : SYS_TEXT_MAX;
	}
	return i;
}

void sysnode_evict(struct inode *i)
{
	if (i->ops == &dir_iops || i->ops == &attr_iops || i->ops == &link_iops)
		sys_node_put(i->priv);
}

static int mount_tree(struct super_block *sb, u64 magic, struct sys_node *root)
{
	static const struct super_ops ops = {
		.evict_inode = sysnode_evict,
		.no_icache = true,
	};
	struct inode *i;

	sb->ops = &ops;
	sb->magic = magic;
	sb->block_size = PAGE_SIZE;
	sb->max_size = ~0UL >> 1;
	sb->time_gran = 1;
	i = sysnode_inode(sb, root);
	if (!i)
		return -ENOMEM;
	sb->root = dentry_alloc_root(i);
	return sb->root ? 0 : -ENOMEM;
}

static int sysfs_mount(struct super_block *sb, struct blkdev *bdev __unused,
		       u64 flags __unused, const char *data __unused)
{
	return mount_tree(sb, SYSFS_MAGIC, sys_root_node());
}

static int tracefs_mount(struct super_block *sb, struct blkdev *bdev __unused,
			 u64 flags __unused, const char *data __unused)
{
	struct sys_dir *d = sys_path("kernel/tracing");

	return d ? mount_tree(sb, TRACEFS_MAGIC, sys_dir_node(d)) : -ENOMEM;
}

static int securityfs_mount(struct super_block *sb,
			    struct blkdev *bdev __unused, u64 flags __unused,
			    const char *data __unused)
{
	struct sys_dir *d = sys_path("kernel/security");

	return d ? mount_tree(sb, SECURITYFS_MAGIC, sys_dir_node(d)) : -ENOMEM;
}

static int fusectl_mount(struct super_block *sb, struct blkdev *bdev __unused,
			 u64 flags __unused, const char *data __unused)
{
	struct sys_dir *d = sys_path("fs/fuse/connections");

	return d ? mount_tree(sb, FUSECTL_MAGIC, sys_dir_node(d)) : -ENOMEM;
}

static struct fs_type fusectl_type = {
	.name = "fusectl",
	.mount = fusectl_mount,
	.single = true,
};
static struct fs_type securityfs_type = {
	.name = "securityfs",
	.mount = securityfs_mount,
	.single = true,
};
static struct fs_type tracefs_type = {
	.name = "tracefs",
	.mount = tracefs_mount,
	.single = true,
};
static struct fs_type sysfs_type = {
	.name = "sysfs",
	.mount = sysfs_mount,
	.single = true,
};

static int sysfs_init(void)
{
	int err = fs_register(&sysfs_type);

	if (!err)
		err = fs_register(&tracefs_type);
	if (!err)
		err = fs_register(&fusectl_type);
	return err ? err : fs_register(&securityfs_type);
}
INITCALL(INIT_VFS, sysfs_init);
