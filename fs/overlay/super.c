/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/super.c - an overlay is mounted, and goes.
 */
#include <fs/overlay/overlay.h>

#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Is the overlay a volume of its own? */
static bool has_uuid(const struct ovl_fs *ofs)
{
	return ovl_upper_mnt(ofs) && (ofs->config.uuid == OVL_UUID_AUTO ||
				      ofs->config.uuid == OVL_UUID_ON);
}

static int ovl_statfs(struct super_block *sb, struct kstatfs *st)
{
	struct ovl_fs *ofs = ovl_fs(sb);
	struct super_block *real =
		ofs->layer[ovl_upper_mnt(ofs) ? 0 : 1].mnt->sb;
	int err = real->ops->statfs ? real->ops->statfs(real, st) : -ENOSYS;
	u64 id[2];

	st->type = sb->magic;
	if (has_uuid(ofs)) {
		memcpy(id, sb->uuid, sizeof(id));
		st->fsid = id[0] ^ id[1];
	}
	return err;
}

static int ovl_sync_fs(struct super_block *sb, bool wait)
{
	struct ovl_fs *ofs = ovl_fs(sb);

	if (!ovl_upper_mnt(ofs) || ofs->config.volatile_)
		return 0;
	return sb_sync(ovl_upper_mnt(ofs)->sb, wait);
}

static int ovl_remount(struct super_block *sb, u64 flags,
		       const char *data __unused)
{
	struct ovl_fs *ofs = ovl_fs(sb);

	if (!(flags & MS_RDONLY) && (!ovl_upper_mnt(ofs) || !ofs->work))
		return -EROFS;
	return 0;
}

static void fs_free(struct ovl_fs *ofs)
{
	ovl_layers_put(ofs);
	if (ofs->cred)
		cred_put(ofs->cred);
	ovl_config_free(&ofs->config);
	kfree(ofs);
}

static void ovl_put_super(struct super_block *sb)
{
	fs_free(ovl_fs(sb));
}

static struct ovl_fs *fs_new(struct super_block *sb)
{
	struct ovl_fs *ofs = kzalloc(sizeof(*ofs));

	if (!ofs)
		return NULL;
	ofs->sb = sb;
	ofs->cred = cred_dup(fs_cred());
	if (!ofs->cred) {
		kfree(ofs);
		return NULL;
	}
	/* no reserved blocks, no going beyond limits */
	ofs->cred->cap_effective &= ~BIT(CAP_SYS_RESOURCE);
	spin_init(&ofs->lock, "overlay", RANK_FILE);
	for (u32 i = 0; i < OVL_NR_BUCKETS; i++)
		list_init(&ofs->table[i]);
	return ofs;
}

/* The union of the layers' own directories. */
static struct inode *make_root(struct ovl_fs *ofs)
{
	struct ovl_parts p = { 0 };

	p.lower = kcalloc(ofs->nr_layers, sizeof(*p.lower));
	if (!p.lower)
		return ERR_PTR(-ENOMEM);
	for (u32 i = 1; i < ofs->nr_layers; i++) {
		p.lower[p.nr_lower].d = dentry_get(ofs->layer[i].mnt->root);
		p.lower[p.nr_lower++].layer = &ofs->layer[i];
	}
	if (ovl_upper_mnt(ofs))
		p.upper = dentry_get(ovl_upper_mnt(ofs)->root);
	return ovl_inode_get(ofs->sb, &p);
}

static void fill_super(struct super_block *sb, struct ovl_fs *ofs)
{
	const struct super_block *real =
		ofs->layer[ovl_upper_mnt(ofs) ? 0 : 1].mnt->sb;

	sb->ops = &ovl_super_ops;
	sb->magic = OVERLAYFS_MAGIC;
	sb->max_size = real->max_size;
	sb->block_size = real->block_size;
	sb->time_gran = real->time_gran;
	sb->time_min = real->time_min;
	sb->time_max = real->time_max;
	sb->has_iflags = true;
	if (!ovl_upper_mnt(ofs) || !ofs->work)
		sb->flags |= MS_RDONLY;
}

/*
 * The uuid that the upper layer has, or, if it is new or shall have one, gets.  Who
 * cannot, or was used without, goes without.  Mounter's credentials.
 */
static void choose_uuid(struct ovl_fs *ofs)
{
	struct dentry *upper;
	u8 *uuid = ofs->sb->uuid;

	if (!has_uuid(ofs))
		return;
	upper = ovl_upper_mnt(ofs)->root;
	if (ovl_mark_get(ofs, upper->inode, OVL_UUID, uuid, 16) == 16)
		return;
	if (ofs->config.uuid == OVL_UUID_AUTO)
		ofs->config.uuid =
			ovl_mark_get(ofs, upper->inode, OVL_IMPURE, NULL, 0) > 0
				? OVL_UUID_NULL
				: OVL_UUID_ON;
	if (ofs->config.uuid == OVL_UUID_NULL)
		return;
	random_bytes(uuid, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40; /* version 4, made by chance */
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	if (ovl_mark_set(ofs, upper, OVL_UUID, uuid, 16)) {
		memset(uuid, 0, 16);
		ofs->config.uuid = OVL_UUID_NULL;
	}
}

static int ovl_mount(struct super_block *sb, struct blkdev *bdev __unused,
		     u64 flags __unused, const char *data)
{
	struct ovl_fs *ofs = fs_new(sb);
	struct cred *mine;
	struct inode *root;
	int err;

	if (!ofs)
		return -ENOMEM;
	sb->priv = ofs;
	err = ovl_parse(&ofs->config, data ? data : "");
	if (!err)
		err = ovl_layers_get(ofs);
	if (err)
		goto fail;
	fill_super(sb, ofs);
	mine = ovl_enter(ofs);
	choose_uuid(ofs);
	root = make_root(ofs);
	ovl_leave(mine);
	err = IS_ERR(root) ? (int)PTR_ERR(root) : 0;
	if (err)
		goto fail;
	sb->root = dentry_alloc_root(root);
	if (sb->root)
		return 0;
	err = -ENOMEM;
fail:
	fs_free(ofs);
	return err;
}

static struct user_ns *mounters_ns(void)
{
	return fs_cred()->user_ns;
}

const struct super_ops ovl_super_ops = {
	.alloc_inode = ovl_alloc_inode,
	.free_inode = ovl_free_inode,
	.evict_inode = ovl_evict_inode,
	.statfs = ovl_statfs,
	.sync_fs = ovl_sync_fs,
	.remount = ovl_remount,
	.put_super = ovl_put_super,
	.show_options = ovl_show_options,
	.no_icache = true,
};

static struct fs_type overlay_type = {
	.name = "overlay",
	.mount = ovl_mount,
	.owner = mounters_ns,
	.check_option = ovl_check_option,
};

static int overlay_init(void)
{
	return ovl_inode_init() ? -ENOMEM : fs_register(&overlay_type);
}
INITCALL(INIT_CORE, overlay_init);
