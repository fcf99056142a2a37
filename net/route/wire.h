/* SPDX-License-Identifier: MIT */
/*
 * net/route/wire.h - between net/route/ and the datagram sockets of net/: what comes from an
 * interface, and what goes out by one.
 *
 * An inet_buf's to.scope is the interface: by which it came, or goes; 0: it stays in this
 * machine.
 */
#ifndef NET_ROUTE_WIRE_H
#define NET_ROUTE_WIRE_H

#include <net/route/route.h>

/* --- deliver.c */
/* @len bytes of @p from @skip on, with its addresses, or NULL. */
struct inet_buf *ip_packet_buf(const struct ip_packet *p, u32 skip, u32 len);
/* @b's data is its IP header again. */
void ip_rewind(struct netbuf *b);
/* Its sender is told so, if that may be; p->b stays, rewound. */
void ip_refuse(struct net_ns *net, const struct ip_packet *p, u8 type, u8 code,
	       u32 info);

/* --- net/udp_wire.c; they take p->b.  The worker. */
void udp_wire_input(struct net_ns *net, struct ip_packet *p);
/* @b, a datagram of @is, goes out by b->to.scope; takes it.  0 or -errno. */
int udp_wire_send(struct inet_sock *is, struct inet_buf *b);
/* --- net/icmp_wire.c */
void icmp_wire_input(struct net_ns *net, struct ip_packet *p);
/* @b, a packet of @proto, goes: inside this machine, or out by b->to.scope; takes it.  0 or
 * -errno.  @is: the socket that sends it, or NULL. */
int ip_transmit(struct net_ns *net, const struct inet_sock *is, u8 proto,
		struct inet_buf *b);

/* What the header of @b says besides addresses, by the options of @is (or NULL), for @len bytes
 * that go by @r, whose MTU may change. */
void inet_wire_opts(const struct inet_sock *is, const struct inet_buf *b,
		    u32 len, struct route *r, struct ip_opts *o);
/* What an error is about, as a buffer; or NULL.  Then: who sent it is told; takes @b. */
struct inet_buf *inet_quote_buf(const u8 src[16], const u8 dst[16], const u8 *p,
				u32 n);
struct icmp_report;
void inet_tell_sender(struct net_ns *net, const struct icmp_report *e, u8 proto,
		      struct inet_buf *b);

/* --- told by icmp_told.c: an error @e about what a socket has sent, @n bytes of it at @p
 * from the transport's header on, from @src to @dst */
void udp_told(struct net_ns *net, const struct icmp_report *e, u8 proto,
	      const u8 src[16], const u8 dst[16], const u8 *p, u32 n);
void ping_told(struct net_ns *net, const struct icmp_report *e, u8 proto,
	       const u8 src[16], const u8 dst[16], const u8 *p, u32 n);
void raw_told(struct net_ns *net, const struct icmp_report *e, u8 proto,
	      const u8 src[16], const u8 dst[16], const u8 *p, u32 n);

#endif /* NET_ROUTE_WIRE_H */
