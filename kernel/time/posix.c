/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/posix.c - POSIX clocks; see posix.h.
 *
 * Not here: timers (itimer.c, ptimer.c), sleeping (syscall/time.c).
 */
#include <kernel/time/posix.h>

#include <kernel/ns/time.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <kernel/time/cpuclock.h>
#include <kernel/time/ntp.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static int read_cpuclock(int id, u64 *ns)
{
	struct cpuclock c;
	int err = cpuclock_get(id, &c);

	if (err)
		return err;
	err = cpuclock_read(&c, ns);
	cpuclock_put(&c);
	return err;
}

int posix_clock_read(int id, u64 *ns)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		*ns = clock_real_ns();
		return 0;
	case CLOCK_TAI:
		*ns = clock_real_ns() + (u64)ntp_tai_seconds() * NSEC_PER_SEC;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME: /* we never suspend the machine */
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_mono_ns() + (u64)time_ns_offset(id);
		return 0;
	default:
		return read_cpuclock(id, ns);
	}
}

int posix_clock_can_wait(int id)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		return 0;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM: /* the machine is never asleep */
		return capable(CAP_WAKE_ALARM) ? 0 : -EPERM;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

bool posix_clock_is_real(int id)
{
	return id == CLOCK_REALTIME || id == CLOCK_TAI ||
	       id == CLOCK_REALTIME_ALARM;
}

u64 posix_deadline(int id, u64 ns, bool absolute)
{
	u64 now = clock_mono_ns();

	if (absolute) {
		u64 real = clock_real_ns();

		if (!posix_clock_is_real(id))
			return time_ns_to_host(id, ns);
		if (id == CLOCK_TAI)
			real += (u64)ntp_tai_seconds() * NSEC_PER_SEC;
		ns = ns > real ? ns - real : 0;
	}
	return now + ns < now ? WAIT_FOREVER - 1 : now + ns;
}

/* --- CLOCK_REALTIME is set */

static struct mutex watch_mutex = MUTEX_INIT(watch_mutex);
static struct list_head watches = LIST_HEAD_INIT(watches); /* [watch_mutex] */
static struct waitq set_wq = WAITQ_INIT(set_wq);
static u32 nr_set; /* [a] */

void clock_watch_add(struct clock_watch *w)
{
	mutex_lock(&watch_mutex);
	list_add_tail(&w->node, &watches);
	mutex_unlock(&watch_mutex);
}

void clock_watch_del(struct clock_watch *w)
{
	mutex_lock(&watch_mutex);
	list_del(&w->node);
	mutex_unlock(&watch_mutex);
}

void posix_set_real(u64 ns)
{
	struct clock_watch *w;

	mutex_lock(&watch_mutex);
	clock_set_real_ns(ns);
	ntp_clock_was_set();
	list_for_each_entry(w, &watches, node)
		w->moved(w);
	store_once(&nr_set, nr_set + 1);
	mutex_unlock(&watch_mutex);
	wake_up_all(&set_wq);
}

static bool clock_was_set(struct waiter *w, u64 key __unused)
{
	thread_wake(w->thread);
	return true;
}

void clock_sleeper_begin(struct clock_sleeper *s)
{
	waiter_init(&s->w);
	s->w.fn = clock_was_set;
	waitq_add(&set_wq, &s->w);
}

void clock_sleeper_end(struct clock_sleeper *s)
{
	waitq_del(&set_wq, &s->w);
}

bool clock_sleeper_moved(const struct clock_sleeper *s)
{
	return load_once(&nr_set) != s->seen;
}

u64 clock_sleeper_until(struct clock_sleeper *s, u64 end)
{
	s->seen = load_once(&nr_set);
	return posix_deadline(CLOCK_REALTIME, end & ~DEADLINE_REAL, true);
}

int posix_sleep_until(int id, u64 ns)
{
	int r;

	if (!posix_clock_is_real(id))
		return sleep_until_ns(time_ns_to_host(id, ns), true);
	do {
		u32 seen = load_once(&nr_set);

		r = wait_event_interruptible_timeout(
			&set_wq, load_once(&nr_set) != seen,
			posix_deadline(id, ns, true));
	} while (!r);
	return r == -ETIMEDOUT ? 0 : r;
}
