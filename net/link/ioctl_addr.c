/* SPDX-License-Identifier: MIT */
/*
 * net/link/ioctl_addr.c - ioctls about IPv4 addresses of interfaces, and routes; see ioctl.h.
 *
 * An address is named by its label: "eth0", "eth0:1".
 */
#include <net/link/ioctl.h>

#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/route/route_int.h>

struct ifconf {
	s32 len;
	u32 pad;
	uaddr_t buf;
};

bool link_ioctl_is_addr(unsigned int cmd)
{
	return cmd >= SIOCGIFADDR && cmd <= SIOCSIFNETMASK;
}

/* --- looking */

struct find {
	const struct net_device *dev;
	const char *label;
	struct if_addr a; /* a copy */
	bool found;
};

static void look(const struct if_addr *a, void *arg)
{
	struct find *f = arg;

	if (f->found || a->dev != f->dev || a->family != AF_INET ||
	    strcmp(a->label, f->label) != 0)
		return;
	f->a = *a;
	f->found = true;
}

static void put(struct ifreq *r, const u8 *ip)
{
	memset(r->raw, 0, sizeof(r->raw));
	r->addr.family = AF_INET;
	memcpy(r->addr.ip, ip, 4);
}

static void mask_of(u32 prefix, u8 mask[4])
{
	u32 m = prefix ? ~0u << (32 - prefix) : 0;

	mask[0] = (u8)(m >> 24);
	mask[1] = (u8)(m >> 16);
	mask[2] = (u8)(m >> 8);
	mask[3] = (u8)m;
}

static int answer(const struct if_addr *a, unsigned int cmd, struct ifreq *r)
{
	u8 mask[4];

	switch (cmd) {
	case SIOCGIFADDR:
		put(r, a->ip + 12);
		return 0;
	case SIOCGIFDSTADDR:
		put(r, (ip_is_any(a->peer) ? a->ip : a->peer) + 12);
		return 0;
	case SIOCGIFBRDADDR:
		put(r, a->broadcast + 12);
		return 0;
	default:
		mask_of(a->prefix, mask);
		put(r, mask);
		return 0;
	}
}

/* --- setting */

static u32 word_of(const u8 *ip)
{
	return (u32)ip[0] << 24 | (u32)ip[1] << 16 | (u32)ip[2] << 8 | ip[3];
}

/* The bits of a class's network; -1: it is none's. */
static int class_prefix(const u8 *ip)
{
	if (!word_of(ip))
		return 0;
	if (ip[0] < 128)
		return 8;
	if (ip[0] < 192)
		return 16;
	return ip[0] < 224 ? 24 : -1;
}

static void set_broadcast(struct if_addr *a)
{
	u8 mask[4], b[4];

	memset(a->broadcast, 0, 16);
	if (!(a->dev->flags & IFF_BROADCAST) || a->prefix >= 31)
		return;
	mask_of(a->prefix, mask);
	for (u32 i = 0; i < 4; i++)
		b[i] = (u8)(a->ip[12 + i] | ~mask[i]);
	ip_set_v4(a->broadcast, b);
}

/* @f's address becomes @a: the old one goes first. */
static int replace(struct find *f, const struct if_addr *a)
{
	int err = 0;

	if (f->found)
		err = if_addr_del(f->a.dev, AF_INET, f->a.ip, f->a.prefix);
	if (!err && word_of(a->ip + 12))
		err = if_addr_add(a);
	if (err && f->found)
		(void)if_addr_add(&f->a);
	return err;
}

static int set_addr(struct net_device *dev, struct find *f,
		    const struct ifreq *r)
{
	int prefix = class_prefix(r->addr.ip);
	struct if_addr a = {
		.dev = dev,
		.family = AF_INET,
		.scope = link_is_lo(dev) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
		.valid_until = ~0ull,
		.preferred_until = ~0ull,
	};

	if (prefix < 0)
		return -EINVAL;
	if (f->found && !memcmp(f->a.ip + 12, r->addr.ip, 4))
		return 0;
	(void)strscpy(a.label, f->label, sizeof(a.label));
	ip_set_v4(a.ip, r->addr.ip);
	memcpy(a.peer, a.ip, 16);
	a.prefix = dev->flags & IFF_POINTOPOINT ? 32 : (u8)prefix;
	set_broadcast(&a);
	return replace(f, &a);
}

static int set_mask(struct find *f, const struct ifreq *r)
{
	u32 m = word_of(r->addr.ip), prefix = 0;
	struct if_addr a = f->a;
	bool usual;

	if (~m & (~m + 1))
		return -EINVAL;
	for (; m; m <<= 1)
		prefix++;
	if (prefix == a.prefix)
		return 0;
	set_broadcast(&a);
	usual = ip_same(a.broadcast, f->a.broadcast);
	memcpy(a.broadcast, f->a.broadcast, 16);
	a.prefix = (u8)prefix;
	if (usual)
		set_broadcast(&a);
	return replace(f, &a);
}

static int set(struct net_device *dev, unsigned int cmd, struct find *f,
	       const struct ifreq *r)
{
	struct if_addr a;

	if (r->addr.family != AF_INET)
		return -EINVAL;
	if (cmd == SIOCSIFADDR)
		return set_addr(dev, f, r);
	if (!f->found)
		return -EADDRNOTAVAIL;
	if (cmd == SIOCSIFNETMASK)
		return set_mask(f, r);
	a = f->a;
	if (cmd == SIOCSIFBRDADDR)
		ip_set_v4(a.broadcast, r->addr.ip);
	else if (class_prefix(r->addr.ip) < 0)
		return -EINVAL;
	else
		ip_set_v4(a.peer, r->addr.ip);
	return replace(f, &a);
}

