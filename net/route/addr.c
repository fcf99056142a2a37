/* SPDX-License-Identifier: MIT */
/*
 * net/route/addr.c - addresses of interfaces, and the routes that they bring.
 *
 * An address brings a route to itself (table local), one to its network (main; local, if it
 * is the loopback's) and, of IPv4, ones to its network's broadcast addresses.  Routes are
 * made again for those addresses that remain when one goes: two may have made the same.
 *
 * Locking: rtnl_mutex for who changes, route_lock for who looks.
 *
 * ORDERING
 *   ROUTENS  a namespace's struct route_ns complete before it is seen
 */
#include <net/route/group.h>
#include <net/route/ip6.h>
#include <net/route/route_int.h>
#include <net/route/rule.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define ADDRS_MAX 4096u /* of a namespace */

struct spinlock route_lock = SPINLOCK_INIT("route", RANK_NET);

struct route_ns *route_ns_make(struct net_ns *net)
{
	struct route_ns *rn = route_ns(net);

	if (rn)
		return rn;
	KASSERT(mutex_held(&rtnl_mutex));
	rn = kzalloc(sizeof(*rn));
	if (!rn)
		return NULL;
	list_init(&rn->addrs);
	list_init(&rn->fib[0]);
	list_init(&rn->fib[1]);
	list_init(&rn->rules[0]);
	list_init(&rn->rules[1]);
	list_init(&rn->tables);
	list_init(&rn->paths);
	list_init(&rn->groups);
	/* ROUTENS (release) - pairs with route_ns(). */
	store_release(&net->route, rn);
	return rn;
}

void route_net_end(struct net_ns *net)
{
	struct route_ns *rn = net->route;

	if (!rn)
		return;
	path_free_all(rn);
	while (!list_empty(&rn->addrs)) {
		struct if_addr *a =
			list_first_entry(&rn->addrs, struct if_addr, node);

		list_del(&a->node);
		netdev_put(a->dev);
		kfree(a);
	}
	for (u32 i = 0; i < 2; i++) {
		while (!list_empty(&rn->fib[i])) {
			struct fib_route *r = list_first_entry(
				&rn->fib[i], struct fib_route, node);

			list_del(&r->node);
			netdev_put(r->dev);
			kfree(r);
		}
	}
	rule_free_all(rn);
	fib_index_free(rn);
	net->route = NULL;
	kfree(rn);
}

void route_changed(struct net_ns *net)
{
	atomic_inc(&net->route_gen);
}

u32 route_generation(const struct net_ns *net)
{
	return load_once(&net->route_gen);
}

/* --- which routes */

void addr_prefix_ip(const struct if_addr *a, u8 ip[16])
{
	memcpy(ip, ip_is_any(a->peer) ? a->ip : a->peer, 16);
}

static struct fib_route route_of(const struct if_addr *a, u8 type, u8 scope,
				 u32 table)
{
	struct fib_route r = {
		.family = a->family,
		.type = type,
		.scope = scope,
		.table = table,
		.protocol = RTPROT_KERNEL,
		.dev = a->dev,
		.dst_len = a->family == AF_INET ? 32 : 128,
	};

	if (a->family == AF_INET)
		memcpy(r.prefsrc, a->ip, 16);
	return r;
}

static void each_broadcast(const struct if_addr *a,
			   void (*fn)(struct net_ns *net,
				      const struct fib_route *r))
{
	struct fib_route r =
		route_of(a, ROUTE_BROADCAST, RT_SCOPE_LINK, RT_TABLE_LOCAL);
	u8 mask[16];

	if (!ip_is_any(a->broadcast) && !ip_is_all_ones(a->broadcast)) {
		memcpy(r.dst, a->broadcast, 16);
		fn(a->dev->net, &r);
	}
	if (a->prefix >= 31)
		return;
	memset(mask, 0xff, 16);
	ip_cut_prefix(mask, a->prefix + 96u);
	addr_prefix_ip(a, r.dst);
	for (u32 i = 12; i < 16; i++)
		r.dst[i] |= (u8)~mask[i];
	if (!ip_same(r.dst, a->broadcast))
		fn(a->dev->net, &r);
}

