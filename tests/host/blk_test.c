/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: kernel/dev/blk.c kernel/dev/blk_split.c */
/* sources: kernel/dev/blk_queue.c kernel/dev/blk_merge.c */
/*
 * tests/host/blk_test.c - the block core over a fake disk: queueing, merging,
 * fairness, splitting, partitions, flushes and the end of a disk.
 */
#include <tests/host/cmocka.h>

#include <kernel/dev/blk_core.h>
#include <kernel/hart.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/sched/thread.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

/* ---- what the core wants of the kernel */

static struct hart hart0;
struct hart *host_this_hart = &hart0;
/* Every pointer is direct map. */
u64 host_direct_map, phys_ram_base, phys_ram_end = ~0ull;
static u64 now;
static bool no_memory;
static struct process proc0, proc1;
static struct thread thread0 = { .proc = &proc0 };
static u64 services = 1;

struct thread *current_thread(void)
{
	return &thread0;
}

/* The ring to the hart of the block layer: one message, or none. */
struct hart *relay_block_hart;
static struct hart_work *sent;
static bool ring_full;

bool hart_work_send(struct hart *dst, struct hart_work *w)
{
	if (dst == host_this_hart || (ring_full && !w->sent))
		return false;
	w->sent = 1;
	sent = w;
	return true;
}

u64 service_mask(void)
{
	return services;
}

void *kmalloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

void *kcalloc(size_t n, size_t size)
{
	return no_memory ? NULL : calloc(n, size);
}

