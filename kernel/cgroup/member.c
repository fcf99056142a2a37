/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/member.c - threads in groups; see cgroup.h.
 *
 * INVARIANTS
 *   I1  A group's nr_tasks counts the threads whose cgroup it is and that are on
 *       their process's list; nr_pids those of its tree, and leaders that were not
 *       waited for.
 *   I2  A group is populated while it or a child is; cgroup.events tells of each
 *       change, from the bottom upwards.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/mm/memcg.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

static void populated_changed_locked(struct cgroup *cg, bool now)
{
	for (; cg->parent; cg = cg->parent) {
		struct cgroup *up = cg->parent;
		bool was = cgroup_populated_locked(up);
		u32 *nr = cgroup_is_threaded(cg) ? &up->nr_populated_thr
						 : &up->nr_populated_dom;

		cgroup_event_locked(cg, CGROUP_EV_EVENTS);
		if (now)
			cgroup_cpu_populated_locked(cg);
		*nr += now ? 1 : -1;
		if (!up->parent || was == cgroup_populated_locked(up))
			return;
	}
}

static void enter_locked(struct thread *t, struct cgroup *cg)
{
	bool was = cgroup_populated_locked(cg);

	t->cgroup = cg == &cgroup_root ? NULL : cgroup_get(cg);
	memcg_attach(t, cgroup_memcg_locked(cg));
	cgroup_cpus_apply_locked(t);
	if (!t->cgroup) {
		wake_up_all(&t->proc->stop_wq); /* nothing holds it */
		return;
	}
	cg->nr_tasks++;
	cg->nr_frozen += t->cgroup_frozen;
	if (!was)
		populated_changed_locked(cg, true);
	cgroup_update_frozen_locked(cg);
	cgroup_hold_locked(t);
}

/* The reference stays @t's. */
static void leave_locked(struct thread *t)
{
	struct cgroup *cg = t->cgroup;

	if (!cg)
		return;
	KASSERT(cg->nr_tasks > 0);
	cg->nr_tasks--;
	cg->nr_frozen -= t->cgroup_frozen; /* where it sleeps it goes on to */
	if (!cgroup_populated_locked(cg))
		populated_changed_locked(cg, false);
	cgroup_update_frozen_locked(cg);
}

/* --- pids */

static void pids_charge_locked(struct cgroup *cg)
{
	for (; cg && cg->parent; cg = cg->parent) {
		cg->nr_pids++;
		cg->peak_pids = max(cg->peak_pids, cg->nr_pids);
	}
}

static void pids_uncharge_locked(struct cgroup *cg)
{
	for (; cg && cg->parent; cg = cg->parent) {
		KASSERT(cg->nr_pids > 0);
		cg->nr_pids--;
	}
}

static bool has_pids(const struct cgroup *cg)
{
	return cg->parent && (cg->controllers & BIT(CGROUP_PIDS));
}

/* The lowest group of @cg's line that can take no more. */
static struct cgroup *pids_full_locked(struct cgroup *cg)
{
	for (; cg; cg = cg->parent)
		if (has_pids(cg) && cg->nr_pids + 1 > cg->max_pids)
			return cg;
	return NULL;
}

static void pids_refused_locked(struct cgroup *cg, struct cgroup *full)
{
	while (!has_pids(cg))
		cg = cg->parent;
	cg->pids_fail_local++;
	full->pids_max_local++;
	cgroup_event_locked(full, CGROUP_EV_PIDS_LOCAL);
	for (; full->parent; full = full->parent) {
		full->pids_events++;
		if (has_pids(full))
			cgroup_event_locked(full, CGROUP_EV_PIDS);
	}
}

/* --- life of a thread */

int cgroup_fork_slow(struct thread *t, struct cgroup *cg)
{
	struct cgroup *full;

	assert_held(&task_lock);
	full = pids_full_locked(cg);
	if (full) {
		pids_refused_locked(cg, full);
		return -EAGAIN;
	}
	pids_charge_locked(cg);
	enter_locked(t, cg);
	return 0;
}

/* It was allowed a moment ago; what it rests on may have changed since. */
int cgroup_fork_into(struct thread *t, struct cgroup *cg)
{
	int err;

	assert_held(&task_lock);
	err = cg->dead ? -ENOENT
		       : cgroup_vet_locked(thread_cgroup(current), cg,
					   t->proc != current->proc);
	if (err || cg == &cgroup_root)
		return err;
	return cgroup_fork_slow(t, cg);
}

static void forget_locked(struct thread *t)
{
	struct cgroup *cg = t->cgroup;

	memcg_attach(t, NULL);
	t->cgroup = NULL;
	pids_uncharge_locked(cg);
	cgroup_put(cg);
}

void cgroup_cancel_slow(struct thread *t)
{
	assert_held(&task_lock);
	leave_locked(t);
	forget_locked(t);
}

void cgroup_exit_slow(struct thread *t)
{
	assert_held(&task_lock);
	cgroup_account_locked(t, true);
	leave_locked(t);
	memcg_attach(t, NULL);
	if (t != t->proc->leader)
		forget_locked(t);
}

void cgroup_release_slow(struct thread *t)
{
	assert_held(&task_lock);
	forget_locked(t);
}

/* --- moves */

int cgroup_vet_locked(const struct cgroup *from, const struct cgroup *to,
		      bool whole)
{
	assert_held(&task_lock);
	if (!cgroup_is_valid_domain(to->dom))
		return -EOPNOTSUPP;
	if (!cgroup_can_be_thread_root(to) && !cgroup_is_threaded(to) &&
	    to->subtree_control)
		return -EBUSY;
	if (!whole && from->dom != to->dom)
		return -EOPNOTSUPP;
	return 0;
}

static void move_locked(struct cgroup *to, struct thread *t)
{
	struct cgroup *from = t->cgroup;

	if (thread_cgroup(t) == to)
		return;
	cgroup_account_locked(t, true);
	leave_locked(t);
	pids_uncharge_locked(from);
	pids_charge_locked(to);
	enter_locked(t, to);
	cgroup_put(from);
}

int cgroup_move(struct cgroup *from, struct cgroup *to, struct process *p,
		int tid)
{
	struct thread *t;
	int err;

	KASSERT(mutex_held(&cgroup_mutex));
	spin_lock(&task_lock);
	err = to->dead ? -ENODEV : cgroup_vet_locked(from, to, !tid);
	if (!err)
		list_for_each_entry(t, &p->threads, proc_node)
			if (!tid || t->tid == tid)
				move_locked(to, t);
	spin_unlock(&task_lock);
	return err;
}
