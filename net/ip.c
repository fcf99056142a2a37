/* SPDX-License-Identifier: MIT */
/*
 * net/ip.c - packets arrive; their headers and checksums.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <lib/string.h>
#include <net/netdev.h>

struct inet_buf *ip_alloc(u32 len)
{
	struct inet_buf *b = kzalloc(sizeof(*b) + len);

	if (!b)
		return NULL;
	list_init(&b->node);
	b->len = b->cap = len;
	b->hops = 64;
	return b;
}

/* Of the pseudo header of @b as a packet of @len bytes. */
static u32 pseudo_sum(u8 proto, const struct inet_buf *b, u32 len)
{
	u32 skip = inet_is_v4(&b->to) ? 12 : 0, sum = proto + len;

	sum = ip_sum(sum, b->from.ip + skip, 16 - skip);
	return ip_sum(sum, b->to.ip + skip, 16 - skip);
}

u16 ip_checksum(u8 proto, const struct inet_buf *b)
{
	return (u16)~ip_sum(pseudo_sum(proto, b, b->len), b->data, b->len);
}

static u32 header4(u8 proto, const struct inet_buf *b, u8 *h, u32 len)
{
	h[0] = 0x45;
	h[1] = b->class;
	put_be16(h + 2, IP4_HEADER + len);
	h[6] = 0x40; /* do not fragment */
	h[8] = b->hops;
	h[9] = proto;
	memcpy(h + 12, b->from.ip + 12, 4);
	memcpy(h + 16, b->to.ip + 12, 4);
	put_be16(h + 10, (u16)~ip_sum(0, h, IP4_HEADER));
	return IP4_HEADER;
}

u32 ip_header(u8 proto, const struct inet_buf *b, u8 h[IP6_HEADER], u32 len)
{
	memset(h, 0, IP6_HEADER);
	if (inet_is_v4(&b->to))
		return header4(proto, b, h, len);
	h[0] = (u8)(0x60 | b->class >> 4);
	h[1] = (u8)(b->class << 4);
	put_be16(h + 4, len);
	h[6] = proto;
	h[7] = b->hops;
	memcpy(h + 8, b->from.ip, 16);
	memcpy(h + 24, b->to.ip, 16);
	return IP6_HEADER;
}

static u32 udp_header(u8 proto, const struct inet_buf *b, u8 *h)
{
	u32 sum = pseudo_sum(proto, b, UDP_HEADER + b->len);

	put_be16(h, b->from.port);
	put_be16(h + 2, b->to.port);
	put_be16(h + 4, UDP_HEADER + b->len);
	put_be16(h + 6, 0);
	sum = ip_sum(sum, h, UDP_HEADER);
	put_be16(h + 6, (u16)~ip_sum(sum, b->data, b->len) ?: 0xffff);
	return UDP_HEADER;
}

u32 ip_packet_headers(bool raw, u8 proto, const struct inet_buf *b,
		      u8 h[PACKET_HEADERS])
{
	bool udp = !raw && (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE);
	u32 more = udp ? UDP_HEADER : 0, n = ETHER_HEADER;
	u8 ip[IP6_HEADER];

	memset(h, 0, ETHER_HEADER);
	put_be16(h + 12, inet_is_v4(&b->to) ? ETH_P_IP : ETH_P_IPV6);
	n += ip_header(proto, b, ip, b->len + more);
	memcpy(h + ETHER_HEADER, ip, n - ETHER_HEADER);
	return n + (udp ? udp_header(proto, b, h + n) : 0);
}

void ip_input(struct net_ns *net, u8 proto, struct inet_buf *b)
{
	if (ip_tapped(net))
		packet_hear(net, proto, b);
	ip_receive(net, proto, b);
}

void ip_receive(struct net_ns *net, u8 proto, struct inet_buf *b)
{
	bool v4 = inet_is_v4(&b->to), heard = raw_hear(net, proto, b);

	netdev_count(net, v4, b->len);
	if (proto == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		net_count(net, v4 ? NET_ICMP_PACKETS : NET_ICMP6_PACKETS, 1);
		icmp_input(net, proto, b);
		return;
	}
	if (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE) {
		if (!udp_input(net, proto, b))
			icmp_unreachable(net, proto, b, ICMP_PORT_UNREACH);
	} else if (!heard) {
		icmp_unreachable(net, proto, b, ICMP_PROTO_UNREACH);
	}
	kfree(b);
}

void ip_tap_datagram(struct net_ns *net, u8 proto, const struct inet_buf *b,
		     bool refused)
{
	struct inet_buf *p = ip_alloc(UDP_HEADER + b->len);

	if (!p)
		return;
	p->from = b->from;
	p->to = b->to;
	p->from.port = p->to.port = 0;
	p->hops = b->hops;
	p->class = b->class;
	put_be16(p->data, b->from.port);
	put_be16(p->data + 2, b->to.port);
	put_be16(p->data + 4, p->len);
	memcpy(p->data + UDP_HEADER, b->data, b->len);
	put_be16(p->data + 6, ip_checksum(proto, p) ?: 0xffff);
	packet_hear(net, proto, p);
	(void)raw_hear(net, proto, p);
	if (refused)
		icmp_unreachable(net, proto, p, ICMP_PORT_UNREACH);
	kfree(p);
}
