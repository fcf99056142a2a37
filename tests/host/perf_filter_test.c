/* SPDX-License-Identifier: MIT */
/* sources: kernel/pmu/filter.c */
/* tests/host/perf_filter_test.c - filters of tracepoints: what they are, what they let by. */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/pmu/filter.h>
#include <kernel/pmu/tracepoint.h>
#include <lib/errno.h>

void *kzalloc(size_t n)
{
	return calloc(1, n);
}

void kfree(const void *p)
{
	free((void *)p);
}

struct enter { /* raw_syscalls:sys_enter */
	struct trace_common c;
	s64 id;
	u64 args[6];
};

static bool matches(const char *text, s32 pid, s64 id)
{
	struct enter r = { { TP_SYS_ENTER, 0, 0, pid }, id, { 0 } };
	struct perf_filter *f = perf_filter_parse(TP_SYS_ENTER, text);
	bool m;

	assert_false(IS_ERR(f));
	assert_non_null(f);
	m = perf_filter_match(f, &r);
	perf_filter_free(f);
	return m;
}

static void test_matches(void **state)
{
	(void)state;
	assert_true(matches("id == 56", 1, 56));
	assert_false(matches("id == 56", 1, 57));
	assert_true(matches("id==0x38", 1, 56));
	assert_true(matches("id > -2 && id < 0", 1, -1));
	assert_true(matches("id & 0x10", 1, 56));
	assert_false(matches("id & 7", 1, 56));
	assert_true(matches("common_type == 1", 1, 0));
	assert_true(matches("!(id == 1) && !common_pid == 3", 2, 5));
	/* && binds closer than ||. */
	assert_true(matches("id == 1 || id == 2 && common_pid == 9", 3, 1));
	assert_false(matches("(id == 1 || id == 2) && common_pid == 9", 3, 1));
	assert_true(matches("(common_pid != 12 && common_pid != 13) && "
			    "(id == 56 || id == 57)",
			    11, 57));
	assert_false(matches("(common_pid != 12 && common_pid != 13) && "
			     "(id == 56 || id == 57)",
			     13, 57));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"id",
		"id ==",
		"id == x",
		"id = 1",
		"nosuch == 1",
		"id == 1)",
		"(id == 1",
		"id == 1 &&",
		"&& id == 1",
		"id == 1 2",
		"ret == 1",
		"prev_pid == 1",
		"id == 0x",
		"id == 123456789012345678901",
		"comm == \"x\"",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			PTR_ERR(perf_filter_parse(TP_SYS_ENTER, bad[i])),
			-EINVAL);
	assert_null(perf_filter_parse(TP_SYS_ENTER, "0"));
}

/* Neither depth nor length can do more than be refused. */
static void test_large(void **state)
{
	static char text[1 << 16];
	struct perf_filter *f;
	size_t n = 0;

	(void)state;
	for (int depth = 1; depth < 40; depth++) {
		n = 0;
		for (int i = 0; i < depth; i++)
			n += (size_t)sprintf(text + n,
					     "id == 9 || id == 7 && (");
		n += (size_t)sprintf(text + n, "id == 7");
		memset(text + n, ')', (size_t)depth);
		text[n + (size_t)depth] = '\0';
		f = perf_filter_parse(TP_SYS_ENTER, text);
		if (depth > 16) {
			assert_int_equal(PTR_ERR(f), -EINVAL);
			continue;
		}
		if (IS_ERR(f)) {
			assert_int_equal(depth, 16);
			continue;
		}
		perf_filter_free(f);
		assert_true(matches(text, 1, 7));
		assert_false(matches(text, 1, 8));
		assert_true(matches(text, 1, 9));
	}
	for (n = 0; n < 60000;)
		n += (size_t)sprintf(text + n, "id == 1 || ");
	sprintf(text + n, "id == 2");
	assert_int_equal(PTR_ERR(perf_filter_parse(TP_SYS_ENTER, text)),
			 -EINVAL);
}

/* Any bytes at all. */
static void test_noise(void **state)
{
	static const char *const words[] = {
		"id", "common_pid", "==", "!=",	    "<",    ">=", "&",
		"&&", "||",	    "!",  "(",	    ")",    "-",  "0x",
		"7",  "123",	    " ",  "nosuch", "\xff",
	};
	char text[256];
	struct enter r = { 0 };
	int good = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		struct perf_filter *f;
		size_t n = 0;

		for (int k = rand() % 12; k >= 0; k--)
			n += (size_t)sprintf(
				text + n, "%s",
				words[(unsigned)rand() %
				      (sizeof(words) / sizeof(words[0]))]);
		f = perf_filter_parse(TP_SYS_ENTER, text);
		if (!f || IS_ERR(f))
			continue;
		good++;
		(void)perf_filter_match(f, &r);
		perf_filter_free(f);
	}
	assert_true(good > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
