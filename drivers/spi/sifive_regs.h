/* SPDX-License-Identifier: MIT */
/*
 * drivers/spi/sifive_regs.h - registers of the SiFive SPI controller
 * [FU740-C000 manual, chapter 20].  32 bits, 32-bit accesses only.
 */
#ifndef DRIVERS_SPI_SIFIVE_REGS_H
#define DRIVERS_SPI_SIFIVE_REGS_H

#include <lib/types.h>

/* Serial clock = input / (2 * (div + 1)) [20.5] */
#define SIFIVE_SPI_SCKDIV     0x00
#define SIFIVE_SPI_SCKDIV_MAX 0xfffu
#define SIFIVE_SPI_SCKMODE    0x04 /* phase, polarity [20.6] */

/* Chip select [20.7 to 20.9] */
#define SIFIVE_SPI_CSID	       0x10
#define SIFIVE_SPI_CSDEF       0x14 /* inactive levels, a bit per chip */
#define SIFIVE_SPI_CSMODE      0x18
#define SIFIVE_SPI_CSMODE_AUTO 0 /* inactive between frames */
#define SIFIVE_SPI_CSMODE_HOLD 2

/* Between select, frames and deselect [20.10]; as after reset: one clock, none */
#define SIFIVE_SPI_DELAY0	0x28
#define SIFIVE_SPI_DELAY0_RESET 0x00010001u
#define SIFIVE_SPI_DELAY1	0x2c
#define SIFIVE_SPI_DELAY1_RESET 0x00000001u

/* Frame format [20.11] */
#define SIFIVE_SPI_FMT	      0x40
#define SIFIVE_SPI_FMT_SINGLE 0 /* protocol 1:0; MSB first; receives */
#define SIFIVE_SPI_FMT_LEN    GENMASK(19, 16)

/* FIFOs of 8 frames [20.12, 20.13] */
#define SIFIVE_SPI_TXDATA	0x48
#define SIFIVE_SPI_RXDATA	0x4c
#define SIFIVE_SPI_RXDATA_BYTE	0xffu
#define SIFIVE_SPI_RXDATA_EMPTY BIT(31)
#define SIFIVE_SPI_FIFO_DEPTH	8u

/* Memory-mapped flash, where there is any: 0 gives the FIFOs the pins [20.16] */
#define SIFIVE_SPI_FCTRL 0x60

#define SIFIVE_SPI_IE	     0x70
#define SIFIVE_SPI_REGS_SIZE 0x78

#endif /* DRIVERS_SPI_SIFIVE_REGS_H */
