/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex_waitv.c - wait for one of several words to change.
 *
 * The thread queues once for each word.  Whoever wakes it marks the one entry; which
 * that was is found when all are taken off their buckets again, so the first in the
 * array that was woken is what the caller hears of.
 *
 * Context: coroutine, no spinlock.
 */
#include <kernel/task/futex.h>

#include <kernel/sched/wait.h>
#include <kernel/time/posix.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static struct waitq nobody = WAITQ_INIT(nobody); /* wakers know the thread */

static bool any_woken(const struct futex_multi *m, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		if (load_once(&m[i].q.woken))
			return true;
	}
	return false;
}

/* Take the first @nr off; the index of one that was woken, or @none. */
static int unqueue_all(struct futex_multi *m, u32 nr, int none)
{
	int woken = none;

	for (u32 i = 0; i < nr; i++) {
		if (!futex_unqueue(&m[i].q) && woken == none)
			woken = (int)i;
	}
	return woken;
}

static int queue_one(struct futex_multi *m)
{
	struct futex_bucket *b;
	int err;

	m->q = (struct futex_q){ .bitset = FUTEX_BITSET_ANY };
	err = futex_key(m->addr, m->shared, &m->q.key);
	if (err)
		return err;
	b = futex_bucket(&m->q.key);
	err = futex_lock_and_compare(b, m->addr, m->val);
	if (err)
		return err;
	futex_queue(&m->q, b);
	spin_unlock(&b->lock);
	return 0;
}

int futex_wait_multiple(struct futex_multi *m, u32 nr, u64 deadline_ns)
{
	int err;

	for (u32 i = 0; i < nr; i++) {
		err = queue_one(&m[i]);
		if (err)
			return unqueue_all(m, i, err);
	}
	err = wait_event_clock(&nobody, any_woken(m, nr), deadline_ns);
	return unqueue_all(m, nr, err);
}
