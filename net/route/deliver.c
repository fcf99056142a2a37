/* SPDX-License-Identifier: MIT */
/*
 * net/route/deliver.c - a packet that is for us goes to who takes its protocol.
 */
#include <net/route/group.h>
#include <net/route/route_int.h>
#include <net/route/wire.h>

#include <kernel/mm/kmalloc.h>

#define ICMP_PROTO	  2u /* code of "unreachable" */
#define ICMP6_PARAM	  4u /* type: parameter problem */
#define ICMP6_NEXT_HEADER 1u

struct inet_buf *ip_packet_buf(const struct ip_packet *p, u32 skip, u32 len)
{
	struct inet_buf *b = kmalloc(sizeof(*b) + len);
	u32 iif = (u32)p->b->dev->index;

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	list_init(&b->node);
	b->len = b->cap = len;
	memcpy(b->from.ip, p->src, 16);
	memcpy(b->to.ip, p->dst, 16);
	b->to.scope = b->from.scope = iif;
	b->hops = p->ttl;
	b->class = p->tos;
	memcpy(b->data, p->b->data + skip, len);
	return b;
}

void ip_rewind(struct netbuf *b)
{
	(void)netbuf_push(b, netbuf_headroom(b) - b->net);
}

void ip_refuse(struct net_ns *net, const struct ip_packet *p, u8 type, u8 code,
	       u32 info)
{
	if (p->to_many)
		return;
	ip_rewind(p->b);
	icmp_send(net, p->b, type, code, info);
}

/* Raw sockets hear it: is there any of its protocol? */
static bool hear_raw(struct net_ns *net, const struct ip_packet *p)
{
	struct inet_buf *b;
	bool heard;

	if (!ip_tapped(net))
		return false;
	b = ip_packet_buf(p, 0, p->b->len);
	if (!b)
		return true;
	heard = raw_hear(net, p->proto, b);
	kfree(b);
	return heard;
}

static void unknown(struct net_ns *net, struct ip_packet *p)
{
	u32 at = netbuf_headroom(p->b) - p->b->net;

	net_count(net, NET_IP_UNKNOWN_PROTO, 1);
	if (ip_is_v4(p->dst))
		ip_refuse(net, p, ICMP_UNREACH, ICMP_PROTO, 0);
	else if (p->proto != IPPROTO_NONE)
		ip_refuse(net, p, ICMP6_PARAM, ICMP6_NEXT_HEADER,
			  at == IP6_HEADER ? 6 : at);
	netbuf_free(p->b);
}

void ip_deliver(struct net_ns *net, struct ip_packet *p)
{
	bool v4 = ip_is_v4(p->dst), heard = hear_raw(net, p);

	if (p->proto == IPPROTO_TCP) {
		tcp_input(net, p);
	} else if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE) {
		udp_wire_input(net, p);
	} else if (p->proto == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		icmp_wire_input(net, p);
	} else if (v4 && p->proto == IPPROTO_IGMP) {
		igmp_input(net, p);
		netbuf_free(p->b);
	} else if (heard) {
		netbuf_free(p->b);
	} else {
		unknown(net, p);
	}
}
