/* SPDX-License-Identifier: MIT */
/*
 * net/route/gro.c - segments of TCP that arrive one after another go up together.
 *
 * Whose they are, and whether they are for this machine at all, is then looked up once for all
 * of them, and TCP answers them once.  They are not made into one: the first one is a packet
 * as it came, the others, without their headers of IP, hang behind it (netbuf.more), and TCP
 * looks at each (net/tcp/input.c).  So it does not matter what is in them; only what ends a
 * connection or begins one goes up alone.
 *
 * INVARIANTS
 *   G1  Packets of one connection stay in order: one that is not held sends up all that are.
 *   G2  Nothing is held between two rounds of the worker: a packet waits for others that are
 *	 in the backlog already, and for no time.
 *   G3  What hangs behind another one has a whole header of IP without options, whose
 *	 addresses are the first one's, is no fragment, and is for this machine.
 *
 * Context and locking: the worker "net" alone.
 */
#include <net/link/link.h>
#include <net/route/route_int.h>

#define GRO_FLOWS  8u /* connections whose segments are held at a time */
#define GRO_SEGS   64u /* of one: a window without scaling has 45 of Ethernet's */
#define TCP_HEAD   20u
#define TCP_FLAGS  13u /* where they are */
#define TCP_NORMAL 0x10u
#define TCP_ODD	   0x06u /* SYN, RST */

struct flow {
	struct netbuf *first, *last;
	u32 nr;
	bool is_local; /* it was looked up: they are for us */
};

static struct flow flows[GRO_FLOWS];
static u32 nr_flows;

/* The length of the packet @b, if it is a segment that can be held; else 0. */
static u32 length4(const struct netbuf *b)
{
	const u8 *h = b->data;
	u32 len;

	if (b->len < IP4_HEADER + TCP_HEAD || h[0] != 0x45 ||
	    h[9] != IPPROTO_TCP)
		return 0;
	len = get_be16(h + 2);
	if (len < IP4_HEADER + TCP_HEAD || len > b->len ||
	    (get_be16(h + 6) & (IP_MF | IP_OFFSET)))
		return 0;
	return ip_sum(0, h, IP4_HEADER) == 0xffff ? len : 0;
}

static u32 length6(const struct netbuf *b)
{
	const u8 *h = b->data;
	u32 len;

	if (b->len < IP6_HEADER + TCP_HEAD || h[0] >> 4 != 6 ||
	    h[6] != IPPROTO_TCP)
		return 0;
	len = IP6_HEADER + get_be16(h + 4);
	return len < IP6_HEADER + TCP_HEAD || len > b->len ? 0 : len;
}

static u32 head_of(const struct netbuf *b)
{
	return b->proto == ETH_P_IP ? IP4_HEADER : IP6_HEADER;
}

static u32 length_of(const struct netbuf *b)
{
	u32 len = 0;
	u8 flags;

	if (b->pkttype != PACKET_HOST || (uintptr_t)b->data % sizeof(u32))
		return 0;
	if (b->proto == ETH_P_IP)
		len = length4(b);
	else if (b->proto == ETH_P_IPV6)
		len = length6(b);
	if (!len)
		return 0;
	flags = b->data[head_of(b) + TCP_FLAGS];
	return (flags & TCP_NORMAL) && !(flags & TCP_ODD) ? len : 0;
}

/* Addresses and ports, which are one behind the other in both. */
static bool same_flow(const struct netbuf *a, const struct netbuf *b)
{
	u32 head = head_of(a), from = a->proto == ETH_P_IP ? 12 : 8;
	const u32 *x = (const void *)(a->data + from);
	const u32 *y = (const void *)(b->data + from);

	if (a->proto != b->proto || a->dev != b->dev)
		return false;
	for (u32 n = (head - from) / sizeof(u32) + 1; n; n--) {
		if (*x++ != *y++)
			return false;
	}
	return true;
}

static struct flow *flow_of(const struct netbuf *b)
{
	for (u32 i = 0; i < nr_flows; i++) {
		if (same_flow(flows[i].first, b))
			return &flows[i];
	}
	return NULL;
}

static bool is_local(const struct netbuf *b)
{
	u8 dst[16], src[16];

	ip_addresses(b->data, b->proto == ETH_P_IP, src, dst);
	return route_input_type(b->dev->net, dst) == ROUTE_LOCAL;
}

static void pass_up(struct flow *f)
{
	struct netbuf *b = f->first;

	*f = flows[--nr_flows];
	link_input(b->dev, b);
}

void gro_flush(void)
{
	while (nr_flows)
		pass_up(&flows[0]);
}

static void begin_flow(struct netbuf *b)
{
	if (nr_flows == GRO_FLOWS)
		gro_flush();
	flows[nr_flows++] = (struct flow){ .first = b, .last = b, .nr = 1 };
}

/* What ip4_input() and ip6_input() count of it. */
static void count(struct net_ns *net, const struct netbuf *b)
{
	bool v4 = b->proto == ETH_P_IP;

	net_count(net, v4 ? NET_IP_IN : NET_IP6_IN, 1);
	net_count(net, v4 ? NET_IP_IN_BYTES : NET_IP6_IN_BYTES, b->len);
	net_count(net, v4 ? NET_IP_DELIVERED : NET_IP6_DELIVERED, 1);
}

bool gro_hold(struct net_device *dev, struct netbuf *b)
{
	u32 len = ip_tapped(dev->net) ? 0 : length_of(b);
	struct flow *f;

	if (!len) {
		gro_flush();
		return false;
	}
	if (b->dev != dev)
		netbuf_set_dev(b, dev);
	b->len = len;
	f = flow_of(b);
	if (f && !f->is_local && !is_local(b)) {
		pass_up(f);
		f = NULL;
	}
	if (!f) {
		begin_flow(b);
		return true;
	}
	f->is_local = true;
	count(dev->net, b);
	(void)netbuf_pull(b, head_of(b));
	f->last->more = b;
	f->last = b;
	if (++f->nr == GRO_SEGS)
		pass_up(f);
	return true;
}
