/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/uffd_ioctl.c - userfaultfd(2): what a program asks of its instance: areas are
 * registered, and faults answered; see uffd.h.
 *
 * Context: coroutine.  Locking: uffd_int.h.
 */
#include <kernel/mm/uffd_int.h>

#include <kernel/file/file.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

/* linux/userfaultfd.h */
#define UFFD_API	    0xaaull
#define UFFDIO_API	    0xc018aa3fu
#define UFFDIO_REGISTER	    0xc020aa00u
#define UFFDIO_UNREGISTER   0x8010aa01u
#define UFFDIO_WAKE	    0x8010aa02u
#define UFFDIO_COPY	    0xc028aa03u
#define UFFDIO_ZEROPAGE	    0xc020aa04u
#define UFFDIO_MOVE	    0xc028aa05u
#define UFFDIO_WRITEPROTECT 0xc018aa06u
#define UFFDIO_CONTINUE	    0xc020aa07u
#define UFFDIO_POISON	    0xc020aa08u
#define API_IOCTLS	    (BIT(0) | BIT(1) | BIT(0x3f))
#define RANGE_IOCTLS	    (BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(8))
#define RANGE_IOCTL_WP	    BIT(6)
#define RANGE_IOCTL_MINOR   BIT(7)
#define FEATURES                                                           \
	(FEATURE_WP | FEATURE_SIGBUS | FEATURE_THREAD_ID | FEATURE_EXACT | \
	 FEATURE_POISON | FEATURE_MOVE | FEATURE_MINOR_SHM)
#define MODE_MISSING	 BIT(0)
#define MODE_WP		 BIT(1)
#define MODE_MINOR	 BIT(2)
#define COPY_MODE_WP	 BIT(1)
#define WP_MODE_WP	 BIT(0) /* WRITEPROTECT */
#define WP_MODE_DONTWAKE BIT(1)

/* --- ranges */

struct range {
	u64 start, len;
};

int uffd_check_range(u64 start, u64 len)
{
	if (start % PAGE_SIZE || len % PAGE_SIZE || !len || start >= USER_TOP ||
	    len > USER_TOP - start)
		return -EINVAL;
	return 0;
}

/* Of a file in memory, and others see what is written. */
static bool is_shared_memory(const struct vma *v)
{
	return (v->flags & VM_SHARED) && v->mapping && v->ops &&
	       v->mapping->ops->no_writeback;
}

/* May it have @flags (0: none)? */
static int vet_area(const struct uffd *u, const struct vma *v, u32 flags)
{
	if (is_shared_memory(v) ? flags & ~(u32)VM_UFFD_MINOR
				: v->ops || (flags & VM_UFFD_MINOR) ||
					  (v->flags & (VM_IO | VM_SHARED)))
		return -EINVAL;
	if (!(v->flags & VM_MAYWRITE))
		return -EPERM;
	return v->uffd && v->uffd != u ? -EBUSY : 0;
}

/* [va, end) of the leaf table @t. */
static void protect_leaf(struct mm *mm, pte_t *t, u64 va, u64 end, bool on)
{
	spin_lock(&mm->pt_lock);
	for (; va < end; va += PAGE_SIZE) {
		pte_t *p = &t[l0_index(va)], e = *p;

		if (!e || e == PTE_POISON)
			continue;
		if (on)
			store_once(p, (e & ~PTE_W) | PTE_UFFD_WP);
		else
			store_once(p, e & ~PTE_UFFD_WP);
	}
	spin_unlock(&mm->pt_lock);
}

/* Entries of [start, end) lose PTE_UFFD_WP, or get it and may not be written.  The
 * range may be all that there is, and empty. */
static void write_protect(struct mm *mm, u64 start, u64 end, bool on)
{
	u64 next, cover;
	pte_t *t;

	for (u64 va = start; va < end; va = next) {
		cover = load_once(&mm->root[l2_index(va)]) ? L0_SIZE : L1_SIZE;
		next = min(end, ALIGN_DOWN(va, cover) + cover);
		t = pt_leaf(mm, va);
		if (t && table_page(t)->inuse)
			protect_leaf(mm, t, va, next, on);
		cond_resched();
	}
	if (on)
		mm_flush(mm);
}

