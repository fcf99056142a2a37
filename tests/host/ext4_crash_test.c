/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_crash_test.c - the power goes, at every moment of some work.
 *
 * Workers change a volume while its disk records what it is asked for
 * (trace.h).  Then for each moment the states are made that a power cut could
 * have left: nothing of what was not yet on the medium, all of it, which gives
 * every prefix of what was written, and some of it, torn at sectors.  Each is
 * mounted, which replays the journal, and looked at (crash.h).  Some are
 * judged by e2fsck, after our replay and instead of it.
 *
 * CRASH_STATES sets how many states there are to each volume, CRASH_JUDGED how
 * many of them e2fsck sees, CRASH_ROUNDS how often all is repeated with another
 * seed.  EXT4_SEED and CRASH_VOLUME choose one run.
 */
/* sources: tests/host/fake/world.c tests/host/fake/sched.c tests/host/fake/disk.c tests/host/fake/trace.c */
/* sources: tests/host/fake/ext4_rig.c tests/host/fake/crash.c tests/host/fake/crash_work.c */
/* sources: fs/inode.c kernel/file/iov.c kernel/mm/pagecache.c kernel/mm/writeback.c */
/* sources: kernel/mm/truncate.c kernel/mm/filemap.c kernel/mm/readahead.c kernel/mm/radix.c */
/* sources: lib/crc.c lib/sort.c lib/string.c lib/fmt.c fs/ext4/ */
#include <stdlib.h>
#include <time.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/crash.h>

#include <fs/ext4/journal.h>
#include <lib/errno.h>

#define MAX_WORKERS 3u

static u64 nr_states, nr_judged, nr_compared;

struct volume {
	const char *opts;
	u32 kib;
	enum crash_mix mix;
	u32 nr_workers;
	u32 nr_steps; /* of each */
	u32 disk_kib; /* 0: all of it is the volume's */
};

static const struct volume volumes[] = {
	{ "-t ext4 -b 1024 -J size=1", 6000, MIX_NAMES, 1, 120, 0 },
	{ "-t ext4 -b 4096", 12000, MIX_DATA, 1, 120, 0 },
	{ "-t ext4 -b 1024 -J size=1", 6000, MIX_SYNC, 1, 150, 0 },
	{ "-t ext4 -b 1024 -J size=1 -O metadata_csum_seed,orphan_file", 6000,
	  MIX_SPACE, 1, 100, 0 },
	{ "-t ext4 -b 1024 -J size=1", 6000, MIX_NAMES, 3, 50, 0 },
	{ "-t ext4 -b 2048 -O ^metadata_csum,^64bit", 12000, MIX_DATA, 3, 50,
	  0 },
	{ "-t ext3 -b 1024 -J size=1 -I 128", 6000, MIX_SPACE, 1, 100, 0 },
	{ "-t ext4 -b 4096 -O ^metadata_csum,uninit_bg", 12000, MIX_SYNC, 3, 50,
	  0 },
	/* More than the log holds: it wraps. */
	{ "-t ext4 -b 1024 -J size=1", 6000, MIX_SYNC, 1, 700, 0 },
	{ "-t ext4 -b 1024 -J size=1", 6000, MIX_RACE, 3, 150, 0 },
	/* It grows, and gets more blocks of descriptors. */
	{ "-t ext4 -b 1024 -J size=1 -g 1024 -E resize=100000", 6000, MIX_GROW,
	  1, 120, 40000 },
	{ "-t ext4 -b 4096 -J size=4 -g 2048 -E resize=100000 "
	  "-O ^metadata_csum,uninit_bg,^64bit",
	  20000, MIX_GROW, 3, 40, 70000 },
};

static u32 env_number(const char *name, u32 otherwise)
{
	const char *v = getenv(name);

	return v ? (u32)strtoul(v, NULL, 0) : otherwise;
}

static u64 below(u64 n)
{
	return random_below(&world_seed, n);
}

/* --- the work */

