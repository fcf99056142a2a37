/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/orphan_file.c - the file in which orphans are noted (orphan_file).
 *
 * Each word of its blocks, but for a tail with a checksum, is free (0) or has the
 * number of an orphan.  Where the blocks lie is read once, at the first mount for
 * writing.
 *
 * INVARIANT  While nr_file_orphans is not 0, and no longer, the super block says that
 * the file must be looked at (ORPHAN_PRESENT); both change in one transaction.
 *
 * A file that is full, or that cannot be read, costs nothing but the list: orphan.c.
 *
 * Locking: sbi->orphan_lock.
 */
#include <fs/ext4/ext4.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/thread.h>

#define MAX_BLOCKS 4096u

static u32 per_block(const struct ext4_sb *sbi)
{
	return (sbi->block_size - (u32)sizeof(struct ext4_orphan_tail)) / 4;
}

static struct ext4_buf *read_block(struct ext4_sb *sbi, u32 nr)
{
	return ext4_buf_read(sbi, sbi->orphan_blk[nr], EXT4_KIND_ORPHAN,
			     sbi->orphan_seed);
}

static int find_blocks(struct ext4_sb *sbi, struct inode *inode)
{
	u64 nr = inode->i_size >> sbi->block_bits;
	int err = 0;
	u32 i;

	if (!S_ISREG(inode->mode) || !nr || nr > MAX_BLOCKS)
		return -EFSCORRUPTED;
	sbi->orphan_blk = kcalloc(nr, sizeof(*sbi->orphan_blk));
	if (!sbi->orphan_blk)
		return -ENOMEM;
	for (i = 0; i < nr && !err; i++) {
		struct ext4_map m = { .lblk = i, .len = 1 };

		err = ext4_map_read(inode, &m);
		if (!err && m.state != EXT4_WRITTEN)
			err = -EFSCORRUPTED;
		sbi->orphan_blk[i] = m.pblk;
	}
	sbi->orphan_seed = EXT4_I(inode)->csum_seed;
	if (!err)
		sbi->nr_orphan_blk = (u32)nr;
	return err;
}

void ext4_orphan_file_open(struct ext4_sb *sbi)
{
	u32 ino = sbi->es->orphan_file_inum;
	struct inode *inode;
	int err;

	if (!(sbi->es->feature_compat & EXT4_COMPAT_ORPHAN_FILE) || !ino ||
	    sbi->orphan_blk)
		return;
	err = ext4_iget(sbi, ino, &inode);
	if (!err) {
		err = find_blocks(sbi, inode);
		inode_put(inode);
	}
	if (err) {
		kfree(sbi->orphan_blk);
		sbi->orphan_blk = NULL;
		pr_warn("ext4: %s: the orphan file is of no use: %d",
			sbi->bdev->name, err);
	}
}

void ext4_orphan_file_close(struct ext4_sb *sbi)
{
	kfree(sbi->orphan_blk);
	sbi->orphan_blk = NULL;
	sbi->nr_orphan_blk = 0;
}

static int set_word(struct ext4_handle *h, struct ext4_buf *b, u32 at, u32 v)
{
	int err = ext4_write_access(h, b);

	if (err)
		return err;
	((u32 *)b->data)[at] = v;
	ext4_dirty(h, b);
	return 0;
}

/* The first orphan comes, or the last one goes. */
static int set_present(struct ext4_handle *h, struct ext4_sb *sbi, bool yes)
{
	int err = ext4_write_access(h, sbi->super_buf);

	if (err)
		return err;
	if (yes)
		sbi->es->feature_ro_compat |= EXT4_RO_COMPAT_ORPHAN_PRESENT;
	else
		sbi->es->feature_ro_compat &=
			~(u32)EXT4_RO_COMPAT_ORPHAN_PRESENT;
	ext4_dirty(h, sbi->super_buf);
	return 0;
}

/* -ENOSPC: nothing is free in this block. */
static int add_in(struct ext4_handle *h, struct inode *inode, u32 nr)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_buf *b = read_block(sbi, nr);
	u32 n = per_block(sbi), i;
	const u32 *ino;
	int err = -ENOSPC;

	if (IS_ERR(b))
		return -ENOSPC;
	ino = b->data;
	for (i = 0; i < n && ino[i]; i++)
		;
	if (i < n) {
		err = sbi->nr_file_orphans ? 0 : set_present(h, sbi, true);
		err = err ? err : set_word(h, b, i, (u32)inode->ino);
	}
	if (!err) {
		EXT4_I(inode)->orphan_slot = nr * n + i + 1;
		sbi->nr_file_orphans++;
	}
	ext4_buf_put(b);
	return err;
}

int ext4_orphan_file_add(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	int err = -ENOSPC;
	u32 i;

	for (i = 0; i < sbi->nr_orphan_blk && err == -ENOSPC; i++)
		err = add_in(h, inode, i);
	return err;
}

int ext4_orphan_file_del(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	u32 slot = ei->orphan_slot - 1, n = per_block(sbi);
	struct ext4_buf *b = read_block(sbi, slot / n);
	int err;

	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	err = sbi->nr_file_orphans > 1 ? 0 : set_present(h, sbi, false);
	err = err ? err : set_word(h, b, slot % n, 0);
	ext4_buf_put(b);
	if (err)
		return err;
	ei->orphan_slot = 0;
	sbi->nr_file_orphans--;
	return 0;
}

/* All are known before the first one goes. */
static int count(struct ext4_sb *sbi)
{
	u32 n = per_block(sbi), i, k;

	for (i = 0; i < sbi->nr_orphan_blk; i++) {
		struct ext4_buf *b = read_block(sbi, i);

		if (IS_ERR(b))
			return (int)PTR_ERR(b);
		for (k = 0; k < n; k++)
			sbi->nr_file_orphans += ((const u32 *)b->data)[k] != 0;
		ext4_buf_put(b);
	}
	return 0;
}

static bool process_block(struct ext4_sb *sbi, u32 nr, u32 *done)
{
	struct ext4_buf *b = read_block(sbi, nr);
	u32 n = per_block(sbi), i;
	bool ok = !IS_ERR(b);

	for (i = 0; ok && i < n; i++) {
		u32 ino = ((const u32 *)b->data)[i];

		if (!ino)
			continue;
		/* It frees its word with itself. */
		ok = !ext4_orphan_recover(sbi, ino, nr * n + i + 1) &&
		     !((const u32 *)b->data)[i];
		if (!ok)
			ext4_error(sbi, ino, "bad orphan file");
		(*done)++;
		cond_resched();
	}
	ext4_buf_put(b);
	return ok;
}

/* Somebody's flag, and nothing in the file: Linux has it while it is mounted. */
static void forget_flag(struct ext4_sb *sbi)
{
	struct ext4_handle h;

	if (ext4_begin(sbi, &h, 1))
		return;
	(void)set_present(&h, sbi, false);
	ext4_end(&h);
}

u32 ext4_orphan_file_process(struct ext4_sb *sbi)
{
	u32 done = 0, i;

	if (count(sbi)) {
		ext4_error(sbi, 0, "cannot read the orphan file");
		return 0;
	}
	if (sbi->nr_orphan_blk && !sbi->nr_file_orphans)
		forget_flag(sbi);
	for (i = 0; i < sbi->nr_orphan_blk; i++) {
		if (!process_block(sbi, i, &done))
			break;
	}
	return done;
}
