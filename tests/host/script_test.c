/* SPDX-License-Identifier: MIT */
/* sources: kernel/task/script.c */
/* tests/host/script_test.c - "#!" lines. */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <kernel/task/script.h>
#include <lib/errno.h>

static void expect(const char *line, const char *interp, const char *arg)
{
	struct script_line s;

	assert_int_equal(script_parse(line, strlen(line), &s), 0);
	assert_string_equal(s.interp, interp);
	assert_string_equal(s.arg, arg);
}

static void test_lines(void **state)
{
	(void)state;
	expect("#!/bin/sh\necho", "/bin/sh", "");
	expect("#! /bin/sh", "/bin/sh", "");
	expect("#!\t /usr/bin/env  python3 -u \t\nx", "/usr/bin/env",
	       "python3 -u");
	expect("#!x", "x", "");
	expect("#!/bin/sh -e\n", "/bin/sh", "-e");
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "",
					   "#",
					   "#!",
					   "#!\n",
					   "#!  \n",
					   "!#/bin/sh",
					   "\x7f"
					   "ELF" };
	struct script_line s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(script_parse(bad[i], strlen(bad[i]), &s),
				 -ENOEXEC);
}

static void test_long(void **state)
{
	char line[SCRIPT_LINE_MAX];
	struct script_line s;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "#!/", 3);
	assert_int_equal(script_parse(line, sizeof(line), &s), -ENOEXEC);
	line[10] = ' '; /* only the argument is cut */
	assert_int_equal(script_parse(line, sizeof(line), &s), 0);
	assert_int_equal(strlen(s.interp), 8);
	assert_int_equal(strlen(s.arg), SCRIPT_LINE_MAX - 12);
	line[sizeof(line) - 1] = '\n'; /* exactly full, and whole */
	line[10] = 'a';
	assert_int_equal(script_parse(line, sizeof(line), &s), 0);
	assert_int_equal(strlen(s.interp), SCRIPT_LINE_MAX - 3);
}

static void test_noise(void **state)
{
	(void)state;
	srand(2026);
	for (int i = 0; i < 100000; i++) {
		size_t len = (size_t)rand() % (SCRIPT_LINE_MAX + 1);
		char *line =
			malloc(len + 1); /* ASan sees what is read beyond */
		struct script_line s;

		for (size_t k = 0; k < len; k++)
			line[k] = " \t\n\0ab/#!"[rand() % 9];
		if (len > 1)
			memcpy(line, "#!", 2);
		line = realloc(line, len ? len : 1);
		if (!script_parse(line, len, &s))
			assert_true(strlen(s.interp) > 0);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
