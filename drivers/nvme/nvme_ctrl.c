/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_ctrl.c - bring a controller up and down, step by step.
 *
 * NVM Express 1.4, section 7.6.1 (initialisation), 7.6.2 (shutdown) and 7.3.2
 * (reset).  Every wait has a deadline, and a device that is not there any more
 * (all ones) ends it at once.
 *
 * Context: coroutine of the probe or the worker.
 * Not here: what the controller is (nvme_identify.c), recovery (nvme_recover.c).
 */
#include <drivers/nvme/nvme.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define WAIT_STEP_MIN_NS (100 * NSEC_PER_USEC)
#define WAIT_STEP_MAX_NS (10 * NSEC_PER_MSEC)
#define SETTLE_NS	 (2 * NSEC_PER_SEC) /* after a reset that went wrong */

/* ---- status */

/* Until CSTS & @mask is @want.  @fatal: CFS ends it. */
static int wait_status(struct nvme_ctrl *c, u32 mask, u32 want, u32 ms,
		       bool fatal)
{
	u64 now = clock_mono_ns(), deadline = now + ms * NSEC_PER_MSEC;
	u64 step = WAIT_STEP_MIN_NS;

	for (;;) {
		u32 v = nvme_rd32(c, NVME_CSTS);

		if (v == NVME_CSTS_GONE)
			return -ENODEV;
		if ((v & mask) == want)
			return 0;
		if (fatal && (v & NVME_CSTS_CFS))
			return -EIO;
		now = clock_mono_ns();
		if (now > deadline)
			return -ETIMEDOUT;
		(void)sleep_until_ns(now + step, false);
		step = min(2 * step, WAIT_STEP_MAX_NS);
	}
}

int nvme_disable(struct nvme_ctrl *c)
{
	u32 cc = nvme_rd32(c, NVME_CC);

	if (cc == ~0u)
		return -ENODEV;
	if (cc & NVME_CC_EN) {
		/* Just being enabled: it must be ready before [3.1.5, EN]. */
		(void)wait_status(c, NVME_CSTS_RDY, NVME_CSTS_RDY, c->ready_ms,
				  true);
		nvme_wr32(c, NVME_CC, cc & ~(u32)(NVME_CC_EN | NVME_CC_SHN));
	}
	return wait_status(c, NVME_CSTS_RDY, 0, c->ready_ms, false);
}

static void set_admin_queue(struct nvme_ctrl *c)
{
	const struct nvme_ring *r = &c->admin->ring;
	u32 n = r->depth - 1u;

	nvme_wr32(c, NVME_AQA,
		  (u32)(FIELD_PREP(NVME_AQA_ASQS, n) |
			FIELD_PREP(NVME_AQA_ACQS, n)));
	nvme_wr64(c, NVME_ASQ, virt_to_phys(r->sq));
	nvme_wr64(c, NVME_ACQ, virt_to_phys(r->cq));
}

static int enable_once(struct nvme_ctrl *c)
{
	struct nvme_queue *q = c->admin;

	spin_lock(&q->lock);
	nvme_queue_reset(&q->ring);
	spin_unlock(&q->lock);
	set_admin_queue(c);
	nvme_wr32(c, NVME_CC,
		  (u32)(NVME_CC_EN |
			FIELD_PREP(NVME_CC_IOSQES, NVME_SQES_LOG2) |
			FIELD_PREP(NVME_CC_IOCQES, NVME_CQES_LOG2)));
	return wait_status(c, NVME_CSTS_RDY, NVME_CSTS_RDY, c->ready_ms, true);
}

/* From here on the device may complete what is pushed. */
static void set_running(struct nvme_queue *q)
{
	spin_lock(&q->lock);
	/* nvme_die() sets the state before it stops the queues */
	q->running = nvme_state(q->ctrl) < NVME_DEAD;
	spin_unlock(&q->lock);
}

