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

#include <kernel/ns/ns.h>
#include <lib/list.h>

struct process;

/* What /proc/sys/net has of one. */
struct net_sysctl {
	u32 port_first, port_last; /* for sockets without a name */
	u32 port_unprivileged;	   /* the first one that anybody may take */
	u32 somaxconn;
};

struct net_ns {
	struct ns_common ns;
	u64 cookie;		/* [I] SO_NETNS_COOKIE */
	bool lo_up;		/* [a] */
	bool lo_has_addr;	/* [a] has been up: its IPv4 address stays */
	u32 taps;		/* [a] sockets that want to see packets */
	struct net_sysctl ctl;	/* [a] its words */
	struct list_head node;	/* [net_ns_lock] of all */
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
/* Of thread @tid of @p, or of its leader, with a reference; NULL: it has ended. */
struct net_ns *net_ns_of_tid(int tid, struct process *p);
/* Has current @cap towards who owns @n?  Any context. */
static inline bool net_capable(const struct net_ns *n, unsigned int cap)
{
	return ns_capable(n->ns.owner, cap);
}

#endif /* KERNEL_NS_NET_H */
