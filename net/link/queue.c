/* SPDX-License-Identifier: MIT */
/*
 * net/link/queue.c - frames on their way down and up: link_send(), link_transmit(), the queue
 * of an interface that is full, and what the worker does with a frame that came.
 *
 * A device that says "full" calls netdev_tx_ready() later; the worker then sends what waits.
 * While anything waits all that follows waits behind it.
 *
 * Locking: l->tx_lock (RANK_NET) guards the queue; xmit() is called under it only for frames
 * that have waited, so that a device whose xmit() is link_transmit() of another one must
 * never be full.
 */
#include <net/link/dev.h>
#include <net/link/work.h>

#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/packet.h>

#define ETH_802_3_MIN 0x600u /* less: it is a length */

/* --- down */

static bool give(struct net_device *dev, struct netbuf *b)
{
	u32 n = b->len;

	if (!dev->ops->xmit(dev, b))
		return false;
	link_count(&dev->stats.tx_packets, 1);
	link_count(&dev->stats.tx_bytes, n);
	return true;
}

/* What waits, as far as there is room. */
static void drain(struct link *l)
{
	struct netbuf *b;

	spin_lock(&l->tx_lock);
	while ((b = list_first_entry_or_null(&l->txq, struct netbuf, node))) {
		list_del(&b->node);
		list_init(&b->node);
		if (!give(l->dev, b)) {
			list_add(&b->node, &l->txq);
			break;
		}
		store_once(&l->nr_txq, l->nr_txq - 1);
	}
	spin_unlock(&l->tx_lock);
}

static void tx_work(struct net_work *w)
{
	struct link *l = container_of(w, struct link, tx_work);
	struct net_device *dev = l->dev;

	if (link_is_up(dev))
		drain(l);
	netdev_put(dev);
}

void link_queue_init(struct link *l)
{
	spin_init(&l->tx_lock, "link_tx", RANK_NET);
	list_init(&l->txq);
	net_work_init(&l->tx_work, tx_work);
}

void link_queue_flush(struct link *l)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	struct netbuf *b, *next;

	spin_lock(&l->tx_lock);
	list_splice_tail_init(&l->txq, &gone);
	store_once(&l->nr_txq, 0);
	spin_unlock(&l->tx_lock);
	list_for_each_entry_safe(b, next, &gone, node) {
		list_del(&b->node);
		netbuf_free(b);
	}
}

void netdev_tx_ready(struct net_device *dev)
{
	struct link *l = link_of(dev);

	if (l && load_once(&l->nr_txq))
		net_work_queue_of(dev, &l->tx_work, false);
}

/* Behind those that wait.  The device may have become ready before it got there, so it is
 * asked once more. */
static int wait_behind(struct net_device *dev, struct netbuf *b)
{
	struct link *l = link_of(dev);
	bool room;

	netbuf_set_dev(b, NULL); /* not held by its own queue */
	spin_lock(&l->tx_lock);
	room = l->nr_txq < load_once(&dev->tx_queue_len) && link_is_up(dev);
	if (room) {
		list_add_tail(&b->node, &l->txq);
		store_once(&l->nr_txq, l->nr_txq + 1);
	}
	spin_unlock(&l->tx_lock);
	if (room) {
		drain(l);
		return 0;
	}
	link_count(&dev->stats.tx_dropped, 1);
	netbuf_free(b);
	return -ENOBUFS;
}

static int refuse(struct net_device *dev, struct netbuf *b, int err)
{
	link_count(&dev->stats.tx_dropped, 1);
	netbuf_free(b);
	return err;
}

int link_transmit_from(struct net_device *dev, struct netbuf *b,
		       const struct socket *from)
{
	struct link *l = link_of(dev);

	if (unlikely(!link_is_up(dev)))
		return refuse(dev, b, -ENETDOWN);
	b->link = (u16)netbuf_headroom(b);
	if (unlikely(packet_taps(dev->net)))
		packet_tap_out(dev, b, from);
	if (unlikely(b->flags & NETBUF_CSUM_PARTIAL) &&
	    !(dev->features & NETDEV_TX_CSUM) && !netbuf_finish_csum(b))
		return refuse(dev, b, -EINVAL);
	if (unlikely(!load_once(&dev->carrier) && !link_is_lo(dev))) {
		(void)refuse(dev, b, 0);
		return 0; /* as a queue that nobody serves */
	}
	if (likely(!load_once(&l->nr_txq)) && give(dev, b))
		return 0;
	return wait_behind(dev, b);
}

