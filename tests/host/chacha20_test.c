/* SPDX-License-Identifier: MIT */
/* sources: lib/chacha20.c */
/*
 * tests/host/chacha20_test.c - vectors of RFC 8439, and what the generator
 * promises.
 */
#include <tests/host/cmocka.h>

#include <lib/chacha20.h>

/* [2.3.2] */
static void test_block(void **state)
{
	static const u8 want[64] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f,
		0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7,
		0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4,
		0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09,
		0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12,
		0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8,
		0xa2, 0x50, 0x3c, 0x4e,
	};
	static const u32 nonce[3] = { 0x09000000, 0x4a000000, 0 };
	u32 key[8];
	u8 out[64];

	for (int i = 0; i < 32; i++)
		((u8 *)key)[i] = (u8)i;
	chacha20_block(key, 1, nonce, out);
	assert_memory_equal(out, want, 64);
}

/* [A.1], test vector 1: all zero. */
static void test_zero(void **state)
{
	static const u8 want[64] = {
		0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d,
		0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28, 0xbd, 0xd2, 0x19, 0xb8,
		0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77,
		0x0d, 0xc7, 0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d,
		0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37, 0x6a, 0x43,
		0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69,
		0xb2, 0xee, 0x65, 0x86,
	};
	static const u32 zero[8];
	u8 out[64];

	chacha20_block(zero, 0, zero, out);
	assert_memory_equal(out, want, 64);
}

static void test_lengths(void **state)
{
	for (size_t n = 0; n < 200; n++) {
		struct drbg a = { { 1, 2, 3 } }, b = a;
		u8 *out = malloc(n + 1), long_out[200];

		drbg_generate(&a, out, n);
		drbg_generate(&b, long_out, sizeof(long_out));
		assert_memory_equal(out, long_out, n);
		assert_memory_equal(&a, &b, sizeof(a));
		free(out);
	}
}

/* The key that made the output is gone, and is not part of the output. */
static void test_erasure(void **state)
{
	struct drbg d = { { 0 } }, before;
	u8 first[96], second[96];

	drbg_mix(&d, "seed", 4);
	before = d;
	drbg_generate(&d, first, sizeof(first));
	assert_memory_not_equal(&d, &before, sizeof(d));
	for (size_t i = 0; i + 32 <= sizeof(first); i++)
		assert_memory_not_equal(first + i, &d, 32);
	drbg_generate(&d, second, sizeof(second));
	assert_memory_not_equal(first, second, sizeof(first));
}

static void test_mix(void **state)
{
	struct drbg a = { { 0 } }, b = { { 0 } };
	u8 seed[100] = { 0 };

	drbg_mix(&a, seed, sizeof(seed));
	seed[99] = 1;
	drbg_mix(&b, seed, sizeof(seed));
	assert_memory_not_equal(&a, &b, sizeof(a));
	b = a;
	drbg_mix(&b, seed, 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block),	cmocka_unit_test(test_zero),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_erasure),
		cmocka_unit_test(test_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
