/* SPDX-License-Identifier: MIT */
/*
 * net/route/group.c - which multicast groups an interface hears.
 *
 * Locking: route_lock guards the lists.
 */
#include <net/route/group.h>
#include <net/route/neigh.h>
#include <net/route/route_int.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

struct group {
	struct list_head node;
	const struct net_device *dev; /* the group goes with it: no reference */
	u8 ip[16];
	u32 users;
};

static struct group *find_locked(const struct route_ns *rn,
				 const struct net_device *dev, const u8 ip[16])
{
	struct group *g;

	list_for_each_entry(g, &rn->groups, node) {
		if (g->dev == dev && ip_same(g->ip, ip))
			return g;
	}
	return NULL;
}

/* Those that everybody is in: 224.0.0.1, ff01::1 and ff02::1. */
static bool for_all(const u8 ip[16])
{
	static const u8 all4[4] = { 224, 0, 0, 1 }, zeros[13];

	if (ip_is_v4(ip))
		return !memcmp(ip + 12, all4, 4);
	return (ip[1] == 1 || ip[1] == 2) && !memcmp(ip + 2, zeros, 13) &&
	       ip[15] == 1;
}

bool group_heard(const struct net_device *dev, const u8 ip[16])
{
	const struct route_ns *rn = route_ns(dev->net);
	bool heard;

	if (for_all(ip))
		return true;
	if (!rn)
		return false;
	spin_lock(&route_lock);
	heard = find_locked(rn, dev, ip);
	spin_unlock(&route_lock);
	return heard;
}

static void tell(struct net_device *dev, const u8 ip[16], bool joined)
{
	if (!(load_once(&dev->flags) & IFF_UP) || for_all(ip) ||
	    (load_once(&dev->flags) & IFF_LOOPBACK))
		return;
	if (ip_is_v4(ip))
		igmp_report(dev, ip, joined);
	else
		mld_report(dev, ip, joined);
}

int group_join(struct net_device *dev, const u8 ip[16])
{
	struct route_ns *rn = route_ns(dev->net);
	struct group *fresh = kzalloc(sizeof(*fresh)), *g;
	u8 mac[LINK_ADDR_MAX];
	bool first;

	KASSERT(mutex_held(&rtnl_mutex));
	if (!rn || !fresh) {
		kfree(fresh);
		return rn ? -ENOMEM : -ENODEV;
	}
	list_init(&fresh->node);
	fresh->dev = dev;
	memcpy(fresh->ip, ip, 16);
	spin_lock(&route_lock);
	g = find_locked(rn, dev, ip);
	first = !g;
	if (first) {
		g = fresh;
		fresh = NULL;
		list_add_tail(&g->node, &rn->groups);
	}
	g->users++;
	spin_unlock(&route_lock);
	kfree(fresh);
	if (!first)
		return 0;
	neigh_group_addr(ip, mac);
	(void)link_mc_join(dev, mac);
	tell(dev, ip, true);
	return 0;
}

void group_leave(struct net_device *dev, const u8 ip[16])
{
	struct route_ns *rn = route_ns(dev->net);
	u8 mac[LINK_ADDR_MAX];
	struct group *g;

	KASSERT(mutex_held(&rtnl_mutex));
	if (!rn)
		return;
	spin_lock(&route_lock);
	g = find_locked(rn, dev, ip);
	if (g && --g->users == 0)
		list_del(&g->node);
	else
		g = NULL;
	spin_unlock(&route_lock);
	if (!g)
		return;
	tell(dev, ip, false);
	neigh_group_addr(ip, mac);
	link_mc_leave(dev, mac);
	kfree(g);
}

void group_flush(struct net_device *dev)
{
	struct route_ns *rn = route_ns(dev->net);
	struct group *g, *next;
	struct list_head gone = LIST_HEAD_INIT(gone);

	if (!rn)
		return;
	spin_lock(&route_lock);
	list_for_each_entry_safe(g, next, &rn->groups, node) {
		if (g->dev == dev)
			list_move_tail(&g->node, &gone);
	}
	spin_unlock(&route_lock);
	list_for_each_entry_safe(g, next, &gone, node)
		kfree(g);
}

/* The @nth group of @dev in @ip: false, there are no more. */
static bool nth_group(const struct net_device *dev, bool v4, u32 nth, u8 ip[16])
{
	const struct route_ns *rn = route_ns(dev->net);
	const struct group *g;
	bool found = false;

	if (!rn)
		return false;
	spin_lock(&route_lock);
	list_for_each_entry(g, &rn->groups, node) {
		if (g->dev != dev || ip_is_v4(g->ip) != v4 || nth--)
			continue;
		memcpy(ip, g->ip, 16);
		found = true;
		break;
	}
	spin_unlock(&route_lock);
	return found;
}

#define REPORTS_MAX 256u

void group_report_all(struct net_device *dev, bool v4)
{
	u8 ip[16];

	for (u32 i = 0; i < REPORTS_MAX && nth_group(dev, v4, i, ip); i++)
		tell(dev, ip, true);
}
