/* SPDX-License-Identifier: MIT */
/*
 * net/route/rule.h - rules: which table of routes a packet is looked up in.
 *
 * A namespace begins with local (0), main (32766) and, of IPv4, default (32767); as long as
 * nobody has changed them there is no list of them.
 */
#ifndef NET_ROUTE_RULE_H
#define NET_ROUTE_RULE_H

#include <net/route/route.h>

/* fib_rule.action: FR_ACT_* */
#define RULE_TO_TABLE	 1u
#define RULE_NOP	 3u
#define RULE_BLACKHOLE	 6u
#define RULE_UNREACHABLE 7u
#define RULE_PROHIBIT	 8u

struct fib_rule {
	struct list_head node; /* [route_lock] by priority */
	/* [I] */
	u16 family;
	u8 src[16], dst[16];
	u8 src_len, dst_len; /* as users give them */
	u8 action, tos, protocol;
	bool invert;
	u32 priority, table, mark, mask;
	s32 suppress; /* a route whose prefix is no longer does not count; -1: all do */
	char iif[NETDEV_NAME], oif[NETDEV_NAME]; /* "": any */
};

/* What a request says that takes one away. */
struct rule_like {
	struct fib_rule r;
	bool priority, mark, mask, protocol, suppress;
};

/* rtnl_mutex held.  Copies; listeners are told.  -EEXIST (if @excl), -ENOMEM. */
int rule_add(struct net_ns *net, const struct fib_rule *given, bool excl);
/* The first that is like that; -ENOENT. */
int rule_del(struct net_ns *net, const struct rule_like *like);
/* The number of one that does not say any. */
u32 rule_next_priority(const struct net_ns *net, u16 family);
void rule_for_each(const struct net_ns *net, u16 family,
		   void (*fn)(const struct fib_rule *r, void *arg), void *arg);
void rule_free_all(struct route_ns *rn);

#endif /* NET_ROUTE_RULE_H */
