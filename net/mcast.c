/* SPDX-License-Identifier: MIT */
/*
 * net/mcast.c - multicast groups and broadcasts: one datagram for several sockets.
 *
 * The loopback has no route to multicast addresses: who sends must say that it is to go
 * there (IP_MULTICAST_IF, SO_BINDTODEVICE, a source address), and who joins too, as on
 * Linux.  Groups of IPv6 may be joined, but nothing can be sent to them.
 *
 * Locking: inet_lock guards the lists.
 */
#include <net/inet.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/group.h>
#include <net/route/route_int.h>

#define MEMBERSHIPS_MAX 20u

struct mc_member {
	struct list_head node;
	struct inet_ep group; /* port 0; scope: its interface */
};

enum {
	IP_MULTICAST_IF = 32,
	IP_ADD_MEMBERSHIP = 35,
	IP_DROP_MEMBERSHIP = 36,
	MCAST_JOIN_GROUP = 42,
	MCAST_LEAVE_GROUP = 45,
	IP_MULTICAST_ALL = 49,

	IPV6_MULTICAST_IF = 17,
	IPV6_JOIN_GROUP = 20,
	IPV6_LEAVE_GROUP = 21,
	IPV6_MULTICAST_ALL = 29,
};

/* Number of the interface by which @b came, or goes. */
static u32 dev_of(const struct inet_ep *to)
{
	return to->scope ?: LOOPBACK_INDEX;
}

bool inet_is_multicast(const struct inet_ep *ep)
{
	return inet_is_v4(ep) ? (ep->ip[12] & 0xf0) == 0xe0 : ep->ip[0] == 0xff;
}

bool inet_is_broadcast(const struct inet_ep *ep)
{
	static const u8 all[4] = { 255, 255, 255, 255 },
			lo[4] = { 127, 255, 255, 255 };

	return inet_is_v4(ep) &&
	       (!memcmp(ep->ip + 12, all, 4) || !memcmp(ep->ip + 12, lo, 4));
}

int inet_flood_target(const struct inet_sock *is, const struct inet_ep *ep)
{
	bool says_lo = is->mcast_if == LOOPBACK_INDEX || is->s.bound_dev ||
		       is->ip_fixed;

	if (inet_is_broadcast(ep) && !is->s.broadcast)
		return -EACCES;
	if (!load_once(&is->s.net->lo_up) || !inet_is_v4(ep))
		return -ENETUNREACH;
	/* the loopback's own broadcast address has a route */
	return says_lo || ep->ip[12] == 127 ? 0 : -ENETUNREACH;
}

/* --- one packet for several */

void inet_hears(struct inet_hearers *h, struct inet_sock *is)
{
	if (h->nr < h->room)
		h->to[h->nr] = inet_get(is);
	h->nr++;
}

void inet_drop_hearers(struct inet_hearers *h)
{
	for (u32 i = 0; i < min(h->nr, h->room); i++)
		inet_put(h->to[i]);
	if (h->to != h->few)
		kfree(h->to);
}

bool inet_gather(struct inet_hearers *h,
		 void (*find)(struct inet_hearers *h, void *arg), void *arg)
{
	h->to = h->few;
	h->room = ARRAY_SIZE(h->few);
	for (;;) {
		h->nr = 0;
		spin_lock(&inet_lock);
		find(h, arg);
		spin_unlock(&inet_lock);
		if (h->nr <= h->room)
			return true;
		inet_drop_hearers(h);
		h->room = h->nr + h->nr / 8;
		h->to = kcalloc(h->room, sizeof(struct inet_sock *));
		if (!h->to)
			return false;
	}
}

void inet_give_all(struct inet_hearers *h,
		   struct inet_buf *(*copy_for)(const struct inet_sock *is,
						const void *arg),
		   const void *arg)
{
	for (u32 i = 0; i < h->nr; i++) {
		struct inet_buf *c = copy_for(h->to[i], arg);

		if (c && !udp_enqueue(h->to[i], c))
			kfree(c);
		cond_resched();
	}
	inet_drop_hearers(h);
}

/* --- delivery; inet_lock held */

static struct mc_member *member(const struct inet_sock *is,
				const struct inet_ep *group)
{
	struct mc_member *m;

	if (!is->mc_groups.next)
		return NULL; /* never joined any */
	list_for_each_entry(m, &is->mc_groups, node) {
		if (inet_same_ip(&m->group, group) &&
		    m->group.scope == dev_of(group))
			return m;
	}
	return NULL;
}

