/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/madvise.c - advice about memory, and asking what is there.
 *
 * DONTNEED and FREE drop private frames at once.  REMOVE punches a hole.  PAGEOUT
 * lets go of a file's pages (there is no swap for others).  Advice about reading or
 * huge pages is accepted and has no effect: reading is adaptive, and there are no
 * huge pages.
 *
 * Context: coroutine.  Locking: mm->lock for reading, for writing where areas
 * change their flags.
 */
#include <kernel/file/file.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/mmap.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>

enum advice {
	MADV_NORMAL = 0,
	MADV_RANDOM = 1,
	MADV_SEQUENTIAL = 2,
	MADV_WILLNEED = 3,
	MADV_DONTNEED = 4,
	MADV_FREE = 8,
	MADV_REMOVE = 9,
	MADV_DONTFORK = 10,
	MADV_DOFORK = 11,
	MADV_HUGEPAGE = 14,
	MADV_NOHUGEPAGE = 15,
	MADV_DONTDUMP = 16,
	MADV_DODUMP = 17,
	MADV_WIPEONFORK = 18,
	MADV_KEEPONFORK = 19,
	MADV_COLD = 20,
	MADV_PAGEOUT = 21,
	MADV_POPULATE_READ = 22,
	MADV_POPULATE_WRITE = 23,
	MADV_DONTNEED_LOCKED = 24,
};

#define FALLOC_KEEP_SIZE  1u
#define FALLOC_PUNCH_HOLE 2u

#define MS_ASYNC      1u
#define MS_INVALIDATE 2u
#define MS_SYNC	      4u

/* The part of [start, end) that @v covers. */
struct part {
	struct vma *v;
	u64 start, end;
};

static bool first_part(struct mm *mm, u64 start, u64 end, struct part *p)
{
	p->v = vma_overlap(mm, start, end);
	if (!p->v)
		return false;
	p->start = max(start, p->v->start);
	p->end = min(end, p->v->end);
	return true;
}

static bool next_part(u64 end, struct part *p)
{
	p->v = vma_next(p->v);
	if (!p->v || p->v->start >= end)
		return false;
	p->start = p->v->start;
	p->end = min(end, p->v->end);
	return true;
}

/* --- dropping */

static int drop(struct mm *mm, u64 start, u64 end, int advice)
{
	struct gather g;
	struct part p;
	int err = 0;
	bool more;

	gather_init(&g, mm);
	down_read(&mm->lock);
	for (more = first_part(mm, start, end, &p); more;
	     more = next_part(end, &p)) {
		u32 fl = p.v->flags;

		if ((fl & VM_IO) ||
		    ((fl & VM_LOCKED) && advice != MADV_DONTNEED_LOCKED) ||
		    (advice == MADV_FREE && (p.v->ops || (fl & VM_SHARED)))) {
			err = -EINVAL;
			break;
		}
		if (mm_sealed_readonly(mm, p.start, p.end)) {
			err = -EPERM;
			break;
		}
		pt_zap(&g, p.start, p.end, false);
	}
	gather_finish(&g);
	up_read(&mm->lock);
	return err;
}

/* A hole in the file below @p, made as fallocate() does.  mm->lock is given up
 * meanwhile. */
static int punch_part(struct mm *mm, const struct part *p)
{
	u64 off = vma_pgoff(p->v, p->start) << PAGE_SHIFT;
	u64 len = p->end - p->start;
	struct file *f = p->v->file;
	int err;

	if ((p->v->flags & (VM_LOCKED | VM_IO)) || !p->v->mapping)
		return -EINVAL;
	if (!(p->v->flags & VM_SHARED) || !(p->v->flags & VM_MAYWRITE))
		return -EACCES;
	if (p->v->mapping->ops->no_writeback) {
		mapping_punch(p->v->mapping, off, off + len);
		return 0;
	}
	if (!f || !f->ops->fallocate)
		return -EOPNOTSUPP;
	file_get(f);
	up_read(&mm->lock);
	err = f->ops->fallocate(f, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, off,
				len);
	file_put(f);
	down_read(&mm->lock);
	return err;
}

static int punch(struct mm *mm, u64 start, u64 end)
{
	struct part p;
	int err = 0;

	down_read(&mm->lock);
	while (!err && start < end && first_part(mm, start, end, &p)) {
		start = p.end;
		err = punch_part(mm, &p);
	}
	up_read(&mm->lock);
	return err;
}

