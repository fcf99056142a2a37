/* SPDX-License-Identifier: MIT */
/*
 * fs/under.h - names in a directory that is given, not found: for a file system
 * that lies on others and works in theirs.
 *
 * What is done is checked as if current's process did it: who does it for somebody
 * else puts other credentials into current->cred for that time.  Mounts on top of
 * what is found are not entered.  Who watches hears of it.
 *
 * Names are @len bytes, one component, neither "." nor "..", not terminated.  All of
 * these take the lock of the directory's inode, so a caller holds none of that file
 * system.
 *
 * Context: coroutine.
 */
#ifndef FS_UNDER_H
#define FS_UNDER_H

#include <fs/vfs.h>

/* The name, referenced, perhaps negative; ERR_PTR. */
struct dentry *under_lookup(const struct path *dir, const char *name,
			    size_t len);

/* What is to be made: as it is, no umask, no list of the directory's. */
struct under_node {
	u32 mode; /* with its type */
	kdev_t rdev;
	const char *link; /* text of a symbolic link */
};
/* *@out: its dentry, referenced; or NULL. */
int under_make(const struct path *dir, const char *name, size_t len,
	       const struct under_node *node, struct dentry **out);
/* A file without a name, as O_TMPFILE; -EOPNOTSUPP. */
int under_tmpfile(const struct path *dir, u32 mode, struct dentry **out);
int under_link(struct inode *file, const struct path *dir, const char *name,
	       size_t len, struct dentry **out);
int under_remove(const struct path *dir, const char *name, size_t len,
		 bool rmdir);

struct under_name {
	const struct path *dir;
	const char *name;
	size_t len;
};
int under_rename(const struct under_name *from, const struct under_name *to,
		 u32 flags);

/* Everything in @dir, ".", ".." too, to ctx->emit(), which says false for enough; the
 * directory is locked meanwhile. */
int under_each(const struct path *dir, struct dir_ctx *ctx);

/* Extended attributes; "trusted." ones need the right to them. */
s64 under_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int under_setxattr(const struct path *p, const char *name, const void *buf,
		   size_t n, int flags);
int under_removexattr(const struct path *p, const char *name);
s64 under_listxattr(struct inode *i, char *buf, size_t n);

#endif /* FS_UNDER_H */