void uffd_unprotect(struct vma *v)
{
	if (v->flags & VM_UFFD_WP)
		write_protect(v->mm, v->start, v->end, false);
}

/* mm->lock for writing; @u NULL: nobody's any more. */
static int assign(struct mm *mm, u64 start, u64 end, struct uffd *u, u32 flags)
{
	int err = vma_split_at(mm, start, end);
	struct vma *v;

	if (err)
		return err;
	for (v = vma_overlap(mm, start, end); v && v->start < end;
	     v = vma_next(v)) {
		if (!(flags & VM_UFFD_WP) || v->uffd != u)
			uffd_unprotect(v);
		if (v->uffd && v->uffd != u)
			uffd_answer(v->uffd, v->start, v->end);
		uffd_drop(v);
		v->uffd = u;
		v->flags |= flags;
		uffd_hold(v);
	}
	return 0;
}

static int vet_range(const struct uffd *u, u64 start, u64 end, bool reg,
		     u32 flags)
{
	struct vma *v = vma_overlap(u->mm, start, end);
	int err = v ? 0 : -EINVAL;

	for (; !err && v && v->start < end; v = vma_next(v)) {
		err = vet_area(u, v, flags);
		if (!reg && (err == -EPERM || err == -EBUSY))
			err = 0;
	}
	return err;
}

static int set_range(struct uffd *u, u64 start, u64 len, bool reg, u32 flags)
{
	struct mm *mm = u->mm;
	int err = uffd_check_range(start, len);

	if (err)
		return err;
	down_write(&mm->lock);
	err = vet_range(u, start, start + len, reg, flags);
	if (!err)
		err = assign(mm, start, start + len, reg ? u : NULL, flags);
	up_write(&mm->lock);
	if (!err && !reg)
		uffd_answer(u, start, start + len);
	return err;
}

static s64 do_register(struct uffd *u, uaddr_t arg)
{
	struct {
		struct range r;
		u64 mode, ioctls;
	} a;
	u32 flags = 0;
	int err;

	if (copy_from_user(&a, arg, 24))
		return -EFAULT;
	if (!a.mode || (a.mode & ~(MODE_MISSING | MODE_WP | MODE_MINOR)))
		return -EINVAL;
	if (a.mode & MODE_MINOR)
		flags |= VM_UFFD_MINOR;
	if (a.mode & MODE_MISSING)
		flags |= VM_UFFD_MISSING;
	if (a.mode & MODE_WP)
		flags |= VM_UFFD_WP;
	err = set_range(u, a.r.start, a.r.len, true, flags);
	if (err)
		return err;
	a.ioctls = RANGE_IOCTLS | (a.mode & MODE_WP ? RANGE_IOCTL_WP : 0) |
		   (a.mode & MODE_MINOR ? RANGE_IOCTL_MINOR : 0);
	return put_user_u64(a.ioctls, arg + 24) ? -EFAULT : 0;
}

/* --- answers */

/* What install() puts there */
enum {
	WITH_WP = BIT(0),
	WITH_POISON = BIT(1), /* nothing: whoever touches it gets SIGBUS */
	WITH_FILES = BIT(2),  /* what the file has */
};

static pte_t entry_for(const struct vma *v, struct page *pg, u32 how)
{
	if (how & WITH_POISON)
		return PTE_POISON;
	if (!pg)
		return pte_make(zero_page_phys,
				pt_prot(v, false) | PTE_SPECIAL);
	return page_pte(pg, pt_prot(v, !(how & WITH_WP))) |
	       (how & WITH_WP ? PTE_UFFD_WP : 0);
}

