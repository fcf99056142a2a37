/* SPDX-License-Identifier: MIT */
/*
 * net/rtnl_route.c - RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE; see link/rtnl.h and
 * route/route.h.  One way for each route: no multipath.
 */
#include <net/link/rtnl.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/sort.h>
#include <lib/string.h>
#include <net/route/route_int.h>

struct rtmsg {
	u8 family, dst_len, src_len, tos, table, protocol, scope, type;
	u32 flags;
};
enum {
	RTA_DST = 1,
	RTA_SRC = 2,
	RTA_OIF = 4,
	RTA_GATEWAY = 5,
	RTA_PRIORITY = 6,
	RTA_PREFSRC = 7,
	RTA_METRICS = 8,
	RTA_MULTIPATH = 9,
	RTA_CACHEINFO = 12,
	RTA_TABLE = 15,
	RTA_VIA = 18,
	RTA_PREF = 20,
	RTA_MARK = 16,
	RTA_UID = 25,
	RTA_NH_ID = 30,
};
enum {
	RTAX_MTU = 2,
	RTAX_HOPLIMIT = 10,
};
struct rta_cacheinfo {
	u32 clntref, lastuse, expires, error, used, id, ts, tsage;
};
#define RT_TABLE_COMPAT 252u /* stands for a number above 255 */
#define RTM_F_CLONED	0x200u
#define RTNH_F_LINKDOWN 16u
#define RTCF_LOCAL	0x80000000u

static u32 len_of(u16 family)
{
	return family == AF_INET ? 4 : 16;
}

static void put_ip(struct nl_out *o, u16 type, u16 family, const u8 ip[16])
{
	if (family == AF_INET)
		nl_attr(o, type, ip + 12, 4);
	else
		nl_attr(o, type, ip, 16);
}

/* --- showing */

static void put_metrics(const struct fib_route *r, struct nl_out *o)
{
	struct nlattr *nest;

	if (!r->mtu && !r->hop_limit)
		return;
	nest = nl_nest(o, RTA_METRICS);
	if (r->mtu)
		nl_attr32(o, RTAX_MTU, r->mtu);
	if (r->hop_limit)
		nl_attr32(o, RTAX_HOPLIMIT, r->hop_limit);
	nl_nest_end(o, nest);
}

static void put_rest(const struct fib_route *r, struct nl_out *o)
{
	struct rta_cacheinfo c = { 0 };
	u8 medium = 0;

	if (!ip_is_any(r->prefsrc))
		put_ip(o, RTA_PREFSRC, r->family, r->prefsrc);
	if (r->has_via)
		put_ip(o, RTA_GATEWAY, r->family, r->via);
	if (r->dev)
		nl_attr32(o, RTA_OIF, (u32)r->dev->index);
	if (r->family == AF_INET)
		return;
	nl_attr32(o, RTA_PRIORITY, r->metric);
	nl_attr(o, RTA_CACHEINFO, &c, sizeof(c));
	nl_attr(o, RTA_PREF, &medium, 1);
}

static int put_route(const struct fib_route *r, struct nl_out *o,
		     const struct nlmsghdr *req, u16 type, u16 nlflags)
{
	struct nlmsghdr *h = nl_begin(o, req, type, nlflags);
	struct rtmsg *m = h ? nl_room(o, sizeof(*m)) : NULL;

	if (!m)
		return -ENOBUFS;
	m->family = (u8)r->family;
	m->dst_len = r->dst_len;
	m->src_len = r->src_len;
	m->tos = r->tos;
	m->table = (u8)(r->table < 256 ? r->table : RT_TABLE_COMPAT);
	m->protocol = r->protocol;
	m->scope = r->scope;
	m->type = r->type;
	m->flags = r->flags;
	if (r->dev && !(link_flags(r->dev) & IFF_LOWER_UP))
		m->flags |= RTNH_F_LINKDOWN;
	nl_attr32(o, RTA_TABLE, r->table);
	if (r->dst_len)
		put_ip(o, RTA_DST, r->family, r->dst);
	if (r->src_len)
		put_ip(o, RTA_SRC, r->family, r->src_prefix);
	if (r->metric && r->family == AF_INET)
		nl_attr32(o, RTA_PRIORITY, r->metric);
	put_metrics(r, o);
	put_rest(r, o);
	nl_end(o, h);
	return 0;
}

struct route_list {
	u16 family;
	u32 nr, room;
	const struct fib_route **at;
};

static void gather(const struct fib_route *r, void *arg)
{
	struct route_list *l = arg;

	if (r->family != l->family)
		return;
	if (l->nr < l->room)
		l->at[l->nr] = r;
	l->nr++;
}

