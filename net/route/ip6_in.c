/* SPDX-License-Identifier: MIT */
/*
 * net/route/ip6_in.c - packets of IPv6 arrive [RFC 8200].
 *
 * Extension headers are checked and passed over, HEADERS_MAX of them.  Routing headers that
 * are not used up are refused [RFC 5095]; no jumbograms.
 */
#include <net/route/group.h>
#include <net/route/ip6.h>
#include <net/route/route_int.h>

#define HEADERS_MAX   8u
#define FRAG6_HEADER  8u
#define PARAM_PROBLEM 4u
#define BAD_FIELD     0u
#define BAD_OPTION    2u
#define OPT_PAD1      0u

/* The header is right, and the packet as long as it says. */
static bool check_header(struct netbuf *b)
{
	const u8 *h = b->data;
	u32 len;

	if (b->len < IP6_HEADER || h[0] >> 4 != 6)
		return false;
	len = IP6_HEADER + get_be16(h + 4);
	if (len > b->len)
		return false;
	b->len = len;
	return true;
}

/* Addresses that nobody may have out there; v4-mapped ones are IPv4's inside of us. */
static bool is_martian(const struct net_ns *net, const u8 *src, const u8 *dst)
{
	static const u8 any[16];

	if (ip_is_multicast(src) || ip_is_loopback(src) ||
	    ip_is_loopback(dst) || ip_is_v4(src) || ip_is_v4(dst) ||
	    ip_same(dst, any))
		return true;
	if (dst[0] == 0xff && (dst[1] & 15) < 2)
		return true;
	return !ip_is_any(src) && route_is_local(net, src);
}

/* An address of one link counts on that link only; one that is not ours yet, not at all. */
static bool is_ours(const struct net_device *dev, const u8 dst[16])
{
	const struct if_addr *a;
	bool ours;

	spin_lock(&route_lock);
	a = addr_find_locked(dev, dst);
	ours = a ? addr_is_usable(a) : !ip_is_link_local(dst);
	spin_unlock(&route_lock);
	return ours;
}

/*
 * Options of a header at @at of @len bytes: those that we do not know say what to do.  True:
 * go on.
 */
static bool options_ok(struct net_ns *net, const struct netbuf *b, u32 at,
		       u32 len)
{
	const u8 *h = b->data;
	u32 here = at + 2;

	while (here < at + len) {
		u32 n = h[here] == OPT_PAD1   ? 1u
			: here + 1 < at + len ? h[here + 1] + 2u
					      : 0;

		if (!n || here + n > at + len)
			return false;
		if (h[here] >> 6 && h[here] != OPT_PAD1) {
			bool many = ip_is_multicast(h + 24);

			if (h[here] >> 6 == 2 || (h[here] >> 6 == 3 && !many))
				icmp_send(net, b, PARAM_PROBLEM, BAD_OPTION,
					  here);
			return false;
		}
		here += n;
	}
	return true;
}

struct walk {
	u32 at;	  /* of the header that is looked at */
	u8 proto; /* what it is */
};

enum step {
	GO_ON,
	ARRIVED,
	DROP
};

static enum step routing(struct net_ns *net, const struct netbuf *b, u32 at)
{
	if (!b->data[at + 3])
		return GO_ON;
	icmp_send(net, b, PARAM_PROBLEM, BAD_FIELD, at + 2);
	return DROP;
}

/* Past one header; *@b may become a packet that is whole again, or NULL. */
static enum step step(struct net_ns *net, struct netbuf **b, struct walk *w)
{
	const u8 *h = (*b)->data;
	enum step s = GO_ON;
	u32 len;

	if (w->proto != IPPROTO_HOPOPTS && w->proto != IPPROTO_ROUTING &&
	    w->proto != IPPROTO_DSTOPTS && w->proto != IPPROTO_FRAGMENT)
		return ARRIVED;
	if (w->at + 8 > (*b)->len)
		return DROP;
	if (w->proto == IPPROTO_FRAGMENT) {
		*b = ip6_reassemble(net, *b, w->at);
		if (*b) /* that header is gone: from the beginning */
			*w = (struct walk){ IP6_HEADER, (*b)->data[6] };
		return GO_ON;
	}
	len = (h[w->at + 1] + 1u) * 8;
	if (w->at + len > (*b)->len)
		return DROP;
	if (w->proto == IPPROTO_HOPOPTS && w->at != IP6_HEADER)
		return DROP;
	if (w->proto == IPPROTO_ROUTING)
		s = routing(net, *b, w->at);
	else if (!options_ok(net, *b, w->at, len))
		s = DROP;
	w->proto = h[w->at];
	w->at += len;
	return s;
}

static void deliver(struct net_ns *net, struct netbuf *b, bool to_many)
{
	struct walk w = { IP6_HEADER, b->data[6] };
	struct ip_packet p = { .to_many = to_many };
	enum step s = GO_ON;

	for (u32 i = 0; s == GO_ON && i < HEADERS_MAX; i++) {
		s = step(net, &b, &w);
		if (!b)
			return;
	}
	if (s != ARRIVED || w.at > b->len) {
		net_count(net, NET_IP6_BAD_HEADER, 1);
		netbuf_free(b);
		return;
	}
	p.b = b;
	memcpy(p.src, b->data + 8, 16);
	memcpy(p.dst, b->data + 24, 16);
	p.tos = (u8)(b->data[0] << 4 | b->data[1] >> 4);
	p.ttl = b->data[7];
	p.proto = w.proto;
	b->net = (u16)netbuf_headroom(b);
	(void)netbuf_pull(b, w.at);
	net_count(net, NET_IP6_DELIVERED, 1);
	ip_deliver(net, &p);
}

static void drop(struct net_ns *net, struct netbuf *b, enum net_stat why)
{
	net_count(net, why, 1);
	netbuf_free(b);
}

void ip6_input(struct net_ns *net, struct netbuf *b)
{
	u8 src[16], dst[16];
	enum route_type type;

	if (b->pkttype == PACKET_OTHERHOST) {
		netbuf_free(b);
		return;
	}
	if (net_conf(b->dev, CONF6_DISABLE)) {
		netbuf_free(b);
		return;
	}
	net_count(net, NET_IP6_IN, 1);
	net_count(net, NET_IP6_IN_BYTES, b->len);
	if (!check_header(b)) {
		drop(net, b, NET_IP6_BAD_HEADER);
		return;
	}
	memcpy(src, b->data + 8, 16);
	memcpy(dst, b->data + 24, 16);
	if (is_martian(net, src, dst)) {
		drop(net, b, NET_IP6_BAD_ADDRESS);
		return;
	}
	type = route_input_type(net, dst);
	if (type == ROUTE_MULTICAST && !group_heard(b->dev, dst))
		netbuf_free(b);
	else if (type == ROUTE_MULTICAST)
		deliver(net, b, true);
	else if (type == ROUTE_LOCAL && is_ours(b->dev, dst))
		deliver(net, b, false);
	else if (type == ROUTE_LOCAL)
		drop(net, b, NET_IP6_BAD_ADDRESS);
	else
		ip_forward(net, b);
}
