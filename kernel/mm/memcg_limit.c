/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/memcg_limit.c - groups that have too much memory; see memcg.h.
 *
 * Over memory.max: pages of files are given back; what is dirty is written, and waited
 * for; and when nothing else is left somebody in the group is killed.  Over memory.high:
 * pages are given back, and who asked for more sleeps the longer the more it is.
 *
 * All waits are bounded: who cannot make room goes on, and comes back with the next
 * page.  So it may hold sleeping locks, which a victim may need in order to end.
 *
 * Context: coroutine.  Locking: none held.
 */
#include <kernel/mm/memcg.h>

#include <kernel/assert.h>
#include <kernel/mm/cache.h>
#include <kernel/mm/fault.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define POLL_NS	     (10 * NSEC_PER_MSEC)
#define TRIES_MAX    256u /* rounds in all */
#define WRITES_MAX   200u /* of them, POLL_NS for what is dirty */
#define RECLAIM_MIN  64u  /* pages at a time */
#define KEEP_MIN     128u /* pages of files, see keep_of() */
#define KEEP_MAX     4096u
#define VICTIM_POLLS 200u /* POLL_NS for who was killed */
#define KILLS_MAX    16u
#define HIGH_MAX_MS  2000u /* the longest sleep over memory.high */
#define HIGH_MIN_MS  10u
#define HIGH_PAGES   64u /* for how many charges that is */

bool memcg_recursive_protection;

static bool dying(void)
{
	return load_once(&current->work) & WORK_EXIT;
}

static void nap(void)
{
	(void)sleep_until_ns(clock_mono_ns() + POLL_NS, false);
}

/* --- happenings */

void memcg_event(struct memcg *mc, enum memcg_event ev)
{
	spin_lock(&memcg_lock);
	mc->event_local[ev]++;
	for (struct memcg *a = mc; a; a = a->parent)
		a->event[ev]++;
	spin_unlock(&memcg_lock);
	memcg_event_tell(mc, true);
	for (struct memcg *a = mc->parent; a; a = a->parent)
		memcg_event_tell(a, false);
}

/* --- protection */

/* The smallest that @what says of @mc and what is above it, below @target. */
static u64 smallest(const struct memcg *mc, const struct memcg *target,
		    bool low)
{
	u64 v = MEMCG_NO_LIMIT;

	for (; mc && mc != target; mc = mc->parent)
		v = min(v, load_once(low ? &mc->low : &mc->min));
	return v;
}

unsigned int memcg_protection(const struct memcg *mc,
			      const struct memcg *target)
{
	unsigned int p = 0;

	for (; mc && mc != target; mc = mc->parent) {
		u64 used = load_once(&mc->usage);

		if (used <= smallest(mc, target, false))
			return 2;
		if (used <= smallest(mc, target, true))
			p = 1;
		/* does what a group is promised hold for what is below it? */
		if (!load_once(&memcg_recursive_protection))
			break;
	}
	return p;
}

/* --- memory.max */

/* With what is in stock: a charge from there is not looked at. */
static bool is_over(struct memcg *mc)
{
	memcg_drain(mc);
	return load_once(&mc->usage) > load_once(&mc->max);
}

/* Pages that can be given back as soon as they are written. */
static bool any_dirty(struct memcg *mc)
{
	s64 stat[NR_MEMCG_STATS];

	memcg_stats(mc, stat);
	return stat[MEMCG_DIRTY] + stat[MEMCG_WRITEBACK] > 0;
}

/* The last pages of files are the text of what runs, and would be read again at once:
 * rather than take them somebody is killed, as in reclaim.c. */
static u64 keep_of(u64 limit)
{
	return min(clamp(limit / 32, (u64)KEEP_MIN, (u64)KEEP_MAX), limit / 4);
}

