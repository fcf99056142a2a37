/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/cpulimit.c - RLIMIT_CPU: SIGXCPU at the soft limit, which then rises by
 * a second as on Linux, SIGKILL at the hard one.
 *
 * CPU time of a thread is only known when it makes a request, and there is no tick.
 * So a timer is set for when the limit can be reached at the earliest; it makes the
 * running threads enter the kernel, looks again shortly after, and is set anew for
 * what is left then.
 *
 * INVARIANT
 *   I1  the timer is armed while cpulimit_at is set.
 *
 * Locking: ptimer_lock; signals are sent after it was released.
 */
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/posix.h>
#include <kernel/time/timer.h>

#define LOOK_NS (2 * NSEC_PER_MSEC)

static u64 used_ns(struct process *p)
{
	u64 ut, st;

	process_times(p, &ut, &st);
	return ut + st;
}

/* Infinity: 0.  A limit of no seconds is reached by the first nanosecond. */
static u64 limit_ns(u64 seconds)
{
	if (seconds == RLIM_INFINITY || seconds > ~0ul / 2 / NSEC_PER_SEC)
		return 0;
	return max(seconds * NSEC_PER_SEC, 1ul);
}

static void arm(struct process *p, u64 in)
{
	ktimer_arm(&p->cpulimit, clock_mono_ns() + max(in, LOOK_NS));
}

static bool is_due(const struct process *p, u64 used)
{
	return p->cpulimit_at && used >= p->cpulimit_at;
}

static void arm_for_next(struct process *p, u64 used)
{
	u32 nr = max(load_once(&p->nr_live), 1u);

	arm(p, is_due(p, used) ? 0 : (p->cpulimit_at - used) / nr);
}

/* The signal that is due, or 0; the timer is set again. */
static int look(struct process *p, u64 used, bool kicked)
{
	u64 hard = limit_ns(load_once(&p->rlim[RLIMIT_CPU].max));

	if (!p->cpulimit_at || ktimer_armed(&p->cpulimit))
		return 0;
	if (!is_due(p, used)) {
		if (kicked)
			arm(p, 0);
		else
			arm_for_next(p, used);
		return 0;
	}
	p->cpulimit_at = (p->cpulimit_at / NSEC_PER_SEC + 1) * NSEC_PER_SEC;
	arm_for_next(p, used);
	return hard && used >= hard ? SIGKILL : SIGXCPU;
}

/* The soft limit that was reached, unless another one was set meanwhile. */
static void raise_soft(struct process *p, u64 reached)
{
	struct rlimit64 *l = &p->rlim[RLIMIT_CPU];

	spin_lock(&task_lock);
	if (limit_ns(l->cur) == reached)
		store_once(&l->cur, l->cur + 1);
	spin_unlock(&task_lock);
}

static void expired(struct ktimer *k)
{
	struct process *p = k->arg;
	u64 used = used_ns(p), reached;
	bool kicked = false;
	int sig;

	if (!p->cpulimit_kicked && used < load_once(&p->cpulimit_at))
		kicked = itimer_kick_running(p);
	spin_lock(&ptimer_lock);
	p->cpulimit_kicked = kicked;
	reached = p->cpulimit_at;
	sig = look(p, used, kicked);
	spin_unlock(&ptimer_lock);
	if (sig == SIGXCPU)
		raise_soft(p, reached);
	if (sig)
		(void)signal_process(p, sig, SEND_KERNEL);
}

/* A look that is at hand is not put off by who sets a reached limit again. */
void process_cpulimit_changed(struct process *p)
{
	u64 used = used_ns(p);
	bool soon;

	spin_lock(&ptimer_lock);
	soon = is_due(p, used) && ktimer_armed(&p->cpulimit);
	store_once(&p->cpulimit_at,
		   p->cpulimit_ended
			   ? 0
			   : limit_ns(load_once(&p->rlim[RLIMIT_CPU].cur)));
	if (!soon || !is_due(p, used)) {
		(void)ktimer_try_cancel(&p->cpulimit);
		p->cpulimit.fn = expired;
		p->cpulimit.arg = p;
		if (p->cpulimit_at)
			arm_for_next(p, used);
	}
	spin_unlock(&ptimer_lock);
}

void cpulimit_exit(struct process *p)
{
	spin_lock(&ptimer_lock);
	p->cpulimit_ended = true;
	store_once(&p->cpulimit_at, 0);
	spin_unlock(&ptimer_lock);
	(void)ktimer_cancel(&p->cpulimit);
}
