/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/super.c - mounts: options, and what df(1) asks.
 *
 * Not here: inodes (inode.c), what the daemon can do (init.c).
 */
#include <fs/fuse/fuse.h>

#include <kernel/dev/blk.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define LAST_WAIT_NS (30 * NSEC_PER_SEC) /* for what is written back */

struct options {
	u32 fd, root_mode, uid, gid, max_read, blksize;
	bool has_fd, has_mode, has_uid, has_gid;
	bool default_permissions, allow_other;
	char subtype[64];
};

static int parse_number(const char *val, u32 base, u32 *out)
{
	u64 v;
	int err = val ? kstrtou64(val, base, &v) : -EINVAL;

	if (!err && v > 0xffffffffu)
		err = -EINVAL;
	if (!err)
		*out = (u32)v;
	return err;
}

static int parse_id(const char *val, bool group, u32 *out)
{
	int err = parse_number(val, 10, out);

	if (err)
		return err;
	*out = group ? gid_given(*out) : uid_given(*out);
	return *out == INVALID_ID ? -EINVAL : 0;
}

/* -ENOENT: not one of ours. */
static int parse_option(void *to, const char *key, const char *val)
{
	struct options *o = to;

	if (!strcmp(key, "fd")) {
		o->has_fd = true;
		return parse_number(val, 10, &o->fd);
	}
	if (!strcmp(key, "rootmode")) {
		o->has_mode = true;
		return parse_number(val, 8, &o->root_mode);
	}
	if (!strcmp(key, "user_id")) {
		o->has_uid = true;
		return parse_id(val, false, &o->uid);
	}
	if (!strcmp(key, "group_id")) {
		o->has_gid = true;
		return parse_id(val, true, &o->gid);
	}
	if (!strcmp(key, "max_read"))
		return parse_number(val, 10, &o->max_read);
	if (!strcmp(key, "blksize"))
		return parse_number(val, 10, &o->blksize);
	if (!strcmp(key, "subtype"))
		return val && strscpy(o->subtype, val, sizeof(o->subtype)) > 0
			       ? 0
			       : -EINVAL;
	if (val)
		return -ENOENT;
	if (!strcmp(key, "default_permissions"))
		o->default_permissions = true;
	else if (!strcmp(key, "allow_other"))
		o->allow_other = true;
	else
		return -ENOENT;
	return 0;
}

/* fs_type->check_option */
static int check_option(const char *opt)
{
	struct options o = { 0 };

	return fs_option(opt, parse_option, &o);
}

/* What must be said, and makes sense. */
static bool complete(const struct options *o, bool blk)
{
	u32 type = o->root_mode & S_IFMT;

	if (!o->has_fd || !o->has_mode || !o->has_uid || !o->has_gid)
		return false;
	if (type != S_IFDIR && type != S_IFREG && type != S_IFLNK &&
	    type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
	    type != S_IFSOCK)
		return false;
	if (!blk)
		return !o->blksize;
	return !o->blksize || (o->blksize >= 512 && o->blksize <= PAGE_SIZE &&
			       !(o->blksize & (o->blksize - 1)));
}

/* The root is there without having been asked for. */
static struct inode *make_root(struct super_block *sb, const struct options *o)
{
	struct fuse_entry_out e = {
		.nodeid = FUSE_ROOT_ID,
		.attr = { .ino = FUSE_ROOT_ID,
			  .mode = o->root_mode,
			  .nlink = 1 },
	};
	struct inode *i = fuse_iget(sb, &e, 0);

	if (!IS_ERR(i))
		fuse_i(i)->nlookup = 0; /* nor is it forgotten */
	return i;
}

static int fill(struct super_block *sb, struct fuse_conn *fc,
		const struct options *o, struct file *dev)
{
	struct inode *root;
	int err;

	root = make_root(sb, o);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	err = fuse_dev_join(dev->priv, fc);
	if (err) {
		inode_put(root);
		return err;
	}
	sb->root = dentry_alloc_root(root);
	if (!sb->root) {
		fuse_abort(fc, false);
		return -ENOMEM;
	}
	(void)fuse_send_init(fc);
	fuse_ctl_add(fc);
	return 0;
}

static void take_options(struct super_block *sb, struct fuse_conn *fc,
			 const struct options *o)
{
	fc->user_id = o->uid;
	fc->group_id = o->gid;
	fc->root_mode = o->root_mode;
	fc->default_permissions = o->default_permissions;
	fc->allow_other = o->allow_other;
	fc->is_blk = sb->bdev != NULL;
	sb->own_checks = !o->default_permissions;
	sb->own_umask = true;
	fc->shown_max_read = o->max_read;
	if (o->max_read)
		fc->max_read = o->max_read;
	if (sb->bdev)
		sb->block_size = o->blksize ? o->blksize : 512;
	if (*o->subtype)
		sb->subtype = kstrdup(o->subtype);
}

static int mount_on(struct super_block *sb, const struct options *o,
		    struct file *dev)
{
	struct fuse_conn *fc;
	int err;

	if (dev->ops != &fuse_dev_fops ||
	    dev->cred->user_ns != current->cred->user_ns)
		return -EINVAL;
	fc = fuse_conn_new();
	if (!fc)
		return -ENOMEM;
	sb->ops = &fuse_super_ops;
	sb->magic = FUSE_MAGIC;
	sb->priv = fc;
	fc->sb = sb;
	fc->dev = MINOR(sb->dev);
	take_options(sb, fc, o);
	err = fill(sb, fc, o, dev);
	if (err) {
		kfree(sb->subtype);
		fuse_conn_put(fc);
	}
	return err;
}

