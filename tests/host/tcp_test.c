/* SPDX-License-Identifier: MIT */
/*
 * tests/host/tcp_test.c - TCP's engine over a wire that loses, doubles and mixes up.
 *
 * sources: net/tcp/ack.c net/tcp/cubic.c net/tcp/in.c net/tcp/options.c net/tcp/out.c net/tcp/rcv.c net/tcp/sack.c net/tcp/tcb.c net/tcp/timers.c tests/host/fake/tcp_wire.c
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/tcp_wire.h>

#include <errno.h>

/* --- whole conversations */

static void all_there(void)
{
	for (int i = 0; i < 2; i++) {
		struct wire_end *e = &wire.end[i], *o = &wire.end[!i];

		if (!e->ended || e->err || e->got != o->to_write || !e->fin)
			print_message("end %d: ended %d err %d got %lu of %lu "
				      "fin %d state %d\n",
				      i, e->ended, e->err, e->got, o->to_write,
				      e->fin, e->t.state);
		assert_true(e->ended);
		assert_int_equal(e->err, 0);
		assert_true(e->got == o->to_write);
		assert_true(e->fin);
	}
}

static void converse(u64 seed, u64 n)
{
	u64 r;

	wire_init(seed);
	r = seed * 0x2545f4914f6cdd1dul + 7;
	wire.loss = (u32)random_below(&r, 4) * 30;
	wire.dup = (u32)random_below(&r, 3) * 40;
	wire.reorder = (u32)random_below(&r, 3) * 200;
	wire.jitter = 20 * WIRE_MS;
	wire.delay = random_below(&r, 40) * WIRE_MS + 10000;
	for (int i = 0; i < 2; i++) {
		struct wire_end *e = &wire.end[i];

		e->to_write = random_below(&r, n);
		e->rcvbuf =
			(u32)(2000 +
			      random_below(&r, 1ul << random_below(&r, 18)));
		e->chunk =
			1 + (u32)random_below(&r, 1ul << random_below(&r, 15));
		e->t.conf.sndbuf = 4000 + (u32)random_below(&r, 100000);
		e->t.conf.nodelay = random_below(&r, 2);
		e->t.conf.no_quickack = random_below(&r, 2);
	}
	if (!random_below(&r, 3)) {
		wire.mtu_at = wire_now + random_below(&r, 500) * WIRE_MS;
		wire.mtu_later = 576 + (u32)random_below(&r, 900);
	}
	wire.no_sack = !random_below(&r, 4);
	wire.no_ts = !random_below(&r, 4);
	wire.no_ws = !random_below(&r, 4);
	wire_open(1500, random_below(&r, 2) ? 1500 : 900);
	wire.end[0].t.tso = random_below(&r, 2);
	wire.end[1].t.tso = random_below(&r, 2);
	wire_run(~0ul);
}

static void test_conversations(void **state)
{
	const char *one = getenv("TCP_SEED");
	u64 seeds = getenv("TCP_SEEDS") ? strtoul(getenv("TCP_SEEDS"), NULL, 0)
					: 300;

	for (u64 seed = 1; seed <= seeds; seed++) {
		if (one)
			seed = strtoul(one, NULL, 0);
		converse(seed, 60000);
		if (wire.end[0].err || wire.end[1].err)
			print_message("seed %lu\n", seed);
		all_there();
		wire_finish();
		if (one)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
