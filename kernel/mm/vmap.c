/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/vmap.c - gives out ranges of kernel virtual addresses.
 *
 * The VMAP area has two parts.  The first GiB is cut into stack slots of 32 KiB,
 * so that a stack is found by a bitmap and a guard page by arithmetic:
 *
 *	| guard 4 KiB | stack, up to 24 KiB | unmapped | guard of the next ...
 *
 * The rest is handed out first fit, with an unmapped page behind every range.
 * Areas are few (devices, big tables), so a sorted list does.
 *
 * Stacks of the common size are kept mapped when they are freed, because an
 * unmap means a TLB flush on every hart.
 *
 * INVARIANTS
 *   I1  areas is sorted, areas do not overlap, and between two of them there is
 *       at least one page that is not mapped.
 *   I2  A slot's bit is set while its stack is in use or in the cache.
 *
 * Context: any but with locks of rank RANK_SLAB or above held.  Locking:
 * vmap_lock (RANK_MMU) for the lists, never across a call that allocates;
 * kmap_lock (RANK_SLAB: mapping takes frames) for the kernel's page table.
 */
#include <kernel/mm/vmap.h>

#include <arch/riscv/mmu.h>
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pmem.h>
#include <kernel/sched/thread.h>
#include <kernel/spinlock.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/list.h>

#define STACKS_SIZE (1ul << 30)
#define SLOT_SIZE   (32ul << 10)
#define SLOT_GUARD  PAGE_SIZE
#define SLOT_STACK  (24ul << 10)
#define NR_SLOTS    (STACKS_SIZE / SLOT_SIZE)
#define AREAS_BASE  (VMAP_BASE + STACKS_SIZE)
#define AREAS_END   (VMAP_BASE + VMAP_SIZE)
#define MEGAPAGE    (2ul << 20)
#define STACK_CACHE 128u

struct area {
	struct list_head node; /* [vmap_lock] */
	u64 start, end;	       /* [I] end: with the guard page */
};

static struct spinlock vmap_lock = SPINLOCK_INIT("vmap", RANK_MMU);
static struct spinlock kmap_lock = SPINLOCK_INIT("kmap", RANK_SLAB);
static struct list_head areas = LIST_HEAD_INIT(areas); /* [vmap_lock] */
static u64 slots[BITMAP_WORDS(NR_SLOTS)];	       /* [vmap_lock] */
static u64 slot_hint;				       /* [vmap_lock] */
static void *stack_cache[STACK_CACHE];		       /* [vmap_lock] */
static u32 nr_cached;				       /* [vmap_lock] */

void vmap_init(void)
{
}

/* --- areas */

/* Place @a->end - @a->start bytes, start a multiple of @align.  vmap_lock held. */
static bool place(struct area *a, u64 size, u64 align)
{
	u64 va = ALIGN_UP(AREAS_BASE, align);
	struct area *b;

	list_for_each_entry(b, &areas, node) {
		if (b->start >= va + size)
			break;
		va = ALIGN_UP(b->end, align);
	}
	if (va + size > AREAS_END)
		return false;
	a->start = va;
	a->end = va + size;
	list_add_tail(&a->node, &b->node);
	return true;
}

static struct area *area_new(u64 bytes, u64 align)
{
	struct area *a = kmalloc(sizeof(*a));
	bool ok;

	if (!a)
		return NULL;
	spin_lock(&vmap_lock);
	ok = place(a, bytes + PAGE_SIZE, align);
	spin_unlock(&vmap_lock);
	if (ok)
		return a;
	kfree(a);
	return NULL;
}

/* The area stays in the list, so nobody else gets its addresses yet. */
static struct area *area_find(u64 start)
{
	struct area *a, *found = NULL;

	spin_lock(&vmap_lock);
	list_for_each_entry(a, &areas, node) {
		if (a->start == start) {
			found = a;
			break;
		}
	}
	spin_unlock(&vmap_lock);
	if (!found)
		panic("vmap: %#llx was not allocated here",
		      (unsigned long long)start);
	return found;
}

static void area_free(struct area *a)
{
	spin_lock(&vmap_lock);
	list_del(&a->node);
	spin_unlock(&vmap_lock);
	kfree(a);
}

/* --- the kernel's page table */

static int map(u64 va, paddr_t pa, size_t len)
{
	int err;

	spin_lock(&kmap_lock);
	err = kmap_pages(va, pa, len, PTE_R | PTE_W);
	spin_unlock(&kmap_lock);
	return err;
}

/* Afterwards no hart can reach what was there. */
static void unmap(u64 va, size_t len)
{
	u64 others = (1ull << nr_harts) - 1;

	spin_lock(&kmap_lock);
	kunmap_pages(va, len);
	spin_unlock(&kmap_lock);
	/* who cached "not mapped" here once may do so again */
	for (u32 i = 0; i < nr_harts; i++)
		store_once(&harts[i]->stale_tlb_va, 0); /* relaxed: a hint */
	tlb_flush_local();
	others &= ~(1ull << this_cpu());
	if (others)
		hart_rfence(others);
}

/* --- frames behind a range */

/* Unmap and free the frames of [va, va + len); unmapped pages are skipped. */
static void unmap_and_free(u64 va, size_t len)
{
	struct list_head frames = LIST_HEAD_INIT(frames);
	struct page *pg, *tmp;

	for (u64 a = va; a < va + len; a += PAGE_SIZE) {
		pte_t pte = kernel_pte(a);

		if (pte & PTE_V)
			list_add(&pte_page(pte)->node, &frames);
	}
	unmap(va, len);
	list_for_each_entry_safe(pg, tmp, &frames, node) {
		list_del(&pg->node);
		page_put(pg);
	}
}

