/* SPDX-License-Identifier: MIT */
/*
 * net/ip6_opt.c - options of the level IPv6.
 *
 * Not here: switches (inet_opt.c), groups (mcast.c), what raw sockets have (raw.c).
 */
#include <net/inet_opt.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/route/route_int.h>

#define MIN_MTU 1280u

/* IPV6_ADDR_PREFERENCES: one of each kind; the others are what is so anyway. */
enum {
	PREFER_TMP = 0x1,
	PREFER_PUBLIC = 0x2,
	PREFER_COA = 0x4,
	PREFER_CGA = 0x8,
	PREFER_EITHER = 0x100,
	PREFER_HOME = 0x400,
	PREFER_NONCGA = 0x800,
};

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

static bool one_of(u32 v, u32 a, u32 b, u32 c)
{
	v &= a | b | c;
	return !v || v == a || v == b || v == c;
}

static int set_preferences(struct inet_sock *is, u32 v)
{
	u32 now = is->addr_prefs;

	if (!one_of(v, PREFER_TMP, PREFER_PUBLIC, PREFER_EITHER) ||
	    !one_of(v, PREFER_COA, PREFER_HOME, 0) ||
	    !one_of(v, PREFER_CGA, PREFER_NONCGA, 0))
		return -EINVAL;
	if (v & (PREFER_TMP | PREFER_PUBLIC | PREFER_EITHER))
		now = (now & ~(u32)(PREFER_TMP | PREFER_PUBLIC)) |
		      (v & (PREFER_TMP | PREFER_PUBLIC));
	if (v & (PREFER_COA | PREFER_HOME))
		now = (now & ~(u32)PREFER_COA) | (v & PREFER_COA);
	is->addr_prefs = (u8)now;
	return 0;
}

static u32 preferences(const struct inet_sock *is)
{
	u32 v = is->addr_prefs;

	if (!(v & (PREFER_TMP | PREFER_PUBLIC)))
		v |= PREFER_EITHER;
	return v & PREFER_COA ? v : v | PREFER_HOME;
}

/* The index of an interface, in the order of the network. */
static int set_unicast_if(struct inet_sock *is, u32 v, u32 len)
{
	if (len != sizeof(v))
		return -EINVAL;
	v = net32(v);
	if (v && !link_exists(is->s.net, v))
		return -EADDRNOTAVAIL;
	store_once(&is->unicast_if6, v);
	return 0;
}

/* struct in6_pktinfo: the address is not asked for, as on Linux. */
static int set_pktinfo(const struct inet_sock *is, const void *val, u32 len)
{
	u32 index;

	if (len < 20)
		return -EINVAL;
	memcpy(&index, (const u8 *)val + 16, sizeof(index));
	return index && !link_exists(is->s.net, index) ? -ENODEV : 0;
}

static int set_number(struct inet_sock *is, int opt, u32 v)
{
	bool bad = (s32)v < -1 || (s32)v > 255;

	switch (opt) {
	case IPV6_UNICAST_HOPS:
		if (bad)
			return -EINVAL;
		is->hops = (u16)(v + 1);
		return 0;
	case IPV6_TCLASS:
		if (bad)
			return -EINVAL;
		v = (s32)v == -1 ? 0 : v;
		if (inet_is_stream(is))
			v = (v & ~ECN_MASK) | (is->tclass & ECN_MASK);
		is->tclass = (u8)v;
		return 0;
	case IPV6_MULTICAST_HOPS:
		if (inet_is_stream(is))
			return -ENOPROTOOPT;
		if (bad)
			return -EINVAL;
		is->mcast_hops = (s32)v == -1 ? 1 : (u8)v;
		return 0;
	case IPV6_MINHOPCOUNT:
		if (v > 255)
			return -EINVAL;
		is->min_hops = (u8)v;
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v > 5)
			return -EINVAL;
		is->mtu_discover6 = (u8)v;
		return 0;
	case IPV6_MTU: /* packets are never cut */
		return v && v < MIN_MTU ? -EINVAL : 0;
	case IPV6_ADDR_PREFERENCES:
		return set_preferences(is, v);
	default:
		return inet_set_switch(is, IPPROTO_IPV6, opt, v);
	}
}

