/* SPDX-License-Identifier: MIT */
/* sources: drivers/nvme/nvme_queue.c drivers/nvme/nvme_prp.c */
/* sources: drivers/nvme/nvme_cmd.c drivers/nvme/nvme_blk.c */
/* sources: drivers/nvme/nvme_ctrl.c drivers/nvme/nvme_identify.c */
/* sources: drivers/nvme/nvme_watch.c drivers/nvme/nvme_recover.c */
/* sources: drivers/nvme/nvme_event.c tests/host/fake/nvme_dev.c */
/* sources: tests/host/fake/nvme_rig.c lib/fmt.c lib/string.c */
/*
 * tests/host/nvme_test.c - NVMe against a controller that does as it should, that
 * is slow, that fails, and that lies.
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/nvme_rig.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>

static u8 buf[64 * 4096] __attribute__((aligned(4096)));

static void probe(u32 nr_ioq, u16 depth)
{
	rig_init(9);
	assert_int_equal(rig_probe(nr_ioq, depth), 0);
	assert_int_equal(ctrl->nr_ns, 1);
}

static int run_one(enum bio_op op, u64 sector, u32 nr_sectors)
{
	struct user u;

	user_init(&u, op, sector, nr_sectors);
	if (op == BIO_READ || op == BIO_WRITE)
		user_seg(&u, buf, nr_sectors * 512);
	return user_run(0, &u);
}

/* ---- pages of a transfer */

/* Where byte @n of the described transfer is. */
static u8 *described(const u64 prp[2], const u64 *list, u32 bytes, u32 n)
{
	u32 first = 4096 - (u32)(prp[0] % 4096), page;

	if (n < first)
		return (u8 *)(uintptr_t)prp[0] + n;
	page = (n - first) / 4096;
	n = (n - first) % 4096;
	if (bytes <= first + 4096)
		return (u8 *)(uintptr_t)prp[1] + n;
	return (u8 *)(uintptr_t)list[page] + n;
}

static void check_prps(const struct bio_seg *seg, u32 nr,
		       const struct nvme_prp_limits *lim)
{
	static u64 list[512] __attribute__((aligned(4096)));
	struct nvme_prp_pos pos = { 0 }, was;
	u64 prp[2];

	while (pos.seg < nr) {
		u32 bytes = nvme_prp_run(seg, nr, pos, lim);
		u32 at = 0;

		assert_true(bytes && bytes <= lim->max_bytes);
		assert_int_equal(bytes % lim->block_size, 0);
		was = pos;
		memset(list, 0, sizeof(list));
		nvme_prp_fill(seg, &pos, bytes, list, (u64)(uintptr_t)list,
			      prp);
		assert_int_equal(list[lim->nr_entries], 0);
		for (; was.seg != pos.seg || was.off != pos.off; at += 4) {
			assert_ptr_equal(described(prp, list, bytes, at),
					 (u8 *)seg[was.seg].addr + was.off);
			was.off += 4;
			if (was.off == seg[was.seg].len) {
				was.seg++;
				was.off = 0;
			}
		}
		assert_int_equal(at, bytes);
	}
}

static void prp_one_segment(void **state)
{
	static const u32 offset[] = {
		0, 4, 8, 508, 512, 1024, 2048, 3584, 4092
	};
	struct nvme_prp_limits lim = { 128 * 1024, 512, 40 };

	(void)state;
	for (u32 o = 0; o < ARRAY_SIZE(offset); o++) {
		for (u32 len = 512; len <= 40 * 1024; len += 512) {
			struct bio_seg seg = { buf + offset[o], len };

			lim.nr_entries = 40;
			check_prps(&seg, 1, &lim);
			lim.nr_entries = 2;
			check_prps(&seg, 1, &lim);
		}
	}
}

