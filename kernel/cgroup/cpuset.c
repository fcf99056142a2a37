/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/cpuset.c - on which harts a group's threads run; see cgroup.h.
 *
 * What a group may use is what cpuset.cpus says, as far as the group above may use it;
 * all that this may if nothing is left.  A thread runs where it asked to
 * (sched_setaffinity(), thread->cpus_asked) as far as its group may; everywhere that
 * this may if nothing is left.  Groups without the controller are as the one above.
 *
 * A thread that has to leave its hart gets WORK_MOVE, and goes at the end of a request.
 *
 * Locking: task_lock.  Masks are of dense application-hart indices, as are those of
 * affinity: service harts can be named, and are left out.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/hart.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

u64 cgroup_cpus_locked(const struct cgroup *cg)
{
	u64 all = app_mask();

	return cg && cg->cpus_effective ? cg->cpus_effective & all : all;
}

void cgroup_cpus_apply_locked(struct thread *t)
{
	u64 may = cgroup_cpus_locked(t->cgroup), now = may;

	if (t->cpus_asked & may)
		now &= t->cpus_asked;
	if (load_once(&t->cpus_allowed) == now)
		return;
	store_once(&t->cpus_allowed, now);
	thread_set_work(t, WORK_MOVE);
}

int cgroup_cpus_ask_locked(struct thread *t, u64 mask)
{
	u64 may = cgroup_cpus_locked(t->cgroup);

	if (!(mask & may))
		return -EINVAL;
	t->cpus_asked = mask & app_mask();
	cgroup_cpus_apply_locked(t);
	return 0;
}

static void apply_process(struct process *p, void *arg)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node)
		if (t->cgroup && cgroup_is_below(t->cgroup, arg))
			cgroup_cpus_apply_locked(t);
}

/* What @cg may use: 0 is everything, which a new hart would be part of. */
static u64 effective_locked(const struct cgroup *cg)
{
	u64 up = cg->parent ? cg->parent->cpus_effective : 0;
	u64 own = cg->cpus & cgroup_cpus_locked(cg->parent);

	return own ? own : up;
}

void cgroup_cpus_inherit_locked(struct cgroup *cg)
{
	cg->cpus_effective = effective_locked(cg);
}

static void set_locked(struct cgroup *cg, u64 mask)
{
	struct cgroup *c = NULL;

	if (cg->cpus == mask)
		return;
	cg->cpus = mask;
	while ((c = cgroup_next(c, cg)))
		c->cpus_effective = effective_locked(c);
	if (cgroup_populated_locked(cg))
		process_for_each_locked(apply_process, cg);
}

/* The controller goes. */
void cgroup_cpus_end_locked(struct cgroup *cg)
{
	set_locked(cg, 0);
	cg->mems_set = false;
}

static int vet_locked(const struct cgroup *cg)
{
	return cg->dead || !(cg->controllers & BIT(CGROUP_CPUSET)) ? -ENODEV
								   : 0;
}

int cgroup_set_cpus(struct cgroup *cg, u64 mask)
{
	int err;

	spin_lock(&task_lock);
	err = vet_locked(cg);
	if (!err && cg->cpus && !mask && cgroup_populated_locked(cg))
		err = -ENOSPC; /* as Linux says */
	if (!err)
		set_locked(cg, mask);
	spin_unlock(&task_lock);
	return err;
}

/* There is one node of memory. */
int cgroup_set_mems(struct cgroup *cg, u64 mask)
{
	int err;

	if (mask & ~1ul)
		return -EINVAL;
	spin_lock(&task_lock);
	err = vet_locked(cg);
	if (!err && cg->mems_set && !mask && cgroup_populated_locked(cg))
		err = -ENOSPC;
	if (!err)
		cg->mems_set = mask != 0;
	spin_unlock(&task_lock);
	return err;
}
