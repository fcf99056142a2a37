/* SPDX-License-Identifier: MIT */
/*
 * tests/host/tcp_rules_test.c - TCP's engine: rules of the RFCs, one by one, and segments of
 * random garbage in every state.
 *
 * sources: net/tcp/ack.c net/tcp/cubic.c net/tcp/in.c net/tcp/options.c net/tcp/out.c net/tcp/rcv.c net/tcp/sack.c net/tcp/tcb.c net/tcp/timers.c tests/host/fake/tcp_wire.c
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/tcp_wire.h>

#include <errno.h>

#define A (&wire.end[0])
#define B (&wire.end[1])

static void prepare(u64 seed)
{
	wire_init(seed);
	for (int i = 0; i < 2; i++)
		wire.end[i].no_close = wire.end[i].no_shut = true;
}

static void open_pair(u64 seed)
{
	prepare(seed);
	wire_open(1500, 1500);
	wire_run(wire_now + 100 * WIRE_MS);
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	assert_int_equal(B->t.state, TCP_ESTABLISHED);
}

static void pass(u64 ms)
{
	wire_run(wire_now + ms * WIRE_MS);
}

/* --- the handshake */

static void test_options(void **state)
{
	open_pair(1);
	assert_int_equal(A->t.adv_mss, 1460);
	assert_int_equal(A->t.mss, 1448);
	assert_int_equal(B->t.mss, 1448);
	assert_true(A->t.ts_on && A->t.sack_on && A->t.ws_on);
	assert_int_equal(A->t.snd_ws, 7);
	assert_true(A->t.srtt >= 10 * WIRE_MS);
	wire_finish();

	prepare(2);
	wire.no_sack = wire.no_ts = wire.no_ws = true;
	wire_open(1500, 576);
	pass(100);
	assert_true(!B->t.ts_on && !B->t.sack_on && !B->t.ws_on);
	assert_int_equal(A->t.mss, 536);
	assert_int_equal(B->t.mss, 536);
	wire_finish();
}

static u64 sent_at[64];
static u32 nr_sent;

static bool note_all(struct wire *w, int from, const struct tcp_seg *s)
{
	if (from == 0 && nr_sent < 64)
		sent_at[nr_sent++] = wire_now;
	return false;
}

static void test_syn_retries(void **state)
{
	prepare(3);
	nr_sent = 0;
	wire.filter = note_all;
	wire_open(1500, 1500);
	wire_run(~0ul);
	assert_int_equal(A->err, ETIMEDOUT);
	assert_int_equal(nr_sent, 7);
	for (u32 i = 1; i < nr_sent; i++)
		assert_true(sent_at[i] - sent_at[i - 1] == WIRE_S << (i - 1));
	assert_true(wire_now - sent_at[0] == 127 * WIRE_S);
	wire_finish();
}

static void test_refused(void **state)
{
	prepare(4);
	wire_open(1500, 1500);
	B->listens = false;
	wire_run(~0ul);
	assert_int_equal(A->err, ECONNREFUSED);
	wire_finish();
}

static void test_both_open(void **state)
{
	prepare(5);
	wire_make(1, 1500, 77);
	wire_make(0, 1500, 99);
	tcb_connect(&B->t);
	tcb_connect(&A->t);
	pass(200);
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	assert_int_equal(B->t.state, TCP_ESTABLISHED);
	wire_write(0, 3000, false, false);
	pass(200);
	assert_int_equal(B->got, 3000);
	wire_finish();
}

static void test_backlog_full(void **state)
{
	prepare(6);
	B->refuses = true;
	wire_open(1500, 1500);
	pass(100);
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	assert_int_equal(B->t.state, TCP_SYN_RECV);
	B->refuses = false;
	pass(1500); /* its SYN again, and our answer */
	assert_int_equal(B->t.state, TCP_ESTABLISHED);
	wire_finish();
}

/* --- RFC 5961 */

static void inject(int to, u32 seq, u32 ack, u8 flags)
{
	struct tcp_seg s = {
		.seq = seq, .ack = ack, .flags = flags, .wnd = 1000
	};

	wire_inject(to, &s);
}