static void prp_many_segments(void **state)
{
	uint64_t rng = 7;

	(void)state;
	for (u32 round = 0; round < 3000; round++) {
		struct nvme_prp_limits lim = { 4096, 512, 1 };
		struct bio_seg seg[BIO_MAX_SEGS];
		u32 nr = 1 + (u32)random_below(&rng, BIO_MAX_SEGS);

		lim.block_size = random_below(&rng, 2) ? 512 : 4096;
		lim.nr_entries = 1 + (u32)random_below(&rng, 30);
		lim.max_bytes = 4096 * (1 + (u32)random_below(&rng, 20));
		for (u32 i = 0; i < nr; i++) {
			u32 blocks = 1 + (u32)random_below(&rng, 4);
			u8 *page = buf + 4096 * random_below(&rng, 48);

			seg[i].len = blocks * lim.block_size;
			seg[i].addr = page;
			if (random_below(&rng, 3) == 0)
				seg[i].addr =
					page + 4 * random_below(&rng, 1024);
			else if (i && random_below(&rng, 2) &&
				 (u8 *)seg[i - 1].addr + seg[i - 1].len <
					 buf + sizeof(buf) - 16384)
				seg[i].addr =
					(u8 *)seg[i - 1].addr + seg[i - 1].len;
		}
		check_prps(seg, nr, &lim);
	}
}

static void prp_refused(void **state)
{
	const struct nvme_prp_limits lim = { 4096, 512, 1 };
	struct nvme_prp_pos pos = { 0 };
	struct bio_seg seg = { buf + 2, 512 };
	struct user u;

	(void)state;
	assert_int_equal(nvme_prp_run(&seg, 1, pos, &lim), 0);
	probe(1, 8);
	user_init(&u, BIO_READ, 0, 1);
	user_seg(&u, buf + 1, 512);
	assert_int_equal(user_start(0, &u), -EINVAL);
	rig_free();
}

/* ---- bring-up */

static void takes_over(void **state)
{
	(void)state;
	rig_init(9);
	/* a boot loader has left it running */
	dev.enabled = true;
	nvme_wr32(ctrl, NVME_CC, NVME_CC_EN | 6u << 16 | 4u << 20);
	nvme_wr32(ctrl, NVME_CSTS, NVME_CSTS_RDY);
	assert_int_equal(rig_probe(2, 64), 0);
	assert_int_equal(dev.nr_enables, 1);
	assert_string_equal(ctrl->serial, "serial");
	assert_string_equal(ctrl->model, "a ?model");
	assert_int_equal(ctrl->max_bytes, NVME_MAX_TRANSFER);
	assert_true(dev.q[1].sq && dev.q[2].sq && dev.q[1].irqs);
	assert_true(rig_disk(0)->has_flush && rig_disk(0)->has_fua);
	assert_true(rig_disk(0)->has_discard && rig_disk(0)->has_write_zeroes);
	assert_int_equal(rig_disk(0)->nr_sectors, FAKE_BLOCKS);
	nvme_shut(ctrl);
	assert_true(dev.shut);
	assert_int_equal(dev.q[1].sq, 0);
	assert_int_equal(run_one(BIO_READ, 0, 8), -EIO);
	rig_free();
}

static void does_not_come_up(void **state)
{
	(void)state;
	rig_init(9);
	dev.fatal_enables = 1; /* not fit so soon: once more */
	assert_int_equal(rig_probe(1, 8), 0);
	rig_free();
	rig_init(9);
	dev.fatal_enables = 2;
	assert_int_equal(rig_probe(1, 8), -EIO);
	rig_free();
	rig_init(9);
	dev.enabled = dev.stuck_on = true;
	nvme_wr32(ctrl, NVME_CC, NVME_CC_EN);
	nvme_wr32(ctrl, NVME_CSTS, NVME_CSTS_RDY);
	assert_int_equal(rig_probe(1, 8), -ETIMEDOUT);
	rig_free();
	rig_init(9);
	fake_nvme_remove(&dev);
	assert_int_equal(rig_probe(1, 8), -ENODEV);
	rig_free();
	rig_init(9);
	dev.hold_admin = true; /* answers nothing */
	assert_int_equal(rig_probe(1, 8), -ETIMEDOUT);
	rig_free();
}

