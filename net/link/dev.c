/* SPDX-License-Identifier: MIT */
/*
 * net/link/dev.c - the interfaces of network namespaces: who is where, under which name and
 * number; see kernel/dev/netdev.h and link.h.
 *
 * The list of a namespace changes under rtnl_mutex and link_lock: either will do to read it.
 */
#include <net/link/dev.h>
#include <net/link/work.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <lib/atomic.h>
#include <lib/ctype.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <net/netlink.h>
#include <net/packet.h>
#include <net/route/route.h>

#define NUMBERS 32768u /* of names: eth0 ... */

struct mutex rtnl_mutex = MUTEX_INIT(rtnl_mutex);
struct spinlock link_lock = SPINLOCK_INIT("link", RANK_NET);

/* --- references */

struct net_device *netdev_get(struct net_device *dev)
{
	atomic_inc(&dev->refs);
	return dev;
}

void netdev_put(struct net_device *dev)
{
	struct link *l;

	if (!dev || !atomic_dec_and_test(&dev->refs))
		return;
	l = link_of(dev);
	dev->link = NULL;
	if (l) {
		link_queue_flush(l);
		link_groups_drop(l);
		kfree(l->alias);
		kfree(l);
	}
	dev->ops->release(dev);
}

/* --- looking up */

static struct net_device *by_index(const struct net_ns *net, s32 index)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->links, node) {
		if (dev->index == index)
			return dev;
	}
	return NULL;
}

static struct net_device *by_name(const struct net_ns *net, const char *name)
{
	struct net_device *dev;

	list_for_each_entry(dev, &net->links, node) {
		if (!strcmp(dev->name, name))
			return dev;
	}
	return NULL;
}

struct net_device *link_by_index(const struct net_ns *net, s32 index)
{
	struct net_device *dev;

	spin_lock(&link_lock);
	dev = by_index(net, index);
	if (dev)
		netdev_get(dev);
	spin_unlock(&link_lock);
	return dev;
}

struct net_device *link_by_name(const struct net_ns *net, const char *name)
{
	struct net_device *dev;

	spin_lock(&link_lock);
	dev = by_name(net, name);
	if (dev)
		netdev_get(dev);
	spin_unlock(&link_lock);
	return dev;
}

/* @fn may unregister the one that it gets, and no other. */
void link_for_each(struct net_ns *net,
		   void (*fn)(struct net_device *dev, void *arg), void *arg)
{
	struct net_device *dev, *next;

	KASSERT(mutex_held(&rtnl_mutex));
	list_for_each_entry_safe(dev, next, &net->links, node)
		fn(dev, arg);
}

/* --- names and numbers */

static bool name_is_sound(const char *name)
{
	if (!*name || strnlen(name, NETDEV_NAME) == NETDEV_NAME ||
	    !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++) {
		if (*name == '/' || *name == ':' || isspace(*name))
			return false;
	}
	return true;
}

/* The number that @name has in the place of the %d of @want, or NUMBERS. */
static u32 number_in(const char *name, const char *want, const char *percent)
{
	size_t head = (size_t)(percent - want);
	const char *p = name + head;
	u32 n = 0;

	if (strncmp(name, want, head) != 0 || !isdigit(*p) ||
	    (*p == '0' && isdigit(p[1])))
		return NUMBERS;
	for (; isdigit(*p) && n < NUMBERS; p++)
		n = n * 10 + (u32)(*p - '0');
	return strcmp(p, percent + 2) ? NUMBERS : min(n, NUMBERS);
}

static int number_name(const struct net_ns *net, const char *want,
		       const char *percent, char name[NETDEV_NAME])
{
	u64 *used = kzalloc(NUMBERS / 8);
	struct net_device *dev;
	u32 n = 0;
	int len;

	if (!used)
		return -ENOMEM;
	list_for_each_entry(dev, &net->links, node) {
		u32 v = number_in(dev->name, want, percent);

		if (v < NUMBERS)
			used[v / 64] |= BIT(v % 64);
	}
	while (n < NUMBERS && used[n / 64] & BIT(n % 64))
		n++;
	kfree(used);
	if (n == NUMBERS)
		return -ENFILE;
	len = scnprintf(name, NETDEV_NAME, "%.*s%u%s", (int)(percent - want),
			want, n, percent + 2);
	return len + 1 < (int)NETDEV_NAME || name_is_sound(name) ? 0 : -EINVAL;
}

