/* SPDX-License-Identifier: MIT */
/*
 * drivers/clk/sifive_prci_regs.h - registers of SiFive's PRCI, as far as a kernel
 * may look at them [FU740-C000 manual, chapter 7; FU540-C000 manual, chapter 7].
 *
 * 32 bits, 32-bit accesses only.  The DDR PLL (0x0c, 0x10) has no name here: who
 * writes it loses the memory that he runs from.
 */
#ifndef DRIVERS_CLK_SIFIVE_PRCI_REGS_H
#define DRIVERS_CLK_SIFIVE_PRCI_REGS_H

#include <lib/types.h>

#define PRCI_REGS_SIZE_FU540 0x30
#define PRCI_REGS_SIZE_FU740 0x60

/* A PLL's settings: out = in / (divr + 1) * 2 * (divf + 1) / 2^divq */
#define PRCI_PLL_DIVR	GENMASK(5, 0)
#define PRCI_PLL_DIVF	GENMASK(14, 6)
#define PRCI_PLL_DIVQ	GENMASK(17, 15)
#define PRCI_PLL_BYPASS BIT(24)

#define PRCI_COREPLL 0x04

/* FU740: the PCIe core's auxiliary clock */
#define PRCI_PCIE_AUX	 0x14
#define PRCI_PCIE_AUX_EN BIT(0)

#define PRCI_GEMGXLPLL	    0x1c
#define PRCI_GEMGXLPLL_GATE 0x20
#define PRCI_PLL_GATE_ON    ((u32)BIT(31))

#define PRCI_CORECLKSEL	      0x24
#define PRCI_CORECLKSEL_HFCLK BIT(0) /* not the PLL */

/* A bit per device, 0: in reset.  Bits 3:0 are the memory controller's. */
#define PRCI_DEVICESRESETN	   0x28
#define PRCI_DEVICESRESETN_BIT(id) ((u32)BIT(id))

/* FU740 */
#define PRCI_DVFSCOREPLL	0x38
#define PRCI_COREPLLSEL		0x40
#define PRCI_COREPLLSEL_DVFS	BIT(0)
#define PRCI_HFPCLKPLL		0x50
#define PRCI_HFPCLKPLLSEL	0x58
#define PRCI_HFPCLKPLLSEL_HFCLK BIT(0)
#define PRCI_HFPCLKPLLDIV	0x5c /* pclk = hfpclk / (div + 2) */

/* Clocks and resets as the device tree numbers them */
#define FU540_CLK_GEMGXL   2
#define FU540_CLK_TLCLK	   3
#define FU740_CLK_PCLK	   7
#define FU740_CLK_PCIE_AUX 8
#define FU740_RST_PCIE	   4 /* its bit in DEVICESRESETN too */

#endif /* DRIVERS_CLK_SIFIVE_PRCI_REGS_H */