static void namespaces(void **state)
{
	(void)state;
	rig_init(12);
	dev.nsids[0] = 3;
	dev.nsids[1] = 7;
	assert_int_equal(rig_probe(1, 8), 0);
	assert_int_equal(ctrl->nr_ns, 2);
	assert_string_equal(rig_disk(0)->name, "nvme0n1");
	assert_string_equal(rig_disk(1)->name, "nvme0n2");
	assert_int_equal(ctrl->ns[1]->nsid, 7);
	assert_int_equal(rig_disk(0)->block_size, 4096);
	assert_int_equal(rig_disk(0)->nr_sectors, FAKE_BLOCKS * 8);
	/* one goes, one comes, and an event says so */
	dev.nsids[0] = 7;
	dev.nsids[1] = 9;
	fake_nvme_event(&dev, NVME_AER_NOTICE | 4u << 16);
	rig_pass(NSEC_PER_SEC);
	assert_int_equal(ctrl->nr_ns, 3);
	assert_string_equal(rig_disk(2)->name, "nvme0n3");
	assert_true(rig_disk(0)->broken && !rig_disk(1)->broken);
	assert_int_equal(ctrl->nr_events_seen, 1);
	/* another block size: what is there now is not what we knew */
	dev.block_shift = 9;
	assert_int_equal(nvme_user_rescan(ctrl), 0);
	assert_true(rig_disk(1)->broken);
	rig_free();
}

/* ---- I/O */

static void fill_random(u64 *rng, u8 *p, u32 len)
{
	while (len--)
		*p++ = (u8)next_random(rng);
}

/* Segments of any shape, in both directions, compared with the medium. */
static void one_transfer(u64 *rng)
{
	static u8 want[sizeof(buf)];
	u32 bs = 1u << dev.block_shift, total = 0, nr;
	struct user u;
	u64 sector;

	user_init(&u, random_below(rng, 2) ? BIO_READ : BIO_WRITE, 0, 0);
	nr = 1 + (u32)random_below(rng, 6);
	for (u32 i = 0; i < nr; i++) {
		u32 len = bs * (1 + (u32)random_below(rng, 3));
		u32 off = random_below(rng, 2)
				  ? 0
				  : 4 * (u32)random_below(rng, 1000);

		user_seg(&u, buf + i * 32768 + off, len);
		fill_random(rng, u.bio.seg[i].addr, len);
		total += len;
	}
	u.bio.nr_sectors = total / 512;
	sector = random_below(rng, FAKE_BLOCKS * bs / 512 - total / 512);
	u.bio.sector = sector - sector % (bs / 512);
	for (u32 i = 0, at = 0; i < nr; at += u.bio.seg[i++].len)
		memcpy(want + at, u.bio.seg[i].addr, u.bio.seg[i].len);
	if (u.bio.op == BIO_READ)
		memcpy(want, dev.data + u.bio.sector * 512, total);
	assert_int_equal(user_run(0, &u), 0);
	assert_memory_equal(dev.data + u.bio.sector * 512, want, total);
	for (u32 i = 0, at = 0; i < nr; at += u.bio.seg[i++].len)
		assert_memory_equal(u.bio.seg[i].addr, want + at,
				    u.bio.seg[i].len);
}

static void transfers(void **state)
{
	uint64_t rng = 11;

	(void)state;
	for (u32 shift = 9; shift <= 12; shift += 3) {
		rig_init(shift);
		dev.mdts = 2;
		assert_int_equal(rig_probe(1, 4), 0);
		for (u32 i = 0; i < 400; i++)
			one_transfer(&rng);
		rig_free();
	}
}

