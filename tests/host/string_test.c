/* SPDX-License-Identifier: MIT */
/* sources: lib/string.c */
/*
 * tests/host/string_test.c - lib/string.c against libc, at every alignment and
 * with redzones on both sides.
 */
#include <tests/host/cmocka.h>

#include <lib/errno.h>
#include <lib/string.h>

void *k_memcpy(void *dst, const void *src, size_t n);
void *k_memmove(void *dst, const void *src, size_t n);
void *k_memset(void *dst, int c, size_t n);
int k_memcmp(const void *a, const void *b, size_t n);
void *k_memchr(const void *s, int c, size_t n);
size_t k_strlen(const char *s);
size_t k_strnlen(const char *s, size_t max);
int k_strcmp(const char *a, const char *b);
int k_strncmp(const char *a, const char *b, size_t n);
char *k_strchr(const char *s, int c);
char *k_strrchr(const char *s, int c);
char *k_strstr(const char *s, const char *sub);
size_t k_strlcat(char *dst, const char *src, size_t size);

#define MAX_LEN 200
#define ROOM	(MAX_LEN + 32)

static void fill(u8 *p, size_t n, u64 seed)
{
	while (n--)
		*p++ = (u8)next_random(&seed);
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_memcpy(void **state)
{
	u8 src[ROOM], got[ROOM], want[ROOM];

	fill(src, ROOM, 1);
	for (size_t n = 0; n <= MAX_LEN; n++) {
		for (size_t align = 0; align < 64; align++) {
			u8 *s = src + align % 8, *d = got + align / 8;

			fill(got, ROOM, 2);
			memcpy(want, got, ROOM);
			memcpy(want + align / 8, s, n);
			assert_ptr_equal(k_memcpy(d, s, n), d);
			assert_memory_equal(got, want, ROOM);
		}
	}
}

/* ASan sees an access beyond the very ends. */
static void test_memcpy_exact(void **state)
{
	u8 buf[MAX_LEN] = { 0 };

	for (size_t n = 1; n <= MAX_LEN; n++) {
		u8 *s = exact_copy(buf, n), *d = exact_copy(buf, n);

		k_memcpy(d, s, n);
		k_memmove(d, s, n);
		k_memset(d, 3, n);
		assert_int_not_equal(k_memcmp(d, s, n), 0);
		assert_null(k_memchr(s, 1, n));
		free(s);
		free(d);
	}
}

static void test_memmove(void **state)
{
	u8 got[ROOM], want[ROOM];

	for (size_t n = 0; n <= 150; n++) {
		for (size_t from = 0; from < 32; from += 3) {
			for (size_t to = 0; to < 64; to++) {
				fill(got, ROOM, n);
				memcpy(want, got, ROOM);
				memmove(want + to, want + from, n);
				assert_ptr_equal(k_memmove(got + to, got + from,
							   n),
						 got + to);
				assert_memory_equal(got, want, ROOM);
			}
		}
	}
}

static void test_memset(void **state)
{
	u8 got[ROOM], want[ROOM];

	for (size_t n = 0; n <= MAX_LEN; n++) {
		for (size_t at = 0; at < 16; at++) {
			fill(got, ROOM, 3);
			memcpy(want, got, ROOM);
			memset(want + at, 0x1a5, n);
			assert_ptr_equal(k_memset(got + at, 0x1a5, n),
					 got + at);
			assert_memory_equal(got, want, ROOM);
		}
	}
}

static void test_memcmp(void **state)
{
	u8 a[ROOM], b[ROOM];

	fill(a, ROOM, 4);
	for (size_t at = 0; at < 64; at++) {
		u8 *x = a + at % 8, *y = b + at / 8;

		memcpy(y, x, MAX_LEN);
		assert_int_equal(k_memcmp(x, y, MAX_LEN), 0);
		for (size_t i = 0; i < MAX_LEN; i++) {
			y[i] ^= 0x80;
			assert_int_equal(sign(k_memcmp(x, y, MAX_LEN)),
					 sign(memcmp(x, y, MAX_LEN)));
			assert_int_equal(k_memcmp(x, y, i), 0);
			y[i] ^= 0x80;
		}
	}
}

static void test_memchr(void **state)
{
	const char s[] = "abc\0\xff";

	assert_ptr_equal(k_memchr(s, 'a', 6), s);
	assert_ptr_equal(k_memchr(s, 0, 6), s + 3);
	assert_ptr_equal(k_memchr(s, 0x1ff, 6), s + 4);
	assert_null(k_memchr(s, 'c', 2));
}

static const char *const words[] = {
	"",
	"a",
	"b",
	"ab",
	"aab",
	"aaab",
	"abab",
	"ababac",
	"\xff",
	"a\xff",
	"a rather long one / with / slashes",
	"slash",
	"/ with",
	"ones",
};

static void test_compare(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
			const char *a = words[i], *b = words[j];

			assert_int_equal(sign(k_strcmp(a, b)),
					 sign(strcmp(a, b)));
			assert_ptr_equal(k_strstr(a, b), strstr(a, b));
			for (size_t n = 0; n < 8; n++)
				assert_int_equal(sign(k_strncmp(a, b, n)),
						 sign(strncmp(a, b, n)));
		}
	}
}

