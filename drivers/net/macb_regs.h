/* SPDX-License-Identifier: MIT */
/*
 * drivers/net/macb_regs.h - registers and descriptors of the Cadence Gigabit Ethernet
 * MAC (GEM), as far as a driver of one queue needs them.
 *
 * 32 bits, 32-bit accesses only.  Numbers in brackets are chapters of the Zynq-7000
 * TRM (UG585), whose MAC it is too; [FU740] the FU740-C000 manual, chapter 18.
 */
#ifndef DRIVERS_NET_MACB_REGS_H
#define DRIVERS_NET_MACB_REGS_H

#include <lib/types.h>

#define GEM_REGS_SIZE 0x1000

/* Network control [16.7, net_ctrl] */
#define GEM_NCR		0x000
#define GEM_NCR_RX	BIT(2)
#define GEM_NCR_TX	BIT(3)
#define GEM_NCR_MDIO	BIT(4)
#define GEM_NCR_CLRSTAT BIT(5)
#define GEM_NCR_TSTART	BIT(9)

/* Network configuration [net_cfg] */
#define GEM_NCFGR	      0x004
#define GEM_NCFGR_100	      BIT(0)
#define GEM_NCFGR_FULL_DUPLEX BIT(1)
#define GEM_NCFGR_COPY_ALL    BIT(4)
#define GEM_NCFGR_MULTI_HASH  BIT(6)
#define GEM_NCFGR_1536	      BIT(8)
#define GEM_NCFGR_1000	      BIT(10)
#define GEM_NCFGR_RX_OFFSET   GENMASK(15, 14) /* bytes before a frame */
#define GEM_NCFGR_NO_FCS      BIT(17)
#define GEM_NCFGR_MDC	      GENMASK(20, 18) /* pclk divided by mdc_div[] */
#define GEM_NCFGR_BUS_WIDTH   GENMASK(22, 21) /* 32 << it */
#define GEM_NCFGR_NO_PAUSE    BIT(23)	      /* frames: not to memory */
#define GEM_NCFGR_RX_CSUM     BIT(24)

/* Network status [net_status] */
#define GEM_NSR		  0x008
#define GEM_NSR_MDIO_IDLE BIT(2)

/* DMA configuration [dma_cfg] */
#define GEM_DMACFG	   0x010
#define GEM_DMACFG_BURST   GENMASK(4, 0)
#define GEM_DMACFG_SWAPS   GENMASK(7, 6)
#define GEM_DMACFG_RX_FIFO GENMASK(9, 8)
#define GEM_DMACFG_TX_FIFO BIT(10)
#define GEM_DMACFG_TX_CSUM BIT(11)
#define GEM_DMACFG_RX_BUF  GENMASK(23, 16) /* 64 bytes */
#define GEM_DMACFG_EXT	   GENMASK(29, 28)
#define GEM_DMACFG_ADDR64  BIT(30)

/* Transmit status: a 1 clears [tx_status] */
#define GEM_TSR	   0x014
#define GEM_TSR_GO BIT(3)

#define GEM_RBQP 0x018 /* where the receive ring begins, bits 31:0 */
#define GEM_TBQP 0x01c
#define GEM_RSR	 0x020 /* receive status: a 1 clears */

/* Interrupts: status, enable, disable [intr_status] */
#define GEM_ISR		0x024
#define GEM_IER		0x028
#define GEM_IDR		0x02c
#define GEM_INT_RX	BIT(1)
#define GEM_INT_RX_USED BIT(2)
#define GEM_INT_TX_USED BIT(3) /* it found nothing more to send */
#define GEM_INT_TX_UND	BIT(4)
#define GEM_INT_TX_RLE	BIT(5)
#define GEM_INT_TX_BUS	BIT(6)
#define GEM_INT_TX	BIT(7)
#define GEM_INT_RX_OVR	BIT(10)
#define GEM_INT_BUS	BIT(11)

/* PHY maintenance [phy_maint] */
#define GEM_MAN	      0x034
#define GEM_MAN_READ  0x60020000u /* clause 22 */
#define GEM_MAN_WRITE 0x50020000u
#define GEM_MAN_PHY   GENMASK(27, 23)
#define GEM_MAN_REG   GENMASK(22, 18)
#define GEM_MAN_DATA  GENMASK(15, 0)

/* Addresses [hash_bot, spec_addr1_bot]; the top's write makes it valid */
#define GEM_HRB	 0x080
#define GEM_HRT	 0x084
#define GEM_SA1B 0x088
#define GEM_SA1T 0x08c

/* What it is */
#define GEM_MID	       0x0fc
#define GEM_MID_ID     GENMASK(27, 16)
#define GEM_MID_IS_GEM 2u /* from here on: before there were others */

/* What it was built with [design_cfg1 ...] */
#define GEM_DCFG1 0x280
#define GEM_DCFG1_READ_CLEAR \
	BIT(23) /* reading the status of interrupts clears */
#define GEM_DCFG1_BUS_WIDTH GENMASK(27, 25) /* 1, 2, 4: words */
#define GEM_DCFG6	    0x294
#define GEM_DCFG6_QUEUES    GENMASK(7, 1) /* those besides the first */
#define GEM_DCFG6_ADDR64    BIT(23)

/* Queue @q, from 1 on */
#define GEM_TBQP_OF(q) (0x440 + ((q)-1) * 4)
#define GEM_RBQP_OF(q) (0x480 + ((q)-1) * 4)
#define GEM_IDR_OF(q)  (0x620 + ((q)-1) * 4)
#define GEM_MAX_QUEUES 8u

#define GEM_TBQPH 0x4c8 /* bits 63:32, of all queues */
#define GEM_RBQPH 0x4d4

/*
 * A descriptor is two words, or four with GEM_DMACFG_ADDR64, of which the third is
 * the address's bits 63:32 [16.3.2].
 */
#define GEM_D_ADDR  0u
#define GEM_D_CTRL  1u
#define GEM_D_ADDRH 2u

/* Receive, GEM_D_ADDR: the rest is the address */
#define GEM_RX_USED BIT(0) /* it holds something */
#define GEM_RX_WRAP BIT(1)
#define GEM_RX_ADDR GENMASK(31, 3)
/* Receive, GEM_D_CTRL */
#define GEM_RX_LEN	GENMASK(12, 0)
#define GEM_RX_FIRST	BIT(14)
#define GEM_RX_LAST	BIT(15)
#define GEM_RX_CSUM	GENMASK(23, 22) /* 2, 3: IP, and TCP or UDP, are right */
#define GEM_RX_CSUM_TCP 2u

/* Transmit, GEM_D_CTRL */
#define GEM_TX_LEN   GENMASK(13, 0)
#define GEM_TX_LAST  BIT(15)
#define GEM_TX_ERROR GENMASK(29, 26)
#define GEM_TX_WRAP  BIT(30)
#define GEM_TX_USED  BIT(31) /* sent, or not to be */

/* SiFive's block beside it [FU740]: what clocks the sender */
#define GEMGXL_CLK     0x00
#define GEMGXL_CLK_PLL 0 /* 125 MHz: 1000 Mbit/s */
#define GEMGXL_CLK_PHY 1 /* the PHY's, 25 or 2.5 MHz */
#define GEMGXL_SIZE    0x4

#endif /* DRIVERS_NET_MACB_REGS_H */
