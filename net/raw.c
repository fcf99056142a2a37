/* SPDX-License-Identifier: MIT */
/*
 * net/raw.c - raw(7) sockets: packets of one protocol, of IPv4 with their header.
 *
 * A raw socket is a datagram socket without a port; what it hears is a copy.  Its queue
 * and how it is read are udp.c's.
 *
 * Locking: inet_lock guards the list.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>
#include <net/route/wire.h>

static struct list_head socks = LIST_HEAD_INIT(socks); /* [inet_lock] */

#define SOL_RAW	      255
#define ICMP_FILTER   1
#define ICMPV6_FILTER 1
#define IP_HDRINCL    3
#define IPV6_CHECKSUM 7
#define IP6_SIZE_MAX  65535u
#define NO_CHECKSUM   (-1)

/* --- hearing */

/* Is its type one that the socket does not want? */
static bool filtered(const struct inet_sock *is, const struct inet_buf *b)
{
	u8 type = b->len ? b->data[0] : 0;

	if (!is->icmp_filter || !b->len)
		return false;
	if (is->proto == IPPROTO_ICMP && is->s.family == AF_INET)
		return type < 32 && (is->icmp_filter[0] >> type & 1);
	return is->icmp_filter[type / 32] >> (type % 32) & 1;
}

static bool wants(const struct inet_sock *is, const struct net_ns *net,
		  u8 proto, const struct inet_buf *b)
{
	if (is->s.net != net || is->proto != proto ||
	    (is->s.family == AF_INET) != inet_is_v4(&b->to))
		return false;
	if (!inet_is_any(&is->local) && !inet_same_ip(&is->local, &b->to))
		return false;
	if (unlikely(is->s.bound_dev) &&
	    is->s.bound_dev != (b->to.scope ?: LOOPBACK_INDEX))
		return false;
	return is->state != INET_CONNECTED ||
	       inet_same_ip(&is->remote, &b->from);
}

struct packet {
	const struct net_ns *net;
	const struct inet_buf *b;
	u8 proto;
	bool heard;
};

/* inet_lock held */
static void find(struct inet_hearers *h, void *arg)
{
	struct packet *p = arg;
	struct inet_sock *is;

	list_for_each_entry(is, &socks, backlog_node) {
		if (!wants(is, p->net, p->proto, p->b))
			continue;
		p->heard = true;
		if (!filtered(is, p->b))
			inet_hears(h, is);
	}
}

static struct inet_buf *copy_for(const struct inet_sock *is, const void *arg)
{
	const struct packet *p = arg;
	const struct inet_buf *b = p->b;
	u8 proto = p->proto, h[IP6_HEADER];
	u32 head = is->s.family == AF_INET ? ip_header(proto, b, h, b->len) : 0;
	struct inet_buf *c = ip_alloc(head + b->len);

	if (!c)
		return NULL;
	c->from = b->from;
	c->to = b->to;
	c->hops = b->hops;
	c->class = b->class;
	memcpy(c->data, h, head);
	memcpy(c->data + head, b->data, b->len);
	return c;
}

bool raw_hear(struct net_ns *net, u8 proto, const struct inet_buf *b)
{
	struct packet p = { .net = net, .b = b, .proto = proto };
	struct inet_hearers h;

	if (ip_tapped(net) && inet_gather(&h, find, &p))
		inet_give_all(&h, copy_for, &p);
	return p.heard;
}

void raw_each_locked(const struct net_ns *net,
		     void (*fn)(struct inet_sock *is, void *arg), void *arg)
{
	struct inet_sock *is;

	list_for_each_entry(is, &socks, backlog_node) {
		if (is->s.net == net)
			fn(is, arg);
	}
}

void raw_for_each(const struct net_ns *net,
		  void (*fn)(struct inet_sock *is, void *arg), void *arg)
{
	struct inet_sock *is;

	spin_lock(&inet_lock);
	list_for_each_entry(is, &socks, backlog_node) {
		if (is->s.net == net)
			fn(is, arg);
	}
	spin_unlock(&inet_lock);
}

/* --- sending */

static struct inet_buf *read_packet(struct sock_msg *m)
{
	size_t len = iov_iter_count(m->it);
	struct inet_buf *b;

