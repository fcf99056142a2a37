/* SPDX-License-Identifier: MIT */
/*
 * net/route/none.c - as long as there is nobody who takes packets of IP: they are dropped.
 * Weak: what defines one of these takes its place.
 */
#include <net/link/link.h>

#define WEAK __attribute__((weak))

WEAK void ip4_input(struct net_ns *net __unused, struct netbuf *b)
{
	netbuf_free(b);
}

WEAK void ip6_input(struct net_ns *net __unused, struct netbuf *b)
{
	netbuf_free(b);
}

WEAK void arp_input(struct net_ns *net __unused, struct netbuf *b)
{
	netbuf_free(b);
}

WEAK void route_link_changed(struct net_device *dev __unused, bool up __unused)
{
}

WEAK void route_link_gone(struct net_device *dev __unused)
{
}

WEAK void route_net_end(struct net_ns *net __unused)
{
}
