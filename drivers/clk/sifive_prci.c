/* SPDX-License-Identifier: MIT */
/*
 * drivers/clk/sifive_prci.c - power, reset, clock and interrupt block of the FU540
 * and the FU740 [manuals, chapter 7].
 *
 * What drivers need of it and no more: the clock of the slow peripherals, to
 * compute dividers from, that of Ethernet, and the PCIe core's auxiliary clock and
 * reset.
 *
 * INVARIANTS
 *   I1  Of a PLL only the gate of its output is ever written, and of the reset register only the bits of
 *	 resets that has_reset() knows: the rest keeps the memory alive.
 *
 * Locking: prci->lock (RANK_DEV) around read-modify-write.
 */
#include <drivers/clk/sifive_prci_regs.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/spinlock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

struct prci {
	struct clk_ctrl ctrl;
	u8 __iomem *regs; /* [I] */
	u64 hfclk_hz;	  /* [I] the board's crystal */
	bool is_fu740;	  /* [I] */
	struct spinlock lock;
};

static struct prci *prci_of(const struct clk_ctrl *c)
{
	return container_of(c, struct prci, ctrl);
}

static u32 rd(const struct prci *p, u32 reg)
{
	return mmio_read32(p->regs + reg);
}

/* Written and there: what follows depends on the clock or the reset. */
static void wr(const struct prci *p, u32 reg, u32 v)
{
	mmio_write32(v, p->regs + reg);
	(void)rd(p, reg);
}

/* ---- rates */

static u64 pll_rate(const struct prci *p, u32 reg)
{
	u32 cfg = rd(p, reg);

	if (cfg & PRCI_PLL_BYPASS)
		return p->hfclk_hz;
	return p->hfclk_hz * 2 * (FIELD_GET(PRCI_PLL_DIVF, cfg) + 1) /
		       (FIELD_GET(PRCI_PLL_DIVR, cfg) + 1) >>
	       FIELD_GET(PRCI_PLL_DIVQ, cfg);
}

static u64 core_rate(const struct prci *p)
{
	if (rd(p, PRCI_CORECLKSEL) & PRCI_CORECLKSEL_HFCLK)
		return p->hfclk_hz;
	if (p->is_fu740 && (rd(p, PRCI_COREPLLSEL) & PRCI_COREPLLSEL_DVFS))
		return pll_rate(p, PRCI_DVFSCOREPLL);
	return pll_rate(p, PRCI_COREPLL);
}

/* UARTs, SPI, I2C, GPIO, PWM. */
static u64 peripheral_rate(const struct prci *p)
{
	u64 hfpclk;

	if (!p->is_fu740)
		return core_rate(p) / 2;
	hfpclk = rd(p, PRCI_HFPCLKPLLSEL) & PRCI_HFPCLKPLLSEL_HFCLK
			 ? p->hfclk_hz
			 : pll_rate(p, PRCI_HFPCLKPLL);
	return hfpclk / (rd(p, PRCI_HFPCLKPLLDIV) + 2ull);
}

/* ---- ops */

static bool prci_has_clk(const struct clk_ctrl *c, u32 id)
{
	if (id == FU540_CLK_GEMGXL)
		return true; /* the FU740's too */
	if (prci_of(c)->is_fu740)
		return id == FU740_CLK_PCLK || id == FU740_CLK_PCIE_AUX;
	return id == FU540_CLK_TLCLK;
}

static bool is_pcie_aux(const struct prci *p, u32 id)
{
	return p->is_fu740 && id == FU740_CLK_PCIE_AUX;
}

static u64 prci_rate(struct clk_ctrl *c, u32 id)
{
	struct prci *p = prci_of(c);

	if (id == FU540_CLK_GEMGXL)
		return pll_rate(p, PRCI_GEMGXLPLL);
	return is_pcie_aux(p, id) ? 0 : peripheral_rate(p);
}

static void prci_enable(struct clk_ctrl *c, u32 id, bool on)
{
	struct prci *p = prci_of(c);

	if (is_pcie_aux(p, id))
		wr(p, PRCI_PCIE_AUX, on ? PRCI_PCIE_AUX_EN : 0);
	else if (id == FU540_CLK_GEMGXL)
		wr(p, PRCI_GEMGXLPLL_GATE, on ? PRCI_PLL_GATE_ON : 0);
}

static bool prci_has_reset(const struct clk_ctrl *c, u32 id)
{
	return prci_of(c)->is_fu740 && id == FU740_RST_PCIE;
}

static void prci_assert(struct clk_ctrl *c, u32 id, bool asserted)
{
	struct prci *p = prci_of(c);
	u32 v, bit = PRCI_DEVICESRESETN_BIT(id);

	spin_lock(&p->lock);
	v = rd(p, PRCI_DEVICESRESETN);
	wr(p, PRCI_DEVICESRESETN, asserted ? v & ~bit : v | bit);
	spin_unlock(&p->lock);
}

static const struct clk_ctrl_ops prci_ops = {
	.has_clk = prci_has_clk,
	.rate = prci_rate,
	.enable = prci_enable,
	.has_reset = prci_has_reset,
	.assert = prci_assert,
};

/* ---- probe */

static int prci_setup(struct prci *p, int node)
{
	struct clk hfclk;
	u64 size;
	int err;

	err = clk_from_fdt(node, 0, &hfclk);
	if (err)
		return err;
	p->hfclk_hz = clk_rate(&hfclk);
	p->is_fu740 = fdt_compatible(boot_fdt, node, "sifive,fu740-c000-prci");
	p->regs = dt_ioremap(node, 0, &size);
	if (!p->regs)
		return -ENXIO;
	if (size <
	    (p->is_fu740 ? PRCI_REGS_SIZE_FU740 : PRCI_REGS_SIZE_FU540)) {
		iounmap(p->regs);
		return -ENXIO;
	}
	spin_init(&p->lock, "prci", RANK_DEV);
	p->ctrl.ops = &prci_ops;
	p->ctrl.fdt_node = node;
	clk_ctrl_register(&p->ctrl);
	return 0;
}

static int prci_probe(int node)
{
	struct prci *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = prci_setup(p, node);
	if (err) {
		kfree(p);
		return err;
	}
	pr_info("prci: crystal %llu kHz, cores %llu kHz, peripherals %llu kHz",
		(unsigned long long)p->hfclk_hz / 1000,
		(unsigned long long)core_rate(p) / 1000,
		(unsigned long long)peripheral_rate(p) / 1000);
	return 0;
}

static const char *const prci_compatible[] = { "sifive,fu740-c000-prci",
					       "sifive,fu540-c000-prci", NULL };

DT_DRIVER(sifive_prci) = {
	.name = "sifive-prci",
	.compatible = prci_compatible,
	.probe = prci_probe,
	.stage = DT_BUS,
};
