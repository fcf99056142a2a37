/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mprotect.c - changes what may be done with memory.
 *
 * Everything is checked before the first area changes.  Write permission is never
 * added to an entry here: the first write faults and decides about copying.
 *
 * Context: coroutine.  Locking: mm->lock for writing.
 */
#include <kernel/mm/fault.h>
#include <kernel/mm/mmap.h>
#include <kernel/mm/pt.h>
#include <lib/errno.h>

#define PROT_SEM       0x8
#define PROT_GROWSDOWN 0x01000000u
#define PROT_GROWSUP   0x02000000u
#define PROT_BITS      (PROT_READ | PROT_WRITE | PROT_EXEC)
#define VM_PROT	       (VM_READ | VM_WRITE | VM_EXEC)

STATIC_ASSERT(VM_READ == PROT_READ && VM_WRITE == PROT_WRITE &&
		      VM_EXEC == PROT_EXEC && VM_MAYREAD == VM_READ << 4,
	      "protections are shifted");

/* The entries of @v, whose flags are new; *@weaker: a TLB may know more, mm->due. */
static void protect_entries(struct vma *v, bool *weaker)
{
	struct mm *mm = v->mm;
	u64 next;

	for (u64 va = v->start; va < v->end; va = next) {
		pte_t *t;

		next = min(v->end, ALIGN_DOWN(va, L0_SIZE) + L0_SIZE);
		t = pt_leaf(mm, va);
		if (!t || table_page(t)->inuse == 0)
			continue;
		spin_lock(&mm->pt_lock);
		for (u64 a = va; a < next; a += PAGE_SIZE) {
			pte_t *p = &t[l0_index(a)], e = *p, n;

			if (!e || e == PTE_POISON)
				continue;
			n = pt_prot(v, (e & PTE_W) || (v->flags & VM_IO)) |
			    (e & (PTE_SPECIAL | PTE_UFFD_WP));
			n = pte_make(pte_phys(e), n);
			if ((e & ~n & (PTE_V | PTE_LEAF)) && !*weaker) {
				*weaker = true;
				mm_flush_due(mm);
			}
			store_once(p, n);
		}
		spin_unlock(&mm->pt_lock);
		if (next < v->end)
			cond_resched();
	}
}

/* May all areas of [start, end) have @prot? */
static int check(struct mm *mm, u64 start, u64 end, u32 prot)
{
	u64 more_data = 0;

	if (!vma_covered(mm, start, end))
		return -ENOMEM;
	for (struct vma *v = vma_at(mm, start); v && v->start < end;
	     v = vma_next(v)) {
		u32 now = (v->flags & ~(u32)VM_PROT) | prot;

		if (prot & ~(v->flags >> 4) & VM_PROT)
			return -EACCES;
		if (mm->mdwe && (prot & VM_EXEC) &&
		    ((prot & VM_WRITE) || !(v->flags & VM_EXEC)))
			return -EACCES;
		if (vma_is_data(now) && !vma_is_data(v->flags))
			more_data += min(end, v->end) - max(start, v->start);
	}
	return mm_data_fits(mm, more_data >> PAGE_SHIFT) ? 0 : -ENOMEM;
}

static int protect(struct mm *mm, u64 start, u64 end, u32 prot)
{
	bool weaker = false, exec = false;
	struct vma *v, *next;
	int err = check(mm, start, end, prot);

	if (!err && mm_sealed(mm, start, end))
		err = -EPERM;
	if (!err)
		err = vma_split_at(mm, start, end);
	if (err)
		return err;
	for (v = vma_at(mm, start); v && v->start < end; v = next) {
		u32 was = v->flags;

		vma_set_flags(v, (was & ~(u32)VM_PROT) | prot);
		if (v->flags != was)
			protect_entries(v, &weaker);
		if (v->flags & ~was & VM_EXEC)
			exec = true;
		v = vma_merge(v);
		next = vma_next(v);
	}
	if (weaker)
		mm_flush_now(mm);
	if (exec)
		mm_icache_changed(mm);
	return 0;
}

int mm_mprotect(struct mm *mm, u64 addr, u64 len, u32 prot)
{
	u64 end;
	int err = 0;

	if (addr % PAGE_SIZE ||
	    prot & ~(PROT_BITS | PROT_SEM | PROT_GROWSDOWN) ||
	    prot & PROT_GROWSUP)
		return -EINVAL;
	if (len == 0)
		return 0;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len || len > USER_TOP || addr > USER_TOP - len)
		return -ENOMEM;
	end = addr + len;
	down_write(&mm->lock);
	if (prot & PROT_GROWSDOWN) {
		struct vma *v = vma_overlap(mm, addr, end);

		if (!v || !vma_is_stack(v))
			err = -EINVAL;
		else
			addr = v->start;
	}
	if (!err)
		err = protect(mm, addr, end, prot & PROT_BITS);
	up_write(&mm->lock);
	return err;
}
