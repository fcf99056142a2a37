/* SPDX-License-Identifier: MIT */
/* net/link/dummy.c - dummy: an interface that takes everything and brings nothing. */
#include <net/link/rtnl.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

static bool dummy_xmit(struct net_device *dev __unused, struct netbuf *b)
{
	netbuf_free(b);
	return true;
}

static int dummy_set_mac(struct net_device *dev __unused,
			 const u8 mac[ETH_ALEN] __unused)
{
	return 0;
}

static void dummy_release(struct net_device *dev)
{
	kfree(dev);
}

static const struct net_device_ops dummy_ops = {
	.xmit = dummy_xmit,
	.set_mac = dummy_set_mac,
	.release = dummy_release,
};

static const struct link_kind dummy_kind;

static int dummy_create(struct net_ns *net, const struct link_new *how)
{
	struct net_device *dev = kzalloc(sizeof(*dev));
	int err;

	if (!dev)
		return -ENOMEM;
	*dev = (struct net_device){
		.driver = "dummy",
		.ops = &dummy_ops,
		.type = ARPHRD_ETHER,
		.link_header = ETH_HEADER,
		.features = NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6,
		.flags = IFF_BROADCAST | IFF_NOARP,
		.carrier = true,
	};
	link_new_apply(dev, how, "dummy%d");
	err = link_register(dev, net, &dummy_kind);
	if (err)
		kfree(dev);
	return err;
}

static void dummy_destroy(struct net_device *dev)
{
	link_unregister(dev);
	netdev_put(dev);
}

static const struct link_kind dummy_kind = {
	.name = "dummy",
	.carrier_is_kept = true,
	.create = dummy_create,
	.destroy = dummy_destroy,
};

static int dummy_init(void)
{
	link_kind_register(&dummy_kind);
	return 0;
}
INITCALL(INIT_CORE, dummy_init);
