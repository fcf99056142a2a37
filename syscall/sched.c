/* SPDX-License-Identifier: MIT */
/*
 * syscall/sched.c - scheduling parameters: affinity, nice values, policies.
 *
 * User code runs on application harts only, so these are "the CPUs": the bits of
 * a mask are dense hart numbers, those of service harts are never set.  There is
 * one policy, SCHED_OTHER; SCHED_BATCH and SCHED_IDLE are kept and run as it; asking
 * for a real-time one is refused.
 */
#include <syscall/syscall.h>

#include <kernel/hart.h>
#include <kernel/mm/user.h>
#include <kernel/relay/relay.h>
#include <kernel/task/ext.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

enum {
	SCHED_OTHER,
	SCHED_FIFO,
	SCHED_RR,
	SCHED_BATCH,
	SCHED_IDLE = 5
};
#define SCHED_RESET_ON_FORK 0x40000000u
#define RR_INTERVAL_NS	    10000000u

SYSCALL0(124, sched_yield)
{
	relay_yield();
	return 0;
}

/* task_lock held: thread @tid, 0: current; NULL: no such thread. */
static struct thread *find_locked(int tid)
{
	return tid ? thread_find(tid) : current;
}

static bool may_schedule(const struct thread *t)
{
	const struct cred *me = current_cred();

	return me->euid == t->cred->uid || me->euid == t->cred->euid ||
	       capable(CAP_SYS_NICE);
}

SYSCALL3(123, sched_getaffinity, int, tid, u32, len, uaddr_t, umask)
{
	struct thread *t;
	u64 mask = 0;

	if (len < sizeof(mask) || (len & (sizeof(mask) - 1)))
		return -EINVAL;
	spin_lock(&task_lock);
	t = find_locked(tid);
	if (t) {
		mask = load_once(&t->cpus_allowed);
		mask = mask ? mask & app_mask() : app_mask();
	}
	spin_unlock(&task_lock);
	if (!t)
		return -ESRCH;
	if (put_user_u64(mask, umask))
		return -EFAULT;
	return sizeof(mask);
}

SYSCALL3(122, sched_setaffinity, int, tid, u32, len, uaddr_t, umask)
{
	struct thread *t;
	u64 mask = 0;
	int err = 0;

	if (copy_from_user(&mask, umask, min_t(size_t, len, sizeof(mask))))
		return -EFAULT;
	spin_lock(&task_lock);
	t = find_locked(tid);
	if (!t)
		err = -ESRCH;
	else if (!may_schedule(t))
		err = -EPERM;
	else if (!(mask & app_mask()))
		err = -EINVAL;
	else
		store_once(&t->cpus_allowed, mask & app_mask());
	spin_unlock(&task_lock);
	if (!err && t == current)
		relay_leave_home(t);
	return err;
}

SYSCALL3(168, getcpu, uaddr_t, ucpu, uaddr_t, unode, uaddr_t, unused)
{
	const struct hart *h = current->home;

	(void)unused;
	if (ucpu && put_user_u32(h ? h->cpu : 0, ucpu))
		return -EFAULT;
	if (unode && put_user_u32(0, unode))
		return -EFAULT;
	return 0;
}

/* 0 when thread @tid exists. */
static int exists(int tid)
{
	struct thread *t;

	if (tid < 0)
		return -EINVAL;
	spin_lock(&task_lock);
	t = find_locked(tid);
	spin_unlock(&task_lock);
	return t ? 0 : -ESRCH;
}

