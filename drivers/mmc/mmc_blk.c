/* SPDX-License-Identifier: MIT */
/*
 * drivers/mmc/mmc_blk.c - an SD card in an SPI slot as a block device.
 *
 * Requests queue up and a thread works them off one by one: a card does one thing
 * at a time, and talking to it keeps a hart busy.  A card has no cache that must be
 * flushed: a write has ended when the card is not busy any more.
 *
 * What fails is tried again, first as it is (a checksum), then after the card was
 * initialised anew.  When that fails, or another card answers, the disk is broken.
 *
 * INVARIANTS
 *   I1  Only the thread talks to the card once the disk is registered.
 *   I2  A bio is on the queue or in the thread's hands, and ended once.
 *
 * Locking: host->lock (RANK_DEV) for the queue.
 * A slot that is empty at boot is watched by its switch: the first card that is put in
 * becomes the disk.  A card that was pulled stays gone.
 *
 * Not here: the protocol (sd_spi.c).
 */
#include <drivers/mmc/sd_spi.h>

#include <drivers/mmc/sd_spec.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/fmt.h>

#define MMC_MAJOR	179u
#define MMC_MINORS	8u   /* of a disk, its partitions included */
#define MMC_MAX_SECTORS 256u /* in one go */
#define DEFAULT_HZ	20000000u
#define CRC_TRIES	3u
#define RESET_TRIES	2u
#define SETTLE_MS	300u /* from the switch's contact to the card's */

struct mmc_host {
	struct blkdev bd;
	struct sd_card card; /* I1 */
	struct spinlock lock;
	struct list_head queue; /* [lock] of bios, oldest first */
	struct waitq wq;
	struct gpio detect; /* [I] the slot's switch; chip NULL: none */
	bool noticed;	    /* [a] it has moved, perhaps */
};

static u32 nr_hosts; /* boot: probes run one after another */

/* ---- blocks of a bio's memory */

struct walk {
	const struct bio *bio;
	u32 seg;   /* the one that the last block was in */
	u32 first; /* its first block */
};

/* Blocks are asked for in order, so the walk goes forwards only. */
static u8 *block_of(void *ctx, u32 i)
{
	struct walk *w = ctx;

	while (i - w->first >= w->bio->seg[w->seg].len / SD_BLOCK) {
		w->first += w->bio->seg[w->seg].len / SD_BLOCK;
		w->seg++;
		KASSERT(w->seg < w->bio->nr_segs);
	}
	return (u8 *)w->bio->seg[w->seg].addr + (i - w->first) * SD_BLOCK;
}

static int transfer_once(struct mmc_host *h, const struct bio *bio)
{
	struct walk w = { .bio = bio };

	if (bio->op == BIO_READ)
		return sd_read(&h->card, bio->sector, bio->nr_sectors, block_of,
			       &w);
	return sd_write(&h->card, bio->sector, bio->nr_sectors, block_of, &w);
}

/* ---- trying again */

static int transfer_checked(struct mmc_host *h, const struct bio *bio)
{
	int err = -EILSEQ;

	for (u32 try = 0; try < CRC_TRIES && err == -EILSEQ; try++) {
		err = transfer_once(h, bio);
		if (err == -EILSEQ)
			pr_warn_ratelimited("%s: wrong checksum at sector %llu",
					    h->bd.name,
					    (unsigned long long)bio->sector);
	}
	return err;
}

/* The same card as before, ready for requests? */
static int reinit(struct mmc_host *h)
{
	struct sd_card again = h->card;
	int err = sd_init(&again);

	if (err)
		return err;
	return again.nr_sectors == h->card.nr_sectors &&
			       again.block_addresses == h->card.block_addresses
		       ? 0
		       : -ENODEV;
}

static int transfer(struct mmc_host *h, const struct bio *bio)
{
	int err = transfer_checked(h, bio);

	for (u32 try = 0; try < RESET_TRIES && err; try++) {
		int fatal;

		pr_warn_ratelimited("%s: %s of sector %llu: error %d",
				    h->bd.name,
				    bio->op == BIO_READ ? "read" : "write",
				    (unsigned long long)bio->sector, err);
		fatal = reinit(h);
		if (fatal) {
			pr_err("%s: the card does not come back: error %d",
			       h->bd.name, fatal);
			blkdev_break(&h->bd);
			return -EIO;
		}
		err = transfer_checked(h, bio);
	}
	return err ? -EIO : 0;
}

/* ---- queue */

static struct bio *next_bio(struct mmc_host *h)
{
	struct bio *bio = NULL;

	spin_lock(&h->lock);
	if (!list_empty(&h->queue)) {
		bio = list_first_entry(&h->queue, struct bio, node);
		list_del(&bio->node);
	}
	spin_unlock(&h->lock);
	return bio;
}

static void mmc_thread(void *arg)
{
	struct mmc_host *h = arg;
	struct bio *bio;

	for (;;) {
		wait_event(&h->wq, (bio = next_bio(h)) != NULL);
		bio_done(bio,
			 load_once(&h->bd.broken) ? -EIO : transfer(h, bio));
	}
}

