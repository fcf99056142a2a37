/* SPDX-License-Identifier: MIT */
/*
 * net/link/setlink.c - RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK: links are made, changed and
 * taken away; see rtnl.h.
 */
#include <net/link/rtnl.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netns.h>

#define NR_KINDS 8u
static const struct link_kind *kinds[NR_KINDS]; /* [set once at boot] */

void link_kind_register(const struct link_kind *k)
{
	for (u32 i = 0; i < NR_KINDS; i++) {
		if (!kinds[i]) {
			kinds[i] = k;
			return;
		}
	}
	KASSERT(false);
}

const struct link_kind *link_kind_find(const char *name)
{
	for (u32 i = 0; i < NR_KINDS && kinds[i]; i++) {
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	}
	return NULL;
}

/* --- what a request says */

const struct nlattr *rtnl_find(const void *p, u32 len, u16 type)
{
	const struct nlattr *a = p;

	while (len >= sizeof(*a) && a->len >= sizeof(*a) && a->len <= len) {
		u32 n = min(ALIGN_UP((u32)a->len, 4u), len);

		if ((a->type & NLA_TYPE_MASK) == type)
			return a;
		len -= n;
		a = (const void *)((const u8 *)a + n);
	}
	return NULL;
}

const struct nlattr *rtnl_nested(const struct nlattr *nest, u16 type)
{
	return rtnl_find(nest + 1, rtnl_attr_len(nest), type);
}

u32 rtnl_u32(const struct nlattr *a)
{
	u32 v = 0;

	if (rtnl_attr_len(a) >= sizeof(v))
		memcpy(&v, a + 1, sizeof(v));
	return v;
}

static int get_name(const struct nlattr *a, char name[NETDEV_NAME])
{
	u32 n = a ? rtnl_attr_len(a) : 0;

	memset(name, 0, NETDEV_NAME);
	if (n && !((const char *)(a + 1))[n - 1])
		n--;
	if (n >= NETDEV_NAME)
		return -ERANGE;
	memcpy(name, a + 1, n);
	return 0;
}

static bool too_short(const struct nlattr *a, u32 n)
{
	return a && rtnl_attr_len(a) < n;
}

static int check(const struct rtnl_link_req *q)
{
	if (too_short(q->mac, ETH_ALEN) || too_short(q->broadcast, ETH_ALEN))
		return -EINVAL;
	if (too_short(q->ns_pid, 4) || too_short(q->ns_fd, 4) ||
	    too_short(q->mtu, 4) || too_short(q->txqlen, 4) ||
	    too_short(q->master, 4) || too_short(q->group, 4) ||
	    too_short(q->new_index, 4))
		return -ERANGE;
	if (too_short(q->linkmode, 1) || too_short(q->carrier, 1))
		return -ERANGE;
	return q->alias && rtnl_attr_len(q->alias) > LINK_ALIAS_MAX ? -ERANGE
								    : 0;
}

int rtnl_parse_link(const void *p, u32 len, struct rtnl_link_req *q)
{
	const struct nlattr *info = rtnl_find(p, len, IFLA_LINKINFO);
	int err = get_name(rtnl_find(p, len, IFLA_IFNAME), q->name);

	if (!err && info)
		err = get_name(rtnl_nested(info, IFLA_INFO_KIND), q->kind);
	if (err)
		return err;
	q->ns_pid = rtnl_find(p, len, IFLA_NET_NS_PID);
	q->ns_fd = rtnl_find(p, len, IFLA_NET_NS_FD);
	q->mac = rtnl_find(p, len, IFLA_ADDRESS);
	q->broadcast = rtnl_find(p, len, IFLA_BROADCAST);
	q->mtu = rtnl_find(p, len, IFLA_MTU);
	q->txqlen = rtnl_find(p, len, IFLA_TXQLEN);
	q->master = rtnl_find(p, len, IFLA_MASTER);
	q->alias = rtnl_find(p, len, IFLA_IFALIAS);
	q->group = rtnl_find(p, len, IFLA_GROUP);
	q->linkmode = rtnl_find(p, len, IFLA_LINKMODE);
	q->carrier = rtnl_find(p, len, IFLA_CARRIER);
	q->new_index = rtnl_find(p, len, IFLA_NEW_IFINDEX);
	err = check(q);
	if (err)
		return err;
	q->how.name = q->name;
	q->how.data = info ? rtnl_nested(info, IFLA_INFO_DATA) : NULL;
	q->how.mac = q->mac ? (const u8 *)(q->mac + 1) : NULL;
	q->how.mtu = q->mtu ? rtnl_u32(q->mtu) : 0;
	q->how.tx_queue_len = q->txqlen ? rtnl_u32(q->txqlen) : 0;
	return 0;
}

