/* SPDX-License-Identifier: MIT */
/*
 * drivers/uart/sifive_regs.h - registers of the SiFive UART [FU740-C000 manual,
 * chapter 18].  32 bits, 32-bit accesses only.
 */
#ifndef DRIVERS_UART_SIFIVE_REGS_H
#define DRIVERS_UART_SIFIVE_REGS_H

#include <lib/types.h>

/* Transmit data [18.4] */
#define SIFIVE_TXDATA	   0x00
#define SIFIVE_TXDATA_FULL BIT(31) /* RO */

/* Receive data [18.5]: one read tests and pops */
#define SIFIVE_RXDATA	    0x04
#define SIFIVE_RXDATA_BYTE  0xffu
#define SIFIVE_RXDATA_EMPTY BIT(31)

/* Transmit control [18.6] */
#define SIFIVE_TXCTRL	    0x08
#define SIFIVE_TXCTRL_EN    BIT(0)
#define SIFIVE_TXCTRL_NSTOP BIT(1)
#define SIFIVE_TXCTRL_CNT   GENMASK(18, 16) /* watermark */

/* Receive control [18.7] */
#define SIFIVE_RXCTRL	  0x0c
#define SIFIVE_RXCTRL_EN  BIT(0)
#define SIFIVE_RXCTRL_CNT GENMASK(18, 16)

/* Interrupt enable and pending [18.8] */
#define SIFIVE_IE     0x10
#define SIFIVE_IP     0x14
#define SIFIVE_INT_TX BIT(0) /* fewer than txcnt bytes to send */
#define SIFIVE_INT_RX BIT(1) /* more than rxcnt bytes received */

/* Baud rate = clock / (div + 1) [18.9] */
#define SIFIVE_DIV     0x18
#define SIFIVE_DIV_MAX 0xffffu
#define SIFIVE_DIV_MIN 15u /* the receiver samples 16 times */

#define SIFIVE_REGS_SIZE 0x1c

#endif /* DRIVERS_UART_SIFIVE_REGS_H */
