/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/signal_mask.c - what a thread says about signals: blocked sets,
 * actions, alternate stack, synchronous waiting.
 *
 * All of it is about current.  Locking: kernel/task/signal.h.
 */
#include <kernel/task/task.h>

#include <kernel/task/sigqueue.h>
#include <lib/errno.h>
#include <lib/string.h>

#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
#define SA_KNOWN                                                              \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | \
	 SA_NODEFER | SA_RESETHAND | SA_EXPOSE_TAGBITS)

/*
 * Signals of the process that current was to take and now blocks: another thread
 * that does not must look.
 */
static void retarget(struct process *p, u64 newly_blocked)
{
	struct thread *t;

	spin_lock(&task_lock);
	spin_lock(&p->sighand->lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		if (t != current &&
		    (p->sig_pending & newly_blocked & ~t->sig_blocked))
			thread_set_work(t, WORK_SIGNAL);
	}
	spin_unlock(&p->sighand->lock);
	spin_unlock(&task_lock);
}

void signal_set_blocked(u64 mask)
{
	struct thread *t = current;
	struct process *p = t->proc;
	u64 newly;

	mask &= ~UNBLOCKABLE;
	if (mask == t->sig_blocked)
		return;
	newly = mask & ~t->sig_blocked;
	spin_lock(&p->sighand->lock);
	t->sig_blocked = mask;
	if ((t->sig_pending | p->sig_pending) & ~mask)
		(void)atomic_fetch_or(&t->work, WORK_SIGNAL);
	spin_unlock(&p->sighand->lock);
	if ((load_once(&p->sig_pending) & newly) && load_once(&p->nr_live) > 1)
		retarget(p, newly);
}

void signal_set_saved_mask(u64 mask)
{
	struct thread *t = current;

	t->sig_saved = t->sig_blocked;
	t->sig_restore_saved = true;
	signal_set_blocked(mask);
}

int signal_timedwait(u64 set, struct siginfo *si, u64 deadline_ns)
{
	struct thread *t = current;
	struct sighand *sh = t->proc->sighand;
	int sig, err = 0;

	set &= ~UNBLOCKABLE;
	for (;;) {
		spin_lock(&sh->lock);
		t->sig_wanted = set;
		spin_unlock(&sh->lock);
		sig = signal_dequeue(~set, si);
		if (sig || err)
			break;
		err = sleep_until_ns(deadline_ns, true) ? -EINTR : -EAGAIN;
	}
	spin_lock(&sh->lock);
	t->sig_wanted = 0;
	spin_unlock(&sh->lock);
	return sig ? sig : err;
}

/* The new action ignores @sig: what is pending of it goes. */
static void drop_ignored(struct process *p, int sig)
{
	struct thread *t;

	sigqueue_drop(&p->sig_queue, &p->sig_pending, SIG_BIT(sig));
	list_for_each_entry(t, &p->threads, proc_node)
		sigqueue_drop(&t->sig_queue, &t->sig_pending, SIG_BIT(sig));
}

int signal_action(int sig, const struct ksigaction *act, struct ksigaction *old)
{
	struct process *p = current->proc;
	struct sighand *sh = p->sighand;
	bool lock_tasks = act && act->handler <= SIG_IGN;

	if (sig < 1 || sig > NSIG ||
	    (act && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	if (lock_tasks)
		spin_lock(&task_lock);
	spin_lock(&sh->lock);
	*old = sh->action[sig - 1];
	if (act) {
		sh->action[sig - 1] = *act;
		sh->action[sig - 1].flags &= SA_KNOWN;
		sh->action[sig - 1].mask &= ~UNBLOCKABLE;
		if (act->handler == SIG_IGN ||
		    (act->handler == SIG_DFL && (SIGS_IGNORED & SIG_BIT(sig))))
			drop_ignored(p, sig);
	}
	spin_unlock(&sh->lock);
	if (lock_tasks)
		spin_unlock(&task_lock);
	return 0;
}

void signal_force_segv(int sig)
{
	struct sighand *sh = current->proc->sighand;

	if (sig == SIGSEGV) {
		spin_lock(&sh->lock);
		sh->action[SIGSEGV - 1].handler = SIG_DFL;
		spin_unlock(&sh->lock);
	}
	signal_force(SIGSEGV, SI_KERNEL, 0);
}

void signal_flush_handlers(struct sighand *sh)
{
	spin_lock(&sh->lock);
	for (int i = 0; i < NSIG; i++) {
		if (sh->action[i].handler != SIG_IGN)
			sh->action[i].handler = SIG_DFL;
		sh->action[i].flags = 0;
		sh->action[i].mask = 0;
	}
	spin_unlock(&sh->lock);
}

static bool on_altstack(const struct thread *t, u64 sp)
{
	return !(t->sas_flags & SS_AUTODISARM) && sp > t->sas_sp &&
	       sp - t->sas_sp <= t->sas_size;
}

int signal_altstack(const struct user_stack_t *new, struct user_stack_t *old,
		    u64 sp)
{
	struct thread *t = current;
	u32 mode;

	old->sp = t->sas_sp;
	old->size = t->sas_size;
	old->pad = 0;
	old->flags = (s32)(!t->sas_size		? SS_DISABLE
			   : on_altstack(t, sp) ? SS_ONSTACK
						: 0) |
		     (s32)(t->sas_flags & SS_AUTODISARM);
	if (!new)
		return 0;
	if (on_altstack(t, sp))
		return -EPERM;
	mode = (u32) new->flags & ~SS_AUTODISARM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode != SS_DISABLE && new->size < MINSIGSTKSZ)
		return -ENOMEM;
	t->sas_sp = mode == SS_DISABLE ? 0 : new->sp;
	t->sas_size = mode == SS_DISABLE ? 0 : new->size;
	t->sas_flags = (u32) new->flags;
	return 0;
}
