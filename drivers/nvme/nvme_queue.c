/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_queue.c - submission and completion.
 *
 * The device and we share two arrays and two doorbells.  We write submission
 * entries and read completion entries; the device does the reverse, and says in
 * each completion how far it has read.
 *
 * INVARIANTS
 *   I1  A slot is on the free list or has a user; in_flight counts the latter.
 *   I2  An entry of the SQ that the device may not have read yet belongs to a
 *	 slot in use.  So with at most depth - 1 slots the SQ cannot overflow, and
 *	 neither can the CQ.  It holds because a completion is refused that does
 *	 not move sq_head beyond its own command.
 *   I3  Nothing that we wrote for the device is read back.
 *
 * ORDERING
 *   SQDB   entry in memory before the SQ doorbell [4.1].
 *   PHASE  phase tag before the rest of the entry, and before the data [4.6].
 *   CQDB   entry read before its place is given back by the CQ doorbell.
 * The device is the other end of all three.
 *
 * Not here: bring-up (nvme_ctrl.c), who waits for what (nvme_cmd.c).
 */
#include <drivers/nvme/nvme_queue.h>

#include <arch/riscv/mmio.h>
#include <kernel/assert.h>
#include <lib/atomic.h>
#include <lib/string.h>

size_t nvme_sq_bytes(u16 depth)
{
	return sizeof(struct nvme_sqe) * depth;
}

size_t nvme_cq_bytes(u16 depth)
{
	return sizeof(struct nvme_cqe) * depth;
}

static u16 next(const struct nvme_ring *r, u16 i)
{
	return i + 1u == r->depth ? 0 : (u16)(i + 1u);
}

/* Steps from @from on to @to. */
static u32 distance(const struct nvme_ring *r, u16 from, u16 to)
{
	return to >= from ? (u32)to - from : (u32)to + r->depth - from;
}

void nvme_queue_reset(struct nvme_ring *r)
{
	r->sq_tail = r->sq_head = 0;
	r->pushed = r->shown = r->read = 0;
	r->cq_head = r->cq_given = 0;
	r->phase = true;
	r->broken = false;
	memset(r->cq, 0, nvme_cq_bytes(r->depth));
	for (u16 i = 0; i < r->nr_slots; i++)
		r->slot[i].queued = false;
}

void nvme_queue_init(struct nvme_ring *r)
{
	KASSERT(r->depth >= 2 && r->depth <= NVME_MAX_DEPTH);
	KASSERT(r->nr_slots && r->nr_slots < r->depth);
	r->in_flight = 0;
	r->free_head = 0;
	for (u16 i = 0; i < r->nr_slots; i++) {
		r->slot[i].index = i;
		r->slot[i].next_free = (u16)(i + 1u);
	}
	r->slot[r->nr_slots - 1].next_free = NVME_NO_SLOT;
	nvme_queue_reset(r);
}

static bool lied(struct nvme_ring *r, const char *why)
{
	r->broken = true;
	r->why = why;
	return false;
}

/* ---- slots */

struct nvme_slot *nvme_slot_get(struct nvme_ring *r, enum nvme_slot_kind kind)
{
	struct nvme_slot *s;
	u16 generation;

	if (r->free_head == NVME_NO_SLOT)
		return NULL;
	s = &r->slot[r->free_head];
	KASSERT(s->kind == NVME_SLOT_FREE && kind != NVME_SLOT_FREE);
	r->free_head = s->next_free;
	r->in_flight++;
	generation = (u16)(s->cid >> 8) + 1u;
	s->cid = (u16)(generation << 8 | s->index);
	s->kind = (u8)kind;
	s->retries = 0;
	s->aborting = false;
	s->queued = false;
	s->seg = s->seg_off = 0;
	s->sectors_done = 0;
	s->serial = r->next_serial++;
	s->ns = NULL;
	s->bio = NULL;
	s->sync = NULL;
	return s;
}

