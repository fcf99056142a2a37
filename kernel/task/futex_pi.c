/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex_pi.c - futexes whose word names the owner.
 *
 * The word holds the owner's tid; FUTEX_WAITERS makes its unlock come here.  The
 * kernel hands the word to the waiter that came first: threads have no real-time
 * priorities here, so there is none to inherit.
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
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

u32 futex_nr_pi;

bool futex_owner_lives(u32 tid)
{
	bool lives;

	spin_lock(&task_lock);
	lives = thread_find(pid_given((int)tid)) != NULL;
	spin_unlock(&task_lock);
	return lives;
}

/*
 * One look at the word, the lock is held.  0: ours now; -EBUSY: owned, and
 * FUTEX_WAITERS is set; -EAGAIN: fault it in, or it changed, and try again.
 */
static int try_lock(struct futex_bucket *b, const struct futex_key *key,
		    uaddr_t a, bool mark, u32 *owner)
{
	u32 me = (u32)current->ns_tid, old, new, seen;
	bool more;
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
		if (futex_first_pi(b, key, &more))
			new |= FUTEX_WAITERS;
	}
	err = user_cmpxchg_u32_nofault(a, old, new, &seen);
	if (err)
		return err;
	if (seen != old)
		return -EAGAIN;
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

int futex_lock_pi(uaddr_t a, bool shared, bool try_only, u64 deadline_ns)
{
	struct futex_q q = { .bitset = FUTEX_BITSET_ANY, .pi = true };
	struct futex_bucket *b;
	u32 owner = 0, checked = 0;
	int err = futex_key(a, shared, &q.key);

	if (err)
		return err;
	b = futex_bucket(&q.key);
	for (;;) {
		err = lock_or_busy(b, &q.key, a, !try_only, &owner);
		if (err != -EBUSY)
			return err;
		if (try_only) {
			spin_unlock(&b->lock);
			return -EAGAIN;
		}
		if (owner == checked)
			break;
		/* task_lock comes before ours: look, then lock again. */
		spin_unlock(&b->lock);
		if (!futex_owner_lives(owner))
			return -ESRCH;
		checked = owner;
	}
	futex_queue(&q, b);
	atomic_inc(&futex_nr_pi);
	spin_unlock(&b->lock);
	err = futex_suspend(&q, deadline_ns);
	atomic_dec(&futex_nr_pi);
	if (!futex_unqueue(&q))
		return 0; /* it was handed to us */
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
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
	if (q)
		futex_wake_q(q);
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
