/* SPDX-License-Identifier: MIT */
/*
 * net/inet_opt.c - options of internet sockets: which level, and switches.
 *
 * Most speak of packets, of which there are none: they are kept and given back, and
 * that is all that they would do on Linux's loopback too.  What we could not carry
 * out is refused.
 *
 * Not here: the levels (ip_opt.c, ip6_opt.c, tcp_opt.c, udp_cork.c, mcast.c, raw.c).
 */
#include <net/inet_opt.h>

#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ip.h>

int inet_opt_word(const void *val, u32 len, u32 *v)
{
	*v = 0;
	if (len >= sizeof(*v))
		memcpy(v, val, sizeof(*v));
	else if (len)
		memcpy(v, val, 1);
	return 0;
}

/*
 * Switches: a bit of is->kept each, which says that it is not as it was at first.
 * STRICT: 0 or 1; PACKETS: not of streams; TELLS: a bit of is->told besides.
 */
enum {
	STRICT = 1,
	PACKETS = 2,
	WIDE = 4, /* for who may have any address */
	FREE = 8, /* any address may be bound to */
};

static const struct {
	u8 level, opt, first, how;
	u8 tells; /* TELL_*, or 0 */
} switches[] = {
	{ IPPROTO_IP, IP_RECVOPTS, 0, 0, 0 },
	{ IPPROTO_IP, IP_RETOPTS, 0, 0, 0 },
	{ IPPROTO_IP, IP_PKTINFO, 0, 0, TELL_PKTINFO },
	{ IPPROTO_IP, IP_RECVTTL, 0, 0, TELL_TTL },
	{ IPPROTO_IP, IP_RECVTOS, 0, 0, TELL_TOS },
	{ IPPROTO_IP, IP_RECVORIGDSTADDR, 0, 0, TELL_DST },
	{ IPPROTO_IP, IP_CHECKSUM, 0, 0, 0 },
	{ IPPROTO_IP, IP_MULTICAST_LOOP, 1, 0, 0 },
	{ IPPROTO_IP, IP_PASSSEC, 0, 0, 0 },
	/* ports are not scarce */
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0, 0, 0 },
	{ IPPROTO_IP, IP_RECVFRAGSIZE, 0, PACKETS, 0 },
	{ IPPROTO_IP, IP_RECVERR_RFC4884, 0, STRICT, 0 },
	{ IPPROTO_IP, IP_FREEBIND, 0, FREE, 0 },
	{ IPPROTO_IP, IP_TRANSPARENT, 0, FREE | WIDE, 0 },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 0, 0, TELL_PKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 0, 0, TELL_TTL },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, 0, 0, TELL_TOS },
	{ IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 0, 0, TELL_DST },
	{ IPPROTO_IPV6, IPV6_2292PKTINFO, 0, 0, TELL_2292PKTINFO },
	{ IPPROTO_IPV6, IPV6_2292HOPLIMIT, 0, 0, TELL_2292TTL },
	{ IPPROTO_IPV6, IPV6_FLOWINFO, 0, 0, TELL_FLOWINFO },
	{ IPPROTO_IPV6, IPV6_2292HOPOPTS, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_2292DSTOPTS, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_2292RTHDR, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_ROUTER_ALERT_ISOLATE, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_RECVERR_RFC4884, 0, STRICT, 0 },
	{ IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 1, 0, 0 },
	{ IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_FREEBIND, 0, FREE, 0 },
	{ IPPROTO_IPV6, IPV6_TRANSPARENT, 0, FREE | WIDE, 0 },
	{ IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, STRICT, 0 },
	{ IPPROTO_IPV6, IPV6_RECVHOPOPTS, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_RECVRTHDR, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_RECVDSTOPTS, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_RECVPATHMTU, 0, 0, 0 },
	{ IPPROTO_IPV6, IPV6_DONTFRAG, 0, 0, 0 },
	{ IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 0, STRICT, 0 },
};
STATIC_ASSERT(ARRAY_SIZE(switches) <= 64, "bits of is->kept");

static int find_switch(int level, int opt)
{
	for (u32 i = 0; i < ARRAY_SIZE(switches); i++) {
		if (switches[i].level == level && switches[i].opt == opt)
			return (int)i;
	}
	return -ENOPROTOOPT;
}

static bool is_on(const struct inet_sock *is, u32 i)
{
	return switches[i].first ^ (is->kept >> i & 1);
}

/* What follows from the switches. */
static void settle(struct inet_sock *is)
{
	u32 told[2] = { 0 };
	bool freebind = false;

	for (u32 i = 0; i < ARRAY_SIZE(switches); i++) {
		if (!is_on(is, i))
			continue;
		freebind |= (switches[i].how & FREE) != 0;
		told[switches[i].level == IPPROTO_IPV6] |= switches[i].tells;
	}
	is->freebind = freebind;
	store_once(&is->told[0], told[0]);
	store_once(&is->told[1], told[1]);
	is->describes |= told[0] || told[1];
}

