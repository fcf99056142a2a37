/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/extent_insert.c - add to the extent tree, and split what is too full.
 *
 * Room is made before anything is changed for good: one node is split (or the
 * root pushed down a level), then the way is looked up again, until the leaf
 * has the slots that are needed.  After each such step the tree is valid, so
 * an error in the middle leaves nothing to undo.
 *
 * INVARIANTS and locking: extent.h; map_lock is held for writing.
 */
#include <fs/ext4/extent.h>

static u32 max_len(bool unwritten)
{
	return unwritten ? EXT4_EXT_UNW_MAX : EXT4_EXT_INIT_MAX;
}

static int touch(struct ext4_handle *h, struct ext4_ext_node *n)
{
	return n->buf ? ext4_write_access(h, n->buf) : 0;
}

/* The root is written with its inode, by who holds the handle. */
int ext4_ext_dirty(struct ext4_handle *h, struct inode *inode,
		   struct ext4_ext_node *n)
{
	if (n->buf)
		ext4_dirty(h, n->buf);
	else
		inode_mark_dirty(inode);
	return 0;
}

int ext4_ext_fix_keys(struct ext4_handle *h, struct inode *inode,
		      struct ext4_ext_path *p, u32 level)
{
	u32 key = ext_at(p->node[level].head, 0)->block;
	int err;

	while (level-- > 0) {
		struct ext4_ext_node *n = &p->node[level];

		if (idx_at(n->head, n->pos)->block == key)
			return 0;
		err = touch(h, n);
		if (err)
			return err;
		idx_at(n->head, n->pos)->block = key;
		ext4_ext_dirty(h, inode, n);
		if (n->pos)
			return 0;
	}
	return 0;
}

/* Open a slot at @at in a node that has room.  Both kinds have one size. */
static void open_slot(struct ext4_ext_head *h, u32 at)
{
	KASSERT(h->entries < h->max && at <= h->entries);
	memmove(ext_at(h, at + 1), ext_at(h, at),
		(h->entries - at) * sizeof(struct ext4_extent));
	h->entries++;
}

static void close_slot(struct ext4_ext_head *h, u32 at)
{
	h->entries--;
	memmove(ext_at(h, at), ext_at(h, at + 1),
		(h->entries - at) * sizeof(struct ext4_extent));
}

/* An empty block for a node. */
static struct ext4_buf *new_node(struct ext4_handle *h, struct inode *inode,
				 u64 *blk)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_inode *ei = EXT4_I(inode);
	u32 group = (u32)((inode->ino - 1) / sbi->inodes_per_group), got;
	u64 goal = ei->goal_pblk ? ei->goal_pblk : ext4_group_start(sbi, group);
	struct ext4_ext_head *eh;
	struct ext4_buf *b;
	int err;

	/* The slack of ext4_delay_reserve() is there for these. */
	err = ext4_alloc_blocks(h, sbi, goal, 1, true, blk, &got);
	if (err)
		return ERR_PTR(err);
	b = ext4_buf_new(h, *blk, EXT4_KIND_EXTENT, ei->csum_seed);
	if (IS_ERR(b)) {
		ext4_free_blocks(h, sbi, *blk, 1, true);
		return b;
	}
	eh = b->data;
	eh->magic = EXT4_EXT_MAGIC;
	eh->max = (u16)ext4_ext_room(sbi, false);
	ext4_add_blocks(inode, 1);
	return b;
}

/* Everything in the root moves into a block; the root leads to it. */
static int grow(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_ext_head *root = (void *)EXT4_I(inode)->data, *eh;
	struct ext4_buf *b;
	u64 blk;

	if (root->depth == EXT4_EXT_MAX_DEPTH)
		return -EFBIG;
	b = new_node(h, inode, &blk);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	eh = b->data;
	eh->depth = root->depth;
	eh->entries = root->entries;
	memcpy(ext_at(eh, 0), ext_at(root, 0),
	       root->entries * sizeof(struct ext4_extent));
	root->depth++;
	root->entries = 1;
	idx_set(idx_at(root, 0), ext_at(eh, 0)->block, blk);
	ext4_dirty(h, b);
	ext4_buf_put(b);
	inode_mark_dirty(inode);
	return 0;
}

