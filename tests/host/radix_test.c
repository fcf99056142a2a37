/* SPDX-License-Identifier: MIT */
/* tests/host/radix_test.c - kernel/mm/radix.c against a plain array. */
/* sources: kernel/mm/radix.c */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <kernel/mm/radix.h>
#include <lib/errno.h>

#define NR 512

static int fail_in = -1; /* allocations until one fails; -1: never */
static int nr_nodes;

struct radix_node *radix_node_alloc(void)
{
	if (fail_in >= 0 && fail_in-- == 0)
		return NULL;
	nr_nodes++;
	return calloc(1, sizeof(struct radix_node));
}

void radix_node_free(struct radix_node *n)
{
	nr_nodes--;
	free(n);
}

static u64 keys[NR];
static int items[NR];

/* Dense, sparse and extreme indices. */
static u64 key(int i)
{
	u64 k = (u64)rand() << 31 ^ (u64)rand();

	switch (i % 4) {
	case 0:
		return (u64)i;
	case 1:
		return k & 0xfffff;
	case 2:
		return k << 20;
	default:
		return ~0ull - (k & 0xff);
	}
}

static bool known(u64 k, int n)
{
	for (int i = 0; i < n; i++) {
		if (keys[i] == k)
			return true;
	}
	return false;
}

static void fill(struct radix *r)
{
	srand(1);
	for (int i = 0; i < NR; i++) {
		do
			keys[i] = key(i);
		while (known(keys[i], i));
		assert_int_equal(radix_insert(r, keys[i], &items[i]), 0);
	}
}

static void empty(struct radix *r)
{
	for (int i = 0; i < NR; i++)
		assert_ptr_equal(radix_remove(r, keys[i]), &items[i]);
	assert_null(r->root);
	assert_int_equal(nr_nodes, 0);
}

static void test_find(void **state)
{
	struct radix r = { 0 };
	void *run[64];

	fill(&r);
	for (int i = 0; i < NR; i++) {
		assert_ptr_equal(radix_find(&r, keys[i]), &items[i]);
		assert_int_equal(radix_insert(&r, keys[i], &r), -EEXIST);
		if (!known(keys[i] + 1, NR))
			assert_null(radix_find(&r, keys[i] + 1));
		radix_run(&r, keys[i] & ~63ull, 64, run);
		for (u64 k = 0; k < 64; k++)
			assert_ptr_equal(
				run[k], radix_find(&r, (keys[i] & ~63ull) + k));
	}
	empty(&r);
}

static void test_walk(void **state)
{
	struct radix r = { 0 };
	int seen = 0, tagged = 0;
	u64 i = 0, last = 0;

	fill(&r);
	for (int k = 0; k < NR; k += 3)
		radix_tag_set(&r, keys[k], RADIX_DIRTY);
	for (int *it; (it = radix_next(&r, &i, -1)); i++) {
		assert_true(seen == 0 || i > last);
		assert_true(i == keys[it - items]);
		last = i;
		seen++;
		if (i == ~0ull)
			break;
	}
	assert_int_equal(seen, NR);
	i = 0;
	for (int *it; (it = radix_next(&r, &i, RADIX_DIRTY)); i++) {
		assert_int_equal((it - items) % 3, 0);
		tagged++;
		if (i == ~0ull)
			break;
	}
	assert_int_equal(tagged, (NR + 2) / 3);
	for (int k = 0; k < NR; k += 3)
		radix_tag_clear(&r, keys[k], RADIX_DIRTY);
	i = 0;
	assert_null(radix_next(&r, &i, RADIX_DIRTY));
	empty(&r);
}

/* A failed insertion leaves the tree as it was. */
static void test_no_memory(void **state)
{
	for (int at = 0; at < 16; at++) {
		struct radix r = { 0 };
		int before, err;

		assert_int_equal(radix_insert(&r, 5, &items[0]), 0);
		before = nr_nodes;
		fail_in = at;
		err = radix_insert(&r, 1ull << 40, &items[1]);
		fail_in = -1;
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(nr_nodes, before);
		} else {
			assert_ptr_equal(radix_remove(&r, 1ull << 40),
					 &items[1]);
		}
		assert_ptr_equal(radix_find(&r, 5), &items[0]);
		assert_ptr_equal(radix_remove(&r, 5), &items[0]);
		assert_int_equal(nr_nodes, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
