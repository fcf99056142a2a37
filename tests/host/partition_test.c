/* SPDX-License-Identifier: MIT */
/* sources: kernel/dev/partition.c lib/crc.c lib/string.c lib/fmt.c */
/*
 * tests/host/partition_test.c - GPT and MBR on a disk in memory, sound, damaged
 * and hostile.
 */
#include <tests/host/cmocka.h>

#include <kernel/dev/partition.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <lib/crc.h>
#include <lib/errno.h>

void *kmalloc(size_t size)
{
	return malloc(size);
}

void kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

#define NR_SECTORS 4096u

struct disk {
	u8 *data;
	u64 nr_sectors;
	u32 block_size;
	struct partition found[256];
	u32 nr_found, nr_reads;
};

static int disk_read(void *ctx, u64 sector, void *buf, size_t len)
{
	struct disk *d = ctx;

	d->nr_reads++;
	assert_int_equal(len % d->block_size, 0);
	assert_int_equal(sector % (d->block_size / 512), 0);
	assert_true(sector * 512 + len <= d->nr_sectors * 512);
	memcpy(buf, d->data + sector * 512, len);
	return 0;
}

static void disk_found(void *ctx, const struct partition *p)
{
	struct disk *d = ctx;

	assert_true(d->nr_found < 256);
	assert_true(p->len && p->start < d->nr_sectors &&
		    p->len <= d->nr_sectors - p->start);
	d->found[d->nr_found++] = *p;
}

static int parse(struct disk *d)
{
	struct part_disk pd = {
		.nr_sectors = d->nr_sectors,
		.block_size = d->block_size,
		.read = disk_read,
		.found = disk_found,
		.ctx = d,
	};

	d->nr_found = d->nr_reads = 0;
	return partition_parse(&pd);
}

static void disk_init(struct disk *d, u32 block_size)
{
	memset(d, 0, sizeof(*d));
	d->nr_sectors = NR_SECTORS;
	d->block_size = block_size;
	d->data = calloc(NR_SECTORS, 512);
}

static void put32(u8 *p, u32 v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (u8)(v >> (8 * i));
}

static void put64(u8 *p, u64 v)
{
	put32(p, (u32)v);
	put32(p + 4, (u32)(v >> 32));
}

static void mbr_entry(u8 *block, u32 i, u8 type, u32 start, u32 len)
{
	u8 *e = block + 446 + 16 * i;

	e[4] = type;
	put32(e + 8, start);
	put32(e + 12, len);
	block[510] = 0x55;
	block[511] = 0xaa;
}

/* ---- MBR */

static void nothing(void **state)
{
	struct disk d;

	(void)state;
	disk_init(&d, 512);
	assert_int_equal(parse(&d), 0);
	/* a FAT boot sector ends in the same magic */
	memset(d.data, 0x42, 510);
	d.data[510] = 0x55;
	d.data[511] = 0xaa;
	assert_int_equal(parse(&d), 0);
	d.nr_sectors = 1;
	assert_int_equal(parse(&d), 0);
	free(d.data);
}

static void mbr_primary(void **state)
{
	struct disk d;

	(void)state;
	disk_init(&d, 512);
	put32(d.data + 440, 0xdeadbeef);
	mbr_entry(d.data, 0, 0x83, 64, 100);
	mbr_entry(d.data, 2, 0x82, 200, 50);
	assert_int_equal(parse(&d), 2);
	assert_int_equal(d.found[0].nr, 1);
	assert_int_equal(d.found[0].start, 64);
	assert_int_equal(d.found[0].len, 100);
	assert_string_equal(d.found[0].uuid, "deadbeef-01");
	assert_int_equal(d.found[1].nr, 3);
	assert_string_equal(d.found[1].uuid, "deadbeef-03");
	free(d.data);
}

static void mbr_cut(void **state)
{
	struct disk d;

	(void)state;
	disk_init(&d, 512);
	mbr_entry(d.data, 0, 0x83, 4000, 0xffffffff);
	mbr_entry(d.data, 1, 0x83, 5000, 1);
	mbr_entry(d.data, 3, 0x83, 1, 0);
	assert_int_equal(parse(&d), 1);
	assert_int_equal(d.found[0].len, 96);
	free(d.data);
}

static void mbr_logical(void **state)
{
	struct disk d;

	(void)state;
	disk_init(&d, 512);
	mbr_entry(d.data, 0, 0x83, 10, 10);
	mbr_entry(d.data, 1, 0x05, 1000, 1000);
	mbr_entry(d.data + 1000 * 512, 0, 0x83, 1, 100);
	mbr_entry(d.data + 1000 * 512, 1, 0x05, 500, 200);
	mbr_entry(d.data + 1500 * 512, 0, 0x83, 1, 100);
	assert_int_equal(parse(&d), 4);
	/* the extended one itself is two sectors, for a boot loader */
	assert_int_equal(d.found[1].nr, 2);
	assert_int_equal(d.found[1].start, 1000);
	assert_int_equal(d.found[1].len, 2);
	assert_int_equal(d.found[2].nr, 5);
	assert_int_equal(d.found[2].start, 1001);
	assert_int_equal(d.found[3].nr, 6);
	assert_int_equal(d.found[3].start, 1501);
	/* a chain that bites its own tail ends */
	mbr_entry(d.data + 1500 * 512, 1, 0x05, 500, 200);
	assert_true(parse(&d) <= 128);
	assert_true(d.nr_reads < 200);
	free(d.data);
}

/* ---- GPT */

