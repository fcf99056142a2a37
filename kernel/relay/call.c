/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/call.c - the life of a request.
 *
 *	relay_post()		application hart: hand the thread to a service hart
 *	relay_run_request()	service hart (or, locally, the one that trapped):
 *				start the coroutine on the thread's kernel stack
 *	request_body()		the coroutine: do it, look at signals
 *	after_coroutine()	it left the stack: finished, suspended, gone
 *
 * INVARIANTS
 *   C1  Between the push of a thread and the pop on the other side nobody touches
 *       its [O] members: the ring owns them.
 *   C2  h->cur is set exactly while a coroutine runs on h.
 *   C3  No lock and no allocation between relay_post() and the handler, nor
 *       between the handler's end and user mode.  h->lock_depth is asserted to be
 *       zero at every change of stacks.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/mm/vm.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <kernel/task/trap.h>
#include <kernel/time/clock.h>

/*
 * Clocks are dear (on QEMU a CSR read is a tenth of a null call), so a call is timed
 * when its number was slow last time, or by sampling one in CALL_SAMPLE; a call that
 * suspends is timed from there on.  An untimed one counts as the last timed one.
 *
 * CPU time comes from the same reads: what passed on this service hart between the
 * end of a thread's last request and the beginning of this one was user time (and
 * both passings of the ring), less what it waited in a run queue; the request itself,
 * less what it was suspended, is system time.
 */
static bool wants_clock(const struct call_stats *c, const struct thread *t)
{
	u64 nr = (u64)t->stat_nr;

	return t->req_kind != REQ_SYSCALL || nr >= NR_SYSCALLS || c->slow[nr] ||
	       c->count[nr] % CALL_SAMPLE == 0;
}

static void account_begin(struct hart *h, struct thread *t)
{
	t->acct_off = 0;
	t->req_begin = 0;
	if (likely(!wants_clock(&relay_of(h)->calls, t)))
		return;
	t->req_begin = rdcycle();
	if (likely(t->acct_hart == h && t->req_begin > t->acct_start))
		t->utime_ns += clock_cycles_to_ns(t->req_begin - t->acct_start);
}

static void account_end(struct hart *h, struct thread *t)
{
	struct call_stats *c = &relay_of(h)->calls;
	u64 nr = (u64)t->stat_nr, end, all, ran;

	if (likely(!t->req_begin)) {
		/* Only calls with a number below NR_SYSCALLS go untimed. */
		c->count[nr]++;
		t->stime_ns += c->last_ns[nr];
		t->acct_start += c->last[nr];
		return;
	}
	end = rdcycle();
	all = end - t->req_begin;
	ran = all > t->acct_off ? all - t->acct_off : 0;
	t->stime_ns += clock_cycles_to_ns(ran);
	t->acct_start = end;
	t->acct_hart = h;
	if (t->req_kind == REQ_SYSCALL)
		relay_stats_call(h, nr, all, ran);
}