static void network_route(const struct if_addr *a,
			  void (*fn)(struct net_ns *net,
				     const struct fib_route *r))
{
	bool v4 = a->family == AF_INET;
	bool lo = v4 && (load_once(&a->dev->flags) & IFF_LOOPBACK);
	struct fib_route r = route_of(a, lo ? ROUTE_LOCAL : ROUTE_UNICAST,
				      lo   ? RT_SCOPE_HOST
				      : v4 ? RT_SCOPE_LINK
					   : RT_SCOPE_UNIVERSE,
				      lo ? RT_TABLE_LOCAL : RT_TABLE_MAIN);

	r.dst_len = a->prefix;
	r.metric = a->metric ?: v4 ? 0 : METRIC6_KERNEL;
	addr_prefix_ip(a, r.dst);
	if ((v4 ? a->prefix == 32 : a->prefix == 128) && ip_same(r.dst, a->ip))
		return;
	ip_cut_prefix(r.dst, ip_bits(a->family, a->prefix));
	fn(a->dev->net, &r);
}

/* @fn with each route of @a. */
static void each_route(const struct if_addr *a,
		       void (*fn)(struct net_ns *net,
				  const struct fib_route *r))
{
	struct fib_route r = route_of(a, ROUTE_LOCAL,
				      a->family == AF_INET ? RT_SCOPE_HOST
							   : RT_SCOPE_UNIVERSE,
				      RT_TABLE_LOCAL);

	memcpy(r.dst, a->ip, 16);
	fn(a->dev->net, &r);
	if (!(load_once(&a->dev->flags) & IFF_UP))
		return;
	if (a->family == AF_INET)
		each_broadcast(a, fn);
	if (!(a->flags & (IFA_F_NOPREFIXROUTE | IFA_F_SECONDARY)))
		network_route(a, fn);
}

static void put(struct net_ns *net, const struct fib_route *r)
{
	(void)fib_put(net, r); /* another one may have made it */
}

/* The routes of all that @dev has. */
static void restore_routes(struct net_device *dev, u16 family)
{
	struct route_ns *rn = route_ns(dev->net);
	struct if_addr *a;

	if (!rn)
		return;
	list_for_each_entry(a, &rn->addrs, node) {
		if (a->dev == dev && (!family || a->family == family))
			each_route(a, put);
	}
}

/* --- changes; rtnl_mutex held */

static void settle(struct net_ns *net, struct route_ns *rn)
{
	const struct if_addr *a;
	const struct fib_route *r;
	bool wired = false;

	list_for_each_entry(a, &rn->addrs, node)
		wired |= !ip_is_loopback(a->ip);
	for (u32 i = 0; i < 2; i++) {
		list_for_each_entry(r, &rn->fib[i], node)
			wired |= !ip_is_loopback(r->dst);
	}
	store_once(&net->wired, wired);
	route_changed(net);
}

static void tell(const struct if_addr *a, bool gone)
{
	if (route_listener && route_listener->addr)
		route_listener->addr(a->dev->net, a, gone);
}

static bool same_network(const struct if_addr *a, const struct if_addr *b)
{
	u8 x[16], y[16];

	addr_prefix_ip(a, x);
	addr_prefix_ip(b, y);
	return a->dev == b->dev && a->family == AF_INET &&
	       b->family == AF_INET && a->prefix == b->prefix &&
	       ip_same_prefix(x, y, a->prefix + 96u);
}

static int check(const struct route_ns *rn, const struct if_addr *a, u32 *flags)
{
	u32 nr = 0, max_len = a->family == AF_INET ? 32 : 128;
	const struct if_addr *o;

	if (a->prefix > max_len)
		return -EINVAL;
	if (a->family != AF_INET && ip_is_multicast(a->ip))
		return -EINVAL;
	if (a->family != AF_INET && net_conf(a->dev, CONF6_DISABLE)) {
		rtnl_say("IPv6: IPv6 is disabled on this device");
		return -EACCES;
	}
	list_for_each_entry(o, &rn->addrs, node) {
		nr++;
		if (same_network(o, a) && !(o->flags & IFA_F_SECONDARY))
			*flags |= IFA_F_SECONDARY;
		if (o->dev == a->dev && o->family == a->family &&
		    ip_same(o->ip, a->ip) &&
		    (a->family != AF_INET || o->prefix == a->prefix)) {
			rtnl_say(a->family == AF_INET
					 ? "ipv4: Address already assigned"
					 : "IPv6: address already assigned");
			return -EEXIST;
		}
	}
	return nr < ADDRS_MAX ? 0 : -ENOMEM;
}

