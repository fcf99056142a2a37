/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/observe.h - watching the relay at work.
 *
 * Three things want to know what happens: traces (trace.c), the legs of calls and
 * the time of harts (legs.c, account.c), and tests with random delays.  While
 * nobody does, relay_watched is 0 and calls take the short way (plain.h), which
 * has none of this.  While somebody does, requests take the general way, and that
 * tells relay_observe() of each step: one look at the clock for all.  A trace, and
 * counters, are also served by a short way of their own (watched.c).
 *
 * Time stamps are cycles of the boot hart: each hart adds how far it is behind
 * (relay_hart.skew, measured when observation begins; 0 when the counters agree
 * as far as a measurement can tell).
 *
 * Context: the hart that the event is about, kernel mode.
 */
#ifndef KERNEL_RELAY_OBSERVE_H
#define KERNEL_RELAY_OBSERVE_H

#include <kernel/hart.h>
#include <lib/types.h>

/* Part of the format of /proc/relay/trace_raw: only add, before NR_RELAY_EV. */
enum relay_event {
	EV_POSTED,   /* t trapped and wants its coroutine; arg: request kind */
	EV_SEEN,     /* its coroutine starts here */
	EV_SUSPEND,  /* ... waits */
	EV_RESUME,   /* ... goes on */
	EV_DONE,     /* ... has ended; back to user mode */
	EV_RESUMED,  /* t is back; arg 1: it gets the hart at once */
	EV_SLEEP,    /* wfi */
	EV_WOKEN,    /* after it */
	EV_USER,     /* t enters user mode, and was not just EV_RESUMED */
	EV_TRAP,     /* user code was interrupted */
	EV_POLL,     /* nothing to do: looks at the rings */
	EV_YIELD,    /* t's coroutine gives way */
	EV_EXIT,     /* t's coroutine has ended for good */
	EV_WAKE,     /* this hart made t's coroutine ready */
	EV_IPI_SENT, /* arg: to that hart */
	EV_IPI,	     /* taken */
	EV_TIMER,
	EV_EXTERNAL,
	EV_SENT, /* t is about to go into the ring, or to run here: legs only */
	NR_RELAY_EV,
};

/* relay_watched */
#define WATCH_TRACE BIT(0)
#define WATCH_LEGS  BIT(1)
#define WATCH_DELAY BIT(2)
/* hart->watched has them, and */
#define WATCH_PMU BIT(8) /* hart->watched_pmu */
/* What the short way can tell. */
#define WATCH_SHORT (WATCH_TRACE | WATCH_PMU)

/* [a] why no short cut may be taken; 0: nobody watches */
extern u32 relay_watched;

void relay_observe_slow(struct hart *h, struct thread *t, enum relay_event what,
			u32 arg);
static inline void relay_observe(struct hart *h, struct thread *t,
				 enum relay_event what, u32 arg)
{
	if (unlikely(relay_watched))
		relay_observe_slow(h, t, what, arg);
}

/* --- account.c: where a hart's time goes */
enum relay_time {
	TIME_UNSEEN,  /* awake, and nobody watched */
	TIME_USER,    /* user mode */
	TIME_HANDLER, /* coroutines: system calls, faults, kernel threads */
	TIME_RELAY,   /* the loop: messages, interrupts, switches */
	TIME_POLL,    /* looking at empty rings */
	TIME_IDLE,    /* wfi */
	NR_RELAY_TIMES,
};

struct relay_account {
	u32 seq;		    /* [H] odd: being changed; ACCOUNT */
	u32 now;		    /* [H] enum relay_time */
	u64 since;		    /* [H] cycles */
	u64 cycles[NR_RELAY_TIMES]; /* [H] */
};

void relay_account(struct hart *h, enum relay_time what, u64 now);
/* What it is when no more is known. */
enum relay_time relay_time_awake(void);
/*
 * Nanoseconds of each kind since boot, the stretch that is running included.  From
 * any hart; they add up to the time since @h came up.
 */
void relay_times(const struct hart *h, u64 ns[NR_RELAY_TIMES]);
/* Nobody watches any more: the hart's own account ends. */
void relay_unseen(struct hart *h);
void relay_account_init(struct hart *h);
/* CPU time of @t as relay_times() has it: with the stretch that is running.  The
 * task lock is held.  Never less than at the last look. */
void relay_thread_times(struct thread *t, u64 *utime_ns, u64 *stime_ns);

/* --- observe.c */
/* Time stamp of this hart, and what it is on CLOCK_MONOTONIC. */
u64 relay_stamp(const struct hart *h);
u64 relay_stamp_ns(u64 stamp);
/* Observation for as long as somebody holds it.  Coroutine; -ENOMEM. */
int relay_observe_get(u32 why);
void relay_observe_put(u32 why);

/* --- legs.c */
extern u32 relay_legs_epoch; /* [a] */
int relay_legs_alloc(void);  /* memory for all harts, once */
void relay_legs_event(struct hart *h, struct thread *t, enum relay_event what,
		      u64 now);
void relay_legs_reset(void);
int relay_legs_enable(bool on); /* coroutine; -ENOMEM */

/* --- trace.c */
int relay_trace_alloc(void);
void relay_trace_put(struct hart *h, const struct thread *t,
		     enum relay_event what, u32 arg, u64 now);

#endif /* KERNEL_RELAY_OBSERVE_H */
