/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shim/arch/riscv/csr.h - counters are a variable of the test's.
 *
 * Only what host-tested sources name.
 */
#ifndef ARCH_RISCV_CSR_H
#define ARCH_RISCV_CSR_H

#include <lib/types.h>

#define SSTATUS_FS	 0x00006000
#define SSTATUS_FS_DIRTY 0x00006000

extern u64 host_cycles;

static inline u64 rdcycle(void)
{
	return host_cycles;
}
#endif /* ARCH_RISCV_CSR_H */
