/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/loop.c - what every hart does, whatever its role.
 *
 *	take interrupts -> one message -> one ready coroutine -> user mode -> idle
 *
 * Interrupts are taken only here and as traps from user mode, so no code below is
 * ever interrupted.
 *
 * INVARIANTS
 *   L1  The loop keeps nothing on the hart's stack: all that it knows is in struct
 *       hart and struct relay_hart.  So a coroutine is started by a jump, and what
 *       ends or suspends it enters the loop anew (co_ended(), user_ecall()) on an
 *       empty stack.
 *   L2  Messages, ready coroutines and user code take turns: none can keep the
 *       other two from running.  User code that others wait for is interrupted
 *       (turns.c).
 *
 * ORDERING: SLEEP, IPICLEAR of relay.h, the receiver's ends.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/errata.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/pmu.h>
#include <kernel/relay/plain.h>
#include <kernel/relay/relay.h>
#include <kernel/time/timer.h>

void relay_take_interrupts(struct hart *h)
{
	u64 pending = csr_read(sip) & h->sie;

	if (likely(!pending))
		return;
	if (pending & SIP_SSIP) {
		h->st.ipis_received++;
		relay_observe(h, NULL, EV_IPI, 0);
		if (unlikely(relay_of(h)->account.now != TIME_UNSEEN))
			relay_unseen(h);
		csr_clear(sip, SIP_SSIP);
		/* IPICLEAR (full) - pairs with hart_ipi(); other end: device (SBI IPI). */
		smp_mb();
		relay_of(h)->preempt |= PREEMPT_LOOK;
		relay_delay(h);
		if ((h->role & ROLE_SERVICE) && irq_hart_init_needed(h->cpu))
			irq_hart_init(h->cpu);
		if (unlikely(load_once(&h->pmu_kick))) {
			store_once(&h->pmu_kick, 0);
			pmu_hart_work(h);
		}
		if (unlikely(load_once(&relay_of(h)->resort))) {
			store_once(&relay_of(h)->resort, 0);
			relay_sort_queue(h);
		}
		if (unlikely(load_once(&log_told)))
			log_wake();
		if (load_once(&h->kick)) {
			store_once(&h->kick, 0);
			/* Unless it is that of who is about to run here. */
			if (!h->user || h->user->mm != h->user_mm)
				relay_drop_user_mm(h);
		}
	}
	if (pending & SIP_STIP) {
		h->st.timer_irqs++;
		relay_observe(h, NULL, EV_TIMER, 0);
		timer_run_expired();
	}
	if (pending & SIP_SEIP) {
		h->st.external_irqs++;
		relay_observe(h, NULL, EV_EXTERNAL, 0);
		irq_dispatch();
	}
	if (unlikely(pending & SIP_LCOFIP))
		pmu_overflow(h);
}

void relay_take_message(struct hart *h, u64 word)
{
	struct relay_hart *r = relay_of(h);
	struct thread *t = MSG_THREAD(word);

	switch (MSG_KIND(word)) {
	case MSG_CALL:
		relay_is_call(t);
		relay_seen(r, t);
		if (!unlikely(r->favour) || !relay_put_off(h, t))
			relay_run_request(h, t);
		break;
	case MSG_REQUEST:
		relay_seen(r, t);
		if (!unlikely(r->favour) || !relay_put_off(h, t))
			relay_run_request(h, t);
		break;
	case MSG_DONE_PROMISE:
	case MSG_DONE:
		relay_back(h, r, t, word, 0);
		relay_user_ready(h, t, true);
		break;
	case MSG_WAKE:
		list_add_tail(&t->run_node, &h->ready);
		break;
	case MSG_PLACE:
		relay_late_forget(h, t);
		relay_user_ready(h, t, !t->rt_prio);
		break;
	case MSG_WORK:
		relay_run_work((struct hart_work *)t);
		break;
	case MSG_PROBE:
		relay_probe_answer(h);
		break;
	default:
		panic("relay: message %#lx", (unsigned long)word);
	}
}

void relay_uncount_message(struct hart *h)
{
	struct relay_hart *r = relay_of(h);

	h->st.batch_msgs--;
	h->st.poll_hits--;
	h->st.batches--;
	r->in_batch = false;
}

/* It did not come: the batch, if there was one, is over. */
void relay_no_message(struct hart *h)
{
	relay_uncount_message(h);
	hart_loop();
}

void relay_no_answer(struct hart *h, const struct thread *t)
{
	relay_late(h, t);
	relay_no_message(h);
}