/* Of IPv6 the widest scope and the newest come first; of IPv4 the oldest. */
static void insert_locked(struct route_ns *rn, struct if_addr *a)
{
	struct if_addr *o;

	list_for_each_entry(o, &rn->addrs, node) {
		if (a->family != AF_INET && o->dev == a->dev &&
		    o->family == a->family && o->scope >= a->scope)
			break;
	}
	list_add_tail(&a->node, &o->node);
}

int if_addr_add(const struct if_addr *given)
{
	struct net_ns *net = given->dev->net;
	struct route_ns *rn = route_ns_make(net);
	u32 flags = given->flags & ~(u32)IFA_F_SECONDARY;
	struct if_addr *a;
	int err = rn ? check(rn, given, &flags) : -ENOMEM;

	if (err)
		return err;
	a = kmemdup(given, sizeof(*a));
	if (!a)
		return -ENOMEM;
	list_init(&a->node);
	netdev_get(a->dev);
	if (a->valid_until == ~0ull)
		flags |= IFA_F_PERMANENT;
	a->flags = flags;
	a->made = a->changed = clock_mono_ns();
	if (a->family == AF_INET && !a->label[0])
		memcpy(a->label, a->dev->name, sizeof(a->label));
	if (a->family == AF_INET6)
		ip6_addr_begin(a);
	spin_lock(&route_lock);
	insert_locked(rn, a);
	spin_unlock(&route_lock);
	tell(a, false); /* before its routes, as on Linux */
	each_route(a, put);
	settle(net, rn);
	if (a->family == AF_INET6)
		ip6_addr_added(a);
	return 0;
}

int if_addr_renew(const struct if_addr *given)
{
	struct route_ns *rn = route_ns(given->dev->net);
	const u32 kept = IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED;
	struct if_addr *a;

	spin_lock(&route_lock);
	a = rn ? addr_find_locked(given->dev, given->ip) : NULL;
	spin_unlock(&route_lock);
	if (!a || a->prefix != given->prefix)
		return -EADDRNOTAVAIL;
	a->valid_until = given->valid_until;
	a->preferred_until = given->preferred_until;
	a->changed = clock_mono_ns();
	store_once(&a->flags,
		   (a->flags & kept) | (given->flags & ~kept) |
			   (given->valid_until == ~0ull ? IFA_F_PERMANENT : 0));
	tell(a, false);
	return 0;
}

static bool has_addr(const struct net_device *dev, u16 family)
{
	const struct route_ns *rn = route_ns(dev->net);
	const struct if_addr *a;

	list_for_each_entry(a, &rn->addrs, node) {
		if (a->dev == dev && a->family == family)
			return true;
	}
	return false;
}

void addr_drop(struct if_addr *a)
{
	struct net_device *dev = a->dev;

	KASSERT(mutex_held(&rtnl_mutex));
	spin_lock(&route_lock);
	list_del(&a->node);
	spin_unlock(&route_lock);
	if (a->family == AF_INET6)
		ip6_addr_gone(a);
	tell(a, true);
	each_route(a, fib_take);
	settle(dev->net, dev->net->route);
	restore_routes(dev, a->family);
	if (a->family == AF_INET && !has_addr(dev, AF_INET))
		fib_flush(dev, AF_INET); /* as on Linux: none is of use now */
	netdev_put(dev);
	kfree(a);
}

/* Those that lived in the network of @a, which is no more, go with it. */
static void drop_secondaries(struct route_ns *rn, const struct if_addr *a)
{
	struct if_addr *o, *next;

	list_for_each_entry_safe(o, next, &rn->addrs, node) {
		if (o != a && (o->flags & IFA_F_SECONDARY) &&
		    same_network(o, a))
			addr_drop(o);
	}
}

