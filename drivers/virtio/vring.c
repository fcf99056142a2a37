/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/vring.c - split virtqueue.
 *
 * Indices run freely over 16 bits and are masked on use, so full and empty
 * differ.  Which descriptors are free is in slot[], which the device cannot
 * write, and nothing that we wrote for the device is ever read back.
 *
 * INVARIANTS
 *   I1  Every descriptor is on the free list or in exactly one chain in flight;
 *	 nr_free plus the chains' lengths is size.
 *   I2  in_flight >= (u16)(avail_next - used_seen), so at most size.
 *   I3  A token is given back once, and only if it was given to us.
 *
 * ORDERING
 *   AVAIL   descriptors and ring entry before avail->idx [2.7.13.3].
 *   KICK    avail->idx before we read whether to notify [2.7.13.4.1].
 *   USED    used->idx before the entry, and before the buffers [2.7.14].
 *   ARM     used_event or flags before we look for entries again [2.7.7.1].
 * The device is the other end of all four.
 *
 * Not here: notification, memory, interrupts (virtio_pci.c).
 */
#include <drivers/virtio/vring.h>

#include <arch/riscv/mmio.h>
#include <kernel/assert.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

/* ---- layout [2.7.2] */

size_t vring_avail_offset(u16 size)
{
	return sizeof(struct vring_desc) * size;
}

size_t vring_used_offset(u16 size)
{
	/* flags, idx, ring and used_event */
	size_t end = vring_avail_offset(size) + sizeof(u16) * (3u + size);

	return ALIGN_UP(end, 64ul); /* 4 would do; not in our cache line */
}

size_t vring_bytes(u16 size)
{
	return vring_used_offset(size) + sizeof(struct vring_used_elem) * size +
	       sizeof(u16) * 3;
}

static u16 *used_event(struct vring *vr)
{
	return &vr->avail->ring[vr->size];
}

static const u16 *avail_event(const struct vring *vr)
{
	return (const u16 *)(const void *)&vr->used->ring[vr->size];
}

static u16 mask(const struct vring *vr, u16 idx)
{
	return idx & (vr->size - 1);
}

void vring_init(struct vring *vr, u16 size, void *mem, struct vring_slot *slot,
		bool event_idx)
{
	u8 *base = mem;

	*vr = (struct vring){
		.desc = mem,
		.avail = (void *)(base + vring_avail_offset(size)),
		.used = (void *)(base + vring_used_offset(size)),
		.slot = slot,
		.size = size,
		.nr_free = size,
		.event_idx = event_idx,
	};
	for (u16 i = 0; i < size; i++)
		slot[i] = (struct vring_slot){ .next = (u16)(i + 1) };
}

static void *lied(struct vring *vr, const char *why)
{
	vr->broken = true;
	vr->why = why;
	return NULL;
}

/* ---- add */

static u32 in_bytes(const struct vring_seg *segs, u32 nr_out, u32 nr_in)
{
	u32 sum = 0;

	for (u32 i = nr_out; i < nr_out + nr_in; i++)
		sum += segs[i].len;
	return sum;
}

static void fill(struct vring_desc *d, const struct vring_seg *s, bool write,
		 bool more, u16 next)
{
	d->addr = s->addr;
	d->len = s->len;
	d->flags = (u16)((write ? VRING_DESC_WRITE : 0) |
			 (more ? VRING_DESC_NEXT : 0));
	d->next = next;
}

static void make_available(struct vring *vr, u16 head, u16 nr_desc,
			   u32 nr_bytes, void *token)
{
	vr->slot[head].token = token;
	vr->slot[head].nr_desc = nr_desc;
	vr->slot[head].in_bytes = nr_bytes;
	vr->nr_free -= nr_desc;
	vr->avail->ring[mask(vr, vr->avail_next)] = head;
	vr->avail_next++;
	vr->in_flight++;
}

int vring_add(struct vring *vr, const struct vring_seg *segs, u32 nr_out,
	      u32 nr_in, void *token)
{
	u32 nr = nr_out + nr_in;
	u16 head = vr->free_head, i = head;

	if (vr->broken || !nr || !token)
		return -EIO;
	if (nr > vr->nr_free)
		return -ENOSPC;
	for (u32 n = 0; n < nr; n++) {
		u16 next = vr->slot[i].next;

		fill(&vr->desc[i], &segs[n], n >= nr_out, n + 1 < nr, next);
		i = next;
	}
	vr->free_head = i;
	make_available(vr, head, (u16)nr, in_bytes(segs, nr_out, nr_in), token);
	return 0;
}

