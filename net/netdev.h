/* SPDX-License-Identifier: MIT */
/*
 * net/netdev.h - the interfaces: one in each network namespace, the loopback.  The first
 * namespace's is up from boot.
 */
#ifndef NET_NETDEV_H
#define NET_NETDEV_H

#include <lib/types.h>

struct net_ns;
struct socket;

#define IFF_UP	     0x1u
#define IFF_LOOPBACK 0x8u
#define IFF_RUNNING  0x40u
#define IFF_LOWER_UP 0x10000u

#define SIOCATMARK 0x8905u /* is the urgent byte next? */

u32 netdev_flags(const struct net_ns *net);
/* Take the interface up or down; -EPERM without the right to. */
int netdev_set_up(struct net_ns *net, bool up);
/* SIOCGIF* and kin. */
s64 netdev_ioctl(struct socket *s, unsigned int cmd, u64 arg);

#endif /* NET_NETDEV_H */
