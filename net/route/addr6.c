/* SPDX-License-Identifier: MIT */
/*
 * net/route/addr6.c - the life of IPv6 addresses [RFC 4862]: an interface that goes up gives
 * itself one of its link; each is asked for before it is used, and ends when its time is
 * over.
 *
 * One timer looks after all of it; what is to be done is done in "netcfg".
 *
 * Locking: rtnl_mutex.
 */
#include <net/route/ip6.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <net/link/work.h>
#include <net/route/group.h>
#include <net/route/route_int.h>

#define DAD_NS	   NSEC_PER_SEC /* one question, as Linux */
#define SOLICITS   3u
#define SOLICIT_NS (4 * NSEC_PER_SEC)
#define CARRIER_NS \
	(NSEC_PER_SEC / 4) /* looked at so often while there is none */
#define MTU_MIN 1280u

/* An interface that is up and speaks IPv6. */
struct dev6 {
	struct list_head node;
	struct net_device *dev; /* owned */
	u32 solicits;		/* of routers, still to be made */
	u64 solicit_at;
};

static struct list_head devs = LIST_HEAD_INIT(devs); /* [rtnl_mutex] */
static struct ktimer timer;
static struct net_work work;
static u64 timer_at = WAIT_FOREVER; /* [route_lock] */

static void timer_fires(struct ktimer *t __unused)
{
	net_cfg_queue(&work);
}

void ip6_wants_time(u64 when)
{
	spin_lock(&route_lock);
	if (when < timer_at) {
		timer_at = when;
		ktimer_arm(&timer, when);
	}
	spin_unlock(&route_lock);
}

void ip6_solicited(const u8 ip[16], u8 group[16])
{
	static const u8 head[13] = { 0xff, 2, [11] = 1, [12] = 0xff };

	memcpy(group, head, sizeof(head));
	memcpy(group + 13, ip + 13, 3);
}

/* EUI-64 of its Ethernet address [RFC 4291 A]; at random, if it has none. */
void ip6_interface_id(const struct net_device *dev, u8 id[8])
{
	if (dev->type != ARPHRD_ETHER) {
		random_bytes(id, 8);
		return;
	}
	memcpy(id, dev->mac, 3);
	id[0] ^= 2;
	id[3] = 0xff;
	id[4] = 0xfe;
	memcpy(id + 5, dev->mac + 3, 3);
}

/* --- addresses */

static bool has_neighbours(const struct net_device *dev)
{
	return !(load_once(&dev->flags) & (IFF_NOARP | IFF_LOOPBACK)) &&
	       dev->type == ARPHRD_ETHER;
}

void ip6_addr_begin(struct if_addr *a)
{
	a->dad_at = 0;
	if (has_neighbours(a->dev) && !(a->flags & IFA_F_NODAD))
		a->flags |= IFA_F_TENTATIVE;
}

static void begin_dad(struct if_addr *a)
{
	if (!(a->flags & IFA_F_TENTATIVE) ||
	    !(load_once(&a->dev->flags) & IFF_UP))
		return;
	a->dad_sent = load_once(&a->dev->carrier);
	if (a->dad_sent)
		ndp_probe(a->dev, a->ip);
	a->dad_at = clock_mono_ns() + (a->dad_sent ? DAD_NS : CARRIER_NS);
	ip6_wants_time(a->dad_at);
}

void ip6_addr_added(struct if_addr *a)
{
	u8 group[16];

	if (has_neighbours(a->dev)) {
		ip6_solicited(a->ip, group);
		(void)group_join(a->dev, group);
	}
	begin_dad(a);
	ip6_wants_time(min(a->valid_until, a->preferred_until));
}

void ip6_addr_gone(struct if_addr *a)
{
	u8 group[16];

	if (!has_neighbours(a->dev))
		return;
	ip6_solicited(a->ip, group);
	group_leave(a->dev, group);
}

/* --- interfaces */

static const u8 all_nodes_mac[ETH_ALEN] = { 0x33, 0x33, 0, 0, 0, 1 };
static const u8 all_hosts_mac[ETH_ALEN] = { 0x01, 0, 0x5e, 0, 0, 1 };

static struct dev6 *find(const struct net_device *dev)
{
	struct dev6 *d;

	list_for_each_entry(d, &devs, node) {
		if (d->dev == dev)
			return d;
	}
	return NULL;
}

static struct fib_route groups_route(struct net_device *dev)
{
	return (struct fib_route){
		.family = AF_INET6,
		.type = ROUTE_MULTICAST,
		.table = RT_TABLE_LOCAL,
		.protocol = RTPROT_KERNEL,
		.metric = METRIC6_KERNEL,
		.dst = { 0xff },
		.dst_len = 8,
		.dev = dev,
	};
}

static bool has_link_local(const struct net_device *dev)
{
	const struct if_addr *a;

	list_for_each_entry(a, &route_ns(dev->net)->addrs, node) {
		if (a->dev == dev && ip_is_link_local(a->ip))
			return true;
	}
	return false;
}

static void add_link_local(struct net_device *dev)
{
	struct if_addr a = {
		.dev = dev,
		.family = AF_INET6,
		.ip = { 0xfe, 0x80 },
		.prefix = 64,
		.scope = RT_SCOPE_LINK,
		.valid_until = WAIT_FOREVER,
		.preferred_until = WAIT_FOREVER,
	};

	ip6_interface_id(dev, a.ip + 8);
	(void)if_addr_add(&a);
}

