/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/gpio.c - who has which line; see gpio.h.
 *
 * Device tree: <phandle line flags>, bit 0 of the flags is "active low".
 */
#include <kernel/dev/gpio.h>

#include <kernel/assert.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define GPIO_CELLS	2u /* line, flags */
#define GPIO_ACTIVE_LOW BIT(0)

static struct list_head chips = LIST_HEAD_INIT(chips); /* [boot] */

void gpio_chip_register(struct gpio_chip *c)
{
	KASSERT(c->ops->output && c->ops->input && c->ops->get && c->nr_lines);
	list_add_tail(&c->node, &chips);
}

static struct gpio_chip *chip_of(int fdt_node)
{
	struct gpio_chip *c;

	list_for_each_entry(c, &chips, node) {
		if (c->fdt_node == fdt_node)
			return c;
	}
	return NULL;
}

int gpio_from_chip_node(int fdt_node, u32 line, struct gpio *g)
{
	struct gpio_chip *c = chip_of(fdt_node);

	if (!c)
		return -EPROBE_DEFER;
	if (line >= c->nr_lines)
		return -EINVAL;
	*g = (struct gpio){ .chip = c, .line = line };
	return 0;
}

int gpio_from_fdt(int fdt_node, const char *prop, u32 idx, struct gpio *g)
{
	u32 at = idx * (1 + GPIO_CELLS), phandle, line, flags, cells;
	int node, err;

	if (fdt_prop_cell(boot_fdt, fdt_node, prop, at, &phandle))
		return -ENOENT;
	node = fdt_by_phandle(boot_fdt, phandle);
	if (fdt_prop_u32(boot_fdt, node, "#gpio-cells", &cells) ||
	    cells != GPIO_CELLS ||
	    fdt_prop_cell(boot_fdt, fdt_node, prop, at + 1, &line) ||
	    fdt_prop_cell(boot_fdt, fdt_node, prop, at + 2, &flags))
		return -EINVAL;
	err = gpio_from_chip_node(node, line, g);
	if (!err)
		g->active_low = flags & GPIO_ACTIVE_LOW;
	return err;
}

void gpio_output(const struct gpio *g, bool high)
{
	g->chip->ops->output(g->chip, g->line, high);
}

void gpio_input(const struct gpio *g)
{
	g->chip->ops->input(g->chip, g->line);
}

bool gpio_get(const struct gpio *g)
{
	return g->chip->ops->get(g->chip, g->line);
}

int gpio_watch(const struct gpio *g, bool high, gpio_watch_fn *fn, void *arg)
{
	if (!g->chip->ops->watch)
		return -ENXIO;
	return g->chip->ops->watch(g->chip, g->line, high, fn, arg);
}
