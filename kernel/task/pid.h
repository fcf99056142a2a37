/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pid.h - numbers of threads, processes, groups and sessions.
 *
 * One number space with one slot per number.  A number is in use while its slot
 * names a thread, a process, members of a group or members of a session, so a
 * group outlives its leader without its number being given away.
 *
 * Locking: all of it under the caller's lock (task_lock).
 * Not here: what the numbers mean (kernel/task/process.c, pgrp.c).
 */
#ifndef KERNEL_TASK_PID_H
#define KERNEL_TASK_PID_H

#include <lib/atomic.h>
#include <lib/list.h>
#include <lib/types.h>

#define PID_MAX	     32768     /* numbers are below it, whatever is set */
#define PID_MAX_SET  4194304ul /* what may be */
#define PID_RESERVED 300       /* not given again after the first round */

extern u64 threads_max; /* [a] so many threads there may be at once */
extern u64 pid_max;	/* [a] what is set: pid_limit() */

struct thread;
struct process;
struct pid_nums;

struct pid_slot {
	struct thread *thread; /* who has it as tid */
	struct process *proc;  /* who has it as pid, until reaped */
	struct list_head pgrp; /* members: process.pgrp_node */
	u32 nr_session;	       /* processes with this sid */
	struct pid_nums *nums; /* [nums_lock] in namespaces below:
				* kernel/ns/pid.h */
};

/* Numbers that are given are below it. */
static inline u64 pid_limit(void)
{
	u64 set = load_once(&pid_max);

	return set < PID_MAX ? set : PID_MAX;
}

/* A free number, or -EAGAIN (none left), -ENOMEM.  The caller fills its slot. */
int pid_alloc(void);

/* @pid if it is free, or -EEXIST, -ENOMEM.  The caller fills its slot. */
int pid_take(int pid);

/* The last number that was given; the next one is behind @pid, which is not negative. */
int pid_cursor(void);
void pid_set_cursor(int pid);

bool pid_slot_free(const struct pid_slot *s);

/* The slot of @pid, or NULL when the number was never used or is out of range. */
struct pid_slot *pid_slot(int pid);

/* The lowest number >= @pid that names a process, or -1. */
int pid_next_process(int pid);

#endif /* KERNEL_TASK_PID_H */
