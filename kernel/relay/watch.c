/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/watch.c - a service hart that does not answer is noticed.
 *
 * There is no tick that could look.  But who wants an answer and goes to sleep for it
 * can: an application hart that finds its newest request still in the ring arms a
 * one-shot timer for the time of its sleep.  When that expires and the service hart
 * has taken no message since, the log names it, once, and what it is doing.
 *
 * Costs nothing on the way of a call: a hart that polls has its answer, or its
 * request taken, before it comes here.
 *
 * Context: the hart's loop; the timer's callback too.  No lock.
 */
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>

#define WATCH_NS NSEC_PER_SEC

/* Racy looks at another hart's counters and thread: a report, no decision. */
static u64 progress(const struct hart *svc)
{
	return load_once(&svc->st.batch_msgs);
}

static bool unanswered(const struct relay_hart *r)
{
	const struct msgring *ring = r->to_service;

	/* relaxed: the next look corrects a stale one */
	return ring && msgring_prod(ring) != load_once(&ring->head);
}

static void report(struct relay_hart *r)
{
	struct hart *svc = r->service;
	const struct thread *t = load_once(&svc->cur);
	static u64 reported[MAX_HARTS]; /* [a] progress at the last report */
	u64 now = progress(svc);

	/* Several harts may wait for it. */
	if (atomic_xchg(&reported[svc->cpu], now + 1) == now + 1)
		return;
	if (t)
		pr_err("relay: hart %u has not answered for %lu ms: in a call of %s/%d, number %d",
		       svc->cpu, WATCH_NS / NSEC_PER_MSEC, t->name, t->tid,
		       t->syscall_nr);
	else
		pr_err("relay: hart %u has not answered for %lu ms: in state %u, in no call",
		       svc->cpu, WATCH_NS / NSEC_PER_MSEC,
		       load_once(&svc->state));
}

void relay_watch_expired(struct ktimer *k)
{
	struct relay_hart *r = relay_of(k->arg);

	if (unanswered(r) && progress(r->service) == r->watch_progress) {
		report(r);
		/* Should it have missed the doorbell, this one costs little. */
		hart_ipi(r->service->cpu);
	}
}

void relay_watch_begin(struct hart *h)
{
	struct relay_hart *r = relay_of(h);

	if (likely(!unanswered(r)))
		return;
	r->watch_progress = progress(r->service);
	ktimer_arm(&r->watch, clock_mono_ns() + WATCH_NS);
}

/* The comparator is set back too: no interrupt for nothing. */
void relay_watch_end(struct hart *h)
{
	if (unlikely(ktimer_armed(&relay_of(h)->watch)) &&
	    ktimer_try_cancel(&relay_of(h)->watch))
		timer_prepare_sleep(h);
}
