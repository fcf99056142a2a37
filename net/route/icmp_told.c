/* SPDX-License-Identifier: MIT */
/*
 * net/route/icmp_told.c - an error about a packet of ours finds the socket that sent it.
 *
 * What is quoted was written by somebody else: it is believed as far as a socket fits it.
 */
#include <net/route/route_int.h>
#include <net/route/wire.h>

#include <lib/errno.h>

#define HEADERS_MAX 8u

struct quote {
	u8 src[16], dst[16];
	u8 proto;
	u32 at; /* of the transport's header */
};

static bool parse4(const u8 *h, u32 len, struct quote *q)
{
	if (len < IP4_HEADER || h[0] >> 4 != 4 || (h[0] & 15u) * 4 < IP4_HEADER)
		return false;
	q->at = (h[0] & 15u) * 4;
	q->proto = h[9];
	ip_set_v4(q->src, h + 12);
	ip_set_v4(q->dst, h + 16);
	return !(get_be16(h + 6) & IP_OFFSET);
}

static bool parse6(const u8 *h, u32 len, struct quote *q)
{
	if (len < IP6_HEADER || h[0] >> 4 != 6)
		return false;
	memcpy(q->src, h + 8, 16);
	memcpy(q->dst, h + 24, 16);
	q->proto = h[6];
	q->at = IP6_HEADER;
	for (u32 i = 0; i < HEADERS_MAX; i++) {
		bool frag = q->proto == IPPROTO_FRAGMENT;

		if (q->proto != IPPROTO_HOPOPTS && !frag &&
		    q->proto != IPPROTO_ROUTING && q->proto != IPPROTO_DSTOPTS)
			return true;
		if (q->at + 8 > len ||
		    (frag && (get_be16(h + q->at + 2) & ~7u)))
			return false;
		q->proto = h[q->at];
		q->at += frag ? 8 : (h[q->at + 1] + 1u) * 8;
	}
	return false;
}

void icmp_told(struct net_ns *net, const struct icmp_report *e, bool v4,
	       const u8 *quote, u32 len)
{
	struct quote q;
	const u8 *p;
	u32 n;

	if (!(v4 ? parse4(quote, len, &q) : parse6(quote, len, &q)) ||
	    q.at + 8 > len || !route_is_local(net, q.src))
		return;
	p = quote + q.at;
	n = len - q.at;
	if (e->err == EMSGSIZE)
		route_path_mtu(net, q.dst, e->info);
	if (q.proto == IPPROTO_TCP)
		tcp_path_error(net, q.src, q.dst, p, n, -(int)e->err, e->info);
	else if (q.proto == IPPROTO_UDP || q.proto == IPPROTO_UDPLITE)
		udp_told(net, e, q.proto, q.src, q.dst, p, n);
	else if (q.proto == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		ping_told(net, e, q.proto, q.src, q.dst, p, n);
	raw_told(net, e, q.proto, q.src, q.dst, p, n);
}
