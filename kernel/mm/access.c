/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/access.c - reads and writes another address space.
 *
 * The areas are held by mm->lock while a page is copied, so that the table is not
 * torn down meanwhile; it is let go to fault a page in.  Secret memory is not
 * reached.
 *
 * Context: coroutine, mm->lock not held.
 */
#include <kernel/mm/user.h>

#include <kernel/mm/fault.h>
#include <kernel/mm/user_walk.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>
#include <lib/string.h>

#define RETRIES 64

/* One try within a page: 0, -EAGAIN (fault it in) or -EFAULT. */
static int copy_once(struct mm *mm, void *buf, uaddr_t a, size_t n, bool write)
{
	const struct vma *v;
	bool code = false;
	struct hart *h;
	void *p;

	down_read(&mm->lock);
	v = vma_at(mm, a);
	if (v && (v->flags & VM_SECRET)) {
		up_read(&mm->lock);
		return -EFAULT;
	}
	if (v)
		code = (v->flags & VM_EXEC) != 0;
	h = this_hart();
	p = user_begin(h, mm, a, write ? USER_WRITE : USER_READ);
	if (p) {
		if (write)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		user_end(h);
	}
	up_read(&mm->lock);
	if (p && write && unlikely(code))
		mm_icache_changed(mm);
	return p ? 0 : -EAGAIN;
}

/* The frame at @a with a reference, if nobody else has it; else what shall have one
 * of its own is at *@p, and pt_lock is held. */
static struct page *sole_frame(const struct vma *v, uaddr_t a, pte_t **p)
{
	struct page *pg;
	pte_t e;

	*p = pt_find(v->mm, a);
	if (!*p)
		return NULL;
	spin_lock(&v->mm->pt_lock);
	e = **p;
	if (!(e & PTE_V) ||
	    ((e & PTE_SPECIAL) && pte_phys(e) != zero_page_phys)) {
		spin_unlock(&v->mm->pt_lock);
		*p = NULL;
		return NULL;
	}
	pg = pte_page(e);
	if ((e & PTE_SPECIAL) || !page_is_sole(pg))
		return NULL;
	page_get(pg);
	spin_unlock(&v->mm->pt_lock);
	return pg;
}

/* Make the page at @a private to @v's memory though it is not writable.  The frame
 * with a reference, or NULL: it is not there. */
static struct page *own_page(struct vma *v, uaddr_t a)
{
	struct page *pg;
	pte_t *p;

	for (;;) {
		pg = sole_frame(v, a, &p);
		if (pg || !p)
			return pg;
		if (fault_copy_frame(v, p, *p, *p & (PTE_USER | PTE_R | PTE_X)))
			return NULL;
	}
}

/* A debugger's write to private memory that the program may not write to. */
static bool force_once(struct mm *mm, const void *buf, uaddr_t a, size_t n)
{
	struct page *pg = NULL;
	bool code = false;
	struct vma *v;

	down_read(&mm->lock);
	v = vma_at(mm, a);
	if (v)
		code = (v->flags & VM_EXEC) != 0;
	if (v && !(v->flags & (VM_SHARED | VM_IO)) && (v->flags & VM_MAYWRITE))
		pg = own_page(v, a);
	if (pg)
		memcpy((char *)page_addr(pg) + (a & (PAGE_SIZE - 1)), buf, n);
	up_read(&mm->lock);
	if (!pg)
		return false;
	if (code)
		mm_icache_changed(mm);
	page_put(pg);
	return true;
}

static bool fault_any(struct mm *mm, uaddr_t a, bool write, bool force)
{
	int code;

	if (mm_fault(mm, a, write ? VM_WRITE : VM_READ, &code) == 0)
		return true;
	return write && force && code == SEGV_ACCERR &&
	       (mm_fault(mm, a, VM_READ, &code) == 0 ||
		mm_fault(mm, a, VM_EXEC, &code) == 0);
}

static size_t copy(struct mm *mm, void *buf, uaddr_t a, size_t n, bool write,
		   bool force)
{
	size_t done = 0;
	int tries = 0;

	while (done < n) {
		size_t step = min(n - done, PAGE_SIZE - (a & (PAGE_SIZE - 1)));
		char *b = (char *)buf + done;
		int err = copy_once(mm, b, a, step, write);

		if (err == -EFAULT)
			break;
		if (!err ||
		    (tries > 0 && force && force_once(mm, b, a, step))) {
			done += step;
			a += step;
			tries = 0;
		} else if (tries++ == RETRIES ||
			   !fault_any(mm, a, write, force)) {
			break;
		}
	}
	return done;
}

size_t mm_copy_from(struct mm *mm, void *dst, uaddr_t src, size_t n)
{
	return copy(mm, dst, src, n, false, false);
}

size_t mm_copy_to(struct mm *mm, uaddr_t dst, const void *src, size_t n,
		  bool force)
{
	return copy(mm, (void *)(u64)src, dst, n, true, force);
}
