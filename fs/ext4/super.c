/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/super.c - mount, remount, sync and unmount a volume.
 *
 * A volume mounted for writing has EXT4_VALID_FS clear on the disk; it is set
 * again when it is unmounted or becomes read-only in good order, unless it was
 * not valid before or an error was seen.  No journal is written, so that bit
 * is what tells e2fsck to look.
 *
 * Locking: sbi->super_lock for the members of the super block.
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/flush.h>
#include <fs/ext4/zone.h>
#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>

#define EXT4_SUPER_MAGIC 0xef53

static struct kmem_cache *inode_cache;

static struct inode *alloc_inode(struct super_block *sb)
{
	struct ext4_inode *ei = kmem_cache_zalloc(inode_cache);

	(void)sb;
	if (!ei)
		return NULL;
	rwsem_init(&ei->map_lock);
	mutex_init(&ei->xattr_lock);
	mutex_init(&ei->raw_lock);
	list_init(&ei->orphan_node);
	spin_init(&ei->stat_lock, "ext4_stat", RANK_BLK);
	return &ei->vfs;
}

static void free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, EXT4_I(inode));
}

/* All handles are kept out (flush.h), so the counters stand still. */
void ext4_super_fill(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;
	u64 blocks = load_once(&sbi->free_blocks);
	u32 inodes = (u32)load_once(&sbi->free_inodes);
	u16 state = es->state;

	if (load_once(&sbi->saw_error))
		state |= EXT4_ERROR_FS;
	if (es->free_blocks_count_lo == (u32)blocks &&
	    es->free_blocks_count_hi == (u32)(blocks >> 32) &&
	    es->free_inodes_count == inodes && es->state == state)
		return;
	es->free_blocks_count_lo = (u32)blocks;
	if (sbi->has_64bit)
		es->free_blocks_count_hi = (u32)(blocks >> 32);
	es->free_inodes_count = inodes;
	es->state = state;
	es->wtime = (u32)(clock_real_ns() / NSEC_PER_SEC);
	ext4_buf_mark_dirty(sbi->super_buf);
}

int ext4_sync_fs(struct super_block *sb, bool wait)
{
	struct ext4_sb *sbi = EXT4_SB(sb);

	if (!wait)
		return 0;
	return ext4_bufs_flush(sbi, true);
}

static int ext4_statfs(struct super_block *sb, struct kstatfs *out)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	u64 free = load_once(&sbi->free_blocks);
	u64 delayed = load_once(&sbi->delayed);
	const u32 *uuid = (const void *)sbi->es->uuid;

	*out = (struct kstatfs){
		.type = EXT4_SUPER_MAGIC,
		.bsize = sbi->block_size,
		.frsize = sbi->block_size,
		.blocks = sbi->nr_blocks - sbi->overhead,
		.files = sbi->nr_inodes,
		.ffree = load_once(&sbi->free_inodes),
		.fsid = (u64)(uuid[1] ^ uuid[3]) << 32 | (uuid[0] ^ uuid[2]),
		.namelen = NAME_MAX,
		.flags = sb->flags,
	};
	out->bfree = free > delayed ? free - delayed : 0;
	out->bavail =
		out->bfree > sbi->r_blocks ? out->bfree - sbi->r_blocks : 0;
	return 0;
}

/* Change s_state and write it through. */
static int set_state(struct ext4_sb *sbi, u16 state)
{
	struct ext4_handle h;
	int err;

	ext4_begin_force(sbi, &h);
	mutex_lock(&sbi->super_lock);
	err = ext4_write_access(&h, sbi->super_buf);
	if (!err) {
		sbi->es->state = state;
		sbi->es->wtime = (u32)(clock_real_ns() / NSEC_PER_SEC);
		ext4_dirty(&h, sbi->super_buf);
	}
	mutex_unlock(&sbi->super_lock);
	ext4_end(&h);
	return err ? err : ext4_bufs_flush(sbi, true);
}

static void count_mount(struct ext4_sb *sbi)
{
	mutex_lock(&sbi->super_lock);
	sbi->es->mnt_count++;
	sbi->es->mtime = (u32)(clock_real_ns() / NSEC_PER_SEC);
	/* An orphan file that is empty from now on: we use the list. */
	sbi->es->feature_ro_compat &= ~(u32)EXT4_RO_COMPAT_ORPHAN_PRESENT;
	mutex_unlock(&sbi->super_lock);
}

