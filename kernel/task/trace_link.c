/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trace_link.c - who traces whom, from the attachment to either end.
 *
 * INVARIANTS
 *   I1  tr is in tr->tracer->tracees exactly while tr->tracer is set.
 *   I2  a thread's tracee object is freed with the thread; but one that ends while
 *       it is traced, and is not a leader, leaves the object behind as a "ghost"
 *       for its tracer to wait for.
 *   I3  a zombie leader whose tracer is not its parent is that tracer's alone until
 *       it is waited for or let go; then the parent is told.
 *
 * Locking: task_lock.
 */
#include <kernel/task/trace.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/clone.h>
#include <kernel/task/domain.h>
#include <kernel/task/pid.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/task.h>
#include <lib/errno.h>
#include <lib/string.h>

static void link_locked(struct thread *t, struct process *tracer, bool seize,
			u32 options)
{
	struct tracee *tr = ((struct thread_ext *)t->ext)->trace;

	KASSERT(!tr->tracer);
	memset(tr, 0, sizeof(*tr));
	tr->thread = t;
	tr->seized = seize;
	tr->options = options;
	list_init(&tr->node);
	list_add_tail(&tr->node, &tracer->tracees);
	store_once(&tr->tracer, tracer);
}

static void unlink_locked(struct tracee *tr)
{
	list_del(&tr->node);
	store_once(&tr->tracer, NULL);
	tr->syscalls = false;
	tr->options = 0;
	tr->trap = 0;
}

void trace_unlink_locked(struct thread *t)
{
	struct tracee *tr = thread_tracee(t);

	if (tr)
		unlink_locked(tr);
}

/* --- who may */

int trace_may_access_locked(struct process *p, bool fs)
{
	const struct cred *me = current_cred(), *c = p->leader->real_cred;
	const struct thread *t;

	if (p == current->proc)
		return 0;
	if (!domain_is_below(c->domain, me->domain))
		return -EPERM;
	if (capable(CAP_SYS_PTRACE))
		return 0;
	if (!ns_capable(c->user_ns, CAP_SYS_PTRACE) &&
	    (!cred_is_of(c, fs ? me->fsuid : me->uid,
			 fs ? me->fsgid : me->gid) ||
	     c->user_ns != me->user_ns ||
	     (c->cap_permitted & ~me->cap_permitted) != 0))
		return -EPERM;
	/* What may not be dumped belongs to a namespace further up. */
	list_for_each_entry(t, &p->threads, proc_node) {
		if (t->mm && t->mm->dumpable != 1)
			return -EPERM;
	}
	return 0;
}

int trace_may_access(struct process *p, bool fs)
{
	int err;

	spin_lock(&task_lock);
	err = trace_may_access_locked(p, fs);
	spin_unlock(&task_lock);
	return err;
}

/* --- attach */

int trace_me(void)
{
	struct thread *t = current;
	struct thread_ext *spare = ext_alloc(true);
	int err = 0;

	if (!spare)
		return -ENOMEM;
	spin_lock(&task_lock);
	if (thread_tracee(t) || t->proc == init_process ||
	    !trace_parent_in_scope_locked() ||
	    !domain_is_below(t->real_cred->domain,
			     t->proc->real_parent->leader->real_cred->domain)) {
		err = -EPERM;
	} else {
		ext_adopt_locked(t, &spare);
		link_locked(t, t->proc->real_parent, false, 0);
	}
	spin_unlock(&task_lock);
	ext_free(spare);
	return err;
}

static int may_attach_locked(struct thread *t)
{
	if (!t || !t->proc)
		return -ESRCH;
	if (t->proc == current->proc || thread_tracee(t) ||
	    (load_once(&t->work) & WORK_EXIT))
		return -EPERM;
	return trace_may_attach_locked(t->proc, false);
}

static void attached_locked(struct thread *t)
{
	struct tracee *tr = thread_tracee(t);

	if (!tr->seized)
		(void)signal_thread_locked(t, SIGSTOP, SEND_KERNEL);
	/* Already stopped: it stops again, for its tracer. */
	if (t->jobctl & JOBCTL_STOPPED)
		wake_up_all(&t->proc->stop_wq);
}

/* 0: current traces @tid; *@busy, referenced: it executes a program just now. */
static int attach(int tid, bool seize, u32 options, struct thread_ext **spare,
		  struct process **busy)
{
	struct thread *t;
	int err;

	*busy = NULL;
	spin_lock(&task_lock);
	t = thread_find(pid_given(tid));
	err = may_attach_locked(t);
	if (!err && t->proc->exec_decides) {
		*busy = process_get(t->proc);
	} else if (!err) {
		ext_adopt_locked(t, spare);
		link_locked(t, current->proc, seize, options);
		attached_locked(t);
	}
	spin_unlock(&task_lock);
	return err;
}

int trace_attach(int tid, bool seize, u32 options)
{
	struct thread_ext *spare;
	struct process *busy;
	int err;

	if (options & ~(u32)TRACE_O_KNOWN)
		return -EIO;
	err = trace_may_use(options);
	if (err)
		return err;
	spare = ext_alloc(true);
	if (!spare)
		return -ENOMEM;
	do {
		err = attach(tid, seize, options, &spare, &busy);
		if (!busy)
			break;
		if (wait_event_interruptible(&busy->threads_wq,
					     !load_once(&busy->exec_decides)))
			err = -ERESTARTNOINTR;
		process_put(busy);
	} while (!err);
	ext_free(spare);
	return err;
}

