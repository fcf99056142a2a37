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
 *       and it is counted in its group's nr_frozen.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/assert.h>
#include <kernel/task/ext.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/task.h>

static bool holds_still(const struct cgroup *cg)
{
	const struct cgroup *c;

	if (!cg->e_freeze || cg->nr_frozen != cg->nr_tasks)
		return false;
	list_for_each_entry(c, &cg->children, sibling)
		if (!c->frozen)
			return false;
	return true;
}

void cgroup_update_frozen_locked(struct cgroup *cg)
{
	assert_held(&task_lock);
	for (; cg->parent; cg = cg->parent) {
		bool now = holds_still(cg);

		if (now == cg->frozen)
			return;
		cg->frozen = now;
		cgroup_event_locked(cg, CGROUP_EV_EVENTS);
	}
}

void cgroup_count_frozen(struct thread *t, bool frozen)
{
	assert_held(&task_lock);
	if (!t->cgroup || t->cgroup_frozen == frozen)
		return;
	t->cgroup_frozen = frozen;
	t->cgroup->nr_frozen += frozen ? 1 : -1;
	cgroup_update_frozen_locked(t->cgroup);
}

bool cgroup_must_hold(const struct thread *t)
{
	const struct cgroup *cg = load_once(&t->cgroup);

	/* relaxed: who changes it wakes us afterwards */
	return cg && load_once(&cg->e_freeze);
}

static bool tracer_wants(const struct thread *t)
{
	const struct tracee *tr = thread_tracee(t);

	return tr && load_once(&tr->trap);
}

bool cgroup_hold_slow(struct thread *t)
{
	assert_held(&task_lock);
	if (!cgroup_must_hold(t) || tracer_wants(t))
		return false;
	cgroup_count_frozen(t, true);
	spin_unlock(&task_lock);
	wait_event(&t->proc->stop_wq,
		   !cgroup_must_hold(t) || tracer_wants(t) ||
			   (load_once(&t->work) & (WORK_EXIT | WORK_STOP)));
	(void)atomic_fetch_and(&t->work, ~WORK_STOP);
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

/* The deepest first: what holds still is told from there upwards. */
static void settle_locked(struct cgroup *cg)
{
	struct cgroup *c;

	list_for_each_entry(c, &cg->children, sibling)
		settle_locked(c);
	cgroup_update_frozen_locked(cg);
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
	bool changed;

	mutex_lock(&cgroup_mutex);
	spin_lock(&task_lock);
	changed = freeze_locked(cg, on);
	spin_unlock(&task_lock);
	if (changed) {
		process_for_each(sweep_process, &s);
		spin_lock(&task_lock);
		settle_locked(cg);
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
