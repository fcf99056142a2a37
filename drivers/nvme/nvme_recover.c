/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_recover.c - the worker, and the end of a device.
 *
 * A kernel thread for each controller does what takes time.  A command whose time
 * is over is aborted; when it is not answered within a grace, or when it is an
 * admin command, or the controller reports a fatal status, the controller is
 * reset, and the bios in flight are given to it again in their old order.  When
 * that fails too, or does not help several times in a row, the controller is dead.
 *
 * INVARIANTS
 *   I1  Nothing that the device may still write to is given back: a reset cancels
 *	 after CC.EN is seen to be off, nvme_die() after bus mastering is off.
 *   I2  The worker never waits for anything without a deadline of its own, since
 *	 nobody would end it.
 *   I3  state leaves LIVE by cmpxchg only, so reset, shutdown and death exclude
 *	 each other.
 *
 * Not here: who notices (nvme_watch.c), bring-up (nvme_ctrl.c).
 */
#include <drivers/nvme/nvme.h>

#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define ABORT_TIMEOUT_NS (5 * NSEC_PER_SEC)
#define ABORT_GRACE_NS	 (2 * NSEC_PER_SEC) /* for the aborted one to end */
#define DRAIN_NS	 (5 * NSEC_PER_SEC)
#define DELETE_NS	 (2 * NSEC_PER_SEC) /* of each queue, before a reset */
#define MAX_RESETS	 4u		    /* without an I/O that ended well */

void nvme_request(struct nvme_ctrl *c, u64 work)
{
	atomic_fetch_or(&c->work, work);
	wake_up_all(&c->work_wq);
}

static bool change_state(struct nvme_ctrl *c, enum nvme_state from,
			 enum nvme_state to)
{
	return atomic_cmpxchg(&c->state, (u32)from, (u32)to) == (u32)from;
}

/* ---- death */

void nvme_die(struct nvme_ctrl *c, const char *why)
{
	u32 nr;

	if (atomic_xchg(&c->state, (u32)NVME_DEAD) == NVME_DEAD)
		return;
	store_once(&c->why, why);
	pr_err("%s: broken: %s", c->name, why);
	pci_clear_master(c->pci);
	if (c->regs)
		nvme_wr32(c, NVME_CC, 0);
	for (u32 i = 0; i < nvme_nr_queues(c); i++)
		nvme_cancel(nvme_queue_nr(c, i), -EIO);
	/* NSLIST (acquire) - pairs with publish_ns(). */
	nr = load_acquire(&c->nr_ns);
	for (u32 i = 0; i < nr; i++) {
		if (load_once(&c->ns[i]->shown))
			blkdev_break(&c->ns[i]->bd);
	}
	wake_up_all(&c->work_wq);
	wake_up_all(&c->done_wq);
}

/* ---- time-outs */

/* A command of @q whose time is over, as a copy. */
static bool find_expired(struct nvme_queue *q, u64 now, struct nvme_slot *copy)
{
	bool found = false;

	spin_lock(&q->lock);
	for (u32 i = 0; i < q->ring.nr_slots && !found; i++) {
		struct nvme_slot *s = &q->ring.slot[i];

		if (s->kind == NVME_SLOT_FREE || s->limit_ns > now)
			continue;
		*copy = *s;
		s->aborting = true;
		s->limit_ns = now + ABORT_TIMEOUT_NS + ABORT_GRACE_NS;
		found = true;
	}
	spin_unlock(&q->lock);
	return found;
}

static int send_abort(struct nvme_ctrl *c, u16 qid, u16 cid)
{
	struct nvme_sync *s = nvme_sync_alloc(0);
	int err;

	if (!s)
		return -ENOMEM;
	s->cmd.opcode = NVME_ADM_ABORT;
	s->cmd.cdw10 = (u32)cid << 16 | qid;
	s->timeout_ns = ABORT_TIMEOUT_NS;
	atomic_add_relaxed(&c->nr_aborts, 1ull);
	err = nvme_sync_try(c->admin, s);
	if (!err && nvme_sc(s->status))
		err = -EIO;
	nvme_sync_put(s);
	return err;
}

/* False: only a reset helps. */
static bool abort_one(struct nvme_ctrl *c, struct nvme_queue *q,
		      const struct nvme_slot *s, u64 now)
{
	u64 ms = (now - s->start_ns) / NSEC_PER_MSEC;

	atomic_add_relaxed(&c->nr_timeouts, 1ull);
	pr_warn_ratelimited(
		"%s: queue %u: no answer to command %#x for %llu ms%s", c->name,
		q->ring.qid, s->cmd.opcode, (unsigned long long)ms,
		q == c->admin || s->aborting ? "" : ", aborting it");
	if (q == c->admin || s->aborting)
		return false;
	return send_abort(c, q->ring.qid, s->cid) == 0;
}

