/* SPDX-License-Identifier: MIT */
/*
 * net/inet_addr.c - internet addresses: sockaddr_in and sockaddr_in6, and which of
 * them are this machine's.
 */
#include <net/inet.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route.h>

/* What follows the family in the two structures. */
struct in_rest {
	u8 port[2], ip[4], zero[8];
};
struct in6_rest {
	u8 port[2], flow[4], ip[16], scope[4];
};
#define IN6_MIN (sizeof(struct in6_rest) - 4) /* as of RFC 2133 */

static const u8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
static const u8 loopback6[16] = { [15] = 1 };
static const u8 zeros[16];

bool inet_is_v4(const struct inet_ep *ep)
{
	return !memcmp(ep->ip, mapped, sizeof(mapped));
}

bool inet_is_any(const struct inet_ep *ep)
{
	return !memcmp(ep->ip, zeros, 16) ||
	       (inet_is_v4(ep) && !memcmp(ep->ip + 12, zeros, 4));
}

bool inet_is_loopback(const struct inet_ep *ep)
{
	if (inet_is_v4(ep))
		return ep->ip[12] == 127;
	return !memcmp(ep->ip, loopback6, 16);
}

bool inet_is_local(const struct net_ns *net, const struct inet_ep *ep)
{
	return inet_is_loopback(ep) ||
	       (load_once(&net->wired) && route_is_local(net, ep->ip));
}

bool inet_same_ip(const struct inet_ep *a, const struct inet_ep *b)
{
	return !memcmp(a->ip, b->ip, 16);
}

static void set_v4(struct inet_ep *ep, const u8 ip[4])
{
	memcpy(ep->ip, mapped, sizeof(mapped));
	memcpy(ep->ip + 12, ip, 4);
}

void inet_any_to_loopback(struct inet_ep *ep)
{
	static const u8 lo[4] = { 127, 0, 0, 1 };

	if (!inet_is_any(ep))
		return;
	if (inet_is_v4(ep))
		set_v4(ep, lo);
	else
		memcpy(ep->ip, loopback6, 16);
}

void inet_source(const struct inet_sock *is, const struct inet_ep *to,
		 struct inet_ep *from)
{
	static const u8 any[4];
	struct inet_ep ep = *to;

	if (unlikely(!inet_is_loopback(to)) &&
	    !inet_reach(is, NULL, &ep, from->ip) && !inet_is_any(from))
		return;
	if (inet_is_v4(to))
		set_v4(from, any);
	else
		memset(from->ip, 0, 16);
	inet_any_to_loopback(from);
}

/* Is it an address of one link, so that the link has to be named? */
static bool has_scope(const u8 ip[16])
{
	return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
	       (ip[0] == 0xff && (ip[1] & 15) <= 2);
}

int inet_addr_in(const struct inet_sock *is, const struct sock_addr *a,
		 struct inet_ep *out)
{
	const struct in6_rest *r6 = (const void *)a->name;
	const struct in_rest *r4 = (const void *)a->name;

	if (is->s.family == AF_INET6 && a->family == AF_INET6) {
		if (a->len < IN6_MIN)
			return -EINVAL;
		memcpy(out->ip, r6->ip, 16);
		out->port = (u16)(r6->port[0] << 8 | r6->port[1]);
		out->scope = 0;
		if (a->len >= sizeof(*r6) && has_scope(out->ip))
			memcpy(&out->scope, r6->scope, sizeof(out->scope));
		return 0;
	}
	if (a->len < sizeof(*r4))
		return -EINVAL;
	if (a->family != AF_INET)
		return -EAFNOSUPPORT;
	set_v4(out, r4->ip);
	out->scope = 0;
	out->port = (u16)(r4->port[0] << 8 | r4->port[1]);
	return 0;
}

int inet_addr_own(const struct inet_sock *is, const struct sock_addr *a,
		  struct inet_ep *out)
{
	if (is->s.family == AF_INET6 && a->len < IN6_MIN)
		return -EINVAL;
	if (is->s.family == AF_INET6 && a->family != AF_INET6)
		return -EAFNOSUPPORT;
	return inet_addr_in(is, a, out);
}

void inet_addr_out(const struct inet_sock *is, const struct inet_ep *ep,
		   struct sock_addr *out)
{
	struct in6_rest *r6 = (void *)out->name;
	struct in_rest *r4 = (void *)out->name;

	*out = (struct sock_addr){ .family = is->s.family };
	out->name[0] = (char)(ep->port >> 8);
	out->name[1] = (char)ep->port;
	if (is->s.family == AF_INET6) {
		out->len = sizeof(*r6);
		memcpy(r6->ip, ep->ip, 16);
		if (has_scope(ep->ip))
			memcpy(r6->scope, &ep->scope, sizeof(ep->scope));
	} else {
		out->len = sizeof(*r4);
		memcpy(r4->ip, ep->ip + 12, 4);
	}
}
