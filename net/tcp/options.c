/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/options.c - the header of a segment and its options [RFC 9293 3.1, 7323, 2018].
 *
 * What comes is taken apart with each length checked before anything is read; options that
 * are cut short or that nobody knows are passed over.
 */
#include <net/tcp/tcp.h>

#include <kernel/time/clock.h>
#include <lib/string.h>

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
};

#define TS_LEN	 12u /* with two NOPs */
#define SACK_LEN 8u

static u32 get16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static u8 *put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
	return p + 2;
}

static u8 *put32(u8 *p, u32 v)
{
	return put16(put16(p, v >> 16), v);
}

static void parse_sacks(const u8 *p, u32 len, struct tcp_seg *s)
{
	u32 n = (len - 2) / SACK_LEN;

	if ((len - 2) % SACK_LEN)
		return;
	s->nr_sacks = (u8)min(n, TCP_SACKS_TOLD);
	for (u32 i = 0; i < s->nr_sacks; i++) {
		s->sacks[i].from = get32(p + 2 + i * SACK_LEN);
		s->sacks[i].to = get32(p + 6 + i * SACK_LEN);
	}
}

/* One option of @len bytes at @p. */
static void parse_option(const u8 *p, u32 len, struct tcp_seg *s)
{
	bool syn = s->flags & TCP_SYN;

	switch (p[0]) {
	case OPT_MSS:
		if (syn && len == 4)
			s->mss = (u16)get16(p + 2);
		break;
	case OPT_WSCALE:
		if (syn && len == 3) {
			s->has_wscale = true;
			s->wscale = (u8)min((u32)p[2], TCP_WSCALE_MAX);
		}
		break;
	case OPT_SACK_OK:
		if (syn && len == 2)
			s->sack_ok = true;
		break;
	case OPT_SACK:
		if (!syn && len >= 2)
			parse_sacks(p, len, s);
		break;
	case OPT_TS:
		if (len == 10) {
			s->has_ts = true;
			s->tsval = get32(p + 2);
			s->tsecr = get32(p + 6);
		}
		break;
	default:
		break;
	}
}

static void parse_options(const u8 *p, u32 n, struct tcp_seg *s)
{
	while (n && p[0] != OPT_END) {
		u32 len = 1;

		if (p[0] != OPT_NOP) {
			if (n < 2 || p[1] < 2 || p[1] > n)
				return;
			len = p[1];
			parse_option(p, len, s);
		}
		p += len;
		n -= len;
	}
}

bool tcp_parse(const u8 *p, u32 n, struct tcp_seg *s)
{
	u32 head;

	*s = (struct tcp_seg){ 0 };
	if (n < TCP_HEAD)
		return false;
	head = (u32)(p[12] >> 4) * 4;
	if (head < TCP_HEAD || head > n)
		return false;
	s->sport = (u16)get16(p);
	s->dport = (u16)get16(p + 2);
	s->seq = get32(p + 4);
	s->ack = get32(p + 8);
	s->flags = p[13] & 0x3f;
	s->wnd = (u16)get16(p + 14);
	s->urg = (u16)get16(p + 18);
	s->data = p + head;
	s->len = n - head;
	parse_options(p + TCP_HEAD, head - TCP_HEAD, s);
	return true;
}

/* --- ours */

/* Milliseconds, from a beginning that others do not know [RFC 7323 5.4]. */
u32 tcp_ts_now(const struct tcb *t)
{
	return (u32)(clock_mono_ns() / NSEC_PER_MSEC) + t->ts_offset;
}

static u8 *put_ts(const struct tcb *t, u8 *p)
{
	*p++ = OPT_NOP;
	*p++ = OPT_NOP;
	*p++ = OPT_TS;
	*p++ = 10;
	p = put32(p, tcp_ts_now(t));
	return put32(p, t->ts_recent);
}

static u8 *put_syn_options(const struct tcb *t, u8 *p)
{
	*p++ = OPT_MSS;
	*p++ = 4;
	p = put16(p, t->adv_mss);
	if (t->ts_on)
		p = put_ts(t, p);
	if (t->sack_on) {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
		*p++ = OPT_SACK_OK;
		*p++ = 2;
	}
	if (t->ws_on) {
		*p++ = OPT_NOP;
		*p++ = OPT_WSCALE;
		*p++ = 3;
		*p++ = t->rcv_ws;
	}
	return p;
}

/* How many ranges there is room for behind the other options. */
static u32 sacks_to_tell(const struct tcb *t, struct tcp_range *r)
{
	u32 n = t->sack_on ? tcb_sacks_told(t, r) : 0;

	return min(n, t->ts_on ? TCP_SACKS_TOLD - 1 : TCP_SACKS_TOLD);
}

u32 tcp_options_len(const struct tcb *t)
{
	struct tcp_range r[TCP_SACKS_TOLD];
	u32 n = sacks_to_tell(t, r);

	return (t->ts_on ? TS_LEN : 0) + (n ? 4 + n * SACK_LEN : 0);
}

static u8 *put_options(const struct tcb *t, u8 *p)
{
	struct tcp_range r[TCP_SACKS_TOLD];
	u32 n = sacks_to_tell(t, r);

	if (t->ts_on)
		p = put_ts(t, p);
	if (!n)
		return p;
	*p++ = OPT_NOP;
	*p++ = OPT_NOP;
	*p++ = OPT_SACK;
	*p++ = (u8)(2 + n * SACK_LEN);
	for (u32 i = 0; i < n; i++) {
		p = put32(p, r[i].from);
		p = put32(p, r[i].to);
	}
	return p;
}

static u32 window_field(struct tcb *t, u8 flags)
{
	u32 wnd;

	if (flags & TCP_RST)
		return 0;
	wnd = tcb_window(t);
	return min(flags & TCP_SYN ? wnd : wnd >> t->rcv_ws, 0xffffu);
}

struct netbuf *tcp_build(struct tcb *t, u32 seq, u8 flags, u32 len)
{
	u32 wnd = window_field(t, flags), head;
	u8 h[TCP_HEAD_MAX] = { 0 }, *end;
	struct netbuf *b;

	end = flags & TCP_SYN ? put_syn_options(t, h + TCP_HEAD)
			      : put_options(t, h + TCP_HEAD);
	head = (u32)(end - h);
	put32(h + 4, seq);
	if (flags & TCP_ACK)
		put32(h + 8, t->rcv_nxt);
	h[12] = (u8)(head / 4 << 4);
	h[13] = flags;
	put16(h + 14, wnd);
	b = netbuf_alloc(NETBUF_HEADROOM, head + len);
	if (!b)
		return NULL;
	memcpy(netbuf_put(b, head), h, head);
	if (t->urgent_out && seq_lt(seq, t->snd_up) &&
	    t->snd_up - seq <= 0xffff && !(flags & (TCP_SYN | TCP_RST))) {
		b->data[13] |= TCP_URG;
		put16(b->data + 18, t->snd_up - seq);
	}
	return b;
}

void tcp_put_ports(struct netbuf *b, u16 sport, u16 dport)
{
	put16(b->data, sport);
	put16(b->data + 2, dport);
}
