/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/stop.c - a process stops and continues as one.
 *
 *	running --(stop signal dequeued)--> stopping --(last thread)--> stopped
 *	   ^                                    |                          |
 *	   +----------- SIGCONT ----------------+---------- SIGCONT -------+
 *
 * Every thread that lives when the stop begins is counted in nr_stopping and has
 * WORK_STOP; each one that gets to the end of its request leaves the count and
 * sleeps; the last one tells the parent.  cont_gen closes the gap between taking
 * a stop signal from the queue and beginning the stop: a SIGCONT that was sent in
 * between wins.
 *
 * Locking: task_lock for all of it.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/trace.h>

#define STOP_SIGNALS                                              \
	(SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | \
	 SIG_BIT(SIGTTOU))

/* Pending signals of the process and of all its threads. */
static void drop_pending_locked(struct process *p, u64 mask)
{
	struct sighand *sh = p->sighand;
	struct thread *t;

	spin_lock(&sh->lock);
	sigqueue_drop(&p->sig_queue, &p->sig_pending, mask);
	list_for_each_entry(t, &p->threads, proc_node)
		sigqueue_drop(&t->sig_queue, &t->sig_pending, mask);
	if (mask & SIG_BIT(SIGSTOP))
		p->cont_gen++;
	spin_unlock(&sh->lock);
}

void jobctl_cancel_locked(struct process *p)
{
	u32 both = JOBCTL_STOPPING | JOBCTL_STOPPED;
	struct thread *t;

	assert_held(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node)
		store_once(&t->jobctl, t->jobctl & ~both);
	p->nr_stopping = 0;
	wake_up_all(&p->stop_wq);
}

static void continue_locked(struct process *p)
{
	if (!p->stopped && !p->nr_stopping)
		return;
	jobctl_cancel_locked(p);
	if (!p->stopped)
		return;
	p->stopped = false;
	p->stop_reported = false;
	p->continued = true;
	notify_parent_locked(p, SIGCHLD, CLD_CONTINUED, SIGCONT);
}

/* A tracee that was seized sees every SIGCONT as a stop of its own. */
static void notify_tracees_locked(struct process *p)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		struct tracee *tr = thread_tracee(t);

		if (tr && tr->seized)
			trace_notify_locked(t, tr, TRAP_NOTIFY);
	}
}

void jobctl_prepare_locked(struct process *p, int sig)
{
	assert_held(&task_lock);
	if (sig == SIGCONT) {
		drop_pending_locked(p, STOP_SIGNALS);
		continue_locked(p);
		notify_tracees_locked(p);
	} else if (sig < SIGRTMIN && (STOP_SIGNALS & SIG_BIT(sig))) {
		drop_pending_locked(p, SIG_BIT(SIGCONT));
	}
}

/* A tracer that is the parent hears of each thread instead. */
static void all_stopped_locked(struct process *p)
{
	struct tracee *tr = thread_tracee(p->leader);

	if (p->stopped)
		return;
	p->stopped = true;
	p->stop_reported = false;
	p->continued = false;
	if (!tr || tr->tracer != p->real_parent)
		notify_parent_locked(p, SIGCHLD, CLD_STOPPED, p->stop_sig);
}

void jobctl_start_stop(int sig, u32 gen)
{
	struct process *p = current->proc;
	struct thread *t;

	spin_lock(&task_lock);
	if (p->cont_gen != gen || p->exiting || p->exec_thread ||
	    (sig != SIGSTOP && pgrp_is_orphaned_locked(p->pgid, NULL))) {
		spin_unlock(&task_lock);
		return;
	}
	if (!p->nr_stopping) {
		p->stop_sig = p->stopped ? p->stop_sig : sig;
		list_for_each_entry(t, &p->threads, proc_node) {
			/* Stopped already, but for a tracer's "go on". */
			if (t->jobctl & JOBCTL_STOPPED)
				continue;
			store_once(&t->jobctl, JOBCTL_STOP(sig));
			p->nr_stopping++;
			if (t != current)
				thread_set_work(t, WORK_STOP);
		}
		wake_up_all(&p->stop_wq); /* who is frozen takes part */
	}
	spin_unlock(&task_lock);
	jobctl_do_stop();
}

static void participate_locked(struct thread *t)
{
	struct process *p = t->proc;

	if (!(t->jobctl & JOBCTL_STOPPING))
		return;
	store_once(&t->jobctl,
		   (t->jobctl & ~(u32)JOBCTL_STOPPING) | JOBCTL_STOPPED);
	if (!--p->nr_stopping)
		all_stopped_locked(p);
}

static void sleep_while_stopped(struct thread *t)
{
	cgroup_stopped_locked(t, true);
	spin_unlock(&task_lock);
	wait_event(&t->proc->stop_wq,
		   !(load_once(&t->jobctl) & JOBCTL_STOPPED) ||
			   (load_once(&t->work) & WORK_EXIT) ||
			   thread_traced(t));
	spin_lock(&task_lock);
	cgroup_stopped_locked(t, false);
}

/* True: look again.  What a tracer resumes runs, though its process is stopped. */
static bool stop_once_locked(struct thread *t)
{
	struct tracee *tr = thread_tracee(t);
	bool group = t->jobctl & JOBCTL_STOPPED;

	if (!group && !(tr && tr->trap))
		return false;
	if (!tr) {
		sleep_while_stopped(t);
		return true;
	}
	trace_group_stop_locked(t, tr);
	if (thread_traced(t) && !tr->trap)
		store_once(&t->jobctl, t->jobctl & ~(u32)JOBCTL_STOPPED);
	return true;
}

void jobctl_do_stop(void)
{
	struct thread *t = current;

	spin_lock(&task_lock);
	do {
		(void)atomic_fetch_and(&t->work, ~WORK_STOP);
		participate_locked(t);
	} while (!(load_once(&t->work) & WORK_EXIT) &&
		 (stop_once_locked(t) || cgroup_hold_once_locked(t)));
	spin_unlock(&task_lock);
}

void jobctl_thread_exit_locked(struct thread *t)
{
	struct process *p = t->proc;

	assert_held(&task_lock);
	if (!(t->jobctl & JOBCTL_STOPPING))
		return;
	store_once(&t->jobctl, t->jobctl & ~(u32)JOBCTL_STOPPING);
	KASSERT(p->nr_stopping > 0);
	if (!--p->nr_stopping && p->nr_threads > 1 && !p->exiting)
		all_stopped_locked(p);
}
