/* SPDX-License-Identifier: MIT */
/*
 * syscall/time.c - clocks and sleeping.
 *
 * Not here: timers (syscall/timer.c).
 */
#include <syscall/syscall.h>
#include <syscall/timeout.h>

#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/time/cpuclock.h>
#include <kernel/time/ntp.h>
#include <kernel/time/posix.h>
#include <lib/string.h>

SYSCALL2(113, clock_gettime, int, id, uaddr_t, uts)
{
	struct timespec64 ts;
	u64 ns;
	int err = posix_clock_read(id, &ns);

	if (err)
		return err;
	ts = ns_to_timespec(ns);
	return copy_to_user(uts, &ts, sizeof(ts));
}

SYSCALL2(114, clock_getres, int, id, uaddr_t, uts)
{
	struct timespec64 ts;
	u64 ns;
	int err = posix_clock_read(id, &ns);

	if (err)
		return err;
	ts = ns_to_timespec(clock_res_ns());
	return uts ? copy_to_user(uts, &ts, sizeof(ts)) : 0;
}

static int set_real(u64 ns)
{
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (ns < clock_mono_ns())
		return -EINVAL; /* the machine would have booted before 1970 */
	posix_set_real(ns);
	return 0;
}

#define SETTIME_MAX (9223372036ll - 30ll * 365 * 24 * 3600)

SYSCALL2(112, clock_settime, int, id, uaddr_t, uts)
{
	struct timespec64 ts;
	u64 ns;

	if (id != CLOCK_REALTIME && id >= 0)
		return -EINVAL;
	if (copy_from_user(&ts, uts, sizeof(ts)))
		return -EFAULT;
	if (id < 0) /* CPU time, if anybody's */
		return posix_clock_read(id, &ns) ? -EINVAL : -EPERM;
	/* thirty years before the counter would run over, as in Linux */
	if (timespec_to_ns(&ts, &ns) || ts.tv_sec >= SETTIME_MAX)
		return -EINVAL;
	return set_real(ns);
}

struct timezone {
	s32 minuteswest, dsttime;
};
#define MAX_WEST (15 * 60)
static struct timezone timezone; /* kept for whoever asks; nobody uses it */

SYSCALL2(169, gettimeofday, uaddr_t, utv, uaddr_t, utz)
{
	u64 ns = clock_real_ns();
	struct timeval64 tv = {
		.tv_sec = (s64)(ns / NSEC_PER_SEC),
		.tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC),
	};

	if (utv && copy_to_user(utv, &tv, sizeof(tv)))
		return -EFAULT;
	if (utz && copy_to_user(utz, &timezone, sizeof(timezone)))
		return -EFAULT;
	return 0;
}

SYSCALL2(170, settimeofday, uaddr_t, utv, uaddr_t, utz)
{
	struct timezone tz;
	struct timeval64 tv;
	int err = 0;

	if (utv && copy_from_user(&tv, utv, sizeof(tv)))
		return -EFAULT;
	if (utz && copy_from_user(&tz, utz, sizeof(tz)))
		return -EFAULT;
	if (utv && (tv.tv_sec < 0 || (u64)tv.tv_sec > ~0u ||
		    (u64)tv.tv_usec >= NSEC_PER_SEC / NSEC_PER_USEC))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (utz && (tz.minuteswest > MAX_WEST || tz.minuteswest < -MAX_WEST))
		return -EINVAL;
	if (utv)
		err = set_real((u64)tv.tv_sec * NSEC_PER_SEC +
			       (u64)tv.tv_usec * NSEC_PER_USEC);
	if (!err && utz)
		timezone = tz;
	return err;
}

static s64 do_adjtime(uaddr_t utx)
{
	struct timex tx;
	int r;

	if (copy_from_user(&tx, utx, sizeof(tx)))
		return -EFAULT;
	r = ntp_adjust(&tx);
	if (r >= 0 && copy_to_user(utx, &tx, sizeof(tx)))
		return -EFAULT;
	return r;
}

SYSCALL1(171, adjtimex, uaddr_t, utx)
{
	return do_adjtime(utx);
}