static void test_resets(void **state)
{
	u32 acks;

	open_pair(7);
	pass(1000);
	acks = A->sent_acks;
	inject(0, A->t.rcv_nxt + 10, 0, TCP_RST);
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	assert_int_equal(A->sent_acks, acks + 1);
	inject(0, A->t.rcv_nxt + 11, 0, TCP_RST); /* not too often */
	assert_int_equal(A->sent_acks, acks + 1);
	inject(0, A->t.rcv_nxt - 1, 0, TCP_RST);
	inject(0, A->t.rcv_adv + 1, 0, TCP_RST);
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	pass(1000);
	inject(0, A->t.rcv_nxt + 5, 0, TCP_SYN);
	assert_int_equal(A->sent_acks, acks + 2);
	pass(1000);
	inject(0, A->t.rcv_nxt, A->t.snd_max + 1, TCP_ACK);
	assert_int_equal(A->sent_acks, acks + 3);
	inject(0, A->t.rcv_nxt, 0, TCP_RST);
	assert_int_equal(A->err, ECONNRESET);
	wire_finish();
}

static void test_paws(void **state)
{
	struct tcp_seg s = { .flags = TCP_ACK, .has_ts = true, .len = 1 };
	u8 byte = wire_byte(1, 0);

	open_pair(8);
	s.seq = A->t.rcv_nxt;
	s.ack = A->t.snd_una;
	s.data = &byte;
	s.tsval = A->t.ts_recent - 1;
	wire_inject(0, &s);
	assert_int_equal(A->got, 0);
	s.tsval = A->t.ts_recent;
	wire_inject(0, &s);
	assert_int_equal(A->got, 1);
	wire_finish();
}

/* --- loss */

static u32 to_drop, seen_data;

/* The first time, every second of the first segments with data. */
static bool drop_some(struct wire *w, int from, const struct tcp_seg *s)
{
	if (from || !s->len || s->seq != A->t.snd_nxt)
		return true;
	return !(++seen_data % 2 && seen_data / 2 < to_drop &&
		 s->seq + s->len != A->t.tx_end);
}

static void lose(u32 n, bool sack, u32 want_rto)
{
	open_pair(9);
	to_drop = n;
	seen_data = 0;
	if (!sack)
		A->t.sack_on = B->t.sack_on = false;
	wire.filter = drop_some;
	A->t.cwnd = 40 * 1448;
	wire_write(0, 40 * 1448, false, false);
	wire.filter = drop_some;
	pass(sack ? 200 : 3000);
	assert_int_equal(B->got, 40 * 1448);
	assert_int_equal(A->t.total_retrans, n);
	assert_int_equal(A->t.retries, want_rto);
	assert_false(A->t.recovery);
	assert_true(A->t.cwnd <= 28 * 1448 + 1448 * 3);
	wire_finish();
}

static void test_sack_recovery(void **state)
{
	for (u32 n = 1; n < 8; n++)
		lose(n, true, 0);
}

static void test_newreno(void **state)
{
	for (u32 n = 1; n < 4; n++)
		lose(n, false, 0);
}

static void test_rto_backoff(void **state)
{
	open_pair(10);
	nr_sent = 0;
	wire.filter = note_all;
	wire_write(0, 100, false, false);
	wire_run(~0ul);
	assert_int_equal(A->err, ETIMEDOUT);
	assert_true(nr_sent >= 12);
	for (u32 i = 4; i < 10; i++) {
		u64 d = sent_at[i] - sent_at[i - 1];

		assert_true(d == 2 * (sent_at[i - 1] - sent_at[i - 2]));
	}
	assert_true(wire_now - sent_at[0] > 900 * WIRE_S);
	assert_true(wire_now - sent_at[0] < 1100 * WIRE_S);
	wire_finish();
}

static void test_user_timeout(void **state)
{
	u64 t;

	open_pair(11);
	A->t.conf.user_timeout = 3000;
	wire.down = true;
	t = wire_now;
	wire_write(0, 100, false, false);
	wire_run(~0ul);
	assert_int_equal(A->err, ETIMEDOUT);
	assert_true(wire_now - t == 3 * WIRE_S);
	wire_finish();
}

static bool drop_last(struct wire *w, int from, const struct tcp_seg *s)
{
	return from || !s->len || seen_data++ < to_drop || seen_data > 6;
}

