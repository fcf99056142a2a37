/* SPDX-License-Identifier: MIT */
/*
 * syscall/sched_policy.c - policies and their parameters.
 *
 * Real-time threads come before others in the queue of their hart, by priority; a
 * FIFO thread has no slice.  SCHED_DEADLINE is the highest priority there is: nobody
 * is stopped when the runtime is over, but who yields has its next period to wait for.
 */
#include <syscall/sched.h>

#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/task/ext.h>
#include <kernel/task/pi.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define RESET_ON_FORK_BIT 0x40000000u /* in the policy of the old calls */
#define FAIR_INTERVAL_NS  10000000u
#define RT_PRIO_MAX	  99u
#define DL_RUNTIME_MIN	  1024u

/* linux/sched/types.h */
struct sched_attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
	u32 util_min, util_max;
};
#define SIZE_VER0 48u
STATIC_ASSERT(sizeof(struct sched_attr) == 56, "SCHED_ATTR_SIZE_VER1");

#define SCHED_EXT 7 /* has a range of priorities, and nothing else */

#define FLAG_RESET_ON_FORK 0x01u
#define FLAG_RECLAIM	   0x02u
#define FLAG_DL_OVERRUN	   0x04u
#define FLAG_KEEP_POLICY   0x08u
#define FLAG_KEEP_PARAMS   0x10u
#define FLAG_UTIL_CLAMP	   0x60u
#define FLAGS_KNOWN	   0x7fu

