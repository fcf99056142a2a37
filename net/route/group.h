/* SPDX-License-Identifier: MIT */
/*
 * net/route/group.h - multicast groups that an interface hears: counted, since several
 * sockets may have joined one.
 */
#ifndef NET_ROUTE_GROUP_H
#define NET_ROUTE_GROUP_H

#include <net/route/route.h>

/* Does @dev hear @ip?  Any context, route_lock not held. */
bool group_heard(const struct net_device *dev, const u8 ip[16]);
/* Once more, once less; routers are told of the first and the last.  rtnl_mutex held.  0,
 * -ENOMEM. */
int group_join(struct net_device *dev, const u8 ip[16]);
void group_leave(struct net_device *dev, const u8 ip[16]);
void group_flush(struct net_device *dev); /* it goes */
/* Each group of @dev that is told of, again: a router asks.  The worker. */
void group_report_all(struct net_device *dev, bool v4);

/* --- igmp.c, mld.c: tell routers */
void igmp_input(struct net_ns *net, const struct ip_packet *p);
void igmp_report(struct net_device *dev, const u8 ip[16], bool joined);
void mld_report(struct net_device *dev, const u8 ip[16], bool joined);
void mld_input(struct net_ns *net, const struct ip_packet *p);

#endif /* NET_ROUTE_GROUP_H */
