/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/wait.c - wait queues and sleeping locks; see wait.h.
 *
 * INVARIANTS
 *   W1  Between wait_prepare() and wait_finish() the thread's state is WAITING, or
 *       READY when somebody woke it; READY means that it is on a ready list or in a
 *       ring and must leave its stack once, to be taken from there.
 *   W2  A waker takes default waiters off the queue, so nobody is woken twice for
 *       one wait and an exclusive wake-up is consumed by whom it chose.
 *
 * ORDERING
 *   WAKE   of kernel/relay/relay.h.
 *   MUTEX  the holder's stores before locked becomes 0; the next holder's exchange of
 *          it before its loads.
 */
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/hart.h>
#include <kernel/relay/relay.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>

void waitq_init(struct waitq *wq)
{
	spin_init(&wq->lock, "waitq", RANK_WAITQ);
	list_init(&wq->list);
}

void waiter_init(struct waiter *w)
{
	*w = (struct waiter){ .thread = current };
	list_init(&w->node);
}

void waitq_add(struct waitq *wq, struct waiter *w)
{
	spin_lock(&wq->lock);
	KASSERT(!list_is_linked(&w->node));
	list_add_tail(&w->node, &wq->list);
	spin_unlock(&wq->lock);
}

void waitq_del(struct waitq *wq, struct waiter *w)
{
	spin_lock(&wq->lock);
	list_del(&w->node);
	spin_unlock(&wq->lock);
}

/* wq->lock is held. */
static void wake_held(struct waitq *wq, unsigned int nr, u64 key)
{
	struct waiter *w, *next;

	list_for_each_entry_safe(w, next, &wq->list, node) {
		bool exclusive = w->exclusive;

		if (w->fn) {
			if (!w->fn(w, key))
				continue;
		} else {
			struct thread *t = w->thread;

			/* Off the list first: once awake, w may be gone. */
			list_del(&w->node);
			if (!thread_wake(t))
				continue;
		}
		if (exclusive && !--nr)
			break;
	}
}

void wake_up_nr_key(struct waitq *wq, unsigned int nr, u64 key)
{
	/* WAKE (full) - pairs with wait_prepare(): the condition, then the queue. */
	smp_mb();
	if (list_empty(&wq->list))
		return;
	spin_lock(&wq->lock);
	wake_held(wq, nr, key);
	spin_unlock(&wq->lock);
}

void wake_up_nested_key(struct waitq *wq, u64 key)
{
	/* WAKE (full) - pairs with wait_prepare(): the condition, then the queue. */
	smp_mb();
	if (list_empty(&wq->list))
		return;
	spin_lock_nested(&wq->lock);
	wake_held(wq, ~0u, key);
	spin_unlock(&wq->lock);
}

void wake_up_all_key(struct waitq *wq, u64 key)
{
	wake_up_nr_key(wq, ~0u, key);
}

void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible)
{
	struct thread *t = current;

	KASSERT(t && w->thread == t);
	spin_lock(&wq->lock);
	if (!list_is_linked(&w->node))
		list_add_tail(&w->node, &wq->list);
	/* Still READY from a wake-up that was not consumed: stay so (W1). */
	if (t->state == THREAD_RUNNING)
		store_once(&t->state, THREAD_WAITING);
	spin_unlock(&wq->lock);
	store_once(&t->interruptible, interruptible);
	/* WAKE (full) - pairs with thread_wake() and wake_up_nr_key(). */
	smp_mb();
}

/* Leave the stack until taken from the ready list. */
static void leave(struct thread *t)
{
	KASSERT(!this_hart()->lock_depth);
	if (unlikely(this_hart()->plug))
		blk_plug_end();
	t->nr_vcsw++;
	t->gave_up = (t->suspended_once && t->gave_up) || t->interruptible;
	co_leave(t, CO_SUSPENDED);
	KASSERT(t->state == THREAD_RUNNING);
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
	struct thread *t = current;

	store_once(&t->interruptible, 0);
	if (t->state != THREAD_RUNNING &&
	    atomic_cmpxchg(&t->state, THREAD_WAITING, THREAD_RUNNING) !=
		    THREAD_WAITING)
		leave(t);
	/* The list may only be read without the lock by who is not on it. */
	waitq_del(wq, w);
}