int link_ioctl_addr(struct net_device *dev, unsigned int cmd, struct ifreq *r)
{
	struct find f = { .dev = dev, .label = r->name };

	if_addr_for_each(dev->net, look, &f);
	if (cmd == SIOCSIFADDR || cmd == SIOCSIFDSTADDR ||
	    cmd == SIOCSIFBRDADDR || cmd == SIOCSIFNETMASK)
		return set(dev, cmd, &f, r);
	return f.found ? answer(&f.a, cmd, r) : -EADDRNOTAVAIL;
}

/* --- SIOCGIFCONF */

struct conf {
	const struct net_device *dev;
	uaddr_t to; /* 0: count */
	u32 room, used;
	int err;
};

static void list_one(const struct if_addr *a, void *arg)
{
	struct conf *c = arg;
	struct ifreq r = { .name = "" };

	if (c->err || a->dev != c->dev || a->family != AF_INET)
		return;
	if (c->to && c->room - c->used < sizeof(r))
		return;
	memcpy(r.name, a->label, sizeof(r.name));
	put(&r, a->ip + 12);
	if (c->to && copy_to_user(c->to + c->used, &r, sizeof(r)))
		c->err = -EFAULT;
	else
		c->used += (u32)sizeof(r);
}

static void list_link(struct net_device *dev, void *arg)
{
	struct conf *c = arg;

	c->dev = dev;
	if_addr_for_each(dev->net, list_one, c);
}

s64 link_ioctl_conf(struct net_ns *net, u64 arg)
{
	struct ifconf c;
	struct conf all;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.buf && c.len < 0)
		return -EINVAL;
	all = (struct conf){ .to = c.buf, .room = (u32)c.len };
	mutex_lock(&rtnl_mutex);
	link_for_each(net, list_link, &all);
	mutex_unlock(&rtnl_mutex);
	if (all.err)
		return all.err;
	c.len = (s32)all.used;
	return copy_to_user(arg, &c, sizeof(c));
}

/* --- SIOCADDRT, SIOCDELRT */

struct rt_sockaddr {
	u16 family;
	u8 port[2], ip[4], zero[8];
};
struct rtentry {
	u64 pad1;
	struct rt_sockaddr dst, gateway, mask;
	u16 flags, pad2;
	u64 pad3, pad4;
	s16 metric;
	uaddr_t dev;
	u64 mtu, window;
	u16 irtt;
};
STATIC_ASSERT(sizeof(struct rtentry) == 120, "Linux's struct rtentry");
#define RTF_UP	    0x1u
#define RTF_GATEWAY 0x2u
#define RTF_HOST    0x4u
#define RTF_MTU	    0x40u
#define RTF_REJECT  0x200u

static int get_prefix(const struct rtentry *e, struct fib_route *r)
{
	u32 m = word_of(e->mask.ip), n = 0;

	r->dst_len = 32;
	if (e->flags & RTF_HOST)
		return 0;
	if (e->mask.family != AF_INET && (m || e->mask.family))
		return -EAFNOSUPPORT;
	if (~m & (~m + 1) || word_of(e->dst.ip) & ~m)
		return -EINVAL;
	for (; m; m <<= 1)
		n++;
	r->dst_len = (u8)n;
	return 0;
}

static int get_dev(struct net_ns *net, const struct rtentry *e,
		   struct fib_route *r)
{
	char name[NETDEV_NAME];
	s64 n;

	if (!e->dev)
		return 0;
	n = strncpy_from_user(name, e->dev, sizeof(name));
	if (n < 0)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0';
	r->dev = link_by_name(net, name);
	netdev_put(r->dev); /* rtnl_mutex keeps it */
	return r->dev ? 0 : -ENODEV;
}

static int route_of(struct net_ns *net, const struct rtentry *e,
		    struct fib_route *r)
{
	int err;

	*r = (struct fib_route){
		.family = AF_INET,
		.type = e->flags & RTF_REJECT ? ROUTE_UNREACHABLE
					      : ROUTE_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_BOOT,
		.metric = e->metric > 0 ? (u32)e->metric - 1 : 0,
	};
	if (e->dst.family != AF_INET)
		return -EAFNOSUPPORT;
	ip_set_v4(r->dst, e->dst.ip);
	ip_set_v4(r->prefsrc, (const u8[4]){ 0 });
	ip_set_v4(r->via, e->gateway.ip);
	r->has_via = e->gateway.family == AF_INET && word_of(e->gateway.ip);
	if (e->flags & RTF_GATEWAY && !r->has_via)
		return -EINVAL;
	r->scope = r->has_via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (e->flags & RTF_MTU)
		r->mtu = (u32)e->mtu;
	err = get_prefix(e, r);
	return err ? err : get_dev(net, e, r);
}

s64 link_ioctl_route(struct net_ns *net, unsigned int cmd, u64 arg)
{
	struct fib_route r;
	struct rtentry e;
	int err;

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&e, arg, sizeof(e)))
		return -EFAULT;
	mutex_lock(&rtnl_mutex);
	err = route_of(net, &e, &r);
	if (!err && cmd == SIOCADDRT)
		err = fib_add(net, &r, NLM_F_CREATE | NLM_F_EXCL);
	if (cmd == SIOCDELRT) { /* any that looks like it */
		r.scope = RT_SCOPE_NOWHERE;
		r.type = r.protocol = 0;
		err = err ? err : fib_del(net, &r);
	}
	mutex_unlock(&rtnl_mutex);
	return err;
}
