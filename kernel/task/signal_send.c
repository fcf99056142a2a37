/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/signal_send.c - a signal becomes pending and somebody is woken.
 *
 * INVARIANTS
 *   I1  a bit in a pending mask whose signal nobody blocks or ignores has
 *       WORK_SIGNAL set in at least one thread that can take it.
 *   I2  an ordinary signal (below SIGRTMIN) is in a queue at most once.
 *   I3  SIGKILL is never pending: it starts the group's exit at once.
 *
 * Locking: task_lock, then sighand->lock (kernel/task/signal.h).
 * Not here: who may send (signal_kill.c), delivery (signal_deliver.c).
 */
#include <kernel/task/signal.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/ext.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/task.h>
#include <kernel/task/pid.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define NS_PER_USER_TICK 10000000u /* USER_HZ is 100 */

static bool handler_ignores(const struct process *p, int sig)
{
	u64 h = p->sighand->action[sig - 1].handler;

	if (h == SIG_IGN)
		return true;
	if (h != SIG_DFL)
		return false;
	return p == init_process || (p->ns_init && sig != SIGSTOP) ||
	       (SIGS_IGNORED & SIG_BIT(sig));
}

bool signal_ignored(struct process *p, int sig)
{
	bool ignored;

	spin_lock(&p->sighand->lock);
	ignored = handler_ignores(p, sig);
	spin_unlock(&p->sighand->lock);
	return ignored;
}

bool signal_blocked_or_ignored(int sig)
{
	return (current->sig_blocked & SIG_BIT(sig)) ||
	       signal_ignored(current->proc, sig);
}

static bool thread_wants(const struct thread *t, u64 bit)
{
	return !(t->sig_blocked & bit) || (t->sig_wanted & bit);
}

/* A thread of @p that can take the signal now, the leader if possible. */
static struct thread *pick_thread(struct process *p, u64 bit)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		if (!(load_once(&t->work) & WORK_EXIT) && thread_wants(t, bit))
			return t;
	}
	return NULL;
}

static void fill_info(struct siginfo *dst, int sig, const struct siginfo *si)
{
	if (si && si != SEND_KERNEL) {
		*dst = *si;
		dst->signo = sig;
		return;
	}
	siginfo_user(dst, sig, si ? SI_KERNEL : SI_USER);
	if (si)
		dst->rt.pid = 0;
}

void siginfo_user(struct siginfo *si, int sig, int code)
{
	struct thread *t = current;

	memset(si, 0, sizeof(*si));
	si->signo = sig;
	si->code = code;
	if (t && t->proc && code != SI_KERNEL) {
		si->rt.pid = t->proc->pid;
		si->rt.uid = t->cred->uid;
	}
}

/* What RLIMIT_SIGPENDING does not stop: what the kernel or kill(2) sends of ordinary
 * signals, and what a timer sends, for which the timer has paid. */
static u64 limit_for(struct process *p, int sig, const struct siginfo *si)
{
	bool special = !si || si == SEND_KERNEL;

	if (sig < SIGRTMIN ? special || si->code >= 0
			   : !special && si->code == SI_TIMER)
		return RLIM_INFINITY;
	return load_once(&p->rlim[RLIMIT_SIGPENDING].cur);
}

/* As the namespaces of @p have him. */
static void sender_for(struct process *p, struct siginfo *si)
{
	struct user_ns *user = p->leader->real_cred->user_ns;

	assert_held(&task_lock);
	if (si->rt.pid > 0)
		si->rt.pid = pid_nr_in(p->pid_ns, si->rt.pid);
	if (likely(user == &init_user_ns))
		return;
	si->rt.uid = id_from_global(user, ID_UID, si->rt.uid);
	if (si->rt.uid == INVALID_ID)
		si->rt.uid = OVERFLOW_ID;
}

/* Put the details into a queue.  Losing them is an error for sigqueue() only. */
static int enqueue(struct process *p, struct list_head *q, int sig,
		   const struct siginfo *si)
{
	struct sigqueue *e = sigqueue_alloc(p->leader->real_cred->uid,
					    limit_for(p, sig, si));
	bool must = sig >= SIGRTMIN && si && si != SEND_KERNEL &&
		    si->code != SI_USER;

	if (!e)
		return must ? -EAGAIN : 0;
	fill_info(&e->info, sig, si);
	if (siginfo_has_sender(&e->info))
		sender_for(p, &e->info);
	list_add_tail(&e->node, q);
	return 0;
}

/* sighand->lock held. @t: for this thread only, or NULL: for the process. */
static int make_pending(struct process *p, struct thread *t, int sig,
			const struct siginfo *si)
{
	u64 bit = SIG_BIT(sig);
	u64 *pending = t ? &t->sig_pending : &p->sig_pending;
	struct thread *to = t;
	int err;

	if (sig < SIGRTMIN && (*pending & bit))
		return 0;
	err = enqueue(p, t ? &t->sig_queue : &p->sig_queue, sig, si);
	if (err)
		return err;
	*pending |= bit;
	if (!list_empty(&p->sighand->signalfd_wq.list))
		wake_up_all(&p->sighand->signalfd_wq);
	if (!t)
		to = pick_thread(p, bit);
	if (to && thread_wants(to, bit))
		thread_set_work(to, WORK_SIGNAL);
	return 0;
}

/*
 * The signal, which has become pending, ends the process and nothing more: then it
 * does so now, also when the one to take it waits for something that no other
 * signal interrupts.  sighand->lock held.
 */
