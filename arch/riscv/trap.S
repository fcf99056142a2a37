/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/trap.S - into the kernel and out of it; changing stacks.
 *
 * sscratch always holds the struct hart, and so does tp in the kernel; while
 * user code runs, h->user is the thread whose registers the hart holds.  The kernel runs with interrupts off, so a trap that
 * comes from it is an exception: a bug, or a stale TLB entry for a new kernel
 * mapping.
 *
 * A CSR access costs more than ten other instructions on the machines we know, so
 * a system call makes five: two of sscratch, scause, sepc, and sepc again on the
 * way out.  sstatus is looked at only for a thread that uses floating point.
 *
 * The hart's loop keeps nothing on its stack (kernel/relay/loop.c).  So who goes
 * from there to a coroutine saves nothing, and who comes back finds the stack
 * empty: co_start() and co_resume() do not return, and what ends or suspends a
 * coroutine is a jump to co_ended().
 */
#include <arch/riscv/csr.h>
#include <asm_offsets.h>

	.section .text.entry, "ax"

/* All but x4 (tp) and x5 (t0): word n of the frame is xn. */
.macro SAVE_GPRS base, off=0
	sd	x1, 1*8+\off(\base)
	sd	x2, 2*8+\off(\base)
	sd	x3, 3*8+\off(\base)
	sd	x6, 6*8+\off(\base)
	sd	x7, 7*8+\off(\base)
	sd	x8, 8*8+\off(\base)
	sd	x9, 9*8+\off(\base)
	sd	x10, 10*8+\off(\base)
	sd	x11, 11*8+\off(\base)
	sd	x12, 12*8+\off(\base)
	sd	x13, 13*8+\off(\base)
	sd	x14, 14*8+\off(\base)
	sd	x15, 15*8+\off(\base)
	sd	x16, 16*8+\off(\base)
	sd	x17, 17*8+\off(\base)
	sd	x18, 18*8+\off(\base)
	sd	x19, 19*8+\off(\base)
	sd	x20, 20*8+\off(\base)
	sd	x21, 21*8+\off(\base)
	sd	x22, 22*8+\off(\base)
	sd	x23, 23*8+\off(\base)
	sd	x24, 24*8+\off(\base)
	sd	x25, 25*8+\off(\base)
	sd	x26, 26*8+\off(\base)
	sd	x27, 27*8+\off(\base)
	sd	x28, 28*8+\off(\base)
	sd	x29, 29*8+\off(\base)
	sd	x30, 30*8+\off(\base)
	sd	x31, 31*8+\off(\base)
.endm

.macro LOAD_GPRS_BUT_BASE base, off=0
	ld	x1, 1*8+\off(\base)
	ld	x2, 2*8+\off(\base)
	ld	x3, 3*8+\off(\base)
	ld	x4, 4*8+\off(\base)
	ld	x5, 5*8+\off(\base)
	ld	x6, 6*8+\off(\base)
	ld	x7, 7*8+\off(\base)
	ld	x8, 8*8+\off(\base)
	ld	x9, 9*8+\off(\base)
	ld	x11, 11*8+\off(\base)
	ld	x12, 12*8+\off(\base)
	ld	x13, 13*8+\off(\base)
	ld	x14, 14*8+\off(\base)
	ld	x15, 15*8+\off(\base)
	ld	x16, 16*8+\off(\base)
	ld	x17, 17*8+\off(\base)
	ld	x18, 18*8+\off(\base)
	ld	x19, 19*8+\off(\base)
	ld	x20, 20*8+\off(\base)
	ld	x21, 21*8+\off(\base)
	ld	x22, 22*8+\off(\base)
	ld	x23, 23*8+\off(\base)
	ld	x24, 24*8+\off(\base)
	ld	x25, 25*8+\off(\base)
	ld	x26, 26*8+\off(\base)
	ld	x27, 27*8+\off(\base)
	ld	x28, 28*8+\off(\base)
	ld	x29, 29*8+\off(\base)
	ld	x30, 30*8+\off(\base)
	ld	x31, 31*8+\off(\base)
.endm

