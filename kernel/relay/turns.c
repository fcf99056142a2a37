/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/turns.c - how long a thread has its hart when others wait for it.
 *
 * A turn is a slice: its timer runs only while somebody waits.  Who has it is
 * relay_hart.turn_of, over its calls too: as it would without a relay, a thread keeps its
 * turn while it is in a call.  Who has the hart meanwhile (relay_hart.borrower) gives it back
 * when the thread returns (relay_user_ready()); if this turn ends before that, the next
 * one is its own, and began when it got the hart.  But only one that computes
 * (thread.computes) is made to: others will call soon, and two that wake each other would
 * change places twice as often.  Where still others wait, one that computes has no more
 * than a turn of what was lent, and owes it: else all that sleepers leave of their
 * turns would be for the first of the queue.
 *
 * Turns end late: a call that runs here is not interrupted, and a hart may itself have
 * been without a processor (a loaded host of an emulator).  What a thread had too much it
 * owes (thread.turn_debt), and it is passed over until that was a turn less for each turn
 * owed.  So shares hold in the long run, whatever a turn came to.
 *
 * A coroutine that runs on a hart with user threads (a local call) has turns as well.  If
 * its turn is over at cond_resched(), it waits (relay_hart.later) until user code had
 * one.  Others that are ready go before user code: they have waited for something, and
 * are short as a rule.
 *
 * Context: the hart itself, interrupts off; nothing sleeps.  Real-time threads have turns
 * of their own (relay_enqueue()), and owe nothing.
 */
#include <kernel/cgroup/cgroup.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>

#define SLICE_KEEP 16u
#define DEBT_SMALL 20u /* such a part of an ordinary turn is not looked at */
#define DEBT_MOST  64u /* ordinary turns that one owes at most */
#define LOOK_MOST  64u /* of a queue: for who owes none */

/* From a twentieth (nice 19, SCHED_IDLE) to the double (-20); a turn of SCHED_RR. */
static u64 slice_of(struct hart *h, const struct thread *t)
{
	s32 nice = t->sched_policy == SCHED_IDLE ? 19 : load_once(&t->nice);

	if (unlikely(t->rt_prio))
		return load_once(&sched_rr_ms) * NSEC_PER_MSEC;
	if (unlikely(load_once(&cgroup_nr_cpu)))
		return cgroup_turn_ns(h, t, relay_slice_ns);
	if (likely(!nice))
		return relay_slice_ns;
	return relay_slice_ns * (u64)(20 - nice) / 20;
}

/* @t had its hart for @ns too long. */
static void owes(struct thread *t, u64 ns)
{
	if (!t->rt_prio)
		t->turn_debt =
			min(t->turn_debt + ns, DEBT_MOST * relay_slice_ns);
}

/* @t's turn goes on, or begins, and ends then. */
static void set_turn(struct relay_hart *r, struct thread *t, u64 ends)
{
	r->turn_of = t;
	r->borrower = NULL;
	r->lent_short = false;
	r->turn_ends = ends;
	ktimer_arm(&r->slice, ends);
}

/* Another thread's turn ends while @t has the hart: had it less than a turn itself? */
static bool turn_goes_on(struct hart *h, struct thread *t, u64 now)
{
	struct relay_hart *r = relay_of(h);
	u64 had = clock_cycles_to_ns(rdcycle() - r->lent_at);
	u64 slice = slice_of(h, t);

	if (had >= slice) {
		owes(t, had - slice);
		return false;
	}
	set_turn(r, t, now + slice - had);
	return true;
}

/* Who has the hart came back from a wait in the turn that ends: that of one that is in
 * the queue, as a rule, and goes to its end. */
static void turn_passes(struct hart *h, struct thread *t, u64 now)
{
	struct relay_hart *r = relay_of(h);
	struct thread *o;

	list_for_each_entry(o, &h->runq, run_node) {
		if (o != r->turn_of)
			continue;
		if (o->rt_prio)
			break;
		list_del(&o->run_node);
		list_add_tail(&o->run_node, &h->runq);
		break;
	}
	set_turn(r, t, now + slice_of(h, t));
}

void relay_slice_expired(struct ktimer *k)
{
	struct hart *h = k->arg;
	struct relay_hart *r = relay_of(h);
	struct thread *t = h->user;
	bool lent =
		t && r->turn_of && t != r->turn_of && !t->rt_prio && h->nr_runq;
	u64 now = clock_mono_ns();

	if (lent && t != r->borrower) {
		turn_passes(h, t, now);
		return;
	}
	if (t)
		t->computes = true;
	if (t && t == r->turn_of)
		owes(t, now - k->deadline_ns);
	else if (lent && turn_goes_on(h, t, now))
		return;
	r->turn_of = NULL;
	r->preempt |= PREEMPT_TURN;
}

