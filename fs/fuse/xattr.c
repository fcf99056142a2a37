/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/xattr.c - extended attributes: all of them are the daemon's.
 */
#include <fs/fuse/fuse.h>

#include <kernel/mm/kmalloc.h>
#include <lib/string.h>

/* What the daemon does not know it is not asked for again. */
static s64 ask(struct inode *i, struct fuse_args *a, bool *none)
{
	struct fuse_conn *fc = fuse_c(i);

	if (load_once(&fuse_i(i)->bad))
		return -EIO;
	if (load_once(none))
		return -EOPNOTSUPP;
	if (!fuse_allowed(fc))
		return -EACCES;
	a->nodeid = fuse_i(i)->nodeid;
	return fuse_call_known(fc, a, none, -EOPNOTSUPP);
}

/* Bytes into @buf, or their number when @n is 0. */
static s64 get(struct inode *i, const struct fuse_args *given, u32 arg,
	       void *buf, size_t n, bool *none)
{
	struct fuse_args a = *given;
	struct fuse_getxattr_in in = { .size = (u32)n };
	struct fuse_getxattr_out o;
	s64 r;

	a.in[0] = (struct fuse_piece){ &in, sizeof(in) };
	a.nr = arg;
	if (!n) {
		a.out = &o;
		a.out_size = sizeof(o);
		r = ask(i, &a, none);
		return r < 0 ? r : (s64)min(o.size, 65536u);
	}
	a.out_size = (u32)n;
	a.short_ok = true;
	r = ask(i, &a, none);
	if (r < 0)
		return r;
	memcpy(buf, a.reply, (size_t)r);
	kfree(a.reply);
	return r;
}

s64 fuse_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	struct fuse_args a = { .op = FUSE_GETXATTR,
			       .in = { { NULL, 0 },
				       { name, (u32)strlen(name) + 1 } } };

	return get(i, &a, 2, buf, n, &fuse_c(i)->no_getxattr);
}

/* Names that end, each, and are not empty. */
static bool names_valid(const char *p, size_t n)
{
	size_t len;

	while (n) {
		len = strnlen(p, n);
		if (!len || len == n)
			return false;
		p += len + 1;
		n -= len + 1;
	}
	return true;
}

s64 fuse_listxattr(struct inode *i, char *buf, size_t n)
{
	struct fuse_args a = { .op = FUSE_LISTXATTR };
	s64 r = get(i, &a, 1, buf, n, &fuse_c(i)->no_listxattr);

	if (r > 0 && n && !names_valid(buf, (size_t)r))
		r = -EIO;
	return r;
}

int fuse_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		  int flags)
{
	struct fuse_setxattr_in in = { .size = (u32)n, .flags = (u32)flags };
	struct fuse_args a = { .op = FUSE_SETXATTR,
			       .nr = 3,
			       .in = { { &in, sizeof(in) },
				       { name, (u32)strlen(name) + 1 },
				       { buf, (u32)n } } };
	int err = (int)ask(i, &a, &fuse_c(i)->no_setxattr);

	fuse_inval_attr(i);
	return err;
}

int fuse_removexattr(struct inode *i, const char *name)
{
	struct fuse_args a = { .op = FUSE_REMOVEXATTR,
			       .nr = 1,
			       .in = { { name, (u32)strlen(name) + 1 } } };
	int err = (int)ask(i, &a, &fuse_c(i)->no_removexattr);

	fuse_inval_attr(i);
	return err;
}
