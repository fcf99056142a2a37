/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/plain.h - the short way of a system call.
 *
 *	user_ecall() -> run_plain() -> co_call() -> call_ended() -> return_plain()
 *	user_ecall() -> post_plain() ... take_plain() -> run_plain() -> co_call()
 *		-> call_ended() -> complete_plain() ... return_awaited()
 *
 * The general way through call.c, ring.c and user.c does the same for every
 * request; this is a straight line of cheap checks for a call of which nothing
 * special is known.  A check that fails bails out to the general way with nothing
 * changed, so the short way adds speed and no behaviour.
 *
 * Everything comes twice: for calls that nobody watches, and (@w, a constant) for
 * those that a trace or counters are told of, which go as straight (watched.c).
 *
 * Nothing here returns, so nothing here saves a register (arch/riscv/jump.h).
 *
 * ORDERING: SLEEP and PROMISE of relay.h.
 * Not here: the general way (call.c), which also says what a call's time is.
 */
#ifndef KERNEL_RELAY_PLAIN_H
#define KERNEL_RELAY_PLAIN_H

#include <arch/riscv/jump.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/quick.h>
#include <kernel/relay/relay.h>
#include <kernel/relay/trace.h>
#include <kernel/time/timer.h>

#define __plain static inline __attribute__((always_inline))

__plain bool wants_clock(const struct call_row *c)
{
	return c->slow || (c->traits & CALL_TIMED) ||
	       c->count % CALL_SAMPLE == 0;
}

/* An untimed call has ended: see above. */
__plain void account_untimed(struct thread *t, const struct call_row *c)
{
	t->untimed_ns += c->last_ns;
}

/* h runs t's coroutine from here on. */
__plain void relay_begin(struct hart *h, struct thread *t)
{
	t->co_hart = h;
	store_once(&t->state, THREAD_RUNNING);
	h->state = HART_CALL;
	h->cur = t;
	h->st.requests++;
}

/* @t's request is a system call; both are for the hart that runs it, or the general way. */
__plain void relay_is_call(struct thread *t)
{
	t->syscall_nr = (s32)t->tf.a7;
	t->request = REQUEST_PLAIN;
}

/* Whoever watches @h is told on the short way all that he wants to know. */
__plain bool short_is_enough(const struct hart *h, bool w)
{
	return w ? !(h->watched & ~WATCH_SHORT) && !load_once(&pmu_tracing)
		 : !h->watched;
}

/*
 * An event of the short way, for the trace.  @stamp: when; 0: now.  What happens at
 * the same moment gets the same stamp.  Returns it.
 */
__plain u64 tell(struct hart *h, const struct thread *t, enum relay_event what,
		 u64 stamp, bool w)
{
	const struct relay_hart *r = relay_of(h);
	/* Only then is the number in the registers, and not yet in syscall_nr. */
	bool begins = what == EV_POSTED || what == EV_SEEN;

	if (!w || !(h->watched & WATCH_TRACE))
		return 0;
	if (!stamp)
		stamp = rdcycle() + r->skew;
	trace_ring_put(r->trace, t, begins ? (s16)t->tf.a7 : -1, what,
		       what == EV_RESUMED, stamp);
	return stamp;
}

/* The short way to the handler, for an untimed system call of an ordinary thread. */
__plain bool is_plain(const struct hart *h, const struct thread *t,
		      const struct call_row *c, bool w)
{
	return short_is_enough(h, w) && !wants_clock(c) && !t->ext;
}

__plain void __noreturn run_plain(struct hart *h, struct thread *t,
				  struct call_row *c, u64 stamp, bool w)
{
	tell(h, t, EV_SEEN, stamp, w);
	t->request = REQUEST_RUNNING;
	t->syscall_nr = (s32)t->tf.a7;
	relay_begin(h, t);
	c->count++;
	if (w)
		pmu_quick_call_begin(h, t);
	jump_co_call(t, c->fn, c);
}

