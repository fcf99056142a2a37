/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pmem.c - hands out physical frames.
 *
 * A binary buddy under one lock, and before it a stack of single frames for each
 * hart (struct pcp).  Kernel code is neither preempted nor interrupted, so a hart
 * touches its stack without lock or atomic; 32 frames at a time go to and from
 * the buddy.  Old page tables come back as zeroes and are kept apart, because
 * clearing a frame costs more than all the rest of an allocation.
 *
 * INVARIANTS
 *   I1  A free block of order n starts at an index that is a multiple of 2^n,
 *       only its first page has PG_BUDDY, and its buddy is not free at order n.
 *   I2  A frame in use has refs > 0; a free one (buddy or pcp) has refs == 0.
 *   I3  Free memory never falls below wm[0] for GFP_KERNEL and kernel threads, below
 *       wm[1] for GFP_USER; wm[2] wakes the reclaim thread.  (Up to PCP_MAX frames a hart
 *       lie outside of this account.)
 *
 * ORDERING
 *   PGREF  page_put()'s decrement, a full fence, to the acquire load of a count
 *	    of one in page_put() of the last owner.
 *
 * Context: any; never sleeps.  Locking: pmem_lock.  Not here: where memory comes
 * from (pmem_boot.c), who gives it back under pressure (reclaim.c).
 */
#include <kernel/mm/pmem.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/hotmem.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/vm.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/string.h>

struct spinlock pmem_lock = SPINLOCK_INIT("pmem", RANK_PMEM);

static struct list_head free_list[MAX_ORDER + 1] = {
	LIST_HEAD_INIT(free_list[0]),  LIST_HEAD_INIT(free_list[1]),
	LIST_HEAD_INIT(free_list[2]),  LIST_HEAD_INIT(free_list[3]),
	LIST_HEAD_INIT(free_list[4]),  LIST_HEAD_INIT(free_list[5]),
	LIST_HEAD_INIT(free_list[6]),  LIST_HEAD_INIT(free_list[7]),
	LIST_HEAD_INIT(free_list[8]),  LIST_HEAD_INIT(free_list[9]),
	LIST_HEAD_INIT(free_list[10]),
}; /* [pmem_lock] */
STATIC_ASSERT(MAX_ORDER == 10, "free_list[] is written out");

static u64 buddy_free_pages; /* [pmem_lock]; racy reads are hints */
static u64 wm[3];	     /* [a] I3 */
static struct pcp pcps[MAX_HARTS];
static struct shrinker *shrinkers; /* [pmem_lock], grows only */

u64 (*pmem_reclaim_hook)(u64 nr_pages, u32 gfp);
void (*pmem_low_hook)(void);

#define FLAGS_BUSY                                                 \
	(PG_RESERVED | PG_BUDDY | PG_SLAB | PG_CACHE | PG_LOCKED | \
	 PG_WRITEBACK | PG_LRU | PG_LARGE)

static inline struct pcp *this_pcp(void)
{
	struct hart *h = this_hart();

	if (unlikely(!h->pcp))
		h->pcp = &pcps[h->cpu];
	return h->pcp;
}

/* --- contents */

void clear_page(void *page)
{
	u64 *p = page, *end = p + PAGE_SIZE / sizeof(*p);

	for (; p < end; p += 16) {
		p[0] = 0;
		p[1] = 0;
		p[2] = 0;
		p[3] = 0;
		p[4] = 0;
		p[5] = 0;
		p[6] = 0;
		p[7] = 0;
		p[8] = 0;
		p[9] = 0;
		p[10] = 0;
		p[11] = 0;
		p[12] = 0;
		p[13] = 0;
		p[14] = 0;
		p[15] = 0;
		/* or the compiler makes a call to memset() of all of it */
		__asm__ volatile("" : : : "memory");
	}
}

void copy_page(void *dst, const void *src)
{
	u64 *d = dst, *end = d + PAGE_SIZE / sizeof(*d);
	const u64 *s = src;

	for (; d < end; d += 8, s += 8) {
		u64 a = s[0], b = s[1], c = s[2], e = s[3];
		u64 f = s[4], g = s[5], h = s[6], i = s[7];

		d[0] = a;
		d[1] = b;
		d[2] = c;
		d[3] = e;
		d[4] = f;
		d[5] = g;
		d[6] = h;
		d[7] = i;
		__asm__ volatile("" : : : "memory");
	}
}

