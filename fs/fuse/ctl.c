/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/ctl.c - a directory for each connection in /sys/fs/fuse/connections, which
 * is what a mounted fusectl shows.
 */
#include <fs/fuse/fuse.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <lib/fmt.h>

static s64 show_waiting(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	const struct fuse_conn *fc = obj;

	return scnprintf(buf, size, "%u\n", load_once(&fc->waiting));
}

static s64 store_abort(void *obj, const struct sys_attr *a __unused,
		       const char *buf __unused, size_t n)
{
	fuse_abort(obj, true);
	return (s64)n;
}

static u32 *limit_of(struct fuse_conn *fc, const struct sys_attr *a)
{
	return a->arg ? &fc->congestion : &fc->max_background;
}

static s64 show_limit(void *obj, const struct sys_attr *a, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "%u\n", load_once(limit_of(obj, a)));
}

static s64 store_limit(void *obj, const struct sys_attr *a, const char *buf,
		       size_t n)
{
	u64 v;
	int err = sys_parse_u64(buf, 0, 65535, &v);

	if (err)
		return err;
	store_once(limit_of(obj, a), (u32)v);
	return (s64)n;
}

static const struct sys_attr attrs[] = {
	{ .name = "waiting", .mode = 0400, .show = show_waiting },
	{ .name = "abort", .mode = 0200, .store = store_abort },
	{ .name = "max_background",
	  .mode = 0600,
	  .show = show_limit,
	  .store = store_limit },
	{ .name = "congestion_threshold",
	  .mode = 0600,
	  .show = show_limit,
	  .store = store_limit,
	  .arg = 1 },
};

void fuse_ctl_add(struct fuse_conn *fc)
{
	char name[16];

	scnprintf(name, sizeof(name), "%u", fc->dev);
	fc->sys = sys_mkdir(sys_path("fs/fuse/connections"), name, fc);
	(void)sys_add(fc->sys, attrs, ARRAY_SIZE(attrs));
}

void fuse_ctl_del(struct fuse_conn *fc)
{
	sys_rmdir(fc->sys);
	fc->sys = NULL;
}

static int fuse_ctl_init(void)
{
	(void)sys_path("fs/fuse/connections");
	return 0;
}
INITCALL(INIT_VFS, fuse_ctl_init);
