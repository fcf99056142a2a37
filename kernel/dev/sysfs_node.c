/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/sysfs_node.c - /sys/devices/system/node: all memory is one node, 0.
 *
 * Locking: none; nothing here changes but what pmem_info() counts.
 */
#include <kernel/dev/sysfs.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/mm/pmem.h>
#include <lib/errno.h>
#include <lib/fmt.h>

static s64 show_nodes(void *obj __unused, const struct sys_attr *a __unused,
		      char *buf, size_t size)
{
	return scnprintf(buf, size, "0\n");
}

static const struct sys_attr all_attrs[] = {
	{ .name = "possible", .mode = 0444, .show = show_nodes },
	{ .name = "online", .mode = 0444, .show = show_nodes },
	{ .name = "has_cpu", .mode = 0444, .show = show_nodes },
	{ .name = "has_memory", .mode = 0444, .show = show_nodes },
	{ .name = "has_normal_memory", .mode = 0444, .show = show_nodes },
};

static s64 show_distance(void *obj __unused, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	return scnprintf(buf, size, "10\n");
}

#define KIB(pages) ((pages) << (PAGE_SHIFT - 10))

static s64 show_meminfo(void *obj __unused, const struct sys_attr *a __unused,
			char *buf, size_t size)
{
	struct pmem_info m;
	size_t n;

	pmem_info(&m);
	n = (size_t)scnprintf(buf, size,
			      "Node 0 MemTotal:       %8lu kB\n"
			      "Node 0 MemFree:        %8lu kB\n"
			      "Node 0 MemUsed:        %8lu kB\n"
			      "Node 0 Dirty:          %8lu kB\n"
			      "Node 0 Writeback:      %8lu kB\n"
			      "Node 0 FilePages:      %8lu kB\n",
			      KIB(m.total), KIB(m.free), KIB(m.total - m.free),
			      KIB(m.dirty), KIB(m.writeback), KIB(m.cached));
	n += (size_t)scnprintf(buf + n, size - n,
			       "Node 0 Mapped:         %8lu kB\n"
			       "Node 0 AnonPages:      %8lu kB\n"
			       "Node 0 Shmem:          %8lu kB\n"
			       "Node 0 KernelStack:    %8lu kB\n"
			       "Node 0 PageTables:     %8lu kB\n"
			       "Node 0 Slab:           %8lu kB\n",
			       KIB(m.mapped), KIB(m.anon), KIB(m.shmem),
			       KIB(m.kstack), KIB(m.pagetables), KIB(m.slab));
	return (s64)n;
}

static const struct sys_attr node_attrs[] = {
	{ .name = "cpulist", .mode = 0444, .show = sys_show_harts },
	{ .name = "cpumap", .mode = 0444, .show = sys_show_harts_mask },
	{ .name = "distance", .mode = 0444, .show = show_distance },
	{ .name = "meminfo", .mode = 0444, .show = show_meminfo },
};

static int sys_node_init(void)
{
	struct sys_dir *all = sys_path("devices/system/node");
	int err = sys_add(all, all_attrs, ARRAY_SIZE(all_attrs));
	struct sys_dir *d = sys_mkdir(all, "node0", NULL);

	if (!err)
		err = sys_add(d, node_attrs, ARRAY_SIZE(node_attrs));
	for (u32 i = 0; i < nr_harts && !err; i++) {
		char name[32];

		scnprintf(name, sizeof(name), "devices/system/cpu/cpu%u", i);
		err = sys_link(d, name + sizeof("devices/system/cpu/") - 1,
			       sys_path(name));
	}
	return err ? err : sys_join("bus/node", d);
}

INITCALL(INIT_LATE, sys_node_init);