/* COLD and PAGEOUT; who maps a file's page without changes can have it again. */
static int age(struct mm *mm, u64 start, u64 end, bool out)
{
	struct gather g;
	struct part p;
	int err = 0;
	bool more;

	gather_init(&g, mm);
	down_read(&mm->lock);
	for (more = first_part(mm, start, end, &p); more;
	     more = next_part(end, &p)) {
		if (p.v->flags & (VM_LOCKED | VM_IO)) {
			err = -EINVAL;
			break;
		}
		if (out && ((p.v->flags & VM_DROPPABLE) ||
			    (p.v->mapping && !load_once(&p.v->has_anon))))
			pt_zap(&g, p.start, p.end, false);
	}
	gather_finish(&g);
	up_read(&mm->lock);
	return err;
}

/* --- flags of areas */

static int change_flags(struct mm *mm, u64 start, u64 end, u32 set, u32 clear)
{
	struct vma *v, *next;
	int err = 0;

	down_write(&mm->lock);
	for (v = vma_overlap(mm, start, end);
	     set == VM_WIPEONFORK && v && v->start < end; v = vma_next(v)) {
		if (v->ops || (v->flags & VM_SHARED))
			err = -EINVAL;
	}
	for (v = vma_overlap(mm, start, end);
	     (clear & (VM_WIPEONFORK | VM_DONTDUMP)) && v && v->start < end;
	     v = vma_next(v)) {
		if (v->flags & VM_DROPPABLE)
			err = -EINVAL;
	}
	if (!err)
		err = vma_split_at(mm, start, end);
	for (v = vma_overlap(mm, start, end); !err && v && v->start < end;
	     v = next) {
		vma_set_flags(v, (v->flags | set) & ~clear);
		v = vma_merge(v);
		next = vma_next(v);
	}
	up_write(&mm->lock);
	return err;
}

/* Everything may be used so, as far as it is mapped at all. */
static bool may_populate(struct mm *mm, u64 start, u64 end, u32 need)
{
	bool ok = true;
	struct vma *v;

	down_read(&mm->lock);
	for (v = vma_overlap(mm, start, end); v && v->start < end;
	     v = vma_next(v))
		ok &= (v->flags & need) && !(v->flags & VM_IO);
	up_read(&mm->lock);
	return ok;
}

static int populate(struct mm *mm, u64 start, u64 end, bool write)
{
	int err;

	if (!may_populate(mm, start, end, write ? VM_WRITE : VM_READ))
		return -EINVAL;
	err = mm_populate(mm, start, end, write);
	return err == -EIO ? -EFAULT : err == -EFAULT ? -ENOMEM : err;
}

/* Start reading the files' pages. */
static void will_need(struct mm *mm, u64 start, u64 end)
{
	struct part p;
	bool more;

	down_read(&mm->lock);
	for (more = first_part(mm, start, end, &p); more;
	     more = next_part(end, &p)) {
		u64 index = vma_pgoff(p.v, p.start), nr;

		if (!p.v->mapping)
			continue;
		nr = min((p.end - p.start) >> PAGE_SHIFT, (u64)512);
		for (u64 i = 0; i < nr; i += 16) {
			struct page *pg =
				mapping_read(p.v->mapping, index + i, NULL);

			if (IS_ERR(pg))
				break;
			page_put(pg);
		}
	}
	up_read(&mm->lock);
}

static int advise(struct mm *mm, u64 start, u64 end, int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
		return 0;
	case MADV_COLD:
	case MADV_PAGEOUT:
		return age(mm, start, end, advice == MADV_PAGEOUT);
	case MADV_WILLNEED:
		will_need(mm, start, end);
		return 0;
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return drop(mm, start, end, advice);
	case MADV_REMOVE:
		return punch(mm, start, end);
	case MADV_DONTFORK:
		return change_flags(mm, start, end, VM_DONTFORK, 0);
	case MADV_DOFORK:
		return change_flags(mm, start, end, 0, VM_DONTFORK);
	case MADV_DONTDUMP:
		return change_flags(mm, start, end, VM_DONTDUMP, 0);
	case MADV_DODUMP:
		return change_flags(mm, start, end, 0, VM_DONTDUMP);
	case MADV_WIPEONFORK:
		return change_flags(mm, start, end, VM_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return change_flags(mm, start, end, 0, VM_WIPEONFORK);
	case MADV_POPULATE_READ:
		return populate(mm, start, end, false);
	case MADV_POPULATE_WRITE:
		return populate(mm, start, end, true);
	default:
		return -EINVAL;
	}
}

