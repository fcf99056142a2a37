/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mremap.c - grows, shrinks and moves a mapping; mremap and
 * remap_file_pages.
 *
 * A move carries the entries over, frames and all; nothing is copied.  The tables
 * at the new place are made first, so that what follows cannot fail.
 *
 * Context: coroutine.  Locking: mm->lock for writing.
 */
#include <kernel/mm/fault.h>
#include <kernel/mm/mmap.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/uffd.h>
#include <lib/errno.h>

#define MREMAP_MAYMOVE	 1u
#define MREMAP_FIXED	 2u
#define MREMAP_DONTUNMAP 4u

struct remap {
	struct mm *mm;
	u64 old, old_len, new_len, to;
	u32 flags;
	struct vma *v; /* holds [old, old + old_len) */
	struct list_head gone;
	u64 fill, fill_end; /* to populate afterwards: locked memory */
};

/* --- moving entries */

static int make_tables(struct mm *mm, u64 from, u64 to, u64 len)
{
	u64 next;

	for (u64 off = 0; off < len; off = next) {
		/* up to where either side needs another table */
		next = min(ALIGN_DOWN(from + off, L0_SIZE) + L0_SIZE - from,
			   ALIGN_DOWN(to + off, L0_SIZE) + L0_SIZE - to);
		if (pt_leaf(mm, from + off) && !pt_make(mm, to + off))
			return -ENOMEM;
	}
	return 0;
}

/* The reverse map stands still: else truncation could look at the new place before
 * and at the old place after an entry moved. */
static void move_entries(struct mm *mm, struct mapping *m, u64 from, u64 to,
			 u64 len)
{
	if (m)
		mutex_lock(&m->i_mmap);
	for (u64 off = 0; off < len; off += PAGE_SIZE) {
		pte_t *src = pt_find(mm, from + off), *dst;

		if (!src) {
			off = ALIGN_DOWN(from + off, L0_SIZE) + L0_SIZE -
			      PAGE_SIZE - from;
			continue;
		}
		if (load_once(src) == 0)
			continue;
		dst = pt_find(mm, to + off);
		spin_lock(&mm->pt_lock);
		if (*src) {
			pt_set(dst, *src & ~PTE_UFFD_WP); /* new_place() */
			store_once(src, 0);
			table_page(src)->inuse--;
		}
		spin_unlock(&mm->pt_lock);
	}
	mm_flush(mm);
	if (m)
		mutex_unlock(&m->i_mmap);
}

/* --- the ways */

/* The area for the new place: as the old one, not linked. */
static struct vma *new_place(struct remap *r)
{
	struct vma *n = vma_dup(r->v);

	if (!n)
		return NULL;
	uffd_drop(n); /* its program knows the old place */
	n->pgoff = vma_pgoff(r->v, r->old);
	n->phys += r->old - r->v->start;
	n->start = r->to;
	n->end = r->to + r->new_len;
	return n;
}

static int choose_place(struct remap *r)
{
	struct mm *mm = r->mm;
	s64 at;
	int err;

	if (r->flags & MREMAP_FIXED) {
		err = mm_detach(mm, r->to, r->to + r->new_len, &r->gone);
		/* that may have cut the old area */
		r->v = vma_at(mm, r->old);
		return err;
	}
	/* with MREMAP_DONTUNMAP the new address is a wish, else it is none */
	at = r->flags & MREMAP_DONTUNMAP ? vma_place_near(mm, r->to, r->new_len)
					 : vma_place(mm, r->new_len);
	if (at < 0)
		return (int)at;
	r->to = (u64)at;
	return 0;
}

static s64 move(struct remap *r)
{
	struct mm *mm = r->mm;
	bool keep = (r->flags & MREMAP_DONTUNMAP) != 0;
	u64 len = min(r->old_len, r->new_len);
	struct vma *n;
	int err = choose_place(r);

	if (!err)
		err = vma_may_grow(mm,
				   (keep ? r->new_len : r->new_len - len) >>
					   PAGE_SHIFT,
				   r->v->flags);
	if (!err && (r->v->flags & VM_LOCKED) && r->new_len > len)
		err = mm_may_lock(mm, (r->new_len - len) >> PAGE_SHIFT);
	if (!err && mm->nr_vmas + 2 >= load_once(&max_map_count))
		err = -ENOMEM;
	if (!err)
		err = make_tables(mm, r->old, r->to, len);
	if (!err && !keep && r->old_len)
		err = vma_split_at(mm, r->old, r->old + r->old_len);
	if (err)
		return err;
	r->v = vma_at(mm, r->old);
	n = new_place(r);
	if (!n)
		return -ENOMEM;
	vma_insert(mm, n);
	if (len)
		move_entries(mm, n->mapping, r->old, r->to, len);
	if (keep)
		vma_set_flags(r->v, r->v->flags & ~VM_LOCKS);
	else if (r->old_len)
		(void)mm_detach(mm, r->old, r->old + r->old_len, &r->gone);
	if (vma_locked_now(n->flags)) {
		r->fill = r->to + len;
		r->fill_end = r->to + r->new_len;
	}
	vma_merge(n);
	return (s64)r->to;
}