static void other_commands(void **state)
{
	struct user u;

	(void)state;
	probe(1, 8);
	assert_int_equal(run_one(BIO_FLUSH, 0, 0), 0);
	assert_int_equal(dev.nr_flushes, 1);
	memset(dev.data, 1, 4096);
	assert_int_equal(run_one(BIO_WRITE_ZEROES, 1, 3), 0);
	assert_int_equal(dev.data[511], 1);
	assert_int_equal(dev.data[512] | dev.data[2047], 0);
	assert_int_equal(dev.data[2048], 1);
	assert_int_equal(run_one(BIO_DISCARD, 100, 50), 0);
	assert_int_equal(dev.discarded_first, 100);
	assert_int_equal(dev.discarded_nr, 50);
	assert_int_equal(run_one(BIO_WRITE, 0, 1), 0);
	assert_int_equal(dev.nr_fua, 0);
	user_init(&u, BIO_WRITE, 0, 1);
	user_seg(&u, buf, 512);
	u.bio.flags = BIO_FUA;
	assert_int_equal(user_run(0, &u), 0);
	assert_int_equal(dev.nr_fua, 1);
	rig_free();
}

/* Every depth, completions in any order, indices around many times. */
static void soak_one(u16 depth, u64 *rng)
{
	struct user u[16];
	u32 started = 0, ended = 0;
	bool live[16] = { false };

	rig_init(9);
	dev.random_order = true;
	assert_int_equal(rig_probe(1, depth), 0);
	while (ended < 6u * depth + 40) {
		u32 k = (u32)random_below(rng, 16);

		if (!live[k]) {
			int err;

			user_init(&u[k], BIO_WRITE, k * 8, 1);
			user_seg(&u[k], buf + k * 4096, 512);
			err = user_start(0, &u[k]);
			/* busy is said only while there are others */
			assert_true(!err || (err == -EBUSY && started > ended));
			live[k] = !err;
			started += !err;
		} else {
			rig_turn();
		}
		for (k = 0; k < 16; k++) {
			if (!live[k] || !u[k].ended)
				continue;
			assert_int_equal(u[k].ended, 1);
			assert_int_equal(u[k].bio.status, 0);
			live[k] = false;
			ended++;
		}
		assert_int_equal(ctrl->ns[0]->nr_active[0], started - ended);
	}
	assert_int_equal(nvme_state(ctrl), NVME_LIVE);
	rig_free();
}

static void soak(void **state)
{
	static const u16 depths[] = { 2, 3, 4, 7, 16, 64, 255, 256 };
	uint64_t rng = 5;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(depths); i++)
		soak_one(depths[i], &rng);
}

/* One slot, two disks: who has nothing in flight is not sent away, because nothing
 * of his will end and make the core try again. */
static void shared_queue(void **state)
{
	struct user u[4];

	(void)state;
	rig_init(9);
	dev.nsids[1] = 2;
	assert_int_equal(rig_probe(1, 2), 0);
	for (u32 i = 0; i < 4; i++) {
		user_init(&u[i], BIO_READ, 8 * i, 8);
		user_seg(&u[i], buf + i * 4096, 4096);
	}
	assert_int_equal(user_start(0, &u[0]), 0);
	assert_int_equal(user_start(0, &u[1]), -EBUSY);
	assert_int_equal(user_start(1, &u[2]), 0);
	assert_int_equal(user_start(1, &u[3]), -EBUSY);
	assert_true(rig_until(&u[0].ended, 1, NSEC_PER_SEC));
	assert_true(rig_until(&u[2].ended, 1, NSEC_PER_SEC));
	assert_int_equal(u[0].bio.status | u[2].bio.status, 0);
	rig_free();
}

/* Busy is said of one queue, and only its own ends make the core try it again: what
 * the disk has with another queue does not count. */