	if (len > IP6_SIZE_MAX)
		return ERR_PTR(-EMSGSIZE);
	b = ip_alloc((u32)len);
	if (!b)
		return ERR_PTR(-ENOBUFS);
	if (copy_from_iter(b->data, len, m->it) == len)
		return b;
	kfree(b);
	return ERR_PTR(-EFAULT);
}

/* The program's own header: its fields go where ours are.  The protocol, or -EINVAL. */
static int take_header(struct inet_buf *b)
{
	const u8 *h = b->data;
	u32 head = b->len >= IP4_HEADER ? (h[0] & 15u) * 4 : 0;
	static const u8 any[4];
	u8 proto;

	if (head < IP4_HEADER || head > b->len)
		return -EINVAL;
	b->class = h[1];
	b->hops = h[8];
	proto = h[9];
	if (memcmp(h + 12, any, 4))
		memcpy(b->from.ip + 12, h + 12, 4);
	memcpy(b->to.ip + 12, h + 16, 4);
	b->len -= head;
	memmove(b->data, b->data + head, b->len);
	return proto;
}

/* Where the protocol has its checksum: we put it there. */
static int put_checksum(const struct inet_sock *is, struct inet_buf *b)
{
	int at = is->cksum_at;

	if (is->s.family != AF_INET6 || at == NO_CHECKSUM)
		return 0;
	if ((u32)at + 2 > b->len)
		return -EINVAL;
	b->data[at] = b->data[at + 1] = 0;
	put_be16(b->data + at, ip_checksum(is->proto, b));
	return 0;
}

static int address(struct inet_sock *is, const struct sock_msg *m,
		   struct inet_buf *b)
{
	int err = inet_route(is, m, &b->to, &b->from);

	b->to.port = b->from.port = 0;
	if (!err)
		inet_mark(is, m, b);
	return err;
}

static s64 raw_send(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = to_inet(s);
	s64 len = (s64)iov_iter_count(m->it);
	int err = socket_take_error(s), proto = is->proto;
	struct inet_buf *b;

	if (err)
		return err;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	b = read_packet(m);
	if (IS_ERR(b))
		return PTR_ERR(b);
	err = address(is, m, b);
	if (!err && is->hdrincl && b->to.scope) {
		err = raw_wire_send(is, b);
		return err ? err : len;
	}
	if (!err && is->hdrincl)
		err = proto = take_header(b);
	else if (!err)
		err = put_checksum(is, b);
	if (err < 0) {
		kfree(b);
		return err;
	}
	inet_stamp_sent(is, m, b);
	err = ip_transmit(s->net, is, (u8)proto, b);
	return err ? err : len;
}

/* --- life */

static int raw_bind(struct socket *s, struct sock_addr *addr)
{
	struct inet_sock *is = to_inet(s);
	struct inet_ep ep;
	u32 dev = 0;
	int err = inet_addr_own(is, addr, &ep);

	if (err)
		return err;
	err = inet_check_bind(is, &ep, &dev);
	if (err)
		return err;
	if (dev)
		store_once(&s->bound_dev, dev);
	spin_lock(&inet_lock);
	memcpy(is->local.ip, ep.ip, sizeof(ep.ip));
	is->ip_fixed = !inet_is_any(&ep);
	spin_unlock(&inet_lock);
	return 0;
}

static int raw_connect(struct socket *s, const struct sock_addr *addr,
		       bool nonblock __unused)
{
	struct inet_sock *is = to_inet(s);
	struct inet_ep ep = { .port = 0 }, way;
	int err = 0;

	if (addr->family != AF_UNSPEC)
		err = inet_target(is, addr, &ep);
	way = ep;
	if (!err && addr->family != AF_UNSPEC)
		err = inet_reach(is, NULL, &way, NULL);
	if (err)
		return err;
	if (addr->family != AF_UNSPEC)
		inet_bind_scope(is, &ep);
	spin_lock(&inet_lock);
	if (addr->family == AF_UNSPEC) {
		is->state = INET_IDLE;
		if (!is->ip_fixed)
			inet_set_any(is);
	} else {
		is->state = INET_CONNECTED;
		is->remote = ep;
		if (!is->ip_fixed)
			inet_source(is, &ep, &is->local);
	}
	spin_unlock(&inet_lock);
	return 0;
}

void raw_release(struct inet_sock *is)
{
	spin_lock(&inet_lock);
	list_del(&is->backlog_node);
	spin_unlock(&inet_lock);
	atomic_dec(&is->s.net->taps);
	kfree(is->icmp_filter);
	is->icmp_filter = NULL;
}

