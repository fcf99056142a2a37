/* SPDX-License-Identifier: MIT */
/* fs/mountns.h - mount namespaces: whose a tree of mounts is. */
#ifndef FS_MOUNTNS_H
#define FS_MOUNTNS_H

#include <fs/vfs.h>
#include <kernel/ns/ns.h>

/* The tree lives as long as the namespace; top->ns is it meanwhile. */
struct mnt_ns {
	struct ns_common ns;
	struct mount *top; /* [I] owned */
	u64 seq;	   /* [I] grows as they are made; the first's is 0 */
	struct list_head ended; /* of those that one thread ends: mountns.c */
};
extern const struct ns_ops mnt_ns_ops;
extern struct mnt_ns init_mnt_ns;

/* fs/nsfs.c: is @d a mount namespace as a file?  It, without a reference. */
struct mnt_ns *nsfs_mnt_ns(const struct dentry *d);
bool nsfs_is(const struct dentry *d); /* a namespace of any kind */

#endif /* FS_MOUNTNS_H */
