/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/fork.c - copies an address space for fork(2).
 *
 * Private frames are shared copy-on-write.  Pages of small private file mappings
 * (the program itself) are mapped again too, because taking a reference is much
 * cheaper than the fault that it saves; larger and shared ones are left to faults.
 *
 * Some pages are copied at once, because parent or child write to them as soon as
 * they run: that would be a fault, and the copy would be made anyway.  These are the
 * pages to which sp and tp of the caller point, and those that the parent or a child
 * wrote first after the last fork (PG_HOT).  What is hot is learnt anew now and then.
 * A writable page of which somebody else has the frame is being read into by a device
 * (O_DIRECT): the parent keeps that frame, and the child gets a copy whatever it costs.
 *
 * Context: coroutine.  Locking: old->lock for writing; per table the pt_locks of old
 * and new, in this order.
 */
#include <kernel/mm/mmap.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/uffd.h>
#include <kernel/mm/vma.h>

#include <kernel/file/file.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/pagecache.h>
#include <kernel/sched/thread.h>
#include <lib/errno.h>
#include <lib/string.h>

#define FILES_MAX 1024u /* pages of an area whose file pages are copied */

#define HOT_MAX 16u /* copies at once in one fork, at most */
#define FORGET	16u /* forks after which hot pages must prove themselves */

struct copy {
	struct mm *old, *new;
	struct vma *v; /* the area at hand */
	u64 sp, tp;    /* pages of the caller, copied at once */
	u32 budget;    /* copies at once that are left */
	bool forget;   /* nothing is hot this time */
	bool files;    /* this area's file pages are copied too */
	bool flush;    /* an entry of old became read-only */
	bool code;     /* what new may execute was copied at once */
	bool failed;   /* no memory for a copy that must be */
};

/* A copy of a hot page's frame in *@dst instead of a shared one.  @must: not of that
 * only. */
static bool copy_now(struct copy *c, struct page *src, pte_t *dst, bool must)
{
	struct page *pg;

	if (c->budget == 0 && !must) {
		if (c->forget)
			(void)atomic_fetch_and(&src->flags, (u32)~PG_HOT);
		return false;
	}
	pg = page_alloc(0, GFP_USER);
	if (!pg) {
		c->failed |= must;
		return false;
	}
	copy_page(page_addr(pg), page_addr(src));
	pg->flags = PG_ANON;
	store_once(dst, page_pte(pg, pt_prot(c->v, true)));
	pmem_account(PMEM_ANON, 1);
	c->code |= (c->v->flags & VM_EXEC) != 0;
	c->budget -= c->budget != 0;
	return true;
}

/* Entries of one leaf table, @va to @end; both pt_locks held. */
static void copy_leaf(struct copy *c, pte_t *src, pte_t *dst, u64 va, u64 end)
{
	u32 left = table_page(src)->inuse, shared = 0, files = 0, now = 0;
	u32 poison = 0;
	struct page *const frames = pfn_base, *file = NULL;
	bool with_files = c->files;

	for (; va < end && left > 0; va += PAGE_SIZE, src++, dst++) {
		pte_t e = *src;
		struct page *pg;
		bool held;
		u32 fl;

		if (!e)
			continue;
		left--;
		if (e & PTE_SPECIAL) {
			if (e != PTE_POISON)
				continue;
			store_once(dst, e);
			poison++;
			continue;
		}
		pg = frames + (e >> PTE_PPN_SHIFT);
		fl = load_once(&pg->flags);
		if (!(fl & PG_ANON)) {
			if (!with_files)
				continue;
			page_ref(pg);
			store_once(dst, e);
			file = pg;
			files++;
			continue;
		}
		held = (e & PTE_W) && unlikely(load_once(&pg->refs) != 1);
		if (unlikely((fl & PG_HOT) || va == c->sp || va == c->tp ||
			     held) &&
		    copy_now(c, pg, dst, held)) {
			now++;
			continue;
		}
		if (e & PTE_W) {
			e &= ~PTE_W;
			store_once(src, e);
			c->flush = true;
		}
		page_ref(pg);
		store_once(dst, e & ~PTE_UFFD_WP);
		shared++;
	}
	c->new->rss_anon += shared + now;
	table_page(dst - 1)->inuse += (u16)(shared + now + files + poison);
	if (files)
		rss_add(c->new, file, files); /* all of one mapping */
}

