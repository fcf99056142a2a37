/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/csr.h - control and status registers of S-mode.
 *
 * RISC-V Privileged Architecture 1.12, chapter 4; AIA 1.0 for the last group.
 */
#ifndef ARCH_RISCV_CSR_H
#define ARCH_RISCV_CSR_H

/* sstatus [4.1.1] */
#define SSTATUS_SIE	   0x00000002
#define SSTATUS_SPIE	   0x00000020
#define SSTATUS_SPP	   0x00000100
#define SSTATUS_FS	   0x00006000
#define SSTATUS_FS_INITIAL 0x00002000
#define SSTATUS_FS_CLEAN   0x00004000
#define SSTATUS_FS_DIRTY   0x00006000
#define SSTATUS_SUM	   0x00040000
#define SSTATUS_MXR	   0x00080000

/* sie, sip [4.1.3] */
#define SIP_SSIP   0x002
#define SIP_STIP   0x020
#define SIP_SEIP   0x200
#define SIP_LCOFIP 0x2000 /* Sscofpmf: a counter has overflowed */

/* scause [4.1.8] */
#define CAUSE_INTERRUPT	       (1UL << 63)
#define CAUSE_SOFT	       (CAUSE_INTERRUPT | 1)
#define CAUSE_TIMER	       (CAUSE_INTERRUPT | 5)
#define CAUSE_EXTERNAL	       (CAUSE_INTERRUPT | 9)
#define CAUSE_OVERFLOW	       (CAUSE_INTERRUPT | 13)
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL	       2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_ECALL_U	       8
#define CAUSE_FETCH_PAGE       12
#define CAUSE_LOAD_PAGE	       13
#define CAUSE_STORE_PAGE       15

/* satp [4.1.11] */
#define SATP_MODE_SV39 (8UL << 60)
#define SATP_ASID      0x0ffff00000000000UL

/* AIA 1.0: S-level indirect access and top external interrupt [2.1] */
#define CSR_SISELECT 0x150
#define CSR_SIREG    0x151
#define CSR_STOPEI   0x15c
#define CSR_STIMECMP 0x14d

#ifndef __ASSEMBLER__
#include <lib/types.h>

#define CSR_STR1(x) #x
#define CSR_STR(x)  CSR_STR1(x)

#define csr_read(csr)                                     \
	({                                                \
		u64 csr_v;                                \
		__asm__ volatile("csrr %0, " CSR_STR(csr) \
				 : "=r"(csr_v)            \
				 :                        \
				 : "memory");             \
		csr_v;                                    \
	})
#define csr_write(csr, v)                            \
	__asm__ volatile("csrw " CSR_STR(csr) ", %0" \
			 :                           \
			 : "rK"((u64)(v))            \
			 : "memory")
#define csr_swap(csr, v)                                          \
	({                                                        \
		u64 csr_v;                                        \
		__asm__ volatile("csrrw %0, " CSR_STR(csr) ", %1" \
				 : "=r"(csr_v)                    \
				 : "rK"((u64)(v))                 \
				 : "memory");                     \
		csr_v;                                            \
	})
#define csr_set(csr, v)                              \
	__asm__ volatile("csrs " CSR_STR(csr) ", %0" \
			 :                           \
			 : "rK"((u64)(v))            \
			 : "memory")
#define csr_clear(csr, v)                            \
	__asm__ volatile("csrc " CSR_STR(csr) ", %0" \
			 :                           \
			 : "rK"((u64)(v))            \
			 : "memory")

static inline u64 rdcycle(void)
{
	u64 v;

	__asm__ volatile("rdcycle %0" : "=r"(v));
	return v;
}
static inline u64 rdinstret(void)
{
	u64 v;

	__asm__ volatile("rdinstret %0" : "=r"(v));
	return v;
}
static inline u64 rdtime(void)
{
	u64 v;

	__asm__ volatile("rdtime %0" : "=r"(v));
	return v;
}
#endif /* __ASSEMBLER__ */
#endif /* ARCH_RISCV_CSR_H */
