/* SPDX-License-Identifier: MIT */
/*
 * syscall/sched.c - affinity and policies.
 *
 * User code runs on application harts only, so these are "the CPUs": the bits of
 * a mask are dense hart numbers, those of service harts are never set.
 *
 * Real-time threads come before others in the queue of their hart, by priority; a
 * FIFO thread has no slice.  SCHED_DEADLINE is the highest priority there is.
 */
#include <syscall/sched.h>

#include <kernel/cgroup/cgroup.h>
#include <kernel/hart.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/relay/relay.h>
#include <kernel/task/ext.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

SYSCALL0(124, sched_yield)
{
	if (unlikely((current->sched_policy & ~SCHED_POLICY_RESET) ==
		     SCHED_DEADLINE))
		sched_yield_deadline();
	else
		relay_yield();
	return 0;
}

struct thread *sched_find_locked(int tid)
{
	return tid ? thread_find(pid_given(tid)) : current;
}

bool may_schedule(const struct thread *t)
{
	const struct cred *me = current_cred();

	return me->euid == t->real_cred->uid ||
	       me->euid == t->real_cred->euid ||
	       ns_capable(t->real_cred->user_ns, CAP_SYS_NICE);
}

SYSCALL3(123, sched_getaffinity, int, tid, u32, len, uaddr_t, umask)
{
	struct thread *t;
	u64 mask = 0;

	if (len < sizeof(mask) || (len & (sizeof(mask) - 1)))
		return -EINVAL;
	spin_lock(&task_lock);
	t = sched_find_locked(tid);
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
	t = sched_find_locked(tid);
	if (!t)
		err = -ESRCH;
	else if (!may_schedule(t))
		err = -EPERM;
	else
		err = cgroup_cpus_ask_locked(t, mask);
	spin_unlock(&task_lock);
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
