/* SPDX-License-Identifier: MIT */
/* kernel/hotmem.c - see kernel/hotmem.h. */
#include <kernel/assert.h>
#include <kernel/hotmem.h>
#include <kernel/mm/page.h>

static u8 *run, *next, *end; /* boot hart only */

void hotmem_reserve(size_t bytes)
{
	KASSERT(!run);
	bytes += PLACE_HARTS * PAGE_SIZE;
	run = pmem_boot_alloc(bytes, TLB_PLACES * PAGE_SIZE);
	next = run + PLACE_HARTS * PAGE_SIZE;
	end = run + bytes;
}

void hotmem_trim(void)
{
	paddr_t pa = virt_to_phys(run);

	pmem_release(pa, pa + PLACE_HARTS * PAGE_SIZE);
}

void *hotmem_alloc(size_t bytes)
{
	void *p = next;

	next += HOTMEM_SIZE(bytes);
	KASSERT(run && next <= end);
	return p;
}