/* From read-only to read-write. */
static int go_rw(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;
	bool orphans = es->feature_ro_compat & EXT4_RO_COMPAT_ORPHAN_PRESENT;
	int err;

	if (blkdev_read_only(sbi->bdev)) {
		pr_err("ext4: %s: the device is read-only", sbi->bdev->name);
		return -EROFS;
	}
	if (load_once(&sbi->aborted)) {
		pr_err("ext4: %s: had an error: check it before writing",
		       sbi->bdev->name);
		return -EROFS;
	}
	if (!(es->state & EXT4_VALID_FS))
		pr_warn("ext4: %s: was not unmounted: e2fsck is recommended",
			sbi->bdev->name);
	else if (es->state & EXT4_ERROR_FS)
		pr_warn("ext4: %s: has errors: e2fsck is recommended",
			sbi->bdev->name);
	sbi->mount_state = es->state;
	atomic_fetch_and(&sbi->vfs->flags, ~(u64)MS_RDONLY);
	ext4_orphan_process(sbi, orphans);
	count_mount(sbi);
	err = set_state(sbi, es->state & (u16)~EXT4_VALID_FS);
	if (err) {
		atomic_fetch_or(&sbi->vfs->flags, (u64)MS_RDONLY);
		return err;
	}
	ext4_flusher_start(sbi);
	return 0;
}

/* From read-write to read-only, or to nothing at all. */
static int go_ro(struct ext4_sb *sbi)
{
	u16 state = sbi->mount_state;
	int err = 0;

	if (!load_once(&sbi->aborted)) {
		err = ext4_bufs_flush(sbi, true);
		if (load_once(&sbi->saw_error))
			state |= EXT4_ERROR_FS;
		if (!err)
			err = set_state(sbi, state);
	}
	atomic_fetch_or(&sbi->vfs->flags, (u64)MS_RDONLY);
	ext4_flusher_stop(sbi);
	return err;
}

static int ext4_remount(struct super_block *sb, u64 flags, const char *data)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	bool ro = sb->flags & MS_RDONLY, want_ro = flags & MS_RDONLY;
	u32 opts = sbi->opts;
	int err = ext4_options_parse(sbi, data);

	if (err || ro == want_ro)
		return err;
	if (want_ro)
		err = go_ro(sbi);
	else
		err = ext4_super_check(sbi, sbi->es, false) ?: go_rw(sbi);
	if (err)
		sbi->opts = opts;
	return err;
}

static void teardown(struct ext4_sb *sbi)
{
	ext4_zones_free(sbi);
	ext4_descs_free(sbi);
	ext4_buf_put(sbi->super_buf);
	ext4_bufs_destroy(sbi);
	ext4_flush_destroy(sbi);
	kfree(sbi);
}

static void ext4_put_super(struct super_block *sb)
{
	struct ext4_sb *sbi = EXT4_SB(sb);

	if (!(sb->flags & MS_RDONLY))
		(void)go_ro(sbi);
	ext4_flusher_stop(sbi);
	sb->priv = NULL;
	teardown(sbi);
}

static const struct super_ops ext4_super_ops = {
	.alloc_inode = alloc_inode,
	.free_inode = free_inode,
	.write_inode = ext4_write_inode,
	.evict_inode = ext4_evict_inode,
	.sync_fs = ext4_sync_fs,
	.statfs = ext4_statfs,
	.remount = ext4_remount,
	.put_super = ext4_put_super,
	.show_options = ext4_show_options,
};

/* Blocks that no file will ever have. */
static u64 overhead(struct ext4_sb *sbi)
{
	u64 n = sbi->first_block;
	u32 group;

	if (sbi->es->overhead_clusters)
		return min_t(u64, sbi->es->overhead_clusters, sbi->nr_blocks);
	for (group = 0; group < sbi->nr_groups; group++)
		n += ext4_group_base_blocks(sbi, group);
	n += (u64)sbi->nr_groups * (sbi->itable_blocks + 2);
	return min(n, sbi->nr_blocks);
}

/* The first look, before anything is known: copied to @es. */
static int peek(struct blkdev *bdev, struct ext4_super *es, bool silent)
{
	u8 *page = get_free_page(0);
	int err;

	if (!page)
		return -ENOMEM;
	if (bdev->nr_sectors < PAGE_SIZE / SECTOR_SIZE)
		err = -EINVAL;
	else
		err = blk_read(bdev, 0, page, PAGE_SIZE);
	if (!err)
		memcpy(es, page + EXT4_SUPER_OFFSET, sizeof(*es));
	free_page_addr(page);
	if (!err && es->magic != EXT4_MAGIC)
		err = -EINVAL;
	if (err && !silent)
		pr_err("ext4: %s: no ext2, ext3 or ext4 volume here: %d",
		       bdev->name, err);
	return err;
}

static void init_locks(struct ext4_sb *sbi)
{
	u32 i;

	mutex_init(&sbi->super_lock);
	mutex_init(&sbi->orphan_lock);
	mutex_init(&sbi->xattr_lock);
	list_init(&sbi->orphans);
	for (i = 0; i < EXT4_NR_GROUP_LOCKS; i++)
		mutex_init(&sbi->group_lock[i]);
}