__hotpath void relay_poll(struct hart *h)
{
	poll_plain(h, false);
}

/* It came after all, to who polled on. */
__hotpath_loop void relay_polled(struct hart *h, u64 word, u64 when)
{
	expected_message(h, relay_of(h), word, when, false);
	hart_loop();
}

__hotpath void relay_await(struct hart *h, struct thread *t, struct call_row *c)
{
	await_plain(h, t, c, false);
}

/* L2, but for who favours what comes in messages over what is ready. */
static inline u8 turn_after_message(struct relay_hart *r)
{
	if (likely(!r->favour) || ++r->passed >= FAVOUR_MOST)
		return TURN_READY;
	return TURN_MESSAGE;
}

/* What is ready goes before user code, but for the end of a turn. */
static inline u8 turn_after_ready(const struct relay_hart *r)
{
	return r->preempt & PREEMPT_TURN ? TURN_USER : TURN_MESSAGE;
}

/* Often does not return: the message started a coroutine, or user code. */
static __hotpath_loop void one_message(struct hart *h, u64 word)
{
	struct relay_hart *r = relay_of(h);

	if (!r->in_batch) {
		r->in_batch = true;
		h->st.batches++;
	}
	h->st.batch_msgs++;
	r->turn = turn_after_message(r);
	take_plain(h, r, word, 0, false);
	relay_take_message(h, word);
}

/* Interrupts are due first, which may leave others work to do.  An IPI may even take
 * the address space away (hart->kick), but leaves PREEMPT_LOOK: then the slice is not
 * right, and the answer takes the general way. */
void relay_await_blind(struct hart *h, struct thread *t, struct call_row *c)
{
	relay_take_interrupts(h);
	if (likely(list_empty(&h->ready)))
		jump_to_3(relay_await, h, t, c);
	relay_late(h, t);
	hart_loop();
}

__hotpath_loop void hart_loop(void)
{
	struct hart *h = this_hart();
	struct relay_hart *r = relay_of(h);

	h->state = HART_LOOP;
	/* From user mode it may still be set.  relaxed: late means one spurious
	 * IPI */
	if (h->notify)
		store_once(&h->notify, 0);
	for (;;) {
		u64 word;

		/* Under load look at sip now and then; idle looks always. */
		if (unlikely(++r->rounds % ROUNDS_BLIND == 0))
			relay_take_interrupts(h);
		if (unlikely(!list_empty(&h->backlog)))
			relay_flush_backlog(h);
		if (r->turn == TURN_MESSAGE) {
			word = relay_next_message(r);
			if (word)
				one_message(h, word);
			else
				r->in_batch = false;
		}
		if (r->turn <= TURN_READY && !list_empty(&h->ready)) {
			r->turn = turn_after_ready(r);
			relay_run_ready(h);
		}
		r->turn = TURN_MESSAGE;
		if (h->role & ROLE_APP)
			relay_run_user(h);
		if (r->in_batch || !list_empty(&h->ready) || h->user ||
		    h->nr_runq)
			continue;
		word = relay_idle(h);
		if (word)
			one_message(h, word);
	}
}

/* Which request an exception of user code is. */
static u32 trap_kind(u64 cause)
{
	switch (cause) {
	case CAUSE_FETCH_PAGE:
	case CAUSE_FETCH_ACCESS:
		return cause == CAUSE_FETCH_PAGE ? REQ_FAULT : REQ_TRAP;
	case CAUSE_LOAD_PAGE:
	case CAUSE_STORE_PAGE:
		return REQ_FAULT;
	default:
		return REQ_TRAP;
	}
}

/* From trap.S: user code trapped otherwise than by a system call (call.c). */
void user_trap(struct thread *t, u64 cause)
{
	struct hart *h = this_hart();

	t->tf.cause = cause;
	pmu_user_leave(h, cause & CAUSE_INTERRUPT);
	if (cause & CAUSE_INTERRUPT) {
		relay_observe(h, t, EV_TRAP, 0);
		relay_take_interrupts(h);
		hart_loop();
	}
	if (cause == CAUSE_ILLEGAL && relay_fp_first_use(t))
		hart_loop();
	t->tf.badaddr = errata_fetch_address(cause, csr_read(stval));
	t->syscall_nr = -1;
	t->req_kind = trap_kind(cause);
	if (t->req_kind == REQ_FAULT)
		h->st.faults++;
	relay_post(h, t);
	hart_loop();
}