struct flood {
	const struct inet_buf *b;
	const struct net_ns *net;
	struct inet_hearers *to;
	u8 proto;
	bool joined; /* by anybody: else it is not for this host */
};

static void look(struct inet_sock *is, void *arg)
{
	struct flood *f = arg;

	f->joined |= member(is, &f->b->to) != NULL;
}

static bool takes(const struct inet_sock *is, const struct flood *f)
{
	const struct inet_buf *b = f->b;

	if (is->proto != f->proto || is->dead)
		return false;
	if (!inet_is_any(&is->local) && !inet_same_ip(&is->local, &b->to))
		return false;
	if (inet_is_v4(&b->to) ? is->s.family == AF_INET6 && is->v6only
			       : is->s.family != AF_INET6)
		return false;
	if (is->s.bound_dev && is->s.bound_dev != dev_of(&b->to))
		return false;
	if (is->state == INET_CONNECTED &&
	    (is->remote.port != b->from.port ||
	     !inet_same_ip(&is->remote, &b->from)))
		return false;
	return !inet_is_multicast(&b->to) ||
	       !(inet_is_v4(&b->to) ? is->mc_own_only : is->mc6_own_only) ||
	       member(is, &b->to);
}

static void look_at(struct inet_sock *is, void *arg)
{
	struct flood *f = arg;

	if (takes(is, f))
		inet_hears(f->to, is);
}

static void find_takers(struct inet_hearers *h, void *arg)
{
	struct flood *f = arg;

	f->to = h;
	inet_for_port_locked(f->net, f->b->to.port, look_at, f);
}

/* --- no lock held */

static struct inet_buf *copy_for(const struct inet_sock *is __unused,
				 const void *arg)
{
	const struct inet_buf *b = arg;
	struct inet_buf *c = kmemdup(b, sizeof(*b) + b->len);

	if (c) {
		list_init(&c->node);
		c->cap = b->len;
	}
	return c;
}

void inet_flood(struct net_ns *net, u8 proto, const struct inet_buf *b)
{
	static const u8 all_hosts[4] = { 224, 0, 0, 1 };
	struct flood f = { .b = b, .net = net, .proto = proto };
	struct inet_hearers h;

	if (inet_is_multicast(&b->to) && inet_is_v4(&b->to) &&
	    memcmp(b->to.ip + 12, all_hosts, 4)) {
		inet_for_each(net, look, &f);
		if (!f.joined)
			return;
	}
	if (inet_gather(&h, find_takers, &f))
		inet_give_all(&h, copy_for, b);
}

/* --- membership */

/* The interface hears it, or does not any more. */
static int hear(const struct inet_sock *is, const struct inet_ep *group,
		bool in)
{
	struct net_device *dev =
		group->scope == LOOPBACK_INDEX
			? NULL
			: link_by_index(is->s.net, (s32)group->scope);
	int err = 0;

	if (group->scope == LOOPBACK_INDEX)
		return 0;

	if (!dev)
		return in ? -ENODEV : 0;
	mutex_lock(&rtnl_mutex);
	if (in)
		err = group_join(dev, group->ip);
	else
		group_leave(dev, group->ip);
	mutex_unlock(&rtnl_mutex);
	netdev_put(dev);
	return err;
}

static int join(struct inet_sock *is, const struct inet_ep *group)
{
	struct mc_member *m = kzalloc(sizeof(*m));
	int err = hear(is, group, true);

	if (err) {
		kfree(m);
		return err;
	}

	if (!m) {
		(void)hear(is, group, false);
		return -ENOMEM;
	}
	m->group = *group;
	spin_lock(&inet_lock);
	if (!is->mc_groups.next)
		list_init(&is->mc_groups);
	if (member(is, group))
		err = -EADDRINUSE;
	else if (is->nr_groups >= MEMBERSHIPS_MAX)
		err = -ENOBUFS;
	if (!err) {
		list_add_tail(&m->node, &is->mc_groups);
		is->nr_groups++;
	}
	spin_unlock(&inet_lock);
	if (err) {
		(void)hear(is, group, false);
		kfree(m);
	}
	return err;
}

