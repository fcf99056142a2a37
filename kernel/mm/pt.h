/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pt.h - the Sv39 table of a user address space.
 *
 * Three levels: root (1 GiB an entry, 256 for the user), middle (2 MiB), leaf
 * (4 KiB).  Entries of leaf tables:
 *
 *	0			nothing
 *	V | R,W,X | U A D	a frame; the entry holds a reference to it
 *	... | PTE_SPECIAL	a frame without reference: device, zero page
 *	no V, not 0		a frame behind PROT_NONE: PTE_NONE, U A D, bits kept
 *	PTE_POISON		no frame: whoever touches it gets SIGBUS
 *
 * page->inuse of a table's frame counts its entries that are not 0, so that an
 * empty table is known without looking and a scan can stop early.
 *
 * Locking: entries change under mm->pt_lock.  Tables are added under pt_lock
 * and taken away only with mm->lock held for writing (or by the last user), so
 * an entry's address is stable while mm->lock is held for reading.
 *
 * ORDERING
 *   PTE  what is in a frame or table before the entry that leads to it; the other
 *	  end is an address dependency of whoever walks, MMU or software.
 */
#ifndef KERNEL_MM_PT_H
#define KERNEL_MM_PT_H

#include <kernel/hart.h>
#include <kernel/mm/pmem.h>
#include <kernel/mm/vm.h>
#include <lib/atomic.h>

#define PTE_POISON \
	PTE_SPECIAL /* all of an entry that is SIGBUS: uffd_ioctl.c */

#define PTE_USER (PTE_V | PTE_U | PTE_A | PTE_D)

#define L0_SIZE	     (2ul << 20) /* what a leaf table covers */
#define L1_SIZE	     (1ul << 30) /* what a middle table covers */
#define NR_PTES	     512u
#define NR_ROOT_USER 256u

static inline u64 l2_index(u64 va)
{
	return va >> 30;
}
static inline u64 l1_index(u64 va)
{
	return (va >> 21) & 511;
}
static inline u64 l0_index(u64 va)
{
	return (va >> 12) & 511;
}

/* Direct-map address of the table that a pointer entry leads to. */
static inline pte_t *pte_table(pte_t e)
{
	return phys_to_virt(pte_phys(e));
}

/* The frame of the table in which the entry @p is. */
static inline struct page *table_page(const pte_t *p)
{
	return pfn_page((u64)p - DIRECT_MAP_BASE + phys_ram_base);
}

/* The leaf table for @va, or NULL. */
static inline pte_t *pt_leaf(struct mm *mm, u64 va)
{
	pte_t e = load_once(&mm->root[l2_index(va)]);

	if (!e)
		return NULL;
	e = load_once(&pte_table(e)[l1_index(va)]);
	return e ? pte_table(e) : NULL;
}

/* The entry for @va, or NULL when there is no table for it. */
static inline pte_t *pt_find(struct mm *mm, u64 va)
{
	pte_t *t = pt_leaf(mm, va);

	return t ? &t[l0_index(va)] : NULL;
}

/* Replace an entry; pt_lock held. */
static inline void pt_set(pte_t *p, pte_t v)
{
	if (*p == 0)
		table_page(p)->inuse++;
	/* PTE (release) - pairs with user_walk() and the MMU. */
	store_release(p, v);
}

/* The entry for @va, making tables as needed; NULL: no memory.  mm->lock held,
 * pt_lock not. */
pte_t *pt_make(struct mm *mm, u64 va);

/* The bits of a new entry in @v; W only if @write. */
static inline u64 pt_prot(const struct vma *v, bool write)
{
	u64 bits = PTE_USER;

	if (v->flags & (VM_READ | VM_WRITE))
		bits |= PTE_R;
	if (v->flags & VM_EXEC)
		bits |= PTE_X;
	if (write && (v->flags & VM_WRITE))
		bits |= PTE_R | PTE_W;
	return bits & PTE_LEAF ? bits : bits & ~PTE_V;
}

/* Entries are made weaker, pt_lock is held, and mm_flush() comes later: mm->due. */
static inline void mm_flush_due(struct mm *mm)
{
	atomic_inc(&mm->due);
}

/* And here it is; pt_lock may be held. */
static inline void mm_flush_now(struct mm *mm)
{
	mm_flush(mm);
	atomic_dec(&mm->due);
}

/* Frames and tables that were unmapped, to be freed after one flush. */
#define GATHER_MAX 48u
struct gather {
	struct mm *mm;
	bool tables_too; /* empty tables go as well: mm->lock for writing */
	bool dying;	 /* nobody runs on mm: nothing to flush */
	bool need_flush;
	u32 nr;
	struct page *pages[GATHER_MAX];
	struct list_head tables;
};

void gather_init(struct gather *g, struct mm *mm);
void gather_finish(struct gather *g); /* flush, free; reusable */

/* Drop what is mapped in [start, end); with @file_only, not what is private to
 * the process.  May sleep (cond_resched()). */
void pt_zap(struct gather *g, u64 start, u64 end, bool file_only);

/* All that is left of the tables below the root; nobody runs on mm. */
void pt_free_all(struct mm *mm);

/* Which of mm's resident-set counters the frame belongs to. */
static inline u64 *rss_of(struct mm *mm, const struct page *pg)
{
	u32 fl = load_once(&pg->flags);

	return fl & PG_ANON    ? &mm->rss_anon
	       : fl & PG_SHMEM ? &mm->rss_shmem
			       : &mm->rss_file;
}
/* @n entries for pages like @pg were made (or, negative, taken away); not for
 * private frames, which know when they are freed. */
static inline void rss_add(struct mm *mm, const struct page *pg, s64 n)
{
	*rss_of(mm, pg) += (u64)n;
	pmem_account(PMEM_MAPPED, n);
}
static inline u64 mm_rss(const struct mm *mm)
{
	return mm->rss_anon + mm->rss_file + mm->rss_shmem;
}

/* The most there ever was; rss_max itself is brought up to date when there is less. */
static inline u64 mm_rss_peak(const struct mm *mm)
{
	return max(mm->rss_max, mm_rss(mm));
}
void mm_note_rss(struct mm *mm); /* before it shrinks: high-water mark */

/* The frame of zeroes that untouched private memory shows to readers. */
extern paddr_t zero_page_phys;

#endif /* KERNEL_MM_PT_H */
