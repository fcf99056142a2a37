/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/vring.h - split virtqueue: what is in memory, and nothing else.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 2.7.  The descriptor table and the
 * available ring are written by us, the used ring by the device.  A request is a
 * chain of segments, device-readable ones first, with a token of the caller
 * that comes back when the device has used it.
 *
 *	vring_add() ... vring_add(); if (vring_publish()) notify
 *	do { while ((token = vring_take())) ...; } while (!vring_arm());
 *
 * The device is not trusted: what it says is checked against what we know, and
 * a lie makes the ring broken.  A broken ring takes and gives nothing more; the
 * caller resets the device and gets its tokens by vring_abort().
 *
 * Locking: the caller's.  Context: any.
 */
#ifndef DRIVERS_VIRTIO_VRING_H
#define DRIVERS_VIRTIO_VRING_H

#include <lib/types.h>

#define VRING_MAX_SIZE 1024u
#define VRING_ALIGN    4096u /* of the memory given to vring_init() */

/* Descriptor [2.7.5] */
struct vring_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};
#define VRING_DESC_NEXT	    BIT(0)
#define VRING_DESC_WRITE    BIT(1) /* the device writes it */
#define VRING_DESC_INDIRECT BIT(2)

/* Available ring [2.7.6]; behind ring[] stands used_event */
struct vring_avail {
	u16 flags;
	u16 idx;
	u16 ring[];
};
#define VRING_AVAIL_NO_INTERRUPT BIT(0)

/* Used ring [2.7.8]; behind ring[] stands avail_event */
struct vring_used_elem {
	u32 id;
	u32 len;
};
struct vring_used {
	u16 flags;
	u16 idx;
	struct vring_used_elem ring[];
};
#define VRING_USED_NO_NOTIFY BIT(0)

STATIC_ASSERT(sizeof(struct vring_desc) == 16, "VIRTIO 2.7.5");
STATIC_ASSERT(sizeof(struct vring_used_elem) == 8, "VIRTIO 2.7.8");

struct vring_seg {
	busaddr_t addr;
	u32 len;
};

/* Our own record of a descriptor: the device cannot reach it. */
struct vring_slot {
	void *token;  /* head of a chain in flight, else NULL */
	u32 in_bytes; /* head: what the device may write */
	u16 nr_desc;  /* head: length of the chain */
	u16 next;     /* chain or free list */
};

/* All members belong to the caller's lock. */
struct vring {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_slot *slot;
	u16 size;	/* a power of two */
	u16 nr_free;	/* descriptors */
	u16 free_head;	/* valid if nr_free */
	u16 in_flight;	/* chains */
	u16 avail_next; /* free-running, as the other indices */
	u16 published;
	u16 used_seen;
	bool event_idx;
	bool broken;
	const char *why; /* broken: what the device did */
};

/* Bytes of device memory for @size entries, and where the parts begin in it. */
size_t vring_bytes(u16 size);
size_t vring_avail_offset(u16 size);
size_t vring_used_offset(u16 size);

/* @mem: vring_bytes(), zeroed, VRING_ALIGN aligned; @slot: @size of them.
 * Borrows both. */
void vring_init(struct vring *vr, u16 size, void *mem, struct vring_slot *slot,
		bool event_idx);

/*
 * Queue a request; the device does not see it yet.  0, -ENOSPC (come back after
 * a vring_take()) or -EIO (broken).  With @table (nr_out + nr_in descriptors,
 * device-visible, borrowed until the token is back) it costs one descriptor.
 */
int vring_add(struct vring *vr, const struct vring_seg *segs, u32 nr_out,
	      u32 nr_in, void *token);
int vring_add_indirect(struct vring *vr, struct vring_desc *table,
		       busaddr_t table_bus, const struct vring_seg *segs,
		       u32 nr_out, u32 nr_in, void *token);
/* Show all that was added to the device.  True: it wants to be notified. */
bool vring_publish(struct vring *vr);

/* Token of the next request that the device has used, or NULL.  @len: bytes it
 * wrote; at most the request's. */
void *vring_take(struct vring *vr, u32 *len);
/* Ask for an interrupt when @nr have been used (1 ...), or sooner.  False: they have
 * already. */
bool vring_arm_after(struct vring *vr, u16 nr);
/* Ask for one at the next one. */
static inline bool vring_arm(struct vring *vr)
{
	return vring_arm_after(vr, 1);
}
/* Rather not.  A hint. */
void vring_disarm(struct vring *vr);
/* Is there something for vring_take()? */
bool vring_has_used(const struct vring *vr);

/* The device is reset: token of some request in flight, or NULL. */
void *vring_abort(struct vring *vr);
/* All tokens are back: as after vring_init(), for another life. */
void vring_reset(struct vring *vr);

#endif /* DRIVERS_VIRTIO_VRING_H */
