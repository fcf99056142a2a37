/* SPDX-License-Identifier: MIT */
/*
 * net/link/updown.c - an interface goes up and down, its link comes and goes, and what it is
 * asked to listen to.
 */
#include <net/link/dev.h>
#include <net/link/work.h>

#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/packet.h>

/* What ioctl(2) and rtnetlink can set. */
#define SETTABLE \
	(IFF_UP | IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP | IFF_MULTICAST)

enum {
	OPER_UNKNOWN = 0,
	OPER_DOWN = 2,
	OPER_LOWERLAYERDOWN = 3,
	OPER_UP = 6,
};

u32 link_flags(const struct net_device *dev)
{
	u32 f = load_once(&dev->flags) & ~(IFF_PROMISC | IFF_ALLMULTI);
	const struct link *l = link_of(dev);

	/* what sockets and bridges ask for is not shown, as on Linux */
	f |= l->wants_promisc ? IFF_PROMISC : 0;
	f |= l->wants_allmulti ? IFF_ALLMULTI : 0;
	if (!(f & IFF_UP))
		return f;
	return load_once(&dev->carrier) ? f | IFF_RUNNING | IFF_LOWER_UP : f;
}

/* Without a carrier: is it what it stands on that is down? */
static u8 state_below(const struct net_device *dev)
{
	struct net_device *lower;
	struct net_ns *net;
	s32 index = link_iflink(dev, &net);
	u8 state = OPER_DOWN;

	lower = index == dev->index ? NULL : link_by_index(dev->net, index);
	if (lower && !load_once(&lower->carrier))
		state = OPER_LOWERLAYERDOWN;
	netdev_put(lower);
	return state;
}

u8 link_operstate(const struct net_device *dev)
{
	const struct link *l = link_of(dev);

	if (!link_is_up(dev))
		return OPER_DOWN;
	if (!load_once(&dev->carrier))
		return state_below(dev);
	return load_once(&l->watched) ? OPER_UP : OPER_UNKNOWN;
}

static void set_flag(struct net_device *dev, u32 flag, bool on)
{
	if (on)
		(void)atomic_fetch_or(&dev->flags, flag);
	else
		(void)atomic_fetch_and(&dev->flags, ~flag);
}

void link_rx_mode(struct net_device *dev)
{
	if (link_is_up(dev) && dev->ops->set_rx_mode)
		dev->ops->set_rx_mode(dev);
}

static int go_up(struct net_device *dev)
{
	int err;

	if (link_of(dev)->dying)
		return -ENODEV;
	set_flag(dev, IFF_UP, true);
	err = dev->ops->open ? dev->ops->open(dev) : 0;
	if (err) {
		set_flag(dev, IFF_UP, false);
		return err;
	}
	link_of(dev)->was_up = true;
	link_rx_mode(dev);
	return 0;
}

static void go_down(struct net_device *dev)
{
	set_flag(dev, IFF_UP, false);
	if (dev->ops->stop)
		dev->ops->stop(dev);
	link_queue_flush(link_of(dev));
}

static void tell_master(struct net_device *dev)
{
	struct net_device *m = link_of(dev)->master;

	if (m && link_of(m)->kind->port_changed)
		link_of(m)->kind->port_changed(m);
}

int link_set_up(struct net_device *dev, bool up)
{
	int err = 0;

	KASSERT(mutex_held(&rtnl_mutex));
	if (link_is_up(dev) == up)
		return 0;
	if (up)
		err = go_up(dev);
	else
		go_down(dev);
	if (err)
		return err;
	rtnl_link_told(dev, IFF_UP);
	route_link_changed(dev, up);
	if (!up)
		packet_link_down(dev);
	tell_master(dev);
	return 0;
}

/* --- what it listens to */

static void listen_more(struct net_device *dev, u32 *count, u32 flag, int by)
{
	bool was = *count;

	if (by < 0 && !was)
		return;
	*count += (u32)by;
	if (was == (*count != 0))
		return;
	set_flag(dev, flag, *count);
	link_rx_mode(dev);
	rtnl_link_told(dev, flag);
}

void link_promisc(struct net_device *dev, int by)
{
	listen_more(dev, &link_of(dev)->promisc, IFF_PROMISC, by);
}

void link_allmulti(struct net_device *dev, int by)
{
	listen_more(dev, &link_of(dev)->allmulti, IFF_ALLMULTI, by);
}

/* The administrator's own wish counts as one. */
static void wish(struct net_device *dev, bool *is, bool want,
		 void (*more)(struct net_device *dev, int by))
{
	if (*is == want)
		return;
	*is = want;
	more(dev, want ? 1 : -1);
}

int link_change_flags(struct net_device *dev, u32 flags)
{
	struct link *l = link_of(dev);
	u32 kept = IFF_NOARP | IFF_MULTICAST;
	u32 was = load_once(&dev->flags);

	wish(dev, &l->wants_promisc, flags & IFF_PROMISC, link_promisc);
	wish(dev, &l->wants_allmulti, flags & IFF_ALLMULTI, link_allmulti);
	if ((was ^ flags) & kept) {
		store_once(&dev->flags,
			   (load_once(&dev->flags) & ~kept) | (flags & kept));
		rtnl_link_told(dev, (was ^ flags) & kept);
	}
	return link_set_up(dev, flags & IFF_UP);
}

/* --- carrier */

static void carrier_work(struct net_work *w)
{
	struct link *l = container_of(w, struct link, carrier_work);
	struct net_device *dev = l->dev;
	bool on;

	mutex_lock(&rtnl_mutex);
	on = load_once(&dev->carrier);
	if (dev->registered && on != l->told_carrier) {
		l->told_carrier = on;
		rtnl_link_told(dev, 0);
		tell_master(dev);
	}
	mutex_unlock(&rtnl_mutex);
	netdev_put(dev);
}

void link_carrier_init(struct link *l)
{
	net_work_init(&l->carrier_work, carrier_work);
}

void netdev_carrier(struct net_device *dev, bool on)
{
	struct link *l = link_of(dev);

	if (load_once(&dev->carrier) == on)
		return;
	store_once(&dev->carrier, on);
	if (!l)
		return;
	store_once(&l->watched, true);
	atomic_inc(on ? &l->carrier_up : &l->carrier_down);
	net_work_queue_of(dev, &l->carrier_work, true);
}
