/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/freeze.c - groups hold still, and are killed; see cgroup.h.
 *
 * A thread of a group that is frozen sleeps where stopped ones do, at the end of a
 * request; one that sleeps in a call is made to leave it, as by a stop signal, and
 * makes it again later.  Signals wait till it may move; SIGKILL does not, nor does a
 * tracer who wants it to stop.  Threads in stops of other kinds, and those that wait
 * for who shares their memory (vfork), hold still as they are.
 *
 * INVARIANT
 *   I1  thread->cgroup_frozen is set just while the thread sleeps in such a place,
 *       and it is counted in its group's nr_frozen, if that is not the root.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/assert.h>
#include <kernel/task/ext.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/task.h>

static bool holds_still(const struct cgroup *cg)
{
	return cg->e_freeze && cg->nr_frozen == cg->nr_tasks &&
	       cg->nr_frozen_children == cg->nr_children;
}

void cgroup_update_frozen_locked(struct cgroup *cg)
{
	assert_held(&task_lock);
	for (; cg->parent; cg = cg->parent) {
		bool now = holds_still(cg);

		if (now == cg->frozen)
			return;
		cg->frozen = now;
		cg->parent->nr_frozen_children += now ? 1 : -1ul;
		cgroup_event_locked(cg, CGROUP_EV_EVENTS);
	}
}

void cgroup_count_frozen(struct thread *t, bool frozen)
{
	assert_held(&task_lock);
	if (t->cgroup_frozen == frozen)
		return;
	t->cgroup_frozen = frozen;
	if (!t->cgroup)
		return;
	t->cgroup->nr_frozen += frozen ? 1 : -1;
	cgroup_update_frozen_locked(t->cgroup);
}

static bool tracer_wants(const struct thread *t)
{
	const struct tracee *tr = thread_tracee(t);

	return tr && load_once(&tr->trap);
}

static bool must_hold_locked(const struct thread *t)
{
	return t->cgroup && t->cgroup->e_freeze && !tracer_wants(t) &&
	       !(t->jobctl & JOBCTL_STOPPING) &&
	       !(load_once(&t->work) & WORK_EXIT);
}

/* Its group may go while it is looked at without the lock. */
static bool must_hold(const struct thread *t)
{
	bool yes;

	spin_lock(&task_lock);
	yes = must_hold_locked(t);
	spin_unlock(&task_lock);
	return yes;
}

bool cgroup_hold_slow(struct thread *t)
{
	assert_held(&task_lock);
	if (!must_hold_locked(t))
		return false;
	cgroup_count_frozen(t, true);
	spin_unlock(&task_lock);
	wait_event(&t->proc->stop_wq, !must_hold(t));
	spin_lock(&task_lock);
	cgroup_count_frozen(t, false);
	return true;
}

void cgroup_hold_locked(struct thread *t)
{
	if (t->cgroup->e_throttle)
		thread_set_work(t, WORK_THROTTLE);
	if (t->cgroup->e_freeze)
		thread_set_work(t, WORK_STOP);
	else
		wake_up_all(&t->proc->stop_wq);
}

struct sweep {
	struct cgroup *top;
	void (*fn)(struct thread *t);
};

static void sweep_process(struct process *p, void *arg)
{
	const struct sweep *s = arg;
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node)
		if (t->cgroup && cgroup_is_below(t->cgroup, s->top))
			s->fn(t);
}

static bool freeze_locked(struct cgroup *cg, bool on)
{
	struct cgroup *c = NULL;

	if (cg->freeze == on || cg->dead)
		return false;
	cg->freeze = on;
	while ((c = cgroup_next(c, cg)))
		store_once(&c->e_freeze, c->e_freeze + (on ? 1 : -1));
	/* A group above has it already: who waits for a change gets one. */
	if (cg->e_freeze > on)
		cgroup_event_locked(cg, CGROUP_EV_EVENTS);
	return true;
}

void cgroup_set_freeze(struct cgroup *cg, bool on)
{
	struct sweep s = { cg, cgroup_hold_locked };
	struct cgroup *c = NULL;
	bool changed;

	mutex_lock(&cgroup_mutex);
	spin_lock(&task_lock);
	changed = freeze_locked(cg, on);
	spin_unlock(&task_lock);
	if (changed) {
		process_for_each(sweep_process, &s);
		spin_lock(&task_lock);
		/* what holds still is told upwards from each */
		while ((c = cgroup_next(c, cg)))
			cgroup_update_frozen_locked(c);
		spin_unlock(&task_lock);
	}
	mutex_unlock(&cgroup_mutex);
}

static void kill_locked(struct thread *t)
{
	if (t->proc != init_process)
		(void)signal_process(t->proc, SIGKILL, SEND_KERNEL);
}

void cgroup_kill(struct cgroup *cg)
{
	struct sweep s = { cg, kill_locked };

	mutex_lock(&cgroup_mutex);
	process_for_each(sweep_process, &s);
	mutex_unlock(&cgroup_mutex);
}
