/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex_requeue_pi.c - from waiting for a word to owning another.
 *
 * A condition variable whose mutex is a PI futex: the waiter says when it goes to
 * sleep which word it wants to own when it wakes up.  Who signals gives it the word,
 * or moves it to the queue of that word, where an unlock finds it.  So a waiter that
 * was woken owns the word; a plain wake-up of it is an error of the program.
 *
 * Locking: both buckets, as a requeue (futex.c).
 */
#include <kernel/task/futex.h>

#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/task/pi.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

int futex_wait_requeue_pi(uaddr_t a, uaddr_t b, bool shared, u32 val,
			  u32 bitset, u64 deadline_ns)
{
	struct futex_q q = { .bitset = bitset,
			     .to_pi = true,
			     .thread = current };
	struct futex_bucket *fb;
	bool waited;
	int err;

	if (!bitset || a == b)
		return -EINVAL;
	err = futex_key(b, shared, &q.pi_key);
	if (!err)
		err = futex_key(a, shared, &q.key);
	if (!err && futex_key_equal(&q.key, &q.pi_key))
		err = -EINVAL;
	if (err)
		return err;
	fb = futex_bucket(&q.key);
	err = futex_lock_and_compare(fb, a, val);
	if (err)
		return err;
	futex_queue(&q, fb);
	atomic_inc(&futex_nr_pi);
	spin_unlock(&fb->lock);
	err = futex_suspend(&q, deadline_ns);
	waited = futex_unqueue(&q);
	atomic_dec(&futex_nr_pi);
	pi_done(&q);
	if (!waited)
		return 0;
	if (err != -ERESTARTSYS)
		return err;
	return q.pi ? -EAGAIN : -ERESTARTNOINTR;
}

struct move {
	struct futex_bucket *from, *to;
	struct futex_key from_key, to_key;
	uaddr_t b;
	u32 owner; /* of the word at @b, as it was seen */
};

/* The first waiter, or NULL; -EINVAL: it waits for something else.  @more: it is not
 * the only one. */
static struct futex_q *first_waiter(const struct move *m, bool *more)
{
	struct futex_q *q, *first = NULL;

	*more = false;
	list_for_each_entry(q, &m->from->waiters, node) {
		if (!futex_key_equal(&q->key, &m->from_key))
			continue;
		if (!q->to_pi || !futex_key_equal(&q->pi_key, &m->to_key))
			return ERR_PTR(-EINVAL);
		*more = first != NULL;
		if (first)
			break;
		first = q;
	}
	return first;
}

/*
 * Give the word to @q, which is woken: 1.  0: it has another owner, and FUTEX_WAITERS.
 * -EFAULT: fault it in; -EAGAIN: it changed.
 */
static int give_word(struct move *m, struct futex_q *q, bool more)
{
	u32 old, new, seen;
	bool others;
	int err = get_user_u32_nofault(&old, m->b);

	if (err)
		return err;
	m->owner = old & FUTEX_TID_MASK;
	if (m->owner == (u32)q->thread->ns_tid)
		return -EDEADLK;
	new = old | FUTEX_WAITERS;
	if (!m->owner) {
		new = (u32)q->thread->ns_tid | (old & FUTEX_OWNER_DIED);
		if (more || futex_first_pi(m->to, &m->to_key, &others))
			new |= FUTEX_WAITERS;
	}
	err = user_cmpxchg_u32_nofault(m->b, old, new, &seen);
	if (err)
		return err;
	if (seen != old)
		return -EAGAIN;
	if (m->owner)
		return 0;
	futex_wake_q(q);
	return 1;
}

/* At most @nr waiters go over, to wait for @owner: how many, or before one has -EINVAL,
 * -EDEADLK. */
static int move_waiters(struct move *m, int nr, const struct thread *owner)
{
	struct futex_q *q, *next;
	int done = 0;

	list_for_each_entry_safe(q, next, &m->from->waiters, node) {
		if (!futex_key_equal(&q->key, &m->from_key))
			continue;
		if (done >= nr)
			break;
		if (!q->to_pi || !futex_key_equal(&q->pi_key, &m->to_key))
			return done ? done : -EINVAL;
		if (pi_is_circle(q->thread, owner))
			return done ? done : -EDEADLK;
		q->to_pi = false;
		q->pi = true;
		futex_move(q, m->to, &m->to_key);
		done++;
	}
	return done;
}

/* All locks are held.  As give_word(), or -ESRCH. */
static int requeue_held(struct move *m, int nr_move)
{
	bool more;
	struct futex_q *first = first_waiter(m, &more);
	struct thread *owner;
	int given, moved;

	if (!first || IS_ERR(first))
		return first ? (int)PTR_ERR(first) : 0;
	given = give_word(m, first, more && nr_move);
	if (given < 0)
		return given;
	/* one who was woken does not get away before the locks are let go */
	owner = given ? first->thread : futex_owner(m->owner);
	if (!owner)
		return -ESRCH;
	moved = move_waiters(m, nr_move + !given, owner);
	if (moved > 0)
		pi_hand_over(m->to, &m->to_key, owner);
	return moved < 0 && !given ? moved : given + max(moved, 0);
}

/* One try; *@fault: what has to be faulted in, with -EFAULT. */
static int try_requeue(struct move *m, int nr_move, uaddr_t a, u32 cmp,
		       uaddr_t *fault)
{
	int r;

	*fault = a;
	spin_lock(&task_lock); /* comes before ours: owners live */
	r = futex_try_lock_two(m->from, m->to, a, &cmp);
	if (!r) {
		*fault = m->b;
		r = requeue_held(m, nr_move);
		futex_unlock_two(m->from, m->to);
	}
	spin_unlock(&task_lock);
	return r;
}

int futex_cmp_requeue_pi(uaddr_t a, uaddr_t b, bool shared, int nr_move,
			 u32 cmp)
{
	struct move m = { .b = b };
	uaddr_t fault;
	int r;

	if (a == b || nr_move < 0)
		return -EINVAL;
	nr_move = min(nr_move, 0x7ffffffe);
	r = futex_key(a, shared, &m.from_key);
	if (!r)
		r = futex_key(b, shared, &m.to_key);
	if (!r && futex_key_equal(&m.from_key, &m.to_key))
		r = -EINVAL;
	if (r)
		return r;
	m.from = futex_bucket(&m.from_key);
	m.to = futex_bucket(&m.to_key);
	for (;;) {
		r = try_requeue(&m, nr_move, a, cmp, &fault);
		if (r != -EFAULT && (r != -EAGAIN || fault == a))
			return r;
		r = user_fault_in(fault, 4, fault == b);
		if (r)
			return r;
		cond_resched();
	}
}
