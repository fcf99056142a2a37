/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/reply.c - segments go out: with ports and checksum; and those of no connection,
 * resets and acknowledgements.
 */
#include <net/tcp/conn.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <net/ip.h>

#define CSUM_AT 16u

int tcp_transmit(struct net_ns *net, const struct route *r,
		 const struct inet_ep *local, const struct inet_ep *remote,
		 const struct ip_opts *o, struct netbuf *b)
{
	u16 sum = ip_pseudo_sum(IPPROTO_TCP, local->ip, remote->ip, b->len);

	tcp_put_ports(b, local->port, remote->port);
	if (b->gso_size || (r->dev->features & NETDEV_TX_CSUM)) {
		b->flags |= NETBUF_CSUM_PARTIAL;
		b->csum_start = (u16)netbuf_headroom(b);
		b->csum_offset = CSUM_AT;
		put_be16(b->data + CSUM_AT, sum);
	} else {
		put_be16(b->data + CSUM_AT, (u16)~ip_sum(sum, b->data, b->len));
	}
	net_count(net, NET_TCP_SEGMENTS, 1);
	return ip_output(net, r, IPPROTO_TCP, local->ip, remote->ip, o, b);
}

static u8 *put32(u8 *p, u32 v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v);
	return p + 4;
}

void tcp_reply(struct net_ns *net, const struct inet_ep *local,
	       const struct inet_ep *remote, const struct tcp_reply *r)
{
	u32 head = TCP_HEAD + (r->has_ts ? 12 : 0);
	struct ip_opts o = { .tos = r->tos, .dont_fragment = true };
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, head);
	struct route way;
	u8 *p;

	if (!b)
		return;
	p = netbuf_put(b, head);
	memset(p, 0, head);
	put32(p + 4, r->seq);
	put32(p + 8, r->ack);
	p[12] = (u8)(head / 4 << 4);
	p[13] = r->flags;
	put_be16(p + 14, r->wnd);
	if (r->has_ts) {
		p[20] = p[21] = 1;
		p[22] = 8;
		p[23] = 10;
		put32(put32(p + 24, r->tsval), r->tsecr);
	}
	if (route_lookup(net, remote->ip, local->ip, remote->scope, &way)) {
		netbuf_free(b);
		return;
	}
	if (way.dev)
		(void)tcp_transmit(net, &way, local, remote, &o, b);
	else
		netbuf_free(b);
	route_put(&way);
}

void tcp_reply_reset(struct net_ns *net, const struct inet_ep *local,
		     const struct inet_ep *remote, const struct tcp_seg *s)
{
	struct tcp_reply r = { .flags = TCP_RST };

	if (s->flags & TCP_RST)
		return;
	if (s->flags & TCP_ACK) {
		r.seq = s->ack;
	} else {
		r.flags |= TCP_ACK;
		r.ack = s->seq + s->len + !!(s->flags & TCP_SYN) +
			!!(s->flags & TCP_FIN);
	}
	net_count(net, NET_TCP_RESETS, 1);
	tcp_reply(net, local, remote, &r);
}
