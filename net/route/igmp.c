/* SPDX-License-Identifier: MIT */
/*
 * net/route/igmp.c - routers are told which groups of IPv4 are heard: IGMPv3 reports
 * [RFC 3376], or IGMPv2's [RFC 2236] for a while after a router that knows no other asked.
 * An answer is given at once, and does not wait for others.
 */
#include <net/route/group.h>
#include <net/route/route_int.h>

#include <kernel/time/clock.h>

#define QUERY	      0x11u
#define V2_REPORT     0x16u
#define V2_LEAVE      0x17u
#define V3_REPORT     0x22u
#define TO_EXCLUDE    4u /* record types: joined, left */
#define TO_INCLUDE    3u
#define V3_SIZE	      16u /* of a report with one record */
#define V2_SIZE	      8u
#define V3_QUERY_SIZE 12u
#define OLD_ROUTER_NS (400 * NSEC_PER_SEC)
#define PRECEDENCE    0xc0u

static u64 old_router_until; /* [a] */

/* The header has an option: router alert [RFC 2113]. */
static u8 *push_header(struct netbuf *b, const u8 src[16], const u8 *dst)
{
	static const u8 alert[4] = { 0x94, 4 };
	u32 len = b->len + 24;
	u8 *h = netbuf_push(b, 24);

	memset(h, 0, 24);
	h[0] = 0x46;
	h[1] = PRECEDENCE;
	put_be16(h + 2, len);
	put_be16(h + 6, IP_DF);
	h[8] = 1;
	h[9] = IPPROTO_IGMP;
	memcpy(h + 12, src + 12, 4);
	memcpy(h + 16, dst, 4);
	memcpy(h + 20, alert, 4);
	put_be16(h + 10, (u16)~ip_sum(0, h, 24));
	return h;
}

static void send(struct net_device *dev, struct netbuf *b, const u8 to[4])
{
	const struct route_ns *rn = route_ns(dev->net);
	u8 src[16] = { 0 }, dst[16];

	if (!rn) {
		netbuf_free(b);
		return;
	}
	ip_set_v4(dst, to);
	spin_lock(&route_lock);
	(void)source_select4(rn, dev, dst, RT_SCOPE_LINK, src);
	spin_unlock(&route_lock);
	put_be16(b->data + 2, (u16)~ip_sum(0, b->data, b->len));
	(void)push_header(b, src, to);
	b->net = (u16)netbuf_headroom(b);
	(void)neigh_output(dev, ROUTE_MULTICAST, dst, b);
}

void igmp_report(struct net_device *dev, const u8 ip[16], bool joined)
{
	static const u8 v3_routers[4] = { 224, 0, 0, 22 },
			all_routers[4] = { 224, 0, 0, 2 };
	bool old = load_once(&old_router_until) > clock_mono_ns();
	struct netbuf *b = ip_netbuf(old ? V2_SIZE : V3_SIZE, true);
	u8 *p;

	if (!b)
		return;
	p = netbuf_put(b, old ? V2_SIZE : V3_SIZE);
	memset(p, 0, b->len);
	if (old) {
		p[0] = joined ? V2_REPORT : V2_LEAVE;
		memcpy(p + 4, ip + 12, 4);
		send(dev, b, joined ? ip + 12 : all_routers);
		return;
	}
	p[0] = V3_REPORT;
	p[7] = 1; /* records */
	p[8] = joined ? TO_EXCLUDE : TO_INCLUDE;
	memcpy(p + 12, ip + 12, 4);
	send(dev, b, v3_routers);
}

void igmp_input(struct net_ns *net __unused, const struct ip_packet *p)
{
	const struct netbuf *b = p->b;

	if (b->len < V2_SIZE || b->data[0] != QUERY ||
	    ip_sum(0, b->data, b->len) != 0xffff)
		return;
	if (b->len < V3_QUERY_SIZE)
		store_once(&old_router_until, clock_mono_ns() + OLD_ROUTER_NS);
	group_report_all(b->dev, true);
}
