/* SPDX-License-Identifier: MIT */
/*
 * drivers/irq/plic.c - platform-level interrupt controller (SiFive, T-Head).
 *
 * Every hart has a context for each of its privilege modes; which number is
 * whose stands in interrupts-extended and nowhere else (the FU740's hart 0 has
 * one context, QEMU's has two).  A line is enabled in one context only, so one
 * hart gets it and a claim never loses a race.
 *
 * INVARIANTS
 *   I1  A line is enabled in at most the context of target[line].
 *   I2  A completion is written only while the line is enabled in the context:
 *	 else the PLIC ignores it, and the line is claimed for ever.  So a line
 *	 that is switched off in its handler stays enabled until completed.
 *   I3  Only lines 1 .. nr_lines-1 are claimed; anything else is a broken PLIC.
 *
 * QUIRK
 *   QEMU's PLIC sets a line pending when its level changes and never looks at
 *   the level again.  A device that keeps its line up over the completion is
 *   not heard any more, so handlers of such devices look again after they have
 *   lowered the line, and irq_handle() repeats the handlers of a shared line.
 *
 * Locking: plic->lock (RANK_IRQ).
 */
#include <drivers/irq/plic_regs.h>

#include <arch/riscv/mmio.h>
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

#define CAUSE_S_EXTERNAL 9u
#define CLAIM_BATCH	 32u /* lines in one go, then the loop has its turn */
#define NO_CONTEXT	 (~0u)

enum {
	LINE_ON = BIT(0),	  /* bound */
	LINE_ENABLED = BIT(1),	  /* its bit in the context is set */
	LINE_IN_SERVICE = BIT(2), /* claimed, not yet completed */
};

struct plic {
	struct irqchip chip;
	u8 __iomem *regs;	/* [I] */
	u32 context[MAX_HARTS]; /* [I] by cpu; NO_CONTEXT: not wired */
	struct spinlock lock;
	u8 state[PLIC_MAX_LINES];  /* [lock] LINE_* */
	u8 target[PLIC_MAX_LINES]; /* [lock] cpu */
};

static u32 plic_read32(const struct plic *p, u32 reg)
{
	return mmio_read32(p->regs + reg);
}

static void plic_write32(struct plic *p, u32 reg, u32 v)
{
	mmio_write32(v, p->regs + reg);
}

static void write_enable(struct plic *p, u32 line, bool on)
{
	u32 reg = PLIC_ENABLE(p->context[p->target[line]], line);
	u32 v = plic_read32(p, reg);

	assert_held(&p->lock);
	if (on)
		v |= PLIC_ENABLE_BIT(line);
	else
		v &= ~PLIC_ENABLE_BIT(line);
	plic_write32(p, reg, v);
	if (on)
		p->state[line] |= LINE_ENABLED;
	else
		p->state[line] &= (u8)~LINE_ENABLED;
}

/* ---- ops */

static int plic_enable(struct irqchip *chip, u32 line, int cpu)
{
	struct plic *p = chip->priv;

	if (cpu < 0)
		cpu = service_cpu_default();
	if (!line || cpu >= (int)MAX_HARTS || p->context[cpu] == NO_CONTEXT)
		return -EINVAL;
	spin_lock(&p->lock);
	p->state[line] |= LINE_ON;
	if (!(p->state[line] & LINE_ENABLED)) {
		p->target[line] = (u8)cpu;
		plic_write32(p, PLIC_PRIORITY(line), 1);
		write_enable(p, line, true);
		/* whoever ran before us may have claimed it and gone */
		plic_write32(p, PLIC_CLAIM(p->context[cpu]), line);
	}
	spin_unlock(&p->lock);
	return 0;
}

static void plic_disable(struct irqchip *chip, u32 line)
{
	struct plic *p = chip->priv;

	spin_lock(&p->lock);
	p->state[line] &= (u8)~LINE_ON;
	if ((p->state[line] & (LINE_ENABLED | LINE_IN_SERVICE)) == LINE_ENABLED)
		write_enable(p, line, false);
	spin_unlock(&p->lock);
}

static int plic_xlate(struct irqchip *chip, const u32 *spec, u32 ncells,
		      u32 *line)
{
	/* a second cell (T-Head) is the trigger type: the gateway knows */
	if (ncells < 1 || !spec[0] || spec[0] >= chip->nr_lines)
		return -EINVAL;
	*line = spec[0];
	return 0;
}

