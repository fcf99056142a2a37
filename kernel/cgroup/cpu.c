/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/cpu.c - CPU time of groups, and cpu.max; see cgroup.h.
 *
 * A thread's time belongs to the group in which it spends it: thread->cgroup_since is
 * what it had when it came; the difference is added to the group and all above when
 * it leaves, and by who reads.
 *
 * There is no tick that could charge a group.  While a group has a quota, a timer (on
 * the hart where it was set) looks when the quota can be used up at the earliest, and
 * at the end of each period.  When it is used up all threads of the group get
 * WORK_THROTTLE: those in user mode enter the kernel, and each sleeps at the end of
 * its request, until a period begins that leaves something.  What was used too much
 * is taken from later periods.
 *
 * A look is a walk over all threads, so that all looks together are given but one part
 * in LOOK_SHARE of the time: with very many groups limits are kept less exactly.  One
 * look that took long does not count as much as that: under a hypervisor the hart may
 * not have run meanwhile, and groups would go without a limit for LOOK_SHARE times
 * as long.  An empty group is not looked at.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/relay/observe.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define LOOK_NS		  (2 * NSEC_PER_MSEC)
#define LOOK_SHARE	  16u
#define PERIOD_DEFAULT_NS (100 * NSEC_PER_MSEC)
#define PERIOD_MIN_NS	  NSEC_PER_MSEC
#define PERIOD_MAX_NS	  NSEC_PER_SEC
#define QUOTA_MIN_NS	  NSEC_PER_MSEC

static u64 look_next; /* [task_lock] when the next look of any timer may be */
static u64 look_cost; /* [task_lock] what a look takes */

/* What @t has used since it came to its group. */
static struct cgroup_time since_locked(struct thread *t)
{
	struct cgroup_time now;

	relay_thread_times(t, &now.user, &now.system);
	return (struct cgroup_time){ now.user - t->cgroup_since[0],
				     now.system - t->cgroup_since[1] };
}

void cgroup_account_locked(struct thread *t, bool leave)
{
	struct cgroup_time d = since_locked(t);

	t->cgroup_since[0] += d.user;
	t->cgroup_since[1] += d.system;
	for (struct cgroup *cg = t->cgroup; leave && cg; cg = cg->parent) {
		cg->used.user += d.user;
		cg->used.system += d.system;
	}
}

struct sum {
	const struct cgroup *top;
	struct cgroup_time time;
	u32 nr_running;
};

static void add_process(struct process *p, void *arg)
{
	struct sum *s = arg;
	struct cgroup_time d;
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		if (!t->cgroup || !cgroup_is_below(t->cgroup, s->top))
			continue;
		d = since_locked(t);
		s->time.user += d.user;
		s->time.system += d.system;
		s->nr_running += load_once(&t->state) != THREAD_WAITING;
	}
}

static void sum_locked(const struct cgroup *cg, struct sum *s)
{
	*s = (struct sum){ .top = cg, .time = cg->used };
	if (cgroup_populated_locked(cg))
		process_for_each_locked(add_process, s);
}

/* All that the machine has done. */
static void machine_time(struct cgroup_time *out)
{
	u64 up = clock_mono_ns(), ns[NR_RELAY_TIMES], idle, sys;

	*out = (struct cgroup_time){ 0 };
	for (u32 i = 0; i < nr_harts; i++) {
		relay_times(harts[i], ns);
		idle = min(ns[TIME_IDLE], up);
		sys = min(ns[TIME_POLL] + ns[TIME_HANDLER] + ns[TIME_RELAY],
			  up - idle);
		if (!(harts[i]->role & ROLE_APP))
			sys = up - idle;
		out->system += sys;
		out->user += up - idle - sys;
	}
}

void cgroup_usage(struct cgroup *cg, struct cgroup_time *out)
{
	struct sum s;

	if (!cg->parent) {
		machine_time(out);
		return;
	}
	spin_lock(&task_lock);
	sum_locked(cg, &s);
	spin_unlock(&task_lock);
	*out = s.time;
}

/* --- cpu.max */

struct sweep {
	const struct cgroup *top;
	bool on;
};

static void sweep_process(struct process *p, void *arg)
{
	const struct sweep *s = arg;
	struct thread *t;
	bool any = false;

	list_for_each_entry(t, &p->threads, proc_node) {
		if (!t->cgroup || !cgroup_is_below(t->cgroup, s->top))
			continue;
		any = true;
		if (s->on)
			thread_set_work(t, WORK_THROTTLE);
	}
	if (any && !s->on)
		wake_up_all(&p->stop_wq);
}

static void set_throttled_locked(struct cgroup *cg, bool on)
{
	struct cgroup_bandwidth *bw = &cg->bw;
	struct sweep s = { cg, on };
	struct cgroup *c = NULL;

	if (bw->throttled == on)
		return;
	bw->throttled = on;
	if (on)
		bw->throttled_at = clock_mono_ns();
	else
		bw->throttled_ns += clock_mono_ns() - bw->throttled_at;
	while ((c = cgroup_next(c, cg)))
		store_once(&c->e_throttle, c->e_throttle + (on ? 1 : -1));
	process_for_each_locked(sweep_process, &s);
}

/* A period is over: what was used beyond its quota, of what was saved before? */
static void count_burst_locked(struct cgroup_bandwidth *bw)
{
	s64 spent = min(bw->filled - bw->left, bw->filled);

	if (spent <= (s64)bw->quota_ns)
		return;
	bw->nr_bursts++;
	bw->burst_used_ns += (u64)spent - bw->quota_ns;
}

