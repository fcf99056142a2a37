/* SPDX-License-Identifier: MIT */
/*
 * net/rtnetlink.c - rtnetlink(7): the loopback link, its addresses and its routes.
 */
#include <net/netlink.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>
#include <net/netdev.h>

enum {
	RTM_NEWLINK = 16,
	RTM_GETLINK = 18,
	RTM_SETLINK = 19,
	RTM_NEWADDR = 20,
	RTM_GETADDR = 22,
	RTM_NEWROUTE = 24,
	RTM_GETROUTE = 26,
	RTM_GETNEIGH = 30,
	RTM_GETRULE = 34,
};

#define ARPHRD_LOOPBACK 772
#define RT_TABLE_LOCAL	255
#define RT_SCOPE_HOST	254
#define RTPROT_KERNEL	2
#define RTN_LOCAL	2

struct ifinfomsg {
	u8 family, pad;
	u16 type;
	s32 index;
	u32 flags, change;
};
struct ifaddrmsg {
	u8 family, prefixlen, flags, scope;
	u32 index;
};
struct rtmsg {
	u8 family, dst_len, src_len, tos, table, protocol, scope, type;
	u32 flags;
};

static const u8 lo4[4] = { 127, 0, 0, 1 };
static const u8 lo4_net[4] = { 127, 0, 0, 0 };
static const u8 lo6[16] = { [15] = 1 };

/* --- links */

enum {
	IFLA_ADDRESS = 1,
	IFLA_BROADCAST = 2,
	IFLA_IFNAME = 3,
	IFLA_MTU = 4,
	IFLA_QDISC = 6,
	IFLA_STATS = 7,
	IFLA_TXQLEN = 13,
	IFLA_OPERSTATE = 16,
	IFLA_LINKMODE = 17,
	IFLA_GROUP = 27,
	IFLA_PROMISCUITY = 30,
	IFLA_NUM_TX_QUEUES = 31,
	IFLA_NUM_RX_QUEUES = 32,
};

static void attr32(struct nl_buf *b, u16 type, u32 v)
{
	nl_attr(b, type, &v, sizeof(v));
}

static int put_link(struct nl_buf *b, const struct nlmsghdr *req, bool multi)
{
	static const u8 mac[6];
	struct nlmsghdr *h =
		nl_begin(b, req, RTM_NEWLINK, multi ? NLM_F_MULTI : 0);
	struct ifinfomsg *i = h ? nl_room(b, sizeof(*i)) : NULL;
	u8 zero = 0;

	if (!i)
		return -ENOBUFS;
	i->type = ARPHRD_LOOPBACK;
	i->index = LOOPBACK_INDEX;
	i->flags = netdev_flags();
	if (i->flags & IFF_UP)
		i->flags |= IFF_LOWER_UP;
	nl_attr(b, IFLA_IFNAME, "lo", 3);
	attr32(b, IFLA_TXQLEN, 1000);
	nl_attr(b, IFLA_OPERSTATE, &zero, 1);
	nl_attr(b, IFLA_LINKMODE, &zero, 1);
	attr32(b, IFLA_MTU, LOOPBACK_MTU);
	attr32(b, IFLA_GROUP, 0);
	attr32(b, IFLA_PROMISCUITY, 0);
	attr32(b, IFLA_NUM_TX_QUEUES, 1);
	attr32(b, IFLA_NUM_RX_QUEUES, 1);
	nl_attr(b, IFLA_QDISC, "noqueue", 8);
	nl_attr(b, IFLA_ADDRESS, mac, sizeof(mac));
	nl_attr(b, IFLA_BROADCAST, mac, sizeof(mac));
	nl_end(b, h);
	return 0;
}

/* Is the one link what the request names, by number or name? */
static bool names_loopback(const struct nlmsghdr *req, u32 len)
{
	const struct ifinfomsg *i = (const void *)(req + 1);
	u32 off = sizeof(*req) + sizeof(*i);

	if (len < off)
		return false;
	if (i->index)
		return i->index == LOOPBACK_INDEX;
	while (off + 4 <= len) {
		const u16 *a = (const void *)((const u8 *)req + off);

		if (a[0] < 4 || a[0] > len - off)
			break;
		if ((a[1] & 0x3fff) == IFLA_IFNAME)
			return a[0] >= 7 && !memcmp(a + 2, "lo", 3);
		off += ALIGN_UP(a[0], 4u);
	}
	return false;
}

static int set_link(const struct nlmsghdr *req, u32 len)
{
	const struct ifinfomsg *i = (const void *)(req + 1);

	if (!names_loopback(req, len))
		return -ENODEV;
	if (!((i->change | i->flags) & IFF_UP))
		return -EOPNOTSUPP;
	return netdev_set_up(i->flags & IFF_UP);
}

/* --- addresses */

enum {
	IFA_ADDRESS = 1,
	IFA_LOCAL = 2,
	IFA_LABEL = 3,
	IFA_CACHEINFO = 6,
	IFA_FLAGS = 8,
};
#define IFA_F_PERMANENT 0x80u