/* The last two segments of all are lost: a probe, long before the timeout. */
static void test_tail_probe(void **state)
{
	open_pair(12);
	wire_write(0, 1448 * 4, false, false);
	pass(300);
	seen_data = 0;
	to_drop = 4;
	wire.filter = drop_last;
	wire_write(0, 1448 * 6, false, false);
	pass(80);
	assert_int_equal(B->got, 1448 * 10);
	assert_int_equal(A->t.retries, 0);
	wire_finish();
}

/* --- windows */

static void test_zero_window(void **state)
{
	open_pair(13);
	B->stalled = true;
	B->rcvbuf = 10000;
	A->to_write = 200000;
	A->next_write = 0;
	pass(20000);
	assert_int_equal(A->t.snd_wnd, 0);
	assert_true(B->got <= 70000);
	pass(3600 * 1000ul); /* for ever, as long as somebody answers */
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	B->stalled = false;
	B->next_read = 0;
	pass(150 * 1000);
	assert_true(B->got == 200000);
	wire_finish();
}

/* A reader of single bytes is not sent single bytes. */
static void test_silly_window(void **state)
{
	open_pair(14);
	B->rcvbuf = 6000;
	B->chunk = 1;
	A->to_write = 1448 * 40;
	A->next_write = 0;
	pass(60 * 1000);
	assert_true(B->got == A->to_write);
	assert_true(A->t.data_segs_out < 100);
	wire_finish();
}

/* The next segment of A is acknowledged, and the window stays as it is: so many segments
 * go. */
static u32 open_by_one(u16 wnd)
{
	u32 before = A->sent_segs;
	struct tcp_seg s = {
		.seq = A->t.rcv_nxt,
		.ack = A->t.snd_una + A->t.mss,
		.flags = TCP_ACK,
		.wnd = wnd,
	};

	wire_inject(0, &s);
	return A->sent_segs - before;
}

/* A window that opens by little pieces is filled a third at a time. */
static void test_batches(void **state)
{
	u32 n;

	open_pair(31);
	wire.down = true; /* B has no say */
	A->t.cwnd = 1u << 20;
	A->t.conf.sndbuf = 1u << 20;
	A->t.snd_wnd = 360u << 7; /* 31.8 segments */
	n = A->sent_segs;
	(void)wire_write(0, 40 * A->t.mss, false, false);
	(void)wire_write(0, 12 * A->t.mss, false, false);
	assert_int_equal(A->sent_segs - n, 31);
	for (n = 0; n < 9; n++)
		assert_int_equal(open_by_one(360), 0);
	assert_int_equal(open_by_one(360), 10);
	for (n = 0; n < 9; n++)
		assert_int_equal(open_by_one(360), 0);
	assert_int_equal(open_by_one(360), 10);
	assert_int_equal(open_by_one(360), 1); /* all that there is */
	wire_finish();

	open_pair(32); /* a small one is not held back */
	wire.down = true;
	A->t.snd_wnd = 24u << 7;
	n = A->sent_segs;
	(void)wire_write(0, 8 * A->t.mss, false, false);
	assert_int_equal(A->sent_segs - n, 2);
	assert_int_equal(open_by_one(24), 1);
	wire_finish();
}

static void test_nagle(void **state)
{
	u32 n;

	open_pair(15);
	n = A->t.data_segs_out;
	for (int i = 0; i < 10; i++)
		wire_write(0, 10, false, false);
	pass(200);
	assert_int_equal(A->t.data_segs_out - n, 2);
	A->t.conf.nodelay = true;
	n = A->t.data_segs_out;
	for (int i = 0; i < 10; i++)
		wire_write(0, 10, false, false);
	assert_int_equal(A->t.data_segs_out - n, 10);
	pass(200);
	A->t.conf.cork = true;
	n = A->t.data_segs_out;
	wire_write(0, 10, false, false);
	pass(100);
	assert_int_equal(A->t.data_segs_out - n, 0);
	pass(300); /* 200 ms, and no more */
	assert_int_equal(A->t.data_segs_out - n, 1);
	wire_finish();
}

static void test_delayed_acks(void **state)
{
	u32 acks, segs;

	open_pair(16);
	B->t.quick = 0;
	acks = B->sent_acks;
	wire_write(0, 100, false, false);
	pass(30);
	assert_int_equal(B->sent_acks, acks);
	pass(40);
	assert_int_equal(B->sent_acks, acks + 1);
	acks = B->sent_acks;
	segs = A->t.data_segs_out;
	A->to_write = 3000000;
	A->next_write = 0;
	A->chunk = 65536;
	B->chunk = 65536;
	pass(20000);
	assert_true(B->got == 3000000);
	segs = A->t.data_segs_out - segs;
	assert_true(B->sent_acks - acks < segs * 7 / 10);
	assert_int_equal(A->t.total_retrans, 0);
	wire_finish();
}

