/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/upcalls.h - what arch/ calls and the layer above defines.
 */
#ifndef ARCH_RISCV_UPCALLS_H
#define ARCH_RISCV_UPCALLS_H

#include <arch/riscv/trapframe.h>
#include <lib/types.h>

struct thread;

/* kernel/main.c: first C code on the boot hart; paging on, early table. */
void kernel_main(u64 hartid, paddr_t fdt) __noreturn;
/* kernel/smp.c: first C code on any other hart; tp set. */
void kernel_secondary_main(void) __noreturn;
/* kernel/relay/: user code made a system call (pc is behind it) or trapped
 * otherwise; the registers are in the thread, but sstatus only if it uses FP. */
void user_ecall(struct thread *t) __noreturn;
void user_trap(struct thread *t, u64 cause) __noreturn;
/* kernel/relay/: t's coroutine left its stack; why: enum co_result. */
void co_ended(struct thread *t, int why) __noreturn;
/* kernel/relay/: the handler that co_call() was given has returned. */
struct call_row;
void call_ended(struct thread *t, struct call_row *c) __noreturn;
/* kernel/task/ has task_request_end(t): t->work is not empty and its request ends. */
/* kernel/panic.c: an exception in the kernel; returns to retry. */
void kernel_trap(struct trapframe *tf);
/* Zeroed page for a table (GFP-less), or NULL; and back. */
void *arch_table_alloc(void);
void arch_table_free(void *table);
/* Boot: the same before the allocator is open. */
void *arch_boot_alloc(size_t bytes, size_t align);
void arch_panic(const char *msg) __noreturn;

/* Implemented in trap.S. */
void user_return(struct thread *t, bool set_status) __noreturn;
void co_start(struct thread *t, void (*fn)(struct thread *t)) __noreturn;
void co_call(struct thread *t, s64 (*fn)(const u64 *args),
	     struct call_row *c) __noreturn;
void co_resume(struct thread *t) __noreturn;
void co_leave(struct thread *t, int why);
struct fpstate;
void fp_save(struct fpstate *fp);
void fp_load(const struct fpstate *fp);
void trap_entry(void);
/* The same while something is counted, and instructions between their reading of
 * instret and user mode: before and behind it. */
void trap_entry_counted(void);
void user_return_counted(struct thread *t, bool set_status) __noreturn;
#define PMU_TRAP_INSNS	2  /* csrrw, sd */
#define PMU_ENTER_INSNS 34 /* csrr, sd, 31 loads, sret */
void secondary_start(void);
extern u64 boot_starting_args; /* head.S: late_start */

#endif /* ARCH_RISCV_UPCALLS_H */
