/* SPDX-License-Identifier: MIT */
/* sources: lib/cpio.c */
/*
 * tests/host/cpio_test.c - archives made by hand, cut at every byte, and
 * corrupted at random.
 */
#include <tests/host/cmocka.h>

#include <lib/cpio.h>
#include <lib/errno.h>

struct archive {
	char buf[4096];
	size_t len;
};

static void pad(struct archive *a)
{
	while (a->len % 4)
		a->buf[a->len++] = 0;
}

static void add(struct archive *a, const char *magic, const char *name,
		const void *data, u32 size, u32 check)
{
	a->len += (size_t)sprintf(a->buf + a->len,
				  "%s%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x"
				  "%08x%08x%08x",
				  magic, 0xABCDu, 0100644u, 1000u, 1001u, 1u,
				  1234567u, size, 8u, 1u, 5u, 7u,
				  (u32)strlen(name) + 1, check);
	memcpy(a->buf + a->len, name, strlen(name) + 1);
	a->len += strlen(name) + 1;
	pad(a);
	if (size)
		memcpy(a->buf + a->len, data, size);
	a->len += size;
	pad(a);
}

static struct archive sample(void)
{
	struct archive a = { .len = 0 };

	add(&a, "070701", "hello", "world!", 6, 0);
	add(&a, "070701", "dir", NULL, 0, 0);
	add(&a, "070702", "sum", "\1\2\xff", 3, 0x102);
	add(&a, "070701", "TRAILER!!!", NULL, 0, 0);
	return a;
}

static void test_walk(void **state)
{
	struct archive a = sample();
	struct cpio_entry e;
	size_t off = 0;

	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), 1);
	assert_string_equal(e.name, "hello");
	assert_int_equal(e.name_len, 5);
	assert_int_equal(e.size, 6);
	assert_memory_equal(e.data, "world!", 6);
	assert_int_equal(e.ino, 0xabcd);
	assert_int_equal(e.mode, 0100644);
	assert_int_equal(e.uid, 1000);
	assert_int_equal(e.gid, 1001);
	assert_int_equal(e.nlink, 1);
	assert_int_equal(e.mtime, 1234567);
	assert_int_equal(e.rdev_major, 5);
	assert_int_equal(e.rdev_minor, 7);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), 1);
	assert_string_equal(e.name, "dir");
	assert_int_equal(e.size, 0);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), 1);
	assert_string_equal(e.name, "sum");
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), 0);
	assert_int_equal(off, a.len);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), 0);
}

/* A second archive behind zeroes, and no trailer at all at its end. */
static void test_concatenated(void **state)
{
	struct archive a = sample();
	struct cpio_entry e;
	size_t off = 0;
	int seen = 0;

	memset(a.buf + a.len, 0, 512);
	a.len += 512;
	add(&a, "070701", "second", "x", 1, 0);
	while (off < a.len) {
		int r = cpio_next(a.buf, a.len, &off, &e);

		assert_true(r >= 0);
		seen += r;
	}
	assert_int_equal(seen, 4);
	assert_string_equal(e.name, "second");
}

static int walk(const void *buf, size_t len)
{
	struct cpio_entry e;
	size_t off = 0;
	u32 sum = 0;
	int r;

	while ((r = cpio_next(buf, len, &off, &e)) > 0) {
		assert_true(off <= len);
		for (size_t i = 0; i < e.size; i++) /* ASan looks */
			sum += ((const u8 *)e.data)[i];
		assert_int_equal(strlen(e.name), e.name_len);
	}
	return sum ? r : r;
}

static void test_cut(void **state)
{
	struct archive a = sample();

	for (size_t n = 0; n <= a.len; n++) {
		void *copy = exact_copy(a.buf, n);
		size_t off = 0;
		struct cpio_entry e;
		int r;

		walk(copy, n);
		r = cpio_next(copy, n, &off, &e);
		if (n > 0 && n < 122) { /* within the first entry */
			assert_int_equal(r, -EINVAL);
			assert_int_equal(off, 0);
		}
		free(copy);
	}
}

static void test_bad(void **state)
{
	struct archive a = { .len = 0 };
	struct cpio_entry e;
	size_t off = 0;

	add(&a, "070707", "old", NULL, 0, 0);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
	a.len = 0;
	add(&a, "070702", "sum", "abc", 3, 1);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
	a.len = 0;
	add(&a, "070701", "name", NULL, 0xffffffff & 0, 0);
	memcpy(a.buf + 54, "fffffffe", 8); /* size */
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
	memcpy(a.buf + 54, "00000000", 8);
	memcpy(a.buf + 94, "ffffffff", 8); /* name size */
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
	memcpy(a.buf + 94, "00000000", 8);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
	memcpy(a.buf + 94, "0000000g", 8);
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
	memcpy(a.buf + 94, "00000003", 8); /* not terminated there */
	assert_int_equal(cpio_next(a.buf, a.len, &off, &e), -EINVAL);
}

static void test_mutations(void **state)
{
	struct archive a = sample();
	u64 seed = 21;

	for (int i = 0; i < 20000; i++) {
		u8 *copy = exact_copy(a.buf, a.len);

		for (u64 n = random_below(&seed, 4) + 1; n; n--)
			copy[random_below(&seed, a.len)] =
				"0123456789abcdefF\0\xff"[random_below(&seed,
								       19)];
		walk(copy, a.len);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_concatenated),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