static void gpt_header(struct disk *d, u64 lba, u64 array, u32 nr, u32 size)
{
	u8 *h = d->data + lba * d->block_size;

	memset(h, 0, d->block_size);
	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put64(h + 24, lba);
	put64(h + 72, array);
	put32(h + 80, nr);
	put32(h + 84, size);
	put32(h + 88, crc32(0, d->data + array * d->block_size, nr * size));
	put32(h + 16, crc32(0, h, 92));
}

static void gpt_entry(u8 *e, u64 first, u64 last, u8 fill)
{
	memset(e, 0xaf, 16);
	for (u32 i = 0; i < 16; i++)
		e[16 + i] = (u8)(fill + i);
	put64(e + 32, first);
	put64(e + 40, last);
}

/* Two partitions, both copies. */
static void gpt_make(struct disk *d, u32 block_size)
{
	u64 last = NR_SECTORS * 512 / block_size - 1;
	u32 blocks = 128 * 128 / block_size;

	disk_init(d, block_size);
	mbr_entry(d->data, 0, 0xee, 1, 0xffffffff);
	gpt_entry(d->data + 2 * block_size, 50, 99, 0x10);
	gpt_entry(d->data + 2 * block_size + 4 * 128, 100, 100, 0x20);
	memcpy(d->data + (last - blocks) * block_size, d->data + 2 * block_size,
	       128 * 128);
	gpt_header(d, 1, 2, 128, 128);
	gpt_header(d, last, last - blocks, 128, 128);
}

static void gpt_check(struct disk *d)
{
	u32 spb = d->block_size / 512;

	assert_int_equal(parse(d), 2);
	assert_int_equal(d->found[0].nr, 1);
	assert_int_equal(d->found[0].start, 50 * spb);
	assert_int_equal(d->found[0].len, 50 * spb);
	assert_string_equal(d->found[0].uuid,
			    "13121110-1514-1716-1819-1a1b1c1d1e1f");
	assert_int_equal(d->found[1].nr, 5);
	assert_int_equal(d->found[1].len, spb);
}

static void gpt_sound(void **state)
{
	struct disk d;

	(void)state;
	gpt_make(&d, 512);
	gpt_check(&d);
	free(d.data);
	gpt_make(&d, 4096);
	gpt_check(&d);
	free(d.data);
}

static void gpt_backup(void **state)
{
	struct disk d;

	(void)state;
	gpt_make(&d, 512);
	d.data[512 + 50] ^= 1; /* the header */
	gpt_check(&d);
	free(d.data);
	gpt_make(&d, 512);
	d.data[1024 + 6000] ^= 1; /* the array */
	gpt_check(&d);
	d.data[(NR_SECTORS - 1) * 512 + 50] ^= 1;
	assert_int_equal(parse(&d), -EINVAL);
	free(d.data);
}

/* Headers with right checksums and wrong contents. */
static void gpt_hostile(void **state)
{
	static const struct {
		u64 array;
		u32 nr, size;
	} bad[] = {
		{ 2, 0, 128 },	  { 2, 4, 127 },	 { 2, 4, 64 },
		{ 2, 4, 8192 },	  { 4095, 128, 128 },	 { 4096, 4, 128 },
		{ 2, 1025, 128 }, { 2, 0x10000000, 16 }, { 4094, 12, 128 },
	};
	struct disk d;

	(void)state;
	gpt_make(&d, 512);
	d.data[(NR_SECTORS - 1) * 512] = 0;
	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		u8 *h = d.data + 512;

		gpt_header(&d, 1, 2, 128, 128);
		put64(h + 72, bad[i].array);
		put32(h + 80, bad[i].nr);
		put32(h + 84, bad[i].size);
		put32(h + 16, 0);
		put32(h + 16, crc32(0, h, 92));
		assert_int_equal(parse(&d), -EINVAL);
		assert_int_equal(d.nr_found, 0);
	}
	free(d.data);
}

static void gpt_entries_out_of_range(void **state)
{
	struct disk d;

	(void)state;
	gpt_make(&d, 512);
	gpt_entry(d.data + 1024, 90, 10, 0x10);
	gpt_entry(d.data + 1024 + 128, 5000, 6000, 0x10);
	gpt_entry(d.data + 1024 + 256, 4000, ~0ull, 0x10);
	gpt_entry(d.data + 1024 + 384, 0, ~0ull, 0x10);
	gpt_header(&d, 1, 2, 128, 128);
	assert_int_equal(parse(&d), 2); /* 3 cut, 5; 4 has no length */
	assert_int_equal(d.found[0].nr, 3);
	assert_int_equal(d.found[0].len, 96);
	free(d.data);
}

static void noise(void **state)
{
	uint64_t rng = 42;
	struct disk d;

	(void)state;
	for (u32 round = 0; round < 300; round++) {
		gpt_make(&d, round & 1 ? 512 : 4096);
		for (u32 n = 0; n < 4; n++) {
			u64 at = random_below(&rng, 4 * d.block_size);

			d.data[at] = (u8)next_random(&rng);
		}
		(void)parse(&d);
		free(d.data);
		disk_init(&d, 512);
		for (u32 i = 0; i < 8 * 512; i++)
			d.data[i] = (u8)next_random(&rng);
		for (u32 i = 0; i < 8; i++)
			mbr_entry(d.data + i * 512, 0, (u8)next_random(&rng),
				  (u32)next_random(&rng) & 0xfff, 7);
		for (u32 i = 0; i < 4; i++)
			d.data[446 + 16 * i] = 0;
		(void)parse(&d);
		free(d.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(mbr_primary),
		cmocka_unit_test(mbr_cut),
		cmocka_unit_test(mbr_logical),
		cmocka_unit_test(gpt_sound),
		cmocka_unit_test(gpt_backup),
		cmocka_unit_test(gpt_hostile),
		cmocka_unit_test(gpt_entries_out_of_range),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
