/* SPDX-License-Identifier: MIT */
/*
 * net/packet_opt.c - options of packet(7) sockets.  There is no ring to send from, and no
 * fanout.
 */
#include <net/packet_ring.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>

enum {
	PACKET_ADD_MEMBERSHIP = 1,
	PACKET_DROP_MEMBERSHIP = 2,
	PACKET_RX_RING = 5,
	PACKET_STATISTICS = 6,
	PACKET_COPY_THRESH = 7,
	PACKET_ORIGDEV = 9,
	PACKET_VERSION = 10,
	PACKET_HDRLEN = 11,
	PACKET_RESERVE = 12,
	PACKET_LOSS = 14,
	PACKET_VNET_HDR = 15,
	PACKET_TIMESTAMP = 17,
	PACKET_FANOUT = 18,
	PACKET_TX_HAS_OFF = 19,
	PACKET_QDISC_BYPASS = 20,
	PACKET_IGNORE_OUTGOING = 23,
};
static int set_ring(struct packet_sock *ps, const void *val, u32 len)
{
	struct packet_ring_req req = { 0 };
	u32 size = ps->version == TPACKET_V3 ? sizeof(req) : 16;

	if (len < size)
		return -EINVAL;
	memcpy(&req, val, size);
	return packet_set_ring(ps, &req);
}

/* What a ring to be made is like. */
static int set_shape(struct packet_sock *ps, int opt, u32 v)
{
	int err = 0;

	if (opt == PACKET_VERSION ? v > TPACKET_V3 : v > INT32_MAX)
		return -EINVAL;
	mutex_lock(&ps->rd_mutex);
	if (ps->ring)
		err = -EBUSY;
	else if (opt == PACKET_VERSION)
		ps->version = v;
	else
		ps->reserve = v;
	mutex_unlock(&ps->rd_mutex);
	return err;
}

static bool *flag_of(struct packet_sock *ps, int opt)
{
	switch (opt) {
	case PACKET_AUXDATA:
		return &ps->auxdata;
	case PACKET_ORIGDEV:
		return &ps->origdev;
	case PACKET_IGNORE_OUTGOING:
		return &ps->ignore_outgoing;
	case PACKET_LOSS:
		return &ps->loss;
	case PACKET_TX_HAS_OFF:
		return &ps->has_off;
	case PACKET_QDISC_BYPASS:
		return &ps->bypass;
	default:
		return NULL;
	}
}

static int set_flag(struct packet_sock *ps, int opt, u32 v)
{
	if (opt == PACKET_IGNORE_OUTGOING && v > 1)
		return -EINVAL;
	if (opt == PACKET_LOSS && load_once(&ps->ring))
		return -EBUSY;
	store_once(flag_of(ps, opt), v != 0);
	return 0;
}

/* Those that Linux takes from longer values as well. */
static bool may_be_longer(int opt)
{
	return opt == PACKET_AUXDATA || opt == PACKET_ORIGDEV;
}

static bool is_word(struct packet_sock *ps, int opt)
{
	return opt == PACKET_VERSION || opt == PACKET_RESERVE ||
	       opt == PACKET_COPY_THRESH || opt == PACKET_TIMESTAMP ||
	       flag_of(ps, opt);
}

static int set_word(struct packet_sock *ps, int opt, u32 v)
{
	switch (opt) {
	case PACKET_VERSION:
	case PACKET_RESERVE:
		return set_shape(ps, opt, v);
	case PACKET_COPY_THRESH:
		store_once(&ps->copy_thresh, v);
		return 0;
	case PACKET_TIMESTAMP:
		store_once(&ps->timestamp, v);
		return 0;
	default:
		return set_flag(ps, opt, v);
	}
}

int packet_setopt(struct socket *s, int level, int opt, const void *val,
		  u32 len)
{
	struct packet_sock *ps = to_packet(s);
	u32 v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (opt == PACKET_ADD_MEMBERSHIP || opt == PACKET_DROP_MEMBERSHIP)
		return packet_membership(ps, opt == PACKET_ADD_MEMBERSHIP, val,
					 len);
	if (opt == PACKET_RX_RING)
		return set_ring(ps, val, len);
	if (!is_word(ps, opt))
		return -ENOPROTOOPT;
	if (len < sizeof(v) || (len > sizeof(v) && !may_be_longer(opt)))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	return set_word(ps, opt, v);
}

/* Asking takes them back to 0. */
static int statistics(struct packet_sock *ps, void *val, u32 len)
{
	u32 st[3];

	spin_lock(&ps->lock);
	st[0] = ps->heard;
	st[1] = ps->lost;
	st[2] = ps->frozen;
	ps->heard = ps->lost = ps->frozen = 0;
	spin_unlock(&ps->lock);
	len = min(len, ps->version == TPACKET_V3 ? 12u : 8u);
	memcpy(val, st, len);
	return (int)len;
}

/* The length of a header, of the version that stands there. */
static int header_length(void *val, u32 len)
{
	u32 v;

	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (v > TPACKET_V3)
		return -EINVAL;
	v = packet_head_size(v);
	memcpy(val, &v, sizeof(v));
	return sizeof(v);
}

int packet_getopt(struct socket *s, int level, int opt, void *val, u32 len)
{
	struct packet_sock *ps = to_packet(s);
	const bool *flag = flag_of(ps, opt);
	u32 v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (opt) {
	case PACKET_STATISTICS:
		return statistics(ps, val, len);
	case PACKET_HDRLEN:
		return header_length(val, len);
	case PACKET_VERSION:
		v = ps->version;
		break;
	case PACKET_RESERVE:
		v = ps->reserve;
		break;
	case PACKET_COPY_THRESH:
		v = load_once(&ps->copy_thresh);
		break;
	case PACKET_TIMESTAMP:
		v = load_once(&ps->timestamp);
		break;
	case PACKET_VNET_HDR: /* neither can be had */
	case PACKET_FANOUT:
		v = 0;
		break;
	default:
		if (!flag)
			return -ENOPROTOOPT;
		v = load_once(flag);
	}
	len = min(len, (u32)sizeof(v));
	memcpy(val, &v, len);
	return (int)len;
}
