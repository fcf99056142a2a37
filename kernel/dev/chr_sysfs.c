/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/chr_sysfs.c - character devices in /sys.
 *
 * /sys/devices/virtual/CLASS/NAME, linked from /sys/class and /sys/dev/char.  Names
 * with a slash (pseudo terminals) are left out, as Linux does.
 */
#include <kernel/dev/dev.h>

#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <lib/fmt.h>
#include <lib/string.h>

static s64 show_dev(void *obj, const struct sys_attr *a __unused, char *buf,
		    size_t size)
{
	const struct chrdev *cd = obj;

	return scnprintf(buf, size, "%u:%u\n", MAJOR(cd->dev), MINOR(cd->dev));
}

static s64 show_uevent(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct chrdev *cd = obj;

	return scnprintf(buf, size,
			 "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVMODE=0%o\n",
			 MAJOR(cd->dev), MINOR(cd->dev), cd->name, cd->mode);
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	const struct chrdev *cd = obj;

	return uevent_store(cd->sys, cd->sys_class, a, obj, buf, n);
}

static const struct sys_attr attrs[] = {
	{ .name = "dev", .mode = 0444, .show = show_dev },
	{ .name = "uevent",
	  .mode = 0644,
	  .show = show_uevent,
	  .store = store_uevent },
};

static void tell(struct chrdev *cd, const char *action)
{
	const struct sys_attr *a = &attrs[ARRAY_SIZE(attrs) - 1];

	uevent_send(cd->sys, action, cd->sys_class, a, cd);
}

void chrdev_sys_add(struct chrdev *cd)
{
	char path[64];

	if (!cd->sys_class || strchr(cd->name, '/'))
		return;
	scnprintf(path, sizeof(path), "devices/virtual/%s", cd->sys_class);
	cd->sys = sys_mkdir(sys_path(path), cd->name, cd);
	(void)sys_add(cd->sys, attrs, ARRAY_SIZE(attrs));
	scnprintf(path, sizeof(path), "class/%s", cd->sys_class);
	(void)sys_join(path, cd->sys);
	(void)sys_link_dev(false, MAJOR(cd->dev), MINOR(cd->dev), cd->sys);
	tell(cd, "add");
}

void chrdev_sys_del(struct chrdev *cd)
{
	tell(cd, "remove");
	sys_rmdir(cd->sys);
	cd->sys = NULL;
}
