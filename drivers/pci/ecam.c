/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/ecam.c - host bridge whose configuration space is plain memory.
 *
 * PCI Express 5.0 [7.2.2]: 4 KiB per function at bus << 20 | devfn << 12.  A
 * bus is mapped when it is looked at for the first time.
 *
 * Context: threads; configuration accesses happen at boot and in drivers' probe.
 */
#include <drivers/pci/pci.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define ECAM_BUS_SHIFT 20
#define ECAM_FN_SHIFT  12
#define ECAM_BUS_SIZE  (1ul << ECAM_BUS_SHIFT)
#define ECAM_BUSES     256u

struct ecam {
	struct pci_host host;
	paddr_t base;		     /* [I] of bus_first */
	u64 size;		     /* [I] */
	u8 __iomem *bus[ECAM_BUSES]; /* [a] NULL: not mapped yet */
};

static u8 __iomem *ecam_addr(struct pci_host *h, u32 bus, u32 devfn, u32 reg)
{
	struct ecam *e = h->priv;
	u64 offset = (u64)(bus - h->bus_first) << ECAM_BUS_SHIFT;

	if (bus < h->bus_first || bus > h->bus_last || devfn > 255 ||
	    reg >= PCI_EXT_CFG_SIZE || offset + ECAM_BUS_SIZE > e->size)
		return NULL;
	if (!load_once(&e->bus[bus]))
		store_once(&e->bus[bus],
			   ioremap(e->base + offset, ECAM_BUS_SIZE));
	if (!e->bus[bus])
		return NULL;
	return e->bus[bus] + (devfn << ECAM_FN_SHIFT) + reg;
}

static u32 ecam_read(struct pci_host *h, u32 bus, u32 devfn, u32 reg, u32 width)
{
	const u8 __iomem *a = ecam_addr(h, bus, devfn, reg);

	if (!a)
		return ~0u >> (32 - 8 * width);
	switch (width) {
	case 1:
		return mmio_read8(a);
	case 2:
		return mmio_read16(a);
	default:
		return mmio_read32(a);
	}
}

static void ecam_write(struct pci_host *h, u32 bus, u32 devfn, u32 reg,
		       u32 width, u32 v)
{
	u8 __iomem *a = ecam_addr(h, bus, devfn, reg);

	if (!a)
		return;
	switch (width) {
	case 1:
		mmio_write8((u8)v, a);
		break;
	case 2:
		mmio_write16((u16)v, a);
		break;
	default:
		mmio_write32(v, a);
	}
	/* a configuration write is done when it can be read back */
	(void)mmio_read32(a - reg % 4);
}

static const struct pci_host_ops ecam_ops = {
	.read = ecam_read,
	.write = ecam_write,
};

static int ecam_setup(struct ecam *e, int node)
{
	u64 buses;
	int err;

	e->host.ops = &ecam_ops;
	e->host.priv = e;
	err = fdt_reg(boot_fdt, node, 0, &e->base, &e->size);
	if (!err)
		err = pci_host_from_fdt(&e->host, node);
	if (err)
		return err;
	buses = e->size >> ECAM_BUS_SHIFT;
	if (!buses)
		return -EINVAL;
	if (e->host.bus_last - e->host.bus_first >= buses)
		e->host.bus_last = e->host.bus_first + (u32)buses - 1;
	pr_info("pci: ECAM at %#llx, buses %u to %u, %s",
		(unsigned long long)e->base, e->host.bus_first,
		e->host.bus_last, e->host.msi ? "messages" : "no messages");
	return pci_host_register(&e->host);
}

static int ecam_probe(int node)
{
	struct ecam *e = kzalloc(sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	err = ecam_setup(e, node);
	if (err && !e->host.root)
		kfree(e);
	return err;
}

static const char *const ecam_compatible[] = { "pci-host-ecam-generic", NULL };

DT_DRIVER(ecam) = {
	.name = "pci-host-ecam",
	.compatible = ecam_compatible,
	.probe = ecam_probe,
	.stage = DT_BUS,
};
