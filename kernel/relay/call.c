/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/call.c - the life of a request.
 *
 *	user_ecall()		a system call begins on the hart that trapped
 *	relay_post()		application hart: hand the thread to a service hart
 *	relay_run_request()	service hart (or, locally, the one that trapped):
 *				start the coroutine on the thread's kernel stack
 *	call_body()		the coroutine of a system call: do it, look at signals
 *	request_body()		the same for what else a thread asks for
 *	call_ended(), co_ended() it left the stack: finished, suspended, gone
 *
 * Two ways lead through this file.  The short one, user_ecall() -> co_call() ->
 * call_ended(), is a straight line of cheap checks for a system call of which
 * nothing special is known; each check that fails bails out to the general way, so
 * the short one adds speed and no behaviour.
 *
 * INVARIANTS
 *   C1  Between the push of a thread and the pop on the other side nobody touches
 *       its [O] members: the ring owns them.
 *   C2  h->cur is set exactly while a coroutine runs on h.
 *   C3  No lock and no allocation between user_ecall() and the handler, nor
 *       between the handler's end and user mode.  h->lock_depth is asserted to be
 *       zero at every change of stacks.
 *
 * ORDERING: SLEEP of relay.h, the sender's end, on the short way.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/hooks.h>
#include <kernel/relay/plain.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <kernel/task/rseq.h>
#include <kernel/task/trap.h>
#include <kernel/time/clock.h>

/*
 * Clocks are dear (on QEMU a CSR read is a tenth of a null call), so a call is timed
 * when its number was slow last time, or by sampling one in CALL_SAMPLE; a call that
 * suspends is timed from there on.  An untimed one counts as the last timed one.
 *
 * CPU time comes from the same reads: what passed on this service hart between the
 * end of a thread's last request and the beginning of this one was user time (and
 * both passings of the ring), less what it waited in a run queue and for service harts
 * that were late (account.c); the request itself, less what it was suspended, is system
 * time.
 */
static __cold void clock_begin(struct hart *h, struct thread *t)
{
	u64 ns;

	t->acct_off = 0;
	t->timed = 1;
	t->req_begin = rdcycle();
	t->stime_ns += t->untimed_ns;
	if (likely(t->acct_hart == h && t->req_begin > t->acct_start)) {
		ns = clock_cycles_to_ns(t->req_begin - t->acct_start);
		if (ns > t->untimed_ns)
			t->utime_ns += ns - t->untimed_ns;
	}
	t->untimed_ns = 0;
}

/* @c: the row of the call, or NULL. */
static __cold void clock_end(struct hart *h, struct thread *t,
			     struct call_row *c)
{
	u64 end = rdcycle(), all = end - t->req_begin;
	u64 ran = all > t->acct_off ? all - t->acct_off : 0;

	t->stime_ns += clock_cycles_to_ns(ran);
	t->acct_start = end;
	t->acct_hart = h;
	if (c)
		relay_stats_call(c, all, ran);
}

static void call_body(struct thread *t)
{
	struct hart *h = this_hart();
	struct call_row *c = call_row_of(h, t->tf.a7);

	if (wants_clock(c))
		clock_begin(h, t);
	c->count++;
	pmu_syscall(t, true);
	syscall_dispatch(t);
	pmu_syscall(t, false);
	if (unlikely(t->work & ~WORK_RESCHED))
		task_request_end(t);
	t->syscall_nr = -1;
	if (t->timed)
		clock_end(h, t, c);
	else
		account_untimed(t, c);
}

static void request_body(struct thread *t)
{
	struct hart *h = this_hart();

	clock_begin(h, t);
	switch ((enum request_kind)t->req_kind) {
	case REQ_FAULT:
		do_user_fault(t);
		pmu_fault(this_hart(), t);
		break;
	case REQ_TRAP:
		do_user_trap(t);
		break;
	case REQ_SYSCALL:
	case REQ_WORK:
	case NR_REQUEST_KINDS:
		break;
	}
	/* Others may have had its hart meanwhile. */
	if (t->rseq)
		rseq_resume(t);
	if (unlikely(t->work & ~WORK_RESCHED))
		task_request_end(t);
	clock_end(h, t, NULL);
	t->syscall_nr = -1;
}

/* A coroutine that is not (yet) the request of a user thread. */
static void kthread_body(struct thread *t)
{
	void (*fn)(void *) = t->kfn;

	t->kfn = NULL;
	fn(t->karg);
	if (!t->proc)
		thread_exit_final();
	if (t->work & ~WORK_RESCHED)
		task_request_end(t);
}

