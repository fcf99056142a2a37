/* SPDX-License-Identifier: MIT */
/*
 * net/route/route.h - addresses of interfaces, routes and neighbours, and how packets of IP
 * come and go.
 *
 * An IPv4 address is its v4-mapped IPv6 one here too (net/inet.h), so that one table and
 * one look-up serve both; prefixes of IPv4 are 96 bits longer inside.
 *
 *	socket --> route_lookup() --> ip_output() --> neighbour --> link_send()
 *	link_input() --> ip4_input() --> fragments --> ip_deliver() --> raw, UDP, ICMP, tcp_input()
 *			     `--> ip_forward() when it is for somebody else
 *
 * Locking: rtnl_mutex (net/link/link.h) for who changes addresses and routes; route_lock
 * (RANK_NET) guards what the data path reads; a neighbour's queue is under it too.
 */
#ifndef NET_ROUTE_ROUTE_H
#define NET_ROUTE_ROUTE_H

#include <net/inet.h>
#include <net/link/link.h>

enum route_type {
	ROUTE_UNICAST = 1, /* as RTN_* */
	ROUTE_LOCAL =
		2, /* an address of this machine: sockets meet without packets */
	ROUTE_BROADCAST = 3,
	ROUTE_MULTICAST = 5,
	ROUTE_BLACKHOLE = 6,
	ROUTE_UNREACHABLE = 7,
	ROUTE_PROHIBIT = 8,
};

/* Where something goes.  Owns a reference of dev. */
struct route {
	enum route_type type;
	struct net_device *dev; /* NULL: ROUTE_LOCAL */
	u8 src[16];    /* what is sent from, if nobody says otherwise */
	u8 next[16];   /* the neighbour: a gateway, or the destination */
	u32 mtu;       /* of the link, the route or the path */
	u32 hop_limit; /* 0: the default */
};

/*
 * The way to @dst in @net; @src: the sender's address, or NULL; @oif: only by that
 * interface, or 0.  Any context, no lock of rank NET or inner held.  0 and *@r (then
 * route_put()), or -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL.
 */
int route_lookup(struct net_ns *net, const u8 dst[16], const u8 *src, u32 oif,
		 struct route *r);
/* The same of what is known besides. */
struct route_query {
	const u8 *dst, *src; /* src: or NULL */
	u32 oif, mark;
	const struct net_device *in; /* where it came; NULL: it is ours */
	/* [route_query()] that of oif, or NULL */
	const struct net_device *out;
};
int route_find(struct net_ns *net, const struct route_query *asked,
	       struct route *r);
/* As the socket's mark wants it. */
int inet_way(const struct inet_sock *is, const u8 dst[16], const u8 *src,
	     u32 oif, struct route *r);
void route_put(struct route *r);
/* Changes whenever a look-up might end otherwise: who keeps a route looks at it.  [a] */
u32 route_generation(const struct net_ns *net);
/* Is it an address of this machine?  Any context; inet_lock may be held. */
bool route_is_local(const struct net_ns *net, const u8 ip[16]);
/* The path to @dst takes no longer packets (ICMP). */
void route_path_mtu(struct net_ns *net, const u8 dst[16], u32 mtu);

/* What the header of a packet says besides addresses. */
struct ip_opts {
	u8 ttl; /* 0: the default */
	u8 tos;
	bool dont_fragment;
	u32 mark;
};

/*
 * @b, whose data is the transport's header and which has room for ours in front, goes from
 * @src to @dst by @r.  It is cut into fragments if it is too long (-EMSGSIZE if it must not
 * be; a gso_size packet is cut by the device, or here).  Takes b; r stays the caller's.  A
 * coroutine or the worker, no spinlock held; a mutex may be.  0 or -errno.
 */
int ip_output(struct net_ns *net, const struct route *r, u8 proto,
	      const u8 src[16], const u8 dst[16], const struct ip_opts *o,
	      struct netbuf *b);

/* The pseudo header's sum of @len bytes of @proto [RFC 9293 3.1, RFC 8200 8.1]: folded,
 * not inverted. */
u16 ip_pseudo_sum(u8 proto, const u8 src[16], const u8 dst[16], u32 len);

/* A packet that arrived for us, whole.  data is the transport's header. */
struct ip_packet {
	struct netbuf *b; /* [owner] */
	u8 src[16], dst[16];
	u8 proto, ttl, tos;
	bool to_many; /* a broadcast or a group */
};

