/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net_tx.c - frames that a virtio network device sends.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.1.6.2.  The device's header is put in
 * front of the frame; a frame without room for it costs a second descriptor.
 *
 * What was sent is freed by the next xmit(), so the device is asked for interrupts
 * only when the ring is full, and then for one when a quarter of it was sent.
 *
 * Frames are in the ring at once, where a device that is just at work finds them; one that
 * wants to be notified may have to wait for the end of a batch (vnet_kick()).
 *
 * Locking: vnet_tx->lock for the ring; netdev_tx_ready() is called without it.
 */
#include <drivers/virtio/virtio_net_core.h>

#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define TX_WATCH_NS (500 * NSEC_PER_MSEC)

/* ---- what was sent */

static u32 reap(struct vnet_tx *tx)
{
	struct netbuf *b;
	u32 len, nr = 0;

	assert_held(&tx->lock);
	while ((b = vring_take(&tx->vq->ring, &len))) {
		netbuf_free(b);
		nr++;
	}
	if (nr)
		tx->progress_ns = clock_mono_ns();
	return nr;
}

static bool has_room(const struct vnet_tx *tx)
{
	u32 want = max_t(u32, VNET_TX_SEGS, tx->vq->ring.size / 4);

	return tx->vq->ring.nr_free >= want;
}

/* Enough was sent for somebody who waits to go on? */
static bool poll_locked(struct vnet_tx *tx, u32 *nr)
{
	struct vring *ring = &tx->vq->ring;

	do {
		*nr += reap(tx);
		if (!tx->full || has_room(tx) || ring->broken)
			break;
	} while (!vring_arm_after(ring, (u16)(ring->size / 4)));
	if (!tx->full || !has_room(tx))
		return false;
	tx->full = false;
	vring_disarm(ring);
	return true;
}

static bool poll_tx(struct vnet *vn)
{
	struct vnet_tx *tx = &vn->tx;
	const char *why = NULL;
	bool ready = false;
	u32 nr = 0;

	spin_lock(&tx->lock);
	if (vn->state == VNET_UP) {
		ready = poll_locked(tx, &nr);
		if (tx->vq->ring.broken)
			why = tx->vq->ring.why;
	}
	spin_unlock(&tx->lock);
	if (why)
		vnet_die(vn, why);
	else if (ready)
		netdev_tx_ready(&vn->nd);
	return nr;
}

void vnet_tx_poll(struct vnet *vn)
{
	(void)poll_tx(vn);
}

bool vnet_tx_interrupt(struct virtqueue *vq)
{
	return poll_tx(vq->priv);
}

void vnet_tx_drop_all(struct vnet *vn)
{
	struct vnet_tx *tx = &vn->tx;
	struct netbuf *b;

	spin_lock(&tx->lock);
	while ((b = vring_abort(&tx->vq->ring)))
		netbuf_free(b);
	tx->full = tx->untold = false;
	spin_unlock(&tx->lock);
}

/* ---- to send */

/* Bytes of all headers of a TCP segment. */
static u16 all_headers(const struct netbuf *b)
{
	const u8 *tcp = b->mem + b->csum_start;

	return (u16)(tcp - b->data + (tcp[12] >> 4) * 4);
}

static void fill_header(struct vnet_header *h, const struct netbuf *b)
{
	*h = (struct vnet_header){ .gso_type = VNET_GSO_NONE };
	if (!(b->flags & NETBUF_CSUM_PARTIAL))
		return;
	h->flags = VNET_HDR_F_NEEDS_CSUM;
	h->csum_start = (u16)(b->csum_start - netbuf_headroom(b));
	h->csum_offset = b->csum_offset;
	if (!b->gso_size)
		return;
	h->gso_type =
		b->flags & NETBUF_GSO_V6 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
	h->gso_size = b->gso_size;
	h->hdr_len = all_headers(b);
}

/* The header in front of the frame, or in the place that goes with the descriptor
 * which is next. */
static int enqueue(struct vnet_tx *tx, struct netbuf *b)
{
	struct vring *ring = &tx->vq->ring;
	struct vring_seg seg[VNET_TX_SEGS];
	struct vnet_header h;

	fill_header(&h, b);
	if (netbuf_headroom(b) >= sizeof(h)) {
		memcpy(b->data - sizeof(h), &h, sizeof(h));
		seg[0].addr = virt_to_phys(b->data) - sizeof(h);
		seg[0].len = b->len + (u32)sizeof(h);
		return vring_add(ring, seg, 1, 0, b);
	}
	tx->head[ring->free_head] = h;
	seg[0].addr = virt_to_phys(&tx->head[ring->free_head]);
	seg[0].len = sizeof(h);
	seg[1].addr = virt_to_phys(b->data);
	seg[1].len = b->len;
	return vring_add(ring, seg, 2, 0, b);
}

/* Nobody is to wait for room: true when the frame is to be tried again at once. */
static bool mark_full(struct vnet *vn)
{
	struct vnet_tx *tx = &vn->tx;
	u32 nr = 0;

	if (!tx->full)
		tx->progress_ns = clock_mono_ns();
	tx->full = true;
	return poll_locked(tx, &nr);
}

void vnet_kick(struct net_device *dev)
{
	struct vnet *vn = dev->priv;
	struct vnet_tx *tx = &vn->tx;
	bool notify;

	spin_lock(&tx->lock);
	notify = tx->untold && vn->state == VNET_UP;
	tx->untold = false;
	spin_unlock(&tx->lock);
	if (notify)
		virtio_notify(tx->vq);
}

bool vnet_xmit(struct net_device *dev, struct netbuf *b)
{
	struct vnet *vn = dev->priv;
	struct vnet_tx *tx = &vn->tx;
	bool notify = false, taken = false, up;

	spin_lock(&tx->lock);
	up = vn->state == VNET_UP;
	if (up) {
		(void)reap(tx);
		if (tx->vq->ring.nr_free >= VNET_TX_SEGS || mark_full(vn))
			taken = enqueue(tx, b) == 0;
		if (taken && vring_publish(&tx->vq->ring))
			tx->untold = true;
		notify = tx->untold;
	}
	spin_unlock(&tx->lock);
	if (notify && !(taken && netdev_kick_later(dev)))
		vnet_kick(dev);
	if (!up || (!taken && tx->vq->ring.broken)) {
		atomic_add_relaxed(&dev->stats.tx_errors, 1ull);
		netbuf_free(b);
		return true;
	}
	if (!taken)
		vnet_watch_in(vn, TX_WATCH_NS);
	return taken;
}
