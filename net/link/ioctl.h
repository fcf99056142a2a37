/* SPDX-License-Identifier: MIT */
/* net/link/ioctl.h - netdevice(7): what the files that answer its ioctls share. */
#ifndef NET_LINK_IOCTL_H
#define NET_LINK_IOCTL_H

#include <net/link/dev.h>

enum {
	SIOCADDRT = 0x890b,
	SIOCDELRT = 0x890c,
	SIOCGIFNAME = 0x8910,
	SIOCGIFCONF = 0x8912,
	SIOCGIFFLAGS = 0x8913,
	SIOCSIFFLAGS = 0x8914,
	SIOCGIFADDR = 0x8915,
	SIOCSIFADDR = 0x8916,
	SIOCGIFDSTADDR = 0x8917,
	SIOCSIFDSTADDR = 0x8918,
	SIOCGIFBRDADDR = 0x8919,
	SIOCSIFBRDADDR = 0x891a,
	SIOCGIFNETMASK = 0x891b,
	SIOCSIFNETMASK = 0x891c,
	SIOCGIFMETRIC = 0x891d,
	SIOCGIFMTU = 0x8921,
	SIOCSIFMTU = 0x8922,
	SIOCSIFNAME = 0x8923,
	SIOCSIFHWADDR = 0x8924,
	SIOCGIFHWADDR = 0x8927,
	SIOCGIFINDEX = 0x8933,
	SIOCGIFTXQLEN = 0x8942,
	SIOCSIFTXQLEN = 0x8943,
	SIOCETHTOOL = 0x8946,
	SIOCDARP = 0x8953,
	SIOCGARP = 0x8954,
	SIOCSARP = 0x8955,
	SIOCGIFMAP = 0x8970,
};

struct ifreq {
	char name[16];
	union {
		struct {
			u16 family;
			u8 port[2], ip[4], zero[16];
		} addr;
		struct {
			u16 family;
			u8 mac[14];
		} hw;
		u16 flags;
		s32 word;
		u64 data;
		char newname[16];
		u8 raw[24];
	};
};

/* --- ioctl.c: rtnl_mutex held; @r->raw becomes the answer.  -ENOTTY: not one of these. */
int link_ioctl_get(struct net_device *dev, unsigned int cmd, struct ifreq *r);
int link_ioctl_set(struct net_device *dev, unsigned int cmd,
		   const struct ifreq *r);
/* --- ioctl_addr.c: likewise; @label is the name as the program gave it */
bool link_ioctl_is_addr(unsigned int cmd);
int link_ioctl_addr(struct net_device *dev, unsigned int cmd, struct ifreq *r);
s64 link_ioctl_conf(struct net_ns *net, u64 arg);
s64 link_ioctl_route(struct net_ns *net, unsigned int cmd, u64 arg);
/* --- ioctl_arp.c */
s64 link_ioctl_arp(struct net_ns *net, unsigned int cmd, u64 arg);
/* --- ethtool.c: @at is a structure that begins with a command */
s64 link_ethtool(struct net_device *dev, u64 at);

#endif /* NET_LINK_IOCTL_H */
