/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/ind.c - block pointers: how ext2 and ext3 write down a file's blocks.
 *
 * i_block holds twelve pointers to data, then one each to a block of pointers,
 * a block of blocks of pointers, and one level more.  0 is a hole; nothing is
 * ever unwritten.
 *
 * Every pointer is checked before it is followed.  Recursion is as deep as the
 * tree: three.
 *
 * Locking: ei->map_lock, for reading or, to change, for writing.
 */
#include <fs/ext4/extent.h>

#define MAX_LEVELS     4u
#define REMOVE_STEP    4096u /* blocks freed in one handle */
#define REMOVE_CREDITS 32u   /* what freeing one, and its tables, may take */

/* Way to a block: slot in i_block, then an index into each table. */
struct ind_way {
	u32 depth; /* tables on the way */
	u32 slot[MAX_LEVELS];
	u32 left; /* pointers from the last one to its table's end */
};

static u32 ptr_bits(const struct ext4_sb *sbi)
{
	return sbi->block_bits - 2;
}

static bool way_to(const struct ext4_sb *sbi, u32 lblk, struct ind_way *w)
{
	u32 bits = ptr_bits(sbi), level, i;
	u64 n = lblk;

	if (n < EXT4_NDIR) {
		w->depth = 0;
		w->slot[0] = lblk;
		w->left = EXT4_NDIR - lblk;
		return true;
	}
	n -= EXT4_NDIR;
	for (level = 1; level < MAX_LEVELS; level++) {
		u64 span = 1ull << (bits * level);

		if (n < span)
			break;
		n -= span;
	}
	if (level == MAX_LEVELS)
		return false;
	w->depth = level;
	w->slot[0] = EXT4_IND + level - 1;
	for (i = level; i > 0; i--) {
		w->slot[i] = (u32)n & ((1u << bits) - 1);
		n >>= bits;
	}
	w->left = (1u << bits) - w->slot[level];
	return true;
}

u32 ext4_ind_depth(const struct ext4_sb *sbi, u64 lblk)
{
	struct ind_way w;

	return lblk < EXT4_MAX_LBLK && way_to(sbi, (u32)lblk, &w) ? w.depth : 0;
}

u64 ext4_ind_most(const struct ext4_sb *sbi, u64 nr)
{
	u64 at = nr, tables = 0;
	u32 level;

	if (nr <= EXT4_NDIR)
		return 0;
	for (level = 1; level < MAX_LEVELS; level++) {
		at = DIV_ROUND_UP(at, 1ull << ptr_bits(sbi));
		tables += at + 1; /* each level may begin another one */
	}
	return tables;
}

static struct ext4_buf *table(struct inode *inode, u32 blk)
{
	struct ext4_sb *sbi = inode_sbi(inode);

	if (!ext4_blocks_ok(sbi, blk, 1)) {
		ext4_error(sbi, inode->ino, "bad block pointer %u", blk);
		return ERR_PTR(-EFSCORRUPTED);
	}
	return ext4_buf_read(sbi, blk, EXT4_KIND_NONE, 1);
}

/* How many of the pointers at @p, at most @max, follow each other. */
static u32 run(const u32 *p, u32 max)
{
	u32 n = 1;

	while (n < max && (p[0] ? p[n] == p[0] + n : !p[n]))
		n++;
	return n;
}

int ext4_ind_map(struct inode *inode, struct ext4_map *m)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u32 *p = EXT4_I(inode)->data;
	struct ext4_buf *b = NULL;
	struct ind_way w;
	u32 i;

	m->state = EXT4_HOLE;
	m->pblk = 0;
	if (!way_to(sbi, m->lblk, &w)) {
		m->len = 1;
		return 0;
	}
	m->len = min(m->len, w.left);
	for (i = 0; i < w.depth; i++) {
		u32 blk = p[w.slot[i]];

		ext4_buf_put(b);
		if (!blk)
			return 0;
		b = table(inode, blk);
		if (IS_ERR(b))
			return (int)PTR_ERR(b);
		p = b->data;
	}
	p += w.slot[w.depth];
	m->len = run(p, m->len);
	if (p[0]) {
		m->pblk = p[0];
		m->state = EXT4_WRITTEN;
	}
	ext4_buf_put(b);
	if (m->pblk && !ext4_blocks_ok(sbi, m->pblk, m->len)) {
		ext4_error(sbi, inode->ino, "bad block pointer %llu",
			   (unsigned long long)m->pblk);
		return -EFSCORRUPTED;
	}
	return 0;
}

