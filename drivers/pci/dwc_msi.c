/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/dwc_msi.c - the DesignWare core's receiver of messages (iMSI-RX).
 *
 * It compares the address of each write that comes from the bus with one of its
 * registers; a hit goes no further than here: the data is the number of a line,
 * whose status bit rises and with it one interrupt for all lines.
 *
 * INVARIANTS
 *   I1  A line is unmasked only while it is bound.
 *   I2  Status bits are cleared, and known to be, before their handlers run: what
 *	 is signalled while one runs sets its bit again.
 *
 * ORDERING
 *   MSIACK  clearing of a status bit before the handler looks into memory
 *           (device: reading the register back).
 *
 * Locking: msi->lock (RANK_IRQ).
 */
#include <drivers/pci/dwc.h>

#include <arch/riscv/mmu.h>
#include <drivers/pci/dwc_regs.h>
#include <kernel/log.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>

#define MAX_ROUNDS 64u /* then the hart's loop has its turn */

STATIC_ASSERT(DWC_MSI_NR_BANKS <= DWC_MSI_MAX_BANKS, "banks of the core");

/* What devices write to: nothing ever arrives, but no device may have a buffer
 * there. */
static u32 message_target __aligned(64);

static struct dwc *dwc_of(struct irqchip *chip)
{
	return chip->priv;
}

static u32 bank_of(u32 line)
{
	return line / DWC_MSI_BANK_LINES;
}

static u32 bit_of(u32 line)
{
	return (u32)BIT(line % DWC_MSI_BANK_LINES);
}

static void set_mask(struct dwc *d, u32 line, bool masked)
{
	struct dwc_msi *m = &d->msi;
	u32 bank = bank_of(line);

	spin_lock(&m->lock);
	if (masked)
		m->mask[bank] |= bit_of(line);
	else
		m->mask[bank] &= ~bit_of(line);
	dwc_write32(d, DWC_MSI_MASK(bank), m->mask[bank]);
	spin_unlock(&m->lock);
}

/* ---- ops */

static int dwc_msi_enable(struct irqchip *chip, u32 line, int cpu)
{
	(void)cpu; /* one interrupt for all: its target is theirs */
	set_mask(dwc_of(chip), line, false);
	return 0;
}

static void dwc_msi_disable(struct irqchip *chip, u32 line)
{
	set_mask(dwc_of(chip), line, true);
}

/* A block of @nr lines, aligned to its size as plain MSI wants it. */
static int dwc_msi_alloc(struct irqchip *chip, u32 nr, u32 *first_line)
{
	struct dwc_msi *m = &dwc_of(chip)->msi;
	int err = -ENOSPC;

	if (!nr || nr > DWC_MSI_BANK_LINES || (nr & (nr - 1)))
		return -EINVAL;
	spin_lock(&m->lock);
	for (u32 line = 0; line < chip->nr_lines && err; line += nr) {
		u32 bits = (u32)((BIT(nr) - 1) << line % DWC_MSI_BANK_LINES);

		if (m->used[bank_of(line)] & bits)
			continue;
		m->used[bank_of(line)] |= bits;
		*first_line = line;
		err = 0;
	}
	spin_unlock(&m->lock);
	return err;
}

static void dwc_msi_free(struct irqchip *chip, u32 first_line, u32 nr)
{
	struct dwc_msi *m = &dwc_of(chip)->msi;

	spin_lock(&m->lock);
	for (u32 line = first_line; line < first_line + nr; line++)
		m->used[bank_of(line)] &= ~bit_of(line);
	spin_unlock(&m->lock);
}

static void dwc_msi_compose(struct irqchip *chip, u32 line, u64 *addr,
			    u32 *data)
{
	(void)chip;
	*addr = virt_to_phys(&message_target);
	*data = line;
}

static const struct irqchip_ops dwc_msi_ops = {
	.name = "DesignWare MSI",
	.enable = dwc_msi_enable,
	.disable = dwc_msi_disable,
	.msi_alloc = dwc_msi_alloc,
	.msi_free = dwc_msi_free,
	.msi_compose = dwc_msi_compose,
};

/* ---- the interrupt of all of them */

/* Everything that one bank has to say now; true when it was anything. */
static bool take_bank(struct dwc *d, u32 bank)
{
	u32 reg = DWC_MSI_STATUS(bank);
	u32 status = dwc_read32(d, reg) & ~load_once(&d->msi.mask[bank]);

	if (!status)
		return false;
	dwc_write32(d, reg, status);
	/* MSIACK (full) - with the device: cleared when this returns. */
	(void)dwc_read32(d, reg);
	for (u32 left = status; left; left &= left - 1)
		irq_handle(&d->msi.chip,
			   bank * DWC_MSI_BANK_LINES + (u32)ctz64(left));
	return true;
}

/* The line is up while any bit is: none must be left behind, for PLICs that
 * only hear it rise. */
static bool dwc_msi_irq(void *arg)
{
	struct dwc *d = arg;
	bool any, handled = false;

	for (u32 round = 0; round < MAX_ROUNDS; round++) {
		any = false;
		for (u32 bank = 0; bank < d->msi.nr_banks; bank++)
			any |= take_bank(d, bank);
		handled |= any;
		if (!any)
			break;
	}
	return handled;
}

/* All masked, none pending; banks that the core lacks do not keep an enable. */
static u32 reset_banks(struct dwc *d)
{
	u32 nr = 0;

	for (; nr < DWC_MSI_NR_BANKS; nr++) {
		dwc_write32(d, DWC_MSI_MASK(nr), ~0u);
		dwc_write32(d, DWC_MSI_ENABLE(nr), ~0u);
		if (dwc_read32(d, DWC_MSI_ENABLE(nr)) != ~0u)
			break;
		dwc_write32(d, DWC_MSI_STATUS(nr), ~0u);
		d->msi.mask[nr] = ~0u;
	}
	return nr;
}

int dwc_msi_init(struct dwc *d, struct irqchip *parent, u32 line)
{
	struct dwc_msi *m = &d->msi;
	u64 addr = virt_to_phys(&message_target);
	int err;

	spin_init(&m->lock, "dwc-msi", RANK_IRQ);
	m->nr_banks = reset_banks(d);
	if (!m->nr_banks)
		return -ENODEV;
	dwc_write32(d, DWC_MSI_ADDR_LO, (u32)addr);
	dwc_write32(d, DWC_MSI_ADDR_HI, (u32)(addr >> 32));
	m->chip = (struct irqchip){
		.ops = &dwc_msi_ops,
		.fdt_node = -1,
		.nr_lines = m->nr_banks * DWC_MSI_BANK_LINES,
		.priv = d,
	};
	err = irqchip_register(&m->chip);
	if (!err)
		err = irq_bind(parent, line, dwc_msi_irq, d, "dwc-msi");
	if (err)
		return err;
	d->host.msi = &m->chip;
	pr_info("%s: %u messages, to %#llx", d->name, m->chip.nr_lines,
		(unsigned long long)addr);
	return 0;
}
