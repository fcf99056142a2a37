/* SPDX-License-Identifier: MIT */
/* fs/cgroup/sysfs.c - what is told of cgroup2 outside: /proc/cgroups,
 * /sys/kernel/cgroup, and the place where it is mounted. */
#include <fs/cgroup/cgroupfs.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static int show_cgroups(struct text *t, void *arg __unused)
{
	u64 nr = 1 + load_once(&cgroup_root.nr_descendants);

	text_puts(t, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	for (u32 i = 0; i < NR_CGROUP_CTL; i++)
		text_printf(t, "%s\t0\t%lu\t1\n", cgroup_ctl_name[i], nr);
	return 0;
}

static s64 show_features(void *obj __unused, const struct sys_attr *a __unused,
			 char *buf, size_t n)
{
	return scnprintf(buf, n,
			 "nsdelegate\nfavordynmods\nmemory_localevents\n"
			 "memory_recursiveprot\npids_localevents\n");
}

static s64 show_delegate(void *obj __unused, const struct sys_attr *a __unused,
			 char *buf, size_t n)
{
	buf[0] = '\0';
	for (u32 i = 0; i < nr_cgroup_files; i++) {
		if (!cgroup_files[i].delegatable)
			continue;
		strlcat(buf, cgroup_files[i].name, n);
		strlcat(buf, "\n", n);
	}
	return (s64)strlen(buf);
}

static const struct sys_attr attrs[] = {
	{ "features", 0444, .show = show_features },
	{ "delegate", 0444, .show = show_delegate },
};

static int cgroup_sysfs_init(void)
{
	if (!pseudo_file(proc_root, "cgroups", 0444, show_cgroups, NULL, NULL))
		return -ENOMEM;
	(void)sys_path("fs/cgroup");
	return sys_add(sys_path("kernel/cgroup"), attrs, ARRAY_SIZE(attrs));
}
INITCALL(INIT_LATE, cgroup_sysfs_init);