/* A pointer in the inode (no buffer) or in a table is about to change. */
static int touch(struct ext4_handle *h, struct ext4_buf *b)
{
	return b ? ext4_write_access(h, b) : 0;
}

static void touched(struct ext4_handle *h, struct ext4_buf *b)
{
	if (b)
		ext4_dirty(h, b);
}

/* Make the table that @p, in @b, should point to.  @reserved: it was promised. */
static struct ext4_buf *new_table(struct ext4_handle *h, struct inode *inode,
				  struct ext4_buf *b, u32 *p, bool reserved)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_buf *t;
	u64 blk;
	u32 got;
	int err = touch(h, b);

	if (!err)
		err = ext4_alloc_blocks(h, sbi, ext4_goal(inode, 0), 1,
					reserved, &blk, &got);
	if (err)
		return ERR_PTR(err);
	t = ext4_buf_new(h, blk, EXT4_KIND_NONE, 1);
	if (IS_ERR(t)) {
		ext4_free_blocks(h, sbi, blk, 1, true);
		return t;
	}
	ext4_dirty(h, t);
	*p = (u32)blk;
	touched(h, b);
	ext4_add_blocks(inode, 1);
	return t;
}

/*
 * Tables made on the way stay when the data cannot be had: empty ones are
 * valid, and go with the file.
 */
int ext4_ind_alloc(struct ext4_handle *h, struct inode *inode,
		   struct ext4_map *m, bool reserved)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	u32 *p = EXT4_I(inode)->data;
	struct ext4_buf *b = NULL, *t;
	u64 goal = ext4_goal(inode, m->lblk);
	struct ind_way w;
	u32 i;
	int err;

	if (!way_to(sbi, m->lblk, &w))
		return -EFBIG;
	for (i = 0; i < w.depth; i++) {
		u32 *slot = p + w.slot[i];

		t = *slot ? table(inode, *slot)
			  : new_table(h, inode, b, slot, reserved);
		ext4_buf_put(b);
		if (IS_ERR(t))
			return (int)PTR_ERR(t);
		b = t;
		p = b->data;
	}
	p += w.slot[w.depth];
	m->len = run(p, min(m->len, w.left));
	err = touch(h, b);
	if (!err)
		err = ext4_alloc_blocks(h, sbi, goal, m->len, reserved,
					&m->pblk, &m->len);
	if (!err && (m->pblk + m->len) >> 32) {
		ext4_free_blocks(h, sbi, m->pblk, m->len, false);
		err = -ENOSPC; /* pointers have 32 bits */
	}
	if (!err) {
		for (i = 0; i < m->len; i++)
			p[i] = (u32)m->pblk + i;
		touched(h, b);
		ext4_add_blocks(inode, m->len);
	}
	ext4_buf_put(b);
	return err;
}

struct ind_cut {
	struct ext4_handle *h;
	struct inode *inode;
	u64 from, to; /* blocks of the file to free */
	u32 budget;
};

/* Must the rest be left to another handle? */
static bool is_spent(struct ind_cut *c)
{
	if (!ext4_credits_left(c->h, REMOVE_CREDITS))
		c->budget = 0;
	return !c->budget;
}

static int cut(struct ind_cut *c, u32 *slot, u32 level, u64 base);

/* Free what of the table's span lies in the cut, then maybe the table. */
static int cut_table(struct ind_cut *c, u32 *slot, u32 level, u64 base)
{
	struct ext4_sb *sbi = inode_sbi(c->inode);
	u32 n = sbi->block_size / 4, i, shift = ptr_bits(sbi) * (level - 1);
	struct ext4_buf *b = table(c->inode, *slot);
	bool empty = true;
	u32 *p;
	int err;

	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	err = ext4_write_access(c->h, b);
	p = b->data;
	for (i = 0; i < n && !err; i++) {
		if (p[i] && !is_spent(c))
			err = cut(c, &p[i], level - 1,
				  base + ((u64)i << shift));
		if (p[i])
			empty = false;
	}
	if (empty && !err) {
		ext4_buf_put(b);
		ext4_free_blocks(c->h, sbi, *slot, 1, true);
		ext4_add_blocks(c->inode, -1);
		*slot = 0;
		return 0;
	}
	ext4_dirty(c->h, b);
	ext4_buf_put(b);
	return err;
}

