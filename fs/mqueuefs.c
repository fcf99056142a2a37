/* SPDX-License-Identifier: MIT */
/*
 * fs/mqueuefs.c - the file system "mqueue", in which message queues are seen.
 *
 * The queues are kernel/ipc's; here are their names in one directory.  Reading one
 * tells its state, removing it is mq_unlink(3), making it is mq_open(3).  Nothing is
 * kept: inodes and names are made when they are looked up.  Each IPC namespace has an
 * instance, which keeps the namespace.
 */
#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/ipc/mqueue.h>
#include <kernel/ipc/ns.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MQUEUE_MAGIC 0x19800202
#define ROOT_INO     1
#define FILE_SIZE    80 /* what Linux says */

static int mqfs_open(struct inode *inode, struct file *f)
{
	mq_file_init(f, mq_get(inode->priv));
	return 0;
}

static int mqfs_setattr(struct inode *inode, const struct iattr *a)
{
	int err = inode_setattr_generic(inode, a);

	if (!err)
		mq_chmod(inode->priv, inode->mode, inode->uid, inode->gid);
	return err;
}

static const struct inode_ops file_iops = {
	.open = mqfs_open,
	.setattr = mqfs_setattr,
};
static const struct file_ops no_fops;

/* An inode for @q, of which it takes the reference. */
static struct inode *queue_inode(struct super_block *sb, struct mqueue *q)
{
	struct inode *i = inode_new(sb);
	struct mq_info info;

	if (!i) {
		mq_put(q);
		return NULL;
	}
	mq_get_info(q, &info);
	i->ino = ROOT_INO + info.id;
	i->mode = S_IFREG | info.mode;
	i->uid = info.uid;
	i->gid = info.gid;
	i->nlink = 1;
	i->i_size = FILE_SIZE;
	i->atime = i->mtime = i->ctime = info.when;
	i->ops = &file_iops;
	i->fops = &no_fops;
	i->priv = q;
	return i;
}

static int mqfs_lookup(struct inode *dir, const char *name, size_t len,
		       struct inode **out)
{
	struct mqueue *q = mq_find(dir->sb->priv, name, len);

	*out = q ? queue_inode(dir->sb, q) : NULL;
	return q && !*out ? -ENOMEM : 0;
}

static int mqfs_create(struct inode *dir, const char *name, size_t len,
		       u32 mode, struct inode **out)
{
	int err = mq_create(dir->sb->priv, name, mode);

	return err ? err : mqfs_lookup(dir, name, len, out);
}

static int mqfs_unlink(struct inode *dir, const char *name, size_t len __unused,
		       struct inode *victim __unused)
{
	return (int)mq_unlink_name(dir->sb->priv, name);
}

static const struct inode_ops dir_iops = {
	.lookup = mqfs_lookup,
	.create = mqfs_create,
	.unlink = mqfs_unlink,
	.no_dcache = true,
};

/* A queue's offset is 1 + its id: "." and ".." come before. */
static int mqfs_readdir(struct file *f, struct dir_ctx *ctx)
{
	char name[MQ_NAME_MAX + 1];
	u64 id;

	if (!dir_emit_dots(f, ctx))
		return 0;
	while (mq_next(f->inode->sb->priv, ctx->pos - 2, name, &id)) {
		if (!ctx->emit(ctx, name, strlen(name), ROOT_INO + id, DT_REG,
			       id + 2))
			return 0;
		ctx->pos = id + 2;
	}
	return 0;
}

static const struct file_ops dir_fops = {
	.readdir = mqfs_readdir,
	.llseek = generic_file_llseek,
};

static void mqfs_evict(struct inode *i)
{
	if (i->priv)
		mq_put(i->priv);
}

static void mqfs_put_super(struct super_block *sb)
{
	struct ipc_ns *ns = sb->priv;

	ns_put(&ns->ns);
}

static const struct super_ops mqfs_sops = {
	.put_super = mqfs_put_super,
	.evict_inode = mqfs_evict,
	.no_icache = true,
};

static int mqfs_mount(struct super_block *sb, struct blkdev *bdev __unused,
		      u64 flags __unused, const char *data __unused)
{
	struct ipc_ns *ns = current_nsproxy()->ipc;
	struct inode *root;

	sb->ops = &mqfs_sops;
	sb->magic = MQUEUE_MAGIC;
	root = inode_new(sb);
	if (!root)
		return -ENOMEM;
	root->ino = ROOT_INO;
	root->mode = S_IFDIR | S_ISVTX | 0777;
	root->nlink = 2;
	root->ops = &dir_iops;
	root->fops = &dir_fops;
	sb->root = dentry_alloc_root(root);
	if (!sb->root)
		return -ENOMEM;
	sb->priv = ns;
	ns_get(&ns->ns);
	return 0;
}

static const void *mqfs_key(void)
{
	return current_nsproxy()->ipc;
}

static struct user_ns *mqfs_owner(void)
{
	return current_nsproxy()->ipc->ns.owner;
}

static struct fs_type mqueue_type = {
	.name = "mqueue",
	.key = mqfs_key,
	.owner = mqfs_owner,
	.mount = mqfs_mount,
};

static int mqfs_init(void)
{
	return fs_register(&mqueue_type);
}
INITCALL(INIT_VFS, mqfs_init);
