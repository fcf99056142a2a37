/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_fuzz_test.c - volumes whose metadata is nonsense.
 *
 * Sectors that are read while a volume is used get random bytes; then
 * everything is tried on it.  Any error will do; what may not happen is a bad
 * access, an assertion, a leak or a loop.
 */
/* sources: tests/host/fake/world.c tests/host/fake/sched.c tests/host/fake/disk.c tests/host/fake/trace.c tests/host/fake/ext4_rig.c */
/* sources: fs/inode.c kernel/file/iov.c kernel/mm/pagecache.c kernel/mm/writeback.c */
/* sources: kernel/mm/truncate.c kernel/mm/filemap.c kernel/mm/readahead.c kernel/mm/radix.c */
/* sources: lib/crc.c lib/sort.c lib/string.c lib/fmt.c */
/* sources: fs/ext4/ tests/host/fake/ext4_use.c */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <tests/host/ext4_fuzz.h>

#include <lib/errno.h>

static u32 *touched; /* sectors that were read */
static u32 nr_touched;
static u8 buf[70000];

static u64 below(u64 n)
{
	return random_below(&world_seed, n);
}

static void make_volume(const char *opts)
{
	struct inode *root, *dir, *out;
	char name[64];
	u32 i;

	rig_mkfs(&rig, 6000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_mkdir(root, "dir", &dir), 0);
	for (i = 0; i < 150; i++) {
		sprintf(name, "a_name_that_is_long_enough_%u", i);
		assert_int_equal(rig_create(dir, name, 0644, &out), 0);
		inode_put(out);
	}
	assert_int_equal(rig_create(root, "holes", 0644, &out), 0);
	for (i = 0; i < 300; i++)
		assert_int_equal(rig_write(out, 8192ull * i, buf, 1024), 1024);
	(void)out->ops->setxattr(out, "user.small", buf, 10, 0);
	(void)out->ops->setxattr(out, "user.large", buf, 500, 0);
	inode_put(out);
	memset(buf, 'y', 500);
	buf[500] = '\0';
	assert_int_equal(rig_symlink(root, "slow", (char *)buf), 0);
	assert_int_equal(rig_symlink(root, "fast", "dir"), 0);
	inode_put(dir);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* Sectors that matter: those that change the outcome of reading when cleared
 * would be best; those that are read at all are a good start. */
static void note_sectors(void)
{
	u32 n = (u32)(rig.disk.size / 512);
	u32 *count = calloc(n, sizeof(*count)), i;

	free(touched);
	touched = calloc(n, sizeof(*touched));
	nr_touched = 0;
	rig.disk.read_count = count;
	fuzz_use_volume(&rig, false, NULL);
	rig.disk.read_count = NULL;
	for (i = 0; i < n; i++) {
		if (count[i])
			touched[nr_touched++] = i;
	}
	free(count);
}

static void damage(u8 *data)
{
	u32 n = 1 + (u32)below(6);

	while (n--) {
		u32 sector = touched[below(below(2) ? nr_touched
						    : min(nr_touched, 64u))];
		u32 off = (u32)below(512);
		u8 *p = data + sector * 512ull + off;

		switch (below(5)) {
		case 0:
			*p ^= (u8)(1u << below(8));
			break;
		case 1:
			*p = (u8)next_random(&world_seed);
			break;
		case 2:
			*p = below(2) ? 0 : 0xff;
			break;
		case 3:
			*p = (u8)(*p + (below(2) ? 1 : -1));
			break;
		default:
			memset(p, (int)below(256),
			       min(512u - off, 1 + (u32)below(12)));
		}
	}
}

static void fuzz(const char *opts, unsigned int seconds)
{
	time_t end;
	unsigned int n = 0;
	u64 seed = 0, live;
	u8 *clean;

	make_volume(opts);
	note_sectors();
	clean = exact_copy(rig.disk.data, rig.disk.size);
	live = world_nr_allocs;
	world_quiet = true;
	end = time(NULL) + seconds;
	do {
		seed = world_seed;
		memcpy(rig.disk.data, clean, rig.disk.size);
		if (getenv("EXT4_FUZZ_TRACE"))
			fprintf(stderr, "seed %llx\n",
				(unsigned long long)seed);
		damage(rig.disk.data);
		alarm(20); /* a loop */
		fuzz_use_volume(&rig, true, NULL);
		alarm(0);
		assert_int_equal(world_nr_allocs, live);
		n++;
	} while (time(NULL) < end);
	world_quiet = false;
	print_message("    %s: %u volumes\n", opts, n);
	free(clean);
}

static unsigned int seconds(void)
{
	const char *env = getenv("EXT4_FUZZ_SECONDS");

	return env ? (unsigned int)atoi(env) : 3;
}

static void without_checksums(void **state)
{
	fuzz("-t ext4 -b 1024 -O ^metadata_csum,^has_journal", seconds());
	fuzz("-t ext4 -b 4096 -O ^metadata_csum,^has_journal", seconds());
}

static void with_checksums(void **state)
{
	fuzz("-t ext4 -b 1024", seconds());
	fuzz("-t ext4 -b 1024 -O ^metadata_csum,uninit_bg", seconds());
}

static void with_block_pointers(void **state)
{
	fuzz("-t ext2 -b 1024 -O dir_index", seconds());
}

/* Reads and writes fail now and then. */
static void failing_disk(void **state)
{
	unsigned int i;
	u8 *clean;

	make_volume("-t ext4 -b 1024");
	clean = exact_copy(rig.disk.data, rig.disk.size);
	world_quiet = true;
	for (i = 0; i < 60; i++) {
		memcpy(rig.disk.data, clean, rig.disk.size);
		rig.disk.fail_one_in = 3 + (u32)below(200);
		fuzz_use_volume(&rig, true, NULL);
	}
	rig.disk.fail_one_in = 0;
	world_quiet = false;
	free(clean);
}

/* Every allocation of some work fails once. */
static void failing_memory(void **state)
{
	unsigned int i;
	u8 *clean;

	make_volume("-t ext4 -b 1024");
	clean = exact_copy(rig.disk.data, rig.disk.size);
	world_quiet = true;
	for (i = 1; i < 400; i++) {
		memcpy(rig.disk.data, clean, rig.disk.size);
		world_alloc_fail_in = i < 200 ? i : (u32)below(6000);
		fuzz_use_volume(&rig, true, NULL);
		world_alloc_fail_in = 0;
		if (i % 20 == 0)
			assert_int_equal(rig_fsck(&rig), 0);
	}
	world_quiet = false;
	free(clean);
}

static int teardown(void **state)
{
	free(touched);
	return rig_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_checksums),
		cmocka_unit_test(with_checksums),
		cmocka_unit_test(with_block_pointers),
		cmocka_unit_test(failing_disk),
		cmocka_unit_test(failing_memory),
	};

	return cmocka_run_group_tests(tests, rig_setup, teardown);
}
