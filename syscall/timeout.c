/* SPDX-License-Identifier: MIT */
/* syscall/timeout.c - timeouts and masks of waiting calls; see timeout.h. */
#include <syscall/timeout.h>

#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define STICKY_TIMEOUTS 0x4000000u /* personality(2) */

u64 deadline_after(u64 ns)
{
	u64 now = clock_mono_ns();

	return now + ns < now ? WAIT_FOREVER - 1 : now + ns;
}

int timespec_read(uaddr_t uts, u64 *ns)
{
	struct timespec64 ts;

	if (copy_from_user(&ts, uts, sizeof(ts)))
		return -EFAULT;
	return timespec_to_ns(&ts, ns) ? -EINVAL : 0;
}

int timeout_read(uaddr_t uts, u64 *deadline_ns)
{
	u64 ns;
	int err;

	*deadline_ns = WAIT_FOREVER;
	if (!uts)
		return 0;
	err = timespec_read(uts, &ns);
	if (!err)
		*deadline_ns = ns ? deadline_after(ns) : 0;
	return err;
}

void timeout_write_left(uaddr_t uts, u64 deadline_ns)
{
	u64 now = clock_mono_ns();
	struct timespec64 ts;

	if (!uts || (current->personality & STICKY_TIMEOUTS))
		return;
	ts = ns_to_timespec(deadline_ns > now ? deadline_ns - now : 0);
	if (copy_to_user(uts, &ts, sizeof(ts)))
		return;
}

int sigmask_enter(uaddr_t uset, size_t size)
{
	u64 set;

	if (!uset)
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (get_user_u64(&set, uset))
		return -EFAULT;
	signal_set_saved_mask(set);
	return 0;
}

void sigmask_leave(s64 r)
{
	struct thread *t = current;

	if (!t->sig_restore_saved || r == -ERESTARTNOHAND || r == -EINTR)
		return;
	t->sig_restore_saved = false;
	signal_set_blocked(t->sig_saved);
}