int nvme_enable(struct nvme_ctrl *c)
{
	int err = enable_once(c);

	if (err == -EIO) {
		/* Some are not fit so soon after a reset: with patience. */
		pr_warn("%s: fatal status when enabled, trying again", c->name);
		err = nvme_disable(c);
		(void)sleep_until_ns(clock_mono_ns() + SETTLE_NS, false);
		if (!err)
			err = enable_once(c);
	}
	if (!err)
		set_running(c->admin);
	return err;
}

void nvme_notify_shutdown(struct nvme_ctrl *c)
{
	u32 cc = nvme_rd32(c, NVME_CC);
	int err;

	if (cc == ~0u || !(cc & NVME_CC_EN))
		return;
	cc &= ~(u32)NVME_CC_SHN;
	nvme_wr32(c, NVME_CC,
		  cc | (u32)FIELD_PREP(NVME_CC_SHN, NVME_CC_SHN_NORMAL));
	err = wait_status(c, NVME_CSTS_SHST,
			  (u32)FIELD_PREP(NVME_CSTS_SHST, NVME_CSTS_SHST_DONE),
			  c->shutdown_ms, false);
	if (err)
		pr_warn("%s: does not shut down (error %d)", c->name, err);
}

/* ---- I/O queues */

/* One admin command without data.  0, or -errno; a status other than success is
 * -EIO. */
static int admin_command(struct nvme_ctrl *c, const struct nvme_sqe *cmd,
			 u64 timeout_ns, u64 *result)
{
	struct nvme_sync *s = nvme_sync_alloc(0);
	int err;

	if (!s)
		return -ENOMEM;
	s->cmd = *cmd;
	s->timeout_ns = timeout_ns;
	err = nvme_sync_try(c->admin, s);
	if (!err && nvme_sc(s->status)) {
		pr_err("%s: admin command %#x: status %#x", c->name,
		       cmd->opcode, s->status);
		err = -EIO;
	}
	if (result)
		*result = s->result;
	nvme_sync_put(s);
	return err;
}

int nvme_set_nr_queues(struct nvme_ctrl *c)
{
	u32 n = c->nr_wanted - 1;
	struct nvme_sqe cmd = {
		.opcode = NVME_ADM_SET_FEATURES,
		.cdw10 = NVME_FEAT_NR_QUEUES,
		.cdw11 = n << 16 | n,
	};
	u64 result;
	int err = admin_command(c, &cmd, nvme_admin_timeout_ns, &result);

	if (err)
		return err;
	c->nr_granted = (u32)min(result & 0xffff, result >> 16 & 0xffff) + 1;
	return 0;
}

static int create_cq(struct nvme_ctrl *c, const struct nvme_queue *q)
{
	const struct nvme_ring *r = &q->ring;
	struct nvme_sqe cmd = {
		.opcode = NVME_ADM_CREATE_CQ,
		.prp = { virt_to_phys(r->cq) },
		.cdw10 = (r->depth - 1u) << 16 | r->qid,
		.cdw11 = q->vector << NVME_CQ_VECTOR_SHIFT |
			 (u32)NVME_QUEUE_CONTIGUOUS,
	};

	if (q->mode == NVME_MODE_IRQ)
		cmd.cdw11 |= (u32)NVME_CQ_INTERRUPTS;
	return admin_command(c, &cmd, nvme_admin_timeout_ns, NULL);
}

static int create_sq(struct nvme_ctrl *c, const struct nvme_queue *q)
{
	const struct nvme_ring *r = &q->ring;
	const struct nvme_sqe cmd = {
		.opcode = NVME_ADM_CREATE_SQ,
		.prp = { virt_to_phys(r->sq) },
		.cdw10 = (r->depth - 1u) << 16 | r->qid,
		.cdw11 = (u32)r->qid << NVME_SQ_CQID_SHIFT |
			 (u32)NVME_QUEUE_CONTIGUOUS,
	};

	return admin_command(c, &cmd, nvme_admin_timeout_ns, NULL);
}

