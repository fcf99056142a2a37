/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/namei.h - what namei.c and rename.c share.
 */
#ifndef FS_EXT4_NAMEI_H
#define FS_EXT4_NAMEI_H

#include <fs/ext4/dir.h>

/* A new inode with a block, and a name in a directory whose index splits at
 * every level. */
#define EXT4_ADD_CREDITS 72u

void ext4_nlink_add(struct inode *inode, int delta);
bool ext4_dir_link_ok(const struct inode *dir);
void ext4_dir_link_add(struct inode *dir, int delta);
int ext4_find_entry(struct inode *dir, const char *name, size_t len,
		    const struct inode *inode, struct ext4_dirpos *pos);
/* A new inode that is an orphan as yet. */
int ext4_make_nameless(struct inode *dir, u32 mode, struct inode **out);
int ext4_drop_link(struct ext4_handle *h, struct inode *inode);

/* --- symlink.c: the target will need a block. */
void ext4_symlink_block_init(struct inode *inode);

/* --- rename.c */
int ext4_rename(struct inode *old_dir, const char *old_name, size_t old_len,
		struct inode *inode, struct inode *new_dir,
		const char *new_name, size_t new_len, struct inode *victim,
		u32 flags);

#endif /* FS_EXT4_NAMEI_H */