/* Periods that have ended by @now give their quota. */
static void refill_locked(struct cgroup_bandwidth *bw, u64 now)
{
	u64 n, most = bw->quota_ns + bw->burst_ns;

	if (now < bw->period_end)
		return;
	n = (now - bw->period_end) / bw->period_ns + 1;
	bw->period_end += n * bw->period_ns;
	bw->nr_periods += n;
	if (bw->throttled)
		bw->nr_throttled += n; /* debts may take several */
	/* no more than fills it: the product stays small */
	n = min(n, (most + (u64)-min(bw->left, 0l)) / bw->quota_ns + 1);
	count_burst_locked(bw);
	bw->left = min(bw->left + (s64)(n * bw->quota_ns), (s64)most);
	bw->filled = bw->left;
}

static void look_locked(struct cgroup *cg)
{
	struct cgroup_bandwidth *bw = &cg->bw;
	u64 now = clock_mono_ns(), next, used;
	struct sum s;

	if (bw->quota_ns == CGROUP_MAX || cg->dead)
		return;
	sum_locked(cg, &s);
	used = s.time.user + s.time.system;
	bw->left -= (s64)(used - bw->seen);
	bw->seen = used;
	refill_locked(bw, now);
	set_throttled_locked(cg, bw->left <= 0);
	if (!bw->throttled && !cgroup_populated_locked(cg))
		return; /* cgroup_cpu_populated_locked() goes on */
	next = bw->period_end;
	if (!bw->throttled)
		next = min(next,
			   now + max((u64)bw->left / max(s.nr_running, 1u),
				     min(LOOK_NS, bw->quota_ns)));
	ktimer_arm(&bw->timer, max(next, look_next));
}

static void expired(struct ktimer *k)
{
	u64 start;

	spin_lock(&task_lock);
	start = clock_mono_ns();
	look_locked(k->arg);
	look_cost = min(clock_mono_ns() - start, 2 * look_cost + NSEC_PER_USEC);
	look_next = max(look_next, start) + LOOK_SHARE * look_cost;
	spin_unlock(&task_lock);
}

void cgroup_cpu_populated_locked(struct cgroup *cg)
{
	if (cg->bw.quota_ns != CGROUP_MAX)
		look_locked(cg);
}

void cgroup_cpu_init(struct cgroup *cg)
{
	cg->bw.quota_ns = CGROUP_MAX;
	cg->bw.period_ns = PERIOD_DEFAULT_NS;
	ktimer_init(&cg->bw.timer, expired, cg);
}

static void set_locked(struct cgroup *cg, u64 quota_ns, u64 period_ns)
{
	struct cgroup_bandwidth *bw = &cg->bw;
	struct sum s;

	(void)ktimer_try_cancel(&bw->timer);
	bw->quota_ns = quota_ns;
	bw->period_ns = period_ns;
	set_throttled_locked(cg, false);
	if (quota_ns == CGROUP_MAX)
		return;
	sum_locked(cg, &s);
	bw->seen = s.time.user + s.time.system;
	bw->left = bw->filled = (s64)quota_ns;
	bw->period_end = clock_mono_ns() + period_ns;
	look_locked(cg);
}

int cgroup_set_bandwidth(struct cgroup *cg, u64 quota_ns, u64 period_ns)
{
	int err = 0;

	if (period_ns < PERIOD_MIN_NS || period_ns > PERIOD_MAX_NS ||
	    quota_ns < QUOTA_MIN_NS)
		return -EINVAL;
	mutex_lock(&cgroup_mutex);
	spin_lock(&task_lock);
	if (cg->dead || !(cg->controllers & BIT(CGROUP_CPU)))
		err = -ENODEV; /* it has just gone */
	else if (quota_ns < cg->bw.burst_ns)
		err = -EINVAL;
	else
		set_locked(cg, quota_ns, period_ns);
	spin_unlock(&task_lock);
	mutex_unlock(&cgroup_mutex);
	return err;
}

int cgroup_set_burst(struct cgroup *cg, u64 burst_ns)
{
	int err = 0;

	spin_lock(&task_lock);
	if (cg->dead || !(cg->controllers & BIT(CGROUP_CPU)))
		err = -ENODEV;
	else if (burst_ns > cg->bw.quota_ns)
		err = -EINVAL;
	else
		cg->bw.burst_ns = burst_ns;
	spin_unlock(&task_lock);
	return err;
}

/* It is removed, or has the controller no more: no limit. */
void cgroup_cpu_end(struct cgroup *cg)
{
	spin_lock(&task_lock);
	set_locked(cg, CGROUP_MAX, PERIOD_DEFAULT_NS);
	cg->bw.burst_ns = 0;
	cg->bw.nr_periods = cg->bw.nr_throttled = cg->bw.throttled_ns = 0;
	cg->bw.nr_bursts = cg->bw.burst_used_ns = 0;
	spin_unlock(&task_lock);
	(void)ktimer_cancel(&cg->bw.timer);
}

/* Its group may go while it is looked at without the lock. */
static bool is_throttled(const struct thread *t)
{
	bool yes;

	spin_lock(&task_lock);
	yes = t->cgroup && t->cgroup->e_throttle;
	spin_unlock(&task_lock);
	return yes;
}

void cgroup_throttle_wait(struct thread *t)
{
	KASSERT(t == current);
	(void)atomic_fetch_and(&t->work, ~WORK_THROTTLE);
	/* A signal's frame is made now; it comes back here before it runs. */
	if (wait_event_interruptible(&t->proc->stop_wq, !is_throttled(t)))
		(void)atomic_fetch_or(&t->work, WORK_THROTTLE);
}
