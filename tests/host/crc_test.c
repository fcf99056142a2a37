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

/* Most significant bit first. */
static u16 bitwise_msb(u16 poly, const u8 *p, size_t len)
{
	u32 crc = 0;

	while (len--) {
		crc ^= (u32)*p++ << 8;
		for (int i = 0; i < 8; i++)
			crc = crc << 1 ^ (crc & 0x8000 ? poly : 0);
	}
	return (u16)crc;
}

static void test_card_checksums(void **state)
{
	static const u8 go_idle[5] = { 0x40 };
	static const u8 if_cond[5] = { 0x48, 0, 0, 1, 0xaa };
	u64 seed = 5;
	u8 buf[512];

	/* the specification's examples [SD 4.5, 7.2.2] */
	assert_int_equal(crc7(0, go_idle, 5) | 1, 0x95);
	assert_int_equal(crc7(0, if_cond, 5) | 1, 0x87);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(crc16_ccitt(0, buf, 512), 0x7fa1);
	assert_int_equal(crc16_ccitt(0, "123456789", 9), 0x31c3);
	for (size_t n = 0; n < sizeof(buf); n++) {
		buf[n] = (u8)next_random(&seed);
		assert_int_equal(crc16_ccitt(0, buf, n),
				 bitwise_msb(0x1021, buf, n));
		assert_int_equal(crc7(0, buf, n),
				 bitwise_msb(0x1200, buf, n) >> 8);
		assert_int_equal(crc16_ccitt(crc16_ccitt(0, buf, n / 3),
					     buf + n / 3, n - n / 3),
				 crc16_ccitt(0, buf, n));
	}
}

static void test_check_values(void **state)
{
	const char *s = "123456789";

	assert_int_equal(crc32(0, s, 9), 0xcbf43926);
	assert_int_equal((u32)~crc32c(~0u, s, 9), 0xe3069283);
	assert_int_equal(crc16(0, s, 9), 0xbb3d);	   /* CRC-16/ARC */
	assert_int_equal(crc16(0xffff, s, 9), 0x4b37);	   /* as ext4 begins */
	assert_int_equal(crc32_be(~0u, s, 9), 0x0376e6e7); /* CRC-32/MPEG-2 */
	assert_int_equal(crc32_be(crc32_be(~0u, s, 4), s + 4, 5), 0x0376e6e7);
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
		cmocka_unit_test(test_card_checksums),
		cmocka_unit_test(test_all_lengths),
		cmocka_unit_test(test_chained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