/* The node at @level is full and the one above is not: halve it. */
static int split(struct ext4_handle *h, struct inode *inode,
		 struct ext4_ext_path *p, u32 level)
{
	struct ext4_ext_node *n = &p->node[level], *up = n - 1;
	struct ext4_ext_head *eh;
	u32 at = n->head->entries / 2, nr;
	struct ext4_buf *b;
	u64 blk;
	int err = touch(h, n) ?: touch(h, up);

	if (err)
		return err;
	/* Files grow at the end: leave the old node full. */
	if (n->pos + 1 == n->head->entries && n->last)
		at = n->head->entries - 1;
	b = new_node(h, inode, &blk);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	eh = b->data;
	nr = n->head->entries - at;
	eh->depth = n->head->depth;
	eh->entries = (u16)nr;
	memcpy(ext_at(eh, 0), ext_at(n->head, at),
	       nr * sizeof(struct ext4_extent));
	n->head->entries = (u16)at;
	open_slot(up->head, up->pos + 1);
	idx_set(idx_at(up->head, up->pos + 1), ext_at(eh, 0)->block, blk);
	ext4_dirty(h, b);
	ext4_buf_put(b);
	ext4_ext_dirty(h, inode, n);
	return ext4_ext_dirty(h, inode, up);
}

/* Way to @lblk whose leaf has @slots free. */
static int find_with_room(struct ext4_handle *h, struct inode *inode, u32 lblk,
			  u32 slots, struct ext4_ext_path *p)
{
	u32 level;
	int err;

	for (;;) {
		err = ext4_ext_find(inode, lblk, p);
		if (err)
			return err;
		level = p->depth;
		if (ext_leaf(p)->head->entries + slots <=
		    ext_leaf(p)->head->max)
			return 0;
		while (level > 0 && p->node[level - 1].head->entries ==
					    p->node[level - 1].head->max)
			level--;
		err = level ? split(h, inode, p, level) : grow(h, inode);
		ext4_ext_put(p);
		if (err)
			return err;
	}
}

/* Do entries @i and @i + 1 make one? */
static bool can_merge(const struct ext4_ext_head *h, u32 i)
{
	const struct ext4_extent *a, *b;

	if (i + 1 >= h->entries)
		return false;
	a = ext_at(h, i);
	b = ext_at(h, i + 1);
	return ext_unwritten(a) == ext_unwritten(b) &&
	       a->block + ext_len(a) == b->block &&
	       ext_start(a) + ext_len(a) == ext_start(b) &&
	       ext_len(a) + ext_len(b) <= max_len(ext_unwritten(a));
}

static void merge_around(struct ext4_ext_head *h, u32 i)
{
	u32 k;

	/* With the one behind first; then with the one before. */
	for (k = i + 1; k-- > (i ? i - 1 : 0);) {
		struct ext4_extent *a = ext_at(h, k);

		if (!can_merge(h, k))
			continue;
		ext_set(a, a->block, ext_start(a),
			ext_len(a) + ext_len(ext_at(h, k + 1)),
			ext_unwritten(a));
		close_slot(h, k + 1);
	}
}

void ext4_ext_merge(struct ext4_ext_node *n)
{
	merge_around(n->head, n->pos);
}

/* Is [lblk, lblk + len) the continuation of an entry?  Then no slot is used. */
static int try_extend(struct ext4_handle *h, struct inode *inode,
		      struct ext4_ext_path *p, const struct ext4_extent *new)
{
	struct ext4_ext_node *n = ext_leaf(p);
	struct ext4_extent *e;
	int err;

