/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/tcp_wire.c - see tcp_wire.h.
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/tcp_wire.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>

struct wire wire;
u64 wire_now;
u64 wire_allocs;

struct packet {
	struct list_head node;
	u64 at;
	int to;
	u32 len;
	u8 data[];
};
static struct list_head flying = LIST_HEAD_INIT(flying);

/* --- what the engine wants of the kernel */

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

u64 clock_mono_ns(void)
{
	return wire_now;
}

void *kmalloc(size_t n)
{
	wire_allocs++;
	return malloc(n);
}

void kfree(const void *p)
{
	if (p)
		wire_allocs--;
	free((void *)(uintptr_t)p);
}

struct netbuf *netbuf_alloc(u32 headroom, u32 len)
{
	struct netbuf *b = kmalloc(sizeof(*b) + headroom + len);

	memset(b, 0, sizeof(*b));
	list_init(&b->node);
	b->data = b->mem + headroom;
	b->cap = headroom + len;
	return b;
}

void netbuf_free(struct netbuf *b)
{
	kfree(b);
}

/* --- the wire */

static struct wire_end *end_of(const struct tcb *t)
{
	return t == &wire.end[0].t ? &wire.end[0] : &wire.end[1];
}

static int number_of(const struct wire_end *e)
{
	return e == &wire.end[0] ? 0 : 1;
}

static bool happens(u32 thousandths)
{
	return random_below(&wire.rng, 1000) < thousandths;
}

static void fly(int to, const u8 *data, u32 len)
{
	struct packet *p = malloc(sizeof(*p) + len);
	struct packet *o;
	u64 late = wire.jitter && happens(wire.reorder)
			   ? random_below(&wire.rng, wire.jitter)
			   : 0;

	p->at = wire_now + wire.delay + late;
	p->to = to;
	p->len = len;
	memcpy(p->data, data, len);
	list_for_each_entry_reverse(o, &flying, node) {
		if (o->at <= p->at) {
			list_add(&p->node, &o->node);
			return;
		}
	}
	list_add(&p->node, &flying);
}

u32 wire_in_flight(void)
{
	struct packet *p;
	u32 n = 0;

	list_for_each_entry(p, &flying, node)
		n++;
	return n;
}

