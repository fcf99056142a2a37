/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/sqpoll.c - the poller: a coroutine on a service hart that takes
 * submissions as soon as they are in the ring.  A program that only writes and reads
 * its rings never enters the kernel.
 *
 * Between two looks it lets others have the hart.  When nothing came for sq_idle_ns
 * it says so in the ring (SQ_NEED_WAKEUP) and sleeps, until io_uring_enter() or the
 * end.  Where a single hart has both roles it sleeps at once: while it looked, the
 * program could not run.
 *
 * ORDERING
 *   SQWAKE  NEED_WAKEUP, full fence, look at sq_tail; the program: sq_tail, full
 *           fence, look at NEED_WAKEUP.  One of the two sees the other's store.
 *   WAKE  of kernel/relay/relay.h
 */
#include <syscall/uring/uring.h>

#include <kernel/hart.h>
#include <kernel/time/clock.h>

static bool must_end(const struct uring *r, const struct uring_pool *p)
{
	return load_once(&r->dead) || load_once(&p->dying);
}

static bool something(const struct uring *r, const struct uring_pool *p)
{
	return must_end(r, p) || load_once(&r->sq_kick) ||
	       (!load_once(&r->disabled) && uring_sq_pending(r));
}

static void sleep_until_called(struct uring *r, struct uring_pool *p)
{
	(void)atomic_fetch_or(&r->sh->sq_flags, SQ_NEED_WAKEUP);
	/* SQWAKE (full) - other end: device (the program's fence). */
	smp_mb();
	wait_event(&r->sq_wq, something(r, p));
	store_once(&r->sq_kick, false);
	(void)atomic_fetch_and(&r->sh->sq_flags, ~(u32)SQ_NEED_WAKEUP);
}

/* How often the clock is asked, which is dear, while nothing comes. */
#define LOOKS 64u

static void submit(struct uring *r, struct uring_pool *p)
{
	(void)uring_submit_alone(r, p, r->sq_entries);
	uring_reap(p);
	/* WAKE (full) - pairs with wait_prepare(): sq_head, then the queues. */
	smp_mb();
	if (!list_empty(&r->sq_wq.list)) /* who waits for room */
		wake_up_all(&r->sq_wq);
	if (!list_empty(&r->poll_wq.list))
		wake_up_all_key(&r->poll_wq, POLLOUT | POLLWRNORM);
}

void uring_poller(struct uring_worker *w)
{
	struct uring *r = w->ring;
	struct uring_pool *p = w->pool;
	u64 idle = this_hart()->role & ROLE_APP ? 0 : r->sq_idle_ns;
	u64 last = 0; /* when it was last known to have work; 0: just now */
	u32 looks = 0;

	while (!must_end(r, p)) {
		if (!load_once(&r->disabled) && uring_sq_pending(r)) {
			submit(r, p);
			last = 0;
		} else if (!idle || !(looks % LOOKS)) {
			u64 now = clock_mono_ns();

			last = last ? last : now;
			if (now - last >= idle) {
				sleep_until_called(r, p);
				last = 0;
			}
		}
		if (++looks % LOOKS)
			cond_resched_lazy();
		else
			cond_resched();
	}
	/* Nobody takes what comes now: whoever enters must hear of it. */
	(void)atomic_fetch_or(&r->sh->sq_flags, SQ_NEED_WAKEUP);
	store_once(&r->sq_gone, true);
	wake_up_all(&r->sq_wq);
}
