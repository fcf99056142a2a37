/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/posix.h - POSIX clocks, interval timers and per-process timers.
 *
 * Deadlines are kept on CLOCK_MONOTONIC; an absolute CLOCK_REALTIME one is
 * converted when it is set, and again when somebody sets that clock: sleepers look
 * themselves, timers have a clock_watch.
 *
 * Context: coroutine.  Locking: ptimer_lock (RANK_POLL), also taken by the timers'
 * callbacks; they send signals after they released it.
 */
#ifndef KERNEL_TIME_POSIX_H
#define KERNEL_TIME_POSIX_H

#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/list.h>
#include <lib/types.h>

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_BOOTTIME		 7
#define CLOCK_REALTIME_ALARM	 8
#define CLOCK_BOOTTIME_ALARM	 9
#define CLOCK_SGI_CYCLE		 10 /* that was, of other machines */
#define CLOCK_TAI		 11

#define TIMER_ABSTIME 1

/* As current's time namespace has it: 0 or -EINVAL (no such clock, or nobody whose CPU
 * time it is). */
int posix_clock_read(int id, u64 *ns);
/* Clocks on which one can wait (those of CPU time: cpuclock.h): 0; -EINVAL: no clock,
 * -EOPNOTSUPP, -EPERM. */
int posix_clock_can_wait(int id);
/* One that can be set: absolute times on it have no fixed deadline. */
bool posix_clock_is_real(int id);
/* @ns on clock @id, or relative, as a CLOCK_MONOTONIC deadline, saturating. */
u64 posix_deadline(int id, u64 ns, bool absolute);
/* Until clock @id shows @ns: 0 or -ERESTARTSYS. */
int posix_sleep_until(int id, u64 ns);

/* Who has a deadline on a clock that can be set.  @moved is called with a mutex held,
 * and may take spinlocks; add and del are for a context that may sleep. */
struct clock_watch {
	struct list_head node; /* [posix.c's mutex] */
	void (*moved)(struct clock_watch *w);
};
void clock_watch_add(struct clock_watch *w);
void clock_watch_del(struct clock_watch *w);
/* Set CLOCK_REALTIME, and tell everybody. */
void posix_set_real(u64 ns);

/*
 * wait_event_interruptible_timeout() until a deadline that says its clock: below 2^63
 * it is CLOCK_MONOTONIC's, with this bit CLOCK_REALTIME's, which comes sooner or later
 * when that clock is set.  WAIT_FOREVER: none.
 */
#define DEADLINE_REAL (1ull << 63)
#define wait_event_clock(wq, cond, deadline)                                  \
	({                                                                    \
		u64 wc_end = (deadline);                                      \
		int wc_ret;                                                   \
                                                                              \
		if (!(wc_end & DEADLINE_REAL) || wc_end == WAIT_FOREVER) {    \
			wc_ret = wait_event_interruptible_timeout((wq), cond, \
								  wc_end);    \
		} else {                                                      \
			struct clock_sleeper wc_s;                            \
                                                                              \
			clock_sleeper_begin(&wc_s);                           \
			do {                                                  \
				u64 wc_at =                                   \
					clock_sleeper_until(&wc_s, wc_end);   \
                                                                              \
				wc_ret = wait_event_interruptible_timeout(    \
					(wq),                                 \
					(cond) || clock_sleeper_moved(&wc_s), \
					wc_at);                               \
			} while (!wc_ret && !(cond));                         \
			clock_sleeper_end(&wc_s);                             \
		}                                                             \
		wc_ret;                                                       \
	})

/* For that macro: current is woken when CLOCK_REALTIME is set. */
struct clock_sleeper {
	struct waiter w;
	u32 seen; /* how often it had been set */
};
void clock_sleeper_begin(struct clock_sleeper *s);
void clock_sleeper_end(struct clock_sleeper *s);
bool clock_sleeper_moved(const struct clock_sleeper *s);
/* The CLOCK_MONOTONIC deadline of @end, till the clock moves. */
u64 clock_sleeper_until(struct clock_sleeper *s, u64 end);

struct itimerval_ns {
	u64 interval, value;
};
enum {
	ITIMER_REAL,
	ITIMER_VIRTUAL,
	ITIMER_PROF,
	NR_ITIMERS,
};
/* 0 or -EINVAL.  @new or @old may be NULL. */
int itimer_change(u32 which, const struct itimerval_ns *new,
		  struct itimerval_ns *old);

/* sigevent of timer_create(2) */
#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD	2
#define SIGEV_THREAD_ID 4

struct ptimer_event {
	u64 value;
	int signo, notify, tid;
	bool value_is_id; /* no sigevent was given: sigval is the timer's id */
};
int ptimer_create(int clock, const struct ptimer_event *ev); /* id or -errno */
int ptimer_set(int id, bool absolute, const struct itimerval_ns *new,
	       struct itimerval_ns *old);
int ptimer_get(int id, struct itimerval_ns *out);
int ptimer_overrun(int id);
int ptimer_delete(int id);

/* --- shared by itimer.c and ptimer.c */
struct process;
struct spinlock;
extern struct spinlock ptimer_lock;
/* Callbacks do not come back sooner than this: expiries in between are counted. */
#define PTIMER_MIN_GAP_NS 50000u
void itimers_exit(struct process *p);
/* Make the threads of @p that run user code enter the kernel; are there any? */
bool itimer_kick_running(struct process *p);
void cpulimit_exit(struct process *p);
void rtlimit_exit(struct process *p);

#endif /* KERNEL_TIME_POSIX_H */