static int install_files(struct vma *v, u64 va)
{
	pte_t *p = v->flags & VM_UFFD_MINOR ? pt_make(v->mm, va) : NULL;

	if (!p)
		return v->flags & VM_UFFD_MINOR ? -ENOMEM : -EINVAL;
	if (load_once(p))
		return -EEXIST;
	return uffd_has_page(v, va) ? fault_file(v, va, p, false) : -EFAULT;
}

/* @pg (NULL: the frame of zeroes) at @va: 0, -ENOENT, -EEXIST, -ENOMEM. */
static int install(struct uffd *u, u64 va, struct page *pg, u32 how)
{
	struct vma *v = vma_at(u->mm, va);
	pte_t *p;

	if (!v || v->uffd != u || ((how & WITH_WP) && !(v->flags & VM_UFFD_WP)))
		return v && v->uffd == u ? -EINVAL : -ENOENT;
	if (how & WITH_FILES)
		return install_files(v, va);
	if (v->ops)
		return -EINVAL; /* a file gets its pages by its own calls */
	p = pt_make(u->mm, va);
	if (!p)
		return -ENOMEM;
	if (pg && (v->flags & VM_EXEC))
		mm_icache_changed(u->mm);
	spin_lock(&u->mm->pt_lock);
	if (*p) {
		spin_unlock(&u->mm->pt_lock);
		return -EEXIST;
	}
	if (pg || (how & WITH_POISON)) /* fork is to look at it */
		store_once(&v->has_anon, true);
	if (pg) {
		pg->flags = PG_ANON;
		u->mm->rss_anon++;
	}
	pt_set(p, entry_for(v, pg, how));
	spin_unlock(&u->mm->pt_lock);
	if (pg)
		pmem_account(PMEM_ANON, 1); /* page_put() takes it back */
	return 0;
}

static int install_locked(struct uffd *u, u64 va, struct page *pg, u32 how)
{
	int err = -ESRCH;

	down_read(&u->mm->lock);
	if (load_once(&u->mm->users))
		err = install(u, va, pg, how);
	up_read(&u->mm->lock);
	return err;
}

static int copy_one(struct uffd *u, u64 dst, uaddr_t src, u32 how)
{
	struct page *pg = page_alloc(0, GFP_USER);
	int err;

	if (!pg)
		return -ENOMEM;
	err = copy_from_user(page_addr(pg), src, PAGE_SIZE)
		      ? -EFAULT
		      : install_locked(u, dst, pg, how);
	if (err)
		page_put(pg);
	return err;
}

s64 uffd_tell_done(struct uffd *u, u64 dst, u64 done, u64 len, int err,
		   bool wake, uaddr_t result)
{
	s64 r = done ? (s64)done : err;

	if (done && wake)
		uffd_answer(u, dst, dst + done);
	if (put_user_u64((u64)r, result))
		return -EFAULT;
	return r < 0 ? r : done == len ? 0 : -EAGAIN;
}

static s64 do_copy(struct uffd *u, uaddr_t arg)
{
	struct {
		u64 dst, src, len, mode;
	} a;
	u64 done = 0;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = uffd_check_range(a.dst, a.len);
	if (!err && (a.src + a.len <= a.src ||
		     (a.mode & ~(MODE_DONTWAKE | COPY_MODE_WP))))
		err = -EINVAL;
	if (err)
		return err;
	for (; !err && done < a.len; done += err ? 0 : PAGE_SIZE) {
		err = copy_one(u, a.dst + done, a.src + done,
			       a.mode & COPY_MODE_WP ? WITH_WP : 0);
		if (load_once(&current->work) & WORK_EXIT)
			break; /* killed */
		cond_resched();
	}
	return uffd_tell_done(u, a.dst, done, a.len, err,
			      !(a.mode & MODE_DONTWAKE), arg + 32);
}