/*
 * A thread keeps its hart over a short call, as it would without a relay: to change
 * to another one that waits, and to be interrupted by the answer then, costs more
 * than the wait.  Not when @c has lately been late.
 */
__plain bool answers_soon(struct call_row *c)
{
	if (likely(!c->late))
		return true;
	c->late--;
	return false;
}

/*
 * The slice runs just when somebody waits for the hart, and is not over: nothing has
 * to be decided before @h's thread goes on.
 */
__plain bool slice_is_right(const struct hart *h, const struct relay_hart *r)
{
	return ktimer_armed(&r->slice) == (h->nr_runq != 0) && !r->preempt;
}

/*
 * The short way of relay_post() and relay_send(): there is room.  What the service
 * hart need not wait for comes after the message (relay_await()).
 */
__plain void __noreturn post_plain(struct hart *h, struct relay_hart *r,
				   struct thread *t, struct call_row *c, bool w)
{
	struct hart *svc = r->service;

	if (w)
		pmu_quick_posted(h);
	msgring_put(r->to_service, (u64)t | MSG_CALL);
	/* SLEEP (full) - pairs with relay_announce(). */
	smp_mb();
	h->user = NULL;
	r->away++;
	r->last_posted = t;
	r->promised = false;
	h->st.posted++;
	if (unlikely(load_once(&svc->notify)))
		jump_to_2(relay_post_and_ring, svc, t);
	if (unlikely(!list_empty(&h->ready)) ||
	    (unlikely(h->nr_runq) && !answers_soon(c)))
		jump_to(relay_post_and_loop, t);
	if (w)
		jump_to_3(relay_await_watched, h, t, c);
	jump_to_3(relay_await, h, t, c);
}

/* Into user mode. */
__plain void __noreturn enter_user(struct hart *h, struct thread *t, bool w)
{
	h->state = HART_USER;
	if (w && pmu_quick_user_enter(h, t))
		jump_user_return_counted(t, t->tf.status != h->status_seen);
	jump_user_return(t, t->tf.status != h->status_seen);
}

/* The short way of relay_run_user(): t keeps h, nothing has changed. */
__plain void __noreturn return_plain(struct hart *h, struct thread *t,
				     u64 stamp, bool w)
{
	struct mm *mm = t->mm;

	tell(h, t, EV_RESUMED, stamp, w);
	h->user = t;
	/* ATTN, ICACHE: relay_run_user() says what orders these. */
	if (unlikely(t->work) || unlikely(h->user_mm != mm) ||
	    unlikely(load_once(&mm->tlb_gen) != h->tlb_seen) ||
	    unlikely(load_once(&h->icache_gen) != h->icache_seen) ||
	    unlikely(!relay_fp_is_here(h, t)) ||
	    unlikely(!slice_is_right(h, relay_of(h))) ||
	    unlikely(!list_empty(&h->backlog)) ||
	    unlikely(!relay_will_interrupt(h)))
		jump_to(relay_return_general, h);
	enter_user(h, t, w);
}

/* The short way of finish() and relay_send(): there is room. */
__plain void __noreturn complete_plain(struct hart *h, struct hart *home,
				       struct relay_peer *peer,
				       struct msgring *ring, struct thread *t,
				       bool w)
{
	bool promise = peer->last == t;

	t->in_coroutine = 0;
	store_once(&t->state, THREAD_USER);
	msgring_put(ring, (u64)t | (promise ? MSG_DONE_PROMISE : MSG_DONE));
	/* SLEEP (full) - pairs with relay_announce(). */
	smp_mb();
	h->cur = NULL;
	peer->promised = promise;
	if (unlikely(load_once(&home->notify)))
		jump_to(relay_ring_and_loop, home);
	if (unlikely(h->role & ROLE_APP) || !list_empty(&h->ready))
		jump_to(hart_loop, 0);
	if (w)
		jump_to(relay_poll_watched, h);
	jump_to(relay_poll, h);
}

