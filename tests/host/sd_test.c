/* SPDX-License-Identifier: MIT */
/* sources: drivers/mmc/sd_spi.c drivers/mmc/sd_csd.c lib/crc.c */
/*
 * tests/host/sd_test.c - the SD protocol against a card of our own, which follows
 * the specification to the byte and misbehaves where it is told to.
 */
#include <tests/host/cmocka.h>

#include <drivers/mmc/sd_csd.h>
#include <drivers/mmc/sd_spec.h>
#include <drivers/mmc/sd_spi.h>
#include <kernel/log.h>
#include <kernel/time/clock.h>
#include <lib/crc.h>
#include <lib/errno.h>

#define NR_SECTORS 4096u
#define FOREVER	   (~0u)

/* ---- the card */

static struct {
	/* what it is */
	bool present, v1, mmc, byte_addressed, no_crc_mode;
	u8 csd[16];
	u8 data[NR_SECTORS][SD_BLOCK];
	/* how it misbehaves; counters fall to 0 */
	u32 bad_reads, bad_commands, refuse_writes, write_errors, error_tokens;
	u32 status_errors, busy_bytes, init_polls, silent;
	bool hangs; /* in the middle of data, until it is stopped */
	/* how it is now */
	bool selected, held_off, idle, ready, crc_on, app, writing, multi;
	u32 woken; /* clocks with the select off */
	u8 frame[6], out[SD_BLOCK + 64];
	u32 nr_frame, out_len, out_pos, busy;
	u64 sector;
	bool reading;
	u8 in[SD_BLOCK + 3];
	u32 nr_in;
	/* what it saw */
	u32 nr_commands[64], nr_crc_errors;
	u32 hz;
} card;

static bool take(u32 *counter)
{
	if (!*counter)
		return false;
	if (*counter != FOREVER)
		(*counter)--;
	return true;
}

static void put(u8 b)
{
	assert_true(card.out_len < sizeof(card.out));
	card.out[card.out_len++] = b;
}

static void put_block(const u8 *p, u32 len)
{
	u16 crc = card.no_crc_mode ? 0xffff : crc16_ccitt(0, p, len);

	if (take(&card.error_tokens)) {
		put(0x04); /* ECC failed */
		return;
	}
	put(0xff);
	put(SD_TOKEN_DATA);
	for (u32 i = 0; i < len; i++)
		put(p[i]);
	if (len == SD_BLOCK && take(&card.bad_reads))
		crc ^= 0x10;
	put((u8)(crc >> 8));
	put((u8)crc);
}

static u64 sector_of(u32 arg)
{
	if (card.byte_addressed)
		assert_int_equal(arg % SD_BLOCK, 0);
	return card.byte_addressed ? arg / SD_BLOCK : arg;
}

static void app_command(u32 index, u32 arg, u8 r1)
{
	if (index != SD_APP_SEND_OP_COND || card.mmc) {
		put(r1 | SD_R1_ILLEGAL);
		return;
	}
	assert_int_equal(arg, card.v1 ? 0 : SD_OP_COND_HCS);
	if (!take(&card.init_polls)) {
		card.idle = false;
		card.ready = true;
	}
	put(card.idle ? SD_R1_IDLE : 0);
}

static void data_command(u32 index, u32 arg)
{
	assert_true(card.ready);
	assert_true(sector_of(arg) < NR_SECTORS);
	card.sector = sector_of(arg);
	card.multi = index == SD_READ_MULTIPLE || index == SD_WRITE_MULTIPLE;
	put(0);
	if (index == SD_READ || index == SD_READ_MULTIPLE) {
		card.reading = true;
		put_block(card.data[card.sector++], SD_BLOCK);
	} else {
		card.writing = true;
		card.nr_in = 0;
	}
}

