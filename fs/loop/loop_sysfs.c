/* SPDX-License-Identifier: MIT */
/*
 * fs/loop/loop_sysfs.c - /sys/block/loopN/loop: there while the device is bound.
 */
#include <fs/loop/loop.h>

#include <kernel/dev/sysfs.h>
#include <lib/errno.h>
#include <lib/fmt.h>

static s64 show_file(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	struct loop *lo = obj;
	struct file *f = NULL;
	struct path p;
	s64 n = -ENXIO;

	/* not by the mutex: who removes us holds it and waits */
	spin_lock(&lo->lock);
	if (lo->file)
		f = file_get(lo->file);
	spin_unlock(&lo->lock);
	if (!f)
		return n;
	p = (struct path){ f->mnt, f->dentry };
	if (p.dentry)
		n = path_to_str(&p, NULL, buf, size - 1);
	if (n >= 0)
		n += scnprintf(buf + n, size - (size_t)n, "\n");
	file_put(f);
	return n;
}

static s64 show_u64(void *obj, const struct sys_attr *a, char *buf, size_t size)
{
	const u8 *lo = obj;

	return scnprintf(buf, size, "%lu\n",
			 *(const u64 *)(const void *)(lo + a->arg));
}

static s64 show_flag(void *obj, const struct sys_attr *a, char *buf,
		     size_t size)
{
	const struct loop *lo = obj;

	return scnprintf(buf, size, "%d\n", (lo->flags & a->arg) != 0);
}

#define NUMBER(nm, field)                                     \
	{                                                     \
		.name = (nm), .mode = 0444, .show = show_u64, \
		.arg = offsetof(struct loop, field),          \
	}
#define FLAG(nm, flag)                                                       \
	{                                                                    \
		.name = (nm), .mode = 0444, .show = show_flag, .arg = (flag) \
	}

static const struct sys_attr attrs[] = {
	{ .name = "backing_file", .mode = 0444, .show = show_file },
	NUMBER("offset", offset),
	NUMBER("sizelimit", sizelimit),
	FLAG("autoclear", LO_FLAGS_AUTOCLEAR),
	FLAG("partscan", LO_FLAGS_PARTSCAN),
	FLAG("dio", LO_FLAGS_DIRECT_IO),
};

void loop_sys_add(struct loop *lo)
{
	lo->sys = sys_mkdir(lo->bd.sys, "loop", lo);
	(void)sys_add(lo->sys, attrs, ARRAY_SIZE(attrs));
}

void loop_sys_del(struct loop *lo)
{
	sys_rmdir(lo->sys);
	lo->sys = NULL;
}