static void shared_queues(void **state)
{
	struct user u[4];

	(void)state;
	rig_init(9);
	dev.nsids[1] = 2;
	assert_int_equal(rig_probe(2, 2), 0);
	for (u32 i = 0; i < 4; i++) {
		user_init(&u[i], BIO_READ, 8 * i, 8);
		user_seg(&u[i], buf + i * 4096, 4096);
	}
	u[0].bio.hwq = u[2].bio.hwq = u[3].bio.hwq = 1;
	assert_int_equal(user_start(0, &u[0]), 0);
	assert_int_equal(user_start(1, &u[1]), 0);
	assert_int_equal(user_start(1, &u[2]), 0);
	assert_int_equal(user_start(1, &u[3]), -EBUSY);
	for (u32 i = 0; i < 3; i++) {
		assert_true(rig_until(&u[i].ended, 1, NSEC_PER_SEC));
		assert_int_equal(u[i].bio.status, 0);
	}
	rig_free();
}

static void errors(void **state)
{
	(void)state;
	probe(1, 8);
	assert_int_equal(run_one(BIO_READ, FAKE_BLOCKS, 1), -EIO);
	/* may go better: and does, or does not */
	dev.fail_status = NVME_SC_INTERNAL;
	dev.fail_io = NVME_MAX_RETRIES;
	assert_int_equal(run_one(BIO_READ, 0, 1), 0);
	dev.fail_io = NVME_MAX_RETRIES + 1;
	assert_int_equal(run_one(BIO_READ, 0, 1), -EIO);
	assert_int_equal(dev.fail_io, 0);
	/* do not retry */
	dev.fail_status = (u16)(NVME_SC_INTERNAL | NVME_SC_DNR);
	dev.fail_io = 2;
	assert_int_equal(run_one(BIO_WRITE, 0, 1), -EIO);
	assert_int_equal(dev.fail_io, 1);
	/* the medium: not either */
	dev.fail_status = NVME_SC(2, 0x81);
	assert_int_equal(run_one(BIO_READ, 0, 1), -EIO);
	assert_int_equal(dev.fail_io, 0);
	dev.fail_status = NVME_SC_CAPACITY;
	dev.fail_io = 1;
	assert_int_equal(run_one(BIO_WRITE, 0, 1), -ENOSPC);
	assert_int_equal(nvme_state(ctrl), NVME_LIVE);
	rig_free();
}

/* ---- time */

static void lost_interrupt(void **state)
{
	struct user u;
	u64 start;

	(void)state;
	probe(1, 8);
	rig_pass(NSEC_PER_SEC); /* the watch of the probe's commands ends */
	dev.drop_irqs = true;
	user_init(&u, BIO_READ, 0, 8);
	user_seg(&u, buf, 4096);
	start = rig_now;
	assert_int_equal(user_run(0, &u), 0);
	assert_true(u.ended_at - start < 250 * NSEC_PER_MSEC);
	assert_int_equal(rig_lost, 1);
	assert_int_equal(ctrl->ioq[0]->nr_lost, 1);
	/* nothing in flight: nothing armed for long */
	rig_pass(NSEC_PER_SEC);
	assert_false(ctrl->ioq[0]->watching);
	dev.drop_irqs = false;
	assert_int_equal(user_run(0, &u), 0);
	rig_pass(NSEC_PER_SEC);
	assert_int_equal(rig_lost, 1);
	rig_free();
}

static void abort_helps(void **state)
{
	struct user u;

	(void)state;
	probe(1, 8);
	dev.hold_io = 1;
	user_init(&u, BIO_READ, 0, 8);
	user_seg(&u, buf, 4096);
	assert_int_equal(user_start(0, &u), 0);
	assert_false(rig_until(&u.ended, 1, nvme_io_timeout_ns));
	assert_true(rig_until(&u.ended, 1, 2 * NSEC_PER_SEC));
	assert_int_equal(u.bio.status, 0);
	assert_int_equal(dev.nr_aborts, 1);
	assert_int_equal(dev.nr_enables, 1);
	rig_free();
}