const struct socket_ops raw_ops = {
	.bind = raw_bind,
	.connect = raw_connect,
	.listen = sock_no_listen,
	.accept = sock_no_accept,
	.send = raw_send,
	.recv = udp_recv,
	.shutdown = udp_shutdown,
	.name = inet_name,
	.peer_creds = inet_peer_creds,
	.poll = inet_poll,
	.inq = inet_inq,
	.outq = sock_no_outq,
	.release = inet_release,
	.queue_lock = inet_queue_lock,
	.setopt = inet_setopt,
	.getopt = inet_getopt,
	.ioctl = netdev_ioctl,
};

struct socket *raw_create(u16 family, u8 proto)
{
	struct inet_sock *is;

	is = inet_alloc(current_net_ns(), family, SOCK_RAW, proto);
	if (!is)
		return ERR_PTR(-ENOMEM);
	is->local.port = proto; /* so it is shown */
	is->s.reuseaddr = true; /* as on Linux */
	is->cksum_at = NO_CHECKSUM;
	if (family == AF_INET6 && proto == IPPROTO_ICMPV6)
		is->cksum_at = 2;
	is->hdrincl = proto == IPPROTO_RAW;
	atomic_inc(&is->s.net->taps);
	spin_lock(&inet_lock);
	list_add_tail(&is->backlog_node, &socks);
	spin_unlock(&inet_lock);
	return &is->s;
}

/* --- options */

static int set_filter(struct inet_sock *is, const void *val, u32 len, u32 size)
{
	u32 *f = kzalloc(32), *was;

	if (!f)
		return -ENOMEM;
	memcpy(f, val, min(len, size));
	spin_lock(&inet_lock);
	was = is->icmp_filter;
	is->icmp_filter = f;
	spin_unlock(&inet_lock);
	kfree(was);
	return 0;
}

int raw_setopt(struct inet_sock *is, int level, int opt, const void *val,
	       u32 len)
{
	bool six = is->s.family == AF_INET6;
	s32 v = 0;

	if (!six && level == SOL_RAW && opt == ICMP_FILTER)
		return is->proto == IPPROTO_ICMP ? set_filter(is, val, len, 4)
						 : -EOPNOTSUPP;
	if (six && level == IPPROTO_ICMPV6 && opt == ICMPV6_FILTER)
		return is->proto == IPPROTO_ICMPV6
			       ? set_filter(is, val, len, 32)
			       : -EOPNOTSUPP;
	memcpy(&v, val, min_t(u32, len, sizeof(v)));
	if (!six && level == IPPROTO_IP && opt == IP_HDRINCL) {
		is->hdrincl = v != 0;
		return 0;
	}
	if (!six || opt != IPV6_CHECKSUM ||
	    (level != SOL_RAW && level != IPPROTO_IPV6))
		return -ENOPROTOOPT;
	if (len < sizeof(v) || is->proto == IPPROTO_ICMPV6 || (v > 0 && v & 1))
		return -EINVAL;
	is->cksum_at = v < 0 ? NO_CHECKSUM : v;
	return 0;
}

int raw_getopt(struct inet_sock *is, int level, int opt, void *val, u32 len)
{
	bool six = is->s.family == AF_INET6;
	u32 size = six ? 32 : 4, v;

	if ((!six && level == SOL_RAW && opt == ICMP_FILTER) ||
	    (six && level == IPPROTO_ICMPV6 && opt == ICMPV6_FILTER)) {
		if (is->proto != (six ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
			return -EOPNOTSUPP;
		len = min(len, size);
		memset(val, 0, len);
		spin_lock(&inet_lock);
		if (is->icmp_filter)
			memcpy(val, is->icmp_filter, len);
		spin_unlock(&inet_lock);
		return (int)len;
	}
	if (!six && level == IPPROTO_IP && opt == IP_HDRINCL)
		v = is->hdrincl;
	else if (six && opt == IPV6_CHECKSUM &&
		 (level == SOL_RAW || level == IPPROTO_IPV6))
		v = (u32)is->cksum_at;
	else
		return -ENOPROTOOPT;
	len = min(len, (u32)sizeof(v));
	memcpy(val, &v, len);
	return (int)len;
}