SYSCALL2(266, clock_adjtime, int, id, uaddr_t, utx)
{
	if (id != CLOCK_REALTIME)
		return cpuclock_is(id) || (id >= 0 && id <= CLOCK_TAI &&
					   id != CLOCK_SGI_CYCLE)
			       ? -EOPNOTSUPP
			       : -EINVAL;
	return do_adjtime(utx);
}

/* --- sleeping */

static int write_left(uaddr_t urem, u64 deadline)
{
	u64 now = clock_mono_ns();
	struct timespec64 ts;

	ts = ns_to_timespec(deadline > now ? deadline - now : 0);
	return urem ? copy_to_user(urem, &ts, sizeof(ts)) : 0;
}

static s64 sleep_relative(u64 deadline, uaddr_t urem);

static s64 sleep_restart(struct thread *t)
{
	return sleep_relative(t->restart.arg[0], t->restart.arg[1]);
}

/* Interrupted without a handler it goes on to the same deadline. */
static s64 sleep_relative(u64 deadline, uaddr_t urem)
{
	struct thread *t = current;

	if (!sleep_until_ns(deadline, true))
		return 0;
	if (write_left(urem, deadline))
		return -EFAULT;
	t->restart.fn = sleep_restart;
	t->restart.arg[0] = deadline;
	t->restart.arg[1] = urem;
	return -ERESTART_RESTARTBLOCK;
}

static s64 do_nanosleep(int id, bool absolute, uaddr_t uts, uaddr_t urem)
{
	u64 ns;
	int err = timespec_read(uts, &ns);

	if (err)
		return err;
	if (!absolute)
		return sleep_relative(posix_deadline(id, ns, false), urem);
	return posix_sleep_until(id, ns) ? -ERESTARTNOHAND : 0;
}

SYSCALL2(101, nanosleep, uaddr_t, uts, uaddr_t, urem)
{
	return do_nanosleep(CLOCK_MONOTONIC, false, uts, urem);
}

static s64 cpu_sleep_until(int id, u64 target, uaddr_t urem);

static s64 cpu_sleep_restart(struct thread *t)
{
	return cpu_sleep_until((int)t->restart.arg[0], t->restart.arg[1],
			       t->restart.arg[2]);
}

static s64 cpu_sleep_until(int id, u64 target, uaddr_t urem)
{
	struct thread *t = current;
	struct timespec64 ts;
	struct cpuclock c;
	u64 used = target;
	int err = cpuclock_get(id, &c);

	if (err)
		return err;
	err = cpuclock_sleep(&c, target);
	(void)cpuclock_read(&c, &used);
	cpuclock_put(&c);
	if (!err)
		return 0;
	ts = ns_to_timespec(target > used ? target - used : 0);
	if (urem && copy_to_user(urem, &ts, sizeof(ts)))
		return -EFAULT;
	t->restart.fn = cpu_sleep_restart;
	t->restart.arg[0] = (u64)id;
	t->restart.arg[1] = target;
	t->restart.arg[2] = urem;
	return -ERESTART_RESTARTBLOCK;
}

/* On a clock of CPU time; one's own would never get there. */
static s64 cpu_nanosleep(int id, bool absolute, uaddr_t uts, uaddr_t urem)
{
	struct timespec64 ts;
	struct cpuclock c;
	u64 ns, now;
	bool mine;
	s64 r;

	if (id == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	if (copy_from_user(&ts, uts, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns) || cpuclock_get(id, &c))
		return -EINVAL;
	mine = c.tid == current->tid;
	if (mine || cpuclock_read(&c, &now))
		now = WAIT_FOREVER;
	cpuclock_put(&c);
	if (now == WAIT_FOREVER)
		return -EINVAL;
	r = cpu_sleep_until(id, absolute ? ns : now + ns, absolute ? 0 : urem);
	return absolute && r == -ERESTART_RESTARTBLOCK ? -ERESTARTNOHAND : r;
}

SYSCALL4(115, clock_nanosleep, int, id, int, flags, uaddr_t, uts, uaddr_t, urem)
{
	int err;

	if (cpuclock_is(id))
		return cpu_nanosleep(id, flags & TIMER_ABSTIME, uts, urem);
	err = posix_clock_can_wait(id);
	if (err)
		return err;
	return do_nanosleep(id, flags & TIMER_ABSTIME, uts, urem);
}