/* --- ends */

static void test_both_close(void **state)
{
	open_pair(17);
	tcb_shutdown(&A->t);
	tcb_shutdown(&B->t);
	wire_step();
	assert_true(A->t.state == TCP_CLOSING || B->t.state == TCP_CLOSING);
	pass(100);
	assert_int_equal(A->t.state, TCP_TIME_WAIT);
	assert_int_equal(B->t.state, TCP_TIME_WAIT);
	pass(61 * 1000);
	assert_true(A->ended && B->ended && !A->err && !B->err);
	wire_finish();
}

static void test_time_wait(void **state)
{
	u32 acks, seq;

	open_pair(18);
	tcb_shutdown(&A->t);
	pass(100);
	assert_int_equal(A->t.state, TCP_FIN_WAIT2);
	assert_int_equal(B->t.state, TCP_CLOSE_WAIT);
	tcb_shutdown(&B->t);
	pass(100);
	assert_int_equal(A->t.state, TCP_TIME_WAIT);
	assert_true(B->ended);
	pass(30 * 1000);
	acks = A->sent_acks;
	seq = A->t.rcv_nxt - 1;
	wire.down = true;
	inject(0, seq, A->t.snd_max, TCP_FIN | TCP_ACK);
	assert_int_equal(A->sent_acks, acks + 1);
	pass(59 * 1000); /* from then on again */
	assert_int_equal(A->t.state, TCP_TIME_WAIT);
	pass(2 * 1000);
	assert_true(A->ended && !A->err);
	wire_finish();
}

static void test_close_unread(void **state)
{
	open_pair(19);
	tcb_close(&B->t, true);
	pass(100);
	assert_int_equal(A->err, ECONNRESET);
	wire_finish();
}

static void test_orphans(void **state)
{
	open_pair(20); /* data for nobody */
	tcb_close(&B->t, false);
	pass(100);
	assert_int_equal(B->t.state, TCP_FIN_WAIT2);
	wire_write(0, 10, false, false);
	pass(100);
	assert_true(B->ended);
	assert_int_equal(A->err, EPIPE);
	wire_finish();

	open_pair(21); /* a peer that never ends */
	tcb_close(&B->t, false);
	pass(59 * 1000);
	assert_int_equal(B->t.state, TCP_FIN_WAIT2);
	pass(2 * 1000);
	assert_true(B->ended);
	wire_finish();

	open_pair(22); /* a peer that has gone */
	wire.down = true;
	tcb_close(&B->t, false);
	wire_run(~0ul);
	assert_int_equal(B->err, ETIMEDOUT);
	wire_finish();
}

static void test_keep_alive(void **state)
{
	u64 t;

	open_pair(23);
	A->t.conf.keepalive = true;
	A->t.conf.keepidle = 10;
	A->t.conf.keepintvl = 5;
	A->t.conf.keepcnt = 3;
	tcb_arm_keep(&A->t);
	pass(100 * 1000);
	assert_int_equal(A->t.state, TCP_ESTABLISHED);
	wire.down = true;
	t = A->t.rcv_last;
	wire_run(wire_now + 60 * WIRE_S);
	assert_int_equal(A->err, ETIMEDOUT);
	assert_true(t != 0);
	wire_finish();
}

static void test_urgent(void **state)
{
	open_pair(24);
	wire_write(0, 5, false, false);
	wire_write(0, 1, true, false);
	wire_write(0, 7, false, false);
	pass(300);
	assert_int_equal(B->got, 13);
	assert_int_equal(B->urgents, 1);
	assert_true(B->urgent_at == 5);
	assert_false(A->t.urgent_out);
	wire_finish();
}

/* --- memory */