static bool is_rt(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_fair(u32 policy)
{
	return policy == SCHED_OTHER || policy == SCHED_BATCH ||
	       policy == SCHED_IDLE;
}

static bool check_deadline(const struct sched_attr *a)
{
	u64 period = a->period ? a->period : a->deadline;

	return !a->priority && a->deadline && a->runtime >= DL_RUNTIME_MIN &&
	       !((a->deadline | period) >> 63) && period >= a->deadline &&
	       a->deadline >= a->runtime &&
	       period / NSEC_PER_USEC >= load_once(&sched_dl_period_min_us) &&
	       period <= load_once(&sched_dl_period_max_us) * NSEC_PER_USEC;
}

static int check(const struct sched_attr *a)
{
	if (a->flags & ~(u64)FLAGS_KNOWN || a->priority > RT_PRIO_MAX)
		return -EINVAL;
	if (a->policy == SCHED_DEADLINE)
		return check_deadline(a) ? 0 : -EINVAL;
	if (!is_rt(a->policy) && !is_fair(a->policy))
		return -EINVAL;
	return is_rt(a->policy) == (a->priority != 0) ? 0 : -EINVAL;
}

/* Without CAP_SYS_NICE.  task_lock held. */
static int may_have(const struct thread *t, const struct sched_attr *a)
{
	u32 old = t->sched_policy & ~SCHED_POLICY_RESET;
	u64 limit = rlimit_cur(RLIMIT_RTPRIO);

	if (is_fair(a->policy) && a->nice < t->nice && !may_nice(t, a->nice))
		return -EPERM;
	if (is_rt(a->policy) &&
	    ((a->policy != old && !limit) ||
	     (a->priority > t->own_prio && a->priority > limit)))
		return -EPERM;
	if (a->policy == SCHED_DEADLINE)
		return -EPERM;
	if (old == SCHED_IDLE && a->policy != SCHED_IDLE &&
	    20 - t->nice > (s32)min_t(u64, rlimit_cur(RLIMIT_NICE), 40))
		return -EPERM;
	if (!may_schedule(t))
		return -EPERM;
	return (t->sched_policy & SCHED_POLICY_RESET) &&
			       !(a->flags & FLAG_RESET_ON_FORK)
		       ? -EPERM
		       : 0;
}

static void apply(struct thread *t, const struct sched_attr *a)
{
	bool dl = a->policy == SCHED_DEADLINE;

	/* relaxed: the relay looks when it next chooses */
	store_once(
		&t->sched_policy,
		(u8)(a->policy |
		     (a->flags & FLAG_RESET_ON_FORK ? SCHED_POLICY_RESET : 0)));
	pi_set_own(t, (u8)(dl ? RT_PRIO_MAX + 1 : a->priority));
	if (is_fair(a->policy))
		store_once(&t->nice, a->nice);
	if (dl) {
		struct thread_ext *x = t->ext;

		x->dl_runtime = a->runtime;
		x->dl_deadline = a->deadline;
		x->dl_period = a->period ? a->period : a->deadline;
		store_once(&x->dl_next, clock_mono_ns() + x->dl_period);
	}
}

/* Periods follow each other from when the policy was set, also while it sleeps. */
void sched_yield_deadline(void)
{
	struct thread_ext *x;
	u64 now = clock_mono_ns(), next = 0;

	spin_lock(&task_lock); /* set() of another thread */
	x = current->ext;
	if (x && x->dl_period) {
		next = x->dl_next;
		if (next <= now)
			next += ((now - next) / x->dl_period + 1) *
				x->dl_period;
		x->dl_next = next + x->dl_period;
	}
	spin_unlock(&task_lock);
	if (next)
		(void)sleep_until_ns(next, false);
}

/* What the call leaves as it is.  task_lock held. */
static void keep(const struct thread *t, struct sched_attr *a, bool policy,
		 bool nice)
{
	if (policy) {
		a->policy = t->sched_policy & ~SCHED_POLICY_RESET;
		if (t->sched_policy & SCHED_POLICY_RESET)
			a->flags |= FLAG_RESET_ON_FORK;
	}
	if (nice)
		a->nice = t->nice;
	if (a->flags & FLAG_KEEP_PARAMS) {
		a->nice = t->nice;
		a->priority = is_rt(a->policy) ? t->own_prio : 0;
	}
}

/* The process of @t, a reference to it, if RLIMIT_RTTIME matters now. */
static struct process *limited(struct thread *t)
{
	struct process *p = t->proc;

	return load_once(&t->rt_prio) && p &&
			       (p->rlim[RLIMIT_RTTIME].cur != RLIM_INFINITY ||
				p->rlim[RLIMIT_RTTIME].max != RLIM_INFINITY)
		       ? process_get(p)
		       : NULL;
}

static int set(int tid, struct sched_attr *a, bool keep_policy, bool keep_nice)
{
	struct thread_ext *spare = NULL;
	struct process *p = NULL;
	struct thread *t;
	int err = -ESRCH;

	if (a->policy == SCHED_DEADLINE) {
		spare = ext_alloc(false);
		if (!spare)
			return -ENOMEM;
	}
	spin_lock(&task_lock);
	t = sched_find_locked(tid);
	if (t) {
		keep(t, a, keep_policy, keep_nice);
		err = check(a);
		if (!err && !capable(CAP_SYS_NICE))
			err = may_have(t, a);
		if (!err && (a->flags & FLAG_UTIL_CLAMP))
			err = -EOPNOTSUPP; /* as Linux without CONFIG_UCLAMP */
		if (!err && spare)
			ext_adopt_locked(t, &spare);
		if (!err)
			apply(t, a);
		p = limited(t);
	}
	spin_unlock(&task_lock);
	if (p) {
		process_rtlimit_changed(p);
		process_put(p);
	}
	ext_free(spare);
	return err;
}

static int set_old(int tid, u32 policy, uaddr_t uparam, bool keep_policy)
{
	struct sched_attr a = { 0 };

	if (!uparam || tid < 0)
		return -EINVAL;
	if (get_user_u32(&a.priority, uparam))
		return -EFAULT;
	a.policy = policy & ~RESET_ON_FORK_BIT;
	a.flags = policy & RESET_ON_FORK_BIT ? FLAG_RESET_ON_FORK : 0;
	if (a.policy == SCHED_DEADLINE)
		return -EINVAL;
	return set(tid, &a, keep_policy, true);
}

SYSCALL3(119, sched_setscheduler, int, tid, u32, policy, uaddr_t, uparam)
{
	if ((s32)policy < 0)
		return -EINVAL;
	return set_old(tid, policy, uparam, false);
}

SYSCALL2(118, sched_setparam, int, tid, uaddr_t, uparam)
{
	return set_old(tid, 0, uparam, true);
}

/* -EINVAL, -ESRCH, or 0 and what @tid has. */
static int get(int tid, struct sched_attr *a)
{
	struct thread *t;

	if (tid < 0)
		return -EINVAL;
	spin_lock(&task_lock);
	t = sched_find_locked(tid);
	if (t) {
		a->policy = t->sched_policy & ~SCHED_POLICY_RESET;
		a->flags = t->sched_policy & SCHED_POLICY_RESET
				   ? FLAG_RESET_ON_FORK
				   : 0;
		if (is_rt(a->policy))
			a->priority = t->own_prio;
		else if (is_fair(a->policy))
			a->nice = t->nice;
	}
	if (t && a->policy == SCHED_DEADLINE) {
		const struct thread_ext *x = t->ext;

		a->runtime = x->dl_runtime;
		a->deadline = x->dl_deadline;
		a->period = x->dl_period;
	}
	spin_unlock(&task_lock);
	return t ? 0 : -ESRCH;
}

SYSCALL1(120, sched_getscheduler, int, tid)
{
	struct sched_attr a = { 0 };
	int err = get(tid, &a);

	return err ? err : (s64)(a.policy | (a.flags ? RESET_ON_FORK_BIT : 0));
}

SYSCALL2(121, sched_getparam, int, tid, uaddr_t, uparam)
{
	struct sched_attr a = { 0 };
	int err;

	if (!uparam)
		return -EINVAL;
	err = get(tid, &a);
	return err ? err : put_user_u32(a.priority, uparam);
}

static int prio_bound(int policy, int rt)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return rt;
	return policy == SCHED_DEADLINE || policy == SCHED_EXT ||
			       is_fair((u32)policy)
		       ? 0
		       : -EINVAL;
}

