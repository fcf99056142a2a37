/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_write_test.c - change volumes at random, beside a model.
 *
 * After the random operations what is read back must be what the model has,
 * also after a remount, and e2fsck must find nothing.
 */
/* sources: tests/host/fake/world.c tests/host/fake/sched.c tests/host/fake/disk.c tests/host/fake/trace.c tests/host/fake/ext4_rig.c */
/* sources: fs/inode.c kernel/file/iov.c kernel/mm/pagecache.c kernel/mm/writeback.c */
/* sources: kernel/mm/truncate.c kernel/mm/filemap.c kernel/mm/readahead.c kernel/mm/radix.c */
/* sources: lib/crc.c lib/sort.c lib/string.c lib/fmt.c */
/* sources: fs/ext4/ */
/* sources: tests/host/fake/ext4_model.c */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/ext4_model.h>

#include <fs/ext4/ext4.h>

#include <lib/errno.h>

static const struct {
	const char *opts;
	bool extents;
} volumes[] = {
	{ "-t ext4", true },
	{ "-t ext4 -b 1024", true },
	{ "-t ext4 -b 4096", true },
	{ "-t ext4 -b 2048 -I 128", true },
	{ "-t ext4 -O ^metadata_csum,uninit_bg -b 1024 -g 1024", true },
	{ "-t ext4 -O metadata_csum_seed,orphan_file -b 4096", true },
	{ "-t ext4 -O ^64bit,^flex_bg,^resize_inode -b 1024", true },
	{ "-t ext2 -b 1024", false },
	{ "-t ext2 -b 4096", false },
	{ "-t ext4 -O ^has_journal,meta_bg,^resize_inode -b 1024", true },
};

static void random_work_on(const char *opts, bool extents, unsigned int steps)
{
	struct model *m;
	unsigned int i, round;
	u64 seed = world_seed;

	rig_mkfs(&rig, 64000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	m = model_new(&rig, extents);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < steps; i++)
			model_step(m);
		model_compare(m);
		if (round == 0) {
			/* as after a power cut, but for open files */
			model_close_all(m);
			assert_int_equal(rig_sync(&rig), 0);
			assert_int_equal(rig_fsck(&rig), 0);
		}
		model_close_all(m);
		rig_umount(&rig);
		assert_int_equal(rig_fsck(&rig), 0);
		assert_int_equal(rig_mount(&rig, 0, NULL), 0);
		model_compare(m);
	}
	rig_umount(&rig);
	model_free(m);
	print_message("    %s: seed %llx\n", opts, (unsigned long long)seed);
}

static void random_work(void **state)
{
	const char *env = getenv("EXT4_STEPS");
	unsigned int steps = env ? (unsigned int)atoi(env) : 250;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(volumes); i++)
		random_work_on(volumes[i].opts, volumes[i].extents, steps);
}

/* Names in and out of a directory that needs an index of two levels. */
static void large_directory_on(const char *opts, unsigned int nr)
{
	struct inode *root, *dir, *file;
	unsigned int i, left = nr;
	char name[128];
	u8 *gone = calloc(1, nr);

	rig_mkfs(&rig, 64000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_mkdir(root, "d", &dir), 0);
	assert_int_equal(rig_create(root, "file", 0644, &file), 0);
	for (i = 0; i < nr; i++) {
		sprintf(name, "%u-%*u", i, (int)(i % 100), i);
		assert_int_equal(rig_link(dir, name, file), 0);
	}
	for (i = 0; i < nr;
	     i += 1 + (unsigned int)random_below(&world_seed, 3)) {
		sprintf(name, "%u-%*u", i, (int)(i % 100), i);
		assert_int_equal(rig_unlink(dir, name), 0);
		gone[i] = 1;
		left--;
	}
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fsck(&rig), 0);
	for (i = 0; i < nr; i++) {
		struct inode *in;

		sprintf(name, "%u-%*u", i, (int)(i % 100), i);
		in = rig_child(dir, name);
		assert_int_equal(IS_ERR(in) ? -PTR_ERR(in) : 0,
				 gone[i] ? ENOENT : 0);
		if (!IS_ERR(in))
			inode_put(in);
	}
	assert_int_equal(file->nlink, left + 1);
	inode_put(file);
	inode_put(dir);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	free(gone);
}

static void large_directories(void **state)
{
	large_directory_on("-t ext4 -b 1024", 12000);
	large_directory_on("-t ext4 -b 4096", 6000);
	large_directory_on("-t ext2 -b 1024 -O ^dir_index", 600);
}