/* Did it become smaller than it was, or may it soon, without a kill? */
static bool make_room(struct memcg *mc, u64 limit, u32 *writes)
{
	u64 used = memcg_usage(mc);

	if (memcg_reclaim(
		    mc, max(used > limit ? used - limit : 1, (u64)RECLAIM_MIN),
		    keep_of(limit)))
		return true;
	if (*writes >= WRITES_MAX || !any_dirty(mc))
		return false;
	++*writes;
	flusher_hurry();
	nap();
	return true;
}

/* Somebody in @mc is killed, and has some time to end; false: there is nobody. */
static bool kill_one(struct memcg *mc)
{
	memcg_event(mc, MEMCG_EV_OOM);
	if (!oom_kill_in(mc))
		return false;
	for (u32 i = 0; i < VICTIM_POLLS && is_over(mc) && !dying(); i++) {
		if (oom_victim_gone())
			break;
		nap();
	}
	return true;
}

void memcg_shrink_to_max(struct memcg *mc)
{
	u32 writes = 0, kills = 0;

	for (u32 i = 0; i < TRIES_MAX && !dying() && is_over(mc); i++) {
		if (make_room(mc, load_once(&mc->max), &writes))
			continue;
		if (kills++ >= KILLS_MAX || !kill_one(mc))
			break;
	}
}

/* --- memory.high */

static struct memcg *over_high(struct memcg *mc)
{
	while (mc && load_once(&mc->usage) <= load_once(&mc->high))
		mc = mc->parent;
	return mc;
}

void memcg_shrink_to_high(struct memcg *mc)
{
	u64 limit = load_once(&mc->high);
	u32 writes = 0;

	for (u32 i = 0; i < TRIES_MAX && !signal_pending_current(); i++)
		if (memcg_usage(mc) <= limit || !make_room(mc, limit, &writes))
			break;
}

/* How long who charged @nr pages has to sleep: it grows with the square of the excess. */
static u64 high_sleep_ms(struct memcg *mc, u64 nr)
{
	u64 used = memcg_usage(mc), limit = max(load_once(&mc->high), 1ul);
	u64 part, ms;

	if (used <= limit)
		return 0;
	part = min((used - limit) * 1024 / limit, 1024ul);
	ms = min(part * part * 64000 / 1024 / 1024, (u64)HIGH_MAX_MS);
	return min(ms * nr / HIGH_PAGES, (u64)HIGH_MAX_MS);
}

static void pay_high(struct memcg *mc)
{
	u64 nr = memcg_take_debt(mc), ms, end;

	memcg_event(mc, MEMCG_EV_HIGH);
	memcg_shrink_to_high(mc);
	ms = high_sleep_ms(mc, nr);
	if (ms && ms < HIGH_MIN_MS)
		memcg_add_debt(mc, nr); /* later, all at once */
	if (ms < HIGH_MIN_MS)
		return;
	end = clock_mono_ns() + ms * NSEC_PER_MSEC;
	while (!dying() && clock_mono_ns() < end)
		nap();
}

/* --- who made it too large */

void memcg_pay(struct thread *t)
{
	struct memcg *mc, *over;

	KASSERT(t == current);
	(void)atomic_fetch_and(&t->work, ~WORK_MEMCG);
	if (dying()) /* it will give all back */
		return;
	mc = memcg_of_current();
	over = memcg_over_max(mc);
	if (over) {
		memcg_event(over, MEMCG_EV_MAX);
		memcg_shrink_to_max(over);
		memcg_put(over);
	}
	over = over_high(mc); /* kept by mc */
	if (over && !dying())
		pay_high(over);
	memcg_put(mc);
}

int memcg_reclaim_exactly(struct memcg *mc, u64 nr_pages)
{
	u64 freed = 0, got;
	u32 writes = 0;

	memcg_drain(mc);
	while (freed < nr_pages) {
		if (signal_pending_current())
			return -EINTR;
		got = mc ? memcg_reclaim(mc, nr_pages - freed, 0)
			 : reclaim_hard(nr_pages - freed);
		freed += got;
		if (got)
			continue;
		if (!mc || writes++ >= WRITES_MAX / 4 || !any_dirty(mc))
			return -EAGAIN;
		flusher_hurry();
		nap();
	}
	return 0;
}