int nvme_create_ioqs(struct nvme_ctrl *c)
{
	for (u32 i = 0; i < c->nr_ioq; i++) {
		struct nvme_queue *q = c->ioq[i];
		int err;

		spin_lock(&q->lock);
		nvme_queue_reset(&q->ring);
		spin_unlock(&q->lock);
		err = create_cq(c, q);
		if (!err)
			err = create_sq(c, q);
		if (err)
			return err;
		set_running(q);
	}
	return 0;
}

int nvme_delete_ioqs(struct nvme_ctrl *c, u64 timeout_ns)
{
	for (u32 i = 0; i < c->nr_ioq; i++) {
		struct nvme_sqe cmd = {
			.opcode = NVME_ADM_DELETE_SQ,
			.cdw10 = c->ioq[i]->ring.qid,
		};
		int err = admin_command(c, &cmd, timeout_ns, NULL);

		cmd.opcode = NVME_ADM_DELETE_CQ;
		if (!err)
			err = admin_command(c, &cmd, timeout_ns, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* ---- memory */

static void set_doorbells(struct nvme_ctrl *c, struct nvme_ring *r)
{
	u32 stride = 4u << FIELD_GET(NVME_CAP_DSTRD, c->cap);

	r->sqdb = c->regs + NVME_DB_BASE + 2u * r->qid * stride;
	r->cqdb = c->regs + NVME_DB_BASE + (2u * r->qid + 1) * stride;
}

static int ring_memory(struct nvme_queue *q)
{
	struct nvme_ring *r = &q->ring;

	r->slot = kcalloc(r->nr_slots, sizeof(*r->slot));
	r->sq = alloc_pages_exact(nvme_sq_bytes(r->depth), GFP_ZERO);
	r->cq = alloc_pages_exact(nvme_cq_bytes(r->depth), GFP_ZERO);
	if (q->list_bytes)
		q->lists = alloc_pages_exact(
			(size_t)q->list_bytes * r->nr_slots, GFP_ZERO);
	if (!r->slot || !r->sq || !r->cq || (q->list_bytes && !q->lists))
		return -ENOMEM;
	for (u32 i = 0; q->lists && i < r->nr_slots; i++) {
		u8 *list = (u8 *)q->lists + (size_t)i * q->list_bytes;

		r->slot[i].list = (u64 *)(void *)list;
	}
	return 0;
}

void nvme_queue_free(struct nvme_queue *q)
{
	struct nvme_ring *r = &q->ring;

	if (r->sq)
		free_pages_exact(r->sq, nvme_sq_bytes(r->depth));
	if (r->cq)
		free_pages_exact(r->cq, nvme_cq_bytes(r->depth));
	if (q->lists)
		free_pages_exact(q->lists, (size_t)q->list_bytes * r->nr_slots);
	kfree(r->slot);
	kfree(q);
}

struct nvme_queue *nvme_queue_alloc(struct nvme_ctrl *c, u16 qid, u16 depth,
				    u32 list_bytes)
{
	struct nvme_queue *q = kzalloc(sizeof(*q));

	if (!q)
		return NULL;
	KASSERT(list_bytes <= PAGE_SIZE &&
		(list_bytes & (list_bytes - 1)) == 0);
	q->ctrl = c;
	q->list_bytes = list_bytes;
	q->ring.qid = qid;
	q->ring.depth = depth;
	q->ring.nr_slots = (u16)(depth - 1u);
	spin_init(&q->lock, "nvme queue", RANK_DEV);
	list_init(&q->pending);
	waitq_init(&q->room);
	nvme_watch_init(q);
	if (ring_memory(q)) {
		nvme_queue_free(q);
		return NULL;
	}
	set_doorbells(c, &q->ring);
	nvme_queue_init(&q->ring);
	return q;
}
