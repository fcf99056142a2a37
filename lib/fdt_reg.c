/* SPDX-License-Identifier: MIT */
/*
 * lib/fdt_reg.c - addresses in a device tree, translated to the CPU's.
 *
 * Addresses and sizes have one or two cells.  Those of PCI have three and are
 * not the business of this file: PCI devices are enumerated, not described.
 */
#include <lib/fdt.h>

#include <lib/errno.h>

#define CELL 4u

static u64 read_cells(const u8 *p, u32 cells)
{
	if (cells == 2)
		return fdt_get64(p);
	return cells ? fdt_get32(p) : 0;
}

u32 fdt_addr_cells(const void *fdt, int node)
{
	u32 v;

	return fdt_prop_u32(fdt, node, "#address-cells", &v) == 0 ? v : 2;
}

u32 fdt_size_cells(const void *fdt, int node)
{
	u32 v;

	return fdt_prop_u32(fdt, node, "#size-cells", &v) == 0 ? v : 1;
}

/* One step up: *@addr, an address on @bus, becomes one on @parent. */
static int translate(const void *fdt, int bus, int parent, u64 *addr)
{
	u32 na = fdt_addr_cells(fdt, bus), ns = fdt_size_cells(fdt, bus);
	u32 pna = fdt_addr_cells(fdt, parent);
	int len;
	const u8 *p = fdt_prop(fdt, bus, "ranges", &len);
	size_t left, entry = (size_t)CELL * (na + pna + ns);

	if (!p)
		return -EINVAL;
	if (len == 0)
		return 0; /* the bus is its parent's */
	if (na < 1 || na > 2 || pna < 1 || pna > 2 || ns < 1 || ns > 2)
		return -EINVAL;
	for (left = (size_t)len; left >= entry; left -= entry, p += entry) {
		u64 from = read_cells(p, na);
		u64 to = read_cells(p + (size_t)CELL * na, pna);
		u64 size = read_cells(p + (size_t)CELL * (na + pna), ns);

		if (*addr - from < size) {
			*addr = *addr - from + to;
			return 0;
		}
	}
	return -EINVAL;
}

int fdt_reg(const void *fdt, int node, unsigned int idx, u64 *addr, u64 *size)
{
	int len, up, bus = fdt_parent(fdt, node);
	const u8 *p = fdt_prop(fdt, node, "reg", &len);
	u32 na = fdt_addr_cells(fdt, bus), ns = fdt_size_cells(fdt, bus);
	size_t entry = (size_t)CELL * (na + ns);
	u64 at;
	int r;

	if (!p || bus < 0)
		return -ENOENT;
	if (na < 1 || na > 2 || ns > 2)
		return -EINVAL;
	if (idx >= (size_t)len / entry)
		return -ENOENT;
	p += idx * entry;
	at = read_cells(p, na);
	for (; (up = fdt_parent(fdt, bus)) >= 0; bus = up) {
		r = translate(fdt, bus, up, &at);
		if (r < 0)
			return r;
	}
	*addr = at;
	if (size)
		*size = read_cells(p + (size_t)CELL * na, ns);
	return 0;
}
