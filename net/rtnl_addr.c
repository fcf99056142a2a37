/* SPDX-License-Identifier: MIT */
/*
 * net/rtnl_addr.c - RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR: addresses of interfaces; see
 * link/rtnl.h and route/route.h.
 */
#include <net/link/rtnl.h>

#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>

struct ifaddrmsg {
	u8 family, prefixlen, flags, scope;
	u32 index;
};
enum {
	IFA_ADDRESS = 1,
	IFA_LOCAL = 2,
	IFA_LABEL = 3,
	IFA_BROADCAST = 4,
	IFA_CACHEINFO = 6,
	IFA_FLAGS = 8,
	IFA_RT_PRIORITY = 9,
	IFA_PROTO = 11,
};
struct ifa_cacheinfo {
	u32 preferred, valid; /* seconds */
	u32 made, changed;    /* 1/100 s since boot */
};
#define FOREVER ~0u

static u32 len_of(u16 family)
{
	return family == AF_INET ? 4 : 16;
}

/* --- showing */

static u32 seconds_left(u64 until)
{
	u64 now = clock_mono_ns();

	if (until == ~0ull)
		return FOREVER;
	return until > now ? (u32)((until - now) / NSEC_PER_SEC) : 0;
}

static void put_times(const struct if_addr *a, struct nl_out *o)
{
	struct ifa_cacheinfo c = {
		.preferred = seconds_left(a->preferred_until),
		.valid = seconds_left(a->valid_until),
		.made = (u32)(a->made / (NSEC_PER_SEC / 100)),
		.changed = (u32)(a->changed / (NSEC_PER_SEC / 100)),
	};

	nl_attr(o, IFA_CACHEINFO, &c, sizeof(c));
}

static void put_v4(const struct if_addr *a, struct nl_out *o)
{
	const u8 *peer = ip_is_any(a->peer) ? a->ip : a->peer;

	nl_attr(o, IFA_ADDRESS, peer + 12, 4);
	nl_attr(o, IFA_LOCAL, a->ip + 12, 4);
	if (!ip_is_any(a->broadcast))
		nl_attr(o, IFA_BROADCAST, a->broadcast + 12, 4);
	nl_attr(o, IFA_LABEL, a->label, (u32)strlen(a->label) + 1);
}

static void put_v6(const struct if_addr *a, struct nl_out *o)
{
	bool peer = !ip_is_any(a->peer) && !ip_same(a->peer, a->ip);
	const u8 kernel_lo = 1; /* IFAPROT_KERNEL_LO */

	if (peer)
		nl_attr(o, IFA_LOCAL, a->ip, 16);
	nl_attr(o, IFA_ADDRESS, peer ? a->peer : a->ip, 16);
	if (ip_is_loopback(a->ip))
		nl_attr(o, IFA_PROTO, &kernel_lo, 1);
}

static int put_addr(const struct if_addr *a, struct nl_out *o,
		    const struct nlmsghdr *req, u16 type, u16 nlflags)
{
	struct nlmsghdr *h = nl_begin(o, req, type, nlflags);
	struct ifaddrmsg *m = h ? nl_room(o, sizeof(*m)) : NULL;
	u32 flags = load_once(&a->flags);

	if (!m)
		return -ENOBUFS;
	m->family = (u8)a->family;
	m->prefixlen = a->prefix;
	m->flags = (u8)flags;
	m->scope = a->scope;
	m->index = (u32)a->dev->index;
	if (a->family == AF_INET)
		put_v4(a, o);
	else
		put_v6(a, o);
	nl_attr32(o, IFA_FLAGS, flags);
	if (a->metric)
		nl_attr32(o, IFA_RT_PRIORITY, a->metric);
	put_times(a, o);
	nl_end(o, h);
	return 0;
}

struct addr_dump {
	struct nl_out *o;
	const struct nlmsghdr *req;
	struct net_ns *net;
	u16 family;
	const struct net_device *dev;
	int err;
};

