/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net_rx.c - frames that a virtio network device received.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.1.6.3.  A buffer is a netbuf, and the
 * device's header lies right in front of the frame in it.  A device with
 * VIRTIO_NET_F_MRG_RXBUF spreads a frame that is longer over several buffers; the
 * stack wants it in one piece, so those are copied together.
 *
 * One call takes at most a ring's worth of buffers; what is left, and buffers that
 * there was no memory for, are the timer's.
 *
 * Locking: vnet_rx->lock for the ring and the frame in parts; netdev_rx() is called
 * without it.
 */
#include <drivers/virtio/virtio_net_core.h>

#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define RX_RETRY_NS (20 * NSEC_PER_MSEC)

/* ---- buffers for the device */

static struct netbuf *alloc_frame(u32 bytes)
{
	struct netbuf *b =
		netbuf_alloc(VNET_RX_HEADROOM, VNET_RX_SHIFT + bytes);

	if (b)
		b->data += VNET_RX_SHIFT;
	return b;
}

static int give(struct vnet_rx *rx, struct netbuf *b)
{
	struct vring_seg seg = {
		.addr = virt_to_phys(b->data) - sizeof(struct vnet_header),
		.len = rx->buf_bytes + (u32)sizeof(struct vnet_header),
	};

	return vring_add(&rx->vq->ring, &seg, 0, 1, b);
}

/* As many as there is room and memory for; false: memory was the end. */
static bool refill(struct vnet_rx *rx)
{
	assert_held(&rx->lock);
	while (!rx->vq->ring.broken && rx->vq->ring.nr_free) {
		struct netbuf *b = alloc_frame(rx->buf_bytes);

		if (!b) {
			rx->nr_no_buffer++;
			return false;
		}
		if (give(rx, b)) {
			netbuf_free(b);
			return true;
		}
	}
	return true;
}

int vnet_rx_fill(struct vnet *vn)
{
	struct vnet_rx *rx = &vn->rx;
	bool whole, any;

	spin_lock(&rx->lock);
	whole = refill(rx);
	any = rx->vq->ring.in_flight;
	(void)vring_publish(&rx->vq->ring);
	(void)vring_arm(&rx->vq->ring);
	spin_unlock(&rx->lock);
	if (!any)
		return -ENOMEM;
	if (!whole)
		vnet_watch_in(vn, RX_RETRY_NS);
	return 0;
}

static void drop_part(struct vnet_rx *rx)
{
	struct netbuf *b, *next;

	list_for_each_entry_safe(b, next, &rx->part, node) {
		list_del(&b->node);
		netbuf_free(b);
	}
	rx->nr_missing = 0;
	rx->part_bytes = 0;
}

void vnet_rx_drop_all(struct vnet *vn)
{
	struct vnet_rx *rx = &vn->rx;
	struct netbuf *b;

	spin_lock(&rx->lock);
	while ((b = vring_abort(&rx->vq->ring)))
		netbuf_free(b);
	drop_part(rx);
	spin_unlock(&rx->lock);
}

/* ---- one frame */

/* Where the checksum goes must lie in the frame. */
static bool csum_fits(const struct netbuf *b, const struct vnet_header *h)
{
	return (u32)h->csum_start + h->csum_offset + sizeof(u16) <= b->len;
}

bool vnet_rx_header(struct netbuf *b, const struct vnet_header *h)
{
	u8 gso = h->gso_type & VNET_GSO_KIND;

	if (h->flags & VNET_HDR_F_NEEDS_CSUM) {
		if (!csum_fits(b, h))
			return false;
		b->csum_start = (u16)(netbuf_headroom(b) + h->csum_start);
		b->csum_offset = h->csum_offset;
		b->flags |= NETBUF_CSUM_GOOD | NETBUF_CSUM_PARTIAL;
	} else if (h->flags & VNET_HDR_F_DATA_VALID) {
		b->flags |= NETBUF_CSUM_GOOD;
	}
	if (gso == VNET_GSO_NONE)
		return true;
	if ((gso != VNET_GSO_TCPV4 && gso != VNET_GSO_TCPV6) || !h->gso_size)
		return false;
	b->gso_size = h->gso_size;
	if (gso == VNET_GSO_TCPV6)
		b->flags |= NETBUF_GSO_V6;
	return true;
}

static struct vnet_header header_of(const struct netbuf *b)
{
	struct vnet_header h;

	memcpy(&h, b->data - sizeof(h), sizeof(h));
	return h;
}