static int leave(struct inet_sock *is, const struct inet_ep *group)
{
	struct mc_member *m;

	spin_lock(&inet_lock);
	m = member(is, group);
	if (m) {
		list_del(&m->node);
		is->nr_groups--;
	}
	spin_unlock(&inet_lock);
	if (m)
		(void)hear(is, group, false);
	kfree(m);
	return m ? 0 : -EADDRNOTAVAIL;
}

void inet_leave_all(struct inet_sock *is)
{
	struct mc_member *m, *next;
	struct list_head gone = LIST_HEAD_INIT(gone);

	if (!is->mc_groups.next)
		return;
	spin_lock(&inet_lock);
	list_splice_tail_init(&is->mc_groups, &gone);
	spin_unlock(&inet_lock);
	list_for_each_entry_safe(m, next, &gone, node) {
		(void)hear(is, &m->group, false);
		kfree(m);
	}
}

void inet_mc_for_each(const struct inet_sock *is,
		      void (*fn)(const struct inet_ep *group, void *arg),
		      void *arg)
{
	struct mc_member *m;

	if (!is->mc_groups.next)
		return;
	list_for_each_entry(m, &is->mc_groups, node)
		fn(&m->group, arg);
}

static void set_v4(struct inet_ep *ep, const u8 *ip)
{
	*ep = (struct inet_ep){ .ip = { [10] = 0xff, [11] = 0xff } };
	memcpy(ep->ip + 12, ip, 4);
}

/* Whose address is it?  0: nobody's. */
static u32 dev_of_addr(const struct inet_sock *is, const struct inet_ep *addr)
{
	u32 index = inet_is_loopback(addr) ? LOOPBACK_INDEX : 0;

	if (!index && load_once(&is->s.net->wired))
		index = route_dev_of(is->s.net, addr->ip);
	return index;
}

/* The interface of that number, or of that address, or where a route to the group leads; 0:
 * there is none. */
static u32 find_dev(const struct inet_sock *is, u32 index,
		    const struct inet_ep *addr, const struct inet_ep *group)
{
	struct route r;

	if (index)
		return sock_dev_exists(&is->s, index) ? index : 0;
	if (addr && !inet_is_any(addr))
		return dev_of_addr(is, addr);
	index = 0;
	if (!route_lookup(is->s.net, group->ip, NULL, 0, &r) && r.dev)
		index = (u32)r.dev->index;
	route_put(&r);
	return index;
}

/* struct ip_mreq, or ip_mreqn: group, address of the interface, its number. */
static int membership4(struct inet_sock *is, bool in, const u8 *val, u32 len)
{
	struct inet_ep group, dev;
	s32 index = 0;

	if (len < 8)
		return -EINVAL;
	set_v4(&group, val);
	set_v4(&dev, val + 4);
	if (len >= 12)
		memcpy(&index, val + 8, 4);
	if (!inet_is_multicast(&group))
		return in ? -EINVAL : -EADDRNOTAVAIL;
	group.scope = find_dev(is, (u32)index, &dev, &group);
	if (!group.scope)
		return -ENODEV;
	return in ? join(is, &group) : leave(is, &group);
}

/* struct ipv6_mreq: group, number of the interface. */
static int membership6(struct inet_sock *is, bool in, const u8 *val, u32 len)
{
	struct inet_ep group = { .port = 0 };
	u32 index;

	if (len < 20)
		return -EINVAL;
	memcpy(group.ip, val, 16);
	memcpy(&index, val + 16, 4);
	if (group.ip[0] != 0xff)
		return -EINVAL;
	group.scope = find_dev(is, index, NULL, &group);
	if (!group.scope)
		return -ENODEV;
	return in ? join(is, &group) : leave(is, &group);
}

/* struct group_req: number of the interface, padding, a sockaddr. */
static int membership(struct inet_sock *is, bool in, const u8 *val, u32 len)
{
	struct inet_ep group = { .port = 0 };
	u32 index;
	u16 family;

	if (len < 136)
		return -EINVAL;
	memcpy(&index, val, 4);
	memcpy(&family, val + 8, 2);
	if (family == AF_INET)
		set_v4(&group, val + 12);
	else if (family == AF_INET6 && is->s.family == AF_INET6)
		memcpy(group.ip, val + 16, 16);
	else
		return -EINVAL;
	if (!inet_is_multicast(&group))
		return -EINVAL;
	group.scope = find_dev(is, index, NULL, &group);
	if (!group.scope)
		return -ENODEV;
	return in ? join(is, &group) : leave(is, &group);
}