/* Addresses that it was given while it was down. */
static void begin_all(struct net_device *dev)
{
	struct if_addr *a;

	list_for_each_entry(a, &route_ns(dev->net)->addrs, node) {
		if (a->dev == dev && a->family == AF_INET6)
			begin_dad(a);
	}
}

void ip6_link_up(struct net_device *dev)
{
	struct fib_route r = groups_route(dev);
	struct dev6 *d;

	if (has_neighbours(dev)) {
		(void)link_mc_join(dev, all_nodes_mac);
		(void)link_mc_join(dev, all_hosts_mac);
	}
	if (load_once(&dev->mtu) < MTU_MIN || net_conf(dev, CONF6_DISABLE) ||
	    find(dev))
		return;
	d = kzalloc(sizeof(*d));
	if (!d)
		return;
	list_init(&d->node);
	d->dev = netdev_get(dev);
	d->solicits = has_neighbours(dev) ? SOLICITS : 0;
	d->solicit_at = WAIT_FOREVER; /* when it has an address */
	list_add_tail(&d->node, &devs);
	(void)fib_put(dev->net, &r);
	begin_all(dev);
	if (!has_link_local(dev))
		add_link_local(dev);
}

void ip6_link_down(struct net_device *dev)
{
	struct dev6 *d = find(dev);

	if (has_neighbours(dev)) {
		link_mc_leave(dev, all_nodes_mac);
		link_mc_leave(dev, all_hosts_mac);
	}
	if (!d)
		return;
	list_del(&d->node);
	netdev_put(d->dev);
	kfree(d);
}

/* --- what time brings: netcfg, rtnl_mutex held */

static void told(const struct if_addr *a)
{
	route_changed(a->dev->net);
	if (route_listener && route_listener->addr)
		route_listener->addr(a->dev->net, a, false);
}

/* Nobody else has it: it is ours, and routers are asked what else there is. */
static void dad_ends(struct if_addr *a)
{
	struct dev6 *d = find(a->dev);

	a->dad_at = 0;
	if (load_once(&a->flags) & IFA_F_DADFAILED)
		return;
	(void)atomic_fetch_and(&a->flags, ~(u32)IFA_F_TENTATIVE);
	told(a);
	if (d && ip_is_link_local(a->ip) && d->solicits && ra_wanted(a->dev))
		d->solicit_at = clock_mono_ns();
}

/* True: it has gone. */
static bool serve_addr(struct if_addr *a, u64 now, u64 *next)
{
	if (a->valid_until <= now) {
		addr_drop(a);
		return true;
	}
	if (a->preferred_until <= now && !(a->flags & IFA_F_DEPRECATED)) {
		(void)atomic_fetch_or(&a->flags, (u32)IFA_F_DEPRECATED);
		told(a);
	}
	if (a->dad_at && a->dad_at <= now) {
		if (a->dad_sent)
			dad_ends(a);
		else
			begin_dad(a);
	}
	*next = min(*next, a->valid_until);
	if (!(a->flags & IFA_F_DEPRECATED))
		*next = min(*next, a->preferred_until);
	if (a->dad_at)
		*next = min(*next, a->dad_at);
	return false;
}

static void serve_addrs(struct net_ns *net, u64 now, u64 *next)
{
	struct if_addr *a, *n;
	bool again;

	do {
		again = false;
		list_for_each_entry_safe(a, n, &route_ns(net)->addrs, node) {
			again = serve_addr(a, now, next);
			if (again)
				break; /* others may have gone with it */
		}
	} while (again);
}

static void serve_routes(struct net_ns *net, u64 now, u64 *next)
{
	struct fib_route *r, *n;

	list_for_each_entry_safe(r, n, &route_ns(net)->fib[1], node) {
		if (!r->expires)
			continue;
		if (r->expires <= now)
			fib_take(net, r);
		else
			*next = min(*next, r->expires);
	}
}

static void serve_dev(struct dev6 *d, u64 now, u64 *next)
{
	if (d->solicits && d->solicit_at <= now) {
		ndp_ask_routers(d->dev);
		d->solicits--;
		d->solicit_at = now + SOLICIT_NS;
	}
	if (d->solicits)
		*next = min(*next, d->solicit_at);
}

static void serve(struct net_work *w __unused)
{
	u64 now = clock_mono_ns(), next = WAIT_FOREVER;
	struct dev6 *d;

	spin_lock(&route_lock);
	timer_at = WAIT_FOREVER;
	spin_unlock(&route_lock);
	mutex_lock(&rtnl_mutex);
	list_for_each_entry(d, &devs, node) {
		serve_addrs(d->dev->net, now, &next);
		serve_routes(d->dev->net, now, &next);
		serve_dev(d, now, &next);
	}
	mutex_unlock(&rtnl_mutex);
	if (next != WAIT_FOREVER)
		ip6_wants_time(next);
}

static int addr6_init(void)
{
	ktimer_init(&timer, timer_fires, NULL);
	net_work_init(&work, serve);
	return 0;
}
INITCALL(INIT_CORE, addr6_init);
