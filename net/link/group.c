/* SPDX-License-Identifier: MIT */
/* net/link/group.c - which groups of link addresses an interface listens to; rtnl_mutex. */
#include <net/link/dev.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

struct link_group {
	struct list_head node;
	u8 mac[ETH_ALEN];
	u32 users;
};

static struct link_group *find(const struct net_device *dev, const u8 *mac)
{
	struct link_group *g;

	list_for_each_entry(g, &link_of(dev)->groups, node) {
		if (!memcmp(g->mac, mac, ETH_ALEN))
			return g;
	}
	return NULL;
}

int link_mc_join(struct net_device *dev, const u8 mac[ETH_ALEN])
{
	struct link_group *g = find(dev, mac);

	KASSERT(mutex_held(&rtnl_mutex));
	if (g) {
		g->users++;
		return 0;
	}
	g = kzalloc(sizeof(*g));
	if (!g)
		return -ENOMEM;
	memcpy(g->mac, mac, ETH_ALEN);
	g->users = 1;
	list_add_tail(&g->node, &link_of(dev)->groups);
	link_rx_mode(dev);
	return 0;
}

void link_mc_leave(struct net_device *dev, const u8 mac[ETH_ALEN])
{
	struct link_group *g = find(dev, mac);

	KASSERT(mutex_held(&rtnl_mutex));
	if (!g || --g->users)
		return;
	list_del(&g->node);
	kfree(g);
	link_rx_mode(dev);
}

void netdev_for_each_group(struct net_device *dev,
			   void (*fn)(const u8 mac[ETH_ALEN], void *arg),
			   void *arg)
{
	struct link_group *g;

	list_for_each_entry(g, &link_of(dev)->groups, node)
		fn(g->mac, arg);
}

void link_group_for_each(const struct net_device *dev,
			 void (*fn)(const u8 *mac, u32 users, void *arg),
			 void *arg)
{
	struct link_group *g;

	list_for_each_entry(g, &link_of(dev)->groups, node)
		fn(g->mac, g->users, arg);
}

void link_groups_drop(struct link *l)
{
	struct link_group *g, *next;

	list_for_each_entry_safe(g, next, &l->groups, node)
		kfree(g);
}
