/* SPDX-License-Identifier: MIT */
/* sources: lib/crc.c */
/*
 * tests/host/crc_test.c - check values of the catalogue, and every length and
 * alignment against a bit-wise computation.
 */
#include <tests/host/cmocka.h>

#include <lib/crc.h>

static u32 bitwise(u32 poly, u32 crc, const u8 *p, size_t len)
{
	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? poly : 0);
	}
	return crc;
}

static void test_check_values(void **state)
{
	const char *s = "123456789";

	assert_int_equal(crc32(0, s, 9), 0xcbf43926);
	assert_int_equal((u32)~crc32c(~0u, s, 9), 0xe3069283);
	assert_int_equal(crc16(0, s, 9), 0xbb3d);      /* CRC-16/ARC */
	assert_int_equal(crc16(0xffff, s, 9), 0x4b37); /* as ext4 begins */
	assert_int_equal(crc32(0, s, 0), 0);
	assert_int_equal(crc32c(5, s, 0), 5);
}

static void test_all_lengths(void **state)
{
	u64 seed = 3;
	u8 buf[80];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)next_random(&seed);
	for (size_t at = 0; at < 8; at++) {
		for (size_t n = 0; n <= 64; n++) {
			u8 *p = buf + at;

			assert_int_equal(crc32(77, p, n),
					 (u32)~bitwise(0xedb88320, ~77u, p, n));
			assert_int_equal(crc32c(77, p, n),
					 bitwise(0x82f63b78, 77, p, n));
			assert_int_equal(crc16(77, p, n),
					 bitwise(0xa001, 77, p, n));
		}
	}
}

static void test_chained(void **state)
{
	const char *s = "the quick brown fox jumps over the lazy dog";
	size_t n = strlen(s);

	for (size_t cut = 0; cut <= n; cut++) {
		const char *rest = s + cut;

		assert_int_equal(crc32(crc32(0, s, cut), rest, n - cut),
				 crc32(0, s, n));
		assert_int_equal(crc32c(crc32c(~0u, s, cut), rest, n - cut),
				 crc32c(~0u, s, n));
		assert_int_equal(crc16(crc16(0xffff, s, cut), rest, n - cut),
				 crc16(0xffff, s, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_values),
		cmocka_unit_test(test_all_lengths),
		cmocka_unit_test(test_chained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
