/* SPDX-License-Identifier: MIT */
/*
 * net/route/route_int.h - what the files of net/route/ share.
 *
 * Addresses are 16 bytes: those of IPv4 v4-mapped.  Numbers in packets are read byte by
 * byte: nothing in a packet is aligned.
 */
#ifndef NET_ROUTE_INT_H
#define NET_ROUTE_INT_H

#include <lib/string.h>
#include <net/ip.h>
#include <net/netlink.h>
#include <net/route/conf.h>
#include <net/route/route.h>

#define ICMP_HEADER 8u
#define IP_DF	    0x4000u
#define IP_MF	    0x2000u
#define IP_OFFSET   0x1fffu

#define IPPROTO_IGMP	 2
#define IPPROTO_HOPOPTS	 0
#define IPPROTO_ROUTING	 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_NONE	 59
#define IPPROTO_DSTOPTS	 60

#define RT_TABLE_DEFAULT  253u
#define RT_TABLE_MAIN	  254u
#define RT_TABLE_LOCAL	  255u
#define RT_SCOPE_UNIVERSE 0u
#define RT_SCOPE_LINK	  253u
#define RT_SCOPE_HOST	  254u
#define RT_SCOPE_NOWHERE  255u
#define RTPROT_KERNEL	  2u
#define RTPROT_BOOT	  3u
#define RTPROT_RA	  9u
#define RTNH_F_ONLINK	  4u
#define METRIC6_KERNEL	  256u
#define METRIC6_USER	  1024u

#define IFA_F_SECONDARY	    0x01u
#define IFA_F_NODAD	    0x02u
#define IFA_F_DADFAILED	    0x08u
#define IFA_F_DEPRECATED    0x20u
#define IFA_F_TENTATIVE	    0x40u
#define IFA_F_PERMANENT	    0x80u
#define IFA_F_NOPREFIXROUTE 0x200u

#define NUD_INCOMPLETE 0x01u
#define NUD_REACHABLE  0x02u
#define NUD_STALE      0x04u
#define NUD_DELAY      0x08u
#define NUD_PROBE      0x10u
#define NUD_FAILED     0x20u
#define NUD_NOARP      0x40u
#define NUD_PERMANENT  0x80u
#define NUD_VALID                                                            \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | \
	 NUD_DELAY)

/* What one namespace has; made with its first address or route, and freed with it. */
struct route_ns {
	struct list_head addrs;	   /* [route_lock] of if_addr */
	struct list_head fib[2];   /* [route_lock] of fib_route: IPv4, IPv6 */
	u32 nr_routes;		   /* [route_lock] */
	struct list_head rules[2]; /* [route_lock] rule.c: IPv4, IPv6 */
	bool own_rules;		   /* [route_lock] else the usual ones hold */
	struct list_head tables;   /* [route_lock] table.c */
	struct list_head *bucket;  /* [route_lock] of fib_route */
	u32 nr_buckets;		   /* [route_lock] a power of 2, or 0 */
	struct list_head paths;	   /* [route_lock] path.c */
	u32 nr_paths;		   /* [route_lock, a] */
	struct list_head groups;   /* [route_lock] group.c */
};

extern struct spinlock route_lock;

