/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/orphan.c - inodes that have no name but are still in use.
 *
 * They form a list on the disk, from s_last_orphan through each one's i_dtime,
 * so that after a crash the next mount can free them; with them are files
 * whose truncation was under way (link count not 0).  The same list is kept in
 * memory, first first.
 *
 * A volume with the orphan_file feature may also have them in a file of its
 * own; we read that and empty it, and use the list.
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
	if (list_is_linked(&ei->orphan_node))
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
	if (!list_is_linked(&ei->orphan_node))
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

/* One that was found: delete it, or finish its truncation. */
static int recover_one(struct ext4_sb *sbi, u64 ino, bool on_list)
{
	struct ext4_handle h;
	struct inode *inode;
	int err;

	if (ino < sbi->first_ino || ino > sbi->nr_inodes)
		return -EFSCORRUPTED;
	err = ext4_iget(sbi, ino, &inode);
	if (err)
		return err;
	if (on_list) {
		mutex_lock(&sbi->orphan_lock);
		list_add(&EXT4_I(inode)->orphan_node, &sbi->orphans);
		mutex_unlock(&sbi->orphan_lock);
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
		if (!recover_one(sbi, ino, true) &&
		    sbi->es->last_orphan != ino && n++ < sbi->nr_inodes)
			continue;
		ext4_error(sbi, ino, "bad orphan list");
		break;
	}
	return n;
}

static void process_block(struct ext4_sb *sbi, struct ext4_buf *b, u32 *n)
{
	u32 *ino = b->data, i;
	u32 nr = (sbi->block_size - (u32)sizeof(struct ext4_orphan_tail)) / 4;
	struct ext4_handle h;

	for (i = 0; i < nr; i++) {
		if (!ino[i])
			continue;
		if (recover_one(sbi, ino[i], false)) {
			ext4_error(sbi, ino[i], "bad orphan file");
			return;
		}
		if (ext4_begin(sbi, &h, 1))
			return;
		if (!ext4_write_access(&h, b)) {
			ino[i] = 0;
			ext4_dirty(&h, b);
		}
		ext4_end(&h);
		(*n)++;
	}
}

static u32 process_file(struct ext4_sb *sbi)
{
	u32 ino = sbi->es->orphan_file_inum, lblk, end, n = 0;
	struct inode *inode;

	if (!ino || ext4_iget(sbi, ino, &inode))
		return 0;
	end = (u32)(inode->i_size >> sbi->block_bits);
	for (lblk = 0; lblk < end; lblk++) {
		struct ext4_map m = { .lblk = lblk, .len = 1 };
		struct ext4_buf *b;

		if (ext4_map_read(inode, &m) || m.state != EXT4_WRITTEN)
			break;
		b = ext4_buf_read(sbi, m.pblk, EXT4_KIND_ORPHAN,
				  EXT4_I(inode)->csum_seed);
		if (IS_ERR(b))
			break;
		process_block(sbi, b, &n);
		ext4_buf_put(b);
	}
	inode_put(inode);
	return n;
}

void ext4_orphan_process(struct ext4_sb *sbi, bool file)
{
	u32 n = 0;

	if (file)
		n += process_file(sbi);
	n += process_list(sbi);
	if (n)
		pr_info("ext4: %s: %u orphan inodes deleted or truncated",
			sbi->bdev->name, n);
}