static void dump_one(const struct if_addr *a, void *arg)
{
	struct addr_dump *d = arg;

	if (!d->err && a->dev == d->dev && a->family == d->family)
		d->err = put_addr(a, d->o, d->req, RTM_NEWADDR, NLM_F_MULTI);
}

static void dump_link(struct net_device *dev, void *arg)
{
	struct addr_dump *d = arg;

	d->dev = dev;
	if_addr_for_each(d->net, dump_one, d);
}

int rtnl_dump_addrs(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u8 family)
{
	struct addr_dump d = {
		.o = o, .req = req, .net = net, .family = AF_INET
	};

	if (family != AF_INET6)
		link_for_each(net, dump_link, &d);
	d.family = AF_INET6;
	if (family != AF_INET)
		link_for_each(net, dump_link, &d);
	return d.err;
}

/* --- what a request says */

struct addr_req {
	struct if_addr a;
	bool has_ip, has_peer, has_times;
};

static bool get_ip(const struct nlattr *a, u16 family, u8 ip[16])
{
	if (!a || rtnl_attr_len(a) < len_of(family))
		return false;
	if (family == AF_INET)
		ip_set_v4(ip, (const u8 *)(a + 1));
	else
		memcpy(ip, a + 1, 16);
	return true;
}

static u64 until(u32 seconds)
{
	return seconds == FOREVER ? ~0ull
				  : clock_mono_ns() + seconds * NSEC_PER_SEC;
}

static int get_times(const struct nlattr *at, struct addr_req *q)
{
	struct ifa_cacheinfo c;

	if (!at)
		return 0;
	if (rtnl_attr_len(at) < sizeof(c))
		return -EINVAL;
	memcpy(&c, at + 1, sizeof(c));
	if (!c.valid || c.preferred > c.valid)
		return -EINVAL;
	q->a.valid_until = until(c.valid);
	q->a.preferred_until = until(c.preferred);
	if (c.valid != FOREVER)
		q->a.flags &= ~IFA_F_PERMANENT;
	if (!c.preferred)
		q->a.flags |= IFA_F_DEPRECATED;
	q->has_times = true;
	return 0;
}

/* Addresses: of IPv6 one may be named as either. */
static int get_ips(const struct nlmsghdr *req, u32 len, struct addr_req *q)
{
	const struct nlattr *local, *peer;
	u32 fixed = sizeof(struct ifaddrmsg);
	u16 family = q->a.family;

	local = nl_find(req, len, fixed, IFA_LOCAL);
	peer = nl_find(req, len, fixed, IFA_ADDRESS);
	q->has_ip = get_ip(local, family, q->a.ip);
	q->has_peer = get_ip(peer, family, q->a.peer);
	if ((local && !q->has_ip) || (peer && !q->has_peer))
		return -EINVAL;
	if (family == AF_INET6 && !q->has_ip && q->has_peer) {
		memcpy(q->a.ip, q->a.peer, 16);
		q->has_ip = true;
	}
	if (family == AF_INET6 && ip_same(q->a.ip, q->a.peer))
		memset(q->a.peer, 0, 16);
	if (family == AF_INET)
		(void)get_ip(nl_find(req, len, fixed, IFA_BROADCAST), family,
			     q->a.broadcast);
	return 0;
}

static int parse(struct net_ns *net, const struct nlmsghdr *req, u32 len,
		 struct addr_req *q)
{
	const struct ifaddrmsg *m = (const void *)(req + 1);
	const struct nlattr *label;
	u32 fixed = sizeof(*m);
	int err;

