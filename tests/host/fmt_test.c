/* SPDX-License-Identifier: MIT */
/* sources: lib/fmt.c lib/string.c */
/* cflags: -Wno-format -Wno-format-truncation */
/*
 * tests/host/fmt_test.c - lib/fmt.c against libc's printf.
 */
#include <tests/host/cmocka.h>

#include <lib/fmt.h>

int k_snprintf(char *buf, size_t size, const char *fmt, ...);

#define ROOM 512

/* Both must agree on the text and the length, at every buffer size. */
#define SAME(...)                                                            \
	do {                                                                 \
		char want[ROOM], got[ROOM];                                  \
		int n = snprintf(want, ROOM, __VA_ARGS__);                   \
		assert_int_equal(k_snprintf(got, ROOM, __VA_ARGS__), n);     \
		assert_string_equal(got, want);                              \
		for (size_t size = 1; size < 24; size++) {                   \
			char *cut = malloc(size);                            \
			assert_int_equal(k_snprintf(cut, size, __VA_ARGS__), \
					 n);                                 \
			snprintf(want, size, __VA_ARGS__);                   \
			assert_string_equal(cut, want);                      \
			free(cut);                                           \
		}                                                            \
	} while (0)

static void test_plain(void **state)
{
	SAME("%s", "");
	SAME("nothing to convert");
	SAME("100%%");
	SAME("%s and %s", "this", "that");
	SAME("[%10s|%-10s|%.3s|%10.2s|%-8.1s]", "right", "left", "cut", "both",
	     "x");
	SAME("[%*s|%-*s|%.*s|%.*s]", 6, "a", 6, "b", 2, "cde", -1, "all");
	SAME("[%*s]", -6, "a");
	SAME("%c%c[%5c|%-5c]", 'a', 'b', 'c', 'd');
	SAME("%p %20p %-20p", (void *)0x1234abcd, (void *)8, (void *)~0ul);
}

static void test_null(void **state)
{
	char buf[32];

	k_snprintf(buf, sizeof(buf), "%s", (char *)NULL);
	assert_string_equal(buf, "(null)");
	k_snprintf(buf, sizeof(buf), "%p", NULL);
	assert_string_equal(buf, "(nil)");
	assert_int_equal(k_snprintf(NULL, 0, "%d", 12345), 5);
}

static void test_unterminated(void **state)
{
	char *s = exact_copy("abcd", 4);

	SAME("%.4s", s); /* ASan: no byte beyond the precision is read */
	free(s);
}

static void test_lengths(void **state)
{
	long v = 0x123456789abcdef0;

	SAME("%d %i %u %x", (int)v, (int)v, (unsigned)v, (unsigned)v);
	SAME("%hd %hu %hx", (short)v, (unsigned short)v, (unsigned short)v);
	SAME("%hhd %hhu %hhx", (char)v, (unsigned char)v, (unsigned char)v);
	SAME("%hhd %hd", -1, -1);
	SAME("%ld %lu %lx %lo", v, v, v, v);
	SAME("%lld %llu %llX", (long long)v, (long long)v, (long long)v);
	SAME("%zd %zu %zx %td %jd", v, v, v, v, v);
	SAME("%ld %ld", INT64_MIN, INT64_MAX);
	SAME("%d %d", INT32_MIN, INT32_MAX);
}

static const char *const flags[] = {
	"",   "-",  "0",  "+",	" ",  "#",   "-0",    "+0",
	" 0", "#0", "-#", "-+", "+ ", "#0+", "-#+ 0",
};
static const char *const widths[] = { "", "1", "5", "12", "25" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".7", ".23" };
static const long values[] = { 0,   1,	  -1,	     7,		8,	  9,
			       255, -256, 123456789, INT64_MAX, INT64_MIN };

/* All flags x widths x precisions x conversions x values. */
static void test_matrix(void **state)
{
	const char conv[] = "diuxXo";
	char fmt[64];

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++)
				for (const char *c = conv; *c; c++)
					for (size_t v = 0;
					     v < ARRAY_SIZE(values); v++) {
						sprintf(fmt, "<%%%s%s%sl%c>",
							flags[f], widths[w],
							precisions[p], *c);
						SAME(fmt, values[v]);
					}
}

static void test_unknown(void **state)
{
	char buf[32];

	k_snprintf(buf, sizeof(buf), "%y %d", 5);
	assert_string_equal(buf, "%y 5");
	k_snprintf(buf, sizeof(buf), "tail %");
	assert_string_equal(buf, "tail %");
	k_snprintf(buf, sizeof(buf), "tail %-3l");
	assert_string_equal(buf, "tail %-3l");
}

static void test_scnprintf(void **state)
{
	char buf[4];

	assert_int_equal(scnprintf(buf, 4, "%s", "ab"), 2);
	assert_int_equal(scnprintf(buf, 4, "%s", "abcdef"), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(scnprintf(buf, 0, "%s", "abcdef"), 0);
}

/* Widths without end neither overflow nor take for ever. */
static void test_huge_width(void **state)
{
	char buf[8];

	assert_int_equal(k_snprintf(buf, 8, "%99999999999d", 1), 65536);
	assert_int_equal(k_snprintf(buf, 8, "%*d", INT32_MIN, 1), 65536);
	assert_int_equal(k_snprintf(buf, 8, "%.99999999999d", 1), 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_unterminated),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_scnprintf),
		cmocka_unit_test(test_huge_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
