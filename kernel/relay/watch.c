/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/watch.c - a hart that does not answer is noticed.
 *
 * There is no tick that could look.  But who wants an answer and goes to sleep for it
 * can: an application hart that finds its newest request still in the ring arms a
 * one-shot timer for the time of its sleep.  When that expires and the service hart
 * has taken no message since, the log names it, once, and what it is doing.
 *
 * The other way round it is the same: a service hart that goes to sleep while what it
 * sent to an application hart has not been taken looks again a second later.  An
 * application hart that computes takes it at once, for it is interrupted; so one
 * that does not is stuck in the kernel.  This timer is left alone when the service
 * hart wakes up, so it is armed once a second at most; a service hart that never
 * sleeps arms none.
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
#include <lib/errno.h>

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

/* Application harts that have not taken all that @h sent. */
static u64 lagging(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	u64 apps = 0;

	for (u32 i = 0; i < nr_harts; i++) {
		const struct msgring *ring = r->out[i];

		if (!ring || !(harts[i]->role & ROLE_APP))
			continue;
		/* relaxed: the next look corrects a stale one */
		if (msgring_prod(ring) != load_once(&ring->head))
			apps |= BIT(i);
		else
			r->watch_named &= ~BIT(i);
	}
	return apps;
}

/* Those of watch_apps that have taken nothing since. */
static void report_apps(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	u64 late = lagging(h) & r->watch_apps & ~r->watch_named;

	for (u32 i = 0; i < nr_harts; i++) {
		const struct thread *t = load_once(&harts[i]->user);

		if (!(late & BIT(i)) ||
		    load_once(&r->out[i]->head) != r->watch_head[i])
			continue;
		r->watch_named |= BIT(i);
		pr_err("relay: hart %u has not taken a completion for %lu ms: in state %u, user thread %s/%d",
		       i, WATCH_NS / NSEC_PER_MSEC, load_once(&harts[i]->state),
		       t ? t->name : "none", t ? t->tid : 0);
		hart_ipi(i);
	}
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

void relay_watch_apps_expired(struct ktimer *k)
{
	report_apps(k->arg);
}

static void watch_apps(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	u64 apps;

	if (ktimer_armed(&r->apps_watch))
		return;
	apps = lagging(h);
	if (likely(!(apps & ~r->watch_named)))
		return;
	r->watch_apps = apps;
	for (u32 i = 0; i < nr_harts; i++) {
		if (apps & BIT(i))
			r->watch_head[i] = load_once(&r->out[i]->head);
	}
	ktimer_arm(&r->apps_watch, clock_mono_ns() + WATCH_NS);
}

void relay_watch_begin(struct hart *h)
{
	struct relay_hart *r = relay_of(h);

	if (h->role & ROLE_SERVICE)
		watch_apps(h);
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

int relay_watch_stall_app(u32 us)
{
	struct hart *home = current->home;

	if (!home || home == this_hart())
		return -EBUSY;
	return relay_probe_begin(home, PROBE_STALL, us) ? 0 : -EBUSY;
}
