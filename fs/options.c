/* SPDX-License-Identifier: MIT */
/*
 * fs/options.c - options of a mount, "name,name=value", one after another.
 *
 * Not here: overlay's, whose values may have commas (fs/overlay/options.c), and which
 * are the VFS's own (mount_ops.c).
 */
#include <fs/vfs.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

int fs_options(const char *data,
	       int (*take)(void *to, const char *key, const char *val),
	       void *to)
{
	char *copy = kstrdup(data ? data : ""), *at = copy, *next, *val;
	int err = copy ? 0 : -ENOMEM;

	for (; !err && at && *at; at = next) {
		next = str_cut(at, ',');
		val = str_cut(at, '=');
		if (*at)
			err = take(to, at, val);
	}
	kfree(copy);
	return err == -ENOENT ? -EINVAL : err;
}

int fs_option(const char *opt,
	      int (*take)(void *to, const char *key, const char *val), void *to)
{
	char *copy = kstrdup(opt), *val;
	int err = -ENOMEM;

	if (copy) {
		val = str_cut(copy, '=');
		err = take(to, copy, val);
	}
	kfree(copy);
	return err;
}
