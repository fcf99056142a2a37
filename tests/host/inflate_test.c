/* SPDX-License-Identifier: MIT */
/* sources: lib/inflate.c lib/gunzip.c lib/crc.c */
/*
 * tests/host/inflate_test.c - what gzip packs must come out, whole; what was
 * cut or changed must be refused, without a step aside.
 */
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <lib/errno.h>
#include <lib/inflate.h>

struct output {
	u8 *p;
	size_t len;
	size_t max;
};

static _Alignas(8) u8 work[INFLATE_WORK_SIZE];

static int keep(void *ctx, const void *data, size_t len)
{
	struct output *o = ctx;

	assert_true(len > 0 && len <= INFLATE_WINDOW);
	if (len > o->max - o->len)
		return -ENOSPC;
	memcpy(o->p + o->len, data, len);
	o->len += len;
	return 0;
}

/* Pack @len bytes with `gzip @options`. */
static void *pack(const void *data, size_t len, const char *options,
		  size_t *packed_len)
{
	char path[] = "/tmp/inflate_testXXXXXX", cmd[128], out[64];
	int fd = mkstemp(path);
	void *packed;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
	snprintf(out, sizeof(out), "%s.out", path);
	snprintf(cmd, sizeof(cmd), "gzip %s <%s >%s", options, path, out);
	assert_int_equal(system(cmd), 0);
	packed = read_file(out, packed_len);
	unlink(path);
	unlink(out);
	return packed;
}

static int unpack(const void *in, size_t len, struct output *o, size_t max)
{
	void *exact = exact_copy(in, len);
	int r;

	*o = (struct output){ malloc(max + 1), 0, max };
	r = gunzip(exact, len, keep, o, work);
	free(exact);
	return r;
}

static void round_trip(const void *data, size_t len, const char *options)
{
	struct output o;
	size_t n;
	void *packed = pack(data, len, options, &n);

	assert_int_equal(unpack(packed, n, &o, len), 0);
	assert_int_equal(o.len, len);
	assert_memory_equal(o.p, data, len);
	free(packed);
	free(o.p);
}

/* Text of some structure, so that all kinds of matches occur. */
static u8 *some_text(size_t len, u64 seed)
{
	u8 *p = malloc(len + 1);
	size_t n = 0;

	while (n < len) {
		u64 kind = random_below(&seed, 20);
		size_t run = random_below(&seed, 60) + 1;

		if (kind == 0)
			run *= 100;
		for (; run && n < len; run--, n++) {
			if (kind < 3 || n < 100)
				p[n] = (u8)next_random(&seed);
			else if (kind == 3)
				p[n] = 'x';
			else
				p[n] = p[n - 1 - (kind * kind * 80) % (n - 1)];
		}
	}
	return p;
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = { 0,     1,     2,     100,    32767,
					32768, 32769, 65536, 300000, 1000000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *p = some_text(sizes[i], i + 1);

		round_trip(p, sizes[i], "-1");
		round_trip(p, sizes[i], "-9");
		free(p);
	}
}

static void test_kinds(void **state)
{
	size_t len = 200000;
	u8 *p = malloc(len);
	u64 seed = 99;

	for (size_t i = 0; i < len; i++)
		p[i] = (u8)next_random(&seed);
	round_trip(p, len, "-6"); /* stored */
	memset(p, 'a', len);
	round_trip(p, len, "-9"); /* one distance only */
	for (size_t i = 0; i < len; i++)
		p[i] = "ab"[random_below(&seed, 2)];
	round_trip(p, len, "-6");
	round_trip("hello hello hello", 17, "-9"); /* fixed */
	free(p);
}