int link_send_from(struct net_device *dev, struct netbuf *b,
		   const u8 to[LINK_ADDR_MAX], const struct socket *from)
{
	u8 *h;

	if (dev->link_header != ETH_HEADER)
		return link_transmit_from(dev, b, from);
	b = netbuf_expand(b, ETH_HEADER);
	if (!b)
		return -ENOBUFS;
	h = netbuf_push(b, ETH_HEADER);
	memcpy(h, to, ETH_ALEN);
	memcpy(h + ETH_ALEN, dev->mac, ETH_ALEN);
	h[12] = (u8)(b->proto >> 8);
	h[13] = (u8)b->proto;
	return link_transmit_from(dev, b, from);
}

struct frame_way {
	struct net_device *dev;
	u8 header[ETH_HEADER];
};

static int send_segment(struct netbuf *f, void *arg)
{
	const struct frame_way *w = arg;

	memcpy(netbuf_push(f, ETH_HEADER), w->header, ETH_HEADER);
	return link_transmit(w->dev, f);
}

int link_forward(struct net_device *dev, struct netbuf *b)
{
	u32 tso = b->flags & NETBUF_GSO_V6 ? NETDEV_TSO6 : NETDEV_TSO4;
	struct frame_way w = { .dev = dev };

	if (likely(!b->gso_size || dev->features & tso))
		return link_transmit(dev, b);
	if (b->len <= ETH_HEADER)
		return refuse(dev, b, -EINVAL);
	memcpy(w.header, b->data, ETH_HEADER);
	b->proto = link_eth_proto(b->data, b->len);
	if (b->proto != ETH_P_IP && b->proto != ETH_P_IPV6)
		return refuse(dev, b, -EINVAL);
	(void)netbuf_pull(b, ETH_HEADER);
	return ip_cut(b, send_segment, &w);
}

/* --- up */

void netdev_rx(struct net_device *dev, struct netbuf *b)
{
	netbuf_set_dev(b, dev);
	if (likely(link_backlog_add(link_of(dev), b)))
		return;
	link_count(&dev->stats.rx_dropped, 1);
	netbuf_free(b);
}

u16 link_eth_proto(const u8 *h, u32 len)
{
	u32 proto = get_be16(h + 12);

	if (proto >= ETH_802_3_MIN)
		return (u16)proto;
	return len >= ETH_HEADER + 2 && h[14] == 0xff && h[15] == 0xff
		       ? ETH_P_802_3
		       : ETH_P_802_2;
}

static u8 type_of(const struct net_device *dev, const u8 *to)
{
	static const u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!(to[0] & 1))
		return memcmp(to, dev->mac, ETH_ALEN) ? PACKET_OTHERHOST
						      : PACKET_HOST;
	return memcmp(to, all, ETH_ALEN) ? PACKET_MULTICAST : PACKET_BROADCAST;
}

/* What the link header says.  False: there is none. */
static bool look_at_header(struct net_device *dev, struct netbuf *b)
{
	b->link = (u16)netbuf_headroom(b);
	if (dev->link_header != ETH_HEADER) {
		b->pkttype = PACKET_HOST;
		b->net = b->link;
		return true;
	}
	if (b->len < ETH_HEADER)
		return false;
	b->proto = link_eth_proto(b->data, b->len);
	b->pkttype = type_of(dev, b->data);
	b->net = (u16)(b->link + ETH_HEADER);
	return true;
}

void link_input(struct net_device *dev, struct netbuf *b)
{
	struct net_ns *net = load_once(&dev->net);

	if (b->dev != dev)
		netbuf_set_dev(b, dev);
	b->net = (u16)netbuf_headroom(b);
	switch (b->proto) {
	case ETH_P_IP:
		ip4_input(net, b);
		break;
	case ETH_P_IPV6:
		ip6_input(net, b);
		break;
	case ETH_P_ARP:
		arp_input(net, b);
		break;
	default:
		netbuf_free(b);
		break;
	}
}

/* What a bridge has looked at, too. */
void link_pass_up(struct net_device *dev, struct netbuf *b)
{
	if (b->pkttype == PACKET_OTHERHOST || !netbuf_pull(b, dev->link_header))
		netbuf_free(b);
	else if (!gro_hold(dev, b))
		link_input(dev, b);
}

void link_arrived(struct netbuf *b)
{
	struct net_device *dev = b->dev;
	struct link *l = link_of(dev);
	void (*taker)(struct net_device * dev, struct netbuf * b);

	if (!link_is_up(dev) || !look_at_header(dev, b)) {
		link_count(&dev->stats.rx_dropped, 1);
		netbuf_free(b);
		return;
	}
	link_count(&dev->stats.rx_packets, 1);
	link_count(&dev->stats.rx_bytes, b->len);
	if (b->pkttype == PACKET_MULTICAST)
		link_count(&dev->stats.multicast, 1);
	taker = load_once(&l->taker);
	if (unlikely(packet_taps(dev->net)))
		packet_tap_in(dev, b, taker);
	if (unlikely(taker))
		taker(dev, b);
	else
		link_pass_up(dev, b);
}
