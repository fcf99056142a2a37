/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/shm.h - a page cache without a file: memory that areas share.
 *
 * Pages are made zeroed when first touched; nothing writes them back and nothing
 * reclaims them.  mapping_destroy() frees them.
 */
#ifndef KERNEL_MM_SHM_H
#define KERNEL_MM_SHM_H

#include <lib/types.h>

struct mapping;
struct page;

void shm_mapping_init(struct mapping *m, u64 size, void *host);
/* The page at @pgoff with a reference: 0, -EIO beyond the end, -ENOMEM. */
int shm_mapping_fault(struct mapping *m, u64 pgoff, struct page **out);

#endif /* KERNEL_MM_SHM_H */
