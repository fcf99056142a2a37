/* SPDX-License-Identifier: MIT */
/* tests/host/vma_test.c - kernel/mm/vma.c: areas against a map of pages. */
/* sources: kernel/mm/vma.c lib/rbtree.c */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vma.h>
#include <lib/errno.h>

#define BASE  0x100000ul
#define PAGES 64

/* --- fakes */

void uffd_hold_slow(struct vma *v)
{
}

void uffd_drop_slow(struct vma *v)
{
}

static int nr_areas;
static int fail_in = -1;

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align)
{
	assert_int_equal(size, sizeof(struct vma));
	return (void *)&nr_areas;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	if (fail_in >= 0 && fail_in-- == 0)
		return NULL;
	nr_areas++;
	return malloc(sizeof(struct vma));
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	void *p = kmem_cache_alloc(c);

	return p ? memset(p, 0, sizeof(struct vma)) : NULL;
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	nr_areas--;
	free(p);
}

struct file *file_get(struct file *f)
{
	f->refs++;
	return f;
}

void file_put(struct file *f)
{
	f->refs--;
}

void mutex_lock(struct mutex *m)
{
}

void mutex_unlock(struct mutex *m)
{
}

static s64 committed; /* of all, and there is one mm */

void pmem_account(int what, s64 pages)
{
	assert_int_equal(what, PMEM_COMMITTED);
	committed += pages;
}

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

/* --- the model: flags of each page, 0 for none */

static struct mm mm;
static u32 model[PAGES];

static int setup(void **state)
{
	memset(&mm, 0, sizeof(mm));
	committed = 0;
	memset(model, 0, sizeof(model));
	mm.mmap_base = BASE + PAGES * PAGE_SIZE;
	return 0;
}

static u64 va(int page)
{
	return BASE + (u64)page * PAGE_SIZE;
}

static void check(void)
{
	u32 seen[PAGES] = { 0 }, nr = 0;
	u64 total = 0, data = 0, last = 0;

	for (struct vma *v = vma_first(&mm); v; v = vma_next(v)) {
		assert_true(v->start < v->end && v->start >= last);
		last = v->end;
		nr++;
		total += vma_pages(v);
		data += vma_is_data(v->flags) ? vma_pages(v) : 0;
		for (u64 a = v->start; a < v->end; a += PAGE_SIZE)
			seen[(a - BASE) / PAGE_SIZE] = v->flags;
	}
	assert_memory_equal(seen, model, sizeof(model));
	assert_int_equal(mm.nr_vmas, nr);
	assert_int_equal(mm.total_pages, total);
	assert_int_equal(mm.data_pages, data);
	assert_int_equal(committed, data);
	assert_int_equal(nr_areas, nr);
	for (int i = 0; i < PAGES; i++) {
		struct vma *v = vma_at(&mm, va(i) + 5);

		assert_true((v != NULL) == (model[i] != 0));
	}
}

static void unmap(int from, int to)
{
	struct vma *v;

	assert_int_equal(vma_split_at(&mm, va(from), va(to)), 0);
	while ((v = vma_overlap(&mm, va(from), va(to)))) {
		assert_true(v->start >= va(from) && v->end <= va(to));
		vma_remove(&mm, v);
		vma_free(v);
	}
	memset(&model[from], 0, (size_t)(to - from) * sizeof(model[0]));
}

static void map(int from, int to, u32 flags)
{
	struct vma *v;

	unmap(from, to);
	v = vma_alloc(&mm, va(from), va(to), flags);
	vma_insert(&mm, v);
	vma_merge(v);
	for (int i = from; i < to; i++)
		model[i] = flags;
}

static void protect(int from, int to, u32 flags)
{
	struct vma *v, *next;

	assert_int_equal(vma_split_at(&mm, va(from), va(to)), 0);
	for (v = vma_overlap(&mm, va(from), va(to)); v && v->start < va(to);
	     v = next) {
		vma_set_flags(v, flags);
		v = vma_merge(v);
		next = vma_next(v);
	}
	for (int i = from; i < to; i++)
		model[i] = model[i] ? flags : 0;
}

static void test_random(void **state)
{
	static const u32 flags[] = { VM_READ, VM_READ | VM_WRITE,
				     VM_READ | VM_EXEC };

	srand(7);
	for (int round = 0; round < 20000; round++) {
		int a = rand() % PAGES, b = a + 1 + rand() % (PAGES - a);
		u32 fl = flags[rand() % 3];

		switch (rand() % 3) {
		case 0:
			map(a, b, fl);
			break;
		case 1:
			unmap(a, b);
			break;
		default:
			protect(a, b, fl);
			break;
		}
		check();
	}
	unmap(0, PAGES);
	check();
}

/* Neighbours that are alike are one area. */
static void test_merge(void **state)
{
	map(0, 4, VM_READ);
	map(8, 12, VM_READ);
	assert_int_equal(mm.nr_vmas, 2);
	map(4, 8, VM_READ);
	assert_int_equal(mm.nr_vmas, 1);
	protect(5, 6, VM_READ | VM_WRITE);
	assert_int_equal(mm.nr_vmas, 3);
	protect(5, 6, VM_READ);
	assert_int_equal(mm.nr_vmas, 1);
	unmap(0, PAGES);
	check();
}

/* A split that finds no memory changes nothing. */
static void test_no_memory(void **state)
{
	map(0, 10, VM_READ);
	fail_in = 0;
	assert_int_equal(vma_split_at(&mm, va(3), va(6)), -ENOMEM);
	fail_in = -1;
	check();
	unmap(0, PAGES);
	check();
}

/* Is there a hole of @n pages below mmap_base? */
static bool hole(int n)
{
	int run = 0;

	for (int i = 0; i < PAGES; i++) {
		run = model[i] ? 0 : run + 1;
		if (run >= n)
			return true;
	}
	return false;
}

/* What vma_place() gives is free, and it finds every hole there is. */
static void test_place(void **state)
{
	struct vma *v = vma_alloc(&mm, 0x10000, BASE, VM_READ);
	u64 lowest = BASE;

	/* nothing is free below BASE */
	vma_insert(&mm, v);
	srand(3);
	for (int round = 0; round < 20000; round++) {
		int a = rand() % PAGES, n = 1 + rand() % 8;

		if (rand() % 2) {
			u64 old_base = mm.mmap_base;
			s64 at = vma_place(&mm, (u64)n * PAGE_SIZE);

			assert_int_equal(old_base, mm.mmap_base);
			if (at >= 0 && (u64)at < mm.mmap_base) {
				assert_true((u64)at >= lowest);
				assert_null(vma_overlap(
					&mm, (u64)at,
					(u64)at + (u64)n * PAGE_SIZE));
				a = (int)(((u64)at - BASE) / PAGE_SIZE);
				map(a, a + n, VM_READ | VM_WRITE);
			} else {
				assert_false(hole(n));
			}
		} else {
			unmap(a, min(a + n, PAGES));
		}
	}
	unmap(0, PAGES);
	vma_remove(&mm, v);
	vma_free(v);
	check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_merge, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_place, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
