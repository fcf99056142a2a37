/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/sysfs_class.c - the links by which programs find devices in /sys.
 *
 * /sys/bus/B/devices, /sys/class/C and /sys/dev hold nothing but links to
 * directories elsewhere, so that a device is shown in one place only.
 *
 * Context and locking: as sysfs.h.
 */
#include <kernel/dev/sysfs.h>

#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

int sys_join(const char *subsystem, struct sys_dir *d)
{
	struct sys_dir *sub = sys_path(subsystem), *list = sub;
	char path[64];
	int err;

	if (!d || !sub)
		return -ENOMEM;
	if (str_has_prefix(subsystem, "bus/")) {
		scnprintf(path, sizeof(path), "%s/devices", subsystem);
		list = sys_path(path);
	}
	err = sys_link(list, sys_dir_name(d), d);
	return err ? err : sys_link(d, "subsystem", sub);
}

int sys_bind(const char *bus, const char *driver, struct sys_dir *d)
{
	struct sys_dir *drv;
	char path[64];
	int err;

	if (!d)
		return -ENOMEM;
	scnprintf(path, sizeof(path), "%s/drivers/%s", bus, driver);
	drv = sys_path(path);
	err = sys_link(drv, sys_dir_name(d), d);
	return err ? err : sys_link(d, "driver", drv);
}

int sys_link_dev(bool block, u32 major, u32 minor, struct sys_dir *d)
{
	char name[24];

	scnprintf(name, sizeof(name), "%u:%u", major, minor);
	return sys_link(sys_path(block ? "dev/block" : "dev/char"), name, d);
}

int sys_parse_u64(const char *buf, u64 min, u64 max, u64 *out)
{
	char text[32];
	size_t len = strlen(buf);
	u64 v;
	int err;

	while (len && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		len--;
	if (!len || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, buf, len);
	text[len] = '\0';
	err = kstrtou64(text, 0, &v);
	if (err)
		return err;
	if (v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

/* Directories that programs expect, with or without members. */
static int sys_skeleton(void)
{
	static const char *const dirs[] = {
		"block",    "bus", "class",  "dev/block", "dev/char", "devices",
		"firmware", "fs",  "kernel", "module",	  "power",
	};

	for (u32 i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (!sys_path(dirs[i]))
			return -ENOMEM;
	}
	return 0;
}

INITCALL(INIT_CORE, sys_skeleton);
