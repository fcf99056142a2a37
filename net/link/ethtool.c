/* SPDX-License-Identifier: MIT */
/*
 * net/link/ethtool.c - what ethtool(8) asks by SIOCETHTOOL and gets: driver, link, speed,
 * hardware address, offloads, times.  Nothing can be set.  Other commands: -EOPNOTSUPP.
 */
#include <net/link/ioctl.h>

#include <kernel/mm/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/socket.h>

enum {
	ETHTOOL_GDRVINFO = 0x3,
	ETHTOOL_GLINK = 0xa,
	ETHTOOL_GTXCSUM = 0x16,
	ETHTOOL_GSG = 0x18,
	ETHTOOL_GTSO = 0x1e,
	ETHTOOL_GPERMADDR = 0x20,
	ETHTOOL_GET_TS_INFO = 0x41,
	ETHTOOL_GLINKSETTINGS = 0x4c,
};

struct ethtool_drvinfo {
	u32 cmd;
	char driver[32], version[32], firmware[32], bus[32], rom[32], pad[12];
	u32 nr[5];
};

/* Followed by three masks of @words words. */
struct ethtool_link_settings {
	u32 cmd, speed;
	u8 duplex, port, phy, autoneg, mdio, mdix, mdix_ctrl;
	s8 words;
	u8 transceiver, master_cfg, master_state, rate;
	u32 pad[7];
};
STATIC_ASSERT(sizeof(struct ethtool_link_settings) == 48, "Linux's");
#define MASK_WORDS 4
#define PORT_OTHER 0xff

static s64 driver_info(const struct net_device *dev, u64 at)
{
	struct ethtool_drvinfo i = { .cmd = ETHTOOL_GDRVINFO };

	(void)strscpy(i.driver, dev->driver ? dev->driver : "",
		      sizeof(i.driver));
	(void)strscpy(i.version, "1.0", sizeof(i.version));
	return copy_to_user(at, &i, sizeof(i));
}

/* The caller asks first how long the masks are. */
static s64 link_settings(const struct net_device *dev, u64 at)
{
	struct ethtool_link_settings s;
	u32 masks[3 * MASK_WORDS] = { 0 };
	s8 words;

	if (link_is_lo(dev))
		return -EOPNOTSUPP;
	if (copy_from_user(&s, at, sizeof(s)))
		return -EFAULT;
	words = s.words;
	s = (struct ethtool_link_settings){ .cmd = ETHTOOL_GLINKSETTINGS };
	if (words != MASK_WORDS) {
		s.words = -MASK_WORDS;
		return copy_to_user(at, &s, sizeof(s));
	}
	s.words = MASK_WORDS;
	s.speed = load_once(&dev->speed) ?: ~0u;
	s.duplex = !dev->speed ? 0xff : load_once(&dev->full_duplex);
	s.port = PORT_OTHER;
	if (copy_to_user(at, &s, sizeof(s)))
		return -EFAULT;
	return copy_to_user(at + sizeof(s), masks, sizeof(masks));
}

static s64 perm_addr(const struct net_device *dev, u64 at)
{
	u32 n = link_addr_len(dev), room;

	if (get_user_u32(&room, at + 4))
		return -EFAULT;
	if (room < n)
		return -EINVAL;
	if (put_user_u32(n, at + 4))
		return -EFAULT;
	return copy_to_user(at + 8, dev->perm_mac, n);
}

/* struct ethtool_ts_info: times of software. */
static s64 ts_info(u64 at)
{
	u32 info[11] = { ETHTOOL_GET_TS_INFO,
			 SOF_TIMESTAMPING_TX_SOFTWARE |
				 SOF_TIMESTAMPING_RX_SOFTWARE |
				 SOF_TIMESTAMPING_SOFTWARE,
			 ~0u };

	return copy_to_user(at, info, sizeof(info));
}

s64 link_ethtool(struct net_device *dev, u64 at)
{
	u32 cmd;

	if (get_user_u32(&cmd, at))
		return -EFAULT;
	switch (cmd) {
	case ETHTOOL_GDRVINFO:
		return link_is_lo(dev) ? -EOPNOTSUPP : driver_info(dev, at);
	case ETHTOOL_GLINK:
		return put_user_u32(link_is_up(dev) && load_once(&dev->carrier),
				    at + sizeof(cmd));
	case ETHTOOL_GTXCSUM:
		return put_user_u32(!!(dev->features & NETDEV_TX_CSUM),
				    at + sizeof(cmd));
	case ETHTOOL_GTSO:
		return put_user_u32(!!(dev->features & NETDEV_TSO4),
				    at + sizeof(cmd));
	case ETHTOOL_GSG:
		return put_user_u32(0, at + sizeof(cmd));
	case ETHTOOL_GPERMADDR:
		return perm_addr(dev, at);
	case ETHTOOL_GLINKSETTINGS:
		return link_settings(dev, at);
	case ETHTOOL_GET_TS_INFO:
		return ts_info(at);
	default:
		return -EOPNOTSUPP;
	}
}