struct shift {
	struct worker *worker[MAX_WORKERS];
	struct thread *thread[MAX_WORKERS];
	u32 nr, nr_steps;
	struct trace trace;
};

struct job {
	struct worker *w;
	u32 nr_steps;
};

static void work(void *arg)
{
	struct job *j = arg;
	u32 k;

	for (k = 0; k < j->nr_steps; k++)
		worker_step(j->w);
}

static bool all_gone(const struct shift *s)
{
	u32 k;

	for (k = 0; k < s->nr; k++) {
		if (world_is_alive(s->thread[k]))
			return false;
	}
	return true;
}

static void run_shift(struct shift *s, const struct volume *v)
{
	struct job job[MAX_WORKERS];
	u32 k;

	s->nr = v->nr_workers;
	world_threads = s->nr > 1;
	rig_mkfs(&rig, v->kib, v->opts);
	if (v->disk_kib)
		world_disk_grow(&rig.disk, (u64)v->disk_kib << 10);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	assert_non_null(EXT4_SB(rig.sb)->journal);
	for (k = 0; k < s->nr; k++)
		s->worker[k] = worker_new(&rig, k, v->mix);
	assert_int_equal(rig_sync(&rig), 0);
	trace_start(&rig.disk, &s->trace);
	for (k = 0; k < s->nr; k++) {
		worker_start(s->worker[k], &s->trace);
		job[k] = (struct job){ s->worker[k], v->nr_steps };
		if (s->nr > 1)
			s->thread[k] = world_spawn(work, &job[k]);
		else
			work(&job[k]);
	}
	while (s->nr > 1 && !all_gone(s))
		world_yield();
	for (k = 0; k < s->nr; k++)
		worker_stop(s->worker[k]);
	assert_int_equal(EXT4_SB(rig.sb)->journal->nr_overruns, 0);
	rig_umount(&rig);
	trace_stop(&rig.disk);
	world_threads = false;
	assert_int_equal(rig_fsck(&rig), 0);
}

/* --- the states */

/* Our replay, then a look at everything; then it is used. */
static char *mount_and_check(struct rig *r, const struct shift *s, u32 event)
{
	struct inode *root, *f;
	char *text;
	u32 k;

	assert_int_equal(rig_mount(r, 0, NULL), 0);
	for (k = 0; k < s->nr; k++)
		worker_check(s->worker[k], r, event);
	text = volume_text(r);
	for (k = 0; k < s->nr; k++)
		worker_grow_files(s->worker[k], r);
	root = rig_lookup(r, "");
	assert_int_equal(rig_create(root, "after", 0644, &f), 0);
	assert_int_equal(rig_write(f, 0, "after", 5), 5);
	inode_put(f);
	assert_int_equal(rig_unlink(root, "after"), 0);
	inode_put(root);
	rig_umount(r);
	return text;
}

/* What e2fsck makes of the raw state is what we made of it.  (1.47 empties the
 * orphan file and then complains that it had something in it.) */
static void compare(struct rig *raw, const char *ours)
{
	char path[96], *theirs;
	struct rig other = { .sb = NULL };

	nr_compared++;
	snprintf(path, sizeof(path), "%s/raw", rig.dir);
	world_disk_store(&raw->disk, path);
	rig_run("PATH=$PATH:/sbin:/usr/sbin; e2fsck -fy %s >%s/log 2>&1; "
		"[ $? -le 1 ] || { cat %s/log; exit 1; }",
		path, rig.dir, rig.dir);
	rig_run("! grep -vE '^(e2fsck|Pass [1-5]|Clearing orphaned|Truncating "
		"orphaned|Orphan file .* is not clean|Clear[?] yes|"
		"\\(inode|Setting free|.*: recovering journal|"
		"Free (blocks|inodes) count wrong \\(|Fix[?] yes|"
		"Inode [0-9]+ extent tree .*could be .*Optimize[?] yes|"
		".*\\*\\*\\*\\*\\* FILE SYSTEM WAS MODIFIED|.*: [0-9/]+ files|"
		"$)' %s/log >&2",
		rig.dir);
	world_disk_load(&other.disk, path);
	assert_int_equal(rig_mount(&other, MS_RDONLY, NULL), 0);
	theirs = volume_text(&other);
	assert_string_equal(ours, theirs);
	free(theirs);
	rig_umount(&other);
	world_disk_free(&other.disk);
}

