/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/signal_deliver.c - what a thread does at the end of a request when
 * somebody left work for it: exit, stop, handlers, restart of the call.
 *
 * The result of the call is in a0 already.  An -ERESTART* there never reaches the
 * program: with a handler it becomes -EINTR or the call is made to run again
 * after the handler; without one it runs again.
 *
 * INVARIANTS
 *   I1  WORK_SIGNAL of a thread is cleared here only, by the thread itself, under
 *       sighand->lock, with nothing deliverable pending.  So a call that returned
 *       -ERESTART* because of it always comes through here.
 *   I2  after request_end_slow() the thread has no work that is ours.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/log.h>
#include <kernel/mm/memcg.h>
#include <kernel/relay/relay.h>
#include <kernel/task/rseq.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/trace.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

#define NR_RESTART_SYSCALL 128
#define ECALL_LEN	   4

#define WORK_TASK (WORK_SIGNAL | WORK_EXIT | WORK_STOP)

bool signal_pending_current(void)
{
	return (load_once(&current->work) & WORK_TASK) != 0;
}

u64 signal_pending_set(void)
{
	struct thread *t = current;

	return load_once(&t->sig_pending) | load_once(&t->proc->sig_pending);
}

/* sighand->lock held. */
static int dequeue_held(struct thread *t, u64 blocked, struct siginfo *si)
{
	struct process *p = t->proc;
	int sig = sigset_first(t->sig_pending & ~blocked);

	if (sig) {
		sigqueue_take(&t->sig_queue, &t->sig_pending, sig, si);
		return sig;
	}
	sig = sigset_first(p->sig_pending & ~blocked);
	if (sig)
		sigqueue_take(&p->sig_queue, &p->sig_pending, sig, si);
	return sig;
}

int signal_dequeue(u64 blocked, struct siginfo *si)
{
	struct thread *t = current;
	struct sighand *sh = t->proc->sighand;
	int sig;

	spin_lock(&sh->lock);
	sig = dequeue_held(t, blocked, si);
	spin_unlock(&sh->lock);
	return sig;
}

void signal_hold_all(void)
{
	struct thread *t = current;
	struct sighand *sh = t->proc->sighand;

	spin_lock(&sh->lock);
	t->sig_blocked = ~SIG_BIT(SIGKILL);
	if (!((t->sig_pending | t->proc->sig_pending) & SIG_BIT(SIGKILL)))
		(void)atomic_fetch_and(&t->work, ~WORK_SIGNAL);
	spin_unlock(&sh->lock);
}

/* Nothing came, or nothing but a default action "ignore": 0. */
static int next_signal(struct thread *t, struct siginfo *si,
		       struct ksigaction *ka, u32 *gen)
{
	struct sighand *sh = t->proc->sighand;
	int sig;

	spin_lock(&sh->lock);
	for (;;) {
		struct ksigaction *a;

		sig = dequeue_held(t, t->sig_blocked, si);
		if (!sig) {
			(void)atomic_fetch_and(&t->work, ~WORK_SIGNAL);
			break;
		}
		if (thread_traced(t)) {
			spin_unlock(&sh->lock);
			sig = trace_signal(t, sig, si);
			spin_lock(&sh->lock);
			if (load_once(&t->work) & WORK_EXIT)
				break;
			if (!sig && (load_once(&t->work) & WORK_STOP))
				break;
			if (!sig)
				continue;
		}
		a = &sh->action[sig - 1];
		if (a->handler == SIG_IGN)
			continue;
		if (a->handler == SIG_DFL && (SIGS_IGNORED & SIG_BIT(sig)))
			continue;
		*ka = *a;
		if (a->handler != SIG_DFL && (a->flags & SA_RESETHAND))
			a->handler = SIG_DFL;
		break;
	}
	*gen = t->proc->cont_gen;
	spin_unlock(&sh->lock);
	return sig;
}

/* Only its own faults kill the first process. */
static bool init_is_spared(const struct process *p, const struct siginfo *si)
{
	if (si->code > 0 && si->code != SI_KERNEL)
		return false;
	return p == init_process || (p->ns_init && si->signo != SIGSTOP);
}

static void default_action(struct thread *t, int sig, const struct siginfo *si,
			   u32 gen)
{
	if (init_is_spared(t->proc, si))
		return;
	if (sig < SIGRTMIN && (SIGS_STOP & SIG_BIT(sig))) {
		jobctl_start_stop(sig, gen);
		return;
	}
	if (si->code > 0 && si->code != SI_KERNEL)
		pr_info_ratelimited(
			"%s[%d]: unhandled signal %d code %d at %#llx, pc %#llx ra %#llx sp %#llx",
			t->name, t->tid, sig, si->code,
			(unsigned long long)si->fault.addr,
			(unsigned long long)t->tf.pc,
			(unsigned long long)t->tf.ra,
			(unsigned long long)t->tf.sp);
	if (sig < SIGRTMIN && (SIGS_CORE & SIG_BIT(sig)) && core_dump(si, sig))
		sig |= WCOREFLAG;
	do_group_exit(sig);
}

