/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/super.c - mount, remount, sync and unmount a volume.
 *
 * While a volume with a journal is mounted for writing its super block says
 * that it needs recovery; one without a journal has EXT4_VALID_FS clear.  Both
 * are mended when it is unmounted or becomes read-only in good order.
 *
 * A journal that needs it is replayed before anything else is believed: then
 * everything read so far is dropped and the mount begins again.
 *
 * The super block in memory is part of transactions only for the orphan list.
 * Its counters are made at mount from the descriptors and written with it.
 *
 * Locking: who writes the super block has all handles out, or a handle.
 */
#include <fs/ext4/flush.h>
#include <fs/ext4/io.h>
#include <fs/ext4/journal.h>
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

static bool set_counters(struct ext4_sb *sbi, struct ext4_super *es)
{
	u64 blocks = load_once(&sbi->free_blocks);
	u32 inodes = (u32)load_once(&sbi->free_inodes);
	u32 hi = sbi->has_64bit ? (u32)(blocks >> 32) : 0;

	if (es->free_blocks_count_lo == (u32)blocks &&
	    es->free_blocks_count_hi == hi && es->free_inodes_count == inodes)
		return false;
	es->free_blocks_count_lo = (u32)blocks;
	es->free_blocks_count_hi = hi;
	es->free_inodes_count = inodes;
	return true;
}

/* All handles are kept out (flush.h), so the counters stand still. */
void ext4_super_fill(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;
	u16 state = es->state;

	if (load_once(&sbi->saw_error))
		state |= EXT4_ERROR_FS;
	if (!set_counters(sbi, es) && es->state == state)
		return;
	es->state = state;
	es->wtime = (u32)(clock_real_ns() / NSEC_PER_SEC);
	ext4_buf_mark_dirty(sbi->super_buf);
}

int ext4_sync_fs(struct super_block *sb, bool wait)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	int err;

	if (!wait) {
		ext4_commit_start(sbi);
		return 0;
	}
	ext4_unwrite_failed(sbi);
	if (!sbi->journal)
		return ext4_bufs_flush(sbi, true);
	err = ext4_commit_running(sbi);
	return err ? err : ext4_flush_device(sbi);
}

/* Also the log is empty then. */
static int ext4_settle(struct super_block *sb)
{
	struct ext4_sb *sbi = EXT4_SB(sb);

	return sbi->journal ? ext4_checkpoint_all(sbi->journal, true) : 0;
}

static int ext4_statfs(struct super_block *sb, struct kstatfs *out)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	u64 free = load_once(&sbi->free_blocks);
	u64 delayed = load_once(&sbi->delayed);
	const u32 *uuid = (const void *)sbi->es->uuid;
	u64 kept = sbi->r_blocks + ext4_tree_reserve(sbi);
	bool minix = sbi->opt.flags & EXT4_OPT_MINIXDF;

	*out = (struct kstatfs){
		.type = EXT4_SUPER_MAGIC,
		.bsize = sbi->block_size,
		.frsize = sbi->block_size,
		.blocks = sbi->nr_blocks - (minix ? 0 : sbi->overhead),
		.files = sbi->nr_inodes,
		.ffree = load_once(&sbi->free_inodes),
		.fsid = (u64)(uuid[1] ^ uuid[3]) << 32 | (uuid[0] ^ uuid[2]),
		.namelen = NAME_MAX,
		.flags = sb->flags,
	};
	out->bfree = free > delayed ? free - delayed : 0;
	out->bavail = out->bfree > kept ? out->bfree - kept : 0;
	return 0;
}

/* The super block as it is in memory, at once.  No handle is open. */
static int write_super(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;
	int err;

	(void)set_counters(sbi, es);
	es->wtime = (u32)(clock_real_ns() / NSEC_PER_SEC);
	ext4_buf_csum_set(sbi, sbi->super_buf);
	err = ext4_io(sbi, BIO_WRITE, 0, sbi->super_buf->blk,
		      sbi->super_buf->data, 1);
	return err ? err : ext4_flush_device(sbi);
}

static void describe_error(struct ext4_sb *sbi, struct ext4_super *es)
{
	u32 now = (u32)(clock_real_ns() / NSEC_PER_SEC);
	u32 ino = (u32)load_once(&sbi->error_ino);

	es->state |= EXT4_ERROR_FS;
	if (!es->error_count) {
		es->first_error_time = now;
		es->first_error_ino = ino;
	}
	es->last_error_time = now;
	es->last_error_ino = ino;
	es->error_count++;
}

