/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/reclaim.c - gives clean file pages back when memory gets short.
 *
 * For each group of threads that pays for memory (memcg.h), and for the root one, a
 * list of all pages that are written back somewhere, oldest first, with a second
 * chance: a page that was used since (PG_REFERENCED) goes to the end instead.  Lists
 * take turns, as long as they are.  What a group is promised (memory.low, memory.min)
 * is passed over: in need the former is taken, too.
 *
 * Two who reclaim.  An allocation that finds no frame takes clean, unmapped pages at
 * once, without sleeping (no lock may be held).  The reclaim thread, woken before it
 * comes to that, may sleep: it also unmaps pages from users, asks the shrinkers and
 * has dirty pages written.
 *
 * The last pages of files (KEEP_*) are not given to anonymous memory: they are the
 * text of what runs, and would be read again at once.  Only other pages of files
 * replace them.  When nothing else is left, somebody's memory has to go (oom.c): a
 * machine that reads its programs from the disk page by page helps nobody.
 *
 * INVARIANTS
 *   I1  A page on a list is in the cache, so it has a reference; it is taken off
 *       before the cache drops it.
 *   I2  A group's list is on lrus while it has pages, which keep the group.
 *
 * Locking: lru_lock, innermost.
 */
#include <kernel/mm/cache.h>

#include <kernel/assert.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pmem.h>
#include <kernel/mm/vm.h>
#include <kernel/time/clock.h>

static struct spinlock lru_lock = SPINLOCK_INIT("lru", RANK_SLAB);
static struct list_head lrus =
	LIST_HEAD_INIT(lrus); /* [lru_lock] of struct lru */
static struct lru root_lru = {
	.pages = LIST_HEAD_INIT(root_lru.pages),
	.node = LIST_HEAD_INIT(root_lru.node),
};
static u64 nr_lru; /* [lru_lock] pages on all of them */

/* 1/64 of the memory, within these limits (pages). */
#define KEEP_MIN 256u
#define KEEP_MAX 4096u

static struct waitq reclaim_wq = WAITQ_INIT(reclaim_wq);
static bool wanted; /* [a] */

static struct lru *lru_of(struct page *pg)
{
	return pg->memcg ? &pg->memcg->lru : &root_lru;
}

static struct memcg *lru_memcg(struct lru *l)
{
	return l == &root_lru ? NULL : container_of(l, struct memcg, lru);
}

void lru_add(struct page *pg)
{
	struct lru *l = lru_of(pg);

	spin_lock(&lru_lock);
	list_add_tail(&pg->node, &l->pages);
	(void)page_set(pg, PG_LRU);
	nr_lru++;
	if (l->nr++ == 0)
		list_add_tail(&l->node, &lrus);
	spin_unlock(&lru_lock);
}

void lru_del(struct page *pg)
{
	struct lru *l = lru_of(pg);

	spin_lock(&lru_lock);
	if (page_clear(pg, PG_LRU)) {
		list_del(&pg->node);
		nr_lru--;
		if (--l->nr == 0)
			list_del(&l->node);
	}
	spin_unlock(&lru_lock);
}

/* Who looks for pages, and where. */
struct scan {
	struct memcg *target; /* in it and below; NULL: everywhere */
	bool all;	      /* those that were used lately, too */
	unsigned int need;    /* protection that does not count: 0 or 1 */
	bool skipped;	      /* one that is only protected by need 0 */
	u64 budget;	      /* pages to look at */
	u64 have;	      /* pages of files of target, when it began */
};

static bool may_take(struct scan *s, struct lru *l)
{
	struct memcg *mc = lru_memcg(l);
	unsigned int p;

	if (!mc)
		return !s->target;
	if (!memcg_is_below(mc, s->target))
		return false;
	p = memcg_protection(mc, s->target);
	s->skipped |= p == 1 && s->need == 0;
	return p <= s->need;
}

/* The list whose turn it is, @l if it still is; NULL: there is none. */
static struct lru *next_lru(struct scan *s, struct lru *l)
{
	struct lru *o;

	if (l && l->turn)
		return l;
	if (l)
		list_move_tail(&l->node, &lrus);
	list_for_each_entry(o, &lrus, node) {
		if (!may_take(s, o))
			continue;
		if (!o->turn)
			o->turn = o->nr / 8 + BATCH;
		return o;
	}
	return NULL;
}

/* Up to BATCH pages from the old end, moved to the young one, with references. */
static unsigned int take_old(struct scan *s, struct page **out)
{
	struct lru *l = NULL;
	unsigned int n = 0;

	spin_lock(&lru_lock);
	while (n < BATCH && s->budget > 0) {
		struct page *pg;

		l = next_lru(s, l);
		if (!l) {
			s->budget = 0;
			break;
		}
		pg = list_first_entry(&l->pages, struct page, node);
		s->budget--;
		l->turn--;
		list_move_tail(&pg->node, &l->pages);
		if (!s->all && page_is(pg, PG_REFERENCED)) {
			(void)page_clear(pg, PG_REFERENCED);
			continue;
		}
		if (page_is(pg, PG_LOCKED | PG_WRITEBACK | PG_DIRTY))
			continue;
		out[n++] = page_get(pg);
	}
	spin_unlock(&lru_lock);
	return n;
}

/* How many pages there are to look at. */
static u64 lru_size(struct memcg *target)
{
	struct lru *l;
	u64 nr = 0;

	if (!target)
		return load_once(&nr_lru);
	spin_lock(&lru_lock);
	list_for_each_entry(l, &lrus, node) {
		struct memcg *mc = lru_memcg(l);

		if (mc && memcg_is_below(mc, target))
			nr += l->nr;
	}
	spin_unlock(&lru_lock);
	return nr;
}

