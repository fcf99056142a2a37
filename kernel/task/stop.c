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
#include <kernel/task/sigqueue.h>

#define STOP_SIGNALS                                              \
	(SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | \
	 SIG_BIT(SIGTTOU))

/* Pending signals of the process and of all its threads. */
static void drop_pending_locked(struct process *p, u64 mask)
{
	struct sighand *sh = p->sighand;
	struct thread *t;

	spin_lock(&sh->lock);
	p->nr_sigqueued -= sigqueue_drop(&p->sig_queue, &p->sig_pending, mask);
	list_for_each_entry(t, &p->threads, proc_node)
		p->nr_sigqueued -=
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

void jobctl_prepare_locked(struct process *p, int sig)
{
	assert_held(&task_lock);
	if (sig == SIGCONT) {
		drop_pending_locked(p, STOP_SIGNALS);
		continue_locked(p);
	} else if (sig < SIGRTMIN && (STOP_SIGNALS & SIG_BIT(sig))) {
		drop_pending_locked(p, SIG_BIT(SIGCONT));
	}
}

static void all_stopped_locked(struct process *p)
{
	p->stopped = true;
	p->stop_reported = false;
	p->continued = false;
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
	if (!p->nr_stopping && !p->stopped) {
		p->stop_sig = sig;
		list_for_each_entry(t, &p->threads, proc_node) {
			store_once(&t->jobctl, t->jobctl | JOBCTL_STOPPING);
			p->nr_stopping++;
			if (t != current)
				thread_set_work(t, WORK_STOP);
		}
	}
	spin_unlock(&task_lock);
	jobctl_do_stop();
}

void jobctl_do_stop(void)
{
	struct thread *t = current;
	struct process *p = t->proc;

	(void)atomic_fetch_and(&t->work, ~WORK_STOP);
	spin_lock(&task_lock);
	if (!(t->jobctl & JOBCTL_STOPPING)) {
		spin_unlock(&task_lock);
		return;
	}
	store_once(&t->jobctl,
		   (t->jobctl & ~(u32)JOBCTL_STOPPING) | JOBCTL_STOPPED);
	if (!--p->nr_stopping)
		all_stopped_locked(p);
	spin_unlock(&task_lock);
	wait_event(&p->stop_wq, !(load_once(&t->jobctl) & JOBCTL_STOPPED) ||
					(load_once(&t->work) & WORK_EXIT));
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