/* Into the super block on the disk, which may be older than the one in memory;
 * nothing of that is committed. */
static int save_error_direct(struct ext4_sb *sbi)
{
	u64 blk = sbi->super_buf->blk;
	u8 *copy = alloc_pages_exact(sbi->block_size, 0);
	struct ext4_super *es;
	int err;

	if (!copy)
		return -ENOMEM;
	es = (void *)(copy + (EXT4_SUPER_OFFSET & (sbi->block_size - 1)));
	err = ext4_io(sbi, BIO_READ, 0, blk, copy, 1);
	if (!err) {
		describe_error(sbi, es);
		if (sbi->has_csum)
			ext4_super_csum_set(es);
		err = ext4_io(sbi, BIO_WRITE, 0, blk, copy, 1);
	}
	free_pages_exact(copy, sbi->block_size);
	return err;
}

void ext4_save_error(struct ext4_sb *sbi)
{
	struct ext4_handle h;

	store_once(&sbi->error_unsaved, false);
	if (sbi->bdev->read_only)
		return;
	if (!load_once(&sbi->aborted)) {
		if (!ext4_begin(sbi, &h, 1)) {
			if (!ext4_write_access(&h, sbi->super_buf)) {
				describe_error(sbi, sbi->es);
				ext4_dirty(&h, sbi->super_buf);
			}
			ext4_end(&h);
		}
		return;
	}
	if (sbi->journal && sbi->journal->pool)
		ext4_journal_save_error(sbi->journal);
	if (save_error_direct(sbi))
		pr_err("ext4: %s: cannot note the error", sbi->bdev->name);
}

/* From read-only to read-write. */
static int may_go_rw(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;

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
	return 0;
}

static int start_journal(struct ext4_sb *sbi)
{
	u32 error = be32_get(sbi->journal->super->error);

	if (error) {
		pr_warn("ext4: %s: the journal tells of an error (%d): e2fsck is recommended",
			sbi->bdev->name, (int)error);
		sbi->es->state |= EXT4_ERROR_FS;
	}
	/* Whoever cleared the flag in the super block has seen to it. */
	if (be32_get(sbi->journal->super->start)) {
		int err = ext4_journal_skip(sbi->journal);

		if (err)
			return err;
	}
	return ext4_journal_start(sbi);
}

int ext4_make_unclean(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;

	if (sbi->journal)
		es->feature_incompat |= EXT4_INCOMPAT_RECOVER;
	else
		es->state &= (u16)~EXT4_VALID_FS;
	return write_super(sbi);
}

static int go_rw(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;
	bool orphans = es->feature_ro_compat & EXT4_RO_COMPAT_ORPHAN_PRESENT;
	int err = may_go_rw(sbi);

	if (!err && sbi->journal)
		err = start_journal(sbi);
	if (err)
		return err;
	sbi->mount_state = es->state;
	es->mnt_count++;
	es->mtime = (u32)(clock_real_ns() / NSEC_PER_SEC);
	ext4_orphan_file_open(sbi);
	err = ext4_make_unclean(sbi);
	if (err)
		return err;
	atomic_fetch_and(&sbi->vfs->flags, ~(u64)MS_RDONLY);
	ext4_orphan_process(sbi, orphans);
	ext4_flusher_start(sbi);
	return 0;
}

/* Nobody begins a handle any more, and all that were open have ended. */
static void keep_out(struct ext4_sb *sbi)
{
	atomic_fetch_or(&sbi->vfs->flags, (u64)MS_RDONLY);
	down_write(&sbi->barrier);
	up_write(&sbi->barrier);
}

int ext4_make_clean(struct ext4_sb *sbi)
{
	struct ext4_super *es = sbi->es;
	int err;

	if (sbi->journal)
		err = ext4_checkpoint_all(sbi->journal, true);
	else
		err = ext4_bufs_flush(sbi, true);
	if (err)
		return err;
	es->state = sbi->mount_state;
	if (load_once(&sbi->saw_error))
		es->state |= EXT4_ERROR_FS;
	es->feature_incompat &= ~(u32)EXT4_INCOMPAT_RECOVER;
	return write_super(sbi);
}

/* From read-write to read-only, or to nothing at all. */
static int go_ro(struct ext4_sb *sbi)
{
	int err = 0;

	keep_out(sbi);
	ext4_flusher_stop(sbi);
	if (!load_once(&sbi->aborted))
		err = ext4_make_clean(sbi);
	if (load_once(&sbi->error_unsaved))
		ext4_save_error(sbi);
	if (err && !load_once(&sbi->aborted)) {
		atomic_fetch_and(&sbi->vfs->flags, ~(u64)MS_RDONLY);
		ext4_flusher_start(sbi);
	}
	return err;
}

