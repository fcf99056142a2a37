/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pagecache.c - finds, adds and locks pages of files.
 *
 * INVARIANTS
 *   I1  pg is in mapping->pages at pg->index exactly while pg->mapping ==
 *       mapping; then it has PG_CACHE and a reference of the cache's.
 *   I2  PG_UPTODATE is set once and stays while the page is in the cache.
 *   I3  A page is taken out only while it is locked and not under write-back.
 *
 * Waiting for PG_LOCKED and PG_WRITEBACK goes through a small table of wait
 * queues.  A waiter is on its queue before it sets PG_WANTED; whoever clears the
 * other bit clears PG_WANTED with it and, if it was set, wakes all.
 *
 * Context: as pagecache.h says.  Locking: mapping->lock (RANK_PAGECACHE).
 * Not here: reading (readahead.c), dirty pages (writeback.c), files' read and
 * write (filemap.c), truncation (truncate.c), memory pressure (reclaim.c).
 */
#include <kernel/mm/cache.h>

#include <kernel/assert.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pmem.h>
#include <lib/errno.h>
#include <lib/hash.h>

#define NR_QUEUES 64u

static struct waitq queues[NR_QUEUES];
static struct kmem_cache *node_cache;

static struct waitq *queue_of(const struct page *pg)
{
	return &queues[hash64((u64)pg) % NR_QUEUES];
}

struct radix_node *radix_node_alloc(void)
{
	return kmem_cache_zalloc(node_cache);
}

void radix_node_free(struct radix_node *n)
{
	kmem_cache_free(node_cache, n);
}

/* --- bits to wait for */

bool page_trylock(struct page *pg)
{
	return !page_set(pg, PG_LOCKED);
}

static __attribute__((noinline)) void page_lock_slow(struct page *pg)
{
	struct waitq *wq = queue_of(pg);
	struct waiter w;

	waiter_init(&w);
	for (;;) {
		wait_prepare(wq, &w, false);
		if (!(atomic_fetch_or(&pg->flags,
				      (u32)(PG_LOCKED | PG_WANTED)) &
		      PG_LOCKED))
			break;
		(void)!wait_suspend(WAIT_FOREVER);
	}
	wait_finish(wq, &w);
}

void page_lock(struct page *pg)
{
	if (unlikely(!page_trylock(pg)))
		page_lock_slow(pg);
}

/* Clear @flag and wake those who wait for it. */
static void end_bit(struct page *pg, u32 flag)
{
	u32 old = atomic_fetch_and(&pg->flags, (u32) ~(flag | PG_WANTED));

	KASSERT(old & flag);
	if (unlikely(old & PG_WANTED))
		wake_up_all(queue_of(pg));
}

void page_unlock(struct page *pg)
{
	end_bit(pg, PG_LOCKED);
}

void page_wait(struct page *pg, u32 flag)
{
	struct waitq *wq = queue_of(pg);
	struct waiter w;

	if (!page_is(pg, flag))
		return;
	waiter_init(&w);
	for (;;) {
		wait_prepare(wq, &w, false);
		if (!(atomic_fetch_or(&pg->flags, (u32)PG_WANTED) & flag))
			break;
		(void)!wait_suspend(WAIT_FOREVER);
	}
	wait_finish(wq, &w);
}

void page_wait_writeback(struct page *pg)
{
	page_wait(pg, PG_WRITEBACK);
}

void page_end_read(struct page *pg, int status)
{
	(void)page_set(pg, status ? PG_ERROR : PG_UPTODATE);
	page_unlock(pg);
}

void page_end_writeback(struct page *pg, int status)
{
	if (status) {
		/* the page keeps its mapping until write-back has ended */
		mapping_error_set(pg->mapping, status);
		(void)page_set(pg, PG_ERROR);
	}
	pmem_account(PMEM_WRITEBACK, -1);
	memcg_page_stat(pg, MEMCG_WRITEBACK, -1);
	end_bit(pg, PG_WRITEBACK);
}

