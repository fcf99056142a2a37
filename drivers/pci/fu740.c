/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/fu740.c - the PCIe root of the SiFive FU740: power, resets, PHYs and
 * link training around a DesignWare core.
 *
 * A boot loader may have had the link up, or may never have touched it: all is
 * begun anew, from slots in reset.  The link is trained at 2.5 GT/s, because the
 * switch on the HiFive Unmatched is known to lose faster ones; `pci=gen3` (or
 * gen2) asks for more afterwards, and if that loses the link it is begun once
 * more without.
 *
 * INVARIANTS
 *   I1  The core's registers are touched only with its clock on and its power-up
 *	 reset released: otherwise the access does not end well.
 *   I2  The clock is off while the PHYs are let go.
 *
 * Context: the init thread; quiesce() in the thread that stops the machine.
 * Not here: everything about the core itself (dwc.c, dwc_msi.c).
 */
#include <drivers/pci/dwc.h>

#include <arch/riscv/mmio.h>
#include <drivers/pci/dwc_regs.h>
#include <drivers/pci/fu740_regs.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/string.h>

#define GEN1	1u
#define MAX_GEN 3u /* of the core; LNKCAP is what somebody last wrote there */
#define POWER_MS \
	100u		     /* slots' power stable before PERST# rises [2.2 of
			      * the card electromechanical specification] */
#define RESET_MS	100u /* from the link up to the first request [6.6.1] */
#define LINK_MS		1000u
#define SPEED_CHANGE_MS 200u
#define PHY_ACK_US	5000u
#define PHY_STEP_US	10u
#define PHY_SELECT_US	1u

struct fu740 {
	struct dwc dwc;
	u8 __iomem *mgmt;	  /* [I] */
	struct gpio power, perst; /* [I] */
	struct clk aux;		  /* [I] */
	struct reset_line reset;  /* [I] of the core, at power-up */
};

static u32 wanted_gen = GEN1;  /* [I after boot] */
static struct fu740 *the_root; /* [I after boot] for quiesce() */

static void parse_pci(const char *value)
{
	const char *gen = strstr(value, "gen");

	if (gen && gen[3] >= '1' && gen[3] <= '5')
		wanted_gen = (u32)(gen[3] - '0');
}

BOOTPARAM(fu740_pci, "pci", parse_pci);

static void wr(const struct fu740 *f, u32 reg, u32 v)
{
	mmio_write32(v, f->mgmt + reg);
}

static u32 rd(const struct fu740 *f, u32 reg)
{
	return mmio_read32(f->mgmt + reg);
}

/* ---- PHYs */

static int phy_wait_ack(const struct fu740 *f, u32 phy, u32 ack)
{
	for (u32 us = 0; us < PHY_ACK_US; us += PHY_STEP_US) {
		if (!rd(f, FU740_PHY(phy) + FU740_PHY_ACK) == !ack)
			return 0;
		udelay(PHY_STEP_US);
	}
	return -ETIMEDOUT;
}

static int phy_write(const struct fu740 *f, u32 phy, u32 reg, u32 v)
{
	int err, err2;

	wr(f, FU740_PHY(phy) + FU740_PHY_ADDR, reg);
	wr(f, FU740_PHY(phy) + FU740_PHY_WR_DATA, v);
	wr(f, FU740_PHY(phy) + FU740_PHY_WR_EN, 1);
	err = phy_wait_ack(f, phy, 1);
	wr(f, FU740_PHY(phy) + FU740_PHY_WR_EN, 0);
	err2 = phy_wait_ack(f, phy, 0);
	return err ? err : err2;
}

/*
 * AC-coupled and terminated receivers on all lanes.  A PHY that does not answer may
 * work as it is: training will tell.
 */
