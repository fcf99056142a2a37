/* SPDX-License-Identifier: MIT */
/*
 * net/route/forward.c - packets that are for somebody else go on [RFC 1812, RFC 8200], if
 * the namespace is a router: net.ipv4.conf.<interface>.forwarding of where it arrived,
 * net.ipv6.conf.all.forwarding.
 *
 * No redirects are sent.
 */
#include <net/route/route_int.h>

#include <lib/errno.h>

#define UNREACH4       3u
#define UNREACH6       1u
#define TIME_EXCEEDED4 11u
#define TIME_EXCEEDED6 3u
#define FRAG_NEEDED    4u /* code of UNREACH4 */
#define PACKET_TOO_BIG 2u /* type of ICMPv6 */
#define TCP_HEADER     20u

static void refuse(struct net_ns *net, struct netbuf *b, u32 type4, u32 code4,
		   u32 type6, u32 code6, u32 info)
{
	bool v4 = b->proto == ETH_P_IP;

	icmp_send(net, b, (u8)(v4 ? type4 : type6), (u8)(v4 ? code4 : code6),
		  info);
	netbuf_free(b);
}

/* No route: -errno of the look-up. */
static void no_route(struct net_ns *net, struct netbuf *b, int err)
{
	bool v4 = b->proto == ETH_P_IP;

	net_count(net, v4 ? NET_IP_NO_ROUTE : NET_IP6_NO_ROUTE, 1);
	if (err == -EINVAL) /* a black hole */
		netbuf_free(b);
	else if (err == -EACCES)
		refuse(net, b, UNREACH4, 13, UNREACH6, 1, 0);
	else
		refuse(net, b, UNREACH4, err == -EHOSTUNREACH ? 1 : 0, UNREACH6,
		       0, 0);
}

/* One hop less: the checksum follows [RFC 1624]. */
static void count_hop(struct netbuf *b)
{
	u8 *h = b->data;
	u32 sum;

	if (b->proto != ETH_P_IP) {
		h[7]--;
		return;
	}
	h[8]--;
	sum = get_be16(h + 10) + 0x100u;
	put_be16(h + 10, (sum & 0xffff) + (sum >> 16));
}

static bool must_not_cut(const struct netbuf *b)
{
	return b->proto != ETH_P_IP || (get_be16(b->data + 6) & IP_DF);
}

/* What a device will cut itself is as long as one of the pieces. */
static bool too_long(const struct route *r, const struct netbuf *b)
{
	u32 head = b->proto == ETH_P_IP ? IP4_HEADER : IP6_HEADER;

	return b->gso_size ? head + TCP_HEADER + b->gso_size > r->mtu
			   : b->len > r->mtu;
}

static void go_on(struct net_ns *net, const struct route *r, struct netbuf *b)
{
	bool v4 = b->proto == ETH_P_IP;
	u8 hops = b->data[v4 ? 8 : 7];

	if (hops <= 1) {
		refuse(net, b, TIME_EXCEEDED4, 0, TIME_EXCEEDED6, 0, 0);
		return;
	}
	if (too_long(r, b) && must_not_cut(b)) {
		refuse(net, b, UNREACH4, FRAG_NEEDED, PACKET_TOO_BIG, 0,
		       r->mtu);
		return;
	}
	count_hop(b);
	net_count(net, v4 ? NET_IP_FORWARDED : NET_IP6_FORWARDED, 1);
	if (b->len > r->mtu && !b->gso_size) {
		(void)netbuf_finish_csum(b);
		(void)ip4_fragment(net, r, b, r->mtu);
	} else {
		(void)ip_send(net, r, b);
	}
}

/* IPv6's interfaces have no say, as on Linux. */
static bool forwards(const struct net_ns *net, const struct netbuf *b, bool v4)
{
	return v4 ? net_conf(b->dev, CONF4_FORWARDING)
		  : load_once(&net->ctl.conf_all[CONF6_FORWARDING]);
}

void ip_forward(struct net_ns *net, struct netbuf *b)
{
	bool v4 = b->proto == ETH_P_IP;
	const u8 *h = b->data;
	u8 src[16], dst[16];
	struct route_query q = { .dst = dst, .src = src, .in = b->dev };
	struct route r;
	int err;

	if (!forwards(net, b, v4) || b->pkttype != PACKET_HOST) {
		net_count(net, v4 ? NET_IP_BAD_ADDRESS : NET_IP6_BAD_ADDRESS,
			  1);
		netbuf_free(b);
		return;
	}
	ip_addresses(h, v4, src, dst);
	if (ip_is_any(src) || ip_is_link_local(src) || ip_is_link_local(dst)) {
		netbuf_free(b);
		return;
	}
	err = route_find(net, &q, &r);
	if (!err && r.type != ROUTE_UNICAST) {
		route_put(&r);
		netbuf_free(b);
		return;
	}
	if (err) {
		no_route(net, b, err);
		return;
	}
	go_on(net, &r, b);
	route_put(&r);
}
