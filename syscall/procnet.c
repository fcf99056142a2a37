/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet.c - /proc/<pid>/net and /proc/sys/net: sockets, the interface and
 * settings of a network namespace.
 *
 * Here, because only this layer knows both the files and the network.
 */
#include <syscall/procnet.h>

#include <kernel/init.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>
#include <net/tcp/wire.h>
#include <net/unix.h>

struct listing {
	struct text *t;
	u16 family;
	u8 proto;
	u32 nr;
};

/* As Linux prints them: words in the machine's order. */
static void put_ep(struct text *t, const struct inet_ep *ep, bool v6)
{
	u32 w[4];

	memcpy(w, ep->ip, sizeof(w));
	if (v6)
		text_printf(t, " %08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3],
			    ep->port);
	else
		text_printf(t, " %08X:%04X", w[3], ep->port);
}

void procnet_put_inet(struct text *t, const struct inet_sock *is, u32 nr,
		      bool six)
{
	static const struct inet_ep none4 = {
		.ip = { [10] = 0xff, [11] = 0xff }
	};
	static const struct inet_ep none6;
	const struct inet_ep *remote = &is->remote;
	u32 queued;

	if (is->state != INET_CONNECTED && is->state != INET_CONNECTING)
		remote = six ? &none6 : &none4;
	queued = is->state == INET_LISTEN ? is->nr_backlog
					  : (u32)load_once(&is->bytes);
	text_printf(t, "%4u:", nr);
	put_ep(t, &is->local, six);
	put_ep(t, remote, six);
	text_printf(t,
		    " %02X %08X:%08X 00:00000000 00000000 %5u        0 %lu "
		    "%u %016lx 0\n",
		    (u32)inet_tcp_state(is), tcp_wire_unacked(is), queued,
		    uid_shown(is->uid), is->dead ? 0 : is->s.ino,
		    load_once(&is->refs), 0ul);
}

static void put_inet(struct inet_sock *is, void *arg)
{
	struct listing *l = arg;

	if (is->s.family == l->family && is->proto == l->proto)
		procnet_put_inet(l->t, is, l->nr++, l->family == AF_INET6);
}

/* What waits for its end is nobody's. */
static void put_wait(const struct tcp_wait_info *i, void *arg)
{
	struct listing *l = arg;
	bool six = l->family == AF_INET6;

	if (i->family != l->family)
		return;
	text_printf(l->t, "%4u:", l->nr++);
	put_ep(l->t, &i->local, six);
	put_ep(l->t, &i->remote, six);
	text_printf(l->t,
		    " %02X 00000000:00000000 03:%08lX 00000000     0        0 "
		    "0 3 %016lx\n",
		    TCP_TIME_WAIT_STATE, i->left_ns / (NSEC_PER_SEC / 100),
		    0ul);
}

void procnet_inet_head(struct text *t, bool six, bool datagrams)
{
	text_printf(t,
		    "  sl  local_address %srem_address   %sst tx_queue "
		    "rx_queue tr tm->when retrnsmt   uid  timeout inode%s\n",
		    six ? "                        " : "",
		    six ? "                     " : "",
		    datagrams ? " ref pointer drops" : "");
}

static int show_inet(struct text *t, struct net_ns *net, u64 which)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE,
				     IPPROTO_ICMP };
	bool six = which & 1;
	struct listing l = { .t = t,
			     .family = six ? AF_INET6 : AF_INET,
			     .proto = protos[which >> 1] };

	if (six && l.proto == IPPROTO_ICMP)
		l.proto = IPPROTO_ICMPV6;
	procnet_inet_head(t, six, l.proto != IPPROTO_TCP);
	inet_for_each(net, put_inet, &l);
	if (l.proto == IPPROTO_TCP)
		tcp_wait_for_each(net, put_wait, &l);
	return 0;
}

static void put_unix(struct unix_sock *us, void *arg)
{
	struct text *t = arg;

	text_printf(t, "%016lx: %08X 00000000 %08X %04X %02X %5lu", 0ul,
		    load_once(&us->refs), us->s.listening ? 0x10000u : 0u,
		    us->s.type, us->state == UNIX_CONNECTED ? 3u : 1u,
		    us->s.ino);
	if (us->name) {
		const struct sock_addr *a = &us->name->addr;

		text_puts(t, a->abstract ? " @" : " ");
		for (u32 i = 0; i < a->len; i++)
			text_printf(t, "%c", a->name[i] ? a->name[i] : '@');
	}
	text_puts(t, "\n");
}

