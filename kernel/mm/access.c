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
	struct hart *h;
	void *p;

	down_read(&mm->lock);
	v = vma_at(mm, a);
	if (v && (v->flags & VM_SECRET)) {
		up_read(&mm->lock);
		return -EFAULT;
	}
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
	return p ? 0 : -EAGAIN;
}

/* Make the page at @a private to @mm though it is not writable; pt_lock is taken.
 * The frame with a reference, or NULL: it is not there. */
static struct page *own_page(struct vma *v, uaddr_t a)
{
	struct mm *mm = v->mm;
	struct page *new = page_alloc(0, GFP_USER), *old = NULL;
	pte_t *p = pt_find(mm, a), e;

	if (!new || !p)
		goto out;
	spin_lock(&mm->pt_lock);
	e = *p;
	if ((e & PTE_V) &&
	    (!(e & PTE_SPECIAL) || pte_phys(e) == zero_page_phys)) {
		old = pte_page(e);
		copy_page(page_addr(new), page_addr(old));
		new->flags = PG_ANON;
		page_get(new);
		store_once(&v->has_anon, true);
		if (!(e & PTE_SPECIAL))
			rss_add(mm, old, -1);
		mm->rss_anon++;
		pt_set(p, page_pte(new, e & (PTE_USER | PTE_R | PTE_X)));
	}
	spin_unlock(&mm->pt_lock);
	if (old) {
		pmem_account(PMEM_ANON, 1);
		mm_flush(mm);
		if (!(e & PTE_SPECIAL))
			page_put(old);
		return new;
	}
out:
	if (new)
		page_put(new);
	return NULL;
}

/* A debugger's write to private memory that the program may not write to. */
static bool force_once(struct mm *mm, const void *buf, uaddr_t a, size_t n)
{
	struct page *pg = NULL;
	bool exec = false;
	struct vma *v;

	down_read(&mm->lock);
	v = vma_at(mm, a);
	if (v)
		exec = (v->flags & VM_EXEC) != 0;
	if (v && !(v->flags & (VM_SHARED | VM_IO)) && (v->flags & VM_MAYWRITE))
		pg = own_page(v, a);
	up_read(&mm->lock);
	if (!pg)
		return false;
	memcpy((char *)page_addr(pg) + (a & (PAGE_SIZE - 1)), buf, n);
	if (exec)
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
