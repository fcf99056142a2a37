/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/trace_stop.c - a tracee stops, tells its tracer why, and sleeps until
 * that lets it go.
 *
 * The stop is a wait in the tracee's coroutine, so a traced thread is an ordinary
 * waiting thread to the rest of the kernel.  It sleeps on its process's stop_wq, of
 * which there is one for all threads: a tracer that resumes one of many wakes the
 * others too, and they look and sleep again.
 *
 * INVARIANTS
 *   I1  while tr->stopped the thread changes nothing that a tracer reads.
 *   I2  a thread that is to exit (WORK_EXIT) does not stop, and leaves a stop; in
 *       EVENT_EXIT that is so for SIGKILL only (process->killed).
 *
 * Locking: task_lock.  Context: coroutine of the tracee, for current.
 */
#include <kernel/task/trace.h>

#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/ns/user.h>
#include <kernel/task/task.h>
#include <lib/errno.h>
#include <lib/string.h>

static bool must_not_stop(const struct thread *t, const struct tracee *tr)
{
	if (tr->dying)
		return load_once(&t->proc->killed);
	return (load_once(&t->work) & WORK_EXIT) != 0;
}

static void tell_tracer_locked(struct thread *t, struct tracee *tr, int why)
{
	struct process *tracer = tr->tracer;
	const struct ksigaction *ka = &tracer->sighand->action[SIGCHLD - 1];
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.code = why;
	si.chld.pid = t->tid;
	si.chld.uid = t->real_cred->uid;
	si.chld.status = tr->code & 0x7f;
	if (ka->handler != SIG_IGN && !(ka->flags & SA_NOCLDSTOP))
		(void)signal_process_locked(tracer, SIGCHLD, &si);
	wake_up_all(&tracer->wait_chld);
}

/*
 * Stop with tr->code and tr->si set by the caller.  Lets task_lock go while it
 * sleeps and holds it again at the end.  Returns the tracer's signal.
 */
static int stop_locked(struct thread *t, struct tracee *tr, int why, u64 msg)
{
	int sig = 0;

	assert_held(&task_lock);
	if (!tr->tracer || must_not_stop(t, tr))
		return 0;
	tr->trap &= (u8)~TRAP_STOP; /* any stop will do */
	tr->message = msg;
	tr->resume_sig = 0;
	tr->reported = false;
	tr->listening = false;
	store_once(&tr->stopped, true);
	tell_tracer_locked(t, tr, why);
	cgroup_stopped_locked(t, true);
	spin_unlock(&task_lock);
	wait_event(&t->proc->stop_wq,
		   !load_once(&tr->stopped) || must_not_stop(t, tr));
	spin_lock(&task_lock);
	cgroup_stopped_locked(t, false);
	if (!tr->stopped)
		sig = tr->resume_sig;
	store_once(&tr->stopped, false);
	tr->listening = false;
	return sig;
}

/* A stop that is no signal's: @code tells which. */
static void self_info(struct thread *t, struct tracee *tr, int signo, int code)
{
	memset(&tr->si, 0, sizeof(tr->si));
	tr->si.signo = signo;
	tr->si.code = code;
	tr->si.rt.pid = t->tid;
	tr->si.rt.uid = t->real_cred->uid;
	tr->has_si = true;
	tr->code = code;
}

static int notify(struct thread *t, int code, u64 msg)
{
	struct tracee *tr;
	int sig = 0;

	spin_lock(&task_lock);
	tr = thread_tracee(t);
	if (tr) {
		self_info(t, tr, SIGTRAP, code);
		sig = stop_locked(t, tr, CLD_TRAPPED, msg);
	}
	spin_unlock(&task_lock);
	return sig;
}

/* --- system calls */

static void syscall_stop(struct thread *t, const struct tracee *tr, u64 msg)
{
	bool good = load_once(&tr->options) & TRACE_O_SYSGOOD;
	int sig = notify(t, SIGTRAP | (good ? TRACE_SYSGOOD : 0), msg);

	if (sig)
		(void)signal_thread(t, sig, SEND_KERNEL);
}

/*
 * As on Linux a tracer finds -ENOSYS in a0 and the argument in the call's
 * information only; a number that it makes negative skips the call.
 */
