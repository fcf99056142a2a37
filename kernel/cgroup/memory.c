/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/memory.c - the controller memory: which threads pay as which memcg.
 *
 * A group has a memcg (kernel/mm/memcg.h) while it has the controller.  A thread pays
 * as the nearest one from its group upwards; what is charged already stays where it is
 * when the thread moves, or the controller goes.
 *
 * Locking: cg->memcg changes under both locks; threads' pointers under task_lock.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/assert.h>
#include <kernel/mm/memcg.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

struct memcg *cgroup_memcg_locked(const struct cgroup *cg)
{
	while (cg && !cg->memcg)
		cg = cg->parent;
	return cg ? cg->memcg : NULL;
}

struct memcg *cgroup_memcg_get(struct cgroup *cg)
{
	struct memcg *mc;

	spin_lock(&task_lock);
	mc = memcg_get(cg->memcg);
	spin_unlock(&task_lock);
	return mc;
}

/* Threads below @arg pay as they should now. */
static void attach_process(struct process *p, void *arg)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node)
		if (t->cgroup && cgroup_is_below(t->cgroup, arg))
			memcg_attach(t, cgroup_memcg_locked(t->cgroup));
}

int cgroup_memory_give(struct cgroup *cg)
{
	struct cgroup *up = cg->parent;
	struct memcg *mc;

	KASSERT(mutex_held(&cgroup_mutex) && up);
	if (cg->memcg)
		return 0;
	mc = memcg_new(up->memcg, cg);
	if (!mc)
		return -ENOMEM;
	spin_lock(&task_lock);
	cg->memcg = mc;
	if (cgroup_populated_locked(cg))
		process_for_each_locked(attach_process, cg);
	spin_unlock(&task_lock);
	return 0;
}

void cgroup_memory_take(struct cgroup *cg)
{
	struct memcg *mc;

	spin_lock(&task_lock);
	mc = cg->memcg;
	cg->memcg = NULL;
	if (mc) {
		if (cgroup_populated_locked(cg))
			process_for_each_locked(attach_process, cg);
		memcg_orphan_locked(mc);
	}
	spin_unlock(&task_lock);
	memcg_put(mc);
}

void memcg_event_tell(struct memcg *mc, bool local)
{
	spin_lock(&task_lock);
	if (mc->owner) {
		cgroup_event_locked(mc->owner, CGROUP_EV_MEMORY);
		if (local)
			cgroup_event_locked(mc->owner, CGROUP_EV_MEMORY_LOCAL);
	}
	spin_unlock(&task_lock);
}