void *kzalloc(size_t size)
{
	return no_memory ? NULL : calloc(1, size);
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

bool log_may(struct log_ratelimit *rl)
{
	(void)rl;
	return true;
}

u64 clock_mono_ns(void)
{
	return now += 1000;
}

/* ---- the disk */

#define NR_SECTORS 2048u
#define MAX_DEPTH  16u

static struct {
	u8 data[NR_SECTORS * 512];
	struct bio *q[MAX_DEPTH];
	u32 depth, nr;
	u32 nr_submits, nr_commits, nr_uncommitted, nr_flushes, nr_ended;
	u64 bad_sector; /* a request with it fails */
	u32 order[64];	/* sectors of the first submits */
	int fail;	/* status of what ends next */
	bool auto_end;	/* ends each bio inside of submit */
} hw;

static struct blkdev disk, part;

static void hw_transfer(const struct bio *b)
{
	u8 *at = hw.data + b->sector * 512;

	assert_true(b->sector + b->nr_sectors <= NR_SECTORS);
	for (u32 i = 0; i < b->nr_segs; i++) {
		if (b->op == BIO_READ)
			memcpy(b->seg[i].addr, at, b->seg[i].len);
		else
			memcpy(at, b->seg[i].addr, b->seg[i].len);
		at += b->seg[i].len;
	}
	if (b->op == BIO_WRITE_ZEROES)
		memset(at, 0, b->nr_sectors * 512);
	if (b->op == BIO_FLUSH) {
		assert_int_equal(b->nr_segs, 0);
		assert_int_equal(b->nr_sectors, 0);
		hw.nr_flushes++;
	}
}

static void check_limits(const struct bio *b)
{
	u32 spb = disk.block_size / 512;

	assert_true(!disk.max_segs || b->nr_segs <= disk.max_segs);
	assert_int_equal(b->sector % spb, 0);
	assert_int_equal(b->nr_sectors % spb, 0);
	if (b->op <= BIO_WRITE)
		assert_true(!disk.max_sectors ||
			    b->nr_sectors <= disk.max_sectors);
	for (u32 i = 0; i < b->nr_segs; i++)
		assert_true(!disk.max_seg_bytes ||
			    b->seg[i].len <= disk.max_seg_bytes);
}

static void hw_end(u32 i)
{
	struct bio *b = hw.q[i];
	int status = hw.fail;

	hw.q[i] = hw.q[--hw.nr];
	hw.nr_ended++;
	if (hw.bad_sector && b->sector <= hw.bad_sector &&
	    hw.bad_sector < b->sector + b->nr_sectors)
		status = -EIO;
	if (!status)
		hw_transfer(b);
	bio_done(b, status);
}

static int hw_submit(struct blkdev *bd, struct bio *b)
{
	assert_ptr_equal(bd, &disk);
	assert_int_equal(disk.queue[b->hwq].lock.hart, 0);
	if (hw.nr >= hw.depth)
		return -EBUSY;
	check_limits(b);
	hw.q[hw.nr++] = b;
	if (hw.nr_submits < 64)
		hw.order[hw.nr_submits] = (u32)b->sector;
	hw.nr_submits++;
	hw.nr_uncommitted++;
	if (hw.auto_end)
		hw_end(hw.nr - 1);
	return 0;
}

static void hw_commit(struct blkdev *bd, u32 hwq)
{
	assert_true(hwq < bd->nr_hwq);
	hw.nr_commits++;
	hw.nr_uncommitted = 0;
}

static const struct blkdev_ops hw_ops = { .submit = hw_submit,
					  .commit = hw_commit };

static void rig_init(u32 depth)
{
	free(disk.queue);
	memset(&hw, 0, sizeof(hw));
	memset(&disk, 0, sizeof(disk));
	memset(&part, 0, sizeof(part));
	hart0.plug = NULL;
	no_memory = false;
	hw.depth = depth;
	disk.ops = &hw_ops;
	disk.whole = &disk;
	disk.nr_sectors = NR_SECTORS;
	disk.block_size = 512;
	proc0.pid = 7;
	proc1.pid = 8;
	thread0.proc = &proc0;
	services = 1;
	assert_int_equal(blk_queues_init(&disk), 0);
	part.whole = &disk;
	part.start_sector = 100;
	part.nr_sectors = 200;
	part.block_size = 512;
}

/* ---- the users */

struct user {
	struct bio bio;
	u32 ended;
	bool again; /* submits the same once more from end_io */
};

static void user_end(struct bio *b)
{
	struct user *u = b->priv;

	u->ended++;
	if (u->again) {
		u->again = false;
		blk_submit(b->dev, b);
	}
}

static void user_init(struct user *u, u32 op, u64 sector, u32 nr)
{
	memset(u, 0, sizeof(*u));
	u->bio.op = op;
	u->bio.sector = sector;
	u->bio.nr_sectors = nr;
	u->bio.end_io = user_end;
	u->bio.priv = u;
}

static void user_seg(struct user *u, void *p, u32 len)
{
	u->bio.seg[u->bio.nr_segs].addr = p;
	u->bio.seg[u->bio.nr_segs++].len = len;
}

static int run(struct blkdev *bd, struct user *u)
{
	u32 before = u->ended;

	blk_submit(bd, &u->bio);
	while (hw.nr)
		hw_end(hw.nr - 1);
	assert_int_equal(u->ended, before + 1);
	assert_int_equal(disk.in_flight, 0);
	return u->bio.status;
}

/* ---- tests */

static void checks(void **state)
{
	static u8 buf[4096];
	struct {
		u32 op;
		u64 sector;
		u32 nr, len;
		int want;
	} t[] = {
		{ BIO_READ, 0, 1, 512, 0 },
		{ BIO_READ, NR_SECTORS - 1, 1, 512, 0 },
		{ BIO_READ, NR_SECTORS, 1, 512, -EIO },
		{ BIO_READ, NR_SECTORS - 1, 2, 1024, -EIO },
		{ BIO_READ, ~0ull, 2, 1024, -EIO },
		{ BIO_READ, 0, 0, 0, -EINVAL },
		{ BIO_READ, 0, 2, 512, -EINVAL },
		{ BIO_READ, 0, 1, 100, -EINVAL },
		{ BIO_FLUSH, 0, 0, 0, 0 },
		{ BIO_FLUSH, 0, 1, 512, -EINVAL },
		{ BIO_DISCARD, 0, 1, 0, -EOPNOTSUPP },
		{ BIO_WRITE_ZEROES, 0, 1, 0, -EOPNOTSUPP },
		{ 77, 0, 1, 512, -EINVAL },
	};
	struct user u;

	(void)state;
	rig_init(4);
	for (u32 i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		user_init(&u, t[i].op, t[i].sector, t[i].nr);
		if (t[i].len)
			user_seg(&u, buf, t[i].len);
		assert_int_equal(run(&disk, &u), t[i].want);
		assert_int_equal(u.bio.sector, t[i].sector);
	}
	disk.read_only = true;
	user_init(&u, BIO_WRITE, 0, 1);
	user_seg(&u, buf, 512);
	assert_int_equal(run(&disk, &u), -EROFS);
	disk.block_size = 4096;
	user_init(&u, BIO_READ, 4, 8);
	user_seg(&u, buf, 4096);
	assert_int_equal(run(&disk, &u), -EINVAL);
}

static void partition(void **state)
{
	static u8 buf[1024];
	struct user u;

	(void)state;
	rig_init(4);
	hw.data[100 * 512] = 42;
	user_init(&u, BIO_READ, 0, 2);
	user_seg(&u, buf, 1024);
	assert_int_equal(run(&part, &u), 0);
	assert_int_equal(buf[0], 42);
	assert_int_equal(u.bio.sector, 0);
	assert_int_equal(part.stat_ios[0], 1);
	assert_int_equal(disk.stat_ios[0], 1);
	assert_int_equal(disk.stat_sectors[0], 2);
	u.bio.sector = 199;
	assert_int_equal(run(&part, &u), -EIO);
	u.bio.sector = 198;
	assert_int_equal(run(&part, &u), 0);
}

/* Ten bios, a disk that takes two: in order, none forgotten. */
static void queueing(void **state)
{
	static u8 buf[10][512];
	struct user u[10];
	u32 ended = 0;

	(void)state;
	rig_init(2);
	for (u32 i = 0; i < 10; i++) {
		user_init(&u[i], BIO_READ, 2 * i, 1);
		user_seg(&u[i], buf[i], 512);
		u[i].again = i == 3;
		blk_submit(&disk, &u[i].bio);
	}
	assert_int_equal(hw.nr, 2);
	assert_int_equal(disk.in_flight, 10);
	while (hw.nr) {
		assert_int_equal(hw.nr_uncommitted, 0);
		hw_end(0);
		ended++;
	}
	assert_int_equal(ended, 11);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(u[i].ended, i == 3 ? 2 : 1);
	assert_int_equal(disk.queue[0].nr_waiting, 0);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(hw.order[i], 2 * i);
}

/* A driver that ends bios inside of submit: no recursion, no bio twice. */
static void ends_at_once(void **state)
{
	static u8 buf[512];
	struct user u;

	(void)state;
	rig_init(1);
	hw.auto_end = true;
	user_init(&u, BIO_READ, 5, 1);
	user_seg(&u, buf, 512);
	u.again = true;
	blk_submit(&disk, &u.bio);
	assert_int_equal(u.ended, 2);
	hw.fail = -EIO;
	blk_submit(&disk, &u.bio);
	assert_int_equal(u.bio.status, -EIO);
	assert_int_equal(disk.in_flight, 0);
}

static void plugging(void **state)
{
	static u8 buf[512];
	struct user u[4];

	(void)state;
	rig_init(8);
	blk_unplug(); /* without a plug: nothing */
	blk_plug();
	blk_plug();
	for (u32 i = 0; i < 3; i++) {
		user_init(&u[i], BIO_READ, 2 * i, 1);
		user_seg(&u[i], buf, 512);
		blk_submit(&disk, &u[i].bio);
	}
	blk_unplug();
	assert_int_equal(hw.nr_submits, 0);
	blk_unplug();
	assert_int_equal(hw.nr_submits, 3);
	assert_int_equal(hw.nr_commits, 1);
	assert_null(hart0.plug);
	/* the coroutine suspends: the doorbell rings, the plug is over */
	blk_plug();
	user_init(&u[3], BIO_READ, 3, 1);
	user_seg(&u[3], buf, 512);
	blk_submit(&disk, &u[3].bio);
	assert_non_null(hart0.plug);
	blk_plug_end();
	assert_int_equal(hw.nr_commits, 2);
	blk_unplug();
	assert_int_equal(hw.nr_commits, 2);
	while (hw.nr)
		hw_end(0);
}

static void fua(void **state)
{
	static u8 buf[512];
	struct user u;

	(void)state;
	rig_init(1);
	disk.has_flush = true;
	user_init(&u, BIO_WRITE, 7, 1);
	user_seg(&u, buf, 512);
	u.bio.flags = BIO_FUA;
	assert_int_equal(run(&disk, &u), 0);
	assert_int_equal(hw.nr_flushes, 1);
	assert_int_equal(u.bio.op, BIO_WRITE);
	assert_int_equal(u.bio.flags, BIO_FUA);
	assert_int_equal(disk.stat_ios[1], 1);
	/* the write fails: no flush */
	hw.fail = -EIO;
	assert_int_equal(run(&disk, &u), -EIO);
	assert_int_equal(hw.nr_flushes, 1);
	hw.fail = 0;
	/* the flush fails: so does the write */
	blk_submit(&disk, &u.bio);
	hw_end(0);
	hw.fail = -EIO;
	hw_end(0);
	assert_int_equal(u.bio.status, -EIO);
	assert_int_equal(u.bio.op, BIO_WRITE);
	hw.fail = 0;
	/* a disk that can, or has nothing to flush, is not asked */
	disk.has_fua = true;
	assert_int_equal(run(&disk, &u), 0);
	disk.has_fua = false;
	disk.has_flush = false;
	assert_int_equal(run(&disk, &u), 0);
	assert_int_equal(hw.nr_flushes, 1);
}

static void one_split(u64 *rng)
{
	static u8 buf[BIO_MAX_SEGS][8192], want[BIO_MAX_SEGS * 8192];
	u32 spb = disk.block_size / 512, n, total = 0, at = 0;
	struct user u;
	u64 sector;

	n = 1 + (u32)random_below(rng, BIO_MAX_SEGS);
	user_init(&u, random_below(rng, 2), 0, 0);
	for (u32 i = 0; i < n; i++) {
		u32 max = 8192 / disk.block_size;
		u32 len = (1 + (u32)random_below(rng, max)) * disk.block_size;

		for (u32 k = 0; k < len; k++)
			buf[i][k] = (u8)next_random(rng);
		user_seg(&u, buf[i], len);
		total += len;
	}
	u.bio.nr_sectors = total / 512;
	sector = random_below(rng, NR_SECTORS - total / 512);
	u.bio.sector = sector - sector % spb;
	if (random_below(rng, 2) && disk.has_flush)
		u.bio.flags = u.bio.op == BIO_WRITE ? BIO_FUA : 0;
	for (u32 i = 0; i < n; i++) {
		memcpy(want + at, buf[i], u.bio.seg[i].len);
		at += u.bio.seg[i].len;
	}
	if (u.bio.op == BIO_READ)
		memcpy(want, hw.data + u.bio.sector * 512, total);
	assert_int_equal(run(&disk, &u), 0);
	assert_memory_equal(hw.data + u.bio.sector * 512, want, total);
	for (at = 0, n = 0; n < u.bio.nr_segs; n++) {
		assert_memory_equal(buf[n], want + at, u.bio.seg[n].len);
		at += u.bio.seg[n].len;
	}
}

static void splitting(void **state)
{
	uint64_t rng = 3;

	(void)state;
	for (u32 round = 0; round < 300; round++) {
		rig_init(1 + (u32)random_below(&rng, 3));
		disk.block_size = random_below(&rng, 2) ? 512 : 4096;
		disk.max_segs = (u32)random_below(&rng, 5);
		disk.max_sectors = 8 * (u32)random_below(&rng, 6);
		disk.max_seg_bytes = 4096 * (u32)random_below(&rng, 3);
		disk.has_flush = random_below(&rng, 2);
		one_split(&rng);
	}
}

static void split_ranges(void **state)
{
	struct user u;

	(void)state;
	rig_init(1);
	disk.has_write_zeroes = true;
	disk.max_zero_sectors = 100;
	memset(hw.data, 1, sizeof(hw.data));
	user_init(&u, BIO_WRITE_ZEROES, 1, 1000);
	assert_int_equal(run(&disk, &u), 0);
	assert_int_equal(hw.nr_submits, 10);
	assert_int_equal(hw.data[511], 1);
	assert_int_equal(hw.data[512], 0);
	assert_int_equal(hw.data[1001 * 512 - 1], 0);
	assert_int_equal(hw.data[1001 * 512], 1);
	/* a piece fails: the rest is not tried */
	hw.fail = -EIO;
	assert_int_equal(run(&disk, &u), -EIO);
	assert_int_equal(hw.nr_submits, 11);
	hw.fail = 0;
	no_memory = true;
	assert_int_equal(run(&disk, &u), -ENOMEM);
}

static void death(void **state)
{
	static u8 buf[512];
	struct user u[6];

	(void)state;
	rig_init(2);
	for (u32 i = 0; i < 6; i++) {
		user_init(&u[i], BIO_READ, 2 * i, 1);
		user_seg(&u[i], buf, 512);
		blk_submit(&disk, &u[i].bio);
	}
	hw.fail = -EIO;
	hw.depth = 0; /* it takes nothing any more */
	hw_end(0);
	hw_end(0);
	assert_int_equal(disk.in_flight, 4);
	blkdev_break(&disk);
	assert_int_equal(disk.in_flight, 0);
	for (u32 i = 0; i < 6; i++) {
		assert_int_equal(u[i].ended, 1);
		assert_int_equal(u[i].bio.status, -EIO);
	}
	blk_submit(&part, &u[0].bio);
	assert_int_equal(u[0].ended, 2);
	assert_int_equal(u[0].bio.status, -EIO);
}

/* Neighbours leave as one request, and each gets its own bytes. */
static void merging(void **state)
{
	static u8 buf[8][1024];
	struct user u[8];

	(void)state;
	rig_init(8);
	disk.max_segs = 4;
	for (u32 i = 0; i < NR_SECTORS * 512; i++)
		hw.data[i] = (u8)(i / 512);
	blk_plug();
	/* 0-2, 2-4 .. 8-10 in five, a gap, 12-14, and a write */
	for (u32 i = 0; i < 7; i++) {
		user_init(&u[i], i == 6 ? BIO_WRITE : BIO_READ,
			  i < 5 ? 2 * i : 12, 2);
		user_seg(&u[i], buf[i == 6 ? 7 : i], 1024);
		blk_submit(&disk, &u[i].bio);
	}
	blk_unplug();
	/* buf[0] .. buf[5] are one piece of memory: one segment */
	assert_int_equal(hw.nr_submits, 3);
	assert_int_equal(hw.q[0]->nr_sectors, 10);
	assert_int_equal(hw.q[0]->nr_segs, 1);
	assert_int_equal(disk.queue[0].in_flight, 3);
	assert_int_equal(disk.in_flight, 7);
	assert_int_equal(disk.stat_merges[0], 4);
	while (hw.nr)
		hw_end(0);
	for (u32 i = 0; i < 7; i++) {
		assert_int_equal(u[i].ended, 1);
		assert_int_equal(u[i].bio.status, 0);
		assert_int_equal(u[i].bio.nr_sectors, 2);
	}
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(buf[i][600], 2 * i + 1);
	assert_int_equal(disk.stat_ios[0], 6);
	assert_int_equal(disk.in_flight, 0);
	assert_int_equal(disk.queue[0].nr_waiting, 0);
}

/* Not more segments, bytes of one, or sectors than the disk takes. */
static void merge_limits(void **state)
{
	static u8 buf[8][1024];
	struct user u[8];

	(void)state;
	for (u32 round = 0; round < 4; round++) {
		rig_init(16);
		disk.max_segs = round == 0 ? 2 : 0;
		disk.max_seg_bytes = round == 1 ? 512 : 0;
		disk.max_sectors = round == 2 ? 3 : 0;
		no_memory = round == 3;
		blk_plug();
		for (u32 i = 0; i < 8; i++) {
			user_init(&u[i], BIO_READ, i, 1);
			/* every other half: never joined in memory */
			user_seg(&u[i], buf[i], 512);
			blk_submit(&disk, &u[i].bio);
		}
		blk_unplug();
		assert_int_equal(hw.nr_submits, round == 0   ? 4
						: round == 1 ? 1
						: round == 2 ? 3
							     : 8);
		while (hw.nr)
			hw_end(0);
		assert_int_equal(disk.in_flight, 0);
		no_memory = false;
	}
}

/* One bad sector among eight merged ones: one error. */
static void merge_error(void **state)
{
	static u8 buf[8][512];
	struct user u[8];

	(void)state;
	rig_init(16);
	hw.bad_sector = 5;
	blk_plug();
	for (u32 i = 0; i < 8; i++) {
		user_init(&u[i], BIO_READ, i, 1);
		user_seg(&u[i], buf[i], 512);
		blk_submit(&disk, &u[i].bio);
	}
	blk_unplug();
	assert_int_equal(hw.nr_submits, 1);
	while (hw.nr)
		hw_end(0);
	assert_int_equal(hw.nr_submits, 9);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(u[i].ended, 1);
		assert_int_equal(u[i].bio.status, i == 5 ? -EIO : 0);
		assert_int_equal(u[i].bio.flags, 0);
	}
	assert_int_equal(disk.in_flight, 0);
	assert_int_equal(disk.queue[0].in_flight, 0);
}

