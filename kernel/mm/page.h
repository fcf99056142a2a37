/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/page.h - physical memory: frames, the buddy allocator, the direct map.
 *
 * All RAM is mapped at DIRECT_MAP_BASE + pa (kernel/mm, arch/riscv/mmu.h), so
 * page_addr() is arithmetic.  Frames are counted; a frame is freed when its
 * count drops to zero.  Each hart keeps a small cache of order-0 frames that
 * only it touches, so the common case takes no lock.
 *
 * Context: any; never sleeps.  Locking: pmem_lock (RANK_PMEM).
 */
#ifndef KERNEL_MM_PAGE_H
#define KERNEL_MM_PAGE_H

#include <arch/riscv/mmu.h>
#include <lib/list.h>
#include <lib/types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))
#define MAX_ORDER  10 /* largest block: 4 MiB */

struct mapping;
struct memcg;

/* page->flags, [a] */
#define PG_RESERVED   BIT(0) /* not RAM for us: kernel image, firmware, holes */
#define PG_BUDDY      BIT(1) /* free, head of a block of order page->order */
#define PG_SLAB	      BIT(2) /* page->cache valid */
#define PG_CACHE      BIT(3) /* in page->mapping at page->index */
#define PG_UPTODATE   BIT(4) /* contents valid */
#define PG_DIRTY      BIT(5)
#define PG_LOCKED     BIT(6) /* I/O or truncation in progress: page_lock() */
#define PG_WRITEBACK  BIT(7)
#define PG_ERROR      BIT(8)
#define PG_REFERENCED BIT(9)
#define PG_ANON	      BIT(10)
#define PG_WANTED     BIT(11) /* somebody waits for LOCKED/WRITEBACK to clear */
#define PG_LRU	      BIT(12)
#define PG_PRIVATE    BIT(13) /* page->priv is the file system's */
#define PG_LARGE      BIT(14) /* head of a kmalloc() beyond the size classes */
#define PG_HOLE	      BIT(15) /* with PG_RESERVED: no RAM behind it */
#define PG_SHMEM      BIT(16) /* pages of a memory file: never reclaimed */
#define PG_ICACHE     BIT(17) /* every hart saw its instructions (edge ICACHE) */
#define PG_HOT	      BIT(19) /* written soon after a fork: kernel/mm/fork.c */
#define PG_AHEAD      BIT(18) /* reading it starts the next read-ahead */

struct page {
	u32 refs;  /* [a] */
	u32 flags; /* [a] PG_* */
	u16 order; /* [pmem_lock or owner] of a free or compound block */
	u16 inuse; /* slab: objects in use */
	u8 kind;   /* [owner] what memcg is charged for: enum memcg_stat */
	struct list_head node; /* buddy, slab, LRU or owner's */
	union {
		struct mapping *mapping; /* [page locked, or mapping lock] */
		void *cache;		 /* slab cache */
	};
	union {
		u64 index;	/* in mapping, in pages */
		void *freelist; /* slab */
	};
	u64 priv;	     /* file system's, while PG_PRIVATE; slab: head */
	struct memcg *memcg; /* [owner] who pays, or NULL: memcg.h */
} __aligned(64);

STATIC_ASSERT(sizeof(struct page) == 64, "a frame's index is a shift");

#define GFP_KERNEL 0u
#define GFP_ZERO   BIT(0) /* cleared */
#define GFP_ATOMIC BIT(1) /* may use the last reserve; no reclaim */
#define GFP_USER   BIT(2) /* for user memory: leaves a reserve to the kernel */
#define GFP_FILE   BIT(3) /* a page of a file: may replace others */
/* For what a group of threads is charged that gets user memory: enum memcg_stat. */
#define GFP_KIND(kind)	 ((u32)(kind) << 4)
#define GFP_KIND_OF(gfp) ((gfp) >> 4)
#define GFP_CACHE	 (GFP_USER | GFP_FILE | GFP_KIND(1))
#define GFP_TABLE	 (GFP_USER | GFP_ZERO | GFP_KIND(3))
#define GFP_OBJECT	 (GFP_USER | GFP_KIND(5)) /* of the kernel's, for a program */

/* 2^order frames with refs = 1 on the first, or NULL. */
struct page *page_alloc(unsigned int order, u32 gfp);
struct page *page_get(struct page *pg);
void page_put(struct page *pg); /* order-0 or head; frees at zero */

void *page_addr(const struct page *pg);	  /* direct map */
struct page *addr_page(const void *addr); /* direct-map address only */
paddr_t page_phys(const struct page *pg);
struct page *phys_page(paddr_t pa); /* NULL: no RAM there */

/* Page-sized kernel buffers. */
void *get_free_page(u32 gfp);
void free_page_addr(void *addr);
void *alloc_pages_exact(size_t bytes, u32 gfp); /* power-of-two rounded */
void free_pages_exact(void *addr, size_t bytes);

struct pmem_info {
	u64 total, free, cached, buffers, slab, kstack, pagetables, anon,
		mapped, shmem, dirty, writeback, reserved, committed;
	/* in pages */
};
void pmem_info(struct pmem_info *out);
u64 pmem_committed_pages(void); /* PMEM_COMMITTED */
/* User memory leaves so much free. */
void pmem_set_min_free(u64 pages);
enum pmem_account {
	PMEM_SLAB,
	PMEM_KSTACK,
	PMEM_PAGETABLE,
	PMEM_ANON,
	PMEM_CACHE,
	PMEM_SHMEM,
	PMEM_DIRTY,
	PMEM_WRITEBACK,
	PMEM_MAPPED,
	PMEM_COMMITTED, /* promised to programs: private writable areas, and
			 * shared memory without a file */
	NR_PMEM_ACCOUNTS,
};
void pmem_account(int what, s64 pages); /* enum pmem_account */
u64 pmem_free_pages(void);		/* cheap, a little stale */
u64 pmem_total_pages(void);		/* RAM that is or was free for use */

/*
 * Somebody who can give memory back: frees about @nr pages and says how many it
 * did free.  Called from the reclaim thread (may sleep).  Registered for ever.
 */
struct shrinker {
	u64 (*shrink)(u64 nr_pages);
	struct shrinker *next; /* [pmem_lock] */
};
void pmem_register_shrinker(struct shrinker *s);
u64 pmem_shrink(u64 nr_pages); /* call them; may sleep */

/* Boot: ranges of RAM and what in them is taken, then open the allocator.
 * Called by main.c with the direct map in place. */
void pmem_add(paddr_t start, paddr_t end);
void pmem_reserve(paddr_t start, paddr_t end);
void pmem_init(void);
/* Boot, before pmem_init(): frames that are never freed, zeroed. */
void *pmem_boot_alloc(size_t bytes, size_t align);
/* Give reserved frames (initrd, init sections) to the allocator. */
void pmem_release(paddr_t start, paddr_t end);

#endif /* KERNEL_MM_PAGE_H */