/* Every other block, so that the tree gets deep; then in other orders. */
static void deep_extent_tree(void **state)
{
	const unsigned int nr = 6000;
	struct inode *root, *file;
	unsigned int i, k;
	u8 block[1024], got[1024];

	rig_mkfs(&rig, 64000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_create(root, "f", 0644, &file), 0);
	for (i = 0; i < nr; i++) {
		k = (i * 7919u) % nr;
		memset(block, (int)k, sizeof(block));
		assert_int_equal(rig_write(file, 8192ull * k, block, 1024),
				 1024);
		if (i % 50 == 49)
			assert_int_equal(mapping_sync(&file->mapping, 0, ~0ull,
						      true),
					 0);
	}
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fsck(&rig), 0);
	(void)mapping_invalidate(&file->mapping, 0, ~0ull);
	for (i = 0; i < nr; i++) {
		memset(block, (int)i, sizeof(block));
		assert_int_equal(rig_read(file, 8192ull * i, got, 1024), 1024);
		assert_memory_equal(got, block, 1024);
	}
	for (i = 0; i < nr; i += 3)
		assert_int_equal(rig_fallocate(file, 3, 8192ull * i, 8192), 0);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fsck(&rig), 0);
	assert_int_equal(rig_truncate(file, 8192ull * 700), 0);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fsck(&rig), 0);
	assert_int_equal(rig_truncate(file, 3 * 8192), 0);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fsck(&rig), 0);
	inode_put(file);
	assert_int_equal(rig_unlink(root, "f"), 0);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* Full means -ENOSPC, nothing lost, and all of it is free again afterwards. */
static void full_volume(void **state)
{
	struct inode *root, *f[40];
	struct kstatfs before, after;
	static u8 buf[100000];
	unsigned int i, nr = 0;
	s64 ret = 0;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024 -m 0 -N 200");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	rig.sb->ops->statfs(rig.sb, &before);
	memset(buf, 0x77, sizeof(buf));
	while (nr < ARRAY_SIZE(f)) {
		char name[32];
		u64 pos = 0;

		sprintf(name, "f%u", nr);
		if (rig_create(root, name, 0644, &f[nr]))
			break;
		nr++;
		while (pos < 500000) {
			ret = rig_write(f[nr - 1], pos, buf, sizeof(buf));
			if (ret <= 0)
				break;
			pos += (u64)ret;
		}
		if (ret <= 0)
			break;
	}
	assert_int_equal(ret, -ENOSPC);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fsck(&rig), 0);
	for (i = 0; i < nr; i++) {
		char name[32];

		sprintf(name, "f%u", i);
		assert_int_equal(rig_unlink(root, name), 0);
		inode_put(f[i]);
	}
	rig.sb->ops->statfs(rig.sb, &after);
	assert_int_equal(before.bfree, after.bfree);
	assert_int_equal(before.ffree, after.ffree);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* What a file with block pointers was promised has its tables, too: each of these needs
 * one for every thirteenth block, and nothing is written before the volume is full. */
static void full_of_pointers(void **state)
{
	struct inode *root, *f;
	static u8 buf[13 * 1024], back[13 * 1024];
	unsigned int i, nr = 0;
	char name[32];
	s64 n = sizeof(buf);

	rig_mkfs(&rig, 3000, "-t ext2 -b 1024 -m 0 -N 400");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	memset(buf, 0x77, sizeof(buf));
	while (n == sizeof(buf)) {
		sprintf(name, "f%u", nr++);
		assert_int_equal(rig_create(root, name, 0644, &f), 0);
		n = rig_write(f, 0, buf, sizeof(buf));
		inode_put(f);
	}
	assert_true(nr > 150 && n == -ENOSPC);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	for (i = 0; i < nr - 1; i++) {
		sprintf(name, "f%u", i);
		f = rig_lookup(&rig, name);
		assert_int_equal(rig_read(f, 0, back, sizeof(back)),
				 sizeof(back));
		assert_memory_equal(back, buf, sizeof(buf));
		inode_put(f);
	}
	rig_umount(&rig);
}

/* What is promised in vain does not add up: most of a volume in one file, unwritten. */
static void tables_that_pages_share(void **state)
{
	static u8 buf[100000];
	struct inode *root, *f;
	u64 pos;

	rig_mkfs(&rig, 8000, "-t ext2 -b 4096 -m 0 -N 64");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_create(root, "f", 0644, &f), 0);
	for (pos = 0; pos < 7000000; pos += sizeof(buf)) {
		assert_int_equal(rig_write(f, pos, buf, sizeof(buf)),
				 sizeof(buf));
		assert_true(EXT4_I(f)->delayed * 4096 > pos);
	}
	inode_put(f);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* Unlinked while open: an orphan; freed by the next mount. */