int link_name_choose(const struct net_ns *net, const char *want,
		     char name[NETDEV_NAME])
{
	const char *percent = strchr(want, '%');
	char fresh[NETDEV_NAME] = "";
	int err = 0;

	if (!name_is_sound(want))
		return -EINVAL;
	if (percent && (percent[1] != 'd' || strchr(percent + 1, '%')))
		return -EINVAL;
	if (percent)
		err = number_name(net, want, percent, fresh);
	else
		(void)strscpy(fresh, want, sizeof(fresh));
	if (!err && by_name(net, fresh))
		err = -EEXIST;
	if (!err)
		memcpy(name, fresh, sizeof(fresh));
	return err;
}

/* @want, if it is free, or the next one. */
static s32 choose_index(struct net_ns *net, s32 want)
{
	s32 i = net->last_index;

	if (want > 0 && !by_index(net, want))
		return want;
	do {
		i = i == INT32_MAX ? 1 : i + 1;
	} while (by_index(net, i));
	net->last_index = i;
	return i;
}

/* --- coming and going */

static struct link *link_new(struct net_device *dev,
			     const struct link_kind *kind)
{
	struct link *l = kzalloc(sizeof(*l));

	if (!l)
		return NULL;
	l->dev = dev;
	l->kind = kind;
	if (!link_is_lo(dev))
		memset(l->broadcast, 0xff, sizeof(l->broadcast));
	l->name_type = strchr(dev->name, '%') ? 1 : 3;
	list_init(&l->groups);
	link_queue_init(l);
	link_carrier_init(l);
	return l;
}

static void set_defaults(struct net_device *dev)
{
	if (!dev->flags && dev->type == ARPHRD_ETHER)
		dev->flags = IFF_BROADCAST | IFF_MULTICAST;
	if (!dev->flags && dev->type == ARPHRD_NONE)
		dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	dev->flags &= ~IFF_UP;
	if (!dev->mtu)
		dev->mtu = ETH_MTU;
	if (!dev->tx_queue_len)
		dev->tx_queue_len = 1000;
}

/* A number that is asked for must be free. */
int link_register(struct net_device *dev, struct net_ns *net,
		  const struct link_kind *kind)
{
	struct link *l;
	int err;

	KASSERT(mutex_held(&rtnl_mutex));
	if (dev->index > 0 && by_index(net, dev->index))
		return -EBUSY;
	l = link_new(dev, kind);
	err = l ? link_name_choose(net, dev->name, dev->name) : -ENOMEM;
	if (err) {
		kfree(l);
		return err;
	}
	set_defaults(dev);
	dev->refs = 1;
	dev->link = l;
	for (u32 i = 0; i < NET_NR_CONF; i++)
		dev->conf[i] = load_once(&net->ctl.conf_default[i]);
	l->told_carrier = load_once(&dev->carrier);
	dev->net = net;
	dev->index = choose_index(net, dev->index);
	dev->registered = true;
	spin_lock(&link_lock);
	list_add_tail(&dev->node, &net->links);
	spin_unlock(&link_lock);
	link_sysfs_add(dev);
	if (!kind || !kind->tells_later)
		rtnl_link_told(dev, ~0u);
	return 0;
}

static void leave_list(struct net_device *dev)
{
	spin_lock(&link_lock);
	list_del(&dev->node);
	list_init(&dev->node);
	spin_unlock(&link_lock);
}

void link_unregister(struct net_device *dev)
{
	struct link *l = link_of(dev);

	KASSERT(mutex_held(&rtnl_mutex) && dev->registered);
	l->dying = true;
	(void)link_set_up(dev, false);
	if (l->master)
		link_of(l->master)->kind->release(l->master, dev);
	route_link_gone(dev);
	packet_link_gone(dev);
	leave_list(dev);
	rtnl_link_gone(dev);
	dev->registered =
		false; /* who waits for rtnl_mutex in a file gives up */
	link_sysfs_remove(dev);
}

int netdev_register(struct net_device *dev, struct net_ns *net)
{
	int err;

	mutex_lock(&rtnl_mutex);
	err = link_register(dev, net ? net : &init_net_ns, NULL);
	mutex_unlock(&rtnl_mutex);
	return err;
}

void netdev_unregister(struct net_device *dev)
{
	mutex_lock(&rtnl_mutex);
	link_unregister(dev);
	mutex_unlock(&rtnl_mutex);
	netdev_put(dev);
}

