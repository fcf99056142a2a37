/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_queue.h - one submission and one completion queue: what is
 * in memory and two doorbells, and nothing else.
 *
 *	slot = nvme_slot_get(); fill it; nvme_queue_push(); ... nvme_queue_ring()
 *	while (nvme_queue_take(&done)) ...; nvme_queue_give()
 *
 * A command in flight has a slot; its command id names slot and generation, so
 * that an answer given twice is noticed even when the slot has a new user.  The
 * device is not trusted: a completion that cannot be true makes the queue broken,
 * and then it takes and gives nothing more.
 *
 * Locking: the caller's.  Context: any.
 */
#ifndef DRIVERS_NVME_QUEUE_H
#define DRIVERS_NVME_QUEUE_H

#include <drivers/nvme/nvme_regs.h>
#include <lib/types.h>

#define NVME_MAX_DEPTH 256u /* a slot's number has 8 bits of the command id */
#define NVME_NO_SLOT   0xffffu

struct bio;
struct nvme_ns;
struct nvme_sync;

enum nvme_slot_kind {
	NVME_SLOT_FREE,
	NVME_SLOT_BIO,	 /* a bio, or the present piece of it */
	NVME_SLOT_SYNC,	 /* somebody waits */
	NVME_SLOT_EVENT, /* asynchronous event request: answered when it likes */
};

/* A command in flight.  All members belong to the caller's lock. */
struct nvme_slot {
	u8 kind;	    /* enum nvme_slot_kind */
	u8 retries;	    /* times that it was given to the device again */
	bool aborting;	    /* an Abort was sent for it */
	bool queued;	    /* pushed since the last nvme_queue_reset() */
	u16 index;	    /* [I] */
	u16 next_free;	    /* while free */
	u16 cid;	    /* index and generation */
	u32 seg, seg_off;   /* BIO: where its next piece begins */
	u32 sectors_done;   /* BIO: before the present piece */
	u32 piece_sectors;  /* BIO: of the present piece */
	u64 start_ns;	    /* CLOCK_MONOTONIC, of this try */
	u64 limit_ns;	    /* when patience ends; ~0: never */
	u64 serial;	    /* order of the first push, for replays */
	u64 sq_count;	    /* r->pushed before it, while queued */
	u64 *list;	    /* [I] memory that the device may read, or NULL */
	struct nvme_ns *ns; /* BIO */
	struct bio *bio;
	struct nvme_sync *sync;
	struct nvme_sqe cmd; /* what was pushed: to push it again */
};

/* What the device says of one command. */
struct nvme_done {
	struct nvme_slot *slot;
	u64 result;
	u16 status; /* type, code, and the bits above: NVME_SC_* */
};

struct nvme_ring {
	struct nvme_sqe *sq;	     /* [I] depth of them */
	struct nvme_cqe *cq;	     /* [I] depth of them */
	volatile void __iomem *sqdb; /* [I] */
	volatile void __iomem *cqdb; /* [I] */
	struct nvme_slot *slot;	     /* [I] nr_slots of them */
	u16 qid;		     /* [I] */
	u16 depth;		     /* [I] entries; one stays unused */
	u16 nr_slots;		     /* [I] at most depth - 1 */
	u16 free_head;		     /* NVME_NO_SLOT: none */
	u16 in_flight;		     /* slots that are not free */
	u16 sq_tail, sq_head; /* next to fill; next that the device reads */
	/* since the last reset: entries pushed, shown to the device, and read by
	 * it as far as it told */
	u64 pushed, shown, read;
	u16 cq_head, cq_given; /* next to read; told to the device */
	bool phase;	       /* of entries that are new */
	bool broken;
	const char *why; /* broken: what the device did */
	u64 next_serial;
	u64 nr_commands, nr_taken; /* statistics, as the following */
	u64 nr_sq_doorbells, nr_cq_doorbells;
};

size_t nvme_sq_bytes(u16 depth);
size_t nvme_cq_bytes(u16 depth);

/* Members marked [I] are set.  Makes all slots free, and resets. */
void nvme_queue_init(struct nvme_ring *r);
/* The controller has forgotten the queues: begin anew.  Slots keep their users
 * and have to be pushed again. */
void nvme_queue_reset(struct nvme_ring *r);

/* A free slot with a new command id, or NULL. */
struct nvme_slot *nvme_slot_get(struct nvme_ring *r, enum nvme_slot_kind kind);
void nvme_slot_put(struct nvme_ring *r, struct nvme_slot *s);

/* Put s->cmd into the queue; the device does not see it yet. */
void nvme_queue_push(struct nvme_ring *r, struct nvme_slot *s);
/* Show what was pushed.  False: nothing to show. */
bool nvme_queue_ring(struct nvme_ring *r);
/* The next completion.  False: none (or broken). */
bool nvme_queue_take(struct nvme_ring *r, struct nvme_done *done);
/* Give the completion entries back that were taken.  False: nothing to give. */
bool nvme_queue_give(struct nvme_ring *r);
/* So many were not given back that the device might have to wait soon. */
bool nvme_queue_owes_much(const struct nvme_ring *r);
/* Is there a completion to take?  May be asked without the lock. */
bool nvme_queue_has_news(const struct nvme_ring *r);

#endif /* DRIVERS_NVME_QUEUE_H */
