/* SPDX-License-Identifier: MIT */
/* net/route/neigh.h - between neighbours and those who use them. */
#ifndef NET_ROUTE_NEIGH_H
#define NET_ROUTE_NEIGH_H

#include <net/route/route.h>

/* The link address of the group @ip. */
void neigh_group_addr(const u8 ip[16], u8 to[LINK_ADDR_MAX]);
/* --- icmp_error.c: nobody answers for where @b, from its IP header on, was to go: its
 * sender is told, here or elsewhere.  @b stays. */
void neigh_unreachable(struct net_device *dev, const struct netbuf *b, bool v4);

#endif /* NET_ROUTE_NEIGH_H */