static void normal_command(u32 index, u32 arg, u8 r1)
{
	switch (index) {
	case SD_GO_IDLE:
		assert_true(card.woken >= 74);
		card.idle = true;
		card.ready = card.crc_on = card.reading = false;
		card.out_pos = card.out_len;
		put(SD_R1_IDLE);
		break;
	case SD_SEND_IF_COND:
		put(card.v1 ? r1 | (u8)SD_R1_ILLEGAL : r1);
		for (u32 i = 0; !card.v1 && i < 4; i++)
			put((u8)(arg >> (24 - 8 * i)));
		break;
	case SD_CRC_ON_OFF:
		card.crc_on = (arg & 1) && !card.no_crc_mode;
		put(card.no_crc_mode ? r1 | (u8)SD_R1_ILLEGAL : r1);
		break;
	case SD_APP:
		card.app = true;
		put(r1);
		break;
	case SD_READ_OCR:
		put(r1);
		put(card.byte_addressed ? 0x80 : 0xc0);
		put(0xff), put(0x80), put(0);
		break;
	case SD_SET_BLOCKLEN:
		assert_int_equal(arg, SD_BLOCK);
		put(r1);
		break;
	case SD_SEND_CSD:
		put(r1);
		put_block(card.csd, 16);
		break;
	case SD_SEND_STATUS:
		put(r1);
		put(take(&card.status_errors) ? 0x04 : 0);
		break;
	case SD_STOP:
		card.reading = card.writing = card.hangs = false;
		card.out_len = card.out_pos = 0;
		put(0x7f); /* stuff */
		put(r1);
		card.busy = card.busy_bytes;
		break;
	case SD_READ:
	case SD_READ_MULTIPLE:
	case SD_WRITE:
	case SD_WRITE_MULTIPLE:
		data_command(index, arg);
		break;
	default:
		put(r1 | SD_R1_ILLEGAL);
	}
}

static void execute(void)
{
	u32 index = card.frame[0] & 0x3f;
	u32 arg = (u32)card.frame[1] << 24 | (u32)card.frame[2] << 16 |
		  (u32)card.frame[3] << 8 | card.frame[4];
	u8 r1 = card.idle ? SD_R1_IDLE : 0;
	bool app = card.app;

	card.nr_commands[index]++;
	card.app = false;
	if (take(&card.silent))
		return;
	if ((card.crc_on || index == SD_GO_IDLE || index == SD_SEND_IF_COND) &&
	    card.frame[5] != (crc7(0, card.frame, 5) | 1)) {
		card.nr_crc_errors++;
		put(r1 | SD_R1_CRC);
		return;
	}
	if (index != SD_STOP && take(&card.bad_commands)) {
		put(r1 | SD_R1_CRC);
		return;
	}
	if (app)
		app_command(index, arg, r1);
	else
		normal_command(index, arg, r1);
}

static void end_of_block(void)
{
	u16 crc = (u16)(card.in[SD_BLOCK + 1] << 8 | card.in[SD_BLOCK + 2]);

	card.nr_in = 0;
	if (card.crc_on && crc != crc16_ccitt(0, card.in + 1, SD_BLOCK)) {
		card.nr_crc_errors++;
		put(SD_WRITE_CRC | 0xe0);
	} else if (take(&card.refuse_writes)) {
		put(SD_WRITE_CRC | 0xe0);
	} else if (take(&card.write_errors)) {
		put(0x0d | 0xe0);
	} else {
		memcpy(card.data[card.sector++], card.in + 1, SD_BLOCK);
		put(SD_WRITE_ACCEPTED | 0xe0);
	}
	card.busy = card.busy_bytes;
	card.writing = card.multi;
}

/* A byte of data to be written, token first. */
static void write_byte(u8 b)
{
	u8 token = card.multi ? SD_TOKEN_WRITE_MORE : SD_TOKEN_DATA;

	if (!card.nr_in && card.multi && b == SD_TOKEN_WRITE_STOP) {
		card.writing = false;
		put(0xff);
		card.busy = card.busy_bytes;
		return;
	}
	if (!card.nr_in && b != token) {
		assert_int_equal(b, 0xff);
		return;
	}
	card.in[card.nr_in++] = b;
	if (card.nr_in == sizeof(card.in))
		end_of_block();
}

static u8 next_out(void)
{
	if (card.hangs)
		return 0x55;
	if (card.out_pos < card.out_len)
		return card.out[card.out_pos++];
	card.out_pos = card.out_len = 0;
	if (card.busy) {
		card.busy -= card.busy != FOREVER;
		return 0;
	}
	if (card.reading && card.multi && card.sector < NR_SECTORS)
		put_block(card.data[card.sector++], SD_BLOCK);
	else
		card.reading = false;
	return 0xff;
}

