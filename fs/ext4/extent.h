/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/extent.h - the tree that says where a file's blocks are.
 *
 * The root is the inode's i_block, with room for four entries; other nodes are
 * blocks.  A path holds one node of each level from the root (level 0) down to
 * the leaf (level depth), with a reference on its block.
 *
 * INVARIANTS
 *   X1  Before an entry is used, the header of its node was checked: magic,
 *       depth, and counts that fit the node.  Positions stay below entries.
 *   X2  Keys ascend within a node; the first key of a node is not below the
 *       key that leads to it.
 *
 * Locking: ei->map_lock, for reading or, to change, for writing.
 */
#ifndef FS_EXT4_EXTENT_H
#define FS_EXT4_EXTENT_H

#include <fs/ext4/ext4.h>

struct ext4_ext_node {
	struct ext4_buf *buf; /* NULL: the root in the inode */
	struct ext4_ext_head *head;
	u32 pos;   /* entry that covers or precedes the block;
				      * ~0: all are behind it */
	u32 end;   /* keys of the subtree are below this */
	bool last; /* ... and end is the file's end */
};

struct ext4_ext_path {
	u32 depth;
	struct ext4_ext_node node[EXT4_EXT_MAX_DEPTH + 1];
};
#define EXT4_NO_POS ~0u

static inline struct ext4_extent *ext_at(const struct ext4_ext_head *h, u32 i)
{
	return (struct ext4_extent *)(void *)((u8 *)(uintptr_t)h + sizeof(*h)) +
	       i;
}
static inline struct ext4_ext_idx *idx_at(const struct ext4_ext_head *h, u32 i)
{
	return (struct ext4_ext_idx *)(void *)((u8 *)(uintptr_t)h +
					       sizeof(*h)) +
	       i;
}
static inline u32 ext_len(const struct ext4_extent *e)
{
	return e->len > EXT4_EXT_INIT_MAX ? e->len - EXT4_EXT_INIT_MAX : e->len;
}
static inline bool ext_unwritten(const struct ext4_extent *e)
{
	return e->len > EXT4_EXT_INIT_MAX;
}
static inline u64 ext_start(const struct ext4_extent *e)
{
	return e->start_lo | (u64)e->start_hi << 32;
}
static inline void ext_set(struct ext4_extent *e, u32 lblk, u64 start, u32 len,
			   bool unwritten)
{
	e->block = lblk;
	e->start_lo = (u32)start;
	e->start_hi = (u16)(start >> 32);
	e->len = (u16)(unwritten ? len + EXT4_EXT_INIT_MAX : len);
}
static inline u64 idx_leaf(const struct ext4_ext_idx *x)
{
	return x->leaf_lo | (u64)x->leaf_hi << 32;
}
static inline void idx_set(struct ext4_ext_idx *x, u32 lblk, u64 leaf)
{
	x->block = lblk;
	x->leaf_lo = (u32)leaf;
	x->leaf_hi = (u16)(leaf >> 32);
	x->unused = 0;
}
static inline struct ext4_ext_node *ext_leaf(struct ext4_ext_path *p)
{
	return &p->node[p->depth];
}

/* --- extent.c */
void ext4_ext_init(struct ext4_inode *ei); /* an empty root */
int ext4_ext_find(struct inode *inode, u32 lblk, struct ext4_ext_path *p);
void ext4_ext_put(struct ext4_ext_path *p);
int ext4_ext_map(struct inode *inode, struct ext4_map *m);
u32 ext4_ext_room(const struct ext4_sb *sbi, bool root);

/* --- extent_insert.c */
/* Add an extent where there is a hole. */
int ext4_ext_insert(struct ext4_handle *h, struct inode *inode, u32 lblk,
		    u64 start, u32 len, bool unwritten);
/* Make blocks [lblk, lblk + len) of one unwritten extent written, or the
 * reverse. */
int ext4_ext_convert(struct ext4_handle *h, struct inode *inode, u32 lblk,
		     u32 len, bool unwritten);
/* An extent that covers @from and the block before it becomes two. */
int ext4_ext_isolate(struct ext4_handle *h, struct inode *inode, u32 from);
int ext4_ext_dirty(struct ext4_handle *h, struct inode *inode,
		   struct ext4_ext_node *n);
/* The leaf's entry in hand becomes one with its neighbours where it can. */
void ext4_ext_merge(struct ext4_ext_node *n);
/* The first key of the node at @level changed: tell the nodes above. */
int ext4_ext_fix_keys(struct ext4_handle *h, struct inode *inode,
		      struct ext4_ext_path *p, u32 level);

/* --- extent_remove.c */
int ext4_ext_remove(struct ext4_handle *h, struct inode *inode, u32 from,
		    u64 to, bool *more);

/* --- extent_shift.c: one leaf; *more says to call again, in another handle */
/* Extents that begin at or behind *from move towards 0, where there is a hole. */
int ext4_ext_shift_down(struct ext4_handle *h, struct inode *inode, u32 *from,
			u32 by, bool *more);
/* Those in [from, *end) move away from 0, the last ones first. */
int ext4_ext_shift_up(struct ext4_handle *h, struct inode *inode, u32 from,
		      u32 *end, u32 by, bool *more);
/* The block behind the last extent. */
int ext4_ext_end(struct inode *inode, u32 *end);

#endif /* FS_EXT4_EXTENT_H */