static void test_search(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *s = words[i];

		assert_int_equal(k_strlen(s), strlen(s));
		for (size_t n = 0; n < 8; n++)
			assert_int_equal(k_strnlen(s, n), strnlen(s, n));
		for (int c = 0; c < 256; c++) {
			assert_ptr_equal(k_strchr(s, c), strchr(s, c));
			assert_ptr_equal(k_strrchr(s, c), strrchr(s, c));
		}
	}
	assert_true(str_has_prefix("root=/dev", "root="));
	assert_false(str_has_prefix("roo", "root="));
	assert_string_equal(skip_spaces(" \t\n x "), "x ");
}

static void test_cut(void **state)
{
	char s[] = "a,,b", *at = str_cut(s, ',');

	assert_string_equal(s, "a");
	assert_ptr_equal(at, s + 2);
	at = str_cut(at, ',');
	assert_string_equal(s + 2, "");
	assert_string_equal(at, "b");
	assert_null(str_cut(at, ','));
	assert_string_equal(at, "b");
}

static void test_strscpy(void **state)
{
	char buf[5];

	assert_int_equal(strscpy(buf, "abcd", 5), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(strscpy(buf, "abcde", 5), -E2BIG);
	assert_string_equal(buf, "abcd");
	assert_int_equal(strscpy(buf, "", 5), 0);
	assert_string_equal(buf, "");
	assert_int_equal(strscpy(buf, "x", 0), -E2BIG);
	assert_int_equal(strscpy(buf, "x", 1), -E2BIG);
	assert_string_equal(buf, "");
}

static void test_strlcat(void **state)
{
	char buf[6] = "ab";

	assert_int_equal(k_strlcat(buf, "cd", sizeof(buf)), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(k_strlcat(buf, "efg", sizeof(buf)), 7);
	assert_string_equal(buf, "abcde");
	assert_int_equal(k_strlcat(buf, "xy", 3), 5); /* full already */
	assert_string_equal(buf, "abcde");
}

static void good_number(const char *s, unsigned int base, u64 want)
{
	u64 v = ~want;

	assert_int_equal(kstrtou64(s, base, &v), 0);
	assert_int_equal(v, want);
}

static void bad_number(const char *s, unsigned int base, int err)
{
	u64 v = 77;

	assert_int_equal(kstrtou64(s, base, &v), err);
	assert_int_equal(v, 77);
}

static void test_numbers(void **state)
{
	good_number("0", 0, 0);
	good_number("0", 10, 0);
	good_number("007", 10, 7);
	good_number("017", 0, 15);
	good_number("0x1F", 0, 31);
	good_number("1f", 16, 31);
	good_number("0x1f", 16, 31);
	good_number("18446744073709551615", 10, UINT64_MAX);
	good_number("0xffffffffffffffff", 0, UINT64_MAX);
	good_number("z", 36, 35);
	bad_number("18446744073709551616", 10, -ERANGE);
	bad_number("99999999999999999999999", 0, -ERANGE);
	bad_number("", 10, -EINVAL);
	bad_number("0x", 0, -EINVAL);
	bad_number("-1", 10, -EINVAL);
	bad_number(" 1", 10, -EINVAL);
	bad_number("1 ", 10, -EINVAL);
	bad_number("12a", 10, -EINVAL);
	bad_number("08", 0, -EINVAL);
}

static void test_parse(void **state)
{
	const char *s = "0x10K", *end;

	assert_int_equal(parse_u64(s, &end, 0), 16);
	assert_ptr_equal(end, s + 4);
	s = "K";
	assert_int_equal(parse_u64(s, &end, 0), 0);
	assert_ptr_equal(end, s);
	assert_int_equal(parse_u64("99999999999999999999,", &end, 10),
			 UINT64_MAX);
	assert_int_equal(*end, ',');
	assert_int_equal(parse_u64("12", NULL, 10), 12);
}

static void list_is(const char *s, int err, u64 want)
{
	u64 mask;

	assert_int_equal(parse_number_list(s, 64, &mask), err);
	if (!err)
		assert_int_equal(mask, want);
}

static void test_number_list(void **state)
{
	list_is("", 0, 0);
	list_is(",", 0, 0);
	list_is("0-2,4", 0, 0x17);
	list_is(" 0 1\n", 0, 3);
	list_is("63", 0, 1ull << 63);
	list_is("0-63", 0, ~0ull);
	list_is("64", -ERANGE, 0);
	list_is("0-64", -ERANGE, 0);
	list_is("99999999999999999999", -ERANGE, 0);
	list_is("x", -EINVAL, 0);
	list_is("0-2x", -EINVAL, 0);
	list_is("2-1", -EINVAL, 0);
	list_is("1-", -EINVAL, 0);
	list_is("-1", -EINVAL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memcpy_exact),
		cmocka_unit_test(test_memmove),
		cmocka_unit_test(test_memset),
		cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_memchr),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_strscpy),
		cmocka_unit_test(test_strlcat),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_number_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
