/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet_link.c - files of /proc/<pid>/net about interfaces, their addresses, routes
 * and neighbours.
 */
#include <syscall/procnet.h>

#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <net/link/dev.h>
#include <net/route/route_int.h>

/* As Linux prints them: words in the machine's order. */
static u32 word_of(const u8 ip[16])
{
	u32 w;

	memcpy(&w, ip + 12, sizeof(w));
	return w;
}

static void put_hex(struct text *t, const u8 *p, u32 n)
{
	for (u32 i = 0; i < n; i++)
		text_printf(t, "%02x", p[i]);
}

/* --- interfaces */

static void put_dev(struct net_device *dev, void *arg)
{
	struct text *t = arg;
	struct net_stats s;

	link_stats(dev, &s);
	text_printf(t,
		    "%6s: %7lu %7lu %4lu %4lu    0     0          0 %9lu "
		    "%8lu %7lu %4lu %4lu    0     0       0          0\n",
		    dev->name, s.rx_bytes, s.rx_packets, s.rx_errors,
		    s.rx_dropped, s.multicast, s.tx_bytes, s.tx_packets,
		    s.tx_errors, s.tx_dropped);
}

int procnet_dev(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t, "Inter-|   Receive                                       "
		     "         |  Transmit\n"
		     " face |bytes    packets errs drop fifo frame compressed "
		     "multicast|bytes    packets errs drop fifo colls carrier "
		     "compressed\n");
	mutex_lock(&rtnl_mutex);
	link_for_each(net, put_dev, t);
	mutex_unlock(&rtnl_mutex);
	return 0;
}

struct dev_text {
	struct text *t;
	const struct net_device *dev;
};

static void put_group(const u8 *mac, u32 users, void *arg)
{
	struct dev_text *d = arg;

	text_printf(d->t, "%-4d %-15s %-5u 0     ", d->dev->index, d->dev->name,
		    users);
	put_hex(d->t, mac, ETH_ALEN);
	text_puts(d->t, "\n");
}

static void put_groups(struct net_device *dev, void *arg)
{
	struct dev_text d = { .t = arg, .dev = dev };

	link_group_for_each(dev, put_group, &d);
}

int procnet_dev_mcast(struct text *t, struct net_ns *net, u64 arg __unused)
{
	mutex_lock(&rtnl_mutex);
	link_for_each(net, put_groups, t);
	mutex_unlock(&rtnl_mutex);
	return 0;
}

/* --- addresses: of IPv6 */

static u32 scope_shown(const struct if_addr *a)
{
	if (a->scope == RT_SCOPE_HOST)
		return 0x10;
	return a->scope == RT_SCOPE_LINK ? 0x20 : 0;
}

static void put_addr6(const struct if_addr *a, void *arg)
{
	struct text *t = arg;

	if (a->family != AF_INET6)
		return;
	put_hex(t, a->ip, 16);
	text_printf(t, " %02x %02x %02x %02x %8s\n", (u32)a->dev->index,
		    a->prefix, scope_shown(a), load_once(&a->flags) & 0xff,
		    a->dev->name);
}

int procnet_if_inet6(struct text *t, struct net_ns *net, u64 arg __unused)
{
	mutex_lock(&rtnl_mutex);
	if_addr_for_each(net, put_addr6, t);
	mutex_unlock(&rtnl_mutex);
	return 0;
}

/* --- routes */

#define RTF_UP	      0x1u
#define RTF_GATEWAY   0x2u
#define RTF_HOST      0x4u
#define RTF_REJECT    0x200u
#define RTF_NONEXTHOP 0x200000u
#define RTF_LOCAL     0x80000000u

static bool is_refused(const struct fib_route *r)
{
	return r->type >= ROUTE_BLACKHOLE && r->type <= ROUTE_PROHIBIT;
}

static void put_route4(const struct fib_route *r, void *arg)
{
	u8 mask[16];
	u32 flags = RTF_UP | (r->has_via ? RTF_GATEWAY : 0) |
		    (r->dst_len == 32 ? RTF_HOST : 0) |
		    (is_refused(r) ? RTF_REJECT : 0);

	if (r->family != AF_INET || r->table != RT_TABLE_MAIN)
		return;
	memset(mask, 0xff, sizeof(mask));
	ip_cut_prefix(mask, r->dst_len + 96u);
	text_printf(arg, "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t%u\t0\t0\n",
		    r->dev ? r->dev->name : "*", word_of(r->dst),
		    r->has_via ? word_of(r->via) : 0, flags, r->metric,
		    word_of(mask), r->mtu);
}

int procnet_route(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t,
		  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t"
		  "Mask\t\tMTU\tWindow\tIRTT\n");
	mutex_lock(&rtnl_mutex);
	fib_for_each(net, put_route4, t);
	mutex_unlock(&rtnl_mutex);
	return 0;
}

#define NO_ADDR "00000000000000000000000000000000 "
#define NO_ROUTE                                                          \
	NO_ADDR "00 " NO_ADDR "00 " NO_ADDR "ffffffff 00000001 00000000 " \
		"00200200       lo\n"

static u32 flags6(const struct fib_route *r)
{
	if (r->type == ROUTE_LOCAL)
		return RTF_UP | RTF_NONEXTHOP | RTF_LOCAL;
	if (is_refused(r))
		return RTF_UP | RTF_REJECT | RTF_NONEXTHOP;
	return RTF_UP | (r->has_via ? RTF_GATEWAY : 0) |
	       (r->dst_len == 128 ? RTF_HOST : 0);
}

static void put_route6(const struct fib_route *r, void *arg)
{
	static const u8 none[16];
	struct text *t = arg;

	if (r->family != AF_INET6)
		return;
	put_hex(t, r->dst, 16);
	text_printf(t, " %02x " NO_ADDR "00 ", r->dst_len);
	put_hex(t, r->has_via ? r->via : none, 16);
	text_printf(t, " %08x %08x %08x %08x %8s\n", r->metric,
		    r->type == ROUTE_LOCAL ? 2 : 1, 0, flags6(r),
		    r->dev ? r->dev->name : "lo");
}

int procnet_route6(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t, NO_ROUTE);
	mutex_lock(&rtnl_mutex);
	fib_for_each(net, put_route6, t);
	mutex_unlock(&rtnl_mutex);
	text_puts(t, NO_ROUTE);
	return 0;
}

/* --- neighbours: of IPv4 */

#define ATF_COM	 2u
#define ATF_PERM 4u

static void put_neigh(const struct neigh_info *n, void *arg)
{
	bool valid = n->state & NUD_VALID;
	u32 flags = n->state & NUD_PERMANENT ? ATF_PERM | ATF_COM
		    : valid		     ? ATF_COM
					     : 0;
	const u8 *m = n->lladdr, *ip = n->ip + 12;
	static const u8 none[ETH_ALEN];
	char text[20];

	if (n->family != AF_INET || !n->state || n->state & NUD_NOARP)
		return;
	if (!valid)
		m = none;
	(void)scnprintf(text, sizeof(text), "%u.%u.%u.%u", ip[0], ip[1], ip[2],
			ip[3]);
	text_printf(arg,
		    "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *"
		    "        %s\n",
		    text, n->dev->type, flags, m[0], m[1], m[2], m[3], m[4],
		    m[5], n->dev->name);
}

int procnet_arp(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t, "IP address       HW type     Flags       HW address    "
		     "        Mask     Device\n");
	neigh_for_each(net, put_neigh, t);
	return 0;
}
