/* SPDX-License-Identifier: MIT */
/*
 * net/route/fib.c - tables of routes.
 *
 * All routes of a family are on one list, in the order in which they are shown and would be
 * tried: table (local, main, default, and others), the longest prefix, the least metric.  A
 * look-up does not go over it, but asks the tables' index (table.c).
 *
 * Locking: rtnl_mutex for who changes, route_lock for who looks.
 */
#include <net/route/route_int.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

#define ROUTES_MAX 65536u /* of a namespace */

static struct list_head *list_of(struct route_ns *rn, u16 family)
{
	return &rn->fib[family != AF_INET];
}

static u32 rank_of(u32 table)
{
	switch (table) {
	case RT_TABLE_LOCAL:
		return 0;
	case RT_TABLE_MAIN:
		return 1;
	case RT_TABLE_DEFAULT:
		return 2;
	default:
		return 3;
	}
}

/* Below 0: @a is tried before @b. */
static s64 order(const struct fib_route *a, const struct fib_route *b)
{
	if (rank_of(a->table) != rank_of(b->table))
		return (s64)rank_of(a->table) - rank_of(b->table);
	if (a->table != b->table)
		return (s64)a->table - b->table;
	if (a->dst_len != b->dst_len)
		return (s64)b->dst_len - a->dst_len;
	return (s64)a->metric - b->metric;
}

/* The same way to the same place? */
static bool same_key(const struct fib_route *a, const struct fib_route *b)
{
	return !order(a, b) && a->table == b->table && a->tos == b->tos &&
	       ip_same(a->dst, b->dst);
}

static bool same(const struct fib_route *a, const struct fib_route *b)
{
	return same_key(a, b) && a->type == b->type && a->dev == b->dev &&
	       a->has_via == b->has_via && a->scope == b->scope &&
	       (!a->has_via || ip_same(a->via, b->via)) &&
	       ip_same(a->prefsrc, b->prefsrc);
}

static void free_route(struct fib_route *r)
{
	netdev_put(r->dev);
	kfree(r);
}

/* --- what is told of them */

const struct route_listener *route_listener;

static void told(struct net_ns *net, const struct fib_route *r, bool gone)
{
	route_changed(net);
	if (route_listener && route_listener->route)
		route_listener->route(net, r, gone);
}

/* --- changes; rtnl_mutex held */

/* Before @before, or behind those that come before it, or are like it: most are added
 * to the end of their kind. */
static void insert_locked(struct route_ns *rn, struct fib_route *r,
			  struct fib_route *before)
{
	struct fib_route *o;
	struct list_head *head = list_of(rn, r->family);

	if (before) {
		list_add_tail(&r->node, &before->node);
	} else {
		list_for_each_entry_reverse(o, head, node) {
			if (order(r, o) >= 0)
				break;
		}
		list_add(&r->node, &o->node);
	}
	fib_index_add(rn, r, before);
	rn->nr_routes++;
}

static struct fib_route *copy_of(const struct fib_route *r)
{
	struct fib_route *c = kmemdup(r, sizeof(*r));

	if (!c)
		return NULL;
	list_init(&c->node);
	list_init(&c->hash);
	if (c->dev)
		netdev_get(c->dev);
	return c;
}

static int insert(struct net_ns *net, struct route_ns *rn,
		  const struct fib_route *r, struct fib_route *before)
{
	int err = fib_index_grow(rn, r);
	struct fib_route *c = err ? NULL : copy_of(r);

	if (!c)
		return -ENOMEM;
	spin_lock(&route_lock);
	insert_locked(rn, c, before);
	spin_unlock(&route_lock);
	told(net, c, false);
	return 0;
}

static void remove(struct net_ns *net, struct route_ns *rn, struct fib_route *r)
{
	spin_lock(&route_lock);
	list_del(&r->node);
	fib_index_del(rn, r);
	rn->nr_routes--;
	spin_unlock(&route_lock);
	told(net, r, true);
	free_route(r);
}

int fib_put(struct net_ns *net, const struct fib_route *r)
{
	struct route_ns *rn = route_ns_make(net);

	if (!rn)
		return -ENOMEM;
	if (fib_find_like(rn, r, same))
		return -EEXIST;
	return insert(net, rn, r, NULL);
}

void fib_take(struct net_ns *net, const struct fib_route *like)
{
	struct route_ns *rn = route_ns(net);
	struct fib_route *r = rn ? fib_find_like(rn, like, same) : NULL;

	if (r)
		remove(net, rn, r);
}

void fib_flush(struct net_device *dev, u16 family)
{
	struct route_ns *rn = route_ns(dev->net);
	struct fib_route *r, *next;

	for (u32 six = 0; rn && six < 2; six++) {
		if (family && six != (family != AF_INET))
			continue;
		list_for_each_entry_safe(r, next, &rn->fib[six], node) {
			if (r->dev == dev)
				remove(dev->net, rn, r);
		}
	}
}

/* --- users' routes */

static bool needs_dev(u8 type)
{
	return type != ROUTE_BLACKHOLE && type != ROUTE_UNREACHABLE &&
	       type != ROUTE_PROHIBIT;
}

static void no_gateway(const struct fib_route *r)
{
	if (r->family == AF_INET)
		rtnl_say("Nexthop has invalid gateway");
}

