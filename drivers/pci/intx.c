/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/intx.c - which interrupt line the pin of a device ends at.
 *
 * Every bridge on the way up turns the pin by the device number [PCI-to-PCI
 * Bridge 1.2, 9.1]; at the root bus the host's interrupt-map says the rest
 * [DTSpec 0.4, 2.4.3].
 */
#include <drivers/pci/pci_core.h>

#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define CHILD_CELLS	4u /* three of the address, one of the pin */
#define MAX_SPEC_CELLS	4u
#define MAX_MAP_ENTRIES 4096u

static int map_cell(int node, u32 idx, u32 *out)
{
	return fdt_prop_cell(boot_fdt, node, "interrupt-map", idx, out);
}

/* Cells of the parent's part of an entry: unit address and specifier. */
static int parent_cells(u32 phandle, u32 *addr_cells, u32 *int_cells)
{
	int node = fdt_by_phandle(boot_fdt, phandle);

	if (node < 0)
		return -EINVAL;
	if (fdt_prop_u32(boot_fdt, node, "#address-cells", addr_cells))
		*addr_cells = 0;
	if (fdt_prop_u32(boot_fdt, node, "#interrupt-cells", int_cells) ||
	    !*int_cells || *int_cells > MAX_SPEC_CELLS || *addr_cells > 4)
		return -EINVAL;
	return 0;
}

static int entry_result(int node, u32 pos, u32 phandle, u32 addr_cells,
			u32 int_cells, struct irqchip **chip, u32 *line)
{
	u32 spec[MAX_SPEC_CELLS];

	for (u32 i = 0; i < int_cells; i++) {
		if (map_cell(node, pos + addr_cells + i, &spec[i]))
			return -EINVAL;
	}
	*chip = irqchip_by_phandle(phandle);
	if (!*chip || !(*chip)->ops->xlate)
		return -ENODEV;
	return (*chip)->ops->xlate(*chip, spec, int_cells, line);
}

static bool entry_matches(int node, u32 pos, const u32 *want)
{
	for (u32 i = 0; i < CHILD_CELLS; i++) {
		u32 mask = ~0u, v;

		(void)fdt_prop_cell(boot_fdt, node, "interrupt-map-mask", i,
				    &mask);
		if (map_cell(node, pos + i, &v) || ((v ^ want[i]) & mask))
			return false;
	}
	return true;
}

static int map_lookup(int node, const u32 *want, struct irqchip **chip,
		      u32 *line)
{
	u32 pos = 0, phandle, addr_cells, int_cells;

	for (u32 n = 0; n < MAX_MAP_ENTRIES; n++) {
		if (map_cell(node, pos + CHILD_CELLS, &phandle))
			return -ENOENT;
		if (parent_cells(phandle, &addr_cells, &int_cells))
			return -EINVAL;
		if (entry_matches(node, pos, want))
			return entry_result(node, pos + CHILD_CELLS + 1,
					    phandle, addr_cells, int_cells,
					    chip, line);
		pos += CHILD_CELLS + 1 + addr_cells + int_cells;
	}
	return -ENOENT;
}

int pci_route_intx(const struct pci_dev *d, struct irqchip **chip, u32 *line)
{
	u32 pin = d->pin;
	u32 want[CHILD_CELLS] = { 0 };

	if (!pin || d->bus->host->fdt_node < 0)
		return -ENOENT;
	for (; d->bus->bridge; d = d->bus->bridge)
		pin = (pin - 1 + PCI_SLOT(d->devfn)) % 4 + 1;
	want[0] = d->bus->nr << 16 | d->devfn << 8;
	want[3] = pin;
	return map_lookup(d->bus->host->fdt_node, want, chip, line);
}
