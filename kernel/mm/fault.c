/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/fault.c - fills page-table entries when they are touched.
 *
 * A fault finds the area, checks the access, and makes the one entry: a zeroed
 * frame for private memory that is written, the shared frame of zeroes for
 * private memory that is read, a copy for copy-on-write, the object's page for
 * files (fault_file.c).  A run of faults on neighbouring private pages is
 * answered with more and more frames at once.
 *
 * Races between threads end at the entry: everything is prepared without
 * pt_lock, then the entry is compared and set under it; the loser throws its
 * frame away and the instruction is executed again.
 *
 * A and D are preset (the U74 faults when they are 0), so no fault is about them.
 * An entry that already allows the access means a stale TLB: advancing tlb_gen
 * makes this hart flush before it returns.
 *
 * ORDERING
 *   ICACHE  code in memory, then each hart's icache_gen; the hart: it before it enters
 *	     user mode (kernel/relay/), then fence.i.  A hart that is seen asleep after
 *	     that is left alone: it comes back by a full fence (kernel/relay/idle.c).
 *
 * Context: coroutine.  Locking: mm->lock for reading unless mm is private to
 * current; mm->pt_lock at the entry.
 */
#include <kernel/mm/fault.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/uffd.h>
#include <kernel/mm/vma.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

#define SIG_BUS	   7
#define SIG_SEGV   11
#define AROUND_MAX 16u
#define HOT_FAULTS 8u /* that make a frame PG_HOT */

bool mm_is_private(struct mm *mm)
{
	struct thread *t = current;

	/* Only its own threads change areas, and only they make more threads; and
	 * userfaultfd's instances, which others may have. */
	return t && t->mm == mm && load_once(&mm->users) == 1 &&
	       !load_once(&mm->uffds);
}

void mm_icache_changed(struct mm *mm)
{
	/* ICACHE (full) - pairs with relay_run_user(). */
	for (u32 i = 0; i < nr_harts; i++)
		(void)atomic_fetch_add(&harts[i]->icache_gen, 1);
	/*
	 * Who is not on this list has yet to come by use_mm(), which is a full fence
	 * before icache_gen is read: TLBGEN (full) - pairs with use_mm().
	 */
	if (!mm_is_private(mm))
		hart_fence_i_awake(load_once(&mm->active));
}

/* --- private memory */

/* Put fresh frame @pg at @p if that is still @old; pt_lock not held. */
static bool install_anon(struct vma *v, pte_t *p, pte_t old, struct page *pg)
{
	struct mm *mm = v->mm;
	bool done;

	pg->flags = PG_ANON;
	store_once(&v->has_anon, true);
	spin_lock(&mm->pt_lock);
	done = *p == old;
	if (done) {
		pt_set(p, page_pte(pg, pt_prot(v, true)));
		mm->rss_anon++;
	}
	spin_unlock(&mm->pt_lock);
	pmem_account(PMEM_ANON, 1); /* page_put() takes it back */
	if (!done)
		page_put(pg);
	return done;
}

/*
 * More frames behind @p, which was just filled, when the entries before it are
 * filled too: as many as there are, so that a program that walks through its
 * memory faults ever more rarely.
 */
static void anon_around(struct vma *v, u64 addr, pte_t *p)
{
	u64 idx = l0_index(addr), room, run = 0;
	struct page *pg[AROUND_MAX];
	u32 n = 0, done = 0;

	while (run < AROUND_MAX && run < idx && p[-1 - (s64)run] & PTE_V)
		run++;
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	room = min((v->end - addr) >> PAGE_SHIFT, NR_PTES - idx) - 1;
	run = min(run, room);
	if (run == 0 || v->uffd || pmem_free_pages() < pmem_total_pages() / 8)
		return;
	while (n < run && p[n + 1] == 0) {
		pg[n] = page_alloc(0, GFP_USER | GFP_ZERO);
		if (!pg[n])
			break;
		pg[n++]->flags = PG_ANON;
	}
	spin_lock(&v->mm->pt_lock);
	while (done < n && *++p == 0) {
		pt_set(p, page_pte(pg[done], pt_prot(v, true)));
		done++;
	}
	v->mm->rss_anon += done;
	spin_unlock(&v->mm->pt_lock);
	pmem_account(PMEM_ANON, n);
	while (done < n)
		page_put(pg[done++]);
}

static int fault_anon(struct vma *v, u64 addr, pte_t *p, bool write)
{
	struct mm *mm = v->mm;
	struct page *pg;

	if (!write) {
		spin_lock(&mm->pt_lock);
		if (*p == 0)
			pt_set(p, pte_make(zero_page_phys,
					   pt_prot(v, false) | PTE_SPECIAL));
		spin_unlock(&mm->pt_lock);
		return 0;
	}
	pg = page_alloc(0, GFP_USER | GFP_ZERO);
	if (!pg)
		return -ENOMEM;
	if (install_anon(v, p, 0, pg))
		anon_around(v, addr, p);
	return 0;
}