/* Linux's order: of IPv4 by address, of IPv6 the more special ones first. */
static int in_order(const void *pa, const void *pb)
{
	const struct fib_route *a = *(const struct fib_route *const *)pa;
	const struct fib_route *b = *(const struct fib_route *const *)pb;
	int d = memcmp(a->dst, b->dst, 16);

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->family == AF_INET6 && a->dst_len != b->dst_len &&
	    ip_same_prefix(a->dst, b->dst, min(a->dst_len, b->dst_len)))
		d = (int)b->dst_len - a->dst_len;
	if (d)
		return d;
	if (a->dst_len != b->dst_len)
		return (int)b->dst_len - a->dst_len;
	return a->metric < b->metric ? -1 : a->metric > b->metric;
}

static int dump_family(struct net_ns *net, struct nl_out *o,
		       const struct nlmsghdr *req, u16 family, u32 table)
{
	struct route_list l = { .family = family };
	int err = 0;

	fib_for_each(net, gather, &l);
	l.room = l.nr;
	l.at = l.nr ? kcalloc(l.nr, sizeof(struct fib_route *)) : NULL;
	if (!l.at)
		return l.nr ? -ENOBUFS : 0;
	l.nr = 0;
	fib_for_each(net, gather, &l);
	sort(l.at, l.nr, sizeof(struct fib_route *), in_order);
	for (u32 i = 0; !err && i < l.nr; i++) {
		if (!table || l.at[i]->table == table)
			err = put_route(l.at[i], o, req, RTM_NEWROUTE,
					NLM_F_MULTI);
	}
	kfree(l.at);
	return err;
}

/* All, or those of RTA_TABLE. */
int rtnl_dump_routes(struct net_ns *net, struct nl_out *o,
		     const struct nlmsghdr *req, u32 len, u8 family)
{
	u32 table = 0;
	int err = 0;

	(void)nl_find32(req, len, sizeof(struct rtmsg), RTA_TABLE, &table);
	if (family != AF_INET6)
		err = dump_family(net, o, req, AF_INET, table);
	if (!err && family != AF_INET)
		err = dump_family(net, o, req, AF_INET6, table);
	return err;
}

/* --- what a request says */

static int get_ip(const struct nlmsghdr *req, u32 len, u16 type, u16 family,
		  u8 ip[16])
{
	const struct nlattr *a = nl_find(req, len, sizeof(struct rtmsg), type);

	if (family == AF_INET)
		ip_set_v4(ip, (const u8[4]){ 0 });
	else
		memset(ip, 0, 16);
	if (!a)
		return 0;
	if (rtnl_attr_len(a) < len_of(family))
		return -EINVAL;
	if (family == AF_INET)
		ip_set_v4(ip, (const u8 *)(a + 1));
	else
		memcpy(ip, a + 1, 16);
	return 1;
}

/* RTA_VIA's address of the same family, or RTA_GATEWAY's. */
static int get_gateway(const struct nlmsghdr *req, u32 len, struct fib_route *r)
{
	const struct nlattr *via =
		nl_find(req, len, sizeof(struct rtmsg), RTA_VIA);
	int n = get_ip(req, len, RTA_GATEWAY, r->family, r->via);

	if (n < 0)
		return n;
	if (via)
		return -EOPNOTSUPP;
	r->has_via = n && !ip_is_any(r->via);
	return 0;
}

static int get_dev(struct net_ns *net, const struct nlmsghdr *req, u32 len,
		   struct fib_route *r)
{
	u32 index;

	if (!nl_find32(req, len, sizeof(struct rtmsg), RTA_OIF, &index) ||
	    !index)
		return 0;
	r->dev = link_by_index(net, (s32)index);
	netdev_put(r->dev); /* rtnl_mutex keeps it */
	return r->dev ? 0 : -ENODEV;
}

static void get_metrics(const struct nlmsghdr *req, u32 len,
			struct fib_route *r)
{
	const struct nlattr *m =
		nl_find(req, len, sizeof(struct rtmsg), RTA_METRICS);
	const struct nlattr *a;

	if (!m)
		return;
	a = rtnl_nested(m, RTAX_MTU);
	r->mtu = a ? rtnl_u32(a) : 0;
	a = rtnl_nested(m, RTAX_HOPLIMIT);
	r->hop_limit = a ? rtnl_u32(a) : 0;
}

static bool is_known_type(u8 type)
{
	return type <= ROUTE_BROADCAST ||
	       (type >= ROUTE_BLACKHOLE && type <= ROUTE_PROHIBIT);
}

static int parse(struct net_ns *net, const struct nlmsghdr *req, u32 len,
		 struct fib_route *r)
{
	const struct rtmsg *m = (const void *)(req + 1);
	u32 fixed = sizeof(*m);
	int err;

