/* SPDX-License-Identifier: MIT */
/*
 * net/route/lookup.c - where does it go, and what is it sent from?
 */
#include <net/route/route_int.h>

#include <lib/errno.h>

void route_put(struct route *r)
{
	netdev_put(r->dev);
	r->dev = NULL;
}

bool route_is_local(const struct net_ns *net, const u8 ip[16])
{
	if (ip_is_loopback(ip))
		return true;
	return load_once(&net->wired) &&
	       route_input_type(net, ip) == ROUTE_LOCAL;
}

static int error_of(u8 type)
{
	switch (type) {
	case ROUTE_BLACKHOLE:
		return -EINVAL;
	case ROUTE_PROHIBIT:
		return -EACCES;
	case ROUTE_UNREACHABLE:
		return -EHOSTUNREACH;
	default:
		return 0;
	}
}

/* What is sent from; route_lock held.  @scope: of IPv4's route. */
static void choose_source(const struct route_query *q,
			  const struct route_ns *rn, const struct fib_route *f,
			  u32 scope, struct route *r)
{
	bool given = q->src && !ip_is_any(q->src);

	if (given)
		memcpy(r->src, q->src, 16);
	else if (r->type == ROUTE_LOCAL)
		memcpy(r->src, q->dst, 16);
	else if (f && !ip_is_any(f->prefsrc))
		memcpy(r->src, f->prefsrc, 16);
	else if (ip_is_v4(q->dst))
		(void)source_select4(rn, r->dev, r->next, scope, r->src);
	else
		(void)source_select6(rn, r->dev, q->dst, r->src);
}

/* By @f; route_lock held. */
static int take_route(const struct route_query *q, const struct route_ns *rn,
		      const struct fib_route *f, struct route *r)
{
	int err = error_of(f->type);
	u32 path;

	if (err)
		return err;
	r->type = f->type;
	memcpy(r->next, f->has_via ? f->via : q->dst, 16);
	r->hop_limit = f->hop_limit;
	r->mtu = LOOPBACK_MTU;
	if (f->type != ROUTE_LOCAL && f->dev) {
		r->dev = netdev_get(f->dev);
		r->mtu = f->mtu ?: load_once(&f->dev->mtu);
		path = path_mtu_locked(rn, q->dst);
		if (path && path < r->mtu)
			r->mtu = path;
	}
	choose_source(q, rn, f, f->scope, r);
	return 0;
}

/* Straight onto the link of @dev, of which a reference is taken over; route_lock held. */
static void take_link(const struct route_query *q, const struct route_ns *rn,
		      struct net_device *dev, enum route_type type,
		      struct route *r)
{
	r->type = type;
	r->dev = dev;
	memcpy(r->next, q->dst, 16);
	r->mtu = load_once(&dev->mtu);
	r->hop_limit = 0;
	choose_source(q, rn, NULL, RT_SCOPE_LINK, r);
}

/* Whose address is @src?  With a reference, or NULL; route_lock held. */
static struct net_device *dev_of_locked(const struct route_ns *rn,
					const u8 *src)
{
	const struct if_addr *a;

	if (!src || ip_is_any(src))
		return NULL;
	list_for_each_entry(a, &rn->addrs, node) {
		if (ip_same(a->ip, src))
			return netdev_get(a->dev);
	}
	return NULL;
}

/* The interface on whose link @q goes out though no route says so: as asked for, of the
 * sender's address (groups), or where the route of IPv4 leads; route_lock held. */
static struct net_device *many_dev(const struct route_query *q,
				   const struct route_ns *rn,
				   struct net_device *by_index)
{
	const struct fib_route *f;
	struct net_device *dev =
		by_index ? netdev_get(by_index) : dev_of_locked(rn, q->src);

	if (dev)
		return dev;
	f = rule_find_locked(rn, q); /* q->oif is 0 */
	return f && f->dev && !error_of(f->type) ? netdev_get(f->dev) : NULL;
}

/* To a group or to all of a link; route_lock held. */
static int to_many(const struct route_query *q, const struct route_ns *rn,
		   struct net_device *by_index, struct route *r)
{
	struct net_device *dev = many_dev(q, rn, by_index);

	if (!dev)
		return -ENETUNREACH;
	take_link(q, rn, dev,
		  ip_is_multicast(q->dst) ? ROUTE_MULTICAST : ROUTE_BROADCAST,
		  r);
	return 0;
}

static int find(const struct route_query *q, const struct route_ns *rn,
		struct net_device *by_index, struct route *r)
{
	const struct fib_route *f;

	if (ip_is_multicast(q->dst) || ip_is_all_ones(q->dst))
		return to_many(q, rn, by_index, r);
	f = rule_find_locked(rn, q);
	if (f)
		return take_route(q, rn, f, r);
	if (!by_index || !ip_is_v4(q->dst))
		return -ENETUNREACH;
	/* as Linux: who names the interface means its link */
	take_link(q, rn, netdev_get(by_index), ROUTE_UNICAST, r);
	return 0;
}

int route_find(struct net_ns *net, const struct route_query *asked,
	       struct route *r)
{
	struct route_query q = *asked;
	const struct route_ns *rn = route_ns(net);
	struct net_device *by_index;
	int err;

	memset(r, 0, sizeof(*r));
	if (ip_is_loopback(q.dst) && (!q.oif || q.oif == LOOPBACK_INDEX)) {
		r->type = ROUTE_LOCAL;
		r->mtu = LOOPBACK_MTU;
		memcpy(r->src, q.src && !ip_is_any(q.src) ? q.src : q.dst, 16);
		memcpy(r->next, q.dst, 16);
		return 0;
	}
	if (!rn)
		return -ENETUNREACH;
	by_index = q.oif ? link_by_index(net, (s32)q.oif) : NULL;
	if (q.oif && !by_index)
		return -ENODEV;
	q.out = by_index;
	if (by_index && !(load_once(&by_index->flags) & IFF_UP))
		err = -ENETUNREACH;
	else {
		spin_lock(&route_lock);
		err = find(&q, rn, by_index, r);
		spin_unlock(&route_lock);
	}
	netdev_put(by_index);
	if (!err && r->dev && !(load_once(&r->dev->flags) & IFF_UP))
		err = -ENETUNREACH;
	if (err)
		route_put(r);
	return err;
}

int route_lookup(struct net_ns *net, const u8 dst[16], const u8 *src, u32 oif,
		 struct route *r)
{
	struct route_query q = { .dst = dst, .src = src, .oif = oif };

	return route_find(net, &q, r);
}
