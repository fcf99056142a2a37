/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/memcg.c - charges of groups of threads; see memcg.h.
 *
 * INVARIANTS
 *   I1  usage of a group = sum of charged of it and all below.
 *   I2  charged = pages that name the group + stacks + what harts have in stock; a
 *       stock with pages is one of a group that lives.
 *   I3  A group lives while refs or charged is not zero.
 *
 * A stock's group changes under memcg_lock, on its own hart; its pages are taken by
 * others too, by exchange (drain).  Its counts are added to the group's when it is
 * given to another group.
 */
#include <kernel/mm/memcg_int.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/thread.h>
#include <lib/hash.h>

#define STOCK_BATCH 32u
#define STOCK_MAX   64u

struct memcg_stocks memcg_stocks[MAX_HARTS];

STATIC_ASSERT(GFP_KIND_OF(GFP_USER) == MEMCG_ANON, "kinds");
STATIC_ASSERT(GFP_KIND_OF(GFP_CACHE) == MEMCG_FILE, "kinds");
STATIC_ASSERT(GFP_KIND_OF(GFP_TABLE) == MEMCG_PAGETABLE, "kinds");
STATIC_ASSERT(GFP_KIND_OF(GFP_OBJECT) == MEMCG_OBJECT, "kinds");

struct spinlock memcg_lock = SPINLOCK_INIT("memcg", RANK_MEMCG);
u32 memcg_count;

static struct memcg_stock *stock_of(const struct memcg *mc)
{
	return &memcg_stocks[this_cpu()].stock[hash64((u64)mc) % NR_STOCKS];
}

/* --- counts; all with memcg_lock held */

/* True: a limit is exceeded now. */
static bool add_locked(struct memcg *mc, u64 nr)
{
	bool over = false;

	mc->charged += nr;
	for (; mc; mc = mc->parent) {
		store_once(&mc->usage, mc->usage + nr);
		if (mc->usage > load_once(&mc->high)) {
			mc->debt += nr;
			over = true;
		}
		over |= mc->usage > load_once(&mc->max);
		if (mc->usage > mc->peak)
			store_once(&mc->peak, mc->usage);
		mc->recent_peak = max(mc->recent_peak, mc->usage);
	}
	return over;
}

static void sub_locked(struct memcg *mc, u64 nr)
{
	KASSERT(mc->charged >= nr);
	mc->charged -= nr;
	for (; mc; mc = mc->parent)
		store_once(&mc->usage, mc->usage - nr);
}

static void flush_stats_locked(struct memcg_stock *s)
{
	for (u32 i = 0; i < NR_MEMCG_STATS; i++) {
		if (!s->stat[i])
			continue;
		for (struct memcg *a = s->memcg; a; a = a->parent)
			a->stat[i] += s->stat[i];
		s->stat[i] = 0;
	}
}

/* How many pages the group of @mc may have before a maximum is met. */
static u64 room_locked(const struct memcg *mc)
{
	u64 room = MEMCG_NO_LIMIT;

	for (; mc; mc = mc->parent) {
		u64 limit = load_once(&mc->max);

		room = min(room, limit > mc->usage ? limit - mc->usage : 0);
	}
	return room;
}

/* It and those above that nobody needs any more. */
static struct memcg *unused_locked(struct memcg *mc)
{
	struct memcg *dead = NULL, *up;

	for (; mc && !mc->refs && !mc->charged; mc = up) {
		KASSERT(!mc->lru.nr);
		for (u32 h = 0; h < nr_harts; h++) {
			struct memcg_stock *s =
				&memcg_stocks[h]
					 .stock[hash64((u64)mc) % NR_STOCKS];

			if (s->memcg != mc)
				continue;
			flush_stats_locked(s);
			store_once(&s->memcg, NULL);
		}
		up = mc->parent;
		if (up)
			up->refs--;
		mc->owner = (void *)dead; /* a list */
		dead = mc;
	}
	return dead;
}

static void free_dead(struct memcg *dead)
{
	while (dead) {
		struct memcg *next = (void *)dead->owner;

		kfree(dead);
		atomic_dec(&memcg_count);
		dead = next;
	}
}