static struct netbuf *first_of(struct vnet_rx *rx)
{
	return list_first_entry(&rx->part, struct netbuf, node);
}

/* All buffers of the frame in parts, in one piece; NULL: no memory. */
static struct netbuf *join(struct vnet_rx *rx)
{
	struct netbuf *whole, *b;

	whole = alloc_frame(rx->part_bytes);
	if (!whole) {
		rx->nr_no_buffer++;
		return NULL;
	}
	list_for_each_entry(b, &rx->part, node)
		memcpy(netbuf_put(whole, b->len), b->data, b->len);
	return whole;
}

/* The frame is complete: into @frames, if it makes sense. */
static void end_frame(struct vnet *vn, struct list_head *frames)
{
	struct vnet_rx *rx = &vn->rx;
	struct netbuf *b = first_of(rx);
	struct vnet_header h = header_of(b);

	if (b->len == rx->part_bytes) {
		list_del(&b->node);
	} else {
		b = join(rx);
	}
	drop_part(rx);
	if (!b) {
		atomic_add_relaxed(&vn->nd.stats.rx_dropped, 1ull);
		return;
	}
	if (b->len < ETH_HEADER || (rx->csum && !vnet_rx_header(b, &h))) {
		atomic_add_relaxed(&vn->nd.stats.rx_errors, 1ull);
		netbuf_free(b);
		return;
	}
	list_add_tail(&b->node, frames);
}

/* ---- what the device used */

/* @len bytes of @b are the device's, its header included if it is a frame's first.
 * What it did wrong, or NULL; b is in the list in any case. */
static const char *add_part(struct vnet_rx *rx, struct netbuf *b, u32 len)
{
	u32 nr = 1;

	list_add_tail(&b->node, &rx->part); /* I2: freed later in any case */
	if (!rx->nr_missing) {
		if (len < sizeof(struct vnet_header))
			return "a frame without a header";
		len -= (u32)sizeof(struct vnet_header);
		if (rx->mergeable)
			nr = header_of(b).num_buffers;
		if (!nr || nr > rx->vq->ring.size)
			return "a frame of too many buffers";
		rx->nr_missing = nr;
	} else {
		/* its bytes begin where a header would: they are moved at most
		 * once more, when the frame is put together */
		b->data -= sizeof(struct vnet_header);
	}
	if (rx->part_bytes + len > VNET_MAX_FRAME)
		return "a frame that is too long";
	b->len = len;
	rx->part_bytes += len;
	rx->nr_missing--;
	return NULL;
}

/* At most @budget buffers.  What the device did wrong, or NULL. */
static const char *take(struct vnet *vn, u32 budget, struct list_head *frames)
{
	struct vnet_rx *rx = &vn->rx;
	struct netbuf *b;
	u32 len;

	while (budget-- && (b = vring_take(&rx->vq->ring, &len))) {
		const char *why = add_part(rx, b, len);

		if (why)
			return why;
		if (!rx->nr_missing)
			end_frame(vn, frames);
	}
	return rx->vq->ring.broken ? rx->vq->ring.why : NULL;
}

static bool deliver(struct vnet *vn, struct list_head *frames)
{
	struct netbuf *b, *next;
	bool any = false;

	list_for_each_entry_safe(b, next, frames, node) {
		list_del(&b->node);
		netdev_rx(&vn->nd, b);
		any = true;
	}
	return any;
}

static bool poll_rx(struct vnet *vn)
{
	struct vnet_rx *rx = &vn->rx;
	bool notify = false, again = false, whole = true;
	const char *why = NULL;
	struct list_head frames;

	list_init(&frames);
	spin_lock(&rx->lock);
	if (vn->state == VNET_UP) {
		why = take(vn, rx->vq->ring.size, &frames);
		whole = refill(rx);
		notify = !why && vring_publish(&rx->vq->ring);
		again = !why && !vring_arm(&rx->vq->ring);
	}
	spin_unlock(&rx->lock);
	if (notify)
		virtio_notify(rx->vq);
	if (why)
		vnet_die(vn, why);
	else if (again)
		vnet_watch_in(vn, 0);
	else if (!whole)
		vnet_watch_in(vn, RX_RETRY_NS);
	return deliver(vn, &frames);
}

void vnet_rx_poll(struct vnet *vn)
{
	(void)poll_rx(vn);
}

bool vnet_rx_interrupt(struct virtqueue *vq)
{
	return poll_rx(vq->priv);
}
