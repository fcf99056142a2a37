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

/* What NS_GET_MNTNS_ID and statmount(2) call it. */
static inline u64 mnt_ns_number(const struct mnt_ns *n)
{
	return n->seq + 1;
}
/* Current's, and the one of a number, or NULL; with a reference. */
struct mnt_ns *mnt_ns_current(void);
struct mnt_ns *mnt_ns_find(u64 number);
/* Current's root when it is its namespace, else what is on top of it; referenced. */
void mnt_ns_root(struct mnt_ns *n, struct path *out);
/* The mount of its tree with the unique number @id, referenced, or NULL. */
struct mount *mnt_ns_mount(const struct mnt_ns *n, u64 id);

/* fs/nsfs.c: is @d a mount namespace as a file?  It, without a reference. */
struct mnt_ns *nsfs_mnt_ns(const struct dentry *d);
bool nsfs_is(const struct dentry *d); /* a namespace of any kind */

#endif /* FS_MOUNTNS_H */
