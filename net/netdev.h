/* SPDX-License-Identifier: MIT */
/*
 * net/netdev.h - the interfaces: one in each network namespace, the loopback.  The first
 * namespace's is up from boot.
 */
#ifndef NET_NETDEV_H
#define NET_NETDEV_H

#include <kernel/dev/netdev.h>
#include <kernel/ns/net.h>
#include <lib/types.h>

struct socket;

#define SIOCATMARK 0x8905u /* is the urgent byte next? */

/* A packet of @n bytes behind the headers of IP went over the loopback. */
static inline void netdev_count(struct net_ns *net, bool v4, u64 n)
{
	net_count(net, v4 ? NET_IP_PACKETS : NET_IP6_PACKETS, 1);
	net_count(net, v4 ? NET_IP_BYTES : NET_IP6_BYTES, n + (v4 ? 20 : 40));
}
/* In either direction. */
u64 netdev_packets(const struct net_ns *net);
u64 netdev_bytes(const struct net_ns *net);

u32 netdev_flags(const struct net_ns *net);
/* Take the interface up or down; -EPERM without the right to. */
int netdev_set_up(struct net_ns *net, bool up);
/* SIOCGIF* and kin. */
s64 netdev_ioctl(struct socket *s, unsigned int cmd, u64 arg);

#endif /* NET_NETDEV_H */
