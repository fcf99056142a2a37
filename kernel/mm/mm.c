/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/mm.c - birth and death of address spaces.
 *
 * What is mapped goes with the last thread (mm_unmap_all()); the object and its
 * root table go with the last reference, which a hart that has the table loaded or
 * a reader of /proc may hold.
 *
 * Context: mm_new, mm_get: any; mm_unmap_all: coroutine; mm_put: any once
 * mm_unmap_all() has run, else coroutine.
 */
#include <kernel/mm/pt.h>
#include <kernel/mm/vma.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/hotmem.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

static struct kmem_cache *mm_cache; /* [I] after the first use */

struct mm *mm_new(void)
{
	struct mm *mm;

	if (unlikely(!mm_cache)) {
		mm_cache = kmem_cache_create("mm", sizeof(struct mm), 64);
		if (mm_cache)
			kmem_cache_place(mm_cache, PLACE_MM, NR_MM);
	}
	mm = mm_cache ? kmem_cache_zalloc(mm_cache) : NULL;
	if (!mm)
		return NULL;
	mm->root = mmu_new_root();
	if (!mm->root) {
		kmem_cache_free(mm_cache, mm);
		return NULL;
	}
	mm->refs = 1;
	rwsem_init(&mm->lock);
	spin_init(&mm->pt_lock, "pt", RANK_PT);
	mm->mmap_base = USER_TOP - (128ul << 20);
	mm->dumpable = 1;
	mm->core_filter = CORE_FILTER_DEFAULT;
	return mm;
}

struct mm *mm_get(struct mm *mm)
{
	u32 old = atomic_fetch_add(&mm->refs, 1u);

	KASSERT(old != 0);
	return mm;
}

void mm_put(struct mm *mm)
{
	if (!mm || !atomic_dec_and_test(&mm->refs))
		return;
	if (!rb_empty(&mm->vmas) || mm->exe)
		mm_unmap_all(mm);
	/* every table is gone, or its frames would leak */
	KASSERT(table_page(mm->root)->inuse == 0);
	mmu_free_root(mm->root);
	kmem_cache_free(mm_cache, mm);
}

/* Free all areas; children before parents, so that no freed node is read.  The last
 * reference to a file may go with them, and its end may want mm->lock. */
static void free_vmas(struct rb_node *n)
{
	while (n) {
		struct rb_node *parent = n->parent;

		if (n->left) {
			n = n->left;
			continue;
		}
		if (n->right) {
			n = n->right;
			continue;
		}
		if (parent && parent->left == n)
			parent->left = NULL;
		else if (parent)
			parent->right = NULL;
		vma_free(rb_entry(n, struct vma, node));
		n = parent;
	}
}

void mm_unmap_all(struct mm *mm)
{
	struct rb_node *areas;
	struct file *exe;
	struct gather g;

	/* No thread is left to load the table again. */
	hart_drop_mm(mm);
	down_write(&mm->lock);
	gather_init(&g, mm);
	g.tables_too = true;
	/* the last copies and TLB entries; from here on nobody walks the table */
	mm_flush(mm);
	g.dying = true;
	for (struct vma *v = vma_first(mm); v; v = vma_next(v)) {
		vma_unlink_mapping(v);
		pt_zap(&g, v->start, v->end, false);
	}
	gather_finish(&g);
	pt_free_all(mm);
	areas = mm->vmas.node;
	mm->vmas = RB_ROOT;
	mm->nr_vmas = 0;
	pmem_account(PMEM_COMMITTED, -(s64)mm->data_pages);
	mm->total_pages = mm->locked_pages = mm->data_pages = 0;
	mm->most_pages = 0;
	exe = mm->exe;
	mm->exe = NULL;
	up_write(&mm->lock);
	free_vmas(areas);
	if (exe)
		file_put(exe);
}

void mm_for_each_vma(struct mm *mm, void (*fn)(struct vma *v, void *ctx),
		     void *ctx)
{
	down_read(&mm->lock);
	for (struct vma *v = vma_first(mm); v; v = vma_next(v))
		fn(v, ctx);
	up_read(&mm->lock);
}
