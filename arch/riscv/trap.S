/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/trap.S - into the kernel and out of it; switching stacks.
 *
 * sscratch holds the running struct thread while user code runs (its trapframe
 * is at offset 0) and 0 in the kernel.  tp holds struct hart in the kernel.
 * The kernel runs with interrupts off, so a trap that comes from it is an
 * exception: a bug, or a stale TLB entry for a new kernel mapping.
 */
#include <arch/riscv/csr.h>
#include <asm_offsets.h>

	.section .text.entry, "ax"

/* Registers x1-x31 but sp-relative base, tp: word n of the frame is xn. */
.macro SAVE_GPRS base
	sd	x1, 1*8(\base)
	sd	x2, 2*8(\base)
	sd	x3, 3*8(\base)
	sd	x5, 5*8(\base)
	sd	x6, 6*8(\base)
	sd	x7, 7*8(\base)
	sd	x8, 8*8(\base)
	sd	x9, 9*8(\base)
	sd	x10, 10*8(\base)
	sd	x11, 11*8(\base)
	sd	x12, 12*8(\base)
	sd	x13, 13*8(\base)
	sd	x14, 14*8(\base)
	sd	x15, 15*8(\base)
	sd	x16, 16*8(\base)
	sd	x17, 17*8(\base)
	sd	x18, 18*8(\base)
	sd	x19, 19*8(\base)
	sd	x20, 20*8(\base)
	sd	x21, 21*8(\base)
	sd	x22, 22*8(\base)
	sd	x23, 23*8(\base)
	sd	x24, 24*8(\base)
	sd	x25, 25*8(\base)
	sd	x26, 26*8(\base)
	sd	x27, 27*8(\base)
	sd	x28, 28*8(\base)
	sd	x29, 29*8(\base)
	sd	x30, 30*8(\base)
	sd	x31, 31*8(\base)
.endm

.macro LOAD_GPRS_BUT_BASE base
	ld	x1, 1*8(\base)
	ld	x2, 2*8(\base)
	ld	x3, 3*8(\base)
	ld	x4, 4*8(\base)
	ld	x5, 5*8(\base)
	ld	x6, 6*8(\base)
	ld	x7, 7*8(\base)
	ld	x8, 8*8(\base)
	ld	x9, 9*8(\base)
	ld	x11, 11*8(\base)
	ld	x12, 12*8(\base)
	ld	x13, 13*8(\base)
	ld	x14, 14*8(\base)
	ld	x15, 15*8(\base)
	ld	x16, 16*8(\base)
	ld	x17, 17*8(\base)
	ld	x18, 18*8(\base)
	ld	x19, 19*8(\base)
	ld	x20, 20*8(\base)
	ld	x21, 21*8(\base)
	ld	x22, 22*8(\base)
	ld	x23, 23*8(\base)
	ld	x24, 24*8(\base)
	ld	x25, 25*8(\base)
	ld	x26, 26*8(\base)
	ld	x27, 27*8(\base)
	ld	x28, 28*8(\base)
	ld	x29, 29*8(\base)
	ld	x30, 30*8(\base)
	ld	x31, 31*8(\base)
.endm

/*
 * stvec.  In: any register state; interrupts off (hardware).
 * From user: calls user_trap(thread a0, cause a1) on the hart's loop stack,
 * which never returns.
 */
	.globl trap_entry
	.balign	64
trap_entry:
	csrrw	tp, sscratch, tp
	beqz	tp, trap_from_kernel
	SAVE_GPRS tp
	csrrw	t0, sscratch, zero
	sd	t0, 4*8(tp)
	csrr	t1, sepc
	csrr	t2, sstatus
	csrr	a1, scause
	sd	t1, TF_PC(tp)
	sd	t2, TF_STATUS(tp)
	mv	a0, tp
	ld	tp, THREAD_HART(a0)
	ld	sp, HART_STACK_TOP(tp)
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
	li	fp, 0
	li	ra, 0
	tail	user_trap

/*
 * An exception in the kernel.  The stack may be what is broken, so the frame
 * goes to the hart's exception stack: kernel_trap(frame a0) returns if the
 * instruction can be tried again.
 */
	.balign	4
