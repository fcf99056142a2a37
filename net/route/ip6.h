/* SPDX-License-Identifier: MIT */
/*
 * net/route/ip6.h - what IPv6 has besides: addresses that interfaces give themselves, and
 * messages between neighbours.
 *
 * Locking: what changes addresses and routes runs in "netcfg" (net/link/work.h), with
 * rtnl_mutex.
 */
#ifndef NET_ROUTE_IP6_H
#define NET_ROUTE_IP6_H

#include <net/route/route.h>

#define ND_ROUTER_SOLICIT   133
#define ND_ROUTER_ADVERT    134
#define ND_NEIGHBOR_SOLICIT 135
#define ND_NEIGHBOR_ADVERT  136
#define MLD_QUERY	    130
#define MLD2_REPORT	    143
#define ND_HOPS		    255u

/* Options of neighbour messages [RFC 4861 4.6]; NULL: it is not there. */
struct nd_opts {
	const u8 *source, *target; /* link addresses */
	u32 mtu;		   /* 0: none */
};
/* The @n bytes at @p; false: they are broken.  @fn with each prefix (32 bytes) if it is not
 * NULL. */
bool nd_parse(const u8 *p, u32 n, struct nd_opts *o,
	      void (*fn)(const u8 *prefix, void *arg), void *arg);

/* --- addr6.c; rtnl_mutex held */
/* @a is about to be added: the flags that it begins with. */
void ip6_addr_begin(struct if_addr *a);
void ip6_addr_added(struct if_addr *a);
void ip6_addr_gone(struct if_addr *a);
void ip6_link_up(struct net_device *dev);
void ip6_link_down(struct net_device *dev);
/* The interface's part of an address that it gives itself, 8 bytes. */
void ip6_interface_id(const struct net_device *dev, u8 id[8]);
/* ff02::1:ffXX:XXXX */
void ip6_solicited(const u8 ip[16], u8 group[16]);
/* Something is to be looked after at @when (CLOCK_MONOTONIC ns). */
void ip6_wants_time(u64 when);

/* --- ndp.c */
/* Messages of ICMPv6 that neighbours send; p stays.  The worker. */
void ndp_input(struct net_ns *net, const struct ip_packet *p);
/* Does somebody have @ip, which we want?  The question has no sender. */
void ndp_probe(struct net_device *dev, const u8 ip[16]);
void ndp_ask_routers(struct net_device *dev);

/* --- ra.c */
/* Does it listen to routers? */
bool ra_wanted(const struct net_device *dev);
/* Takes nothing: what @p says is done later. */
void ra_input(struct net_ns *net, const struct ip_packet *p);

#endif /* NET_ROUTE_IP6_H */
