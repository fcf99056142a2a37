/* SPDX-License-Identifier: MIT */
/*
 * syscall/futex.c - futex(2): decode the operation, the clock and the deadline.
 */
#include <syscall/syscall.h>
#include <syscall/timeout.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/time.h>
#include <kernel/task/futex.h>
#include <kernel/time/posix.h>

enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_LOCK_PI = 6,
	FUTEX_UNLOCK_PI = 7,
	FUTEX_TRYLOCK_PI = 8,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_WAIT_REQUEUE_PI = 11,
	FUTEX_CMP_REQUEUE_PI = 12,
	FUTEX_LOCK_PI2 = 13,
	FUTEX_PRIVATE_FLAG = 128,
	FUTEX_CLOCK_REALTIME = 256,
};

/* The user's timeout as wait_event_clock() takes it. */
static int read_deadline(uaddr_t uts, bool relative, bool real, u64 *deadline)
{
	u64 ns;
	int err;

	*deadline = WAIT_FOREVER;
	if (!uts)
		return 0;
	err = timespec_read(uts, &ns);
	if (err)
		return err;
	if (relative) /* ns is below 2^63, and so is the clock */
		*deadline = min_t(u64, clock_mono_ns() + ns, DEADLINE_REAL - 1);
	else
		*deadline = real ? ns | DEADLINE_REAL
				 : time_ns_to_host(CLOCK_MONOTONIC, ns);
	return 0;
}

/* A relative wait that a signal cut short goes on till its first deadline. */
static s64 wait_restart(struct thread *t)
{
	int r = futex_wait(t->restart.arg[0], t->restart.arg[3],
			   (u32)t->restart.arg[1], FUTEX_BITSET_ANY,
			   t->restart.arg[2]);

	return r == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : r;
}

static s64 do_wait(uaddr_t a, bool shared, u32 val, u64 deadline)
{
	int r = futex_wait(a, shared, val, FUTEX_BITSET_ANY, deadline);

	if (r != -ERESTARTSYS || deadline == WAIT_FOREVER)
		return r;
	current->restart.fn = wait_restart;
	current->restart.arg[0] = a;
	current->restart.arg[1] = val;
	current->restart.arg[2] = deadline;
	current->restart.arg[3] = shared;
	return -ERESTART_RESTARTBLOCK;
}

