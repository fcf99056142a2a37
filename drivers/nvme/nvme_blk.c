/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_blk.c - a bio becomes commands, one after another.
 *
 * Mostly one: a bio of whole pages is one list of pages.  Where its segments do
 * not fit together (nvme_prp.h) the slot carries the bio out in pieces, each
 * started by the end of the one before.  So a bio never needs more than one slot.
 *
 * INVARIANTS
 *   I1  A bio that we own is in one slot, or on one queue's pending list;
 *	 ns->nr_active counts them, for each queue.
 *   I2  -EBUSY is answered only while the namespace has another bio with that
 *	 queue, whose end makes the core try again.
 *
 * Context: submit and commit as in kernel/dev/blk.h.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/assert.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

/* ---- commands */

static u64 first_block(const struct nvme_ns *ns, const struct nvme_slot *s)
{
	return (s->bio->sector + s->sectors_done) >>
	       (ns->lba_shift - SECTOR_SHIFT);
}

static u32 in_blocks(const struct nvme_ns *ns, u32 sectors)
{
	return sectors >> (ns->lba_shift - SECTOR_SHIFT);
}

static void build_rw(const struct nvme_queue *q, struct nvme_slot *s)
{
	const struct nvme_ns *ns = s->ns;
	const struct bio *bio = s->bio;
	const struct nvme_prp_limits lim = {
		.max_bytes = q->ctrl->max_bytes,
		.block_size = 1u << ns->lba_shift,
		.nr_entries = q->list_bytes / (u32)sizeof(u64),
	};
	struct nvme_prp_pos pos = { .seg = s->seg, .off = s->seg_off };
	u32 bytes = nvme_prp_run(bio->seg, bio->nr_segs, pos, &lim);
	u64 first = first_block(ns, s);

	KASSERT(bytes); /* addresses were checked in nvme_submit() */
	s->piece_sectors = bytes >> SECTOR_SHIFT;
	s->cmd.opcode = bio->op == BIO_READ ? NVME_CMD_READ : NVME_CMD_WRITE;
	nvme_prp_fill(bio->seg, &pos, bytes, s->list, virt_to_phys(s->list),
		      s->cmd.prp);
	s->cmd.cdw10 = (u32)first;
	s->cmd.cdw11 = (u32)(first >> 32);
	s->cmd.cdw12 = in_blocks(ns, s->piece_sectors) - 1;
	if (bio->op == BIO_WRITE && (bio->flags & BIO_FUA))
		s->cmd.cdw12 |= (u32)NVME_RW_FUA;
}

static void build_discard(struct nvme_slot *s)
{
	struct nvme_dsm_range *range = (void *)s->list;

	s->piece_sectors = s->bio->nr_sectors;
	*range = (struct nvme_dsm_range){
		.nr_blocks = in_blocks(s->ns, s->piece_sectors),
		.first = first_block(s->ns, s),
	};
	s->cmd.opcode = NVME_CMD_DSM;
	s->cmd.prp[0] = virt_to_phys(range);
	s->cmd.cdw11 = (u32)NVME_DSM_DEALLOCATE;
}

static void build_zeroes(struct nvme_slot *s)
{
	u64 first = first_block(s->ns, s);

	s->piece_sectors = s->bio->nr_sectors;
	s->cmd.opcode = NVME_CMD_WRITE_ZEROES;
	s->cmd.cdw10 = (u32)first;
	s->cmd.cdw11 = (u32)(first >> 32);
	s->cmd.cdw12 = in_blocks(s->ns, s->piece_sectors) - 1;
}

/* The next piece of the slot's bio, pushed. */
static void issue(struct nvme_queue *q, struct nvme_slot *s)
{
	assert_held(&q->lock);
	s->cmd = (struct nvme_sqe){ .nsid = s->ns->nsid };
	switch ((enum bio_op)s->bio->op) {
	case BIO_READ:
	case BIO_WRITE:
		build_rw(q, s);
		break;
	case BIO_FLUSH:
		s->cmd.opcode = NVME_CMD_FLUSH;
		s->piece_sectors = 0;
		break;
	case BIO_DISCARD:
		build_discard(s);
		break;
	case BIO_WRITE_ZEROES:
		build_zeroes(s);
		break;
	}
	s->start_ns = clock_mono_ns();
	s->limit_ns = s->start_ns + nvme_io_timeout_ns;
	s->aborting = false;
	nvme_queue_push(&q->ring, s);
	nvme_watch_begin(q, s->start_ns);
}

void nvme_bio_start(struct nvme_queue *q, struct nvme_ns *ns, struct bio *bio)
{
	struct nvme_slot *s = nvme_slot_get(&q->ring, NVME_SLOT_BIO);

	KASSERT(s);
	s->ns = ns;
	s->bio = bio;
	issue(q, s);
}

/* ---- ends */

static int status_errno(u16 status)
{
	switch (nvme_sc(status)) {
	case NVME_SC_OK:
		return 0;
	case NVME_SC_INVALID_OPCODE:
		return -EOPNOTSUPP;
	case NVME_SC_CAPACITY:
		return -ENOSPC;
	case NVME_SC_WRITE_PROTECTED:
	case NVME_SC_READ_ONLY_RANGE:
		return -EROFS;
	default:
		return -EIO;
	}
}