	if (n->pos == EXT4_NO_POS)
		return 0;
	e = ext_at(n->head, n->pos);
	if (ext_unwritten(e) != ext_unwritten(new) ||
	    e->block + ext_len(e) != new->block ||
	    ext_start(e) + ext_len(e) != ext_start(new) ||
	    ext_len(e) + ext_len(new) > max_len(ext_unwritten(e)))
		return 0;
	err = touch(h, n);
	if (err)
		return err;
	ext_set(e, e->block, ext_start(e), ext_len(e) + ext_len(new),
		ext_unwritten(e));
	merge_around(n->head, n->pos);
	ext4_ext_dirty(h, inode, n);
	return 1;
}

int ext4_ext_insert(struct ext4_handle *h, struct inode *inode, u32 lblk,
		    u64 start, u32 len, bool unwritten)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	struct ext4_extent new;
	u32 at;
	int err = ext4_ext_find(inode, lblk, &p);

	if (err)
		return err;
	ext_set(&new, lblk, start, len, unwritten);
	err = try_extend(h, inode, &p, &new);
	ext4_ext_put(&p);
	if (err)
		return min(err, 0);
	err = find_with_room(h, inode, lblk, 1, &p);
	if (err)
		return err;
	n = ext_leaf(&p);
	at = n->pos == EXT4_NO_POS ? 0 : n->pos + 1;
	err = touch(h, n);
	if (!err) {
		open_slot(n->head, at);
		*ext_at(n->head, at) = new;
		merge_around(n->head, at);
		ext4_ext_dirty(h, inode, n);
		if (!at)
			err = ext4_ext_fix_keys(h, inode, &p, p.depth);
	}
	ext4_ext_put(&p);
	return err;
}

/* Cut entry @at so that one begins at @lblk; there is room.  Its index. */
static u32 cut_at(struct ext4_ext_head *h, u32 at, u32 lblk)
{
	struct ext4_extent *e = ext_at(h, at);
	u32 keep = lblk - e->block, len = ext_len(e);
	bool unwritten = ext_unwritten(e);
	u64 start = ext_start(e);

	if (!keep)
		return at;
	if (keep >= len)
		return at + 1;
	open_slot(h, at + 1);
	ext_set(ext_at(h, at), e->block, start, keep, unwritten);
	ext_set(ext_at(h, at + 1), lblk, start + keep, len - keep, unwritten);
	return at + 1;
}

/*
 * Make [lblk, lblk + len), all in one extent, written or unwritten.  No more
 * than EXT4_EXT_UNW_MAX blocks.
 */
int ext4_ext_convert(struct ext4_handle *h, struct inode *inode, u32 lblk,
		     u32 len, bool unwritten)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	struct ext4_extent *e;
	u32 at;
	int err = find_with_room(h, inode, lblk, 2, &p);

	if (err)
		return err;
	n = ext_leaf(&p);
	e = n->pos == EXT4_NO_POS ? NULL : ext_at(n->head, n->pos);
	if (!e || lblk - e->block >= ext_len(e) ||
	    len > ext_len(e) - (lblk - e->block) || len > EXT4_EXT_UNW_MAX) {
		ext4_error(inode_sbi(inode), inode->ino,
			   "no extent to convert at block %u", lblk);
		err = -EFSCORRUPTED;
	}
	if (!err)
		err = touch(h, n);
	if (!err) {
		at = cut_at(n->head, n->pos, lblk);
		(void)cut_at(n->head, at, lblk + len);
		e = ext_at(n->head, at);
		ext_set(e, e->block, ext_start(e), ext_len(e), unwritten);
		merge_around(n->head, at);
		ext4_ext_dirty(h, inode, n);
	}
	ext4_ext_put(&p);
	return err;
}

/* An extent that covers @from and the block before it becomes two. */
int ext4_ext_isolate(struct ext4_handle *h, struct inode *inode, u32 from)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	int err = find_with_room(h, inode, from, 1, &p);

	if (err)
		return err;
	n = ext_leaf(&p);
	err = touch(h, n);
	if (!err && n->pos != EXT4_NO_POS) {
		(void)cut_at(n->head, n->pos, from);
		ext4_ext_dirty(h, inode, n);
	}
	ext4_ext_put(&p);
	return err;
}