int vring_add_indirect(struct vring *vr, struct vring_desc *table,
		       busaddr_t table_bus, const struct vring_seg *segs,
		       u32 nr_out, u32 nr_in, void *token)
{
	u32 nr = nr_out + nr_in;
	u16 head = vr->free_head;
	struct vring_seg whole = {
		.addr = table_bus,
		.len = (u32)sizeof(*table) * nr,
	};

	if (vr->broken || !nr || !token)
		return -EIO;
	if (!vr->nr_free)
		return -ENOSPC;
	for (u32 n = 0; n < nr; n++)
		fill(&table[n], &segs[n], n >= nr_out, n + 1 < nr,
		     (u16)(n + 1));
	fill(&vr->desc[head], &whole, false, false, 0);
	vr->desc[head].flags = VRING_DESC_INDIRECT;
	vr->free_head = vr->slot[head].next;
	make_available(vr, head, 1, in_bytes(segs, nr_out, nr_in), token);
	return 0;
}

/* Did the index pass @event on its way from @old to @now? [2.7.10] */
static bool passed(u16 event, u16 now, u16 old)
{
	return (u16)(now - event - 1) < (u16)(now - old);
}

bool vring_publish(struct vring *vr)
{
	u16 old = vr->published, now = vr->avail_next;

	if (vr->broken || now == old)
		return false;
	/* AVAIL (release) - to the device. */
	dma_wmb();
	store_once(&vr->avail->idx, now);
	vr->published = now;
	/* KICK (full) - with the device. */
	dma_mb();
	if (vr->event_idx)
		return passed(load_once(avail_event(vr)), now, old);
	return !(load_once(&vr->used->flags) & VRING_USED_NO_NOTIFY);
}

/* ---- take */

static void free_chain(struct vring *vr, u16 head)
{
	struct vring_slot *s = &vr->slot[head];
	u16 last = head;

	for (u16 n = 1; n < s->nr_desc; n++)
		last = vr->slot[last].next;
	vr->slot[last].next = vr->free_head;
	vr->free_head = head;
	vr->nr_free += s->nr_desc;
	vr->in_flight--;
	s->token = NULL;
}

void *vring_take(struct vring *vr, u32 *len)
{
	const struct vring_used_elem *e;
	u16 idx = load_once(&vr->used->idx);
	void *token;
	u32 id;

	if (vr->broken || idx == vr->used_seen)
		return NULL;
	if ((u16)(idx - vr->used_seen) > vr->in_flight)
		return lied(vr, "more used than there were");
	/* USED (acquire) - from the device. */
	dma_rmb();
	e = &vr->used->ring[mask(vr, vr->used_seen)];
	id = load_once(&e->id);
	*len = load_once(&e->len);
	if (id >= vr->size || !vr->slot[id].token)
		return lied(vr, "used id that is not in flight");
	if (*len > vr->slot[id].in_bytes)
		return lied(vr, "wrote more than it was given");
	token = vr->slot[id].token;
	free_chain(vr, (u16)id);
	vr->used_seen++;
	return token;
}

bool vring_arm_after(struct vring *vr, u16 nr)
{
	if (vr->event_idx)
		store_once(used_event(vr), (u16)(vr->used_seen + nr - 1));
	else
		store_once(&vr->avail->flags, (u16)0);
	/* ARM (full) - with the device. */
	dma_mb();
	return vr->broken ||
	       (u16)(load_once(&vr->used->idx) - vr->used_seen) < nr;
}

void vring_disarm(struct vring *vr)
{
	if (vr->event_idx) /* as far away as can be */
		store_once(used_event(vr), (u16)(vr->used_seen + 0x8000));
	else
		store_once(&vr->avail->flags, (u16)VRING_AVAIL_NO_INTERRUPT);
}

bool vring_has_used(const struct vring *vr)
{
	return !vr->broken && load_once(&vr->used->idx) != vr->used_seen;
}

void vring_reset(struct vring *vr)
{
	KASSERT(!vr->in_flight);
	memset(vr->desc, 0, vring_bytes(vr->size));
	vring_init(vr, vr->size, vr->desc, vr->slot, vr->event_idx);
}

void *vring_abort(struct vring *vr)
{
	vr->broken = true;
	for (u16 i = 0; vr->in_flight && i < vr->size; i++) {
		void *token = vr->slot[i].token;

		if (token) {
			free_chain(vr, i);
			return token;
		}
	}
	return NULL;
}
