/* SPDX-License-Identifier: MIT */
/*
 * net/netns.c - network namespaces are made, entered, named and end.
 *
 * Names are rtnetlink's ("nsid"): numbers that one namespace has for others, which ip(8)
 * shows.  Those of a namespace go when it ends, on either side.
 *
 * Locking: net_ns_lock guards the list of all and their lists of names.
 */
#include <net/netns.h>

#include <net/link/dev.h>
#include <net/link/work.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/spinlock.h>
#include <kernel/task/clone.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <net/tcp/wire.h>
#include <net/route/route.h>

#define CTL_INIT                                                               \
	{                                                                      \
		.port_first = 32768, .port_last = 60999,                       \
		.port_unprivileged = 1024, .somaxconn = 4096, .ping_low = 0,   \
		.ping_high = INT32_MAX, .unix_qlen = 10,                       \
		.conf_all = NET_CONF_DEFAULT, .conf_default = NET_CONF_DEFAULT \
	}

static const struct net_sysctl ctl_init = CTL_INIT;
static struct spinlock net_ns_lock = SPINLOCK_INIT("net_ns", RANK_FILE);
static struct list_head all =
	LIST_HEAD_INIT(all); /* [net_ns_lock] less the first */
static u64 last_cookie = 1;  /* [a] */

struct nsid {
	struct list_head node;
	const struct net_ns *of; /* not owned: goes when that ends */
	s32 id;
};

static void drop_ids(struct net_ns *n, const struct net_ns *of,
		     struct list_head *gone)
{
	struct nsid *i, *next;

	list_for_each_entry_safe(i, next, &n->nsids, node) {
		if (of && i->of != of)
			continue;
		list_del(&i->node);
		list_add_tail(&i->node, gone);
	}
}

static void forget_ids(struct net_ns *n)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	struct net_ns *o;

	spin_lock(&net_ns_lock);
	list_del(&n->node);
	drop_ids(n, NULL, &gone);
	drop_ids(&init_net_ns, n, &gone);
	list_for_each_entry(o, &all, node)
		drop_ids(o, n, &gone);
	spin_unlock(&net_ns_lock);
	while (!list_empty(&gone)) {
		struct nsid *i = list_first_entry(&gone, struct nsid, node);

		list_del(&i->node);
		kfree(i);
	}
}

/* --- ends: its interfaces go, or go home; "netcfg", which may wait for that */

static struct list_head ended = LIST_HEAD_INIT(ended); /* [net_ns_lock] */

static void end(struct net_ns *n)
{
	link_net_end(n);
	net_work_barrier(); /* nothing on its way is of this namespace */
	tcp_net_end(n);
	route_net_end(n);
	forget_ids(n);
	kfree(n);
}

static struct net_ns *take_ended(void)
{
	struct net_ns *n;

	spin_lock(&net_ns_lock);
	n = list_first_entry_or_null(&ended, struct net_ns, end_node);
	if (n)
		list_del(&n->end_node);
	spin_unlock(&net_ns_lock);
	return n;
}

static void end_all(struct net_work *w __unused)
{
	struct net_ns *n;

	while ((n = take_ended()))
		end(n);
}

static struct net_work end_work = {
	.node = LIST_HEAD_INIT(end_work.node),
	.fn = end_all,
};

static void net_free(struct ns_common *ns)
{
	struct net_ns *n = container_of(ns, struct net_ns, ns);

	spin_lock(&net_ns_lock);
	list_add_tail(&n->end_node, &ended);
	spin_unlock(&net_ns_lock);
	net_cfg_queue(&end_work);
}

static int net_install(struct nsset *set, struct ns_common *ns)
{
	if (!nsset_may_enter(set, ns))
		return -EPERM;
	ns_get(ns);
	ns_replace(set->nsproxy->net, container_of(ns, struct net_ns, ns));
	return 0;
}

const struct ns_ops net_ns_ops = {
	.name = "net",
	.flag = CLONE_NEWNET,
	.count = &net_ns_count,
	.free = net_free,
	.install = net_install,
};

struct net_ns init_net_ns = {
	.ns = NS_INIT(net, NS_INO_NET),
	.cookie = 1,
	.ctl = CTL_INIT,
	.links = LIST_HEAD_INIT(init_net_ns.links),
	.nsids = LIST_HEAD_INIT(init_net_ns.nsids),
};

static void set_up(struct net_ns *n)
{
	n->cookie = atomic_add_return(&last_cookie, 1ul);
	n->ctl = ctl_init;
	/* IPv4's come from the first one, as on Linux */
	for (u32 i = 0; i < CONF6_FORWARDING; i++) {
		n->ctl.conf_all[i] = load_once(&init_net_ns.ctl.conf_all[i]);
		n->ctl.conf_default[i] =
			load_once(&init_net_ns.ctl.conf_default[i]);
	}
	list_init(&n->nsids);
	list_init(&n->links);
}

struct net_ns *net_ns_new(struct user_ns *owner)
{
	struct net_ns *n = kzalloc(sizeof(*n));
	int err;

	if (!n)
		return ERR_PTR(-ENOMEM);
	set_up(n);
	n->lo = lo_new(n);
	err = n->lo ? ns_init(&n->ns, &net_ns_ops, owner) : -ENOMEM;
	if (err) {
		link_net_end(n);
		kfree(n);
		return ERR_PTR(err);
	}
	spin_lock(&net_ns_lock);
	list_add_tail(&n->node, &all);
	spin_unlock(&net_ns_lock);
	return n;
}

/* --- names of namespaces */

static struct nsid *find_locked(const struct net_ns *n, const struct net_ns *of,
				s32 id)
{
	struct nsid *i;

	list_for_each_entry(i, &n->nsids, node) {
		if (of ? i->of == of : i->id == id)
			return i;
	}
	return NULL;
}

s32 net_nsid_of(const struct net_ns *n, const struct net_ns *of)
{
	struct nsid *i;
	s32 id;

	spin_lock(&net_ns_lock);
	i = find_locked(n, of, 0);
	id = i ? i->id : NETNSID_NONE;
	spin_unlock(&net_ns_lock);
	return id;
}

int net_nsid_set(struct net_ns *n, const struct net_ns *of, s32 id)
{
	struct nsid *fresh = kzalloc(sizeof(*fresh));
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&net_ns_lock);
	if (find_locked(n, of, 0))
		err = -EEXIST;
	else if (id >= 0 && find_locked(n, NULL, id))
		err = -ENOSPC; /* sic */
	if (id < 0)
		for (id = 0; find_locked(n, NULL, id); id++)
			;
	if (!err) {
		fresh->of = of;
		fresh->id = id;
		list_add_tail(&fresh->node, &n->nsids);
	}
	spin_unlock(&net_ns_lock);
	if (err)
		kfree(fresh);
	return err;
}

s32 net_nsid_nth(struct net_ns *n, u32 nth)
{
	struct nsid *i;
	s32 id = NETNSID_NONE;

	spin_lock(&net_ns_lock);
	list_for_each_entry(i, &n->nsids, node) {
		if (nth-- == 0) {
			id = i->id;
			break;
		}
	}
	spin_unlock(&net_ns_lock);
	return id;
}

s64 net_ns_open(struct net_ns *n)
{
	if (!net_capable(n, CAP_NET_ADMIN))
		return -EPERM;
	return nsfs_open(&net_ns_get(n)->ns);
}