/* t's request ended on its home h itself: it is not away any more, if it was. */
static void back_home(struct hart *h, const struct thread *t)
{
	relay_of(h)->away -= t->suspended_once;
	relay_of(h)->here -= t->suspended_once;
}

/* The thread's user half shall go on elsewhere, or here behind others. */
static __cold void finish_moved(struct hart *h, struct thread *t,
				struct hart *dst)
{
	struct hart *home = t->home;

	if (home) {
		atomic_add_relaxed(&relay_of(home)->left, 1);
		h->st.migrations++;
	}
	t->home = dst;
	thread_moved(t);
	if (dst == h)
		relay_user_ready(h, t, false);
	else
		relay_send_urgent(h, dst, t, MSG_PLACE);
}

/* The thread's user half may go on: send it to an application hart. */
static void finish(struct hart *h, struct thread *t)
{
	struct hart *home = t->home, *dst = home;

	relay_observe(h, t, EV_DONE, 0);
	if (unlikely(!home || (t->suspended_once && home != h)))
		dst = relay_pick_app(t, home);
	store_once(&t->state, THREAD_USER);
	if (unlikely(dst != home)) {
		finish_moved(h, t, dst);
	} else if (likely(dst != h)) {
		relay_complete(h, dst, t);
	} else {
		back_home(h, t);
		relay_user_ready(h, t, true);
	}
}

/* It left the stack without having finished. */
static void left_stack(struct hart *h, struct thread *t, enum co_result why)
{
	u64 now;

	switch (why) {
	case CO_SUSPENDED:
	case CO_YIELDED:
		if (!t->timed)
			clock_begin(h, t);
		now = rdcycle();
		t->acct_off -= now; /* until relay_run_ready() adds */
		if (why == CO_YIELDED) {
			relay_observe(h, t, EV_YIELD, 0);
			relay_coroutine_yielded(h, t);
			break;
		}
		relay_observe(h, t, EV_SUSPEND, 0);
		pmu_sw(h, t, 3 /* SW_SWITCHES */, 0);
		/* A local call leaves the hart free for others from here on. */
		if (!t->suspended_once && t->home == h) {
			relay_of(h)->away++;
			relay_of(h)->here++;
		}
		t->suspended_once = 1;
		break;
	case CO_EXITED:
		relay_observe(h, t, EV_EXIT, 0);
		t->in_coroutine = 0;
		if (t->home) {
			if (t->home == h)
				back_home(h, t);
			else
				atomic_add_relaxed(&relay_of(t->home)->left, 1);
		}
		task_reap(t);
		break;
	case CO_FINISHED:
		break;
	}
}

void co_ended(struct thread *t, int why)
{
	struct hart *h = this_hart();

	pmu_call_end(h, t, why);
	h->cur = NULL;
	KASSERT(!h->lock_depth);
	if (likely(why == CO_FINISHED)) {
		t->in_coroutine = 0;
		finish(h, t);
	} else {
		left_stack(h, t, (enum co_result)why);
	}
	hart_loop();
}

static __cold void __noreturn run_general(struct hart *h, struct thread *t)
{
	relay_observe(h, t, EV_SEEN, 0);
	KASSERT(!t->in_coroutine);
	t->in_coroutine = 1;
	t->suspended_once = 0;
	t->timed = 0;
	relay_begin(h, t);
	pmu_call_begin(h, t);
	co_start(t, t->req_kind == REQ_SYSCALL ? call_body : request_body);
}

/* Where the short way goes when it cannot go on. */
void relay_ring_and_loop(struct hart *dst)
{
	relay_doorbell(this_hart(), dst);
	hart_loop();
}

/* The same from post_plain(), which does not wait for @t. */
void relay_post_and_ring(struct hart *dst, const struct thread *t)
{
	relay_late(this_hart(), t);
	relay_ring_and_loop(dst);
}

void relay_post_and_loop(const struct thread *t)
{
	relay_late(this_hart(), t);
	hart_loop();
}

void relay_return_general(struct hart *h)
{
	relay_run_user(h);
	hart_loop();
}

void relay_call_ended_general(struct thread *t)
{
	co_ended(t, CO_FINISHED);
}