/* --- defined by net/tcp/: takes p->b.  The worker, no lock held. */
void tcp_input(struct net_ns *net, struct ip_packet *p);
/* An error about a segment of ours that began with @seg (8 bytes at least): ICMP's, as an
 * errno; @mtu for -EMSGSIZE. */
void tcp_path_error(struct net_ns *net, const u8 src[16], const u8 dst[16],
		    const u8 *seg, u32 len, int err, u32 mtu);

/* --- configuration; rtnl_mutex held.  Prefixes as users give them (0 to 32 or 128). */
struct if_addr {
	struct list_head node;		    /* [route_lock] */
	struct net_device *dev;		    /* [I] owned reference */
	u16 family;			    /* [I] AF_INET or AF_INET6 */
	u8 ip[16], peer[16], broadcast[16]; /* [I] */
	u8 prefix;			    /* [I] */
	u8 scope;			    /* [I] RT_SCOPE_* */
	u32 flags;			    /* [a] IFA_F_* */
	u32 metric;			    /* [I] of its prefix route */
	char label[NETDEV_NAME];	    /* [I] IPv4 */
	u64 valid_until,
		preferred_until; /* [R] CLOCK_MONOTONIC ns; ~0: for ever */
	u64 made, changed;	 /* [R] likewise */
	u64 dad_at; /* [R] duplicate address detection ends; 0: none under way */
	bool dad_sent; /* [R] the question has gone */
};
/* Copies *@given; -EEXIST, -EINVAL, -ENOMEM.  Listeners to rtnetlink are told. */
int if_addr_add(const struct if_addr *given);
/* Times and flags of *@given are those of the address that is there; -EADDRNOTAVAIL. */
int if_addr_renew(const struct if_addr *given);
int if_addr_del(struct net_device *dev, u16 family, const u8 ip[16],
		int prefix);
void if_addr_for_each(struct net_ns *net,
		      void (*fn)(const struct if_addr *a, void *arg),
		      void *arg);

struct fib_route {
	struct list_head node; /* [route_lock] all of a family, in order */
	struct list_head hash; /* [route_lock] table.c */
	u16 family;
	u8 dst[16], src_prefix[16], via[16], prefsrc[16];
	u8 dst_len, src_len; /* as users give them */
	bool has_via;
	u8 type; /* ROUTE_* */
	u8 scope, protocol, tos;
	u32 table, metric, flags, mtu, hop_limit;
	u64 expires;		/* [R] CLOCK_MONOTONIC ns; 0: never */
	struct net_device *dev; /* owned reference, or NULL */
};
/* @nlm: NLM_F_REPLACE, _EXCL, _CREATE, _APPEND of the request.  Copies. */
int fib_add(struct net_ns *net, const struct fib_route *given, u32 nlm);
int fib_del(struct net_ns *net, const struct fib_route *given);
void fib_for_each(struct net_ns *net,
		  void (*fn)(const struct fib_route *r, void *arg), void *arg);

/* Neighbours, as RTM_*NEIGH and /proc/net/arp show them. */
struct neigh_info {
	struct net_device *dev;
	u16 family, state; /* NUD_* */
	u8 ip[16], lladdr[LINK_ADDR_MAX];
	u8 flags;
	u64 used, confirmed, updated; /* CLOCK_MONOTONIC ns */
};

struct fib_rule; /* rule.h */
/* Who is told of changes (rtnetlink): set once, before there is any; rtnl_mutex held, but
 * for neighbours: the worker or a coroutine, no lock held.  Members may be NULL. */
struct route_listener {
	void (*addr)(struct net_ns *net, const struct if_addr *a, bool gone);
	void (*route)(struct net_ns *net, const struct fib_route *r, bool gone);
	void (*rule)(struct net_ns *net, const struct fib_rule *r, bool gone);
	void (*neigh)(struct net_ns *net, const struct neigh_info *n,
		      bool gone);
};
extern const struct route_listener *route_listener;

/* Neighbours; rtnl_mutex held. */
int neigh_set(struct net_ns *net, const struct neigh_info *want, u32 nlm);
int neigh_del(struct net_ns *net, struct net_device *dev, const u8 ip[16]);
/* False: there is none. */
bool neigh_get(const struct net_device *dev, const u8 ip[16],
	       struct neigh_info *n);
void neigh_for_each(struct net_ns *net,
		    void (*fn)(const struct neigh_info *n, void *arg),
		    void *arg);

#endif /* NET_ROUTE_ROUTE_H */