static bool switch_on(const struct inet_sock *is, int level, int opt)
{
	int i = find_switch(level, opt);

	return i >= 0 && is_on(is, (u32)i);
}

bool inet_mc_loops(const struct inet_sock *is, bool v4)
{
	return v4 ? switch_on(is, IPPROTO_IP, IP_MULTICAST_LOOP)
		  : switch_on(is, IPPROTO_IPV6, IPV6_MULTICAST_LOOP);
}

bool inet_dontfrag(const struct inet_sock *is)
{
	return switch_on(is, IPPROTO_IPV6, IPV6_DONTFRAG);
}

int inet_set_switch(struct inet_sock *is, int level, int opt, u32 v)
{
	int i = find_switch(level, opt);
	u64 bit;
	u8 how;

	if (i < 0)
		return i;
	how = switches[i].how;
	bit = 1ul << i;
	if ((how & WIDE) && v && !net_capable(is->s.net, CAP_NET_ADMIN) &&
	    !net_capable(is->s.net, CAP_NET_RAW))
		return -EPERM;
	if (((how & STRICT) && v > 1) ||
	    ((how & PACKETS) && inet_is_stream(is)))
		return -EINVAL;
	if ((v != 0) != switches[i].first)
		is->kept |= bit;
	else
		is->kept &= ~bit;
	settle(is);
	return 0;
}

int inet_get_switch(const struct inet_sock *is, int level, int opt, u32 *v)
{
	int i = find_switch(level, opt);

	if (i < 0)
		return i;
	*v = is_on(is, (u32)i);
	return 0;
}

#define SEND_CSCOV 10
#define RECV_CSCOV 11

/* How much a checksum covers: nothing is ever damaged on the way. */
static int set_udp(struct inet_sock *is, int opt, const void *val, u32 len)
{
	u32 v;

	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (opt != SEND_CSCOV && opt != RECV_CSCOV)
		return udp_setopt(is, opt, v);
	if (is->proto != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	v = v && v < 8 ? 8 : min(v, 0xffffu);
	is->cscov[opt - SEND_CSCOV] = (u16)v;
	return 0;
}

static int get_udp(const struct inet_sock *is, int opt, u32 *v)
{
	if (opt != SEND_CSCOV && opt != RECV_CSCOV)
		return udp_getopt(is, opt, v);
	*v = is->cscov[opt - SEND_CSCOV];
	return 0;
}

static bool has_udp(const struct inet_sock *is, int level)
{
	return (level == IPPROTO_UDP || level == IPPROTO_UDPLITE) &&
	       is->s.type == SOCK_DGRAM &&
	       (is->proto == IPPROTO_UDP || is->proto == IPPROTO_UDPLITE);
}

/* Of an IPv6 socket too, for packets of IPv4; a raw one has none of those. */
static bool has_ip(const struct inet_sock *is, int level)
{
	return level == IPPROTO_IP &&
	       (is->s.family == AF_INET || is->s.type != SOCK_RAW);
}

int inet_setopt(struct socket *s, int level, int opt, const void *val, u32 len)
{
	struct inet_sock *is = to_inet(s);
	int err;

	if (s->type == SOCK_RAW) {
		err = raw_setopt(is, level, opt, val, len);
		if (err != -ENOPROTOOPT)
			return err;
	}
	if (has_ip(is, level) ||
	    (level == IPPROTO_IPV6 && s->family == AF_INET6)) {
		err = inet_mc_setopt(is, level, opt, val, len);
		if (err != -ENOPROTOOPT)
			return err;
		return level == IPPROTO_IP ? ip_setopt(is, opt, val, len)
					   : ip6_setopt(is, opt, val, len);
	}
	if (level == IPPROTO_TCP && inet_is_stream(is))
		return tcp_setopt(is, opt, val, len);
	if (has_udp(is, level))
		return set_udp(is, opt, val, len);
	return -ENOPROTOOPT;
}

int inet_getopt(struct socket *s, int level, int opt, void *val, u32 len)
{
	struct inet_sock *is = to_inet(s);
	/* as Linux: a level that IPv4 does not know */
	int err = s->family == AF_INET && level != IPPROTO_IP &&
				  level != is->proto && !has_udp(is, level)
			  ? -EOPNOTSUPP
			  : -ENOPROTOOPT;
	u32 v = 0;

	if (s->type == SOCK_RAW) {
		int n = raw_getopt(is, level, opt, val, len);

		if (n != -ENOPROTOOPT)
			return n;
	}
	if (level == IPPROTO_TCP && inet_is_stream(is))
		return tcp_getopt(is, opt, val, len);
	if (has_ip(is, level))
		return ip_getopt(is, opt, val, len);
	if (level == IPPROTO_IPV6 && s->family == AF_INET6)
		return ip6_getopt(is, opt, val, len);
	if (has_udp(is, level))
		err = get_udp(is, opt, &v);
	return err ? err : inet_opt_give(v, val, len);
}
