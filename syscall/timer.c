/* SPDX-License-Identifier: MIT */
/*
 * syscall/timer.c - interval timers and POSIX timers.
 */
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/task/signal.h>
#include <kernel/time/posix.h>

struct itimerval {
	struct timeval64 interval, value;
};
struct itimerspec {
	struct timespec64 interval, value;
};

static int timeval_to_ns(const struct timeval64 *tv, u64 *ns)
{
	struct timespec64 ts = { tv->tv_sec, tv->tv_usec * 1000 };

	if ((u64)tv->tv_usec >= 1000000)
		return -EINVAL;
	return timespec_to_ns(&ts, ns) ? -EINVAL : 0;
}

/* Rounded up: a timer that runs does not have 0 left. */
static struct timeval64 ns_to_timeval(u64 ns)
{
	ns += NSEC_PER_USEC - 1;
	return (struct timeval64){ (s64)(ns / NSEC_PER_SEC),
				   (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

static int write_itimerval(uaddr_t to, const struct itimerval_ns *v)
{
	struct itimerval it = {
		.interval = ns_to_timeval(v->interval),
		.value = ns_to_timeval(v->value),
	};

	return copy_to_user(to, &it, sizeof(it));
}

SYSCALL2(102, getitimer, u32, which, uaddr_t, uold)
{
	struct itimerval_ns old;
	int err = itimer_change(which, NULL, &old);

	return err ? err : write_itimerval(uold, &old);
}

SYSCALL3(103, setitimer, u32, which, uaddr_t, unew, uaddr_t, uold)
{
	struct itimerval_ns new = { 0, 0 }, old;
	struct itimerval it;
	int err;

	if (unew) {
		if (copy_from_user(&it, unew, sizeof(it)))
			return -EFAULT;
		if (timeval_to_ns(&it.interval, &new.interval) ||
		    timeval_to_ns(&it.value, &new.value))
			return -EINVAL;
	}
	err = itimer_change(which, &new, &old);
	if (!err && uold)
		err = write_itimerval(uold, &old);
	return err;
}

/* --- timer_create(2) and its family */

struct sigevent {
	u64 value;
	s32 signo, notify, tid;
	s32 pad[11];
};
STATIC_ASSERT(sizeof(struct sigevent) == 64, "Linux's sigevent_t");

static bool is_our_thread(int tid)
{
	struct thread *t;
	bool ours;

	spin_lock(&task_lock);
	t = thread_find(pid_given(tid));
	ours = t && t->proc == current->proc;
	spin_unlock(&task_lock);
	return ours;
}

static int event_from_user(uaddr_t uev, struct ptimer_event *ev)
{
	struct sigevent se;

	*ev = (struct ptimer_event){ .signo = SIGALRM, .value_is_id = !uev };
	if (!uev)
		return 0;
	if (copy_from_user(&se, uev, sizeof(se)))
		return -EFAULT;
	ev->value = se.value;
	ev->signo = se.signo;
	ev->notify = se.notify;
	ev->tid = pid_given(se.tid);
	switch (se.notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_THREAD_ID:
		if (!is_our_thread(se.tid))
			return -EINVAL;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default:
		return -EINVAL;
	}
	return se.signo < 1 || se.signo > NSIG ? -EINVAL : 0;
}

SYSCALL3(107, timer_create, int, clock, uaddr_t, uev, uaddr_t, uid)
{
	struct ptimer_event ev;
	int id = event_from_user(uev, &ev);

	if (id)
		return id;
	id = ptimer_create(clock, &ev);
	if (id < 0)
		return id;
	if (put_user_u32((u32)id, uid)) {
		(void)ptimer_delete(id);
		return -EFAULT;
	}
	return 0;
}

static int write_itimerspec(uaddr_t to, const struct itimerval_ns *v)
{
	struct itimerspec it = {
		.interval = ns_to_timespec(v->interval),
		.value = ns_to_timespec(v->value),
	};

	return copy_to_user(to, &it, sizeof(it));
}

SYSCALL2(108, timer_gettime, int, id, uaddr_t, uold)
{
	struct itimerval_ns old;
	int err = ptimer_get(id, &old);

	return err ? err : write_itimerspec(uold, &old);
}

SYSCALL1(109, timer_getoverrun, int, id)
{
	return ptimer_overrun(id);
}

SYSCALL4(110, timer_settime, int, id, int, flags, uaddr_t, unew, uaddr_t, uold)
{
	struct itimerval_ns new, old;
	struct itimerspec it;
	int err;

	if (!unew)
		return -EINVAL;
	if (copy_from_user(&it, unew, sizeof(it)))
		return -EFAULT;
	if (timespec_to_ns(&it.interval, &new.interval) ||
	    timespec_to_ns(&it.value, &new.value))
		return -EINVAL;
	err = ptimer_set(id, flags & TIMER_ABSTIME, &new, &old);
	if (!err && uold)
		err = write_itimerspec(uold, &old);
	return err;
}

SYSCALL1(111, timer_delete, int, id)
{
	return ptimer_delete(id);
}