static inline bool ip_is_v4(const u8 ip[16])
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(ip, mapped, sizeof(mapped));
}
static inline bool ip_same(const u8 a[16], const u8 b[16])
{
	return !memcmp(a, b, 16);
}
static inline void ip_set_v4(u8 ip[16], const void *v4)
{
	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, v4, 4);
}
/* Of the packet whose header is at @h. */
static inline void ip_addresses(const u8 *h, bool v4, u8 src[16], u8 dst[16])
{
	if (v4) {
		ip_set_v4(src, h + 12);
		ip_set_v4(dst, h + 16);
	} else {
		memcpy(src, h + 8, 16);
		memcpy(dst, h + 24, 16);
	}
}
static inline bool ip_is_any(const u8 ip[16])
{
	static const u8 zeros[16];

	return !memcmp(ip, zeros, 10) && !memcmp(ip + 12, zeros, 4) &&
	       (!memcmp(ip + 10, zeros, 2) || ip_is_v4(ip));
}
static inline bool ip_is_loopback(const u8 ip[16])
{
	static const u8 lo[16] = { [15] = 1 };

	return ip_is_v4(ip) ? ip[12] == 127 : ip_same(ip, lo);
}
static inline bool ip_is_multicast(const u8 ip[16])
{
	return ip[0] == 0xff || (ip_is_v4(ip) && (ip[12] & 0xf0) == 0xe0);
}
static inline bool ip_is_all_ones(const u8 ip[16])
{
	static const u8 ones[4] = { 255, 255, 255, 255 };

	return ip_is_v4(ip) && !memcmp(ip + 12, ones, 4);
}
static inline bool ip_is_link_local(const u8 ip[16])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}
/* Are the first @bits equal? */
bool ip_same_prefix(const u8 a[16], const u8 b[16], u32 bits);
/* Clear what is behind the first @bits. */
void ip_cut_prefix(u8 ip[16], u32 bits);
/* A user's length of a prefix, of the 16 bytes. */
static inline u32 ip_bits(u16 family, u32 len)
{
	return family == AF_INET ? len + 96 : len;
}

static inline u32 get_be32(const u8 *p)
{
	return get_be16(p) << 16 | get_be16(p + 2);
}
static inline void put_be32(u8 *p, u32 v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v);
}

static inline bool link_exists(const struct net_ns *net, u32 index)
{
	struct net_device *dev = link_by_index(net, (s32)index);

	netdev_put(dev);
	return dev;
}

/* A number as it lies in memory in the order of the network, and back. */
static inline u32 net32(u32 v)
{
	u8 b[4];

	put_be32(b, v);
	memcpy(&v, b, 4);
	return v;
}

/* --- addr.c; rtnl_mutex held unless noted */
/* What @net has; made if it has nothing yet: NULL, no memory. */
struct route_ns *route_ns_make(struct net_ns *net);
static inline struct route_ns *route_ns(const struct net_ns *net)
{
	/* ROUTENS (acquire) - pairs with route_ns_make(). */
	return load_acquire(&net->route);
}
void route_changed(struct net_ns *net); /* any context */
/* A worker's look: the address of @dev, route_lock held, or NULL. */
struct if_addr *addr_find_locked(const struct net_device *dev, const u8 ip[16]);
void addr_drop(struct if_addr *a); /* off the list; tells, and frees */
bool addr_is_usable(const struct if_addr *a);
void addr_prefix_ip(const struct if_addr *a, u8 ip[16]);

/* --- fib.c */
/* Routes that come and go with an address or an interface: no checks, no lock held. */
int fib_put(struct net_ns *net, const struct fib_route *r);
void fib_take(struct net_ns *net, const struct fib_route *like);
/* All of @dev, of @family or both (0), go. */
void fib_flush(struct net_device *dev, u16 family);
/* Of one table, and prefix? */
static inline bool fib_same_prefix(const struct fib_route *a,
				   const struct fib_route *b)
{
	return a->table == b->table && a->family == b->family &&
	       a->dst_len == b->dst_len && ip_same(a->dst, b->dst);
}
/* --- table.c */
/* There is room for @r, too.  rtnl_mutex held, route_lock not.  0, -ENOMEM. */
int fib_index_grow(struct route_ns *rn, const struct fib_route *r);
/* route_lock held.  @before: of the same prefix, or NULL: behind all that are no worse. */
void fib_index_add(struct route_ns *rn, struct fib_route *r,
		   struct fib_route *before);
void fib_index_del(struct route_ns *rn, struct fib_route *r);
void fib_index_free(struct route_ns *rn); /* it has no routes any more */
/* The best way to @dst in a table, route_lock held; NULL: none. */
const struct fib_route *fib_find_in(const struct route_ns *rn, u32 table,
				    const u8 dst[16], u32 oif);
/* The first one of @r's table and prefix that is @like it.  rtnl_mutex or route_lock. */
struct fib_route *fib_find_like(const struct route_ns *rn,
				const struct fib_route *r,
				bool (*like)(const struct fib_route *a,
					     const struct fib_route *b));

/* --- rule.c */
/* The best route for @q, route_lock held; NULL: none. */
const struct fib_route *rule_find_locked(const struct route_ns *rn,
					 const struct route_query *q);
