/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/core_stop.c - the other threads of a process that writes a core file.
 *
 * They are told to exit and stop at the beginning of that, with their registers, until
 * the file is written.
 *
 * INVARIANT
 *   I1  while p->dumper is set, a thread that is counted in nr_live and not in
 *       nr_parked either is the dumper or has WORK_EXIT and will park or leave.
 *
 * Locking: task_lock for p->dumper; the counts are atomic, and who changes one wakes
 * threads_wq.
 */
#include <kernel/task/task.h>

#include <kernel/sched/wait.h>
#include <lib/atomic.h>

static bool all_parked(struct process *p)
{
	return load_once(&p->nr_parked) + 1 >= load_once(&p->nr_live);
}

bool core_stop_threads(void)
{
	struct process *p = current->proc;
	bool ok;

	spin_lock(&task_lock);
	ok = !p->exiting && !p->dumper && !p->exec_thread;
	if (ok) {
		store_once(&p->dumper, current);
		zap_threads_locked(p, current);
	}
	spin_unlock(&task_lock);
	if (!ok)
		return false;
	wait_event(&p->threads_wq,
		   all_parked(p) || (load_once(&current->work) & WORK_EXIT));
	return true;
}

void core_release_threads(void)
{
	struct process *p = current->proc;

	spin_lock(&task_lock);
	store_once(&p->dumper, NULL);
	spin_unlock(&task_lock);
	wake_up_all(&p->threads_wq);
}

void core_park(struct thread *t)
{
	struct process *p = t->proc;

	if (load_once(&p->dumper) == t)
		return;
	store_once(&t->parked, true);
	atomic_inc(&p->nr_parked);
	wake_up_all(&p->threads_wq);
	wait_event(&p->threads_wq, !load_once(&p->dumper));
	store_once(&t->parked, false);
	atomic_dec(&p->nr_parked);
}
