/* SPDX-License-Identifier: MIT */
/* net/route/conf.c - what follows when a setting of IP is changed; see conf.h. */
#include <net/route/conf.h>

#include <net/link/link.h>
#include <net/route/route_int.h>

void net_conf_set(struct net_device *dev, enum net_conf what, u32 value)
{
	u32 was = net_conf(dev, what);

	KASSERT(mutex_held(&rtnl_mutex));
	store_once(&dev->conf[what], value);
	if (what == CONF6_DISABLE && !was != !value)
		route_ip6_switch(dev, !value);
}

void net_conf_set_default(struct net_ns *net, enum net_conf what, u32 value)
{
	store_once(&net->ctl.conf_default[what], value);
}

struct follow {
	enum net_conf what;
	u32 value;
};

static void follow(struct net_device *dev, void *arg)
{
	const struct follow *f = arg;

	net_conf_set(dev, f->what, f->value);
}

void net_conf_set_all(struct net_ns *net, enum net_conf what, u32 value)
{
	struct follow f = { what, value };
	u32 was = load_once(&net->ctl.conf_all[what]);

	store_once(&net->ctl.conf_all[what], value);
	if (what != CONF4_FORWARDING && what != CONF6_FORWARDING &&
	    what != CONF6_DISABLE)
		return;
	if (was == value && what != CONF4_FORWARDING)
		return;
	net_conf_set_default(net, what, value);
	link_for_each(net, follow, &f);
}
