/* SPDX-License-Identifier: MIT */
/* sources: kernel/dev/blk_poll.c */
/*
 * tests/host/blk_wait_test.c - does who waits for a bio look or sleep?
 *
 * Time is a variable: a wait that looks ends at `look_ns`, one that sleeps at
 * `sleep_ns`.
 */
#include <tests/host/cmocka.h>

#include <kernel/dev/blk_core.h>
#include <kernel/hart.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>

#define US NSEC_PER_USEC

static struct hart hart0;
struct hart *host_this_hart = &hart0;
static u64 now, begun, look_ns, sleep_ns, apps, spent_looking;
static u32 done, nr_looked, nr_slept;

struct hart *relay_block_hart;

/* ---- what it wants of the kernel */

u64 clock_mono_ns(void)
{
	return now += 50;
}

u64 app_mask(void)
{
	return apps;
}

u32 blk_this_hwq(const struct blkdev *disk)
{
	return 0;
}

void cond_resched(void)
{
	now += 300;
}

int sleep_until_ns(u64 deadline_ns, bool interruptible)
{
	now = max(now, deadline_ns);
	return 0;
}

void waiter_init(struct waiter *w)
{
}

void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible)
{
}

int wait_suspend(u64 deadline_ns)
{
	nr_slept++;
	now = max(now, begun + sleep_ns);
	done = 1;
	return 0;
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
}

static u32 fake_poll(struct blkdev *bd, u32 hwq)
{
	now += 100;
	spent_looking += 100;
	if (now < begun + look_ns)
		return 0;
	done = 1;
	return 1;
}

static void fake_begin(struct blkdev *bd, u32 hwq)
{
	nr_looked++;
}

static void fake_end(struct blkdev *bd, u32 hwq)
{
}

/* ---- the rig */

static const struct blkdev_ops ops = {
	.poll = fake_poll,
	.poll_begin = fake_begin,
	.poll_end = fake_end,
};
static struct blkdev disk;

static int set_up(void **state)
{
	disk = (struct blkdev){ .ops = &ops, .whole = &disk };
	apps = 0;
	return 0;
}

/* @nr waits for 4 KiB: how many of them looked. */
static u32 wait_for(u32 nr, u64 look, u64 sleep)
{
	struct waitq wq;

	nr_looked = nr_slept = 0;
	spent_looking = 0;
	look_ns = look;
	sleep_ns = sleep;
	for (u32 i = 0; i < nr; i++) {
		begun = now;
		done = 0;
		blk_wait(&disk, BIO_READ, 8, &wq, &done);
		assert_int_equal(done, 1);
	}
	return nr_looked;
}

/* ---- tests */

static void test_fast_disk(void **state)
{
	assert_in_range(wait_for(640, 80 * US, 110 * US), 620, 640);
	assert_in_range(nr_slept, 1, 20); /* it is tried now and then */
}

static void test_slow_disk(void **state)
{
	wait_for(64, 5000 * US, 5010 * US);
	assert_in_range(wait_for(640, 5000 * US, 5010 * US), 0, 10);
	assert_in_range(spent_looking, 0, 640 * 5000 * US / 100);
}

/* Some look in vain, and sleep then: both are to be counted as looking. */
static void test_too_late(void **state)
{
	wait_for(64, 3000 * US, 2500 * US);
	assert_in_range(wait_for(640, 3000 * US, 2500 * US), 0, 10);
}

static void test_disturbance_passes(void **state)
{
	wait_for(640, 80 * US, 110 * US);
	wait_for(2000, 9000 * US, 9000 * US);
	wait_for(1000, 80 * US, 110 * US);
	assert_in_range(wait_for(640, 80 * US, 110 * US), 620, 640);
}

/* A host that is slow to wake somebody: longer waits look, too. */
static void test_dear_sleep(void **state)
{
	wait_for(128, 600 * US, 900 * US);
	assert_in_range(wait_for(640, 600 * US, 900 * US), 620, 640);
}

/* Who looks keeps the disk from working. */
static void test_dear_look(void **state)
{
	wait_for(128, 190 * US, 120 * US);
	assert_in_range(wait_for(640, 190 * US, 120 * US), 0, 20);
}

static void test_not_worth_it(void **state)
{
	wait_for(128, 600 * US, 620 * US);
	assert_in_range(wait_for(640, 600 * US, 620 * US), 0, 20);
}

static void test_programs_run_here(void **state)
{
	apps = BIT(0);
	assert_int_equal(wait_for(200, 80 * US, 110 * US), 0);
}

static void test_chosen(void **state)
{
	disk.wait_mode = BLK_WAIT_IRQ;
	assert_int_equal(wait_for(200, 80 * US, 110 * US), 0);
	disk.wait_mode = BLK_WAIT_POLL;
	assert_int_equal(wait_for(200, 80 * US, 20 * US), 200);
	assert_int_equal(nr_slept, 0);
	wait_for(10, 5000 * US, 5000 * US); /* bounded all the same */
	assert_int_equal(nr_slept, 10);
}

/* Kinds and sizes know nothing of each other. */
static void test_kinds(void **state)
{
	struct waitq wq;

	wait_for(256, 5000 * US, 5000 * US);
	nr_looked = 0;
	look_ns = 50 * US;
	for (u32 i = 0; i < 64; i++) {
		begun = now;
		done = 0;
		blk_wait(&disk, BIO_FLUSH, 0, &wq, &done);
		begun = now;
		done = 0;
		blk_wait(&disk, BIO_WRITE, 256, &wq, &done);
	}
	assert_in_range(nr_looked, 120, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fast_disk, set_up),
		cmocka_unit_test_setup(test_slow_disk, set_up),
		cmocka_unit_test_setup(test_too_late, set_up),
		cmocka_unit_test_setup(test_disturbance_passes, set_up),
		cmocka_unit_test_setup(test_dear_sleep, set_up),
		cmocka_unit_test_setup(test_dear_look, set_up),
		cmocka_unit_test_setup(test_not_worth_it, set_up),
		cmocka_unit_test_setup(test_programs_run_here, set_up),
		cmocka_unit_test_setup(test_chosen, set_up),
		cmocka_unit_test_setup(test_kinds, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
