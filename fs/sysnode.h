/* SPDX-License-Identifier: MIT */
/*
 * fs/sysnode.h - nodes of kernel/dev/sysfs.h as inodes: for /sys and /proc.
 *
 * Context: coroutine.
 */
#ifndef FS_SYSNODE_H
#define FS_SYSNODE_H

#include <fs/vfs.h>
#include <kernel/dev/sysfs.h>

/* A new inode with a reference to @n; the file system's evict_inode is, or calls,
 * sysnode_evict(), which leaves inodes of others alone. */
struct inode *sysnode_inode(struct super_block *sb, struct sys_node *n);
void sysnode_evict(struct inode *i);

/* 0 with *@out NULL: no such name. */
int sysnode_lookup(struct super_block *sb, struct sys_node *d, const char *name,
		   size_t len, struct inode **out);
/* Entries at positions from @first on; ctx->pos is not below it. */
int sysnode_readdir(struct sys_node *d, struct dir_ctx *ctx, u64 first);

#endif /* FS_SYSNODE_H */
