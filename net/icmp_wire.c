/* SPDX-License-Identifier: MIT */
/*
 * net/icmp_wire.c - ICMP over interfaces [RFC 792, RFC 4443], and packets of raw and ping
 * sockets.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/group.h>
#include <net/route/ip6.h>
#include <net/route/route_int.h>
#include <net/route/wire.h>

enum {
	ECHO_REPLY4 = 0,
	UNREACH4 = 3,
	ECHO4 = 8,
	TIME4 = 11,
	PARAM4 = 12,
	FRAG_NEEDED = 4,

	UNREACH6 = 1,
	TOO_BIG6 = 2,
	TIME6 = 3,
	PARAM6 = 4,
	ECHO6 = 128,
	ECHO_REPLY6 = 129,
};

/* --- sending */

/* Those of this machine who hear it, if it goes to many. */
static void loop_back(struct net_ns *net, const struct inet_sock *is, u8 proto,
		      const struct inet_buf *b, const struct route *r)
{
	struct inet_buf *c;

	if (r->type == ROUTE_UNICAST || !is ||
	    (r->type == ROUTE_MULTICAST &&
	     !inet_mc_loops(is, inet_is_v4(&b->to))))
		return;
	c = kmemdup(b, sizeof(*b) + b->len);
	if (!c)
		return;
	list_init(&c->node);
	c->to.scope = (u32)r->dev->index;
	(void)raw_hear(net, proto, c);
	kfree(c);
}

static int wire(struct net_ns *net, const struct inet_sock *is, u8 proto,
		struct inet_buf *b, struct route *r)
{
	struct ip_opts o;
	struct netbuf *n;