/* --- the buddy; all with pmem_lock held */

static void buddy_free(u64 idx, unsigned int order)
{
	struct page *pg;

	buddy_free_pages += 1ul << order;
	for (; order < MAX_ORDER; order++) {
		struct page *b = &mem_map[idx ^ (1ul << order)];

		/* a buddy of order < MAX_ORDER is in the same, open, section */
		if (!(b->flags & PG_BUDDY) || b->order != order)
			break;
		list_del(&b->node);
		b->flags = 0;
		b->order = 0;
		idx &= ~(1ul << order);
	}
	pg = &mem_map[idx];
	pg->flags = PG_BUDDY;
	pg->order = (u16)order;
	list_add(&pg->node, &free_list[order]);
}

void buddy_free_range(u64 first, u64 end)
{
	while (first < end) {
		unsigned int order = min_t(unsigned int, MAX_ORDER,
					   first ? ctz64(first) : MAX_ORDER);

		while (first + (1ul << order) > end)
			order--;
		buddy_free(first, order);
		first += 1ul << order;
	}
}

static struct page *buddy_take(unsigned int order)
{
	unsigned int o = order;
	struct page *pg;

	while (o <= MAX_ORDER && list_empty(&free_list[o])) {
		if (o++ == MAX_ORDER && pmem_open_section())
			o = order;
	}
	if (o > MAX_ORDER)
		return NULL;
	pg = list_first_entry(&free_list[o], struct page, node);
	list_del(&pg->node);
	pg->flags = 0;
	/* the upper halves go back */
	while (o > order) {
		struct page *half = pg + (1ul << --o);

		half->flags = PG_BUDDY;
		half->order = (u16)o;
		list_add(&half->node, &free_list[o]);
	}
	pg->order = (u16)order;
	buddy_free_pages -= 1ul << order;
	return pg;
}

void pmem_set_watermarks(void)
{
	pmem_set_min_free(4 * clamp(total_pages / 512, (u64)64, (u64)1024));
}

void pmem_set_min_free(u64 pages)
{
	store_once(&wm[0], clamp(pages / 4, (u64)64, (u64)1024));
	store_once(&wm[1], max(pages, (u64)64));
	store_once(&wm[2], 2 * max(pages, (u64)64));
}

/* --- slow paths */

/* How many free pages must remain after an allocation with @gfp. */
static u64 floor_of(u32 gfp)
{
	struct thread *t = current_thread();

	if (gfp & GFP_ATOMIC)
		return 0;
	if (t && t->mm && load_once(&t->mm->oom_victim))
		return 0;
	/* a kernel thread needs pages of files to clean others (fs/loop/) */
	if (t && !t->proc)
		return load_once(&wm[0]);
	return load_once(&wm[gfp & GFP_USER ? 1 : 0]);
}

/* Up to @want blocks of @order into @out; returns how many. */
static u32 take_many(unsigned int order, u32 want, u32 gfp, struct page **out)
{
	u64 floor = floor_of(gfp);
	u32 n = 0;

	spin_lock(&pmem_lock);
	while (n < want &&
	       buddy_free_pages + lazy_pages >= floor + (1ul << order)) {
		out[n] = buddy_take(order);
		if (!out[n])
			break;
		n++;
	}
	spin_unlock(&pmem_lock);
	return n;
}

/* As take_many(), after an attempt to make room if that may help. */
static u32 take_hard(unsigned int order, u32 want, u32 gfp, struct page **out)
{
	u32 n = take_many(order, want, gfp, out);

	if (pmem_low_hook && buddy_free_pages + lazy_pages < load_once(&wm[2]))
		pmem_low_hook();
	/* Clean cache pages can go at once, unless a lock is held. */
	for (int try = 0; n == 0 && try < 3; try++) {
		if ((gfp & GFP_ATOMIC) || this_hart()->lock_depth ||
		    !pmem_reclaim_hook ||
		    !pmem_reclaim_hook(64ul << order, gfp))
			break;
		n = take_many(order, want, gfp, out);
	}
	return n;
}

static void pcp_drain(struct pcp *c)
{
	u32 from = c->nr - PCP_BATCH;

	/* the coldest ones: the bottom of the stack */
	spin_lock(&pmem_lock);
	for (u32 i = 0; i < PCP_BATCH; i++)
		buddy_free((u64)(c->stack[i] - mem_map), 0);
	spin_unlock(&pmem_lock);
	memmove(&c->stack[0], &c->stack[PCP_BATCH], from * sizeof(c->stack[0]));
	c->nr = from;
}

