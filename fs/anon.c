/* SPDX-License-Identifier: MIT */
/* fs/anon.c - inodes of files that have no name; see anon.h. */
#include <fs/anon.h>

#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define PIPEFS_MAGIC	 0x50495045
#define ANON_INODE_MAGIC 0x09041934

static struct super_block *anon_sb; /* [I] */
static struct mount *anon_mnt;	    /* [I] */
static struct mount *plain_mnt;	    /* [I] of anon_plain */
static struct inode *anon_plain;    /* [I] of all files without one */

static const struct super_ops anon_sops = { .no_icache = true };
static const struct file_ops no_fops;

static int anon_mount(struct super_block *sb, struct blkdev *bdev __unused,
		      u64 flags __unused, const char *data __unused)
{
	struct inode *root;

	sb->ops = &anon_sops;
	sb->magic = PIPEFS_MAGIC;
	sb->block_size = 4096;
	sb->time_gran = 1;
	root = inode_new(sb);
	if (!root)
		return -ENOMEM;
	root->ino = 1;
	root->mode = S_IFDIR | 0600;
	root->nlink = 2;
	root->fops = &no_fops;
	sb->next_ino = 2;
	sb->root = dentry_alloc_root(root);
	return sb->root ? 0 : -ENOMEM;
}

static struct fs_type anon_type = {
	.name = "pipefs",
	.single = true,
	.mount = anon_mount,
};

static int plain_mount(struct super_block *sb, struct blkdev *bdev, u64 flags,
		       const char *data)
{
	int err = anon_mount(sb, bdev, flags, data);

	sb->magic = ANON_INODE_MAGIC;
	return err;
}

/* Not among those that can be mounted. */
static struct fs_type plain_type = {
	.name = "anon_inodefs",
	.single = true,
	.mount = plain_mount,
};

static int plain_init(void)
{
	struct mount *m = mount_internal(&plain_type);

	if (IS_ERR(m))
		return (int)PTR_ERR(m);
	anon_plain = inode_new(m->sb);
	if (!anon_plain)
		return -ENOMEM;
	anon_plain->ino = 2;
	anon_plain->mode = 0600; /* of no type */
	anon_plain->fops = &no_fops;
	plain_mnt = m;
	return 0;
}

static int anon_init(void)
{
	struct mount *m;
	int err = fs_register(&anon_type);

	if (err)
		return err;
	m = mount_internal(&anon_type);
	if (IS_ERR(m))
		return (int)PTR_ERR(m);
	anon_mnt = m;
	anon_sb = m->sb;
	return plain_init();
}
INITCALL(INIT_VFS, anon_init);

struct inode *anon_inode_new(u32 mode)
{
	struct inode *i = inode_new(anon_sb);

	if (!i)
		return NULL;
	i->ino = atomic_add_return(&anon_sb->next_ino, 1);
	i->mode = mode;
	i->uid = current->cred->fsuid;
	i->gid = current->cred->fsgid;
	i->fops = &no_fops;
	return i;
}

struct inode *anon_inode_plain(void)
{
	return anon_plain;
}

int anon_inode_path(struct inode *i, struct path *out)
{
	struct mount *m = i == anon_plain ? plain_mnt : anon_mnt;
	struct dentry *d;

	if (i->sb != m->sb)
		return -ENXIO;
	d = d_alloc(m->sb->root, "anon", 4, 0);
	if (!d)
		return -ENOMEM;
	spin_lock(&dcache_lock);
	d_add(d, inode_get(i), false);
	spin_unlock(&dcache_lock);
	*out = (struct path){ .mnt = mount_get(m), .dentry = d };
	return 0;
}
