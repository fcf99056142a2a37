/* SPDX-License-Identifier: MIT */
/*
 * fs/acl.c - access control lists: checked, followed, inherited.
 *
 * A list of nothing but owner, group and others is no list but a mode.  The mode of
 * a file with one shows the mask as its group's bits.
 *
 * Context: coroutine.
 */
#include <fs/acl.h>
#include <fs/internal.h>
#include <fs/xattr_mem.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ACL_VERSION 2u
#define ACL_MAX	    4096u /* bytes that we look at */
#define ACCESS	    "system.posix_acl_access"
#define DEFAULT	    "system.posix_acl_default"

enum {
	ACL_USER_OBJ = 0x01,
	ACL_USER = 0x02,
	ACL_GROUP_OBJ = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20,
};

struct entry {
	u16 tag, perm;
	u32 id;
};
struct acl {
	u32 version;
	struct entry e[];
};

static size_t nr_entries(size_t n)
{
	return (n - sizeof(struct acl)) / sizeof(struct entry);
}

static int check_form(const struct acl *a, size_t n)
{
	if (n < sizeof(*a) || (n - sizeof(*a)) % sizeof(struct entry))
		return -EINVAL;
	return a->version == ACL_VERSION ? 0 : -EOPNOTSUPP;
}

/* In order, each once, a mask where it is needed: 0 or -EINVAL. */
static int check(const struct acl *a, size_t n)
{
	u32 seen = 0, last = 0;
	u32 need = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
	int err = check_form(a, n);

	if (err)
		return err;
	for (size_t i = 0; i < nr_entries(n); i++) {
		u32 tag = a->e[i].tag;
		bool named = tag == ACL_USER || tag == ACL_GROUP;

		if (!tag || (tag & (tag - 1)) || tag > ACL_OTHER ||
		    a->e[i].perm > 7 || tag < last || (!named && (seen & tag)))
			return -EINVAL;
		if (named)
			need |= ACL_MASK;
		seen |= tag;
		last = tag;
	}
	return !nr_entries(n) || (seen & need) == need ? 0 : -EINVAL;
}

/* A checked copy; NULL: there is none; ERR_PTR. */
static struct acl *load(struct inode *i, const char *name, size_t *n)
{
	struct acl *a;
	s64 r;

	if (!i->ops->getxattr)
		return NULL;
	r = i->ops->getxattr(i, name, NULL, 0);
	if (r == -ENODATA || r == -EOPNOTSUPP)
		return NULL;
	if (r < 0)
		return ERR_PTR(r);
	if (r > (s64)ACL_MAX)
		return ERR_PTR(-EIO);
	a = kmalloc(max_t(size_t, (size_t)r, sizeof(*a)));
	if (!a)
		return ERR_PTR(-ENOMEM);
	r = i->ops->getxattr(i, name, a, (size_t)r);
	if (r < 0 || check(a, (size_t)r) || !nr_entries((size_t)r)) {
		kfree(a);
		return r < 0 && r != -ENODATA ? ERR_PTR(r) : NULL;
	}
	*n = (size_t)r;
	return a;
}

static int has(u32 perm, u32 mask, u32 want)
{
	return (perm & mask & want) == want ? 0 : -EACCES;
}

/* [POSIX.1e draft 17, 23.1.5] */
static int follow(const struct acl *a, size_t n, const struct inode *i,
		  u32 want)
{
	const struct cred *c = fs_cred();
	bool group = false;
	u32 mask = 7;

	for (size_t k = 0; k < nr_entries(n); k++) {
		if (a->e[k].tag == ACL_MASK)
			mask = a->e[k].perm;
	}
	for (size_t k = 0; k < nr_entries(n); k++) {
		const struct entry *e = &a->e[k];

		if (e->tag == ACL_USER && e->id == c->fsuid)
			return has(e->perm, mask, want);
		if ((e->tag == ACL_GROUP_OBJ && cred_in_group(c, i->gid)) ||
		    (e->tag == ACL_GROUP && cred_in_group(c, e->id))) {
			if (!has(e->perm, 7, want))
				return has(e->perm, mask, want);
			group = true;
		}
		if (e->tag == ACL_OTHER)
			return group ? -EACCES : has(e->perm, 7, want);
	}
	return -EACCES;
}