static bool abort_expired(struct nvme_ctrl *c)
{
	u64 now = clock_mono_ns();
	struct nvme_slot copy;

	for (u32 i = 0; i < nvme_nr_queues(c); i++) {
		struct nvme_queue *q = nvme_queue_nr(c, i);

		while (find_expired(q, now, &copy)) {
			if (!abort_one(c, q, &copy, now))
				return false;
		}
	}
	return true;
}

/* ---- reset */

/* Nothing new; and with @stop, nothing at all. */
static void close_queues(struct nvme_ctrl *c, bool stop)
{
	for (u32 i = 0; i < nvme_nr_queues(c); i++) {
		struct nvme_queue *q = nvme_queue_nr(c, i);

		spin_lock(&q->lock);
		q->open = false;
		q->deleting = q != c->admin;
		if (stop)
			q->running = false;
		spin_unlock(&q->lock);
	}
}

static void open_admin(struct nvme_ctrl *c)
{
	struct nvme_queue *q = c->admin;

	spin_lock(&q->lock);
	q->open = q->running;
	spin_unlock(&q->lock);
	wake_up_all(&q->room);
}

/*
 * A controller that still listens is told to forget its queues, so that it takes
 * back the interrupts of what we have not seen: QEMU does not when it is reset, and
 * holds its pin up for ever.
 */
static void forget_queues(struct nvme_ctrl *c)
{
	u32 csts = nvme_rd32(c, NVME_CSTS);

	close_queues(c, false);
	if ((csts & (NVME_CSTS_RDY | NVME_CSTS_CFS)) == NVME_CSTS_RDY &&
	    nvme_delete_ioqs(c, DELETE_NS))
		pr_warn_ratelimited("%s: does not delete its queues", c->name);
	close_queues(c, true);
}

static const char *restart(struct nvme_ctrl *c)
{
	if (nvme_disable(c))
		return "does not reset";
	for (u32 i = 0; i < nvme_nr_queues(c); i++)
		nvme_cancel(nvme_queue_nr(c, i), 0);
	if (nvme_enable(c))
		return "does not get ready after a reset";
	if (nvme_set_nr_queues(c) || c->nr_granted < c->nr_ioq)
		return "grants fewer queues after a reset";
	if (nvme_create_ioqs(c))
		return "takes no queues after a reset";
	return NULL;
}

static void reset(struct nvme_ctrl *c, bool for_user)
{
	const char *why;

	if (!change_state(c, NVME_LIVE, NVME_RESETTING))
		return;
	if (for_user)
		store_once(&c->resets_in_row, 0);
	else
		pr_warn_ratelimited("%s: resetting", c->name);
	atomic_add_relaxed(&c->nr_resets, 1ull);
	forget_queues(c);
	why = ++c->resets_in_row > MAX_RESETS ? "no answer after several resets"
					      : restart(c);
	if (why) {
		nvme_die(c, why);
		return;
	}
	if (!change_state(c, NVME_RESETTING, NVME_LIVE))
		return;
	open_admin(c);
	for (u32 i = 0; i < c->nr_ioq; i++)
		nvme_replay(c->ioq[i], !for_user);
	nvme_events_begin(c);
}

/* ---- modes */

static bool is_drained(struct nvme_queue *q)
{
	bool yes;

	spin_lock(&q->lock);
	yes = q->ring.in_flight == 0;
	spin_unlock(&q->lock);
	return yes;
}

/* No command in flight, new ones wait. */
static int drain(struct nvme_ctrl *c)
{
	u64 deadline = clock_mono_ns() + DRAIN_NS;
	int err = 0;

	for (u32 i = 0; i < c->nr_ioq; i++) {
		struct nvme_queue *q = c->ioq[i];

		spin_lock(&q->lock);
		q->open = false;
		spin_unlock(&q->lock);
	}
	for (u32 i = 0; i < c->nr_ioq && !err; i++)
		err = wait_event_timeout(&c->ioq[i]->room,
					 is_drained(c->ioq[i]), deadline);
	return err ? -EBUSY : 0;
}