static int put_addr(struct nl_buf *b, const struct nlmsghdr *req, u8 family)
{
	static const u32 forever[4] = { ~0u, ~0u, 0, 0 };
	struct nlmsghdr *h = nl_begin(b, req, RTM_NEWADDR, NLM_F_MULTI);
	struct ifaddrmsg *a = h ? nl_room(b, sizeof(*a)) : NULL;

	if (!a)
		return -ENOBUFS;
	a->family = family;
	a->prefixlen = family == AF_INET ? 8 : 128;
	a->flags = IFA_F_PERMANENT;
	a->scope = RT_SCOPE_HOST;
	a->index = LOOPBACK_INDEX;
	if (family == AF_INET) {
		nl_attr(b, IFA_ADDRESS, lo4, 4);
		nl_attr(b, IFA_LOCAL, lo4, 4);
		nl_attr(b, IFA_LABEL, "lo", 3);
	} else {
		nl_attr(b, IFA_ADDRESS, lo6, 16);
	}
	attr32(b, IFA_FLAGS, IFA_F_PERMANENT);
	nl_attr(b, IFA_CACHEINFO, forever, sizeof(forever));
	nl_end(b, h);
	return 0;
}

/* --- routes */

enum {
	RTA_DST = 1,
	RTA_OIF = 4,
	RTA_PREFSRC = 7,
	RTA_TABLE = 15,
};

static int put_route(struct nl_buf *b, const struct nlmsghdr *req, u8 family,
		     u8 bits, bool multi)
{
	struct nlmsghdr *h =
		nl_begin(b, req, RTM_NEWROUTE, multi ? NLM_F_MULTI : 0);
	struct rtmsg *r = h ? nl_room(b, sizeof(*r)) : NULL;
	const u8 *dst = family == AF_INET6 ? lo6 : bits == 8 ? lo4_net : lo4;

	if (!r)
		return -ENOBUFS;
	r->family = family;
	r->dst_len = bits;
	r->table = RT_TABLE_LOCAL;
	r->protocol = RTPROT_KERNEL;
	r->scope = family == AF_INET ? RT_SCOPE_HOST : 0;
	r->type = RTN_LOCAL;
	attr32(b, RTA_TABLE, RT_TABLE_LOCAL);
	nl_attr(b, RTA_DST, dst, family == AF_INET ? 4 : 16);
	if (family == AF_INET)
		nl_attr(b, RTA_PREFSRC, lo4, 4);
	attr32(b, RTA_OIF, LOOPBACK_INDEX);
	nl_end(b, h);
	return 0;
}

static int dump(struct nl_buf *b, const struct nlmsghdr *req, u8 family)
{
	bool up = load_once(&loopback_up);
	bool v4 = family == AF_UNSPEC || family == AF_INET;
	bool v6 = family == AF_UNSPEC || family == AF_INET6;
	int err = 0;

	switch (req->type) {
	case RTM_GETLINK:
		return put_link(b, req, true);
	case RTM_GETADDR:
		if (v4)
			err = put_addr(b, req, AF_INET);
		if (!err && v6 && up)
			err = put_addr(b, req, AF_INET6);
		return err;
	case RTM_GETROUTE:
		if (v4 && up)
			err = put_route(b, req, AF_INET, 8, true);
		if (!err && v4 && up)
			err = put_route(b, req, AF_INET, 32, true);
		if (!err && v6 && up)
			err = put_route(b, req, AF_INET6, 128, true);
		return err;
	case RTM_GETNEIGH:
	case RTM_GETRULE:
		return 0; /* none */
	default:
		return -EOPNOTSUPP;
	}
}

/* RTM_GETROUTE of one destination. */
static int find_route(struct nl_buf *b, const struct nlmsghdr *req, u32 len)
{
	const struct rtmsg *r = (const void *)(req + 1);
	const u16 *a = (const void *)(r + 1);
	const u8 *dst = (const void *)(a + 2);
	u32 need = sizeof(*req) + sizeof(*r) + 8;

	if (len < need || a[1] != RTA_DST || !load_once(&loopback_up))
		return -ENETUNREACH;
	if (r->family == AF_INET)
		return dst[0] == 127 ? put_route(b, req, AF_INET, 32, false)
				     : -ENETUNREACH;
	if (r->family == AF_INET6 && len >= need + 12 && !memcmp(dst, lo6, 16))
		return put_route(b, req, AF_INET6, 128, false);
	return -ENETUNREACH;
}

int rtnl_request(struct nl_buf *b, const struct nlmsghdr *req, u32 len,
		 bool is_dump)
{
	u8 family = len > sizeof(*req) ? *(const u8 *)(req + 1) : 0;

	if (is_dump)
		return dump(b, req, family);
	switch (req->type) {
	case RTM_GETLINK:
		return names_loopback(req, len) ? put_link(b, req, false)
						: -ENODEV;
	case RTM_NEWLINK:
	case RTM_SETLINK:
		return set_link(req, len);
	case RTM_GETROUTE:
		return find_route(b, req, len);
	default:
		return -EOPNOTSUPP;
	}
}
