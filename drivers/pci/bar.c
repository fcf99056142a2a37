/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/bar.c - how much address space each BAR of a function asks for.
 *
 * PCI Express 5.0 [7.5.1.2.1]: write all ones, read back, restore.  Decoding is
 * off meanwhile, so that the ones are not an address.  Only memory BARs count:
 * nothing that we drive needs port I/O.
 */
#include <drivers/pci/pci_core.h>

#include <kernel/log.h>

static u32 probe_mask(const struct pci_dev *d, u32 reg)
{
	u32 old = pci_read32(d, reg), mask;

	pci_write32(d, reg, ~0u);
	mask = pci_read32(d, reg);
	pci_write32(d, reg, old);
	return mask;
}

/* @mask of the address bits -> size; 0 when it is none. */
static u64 mask_to_size(u64 mask)
{
	u64 size = mask & (~mask + 1);

	/* the ones must be contiguous up to the top */
	if (!size || (mask | (size - 1)) + 1 != 0)
		return 0;
	return size;
}

/* One BAR; the number of BARs it takes. */
static u32 size_one(struct pci_dev *d, u32 n, u32 nr_bars)
{
	struct pci_res *r = &d->bar[n];
	u32 low = probe_mask(d, PCI_BAR(n));
	u64 mask = (low & PCI_BAR_MEM_MASK) | 0xffffffff00000000ull;

	if (!low || low == ~0u || (low & PCI_BAR_IO))
		return 1;
	r->is64 = FIELD_GET(PCI_BAR_TYPE, low) == PCI_BAR_TYPE_64;
	r->prefetch = low & PCI_BAR_PREFETCH;
	if (r->is64 && n + 1 < nr_bars)
		mask = (low & PCI_BAR_MEM_MASK) |
		       (u64)probe_mask(d, PCI_BAR(n + 1)) << 32;
	r->dev = d;
	r->size = mask_to_size(mask);
	r->align = r->size;
	if (!r->size)
		pr_warn("pci %s: BAR %u makes no sense (%#x)", d->name, n, low);
	return r->is64 ? 2 : 1;
}

void pci_size_bars(struct pci_dev *d)
{
	u32 nr_bars = d->header_type == 0   ? PCI_NR_BARS
		      : d->header_type == 1 ? 2
					    : 0;
	u32 cmd = pci_read16(d, PCI_COMMAND);

	/* Quiet for good: a boot loader may have left it running. */
	cmd &= ~(u32)(PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
	pci_write16(d, PCI_COMMAND, cmd | PCI_COMMAND_INTX_OFF);
	for (u32 n = 0; n < nr_bars;)
		n += size_one(d, n, nr_bars);
}
