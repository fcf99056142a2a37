/* SPDX-License-Identifier: MIT */
/* net/link/show.c - links as rtnetlink shows them, and tells of them; see rtnl.h. */
#include <net/link/rtnl.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>
#include <net/netns.h>

/* struct rtnl_link_stats64, and the same of 32 bits. */
#define NR_STATS64 25
#define NR_STATS   24

void link_stats(const struct net_device *dev, struct net_stats *st)
{
	const struct net_stats *s = &dev->stats;

	*st = (struct net_stats){
		.rx_packets = load_once(&s->rx_packets),
		.rx_bytes = load_once(&s->rx_bytes),
		.rx_errors = load_once(&s->rx_errors),
		.rx_dropped = load_once(&s->rx_dropped),
		.tx_packets = load_once(&s->tx_packets),
		.tx_bytes = load_once(&s->tx_bytes),
		.tx_errors = load_once(&s->tx_errors),
		.tx_dropped = load_once(&s->tx_dropped),
		.multicast = load_once(&s->multicast),
	};
	if (!link_is_lo(dev))
		return;
	st->rx_packets += netdev_packets(dev->net);
	st->tx_packets += netdev_packets(dev->net);
	st->rx_bytes += netdev_bytes(dev->net);
	st->tx_bytes += netdev_bytes(dev->net);
}

static void put_stats(const struct net_device *dev, struct nl_out *o)
{
	struct net_stats s;
	u32 st32[NR_STATS];

	link_stats(dev, &s);
	u64 st[NR_STATS64] = { s.rx_packets, s.tx_packets, s.rx_bytes,
			       s.tx_bytes,   s.rx_errors,  s.tx_errors,
			       s.rx_dropped, s.tx_dropped, s.multicast };

	for (u32 i = 0; i < NR_STATS; i++)
		st32[i] = (u32)st[i];
	nl_attr(o, IFLA_STATS64, st, sizeof(st));
	nl_attr(o, IFLA_STATS, st32, sizeof(st32));
}

/* Who serves its queue. */
const char *link_qdisc(const struct net_device *dev)
{
	const struct link *l = link_of(dev);

	if (link_is_lo(dev) || (l->kind && l->kind->create))
		return l->was_up ? "noqueue" : "noop";
	return l->was_up ? "pfifo_fast" : "noop";
}

/* Its number in @net's namespace @of, which gets one. */
static s32 nsid_for(struct net_ns *net, const struct net_ns *of)
{
	s32 id = net_nsid_of(net, of);

	if (id != NETNSID_NONE || net_nsid_set(net, of, -1))
		return id;
	return net_nsid_of(net, of);
}

s32 link_iflink(const struct net_device *dev, struct net_ns **net)
{
	const struct link *l = link_of(dev);

	*net = dev->net;
	return l->kind && l->kind->peer_index ? l->kind->peer_index(dev, net)
					      : dev->index;
}

static void put_relatives(const struct net_device *dev, struct nl_out *o)
{
	const struct link *l = link_of(dev);
	struct net_ns *of;
	s32 peer = link_iflink(dev, &of);

	if (l->kind && l->kind->peer_index)
		nl_attr32(o, IFLA_LINK, (u32)peer);
	if (of != dev->net)
		nl_attr32(o, IFLA_LINK_NETNSID, (u32)nsid_for(dev->net, of));
	if (l->master)
		nl_attr32(o, IFLA_MASTER, (u32)l->master->index);
}

static void put_kind(const struct net_device *dev, struct nl_out *o)
{
	const struct link *l = link_of(dev);
	const struct link_kind *m = l->master ? link_of(l->master)->kind : NULL;
	struct nlattr *nest, *data;

	if (!l->kind && !m)
		return;
	nest = nl_nest(o, IFLA_LINKINFO);
	if (l->kind)
		nl_attr(o, IFLA_INFO_KIND, l->kind->name,
			(u32)strlen(l->kind->name) + 1);
	if (l->kind && l->kind->fill) {
		data = nl_nest(o, IFLA_INFO_DATA);
		l->kind->fill(dev, o);
		nl_nest_end(o, data);
	}
	if (m)
		nl_attr(o, IFLA_INFO_SLAVE_KIND, m->name,
			(u32)strlen(m->name) + 1);
	nl_nest_end(o, nest);
}

static void put_state(const struct net_device *dev, struct nl_out *o)
{
	const struct link *l = link_of(dev);
	u32 up = load_once(&l->carrier_up), down = load_once(&l->carrier_down);
	u8 state = link_operstate(dev), carrier = load_once(&dev->carrier);

	nl_attr32(o, IFLA_TXQLEN, load_once(&dev->tx_queue_len));
	nl_attr(o, IFLA_OPERSTATE, &state, 1);
	nl_attr(o, IFLA_LINKMODE, &l->mode, 1);
	nl_attr32(o, IFLA_MTU, load_once(&dev->mtu));
	nl_attr32(o, IFLA_MIN_MTU, dev->mtu_min);
	nl_attr32(o, IFLA_MAX_MTU, dev->mtu_max);
	nl_attr32(o, IFLA_GROUP, l->group);
	nl_attr32(o, IFLA_PROMISCUITY, l->promisc);
	nl_attr32(o, IFLA_ALLMULTI, l->allmulti);
	nl_attr32(o, IFLA_NUM_TX_QUEUES, 1);
	nl_attr32(o, IFLA_NUM_RX_QUEUES, 1);
	nl_attr(o, IFLA_CARRIER, &carrier, 1);
	nl_attr32(o, IFLA_CARRIER_CHANGES, up + down);
	nl_attr32(o, IFLA_CARRIER_UP_COUNT, up);
	nl_attr32(o, IFLA_CARRIER_DOWN_COUNT, down);
}

