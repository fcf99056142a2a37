/* SPDX-License-Identifier: MIT */
/*
 * net/route/icmp_error.c - senders are told that their packets came to nothing [RFC 792,
 * RFC 1122 3.2.2, RFC 4443].
 *
 * Nobody is told of an error about an error, of a packet to many, of a later fragment, or
 * more often than RATE times a second, BURST at once.
 */
#include <net/route/neigh.h>
#include <net/route/route_int.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>

#define RATE	       1000u
#define BURST	       50u
#define QUOTE4	       548u	     /* 576 bytes in all */
#define QUOTE6	       (1280u - 48u) /* the least MTU */
#define PRECEDENCE     0xc0u
#define PACKET_TOO_BIG 2u
#define FRAG_NEEDED    4u
#define HOST_UNREACH   1u
#define ADDR_UNREACH6  3u
#define PARAM6	       4u

/* A bucket: how many may go still, as of when. */
static struct {
	u64 at;
	u32 tokens;
} bucket; /* [route_lock] */

static bool may_send(void)
{
	u64 now = clock_mono_ns(), more;
	bool ok;

	spin_lock(&route_lock);
	more = (now - bucket.at) / (NSEC_PER_SEC / RATE);
	if (more) {
		bucket.tokens = (u32)min(bucket.tokens + more, (u64)BURST);
		bucket.at = now;
	}
	ok = bucket.tokens;
	bucket.tokens -= ok;
	spin_unlock(&route_lock);
	return ok;
}

/* Types that tell of errors; all others are asked or answered. */
static bool is_error4(u8 type)
{
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static bool may_answer4(const u8 *h, u32 len)
{
	u32 head = (h[0] & 15u) * 4;

	if (get_be16(h + 6) & IP_OFFSET)
		return false;
	return h[9] != IPPROTO_ICMP || (len > head && !is_error4(h[head]));
}

static bool may_answer6(const u8 *h, u32 len)
{
	u32 at = IP6_HEADER;
	u8 next = h[6];

	while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT) {
		if (at + 8 > len)
			return false;
		if (next == IPPROTO_FRAGMENT && get_be16(h + at + 2) & ~7u)
			return false;
		next = h[at];
		at += next == IPPROTO_FRAGMENT ? 8 : (h[at + 1] + 1u) * 8;
	}
	return next != IPPROTO_ICMPV6 || (at < len && h[at] >= 128);
}

static struct netbuf *message(const struct netbuf *b, bool v4, u8 type, u8 code,
			      u32 info)
{
	u32 n = min(b->len, v4 ? QUOTE4 : QUOTE6);
	struct netbuf *e = ip_netbuf(ICMP_HEADER + n, v4);
	u8 *h;

	if (!e)
		return NULL;
	h = netbuf_put(e, ICMP_HEADER);
	memset(h, 0, ICMP_HEADER);
	h[0] = type;
	h[1] = code;
	put_be32(h + 4, info);
	memcpy(netbuf_put(e, n), b->data, n);
	return e;
}

static void seal(struct netbuf *e, const u8 src[16], const u8 dst[16], bool v4)
{
	u32 sum = v4 ? 0 : ip_pseudo_sum(IPPROTO_ICMPV6, src, dst, e->len);

	put_be16(e->data + 2, (u16)~ip_sum(sum, e->data, e->len));
}

static void send(struct net_ns *net, struct netbuf *e, const struct route *r,
		 const u8 src[16], const u8 dst[16])
{
	bool v4 = ip_is_v4(dst);
	struct ip_opts o = { .tos = v4 ? PRECEDENCE : 0 };

	seal(e, src, dst, v4);
	net_count(net, v4 ? NET_ICMP_OUT : NET_ICMP6_OUT, 1);
	(void)ip_output(net, r, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, src, dst,
			&o, e);
}

void icmp_send(struct net_ns *net, const struct netbuf *b, u8 type, u8 code,
	       u32 info)
{
	bool v4 = b->data[0] >> 4 == 4;
	bool group_ok = !v4 && (type == PACKET_TOO_BIG || type == PARAM6);
	u32 oif = b->dev ? (u32)b->dev->index : 0;
	u8 src[16], dst[16];
	struct netbuf *e;
	struct route r;

	ip_addresses(b->data, v4, src, dst);
	if (!(v4 ? may_answer4(b->data, b->len) : may_answer6(b->data, b->len)))
		return;
	if (ip_is_any(src) || ip_is_multicast(src) || ip_is_all_ones(src) ||
	    (ip_is_multicast(dst) && !group_ok) || ip_is_all_ones(dst) ||
	    !may_send())
		return;
	if (route_lookup(net, src, route_is_local(net, dst) ? dst : NULL,
			 ip_is_link_local(src) ? oif : 0, &r))
		return;
	e = r.type == ROUTE_UNICAST ? message(b, v4, type, code, info) : NULL;
	if (e)
		send(net, e, &r, r.src, src);
	route_put(&r);
}

void neigh_unreachable(struct net_device *dev, const struct netbuf *b, bool v4)
{
	struct net_ns *net = dev->net;
	u8 src[16], dst[16];
	struct icmp_report e = {
		.from = src,
		.err = EHOSTUNREACH,
		.type = v4 ? ICMP_UNREACH : ICMP6_UNREACH,
		.code = v4 ? HOST_UNREACH : ADDR_UNREACH6,
	};

	if (b->len < (v4 ? IP4_HEADER : IP6_HEADER))
		return;
	ip_addresses(b->data, v4, src, dst);
	if (route_is_local(net, src))
		icmp_told(net, &e, v4, b->data, b->len);
	else
		icmp_send(net, b, e.type, e.code, 0);
}
