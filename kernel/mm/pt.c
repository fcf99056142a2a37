/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pt.c - makes, clears and flushes user page tables.
 *
 * ERRATA
 *   CIP-1200: the only flush is the whole one (arch/riscv/mmu.h), so batching
 *   costs nothing and is done wherever frames are freed.
 *
 * Context: as pt.h says at each.  Locking: mm->pt_lock (RANK_PT).
 * Not here: what is to be mapped (fault.c), software walks (user.c).
 */
#include <kernel/mm/pt.h>

#include <kernel/mm/fault.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/sched/thread.h>

paddr_t zero_page_phys __read_mostly;

/* --- making */

/* The table under @slot, making it if need be. */
static pte_t *next_table(struct mm *mm, pte_t *slot)
{
	pte_t e = load_once(slot);
	struct page *pg;

	if (likely(e))
		return pte_table(e);
	pg = page_alloc_table();
	if (!pg)
		return NULL;
	spin_lock(&mm->pt_lock);
	e = load_once(slot);
	if (!e) {
		e = page_pte(pg, PTE_V);
		pt_set(slot, e);
		mm->pt_pages++;
		pg = NULL;
	}
	spin_unlock(&mm->pt_lock);
	if (pg)
		page_free_table(pg); /* somebody was faster */
	return pte_table(e);
}

pte_t *pt_make(struct mm *mm, u64 va)
{
	pte_t *t = next_table(mm, &mm->root[l2_index(va)]);

	if (t)
		t = next_table(mm, &t[l1_index(va)]);
	return t ? &t[l0_index(va)] : NULL;
}

/* --- flushing */

void mm_flush(struct mm *mm)
{
	u64 active;

	(void)atomic_fetch_add(&mm->tlb_gen, 1);
	/*
	 * TLBGEN (full) - pairs with use_mm() of kernel/relay/user.c.
	 * UCOPY (full) - pairs with user_begin().
	 */
	smp_mb();
	active = load_once(&mm->active);
	for (unsigned int cpu = 0; cpu < nr_harts; cpu++) {
		/* a copy is short, and takes no lock that we may hold
		 * UCOPY (acquire) - pairs with user_end(). */
		while (load_acquire(&harts[cpu]->ucopy) == mm)
			cpu_relax();
	}
	/* Its only thread is in this call: its hart compares tlb_gen before it
	 * runs it again, after the completion's acquire. */
	if (active && !mm_is_private(mm))
		hart_rfence(active);
}

void mm_note_rss(struct mm *mm)
{
	u64 rss = mm_rss(mm);

	if (rss > mm->rss_max)
		mm->rss_max = rss;
}

/* --- gathering */

/* An entry is about to go; pt_lock held. */
static void gather_weaker(struct gather *g)
{
	if (g->need_flush)
		return;
	g->need_flush = true;
	if (!g->dying)
		mm_flush_due(g->mm);
}

void gather_init(struct gather *g, struct mm *mm)
{
	g->mm = mm;
	g->tables_too = false;
	g->dying = false;
	g->need_flush = false;
	g->nr = 0;
	list_init(&g->tables);
}

void gather_finish(struct gather *g)
{
	struct page *pg, *tmp;

	if (g->need_flush && !g->dying)
		mm_flush_now(g->mm);
	g->need_flush = false;
	while (g->nr > 0)
		page_put(g->pages[--g->nr]);
	list_for_each_entry_safe(pg, tmp, &g->tables, node) {
		list_del(&pg->node);
		page_free_table(pg);
	}
}

/* Take empty tables for @va off the tree; pt_lock held. */
static void prune(struct gather *g, u64 va)
{
	struct mm *mm = g->mm;
	pte_t *l2 = &mm->root[l2_index(va)], *l1;

	if (!*l2)
		return;
	l1 = &pte_table(*l2)[l1_index(va)];
	if (*l1) {
		struct page *leaf = pte_page(*l1);

		if (leaf->inuse)
			return;
		store_once(l1, 0);
		table_page(l1)->inuse--;
		list_add(&leaf->node, &g->tables);
		mm->pt_pages--;
	}
	if (table_page(l1)->inuse == 0) {
		list_add(&pte_page(*l2)->node, &g->tables);
		store_once(l2, 0);
		table_page(l2)->inuse--;
		mm->pt_pages--;
	}
	gather_weaker(g);
}

