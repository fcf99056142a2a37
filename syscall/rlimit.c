/* SPDX-License-Identifier: MIT */
/* syscall/rlimit.c - resource limits and usage, times(2). */
#include <syscall/syscall.h>

#include <kernel/mm/page.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/mm/vm.h>
#include <kernel/file/file.h>
#include <kernel/ns/pid.h>
#include <kernel/relay/observe.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define NS_PER_USER_TICK 10000000u
#define RUSAGE_SELF	 0
#define RUSAGE_CHILDREN	 (-1)
#define RUSAGE_THREAD	 1

static int check_limit(const struct rlimit64 *old, const struct rlimit64 *new,
		       u32 r)
{
	if (new->cur > new->max)
		return -EINVAL;
	if (r == RLIMIT_NOFILE && new->max > load_once(&nr_open))
		return -EPERM;
	if (new->max > old->max && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	return 0;
}

/* @p stays (current, or a reference). */
static int change_limit(struct process *p, u32 r, const struct rlimit64 *new,
			struct rlimit64 *old)
{
	int err = 0;

	if (r >= NR_RLIMITS)
		return -EINVAL;
	spin_lock(&task_lock);
	*old = p->rlim[r];
	if (new)
		err = check_limit(old, new, r);
	if (new && !err) {
		store_once(&p->rlim[r].cur, new->cur);
		store_once(&p->rlim[r].max, new->max);
	}
	spin_unlock(&task_lock);
	if (new && !err && r == RLIMIT_CPU)
		process_cpulimit_changed(p);
	if (new && !err && r == RLIMIT_RTTIME)
		process_rtlimit_changed(p);
	return err;
}

/* The other process must be wholly ours. */
static bool may_change(struct process *p)
{
	const struct cred *me = current_cred();
	struct cred *c;
	bool ok;

	if (p == current->proc)
		return true;
	c = process_cred(p);
	ok = cred_is_of(c, me->uid, me->gid) ||
	     ns_capable(c->user_ns, CAP_SYS_RESOURCE);
	cred_put(c);
	return ok;
}

SYSCALL4(261, prlimit64, int, pid, u32, r, uaddr_t, unew, uaddr_t, uold)
{
	struct rlimit64 new, old;
	struct process *p;
	int err;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	p = pid ? process_find(pid_given(pid)) : process_get(current->proc);
	if (!p)
		return -ESRCH;
	err = may_change(p) ? change_limit(p, r, unew ? &new : NULL, &old)
			    : -EPERM;
	process_put(p);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return err;
}

SYSCALL2(163, getrlimit, u32, r, uaddr_t, uold)
{
	struct rlimit64 old;
	int err = change_limit(current->proc, r, NULL, &old);

	return err ? err : copy_to_user(uold, &old, sizeof(old));
}

SYSCALL2(164, setrlimit, u32, r, uaddr_t, unew)
{
	struct rlimit64 new, old;

	if (copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	return change_limit(current->proc, r, &new, &old);
}

static void rusage_thread(struct rusage *ru)
{
	struct thread *t = current;
	u64 ut, st;

	spin_lock(&task_lock);
	relay_thread_times(t, &ut, &st);
	spin_unlock(&task_lock);
	memset(ru, 0, sizeof(*ru));
	ru->utime.sec = (s64)(ut / NSEC_PER_SEC);
	ru->utime.usec = (s64)(ut % NSEC_PER_SEC / NSEC_PER_USEC);
	ru->stime.sec = (s64)(st / NSEC_PER_SEC);
	ru->stime.usec = (s64)(st % NSEC_PER_SEC / NSEC_PER_USEC);
	ru->minflt = (s64)t->minflt;
	ru->majflt = (s64)t->majflt;
	ru->nvcsw = (s64)t->nr_vcsw;
	ru->nivcsw = (s64)t->nr_ivcsw;
	ru->maxrss = (s64)(max(mm_rss_peak(t->mm), t->proc->maxrss_pages) *
			   (PAGE_SIZE / 1024));
}

SYSCALL2(165, getrusage, int, who, uaddr_t, uru)
{
	struct rusage ru;

	switch (who) {
	case RUSAGE_SELF:
	case RUSAGE_CHILDREN:
		spin_lock(&task_lock);
		rusage_of_locked(current->proc,
				 who == RUSAGE_SELF ? RUSAGE_OF_ITSELF
						    : RUSAGE_OF_CHILDREN,
				 &ru);
		spin_unlock(&task_lock);
		break;
	case RUSAGE_THREAD:
		rusage_thread(&ru);
		break;
	default:
		return -EINVAL;
	}
	return copy_to_user(uru, &ru, sizeof(ru));
}

SYSCALL1(153, times, uaddr_t, ubuf)
{
	struct process *p = current->proc;
	u64 ut, st, tms[4];

	process_times(p, &ut, &st);
	tms[0] = ut / NS_PER_USER_TICK;
	tms[1] = st / NS_PER_USER_TICK;
	tms[2] = p->cutime_ns / NS_PER_USER_TICK;
	tms[3] = p->cstime_ns / NS_PER_USER_TICK;
	if (ubuf && copy_to_user(ubuf, tms, sizeof(tms)))
		return -EFAULT;
	return (s64)(clock_mono_ns() / NS_PER_USER_TICK);
}