/* A process with 40 large bios waiting; one of another process is next but one
 * turn, and two that flood alternate by sectors, not by bios. */
static void fairness(void **state)
{
	static u8 buf[65536];
	static struct user flood[40], small[40], one;
	u32 at = 0, large_first = 0;

	(void)state;
	rig_init(2);
	for (u32 i = 0; i < 40; i++) {
		user_init(&flood[i], BIO_READ, 3, 128);
		user_seg(&flood[i], buf, sizeof(buf));
		blk_submit(&disk, &flood[i].bio);
	}
	thread0.proc = &proc1;
	user_init(&one, BIO_READ, 1000, 1);
	user_seg(&one, buf, 512);
	blk_submit(&disk, &one.bio);
	while (!one.ended)
		hw_end(0);
	/* two in flight, a turn of 256 sectors, and itself */
	assert_true(hw.nr_ended <= 5);
	for (u32 i = 0; i < 40; i++) {
		user_init(&small[i], BIO_READ, 1000 + 2 * i, 1);
		user_seg(&small[i], buf, 512);
		blk_submit(&disk, &small[i].bio);
	}
	at = hw.nr_submits;
	while (hw.nr)
		hw_end(0);
	for (u32 i = at; i < 64 && hw.order[i] == 3; i++)
		large_first++;
	assert_true(large_first <= 2);
	assert_int_equal(disk.in_flight, 0);
	for (u32 i = 0; i < 40; i++)
		assert_int_equal(flood[i].ended + small[i].ended, 2);
}

