/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/vdso.h - the page of code that every program has: arch/riscv/vdso/.
 */
#ifndef KERNEL_TASK_VDSO_H
#define KERNEL_TASK_VDSO_H

#include <lib/types.h>

struct mm;

/* Map it at @at; 0 or -errno.  Context: coroutine. */
int vdso_map(struct mm *mm, u64 at);
/* The offset of the instructions that end a signal handler. */
extern const u64 vdso_sigreturn;

/* riscv_hwprobe(2): the value of @key; false: unknown. */
bool hwprobe_value(s64 key, u64 *value);

#endif /* KERNEL_TASK_VDSO_H */
