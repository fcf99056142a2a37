/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/netconf.h - settings of IP that each interface has for itself:
 * /proc/sys/net/ipv4/conf/<interface>, ipv6/conf/<interface>.
 *
 * A namespace has them twice besides: "all", and "default", with which an interface
 * begins.  What they do stands in net/route/conf.c, which changes them.
 */
#ifndef KERNEL_NS_NETCONF_H
#define KERNEL_NS_NETCONF_H

#include <lib/types.h>

enum net_conf {
	CONF4_FORWARDING, /* what arrives may go on */
	CONF4_TAG,	  /* programs' own */
	/* from here on of IPv6 */
	CONF6_FORWARDING, /* it is a router: says so, hears none */
	CONF6_DISABLE,	  /* no addresses, no packets */
	CONF6_ACCEPT_RA,  /* 1: unless it is a router; 2: even then */
	CONF6_RA_DEFRTR,  /* of advertisements: the router, prefixes, the MTU */
	CONF6_RA_PINFO,
	CONF6_RA_MTU,
	CONF6_AUTOCONF, /* addresses of the prefixes */
	NET_NR_CONF,
};
#define NET_CONF_DEFAULT                                                       \
	{                                                                      \
		[CONF6_ACCEPT_RA] = 1, [CONF6_RA_DEFRTR] = 1,                  \
		[CONF6_RA_PINFO] = 1, [CONF6_RA_MTU] = 1, [CONF6_AUTOCONF] = 1 \
	}

#endif /* KERNEL_NS_NETCONF_H */
