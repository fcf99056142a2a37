/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/fault_file.c - faults on areas that show an object's pages.
 *
 * Reading maps the object's page, and with it what the cache has of its 128 KiB
 * neighbourhood.  A new program's small areas are filled before it runs.  Writing to
 * a private area copies.  Writing to a shared one asks the object first (mkwrite),
 * which marks the page dirty; until then the entry is read-only.
 *
 * INVARIANTS
 *   I1  An entry leads to a page of the mapping only while the page is in it: a
 *       page is looked at (page->mapping) under pt_lock before the entry is set,
 *       and truncation takes it out of the mapping before it looks at entries.
 *   I2  A writable shared entry of a dirty-tracking object leads to a page with
 *       PG_DIRTY: looked at under pt_lock; write-back clears the flag before it
 *       write-protects the entries.
 *
 * Context: coroutine, may sleep for I/O.  Locking: as fault.c.
 */
#include <kernel/mm/fault.h>

#include <kernel/mm/pagecache.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>

#define AROUND 32u /* pages; divides RADIX_SLOTS */
/* Largest areas, in pages, that are mapped (copied) before they are touched. */
#define AHEAD_TEXT  128u
#define AHEAD_DATA  16u
#define DATA_WINDOW (4 * PAGE_SIZE)

/* Does @pg still belong to what @v shows?  I1. */
static bool still_there(const struct vma *v, const struct page *pg)
{
	return !v->mapping || load_once(&pg->mapping) == v->mapping;
}

/* Set one entry to @pg, whose reference moves into it; pt_lock held. */
static bool map_page(struct vma *v, pte_t *p, struct page *pg, bool writable)
{
	if (*p != 0 || !still_there(v, pg))
		return false;
	pt_set(p, page_pte(pg, pt_prot(v, writable)));
	rss_add(v->mm, pg, 1);
	return true;
}

/* First execution of what is in @pg?  Then the harts must forget what they had. */
static bool icache_stale(const struct vma *v, struct page *pg)
{
	if (!(v->flags & VM_EXEC) || (load_once(&pg->flags) & PG_ICACHE))
		return false;
	(void)atomic_fetch_or(&pg->flags, (u32)PG_ICACHE);
	return true;
}

/* Set entries [p, p + n) to @pg[], where there are pages and no entries; the pages
 * that got one become NULL.  pt_lock held. */
static void map_pages(struct vma *v, pte_t *p, struct page **pg, unsigned int n)
{
	u64 prot = pt_prot(v, false), mapped = 0;
	const struct page *any = NULL;

	/* PTE (release): all of what is in the pages, for all entries below. */
	smp_mb();
	for (unsigned int i = 0; i < n; i++) {
		if (!pg[i] || p[i] || load_once(&pg[i]->mapping) != v->mapping)
			continue;
		store_once(&p[i], page_pte(pg[i], prot));
		any = pg[i];
		pg[i] = NULL;
		mapped++;
	}
	if (!mapped)
		return;
	table_page(p)->inuse += (u16)mapped;
	rss_add(v->mm, any, (s64)mapped);
}

/* Map what the cache has around @addr; true if @addr was among it. */
static bool map_around(struct vma *v, u64 addr, pte_t *p)
{
	struct page *pg[AROUND];
	u64 index = vma_pgoff(v, addr), before, after;
	bool stale = false;
	unsigned int n;

	/* aligned in the file, so that it is one node of its index; inside of
	 * the area, and of the table */
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	before = min(index % AROUND, (addr - v->start) >> PAGE_SHIFT);
	before = min(before, l0_index(addr));
	after = min(AROUND - index % AROUND, (v->end - addr) >> PAGE_SHIFT);
	after = min(after, NR_PTES - l0_index(addr));
	n = (unsigned int)(before + after);
	if (mapping_find_range(v->mapping, index - before, n, pg) == 0)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		if (pg[i] && icache_stale(v, pg[i]))
			stale = true;
	}
	if (stale)
		mm_icache_changed(v->mm);
	spin_lock(&v->mm->pt_lock);
	map_pages(v, p - before, pg, n);
	spin_unlock(&v->mm->pt_lock);
	for (unsigned int i = 0; i < n; i++) {
		if (pg[i])
			page_put(pg[i]);
	}
	return load_once(p) != 0;
}

/* A private copy of @src, which the caller keeps. */
static int map_copy(struct vma *v, pte_t *p, struct page *src)
{
	struct page *new = page_alloc(0, GFP_USER);
	struct mm *mm = v->mm;
	bool done;

	if (!new)
		return -ENOMEM;
	copy_page(page_addr(new), page_addr(src));
	new->flags = PG_ANON;
	store_once(&v->has_anon, true);
	if (v->flags & VM_EXEC)
		mm_icache_changed(mm);
	spin_lock(&mm->pt_lock);
	done = *p == 0 && still_there(v, src);
	if (done) {
		pt_set(p, page_pte(new, pt_prot(v, true)));
		mm->rss_anon++;
	}
	spin_unlock(&mm->pt_lock);
	pmem_account(PMEM_ANON, 1); /* page_put() takes it back */
	if (done)
		return 0;
	page_put(new);
	return -EAGAIN;
}

