/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/pci.c - configuration access, capabilities, devices and drivers.
 *
 * INVARIANTS
 *   I1  A walk of capabilities ends after as many steps as fit into the space,
 *	 whatever the pointers say.
 *
 * Not here: finding devices (scan.c), addresses (bar.c, assign.c), interrupts
 * (intx.c, msi.c), hosts (ecam.c and others, hostfdt.c).
 */
#include <drivers/pci/pci_core.h>

#include <kernel/assert.h>
#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/vmap.h>
#include <lib/errno.h>

extern const struct pci_driver __pcidrivers_start[];
extern const struct pci_driver __pcidrivers_end[];

static struct list_head all_devs = LIST_HEAD_INIT(all_devs); /* boot only */
static u32 nr_domains;					     /* boot only */

/* ---- configuration space */

u32 pci_read(const struct pci_dev *d, u32 reg, u32 width)
{
	struct pci_host *h = d->bus->host;

	KASSERT(reg % width == 0 && reg < PCI_EXT_CFG_SIZE);
	return h->ops->read(h, d->bus->nr, d->devfn, reg, width);
}

void pci_write(const struct pci_dev *d, u32 reg, u32 width, u32 v)
{
	struct pci_host *h = d->bus->host;

	KASSERT(reg % width == 0 && reg < PCI_EXT_CFG_SIZE);
	h->ops->write(h, d->bus->nr, d->devfn, reg, width, v);
}

u32 pci_find_cap(const struct pci_dev *d, u8 id, u32 after)
{
	u32 steps = (PCI_CFG_SIZE - PCI_CAP_MIN_OFFSET) / 4;
	u32 pos;

	if (!(pci_read16(d, PCI_STATUS) & PCI_STATUS_CAPS))
		return 0;
	pos = pci_read8(d, after ? after + 1 : PCI_CAP_POINTER) & ~3u;
	while (pos >= PCI_CAP_MIN_OFFSET && steps--) {
		u16 header = pci_read16(d, pos);

		if (header == 0xffff)
			return 0;
		if ((header & 0xff) == id)
			return pos;
		pos = (header >> 8) & ~3u;
	}
	return 0;
}

u32 pci_find_ext_cap(const struct pci_dev *d, u16 id)
{
	u32 steps = (PCI_EXT_CFG_SIZE - PCI_EXT_CAP_START) / 8;
	u32 pos = PCI_EXT_CAP_START;

	while (pos >= PCI_EXT_CAP_START && steps--) {
		u32 header = pci_read32(d, pos);

		if (header == 0 || header == ~0u)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return pos;
		pos = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

/* ---- for drivers */

int pci_enable(struct pci_dev *d)
{
	u16 cmd = pci_read16(d, PCI_COMMAND);

	for (u32 i = 0; i < PCI_NR_BARS; i++) {
		if (d->bar[i].size && !d->bar[i].placed)
			return -ENOSPC;
	}
	pci_write16(d, PCI_COMMAND, cmd | PCI_COMMAND_MEM);
	return 0;
}

void pci_set_master(struct pci_dev *d)
{
	u16 cmd = pci_read16(d, PCI_COMMAND);

	pci_write16(d, PCI_COMMAND, cmd | PCI_COMMAND_MASTER);
}

void pci_clear_master(struct pci_dev *d)
{
	u32 cmd = pci_read16(d, PCI_COMMAND);

	pci_write16(d, PCI_COMMAND, cmd & ~(u32)PCI_COMMAND_MASTER);
}

void pci_disable(struct pci_dev *d)
{
	u32 cmd = pci_read16(d, PCI_COMMAND);

	cmd &= ~(u32)(PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
	pci_write16(d, PCI_COMMAND, cmd);
}

void __iomem *pci_iomap(struct pci_dev *d, u32 bar, u64 offset, u64 len)
{
	const struct pci_res *r;

	if (bar >= PCI_NR_BARS)
		return NULL;
	r = &d->bar[bar];
	if (!r->placed || !len || offset >= r->size || len > r->size - offset)
		return NULL;
	return ioremap(r->cpu_addr + offset, len);
}

void pci_for_each(void (*fn)(struct pci_dev *d, void *ctx), void *ctx)
{
	struct pci_dev *d;

	list_for_each_entry(d, &all_devs, all_node)
		fn(d, ctx);
}

/* ---- hosts and drivers meet */

void pci_add_dev(struct pci_dev *d)
{
	list_add_tail(&d->all_node, &all_devs);
	pr_info("pci %s: %04x:%04x class %06x", d->name, d->vendor, d->device,
		d->class);
}

int pci_host_register(struct pci_host *h)
{
	int err;

	KASSERT(h->ops->read && h->ops->write && h->bus_first <= h->bus_last);
	h->domain = nr_domains++;
	err = pci_scan_root(h);
	if (err)
		return err;
	pci_assign_root(h);
	pci_sys_add_host(h);
	return 0;
}

static bool id_matches(const struct pci_id *id, const struct pci_dev *d)
{
	return (id->vendor == PCI_ANY || id->vendor == d->vendor) &&
	       (id->device == PCI_ANY || id->device == d->device) &&
	       ((id->class ^ d->class) & id->class_mask) == 0;
}

static bool driver_matches(const struct pci_driver *drv,
			   const struct pci_dev *d)
{
	for (const struct pci_id *id = drv->ids; id->vendor; id++) {
		if (id_matches(id, d))
			return true;
	}
	return false;
}

static void probe_dev(struct pci_dev *d)
{
	const struct pci_driver *drv;

	for (drv = __pcidrivers_start; drv < __pcidrivers_end; drv++) {
		int err;

		if (d->driver || !driver_matches(drv, d))
			continue;
		d->driver = drv;
		err = drv->probe(d);
		if (!err) {
			(void)sys_bind("bus/pci", drv->name, d->sys);
			return;
		}
		d->driver = NULL;
		if (err != -ENODEV)
			pr_err("pci %s: %s: error %d", d->name, drv->name, err);
	}
}

static int pci_probe_drivers(void)
{
	struct pci_dev *d;

	list_for_each_entry(d, &all_devs, all_node)
		probe_dev(d);
	return 0;
}

INITCALL(INIT_DRIVER, pci_probe_drivers);