static u8 card_byte(u8 b)
{
	u8 out;

	if (card.held_off)
		card.woken += 8;
	if (!card.present || !card.selected)
		return 0xff;
	out = next_out();
	if (card.nr_frame || (b & 0xc0) == 0x40) {
		if (!(card.writing && card.nr_in)) {
			card.frame[card.nr_frame++] = b;
			if (card.nr_frame == 6) {
				card.nr_frame = 0;
				execute();
			}
			return out;
		}
	}
	if (card.writing && !card.busy)
		write_byte(b);
	return out;
}

/* ---- the bus */

static u64 now_ns;

static u32 fake_set_speed(struct spi_bus *b, u32 hz)
{
	return card.hz = hz;
}

static void fake_select(struct spi_bus *b, u32 chip, enum spi_select how)
{
	assert_int_equal(chip, 2);
	card.selected = how == SPI_SELECTED;
	card.held_off = how == SPI_HELD_OFF;
	card.nr_frame = 0;
}

static int fake_transfer(struct spi_bus *b, const u8 *tx, u8 *rx, size_t len)
{
	assert_int_equal(b->lock.locked, 1);
	for (size_t i = 0; i < len; i++) {
		u8 in = card_byte(tx ? tx[i] : 0xff);

		if (rx)
			rx[i] = in;
		now_ns += 400;
	}
	return 0;
}

static const struct spi_bus_ops fake_ops = {
	.set_speed = fake_set_speed,
	.select = fake_select,
	.transfer = fake_transfer,
};

static struct spi_bus bus = { .ops = &fake_ops };

/* ---- the kernel */

void mutex_lock(struct mutex *m)
{
	assert_int_equal(m->locked, 0);
	m->locked = 1;
}

void mutex_unlock(struct mutex *m)
{
	assert_int_equal(m->locked, 1);
	m->locked = 0;
	assert_false(card.selected);
}

void cond_resched(void)
{
}

u64 clock_mono_ns(void)
{
	return now_ns;
}

int sleep_until_ns(u64 deadline_ns, bool interruptible)
{
	if (deadline_ns > now_ns)
		now_ns = deadline_ns;
	return 0;
}

void log_printf(enum log_level level, const char *fmt, ...)
{
}

/* ---- tests */

static struct sd_card sd;
static u8 buffer[NR_SECTORS][SD_BLOCK];
static u32 next_block;

static u8 *block(void *ctx, u32 i)
{
	/* in order, a block again only when all begins again */
	assert_true(i == 0 || i == next_block);
	next_block = i + 1;
	return buffer[i];
}

/* 512 MB by bytes or 8 GB by blocks; 25 MHz. */
static void set_csd(bool by_bytes)
{
	static const u8 small[16] = { 0x00, 0x26, 0x00, 0x32, 0x5f, 0x59,
				      0x83, 0xff, 0xfe, 0xfb, 0xcf, 0xff,
				      0x92, 0x40, 0x40, 0xdf };
	static const u8 big[16] = { 0x40, 0x0e, 0x00, 0x32, 0x5b, 0x59,
				    0x00, 0x00, 0x3b, 0x37, 0x7f, 0x80,
				    0x0a, 0x40, 0x40, 0x4b };

	memcpy(card.csd, by_bytes ? small : big, 16);
}

static int setup(void **state)
{
	u64 seed = 11;

	memset(&card, 0, sizeof(card));
	card.present = true;
	card.busy_bytes = 3;
	card.init_polls = 5;
	set_csd(false);
	for (u32 i = 0; i < NR_SECTORS; i++) {
		for (u32 j = 0; j < SD_BLOCK; j++)
			card.data[i][j] = (u8)next_random(&seed);
	}
	memset(buffer, 0, sizeof(buffer));
	sd = (struct sd_card){ .bus = &bus, .chip = 2, .max_hz = 20000000 };
	return 0;
}

