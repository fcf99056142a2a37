/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pi.h - priority inheritance: who waits for a PI futex lends its owner its
 * real-time priority, and so does whoever waits for a futex that the waiter owns.
 *
 *	waiter --q->owner--> owner --owner->pi_on--> q' --q'->owner--> its owner ...
 *
 * t->own_prio is what the thread's policy says, t->rt_prio what counts: the highest of
 * that and of its waiters' rt_prio.  Whenever one changes the change goes along the chain,
 * in which no thread comes twice (pi_wait() refuses that).
 *
 * Ownership.  A waiter's q is on its stack and leaves the graph (pi_done()) before the
 * stack is left.  A thread leaves it as an owner (pi_owner_gone()) before it is dead; so no
 * pointer of the graph outlives what it points to.
 *
 * Context: any, interrupts as everywhere in the kernel.  Locking: pi_lock (RANK_PI) inside;
 * under it only what hart_ipi() needs.  The callers' locks are said below.
 */
#ifndef KERNEL_TASK_PI_H
#define KERNEL_TASK_PI_H

#include <lib/types.h>

struct futex_bucket;
struct futex_key;
struct futex_q;
struct thread;

/* @q of current waits for @owner (alive: task_lock is held).  0; -EDEADLK: it waits for
 * current, perhaps through others; -ESRCH: it has let all go, as it ends. */
int pi_wait(struct futex_q *q, struct thread *owner);
/* Would @t, if it waited for @owner, wait for itself? */
bool pi_is_circle(const struct thread *t, const struct thread *owner);
/* @q waits for nobody any more. */
void pi_done(struct futex_q *q);
/* From now on all who wait in @b for @key wait for @owner, which does not any more.  @b is
 * locked, and @owner is current or waits in @b. */
void pi_hand_over(struct futex_bucket *b, const struct futex_key *key,
		  struct thread *owner);
/* Nobody waits for current any more; @dead: nor will. */
void pi_owner_gone(bool dead);
/* The policy of @t says so.  task_lock is held. */
void pi_set_own(struct thread *t, u8 prio);

#endif /* KERNEL_TASK_PI_H */
