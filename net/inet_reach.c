/* SPDX-License-Identifier: MIT */
/*
 * net/inet_reach.c - where an address is for a socket: in this machine, or behind which
 * interface; and which addresses it may be bound to.
 */
#include <net/inet.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet_opt.h>
#include <net/route/route_int.h>

/* Has an IPv6 address a meaning on one link only? */
static bool is_of_link(const struct inet_ep *ep)
{
	return ip_is_link_local(ep->ip) ||
	       (ep->ip[0] == 0xff && (ep->ip[1] & 15) <= 2);
}

/* The interface that the socket, or the message, names; 0: none. */
static u32 named_dev(const struct inet_sock *is, const struct sock_msg *m,
		     const struct inet_ep *ep)
{
	bool v4 = inet_is_v4(ep);
	u32 dev = load_once(&is->s.bound_dev);

	if (m && m->tx.index)
		return m->tx.index;
	if (dev)
		return dev;
	if (inet_is_multicast(ep))
		return inet_mc_dev(is, v4);
	return load_once(v4 ? &is->unicast_if : &is->unicast_if6);
}

/* What goes to many over the loopback: mcast.c. */
static bool by_loopback(const struct inet_sock *is, const struct inet_ep *ep,
			u32 oif)
{
	bool many = inet_is_multicast(ep) || inet_is_broadcast(ep);

	return many &&
	       (oif == LOOPBACK_INDEX ||
		(!oif &&
		 (!load_once(&is->s.net->wired) || inet_is_loopback(ep) ||
		  (is->ip_fixed && inet_is_loopback(&is->local)))));
}

static int take(const struct inet_sock *is, struct inet_ep *ep,
		const struct route *r, u8 src[16])
{
	if (r->type == ROUTE_BROADCAST && !is->s.broadcast)
		return -EACCES;
	if (r->type == ROUTE_LOCAL && !load_once(&is->s.net->lo_up))
		return -ENETUNREACH;
	ep->scope = r->dev ? (u32)r->dev->index : 0;
	if (src)
		memcpy(src, r->src, 16);
	return 0;
}

int inet_reach(const struct inet_sock *is, const struct sock_msg *m,
	       struct inet_ep *ep, u8 src[16])
{
	u32 oif = ep->scope ?: named_dev(is, m, ep);
	const u8 *from = is->ip_fixed ? is->local.ip : NULL;
	struct route r;
	int err;

	if (by_loopback(is, ep, oif)) {
		ep->scope = 0;
		return inet_flood_target(is, ep);
	}
	/* who connects says which link; what is sent takes the first route */
	if (is_of_link(ep) && !oif && !m)
		return -EINVAL;
	if (m && m->tx.src_set)
		from = m->tx.src;
	if (from && inet_is_v4(ep) != ip_is_v4(from))
		from = NULL;
	if (from && !is->freebind && inet_is_v4(ep) && !ip_is_multicast(from) &&
	    !ip_is_all_ones(from) && !route_is_local(is->s.net, from))
		return -EINVAL; /* it has been taken away, as on Linux */
	err = inet_way(is, ep->ip, from, oif, &r);
	if (!err)
		err = take(is, ep, &r, src);
	route_put(&r);
	return err;
}

void inet_bind_scope(struct inet_sock *is, const struct inet_ep *ep)
{
	if (ep->scope && is_of_link(ep))
		store_once(&is->s.bound_dev, ep->scope);
}

/* Is it that interface's own? */
static bool is_of_dev(const struct inet_sock *is, const struct inet_ep *ep,
		      u32 dev)
{
	struct net_device *d = link_by_index(is->s.net, (s32)dev);
	const struct if_addr *a = NULL;

	if (!d)
		return false;
	spin_lock(&route_lock);
	a = addr_find_locked(d, ep->ip);
	if (a && !addr_is_usable(a))
		a = NULL;
	spin_unlock(&route_lock);
	netdev_put(d);
	return a;
}

int inet_check_bind(const struct inet_sock *is, const struct inet_ep *ep,
		    u32 *dev)
{
	u32 bound = load_once(&is->s.bound_dev);

	if (is_of_link(ep)) {
		u32 scope = ep->scope ?: bound;

		if (!scope || (bound && scope != bound))
			return -EINVAL;
		*dev = scope;
		if (inet_is_multicast(ep) || is->freebind ||
		    is_of_dev(is, ep, scope))
			return 0;
		return -EADDRNOTAVAIL;
	}
	return is->freebind || inet_may_have(is->s.net, ep) ? 0
							    : -EADDRNOTAVAIL;
}

int inet_way(const struct inet_sock *is, const u8 dst[16], const u8 *src,
	     u32 oif, struct route *r)
{
	struct route_query q = {
		.dst = dst, .src = src, .oif = oif, .mark = is->s.mark
	};

	return route_find(is->s.net, &q, r);
}

u32 inet_mtu(const struct inet_sock *is)
{
	struct inet_ep ep = is->remote;
	u32 mtu = LOOPBACK_MTU;
	struct route r;

	if (inet_is_loopback(&ep))
		return mtu;
	if (!inet_way(is, ep.ip, is->local.ip,
		      ep.scope ?: named_dev(is, NULL, &ep), &r))
		mtu = r.mtu;
	route_put(&r);
	return mtu;
}
