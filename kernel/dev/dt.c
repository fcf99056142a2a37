/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/dt.c - probe the device tree's nodes with the drivers that match.
 *
 * A stage collects every (driver, node) pair and then probes them in rounds:
 * what says -EPROBE_DEFER is tried again as long as a round brings anything
 * new, so parents come before children whatever the order of the tree is.
 *
 * Context: the init thread.
 * Not here: reading the tree (lib/fdt.c), PCI devices (drivers/pci/).
 */
#include <kernel/dev/dt.h>

#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/list.h>

extern const struct dt_driver __dtdrivers_start[];
extern const struct dt_driver __dtdrivers_end[];

struct candidate {
	const struct dt_driver *drv;
	int node;
	struct list_head link;
};

bool dt_node_ok(int fdt_node)
{
	return fdt_status_okay(boot_fdt, fdt_node);
}

void __iomem *dt_ioremap(int fdt_node, unsigned int idx, u64 *size)
{
	u64 addr, len;

	if (fdt_reg(boot_fdt, fdt_node, idx, &addr, &len) || !len)
		return NULL;
	if (size)
		*size = len;
	return ioremap(addr, len);
}

/* A node counts only when none of its ancestors is switched off. */
static bool enabled(int node)
{
	for (; node > 0; node = fdt_parent(boot_fdt, node)) {
		if (!fdt_status_okay(boot_fdt, node))
			return false;
	}
	return true;
}

static bool matches(const struct dt_driver *drv, int node)
{
	for (const char *const *c = drv->compatible; *c; c++) {
		if (fdt_compatible(boot_fdt, node, *c))
			return enabled(node);
	}
	return false;
}

static int collect(enum dt_stage stage, struct list_head *todo)
{
	const struct dt_driver *drv;
	struct candidate *c;
	int node;

	for (drv = __dtdrivers_start; drv < __dtdrivers_end; drv++) {
		if (drv->stage != (u64)stage)
			continue;
		for (node = fdt_next_node(boot_fdt, -1); node >= 0;
		     node = fdt_next_node(boot_fdt, node)) {
			if (!matches(drv, node))
				continue;
			c = kzalloc(sizeof(*c));
			if (!c)
				return -ENOMEM;
			c->drv = drv;
			c->node = node;
			list_add_tail(&c->link, todo);
		}
	}
	return 0;
}

/* One round; true when at least one pair got its final answer. */
static bool probe_round(struct list_head *todo)
{
	struct candidate *c, *next;
	bool progress = false;
	int err;

	list_for_each_entry_safe(c, next, todo, link) {
		err = c->drv->probe(c->node);
		if (err == -EPROBE_DEFER)
			continue;
		if (err && err != -ENODEV)
			pr_err("%s: %s: error %d", c->drv->name,
			       fdt_name(boot_fdt, c->node), err);
		list_del(&c->link);
		kfree(c);
		progress = true;
	}
	return progress;
}

static int run_stage(enum dt_stage stage)
{
	struct list_head todo;
	struct candidate *c, *next;
	int err;

	list_init(&todo);
	err = collect(stage, &todo);
	while (probe_round(&todo))
		;
	list_for_each_entry_safe(c, next, &todo, link) {
		pr_err("%s: %s: what it depends on never came", c->drv->name,
		       fdt_name(boot_fdt, c->node));
		list_del(&c->link);
		kfree(c);
	}
	return err;
}

static int dt_probe_buses(void)
{
	int err = run_stage(DT_IRQCHIP);

	return run_stage(DT_BUS) ?: err;
}

static int dt_probe_devices(void)
{
	return run_stage(DT_DEVICE);
}

INITCALL(INIT_BUS, dt_probe_buses);
INITCALL(INIT_DRIVER, dt_probe_devices);
