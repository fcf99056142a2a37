/* SPDX-License-Identifier: MIT */
/*
 * net/netdev.c - what ioctl(2) tells about interfaces: netdevice(7).
 */
#include <net/netdev.h>

#include <kernel/mm/user.h>
#include <kernel/ns/net.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/ip.h>
#include <net/link/link.h>
#include <net/netlink.h>

enum {
	SIOCGIFNAME = 0x8910,
	SIOCGIFCONF = 0x8912,
	SIOCGIFFLAGS = 0x8913,
	SIOCSIFFLAGS = 0x8914,
	SIOCGIFADDR = 0x8915,
	SIOCSIFADDR = 0x8916,
	SIOCGIFDSTADDR = 0x8917,
	SIOCGIFBRDADDR = 0x8919,
	SIOCGIFNETMASK = 0x891b,
	SIOCSIFNETMASK = 0x891c,
	SIOCGIFMETRIC = 0x891d,
	SIOCGIFMTU = 0x8921,
	SIOCGIFHWADDR = 0x8927,
	SIOCGIFINDEX = 0x8933,
	SIOCGIFTXQLEN = 0x8942,
	SIOCETHTOOL = 0x8946,
	SIOCGIFMAP = 0x8970,
};

struct ifreq {
	char name[16];
	union {
		struct {
			u16 family;
			u8 port[2], ip[4], zero[16];
		} addr;
		u16 flags;
		u32 word;
		u64 data;
		u8 raw[24];
	};
};
STATIC_ASSERT(sizeof(struct ifreq) == 40, "Linux's struct ifreq");

struct ifconf {
	u32 len, pad;
	uaddr_t buf;
};

u32 netdev_flags(const struct net_ns *net)
{
	u32 f = IFF_LOOPBACK;

	return load_once(&net->lo_up) ? f | IFF_UP | IFF_RUNNING : f;
}

u64 netdev_packets(const struct net_ns *net)
{
	return net_stat(net, NET_IP_PACKETS) + net_stat(net, NET_IP6_PACKETS);
}

u64 netdev_bytes(const struct net_ns *net)
{
	return net_stat(net, NET_IP_BYTES) + net_stat(net, NET_IP6_BYTES) +
	       ETHER_HEADER * netdev_packets(net);
}

int netdev_set_up(struct net_ns *net, bool up)
{
	int err;

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	mutex_lock(&rtnl_mutex);
	err = link_set_up(net->lo, up);
	mutex_unlock(&rtnl_mutex);
	return err;
}

static void set_addr(struct ifreq *r, u8 a, u8 d)
{
	memset(&r->addr, 0, sizeof(r->addr));
	r->addr.family = AF_INET;
	r->addr.ip[0] = a;
	r->addr.ip[3] = d;
}

static s64 list_interfaces(const struct net_ns *net, u64 arg)
{
	struct ifconf c;
	struct ifreq r = { .name = "lo" };

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	set_addr(&r, 127, 1);
	if (c.buf && c.len < sizeof(r))
		c.len = 0;
	else if (!load_once(&net->lo_has_addr))
		c.len = 0; /* those with an address only */
	else if (c.buf && copy_to_user(c.buf, &r, sizeof(r)))
		return -EFAULT;
	else
		c.len = sizeof(r);
	return copy_to_user(arg, &c, sizeof(c));
}

static s64 name_of_index(u64 arg)
{
	struct ifreq r;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.word != LOOPBACK_INDEX)
		return -ENODEV;
	memset(r.name, 0, sizeof(r.name));
	memcpy(r.name, "lo", 2);
	return copy_to_user(arg, &r, sizeof(r));
}

static s64 at_mark(struct inet_sock *is, u64 arg)
{
	bool at;

	spin_lock(&is->lock);
	at = is->oob != OOB_NONE && !is->oob_at;
	spin_unlock(&is->lock);
	return put_user_u32(at, arg);
}

/* An address. */
static int answer_addr(struct ifreq *r, unsigned int cmd,
		       const struct net_ns *net)
{
	if (!load_once(&net->lo_has_addr))
		return -EADDRNOTAVAIL;
	if (cmd == SIOCGIFBRDADDR)
		set_addr(r, 0, 0);
	else if (cmd == SIOCGIFNETMASK)
		set_addr(r, 255, 0);
	else
		set_addr(r, 127, 1);
	return 0;
}