void nvme_slot_put(struct nvme_ring *r, struct nvme_slot *s)
{
	KASSERT(s->kind != NVME_SLOT_FREE && r->in_flight);
	s->kind = NVME_SLOT_FREE;
	s->next_free = r->free_head;
	r->free_head = s->index;
	r->in_flight--;
}

/* ---- submission */

void nvme_queue_push(struct nvme_ring *r, struct nvme_slot *s)
{
	KASSERT(s->kind != NVME_SLOT_FREE && !s->queued);
	KASSERT(r->pushed - r->read < r->depth - 1u); /* I2 */
	s->cmd.cid = s->cid;
	s->queued = true;
	s->sq_count = r->pushed++;
	r->sq[r->sq_tail] = s->cmd;
	r->sq_tail = next(r, r->sq_tail);
	r->nr_commands++;
}

bool nvme_queue_ring(struct nvme_ring *r)
{
	if (r->broken || r->pushed == r->shown)
		return false;
	r->shown = r->pushed;
	r->nr_sq_doorbells++;
	/* SQDB (release) - to the device. */
	mmio_write32(r->sq_tail, r->sqdb);
	return true;
}

/* ---- completion */

bool nvme_queue_has_news(const struct nvme_ring *r)
{
	u32 w = load_once(&r->cq[load_once(&r->cq_head)].cid_status);

	return ((w & NVME_CQE_PHASE) != 0) == load_once(&r->phase);
}

/* I2: the device has read at most what it was shown, and at least up to this
 * command.  How many entries it has read since the last time. */
static bool head_is_true(const struct nvme_ring *r, const struct nvme_slot *s,
			 u16 head, u32 *moved)
{
	if (head >= r->depth)
		return false;
	*moved = distance(r, r->sq_head, head);
	return r->read + *moved <= r->shown && r->read + *moved > s->sq_count;
}

static struct nvme_slot *slot_of(const struct nvme_ring *r, u16 cid)
{
	u16 index = cid & 0xff;
	struct nvme_slot *s;

	if (index >= r->nr_slots)
		return NULL;
	s = &r->slot[index];
	return s->kind != NVME_SLOT_FREE && s->queued && s->cid == cid ? s
								       : NULL;
}

bool nvme_queue_take(struct nvme_ring *r, struct nvme_done *done)
{
	const struct nvme_cqe *e = &r->cq[r->cq_head];
	u32 w = load_once(&e->cid_status);
	struct nvme_slot *s;
	u32 moved;
	u16 head;

	if (r->broken || ((w & NVME_CQE_PHASE) != 0) != r->phase)
		return false;
	/* PHASE (acquire) - from the device. */
	dma_rmb();
	head = load_once(&e->sq_head);
	s = slot_of(r, (u16)FIELD_GET(NVME_CQE_CID, w));
	if (!s)
		return lied(r, "completed a command that is not in flight");
	if (load_once(&e->sq_id) != r->qid)
		return lied(r, "completed a command of another queue");
	if (!head_is_true(r, s, head, &moved))
		return lied(r, "wrong position in the submission queue");
	done->slot = s;
	done->result = load_once(&e->result);
	done->status = (u16)FIELD_GET(NVME_CQE_STATUS, w);
	s->queued = false;
	r->sq_head = head;
	r->read += moved;
	r->nr_taken++;
	r->cq_head = next(r, r->cq_head);
	if (r->cq_head == 0)
		r->phase = !r->phase;
	return true;
}

bool nvme_queue_owes_much(const struct nvme_ring *r)
{
	return distance(r, r->cq_given, r->cq_head) >= r->depth / 4u;
}

bool nvme_queue_give(struct nvme_ring *r)
{
	/* Written for nothing it would confuse QEMU's count of pending queues. */
	if (r->cq_given == r->cq_head)
		return false;
	r->cq_given = r->cq_head;
	r->nr_cq_doorbells++;
	/* CQDB (release) - to the device. */
	mmio_write32(r->cq_head, r->cqdb);
	return true;
}
