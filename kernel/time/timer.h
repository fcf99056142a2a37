/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/timer.h - one-shot timers, without a tick.
 *
 * A timer sits on the queue of the hart that armed it; that hart programs its
 * one comparator for the earliest deadline and nothing when its queue is empty.
 * Callbacks run in that hart's loop context: they may wake threads, arm and
 * cancel timers, take locks above RANK_TIMER's outer neighbours (none is held),
 * and must not sleep.
 *
 * ktimer_cancel() from another hart waits for a running callback to end; from
 * the callback itself it is allowed and does not.
 *
 * Context: any hart; locks of rank below RANK_TIMER may be held for arm; cancel
 * must not hold a lock that the callback takes.
 */
#ifndef KERNEL_TIME_TIMER_H
#define KERNEL_TIME_TIMER_H

#include <lib/rbtree.h>
#include <lib/types.h>

struct hart;

struct ktimer {
	struct rb_node node;	      /* [hart's timer lock] */
	u64 deadline_ns;	      /* [hart's timer lock] CLOCK_MONOTONIC */
	void (*fn)(struct ktimer *t); /* [I] */
	void *arg;		      /* [I] caller's */
	struct hart *hart;	      /* [a] on whose queue; NULL: idle */
};

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *), void *arg);
/* (Re-)arm on this hart.  A deadline in the past fires at the next loop. */
void ktimer_arm(struct ktimer *t, u64 deadline_ns);
/* True when it was armed and will not fire. */
bool ktimer_cancel(struct ktimer *t);
/* As ktimer_cancel(), but does not wait for a callback that runs: so a lock that
 * the callback takes may be held. */
bool ktimer_try_cancel(struct ktimer *t);
static inline bool ktimer_armed(const struct ktimer *t)
{
	return t->hart != NULL;
}

/* For the hart's loop. */
void timer_run_expired(void);
void timer_hart_init(struct hart *h);
/* The hart is about to sleep: program exactly the next deadline, or none. */
void timer_prepare_sleep(struct hart *h);

/* For an interrupt in the middle of anything (kernel/pmu/sample.c): the comparator is
 * set to @ns whatever the queue holds; timer_reprogram(), outside of it, mends that. */
void timer_steal(struct hart *h, u64 ns);
void timer_reprogram(struct hart *h);

/* Filled by sbi/ (set_timer) or arch (Sstc). */
struct timer_ops {
	const char *name;
	void (*set)(u64 tick); /* absolute time-CSR value, ~0: never */
};
void timer_ops_set(const struct timer_ops *ops);

#endif /* KERNEL_TIME_TIMER_H */
