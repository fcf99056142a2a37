/* SPDX-License-Identifier: MIT */
/*
 * net/ip_opt.c - options of the level IP.
 *
 * Not here: switches (inet_opt.c), groups (mcast.c), what raw sockets have (raw.c).
 */
#include <net/inet_opt.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/route/route_int.h>

/* The index of an interface, in the order of the network. */
static int set_unicast_if(struct inet_sock *is, const void *val, u32 len)
{
	u32 index;

	if (len != sizeof(index))
		return -EINVAL;
	index = get_be32(val);
	if (index && !link_exists(is->s.net, index))
		return -EADDRNOTAVAIL;
	store_once(&is->unicast_if, index);
	return 0;
}

/* None are carried: only that there are none can be said. */
static int set_options(const void *val, u32 len)
{
	const u8 *p = val;

	if (len > 40)
		return -EINVAL;
	for (u32 i = 0; i < len; i++) {
		if (p[i] > 1) /* neither an end nor padding */
			return -EINVAL;
		if (!p[i])
			break;
	}
	return 0;
}

static int set_port_range(struct inet_sock *is, u32 v, u32 len)
{
	if (len != sizeof(v) || ((v & 0xffff) > v >> 16 && v >> 16))
		return -EINVAL;
	store_once(&is->port_range, v);
	return 0;
}

static void set_tos(struct inet_sock *is, u32 v)
{
	if (inet_is_stream(is))
		v = (v & ~ECN_MASK) | (is->tos & ECN_MASK);
	is->tos = (u8)v;
}

int ip_setopt(struct inet_sock *is, int opt, const void *val, u32 len)
{
	u32 v;

	(void)inet_opt_word(val, len, &v);
	switch (opt) {
	case IP_TOS:
		set_tos(is, v);
		return 0;
	case IP_TTL:
		if (!len || ((s32)v != -1 && (v < 1 || v > 255)))
			return -EINVAL;
		is->ttl = (s32)v == -1 ? 64 : (u8)v;
		return 0;
	case IP_MINTTL:
		if (!len || v > 255)
			return -EINVAL;
		is->min_ttl = (u8)v;
		return 0;
	case IP_MTU_DISCOVER:
		if (v > 5)
			return -EINVAL;
		is->mtu_discover = (u8)v;
		return 0;
	case IP_RECVERR:
		is->recverr = v != 0;
		return 0;
	case IP_OPTIONS:
		return set_options(val, len);
	case IP_ROUTER_ALERT:
		return -EINVAL;
	case IP_UNICAST_IF:
		return set_unicast_if(is, val, len);
	case IP_LOCAL_PORT_RANGE:
		return set_port_range(is, v, len);
	case IP_MULTICAST_TTL:
		if (inet_is_stream(is) || !len || (s32)v < -1 || (s32)v > 255)
			return -EINVAL;
		is->mcast_ttl = (s32)v == -1 ? 1 : (u8)v;
		return 0;
	default:
		return inet_set_switch(is, IPPROTO_IP, opt, v);
	}
}

static int get_word(const struct inet_sock *is, int opt, u32 *v)
{
	switch (opt) {
	case IP_TOS:
		*v = is->tos;
		return 0;
	case IP_TTL:
		*v = is->ttl;
		return 0;
	case IP_MINTTL:
		*v = is->min_ttl;
		return 0;
	case IP_HDRINCL:
	case IP_ROUTER_ALERT:
	case IP_NODEFRAG:
		*v = 0;
		return 0;
	case IP_MTU_DISCOVER:
		*v = is->mtu_discover;
		return 0;
	case IP_RECVERR:
		*v = is->recverr;
		return 0;
	case IP_MTU:
		if (is->state != INET_CONNECTED)
			return -ENOTCONN;
		*v = inet_mtu(is);
		return 0;
	case IP_MULTICAST_TTL:
		*v = is->mcast_ttl;
		return 0;
	case IP_UNICAST_IF:
		*v = net32(load_once(&is->unicast_if));
		return 0;
	case IP_LOCAL_PORT_RANGE:
		*v = load_once(&is->port_range);
		return 0;
	case IP_PROTOCOL:
		*v = is->local.port; /* of a raw socket the protocol */
		return 0;
	default:
		if (!inet_mc_getopt(is, IPPROTO_IP, opt, v))
			return 0;
		return inet_get_switch(is, IPPROTO_IP, opt, v);
	}
}

int ip_getopt(const struct inet_sock *is, int opt, void *val, u32 len)
{
	u32 v = 0;
	int err;

	if (opt == IP_OPTIONS || (opt == IP_PKTOPTIONS && inet_is_stream(is)))
		return 0; /* there are none */
	err = get_word(is, opt, &v);
	return err ? err : inet_opt_give(v, val, len);
}