static void init_phys(const struct fu740 *f)
{
	const u32 rx = (u32)(FU740_PHY_RX_CDR_TRACK | FU740_PHY_RX_LOS(1u) |
			     FU740_PHY_RX_TERM | FU740_PHY_RX_TERM_AC |
			     FU740_PHY_RX_OVERRIDE);

	for (u32 phy = 0; phy < FU740_NR_PHYS; phy++)
		wr(f, FU740_PHY(phy) + FU740_PHY_SEL, 1);
	udelay(PHY_SELECT_US);
	for (u32 phy = 0; phy < FU740_NR_PHYS; phy++) {
		for (u32 lane = 0; lane < FU740_LANES_OF_PHY; lane++) {
			if (phy_write(f, phy, FU740_PHY_LANE_RX(lane), rx))
				pr_err("fu740-pcie: PHY %u lane %u does not answer",
				       phy, lane);
		}
	}
}

/* ---- bring-up */

static void hold_slots(const struct fu740 *f)
{
	gpio_output(&f->perst, false);
	wr(f, FU740_MGMT_PERST_N, 0);
}

/* Slots and core in reset, whatever they did before; then slots powered. */
static void reset_slots(const struct fu740 *f)
{
	hold_slots(f);
	wr(f, FU740_MGMT_LTSSM_ENABLE, 0);
	gpio_output(&f->power, true);
	dwc_sleep_ms(POWER_MS);
	wr(f, FU740_MGMT_PERST_N, 1);
	gpio_output(&f->perst, true);
}

static int start_core(const struct fu740 *f)
{
	clk_enable(&f->aux);
	wr(f, FU740_MGMT_HOLD_PHY_RST, 1);
	reset_line_deassert(&f->reset);
	init_phys(f);
	clk_disable(&f->aux); /* I2 */
	wr(f, FU740_MGMT_HOLD_PHY_RST, 0);
	clk_enable(&f->aux);
	wr(f, FU740_MGMT_DEVICE_TYPE, FU740_DEVICE_TYPE_ROOT);
	if (rd(f, FU740_MGMT_DEVICE_TYPE) != FU740_DEVICE_TYPE_ROOT) {
		pr_err("fu740-pcie: the core is no root complex");
		return -EIO;
	}
	return 0;
}

/* From nothing to a link at 2.5 GT/s. */
static int train(struct fu740 *f)
{
	struct dwc *d = &f->dwc;
	int err;

	reset_slots(f);
	err = start_core(f);
	if (!err)
		err = dwc_init_root(d);
	if (err)
		return err;
	dwc_set_max_speed(d, GEN1);
	wr(f, FU740_MGMT_LTSSM_ENABLE, 1);
	return dwc_wait_link(d, LINK_MS);
}

/* The core as it is after power-on, and the slots without power. */
static void power_cycle(const struct fu740 *f)
{
	hold_slots(f);
	clk_disable(&f->aux);
	reset_line_assert(&f->reset);
	gpio_output(&f->power, false);
	dwc_sleep_ms(POWER_MS);
}

static int bring_up(struct fu740 *f)
{
	u32 gen = min(wanted_gen, MAX_GEN);
	int err = train(f);

	if (err == -ETIMEDOUT) {
		pr_warn("fu740-pcie: no link; once more from power-off");
		power_cycle(f);
		err = train(f);
	}
	if (err || gen <= GEN1)
		return err;
	dwc_set_max_speed(&f->dwc, gen);
	if (!dwc_change_speed(&f->dwc, SPEED_CHANGE_MS))
		return 0;
	pr_warn("fu740-pcie: link lost at the change to generation %u, back to 1",
		gen);
	power_cycle(f);
	return train(f);
}

/* A boot loader, or nobody, finds the slots as after power-on. */
static void quiesce(void)
{
	if (the_root)
		hold_slots(the_root);
}

/* ---- probe */

static int reg_named(int node, const char *name, u64 *base, u64 *size)
{
	int len;
	const char *list = fdt_prop(boot_fdt, node, "reg-names", &len);
	int idx = list ? fdt_stringlist_index(list, len, name) : -ENOENT;

	return idx < 0 ? idx : fdt_reg(boot_fdt, node, (u32)idx, base, size);
}