/* The service hart has seen @t's request. */
__plain void relay_seen(struct relay_hart *r, struct thread *t)
{
	struct relay_peer *peer = &r->peer[t->home->cpu];

	peer->last = t;
	peer->promised = false;
}

/* @t is back on its home @h; @when by rdcycle, 0: it was not looked at. */
__plain void relay_back(struct hart *h, struct relay_hart *r, struct thread *t,
			u64 word, u64 when)
{
	r->promised = MSG_KIND(word) == MSG_DONE_PROMISE && r->last_posted == t;
	r->away--;
	h->st.completions++;
	if (unlikely(r->late[relay_late_slot(t)].t == t))
		relay_late_back(h, t, when);
}

/* The completion for which relay_await() waited, and which it has counted. */
__plain void __noreturn return_awaited(struct hart *h, struct relay_hart *r,
				       struct thread *t, bool w)
{
	const struct mm *mm = h->user_mm;

	tell(h, t, EV_RESUMED, 0, w);
	r->away--;
	r->promised = true;
	h->user = t;
	/* ATTN, ICACHE: relay_run_user() says what orders these. */
	if (unlikely(t->work | (load_once(&mm->tlb_gen) ^ h->tlb_seen) |
		     (load_once(&h->icache_gen) ^ h->icache_seen)) ||
	    unlikely(!relay_fp_is_here(h, t)))
		jump_to(relay_return_general, h);
	enter_user(h, t, w);
}

/*
 * The short way of take_message() in loop.c.  Does not return if @word was a
 * request or completion that may take it.
 */
__plain void take_plain(struct hart *h, struct relay_hart *r, u64 word,
			u64 when, bool w)
{
	struct thread *t = MSG_THREAD(word);
	struct call_row *c;

	if (MSG_KIND(word) == MSG_CALL) {
		c = call_row_of(h, t->tf.a7);
		if (unlikely(!is_plain(h, t, c, w)))
			return;
		relay_seen(r, t);
		run_plain(h, t, c, 0, w);
	}
	if (MSG_KIND(word) == MSG_DONE_PROMISE && likely(!h->user)) {
		if (unlikely(!short_is_enough(h, w)))
			return;
		relay_back(h, r, t, word, when);
		return_plain(h, t, 0, w);
	}
}

/* Of user_ecall() and relay_call_slow().  Returns if the call takes the general way. */
__plain void begin_plain(struct hart *h, struct relay_hart *r, struct thread *t,
			 struct call_row *c, bool w)
{
	u8 where = relay_where(h, t, c->traits);
	u64 stamp;

	if (where == POLICY_LOCAL && likely(is_plain(h, t, c, w))) {
		stamp = tell(h, t, EV_POSTED, 0, w);
		h->user = NULL;
		run_plain(h, t, c, stamp, w);
	}
	if (where == POLICY_REMOTE && likely(list_empty(&h->backlog)) &&
	    likely(msgring_has_room(r->to_service))) {
		tell(h, t, EV_POSTED, 0, w);
		post_plain(h, r, t, c, w);
	}
}

/*
 * The handler of a plain request has returned.  Does not return if the way on is
 * as short.
 */
__plain void end_plain(struct hart *h, struct thread *t, bool w)
{
	struct hart *home = t->home;
	struct relay_hart *r = relay_of(h);
	struct relay_peer *peer;
	struct msgring *ring;
	u64 stamp;

	if (home == h && likely(list_empty(&h->ready)) && likely(!h->user)) {
		/* A local call that did not wait, nor start a thread here. */
		stamp = tell(h, t, EV_DONE, 0, w);
		h->cur = NULL;
		t->in_coroutine = 0;
		store_once(&t->state, THREAD_USER);
		return_plain(h, t, stamp, w);
	}
	if (unlikely(!home) || home == h || !list_empty(&h->backlog))
		return;
	ring = r->out[home->cpu];
	peer = &r->peer[home->cpu];
	if (unlikely(!msgring_has_room(ring)) || unlikely(peer->promised))
		return;
	tell(h, t, EV_DONE, 0, w);
	complete_plain(h, home, peer, ring, t, w);
}

