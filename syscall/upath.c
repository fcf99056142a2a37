/* SPDX-License-Identifier: MIT */
/* syscall/upath.c - take a path from user space. */
#include <syscall/upath.h>

#include <fs/vfs.h>
#include <kernel/file/file.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>

int upath_get(struct upath *p, uaddr_t from)
{
	s64 n = strncpy_from_user(p->inl, from, sizeof(p->inl));

	p->s = p->inl;
	if (likely(n != -ENAMETOOLONG))
		return n < 0 ? (int)n : 0;
	p->s = get_free_page(0);
	if (!p->s)
		return -ENOMEM;
	n = strncpy_from_user(p->s, from, PATH_MAX);
	if (n >= 0)
		return 0;
	upath_put(p);
	return (int)n;
}

void upath_put(struct upath *p)
{
	if (unlikely(p->s != p->inl))
		free_page_addr(p->s);
}

bool upath_empty(uaddr_t path)
{
	u8 first;

	return !get_user_u8(&first, path) && !first;
}

bool upath_nameless(int dirfd, uaddr_t path, int at_flags, struct fdref *r)
{
	if (likely(!(at_flags & AT_EMPTY_PATH)) || dirfd == AT_FDCWD ||
	    !upath_empty(path))
		return false;
	*r = fd_ref_path(dirfd);
	if (r->f && !r->f->dentry)
		return true;
	if (r->f)
		fd_unref(*r);
	return false;
}

int upath_lookup(int dirfd, uaddr_t from, int at_flags, struct path *out)
{
	u32 flags = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct upath p;
	int err = upath_get(&p, from);

	if (err)
		return err;
	if (at_flags & AT_EMPTY_PATH)
		flags |= LOOKUP_EMPTY;
	err = path_lookup(dirfd, p.s, flags, out);
	upath_put(&p);
	return err;
}
