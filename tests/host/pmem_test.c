/* SPDX-License-Identifier: MIT */
/* tests/host/pmem_test.c - frames and the kernel heap, on a machine with holes. */
/* sources: kernel/mm/pmem.c kernel/mm/pmem_boot.c kernel/mm/slab.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/hotmem.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pmem.h>
#include <lib/string.h>

#define MIB	 (1ul << 20)
#define RAM_BASE 0x80000000ul
#define RAM_SIZE (64 * MIB)

/* --- fakes */

u64 host_direct_map, phys_ram_base = RAM_BASE,
		     phys_ram_end = RAM_BASE + RAM_SIZE;
static struct hart hart;
struct hart *host_this_hart = &hart;
static jmp_buf on_panic;
static bool panic_expected;

struct thread *current_thread(void)
{
	return NULL;
}

void spin_lock(struct spinlock *l)
{
	assert_int_equal(l->locked, 0);
	l->locked = 1;
	hart.lock_depth++;
}

void spin_unlock(struct spinlock *l)
{
	assert_int_equal(l->locked, 1);
	l->locked = 0;
	hart.lock_depth--;
}

void log_printf(enum log_level level, const char *fmt, ...)
{
}

void panic(const char *fmt, ...)
{
	if (panic_expected)
		longjmp(on_panic, 1);
	fail_msg("panic: %s", fmt);
	abort();
}

u32 memcg_count;

void memcg_charge_page(struct page *pg, u32 gfp)
{
	fail_msg("nobody pays");
}

void memcg_uncharge_page(struct page *pg)
{
	fail_msg("nobody pays");
}

/* --- frames */

#define HOLE_START (RAM_BASE + 21 * MIB + 3 * PAGE_SIZE)
#define HOLE_END   (RAM_BASE + 30 * MIB + PAGE_SIZE)
#define TAKEN_END  (RAM_BASE + 2 * MIB + 7 * PAGE_SIZE)

static int boot(void **state)
{
	host_direct_map =
		(u64)aligned_alloc(SECTION_SIZE, RAM_SIZE + SECTION_SIZE);
	memset((void *)host_direct_map, 0xa5, RAM_SIZE);
	pmem_add(RAM_BASE, HOLE_START);
	pmem_add(HOLE_END, RAM_BASE + RAM_SIZE);
	pmem_reserve(RAM_BASE, TAKEN_END);
	pmem_init();
	kmalloc_init();
	return 0;
}

/* Every frame can be had once, none is in a hole or taken, all come back. */
static void test_all_frames(void **state)
{
	static struct page *got[RAM_SIZE / PAGE_SIZE];
	u64 total = pmem_total_pages(), n = 0, free_before;
	struct pmem_info i;

	pmem_info(&i);
	free_before = i.free;
	while ((got[n] = page_alloc(0, GFP_ATOMIC))) {
		paddr_t pa = page_phys(got[n]);

		assert_true(pa >= TAKEN_END && pa < RAM_BASE + RAM_SIZE);
		assert_true(pa < HOLE_START || pa >= HOLE_END);
		assert_int_equal(got[n]->refs, 1);
		got[n]->priv = 0x1234; /* given out twice would show */
		*(u64 *)page_addr(got[n]) = n;
		n++;
	}
	assert_int_equal(n, free_before);
	assert_true(n <= total && n + 64 >= total);
	for (u64 k = 0; k < n; k++) {
		assert_int_equal(*(u64 *)page_addr(got[k]), k);
		got[k]->priv = 0;
		page_put(got[k]);
	}
	pmem_info(&i);
	assert_int_equal(i.free, free_before);
}

static void test_orders(void **state)
{
	struct page *pg[400];
	u32 n = 0;

	srand(5);
	for (int round = 0; round < 20000; round++) {
		if (n < ARRAY_SIZE(pg) && rand() % 2) {
			unsigned int order = (unsigned int)rand() % 6;
			struct page *p = page_alloc(order, GFP_KERNEL);

			if (!p)
				continue;
			assert_int_equal(p->order, order);
			assert_int_equal(page_phys(p) % (PAGE_SIZE << order),
					 0);
			memset(page_addr(p), (int)n, PAGE_SIZE << order);
			pg[n++] = p;
		} else if (n > 0) {
			u32 k = (u32)rand() % n;

			page_put(pg[k]);
			pg[k] = pg[--n];
		}
	}
	while (n > 0)
		page_put(pg[--n]);
	/* everything merges again */
	for (int k = 0; k < 3; k++) {
		struct page *p = page_alloc(MAX_ORDER, GFP_KERNEL);

		assert_non_null(p);
		page_put(p);
	}
}

static void test_zeroed(void **state)
{
	for (int k = 0; k < 200; k++) {
		u64 *p = get_free_page(GFP_ZERO);
		struct page *t = page_alloc_table();
		u64 *q = page_addr(t);

		for (u64 w = 0; w < PAGE_SIZE / 8; w++)
			assert_true(p[w] == 0 && q[w] == 0);
		memset(p, 0xff, PAGE_SIZE);
		free_page_addr(p);
		page_free_table(t);
	}
}