static u8 __iomem *map_named(int node, const char *name, u64 want, u64 *base)
{
	u64 size;

	if (reg_named(node, name, base, &size) || size < want)
		return NULL;
	return ioremap(*base, want);
}

static int map_registers(struct fu740 *f, int node)
{
	u64 base;

	f->mgmt = map_named(node, "mgmt", FU740_MGMT_SIZE, &base);
	f->dwc.dbi = map_named(node, "dbi", DWC_DBI_SIZE, &base);
	f->dwc.cfg = map_named(node, "config", DWC_ATU_ALIGN, &base);
	f->dwc.cfg_base = base;
	return f->mgmt && f->dwc.dbi && f->dwc.cfg ? 0 : -ENXIO;
}

/* Old trees call it perstn.  Its level is meant, not whether it is active. */
static int find_perst(struct fu740 *f, int node)
{
	int err = gpio_from_fdt(node, "reset-gpios", 0, &f->perst);

	if (err == -ENOENT)
		err = gpio_from_fdt(node, "perstn-gpios", 0, &f->perst);
	return err;
}

static int find_lines(struct fu740 *f, int node)
{
	int err = gpio_from_fdt(node, "pwren-gpios", 0, &f->power);

	if (!err)
		err = find_perst(f, node);
	if (!err)
		err = clk_from_fdt(node, 0, &f->aux);
	if (!err)
		err = reset_line_from_fdt(node, 0, &f->reset);
	return err;
}

static void unmap_registers(struct fu740 *f)
{
	u8 __iomem *maps[] = { f->mgmt, f->dwc.dbi, f->dwc.cfg };

	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		if (maps[i])
			iounmap(maps[i]);
	}
}

static int setup(struct fu740 *f, int node)
{
	u32 lanes = 8;
	int err;

	err = find_lines(f, node);
	if (!err)
		err = map_registers(f, node);
	if (!err)
		err = pci_host_from_fdt(&f->dwc.host, node);
	(void)fdt_prop_u32(boot_fdt, node, "num-lanes", &lanes);
	f->dwc.name = "fu740-pcie";
	f->dwc.nr_lanes = lanes;
	return err;
}

/* Interrupts by message are a convenience: devices have pins too. */
static void init_messages(struct fu740 *f, int node)
{
	struct irqchip *parent;
	int len, err;
	const char *names = fdt_prop(boot_fdt, node, "interrupt-names", &len);
	int idx = names ? fdt_stringlist_index(names, len, "msi") : 0;
	u32 line;

	err = idx < 0 ? idx : irq_from_fdt(node, (u32)idx, &parent, &line);
	if (!err)
		err = dwc_msi_init(&f->dwc, parent, line);
	if (err)
		pr_warn("fu740-pcie: no messages: error %d", err);
}

static int fu740_pcie_probe(int node)
{
	struct fu740 *f = kzalloc(sizeof(*f));
	u32 gen, lanes;
	int err;

	if (!f)
		return -ENOMEM;
	err = setup(f, node);
	if (err) {
		unmap_registers(f);
		kfree(f);
		return err;
	}
	/* From here on it stays, even without a link: for quiesce(). */
	the_root = f;
	err = bring_up(f);
	if (err) {
		hold_slots(f);
		pr_err("fu740-pcie: no PCI on this machine: error %d", err);
		return -ENODEV;
	}
	dwc_link_status(&f->dwc, &gen, &lanes);
	pr_info("fu740-pcie: link is generation %u, %u lanes", gen, lanes);
	init_messages(f, node);
	dwc_sleep_ms(RESET_MS);
	return dwc_register(&f->dwc);
}

static int fu740_pcie_init(void)
{
	reset_prepare_bus_register(quiesce);
	return 0;
}
INITCALL(INIT_BUS, fu740_pcie_init);

static const char *const fu740_pcie_compatible[] = { "sifive,fu740-pcie",
						     NULL };

DT_DRIVER(fu740_pcie) = {
	.name = "fu740-pcie",
	.compatible = fu740_pcie_compatible,
	.probe = fu740_pcie_probe,
	.stage = DT_BUS,
};
