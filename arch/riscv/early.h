/* SPDX-License-Identifier: MIT */
/* arch/riscv/early.h - what head.S and mmu.c share. */
#ifndef ARCH_RISCV_EARLY_H
#define ARCH_RISCV_EARLY_H

#include <arch/riscv/mmu.h>

extern pte_t early_root[512];
/* Returns the satp value.  Context: paging off, one hart. */
u64 early_mmu_setup(u64 image_pa);

#endif /* ARCH_RISCV_EARLY_H */
