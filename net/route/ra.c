/* SPDX-License-Identifier: MIT */
/*
 * net/route/ra.c - what routers advertise [RFC 4861 6.3.4, RFC 4862 5.5.3]: a default
 * router, the MTU, prefixes that are on the link, and those that we make addresses from.
 *
 * The worker puts advertisements aside, "netcfg" does what they say; a few may wait.  A
 * router itself does not listen.
 *
 * Locking: route_lock guards the queue.
 */
#include <net/route/ip6.h>
#include <net/route/route_int.h>

#include <kernel/init.h>
#include <kernel/time/clock.h>
#include <net/link/work.h>

#define RA_SIZE	     16u
#define WAITING_MAX  16u
#define ADDRS_MAX    16u /* that an interface gives itself */
#define PREFIXES_MAX 32u
#define ON_LINK	     0x80u
#define AUTONOMOUS   0x40u
#define TWO_HOURS    7200u
#define MTU_MIN	     1280u
#define FOREVER	     0xffffffffu

static struct list_head waiting = LIST_HEAD_INIT(waiting);
static u32 nr_waiting;
static struct net_work work;

bool ra_wanted(const struct net_device *dev)
{
	u32 accept = net_conf(dev, CONF6_ACCEPT_RA);

	return accept >= 2 || (accept && !net_conf(dev, CONF6_FORWARDING));
}

/* A copy of the message behind the 16 bytes of its sender. */
void ra_input(struct net_ns *net __unused, const struct ip_packet *p)
{
	struct netbuf *c;

	if (p->b->len < RA_SIZE || !ip_is_link_local(p->src) ||
	    !ra_wanted(p->b->dev))
		return;
	c = netbuf_alloc(0, 16 + p->b->len);
	if (!c)
		return;
	memcpy(netbuf_put(c, 16), p->src, 16);
	memcpy(netbuf_put(c, p->b->len), p->b->data, p->b->len);
	netbuf_set_dev(c, p->b->dev);
	spin_lock(&route_lock);
	if (nr_waiting < WAITING_MAX) {
		list_add_tail(&c->node, &waiting);
		nr_waiting++;
		c = NULL;
	}
	spin_unlock(&route_lock);
	netbuf_free(c);
	net_cfg_queue(&work);
}

/* --- netcfg, rtnl_mutex held */

struct advert {
	struct net_device *dev;
	const u8 *router;
	u32 hop_limit, mtu, prefixes;
	u64 now;
};

static u64 end_of(const struct advert *ra, u32 seconds)
{
	return seconds == FOREVER ? WAIT_FOREVER
				  : ra->now + seconds * NSEC_PER_SEC;
}

/* A route that lasts till @until (0: it ends now). */
static void set_route(const struct advert *ra, struct fib_route *r, u64 until)
{
	struct net_ns *net = ra->dev->net;

	r->family = AF_INET6;
	r->type = ROUTE_UNICAST;
	r->table = RT_TABLE_MAIN;
	r->dev = ra->dev;
	r->hop_limit = ra->hop_limit;
	r->mtu = ra->mtu;
	r->expires = until == WAIT_FOREVER ? 0 : until;
	fib_take(net, r);
	if (!until)
		return;
	(void)fib_put(net, r);
	ip6_wants_time(until);
}

static void default_router(const struct advert *ra, u32 seconds)
{
	struct fib_route r = {
		.has_via = true,
		.protocol = RTPROT_RA,
		.metric = METRIC6_USER,
	};

	memcpy(r.via, ra->router, 16);
	set_route(ra, &r, seconds ? ra->now + seconds * NSEC_PER_SEC : 0);
}

static void on_link(const struct advert *ra, const u8 *prefix, u32 len,
		    u32 valid)
{
	struct fib_route r = {
		.dst_len = (u8)len,
		.protocol = RTPROT_KERNEL,
		.metric = METRIC6_KERNEL,
	};

	memcpy(r.dst, prefix, 16);
	ip_cut_prefix(r.dst, len);
	set_route(ra, &r, valid ? end_of(ra, valid) : 0);
}

/* Ours that has the prefix; *@nr: how many have any that was made so. */
static struct if_addr *own_of(const struct advert *ra, const u8 *ip, u32 *nr)
{
	struct if_addr *a, *found = NULL;

	*nr = 0;
	list_for_each_entry(a, &route_ns(ra->dev->net)->addrs, node) {
		if (a->dev != ra->dev || a->family != AF_INET6)
			continue;
		*nr += !(a->flags & IFA_F_PERMANENT);
		if (ip_same(a->ip, ip))
			found = a;
	}
	return found;
}