/* How many whole turns @t owes. */
static u64 turns_owed(struct hart *h, const struct thread *t)
{
	if (likely(t->turn_debt < relay_slice_ns / DEBT_SMALL) || t->rt_prio)
		return 0;
	return t->turn_debt / slice_of(h, t);
}

/* A weight may have changed since they were counted. */
static void pay(struct hart *h, struct thread *t, u64 turns)
{
	t->turn_debt -= min(t->turn_debt, turns * slice_of(h, t));
}

/* All in the queue, and @t unless it is NULL, owe turns: as many as the least of them pass
 * without anybody's having them. */
static void pass_over(struct hart *h, struct thread *t)
{
	u64 least = t ? turns_owed(h, t) : DEBT_MOST * DEBT_SMALL;
	struct thread *o;
	u32 n = 0;

	list_for_each_entry(o, &h->runq, run_node) {
		if (least && ++n <= LOOK_MOST)
			least = min(least, turns_owed(h, o));
	}
	if (!least)
		return;
	if (t)
		pay(h, t, least);
	n = 0;
	list_for_each_entry(o, &h->runq, run_node) {
		if (++n <= LOOK_MOST)
			pay(h, o, least);
	}
}

bool relay_keeps_hart(struct hart *h, struct thread *t)
{
	struct relay_hart *r = relay_of(h);
	struct thread *o, *next;
	u32 n = 0;

	pass_over(h, t);
	list_for_each_entry_safe(o, next, &h->runq, run_node) {
		if (++n > LOOK_MOST || !turns_owed(h, o))
			return false;
		pay(h, o, 1);
		list_del(&o->run_node);
		list_add_tail(&o->run_node, &r->paid);
	}
	return true;
}

void relay_paid(struct hart *h)
{
	list_splice_tail_init(&relay_of(h)->paid, &h->runq);
}

/* The first who owes nothing; if there are real-time threads, the first of them. */
struct thread *relay_borrower(struct hart *h)
{
	struct thread *t, *first;
	u32 n = 0;

	first = list_first_entry(&h->runq, struct thread, run_node);
	if (first->rt_prio || !turns_owed(h, first))
		return first;
	pass_over(h, NULL);
	list_for_each_entry(t, &h->runq, run_node) {
		if (!turns_owed(h, t))
			return t;
		if (++n == LOOK_MOST)
			break;
	}
	return first;
}

void relay_slice_arm(struct hart *h, struct thread *t)
{
	struct relay_hart *r = relay_of(h);

	r->slice_alone = 0;
	if (ktimer_armed(&r->slice))
		return;
	set_turn(r, t, clock_mono_ns() + slice_of(h, t));
}

void relay_lend_less(struct hart *h, struct thread *t)
{
	struct relay_hart *r = relay_of(h);
	u64 ends;

	if (t->rt_prio || !ktimer_armed(&r->slice))
		return;
	ends = clock_mono_ns() + slice_of(h, t);
	if (ends >= r->turn_ends)
		return;
	r->lent_short = true;
	ktimer_arm(&r->slice, ends);
}

void relay_given_back(struct hart *h, struct thread *t)
{
	struct relay_hart *r = relay_of(h);

	r->borrower = NULL;
	if (h->nr_runq)
		owes(t, clock_cycles_to_ns(rdcycle() - r->lent_at));
	if (r->lent_short && ktimer_armed(&r->slice))
		ktimer_arm(&r->slice, r->turn_ends);
	r->lent_short = false;
}

void relay_coroutine_yielded(struct hart *h, struct thread *t)
{
	struct relay_hart *r = relay_of(h);

	if (likely(!relay_user_waits(h))) {
		list_add_tail(&t->run_node, &h->ready);
		return;
	}
	relay_take_interrupts(h); /* the end of its turn may be one of them */
	if (!(r->preempt & PREEMPT_TURN)) {
		list_add_tail(&t->run_node, &h->ready);
		return;
	}
	r->preempt &= (u8)~PREEMPT_TURN;
	r->turn_of = NULL;
	list_add_tail(&t->run_node, &r->later);
}

void relay_coroutines_turn(struct hart *h)
{
	list_splice_tail_init(&relay_of(h)->later, &h->ready);
}

/* Nobody waits any more: no interrupt for it either. */
void relay_slice_disarm(struct hart *h)
{
	relay_of(h)->turn_of = NULL;
	if (ktimer_try_cancel(&relay_of(h)->slice))
		timer_prepare_sleep(h);
}

/*
 * Two threads that make calls wait for each other at every other moment: the timer
 * stays until it is clear that nobody does any more.
 */
void relay_slice_unwanted(struct hart *h)
{
	if (++relay_of(h)->slice_alone >= SLICE_KEEP)
		relay_slice_disarm(h);
}
