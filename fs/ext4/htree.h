/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/htree.h - directories indexed by the hash of the name.
 *
 * Block 0 holds the root of the index, further nodes and the leaves (ordinary
 * blocks of entries) follow in any order.  Entry i of a node leads to hashes
 * from its own up to that of entry i + 1; entry 0 has no hash (it is the
 * lowest), in its place are the node's limit and count.
 *
 * INVARIANT  a frame's count and limit were checked against the node's size,
 * and 0 < at + 1 <= count.
 *
 * Locking: dir->lock.
 */
#ifndef FS_EXT4_HTREE_H
#define FS_EXT4_HTREE_H

#include <fs/ext4/dir.h>

struct ext4_dx_frame {
	struct ext4_buf *buf;
	struct ext4_dx_entry *entries; /* in buf */
	u32 at;			       /* the one that leads on */
};

struct ext4_dx_way {
	struct ext4_dx_frame frame[EXT4_DX_MAX_LEVELS];
	u32 levels;  /* frames in use; the last one leads to leaves */
	u32 version; /* enum ext4_hash */
	u32 hash;    /* that was looked for */
};

static inline struct ext4_dx_count *dx_count(struct ext4_dx_entry *e)
{
	return (struct ext4_dx_count *)(void *)e;
}
static inline u32 dx_block(const struct ext4_dx_entry *e)
{
	return e->block & EXT4_DX_BLOCK_MASK;
}

u32 ext4_name_hash(const struct ext4_sb *sbi, u32 version, const char *name,
		   size_t len);

/* The same, and what tells names of one hash apart, mostly. */
u32 ext4_name_hash2(const struct ext4_sb *sbi, u32 version, const char *name,
		    size_t len, u32 *minor);

/* --- htree.c */
int ext4_dx_walk(struct inode *dir, const char *name, size_t len,
		 struct ext4_dx_way *w);
/* To the (first) leaf that has names of @hash. */
int ext4_dx_walk_hash(struct inode *dir, u32 hash, struct ext4_dx_way *w);
/* To the next leaf: 1, or 0: there is none, or -errno. */
int ext4_dx_next(struct inode *dir, struct ext4_dx_way *w);
/* The lowest hash of the leaf behind this one; its bit 0: names of the same hash
 * may be in this one, too.  False: this is the last leaf. */
bool ext4_dx_next_hash(const struct ext4_dx_way *w, u32 *hash);
/* The leaf; the caller owns the reference. */
struct ext4_buf *ext4_dx_leaf(struct inode *dir, const struct ext4_dx_way *w,
			      u32 *lblk);
void ext4_dx_put(struct ext4_dx_way *w);
u32 ext4_dx_limit(const struct ext4_sb *sbi, bool root);
int ext4_htree_find(struct inode *dir, const char *name, size_t len,
		    struct ext4_dirpos *pos);

/* --- htree_add.c */
int ext4_htree_add(struct ext4_handle *h, struct inode *dir, const char *name,
		   size_t len, const struct inode *inode);
/* A directory of one full block becomes an indexed one, with the name in it. */
int ext4_htree_make(struct ext4_handle *h, struct inode *dir, const char *name,
		    size_t len, const struct inode *inode);

#endif /* FS_EXT4_HTREE_H */
