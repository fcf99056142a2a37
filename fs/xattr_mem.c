/* SPDX-License-Identifier: MIT */
/*
 * fs/xattr_mem.c - extended attributes kept in a list.
 *
 * Locking: xattr_mutex (sleeping) guards every list.
 */
#include <fs/xattr_mem.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_BYTES (128u << 10) /* of one inode, names and values */

struct xattr {
	struct list_head node;
	char *name;
	void *value; /* NULL when empty */
	size_t len;
};

static struct mutex xattr_mutex = MUTEX_INIT(xattr_mutex);

static struct xattr *find(struct list_head *list, const char *name)
{
	struct xattr *x;

	list_for_each_entry(x, list, node) {
		if (!strcmp(x->name, name))
			return x;
	}
	return NULL;
}

static void free_xattr(struct xattr *x)
{
	kfree(x->name);
	kfree(x->value);
	kfree(x);
}

s64 xattr_mem_get(struct list_head *list, const char *name, void *buf, size_t n)
{
	struct xattr *x;
	s64 r = -ENODATA;

	mutex_lock(&xattr_mutex);
	x = find(list, name);
	if (x) {
		r = (s64)x->len;
		if (n && x->len > n)
			r = -ERANGE;
		else if (n)
			memcpy(buf, x->value, x->len);
	}
	mutex_unlock(&xattr_mutex);
	return r;
}

static struct xattr *make(const char *name, const void *buf, size_t n)
{
	struct xattr *x = kzalloc(sizeof(*x));

	if (!x)
		return NULL;
	x->name = kstrdup(name);
	x->value = n ? kmemdup(buf, n) : NULL;
	x->len = n;
	if (x->name && (x->value || !n))
		return x;
	free_xattr(x);
	return NULL;
}

int xattr_mem_set(struct list_head *list, u64 *bytes, const char *name,
		  const void *buf, size_t n, int flags)
{
	struct xattr *fresh = make(name, buf, n), *old;
	size_t cost = n + strlen(name), freed = 0;
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	mutex_lock(&xattr_mutex);
	old = find(list, name);
	if (old)
		freed = old->len + strlen(name);
	if (old && (flags & XATTR_CREATE))
		err = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE))
		err = -ENODATA;
	else if (*bytes - freed + cost > MAX_BYTES)
		err = -ENOSPC;
	if (!err) {
		if (old)
			list_del(&old->node);
		list_add_tail(&fresh->node, list);
		*bytes += cost - freed;
	}
	mutex_unlock(&xattr_mutex);
	if (err)
		free_xattr(fresh);
	else if (old)
		free_xattr(old);
	return err;
}

int xattr_mem_remove(struct list_head *list, u64 *bytes, const char *name)
{
	struct xattr *x;

	mutex_lock(&xattr_mutex);
	x = find(list, name);
	if (x) {
		list_del(&x->node);
		*bytes -= x->len + strlen(name);
	}
	mutex_unlock(&xattr_mutex);
	if (!x)
		return -ENODATA;
	free_xattr(x);
	return 0;
}

s64 xattr_mem_list(struct list_head *list, char *buf, size_t n)
{
	struct xattr *x;
	size_t at = 0, len;
	bool fits = true;

	mutex_lock(&xattr_mutex);
	list_for_each_entry(x, list, node) {
		len = strlen(x->name) + 1;
		fits = fits && at + len <= n;
		if (fits)
			memcpy(buf + at, x->name, len);
		at += len;
	}
	mutex_unlock(&xattr_mutex);
	return n && !fits ? -ERANGE : (s64)at;
}

void xattr_mem_free(struct list_head *list)
{
	struct xattr *x;

	while (!list_empty(list)) {
		x = list_first_entry(list, struct xattr, node);
		list_del(&x->node);
		free_xattr(x);
	}
}
