/* SPDX-License-Identifier: MIT */
/*
 * net/inet_opt.c - options of the levels IP, IPv6, TCP and UDP.
 *
 * Most speak of packets, of which there are none: they are kept and given back, and
 * that is all that they would do on Linux's loopback too.  What we could not carry
 * out is refused.
 */
#include <net/ip.h>

#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

enum {
	IP_TOS = 1,
	IP_TTL = 2,
	IP_HDRINCL = 3,
	IP_OPTIONS = 4,
	IP_RECVOPTS = 6,
	IP_RETOPTS = 7,
	IP_PKTINFO = 8,
	IP_MTU_DISCOVER = 10,
	IP_RECVERR = 11,
	IP_RECVTTL = 12,
	IP_RECVTOS = 13,
	IP_MTU = 14,
	IP_RECVORIGDSTADDR = 20,
	IP_FREEBIND = 15,
	IP_PASSSEC = 18,
	IP_TRANSPARENT = 19,
	IP_BIND_ADDRESS_NO_PORT = 24,
	IP_RECVFRAGSIZE = 25,
	IP_RECVERR_RFC4884 = 26,
	IP_LOCAL_PORT_RANGE = 51,
	IP_MULTICAST_TTL = 33,
	IP_MULTICAST_LOOP = 34,

	IPV6_ADDRFORM = 1,
	IPV6_UNICAST_HOPS = 16,
	IPV6_MULTICAST_HOPS = 18,
	IPV6_MULTICAST_LOOP = 19,
	IPV6_MTU_DISCOVER = 23,
	IPV6_MTU = 24,
	IPV6_RECVERR = 25,
	IPV6_V6ONLY = 26,
	IPV6_RECVPKTINFO = 49,
	IPV6_RECVHOPLIMIT = 51,
	IPV6_RECVHOPOPTS = 53,
	IPV6_RECVRTHDR = 56,
	IPV6_RECVDSTOPTS = 58,
	IPV6_RECVPATHMTU = 60,
	IPV6_DONTFRAG = 62,
	IPV6_RECVTCLASS = 66,
	IPV6_TCLASS = 67,
	IPV6_RECVERR_RFC4884 = 31,
	IPV6_AUTOFLOWLABEL = 70,
	IPV6_RECVORIGDSTADDR = 74,
	IPV6_TRANSPARENT = 75,
	IPV6_RECVFRAGSIZE = 77,
	IPV6_FREEBIND = 78,

	TCP_NODELAY = 1,
	TCP_MAXSEG = 2,
	TCP_CORK = 3,
	TCP_KEEPIDLE = 4,
	TCP_KEEPINTVL = 5,
	TCP_KEEPCNT = 6,
	TCP_SYNCNT = 7,
	TCP_LINGER2 = 8,
	TCP_DEFER_ACCEPT = 9,
	TCP_WINDOW_CLAMP = 10,
	TCP_INFO = 11,
	TCP_QUICKACK = 12,
	TCP_CONGESTION = 13,
	TCP_USER_TIMEOUT = 18,
	TCP_FASTOPEN = 23,
	TCP_NOTSENT_LOWAT = 25,
	TCP_FASTOPEN_CONNECT = 30,
	TCP_INQ = 36,
};

static const char congestion[16] = "cubic";

#define MSS 65483u /* of Linux's loopback */

static int word(const void *val, u32 len, u32 *v)
{
	u8 byte;

	if (len >= sizeof(*v)) {
		memcpy(v, val, sizeof(*v));
	} else if (len) {
		memcpy(&byte, val, 1);
		*v = byte;
	} else {
		return -EINVAL;
	}
	return 0;
}

/*
 * Switches about what no packet of ours has: a bit of is->kept each, which says that
 * it is not as it was at first.
 */
static const struct {
	u8 level, opt, first;
} switches[] = {
	{ IPPROTO_IP, IP_RECVOPTS, 0 },
	{ IPPROTO_IP, IP_RETOPTS, 0 },
	{ IPPROTO_IP, IP_MULTICAST_LOOP, 1 },
	{ IPPROTO_IP, IP_PASSSEC, 0 },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0 }, /* ports are not scarce */
	{ IPPROTO_IP, IP_RECVFRAGSIZE, 0 },
	{ IPPROTO_IP, IP_RECVERR_RFC4884, 0 },
	{ IPPROTO_IP, IP_FREEBIND, 0 },
	{ IPPROTO_IP, IP_TRANSPARENT, 0 },
	{ IPPROTO_IPV6, IPV6_RECVERR_RFC4884, 0 },
	{ IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 1 },
	{ IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 0 },
	{ IPPROTO_IPV6, IPV6_FREEBIND, 0 },
	{ IPPROTO_IPV6, IPV6_TRANSPARENT, 0 },
	{ IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1 },
	{ IPPROTO_IPV6, IPV6_RECVHOPOPTS, 0 },
	{ IPPROTO_IPV6, IPV6_RECVRTHDR, 0 },
	{ IPPROTO_IPV6, IPV6_RECVDSTOPTS, 0 },
	{ IPPROTO_IPV6, IPV6_RECVPATHMTU, 0 },
	{ IPPROTO_IPV6, IPV6_DONTFRAG, 0 },
};

