/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/ialloc.c - give inodes out and take them back.
 *
 * A file goes to its directory's group, so that they are read together; a
 * directory below the root goes to a group with room, so that files have some
 * around them; other directories stay near their parent.
 *
 * Locking: the group lock; counters are atomic.
 */
#include <fs/ext4/extent.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/hash.h>

static u32 group_of_inode(const struct ext4_sb *sbi, u64 ino)
{
	return (u32)((ino - 1) / sbi->inodes_per_group);
}

/* Read without the lock: a hint. */
static bool roomy(struct ext4_sb *sbi, u32 group)
{
	const struct ext4_desc *d = ext4_desc(sbi, group, NULL);
	u64 inodes = load_once(&sbi->free_inodes) / sbi->nr_groups;
	u64 blocks = load_once(&sbi->free_blocks) / sbi->nr_groups;

	return ext4_desc_free_inodes(sbi, d) >= inodes &&
	       ext4_desc_free_blocks(sbi, d) >= blocks;
}

/* Where to begin to look. */
static u32 first_group(struct ext4_sb *sbi, struct inode *dir, bool is_dir)
{
	u32 parent = group_of_inode(sbi, dir->ino), group, i;

	if (!is_dir || (dir->ino != EXT4_ROOT_INO &&
			!(EXT4_I(dir)->flags & EXT4_TOPDIR_FL)))
		return parent;
	group = atomic_fetch_add(&sbi->next_group, 1u) % sbi->nr_groups;
	for (i = 0; i < sbi->nr_groups && i < 1024; i++) {
		if (roomy(sbi, group))
			return group;
		if (++group == sbi->nr_groups)
			group = 0;
	}
	return parent;
}

/* The first inode of a group makes its block bitmap real, too. */
static int init_block_bitmap(struct ext4_handle *h, struct ext4_sb *sbi,
			     struct ext4_desc *d, u32 group)
{
	struct ext4_buf *b;
	int err;

	if (!(d->flags & EXT4_BG_BLOCK_UNINIT))
		return 0;
	b = ext4_read_block_bitmap(sbi, group);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	err = ext4_write_access(h, b);
	if (!err) {
		d->flags &= (u16)~EXT4_BG_BLOCK_UNINIT;
		ext4_dirty(h, b);
	}
	ext4_buf_put(b);
	return err;
}

static void count_inode(struct ext4_sb *sbi, struct ext4_desc *d, u32 bit,
			bool is_dir)
{
	u32 used;

	ext4_desc_set_free_inodes(sbi, d, ext4_desc_free_inodes(sbi, d) - 1);
	if (is_dir)
		ext4_desc_set_used_dirs(sbi, d,
					ext4_desc_used_dirs(sbi, d) + 1);
	if (!sbi->has_csum && !sbi->has_gdt_csum)
		return;
	used = sbi->inodes_per_group - ext4_desc_itable_unused(sbi, d);
	if (d->flags & EXT4_BG_INODE_UNINIT)
		used = 0;
	d->flags &= (u16)~EXT4_BG_INODE_UNINIT;
	used = max(used, bit + 1);
	ext4_desc_set_itable_unused(sbi, d, sbi->inodes_per_group - used);
}

/* 0, -ENOSPC: not here, or another error.  The group lock is held. */
static int try_group(struct ext4_handle *h, struct ext4_sb *sbi, u32 group,
		     bool is_dir, u64 *ino)
{
	struct ext4_buf *db, *b;
	struct ext4_desc *d = ext4_desc(sbi, group, &db);
	u32 bit;
	int err;

	if (!ext4_desc_free_inodes(sbi, d) || sbi->group[group].bad_inodes)
		return -ENOSPC;
	b = ext4_read_inode_bitmap(sbi, group);
	if (IS_ERR(b))
		return PTR_ERR(b) == -ENOMEM ? -ENOMEM : -ENOSPC;
	bit = (u32)find_next_zero(b->data, sbi->inodes_per_group,
				  group ? 0 : sbi->first_ino - 1);
	err = bit < sbi->inodes_per_group ? 0 : -ENOSPC;
	if (!err)
		err = ext4_write_access(h, b) ?: ext4_write_access(h, db);
	if (!err)
		err = init_block_bitmap(h, sbi, d, group);
	if (!err) {
		set_bit(bit, b->data);
		count_inode(sbi, d, bit, is_dir);
		ext4_dirty(h, b);
		ext4_dirty(h, db);
		*ino = (u64)group * sbi->inodes_per_group + bit + 1;
	}
	ext4_buf_put(b);
	return err;
}