/* UFFDIO_ZEROPAGE, UFFDIO_CONTINUE and UFFDIO_POISON */
static s64 do_fill(struct uffd *u, uaddr_t arg, u32 how)
{
	struct {
		struct range r;
		u64 mode;
	} a;
	u64 done = 0;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = uffd_check_range(a.r.start, a.r.len);
	if (!err && (a.mode & ~MODE_DONTWAKE))
		err = -EINVAL;
	if (err)
		return err;
	for (; !err && done < a.r.len; done += err ? 0 : PAGE_SIZE) {
		err = install_locked(u, a.r.start + done, NULL, how);
		if (load_once(&current->work) & WORK_EXIT)
			break; /* killed */
		if (done % (64 * PAGE_SIZE) == 0)
			cond_resched();
	}
	return uffd_tell_done(u, a.r.start, done, a.r.len, err,
			      !(a.mode & MODE_DONTWAKE), arg + 24);
}

static s64 do_writeprotect(struct uffd *u, uaddr_t arg)
{
	struct {
		struct range r;
		u64 mode;
	} a;
	struct vma *v;
	u64 end;
	int err;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	err = uffd_check_range(a.r.start, a.r.len);
	if (!err && ((a.mode & ~(WP_MODE_WP | WP_MODE_DONTWAKE)) ||
		     a.mode == (WP_MODE_WP | WP_MODE_DONTWAKE)))
		err = -EINVAL;
	if (err)
		return err;
	end = a.r.start + a.r.len;
	/* for writing: no fault is half-way between its look and its entry */
	down_write(&u->mm->lock);
	v = vma_overlap(u->mm, a.r.start, end);
	err = -ENOENT;
	for (; v && v->start < end; v = vma_next(v)) {
		err = v->uffd == u && (v->flags & VM_UFFD_WP) ? 0 : -ENOENT;
		if (err)
			break;
		write_protect(u->mm, max(v->start, a.r.start), min(v->end, end),
			      a.mode & WP_MODE_WP);
	}
	up_write(&u->mm->lock);
	if (!err && !(a.mode & (WP_MODE_DONTWAKE | WP_MODE_WP)))
		uffd_answer(u, a.r.start, end);
	return err;
}

static s64 do_range(struct uffd *u, uaddr_t arg, bool wake)
{
	struct range r;
	int err;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (!wake)
		return set_range(u, r.start, r.len, false, 0);
	err = uffd_check_range(r.start, r.len);
	if (!err)
		uffd_answer(u, r.start, r.start + r.len);
	return err;
}

static s64 do_api(struct uffd *u, uaddr_t arg)
{
	u64 a[3];
	int err = 0;

	if (copy_from_user(a, arg, sizeof(a)))
		return -EFAULT;
	if (a[0] != UFFD_API || (a[1] & ~FEATURES) ||
	    atomic_xchg(&u->asked, 1u))
		err = -EINVAL;
	if (!err)
		u->features = a[1];
	a[0] = err ? 0 : UFFD_API;
	a[1] = err ? 0 : FEATURES;
	a[2] = err ? 0 : API_IOCTLS;
	if (copy_to_user(arg, a, sizeof(a))) {
		if (!err)
			store_once(&u->asked, 0);
		return -EFAULT;
	}
	/* UFFD (release) - pairs with uffd_is_ready(). */
	if (!err)
		store_release(&u->ready, true);
	return err;
}

s64 uffd_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct uffd *u = f->priv;

	if (cmd != UFFDIO_API && !uffd_is_ready(u))
		return -EINVAL;
	switch (cmd) {
	case UFFDIO_API:
		return do_api(u, arg);
	case UFFDIO_REGISTER:
		return do_register(u, arg);
	case UFFDIO_UNREGISTER:
		return do_range(u, arg, false);
	case UFFDIO_WAKE:
		return do_range(u, arg, true);
	case UFFDIO_COPY:
		return do_copy(u, arg);
	case UFFDIO_ZEROPAGE:
		return do_fill(u, arg, 0);
	case UFFDIO_POISON:
		return do_fill(u, arg, WITH_POISON);
	case UFFDIO_CONTINUE:
		return do_fill(u, arg, WITH_FILES);
	case UFFDIO_MOVE:
		return uffd_move(u, arg);
	case UFFDIO_WRITEPROTECT:
		return do_writeprotect(u, arg);
	default:
		return -EINVAL;
	}
}