/* Aborts do nothing: a reset, and all in flight are done again. */
static void reset_and_replay(void **state)
{
	struct user u[6];

	(void)state;
	probe(2, 4);
	dev.hold_io = 3;
	dev.ignore_abort = true;
	for (u32 i = 0; i < 6; i++) {
		memset(buf + i * 4096, 'a' + (int)i, 4096);
		user_init(&u[i], BIO_WRITE, 8 * i, 8);
		user_seg(&u[i], buf + i * 4096, 4096);
	}
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(user_start(0, &u[i]), 0);
	/* while it is reset, and while the queue is full */
	assert_int_equal(user_start(0, &u[3]), -EBUSY);
	for (u32 i = 0; i < 3; i++)
		assert_true(rig_until(&u[i].ended, 1, 60 * NSEC_PER_SEC));
	for (u32 i = 3; i < 6; i++)
		assert_int_equal(user_run(0, &u[i]), 0);
	for (u32 i = 0; i < 6; i++) {
		assert_int_equal(u[i].ended, 1);
		assert_int_equal(u[i].bio.status, 0);
		assert_int_equal(dev.data[4096 * i], 'a' + (int)i);
	}
	assert_int_equal(dev.nr_enables, 2);
	assert_int_equal(ctrl->nr_resets, 1);
	assert_int_equal(nvme_state(ctrl), NVME_LIVE);
	rig_free();
}

/* Requests that come while it is reset wait for its end. */
static void submit_in_reset(void **state)
{
	struct user u;

	(void)state;
	probe(1, 8);
	fake_nvme_fatal(&dev);
	user_init(&u, BIO_READ, 0, 8);
	user_seg(&u, buf, 4096);
	nvme_request(ctrl, NVME_WORK_RESET);
	ctrl->ioq[0]->open = ctrl->ioq[0]->running = false;
	assert_int_equal(user_start(0, &u), 0);
	assert_false(list_empty(&ctrl->ioq[0]->pending));
	assert_true(rig_until(&u.ended, 1, 5 * NSEC_PER_SEC));
	assert_int_equal(u.bio.status, 0);
	rig_free();
}

static void fatal_status(void **state)
{
	struct user u;

	(void)state;
	probe(1, 8);
	user_init(&u, BIO_READ, 0, 8);
	user_seg(&u, buf, 4096);
	assert_int_equal(user_start(0, &u), 0);
	fake_nvme_run(&dev);
	rig_pass(NSEC_PER_SEC);
	u.ended = 0;
	dev.hold_io = 1;
	assert_int_equal(user_start(0, &u), 0);
	fake_nvme_fatal(&dev);
	assert_true(rig_until(&u.ended, 1, 5 * NSEC_PER_SEC));
	assert_int_equal(u.bio.status, 0);
	assert_int_equal(ctrl->nr_resets, 1);
	rig_free();
}

/* ---- the end of a device */

static void all_end_with_eio(struct user *u, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		assert_true(rig_until(&u[i].ended, 1, 300 * NSEC_PER_SEC));
		assert_int_equal(u[i].ended, 1);
		assert_int_equal(u[i].bio.status, -EIO);
	}
	assert_int_equal(nvme_state(ctrl), NVME_DEAD);
	assert_false(dev.master);
	assert_int_equal(rig_broken, 1);
	assert_int_equal(run_one(BIO_READ, 0, 8), -EIO);
}

static void start_three(struct user *u)
{
	for (u32 i = 0; i < 3; i++) {
		user_init(&u[i], BIO_READ, 8 * i, 8);
		user_seg(&u[i], buf + i * 4096, 4096);
		assert_int_equal(user_start(0, &u[i]), 0);
	}
}

static void reset_fails(void **state)
{
	struct user u[3];

	(void)state;
	probe(1, 8);
	dev.hold_io = 3;
	dev.ignore_abort = true;
	start_three(u);
	rig_pass(NSEC_PER_SEC);
	dev.stuck_on = true;
	all_end_with_eio(u, 3);
	rig_free();
}

