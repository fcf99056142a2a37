/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/loop.c - what every hart does, whatever its role.
 *
 *	take interrupts -> drain the rings -> resume ready coroutines
 *	-> return to user mode if a thread can run -> idle
 *
 * Interrupts are taken only here and as traps from user mode, so no code below is
 * ever interrupted.  The loop runs on the hart's own stack, which is empty each
 * time user_trap() or kernel_secondary_main() enters it.
 *
 * ORDERING: SLEEP, IPICLEAR of relay.h, the receiver's ends.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/irq/irq.h>
#include <kernel/relay/relay.h>
#include <kernel/time/timer.h>

void relay_take_interrupts(struct hart *h)
{
	u64 pending = csr_read(sip) & csr_read(sie);

	if (likely(!pending))
		return;
	if (pending & SIP_SSIP) {
		h->st.ipis_received++;
		csr_clear(sip, SIP_SSIP);
		/* IPICLEAR (full) - pairs with hart_ipi(); other end: device (SBI IPI). */
		smp_mb();
		relay_delay(h);
		if ((h->role & ROLE_SERVICE) && irq_hart_init_needed(h->cpu))
			irq_hart_init(h->cpu);
		if (load_once(&h->kick)) {
			store_once(&h->kick, 0);
			if (!h->user)
				relay_drop_user_mm(h);
		}
	}
	if (pending & SIP_STIP) {
		h->st.timer_irqs++;
		timer_run_expired();
	}
	if (pending & SIP_SEIP) {
		h->st.external_irqs++;
		irq_dispatch();
	}
}

static void take_message(struct hart *h, u64 word)
{
	struct thread *t = MSG_THREAD(word);

	switch (MSG_KIND(word)) {
	case MSG_REQUEST:
		relay_run_request(h, t);
		break;
	case MSG_DONE:
		relay_of(h)->back++;
		h->st.completions++;
		relay_user_ready(h, t, true);
		break;
	case MSG_WAKE:
		list_add_tail(&t->run_node, &h->ready);
		break;
	case MSG_PLACE:
		relay_user_ready(h, t, true);
		break;
	case MSG_PROBE:
		relay_probe_answer(h);
		break;
	default:
		panic("relay: message %#lx", (unsigned long)word);
	}
}

/* At most this many from one ring before the next one: fairness. */
#define DRAIN_BATCH 16u

static bool drain(struct hart *h)
{
	struct relay_hart *r = relay_of(h);
	u32 total = 0;

	for (u32 i = 0; i < r->nr_in; i++) {
		for (u32 n = 0; n < DRAIN_BATCH; n++) {
			u64 word = msgring_pop(r->inv[i]);

			if (!word)
				break;
			total++;
			take_message(h, word);
		}
	}
	if (!total)
		return false;
	h->st.batches++;
	h->st.batch_msgs += total;
	return true;
}

void hart_loop(void)
{
	struct hart *h = this_hart();
	u32 turns = 1; /* who comes from user mode has just had its chance */

	for (;;) {
		bool worked;

		h->state = HART_LOOP;
		/* Under load look at sip now and then; idle looks always. */
		if ((turns++ & 15) == 0)
			relay_take_interrupts(h);
		worked = drain(h);
		if (unlikely(!list_empty(&h->backlog)))
			relay_flush_backlog(h);
		if (!list_empty(&h->ready)) {
			relay_run_ready(h);
			worked = true;
		}
		if (h->role & ROLE_APP)
			relay_run_user(h);
		/* Work of a user thread, done here, may have made others ready. */
		if (!worked && list_empty(&h->ready) && !h->user && !h->nr_runq)
			relay_idle(h);
	}
}

/*
 * From trap.S: user code of @t trapped; its registers are in t->tf; we stand on
 * the hart's empty stack with interrupts off.
 */
void user_trap(struct thread *t, u64 cause)
{
	struct hart *h = this_hart();

	h->state = HART_LOOP;
	h->status_seen = t->tf.status;
	if (unlikely(h->notify))
		store_once(&h->notify,
			   0); /* relaxed: late means one spurious IPI */
	if (likely(cause == CAUSE_ECALL_U)) {
		t->tf.pc += 4;
		t->tf.orig_a0 = t->tf.a0;
		t->syscall_nr = (s64)t->tf.a7;
		t->stat_nr = t->syscall_nr;
		t->req_kind = REQ_SYSCALL;
		relay_post(h, t);
		hart_loop();
	}
	t->tf.cause = cause;
	if (cause & CAUSE_INTERRUPT) {
		relay_take_interrupts(h);
		hart_loop();
	}
	t->tf.badaddr = csr_read(stval);
	t->syscall_nr = -1;
	switch (cause) {
	case CAUSE_FETCH_PAGE:
	case CAUSE_FETCH_ACCESS:
		/* Erratum CIP-453 (FU740): not sign-extended for these two. */
		if (t->tf.badaddr & BIT(38))
			t->tf.badaddr |= GENMASK(63, 39);
		t->req_kind = cause == CAUSE_FETCH_PAGE ? REQ_FAULT : REQ_TRAP;
		break;
	case CAUSE_LOAD_PAGE:
	case CAUSE_STORE_PAGE:
		t->req_kind = REQ_FAULT;
		break;
	default:
		t->req_kind = REQ_TRAP;
		break;
	}
	if (t->req_kind == REQ_FAULT)
		h->st.faults++;
	relay_post(h, t);
	hart_loop();
}
