/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_poll.c - wait for a bio, by looking or asleep.
 *
 * The coroutine that waits asks the driver again and again whether the device is
 * done; in between the hart serves others.  A device that takes longer than usual
 * is left to its interrupt.  In hybrid mode the first half of the usual time is
 * slept, when that is long enough for a timer to be worth it.
 *
 * By default (auto) looking has to pay, and what pays is measured: how long waits for
 * bios of a kind and size take when they look, and when they sleep.  Whatever is not
 * chosen is tried once in EXPLORE waits, so a choice that some disturbance has made
 * does not stay.  Short waits look unless sleeping is clearly better, for a service
 * hart has nothing better to do; longer ones only if looking is clearly better; a hart
 * on which somebody's program could run meanwhile never does.
 *
 * `virtio_blk.mode=` chooses the mode at boot (auto, irq, poll, hybrid), queue/io_poll
 * and queue/io_poll_delay of /sys later.
 *
 * ORDERING
 *   BIOEND  status and data before `done`, which the waiter reads first.
 *
 * Context: coroutine, no spinlock held.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define POLL_MAX_NS   (2 * NSEC_PER_MSEC)
#define POLL_LEAST_NS (100 * NSEC_PER_USEC)
#define SLEEP_LEAST   (200 * NSEC_PER_USEC)
#define SHORT_NS      (200 * NSEC_PER_USEC)
#define LOOKS	      16u /* between two at the clock and at others' work */
#define EXPLORE	      64u
#define MEAN_MOST_NS  (250 * NSEC_PER_MSEC)

static bool ended(const u32 *done)
{
	/* BIOEND (acquire) - pairs with the end of the bio, blk_sync.c and others. */
	return load_acquire(done);
}

/* ---- what waits took lately */

static u32 mean(const struct blk_waits *w, enum blk_way way)
{
	return load_once(&w->mean_ns[way]);
}

/* What got better is believed sooner: it may be tried rarely.  A lost update does not
 * matter, and one wait that took very long says little. */
static void learn(struct blk_waits *w, enum blk_way way, u64 ns)
{
	u64 old = mean(w, way), seen = min_t(u64, ns, MEAN_MOST_NS);

	if (!old)
		old = seen;
	else if (seen < old)
		old = (old + seen) / 2;
	else
		old += (min(seen, 8 * old) - old) / 8;
	store_once(&w->mean_ns[way], max((u32)old, 1u));
}

static bool pays(const struct blk_waits *w)
{
	u64 look = mean(w, BLK_LOOK), sleep = mean(w, BLK_SLEEP);

	if (!look)
		return true;
	if (!sleep)
		return look <= SHORT_NS;
	if (look <= SHORT_NS)
		return look <= sleep + sleep / 8;
	return look <= POLL_MAX_NS && look + look / 8 < sleep;
}

static bool auto_looks(struct blk_waits *w)
{
	u32 nr = load_once(&w->nr) + 1;

	if (app_mask() & BIT(this_cpu()))
		return false;
	store_once(&w->nr, nr);
	return pays(w) != (nr % EXPLORE == 0);
}

/* ---- looking */

static u64 look_until(u32 mode, const struct blk_waits *w, u64 now)
{
	u64 usual = mean(w, BLK_LOOK);

	if (mode == BLK_WAIT_POLL || !usual)
		return now + POLL_MAX_NS;
	return now + clamp(2 * usual, POLL_LEAST_NS, POLL_MAX_NS);
}

static bool look(struct blkdev *disk, u32 hwq, const u32 *done)
{
	for (u32 i = 0; i < LOOKS && !ended(done); i++) {
		if (!disk->ops->poll(disk, hwq))
			cpu_relax();
	}
	return ended(done);
}

static void look_for_end(struct blkdev *disk, u64 deadline, const u32 *done)
{
	u32 hwq = blk_this_hwq(disk);

	disk->ops->poll_begin(disk, hwq);
	while (!look(disk, hwq, done) && clock_mono_ns() < deadline)
		cond_resched();
	disk->ops->poll_end(disk, hwq);
}

static bool looks(const struct blkdev *disk, u32 mode, struct blk_waits *w)
{
	if (mode == BLK_WAIT_IRQ || !disk->ops->poll)
		return false;
	if (relay_block_hart && relay_block_hart != this_hart())
		return false; /* it does not look at others' queues */
	return mode != BLK_WAIT_AUTO || auto_looks(w);
}

void blk_wait(struct blkdev *bd, u32 op, u32 nr_sectors, struct waitq *wq,
	      const u32 *done)
{
	struct blkdev *disk = bd->whole;
	struct blk_waits *w = &disk->waits[min_t(u32, op, BIO_FLUSH)]
					  [blk_size_class(nr_sectors)];
	u32 mode = load_once(&disk->wait_mode);
	enum blk_way way = BLK_SLEEP;
	u64 start;

	if (ended(done))
		return;
	start = clock_mono_ns();
	if (looks(disk, mode, w)) {
		u64 half = mean(w, BLK_LOOK) / 2;

		way = BLK_LOOK;
		if (mode == BLK_WAIT_HYBRID && half >= SLEEP_LEAST)
			(void)sleep_until_ns(start + half, false);
		look_for_end(disk, look_until(mode, w, clock_mono_ns()), done);
	}
	wait_event(wq, ended(done));
	learn(w, way, clock_mono_ns() - start);
}

int blk_wait_mode_parse(const char *s)
{
	static const char *const name[] = { "auto", "irq", "poll", "hybrid" };

	for (u32 i = 0; i < ARRAY_SIZE(name); i++) {
		if (!strcmp(s, name[i]))
			return (int)i;
	}
	return -1;
}