trap_from_kernel:
	csrrw	tp, sscratch, tp	/* tp back, sscratch 0 */
	sd	t0, HART_SCRATCH(tp)
	ld	t0, HART_ESTACK_TOP(tp)
	addi	t0, t0, -TF_SIZE
	SAVE_GPRS t0
	sd	x4, 4*8(t0)
	mv	a0, t0
	ld	t1, HART_SCRATCH(tp)
	sd	t1, 5*8(a0)
	csrr	t1, sepc
	sd	t1, TF_PC(a0)
	csrr	t1, sstatus
	sd	t1, TF_STATUS(a0)
	csrr	t1, stval
	sd	t1, TF_BADADDR(a0)
	csrr	t1, scause
	sd	t1, TF_CAUSE(a0)
	mv	s1, a0
	mv	sp, a0
	call	kernel_trap
	mv	a0, s1
	ld	t1, TF_PC(a0)
	csrw	sepc, t1
	ld	t1, TF_STATUS(a0)
	csrw	sstatus, t1
	LOAD_GPRS_BUT_BASE a0
	ld	x10, 10*8(a0)
	sret

/*
 * void user_return(struct thread *t, bool set_status) noreturn: load everything, go.
 * A trap from user mode leaves in sstatus what sret wants (SPP = U, SPIE = 1), so it
 * is written only when the caller says that the thread's differs.
 */
	.globl user_return
	.balign	64
user_return:
	csrw	sscratch, a0
	ld	t1, TF_PC(a0)
	beqz	a1, 1f
	ld	t0, TF_STATUS(a0)
	csrw	sstatus, t0
1:	csrw	sepc, t1
	LOAD_GPRS_BUT_BASE a0
	ld	x10, 10*8(a0)
	sret

.macro PUSH_CALLEE
	addi	sp, sp, -14*8
	sd	ra, 0*8(sp)
	sd	s0, 1*8(sp)
	sd	s1, 2*8(sp)
	sd	s2, 3*8(sp)
	sd	s3, 4*8(sp)
	sd	s4, 5*8(sp)
	sd	s5, 6*8(sp)
	sd	s6, 7*8(sp)
	sd	s7, 8*8(sp)
	sd	s8, 9*8(sp)
	sd	s9, 10*8(sp)
	sd	s10, 11*8(sp)
	sd	s11, 12*8(sp)
.endm
.macro POP_CALLEE
	ld	ra, 0*8(sp)
	ld	s0, 1*8(sp)
	ld	s1, 2*8(sp)
	ld	s2, 3*8(sp)
	ld	s3, 4*8(sp)
	ld	s4, 5*8(sp)
	ld	s5, 6*8(sp)
	ld	s6, 7*8(sp)
	ld	s7, 8*8(sp)
	ld	s8, 9*8(sp)
	ld	s9, 10*8(sp)
	ld	s10, 11*8(sp)
	ld	s11, 12*8(sp)
	addi	sp, sp, 14*8
.endm

/*
 * int co_start(struct thread *t, void (*fn)(struct thread *))
 * Run fn(t) on t's kernel stack.  Returns 0 when fn returned, or what
 * co_leave() was given when the coroutine left the stack.
 */
	.globl co_start
	.balign	16
co_start:
	PUSH_CALLEE
	sd	sp, HART_LOOP_SP(tp)
	ld	sp, THREAD_KSTACK_TOP(a0)
	li	fp, 0
	jalr	a1
	ld	sp, HART_LOOP_SP(tp)
	li	a0, 0
	POP_CALLEE
	ret

/* int co_resume(struct thread *t): as co_start(), for a suspended coroutine. */
	.globl co_resume
	.balign	16
co_resume:
	PUSH_CALLEE
	sd	sp, HART_LOOP_SP(tp)
	ld	sp, THREAD_CO_SP(a0)
	POP_CALLEE
	ret

/*
 * void co_leave(struct thread *t, int why): suspend; the loop's co_start() or
 * co_resume() returns why (non-zero).  Returns when resumed.
 */
	.globl co_leave
	.balign	16
co_leave:
	PUSH_CALLEE
	sd	sp, THREAD_CO_SP(a0)
	ld	sp, HART_LOOP_SP(tp)
	mv	a0, a1
	POP_CALLEE
	ret

/* void fp_save(struct fpstate *), fp_load(const struct fpstate *): FS is on. */
	.option push
	.option arch, +d
	.globl fp_save
fp_save:
	.irp	n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fsd	f\n, \n*8(a0)
	.endr
	frcsr	t0
	sw	t0, 32*8(a0)
	ret
	.globl fp_load
fp_load:
	.irp	n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fld	f\n, \n*8(a0)
	.endr
	lw	t0, 32*8(a0)
	fscsr	t0
	ret
	.option pop
