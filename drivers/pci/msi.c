/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/msi.c - a device's interrupts: MSI-X, MSI or its pin.
 *
 * The message's target is fixed by binding the line, so an entry is written
 * after irq_bind() and only then unmasked.  `pci=nomsi` leaves the pin only.
 *
 * INVARIANTS
 *   I1  At most one of MSI-X, MSI and the pin is enabled at the device.
 *   I2  An MSI-X entry is unmasked only while its vector is bound.
 */
#include <drivers/pci/pci_core.h>

#include <arch/riscv/mmio.h>
#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <lib/errno.h>
#include <lib/string.h>

static bool no_msi; /* [I after boot] */

static void parse_pci(const char *value)
{
	no_msi |= strstr(value, "nomsi") != NULL;
}

BOOTPARAM(pci, "pci", parse_pci);

static void free_lines(struct pci_dev *d)
{
	for (u32 i = 0; i < d->nr_vecs; i++) {
		struct irqchip *chip = d->vec[i].chip;

		if (d->irq_kind != PCI_IRQ_INTX)
			chip->ops->msi_free(chip, d->vec[i].line, 1);
	}
	d->nr_vecs = 0;
}

/* As many lines of the message controller as it has, up to @max. */
static int alloc_lines(struct pci_dev *d, u32 max)
{
	struct irqchip *chip = d->bus->host->msi;

	while (d->nr_vecs < max) {
		struct pci_vec *v = &d->vec[d->nr_vecs];

		if (chip->ops->msi_alloc(chip, 1, &v->line))
			break;
		v->chip = chip;
		d->nr_vecs++;
	}
	return d->nr_vecs ? 0 : -ENOSPC;
}

/* ---- MSI-X */

static u8 __iomem *entry_of(const struct pci_dev *d, u32 vec)
{
	return d->msix_table + vec * PCI_MSIX_ENTRY_SIZE;
}

static void msix_mask(const struct pci_dev *d, u32 vec, bool masked)
{
	mmio_write32(masked ? PCI_MSIX_ENTRY_MASKED : 0,
		     entry_of(d, vec) + PCI_MSIX_ENTRY_CTRL);
}

static int msix_setup(struct pci_dev *d, u32 max)
{
	u32 cap = pci_find_cap(d, PCI_CAP_ID_MSIX, 0);
	u32 flags, table, size;
	int err;

	if (!cap)
		return -ENODEV;
	flags = pci_read16(d, cap + PCI_MSIX_FLAGS);
	table = pci_read32(d, cap + PCI_MSIX_TABLE);
	size = (u32)FIELD_GET(PCI_MSIX_SIZE, flags) + 1;
	d->msix_table =
		pci_iomap(d, table & PCI_MSIX_BIR, table & (u32)PCI_MSIX_OFFSET,
			  (u64)size * PCI_MSIX_ENTRY_SIZE);
	if (!d->msix_table)
		return -EINVAL;
	d->irq_kind = PCI_IRQ_MSIX;
	err = alloc_lines(d, min(max, size));
	if (err) {
		iounmap(d->msix_table);
		return err;
	}
	/* masked as a whole until each entry is */
	flags |= PCI_MSIX_ENABLE | PCI_MSIX_MASKALL;
	pci_write16(d, cap + PCI_MSIX_FLAGS, flags);
	for (u32 i = 0; i < size; i++)
		msix_mask(d, i, true);
	pci_write16(d, cap + PCI_MSIX_FLAGS, flags & ~(u32)PCI_MSIX_MASKALL);
	return 0;
}

static void msix_write(const struct pci_dev *d, u32 vec, u64 addr, u32 data)
{
	u8 __iomem *e = entry_of(d, vec);

	mmio_write32((u32)addr, e + PCI_MSIX_ENTRY_ADDR);
	mmio_write32((u32)(addr >> 32), e + PCI_MSIX_ENTRY_ADDR + 4);
	mmio_write32(data, e + PCI_MSIX_ENTRY_DATA);
}

/* ---- MSI */

static int msi_setup(struct pci_dev *d)
{
	u32 cap = pci_find_cap(d, PCI_CAP_ID_MSI, 0);

	if (!cap)
		return -ENODEV;
	d->irq_kind = PCI_IRQ_MSI;
	return alloc_lines(d, 1);
}