/* --- the index */

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host)
{
	*m = (struct mapping){ .ops = ops, .host = host };
	spin_init(&m->lock, "mapping", RANK_PAGECACHE);
	mutex_init(&m->i_mmap);
	list_init(&m->vmas);
	list_init(&m->dirty_node);
}

/* Put the new locked @pg at @index; the cache takes a reference of its own. */
static int cache_insert(struct mapping *m, struct page *pg, u64 index)
{
	bool memory = m->ops->no_writeback;
	int err;

	pg->index = index;
	spin_lock(&m->lock);
	err = radix_insert(&m->pages, index, pg);
	if (!err) {
		pg->mapping = m;
		pg->refs++; /* still ours alone */
		(void)page_set(pg, memory ? PG_CACHE | PG_SHMEM : PG_CACHE);
		m->nr_pages++;
	}
	spin_unlock(&m->lock);
	if (err)
		return err;
	pmem_account(memory ? PMEM_SHMEM : PMEM_CACHE, 1);
	if (!memory)
		lru_add(pg);
	else
		memcg_set_kind(pg, MEMCG_SHMEM);
	return 0;
}

/* mapping->lock held. */
static void remove_locked(struct mapping *m, struct page *pg)
{
	void *was = radix_remove(&m->pages, pg->index);

	KASSERT(was == pg && page_is(pg, PG_LOCKED));
	KASSERT(!page_is(pg, PG_WRITEBACK));
	dirty_forget(m, pg);
	store_once(&pg->mapping, NULL);
	m->nr_pages--;
}

/* After remove_locked(); the mapping may be gone by now. */
static void removed(struct page *pg)
{
	pmem_account(page_is(pg, PG_SHMEM) ? PMEM_SHMEM : PMEM_CACHE, -1);
	(void)page_clear(pg, PG_CACHE | PG_REFERENCED | PG_AHEAD);
	if (page_is(pg, PG_LRU))
		lru_del(pg);
	page_put(pg);
}

static void release_private(struct mapping *m, struct page *pg)
{
	if (!page_is(pg, PG_PRIVATE))
		return;
	if (m->ops->releasepage)
		m->ops->releasepage(m, pg);
	(void)page_clear(pg, PG_PRIVATE);
}

void cache_remove(struct mapping *m, struct page *pg)
{
	spin_lock(&m->lock);
	release_private(m, pg);
	remove_locked(m, pg);
	spin_unlock(&m->lock);
	removed(pg);
}

bool cache_remove_unused(struct mapping *m, struct page *pg)
{
	bool unused;

	if (page_is(pg, PG_DIRTY | PG_WRITEBACK))
		return false;
	spin_lock(&m->lock);
	/* more references come only through the index, which is locked */
	unused = load_once(&pg->refs) == 2 &&
		 !page_is(pg, PG_DIRTY | PG_WRITEBACK);
	if (unused) {
		release_private(m, pg);
		remove_locked(m, pg);
	}
	spin_unlock(&m->lock);
	if (unused)
		removed(pg);
	return unused;
}

struct page *mapping_find(struct mapping *m, u64 index)
{
	struct page *pg;

	spin_lock(&m->lock);
	pg = radix_find(&m->pages, index);
	if (pg)
		page_ref(pg);
	spin_unlock(&m->lock);
	return pg;
}

unsigned int mapping_find_range(struct mapping *m, u64 index, unsigned int nr,
				struct page **pg)
{
	u64 size = load_once(&m->size);
	unsigned int found = 0, can = 0;

	/* nothing behind the end of the file may be mapped */
	if (index << PAGE_SHIFT < size)
		can = (unsigned int)min(DIV_ROUND_UP(size, PAGE_SIZE) - index,
					(u64)nr);
	spin_lock(&m->lock);
	radix_run(&m->pages, index, can, (void **)pg);
	for (unsigned int i = 0; i < can; i++) {
		struct page *p = pg[i];

		if (!p)
			continue;
		if ((load_once(&p->flags) & (PG_UPTODATE | PG_ERROR)) !=
		    PG_UPTODATE) {
			pg[i] = NULL;
			continue;
		}
		page_ref(p);
		found++;
	}
	spin_unlock(&m->lock);
	while (can < nr)
		pg[can++] = NULL;
	return found;
}

