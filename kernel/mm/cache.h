/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/cache.h - what the files of the page cache share.
 *
 * A page belongs to the cache while page->mapping is set.  It is put in and taken
 * out with PG_LOCKED held by whoever does it, under mapping->lock; so both a page
 * lock and mapping->lock keep page->mapping and page->index as they are.
 */
#ifndef KERNEL_MM_CACHE_H
#define KERNEL_MM_CACHE_H

#include <kernel/hart.h>
#include <kernel/mm/pagecache.h>
#include <lib/atomic.h>

#define BATCH 16u

static inline bool page_is(const struct page *pg, u32 flag)
{
	return (load_once(&pg->flags) & flag) != 0;
}
/* Set or clear; true when it was set before. */
static inline bool page_set(struct page *pg, u32 flag)
{
	return (atomic_fetch_or(&pg->flags, flag) & flag) != 0;
}
static inline bool page_clear(struct page *pg, u32 flag)
{
	return (atomic_fetch_and(&pg->flags, ~flag) & flag) != 0;
}
static inline void page_touch(struct page *pg)
{
	if (!page_is(pg, PG_REFERENCED))
		(void)page_set(pg, PG_REFERENCED);
}

/* pagecache.c */
/* A new locked page at @index, with a reference besides the cache's; or ERR_PTR of -EEXIST,
 * -ENOMEM. */
struct page *cache_add_new(struct mapping *m, u64 index);
/* Take locked @pg out, whatever its state, and drop the cache's reference. */
void cache_remove(struct mapping *m, struct page *pg);
/* The same if nobody but the cache and the caller has it and it is clean. */
bool cache_remove_unused(struct mapping *m, struct page *pg);
/* Up to BATCH pages from *@index on with @tag, with references; *@index: behind
 * the last one. */
unsigned int cache_batch(struct mapping *m, u64 *index, u64 end, int tag,
			 struct page **pg);
void page_wait(struct page *pg, u32 flag); /* until it is clear */

/* readahead.c: start reading around @index, which is not cached. 0 or -ENOMEM */
int cache_read_around(struct mapping *m, u64 index, struct file *f);
/* A page marked PG_AHEAD was reached: read what comes next. */
void cache_read_on(struct mapping *m, struct file *f);

/* writeback.c */
void dirty_forget(struct mapping *m, struct page *pg); /* mapping->lock held */
void dirty_forget_mapping(struct mapping *m);
void dirty_balance(void); /* after a write: waits while too much is dirty */
void flusher_wake(void);
void flusher_hurry(void); /* memory is needed: write everything */
void writeback_init(void);

/* reclaim.c */
void lru_add(struct page *pg);
void lru_del(struct page *pg);
/* Unmaps what users have mapped and asks the shrinkers: may sleep. */
u64 reclaim_hard(u64 nr_pages);
void reclaim_init(void);

/* rmap.c */
void rmap_zap(struct mapping *m, u64 start, u64 end, bool file_only);

#endif /* KERNEL_MM_CACHE_H */
