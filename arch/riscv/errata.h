/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/errata.h - bugs of processors that software has to work around, each
 * in one place.
 *
 * CIP-453   (FU740, mimpid 0x20181004 to 0x20191105) stval is not sign-extended
 *	     for page and access faults of a fetch: errata_fetch_address() below.
 * CIP-1200  (FU740, FU540) sfence.vma with an operand can leave a stale entry in
 *	     the instruction TLB: the only flush is the whole one, everywhere, in
 *	     tlb_flush_local() (arch/riscv/mmu.h) and in the SBI calls for others.
 *	     tests/board/ looks at each such instruction of the kernel.
 * U74	     no update of a PTE's A and D bits: every leaf has them from the start
 *	     (arch/riscv/mmu.c, kernel/mm/pt.h); no number, the architecture allows
 *	     it.
 *
 * Sources: SiFive's FU740-C000 errata list of 2021-02-05.
 */
#ifndef ARCH_RISCV_ERRATA_H
#define ARCH_RISCV_ERRATA_H

#include <arch/riscv/csr.h>
#include <lib/types.h>

extern bool errata_cip_453;  /* [I after boot] */
extern bool errata_cip_1200; /* [I after boot] only to tell */
/* [I after boot] A core that is known, and runs in order: it loads nothing on a guess. */
extern bool errata_in_order;

/* Once, with what the firmware says of the harts; they are all alike. */
void errata_init(u64 marchid, u64 mimpid);

/* stval of an exception with this scause, as the architecture has it. */
static inline u64 errata_fetch_address(u64 cause, u64 stval)
{
	bool fetch = cause == CAUSE_FETCH_PAGE || cause == CAUSE_FETCH_ACCESS;

	if (fetch && errata_cip_453 && (stval & BIT(38)))
		stval |= GENMASK(63, 39);
	return stval;
}

#endif /* ARCH_RISCV_ERRATA_H */
