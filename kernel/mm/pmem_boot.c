/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/pmem_boot.c - learns where RAM is and opens the page allocator.
 *
 * main.c adds the RAM of the device tree and reserves what is taken in it; then
 * pmem_boot_alloc() serves what must exist before the allocator (mem_map above
 * all), and pmem_init() hands the rest over.
 *
 * Memory is opened in sections of 4 MiB.  A section that is all RAM and all free
 * stays SECTION_LAZY: its struct pages are written when the buddy runs dry, so
 * that the time to boot does not grow with the machine.
 *
 * INVARIANTS
 *   I1  ram[] and taken[] are sorted and their ranges neither overlap nor touch.
 *   I2  Every frame of an open section has a valid struct page: free in the
 *       buddy, or PG_RESERVED with refs 1 (and PG_HOLE when it is no RAM).
 *
 * Context: boot hart, before others run; pmem_release() and
 * pmem_open_section() also later.  Not here: allocation (pmem.c).
 */
#include <kernel/mm/pmem.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <lib/string.h>

#define MAX_RANGES 64

struct range {
	paddr_t start, end;
};
struct ranges {
	unsigned int nr;
	struct range r[MAX_RANGES];
};

static struct ranges ram, taken; /* [boot] */
static bool opened;

struct page *mem_map;
paddr_t mem_base, mem_end;
struct page *pfn_base;
u8 *section_state;
u64 nr_sections;
u64 lazy_pages;
u64 total_pages;

static u64 section_cursor; /* [pmem_lock] where to look for a lazy one */

/* Insert [start, end), merging with what it touches. */
static void ranges_add(struct ranges *rs, paddr_t start, paddr_t end)
{
	unsigned int i = 0, j;

	while (i < rs->nr && rs->r[i].end < start)
		i++;
	for (j = i; j < rs->nr && rs->r[j].start <= end; j++) {
		start = min(start, rs->r[j].start);
		end = max(end, rs->r[j].end);
	}
	if (i == j) {
		if (rs->nr == MAX_RANGES)
			panic("pmem: more than %u memory ranges", MAX_RANGES);
		memmove(&rs->r[i + 1], &rs->r[i],
			(rs->nr - i) * sizeof(rs->r[0]));
		rs->nr++;
	} else {
		memmove(&rs->r[i + 1], &rs->r[j],
			(rs->nr - j) * sizeof(rs->r[0]));
		rs->nr -= j - i - 1;
	}
	rs->r[i] = (struct range){ start, end };
}

/* The range that holds @pa, or the first behind it; NULL: none. */
static const struct range *ranges_at(const struct ranges *rs, paddr_t pa)
{
	for (unsigned int i = 0; i < rs->nr; i++) {
		if (rs->r[i].end > pa)
			return &rs->r[i];
	}
	return NULL;
}

void pmem_add(paddr_t start, paddr_t end)
{
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start < end)
		ranges_add(&ram, start, end);
}

void pmem_reserve(paddr_t start, paddr_t end)
{
	KASSERT(!opened);
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	if (start < end)
		ranges_add(&taken, start, end);
}

/* Lowest free place inside one range of RAM; 0 when there is none. */
static paddr_t boot_find(const struct range *r, size_t bytes, size_t align)
{
	paddr_t pa = ALIGN_UP(r->start, align);

	while (pa + bytes <= r->end) {
		const struct range *t = ranges_at(&taken, pa);

		if (!t || t->start >= pa + bytes)
			return pa;
		pa = ALIGN_UP(t->end, align);
	}
	return 0;
}

/* As pmem_boot_alloc(), contents undefined. */
static void *boot_alloc_raw(size_t bytes, size_t align)
{
	KASSERT(!opened);
	bytes = ALIGN_UP(bytes, PAGE_SIZE);
	align = max(align, PAGE_SIZE);
	for (unsigned int i = 0; i < ram.nr; i++) {
		struct range r = ram.r[i];
		paddr_t pa;

		/* what the direct map covers */
		r.start = max(r.start, phys_ram_base);
		r.end = min(r.end, phys_ram_end);
		pa = r.start < r.end ? boot_find(&r, bytes, align) : 0;
		if (pa) {
			ranges_add(&taken, pa, pa + bytes);
			return phys_to_virt(pa);
		}
	}
	panic("pmem: no %zu bytes of memory left at boot", bytes);
}

void *pmem_boot_alloc(size_t bytes, size_t align)
{
	void *p = boot_alloc_raw(bytes, align);

	memset(p, 0, ALIGN_UP(bytes, PAGE_SIZE));
	return p;
}

