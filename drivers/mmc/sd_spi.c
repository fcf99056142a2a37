/* SPDX-License-Identifier: MIT */
/*
 * drivers/mmc/sd_spi.c - SD cards in SPI mode [SD Physical Layer Simplified
 * Specification 9.10, chapter 7].
 *
 * A conversation is select, command, answer, data, deselect.  All of it carries
 * checksums, which both sides check.  Short waits poll, long ones sleep.
 *
 * INVARIANTS
 *   I1  A transfer of several blocks that was begun is stopped, whatever happens
 *	 in it: the card takes commands again.
 *   I2  The hart is not kept for longer than one block's transfer.
 *
 * ERRATA
 *   A boot loader may leave a card in the middle of a transfer, and cards that
 *   were just powered do not all hear the first reset: it is tried several times,
 *   with enough clocks in between to end what was under way.
 *
 * Locking: the bus's lock for the length of a conversation.
 * Not here: requests (mmc_blk.c), what a card is (sd_csd.c).
 */
#include <drivers/mmc/sd_spi.h>

#include <drivers/mmc/sd_csd.h>
#include <drivers/mmc/sd_spec.h>
#include <kernel/log.h>
#include <kernel/time/clock.h>
#include <lib/crc.h>
#include <lib/errno.h>
#include <lib/string.h>

#define IDENTIFY_HZ 400000u /* while nobody knows the card [6.4.1] */
#define WAKE_BYTES  10u	    /* at least 74 clocks [6.4.1] */
#define RESET_TRIES 8u
#define FLUSH_BYTES (SD_BLOCK + 16u)
#define READY_MS    1000u /* power-up: ACMD41 [4.2.3] */
#define READ_MS	    300u  /* three times the specified [4.6.2.1] */
#define WRITE_MS    1000u /* twice [4.6.2.2] */
#define SPIN_BYTES  64u	  /* of a wait, before it sleeps */
#define NAP_NS	    (100 * NSEC_PER_USEC)

/* ---- bytes, with the bus locked and the card selected */

static int send(const struct sd_card *c, const u8 *tx, size_t len)
{
	return c->bus->ops->transfer(c->bus, tx, NULL, len);
}

static int receive(const struct sd_card *c, u8 *rx, size_t len)
{
	return c->bus->ops->transfer(c->bus, NULL, rx, len);
}

/* Receive until the byte is (@want_idle) or is not 0xff; the last one in *@b. */
static int wait_byte(const struct sd_card *c, bool want_idle, u32 timeout_ms,
		     u8 *b)
{
	u64 deadline = clock_mono_ns() + timeout_ms * NSEC_PER_MSEC;

	for (u32 n = 1;; n++) {
		int err = receive(c, b, 1);

		if (err || (*b == 0xff) == want_idle)
			return err;
		if (n % SPIN_BYTES)
			continue;
		if (clock_mono_ns() > deadline)
			return -ETIMEDOUT;
		(void)sleep_until_ns(clock_mono_ns() + NAP_NS, false);
	}
}

/* While a card is busy it holds the line low [7.2.4]. */
static int wait_ready(const struct sd_card *c, u32 timeout_ms)
{
	u8 b;

	return wait_byte(c, true, timeout_ms, &b);
}

/* The first byte of the answer, or -errno; -ENODEV: none. */
static int command_now(const struct sd_card *c, u32 index, u32 arg)
{
	u8 frame[SD_COMMAND_LEN] = {
		(u8)(SD_COMMAND_START | index),
		(u8)(arg >> 24),
		(u8)(arg >> 16),
		(u8)(arg >> 8),
		(u8)arg,
	};
	u8 r1 = SD_R1_NONE;
	int err;

	frame[5] = crc7(0, frame, 5) | SD_COMMAND_STOP;
	err = send(c, frame, sizeof(frame));
	if (!err && index == SD_STOP) /* a stuff byte first [7.3.1.3] */
		err = receive(c, &r1, 1);
	r1 = SD_R1_NONE;
	for (u32 i = 0; i < SD_ANSWER_BYTES && (r1 & SD_R1_NONE) && !err; i++)
		err = receive(c, &r1, 1);
	if (err)
		return err;
	if (r1 & SD_R1_NONE)
		return -ENODEV;
	return r1 & SD_R1_CRC ? -EILSEQ : r1;
}

static int command(const struct sd_card *c, u32 index, u32 arg)
{
	int err = wait_ready(c, WRITE_MS);

	return err ? err : command_now(c, index, arg);
}

/* A command whose answer must be @want. */
static int expect(const struct sd_card *c, u32 index, u32 arg, int want)
{
	int r = command(c, index, arg);

	if (r < 0)
		return r == -ENODEV ? -EIO : r;
	return r == want ? 0 : -EIO;
}

static int app_command(const struct sd_card *c, u32 index, u32 arg)
{
	int r = command(c, SD_APP, 0);

	if (r < 0 || (r & ~(int)SD_R1_IDLE))
		return r < 0 ? r : -EIO;
	return command(c, index, arg);
}

