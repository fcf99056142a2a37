/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/truncate.c - takes pages out of a mapping: truncation, punching, the end
 * of an inode.
 *
 * A page leaves the index first and the users' tables afterwards; a fault looks at
 * page->mapping under pt_lock, so no entry can lead to it in the end (fault_file.c
 * I1).
 *
 * Context: coroutine.  Locking: page locks, mapping->lock.
 */
#include <kernel/mm/cache.h>

#include <kernel/mm/fault.h>
#include <lib/string.h>

#define TO_END (~0ull)

/* Remove the whole pages [start, end). */
static void remove_pages(struct mapping *m, u64 start, u64 end)
{
	struct page *pg[BATCH];
	unsigned int n;

	while (start < end && (n = cache_batch(m, &start, end, -1, pg)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			page_lock(pg[i]);
			page_wait_writeback(pg[i]);
			if (pg[i]->mapping == m)
				cache_remove(m, pg[i]);
			page_unlock(pg[i]);
			page_put(pg[i]);
		}
		cond_resched();
	}
}

/* Clear bytes [from, to) of the page at @index if it is cached. */
static void clear_part(struct mapping *m, u64 index, u64 from, u64 to)
{
	struct page *pg = from < to ? mapping_find(m, index) : NULL;

	if (!pg)
		return;
	page_lock(pg);
	if (pg->mapping == m && page_is(pg, PG_UPTODATE))
		memset((char *)page_addr(pg) + from, 0, to - from);
	page_unlock(pg);
	page_put(pg);
}

void mapping_destroy(struct mapping *m)
{
	dirty_forget_mapping(m);
	/* also when it looks empty: whoever took the last page may still hold
	 * mapping->lock.  (No file reaches to the index TO_END.) */
	remove_pages(m, 0, TO_END);
}

void mapping_truncate(struct mapping *m, u64 size)
{
	u64 start = DIV_ROUND_UP(size, PAGE_SIZE);

	if (size % PAGE_SIZE)
		clear_part(m, size >> PAGE_SHIFT, size % PAGE_SIZE, PAGE_SIZE);
	if (load_once(&m->nr_pages) == 0 && list_empty(&m->vmas))
		return;
	remove_pages(m, start, TO_END);
	rmap_zap(m, start, TO_END, false);
}

void mapping_punch(struct mapping *m, u64 start, u64 end)
{
	u64 first = DIV_ROUND_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT;

	if (start >= end)
		return;
	if (first > last) { /* inside of one page */
		clear_part(m, last, start % PAGE_SIZE, end % PAGE_SIZE);
		return;
	}
	if (start % PAGE_SIZE)
		clear_part(m, start >> PAGE_SHIFT, start % PAGE_SIZE,
			   PAGE_SIZE);
	clear_part(m, last, 0, end % PAGE_SIZE);
	remove_pages(m, first, last);
	rmap_zap(m, first, last, true);
}

u64 mapping_invalidate(struct mapping *m, u64 start, u64 end)
{
	struct page *pg[BATCH];
	unsigned int n;
	u64 gone = 0;

	if (m->ops->no_writeback)
		return 0;
	while (start < end && (n = cache_batch(m, &start, end, -1, pg)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			if (page_trylock(pg[i])) {
				if (pg[i]->mapping == m &&
				    cache_remove_unused(m, pg[i]))
					gone++;
				page_unlock(pg[i]);
			}
			page_put(pg[i]);
		}
		cond_resched();
	}
	return gone;
}
