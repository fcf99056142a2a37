/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trap.c - exceptions of user code that are not page faults become
 * signals.
 */
#include <kernel/task/trap.h>

#include <arch/riscv/csr.h>
#include <kernel/task/task.h>

/*
 * Misaligned accesses come here only when neither the hart nor the firmware
 * carries them out.
 */
void do_user_trap(struct thread *t)
{
	switch (t->tf.cause) {
	case CAUSE_ILLEGAL:
		signal_force(SIGILL, ILL_ILLOPC, t->tf.pc);
		break;
	case CAUSE_BREAKPOINT:
		signal_force(SIGTRAP, TRAP_BRKPT, t->tf.pc);
		break;
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		signal_force(SIGBUS, BUS_ADRALN, t->tf.badaddr);
		break;
	case CAUSE_FETCH_ACCESS:
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		signal_force(SIGSEGV, SEGV_ACCERR, t->tf.badaddr);
		break;
	default:
		signal_force(SIGILL, ILL_ILLTRP, t->tf.pc);
		break;
	}
}
