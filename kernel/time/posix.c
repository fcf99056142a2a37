/* SPDX-License-Identifier: MIT */
/*
 * kernel/time/posix.c - POSIX clocks; see posix.h.
 *
 * Not here: timers (itimer.c, ptimer.c), sleeping (syscall/time.c).
 */
#include <kernel/time/posix.h>

#include <kernel/relay/observe.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

/* Clocks of other processes and threads: ~pid << 3 | flags. */
#define CPUCLOCK_THREAD BIT(2)
#define CPUCLOCK_KIND	3u /* 0: user + system, 1: user, 2: as 0, 3: a file */
enum {
	CPUCLOCK_PROF,
	CPUCLOCK_VIRT,
	CPUCLOCK_SCHED,
	CPUCLOCK_FD
};

static u64 pick_time(u64 utime, u64 stime, u32 kind)
{
	return kind == CPUCLOCK_VIRT ? utime : utime + stime;
}

static int thread_clock(int tid, u32 kind, u64 *ns)
{
	struct thread *t;
	u64 ut, st;

	spin_lock(&task_lock);
	t = tid ? thread_find(tid) : current;
	if (!t || t->proc != current->proc) {
		spin_unlock(&task_lock);
		return -EINVAL;
	}
	relay_thread_times(t, &ut, &st);
	*ns = pick_time(ut, st, kind);
	spin_unlock(&task_lock);
	return 0;
}

static int process_clock(int pid, u32 kind, u64 *ns)
{
	struct process *p =
		pid ? process_find(pid) : process_get(current->proc);
	u64 ut, st;

	if (!p)
		return -EINVAL;
	process_times(p, &ut, &st);
	process_put(p);
	*ns = pick_time(ut, st, kind);
	return 0;
}

static int cpu_clock(int id, u64 *ns)
{
	u32 kind = (u32)id & CPUCLOCK_KIND;
	int pid = ~id >> 3;

	if (kind == CPUCLOCK_FD)
		return -EINVAL;
	if (id & CPUCLOCK_THREAD)
		return thread_clock(pid, kind, ns);
	return process_clock(pid, kind, ns);
}

int posix_clock_read(int id, u64 *ns)
{
	if (id < 0)
		return cpu_clock(id, ns);
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI: /* nobody has told us of leap seconds */
		*ns = clock_real_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME: /* we never suspend the machine */
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_mono_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		return process_clock(0, CPUCLOCK_SCHED, ns);
	case CLOCK_THREAD_CPUTIME_ID:
		return thread_clock(0, CPUCLOCK_SCHED, ns);
	default:
		return -EINVAL;
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
	case CLOCK_BOOTTIME_ALARM:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_PROCESS_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return id < 0 ? -EOPNOTSUPP : -EINVAL;
	}
}

u64 posix_deadline(int id, u64 ns, bool absolute)
{
	u64 now = clock_mono_ns();

	if (absolute) {
		u64 real = clock_real_ns();

		if (id != CLOCK_REALTIME && id != CLOCK_TAI)
			return ns;
		ns = ns > real ? ns - real : 0;
	}
	return now + ns < now ? WAIT_FOREVER - 1 : now + ns;
}