int acl_permission(struct inode *i, u32 mask)
{
	struct acl *a;
	size_t n;
	int err;

	a = load(i, ACCESS, &n);
	if (IS_ERR(a))
		return (int)PTR_ERR(a);
	store_once(&i->acl_state, (u8)(a ? ACL_HAS : ACL_NONE));
	if (!a)
		return -EAGAIN;
	err = follow(a, n, i, mask);
	kfree(a);
	return err;
}

bool acl_is_name(const char *name)
{
	return !strcmp(name, ACCESS) || !strcmp(name, DEFAULT);
}

/* The entry that is the mode's group bits. */
static bool is_group_class(const struct acl *a, size_t n, const struct entry *e)
{
	if (e->tag == ACL_MASK)
		return true;
	if (e->tag != ACL_GROUP_OBJ)
		return false;
	for (size_t k = 0; k < nr_entries(n); k++) {
		if (a->e[k].tag == ACL_MASK)
			return false;
	}
	return true;
}

static u32 mode_of(const struct acl *a, size_t n, u32 mode)
{
	mode &= ~0777u;
	for (size_t k = 0; k < nr_entries(n); k++) {
		const struct entry *e = &a->e[k];

		if (e->tag == ACL_USER_OBJ)
			mode |= (u32)e->perm << 6;
		else if (e->tag == ACL_OTHER)
			mode |= e->perm;
		else if (is_group_class(a, n, e))
			mode |= (u32)e->perm << 3;
	}
	return mode;
}

/* The mode's bits into the entries; @and: only take away. */
static void put_mode(struct acl *a, size_t n, u32 mode, bool and)
{
	for (size_t k = 0; k < nr_entries(n); k++) {
		struct entry *e = &a->e[k];
		u32 p;

		if (e->tag == ACL_USER_OBJ)
			p = mode >> 6 & 7;
		else if (e->tag == ACL_OTHER)
			p = mode & 7;
		else if (is_group_class(a, n, e))
			p = mode >> 3 & 7;
		else
			continue;
		e->perm = (u16)(and? e->perm & p : p);
	}
}

static int change_mode(struct inode *i, u32 mode)
{
	struct iattr at = { .valid = ATTR_MODE | ATTR_CTIME,
			    .mode = mode,
			    .ctime = inode_now(i) };

	if (i->mode == mode)
		return 0;
	return i->ops->setattr ? i->ops->setattr(i, &at)
			       : inode_setattr_generic(i, &at);
}

static int store(struct inode *i, const char *name, const void *buf, size_t n)
{
	int err;

	if (buf)
		return i->ops->setxattr(i, name, buf, n, 0);
	err = i->ops->removexattr ? i->ops->removexattr(i, name) : -EOPNOTSUPP;
	return err == -ENODATA ? 0 : err;
}

static int set_access(struct inode *i, const struct acl *a, size_t n)
{
	u32 mode = mode_of(a, n, i->mode);
	bool plain = nr_entries(n) == 3;
	int err;

	if (!cred_in_group(fs_cred(), i->gid) &&
	    !fs_capable_over(i, CAP_FSETID))
		mode &= ~(u32)S_ISGID;
	err = store(i, ACCESS, plain ? NULL : a, n);
	if (!err)
		err = change_mode(i, mode);
	store_once(&i->acl_state, (u8)ACL_UNKNOWN);
	return err;
}

int acl_set(struct inode *i, const char *name, const void *buf, size_t n,
	    int flags __unused)
{
	int err;

	if (S_ISLNK(i->mode) || !i->ops->setxattr)
		return -EOPNOTSUPP;
	err = n ? check_form(buf, n) : 0;
	if (err)
		return err;
	if (!n || !nr_entries(n))
		return acl_remove(i, name);
	if (strcmp(name, ACCESS) != 0 && !S_ISDIR(i->mode))
		return -EACCES;
	if (!inode_owner_or_capable(i))
		return -EPERM;
	err = check(buf, n);
	if (err)
		return err;
	if (!strcmp(name, ACCESS))
		return set_access(i, buf, n);
	store_once(&i->acl_default, (u8)ACL_UNKNOWN);
	return store(i, name, buf, n);
}

