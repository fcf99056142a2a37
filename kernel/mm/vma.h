/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/vma.h - the set of areas of an address space.
 *
 * Everything here needs mm->lock held for writing, but for the look-ups.
 */
#ifndef KERNEL_MM_VMA_H
#define KERNEL_MM_VMA_H

#include <kernel/hart.h>
#include <kernel/mm/vm.h>

#define MAX_VMAS 65530u
extern u64 max_map_count;	      /* [a] /proc/sys/vm */
#define STACK_GUARD_GAP (256ul << 12) /* below a growing stack */

static inline u64 vma_pages(const struct vma *v)
{
	return (v->end - v->start) >> PAGE_SHIFT;
}
/* Page of the object that @va shows. */
static inline u64 vma_pgoff(const struct vma *v, u64 va)
{
	return v->pgoff + ((va - v->start) >> PAGE_SHIFT);
}
static inline bool vma_is_stack(const struct vma *v)
{
	return (v->flags & VM_GROWSDOWN) != 0;
}
/* Counts against RLIMIT_DATA. */
static inline bool vma_is_data(u32 flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

struct vma *vma_alloc(struct mm *mm, u64 start, u64 end, u32 flags);
struct vma *vma_dup(const struct vma *v); /* references taken, not linked */
void vma_free(struct vma *v);		  /* not linked; drops references */

struct vma *vma_next(struct vma *v);
struct vma *vma_prev(struct vma *v);
struct vma *vma_first(struct mm *mm);
/* The area that holds @va, or NULL. */
struct vma *vma_at(struct mm *mm, u64 va);
/* First area that overlaps [start, end), or NULL. */
struct vma *vma_overlap(struct mm *mm, u64 start, u64 end);

void vma_insert(struct mm *mm, struct vma *v);
/* The same for a copy of @parent's: behind it in the reverse map, so that who
 * unmaps a page sees the parent first and then what fork took from it. */
void vma_insert_child(struct mm *mm, struct vma *v, struct vma *parent);
void vma_remove(struct mm *mm, struct vma *v);
/* Cut @v at @va; the new area is the upper part.  0, -ENOMEM, or -EINVAL: it is one
 * of those that stay whole. */
int vma_split(struct vma *v, u64 va);
/* Cut so that no area crosses @start or @end. */
int vma_split_at(struct mm *mm, u64 start, u64 end);
/* Join @v with its neighbours where they are alike; returns the result. */
struct vma *vma_merge(struct vma *v);
/* Change the bounds of a linked area, keeping the order. */
void vma_resize(struct vma *v, u64 start, u64 end);
/* Flags change; accounts follow. */
void vma_set_flags(struct vma *v, u32 flags);

/* Highest free place of @len bytes below mmap_base, or -ENOMEM. */
s64 vma_place(struct mm *mm, u64 len);
/* The same, but at @hint, rounded down to a page, when that is free. */
s64 vma_place_near(struct mm *mm, u64 hint, u64 len);
bool vma_range_free(struct mm *mm, u64 start, u64 len);
/* Is every byte of [start, end) in some area? */
bool vma_covered(struct mm *mm, u64 start, u64 end);

/* The reverse map of v->mapping. */
void vma_link_mapping(struct vma *v);
void vma_unlink_mapping(struct vma *v);

/* Limits: may the mm grow by @pages with @flags? 0 or -ENOMEM. */
int vma_may_grow(struct mm *mm, u64 pages, u32 flags);

#endif /* KERNEL_MM_VMA_H */