static int set_policy(int tid, u32 policy, s32 prio)
{
	bool reset = policy & SCHED_RESET_ON_FORK;
	int err = exists(tid);

	if (err)
		return err;
	policy &= ~SCHED_RESET_ON_FORK;
	switch (policy) {
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		if (prio)
			return -EINVAL;
		return thread_set_policy(
			tid, (u8)(policy | (reset ? POLICY_RESET_ON_FORK : 0)));
	case SCHED_FIFO:
	case SCHED_RR:
		return prio < 1 || prio > 99 ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

SYSCALL3(119, sched_setscheduler, int, tid, u32, policy, uaddr_t, uparam)
{
	u32 prio;

	if (!uparam || tid < 0)
		return -EINVAL;
	if (get_user_u32(&prio, uparam))
		return -EFAULT;
	return set_policy(tid, policy, (s32)prio);
}

SYSCALL1(120, sched_getscheduler, int, tid)
{
	struct thread *t;
	u8 p;

	if (tid < 0)
		return -EINVAL;
	spin_lock(&task_lock);
	t = find_locked(tid);
	p = t ? thread_policy_locked(t) : 0;
	spin_unlock(&task_lock);
	if (!t)
		return -ESRCH;
	return (s64)(p & ~POLICY_RESET_ON_FORK) |
	       (p & POLICY_RESET_ON_FORK ? SCHED_RESET_ON_FORK : 0);
}

SYSCALL2(118, sched_setparam, int, tid, uaddr_t, uparam)
{
	u32 prio;

	if (!uparam || tid < 0)
		return -EINVAL;
	if (get_user_u32(&prio, uparam))
		return -EFAULT;
	return prio ? -EINVAL : exists(tid);
}

SYSCALL2(121, sched_getparam, int, tid, uaddr_t, uparam)
{
	int err;

	if (!uparam)
		return -EINVAL;
	err = exists(tid);
	return err ? err : put_user_u32(0, uparam);
}

SYSCALL1(125, sched_get_priority_max, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 99;
	return policy == SCHED_OTHER || policy == SCHED_BATCH ||
			       policy == SCHED_IDLE
		       ? 0
		       : -EINVAL;
}

SYSCALL1(126, sched_get_priority_min, int, policy)
{
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		return 1;
	return policy == SCHED_OTHER || policy == SCHED_BATCH ||
			       policy == SCHED_IDLE
		       ? 0
		       : -EINVAL;
}

SYSCALL2(127, sched_rr_get_interval, int, tid, uaddr_t, uts)
{
	struct timespec64 ts = ns_to_timespec(RR_INTERVAL_NS);
	int err = exists(tid);

	return err ? err : copy_to_user(uts, &ts, sizeof(ts));
}

/* linux/sched/types.h, version 0. */
struct sched_attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
};
STATIC_ASSERT(sizeof(struct sched_attr) == 48, "SCHED_ATTR_SIZE_VER0");

SYSCALL4(275, sched_getattr, int, tid, uaddr_t, uattr, u32, size, u32, flags)
{
	struct sched_attr a = { .size = sizeof(a) };
	struct thread *t;

	if (!uattr || tid < 0 || size < sizeof(a) || size > 4096 || flags)
		return -EINVAL;
	spin_lock(&task_lock);
	t = find_locked(tid);
	a.nice = t ? load_once(&t->nice) : 0;
	spin_unlock(&task_lock);
	if (!t)
		return -ESRCH;
	return copy_to_user(uattr, &a, sizeof(a));
}

SYSCALL3(274, sched_setattr, int, tid, uaddr_t, uattr, u32, flags)
{
	struct sched_attr a;

	if (!uattr || tid < 0 || flags)
		return -EINVAL;
	if (copy_from_user(&a, uattr, sizeof(a)))
		return -EFAULT;
	if (a.size && a.size < sizeof(a))
		return -E2BIG;
	return set_policy(tid, a.policy, (s32)a.priority);
}

enum {
	PRIO_PROCESS,
	PRIO_PGRP,
	PRIO_USER
};

struct prio_walk {
	int which, who;
	bool set;
	s32 nice; /* to set */
	s32 best; /* lowest found */
	int err;
};

static int set_nice(struct thread *t, s32 nice)
{
	u64 floor = 20 - min_t(u64, rlimit_cur(RLIMIT_NICE), 40);

	if (!may_schedule(t))
		return -EPERM;
	if (nice < t->nice && nice < (s32)floor && !capable(CAP_SYS_NICE))
		return -EACCES;
	store_once(&t->nice, nice);
	return 0;
}

static void visit_thread(struct thread *t, struct prio_walk *w)
{
	int err;

	if (!w->set) {
		w->best = min(w->best, load_once(&t->nice));
		w->err = 0;
		return;
	}
	err = set_nice(t, w->nice);
	if (err || w->err == -ESRCH)
		w->err = err;
}

static void visit_process(struct process *p, void *ctx)
{
	struct prio_walk *w = ctx;
	struct thread *t;

	if (w->which == PRIO_PGRP && p->pgid != w->who)
		return;
	if (w->which == PRIO_USER && (int)p->leader->cred->uid != w->who)
		return;
	list_for_each_entry(t, &p->threads, proc_node)
		visit_thread(t, w);
}

static int prio_walk(struct prio_walk *w)
{
	struct thread *t;

	w->err = -ESRCH;
	w->best = 20;
	switch (w->which) {
	case PRIO_PROCESS:
		spin_lock(&task_lock);
		t = find_locked(w->who);
		if (t)
			visit_thread(t, w);
		spin_unlock(&task_lock);
		return w->err;
	case PRIO_PGRP:
		if (!w->who)
			w->who = current->proc->pgid;
		break;
	case PRIO_USER:
		if (!w->who)
			w->who = (int)current_cred()->uid;
		break;
	default:
		return -EINVAL;
	}
	process_for_each(visit_process, w);
	return w->err;
}

SYSCALL2(141, getpriority, int, which, int, who)
{
	struct prio_walk w = { .which = which, .who = who };
	int err = prio_walk(&w);

	return err ? err : 20 - w.best;
}

SYSCALL3(140, setpriority, int, which, int, who, int, nice)
{
	struct prio_walk w = { .which = which, .who = who, .set = true };

	w.nice = clamp(nice, -20, 19);
	return prio_walk(&w);
}
