/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/favour.c - short calls before long ones, on a service hart that several
 * threads call at once (favour=1).
 *
 * A handler is not interrupted, so whoever posts a short call while others' long ones lie
 * in the rings waits for all of these.  With `favour' a long request that finds other
 * messages behind it is not begun: it becomes ready, as a coroutine that gave way is, and
 * messages go before what is ready, up to FAVOUR_MOST in a row.  So a short call waits for
 * one handler at most, or for a part of it, for long ones give way at cond_resched().
 *
 * Long is a call of so many bytes, or whose number took long last time; a fault never, nor a
 * call of a real-time thread.
 *
 * The order of one thread's requests is not touched: it has one at a time.  Nor is PROMISE
 * (relay.h): the request counts as seen when its message is taken.
 */
#include <kernel/relay/relay.h>

#define LONG_BYTES 16384u

static bool is_long(const struct hart *h, const struct thread *t)
{
	const struct call_row *c;

	if (t->req_kind != REQ_SYSCALL || t->rt_prio)
		return false;
	c = call_row_of(h, t->tf.a7);
	if (c->traits & CALL_SIZED)
		return t->tf.a2 >= LONG_BYTES;
	return c->last_ns > CALL_SLOW_NS;
}

bool relay_put_off(struct hart *h, struct thread *t)
{
	struct relay_hart *r = relay_of(h);

	if (!is_long(h, t) || (list_empty(&h->ready) && !relay_pending(r)))
		return false;
	list_add_tail(&t->run_node, &h->ready);
	h->st.put_off++;
	r->turn = TURN_MESSAGE;
	return true;
}
