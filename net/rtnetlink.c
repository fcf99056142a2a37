/* SPDX-License-Identifier: MIT */
/*
 * net/rtnetlink.c - rtnetlink(7): the loopback link of a network namespace, its addresses
 * and its routes.
 */
#include <net/link/rtnl.h>

#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>
#include <net/netdev.h>

#define RT_TABLE_LOCAL 255
#define RT_SCOPE_HOST  254
#define RTPROT_KERNEL  2
#define RTN_LOCAL      2

struct ifaddrmsg {
	u8 family, prefixlen, flags, scope;
	u32 index;
};
struct rtmsg {
	u8 family, dst_len, src_len, tos, table, protocol, scope, type;
	u32 flags;
};

static const u8 lo4[4] = { 127, 0, 0, 1 };
static const u8 lo4_net[4] = { 127, 0, 0, 0 };
static const u8 lo6[16] = { [15] = 1 };

/* --- addresses */

enum {
	IFA_ADDRESS = 1,
	IFA_LOCAL = 2,
	IFA_LABEL = 3,
	IFA_CACHEINFO = 6,
	IFA_FLAGS = 8,
};
#define IFA_F_PERMANENT 0x80u

static int put_addr(struct nl_out *o, const struct nlmsghdr *req, u16 type,
		    u16 flags, u8 family)
{
	static const u32 forever[4] = { ~0u, ~0u, 0, 0 };
	struct nlmsghdr *h = nl_begin(o, req, type, flags);
	struct ifaddrmsg *a = h ? nl_room(o, sizeof(*a)) : NULL;

	if (!a)
		return -ENOBUFS;
	a->family = family;
	a->prefixlen = family == AF_INET ? 8 : 128;
	a->flags = IFA_F_PERMANENT;
	a->scope = RT_SCOPE_HOST;
	a->index = LOOPBACK_INDEX;
	if (family == AF_INET) {
		nl_attr(o, IFA_ADDRESS, lo4, 4);
		nl_attr(o, IFA_LOCAL, lo4, 4);
		nl_attr(o, IFA_LABEL, "lo", 3);
	} else {
		nl_attr(o, IFA_ADDRESS, lo6, 16);
	}
	nl_attr32(o, IFA_FLAGS, IFA_F_PERMANENT);
	nl_attr(o, IFA_CACHEINFO, forever, sizeof(forever));
	nl_end(o, h);
	return 0;
}

/* --- routes */

enum {
	RTA_DST = 1,
	RTA_OIF = 4,
	RTA_PREFSRC = 7,
	RTA_TABLE = 15,
};

static int put_route(struct nl_out *o, const struct nlmsghdr *req, u16 type,
		     u16 flags, u8 family, u8 bits)
{
	struct nlmsghdr *h = nl_begin(o, req, type, flags);
	struct rtmsg *r = h ? nl_room(o, sizeof(*r)) : NULL;
	const u8 *dst = family == AF_INET6 ? lo6 : bits == 8 ? lo4_net : lo4;

	if (!r)
		return -ENOBUFS;
	r->family = family;
	r->dst_len = bits;
	r->table = RT_TABLE_LOCAL;
	r->protocol = RTPROT_KERNEL;
	r->scope = family == AF_INET ? RT_SCOPE_HOST : 0;
	r->type = RTN_LOCAL;
	nl_attr32(o, RTA_TABLE, RT_TABLE_LOCAL);
	nl_attr(o, RTA_DST, dst, family == AF_INET ? 4 : 16);
	if (family == AF_INET)
		nl_attr(o, RTA_PREFSRC, lo4, 4);
	nl_attr32(o, RTA_OIF, LOOPBACK_INDEX);
	nl_end(o, h);
	return 0;
}

static int dump_addrs(const struct net_ns *net, struct nl_out *o,
		      const struct nlmsghdr *req, u8 family)
{
	int err = 0;

	if (family != AF_INET6 && load_once(&net->lo_has_addr))
		err = put_addr(o, req, RTM_NEWADDR, NLM_F_MULTI, AF_INET);
	if (!err && family != AF_INET && load_once(&net->lo_up))
		err = put_addr(o, req, RTM_NEWADDR, NLM_F_MULTI, AF_INET6);
	return err;
}

/* All routes there are, as messages of @type. */
static int put_routes(struct nl_out *o, const struct nlmsghdr *req, u16 type,
		      u16 flags, u8 family)
{
	int err = 0;

	if (family != AF_INET6)
		err = put_route(o, req, type, flags, AF_INET, 8)
			      ?: put_route(o, req, type, flags, AF_INET, 32);
	if (!err && family != AF_INET)
		err = put_route(o, req, type, flags, AF_INET6, 128);
	return err;
}