static bool in_syscall(const struct thread *t)
{
	return t->req_kind == REQ_SYSCALL && t->syscall_nr >= 0;
}

/* A call that ended with -ERESTART*, and how to undo its restart. */
struct restart {
	s64 err;    /* 0: there is none */
	u64 pc, a7; /* behind the ecall; the call's number */
};

/*
 * Registers become those of a call that is about to be made again, before signals
 * are looked at: so a debugger that stops the thread now sees that, and may send
 * it elsewhere.
 */
static void restart_prepare(struct thread *t, struct restart *r)
{
	s64 err = (s64)t->tf.a0;

	if (!in_syscall(t))
		return;
	t->syscall_nr = -1;
	if (err != -ERESTARTSYS && err != -ERESTARTNOINTR &&
	    err != -ERESTARTNOHAND && err != -ERESTART_RESTARTBLOCK)
		return;
	*r = (struct restart){ err, t->tf.pc, t->tf.a7 };
	t->tf.a0 = t->tf.orig_a0;
	t->tf.pc -= ECALL_LEN;
	if (err == -ERESTART_RESTARTBLOCK)
		t->tf.a7 = NR_RESTART_SYSCALL;
}

/* A handler will run: may the call run again after it? */
static void restart_before_handler(struct thread *t, struct restart *r,
				   u64 sa_flags)
{
	bool again = r->err == -ERESTARTNOINTR ||
		     (r->err == -ERESTARTSYS && (sa_flags & SA_RESTART));

	if (r->err && !again && t->tf.pc == r->pc - ECALL_LEN) {
		t->tf.a0 = (u64)-EINTR;
		t->tf.a7 = r->a7;
		t->tf.pc = r->pc;
	}
	r->err = 0;
}

static void run_handler(struct thread *t, int sig, const struct ksigaction *ka,
			const struct siginfo *si, struct restart *r)
{
	u64 saved = t->sig_restore_saved ? t->sig_saved : t->sig_blocked;
	u64 mask = t->sig_blocked | ka->mask;

	restart_before_handler(t, r, ka->flags);
	if (t->rseq)
		rseq_resume(t);
	if (sigframe_setup(t, sig, ka, si, saved)) {
		signal_force_segv(sig);
		return;
	}
	t->sig_restore_saved = false;
	if (!(ka->flags & SA_NODEFER))
		mask |= SIG_BIT(sig);
	signal_set_blocked(mask);
}

static void deliver_signals(struct thread *t, struct restart *r)
{
	struct siginfo si;
	struct ksigaction ka;
	u32 gen;
	int sig;

	/* What the tracer wants comes before the next signal. */
	while (!(load_once(&t->work) & WORK_STOP) &&
	       (sig = next_signal(t, &si, &ka, &gen)) != 0) {
		if (load_once(&t->work) & WORK_EXIT)
			return;
		if (ka.handler == SIG_DFL)
			default_action(t, sig, &si, gen);
		else
			run_handler(t, sig, &ka, &si, r);
	}
}

static void request_end_slow(struct thread *t)
{
	struct restart r = { 0 };

	do {
		if (load_once(&t->work) & WORK_EXIT)
			do_thread_exit(t->proc->exiting ? t->proc->exit_code
							: 0);
		restart_prepare(t, &r);
		if (load_once(&t->work) & WORK_STOP)
			jobctl_do_stop();
		deliver_signals(t, &r);
		if (load_once(&t->work) & WORK_STOP)
			continue;
		if (t->sig_restore_saved) {
			t->sig_restore_saved = false;
			signal_set_blocked(t->sig_saved);
		}
	} while (load_once(&t->work) & WORK_TASK);
}

void task_request_end(struct thread *t)
{
	if (unlikely(load_once(&t->work) & WORK_RSEQ))
		rseq_resume(t);
	if (unlikely(load_once(&t->work) & WORK_MOVE)) {
		(void)atomic_fetch_and(&t->work, ~WORK_MOVE);
		relay_leave_home(t);
	}
	if (unlikely(load_once(&t->work) & WORK_MEMCG))
		memcg_pay(t);
	if (unlikely(load_once(&t->work) & WORK_THROTTLE))
		cgroup_throttle_wait(t);
	if (unlikely(load_once(&t->work) & WORK_TASK))
		request_end_slow(t);
}