/* Free @pg if it is clean and unused; @may_sleep: unmap it from users first. */
static bool try_free(struct page *pg, bool may_sleep)
{
	struct mapping *m;
	bool freed = false;

	if (!page_trylock(pg))
		return false;
	m = pg->mapping;
	if (m) {
		freed = cache_remove_unused(m, pg);
		if (!freed && may_sleep && !list_empty(&m->vmas)) {
			mapping_unmap_user(m, pg->index, pg->index + 1);
			freed = cache_remove_unused(m, pg);
		}
	}
	page_unlock(pg);
	return freed;
}

/* How many pages of files memory that is none may not replace. */
static u64 file_floor(void)
{
	return clamp(pmem_total_pages() / 64, (u64)KEEP_MIN, (u64)KEEP_MAX);
}

/* Those that take_old() found; how many are free now. */
static u64 free_old(struct page **pg, unsigned int n, bool may_sleep)
{
	u64 freed = 0;

	for (unsigned int i = 0; i < n; i++) {
		memcg_page_stat(pg[i], MEMCG_PGSCAN, 1);
		if (try_free(pg[i], may_sleep)) {
			memcg_page_stat(pg[i], MEMCG_PGSTEAL, 1);
			freed++;
		}
		page_put(pg[i]);
	}
	return freed;
}

/* Its pages are taken in spite of memory.low: it hears of it.  Its pages keep it. */
static void tell_low(const struct scan *s, struct page **pg, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct memcg *mc = pg[i]->memcg;

		if (!mc || memcg_protection(mc, s->target) != 1)
			continue;
		memcg_event(mc, MEMCG_EV_LOW);
		return;
	}
}

/* Are there more than @keep after @freed have gone? */
static bool has_more(const struct scan *s, u64 keep, u64 freed)
{
	return (s->target ? s->have : load_once(&nr_lru) + freed) >
	       keep + freed;
}

/* One round of reclaim(). */
static u64 reclaim_some(struct scan *s, u64 nr_pages, u64 keep, bool may_sleep)
{
	struct page *pg[BATCH];
	unsigned int n;
	u64 freed = 0;

	while (freed < nr_pages && s->budget > 0 && has_more(s, keep, freed)) {
		n = take_old(s, pg);
		if (s->need && may_sleep && !freed)
			tell_low(s, pg, n);
		freed += free_old(pg, n, may_sleep);
		if (may_sleep)
			cond_resched();
	}
	return freed;
}

/* Up to @nr_pages of @s->target are freed while more than @keep are left. */
static u64 reclaim(struct scan *s, u64 nr_pages, u64 keep, bool may_sleep)
{
	/* twice around: the first may only clear PG_REFERENCED */
	u64 freed, most;

	s->have = lru_size(s->target);
	most = 2 * s->have + 1;
	if (!may_sleep)
		most = min(most, 64 * nr_pages);
	s->budget = most;
	freed = reclaim_some(s, nr_pages, keep, may_sleep);
	if (freed || !s->skipped)
		return freed;
	s->need = 1;
	s->budget = most;
	return reclaim_some(s, nr_pages, keep, may_sleep);
}

u64 pagecache_reclaim(u64 nr_pages, u32 gfp)
{
	bool file = !(gfp & GFP_USER) || (gfp & GFP_FILE);
	struct scan s = { .target = NULL };

	return reclaim(&s, nr_pages, file ? 0 : file_floor(), false);
}

u64 memcg_reclaim(struct memcg *mc, u64 nr_pages, u64 keep)
{
	struct scan s = { .target = mc };

	return reclaim(&s, nr_pages, keep, true);
}

u64 pagecache_drop(void)
{
	struct scan s = { .all = true,
			  .need = 2,
			  .budget = load_once(&nr_lru) };
	struct page *pg[BATCH];
	unsigned int n;
	u64 freed = 0;

	while ((n = take_old(&s, pg))) {
		freed += free_old(pg, n, false);
		cond_resched();
	}
	return freed;
}

u64 reclaim_hard(u64 nr_pages)
{
	struct scan s = { .target = NULL };
	u64 freed = reclaim(&s, nr_pages, file_floor(), true);

	if (freed < nr_pages)
		freed += pmem_shrink(nr_pages - freed);
	return freed;
}

static void reclaim_wake(void)
{
	if (load_once(&wanted) || this_hart()->lock_depth)
		return;
	store_once(&wanted, true);
	wake_up_all(&reclaim_wq);
}

static void reclaimer(void *arg __unused)
{
	for (;;) {
		u64 goal, freed;

		wait_event(&reclaim_wq, load_once(&wanted));
		/* somebody may have ended meanwhile, and left enough */
		goal = pmem_missing(pmem_total_pages() / 32 + 64);
		freed = goal ? reclaim_hard(goal) : 0;
		if (freed < goal / 4)
			pagecache_sync_all(false);
		/* not in circles when there is nothing to be had */
		if (freed < goal / 8)
			(void)sleep_until_ns(
				clock_mono_ns() + 50 * NSEC_PER_MSEC, false);
		store_once(&wanted, false);
	}
}

void reclaim_init(void)
{
	pmem_reclaim_hook = pagecache_reclaim;
	pmem_low_hook = reclaim_wake;
	if (!kthread_create("reclaim", reclaimer, NULL))
		panic("reclaim: no memory for the thread");
}