	if (len < sizeof(*req) + fixed)
		return -EINVAL;
	*r = (struct fib_route){
		.family = m->family,
		.dst_len = m->dst_len,
		.src_len = m->src_len,
		.tos = m->tos,
		.type = m->type,
		.scope = m->scope,
		.protocol = m->protocol,
		.table = m->table,
		.flags = m->flags & RTNH_F_ONLINK,
	};
	if (m->family != AF_INET && m->family != AF_INET6)
		return -EOPNOTSUPP;
	if (m->dst_len > len_of(m->family) * 8)
		return -EINVAL;
	if (m->src_len || nl_find(req, len, fixed, RTA_MULTIPATH) ||
	    nl_find(req, len, fixed, RTA_NH_ID))
		return -EOPNOTSUPP;
	if (!is_known_type(m->type))
		return -EINVAL;
	(void)nl_find32(req, len, fixed, RTA_TABLE, &r->table);
	(void)nl_find32(req, len, fixed, RTA_PRIORITY, &r->metric);
	get_metrics(req, len, r);
	err = get_ip(req, len, RTA_DST, r->family, r->dst);
	if (err >= 0)
		err = get_ip(req, len, RTA_PREFSRC, r->family, r->prefsrc);
	if (err >= 0)
		err = get_gateway(req, len, r);
	return err < 0 ? err : get_dev(net, req, len, r);
}

int rtnl_new_route(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct fib_route r;
	int err = parse(net, req, len, &r);

	if (err)
		return err;
	if (!r.type)
		r.type = ROUTE_UNICAST;
	return fib_add(net, &r, req->flags);
}

int rtnl_del_route(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct fib_route r;
	int err = parse(net, req, len, &r);

	return err ? err : fib_del(net, &r);
}

/* --- RTM_GETROUTE of one destination */

static struct rtmsg *begin_way(const struct route *r, struct nl_out *o,
			       const struct nlmsghdr *req, u16 family,
			       struct nlmsghdr **h)
{
	struct rtmsg *m;

	*h = nl_begin(o, req, RTM_NEWROUTE, 0);
	m = *h ? nl_room(o, sizeof(*m)) : NULL;
	if (!m)
		return NULL;
	m->family = (u8)family;
	m->dst_len = (u8)(len_of(family) * 8);
	m->table = r->type == ROUTE_LOCAL && family != AF_INET ? RT_TABLE_LOCAL
							       : RT_TABLE_MAIN;
	m->type = (u8)r->type;
	m->protocol = family == AF_INET ? 0 : RTPROT_KERNEL;
	m->flags = RTM_F_CLONED;
	if (r->type == ROUTE_LOCAL && family == AF_INET)
		m->flags |= RTCF_LOCAL;
	return m;
}

static int put_way(const struct route *r, struct nl_out *o,
		   const struct nlmsghdr *req, u16 family, const u8 dst[16])
{
	struct rta_cacheinfo c = { 0 };
	struct nlmsghdr *h;
	struct rtmsg *m = begin_way(r, o, req, family, &h);

	if (!m)
		return -ENOBUFS;
	nl_attr32(o, RTA_TABLE, m->table);
	put_ip(o, RTA_DST, family, dst);
	nl_attr32(o, RTA_OIF, r->dev ? (u32)r->dev->index : LOOPBACK_INDEX);
	if (!ip_is_any(r->src))
		put_ip(o, RTA_PREFSRC, family, r->src);
	if (r->type == ROUTE_UNICAST && !ip_same(r->next, dst))
		put_ip(o, RTA_GATEWAY, family, r->next);
	if (family == AF_INET)
		nl_attr32(o, RTA_UID, current->cred->uid);
	nl_attr(o, RTA_CACHEINFO, &c, sizeof(c));
	nl_end(o, h);
	return 0;
}

int rtnl_find_route(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len)
{
	const struct rtmsg *m = (const void *)(req + 1);
	u8 dst[16], src[16];
	struct route_query q = { .dst = dst };
	struct route r;
	int err, has_src;

	if (len < sizeof(*req) + sizeof(*m))
		return -EINVAL;
	if (m->family != AF_INET && m->family != AF_INET6)
		return -EOPNOTSUPP;
	err = get_ip(req, len, RTA_DST, m->family, dst);
	has_src = get_ip(req, len, RTA_SRC, m->family, src);
	if (err < 0 || has_src < 0)
		return -EINVAL;
	(void)nl_find32(req, len, sizeof(*m), RTA_OIF, &q.oif);
	(void)nl_find32(req, len, sizeof(*m), RTA_MARK, &q.mark);
	q.src = has_src ? src : NULL;
	err = route_find(net, &q, &r);
	if (err)
		return err;
	err = put_way(&r, o, req, m->family, dst);
	route_put(&r);
	return err;
}

/* --- notifications */

static const struct nlmsghdr from_kernel;

static void told(struct net_ns *net, const struct fib_route *r, bool gone)
{
	struct nl_out o;

	nl_out_init(&o);
	(void)put_route(r, &o, &from_kernel, gone ? RTM_DELROUTE : RTM_NEWROUTE,
			0);
	netlink_tell(net,
		     r->family == AF_INET ? RTNLGRP_IPV4_ROUTE
					  : RTNLGRP_IPV6_ROUTE,
		     &o);
}

static const struct route_listener listener = {
	.addr = rtnl_addr_told,
	.route = told,
	.neigh = rtnl_neigh_told,
	.rule = rtnl_rule_told,
};

static int listener_init(void)
{
	route_listener = &listener;
	return 0;
}
INITCALL(INIT_CORE, listener_init);