static int copy_range(struct copy *c, u64 start, u64 end)
{
	u64 next;

	for (u64 va = start; va < end; va = next) {
		pte_t *src, *dst;

		next = min(end, ALIGN_DOWN(va, L0_SIZE) + L0_SIZE);
		src = pt_leaf(c->old, va);
		if (!src || table_page(src)->inuse == 0)
			continue;
		dst = pt_make(c->new, va);
		if (!dst)
			return -ENOMEM;
		/* the new table is known to the reverse map already; nobody
		 * else ever holds two of these locks */
		spin_lock(&c->old->pt_lock);
		spin_lock_nested(&c->new->pt_lock);
		copy_leaf(c, src + l0_index(va), dst, va, next);
		spin_unlock(&c->new->pt_lock);
		spin_unlock(&c->old->pt_lock);
		if (c->failed)
			return -ENOMEM;
		if (next < end)
			cond_resched();
	}
	return 0;
}

static int copy_vma(struct copy *c, struct vma *v)
{
	bool wipe = (v->flags & VM_WIPEONFORK) != 0;
	struct vma *n;

	if (v->flags & VM_DONTFORK)
		return 0;
	n = vma_dup(v);
	if (!n)
		return -ENOMEM;
	n->mm = c->new;
	n->flags &= ~VM_LOCKS; /* locks are not inherited */
	uffd_drop(n);
	if (wipe)
		n->has_anon = false;
	vma_insert_child(c->new, n, v);
	c->v = v;
	c->files = v->ops == &mapping_vm_ops && !(v->flags & VM_SHARED) &&
		   vma_pages(v) <= FILES_MAX;
	if (wipe || (!v->has_anon && !c->files))
		return 0;
	return copy_range(c, v->start, v->end);
}

/* Everything but areas, tables, counts and locks. */
static void copy_fields(struct mm *new, const struct mm *old)
{
	new->start_code = old->start_code;
	new->end_code = old->end_code;
	new->start_data = old->start_data;
	new->end_data = old->end_data;
	new->start_brk = old->start_brk;
	new->brk = old->brk;
	new->start_stack = old->start_stack;
	new->mmap_base = old->mmap_base;
	new->arg_start = old->arg_start;
	new->arg_end = old->arg_end;
	new->env_start = old->env_start;
	new->env_end = old->env_end;
	new->map_hint = old->map_hint;
	new->map_hole = old->map_hole;
	new->sigpage = old->sigpage;
	new->nr_auxv = old->nr_auxv;
	memcpy(new->auxv, old->auxv, sizeof(new->auxv));
	new->dumpable = old->dumpable;
	new->core_filter = old->core_filter;
	new->mdwe = old->mdwe &MDWE_NO_INHERIT ? 0 : old->mdwe;
	new->thp_disable = old->thp_disable;
	new->exe = old->exe ? file_get(old->exe) : NULL;
}

struct mm *mm_fork(struct mm *old)
{
	struct mm *new = mm_new();
	struct copy c = { .old = old,
			  .new = new,
			  .sp = ~0ull,
			  .tp = ~0ull,
			  .budget = HOT_MAX };
	struct thread *t = current;
	int err = 0;

	if (!new)
		return ERR_PTR(-ENOMEM);
	if (t && t->mm == old) {
		c.sp = ALIGN_DOWN(t->tf.sp, PAGE_SIZE);
		c.tp = ALIGN_DOWN(t->tf.tp, PAGE_SIZE);
	}
	down_write(&old->lock);
	if (!mm_commit_fits(old->data_pages)) {
		up_write(&old->lock);
		mm_put(new);
		return ERR_PTR(-ENOMEM);
	}
	/* every now and then all are shared, and the first writers get hot */
	c.forget = ++old->nr_forks % FORGET == 0;
	if (c.forget)
		c.budget = 0;
	old->cow_faults = 0;
	copy_fields(new, old);
	for (struct vma *v = vma_first(old); v && !err; v = vma_next(v))
		err = copy_vma(&c, v);
	if (c.flush)
		mm_flush(old);
	up_write(&old->lock);
	if (c.code)
		mm_icache_changed(new);
	if (!err)
		return new;
	mm_put(new);
	return ERR_PTR(err);
}
