/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_cmd.c - commands in flight: begin, wait, end.
 *
 * INVARIANTS
 *   I1  What ends, ends once: its slot is free before its owner hears of it.
 *   I2  When a device has lied it is stopped (nvme_die()) before any bio of the
 *	 same batch ends: it cannot write into memory that has a new owner.
 *   I3  After the last completion entry was given back a queue is looked at once
 *	 more.  QEMU lowers the pin when the CQ is empty at that moment and not
 *	 before, and its PLIC takes note of rising edges only (drivers/irq/plic.c):
 *	 an entry that arrived between our last look and the doorbell would keep the
 *	 pin up, and no interrupt would ever come again.
 *
 * ORDERING
 *   SYNCEND  result and data before `done`, which the waiter reads first.
 *
 * Context: nvme_reap() - any, no lock held; waiting - coroutine.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define REAP_ROUNDS 8u /* of taking all there is, then others have a turn */

u16 nvme_sc(u16 status)
{
	return status & (u16)NVME_SC_MASK;
}

/* ---- what somebody waits for */

struct nvme_sync *nvme_sync_alloc(u32 len)
{
	struct nvme_sync *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->len = len;
	s->timeout_ns = nvme_admin_timeout_ns;
	waitq_init(&s->wq);
	if (len)
		s->buf = alloc_pages_exact(len, GFP_ZERO);
	if (len > 2 * PAGE_SIZE)
		s->list = get_free_page(0);
	if ((len && !s->buf) || (len > 2 * PAGE_SIZE && !s->list)) {
		nvme_sync_put(s);
		return NULL;
	}
	return s;
}

void nvme_sync_put(struct nvme_sync *s)
{
	if (!atomic_dec_and_test(&s->refs))
		return;
	if (s->buf)
		free_pages_exact(s->buf, s->len);
	if (s->list)
		free_page_addr(s->list);
	kfree(s);
}

static void sync_pages(struct nvme_sync *s)
{
	const struct bio_seg seg = { .addr = s->buf, .len = s->len };
	struct nvme_prp_pos pos = { 0 };
	u64 list[2];

	if (!s->buf)
		return;
	nvme_prp_fill(&seg, &pos, s->len, s->list ? s->list : list,
		      s->list ? virt_to_phys(s->list) : 0, s->cmd.prp);
}

static void push(struct nvme_queue *q, struct nvme_slot *slot, u64 timeout_ns)
{
	u64 now = clock_mono_ns();

	slot->start_ns = now;
	slot->limit_ns = now + timeout_ns;
	nvme_queue_push(&q->ring, slot);
	(void)nvme_queue_ring(&q->ring);
	nvme_watch_begin(q, now);
	nvme_poll_begin(q, now);
}

static int sync_start(struct nvme_queue *q, struct nvme_sync *s, bool worker)
{
	struct nvme_slot *slot = NULL;
	int err = 0;

	sync_pages(s);
	spin_lock(&q->lock);
	if (nvme_state(q->ctrl) >= NVME_DEAD)
		err = -EIO;
	else if (q->running && (q->open || worker))
		slot = nvme_slot_get(&q->ring, NVME_SLOT_SYNC);
	if (!err && !slot)
		err = -EBUSY;
	if (!err) {
		atomic_inc(&s->refs);
		slot->sync = s;
		slot->cmd = s->cmd;
		push(q, slot, s->timeout_ns);
	}
	spin_unlock(&q->lock);
	return err;
}

static bool sync_is_done(const struct nvme_sync *s)
{
	/* SYNCEND (acquire) - pairs with sync_end(). */
	return load_acquire(&s->done);
}

static void sync_end(struct nvme_sync *s)
{
	/* SYNCEND (release) - pairs with sync_is_done(). */
	store_release(&s->done, 1u);
	wake_up_all(&s->wq);
	nvme_sync_put(s);
}

static bool has_room(struct nvme_queue *q)
{
	bool yes;

	spin_lock(&q->lock);
	yes = nvme_state(q->ctrl) >= NVME_DEAD ||
	      (q->running && q->open && q->ring.free_head != NVME_NO_SLOT);
	spin_unlock(&q->lock);
	return yes;
}

int nvme_sync_run(struct nvme_queue *q, struct nvme_sync *s)
{
	int err;

	while ((err = sync_start(q, s, false)) == -EBUSY) {
		err = wait_event_interruptible(&q->room, has_room(q));
		if (err)
			return err;
	}
	if (err)
		return err;
	wait_event(&s->wq, sync_is_done(s));
	return s->err;
}

