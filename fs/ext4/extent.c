/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/extent.c - find a block in the extent tree.
 *
 * INVARIANTS and locking: extent.h.
 * Not here: changes (extent_insert.c, extent_remove.c).
 */
#include <fs/ext4/extent.h>

#include <lib/atomic.h>

static struct ext4_ext_head *root_of(struct ext4_inode *ei)
{
	return (void *)ei->data;
}

/* Entries that a node has room for. */
u32 ext4_ext_room(const struct ext4_sb *sbi, bool root)
{
	u32 bytes = root ? (u32)sizeof(((struct ext4_inode *)NULL)->data)
			 : sbi->block_size;

	return (bytes - (u32)sizeof(struct ext4_ext_head)) /
	       (u32)sizeof(struct ext4_extent);
}

void ext4_ext_init(struct ext4_inode *ei)
{
	struct ext4_ext_head *h = root_of(ei);

	memset(ei->data, 0, sizeof(ei->data));
	h->magic = EXT4_EXT_MAGIC;
	h->max = (u16)ext4_ext_room(inode_sbi(&ei->vfs), true);
}

/* X1 */
static bool head_ok(const struct ext4_sb *sbi, const struct ext4_ext_head *h,
		    bool root, u32 depth)
{
	return h->magic == EXT4_EXT_MAGIC && h->depth == depth && h->max &&
	       h->max <= ext4_ext_room(sbi, root) && h->entries <= h->max &&
	       (h->entries || (root && !depth));
}

/* Each entry, once after it was read. */
static bool leaf_ok(const struct ext4_sb *sbi, const struct ext4_ext_head *h)
{
	u64 next = 0;
	u32 i;

	for (i = 0; i < h->entries; i++) {
		const struct ext4_extent *e = ext_at(h, i);
		u32 len = ext_len(e);

		if (!len || e->block < next ||
		    (u64)e->block + len > EXT4_MAX_LBLK ||
		    !ext4_blocks_ok(sbi, ext_start(e), len))
			return false;
		next = (u64)e->block + len;
	}
	return true;
}

static bool index_ok(const struct ext4_sb *sbi, const struct ext4_ext_head *h)
{
	u32 i;

	for (i = 0; i < h->entries; i++) {
		const struct ext4_ext_idx *x = idx_at(h, i);

		if ((i && x->block <= idx_at(h, i - 1)->block) ||
		    !ext4_blocks_ok(sbi, idx_leaf(x), 1))
			return false;
	}
	return true;
}

static int node_check(struct ext4_sb *sbi, struct ext4_ext_node *n, u32 depth)
{
	struct ext4_buf *b = n->buf;

	if (!head_ok(sbi, n->head, !b, depth))
		return -EFSCORRUPTED;
	if (b && (load_once(&b->flags) & BUF_CHECKED))
		return 0;
	if (depth ? !index_ok(sbi, n->head) : !leaf_ok(sbi, n->head))
		return -EFSCORRUPTED;
	if (b)
		atomic_fetch_or(&b->flags, (u32)BUF_CHECKED);
	return 0;
}

/* Last entry whose key is not above @lblk.  Leaf and index entries both begin
 * with their key. */
static u32 search(const struct ext4_ext_head *h, u32 lblk)
{
	u32 lo = 0, hi = h->entries;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (ext_at(h, mid)->block <= lblk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : EXT4_NO_POS;
}

static int step_down(struct inode *inode, struct ext4_ext_path *p, u32 level)
{
	struct ext4_ext_node *up = &p->node[level], *n = up + 1;
	struct ext4_buf *b;

	if (up->pos == EXT4_NO_POS)
		up->pos = 0; /* before everything: the first is nearest */
	b = ext4_buf_read(inode_sbi(inode), idx_leaf(idx_at(up->head, up->pos)),
			  EXT4_KIND_EXTENT, EXT4_I(inode)->csum_seed);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	n->buf = b;
	n->head = b->data;
	n->last = up->last;
	n->end = up->end;
	if (up->pos + 1 < up->head->entries) {
		n->last = false;
		n->end = idx_at(up->head, up->pos + 1)->block;
	}
	return 0;
}

void ext4_ext_put(struct ext4_ext_path *p)
{
	u32 i;

	for (i = 1; i <= p->depth; i++) {
		ext4_buf_put(p->node[i].buf);
		p->node[i].buf = NULL;
	}
	p->depth = 0;
}

int ext4_ext_find(struct inode *inode, u32 lblk, struct ext4_ext_path *p)
{
	struct ext4_sb *sbi = inode_sbi(inode);
	struct ext4_ext_node *n = &p->node[0];
	u32 depth, level;
	int err = 0;

	p->depth = 0;
	*n = (struct ext4_ext_node){ .head = root_of(EXT4_I(inode)),
				     .end = EXT4_MAX_LBLK,
				     .last = true };
	depth = n->head->depth;
	if (depth > EXT4_EXT_MAX_DEPTH)
		err = -EFSCORRUPTED;
	for (level = 0; !err; level++) {
		n = &p->node[level];
		err = node_check(sbi, n, depth - level);
		if (err)
			break;
		n->pos = search(n->head, lblk);
		if (level == depth)
			return 0;
		err = step_down(inode, p, level);
		if (!err)
			p->depth = level + 1;
	}
	ext4_ext_put(p);
	if (err == -EFSCORRUPTED)
		ext4_error(sbi, inode->ino, "bad extent tree at block %u",
			   lblk);
	return err;
}

static void map_hole(struct ext4_ext_path *p, struct ext4_map *m)
{
	struct ext4_ext_node *n = ext_leaf(p);
	u32 next = n->pos == EXT4_NO_POS ? 0 : n->pos + 1;
	u32 end =
		next < n->head->entries ? ext_at(n->head, next)->block : n->end;

	m->state = EXT4_HOLE;
	m->pblk = 0;
	/* A corrupt tree may have end behind us. */
	m->len = end > m->lblk ? min(m->len, end - m->lblk) : 1;
}

int ext4_ext_map(struct inode *inode, struct ext4_map *m)
{
	struct ext4_ext_path p;
	struct ext4_ext_node *n;
	struct ext4_extent *e;
	int err = ext4_ext_find(inode, m->lblk, &p);

	if (err)
		return err;
	n = ext_leaf(&p);
	e = n->pos == EXT4_NO_POS ? NULL : ext_at(n->head, n->pos);
	if (!e || m->lblk - e->block >= ext_len(e)) {
		map_hole(&p, m);
	} else {
		m->state = ext_unwritten(e) ? EXT4_UNWRITTEN : EXT4_WRITTEN;
		m->pblk = ext_start(e) + (m->lblk - e->block);
		m->len = min(m->len, ext_len(e) - (m->lblk - e->block));
	}
	ext4_ext_put(&p);
	return 0;
}