SYSCALL6(98, futex, uaddr_t, a, u32, op, u32, val, u64, arg4, uaddr_t, b, u32,
	 val3)
{
	bool shared = !(op & FUTEX_PRIVATE_FLAG);
	bool real = op & FUTEX_CLOCK_REALTIME;
	u32 cmd = op & ~(u32)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	u64 deadline = WAIT_FOREVER;
	int err = 0;

	if (real && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2 &&
	    cmd != FUTEX_WAIT_REQUEUE_PI)
		return -ENOSYS;
	if (cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET ||
	    cmd == FUTEX_WAIT_REQUEUE_PI || cmd == FUTEX_LOCK_PI ||
	    cmd == FUTEX_LOCK_PI2)
		err = read_deadline(arg4, cmd == FUTEX_WAIT,
				    real || cmd == FUTEX_LOCK_PI, &deadline);
	if (err)
		return err;
	switch (cmd) {
	case FUTEX_WAIT:
		return do_wait(a, shared, val, deadline);
	case FUTEX_WAIT_BITSET:
		return futex_wait(a, shared, val, val3, deadline);
	case FUTEX_WAKE:
		return futex_wake(a, shared, (int)val, FUTEX_BITSET_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(a, shared, (int)val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(a, shared, b, shared, (int)val, (int)arg4,
				     NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(a, shared, b, shared, (int)val, (int)arg4,
				     &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(a, b, shared, (int)val, (int)arg4, val3);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(a, b, shared, val,
					     FUTEX_BITSET_ANY, deadline);
	case FUTEX_CMP_REQUEUE_PI:
		return val == 1 ? futex_cmp_requeue_pi(a, b, shared, (int)arg4,
						       val3)
				: -EINVAL;
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(a, shared, false, deadline);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(a, shared, true, WAIT_FOREVER);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(a, shared);
	default:
		return -ENOSYS;
	}
}

/* --- futex2: futex_waitv(2), futex_wake, futex_wait, futex_requeue */

#define WAITV_MAX    128u
#define FUTEX2_SIZE  3u
#define FUTEX2_U32   2u
#define FUTEX2_KNOWN (FUTEX2_SIZE | FUTEX_PRIVATE_FLAG)
#define CLOCK_REAL   0
#define CLOCK_MONO   1

struct waitv {
	u64 val, addr;
	u32 flags, reserved;
};

/* Flags and 32-bit values of the newer calls. */
static bool futex2_valid(u32 flags, u64 a, u64 b)
{
	return !(flags & ~FUTEX2_KNOWN) &&
	       (flags & FUTEX2_SIZE) == FUTEX2_U32 && !(a >> 32) && !(b >> 32);
}

static int read_waiters(struct futex_multi *m, uaddr_t from, u32 nr)
{
	struct waitv w;

	for (u32 i = 0; i < nr; i++) {
		if (copy_from_user(&w, from + i * sizeof(w), sizeof(w)))
			return -EFAULT;
		if (w.reserved || !futex2_valid(w.flags, w.val, 0))
			return -EINVAL;
		m[i].addr = w.addr;
		m[i].val = (u32)w.val;
		m[i].shared = !(w.flags & FUTEX_PRIVATE_FLAG);
	}
	return 0;
}

SYSCALL5(449, futex_waitv, uaddr_t, waiters, u32, nr, u32, flags, uaddr_t, uts,
	 int, clock)
{
	struct futex_multi *m;
	u64 deadline;
	s64 r;

	if (flags || !nr || nr > WAITV_MAX || !waiters)
		return -EINVAL;
	if (uts && clock != CLOCK_REAL && clock != CLOCK_MONO)
		return -EINVAL;
	r = read_deadline(uts, false, clock == CLOCK_REAL, &deadline);
	if (r)
		return r;
	m = kcalloc(nr, sizeof(*m));
	if (!m)
		return -ENOMEM;
	r = read_waiters(m, waiters, nr);
	if (!r)
		r = futex_wait_multiple(m, nr, deadline);
	kfree(m);
	return r;
}

SYSCALL4(454, futex_wake, uaddr_t, a, u64, mask, int, nr, u32, flags)
{
	if (!futex2_valid(flags, mask, 0) || !mask)
		return -EINVAL;
	return nr ? futex_wake(a, !(flags & FUTEX_PRIVATE_FLAG), nr, (u32)mask)
		  : 0;
}

SYSCALL6(455, futex_wait, uaddr_t, a, u64, val, u64, mask, u32, flags, uaddr_t,
	 uts, int, clock)
{
	u64 deadline;
	int err;

	if (!futex2_valid(flags, val, mask) || !mask)
		return -EINVAL;
	if (uts && clock != CLOCK_REAL && clock != CLOCK_MONO)
		return -EINVAL;
	err = read_deadline(uts, false, clock == CLOCK_REAL, &deadline);
	return err ? err
		   : futex_wait(a, !(flags & FUTEX_PRIVATE_FLAG), (u32)val,
				(u32)mask, deadline);
}

SYSCALL4(456, futex_requeue, uaddr_t, waiters, u32, flags, int, nr_wake, int,
	 nr_move)
{
	struct futex_multi m[2];
	int err;

	if (flags || !waiters)
		return -EINVAL;
	err = read_waiters(m, waiters, 2);
	return err ? err
		   : futex_requeue(m[0].addr, m[0].shared, m[1].addr,
				   m[1].shared, nr_wake, nr_move, &m[0].val);
}
