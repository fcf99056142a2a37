/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/xattr.h - places where attributes are kept, and how they are laid out.
 *
 * A place is a piece of memory that begins with entries, ends with values, and
 * has four zero bytes behind the last entry.  An inode has two: the rest of its
 * slot in the inode table, and a block, which several inodes may share.
 */
#ifndef FS_EXT4_XATTR_H
#define FS_EXT4_XATTR_H

#include <fs/ext4/ext4.h>

struct ext4_xattr_place {
	u8 *base;   /* value offsets count from here */
	u32 first;  /* offset of the first entry */
	u32 size;   /* end of the place, from base */
	bool block; /* entries are sorted and have hashes */
};

struct ext4_xattr_name {
	u8 index;
	u8 len;
	const char *name;
};

/* --- xattr_place.c */
/* Is every entry and value where it may be?  Before anything else. */
bool ext4_xattr_check(const struct ext4_xattr_place *p);
struct ext4_xattr_entry *ext4_xattr_find(const struct ext4_xattr_place *p,
					 const struct ext4_xattr_name *n);
struct ext4_xattr_entry *ext4_xattr_first(const struct ext4_xattr_place *p);
struct ext4_xattr_entry *ext4_xattr_next(const struct ext4_xattr_place *p,
					 struct ext4_xattr_entry *e);
/* @to, as large as @from, becomes @from with @n set to @value (NULL: without
 * it).  0, -ENOSPC. */
int ext4_xattr_rebuild(const struct ext4_xattr_place *from,
		       const struct ext4_xattr_place *to,
		       const struct ext4_xattr_name *n, const void *value,
		       size_t size);
u32 ext4_xattr_block_hash(const struct ext4_xattr_place *p);

/* --- xattr.c */
/* Where @inode's attributes are on the volume, in bytes; @inside: in the inode's own slot,
 * which goes before a block of them.  -ENODATA: it has none.  May sleep. */
int ext4_xattr_where(struct inode *inode, u64 *at, u64 *len, bool *inside);

#endif /* FS_EXT4_XATTR_H */
