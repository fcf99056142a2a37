/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/trapframe.h - user registers as saved by trap.S.
 *
 * The order of the first 32 words is that of Linux's user_regs_struct (pc in
 * the place of x0), so that signal frames, ptrace and core files copy them.
 */
#ifndef ARCH_RISCV_TRAPFRAME_H
#define ARCH_RISCV_TRAPFRAME_H

#include <lib/types.h>

struct trapframe {
	u64 pc;
	u64 ra, sp, gp, tp;
	u64 t0, t1, t2;
	u64 s0, s1;
	u64 a0, a1, a2, a3, a4, a5, a6, a7;
	u64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	u64 t3, t4, t5, t6;
	/* not part of user_regs_struct */
	u64 status;  /* sstatus */
	u64 badaddr; /* stval */
	u64 cause;   /* scause */
	u64 orig_a0; /* a0 at the system call, for restart */
};

STATIC_ASSERT(offsetof(struct trapframe, t6) == 31 * 8, "x31 is word 31");

/* d0-d31 and fcsr: Linux's __riscv_d_ext_state. */
struct fpstate {
	u64 f[32];
	u32 fcsr;
	u32 pad;
};

#endif /* ARCH_RISCV_TRAPFRAME_H */