int acl_remove(struct inode *i, const char *name)
{
	int err;

	if (strcmp(name, ACCESS) != 0 && !S_ISDIR(i->mode))
		return 0; /* it has none */
	if (!inode_owner_or_capable(i))
		return -EPERM;
	err = store(i, name, NULL, 0);
	store_once(&i->acl_state, (u8)ACL_UNKNOWN);
	store_once(&i->acl_default, (u8)ACL_UNKNOWN);
	return err;
}

int acl_chmod(struct inode *i)
{
	struct acl *a;
	size_t n;
	int err;

	if (load_once(&i->acl_state) == ACL_NONE || S_ISLNK(i->mode))
		return 0;
	a = load(i, ACCESS, &n);
	if (IS_ERR(a))
		return (int)PTR_ERR(a);
	if (!a)
		return 0;
	put_mode(a, n, i->mode, false);
	err = store(i, ACCESS, a, n);
	kfree(a);
	return err;
}

/* --- inheritance */

int acl_create(struct inode *dir, u32 *mode, struct acl_inherit *h)
{
	struct acl *a = NULL;

	*h = (struct acl_inherit){ 0 };
	*mode = mode_strip_sgid(dir, *mode); /* whatever the umask takes */
	if (load_once(&dir->acl_default) != ACL_NONE)
		a = load(dir, DEFAULT, &h->dflt_len);
	if (IS_ERR(a))
		return (int)PTR_ERR(a);
	if (!a) {
		store_once(&dir->acl_default, (u8)ACL_NONE);
		if (!dir->sb->own_umask)
			*mode &= ~current_umask();
		return 0;
	}
	h->access = kmalloc(h->dflt_len);
	if (!h->access) {
		kfree(a);
		return -ENOMEM;
	}
	memcpy(h->access, a, h->dflt_len);
	h->access_len = h->dflt_len;
	put_mode(h->access, h->access_len, *mode, true);
	*mode = (*mode & ~0777u) |
		(mode_of(h->access, h->access_len, 0) & 0777);
	if (nr_entries(h->access_len) == 3) {
		kfree(h->access);
		h->access = NULL;
	}
	if (S_ISDIR(*mode))
		h->dflt = a;
	else
		kfree(a);
	return 0;
}

int acl_created(struct inode *i, struct acl_inherit *h)
{
	int err = 0;

	if (i && i->ops->setxattr && (h->access || h->dflt)) {
		down_write(&i->lock);
		if (h->access)
			err = store(i, ACCESS, h->access, h->access_len);
		if (!err && h->dflt)
			err = store(i, DEFAULT, h->dflt, h->dflt_len);
		store_once(&i->acl_state, (u8)ACL_UNKNOWN);
		store_once(&i->acl_default, (u8)ACL_UNKNOWN);
		up_write(&i->lock);
	}
	kfree(h->access);
	kfree(h->dflt);
	return err;
}

/* --- at the border */

static bool has_entries(const struct acl *a, size_t n)
{
	return !in_first_user_ns() && n >= sizeof(*a) &&
	       a->version == ACL_VERSION;
}

int acl_given(void *list, size_t n)
{
	struct acl *a = list;

	if (a && n < sizeof(*a))
		return -EINVAL;
	if (!a || !has_entries(a, n))
		return 0;
	for (size_t i = 0; i < nr_entries(n); i++) {
		struct entry *e = &a->e[i];

		if (e->tag == ACL_USER)
			e->id = uid_given(e->id);
		else if (e->tag == ACL_GROUP)
			e->id = gid_given(e->id);
		else
			continue;
		if (e->id == INVALID_ID)
			return -EINVAL;
	}
	return 0;
}

void acl_shown(void *list, size_t n)
{
	struct acl *a = list;

	for (size_t i = 0; has_entries(a, n) && i < nr_entries(n); i++) {
		struct entry *e = &a->e[i];

		if (e->tag == ACL_USER)
			e->id = uid_shown(e->id);
		else if (e->tag == ACL_GROUP)
			e->id = gid_shown(e->id);
	}
}