static int mmc_submit(struct blkdev *bd, struct bio *bio)
{
	struct mmc_host *h = bd->priv;

	KASSERT(bio->op == BIO_READ || bio->op == BIO_WRITE);
	spin_lock(&h->lock);
	list_add_tail(&bio->node, &h->queue);
	spin_unlock(&h->lock);
	wake_up_all(&h->wq);
	return 0;
}

static const struct blkdev_ops mmc_ops = { .submit = mmc_submit };

/* ---- probe */

static int add_disk(struct mmc_host *h)
{
	struct blkdev *bd = &h->bd;
	u32 nr = nr_hosts++;

	scnprintf(bd->name, sizeof(bd->name), "mmcblk%u", nr);
	bd->dev = MKDEV(MMC_MAJOR, nr * MMC_MINORS);
	bd->nr_minors = MMC_MINORS;
	bd->ops = &mmc_ops;
	bd->nr_sectors = h->card.nr_sectors;
	bd->block_size = SD_BLOCK;
	bd->max_sectors = MMC_MAX_SECTORS;
	bd->read_only = h->card.write_protected;
	bd->priv = h;
	spin_init(&h->lock, "mmc", RANK_DEV);
	list_init(&h->queue);
	waitq_init(&h->wq);
	if (!kthread_create(bd->name, mmc_thread, h))
		return -ENOMEM;
	pr_info("%s: SD%s card, %u kHz%s", bd->name,
		h->card.block_addresses ? "HC" : "", h->card.hz / 1000,
		bd->read_only ? ", write-protected" : "");
	return blkdev_register(bd);
}

static int find_switch(struct gpio *detect, int node)
{
	int err = gpio_from_fdt(node, "gpios", 0, detect);

	if (err)
		detect->chip = NULL;
	else
		gpio_input(detect);
	return err == -ENOENT ? 0 : err;
}

/* As the switch says, where there is one. */
static bool card_present(const struct gpio *detect)
{
	return !detect->chip || gpio_get(detect) != detect->active_low;
}

static int find_slot(struct sd_card *c, int node)
{
	c->bus = spi_bus_of(node);
	if (!c->bus)
		return -EPROBE_DEFER;
	if (fdt_prop_u32(boot_fdt, node, "reg", &c->chip) || c->chip > 31)
		return -EINVAL;
	c->max_hz = DEFAULT_HZ;
	(void)fdt_prop_u32(boot_fdt, node, "spi-max-frequency", &c->max_hz);
	return c->max_hz ? 0 : -EINVAL;
}

static int start_card(struct mmc_host *h)
{
	int err = sd_init(&h->card);

	if (err) {
		pr_warn("mmc: the card in the slot cannot be used: error %d",
			err);
		return -ENODEV;
	}
	return add_disk(h);
}

/* ---- an empty slot */

static void switch_moved(void *arg)
{
	struct mmc_host *h = arg;

	store_once(&h->noticed, true);
	wake_up_all(&h->wq);
}

/* Until there is a card that works. */
static void slot_thread(void *arg)
{
	struct mmc_host *h = arg;
	int err = 0;

	while (!err) {
		store_once(&h->noticed, false);
		err = gpio_watch(&h->detect, !h->detect.active_low,
				 switch_moved, h);
		if (err)
			break;
		wait_event(&h->wq, load_once(&h->noticed));
		(void)sleep_until_ns(
			clock_mono_ns() + SETTLE_MS * NSEC_PER_MSEC, false);
		if (!card_present(&h->detect))
			continue;
		if (!start_card(h))
			return;
		/* not again before it was taken out */
		store_once(&h->noticed, false);
		err = gpio_watch(&h->detect, h->detect.active_low, switch_moved,
				 h);
		if (!err)
			wait_event(&h->wq, load_once(&h->noticed));
	}
	pr_warn("mmc: the slot's switch does not interrupt: error %d", err);
}

static int mmc_setup(struct mmc_host *h, int node)
{
	int err = find_slot(&h->card, node);

	if (!err)
		err = find_switch(&h->detect, node);
	if (err)
		return err;
	if (card_present(&h->detect))
		return start_card(h);
	pr_info("mmc: no card in the slot");
	waitq_init(&h->wq);
	return kthread_create("mmc-slot", slot_thread, h) ? 0 : -ENOMEM;
}

static int mmc_probe(int node)
{
	struct mmc_host *h = kzalloc(sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	err = mmc_setup(h, node);
	if (err && !h->bd.ops) /* a disk that was begun stays */
		kfree(h);
	return err;
}

static const char *const mmc_compatible[] = { "mmc-spi-slot", NULL };

DT_DRIVER(mmc_spi) = {
	.name = "mmc-spi",
	.compatible = mmc_compatible,
	.probe = mmc_probe,
	.stage = DT_DEVICE,
};