static __attribute__((noinline)) struct page *pcp_refill(struct pcp *c, u32 gfp)
{
	struct page *got[PCP_BATCH];
	u32 n;

	KASSERT(c == &pcps[this_cpu()]); /* a hart has one to itself */
	/* reclaim inside may have put frames on the stack */
	n = take_hard(0, PCP_BATCH, gfp, got);
	while (n > 0) {
		if (c->nr == PCP_MAX)
			pcp_drain(c);
		c->stack[c->nr++] = got[--n];
	}
	if (c->nr)
		return c->stack[--c->nr];
	return c->nr_zero ? c->zero[--c->nr_zero] : NULL;
}

static __attribute__((noinline)) struct page *alloc_block(unsigned int order,
							  u32 gfp)
{
	struct page *pg;

	if (order > MAX_ORDER || take_hard(order, 1, gfp, &pg) == 0)
		return NULL;
	pg->refs = 1;
	if (gfp & GFP_ZERO) {
		for (u64 i = 0; i < 1ul << order; i++)
			clear_page((char *)page_addr(pg) + i * PAGE_SIZE);
	}
	return pg;
}

struct page *page_alloc_placed(struct list_head *spare, u32 first, u32 nr)
{
	struct page *pg = NULL, *block;

	spin_lock(&pmem_lock);
	if (list_empty(spare) &&
	    buddy_free_pages + lazy_pages >= 2 * wm[2] + TLB_PLACES) {
		block = buddy_take(ctz64(TLB_PLACES));
		for (u32 i = 0; block && i < TLB_PLACES; i++) {
			if (i - first < nr)
				list_add_tail(&block[i].node, spare);
			else
				buddy_free((u64)(block + i - mem_map), 0);
		}
	}
	if (!list_empty(spare)) {
		pg = list_first_entry(spare, struct page, node);
		list_del(&pg->node);
		pg->order = 0;
		pg->refs = 1;
	}
	spin_unlock(&pmem_lock);
	return pg ? pg : page_alloc(0, GFP_KERNEL);
}

/* --- the interface */

static inline struct page *alloc_frame(u32 gfp)
{
	struct pcp *c = this_pcp();
	struct page *pg;

	if ((gfp & GFP_ZERO) && c->nr_zero) {
		pg = c->zero[--c->nr_zero];
		pg->refs = 1;
		return pg;
	}
	if (likely(c->nr > 0))
		pg = c->stack[--c->nr];
	else
		pg = pcp_refill(c, gfp);
	if (unlikely(!pg))
		return NULL;
	KASSERT(pg->refs == 0);
	pg->refs = 1;
	if (gfp & GFP_ZERO)
		clear_page(page_addr(pg));
	return pg;
}

struct page *page_alloc(unsigned int order, u32 gfp)
{
	struct page *pg =
		likely(order == 0) ? alloc_frame(gfp) : alloc_block(order, gfp);

	if ((gfp & GFP_USER) && likely(pg != NULL))
		memcg_charge(pg, gfp);
	return pg;
}

struct page *page_alloc_table(void)
{
	struct page *pg = page_alloc(0, GFP_TABLE);

	if (pg)
		this_pcp()->acct[PMEM_PAGETABLE]++;
	return pg;
}

void page_free_table(struct page *pg)
{
	struct pcp *c = this_pcp();

	c->acct[PMEM_PAGETABLE]--;
	KASSERT(pg->refs == 1);
	memcg_uncharge(pg);
	if (c->nr_zero == PCP_ZERO) {
		page_put(pg);
		return;
	}
	pg->refs = 0;
	pg->flags = 0;
	pg->inuse = 0;
	c->zero[c->nr_zero++] = pg;
}

void page_free_last(struct page *pg)
{
	struct pcp *c = this_pcp();

	KASSERT(!(pg->flags & FLAGS_BUSY));
	if (pg->flags & PG_ANON)
		c->acct[PMEM_ANON]--;
	memcg_uncharge(pg);
	pg->refs = 0;
	pg->flags = 0;
	if (unlikely(pg->order > 0)) {
		spin_lock(&pmem_lock);
		buddy_free((u64)(pg - mem_map), pg->order);
		spin_unlock(&pmem_lock);
		return;
	}
	if (unlikely(c->nr == PCP_MAX))
		pcp_drain(c);
	c->stack[c->nr++] = pg;
}

