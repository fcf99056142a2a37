/* SPDX-License-Identifier: MIT */
/*
 * net/route/mld.c - routers and switches are told which groups of IPv6 are heard: MLDv2
 * reports [RFC 3810].  A query is answered at once.
 */
#include <net/route/group.h>
#include <net/route/ip6.h>
#include <net/route/route_int.h>

#define TO_EXCLUDE  4u
#define TO_INCLUDE  3u
#define REPORT_SIZE 28u /* with one record */
#define ALERT_SIZE  8u
#define QUERY_SIZE  24u

/* In front of the message: hop-by-hop options with a router alert [RFC 2711]. */
static void push_headers(struct netbuf *b, const u8 src[16], const u8 dst[16])
{
	static const u8 alert[ALERT_SIZE] = {
		IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0
	};
	u32 len;
	u8 *h;

	memcpy(netbuf_push(b, ALERT_SIZE), alert, ALERT_SIZE);
	len = b->len;
	h = netbuf_push(b, IP6_HEADER);
	memset(h, 0, IP6_HEADER);
	h[0] = 0x60;
	put_be16(h + 4, len);
	h[6] = IPPROTO_HOPOPTS;
	h[7] = 1;
	memcpy(h + 8, src, 16);
	memcpy(h + 24, dst, 16);
}

void mld_report(struct net_device *dev, const u8 ip[16], bool joined)
{
	static const u8 routers[16] = { 0xff, 2, [15] = 0x16 };
	const struct route_ns *rn = route_ns(dev->net);
	struct netbuf *b;
	u8 src[16] = { 0 };
	u8 *p;

	if (!rn || (ip[1] & 15) < 2)
		return;
	b = ip_netbuf(REPORT_SIZE, false);
	if (!b)
		return;
	spin_lock(&route_lock);
	(void)source_select6(rn, dev, routers, src);
	spin_unlock(&route_lock);
	p = netbuf_put(b, REPORT_SIZE);
	memset(p, 0, REPORT_SIZE);
	p[0] = MLD2_REPORT;
	p[7] = 1; /* records */
	p[8] = joined ? TO_EXCLUDE : TO_INCLUDE;
	memcpy(p + 12, ip, 16);
	put_be16(p + 2, (u16)~ip_sum(ip_pseudo_sum(IPPROTO_ICMPV6, src, routers,
						   REPORT_SIZE),
				     p, REPORT_SIZE));
	push_headers(b, src, routers);
	b->net = (u16)netbuf_headroom(b);
	(void)neigh_output(dev, ROUTE_MULTICAST, routers, b);
}

void mld_input(struct net_ns *net __unused, const struct ip_packet *p)
{
	if (p->ttl == 1 && ip_is_link_local(p->src) && p->b->len >= QUERY_SIZE)
		group_report_all(p->b->dev, false);
}
