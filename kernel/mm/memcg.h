/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/memcg.h - memory of groups of threads: who pays for which frame.
 *
 *	memcg.c		charges, counts
 *	memcg_look.c	how many there are, and were
 *	memcg_limit.c	what happens when there are too many: reclaim, sleep, kill
 *	reclaim.c	pages of files, a list for each group
 *	kernel/cgroup/memory.c	makes groups, and says which threads are in which
 *
 * DATA FLOW
 *   page_alloc() with GFP_USER charges the group of current (thread->memcg): the frame
 *   names it (page->memcg) until it is free, wherever the thread goes meanwhile.  A
 *   charge counts in the group and all above it, and never fails.  Who brings a group
 *   over its limit gets WORK_MEMCG, and makes up for it before it goes on, where it
 *   holds nothing: at the end of its request, before a fault, in the loops of read and
 *   write (memcg_pay()).  So a limit is exceeded by what one step needs, and nobody
 *   waits for memory with a lock that the owner of the memory may want.
 *
 *   Each hart has a few groups' pages in stock (struct memcg_stock), which are counted
 *   as used: most charges and uncharges are a subtraction there.  The lock is taken for
 *   STOCK_BATCH pages at a time, or for each one while a limit is near.
 *
 * The root group is NULL: with no other there is one look at memcg_count for an
 * allocation, and one at page->memcg when a frame is freed.
 *
 * OWNERSHIP
 *   struct cgroup, thread ---> struct memcg ---> its parent	each a reference
 *   A group that was removed lives on while pages are charged to it.
 *
 * LOCKING
 *   memcg_lock (RANK_MEMCG, just outside of the allocators): counts, references and
 *   thread->memcg, which changes under task_lock besides: either is enough to look.
 *   Limits are atomic words.
 */
#ifndef KERNEL_MM_MEMCG_H
#define KERNEL_MM_MEMCG_H

#include <kernel/mm/page.h>
#include <kernel/sched/thread.h>
#include <lib/atomic.h>
#include <lib/list.h>

struct cgroup;
struct memcg;
struct thread;

#define MEMCG_NO_LIMIT (~0ul >> PAGE_SHIFT)

enum memcg_stat {
	/* the first are kinds of pages: page->kind */
	MEMCG_ANON,
	MEMCG_FILE,
	MEMCG_SHMEM,
	MEMCG_PAGETABLE,
	MEMCG_KSTACK,
	MEMCG_OBJECT, /* buffers of pipes, rings ... */
	NR_MEMCG_KINDS,
	MEMCG_DIRTY = NR_MEMCG_KINDS,
	MEMCG_WRITEBACK,
	/* from here on they only grow */
	MEMCG_PGFAULT,
	MEMCG_PGMAJFAULT,
	MEMCG_PGSCAN,
	MEMCG_PGSTEAL,
	NR_MEMCG_STATS,
};

enum memcg_event {
	MEMCG_EV_LOW,
	MEMCG_EV_HIGH,
	MEMCG_EV_MAX,
	MEMCG_EV_OOM,
	MEMCG_EV_OOM_KILL,
	MEMCG_EV_OOM_GROUP_KILL,
	NR_MEMCG_EVENTS,
};

/* Pages that can be given back, oldest first: reclaim.c.  All [lru_lock]. */
struct lru {
	struct list_head pages;
	u64 nr;		       /* [a] */
	struct list_head node; /* of all that have pages */
	u64 turn;	       /* pages to look at before the next one's turn */
};

struct memcg {
	struct memcg *parent; /* [I] owned; NULL: the root */
	u32 level;	      /* [I] 1: below the root */
	struct cgroup *owner; /* [task_lock] NULL: it was removed */
	u32 refs;	      /* [memcg_lock] */
	u64 charged;	 /* [memcg_lock] its own pages, and what is in stock */
	u64 usage, peak; /* [memcg_lock; a] pages, of it and all below */
	u64 max, high, low, min; /* [a] pages */
	u64 debt;	 /* [memcg_lock] charged over high, and not slept for */
	u64 recent_peak; /* [memcg_lock] since the last reset of one */
	struct list_head peaks; /* [memcg_lock] of struct memcg_peak */
	bool oom_group;		/* [a] all of it goes together */
	u64 event[NR_MEMCG_EVENTS],
		event_local[NR_MEMCG_EVENTS]; /* [memcg_lock] */
	s64 stat[NR_MEMCG_STATS]; /* [memcg_lock] of it and all below */
	struct lru lru;
};

/* The peak since somebody wanted to know. All [memcg_lock]. */
struct memcg_peak {
	struct list_head node;
	struct memcg *memcg; /* owned, or NULL: always */
	u64 value;	     /* until the last reset of another one */
};