static int show_unix(struct text *t, struct net_ns *net, u64 arg __unused)
{
	text_puts(t,
		  "Num       RefCount Protocol Flags    Type St Inode Path\n");
	unix_for_each(net, put_unix, t);
	return 0;
}

/* How many sockets there are, by family and protocol. */
struct census {
	u32 tcp[2], udp[2], udplite[2]; /* of IPv4, of IPv6 */
	u32 all, waits;
};

static void count_wait(const struct tcp_wait_info *i __unused, void *arg)
{
	((struct census *)arg)->waits++;
}

static void count_inet(struct inet_sock *is, void *arg)
{
	struct census *c = arg;
	bool six = is->s.family == AF_INET6;

	c->all++;
	if (is->proto == IPPROTO_TCP)
		c->tcp[six] += is->state != INET_IDLE;
	else if (is->proto == IPPROTO_UDP)
		c->udp[six] += is->bound;
	else if (is->proto == IPPROTO_UDPLITE)
		c->udplite[six] += is->bound;
}

static void count_unix(struct unix_sock *us __unused, void *arg)
{
	((struct census *)arg)->all++;
}

static int show_sockstat(struct text *t, struct net_ns *net, u64 six)
{
	struct census c = { 0 };

	inet_for_each(net, count_inet, &c);
	unix_for_each(net, count_unix, &c);
	tcp_wait_for_each(net, count_wait, &c);
	if (six)
		text_printf(t,
			    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse "
			    "%u\nRAW6: inuse %u\nFRAG6: inuse 0 memory 0\n",
			    c.tcp[1], c.udp[1], c.udplite[1],
			    procnet_nr_raw(net, true));
	else
		text_printf(
			t,
			"sockets: used %u\nTCP: inuse %u orphan 0 tw %u alloc "
			"%u mem 0\nUDP: inuse %u mem 0\nUDPLITE: inuse %u\n"
			"RAW: inuse %u\nFRAG: inuse 0 memory 0\n",
			c.all, c.tcp[0], c.waits, c.tcp[0] + c.tcp[1], c.udp[0],
			c.udplite[0], procnet_nr_raw(net, false));
	return 0;
}

static const struct proc_net_entry net_entries[] = {
	{ "tcp", show_inet, 0 },
	{ "tcp6", show_inet, 1 },
	{ "udp", show_inet, 2 },
	{ "udp6", show_inet, 3 },
	{ "udplite", show_inet, 4 },
	{ "udplite6", show_inet, 5 },
	{ "icmp", show_inet, 6 },
	{ "icmp6", show_inet, 7 },
	{ "raw", procnet_raw, 0 },
	{ "raw6", procnet_raw, 1 },
	{ "unix", show_unix, 0 },
	{ "netlink", procnet_netlink, 0 },
	{ "packet", procnet_packet, 0 },
	{ "sockstat", show_sockstat, 0 },
	{ "sockstat6", show_sockstat, 1 },
	{ "snmp", procnet_snmp, 0 },
	{ "snmp6", procnet_snmp6, 0 },
	{ "netstat", procnet_netstat, 0 },
	{ "dev", procnet_dev, 0 },
	{ "dev_mcast", procnet_dev_mcast, 0 },
	{ "anycast6", procnet_empty, PROCNET_NOTHING },
	{ "arp", procnet_arp, 0 },
	{ "igmp", procnet_igmp, 0 },
	{ "igmp6", procnet_igmp, 1 },
	{ "mcfilter", procnet_empty, PROCNET_MCFILTER },
	{ "mcfilter6", procnet_empty, PROCNET_MCFILTER6 },
	{ "route", procnet_route, 0 },
	{ "fib_trie", procnet_fib, 0 },
	{ "ipv6_route", procnet_route6, 0 },
	{ "if_inet6", procnet_if_inet6, 0 },
	{ "protocols", procnet_protocols, 0 },
};

/* --- /proc/sys/net: settings of the reader's namespace */

/* A number, or two of them in one file. */
static const struct knob {
	const char *dir, *name;
	u32 off; /* in struct net_sysctl */
	u32 nr;	 /* of numbers */
	u32 min, max;
} knobs[] = {
	{ "core", "somaxconn", offsetof(struct net_sysctl, somaxconn), 1, 0,
	  INT32_MAX },
	{ "unix", "max_dgram_qlen", offsetof(struct net_sysctl, unix_qlen), 1,
	  0, INT32_MAX },
	{ "ipv4", "ip_local_port_range",
	  offsetof(struct net_sysctl, port_first), 2, 1, 65535 },
	{ "ipv4", "ip_unprivileged_port_start",
	  offsetof(struct net_sysctl, port_unprivileged), 1, 0, 65535 },
};

