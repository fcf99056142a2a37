/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_blk_watch.c - interrupts that do not come, devices that do
 * not answer.
 *
 * While anything is in flight a timer looks twice a second.  What it finds used may
 * have its interrupt on the way, for the timer may just have been faster: it only
 * takes note, and a second look VBLK_GRACE_NS later, with no interrupt in between,
 * ends the bios and counts a lost one.
 *
 * A device that asks for a reset, or has a request for VBLK_TIMEOUT_NS, is reset by
 * a thread; what it had is started again.  When it has done nothing between two
 * resets it is given up.
 *
 * Context: timers (loop context) and the recovery thread.
 */
#include <drivers/virtio/virtio_blk_core.h>

#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>

#define VBLK_WATCH_NS	(500 * NSEC_PER_MSEC)
#define VBLK_GRACE_NS	(20 * NSEC_PER_MSEC)
#define VBLK_TIMEOUT_NS (30 * NSEC_PER_SEC)

static struct list_head all = LIST_HEAD_INIT(all); /* [boot] to append */
static struct waitq recovery_wq = WAITQ_INIT(recovery_wq);
static u32 reset_wanted; /* [a] of some disk */

/* ---- the timer */

void vblk_watch_begin(struct vblk *vb, u64 now)
{
	/* I3: the timer clears it, then takes every queue's lock to see whether
	 * something is in flight; we hold one of them. */
	if (load_once(&vb->watching) || atomic_xchg(&vb->watching, 1u))
		return;
	ktimer_arm(&vb->watch, now + VBLK_WATCH_NS);
}

/* When the oldest bio in flight was started, ~0 for none. */
static u64 oldest_start(struct vblk_queue *q)
{
	u64 oldest = ~0ull;

	spin_lock(&q->lock);
	for (u32 i = 0; q->nr_in_flight && i < q->nr_slots; i++) {
		if (q->slot[i].bio)
			oldest = min(oldest, q->slot[i].start_ns);
	}
	spin_unlock(&q->lock);
	return oldest;
}

/* True: something is there that nobody has come for; look again soon. */
static bool look(struct vblk_queue *q)
{
	const struct virtqueue *vq = q->vq;
	u64 irqs = load_once(&vq->nr_interrupts);
	bool used, same, polled;

	spin_lock(&q->lock);
	used = vring_has_used(&vq->ring);
	same = q->irqs_seen == irqs && q->used_seen == vq->ring.used_seen;
	polled = q->pollers;
	q->irqs_seen = irqs;
	q->used_seen = vq->ring.used_seen;
	spin_unlock(&q->lock);
	if (!used) {
		q->stuck = false;
		return false;
	}
	if (!q->stuck || !same) {
		q->stuck = true;
		return true;
	}
	q->stuck = false;
	if (vblk_complete(q) && !polled && q->vb->nr_lost++ == 0)
		pr_warn("%s: an interrupt was lost; found by looking",
			q->vb->bd.name);
	return false;
}

static bool in_flight(struct vblk *vb)
{
	bool any = false;

	for (u32 i = 0; i < vb->bd.nr_hwq; i++) {
		spin_lock(&vb->queue[i].lock);
		any |= vb->queue[i].nr_in_flight != 0;
		spin_unlock(&vb->queue[i].lock);
	}
	return any;
}

static void watch(struct ktimer *t)
{
	struct vblk *vb = t->arg;
	u64 now = clock_mono_ns(), oldest = ~0ull;
	bool soon = false;

	for (u32 i = 0; i < vb->bd.nr_hwq; i++) {
		oldest = min(oldest, oldest_start(&vb->queue[i]));
		soon |= look(&vb->queue[i]);
	}
	if (load_once(&vb->state) == VBLK_LIVE) {
		if (virtio_needs_reset(vb->vd))
			vblk_want_reset(vb, "asks for a reset");
		else if (oldest < now && now - oldest > VBLK_TIMEOUT_NS)
			vblk_want_reset(vb, "no answer for 30 seconds");
	}
	store_once(&vb->watching, 0u);
	if (in_flight(vb) && !atomic_xchg(&vb->watching, 1u))
		ktimer_arm(&vb->watch,
			   now + (soon ? VBLK_GRACE_NS : VBLK_WATCH_NS));
}

/* ---- recovery */

void vblk_want_reset(struct vblk *vb, const char *why)
{
	store_once(&vb->why, why);
	if (atomic_xchg(&vb->want_reset, 1u))
		return;
	store_once(&reset_wanted, 1u);
	wake_up_all(&recovery_wq);
}

static u64 nr_done(const struct vblk *vb)
{
	u64 nr = 0;

	for (u32 kind = 0; kind < ARRAY_SIZE(vb->bd.stat_ios); kind++)
		nr += vb->bd.stat_ios[kind];
	return nr;
}

/* They go on from the beginning, on the clock too. */
static void start_again(struct list_head *bios)
{
	struct bio *bio, *next;
	u64 now = clock_mono_ns();

	list_for_each_entry_safe(bio, next, bios, node) {
		list_del(&bio->node);
		bio->start_ns = now;
		bio_retry(bio);
	}
}

static void recover(struct vblk *vb)
{
	struct list_head bios;
	int err;

	if (load_once(&vb->state) != VBLK_LIVE)
		return;
	if (vb->nr_resets && in_flight(vb) &&
	    vb->done_at_reset == nr_done(vb) &&
	    !load_once(&vb->reset_by_user)) {
		vblk_die(vb, "nothing done since the last reset");
		return;
	}
	vb->done_at_reset = nr_done(vb);
	vb->nr_resets++;
	pr_warn_ratelimited("%s: reset: %s", vb->bd.name, vb->why);
	vblk_set_state(vb, VBLK_RESETTING);
	list_init(&bios);
	err = virtio_reset(vb->vd);
	if (!err) {
		vblk_take_back(vb, &bios);
		err = virtio_restart(vb->vd);
	}
	if (!err) {
		virtio_ready(vb->vd);
		vblk_set_state(vb, VBLK_LIVE);
	} else {
		vblk_die(vb, "does not come back from a reset");
	}
	start_again(&bios);
	blkdev_kick(&vb->bd);
}

static void recovery(void *arg __unused)
{
	struct vblk *vb;

	for (;;) {
		wait_event(&recovery_wq, load_once(&reset_wanted));
		store_once(&reset_wanted, 0u);
		list_for_each_entry(vb, &all, all_node) {
			if (!load_once(&vb->want_reset))
				continue;
			recover(vb);
			store_once(&vb->reset_by_user, false);
			store_once(&vb->want_reset, 0u);
		}
	}
}

void vblk_watch_init(struct vblk *vb)
{
	if (list_empty(&all) &&
	    !kthread_create("vblk-recovery", recovery, NULL))
		pr_err("%s: no memory for the recovery thread", vb->bd.name);
	list_add_tail(&vb->all_node, &all);
	ktimer_init(&vb->watch, watch, vb);
}
