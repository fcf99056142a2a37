/* SPDX-License-Identifier: MIT */
/*
 * net/packet_opt.c - options of packet(7) sockets.  There are no rings in memory, no fanout.
 */
#include <net/packet.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>

enum {
	PACKET_ADD_MEMBERSHIP = 1,
	PACKET_DROP_MEMBERSHIP = 2,
	PACKET_STATISTICS = 6,
	PACKET_ORIGDEV = 9,
	PACKET_IGNORE_OUTGOING = 23,
};
#define PACKET_MR_LAST 3 /* _UNICAST */

struct packet_mreq {
	s32 ifindex;
	u16 type, alen;
	u8 addr[8];
};

/* The loopback hears all there is, whatever it is asked to listen to. */
static int membership(bool in, const void *val, u32 len)
{
	struct packet_mreq m;

	if (len < sizeof(m))
		return -EINVAL;
	memcpy(&m, val, sizeof(m));
	if (in && m.ifindex != LOOPBACK_INDEX)
		return -ENODEV;
	return in && (m.alen > 6 || m.type > PACKET_MR_LAST) ? -EINVAL : 0;
}

int packet_setopt(struct socket *s, int level, int opt, const void *val,
		  u32 len)
{
	struct packet_sock *ps = to_packet(s);
	u32 v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (opt == PACKET_ADD_MEMBERSHIP || opt == PACKET_DROP_MEMBERSHIP)
		return membership(opt == PACKET_ADD_MEMBERSHIP, val, len);
	if (opt != PACKET_AUXDATA && opt != PACKET_ORIGDEV &&
	    opt != PACKET_IGNORE_OUTGOING)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (opt == PACKET_AUXDATA) {
		store_once(&ps->auxdata, v != 0);
	} else if (opt == PACKET_ORIGDEV) {
		store_once(&ps->origdev, v != 0);
	} else {
		if (v > 1)
			return -EINVAL;
		store_once(&ps->ignore_outgoing, v != 0);
	}
	return 0;
}

/* Asking takes them back to 0. */
static int statistics(struct packet_sock *ps, void *val, u32 len)
{
	u32 st[2];

	spin_lock(&ps->lock);
	st[0] = ps->heard;
	st[1] = ps->lost;
	ps->heard = ps->lost = 0;
	spin_unlock(&ps->lock);
	len = min(len, (u32)sizeof(st));
	memcpy(val, st, len);
	return (int)len;
}

int packet_getopt(struct socket *s, int level, int opt, void *val, u32 len)
{
	struct packet_sock *ps = to_packet(s);
	u32 v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (opt) {
	case PACKET_STATISTICS:
		return statistics(ps, val, len);
	case PACKET_AUXDATA:
		v = load_once(&ps->auxdata);
		break;
	case PACKET_ORIGDEV:
		v = load_once(&ps->origdev);
		break;
	case PACKET_IGNORE_OUTGOING:
		v = load_once(&ps->ignore_outgoing);
		break;
	default:
		return -ENOPROTOOPT;
	}
	len = min(len, (u32)sizeof(v));
	memcpy(val, &v, len);
	return (int)len;
}
