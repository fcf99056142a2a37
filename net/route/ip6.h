/* SPDX-License-Identifier: MIT */
/*
 * net/route/ip6.h - what IPv6 has besides: addresses that interfaces give themselves, and
 * messages between neighbours.
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

/* --- addr6.c; rtnl_mutex held */
/* @a is about to be added: the flags that it begins with. */
void ip6_addr_begin(struct if_addr *a);
void ip6_addr_added(struct if_addr *a);
void ip6_addr_gone(struct if_addr *a);
void ip6_link_up(struct net_device *dev);
void ip6_link_down(struct net_device *dev);

/* --- ndp.c: messages of ICMPv6 that neighbours send; p stays.  The worker. */
void ndp_input(struct net_ns *net, const struct ip_packet *p);

#endif /* NET_ROUTE_IP6_H */