/* Nothing wrong with the request or the medium: it may go better next time. */
static bool worth_retrying(u16 status)
{
	if (status & NVME_SC_DNR)
		return false;
	switch (nvme_sc(status)) {
	case NVME_SC_DATA_XFER:
	case NVME_SC_POWER_LOSS:
	case NVME_SC_INTERNAL:
	case NVME_SC_ABORTED:
	case NVME_SC_SQ_DELETED:
	case NVME_SC_INTERRUPTED:
	case NVME_SC_TRANSIENT:
	case NVME_SC_NS_NOT_READY:
		return true;
	default:
		return false;
	}
}

/* Behind what the piece has moved. */
static void advance(struct nvme_slot *s)
{
	u32 bytes = s->piece_sectors << SECTOR_SHIFT;

	s->sectors_done += s->piece_sectors;
	while (bytes) {
		u32 n = s->bio->seg[s->seg].len - s->seg_off;

		n = min(n, bytes);
		bytes -= n;
		s->seg_off += n;
		if (s->seg_off == s->bio->seg[s->seg].len) {
			s->seg++;
			s->seg_off = 0;
		}
	}
}

/* A new command id: an answer to the last one is not one to this.  Into a queue
 * that is being deleted it goes by nvme_replay(). */
static void issue_again(struct nvme_queue *q, struct nvme_slot *s)
{
	if (q->deleting)
		return;
	s->cid = (u16)(s->cid + 0x100u);
	issue(q, s);
}

bool nvme_bio_step(struct nvme_queue *q, struct nvme_slot *s, u16 status)
{
	struct bio *bio = s->bio;

	if (nvme_sc(status) == NVME_SC_OK) {
		store_once(&q->ctrl->resets_in_row, 0); /* relaxed: a measure */
		if (bio->nr_segs)
			advance(s);
		if (bio->nr_segs && s->sectors_done < bio->nr_sectors) {
			issue_again(q, s);
			return false;
		}
	} else if (q->deleting) {
		/* We are killing it: what it says of the medium may not be true.
		 * nvme_replay() asks again, and counts. */
		return false;
	} else if ((s->aborting || worth_retrying(status)) &&
		   s->retries < NVME_MAX_RETRIES) {
		s->retries++;
		issue_again(q, s);
		return false;
	}
	bio->status = status_errno(status);
	return true;
}

bool nvme_bio_replay(struct nvme_queue *q, struct nvme_slot *s, bool count)
{
	if (count && s->retries == NVME_MAX_RETRIES)
		return false;
	s->retries += count;
	issue_again(q, s);
	return true;
}

/* ---- from the core */

static bool addresses_fit(const struct bio *bio)
{
	for (u32 i = 0; i < bio->nr_segs; i++) {
		if ((uintptr_t)bio->seg[i].addr & 3)
			return false;
	}
	return true;
}

static struct nvme_queue *queue_of(const struct blkdev *bd, u32 hwq)
{
	const struct nvme_ns *ns = bd->priv;

	return ns->ctrl->ioq[hwq];
}

static int nvme_submit(struct blkdev *bd, struct bio *bio)
{
	struct nvme_queue *q = queue_of(bd, bio->hwq);
	struct nvme_ns *ns = bd->priv;
	u32 *nr_active = &ns->nr_active[bio->hwq];
	int err = 0;

	if (!addresses_fit(bio))
		return -EINVAL;
	spin_lock(&q->lock);
	if (nvme_state(q->ctrl) >= NVME_DEAD || load_once(&ns->gone)) {
		err = -EIO;
	} else if (q->running && q->open && list_empty(&q->pending) &&
		   q->ring.free_head != NVME_NO_SLOT) {
		++*nr_active;
		nvme_bio_start(q, ns, bio);
	} else if (q->open && *nr_active) {
		err = -EBUSY;
	} else {
		++*nr_active;
		list_add_tail(&bio->node, &q->pending);
	}
	spin_unlock(&q->lock);
	return err;
}

static void nvme_commit(struct blkdev *bd, u32 hwq)
{
	struct nvme_queue *q = queue_of(bd, hwq);

	spin_lock(&q->lock);
	if (q->running && nvme_queue_ring(&q->ring))
		nvme_poll_begin(q, clock_mono_ns());
	spin_unlock(&q->lock);
}

/* Somebody looks instead of sleeping (queue/io_poll).  The interrupt still comes:
 * a completion queue is told whether it has one when it is made. */
static u32 nvme_poll(struct blkdev *bd, u32 hwq)
{
	struct nvme_queue *q = queue_of(bd, hwq);

	/* a look without the lock: what is missed is seen next time */
	if (!nvme_queue_has_news(&q->ring) || !nvme_reap_early(q))
		return 0;
	atomic_add_relaxed(&q->nr_poll_hits, 1ull);
	return 1;
}

static void nvme_poll_nothing(struct blkdev *bd, u32 hwq)
{
	(void)bd;
	(void)hwq;
}

const struct blkdev_ops nvme_blk_ops = {
	.submit = nvme_submit,
	.commit = nvme_commit,
	.poll = nvme_poll,
	.poll_begin = nvme_poll_nothing,
	.poll_end = nvme_poll_nothing,
	.ioctl = nvme_ns_ioctl,
};