/* The stock of this hart for @mc, which may have been another group's. */
static struct memcg_stock *use_stock_locked(struct memcg *mc,
					    struct memcg **dead)
{
	struct memcg_stock *s = stock_of(mc);
	struct memcg *old = s->memcg;
	u32 nr;

	if (old == mc)
		return s;
	if (old) {
		nr = atomic_xchg(&s->nr, 0u);
		sub_locked(old, nr);
		flush_stats_locked(s);
	}
	store_once(&s->memcg, mc);
	*dead = old ? unused_locked(old) : NULL;
	return s;
}

void memcg_drain_locked(struct memcg *top)
{
	for (u32 h = 0; h < nr_harts; h++)
		for (u32 i = 0; i < NR_STOCKS; i++) {
			struct memcg_stock *s = &memcg_stocks[h].stock[i];

			if (s->memcg && load_once(&s->nr) &&
			    memcg_is_below(s->memcg, top))
				sub_locked(s->memcg, atomic_xchg(&s->nr, 0u));
		}
}

/* --- groups */

bool memcg_is_below(const struct memcg *mc, const struct memcg *top)
{
	if (!top)
		return true;
	while (mc && mc->level > top->level)
		mc = mc->parent;
	return mc == top;
}

struct memcg *memcg_new(struct memcg *parent, struct cgroup *owner)
{
	struct memcg *mc = kzalloc(sizeof(*mc));

	if (!mc)
		return NULL;
	mc->owner = owner;
	mc->level = parent ? parent->level + 1 : 1;
	mc->refs = 1;
	mc->max = mc->high = MEMCG_NO_LIMIT;
	mc->parent = memcg_get(parent);
	list_init(&mc->lru.pages);
	list_init(&mc->lru.node);
	list_init(&mc->peaks);
	atomic_inc(&memcg_count);
	return mc;
}

struct memcg *memcg_get(struct memcg *mc)
{
	if (!mc)
		return NULL;
	spin_lock(&memcg_lock);
	mc->refs++;
	spin_unlock(&memcg_lock);
	return mc;
}

/* Gives back what is in stock of it, so that it can go. */
void memcg_put(struct memcg *mc)
{
	struct memcg *dead = NULL;

	if (!mc)
		return;
	spin_lock(&memcg_lock);
	KASSERT(mc->refs > 0);
	if (--mc->refs == 0) {
		memcg_drain_locked(mc);
		dead = unused_locked(mc);
	}
	spin_unlock(&memcg_lock);
	free_dead(dead);
}

struct memcg *memcg_of_current(void)
{
	struct memcg *mc;

	spin_lock(&memcg_lock);
	mc = current->memcg;
	if (mc)
		mc->refs++;
	spin_unlock(&memcg_lock);
	return mc;
}

void memcg_orphan_locked(struct memcg *mc)
{
	mc->owner = NULL;
	memcg_drain(mc);
}

void memcg_attach(struct thread *t, struct memcg *mc)
{
	struct memcg *old = t->memcg;

	if (old == mc)
		return;
	spin_lock(&memcg_lock);
	if (mc)
		mc->refs++;
	store_once(&t->memcg, mc);
	spin_unlock(&memcg_lock);
	memcg_put(old);
}

/* --- charges */

static bool take_stock(struct memcg_stock *s, u32 nr)
{
	u32 have = load_once(&s->nr), was;

	while (have >= nr) {
		was = atomic_cmpxchg(&s->nr, have, have - nr);
		if (likely(was == have))
			return true;
		have = was;
	}
	return false;
}

/* The stock is empty, or another group's; or current has moved.  Who pays; the stock
 * of this hart is his then. */
static __attribute__((noinline)) struct memcg *charge_slow(struct thread *t,
							   u32 nr)
{
	struct memcg *mc, *dead = NULL;
	struct memcg_stock *s;
	u32 more = 0;
	bool over = false;

	spin_lock(&memcg_lock);
	mc = t->memcg;
	if (mc) {
		s = use_stock_locked(mc, &dead);
		if (room_locked(mc) > 4ul * STOCK_MAX * nr_harts)
			more = STOCK_BATCH;
		over = add_locked(mc, nr + more);
		(void)atomic_fetch_add(&s->nr, more);
	}
	spin_unlock(&memcg_lock);
	if (over) /* it is current: no need to kick it */
		(void)atomic_fetch_or(&t->work, WORK_MEMCG);
	free_dead(dead);
	return mc;
}

