/* SPDX-License-Identifier: MIT */
/*
 * net/route/source.c - which of our addresses something is sent from [RFC 6724 for IPv6].
 *
 * Locking: route_lock is held.
 */
#include <net/route/route_int.h>

#include <kernel/time/clock.h>

/* --- IPv4: of the interface, in the network of @peer if there is one; else anybody's */

static bool fits4(const struct if_addr *a, u32 scope)
{
	return a->family == AF_INET && a->scope <= scope &&
	       !(a->flags & IFA_F_SECONDARY);
}

bool source_select4(const struct route_ns *rn, const struct net_device *dev,
		    const u8 peer[16], u32 scope, u8 src[16])
{
	const struct if_addr *a, *best = NULL;
	u8 net[16];

	list_for_each_entry(a, &rn->addrs, node) {
		if (a->dev != dev || !fits4(a, scope))
			continue;
		addr_prefix_ip(a, net);
		if (!best)
			best = a;
		if (peer && ip_same_prefix(net, peer, a->prefix + 96u)) {
			best = a;
			break;
		}
	}
	list_for_each_entry(a, &rn->addrs, node) {
		if (best)
			break;
		if (fits4(a, scope) && a->scope != RT_SCOPE_LINK &&
		    a->scope != RT_SCOPE_HOST)
			best = a;
	}
	if (best)
		memcpy(src, best->ip, 16);
	return best;
}

/* --- IPv6 */

/* Scopes as of multicast addresses: 2 is the link, 5 the site, 14 the world. */
static u32 scope_of(const u8 ip[16])
{
	if (ip[0] == 0xff)
		return ip[1] & 15;
	if (ip_is_link_local(ip) || ip_is_loopback(ip))
		return 2;
	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0)
		return 5;
	return 14;
}

/* Labels of RFC 6724 2.1. */
static u32 label_of(const u8 ip[16])
{
	static const u8 lo[16] = { [15] = 1 }, zeros[16];

	if (ip_same(ip, lo))
		return 0;
	if (ip_is_v4(ip))
		return 4;
	if (!memcmp(ip, zeros, 12))
		return 3;
	if (ip[0] == 0x20 && ip[1] == 0x02)
		return 2;
	if (ip[0] == 0x20 && ip[1] == 0x01 && !ip[2] && !ip[3])
		return 5;
	if ((ip[0] & 0xfe) == 0xfc)
		return 13;
	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0)
		return 11;
	if (ip[0] == 0x3f && ip[1] == 0xfe)
		return 12;
	return 1;
}

static u32 common_bits(const u8 a[16], const u8 b[16], u32 most)
{
	u32 n = 0;

	while (n < most && !((a[n / 8] ^ b[n / 8]) & (0x80u >> n % 8)))
		n++;
	return n;
}

struct choice {
	const struct net_device *dev;
	const u8 *dst;
	u64 now;
};

static bool is_old(const struct choice *c, const struct if_addr *a)
{
	return (a->flags & IFA_F_DEPRECATED) || a->preferred_until <= c->now;
}

/* Is @a better than @b?  The rules in their order. */
static bool better6(const struct choice *c, const struct if_addr *a,
		    const struct if_addr *b)
{
	u32 sa = scope_of(a->ip), sb = scope_of(b->ip), want = scope_of(c->dst);
	bool x, y;

	if (ip_same(a->ip, c->dst) != ip_same(b->ip, c->dst))
		return ip_same(a->ip, c->dst);
	if (sa != sb)
		return sa < sb ? sa >= want : sb < want;
	x = is_old(c, a);
	y = is_old(c, b);
	if (x != y)
		return y;
	x = a->dev == c->dev;
	y = b->dev == c->dev;
	if (x != y)
		return x;
	x = label_of(a->ip) == label_of(c->dst);
	y = label_of(b->ip) == label_of(c->dst);
	if (x != y)
		return x;
	return common_bits(a->ip, c->dst, a->prefix) >
	       common_bits(b->ip, c->dst, b->prefix);
}

bool source_select6(const struct route_ns *rn, const struct net_device *dev,
		    const u8 dst[16], u8 src[16])
{
	bool own_only =
		ip_is_link_local(dst) || (dst[0] == 0xff && (dst[1] & 15) <= 2);
	struct choice c = { dev, dst, clock_mono_ns() };
	const struct if_addr *a, *best = NULL;

	list_for_each_entry(a, &rn->addrs, node) {
		if (a->family != AF_INET6 || !addr_is_usable(a) ||
		    ip_is_loopback(a->ip) || (a->dev != dev && own_only) ||
		    (a->dev != dev && ip_is_link_local(a->ip)))
			continue;
		if (!best || better6(&c, a, best))
			best = a;
	}
	if (best)
		memcpy(src, best->ip, 16);
	return best;
}
