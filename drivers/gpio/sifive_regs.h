/* SPDX-License-Identifier: MIT */
/*
 * drivers/gpio/sifive_regs.h - registers of the SiFive GPIO [FU740-C000 manual,
 * chapter 19].  32 bits, a bit per line.
 */
#ifndef DRIVERS_GPIO_SIFIVE_REGS_H
#define DRIVERS_GPIO_SIFIVE_REGS_H

#include <lib/types.h>

#define SIFIVE_GPIO_INPUT     0x00 /* RO level, where input is enabled */
#define SIFIVE_GPIO_INPUT_EN  0x04
#define SIFIVE_GPIO_OUTPUT_EN 0x08
#define SIFIVE_GPIO_OUTPUT    0x0c /* level to drive */
#define SIFIVE_GPIO_HIGH_IE   0x28 /* interrupt while the level is high */
#define SIFIVE_GPIO_HIGH_IP   0x2c /* W1C; set by the level, enabled or not */
#define SIFIVE_GPIO_LOW_IE    0x30
#define SIFIVE_GPIO_LOW_IP    0x34
#define SIFIVE_GPIO_OUT_XOR   0x40 /* inverts the output */

#define SIFIVE_GPIO_REGS_SIZE 0x44
#define SIFIVE_GPIO_MAX_LINES 32u

#endif /* DRIVERS_GPIO_SIFIVE_REGS_H */