static void send_packet(int from, const u8 *data, u32 len)
{
	struct wire_end *e = &wire.end[from];
	struct tcp_seg s;

	assert_true(tcp_parse(data, len, &s));
	e->sent_segs++;
	if (s.flags & TCP_RST)
		e->sent_rst++;
	if (!s.len && !(s.flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		e->sent_acks++;
	if (getenv("TCP_TRACE"))
		fprintf(stderr,
			"%9.3f %c seq %u len %u ack %u wnd %u fl %02x sack %u "
			"cwnd %u\n",
			(double)(wire_now - 1000 * WIRE_S) / 1e6, 'A' + from,
			s.seq - e->t.iss, s.len, s.ack - e->t.irs, s.wnd,
			s.flags, s.nr_sacks, e->t.cwnd);
	if (wire.down || happens(wire.loss))
		return;
	if (wire.filter && !wire.filter(&wire, from, &s))
		return;
	fly(!from, data, len);
	if (happens(wire.dup))
		fly(!from, data, len);
}

static void put_seq(u8 *p, u32 v)
{
	p[4] = (u8)(v >> 24);
	p[5] = (u8)(v >> 16);
	p[6] = (u8)(v >> 8);
	p[7] = (u8)v;
}

/* As a device would. */
static void cut(int from, struct netbuf *b, u32 head)
{
	u32 done = 0, len = b->len - head;
	struct tcp_seg s;
	u8 pkt[65536];

	assert_true(tcp_parse(b->data, b->len, &s));
	while (done < len) {
		u32 n = min(len - done, (u32)b->gso_size);

		memcpy(pkt, b->data, head);
		memcpy(pkt + head, b->data + head + done, n);
		put_seq(pkt, s.seq + done);
		if (done + n < len)
			pkt[13] &= (u8) ~(TCP_FIN | TCP_PSH);
		send_packet(from, pkt, head + n);
		done += n;
	}
}

int tcb_up_output(struct tcb *t, struct netbuf *b)
{
	struct wire_end *e = end_of(t);
	u32 head = (u32)(b->data[12] >> 4) * 4;
	u32 size = b->gso_size ? b->gso_size + head : b->len;

	assert_true(b->len + (b->data - b->mem) <= b->cap);
	tcp_put_ports(b, 1, 2);
	if (size + t->ip_head > wire.mtu) {
		/* as ICMP would tell, but not while it is being sent */
		wire.nth |= 1ul << number_of(e);
	} else if (b->gso_size) {
		cut(number_of(e), b, head);
	} else {
		send_packet(number_of(e), b->data, b->len);
	}
	netbuf_free(b);
	return 0;
}

/* --- programs */

u8 wire_byte(int from, u64 at)
{
	return (u8)((at * 2654435761u >> 11) ^ (u64)from * 0x55 ^ at);
}

int tcb_up_data(struct tcb *t, const u8 *data, u32 n, struct netbuf **frame)
{
	struct wire_end *e = end_of(t);
	int from = !number_of(e);

	assert_false(e->fin);
	assert_true(n > 0);
	for (u32 i = 0; i < n && !wire.dirty; i++)
		assert_int_equal(data[i], wire_byte(from, e->got + i));
	e->got += n;
	assert_true(e->got - e->taken <= e->rcvbuf + 70000ul);
	return 0;
}

u32 tcb_up_space(const struct tcb *t, u32 *most)
{
	const struct wire_end *e = end_of(t);
	u64 q = e->got - e->taken;

	*most = e->rcvbuf;
	return q < e->rcvbuf ? (u32)(e->rcvbuf - q) : 0;
}

void tcb_up_grow_rcv(struct tcb *t, u32 n)
{
	struct wire_end *e = end_of(t);

	if (e->rcvbuf >= 65536)
		e->rcvbuf = max(e->rcvbuf, n);
}

void tcb_up_grow_snd(struct tcb *t, u32 n)
{
	if (t->conf.sndbuf >= 65536)
		t->conf.sndbuf = min(max(t->conf.sndbuf, n), 4u << 20);
}

bool tcb_up_established(struct tcb *t)
{
	struct wire_end *e = end_of(t);

	if (e->refuses)
		return false;
	e->up = true;
	return true;
}

void tcb_up_fin(struct tcb *t)
{
	end_of(t)->fin = true;
}

void tcb_up_room(struct tcb *t)
{
	end_of(t)->next_write = wire_now;
}

void tcb_up_urgent(struct tcb *t, bool here)
{
	struct wire_end *e = end_of(t);

	if (here) {
		e->urgents++;
		e->urgent_at = e->got - 1;
	}
}

void tcb_up_ended(struct tcb *t, int err)
{
	end_of(t)->ended = true;
	end_of(t)->err = err;
}

void tcb_up_time_wait(struct tcb *t)
{
	end_of(t)->waits = true;
}

void tcb_up_deadline(struct tcb *t)
{
	end_of(t)->deadline_calls++;
}

u32 wire_write(int i, u32 n, bool urgent, bool more)
{
	struct wire_end *e = &wire.end[i];
	struct tcp_tx *x;
	u8 buf[65536];

	n = min(min(n, tcb_room(&e->t)), (u32)sizeof(buf));
	if (!n || e->t.no_more || e->t.state == TCP_CLOSED ||
	    e->t.state == TCP_TIME_WAIT)
		return 0;
	for (u32 k = 0; k < n; k++)
		buf[k] = wire_byte(i, e->written + k);
	if (!urgent && happens(300)) {
		if (tcb_append(&e->t, buf, n)) {
			tcb_push(&e->t, more);
			e->written += n;
			return n;
		}
	}
	x = kmalloc(sizeof(*x) + n + 64);
	x->len = n;
	x->cap = n + 64;
	list_init(&x->node);
	memcpy(x->data, buf, n);
	e->written += n;
	tcb_write(&e->t, x, urgent, more);
	return n;
}

static void program(int i)
{
	struct wire_end *e = &wire.end[i];
	u64 n;

	if (!e->exists || !e->up || e->ended || e->waits)
		return;
	if (e->next_write <= wire_now && e->written < e->to_write) {
		n = random_below(&wire.rng, e->chunk) + 1;
		n = min(n, e->to_write - e->written);
		if (!wire_write(i, (u32)n, false, false))
			e->t.full = true;
		e->next_write =
			wire_now + (e->t.full ? 200 * WIRE_MS : 1 * 1000);
	}
	if (!e->stalled && e->next_read <= wire_now && e->taken < e->got) {
		n = min(random_below(&wire.rng, e->chunk * 2) + 1,
			e->got - e->taken);
		e->taken += n;
		e->next_read = wire_now + random_below(&wire.rng, WIRE_MS);
		tcb_read_done(&e->t, (u32)n);
	}
	if (!e->no_shut && e->written == e->to_write && !e->t.no_more)
		tcb_shutdown(&e->t);
	if (!e->no_close && e->fin && e->taken == e->got && e->t.no_more &&
	    !e->t.orphan)
		tcb_close(&e->t, false);
}

/* When a program has something to do. */
static u64 program_time(int i)
{
	struct wire_end *e = &wire.end[i];
	u64 at = ~0ul;

	if (!e->exists || !e->up || e->ended || e->waits)
		return at;
	if (e->written < e->to_write)
		at = e->next_write;
	if (!e->stalled && e->taken < e->got)
		at = min(at, e->next_read);
	return at;
}

/* --- time */

void wire_make(int i, u32 mtu, u32 iss)
{
	struct wire_end *e = &wire.end[i];
	struct tcp_conf conf = e->t.conf;

	memset(&e->t, 0, sizeof(e->t));
	e->t.conf = conf;
	e->exists = true;
	tcb_init(&e->t, iss, mtu, 20, (u32)next_random(&wire.rng));
}

void wire_init(u64 seed)
{
	memset(&wire, 0, sizeof(wire));
	wire_allocs = 0;
	wire.rng = seed * 0x9e3779b97f4a7c15ul + 1;
	wire.delay = 5 * WIRE_MS;
	wire.mtu = 1500;
	wire_now = 1000 * WIRE_S + seed;
	for (int i = 0; i < 2; i++) {
		struct wire_end *e = &wire.end[i];

		e->rcvbuf = 65536;
		e->chunk = 8192;
		e->t.conf = (struct tcp_conf){ .keepidle = 7200,
					       .keepintvl = 75,
					       .keepcnt = 9,
					       .syncnt = 6,
					       .linger2 = 60,
					       .sndbuf = 65536 };
	}
}

void wire_open(u32 mtu_a, u32 mtu_b)
{
	wire.end[1].listens = true;
	wire.end[1].peak = mtu_b;
	wire_make(0, mtu_a, (u32)next_random(&wire.rng));
	wire.end[0].t.sack_on = !wire.no_sack;
	wire.end[0].t.ts_on = !wire.no_ts;
	wire.end[0].t.ws_on = !wire.no_ws;
	tcb_connect(&wire.end[0].t);
}

/* Nobody is there for @s, which @to got. */
static void answer_reset(int to, const struct tcp_seg *s)
{
	u8 h[20] = { 0 };
	u32 ack = s->seq + s->len + !!(s->flags & TCP_SYN) +
		  !!(s->flags & TCP_FIN);

	if (s->flags & TCP_RST)
		return;
	if (s->flags & TCP_ACK) {
		put_seq(h, s->ack);
		h[13] = TCP_RST;
	} else {
		put_seq(h + 4, ack);
		h[13] = TCP_RST | TCP_ACK;
	}
	h[12] = 5 << 4;
	send_packet(to, h, 20);
}

void wire_inject(int to, struct tcp_seg *s)
{
	struct wire_end *e = &wire.end[to];

	if (!e->exists && e->listens &&
	    (s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		e->listens = false;
		wire_make(to, (u32)e->peak, (u32)next_random(&wire.rng));
		tcb_accept(&e->t, s);
	} else if (!e->exists || e->t.state == TCP_CLOSED) {
		answer_reset(to, s);
	} else {
		tcb_input(&e->t, s);
	}
}

static void deliver(struct packet *p)
{
	struct tcp_seg s;

	list_del(&p->node);
	assert_true(tcp_parse(p->data, p->len, &s));
	wire_inject(p->to, &s);
	free(p);
}

static void tell_mtu(void)
{
	for (int i = 0; i < 2; i++) {
		if (wire.nth >> i & 1 && wire.end[i].exists &&
		    wire.end[i].t.state != TCP_CLOSED)
			tcb_set_mtu(&wire.end[i].t, wire.mtu);
	}
	wire.nth = 0;
}

static void check(const struct tcb *t)
{
	u32 prev = t->rcv_nxt;
	struct tcp_ofo *o;
	struct tcp_tx *x;
	u32 at = t->snd_una;

	if (t->state == TCP_CLOSED) {
		assert_true(list_empty(&t->txq) && list_empty(&t->ofo));
		return;
	}
	assert_true(seq_le(t->snd_una, t->snd_nxt));
	assert_true(seq_le(t->snd_nxt, t->snd_max));
	assert_true(seq_le(t->snd_max, t->tx_end + t->fin_queued));
	list_for_each_entry(o, &t->ofo, node) {
		assert_true(seq_lt(prev, o->seq + o->len));
		prev = o->seq + o->len;
	}
	for (u32 i = 0; i < t->nr_sacks; i++) {
		assert_true(seq_lt(at, t->sacks[i].from));
		assert_true(seq_lt(t->sacks[i].from, t->sacks[i].to));
		at = t->sacks[i].to;
	}
	assert_true(seq_le(at, t->snd_max));
	if (!list_empty(&t->txq)) {
		x = list_last_entry(&t->txq, struct tcp_tx, node);
		assert_int_equal(x->seq + x->len, t->tx_end);
	}
	assert_true(t->cwnd >= t->mss);
	if (t->snd_una != t->snd_max)
		assert_true(t->timers[TT_REXMT] != 0);
}

bool wire_step(void)
{
	struct packet *p =
		list_first_entry_or_null(&flying, struct packet, node);
	u64 at = p ? p->at : ~0ul, d, now = wire_now;

	for (int i = 0; i < 2; i++) {
		d = wire.end[i].exists ? tcb_next_deadline(&wire.end[i].t) : 0;
		if (d)
			at = min(at, d);
		at = min(at, program_time(i));
	}
	if (at == ~0ul)
		return false;
	wire_now = max(at, now);
	if (wire.mtu_at && wire_now >= wire.mtu_at) {
		wire.mtu_at = 0;
		wire.mtu = wire.mtu_later;
	}
	if (p && p->at <= wire_now)
		deliver(p);
	for (int i = 0; i < 2; i++) {
		d = wire.end[i].exists ? tcb_next_deadline(&wire.end[i].t) : 0;
		if (d && d <= wire_now)
			tcb_timer(&wire.end[i].t);
		program(i);
		if (wire.end[i].exists)
			check(&wire.end[i].t);
	}
	tell_mtu();
	return true;
}

void wire_run(u64 until)
{
	struct packet *p;
	u64 steps = 0;

	for (;;) {
		u64 at = ~0ul, d;

		p = list_first_entry_or_null(&flying, struct packet, node);
		if (p)
			at = p->at;
		for (int i = 0; i < 2; i++) {
			d = wire.end[i].exists
				    ? tcb_next_deadline(&wire.end[i].t)
				    : 0;
			if (d)
				at = min(at, d);
			at = min(at, program_time(i));
		}
		if (at > until || !wire_step())
			break;
		assert_true(++steps < 3000000);
	}
	if (until != ~0ul)
		wire_now = max(wire_now, until);
}

void wire_finish(void)
{
	while (!list_empty(&flying)) {
		struct packet *p =
			list_first_entry(&flying, struct packet, node);

		list_del(&p->node);
		free(p);
	}
	for (int i = 0; i < 2; i++) {
		if (wire.end[i].exists)
			tcb_end(&wire.end[i].t, 0);
	}
	assert_int_equal(wire_allocs, 0);
}
