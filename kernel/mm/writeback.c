/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/writeback.c - dirty pages, and the thread that writes them.
 *
 * A page becomes dirty under its lock (page_set_dirty()); its mapping goes on the
 * dirty list with the time.  The flusher sleeps for ever while nothing is dirty,
 * else until the oldest mapping has been dirty for dirty_expire; it is woken early
 * when dirty_background_ratio of memory is dirty.  A writer waits while dirty_ratio
 * is.
 *
 * INVARIANTS
 *   I1  A page has tag RADIX_DIRTY exactly while it has PG_DIRTY and is in the
 *       cache of a mapping that is written back; both change under mapping->lock.
 *   I2  PG_WRITEBACK is set, with its tag, under the page lock, before writepage();
 *       the tag is cleared by who waits, so it may be set for too long.
 *   I3  The mapping of a page under write-back stays: mapping_destroy() waits.
 *
 * Order of cleaning: clear PG_DIRTY, write-protect the entries of users, write.  So
 * a store through a mapping either is in what is written or makes the page dirty
 * again (fault_file.c I2).
 *
 * Context: coroutine, but page_set_dirty() and dirty_forget().
 * Locking: mapping->lock, then dirty_lock; page locks outside.
 */
#include <kernel/mm/cache.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/init.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pmem.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define NS_PER_CS   (10 * NSEC_PER_MSEC)
#define BALANCE_NR  32u
#define THROTTLE_NS (100 * NSEC_PER_MSEC)
#define BUSY_NS	    (5 * NSEC_PER_MSEC)

static struct spinlock dirty_lock = SPINLOCK_INIT("dirty", RANK_BLK);
static struct list_head dirty_list = LIST_HEAD_INIT(dirty_list); /* [dirty_lock]
								    oldest first */
static struct waitq flusher_wq = WAITQ_INIT(flusher_wq);
static struct waitq progress_wq = WAITQ_INIT(progress_wq); /* pages got clean */
static bool flush_now;	/* [a] woken for memory, not for age */
static bool look_again; /* [a] the limits have changed */

struct writeback_limits writeback_limits = {
	.dirty_ratio = 20,
	.dirty_background_ratio = 10,
	.dirty_expire_cs = 3000,
};

static u64 expire_ns(void)
{
	return load_once(&writeback_limits.dirty_expire_cs) * NS_PER_CS;
}
static u32 since_balance[MAX_HARTS]; /* [H] each */

/* --- becoming dirty, becoming clean */

void page_set_dirty(struct page *pg)
{
	struct mapping *m = pg->mapping;
	bool first = false;

	if (page_is(pg, PG_DIRTY))
		return;
	KASSERT(m);
	if (m->ops->no_writeback) {
		(void)page_set(pg, PG_DIRTY);
		return;
	}
	spin_lock(&m->lock);
	if (!page_set(pg, PG_DIRTY)) {
		radix_tag_set(&m->pages, pg->index, RADIX_DIRTY);
		pmem_account(PMEM_DIRTY, 1);
		memcg_page_stat(pg, MEMCG_DIRTY, 1);
		if (current)
			current->io.write_bytes += PAGE_SIZE;
		if (m->nr_dirty++ == 0) {
			spin_lock(&dirty_lock);
			m->dirtied_when_ns = clock_mono_ns();
			first = list_empty(&dirty_list);
			if (!list_is_linked(&m->dirty_node))
				list_add_tail(&m->dirty_node, &dirty_list);
			spin_unlock(&dirty_lock);
		}
	}
	spin_unlock(&m->lock);
	if (first)
		wake_up_all(&flusher_wq);
}

/* PG_DIRTY goes; mapping->lock held.  True if it was set. */
static bool clear_dirty(struct mapping *m, struct page *pg)
{
	if (!page_clear(pg, PG_DIRTY))
		return false;
	if (m->ops->no_writeback)
		return true;
	radix_tag_clear(&m->pages, pg->index, RADIX_DIRTY);
	m->nr_dirty--;
	pmem_account(PMEM_DIRTY, -1);
	memcg_page_stat(pg, MEMCG_DIRTY, -1);
	return true;
}

void dirty_forget(struct mapping *m, struct page *pg)
{
	if (!page_is(pg, PG_DIRTY))
		return;
	/* the index has lost the page already, and its tags with it */
	(void)page_clear(pg, PG_DIRTY);
	if (m->ops->no_writeback)
		return;
	m->nr_dirty--;
	pmem_account(PMEM_DIRTY, -1);
	memcg_page_stat(pg, MEMCG_DIRTY, -1);
}

/* The mapping dies: the flusher must not see it any more. */
void dirty_forget_mapping(struct mapping *m)
{
	spin_lock(&dirty_lock);
	list_del(&m->dirty_node);
	spin_unlock(&dirty_lock);
	wait_event(&progress_wq, !load_once(&m->flushing));
}

/* --- writing */

