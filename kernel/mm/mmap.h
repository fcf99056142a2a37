/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mmap.h - what the files that change areas share.
 *
 * mm->lock held for writing in all of them.
 */
#ifndef KERNEL_MM_MMAP_H
#define KERNEL_MM_MMAP_H

#include <kernel/mm/vma.h>

#define MMAP_MIN 0x10000ul /* lowest address that an ordinary program may map */
/* May current's program, which wants just that? */
bool mm_may_place(u64 addr);

/* Unlink what is in [start, end) and unmap it; the areas go to @gone, to be freed
 * by mm_free_detached() when mm->lock is not held any more. */
/* mm->lock held: is any of it sealed; and anonymous, and not to be written? */
bool mm_sealed(struct mm *mm, u64 start, u64 end);
bool mm_sealed_readonly(struct mm *mm, u64 start, u64 end);

int mm_detach(struct mm *mm, u64 start, u64 end, struct list_head *gone);
void mm_free_detached(struct list_head *gone);

/* vm.overcommit_memory 2: may @pages more be promised to programs? */
bool mm_commit_fits(u64 pages);
/* RLIMIT_DATA, and that: may @pages more be private and writable? */
bool mm_data_fits(struct mm *mm, u64 pages);
/* RLIMIT_MEMLOCK: 0, -EPERM or -EAGAIN. */
int mm_may_lock(struct mm *mm, u64 pages);

#endif /* KERNEL_MM_MMAP_H */
