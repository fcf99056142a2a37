/* SPDX-License-Identifier: MIT */
/*
 * net/ip.h - packets, for those who ask for them.
 *
 * What goes over the loopback is not made into packets, but somebody may send one of his
 * own (a raw socket), and somebody may want to see them (raw and packet sockets: taps).
 * A packet is an inet_buf: addresses in from and to, hop limit and class, and in data
 * what follows the IP header.  Its ports are 0.
 *
 * Context: coroutine, no lock held.
 */
#ifndef NET_IP_H
#define NET_IP_H

#include <kernel/dev/netdev.h>
#include <net/inet.h>

#define IPPROTO_RAW    255
#define IP4_HEADER     20u
#define IP6_HEADER     40u
#define UDP_HEADER     8u
#define ETHER_HEADER   14u /* the loopback has one, of zeros and a type */
#define PACKET_HEADERS (ETHER_HEADER + IP6_HEADER + UDP_HEADER)

/* --- ip.c; ip_sum(): route/cksum.c */
/* Room for @len bytes, with no addresses yet, or NULL. */
struct inet_buf *ip_alloc(u32 len);
/* The packet goes over the loopback, and arrives; takes it. */
void ip_input(struct net_ns *net, u8 proto, struct inet_buf *b);
/* It arrives. */
void ip_receive(struct net_ns *net, u8 proto, struct inet_buf *b);
/* The datagram @b, which stays the caller's, as a packet for the taps of @net, and the
 * error that answers it if it was refused. */
void ip_tap_datagram(struct net_ns *net, u8 proto, const struct inet_buf *b,
		     bool refused);
static inline bool ip_tapped(const struct net_ns *net)
{
	return unlikely(load_once(&net->taps));
}
/* Internet checksum [RFC 1071], of which @sum is the part before: folded, not inverted. */
u16 ip_sum(u32 sum, const void *p, size_t n);
/* The same of @b as a packet of @proto, with the pseudo header: what goes into it. */
u16 ip_checksum(u8 proto, const struct inet_buf *b);
/* The header of @b as an IPv4 packet, or an IPv6 one, with @len bytes behind it: its length. */
u32 ip_header(u8 proto, const struct inet_buf *b, u8 h[IP6_HEADER], u32 len);
/* All headers of @b as a packet of the loopback, UDP's too if it is one's datagram (and not
 * @raw: a packet): their length. */
u32 ip_packet_headers(bool raw, u8 proto, const struct inet_buf *b,
		      u8 h[PACKET_HEADERS]);
static inline u32 get_be16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}
static inline void put_be16(u8 *p, u32 v)
{
	p[0] = v >> 8 & 0xff;
	p[1] = v & 0xff;
}

/* --- icmp.c */
void icmp_input(struct net_ns *net, u8 proto,
		struct inet_buf *b); /* takes it */
#define ICMP_PROTO_UNREACH 2u	     /* codes of IPv4 */
#define ICMP_PORT_UNREACH  3u
/* Tell the sender of @b, which is a packet, that nobody takes it. */
void icmp_unreachable(struct net_ns *net, u8 proto, const struct inet_buf *b,
		      u8 code);

/* --- udp.c: a packet of it arrives; false: nobody is there.  @b stays. */
bool udp_input(struct net_ns *net, u8 proto, const struct inet_buf *b);

/* --- packet_tap.c: packet sockets hear @b */
void packet_hear(struct net_ns *net, u8 proto, const struct inet_buf *b);
/* --- raw.c */
extern const struct socket_ops raw_ops;
struct socket *raw_create(u16 family, u8 proto); /* or ERR_PTR */
void raw_release(struct inet_sock *is);
/* @fn, under inet_lock, with each of @net. */
void raw_for_each(const struct net_ns *net,
		  void (*fn)(struct inet_sock *is, void *arg), void *arg);
/* The same, inet_lock held. */
void raw_each_locked(const struct net_ns *net,
		     void (*fn)(struct inet_sock *is, void *arg), void *arg);
/* --- raw_wire.c: @b, a packet with its header, goes out by b->to.scope; takes it. */
int raw_wire_send(const struct inet_sock *is, struct inet_buf *b);
/* Copies of @b for those who want it: is there anybody? */
bool raw_hear(struct net_ns *net, u8 proto, const struct inet_buf *b);
int raw_setopt(struct inet_sock *is, int level, int opt, const void *val,
	       u32 len); /* -ENOPROTOOPT: not raw's */
int raw_getopt(struct inet_sock *is, int level, int opt, void *val, u32 len);

#endif /* NET_IP_H */