/* The 4 bytes behind R1 of some answers. */
static int receive_word(const struct sd_card *c, u32 *v)
{
	u8 b[4];
	int err = receive(c, b, sizeof(b));

	*v = (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
	return err;
}

/* ---- blocks of data */

static int receive_data(const struct sd_card *c, u8 *buf, size_t len)
{
	u8 token, crc[2];
	int err = wait_byte(c, false, READ_MS, &token);

	if (err)
		return err;
	if (token != SD_TOKEN_DATA)
		return -EIO;
	err = receive(c, buf, len);
	if (!err)
		err = receive(c, crc, sizeof(crc));
	if (err)
		return err;
	if (!c->checks)
		return 0;
	return crc16_ccitt(0, buf, len) == (crc[0] << 8 | crc[1]) ? 0 : -EILSEQ;
}

static int send_data(const struct sd_card *c, u8 token, const u8 *buf)
{
	u16 crc = crc16_ccitt(0, buf, SD_BLOCK);
	const u8 head[2] = { 0xff, token };
	const u8 tail[2] = { (u8)(crc >> 8), (u8)crc };
	u8 answer;
	int err = send(c, head, sizeof(head));

	if (!err)
		err = send(c, buf, SD_BLOCK);
	if (!err)
		err = send(c, tail, sizeof(tail));
	if (!err)
		err = wait_byte(c, false, 1, &answer);
	if (err)
		return err;
	if ((answer & SD_WRITE_MASK) == SD_WRITE_CRC)
		return -EILSEQ;
	if ((answer & SD_WRITE_MASK) != SD_WRITE_ACCEPTED)
		return -EIO;
	return wait_ready(c, WRITE_MS);
}

/* The first error counts, but what was begun is stopped (I1). */
static int stop(const struct sd_card *c, int err)
{
	int r = command_now(c, SD_STOP, 0);

	if (r >= 0)
		r = wait_ready(c, WRITE_MS);
	return err ? err : r < 0 ? -EIO : 0;
}

static u32 address_of(const struct sd_card *c, u64 sector)
{
	return (u32)(c->block_addresses ? sector : sector * SD_BLOCK);
}

static int read_blocks(struct sd_card *c, u64 sector, u32 nr,
		       sd_block_fn *block, void *ctx)
{
	int err = expect(c, nr > 1 ? SD_READ_MULTIPLE : SD_READ,
			 address_of(c, sector), 0);

	if (err)
		return err;
	for (u32 i = 0; i < nr && !err; i++) {
		err = receive_data(c, block(ctx, i), SD_BLOCK);
		cond_resched();
	}
	return nr > 1 ? stop(c, err) : err;
}

/*
 * Did the card keep all of it?  R2: a second byte with errors [7.3.2.3].  It has
 * accepted the blocks; when it does not know the question (QEMU 10) that counts.
 */
static int check_status(const struct sd_card *c)
{
	int r = command(c, SD_SEND_STATUS, 0), err;
	u8 errors;

	if (r == (int)SD_R1_ILLEGAL)
		return 0;
	if (r)
		return r < 0 ? r : -EIO;
	err = receive(c, &errors, 1);
	return err ? err : errors ? -EIO : 0;
}

static int end_writing(const struct sd_card *c)
{
	const u8 tail[2] = { SD_TOKEN_WRITE_STOP, 0xff };
	int err = send(c, tail, sizeof(tail));

	return err ? err : wait_ready(c, WRITE_MS);
}

static int write_blocks(struct sd_card *c, u64 sector, u32 nr,
			sd_block_fn *block, void *ctx)
{
	u8 token = nr > 1 ? SD_TOKEN_WRITE_MORE : SD_TOKEN_DATA;
	int err = expect(c, nr > 1 ? SD_WRITE_MULTIPLE : SD_WRITE,
			 address_of(c, sector), 0);

	if (err)
		return err;
	for (u32 i = 0; i < nr && !err; i++) {
		err = send_data(c, token, block(ctx, i));
		cond_resched();
	}
	if (err && nr > 1) {
		/* not before it has done with the block that it refused */
		(void)wait_ready(c, WRITE_MS);
		return stop(c, err);
	}
	if (err)
		return err;
	if (nr > 1)
		err = end_writing(c);
	return err ? err : check_status(c);
}

/* ---- conversations */

static void begin(struct sd_card *c)
{
	mutex_lock(&c->bus->lock);
	c->bus->ops->select(c->bus, c->chip, SPI_SELECTED);
}

static void end(struct sd_card *c)
{
	c->bus->ops->select(c->bus, c->chip, SPI_DESELECTED);
	mutex_unlock(&c->bus->lock);
}

int sd_read(struct sd_card *c, u64 sector, u32 nr, sd_block_fn *block,
	    void *ctx)
{
	int err;

	begin(c);
	err = read_blocks(c, sector, nr, block, ctx);
	end(c);
	return err;
}

int sd_write(struct sd_card *c, u64 sector, u32 nr, sd_block_fn *block,
	     void *ctx)
{
	int err;

	begin(c);
	err = write_blocks(c, sector, nr, block, ctx);
	end(c);
	return err;
}

/* ---- initialisation [7.2.1] */

static int clocks(struct sd_card *c, enum spi_select how, u32 bytes)
{
	int err = 0;

	c->bus->ops->select(c->bus, c->chip, how);
	while (bytes-- && !err)
		err = send(c, NULL, 1);
	return err;
}

/* Its answer has to come twice: a byte of data may look like it. */
static int reset_card(struct sd_card *c)
{
	u32 nr_good = 0;
	int r = -ENODEV;

	for (u32 try = 0; try < RESET_TRIES; try++) {
		int err = clocks(c, SPI_HELD_OFF, WAKE_BYTES);

		if (!err)
			err = clocks(c, SPI_SELECTED, 1);
		if (err)
			return err;
		r = command_now(c, SD_GO_IDLE, 0);
		/* perhaps with an old complaint; 0 is where it came from */
		if (r >= 0 && (r & ~(int)SD_R1_ILLEGAL) == (int)SD_R1_IDLE &&
		    ++nr_good == 2)
			return 0;
		if (r >= 0 && !(r & ~(int)(SD_R1_ILLEGAL | SD_R1_IDLE)))
			continue;
		/* perhaps in the middle of a block, or of many */
		err = clocks(c, SPI_SELECTED, FLUSH_BYTES);
		if (err)
			return err;
		(void)command_now(c, SD_STOP, 0);
	}
	return r < 0 ? r : -EINVAL;
}

/* *@arg: what to tell it with ACMD41. */
static int check_interface(struct sd_card *c, u32 *arg)
{
	int r = command(c, SD_SEND_IF_COND, SD_IF_COND);
	u32 echo;

	*arg = 0;
	if (r < 0)
		return r;
	if (r & (int)SD_R1_ILLEGAL) /* version 1: up to 2 GB */
		return 0;
	*arg = SD_OP_COND_HCS;
	r = receive_word(c, &echo);
	if (r)
		return r;
	return (echo & SD_IF_COND_MASK) == SD_IF_COND ? 0 : -EINVAL;
}

/* Cards are to know this [7.2.2]; not all do. */
static int want_checks(struct sd_card *c)
{
	int r = command(c, SD_CRC_ON_OFF, 1);

	c->checks = r == (int)SD_R1_IDLE;
	if (r == (int)(SD_R1_IDLE | SD_R1_ILLEGAL)) {
		pr_warn("mmc: the card knows no checksums");
		return 0;
	}
	return r < 0 ? r : c->checks ? 0 : -EIO;
}

static int power_up(struct sd_card *c, u32 arg)
{
	u64 deadline = clock_mono_ns() + READY_MS * NSEC_PER_MSEC;

	for (;;) {
		int r = app_command(c, SD_APP_SEND_OP_COND, arg);

		if (r <= 0)
			return r;
		if (r & ~(int)SD_R1_IDLE)
			return -EINVAL; /* an MMC */
		if (clock_mono_ns() > deadline)
			return -ETIMEDOUT;
		(void)sleep_until_ns(clock_mono_ns() + NSEC_PER_MSEC, false);
	}
}

static int read_ocr(struct sd_card *c)
{
	int r = command(c, SD_READ_OCR, 0), err;
	u32 ocr;

	/* whether it calls itself idle is no news: some always do */
	if (r < 0 || (r & ~(int)SD_R1_IDLE))
		return r < 0 ? r : -EIO;
	err = receive_word(c, &ocr);
	if (err)
		return err;
	c->block_addresses = ocr & SD_OCR_CCS;
	return c->block_addresses ? 0 : expect(c, SD_SET_BLOCKLEN, SD_BLOCK, 0);
}

static int read_csd(struct sd_card *c)
{
	u8 raw[SD_REGISTER_LEN];
	struct sd_csd csd;
	u32 hz;
	int err = expect(c, SD_SEND_CSD, 0, 0);

	if (!err)
		err = receive_data(c, raw, sizeof(raw));
	if (!err)
		err = sd_csd_parse(raw, &csd);
	if (err)
		return err;
	c->nr_sectors = csd.nr_sectors;
	c->write_protected = csd.write_protected;
	hz = c->bus->ops->set_speed(c->bus, min(csd.max_hz, c->max_hz));
	c->hz = hz;
	return hz ? 0 : -EINVAL;
}

static int identify(struct sd_card *c)
{
	u32 arg;
	int err;

	if (!c->bus->ops->set_speed(c->bus, IDENTIFY_HZ))
		return -EINVAL;
	err = reset_card(c);
	if (!err)
		err = check_interface(c, &arg);
	if (!err)
		err = want_checks(c);
	if (!err)
		err = power_up(c, arg);
	if (!err)
		err = read_ocr(c);
	return err ? err : read_csd(c);
}

int sd_init(struct sd_card *c)
{
	int err;

	mutex_lock(&c->bus->lock);
	err = identify(c);
	end(c);
	return err;
}