struct page *mapping_find_next(struct mapping *m, u64 *index)
{
	struct page *pg;

	spin_lock(&m->lock);
	pg = radix_next(&m->pages, index, -1);
	if (pg)
		page_ref(pg);
	spin_unlock(&m->lock);
	return pg;
}

unsigned int cache_batch(struct mapping *m, u64 *index, u64 end, int tag,
			 struct page **pg)
{
	unsigned int n = 0;
	u64 i = *index;

	spin_lock(&m->lock);
	while (n < BATCH && i < end) {
		struct page *p = radix_next(&m->pages, &i, tag);

		if (!p || i >= end)
			break;
		page_ref(p);
		pg[n++] = p;
		if (++i == 0)
			break;
	}
	spin_unlock(&m->lock);
	*index = i;
	return n;
}

struct page *cache_add_new(struct mapping *m, u64 index)
{
	struct page *pg = page_alloc(0, GFP_CACHE);
	int err;

	if (!pg)
		return ERR_PTR(-ENOMEM);
	pg->flags = PG_LOCKED;
	err = cache_insert(m, pg, index);
	if (!err)
		return pg;
	pg->flags = 0;
	page_put(pg);
	return ERR_PTR(err);
}

struct page *mapping_grab(struct mapping *m, u64 index)
{
	for (;;) {
		struct page *pg = mapping_find(m, index);

		if (pg) {
			page_lock(pg);
			if (likely(pg->mapping == m)) {
				page_touch(pg);
				return pg;
			}
			page_unlock(pg); /* truncated meanwhile */
			page_put(pg);
			continue;
		}
		pg = cache_add_new(m, index);
		if (pg != ERR_PTR(-EEXIST))
			return pg;
	}
}

/* Make @pg uptodate if it is not: it is being read, or a read failed. */
static int make_uptodate(struct mapping *m, struct page *pg)
{
	int err = 0;

	page_lock(pg); /* a read in progress ends with the unlock */
	if (pg->mapping != m)
		err = -EAGAIN;
	if (err || page_is(pg, PG_UPTODATE)) {
		page_unlock(pg);
		return err;
	}
	(void)page_clear(pg, PG_ERROR);
	if (!m->ops->readpage) {
		clear_page(page_addr(pg));
		page_end_read(pg, 0);
		return 0;
	}
	current->io.read_bytes += PAGE_SIZE;
	err = m->ops->readpage(m, pg);
	page_wait(pg, PG_LOCKED);
	if (page_is(pg, PG_UPTODATE))
		return 0;
	return err ? err : -EIO;
}

struct page *mapping_read(struct mapping *m, u64 index, struct file *f)
{
	for (;;) {
		struct page *pg = mapping_find(m, index);
		int err;

		if (!pg) {
			err = cache_read_around(m, index, f);
			if (err)
				return ERR_PTR(err);
			continue;
		}
		if (unlikely(page_is(pg, PG_AHEAD)) &&
		    page_clear(pg, PG_AHEAD) && f)
			cache_read_on(m, f);
		page_touch(pg);
		if (likely(page_is(pg, PG_UPTODATE)))
			return pg;
		err = make_uptodate(m, pg);
		if (!err)
			return pg;
		page_put(pg);
		if (err != -EAGAIN)
			return ERR_PTR(err);
	}
}

void pagecache_init(void)
{
	for (u32 i = 0; i < NR_QUEUES; i++)
		waitq_init(&queues[i]);
	node_cache =
		kmem_cache_create("radix_node", sizeof(struct radix_node), 8);
	KASSERT(node_cache);
	reclaim_init();
	writeback_init();
}
