/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pmem.h - what the page allocator shows to the rest of kernel/mm/.
 *
 * mem_map has one struct page for every frame of [mem_base, mem_end); it is
 * filled section by section (one block of MAX_ORDER) when a section is opened.
 * A frame that was ever handed out is in an open section, so pte_page() and
 * friends need no check.
 */
#ifndef KERNEL_MM_PMEM_H
#define KERNEL_MM_PMEM_H

#include <kernel/mm/page.h>
#include <kernel/spinlock.h>
#include <lib/atomic.h>

#define SECTION_PAGES (1ul << MAX_ORDER)
#define SECTION_SIZE  (SECTION_PAGES << PAGE_SHIFT)

#define PCP_MAX	  128u /* frames that a hart keeps at most */
#define PCP_BATCH 32u  /* moved to or from the buddy at once */
#define PCP_ZERO  16u  /* known to be zero: old page tables */

/* One hart's frames and its share of the statistics.  All [H]. */
struct pcp {
	u32 nr;
	u32 nr_zero;
	struct page *stack[PCP_MAX];
	struct page *zero[PCP_ZERO];
	s64 acct[NR_PMEM_ACCOUNTS];
} __aligned(64);

enum section_state {
	SECTION_HOLE, /* no RAM */
	SECTION_LAZY, /* all RAM, all free, struct pages not written yet */
	SECTION_OPEN,
};

extern struct page *mem_map; /* [I after pmem_init] */
extern paddr_t mem_base, mem_end;
extern struct page *pfn_base; /* [I] mem_map, as if it began at frame 0 */
extern u8 *section_state;     /* [pmem_lock] enum section_state */
extern u64 nr_sections;
extern u64 lazy_pages;	/* [pmem_lock] frames in lazy sections */
extern u64 total_pages; /* [pmem_lock] */
extern struct spinlock pmem_lock;

static inline struct page *pfn_page(u64 pa)
{
	return pfn_base + (pa >> PAGE_SHIFT);
}
/* The upper bits of our entries are zero. */
static inline struct page *pte_page(pte_t pte)
{
	return pfn_base + (pte >> PTE_PPN_SHIFT);
}

/* The entry for @pg. */
static inline pte_t page_pte(const struct page *pg, u64 bits)
{
	return (u64)(pg - pfn_base) << PTE_PPN_SHIFT | bits;
}

/* page_get() by somebody who is sure of the reference that he copies. */
static inline void page_ref(struct page *pg)
{
	/* relaxed: whoever takes one has one already, so nothing is published */
	atomic_add_relaxed(&pg->refs, 1u);
}
/* Private memory that one entry leads to and nobody else has: with that entry's pt_lock
 * held it stays so. */
static inline bool page_is_sole(const struct page *pg)
{
	/* PGREF (acquire) - pairs with page_put(): sharers are done with it. */
	return (load_once(&pg->flags) & PG_ANON) &&
	       load_acquire(&pg->refs) == 1;
}
void page_free_last(struct page *pg); /* the count is zero, or ours alone */
/* page_put() for loops over many pages. */
static inline void page_unref(struct page *pg)
{
	/* PGREF (acquire) - pairs with page_put(). */
	if (load_acquire(&pg->refs) == 1 || atomic_dec_and_test(&pg->refs))
		page_free_last(pg);
}

/* pmem.c, for pmem_boot.c: pmem_lock held (or nobody else runs yet). */
void buddy_free_range(u64 first, u64 end); /* indices into mem_map */
bool pmem_open_section(void);		   /* one lazy section; false: none */
void pmem_set_watermarks(void);

/*
 * One frame whose number modulo TLB_PLACES (kernel/hotmem.h) is @first to @first + @nr - 1,
 * refs = 1; any frame when memory is short; NULL.  @spare: a list of the caller's, of
 * at most @nr frames that are kept for the next one [pmem_lock].
 */
struct page *page_alloc_placed(struct list_head *spare, u32 first, u32 nr);
/* A frame that holds nothing but zeroes, for a page table. */
struct page *page_alloc_table(void);
void page_free_table(struct page *pg); /* still all zeroes */

/* Reclaim of clean cache pages without sleeping; set by pagecache.c. */
extern u64 (*pmem_reclaim_hook)(u64 nr_pages, u32 gfp);
/* Somebody should reclaim in the background; set by pagecache.c. */
extern void (*pmem_low_hook)(void);
/* Free frames that are wanting until that is not called, and @spare are free beyond. */
u64 pmem_missing(u64 spare);

void clear_page(void *page);
void copy_page(void *dst, const void *src);

#endif /* KERNEL_MM_PMEM_H */
