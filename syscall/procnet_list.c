/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet_list.c - files of /proc/<pid>/net that list: raw and netlink sockets,
 * groups, routes, protocols.
 */
#include <syscall/procnet.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ip.h>
#include <net/nlsock.h>
#include <net/packet.h>
#include <net/unix.h>

struct listing {
	struct text *t;
	bool six;
	u8 proto;
	u32 nr;
};

/* --- raw sockets: their protocol stands where others have a port */

static void put_raw(struct inet_sock *is, void *arg)
{
	struct listing *l = arg;

	if ((is->s.family == AF_INET6) == l->six)
		procnet_put_inet(l->t, is, is->proto, l->six);
}

int procnet_raw(struct text *t, struct net_ns *net, u64 six)
{
	struct listing l = { .t = t, .six = six != 0 };

	procnet_inet_head(t, l.six, true);
	raw_for_each(net, put_raw, &l);
	return 0;
}

static void count_raw(struct inet_sock *is, void *arg)
{
	struct listing *l = arg;

	l->nr += (is->s.family == AF_INET6) == l->six;
}

u32 procnet_nr_raw(struct net_ns *net, bool six)
{
	struct listing l = { .six = six };

	raw_for_each(net, count_raw, &l);
	return l.nr;
}

/* --- packet sockets */

static void put_packet(struct packet_sock *ps, void *arg)
{
	text_printf(arg, "%016lx %-6u %-4u %04x   %-5d 1 %-6lu 0      %-6lu\n",
		    0ul, 1u, ps->s.type, ps->proto, ps->ifindex,
		    load_once(&ps->queued), ps->s.ino);
}

int procnet_packet(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t, "sk               RefCnt Type Proto  Iface R Rmem   User "
		     "  Inode\n");
	packet_for_each(net, put_packet, t);
	return 0;
}

/* --- netlink sockets */

/* One without a port is on nobody's list, as on Linux. */
static void put_netlink(struct nl_sock *nl, void *arg)
{
	if (!load_once(&nl->port))
		return;
	text_printf(arg,
		    "%016lx %-3u %-10u %08x %-8lu 0        0     2        0 "
		    "       %-8lu\n",
		    0ul, nl->s.protocol, nl->port, (u32)load_once(&nl->groups),
		    load_once(&nl->queued), nl->s.ino);
}

int procnet_netlink(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t, "sk               Eth Pid        Groups   Rmem     Wmem  "
		     "   Dump  Locks    Drops    Inode\n");
	netlink_for_each(net, put_netlink, t);
	return 0;
}

/* --- multicast groups that sockets with a port have joined */

#define GROUPS_MAX 64u

struct groups {
	bool six;
	u32 nr;
	struct {
		struct inet_ep ep;
		u32 users;
	} g[GROUPS_MAX];
};

static void add_group(const struct inet_ep *ep, void *arg)
{
	struct groups *all = arg;
	u32 i = 0;

	if (inet_is_v4(ep) == all->six)
		return;
	while (i < all->nr && !inet_same_ip(&all->g[i].ep, ep))
		i++;
	if (i == GROUPS_MAX)
		return;
	all->nr = max(all->nr, i + 1);
	all->g[i].ep = *ep;
	all->g[i].users++;
}

static void add_socket(struct inet_sock *is, void *arg)
{
	inet_mc_for_each(is, add_group, arg);
}

static void put_groups4(struct text *t, const struct groups *all)
{
	text_printf(t, "1\tlo        : %5u      V3\n", all->nr);
	for (u32 i = 0; i < all->nr; i++) {
		u32 ip;

		memcpy(&ip, all->g[i].ep.ip + 12, 4);
		text_printf(t, "\t\t\t\t%08X %5u 0:00000000\t\t0\n", ip,
			    all->g[i].users);
	}
}

static void put_groups6(struct text *t, const struct groups *all)
{
	for (u32 i = 0; i < all->nr; i++) {
		text_puts(t, "1    lo              ");
		for (u32 j = 0; j < 16; j++)
			text_printf(t, "%02x", all->g[i].ep.ip[j]);
		text_printf(t, " %5u %08X 0\n", all->g[i].users, i ? 4 : 12);
	}
}