static int find_switch(int level, int opt)
{
	for (u32 i = 0; i < ARRAY_SIZE(switches); i++) {
		if (switches[i].level == level && switches[i].opt == opt)
			return (int)i;
	}
	return -ENOPROTOOPT;
}

/* Of one that is off at first. */
static bool is_on(const struct inet_sock *is, int level, int opt)
{
	return is->kept >> find_switch(level, opt) & 1;
}

static int set_switch(struct inet_sock *is, int level, int opt, u32 v)
{
	int i = find_switch(level, opt);
	bool wide = level == IPPROTO_IP ? opt == IP_TRANSPARENT
					: opt == IPV6_TRANSPARENT;

	if (i < 0)
		return i;
	if (wide && v && !net_capable(is->s.net, CAP_NET_ADMIN) &&
	    !net_capable(is->s.net, CAP_NET_RAW))
		return -EPERM;
	if ((v != 0) != switches[i].first)
		is->kept |= 1u << i;
	else
		is->kept &= ~(1u << i);
	is->freebind = is_on(is, IPPROTO_IP, IP_FREEBIND) ||
		       is_on(is, IPPROTO_IP, IP_TRANSPARENT) ||
		       is_on(is, IPPROTO_IPV6, IPV6_FREEBIND) ||
		       is_on(is, IPPROTO_IPV6, IPV6_TRANSPARENT);
	return 0;
}

static int get_switch(const struct inet_sock *is, int level, int opt, u32 *v)
{
	int i = find_switch(level, opt);

	if (i < 0)
		return i;
	*v = switches[i].first ^ (is->kept >> i & 1);
	return 0;
}

static int set_ip(struct inet_sock *is, int opt, u32 v)
{
	switch (opt) {
	case IP_TOS:
		is->tos = (u8)v;
		return 0;
	case IP_TTL:
		if ((s32)v != -1 && (v < 1 || v > 255))
			return -EINVAL;
		is->ttl = (s32)v == -1 ? 64 : (u8)v;
		return 0;
	case IP_MTU_DISCOVER:
		if (v > 5)
			return -EINVAL;
		is->mtu_discover = (u8)v;
		return 0;
	case IP_RECVERR:
		is->recverr = v != 0;
		return 0;
	case IP_PKTINFO:
		is->pktinfo = v != 0;
		is->describes |= v != 0;
		return 0;
	case IP_RECVTTL:
		is->recvttl = v != 0;
		is->describes |= v != 0;
		return 0;
	case IP_RECVTOS:
		is->recvtos = v != 0;
		is->describes |= v != 0;
		return 0;
	case IP_RECVORIGDSTADDR:
		is->recvdst = v != 0;
		is->describes |= v != 0;
		return 0;
	case IP_LOCAL_PORT_RANGE:
		if ((v & 0xffff) > v >> 16 && v >> 16)
			return -EINVAL;
		store_once(&is->port_range, v);
		return 0;
	case IP_MULTICAST_TTL:
		if ((s32)v < -1 || (s32)v > 255)
			return -EINVAL;
		is->mcast_ttl = (s32)v == -1 ? 1 : (u8)v;
		return 0;
	default:
		return set_switch(is, IPPROTO_IP, opt, v);
	}
}

static int get_ip(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case IP_TOS:
		*v = is->tos;
		return 0;
	case IP_TTL:
		*v = is->ttl;
		return 0;
	case IP_MTU_DISCOVER:
		*v = is->mtu_discover;
		return 0;
	case IP_RECVERR:
		*v = is->recverr;
		return 0;
	case IP_PKTINFO:
		*v = is->pktinfo;
		return 0;
	case IP_RECVTTL:
		*v = is->recvttl;
		return 0;
	case IP_RECVTOS:
		*v = is->recvtos;
		return 0;
	case IP_RECVORIGDSTADDR:
		*v = is->recvdst;
		return 0;
	case IP_MTU:
		*v = LOOPBACK_MTU;
		return is->state == INET_CONNECTED ? 0 : -ENOTCONN;
	case IP_MULTICAST_TTL:
		*v = is->mcast_ttl;
		return 0;
	case IP_LOCAL_PORT_RANGE:
		*v = load_once(&is->port_range);
		return 0;
	default:
		if (!inet_mc_getopt(is, IPPROTO_IP, opt, v))
			return 0;
		return get_switch(is, IPPROTO_IP, opt, v);
	}
}

