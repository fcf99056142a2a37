/* SPDX-License-Identifier: MIT */
/* sources: kernel/pmu/buildid.c */
/* tests/host/buildid_test.c - build ids of files, honest ones and others. */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <kernel/pmu/buildid.h>
#include <kernel/task/elf.h>

#define HEAD 512u
#define NOTE 300u

/* A header, two program headers, the second one of notes: another one, then the id. */
static void make(u8 *p, u32 len)
{
	struct elf_ehdr eh = { .ident = { 0x7f, 'E', 'L', 'F', 2, 1 },
			       .phoff = sizeof(eh),
			       .phentsize = sizeof(struct elf_phdr),
			       .phnum = 2 };
	struct elf_phdr ph[2] = {
		{ .type = PT_LOAD },
		{ .type = 4,
		  .offset = NOTE,
		  .filesz = 20 + 16 + (len + 3) / 4 * 4 },
	};
	u32 first[5] = { 4, 4, 1, 0x00554e47, 7 },
	    second[4] = { 4, len, 3, 0x00554e47 };

	memset(p, 0, HEAD);
	memcpy(p, &eh, sizeof(eh));
	memcpy(p + sizeof(eh), ph, sizeof(ph));
	memcpy(p + NOTE, first, sizeof(first));
	memcpy(p + NOTE + 20, second, sizeof(second));
	for (u32 i = 0; i < len; i++)
		p[NOTE + 36 + i] = (u8)(i + 1);
}

static void test_found(void **state)
{
	u8 p[HEAD], id[BUILD_ID_MAX];

	(void)state;
	for (u32 len = 1; len <= BUILD_ID_MAX; len++) {
		make(p, len);
		assert_int_equal(buildid_parse(p, HEAD, id), len);
		assert_int_equal(id[0], 1);
		assert_int_equal(id[len - 1], len);
	}
	make(p, BUILD_ID_MAX + 1);
	assert_int_equal(buildid_parse(p, HEAD, id), 0);
	make(p, 20);
	assert_int_equal(buildid_parse(p, NOTE + 40, id), 0);
	p[4] = 1; /* 32 bits */
	assert_int_equal(buildid_parse(p, HEAD, id), 0);
}

/* Whatever the numbers say, nothing outside is read: the sanitizer looks. */
static void test_noise(void **state)
{
	u8 id[BUILD_ID_MAX], *p;

	(void)state;
	srand(2);
	for (u32 i = 0; i < 200000; i++) {
		size_t n = (size_t)rand() % (HEAD + 1);

		p = malloc(HEAD);
		make(p, 20);
		p = realloc(p, n ? n : 1);
		for (u32 k = 0; k < 4 && n; k++)
			p[(size_t)rand() % n] = (u8)rand();
		if (n > 40 && i % 3 == 0)
			memset(p + 32, rand() % 2 ? 0xff : 0x7f, 8);
		if (n > NOTE + 8 && i % 5 == 0)
			memset(p + NOTE + (size_t)rand() % 8, 0xff, 1);
		assert_true(buildid_parse(p, n, id) <= BUILD_ID_MAX);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