static int answer(struct ifreq *r, unsigned int cmd, const struct net_ns *net)
{
	memset(r->raw, 0, sizeof(r->raw));
	switch (cmd) {
	case SIOCGIFFLAGS:
		r->flags = (u16)netdev_flags(net);
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
		return answer_addr(r, cmd, net);
	case SIOCGIFMTU:
		r->word = LOOPBACK_MTU;
		return 0;
	case SIOCGIFHWADDR:
		r->addr.family = ARPHRD_LOOPBACK;
		return 0;
	case SIOCGIFINDEX:
		r->word = LOOPBACK_INDEX;
		return 0;
	case SIOCGIFTXQLEN:
		r->word = 1000;
		return 0;
	case SIOCGIFMETRIC:
	case SIOCGIFMAP:
		return 0;
	default:
		return -ENOTTY;
	}
}

/* Scripts give the loopback its address and mask; it takes no other. */
static int give_addr(const struct ifreq *r, unsigned int cmd,
		     struct net_ns *net)
{
	struct ifreq want = { .flags = 0 };

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	if (r->addr.family != AF_INET)
		return -EINVAL;
	if (cmd == SIOCSIFADDR)
		set_addr(&want, 127, 1);
	else if (load_once(&net->lo_has_addr))
		set_addr(&want, 255, 0);
	else
		return -EADDRNOTAVAIL;
	if (memcmp(want.addr.ip, r->addr.ip, sizeof(want.addr.ip)))
		return -EOPNOTSUPP;
	store_once(&net->lo_has_addr, true);
	return 0;
}

#define ETHTOOL_GLINK	    0xau
#define ETHTOOL_GET_TS_INFO 0x41u

/* What ethtool(8) asks of a loopback that Linux's has, too: times (struct
 * ethtool_ts_info: those of software), and whether it is there. */
static s64 ethtool(const struct net_ns *net, u64 at)
{
	u32 info[11] = { ETHTOOL_GET_TS_INFO,
			 SOF_TIMESTAMPING_TX_SOFTWARE |
				 SOF_TIMESTAMPING_RX_SOFTWARE |
				 SOF_TIMESTAMPING_SOFTWARE,
			 ~0u };
	u32 cmd;

	if (get_user_u32(&cmd, at))
		return -EFAULT;
	if (cmd == ETHTOOL_GLINK)
		return put_user_u32(load_once(&net->lo_up), at + sizeof(cmd));
	if (cmd != ETHTOOL_GET_TS_INFO)
		return -EOPNOTSUPP;
	return copy_to_user(at, info, sizeof(info));
}

s64 netdev_ioctl(struct socket *s, unsigned int cmd, u64 arg)
{
	struct ifreq r;
	int err;

	switch (cmd) {
	case SIOCGIFCONF:
		return list_interfaces(s->net, arg);
	case SIOCGIFNAME:
		return name_of_index(arg);
	case SIOCGSTAMP:
	case SIOCGSTAMPNS:
	case SIOCGSTAMP_NEW:
	case SIOCGSTAMPNS_NEW:
		return s->family == AF_UNIX || s->family == AF_NETLINK
			       ? -ENOTTY
			       : socket_stamp_ioctl(s, cmd, arg);
	case SIOCATMARK:
		return s->type == SOCK_STREAM && s->family != AF_UNIX
			       ? at_mark(to_inet(s), arg)
			       : -ENOTTY;
	default:
		break;
	}
	if (cmd < SIOCGIFNAME || cmd > SIOCGIFMAP)
		return -ENOTTY;
	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	r.name[sizeof(r.name) - 1] = 0;
	if (strcmp(r.name, "lo"))
		return -ENODEV;
	if (cmd == SIOCETHTOOL)
		return ethtool(s->net, r.data);
	if (cmd == SIOCSIFFLAGS)
		return netdev_set_up(s->net, r.flags & IFF_UP);
	if (cmd == SIOCSIFADDR || cmd == SIOCSIFNETMASK)
		return give_addr(&r, cmd, s->net);
	err = answer(&r, cmd, s->net);
	return err ? err : copy_to_user(arg, &r, sizeof(r));
}