/* [addr, addr + len) rounded up in *@end; false: it wraps. */
static bool range_end(u64 addr, u64 len, u64 *end)
{
	*end = addr + ALIGN_UP(len, PAGE_SIZE);
	return ALIGN_UP(len, PAGE_SIZE) >= len && *end >= addr;
}

static bool covered(struct mm *mm, u64 start, u64 end)
{
	bool all;

	down_read(&mm->lock);
	all = start >= end || vma_covered(mm, start, end);
	up_read(&mm->lock);
	return all;
}

int mm_madvise(struct mm *mm, u64 addr, u64 len, int advice)
{
	u64 end;
	int err;

	if (addr % PAGE_SIZE || !range_end(addr, len, &end))
		return -EINVAL;
	if (len == 0)
		return advise(mm, 0, 0, advice);
	err = advise(mm, addr, end, advice);
	/* as on Linux: what is mapped is treated, then the gap is reported */
	return err ? err : covered(mm, addr, end) ? 0 : -ENOMEM;
}

/* --- asking and writing back */

/* 1 when the page at @va, which is in @v, could be had without reading. */
static u8 is_resident(struct mm *mm, const struct vma *v, u64 va)
{
	pte_t *p = pt_find(mm, va);
	struct page *pg;
	u8 yes = 0;

	if (p && load_once(p))
		return 1;
	if (!v->mapping)
		return 0;
	pg = mapping_find(v->mapping, vma_pgoff(v, va));
	if (pg) {
		yes = (load_once(&pg->flags) & PG_UPTODATE) != 0;
		page_put(pg);
	}
	return yes;
}

int mm_page_there(struct mm *mm, u64 va)
{
	int err = -EFAULT;
	pte_t *p;

	down_read(&mm->lock);
	if (vma_at(mm, va)) {
		p = pt_find(mm, va);
		err = p && load_once(p) ? 0 : -ENOENT;
	}
	up_read(&mm->lock);
	return err;
}

int mm_mincore(struct mm *mm, u64 addr, u64 len, uaddr_t vec)
{
	u8 buf[64];
	u64 end;

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (!range_end(addr, len, &end) || end > USER_TOP)
		return -ENOMEM;
	for (u64 va = addr; va < end;) {
		const struct vma *v;
		u32 n = 0;
		u64 last;

		down_read(&mm->lock);
		v = vma_at(mm, va);
		last = v ? min(end, v->end) : va;
		for (; n < sizeof(buf) && va < last; va += PAGE_SIZE)
			buf[n++] = is_resident(mm, v, va);
		up_read(&mm->lock);
		if (n == 0)
			return -ENOMEM;
		if (copy_to_user(vec, buf, n))
			return -EFAULT;
		vec += n;
		cond_resched();
	}
	return 0;
}

/* What fsync() promises, msync() does: the file's.  mm->lock is given up
 * meanwhile. */
static int sync_part(struct mm *mm, const struct part *p)
{
	struct file *f = p->v->file;
	int err;

	if (!(p->v->flags & VM_SHARED) || !f || !f->ops->fsync)
		return 0;
	file_get(f);
	up_read(&mm->lock);
	err = f->ops->fsync(f, true);
	file_put(f);
	down_read(&mm->lock);
	return err;
}

int mm_msync(struct mm *mm, u64 addr, u64 len, u32 flags)
{
	u64 at = addr, end;
	struct part p;
	int err = 0;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr % PAGE_SIZE ||
	    ((flags & MS_ASYNC) && (flags & MS_SYNC)))
		return -EINVAL;
	if (ALIGN_UP(len, PAGE_SIZE) == 0)
		return 0; /* also one that wraps */
	if (!range_end(addr, len, &end))
		return -ENOMEM;
	down_read(&mm->lock);
	while (!err && at < end && first_part(mm, at, end, &p)) {
		at = p.end;
		if ((flags & MS_INVALIDATE) && (p.v->flags & VM_LOCKED))
			err = -EBUSY;
		else if (flags & MS_SYNC)
			err = sync_part(mm, &p);
	}
	up_read(&mm->lock);
	return err ? err : covered(mm, addr, end) ? 0 : -ENOMEM;
}