static int ext4_remount(struct super_block *sb, u64 flags, const char *data)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	bool ro = sb->flags & MS_RDONLY, want_ro = flags & MS_RDONLY;
	struct ext4_options old = sbi->opt;
	int err = ext4_options_parse(sbi, data, true);

	if (!err)
		ext4_abort_if_asked(sbi);
	if (err || ro == want_ro)
		return err;
	if (load_once(&sbi->shut))
		err = -EROFS;
	else if (want_ro)
		err = go_ro(sbi);
	else
		err = ext4_super_supported(sbi, sbi->es, false) ?: go_rw(sbi);
	if (err)
		sbi->opt = old;
	return err;
}

static void teardown(struct ext4_sb *sbi)
{
	sbi->vfs->flags |=
		MS_RDONLY; /* nothing can be done for them any more */
	ext4_unwrite_failed(sbi);
	ext4_orphan_file_close(sbi);
	ext4_zones_free(sbi);
	ext4_descs_free(sbi);
	ext4_buf_put(sbi->super_buf);
	ext4_bufs_destroy(sbi);
	ext4_journal_close(sbi);
	ext4_flush_destroy(sbi);
	kfree(sbi);
}

static void ext4_put_super(struct super_block *sb)
{
	struct ext4_sb *sbi = EXT4_SB(sb);

	ext4_sys_del(sbi);
	if (!(sb->flags & MS_RDONLY))
		(void)go_ro(sbi);
	ext4_flusher_stop(sbi);
	if (load_once(&sbi->error_unsaved))
		ext4_save_error(sbi);
	sb->priv = NULL;
	teardown(sbi);
}

static const struct super_ops ext4_super_ops = {
	.fh_to_inode = ext4_fh_to_inode,
	.has_dotdot = true,
	.alloc_inode = alloc_inode,
	.free_inode = free_inode,
	.write_inode = ext4_write_inode,
	.evict_inode = ext4_evict_inode,
	.sync_fs = ext4_sync_fs,
	.settle = ext4_settle,
	.freeze = ext4_freeze,
	.thaw = ext4_thaw,
	.device_written = ext4_device_written,
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

	mutex_init(&sbi->orphan_lock);
	mutex_init(&sbi->xattr_lock);
	list_init(&sbi->orphans);
	list_init(&sbi->failed);
	for (i = 0; i < EXT4_NR_GROUP_LOCKS; i++)
		mutex_init(&sbi->group_lock[i]);
}

static int load_super(struct ext4_sb *sbi, const struct ext4_super *es)
{
	sbi->super_buf = ext4_buf_read(
		sbi, EXT4_SUPER_OFFSET >> sbi->block_bits, EXT4_KIND_SUPER, 0);
	if (IS_ERR(sbi->super_buf))
		return (int)PTR_ERR(sbi->super_buf);
	sbi->es = (void *)((u8 *)sbi->super_buf->data +
			   (EXT4_SUPER_OFFSET & (sbi->block_size - 1)));
	if (memcmp(sbi->es, es, sizeof(*es)) != 0)
		return -EIO; /* it changed between two reads */
	return 0;
}

/* Everything but the journal and the root directory.  The caller tears down
 * on error. */
