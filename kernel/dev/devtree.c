/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/devtree.c - the device tree as files: /sys/firmware/devicetree/base, a directory
 * for each node and a file for each property, and /sys/firmware/fdt, all of it as it came.
 *
 * A directory is filled when somebody first looks into it.  Its object is the node's offset
 * in the blob, which neither moves nor changes (what seeded the random numbers is zeros).
 */
#include <kernel/dev/sysfs.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/string.h>

static int node_of(const void *obj)
{
	return (int)(uintptr_t)obj;
}

static void *obj_of(int node)
{
	return (void *)(uintptr_t)(unsigned int)node;
}

static s64 move(const void *p, size_t size, void *buf, size_t n, u64 off)
{
	if (off >= size)
		return 0;
	n = min(n, size - (size_t)off);
	memcpy(buf, (const u8 *)p + off, n);
	return (s64)n;
}

static s64 read_prop(void *obj, const struct sys_attr *a, void *buf, size_t n,
		     u64 off)
{
	int len;
	const void *p = fdt_prop(boot_fdt, node_of(obj), a->name, &len);

	return p ? move(p, (size_t)len, buf, n, off) : -EIO;
}

/* Every node has one of these too: its name without the address. */
static s64 read_name(void *obj, const struct sys_attr *a, void *buf, size_t n,
		     u64 off)
{
	const char *name = fdt_name(boot_fdt, node_of(obj));
	char text[64] = { 0 };

	memcpy(text, name, min((size_t)a->size - 1, sizeof(text) - 1));
	return move(text, (size_t)a->size, buf, n, off);
}

static u32 nr_props(int node)
{
	const char *name;
	const void *val;
	u32 n = 0;
	int len;

	while (!fdt_prop_at(boot_fdt, node, n, &name, &val, &len))
		n++;
	return n;
}

static void add_props(struct sys_dir *d, int node)
{
	const char *name = fdt_name(boot_fdt, node), *at = strchr(name, '@');
	u32 nr = nr_props(node);
	struct sys_attr *a = kzalloc((nr + 1) * sizeof(*a));

	if (!a)
		return;
	a[nr] = (struct sys_attr){
		.name = "name",
		.mode = 0444,
		.read = read_name,
		.size = (u64)(at ? at - name : (s64)strlen(name)) + 1,
	};
	for (u32 i = 0; i < nr; i++) {
		const void *val;
		int len;

		(void)fdt_prop_at(boot_fdt, node, i, &a[i].name, &val, &len);
		a[i].mode = strncmp(a[i].name, "security-", 9) ? 0444 : 0400;
		a[i].read = read_prop;
		a[i].size = (u64)len;
	}
	if (!fdt_prop(boot_fdt, node, "name", NULL))
		nr++;
	(void)sys_add(d, a, nr); /* they stay as long as it does: for ever */
}

static void fill(struct sys_dir *d, void *obj)
{
	int node = node_of(obj), child;

	add_props(d, node);
	for (child = fdt_first_child(boot_fdt, node); child >= 0;
	     child = fdt_next_sibling(boot_fdt, child))
		sys_fill_later(sys_mkdir(d, fdt_name(boot_fdt, child),
					 obj_of(child)),
			       fill);
}

static s64 read_blob(void *obj __unused, const struct sys_attr *a, void *buf,
		     size_t n, u64 off)
{
	return move(boot_fdt, (size_t)a->size, buf, n, off);
}

static int devtree_init(void)
{
	static struct sys_attr blob = { .name = "fdt",
					.mode = 0400,
					.read = read_blob };
	struct sys_dir *tree = sys_path("firmware/devicetree");

	if (!boot_fdt)
		return 0;
	blob.size = fdt_size(boot_fdt);
	sys_fill_later(sys_mkdir(tree, "base", obj_of(fdt_root(boot_fdt))),
		       fill);
	return sys_add(sys_path("firmware"), &blob, 1);
}
INITCALL(INIT_LATE, devtree_init);