/* Longer at the same place: 0, or -ENOMEM when there is no room. */
static int grow_here(struct remap *r)
{
	struct vma *v = r->v;
	u64 more = r->new_len - r->old_len, end = r->old + r->new_len;
	int err;

	if (v->end != r->old + r->old_len || end > USER_TOP ||
	    !vma_range_free(r->mm, v->end, more))
		return -ENOMEM;
	err = vma_may_grow(r->mm, more >> PAGE_SHIFT, v->flags);
	if (err)
		return err;
	if (v->flags & VM_LOCKED) {
		err = mm_may_lock(r->mm, more >> PAGE_SHIFT);
		if (err)
			return err;
		r->fill = vma_locked_now(v->flags) ? v->end : end;
		r->fill_end = end;
	}
	vma_resize(v, v->start, end);
	vma_merge(v);
	return 0;
}

/* Then what is unmapped may belong to other areas, too. */
static bool only_shrinks(const struct remap *r)
{
	return r->old_len && r->new_len <= r->old_len &&
	       !(r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP));
}

static int check_area(struct remap *r)
{
	r->v = vma_at(r->mm, r->old);
	if (!r->v)
		return -EFAULT;
	if (r->v->flags & VM_SEALED)
		return -EPERM;
	if (r->v->end - r->old < r->old_len && !only_shrinks(r))
		return -EFAULT;
	if (r->new_len > USER_TOP)
		return -ENOMEM;
	if (r->old_len == 0 && !(r->v->flags & VM_SHARED))
		return -EINVAL;
	/* What is left behind must be filled again, by zeroes or from its file. */
	if ((r->flags & MREMAP_DONTUNMAP) &&
	    ((r->v->ops && !r->v->mapping) || (r->v->flags & VM_IO)))
		return -EINVAL;
	if ((r->v->flags & VM_IO) && r->new_len > r->old_len)
		return -EFAULT;
	return 0;
}

static s64 remap_locked(struct remap *r)
{
	int err = check_area(r);

	if (err)
		return err;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return move(r);
	if (only_shrinks(r)) {
		if (r->new_len < r->old_len)
			err = mm_detach(r->mm, r->old + r->new_len,
					r->old + r->old_len, &r->gone);
		return err ? err : (s64)r->old;
	}
	if (r->old_len && grow_here(r) == 0)
		return (s64)r->old;
	return r->flags & MREMAP_MAYMOVE ? move(r) : -ENOMEM;
}

static int check_args(const struct remap *r)
{
	u64 to_end = r->to + r->new_len;

	if (r->flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
	    (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) &&
	     !(r->flags & MREMAP_MAYMOVE)) ||
	    r->old % PAGE_SIZE || r->new_len == 0)
		return -EINVAL;
	if ((r->flags & MREMAP_DONTUNMAP) && r->old_len != r->new_len)
		return -EINVAL;
	if (!(r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return 0;
	if (r->to % PAGE_SIZE || r->new_len > USER_TOP || to_end > USER_TOP ||
	    r->to > USER_TOP ||
	    (r->to < r->old + r->old_len && r->old < to_end))
		return -EINVAL;
	return (r->flags & MREMAP_FIXED) && !mm_may_place(r->to) ? -EPERM : 0;
}

s64 mm_mremap(struct mm *mm, u64 old, u64 old_len, u64 new_len, u32 flags,
	      u64 new_addr)
{
	struct remap r = {
		.mm = mm,
		.old = old,
		.old_len = ALIGN_UP(old_len, PAGE_SIZE),
		.new_len = ALIGN_UP(new_len, PAGE_SIZE),
		.to = new_addr,
		.flags = flags,
	};
	s64 at = check_args(&r);

	if (at)
		return at;
	list_init(&r.gone);
	down_write(&mm->lock);
	at = remap_locked(&r);
	up_write(&mm->lock);
	mm_free_detached(&r.gone);
	if (at >= 0 && r.fill < r.fill_end)
		(void)mm_populate(mm, r.fill, r.fill_end, true);
	return at;
}

/* --- remap_file_pages(2): as Linux does today, by an area for each part */

/* The area at @addr, when [addr, end) is of one object throughout, and alike. */
static struct vma *object_at(struct mm *mm, u64 addr, u64 end)
{
	struct vma *v = vma_at(mm, addr), *last = v, *next;

	if (!v || !(v->flags & VM_SHARED) || !v->mapping)
		return NULL;
	for (; last->end < end; last = next) {
		next = vma_next(last);
		if (!next || next->start != last->end ||
		    next->mapping != v->mapping || next->flags != v->flags)
			return NULL;
	}
	return v;
}

/* Put page @pgoff on of the object there; mm->lock held for writing. */
static int show_other(struct mm *mm, u64 addr, u64 end, u64 pgoff,
		      struct list_head *gone)
{
	struct vma *v = object_at(mm, addr, end), *n;
	int err;

	if (!v)
		return -EINVAL;
	if (mm->nr_vmas + 2 >= load_once(&max_map_count))
		return -ENOMEM;
	n = vma_dup(v);
	if (!n)
		return -ENOMEM;
	n->start = addr;
	n->end = end;
	n->pgoff = pgoff;
	err = mm_detach(mm, addr, end, gone);
	if (err) {
		vma_free(n);
		return err;
	}
	vma_insert(mm, n);
	vma_merge(n);
	return 0;
}

int mm_remap_file(struct mm *mm, u64 addr, u64 len, u64 pgoff, bool populate)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	u64 end;
	int err;

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	len = ALIGN_DOWN(len, PAGE_SIZE);
	end = addr + len;
	if (end <= addr || pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	if (pgoff >> 51)
		return -EOVERFLOW;
	down_write(&mm->lock);
	err = show_other(mm, addr, end, pgoff, &gone);
	up_write(&mm->lock);
	mm_free_detached(&gone);
	if (!err && populate)
		(void)mm_populate(mm, addr, end, false);
	return err;
}
