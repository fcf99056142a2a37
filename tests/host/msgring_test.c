/* SPDX-License-Identifier: MIT */
/*
 * tests/host/msgring_test.c - lib/msgring.h with one thread: every fill level
 * at every position around the wrap of the indices.
 */
#include <tests/host/cmocka.h>

#include <lib/msgring.h>

#define MAX_SHIFT 3

struct world {
	struct msgring ring;
	u64 slot[1 << MAX_SHIFT];
	u64 put, taken; /* words so far; the n-th word is 2 * n + 2 */
};

static void begin(struct world *w, u32 shift, u32 start)
{
	memset(w, 0xff, sizeof(*w));
	msgring_init(&w->ring, w->slot, shift, start);
	w->put = w->taken = 0;
}

static bool put(struct world *w)
{
	if (!msgring_push(&w->ring, 2 * w->put + 2))
		return false;
	w->put++;
	return true;
}

static bool take(struct world *w)
{
	bool pending = msgring_pending(&w->ring);
	u64 word = msgring_pop(&w->ring);

	assert_int_equal(pending, word != 0);
	if (!word)
		return false;
	assert_int_equal(word, 2 * w->taken++ + 2);
	return true;
}

/* @in pushes and @out pops, again and again. */
static void cycle(u32 shift, u32 start, u32 in, u32 out)
{
	struct world w;
	u64 size = 1ull << shift;

	begin(&w, shift, start);
	for (int round = 0; round < 50; round++) {
		for (u32 i = 0; i < in; i++)
			assert_true(put(&w));
		for (u32 i = 0; i < out; i++)
			take(&w);
		assert_true(w.put - w.taken <= size);
	}
	while (take(&w))
		continue;
	assert_int_equal(w.put, w.taken);
}

static void test_wrap(void **state)
{
	static const u32 starts[] = { 0, 1, 0x7ffffff8, 0xfffffff8,
				      0xffffffff };

	for (size_t s = 0; s < ARRAY_SIZE(starts); s++)
		for (u32 shift = 0; shift <= MAX_SHIFT; shift++)
			for (u32 in = 1; in <= 1u << shift; in++)
				for (u32 out = in; out <= 1u << shift; out++)
					cycle(shift, starts[s], in, out);
}

static void test_full(void **state)
{
	for (u32 shift = 0; shift <= MAX_SHIFT; shift++) {
		struct world w;

		begin(&w, shift, 0xfffffff8);
		assert_false(take(&w));
		for (int round = 0; round < 20; round++) {
			for (u32 i = 0; i < 1u << shift; i++)
				assert_true(put(&w));
			assert_false(put(&w));
			assert_false(put(&w));
			assert_true(take(&w));
			assert_true(put(&w)); /* exactly one */
			assert_false(put(&w));
			for (u32 i = 0; i < 1u << shift; i++)
				assert_true(take(&w));
			assert_false(take(&w));
		}
	}
}

/* A word keeps all of its bits but the tag. */
static void test_words(void **state)
{
	struct world w;

	begin(&w, 1, 0);
	for (int i = 0; i < 5; i++) {
		assert_true(msgring_push(&w.ring, ~1ull));
		assert_true(msgring_pop(&w.ring) == ~1ull);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
