/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/cpuclock.h - clocks that show CPU time, and waiting for them.
 *
 * CPU time of a thread that runs user code is known as of its last request (and a
 * little later than that: relay_thread_times()).  Who waits for a clock looks when it
 * can have got there at the earliest, asks the threads that run to come in, and looks
 * again.  So it is late by some milliseconds, and never early.
 *
 * Times are nanoseconds.  Locking: task_lock is taken.
 */
#ifndef KERNEL_TIME_CPUCLOCK_H
#define KERNEL_TIME_CPUCLOCK_H

#include <lib/types.h>

struct process;

struct cpuclock {
	struct process *proc; /* owned */
	int tid;	      /* 0: all of its threads */
	u32 kind;
	bool kicked; /* the threads were asked to come in */
};

/* Is @id a clock of CPU time?  (Whose, is another question.) */
bool cpuclock_is(int id);
/* 0, or -EINVAL: nobody's, or another process's thread's.  Context: coroutine. */
int cpuclock_get(int id, struct cpuclock *c);
void cpuclock_put(struct cpuclock *c);
/* 0, or -EINVAL: the thread has ended.  Any context without locks. */
int cpuclock_read(const struct cpuclock *c, u64 *ns);
/* It shows @used, and not yet @target: CLOCK_MONOTONIC time of the next look. */
u64 cpuclock_next_look(struct cpuclock *c, u64 used, u64 target);
/* Until it shows @target: 0 or -ERESTARTSYS.  Context: coroutine. */
int cpuclock_sleep(struct cpuclock *c, u64 target);

#endif /* KERNEL_TIME_CPUCLOCK_H */
