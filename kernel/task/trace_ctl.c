/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trace_ctl.c - what a tracer does to its tracees: resume, interrupt,
 * look and change.
 *
 * Locking: task_lock, under which a stopped tracee stays stopped.
 */
#include <kernel/task/trace.h>

#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/task/pid.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/task.h>
#include <lib/errno.h>

/* Tracee @tid of current's process; in a stop if @stopped is wanted. */
static struct tracee *mine_locked(int tid, bool stopped)
{
	struct thread *t = thread_find(pid_given(tid));
	struct tracee *tr = t ? thread_tracee(t) : NULL;

	if (!tr || tr->tracer != current->proc)
		return NULL;
	if (stopped && (!tr->stopped || tr->listening))
		return NULL;
	return tr;
}

int trace_with(int tid,
	       int (*fn)(struct thread *t, struct tracee *tr, void *arg),
	       void *arg)
{
	struct tracee *tr;
	int r = -ESRCH;

	spin_lock(&task_lock);
	tr = mine_locked(tid, true);
	if (tr)
		r = fn(tr->thread, tr, arg);
	spin_unlock(&task_lock);
	return r;
}

struct resume {
	int sig;
	bool syscalls;
};

static int resume(struct thread *t, struct tracee *tr, void *arg)
{
	const struct resume *r = arg;

	store_once(&tr->syscalls, r->syscalls);
	tr->resume_sig = r->sig;
	trace_release_locked(t, tr);
	return 0;
}

int trace_resume(int tid, int sig, bool syscalls)
{
	struct resume r = { sig, syscalls };

	return trace_with(tid, resume, &r);
}

int trace_interrupt(int tid)
{
	struct tracee *tr;
	int r = -ESRCH;

	spin_lock(&task_lock);
	tr = mine_locked(tid, false);
	if (tr && !tr->seized) {
		r = -EIO;
	} else if (tr) {
		trace_notify_locked(tr->thread, tr, TRAP_STOP);
		r = 0;
	}
	spin_unlock(&task_lock);
	return r;
}

static int listen(struct thread *t, struct tracee *tr, void *arg __unused)
{
	if (!tr->seized || tr->code >> 8 != EVENT_STOP)
		return -EIO;
	tr->listening = true;
	if (tr->trap)
		trace_release_locked(t, tr);
	return 0;
}

int trace_listen(int tid)
{
	return trace_with(tid, listen, NULL);
}

int trace_kill(int tid)
{
	struct tracee *tr;

	spin_lock(&task_lock);
	tr = mine_locked(tid, false);
	if (tr)
		(void)signal_process_locked(tr->thread->proc, SIGKILL,
					    SEND_KERNEL);
	spin_unlock(&task_lock);
	return tr ? 0 : -ESRCH;
}

static int set_options(struct thread *t __unused, struct tracee *tr, void *arg)
{
	store_once(&tr->options, *(u32 *)arg);
	return 0;
}

int trace_may_use(u32 options)
{
	u32 mode, filters;

	if (!(options & TRACE_O_NOSECCOMP))
		return 0;
	/* Nobody gets out of filters of their own through another process. */
	seccomp_status(current, &mode, &filters);
	return mode || !capable(CAP_SYS_ADMIN) ? -EPERM : 0;
}

int trace_set_options(int tid, u32 options)
{
	int err = trace_may_use(options);

	if (options & ~(u32)TRACE_O_KNOWN)
		return -EINVAL;
	if (err)
		return err;
	return trace_with(tid, set_options, &options);
}

struct mm *trace_mm(int tid)
{
	struct mm *mm = ERR_PTR(-ESRCH);
	struct tracee *tr;

	spin_lock(&task_lock);
	tr = mine_locked(tid, true);
	if (tr && tr->thread->mm)
		mm = mm_get(tr->thread->mm);
	spin_unlock(&task_lock);
	return mm;
}

/* A stopped tracee's blocked set; task_lock. */
int trace_set_mask(struct thread *t, u64 mask)
{
	struct sighand *sh = t->proc->sighand;

	mask &= ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
	spin_lock(&sh->lock);
	t->sig_blocked = mask;
	if ((t->sig_pending | t->proc->sig_pending) & ~mask)
		(void)atomic_fetch_or(&t->work, WORK_SIGNAL);
	spin_unlock(&sh->lock);
	return 0;
}