/* --- changes */

int link_rename(struct net_device *dev, const char *name)
{
	char old[NETDEV_NAME], fresh[NETDEV_NAME];
	int err;

	if (!strcmp(dev->name, name))
		return 0;
	err = link_name_choose(dev->net, name, fresh);
	if (err)
		return err;
	memcpy(old, dev->name, sizeof(old));
	spin_lock(&link_lock);
	memcpy(dev->name, fresh, sizeof(fresh));
	spin_unlock(&link_lock);
	link_of(dev)->name_type = 4;
	link_sysfs_renamed(dev, old);
	return 0;
}

static int name_for(struct net_device *dev, const struct net_ns *net,
		    const char *want, char fresh[NETDEV_NAME])
{
	if (*want)
		return link_name_choose(net, want, fresh);
	if (!by_name(net, dev->name)) {
		memcpy(fresh, dev->name, NETDEV_NAME);
		return 0;
	}
	return -EEXIST;
}

/* It goes down, loses its addresses, and keeps its number if that is free there. */
int link_move(struct net_device *dev, struct net_ns *net, const char *name)
{
	char fresh[NETDEV_NAME];
	struct link *l = link_of(dev);
	int err;

	if (dev->net == net)
		return 0;
	if (link_is_lo(dev) || (l->kind && l->kind->enslave))
		return -EINVAL;
	err = name_for(dev, net, name, fresh);
	if (err)
		return err;
	(void)link_set_up(dev, false);
	if (l->master)
		link_of(l->master)->kind->release(l->master, dev);
	route_link_gone(dev);
	packet_link_gone(dev);
	rtnl_link_gone(dev);
	link_sysfs_remove(dev);
	leave_list(dev);
	memcpy(dev->name, fresh, sizeof(fresh));
	l->was_up = false;
	dev->index = choose_index(net, dev->index);
	store_once(&dev->net, net);
	spin_lock(&link_lock);
	list_add_tail(&dev->node, &net->links);
	spin_unlock(&link_lock);
	link_sysfs_add(dev);
	rtnl_link_told(dev, ~0u);
	return 0;
}

int link_set_mtu(struct net_device *dev, u32 mtu)
{
	int err = 0;

	if (mtu == dev->mtu)
		return 0;
	if (mtu < dev->mtu_min || (s32)mtu < 0) {
		rtnl_say("mtu less than device minimum");
		return -EINVAL;
	}
	if (dev->mtu_max && mtu > dev->mtu_max) {
		rtnl_say("mtu greater than device maximum");
		return -EINVAL;
	}
	if (dev->ops->set_mtu)
		err = dev->ops->set_mtu(dev, mtu);
	if (!err)
		store_once(&dev->mtu, mtu);
	return err;
}

int link_set_mac(struct net_device *dev, const u8 *mac)
{
	int err;

	if (!dev->ops->set_mac)
		return -EOPNOTSUPP;
	if (mac[0] & 1 || !memcmp(mac, (u8[ETH_ALEN]){ 0 }, ETH_ALEN))
		return -EADDRNOTAVAIL;
	err = dev->ops->set_mac(dev, mac);
	if (err)
		return err;
	memcpy(dev->mac, mac, ETH_ALEN);
	link_of(dev)->addr_type = 3;
	return 0;
}

void link_random_mac(u8 mac[ETH_ALEN])
{
	random_bytes(mac, ETH_ALEN);
	mac[0] = (u8)((mac[0] & 0xfe) | 2);
}

static void leave_ending(struct net_device *dev)
{
	const struct link_kind *k = link_of(dev)->kind;
	char name[NETDEV_NAME];

	if (k && k->destroy) {
		k->destroy(dev);
		return;
	}
	if (!link_move(dev, &init_net_ns, ""))
		return;
	(void)scnprintf(name, sizeof(name), "dev%d", dev->index);
	if (link_move(dev, &init_net_ns, name))
		(void)link_move(dev, &init_net_ns, "dev%d");
}

void link_net_end(struct net_ns *net)
{
	struct net_device *dev;

	mutex_lock(&rtnl_mutex);
	while (!list_empty(&net->links)) {
		dev = list_last_entry(&net->links, struct net_device, node);
		if (dev != net->lo) {
			leave_ending(dev);
			continue;
		}
		link_unregister(dev);
		netdev_put(dev);
	}
	mutex_unlock(&rtnl_mutex);
}
