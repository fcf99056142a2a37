/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/reclaim.c - gives clean file pages back when memory gets short.
 *
 * One list of all pages that are written back somewhere, oldest first, with a second
 * chance: a page that was used since (PG_REFERENCED) goes to the end instead.
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
 *   I1  A page on the list is in the cache, so it has a reference; it is taken off
 *       before the cache drops it.
 *
 * Locking: lru_lock, innermost.
 */
#include <kernel/mm/cache.h>

#include <kernel/assert.h>
#include <kernel/mm/pmem.h>
#include <kernel/mm/vm.h>
#include <kernel/time/clock.h>

static struct spinlock lru_lock = SPINLOCK_INIT("lru", RANK_SLAB);
static struct list_head lru = LIST_HEAD_INIT(lru); /* [lru_lock] */
static u64 nr_lru;				   /* [lru_lock] */

/* 1/64 of the memory, within these limits (pages). */
#define KEEP_MIN 256u
#define KEEP_MAX 4096u

static struct waitq reclaim_wq = WAITQ_INIT(reclaim_wq);
static bool wanted; /* [a] */

void lru_add(struct page *pg)
{
	spin_lock(&lru_lock);
	list_add_tail(&pg->node, &lru);
	(void)page_set(pg, PG_LRU);
	nr_lru++;
	spin_unlock(&lru_lock);
}

void lru_del(struct page *pg)
{
	spin_lock(&lru_lock);
	if (page_clear(pg, PG_LRU)) {
		list_del(&pg->node);
		nr_lru--;
	}
	spin_unlock(&lru_lock);
}

/* Up to BATCH pages from the old end, moved to the young one, with references; those
 * that were used lately only if @all. */
static unsigned int take_old(struct page **out, u64 *budget, bool all)
{
	unsigned int n = 0;

	spin_lock(&lru_lock);
	if (list_empty(&lru))
		*budget = 0;
	while (n<BATCH && * budget> 0) {
		struct page *pg = list_first_entry(&lru, struct page, node);

		(*budget)--;
		list_move_tail(&pg->node, &lru);
		if (!all && page_is(pg, PG_REFERENCED)) {
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

/* Up to @nr_pages are freed while more than @keep are left. */
static u64 reclaim(u64 nr_pages, u64 keep, bool may_sleep)
{
	/* twice around: the first may only clear PG_REFERENCED */
	u64 budget = 2 * load_once(&nr_lru) + 1, freed = 0;
	struct page *pg[BATCH];
	unsigned int n;

	if (!may_sleep)
		budget = min(budget, 64 * nr_pages);
	while (freed < nr_pages && budget > 0 && load_once(&nr_lru) > keep) {
		n = take_old(pg, &budget, false);
		for (unsigned int i = 0; i < n; i++) {
			freed += try_free(pg[i], may_sleep);
			page_put(pg[i]);
		}
		if (may_sleep)
			cond_resched();
	}
	return freed;
}

u64 pagecache_reclaim(u64 nr_pages, u32 gfp)
{
	u64 keep = (gfp & GFP_CACHE) == GFP_USER ? file_floor() : 0;

	return reclaim(nr_pages, keep, false);
}

u64 pagecache_drop(void)
{
	u64 budget = load_once(&nr_lru), freed = 0;
	struct page *pg[BATCH];
	unsigned int n;

	while ((n = take_old(pg, &budget, true))) {
		for (unsigned int i = 0; i < n; i++) {
			freed += try_free(pg[i], false);
			page_put(pg[i]);
		}
		cond_resched();
	}
	return freed;
}

u64 reclaim_hard(u64 nr_pages)
{
	u64 freed = reclaim(nr_pages, file_floor(), true);

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
		u64 goal = pmem_total_pages() / 32 + 64, freed;

		wait_event(&reclaim_wq, load_once(&wanted));
		freed = reclaim_hard(goal);
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
