/* SPDX-License-Identifier: MIT */
/* fs/anon.c - inodes of files that have no name; see anon.h. */
#include <fs/anon.h>

#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define PIPEFS_MAGIC 0x50495045

static struct super_block *anon_sb; /* [I] */
static struct mount *anon_mnt;	    /* [I] */

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
	return 0;
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

int anon_inode_path(struct inode *i, struct path *out)
{
	struct dentry *d;

	if (i->sb != anon_sb)
		return -ENXIO;
	d = d_alloc(anon_sb->root, "anon", 4, 0);
	if (!d)
		return -ENOMEM;
	spin_lock(&dcache_lock);
	d_add(d, inode_get(i), false);
	spin_unlock(&dcache_lock);
	*out = (struct path){ .mnt = mount_get(anon_mnt), .dentry = d };
	return 0;
}
