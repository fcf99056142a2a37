/* SPDX-License-Identifier: MIT */
/*
 * drivers/irq/aplic.c - advanced PLIC: wired interrupts to harts or to MSIs.
 *
 * RISC-V Advanced Interrupt Architecture 1.0, chapter 4.  In direct mode the
 * chip is a root: each hart has a delivery control block (IDC) to claim from.
 * In MSI mode every line that is used gets a message of the IMSIC; the message's
 * handler runs the line's handlers.
 *
 * INVARIANTS
 *   I1  MSI mode: source[line].msi is bound before the line can be enabled.
 *   I2  MSI mode: a level line that is still up after its handlers ran is set
 *	 pending again, else nothing would ever be sent for it [4.9.2].
 *
 * QUIRK
 *   QEMU before 9 takes setipnum for a level line that is down.  It would be
 *   an endless storm, so the input is read first.
 *
 * Locking: aplic->lock (RANK_IRQ).
 */
#include <drivers/irq/aplic_regs.h>

#include <arch/riscv/mmio.h>
#include <drivers/irq/imsic.h>
#include <kernel/assert.h>
#include <kernel/dev/dt.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/spinlock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define CLAIM_BATCH 32u
#define NO_IDC	    (~0u)

/* Trigger types of the device tree's second cell */
#define DT_EDGE_RISE  1u
#define DT_EDGE_FALL  2u
#define DT_LEVEL_HIGH 4u
#define DT_LEVEL_LOW  8u

struct aplic;

struct source {
	struct aplic *aplic; /* [I] */
	u32 line;	     /* [I] */
	u32 mode;	     /* [lock] APLIC_SOURCECFG_* */
	u32 msi;	     /* [lock] line of the parent, 0: none yet */
};

struct aplic {
	struct irqchip chip;
	u8 __iomem *regs;	/* [I] */
	struct irqchip *parent; /* [I] NULL: direct mode */
	u32 idc[MAX_HARTS];	/* [I] direct mode, by cpu */
	struct spinlock lock;
	struct source *source; /* [I] nr_lines of them */
};

static u32 aplic_read32(const struct aplic *a, u32 reg)
{
	return mmio_read32(a->regs + reg);
}

static void aplic_write32(struct aplic *a, u32 reg, u32 v)
{
	mmio_write32(v, a->regs + reg);
}

static bool is_level(u32 mode)
{
	return mode == APLIC_SOURCECFG_LEVEL_HIGH ||
	       mode == APLIC_SOURCECFG_LEVEL_LOW;
}

/* ---- ops of both modes */

static u32 target_value(struct aplic *a, u32 line, int cpu)
{
	const struct source *s = &a->source[line];

	if (a->parent)
		return (u32)(FIELD_PREP(APLIC_TARGET_HART,
					imsic_hart_index(a->parent, s->msi)) |
			     FIELD_PREP(APLIC_TARGET_LOW, s->msi));
	return (u32)(FIELD_PREP(APLIC_TARGET_HART, a->idc[cpu]) |
		     FIELD_PREP(APLIC_TARGET_LOW, 1));
}

static int aplic_enable(struct irqchip *chip, u32 line, int cpu)
{
	struct aplic *a = chip->priv;

	if (cpu < 0)
		cpu = service_cpu_default();
	if (!line || cpu < 0 || cpu >= (int)MAX_HARTS)
		return -EINVAL;
	if (a->parent ? !a->source[line].msi : a->idc[cpu] == NO_IDC)
		return -EINVAL;
	spin_lock(&a->lock);
	aplic_write32(a, APLIC_SOURCECFG(line), a->source[line].mode);
	aplic_write32(a, APLIC_TARGET(line), target_value(a, line, cpu));
	aplic_write32(a, APLIC_SETIENUM, line);
	spin_unlock(&a->lock);
	return 0;
}

static void aplic_disable(struct irqchip *chip, u32 line)
{
	struct aplic *a = chip->priv;

	aplic_write32(a, APLIC_CLRIENUM, line);
}

/* ---- MSI mode */

static bool input_is_up(const struct aplic *a, u32 line)
{
	return aplic_read32(a, APLIC_IN_CLRIP(line)) & BIT(line % 32);
}

static bool aplic_msi(void *arg)
{
	struct source *s = arg;
	struct aplic *a = s->aplic;

	irq_handle(&a->chip, s->line);
	if (is_level(s->mode) && input_is_up(a, s->line))
		aplic_write32(a, APLIC_SETIPNUM_LE, s->line);
	return true;
}

static int bind_msi(struct aplic *a, u32 line)
{
	struct source *s = &a->source[line];
	u32 msi;
	int err;

	if (s->msi)
		return 0;
	err = a->parent->ops->msi_alloc(a->parent, 1, &msi);
	if (err)
		return err;
	err = irq_bind(a->parent, msi, aplic_msi, s, "aplic");
	if (err) {
		a->parent->ops->msi_free(a->parent, msi, 1);
		return err;
	}
	s->msi = msi;
	return 0;
}

static int trigger_mode(u32 type, u32 *mode)
{
	switch (type) {
	case DT_EDGE_RISE:
		*mode = APLIC_SOURCECFG_EDGE_RISE;
		return 0;
	case DT_EDGE_FALL:
		*mode = APLIC_SOURCECFG_EDGE_FALL;
		return 0;
	case DT_LEVEL_HIGH:
		*mode = APLIC_SOURCECFG_LEVEL_HIGH;
		return 0;
	case DT_LEVEL_LOW:
		*mode = APLIC_SOURCECFG_LEVEL_LOW;
		return 0;
	default:
		return -EINVAL;
	}
}

