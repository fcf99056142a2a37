/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_blk_core.h - what the files of the block driver share.
 *
 * INVARIANTS
 *   I1  A slot is on its queue's free list or in flight with a bio; a bio is in at
 *	 most one slot.
 *   I2  A device was reset, or may not master the bus any more, before bios that it
 *	 had end or go elsewhere: it cannot write into memory that has a new owner.
 *   I3  The watch timer is armed while bios are in flight.
 *   I4  A queue with bios in flight is armed, or somebody polls it, or somebody is
 *	 just taking from it.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_BLK_CORE_H
#define DRIVERS_VIRTIO_VIRTIO_BLK_CORE_H

#include <drivers/virtio/virtio.h>
#include <drivers/virtio/virtio_blk.h>
#include <kernel/dev/blk.h>
#include <kernel/spinlock.h>
#include <kernel/time/timer.h>
#include <lib/list.h>

#define VBLK_MAX_SLOTS 256u
#define VBLK_MAX_DESC  (BIO_MAX_SEGS + 2u)

/* What the device reads and writes of a request. */
struct vblk_shared {
	struct vblk_header header;
	struct vblk_range range;
	struct vring_desc table[VBLK_MAX_DESC];
	u8 status;
	u8 pad[63];
};

struct vblk_slot {
	struct bio *bio; /* [queue lock] NULL: free */
	u64 start_ns;	 /* [queue lock] */
	u16 index;	 /* [I] */
	u16 next_free;	 /* [queue lock] */
};

struct vblk;

struct vblk_queue {
	struct spinlock lock;	    /* RANK_DEV: ring and slots */
	struct vblk *vb;	    /* [I] */
	struct virtqueue *vq;	    /* [I] */
	struct vblk_shared *shared; /* [I] nr_slots of them, in direct map */
	struct vblk_slot *slot;	    /* [I] nr_slots of them */
	u32 nr_slots;		    /* [I] */
	u16 free_head;		    /* [lock] nr_slots: none */
	u32 nr_in_flight;	    /* [lock] */
	u32 pollers;   /* [lock] between poll_begin() and poll_end() */
	u64 irqs_seen; /* watch: vq->nr_interrupts at the last look */
	u16 used_seen; /* watch: what the ring had given by then */
	bool stuck; /* watch: something was used and nobody had come for it */
	u64 nr_polled; /* [lock] requests found by looking */
} __aligned(64);

enum vblk_state {
	VBLK_LIVE,
	VBLK_RESETTING, /* takes nothing; in-flight bios will be started again */
	VBLK_DEAD,
};

struct vblk {
	struct blkdev bd;
	struct virtio_dev *vd;	  /* [I] */
	struct vblk_queue *queue; /* [I] bd.nr_hwq of them */
	bool indirect;		  /* [I] */
	u32 state;		  /* [every queue's lock] enum vblk_state */
	u32 watching;		  /* [a] I3 */
	struct ktimer watch;
	u64 nr_lost;	   /* watch: interrupts that never came */
	u64 nr_resets;	   /* recovery thread */
	u64 done_at_reset; /* recovery thread: bios done when it was reset last */
	u32 want_reset;	   /* [a] */
	bool reset_by_user;		      /* [a] */
	const char *why;		      /* [a] of it */
	struct list_head all_node;	      /* [boot] recovery thread's */
	char serial[VIRTIO_BLK_ID_BYTES + 1]; /* [I] */
};

/* virtio_blk_io.c */
int vblk_submit(struct blkdev *bd, struct bio *bio);
void vblk_commit(struct blkdev *bd, u32 hwq);
u32 vblk_poll(struct blkdev *bd, u32 hwq);
void vblk_poll_begin(struct blkdev *bd, u32 hwq);
void vblk_poll_end(struct blkdev *bd, u32 hwq);
bool vblk_interrupt(struct virtqueue *vq);
/* End what the device has used; how many. */
u32 vblk_complete(struct vblk_queue *q);
/* All bios in flight, off their slots; the device is reset (I2). */
void vblk_take_back(struct vblk *vb, struct list_head *bios);
void vblk_set_state(struct vblk *vb, enum vblk_state state);
/* The device is beyond use: everything fails from now on.  Any context. */
void vblk_die(struct vblk *vb, const char *why);
/* Before the disk is registered: its name for itself.  0 or -errno. */
int vblk_get_id(struct vblk *vb);

/* virtio_blk_watch.c */
/* A bio has been given to the device; queue lock held. */
void vblk_watch_begin(struct vblk *vb, u64 now);
/* Reset the device and start its bios again, from a thread.  Any context. */
void vblk_want_reset(struct vblk *vb, const char *why);
void vblk_watch_init(struct vblk *vb);

#endif /* DRIVERS_VIRTIO_VIRTIO_BLK_CORE_H */
