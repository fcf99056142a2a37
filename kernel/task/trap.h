/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trap.h - what the relay asks of kernel/task/.
 */
#ifndef KERNEL_TASK_TRAP_H
#define KERNEL_TASK_TRAP_H

struct thread;

/* REQ_TRAP: the exception in tf.cause, tf.badaddr becomes a signal. */
void do_user_trap(struct thread *t);
/* Loop context: the coroutine has left for good; drop the last reference.  Must
 * not sleep. */
void task_reap(struct thread *t);

#endif /* KERNEL_TASK_TRAP_H */
