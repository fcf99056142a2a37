/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/vma.c - keeps the areas of an address space in order.
 *
 * INVARIANTS
 *   I1  Areas do not overlap, are not empty and end at or below USER_TOP.
 *   I2  mm->nr_vmas, total_pages, locked_pages and data_pages are the sums over
 *       the linked areas.
 *   I3  A linked area with a mapping is on mapping->vmas.
 *   I4  Between mm->map_hint and mm->mmap_base no gap is larger than
 *       mm->map_hole.
 *
 * Context: coroutine (the reverse map's lock sleeps).  Locking: mm->lock for
 * writing; look-ups for reading.  Not here: page tables (pt.c), policy (mmap.c).
 */
#include <kernel/mm/uffd.h>
#include <kernel/mm/vma.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <lib/atomic.h>
#include <lib/errno.h>

u64 max_map_count = MAX_VMAS;

static struct kmem_cache *vma_cache; /* [I] after the first use */

static struct kmem_cache *cache(void)
{
	if (unlikely(!vma_cache))
		vma_cache = kmem_cache_create("vma", sizeof(struct vma), 8);
	return vma_cache;
}

struct vma *vma_alloc(struct mm *mm, u64 start, u64 end, u32 flags)
{
	struct kmem_cache *c = cache();
	struct vma *v = c ? kmem_cache_zalloc(c) : NULL;

	if (!v)
		return NULL;
	v->mm = mm;
	v->start = start;
	v->end = end;
	v->flags = flags;
	list_init(&v->map_node);
	return v;
}

struct vma *vma_dup(const struct vma *v)
{
	struct kmem_cache *c = cache();
	struct vma *n = c ? kmem_cache_alloc(c) : NULL;

	if (!n)
		return NULL;
	*n = *v;
	list_init(&n->map_node);
	if (n->file)
		file_get(n->file);
	uffd_hold(n);
	if (n->ops && n->ops->open)
		n->ops->open(n);
	return n;
}

void vma_free(struct vma *v)
{
	KASSERT(!list_is_linked(&v->map_node));
	if (v->ops && v->ops->close)
		v->ops->close(v);
	if (v->file)
		file_put(v->file);
	uffd_drop(v);
	kmem_cache_free(vma_cache, v);
}

/* --- looking */

struct vma *mm_find_vma(struct mm *mm, u64 addr)
{
	struct rb_node *n = mm->vmas.node;
	struct vma *best = NULL;

	while (n) {
		struct vma *v = rb_entry(n, struct vma, node);

		if (v->end > addr) {
			best = v;
			if (v->start <= addr)
				break;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct vma *vma_next(struct vma *v)
{
	return rb_entry_or_null(rb_next(&v->node), struct vma, node);
}

struct vma *vma_prev(struct vma *v)
{
	return rb_entry_or_null(rb_prev(&v->node), struct vma, node);
}

struct vma *vma_first(struct mm *mm)
{
	return rb_entry_or_null(rb_first(&mm->vmas), struct vma, node);
}

struct vma *vma_at(struct mm *mm, u64 va)
{
	struct vma *v = mm_find_vma(mm, va);

	return v && v->start <= va ? v : NULL;
}

struct vma *vma_overlap(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = mm_find_vma(mm, start);

	return v && v->start < end ? v : NULL;
}

bool vma_covered(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = vma_at(mm, start);

	while (v && v->end < end) {
		struct vma *n = vma_next(v);

		if (!n || n->start != v->end)
			return false;
		v = n;
	}
	return v != NULL;
}

/* --- linking */

/*
 * What an area shows of its object changes under i_mmap only, in one piece: write-back
 * that finds no area for a page leaves entries writable that it should not, and what
 * is stored through them later is never written.
 */
static void hold_mapping(const struct vma *v)
{
	if (v->mapping)
		mutex_lock(&v->mapping->i_mmap);
}

static void let_mapping(const struct vma *v)
{
	if (v->mapping)
		mutex_unlock(&v->mapping->i_mmap);
}

void vma_link_mapping(struct vma *v)
{
	if (!v->mapping)
		return;
	mutex_lock(&v->mapping->i_mmap);
	list_add(&v->map_node, &v->mapping->vmas);
	mutex_unlock(&v->mapping->i_mmap);
}

void vma_unlink_mapping(struct vma *v)
{
	if (!v->mapping)
		return;
	mutex_lock(&v->mapping->i_mmap);
	list_del(&v->map_node);
	mutex_unlock(&v->mapping->i_mmap);
}

/* I2; @sign 1 or -1. */
static void account(struct mm *mm, const struct vma *v, s64 sign)
{
	s64 pages = (s64)vma_pages(v) * sign;

	mm->total_pages += pages;
	mm->most_pages = max(mm->most_pages, mm->total_pages);
	if (v->flags & VM_LOCKED)
		mm->locked_pages += pages;
	if (vma_is_data(v->flags)) {
		mm->data_pages += pages;
		pmem_account(PMEM_COMMITTED, pages);
	}
}

static void tree_insert(struct mm *mm, struct vma *v)
{
	struct rb_node **link = &mm->vmas.node, *parent = NULL;

	while (*link) {
		struct vma *o = rb_entry(*link, struct vma, node);

		KASSERT(v->end <= o->start || v->start >= o->end);
		parent = *link;
		link = v->start < o->start ? &parent->left : &parent->right;
	}
	rb_link_node(&v->node, parent, link);
	rb_insert_color(&v->node, &mm->vmas);
	mm->nr_vmas++;
}

void vma_insert(struct mm *mm, struct vma *v)
{
	KASSERT(v->start < v->end && v->end <= USER_TOP);
	tree_insert(mm, v);
	account(mm, v, 1);
	vma_link_mapping(v);
}

void vma_insert_child(struct mm *mm, struct vma *v, struct vma *parent)
{
	tree_insert(mm, v);
	account(mm, v, 1);
	if (!v->mapping)
		return;
	mutex_lock(&v->mapping->i_mmap);
	list_add(&v->map_node, &parent->map_node);
	mutex_unlock(&v->mapping->i_mmap);
}

/* A gap appeared or grew below @end: I4. */
static void note_gap(struct mm *mm, u64 end)
{
	if (end > mm->map_hint)
		mm->map_hint = end;
}

void vma_remove(struct mm *mm, struct vma *v)
{
	vma_unlink_mapping(v);
	rb_erase(&v->node, &mm->vmas);
	mm->nr_vmas--;
	account(mm, v, -1);
	note_gap(mm, v->end);
}

void vma_resize(struct vma *v, u64 start, u64 end)
{
	struct mm *mm = v->mm;

	account(mm, v, -1);
	if (start > v->start)
		note_gap(mm, start);
	if (end < v->end)
		note_gap(mm, v->end);
	hold_mapping(v);
	v->pgoff += (s64)(start - v->start) >> PAGE_SHIFT;
	v->phys += start - v->start;
	v->start = start;
	v->end = end;
	let_mapping(v);
	account(mm, v, 1);
}

void vma_set_flags(struct vma *v, u32 flags)
{
	account(v->mm, v, -1);
	v->flags = flags;
	account(v->mm, v, 1);
}

/* --- cutting and joining */

int vma_split(struct vma *v, u64 va)
{
	struct mm *mm = v->mm;
	struct vma *n;

	KASSERT(va > v->start && va < v->end);
	if (v->ops && v->ops->whole)
		return -EINVAL;
	if (mm->nr_vmas >= load_once(&max_map_count))
		return -ENOMEM;
	n = vma_dup(v);
	if (!n)
		return -ENOMEM;
	n->pgoff = vma_pgoff(v, va);
	n->phys = v->phys + (va - v->start);
	n->start = va;
	/* the sums do not change: neither accounts nor gaps */
	hold_mapping(v);
	v->end = va;
	if (v->mapping)
		list_add(&n->map_node, &v->map_node);
	let_mapping(v);
	tree_insert(mm, n);
	return 0;
}

int vma_split_at(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = vma_at(mm, start);
	int err = 0;

	if (v && v->start < start)
		err = vma_split(v, start);
	v = vma_at(mm, end);
	if (!err && v && v->start < end)
		err = vma_split(v, end);
	return err;
}

static bool alike(const struct vma *a, const struct vma *b)
{
	if (a->end != b->start || a->flags != b->flags || a->file != b->file ||
	    a->ops != b->ops || a->priv != b->priv || a->label != b->label ||
	    a->mapping != b->mapping || a->uffd != b->uffd)
		return false;
	if (a->ops && a->ops->close)
		return false; /* counts its areas */
	if (a->flags & (VM_IO | VM_GROWSDOWN))
		return false;
	return !a->ops || a->pgoff + vma_pages(a) == b->pgoff;
}

/* @a swallows its right neighbour @b. */
static void join(struct vma *a, struct vma *b)
{
	struct mm *mm = a->mm;

	rb_erase(&b->node, &mm->vmas);
	mm->nr_vmas--;
	if (b->has_anon)
		a->has_anon = true;
	hold_mapping(a);
	if (a->mapping)
		list_del(&b->map_node);
	a->end = b->end;
	let_mapping(a);
	vma_free(b);
}

struct vma *vma_merge(struct vma *v)
{
	struct vma *n = vma_next(v), *p = vma_prev(v);

	if (n && alike(v, n))
		join(v, n);
	if (p && alike(p, v)) {
		join(p, v);
		v = p;
	}
	return v;
}

/* --- placing */

/* What must stay free below @v. */
static u64 low_edge(const struct vma *v)
{
	if (!vma_is_stack(v))
		return v->start;
	return v->start > STACK_GUARD_GAP ? v->start - STACK_GUARD_GAP : 0;
}

bool vma_range_free(struct mm *mm, u64 start, u64 len)
{
	struct vma *v = mm_find_vma(mm, start);

	return !v || start + len <= low_edge(v);
}

#define MMAP_MIN_ADDR 0x10000ul

/* From @top down; *@hole: the largest gap that was too small. */
static s64 place_below(struct mm *mm, u64 top, u64 len, u64 *hole)
{
	/* the last area that starts below top */
	struct vma *v = mm_find_vma(mm, top - 1);

	if (v && v->start < top) {
		top = low_edge(v);
		v = vma_prev(v);
	} else {
		if (v)
			top = min(top, low_edge(v));
		v = v ? vma_prev(v)
		      : rb_entry_or_null(rb_last(&mm->vmas), struct vma, node);
	}
	for (;;) {
		u64 floor = v ? v->end : MMAP_MIN_ADDR;

		if (top >= floor && top - floor >= len)
			return (s64)(top - len);
		if (!v)
			return -ENOMEM;
		if (top > floor)
			*hole = max(*hole, top - floor);
		top = min(top, low_edge(v));
		v = vma_prev(v);
	}
}

s64 vma_place(struct mm *mm, u64 len)
{
	bool whole = len <= mm->map_hole || !mm->map_hint;
	u64 hole = whole ? 0 : mm->map_hole;
	s64 at;

	if (len > mm->mmap_base)
		return -ENOMEM;
	at = place_below(
		mm, whole ? mm->mmap_base : min(mm->map_hint, mm->mmap_base),
		len, &hole);
	if (at < 0 && !whole) {
		hole = 0;
		at = place_below(mm, mm->mmap_base, len, &hole);
	}
	if (at >= 0) {
		mm->map_hint = (u64)at + len;
		mm->map_hole = hole;
	} else if (len <= USER_TOP - mm->mmap_base) {
		/* nothing below: the room above the stack's limit */
		hole = 0;
		at = place_below(mm, USER_TOP, len, &hole);
	}
	return at;
}

s64 vma_place_near(struct mm *mm, u64 hint, u64 len)
{
	hint = ALIGN_DOWN(hint, PAGE_SIZE);
	if (hint >= MMAP_MIN_ADDR && hint < USER_TOP &&
	    len <= USER_TOP - hint && vma_range_free(mm, hint, len))
		return (s64)hint;
	return vma_place(mm, len);
}