static int show_knob(struct text *t, void *arg)
{
	const struct knob *k = arg;
	const u32 *v =
		(const void *)((const u8 *)&current_net_ns()->ctl + k->off);

	text_printf(t, "%u", load_once(&v[0]));
	for (u32 i = 1; i < k->nr; i++)
		text_printf(t, "\t%u", load_once(&v[i]));
	text_puts(t, "\n");
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The next number at *@at, which is moved behind it. */
static int next_number(char **at, u64 *v)
{
	char *s = *at, *e;
	char was;
	int err;

	while (is_blank(*s))
		s++;
	for (e = s; *e && !is_blank(*e); e++)
		;
	was = *e;
	*e = '\0';
	err = kstrtou64(s, 10, v);
	*e = was;
	*at = e;
	return err;
}

/* Root of the user namespace that owns the network one may set it. */
static s64 write_knob(void *arg, char *buf, size_t n)
{
	const struct knob *k = arg;
	struct net_ns *net = current_net_ns();
	u32 *v = (void *)((u8 *)&net->ctl + k->off);
	u64 fresh[2] = { 0 };
	char *at = buf;

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	for (u32 i = 0; i < k->nr; i++) {
		if (next_number(&at, &fresh[i]) || fresh[i] < k->min ||
		    fresh[i] > k->max)
			return -EINVAL;
	}
	/* what is handed out is not privileged */
	if (k->nr == 2 && (fresh[1] < fresh[0] ||
			   fresh[0] < load_once(&net->ctl.port_unprivileged)))
		return -EINVAL;
	if (v == &net->ctl.port_unprivileged &&
	    fresh[0] > load_once(&net->ctl.port_first))
		return -EINVAL;
	for (u32 i = 0; i < k->nr; i++)
		store_once(&v[i], (u32)fresh[i]);
	return (s64)n;
}

static int show_ping_groups(struct text *t, void *arg __unused)
{
	const struct net_sysctl *c = &current_net_ns()->ctl;

	text_printf(t, "%u\t%u\n", gid_shown(load_once(&c->ping_low)),
		    gid_shown(load_once(&c->ping_high)));
	return 0;
}

/* Groups as the writer's user namespace has them; none, when the first is larger. */
static s64 write_ping_groups(void *arg __unused, char *buf, size_t n)
{
	struct net_ns *net = current_net_ns();
	u64 given[2];
	u32 low, high;
	char *at = buf;

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	for (u32 i = 0; i < 2; i++) {
		if (next_number(&at, &given[i]) || given[i] >= INVALID_ID)
			return -EINVAL;
	}
	low = gid_given((u32)given[0]);
	high = gid_given((u32)given[1]);
	if (low == INVALID_ID || high == INVALID_ID)
		return -EINVAL;
	if (given[1] < given[0] || high < low) {
		low = 1;
		high = 0;
	}
	store_once(&net->ctl.ping_low, low);
	store_once(&net->ctl.ping_high, high);
	return (s64)n;
}

static int show_zero(struct text *t, void *arg __unused)
{
	text_puts(t, "0\n");
	return 0;
}

static int procnet_init(void)
{
	struct pnode *sys = pseudo_find(proc_root, "sys");
	struct pnode *n = sys ? pseudo_dir(sys, "net") : NULL;
	struct pnode *core = n ? pseudo_dir(n, "core") : NULL;
	struct pnode *v4 = core ? pseudo_dir(n, "ipv4") : NULL;
	int err;

	if (!v4 || !pseudo_link(proc_root, "net", "self/net"))
		return -ENOMEM;
	proc_net_table(net_entries, ARRAY_SIZE(net_entries));
	for (u32 i = 0; i < ARRAY_SIZE(knobs); i++)
		pseudo_file(procnet_sysctl_dir(n, knobs[i].dir), knobs[i].name,
			    0644, show_knob, write_knob,
			    (void *)(uintptr_t)&knobs[i]);
	pseudo_file(v4, "ping_group_range", 0644, show_ping_groups,
		    write_ping_groups, NULL);
	pseudo_file(v4, "tcp_syncookies", 0444, show_zero, NULL, NULL);
	err = procnet_sysctl(n);
	return err ? err : procnet_conf(n);
}
INITCALL(INIT_LATE, procnet_init);