static int remake_queues(struct nvme_ctrl *c)
{
	int err = nvme_delete_ioqs(c, nvme_admin_timeout_ns);

	for (u32 i = 0; i < c->nr_ioq; i++) {
		struct nvme_queue *q = c->ioq[i];

		spin_lock(&q->lock);
		q->running = false;
		q->mode = load_once(&c->want_mode);
		q->mean_ns = 0;
		spin_unlock(&q->lock);
	}
	return err ? err : nvme_create_ioqs(c);
}

static void change_modes(struct nvme_ctrl *c)
{
	int err = drain(c);

	if (!err && remake_queues(c)) {
		/* in between: begin from the beginning, with the new modes */
		reset(c, true);
		err = nvme_state(c) == NVME_LIVE ? 0 : -EIO;
	} else {
		for (u32 i = 0; i < c->nr_ioq; i++)
			nvme_replay(c->ioq[i], false);
	}
	store_once(&c->mode_err, err);
}

/* ---- the worker */

static void show_thread(void *arg)
{
	nvme_show_ns(arg);
}

static void rescan(struct nvme_ctrl *c)
{
	/* partition tables are read by a thread for which we can act */
	if (nvme_scan(c) || !kthread_create("nvme-scan", show_thread, c))
		pr_warn_ratelimited("%s: cannot look for namespaces", c->name);
}

void nvme_work(struct nvme_ctrl *c)
{
	u64 work = atomic_fetch_and(&c->work, ~NVME_WORK_ALL);

	if ((work & NVME_WORK_TIMEOUT) && nvme_state(c) == NVME_LIVE &&
	    !abort_expired(c))
		work |= NVME_WORK_RESET;
	if (work & NVME_WORK_RESET)
		reset(c, work & NVME_WORK_USER);
	if (nvme_state(c) == NVME_LIVE) {
		if (work & NVME_WORK_EVENT)
			nvme_events_handle(c);
		if (work & NVME_WORK_MODE)
			change_modes(c);
		if (work & NVME_WORK_RESCAN)
			rescan(c);
	}
	/* relaxed: whoever waits looks at the state, not at what was done */
	store_once(&c->served, work / NVME_WORK_TICKET);
	wake_up_all(&c->done_wq);
}

static void worker(void *arg)
{
	struct nvme_ctrl *c = arg;

	for (;;) {
		wait_event(&c->work_wq,
			   (load_once(&c->work) & NVME_WORK_ALL) != 0);
		nvme_work(c);
	}
}

int nvme_worker_start(struct nvme_ctrl *c)
{
	return kthread_create(c->name, worker, c) ? 0 : -ENOMEM;
}

/* ---- for users */

/* A ticket goes in together with the work, so who serves it has seen both. */
static u64 take_ticket(struct nvme_ctrl *c, u64 work)
{
	u64 old = load_once(&c->work), seen, next;

	for (;;) {
		next = (old + NVME_WORK_TICKET) | work;
		seen = atomic_cmpxchg(&c->work, old, next);
		if (seen == old)
			break;
		old = seen;
	}
	wake_up_all(&c->work_wq);
	return next / NVME_WORK_TICKET;
}

static int work_and_wait(struct nvme_ctrl *c, u64 work)
{
	u64 ticket = take_ticket(c, work);

	wait_event(&c->done_wq, load_once(&c->served) >= ticket ||
					nvme_state(c) >= NVME_DEAD);
	return nvme_state(c) == NVME_LIVE ? 0 : -EIO;
}

int nvme_user_reset(struct nvme_ctrl *c)
{
	return work_and_wait(c, NVME_WORK_RESET | NVME_WORK_USER);
}

int nvme_user_rescan(struct nvme_ctrl *c)
{
	return work_and_wait(c, NVME_WORK_RESCAN);
}

int nvme_change_mode(struct nvme_ctrl *c, enum nvme_mode mode)
{
	int err;

	store_once(&c->want_mode, (u8)mode);
	err = work_and_wait(c, NVME_WORK_MODE);
	return err ? err : load_once(&c->mode_err);
}

/* ---- shutdown */

void nvme_shut(struct nvme_ctrl *c)
{
	if (!change_state(c, NVME_LIVE, NVME_RESETTING))
		return;
	(void)drain(c);
	/* the notification counts even when they cannot be deleted */
	if (nvme_delete_ioqs(c, DELETE_NS))
		pr_warn("%s: queues stay at shutdown", c->name);
	nvme_notify_shutdown(c);
	close_queues(c, true);
	(void)change_state(c, NVME_RESETTING, NVME_SHUT);
}