static void timer_wake(struct ktimer *k)
{
	thread_wake(k->arg);
}

int wait_suspend(u64 deadline_ns)
{
	struct thread *t = current;
	struct ktimer timer;
	bool timed = deadline_ns != WAIT_FOREVER;

	if (t->interruptible && signal_pending_current())
		return -ERESTARTSYS;
	if (timed) {
		if (deadline_ns <= clock_mono_ns())
			return -ETIMEDOUT;
		ktimer_init(&timer, timer_wake, t);
		ktimer_arm(&timer, deadline_ns);
	}
	leave(t);
	if (timed && !ktimer_cancel(&timer) && deadline_ns <= clock_mono_ns())
		return -ETIMEDOUT;
	if (t->interruptible && signal_pending_current())
		return -ERESTARTSYS;
	return 0;
}

int sleep_until_ns(u64 deadline_ns, bool interruptible)
{
	struct waitq wq = WAITQ_INIT(wq);
	int r;

	r = wait_event_common(&wq, false, interruptible, deadline_ns);
	return r == -ETIMEDOUT ? 0 : r;
}

void mutex_init(struct mutex *m)
{
	*m = (struct mutex){ 0 };
	waitq_init(&m->wq);
}

bool mutex_trylock(struct mutex *m)
{
	/* MUTEX (acquire) - pairs with mutex_unlock(). */
	if (atomic_xchg(&m->locked, 1))
		return false;
	m->owner = current;
	return true;
}

/* Out of line: whoever does not wait need not save registers for it. */
static __attribute__((noinline)) void mutex_wait(struct mutex *m)
{
	KASSERT(m->owner != current || !current);
	wait_event(&m->wq, mutex_trylock(m));
}

void mutex_lock(struct mutex *m)
{
	KASSERT(!this_hart()->lock_depth);
	if (unlikely(!mutex_trylock(m)))
		mutex_wait(m);
}

void mutex_unlock(struct mutex *m)
{
	KASSERT(m->owner == current);
	m->owner = NULL;
	/* MUTEX (release) - pairs with mutex_trylock().  The exchange is WAKE's fence
	 * too: unlocked, then the queue. */
	atomic_xchg(&m->locked, 0);
	if (unlikely(!list_empty(&m->wq.list)))
		wake_up_all(&m->wq);
}

bool mutex_held(const struct mutex *m)
{
	return m->locked && m->owner == current;
}

void rwsem_init(struct rwsem *s)
{
	*s = (struct rwsem){ 0 };
	waitq_init(&s->wq);
}

/*
 * One word, `readers`: -1 a writer, n > 0 readers.  Waiting writers are counted
 * apart so that new readers let them pass.
 */
static bool try_read(struct rwsem *s)
{
	for (;;) {
		int n = load_once(&s->readers);

		if (n < 0 || load_once(&s->writers_waiting))
			return false;
		if (atomic_cmpxchg(&s->readers, n, n + 1) == n)
			return true;
	}
}

static bool try_write(struct rwsem *s)
{
	if (atomic_cmpxchg(&s->readers, 0, -1))
		return false;
	s->writer = current;
	return true;
}

void down_read(struct rwsem *s)
{
	KASSERT(!this_hart()->lock_depth);
	if (unlikely(!try_read(s)))
		wait_event(&s->wq, try_read(s));
}

void up_read(struct rwsem *s)
{
	int n = atomic_add_return(&s->readers, -1);

	KASSERT(n >= 0);
	if (!n)
		wake_up_all(&s->wq);
}

void down_write(struct rwsem *s)
{
	KASSERT(!this_hart()->lock_depth);
	if (likely(try_write(s)))
		return;
	KASSERT(s->writer != current || !current);
	atomic_inc(&s->writers_waiting);
	wait_event(&s->wq, try_write(s));
	atomic_dec(&s->writers_waiting);
	/* Readers that gave way may only now find nobody waiting; they are woken
	 * by up_write(). */
}

void up_write(struct rwsem *s)
{
	KASSERT(s->readers == -1);
	s->writer = NULL;
	atomic_xchg(&s->readers, 0);
	wake_up_all(&s->wq);
}
