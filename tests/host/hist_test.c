/* SPDX-License-Identifier: MIT */
/* tests/host/hist_test.c - lib/hist.h, lib/bitmap.h and lib/hash.h. */
#include <tests/host/cmocka.h>

#include <lib/bitmap.h>
#include <lib/hash.h>
#include <lib/hist.h>

/* Buckets touch each other, and every value is in the one that says so. */
static void test_buckets(void **state)
{
	for (unsigned int i = 0; i + 1 < HIST_BUCKETS; i++) {
		assert_int_equal(hist_index(hist_floor(i)), i);
		assert_int_equal(hist_index(hist_floor(i + 1) - 1), i);
	}
	for (u64 v = 0; v < 100000; v++) {
		unsigned int i = hist_index(v);

		assert_true(hist_floor(i) <= v && v < hist_floor(i + 1));
		/* an eighth on either side of the middle */
		assert_true(hist_floor(i + 1) - hist_floor(i) <= v / 4 + 1);
	}
	assert_int_equal(hist_index(UINT64_MAX), HIST_BUCKETS - 1);
	assert_int_equal(hist_index(1ull << 40), HIST_BUCKETS - 1);
	assert_true(hist_floor(HIST_BUCKETS - 1) > 7000000000ull);
}

static void test_percentile(void **state)
{
	struct hist h = { 0 };

	assert_int_equal(hist_percentile(&h, 500), 0);
	assert_int_equal(hist_mean(&h), 0);
	for (u64 v = 1; v <= 1000; v++)
		hist_add(&h, v);
	assert_int_equal(h.nr, 1000);
	assert_int_equal(h.min, 1);
	assert_int_equal(h.max, 1000);
	assert_int_equal(hist_mean(&h), 500);
	assert_in_range(hist_percentile(&h, 500), 500, 640);
	assert_in_range(hist_percentile(&h, 990), 990, 1000);
	assert_int_equal(hist_percentile(&h, 1000), 1000);
	assert_int_equal(hist_percentile(&h, 0), 1);
}

static void test_merge(void **state)
{
	struct hist a = { 0 }, b = { 0 }, both = { 0 };

	for (u64 v = 10; v < 50; v++) {
		hist_add(v % 3 ? &a : &b, v * v);
		hist_add(&both, v * v);
	}
	hist_merge(&a, &b);
	assert_memory_equal(&a, &both, sizeof(a));
	hist_merge(&a, &(struct hist){ 0 });
	assert_memory_equal(&a, &both, sizeof(a));
}

static void test_saturation(void **state)
{
	struct hist a = { 0 }, b = { 0 };

	a.bucket[3] = UINT32_MAX;
	hist_add(&a, 3);
	assert_int_equal(a.bucket[3], UINT32_MAX);
	hist_add(&b, 3);
	hist_merge(&b, &a);
	assert_int_equal(b.bucket[3], UINT32_MAX);
	hist_add(&b, UINT64_MAX);
	assert_true(hist_percentile(&b, 1000) > 0);
}

static void test_counting(void **state)
{
	u64 seed = 5;

	assert_int_equal(ctz64(0), 64);
	assert_int_equal(clz64(0), 64);
	assert_int_equal(ffs64(0), 0);
	assert_int_equal(fls64(0), 0);
	for (int i = 0; i < 20000; i++) {
		u64 x = next_random(&seed) & next_random(&seed);

		x = i % 2 ? x >> i % 64 : x << i % 64;
		x |= 1ull << i % 61;
		assert_int_equal(ctz64(x), __builtin_ctzll(x));
		assert_int_equal(clz64(x), __builtin_clzll(x));
		assert_int_equal(popcount64(x), __builtin_popcountll(x));
		assert_int_equal(ffs64(x), __builtin_ffsll((long long)x));
		assert_int_equal(fls64(x), 64 - __builtin_clzll(x));
		assert_int_equal(log2_floor(x), 63 - __builtin_clzll(x));
	}
	assert_int_equal(log2_ceil(1), 0);
	assert_int_equal(log2_ceil(4096), 12);
	assert_int_equal(log2_ceil(4097), 13);
	assert_true(is_pow2(64) && !is_pow2(0) && !is_pow2(65));
}

#define NBITS 150

static void test_bitmap(void **state)
{
	u64 map[BITMAP_WORDS(NBITS)] = { 0 };
	u64 seed = 9, bit, n;
	bool want[NBITS] = { 0 };

	assert_int_equal(find_first_bit(map, NBITS), NBITS);
	for (int round = 0; round < 1000; round++) {
		u64 b = random_below(&seed, NBITS);
		u64 from = random_below(&seed, NBITS + 1);

		want[b] = round % 3;
		if (want[b])
			set_bit(b, map);
		else
			clear_bit(b, map);
		assert_int_equal(test_bit(b, map), want[b]);
		for (bit = from; bit < NBITS && !want[bit]; bit++)
			continue;
		assert_int_equal(find_next_bit(map, NBITS, from), bit);
		for (bit = from; bit < NBITS && want[bit]; bit++)
			continue;
		assert_int_equal(find_next_zero(map, NBITS, from), bit);
	}
	n = 0;
	for_each_set_bit(bit, map, NBITS) {
		assert_true(want[bit]);
		n++;
	}
	assert_int_equal(n, popcount64(map[0]) + popcount64(map[1]) +
				    popcount64(map[2]));
	/* Bits behind the end are none. */
	memset(map, 0, sizeof(map));
	map[2] = ~0ull << (NBITS % 64);
	assert_int_equal(find_first_bit(map, NBITS), NBITS);
	memset(map, 0xff, sizeof(map));
	assert_int_equal(find_first_zero(map, NBITS), NBITS);
}

/* 4096 keys of each kind over 1024 chains: none is longer than 20. */
static void test_hash(void **state)
{
	unsigned int chain[2][1024] = { 0 };
	char name[16];

	for (u64 i = 0; i < 4096; i++) {
		snprintf(name, sizeof(name), "file%lu", i);
		chain[0][hash64(i * 4096) % 1024]++;
		chain[1][hash_str(name) % 1024]++;
		assert_true(hash_str(name) == hash_mem(name, strlen(name)));
	}
	for (int i = 0; i < 1024; i++) {
		assert_true(chain[0][i] <= 20);
		assert_true(chain[1][i] <= 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_percentile),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_saturation),
		cmocka_unit_test(test_counting),
		cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