static void resets_do_not_help(void **state)
{
	struct user u[3];

	(void)state;
	probe(1, 8);
	dev.hold_io = 100;
	dev.ignore_abort = true;
	start_three(u);
	/* each is tried some times, then given up; then the controller */
	for (u32 i = 0; i < 3; i++) {
		assert_true(rig_until(&u[i].ended, 1, 900 * NSEC_PER_SEC));
		assert_int_equal(u[i].bio.status, -EIO);
	}
	assert_int_equal(ctrl->nr_resets, NVME_MAX_RETRIES + 1);
	rig_free();
}

static void fewer_queues(void **state)
{
	struct user u[3];

	(void)state;
	probe(2, 8);
	dev.hold_io = 3;
	start_three(u);
	rig_pass(NSEC_PER_SEC);
	dev.grant = 1;
	nvme_request(ctrl, NVME_WORK_RESET);
	all_end_with_eio(u, 3);
	assert_string_equal(ctrl->why, "grants fewer queues after a reset");
	rig_free();
}

static void removed(void **state)
{
	struct user u[3];

	(void)state;
	probe(1, 8);
	start_three(u);
	fake_nvme_remove(&dev);
	all_end_with_eio(u, 3);
	assert_string_equal(ctrl->why, "does not answer any more");
	rig_free();
}

static void lies(void **state)
{
	static const enum fake_lie all[] = { LIE_CID,	     LIE_CID_RANGE,
					     LIE_SQID,	     LIE_HEAD_RANGE,
					     LIE_HEAD_AHEAD, LIE_HEAD_BACK };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		struct user u[3];

		probe(1, 8);
		dev.lie = all[i];
		dev.lie_qid = 1;
		for (u32 k = 0; k < 3; k++) {
			user_init(&u[k], BIO_READ, 8 * k, 8);
			user_seg(&u[k], buf + k * 4096, 4096);
		}
		assert_int_equal(user_start(0, &u[0]), 0);
		all_end_with_eio(u, 1);
		rig_free();
	}
}

/* The same answer again: the first one counts, then that is all. */
static void answers_twice(void **state)
{
	struct user u;

	(void)state;
	probe(1, 8);
	user_init(&u, BIO_READ, 0, 8);
	user_seg(&u, buf, 4096);
	dev.lie = LIE_TWICE;
	dev.lie_qid = 1;
	assert_int_equal(user_start(0, &u), 0);
	assert_true(rig_until(&u.ended, 1, NSEC_PER_SEC));
	assert_int_equal(u.bio.status, 0);
	assert_int_equal(nvme_state(ctrl), NVME_DEAD);
	rig_free();
}

/* An entry that does not look new is as good as none: time-out, reset. */
static void wrong_phase(void **state)
{
	struct user u;

	(void)state;
	probe(1, 8);
	dev.lie = LIE_PHASE;
	dev.lie_qid = 1;
	user_init(&u, BIO_READ, 0, 8);
	user_seg(&u, buf, 4096);
	assert_int_equal(user_run(0, &u), 0);
	assert_int_equal(ctrl->nr_resets, 1);
	assert_int_equal(nvme_state(ctrl), NVME_LIVE);
	rig_free();
}

static void lies_of_admin(void **state)
{
	(void)state;
	probe(1, 8);
	dev.lie = LIE_SQID;
	dev.lie_qid = 0;
	assert_int_equal(nvme_user_rescan(ctrl), -EIO);
	assert_int_equal(nvme_state(ctrl), NVME_DEAD);
	rig_free();
}

/* ---- commands of users */

static struct nvme_sync *user_command(u8 opcode, u32 len)
{
	struct nvme_sync *s = nvme_sync_alloc(len);

	s->cmd.opcode = opcode;
	s->cmd.cdw10 = NVME_CNS_CTRL;
	return s;
}

