/* SPDX-License-Identifier: MIT */
/* sources: lib/sort.c */
/* tests/host/sort_test.c - lib/sort.c against qsort(). */
#include <tests/host/cmocka.h>

#include <lib/sort.h>

static int compare_u32(const void *a, const void *b)
{
	const u32 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int compare_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 7);
}

static void test_random(void **state)
{
	u64 seed = 11;

	for (size_t n = 0; n < 300; n++) {
		u32 *got = malloc(4 * n + 1), *want = malloc(4 * n + 1);

		for (size_t i = 0; i < n; i++) /* many equal ones */
			got[i] = want[i] = (u32)random_below(&seed, n);
		sort(got, n, 4, compare_u32);
		qsort(want, n, 4, compare_u32);
		assert_memory_equal(got, want, 4 * n);
		free(got);
		free(want);
	}
}

static void test_odd_size(void **state)
{
	u8 got[100][7], want[100][7];
	u64 seed = 12;

	for (size_t i = 0; i < sizeof(got); i++)
		((u8 *)got)[i] = (u8)next_random(&seed);
	memcpy(want, got, sizeof(got));
	sort(got, 100, 7, compare_bytes);
	qsort(want, 100, 7, compare_bytes);
	assert_memory_equal(got, want, sizeof(got));
}

struct pair {
	u64 key, other;
};

static int compare_pairs(const void *a, const void *b)
{
	struct pair x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x.key > y.key) - (x.key < y.key);
}

/* Elements of words go by words, but not where they are not aligned. */
static void test_words(void **state)
{
	struct pair got[101], odd[101];
	u64 room[2 * 101 + 1];
	u8 *bytes = (u8 *)room + 4;

	for (u64 i = 0; i < 101; i++)
		got[i] = (struct pair){ i * 59 % 101, i };
	memcpy(bytes, got, sizeof(got));
	sort(got, 101, sizeof(got[0]), compare_pairs);
	sort(bytes, 101, sizeof(got[0]), compare_pairs);
	memcpy(odd, bytes, sizeof(odd));
	assert_memory_equal(got, odd, sizeof(got));
	for (u64 i = 0; i < 101; i++) {
		assert_int_equal(got[i].key, i);
		assert_int_equal(got[i].other * 59 % 101, i);
	}
}

static void test_orders(void **state)
{
	u32 up[64], down[64];

	for (u32 i = 0; i < 64; i++) {
		up[i] = i;
		down[i] = 63 - i;
	}
	sort(down, 64, 4, compare_u32);
	assert_memory_equal(up, down, sizeof(up));
	sort(up, 64, 4, compare_u32);
	assert_memory_equal(up, down, sizeof(up));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_odd_size),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
