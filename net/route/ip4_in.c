/* SPDX-License-Identifier: MIT */
/*
 * net/route/ip4_in.c - packets of IPv4 arrive [RFC 791, RFC 1122 3.2.1].
 */
#include <net/route/group.h>
#include <net/route/route_int.h>

#define OPT_END	 0
#define OPT_NOP	 1
#define OPT_LSRR 0x83
#define OPT_SSRR 0x89

/* The header is whole, right, and the packet as long as it says: its length, or 0. */
static u32 check_header(struct netbuf *b)
{
	const u8 *h = b->data;
	u32 head, len;

	if (b->len < IP4_HEADER || h[0] >> 4 != 4)
		return 0;
	head = (h[0] & 15u) * 4;
	len = get_be16(h + 2);
	if (head < IP4_HEADER || head > b->len || len < head || len > b->len)
		return 0;
	if (ip_sum(0, h, head) != 0xffff)
		return 0;
	b->len = len; /* Ethernet pads */
	return head;
}

/* Options are passed over; a sender's route is refused, and what is malformed. */
static bool options_ok(const u8 *h, u32 head)
{
	u32 at = IP4_HEADER;

	while (at < head && h[at] != OPT_END) {
		if (h[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (h[at] == OPT_LSRR || h[at] == OPT_SSRR)
			return false;
		if (at + 1 >= head || h[at + 1] < 2 || h[at + 1] > head - at)
			return false;
		at += h[at + 1];
	}
	return true;
}

/* From somebody who cannot be; @type is what the destination is to us. */
static bool is_martian(const struct net_ns *net, const u8 *src, const u8 *dst,
		       enum route_type type)
{
	if (src[12] == 127 || dst[12] == 127 || src[12] >= 224)
		return true;
	if (ip_is_any(dst) || dst[12] >= 240)
		return !ip_is_all_ones(dst);
	if (!src[12]) /* does not know yet who it is */
		return !ip_is_any(src) ||
		       (type != ROUTE_BROADCAST && type != ROUTE_MULTICAST);
	return route_is_local(net, src);
}

static void deliver(struct net_ns *net, struct netbuf *b, bool to_many)
{
	const u8 *h = b->data;
	struct ip_packet p = { .to_many = to_many };

	if (get_be16(h + 6) & (IP_MF | IP_OFFSET)) {
		b = ip4_reassemble(net, b);
		if (!b)
			return;
		h = b->data;
	}
	p.b = b;
	ip_set_v4(p.src, h + 12);
	ip_set_v4(p.dst, h + 16);
	p.tos = h[1];
	p.ttl = h[8];
	p.proto = h[9];
	b->net = (u16)netbuf_headroom(b);
	(void)netbuf_pull(b, (h[0] & 15u) * 4);
	net_count(net, NET_IP_DELIVERED, 1);
	ip_deliver(net, &p);
}

static void drop(struct net_ns *net, struct netbuf *b, enum net_stat why)
{
	net_count(net, why, 1);
	netbuf_free(b);
}

void ip4_input(struct net_ns *net, struct netbuf *b)
{
	u8 src[16], dst[16];
	enum route_type type;
	u32 head;

	if (b->pkttype == PACKET_OTHERHOST) {
		netbuf_free(b);
		return;
	}
	net_count(net, NET_IP_IN, 1);
	net_count(net, NET_IP_IN_BYTES, b->len);
	head = check_header(b);
	if (!head || !options_ok(b->data, head)) {
		drop(net, b, NET_IP_BAD_HEADER);
		return;
	}
	ip_set_v4(src, b->data + 12);
	ip_set_v4(dst, b->data + 16);
	type = route_input_type(net, dst);
	if (is_martian(net, src, dst, type)) {
		drop(net, b, NET_IP_BAD_ADDRESS);
		return;
	}
	if (type == ROUTE_MULTICAST && !group_heard(b->dev, dst))
		netbuf_free(b);
	else if (type == ROUTE_LOCAL || type == ROUTE_BROADCAST ||
		 type == ROUTE_MULTICAST)
		deliver(net, b, type != ROUTE_LOCAL);
	else
		ip_forward(net, b);
}