static void request_body(struct thread *t)
{
	account_begin(this_hart(), t);
	switch ((enum request_kind)t->req_kind) {
	case REQ_SYSCALL:
		syscall_dispatch(t);
		break;
	case REQ_FAULT:
		do_user_fault(t);
		break;
	case REQ_TRAP:
		do_user_trap(t);
		break;
	case REQ_WORK:
	case NR_REQUEST_KINDS:
		break;
	}
	if (unlikely(t->work & ~WORK_RESCHED))
		task_request_end(t);
	account_end(this_hart(), t);
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

/* The thread's user half may go on: send it to an application hart. */
static void finish(struct hart *h, struct thread *t)
{
	struct hart *home = t->home, *dst = home;

	relay_trace(h, t, TRACE_DONE);
	if (unlikely(!home || (t->suspended_once && home != h)))
		dst = relay_pick_app(t, home);
	store_once(&t->state, THREAD_DONE);
	if (dst == home && dst == h) {
		relay_of(h)->back += t->suspended_once;
		relay_user_ready(h, t, true);
		return;
	}
	if (likely(dst == home)) {
		relay_send(h, dst, t, MSG_DONE);
		return;
	}
	if (home) {
		atomic_add_relaxed(&relay_of(home)->left, 1);
		h->st.migrations++;
	}
	t->home = dst;
	if (dst == h)
		relay_user_ready(h, t, false);
	else
		relay_send_urgent(h, dst, t, MSG_PLACE);
}

static void after_coroutine(struct hart *h, struct thread *t, int why)
{
	h->cur = NULL;
	KASSERT(!h->lock_depth);
	if (why == CO_SUSPENDED || why == CO_YIELDED) {
		u64 now = rdcycle();

		if (!t->req_begin)
			t->req_begin = now;
		t->acct_off -= now; /* until relay_run_ready() adds */
	}
	switch ((enum co_result)why) {
	case CO_FINISHED:
		t->in_coroutine = 0;
		finish(h, t);
		break;
	case CO_SUSPENDED:
		relay_trace(h, t, TRACE_SUSPEND);
		/* A local call leaves the hart free for others from here on. */
		if (!t->suspended_once && t->home == h)
			relay_of(h)->posted++;
		t->suspended_once = 1;
		break;
	case CO_YIELDED:
		list_add_tail(&t->run_node, &h->ready);
		break;
	case CO_EXITED:
		t->in_coroutine = 0;
		if (t->home) {
			if (t->home == h)
				relay_of(h)->back += t->suspended_once;
			else
				atomic_add_relaxed(&relay_of(t->home)->left, 1);
		}
		task_reap(t);
		break;
	}
}

void relay_run_request(struct hart *h, struct thread *t)
{
	int why;

	relay_trace(h, t, TRACE_SEEN);
	KASSERT(!t->in_coroutine);
	t->in_coroutine = 1;
	t->suspended_once = 0;
	t->co_hart = h;
	store_once(&t->state, THREAD_RUNNING);
	h->state = HART_CALL;
	h->cur = t;
	h->st.requests++;
	why = co_start(t, request_body);
	after_coroutine(h, t, why);
}

void relay_run_ready(struct hart *h)
{
	struct list_head batch;
	struct thread *t;

	/* Only what is ready now: a yielding coroutine must not starve the rings. */
	list_init(&batch);
	list_splice_tail_init(&h->ready, &batch);
	while (!list_empty(&batch)) {
		int why;

		t = list_first_entry(&batch, struct thread, run_node);
		list_del(&t->run_node);
		h->state = HART_CALL;
		h->cur = t;
		t->co_hart = h;
		store_once(&t->state, THREAD_RUNNING);
		if (likely(t->in_coroutine)) {
			relay_trace(h, t, TRACE_RESUME_CO);
			t->acct_off += rdcycle();
			why = co_resume(t);
		} else {
			t->in_coroutine = 1;
			why = co_start(t, kthread_body);
		}
		after_coroutine(h, t, why);
	}
}

/* Calls after which the old address space is not wanted on this hart any more:
 * leave it now, so that nobody has to ask (hart_drop_mm()). */
static bool leaves_mm(const struct thread *t)
{
	enum {
		NR_EXIT = 93,
		NR_EXIT_GROUP = 94,
		NR_EXECVE = 221
	};
	u64 nr = t->tf.a7;

	return t->req_kind == REQ_SYSCALL &&
	       (nr == NR_EXIT || nr == NR_EXIT_GROUP || nr == NR_EXECVE);
}

static bool wants_local(const struct thread *t)
{
	u8 p;

	if (t->req_kind == REQ_SYSCALL)
		return relay_where(t, t->tf.a7) == POLICY_LOCAL;
	p = t->fault_policy ? t->fault_policy : relay_fault_policy;
	if (t->req_kind == REQ_FAULT)
		return p == POLICY_LOCAL;
	return relay_where(t, ~0ULL) == POLICY_LOCAL;
}

/*
 * t trapped on h and wants its coroutine.  Runs it here, or posts it.  On return
 * h->user is either t again (it ended at once) or NULL.
 */
void relay_post(struct hart *h, struct thread *t)
{
	struct hart *svc;

	h->user = NULL;
	relay_trace(h, t, TRACE_POSTED);
	if (unlikely((t->tf.status & SSTATUS_FS) == SSTATUS_FS_DIRTY))
		relay_fp_save(h, t);
	if (unlikely(leaves_mm(t)))
		relay_drop_user_mm(h);
	if ((h->role & ROLE_SERVICE) || wants_local(t)) {
		h->st.local_calls++;
		relay_run_request(h, t);
		return;
	}
	svc = relay_pick_service(h);
	store_once(&t->state, THREAD_POSTED);
	t->co_hart = svc;
	relay_of(h)->posted++;
	h->st.posted++;
	relay_send(h, svc, t, MSG_REQUEST);
}

void relay_user_ready(struct hart *h, struct thread *t, bool front)
{
	relay_trace(h, t, TRACE_RESUMED);
	t->hart = h;
	t->home = h;
	if (likely(!h->user)) {
		h->user = t;
		return;
	}
	if (front && t->suspended_once) {
		list_add(&t->run_node, &h->runq);
		relay_of(h)->preempt = true;
	} else {
		list_add_tail(&t->run_node, &h->runq);
	}
	h->nr_runq++;
}

void relay_yield(void)
{
	struct thread *t = current;

	/* relaxed: only the owner's hart acts on it, after the completion */
	atomic_fetch_or(&t->work, WORK_RESCHED);
}