int nvme_sync_try(struct nvme_queue *q, struct nvme_sync *s)
{
	u64 deadline = clock_mono_ns() + s->timeout_ns;
	int err = sync_start(q, s, true);

	if (err)
		return err;
	err = wait_event_timeout(&s->wq, sync_is_done(s), deadline);
	return sync_is_done(s) ? s->err : err;
}

int nvme_admin_read(struct nvme_ctrl *c, const struct nvme_sqe *cmd, u32 bytes,
		    struct nvme_sync **out)
{
	struct nvme_sync *s = nvme_sync_alloc(bytes);
	int err;

	if (!s)
		return -ENOMEM;
	s->cmd.opcode = cmd->opcode;
	s->cmd.nsid = cmd->nsid;
	s->cmd.cdw10 = cmd->cdw10;
	err = nvme_sync_try(c->admin, s);
	if (!err && nvme_sc(s->status))
		err = -EIO;
	if (err)
		nvme_sync_put(s);
	else
		*out = s;
	return err;
}

/* ---- ends */

struct ended {
	struct list_head bios;
	struct list_head syncs;
};

static void ended_init(struct ended *e)
{
	list_init(&e->bios);
	list_init(&e->syncs);
}

/* The bios' ends submit others: one doorbell for all of them. */
static void end_all(struct ended *e)
{
	struct nvme_sync *s, *next_s;
	struct bio *bio, *next;

	list_for_each_entry_safe(s, next_s, &e->syncs, node) {
		list_del(&s->node);
		sync_end(s);
	}
	if (list_empty(&e->bios))
		return;
	blk_plug();
	list_for_each_entry_safe(bio, next, &e->bios, node) {
		list_del(&bio->node);
		bio_done(bio, bio->status);
	}
	blk_unplug();
}

static void end_bio(struct nvme_queue *q, struct nvme_slot *slot,
		    struct ended *e)
{
	slot->ns->nr_active[q->ring.qid - 1]--;
	list_add_tail(&slot->bio->node, &e->bios);
	nvme_slot_put(&q->ring, slot);
}

/* An answer to an asynchronous event request; errors are not asked again. */
static void end_event(struct nvme_queue *q, const struct nvme_done *d)
{
	struct nvme_ctrl *c = q->ctrl;

	nvme_slot_put(&q->ring, d->slot);
	if (nvme_sc(d->status))
		return;
	/* relaxed: one of several at once may replace another of its kind */
	store_once(
		&c->event[load_once(&c->events_ready) % ARRAY_SIZE(c->event)],
		(u32)d->result);
	atomic_inc(&c->events_ready);
	nvme_request(c, NVME_WORK_EVENT);
}

static void note_time(struct nvme_queue *q, const struct nvme_slot *slot)
{
	u64 ns;

	if (q->mode == NVME_MODE_IRQ)
		return;
	ns = clock_mono_ns() - slot->start_ns;
	q->mean_ns = q->mean_ns ? (7 * q->mean_ns + ns) / 8 : ns;
}

static void end_one(struct nvme_queue *q, const struct nvme_done *d,
		    struct ended *e)
{
	struct nvme_sync *s;

	note_time(q, d->slot);
	switch ((enum nvme_slot_kind)d->slot->kind) {
	case NVME_SLOT_BIO:
		if (nvme_bio_step(q, d->slot, d->status))
			end_bio(q, d->slot, e);
		break;
	case NVME_SLOT_SYNC:
		s = d->slot->sync;
		s->status = d->status;
		s->result = d->result;
		list_add_tail(&s->node, &e->syncs);
		nvme_slot_put(&q->ring, d->slot);
		break;
	case NVME_SLOT_EVENT:
		end_event(q, d);
		break;
	case NVME_SLOT_FREE:
		panic("nvme: completion of a free slot");
	}
}

void nvme_start_pending(struct nvme_queue *q)
{
	assert_held(&q->lock);
	while (q->running && q->open && !list_empty(&q->pending) &&
	       q->ring.free_head != NVME_NO_SLOT) {
		struct bio *bio =
			list_first_entry(&q->pending, struct bio, node);

		list_del(&bio->node);
		nvme_bio_start(q, bio->dev->whole->priv, bio);
	}
}

/* Take all there is, several times (I3); true if there was any.  @early: its entries
 * are given back later, if there is room. */
static bool take_all(struct nvme_queue *q, bool early, struct ended *e)
{
	struct nvme_done d;
	bool found = false;

	for (u32 round = 0; round < REAP_ROUNDS; round++) {
		while (nvme_queue_take(&q->ring, &d)) {
			found = true;
			end_one(q, &d, e);
		}
		if (early && !nvme_queue_owes_much(&q->ring))
			break;
		if (!nvme_queue_give(&q->ring))
			break;
	}
	return found;
}