static int cut(struct ind_cut *c, u32 *slot, u32 level, u64 base)
{
	struct ext4_sb *sbi = inode_sbi(c->inode);
	u64 span = 1ull << (ptr_bits(sbi) * level);

	if (!*slot || base >= c->to || base + span <= c->from)
		return 0;
	if (level)
		return cut_table(c, slot, level, base);
	if (!ext4_blocks_ok(sbi, *slot, 1)) {
		ext4_error(sbi, c->inode->ino, "bad block pointer %u", *slot);
		return -EFSCORRUPTED;
	}
	ext4_free_blocks(c->h, sbi, *slot, 1, !S_ISREG(c->inode->mode));
	ext4_add_blocks(c->inode, -1);
	*slot = 0;
	c->budget--;
	return 0;
}

int ext4_ind_remove(struct ext4_handle *h, struct inode *inode, u32 from,
		    u64 to, bool *more)
{
	struct ind_cut c = { .h = h,
			     .inode = inode,
			     .from = from,
			     .to = to,
			     .budget = REMOVE_STEP };
	u32 *data = EXT4_I(inode)->data, level, i;
	u64 base = EXT4_NDIR;
	int err = 0;

	for (i = 0; i < EXT4_NDIR && !err && !is_spent(&c); i++)
		err = cut(&c, &data[i], 0, i);
	for (level = 1; level < MAX_LEVELS && !err && !is_spent(&c); level++) {
		err = cut(&c, &data[EXT4_IND + level - 1], level, base);
		base += 1ull << (ptr_bits(inode_sbi(inode)) * level);
	}
	*more = !c.budget;
	return err;
}

/* The pointers that say what the root of extents at @head says, to @data: it may have
 * one extent, written, that ends where direct pointers do. */
static int to_pointers(const struct ext4_ext_head *head, u32 data[EXT4_NDIR])
{
	const struct ext4_extent *e = ext_at(head, 0);

	if (head->depth || head->entries > 1)
		return -EOPNOTSUPP;
	if (!head->entries)
		return 0;
	if (ext_unwritten(e) || (u64)e->block + e->len > EXT4_NDIR ||
	    (ext_start(e) + e->len) >> 32)
		return -EOPNOTSUPP;
	for (u32 i = 0; i < e->len; i++)
		data[e->block + i] = (u32)ext_start(e) + i;
	return 0;
}

static int take_over(struct ext4_handle *h, struct inode *inode)
{
	struct ext4_inode *ei = EXT4_I(inode);
	u32 data[ARRAY_SIZE(ei->data)] = { 0 };
	struct ext4_ext_path path;
	int err;

	down_write(&ei->map_lock);
	err = ext4_ext_find(inode, 0, &path);
	if (!err) {
		err = to_pointers(path.node[0].head, data);
		ext4_ext_put(&path);
	}
	if (!err) {
		memcpy(ei->data, data, sizeof(data));
		ei->flags &= ~EXT4_EXTENTS_FL;
		ext4_iflags_to_vfs(inode);
		ext4_map_forget(ei);
	}
	up_write(&ei->map_lock);
	return err ? err : ext4_mark_dirty(h, inode);
}

int ext4_ind_take_over(struct inode *inode)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_handle h;
	int err;

	if (inode->i_size > sbi->max_file_ind)
		return -EOPNOTSUPP;
	/* what was promised a place in the tree gets it now */
	err = mapping_sync(&inode->mapping, 0, ~0ull, true);
	if (err)
		return err;
	err = ext4_begin(sbi, &h, 1);
	if (err)
		return err;
	err = take_over(&h, inode);
	ext4_end(&h);
	return err;
}
