/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_poll.c - wait for a bio by looking instead of sleeping.
 *
 * The coroutine that waits asks the driver again and again whether the device is
 * done; in between the hart serves others.  A device that takes longer than usual
 * is left to its interrupt.  In hybrid mode the first half of the usual time is
 * slept, when that is long enough for a timer to be worth it.
 *
 * By default (auto) looking has to pay: a bio of this kind usually takes no longer
 * than AUTO_MOST_NS, of which waking this hart by an interrupt is a good part, and
 * the hart is a service hart only, on which nobody else's program could run meanwhile.
 *
 * `virtio_blk.mode=` chooses the mode at boot (auto, irq, poll, hybrid), queue/io_poll
 * and queue/io_poll_delay of /sys later.
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
#define AUTO_MOST_NS  (200 * NSEC_PER_USEC)

/* What bios of this kind and size took lately; 0: not known. */
static u64 usual_ns(const struct blkdev *disk, u32 op, u32 nr_sectors)
{
	if (op > BIO_FLUSH)
		return 0;
	return load_once(&disk->mean_ns[op][blk_size_class(nr_sectors)]);
}

static bool pays(u64 usual)
{
	return usual && usual <= AUTO_MOST_NS &&
	       !(app_mask() & BIT(this_cpu()));
}

static u64 poll_until(u32 mode, u64 usual)
{
	u64 ns = mode == BLK_WAIT_POLL
			 ? POLL_MAX_NS
			 : clamp(2 * usual, POLL_LEAST_NS, POLL_MAX_NS);

	return clock_mono_ns() + ns;
}

static bool ended(const u32 *done)
{
	/* BIOEND (acquire) - pairs with sync_end(). */
	return load_acquire(done);
}

bool blk_poll(struct blkdev *bd, u32 op, u32 nr_sectors, const u32 *done)
{
	struct blkdev *disk = bd->whole;
	u32 mode = load_once(&disk->wait_mode), hwq;
	u64 usual, deadline;

	if (mode == BLK_WAIT_IRQ || !disk->ops->poll || ended(done))
		return ended(done);
	usual = usual_ns(disk, op, nr_sectors);
	if (mode == BLK_WAIT_AUTO && !pays(usual))
		return false;
	if (mode == BLK_WAIT_HYBRID && usual / 2 >= SLEEP_LEAST)
		(void)sleep_until_ns(clock_mono_ns() + usual / 2, false);
	hwq = blk_this_hwq(disk);
	deadline = poll_until(mode, usual);
	disk->ops->poll_begin(disk, hwq);
	while (!ended(done)) {
		if (disk->ops->poll(disk, hwq) && ended(done))
			break;
		if (clock_mono_ns() > deadline)
			break;
		cond_resched();
		cpu_relax();
	}
	disk->ops->poll_end(disk, hwq);
	return ended(done);
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
