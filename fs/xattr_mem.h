/* SPDX-License-Identifier: MIT */
/*
 * fs/xattr_mem.h - extended attributes of an inode that lives in memory.
 *
 * The list and the byte count belong to the inode; one mutex guards them all.
 * The sum of names and values of an inode is limited, so that they are no way
 * around the limits of the file system.
 */
#ifndef FS_XATTR_MEM_H
#define FS_XATTR_MEM_H

#include <lib/list.h>
#include <lib/types.h>

s64 xattr_mem_get(struct list_head *list, const char *name, void *buf,
		  size_t n);
int xattr_mem_set(struct list_head *list, u64 *bytes, const char *name,
		  const void *buf, size_t n, int flags);
int xattr_mem_remove(struct list_head *list, u64 *bytes, const char *name);
s64 xattr_mem_list(struct list_head *list, char *buf, size_t n);
void xattr_mem_free(struct list_head *list);

#define XATTR_CREATE  1
#define XATTR_REPLACE 2

#endif /* FS_XATTR_MEM_H */
