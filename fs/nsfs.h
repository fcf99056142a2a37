/* SPDX-License-Identifier: MIT */
/* fs/nsfs.h - namespaces as files. */
#ifndef FS_NSFS_H
#define FS_NSFS_H

#include <fs/vfs.h>
#include <kernel/ns/ns.h>

/* A path to the file that is @ns: 0 or -ENOMEM.  Takes the reference of @ns, gives
 * those of the path. */
int nsfs_path(struct ns_common *ns, struct path *out);
/* The namespace that @f is, without a reference; NULL: it is something else. */
struct ns_common *nsfs_file_ns(const struct file *f);
/* "uts:[4026531838]"; room for NS_NAME_LEN bytes. */
#define NS_NAME_LEN 32
size_t nsfs_name(const struct ns_common *ns, char *buf);

#endif /* FS_NSFS_H */
