/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mmap.c - makes and removes areas: mmap, munmap, brk.
 *
 * A new area is complete, its object asked, before mm->lock is taken, so that
 * nothing has changed after an error and no file system runs under the lock.
 * Areas that were removed are freed after it, because the last reference to a
 * file may go with them.
 *
 * Context: coroutine.  Locking: mm->lock for writing.
 */
#include <kernel/mm/mmap.h>

#include <kernel/file/file.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/pt.h>
#include <kernel/pmu/hooks.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define MAP_HUGETLB   0x40000
#define MAP_DROPPABLE 0x08 /* a type, like MAP_PRIVATE */
/* What MAP_SHARED_VALIDATE knows: all but MAP_SYNC. */
#define MAP_KNOWN 0xfc17ff3fu /* sizes of huge pages are not looked at */

#define BSS_AHEAD (8 * PAGE_SIZE)

static const char heap_label[] = "[heap]";

/* --- limits */

u64 overcommit_memory;
u64 overcommit_ratio = 50;
u64 overcommit_kbytes;

u64 mm_commit_limit(void)
{
	u64 kbytes = load_once(&overcommit_kbytes);

	return kbytes ? kbytes / (PAGE_SIZE / 1024)
		      : pmem_total_pages() * load_once(&overcommit_ratio) / 100;
}

bool mm_commit_fits(u64 pages)
{
	return load_once(&overcommit_memory) != OVERCOMMIT_NEVER || !pages ||
	       pmem_committed_pages() + pages <= mm_commit_limit();
}

bool mm_data_fits(struct mm *mm, u64 pages)
{
	return pages == 0 || (mm->data_pages + pages <=
				      rlimit_cur(RLIMIT_DATA) >> PAGE_SHIFT &&
			      mm_commit_fits(pages));
}

