/* SPDX-License-Identifier: MIT */
/* syscall/sched.h - what sched.c, sched_policy.c and priority.c share. */
#ifndef SYSCALL_SCHED_H
#define SYSCALL_SCHED_H

#include <syscall/syscall.h>

/* Thread @tid, 0: current; NULL: no such thread.  task_lock held. */
struct thread *sched_find_locked(int tid);
/* Has current a right to change @t's parameters?  task_lock held. */
bool may_schedule(const struct thread *t);
/* May @t have @nice, as far as RLIMIT_NICE goes?  task_lock held. */
bool may_nice(const struct thread *t, s32 nice);
/* sched_yield(2) of a SCHED_DEADLINE thread: sleeps till its next period. */
void sched_yield_deadline(void);

#endif /* SYSCALL_SCHED_H */
