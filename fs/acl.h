/* SPDX-License-Identifier: MIT */
/*
 * fs/acl.h - POSIX access control lists, kept as the extended attributes
 * system.posix_acl_access and system.posix_acl_default in Linux's form.
 *
 * An inode remembers whether it has an access list (inode->acl_state), so that most
 * checks of a mode cost one load more.
 */
#ifndef FS_ACL_H
#define FS_ACL_H

#include <fs/vfs.h>
#include <lib/atomic.h>

#define ACL_UNKNOWN 0 /* inode->acl_state */
#define ACL_NONE    1
#define ACL_HAS	    2

/* Could a list say something else than @i's mode?  Any context. */
static inline bool acl_may_matter(const struct inode *i)
{
	return load_once(&i->acl_state) != ACL_NONE && i->ops->getxattr &&
	       (i->mode & 0070) && !S_ISLNK(i->mode);
}
/* 0, -EACCES, or -EAGAIN: there is none, the mode decides.  May sleep. */
int acl_permission(struct inode *i, u32 mask);

bool acl_is_name(const char *name);
/* setxattr(2) and removexattr(2) of such a name; i->lock held for writing. */
int acl_set(struct inode *i, const char *name, const void *buf, size_t n,
	    int flags);
int acl_remove(struct inode *i, const char *name);
/* Ids in a list of @n bytes, as current has them, become global: 0 or -EINVAL; and
 * back. */
int acl_given(void *list, size_t n);
void acl_shown(void *list, size_t n);
/* The mode has changed; i->lock held for writing. */
int acl_chmod(struct inode *i);

/* A new name in @dir: its mode, and what the inode gets once it is there. */
struct acl_inherit {
	void *access, *dflt; /* owned, or NULL */
	size_t access_len, dflt_len;
};
int acl_create(struct inode *dir, u32 *mode, struct acl_inherit *h);
/* Gives up what is in @h; @i NULL: nothing was made. */
int acl_created(struct inode *i, struct acl_inherit *h);

#endif /* FS_ACL_H */
