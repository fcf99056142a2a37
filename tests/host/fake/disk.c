/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/disk.c - block devices in memory for world.h.
 *
 * A request is checked and carried out when it is submitted, and ends later.
 * What a power cut would leave is not known here but from the trace
 * (trace.h), which is told of every write and flush.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/trace.h>
#include <tests/host/fake/world.h>
#include <tests/host/fake/world_int.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>

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
	struct world_disk *d;
	u32 i;

	if (!nr_queued)
		return false;
	i = (u32)random_below(&world_seed, nr_queued);
	bio = queue[i];
	queue[i] = queue[--nr_queued];
	d = bio->dev->priv;
	if (d->trace && bio->op != BIO_READ)
		trace_end(d->trace, bio);
	bio->end_io(bio);
	return true;
}

static int check(struct world_disk *d, const struct bio *bio)
{
	u32 i, bytes = 0;

	assert_non_null(bio->end_io);
	if (bio->op == BIO_FLUSH) {
		assert_int_equal(bio->nr_segs, 0);
	} else {
		for (i = 0; i < bio->nr_segs; i++) {
			bytes += bio->seg[i].len;
			assert_true(bio->seg[i].len % 512 == 0);
			assert_true(bio->seg[i].len > 0);
		}
		assert_true(bio->nr_sectors > 0);
		if (bio->op != BIO_DISCARD) {
			assert_true(bio->nr_segs > 0);
			assert_true(bio->nr_segs <= BIO_MAX_SEGS);
			assert_int_equal(bytes, bio->nr_sectors * 512);
		}
		assert_true((bio->sector + bio->nr_sectors) * 512 <= d->size);
	}
	if (d->fail_text && bio->op == BIO_WRITE &&
	    !memcmp(bio->seg[0].addr, d->fail_text, strlen(d->fail_text)))
		return -5;
	if (d->fail_one_in && random_below(&world_seed, d->fail_one_in) == 0)
		return -5;
	return 0;
}

static void copy_out(struct world_disk *d, struct bio *bio)
{
	u64 sector = bio->sector;
	u32 i, k;

	for (i = 0; i < bio->nr_segs; i++) {
		u32 n = bio->seg[i].len / 512;

		for (k = 0; d->read_count && k < n; k++)
			d->read_count[sector + k]++;
		memcpy(bio->seg[i].addr, d->data + sector * 512,
		       bio->seg[i].len);
		sector += n;
	}
}

static void copy_in(struct world_disk *d, struct bio *bio)
{
	u64 sector = bio->sector;
	u32 i, k;

	for (i = 0; i < bio->nr_segs; i++) {
		u32 n = bio->seg[i].len / 512;

		for (k = 0; d->written && k < n; k++)
			d->written[sector + k] = 1;
		memcpy(d->data + sector * 512, bio->seg[i].addr,
		       bio->seg[i].len);
		sector += n;
	}
}

static void transfer(struct world_disk *d, struct bio *bio)
{
	switch (bio->op) {
	case BIO_READ:
		d->reads++;
		copy_out(d, bio);
		return;
	case BIO_WRITE:
		d->writes++;
		d->fua_writes += (bio->flags & BIO_FUA) != 0;
		copy_in(d, bio);
		break;
	case BIO_FLUSH:
		d->flushes++;
		break;
	case BIO_DISCARD:
		d->discards++;
		d->discarded += bio->nr_sectors;
		memset(d->data + bio->sector * 512, 0xd5,
		       bio->nr_sectors * 512ul);
		break;
	default:
		fail_msg("request of kind %u", bio->op);
	}
	if (d->trace)
		trace_begin(d->trace, bio);
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

void blk_wait(struct blkdev *bd, u32 op, u32 nr_sectors, struct waitq *wq,
	      const u32 *done)
{
	wait_event(wq, load_once(done));
}

void blk_plug(void)
{
}

void blk_unplug(void)
{
}

struct sync_wait {
	struct waitq wq;
	bool done;
	int status;
};

static void sync_end(struct bio *bio)
{
	struct sync_wait *w = bio->priv;

	w->status = bio->status;
	w->done = true;
	wake_up_all(&w->wq);
}

static int sync_io(struct blkdev *bd, u32 op, u64 sector, void *buf, size_t len)
{
	struct sync_wait w = { .done = false };
	struct bio bio = { .op = op, .end_io = sync_end, .priv = &w };

	waitq_init(&w.wq);
	bio.sector = sector;
	bio.nr_sectors = (u32)(len / 512);
	if (len) {
		bio.nr_segs = 1;
		bio.seg[0].addr = buf;
		bio.seg[0].len = (u32)len;
	}
	blk_submit(bd, &bio);
	wait_event(&w.wq, w.done);
	return w.status;
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
	d->bd.has_fua = true;
	d->bd.has_discard = true;
	d->bd.whole = &d->bd;
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

void world_disk_grow(struct world_disk *d, u64 size)
{
	d->data = realloc(d->data, size);
	assert_non_null(d->data);
	memset(d->data + d->size, 0, size - d->size);
	d->size = size;
	d->bd.nr_sectors = size / 512;
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
