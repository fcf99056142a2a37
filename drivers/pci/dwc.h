/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/dwc.h - the DesignWare PCIe core, for the SoCs that have one.
 *
 * The glue (fu740.c) maps the registers, powers core and slots, and says how the
 * link is started; then dwc_init_root() and, with the link up, dwc_register().
 *
 * Context: boot, in a thread; what struct pci_host_ops does, in any.
 */
#ifndef DRIVERS_PCI_DWC_H
#define DRIVERS_PCI_DWC_H

#include <drivers/pci/pci.h>
#include <kernel/spinlock.h>

#define DWC_MSI_NR_BANKS 8u

struct dwc_msi {
	struct irqchip chip;
	struct spinlock lock;
	u32 nr_banks;		    /* [I] */
	u32 used[DWC_MSI_NR_BANKS]; /* [lock] a bit per line: given out */
	u32 mask[DWC_MSI_NR_BANKS]; /* [lock] what is in the registers */
};

struct dwc {
	struct pci_host host;
	const char *name; /* [I] for messages */
	u8 __iomem *dbi;  /* [I] DWC_DBI_SIZE bytes */
	u8 __iomem *cfg;  /* [I] one page of configuration window */
	paddr_t cfg_base; /* [I] */
	u32 nr_lanes;	  /* [I] */
	u32 exp;	  /* [I] the root port's PCI Express capability */
	struct spinlock cfg_lock; /* which function the window shows */
	bool link_missed; /* [cfg_lock] it was down when it was wanted; said once */
	struct dwc_msi msi;
};

u32 dwc_read32(const struct dwc *d, u32 reg);
void dwc_write32(const struct dwc *d, u32 reg, u32 v);

/*
 * The core just out of reset -> a root port with its windows open.  -ENODEV: not
 * a core that we know; -ENOSPC: more windows than the core can translate.
 */
int dwc_init_root(struct dwc *d);
/* Take messages on interrupt @line of @parent; sets host.msi. */
int dwc_msi_init(struct dwc *d, struct irqchip *parent, u32 line);

/* The link's speed (1: 2.5 GT/s) that the port offers from now on; 0 < @gen. */
void dwc_set_max_speed(struct dwc *d, u32 gen);

bool dwc_link_up(const struct dwc *d);
/*
 * Wait until the link is up; the states that training went through are logged.
 * -ETIMEDOUT.  Sleeps.
 */
int dwc_wait_link(struct dwc *d, u32 timeout_ms);
/* Ask the partner for the highest common speed and wait for the link. */
int dwc_change_speed(struct dwc *d, u32 timeout_ms);
/* What it is now: generation (1 to 5) and number of lanes. */
void dwc_link_status(const struct dwc *d, u32 *gen, u32 *lanes);

/* Find what is there.  @d lives for ever when this succeeds. */
int dwc_register(struct dwc *d);

void dwc_sleep_ms(u32 ms);

#endif /* DRIVERS_PCI_DWC_H */
