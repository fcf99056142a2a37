/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/inherit.c - events when their thread forks, executes a program, ends.
 */
#include <kernel/pmu/event.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/record.h>
#include <kernel/pmu/sample.h>
#include <kernel/task/clone.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

static struct perf_event *inherit_one(struct perf_event *e, struct pmu_ctx *c)
{
	struct perf_event *top = e->parent ? e->parent : e, *k;

	k = perf_event_new(&e->attr);
	if (!k)
		return NULL;
	k->parent = top;
	k->kind = e->kind;
	k->sides = e->sides;
	k->slot = e->slot;
	k->sw = e->sw;
	k->cpu = e->cpu;
	k->samples = e->samples;
	k->period = e->period;
	k->interval = e->interval;
	k->overflow = e->overflow;
	k->exec_on = e->exec_on;
	k->armed = e->armed;
	k->on = e->on;
	list_add_tail(&k->child_node, &top->children);
	e->heir = k;
	/* Its leader stands before it in the list, if it is inherited at all. */
	perf_event_attach(k, c, e->leader != e ? e->leader->heir : NULL);
	return k;
}

static bool inherits(const struct perf_event *e, u64 clone_flags)
{
	return (e->attr.flags & ATTR_INHERIT) &&
	       (!(e->attr.flags & ATTR_INHERIT_THREAD) ||
		(clone_flags & CLONE_THREAD));
}

static void drop_child(struct perf_event *k, const struct thread *t)
{
	struct perf_event *top = k->parent;

	if ((k->attr.flags & ATTR_INHERIT_STAT) && t->proc &&
	    perf_write_read(k, t))
		perf_wake_event(k);
	perf_leave_group(k);
	perf_event_detach(k, false);
	top->dead = perf_value_plus(top->dead, k->base);
	top->lost += k->lost;
	list_del(&k->child_node);
	perf_event_free(k);
}

int perf_fork_slow(struct thread *child, u64 flags)
{
	struct pmu_ctx *mine = current->pmu, *c = NULL;
	struct perf_event *e;
	int err = 0;

	mutex_lock(&perf_mutex);
	list_for_each_entry(e, &mine->events, node)
		e->heir = NULL;
	list_for_each_entry(e, &mine->events, node) {
		if (!inherits(e, flags))
			continue;
		if (!c)
			c = pmu_ctx_new(child, 0, nr_harts);
		if (!c || !inherit_one(e, c)) {
			err = -ENOMEM;
			break;
		}
	}
	child->pmu = c;
	if (c && !err) {
		perf_update_want(c);
		(void)perf_update_set(c);
	}
	mutex_unlock(&perf_mutex);
	return err; /* child_undo() calls perf_exit() */
}

/* @t, which runs nowhere but here, or never did, is no longer its thread. */
static void end_event(struct perf_event *e, const struct thread *t)
{
	if (e->parent) {
		drop_child(e, t);
		return;
	}
	perf_event_detach(e, false);
	e->exited = true;
	perf_hangup(e);
}

/* @t runs nowhere but here, or never did. */
void perf_exit_slow(struct thread *t)
{
	struct perf_event *e, *next;
	struct pmu_ctx *c;

	mutex_lock(&perf_mutex);
	perf_owner_gone(t);
	c = t->pmu;
	if (!c) {
		mutex_unlock(&perf_mutex);
		return;
	}
	if (t == current)
		pmu_split_current();
	pmu_forget(this_hart(), c);
	store_once(&t->pmu, NULL);
	list_for_each_entry_safe(e, next, &c->events, node)
		end_event(e, t);
	mutex_unlock(&perf_mutex);
	kfree(c->set);
	kfree(c);
}

/* Those that are not to see the new program. */
static void remove_on_exec(struct pmu_ctx *c, const struct thread *t)
{
	struct perf_event *e, *next;

	pmu_split_current();
	list_for_each_entry_safe(e, next, &c->events, node) {
		if (e->attr.flags & ATTR_REMOVE_ON_EXEC)
			end_event(e, t);
	}
}

void perf_exec_events(struct thread *t)
{
	struct pmu_ctx *c = t->pmu;
	struct perf_event *e;
	struct perf_set *old;

	if (!c)
		return;
	mutex_lock(&perf_mutex);
	remove_on_exec(c, t);
	list_for_each_entry(e, &c->events, node) {
		e->exec_on &= !e->on;
		if (e->exec_on)
			e->armed = true;
	}
	list_for_each_entry(e, &c->events, node) {
		/* with their leader, which stands before them */
		if (e->armed && !e->on && (e->leader->exec_on || e->exec_on))
			e->exec_on = true;
		if (e->exec_on &&
		    (e->leader == e || e->leader->exec_on || e->leader->on))
			store_once(&e->on, true);
	}
	perf_update_want(c);
	pmu_split_current();
	list_for_each_entry(e, &c->events, node) {
		if (e->exec_on && e->on)
			perf_begin_one(e);
		e->exec_on = false;
	}
	old = perf_update_set(c);
	mutex_unlock(&perf_mutex);
	/* Only this hart could be using it, and it is here. */
	kfree(old);
}
