/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/oom.c - decides who dies when no user page can be had.
 *
 * A fault that finds no memory waits here: it reclaims, then waits for dirty pages
 * to be written, then for a victim.  The victim is the process with the most
 * memory (resident and tables, shifted by oom_score_adj), never process 1; its
 * threads may use the last reserves so that they can end.  There is one victim at
 * a time; the next one is chosen when its memory is free, or when it takes too
 * long.  When a group of threads is over its limit (memcg_limit.c) the victim is one of
 * the group; with memory.oom.group the highest such group that it is in goes with it.
 *
 * Context: coroutine.  Locking: oom_mutex; task_lock while choosing.
 */
#include <kernel/mm/fault.h>

#include <kernel/log.h>
#include <kernel/mm/cache.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pt.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SIG_KILL    9
#define POLL_NS	    (10 * NSEC_PER_MSEC)
#define PATIENCE_NS (2 * NSEC_PER_SEC)
#define ADJ_NEVER   (-1000)

struct choice {
	struct memcg *in;    /* of it and below; NULL: all */
	u64 limit;	     /* pages that there are */
	struct process *p;   /* referenced */
	struct memcg *memcg; /* referenced: what it is in */
	s64 points;
	u64 pages;
};

static void choice_put(struct choice *c)
{
	if (c->p)
		process_put(c->p);
	memcg_put(c->memcg);
	c->p = NULL;
	c->memcg = NULL;
}

static struct mutex oom_mutex = MUTEX_INIT(oom_mutex);
static struct mm *victim;   /* [oom_mutex] referenced, or NULL */
static u64 victim_since_ns; /* [oom_mutex] */

/* task_lock held. */
static struct mm *any_mm(struct process *p)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		if (t->mm)
			return t->mm;
	}
	return NULL;
}

/* Does any of its threads pay as @mc, or below?  task_lock held. */
static struct thread *thread_in(struct process *p, const struct memcg *mc)
{
	struct thread *t;

	list_for_each_entry(t, &p->threads, proc_node) {
		if (t->mm && memcg_is_below(t->memcg, mc))
			return t;
	}
	return NULL;
}

/* May @p, which runs on @mm, be chosen at all? */
static bool eligible(const struct process *p, const struct mm *mm)
{
	return p->pid != 1 && load_once(&p->oom_score_adj) > ADJ_NEVER &&
	       !load_once(&mm->oom_victim);
}

/* Pages of @p, shifted by what it asked for in thousandths of @limit. */
static s64 points_of(const struct process *p, const struct mm *mm, u64 limit)
{
	return (s64)(mm_rss(mm) + mm->pt_pages) +
	       load_once(&p->oom_score_adj) * (s64)(limit / 1000);
}

s64 oom_score(const struct process *p, const struct mm *mm)
{
	u64 total = pmem_total_pages();

	if (!eligible(p, mm))
		return 0;
	return max((1000 + points_of(p, mm, total) * 1000 / (s64)total) * 2 / 3,
		   (s64)0);
}

/* task_lock held. */
static void weigh(struct process *p, void *ctx)
{
	struct choice *c = ctx;
	struct mm *mm = any_mm(p);
	const struct thread *t;
	s64 points;

	if (!mm || !eligible(p, mm))
		return;
	t = thread_in(p, c->in);
	if (!t)
		return;
	points = points_of(p, mm, c->limit);
	if (c->p && points <= c->points)
		return;
	choice_put(c);
	c->p = process_get(p);
	c->memcg = memcg_get(t->memcg);
	c->points = points;
	c->pages = mm_rss(mm) + mm->pt_pages;
}

/* task_lock held: everybody who runs on the victim's memory gets SIGKILL. */
static void kill_sharer(struct process *p, void *ctx)
{
	if (p->pid != 1 && any_mm(p) == ctx)
		(void)signal_process(p, SIG_KILL, SEND_KERNEL);
}

struct members {
	struct memcg *of;
	struct process *but; /* was killed already */
	u32 nr;
};

/* All of a group. task_lock held. */
static void kill_member(struct process *p, void *ctx)
{
	struct members *m = ctx;

	if (p->pid == 1 || load_once(&p->oom_score_adj) <= ADJ_NEVER ||
	    p == m->but || !thread_in(p, m->of))
		return;
	(void)signal_process(p, SIG_KILL, SEND_KERNEL);
	m->nr++;
}