/* --- clone */

int trace_clone_event(const struct clone_args *a)
{
	int event = EVENT_FORK;

	if (!thread_traced(current) || (a->flags & CLONE_UNTRACED))
		return 0;
	if (a->flags & CLONE_VFORK)
		event = EVENT_VFORK;
	else if (a->exit_signal != SIGCHLD)
		event = EVENT_CLONE;
	return trace_wants_event(current, event) ? event : 0;
}

int trace_child_prepare(struct thread *child, int event, u64 flags)
{
	if (!event && !((flags & CLONE_PTRACE) && thread_traced(current)))
		return 0;
	child->ext = ext_alloc(true);
	return child->ext ? 0 : -ENOMEM;
}

/* It stops before its first instruction. */
void trace_child_link_locked(struct thread *child)
{
	struct thread_ext *x = child->ext;
	struct tracee *tr = thread_tracee(current);

	if (!x || !x->trace || !tr)
		return;
	link_locked(child, tr->tracer, tr->seized, tr->options);
	if (tr->seized) {
		x->trace->trap = true;
		(void)atomic_fetch_or(&child->work, WORK_STOP);
	} else {
		child->sig_pending |= SIG_BIT(SIGSTOP);
		(void)atomic_fetch_or(&child->work, WORK_SIGNAL);
	}
}

/* --- detach */

/* It runs on; when its process is stopped, it stops with that. */
static void let_go_locked(struct tracee *tr, int sig)
{
	struct thread *t = tr->thread;
	struct process *p = t->proc;
	bool was_stopped = tr->stopped;

	unlink_locked(tr);
	if (p->stopped && !p->exiting) {
		store_once(&t->jobctl, t->jobctl | JOBCTL_STOPPED);
		(void)atomic_fetch_or(&t->work, WORK_STOP);
	}
	tr->resume_sig = sig;
	if (was_stopped)
		trace_release_locked(t, tr);
	else
		thread_kick(t);
}

static int detach(struct thread *t __unused, struct tracee *tr, void *arg)
{
	let_go_locked(tr, *(int *)arg);
	return 0;
}

int trace_detach(int tid, int sig)
{
	return trace_with(tid, detach, &sig);
}

/* --- ends */

bool trace_reparented_locked(const struct process *p)
{
	const struct tracee *tr = p->leader ? thread_tracee(p->leader) : NULL;

	return tr && tr->tracer != p->real_parent;
}

static void tell_end_locked(struct tracee *tr, int tid, u32 uid, int status)
{
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.code = cld_code(status);
	si.chld.pid = tid;
	si.chld.uid = uid;
	si.chld.status = status & 0x7f ? status & 0x7f : (status >> 8) & 0xff;
	(void)signal_process_locked(tr->tracer, SIGCHLD, &si);
	wake_up_all(&tr->tracer->wait_chld);
}

void trace_thread_exit_locked(struct thread *t, int status)
{
	struct thread_ext *x = t->ext;
	struct tracee *tr = thread_tracee(t);

	if (!tr || t == t->proc->leader)
		return;
	x->trace = NULL;
	tr->thread = NULL;
	tr->stopped = false;
	tr->tid = t->tid;
	tr->shown_tid = pid_nr_in(tr->tracer->pid_ns, t->tid);
	tr->status = status;
	tr->uid = t->real_cred->uid;
	tell_end_locked(tr, tr->tid, tr->uid, status);
}

void trace_ghost_free_locked(struct tracee *tr)
{
	KASSERT(!tr->thread);
	list_del(&tr->node);
	kfree(tr);
}

bool trace_process_exit_locked(struct process *p)
{
	struct tracee *tr = thread_tracee(p->leader);

	if (!tr)
		return false;
	tr->stopped = false;
	if (tr->tracer == p->real_parent)
		(void)announce_death_locked(p);
	else
		tell_end_locked(tr, p->pid, p->leader->real_cred->uid,
				p->exit_code);
	return true;
}

bool trace_zombie_release_locked(struct process *p)
{
	trace_unlink_locked(p->leader);
	if (!announce_death_locked(p))
		return false;
	process_unlink_locked(p);
	return true;
}

void trace_tracer_exit_locked(struct process *p, struct list_head *dead)
{
	struct tracee *tr, *tmp;

	list_for_each_entry_safe(tr, tmp, &p->tracees, node) {
		struct process *q;

		if (!tr->thread) {
			trace_ghost_free_locked(tr);
			continue;
		}
		q = tr->thread->proc;
		if (tr->options & TRACE_O_EXITKILL)
			(void)signal_process_locked(q, SIGKILL, SEND_KERNEL);
		if (!q->zombie) {
			let_go_locked(tr, 0);
		} else if (q->real_parent == p) {
			unlink_locked(tr);
		} else if (trace_zombie_release_locked(q)) {
			list_add_tail(&q->sibling, dead);
		}
	}
}
