/* SPDX-License-Identifier: MIT */
/*
 * net/link/lo.c - the loopback of a network namespace: interface 1.
 *
 * What is sent to an address of this machine never gets here: sockets meet without packets.
 * net->lo_up is its IFF_UP for those who ask on the way of every call.
 */
#include <net/link/dev.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/inet.h>

static int lo_open(struct net_device *dev)
{
	store_once(&dev->net->lo_has_addr, true);
	store_once(&dev->net->lo_up, true);
	return 0;
}

static void lo_stop(struct net_device *dev)
{
	store_once(&dev->net->lo_up, false);
}

/* From somebody who means this interface: it has arrived. */
static bool lo_xmit(struct net_device *dev, struct netbuf *b)
{
	netdev_rx(dev, b);
	return true;
}

static int lo_set_mtu(struct net_device *dev __unused, u32 mtu __unused)
{
	return -EOPNOTSUPP;
}

static void lo_release(struct net_device *dev)
{
	kfree(dev);
}

static const struct net_device_ops lo_ops = {
	.open = lo_open,
	.stop = lo_stop,
	.xmit = lo_xmit,
	.set_mtu = lo_set_mtu,
	.release = lo_release,
};

struct net_device *lo_new(struct net_ns *net)
{
	struct net_device *dev = kzalloc(sizeof(*dev));
	int err;

	if (!dev)
		return NULL;
	*dev = (struct net_device){
		.name = "lo",
		.driver = "loopback",
		.ops = &lo_ops,
		.type = ARPHRD_LOOPBACK,
		.link_header = ETH_HEADER,
		.features = NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6,
		.mtu = LOOPBACK_MTU,
		.flags = IFF_LOOPBACK,
		.index = LOOPBACK_INDEX,
		.carrier = true,
	};
	mutex_lock(&rtnl_mutex);
	err = link_register(dev, net, NULL);
	mutex_unlock(&rtnl_mutex);
	if (err) {
		kfree(dev);
		return NULL;
	}
	return dev;
}

static int lo_init(void)
{
	struct net_ns *net = &init_net_ns;

	net->lo = lo_new(net);
	if (!net->lo)
		return -ENOMEM;
	mutex_lock(&rtnl_mutex);
	(void)link_set_up(net->lo, true);
	mutex_unlock(&rtnl_mutex);
	return 0;
}
INITCALL(INIT_VFS, lo_init);