/* A connected IPv6 socket whose peer speaks IPv4 becomes an IPv4 one. */
static int become_v4(struct inet_sock *is, u32 v)
{
	int err = 0;

	if (v != AF_INET)
		return -EINVAL;
	if (is->proto != IPPROTO_TCP && is->proto != IPPROTO_UDP &&
	    is->proto != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	spin_lock(&inet_lock);
	if (is->state != INET_CONNECTED)
		err = -ENOTCONN;
	else if (is->v6only || !inet_is_v4(&is->remote))
		err = -EADDRNOTAVAIL;
	else
		store_once(&is->s.family, (u16)AF_INET);
	spin_unlock(&inet_lock);
	return err;
}

static int set_ipv6(struct inet_sock *is, int opt, u32 v)
{
	switch (opt) {
	case IPV6_ADDRFORM:
		return become_v4(is, v);
	case IPV6_V6ONLY:
		if (is->bound)
			return -EINVAL;
		is->v6only = v != 0;
		return 0;
	case IPV6_UNICAST_HOPS:
		if ((s32)v < -1 || (s32)v > 255)
			return -EINVAL;
		is->hops = (u16)((s32)v == -1 ? 0 : v);
		return 0;
	case IPV6_TCLASS:
		if ((s32)v < -1 || (s32)v > 255)
			return -EINVAL;
		is->tclass = (u8)((s32)v == -1 ? 0 : v);
		return 0;
	case IPV6_MULTICAST_HOPS:
		if ((s32)v < -1 || (s32)v > 255)
			return -EINVAL;
		is->mcast_hops = (s32)v == -1 ? 1 : (u8)v;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v > 5)
			return -EINVAL;
		is->mtu_discover6 = (u8)v;
		return 0;
	case IPV6_RECVERR:
		is->recverr = v != 0;
		return 0;
	case IPV6_RECVPKTINFO:
		is->pktinfo = v != 0;
		is->describes |= v != 0;
		return 0;
	case IPV6_RECVHOPLIMIT:
		is->recvttl = v != 0;
		is->describes |= v != 0;
		return 0;
	case IPV6_RECVTCLASS:
		is->recvtos = v != 0;
		is->describes |= v != 0;
		return 0;
	case IPV6_RECVORIGDSTADDR:
		is->recvdst = v != 0;
		is->describes |= v != 0;
		return 0;
	default:
		return set_switch(is, IPPROTO_IPV6, opt, v);
	}
}

static int get_ipv6(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case IPV6_V6ONLY:
		*v = is->v6only;
		return 0;
	case IPV6_UNICAST_HOPS:
		*v = is->hops ? is->hops : 64;
		return 0;
	case IPV6_TCLASS:
		*v = is->tclass;
		return 0;
	case IPV6_MULTICAST_HOPS:
		*v = is->mcast_hops;
		return 0;
	case IPV6_MTU_DISCOVER:
		*v = is->mtu_discover6;
		return 0;
	case IPV6_RECVERR:
		*v = is->recverr;
		return 0;
	case IPV6_RECVPKTINFO:
		*v = is->pktinfo;
		return 0;
	case IPV6_RECVHOPLIMIT:
		*v = is->recvttl;
		return 0;
	case IPV6_RECVTCLASS:
		*v = is->recvtos;
		return 0;
	case IPV6_RECVORIGDSTADDR:
		*v = is->recvdst;
		return 0;
	case IPV6_MTU:
		*v = LOOPBACK_MTU;
		return is->state == INET_CONNECTED ? 0 : -ENOTCONN;
	default:
		if (!inet_mc_getopt(is, IPPROTO_IPV6, opt, v))
			return 0;
		return get_switch(is, IPPROTO_IPV6, opt, v);
	}
}

static int set_range(u32 *to, u32 v, u32 most)
{
	if (v < 1 || v > most)
		return -EINVAL;
	*to = v;
	return 0;
}

