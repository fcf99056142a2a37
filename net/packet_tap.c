/* SPDX-License-Identifier: MIT */
/*
 * net/packet_tap.c - frames go to packet sockets; and those of the loopback come from them.
 */
#include <net/packet_ring.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/filter.h>
#include <net/link/dev.h>

struct spinlock packet_lock = SPINLOCK_INIT("packet", RANK_FILE);
static struct list_head all = LIST_HEAD_INIT(all); /* [packet_lock] */
static u32 nr_all;				   /* [a] of them */

void packet_add(struct packet_sock *ps)
{
	atomic_inc(&nr_all);
	atomic_inc(&ps->s.net->taps);
	spin_lock(&packet_lock);
	list_add_tail(&ps->node, &all);
	spin_unlock(&packet_lock);
}

void packet_remove(struct packet_sock *ps)
{
	spin_lock(&packet_lock);
	list_del(&ps->node);
	spin_unlock(&packet_lock);
	atomic_dec(&ps->s.net->taps);
	atomic_dec(&nr_all);
}

void packet_for_each(const struct net_ns *net,
		     void (*fn)(struct packet_sock *ps, void *arg), void *arg)
{
	struct packet_sock *ps;

	spin_lock(&packet_lock);
	list_for_each_entry(ps, &all, node) {
		if (ps->s.net == net)
			fn(ps, arg);
	}
	spin_unlock(&packet_lock);
}

/* --- hearing */

struct frame {
	const u8 *p;
	u32 n;
	u32 head; /* bytes of its link header */
	u16 proto;
	bool open; /* as struct packet_buf's */
	struct packet_link link;
};

#define LOOPBACK_LINK                                                 \
	{                                                             \
		.ifindex = LOOPBACK_INDEX, .hatype = ARPHRD_LOOPBACK, \
		.halen = ETH_ALEN                                     \
	}

static u32 start_of(const struct packet_sock *ps, const struct frame *f)
{
	return ps->s.type == SOCK_DGRAM ? f->head : 0;
}

/* How much of the frame the socket wants, from where it begins for it; lock held. */
static u32 wanted(const struct packet_sock *ps, const struct frame *f)
{
	u32 start = start_of(ps, f), keep;
	struct cbpf_packet p = {
		.part[2] = { f->p, f->n },
		.start = start,
		.net = f->head,
		.protocol = f->proto,
		.pkttype = f->link.pkttype,
		.ifindex = (u32)f->link.ifindex,
		.hatype = f->link.hatype,
	};

	if (likely(!ps->s.filter))
		return f->n - start;
	return sock_filter_run(&ps->s, &p, &keep) ? keep : 0;
}

/* What is to be known of the frame, of which @n bytes are kept. */
static struct packet_buf head_of(const struct packet_sock *ps,
				 const struct frame *f, u32 n)
{
	u32 start = start_of(ps, f);

	return (struct packet_buf){
		.len = n,
		.whole = f->n - start,
		.proto = f->proto,
		.head = (u8)(f->head - start),
		.open = f->open,
		.link = f->link,
		.drops = ps->s.drops,
		.stamp_ns = socket_stamp(&ps->s),
	};
}

/* Into the queue, or the ring; lock held.  @b is used in the first case. */
static bool take(struct packet_sock *ps, const struct frame *f, u32 n,
		 struct packet_buf *b)
{
	u32 start = start_of(ps, f);
	struct packet_buf head = head_of(ps, f, n);

	if (ps->ring)
		return packet_ring_put(ps, &head, f->p + start, head.head);
	if (!b || (ps->queued &&
		   ps->queued + sizeof(*b) + n > load_once(&ps->s.rcvbuf)))
		return false;
	*b = head;
	list_init(&b->node);
	memcpy(b->data, f->p + start, n);
	list_add_tail(&b->node, &ps->queue);
	ps->queued += sizeof(*b) + n;
	return true;
}

static void queue(struct packet_sock *ps, const struct frame *f)
{
	struct packet_buf *b = NULL;
	bool ok = false, used;
	u32 n;

	if (!load_once(&ps->ring))
		b = kmalloc(sizeof(*b) + f->n);
	spin_lock(&ps->lock);
	n = wanted(ps, f);
	used = n && !ps->ring;
	if (n) {
		ok = take(ps, f, n, b);
		ps->heard++;
		ps->lost += !ok;
		store_once(&ps->s.drops, ps->s.drops + !ok);
	}
	spin_unlock(&ps->lock);
	if (ok)
		wake_up_all_key(&ps->s.rd_wq, POLLIN | POLLRDNORM);
	if (!ok || !used)
		kfree(b);
}

static bool wants(const struct packet_sock *ps, const struct net_ns *net,
		  const struct frame *f)
{
	bool out = f->link.pkttype == PACKET_OUTGOING;

	if (ps->s.net != net || !ps->proto)
		return false;
	if (ps->ifindex && ps->ifindex != f->link.ifindex)
		return false;
	if (out && load_once(&ps->ignore_outgoing))
		return false;
	return ps->proto == ETH_P_ALL || (!out && ps->proto == f->proto);
}

/* Not by @but, which sent it; @all: by those only that want all protocols. */
static void hear(const struct net_ns *net, const struct frame *f,
		 const struct socket *but, bool all_protos)
{
	struct packet_sock *ps;

	spin_lock(&packet_lock);
	list_for_each_entry(ps, &all, node) {
		if (&ps->s != but && wants(ps, net, f) &&
		    (!all_protos || ps->proto == ETH_P_ALL))
			queue(ps, f);
	}
	spin_unlock(&packet_lock);
}