int vma_may_grow(struct mm *mm, u64 pages, u32 flags)
{
	if (mm->total_pages + pages > rlimit_cur(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if (!vma_is_data(flags))
		return 0;
	if (!mm_data_fits(mm, pages))
		return -ENOMEM;
	/* what can never be backed is refused at once */
	if (!load_once(&overcommit_memory) && !(flags & VM_NORESERVE) &&
	    pages > pmem_total_pages())
		return -ENOMEM;
	return 0;
}

int mm_may_lock(struct mm *mm, u64 pages)
{
	u64 limit = rlimit_cur(RLIMIT_MEMLOCK);

	if (capable(CAP_IPC_LOCK))
		return 0;
	if (limit == 0)
		return -EPERM;
	return mm->locked_pages + pages > limit >> PAGE_SHIFT ? -EAGAIN : 0;
}

/* --- removing */

int mm_detach(struct mm *mm, u64 start, u64 end, struct list_head *gone)
{
	struct vma *v, *next;
	struct gather g;
	int err;

	if (!vma_overlap(mm, start, end))
		return 0;
	if (mm_sealed(mm, start, end))
		return -EPERM;
	err = vma_split_at(mm, start, end);
	if (err)
		return err;
	gather_init(&g, mm);
	g.tables_too = true;
	/* its entries first: until they are gone write-back must find the area */
	for (v = vma_overlap(mm, start, end); v && v->start < end;
	     v = vma_next(v))
		pt_zap(&g, v->start, v->end, false);
	gather_finish(&g);
	for (v = vma_overlap(mm, start, end); v && v->start < end; v = next) {
		next = vma_next(v);
		vma_remove(mm, v);
		list_add_tail(&v->map_node, gone);
	}
	return 0;
}

void mm_free_detached(struct list_head *gone)
{
	struct vma *v, *tmp;

	list_for_each_entry_safe(v, tmp, gone, map_node) {
		list_del(&v->map_node);
		vma_free(v);
	}
}

int mm_munmap(struct mm *mm, u64 addr, u64 len)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	int err;

	if (addr % PAGE_SIZE || len == 0 || len > USER_TOP ||
	    addr > USER_TOP - len)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	down_write(&mm->lock);
	err = mm_detach(mm, addr, addr + len, &gone);
	up_write(&mm->lock);
	mm_free_detached(&gone);
	return err;
}

/* --- making */

static u32 prot_flags(u32 prot)
{
	return (prot & PROT_READ ? VM_READ : 0) |
	       (prot & PROT_WRITE ? VM_WRITE : 0) |
	       (prot & PROT_EXEC ? VM_EXEC : 0);
}

/* The area's flags in *@out. */
static int flags_of(struct mm *mm, u32 prot, u32 flags, const struct file *file,
		    u32 *out)
{
	u32 fl = prot_flags(prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
		 mm->def_flags;
	u32 type = flags & MAP_TYPE;

	if (type == MAP_DROPPABLE && !file) {
		if (flags & (MAP_LOCKED | MAP_GROWSDOWN))
			return -EINVAL;
		*out = (fl & ~VM_LOCKS) | VM_DROPPABLE | VM_NORESERVE |
		       VM_WIPEONFORK | VM_DONTDUMP;
		return 0;
	}
	if (type != MAP_SHARED && type != MAP_PRIVATE &&
	    type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && !file)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && flags & ~MAP_KNOWN)
		return -EOPNOTSUPP;
	if (type != MAP_PRIVATE)
		fl |= VM_SHARED;
	if (file && !file->can_read)
		return -EACCES;
	if (file && (fl & VM_SHARED) && !file->can_write) {
		if (prot & PROT_WRITE)
			return -EACCES;
		fl &= ~(u32)VM_MAYWRITE;
	}
	if (flags & MAP_GROWSDOWN) {
		if (file || (fl & VM_SHARED))
			return -EINVAL;
		fl |= VM_GROWSDOWN;
	}
	if (flags & MAP_NORESERVE)
		fl |= VM_NORESERVE;
	if (flags & MAP_LOCKED)
		fl |= VM_LOCKED;
	*out = fl;
	return 0;
}

/* An unlinked area at 0 with its object attached. */
static struct vma *new_area(struct mm *mm, u64 len, u32 fl, struct file *file,
			    u64 pgoff)
{
	struct vma *v = vma_alloc(mm, 0, len, fl);
	int err = 0;

	if (!v)
		return ERR_PTR(-ENOMEM);
	v->pgoff = pgoff;
	if (!file) {
		if (fl & VM_SHARED)
			err = mm_mmap_zero(NULL, v);
	} else if (!file->ops->mmap) {
		err = -ENODEV;
	} else {
		v->file = file_get(file);
		err = file->ops->mmap(file, v);
	}
	if (err) {
		v->ops = NULL; /* nothing to close */
		vma_free(v);
		return ERR_PTR(err);
	}
	if (file && !v->ops && !(v->flags & VM_IO)) {
		v->file = NULL; /* /dev/zero, private */
		file_put(file);
	}
	return v;
}

/* Where the area goes.  mm->lock held for writing. */
static s64 choose(struct mm *mm, u64 addr, u64 len, u32 flags)
{
	if (flags & MAP_FIXED_NOREPLACE)
		return vma_overlap(mm, addr, addr + len) ? -EEXIST : (s64)addr;
	if (flags & MAP_FIXED)
		return (s64)addr;
	return vma_place_near(mm, addr, len);
}

/* Link @v, taking what is in its way to @gone.  Address or -errno. */
static s64 place_area(struct mm *mm, struct vma *v, u64 addr, u32 flags,
		      struct list_head *gone)
{
	u64 len = v->end - v->start;
	s64 at = choose(mm, addr, len, flags);
	int err;

	if (at < 0)
		return at;
	if (mm->nr_vmas >= load_once(&max_map_count))
		return -ENOMEM;
	err = vma_may_grow(mm, len >> PAGE_SHIFT, v->flags);
	if (!err && (v->flags & VM_LOCKED))
		err = mm_may_lock(mm, len >> PAGE_SHIFT);
	if (!err)
		err = mm_detach(mm, (u64)at, (u64)at + len, gone);
	if (err)
		return err;
	v->start = (u64)at;
	v->end = (u64)at + len;
	vma_insert(mm, v);
	if (load_once(&mm->users)) /* else exec still needs it */
		vma_merge(v);
	return at;
}

bool mm_may_place(u64 addr)
{
	return addr >= MMAP_MIN || capable(CAP_SYS_RAWIO);
}

static int check_place(u64 addr, u64 len, u32 flags)
{
	if (len > USER_TOP)
		return -ENOMEM;
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return 0;
	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (addr > USER_TOP - len)
		return -ENOMEM;
	return mm_may_place(addr) ? 0 : -EPERM;
}

s64 mm_mmap(struct mm *mm, u64 addr, u64 len, u32 prot, u32 flags,
	    struct file *file, u64 pgoff)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	struct vma *v;
	u32 fl;
	s64 at;
	int err;

	if (len == 0)
		return -EINVAL;
	if (len > USER_TOP || flags & MAP_HUGETLB)
		return (file || (flags & MAP_TYPE) == MAP_DROPPABLE) &&
				       len <= USER_TOP
			       ? -EINVAL
			       : -ENOMEM;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (pgoff + (len >> PAGE_SHIFT) < pgoff || pgoff >> 51)
		return -EOVERFLOW;
	if (mm->mdwe && (prot & PROT_WRITE) && (prot & PROT_EXEC))
		return -EACCES;
	err = check_place(addr, len, flags);
	if (!err)
		err = flags_of(mm, prot, flags, file, &fl);
	if (err)
		return err;
	v = new_area(mm, len, fl, file, pgoff);
	if (IS_ERR(v))
		return PTR_ERR(v);
	if (unlikely(fl & VM_DROPPABLE))
		store_once(&mm->droppable, true);
	down_write(&mm->lock);
	at = place_area(mm, v, addr, flags, &gone);
	up_write(&mm->lock);
	if (unlikely(load_once(&pmu_active)) && at >= 0 && mm == current->mm)
		perf_mmap_area(current, (u64)at, len, pgoff, fl, file, NULL);
	if (at < 0)
		vma_free(v);
	else if (file && load_once(&mm->users) == 0)
		fault_ahead(v); /* exec makes a program */
	mm_free_detached(&gone);
	if (at >= 0 && (flags & MAP_POPULATE || vma_locked_now(fl)) &&
	    prot & (PROT_READ | PROT_WRITE))
		(void)mm_populate(mm, (u64)at, (u64)at + len,
				  (prot & PROT_WRITE) && !(fl & VM_SHARED));
	return at;
}

