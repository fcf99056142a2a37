/* SPDX-License-Identifier: MIT */
/*
 * drivers/irq/aplic_regs.h - registers of the advanced PLIC.
 *
 * RISC-V Advanced Interrupt Architecture 1.0, chapter 4.  All are 32 bits wide.
 */
#ifndef DRIVERS_IRQ_APLIC_REGS_H
#define DRIVERS_IRQ_APLIC_REGS_H

#include <lib/types.h>

#define APLIC_MAX_LINES 1024u

/* Domain configuration [4.5.1] */
#define APLIC_DOMAINCFG	   0x0000u
#define APLIC_DOMAINCFG_DM BIT(2) /* deliver by MSI */
#define APLIC_DOMAINCFG_IE BIT(8)
/* Source configuration [4.5.2] */
#define APLIC_SOURCECFG(line)	   (4u * (line))
#define APLIC_SOURCECFG_D	   BIT(10) /* delegated to a child domain */
#define APLIC_SOURCECFG_INACTIVE   0u
#define APLIC_SOURCECFG_EDGE_RISE  4u
#define APLIC_SOURCECFG_EDGE_FALL  5u
#define APLIC_SOURCECFG_LEVEL_HIGH 6u
#define APLIC_SOURCECFG_LEVEL_LOW  7u
/* Rectified input of 32 sources, when read [4.5.7] */
#define APLIC_IN_CLRIP(line) (0x1d00u + 4u * ((line) / 32u))
/* Enable, disable by number; disable 32 by mask [4.5.9 to 4.5.12] */
#define APLIC_SETIENUM	  0x1edcu
#define APLIC_CLRIE(line) (0x1f00u + 4u * ((line) / 32u))
#define APLIC_CLRIENUM	  0x1fdcu
/* Set pending by number [4.5.13] */
#define APLIC_SETIPNUM_LE 0x2000u
/* Target: hart index and, as the mode is, identity or priority [4.5.16] */
#define APLIC_TARGET(line) (0x3000u + 4u * (line))
#define APLIC_TARGET_HART  GENMASK(31, 18)
#define APLIC_TARGET_LOW   GENMASK(10, 0)
/* Interrupt delivery control, a block per hart [4.8] */
#define APLIC_IDC(idc)		 (0x4000u + 32u * (idc))
#define APLIC_IDC_DELIVERY(idc)	 (APLIC_IDC(idc) + 0x00u)
#define APLIC_IDC_THRESHOLD(idc) (APLIC_IDC(idc) + 0x08u)
#define APLIC_IDC_CLAIMI(idc)	 (APLIC_IDC(idc) + 0x1cu)
#define APLIC_CLAIMI_LINE	 GENMASK(25, 16)

#endif /* DRIVERS_IRQ_APLIC_REGS_H */
