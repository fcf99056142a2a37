/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/orphan.c - inodes that have no name but are still in use.
 *
 * They form a list on the disk, from s_last_orphan through each one's i_dtime,
 * so that after a crash the next mount can free them; with them are files
 * whose truncation was under way (link count not 0).  The same list is kept in
 * memory, first first.
 *
 * A volume with the orphan_file feature has them in a file of its own instead
 * (orphan_file.c), and those that do not fit on the list.
 *
 * Locking: sbi->orphan_lock.
 */
#include <fs/ext4/ext4.h>

int ext4_orphan_add(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	int err = 0;

	mutex_lock(&sbi->orphan_lock);
	if (list_is_linked(&ei->orphan_node) || ei->orphan_slot)
		goto out;
	err = ext4_orphan_file_add(h, inode);
	if (err != -ENOSPC)
		goto out;
	err = ext4_write_access(h, sbi->super_buf);
	if (err)
		goto out;
	ei->dtime = sbi->es->last_orphan;
	sbi->es->last_orphan = (u32)inode->ino;
	list_add(&ei->orphan_node, &sbi->orphans);
	ext4_dirty(h, sbi->super_buf);
out:
	if (!err)
		err = ext4_mark_dirty(h, inode);
	mutex_unlock(&sbi->orphan_lock);
	return err;
}

static int unlink_first(struct ext4_handle *h, struct ext4_sb *sbi, u32 next)
{
	int err = ext4_write_access(h, sbi->super_buf);

	if (err)
		return err;
	sbi->es->last_orphan = next;
	ext4_dirty(h, sbi->super_buf);
	return 0;
}

int ext4_orphan_del(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode), *prev;
	int err = 0;

	mutex_lock(&sbi->orphan_lock);
	if (ei->orphan_slot)
		err = ext4_orphan_file_del(h, inode);
	if (err || !list_is_linked(&ei->orphan_node))
		goto out;
	if (ei->orphan_node.prev == &sbi->orphans) {
		err = unlink_first(h, sbi, ei->dtime);
	} else {
		prev = list_prev_entry(ei, orphan_node);
		prev->dtime = ei->dtime;
		err = ext4_mark_dirty(h, &prev->vfs);
	}
	if (err)
		goto out;
	list_del(&ei->orphan_node);
	ei->dtime = 0;
	err = ext4_mark_dirty(h, inode);
out:
	mutex_unlock(&sbi->orphan_lock);
	return err;
}

/* As if we had added it ourselves. */
static int note(struct ext4_sb *sbi, struct ext4_inode *ei, u32 slot)
{
	int err = 0;

	mutex_lock(&sbi->orphan_lock);
	if (ei->orphan_slot || list_is_linked(&ei->orphan_node)) {
		err = -EFSCORRUPTED; /* twice */
	} else if (slot) {
		ei->orphan_slot = slot; /* it was counted */
	} else {
		list_add(&ei->orphan_node, &sbi->orphans);
	}
	mutex_unlock(&sbi->orphan_lock);
	return err;
}

int ext4_orphan_recover(struct ext4_sb *sbi, u64 ino, u32 slot)
{
	struct ext4_handle h;
	struct inode *inode;
	int err;

	if (ino < sbi->first_ino || ino > sbi->nr_inodes)
		return -EFSCORRUPTED;
	err = ext4_iget(sbi, ino, &inode);
	if (err)
		return err;
	err = note(sbi, EXT4_I(inode), slot);
	if (err) {
		inode_put(inode);
		return err;
	}
	if (inode->nlink) {
		u64 end = DIV_ROUND_UP(inode->i_size, (u64)sbi->block_size);

		if (S_ISREG(inode->mode) && end < EXT4_MAX_LBLK)
			err = ext4_remove_blocks(inode, (u32)end, ~0ull);
		if (!err)
			err = ext4_begin(sbi, &h, 4);
		if (!err) {
			err = ext4_orphan_del(&h, inode);
			ext4_end(&h);
		}
	}
	inode_put(inode); /* eviction deletes one without a name */
	return err;
}

static u32 process_list(struct ext4_sb *sbi)
{
	u32 ino, n = 0;

	while ((ino = sbi->es->last_orphan) != 0) {
		if (!ext4_orphan_recover(sbi, ino, 0) &&
		    sbi->es->last_orphan != ino && n++ < sbi->nr_inodes)
			continue;
		ext4_error(sbi, ino, "bad orphan list");
		break;
	}
	return n;
}

void ext4_orphan_process(struct ext4_sb *sbi, bool file)
{
	u32 n = 0;

	/* Writable once more, with some in use: they go when they are closed. */
	if (sbi->nr_file_orphans || !list_empty(&sbi->orphans))
		return;
	if (file)
		n += ext4_orphan_file_process(sbi);
	n += process_list(sbi);
	if (n)
		pr_info("ext4: %s: %u orphan inodes deleted or truncated",
			sbi->bdev->name, n);
}
