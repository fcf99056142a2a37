/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net_watch.c - what a virtio network device owes us.
 *
 * A timer looks while receive buffers are missing, more has come than one interrupt
 * may take, or somebody waits for room to send.  A device that sends nothing for
 * TX_TIMEOUT_NS while the ring is full, or that asks for it, is reset by a thread and
 * goes on as it was configured; frames that it had are lost.
 *
 * Context: the timer (loop context) and the recovery thread.
 */
#include <drivers/virtio/virtio_net_core.h>

#include <kernel/log.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>

#define TX_TIMEOUT_NS (5 * NSEC_PER_SEC)
#define TX_LOOK_NS    (500 * NSEC_PER_MSEC)

static struct list_head all = LIST_HEAD_INIT(all); /* [boot] to append */
static struct waitq recovery_wq = WAITQ_INIT(recovery_wq);
static u32 reset_wanted; /* [a] of some device */

/* ---- the timer */

void vnet_watch_in(struct vnet *vn, u64 ns)
{
	u64 when = clock_mono_ns() + ns;

	spin_lock(&vn->timer_lock);
	if (when < vn->timer_due) {
		vn->timer_due = when;
		ktimer_arm(&vn->timer, when);
	}
	spin_unlock(&vn->timer_lock);
}

/* Somebody waits; since when has the device sent nothing?  0: nobody does. */
static u64 tx_stuck_since(struct vnet *vn)
{
	u64 since = 0;

	spin_lock(&vn->tx.lock);
	if (vn->state == VNET_UP && vn->tx.full)
		since = vn->tx.progress_ns;
	spin_unlock(&vn->tx.lock);
	return since;
}

static void watch(struct ktimer *t)
{
	struct vnet *vn = t->arg;
	u64 since;

	spin_lock(&vn->timer_lock);
	vn->timer_due = ~0ull;
	spin_unlock(&vn->timer_lock);
	vnet_rx_poll(vn);
	vnet_tx_poll(vn);
	since = tx_stuck_since(vn);
	if (!since)
		return;
	if (clock_mono_ns() > since + TX_TIMEOUT_NS)
		vnet_want_reset(vn, "sends nothing for 5 seconds");
	else
		vnet_watch_in(vn, TX_LOOK_NS);
}

/* ---- recovery */

void vnet_want_reset(struct vnet *vn, const char *why)
{
	store_once(&vn->why, why);
	if (atomic_xchg(&vn->want_reset, 1u))
		return;
	store_once(&reset_wanted, 1u);
	wake_up_all(&recovery_wq);
}

static void recover(struct vnet *vn)
{
	mutex_lock(&vn->conf);
	if (load_once(&vn->state) == VNET_UP) {
		pr_warn_ratelimited("%s: reset: %s", vn->nd.name, vn->why);
		vn->nr_resets++;
		vnet_halt(vn);
		if (vnet_start(vn))
			vnet_die(vn, "does not come back from a reset");
	}
	mutex_unlock(&vn->conf);
}

static void recovery(void *arg __unused)
{
	struct vnet *vn;

	for (;;) {
		wait_event(&recovery_wq, load_once(&reset_wanted));
		store_once(&reset_wanted, 0u);
		list_for_each_entry(vn, &all, all) {
			if (atomic_xchg(&vn->want_reset, 0u))
				recover(vn);
		}
	}
}

void vnet_watch_init(struct vnet *vn)
{
	if (list_empty(&all) &&
	    !kthread_create("vnet-recovery", recovery, NULL))
		pr_err("%s: no memory for the recovery thread", vn->vd->name);
	list_add_tail(&vn->all, &all);
	spin_init(&vn->timer_lock, "virtio-net-timer", RANK_DEV);
	vn->timer_due = ~0ull;
	ktimer_init(&vn->timer, watch, vn);
}
