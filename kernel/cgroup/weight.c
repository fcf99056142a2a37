/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/weight.c - cpu.weight: how groups share a hart; see cgroup.h.
 *
 * Threads that want the same hart have it in turn (kernel/relay/).  While there are
 * groups with the controller cpu, the length of a turn follows from weights: at each
 * level of the tree the entities that have threads in the hart's queue - groups, and
 * threads that are in the parent itself - share what the parent has in proportion to
 * their weights; a thread's turn is its part of as many ordinary turns as there are
 * threads.  So a group gets its share however many threads it has.  A thread's weight
 * is that of its nice value, as without groups.
 *
 * What this is not: harts do not look at each other's queues, so shares hold on each
 * hart where groups meet; and it is about user mode only, as requests to a service
 * hart are served in turn.
 *
 * Locking: task_lock, for a walk over a queue of QUEUE_MAX at most, once a turn.
 */
#include <kernel/cgroup/cgroup.h>

#include <kernel/hart.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

#define QUEUE_MAX   64u
#define SHARE_ONE   (1ul << 20)
#define WEIGHT_MIN  1u
#define WEIGHT_MAX  10000u
#define WEIGHT_DFL  100u
#define WEIGHT_IDLE 3u	/* of 1024, which WEIGHT_DFL is */
#define TURN_MIN    20u /* the shortest is such a part of an ordinary one ... */
#define TURN_MAX    8u	/* ... the longest so many */

u32 cgroup_nr_cpu; /* [task_lock; a] groups that have the controller */

/* What cpu.weight is for a nice value of -20 to 19. */
static const u16 nice_weight[40] = {
	8668, 7007, 5516, 4519, 3544, 2847, 2271, 1827, 1460, 1164,
	932,  744,  596,  479,	381,  305,  244,  194,	155,  125,
	100,  80,   64,	  51,	41,   33,   27,	  21,	17,   13,
	11,   8,    7,	  5,	4,    4,    3,	  2,	2,    1,
};

/* --- what a turn is */

/* @cg, or the nearest above it that competes; NULL: the root. */
static struct cgroup *competing(struct cgroup *cg)
{
	while (cg && !(cg->controllers & BIT(CGROUP_CPU)))
		cg = cg->parent;
	return cg && cg->parent ? cg : NULL;
}

/* What @t is part of that competes directly below @up (NULL: the root): a group, or
 * NULL: itself, with *@in false if it is not below @up at all. */
static struct cgroup *entity(const struct thread *t, const struct cgroup *up,
			     bool *in)
{
	struct cgroup *cg = competing(t->cgroup), *last = NULL;

	while (cg && cg != up) {
		last = cg;
		cg = competing(cg->parent);
	}
	*in = cg == up;
	return last;
}

/* In units of 1/1024 of the default. */
static u64 group_weight(const struct cgroup *cg)
{
	return cg->cpu_idle ? WEIGHT_IDLE
			    : cg->cpu_weight * 1024ul / WEIGHT_DFL;
}

/* In proportion to the turns of threads without groups. */
static u64 thread_weight(const struct thread *t)
{
	s32 nice = t->sched_policy == SCHED_IDLE ? 19 : load_once(&t->nice);

	return 1024ul * (u64)(20 - nice) / 20;
}

struct queue {
	const struct thread *t[QUEUE_MAX];
	u32 nr;
};

/* What all that competes below @up weighs. */
static u64 rivals_locked(const struct queue *q, const struct cgroup *up)
{
	static u64 round; /* [task_lock] */
	u64 sum = 0;
	bool in;

	round++;
	for (u32 i = 0; i < q->nr; i++) {
		struct cgroup *e = entity(q->t[i], up, &in);

		if (!in)
			continue;
		if (!e)
			sum += thread_weight(q->t[i]);
		else if (e->cpu_round != round)
			sum += group_weight(e);
		if (e)
			e->cpu_round = round;
	}
	return sum;
}

/* The part of the hart that is @t's. */
static u64 share_locked(const struct queue *q, const struct thread *t)
{
	struct cgroup *cg = competing(t->cgroup);
	u64 share =
		SHARE_ONE * thread_weight(t) / max(rivals_locked(q, cg), 1ul);

	for (; cg; cg = competing(cg->parent))
		share = share * group_weight(cg) /
			max(rivals_locked(q, competing(cg->parent)), 1ul);
	return share;
}

u64 cgroup_turn_ns(struct hart *h, const struct thread *t, u64 turn_ns)
{
	struct queue q = { .t = { t }, .nr = 1 };
	const struct thread *o;
	u64 ns;

	if (h->user && h->user != t)
		q.t[q.nr++] = h->user;
	list_for_each_entry(o, &h->runq, run_node)
		if (o != t && !o->rt_prio && q.nr < QUEUE_MAX)
			q.t[q.nr++] = o;
	spin_lock(&task_lock);
	ns = turn_ns * q.nr * share_locked(&q, t) / SHARE_ONE;
	spin_unlock(&task_lock);
	return clamp(ns, turn_ns / TURN_MIN, turn_ns * TURN_MAX);
}

/* --- what the files say */

void cgroup_weight_init(struct cgroup *cg)
{
	cg->cpu_weight = WEIGHT_DFL;
}

/* It is in use, or not any more. */
void cgroup_weight_count_locked(struct cgroup *cg, bool on)
{
	if (cg->cpu_counted == on)
		return;
	cg->cpu_counted = on;
	store_once(&cgroup_nr_cpu, cgroup_nr_cpu + (on ? 1 : -1u));
	if (on)
		return;
	cg->cpu_weight = WEIGHT_DFL;
	cg->cpu_idle = false;
}

static int vet_locked(const struct cgroup *cg)
{
	return cg->dead || !(cg->controllers & BIT(CGROUP_CPU)) ? -ENODEV : 0;
}

int cgroup_set_weight(struct cgroup *cg, u64 weight)
{
	int err;

	if (weight < WEIGHT_MIN || weight > WEIGHT_MAX)
		return -ERANGE;
	spin_lock(&task_lock);
	err = vet_locked(cg);
	if (!err && cg->cpu_idle)
		err = -EINVAL; /* what is idle has the least there is */
	if (!err)
		cg->cpu_weight = (u32)weight;
	spin_unlock(&task_lock);
	return err;
}

int cgroup_set_weight_nice(struct cgroup *cg, s32 nice)
{
	if (nice < -20 || nice > 19)
		return -ERANGE;
	return cgroup_set_weight(cg, nice_weight[nice + 20]);
}

int cgroup_set_idle(struct cgroup *cg, bool idle)
{
	int err;

	spin_lock(&task_lock);
	err = vet_locked(cg);
	if (!err && cg->cpu_idle != idle) {
		cg->cpu_idle = idle;
		cg->cpu_weight = WEIGHT_DFL;
	}
	spin_unlock(&task_lock);
	return err;
}

u32 cgroup_weight(struct cgroup *cg)
{
	return load_once(&cg->cpu_idle) ? 0 : load_once(&cg->cpu_weight);
}

s32 cgroup_weight_nice(struct cgroup *cg)
{
	s64 weight = cgroup_weight(cg), best = WEIGHT_MAX;
	s32 nice = 0;

	for (s32 i = 0; i < 40; i++) {
		s64 d = weight - nice_weight[i];

		d = d < 0 ? -d : d;
		if (d > best)
			break;
		best = d;
		nice = i - 20;
	}
	return nice;
}