static void service_end(struct plic *p, u32 ctx, u32 line)
{
	spin_lock(&p->lock);
	KASSERT(p->state[line] & LINE_ENABLED);
	plic_write32(p, PLIC_CLAIM(ctx), line);
	p->state[line] &= (u8)~LINE_IN_SERVICE;
	if (!(p->state[line] & LINE_ON))
		write_enable(p, line, false);
	spin_unlock(&p->lock);
}

static bool service_begin(struct plic *p, u32 ctx, u32 line)
{
	bool ok;

	spin_lock(&p->lock);
	ok = line < p->chip.nr_lines && (p->state[line] & LINE_ENABLED) &&
	     !(p->state[line] & LINE_IN_SERVICE) &&
	     p->context[p->target[line]] == ctx;
	if (ok)
		p->state[line] |= LINE_IN_SERVICE;
	spin_unlock(&p->lock);
	return ok;
}

static void plic_dispatch(struct irqchip *chip)
{
	struct plic *p = chip->priv;
	u32 ctx = p->context[this_cpu()];

	if (ctx == NO_CONTEXT)
		return;
	for (u32 n = 0; n < CLAIM_BATCH; n++) {
		u32 line = plic_read32(p, PLIC_CLAIM(ctx));

		if (!line)
			return;
		if (!service_begin(p, ctx, line)) {
			pr_warn_ratelimited(
				"plic: context %u got line %u, which is not its own",
				ctx, line);
			plic_write32(p, PLIC_CLAIM(ctx), line);
			continue;
		}
		irq_handle(chip, line);
		service_end(p, ctx, line);
	}
}

static const struct irqchip_ops plic_ops = {
	.name = "SiFive PLIC",
	.enable = plic_enable,
	.disable = plic_disable,
	.xlate = plic_xlate,
	.dispatch = plic_dispatch,
};

/* ---- probe */

static void context_reset(struct plic *p, u32 ctx)
{
	for (u32 line = 0; line < p->chip.nr_lines; line += 32)
		plic_write32(p, PLIC_ENABLE(ctx, line), 0);
	plic_write32(p, PLIC_THRESHOLD(ctx), 0);
}

static int parse_contexts(struct plic *p, int node, u64 size)
{
	u32 phandle, cause, nr_ours = 0;

	for (u32 cpu = 0; cpu < MAX_HARTS; cpu++)
		p->context[cpu] = NO_CONTEXT;
	for (u32 ctx = 0; ctx < PLIC_MAX_CONTEXTS; ctx++) {
		int cpu;

		if (fdt_prop_cell(boot_fdt, node, "interrupts-extended",
				  2 * ctx, &phandle) ||
		    fdt_prop_cell(boot_fdt, node, "interrupts-extended",
				  2 * ctx + 1, &cause))
			break;
		if (cause != CAUSE_S_EXTERNAL)
			continue;
		cpu = hart_cpu_by_intc_phandle(phandle);
		if (cpu < 0)
			continue;
		if (PLIC_CLAIM(ctx) + 4ull > size)
			return -EINVAL;
		p->context[cpu] = ctx;
		context_reset(p, ctx);
		nr_ours++;
	}
	return nr_ours ? 0 : -ENODEV;
}

static int plic_setup(struct plic *p, int node)
{
	u64 size;
	u32 ndev;
	int err;

	if (fdt_prop_u32(boot_fdt, node, "riscv,ndev", &ndev) || !ndev)
		return -EINVAL;
	p->chip = (struct irqchip){
		.ops = &plic_ops,
		.fdt_node = node,
		.nr_lines = min(ndev + 1, PLIC_MAX_LINES),
		.is_root = true,
		.priv = p,
	};
	(void)fdt_prop_u32(boot_fdt, node, "phandle", &p->chip.phandle);
	spin_init(&p->lock, "plic", RANK_IRQ);
	p->regs = dt_ioremap(node, 0, &size);
	if (!p->regs)
		return -ENOMEM;
	err = parse_contexts(p, node, size);
	if (!err)
		err = irqchip_register(&p->chip);
	if (err)
		iounmap(p->regs);
	return err;
}

static int plic_probe(int node)
{
	struct plic *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = plic_setup(p, node);
	if (err) {
		kfree(p);
		return err;
	}
	pr_info("plic: %u lines", p->chip.nr_lines - 1);
	return 0;
}

static const char *const plic_compatible[] = {
	"sifive,plic-1.0.0",
	"riscv,plic0",
	"thead,c900-plic",
	NULL,
};

DT_DRIVER(plic) = {
	.name = "plic",
	.compatible = plic_compatible,
	.probe = plic_probe,
	.stage = DT_IRQCHIP,
};
