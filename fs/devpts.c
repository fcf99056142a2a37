/* SPDX-License-Identifier: MIT */
/*
 * fs/devpts.c - devpts: the names of pseudo terminals.
 *
 * Each mount of it is an instance with ptys of its own, numbered from 0.  Who opens
 * ptmx in one has a pty of that; who opens another ptmx has one of the instance that
 * is mounted on "pts" beside it.  So a container's terminals are its own.
 *
 * An instance is a tmpfs with other options; the nodes in it are made by the kernel.
 *
 * Locking: atomic words; nodes are made under the lock of the root's inode.
 */
#include <fs/internal.h>
#include <fs/tmpfs.h>
#include <kernel/dev/tty/pty.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define DEVPTS_MAGIC 0x1cd1 /* ttyname() asks */
#define MAX_PTYS     (1u << 20)

struct pts_options {
	u32 uid, gid; /* INVALID_ID: the opener's */
	u32 mode, ptmxmode, max;
};

struct pts_home {
	struct pts_options o; /* [a] each */
	u32 nr;		      /* [a] ptys */
};

static struct super_ops devpts_sops; /* [I after init] tmpfs's, but for some */
static struct fs_type devpts_type;

static struct pts_home *home_of(const struct super_block *sb)
{
	return tmpfs_sb(sb)->more;
}

/* --- options */

static int parse_one(void *to, const char *key, const char *val)
{
	struct pts_options *o = to;
	const char *end;
	u64 v;

	if (!strcmp(key, "newinstance"))
		return 0;
	if (!val)
		return -EINVAL;
	v = parse_u64(val, &end, strstr(key, "mode") ? 8 : 10);
	if (end == val || *end || v > 0xffffffffu)
		return -EINVAL;
	if (!strcmp(key, "mode"))
		o->mode = (u32)v & 07777;
	else if (!strcmp(key, "ptmxmode"))
		o->ptmxmode = (u32)v & 07777;
	else if (!strcmp(key, "max") && v <= MAX_PTYS)
		o->max = (u32)v;
	else if (!strcmp(key, "uid") && uid_given((u32)v) != INVALID_ID)
		o->uid = uid_given((u32)v);
	else if (!strcmp(key, "gid") && gid_given((u32)v) != INVALID_ID)
		o->gid = gid_given((u32)v);
	else
		return -EINVAL;
	return 0;
}

static int parse(struct pts_options *o, const char *data)
{
	*o = (struct pts_options){ INVALID_ID, INVALID_ID, 0600, 0, MAX_PTYS };
	return fs_options(data, parse_one, o);
}

static void show_options(struct super_block *sb, char *buf, size_t n)
{
	const struct pts_options *o = &home_of(sb)->o;
	int len = 0;

	buf[0] = '\0';
	if (o->uid != INVALID_ID)
		len = scnprintf(buf, n, ",uid=%u", uid_shown(o->uid));
	if (o->gid != INVALID_ID)
		len += scnprintf(buf + len, n - (size_t)len, ",gid=%u",
				 gid_shown(o->gid));
	len += scnprintf(buf + len, n - (size_t)len, ",mode=%03o,ptmxmode=%03o",
			 o->mode, o->ptmxmode);
	if (o->max < MAX_PTYS)
		scnprintf(buf + len, n - (size_t)len, ",max=%u", o->max);
}

static void set_ptmx_mode(struct super_block *sb, u32 mode)
{
	struct dentry *d =
		lookup_child(sb->root, "ptmx", 4, name_hash("ptmx", 4));

	if (IS_ERR(d))
		return;
	if (d->inode)
		store_once(&d->inode->mode, S_IFCHR | mode);
	dentry_put(d);
}

/* What is not said is as at first. */
static int devpts_remount(struct super_block *sb, u64 flags __unused,
			  const char *data)
{
	struct pts_options o;
	int err = parse(&o, data);

	if (err)
		return err;
	home_of(sb)->o = o;
	set_ptmx_mode(sb, o.ptmxmode);
	return 0;
}

static void devpts_put_super(struct super_block *sb)
{
	kfree(home_of(sb));
	tmpfs_super_ops.put_super(sb);
}

