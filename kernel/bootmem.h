/* SPDX-License-Identifier: MIT */
/* kernel/bootmem.h - boot steps of kernel/bootmem.c, in the order of their calls. */
#ifndef KERNEL_BOOTMEM_H
#define KERNEL_BOOTMEM_H

#include <lib/types.h>

void bootmem_find_fdt(paddr_t pa);
void bootmem_parse_cmdline(void);
/* What the command line has for init; element 0 of the arguments is free. */
#define BOOT_INIT_WORDS 32u
extern const char *boot_init_args[], *boot_init_env[];
/* RAM known, reserved, mapped for good. */
void bootmem_init(void);

#endif /* KERNEL_BOOTMEM_H */
