/* SPDX-License-Identifier: MIT */
/*
 * lib/sort.h - sort an array in place, without memory and recursion.
 *
 * Heap sort: O(n log n) at worst, not stable.
 */
#ifndef LIB_SORT_H
#define LIB_SORT_H

#include <lib/types.h>

/* Negative, 0 or positive, as *@a is less, equal or greater. */
typedef int sort_cmp_fn(const void *a, const void *b);

void sort(void *base, size_t n, size_t size, sort_cmp_fn *cmp);

#endif /* LIB_SORT_H */
