/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_watch.c - look, when nobody tells us to.
 *
 * The watch: a one-shot timer of each queue, armed while commands are in flight.
 * It finds completions whose interrupt was lost (a bounded delay instead of a
 * hang), commands whose time is over, and controllers that failed or went.  News
 * at its first look may have an interrupt on its way; only if they are still there
 * a little later, and no interrupt waits at this hart, one was lost.
 *
 * Polling: a second timer, due at once or, in hybrid mode, after half of what a
 * command takes on the average.  It looks for a bounded time, then the hart's loop
 * has its turn; the longer nothing comes the rarer it looks.
 *
 * INVARIANTS
 *   I1  While a running queue has a command with a limit, watch is armed.
 *   I2  While such a queue is polled, poll is armed.
 *   I3  Nothing is armed for an idle queue, once the last timer has fired.
 *
 * Context: timer callbacks, that is, a hart's loop.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>

#define WATCH_NS     (200 * NSEC_PER_MSEC)
#define SUSPECT_NS   (5 * NSEC_PER_MSEC)
#define FAR_NS	     (100 * NSEC_PER_MSEC) /* when another hart takes them */
#define MAX_LOST     16u		   /* in a row, then it is polled */
#define POLL_SPIN_NS (20 * NSEC_PER_USEC)
#define POLL_REST_NS NSEC_PER_MSEC /* at most, between two looks */

/* ---- watch */

void nvme_watch_begin(struct nvme_queue *q, u64 now)
{
	assert_held(&q->lock);
	if (q->watching)
		return;
	q->watching = true;
	ktimer_arm(&q->watch, now + WATCH_NS);
}

/* Earliest limit of what is in flight, ~0: nothing that has one. */
static u64 first_limit(const struct nvme_queue *q)
{
	u64 first = ~0ull;

	for (u32 i = 0; q->ring.in_flight && i < q->ring.nr_slots; i++) {
		if (q->ring.slot[i].kind != NVME_SLOT_FREE)
			first = min(first, q->ring.slot[i].limit_ns);
	}
	return first;
}

/* True: @q has news, and the interrupt may still come.  Looks again soon. */
static bool suspect(struct nvme_queue *q, u64 now, bool *lost)
{
	u64 mark = q->ring.nr_taken;
	bool second = q->suspect && q->suspect_at == mark;

	q->suspect = false;
	if (!q->running || q->mode != NVME_MODE_IRQ ||
	    !nvme_queue_has_news(&q->ring))
		return false;
	if (second) {
		*lost = q->irq_cpu != this_cpu() || !irq_is_waiting();
		return false;
	}
	q->suspect = true;
	q->suspect_at = mark;
	ktimer_arm(&q->watch,
		   now + (q->irq_cpu == this_cpu() ? SUSPECT_NS : FAR_NS));
	return true;
}

static void count_lost(struct nvme_queue *q)
{
	atomic_add_relaxed(&q->nr_lost, 1ull);
	pr_warn_ratelimited("%s: an interrupt was lost; found by looking",
			    q->ctrl->name);
	/* relaxed: one more or less */
	store_once(&q->lost_in_row, q->lost_in_row + 1);
	if (q->lost_in_row == MAX_LOST) {
		pr_warn("%s: interrupts do not come: polling", q->ctrl->name);
		store_once(&q->ctrl->want_mode, (u8)NVME_MODE_HYBRID);
		nvme_request(q->ctrl, NVME_WORK_MODE);
	}
}

static void check_controller(struct nvme_ctrl *c)
{
	u32 csts;

	if (nvme_state(c) != NVME_LIVE)
		return;
	csts = nvme_rd32(c, NVME_CSTS);
	if (csts == NVME_CSTS_GONE) {
		nvme_die(c, "does not answer any more");
	} else if (csts & NVME_CSTS_CFS) {
		pr_warn_ratelimited("%s: fatal status", c->name);
		nvme_request(c, NVME_WORK_RESET);
	}
}

static void watch(struct ktimer *t)
{
	struct nvme_queue *q = t->arg;
	u64 now = clock_mono_ns(), limit;
	bool lost = false, wait;

	spin_lock(&q->lock);
	wait = suspect(q, now, &lost);
	spin_unlock(&q->lock);
	if (wait)
		return;
	if (lost)
		count_lost(q);
	(void)nvme_reap(q);
	check_controller(q->ctrl);
	spin_lock(&q->lock);
	q->watching = false;
	limit = q->running ? first_limit(q) : ~0ull;
	if (limit != ~0ull)
		nvme_watch_begin(q, now);
	spin_unlock(&q->lock);
	if (limit <= now)
		nvme_request(q->ctrl, NVME_WORK_TIMEOUT);
}

/* ---- polling */

static void poll_arm(struct nvme_queue *q, u64 at)
{
	q->polling = true;
	ktimer_arm(&q->poll, at);
}

void nvme_poll_begin(struct nvme_queue *q, u64 now)
{
	assert_held(&q->lock);
	if (q->mode == NVME_MODE_IRQ || q->polling)
		return;
	q->poll_since = now;
	poll_arm(q, q->mode == NVME_MODE_HYBRID ? now + q->mean_ns / 2 : now);
}

static void poll_again(struct nvme_queue *q, u64 now, bool found)
{
	u64 rest;

	q->polling = false;
	if (q->mode == NVME_MODE_IRQ || !q->running || first_limit(q) == ~0ull)
		return;
	if (found) {
		nvme_poll_begin(q, now);
		return;
	}
	rest = (now - q->poll_since) / 4;
	if (rest < POLL_SPIN_NS)
		rest = 0;
	poll_arm(q, now + min(rest, POLL_REST_NS));
}

static void poll(struct ktimer *t)
{
	struct nvme_queue *q = t->arg;
	u64 start = clock_mono_ns(), now;
	bool found = false;

	do {
		if (nvme_queue_has_news(&q->ring))
			found = nvme_reap(q);
		else
			cpu_relax();
		now = clock_mono_ns();
	} while (!found && now - start < POLL_SPIN_NS);
	spin_lock(&q->lock);
	q->nr_polls++;
	q->nr_poll_hits += found;
	poll_again(q, now, found);
	spin_unlock(&q->lock);
}

void nvme_watch_init(struct nvme_queue *q)
{
	ktimer_init(&q->watch, watch, q);
	ktimer_init(&q->poll, poll, q);
}

void nvme_watch_stop(struct nvme_queue *q)
{
	(void)ktimer_cancel(&q->watch);
	(void)ktimer_cancel(&q->poll);
}
