/* SPDX-License-Identifier: MIT */
/* net/route/conf.h - settings of IP of interfaces are changed: kernel/ns/netconf.h. */
#ifndef NET_ROUTE_CONF_H
#define NET_ROUTE_CONF_H

#include <kernel/dev/netdev.h>
#include <kernel/ns/net.h>
#include <lib/atomic.h>

/* Any context. */
static inline u32 net_conf(const struct net_device *dev, enum net_conf what)
{
	return load_once(&dev->conf[what]);
}

/* rtnl_mutex held. */
void net_conf_set(struct net_device *dev, enum net_conf what, u32 value);
void net_conf_set_default(struct net_ns *net, enum net_conf what, u32 value);
/* "all": of forwarding and of disable_ipv6 the others follow. */
void net_conf_set_all(struct net_ns *net, enum net_conf what, u32 value);

#endif /* NET_ROUTE_CONF_H */
