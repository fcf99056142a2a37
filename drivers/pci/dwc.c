/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/dwc.c - Synopsys DesignWare PCIe core as a root complex: root port,
 * address translation, configuration space, link.
 *
 * Configuration space of what is behind the root port is one page of CPU
 * addresses which translation region 0 points at one function after another; the
 * root port's own is the DBI.  Regions 1 and up are the host's memory windows.
 *
 * INVARIANTS
 *   I1  Configuration requests are made only while the link is up: the core
 *	 never answers the others.
 *   I2  On the bus behind the root port only device 0 is looked at: the partner
 *	 takes every request there for its own, whatever device it names.
 *
 * ERRATA
 *   Translation in "CFG shift" (ECAM) mode has cost the FU740 its links and its
 *   I/O window in other systems: the window is retargeted for each function.
 *
 * Locking: cfg_lock (RANK_IRQ, so that any driver's lock may be held).
 * Not here: messages (dwc_msi.c), power and resets (the SoC's glue).
 */
#include <drivers/pci/dwc.h>

#include <arch/riscv/mmio.h>
#include <drivers/pci/dwc_regs.h>
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define CFG_REGION   0u
#define POLL_US	     500u
#define MAX_STATES   16u /* of link training, kept for the message */
#define LINE_LEN     200u
#define ATU_WAIT_US  50000u
#define PROBE_TARGET 0x11110000u

void dwc_sleep_ms(u32 ms)
{
	(void)sleep_until_ns(clock_mono_ns() + ms * NSEC_PER_MSEC, false);
}

u32 dwc_read32(const struct dwc *d, u32 reg)
{
	return mmio_read32(d->dbi + reg);
}

void dwc_write32(const struct dwc *d, u32 reg, u32 v)
{
	mmio_write32(v, d->dbi + reg);
}

static void set_field(const struct dwc *d, u32 reg, u32 mask, u32 bits)
{
	dwc_write32(d, reg, (dwc_read32(d, reg) & ~mask) | bits);
}

/* ---- address translation */

/* Region @n, closed.  False: the core has no such region. */
static bool region_exists(const struct dwc *d, u32 n)
{
	u32 base = DWC_ATU_OUT(n);

	dwc_write32(d, base + DWC_ATU_CTRL2, 0);
	dwc_write32(d, base + DWC_ATU_LOWER_TARGET, PROBE_TARGET);
	return dwc_read32(d, base + DWC_ATU_LOWER_TARGET) == PROBE_TARGET;
}

static int region_enable(const struct dwc *d, u32 n)
{
	u32 reg = DWC_ATU_OUT(n) + DWC_ATU_CTRL2;

	dwc_write32(d, reg, (u32)DWC_ATU_CTRL2_ENABLE);
	for (u32 us = 0; us < ATU_WAIT_US; us += POLL_US) {
		if (dwc_read32(d, reg) & DWC_ATU_CTRL2_ENABLE)
			return 0;
		udelay(POLL_US);
	}
	pr_err("%s: translation region %u does not open", d->name, n);
	return -EIO;
}

static int region_open(const struct dwc *d, u32 n, u32 type, paddr_t from,
		       u64 size, u64 to)
{
	u32 base = DWC_ATU_OUT(n);
	u64 last = from + size - 1;

	if (from >> 32 != last >> 32)
		type |= (u32)DWC_ATU_CTRL1_BEYOND_4G;
	dwc_write32(d, base + DWC_ATU_LOWER_BASE, (u32)from);
	dwc_write32(d, base + DWC_ATU_UPPER_BASE, (u32)(from >> 32));
	dwc_write32(d, base + DWC_ATU_LIMIT, (u32)last);
	dwc_write32(d, base + DWC_ATU_UPPER_LIMIT, (u32)(last >> 32));
	dwc_write32(d, base + DWC_ATU_LOWER_TARGET, (u32)to);
	dwc_write32(d, base + DWC_ATU_UPPER_TARGET, (u32)(to >> 32));
	dwc_write32(d, base + DWC_ATU_CTRL1, type);
	return region_enable(d, n);
}

/* A window for each function's registers, one for each of the host's. */
static int open_windows(const struct dwc *d)
{
	const struct pci_host *h = &d->host;
	u32 nr = 0;
	int err;

	while (nr < DWC_ATU_MAX_REGIONS && region_exists(d, nr)) {
		dwc_write32(d, DWC_ATU_IN(nr) + DWC_ATU_CTRL2, 0);
		nr++;
	}
	if (nr < h->nr_win + 1) {
		pr_err("%s: %u windows, but %u translation regions", d->name,
		       h->nr_win + 1, nr);
		return -ENOSPC;
	}
	pr_info("%s: core version %#x, %u translation regions, capability at %#x",
		d->name, dwc_read32(d, DWC_VERSION), nr, d->exp);
	err = region_open(d, CFG_REGION, DWC_ATU_CTRL1_CFG0, d->cfg_base,
			  DWC_ATU_ALIGN, 0);
	for (u32 i = 0; i < h->nr_win && !err; i++) {
		const struct pci_window *w = &h->win[i];

		if (!IS_ALIGNED(w->cpu_addr | w->bus_addr | w->size,
				DWC_ATU_ALIGN))
			return -EINVAL;
		err = region_open(d, CFG_REGION + 1 + i, DWC_ATU_CTRL1_MEM,
				  w->cpu_addr, w->size, w->bus_addr);
	}
	return err;
}

/* ---- configuration space */

/* A link that was lost stays so until the next boot. */
static bool link_is_down(struct dwc *d)
{
	assert_held(&d->cfg_lock);
	if (dwc_link_up(d))
		return false;
	if (!d->link_missed)
		pr_err("%s: the link is down, state %#x: nothing behind it is reached",
		       d->name,
		       dwc_read32(d, DWC_DEBUG0) & (u32)DWC_DEBUG0_LTSSM);
	d->link_missed = true;
	return true;
}

/* The window shows registers of the function.  NULL: there cannot be one. */
static u8 __iomem *cfg_open(struct dwc *d, u32 bus, u32 devfn)
{
	u32 base = DWC_ATU_OUT(CFG_REGION);
	bool is_partner = bus == d->host.bus_first + 1;

	assert_held(&d->cfg_lock);
	if ((is_partner && PCI_SLOT(devfn)) || link_is_down(d)) /* I2, I1 */
		return NULL;
	dwc_write32(d, base + DWC_ATU_LOWER_TARGET, DWC_ATU_FUNC(bus, devfn));
	dwc_write32(d, base + DWC_ATU_CTRL1,
		    is_partner ? DWC_ATU_CTRL1_CFG0 : DWC_ATU_CTRL1_CFG1);
	dwc_write32(d, base + DWC_ATU_CTRL2, (u32)DWC_ATU_CTRL2_ENABLE);
	/* the core must have it before the access comes, on another way */
	(void)dwc_read32(d, base + DWC_ATU_CTRL2);
	return d->cfg;
}

static u8 __iomem *regs_of(struct dwc *d, u32 bus, u32 devfn, u32 reg)
{
	u8 __iomem *a = NULL;

	if (bus < d->host.bus_first || bus > d->host.bus_last || devfn > 255 ||
	    reg >= PCI_EXT_CFG_SIZE)
		return NULL;
	if (bus != d->host.bus_first)
		a = cfg_open(d, bus, devfn);
	else if (devfn == 0)
		a = d->dbi;
	return a ? a + reg : NULL;
}

static u32 dwc_cfg_read(struct pci_host *h, u32 bus, u32 devfn, u32 reg,
			u32 width)
{
	struct dwc *d = h->priv;
	u32 v = ~0u >> (32 - 8 * width);
	const u8 __iomem *a;

	spin_lock(&d->cfg_lock);
	a = regs_of(d, bus, devfn, reg);
	if (a)
		v = width == 1	 ? mmio_read8(a)
		    : width == 2 ? mmio_read16(a)
				 : mmio_read32(a);
	spin_unlock(&d->cfg_lock);
	return v;
}

static void dwc_cfg_write(struct pci_host *h, u32 bus, u32 devfn, u32 reg,
			  u32 width, u32 v)
{
	struct dwc *d = h->priv;
	u8 __iomem *a;

	spin_lock(&d->cfg_lock);
	a = regs_of(d, bus, devfn, reg);
	if (a) {
		if (width == 1)
			mmio_write8((u8)v, a);
		else if (width == 2)
			mmio_write16((u16)v, a);
		else
			mmio_write32(v, a);
		/* done before the window shows another function */
		(void)mmio_read32(a - reg % 4);
	}
	spin_unlock(&d->cfg_lock);
}

static const struct pci_host_ops dwc_ops = {
	.read = dwc_cfg_read,
	.write = dwc_cfg_write,
};

/* ---- link */

void dwc_set_max_speed(struct dwc *d, u32 gen)
{
	set_field(d, d->exp + PCI_EXP_LNKCAP, (u32)PCI_EXP_LNKCAP_SPEED, gen);
}

bool dwc_link_up(const struct dwc *d)
{
	u32 v = dwc_read32(d, DWC_DEBUG1);

	return (v & DWC_DEBUG1_LINK_UP) && !(v & DWC_DEBUG1_TRAINING);
}

void dwc_link_status(const struct dwc *d, u32 *gen, u32 *lanes)
{
	u32 v = dwc_read32(d, d->exp + PCI_EXP_LNKCTL) >> 16;

	*gen = (u32)FIELD_GET(PCI_EXP_LNKSTA_SPEED, v);
	*lanes = (u32)FIELD_GET(PCI_EXP_LNKSTA_LANES, v);
}

int dwc_wait_link(struct dwc *d, u32 timeout_ms)
{
	u64 start = clock_mono_ns();
	u64 deadline = start + timeout_ms * NSEC_PER_MSEC;
	char text[LINE_LEN] = "";
	u32 nr = 0, len = 0, last = ~0u;
	bool up, late;

	for (;;) {
		u32 state;

		late = clock_mono_ns() > deadline;
		up = dwc_link_up(d);
		state = dwc_read32(d, DWC_DEBUG0) & (u32)DWC_DEBUG0_LTSSM;
		if (state != last && nr++ < MAX_STATES)
			len += (u32)scnprintf(text + len, sizeof(text) - len,
					      " %#x", state);
		last = state;
		if (up || late)
			break;
		(void)sleep_until_ns(clock_mono_ns() + POLL_US * NSEC_PER_USEC,
				     false);
	}
	pr_info("%s: training went through states%s%s, link %s after %llu us",
		d->name, text, nr > MAX_STATES ? " ..." : "",
		up ? "up" : "down",
		(unsigned long long)(clock_mono_ns() - start) / NSEC_PER_USEC);
	return up ? 0 : -ETIMEDOUT;
}

int dwc_change_speed(struct dwc *d, u32 timeout_ms)
{
	/* a change of speed seen from zero to one */
	set_field(d, DWC_GEN2, (u32)DWC_GEN2_SPEED_CHANGE, 0);
	set_field(d, DWC_GEN2, (u32)DWC_GEN2_SPEED_CHANGE,
		  (u32)DWC_GEN2_SPEED_CHANGE);
	dwc_sleep_ms(1); /* until it has left L0 */
	return dwc_wait_link(d, timeout_ms);
}

/* ---- root port */

static u32 find_exp(const struct dwc *d)
{
	u32 steps = PCI_CFG_SIZE / 4;
	u32 pos = dwc_read32(d, PCI_CAP_POINTER) & 0xfc;

	while (pos >= PCI_CAP_MIN_OFFSET && steps--) {
		u32 header = dwc_read32(d, pos);

		if ((header & 0xff) == PCI_CAP_ID_EXP)
			return pos;
		pos = (header >> 8) & 0xfc;
	}
	return 0;
}

static void init_port(struct dwc *d)
{
	u32 first = d->host.bus_first;

	set_field(d, DWC_MISC, 0, (u32)DWC_MISC_RO_WRITABLE);
	set_field(d, DWC_PORT_LINK,
		  (u32)(DWC_PORT_LINK_FAST | DWC_PORT_LINK_LANES),
		  (u32)(DWC_PORT_LINK_DLL_EN |
			FIELD_PREP(DWC_PORT_LINK_LANES,
				   DWC_PORT_LINK_LANES_X(d->nr_lanes))));
	set_field(d, DWC_GEN2, (u32)(DWC_GEN2_LANES | DWC_GEN2_SPEED_CHANGE),
		  (u32)FIELD_PREP(DWC_GEN2_LANES, 1));
	set_field(d, d->exp + PCI_EXP_LNKCAP, (u32)PCI_EXP_LNKCAP_LANES,
		  (u32)FIELD_PREP(PCI_EXP_LNKCAP_LANES, d->nr_lanes));
	/* a BAR that decodes nothing that is memory to devices */
	dwc_write32(d, PCI_BAR(0), 0);
	dwc_write32(d, PCI_BAR(1), 0);
	set_field(d, PCI_BUSES, 0xffffffu,
		  d->host.bus_last << 16 | (first + 1) << 8 | first);
	dwc_write32(d, PCI_CLASS_REVISION,
		    PCI_CLASS_BRIDGE_PCI << 8 |
			    (dwc_read32(d, PCI_CLASS_REVISION) & 0xff));
	dwc_write32(d, PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
}

int dwc_init_root(struct dwc *d)
{
	spin_init(&d->cfg_lock, "dwc-cfg", RANK_IRQ);
	d->host.ops = &dwc_ops;
	d->host.priv = d;
	if (dwc_read32(d, DWC_ATU_VIEWPORT) != ~0u) {
		pr_err("%s: translation is not unrolled, as older cores have it",
		       d->name);
		return -ENODEV;
	}
	d->exp = find_exp(d);
	if (!d->exp)
		return -ENODEV;
	init_port(d);
	return open_windows(d);
}

int dwc_register(struct dwc *d)
{
	set_field(d, DWC_MISC, (u32)DWC_MISC_RO_WRITABLE, 0);
	return pci_host_register(&d->host);
}