static int devpts_mount(struct super_block *sb, struct blkdev *bdev, u64 flags,
			const char *data)
{
	struct pts_home *h = kzalloc(sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	err = parse(&h->o, data);
	if (!err)
		err = tmpfs_mount(sb, bdev, flags, "mode=755");
	if (err) {
		kfree(h);
		return err;
	}
	tmpfs_sb(sb)->more = h;
	sb->ops = &devpts_sops;
	sb->magic = DEVPTS_MAGIC;
	sb->own_devices = true;
	if (devfs_add(sb->root, "ptmx", S_IFCHR | h->o.ptmxmode, PTMX_DEV,
		      NULL))
		pr_warn("devpts: no memory for ptmx");
	return 0;
}

static struct user_ns *mounters_ns(void)
{
	return fs_cred()->user_ns;
}

static struct fs_type devpts_type = {
	.name = "devpts",
	.owner = mounters_ns,
	.mount = devpts_mount,
};

/* --- whose ptmx is it? */

static bool is_root(const struct path *p)
{
	return p->dentry->sb->type == &devpts_type &&
	       p->dentry == p->dentry->sb->root;
}

/* What "pts" beside @f leads to, referenced: a root of devpts; or -ENODEV, or
 * -ENOENT: there is none.  @up: a mount of @f alone is left first. */
static int beside(const struct file *f, bool up, struct path *out)
{
	struct path p = { f->mnt, f->dentry };
	struct dentry *d;
	int err;

	spin_lock(&dcache_lock);
	while (up && p.dentry == p.mnt->root && p.mnt->parent)
		p = (struct path){ p.mnt->parent, p.mnt->mountpoint };
	p.dentry = p.dentry->parent;
	path_get(&p);
	spin_unlock(&dcache_lock);
	d = lookup_child(p.dentry, "pts", 3, name_hash("pts", 3));
	if (IS_ERR(d)) {
		path_put(&p);
		return (int)PTR_ERR(d);
	}
	*out = (struct path){ p.mnt, d };
	spin_lock(&dcache_lock);
	path_cross_mounts(out);
	path_get(out);
	spin_unlock(&dcache_lock);
	dentry_put(d);
	path_put(&p);
	if (is_root(out))
		return 0;
	err = out->dentry->inode ? -ENODEV : -ENOENT;
	path_put(out);
	return err;
}

static void *of_node(const struct file *f)
{
	struct super_block *sb = f->inode->sb;

	return sb->type == &devpts_type ? sb : NULL;
}

static void *find_home(const struct file *f)
{
	struct super_block *sb = of_node(f);
	struct path p;
	int err;

	if (sb) {
		sb_get(sb);
		return sb;
	}
	err = f->dentry ? beside(f, false, &p) : -ENODEV;
	if (err)
		return ERR_PTR(err);
	sb = p.dentry->sb;
	sb_get(sb);
	path_put(&p);
	return sb;
}

static void put_home(void *home)
{
	sb_put(home);
}

static struct file *open_slave(const struct file *master, void *home, u32 index,
			       u32 flags)
{
	struct path p = { master->mnt, NULL }, node;
	struct file *f = NULL;
	char name[12];
	u32 len;

	if (master->mnt->root->sb->type == &devpts_type &&
	    master->mnt->root == master->mnt->root->sb->root) {
		p.dentry = master->mnt->root;
		path_get(&p);
	} else if (beside(master, true, &p)) {
		return NULL;
	}
	len = (u32)snprintf(name, sizeof(name), "%u", index);
	node = (struct path){ p.mnt, lookup_child(p.dentry, name, len,
						  name_hash(name, len)) };
	if (!IS_ERR(node.dentry)) {
		if (p.dentry->sb == home && node.dentry->inode)
			f = vfs_open_path(&node, flags, NULL);
		dentry_put(node.dentry);
	}
	path_put(&p);
	return IS_ERR(f) ? NULL : f;
}

/* --- nodes */

static int add_node(void *home, u32 index, kdev_t dev)
{
	struct super_block *sb = home;
	struct pts_home *h = home_of(sb);
	const struct cred *c = fs_cred();
	char name[12];
	int err;

	if (atomic_add_return(&h->nr, 1) > load_once(&h->o.max)) {
		atomic_dec(&h->nr);
		return -ENOSPC;
	}
	(void)snprintf(name, sizeof(name), "%u", index);
	err = devfs_add(sb->root, name, S_IFCHR | h->o.mode, dev, NULL);
	if (err)
		atomic_dec(&h->nr);
	else
		devfs_set_owner(sb->root, name,
				h->o.uid == INVALID_ID ? c->fsuid : h->o.uid,
				h->o.gid == INVALID_ID ? c->fsgid : h->o.gid);
	return err;
}

static void del_node(void *home, u32 index)
{
	struct super_block *sb = home;
	char name[12];

	(void)snprintf(name, sizeof(name), "%u", index);
	devfs_del(sb->root, name);
	atomic_dec(&home_of(sb)->nr);
}

static const struct pty_home_ops home_ops = {
	.find = find_home,
	.of_node = of_node,
	.put = put_home,
	.add = add_node,
	.del = del_node,
	.open = open_slave,
};

static int devpts_init(void)
{
	devpts_sops = tmpfs_super_ops;
	devpts_sops.remount = devpts_remount;
	devpts_sops.fh_to_inode = NULL; /* no file handles, as on Linux */
	devpts_sops.fh_prepare = NULL;
	devpts_sops.show_options = show_options;
	devpts_sops.put_super = devpts_put_super;
	pty_home = &home_ops;
	return fs_register(&devpts_type);
}
INITCALL(INIT_VFS, devpts_init);
