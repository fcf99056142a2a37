/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/choose.c - who of those that want a hart has it.
 *
 *	relay_user_ready()	a thread is back from a call, or new: it has the hart
 *				if nobody does, or goes into the queue
 *	relay_choose()		before user code runs: does who has it keep it?
 *
 * hart->user has the hart, the others that want it are in hart->runq: real-time threads
 * by priority first, then who comes back from a wait, then the others in turn.  A
 * thread that is in a call is in neither.  Why another shall have the hart is in
 * relay_hart.preempt; how long a turn is, and whose it is meanwhile, is turns.c.
 *
 * Context: the hart itself, interrupts off; nothing sleeps, no lock.
 */
#include <arch/riscv/csr.h>
#include <kernel/pmu/hooks.h>
#include <kernel/relay/relay.h>
#include <kernel/task/rseq.h>

/* Among equals: a real-time thread by its turn. */
static bool comes_before(const struct thread *t, const struct thread *o,
			 bool front)
{
	return t->rt_prio ? t->turn < o->turn : front;
}

void relay_enqueue(struct hart *h, struct thread *t, bool front)
{
	struct list_head *at = &h->runq;
	struct thread *o;

	/* Before whom?  Everybody has 0 as a rule. */
	list_for_each_entry(o, &h->runq, run_node) {
		if (o->rt_prio == t->rt_prio ? comes_before(t, o, front)
					     : o->rt_prio < t->rt_prio) {
			at = &o->run_node;
			break;
		}
		if (!front && !o->rt_prio && !t->rt_prio)
			break;
	}
	list_add_tail(&t->run_node, at);
	h->nr_runq++;
}

void relay_sort_queue(struct hart *h)
{
	struct list_head all = LIST_HEAD_INIT(all);
	const struct thread *first;

	list_splice_tail_init(&h->runq, &all);
	h->nr_runq = 0;
	while (!list_empty(&all)) {
		struct thread *t =
			list_first_entry(&all, struct thread, run_node);

		list_del(&t->run_node);
		relay_enqueue(h, t, false);
	}
	if (!h->user || !h->nr_runq)
		return;
	first = list_first_entry(&h->runq, struct thread, run_node);
	if (first->rt_prio > h->user->rt_prio)
		relay_of(h)->preempt |= PREEMPT_TURN;
}

void relay_ask_to_sort(struct hart *h)
{
	store_once(&relay_of(h)->resort, 1);
	hart_ipi(h->cpu);
}

static struct thread *take(struct hart *h, struct thread *t)
{
	list_del(&t->run_node);
	h->nr_runq--;
	relay_left_queue(t);
	h->st.switches++;
	return t;
}

/*
 * Put the thread that has the hart behind those that wait for it (@goes_on: behind the
 * first of them only, for the rest of its turn), and give it to the first of them.  A
 * real-time thread that did nothing to lose it keeps its turn.
 */
static void rotate(struct hart *h, bool goes_on)
{
	struct thread *t = h->user;
	struct thread *next =
		take(h, list_first_entry(&h->runq, struct thread, run_node));

	if (t->rt_prio == next->rt_prio && t->turn < next->turn)
		t->turn = ++relay_of(h)->turns; /* it was over */
	if (!goes_on)
		relay_of(h)->turn_of = NULL;
	else if (t == relay_of(h)->borrower)
		relay_given_back(h, t);
	if ((t->tf.status & SSTATUS_FS) == SSTATUS_FS_DIRTY)
		relay_fp_save(h, t);
	t->nr_ivcsw++;
	pmu_sw(h, t, 3 /* SW_SWITCHES */, 0);
	thread_lost_hart(t);
	t->queued_at = rdcycle();
	relay_enqueue(h, t, goes_on);
	h->user = next;
}

