/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/map.c - from a block of a file to a block of the volume.
 *
 * Both ways of writing it down, extent trees and block pointers, are behind
 * these calls.  The last run that was found is remembered in the inode.
 *
 * Locking: ei->map_lock; the remembered run is under ei->stat_lock and changed
 * with map_lock held, so that it is never older than the tree.
 */
#include <fs/ext4/extent.h>

#include <lib/atomic.h>

#define REMOVE_CREDITS 128u
#define CUT_CREDITS    48u

static bool cached(struct ext4_inode *ei, struct ext4_map *m)
{
	struct ext4_map *c = &ei->cached;
	bool hit;

	spin_lock(&ei->stat_lock);
	hit = m->lblk - c->lblk < c->len; /* unsigned: also false below it */
	if (hit) {
		u32 skip = m->lblk - c->lblk;

		m->len = min(m->len, c->len - skip);
		m->state = c->state;
		m->pblk = c->state == EXT4_HOLE ? 0 : c->pblk + skip;
	}
	spin_unlock(&ei->stat_lock);
	return hit;
}

static void remember(struct ext4_inode *ei, const struct ext4_map *m)
{
	spin_lock(&ei->stat_lock);
	ei->cached = *m;
	spin_unlock(&ei->stat_lock);
}

void ext4_map_forget(struct ext4_inode *ei)
{
	spin_lock(&ei->stat_lock);
	ei->cached.len = 0;
	spin_unlock(&ei->stat_lock);
}

static int map_locked(struct inode *inode, struct ext4_map *m)
{
	if (ext4_has_extents(EXT4_I(inode)))
		return ext4_ext_map(inode, m);
	return ext4_ind_map(inode, m);
}

int ext4_map_read(struct inode *inode, struct ext4_map *m)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 want = m->len;
	int err;

	m->is_new = false;
	if (cached(ei, m))
		return 0;
	down_read(&ei->map_lock);
	/* Look as far as the run goes: the next call will want it. */
	m->len = max(want, 1024u);
	if (m->len > EXT4_MAX_LBLK - m->lblk)
		m->len = EXT4_MAX_LBLK - m->lblk;
	err = map_locked(inode, m);
	if (!err)
		remember(ei, m);
	up_read(&ei->map_lock);
	m->len = min(m->len, want);
	return err;
}

/* Near what precedes it in the file, else in the inode's group. */
u64 ext4_goal(struct inode *inode, u32 lblk)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_map m = { .lblk = lblk ? lblk - 1 : 0, .len = 1 };
	u32 group = (u32)((inode->ino - 1) / sbi->inodes_per_group);

	if (lblk && ei->goal_pblk && ei->goal_lblk == lblk)
		return ei->goal_pblk;
	if (lblk && !map_locked(inode, &m) && m.state != EXT4_HOLE)
		return m.pblk + 1;
	return ext4_group_start(sbi, group);
}

static int fill_hole(struct ext4_handle *h, struct inode *inode,
		     struct ext4_map *m, bool reserved)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	int err;

	if (!ext4_has_extents(ei))
		return ext4_ind_alloc(h, inode, m, reserved);
	err = ext4_alloc_blocks(h, sbi, ext4_goal(inode, m->lblk),
				min(m->len, EXT4_EXT_UNW_MAX), reserved,
				&m->pblk, &m->len);
	if (err)
		return err;
	err = ext4_ext_insert(h, inode, m->lblk, m->pblk, m->len,
			      m->state == EXT4_UNWRITTEN);
	if (err) {
		ext4_free_blocks(h, sbi, m->pblk, m->len, false);
		return err;
	}
	ext4_add_blocks(inode, m->len);
	return 0;
}

int ext4_map_write(struct ext4_handle *h, struct inode *inode,
		   struct ext4_map *m, bool reserved)
{
	struct ext4_inode *ei = EXT4_I(inode);
	int err = map_locked(inode, m);

	m->is_new = false;
	if (err || m->state == EXT4_WRITTEN)
		return err;
	ext4_map_forget(ei);
	if (m->state == EXT4_UNWRITTEN) {
		err = ext4_ext_convert(h, inode, m->lblk, m->len, false);
	} else {
		m->state = EXT4_WRITTEN;
		err = fill_hole(h, inode, m, reserved);
	}
	if (err)
		return err;
	m->state = EXT4_WRITTEN;
	m->is_new = true;
	ei->goal_lblk = m->lblk + m->len;
	ei->goal_pblk = m->pblk + m->len;
	return 0;
}

/* As ext4_map_write(), but what is missing becomes unwritten. */
int ext4_map_prealloc(struct ext4_handle *h, struct inode *inode,
		      struct ext4_map *m)
{
	struct ext4_inode *ei = EXT4_I(inode);
	int err = map_locked(inode, m);

	m->is_new = false;
	if (err || m->state != EXT4_HOLE)
		return err;
	ext4_map_forget(ei);
	m->state = EXT4_UNWRITTEN;
	err = fill_hole(h, inode, m, false);
	if (err)
		return err;
	m->is_new = true;
	ei->goal_lblk = m->lblk + m->len;
	ei->goal_pblk = m->pblk + m->len;
	return 0;
}

int ext4_map_remove(struct ext4_handle *h, struct inode *inode, u32 from,
		    u64 to, bool *more)
{
	struct ext4_inode *ei = EXT4_I(inode);

	ext4_map_forget(ei);
	ei->goal_pblk = 0;
	if (ext4_has_extents(ei))
		return ext4_ext_remove(h, inode, from, to, more);
	return ext4_ind_remove(h, inode, from, to, more);
}

int ext4_remove_blocks(struct inode *inode, u32 from, u64 to)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_handle h;
	bool more = true;
	int err = 0, err2;

	to = min_t(u64, to, EXT4_MAX_LBLK);
	while (more && !err && from < to) {
		more = false;
		err = ext4_begin(inode_sbi(inode), &h, REMOVE_CREDITS);
		if (err)
			return err;
		down_write(&ei->map_lock);
		err = ext4_map_remove(&h, inode, from, to, &more);
		up_write(&ei->map_lock);
		store_once(&ei->datasync_tid, ext4_handle_tid(&h));
		err2 = ext4_mark_dirty(&h, inode);
		ext4_end(&h);
		if (!err)
			err = err2;
		cond_resched();
	}
	return err;
}

/* Block of a directory or of a long symlink. */
struct ext4_buf *ext4_bread(struct inode *inode, u32 lblk)
{
	struct ext4_map m = { .lblk = lblk, .len = 1 };
	bool dir = S_ISDIR(inode->mode);
	int err = ext4_map_read(inode, &m);

	if (err)
		return ERR_PTR(err);
	if (m.state != EXT4_WRITTEN) {
		ext4_error(inode_sbi(inode), inode->ino, "hole at block %u",
			   lblk);
		return ERR_PTR(-EFSCORRUPTED);
	}
	return ext4_buf_read(inode_sbi(inode), m.pblk,
			     dir ? EXT4_KIND_DIR : EXT4_KIND_NONE,
			     dir ? EXT4_I(inode)->csum_seed : 0);
}

int ext4_cut_extent(struct inode *inode, u32 at)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_handle h;
	int err, err2;

	err = ext4_begin(inode_sbi(inode), &h, CUT_CREDITS);
	if (err)
		return err;
	down_write(&ei->map_lock);
	ext4_map_forget(ei);
	err = ext4_ext_isolate(&h, inode, at);
	up_write(&ei->map_lock);
	err2 = ext4_mark_dirty(&h, inode);
	ext4_end(&h);
	return err ? err : err2;
}
