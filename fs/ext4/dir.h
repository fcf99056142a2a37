/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/dir.h - names in directories: find, add, remove, list.
 *
 * A directory is a row of blocks with entries.  With EXT4_INDEX_FL some blocks
 * are an index by hash (htree.h); to who does not know, those look like
 * blocks without entries.
 *
 * INVARIANT  an entry is used only after ext4_dirent_at() has found it to lie
 * in its block, so a walk over a block always ends.
 *
 * Locking: dir->lock; ei->map_lock inside when a block is added.
 */
#ifndef FS_EXT4_DIR_H
#define FS_EXT4_DIR_H

#include <fs/ext4/ext4.h>

/* Where a name was found: the caller owns the reference on buf. */
struct ext4_dirpos {
	struct ext4_buf *buf;
	u32 off;  /* of the entry */
	u32 prev; /* of the one before it in the block; == off: none */
	u32 lblk;
};

static inline u32 ext4_dir_blocks(const struct inode *dir)
{
	return (u32)(dir->i_size >> inode_sbi(dir)->block_bits);
}
/* Bytes of a block that entries may use. */
static inline u32 ext4_dir_room(const struct ext4_sb *sbi)
{
	return sbi->block_size -
	       (sbi->has_csum ? (u32)sizeof(struct ext4_dir_tail) : 0);
}

/* --- dir.c */
/* Checked entry at @off; NULL (and an error was reported): nonsense. */
struct ext4_dirent *ext4_dirent_at(struct inode *dir, struct ext4_buf *b,
				   u32 off);
/* 1 found, 0 not in this block, or -errno. */
int ext4_dir_search(struct inode *dir, struct ext4_buf *b, const char *name,
		    size_t len, struct ext4_dirpos *pos);
/* 0 with @pos filled, -ENOENT, or another error. */
int ext4_dir_find(struct inode *dir, const char *name, size_t len,
		  struct ext4_dirpos *pos);
/* When @lblk begins a row of blocks: start to read them together. */
void ext4_dir_read_ahead(struct inode *dir, u32 lblk);

/* --- dir_list.c: ext4_readdir() */

/* --- dir_change.c */
/* An entry in @b, if there is room: 0, or -ENOSPC. */
int ext4_dir_put(struct ext4_handle *h, struct inode *dir, struct ext4_buf *b,
		 const char *name, size_t len, const struct inode *inode);
int ext4_dir_add(struct ext4_handle *h, struct inode *dir, const char *name,
		 size_t len, const struct inode *inode);
int ext4_dir_del(struct ext4_handle *h, struct inode *dir,
		 const struct ext4_dirpos *pos);
int ext4_dir_set(struct ext4_handle *h, struct inode *dir,
		 const struct ext4_dirpos *pos, const struct inode *inode);
int ext4_dir_make_empty(struct ext4_handle *h, struct inode *dir, u64 parent);
int ext4_dir_set_parent(struct ext4_handle *h, struct inode *dir, u64 parent);
int ext4_dir_is_empty(struct inode *dir); /* 1, 0 or -errno */
/* A new block at the end, one unused entry in it. */
struct ext4_buf *ext4_dir_append(struct ext4_handle *h, struct inode *dir,
				 u32 *lblk);
void ext4_dir_init_block(struct ext4_sb *sbi, void *data);
u8 ext4_file_type(const struct ext4_sb *sbi, u32 mode);

#endif /* FS_EXT4_DIR_H */
