/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/observe.c - who watches, and what an event is passed on to.
 *
 * Observation is held (relay_observe_get()): by an open /proc/relay/trace_raw or
 * /proc/relay/observe, or by a switch in /proc/relay/policy.  When the last holder
 * goes, calls take the short way again.
 */
#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/pmu/hooks.h>
#include <kernel/relay/relay.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

u32 relay_watched __read_mostly;

static struct mutex holders = MUTEX_INIT(holders);
static u32 nr_trace, nr_legs; /* [holders] */
static u64 ref_stamp, ref_ns; /* [holders], racily read: they belong together
			       * as long as somebody watches */

u64 relay_stamp(const struct hart *h)
{
	return rdcycle() + relay_of(h)->skew;
}

u64 relay_stamp_ns(u64 stamp)
{
	if (stamp >= ref_stamp)
		return ref_ns + clock_cycles_to_ns(stamp - ref_stamp);
	return ref_ns - min(ref_ns, clock_cycles_to_ns(ref_stamp - stamp));
}

/* What the hart's time is from this event on; NR_RELAY_TIMES: as before. */
static const u8 time_from[NR_RELAY_EV] = {
	[EV_POSTED] = TIME_RELAY,	[EV_SEEN] = TIME_HANDLER,
	[EV_SUSPEND] = TIME_RELAY,	[EV_RESUME] = TIME_HANDLER,
	[EV_DONE] = TIME_RELAY,		[EV_RESUMED] = NR_RELAY_TIMES,
	[EV_SLEEP] = NR_RELAY_TIMES,	[EV_WOKEN] = NR_RELAY_TIMES,
	[EV_USER] = TIME_USER,		[EV_TRAP] = TIME_RELAY,
	[EV_POLL] = TIME_POLL,		[EV_YIELD] = TIME_RELAY,
	[EV_EXIT] = TIME_RELAY,		[EV_WAKE] = NR_RELAY_TIMES,
	[EV_IPI_SENT] = NR_RELAY_TIMES, [EV_IPI] = TIME_RELAY,
	[EV_TIMER] = TIME_RELAY,	[EV_EXTERNAL] = TIME_RELAY,
	[EV_SENT] = NR_RELAY_TIMES,
};

__cold void relay_observe_slow(struct hart *h, struct thread *t,
			       enum relay_event what, u32 arg)
{
	struct relay_hart *r = relay_of(h);
	u32 watched = relay_watched;
	bool again = what == EV_USER && r->resumed == t;
	u64 now;

	if (what == EV_RESUMED)
		r->resumed = arg ? t : NULL;
	else if (what == EV_USER)
		r->resumed = NULL;
	/* A trace is told only what it cannot know. */
	if (!(watched & WATCH_LEGS) && (again || what == EV_SENT))
		return;
	now = relay_stamp(h);
	if ((watched & WATCH_TRACE) && !again && what != EV_SENT)
		relay_trace_put(h, t, what, arg, now);
	if (watched & WATCH_LEGS) {
		if (t && (what != EV_USER || again))
			relay_legs_event(h, t, what, now);
		if (time_from[what] != NR_RELAY_TIMES)
			relay_account(h, time_from[what], now);
	}
}

static void set_watched(void)
{
	u32 on = (nr_trace ? WATCH_TRACE : 0) | (nr_legs ? WATCH_LEGS : 0) |
		 (relay_delay_max ? WATCH_DELAY : 0);

	/* relaxed: a call that is on its way may still take the short way */
	store_once(&relay_watched, on);
	for (u32 i = 0; i < nr_harts; i++)
		store_once(&harts[i]->watched_by, (u8)on);
}

void relay_watch_init(void)
{
	set_watched();
}

void relay_watch(void)
{
	mutex_lock(&holders);
	set_watched();
	mutex_unlock(&holders);
}

/* Every hart passes its loop once, and so knows that it is watched. */
static void nudge_all(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		if (harts[i] != this_hart() && load_once(&harts[i]->online))
			hart_ipi(i);
	}
}

static int begin(u32 why)
{
	int r = why == WATCH_TRACE ? relay_trace_alloc() : relay_legs_alloc();

	if (r)
		return r;
	if (!nr_trace && !nr_legs) {
		relay_measure_skew();
		ref_stamp = relay_stamp(this_hart());
		ref_ns = clock_mono_ns();
	}
	if (why == WATCH_LEGS)
		relay_legs_epoch++;
	return 0;
}

int relay_observe_get(u32 why)
{
	u32 *n = why == WATCH_TRACE ? &nr_trace : &nr_legs;
	int r = 0;

	mutex_lock(&holders);
	if (!*n)
		r = begin(why);
	if (!r && !(*n)++) {
		set_watched();
		nudge_all();
	}
	mutex_unlock(&holders);
	return r;
}

void relay_observe_put(u32 why)
{
	u32 *n = why == WATCH_TRACE ? &nr_trace : &nr_legs;

	mutex_lock(&holders);
	if (!--*n) {
		set_watched();
		relay_unseen(this_hart());
		nudge_all();
	}
	mutex_unlock(&holders);
}
