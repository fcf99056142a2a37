/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/extent_shift.c - all extents behind a block move to other blocks of the
 * file: ranges are taken out of it, or put into it.
 *
 * Leaf by leaf, each in a handle of its own, from the side to which they move:
 * so keys ascend at every moment (extent.h X2), and a power cut leaves a whole
 * tree, if one with a gap.
 *
 * Locking: map_lock is held for writing.
 */
#include <fs/ext4/extent.h>

static int touch(struct ext4_handle *h, struct ext4_ext_node *n)
{
	return n->buf ? ext4_write_access(h, n->buf) : 0;
}

/* Entries of the leaf from @pos on move by @by blocks. */
static int shift_leaf(struct ext4_handle *h, struct inode *inode,
		      struct ext4_ext_path *p, u32 pos, s64 by)
{
	struct ext4_ext_node *n = ext_leaf(p);
	int err = touch(h, n);
	u32 i;

	if (err || pos >= n->head->entries)
		return err;
	for (i = pos; i < n->head->entries; i++)
		ext_at(n->head, i)->block += (u32)by;
	ext4_ext_dirty(h, inode, n);
	return pos ? 0 : ext4_ext_fix_keys(h, inode, p, p->depth);
}

/* The first entry of the leaf that begins at or behind @from. */
static u32 first_behind(const struct ext4_ext_node *n, u32 from)
{
	u32 pos = n->pos == EXT4_NO_POS ? 0 : n->pos;

	if (pos < n->head->entries && ext_at(n->head, pos)->block < from)
		pos++;
	return pos;
}

int ext4_ext_shift_down(struct ext4_handle *h, struct inode *inode, u32 *from,
			u32 by, bool *more)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	int err = ext4_ext_find(inode, *from, &p);

	*more = false;
	if (err)
		return err;
	n = ext_leaf(&p);
	err = shift_leaf(h, inode, &p, first_behind(n, *from), -(s64)by);
	*more = !n->last && n->end > *from;
	*from = n->end; /* the key of the next leaf */
	ext4_ext_put(&p);
	return err;
}

int ext4_ext_shift_up(struct ext4_handle *h, struct inode *inode, u32 from,
		      u32 *end, u32 by, bool *more)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	u32 pos, i, first;
	int err = ext4_ext_find(inode, *end - 1, &p);

	*more = false;
	if (err)
		return err;
	n = ext_leaf(&p);
	first = n->head->entries ? ext_at(n->head, 0)->block : *end;
	if (first >= *end) { /* all have moved: before this one is a hole */
		ext4_ext_put(&p);
		return 0;
	}
	for (pos = 0, i = 0; i < n->head->entries; i++)
		pos += ext_at(n->head, i)->block < from;
	*more = !pos && first > from;
	*end = first;
	err = shift_leaf(h, inode, &p, pos, by);
	ext4_ext_put(&p);
	return err;
}

int ext4_ext_end(struct inode *inode, u32 *end)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	int err = ext4_ext_find(inode, EXT4_MAX_LBLK - 1, &p);

	if (err)
		return err;
	n = ext_leaf(&p);
	*end = 0;
	if (n->pos != EXT4_NO_POS && n->head->entries) {
		const struct ext4_extent *e = ext_at(n->head, n->pos);

		*end = e->block + ext_len(e);
	}
	ext4_ext_put(&p);
	return 0;
}
