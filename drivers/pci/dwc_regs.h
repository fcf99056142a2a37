/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/dwc_regs.h - the Synopsys DesignWare PCIe core as a root complex:
 * port logic and address translation, seen through the DBI.
 *
 * There is no public manual; names follow the register names in the core's
 * data book as drivers everywhere quote them.  Offsets are from the DBI's base,
 * below 0x700 it is the root port's configuration space.  32 bits.
 */
#ifndef DRIVERS_PCI_DWC_REGS_H
#define DRIVERS_PCI_DWC_REGS_H

#include <lib/types.h>

#define DWC_DBI_SIZE 0x400000u /* all of it that is used */

/* Port link control */
#define DWC_PORT_LINK		 0x710
#define DWC_PORT_LINK_DLL_EN	 BIT(5)
#define DWC_PORT_LINK_FAST	 BIT(7) /* for simulators */
#define DWC_PORT_LINK_LANES	 GENMASK(21, 16)
#define DWC_PORT_LINK_LANES_X(n) (2 * (n)-1) /* 1, 3, 7, 15 */

/* Debug: where link training is */
#define DWC_DEBUG0	    0x728
#define DWC_DEBUG0_LTSSM    GENMASK(5, 0)
#define DWC_LTSSM_L0	    0x11
#define DWC_DEBUG1	    0x72c
#define DWC_DEBUG1_LINK_UP  BIT(4)
#define DWC_DEBUG1_TRAINING BIT(29)

/* Link width and speed change control */
#define DWC_GEN2	      0x80c
#define DWC_GEN2_LANES	      GENMASK(12, 8) /* "predetermined number" */
#define DWC_GEN2_SPEED_CHANGE BIT(17)	     /* directed, clears itself */

/* Receiver of messages: address, and 32 vectors a bank */
#define DWC_MSI_ADDR_LO	   0x820
#define DWC_MSI_ADDR_HI	   0x824
#define DWC_MSI_ENABLE(b)  (0x828 + 12 * (b))
#define DWC_MSI_MASK(b)	   (0x82c + 12 * (b))
#define DWC_MSI_STATUS(b)  (0x830 + 12 * (b)) /* W1C */
#define DWC_MSI_MAX_BANKS  8u
#define DWC_MSI_BANK_LINES 32u

/* Miscellaneous: registers that PCI calls read-only can be written */
#define DWC_MISC	     0x8bc
#define DWC_MISC_RO_WRITABLE BIT(0)

/* The core's version, as four characters [as Linux prints it] */
#define DWC_VERSION 0x8f8

/* All ones where translation is unrolled (each region has its registers) */
#define DWC_ATU_VIEWPORT 0x900

/* Outbound translation, region n */
#define DWC_ATU_OUT(n)		(0x300000 + 0x200 * (n))
#define DWC_ATU_IN(n)		(0x300100 + 0x200 * (n))
#define DWC_ATU_CTRL1		0x00
#define DWC_ATU_CTRL1_MEM	0
#define DWC_ATU_CTRL1_CFG0	4	/* for the link partner */
#define DWC_ATU_CTRL1_CFG1	5	/* for what is behind it */
#define DWC_ATU_CTRL1_BEYOND_4G BIT(13) /* UPPER_LIMIT counts */
#define DWC_ATU_CTRL2		0x04
#define DWC_ATU_CTRL2_ENABLE	BIT(31)
#define DWC_ATU_LOWER_BASE	0x08
#define DWC_ATU_UPPER_BASE	0x0c
#define DWC_ATU_LIMIT		0x10 /* last address */
#define DWC_ATU_LOWER_TARGET	0x14
#define DWC_ATU_UPPER_TARGET	0x18
#define DWC_ATU_UPPER_LIMIT	0x20
#define DWC_ATU_MAX_REGIONS	8u /* of each direction */
#define DWC_ATU_ALIGN		0x1000u
/* Target of a configuration region: the function */
#define DWC_ATU_FUNC(bus, devfn) ((u32)(bus) << 24 | (u32)(devfn) << 16)

#endif /* DRIVERS_PCI_DWC_REGS_H */