static int load(struct ext4_sb *sbi, const struct ext4_super *es, u64 flags,
		const char *data)
{
	char stored[sizeof(es->mount_opts) + 1] = { 0 };
	int err;

	memcpy(stored, es->mount_opts, sizeof(es->mount_opts));
	ext4_options_default(sbi, es);
	err = ext4_options_parse(sbi, stored, false);
	if (!err)
		err = ext4_options_parse(sbi, data, false);
	if (!err)
		err = ext4_super_check(sbi, es, flags & MS_RDONLY);
	if (err)
		return err;
	ext4_super_geometry(sbi, es);
	if (sbi->opt.extra_isize > sbi->inode_size - EXT4_GOOD_OLD_INODE_SIZE)
		return -EINVAL;
	err = ext4_bufs_init(sbi);
	if (!err)
		err = ext4_flush_init(sbi);
	if (!err)
		err = load_super(sbi, es);
	if (!err)
		err = ext4_descs_load(sbi);
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
	memcpy(sb->uuid, sbi->es->uuid, sizeof(sb->uuid));
	sb->has_iflags = true;
	sb->block_size = sbi->block_size;
	sb->max_size = sbi->has_extents ? sbi->max_file_ext : sbi->max_file_ind;
	sb->time_gran = sbi->want_extra_isize >= 16 ? 1 : NSEC_PER_SEC;
	sb->time_min = -(s64)BIT(31);
	/* two bits more, that count from there on */
	sb->time_max =
		sb->time_min + (s64)BIT(sb->time_gran == 1 ? 34 : 32) - 1;
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

/* Nobody may own what the journal has. */
static int guard_journal(struct ext4_sb *sbi)
{
	const struct ext4_journal *j = sbi->journal;
	u32 i;
	int err = 0;

	for (i = 0; i < j->nr_runs && !err; i++)
		err = ext4_zone_add(sbi, j->run[i].blk, j->run[i].len);
	return err;
}

/* Replay what is in it: 1, and all that was read is old; 0: nothing was. */
static int replay(struct ext4_sb *sbi)
{
	struct ext4_journal *j = sbi->journal;
	int err;

	if (!(sbi->es->feature_incompat & EXT4_INCOMPAT_RECOVER) ||
	    !be32_get(j->super->start))
		return 0;
	if (sbi->bdev->read_only) {
		pr_err("ext4: %s: the journal needs recovery, the device is read-only: try noload",
		       sbi->bdev->name);
		return -EROFS;
	}
	err = ext4_journal_recover(j);
	return err ? err : 1;
}

/* What a group has of its own is where it may be. */
static int check_tables(struct ext4_sb *sbi)
{
	int err = ext4_descs_check(sbi);

	return err ? err : ext4_zones_build(sbi);
}

/*
 * The journal, and then the groups' tables; 1: begin again.  Before a replay they are
 * not believed: a volume that grew may have a new super block and old descriptors.
 */
static int open_journal(struct ext4_sb *sbi)
{
	bool first = !(sbi->es->feature_incompat & EXT4_INCOMPAT_RECOVER) ||
		     (sbi->opt.flags & EXT4_OPT_NOLOAD);
	int err = first ? check_tables(sbi) : 0;

	if (err || (sbi->opt.flags & EXT4_OPT_NOLOAD))
		return err;
	err = ext4_journal_open(sbi);
	if (!err && sbi->journal)
		err = replay(sbi);
	if (!err && !first)
		err = check_tables(sbi);
	return err || !sbi->journal ? err : guard_journal(sbi);
}

/* Mounted read-only, and replayed: nothing is to be recovered any more. */
static int forget_recovery(struct ext4_sb *sbi)
{
	if (!sbi->journal || sbi->bdev->read_only ||
	    !(sbi->es->feature_incompat & EXT4_INCOMPAT_RECOVER))
		return 0;
	sbi->es->feature_incompat &= ~(u32)EXT4_INCOMPAT_RECOVER;
	return write_super(sbi);
}

/* 1: the journal was replayed; begin again. */
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
	err = open_journal(sbi);
	if (!err && !(flags & MS_RDONLY))
		err = go_rw(sbi);
	else if (!err)
		err = forget_recovery(sbi);
	if (!err)
		err = load_root(sbi, sb);
	if (!err) {
		ext4_abort_if_asked(sbi);
		ext4_sys_add(sbi);
		return 0;
	}
	if (!(sb->flags & MS_RDONLY))
		(void)go_ro(sbi);
	inodes_drop_sb(sb);
	return err;
}

static int mount_once(struct super_block *sb, u64 flags, const char *data)
{
	struct ext4_super *es = kmalloc(sizeof(*es));
	struct ext4_sb *sbi = kzalloc(sizeof(*sbi));
	int err = -ENOMEM;

	if (es && sbi)
		err = peek(sb->bdev, es, flags & MS_SILENT);
	if (!err) {
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

static int ext4_mount(struct super_block *sb, struct blkdev *bdev, u64 flags,
		      const char *data)
{
	int err;

	sb->bdev = bdev;
	err = mount_once(sb, flags, data);
	if (err > 0)
		err = mount_once(sb, flags, data);
	return err > 0 ? -EIO : err; /* the log does not get empty */
}

#define EXT_TYPE(nm)                                                  \
	{                                                             \
		.name = (nm), .needs_dev = true, .mount = ext4_mount, \
		.check_option = ext4_check_option                     \
	}
static struct fs_type types[] = { EXT_TYPE("ext4"), EXT_TYPE("ext3"),
				  EXT_TYPE("ext2") };

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
	(void)ext4_sys_init();
	return err;
}
INITCALL(INIT_VFS, ext4_init);