/*
 * @p, which is *@e, is about to show another frame.  What one thread writes to that,
 * no other may miss because its TLB still has the old one: so where there are others
 * the entry is taken away first, with its bits left in place, and *@e is what it is
 * now.  Who faults on it meanwhile looks again.  False: it has changed.  pt_lock is
 * held, and given up meanwhile.
 */
static bool hide_entry(struct mm *mm, pte_t *p, pte_t *e)
{
	if (*p != *e)
		return false;
	if (mm_is_private(mm))
		return true;
	*e &= ~(pte_t)PTE_V;
	store_once(p, *e);
	spin_unlock(&mm->pt_lock);
	mm_flush(mm);
	spin_lock(&mm->pt_lock);
	return *p == *e;
}

/* First write to the frame of zeroes. */
static int break_zero(struct vma *v, pte_t *p, pte_t e)
{
	struct page *pg = page_alloc(0, GFP_USER | GFP_ZERO);
	struct mm *mm = v->mm;
	bool same;

	if (!pg)
		return -ENOMEM;
	spin_lock(&mm->pt_lock);
	same = hide_entry(mm, p, &e);
	spin_unlock(&mm->pt_lock);
	if (!same)
		page_put(pg);
	else if (install_anon(v, p, e, pg) && (e & PTE_V))
		mm_flush(mm);
	return 0;
}

int fault_copy_frame(struct vma *v, pte_t *p, pte_t e, u64 prot)
{
	bool zeroes = (e & PTE_SPECIAL) != 0;
	struct page *old = pte_page(e), *new;
	struct mm *mm = v->mm;

	if (!hide_entry(mm, p, &e)) {
		spin_unlock(&mm->pt_lock);
		return 0;
	}
	new = page_alloc(0, GFP_USER);
	if (!new) {
		store_once(p, e | PTE_V);
		spin_unlock(&mm->pt_lock);
		return -ENOMEM;
	}
	/* the entry's reference holds the frame while we have the lock */
	copy_page(page_addr(new), page_addr(old));
	new->flags = PG_ANON;
	store_once(&v->has_anon, true);
	if (v->flags & VM_EXEC)
		mm_icache_changed(mm);
	pt_set(p, page_pte(new, prot));
	if (zeroes) {
		mm->rss_anon++;
	} else if (!(old->flags & PG_ANON)) {
		rss_add(mm, old, -1);
		mm->rss_anon++;
	}
	spin_unlock(&mm->pt_lock);
	pmem_account(PMEM_ANON, 1);
	if (e & PTE_V)
		mm_flush(mm);
	if (!zeroes)
		page_put(old);
	return 0;
}

/* A write to a present private page: take it over or copy it. */
static int fault_cow(struct vma *v, pte_t *p, pte_t e)
{
	struct mm *mm = v->mm;
	struct page *old;

	if (e & PTE_SPECIAL)
		return break_zero(v, p, e);
	spin_lock(&mm->pt_lock);
	if (*p != e)
		goto out;
	old = pte_page(e);
	/* what is written first after a fork will be after the next one: by
	 * this process, or by another child of the one that has the frame */
	if (mm->cow_faults++ < HOT_FAULTS &&
	    (load_once(&old->flags) & (PG_ANON | PG_HOT)) == PG_ANON)
		(void)atomic_fetch_or(&old->flags, (u32)PG_HOT);
	if (!page_is_sole(old))
		return fault_copy_frame(v, p, e, pt_prot(v, true));
	store_once(p, pte_make(pte_phys(e), pt_prot(v, true)));
out:
	spin_unlock(&mm->pt_lock);
	return 0;
}

static int fault_io(struct vma *v, u64 addr, pte_t *p)
{
	paddr_t pa = v->phys + (addr - v->start);

	spin_lock(&v->mm->pt_lock);
	if (*p == 0)
		pt_set(p, pte_make(pa, pt_prot(v, true) | PTE_SPECIAL));
	spin_unlock(&v->mm->pt_lock);
	return 0;
}

/* --- the fault */

static bool allowed(const struct vma *v, u32 access)
{
	if (access == VM_READ)
		return (v->flags & (VM_READ | VM_WRITE)) != 0;
	return (v->flags & access) != 0;
}

static bool entry_allows(pte_t e, u32 access)
{
	u64 bit = access == VM_WRITE  ? PTE_W
		  : access == VM_EXEC ? PTE_X
				      : PTE_R;

	return (e & (PTE_V | bit)) == (PTE_V | bit);
}

/* @addr is in @v and the access is allowed. */
static int fault_in_vma(struct vma *v, u64 addr, u32 access)
{
	bool write = access == VM_WRITE;
	pte_t *p = pt_make(v->mm, addr), e;

	if (!p)
		return -ENOMEM;
	e = load_once(p);
	if (unlikely(v->uffd) && uffd_wants(v, addr, e, write))
		return FAULT_UFFD;
	if (unlikely(e == PTE_POISON))
		return -EIO;
	if (e == 0) {
		if (v->flags & VM_IO)
			return fault_io(v, addr, p);
		return v->ops ? fault_file(v, addr, p, write)
			      : fault_anon(v, addr, p, write);
	}
	if (entry_allows(e, access)) {
		(void)atomic_fetch_add(&v->mm->tlb_gen, 1); /* stale TLB */
		return 0;
	}
	if (!write || !(e & PTE_V))
		return -EAGAIN; /* mprotect() is about to change it */
	return v->flags & VM_SHARED ? fault_shared_write(v, addr, p, e)
				    : fault_cow(v, p, e);
}