/* The gateway must be on a link; says which.  0 and r->dev borrowed, or -errno. */
static int check_gateway(struct net_ns *net, struct fib_route *r)
{
	struct route way;
	int err;

	if (r->flags & RTNH_F_ONLINK)
		return r->dev ? 0 : -ENODEV;
	if (r->family == AF_INET6 && ip_is_link_local(r->via))
		return r->dev ? 0 : -EINVAL;
	err = route_lookup(net, r->via, NULL, r->dev ? (u32)r->dev->index : 0,
			   &way);
	if (err) {
		no_gateway(r);
		return r->family == AF_INET ? -ENETUNREACH : -EHOSTUNREACH;
	}
	if (way.type != ROUTE_UNICAST || !ip_same(way.next, r->via))
		err = r->family == AF_INET ? -ENETUNREACH : -EHOSTUNREACH;
	if (way.type == ROUTE_LOCAL)
		err = -EINVAL;
	if (err)
		no_gateway(r);
	if (!err && !r->dev)
		r->dev =
			way.dev; /* has references of its own: a route is by it */
	route_put(&way);
	return err;
}

static int check(struct net_ns *net, struct fib_route *r)
{
	u32 max_len = r->family == AF_INET ? 32 : 128;
	u8 cut[16];
	int err = 0;

	if (r->dst_len > max_len)
		return -EINVAL;
	memcpy(cut, r->dst, 16);
	ip_cut_prefix(cut, ip_bits(r->family, r->dst_len));
	if (!ip_same(cut, r->dst) && r->family == AF_INET) {
		rtnl_say("Invalid prefix for given prefix length");
		return -EINVAL;
	}
	memcpy(r->dst, cut, 16);
	if (r->family == AF_INET6 && !r->metric)
		r->metric = METRIC6_USER;
	if (!r->table)
		r->table = RT_TABLE_MAIN;
	if (!needs_dev(r->type)) {
		r->dev = NULL;
		return 0;
	}
	if (r->dev && !(load_once(&r->dev->flags) & IFF_UP)) {
		if (r->family == AF_INET && !r->has_via)
			rtnl_say("Device for nexthop is not up");
		return -ENETDOWN;
	}
	if (r->has_via)
		err = check_gateway(net, r);
	else if (!r->dev)
		err = -ENODEV;
	if (!err && !ip_is_any(r->prefsrc) && !route_is_local(net, r->prefsrc))
		err = -EINVAL;
	return err;
}

int fib_add(struct net_ns *net, const struct fib_route *given, u32 nlm)
{
	struct route_ns *rn = route_ns_make(net);
	struct fib_route r = *given, *o;
	int err;

	if (!rn)
		return -ENOMEM;
	err = check(net, &r);
	if (err)
		return err;
	if (rn->nr_routes >= ROUTES_MAX)
		return -ENOMEM;
	o = fib_find_like(rn, &r, same_key);
	if (!o)
		return nlm & NLM_F_CREATE ? insert(net, rn, &r, NULL) : -ENOENT;
	if (nlm & NLM_F_EXCL)
		return -EEXIST;
	if (nlm & NLM_F_REPLACE) {
		err = insert(net, rn, &r, o);
		if (!err)
			remove(net, rn, o);
		return err;
	}
	if (fib_find_like(rn, &r, same))
		return -EEXIST;
	return insert(net, rn, &r,
		      !(nlm & NLM_F_APPEND) && r.family == AF_INET ? o : NULL);
}

/* Is @r what the request @like means? */
static bool meant(const struct fib_route *r, const struct fib_route *like)
{
	return (!like->tos || r->tos == like->tos) &&
	       (!like->metric || r->metric == like->metric) &&
	       (!like->type || r->type == like->type) &&
	       (like->scope == RT_SCOPE_NOWHERE || !like->scope ||
		r->scope == like->scope) &&
	       (!like->protocol || r->protocol == like->protocol) &&
	       (!like->dev || r->dev == like->dev) &&
	       (!like->has_via || (r->has_via && ip_same(r->via, like->via))) &&
	       (ip_is_any(like->prefsrc) || ip_same(r->prefsrc, like->prefsrc));
}

int fib_del(struct net_ns *net, const struct fib_route *given)
{
	struct route_ns *rn = route_ns(net);
	struct fib_route like = *given, *r;

	like.table = like.table ?: RT_TABLE_MAIN;
	ip_cut_prefix(like.dst, ip_bits(like.family, like.dst_len));
	r = rn ? fib_find_like(rn, &like, meant) : NULL;
	if (!r)
		return -ESRCH;
	remove(net, rn, r);
	return 0;
}

void fib_for_each(struct net_ns *net,
		  void (*fn)(const struct fib_route *r, void *arg), void *arg)
{
	struct route_ns *rn = route_ns(net);
	struct fib_route *r;

	for (u32 six = 0; rn && six < 2; six++) {
		list_for_each_entry(r, &rn->fib[six], node)
			fn(r, arg);
	}
}

/* --- looking; route_lock held */

enum route_type route_input_type(const struct net_ns *net, const u8 dst[16])
{
	const struct route_ns *rn = route_ns(net);
	const struct fib_route *r;
	enum route_type t;

	if (ip_is_multicast(dst))
		return ROUTE_MULTICAST;
	if (ip_is_all_ones(dst))
		return ROUTE_BROADCAST;
	if (!rn)
		return 0;
	spin_lock(&route_lock);
	r = fib_find_in(rn, RT_TABLE_LOCAL, dst, 0);
	t = r ? r->type : 0;
	spin_unlock(&route_lock);
	return t;
}
