/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exit.c - the end of threads and processes.
 *
 * A thread gives up what may sleep (address space, files), leaves the lists under
 * task_lock and ends its coroutine; task_reap() frees the object.  The last
 * thread to leave the lists makes the process a zombie or, when nobody will wait
 * for it, takes it off the table.
 *
 * INVARIANTS
 *   I1  a zombie has no threads, no children and no pending signals.
 *   I2  a process whose `exiting` is set has WORK_EXIT in every listed thread.
 *   I3  process 1 never becomes a zombie: the machine stops first.
 *
 * Locking: task_lock.  Context: coroutine of the thread that ends.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/cgroup/cgroup.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/file/file.h>
#include <kernel/ipc/ipc.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/ns.h>
#include <kernel/ns/pid.h>
#include <kernel/pmu/hooks.h>
#include <kernel/task/futex.h>
#include <kernel/task/pi.h>
#include <kernel/task/seccomp.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/stats.h>
#include <kernel/task/trace.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>

void zap_threads_locked(struct process *p, const struct thread *except)
{
	struct thread *t;

	assert_held(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		if (t != except)
			thread_set_work(t, WORK_EXIT);
	}
	wake_up_all(&p->stop_wq);
	wake_up_all(&p->threads_wq);
}

void group_exit_begin_locked(struct process *p, int status)
{
	assert_held(&task_lock);
	if (p->exiting)
		return;
	p->exit_code = status;
	store_once(&p->exiting, true);
	jobctl_cancel_locked(p);
	zap_threads_locked(p, NULL);
}

void vfork_release(struct thread *t)
{
	struct vfork_wait *vw;

	if (!load_once(&t->vfork))
		return;
	spin_lock(&task_lock);
	vw = t->vfork;
	t->vfork = NULL;
	if (vw) {
		struct process *pp = vw->parent->proc;

		store_once(&vw->done, true);
		wake_up_all(&pp->threads_wq);
	}
	spin_unlock(&task_lock);
}

void mm_release(struct thread *t)
{
	static const struct sud_config no_sud;
	uaddr_t a = t->clear_child_tid;

	if (t->robust_list)
		futex_exit_robust(t);
	t->robust_list = 0;
	t->rseq = 0;
	(void)sud_set(&no_sud);
	t->clear_child_tid = 0;
	if (a && mm_is_shared(t->mm) && !put_user_u32(0, a))
		(void)futex_wake_uaddr(a, 1);
}

/* The nearest living ancestor that asked for orphans, or init. */
static struct process *reaper_for_locked(struct process *p)
{
	struct process *q;

	for (q = p->real_parent; q && q != init_process; q = q->real_parent) {
		if (q->pid_ns != p->pid_ns)
			break; /* not beyond its namespace */
		if (q->is_subreaper && !q->exiting && load_once(&q->nr_live))
			return q;
	}
	q = p->pid_ns->init;
	return q && q != p ? q : init_process;
}

/*
 * @pgid lost a member or a link to its session: when nobody is left who could
 * continue its stopped processes, they are told.
 */
static void orphan_check_locked(struct process *p, struct process *parent,
				const struct process *ignore)
{
	int pgid = p->pgid;

	if (!parent || parent->pgid == pgid || parent->sid != p->sid ||
	    !pgrp_is_orphaned_locked(pgid, ignore) ||
	    !pgrp_has_stopped_locked(pgid))
		return;
	(void)signal_pgrp_locked(pgid, SIGHUP, SEND_KERNEL);
	(void)signal_pgrp_locked(pgid, SIGCONT, SEND_KERNEL);
}

/* Tell the parent of zombie @p; true when nobody will wait for it. */
bool announce_death_locked(struct process *p)
{
	int sig = p->exit_signal;
	int status = p->exit_code;
	bool autoreap = parent_ignores_child_locked(p->parent, sig);

	if (unlikely(p->unwaited))
		return true;
	if (status & 0x7f)
		notify_parent_locked(p, sig, cld_code(status), status & 0x7f);
	else
		notify_parent_locked(p, sig, CLD_EXITED, (status >> 8) & 0xff);
	return autoreap;
}

static void give_away_child_locked(struct process *c, struct process *from,
				   struct process *reaper,
				   struct list_head *dead)
{
	process_set_parent_locked(c, reaper);
	c->exit_signal = SIGCHLD;
	if (c->pdeath_signal && !c->zombie)
		(void)signal_process_locked(c, c->pdeath_signal, SEND_KERNEL);
	if (c->zombie && !trace_reparented_locked(c) &&
	    announce_death_locked(c)) {
		process_unlink_locked(c);
		list_add_tail(&c->sibling, dead);
	}
	orphan_check_locked(c, from, NULL);
}

static void reparent_children_locked(struct process *p, struct list_head *dead)
{
	struct process *reaper = reaper_for_locked(p);
	struct process *c, *tmp;

	list_for_each_entry_safe(c, tmp, &p->children, sibling)
		give_away_child_locked(c, p, reaper, dead);
}