	if (len < sizeof(*req) + fixed)
		return -EINVAL;
	q->a = (struct if_addr){
		.family = m->family,
		.prefix = m->prefixlen,
		.scope = m->scope,
		.flags = m->flags,
		.valid_until = ~0ull,
		.preferred_until = ~0ull,
	};
	if (m->family != AF_INET && m->family != AF_INET6)
		return -EOPNOTSUPP;
	(void)nl_find32(req, len, fixed, IFA_FLAGS, &q->a.flags);
	(void)nl_find32(req, len, fixed, IFA_RT_PRIORITY, &q->a.metric);
	label = nl_find(req, len, fixed, IFA_LABEL);
	if (label && rtnl_attr_len(label) > sizeof(q->a.label))
		return -ERANGE;
	if (label)
		memcpy(q->a.label, label + 1, rtnl_attr_len(label));
	q->a.label[sizeof(q->a.label) - 1] = '\0';
	err = get_ips(req, len, q);
	if (!err)
		err = get_times(nl_find(req, len, fixed, IFA_CACHEINFO), q);
	if (err)
		return err;
	q->a.dev = link_by_index(net, (s32)m->index);
	netdev_put(q->a.dev); /* rtnl_mutex keeps it */
	return q->a.dev ? 0 : -ENODEV;
}

/* --- making and taking away */

int rtnl_new_addr(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct addr_req q;
	int err = parse(net, req, len, &q);

	if (err)
		return err;
	if (!q.has_ip || q.a.prefix > len_of(q.a.family) * 8)
		return -EINVAL;
	err = if_addr_add(&q.a);
	if (err != -EEXIST || req->flags & NLM_F_EXCL ||
	    !(req->flags & NLM_F_REPLACE))
		return err;
	return if_addr_renew(&q.a);
}

struct addr_find {
	const struct addr_req *q;
	const struct if_addr *found;
};

/* Is it what RTM_DELADDR means? */
static void look(const struct if_addr *a, void *arg)
{
	struct addr_find *f = arg;
	const struct if_addr *w = &f->q->a;
	const u8 *peer = ip_is_any(a->peer) ? a->ip : a->peer;

	if (f->found || a->dev != w->dev || a->family != w->family)
		return;
	if (f->q->has_ip && !ip_same(a->ip, w->ip))
		return;
	if (w->label[0] && strcmp(a->label, w->label) != 0)
		return;
	if (f->q->has_peer &&
	    (a->prefix != w->prefix ||
	     (w->family == AF_INET &&
	      !ip_same_prefix(peer, w->peer, w->prefix + 96u))))
		return;
	f->found = a;
}

int rtnl_del_addr(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct addr_req q;
	struct addr_find f = { .q = &q };
	int err = parse(net, req, len, &q);

	if (err)
		return err;
	if (q.a.family == AF_INET6 && !q.has_ip)
		return -EINVAL;
	if_addr_for_each(net, look, &f);
	if (!f.found) {
		if (q.a.family == AF_INET)
			rtnl_say("ipv4: Address not found");
		return -EADDRNOTAVAIL;
	}
	return if_addr_del(f.found->dev, f.found->family, f.found->ip,
			   f.found->prefix);
}

/* Of IPv6 only, as on Linux. */
int rtnl_get_addr(struct net_ns *net, struct nl_out *o,
		  const struct nlmsghdr *req, u32 len)
{
	struct addr_req q;
	struct addr_find f = { .q = &q };
	const struct ifaddrmsg *m = (const void *)(req + 1);
	int err;

	if (len < sizeof(*req) + sizeof(*m))
		return -EINVAL;
	if (m->family != AF_INET6)
		return -EOPNOTSUPP;
	err = parse(net, req, len, &q);
	if (err)
		return err;
	q.has_peer = false;
	if_addr_for_each(net, look, &f);
	return f.found && q.has_ip ? put_addr(f.found, o, req, RTM_NEWADDR, 0)
				   : -EADDRNOTAVAIL;
}

/* --- notifications */

static const struct nlmsghdr from_kernel;

void rtnl_addr_told(struct net_ns *net, const struct if_addr *a, bool gone)
{
	struct nl_out o;

	if (link_is_lo(a->dev) && a->family == AF_INET && a->ip[12] == 127)
		store_once(&net->lo_has_addr, !gone);
	nl_out_init(&o);
	(void)put_addr(a, &o, &from_kernel, gone ? RTM_DELADDR : RTM_NEWADDR,
		       0);
	netlink_tell(net,
		     a->family == AF_INET ? RTNLGRP_IPV4_IFADDR
					  : RTNLGRP_IPV6_IFADDR,
		     &o);
}
