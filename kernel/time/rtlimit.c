/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/rtlimit.c - RLIMIT_RTTIME: how long a real-time thread may compute
 * before it waits for something.  SIGXCPU at the soft limit and every second from
 * there on, SIGKILL at the hard one.
 *
 * There is no tick.  A timer of the process, which is armed while it has such a
 * limit and a real-time thread, looks when the first of them can have reached the
 * limit, and makes those that run enter the kernel so that the next look knows.  A
 * thread that has waited since the last look begins anew.
 *
 * Locking: ptimer_lock for the timer; what a look keeps in the threads is under
 * task_lock; signals are sent with neither.
 */
#include <kernel/relay/observe.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/posix.h>
#include <kernel/time/timer.h>

#define LOOK_NS (5 * NSEC_PER_MSEC)

struct look {
	u64 soft, hard; /* ns; 0: none */
	u64 next; /* until when nothing can happen; 0: no real-time threads */
	int sig;
};

static u64 limit_ns(u64 us)
{
	return us >= RLIM_INFINITY / NSEC_PER_USEC
		       ? 0
		       : max(us, 1ul) * NSEC_PER_USEC;
}

/* How long @t has computed since it waited.  task_lock held. */
static u64 ran(struct thread *t)
{
	u64 ut, st;

	relay_thread_times(t, &ut, &st);
	if (load_once(&t->nr_vcsw) != t->rt_vcsw ||
	    load_once(&t->state) == THREAD_WAITING) {
		t->rt_vcsw = load_once(&t->nr_vcsw);
		t->rt_since = ut + st;
	}
	return ut + st - t->rt_since;
}

static void look_at(struct thread *t, struct look *l)
{
	u64 ns = ran(t), first = l->soft ? l->soft : l->hard;
	u64 left = ns < first ? first - ns : 0;

	if (l->hard)
		left = min(left, ns < l->hard ? l->hard - ns : 0);
	if (l->hard && ns >= l->hard)
		l->sig = SIGKILL;
	else if (l->soft && ns >= l->soft && !l->sig)
		l->sig = SIGXCPU;
	left = max(left, (u64)LOOK_NS);
	l->next = l->next ? min(l->next, left) : left;
}

static struct look look(struct process *p)
{
	struct look l = {
		.soft = limit_ns(load_once(&p->rlim[RLIMIT_RTTIME].cur)),
		.hard = limit_ns(load_once(&p->rlim[RLIMIT_RTTIME].max)),
	};
	struct thread *t;

	if (!l.soft && !l.hard)
		return l;
	spin_lock(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		if (load_once(&t->rt_prio))
			look_at(t, &l);
	}
	if (l.sig == SIGXCPU) /* as on Linux, where all can see it */
		p->rlim[RLIMIT_RTTIME].cur += NSEC_PER_SEC / NSEC_PER_USEC;
	spin_unlock(&task_lock);
	return l;
}

static void expired(struct ktimer *k)
{
	struct process *p = k->arg;
	struct look l = look(p);

	(void)itimer_kick_running(p);
	spin_lock(&ptimer_lock);
	if (l.next && !p->rtlimit_ended && !ktimer_armed(&p->rtlimit))
		ktimer_arm(&p->rtlimit, clock_mono_ns() + l.next);
	spin_unlock(&ptimer_lock);
	if (l.sig)
		(void)signal_process(p, l.sig, SEND_KERNEL);
}

void process_rtlimit_changed(struct process *p)
{
	struct look l = look(p);

	spin_lock(&ptimer_lock);
	(void)ktimer_try_cancel(&p->rtlimit);
	p->rtlimit.fn = expired;
	p->rtlimit.arg = p;
	if (l.next && !p->rtlimit_ended)
		ktimer_arm(&p->rtlimit, clock_mono_ns() + l.next);
	spin_unlock(&ptimer_lock);
}

void rtlimit_exit(struct process *p)
{
	spin_lock(&ptimer_lock);
	p->rtlimit_ended = true;
	spin_unlock(&ptimer_lock);
	(void)ktimer_cancel(&p->rtlimit);
}
