/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/assign.c - give every BAR and every bridge window its addresses.
 *
 * Two passes.  Upwards: each bus lists what it needs of each kind by falling
 * alignment; a bridge turns the list of the bus behind it into one window.
 * Downwards: the host's windows are cut for the root bus, then each window for
 * the bus behind it, in the same order, so that every offset is as computed.
 *
 * INVARIANTS
 *   I1  What is behind a bridge lies inside of that bridge's window of its kind.
 *   I2  PCI_KIND_MEM behind a bridge lies below 4 GiB.
 *   I3  What finds no place stays unplaced with all that is behind it, and its
 *	 decoding stays off; the rest is not affected.
 */
#include <drivers/pci/pci_core.h>

#include <kernel/log.h>

#define BRIDGE_ALIGN (1ull << 20)
#define MAX_WINDOW   (1ull << 40) /* a sum beyond is a lie */
#define LIMIT_32BIT  (1ull << 32)

static enum pci_kind kind_of(const struct pci_bus *bus, const struct pci_res *r)
{
	return bus->pref64 && r->is64 && r->prefetch ? PCI_KIND_PREF
						     : PCI_KIND_MEM;
}

/* By falling alignment, in the order of discovery among equals. */
static void list_insert(struct pci_bus *bus, enum pci_kind kind,
			struct pci_res *r)
{
	struct pci_res *pos;

	list_for_each_entry(pos, &bus->res[kind], node) {
		if (pos->align < r->align)
			break;
	}
	list_add_tail(&r->node, &pos->node);
}

/* ---- upwards */

static void window_need(struct pci_dev *bridge, enum pci_kind kind)
{
	struct pci_res *w = &bridge->win[kind], *r;
	u64 end = 0, align = BRIDGE_ALIGN;

	list_for_each_entry(r, &bridge->child->res[kind], node) {
		align = max(align, r->align);
		end = ALIGN_UP(end, r->align) + r->size;
		if (r->size > MAX_WINDOW || end > MAX_WINDOW) {
			pr_warn("pci %s: absurd need for addresses behind it",
				bridge->name);
			return;
		}
	}
	w->dev = bridge;
	w->size = ALIGN_UP(end, BRIDGE_ALIGN);
	w->align = align;
	w->is64 = kind == PCI_KIND_PREF;
	w->prefetch = w->is64;
}

static void collect(struct pci_bus *bus)
{
	struct pci_dev *d;

	list_for_each_entry(d, &bus->devs, node) {
		for (u32 i = 0; i < PCI_NR_BARS; i++) {
			if (d->bar[i].size)
				list_insert(bus, kind_of(bus, &d->bar[i]),
					    &d->bar[i]);
		}
		if (!d->child)
			continue;
		collect(d->child);
		for (u32 kind = 0; kind < PCI_NR_KINDS; kind++) {
			window_need(d, kind);
			if (d->win[kind].size)
				list_insert(bus, kind, &d->win[kind]);
		}
	}
}

/* ---- downwards */

static void write_bar(const struct pci_res *r)
{
	struct pci_dev *d = r->dev;
	u32 n = (u32)(r - d->bar);

	pci_write32(d, PCI_BAR(n), (u32)r->addr);
	if (r->is64 && n + 1 < PCI_NR_BARS)
		pci_write32(d, PCI_BAR(n + 1), (u32)(r->addr >> 32));
}

static u32 window_bits(u64 first, u64 last)
{
	return (u32)(((first >> 16) & 0xfff0) | (last & 0xfff00000));
}

static void close_windows(const struct pci_dev *d)
{
	pci_write16(d, PCI_IO_BASE, PCI_IO_CLOSED);
	pci_write32(d, PCI_IO_HI, 0);
	pci_write32(d, PCI_MEM_WINDOW, PCI_WINDOW_CLOSED);
	pci_write32(d, PCI_PREF_WINDOW, PCI_WINDOW_CLOSED);
	pci_write32(d, PCI_PREF_BASE_HI, 0);
	pci_write32(d, PCI_PREF_LIMIT_HI, 0);
}