int procnet_igmp(struct text *t, struct net_ns *net, u64 six)
{
	static const struct inet_ep all_hosts = {
		.ip = { [10] = 0xff, 0xff, 224, 0, 0, 1 }
	};
	static const struct inet_ep all_nodes = { .ip = { 0xff, 2, [15] = 1 } };
	struct groups *all = kzalloc(sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->six = six != 0;
	add_group(six ? &all_nodes : &all_hosts, all);
	inet_for_each(net, add_socket, all);
	if (!six)
		text_puts(t, "Idx\tDevice    : Count Querier\tGroup    Users "
			     "Timer\tReporter\n");
	if (six)
		put_groups6(t, all);
	else if (load_once(&net->lo_up))
		put_groups4(t, all);
	kfree(all);
	return 0;
}

/* --- routes */

/* Two names for the one table there is. */
int procnet_fib(struct text *t, struct net_ns *net, u64 arg __unused)
{
	static const char *const names[] = { "Main", "Local" };

	for (u32 i = 0; load_once(&net->lo_up) && i < ARRAY_SIZE(names); i++)
		text_printf(t,
			    "%s:\n"
			    "  +-- 127.0.0.0/8 2 0 2\n"
			    "     +-- 127.0.0.0/31 1 0 0\n"
			    "        |-- 127.0.0.0\n"
			    "           /8 host LOCAL\n"
			    "        |-- 127.0.0.1\n"
			    "           /32 host LOCAL\n"
			    "     |-- 127.255.255.255\n"
			    "        /32 link BROADCAST\n",
			    names[i]);
	return 0;
}

/* --- protocols */

static void count_inet(struct inet_sock *is, void *arg)
{
	struct listing *l = arg;

	l->nr += is->proto == l->proto && (is->s.family == AF_INET6) == l->six;
}

static void count_unix(struct unix_sock *us __unused, void *arg)
{
	((struct listing *)arg)->nr++;
}

static void count_netlink(struct nl_sock *nl __unused, void *arg)
{
	((struct listing *)arg)->nr++;
}

static u32 nr_inet(struct net_ns *net, u8 proto, bool six)
{
	struct listing l = { .proto = proto, .six = six };

	inet_for_each(net, count_inet, &l);
	return l.nr;
}

static void put_protocol(struct text *t, const char *name, size_t size, u32 nr)
{
	text_printf(t,
		    "%-9s %4lu %6u      -1   NI       0   no   kernel   "
		    "   y  y  y  n  y  y  y  y  y  y  y  y  n  n  y  y  y  n\n",
		    name, size, nr);
}

int procnet_protocols(struct text *t, struct net_ns *net, u64 arg __unused)
{
	static const struct {
		const char *name;
		u8 proto;
		bool six;
	} inet[] = {
		{ "PINGv6", IPPROTO_ICMPV6, true },
		{ "UDPLITEv6", IPPROTO_UDPLITE, true },
		{ "UDPv6", IPPROTO_UDP, true },
		{ "TCPv6", IPPROTO_TCP, true },
		{ "UDP-Lite", IPPROTO_UDPLITE, false },
		{ "PING", IPPROTO_ICMP, false },
		{ "UDP", IPPROTO_UDP, false },
		{ "TCP", IPPROTO_TCP, false },
	};
	struct listing un = { .nr = 0 }, nl = { .nr = 0 };

	text_puts(t, "protocol  size sockets  memory press maxhdr  slab module"
		     "     cl co di ac io in de sh ss gs se re bi br ha uh gp "
		     "em\n");
	for (u32 i = 0; i < ARRAY_SIZE(inet); i++)
		put_protocol(t, inet[i].name, sizeof(struct inet_sock),
			     nr_inet(net, inet[i].proto, inet[i].six));
	put_protocol(t, "RAWv6", sizeof(struct inet_sock),
		     procnet_nr_raw(net, true));
	put_protocol(t, "RAW", sizeof(struct inet_sock),
		     procnet_nr_raw(net, false));
	unix_for_each(net, count_unix, &un);
	put_protocol(t, "UNIX", sizeof(struct unix_sock), un.nr);
	netlink_for_each(net, count_netlink, &nl);
	put_protocol(t, "NETLINK", sizeof(struct nl_sock), nl.nr);
	return 0;
}

/* --- headings */

int procnet_empty(struct text *t, struct net_ns *net __unused, u64 nr)
{
	static const char *const heads[] = {
		[PROCNET_MCFILTER] = "Idx Device        MCA        SRC    INC "
				     "   EXC\n",
		[PROCNET_MCFILTER6] = "Idx Device                Multicast "
				      "Address                   Source Address"
				      "    INC    EXC\n",
		[PROCNET_NOTHING] = "",
	};

	text_puts(t, heads[nr]);
	return 0;
}
