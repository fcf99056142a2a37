/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/extent_remove.c - take blocks out of the extent tree.
 *
 * Extent by extent from the left.  A node that becomes empty is freed with
 * its entry above; a root with one small child takes the child's entries in.
 *
 * INVARIANTS and locking: extent.h; map_lock is held for writing.
 */
#include <fs/ext4/extent.h>

#define STEP	      24u /* extents in one handle */
#define STEP_CREDITS  48u /* what one may take */
#define STEP_GROUPS   4u  /* from how many groups it may free blocks ... */
#define STEP_METADATA 16u /* ... and how many if each is metadata */

static int touch(struct ext4_handle *h, struct ext4_ext_node *n)
{
	return n->buf ? ext4_write_access(h, n->buf) : 0;
}

/* Remove entry @n->pos of the node at @level, and the node if that was all. */
static int drop_entry(struct ext4_handle *h, struct inode *inode,
		      struct ext4_ext_path *p, u32 level)
{
	struct ext4_ext_node *n = &p->node[level];
	struct ext4_ext_head *eh = n->head;
	int err = touch(h, n);

	if (err)
		return err;
	if (eh->entries == 1 && level) {
		u64 blk = n->buf->blk;

		err = drop_entry(h, inode, p, level - 1);
		if (err)
			return err;
		ext4_buf_put(n->buf);
		n->buf = NULL;
		ext4_free_blocks(h, inode_sbi(inode), blk, 1, true);
		ext4_add_blocks(inode, -1);
		return 0;
	}
	eh->entries--;
	memmove(ext_at(eh, n->pos), ext_at(eh, n->pos + 1),
		(eh->entries - n->pos) * sizeof(struct ext4_extent));
	if (!eh->entries)
		ext4_ext_init(EXT4_I(inode)); /* the root: nothing is left */
	ext4_ext_dirty(h, inode, n);
	if (!n->pos && eh->entries)
		return ext4_ext_fix_keys(h, inode, p, level);
	return 0;
}

/* Blocks [a, b) at one end of entry n->pos, or all of it. */
static int drop_blocks(struct ext4_handle *h, struct inode *inode,
		       struct ext4_ext_path *p, u32 a, u32 b)
{
	struct ext4_ext_node *n = ext_leaf(p);
	struct ext4_extent *e = ext_at(n->head, n->pos);
	u32 len = ext_len(e), first = e->block;
	u64 start = ext_start(e), blk = start + (a - first);
	bool unwritten = ext_unwritten(e);
	int err;

	if (a == first && b == first + len) {
		err = drop_entry(h, inode, p, p->depth);
	} else {
		err = touch(h, n);
		if (err)
			return err;
		if (a == first)
			ext_set(e, b, start + (b - a), first + len - b,
				unwritten);
		else
			ext_set(e, first, start, a - first, unwritten);
		ext4_ext_dirty(h, inode, n);
		if (a == first && !n->pos)
			err = ext4_ext_fix_keys(h, inode, p, p->depth);
	}
	if (err)
		return err;
	ext4_free_blocks(h, inode_sbi(inode), blk, b - a,
			 !S_ISREG(inode->mode));
	ext4_add_blocks(inode, -(s64)(b - a));
	return 0;
}

/* The first extent that has blocks at or behind *from: 1, 0: none, -errno.
 * *from moves on to it; the path leads there. */
static int next_extent(struct inode *inode, u64 *from, u64 to,
		       struct ext4_ext_path *p)
{
	struct ext4_ext_node *n;
	struct ext4_extent *e;
	int err;

	while (*from < to) {
		err = ext4_ext_find(inode, (u32)*from, p);
		if (err)
			return err;
		n = ext_leaf(p);
		e = n->pos == EXT4_NO_POS ? NULL : ext_at(n->head, n->pos);
		if (e && *from - e->block < ext_len(e))
			return 1;
		n->pos = n->pos == EXT4_NO_POS ? 0 : n->pos + 1;
		if (n->pos < n->head->entries) {
			*from = ext_at(n->head, n->pos)->block;
			if (*from < to)
				return 1;
		}
		/* A corrupt tree must not lead back. */
		*from = n->last ? to : max((u64)n->end, *from + 1);
		ext4_ext_put(p);
	}
	return 0;
}

/* A root with one child that fits into it takes its place. */
static int shrink(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_inode *ei = EXT4_I(inode);
	struct ext4_ext_head *root = (void *)ei->data, *eh;
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_ext_path p;
	u64 blk;
	int err;

	while (root->depth && root->entries == 1) {
		err = ext4_ext_find(inode, 0, &p);
		if (err)
			return err;
		eh = p.node[1].head;
		blk = idx_leaf(idx_at(root, 0));
		if (eh->entries > root->max) {
			ext4_ext_put(&p);
			return 0;
		}
		memcpy(ext_at(root, 0), ext_at(eh, 0),
		       eh->entries * sizeof(struct ext4_extent));
		root->entries = eh->entries;
		root->depth = eh->depth;
		ext4_ext_put(&p);
		ext4_free_blocks(h, sbi, blk, 1, true);
		ext4_add_blocks(inode, -1);
		inode_mark_dirty(inode);
	}
	return 0;
}

/* How many of the blocks from @blk on one step frees at most. */
static u64 step_blocks(struct inode *inode, u64 blk)
{
	struct ext4_sb *sbi = inode_sbi(inode);

	if (!S_ISREG(inode->mode))
		return STEP_METADATA;
	return ext4_group_start(sbi, ext4_group_of(sbi, blk) + STEP_GROUPS) -
	       blk;
}

static int remove_one(struct ext4_handle *h, struct inode *inode, u64 *from,
		      u64 to, struct ext4_ext_path *p)
{
	struct ext4_ext_node *n = ext_leaf(p);
	const struct ext4_extent *e = ext_at(n->head, n->pos);
	u32 first = e->block, end = first + ext_len(e);
	u32 a = max(first, (u32)*from), b = (u32)min_t(u64, end, to);
	int err;

	b = (u32)min_t(u64, b,
		       a + step_blocks(inode, ext_start(e) + (a - first)));

	if (a > first && b < end) {
		/* The middle: cut at its end, then come again. */
		ext4_ext_put(p);
		return ext4_ext_isolate(h, inode, b);
	}
	err = drop_blocks(h, inode, p, a, b);
	ext4_ext_put(p);
	*from = b;
	return err;
}

int ext4_ext_remove(struct ext4_handle *h, struct inode *inode, u32 from,
		    u64 to, bool *more)
{
	struct ext4_ext_path p;
	u64 at = from;
	u32 step;
	int ret = 1;

	for (step = 0; step < STEP && ret > 0; step++) {
		if (!ext4_credits_left(h, STEP_CREDITS))
			break;
		ret = next_extent(inode, &at, to, &p);
		if (ret > 0)
			ret = remove_one(h, inode, &at, to, &p) ?: 1;
	}
	*more = ret > 0;
	if (ret < 0)
		return ret;
	return *more ? 0 : shrink(h, inode);
}