int rtnl_parse_peer(const struct nlattr *a, struct rtnl_link_req *q)
{
	const struct ifinfomsg *i = (const void *)(a + 1);
	int err;

	if (rtnl_attr_len(a) < sizeof(*i))
		return -EINVAL;
	err = rtnl_parse_link(i + 1, rtnl_attr_len(a) - (u32)sizeof(*i), q);
	q->how.index = i->index;
	return err;
}

/* Why what it names is none. */
static int no_ns(const struct rtnl_link_req *q)
{
	struct file *f;

	if (q->ns_pid)
		return -ESRCH;
	f = fd_get((int)rtnl_u32(q->ns_fd));
	if (!f)
		return -EBADF;
	file_put(f);
	return -EINVAL;
}

struct net_ns *rtnl_target_net(struct net_ns *net,
			       const struct rtnl_link_req *q)
{
	struct net_ns *n;

	if (q->ns_pid)
		n = net_ns_by_pid((int)rtnl_u32(q->ns_pid));
	else if (q->ns_fd)
		n = net_ns_by_fd((int)rtnl_u32(q->ns_fd));
	else
		return net_ns_get(net);
	if (!n)
		return ERR_PTR(no_ns(q));
	if (!net_capable(n, CAP_NET_ADMIN)) {
		net_ns_put(n);
		return ERR_PTR(-EPERM);
	}
	return n;
}

void link_new_apply(struct net_device *dev, const struct link_new *how,
		    const char *name)
{
	const char *from = how->name && *how->name ? how->name : name;

	(void)strscpy(dev->name, from, sizeof(dev->name));
	dev->index = how->index;
	if (how->mtu)
		dev->mtu = how->mtu;
	if (how->tx_queue_len)
		dev->tx_queue_len = how->tx_queue_len;
	if (dev->link_header != ETH_HEADER)
		return;
	if (how->mac)
		memcpy(dev->mac, how->mac, ETH_ALEN);
	else
		link_random_mac(dev->mac);
}

/* --- changing */

static int set_alias(struct net_device *dev, const struct nlattr *a)
{
	struct link *l = link_of(dev);
	u32 n = rtnl_attr_len(a);
	char *fresh = n ? kzalloc(n + 1) : NULL;

	if (n && !fresh)
		return -ENOMEM;
	if (n)
		memcpy(fresh, a + 1, n);
	if (fresh && !*fresh) {
		kfree(fresh);
		fresh = NULL;
	}
	kfree(l->alias);
	l->alias = fresh;
	return 0;
}

static int set_master(struct net_device *dev, s32 index)
{
	struct link *l = link_of(dev);
	const struct link_kind *k;
	struct net_device *m = NULL;

	if (index) {
		m = link_by_index(dev->net, index);
		netdev_put(m); /* rtnl_mutex keeps it */
		if (!m)
			return -EINVAL;
	}
	if (l->master == m)
		return 0;
	k = m ? link_of(m)->kind : NULL;
	if (m && (!k || !k->enslave))
		return -EOPNOTSUPP;
	if (l->master)
		link_of(l->master)->kind->release(l->master, dev);
	return m ? k->enslave(m, dev) : 0;
}

static int set_kept(struct net_device *dev, const struct rtnl_link_req *q)
{
	struct link *l = link_of(dev);

	if (q->group)
		l->group = rtnl_u32(q->group);
	if (q->txqlen)
		store_once(&dev->tx_queue_len, rtnl_u32(q->txqlen));
	if (q->linkmode)
		l->mode = *(const u8 *)(q->linkmode + 1);
	if (q->broadcast && link_addr_len(dev))
		memcpy(l->broadcast, q->broadcast + 1, ETH_ALEN);
	return q->alias ? set_alias(dev, q->alias) : 0;
}

static int set_address(struct net_device *dev, const struct nlattr *a)
{
	return link_addr_len(dev) ? link_set_mac(dev, (const void *)(a + 1))
				  : -EOPNOTSUPP;
}

static int set_names(struct net_device *dev, const struct rtnl_link_req *q)
{
	int err = 0;

	if (q->mac)
		err = set_address(dev, q->mac);
	if (!err && q->mtu)
		err = link_set_mtu(dev, rtnl_u32(q->mtu));
	if (!err && q->name[0])
		err = link_rename(dev, q->name);
	if (!err && (q->mac || q->mtu || q->name[0]))
		rtnl_link_told(dev, 0);
	return err;
}

static int set_carrier(struct net_device *dev, const struct nlattr *a)
{
	const struct link_kind *k = link_of(dev)->kind;

	if (!k || !k->carrier_is_kept)
		return -EOPNOTSUPP;
	netdev_carrier(dev, *(const u8 *)(a + 1));
	return 0;
}