bool trace_syscall_enter(struct thread *t)
{
	struct tracee *tr = thread_tracee(t);

	if (!tr || !load_once(&tr->syscalls))
		return true;
	t->tf.a0 = (u64)-ENOSYS;
	syscall_stop(t, tr, TRACE_MSG_ENTRY);
	t->syscall_nr = (s64)t->tf.a7;
	if ((load_once(&t->work) & WORK_EXIT) || t->syscall_nr < 0)
		return false;
	t->tf.a0 = t->tf.orig_a0;
	return true;
}

void trace_syscall_exit(struct thread *t)
{
	struct tracee *tr = thread_tracee(t);

	if (tr && load_once(&tr->syscalls))
		syscall_stop(t, tr, TRACE_MSG_EXIT);
}

/* --- signals and job control */

/* The tracer chose another signal than the one that came. */
static void replaced_info(struct tracee *tr, int sig, struct siginfo *si)
{
	memset(si, 0, sizeof(*si));
	si->signo = sig;
	si->code = SI_USER;
	if (tr->tracer) {
		si->rt.pid = tr->tracer->pid;
		si->rt.uid = tr->tracer->leader->real_cred->uid;
	}
}

int trace_signal(struct thread *t, int sig, struct siginfo *si)
{
	struct tracee *tr;
	int to;

	spin_lock(&task_lock);
	tr = thread_tracee(t);
	if (!tr) {
		spin_unlock(&task_lock);
		return sig;
	}
	tr->code = sig;
	tr->si = *si;
	tr->has_si = true;
	to = stop_locked(t, tr, CLD_TRAPPED, 0);
	if (to == sig)
		*si = tr->si;
	else if (to)
		replaced_info(tr, to, si);
	if (to && (t->sig_blocked & SIG_BIT(to))) {
		(void)signal_thread_locked(t, to, si);
		to = 0;
	}
	spin_unlock(&task_lock);
	return to;
}

void trace_group_stop_locked(struct thread *t, struct tracee *tr)
{
	const struct process *p = t->proc;
	bool group = p->stopped || (t->jobctl & JOBCTL_STOPPED);
	int sig = group ? (int)JOBCTL_SIG(t->jobctl) : SIGTRAP;

	if (!sig) /* it was not there when the stop began */
		sig = p->stop_sig;
	tr->trap = 0;
	if (tr->seized) {
		self_info(t, tr, sig, TRACE_CODE(sig, EVENT_STOP));
	} else {
		tr->code = sig;
		tr->has_si = false;
	}
	(void)stop_locked(t, tr, CLD_STOPPED, 0);
}

/* Leave the stop; task_lock. */
void trace_release_locked(struct thread *t, struct tracee *tr)
{
	tr->listening = false;
	store_once(&tr->stopped, false);
	wake_up_all(&t->proc->stop_wq);
}

void trace_notify_locked(struct thread *t, struct tracee *tr, u8 trap)
{
	tr->trap |= trap;
	if (tr->listening)
		trace_release_locked(t, tr);
	thread_set_work(t, WORK_STOP); /* when it goes on, if it is stopped */
	if (!tr->stopped)
		wake_up_all(&t->proc->stop_wq); /* from a frozen group */
}

/* --- events */

bool trace_wants_event(const struct thread *t, int event)
{
	const struct tracee *tr = thread_tracee(t);

	return tr && (load_once(&tr->options) & TRACE_O(event));
}

void trace_event(int event, u64 message)
{
	struct thread *t = current;

	if (trace_wants_event(t, event))
		(void)notify(t, TRACE_CODE(SIGTRAP, event), message);
}

/* A tracer that did not ask for the event and did not seize gets a signal. */
void trace_exec(int old_tid)
{
	struct thread *t = current;
	struct tracee *tr = thread_tracee(t);

	if (!tr)
		return;
	if (load_once(&tr->options) & TRACE_O(EVENT_EXEC))
		trace_event(EVENT_EXEC, (u64)old_tid);
	else if (!tr->seized)
		(void)signal_thread(t, SIGTRAP, NULL);
}

void trace_exit(int status)
{
	struct tracee *tr = thread_tracee(current);

	if (!tr)
		return;
	tr->dying = true;
	trace_event(EVENT_EXIT, (u64)status);
}

bool trace_forbids_setid(void)
{
	const struct cred *c;
	struct tracee *tr;
	bool forbids = false;

	if (likely(!thread_traced(current)))
		return false;
	spin_lock(&task_lock);
	tr = thread_tracee(current);
	if (tr) {
		c = tr->tracer->leader->real_cred;
		forbids = !cred_capable(c, current_user_ns(), CAP_SYS_PTRACE);
	}
	spin_unlock(&task_lock);
	return forbids;
}
