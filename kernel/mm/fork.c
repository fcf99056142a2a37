/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/fork.c - copies an address space for fork(2).
 *
 * Only private frames are shared copy-on-write; what a fault finds again in a
 * file or memory object is left to faults, as most children exec or exit soon.
 *
 * The pages to which the forking thread's sp and tp point are copied at once:
 * parent and child both write to them as soon as they run, so each would fault,
 * and the copy would be made anyway.
 *
 * Context: coroutine.  Locking: old->lock for writing; old->pt_lock per table.
 */
#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>

#include <kernel/file/file.h>
#include <kernel/sched/thread.h>
#include <lib/errno.h>
#include <lib/string.h>

struct copy {
	struct mm *old, *new;
	u64 hot[2];   /* pages copied at once */
	bool flush;   /* an entry of old became read-only */
};

/* A copy of a hot page's frame in *@dst instead of a shared one. */
static bool copy_now(struct copy *c, pte_t e, pte_t *dst)
{
	struct page *pg;

	if (!(e & PTE_W))
		return false;
	pg = page_alloc(0, GFP_USER);
	if (!pg)
		return false;
	copy_page(page_addr(pg), page_addr(pte_page(e)));
	pg->flags = PG_ANON;
	store_once(dst, pte_make(page_phys(pg), e & ((1ull << PTE_PPN_SHIFT) - 1)));
	pmem_account(PMEM_ANON, 1);
	c->new->rss_anon++;
	return true;
}

/* Entries of one leaf table, @va to @end; old->pt_lock held. */
static void copy_leaf(struct copy *c, pte_t *src, pte_t *dst, u64 va, u64 end)
{
	u32 left = table_page(src)->inuse, copied = 0;
	u64 shared = 0;

	for (; va < end && left > 0; va += PAGE_SIZE, src++, dst++) {
		pte_t e = *src;
		struct page *pg;

		if (!e)
			continue;
		left--;
		if (e & PTE_SPECIAL)
			continue;
		pg = pte_page(e);
		if (!(load_once(&pg->flags) & PG_ANON))
			continue;
		copied++;
		if (unlikely(va == c->hot[0] || va == c->hot[1]) &&
		    copy_now(c, e, dst))
			continue;
		if (e & PTE_W) {
			e = (e & ~PTE_W) | PTE_COW;
			store_once(src, e);
			c->flush = true;
		}
		(void)atomic_fetch_add(&pg->refs, 1u);
		store_once(dst, e);
		shared++;
	}
	c->new->rss_anon += shared;
	table_page(dst - 1)->inuse += (u16)copied;
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
		spin_lock(&c->old->pt_lock);
		copy_leaf(c, src + l0_index(va), dst, va, next);
		spin_unlock(&c->old->pt_lock);
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
	n->flags &= ~(u32)VM_LOCKED; /* locks are not inherited */
	if (wipe)
		n->has_anon = false;
	vma_insert(c->new, n);
	if (!v->has_anon || wipe)
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
	new->exe = old->exe ? file_get(old->exe) : NULL;
}

struct mm *mm_fork(struct mm *old)
{
	struct mm *new = mm_new();
	struct copy c = { .old = old, .new = new, .hot = { ~0ull, ~0ull } };
	struct thread *t = current;
	int err = 0;

	if (!new)
		return ERR_PTR(-ENOMEM);
	if (t && t->mm == old) {
		c.hot[0] = ALIGN_DOWN(t->tf.sp, PAGE_SIZE);
		c.hot[1] = ALIGN_DOWN(t->tf.tp, PAGE_SIZE);
	}
	down_write(&old->lock);
	copy_fields(new, old);
	for (struct vma *v = vma_first(old); v && !err; v = vma_next(v))
		err = copy_vma(&c, v);
	if (c.flush)
		mm_flush(old);
	up_write(&old->lock);
	if (!err)
		return new;
	mm_put(new);
	return ERR_PTR(err);
}