/* Hardware has addresses of six bytes, a tunnel none. */
u32 link_addr_len(const struct net_device *dev)
{
	return dev->link_header == ETH_HEADER ? ETH_ALEN : 0;
}

static void put_addresses(const struct net_device *dev, struct nl_out *o)
{
	static const u8 none[ETH_ALEN];
	u32 n = link_addr_len(dev);

	if (!n)
		return;
	nl_attr(o, IFLA_ADDRESS, dev->mac, n);
	nl_attr(o, IFLA_BROADCAST, link_of(dev)->broadcast, n);
	if (memcmp(dev->perm_mac, none, n) != 0)
		nl_attr(o, IFLA_PERM_ADDRESS, dev->perm_mac, n);
}

static int put_link(const struct net_device *dev, struct nl_out *o,
		    const struct nlmsghdr *req, u16 type, u16 flags, u32 change)
{
	const struct link *l = link_of(dev);
	struct nlmsghdr *h = nl_begin(o, req, type, flags);
	struct ifinfomsg *i = h ? nl_room(o, sizeof(*i)) : NULL;
	const char *qdisc = link_qdisc(dev);

	if (!i)
		return -ENOBUFS;
	i->type = dev->type;
	i->index = dev->index;
	i->flags = link_flags(dev);
	i->change = change;
	nl_attr(o, IFLA_IFNAME, dev->name, (u32)strlen(dev->name) + 1);
	put_state(dev, o);
	nl_attr(o, IFLA_QDISC, qdisc, (u32)strlen(qdisc) + 1);
	if (l->alias)
		nl_attr(o, IFLA_IFALIAS, l->alias, (u32)strlen(l->alias) + 1);
	put_addresses(dev, o);
	put_stats(dev, o);
	put_relatives(dev, o);
	put_kind(dev, o);
	nl_end(o, h);
	return 0;
}

/* --- requests */

struct net_device *rtnl_named_link(struct net_ns *net,
				   const struct nlmsghdr *req, u32 len)
{
	const struct ifinfomsg *i = (const void *)(req + 1);
	char name[NETDEV_NAME] = "";
	const struct nlattr *a;
	struct net_device *dev;

	if (i->index > 0) {
		dev = link_by_index(net, i->index);
	} else {
		a = nl_find(req, len, sizeof(*i), IFLA_IFNAME);
		if (!a || rtnl_attr_len(a) > sizeof(name))
			return NULL;
		memcpy(name, a + 1, rtnl_attr_len(a));
		name[sizeof(name) - 1] = '\0';
		dev = link_by_name(net, name);
	}
	netdev_put(dev); /* rtnl_mutex keeps it */
	return dev;
}

int rtnl_get_link(struct net_ns *net, struct nl_out *o,
		  const struct nlmsghdr *req, u32 len)
{
	struct net_device *dev;

	if (len < sizeof(*req) + sizeof(struct ifinfomsg))
		return -EINVAL;
	dev = rtnl_named_link(net, req, len);
	return dev ? put_link(dev, o, req, RTM_NEWLINK, 0, 0) : -ENODEV;
}

struct link_dump {
	struct nl_out *o;
	const struct nlmsghdr *req;
	char kind[NETDEV_NAME]; /* "": any */
	s32 master;		/* 0: any */
	int err;
};

static void dump_one(struct net_device *dev, void *arg)
{
	struct link_dump *d = arg;
	const struct link *l = link_of(dev);

	if (d->err ||
	    (d->kind[0] && (!l->kind || strcmp(l->kind->name, d->kind) != 0)))
		return;
	if (d->master && (!l->master || l->master->index != d->master))
		return;
	d->err = put_link(dev, d->o, d->req, RTM_NEWLINK, NLM_F_MULTI, 0);
}

/* All, or those of a kind or of a master. */
int rtnl_dump_links(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len)
{
	struct link_dump d = { .o = o, .req = req };
	u32 fixed = sizeof(struct ifinfomsg);
	const struct nlattr *info = nl_find(req, len, fixed, IFLA_LINKINFO);
	const struct nlattr *kind =
		info ? rtnl_nested(info, IFLA_INFO_KIND) : NULL;
	u32 master = 0;

	if (kind)
		memcpy(d.kind, kind + 1,
		       min(rtnl_attr_len(kind), NETDEV_NAME - 1));
	if (nl_find32(req, len, fixed, IFLA_MASTER, &master))
		d.master = (s32)master;
	link_for_each(net, dump_one, &d);
	return d.err;
}

/* --- notifications */

static const struct nlmsghdr from_kernel;

static void tell(struct net_device *dev, u16 type, u32 change)
{
	struct nl_out o;

	nl_out_init(&o);
	(void)put_link(dev, &o, &from_kernel, type, 0, change);
	netlink_tell(dev->net, RTNLGRP_LINK, &o);
}

void rtnl_link_told(struct net_device *dev, u32 change)
{
	tell(dev, RTM_NEWLINK, change);
}

void rtnl_link_gone(struct net_device *dev)
{
	tell(dev, RTM_DELLINK, ~0u);
}
