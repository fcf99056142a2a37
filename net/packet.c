/* SPDX-License-Identifier: MIT */
/*
 * net/packet.c - packet(7) sockets: their life, names and queue; see packet.h.
 */
#include <net/packet_ring.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/link/dev.h>
#include <net/netdev.h>

#define SOL_SOCKET 1

/* struct sockaddr_ll behind its family. */
struct ll_addr {
	u8 proto[2];
	s32 ifindex;
	u16 hatype;
	u8 pkttype, halen, addr[8];
} __packed;

static void put_addr(struct sock_addr *to, u16 proto,
		     const struct packet_link *l, u16 len)
{
	struct ll_addr a = {
		.ifindex = l->ifindex,
		.hatype = l->hatype,
		.pkttype = l->pkttype,
		.halen = l->halen,
	};

	put_be16(a.proto, proto);
	memcpy(a.addr, l->addr, sizeof(a.addr));
	*to = (struct sock_addr){ .family = AF_PACKET, .len = len };
	memcpy(to->name, &a, sizeof(a));
}

static int get_addr(const struct sock_addr *from, struct ll_addr *a)
{
	if (from->len < sizeof(*a))
		return -EINVAL;
	memcpy(a, from->name, sizeof(*a));
	return 0;
}

/* --- names */

static int packet_bind(struct socket *s, struct sock_addr *addr)
{
	struct packet_sock *ps = to_packet(s);
	struct ll_addr a;
	struct net_device *dev = NULL;
	int err = addr->family == AF_PACKET ? get_addr(addr, &a) : -EINVAL;

	if (err)
		return err;
	if (a.ifindex) {
		dev = link_by_index(s->net, a.ifindex);
		if (!dev)
			return -ENODEV;
	}
	spin_lock(&packet_lock);
	if (get_be16(a.proto))
		ps->proto = (u16)get_be16(a.proto);
	ps->ifindex = a.ifindex;
	spin_unlock(&packet_lock);
	if (dev && !link_is_up(dev)) {
		store_once(&s->error, ENETDOWN);
		wake_up_all(&s->rd_wq);
	}
	netdev_put(dev);
	return 0;
}

static int packet_connect(struct socket *s __unused,
			  const struct sock_addr *addr __unused,
			  bool nonblock __unused)
{
	return -EOPNOTSUPP;
}

/* As long as the hardware address in it says. */
static int packet_name(struct socket *s, bool peer, struct sock_addr *out)
{
	struct packet_sock *ps = to_packet(s);
	struct packet_link l = { .ifindex = 0 };
	struct net_device *dev;
	u16 proto;

	if (peer)
		return -EOPNOTSUPP;
	spin_lock(&packet_lock);
	l.ifindex = ps->ifindex;
	proto = ps->proto;
	spin_unlock(&packet_lock);
	dev = l.ifindex > 0 ? link_by_index(s->net, l.ifindex) : NULL;
	if (dev) {
		l.hatype = dev->type;
		l.halen = (u8)link_addr_len(dev);
		memcpy(l.addr, dev->mac, l.halen);
	}
	netdev_put(dev);
	put_addr(out, proto, &l,
		 (u16)(offsetof(struct ll_addr, addr) + l.halen));
	return 0;
}

static int packet_peer_creds(struct socket *s __unused, struct sock_creds *out)
{
	*out = (struct sock_creds){ 0, ~0u, ~0u };
	return 0;
}

/* --- sending */

/* Where to, with a reference to the interface, or an error.  As on Linux the address
 * that is named may be of any family, and has room for as much as it says. */
static int route(struct packet_sock *ps, const struct sock_msg *m,
		 struct ll_addr *a, struct net_device **dev)
{
	int err = 0;

	*a = (struct ll_addr){ .ifindex = 0 };
	if (m->to) {
		err = get_addr(m->to, a);
		if (!err &&
		    m->to->len < offsetof(struct ll_addr, addr) + a->halen)
			err = -EINVAL;
	} else {
		spin_lock(&packet_lock);
		put_be16(a->proto, ps->proto);
		a->ifindex = ps->ifindex;
		spin_unlock(&packet_lock);
	}
	if (err)
		return err;
	*dev = a->ifindex > 0 ? link_by_index(ps->s.net, a->ifindex) : NULL;
	if (!*dev)
		return -ENXIO;
	if (link_is_up(*dev))
		return 0;
	netdev_put(*dev);
	return -ENETDOWN;
}

