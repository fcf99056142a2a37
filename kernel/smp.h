/* SPDX-License-Identifier: MIT */
/*
 * kernel/smp.h - boot steps of kernel/smp.c, in the order of their calls.
 *
 * Context: boot hart, before the loop.
 */
#ifndef KERNEL_SMP_H
#define KERNEL_SMP_H

#include <lib/types.h>

/* Room for what the harts of the device tree will need; before pmem_init(). */
void smp_reserve(u64 boot_hartid);
/* Device tree -> harts[]; the boot hart leaves boot_hart for an object like theirs. */
void smp_find_harts(u64 boot_hartid);
/* Stacks and relay data of each; needs vmap. */
void smp_prepare(void);
/* Start the others, give roles, make the rings.  They wait for smp_release(). */
void smp_start(void);
void smp_choose_roles(void);
/* Let them into their loops. */
void smp_release(void);
void hart_enter_role(void);

#endif /* KERNEL_SMP_H */