/* Shall @t give way to the first in the queue, who wants that, or whose turn it is? */
static bool gives_way(const struct hart *h, const struct thread *t)
{
	const struct thread *o =
		list_first_entry(&h->runq, struct thread, run_node);

	if (o->rt_prio != t->rt_prio)
		return o->rt_prio > t->rt_prio;
	return (t->work & WORK_RESCHED) ||
	       (relay_of(h)->preempt & PREEMPT_BACK) ||
	       (t->sched_policy & ~SCHED_POLICY_RESET) != SCHED_FIFO;
}

/* Others want what @t has: for this reason, or because it yields. */
static __cold void contend(struct hart *h, struct thread *t, u8 why,
			   bool yields)
{
	if (!gives_way(h, t))
		return;
	if (why != PREEMPT_TURN || yields || t->rt_prio ||
	    !relay_keeps_hart(h, t))
		rotate(h, why == PREEMPT_FIRST && !yields);
	relay_paid(h);
}

void relay_choose(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	u8 why = r->preempt & (PREEMPT_TURN | PREEMPT_BACK | PREEMPT_FIRST);
	struct thread *t = h->user;
	bool yields = t && (t->work & WORK_RESCHED);

	if (t && unlikely(h->nr_runq) && (why || yields))
		contend(h, t, why, yields);
	r->preempt &= (u8) ~(PREEMPT_TURN | PREEMPT_BACK | PREEMPT_FIRST);
	if (!h->user && h->nr_runq) {
		h->user = take(h, relay_borrower(h));
		r->borrower = NULL;
		if (r->turn_of && h->user != r->turn_of) {
			r->borrower = h->user;
			r->lent_at = rdcycle();
			if (unlikely(h->user->computes) && h->nr_runq)
				relay_lend_less(h, h->user);
		}
	}
	if (h->user && (h->user->work & WORK_RESCHED))
		atomic_fetch_and(&h->user->work, ~WORK_RESCHED);
}

/* A real-time thread that waited for an event or yielded begins a new turn; any other has
 * never given its hart up. */
static __cold void real_time_ready(struct hart *h, struct thread *t, bool back)
{
	if (!back || (t->suspended_once && t->gave_up) ||
	    (t->work & WORK_RESCHED))
		t->turn = ++relay_of(h)->turns;
	if (!h->user)
		return;
	if (t->rt_prio > h->user->rt_prio)
		relay_of(h)->preempt |= PREEMPT_TURN;
	else if (t->rt_prio == h->user->rt_prio && t->turn < h->user->turn)
		relay_of(h)->preempt |= PREEMPT_BACK;
}

/* @t comes back from a call: is its turn not over? */
static __cold bool keeps_turn(struct relay_hart *r, const struct thread *t)
{
	if (r->turn_of != t)
		return false;
	if (t->work & WORK_RESCHED)
		r->turn_of = NULL;
	return r->turn_of;
}

/* The hart was lent to one that will not give it back by itself. */
static bool is_kept(const struct hart *h)
{
	return h->user == relay_of(h)->borrower && h->user->computes;
}

/*
 * @back: from a call of its own: before its equals if it waited in it, for it shall go on
 * soon, or if its turn is not over; a real-time thread is not asked about that.
 */
void relay_user_ready(struct hart *h, struct thread *t, bool back)
{
	struct relay_hart *r = relay_of(h);
	bool waited = back && t->suspended_once;
	bool front = waited || (back && keeps_turn(r, t));

	t->computes = false;
	relay_observe(h, t, EV_RESUMED, !h->user);
	t->home = h;
	if (unlikely(t->rt_prio))
		real_time_ready(h, t, back);
	if (likely(!h->user)) {
		h->user = t;
		return;
	}
	t->queued_at = rdcycle();
	relay_enqueue(h, t, front);
	if (front && !t->rt_prio && !h->user->rt_prio && (waited || is_kept(h)))
		r->preempt |= PREEMPT_FIRST;
}

void relay_yield(void)
{
	struct thread *t = current;

	/* relaxed: only the owner's hart acts on it, after the completion */
	atomic_fetch_or(&t->work, WORK_RESCHED);
}
