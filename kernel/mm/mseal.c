/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mseal.c - memory whose layout and protection nobody changes any more.
 *
 * Context: coroutine.  Locking: mm->lock.
 */
#include <kernel/mm/mmap.h>
#include <lib/errno.h>

bool mm_sealed(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = vma_overlap(mm, start, end);

	for (; v && v->start < end; v = vma_next(v)) {
		if (v->flags & VM_SEALED)
			return true;
	}
	return false;
}

bool mm_sealed_readonly(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = vma_overlap(mm, start, end);

	for (; v && v->start < end; v = vma_next(v)) {
		if ((v->flags & VM_SEALED) && !v->file &&
		    !(v->flags & (VM_WRITE | VM_SHARED)))
			return true;
	}
	return false;
}

static int seal(struct mm *mm, u64 start, u64 end)
{
	struct vma *v;
	int err;

	if (!vma_covered(mm, start, end))
		return -ENOMEM;
	err = vma_split_at(mm, start, end);
	if (err)
		return err;
	for (v = vma_at(mm, start); v && v->start < end; v = vma_next(v)) {
		v->flags |= VM_SEALED;
		v = vma_merge(v);
	}
	if (v)
		vma_merge(v); /* what is behind may be sealed, too */
	return 0;
}

int mm_seal(struct mm *mm, u64 start, u64 len)
{
	u64 end = ALIGN_UP(len, PAGE_SIZE) + start;
	int err;

	if (start % PAGE_SIZE || end < start || (len && end == start))
		return -EINVAL;
	if (!len)
		return 0;
	down_write(&mm->lock);
	err = seal(mm, start, end);
	up_write(&mm->lock);
	return err;
}