/* --- areas that the kernel makes */

static int insert_at(struct mm *mm, struct vma *v)
{
	int err = 0;

	down_write(&mm->lock);
	if (vma_overlap(mm, v->start, v->end))
		err = -EEXIST;
	else if (mm->nr_vmas >= load_once(&max_map_count))
		err = -ENOMEM;
	else
		err = vma_may_grow(mm, vma_pages(v), v->flags);
	if (!err)
		vma_insert(mm, v);
	up_write(&mm->lock);
	if (err)
		vma_free(v);
	return err;
}

static bool bad_range(u64 start, u64 len)
{
	return start % PAGE_SIZE || len % PAGE_SIZE || len == 0 ||
	       len > USER_TOP || start > USER_TOP - len;
}

int mm_map_anon(struct mm *mm, u64 start, u64 len, u32 vmflags,
		const char *label)
{
	struct vma *v;
	int err;

	if (bad_range(start, len))
		return -EINVAL;
	v = vma_alloc(mm, start, start + len,
		      vmflags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	if (!v)
		return -ENOMEM;
	v->label = label;
	err = insert_at(mm, v);
	/* the bss of a new program is written at once */
	if (!err && load_once(&mm->users) == 0 && len <= BSS_AHEAD &&
	    (vmflags & VM_WRITE))
		(void)mm_populate(mm, start, start + len, true);
	return err;
}

static int kernel_page_fault(struct vma *v, u64 pgoff __unused,
			     bool write __unused, struct page **pg)
{
	*pg = page_get(v->priv);
	return 0;
}

static void kernel_page_open(struct vma *v)
{
	(void)page_get(v->priv);
}

static void kernel_page_close(struct vma *v)
{
	page_put(v->priv);
}

static const struct vm_ops kernel_page_ops = {
	.fault = kernel_page_fault,
	.open = kernel_page_open,
	.close = kernel_page_close,
};

int mm_map_page(struct mm *mm, u64 va, struct page *pg, u32 vmflags,
		const char *label)
{
	struct vma *v;

	if (bad_range(va, PAGE_SIZE))
		return -EINVAL;
	v = vma_alloc(mm, va, va + PAGE_SIZE,
		      vmflags | VM_MAYREAD | VM_MAYEXEC);
	if (!v)
		return -ENOMEM;
	v->label = label;
	v->ops = &kernel_page_ops;
	v->priv = page_get(pg);
	return insert_at(mm, v);
}

void mm_change_page(struct mm *mm, struct page *pg)
{
	struct gather g;

	down_write(&mm->lock);
	gather_init(&g, mm);
	for (struct vma *v = vma_first(mm); v; v = vma_next(v)) {
		if (v->ops != &kernel_page_ops || v->priv == pg)
			continue;
		pt_zap(&g, v->start, v->end, false);
		page_put(v->priv);
		v->priv = page_get(pg);
	}
	gather_finish(&g);
	up_write(&mm->lock);
}

/* --- brk */

static int brk_grow(struct mm *mm, u64 from, u64 to)
{
	u32 fl = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC |
		 mm->def_flags;
	struct vma *v = from > 0 ? vma_at(mm, from - 1) : NULL;

	if (to > USER_TOP || !vma_range_free(mm, from, to - from) ||
	    vma_may_grow(mm, (to - from) >> PAGE_SHIFT, fl))
		return -ENOMEM;
	if ((fl & VM_LOCKED) && mm_may_lock(mm, (to - from) >> PAGE_SHIFT))
		return -EAGAIN;
	if (v && v->end == from && v->label == heap_label && v->flags == fl) {
		vma_resize(v, v->start, to);
		return 0;
	}
	if (mm->nr_vmas >= load_once(&max_map_count))
		return -ENOMEM;
	v = vma_alloc(mm, from, to, fl);
	if (!v)
		return -ENOMEM;
	v->label = heap_label;
	vma_insert(mm, v);
	return 0;
}

s64 mm_brk(struct mm *mm, u64 brk)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	u64 from, to, data;
	bool populate = false;
	int err = 0;

	if (brk < load_once(&mm->start_brk) || brk > USER_TOP)
		return (s64)load_once(&mm->brk);
	down_write(&mm->lock);
	from = ALIGN_UP(mm->brk, PAGE_SIZE);
	to = ALIGN_UP(brk, PAGE_SIZE);
	data = brk - mm->start_brk + (mm->end_data - mm->start_data);
	if (brk > mm->brk && data > rlimit_cur(RLIMIT_DATA))
		err = -ENOMEM;
	else if (to > from)
		err = brk_grow(mm, from, to);
	else if (to < from)
		err = mm_detach(mm, to, from, &gone);
	if (!err)
		mm->brk = brk;
	populate = !err && to > from && vma_locked_now(mm->def_flags);
	brk = mm->brk;
	up_write(&mm->lock);
	mm_free_detached(&gone);
	if (populate)
		(void)mm_populate(mm, from, to, true);
	return (s64)brk;
}
