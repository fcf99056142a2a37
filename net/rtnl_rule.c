/* SPDX-License-Identifier: MIT */
/*
 * net/rtnl_rule.c - RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE: which table of routes is looked
 * into for what; see link/rtnl.h.
 */
#include <net/link/rtnl.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>
#include <net/route/rule.h>

enum {
	FRA_DST = 1,
	FRA_SRC = 2,
	FRA_IIFNAME = 3,
	FRA_GOTO = 4,
	FRA_PRIORITY = 6,
	FRA_FWMARK = 10,
	FRA_FLOW = 11,
	FRA_TUN_ID = 12,
	FRA_SUPPRESS_IFGROUP = 13,
	FRA_SUPPRESS_PREFIXLEN = 14,
	FRA_TABLE = 15,
	FRA_FWMASK = 16,
	FRA_OIFNAME = 17,
	FRA_L3MDEV = 19,
	FRA_UID_RANGE = 20,
	FRA_PROTOCOL = 21,
	FRA_IP_PROTO = 22,
	FRA_SPORT_RANGE = 23,
	FRA_DPORT_RANGE = 24,
};
#define FIB_RULE_INVERT	      0x2u
#define FIB_RULE_IIF_DETACHED 0x8u
#define FIB_RULE_OIF_DETACHED 0x10u
#define RT_TABLE_COMPAT	      252u /* in the header, of one that does not fit */

struct rule_head { /* struct fib_rule_hdr */
	u8 family, dst_len, src_len, tos, table, res1, res2, action;
	u32 flags;
};

/* --- showing */

static void put_ip(struct nl_out *o, u16 type, u16 family, const u8 ip[16])
{
	if (family == AF_INET)
		nl_attr(o, type, ip + 12, 4);
	else
		nl_attr(o, type, ip, 16);
}

/* The name of an interface, and that flag if there is none of it. */
static u32 put_name(struct net_ns *net, struct nl_out *o, u16 type,
		    const char *name, u32 detached)
{
	struct net_device *dev;

	if (!name[0])
		return 0;
	nl_attr(o, type, name, (u32)strlen(name) + 1);
	dev = link_by_name(net, name);
	netdev_put(dev);
	return dev ? 0 : detached;
}

static int put_rule(struct net_ns *net, const struct fib_rule *r,
		    struct nl_out *o, const struct nlmsghdr *req, u16 type,
		    u16 flags)
{
	struct nlmsghdr *h = nl_begin(o, req, type, flags);
	struct rule_head *m = h ? nl_room(o, sizeof(*m)) : NULL;

	if (!m)
		return -ENOBUFS;
	*m = (struct rule_head){
		.family = (u8)r->family,
		.dst_len = r->dst_len,
		.src_len = r->src_len,
		.tos = r->tos,
		.table = (u8)(r->table < 256 ? r->table : RT_TABLE_COMPAT),
		.action = r->action,
		.flags = r->invert ? FIB_RULE_INVERT : 0,
	};
	nl_attr32(o, FRA_TABLE, r->table);
	nl_attr32(o, FRA_SUPPRESS_PREFIXLEN, (u32)r->suppress);
	nl_attr(o, FRA_PROTOCOL, &r->protocol, 1);
	m->flags |=
		put_name(net, o, FRA_IIFNAME, r->iif, FIB_RULE_IIF_DETACHED);
	m->flags |=
		put_name(net, o, FRA_OIFNAME, r->oif, FIB_RULE_OIF_DETACHED);
	if (r->priority)
		nl_attr32(o, FRA_PRIORITY, r->priority);
	if (r->mark)
		nl_attr32(o, FRA_FWMARK, r->mark);
	if (r->mark || r->mask)
		nl_attr32(o, FRA_FWMASK, r->mask);
	if (r->dst_len)
		put_ip(o, FRA_DST, r->family, r->dst);
	if (r->src_len)
		put_ip(o, FRA_SRC, r->family, r->src);
	nl_end(o, h);
	return 0;
}

struct rule_dump {
	struct net_ns *net;
	struct nl_out *o;
	const struct nlmsghdr *req;
	int err;
};

static void dump_one(const struct fib_rule *r, void *arg)
{
	struct rule_dump *d = arg;

	if (!d->err)
		d->err = put_rule(d->net, r, d->o, d->req, RTM_NEWRULE,
				  NLM_F_MULTI);
}

int rtnl_dump_rules(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u8 family)
{
	struct rule_dump d = { net, o, req, 0 };

	if (family != AF_INET6)
		rule_for_each(net, AF_INET, dump_one, &d);
	if (family != AF_INET)
		rule_for_each(net, AF_INET6, dump_one, &d);
	return d.err;
}

void rtnl_rule_told(struct net_ns *net, const struct fib_rule *r, bool gone)
{
	static const struct nlmsghdr from_kernel;
	struct nl_out o;

	nl_out_init(&o);
	(void)put_rule(net, r, &o, &from_kernel,
		       gone ? RTM_DELRULE : RTM_NEWRULE, 0);
	netlink_tell(net,
		     r->family == AF_INET ? RTNLGRP_IPV4_RULE
					  : RTNLGRP_IPV6_RULE,
		     &o);
}

