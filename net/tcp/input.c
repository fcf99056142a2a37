/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/input.c - packets of TCP, and what ICMP says of ours: to whom they are.
 *
 * Several segments of one connection may come together (net/route/gro.c).  Each is looked at and
 * taken as if it had come alone, but for the answer: there is one to all of them.
 */
#include <net/tcp/conn.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ip.h>

#define MTU_MIN4 552u
#define MTU_MIN6 1280u

static bool checksum_ok(const struct ip_packet *p, const struct netbuf *b)
{
	if (b->flags & (NETBUF_CSUM_GOOD | NETBUF_CSUM_PARTIAL))
		return true;
	return ip_sum(ip_pseudo_sum(IPPROTO_TCP, p->src, p->dst, b->len),
		      b->data, b->len) == 0xffff;
}

static bool is_link_local(const struct inet_ep *ep)
{
	return ep->ip[0] == 0xfe && (ep->ip[1] & 0xc0) == 0x80;
}

/* The segment @b of @p, taken apart, if it is one that is right. */
static bool look_at(const struct ip_packet *p, struct netbuf *b,
		    struct tcp_seg *s)
{
	if (!tcp_parse(b->data, b->len, s) || !checksum_ok(p, b))
		return false;
	s->b = b;
	return true;
}

/* What is behind @b, which is alone then. */
static struct netbuf *detach(struct netbuf *b)
{
	struct netbuf *more = b->more;

	b->more = NULL;
	return more;
}

/*
 * @b and those behind it, one after another, until the connection is closed; they are answered
 * together, but for what comes too early: a peer without SACK counts those answers.  What is
 * left of them.
 */
static struct netbuf *to_conn(struct tcp_conn *c, const struct ip_packet *p,
			      struct netbuf *b)
{
	struct tcp_seg s;

	tcp_conn_lock(c);
	while (b && c->t.state != TCP_CLOSED) {
		struct netbuf *more = detach(b);

		if (look_at(p, b, &s)) {
			tcb_take(&c->t, &s);
			b = s.b;
			if (unlikely(!list_empty(&c->t.ofo) && c->t.ack_now))
				tcb_answer(&c->t);
		}
		netbuf_free(b);
		b = more;
	}
	tcb_answer(&c->t);
	tcp_conn_unlock(c);
	return b;
}

/* @b, or more of what is behind it as well: what is left. */
static struct netbuf *dispatch(struct net_ns *net, const struct ip_packet *p,
			       const struct inet_ep *local,
			       const struct inet_ep *remote, struct netbuf *b)
{
	bool waits;
	struct tcp_conn *c = tcp_table_find(net, local, remote, &waits);
	struct netbuf *left = b;
	struct tcp_seg s;
	u32 iss = 0;

	if (c) {
		left = to_conn(c, p, b);
		tcp_conn_put(c);
	}
	if (left != b)
		return left;
	left = detach(b);
	if (look_at(p, b, &s) &&
	    (!waits || tcp_wait_input(net, local, remote, &s, &iss)))
		tcp_syn_input(net, local, remote, &s, iss);
	netbuf_free(b);
	return left;
}

void tcp_input(struct net_ns *net, struct ip_packet *p)
{
	struct inet_ep local = { 0 }, remote = { 0 };
	struct netbuf *b = p->b;

	if (p->to_many || b->len < TCP_HEAD) {
		netbuf_free(b);
		return;
	}
	memcpy(local.ip, p->dst, 16);
	memcpy(remote.ip, p->src, 16);
	remote.port = (u16)get_be16(b->data);
	local.port = (u16)get_be16(b->data + 2);
	local.scope = b->dev ? (u32)b->dev->index : 0;
	if (is_link_local(&remote))
		remote.scope = local.scope;
	while (b)
		b = dispatch(net, p, &local, &remote, b);
}

/* --- errors */

static void take_error(struct tcp_conn *c, u32 seq, int err)
{
	struct tcb *t = &c->t;

	if (t->state == TCP_CLOSED || seq_lt(seq, t->snd_una) ||
	    seq_lt(t->snd_max, seq))
		return; /* it is about something else */
	if (t->state == TCP_SYN_SENT || t->state == TCP_SYN_RECV) {
		tcb_end(t, err);
		return;
	}
	t->soft_error = err;
	if (c->is && load_once(&c->is->recverr)) {
		store_once(&c->is->s.error, (u32)err);
		inet_wake_all(c->is);
	}
}

void tcp_path_error(struct net_ns *net, const u8 src[16], const u8 dst[16],
		    const u8 *seg, u32 len, int err, u32 mtu)
{
	struct inet_ep local = { 0 }, remote = { 0 };
	struct tcp_conn *c;
	bool waits;
	u32 seq;

	err = err < 0 ? -err : err;
	if (len < 8)
		return;
	memcpy(local.ip, src, 16);
	memcpy(remote.ip, dst, 16);
	local.port = (u16)get_be16(seg);
	remote.port = (u16)get_be16(seg + 2);
	seq = get_be16(seg + 4) << 16 | get_be16(seg + 6);
	c = tcp_table_find(net, &local, &remote, &waits);
	if (!c)
		return;
	if (mutex_held(&c->lock)) { /* told while it is being sent */
		c->t.soft_error = err == EMSGSIZE ? 0 : err;
	} else if (err == EMSGSIZE) {
		tcp_conn_lock(c);
		if (seq_le(c->t.snd_una, seq) && seq_lt(seq, c->t.snd_max))
			store_once(&c->path_mtu,
				   max(mtu, inet_is_v4(&remote) ? MTU_MIN4
								: MTU_MIN6));
		tcp_conn_unlock(c);
	} else {
		tcp_conn_lock(c);
		take_error(c, seq, err);
		tcp_conn_unlock(c);
	}
	tcp_conn_put(c);
}