extern u32 memcg_count; /* [a] groups that there are */
extern struct spinlock memcg_lock;

/* One without limits, refs 1, or NULL: no memory. */
struct memcg *memcg_new(struct memcg *parent, struct cgroup *owner);
struct memcg *memcg_get(struct memcg *mc); /* NULL is fine */
void memcg_put(struct memcg *mc);	   /* likewise; any context */
struct memcg *memcg_of_current(void);	   /* with a reference, or NULL */
/* It is removed: what harts have in stock goes back.  task_lock held. */
void memcg_orphan_locked(struct memcg *mc);
/* Is it @top, or below?  Everything is below NULL. */
bool memcg_is_below(const struct memcg *mc, const struct memcg *top);
/* @t pays as @mc (borrowed; NULL: the root) from now on.  task_lock held. */
void memcg_attach(struct thread *t, struct memcg *mc);

/* --- charges: any context */
void memcg_charge_page(struct page *pg, u32 gfp);
void memcg_uncharge_page(struct page *pg);
/* Without frames of their own: who pays, or NULL. */
struct memcg *memcg_charge_stack(u32 nr_pages);
void memcg_uncharge_stack(struct memcg *mc, u32 nr_pages);
/* @pg becomes memory of another kind. */
void memcg_set_kind(struct page *pg, enum memcg_stat kind);
void memcg_stat_slow(struct memcg *mc, enum memcg_stat what, s64 n);
void memcg_fault_slow(struct thread *t, bool major); /* @t: current */

static inline void memcg_charge(struct page *pg, u32 gfp)
{
	if (unlikely(load_once(&memcg_count)))
		memcg_charge_page(pg, gfp);
}
static inline void memcg_uncharge(struct page *pg)
{
	if (unlikely(pg->memcg != NULL))
		memcg_uncharge_page(pg);
}
static inline void memcg_page_stat(struct page *pg, enum memcg_stat what, s64 n)
{
	if (unlikely(pg->memcg != NULL))
		memcg_stat_slow(pg->memcg, what, n);
}

/* --- looking: @mc NULL is fine for stat */
u64 memcg_usage(struct memcg *mc); /* pages; what is in stock is not used */
void memcg_stats(struct memcg *mc, s64 out[NR_MEMCG_STATS]);
/* The most pages that it had: always, or since @p was reset. */
u64 memcg_peak(struct memcg *mc, struct memcg_peak *p);
void memcg_peak_reset(struct memcg *mc, struct memcg_peak *p);
void memcg_peak_end(struct memcg_peak *p);
/* The lowest group of @mc's line that is over its maximum, with a reference. */
struct memcg *memcg_over_max(struct memcg *mc);
/* Pages of @mc or below that were charged over memory.high since the last time. */
u64 memcg_take_debt(struct memcg *mc);
void memcg_add_debt(struct memcg *mc, u64 nr);
/* Harts give back what they have in stock of @mc and all below. */
void memcg_drain(struct memcg *mc);

/* --- memcg_limit.c: coroutine, no lock held but where said */
/* Current made a group too large: make room, or sleep a while.  It may hold sleeping
 * locks: it waits for a bounded time. */
void memcg_pay(struct thread *t);
/* Before one more step of a long call. */
#define memcg_balance()                                               \
	do {                                                          \
		if (unlikely(load_once(&current->work) & WORK_MEMCG)) \
			memcg_pay(current);                           \
	} while (0)
void memcg_shrink_to_max(struct memcg *mc);  /* a new limit */
void memcg_shrink_to_high(struct memcg *mc); /* likewise */
/* 0; -EAGAIN: not all of @nr_pages could be had; -EINTR. */
int memcg_reclaim_exactly(struct memcg *mc, u64 nr_pages);
void memcg_event(struct memcg *mc, enum memcg_event ev);
/* Pages of it are not taken for @target (NULL: the machine) now: 2 never, 1 only in
 * need. */
unsigned int memcg_protection(const struct memcg *mc,
			      const struct memcg *target);
extern bool memcg_recursive_protection; /* [a] a mount option of cgroup2 */

/* --- kernel/cgroup/memory.c defines: pollers of the files hear of it.  No locks. */
void memcg_event_tell(struct memcg *mc, bool local);

/* --- reclaim.c */
/* Free up to @nr_pages pages of files of @mc and all below, of which @keep stay; may
 * sleep. */
u64 memcg_reclaim(struct memcg *mc, u64 nr_pages, u64 keep);

#endif /* KERNEL_MM_MEMCG_H */
