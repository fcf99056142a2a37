/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/net.h - network namespaces: interfaces, ports, names and settings.
 *
 * What one is made of belongs to net/ (net/netns.c), which makes and frees it; here
 * stands only what a thread's set of namespaces has to know.
 *
 * Every socket owns a reference to the one that it was made in.
 */
#ifndef KERNEL_NS_NET_H
#define KERNEL_NS_NET_H

#include <kernel/ns/netconf.h>
#include <kernel/ns/ns.h>
#include <lib/atomic.h>
#include <lib/list.h>

struct net_device; /* kernel/dev/netdev.h */
struct process;
struct route_ns; /* net/route/ */

/* What /proc/sys/net has of one. */
struct net_sysctl {
	u32 port_first, port_last; /* for sockets without a name */
	u32 port_unprivileged;	   /* the first one that anybody may take */
	u32 somaxconn;
	u32 conf_all[NET_NR_CONF], conf_default[NET_NR_CONF];
	u32 ping_low, ping_high; /* groups that may have a ping socket */
	u32 unix_qlen; /* messages that a datagram socket holds, less one */
};

/* What is counted of one: /proc/net/snmp and its like.  Nothing gets lost between the
 * loopback's two ends, so that what was sent is what was received. */
enum net_stat {
	NET_TCP_SEGMENTS,
	NET_TCP_CONNECTIONS,
	NET_TCP_REFUSED,
	NET_TCP_RESETS,
	/* pairs: of IPv4, of IPv6 */
	NET_IP_PACKETS,
	NET_IP6_PACKETS,
	NET_IP_BYTES, /* with headers, as if there were any */
	NET_IP6_BYTES,
	NET_ICMP_PACKETS,
	NET_ICMP6_PACKETS,
	NET_UDP_SENT,
	NET_UDP6_SENT,
	NET_UDP_TAKEN,
	NET_UDP6_TAKEN,
	NET_UDP_NO_PORT,
	NET_UDP6_NO_PORT,
	NET_UDP_FULL,
	NET_UDP6_FULL,
	NET_UDP_BAD,
	NET_UDP6_BAD,
	/* over interfaces: net/route/ */
	NET_IP_IN,
	NET_IP6_IN,
	NET_IP_IN_BYTES,
	NET_IP6_IN_BYTES,
	NET_IP_OUT,
	NET_IP6_OUT,
	NET_IP_OUT_BYTES,
	NET_IP6_OUT_BYTES,
	NET_IP_DELIVERED,
	NET_IP6_DELIVERED,
	NET_IP_BAD_HEADER,
	NET_IP6_BAD_HEADER,
	NET_IP_BAD_ADDRESS,
	NET_IP6_BAD_ADDRESS,
	NET_IP_UNKNOWN_PROTO,
	NET_IP6_UNKNOWN_PROTO,
	NET_IP_FORWARDED,
	NET_IP6_FORWARDED,
	NET_IP_NO_ROUTE,
	NET_IP6_NO_ROUTE,
	NET_REASM,
	NET_REASM6,
	NET_REASM_OK,
	NET_REASM6_OK,
	NET_REASM_FAILED,
	NET_REASM6_FAILED,
	NET_REASM_TIMEOUT,
	NET_REASM6_TIMEOUT,
	NET_FRAG_OK,
	NET_FRAG6_OK,
	NET_FRAG_FAILED,
	NET_FRAG6_FAILED,
	NET_FRAG_MADE,
	NET_FRAG6_MADE,
	NET_ICMP_IN,
	NET_ICMP6_IN,
	NET_ICMP_BAD,
	NET_ICMP6_BAD,
	NET_ICMP_OUT,
	NET_ICMP6_OUT,
	NET_NR_STATS,
};

struct net_ns {
	struct ns_common ns;
	u64 cookie;		/* [I] SO_NETNS_COOKIE */
	bool lo_up;		/* [a] */
	bool lo_has_addr;	/* [a] was up, or was given its IPv4 address */
	struct route_ns *route; /* [a] net/route/; NULL: nothing there yet */
	u32 route_gen;		/* [a] route_generation() */
	bool wired; /* [a] has addresses or routes but the loopback's own */
	u32 taps;   /* [a] sockets that want to see packets */
	struct net_sysctl ctl;	   /* [a] its words */
	u64 stats[NET_NR_STATS];   /* [a] */
	struct list_head links;	   /* [link_lock, rtnl_mutex] interfaces */
	s32 last_index;		   /* [rtnl_mutex] of an interface */
	struct net_device *lo;	   /* [I] owned */
	struct list_head node;	   /* [net_ns_lock] of all */
	struct list_head end_node; /* [net_ns_lock] of those that end */
	struct list_head nsids; /* [net_ns_lock] rtnetlink's names of others */
};
extern const struct ns_ops net_ns_ops;
extern struct net_ns init_net_ns;

static inline struct net_ns *net_ns_get(struct net_ns *n)
{
	ns_get(&n->ns);
	return n;
}
static inline void net_ns_put(struct net_ns *n) /* NULL is fine */
{
	if (n)
		ns_put(&n->ns);
}
static inline struct net_ns *current_net_ns(void)
{
	return current_nsproxy()->net;
}
static inline u64 net_stat(const struct net_ns *n, enum net_stat i)
{
	return load_once(&n->stats[i]);
}
static inline void net_count(struct net_ns *n, enum net_stat i, u64 v)
{
	atomic_add_relaxed(&n->stats[i], v);
}
/* Of thread @tid of @p, or of its leader, with a reference; NULL: it has ended. */
struct net_ns *net_ns_of_tid(int tid, struct process *p);
/* Has current @cap towards who owns @n?  Any context. */
static inline bool net_capable(const struct net_ns *n, unsigned int cap)
{
	return ns_capable(n->ns.owner, cap);
}

#endif /* KERNEL_NS_NET_H */
