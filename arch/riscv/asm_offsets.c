/* SPDX-License-Identifier: MIT */
/* arch/riscv/asm_offsets.c - offsets for assembly, from the structs themselves. */
#include <kernel/hart.h>
#include <kernel/sched/thread.h>
#include <lib/types.h>

#define DEFINE(sym, val) \
	__asm__ volatile("\n.ascii \"->" #sym " %0\"" : : "i"(val))

void asm_offsets(void);
void asm_offsets(void)
{
	DEFINE(TF_PC, offsetof(struct trapframe, pc));
	DEFINE(TF_A0, offsetof(struct trapframe, a0));
	DEFINE(TF_STATUS, offsetof(struct trapframe, status));
	DEFINE(TF_BADADDR, offsetof(struct trapframe, badaddr));
	DEFINE(TF_CAUSE, offsetof(struct trapframe, cause));
	DEFINE(TF_SIZE, sizeof(struct trapframe));
	DEFINE(THREAD_TF, offsetof(struct thread, tf));
	DEFINE(THREAD_KSTACK_TOP, offsetof(struct thread, kstack_top));
	DEFINE(THREAD_WORK, offsetof(struct thread, work));
	DEFINE(WORK_RESCHED, WORK_RESCHED);
	DEFINE(THREAD_CO_SP, offsetof(struct thread, co_sp));
	DEFINE(HART_STACK_TOP, offsetof(struct hart, stack_top));
	DEFINE(HART_USER, offsetof(struct hart, user));
	DEFINE(HART_STATUS_SEEN, offsetof(struct hart, status_seen));
	DEFINE(HART_PMU_TRAP, offsetof(struct hart, pmu_trap));
	DEFINE(HART_PMU_ENTER, offsetof(struct hart, pmu_enter));
	DEFINE(HART_SCRATCH, offsetof(struct hart, scratch));
	DEFINE(HART_ESTACK_TOP, offsetof(struct hart, estack_top));
}
