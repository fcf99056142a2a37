/* SPDX-License-Identifier: MIT */
/*
 * net/link/ioctl_arp.c - arp(7): neighbours of IPv4 by ioctl, for arp(8); see ioctl.h.
 *
 * No proxies (ATF_PUBL).
 */
#include <net/link/ioctl.h>

#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>

#define ATF_COM	    0x02u
#define ATF_PERM    0x04u
#define ATF_PUBL    0x08u
#define ATF_NETMASK 0x20u
#define ATF_DONTPUB 0x40u

struct arpreq {
	struct {
		u16 family;
		u8 port[2], ip[4], zero[8];
	} pa;
	struct {
		u16 family;
		u8 mac[14];
	} ha;
	u32 flags;
	u8 netmask[16];
	char dev[16];
};
STATIC_ASSERT(sizeof(struct arpreq) == 68, "Linux's struct arpreq");

/* Borrowed: rtnl_mutex keeps it.  Without a name: by which its route goes. */
static struct net_device *dev_of(struct net_ns *net, const struct arpreq *a,
				 const u8 ip[16])
{
	struct net_device *dev;
	struct route r;

	if (a->dev[0]) {
		dev = link_by_name(net, a->dev);
		netdev_put(dev);
		return dev ?: ERR_PTR(-ENODEV);
	}
	if (route_lookup(net, ip, NULL, 0, &r))
		return ERR_PTR(-ENETUNREACH);
	dev = r.dev;
	route_put(&r);
	return dev ?: ERR_PTR(-EINVAL);
}

static int set(struct net_ns *net, const struct arpreq *a,
	       struct net_device *dev, const u8 ip[16])
{
	struct neigh_info n = {
		.dev = dev,
		.family = AF_INET,
		.state = a->flags & ATF_PERM ? NUD_PERMANENT : NUD_STALE,
	};

	if (a->ha.family && a->ha.family != dev->type)
		return -EINVAL;
	if (!(a->flags & (ATF_PERM | ATF_COM)))
		return -EINVAL; /* no address */
	memcpy(n.ip, ip, 16);
	memcpy(n.lladdr, a->ha.mac, link_addr_len(dev));
	return neigh_set(net, &n, NLM_F_CREATE | NLM_F_REPLACE);
}

static int get(struct arpreq *a, struct net_device *dev, const u8 ip[16])
{
	struct neigh_info n;

	if (!neigh_get(dev, ip, &n))
		return -ENXIO;
	memset(&a->ha, 0, sizeof(a->ha));
	a->ha.family = dev->type;
	a->flags = 0;
	if (n.state & NUD_VALID) {
		memcpy(a->ha.mac, n.lladdr, link_addr_len(dev));
		a->flags = ATF_COM;
	}
	if (n.state & NUD_PERMANENT)
		a->flags |= ATF_PERM;
	strscpy(a->dev, dev->name, sizeof(a->dev));
	return 0;
}

static int check(const struct arpreq *a)
{
	if (a->pa.family != AF_INET)
		return -EPFNOSUPPORT;
	if (a->flags & ATF_PUBL)
		return -EOPNOTSUPP;
	return a->flags & (ATF_NETMASK | ATF_DONTPUB) ? -EINVAL : 0;
}

static int serve(struct net_ns *net, unsigned int cmd, struct arpreq *a)
{
	struct net_device *dev;
	u8 ip[16];
	int err = check(a);

	if (err)
		return err;
	if (cmd == SIOCGARP && !a->dev[0])
		return -ENODEV;
	ip_set_v4(ip, a->pa.ip);
	dev = dev_of(net, a, ip);
	if (IS_ERR(dev))
		return (int)PTR_ERR(dev);
	if (cmd == SIOCSARP)
		return set(net, a, dev, ip);
	if (cmd == SIOCGARP)
		return get(a, dev, ip);
	err = neigh_del(net, dev, ip);
	return err == -ENOENT ? -ENXIO : err;
}

s64 link_ioctl_arp(struct net_ns *net, unsigned int cmd, u64 arg)
{
	struct arpreq a;
	int err;

	if (cmd != SIOCGARP && !net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	a.dev[sizeof(a.dev) - 1] = '\0';
	mutex_lock(&rtnl_mutex);
	err = serve(net, cmd, &a);
	mutex_unlock(&rtnl_mutex);
	if (!err && cmd == SIOCGARP && copy_to_user(arg, &a, sizeof(a)))
		return -EFAULT;
	return err;
}
