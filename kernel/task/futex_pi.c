/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex_pi.c - futexes whose word names the owner.
 *
 * The word holds the owner's tid; FUTEX_WAITERS makes its unlock come here.  The
 * kernel hands the word to the most urgent waiter, of equals to the one that came first.
 * Meanwhile the owner has its waiters' priority (pi.h).
 *
 * INVARIANTS
 *   I1  While a waiter is queued the word has FUTEX_WAITERS or names an owner that
 *       was given it under the bucket's lock.
 *
 * Locking: the word of a PI futex that has waiters changes under the bucket's lock.
 */
#include <kernel/task/futex.h>

#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/sched/wait.h>
#include <kernel/task/pi.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

u32 futex_nr_pi;

struct thread *futex_owner(u32 tid)
{
	return thread_find(pid_given((int)tid));
}

/*
 * One look at the word, the lock is held.  0: ours now; -EBUSY: owned, and
 * FUTEX_WAITERS is set; -EAGAIN: fault it in, or it changed, and try again.
 */
static int try_lock(struct futex_bucket *b, const struct futex_key *key,
		    uaddr_t a, bool mark, u32 *owner)
{
	u32 me = (u32)current->ns_tid, old, new, seen;
	bool more, waited_for = false;
	int err = get_user_u32_nofault(&old, a);

	if (err)
		return err;
	*owner = old & FUTEX_TID_MASK;
	if (*owner == me)
		return -EDEADLK;
	if (*owner) {
		if (!mark || (old & FUTEX_WAITERS))
			return -EBUSY;
		new = old | FUTEX_WAITERS;
	} else {
		new = me | (old & FUTEX_OWNER_DIED);
		waited_for = futex_first_pi(b, key, &more);
		if (waited_for)
			new |= FUTEX_WAITERS;
	}
	err = user_cmpxchg_u32_nofault(a, old, new, &seen);
	if (err)
		return err;
	if (seen != old)
		return -EAGAIN;
	if (waited_for)
		pi_hand_over(b, key, current);
	return *owner ? -EBUSY : 0;
}

/* The lock is held on return, with -EBUSY; else not. */
static int lock_or_busy(struct futex_bucket *b, const struct futex_key *key,
			uaddr_t a, bool mark, u32 *owner)
{
	for (;;) {
		int err;

		spin_lock(&b->lock);
		err = try_lock(b, key, a, mark, owner);
		if (err == -EBUSY)
			return err;
		spin_unlock(&b->lock);
		if (err != -EAGAIN)
			return err;
		err = user_fault_in(a, 4, true);
		if (err)
			return err;
		cond_resched();
	}
}

/* -EBUSY: @q waits now, for whoever owns the word.  Else as try_lock(); or why it cannot
 * wait. */
static int enqueue(struct futex_bucket *b, struct futex_q *q, uaddr_t a)
{
	struct thread *t;
	u32 owner;
	int err;

	spin_lock(&task_lock); /* comes before ours: the owner lives */
	spin_lock(&b->lock);
	err = try_lock(b, &q->key, a, true, &owner);
	if (err == -EBUSY) {
		t = futex_owner(owner);
		err = t ? pi_wait(q, t) : -ESRCH;
		if (!err) {
			futex_queue(q, b);
			atomic_inc(&futex_nr_pi);
			err = -EBUSY;
		}
	}
	spin_unlock(&b->lock);
	spin_unlock(&task_lock);
	return err;
}

/* 0: it was handed to us. */
static int wait_for_it(struct futex_q *q, u64 deadline_ns)
{
	int err = futex_suspend(q, deadline_ns);
	bool waited = futex_unqueue(q);

	atomic_dec(&futex_nr_pi);
	pi_done(q);
	if (!waited)
		return 0;
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

int futex_lock_pi(uaddr_t a, bool shared, bool try_only, u64 deadline_ns)
{
	struct futex_q q = { .bitset = FUTEX_BITSET_ANY,
			     .pi = true,
			     .thread = current };
	struct futex_bucket *b;
	u32 owner = 0;
	int err = futex_key(a, shared, &q.key);

	if (err)
		return err;
	b = futex_bucket(&q.key);
	do {
		err = lock_or_busy(b, &q.key, a, !try_only, &owner);
		if (err != -EBUSY)
			return err;
		spin_unlock(&b->lock);
		if (try_only)
			return -EAGAIN;
		err = enqueue(b, &q, a);
		if (err == -EBUSY)
			return wait_for_it(&q, deadline_ns);
	} while (err == -EAGAIN || err == -EFAULT);
	return err;
}

/* -EAGAIN: fault it in or try again. */
static int unlock_held(struct futex_bucket *b, const struct futex_key *key,
		       uaddr_t a)
{
	u32 me = (u32)current->ns_tid, old, new = 0, seen;
	struct futex_q *q;
	bool more;
	int err = get_user_u32_nofault(&old, a);

	if (err)
		return err;
	if ((old & FUTEX_TID_MASK) != me)
		return -EPERM;
	q = futex_first_pi(b, key, &more);
	if (q)
		new = (u32)q->thread->ns_tid | (more ? FUTEX_WAITERS : 0);
	err = user_cmpxchg_u32_nofault(a, old, new, &seen);
	if (err)
		return err;
	if (seen != old)
		return -EAGAIN;
	if (q) {
		pi_hand_over(b, key, q->thread);
		futex_wake_q(q);
	}
	return 0;
}

int futex_unlock_pi(uaddr_t a, bool shared)
{
	struct futex_bucket *b;
	struct futex_key key;
	int err = futex_key(a, shared, &key);

	if (err)
		return err;
	b = futex_bucket(&key);
	for (;;) {
		spin_lock(&b->lock);
		err = unlock_held(b, &key, a);
		spin_unlock(&b->lock);
		if (err != -EAGAIN)
			return err;
		err = user_fault_in(a, 4, true);
		if (err)
			return err;
		cond_resched();
	}
}