/* The stack grows down to @addr.  0: look again. */
static int grow_stack(struct mm *mm, u64 addr)
{
	u64 start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct vma *v, *prev;
	int err = -EFAULT;

	down_write(&mm->lock);
	v = mm_find_vma(mm, addr);
	if (!v || !vma_is_stack(v))
		goto out;
	err = 0;
	if (v->start <= addr)
		goto out; /* somebody was faster */
	prev = vma_prev(v);
	if (v->end - start > rlimit_cur(RLIMIT_STACK) ||
	    (prev && prev->flags & (VM_READ | VM_WRITE | VM_EXEC) &&
	     !vma_is_stack(prev) && start < prev->end + STACK_GUARD_GAP) ||
	    vma_may_grow(mm, (v->start - start) >> PAGE_SHIFT, v->flags))
		err = -EFAULT;
	else
		vma_resize(v, start, v->end);
out:
	up_write(&mm->lock);
	return err;
}

#define GROW 1

static int fault_once(struct mm *mm, u64 addr, u32 access, int *code)
{
	struct vma *v = mm_find_vma(mm, addr);

	*code = SEGV_MAPERR;
	if (!v)
		return -EFAULT;
	if (addr < v->start)
		return vma_is_stack(v) ? GROW : -EFAULT;
	*code = SEGV_ACCERR;
	if (!allowed(v, access))
		return -EFAULT;
	return fault_in_vma(v, addr, access);
}

int mm_fault(struct mm *mm, u64 addr, u32 access, int *code)
{
	bool lock = !mm_is_private(mm);
	int err;

	*code = SEGV_MAPERR;
	if (addr >= USER_TOP)
		return -EFAULT;
	for (;;) {
		memcg_balance();
		if (lock)
			down_read(&mm->lock);
		err = fault_once(mm, addr, access, code);
		if (lock)
			up_read(&mm->lock);
		if (err == GROW) {
			err = grow_stack(mm, addr);
			*code = SEGV_MAPERR;
		} else if (err == FAULT_UFFD) {
			err = uffd_fault(mm, addr, access == VM_WRITE);
		} else if (err == -ENOMEM) {
			err = oom_wait();
		} else if (err != -EAGAIN) {
			return err;
		} else {
			cond_resched();
			err = 0;
		}
		if (err)
			return err;
	}
}

/* @va is there, for reading or for writing. */
static bool is_there(struct mm *mm, u64 va, bool write)
{
	bool lock = !mm_is_private(mm);
	pte_t *p, e;

	if (lock)
		down_read(&mm->lock);
	p = pt_find(mm, va);
	e = p ? load_once(p) : 0;
	if (lock)
		up_read(&mm->lock);
	return (e & PTE_V) && (!write || (e & PTE_W));
}

int mm_populate(struct mm *mm, u64 start, u64 end, bool write)
{
	for (u64 va = start; va < end; va += PAGE_SIZE) {
		int code, err;

		if (va >= USER_TOP)
			return -EFAULT;
		if (is_there(mm, va, write))
			continue;
		err = mm_fault(mm, va, write ? VM_WRITE : VM_READ, &code);
		if (err == -EFAULT && code == SEGV_ACCERR && !write)
			err = mm_fault(mm, va, VM_EXEC, &code);
		if (err)
			return err;
		if (va % L0_SIZE == 0)
			cond_resched();
	}
	return 0;
}

void do_user_fault(struct thread *t)
{
	u64 addr = t->tf.badaddr;
	u32 access = t->tf.cause == 12	 ? VM_EXEC
		     : t->tf.cause == 13 ? VM_READ
					 : VM_WRITE;
	u64 had_read = t->io.read_bytes;
	int code = SEGV_MAPERR, err;

	err = mm_fault(t->mm, addr, access, &code);
	if (t->io.read_bytes != had_read)
		t->majflt++;
	else
		t->minflt++;
	if (unlikely(t->memcg != NULL))
		memcg_fault_slow(t, t->io.read_bytes != had_read);
	switch (err) {
	case 0:
	case -ERESTARTSYS: /* killed: the end of the request sees to it */
	case -ENOMEM:
		break;
	case -EFAULT:
		signal_force(SIG_SEGV, code, addr);
		break;
	default:
		signal_force(SIG_BUS, BUS_ADRERR, addr);
		break;
	}
}

static int fault_init(void)
{
	struct page *pg = page_alloc(0, GFP_ZERO);

	KASSERT(pg);
	zero_page_phys = page_phys(pg);
	return 0;
}
INITCALL(INIT_CORE, fault_init);
