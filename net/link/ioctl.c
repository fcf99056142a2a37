/* SPDX-License-Identifier: MIT */
/* net/link/ioctl.c - ioctls about interfaces but for their addresses; see ioctl.h. */
#include <net/link/ioctl.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink.h>

STATIC_ASSERT(sizeof(struct ifreq) == 40, "Linux's struct ifreq");

int link_ioctl_get(struct net_device *dev, unsigned int cmd, struct ifreq *r)
{
	memset(r->raw, 0, sizeof(r->raw));
	switch (cmd) {
	case SIOCGIFFLAGS:
		r->flags = (u16)link_flags(dev);
		return 0;
	case SIOCGIFMTU:
		r->word = (s32)load_once(&dev->mtu);
		return 0;
	case SIOCGIFHWADDR:
		r->hw.family = dev->type;
		memcpy(r->hw.mac, dev->mac, link_addr_len(dev));
		return 0;
	case SIOCGIFINDEX:
		r->word = dev->index;
		return 0;
	case SIOCGIFTXQLEN:
		r->word = (s32)load_once(&dev->tx_queue_len);
		return 0;
	case SIOCGIFMETRIC:
	case SIOCGIFMAP:
		return 0;
	default:
		return -ENOTTY;
	}
}

static int set_mac(struct net_device *dev, const struct ifreq *r)
{
	if (r->hw.family != dev->type)
		return -EINVAL;
	if (!link_addr_len(dev))
		return -EOPNOTSUPP;
	return link_set_mac(dev, r->hw.mac);
}

static int set_name(struct net_device *dev, const struct ifreq *r)
{
	char name[NETDEV_NAME];

	memcpy(name, r->newname, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	return link_rename(dev, name);
}

static int set_queue(struct net_device *dev, const struct ifreq *r)
{
	if (r->word < 0)
		return -EINVAL;
	store_once(&dev->tx_queue_len, (u32)r->word);
	return 0;
}

int link_ioctl_set(struct net_device *dev, unsigned int cmd,
		   const struct ifreq *r)
{
	u32 high = load_once(&dev->flags) & ~0xffffu;
	int err;

	switch (cmd) {
	case SIOCSIFFLAGS:
		return link_change_flags(dev, high | r->flags);
	case SIOCSIFMTU:
		err = r->word < 0 ? -EINVAL : link_set_mtu(dev, (u32)r->word);
		break;
	case SIOCSIFHWADDR:
		err = set_mac(dev, r);
		break;
	case SIOCSIFNAME:
		err = set_name(dev, r);
		break;
	case SIOCSIFTXQLEN:
		err = set_queue(dev, r);
		break;
	default:
		return -ENOTTY;
	}
	if (!err)
		rtnl_link_told(dev, 0);
	return err;
}