/*
 * Count the message that is to come before it comes, when there is time.
 * False: interrupts are due.
 */
__plain bool expect_message(struct hart *h, struct relay_hart *r, u32 state)
{
	if (h->notify)
		store_once(&h->notify, 0);
	if (unlikely(++r->rounds % ROUNDS_BLIND == 0))
		return false;
	h->state = state;
	if (!r->in_batch) {
		r->in_batch = true;
		h->st.batches++;
	}
	h->st.batch_msgs++;
	h->st.poll_hits++;
	r->turn = TURN_READY;
	return true;
}

/* A message that was counted.  Often does not return. */
__plain void expected_message(struct hart *h, struct relay_hart *r, u64 word,
			      u64 when, bool w)
{
	take_plain(h, r, word, when, w);
	relay_take_message(h, word);
}

/*
 * Wait for a message for as long as a short call takes, when there is nothing else
 * to do: the loop without what it looks at besides the rings.
 */
__plain void __noreturn poll_plain(struct hart *h, bool w)
{
	struct relay_hart *r = relay_of(h);
	struct msgring *only = r->nr_in == 1 ? r->inv[0] : NULL;

	if (unlikely(!expect_message(h, r, HART_POLL)))
		jump_to(hart_loop, 0);
	for (u32 looks = POLL_LOOKS; looks; looks--) {
		u64 word;

		if (likely(only))
			word = msgring_pop(only);
		else
			word = relay_next_message(r);
		if (word) {
			expected_message(h, r, word, 0, w);
			jump_to(hart_loop, 0);
		}
		if (w && looks == POLL_LOOKS)
			tell(h, NULL, EV_POLL, 0, w);
	}
	if (w)
		jump_to(relay_no_message, h);
	jump_to(relay_poll_on, h);
}

/*
 * The same for an application hart that has just posted @t's call: what return_plain()
 * asks of the hart alone is asked here while the service hart works, and cannot
 * change before another message or an interrupt is taken: that @t alone is away, that
 * the slice is right, and that h->user_mm is @t's, as it was when it trapped.  @t is
 * only compared until it is back: it may have ended.
 */
__plain void __noreturn await_plain(struct hart *h, struct thread *t,
				    struct call_row *c, bool w)
{
	struct relay_hart *r = relay_of(h);
	struct msgring *from = r->in[r->service->cpu];
	u64 want = (u64)t | MSG_DONE_PROMISE;

	if (unlikely(!expect_message(h, r, HART_AWAIT)))
		jump_to_3(relay_await_blind, h, t, c);
	h->st.completions++;
	if (unlikely(r->away != load_once(&r->left) + 1) ||
	    unlikely(!slice_is_right(h, r)))
		want = 0;
	for (u32 looks = POLL_LOOKS; looks; looks--) {
		u64 word = msgring_pop(from);

		if (!word) {
			if (w && looks == POLL_LOOKS)
				tell(h, NULL, EV_POLL, 0, w);
			continue;
		}
		if (likely(word == want) && likely(short_is_enough(h, w)))
			return_awaited(h, r, t, w);
		h->st.completions--;
		if (MSG_THREAD(word) != t)
			relay_late(h, t);
		expected_message(h, r, word, 0, w);
		jump_to(hart_loop, 0);
	}
	h->st.completions--;
	if (h->nr_runq)
		c->late = AWAIT_SKIP;
	if (w || h->nr_runq)
		jump_to_2(relay_no_answer, h, t);
	jump_to_2(relay_await_on, h, t);
}

#endif /* KERNEL_RELAY_PLAIN_H */