static s64 send_lo(struct packet_sock *ps, struct sock_msg *m,
		   const struct ll_addr *a)
{
	u32 head = ps->s.type == SOCK_DGRAM ? ETHER_HEADER : 0;
	size_t len = iov_iter_count(m->it);
	u8 *f;

	if (len + head > LOOPBACK_MTU + ETHER_HEADER)
		return -EMSGSIZE;
	if (len + head < ETHER_HEADER)
		return -EINVAL;
	f = kzalloc(head + len);
	if (!f)
		return -ENOBUFS;
	if (copy_from_iter(f + head, len, m->it) < len) {
		kfree(f);
		return -EFAULT;
	}
	if (head)
		memcpy(f + 12, a->proto, 2);
	packet_inject(ps, f, head + (u32)len);
	kfree(f);
	return (s64)len;
}

/* What SOCK_DGRAM sends gets a header, to the address that is named. */
static s64 send_on(struct packet_sock *ps, struct net_device *dev,
		   struct sock_msg *m, const struct ll_addr *a)
{
	bool cooked = ps->s.type == SOCK_DGRAM;
	size_t len = iov_iter_count(m->it);
	struct netbuf *b;
	int err;

	if (len > load_once(&dev->mtu) + (cooked ? 0 : dev->link_header))
		return -EMSGSIZE;
	if (cooked ? a->halen < link_addr_len(dev) : len < dev->link_header)
		return -EINVAL;
	b = netbuf_alloc(NETBUF_HEADROOM, (u32)len);
	if (!b)
		return -ENOBUFS;
	if (copy_from_iter(netbuf_put(b, (u32)len), len, m->it) < len) {
		netbuf_free(b);
		return -EFAULT;
	}
	b->proto = (u16)get_be16(a->proto);
	if (cooked && dev->link_header)
		err = link_send_from(dev, b, a->addr, &ps->s);
	else
		err = link_transmit_from(dev, b, &ps->s);
	return err ? err : (s64)len;
}

static s64 packet_send(struct socket *s, struct sock_msg *m)
{
	struct packet_sock *ps = to_packet(s);
	struct net_device *dev;
	struct ll_addr a;
	s64 r = route(ps, m, &a, &dev);

	if (r)
		return r;
	r = link_is_lo(dev) ? send_lo(ps, m, &a) : send_on(ps, dev, m, &a);
	netdev_put(dev);
	return r;
}

/* --- receiving */

static struct packet_buf *first(struct packet_sock *ps)
{
	struct packet_buf *b;

	spin_lock(&ps->lock);
	b = list_first_entry_or_null(&ps->queue, struct packet_buf, node);
	spin_unlock(&ps->lock);
	return b;
}

static void drop(struct packet_sock *ps, struct packet_buf *b)
{
	spin_lock(&ps->lock);
	list_del(&b->node);
	ps->queued -= sizeof(*b) + b->len;
	spin_unlock(&ps->lock);
	kfree(b);
}

/* PACKET_AUXDATA */
static void describe(const struct packet_buf *b, struct sock_msg *m)
{
	struct sock_cmsg *c = &m->cmsg[m->nr_cmsg++];
	struct tpacket_auxdata a = {
		.status =
			TP_STATUS_USER | (b->open ? TP_STATUS_CSUMNOTREADY : 0),
		.len = b->whole,
		.snaplen = b->len,
		.net = b->head,
	};

	c->level = SOL_PACKET;
	c->type = PACKET_AUXDATA;
	c->len = sizeof(a);
	memcpy(c->data, &a, sizeof(a));
}

static s64 take(struct packet_sock *ps, struct packet_buf *b,
		struct sock_msg *m)
{
	s64 r = socket_put_packet(m, b->data, b->len);

