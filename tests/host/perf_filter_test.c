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

#define COMMON                                                                 \
	"format:\n"                                                            \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char enter_format[] =
	"name: sys_enter\nID: 1\n" COMMON
	"\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n\n"
	"print fmt: \"NR %ld\", REC->id\n";

static bool match_one(const char *format, const char *text, const void *raw)
{
	const struct perf_hit hit = { raw, "cat", 5 };
	struct perf_filter *f = perf_filter_parse(format, text);
	bool m;

	assert_false(IS_ERR(f));
	m = perf_filter_match(f, &hit);
	perf_filter_free(f);
	return m;
}

static bool matches(const char *text, s32 pid, s64 id)
{
	struct enter r = { { TP_SYS_ENTER, 0, 0, pid }, id, { 0 } };

	return match_one(enter_format, text, &r);
}

struct exec { /* strings: fixed, and somewhere */
	struct trace_common c;
	char prev[16];
	u32 name_at;
	char name[24];
	u64 big;
};

static const char exec_format[] =
	"name: x\nID: 9\n" COMMON
	"\tfield:char prev[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n"
	"\tfield:u64 big;\toffset:56;\tsize:8;\tsigned:0;\n\n";

static bool fits(const char *text)
{
	struct exec r = { { 9, 3, 0, 7 },
			  "sh",
			  offsetof(struct exec, name) | 24 << 16,
			  "/bin/x y",
			  ~0ull };

	return match_one(exec_format, text, &r);
}

static void test_strings(void **state)
{
	(void)state;
	assert_true(fits("prev == \"sh\""));
	assert_true(fits("prev=='sh' && !(prev == \"s\") && prev != \"shh\""));
	assert_true(fits("prev ~ \"s*\" && prev ~ \"*h\" && prev ~ \"*\""));
	assert_true(fits("prev ~ \"[a-s]?\" && prev ~ \"!x*\""));
	assert_false(fits("prev ~ \"[!a-s]h\" || prev ~ \"s\" || prev ~ \"\""));
	assert_true(fits("name == \"/bin/x y\" && name ~ \"*b*x*\""));
	assert_false(fits("name ~ \"*b*x\" || name.ustring == \"/bin/x\""));
	assert_true(fits("comm == \"cat\" && COMM ~ \"?at\" && CPU == 5"));
	assert_true(fits(
		"cpu & CPUS{0-2,5} && CPU == CPUS{5} && CPU != CPUS{4-5}"));
	assert_false(fits("CPU & CPUS{6} || CPU == CPUS{5,6} || CPU > 5"));
	assert_true(fits("big == 18446744073709551615 && big > 1"));
	assert_true(fits(
		"common_pid == 07 && common_pid == 0X7 && common_flags & 2"));
	assert_true(fits("common_pid == -1 || common_pid == 7 ||"));
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
		"&& id == 1",
		"()",
		"args == 1",
		"common_pid == \"x\"",
		"common_pid ~ \"x\"",
		"comm == x",
		"comm == 1",
		"comm < \"x\"",
		"comm & \"x\"",
		"comm.function == \"x\"",
		"id.x == 1",
		"id == +1",
		"id == - 1",
		"id == 0x1g",
		"id == 9223372036854775808",
		"CPU == -1",
		"CPU < CPUS{1}",
		"CPU & CPUS{}",
		"CPU & CPUS{3-1}",
		"CPU & CPUS{64}",
		"CPU & CPUS{1",
		"0",
		"ret == 1",
		"prev_pid == 1",
		"id == 0x",
		"id == 123456789012345678901",
	};
	static const struct {
		const char *text;
		int err;
	} odd[] = {
		{ "(id == 1", -ENOENT },
		{ "id == 1)", -EPERM },
		{ "id == 1 2", -EPERM },
		{ "(id == 1)(id == 2)", -EPERM },
		{ "id == 1 & id == 2", -EPERM },
		{ "comm == \"x", -ESRCH },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			PTR_ERR(perf_filter_parse(enter_format, bad[i])),
			-EINVAL);
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(
			PTR_ERR(perf_filter_parse(enter_format, odd[i].text)),
			odd[i].err);
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
		f = perf_filter_parse(enter_format, text);
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
	assert_int_equal(PTR_ERR(perf_filter_parse(enter_format, text)),
			 -EINVAL);
}

/* Any bytes at all. */
static void test_noise(void **state)
{
	static const char *const words[] = {
		"id", "common_pid", "==",   "!=",     "<",    ">=",    "&",
		"&&", "||",	    "!",    "(",      ")",    "-",     "0x",
		"7",  "123",	    " ",    "nosuch", "\xff", "prev",  "name",
		"~",  "\"a*\"",	    "'",    "\"",     "[a-]", "CPUS{", "}",
		",",  "CPU",	    "comm",
	};
	char text[256];
	struct exec r = { .name_at = offsetof(struct exec, name) | 24 << 16 };
	const struct perf_hit hit = { &r, "abc", 3 };
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
		f = perf_filter_parse(exec_format, text);
		if (!f || IS_ERR(f))
			continue;
		good++;
		(void)perf_filter_match(f, &hit);
		perf_filter_free(f);
	}
	assert_true(good > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches), cmocka_unit_test(test_strings),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_large),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
