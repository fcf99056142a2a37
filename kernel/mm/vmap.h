/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/vmap.h - kernel virtual ranges: device registers, guarded stacks,
 * large tables.  Every range is followed by an unmapped guard page.
 *
 * Context: any but loop context for the allocating ones.  Locking: vmap_lock
 * (RANK_MMU).
 */
#ifndef KERNEL_MM_VMAP_H
#define KERNEL_MM_VMAP_H

#include <lib/types.h>

void __iomem *ioremap(paddr_t pa, size_t size); /* any alignment; NULL */
void iounmap(volatile void __iomem *va);

void *vmalloc(size_t size); /* zeroed pages, guard page behind; NULL */
void vfree(void *va);
/* Frames that others have as well, in one piece; each gets a reference, which
 * vfree() gives back.  NULL. */
struct page;
void *vmap_pages(struct page *const *page, u32 nr);

/* A stack of @size bytes with an unmapped page below and above it; returns its
 * lowest address or NULL.  Freed stacks are kept in a small cache. */
void *kstack_alloc(size_t size);
void kstack_free(void *stack, size_t size);
/* True when @addr lies in the guard page of some stack. */
bool kstack_is_guard(u64 addr);

void vmap_init(void);

#endif /* KERNEL_MM_VMAP_H */
