/* SPDX-License-Identifier: MIT */
/*
 * kernel/hotmem.h - memory that every system call touches, in one run of pages.
 *
 * What the harts look at in each call (struct hart, struct relay_hart with its
 * rows, the rings) lies side by side, beginning at a page whose number leaves the
 * places of the text of the short way free.  A TLB that finds a page by the low
 * bits of its number then keeps all of them at once: QEMU's, which is direct-mapped
 * and may have as few as 64 entries, so that two of these pages that shared a place
 * took a third of the speed of every call; and it is fewer pages in any TLB.
 *
 * Context: boot hart, before the others.  Nothing is ever given back.
 */
#ifndef KERNEL_HOTMEM_H
#define KERNEL_HOTMEM_H

#include <lib/types.h>

#define TLB_PLACES 64u /* of the smallest TLB that is indexed by page number */

/*
 * Places: page numbers modulo TLB_PLACES.  Stacks of threads begin at those that are 4
 * modulo 8 (vmap.c), which are nobody else's here.
 */
#define PLACE_TEXT    0u /* from KERNEL_BASE: trap.S, __hotpath */
#define PLACE_HARTS   5u /* what hotmem_alloc() gives; 19 pages for two harts */
#define PLACE_THREAD  45u /* slabs of threads */
#define NR_THREAD     7u
#define PLACE_MM      53u /* of address spaces */
#define NR_MM	      3u
#define PLACE_PROCESS 57u /* of processes */
#define NR_PROCESS    3u

/* Room for @bytes of objects; between bootmem_init() and pmem_init(). */
void hotmem_reserve(size_t bytes);
/* After pmem_init(): what was reserved to begin at the right page only. */
void hotmem_trim(void);
/* Zeroed, and aligned to a cache line.  More than was reserved panics. */
void *hotmem_alloc(size_t bytes);
/* What one takes. */
#define HOTMEM_SIZE(bytes) ALIGN_UP((bytes), 64ul)

#endif /* KERNEL_HOTMEM_H */
