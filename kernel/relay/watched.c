/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/watched.c - the short way of calls that are counted or traced.
 *
 * A second instance of plain.h that tells of its steps: to the counters by the hooks
 * of kernel/pmu/quick.h, to the trace by tell().  Both are served while calls still
 * go straight, so that what is seen is nearly what happens unseen.  What
 * needs more (legs, injected delays, tracepoints of calls) takes the general way.
 *
 * A hart learns that it is watched from hart->watched, at the beginning of a call and
 * again at its end: each half goes its own way, and both tell the same.
 *
 * ORDERING: as plain.h.
 */
#include <kernel/relay/plain.h>
#include <kernel/relay/relay.h>

/*
 * Something is to be done first, or the call is not ordinary: user_ecall() says what.
 */
__hotpath_watched void relay_call_slow(struct thread *t)
{
	struct hart *h = this_hart();
	struct relay_hart *r = relay_of(h);
	struct call_row *c = call_row_of(h, t->tf.a7);

	if ((t->tf.status & SSTATUS_FS) == SSTATUS_FS_DIRTY) {
		relay_fp_save(h, t);
		if (likely(!h->watched))
			jump_to(user_ecall, t);
	}
	pmu_quick_user_leave(h);
	if (h->watched && likely(short_is_enough(h, true)) &&
	    likely(t->tf.a7 < NR_SYSCALLS) &&
	    likely(!(c->traits & CALL_LEAVES_MM)))
		begin_plain(h, r, t, c, true);
	jump_to(relay_call_general, t);
}

/* Returns if @t's request takes the general way. */
void relay_run_watched(struct hart *h, struct thread *t, struct call_row *c)
{
	if (likely(is_plain(h, t, c, true)))
		run_plain(h, t, c, 0, true);
}

__hotpath_watched void relay_call_ended_slow(struct thread *t)
{
	struct hart *h = this_hart();

	if (likely(!h->lock_depth) && likely(short_is_enough(h, true))) {
		pmu_quick_call_end(h, t);
		end_plain(h, t, true);
	}
	jump_to(relay_call_ended_general, t);
}

__hotpath_watched void relay_poll_watched(struct hart *h)
{
	poll_plain(h, true);
}

__hotpath_watched void relay_await_watched(struct hart *h, struct thread *t,
					   struct call_row *c)
{
	await_plain(h, t, c, true);
}