.macro LOAD_GP
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
.endm

/*
 * stvec.  In: any register state; interrupts off (hardware).
 * From user: calls user_ecall(thread a0) or user_trap(thread a0, cause a1) on the
 * hart's loop stack, which never return.
 */
	.globl trap_entry
	.balign	64
trap_entry:
	csrrw	tp, sscratch, tp
	sd	t0, HART_SCRATCH(tp)
trap_scause:
	csrr	t0, scause
	addi	t0, t0, -CAUSE_ECALL_U
	bnez	t0, trap_other
	/* Nobody but user mode can cause this one. */
	ld	t0, HART_USER(tp)
	SAVE_GPRS t0, THREAD_TF
	ld	t1, HART_SCRATCH(tp)
	sd	t1, 5*8+THREAD_TF(t0)
	csrrw	t2, sscratch, tp
	sd	t2, 4*8+THREAD_TF(t0)
	csrr	t1, sepc
	ld	t2, THREAD_TF+TF_STATUS(t0)
	addi	t1, t1, 4
	sd	t1, THREAD_TF+TF_PC(t0)
	srli	t2, t2, 13		/* FS */
	andi	t2, t2, 3
	mv	a0, t0
	ld	sp, HART_STACK_TOP(tp)
	LOAD_GP
	li	fp, 0
	li	ra, 0
	beqz	t2, user_ecall
	csrr	t2, sstatus
	sd	t2, THREAD_TF+TF_STATUS(a0)
	sd	t2, HART_STATUS_SEEN(tp)
	j	user_ecall

trap_other:
	sd	t1, HART_SCRATCH+8(tp)
	sd	t0, HART_SCRATCH+16(tp)		/* scause - CAUSE_ECALL_U */
	csrr	t1, sstatus
	andi	t0, t1, SSTATUS_SPP
	bnez	t0, 9f
	ld	t0, HART_USER(tp)
	sd	t1, THREAD_TF+TF_STATUS(t0)
	sd	t1, HART_STATUS_SEEN(tp)
	ld	t1, HART_SCRATCH+8(tp)
	SAVE_GPRS t0, THREAD_TF
	ld	t1, HART_SCRATCH(tp)
	sd	t1, 5*8+THREAD_TF(t0)
	csrrw	t2, sscratch, tp
	sd	t2, 4*8+THREAD_TF(t0)
	csrr	t1, sepc
	sd	t1, THREAD_TF+TF_PC(t0)
	ld	a1, HART_SCRATCH+16(tp)
	mv	a0, t0
	addi	a1, a1, CAUSE_ECALL_U
	ld	sp, HART_STACK_TOP(tp)
	LOAD_GP
	li	fp, 0
	li	ra, 0
	j	user_trap
9:	tail	trap_from_kernel /* too far for a jump; t1 is free */

/*
 * void user_return(struct thread *t, bool set_status) noreturn: load everything, go.
 * t is h->user.  A trap from user mode leaves in sstatus what sret wants (SPP = U,
 * SPIE = 1), so it is written only when the caller says that the thread's differs.
 */
	.globl user_return
	.balign	16
user_return:
	ld	t1, THREAD_TF+TF_PC(a0)
	beqz	a1, 1f
	ld	t0, THREAD_TF+TF_STATUS(a0)
	sd	t0, HART_STATUS_SEEN(tp)
	csrw	sstatus, t0
1:	csrw	sepc, t1
	LOAD_GPRS_BUT_BASE a0, THREAD_TF
	ld	x10, 10*8+THREAD_TF(a0)
	sret

/*
 * The two below stand for trap_entry and user_return while something is counted
 * (kernel/pmu/): they read instret at a fixed distance from the change of mode,
 * PMU_TRAP_INSNS and PMU_ENTER_INSNS of arch/riscv/upcalls.h.
 */
	.globl trap_entry_counted
	.balign	64
trap_entry_counted:
	csrrw	tp, sscratch, tp
	sd	t0, HART_SCRATCH(tp)
	csrr	t0, instret
	sd	t0, HART_PMU_TRAP(tp)
	j	trap_scause