static void user_commands(void **state)
{
	struct nvme_sync *s;

	(void)state;
	probe(1, 8);
	s = user_command(NVME_ADM_IDENTIFY, 4096);
	assert_int_equal(nvme_sync_run(ctrl->admin, s), 0);
	assert_int_equal(s->status, 0);
	assert_memory_equal((u8 *)s->buf + NVME_IDC_SN, "serial", 6);
	nvme_sync_put(s);
	s = user_command(0x77, 0);
	assert_int_equal(nvme_sync_run(ctrl->admin, s), 0);
	assert_int_equal(nvme_sc(s->status), NVME_SC_INVALID_OPCODE);
	nvme_sync_put(s);
	rig_free();
}

/* Never answered: a reset ends it, and I/O goes on. */
static void user_command_lost(void **state)
{
	struct nvme_sync *s;

	(void)state;
	probe(1, 8);
	dev.hold_admin = true;
	s = user_command(0x77, 4096);
	s->timeout_ns = NSEC_PER_SEC;
	assert_int_equal(nvme_sync_try(ctrl->admin, s), -ETIMEDOUT);
	dev.hold_admin = false;
	assert_int_equal(s->refs, 2); /* the device may still write to it */
	rig_pass(10 * NSEC_PER_SEC);
	assert_int_equal(ctrl->nr_resets, 1);
	assert_int_equal(s->refs, 1);
	assert_int_equal(s->err, -EINTR);
	nvme_sync_put(s);
	assert_int_equal(run_one(BIO_READ, 0, 8), 0);
	/* a user's resets: as many as he likes */
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(nvme_user_reset(ctrl), 0);
	assert_int_equal(run_one(BIO_READ, 0, 8), 0);
	rig_free();
}

/* ---- modes */

static void polling(void **state)
{
	struct user u[3];

	(void)state;
	probe(2, 8);
	for (u32 m = NR_NVME_MODES; m--;) {
		dev.hold_io = 0;
		assert_int_equal(nvme_change_mode(ctrl, (enum nvme_mode)m), 0);
		assert_int_equal(dev.q[1].irqs, m == NVME_MODE_IRQ);
		for (u32 i = 0; i < 20; i++)
			assert_int_equal(run_one(BIO_READ, 8, 8), 0);
		start_three(u);
		for (u32 i = 0; i < 3; i++)
			assert_true(
				rig_until(&u[i].ended, 1, 10 * NSEC_PER_MSEC));
		rig_pass(NSEC_PER_SEC);
		assert_false(ctrl->ioq[0]->polling || ctrl->ioq[0]->watching);
	}
	assert_int_equal(rig_lost, 0);
	assert_true(ctrl->ioq[0]->nr_poll_hits > 0);
	/* a command that does not end: the change is refused, nothing is lost */
	dev.hold_io = 1;
	start_three(u);
	assert_int_equal(nvme_change_mode(ctrl, NVME_MODE_POLL), -EBUSY);
	assert_true(rig_until(&u[0].ended, 1, 60 * NSEC_PER_SEC));
	assert_int_equal(u[0].bio.status, 0);
	rig_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prp_one_segment),
		cmocka_unit_test(prp_many_segments),
		cmocka_unit_test(prp_refused),
		cmocka_unit_test(takes_over),
		cmocka_unit_test(does_not_come_up),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(transfers),
		cmocka_unit_test(other_commands),
		cmocka_unit_test(soak),
		cmocka_unit_test(shared_queue),
		cmocka_unit_test(shared_queues),
		cmocka_unit_test(errors),
		cmocka_unit_test(lost_interrupt),
		cmocka_unit_test(abort_helps),
		cmocka_unit_test(reset_and_replay),
		cmocka_unit_test(submit_in_reset),
		cmocka_unit_test(fatal_status),
		cmocka_unit_test(reset_fails),
		cmocka_unit_test(resets_do_not_help),
		cmocka_unit_test(fewer_queues),
		cmocka_unit_test(removed),
		cmocka_unit_test(lies),
		cmocka_unit_test(answers_twice),
		cmocka_unit_test(wrong_phase),
		cmocka_unit_test(lies_of_admin),
		cmocka_unit_test(user_commands),
		cmocka_unit_test(user_command_lost),
		cmocka_unit_test(polling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
