/* SPDX-License-Identifier: MIT */
/*
 * net/icmp.c - ICMP of both families: echo requests come back as replies, since every
 * address that can be reached is this machine's; errors go to the sockets that they
 * are about.
 *
 * A "ping socket" (SOCK_DGRAM of ICMP) sends requests only, and its port is their
 * identifier.  Raw sockets (raw.c) hear everything.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>
#include <net/route/wire.h>

#define ECHO_REPLY     0
#define UNREACH	       3
#define ECHO_REQUEST   8
#define UNREACH6       1
#define PORT_UNREACH6  4
#define PARAM_PROBLEM6 4
#define NEXT_HEADER6   1
#define ECHO_REQUEST6  128
#define ECHO_REPLY6    129
#define QUOTE	       548u /* of the packet, behind our header and its own */

struct icmp_head {
	u8 type, code, sum[2], id[2], seq[2];
};

static u8 proto_of(const struct inet_buf *b)
{
	return inet_is_v4(&b->to) ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static void set_sum(struct inet_buf *b)
{
	struct icmp_head *h = (void *)b->data;

	memset(h->sum, 0, sizeof(h->sum));
	if (inet_is_v4(&b->to))
		put_be16(h->sum, (u16)~ip_sum(0, b->data, b->len));
	else
		put_be16(h->sum, ip_checksum(IPPROTO_ICMPV6, b));
}

int icmp_prepare(const struct inet_sock *is, struct inet_buf *b)
{
	struct icmp_head *h = (void *)b->data;
	bool v4 = is->proto == IPPROTO_ICMP;

	if (b->len < sizeof(*h) || h->code ||
	    h->type != (v4 ? ECHO_REQUEST : ECHO_REQUEST6))
		return -EINVAL;
	put_be16(h->id, b->from.port);
	b->from.port = b->to.port = 0;
	set_sum(b);
	return 0;
}

/* The answer to what came over an interface need not leave by it, but if it goes to an
 * address of its link; and it does not come from a group. */
static bool wire_addresses(struct net_ns *net, struct inet_buf *b)
{
	struct route r;

	if (!ip_is_link_local(b->to.ip))
		b->to.scope = 0;
	if (!inet_is_multicast(&b->from))
		return true;
	if (route_lookup(net, b->to.ip, NULL, b->to.scope, &r))
		return false;
	memcpy(b->from.ip, r.src, 16);
	route_put(&r);
	return true;
}

static void reply(struct net_ns *net, struct inet_buf *b)
{
	struct icmp_head *h = (void *)b->data;
	struct inet_ep me = b->to;

	h->type = inet_is_v4(&me) ? ECHO_REPLY : ECHO_REPLY6;
	b->to = b->from;
	b->from = me;
	if (unlikely(b->to.scope) && !wire_addresses(net, b)) {
		kfree(b);
		return;
	}
	b->hops = 64;
	set_sum(b);
	(void)ip_transmit(net, NULL, proto_of(b), b);
}

void icmp_input(struct net_ns *net, u8 proto, struct inet_buf *b)
{
	const struct icmp_head *h = (const void *)b->data;
	bool v4 = proto == IPPROTO_ICMP;

	if (b->len >= sizeof(*h) &&
	    h->type == (v4 ? ECHO_REQUEST : ECHO_REQUEST6)) {
		reply(net, b);
	} else if (b->len >= sizeof(*h) &&
		   h->type == (v4 ? ECHO_REPLY : ECHO_REPLY6)) {
		b->to.port = (u16)get_be16(h->id);
		udp_deliver(net, proto, b);
	} else {
		kfree(b); /* raw sockets have heard it */
	}
}

void icmp_unreachable(struct net_ns *net, u8 proto, const struct inet_buf *b,
		      u8 code)
{
	bool v4 = inet_is_v4(&b->to);
	u32 head = v4 ? IP4_HEADER : IP6_HEADER, n = min(b->len, QUOTE - head);
	struct inet_buf *e = ip_alloc((u32)sizeof(struct icmp_head) + head + n);
	struct icmp_head *h;
	u8 raw[IP6_HEADER];

	if (!e)
		return;
	h = (void *)e->data;
	e->from = b->to;
	e->to = b->from;
	e->class = v4 ? 0xc0 : 0;
	h->type = v4 ? UNREACH : UNREACH6;
	h->code = code;
	if (!v4 && code == ICMP_PORT_UNREACH)
		h->code = PORT_UNREACH6;
	if (!v4 && code == ICMP_PROTO_UNREACH) {
		h->type = PARAM_PROBLEM6;
		h->code = NEXT_HEADER6;
		h->seq[1] = 6; /* where it stands */
	}
	(void)ip_header(proto, b, raw, b->len);
	memcpy(h + 1, raw, head);
	memcpy((u8 *)(h + 1) + head, b->data, n);
	set_sum(e);
	ip_input(net, proto_of(e), e);
}