static bool reap(struct nvme_queue *q, bool early)
{
	struct ended e;
	const char *why;
	bool found = false;

	ended_init(&e);
	spin_lock(&q->lock);
	if (q->running)
		found = take_all(q, early, &e);
	why = q->running && q->ring.broken ? q->ring.why : NULL;
	if (found && !why) {
		nvme_start_pending(q);
		if (nvme_queue_ring(&q->ring))
			nvme_poll_begin(q, clock_mono_ns());
	}
	spin_unlock(&q->lock);
	if (why)
		nvme_die(q->ctrl, why);
	if (found) {
		end_all(&e);
		wake_up_all(&q->room);
	}
	return found;
}

bool nvme_reap(struct nvme_queue *q)
{
	return reap(q, false);
}

bool nvme_reap_early(struct nvme_queue *q)
{
	/* a pin stays up until the entries are given back */
	return reap(q, q->ctrl->pci->irq_kind == PCI_IRQ_MSIX &&
			       load_once(&q->mode) == NVME_MODE_IRQ);
}

/* ---- cancel */

static void cancel_slot(struct nvme_queue *q, struct nvme_slot *slot, int err,
			struct ended *e)
{
	switch ((enum nvme_slot_kind)slot->kind) {
	case NVME_SLOT_BIO:
		if (err) {
			slot->bio->status = err;
			end_bio(q, slot, e);
		}
		break;
	case NVME_SLOT_SYNC:
		slot->sync->err = err ? err : -EINTR;
		list_add_tail(&slot->sync->node, &e->syncs);
		nvme_slot_put(&q->ring, slot);
		break;
	case NVME_SLOT_EVENT:
		nvme_slot_put(&q->ring, slot);
		break;
	case NVME_SLOT_FREE:
		break;
	}
}

static void cancel_pending(struct nvme_queue *q, int err, struct ended *e)
{
	while (!list_empty(&q->pending)) {
		struct bio *bio =
			list_first_entry(&q->pending, struct bio, node);
		struct nvme_ns *ns = bio->dev->whole->priv;

		list_del(&bio->node);
		ns->nr_active[q->ring.qid - 1]--;
		bio->status = err;
		list_add_tail(&bio->node, &e->bios);
	}
}

void nvme_cancel(struct nvme_queue *q, int err)
{
	struct ended e;

	ended_init(&e);
	spin_lock(&q->lock);
	q->running = q->open = false;
	for (u32 i = 0; i < q->ring.nr_slots; i++)
		cancel_slot(q, &q->ring.slot[i], err, &e);
	if (err)
		cancel_pending(q, err, &e);
	spin_unlock(&q->lock);
	end_all(&e);
	wake_up_all(&q->room);
}

/* ---- replay */

/* The oldest bio that is not pushed, or NULL. */
static struct nvme_slot *oldest_idle(struct nvme_queue *q)
{
	struct nvme_slot *oldest = NULL;

	for (u32 i = 0; i < q->ring.nr_slots; i++) {
		struct nvme_slot *s = &q->ring.slot[i];

		if (s->kind == NVME_SLOT_BIO && !s->queued &&
		    (!oldest || s->serial < oldest->serial))
			oldest = s;
	}
	return oldest;
}

void nvme_replay(struct nvme_queue *q, bool count)
{
	struct nvme_slot *s;
	struct ended e;

	ended_init(&e);
	spin_lock(&q->lock);
	q->deleting = false;
	while (q->running && (s = oldest_idle(q))) {
		if (nvme_bio_replay(q, s, count))
			continue;
		s->bio->status = -EIO;
		end_bio(q, s, &e);
	}
	/* nvme_die() may have been quicker: then running is false */
	q->open = q->running;
	nvme_start_pending(q);
	if (q->running && nvme_queue_ring(&q->ring))
		nvme_poll_begin(q, clock_mono_ns());
	spin_unlock(&q->lock);
	end_all(&e);
	wake_up_all(&q->room);
}

/* ---- asynchronous events */

int nvme_event_submit(struct nvme_ctrl *c)
{
	struct nvme_queue *q = c->admin;
	struct nvme_slot *slot = NULL;

	spin_lock(&q->lock);
	if (q->running)
		slot = nvme_slot_get(&q->ring, NVME_SLOT_EVENT);
	if (slot) {
		slot->cmd = (struct nvme_sqe){
			.opcode = NVME_ADM_ASYNC_EVENT,
		};
		slot->limit_ns = ~0ull;
		nvme_queue_push(&q->ring, slot);
		(void)nvme_queue_ring(&q->ring);
	}
	spin_unlock(&q->lock);
	return slot ? 0 : -EBUSY;
}
