/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/vdso/sigreturn.S - where a signal handler returns to.  Debuggers know the
 * two instructions, and the frame by them.
 */
	.section .sigreturn, "ax", @progbits
	.globl	__vdso_rt_sigreturn
	.type	__vdso_rt_sigreturn, @function
	.option push
	.option norvc
__vdso_rt_sigreturn:
	li	a7, 139
	ecall
	.size	__vdso_rt_sigreturn, . - __vdso_rt_sigreturn
	.option pop