/* Copy what the cache has of [start, end) of a private writable area. */
static void copy_ahead(struct vma *v, u64 start, u64 end)
{
	u64 size = load_once(&v->mapping->size);

	for (u64 va = start; va < end; va += PAGE_SIZE) {
		pte_t *p = pt_make(v->mm, va);
		struct page *pg;

		if (!p)
			return;
		if (load_once(p) || vma_pgoff(v, va) << PAGE_SHIFT >= size)
			continue;
		pg = mapping_find(v->mapping, vma_pgoff(v, va));
		if (!pg)
			continue;
		if (load_once(&pg->flags) & PG_UPTODATE)
			(void)map_copy(v, p, pg);
		page_put(pg);
	}
}

/* The first write to a small area, a library's data: its neighbours are next. */
static void copy_around(struct vma *v, u64 addr)
{
	u64 start = ALIGN_DOWN(addr, DATA_WINDOW);

	if (v->ops == &mapping_vm_ops && vma_pages(v) <= AHEAD_DATA)
		copy_ahead(v, max(start, v->start),
			   min(start + DATA_WINDOW, v->end));
}

/* Ask the object, then set the entry, which is @old now.  I2.  The caller has a
 * reference to @pg; on 0 the entry has one. */
static int map_shared_writable(struct vma *v, u64 addr, pte_t *p, pte_t old,
			       struct page *pg)
{
	struct mm *mm = v->mm;
	bool track = v->mapping && !v->mapping->ops->no_writeback;
	int err = 0;

	if (v->ops->mkwrite)
		err = v->ops->mkwrite(v, vma_pgoff(v, addr), pg);
	if (err)
		return err;
	spin_lock(&mm->pt_lock);
	if (*p != old || !still_there(v, pg) ||
	    (track && !(load_once(&pg->flags) & PG_DIRTY))) {
		err = -EAGAIN;
	} else {
		if (old == 0) {
			page_get(pg);
			rss_add(mm, pg, 1);
		}
		pt_set(p, page_pte(pg, pt_prot(v, true)));
	}
	spin_unlock(&mm->pt_lock);
	return err;
}

int fault_shared_write(struct vma *v, u64 addr, pte_t *p, pte_t e)
{
	struct page *pg;
	int err;

	if (e & PTE_SPECIAL)
		return -EAGAIN;
	spin_lock(&v->mm->pt_lock);
	pg = *p == e ? page_get(pte_page(e)) : NULL;
	spin_unlock(&v->mm->pt_lock);
	if (!pg)
		return -EAGAIN;
	err = map_shared_writable(v, addr, p, e, pg);
	page_put(pg);
	return err;
}

int fault_file(struct vma *v, u64 addr, pte_t *p, bool write)
{
	bool shared_write = write && (v->flags & VM_SHARED);
	bool writable = (v->flags & VM_SHARED) && !v->ops->mkwrite;
	struct page *pg;
	bool done;
	int err;

	if (!write && v->ops == &mapping_vm_ops &&
	    !(v->flags & VM_UFFD_MINOR) && map_around(v, addr, p))
		return 0;
	err = v->ops->fault(v, vma_pgoff(v, addr), shared_write, &pg);
	if (err)
		return err;
	if (icache_stale(v, pg))
		mm_icache_changed(v->mm);
	if (shared_write) {
		err = map_shared_writable(v, addr, p, 0, pg);
	} else if (write) {
		err = map_copy(v, p, pg);
		if (!err)
			copy_around(v, addr);
	} else {
		spin_lock(&v->mm->pt_lock);
		done = map_page(v, p, pg, writable);
		spin_unlock(&v->mm->pt_lock);
		if (done)
			return 0;
		err = -EAGAIN;
	}
	page_put(pg);
	return err;
}

void fault_ahead(struct vma *v)
{
	if (v->ops != &mapping_vm_ops || (v->flags & VM_SHARED))
		return;
	if (v->flags & VM_WRITE) {
		if (vma_pages(v) <= AHEAD_DATA)
			copy_ahead(v, v->start, v->end);
		return;
	}
	if (vma_pages(v) > AHEAD_TEXT || !(v->flags & (VM_READ | VM_EXEC)))
		return;
	for (u64 va = v->start; va < v->end;) {
		pte_t *p = pt_make(v->mm, va);
		u64 left = AROUND - vma_pgoff(v, va) % AROUND;

		if (!p)
			return;
		(void)map_around(v, va, p);
		va += left << PAGE_SHIFT;
	}
}
