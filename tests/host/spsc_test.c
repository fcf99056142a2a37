/* SPDX-License-Identifier: MIT */
/*
 * tests/host/spsc_test.c - lib/spsc.h with one thread: every fill level at
 * every position around the wrap of the indices, and peers that lie.
 */
#include <tests/host/cmocka.h>

#include <lib/spsc.h>

#define START (UINT32_MAX - 7) /* 2^32 - 8 */

struct world {
	struct spsc ring;
	struct spsc_cursor prod, cons;
	u32 slot[8];
	u32 put, taken; /* values so far */
};

static void begin(struct world *w, u32 size)
{
	memset(w, 0, sizeof(*w));
	w->ring.head.idx = w->ring.tail.idx = START;
	w->prod = w->cons = (struct spsc_cursor){ START, START, size };
}

static void put(struct world *w, u32 n)
{
	for (u32 i = 0; i < n; i++)
		w->slot[spsc_slot(&w->prod, i)] = w->put++;
	spsc_publish(&w->ring, &w->prod, n);
}

static void take(struct world *w, u32 n)
{
	for (u32 i = 0; i < n; i++)
		assert_int_equal(w->slot[spsc_slot(&w->cons, i)], w->taken++);
	spsc_release(&w->ring, &w->cons, n);
}

/* Fill with @in, take @out, again and again past the wrap. */
static void cycle(u32 size, u32 in, u32 out)
{
	struct world w;

	begin(&w, size);
	for (int round = 0; round < 40; round++) {
		int space = spsc_space(&w.ring, &w.prod);
		int ready;

		assert_in_range(space, 0, size);
		put(&w, min(in, (u32)space));
		ready = spsc_ready(&w.ring, &w.cons);
		assert_in_range(ready, 0, size);
		assert_true(ready > 0 || w.put == w.taken);
		take(&w, min(out, (u32)ready));
	}
	assert_true(w.put >= 20);
}

static void test_wrap(void **state)
{
	for (u32 size = 1; size <= 8; size *= 2)
		for (u32 in = 1; in <= size; in++)
			for (u32 out = 1; out <= size; out++)
				cycle(size, in, out);
}

static void test_full_and_empty(void **state)
{
	for (u32 size = 1; size <= 8; size *= 2) {
		struct world w;

		begin(&w, size);
		assert_int_equal(spsc_ready(&w.ring, &w.cons), 0);
		assert_int_equal(spsc_space(&w.ring, &w.prod), size);
		put(&w, size);
		assert_int_equal(spsc_space(&w.ring, &w.prod), 0);
		assert_int_equal(spsc_ready(&w.ring, &w.cons), size);
		take(&w, size);
		assert_int_equal(spsc_ready(&w.ring, &w.cons), 0);
		assert_int_equal(spsc_space(&w.ring, &w.prod), size);
	}
}

/* Whatever stands in the peer's index: an honest count, or SPSC_BROKEN. */
static void test_lying_producer(void **state)
{
	for (u32 size = 1; size <= 8; size *= 2) {
		for (u32 lie = 0; lie < 64; lie++) {
			struct world w;
			u32 ahead = lie - 32;
			int want = ahead <= size ? (int)ahead : SPSC_BROKEN;

			begin(&w, size);
			w.ring.tail.idx = START + ahead;
			assert_int_equal(spsc_ready(&w.ring, &w.cons), want);
			if (want == SPSC_BROKEN) /* and nothing was kept */
				assert_int_equal(w.cons.seen, START);
		}
	}
}

static void test_lying_consumer(void **state)
{
	for (u32 size = 1; size <= 8; size *= 2) {
		for (u32 lie = 0; lie < 64; lie++) {
			struct world w;
			u32 behind = lie - 32;
			int want = behind <= size ? (int)(size - behind)
						  : SPSC_BROKEN;

			begin(&w, size);
			put(&w, size);
			w.ring.head.idx = w.prod.own - behind;
			assert_int_equal(spsc_space(&w.ring, &w.prod), want);
			if (want == SPSC_BROKEN)
				assert_int_equal(w.prod.seen, START);
		}
	}
}

/* A peer that scribbles on our announcement does not move us. */
static void test_scribbled_own_index(void **state)
{
	struct world w;

	begin(&w, 4);
	put(&w, 2);
	w.ring.tail.idx = 12345;
	put(&w, 1);
	assert_int_equal(w.ring.tail.idx, START + 3);
	assert_int_equal(spsc_ready(&w.ring, &w.cons), 3);
	take(&w, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_full_and_empty),
		cmocka_unit_test(test_lying_producer),
		cmocka_unit_test(test_lying_consumer),
		cmocka_unit_test(test_scribbled_own_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