static int dump(struct net_ns *net, struct nl_out *o,
		const struct nlmsghdr *req, u32 len, u8 family)
{
	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6 &&
	    req->type != RTM_GETLINK)
		return 0;
	switch (req->type) {
	case RTM_GETLINK:
		return rtnl_dump_links(net, o, req, len);
	case RTM_GETADDR:
		return dump_addrs(net, o, req, family);
	case RTM_GETROUTE:
		return load_once(&net->lo_up) ? put_routes(o, req, RTM_NEWROUTE,
							   NLM_F_MULTI, family)
					      : 0;
	case RTM_GETRULE:
		return rtnl_dump_rules(o, req, family);
	case RTM_GETNEIGH:
		return 0; /* none */
	default:
		return -EOPNOTSUPP;
	}
}

/* RTM_GETROUTE of one destination. */
static int find_route(const struct net_ns *net, struct nl_out *o,
		      const struct nlmsghdr *req, u32 len)
{
	const struct rtmsg *r = (const void *)(req + 1);
	const struct nlattr *a =
		len < sizeof(*req) + sizeof(*r)
			? NULL
			: nl_find(req, len, sizeof(*r), RTA_DST);
	const u8 *dst;

	if (!a || !load_once(&net->lo_up))
		return -ENETUNREACH;
	dst = (const void *)(a + 1);
	if (r->family == AF_INET && a->len >= sizeof(*a) + 4 && dst[0] == 127)
		return put_route(o, req, RTM_NEWROUTE, 0, AF_INET, 32);
	if (r->family == AF_INET6 && a->len >= sizeof(*a) + 16 &&
	    !memcmp(dst, lo6, 16))
		return put_route(o, req, RTM_NEWROUTE, 0, AF_INET6, 128);
	return -ENETUNREACH;
}

/* --- notifications */

static const struct nlmsghdr from_kernel;

static void tell_addr(struct net_ns *net, u16 type, u8 family)
{
	struct nl_out o;

	nl_out_init(&o);
	(void)put_addr(&o, &from_kernel, type, 0, family);
	netlink_tell(net,
		     family == AF_INET ? RTNLGRP_IPV4_IFADDR
				       : RTNLGRP_IPV6_IFADDR,
		     &o);
}

static void tell_route(struct net_ns *net, u16 type, u8 family, u8 bits)
{
	struct nl_out o;

	nl_out_init(&o);
	(void)put_route(&o, &from_kernel, type, 0, family, bits);
	netlink_tell(net,
		     family == AF_INET ? RTNLGRP_IPV4_ROUTE
				       : RTNLGRP_IPV6_ROUTE,
		     &o);
}

void rtnl_lo_changed(struct net_ns *net, bool up)
{
	u16 addr = up ? RTM_NEWADDR : RTM_DELADDR;
	u16 route = up ? RTM_NEWROUTE : RTM_DELROUTE;

	if (up)
		tell_addr(net, addr, AF_INET);
	tell_route(net, route, AF_INET, 8);
	tell_route(net, route, AF_INET, 32);
	tell_addr(net, addr, AF_INET6);
	tell_route(net, route, AF_INET6, 128);
}

/* The loopback is given the address that going up would give it: the only one that it
 * can have. */
static int new_addr(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	const struct ifaddrmsg *m = (const void *)(req + 1);
	const struct nlattr *a =
		len < sizeof(*req) + sizeof(*m)
			? NULL
			: nl_find(req, len, sizeof(*m), IFA_LOCAL);

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	if (!a || a->len < sizeof(*a) + 4)
		return -EINVAL;
	if (m->index != LOOPBACK_INDEX)
		return -ENODEV;
	if (m->family != AF_INET || m->prefixlen != 8 ||
	    memcmp(a + 1, lo4, 4) != 0)
		return -EOPNOTSUPP;
	if (load_once(&net->lo_has_addr))
		return -EEXIST;
	store_once(&net->lo_has_addr, true);
	tell_addr(net, RTM_NEWADDR, AF_INET);
	return 0;
}

/* --- requests */

static int request(struct net_ns *net, struct nl_out *o,
		   const struct nlmsghdr *req, u32 len)
{
	switch (req->type) {
	case RTM_GETLINK:
		return rtnl_get_link(net, o, req, len);
	case RTM_NEWLINK:
		return rtnl_new_link(net, req, len);
	case RTM_SETLINK:
		return rtnl_set_link(net, req, len);
	case RTM_DELLINK:
		return rtnl_del_link(net, req, len);
	case RTM_GETROUTE:
		return find_route(net, o, req, len);
	case RTM_NEWADDR:
		return new_addr(net, req, len);
	default:
		return -EOPNOTSUPP;
	}
}

int rtnl_request(struct net_ns *net, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool is_dump)
{
	u8 family = len > sizeof(*req) ? *(const u8 *)(req + 1) : 0;
	int err;

	if (req->type == RTM_NEWNSID || req->type == RTM_GETNSID)
		return rtnl_nsid_request(net, o, req, len, is_dump);
	mutex_lock(&rtnl_mutex);
	err = is_dump ? dump(net, o, req, len, family)
		      : request(net, o, req, len);
	mutex_unlock(&rtnl_mutex);
	return err;
}
