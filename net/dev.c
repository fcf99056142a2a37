/* SPDX-License-Identifier: MIT */
/*
 * net/dev.c - interfaces as options of sockets name them.
 */
#include <net/socket.h>

#include <lib/errno.h>
#include <lib/string.h>
#include <net/link/link.h>

bool sock_dev_exists(const struct socket *s, u32 index)
{
	struct net_device *dev = link_by_index(s->net, (s32)index);

	netdev_put(dev);
	return dev;
}

s32 sock_dev_index(const struct socket *s, const char *name)
{
	struct net_device *dev = link_by_name(s->net, name);
	s32 index = dev ? dev->index : -ENODEV;

	netdev_put(dev);
	return index;
}

int sock_dev_name(const struct socket *s, s32 index, u8 name[16])
{
	struct net_device *dev = link_by_index(s->net, index);
	int n;

	if (!dev)
		return -ENODEV;
	n = (int)strlen(dev->name) + 1;
	memcpy(name, dev->name, (size_t)n);
	netdev_put(dev);
	return n;
}