static bool ends_now(struct process *p, struct thread *t, int sig)
{
	u64 bit = SIG_BIT(sig);
	const struct thread *to = t ? t : pick_thread(p, bit);

	if (p->sighand->action[sig - 1].handler != SIG_DFL ||
	    p == init_process || p->ns_init || p->stopped)
		return false;
	if (sig < SIGRTMIN && ((SIGS_IGNORED | SIGS_STOP | SIGS_CORE) & bit))
		return false;
	return to && !(to->sig_blocked & bit) && !thread_traced(to);
}

static int send_locked(struct process *p, struct thread *t, int sig,
		       const struct siginfo *si)
{
	const struct thread *who = t ? t : p->leader;
	u64 bit = SIG_BIT(sig);
	bool end = false;
	int err = 0;

	assert_held(&task_lock);
	KASSERT(sig >= 0 && sig <= NSIG);
	if (!sig || p->zombie)
		return 0;
	if (sig == SIGKILL) {
		if (p == init_process ||
		    (unlikely(p->ns_init) && si != SEND_KERNEL &&
		     !pid_ns_from_outside(p)))
			return 0;
		store_once(&p->killed, true);
		group_exit_begin_locked(p, SIGKILL);
		wake_up_all(&p->stop_wq);
		return 0;
	}
	if (p->exiting)
		return 0;
	if (unlikely(p->ns_init) && sig == SIGSTOP && si != SEND_KERNEL &&
	    !pid_ns_from_outside(p))
		return 0;
	jobctl_prepare_locked(p, sig);
	spin_lock(&p->sighand->lock);
	if (((who->sig_blocked | who->sig_wanted) & bit) ||
	    !handler_ignores(p, sig) || thread_traced(who))
		err = make_pending(p, t, sig, si);
	if (!err)
		end = ends_now(p, t, sig);
	spin_unlock(&p->sighand->lock);
	if (end)
		group_exit_begin_locked(p, sig);
	return err;
}

int signal_process_locked(struct process *p, int sig, const struct siginfo *si)
{
	return send_locked(p, NULL, sig, si);
}

int signal_thread_locked(struct thread *t, int sig, const struct siginfo *si)
{
	return send_locked(t->proc, t, sig, si);
}

int signal_thread(struct thread *t, int sig, const struct siginfo *si)
{
	int err;

	if (spin_held(&task_lock))
		return send_locked(t->proc, t, sig, si);
	spin_lock(&task_lock);
	err = send_locked(t->proc, t, sig, si);
	spin_unlock(&task_lock);
	return err;
}

int signal_process(struct process *p, int sig, const struct siginfo *si)
{
	int err;

	if (spin_held(&task_lock))
		return send_locked(p, NULL, sig, si);
	spin_lock(&task_lock);
	err = send_locked(p, NULL, sig, si);
	spin_unlock(&task_lock);
	return err;
}

int signal_pgrp_locked(int pgid, int sig, const struct siginfo *si)
{
	struct pid_slot *s = pid_slot(pgid);
	struct process *p;

	if (!s || list_empty(&s->pgrp))
		return -ESRCH;
	list_for_each_entry(p, &s->pgrp, pgrp_node)
		(void)send_locked(p, NULL, sig, si);
	return 0;
}

int signal_pgrp(int pgid, int sig, const struct siginfo *si)
{
	int err;

	spin_lock(&task_lock);
	err = signal_pgrp_locked(pgid, sig, si);
	spin_unlock(&task_lock);
	return err;
}

/*
 * A fault of current.  When the program blocks or ignores it there is nothing to
 * go back to: the default action then.
 */
void signal_force(int sig, int code, u64 addr)
{
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.signo = sig;
	si.code = code;
	si.fault.addr = addr;
	signal_force_info(sig, &si);
}

void signal_force_info(int sig, const struct siginfo *si)
{
	struct thread *t = current;
	struct sighand *sh = t->proc->sighand;
	u64 bit = SIG_BIT(sig);

	spin_lock(&sh->lock);
	if ((t->sig_blocked & bit) || sh->action[sig - 1].handler == SIG_IGN) {
		sh->action[sig - 1].handler = SIG_DFL;
		t->sig_blocked &= ~bit;
	}
	(void)make_pending(t->proc, t, sig, si);
	(void)atomic_fetch_or(&t->work, WORK_SIGNAL);
	spin_unlock(&sh->lock);
}

bool parent_ignores_child_locked(struct process *parent, int sig)
{
	struct sighand *sh = parent->sighand;
	bool ignores;

	if (sig != SIGCHLD)
		return false;
	spin_lock(&sh->lock);
	ignores = sh->action[SIGCHLD - 1].handler == SIG_IGN ||
		  (sh->action[SIGCHLD - 1].flags & SA_NOCLDWAIT);
	spin_unlock(&sh->lock);
	return ignores;
}

void notify_parent_locked(struct process *p, int sig, int code, int status)
{
	struct process *parent = p->parent;
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.code = code;
	si.chld.pid = p->pid;
	si.chld.uid = p->leader->real_cred->uid;
	si.chld.status = status;
	si.chld.utime = (s64)(p->utime_ns / NS_PER_USER_TICK);
	si.chld.stime = (s64)(p->stime_ns / NS_PER_USER_TICK);
	if ((code == CLD_STOPPED || code == CLD_CONTINUED) &&
	    (parent->sighand->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		sig = 0;
	/* clone(2) takes any number; one that is no signal is not sent. */
	if (sig > 0 && sig <= NSIG)
		(void)send_locked(parent, NULL, sig, &si);
	wake_up_all(&parent->wait_chld);
}