static int aplic_xlate(struct irqchip *chip, const u32 *spec, u32 ncells,
		       u32 *line)
{
	struct aplic *a = chip->priv;
	u32 mode;

	if (ncells < 2 || !spec[0] || spec[0] >= chip->nr_lines ||
	    trigger_mode(spec[1], &mode))
		return -EINVAL;
	a->source[spec[0]].mode = mode;
	*line = spec[0];
	return a->parent ? bind_msi(a, spec[0]) : 0;
}

/* ---- direct mode */

static void aplic_dispatch(struct irqchip *chip)
{
	struct aplic *a = chip->priv;
	u32 idc = a->idc[this_cpu()];

	if (idc == NO_IDC)
		return;
	for (u32 n = 0; n < CLAIM_BATCH; n++) {
		u32 v = aplic_read32(a, APLIC_IDC_CLAIMI(idc));

		if (!v)
			return;
		irq_handle(chip, (u32)FIELD_GET(APLIC_CLAIMI_LINE, v));
	}
}

static const struct irqchip_ops aplic_ops = {
	.name = "APLIC",
	.enable = aplic_enable,
	.disable = aplic_disable,
	.xlate = aplic_xlate,
	.dispatch = aplic_dispatch,
};

/* ---- probe */

static int parse_idcs(struct aplic *a, int node, u64 size)
{
	u32 phandle, nr = 0;

	for (u32 i = 0; !fdt_prop_cell(boot_fdt, node, "interrupts-extended",
				       2 * i, &phandle);
	     i++) {
		int cpu = hart_cpu_by_intc_phandle(phandle);

		if (cpu < 0)
			continue;
		if (APLIC_IDC(i + 1) > size)
			return -EINVAL;
		a->idc[cpu] = i;
		aplic_write32(a, APLIC_IDC_THRESHOLD(i), 0);
		aplic_write32(a, APLIC_IDC_DELIVERY(i), 1);
		nr++;
	}
	return nr ? 0 : -ENODEV;
}

/* Which mode; the M-mode twin of this node is not ours. */
static int parse_mode(struct aplic *a, int node)
{
	u32 phandle;

	for (u32 cpu = 0; cpu < MAX_HARTS; cpu++)
		a->idc[cpu] = NO_IDC;
	if (fdt_prop_u32(boot_fdt, node, "msi-parent", &phandle))
		return aia_node_is_supervisor(node) ? 0 : -ENODEV;
	if (!aia_node_is_supervisor(fdt_by_phandle(boot_fdt, phandle)))
		return -ENODEV;
	a->parent = irqchip_by_phandle(phandle);
	if (!a->parent)
		return -EPROBE_DEFER;
	return a->parent->ops->msi_alloc ? 0 : -EINVAL;
}

static int reset_domain(struct aplic *a, int node, u64 size)
{
	int err = 0;

	for (u32 line = 1; line < a->chip.nr_lines; line++) {
		a->source[line] = (struct source){
			.aplic = a,
			.line = line,
			.mode = APLIC_SOURCECFG_LEVEL_HIGH,
		};
		aplic_write32(a, APLIC_SOURCECFG(line),
			      APLIC_SOURCECFG_INACTIVE);
	}
	for (u32 line = 0; line < a->chip.nr_lines; line += 32)
		aplic_write32(a, APLIC_CLRIE(line), ~0u);
	if (!a->parent)
		err = parse_idcs(a, node, size);
	aplic_write32(a, APLIC_DOMAINCFG,
		      APLIC_DOMAINCFG_IE |
			      (a->parent ? APLIC_DOMAINCFG_DM : 0));
	return err;
}

static int aplic_setup(struct aplic *a, int node)
{
	u64 size;
	u32 nr;
	int err;

	if (fdt_prop_u32(boot_fdt, node, "riscv,num-sources", &nr) || !nr ||
	    nr >= APLIC_MAX_LINES)
		return -EINVAL;
	a->chip = (struct irqchip){
		.ops = &aplic_ops,
		.fdt_node = node,
		.nr_lines = nr + 1,
		.is_root = !a->parent,
		.priv = a,
	};
	(void)fdt_prop_u32(boot_fdt, node, "phandle", &a->chip.phandle);
	spin_init(&a->lock, "aplic", RANK_IRQ);
	a->source = kcalloc(nr + 1, sizeof(*a->source));
	if (!a->source)
		return -ENOMEM;
	a->regs = dt_ioremap(node, 0, &size);
	err = a->regs && size >= 0x4000 ? 0 : -EINVAL;
	if (!err)
		err = reset_domain(a, node, size);
	if (!err)
		err = irqchip_register(&a->chip);
	if (err) {
		if (a->regs)
			iounmap(a->regs);
		kfree(a->source);
	}
	return err;
}

static int aplic_probe(int node)
{
	struct aplic *a = kzalloc(sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	err = parse_mode(a, node);
	if (!err)
		err = aplic_setup(a, node);
	if (err)
		kfree(a);
	else
		pr_info("aplic: %u lines, %s", a->chip.nr_lines - 1,
			a->parent ? "by message" : "direct");
	return err;
}

static const char *const aplic_compatible[] = { "riscv,aplic", NULL };

DT_DRIVER(aplic) = {
	.name = "aplic",
	.compatible = aplic_compatible,
	.probe = aplic_probe,
	.stage = DT_IRQCHIP,
};
