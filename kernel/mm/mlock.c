/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mlock.c - memory that is to stay.
 *
 * Private frames never leave memory here (there is no swap); locking means that the
 * pages are brought in, counted against RLIMIT_MEMLOCK, and kept from
 * MADV_DONTNEED.  Locked file pages may be unmapped by reclaim in need, and come back
 * by a fault.
 *
 * Context: coroutine.  Locking: mm->lock for writing.
 */
#include <kernel/mm/fault.h>
#include <kernel/mm/mmap.h>
#include <lib/errno.h>

#define MCL_CURRENT 1u
#define MCL_FUTURE  2u
#define MCL_ONFAULT 4u

/* Pages of [start, end) that are not locked yet. */
static u64 unlocked_pages(struct mm *mm, u64 start, u64 end)
{
	u64 n = 0;

	for (struct vma *v = vma_overlap(mm, start, end); v && v->start < end;
	     v = vma_next(v)) {
		if (!(v->flags & VM_LOCKED))
			n += (min(end, v->end) - max(start, v->start)) >>
			     PAGE_SHIFT;
	}
	return n;
}

/* Where the first hole of [start, end) is, or @end. */
static u64 first_hole(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = vma_overlap(mm, start, end);

	while (start < end && v && v->start <= start) {
		start = v->end;
		v = vma_next(v);
	}
	return min(start, end);
}

/* What is asked for from now on: VM_LOCKED, VM_LOCKONFAULT too, or 0. */
static void set_locked(struct mm *mm, u64 start, u64 end, u32 locked)
{
	struct vma *v, *next;

	for (v = vma_overlap(mm, start, end); v && v->start < end; v = next) {
		if (!(v->flags & (VM_IO | VM_SECRET | VM_DROPPABLE)))
			vma_set_flags(v, (v->flags & ~VM_LOCKS) | locked);
		v = vma_merge(v);
		next = vma_next(v);
	}
}

/* Touch what is locked in [start, end); private writable memory by writing. */
static int fill(struct mm *mm, u64 start, u64 end)
{
	int err = 0;

	while (start < end && !err) {
		u64 from, to;
		bool write, can;
		struct vma *v;

		down_read(&mm->lock);
		v = vma_overlap(mm, start, end);
		if (!v) {
			up_read(&mm->lock);
			break;
		}
		from = max(start, v->start);
		to = min(end, v->end);
		write = vma_is_data(v->flags);
		can = (v->flags & (VM_READ | VM_WRITE | VM_EXEC)) &&
		      vma_locked_now(v->flags);
		up_read(&mm->lock);
		if (can)
			err = mm_populate(mm, from, to, write);
		start = to;
	}
	return err == -EFAULT || err == -EIO ? -ENOMEM : err;
}

static u32 flags_for(bool lock, bool on_fault)
{
	if (!lock)
		return 0;
	return on_fault ? VM_LOCKS : VM_LOCKED;
}

/* A length that wraps is none, as on Linux. */
int mm_mlock(struct mm *mm, u64 addr, u64 len, bool lock, bool on_fault)
{
	u64 start = ALIGN_DOWN(addr, PAGE_SIZE);
	u64 pages = ALIGN_UP(len + (addr - start), PAGE_SIZE);
	u64 end = start + pages, hole;
	int err = 0;

	if (end < start)
		return -EINVAL;
	down_write(&mm->lock);
	if (lock) { /* who may lock nothing may not ask for nothing either */
		err = mm_may_lock(mm, unlocked_pages(mm, start, end));
		if (err == -EAGAIN)
			err = -ENOMEM;
	}
	hole = first_hole(mm, start, end);
	if (!err && hole > start)
		err = vma_split_at(mm, start, hole);
	if (!err)
		set_locked(mm, start, hole, flags_for(lock, on_fault));
	if (!err && len && hole < end)
		err = -ENOMEM; /* what lies before the hole is done */
	up_write(&mm->lock);
	if (!err && lock && !on_fault)
		err = fill(mm, start, end);
	return err;
}

int mm_mlockall(struct mm *mm, u32 flags)
{
	u32 locked = flags_for(true, flags & MCL_ONFAULT);
	int err = 0;

	if (flags == 0 || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ||
	    flags == MCL_ONFAULT)
		return -EINVAL;
	down_write(&mm->lock);
	if (flags & MCL_CURRENT)
		err = mm_may_lock(mm, mm->total_pages - mm->locked_pages);
	else
		err = mm_may_lock(mm, 0);
	if (err == -EAGAIN)
		err = -ENOMEM;
	if (!err) {
		mm->def_flags = flags & MCL_FUTURE ? locked : 0;
		if (flags & MCL_CURRENT)
			set_locked(mm, 0, USER_TOP, locked);
	}
	up_write(&mm->lock);
	if (!err && (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
		(void)fill(mm, 0, USER_TOP);
	return err;
}

int mm_munlockall(struct mm *mm)
{
	down_write(&mm->lock);
	mm->def_flags = 0;
	set_locked(mm, 0, USER_TOP, 0);
	up_write(&mm->lock);
	return 0;
}
