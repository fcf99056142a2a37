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
#include <net/link/ioctl.h>
#include <net/netlink.h>

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

static s64 name_of_index(struct net_ns *net, u64 arg)
{
	struct net_device *dev;
	struct ifreq r;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	dev = link_by_index(net, r.word);
	if (!dev)
		return -ENODEV;
	memcpy(r.name, dev->name, sizeof(r.name));
	netdev_put(dev);
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

static bool changes(unsigned int cmd)
{
	switch (cmd) {
	case SIOCSIFFLAGS:
	case SIOCSIFADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMTU:
	case SIOCSIFNAME:
	case SIOCSIFHWADDR:
	case SIOCSIFTXQLEN:
		return true;
	default:
		return false;
	}
}

/* "eth0:1" is an address of eth0. */
static struct net_device *device_of(struct net_ns *net, const char *label)
{
	char name[NETDEV_NAME];
	char *colon;

	memcpy(name, label, sizeof(name));
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	return link_by_name(net, name);
}

/* @r is the answer, if there is no error.  rtnl_mutex held. */
static int serve(struct net_device *dev, unsigned int cmd, struct ifreq *r)
{
	if (!dev->registered)
		return -ENODEV;
	if (link_ioctl_is_addr(cmd))
		return link_ioctl_addr(dev, cmd, r);
	return changes(cmd) ? link_ioctl_set(dev, cmd, r)
			    : link_ioctl_get(dev, cmd, r);
}

static s64 of_device(struct net_ns *net, unsigned int cmd, u64 arg)
{
	struct net_device *dev;
	struct ifreq r;
	s64 err;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	r.name[sizeof(r.name) - 1] = 0;
	dev = device_of(net, r.name);
	if (!dev)
		return -ENODEV;
	if (cmd == SIOCETHTOOL) {
		err = link_ethtool(dev, r.data);
	} else if (changes(cmd) && !net_capable(net, CAP_NET_ADMIN)) {
		err = -EPERM;
	} else {
		mutex_lock(&rtnl_mutex);
		err = serve(dev, cmd, &r);
		mutex_unlock(&rtnl_mutex);
	}
	netdev_put(dev);
	if (err || cmd == SIOCETHTOOL || changes(cmd))
		return err;
	return copy_to_user(arg, &r, sizeof(r));
}

s64 netdev_ioctl(struct socket *s, unsigned int cmd, u64 arg)
{
	switch (cmd) {
	case SIOCGIFCONF:
		return link_ioctl_conf(s->net, arg);
	case SIOCGIFNAME:
		return name_of_index(s->net, arg);
	case SIOCADDRT:
	case SIOCDELRT:
		return s->family == AF_INET ? link_ioctl_route(s->net, cmd, arg)
					    : -ENOTTY;
	case SIOCDARP:
	case SIOCGARP:
	case SIOCSARP:
		return s->family == AF_INET ? link_ioctl_arp(s->net, cmd, arg)
					    : -ENOTTY;
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
	return of_device(s->net, cmd, arg);
}
