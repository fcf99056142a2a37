/* SPDX-License-Identifier: MIT */
/* net/link/bridge.c - bridges are made, and get ports; see bridge.h.  rtnl_mutex held. */
#include <net/link/bridge.h>
#include <net/link/rtnl.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

enum {
	IFLA_BR_FORWARD_DELAY = 1,
	IFLA_BR_AGEING_TIME = 4,
	IFLA_BR_STP_STATE = 5,
};
#define CENTISECOND_NS (NSEC_PER_SEC / 100)

struct spinlock bridge_lock = SPINLOCK_INIT("bridge", RANK_NET);

static int bridge_set_mac(struct net_device *dev,
			  const u8 mac[ETH_ALEN] __unused)
{
	bridge_of(dev)->has_mac = true;
	return 0;
}

static void bridge_free(struct net_device *dev)
{
	struct bridge *br = bridge_of(dev);

	spin_lock(&bridge_lock);
	bridge_forget(br, NULL);
	spin_unlock(&bridge_lock);
	kfree(br);
}

static const struct net_device_ops bridge_ops = {
	.xmit = bridge_xmit,
	.set_mac = bridge_set_mac,
	.release = bridge_free,
};

/* --- what it is like follows from its ports */

static void port_changed(struct net_device *dev)
{
	struct bridge *br = bridge_of(dev);
	const struct bridge_port *p, *least = NULL;
	bool on = false;

	list_for_each_entry(p, &br->ports, node) {
		on |= link_is_up(p->dev) && load_once(&p->dev->carrier);
		if (!least ||
		    memcmp(p->dev->mac, least->dev->mac, ETH_ALEN) < 0)
			least = p;
	}
	netdev_carrier(dev, on);
	if (br->has_mac || !least ||
	    !memcmp(dev->mac, least->dev->mac, ETH_ALEN))
		return;
	memcpy(dev->mac, least->dev->mac, ETH_ALEN);
	rtnl_link_told(dev, 0);
}

/* --- ports */

static int check(const struct net_device *master, const struct net_device *dev)
{
	if (link_is_lo(dev) || dev->type != ARPHRD_ETHER ||
	    dev->link_header != ETH_HEADER)
		return -EINVAL;
	if (dev == master || link_of(dev)->kind == link_of(master)->kind)
		return -ELOOP;
	return bridge_of(master)->nr_ports < PORTS_MAX ? 0 : -EXFULL;
}

static int enslave(struct net_device *master, struct net_device *dev)
{
	struct bridge *br = bridge_of(master);
	struct link *l = link_of(dev);
	struct bridge_port *p;
	int err = check(master, dev);

	if (err)
		return err;
	p = kzalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->dev = netdev_get(dev);
	p->br = br;
	spin_lock(&bridge_lock);
	list_add_tail(&p->node, &br->ports);
	br->nr_ports++;
	l->port = p;
	spin_unlock(&bridge_lock);
	l->master = master;
	store_once(&l->taker, bridge_take);
	link_promisc(dev, 1);
	if (dev->mtu < master->mtu)
		(void)link_set_mtu(master, dev->mtu);
	port_changed(master);
	return 0;
}

static void release(struct net_device *master, struct net_device *dev)
{
	struct link *l = link_of(dev);
	struct bridge_port *p = l->port;

	store_once(&l->taker, NULL);
	spin_lock(&bridge_lock);
	l->port = NULL;
	list_del(&p->node);
	p->br->nr_ports--;
	bridge_forget(p->br, p);
	spin_unlock(&bridge_lock);
	l->master = NULL;
	link_promisc(dev, -1);
	kfree(p);
	netdev_put(dev);
	port_changed(master);
}

/* --- the kind */

static const struct link_kind bridge_kind;

static int change(struct net_device *dev, const struct nlattr *data)
{
	struct bridge *br = bridge_of(dev);
	const struct nlattr *a = data + 1;
	u32 left = rtnl_attr_len(data);

	for (; left >= sizeof(*a) && a->len >= sizeof(*a) && a->len <= left;) {
		u32 n = min(ALIGN_UP((u32)a->len, 4u), left);

		switch (a->type & NLA_TYPE_MASK) {
		case IFLA_BR_FORWARD_DELAY:
			br->forward_delay = rtnl_u32(a);
			break;
		case IFLA_BR_AGEING_TIME:
			store_once(&br->ageing_ns,
				   rtnl_u32(a) * CENTISECOND_NS);
			break;
		case IFLA_BR_STP_STATE:
			if (rtnl_u32(a))
				return -EOPNOTSUPP;
			break;
		default:
			return -EOPNOTSUPP;
		}
		left -= n;
		a = (const void *)((const u8 *)a + n);
	}
	return 0;
}

static struct bridge *bridge_new(const struct link_new *how)
{
	struct bridge *br = kzalloc(sizeof(*br));

	if (!br)
		return NULL;
	br->dev = (struct net_device){
		.driver = "bridge",
		.ops = &bridge_ops,
		.priv = br,
		.type = ARPHRD_ETHER,
		.link_header = ETH_HEADER,
		.features = NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6,
		.mtu_min = 68,
		.mtu_max = 65535,
	};
	link_new_apply(&br->dev, how, "bridge%d");
	br->has_mac = how->mac;
	br->ageing_ns = 300 * NSEC_PER_SEC;
	br->forward_delay = 1500;
	list_init(&br->ports);
	for (u32 i = 0; i < FDB_SLOTS; i++)
		list_init(&br->slots[i]);
	return br;
}

static int create(struct net_ns *net, const struct link_new *how)
{
	struct bridge *br = bridge_new(how);
	int err = br ? 0 : -ENOMEM;

	if (!err && how->data)
		err = change(&br->dev, how->data);
	if (!err)
		err = link_register(&br->dev, net, &bridge_kind);
	if (err)
		kfree(br);
	return err;
}

static void destroy(struct net_device *dev)
{
	struct bridge *br = bridge_of(dev);

	while (!list_empty(&br->ports)) {
		struct bridge_port *p =
			list_first_entry(&br->ports, struct bridge_port, node);
		struct net_device *port = netdev_get(p->dev);

		release(dev, port);
		rtnl_link_told(port, 0);
		netdev_put(port);
	}
	link_unregister(dev);
	netdev_put(dev);
}

static void fill(const struct net_device *dev, struct nl_out *o)
{
	const struct bridge *br = bridge_of(dev);

	nl_attr32(o, IFLA_BR_FORWARD_DELAY, br->forward_delay);
	nl_attr32(o, IFLA_BR_AGEING_TIME,
		  (u32)(br->ageing_ns / CENTISECOND_NS));
	nl_attr32(o, IFLA_BR_STP_STATE, 0);
}

static const struct link_kind bridge_kind = {
	.name = "bridge",
	.devtype = "bridge",
	.create = create,
	.change = change,
	.destroy = destroy,
	.fill = fill,
	.enslave = enslave,
	.release = release,
	.port_changed = port_changed,
};

static int bridge_init(void)
{
	link_kind_register(&bridge_kind);
	return 0;
}
INITCALL(INIT_CORE, bridge_init);
