/* SPDX-License-Identifier: MIT */
/*
 * net/link/veth.c - veth: two interfaces, each of which hears what is sent by the other.
 *
 * They are made and go together.  Each has a carrier while both are up.
 *
 * Locking: veth_lock (RANK_DEV) guards who is whose peer.
 */
#include <net/link/dev.h>
#include <net/link/rtnl.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netlink.h>
#include <net/netns.h>

#define VETH_INFO_PEER 1
#define VETH_MTU_MIN   68u
#define VETH_MTU_MAX   65535u

static struct spinlock veth_lock = SPINLOCK_INIT("veth", RANK_DEV);

/* The other end, with a reference, or NULL. */
static struct net_device *peer_of(const struct net_device *dev)
{
	struct net_device *p;

	spin_lock(&veth_lock);
	p = dev->priv;
	if (p)
		netdev_get(p);
	spin_unlock(&veth_lock);
	return p;
}

/* --- the device */

static int veth_open(struct net_device *dev)
{
	struct net_device *p = dev->priv; /* rtnl_mutex held */

	if (p && link_is_up(p)) {
		netdev_carrier(dev, true);
		netdev_carrier(p, true);
	}
	return 0;
}

static void veth_stop(struct net_device *dev)
{
	struct net_device *p = dev->priv;

	netdev_carrier(dev, false);
	if (p)
		netdev_carrier(p, false);
}

/* A checksum that nobody has added yet is right: nothing gets lost here. */
static bool veth_xmit(struct net_device *dev, struct netbuf *b)
{
	struct net_device *p = peer_of(dev);

	if (!p) {
		netbuf_free(b);
		return true;
	}
	if (b->flags & NETBUF_CSUM_PARTIAL)
		b->flags |= NETBUF_CSUM_GOOD;
	netdev_rx(p, b);
	netdev_put(p);
	return true;
}

static int veth_set_mac(struct net_device *dev __unused,
			const u8 mac[ETH_ALEN] __unused)
{
	return 0;
}

static void veth_release(struct net_device *dev)
{
	kfree(dev);
}

static const struct net_device_ops veth_ops = {
	.open = veth_open,
	.stop = veth_stop,
	.xmit = veth_xmit,
	.set_mac = veth_set_mac,
	.release = veth_release,
};

static struct net_device *veth_alloc(const struct link_new *how)
{
	struct net_device *dev = kzalloc(sizeof(*dev));

	if (!dev)
		return NULL;
	*dev = (struct net_device){
		.driver = "veth",
		.ops = &veth_ops,
		.type = ARPHRD_ETHER,
		.link_header = ETH_HEADER,
		.features = NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6,
		.mtu_min = VETH_MTU_MIN,
		.mtu_max = VETH_MTU_MAX,
		.speed = 10000,
		.full_duplex = true,
	};
	link_new_apply(dev, how, "veth%d");
	return dev;
}

/* --- the kind */

static void veth_destroy(struct net_device *dev);
static struct link_kind veth_kind;

static int pair(struct net_ns *net, struct net_ns *peer_net,
		struct net_device *dev, struct net_device *peer)
{
	int err = link_register(peer, peer_net, &veth_kind);

	if (err)
		return err;
	err = link_register(dev, net, &veth_kind);
	if (err) {
		link_unregister(peer);
		return err;
	}
	spin_lock(&veth_lock);
	dev->priv = netdev_get(peer);
	peer->priv = netdev_get(dev);
	spin_unlock(&veth_lock);
	rtnl_link_told(peer, ~0u);
	rtnl_link_told(dev, ~0u);
	return 0;
}

static void free_new(struct net_device *dev)
{
	if (dev && link_of(dev))
		netdev_put(dev); /* it was registered */
	else
		kfree(dev);
}

static int make_pair(struct net_ns *net, struct net_ns *peer_net,
		     const struct link_new *how, const struct link_new *other)
{
	struct net_device *dev = veth_alloc(how), *peer = veth_alloc(other);
	int err = dev && peer ? pair(net, peer_net, dev, peer) : -ENOMEM;

	if (err) {
		free_new(dev);
		free_new(peer);
	}
	return err;
}

static int veth_create(struct net_ns *net, const struct link_new *how)
{
	struct rtnl_link_req q = { .how = { .name = "" } };
	const struct nlattr *peer =
		how->data ? rtnl_nested(how->data, VETH_INFO_PEER) : NULL;
	int err = peer ? rtnl_parse_peer(peer, &q) : 0;
	struct net_ns *peer_net;

	if (err)
		return err;
	peer_net = rtnl_target_net(net, &q);
	if (IS_ERR(peer_net))
		return (int)PTR_ERR(peer_net);
	err = make_pair(net, peer_net, how, &q.how);
	net_ns_put(peer_net);
	return err;
}

/* The other end goes first. */
static void veth_destroy(struct net_device *dev)
{
	struct net_device *p = peer_of(dev);

	spin_lock(&veth_lock);
	dev->priv = NULL;
	if (p)
		p->priv = NULL;
	spin_unlock(&veth_lock);
	if (p) {
		link_unregister(p);
		netdev_put(dev); /* p's of us */
		netdev_put(p);	 /* ours of p */
		netdev_put(p);	 /* registration's */
		netdev_put(p);	 /* peer_of()'s */
	}
	link_unregister(dev);
	netdev_put(dev);
}

static s32 veth_peer_index(const struct net_device *dev, struct net_ns **net)
{
	const struct net_device *p = dev->priv; /* rtnl_mutex held */

	if (!p)
		return 0;
	*net = p->net;
	return p->index;
}

static struct link_kind veth_kind = {
	.name = "veth",
	.tells_later = true,
	.create = veth_create,
	.destroy = veth_destroy,
	.peer_index = veth_peer_index,
};

static int veth_init(void)
{
	link_kind_register(&veth_kind);
	return 0;
}
INITCALL(INIT_CORE, veth_init);
