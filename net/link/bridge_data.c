/* SPDX-License-Identifier: MIT */
/* net/link/bridge_data.c - frames that go through a bridge; see bridge.h. */
#include <net/link/bridge.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/string.h>
#include <net/packet.h>

#define FEW 8u

/* Where a frame goes: interfaces with references. */
struct out {
	struct net_device *few[FEW], **to;
	u32 nr;
	bool up; /* to the bridge itself, too */
};

static bool is_open(const struct net_device *dev)
{
	return link_is_up(dev) && load_once(&dev->carrier);
}

static void add(struct out *o, struct net_device *dev)
{
	o->to[o->nr++] = netdev_get(dev);
}

/* All ports but @from; lock held. */
static void flood(struct bridge *br, const struct bridge_port *from,
		  struct out *o)
{
	struct bridge_port *p;

	if (br->nr_ports > FEW)
		o->to = kcalloc(br->nr_ports, sizeof(struct net_device *));
	if (!o->to)
		return; /* no memory: it is lost */
	list_for_each_entry(p, &br->ports, node) {
		if (p != from && is_open(p->dev))
			add(o, p->dev);
	}
}

/* Lock held; @from NULL: the bridge itself sends. */
static void choose(struct bridge *br, const struct bridge_port *from,
		   const u8 *to, struct out *o)
{
	const struct bridge_port *p;

	o->to = o->few;
	if (to[0] & 1) {
		o->up = from != NULL;
		flood(br, from, o);
		return;
	}
	if (from && (!memcmp(to, br->dev.mac, ETH_ALEN) ||
		     !memcmp(to, from->dev->mac, ETH_ALEN))) {
		o->up = true;
		return;
	}
	p = bridge_find(br, to);
	if (!p) {
		flood(br, from, o);
		o->up = from && load_once(&br->dev.flags) & IFF_PROMISC;
	} else if (p != from && is_open(p->dev)) {
		add(o, p->dev);
	}
}

/* A copy for each, and the frame itself for the last one.  True: it is still there. */
static bool send_all(struct out *o, struct netbuf *b)
{
	for (u32 i = 0; i < o->nr; i++) {
		bool last = !o->up && i + 1 == o->nr;
		struct netbuf *c = last ? b : netbuf_copy(b);

		if (c)
			(void)link_forward(o->to[i], c);
		netdev_put(o->to[i]);
	}
	if (o->to != o->few)
		kfree(o->to);
	return o->up || !o->nr;
}

bool bridge_xmit(struct net_device *dev, struct netbuf *b)
{
	struct bridge *br = bridge_of(dev);
	struct out o = { .nr = 0 };

	if (b->len < ETH_HEADER) {
		netbuf_free(b);
		return true;
	}
	spin_lock(&bridge_lock);
	choose(br, NULL, b->data, &o);
	spin_unlock(&bridge_lock);
	if (send_all(&o, b))
		netbuf_free(b);
	return true;
}

/* Frames for bridges themselves (01:80:c2:00:00:0X) go no further. */
static bool is_reserved(const u8 *to)
{
	static const u8 group[5] = { 0x01, 0x80, 0xc2, 0, 0 };

	return !memcmp(to, group, sizeof(group)) && to[5] < 16;
}

void bridge_take(struct net_device *dev, struct netbuf *b)
{
	struct net_device *master = NULL;
	struct out o = { .nr = 0 };
	struct bridge_port *p;

	spin_lock(&bridge_lock);
	p = link_of(dev)->port;
	if (p && link_is_up(&p->br->dev) && !is_reserved(b->data) &&
	    !(b->data[ETH_ALEN] & 1)) {
		master = netdev_get(&p->br->dev);
		bridge_learn(p, b->data + ETH_ALEN);
		choose(p->br, p, b->data, &o);
	}
	spin_unlock(&bridge_lock);
	if (!master || (send_all(&o, b) && !o.up)) {
		netbuf_free(b);
	} else if (o.up) {
		netbuf_set_dev(b, master);
		link_arrived(b);
	}
	netdev_put(master);
}
