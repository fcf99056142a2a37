/* SPDX-License-Identifier: MIT */
/*
 * drivers/net/macb_ring.c - the descriptor rings of a Cadence GEM.
 *
 * One descriptor is one frame: receive buffers hold the longest one that the device
 * lets through, and a frame that is sent lies in one piece.  Whose a descriptor is
 * says its used bit, which the device sets and we clear; where we are in the ring is
 * in memory of our own.
 *
 * ORDERING
 *   GEMGIVE  buffer, address and length before the used bit is cleared.
 *   GEMTAKE  used bit before the rest of the descriptor, and before the buffer.
 * The device is the other end of both.
 *
 * Not here: registers, interrupts, locks (macb_io.c).
 */
#include <drivers/net/macb.h>

#include <drivers/net/macb_regs.h>
#include <arch/riscv/mmio.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/errno.h>

size_t gem_ring_bytes(u32 nr, bool addr64)
{
	return (size_t)nr * (addr64 ? 4 : 2) * sizeof(u32);
}

void gem_ring_init(struct gem_ring *r, u32 *words, struct netbuf **nb, u32 nr,
		   bool addr64)
{
	*r = (struct gem_ring){
		.words = words,
		.nb = nb,
		.nr = nr,
		.stride = addr64 ? 4 : 2,
	};
}

static u32 *desc(const struct gem_ring *r, u32 i)
{
	return r->words + (size_t)i * r->stride;
}

static u32 after(const struct gem_ring *r, u32 i)
{
	return i + 1 == r->nr ? 0 : i + 1;
}

static bool reaches(const struct gem_ring *r, const struct netbuf *b)
{
	return r->stride == 4 || !(virt_to_phys(b->data) >> 32);
}

static void set_high(const struct gem_ring *r, u32 *d, busaddr_t at)
{
	if (r->stride == 4)
		store_once(&d[GEM_D_ADDRH], (u32)(at >> 32));
}

/* ---- receive */

/* A buffer that the device can use, or NULL. */
static struct netbuf *new_buffer(const struct gem_ring *r)
{
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, GEM_RX_BUF);

	if (b && !reaches(r, b)) {
		netbuf_free(b);
		return NULL;
	}
	return b;
}

/* The device may write to @b from now on. */
static void give(struct gem_ring *r, u32 i, struct netbuf *b)
{
	busaddr_t at = virt_to_phys(b->data);
	u32 *d = desc(r, i);

	r->nb[i] = b;
	store_once(&d[GEM_D_CTRL], 0u);
	set_high(r, d, at);
	/* GEMGIVE (release) - to the device. */
	dma_wmb();
	store_once(&d[GEM_D_ADDR],
		   (u32)(at & GEM_RX_ADDR) |
			   (i + 1 == r->nr ? (u32)GEM_RX_WRAP : 0));
}

int gem_rx_fill(struct gem_ring *r)
{
	r->next = 0;
	for (u32 i = 0; i < r->nr; i++) {
		struct netbuf *b = new_buffer(r);

		if (!b) {
			gem_ring_drop(r);
			return -ENOMEM;
		}
		give(r, i, b);
	}
	return 0;
}

void gem_rx_restart(struct gem_ring *r)
{
	r->next = 0;
	for (u32 i = 0; i < r->nr; i++)
		give(r, i, r->nb[i]);
}

static bool makes_sense(u32 ctrl)
{
	u32 len = (u32)FIELD_GET(GEM_RX_LEN, ctrl);

	return (ctrl & GEM_RX_FIRST) && (ctrl & GEM_RX_LAST) &&
	       len >= ETH_HEADER && len <= GEM_RX_BUF - GEM_RX_OFFSET;
}

enum gem_took gem_rx_take(struct gem_ring *r, struct netbuf **out)
{
	u32 i = r->next, *d = desc(r, i), ctrl;
	struct netbuf *b = r->nb[i], *fresh;

	if (!(load_once(&d[GEM_D_ADDR]) & GEM_RX_USED))
		return GEM_NOTHING;
	/* GEMTAKE (acquire) - from the device. */
	dma_rmb();
	ctrl = load_once(&d[GEM_D_CTRL]);
	r->next = after(r, i);
	if (!makes_sense(ctrl)) {
		give(r, i, b);
		return GEM_NO_SENSE;
	}
	fresh = new_buffer(r);
	if (!fresh) {
		give(r, i, b);
		return GEM_NO_MEM;
	}
	give(r, i, fresh);
	b->data += GEM_RX_OFFSET;
	b->len = (u32)FIELD_GET(GEM_RX_LEN, ctrl);
	if (FIELD_GET(GEM_RX_CSUM, ctrl) >= GEM_RX_CSUM_TCP)
		b->flags |= NETBUF_CSUM_GOOD;
	*out = b;
	return GEM_FRAME;
}

/* ---- send */

static u32 wrap_at(const struct gem_ring *r, u32 i)
{
	return i + 1 == r->nr ? (u32)GEM_TX_WRAP : 0;
}

void gem_tx_reset(struct gem_ring *r)
{
	r->next = r->oldest = r->in_flight = 0;
	for (u32 i = 0; i < r->nr; i++)
		store_once(&desc(r, i)[GEM_D_CTRL],
			   (u32)GEM_TX_USED | wrap_at(r, i));
}

/* One descriptor stays the device's end: used, so that it stops there. */
bool gem_tx_add(struct gem_ring *r, struct netbuf *b, bool *bad)
{
	busaddr_t at = virt_to_phys(b->data);
	u32 i = r->next, *d = desc(r, i);

	*bad = !reaches(r, b) || b->len > GEM_TX_LEN;
	if (*bad || r->in_flight + 1 >= r->nr)
		return false;
	r->nb[i] = b;
	r->next = after(r, i);
	r->in_flight++;
	store_once(&d[GEM_D_ADDR], (u32)at);
	set_high(r, d, at);
	/* GEMGIVE (release) - to the device. */
	dma_wmb();
	store_once(&d[GEM_D_CTRL],
		   (u32)(FIELD_PREP(GEM_TX_LEN, b->len) | GEM_TX_LAST) |
			   wrap_at(r, i));
	return true;
}

struct netbuf *gem_tx_sent(struct gem_ring *r, bool *failed)
{
	u32 i = r->oldest, ctrl;
	struct netbuf *b;

	if (!r->in_flight)
		return NULL;
	ctrl = load_once(&desc(r, i)[GEM_D_CTRL]);
	if (!(ctrl & GEM_TX_USED))
		return NULL;
	*failed = ctrl & GEM_TX_ERROR;
	b = r->nb[i];
	r->nb[i] = NULL;
	r->oldest = after(r, i);
	r->in_flight--;
	return b;
}

void gem_ring_drop(struct gem_ring *r)
{
	for (u32 i = 0; i < r->nr; i++) {
		netbuf_free(r->nb[i]);
		r->nb[i] = NULL;
	}
	r->in_flight = 0;
}