struct page *page_get(struct page *pg)
{
	u32 old = atomic_fetch_add(&pg->refs, 1u);

	KASSERT(old != 0);
	return pg;
}

void page_put(struct page *pg)
{
	/*
	 * Ours is the only reference: nobody can take another one, because
	 * everything that leads to a frame holds a reference itself.
	 * PGREF (acquire) - pairs with page_put().
	 */
	u32 refs = load_acquire(&pg->refs);

	KASSERT(refs != 0);
	/* PGREF (release, full fence) - pairs with page_put(). */
	if (refs == 1 || atomic_dec_and_test(&pg->refs))
		page_free_last(pg);
}

void *page_addr(const struct page *pg)
{
	return phys_to_virt(mem_base + ((u64)(pg - mem_map) << PAGE_SHIFT));
}

paddr_t page_phys(const struct page *pg)
{
	return mem_base + ((u64)(pg - mem_map) << PAGE_SHIFT);
}

struct page *addr_page(const void *addr)
{
	KASSERT(is_direct_map(addr));
	return pfn_page((u64)addr - DIRECT_MAP_BASE + phys_ram_base);
}

void *get_free_page(u32 gfp)
{
	struct page *pg = page_alloc(0, gfp);

	return pg ? page_addr(pg) : NULL;
}

void free_page_addr(void *addr)
{
	if (addr)
		page_put(addr_page(addr));
}

void *alloc_pages_exact(size_t bytes, u32 gfp)
{
	unsigned int order = 0;
	struct page *pg;

	while (order <= MAX_ORDER && (PAGE_SIZE << order) < bytes)
		order++;
	pg = page_alloc(order, gfp);
	return pg ? page_addr(pg) : NULL;
}

void free_pages_exact(void *addr, size_t bytes)
{
	struct page *pg;

	if (!addr)
		return;
	pg = addr_page(addr);
	KASSERT(bytes <= PAGE_SIZE << pg->order);
	page_put(pg);
}

/* --- accounts */

void pmem_account(int what, s64 pages)
{
	this_pcp()->acct[what] += pages;
}

static u64 account_sum(int what)
{
	s64 sum = 0;

	for (unsigned int i = 0; i < MAX_HARTS; i++)
		sum += load_once(&pcps[i].acct[what]);
	return sum > 0 ? (u64)sum : 0;
}

u64 pmem_committed_pages(void)
{
	return account_sum(PMEM_COMMITTED);
}

u64 pmem_free_pages(void)
{
	return load_once(&buddy_free_pages) + load_once(&lazy_pages);
}

u64 pmem_total_pages(void)
{
	return load_once(&total_pages);
}

u64 pmem_missing(u64 spare)
{
	u64 want = load_once(&wm[2]) + spare, have = pmem_free_pages();

	return want > have ? want - have : 0;
}

void pmem_info(struct pmem_info *out)
{
	*out = (struct pmem_info){
		.total = pmem_total_pages(),
		.free = pmem_free_pages(),
		.cached = account_sum(PMEM_CACHE),
		.slab = account_sum(PMEM_SLAB),
		.kstack = account_sum(PMEM_KSTACK),
		.pagetables = account_sum(PMEM_PAGETABLE),
		.anon = account_sum(PMEM_ANON),
		.mapped = account_sum(PMEM_MAPPED),
		.shmem = account_sum(PMEM_SHMEM),
		.dirty = account_sum(PMEM_DIRTY),
		.writeback = account_sum(PMEM_WRITEBACK),
		.reserved = load_once(&wm[1]),
		.committed = account_sum(PMEM_COMMITTED),
	};
	for (unsigned int i = 0; i < MAX_HARTS; i++)
		out->free +=
			load_once(&pcps[i].nr) + load_once(&pcps[i].nr_zero);
}

void pmem_register_shrinker(struct shrinker *s)
{
	spin_lock(&pmem_lock);
	s->next = shrinkers;
	shrinkers = s;
	spin_unlock(&pmem_lock);
}

u64 pmem_shrink(u64 nr_pages)
{
	struct shrinker *s;
	u64 freed = 0;

	/* grows at its head only: no lock to walk it */
	spin_lock(&pmem_lock);
	s = shrinkers;
	spin_unlock(&pmem_lock);
	for (; s && freed < nr_pages; s = s->next)
		freed += s->shrink(nr_pages - freed);
	return freed;
}