static bool map_frames(u64 va, size_t len, u32 gfp)
{
	for (u64 a = va; a < va + len; a += PAGE_SIZE) {
		struct page *pg = page_alloc(0, gfp);

		if (pg && map(a, page_phys(pg), PAGE_SIZE) == 0)
			continue;
		if (pg)
			page_put(pg);
		if (a > va)
			unmap_and_free(va, a - va);
		return false;
	}
	return true;
}

/* --- the interface */

void __iomem *ioremap(paddr_t pa, size_t size)
{
	paddr_t base = ALIGN_DOWN(pa, PAGE_SIZE);
	u64 len = ALIGN_UP(pa + size, PAGE_SIZE) - base, skew = 0;
	struct area *a;

	if (size == 0 || pa + size < pa)
		return NULL;
	/* same offset in a megapage, so that these can be used */
	if (len >= MEGAPAGE)
		skew = base & (MEGAPAGE - 1);
	a = area_new(skew + len,
		     skew || len >= MEGAPAGE ? MEGAPAGE : PAGE_SIZE);
	if (!a)
		return NULL;
	if (map(a->start + skew, base, len)) {
		unmap(a->start + skew, len);
		area_free(a);
		return NULL;
	}
	return (void __iomem *)(a->start + skew + (pa - base));
}

void iounmap(volatile void __iomem *va)
{
	u64 page = ALIGN_DOWN((u64)va, PAGE_SIZE);
	struct area *a, *found = NULL;

	if (!va)
		return;
	spin_lock(&vmap_lock);
	list_for_each_entry(a, &areas, node) {
		if (page >= a->start && page < a->end) {
			found = a;
			break;
		}
	}
	spin_unlock(&vmap_lock);
	KASSERT(found);
	unmap(page, found->end - PAGE_SIZE - page);
	area_free(found);
}

void *vmalloc(size_t size)
{
	struct area *a;

	if (size == 0 || size > pmem_total_pages() << PAGE_SHIFT)
		return NULL;
	size = ALIGN_UP(size, PAGE_SIZE);
	a = area_new(size, PAGE_SIZE);
	if (!a)
		return NULL;
	if (!map_frames(a->start, size, GFP_ZERO)) {
		area_free(a);
		return NULL;
	}
	return (void *)a->start;
}

void *vmap_pages(struct page *const *page, u32 nr)
{
	struct area *a = area_new(nr * PAGE_SIZE, PAGE_SIZE);

	if (!a)
		return NULL;
	for (u32 i = 0; i < nr; i++) {
		u64 va = a->start + i * PAGE_SIZE;

		if (map(va, page_phys(page[i]), PAGE_SIZE) == 0) {
			(void)page_get(page[i]);
			continue;
		}
		if (i)
			unmap_and_free(a->start, i * PAGE_SIZE);
		area_free(a);
		return NULL;
	}
	return (void *)a->start;
}

void vfree(void *va)
{
	struct area *a;

	if (!va)
		return;
	a = area_find((u64)va);
	unmap_and_free(a->start, a->end - PAGE_SIZE - a->start);
	area_free(a);
}

/* --- stacks */

/* A cached stack, or in *@slot a free slot; NULL and NR_SLOTS: none. */
static void *stack_or_slot(size_t size, u64 *slot)
{
	void *stack = NULL;

	*slot = NR_SLOTS;
	spin_lock(&vmap_lock);
	if (size == KSTACK_SIZE && nr_cached > 0) {
		stack = stack_cache[--nr_cached];
	} else {
		*slot = find_next_zero(slots, NR_SLOTS, slot_hint);
		if (*slot == NR_SLOTS)
			*slot = find_first_zero(slots, NR_SLOTS);
		if (*slot < NR_SLOTS) {
			set_bit(*slot, slots);
			slot_hint = *slot + 1;
		}
	}
	spin_unlock(&vmap_lock);
	return stack;
}

static void slot_free(u64 slot)
{
	spin_lock(&vmap_lock);
	clear_bit(slot, slots);
	slot_hint = min(slot_hint, slot);
	spin_unlock(&vmap_lock);
}

void *kstack_alloc(size_t size)
{
	u64 slot, va;
	void *stack;

	KASSERT(size > 0 && size <= SLOT_STACK && IS_ALIGNED(size, PAGE_SIZE));
	stack = stack_or_slot(size, &slot);
	if (stack || slot == NR_SLOTS)
		return stack;
	va = VMAP_BASE + slot * SLOT_SIZE + SLOT_GUARD;
	if (!map_frames(va, size, GFP_KERNEL)) {
		slot_free(slot);
		return NULL;
	}
	pmem_account(PMEM_KSTACK, (s64)(size >> PAGE_SHIFT));
	return (void *)va;
}

void kstack_free(void *stack, size_t size)
{
	u64 off = (u64)stack - VMAP_BASE;
	bool kept = false;

	if (!stack)
		return;
	KASSERT(off < STACKS_SIZE && off % SLOT_SIZE == SLOT_GUARD &&
		test_bit(off / SLOT_SIZE, slots));
	spin_lock(&vmap_lock);
	if (size == KSTACK_SIZE && nr_cached < STACK_CACHE) {
		stack_cache[nr_cached++] = stack;
		kept = true;
	}
	spin_unlock(&vmap_lock);
	if (kept)
		return;
	unmap_and_free((u64)stack, size);
	pmem_account(PMEM_KSTACK, -(s64)(size >> PAGE_SHIFT));
	slot_free(off / SLOT_SIZE);
}

bool kstack_is_guard(u64 addr)
{
	u64 off = addr - VMAP_BASE;

	return off < STACKS_SIZE &&
	       (off % SLOT_SIZE < SLOT_GUARD ||
		off % SLOT_SIZE >= SLOT_GUARD + SLOT_STACK);
}
