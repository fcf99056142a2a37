/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/ring.c - the rings between harts, and the doorbell.
 *
 * One ring for each ordered pair of harts, so each has one producer and one
 * consumer and needs no lock.  A full ring puts the thread on the sender's backlog,
 * behind what waits there for the same receiver: order is kept.  A hart with a
 * backlog does not sleep (idle.c).
 *
 * ORDERING: SLEEP of relay.h, the sender's end.
 */
#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/hotmem.h>
#include <kernel/log.h>
#include <kernel/relay/relay.h>

__cold void relay_delay_slow(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	u32 n;

	r->rng = r->rng * 1664525u + 1013904223u;
	/* Mostly short, sometimes the whole length: both find races. */
	n = (r->rng >> 8) % relay_delay_max;
	if (r->rng & 7)
		n >>= 6;
	while (n--)
		cpu_relax();
}

void relay_doorbell(struct hart *h, struct hart *dst)
{
	relay_delay(h);
	/* SLEEP (full) - pairs with relay_announce(). */
	smp_mb();
	if (load_once(&dst->notify) && atomic_xchg(&dst->notify, 0))
		hart_ipi(dst->cpu);
}

static __cold void backlog_add(struct hart *h, struct hart *dst,
			       struct thread *t, u32 kind)
{
	t->msg_dst = dst;
	t->msg_kind = kind;
	list_add_tail(&t->run_node, &h->backlog);
	relay_of(h)->backlogged[dst->cpu]++;
	h->st.ring_full++;
}

static bool push(struct hart *h, struct hart *dst, struct thread *t, u32 kind)
{
	KASSERT(((u64)t & 63) == 0);
	return msgring_push(relay_of(h)->out[dst->cpu], (u64)t | kind);
}

void relay_send(struct hart *h, struct hart *dst, struct thread *t, u32 kind)
{
	if (unlikely(relay_of(h)->backlogged[dst->cpu]) ||
	    unlikely(!push(h, dst, t, kind))) {
		backlog_add(h, dst, t, kind);
		return;
	}
	relay_doorbell(h, dst);
}

void relay_send_urgent(struct hart *h, struct hart *dst, struct thread *t,
		       u32 kind)
{
	relay_send(h, dst, t, kind);
	hart_ipi(dst->cpu);
}

void relay_complete(struct hart *h, struct hart *dst, struct thread *t)
{
	struct relay_peer *peer = &relay_of(h)->peer[dst->cpu];

	if (peer->promised) {
		/* Kept, and so used up. */
		peer->promised = false;
		relay_send_urgent(h, dst, t, MSG_DONE);
		return;
	}
	if (peer->last == t && !relay_of(h)->backlogged[dst->cpu] &&
	    push(h, dst, t, MSG_DONE_PROMISE)) {
		peer->promised = true;
		relay_doorbell(h, dst);
		return;
	}
	relay_send(h, dst, t, MSG_DONE);
}

void relay_flush_backlog(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	struct thread *t, *next;
	u64 full = 0;

	list_for_each_entry_safe(t, next, &h->backlog, run_node) {
		struct hart *dst = t->msg_dst;
		u32 kind = t->msg_kind;

		if (full & BIT(dst->cpu))
			continue;
		/* The receiver owns t from the push on: unlink first. */
		list_del(&t->run_node);
		if (!push(h, dst, t, kind)) {
			/* Its place is before all others for dst: the front. */
			list_add(&t->run_node, &h->backlog);
			full |= BIT(dst->cpu);
			continue;
		}
		r->backlogged[dst->cpu]--;
		relay_doorbell(h, dst);
		if (kind == MSG_PLACE || kind == MSG_DONE)
			hart_ipi(dst->cpu);
	}
}

static size_t slots_size(void)
{
	return HOTMEM_SIZE(sizeof(u64) << relay_ring_shift);
}

size_t relay_rings_size(u32 n)
{
	return (size_t)n * (n - 1) *
	       (HOTMEM_SIZE(sizeof(struct msgring)) + slots_size());
}

void relay_rings_init(void)
{
	u32 n = 1u << relay_ring_shift;

	for (u32 from = 0; from < nr_harts; from++) {
		for (u32 to = 0; to < nr_harts; to++) {
			struct msgring *ring;
			u64 *slot;

			if (from == to)
				continue;
			ring = hotmem_alloc(sizeof(*ring));
			slot = hotmem_alloc(slots_size());
			msgring_init(ring, slot, relay_ring_shift,
				     relay_ring_start);
			relay_of(harts[from])->out[to] = ring;
			relay_of(harts[to])->in[from] = ring;
			relay_of(harts[to])->inv[relay_of(harts[to])->nr_in++] =
				ring;
		}
	}
	relay_place_init();
	pr_info("relay: %u rings of %u messages, %u service and %u application harts",
		nr_harts * (nr_harts - 1), n,
		(unsigned int)popcount64(service_mask()),
		(unsigned int)popcount64(app_mask()));
}
