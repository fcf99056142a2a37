/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mpolicy.c - memory policies of areas.
 *
 * All memory is one node, so a policy changes nothing; it is kept with the area and
 * told to who asks.  It is a byte in the area's flags: so it is split, joined and
 * inherited with them.
 *
 * Context: coroutine.  Locking: mm->lock.
 */
#include <kernel/mm/fault.h>
#include <kernel/mm/mmap.h>
#include <lib/errno.h>

static u32 policy_of(const struct vma *v)
{
	return (v->flags & VM_POLICY) >> VM_POLICY_SHIFT;
}

int mm_set_policy(struct mm *mm, u64 start, u64 end, u32 policy)
{
	struct vma *v, *next;
	int err = 0;

	down_write(&mm->lock);
	/* holes matter only to who wants something of them */
	if (policy && !vma_covered(mm, start, end))
		err = -EFAULT;
	if (!err)
		err = vma_split_at(mm, start, end);
	for (v = vma_overlap(mm, start, end); !err && v && v->start < end;
	     v = next) {
		vma_set_flags(v, (v->flags & ~(u32)VM_POLICY) |
					 policy << VM_POLICY_SHIFT);
		v = vma_merge(v);
		next = vma_next(v);
	}
	up_write(&mm->lock);
	return err;
}

int mm_get_policy(struct mm *mm, u64 addr)
{
	struct vma *v;
	int r;

	down_read(&mm->lock);
	v = mm_find_vma(mm, addr);
	r = v && v->start <= addr ? (int)policy_of(v) : -EFAULT;
	up_read(&mm->lock);
	return r;
}

int mm_each_policy(struct mm *mm, u64 start, u64 end, int (*fn)(u32 policy))
{
	int err = -ENOENT;

	down_read(&mm->lock);
	for (struct vma *v = vma_overlap(mm, start, end); v && v->start < end;
	     v = vma_next(v)) {
		if (!policy_of(v))
			continue;
		err = fn(policy_of(v));
		if (err)
			break;
	}
	up_read(&mm->lock);
	return err;
}