	if (r < 0)
		return r;
	if (m->from)
		put_addr(m->from, b->proto, &b->link, sizeof(struct ll_addr));
	m->stamp_ns = b->stamp_ns;
	store_once(&ps->s.last_stamp, (s64)b->stamp_ns);
	if (load_once(&ps->s.kept) & BIT(SOCK_KEPT_RXQ_OVFL) && b->drops)
		sock_put_cmsg(m, SOL_SOCKET, SO_RXQ_OVFL, &b->drops,
			      sizeof(b->drops));
	if (load_once(&ps->auxdata))
		describe(b, m);
	if (!(m->flags & MSG_PEEK))
		drop(ps, b);
	return r;
}

static s64 packet_recv(struct socket *s, struct sock_msg *m)
{
	struct packet_sock *ps = to_packet(s);
	u64 deadline = socket_deadline(s->rcv_timeout_ns);
	struct packet_buf *b = NULL;
	s64 r = 0;

	if (m->flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_ERRQUEUE |
			 MSG_CMSG_CLOEXEC))
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN; /* nothing is told there */
	mutex_lock(&ps->rd_mutex);
	while (!r) {
		r = socket_take_error(s);
		b = r ? NULL : first(ps);
		if (r || b)
			break;
		r = socket_await_packet(s, &ps->rd_mutex, &ps->queue, m,
					deadline);
	}
	if (b)
		r = take(ps, b, m);
	mutex_unlock(&ps->rd_mutex);
	return r;
}

static u32 packet_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct packet_sock *ps = to_packet(s);
	bool ready;

	poll_wait(pt, f, &s->rd_wq);
	spin_lock(&ps->lock);
	ready = !list_empty(&ps->queue) || (ps->ring && packet_ring_ready(ps));
	spin_unlock(&ps->lock);
	return POLLOUT | POLLWRNORM | POLLWRBAND |
	       (load_once(&s->error) ? POLLERR : 0) |
	       (ready ? POLLIN | POLLRDNORM : 0);
}

static u64 packet_inq(struct socket *s)
{
	struct packet_sock *ps = to_packet(s);
	struct packet_buf *b;
	u64 n;

	spin_lock(&ps->lock);
	b = list_first_entry_or_null(&ps->queue, struct packet_buf, node);
	n = b ? b->len : 0;
	spin_unlock(&ps->lock);
	return n;
}

/* --- life */

static void packet_release(struct socket *s)
{
	struct packet_sock *ps = to_packet(s);
	struct packet_buf *b;

	packet_leave_all(ps);
	packet_remove(ps);
	packet_drop_ring(ps);
	while ((b = first(ps)))
		drop(ps, b);
	socket_fini(s);
	kfree(ps);
}

static struct spinlock *packet_queue_lock(struct socket *s)
{
	return &to_packet(s)->lock;
}

static const struct socket_ops packet_ops = {
	.bind = packet_bind,
	.connect = packet_connect,
	.listen = sock_no_listen,
	.accept = sock_no_accept,
	.send = packet_send,
	.recv = packet_recv,
	.shutdown = sock_no_shutdown,
	.name = packet_name,
	.peer_creds = packet_peer_creds,
	.poll = packet_poll,
	.inq = packet_inq,
	.outq = sock_no_outq,
	.release = packet_release,
	.setopt = packet_setopt,
	.getopt = packet_getopt,
	.queue_lock = packet_queue_lock,
	.ioctl = netdev_ioctl,
	.mmap = packet_mmap,
};

/* @protocol is in the order of the network. */
struct socket *packet_create(int type, int protocol)
{
	struct packet_sock *ps;
	u16 be = (u16)protocol;

	if (!net_capable(current_net_ns(), CAP_NET_RAW))
		return ERR_PTR(-EPERM);
	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	ps = kzalloc(sizeof(*ps));
	if (!ps)
		return ERR_PTR(-ENOMEM);
	socket_init(&ps->s, &packet_ops, AF_PACKET, (u16)type,
		    current_net_ns());
	ps->s.protocol = be;
	ps->proto = (u16)(be >> 8 | be << 8);
	spin_init(&ps->lock, "packet_queue", RANK_PIPE);
	list_init(&ps->queue);
	list_init(&ps->node);
	list_init(&ps->members);
	mutex_init(&ps->rd_mutex);
	packet_add(ps);
	return &ps->s;
}