static int find_inode(struct ext4_handle *h, struct ext4_sb *sbi,
		      struct inode *dir, bool is_dir, u64 *ino)
{
	u32 group = first_group(sbi, dir, is_dir), i;
	int err = -ENOSPC;

	for (i = 0; i < sbi->nr_groups && err == -ENOSPC; i++) {
		struct mutex *lock = ext4_group_lock(sbi, group);

		mutex_lock(lock);
		err = try_group(h, sbi, group, is_dir, ino);
		mutex_unlock(lock);
		if (++group == sbi->nr_groups)
			group = 0;
	}
	if (!err) {
		atomic_add_relaxed(&sbi->free_inodes, -1ull);
		if (is_dir)
			atomic_add_relaxed(&sbi->nr_dirs, 1ull);
	}
	return err;
}

static void set_owner(struct inode *inode, const struct inode *dir, u32 mode)
{
	const struct cred *c = current ? current->cred : NULL;

	inode->mode = mode;
	inode->uid = c ? c->fsuid : 0;
	inode->gid = c ? c->fsgid : 0;
	if (load_once(&inode_sbi(dir)->opt.flags) & EXT4_OPT_GRPID) {
		inode->gid = dir->gid;
	} else if (dir->mode & S_ISGID) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			inode->mode |= S_ISGID;
	}
}

/* @inode, from inode_new(), becomes a new file near @dir; not on disk yet. */
int ext4_new_inode(struct ext4_handle *h, struct inode *dir,
		   struct inode *inode, u32 mode)
{
	struct ext4_sb *sbi = inode_sbi(dir);
	struct ext4_inode *ei = EXT4_I(inode);
	bool is_dir = S_ISDIR(mode);
	u64 ino = 0;
	int err;

	err = find_inode(h, sbi, dir, is_dir, &ino);
	if (err)
		return err;
	inode->ino = ino;
	set_owner(inode, dir, mode);
	inode->nlink = is_dir ? 2 : 1;
	inode->generation =
		(u32)hash64(atomic_fetch_add(&sbi->gen_seed, 1u) ^ ino << 32);
	ei->flags = EXT4_I(dir)->flags & EXT4_INHERIT_FLAGS;
	if (!is_dir)
		ei->flags &= ~(u32)EXT4_DIR_FLAGS;
	if (S_ISLNK(mode))
		ei->flags = 0;
	ei->csum_seed = ext4_inode_seed(sbi, (u32)ino, inode->generation);
	ei->extra_isize = (u16)sbi->want_extra_isize;
	ei->fresh = true;
	if (sbi->has_extents && (S_ISREG(mode) || is_dir)) {
		ei->flags |= EXT4_EXTENTS_FL;
		ext4_ext_init(ei);
	}
	ext4_set_ops(inode);
	return 0;
}

/* Its blocks are gone already. */
void ext4_free_inode(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u32 group = group_of_inode(sbi, inode->ino);
	u32 bit = (u32)((inode->ino - 1) % sbi->inodes_per_group);
	struct ext4_buf *db, *b;
	struct ext4_desc *d = ext4_desc(sbi, group, &db);
	bool is_dir = S_ISDIR(inode->mode);

	if (inode->ino < sbi->first_ino) {
		ext4_error(sbi, inode->ino, "reserved inode is being freed");
		return;
	}
	if (ext4_mark_dirty(h, inode))
		return;
	mutex_lock(ext4_group_lock(sbi, group));
	b = ext4_read_inode_bitmap(sbi, group);
	if (IS_ERR(b) || ext4_write_access(h, b) || ext4_write_access(h, db))
		goto out;
	if (!test_bit(bit, b->data)) {
		ext4_error(sbi, inode->ino, "freed while free");
		goto out;
	}
	clear_bit(bit, b->data);
	ext4_desc_set_free_inodes(sbi, d, ext4_desc_free_inodes(sbi, d) + 1);
	if (is_dir && ext4_desc_used_dirs(sbi, d)) {
		ext4_desc_set_used_dirs(sbi, d,
					ext4_desc_used_dirs(sbi, d) - 1);
		atomic_add_relaxed(&sbi->nr_dirs, -1ull);
	}
	atomic_add_relaxed(&sbi->free_inodes, 1ull);
	ext4_dirty(h, b);
	ext4_dirty(h, db);
out:
	mutex_unlock(ext4_group_lock(sbi, group));
	ext4_buf_put(b);
}