/* As it leaves the loopback, and as it arrives there. */
static void hear_twice(const struct net_ns *net, struct frame *f,
		       const struct socket *but)
{
	f->link.pkttype = PACKET_OUTGOING;
	hear(net, f, but, false);
	f->link.pkttype = PACKET_HOST;
	hear(net, f, NULL, false);
}

static struct frame frame_of(const struct net_device *dev,
			     const struct netbuf *b)
{
	struct frame f = {
		.p = b->data,
		.n = b->len,
		.head = dev->link_header,
		.proto = b->proto,
		.open = b->flags & NETBUF_CSUM_PARTIAL,
		.link = { .ifindex = dev->index,
			  .hatype = dev->type,
			  .pkttype = b->pkttype },
	};

	if (f.head == ETH_HEADER && f.n >= ETH_HEADER) {
		f.proto = link_eth_proto(f.p, f.n);
		f.link.halen = ETH_ALEN;
		memcpy(f.link.addr, f.p + ETH_ALEN, ETH_ALEN);
	}
	return f;
}

void packet_tap_out(struct net_device *dev, const struct netbuf *b,
		    const struct socket *but)
{
	struct frame f = frame_of(dev, b);

	if (b->len < f.head || !load_once(&nr_all))
		return;
	f.link.pkttype = PACKET_OUTGOING;
	hear(load_once(&dev->net), &f, but, false);
}

void packet_tap_in(struct net_device *dev, const struct netbuf *b,
		   bool all_only)
{
	struct frame f = frame_of(dev, b);

	if (load_once(&nr_all))
		hear(load_once(&dev->net), &f, NULL, all_only);
}

void packet_hear(struct net_ns *net, u8 proto, const struct inet_buf *b)
{
	struct frame f;
	u8 *p;
	u32 n;

	if (!load_once(&nr_all))
		return;
	p = kmalloc(PACKET_HEADERS + b->len);
	if (!p)
		return;
	n = ip_packet_headers(true, proto, b, p);
	memcpy(p + n, b->data, b->len);
	f = (struct frame){
		.p = p,
		.n = n + b->len,
		.head = ETHER_HEADER,
		.proto = (u16)get_be16(p + 12),
		.link = LOOPBACK_LINK,
	};
	hear_twice(net, &f, NULL);
	kfree(p);
}

/* --- sending */

/* What is in the @n bytes at @p, with its addresses, or NULL: nobody takes it. */
static struct inet_buf *parse6(const u8 *p, u32 n, u8 *proto)
{
	u32 len = n >= IP6_HEADER ? get_be16(p + 4) : 0;
	struct inet_buf *b;

	if (n < IP6_HEADER || p[0] >> 4 != 6 || len > n - IP6_HEADER)
		return NULL;
	b = ip_alloc(len);
	if (!b)
		return NULL;
	memcpy(b->from.ip, p + 8, 16);
	memcpy(b->to.ip, p + 24, 16);
	b->class = (u8)(p[0] << 4 | p[1] >> 4);
	b->hops = p[7];
	*proto = p[6];
	memcpy(b->data, p + IP6_HEADER, b->len);
	return b;
}

static bool is_sound(u8 proto, const struct inet_buf *b)
{
	if (proto == IPPROTO_UDP &&
	    (b->len < UDP_HEADER || !get_be16(b->data + 6)))
		return false;
	return (proto != IPPROTO_UDP && proto != IPPROTO_ICMPV6) ||
	       !ip_checksum(proto, b);
}

/*
 * IPv4 of the loopback is taken from the kernel only, as on Linux: from anybody else its
 * addresses are martians.
 */
static void arrive(struct net_ns *net, const struct frame *f)
{
	struct inet_buf *b = NULL;
	u8 proto = 0;

	if (f->proto == ETH_P_IPV6)
		b = parse6(f->p + ETHER_HEADER, f->n - ETHER_HEADER, &proto);
	if (b && inet_is_loopback(&b->to) && inet_is_loopback(&b->from) &&
	    is_sound(proto, b))
		ip_receive(net, proto, b);
	else
		kfree(b);
}

void packet_inject(struct packet_sock *from, const u8 *frame, u32 n)
{
	struct net_ns *net = from->s.net;
	struct frame f = {
		.p = frame,
		.n = n,
		.head = ETHER_HEADER,
		.proto = link_eth_proto(frame, n),
		.link = LOOPBACK_LINK,
	};

	hear_twice(net, &f, &from->s);
	arrive(net, &f);
}

/* --- interfaces go */

struct going {
	struct net_device *dev;
	bool for_ever;
	struct list_head members;
};

static void lose(struct packet_sock *ps, void *arg)
{
	struct going *g = arg;

	if (g->for_ever)
		packet_members_of(ps, g->dev, &g->members);
	if (ps->ifindex != g->dev->index)
		return;
	if (g->for_ever)
		ps->ifindex = -1;
	store_once(&ps->s.error, ENETDOWN);
	wake_up_all(&ps->s.rd_wq);
}

void packet_link_down(struct net_device *dev)
{
	struct going g = { .dev = dev };

	packet_for_each(dev->net, lose, &g);
}

void packet_link_gone(struct net_device *dev)
{
	struct going g = { .dev = dev, .for_ever = true };

	list_init(&g.members);
	packet_for_each(dev->net, lose, &g);
	packet_members_drop(&g.members);
}