/* A peer that sends what is far ahead, byte by byte. */
static void test_bounded_ofo(void **state)
{
	u8 byte[1] = { 0 };

	open_pair(25);
	for (u32 i = 0; i < 60000; i += 2) {
		struct tcp_seg s = { .flags = TCP_ACK, .len = 1, .data = byte };

		s.seq = A->t.rcv_nxt + 1 + i;
		s.ack = A->t.snd_una;
		byte[0] = wire_byte(1, 1 + i);
		wire_inject(0, &s);
	}
	assert_true(A->t.ofo_cost <= A->rcvbuf);
	assert_true(A->t.ofo_segs <= A->rcvbuf / 512);
	wire_finish();
}

/* --- garbage */

static u32 pick(u64 *r, u32 base)
{
	switch (random_below(r, 6)) {
	case 0:
		return base;
	case 1:
		return base - 1;
	case 2:
		return base + 1;
	case 3:
		return base + (u32)random_below(r, 70000);
	case 4:
		return base - (u32)random_below(r, 70000);
	default:
		return (u32)next_random(r);
	}
}

static void garbage(u64 *r, int to)
{
	static u8 data[2000];
	struct tcb *t = &wire.end[to].t;
	struct tcp_seg s = {
		.seq = pick(r, t->rcv_nxt),
		.ack = pick(r, random_below(r, 2) ? t->snd_una : t->snd_max),
		.wnd = (u16)next_random(r),
		.urg = (u16)random_below(r, 3000),
		.flags = (u8)next_random(r) & 0x3f,
		.data = data,
		.len = random_below(r, 2) ? 0 : (u32)random_below(r, 2000),
		.has_ts = random_below(r, 2),
		.tsval = pick(r, t->ts_recent),
		.tsecr = pick(r, tcp_ts_now(t)),
		.nr_sacks = (u8)random_below(r, 5),
		.mss = (u16)next_random(r),
		.sack_ok = random_below(r, 2),
		.has_wscale = random_below(r, 2),
		.wscale = (u8)random_below(r, 15),
	};

	if (random_below(r, 3))
		s.flags = TCP_ACK | (s.flags & (TCP_FIN | TCP_URG | TCP_PSH));
	for (u32 i = 0; i < s.nr_sacks; i++) {
		s.sacks[i].from = pick(r, t->snd_una);
		s.sacks[i].to = pick(r, s.sacks[i].from);
	}
	if (wire.end[to].exists && t->state != TCP_CLOSED)
		tcb_input(t, &s);
}

static void test_garbage(void **state)
{
	u64 r = 4711;

	for (u32 i = 0; i < 3000; i++) {
		prepare(1000 + i);
		A->to_write = random_below(&r, 30000);
		B->to_write = random_below(&r, 30000);
		A->no_shut = B->no_shut = random_below(&r, 2);
		wire.loss = (u32)random_below(&r, 2) * 50;
		wire.dirty = true;
		wire_open(1500, 1500);
		for (u32 k = 0; k < 300; k++) {
			if (!wire_step())
				break;
			if (!random_below(&r, 4))
				garbage(&r, (int)random_below(&r, 2));
		}
		wire_finish();
	}
}

/* Headers of random bytes, which are taken apart. */
static void test_parse_garbage(void **state)
{
	u64 r = 99;
	struct tcp_seg s;

	for (u32 i = 0; i < 200000; i++) {
		u32 n = (u32)random_below(&r, 80);
		u8 *p = malloc(n ? n : 1);

		for (u32 k = 0; k < n; k++)
			p[k] = (u8)next_random(&r);
		if (n > 20 && random_below(&r, 2)) {
			p[12] = (u8)(n / 4 << 4);
			for (u32 k = 20; k < n; k++)
				p[k] = (u8)random_below(&r, 12);
		}
		if (tcp_parse(p, n, &s)) {
			assert_true(s.data + s.len == p + n);
			assert_true(s.nr_sacks <= TCP_SACKS_TOLD);
			assert_true(s.wscale <= 14);
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_syn_retries),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_both_open),
		cmocka_unit_test(test_backlog_full),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_paws),
		cmocka_unit_test(test_sack_recovery),
		cmocka_unit_test(test_newreno),
		cmocka_unit_test(test_rto_backoff),
		cmocka_unit_test(test_user_timeout),
		cmocka_unit_test(test_tail_probe),
		cmocka_unit_test(test_zero_window),
		cmocka_unit_test(test_silly_window),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_nagle),
		cmocka_unit_test(test_delayed_acks),
		cmocka_unit_test(test_both_close),
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_close_unread),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_bounded_ofo),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_parse_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