/* Users are refused before the kernel is, and that before atomic requests. */
static void test_reserves(void **state)
{
	static struct page *got[RAM_SIZE / PAGE_SIZE];
	u64 n = 0, left_user, left_kernel;

	while ((got[n] = page_alloc(0, GFP_USER)))
		n++;
	left_user = pmem_free_pages();
	while ((got[n] = page_alloc(0, GFP_KERNEL)))
		n++;
	left_kernel = pmem_free_pages();
	assert_true(left_user > left_kernel && left_kernel >= 64);
	assert_null(kmalloc(1 << 20));
	while ((got[n] = page_alloc(0, GFP_ATOMIC)))
		n++;
	assert_int_equal(pmem_free_pages(), 0);
	while (n > 0)
		page_put(got[--n]);
}

/* Frames at the places asked for while there is memory; then any; all come back. */
static void test_placed(void **state)
{
	static struct page *got[RAM_SIZE / PAGE_SIZE];
	struct list_head spare = LIST_HEAD_INIT(spare);
	struct pmem_info before, i;
	u64 n = 0, elsewhere = 0;

	pmem_info(&before);
	while ((got[n] = page_alloc_placed(&spare, 45, 7))) {
		u64 place = (u64)page_addr(got[n]) / PAGE_SIZE % TLB_PLACES;

		assert_int_equal(got[n]->refs, 1);
		assert_int_equal(got[n]->order, 0);
		got[n]->priv = 0x1234; /* given out twice would show */
		elsewhere += place - 45 >= 7;
		assert_true(n >= 64 || !elsewhere);
		n++;
	}
	assert_true(elsewhere && elsewhere < n);
	assert_true(list_empty(&spare));
	while (n) {
		assert_int_equal(got[--n]->priv, 0x1234);
		got[n]->priv = 0;
		page_put(got[n]);
	}
	pmem_info(&i);
	assert_int_equal(i.free, before.free);
}

static void test_release(void **state)
{
	u64 before = pmem_total_pages();

	pmem_release(RAM_BASE, RAM_BASE + MIB);
	assert_int_equal(pmem_total_pages(), before + MIB / PAGE_SIZE);
	assert_null(phys_page(HOLE_START + PAGE_SIZE));
	assert_non_null(phys_page(RAM_BASE));
}

/* --- the heap */

static void test_heap(void **state)
{
	static u8 *p[2000];
	static size_t len[2000];
	u32 n = 0;

	srand(9);
	for (int round = 0; round < 60000; round++) {
		if (n < ARRAY_SIZE(p) && rand() % 5 < 3) {
			size_t sz = rand() % 50 ? 1 + (size_t)rand() % 2000
						: 1 + (size_t)rand() % 60000;

			p[n] = kmalloc(sz);
			assert_non_null(p[n]);
			assert_true(ksize(p[n]) >= sz);
			assert_int_equal((u64)p[n] % (sz % 64 ? 8 : 64), 0);
			len[n] = sz;
			memset(p[n], (int)(u64)p[n] >> 6, sz);
			n++;
		} else if (n > 0) {
			u32 k = (u32)rand() % n;

			for (size_t i = 0; i < len[k]; i++)
				assert_int_equal(p[k][i],
						 (u8)((int)(u64)p[k] >> 6));
			kfree(p[k]);
			p[k] = p[--n];
			len[k] = len[n];
		}
	}
	while (n > 0)
		kfree(p[--n]);
	assert_null(kmalloc(0));
	assert_null(kmalloc(3 << 20));
	assert_null(kcalloc(~0ul / 2, 4));
}

static void test_cache(void **state)
{
	struct kmem_cache *c = kmem_cache_create("test", 100, 64);
	void *a, *b;

	assert_non_null(c);
	a = kmem_cache_zalloc(c);
	b = kmem_cache_alloc(c);
	assert_int_equal((u64)a % 64, 0);
	assert_int_equal((u64)b % 64, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(((char *)a)[i], 0);
	kmem_cache_free(c, a);
	kmem_cache_free(c, b);
}

#define EXPECT_PANIC(stmt)                               \
	do {                                             \
		panic_expected = true;                   \
		if (setjmp(on_panic) == 0) {             \
			stmt;                            \
			fail_msg("no panic: %s", #stmt); \
		}                                        \
		panic_expected = false;                  \
	} while (0)

static void test_misuse(void **state)
{
	static char foreign[64];
	u64 *p = kmalloc(48), *q;

	kfree(p);
	EXPECT_PANIC(kfree(p));
	EXPECT_PANIC(kfree(foreign));
	EXPECT_PANIC(kfree((void *)(host_direct_map + PAGE_SIZE)));
	p[1] = 0; /* use after free: the next owner finds it */
	EXPECT_PANIC(q = kmalloc(48); (void)q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_frames),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_reserves),
		cmocka_unit_test(test_placed),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_misuse),
	};

	return cmocka_run_group_tests(tests, boot, NULL);
}
