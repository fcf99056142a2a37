/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/fu740_regs.h - what SiFive put around the FU740's PCIe core:
 * "PCIEX8MGMT" [FU740-C000 manual, chapter 23], and its PHYs' registers.
 *
 * 32 bits, 32-bit accesses only.
 */
#ifndef DRIVERS_PCI_FU740_REGS_H
#define DRIVERS_PCI_FU740_REGS_H

#include <lib/types.h>

#define FU740_MGMT_PERST_N	0x000 /* 0: the core's side in reset */
#define FU740_MGMT_LTSSM_ENABLE 0x010 /* 1: train the link */
#define FU740_MGMT_HOLD_PHY_RST 0x018 /* 1: PHYs wait for their registers */
#define FU740_MGMT_DEVICE_TYPE	0x708
#define FU740_DEVICE_TYPE_ROOT	4

/* Access to the registers of PHY n: address, data, request, acknowledge */
#define FU740_PHY(n)	   (0x860u + 0x40u * (n))
#define FU740_PHY_ADDR	   0x00
#define FU740_PHY_SEL	   0x20 /* 1: this way of access, not JTAG's */
#define FU740_PHY_WR_DATA  0x28
#define FU740_PHY_WR_EN	   0x30
#define FU740_PHY_ACK	   0x38
#define FU740_NR_PHYS	   2u
#define FU740_LANES_OF_PHY 4u

/* PHY register: override of a lane's receiver settings, by 32-bit words */
#define FU740_PHY_LANE_RX(lane) (0x1008u + 0x100u * (lane))
#define FU740_PHY_RX_CDR_TRACK	BIT(0)
#define FU740_PHY_RX_LOS(v)	((v) << 5)
#define FU740_PHY_RX_TERM	BIT(9)
#define FU740_PHY_RX_TERM_AC	BIT(10)
#define FU740_PHY_RX_OVERRIDE	BIT(11)

#define FU740_MGMT_SIZE 0x1000u

#endif /* DRIVERS_PCI_FU740_REGS_H */