/* --- zapping */

/* What was cleared leaves the counts of the process. */
static void zap_account(struct mm *mm, u32 anon, u32 file, u32 shmem)
{
	mm->rss_anon -= anon;
	mm->rss_file -= file;
	mm->rss_shmem -= shmem;
	if (file + shmem)
		pmem_account(PMEM_MAPPED, -(s64)(file + shmem));
}

/* Clear entries [@p, @end) of one leaf table; pt_lock held. */
static void zap_leaf(struct gather *g, pte_t *p, pte_t *end, bool file_only)
{
	struct page *table = table_page(p), *const frames = pfn_base;
	u32 left = table->inuse, anon = 0, file = 0, shmem = 0;
	bool dying = g->dying;

	for (; p < end && left > 0; p++) {
		pte_t e = *p;
		struct page *pg;
		u32 fl;

		if (!e)
			continue;
		if (unlikely(e & PTE_SPECIAL)) {
			if (file_only)
				continue;
			gather_weaker(g);
			store_once(p, 0);
			left--;
			continue;
		}
		pg = frames + (e >> PTE_PPN_SHIFT);
		fl = load_once(&pg->flags);
		if (fl & PG_ANON) {
			if (file_only)
				continue;
			anon++;
		} else if (fl & PG_SHMEM) {
			shmem++;
		} else {
			file++;
		}
		gather_weaker(g);
		store_once(p, 0);
		left--;
		if (dying) {
			page_unref(pg);
			continue;
		}
		g->pages[g->nr++] = pg;
		if (g->nr == GATHER_MAX)
			gather_finish(g);
	}
	table->inuse = (u16)left;
	zap_account(g->mm, anon, file, shmem);
}

void pt_zap(struct gather *g, u64 start, u64 end, bool file_only)
{
	struct mm *mm = g->mm;
	u64 next;

	spin_lock(&mm->pt_lock);
	mm_note_rss(mm);
	spin_unlock(&mm->pt_lock);
	for (u64 va = start; va < end; va = next) {
		pte_t *t;

		if (!load_once(&mm->root[l2_index(va)])) {
			next = ALIGN_DOWN(va, L1_SIZE) + L1_SIZE;
			continue;
		}
		next = ALIGN_DOWN(va, L0_SIZE) + L0_SIZE;
		if (!pt_leaf(mm, va))
			continue;
		spin_lock(&mm->pt_lock);
		t = pt_leaf(mm, va);
		if (t) {
			pte_t *stop =
				next <= end ? t + NR_PTES : t + l0_index(end);

			if (table_page(t)->inuse)
				zap_leaf(g, t + l0_index(va), stop, file_only);
			if (g->tables_too)
				prune(g, va);
		}
		spin_unlock(&mm->pt_lock);
		if (next < end)
			cond_resched();
	}
}

void pt_free_all(struct mm *mm)
{
	struct page *root = table_page(mm->root);

	for (u32 i = 0; i < NR_ROOT_USER && root->inuse > 0; i++) {
		pte_t *l1;

		if (!mm->root[i])
			continue;
		l1 = pte_table(mm->root[i]);
		for (u32 j = 0; j < NR_PTES && table_page(l1)->inuse > 0; j++) {
			if (!l1[j])
				continue;
			KASSERT(pte_page(l1[j])->inuse == 0);
			page_free_table(pte_page(l1[j]));
			l1[j] = 0;
			table_page(l1)->inuse--;
		}
		page_free_table(table_page(l1));
		mm->root[i] = 0;
		root->inuse--;
	}
	mm->pt_pages = 0;
}