/* The last thread is out of the lists. */
static void process_dead_locked(struct process *p, struct list_head *dead)
{
	struct sighand *sh = p->sighand;

	trace_tracer_exit_locked(p, dead);
	reparent_children_locked(p, dead);
	orphan_check_locked(p, p->real_parent, p);
	spin_lock(&sh->lock);
	sigqueue_drop(&p->sig_queue, &p->sig_pending, ~0ULL);
	spin_unlock(&sh->lock);
	p->stopped = false;
	p->zombie = true;
	wake_up_all(&p->threads_wq);
	if (!trace_process_exit_locked(p) && announce_death_locked(p)) {
		process_unlink_locked(p);
		list_add_tail(&p->sibling, dead);
	}
}

static void account_locked(struct process *p, const struct thread *t)
{
	p->utime_ns += max(t->utime_ns, t->utime_shown);
	p->stime_ns += max(t->stime_ns, t->stime_shown);
	p->minflt += t->minflt;
	p->majflt += t->majflt;
	io_count_add(&p->io, &t->io);
	p->nvcsw += t->nr_vcsw;
	p->nivcsw += t->nr_ivcsw;
	p->ended_ns += clock_mono_ns() - t->start_ns;
	p->nr_ended++;
}

static void leave_lists(struct thread *t, int status)
{
	struct process *p = t->proc;
	struct process *c, *tmp;
	struct list_head dead;

	list_init(&dead);
	spin_lock(&task_lock);
	account_locked(p, t);
	cgroup_exit_locked(t);
	jobctl_thread_exit_locked(t);
	trace_thread_exit_locked(t, status);
	spin_lock(&p->sighand->lock);
	sigqueue_drop(&t->sig_queue, &t->sig_pending, ~0ULL);
	spin_unlock(&p->sighand->lock);
	thread_unlink_locked(t);
	if (t == p->leader && !p->exiting)
		p->exit_code = status;
	if (!p->nr_threads)
		process_dead_locked(p, &dead);
	else if (p->exec_thread || load_once(&p->has_pidfd))
		wake_up_all(&p->threads_wq);
	spin_unlock(&task_lock);
	list_for_each_entry_safe(c, tmp, &dead, sibling) {
		list_del(&c->sibling);
		process_put(c);
	}
}

/* Signals of the process that this thread was to take. */
static void pass_on_signals(struct thread *t)
{
	if (load_once(&t->proc->sig_pending) && load_once(&t->proc->nr_live))
		signal_set_blocked(~0ULL);
}

static void last_thread(struct process *p, int status)
{
	struct mm *mm = current->mm;

	if (p == init_process)
		panic("init exited, status %#x",
		      p->exiting ? p->exit_code : status);
	if (unlikely(p->ns_init))
		pid_ns_zap(p);
	uring_process_exit(p);
	process_timers_exit(p);
	sem_process_exit(p);
	acct_process_exit(p, p->exiting ? p->exit_code : status);
	if (mm)
		p->maxrss_pages = max(p->maxrss_pages, mm_rss_peak(mm));
}

static void drop_resources(struct thread *t)
{
	struct files *files = t->files;
	struct fs_ctx *fs = t->fs;
	struct nsproxy *ns = t->nsproxy;

	spin_lock(&task_lock);
	t->files = NULL;
	t->fs = NULL;
	t->nsproxy = NULL;
	spin_unlock(&task_lock);
	thread_drop_mm(t);
	files_put(files);
	fs_ctx_put(fs);
	nsproxy_put(ns);
}

void do_thread_exit(int wait_status)
{
	struct thread *t = current;
	struct process *p = t->proc;
	bool last;

	(void)atomic_fetch_or(&t->work, WORK_EXIT);
	if (unlikely(load_once(&p->dumper)))
		core_park(t);
	trace_exit(wait_status);
	perf_tell(PERF_SIDE_EXIT, t);
	perf_exit(t);
	mm_release(t);
	pi_owner_gone(true);
	vfork_release(t);
	last = atomic_dec_and_test(&p->nr_live);
	if (unlikely(load_once(&p->dumper)))
		wake_up_all(&p->threads_wq);
	if (last)
		last_thread(p, wait_status);
	else
		pass_on_signals(t);
	if (unlikely(load_once(&task_stats_heard)))
		taskstats_exit(wait_status, last);
	drop_resources(t);
	seccomp_thread_exit(t);
	if (last)
		tty_process_exit(p);
	leave_lists(t, wait_status);
	thread_exit_final();
}

void do_group_exit(int wait_status)
{
	struct process *p = current->proc;

	spin_lock(&task_lock);
	group_exit_begin_locked(p, wait_status);
	wait_status = p->exit_code;
	spin_unlock(&task_lock);
	do_thread_exit(wait_status);
}
