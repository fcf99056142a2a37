/* SPDX-License-Identifier: MIT */
/*
 * net/packet_member.c - what a packet(7) socket asks of interfaces: groups, and all there is.
 * It ends with the socket, or when the interface leaves the namespace.
 *
 * Locking: rtnl_mutex.
 */
#include <net/packet.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/link/dev.h>

enum {
	PACKET_MR_MULTICAST,
	PACKET_MR_PROMISC,
	PACKET_MR_ALLMULTI,
	PACKET_MR_UNICAST,
	NR_PACKET_MR
};

struct packet_mreq {
	s32 ifindex;
	u16 type, alen;
	u8 addr[8];
};

struct member {
	struct list_head node;
	struct net_device *dev; /* owned */
	struct packet_mreq m;
	u32 times;
};

/* The loopback hears all there is, whatever it is asked to listen to. */
static int listen(struct net_device *dev, const struct packet_mreq *m, bool on)
{
	if (!dev->registered || m->type == PACKET_MR_UNICAST)
		return 0;
	if (m->type == PACKET_MR_PROMISC)
		link_promisc(dev, on ? 1 : -1);
	else if (m->type == PACKET_MR_ALLMULTI)
		link_allmulti(dev, on ? 1 : -1);
	else if (on)
		return link_mc_join(dev, m->addr);
	else
		link_mc_leave(dev, m->addr);
	return 0;
}

static struct member *find(const struct packet_sock *ps,
			   const struct packet_mreq *m)
{
	struct member *i;

	list_for_each_entry(i, &ps->members, node) {
		if (i->m.ifindex == m->ifindex && i->m.type == m->type &&
		    i->m.alen == m->alen &&
		    !memcmp(i->m.addr, m->addr, m->alen))
			return i;
	}
	return NULL;
}

static int add(struct packet_sock *ps, struct net_device *dev,
	       const struct packet_mreq *m)
{
	struct member *i = kzalloc(sizeof(*i));
	int err = i ? listen(dev, m, true) : -ENOMEM;

	if (err) {
		kfree(i);
		return err;
	}
	i->dev = netdev_get(dev);
	i->m = *m;
	i->times = 1;
	list_add(&i->node, &ps->members);
	return 0;
}

static int join(struct packet_sock *ps, const struct packet_mreq *m)
{
	struct net_device *dev = link_by_index(ps->s.net, m->ifindex);
	struct member *i;
	int err = 0;

	if (!dev)
		return -ENODEV;
	i = find(ps, m);
	if (m->alen > link_addr_len(dev) || m->type >= NR_PACKET_MR)
		err = -EINVAL;
	else if (m->type == PACKET_MR_MULTICAST && m->alen != ETH_ALEN)
		err = -EINVAL;
	else if (i)
		i->times++;
	else
		err = add(ps, dev, m);
	netdev_put(dev);
	return err;
}

static void drop(struct member *i)
{
	(void)listen(i->dev, &i->m, false);
	list_del(&i->node);
	netdev_put(i->dev);
	kfree(i);
}

int packet_membership(struct packet_sock *ps, bool in, const void *val, u32 len)
{
	struct packet_mreq m;
	struct member *i;
	int err = 0;

	if (len < sizeof(m))
		return -EINVAL;
	memcpy(&m, val, sizeof(m));
	mutex_lock(&rtnl_mutex);
	if (in)
		err = join(ps, &m);
	else if (m.alen <= sizeof(m.addr) && (i = find(ps, &m)) && !--i->times)
		drop(i);
	mutex_unlock(&rtnl_mutex);
	return err;
}

void packet_leave_all(struct packet_sock *ps)
{
	if (list_empty(&ps->members))
		return;
	mutex_lock(&rtnl_mutex);
	while (!list_empty(&ps->members))
		drop(list_first_entry(&ps->members, struct member, node));
	mutex_unlock(&rtnl_mutex);
}

/* packet_lock held: they are dropped later. */
void packet_members_of(struct packet_sock *ps, const struct net_device *dev,
		       struct list_head *out)
{
	struct member *i, *next;

	list_for_each_entry_safe(i, next, &ps->members, node) {
		if (i->dev != dev)
			continue;
		list_del(&i->node);
		list_add_tail(&i->node, out);
	}
}

void packet_members_drop(struct list_head *gone)
{
	while (!list_empty(gone))
		drop(list_first_entry(gone, struct member, node));
}
