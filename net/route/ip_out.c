/* SPDX-License-Identifier: MIT */
/*
 * net/route/ip_out.c - packets of IP get their header and go [RFC 791, RFC 8200].
 */
#include <net/route/route_int.h>

#include <kernel/random.h>
#include <lib/errno.h>

#define TTL_DEFAULT 64u

u16 ip_pseudo_sum(u8 proto, const u8 src[16], const u8 dst[16], u32 len)
{
	u32 skip = ip_is_v4(dst) ? 12 : 0, sum = proto + len;

	sum = ip_sum(sum, src + skip, 16 - skip);
	return ip_sum(sum, dst + skip, 16 - skip);
}

struct netbuf *ip_netbuf(u32 len, bool v4)
{
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, len);

	if (b)
		b->proto = v4 ? ETH_P_IP : ETH_P_IPV6;
	return b;
}

bool netbuf_finish_csum(struct netbuf *b)
{
	u32 begin = netbuf_headroom(b), end = begin + b->len;
	u32 from = b->csum_start, at = from + b->csum_offset;
	u16 sum;

	if (!(b->flags & NETBUF_CSUM_PARTIAL))
		return true;
	b->flags &= (u8)~NETBUF_CSUM_PARTIAL;
	if (from < begin || at + 2 > end)
		return false;
	sum = (u16)~ip_sum(0, b->mem + from, end - from);
	put_be16(b->mem + at, sum ?: 0xffff); /* 0 is "none" to UDP */
	return true;
}

/* Identifications of those that may be cut: nobody should guess the next one. */
static u16 next_id(void)
{
	static u32 id; /* [a] */

	if (unlikely(!load_once(&id)))
		store_once(&id, (u32)random_u64() | 1);
	return (u16)atomic_add_return(&id, 1u);
}

static void header4(struct netbuf *b, u8 proto, const u8 *src, const u8 *dst,
		    const struct ip_opts *o, u8 ttl)
{
	u8 *h = netbuf_push(b, IP4_HEADER);

	memset(h, 0, IP4_HEADER);
	h[0] = 0x45;
	h[1] = o->tos;
	put_be16(h + 2, b->len);
	put_be16(h + 4, next_id());
	put_be16(h + 6, o->dont_fragment ? IP_DF : 0);
	h[8] = ttl;
	h[9] = proto;
	memcpy(h + 12, src + 12, 4);
	memcpy(h + 16, dst + 12, 4);
	put_be16(h + 10, (u16)~ip_sum(0, h, IP4_HEADER));
}

static void header6(struct netbuf *b, u8 proto, const u8 *src, const u8 *dst,
		    const struct ip_opts *o, u8 ttl)
{
	u32 len = b->len;
	u8 *h = netbuf_push(b, IP6_HEADER);

	memset(h, 0, IP6_HEADER);
	h[0] = (u8)(0x60 | o->tos >> 4);
	h[1] = (u8)(o->tos << 4);
	put_be16(h + 4, len);
	h[6] = proto;
	h[7] = ttl;
	memcpy(h + 8, src, 16);
	memcpy(h + 24, dst, 16);
}

static bool device_segments(const struct net_device *dev, bool v4)
{
	return dev->features & (v4 ? NETDEV_TSO4 : NETDEV_TSO6);
}

int ip_send(struct net_ns *net, const struct route *r, struct netbuf *b)
{
	bool v4 = b->proto == ETH_P_IP;

	b->net = (u16)netbuf_headroom(b);
	if (b->gso_size && !device_segments(r->dev, v4))
		return ip_segment(net, r, b);
	if (!b->gso_size && !(r->dev->features & NETDEV_TX_CSUM))
		(void)netbuf_finish_csum(b);
	return neigh_output(r->dev, r->type, r->next, b);
}

/* May it be cut?  Of IPv6 only the sender does it, and may. */
static int cut(struct net_ns *net, const struct route *r, struct netbuf *b,
	       const struct ip_opts *o)
{
	if (o->dont_fragment) {
		netbuf_free(b);
		return -EMSGSIZE;
	}
	(void)netbuf_finish_csum(b);
	return b->proto == ETH_P_IP ? ip4_fragment(net, r, b, r->mtu)
				    : ip6_fragment(net, r, b, r->mtu);
}

int ip_output(struct net_ns *net, const struct route *r, u8 proto,
	      const u8 src[16], const u8 dst[16], const struct ip_opts *o,
	      struct netbuf *b)
{
	bool v4 = ip_is_v4(dst);
	u8 ttl = o->ttl ?: (u8)(r->hop_limit ?: TTL_DEFAULT);
	u32 head = v4 ? IP4_HEADER : IP6_HEADER;

	if (!r->dev || netbuf_headroom(b) < head ||
	    b->len > 65535u - (v4 ? head : 0)) {
		netbuf_free(b);
		return r->dev ? -EMSGSIZE : -ENETUNREACH;
	}
	b->proto = v4 ? ETH_P_IP : ETH_P_IPV6;
	if (v4)
		header4(b, proto, src, dst, o, ttl);
	else
		header6(b, proto, src, dst, o, ttl);
	net_count(net, v4 ? NET_IP_OUT : NET_IP6_OUT, 1);
	net_count(net, v4 ? NET_IP_OUT_BYTES : NET_IP6_OUT_BYTES, b->len);
	if (b->len > r->mtu && !b->gso_size)
		return cut(net, r, b, o);
	return ip_send(net, r, b);
}
