/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/user_walk.h - the software walk of a user table, for copies only.
 *
 * Used by user.c and access.c.  See user.c for what may stand in between.
 */
#ifndef KERNEL_MM_USER_WALK_H
#define KERNEL_MM_USER_WALK_H

#include <kernel/mm/pt.h>

#define USER_READ  (PTE_V | PTE_U | PTE_R)
#define USER_WRITE (PTE_V | PTE_U | PTE_W)

static inline void user_end(struct hart *h)
{
	/* UCOPY (release) - pairs with mm_flush(). */
	store_release(&h->ucopy, NULL);
}

/*
 * Direct-map address of @a in @mm if it may be accessed as @need says; then the
 * frame stays until user_end().  NULL: it must be faulted in, or is no memory.
 */
static inline __attribute__((always_inline)) void *user_begin(struct hart *h,
							      struct mm *mm,
							      uaddr_t a,
							      u64 need)
{
	pte_t e;

	if (unlikely(a >= USER_TOP))
		return NULL;
	store_once(&h->ucopy, mm);
	/* UCOPY (full) - pairs with mm_flush(). */
	smp_mb();
	/* PTE (dependency) - pairs with pt_set(), at each level. */
	e = load_once(&mm->root[l2_index(a)]);
	if (unlikely(!e))
		goto none;
	e = load_once(&pte_table(e)[l1_index(a)]);
	if (unlikely(!e))
		goto none;
	e = load_once(&pte_table(e)[l0_index(a)]);
	if (unlikely((e & (need | PTE_SPECIAL)) != need)) {
		/* the frame of zeroes is memory, a device is not */
		if ((e & need) != need || pte_phys(e) != zero_page_phys)
			goto none;
	}
	return (char *)phys_to_virt(pte_phys(e)) + (a & (PAGE_SIZE - 1));
none:
	user_end(h);
	return NULL;
}

/* mm_fault() for a copy: 0 or -EFAULT. */
int user_fault(struct mm *mm, uaddr_t a, bool write);

#endif /* KERNEL_MM_USER_WALK_H */
