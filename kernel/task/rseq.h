/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/rseq.h - restartable sequences (rseq(2)).
 *
 * A thread that registered has the number of its hart in its own memory, and is
 * sent to the abort address of a critical section when it may have lost the hart in
 * there: it was preempted, moved, interrupted or given a signal.  The relay says so
 * with thread_lost_hart() and thread_moved(), which read and write user memory
 * without faulting; what they cannot do they leave as WORK_RSEQ to the coroutine.
 * A thread that blocked in a call of its own was in no critical section, so the
 * short way of a call has nothing to do with any of this.
 */
#ifndef KERNEL_TASK_RSEQ_H
#define KERNEL_TASK_RSEQ_H

#include <kernel/sched/thread.h>

#define RSEQ_FEATURE_SIZE 28u /* up to mm_cid */
#define RSEQ_ALIGN	  32u

/* rseq(2): 0 or -errno. */
int rseq_register(uaddr_t area, u32 len, u32 sig);
int rseq_unregister(uaddr_t area, u32 len, u32 sig);

/* Current goes back to user mode after something other than a call, or after a call
 * with WORK_RSEQ; or to a handler.  May raise SIGSEGV.  Coroutine context. */
void rseq_resume(struct thread *t);

/* The relay's loop, owner of @t: */
void rseq_lost_hart(struct thread *t); /* another thread runs on its hart */
void rseq_moved(struct thread *t);     /* t->home is another hart */

static inline void thread_lost_hart(struct thread *t)
{
	if (t->rseq)
		rseq_lost_hart(t);
}
static inline void thread_moved(struct thread *t)
{
	if (t->rseq)
		rseq_moved(t);
}

/* Other threads of the process that are in a critical section now, on @cpu or (-1)
 * anywhere, leave it by its abort handler; returns when they have.  Coroutine. */
void rseq_restart_others(int cpu);

#endif /* KERNEL_TASK_RSEQ_H */