static void depth_limit(void **state)
{
	static u8 buf[512];
	struct user u[10];

	(void)state;
	rig_init(16);
	disk.nr_requests = 3;
	for (u32 i = 0; i < 10; i++) {
		user_init(&u[i], BIO_READ, 2 * i, 1);
		user_seg(&u[i], buf, 512);
		blk_submit(&disk, &u[i].bio);
		assert_true(hw.nr <= 3);
	}
	while (hw.nr)
		hw_end(0);
	assert_int_equal(disk.in_flight, 0);
}

/* A driver that was reset gives back what it had; it is started again. */
static void retry(void **state)
{
	static u8 buf[512];
	struct user u[4];
	struct bio *taken[2];

	(void)state;
	rig_init(2);
	for (u32 i = 0; i < 4; i++) {
		user_init(&u[i], BIO_READ, 2 * i, 1);
		user_seg(&u[i], buf, 512);
		blk_submit(&disk, &u[i].bio);
	}
	taken[0] = hw.q[0];
	taken[1] = hw.q[1];
	hw.nr = 0;
	bio_retry(taken[1]);
	bio_retry(taken[0]);
	while (hw.nr)
		hw_end(0);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(u[i].ended, 1);
	assert_int_equal(disk.queue[0].in_flight, 0);
	assert_int_equal(disk.queue[0].nr_waiting, 0);
}