SYSCALL1(125, sched_get_priority_max, int, policy)
{
	return prio_bound(policy, RT_PRIO_MAX);
}

SYSCALL1(126, sched_get_priority_min, int, policy)
{
	return prio_bound(policy, 1);
}

SYSCALL2(127, sched_rr_get_interval, int, tid, uaddr_t, uts)
{
	struct sched_attr a = { 0 };
	struct timespec64 ts;
	int err = get(tid, &a);
	u64 ns = 0;

	if (a.policy == SCHED_RR)
		ns = load_once(&sched_rr_ms) * NSEC_PER_MSEC;
	else if (is_fair(a.policy))
		ns = FAIR_INTERVAL_NS;
	ts = ns_to_timespec(ns);
	return err ? err : copy_to_user(uts, &ts, sizeof(ts));
}

SYSCALL4(275, sched_getattr, int, tid, uaddr_t, uattr, u32, size, u32, flags)
{
	struct sched_attr a = { 0 };
	int err;

	if (!uattr || tid < 0 || size < SIZE_VER0 || size > PAGE_SIZE || flags)
		return -EINVAL;
	err = get(tid, &a);
	a.size = min_t(u32, size, sizeof(a));
	return err ? err : copy_to_user(uattr, &a, a.size);
}

/* copy_struct_from_user(): what lies beyond what we know has to be zero. */
static int load_attr(struct sched_attr *a, uaddr_t uattr)
{
	u8 more;
	u32 size;

	if (get_user_u32(&size, uattr))
		return -EFAULT;
	if (!size)
		size = SIZE_VER0;
	if (size < SIZE_VER0 || size > PAGE_SIZE)
		goto too_big;
	if (copy_from_user(a, uattr, min_t(u32, size, sizeof(*a))))
		return -EFAULT;
	for (u32 i = sizeof(*a); i < size; i++) {
		if (get_user_u8(&more, uattr + i))
			return -EFAULT;
		if (more)
			goto too_big;
	}
	if ((a->flags & FLAG_UTIL_CLAMP) && size < sizeof(*a))
		return -EINVAL;
	a->nice = clamp(a->nice, -20, 19);
	return 0;
too_big:
	return put_user_u32(sizeof(*a), uattr) ? -EFAULT : -E2BIG;
}

SYSCALL3(274, sched_setattr, int, tid, uaddr_t, uattr, u32, flags)
{
	struct sched_attr a = { 0 };
	int err;

	if (!uattr || tid < 0 || flags)
		return -EINVAL;
	err = load_attr(&a, uattr);
	if (err)
		return err;
	if ((s32)a.policy < 0)
		return -EINVAL;
	return set(tid, &a, a.flags & FLAG_KEEP_POLICY, false);
}
