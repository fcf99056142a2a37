/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/wait.h - suspend a coroutine until an event.
 *
 * A waiter lives on the stack of the coroutine that waits.  The pattern is
 * always: put the waiter on the queue, look at the condition, suspend, take it
 * off; wait_event*() spell it.  A wake-up between looking and suspending is not
 * lost: thread_wake() flips the state and co_suspend() then returns at once.
 *
 * A waiter with a callback (w.fn) is not a coroutine but an observer (poll,
 * epoll, futures): fn runs on the waker's hart under the queue's lock, must not
 * sleep and may only take locks above RANK_WAITQ (thread_wake() is fine).
 *
 * Context: waking - any hart, any lock of rank below RANK_WAITQ held.
 *          waiting - coroutine, no spinlock held.
 */
#ifndef KERNEL_SCHED_WAIT_H
#define KERNEL_SCHED_WAIT_H

#include <kernel/sched/thread.h>
#include <kernel/spinlock.h>
#include <lib/list.h>

struct waitq {
	struct spinlock lock;  /* RANK_WAITQ */
	struct list_head list; /* [lock] of struct waiter, oldest first */
};

struct waiter {
	struct list_head node; /* [waitq.lock] */
	struct thread *thread; /* [I] */
	/* NULL: thread_wake(thread).  Returns true when it counts as woken. */
	bool (*fn)(struct waiter *w, u64 key);
	bool exclusive; /* wake_one() stops after one of these */
	void *arg;	/* for fn */
};

#define WAITQ_INIT(name)                                    \
	{                                                   \
		.lock = SPINLOCK_INIT("waitq", RANK_WAITQ), \
		.list = LIST_HEAD_INIT((name).list)         \
	}

void waitq_init(struct waitq *wq);

/* Wake all / at most @nr exclusive waiters (and every non-exclusive one).
 * @key is handed to callbacks (poll event bits; 0 = unspecified). */
void wake_up_all_key(struct waitq *wq, u64 key);
void wake_up_nr_key(struct waitq *wq, unsigned int nr, u64 key);
/* From a callback, that is, with another queue's lock held: the queues then form a
 * graph without cycles (epoll on epoll). */
void wake_up_nested_key(struct waitq *wq, u64 key);
#define wake_up_all(wq) wake_up_all_key(wq, 0)
#define wake_up_one(wq) wake_up_nr_key(wq, 1, 0)

/* Building blocks. */
void waiter_init(struct waiter *w); /* for current */
void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible);
void wait_finish(struct waitq *wq, struct waiter *w);
void waitq_add(struct waitq *wq, struct waiter *w); /* callbacks */
void waitq_del(struct waitq *wq, struct waiter *w);

/*
 * Suspend current until woken, or until @deadline_ns (CLOCK_MONOTONIC; 
 * WAIT_FOREVER for none).  To be called between wait_prepare() and
 * wait_finish().  Returns 0 when woken, -ETIMEDOUT, or -ERESTARTSYS when
 * prepared interruptible and a signal is pending (also before suspending).
 */
#define WAIT_FOREVER (~0ULL)
int wait_suspend(u64 deadline_ns) __must_check;

/* 0, -ERESTARTSYS (signal) or -ETIMEDOUT. */
#define wait_event_common(wq, cond, intr, deadline)                \
	({                                                         \
		int we_ret = 0;                                    \
		if (!(cond)) {                                     \
			struct waiter we_w;                        \
			waiter_init(&we_w);                        \
			for (;;) {                                 \
				wait_prepare((wq), &we_w, (intr)); \
				if (cond) {                        \
					we_ret = 0;                \
					break;                     \
				}                                  \
				if (we_ret)                        \
					break;                     \
				we_ret = wait_suspend(deadline);   \
			}                                          \
			wait_finish((wq), &we_w);                  \
		}                                                  \
		we_ret;                                            \
	})
#define wait_event(wq, cond) \
	((void)wait_event_common(wq, cond, false, WAIT_FOREVER))
#define wait_event_interruptible(wq, cond) \
	wait_event_common(wq, cond, true, WAIT_FOREVER)
#define wait_event_timeout(wq, cond, deadline_ns) \
	wait_event_common(wq, cond, false, deadline_ns)
#define wait_event_interruptible_timeout(wq, cond, deadline_ns) \
	wait_event_common(wq, cond, true, deadline_ns)

/* Sleep; returns 0 or -ERESTARTSYS early when @interruptible and signalled. */
int sleep_until_ns(u64 deadline_ns, bool interruptible);

/*
 * Sleeping lock.  Recursive use asserts.  Holder may suspend.  FIFO.
 */
struct mutex {
	u32 locked;	      /* [wq.lock] 0 or 1 */
	struct thread *owner; /* [wq.lock] */
	struct waitq wq;
};

#define MUTEX_INIT(name)                    \
	{                                   \
		.wq = WAITQ_INIT((name).wq) \
	}
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_held(const struct mutex *m); /* by current */

/* Many readers or one writer; writers are preferred.  May suspend. */
struct rwsem {
	int readers;	       /* [wq.lock] */
	struct thread *writer; /* [wq.lock] */
	u32 writers_waiting;   /* [wq.lock] */
	struct waitq wq;
};
void rwsem_init(struct rwsem *s);
void down_read(struct rwsem *s);
void up_read(struct rwsem *s);
void down_write(struct rwsem *s);
void up_write(struct rwsem *s);

#endif /* KERNEL_SCHED_WAIT_H */