static int fuse_mount(struct super_block *sb, struct blkdev *bdev,
		      u64 flags __unused, const char *data)
{
	struct options o = { 0 };
	struct file *dev;
	int err = fs_options(data, parse_option, &o);

	if (err)
		return err;
	if (!complete(&o, bdev != NULL))
		return -EINVAL;
	dev = fd_get((int)o.fd);
	if (!dev)
		return -EINVAL;
	err = mount_on(sb, &o, dev);
	file_put(dev);
	return err;
}

/* --- super_ops */

static bool settled(struct fuse_conn *fc)
{
	return !load_once(&fc->wb_bytes) || !load_once(&fc->connected);
}

static bool idle(struct fuse_conn *fc)
{
	return !load_once(&fc->waiting);
}

/* From now on no notification finds an inode, and no request has one. */
static void fuse_drop_names(struct super_block *sb)
{
	struct fuse_args a = { .op = FUSE_DESTROY };
	struct fuse_conn *fc = sb->priv;

	(void)wait_event_timeout(&fc->ready_wq, settled(fc),
				 clock_mono_ns() + LAST_WAIT_NS);
	if (fc->is_blk && load_once(&fc->ready_word))
		(void)fuse_call(fc, &a); /* who is killed does not wait */
	down_write(&fc->super);
	fc->sb = NULL;
	up_write(&fc->super);
	fuse_abort(fc, false);
	/* what a daemon is just copying ends by itself */
	(void)wait_event_timeout(&fc->ready_wq, idle(fc),
				 clock_mono_ns() + LAST_WAIT_NS);
}

static void fuse_put_super(struct super_block *sb)
{
	struct fuse_conn *fc = sb->priv;

	fuse_ctl_del(fc);
	fuse_conn_put(fc);
	kfree(sb->subtype);
}

static void fuse_umount_begin(struct super_block *sb)
{
	fuse_abort(sb->priv, true);
}

/* What is being written back is at the daemon, or will never be. */
static int fuse_sync_fs(struct super_block *sb, bool wait)
{
	struct fuse_conn *fc = sb->priv;

	if (wait && load_once(&fc->wb_bytes))
		(void)wait_event_interruptible(&fc->ready_wq, settled(fc));
	return 0;
}

static int fuse_statfs(struct super_block *sb, struct kstatfs *st)
{
	struct fuse_conn *fc = sb->priv;
	struct fuse_statfs_out o;
	struct fuse_args a = { .op = FUSE_STATFS,
			       .nodeid = FUSE_ROOT_ID,
			       .out = &o,
			       .out_size = sizeof(o) };
	s64 n;

	st->type = sb->magic;
	if (!fuse_allowed(fc))
		return 0;
	n = fuse_call(fc, &a);
	if (n < 0)
		return (int)n;
	st->bsize = o.bsize;
	st->frsize = o.frsize ? o.frsize : o.bsize;
	st->blocks = o.blocks;
	st->bfree = o.bfree;
	st->bavail = o.bavail;
	st->files = o.files;
	st->ffree = o.ffree;
	st->namelen = o.namelen;
	return 0;
}

static void fuse_show_options(struct super_block *sb, char *buf, size_t n)
{
	const struct fuse_conn *fc = sb->priv;
	int len;

	len = scnprintf(buf, n, ",user_id=%u,group_id=%u",
			uid_shown(fc->user_id), gid_shown(fc->group_id));
	if (fc->default_permissions)
		len += scnprintf(buf + len, n - (size_t)len,
				 ",default_permissions");
	if (fc->allow_other)
		len += scnprintf(buf + len, n - (size_t)len, ",allow_other");
	if (fc->shown_max_read)
		len += scnprintf(buf + len, n - (size_t)len, ",max_read=%u",
				 fc->shown_max_read);
	if (sb->bdev && sb->block_size != 512)
		scnprintf(buf + len, n - (size_t)len, ",blksize=%u",
			  sb->block_size);
}

static int fuse_remount(struct super_block *sb __unused, u64 flags __unused,
			const char *data __unused)
{
	return 0; /* its own options stay as they are */
}

const struct super_ops fuse_super_ops = {
	.alloc_inode = fuse_alloc_inode,
	.free_inode = fuse_free_inode,
	.evict_inode = fuse_evict,
	.drop_names = fuse_drop_names,
	.put_super = fuse_put_super,
	.umount_begin = fuse_umount_begin,
	.sync_fs = fuse_sync_fs,
	.statfs = fuse_statfs,
	.remount = fuse_remount,
	.show_options = fuse_show_options,
	.no_icache = true,
};

static struct user_ns *mounters_ns(void)
{
	return current->cred ? current->cred->user_ns : &init_user_ns;
}

static struct fs_type fuse_type = { .name = "fuse",
				    .has_subtype = true,
				    .owner = mounters_ns,
				    .check_option = check_option,
				    .mount = fuse_mount };
static struct fs_type fuseblk_type = { .name = "fuseblk",
				       .has_subtype = true,
				       .needs_dev = true,
				       .check_option = check_option,
				       .mount = fuse_mount };

static int fuse_init(void)
{
	int err = fuse_inode_init();

	if (!err)
		err = fs_register(&fuse_type);
	return err ? err : fs_register(&fuseblk_type);
}
INITCALL(INIT_VFS, fuse_init);
