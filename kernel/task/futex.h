/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex.h - what exit and exec ask of futexes.
 */
#ifndef KERNEL_TASK_FUTEX_H
#define KERNEL_TASK_FUTEX_H

#include <lib/types.h>

struct thread;

/* Mark the robust futexes that current @t held as ownerless; wakes waiters. */
void futex_exit_robust(struct thread *t);
/* Wake up to @nr waiters of the word at @a in current's address space: count. */
int futex_wake_uaddr(uaddr_t a, int nr);

#endif /* KERNEL_TASK_FUTEX_H */