static void write_window(const struct pci_res *r, enum pci_kind kind)
{
	struct pci_dev *d = r->dev;
	u64 last = r->addr + r->size - 1;

	if (kind == PCI_KIND_MEM) {
		pci_write32(d, PCI_MEM_WINDOW, window_bits(r->addr, last));
		return;
	}
	pci_write32(d, PCI_PREF_BASE_HI, (u32)(r->addr >> 32));
	pci_write32(d, PCI_PREF_LIMIT_HI, (u32)(last >> 32));
	pci_write32(d, PCI_PREF_WINDOW, window_bits(r->addr, last));
}

static void place(struct pci_res *r, enum pci_kind kind, u64 addr,
		  paddr_t cpu_addr);

static void place_children(struct pci_bus *bus, enum pci_kind kind, u64 addr,
			   paddr_t cpu_addr)
{
	struct pci_res *r;
	u64 offset = 0;

	list_for_each_entry(r, &bus->res[kind], node) {
		offset = ALIGN_UP(offset, r->align);
		place(r, kind, addr + offset, cpu_addr + offset);
		offset += r->size;
	}
}

static void place(struct pci_res *r, enum pci_kind kind, u64 addr,
		  paddr_t cpu_addr)
{
	struct pci_dev *d = r->dev;

	r->addr = addr;
	r->cpu_addr = cpu_addr;
	r->placed = true;
	if (r >= d->bar && r < d->bar + PCI_NR_BARS) {
		write_bar(r);
		return;
	}
	write_window(r, kind);
	place_children(d->child, kind, addr, cpu_addr);
}

/* Room for @r in @w?  Takes it. */
static bool window_take(struct pci_window *w, const struct pci_res *r,
			bool below_4g, u64 *offset)
{
	u64 start = ALIGN_UP(w->bus_addr + w->used, r->align);
	u64 limit = w->bus_addr + w->size;

	if (!start) /* address 0 means "not assigned" to many */
		start = r->align;
	if (below_4g)
		limit = min_t(u64, limit, LIMIT_32BIT);
	if (start < w->bus_addr || start >= limit || r->size > limit - start)
		return false;
	*offset = start - w->bus_addr;
	w->used = *offset + r->size;
	return true;
}

/*
 * Which window: what is prefetchable and wide goes high first, anything else
 * low first.  A window that is marked prefetchable takes only such.
 */
static struct pci_window *choose(struct pci_host *h, const struct pci_res *r,
				 enum pci_kind kind, u64 *offset)
{
	bool is_bar = r >= r->dev->bar && r < r->dev->bar + PCI_NR_BARS;
	bool below_4g = is_bar ? !r->is64 : kind == PCI_KIND_MEM;

	for (u32 pass = 0; pass < 2; pass++) {
		bool high = (kind == PCI_KIND_PREF) == (pass == 0);

		for (u32 i = 0; i < h->nr_win; i++) {
			struct pci_window *w = &h->win[i];

			if ((w->bus_addr >= LIMIT_32BIT) != high)
				continue;
			if (w->prefetch && !r->prefetch)
				continue;
			if (window_take(w, r, below_4g, offset))
				return w;
		}
	}
	return NULL;
}

static void place_root(struct pci_host *h, enum pci_kind kind)
{
	struct pci_res *r;

	list_for_each_entry(r, &h->root->res[kind], node) {
		u64 offset;
		struct pci_window *w = choose(h, r, kind, &offset);

		if (w)
			place(r, kind, w->bus_addr + offset,
			      w->cpu_addr + offset);
		else
			pr_err("pci %s: no room for %llu KiB of addresses",
			       r->dev->name,
			       (unsigned long long)(r->size >> 10));
	}
}

/* Bridges forward; their own BARs and all devices stay off. */
static void open_bridges(struct pci_bus *bus)
{
	struct pci_dev *d;

	list_for_each_entry(d, &bus->devs, node) {
		if (!d->child)
			continue;
		pci_write16(d, PCI_COMMAND,
			    PCI_COMMAND_MEM | PCI_COMMAND_MASTER |
				    PCI_COMMAND_INTX_OFF);
		open_bridges(d->child);
	}
}

static void close_bridges(struct pci_bus *bus)
{
	struct pci_dev *d;

	list_for_each_entry(d, &bus->devs, node) {
		if (d->header_type == 1)
			close_windows(d);
		if (d->child)
			close_bridges(d->child);
	}
}

void pci_assign_root(struct pci_host *h)
{
	close_bridges(h->root);
	collect(h->root);
	for (u32 kind = 0; kind < PCI_NR_KINDS; kind++)
		place_root(h, kind);
	open_bridges(h->root);
}