/* Each service hart has its queue; the others use one of theirs. */
static void queues_of_harts(void **state)
{
	(void)state;
	rig_init(2);
	free(disk.queue);
	disk.queue = NULL;
	services = BIT(1) | BIT(3);
	disk.nr_hwq = 2;
	assert_int_equal(blk_queues_init(&disk), 0);
	assert_int_equal(blk_max_hwq(), 2);
	assert_int_equal(blk_hwq_cpu(0), 1);
	assert_int_equal(blk_hwq_cpu(1), 3);
	hart0.cpu = 3;
	assert_int_equal(blk_this_hwq(&disk), 1);
	hart0.cpu = 1;
	assert_int_equal(blk_this_hwq(&disk), 0);
	hart0.cpu = 2;
	assert_true(blk_this_hwq(&disk) < 2);
	hart0.cpu = 0;
	services = 1;
}

/* block=: who submits leaves the bio to the hart of the block layer, by one message. */
static void hart_of_its_own(void **state)
{
	static struct hart home = { .cpu = 1 };
	struct user u[3];
	u8 buf[512];

	(void)state;
	rig_init(8);
	relay_block_hart = &home;
	for (u32 i = 0; i < 3; i++) {
		user_init(&u[i], BIO_READ, 4 * i, 1);
		user_seg(&u[i], buf, 512);
		ring_full = i == 2;
		blk_submit(&disk, &u[i].bio);
	}
	assert_int_equal(hw.nr_submits, 0);
	host_this_hart = &home;
	sent->sent = 0;
	sent->fn(sent);
	assert_int_equal(hw.nr_submits, 3);
	host_this_hart = &hart0;
	while (hw.nr)
		hw_end(0);
	/* no room in the ring: it is done here */
	user_init(&u[0], BIO_READ, 0, 1);
	user_seg(&u[0], buf, 512);
	blk_submit(&disk, &u[0].bio);
	assert_int_equal(hw.nr_submits, 4);
	hw_end(0);
	ring_full = false;
	relay_block_hart = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks),
		cmocka_unit_test(partition),
		cmocka_unit_test(queueing),
		cmocka_unit_test(ends_at_once),
		cmocka_unit_test(plugging),
		cmocka_unit_test(fua),
		cmocka_unit_test(splitting),
		cmocka_unit_test(split_ranges),
		cmocka_unit_test(death),
		cmocka_unit_test(merging),
		cmocka_unit_test(merge_limits),
		cmocka_unit_test(merge_error),
		cmocka_unit_test(fairness),
		cmocka_unit_test(depth_limit),
		cmocka_unit_test(retry),
		cmocka_unit_test(queues_of_harts),
		cmocka_unit_test(hart_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
