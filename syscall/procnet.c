/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet.c - /proc/net: sockets and the one interface.
 *
 * Here, because only this layer knows both the files and the network.
 */
#include <fs/pseudo.h>
#include <kernel/init.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>
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

static void put_inet(struct inet_sock *is, void *arg)
{
	struct listing *l = arg;
	bool v6 = l->family == AF_INET6;
	static const struct inet_ep none4 = {
		.ip = { [10] = 0xff, [11] = 0xff }
	};
	static const struct inet_ep none6;
	const struct inet_ep *remote = &is->remote;
	u32 queued;

	if (is->s.family != l->family || is->proto != l->proto)
		return;
	if (is->state != INET_CONNECTED && is->state != INET_CONNECTING)
		remote = v6 ? &none6 : &none4;
	queued = is->state == INET_LISTEN ? is->nr_backlog
					  : (u32)load_once(&is->bytes);
	text_printf(l->t, "%4u:", l->nr++);
	put_ep(l->t, &is->local, v6);
	put_ep(l->t, remote, v6);
	text_printf(l->t,
		    " %02X %08X:%08X 00:00000000 00000000 %5u        0 %lu "
		    "%u %016lx 0\n",
		    (u32)inet_tcp_state(is), 0u, queued, uid_shown(is->uid),
		    is->s.ino, load_once(&is->refs), 0ul);
}

static int show_inet(struct text *t, void *arg)
{
	u64 which = (u64)(uintptr_t)arg;
	struct listing l = { .t = t,
			     .family = which & 1 ? AF_INET6 : AF_INET,
			     .proto = which & 2 ? IPPROTO_UDP : IPPROTO_TCP };

	text_printf(t,
		    "  sl  local_address %srem_address   %sst tx_queue "
		    "rx_queue tr tm->when retrnsmt   uid  timeout inode\n",
		    which & 1 ? "                        " : "",
		    which & 1 ? "                     " : "");
	inet_for_each(put_inet, &l);
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

static int show_unix(struct text *t, void *arg __unused)
{
	text_puts(t,
		  "Num       RefCount Protocol Flags    Type St Inode Path\n");
	unix_for_each(put_unix, t);
	return 0;
}

/* How many sockets there are, by family and protocol. */
struct census {
	u32 tcp[2], udp[2], udplite[2]; /* of IPv4, of IPv6 */
	u32 all;
};

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

static int show_sockstat(struct text *t, void *six)
{
	struct census c = { 0 };

	inet_for_each(count_inet, &c);
	unix_for_each(count_unix, &c);
	if (six)
		text_printf(t,
			    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse "
			    "%u\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n",
			    c.tcp[1], c.udp[1], c.udplite[1]);
	else
		text_printf(
			t,
			"sockets: used %u\nTCP: inuse %u orphan 0 tw 0 alloc "
			"%u mem 0\nUDP: inuse %u mem 0\nUDPLITE: inuse %u\n"
			"RAW: inuse 0\nFRAG: inuse 0 memory 0\n",
			c.all, c.tcp[0], c.tcp[0] + c.tcp[1], c.udp[0],
			c.udplite[0]);
	return 0;
}

static int show_dev(struct text *t, void *arg __unused)
{
	text_puts(t, "Inter-|   Receive                                       "
		     "         |  Transmit\n"
		     " face |bytes    packets errs drop fifo frame compressed "
		     "multicast|bytes    packets errs drop fifo colls carrier "
		     "compressed\n"
		     "    lo:       0       0    0    0    0     0          0  "
		     "       0        0       0    0    0    0     0       0 "
		     "         0\n");
	return 0;
}

static int show_route(struct text *t, void *arg __unused)
{
	text_puts(t,
		  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t"
		  "Mask\t\tMTU\tWindow\tIRTT\n");
	return 0;
}

static int show_if_inet6(struct text *t, void *arg __unused)
{
	if (load_once(&loopback_up))
		text_puts(t, "00000000000000000000000000000001 01 80 10 80 "
			     "      lo\n");
	return 0;
}

static int show_protocols(struct text *t, void *arg __unused)
{
	text_puts(t, "protocol\nTCPv6\nUDPv6\nTCP\nUDP\nUNIX\nNETLINK\n");
	return 0;
}

static int show_port_range(struct text *t, void *arg __unused)
{
	text_printf(t, "%u\t%u\n", load_once(&inet_port_first),
		    load_once(&inet_port_last));
	return 0;
}

static int show_somaxconn(struct text *t, void *arg __unused)
{
	text_puts(t, "4096\n");
	return 0;
}

static int show_zero(struct text *t, void *arg __unused)
{
	text_puts(t, "0\n");
	return 0;
}

static int procnet_init(void)
{
	struct pnode *d = pseudo_dir(proc_root, "net");
	struct pnode *sys = pseudo_find(proc_root, "sys"), *n;

	if (!d || !sys)
		return -ENOMEM;
	pseudo_file(d, "tcp", 0444, show_inet, NULL, (void *)0);
	pseudo_file(d, "tcp6", 0444, show_inet, NULL, (void *)1);
	pseudo_file(d, "udp", 0444, show_inet, NULL, (void *)2);
	pseudo_file(d, "udp6", 0444, show_inet, NULL, (void *)3);
	pseudo_file(d, "unix", 0444, show_unix, NULL, NULL);
	pseudo_file(d, "sockstat", 0444, show_sockstat, NULL, NULL);
	pseudo_file(d, "sockstat6", 0444, show_sockstat, NULL, (void *)1);
	pseudo_file(d, "dev", 0444, show_dev, NULL, NULL);
	pseudo_file(d, "route", 0444, show_route, NULL, NULL);
	pseudo_file(d, "if_inet6", 0444, show_if_inet6, NULL, NULL);
	pseudo_file(d, "protocols", 0444, show_protocols, NULL, NULL);
	n = pseudo_dir(sys, "net");
	d = n ? pseudo_dir(n, "core") : NULL;
	if (d)
		pseudo_file(d, "somaxconn", 0444, show_somaxconn, NULL, NULL);
	d = n ? pseudo_dir(n, "ipv4") : NULL;
	if (!d)
		return -ENOMEM;
	pseudo_file(d, "ip_local_port_range", 0444, show_port_range, NULL,
		    NULL);
	pseudo_file(d, "ip_forward", 0444, show_zero, NULL, NULL);
	pseudo_file(d, "tcp_syncookies", 0444, show_zero, NULL, NULL);
	return 0;
}
INITCALL(INIT_LATE, procnet_init);