/* It was suspended, and so timed from there on. */
void relay_call_ended_timed(struct thread *t, struct call_row *c)
{
	clock_end(this_hart(), t, c);
	co_ended(t, CO_FINISHED);
}

void relay_run_request(struct hart *h, struct thread *t)
{
	struct call_row *c = call_row_of(h, t->tf.a7);

	if (likely(t->request == REQUEST_PLAIN)) {
		if (likely(is_plain(h, t, c, false)))
			run_plain(h, t, c, 0, false);
		if (h->watched)
			relay_run_watched(h, t, c);
	}
	run_general(h, t);
}

void relay_run_ready(struct hart *h)
{
	struct thread *t = list_first_entry(&h->ready, struct thread, run_node);

	list_del(&t->run_node);
	relay_of(h)->passed = 0;
	if (unlikely(relay_user_waits(h)) && !ktimer_armed(&relay_of(h)->slice))
		relay_slice_arm(h, t);
	if (unlikely(!t->in_coroutine && !t->kfn)) /* it was put off */
		relay_run_request(h, t);
	h->state = HART_CALL;
	h->cur = t;
	t->co_hart = h;
	store_once(&t->state, THREAD_RUNNING);
	pmu_call_begin(h, t);
	if (unlikely(!t->in_coroutine)) {
		t->in_coroutine = 1;
		co_start(t, kthread_body);
	}
	relay_observe(h, t, EV_RESUME, 0);
	t->acct_off += rdcycle();
	co_resume(t);
}

/*
 * t trapped on h and wants its coroutine.  Posts it, and returns with h->user NULL;
 * or runs it here, and does not return.
 */
void relay_post(struct hart *h, struct thread *t)
{
	struct hart *svc = relay_of(h)->service;
	bool local, leaves = false;

	h->user = NULL;
	relay_observe(h, t, EV_POSTED, t->req_kind);
	if ((t->tf.status & SSTATUS_FS) == SSTATUS_FS_DIRTY)
		relay_fp_save(h, t);
	if (t->req_kind == REQ_SYSCALL) {
		u16 traits = call_row_of(h, t->tf.a7)->traits;

		/* It is not wanted any more: leave it now, so that nobody has to
		 * ask (hart_drop_mm()). */
		leaves = traits & CALL_LEAVES_MM;
		if (leaves)
			relay_drop_user_mm(h);
		local = relay_where(h, t, traits) == POLICY_LOCAL;
	} else {
		local = relay_trap_is_local(t);
	}
	relay_observe(h, t, EV_SENT, 0);
	if (local)
		relay_run_request(h, t);
	pmu_posted(h);
	relay_of(h)->away++;
	relay_of(h)->last_posted = t;
	relay_of(h)->promised = false;
	h->st.posted++;
	relay_send(h, svc, t, MSG_REQUEST);
	if (!leaves)
		relay_late(h, t);
}

void relay_call_general(struct thread *t)
{
	relay_is_call(t);
	relay_post(this_hart(), t);
	hart_loop();
}

/*
 * From trap.S: user code of @t made a system call; its registers are in t->tf; we
 * stand on the hart's empty stack with interrupts off.
 */
__hotpath void user_ecall(struct thread *t)
{
	struct hart *h = this_hart();
	struct relay_hart *r = relay_of(h);
	u64 nr = t->tf.a7;
	struct call_row *c = &r->call[nr];

	t->tf.orig_a0 = t->tf.a0;
	if (unlikely(nr >= NR_SYSCALLS) ||
	    unlikely(h->watched | (c->traits & CALL_LEAVES_MM)) ||
	    unlikely((t->tf.status & SSTATUS_FS) == SSTATUS_FS_DIRTY))
		jump_to(relay_call_slow, t);
	begin_plain(h, r, t, c, false);
	jump_to(relay_call_slow, t);
}

/* From co_call(), on the hart's stack: the handler has returned. */
__hotpath void call_ended(struct thread *t, struct call_row *c)
{
	struct hart *h = this_hart();

	t->syscall_nr = -1;
	if (unlikely(t->request != REQUEST_RUNNING)) {
		if (t->timed)
			jump_to_2(relay_call_ended_timed, t, c);
		account_untimed(t, c);
		jump_to(relay_call_ended_general, t);
	}
	account_untimed(t, c);
	if (unlikely(h->lock_depth | h->watched))
		jump_to(relay_call_ended_slow, t);
	end_plain(h, t, false);
	jump_to(relay_call_ended_general, t);
}