static void one_state(struct cut *c, const struct shift *s, bool judge,
		      bool raw)
{
	struct rig r = { .disk = *c->disk };
	struct rig saved = { .sb = NULL };
	char *ours;

	strcpy(r.dir, rig.dir);
	r.disk.bd.priv = &r.disk;
	r.disk.bd.whole = &r.disk.bd;
	if (raw) {
		saved.disk.size = r.disk.size;
		saved.disk.data = exact_copy(r.disk.data, r.disk.size);
	}
	nr_states++;
	ours = mount_and_check(&r, s, c->event);
	if (judge) {
		nr_judged++;
		assert_int_equal(rig_fsck(&r), 0);
	}
	if (raw) {
		compare(&saved, ours);
		free(saved.disk.data);
	}
	free(ours);
	cut_restore(c);
}

static void states_at(struct cut *c, const struct shift *s, u32 samples,
		      u32 judge_one_in)
{
	u32 n = c->nr_pending, k, i;
	bool judge = below(judge_one_in) == 0;

	one_state(c, s, judge, judge && below(2));
	if (!n)
		return;
	for (i = 0; i < n; i++)
		cut_apply(c, i, CUT_ALL);
	one_state(c, s, below(judge_one_in) == 0, judge && below(2));
	for (k = 0; k < samples; k++) {
		bool whole = below(2);

		for (i = 0; i < n; i++)
			cut_apply(c, i, whole ? below(2) : below(3));
		one_state(c, s, below(judge_one_in) == 0,
			  whole && below(judge_one_in) == 0);
	}
}

static void run_volume(const struct volume *v, u32 states, u32 judged)
{
	struct shift s = { .nr = 0 };
	struct world_disk disk;
	u64 seed = world_seed, before = nr_states;
	u32 every, k;
	struct cut c;

	if (getenv("CRASH_TRACE"))
		print_message("    seed %llx\n", (unsigned long long)seed);
	run_shift(&s, v);
	/* About three states at each moment. */
	every = max(1u, 3 * s.trace.event / max(states, 1u));
	cut_init(&c, &s.trace, &disk);
	while (cut_next(&c)) {
		if (every == 1 || below(every) == 0)
			states_at(&c, &s, 1 + (every == 1),
				  states / judged + 1);
	}
	cut_done(&c);
	print_message("    %s, %u workers: %u events, %u writes, %u flushes, "
		      "%llu states, seed %llx\n",
		      v->opts, s.nr, s.trace.event, s.trace.nr_writes,
		      s.trace.nr_flushes,
		      (unsigned long long)(nr_states - before),
		      (unsigned long long)seed);
	for (k = 0; k < s.nr; k++)
		worker_free(s.worker[k]);
	trace_free(&s.trace);
	crash_forget_syncs();
}

static void every_moment(void **state)
{
	u32 states = env_number("CRASH_STATES", 2000);
	u32 rounds = env_number("CRASH_ROUNDS", 1), round;
	u32 only = env_number("CRASH_VOLUME", ~0u);
	size_t i;

	world_quiet = !getenv("CRASH_TRACE");
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < ARRAY_SIZE(volumes); i++) {
			if (only != ~0u && i != only)
				continue;
			run_volume(&volumes[i], states,
				   env_number("CRASH_JUDGED", 12));
		}
	}
	world_quiet = false;
	print_message("    %llu crash states; e2fsck saw %llu after our replay "
		      "and %llu instead of it\n",
		      (unsigned long long)nr_states,
		      (unsigned long long)nr_judged,
		      (unsigned long long)nr_compared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_moment),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