static void test_init(void **state)
{
	assert_int_equal(sd_init(&sd), 0);
	assert_true(sd.block_addresses);
	assert_int_equal(sd.nr_sectors, (0x3b37 + 1) * 1024);
	assert_int_equal(sd.hz, 20000000); /* the slot's, below the card's */
	assert_false(sd.write_protected);
	assert_true(card.crc_on);
	assert_int_equal(card.nr_crc_errors, 0);
	assert_int_equal(card.nr_commands[SD_APP_SEND_OP_COND], 6);
}

static void test_init_old(void **state)
{
	card.v1 = card.byte_addressed = true;
	set_csd(true);
	card.csd[14] |= 0x10; /* write-protected */
	assert_int_equal(sd_init(&sd), 0);
	assert_false(sd.block_addresses);
	assert_true(sd.write_protected);
	assert_int_equal(card.nr_commands[SD_SET_BLOCKLEN], 1);
	assert_int_equal(sd_read(&sd, 7, 1, block, NULL), 0);
	assert_memory_equal(buffer[0], card.data[7], SD_BLOCK);
}

/* One that knows no checksums is believed; what it is told has them anyway. */
static void test_init_without_checksums(void **state)
{
	card.no_crc_mode = true;
	assert_int_equal(sd_init(&sd), 0);
	assert_false(sd.checks);
	assert_int_equal(sd_read(&sd, 7, 2, block, NULL), 0);
	assert_memory_equal(buffer[0], card.data[7], SD_BLOCK);
	assert_int_equal(sd_write(&sd, 9, 1, block, NULL), 0);
	/* a wrong answer is no answer */
	setup(NULL);
	assert_int_equal(sd_init(&sd), 0);
	assert_true(sd.checks);
	card.no_crc_mode = true; /* its blocks, from now on */
	assert_int_equal(sd_read(&sd, 7, 1, block, NULL), -EILSEQ);
}

static void test_init_fails(void **state)
{
	card.present = false;
	assert_int_equal(sd_init(&sd), -ENODEV);
	setup(NULL);
	card.mmc = true;
	assert_true(sd_init(&sd) < 0);
	setup(NULL);
	card.init_polls = FOREVER;
	assert_int_equal(sd_init(&sd), -ETIMEDOUT);
	setup(NULL);
	card.silent = FOREVER;
	assert_int_equal(sd_init(&sd), -ENODEV);
	setup(NULL);
	card.csd[0] = 0xc0; /* a structure of the future */
	assert_true(sd_init(&sd) < 0);
}

/* Whatever a boot loader was doing with it. */
static void test_init_from_anywhere(void **state)
{
	card.silent = 3; /* the first commands go unheard */
	assert_int_equal(sd_init(&sd), 0);
	setup(NULL);
	card.hangs = true;
	assert_int_equal(sd_init(&sd), 0);
	setup(NULL);
	card.reading = card.multi = true;
	put_block(card.data[0], SD_BLOCK);
	assert_int_equal(sd_init(&sd), 0);
}

static void test_read(void **state)
{
	assert_int_equal(sd_init(&sd), 0);
	assert_int_equal(sd_read(&sd, 100, 1, block, NULL), 0);
	assert_memory_equal(buffer, card.data[100], SD_BLOCK);
	assert_int_equal(card.nr_commands[SD_STOP], 0);
	assert_int_equal(sd_read(&sd, 1000, 256, block, NULL), 0);
	assert_memory_equal(buffer, card.data[1000], 256 * SD_BLOCK);
	assert_int_equal(card.nr_commands[SD_STOP], 1);
	/* the last ones: it has nothing to offer behind them */
	assert_int_equal(sd_read(&sd, NR_SECTORS - 2, 2, block, NULL), 0);
	assert_memory_equal(buffer, card.data[NR_SECTORS - 2], 2 * SD_BLOCK);
}