/* Kept: no packet could carry bytes before there is a connection. */
static int set_fastopen(struct inet_sock *is, int opt, u32 v)
{
	enum inet_state state = load_once(&is->state);
	bool early = state == INET_IDLE || state == INET_CLOSED;

	if (opt == TCP_FASTOPEN_CONNECT) {
		if (v > 1 || !early)
			return -EINVAL;
		is->fastopen_connect = v;
		return 0;
	}
	if ((s32)v < 0 || (!early && state != INET_LISTEN))
		return -EINVAL;
	is->fastopen = min(v, load_once(&is->s.net->ctl.somaxconn));
	return 0;
}

static int set_tcp(struct inet_sock *is, int opt, u32 v)
{
	switch (opt) {
	case TCP_NODELAY:
		is->nodelay = v != 0;
		return 0;
	case TCP_CORK:
		is->cork = v != 0;
		return 0;
	case TCP_INQ:
		if (v > 1)
			return -EINVAL;
		is->inq = v;
		return 0;
	case TCP_KEEPIDLE:
		return set_range(&is->keepidle, v, 32767);
	case TCP_KEEPINTVL:
		return set_range(&is->keepintvl, v, 32767);
	case TCP_KEEPCNT:
		return set_range(&is->keepcnt, v, 127);
	case TCP_USER_TIMEOUT:
		if ((s32)v < 0)
			return -EINVAL;
		is->user_timeout = v;
		return 0;
	case TCP_SYNCNT:
		return set_range(&is->syncnt, v, 127);
	case TCP_LINGER2:
		is->linger2 = (s32)v < 0 ? ~0u : min(v, 120u);
		return 0;
	case TCP_DEFER_ACCEPT:
		is->defer_accept = v;
		return 0;
	case TCP_NOTSENT_LOWAT:
		is->notsent_lowat = v;
		return 0;
	case TCP_QUICKACK:
	case TCP_WINDOW_CLAMP:
		return 0; /* hints about packets */
	case TCP_FASTOPEN:
	case TCP_FASTOPEN_CONNECT:
		return set_fastopen(is, opt, v);
	case TCP_MAXSEG:
		return v >= 88 && v <= 32767 ? 0 : -EINVAL;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_tcp(const struct inet_sock *is, int opt, u32 *v)
{
	*v = 0;
	switch (opt) {
	case TCP_NODELAY:
		*v = is->nodelay;
		return 0;
	case TCP_CORK:
		*v = is->cork;
		return 0;
	case TCP_INQ:
		*v = is->inq;
		return 0;
	case TCP_KEEPIDLE:
		*v = is->keepidle;
		return 0;
	case TCP_KEEPINTVL:
		*v = is->keepintvl;
		return 0;
	case TCP_KEEPCNT:
		*v = is->keepcnt;
		return 0;
	case TCP_USER_TIMEOUT:
		*v = is->user_timeout;
		return 0;
	case TCP_MAXSEG:
		*v = is->state == INET_CONNECTED ? MSS : 536;
		return 0;
	case TCP_QUICKACK:
		*v = 1;
		return 0;
	case TCP_SYNCNT:
		*v = is->syncnt;
		return 0;
	case TCP_LINGER2:
		*v = is->linger2;
		return 0;
	case TCP_DEFER_ACCEPT:
		*v = is->defer_accept;
		return 0;
	case TCP_NOTSENT_LOWAT:
		*v = is->notsent_lowat;
		return 0;
	case TCP_WINDOW_CLAMP:
		return 0;
	case TCP_FASTOPEN:
		*v = is->fastopen;
		return 0;
	case TCP_FASTOPEN_CONNECT:
		*v = is->fastopen_connect;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

#define SEND_CSCOV 10
#define RECV_CSCOV 11

/* How much a checksum covers: nothing is ever damaged on the way. */
static int set_udplite(struct inet_sock *is, int opt, u32 v)
{
	if (opt != SEND_CSCOV && opt != RECV_CSCOV)
		return -ENOPROTOOPT;
	v = v && v < 8 ? 8 : min(v, 0xffffu);
	is->cscov[opt - SEND_CSCOV] = (u16)v;
	return 0;
}

static int get_udplite(const struct inet_sock *is, int opt, u32 *v)
{
	if (opt != SEND_CSCOV && opt != RECV_CSCOV)
		return -ENOPROTOOPT;
	*v = is->cscov[opt - SEND_CSCOV];
	return 0;
}

int inet_setopt(struct socket *s, int level, int opt, const void *val, u32 len)
{
	struct inet_sock *is = to_inet(s);
	u32 v;
	int err;

	if (s->type == SOCK_RAW) {
		err = raw_setopt(is, level, opt, val, len);
		if (err != -ENOPROTOOPT)
			return err;
	}
	if (level == IPPROTO_IP ||
	    (level == IPPROTO_IPV6 && s->family == AF_INET6)) {
		err = inet_mc_setopt(is, level, opt, val, len);
		if (err != -ENOPROTOOPT)
			return err;
	}
	if (level == IPPROTO_TCP && opt == TCP_CONGESTION)
		return len == 5 && !memcmp(val, "cubic", 5) ? 0 : -ENOENT;
	err = word(val, len, &v);
	if (err)
		return err;
	if (level == IPPROTO_IP)
		return set_ip(is, opt, v);
	if (level == IPPROTO_IPV6 && s->family == AF_INET6)
		return set_ipv6(is, opt, v);
	if (level == IPPROTO_TCP && is->s.type == SOCK_STREAM)
		return set_tcp(is, opt, v);
	if (level == IPPROTO_UDP && is->proto == IPPROTO_UDP)
		return udp_setopt(is, opt, v);
	if (level == IPPROTO_UDPLITE && is->proto == IPPROTO_UDPLITE)
		return set_udplite(is, opt, v);
	return -ENOPROTOOPT;
}

/* Fields of struct tcp_info that say something of a loopback: offset in it, value. */
void inet_tcp_info(const struct inet_sock *is, u8 info[TCP_INFO_SIZE])
{
	enum {
		CWND = 80,
		REORDERING = 88
	};
	bool listens = load_once(&is->state) == INET_LISTEN;
	const struct {
		u32 at, v;
	} words[] = {
		{ 8, 200000 }, /* rto, us */
		{ 12, 40000 }, /* ato */
		{ 16, MSS },   /* snd_mss */
		{ 20, MSS },   /* rcv_mss */
		{ 60, LOOPBACK_MTU },
		{ 64, 65483 }, /* rcv_ssthresh */
		{ 68, 20 },    /* rtt: what a hand-over takes, about */
		{ 72, 10 },
		{ 76, INT32_MAX }, /* snd_ssthresh */
		{ CWND, 10 },
		{ 84, MSS }, /* advmss */
		{ REORDERING, 3 },
		{ 96, load_once(&is->s.rcvbuf) }, /* rcv_space */
	};

	memset(info, 0, TCP_INFO_SIZE);
	info[0] = (u8)inet_tcp_state(is);
	if (listens) { /* unacked, sacked: the backlog */
		memcpy(info + 24, &is->nr_backlog, 4);
		memcpy(info + 28, &is->max_backlog, 4);
	}
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		if (!listens || words[i].at == CWND ||
		    words[i].at == REORDERING)
			memcpy(info + words[i].at, &words[i].v, 4);
}

static int tcp_info(const struct inet_sock *is, void *val, u32 len)
{
	u8 info[TCP_INFO_SIZE];

	inet_tcp_info(is, info);
	len = min(len, TCP_INFO_SIZE);
	memcpy(val, info, len);
	return (int)len;
}

int inet_getopt(struct socket *s, int level, int opt, void *val, u32 len)
{
	struct inet_sock *is = to_inet(s);
	/* as Linux: a level that IPv4 does not know */
	int err = s->family == AF_INET && level != IPPROTO_IP &&
				  level != is->proto
			  ? -EOPNOTSUPP
			  : -ENOPROTOOPT;
	u32 v = 0;
	int n;

	if (s->type == SOCK_RAW) {
		n = raw_getopt(is, level, opt, val, len);
		if (n != -ENOPROTOOPT)
			return n;
	}
	if (level == IPPROTO_TCP && is->s.type == SOCK_STREAM) {
		if (opt == TCP_INFO)
			return tcp_info(is, val, len);
		if (opt == TCP_CONGESTION) {
			memcpy(val, congestion,
			       min(len, (u32)sizeof(congestion)));
			return (int)min(len, (u32)sizeof(congestion));
		}
		err = get_tcp(is, opt, &v);
	} else if (level == IPPROTO_IP) {
		err = get_ip(is, opt, &v);
	} else if (level == IPPROTO_IPV6 && s->family == AF_INET6) {
		err = get_ipv6(is, opt, &v);
	} else if (level == IPPROTO_UDP && is->proto == IPPROTO_UDP) {
		err = udp_getopt(is, opt, &v);
	} else if (level == IPPROTO_UDPLITE && is->proto == IPPROTO_UDPLITE) {
		err = get_udplite(is, opt, &v);
	}
	if (err)
		return err;
	memcpy(val, &v, min(len, 4u));
	return (int)min(len, 4u);
}
