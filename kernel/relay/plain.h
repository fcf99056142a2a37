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
 * Nothing here returns, so nothing here saves a register (arch/riscv/jump.h).
 *
 * ORDERING: SLEEP and PROMISE of relay.h.
 * Not here: the general way (call.c), which also says what a call's time is.
 */
#ifndef KERNEL_RELAY_PLAIN_H
#define KERNEL_RELAY_PLAIN_H

#include <arch/riscv/jump.h>
#include <kernel/mm/vm.h>
#include <kernel/relay/relay.h>
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

/* h runs t's coroutine from here on, which is said in t->request. */
__plain void relay_begin(struct hart *h, struct thread *t)
{
	t->co_hart = h;
	store_once(&t->state, THREAD_RUNNING);
	h->state = HART_CALL;
	h->cur = t;
	h->st.requests++;
}

/* The short way to the handler, for an untimed call of an unwatched thread. */
__plain bool is_plain(const struct hart *h, const struct thread *t,
		      const struct call_row *c)
{
	return !(h->watched | t->request) && !wants_clock(c) && !t->ext;
}

__plain void __noreturn run_plain(struct hart *h, struct thread *t,
				  struct call_row *c)
{
	t->request = REQUEST_RUNNING;
	relay_begin(h, t);
	c->count++;
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
				   struct thread *t, struct call_row *c)
{
	struct hart *svc = r->service;

	store_once(&t->state, THREAD_POSTED);
	t->co_hart = svc;
	msgring_put(r->to_service, (u64)t | MSG_REQUEST);
	/* SLEEP (full) - pairs with relay_announce(). */
	smp_mb();
	h->user = NULL;
	r->away++;
	r->last_posted = t;
	r->promised = false;
	h->st.posted++;
	if (unlikely(load_once(&svc->notify)))
		jump_to(relay_ring_and_loop, svc);
	if (unlikely(!list_empty(&h->ready)) ||
	    (unlikely(h->nr_runq) && !answers_soon(c)))
		jump_to(hart_loop, 0);
	jump_to_3(relay_await, h, t, c);
}

/* The short way of relay_run_user(): t keeps h, nothing has changed. */
__plain void __noreturn return_plain(struct hart *h, struct thread *t)
{
	struct mm *mm = t->mm;

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
	store_once(&t->state, THREAD_USER);
	h->state = HART_USER;
	jump_user_return(t, t->tf.status != h->status_seen);
}

/* The short way of finish() and relay_send(): there is room. */
__plain void __noreturn complete_plain(struct hart *h, struct hart *home,
				       struct relay_peer *peer,
				       struct msgring *ring, struct thread *t)
{
	bool promise = peer->last == t;

	t->in_coroutine = 0;
	store_once(&t->state, THREAD_DONE);
	msgring_put(ring, (u64)t | (promise ? MSG_DONE_PROMISE : MSG_DONE));
	/* SLEEP (full) - pairs with relay_announce(). */
	smp_mb();
	h->cur = NULL;
	peer->promised = promise;
	if (unlikely(load_once(&home->notify)))
		jump_to(relay_ring_and_loop, home);
	if (unlikely(h->role & ROLE_APP) || !list_empty(&h->ready))
		jump_to(hart_loop, 0);
	jump_to(relay_poll, h);
}

/* The service hart has seen @t's request. */
__plain void relay_seen(struct relay_hart *r, struct thread *t)
{
	struct relay_peer *peer = &r->peer[t->home->cpu];

	peer->last = t;
	peer->promised = false;
}

/* @t is back on its home @h. */
__plain void relay_back(struct hart *h, struct relay_hart *r, struct thread *t,
			u64 word)
{
	r->promised = MSG_KIND(word) == MSG_DONE_PROMISE && r->last_posted == t;
	r->away--;
	h->st.completions++;
}

/* The completion for which relay_await() waited, and which it has counted. */
__plain void __noreturn return_awaited(struct hart *h, struct relay_hart *r,
				       struct thread *t)
{
	const struct mm *mm = h->user_mm;

	r->away--;
	r->promised = true;
	h->user = t;
	/* ATTN, ICACHE: relay_run_user() says what orders these. */
	if (unlikely(t->work | (load_once(&mm->tlb_gen) ^ h->tlb_seen) |
		     (load_once(&h->icache_gen) ^ h->icache_seen)) ||
	    unlikely(!relay_fp_is_here(h, t)))
		jump_to(relay_return_general, h);
	store_once(&t->state, THREAD_USER);
	h->state = HART_USER;
	jump_user_return(t, t->tf.status != h->status_seen);
}

/*
 * The short way of take_message() in loop.c.  Does not return if @word was a
 * request or completion that may take it.
 */
__plain void take_plain(struct hart *h, struct relay_hart *r, u64 word)
{
	struct thread *t = MSG_THREAD(word);
	struct call_row *c;

	if (MSG_KIND(word) == MSG_REQUEST && t->request == REQUEST_PLAIN) {
		c = call_row_of(h, t->tf.a7);
		if (unlikely(!is_plain(h, t, c)))
			return;
		relay_seen(r, t);
		run_plain(h, t, c);
	}
	if (MSG_KIND(word) == MSG_DONE_PROMISE && likely(!h->user)) {
		if (unlikely(h->watched))
			return;
		relay_back(h, r, t, word);
		return_plain(h, t);
	}
}

#endif /* KERNEL_RELAY_PLAIN_H */