u32 inet_mc_dev(const struct inet_sock *is, bool v4)
{
	return load_once(v4 ? &is->mcast_if : &is->mcast_if6);
}

void inet_mc_source(const struct inet_sock *is, struct inet_ep *from)
{
	if (is->mcast_addr[0])
		memcpy(from->ip + 12, is->mcast_addr, 4);
}

/* in_addr, ip_mreq or ip_mreqn. */
static int set_interface(struct inet_sock *is, const u8 *val, u32 len)
{
	struct inet_ep dev;
	s32 index = 0;

	if (len < 4)
		return -EINVAL;
	set_v4(&dev, len >= 8 ? val + 4 : val);
	if (len >= 12)
		memcpy(&index, val + 8, 4);
	if (index && !sock_dev_exists(&is->s, (u32)index))
		return -EADDRNOTAVAIL;
	if (!index && !inet_is_any(&dev)) {
		index = (s32)dev_of_addr(is, &dev);
		if (!index)
			return -EADDRNOTAVAIL;
	}
	is->mcast_if = (u32)index;
	memcpy(is->mcast_addr, dev.ip + 12, 4);
	return 0;
}

/* What a stream can be told, although it hears no group. */
static bool of_streams(bool v4, int opt)
{
	return opt == (v4 ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL);
}

/* Why it cannot be told the other things. */
static int not_of_streams(bool v4, int opt, u32 len)
{
	bool join = v4 ? opt == IP_ADD_MEMBERSHIP || opt == IP_DROP_MEMBERSHIP
		       : opt == IPV6_JOIN_GROUP || opt == IPV6_LEAVE_GROUP;

	if (opt == MCAST_JOIN_GROUP || opt == MCAST_LEAVE_GROUP ||
	    (v4 && opt == IP_MULTICAST_IF))
		return -EINVAL;
	if (!join)
		return -ENOPROTOOPT;
	return v4 || len >= 20 ? -EPROTO : -EINVAL;
}

int inet_mc_setopt(struct inet_sock *is, int level, int opt, const void *val,
		   u32 len)
{
	bool v4 = level == IPPROTO_IP;
	u32 v = 0;

	if (inet_is_stream(is) && !of_streams(v4, opt))
		return not_of_streams(v4, opt, len);
	if (opt == MCAST_JOIN_GROUP || opt == MCAST_LEAVE_GROUP)
		return membership(is, opt == MCAST_JOIN_GROUP, val, len);
	if (v4 && (opt == IP_ADD_MEMBERSHIP || opt == IP_DROP_MEMBERSHIP))
		return membership4(is, opt == IP_ADD_MEMBERSHIP, val, len);
	if (!v4 && (opt == IPV6_JOIN_GROUP || opt == IPV6_LEAVE_GROUP))
		return membership6(is, opt == IPV6_JOIN_GROUP, val, len);
	if (v4 && opt == IP_MULTICAST_IF)
		return set_interface(is, val, len);
	memcpy(&v, val, min(len, 4u));
	if (v4 && opt == IP_MULTICAST_ALL) {
		if (len < 1 || v > 1)
			return -EINVAL;
		is->mc_own_only = !v;
		return 0;
	}
	if (!v4 && opt == IPV6_MULTICAST_IF) {
		if (len < 4)
			return -EINVAL;
		if (v && !sock_dev_exists(&is->s, v))
			return -ENODEV;
		is->mcast_if6 = v;
		return 0;
	}
	if (!v4 && opt == IPV6_MULTICAST_ALL) {
		if (len < 4)
			return -EINVAL;
		is->mc6_own_only = !v;
		return 0;
	}
	return -ENOPROTOOPT;
}

int inet_mc_getopt(const struct inet_sock *is, int level, int opt, u32 *v)
{
	if (level == IPPROTO_IP && opt == IP_MULTICAST_IF)
		memcpy(v, is->mcast_addr, 4);
	else if (level == IPPROTO_IP && opt == IP_MULTICAST_ALL)
		*v = !is->mc_own_only;
	else if (level == IPPROTO_IPV6 && opt == IPV6_MULTICAST_IF)
		*v = is->mcast_if6;
	else if (level == IPPROTO_IPV6 && opt == IPV6_MULTICAST_ALL)
		*v = !is->mc6_own_only;
	else
		return -ENOPROTOOPT;
	return 0;
}
