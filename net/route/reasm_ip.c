/* SPDX-License-Identifier: MIT */
/*
 * net/route/reasm_ip.c - what a fragment says of itself, in IPv4 and IPv6.
 */
#include <net/route/reasm.h>
#include <net/route/route_int.h>

#define FRAG6_HEADER 8u

struct netbuf *ip4_reassemble(struct net_ns *net __unused, struct netbuf *b)
{
	const u8 *h = b->data;
	u32 bits = get_be16(h + 6), head = (h[0] & 15u) * 4;
	struct reasm_piece p = {
		.b = b,
		.id = get_be16(h + 4),
		.proto = h[9],
		.head = head,
		.unfrag = head,
		.off = (bits & IP_OFFSET) * 8,
		.more = bits & IP_MF,
	};

	ip_set_v4(p.src, h + 12);
	ip_set_v4(p.dst, h + 16);
	b = reasm_add(&p);
	if (!b)
		return NULL;
	put_be16(b->data + 2, b->len);
	put_be16(b->data + 6, 0);
	put_be16(b->data + 10, 0);
	put_be16(b->data + 10,
		 (u16)~ip_sum(0, b->data, (b->data[0] & 15u) * 4));
	return b;
}

/* Where the number of the header that stands at @at is written. */
static u32 next_field(const struct netbuf *b, u32 at)
{
	u32 here = IP6_HEADER, field = 6;

	while (here < at) {
		field = here;
		here += (b->data[here + 1] + 1u) * 8;
	}
	return field;
}

/* Its fragment header stands at @at, whole, and those before it are sound. */
struct netbuf *ip6_reassemble(struct net_ns *net __unused, struct netbuf *b,
			      u32 at)
{
	const u8 *h = b->data;
	u32 bits = get_be16(h + at + 2), field = next_field(b, at);
	u8 next = h[at];
	struct reasm_piece p = {
		.b = b,
		.id = get_be32(h + at + 4),
		.head = at + FRAG6_HEADER,
		.unfrag = at,
		.off = bits & ~7u,
		.more = bits & 1,
	};

	memcpy(p.src, h + 8, 16);
	memcpy(p.dst, h + 24, 16);
	if (!p.off)
		b->data[field] = next; /* the whole packet has no such header */
	b = reasm_add(&p);
	if (b)
		put_be16(b->data + 4, b->len - IP6_HEADER);
	return b;
}
