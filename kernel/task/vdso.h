/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/vdso.h - the page of code that every program has: arch/riscv/vdso/.
 */
#ifndef KERNEL_TASK_VDSO_H
#define KERNEL_TASK_VDSO_H

#include <lib/types.h>

struct mm;

struct page;

/* Map it at @at, as the time namespace of current's children has it; 0 or -errno.
 * Context: coroutine, like all here. */
int vdso_map(struct mm *mm, u64 at);

/* Of a time namespace: a page of its own, referenced, or NULL; the offsets of its
 * clocks (ns), once and before anybody maps it; and @mm has it from now on (NULL:
 * everybody's). */
struct page *vdso_page_new(void);
void vdso_page_shift(struct page *pg, s64 mono, s64 boot);
void vdso_change(struct mm *mm, struct page *pg);
/* The offset of the instructions that end a signal handler. */
extern const u64 vdso_sigreturn;

/* riscv_hwprobe(2): the value of @key; false: unknown. */
bool hwprobe_value(s64 key, u64 *value);

#endif /* KERNEL_TASK_VDSO_H */
