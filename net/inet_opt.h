/* SPDX-License-Identifier: MIT */
/*
 * net/inet_opt.h - what the files of internet options share: numbers, switches.
 *
 * An option's value is @len bytes at @val, of a set; a get fills in @len at most and
 * returns how many.  Errors: -errno.
 *
 * Context: coroutine.
 */
#ifndef NET_INET_OPT_H
#define NET_INET_OPT_H

#include <lib/string.h>
#include <net/inet.h>

enum {
	IP_TOS = 1,
	IP_TTL = 2,
	IP_HDRINCL = 3,
	IP_OPTIONS = 4,
	IP_ROUTER_ALERT = 5,
	IP_RECVOPTS = 6,
	IP_RETOPTS = 7,
	IP_PKTINFO = 8,
	IP_PKTOPTIONS = 9,
	IP_MTU_DISCOVER = 10,
	IP_RECVERR = 11,
	IP_RECVTTL = 12,
	IP_RECVTOS = 13,
	IP_MTU = 14,
	IP_FREEBIND = 15,
	IP_PASSSEC = 18,
	IP_TRANSPARENT = 19,
	IP_RECVORIGDSTADDR = 20,
	IP_MINTTL = 21,
	IP_NODEFRAG = 22,
	IP_CHECKSUM = 23,
	IP_BIND_ADDRESS_NO_PORT = 24,
	IP_RECVFRAGSIZE = 25,
	IP_RECVERR_RFC4884 = 26,
	IP_MULTICAST_TTL = 33,
	IP_MULTICAST_LOOP = 34,
	IP_UNICAST_IF = 50,
	IP_LOCAL_PORT_RANGE = 51,
	IP_PROTOCOL = 52,

	IPV6_ADDRFORM = 1,
	IPV6_2292PKTINFO = 2,
	IPV6_2292HOPOPTS = 3,
	IPV6_2292DSTOPTS = 4,
	IPV6_2292RTHDR = 5,
	IPV6_2292HOPLIMIT = 8,
	IPV6_FLOWINFO = 11,
	IPV6_UNICAST_HOPS = 16,
	IPV6_MULTICAST_HOPS = 18,
	IPV6_MULTICAST_LOOP = 19,
	IPV6_MTU_DISCOVER = 23,
	IPV6_MTU = 24,
	IPV6_RECVERR = 25,
	IPV6_V6ONLY = 26,
	IPV6_ROUTER_ALERT_ISOLATE = 30,
	IPV6_RECVERR_RFC4884 = 31,
	IPV6_RECVPKTINFO = 49,
	IPV6_PKTINFO = 50,
	IPV6_RECVHOPLIMIT = 51,
	IPV6_HOPLIMIT = 52,
	IPV6_RECVHOPOPTS = 53,
	IPV6_HOPOPTS = 54,
	IPV6_RTHDRDSTOPTS = 55,
	IPV6_RECVRTHDR = 56,
	IPV6_RTHDR = 57,
	IPV6_RECVDSTOPTS = 58,
	IPV6_DSTOPTS = 59,
	IPV6_RECVPATHMTU = 60,
	IPV6_PATHMTU = 61,
	IPV6_DONTFRAG = 62,
	IPV6_RECVTCLASS = 66,
	IPV6_TCLASS = 67,
	IPV6_AUTOFLOWLABEL = 70,
	IPV6_ADDR_PREFERENCES = 72,
	IPV6_MINHOPCOUNT = 73,
	IPV6_RECVORIGDSTADDR = 74,
	IPV6_TRANSPARENT = 75,
	IPV6_UNICAST_IF = 76,
	IPV6_RECVFRAGSIZE = 77,
	IPV6_FREEBIND = 78,

	TCP_THIN_LINEAR_TIMEOUTS = 16,
};

/* IP_MTU_DISCOVER */
#define PMTU_WANT      1u
#define PMTU_DO	       2u
#define PMTU_PROBE     3u
#define PMTU_INTERFACE 4u
#define PMTU_OMIT      5u

#define TCP_MSS	 65483u /* of Linux's loopback */
#define ECN_MASK 3u	/* of a traffic class: the stream's own */

/* 0; a value that is shorter than a word is a byte, an empty one 0. */
int inet_opt_word(const void *val, u32 len, u32 *v);
static inline int inet_opt_give(u32 v, void *val, u32 len)
{
	len = min(len, (u32)sizeof(v));
	memcpy(val, &v, len);
	return (int)len;
}
/* -ENOPROTOOPT: no switch. */
int inet_set_switch(struct inet_sock *is, int level, int opt, u32 v);
int inet_get_switch(const struct inet_sock *is, int level, int opt, u32 *v);

/* --- ip_opt.c, ip6_opt.c, tcp_opt.c */
int ip_setopt(struct inet_sock *is, int opt, const void *val, u32 len);
int ip_getopt(const struct inet_sock *is, int opt, void *val, u32 len);
int ip6_setopt(struct inet_sock *is, int opt, const void *val, u32 len);
int ip6_getopt(const struct inet_sock *is, int opt, void *val, u32 len);
int tcp_setopt(struct inet_sock *is, int opt, const void *val, u32 len);
int tcp_getopt(const struct inet_sock *is, int opt, void *val, u32 len);

#endif /* NET_INET_OPT_H */