/* Everything but the root directory.  The caller tears down on error. */
static int load(struct ext4_sb *sbi, const struct ext4_super *es, u64 flags,
		const char *data)
{
	u64 blk;
	int err = ext4_super_check(sbi, es, flags & MS_RDONLY);

	if (!err)
		err = ext4_options_parse(sbi, data);
	if (err)
		return err;
	ext4_super_geometry(sbi, es);
	err = ext4_bufs_init(sbi);
	if (!err)
		err = ext4_flush_init(sbi);
	if (err)
		return err;
	blk = EXT4_SUPER_OFFSET >> sbi->block_bits;
	sbi->super_buf = ext4_buf_read(sbi, blk, EXT4_KIND_SUPER, 0);
	if (IS_ERR(sbi->super_buf))
		return (int)PTR_ERR(sbi->super_buf);
	sbi->es = (void *)((u8 *)sbi->super_buf->data +
			   (EXT4_SUPER_OFFSET & (sbi->block_size - 1)));
	if (memcmp(sbi->es, es, sizeof(*es)) != 0)
		return -EIO; /* it changed between two reads */
	err = ext4_descs_load(sbi);
	if (!err)
		err = ext4_zones_build(sbi);
	if (err)
		return err;
	sbi->overhead = overhead(sbi);
	sbi->gen_seed = (u32)clock_real_ns();
	return 0;
}

static void fill_vfs(struct ext4_sb *sbi, struct super_block *sb)
{
	sb->ops = &ext4_super_ops;
	sb->priv = sbi;
	sb->flags |= MS_RDONLY; /* until go_rw() */
	sb->magic = EXT4_SUPER_MAGIC;
	sb->block_size = sbi->block_size;
	sb->max_size = sbi->has_extents ? sbi->max_file_ext : sbi->max_file_ind;
	sb->time_gran = sbi->want_extra_isize >= 16 ? 1 : NSEC_PER_SEC;
}

static int load_root(struct ext4_sb *sbi, struct super_block *sb)
{
	struct inode *root;
	int err = ext4_iget_linked(sbi, EXT4_ROOT_INO, &root);

	if (err)
		return err;
	if (!S_ISDIR(root->mode)) {
		pr_err("ext4: %s: the root is not a directory",
		       sbi->bdev->name);
		inode_put(root);
		return -EFSCORRUPTED;
	}
	sb->root = dentry_alloc_root(root);
	if (!sb->root) {
		inode_put(root);
		return -ENOMEM;
	}
	return 0;
}

static int mount_with(struct ext4_sb *sbi, struct super_block *sb,
		      struct ext4_super *es, u64 flags, const char *data)
{
	int err;

	sbi->vfs = sb;
	sbi->bdev = sb->bdev;
	init_locks(sbi);
	err = load(sbi, es, flags, data);
	if (err)
		return err;
	fill_vfs(sbi, sb);
	if (!(flags & MS_RDONLY))
		err = go_rw(sbi);
	else
		sbi->mount_state = sbi->es->state;
	if (!err)
		err = load_root(sbi, sb);
	if (!err)
		return 0;
	if (!(sb->flags & MS_RDONLY))
		(void)go_ro(sbi);
	inodes_drop_sb(sb);
	return err;
}

static int ext4_mount(struct super_block *sb, struct blkdev *bdev, u64 flags,
		      const char *data)
{
	struct ext4_super *es = kmalloc(sizeof(*es));
	struct ext4_sb *sbi = kzalloc(sizeof(*sbi));
	int err = -ENOMEM;

	if (es && sbi)
		err = peek(bdev, es, flags & MS_SILENT);
	if (!err) {
		sb->bdev = bdev;
		err = mount_with(sbi, sb, es, flags, data);
		if (err) {
			sb->priv = NULL;
			teardown(sbi);
		}
	} else {
		kfree(sbi);
	}
	kfree(es);
	return err;
}

static struct fs_type types[] = {
	{ .name = "ext4", .needs_dev = true, .mount = ext4_mount },
	{ .name = "ext3", .needs_dev = true, .mount = ext4_mount },
	{ .name = "ext2", .needs_dev = true, .mount = ext4_mount },
};

static int ext4_init(void)
{
	u32 i;
	int err = ext4_bufs_register();

	inode_cache =
		kmem_cache_create("ext4_inode", sizeof(struct ext4_inode), 64);
	if (!inode_cache)
		return -ENOMEM;
	ext4_file_init();
	for (i = 0; i < ARRAY_SIZE(types) && !err; i++)
		err = fs_register(&types[i]);
	return err;
}
INITCALL(INIT_VFS, ext4_init);