/* --- fib.c, too */
/* What @dst is to one who receives: route_lock not held.  0: none of ours. */
enum route_type route_input_type(const struct net_ns *net, const u8 dst[16]);

/* Index of the interface that has @ip; 0: nobody has.  route_lock not held. */
u32 route_dev_of(const struct net_ns *net, const u8 ip[16]);

/* --- source.c; route_lock held.  False: @dev's namespace has none. */
bool source_select4(const struct route_ns *rn, const struct net_device *dev,
		    const u8 peer[16], u32 scope, u8 src[16]);
bool source_select6(const struct route_ns *rn, const struct net_device *dev,
		    const u8 dst[16], u8 src[16]);

/* --- path.c; route_lock held.  What is known of the path to @dst: 0, nothing. */
u32 path_mtu_locked(const struct route_ns *rn, const u8 dst[16]);
void path_free_all(struct route_ns *rn);

/* --- neigh.c */
/* Send @b, whose data is the IP header, to the neighbour @next; takes it. */
int neigh_output(struct net_device *dev, enum route_type type,
		 const u8 next[16], struct netbuf *b);
enum neigh_heard {
	HEARD_PASSING, /* it asked us for something: it may be reached at that address */
	HEARD_ANSWER, /* of our question */
};
/* @ip of @dev says that its link address is @lladdr.  A new entry only if @create. */
void neigh_heard(struct net_device *dev, const u8 ip[16], const u8 *lladdr,
		 enum neigh_heard how, bool override, bool create);
/* It was heard without an address (a solicited answer): it is alive. */
void neigh_flush(struct net_device *dev); /* all of it go */

/* --- arp.c, ndp.c: ask for @ip; at @lladdr (a probe), or everybody (NULL) */
void arp_ask(struct net_device *dev, const u8 ip[16], const u8 *lladdr);
void ndp_ask(struct net_device *dev, const u8 ip[16], const u8 *lladdr);

/* --- ip_out.c */
/* Room for @len bytes with headers in front, of IP @proto 0x800 or 0x86dd; or NULL. */
struct netbuf *ip_netbuf(u32 len, bool v4);
/* The packet with its header goes on, cut if need be; takes it. */
int ip_send(struct net_ns *net, const struct route *r, struct netbuf *b);
/* fragment.c: @b is longer than @mtu.  Takes it. */
int ip4_fragment(struct net_ns *net, const struct route *r, struct netbuf *b,
		 u32 mtu);
int ip6_fragment(struct net_ns *net, const struct route *r, struct netbuf *b,
		 u32 mtu);
/* segment.c: @b with a gso_size goes in several.  Takes it. */
int ip_segment(struct net_ns *net, const struct route *r, struct netbuf *b);

/* --- deliver.c: it is for us, whole; takes p->b.  The worker. */
void ip_deliver(struct net_ns *net, struct ip_packet *p);

/* --- reasm4.c, reasm6.c: NULL: it waits for others, or was dropped */
struct netbuf *ip4_reassemble(struct net_ns *net, struct netbuf *b);
struct netbuf *ip6_reassemble(struct net_ns *net, struct netbuf *b, u32 at);

/* --- addr.c; rtnl_mutex held */
/* IPv6 begins or ends on an interface, as when it goes up or down. */
void route_ip6_switch(struct net_device *dev, bool on);

/* --- forward.c: it is for somebody else; takes it */
void ip_forward(struct net_ns *net, struct netbuf *b);

/* --- icmp_error.c */
/* Tell the sender of @b, whose data is its IP header and which stays the caller's. */
void icmp_send(struct net_ns *net, const struct netbuf *b, u8 type, u8 code,
	       u32 info);
/* --- icmp_told.c: an error of @from about @quote, a packet of ours from its IP header on */
struct icmp_report {
	const u8 *from; /* 16 bytes: who says so */
	u32 err;	/* 0: nothing to tell */
	u8 type, code;
	u32 info; /* the MTU */
	bool hard;
};
void icmp_told(struct net_ns *net, const struct icmp_report *e, bool v4,
	       const u8 *quote, u32 len);

#endif /* NET_ROUTE_INT_H */