static int msi_start(const struct pci_dev *d, u64 addr, u32 data)
{
	u32 cap = pci_find_cap(d, PCI_CAP_ID_MSI, 0);
	u32 flags = pci_read16(d, cap + PCI_MSI_FLAGS);

	if (!(flags & PCI_MSI_64) && addr >> 32)
		return -ERANGE;
	pci_write32(d, cap + PCI_MSI_ADDR, (u32)addr);
	if (flags & PCI_MSI_64) {
		pci_write32(d, cap + PCI_MSI_ADDR_HI, (u32)(addr >> 32));
		pci_write16(d, cap + PCI_MSI_DATA_64, data);
	} else {
		pci_write16(d, cap + PCI_MSI_DATA_32, data);
	}
	flags &= ~(u32)PCI_MSI_NR_MASK;
	pci_write16(d, cap + PCI_MSI_FLAGS, flags | PCI_MSI_ENABLE);
	return 0;
}

/* ---- the pin */

static void intx_switch(const struct pci_dev *d, bool on)
{
	u32 cmd = pci_read16(d, PCI_COMMAND);

	if (on)
		cmd &= ~(u32)PCI_COMMAND_INTX_OFF;
	else
		cmd |= PCI_COMMAND_INTX_OFF;
	pci_write16(d, PCI_COMMAND, cmd);
}

static int intx_setup(struct pci_dev *d)
{
	int err = pci_route_intx(d, &d->vec[0].chip, &d->vec[0].line);

	if (err)
		return err;
	d->irq_kind = PCI_IRQ_INTX;
	d->nr_vecs = 1;
	return 0;
}

/* ---- for drivers */

int pci_irq_alloc(struct pci_dev *d, u32 max)
{
	const struct irqchip *chip = d->bus->host->msi;
	int err = -ENODEV;

	KASSERT(!d->vec && max);
	d->vec = kcalloc(max, sizeof(*d->vec));
	if (!d->vec)
		return -ENOMEM;
	intx_switch(d, false);
	if (chip && !no_msi) {
		err = msix_setup(d, max);
		if (err)
			err = msi_setup(d);
	}
	if (err)
		err = intx_setup(d);
	if (!err)
		return (int)d->nr_vecs;
	d->irq_kind = PCI_IRQ_NONE;
	kfree(d->vec);
	d->vec = NULL;
	return err;
}

static int start(struct pci_dev *d, u32 vec)
{
	struct pci_vec *v = &d->vec[vec];
	u64 addr;
	u32 data;

	if (d->irq_kind == PCI_IRQ_INTX) {
		intx_switch(d, true);
		return 0;
	}
	v->chip->ops->msi_compose(v->chip, v->line, &addr, &data);
	if (d->irq_kind == PCI_IRQ_MSI)
		return msi_start(d, addr, data);
	msix_write(d, vec, addr, data);
	msix_mask(d, vec, false);
	return 0;
}

int pci_irq_bind_hart(struct pci_dev *d, u32 vec, int cpu, irq_handler_fn *fn,
		      void *arg, const char *name)
{
	struct pci_vec *v = &d->vec[vec];
	int err;

	KASSERT(vec < d->nr_vecs && !v->fn);
	if (d->irq_kind == PCI_IRQ_INTX)
		cpu = -1; /* perhaps others' line too */
	err = irq_bind_hart(v->chip, v->line, cpu, fn, arg, name);
	if (err)
		return err;
	v->fn = fn;
	v->arg = arg;
	err = start(d, vec);
	if (err) {
		irq_unbind(v->chip, v->line, fn, arg);
		v->fn = NULL;
	}
	return err;
}

int pci_irq_bind(struct pci_dev *d, u32 vec, irq_handler_fn *fn, void *arg,
		 const char *name)
{
	return pci_irq_bind_hart(d, vec, -1, fn, arg, name);
}

static void stop_device(struct pci_dev *d)
{
	u32 cap;

	intx_switch(d, false);
	if (d->irq_kind == PCI_IRQ_MSI) {
		cap = pci_find_cap(d, PCI_CAP_ID_MSI, 0);
		pci_write16(d, cap + PCI_MSI_FLAGS, 0);
	} else if (d->irq_kind == PCI_IRQ_MSIX) {
		cap = pci_find_cap(d, PCI_CAP_ID_MSIX, 0);
		pci_write16(d, cap + PCI_MSIX_FLAGS, 0);
	}
}

void pci_irq_free(struct pci_dev *d)
{
	if (!d->vec)
		return;
	stop_device(d);
	for (u32 i = 0; i < d->nr_vecs; i++) {
		struct pci_vec *v = &d->vec[i];

		if (v->fn)
			irq_unbind(v->chip, v->line, v->fn, v->arg);
	}
	free_lines(d);
	if (d->irq_kind == PCI_IRQ_MSIX)
		iounmap(d->msix_table);
	d->irq_kind = PCI_IRQ_NONE;
	kfree(d->vec);
	d->vec = NULL;
}
