/* SPDX-License-Identifier: MIT */
/*
 * drivers/irq/imsic.h - what the APLIC must know of the IMSIC it sends to.
 */
#ifndef DRIVERS_IRQ_IMSIC_H
#define DRIVERS_IRQ_IMSIC_H

#include <lib/types.h>

struct irqchip;

/* Index, in the AIA's numbering, of the hart that @line of @chip goes to. */
u32 imsic_hart_index(struct irqchip *chip, u32 line);

/* Is @node a controller of S-mode, by its first entry of @prop?  Machine mode
 * has nodes of its own, which look the same otherwise. */
bool aia_node_is_supervisor(int node);

#endif /* DRIVERS_IRQ_IMSIC_H */
