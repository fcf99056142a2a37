/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/work.c - messages to a module on another hart; see work.h.
 *
 * ORDERING
 *   WORKSENT  the sender queues, then sets sent; the receiver takes it back, then looks at
 *             the queue.  Who finds it set may go: the one who takes it back comes later.
 */
#include <kernel/assert.h>
#include <kernel/relay/relay.h>
#include <kernel/relay/work.h>
#include <lib/atomic.h>

struct hart *relay_block_hart __read_mostly;

bool hart_work_send(struct hart *dst, struct hart_work *w)
{
	struct hart *h = this_hart();

	KASSERT(((u64)w & 63) == 0);
	if (dst == h)
		return false;
	/* WORKSENT (full) - pairs with relay_run_work(). */
	if (atomic_xchg(&w->sent, 1))
		return true;
	if (!relay_of(h)->backlogged[dst->cpu] &&
	    msgring_push(relay_of(h)->out[dst->cpu], (u64)w | MSG_WORK)) {
		relay_doorbell(h, dst);
		return true;
	}
	/* WORKSENT (full) - pairs with hart_work_send(): others may have left it to us. */
	atomic_xchg(&w->sent, 0);
	return false;
}

void relay_run_work(struct hart_work *w)
{
	/* WORKSENT (full) - pairs with hart_work_send(). */
	atomic_xchg(&w->sent, 0);
	w->fn(w);
}