/* void user_return_counted(struct thread *t, bool set_status) noreturn */
	.globl user_return_counted
	.balign	16
user_return_counted:
	ld	t1, THREAD_TF+TF_PC(a0)
	beqz	a1, 1f
	ld	t0, THREAD_TF+TF_STATUS(a0)
	sd	t0, HART_STATUS_SEEN(tp)
	csrw	sstatus, t0
1:	csrw	sepc, t1
	csrr	t0, instret
	sd	t0, HART_PMU_ENTER(tp)
	LOAD_GPRS_BUT_BASE a0, THREAD_TF
	ld	x10, 10*8+THREAD_TF(a0)
	sret

/*
 * void co_start(struct thread *t, void (*fn)(struct thread *)) noreturn
 * Run fn(t) on t's kernel stack; when it returns, co_ended(t, 0).
 */
	.globl co_start
	.balign	16
co_start:
	ld	sp, THREAD_KSTACK_TOP(a0)
	li	fp, 0
	mv	s1, a0
	jalr	a1
	mv	a0, s1
	li	a1, 0
	ld	sp, HART_STACK_TOP(tp)
	li	fp, 0
	li	ra, 0
	j	co_ended

/*
 * void co_call(struct thread *t, s64 (*fn)(const u64 *args), struct call_row *c)
 * noreturn.  The coroutine of a system call: the handler with the saved a0-a5, its
 * result to a0, what the thread has to do before it goes back; then
 * call_ended(t, c).
 */
	.globl co_call
	.balign	16
co_call:
	ld	sp, THREAD_KSTACK_TOP(a0)
	mv	s1, a0
	mv	s2, a2
	li	fp, 0
	addi	a0, a0, THREAD_TF+TF_A0
	jalr	a1
	sd	a0, THREAD_TF+TF_A0(s1)
	ld	t0, THREAD_WORK(s1)
	andi	t0, t0, ~WORK_RESCHED
	bnez	t0, 2f
1:	mv	a0, s1
	mv	a1, s2
	ld	sp, HART_STACK_TOP(tp)
	li	fp, 0
	li	ra, 0
	j	call_ended
2:	mv	a0, s1
	call	task_request_end
	j	1b

/* What a coroutine keeps on its stack while it is away. */
#define CO_FRAME (14 * 8)

/* void co_resume(struct thread *t) noreturn: go on after its co_leave(). */
	.globl co_resume
	.balign	16
co_resume:
	ld	sp, THREAD_CO_SP(a0)
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
	addi	sp, sp, CO_FRAME
	ret

/*
 * void co_leave(struct thread *t, int why): suspend; co_ended(t, why) on the
 * hart's stack.  Returns when resumed.
 */
	.globl co_leave
	.balign	16
co_leave:
	addi	sp, sp, -CO_FRAME
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
	sd	sp, THREAD_CO_SP(a0)
	ld	sp, HART_STACK_TOP(tp)
	li	fp, 0
	li	ra, 0
	j	co_ended

	/* From here on: not on the way of a call. */
	.section .text.trap_cold, "ax"

/*
 * An exception in the kernel.  The stack may be what is broken, so the frame
 * goes to the hart's exception stack: kernel_trap(frame a0) returns if the
 * instruction can be tried again.
 */
	.balign	4
trap_from_kernel:
	ld	t0, HART_ESTACK_TOP(tp)
	addi	t0, t0, -TF_SIZE
	ld	t1, HART_SCRATCH+8(tp)
	SAVE_GPRS t0
	mv	a0, t0
	ld	t1, HART_SCRATCH(tp)
	sd	t1, 5*8(a0)
	csrrw	t1, sscratch, tp	/* what tp was: the hart, or the bug */
	sd	t1, 4*8(a0)
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
	LOAD_GP
	call	kernel_trap
	mv	a0, s1
	ld	t1, TF_PC(a0)
	csrw	sepc, t1
	ld	t1, TF_STATUS(a0)
	csrw	sstatus, t1
	LOAD_GPRS_BUT_BASE a0
	ld	x10, 10*8(a0)
	sret

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
