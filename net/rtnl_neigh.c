/* SPDX-License-Identifier: MIT */
/* net/rtnl_neigh.c - RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH; see link/rtnl.h. */
#include <net/link/rtnl.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>

struct ndmsg {
	u8 family, pad1;
	u16 pad2;
	s32 ifindex;
	u16 state;
	u8 flags, type;
};
enum {
	NDA_DST = 1,
	NDA_LLADDR = 2,
	NDA_CACHEINFO = 3,
	NDA_PROBES = 4,
};

static u32 len_of(u16 family)
{
	return family == AF_INET ? 4 : 16;
}

/* --- showing */

static u32 hundredths_since(u64 ns)
{
	u64 now = clock_mono_ns();

	return now > ns ? (u32)((now - ns) / (NSEC_PER_SEC / 100)) : 0;
}

static int put_neigh(const struct neigh_info *n, struct nl_out *o,
		     const struct nlmsghdr *req, u16 type, u16 flags)
{
	struct nlmsghdr *h = nl_begin(o, req, type, flags);
	struct ndmsg *m = h ? nl_room(o, sizeof(*m)) : NULL;
	u32 times[4] = { hundredths_since(n->confirmed),
			 hundredths_since(n->used),
			 hundredths_since(n->updated) };

	if (!m)
		return -ENOBUFS;
	m->family = (u8)n->family;
	m->ifindex = n->dev->index;
	m->state = n->state;
	m->flags = n->flags;
	m->type = ROUTE_UNICAST;
	nl_attr(o, NDA_DST, n->family == AF_INET ? n->ip + 12 : n->ip,
		len_of(n->family));
	if (n->state & NUD_VALID)
		nl_attr(o, NDA_LLADDR, n->lladdr, link_addr_len(n->dev));
	nl_attr(o, NDA_CACHEINFO, times, sizeof(times));
	nl_attr32(o, NDA_PROBES, 0);
	nl_end(o, h);
	return 0;
}

struct neigh_dump {
	struct nl_out *o;
	const struct nlmsghdr *req;
	u16 family;
	u16 flags;
	const struct neigh_info *like; /* of that one only, or NULL */
	u32 nr;
	int err;
};

static void dump_one(const struct neigh_info *n, void *arg)
{
	struct neigh_dump *d = arg;

	if (d->err || n->family != d->family || !n->state)
		return;
	if (d->like && (n->dev != d->like->dev || !ip_same(n->ip, d->like->ip)))
		return;
	d->nr++;
	d->err = put_neigh(n, d->o, d->req, RTM_NEWNEIGH, d->flags);
}

int rtnl_dump_neighs(struct net_ns *net, struct nl_out *o,
		     const struct nlmsghdr *req, u8 family)
{
	struct neigh_dump d = {
		.o = o, .req = req, .family = AF_INET, .flags = NLM_F_MULTI
	};

	if (family != AF_INET6)
		neigh_for_each(net, dump_one, &d);
	d.family = AF_INET6;
	if (family != AF_INET)
		neigh_for_each(net, dump_one, &d);
	return d.err;
}

/* --- changing */

static int parse(struct net_ns *net, const struct nlmsghdr *req, u32 len,
		 struct neigh_info *n)
{
	const struct ndmsg *m = (const void *)(req + 1);
	const struct nlattr *dst, *ll;

	if (len < sizeof(*req) + sizeof(*m))
		return -EINVAL;
	if (m->family != AF_INET && m->family != AF_INET6)
		return -EOPNOTSUPP;
	dst = nl_find(req, len, sizeof(*m), NDA_DST);
	ll = nl_find(req, len, sizeof(*m), NDA_LLADDR);
	if (!dst || rtnl_attr_len(dst) < len_of(m->family))
		return -EINVAL;
	*n = (struct neigh_info){
		.family = m->family,
		.state = m->state,
		.flags = m->flags,
	};
	if (m->family == AF_INET)
		ip_set_v4(n->ip, (const u8 *)(dst + 1));
	else
		memcpy(n->ip, dst + 1, 16);
	n->dev = link_by_index(net, m->ifindex);
	netdev_put(n->dev); /* rtnl_mutex keeps it */
	if (!n->dev)
		return -ENODEV;
	if (ll && rtnl_attr_len(ll) < link_addr_len(n->dev))
		return -EINVAL;
	if (ll)
		memcpy(n->lladdr, ll + 1, link_addr_len(n->dev));
	return 0;
}

int rtnl_new_neigh(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct neigh_info n;
	int err = parse(net, req, len, &n);

	return err ? err : neigh_set(net, &n, req->flags);
}

int rtnl_del_neigh(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct neigh_info n;
	int err = parse(net, req, len, &n);

	return err ? err : neigh_del(net, n.dev, n.ip);
}

int rtnl_get_neigh(struct net_ns *net, struct nl_out *o,
		   const struct nlmsghdr *req, u32 len)
{
	struct neigh_info n;
	int err = parse(net, req, len, &n);
	struct neigh_dump d = {
		.o = o, .req = req, .family = n.family, .like = &n
	};

	if (err)
		return err;
	neigh_for_each(net, dump_one, &d);
	return d.err || d.nr ? d.err : -ENOENT;
}

/* --- notifications */

void rtnl_neigh_told(struct net_ns *net, const struct neigh_info *n, bool gone)
{
	static const struct nlmsghdr from_kernel;
	struct nl_out o;

	nl_out_init(&o);
	(void)put_neigh(n, &o, &from_kernel, gone ? RTM_DELNEIGH : RTM_NEWNEIGH,
			0);
	netlink_tell(net, RTNLGRP_NEIGH, &o);
}
