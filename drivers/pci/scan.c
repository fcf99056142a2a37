/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/scan.c - find every function and number every bus.
 *
 * Depth first: a bridge gets the next bus number, is scanned with its
 * subordinate number wide open, and is closed to what was found.
 *
 * INVARIANTS
 *   I1  Bus numbers of a host are unique and within [bus_first, bus_last].
 *   I2  The recursion is at most PCI_MAX_DEPTH bridges deep.
 *   I3  Below a PCI Express port there is one device: number 0.
 */
#include <drivers/pci/pci_core.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define SLOTS_PER_BUS  32u
#define FUNCS_PER_SLOT 8u
/* Completed with "retry" while a device starts [2.3.1] */
#define VENDOR_RETRY  0x0001u
#define RETRY_NS      (1000 * NSEC_PER_MSEC)
#define RETRY_STEP_US 1000u

struct scan {
	struct pci_host *h;
	u32 next_bus;
};

static int scan_bus(struct scan *s, struct pci_bus *bus);

static struct pci_bus *bus_alloc(struct pci_host *h, struct pci_dev *bridge,
				 u32 nr)
{
	struct pci_bus *bus = kzalloc(sizeof(*bus));

	if (!bus)
		return NULL;
	bus->host = h;
	bus->bridge = bridge;
	bus->nr = nr;
	list_init(&bus->devs);
	for (u32 kind = 0; kind < PCI_NR_KINDS; kind++)
		list_init(&bus->res[kind]);
	return bus;
}

/* ---- one function */

/* Vendor and device, once it answers; all ones when there is nothing. */
static u32 read_id(struct pci_host *h, u32 bus, u32 devfn)
{
	u64 deadline = clock_mono_ns() + RETRY_NS;

	for (;;) {
		u32 id = h->ops->read(h, bus, devfn, PCI_VENDOR_ID, 4);

		if ((id & 0xffff) == 0 || (id & 0xffff) == 0xffff)
			return ~0u;
		if ((id & 0xffff) != VENDOR_RETRY)
			return id;
		if (clock_mono_ns() > deadline) {
			pr_warn("pci %02x:%02x: does not come out of reset",
				bus, PCI_SLOT(devfn));
			return ~0u;
		}
		udelay(RETRY_STEP_US);
	}
}

static void read_header(struct pci_dev *d)
{
	u32 class = pci_read32(d, PCI_CLASS_REVISION);

	d->class = class >> 8;
	d->revision = (u8) class;
	d->header_type = pci_read8(d, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MASK;
	d->pin = pci_read8(d, PCI_INT_PIN);
	if (d->pin > 4)
		d->pin = 0;
	if (d->header_type == 0) {
		d->subsys_vendor = pci_read16(d, PCI_SUBSYS_VENDOR);
		d->subsys_device = pci_read16(d, PCI_SUBSYS_ID);
	}
}

static struct pci_dev *dev_alloc(struct pci_bus *bus, u32 devfn, u32 id)
{
	struct pci_dev *d = kzalloc(sizeof(*d));

	if (!d)
		return NULL;
	d->bus = bus;
	d->devfn = devfn;
	d->vendor = (u16)id;
	d->device = (u16)(id >> 16);
	scnprintf(d->name, sizeof(d->name), "%04x:%02x:%02x.%u",
		  bus->host->domain & 0xffff, bus->nr & 0xff,
		  PCI_SLOT(devfn) & 0x1f, PCI_FUNC(devfn));
	read_header(d);
	pci_size_bars(d);
	list_add_tail(&d->node, &bus->devs);
	pci_add_dev(d);
	return d;
}

/* ---- bridges */

static bool has_pref64(const struct pci_dev *d)
{
	u32 v;

	pci_write32(d, PCI_PREF_WINDOW, PCI_WINDOW_CLOSED);
	v = pci_read32(d, PCI_PREF_WINDOW);
	return (v & 0xf) == PCI_PREF_TYPE_64;
}

static void set_buses(const struct pci_dev *d, u32 secondary, u32 subordinate)
{
	u32 v = pci_read32(d, PCI_BUSES) & 0xff000000u;

	pci_write32(d, PCI_BUSES,
		    v | subordinate << 16 | secondary << 8 | d->bus->nr);
}

static int scan_bridge(struct scan *s, struct pci_dev *d)
{
	struct pci_bus *bus;
	int err;

	if (s->next_bus > s->h->bus_last || d->bus->depth + 1 > PCI_MAX_DEPTH) {
		pr_warn("pci %s: no bus number left, ignoring what is behind",
			d->name);
		set_buses(d, 0, 0);
		return 0;
	}
	bus = bus_alloc(s->h, d, s->next_bus++);
	if (!bus)
		return -ENOMEM;
	bus->depth = d->bus->depth + 1;
	bus->pref64 = d->bus->pref64 && has_pref64(d);
	d->child = bus;
	set_buses(d, bus->nr, s->h->bus_last);
	pci_port_settle(d);
	err = scan_bus(s, bus);
	set_buses(d, bus->nr, s->next_bus - 1);
	pci_port_report(d);
	return err;
}

/* ---- buses */

static int scan_slot(struct scan *s, struct pci_bus *bus, u32 slot)
{
	u32 nr_funcs = 1;

	for (u32 func = 0; func < nr_funcs; func++) {
		u32 devfn = PCI_DEVFN(slot, func);
		u32 id = read_id(s->h, bus->nr, devfn);
		struct pci_dev *d;
		int err = 0;

		if (id == ~0u)
			continue;
		d = dev_alloc(bus, devfn, id);
		if (!d)
			return -ENOMEM;
		if (func == 0 &&
		    (pci_read8(d, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MULTI))
			nr_funcs = FUNCS_PER_SLOT;
		if (d->header_type == 1)
			err = scan_bridge(s, d);
		if (err)
			return err;
	}
	return 0;
}

static bool is_port_to_one(const struct pci_dev *bridge)
{
	u32 cap = bridge ? pci_find_cap(bridge, PCI_CAP_ID_EXP, 0) : 0;
	u64 type;

	if (!cap)
		return false;
	type = FIELD_GET(PCI_EXP_PORT_TYPE,
			 pci_read16(bridge, cap + PCI_EXP_FLAGS));
	return type == PCI_EXP_ROOT_PORT || type == PCI_EXP_DOWNSTREAM;
}

static int scan_bus(struct scan *s, struct pci_bus *bus)
{
	u32 nr_slots = is_port_to_one(bus->bridge) ? 1 : SLOTS_PER_BUS;

	for (u32 slot = 0; slot < nr_slots; slot++) {
		int err = scan_slot(s, bus, slot);

		if (err)
			return err;
	}
	return 0;
}

int pci_scan_root(struct pci_host *h)
{
	struct scan s = { .h = h, .next_bus = h->bus_first + 1 };

	h->root = bus_alloc(h, NULL, h->bus_first);
	if (!h->root)
		return -ENOMEM;
	for (u32 i = 0; i < h->nr_win; i++) {
		const struct pci_window *w = &h->win[i];

		h->root->pref64 |= w->bus_addr + w->size - 1 > 0xffffffffull;
	}
	return scan_bus(&s, h->root);
}
