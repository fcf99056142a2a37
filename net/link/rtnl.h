/* SPDX-License-Identifier: MIT */
/*
 * net/link/rtnl.h - rtnetlink(7): what the files that answer it share.
 *
 *	net/rtnetlink.c		which request goes where
 *	net/link/show.c		links are shown, and told of
 *	net/link/setlink.c	... made, changed, taken away
 *	net/rtnl_addr.c, rtnl_route.c, rtnl_neigh.c, rtnl_rule.c, rtnl_nsid.c
 *
 * All is done with rtnl_mutex held.
 */
#ifndef NET_LINK_RTNL_H
#define NET_LINK_RTNL_H

#include <net/link/dev.h>
#include <net/netlink.h>

enum {
	RTM_NEWLINK = 16,
	RTM_DELLINK = 17,
	RTM_GETLINK = 18,
	RTM_SETLINK = 19,
	RTM_NEWADDR = 20,
	RTM_DELADDR = 21,
	RTM_GETADDR = 22,
	RTM_NEWROUTE = 24,
	RTM_DELROUTE = 25,
	RTM_GETROUTE = 26,
	RTM_NEWNEIGH = 28,
	RTM_DELNEIGH = 29,
	RTM_GETNEIGH = 30,
	RTM_NEWRULE = 32,
	RTM_DELRULE = 33,
	RTM_GETRULE = 34,
	RTM_NEWNSID = 88,
	RTM_GETNSID = 90,
};

struct ifinfomsg {
	u8 family, pad;
	u16 type;
	s32 index;
	u32 flags, change;
};

enum {
	IFLA_ADDRESS = 1,
	IFLA_BROADCAST = 2,
	IFLA_IFNAME = 3,
	IFLA_MTU = 4,
	IFLA_LINK = 5,
	IFLA_QDISC = 6,
	IFLA_STATS = 7,
	IFLA_MASTER = 10,
	IFLA_TXQLEN = 13,
	IFLA_MAP = 14,
	IFLA_OPERSTATE = 16,
	IFLA_LINKMODE = 17,
	IFLA_LINKINFO = 18,
	IFLA_NET_NS_PID = 19,
	IFLA_IFALIAS = 20,
	IFLA_STATS64 = 23,
	IFLA_GROUP = 27,
	IFLA_NET_NS_FD = 28,
	IFLA_PROMISCUITY = 30,
	IFLA_NUM_TX_QUEUES = 31,
	IFLA_NUM_RX_QUEUES = 32,
	IFLA_CARRIER = 33,
	IFLA_CARRIER_CHANGES = 35,
	IFLA_LINK_NETNSID = 37,
	IFLA_TARGET_NETNSID = 46,
	IFLA_CARRIER_UP_COUNT = 47,
	IFLA_CARRIER_DOWN_COUNT = 48,
	IFLA_NEW_IFINDEX = 49,
	IFLA_MIN_MTU = 50,
	IFLA_MAX_MTU = 51,
	IFLA_PERM_ADDRESS = 54,
	IFLA_ALLMULTI = 61,
};
enum {
	IFLA_INFO_KIND = 1,
	IFLA_INFO_DATA = 2,
	IFLA_INFO_SLAVE_KIND = 4,
};
#define LINK_ALIAS_MAX 256u

/* What a request says of a link: what points somewhere points into it. */
struct rtnl_link_req {
	struct link_new how;	/* name is q->name */
	char name[NETDEV_NAME]; /* "": it says none */
	char kind[NETDEV_NAME]; /* likewise */
	const struct nlattr *ns_pid, *ns_fd, *mac, *broadcast, *mtu, *txqlen,
		*master, *alias, *group, *linkmode, *carrier, *new_index;
};

/* The attributes of @len bytes at @p: the one of @type, or NULL. */
const struct nlattr *rtnl_find(const void *p, u32 len, u16 type);
/* The same of those inside of @nest. */
const struct nlattr *rtnl_nested(const struct nlattr *nest, u16 type);
static inline u32 rtnl_attr_len(const struct nlattr *a)
{
	return a->len - (u32)sizeof(*a);
}
/* Its number; one that is too short is 0. */
u32 rtnl_u32(const struct nlattr *a);

/* @len bytes of attributes at @p.  0, -EINVAL, -ERANGE (a name too long). */
int rtnl_parse_link(const void *p, u32 len, struct rtnl_link_req *q);
/* VETH_INFO_PEER: a struct ifinfomsg and attributes. */
int rtnl_parse_peer(const struct nlattr *a, struct rtnl_link_req *q);
/* The namespace that it is to be in, with a reference, or ERR_PTR: @net if it names none. */
struct net_ns *rtnl_target_net(struct net_ns *net,
			       const struct rtnl_link_req *q);
/* What @how asks for, into a device that is to be registered; @name if it has no name. */
void link_new_apply(struct net_device *dev, const struct link_new *how,
		    const char *name);
const struct link_kind *link_kind_find(const char *name);

/* --- show.c */
int rtnl_get_link(struct net_ns *net, struct nl_out *o,
		  const struct nlmsghdr *req, u32 len);
int rtnl_dump_links(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len);
/* The one that a request names by number or name, borrowed, or NULL. */
struct net_device *rtnl_named_link(struct net_ns *net,
				   const struct nlmsghdr *req, u32 len);
/* --- setlink.c */
int rtnl_new_link(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_set_link(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_del_link(struct net_ns *net, const struct nlmsghdr *req, u32 len);

/* --- net/rtnl_addr.c, rtnl_route.c, rtnl_neigh.c */
struct if_addr;
int rtnl_dump_addrs(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u8 family);
int rtnl_get_addr(struct net_ns *net, struct nl_out *o,
		  const struct nlmsghdr *req, u32 len);
int rtnl_new_addr(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_del_addr(struct net_ns *net, const struct nlmsghdr *req, u32 len);
void rtnl_addr_told(struct net_ns *net, const struct if_addr *a, bool gone);
int rtnl_dump_routes(struct net_ns *net, struct nl_out *o,
		     const struct nlmsghdr *req, u32 len, u8 family);
int rtnl_find_route(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len);
int rtnl_new_route(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_del_route(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_dump_neighs(struct net_ns *net, struct nl_out *o,
		     const struct nlmsghdr *req, u8 family);
int rtnl_get_neigh(struct net_ns *net, struct nl_out *o,
		   const struct nlmsghdr *req, u32 len);
int rtnl_new_neigh(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_del_neigh(struct net_ns *net, const struct nlmsghdr *req, u32 len);
/* --- net/rtnl_rule.c */
int rtnl_dump_rules(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u8 family);
int rtnl_new_rule(struct net_ns *net, const struct nlmsghdr *req, u32 len);
int rtnl_del_rule(struct net_ns *net, const struct nlmsghdr *req, u32 len);
struct fib_rule;
void rtnl_rule_told(struct net_ns *net, const struct fib_rule *r, bool gone);
struct neigh_info;
void rtnl_neigh_told(struct net_ns *net, const struct neigh_info *n, bool gone);

#endif /* NET_LINK_RTNL_H */
