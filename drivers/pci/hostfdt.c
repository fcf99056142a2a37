/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/hostfdt.c - what every host bridge has in its device-tree node.
 *
 * PCI Bus Binding to IEEE 1275, 2.1: an address has three cells, of which the
 * first tells the space; bus-range, ranges, msi-parent or msi-map.
 */
#include <drivers/pci/pci.h>

#include <kernel/init.h>
#include <kernel/log.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define PCI_ADDR_CELLS 3u
#define PCI_SIZE_CELLS 2u
/* First cell of an address [2.2.1.1] */
#define SPACE_MASK     0x03000000u
#define SPACE_MEM32    0x02000000u
#define SPACE_MEM64    0x03000000u
#define SPACE_PREFETCH 0x40000000u

static int cell64(int node, u32 idx, u32 nr_cells, u64 *out)
{
	u32 v;

	*out = 0;
	for (u32 i = 0; i < nr_cells; i++) {
		if (fdt_prop_cell(boot_fdt, node, "ranges", idx + i, &v))
			return -ENOENT;
		*out = *out << 32 | v;
	}
	return 0;
}

static int read_windows(struct pci_host *h, int node)
{
	int parent = fdt_parent(boot_fdt, node);
	u32 cpu_cells = fdt_addr_cells(boot_fdt, parent);
	u32 entry = PCI_ADDR_CELLS + cpu_cells + PCI_SIZE_CELLS;
	struct pci_window w = { 0 };
	u32 space;

	for (u32 pos = 0; !fdt_prop_cell(boot_fdt, node, "ranges", pos, &space);
	     pos += entry) {
		if (cell64(node, pos + 1, 2, &w.bus_addr) ||
		    cell64(node, pos + PCI_ADDR_CELLS, cpu_cells,
			   &w.cpu_addr) ||
		    cell64(node, pos + PCI_ADDR_CELLS + cpu_cells,
			   PCI_SIZE_CELLS, &w.size))
			return -EINVAL;
		w.prefetch = space & SPACE_PREFETCH;
		space &= SPACE_MASK;
		if (!w.size || (space != SPACE_MEM32 && space != SPACE_MEM64))
			continue;
		if (w.bus_addr + w.size < w.bus_addr)
			return -EINVAL;
		if (h->nr_win == PCI_MAX_WINDOWS)
			break;
		h->win[h->nr_win++] = w;
	}
	return h->nr_win ? 0 : -EINVAL;
}

static void read_msi(struct pci_host *h, int node)
{
	struct irqchip *chip;
	u32 phandle;

	if (fdt_prop_cell(boot_fdt, node, "msi-parent", 0, &phandle) &&
	    fdt_prop_cell(boot_fdt, node, "msi-map", 1, &phandle))
		return;
	chip = irqchip_by_phandle(phandle);
	if (chip && chip->ops->msi_alloc)
		h->msi = chip;
}

int pci_host_from_fdt(struct pci_host *h, int fdt_node)
{
	h->fdt_node = fdt_node;
	h->bus_first = 0;
	h->bus_last = 255;
	(void)fdt_prop_cell(boot_fdt, fdt_node, "bus-range", 0, &h->bus_first);
	(void)fdt_prop_cell(boot_fdt, fdt_node, "bus-range", 1, &h->bus_last);
	if (h->bus_last > 255 || h->bus_first > h->bus_last)
		return -EINVAL;
	read_msi(h, fdt_node);
	return read_windows(h, fdt_node);
}
