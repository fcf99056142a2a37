/* SPDX-License-Identifier: MIT */
/* kernel/dev/spi.c - the list of SPI controllers; see spi.h. */
#include <kernel/dev/spi.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <lib/fdt.h>

static struct list_head buses = LIST_HEAD_INIT(buses); /* [boot] */

void spi_bus_register(struct spi_bus *b)
{
	KASSERT(b->ops->set_speed && b->ops->select && b->ops->transfer);
	mutex_init(&b->lock);
	list_add_tail(&b->node, &buses);
}

struct spi_bus *spi_bus_of(int fdt_node)
{
	int parent = fdt_parent(boot_fdt, fdt_node);
	struct spi_bus *b;

	list_for_each_entry(b, &buses, node) {
		if (b->fdt_node == parent)
			return b;
	}
	return NULL;
}