static void orphans_on(const char *opts, bool in_file)
{
	struct inode *root, *f, *g;
	static u8 buf[50000];
	struct world_disk copy;
	struct kstatfs before, after;

	rig_mkfs(&rig, 16000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	rig.sb->ops->statfs(rig.sb, &before);
	assert_int_equal(rig_create(root, "f", 0644, &f), 0);
	assert_int_equal(rig_create(root, "g", 0644, &g), 0);
	assert_int_equal(rig_write(f, 0, buf, sizeof(buf)), sizeof(buf));
	assert_int_equal(rig_write(g, 0, buf, sizeof(buf)), sizeof(buf));
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_unlink(root, "f"), 0);
	assert_int_equal(rig_unlink(root, "g"), 0);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(EXT4_SB(rig.sb)->es->last_orphan != 0, !in_file);
	assert_int_equal(EXT4_SB(rig.sb)->nr_file_orphans, in_file ? 2 : 0);
	/* The power goes here. */
	copy = rig.disk;
	copy.data = exact_copy(rig.disk.data, rig.disk.size);
	inode_put(f);
	inode_put(g);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	memcpy(rig.disk.data, copy.data, copy.size);
	free(copy.data);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	rig.sb->ops->statfs(rig.sb, &after);
	assert_int_equal(before.bfree, after.bfree);
	assert_int_equal(before.ffree, after.ffree);
	rig_umount(&rig);
	/* It was not unmounted once, which e2fsck says, but finds no fault. */
	assert_int_equal(rig_fsck(&rig), 0);
}

static void orphans(void **state)
{
	orphans_on("-t ext4 -b 1024 -O ^orphan_file", false);
	orphans_on("-t ext4 -b 1024 -O orphan_file", true);
	orphans_on("-t ext4 -b 4096 -O metadata_csum_seed,orphan_file", true);
}

/* --- data that the disk refuses */

#define PIECES 6u
#define PIECE  8192u

static void fill(u8 *buf, const char *text)
{
	memset(buf, text[0], PIECES * PIECE);
	for (u32 i = 0; i < PIECES * PIECE; i += 1024)
		memcpy(buf + i, text, strlen(text));
}

/* A file called @name of @text; what fsync says. */
static int put_file(const char *name, const char *text)
{
	static u8 buf[PIECES * PIECE];
	struct inode *root = rig_lookup(&rig, ""), *f;
	int err;

	fill(buf, text);
	f = rig_child(root, name);
	if (IS_ERR(f))
		assert_int_equal(rig_create(root, name, 0644, &f), 0);
	assert_int_equal(rig_write(f, 0, buf, sizeof(buf)), sizeof(buf));
	err = mapping_sync(&f->mapping, 0, ~0ull, true);
	inode_put(f);
	inode_put(root);
	return err;
}

/* All of the file is @byte, and it has @size bytes. */
static void expect_file(const char *name, u8 byte)
{
	static u8 buf[PIECES * PIECE];
	struct inode *f = rig_lookup(&rig, name);

	assert_false(IS_ERR(f));
	assert_int_equal(rig_read(f, 0, buf, sizeof(buf)), sizeof(buf));
	for (u32 i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], byte);
	inode_put(f);
}

static void refused_on(const char *opts)
{
	struct inode *root, *f;
	static u8 ones[PIECES * PIECE];

	rig_mkfs(&rig, 12000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	/* the whole volume has secrets, and much of it is free again */
	assert_int_equal(put_file("keep", "k"), 0);
	root = rig_lookup(&rig, "");
	for (u32 i = 0; i < 40; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%u", i);
		if (put_file(name, "secret") || rig_sync(&rig))
			break;
	}
	for (u32 i = 0; i < 40; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%u", i);
		(void)rig_unlink(root, name);
	}
	assert_int_equal(rig_sync(&rig), 0);
	/* reserved blocks of one, fresh ones of the other, old ones of a third */
	assert_int_equal(rig_create(root, "a", 0644, &f), 0);
	assert_int_equal(rig_fallocate(f, 0, 0, sizeof(ones)), 0);
	inode_put(f);
	rig.disk.fail_text = "never";
	assert_int_equal(put_file("a", "never"), -EIO);
	assert_int_equal(put_file("b", "never"), -EIO);
	assert_int_equal(put_file("keep", "never"), -EIO);
	rig.disk.fail_text = NULL;
	/* and one that was told in time */
	assert_int_equal(put_file("b", "z"), 0);
	rig.disk.fail_text = "never";
	assert_int_equal(put_file("c", "never"), -EIO);
	rig.disk.fail_text = NULL;
	assert_int_equal(rig_sync(&rig), 0);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "keep");
	assert_int_equal(rig_read(f, 0, ones, 1), 1);
	assert_int_equal(ones[0], 'k');
	inode_put(f);
	expect_file("b", 'z');
	for (const char *name = "ac"; *name; name++) {
		char path[2] = { *name, 0 };
		u64 size, at;

		f = rig_lookup(&rig, path);
		size = f->i_size;
		assert_int_equal(rig_read(f, 0, ones, size), size);
		for (at = 0; at < size; at++)
			assert_true(!ones[at] || ones[at] == 'n');
		inode_put(f);
	}
	rig_umount(&rig);
}

static void refused_data_shows_no_secrets(void **state)
{
	refused_on("-t ext4 -b 4096");
	refused_on("-t ext4 -b 1024");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_directories),
		cmocka_unit_test(deep_extent_tree),
		cmocka_unit_test(orphans),
		cmocka_unit_test(full_volume),
		cmocka_unit_test(full_of_pointers),
		cmocka_unit_test(tables_that_pages_share),
		cmocka_unit_test(refused_data_shows_no_secrets),
		cmocka_unit_test(random_work),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