/* @nr pages of @kind; who pays, or NULL. */
static struct memcg *charge(u32 nr, u32 kind)
{
	struct thread *t = current;
	struct memcg *mc = t ? load_once(&t->memcg) : NULL;
	struct memcg_stock *s;

	if (!mc)
		return NULL;
	s = stock_of(mc);
	if (s->memcg != mc || !take_stock(s, nr)) {
		mc = charge_slow(t, nr);
		if (!mc)
			return NULL;
		s = stock_of(mc);
	}
	s->stat[kind] += nr;
	return mc;
}

/* The stock of this hart is of another group. */
static __attribute__((noinline)) void uncharge_slow(struct memcg *mc, u32 nr,
						    u32 kind)
{
	struct memcg *dead = NULL;
	struct memcg_stock *s;

	spin_lock(&memcg_lock);
	s = use_stock_locked(mc, &dead);
	s->stat[kind] -= nr;
	(void)atomic_fetch_add(&s->nr, nr);
	spin_unlock(&memcg_lock);
	free_dead(dead);
}

/* There is too much in @s. */
static __attribute__((noinline)) void give_back(struct memcg_stock *s)
{
	struct memcg *dead = NULL;

	spin_lock(&memcg_lock);
	/* as soon as it was in stock, others could take it, and the group go */
	if (s->memcg) {
		sub_locked(s->memcg, atomic_xchg(&s->nr, 0u));
		dead = unused_locked(s->memcg);
	}
	spin_unlock(&memcg_lock);
	free_dead(dead);
}

static void uncharge(struct memcg *mc, u32 nr, u32 kind)
{
	struct memcg_stock *s = stock_of(mc);

	if (unlikely(s->memcg != mc)) {
		uncharge_slow(mc, nr, kind);
		return;
	}
	s->stat[kind] -= nr;
	if (unlikely(atomic_fetch_add(&s->nr, nr) + nr > STOCK_MAX))
		give_back(s);
}

void memcg_charge_page(struct page *pg, u32 gfp)
{
	u32 kind = GFP_KIND_OF(gfp);

	pg->memcg = charge(1u << pg->order, kind);
	pg->kind = (u8)kind;
}

void memcg_uncharge_page(struct page *pg)
{
	struct memcg *mc = pg->memcg;

	pg->memcg = NULL;
	uncharge(mc, 1u << pg->order, pg->kind);
}

struct memcg *memcg_charge_stack(u32 nr_pages)
{
	return load_once(&memcg_count) ? charge(nr_pages, MEMCG_KSTACK) : NULL;
}

void memcg_uncharge_stack(struct memcg *mc, u32 nr_pages)
{
	if (mc)
		uncharge(mc, nr_pages, MEMCG_KSTACK);
}

void memcg_stat_slow(struct memcg *mc, enum memcg_stat what, s64 n)
{
	struct memcg_stock *s = stock_of(mc);

	if (likely(s->memcg == mc)) {
		s->stat[what] += n;
		return;
	}
	spin_lock(&memcg_lock);
	for (; mc; mc = mc->parent)
		mc->stat[what] += n;
	spin_unlock(&memcg_lock);
}

void memcg_set_kind(struct page *pg, enum memcg_stat kind)
{
	if (!pg->memcg)
		return;
	memcg_stat_slow(pg->memcg, pg->kind, -1);
	memcg_stat_slow(pg->memcg, kind, 1);
	pg->kind = (u8)kind;
}

void memcg_fault_slow(struct thread *t, bool major)
{
	struct memcg *mc = load_once(&t->memcg);
	struct memcg_stock *s = stock_of(mc);

	/* a group with a stock lives; one that current has just left may not */
	if (likely(mc && s->memcg == mc)) {
		s->stat[MEMCG_PGFAULT]++;
		s->stat[MEMCG_PGMAJFAULT] += major;
		return;
	}
	mc = memcg_of_current();
	if (!mc)
		return;
	memcg_stat_slow(mc, MEMCG_PGFAULT, 1);
	memcg_stat_slow(mc, MEMCG_PGMAJFAULT, major);
	memcg_put(mc);
}