	inet_wire_opts(is, b, b->len, r, &o);
	if (proto == IPPROTO_ICMPV6 && !is)
		o.dont_fragment = false;
	n = ip_netbuf(b->len, inet_is_v4(&b->to));
	if (!n)
		return -ENOBUFS;
	memcpy(netbuf_put(n, b->len), b->data, b->len);
	loop_back(net, is, proto, b, r);
	if (proto == (inet_is_v4(&b->to) ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		net_count(net,
			  proto == IPPROTO_ICMP ? NET_ICMP_OUT : NET_ICMP6_OUT,
			  1);
	return ip_output(net, r, proto, b->from.ip, b->to.ip, &o, n);
}

int ip_transmit(struct net_ns *net, const struct inet_sock *is, u8 proto,
		struct inet_buf *b)
{
	struct route r;
	int err;

	if (likely(ip_is_loopback(b->to.ip) || (is && !b->to.scope))) {
		b->to.scope = 0;
		ip_input(net, proto, b);
		return 0;
	}
	err = route_lookup(net, b->to.ip,
			   inet_is_any(&b->from) ? NULL : b->from.ip,
			   b->to.scope, &r);
	if (!err && !r.dev) {
		b->to.scope = 0;
		ip_input(net, proto, b);
		return 0;
	}
	if (!err)
		err = wire(net, is, proto, b, &r);
	if (err == -ENOBUFS && is && !load_once(&is->recverr))
		err = 0;
	route_put(&r);
	kfree(b);
	return err;
}

/* --- receiving */

struct meaning {
	u32 err;
	bool hard;
};

/* What the codes of "unreachable" mean to a program. */
static const struct meaning unreach4[] = {
	{ ENETUNREACH, false },	 { EHOSTUNREACH, false },
	{ ENOPROTOOPT, true },	 { ECONNREFUSED, true },
	{ EMSGSIZE, false },	 { EOPNOTSUPP, false },
	{ ENETUNREACH, true },	 { EHOSTDOWN, true },
	{ ENONET, true },	 { ENETUNREACH, true },
	{ EHOSTUNREACH, true },	 { ENETUNREACH, false },
	{ EHOSTUNREACH, false }, { EHOSTUNREACH, true },
	{ EHOSTUNREACH, true },	 { EHOSTUNREACH, true },
};
static const struct meaning unreach6[] = {
	{ ENETUNREACH, false },	 { EACCES, true },
	{ EHOSTUNREACH, false }, { EHOSTUNREACH, false },
	{ ECONNREFUSED, true },	 { EACCES, true },
	{ EACCES, true },
};

static struct meaning meaning(bool v4, u8 type, u8 code)
{
	const struct meaning none = { 0, false };

	if (type == (v4 ? UNREACH4 : UNREACH6)) {
		if (code >= (v4 ? ARRAY_SIZE(unreach4) : ARRAY_SIZE(unreach6)))
			return none;
		return v4 ? unreach4[code] : unreach6[code];
	}
	if (!v4 && type == TOO_BIG6)
		return (struct meaning){ EMSGSIZE, false };
	if (type == (v4 ? TIME4 : TIME6))
		return (struct meaning){ EHOSTUNREACH, false };
	if (type == (v4 ? PARAM4 : PARAM6))
		return (struct meaning){ EPROTO, true };
	return none;
}

static void error_input(struct net_ns *net, const struct ip_packet *p, bool v4)
{
	const u8 *h = p->b->data;
	struct meaning m = meaning(v4, h[0], h[1]);
	struct icmp_report e = {
		.from = p->src,
		.err = m.err,
		.hard = m.hard,
		.type = h[0],
		.code = h[1],
	};

	if (!m.err)
		return;
	if (v4 && m.err == EMSGSIZE)
		e.info = get_be16(h + 6);
	else if (m.err == EMSGSIZE || (!v4 && m.err == EPROTO))
		e.info = get_be32(h + 4);
	else if (m.err == EPROTO)
		e.info = h[4];
	icmp_told(net, &e, v4, h + ICMP_HEADER, p->b->len - ICMP_HEADER);
}

static bool is_sound(const struct ip_packet *p, bool v4)
{
	const struct netbuf *b = p->b;
	u32 sum =
		v4 ? 0 : ip_pseudo_sum(IPPROTO_ICMPV6, p->src, p->dst, b->len);

	return b->len >= 4 && ((b->flags & NETBUF_CSUM_PARTIAL) ||
			       ip_sum(sum, b->data, b->len) == 0xffff);
}

static bool is_error(u8 type, bool v4)
{
	return v4 ? type == UNREACH4 || type == TIME4 || type == PARAM4
		  : type >= UNREACH6 && type <= PARAM6;
}

static void hand_on(struct net_ns *net, const struct ip_packet *p, bool v4)
{
	u8 type = p->b->data[0];
	struct inet_buf *b;

	if (v4 && p->to_many && type == ECHO4)
		return; /* icmp_echo_ignore_broadcasts */
	if (type != (v4 ? ECHO4 : ECHO6) &&
	    type != (v4 ? ECHO_REPLY4 : ECHO_REPLY6))
		return;
	b = ip_packet_buf(p, 0, p->b->len);
	if (b)
		icmp_input(net, p->proto, b);
}

void icmp_wire_input(struct net_ns *net, struct ip_packet *p)
{
	bool v4 = p->proto == IPPROTO_ICMP;
	struct netbuf *b = p->b;

	net_count(net, v4 ? NET_ICMP_IN : NET_ICMP6_IN, 1);
	if (!is_sound(p, v4)) {
		net_count(net, v4 ? NET_ICMP_BAD : NET_ICMP6_BAD, 1);
		netbuf_free(b);
		return;
	}
	if (is_error(b->data[0], v4)) {
		if (b->len >= ICMP_HEADER)
			error_input(net, p, v4);
	} else if (!v4 && b->data[0] >= ND_ROUTER_SOLICIT &&
		   b->data[0] <= ND_NEIGHBOR_ADVERT) {
		ndp_input(net, p);
	} else if (!v4 && b->data[0] == MLD_QUERY) {
		mld_input(net, p);
	} else {
		hand_on(net, p, v4);
	}
	netbuf_free(b);
}

/* --- errors about what ping sockets have sent */

void ping_told(struct net_ns *net, const struct icmp_report *e, u8 proto,
	       const u8 src[16], const u8 dst[16], const u8 *p, u32 n)
{
	struct inet_buf *b;

	if (p[0] != (proto == IPPROTO_ICMP ? ECHO4 : ECHO6))
		return;
	b = inet_quote_buf(src, dst, p, n);
	if (!b)
		return;
	b->from.port = (u16)get_be16(p + 4);
	inet_tell_sender(net, e, proto, b);
}
