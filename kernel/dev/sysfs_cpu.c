/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/sysfs_cpu.c - /sys/devices/system/cpu: the harts.
 *
 * Beside Linux's files: `role` and `hartid` of each.
 */
#include <kernel/dev/sysfs.h>

#include <kernel/hart.h>
#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fmt.h>

s64 sys_show_harts(void *obj __unused, const struct sys_attr *a __unused,
		   char *buf, size_t size)
{
	return scnprintf(buf, size, nr_harts > 1 ? "0-%u\n" : "0\n",
			 nr_harts - 1);
}

static s64 show_none(void *obj __unused, const struct sys_attr *a __unused,
		     char *buf, size_t size)
{
	return scnprintf(buf, size, "\n");
}

static s64 show_max(void *obj __unused, const struct sys_attr *a __unused,
		    char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", MAX_HARTS - 1);
}

static const struct sys_attr all_attrs[] = {
	{ .name = "online", .mode = 0444, .show = sys_show_harts },
	{ .name = "possible", .mode = 0444, .show = sys_show_harts },
	{ .name = "present", .mode = 0444, .show = sys_show_harts },
	{ .name = "offline", .mode = 0444, .show = show_none },
	{ .name = "kernel_max", .mode = 0444, .show = show_max },
};

static s64 show_role(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	const struct hart *h = obj;

	return scnprintf(buf, size, "%s\n",
			 h->role == ROLE_APP	   ? "application"
			 : h->role == ROLE_SERVICE ? "service"
						   : "both");
}

static s64 show_hartid(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "%u\n", ((const struct hart *)obj)->hartid);
}

/* No `online`, as with CPUs that cannot be taken off line. */
static const struct sys_attr hart_attrs[] = {
	{ .name = "role", .mode = 0444, .show = show_role },
	{ .name = "hartid", .mode = 0444, .show = show_hartid },
};

static s64 show_zero(void *obj __unused, const struct sys_attr *a __unused,
		     char *buf, size_t size)
{
	return scnprintf(buf, size, "0\n");
}

static s64 show_self(void *obj, const struct sys_attr *a __unused, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%u\n", ((const struct hart *)obj)->cpu);
}

/* Masks as Linux prints them: words of 32 bits, the highest first. */
static s64 put_mask(char *buf, size_t size, u64 mask)
{
	if (nr_harts > 32)
		return scnprintf(buf, size, "%0*x,%08x\n",
				 (int)((nr_harts - 32 + 3) / 4),
				 (u32)(mask >> 32), (u32)mask);
	return scnprintf(buf, size, "%0*x\n", (int)((nr_harts + 3) / 4),
			 (u32)mask);
}

static s64 show_self_mask(void *obj, const struct sys_attr *a __unused,
			  char *buf, size_t size)
{
	return put_mask(buf, size, BIT(((const struct hart *)obj)->cpu));
}

s64 sys_show_harts_mask(void *obj __unused, const struct sys_attr *a __unused,
			char *buf, size_t size)
{
	return put_mask(buf, size, ~0ull >> (64 - nr_harts));
}

/* Every hart is a core of its own, all of one package. */
static const struct sys_attr topology_attrs[] = {
	{ .name = "core_id", .mode = 0444, .show = show_self },
	{ .name = "physical_package_id", .mode = 0444, .show = show_zero },
	{ .name = "core_cpus", .mode = 0444, .show = show_self_mask },
	{ .name = "thread_siblings", .mode = 0444, .show = show_self_mask },
	{ .name = "core_siblings", .mode = 0444, .show = sys_show_harts_mask },
	{ .name = "package_cpus", .mode = 0444, .show = sys_show_harts_mask },
	{ .name = "core_cpus_list", .mode = 0444, .show = show_self },
	{ .name = "thread_siblings_list", .mode = 0444, .show = show_self },
	{ .name = "core_siblings_list", .mode = 0444, .show = sys_show_harts },
	{ .name = "package_cpus_list", .mode = 0444, .show = sys_show_harts },
};

static int sys_cpu_init(void)
{
	struct sys_dir *cpu = sys_path("devices/system/cpu");
	int err = sys_add(cpu, all_attrs, ARRAY_SIZE(all_attrs));

	for (u32 i = 0; i < nr_harts && !err; i++) {
		struct sys_dir *d;
		char name[16];

		scnprintf(name, sizeof(name), "cpu%u", i);
		d = sys_mkdir(cpu, name, harts[i]);
		err = sys_add(d, hart_attrs, ARRAY_SIZE(hart_attrs));
		if (!err)
			err = sys_add(sys_mkdir(d, "topology", harts[i]),
				      topology_attrs,
				      ARRAY_SIZE(topology_attrs));
		if (!err)
			err = sys_join("bus/cpu", d);
	}
	return err;
}

INITCALL(INIT_VFS, sys_cpu_init);