static void test_write(void **state)
{
	assert_int_equal(sd_init(&sd), 0);
	memset(buffer, 0xa5, 64 * SD_BLOCK);
	buffer[5][5] = 0x41; /* looks like a command */
	assert_int_equal(sd_write(&sd, 9, 1, block, NULL), 0);
	assert_memory_equal(card.data[9], buffer, SD_BLOCK);
	assert_int_equal(sd_write(&sd, 50, 64, block, NULL), 0);
	assert_memory_equal(card.data[50], buffer, 64 * SD_BLOCK);
	assert_int_equal(card.nr_crc_errors, 0);
	assert_int_equal(card.nr_commands[SD_SEND_STATUS], 2);
	assert_int_equal(sd_read(&sd, 50, 64, block, NULL), 0);
}

static void test_checksums(void **state)
{
	assert_int_equal(sd_init(&sd), 0);
	for (u32 nr = 1; nr <= 8; nr += 7) {
		card.bad_reads = 1;
		assert_int_equal(sd_read(&sd, 0, nr, block, NULL), -EILSEQ);
		assert_int_equal(sd_read(&sd, 0, nr, block, NULL), 0);
		card.refuse_writes = 1;
		assert_int_equal(sd_write(&sd, 0, nr, block, NULL), -EILSEQ);
		assert_int_equal(sd_write(&sd, 0, nr, block, NULL), 0);
		card.bad_commands = 1;
		assert_int_equal(sd_read(&sd, 0, nr, block, NULL), -EILSEQ);
		assert_int_equal(sd_read(&sd, 0, nr, block, NULL), 0);
	}
	assert_int_equal(card.nr_crc_errors, 0);
}

static void test_errors(void **state)
{
	assert_int_equal(sd_init(&sd), 0);
	for (u32 nr = 1; nr <= 8; nr += 7) {
		card.error_tokens = 1;
		assert_int_equal(sd_read(&sd, 0, nr, block, NULL), -EIO);
		card.write_errors = 1;
		assert_int_equal(sd_write(&sd, 0, nr, block, NULL), -EIO);
		card.status_errors = 1;
		assert_int_equal(sd_write(&sd, 0, nr, block, NULL), -EIO);
		assert_int_equal(sd_write(&sd, 0, nr, block, NULL), 0);
		assert_int_equal(sd_read(&sd, 0, nr, block, NULL), 0);
	}
}

static void test_hangs(void **state)
{
	u64 start;

	assert_int_equal(sd_init(&sd), 0);
	card.busy_bytes = FOREVER;
	start = now_ns;
	assert_int_equal(sd_write(&sd, 0, 1, block, NULL), -ETIMEDOUT);
	assert_true(now_ns - start < 3000000000ull);
	/* gone altogether, then another one in its place */
	card.present = false;
	assert_true(sd_read(&sd, 0, 1, block, NULL) < 0);
	assert_int_equal(sd_init(&sd), -ENODEV);
	setup(NULL);
	assert_int_equal(sd_init(&sd), 0);
	assert_int_equal(sd_read(&sd, 0, 8, block, NULL), 0);
}

static void test_csd(void **state)
{
	struct sd_csd csd;

	set_csd(true);
	assert_int_equal(sd_csd_parse(card.csd, &csd), 0);
	/* C_SIZE 4095, multiplier 2^9, blocks of 2^9 */
	assert_int_equal(csd.nr_sectors, 4096 * 512);
	assert_int_equal(csd.max_hz, 25000000);
	card.csd[3] = 0x5a;
	assert_int_equal(sd_csd_parse(card.csd, &csd), 0);
	assert_int_equal(csd.max_hz, 50000000);
	card.csd[3] = 0x02; /* no mantissa */
	assert_int_equal(sd_csd_parse(card.csd, &csd), -EINVAL);
	set_csd(true);
	card.csd[5] &= 0xf0; /* blocks of one byte */
	assert_int_equal(sd_csd_parse(card.csd, &csd), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init, setup),
		cmocka_unit_test_setup(test_init_old, setup),
		cmocka_unit_test_setup(test_init_without_checksums, setup),
		cmocka_unit_test_setup(test_init_fails, setup),
		cmocka_unit_test_setup(test_init_from_anywhere, setup),
		cmocka_unit_test_setup(test_read, setup),
		cmocka_unit_test_setup(test_write, setup),
		cmocka_unit_test_setup(test_checksums, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_hangs, setup),
		cmocka_unit_test_setup(test_csd, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