/* How much longer an address lasts: nobody makes it short at once [RFC 4862 5.5.3 e]. */
static void prolong(const struct advert *ra, struct if_addr *a, u32 valid,
		    u32 preferred)
{
	u64 left = a->valid_until > ra->now ? a->valid_until - ra->now : 0;
	u64 until = end_of(ra, valid);

	if (a->flags & IFA_F_PERMANENT)
		return; /* a user's */
	if (valid <= TWO_HOURS && until < a->valid_until) {
		if (left <= TWO_HOURS * NSEC_PER_SEC)
			until = a->valid_until;
		else
			until = ra->now + TWO_HOURS * NSEC_PER_SEC;
	}
	a->valid_until = until;
	a->preferred_until = end_of(ra, preferred);
	if (preferred)
		(void)atomic_fetch_and(&a->flags, ~(u32)IFA_F_DEPRECATED);
	a->changed = ra->now;
	ip6_wants_time(min(a->valid_until, a->preferred_until));
}

static void own_address(const struct advert *ra, const u8 *prefix, u32 valid,
			u32 preferred)
{
	struct if_addr a = {
		.dev = ra->dev,
		.family = AF_INET6,
		.prefix = 64,
		.flags = IFA_F_NOPREFIXROUTE,
		.valid_until = end_of(ra, valid),
		.preferred_until = end_of(ra, preferred),
	}, *have;
	u32 nr;

	memcpy(a.ip, prefix, 8);
	ip6_interface_id(ra->dev, a.ip + 8);
	have = own_of(ra, a.ip, &nr);
	if (have)
		prolong(ra, have, valid, preferred);
	else if (valid && nr < ADDRS_MAX)
		(void)if_addr_add(&a);
}

static void each_prefix(const u8 *p, void *arg)
{
	struct advert *ra = arg;
	u32 len = p[2], valid = get_be32(p + 4), preferred = get_be32(p + 8);
	const u8 *prefix = p + 16;

	if (len > 128 || preferred > valid || ip_is_link_local(prefix) ||
	    ip_is_multicast(prefix) || ip_is_v4(prefix) ||
	    ra->prefixes++ >= PREFIXES_MAX)
		return;
	if (p[3] & ON_LINK)
		on_link(ra, prefix, len, valid);
	if ((p[3] & AUTONOMOUS) && len == 64 && ra->dev->type == ARPHRD_ETHER &&
	    net_conf(ra->dev, CONF6_AUTOCONF))
		own_address(ra, prefix, valid, preferred);
}

static void apply(struct net_device *dev, const u8 *router, const u8 *h, u32 n)
{
	struct advert ra = {
		.dev = dev,
		.router = router,
		.hop_limit = h[4],
		.now = clock_mono_ns(),
	};
	struct nd_opts o;

	if (!dev->registered || !(load_once(&dev->flags) & IFF_UP) ||
	    !route_ns(dev->net) ||
	    !nd_parse(h + RA_SIZE, n - RA_SIZE, &o, NULL, NULL))
		return;
	if (net_conf(dev, CONF6_RA_MTU) && o.mtu >= MTU_MIN &&
	    o.mtu < load_once(&dev->mtu))
		ra.mtu = o.mtu;
	if (o.source)
		neigh_heard(dev, router, o.source, HEARD_PASSING, true, true);
	if (net_conf(dev, CONF6_RA_DEFRTR))
		default_router(&ra, get_be16(h + 6));
	if (net_conf(dev, CONF6_RA_PINFO))
		(void)nd_parse(h + RA_SIZE, n - RA_SIZE, &o, each_prefix, &ra);
}

static struct netbuf *take_one(void)
{
	struct netbuf *b;

	spin_lock(&route_lock);
	b = list_first_entry_or_null(&waiting, struct netbuf, node);
	if (b) {
		list_del(&b->node);
		nr_waiting--;
	}
	spin_unlock(&route_lock);
	return b;
}

static void serve(struct net_work *w __unused)
{
	struct netbuf *b;

	while ((b = take_one())) {
		mutex_lock(&rtnl_mutex);
		apply(b->dev, b->data, b->data + 16, b->len - 16);
		mutex_unlock(&rtnl_mutex);
		netbuf_free(b);
	}
}

static int ra_init(void)
{
	net_work_init(&work, serve);
	return 0;
}
INITCALL(INIT_CORE, ra_init);