int if_addr_del(struct net_device *dev, u16 family, const u8 ip[16], int prefix)
{
	struct route_ns *rn = route_ns(dev->net);
	struct if_addr *a;

	if (!rn)
		return -EADDRNOTAVAIL;
	list_for_each_entry(a, &rn->addrs, node) {
		if (a->dev != dev || a->family != family ||
		    !ip_same(a->ip, ip) || (prefix >= 0 && a->prefix != prefix))
			continue;
		if (family == AF_INET && !(a->flags & IFA_F_SECONDARY))
			drop_secondaries(rn, a);
		addr_drop(a);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

void if_addr_for_each(struct net_ns *net,
		      void (*fn)(const struct if_addr *a, void *arg), void *arg)
{
	struct route_ns *rn = route_ns(net);
	struct if_addr *a;

	if (!rn)
		return;
	list_for_each_entry(a, &rn->addrs, node)
		fn(a, arg);
}

struct if_addr *addr_find_locked(const struct net_device *dev, const u8 ip[16])
{
	const struct route_ns *rn = route_ns(dev->net);
	struct if_addr *a;

	assert_held(&route_lock);
	if (!rn)
		return NULL;
	list_for_each_entry(a, &rn->addrs, node) {
		if (a->dev == dev && ip_same(a->ip, ip))
			return a;
	}
	return NULL;
}

u32 route_dev_of(const struct net_ns *net, const u8 ip[16])
{
	const struct route_ns *rn = route_ns(net);
	const struct if_addr *a;
	u32 index = 0;

	if (!rn)
		return 0;
	spin_lock(&route_lock);
	list_for_each_entry(a, &rn->addrs, node) {
		if (ip_same(a->ip, ip)) {
			index = (u32)a->dev->index;
			break;
		}
	}
	spin_unlock(&route_lock);
	return index;
}

bool addr_is_usable(const struct if_addr *a)
{
	return !(load_once(&a->flags) & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

/* --- interfaces come and go; rtnl_mutex held */

/* The loopback's own addresses come when it goes up. */
static void loopback_up(struct net_device *dev)
{
	static const u8 lo4[4] = { 127, 0, 0, 1 };
	struct if_addr a = {
		.dev = dev,
		.family = AF_INET,
		.prefix = 8,
		.scope = RT_SCOPE_HOST,
		.valid_until = ~0ull,
		.preferred_until = ~0ull,
	};

	ip_set_v4(a.ip, lo4);
	ip_set_v4(a.peer, lo4);
	(void)if_addr_add(&a);
	a.family = AF_INET6;
	a.prefix = 128;
	memset(a.peer, 0, 16);
	memset(a.ip, 0, 16);
	a.ip[15] = 1;
	(void)if_addr_add(&a);
}

/* IPv6's go, IPv4's stay where they are, as on Linux. */
static void drop_addrs(struct net_device *dev, u16 family)
{
	struct route_ns *rn = route_ns(dev->net);
	struct if_addr *a, *next;

	if (!rn)
		return;
	list_for_each_entry_safe(a, next, &rn->addrs, node) {
		if (a->dev == dev && (!family || a->family == family))
			addr_drop(a);
	}
}

void route_ip6_switch(struct net_device *dev, bool on)
{
	struct route_ns *rn = route_ns_make(dev->net);
	bool lo = load_once(&dev->flags) & IFF_LOOPBACK;

	if (!rn || (on && !(load_once(&dev->flags) & IFF_UP)))
		return;
	if (on && lo) {
		loopback_up(dev);
	} else if (on) {
		ip6_link_up(dev);
		group_report_all(dev, false);
	} else {
		if (!lo)
			ip6_link_down(dev);
		drop_addrs(dev, AF_INET6);
		fib_flush(dev, AF_INET6);
		neigh_flush(dev);
	}
	settle(dev->net, rn);
}

void route_link_changed(struct net_device *dev, bool up)
{
	struct route_ns *rn = route_ns_make(dev->net);

	if (!rn)
		return;
	if (up && (load_once(&dev->flags) & IFF_LOOPBACK)) {
		loopback_up(dev);
	} else if (up) {
		ip6_link_up(dev);
	} else {
		ip6_link_down(dev);
		drop_addrs(dev, AF_INET6);
		fib_flush(dev, 0);
		neigh_flush(dev);
	}
	if (up)
		restore_routes(dev, 0);
	if (up && !(load_once(&dev->flags) & IFF_LOOPBACK)) {
		group_report_all(dev, true);
		group_report_all(dev, false);
	}
	settle(dev->net, rn);
}

void route_link_gone(struct net_device *dev)
{
	ip6_link_down(dev);
	drop_addrs(dev, 0);
	fib_flush(dev, 0);
	neigh_flush(dev);
	group_flush(dev);
	if (route_ns(dev->net))
		settle(dev->net, route_ns(dev->net));
}