static int set_flags(struct net_device *dev, const struct ifinfomsg *i)
{
	u32 change = i->change ? i->change : ~0u;

	if (!i->flags && !i->change)
		return 0;
	return link_change_flags(dev, (load_once(&dev->flags) & ~change) |
					      (i->flags & change));
}

/* In Linux's order: an error leaves what came before it. */
static int set_link(struct net_device *dev, struct net_ns *net,
		    const struct ifinfomsg *i, const struct rtnl_link_req *q)
{
	struct net_ns *to = rtnl_target_net(net, q);
	int err;

	if (IS_ERR(to))
		return (int)PTR_ERR(to);
	err = link_move(dev, to, to == net ? "" : q->name);
	net_ns_put(to);
	if (!err)
		err = set_names(dev, q);
	if (!err)
		err = set_kept(dev, q);
	if (!err)
		err = set_flags(dev, i);
	if (!err && q->master)
		err = set_master(dev, (s32)rtnl_u32(q->master));
	if (!err && q->carrier)
		err = set_carrier(dev, q->carrier);
	if (!err &&
	    (q->master || q->txqlen || q->alias || q->group || q->linkmode))
		rtnl_link_told(dev, 0);
	return err;
}

static int parse(const struct nlmsghdr *req, u32 len, struct rtnl_link_req *q)
{
	const struct ifinfomsg *i = (const void *)(req + 1);

	if (len < sizeof(*req) + sizeof(*i))
		return -EINVAL;
	return rtnl_parse_link(i + 1, len - (u32)(sizeof(*req) + sizeof(*i)),
			       q);
}

int rtnl_set_link(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct rtnl_link_req q = { .name = "" };
	struct net_device *dev;
	int err = parse(req, len, &q);

	if (err)
		return err;
	dev = rtnl_named_link(net, req, len);
	if (!dev)
		return -ENODEV;
	return set_link(dev, net, (const void *)(req + 1), &q);
}

/* --- making */

/* What is set of a link that was made a moment ago. */
static int finish(struct net_ns *net, const struct ifinfomsg *i,
		  const struct rtnl_link_req *q)
{
	struct net_device *dev =
		list_last_entry(&net->links, struct net_device, node);
	int err = set_kept(dev, q);

	if (!err && (i->flags | i->change) & IFF_UP)
		err = set_flags(dev, i);
	if (!err && q->master)
		err = set_master(dev, (s32)rtnl_u32(q->master));
	if (!err && (q->master || q->alias || q->group || q->linkmode))
		rtnl_link_told(dev, 0);
	if (err)
		link_of(dev)->kind->destroy(dev);
	return err;
}

static int make_link(struct net_ns *net, const struct ifinfomsg *i,
		     struct rtnl_link_req *q)
{
	const struct link_kind *k = link_kind_find(q->kind);
	struct net_ns *to;
	int err;

	if (!q->kind[0] || !k || !k->create) {
		rtnl_say("Unknown device type");
		return -EOPNOTSUPP;
	}
	if (i->index < 0)
		return -EINVAL;
	q->how.index = i->index;
	to = rtnl_target_net(net, q);
	if (IS_ERR(to))
		return (int)PTR_ERR(to);
	err = k->create(to, &q->how);
	if (!err)
		err = finish(to, i, q);
	net_ns_put(to);
	return err;
}

static int change_one(struct net_device *dev, struct net_ns *net,
		      const struct nlmsghdr *req, const struct rtnl_link_req *q)
{
	const struct link_kind *k = link_of(dev)->kind;

	if (req->flags & NLM_F_EXCL)
		return -EEXIST;
	if (req->flags & NLM_F_REPLACE)
		return -EOPNOTSUPP;
	if (q->kind[0] && (!k || strcmp(k->name, q->kind) != 0))
		return -EOPNOTSUPP;
	if (q->how.data && k && k->change) {
		int err = k->change(dev, q->how.data);

		if (err)
			return err;
	}
	return set_link(dev, net, (const void *)(req + 1), q);
}

int rtnl_new_link(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	const struct ifinfomsg *i = (const void *)(req + 1);
	struct rtnl_link_req q = { .name = "" };
	struct net_device *dev;
	int err = parse(req, len, &q);

	if (err)
		return err;
	dev = rtnl_named_link(net, req, len);
	if (dev)
		return change_one(dev, net, req, &q);
	if (!(req->flags & NLM_F_CREATE))
		return -ENODEV;
	return make_link(net, i, &q);
}

int rtnl_del_link(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	const struct link_kind *k;
	struct net_device *dev;

	if (len < sizeof(*req) + sizeof(struct ifinfomsg))
		return -EINVAL;
	dev = rtnl_named_link(net, req, len);
	if (!dev)
		return -ENODEV;
	k = link_of(dev)->kind;
	if (!k || !k->destroy)
		return -EOPNOTSUPP;
	k->destroy(dev);
	return 0;
}
