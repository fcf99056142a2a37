/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/disk.c - block devices in memory for world.h.
 *
 * A request is checked and carried out when it is submitted, and ends later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/world.h>
#include <tests/host/fake/world_int.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/sched/wait.h>

static struct bio *queue[4096];
static u32 nr_queued;

struct bio *bio_alloc(void)
{
	return kzalloc(sizeof(struct bio));
}

void bio_free(struct bio *bio)
{
	kfree(bio);
}

bool world_complete_one(void)
{
	struct bio *bio;
	u32 i;

	if (!nr_queued)
		return false;
	i = (u32)random_below(&world_seed, nr_queued);
	bio = queue[i];
	queue[i] = queue[--nr_queued];
	bio->end_io(bio);
	return true;
}

static int check(struct world_disk *d, const struct bio *bio)
{
	u32 i, bytes = 0;

	if (bio->op == BIO_FLUSH)
		return 0;
	for (i = 0; i < bio->nr_segs; i++) {
		uintptr_t a = (uintptr_t)bio->seg[i].addr;

		bytes += bio->seg[i].len;
		assert_true(bio->seg[i].len % 512 == 0);
		assert_true(bio->seg[i].len > 0);
		assert_true((a & PAGE_MASK) ==
			    ((a + bio->seg[i].len - 1) & PAGE_MASK));
	}
	assert_true(bio->nr_segs > 0 && bio->nr_segs <= d->bd.max_segs);
	assert_int_equal(bytes, bio->nr_sectors * 512);
	assert_true(bio->nr_sectors <= d->bd.max_sectors);
	assert_true((bio->sector + bio->nr_sectors) * 512 <= d->size);
	if (d->fail_one_in && random_below(&world_seed, d->fail_one_in) == 0)
		return -5;
	return 0;
}

static void transfer(struct world_disk *d, struct bio *bio)
{
	u8 *at = d->data + bio->sector * 512;
	u32 i;

	if (bio->op == BIO_FLUSH)
		d->flushes++;
	else if (bio->op == BIO_WRITE)
		d->writes++;
	else
		d->reads++;
	for (i = 0; bio->op != BIO_FLUSH && i < bio->nr_segs; i++) {
		if (bio->op == BIO_READ && d->read_count)
			d->read_count[(at - d->data) / 512]++;
		if (bio->op == BIO_WRITE)
			memcpy(at, bio->seg[i].addr, bio->seg[i].len);
		else
			memcpy(bio->seg[i].addr, at, bio->seg[i].len);
		at += bio->seg[i].len;
	}
}

void blk_submit(struct blkdev *bd, struct bio *bio)
{
	struct world_disk *d = bd->priv;

	bio->dev = bd;
	bio->status = check(d, bio);
	if (!bio->status)
		transfer(d, bio);
	if (nr_queued == ARRAY_SIZE(queue))
		world_complete_one();
	queue[nr_queued++] = bio;
}

void blk_plug(void)
{
}

void blk_unplug(void)
{
}

static int sync_io(struct blkdev *bd, u32 op, u64 sector, void *buf, size_t len)
{
	struct world_disk *d = bd->priv;

	assert_true(sector * 512 + len <= d->size);
	if (d->fail_one_in && random_below(&world_seed, d->fail_one_in) == 0)
		return -5;
	if (op == BIO_READ)
		memcpy(buf, d->data + sector * 512, len);
	else if (op == BIO_WRITE)
		memcpy(d->data + sector * 512, buf, len);
	return 0;
}

int blk_read(struct blkdev *bd, u64 sector, void *buf, size_t len)
{
	return sync_io(bd, BIO_READ, sector, buf, len);
}

int blk_write(struct blkdev *bd, u64 sector, const void *buf, size_t len)
{
	return sync_io(bd, BIO_WRITE, sector, (void *)(uintptr_t)buf, len);
}

int blk_flush(struct blkdev *bd)
{
	return sync_io(bd, BIO_FLUSH, 0, NULL, 0);
}

void world_disk_init(struct world_disk *d, u64 size)
{
	memset(d, 0, sizeof(*d));
	d->size = size;
	d->data = calloc(1, size);
	assert_non_null(d->data);
	strcpy(d->bd.name, "fake");
	d->bd.nr_sectors = size / 512;
	d->bd.block_size = 512;
	d->bd.whole = &d->bd;
	d->bd.max_sectors = 256;
	d->bd.max_segs = BIO_MAX_SEGS;
	d->bd.has_flush = true;
	d->bd.priv = d;
}

void world_disk_load(struct world_disk *d, const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	world_disk_init(d, (u64)size);
	assert_int_equal(fread(d->data, 1, d->size, f), d->size);
	fclose(f);
}

void world_disk_store(const struct world_disk *d, const char *path)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(d->data, 1, d->size, f), d->size);
	assert_int_equal(fclose(f), 0);
}

void world_disk_free(struct world_disk *d)
{
	while (world_complete_one())
		;
	free(d->data);
	d->data = NULL;
}