/* --- changing */

static const struct nlattr *find(const struct nlmsghdr *req, u32 len, u16 type)
{
	return nl_find(req, len, sizeof(struct rule_head), type);
}

static int get_ip(const struct nlmsghdr *req, u32 len, u16 type, u16 family,
		  u32 bits, u8 ip[16])
{
	u32 n = family == AF_INET ? 4 : 16;
	const struct nlattr *a = find(req, len, type);

	if (bits > n * 8 || (bits && (!a || rtnl_attr_len(a) < n)))
		return -EINVAL;
	if (!bits)
		return 0;
	if (family == AF_INET)
		ip_set_v4(ip, a + 1);
	else
		memcpy(ip, a + 1, 16);
	ip_cut_prefix(ip, ip_bits(family, bits));
	return 0;
}

static int get_name(const struct nlmsghdr *req, u32 len, u16 type, char *name)
{
	const struct nlattr *a = find(req, len, type);
	u32 n = a ? rtnl_attr_len(a) : 0;

	if (!a)
		return 0;
	if (n >= NETDEV_NAME + 1 ||
	    (n == NETDEV_NAME && ((const char *)(a + 1))[n - 1]))
		return -ERANGE;
	memcpy(name, a + 1, n);
	return 0;
}

static bool has(const struct nlmsghdr *req, u32 len, u16 type, u32 *v)
{
	return nl_find32(req, len, sizeof(struct rule_head), type, v);
}

/* What chooses by something that we do not look at is not taken. */
static int check(const struct nlmsghdr *req, u32 len, const struct rule_head *m)
{
	static const u8 refused[] = { FRA_GOTO,	      FRA_FLOW,
				      FRA_TUN_ID,     FRA_SUPPRESS_IFGROUP,
				      FRA_L3MDEV,     FRA_UID_RANGE,
				      FRA_IP_PROTO,   FRA_SPORT_RANGE,
				      FRA_DPORT_RANGE };
	static const u8 none[4] = { 255, 255, 255, 255 };

	for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
		const struct nlattr *a = find(req, len, refused[i]);

		/* "of no group" is what there is anyway */
		if (a && !(refused[i] == FRA_SUPPRESS_IFGROUP &&
			   rtnl_attr_len(a) == 4 && !memcmp(a + 1, none, 4)))
			return -EOPNOTSUPP;
	}
	if (m->tos || m->flags & ~(u32)FIB_RULE_INVERT)
		return -EOPNOTSUPP;
	return 0;
}

static int parse(const struct nlmsghdr *req, u32 len, struct rule_like *l)
{
	const struct rule_head *m = (const void *)(req + 1);
	struct fib_rule *r = &l->r;
	const struct nlattr *proto;
	u32 v = 0;
	int err;

	if (len < sizeof(*req) + sizeof(*m))
		return -EINVAL;
	if (m->family != AF_INET && m->family != AF_INET6)
		return -EOPNOTSUPP;
	*l = (struct rule_like){ .r.family = m->family,
				 .r.src_len = m->src_len,
				 .r.dst_len = m->dst_len,
				 .r.action = m->action,
				 .r.table = m->table,
				 .r.suppress = -1,
				 .r.invert = m->flags & FIB_RULE_INVERT };
	err = check(req, len, m)
		      ?: get_ip(req, len, FRA_SRC, r->family, r->src_len, r->src)
		      ?: get_ip(req, len, FRA_DST, r->family, r->dst_len, r->dst)
		      ?: get_name(req, len, FRA_IIFNAME, r->iif)
		      ?: get_name(req, len, FRA_OIFNAME, r->oif);
	if (err)
		return err;
	(void)has(req, len, FRA_TABLE, &r->table);
	l->priority = has(req, len, FRA_PRIORITY, &r->priority);
	l->mark = has(req, len, FRA_FWMARK, &r->mark);
	if (l->mark)
		r->mask = ~0u; /* if nobody says otherwise */
	l->mask = has(req, len, FRA_FWMASK, &r->mask);
	l->suppress = has(req, len, FRA_SUPPRESS_PREFIXLEN, &v);
	if (l->suppress)
		r->suppress = (s32)v;
	proto = find(req, len, FRA_PROTOCOL);
	l->protocol = proto && rtnl_attr_len(proto) >= 1;
	if (l->protocol)
		r->protocol = *(const u8 *)(proto + 1);
	return 0;
}

int rtnl_new_rule(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct rule_like l;
	int err = parse(req, len, &l);

	if (err)
		return err;
	switch (l.r.action) {
	case RULE_TO_TABLE:
		if (!l.r.table)
			return -EINVAL;
		break;
	case RULE_NOP:
	case RULE_BLACKHOLE:
	case RULE_UNREACHABLE:
	case RULE_PROHIBIT:
		break;
	default:
		return -EINVAL;
	}
	if (!l.priority)
		l.r.priority = rule_next_priority(net, l.r.family);
	return rule_add(net, &l.r, req->flags & NLM_F_EXCL);
}

int rtnl_del_rule(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct rule_like l;
	int err = parse(req, len, &l);

	return err ? err : rule_del(net, &l);
}