/* Write the struct pages of section @s and free what is free in it. */
static void open_mixed(u64 s)
{
	u64 first = s * SECTION_PAGES;
	paddr_t pa = mem_base + s * SECTION_SIZE, end = pa + SECTION_SIZE;

	section_state[s] = SECTION_OPEN;
	memset(&mem_map[first], 0, SECTION_PAGES * sizeof(struct page));
	while (pa < end) {
		const struct range *r = ranges_at(&ram, pa);
		const struct range *t = ranges_at(&taken, pa);
		bool hole = !r || r->start > pa;
		bool used = !hole && t && t->start <= pa;
		paddr_t next = min(end, hole ? (r ? r->start : end) : r->end);
		struct page *pg = pfn_page(pa);

		if (!hole && t)
			next = min(next, used ? t->end : t->start);
		if (!hole && !used) {
			buddy_free_range((pa - mem_base) >> PAGE_SHIFT,
					 (next - mem_base) >> PAGE_SHIFT);
			total_pages += (next - pa) >> PAGE_SHIFT;
		} else {
			for (; pg < pfn_page(next); pg++) {
				pg->refs = 1;
				pg->flags = hole ? PG_RESERVED | PG_HOLE
						 : PG_RESERVED;
			}
		}
		pa = next;
	}
}

/* How section @s stands before it is opened. */
static enum section_state classify(u64 s)
{
	paddr_t pa = mem_base + s * SECTION_SIZE, end = pa + SECTION_SIZE;
	const struct range *r = ranges_at(&ram, pa);
	const struct range *t = ranges_at(&taken, pa);

	if (!r || r->start >= end)
		return SECTION_HOLE;
	if (r->start > pa || r->end < end || (t && t->start < end))
		return SECTION_OPEN;
	return SECTION_LAZY;
}

bool pmem_open_section(void)
{
	while (section_cursor < nr_sections) {
		u64 s = section_cursor++;

		if (section_state[s] != SECTION_LAZY)
			continue;
		section_state[s] = SECTION_OPEN;
		memset(&mem_map[s * SECTION_PAGES], 0,
		       SECTION_PAGES * sizeof(struct page));
		lazy_pages -= SECTION_PAGES;
		buddy_free_range(s * SECTION_PAGES, (s + 1) * SECTION_PAGES);
		return true;
	}
	return false;
}

void pmem_init(void)
{
	KASSERT(ram.nr > 0);
	mem_base = ALIGN_DOWN(phys_ram_base, SECTION_SIZE);
	mem_end = ALIGN_UP(phys_ram_end, SECTION_SIZE);
	nr_sections = (mem_end - mem_base) / SECTION_SIZE;
	/* what lies outside the direct map cannot be used */
	ranges_add(&taken, 0, phys_ram_base);
	if (ram.r[ram.nr - 1].end > phys_ram_end)
		ranges_add(&taken, phys_ram_end, ram.r[ram.nr - 1].end);
	section_state = pmem_boot_alloc(nr_sections, 8);
	mem_map = boot_alloc_raw(
		nr_sections * SECTION_PAGES * sizeof(struct page), PAGE_SIZE);
	pfn_base = mem_map - (mem_base >> PAGE_SHIFT);
	opened = true;
	for (u64 s = 0; s < nr_sections; s++) {
		section_state[s] = (u8)classify(s);
		if (section_state[s] == SECTION_OPEN)
			open_mixed(s);
		if (section_state[s] == SECTION_LAZY) {
			lazy_pages += SECTION_PAGES;
			total_pages += SECTION_PAGES;
		}
	}
	pmem_set_watermarks();
	pr_info("pmem: %llu MiB of RAM, %llu MiB free in %u range%s",
		(unsigned long long)((phys_ram_end - phys_ram_base) >> 20),
		(unsigned long long)(total_pages >> 8), ram.nr,
		ram.nr == 1 ? "" : "s");
}

void pmem_release(paddr_t start, paddr_t end)
{
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start >= end)
		return;
	spin_lock(&pmem_lock);
	for (struct page *pg = pfn_page(start); pg < pfn_page(end); pg++) {
		KASSERT((pg->flags & (PG_RESERVED | PG_HOLE)) == PG_RESERVED);
		*pg = (struct page){ .refs = 0 };
	}
	buddy_free_range((start - mem_base) >> PAGE_SHIFT,
			 (end - mem_base) >> PAGE_SHIFT);
	total_pages += (end - start) >> PAGE_SHIFT;
	spin_unlock(&pmem_lock);
}

struct page *phys_page(paddr_t pa)
{
	struct page *pg;

	if (pa < mem_base || pa >= mem_end ||
	    section_state[(pa - mem_base) / SECTION_SIZE] != SECTION_OPEN)
		return NULL;
	pg = pfn_page(pa);
	return pg->flags & PG_HOLE ? NULL : pg;
}
