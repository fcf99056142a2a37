/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/loadavg.c - load averages without a tick; see loadavg.h.
 */
#include <kernel/time/loadavg.h>

#include <kernel/hart.h>
#include <kernel/relay/observe.h>
#include <kernel/spinlock.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>

#define STEP_NS (5 * NSEC_PER_SEC)

/* LOAD_ONE * exp(-5 s / 1, 5, 15 min) */
static const u64 decay[3] = { 1884, 2014, 2037 };

static struct spinlock load_lock = SPINLOCK_INIT("loadavg", RANK_DEV);
static u64 load[3];   /* [load_lock] */
static u64 seen_ns;   /* [load_lock] up to when they are right */
static u64 seen_busy; /* [load_lock] busy_ns() then */

/* Time that application harts spent in user mode; all of them together. */
static u64 busy_ns(void)
{
	u64 now = clock_mono_ns(), busy = 0;

	for (u32 i = 0; i < nr_harts; i++) {
		u64 ns[NR_RELAY_TIMES], off;

		relay_times(harts[i], ns);
		off = ns[TIME_IDLE] + ns[TIME_POLL];
		if (harts[i]->role & ROLE_APP)
			busy += now > off ? now - off : 0;
	}
	return busy;
}

u32 loadavg_running(void)
{
	u32 n = 0;

	for (u32 i = 0; i < nr_harts; i++)
		n += load_once(&harts[i]->nr_runq) +
		     (load_once(&harts[i]->user) != NULL);
	return n;
}

/* @x to the power of @n, both in units of LOAD_ONE. */
static u64 power(u64 x, u64 n)
{
	u64 r = LOAD_ONE;

	for (; n; n >>= 1) {
		if (n & 1)
			r = (r * x + LOAD_ONE / 2) >> LOAD_FSHIFT;
		x = (x * x + LOAD_ONE / 2) >> LOAD_FSHIFT;
	}
	return r;
}

static void advance_locked(u64 now)
{
	u64 steps = (now - seen_ns) / STEP_NS, busy = busy_ns();
	u64 active;

	if (!steps)
		return;
	active = busy > seen_busy
			 ? (busy - seen_busy) * LOAD_ONE / (now - seen_ns)
			 : 0;
	/* Who waits for a hart is load, too; taken to have been so all the time. */
	for (u32 i = 0; i < nr_harts; i++)
		active += load_once(&harts[i]->nr_runq) * LOAD_ONE;
	for (u32 i = 0; i < 3; i++) {
		u64 keep = power(decay[i], steps);

		load[i] = (load[i] * keep + active * (LOAD_ONE - keep)) >>
			  LOAD_FSHIFT;
	}
	seen_ns = now;
	seen_busy = busy;
}

void loadavg_get(u64 avg[3])
{
	spin_lock(&load_lock);
	advance_locked(clock_mono_ns());
	for (u32 i = 0; i < 3; i++)
		avg[i] = load[i];
	spin_unlock(&load_lock);
}