/* Locked @pg, if it is dirty, goes under write-back; else it is unlocked. */
static bool begin_writeback(struct mapping *m, struct page *pg)
{
	bool dirty = false;

	if (pg->mapping == m && page_is(pg, PG_DIRTY)) {
		page_wait_writeback(pg);
		spin_lock(&m->lock);
		dirty = clear_dirty(m, pg);
		if (dirty) {
			radix_tag_set(&m->pages, pg->index, RADIX_WRITEBACK);
			(void)page_set(pg, PG_WRITEBACK);
			pmem_account(PMEM_WRITEBACK, 1);
			memcg_page_stat(pg, MEMCG_WRITEBACK, 1);
		}
		spin_unlock(&m->lock);
	}
	if (!dirty) {
		page_unlock(pg);
		return false;
	}
	return true;
}

/* Consecutive pages that begin_writeback() took. */
static void write_run(struct mapping *m, struct page **run, unsigned int nr)
{
	if (nr == 0)
		return;
	/* one flush for the run */
	mapping_wrprotect_user(m, run[0]->index, run[nr - 1]->index + 1);
	if (nr > 1 && m->ops->writepages) {
		(void)m->ops->writepages(m, run, nr);
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		(void)m->ops->writepage(m, run[i]);
}

/* Start writing dirty pages of [start, end), at most @max. */
static u64 write_dirty(struct mapping *m, u64 start, u64 end, u64 max)
{
	struct page *pg[BATCH], *run[BATCH];
	u64 written = 0;
	unsigned int n;

	while (written < max && start < end &&
	       (n = cache_batch(m, &start, end, RADIX_DIRTY, pg)) > 0) {
		unsigned int nr = 0;

		for (unsigned int i = 0; i < n; i++) {
			/* pages of a run are locked in order of their index */
			if (nr && pg[i]->index != run[nr - 1]->index + 1) {
				write_run(m, run, nr);
				nr = 0;
			}
			if (nr && !page_trylock(pg[i])) {
				write_run(m, run, nr);
				nr = 0;
				page_lock(pg[i]);
			} else if (!nr) {
				page_lock(pg[i]);
			}
			if (begin_writeback(m, pg[i])) {
				run[nr++] = pg[i];
				written++;
			}
		}
		write_run(m, run, nr);
		for (unsigned int i = 0; i < n; i++)
			page_put(pg[i]);
		wake_up_all(&progress_wq);
		cond_resched();
	}
	return written;
}

static void wait_written(struct mapping *m, u64 start, u64 end)
{
	struct page *pg[BATCH];
	unsigned int n;

	while (start < end &&
	       (n = cache_batch(m, &start, end, RADIX_WRITEBACK, pg)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			page_wait_writeback(pg[i]);
			spin_lock(&m->lock);
			if (pg[i]->mapping == m &&
			    !page_is(pg[i], PG_WRITEBACK))
				radix_tag_clear(&m->pages, pg[i]->index,
						RADIX_WRITEBACK);
			spin_unlock(&m->lock);
			page_put(pg[i]);
		}
	}
}

/* --- errors: a count, whether somebody has heard of the last one, and its errno */

#define WB_ERRNO GENMASK(11, 0)
#define WB_HEARD BIT(12)
#define WB_ONE	 BIT(13)

void mapping_error_set(struct mapping *m, int err)
{
	u32 old, now;

	do {
		old = load_once(&m->wb_errors);
		now = ((old + (u32)WB_ONE) & ~(u32)(WB_ERRNO | WB_HEARD)) |
		      ((u32)-err & (u32)WB_ERRNO);
	} while (atomic_cmpxchg(&m->wb_errors, old, now) != old);
}

u32 mapping_error_seen(const struct mapping *m)
{
	u32 now = load_once(&m->wb_errors);

	return now & WB_HEARD ? now : 0;
}

int mapping_error_since(struct mapping *m, u32 *seen)
{
	u32 now = load_once(&m->wb_errors);

	if (likely(now == load_once(seen)))
		return 0;
	/* a new one in between has not been heard of */
	if (atomic_cmpxchg(&m->wb_errors, now, now | (u32)WB_HEARD) == now)
		now |= (u32)WB_HEARD;
	/* of two at a time with one file only one needs to hear of it */
	return atomic_xchg(seen, now) == now ? 0 : -(int)(now & WB_ERRNO);
}

int mapping_fsync(struct mapping *m, struct file *f, u64 start, u64 end)
{
	int err = mapping_sync(m, start, end, true);
	int err2 = mapping_error_since(m, &f->wb_seen);

	return err2 ? err2 : err;
}

bool mapping_unsettled(struct mapping *m)
{
	u64 index = 0;
	bool yes;

	if (load_once(&m->nr_dirty))
		return true;
	if (!load_once(&m->nr_pages) || m->ops->no_writeback)
		return false;
	spin_lock(&m->lock);
	yes = radix_next(&m->pages, &index, RADIX_WRITEBACK);
	spin_unlock(&m->lock);
	return yes;
}

int mapping_sync(struct mapping *m, u64 start, u64 end, bool wait)
{
	u32 before = load_once(&m->wb_errors) & ~(u32)WB_HEARD, after;
	u64 first = start >> PAGE_SHIFT;
	u64 last = end > ~0ull - PAGE_SIZE ? ~0ull >> PAGE_SHIFT
					   : DIV_ROUND_UP(end, PAGE_SIZE);

	/* Files of /proc have contents but no pages. */
	if (!m->ops || m->ops->no_writeback)
		return 0;
	if (load_once(&m->nr_dirty))
		(void)write_dirty(m, first, last, ~0ull);
	if (!wait)
		return 0;
	wait_written(m, first, last);
	after = load_once(&m->wb_errors);
	return likely((after & ~(u32)WB_HEARD) == before)
		       ? 0
		       : -(int)(after & WB_ERRNO);
}

/* --- the flusher */

/*
 * The first mapping that is due, kept alive by ->flushing; NULL: none.  *@next:
 * when the first one will be; *@busy: somebody else is at one that is due.
 */
static struct mapping *take_due(u64 dirtied_before, u64 *next, bool *busy)
{
	struct mapping *m, *due = NULL;

	*next = WAIT_FOREVER;
	*busy = false;
	spin_lock(&dirty_lock);
	list_for_each_entry(m, &dirty_list, dirty_node) {
		if (m->dirtied_when_ns >= dirtied_before) {
			*next = min(*next, m->dirtied_when_ns + expire_ns());
		} else if (m->flushing) {
			*busy = true;
		} else {
			due = m;
			m->flushing = true;
			break;
		}
	}
	spin_unlock(&dirty_lock);
	return due;
}

/* Written: off the list, or to its end when it is dirty (again). */
static void put_due(struct mapping *m)
{
	spin_lock(&m->lock);
	spin_lock(&dirty_lock);
	store_once(&m->flushing, false);
	if (list_is_linked(&m->dirty_node)) {
		list_del(&m->dirty_node);
		if (m->nr_dirty) {
			m->dirtied_when_ns = clock_mono_ns();
			list_add_tail(&m->dirty_node, &dirty_list);
		}
	}
	spin_unlock(&dirty_lock);
	spin_unlock(&m->lock);
	wake_up_all(&progress_wq);
}

/* A mapping stays on the list until what was dirty is on the device. */
static u64 flush_older(u64 dirtied_before, bool wait_others)
{
	struct mapping *m;
	u64 next;
	bool busy;

	for (;;) {
		while ((m = take_due(dirtied_before, &next, &busy))) {
			(void)write_dirty(m, 0, ~0ull, ~0ull);
			wait_written(m, 0, ~0ull);
			put_due(m);
		}
		if (!busy || !wait_others)
			return next;
		(void)sleep_until_ns(clock_mono_ns() + BUSY_NS, false);
	}
}

void pagecache_sync_all(bool wait)
{
	/* what gets dirty from now on is not ours */
	(void)flush_older(clock_mono_ns() + 1, wait);
}

static u64 expired(void)
{
	u64 now = clock_mono_ns();

	return now > expire_ns() ? now - expire_ns() : 0;
}

static void flusher(void *arg __unused)
{
	u64 next = WAIT_FOREVER;

	for (;;) {
		(void)wait_event_timeout(&flusher_wq,
					 load_once(&flush_now) ||
						 load_once(&look_again) ||
						 (next == WAIT_FOREVER &&
						  !list_empty(&dirty_list)),
					 next);
		store_once(&look_again, false);
		if (load_once(&flush_now)) {
			store_once(&flush_now, false);
			(void)flush_older(clock_mono_ns() + 1, false);
		}
		next = flush_older(expired(), false);
	}
}

void flusher_hurry(void)
{
	store_once(&flush_now, true);
	wake_up_all(&flusher_wq);
}

void writeback_limits_changed(void)
{
	store_once(&look_again, true);
	wake_up_all(&flusher_wq);
}

static u64 share(const struct pmem_info *i, const u32 *percent)
{
	return (i->free + i->cached) * load_once(percent) / 100;
}

void flusher_wake(void)
{
	struct pmem_info i;

	if (since_balance[this_cpu()]++ % BALANCE_NR)
		return;
	pmem_info(&i);
	if (i.dirty > share(&i, &writeback_limits.dirty_background_ratio))
		flusher_hurry();
}

static bool too_dirty(void)
{
	struct pmem_info i;

	pmem_info(&i);
	return i.dirty + i.writeback > share(&i, &writeback_limits.dirty_ratio);
}

bool writeback_pressed(void)
{
	struct pmem_info i;

	pmem_info(&i);
	return i.free < i.reserved + PCP_BATCH || too_dirty();
}

/* A kernel thread does not wait: it may be what the flusher waits for (a loop
 * device's worker).  It sees to itself by writeback_pressed(). */
void dirty_balance(void)
{
	memcg_balance();
	if (++since_balance[this_cpu()] % BALANCE_NR)
		return;
	flusher_wake();
	if (!current->proc)
		return;
	for (int i = 0; i < 50 && too_dirty(); i++) {
		flusher_hurry();
		(void)wait_event_timeout(&progress_wq, !too_dirty(),
					 clock_mono_ns() + THROTTLE_NS);
	}
}

void writeback_init(void)
{
	if (!kthread_create("flusher", flusher, NULL))
		panic("writeback: no memory for the flusher");
}
