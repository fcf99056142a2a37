/* SPDX-License-Identifier: MIT */
/* net/link/tun.c - tun and tap as interfaces: made, found again, gone; see tun.h. */
#include <net/link/ioctl.h>
#include <net/link/rtnl.h>
#include <net/link/tun.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define QUEUE_LEN 500u

enum {
	IFLA_TUN_OWNER = 1,
	IFLA_TUN_GROUP = 2,
	IFLA_TUN_TYPE = 3,
	IFLA_TUN_PI = 4,
	IFLA_TUN_VNET_HDR = 5,
	IFLA_TUN_PERSIST = 6,
	IFLA_TUN_MULTI_QUEUE = 7,
};

/* --- the device */

/* What nobody reads is dropped. */
static bool tun_xmit(struct net_device *dev, struct netbuf *b)
{
	struct tun *tun = tun_of(dev);
	struct tun_file *tf;
	bool ok;

	spin_lock(&tun->lock);
	tf = tun->file;
	ok = tf && tun->nr_queue < load_once(&dev->tx_queue_len);
	if (ok) {
		list_add_tail(&b->node, &tun->queue);
		tun->nr_queue++;
		wake_up_all_key(&tf->wq, POLLIN | POLLRDNORM);
	}
	spin_unlock(&tun->lock);
	if (!ok) {
		link_count(&dev->stats.tx_dropped, 1);
		netbuf_free(b);
	}
	return true;
}

static void purge(struct tun *tun)
{
	struct list_head gone = LIST_HEAD_INIT(gone);

	spin_lock(&tun->lock);
	list_splice_tail_init(&tun->queue, &gone);
	tun->nr_queue = 0;
	spin_unlock(&tun->lock);
	while (!list_empty(&gone)) {
		struct netbuf *b = list_first_entry(&gone, struct netbuf, node);

		list_del(&b->node);
		netbuf_free(b);
	}
}

static void tun_stop(struct net_device *dev)
{
	purge(tun_of(dev));
}

static int tun_set_mac(struct net_device *dev __unused,
		       const u8 mac[ETH_ALEN] __unused)
{
	return 0;
}

static void tun_release(struct net_device *dev)
{
	kfree(tun_of(dev));
}

static const struct net_device_ops tun_ops = {
	.stop = tun_stop,
	.xmit = tun_xmit,
	.set_mac = tun_set_mac,
	.release = tun_release,
};

static struct tun *tun_new(const char *name, u32 flags)
{
	bool tap = flags & TUN_TAP;
	struct link_new how = { .name = name };
	struct tun *tun = kzalloc(sizeof(*tun));

	if (!tun)
		return NULL;
	tun->dev = (struct net_device){
		.driver = "tun",
		.ops = &tun_ops,
		.priv = tun,
		.type = tap ? ARPHRD_ETHER : ARPHRD_NONE,
		.link_header = tap ? ETH_HEADER : 0,
		.mtu_min = 68,
		.mtu_max = 65535 - (tap ? ETH_HEADER : 0),
		.tx_queue_len = tap ? 1000 : QUEUE_LEN,
		.speed = 10000,
		.full_duplex = true,
	};
	link_new_apply(&tun->dev, &how, tap ? "tap%d" : "tun%d");
	tun->owner = tun->group = NOBODY;
	tun->flags = flags & TUN_FEATURES;
	spin_init(&tun->lock, "tun", RANK_DEV);
	list_init(&tun->queue);
	return tun;
}

/* --- the kind */

static void tun_destroy(struct net_device *dev)
{
	struct tun *tun = tun_of(dev);
	struct tun_file *tf;

	spin_lock(&tun->lock);
	tf = tun->file;
	tun->file = NULL;
	spin_unlock(&tun->lock);
	link_unregister(dev);
	purge(tun);
	if (tf)
		wake_up_all(&tf->wq);
	netdev_put(dev);
}

static void put8(struct nl_out *o, u16 type, u8 v)
{
	nl_attr(o, type, &v, 1);
}

static void tun_fill(const struct net_device *dev, struct nl_out *o)
{
	const struct tun *tun = tun_of(dev);

	put8(o, IFLA_TUN_TYPE, tun->flags & (TUN_TUN | TUN_TAP));
	if (tun->owner != NOBODY)
		nl_attr32(o, IFLA_TUN_OWNER, tun->owner);
	if (tun->group != NOBODY)
		nl_attr32(o, IFLA_TUN_GROUP, tun->group);
	put8(o, IFLA_TUN_PI, !(tun->flags & TUN_NO_PI));
	put8(o, IFLA_TUN_VNET_HDR, !!(tun->flags & TUN_VNET_HDR));
	put8(o, IFLA_TUN_PERSIST, !!(tun->flags & TUN_PERSIST));
	put8(o, IFLA_TUN_MULTI_QUEUE, 0);
}