int ip6_setopt(struct inet_sock *is, int opt, const void *val, u32 len)
{
	u32 v;

	(void)inet_opt_word(val, len, &v);
	switch (opt) {
	case IPV6_HOPOPTS: /* no headers but the first */
	case IPV6_RTHDRDSTOPTS:
	case IPV6_RTHDR:
	case IPV6_DSTOPTS:
		return len ? -EINVAL : 0;
	case IPV6_PKTINFO:
		return set_pktinfo(is, val, len);
	case IPV6_UNICAST_IF:
		return set_unicast_if(is, v, len);
	case IPV6_DONTFRAG: /* may be shorter, as on Linux */
	case IPV6_AUTOFLOWLABEL:
	case IPV6_RECVFRAGSIZE:
		return inet_set_switch(is, IPPROTO_IPV6, opt, v);
	case IPV6_PATHMTU:
		return -ENOPROTOOPT;
	default:
		break;
	}
	if (len < sizeof(v))
		return inet_get_switch(is, IPPROTO_IPV6, opt, &v) ==
					       -ENOPROTOOPT &&
				       ip6_getopt(is, opt, &v, 4) ==
					       -ENOPROTOOPT
			       ? -ENOPROTOOPT
			       : -EINVAL;
	switch (opt) {
	case IPV6_ADDRFORM:
		return become_v4(is, v);
	case IPV6_V6ONLY:
		if (is->bound)
			return -EINVAL;
		is->v6only = v != 0;
		return 0;
	case IPV6_RECVERR:
		is->recverr = v != 0;
		return 0;
	default:
		return set_number(is, opt, v);
	}
}

static int get_word(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case IPV6_ADDRFORM:
		*v = AF_INET6;
		return is->state == INET_CONNECTED ? 0 : -ENOTCONN;
	case IPV6_V6ONLY:
		*v = is->v6only;
		return 0;
	case IPV6_UNICAST_HOPS:
		*v = is->hops ? is->hops - 1u : 64;
		return 0;
	case IPV6_TCLASS:
		*v = is->tclass;
		return 0;
	case IPV6_MULTICAST_HOPS:
		*v = is->mcast_hops;
		return 0;
	case IPV6_MINHOPCOUNT:
		*v = is->min_hops;
		return 0;
	case IPV6_MTU_DISCOVER:
		*v = is->mtu_discover6;
		return 0;
	case IPV6_RECVERR:
		*v = is->recverr;
		return 0;
	case IPV6_MTU:
		if (is->state != INET_CONNECTED)
			return -ENOTCONN;
		*v = inet_mtu(is);
		return 0;
	case IPV6_ADDR_PREFERENCES:
		*v = preferences(is);
		return 0;
	case IPV6_UNICAST_IF:
		*v = net32(load_once(&is->unicast_if6));
		return 0;
	default:
		if (!inet_mc_getopt(is, IPPROTO_IPV6, opt, v))
			return 0;
		return inet_get_switch(is, IPPROTO_IPV6, opt, v);
	}
}

/* struct ip6_mtuinfo of the connection. */
static int path_mtu(const struct inet_sock *is, void *val, u32 len)
{
	u32 mtu;
	u8 info[32] = { AF_INET6 };

	if (len < sizeof(info))
		return -EINVAL;
	if (is->state != INET_CONNECTED)
		return -ENOTCONN;
	mtu = inet_mtu(is);
	memcpy(info + 8, is->remote.ip, sizeof(is->remote.ip));
	memcpy(info + 28, &mtu, sizeof(mtu));
	memcpy(val, info, sizeof(info));
	return sizeof(info);
}

int ip6_getopt(const struct inet_sock *is, int opt, void *val, u32 len)
{
	u32 v = 0;
	int err;

	switch (opt) {
	case IPV6_HOPOPTS:
	case IPV6_RTHDRDSTOPTS:
	case IPV6_RTHDR:
	case IPV6_DSTOPTS:
		return 0; /* there are none */
	case IPV6_PATHMTU:
		return path_mtu(is, val, len);
	default:
		err = get_word(is, opt, &v);
		return err ? err : inet_opt_give(v, val, len);
	}
}
