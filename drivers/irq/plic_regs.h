/* SPDX-License-Identifier: MIT */
/*
 * drivers/irq/plic_regs.h - registers of the RISC-V PLIC.
 *
 * RISC-V Platform-Level Interrupt Controller Specification 1.0.0, chapter 3.
 * All are 32 bits wide.
 */
#ifndef DRIVERS_IRQ_PLIC_REGS_H
#define DRIVERS_IRQ_PLIC_REGS_H

#include <lib/types.h>

#define PLIC_MAX_LINES	  1024u
#define PLIC_MAX_CONTEXTS 15872u

/* Priority of a source, 0: never interrupts [4] */
#define PLIC_PRIORITY(line) (4u * (line))
/* A bit per source, of a context [6] */
#define PLIC_ENABLE(ctx, line) (0x2000u + 0x80u * (ctx) + 4u * ((line) / 32u))
#define PLIC_ENABLE_BIT(line)  ((u32)BIT((line) % 32u))
/* Only higher priorities interrupt [7] */
#define PLIC_THRESHOLD(ctx) (0x200000u + 0x1000u * (ctx))
/* Read: claim, 0 for none.  Write: complete [8, 9] */
#define PLIC_CLAIM(ctx) (0x200004u + 0x1000u * (ctx))

#endif /* DRIVERS_IRQ_PLIC_REGS_H */