static s64 show_flags(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "0x%x\n", load_once(&tun_of(obj)->flags));
}

/* Its owner's number, or its group's; -1: anybody's. */
static s64 show_owner(void *obj, const struct sys_attr *a, char *buf,
		      size_t size)
{
	const struct tun *tun = tun_of(obj);

	return scnprintf(buf, size, "%d\n",
			 (int)(a->arg ? tun->group : tun->owner));
}

static const struct sys_attr tun_attrs[] = {
	{ .name = "tun_flags", .mode = 0444, .show = show_flags },
	{ .name = "owner", .mode = 0444, .show = show_owner, .arg = 0 },
	{ .name = "group", .mode = 0444, .show = show_owner, .arg = 1 },
};

static const struct link_kind tun_kind = {
	.name = "tun",
	.attrs = tun_attrs,
	.nr_attrs = ARRAY_SIZE(tun_attrs),
	.destroy = tun_destroy,
	.fill = tun_fill,
};

static int tun_init(void)
{
	link_kind_register(&tun_kind);
	return 0;
}
INITCALL(INIT_CORE, tun_init);

/* --- TUNSETIFF; rtnl_mutex held */

static void attach(struct tun_file *tf, struct tun *tun)
{
	netdev_get(&tun->dev);
	spin_lock(&tun->lock);
	tun->file = tf;
	spin_unlock(&tun->lock);
	/* TUNFILE (release) - pairs with file_tun(). */
	store_release(&tf->tun, tun);
	netdev_carrier(&tun->dev, true);
}

/* Its owner, a member of its group, or who may do all. */
static bool may_use(const struct tun_file *tf, const struct tun *tun)
{
	const struct cred *c = current->cred;

	if (tun->owner == NOBODY && tun->group == NOBODY)
		return net_capable(tf->net, CAP_NET_ADMIN);
	if (tun->owner != NOBODY && tun->owner != c->euid)
		return net_capable(tf->net, CAP_NET_ADMIN);
	if (tun->group != NOBODY && !cred_in_group(c, tun->group))
		return net_capable(tf->net, CAP_NET_ADMIN);
	return true;
}

static int use_again(struct tun_file *tf, struct net_device *dev, u32 flags)
{
	struct tun *tun = tun_of(dev);

	if (link_of(dev)->kind != &tun_kind)
		return -EINVAL;
	if (flags & TUN_EXCL)
		return -EBUSY;
	if ((flags ^ tun->flags) & (TUN_TUN | TUN_TAP))
		return -EINVAL;
	if (!may_use(tf, tun))
		return -EPERM;
	if (tun->file)
		return -EBUSY;
	store_once(&tun->flags,
		   (flags & TUN_FEATURES) | (tun->flags & TUN_PERSIST));
	attach(tf, tun);
	return 0;
}

static int make(struct tun_file *tf, const char *name, u32 flags)
{
	struct tun *tun;
	int err;

	if (!net_capable(tf->net, CAP_NET_ADMIN))
		return -EPERM;
	tun = tun_new(name, flags);
	if (!tun)
		return -ENOMEM;
	tun->dev.carrier = true;
	err = link_register(&tun->dev, tf->net, &tun_kind);
	if (err)
		kfree(tun);
	else
		attach(tf, tun);
	return err;
}

int tun_set_iff(struct tun_file *tf, struct ifreq *r)
{
	u32 flags = r->flags, kind = flags & (TUN_TUN | TUN_TAP);
	struct net_device *dev;
	int err;

	if (tf->tun)
		return -EEXIST;
	if (flags & ~(TUN_FEATURES | TUN_EXCL | TUN_PERSIST))
		return -EINVAL;
	r->name[sizeof(r->name) - 1] = '\0';
	dev = link_by_name(tf->net, r->name);
	if (dev)
		err = use_again(tf, dev, flags);
	else if (kind != TUN_TUN && kind != TUN_TAP)
		err = -EINVAL;
	else
		err = make(tf, r->name, flags);
	netdev_put(dev);
	if (!err)
		memcpy(r->name, tf->tun->dev.name, sizeof(r->name));
	return err;
}

void tun_get_iff(const struct tun *tun, struct ifreq *r)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->name, tun->dev.name, sizeof(r->name));
	r->flags = (u16)tun->flags;
}

/* The file is closed. */
void tun_detach(struct tun_file *tf)
{
	struct tun *tun = tf->tun;
	bool ours;

	if (!tun)
		return;
	spin_lock(&tun->lock);
	ours = tun->file == tf;
	if (ours)
		tun->file = NULL;
	spin_unlock(&tun->lock);
	if (ours && tun->flags & TUN_PERSIST) {
		purge(tun);
		netdev_carrier(&tun->dev, false);
	} else if (ours) {
		tun_destroy(&tun->dev);
	}
	netdev_put(&tun->dev);
}
