/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/pci_regs.h - PCI configuration space.
 *
 * PCI Express Base Specification 5.0, chapter 7; PCI-to-PCI Bridge 1.2 for the
 * type 1 header.  The width in bits stands behind each register.
 */
#ifndef DRIVERS_PCI_PCI_REGS_H
#define DRIVERS_PCI_PCI_REGS_H

#include <lib/types.h>

#define PCI_CFG_SIZE	 256u
#define PCI_EXT_CFG_SIZE 4096u

/* Common header [7.5.1.1] */
#define PCI_VENDOR_ID	      0x00 /* 16 */
#define PCI_DEVICE_ID	      0x02 /* 16 */
#define PCI_COMMAND	      0x04 /* 16 */
#define PCI_COMMAND_IO	      BIT(0)
#define PCI_COMMAND_MEM	      BIT(1)
#define PCI_COMMAND_MASTER    BIT(2)
#define PCI_COMMAND_INTX_OFF  BIT(10)
#define PCI_STATUS	      0x06 /* 16 */
#define PCI_STATUS_CAPS	      BIT(4)
#define PCI_CLASS_REVISION    0x08 /* 32: class in 31:8, revision in 7:0 */
#define PCI_HEADER_TYPE	      0x0e /* 8 */
#define PCI_HEADER_TYPE_MASK  0x7f
#define PCI_HEADER_TYPE_MULTI BIT(7)
#define PCI_BAR(n)	      (0x10 + 4 * (n)) /* 32 */
#define PCI_BAR_IO	      BIT(0)
#define PCI_BAR_TYPE	      GENMASK(2, 1)
#define PCI_BAR_TYPE_64	      2
#define PCI_BAR_PREFETCH      BIT(3)
#define PCI_BAR_MEM_MASK      (~0xfu)
#define PCI_CAP_POINTER	      0x34 /* 8 */
#define PCI_INT_LINE	      0x3c /* 8, scratch for software */
#define PCI_INT_PIN	      0x3d /* 8: 1..4 = A..D */

/* Type 0 header [7.5.1.2] */
#define PCI_SUBSYS_VENDOR 0x2c /* 16 */
#define PCI_SUBSYS_ID	  0x2e /* 16 */

/* Type 1 header [7.5.1.3] */
#define PCI_BUSES	  0x18 /* 32: primary, secondary, subordinate */
#define PCI_IO_BASE	  0x1c /* 16: base and limit */
#define PCI_MEM_WINDOW	  0x20 /* 32: base 15:4, limit 31:20, of 1 MiB */
#define PCI_PREF_WINDOW	  0x24 /* 32: likewise; type in 3:0 */
#define PCI_PREF_TYPE_64  1
#define PCI_PREF_BASE_HI  0x28 /* 32 */
#define PCI_PREF_LIMIT_HI 0x2c /* 32 */
#define PCI_IO_HI	  0x30 /* 32 */
#define PCI_WINDOW_CLOSED 0x0000fff0u
#define PCI_IO_CLOSED	  0x00f0u

/* Capabilities: id in 7:0, next in 15:8 [7.5.3] */
#define PCI_CAP_MIN_OFFSET 0x40
#define PCI_CAP_ID_MSI	   0x05
#define PCI_CAP_ID_VENDOR  0x09
#define PCI_CAP_ID_EXP	   0x10
#define PCI_CAP_ID_MSIX	   0x11

/* PCI Express capability [7.5.3] */
#define PCI_EXP_FLAGS		0x02 /* 16 */
#define PCI_EXP_PORT_TYPE	GENMASK(7, 4)
#define PCI_EXP_ROOT_PORT	4
#define PCI_EXP_DOWNSTREAM	6
#define PCI_EXP_SLOT		BIT(8) /* this port has one */
#define PCI_EXP_LNKCAP		0x0c   /* 32 */
#define PCI_EXP_LNKCAP_SPEED	GENMASK(3, 0)
#define PCI_EXP_LNKCAP_LANES	GENMASK(9, 4)
#define PCI_EXP_LNKCAP_DLLLA	BIT(20) /* LNKSTA tells whether it is active */
#define PCI_EXP_LNKCTL		0x10	/* 16 */
#define PCI_EXP_LNKCTL_RETRAIN	BIT(5)
#define PCI_EXP_LNKSTA		0x12 /* 16 */
#define PCI_EXP_LNKSTA_SPEED	GENMASK(3, 0)
#define PCI_EXP_LNKSTA_LANES	GENMASK(9, 4)
#define PCI_EXP_LNKSTA_TRAINING BIT(11)
#define PCI_EXP_LNKSTA_DLLLA	BIT(13)
#define PCI_EXP_LNKSTA_LBMS	BIT(14) /* W1C: it was retrained */
#define PCI_EXP_SLTSTA		0x1a	/* 16 */
#define PCI_EXP_SLTSTA_PRESENT	BIT(6)
#define PCI_EXP_RTCTL		0x1c   /* 16 */
#define PCI_EXP_RTCTL_RETRIES	BIT(4) /* software sees them [2.3.2] */
#define PCI_EXP_RTCAP		0x1e   /* 16 */
#define PCI_EXP_RTCAP_RETRIES	BIT(0)
#define PCI_EXP_LNKCTL2		0x30 /* 16 */
#define PCI_EXP_LNKCTL2_SPEED	GENMASK(3, 0)

/* MSI [7.7.1] */
#define PCI_MSI_FLAGS	0x02 /* 16 */
#define PCI_MSI_ENABLE	BIT(0)
#define PCI_MSI_NR_MASK GENMASK(6, 4) /* log2 of vectors in use */
#define PCI_MSI_64	BIT(7)
#define PCI_MSI_ADDR	0x04 /* 32 */
#define PCI_MSI_DATA_32 0x08 /* 16 */
#define PCI_MSI_ADDR_HI 0x08 /* 32 */
#define PCI_MSI_DATA_64 0x0c /* 16 */

/* MSI-X [7.7.2] */
#define PCI_MSIX_FLAGS	 0x02		/* 16 */
#define PCI_MSIX_SIZE	 GENMASK(10, 0) /* less one */
#define PCI_MSIX_MASKALL BIT(14)
#define PCI_MSIX_ENABLE	 BIT(15)
#define PCI_MSIX_TABLE	 0x04 /* 32: offset 31:3, BAR 2:0 */
#define PCI_MSIX_BIR	 GENMASK(2, 0)
#define PCI_MSIX_OFFSET	 GENMASK(31, 3)
/* An entry of the table [7.7.2.5] */
#define PCI_MSIX_ENTRY_SIZE   16u
#define PCI_MSIX_ENTRY_ADDR   0x0 /* 32, then high half */
#define PCI_MSIX_ENTRY_DATA   0x8 /* 32 */
#define PCI_MSIX_ENTRY_CTRL   0xc /* 32 */
#define PCI_MSIX_ENTRY_MASKED BIT(0)

/* Extended capabilities: id 15:0, version 19:16, next 31:20 [7.6.3] */
#define PCI_EXT_CAP_START   0x100
#define PCI_EXT_CAP_ID(h)   ((u32)(h)&0xffffu)
#define PCI_EXT_CAP_NEXT(h) (((u32)(h) >> 20) & 0xffcu)

/* Classes, 24 bits with the programming interface */
#define PCI_CLASS_BRIDGE_PCI 0x060400
#define PCI_CLASS_NVME	     0x010802

#endif /* DRIVERS_PCI_PCI_REGS_H */
