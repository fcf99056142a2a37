/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_poll.c - wait for a bio by looking instead of sleeping.
 *
 * The coroutine that waits asks the driver again and again whether the device is
 * done; in between the hart serves others.  A device that takes longer than usual
 * is left to its interrupt.  In hybrid mode the first half of the usual time is
 * slept, when that is long enough for a timer to be worth it.
 *
 * `virtio_blk.mode=` chooses the mode at boot (irq, poll, hybrid), queue/io_poll and
 * queue/io_poll_delay of /sys later.
 *
 * Context: coroutine, no spinlock held.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/init.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define POLL_MAX_NS   (2 * NSEC_PER_MSEC)
#define POLL_LEAST_NS (100 * NSEC_PER_USEC)
#define SLEEP_LEAST   (200 * NSEC_PER_USEC)

/* What bios of this kind and size took lately; 0: not known. */
static u64 usual_ns(const struct blkdev *disk, const struct bio *bio)
{
	if (bio->op > BIO_WRITE)
		return 0;
	return load_once(&disk->mean_ns[bio->op][blk_size_class(bio)]);
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

bool blk_poll(struct blkdev *bd, const struct bio *bio, const u32 *done)
{
	struct blkdev *disk = bd->whole;
	u32 mode = load_once(&disk->wait_mode), hwq;
	u64 usual, deadline;

	if (mode == BLK_WAIT_IRQ || !disk->ops->poll || ended(done))
		return ended(done);
	usual = usual_ns(disk, bio);
	if (mode == BLK_WAIT_HYBRID && usual / 2 >= SLEEP_LEAST)
		(void)sleep_until_ns(bio->start_ns + usual / 2, false);
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
	static const char *const name[] = { "irq", "poll", "hybrid" };

	for (u32 i = 0; i < ARRAY_SIZE(name); i++) {
		if (!strcmp(s, name[i]))
			return (int)i;
	}
	return -1;
}
