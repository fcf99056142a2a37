/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/rmap.c - from a page of a mapping to the users' entries for it.
 *
 * There is no list of entries for a page: the mapping knows its areas, and an area
 * knows where a page index is in its table.  Entries are only ever made stricter
 * here, so a fault that runs at the same time makes a new one at worst, after
 * looking at the page again.
 *
 * Context: coroutine.  Locking: mapping->i_mmap, then mm->pt_lock.  An area on the
 * list has a living mm: it leaves the list before its table goes.
 */
#include <kernel/mm/cache.h>

#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>

/* The addresses at which @v shows pages [start, end); false: none. */
static bool area_range(const struct vma *v, u64 start, u64 end, u64 *from,
		       u64 *to)
{
	u64 last = v->pgoff + vma_pages(v);

	start = max(start, v->pgoff);
	end = min(end, last);
	if (start >= end)
		return false;
	*from = v->start + ((start - v->pgoff) << PAGE_SHIFT);
	*to = v->start + ((end - v->pgoff) << PAGE_SHIFT);
	return true;
}

void rmap_zap(struct mapping *m, u64 start, u64 end, bool file_only)
{
	struct vma *v;
	u64 from, to;

	if (list_empty(&m->vmas))
		return;
	mutex_lock(&m->i_mmap);
	list_for_each_entry(v, &m->vmas, map_node) {
		struct gather g;

		if (!area_range(v, start, end, &from, &to))
			continue;
		gather_init(&g, v->mm);
		pt_zap(&g, from, to, file_only);
		gather_finish(&g);
	}
	mutex_unlock(&m->i_mmap);
}

void mapping_unmap_user(struct mapping *m, u64 start, u64 end)
{
	rmap_zap(m, start, end, true);
}

/* Entries of @v for [from, to) become read-only. */
static void wrprotect(struct vma *v, u64 from, u64 to)
{
	struct mm *mm = v->mm;
	bool changed = false;

	spin_lock(&mm->pt_lock);
	for (u64 va = from; va < to; va += PAGE_SIZE) {
		pte_t *p = pt_find(mm, va);

		if (!p) {
			va = ALIGN_DOWN(va, L0_SIZE) + L0_SIZE - PAGE_SIZE;
			continue;
		}
		if (*p & PTE_W) {
			store_once(p, *p & ~PTE_W);
			changed = true;
		}
	}
	/* others may have been here, and not have flushed yet */
	changed |= load_once(&mm->due) != 0;
	spin_unlock(&mm->pt_lock);
	if (changed)
		mm_flush(mm);
}

void mapping_wrprotect_user(struct mapping *m, u64 start, u64 end)
{
	struct vma *v;
	u64 from, to;

	if (list_empty(&m->vmas))
		return;
	mutex_lock(&m->i_mmap);
	list_for_each_entry(v, &m->vmas, map_node) {
		if ((v->flags & VM_SHARED) &&
		    area_range(v, start, end, &from, &to))
			wrprotect(v, from, to);
	}
	mutex_unlock(&m->i_mmap);
}