/* The highest group from that of @c up to where memory is short that goes as one. */
static void kill_group(const struct choice *c)
{
	struct members m = { .but = c->p };

	for (struct memcg *a = c->memcg; a; a = a->parent) {
		if (load_once(&a->oom_group))
			m.of = a;
		if (a == c->in)
			break;
	}
	if (!m.of)
		return;
	process_for_each(kill_member, &m);
	pr_err("oom: and %u others of its group", m.nr);
	while (m.nr--)
		memcg_event(m.of, MEMCG_EV_OOM_KILL);
	memcg_event(m.of, MEMCG_EV_OOM_GROUP_KILL);
}

static void kill_chosen(const struct choice *c)
{
	char name[16] = "?";

	spin_lock(&task_lock);
	if (c->p->leader)
		strscpy(name, c->p->leader->name, sizeof(name));
	spin_unlock(&task_lock);
	victim_since_ns = clock_mono_ns();
	store_once(&victim->oom_victim, true);
	pr_err("oom: killed process %d (%s), %lu kB%s", c->p->pid, name,
	       (unsigned long)(c->pages << (PAGE_SHIFT - 10)),
	       c->in ? ", for its group" : "");
	process_for_each(kill_sharer, victim);
	if (c->memcg)
		memcg_event(c->memcg, MEMCG_EV_OOM_KILL);
	kill_group(c);
}

static bool kill_largest(const char *why, struct memcg *in)
{
	struct choice c = { .in = in, .limit = pmem_total_pages() };

	if (in)
		c.limit = min(c.limit, load_once(&in->max));
	process_for_each(weigh, &c);
	if (!c.p) {
		pr_warn_ratelimited("oom: %s: nobody to kill", why);
		return false;
	}
	victim = process_mm(c.p);
	if (victim) /* else it has just ended by itself */
		kill_chosen(&c);
	choice_put(&c);
	return true;
}

/* The last victim has given back what it had, or will not. */
static bool victim_done(void)
{
	if (victim && load_once(&victim->users) > 0 &&
	    clock_mono_ns() - victim_since_ns < PATIENCE_NS)
		return false;
	if (victim)
		mm_put(victim);
	victim = NULL;
	return true;
}

bool oom_kill(const char *why)
{
	bool chosen = true;

	mutex_lock(&oom_mutex);
	if (victim_done())
		chosen = kill_largest(why, NULL);
	mutex_unlock(&oom_mutex);
	return chosen;
}

bool oom_kill_in(struct memcg *mc)
{
	bool chosen = true;

	mutex_lock(&oom_mutex);
	if (victim_done())
		chosen = kill_largest("memory.max", mc);
	mutex_unlock(&oom_mutex);
	return chosen;
}

bool oom_victim_gone(void)
{
	bool gone;

	mutex_lock(&oom_mutex);
	gone = victim_done();
	mutex_unlock(&oom_mutex);
	return gone;
}

/*
 * Would a user's allocation succeed?  What other harts keep for themselves (PCP_MAX frames
 * each) does not help this one.
 */
static bool enough(void)
{
	struct pmem_info i;

	pmem_info(&i);
	return pmem_free_pages() > i.reserved;
}

/* Is anything on its way to become free? */
static bool hope(void)
{
	struct pmem_info i;

	pmem_info(&i);
	return i.dirty + i.writeback > 0;
}

int oom_wait(void)
{
	struct thread *t = current;

	if (load_once(&t->work) & WORK_EXIT)
		return -ERESTARTSYS;
	if (t->mm && load_once(&t->mm->oom_victim))
		return -ENOMEM; /* even the reserves are used up */
	if (reclaim_hard(BATCH) > 0 || droppable_reclaim())
		return 0;
	/* clean what is dirty, and give others who end a chance */
	for (int i = 0; i < (hope() ? 100 : 3); i++) {
		flusher_hurry();
		(void)sleep_until_ns(clock_mono_ns() + POLL_NS, false);
		if (enough() || reclaim_hard(BATCH) > 0)
			return 0;
	}
	(void)oom_kill("page fault");
	(void)sleep_until_ns(clock_mono_ns() + POLL_NS, false);
	return 0;
}
