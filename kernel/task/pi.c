/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pi.c - priority inheritance; see pi.h.
 *
 * One lock for all of it: only those come here who have to wait for a PI futex, or let
 * one go for which somebody waits.
 */
#include <kernel/task/pi.h>

#include <kernel/sched/thread.h>
#include <kernel/task/futex.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define CHAIN_MAX 1024u

static struct spinlock pi_lock = SPINLOCK_INIT("pi", RANK_PI);

/* It may have changed for @t: and for whom it waits.  pi_lock held. */
static void adjust(struct thread *t)
{
	while (t) {
		u8 prio = t->own_prio;
		struct futex_q *q;

		list_for_each_entry(q, &t->pi_waiters, pi_node)
			prio = max(prio, q->thread->rt_prio);
		if (prio == t->rt_prio)
			return;
		store_once(&t->rt_prio, prio);
		thread_prio_changed(t);
		t = t->pi_on ? t->pi_on->owner : NULL;
	}
}

static void link(struct futex_q *q, struct thread *owner)
{
	q->owner = owner;
	q->thread->pi_on = q;
	list_add_tail(&q->pi_node, &owner->pi_waiters);
}

/* For whom it waited, or NULL. */
static struct thread *unlink(struct futex_q *q)
{
	struct thread *owner = q->owner;

	if (!owner)
		return NULL;
	list_del(&q->pi_node);
	q->owner = NULL;
	return owner;
}

/* Or through so many that they may be a circle, which a requeue can make. */
static bool waits_for(const struct thread *t, const struct thread *who)
{
	u32 n = 0;

	while (t != who && t->pi_on && t->pi_on->owner && ++n < CHAIN_MAX)
		t = t->pi_on->owner;
	return t == who || n == CHAIN_MAX;
}

bool pi_is_circle(const struct thread *t, const struct thread *owner)
{
	bool yes;

	spin_lock(&pi_lock);
	yes = waits_for(owner, t);
	spin_unlock(&pi_lock);
	return yes;
}

int pi_wait(struct futex_q *q, struct thread *owner)
{
	int err = 0;

	spin_lock(&pi_lock);
	if (owner->pi_dead)
		err = -ESRCH;
	else if (waits_for(owner, q->thread))
		err = -EDEADLK;
	if (!err) {
		link(q, owner);
		adjust(owner);
	}
	spin_unlock(&pi_lock);
	return err;
}

void pi_done(struct futex_q *q)
{
	spin_lock(&pi_lock);
	q->thread->pi_on = NULL;
	adjust(unlink(q));
	spin_unlock(&pi_lock);
}

void pi_hand_over(struct futex_bucket *b, const struct futex_key *key,
		  struct thread *owner)
{
	struct thread *old, *last = NULL;
	struct futex_q *q;

	assert_held(&b->lock);
	spin_lock(&pi_lock);
	list_for_each_entry(q, &b->waiters, node) {
		if (!q->pi || !futex_key_equal(&q->key, key))
			continue;
		old = unlink(q);
		if (q->thread != owner)
			link(q, owner);
		if (last && last != old)
			adjust(last);
		last = old;
	}
	adjust(last);
	adjust(owner);
	spin_unlock(&pi_lock);
}

void pi_owner_gone(bool dead)
{
	struct thread *t = current;

	if (likely(!dead && list_empty(&t->pi_waiters)))
		return;
	spin_lock(&pi_lock);
	t->pi_dead = dead;
	while (!list_empty(&t->pi_waiters))
		unlink(list_first_entry(&t->pi_waiters, struct futex_q,
					pi_node));
	adjust(t);
	spin_unlock(&pi_lock);
}

void pi_set_own(struct thread *t, u8 prio)
{
	spin_lock(&pi_lock);
	store_once(&t->own_prio, prio);
	adjust(t);
	spin_unlock(&pi_lock);
}