static void test_members(void **state)
{
	const char *a = "first member, ", *b = "second member";
	u8 both[512] = { 0 };
	struct output o;
	size_t na, nb;
	void *pa = pack(a, strlen(a), "-9", &na);
	void *pb = pack(b, strlen(b), "-1", &nb);

	memcpy(both, pa, na);
	memcpy(both + na, pb, nb);
	assert_int_equal(unpack(both, na + nb, &o, 100), 0);
	assert_int_equal(o.len, strlen(a) + strlen(b));
	assert_memory_equal(o.p, "first member, second member", o.len);
	free(o.p);
	/* Zeroes behind it. */
	assert_int_equal(unpack(both, na + nb + 20, &o, 100), 0);
	free(o.p);
	/* A second member that is not whole. */
	assert_int_equal(unpack(both, na + nb - 1, &o, 100), -EINVAL);
	free(o.p);
	free(pa);
	free(pb);
}

/* All optional parts of the header [RFC 1952, 2.3]. */
static void test_header(void **state)
{
	static const u8 head[] = { 0x1f, 0x8b, 8,   0x1e, 0,	0,   0,	  0,
				   0,	 3,    3,   0,	  'e',	'x', 't', 'n',
				   'm',	 0,    'c', 0,	  0xaa, 0xbb };
	static const u8 tail[] = { 0x4b, 0x04, 0x00, /* "a", fixed */
				   0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0 };
	u8 file[sizeof(head) + sizeof(tail)];
	struct output o;

	memcpy(file, head, sizeof(head));
	memcpy(file + sizeof(head), tail, sizeof(tail));
	assert_int_equal(unpack(file, sizeof(file), &o, 10), 0);
	assert_int_equal(o.len, 1);
	assert_int_equal(o.p[0], 'a');
	free(o.p);
	for (size_t n = 0; n < sizeof(file); n++) {
		assert_int_equal(unpack(file, n, &o, 10), -EINVAL);
		free(o.p);
	}
	file[3] |= 0x20; /* reserved */
	assert_int_equal(unpack(file, sizeof(file), &o, 10), -EINVAL);
	free(o.p);
}

/* The sink's error ends it and comes back. */
static void test_sink_error(void **state)
{
	u8 *p = some_text(100000, 5);
	struct output o;
	size_t n;
	void *packed = pack(p, 100000, "-6", &n);

	assert_int_equal(unpack(packed, n, &o, 40000), -ENOSPC);
	assert_int_equal(o.len, INFLATE_WINDOW);
	free(o.p);
	free(packed);
	free(p);
}

static void test_cut(void **state)
{
	u8 *p = some_text(3000, 6);
	struct output o;
	size_t n;
	void *packed = pack(p, 3000, "-9", &n);

	for (size_t cut = 0; cut < n; cut++) {
		assert_int_equal(unpack(packed, cut, &o, 3000), -EINVAL);
		free(o.p);
	}
	free(packed);
	free(p);
}

/* Any change behind the header is found: by the code or by the CRC. */
static void test_mutations(void **state)
{
	u8 *p = some_text(2000, 7);
	struct output o;
	u64 seed = 8;
	size_t n;
	u8 *packed = pack(p, 2000, "-6", &n);

	for (int i = 0; i < 10000; i++) {
		u8 *bad = exact_copy(packed, n);
		int r;

		for (u64 c = random_below(&seed, 5) + 1; c; c--)
			bad[random_below(&seed, n - 10) + 10] =
				(u8)next_random(&seed);
		r = unpack(bad, n, &o, 1 << 20);
		if (memcmp(bad, packed, n) != 0)
			assert_true(r == -EINVAL || r == -ENOSPC);
		free(o.p);
		free(bad);
	}
	free(packed);
	free(p);
}

/* Nothing but noise, as raw deflate. */
static void test_noise(void **state)
{
	u64 seed = 9;

	for (int i = 0; i < 20000; i++) {
		size_t n = random_below(&seed, 300), used = 0;
		struct output o = { malloc(1 << 16), 0, 1 << 16 };
		u8 *noise = malloc(n + 1), *exact;
		int r;

		for (size_t b = 0; b < n; b++)
			noise[b] = (u8)next_random(&seed);
		if (n) /* mostly dynamic blocks */
			noise[0] = (u8)(noise[0] & ~7) | 5;
		exact = exact_copy(noise, n);
		r = inflate_raw(exact, n, keep, &o, work, &used);
		assert_true(r <= 0 && used <= n);
		free(exact);
		free(noise);
		free(o.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_sink_error),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
