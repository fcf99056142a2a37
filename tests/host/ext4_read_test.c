/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_read_test.c - read what mke2fs has put on a volume.
 *
 * A tree of files is made on the host, put into volumes with several sets of
 * features and block sizes, and read back through fs/ext4.
 */
/* sources: tests/host/fake/world.c tests/host/fake/sched.c tests/host/fake/disk.c tests/host/fake/trace.c tests/host/fake/ext4_rig.c tests/host/fake/hostfs.c */
/* sources: fs/inode.c kernel/file/iov.c kernel/mm/pagecache.c kernel/mm/writeback.c */
/* sources: kernel/mm/truncate.c kernel/mm/filemap.c kernel/mm/readahead.c kernel/mm/radix.c */
/* sources: lib/crc.c lib/sort.c lib/string.c lib/fmt.c */
/* sources: fs/ext4/ */
#include <stdlib.h>
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/ext4_rig.h>
#include <tests/host/fake/hostfs.h>

#include <lib/errno.h>

static unsigned int nr_seen;

static void compare_file(const char *host, struct inode *i)
{
	size_t size, done = 0;
	u8 *want = read_file(host, &size), *got = malloc(size + 1);

	assert_int_equal(i->i_size, size);
	while (done < size) {
		size_t n = 1 + random_below(&world_seed, 70000);
		s64 ret;

		if (n > size - done)
			n = size - done;
		ret = rig_read(i, done, got + done, n);
		assert_int_equal(ret, n);
		done += n;
	}
	assert_memory_equal(want, got, size);
	assert_int_equal(rig_read(i, size, got, 1), 0);
	free(want);
	free(got);
}

static void compare_link(const char *host, struct inode *i)
{
	char want[4096], got[4096];
	ssize_t n = readlink(host, want, sizeof(want) - 1);

	assert_true(n > 0);
	want[n] = '\0';
	assert_int_equal(i->ops->readlink(i, got, sizeof(got)), n);
	assert_string_equal(want, got);
	assert_int_equal(i->ops->readlink(i, got, (size_t)n), -ENAMETOOLONG);
}

static void count_name(void *ctx, const char *name, size_t len, u64 ino,
		       unsigned int dtype)
{
	(*(unsigned int *)ctx)++;
}

struct walk {
	const char *host;
	struct inode *dir;
	unsigned int names;
};

static void compare_dir(const char *host, struct inode *dir, bool is_root);

static void compare_name(void *ctx, const char *name)
{
	struct walk *w = ctx;
	char path[4096];
	struct inode *i;
	s64 mtime;
	u32 mode;

	w->names++;
	nr_seen++;
	snprintf(path, sizeof(path), "%s/%s", w->host, name);
	host_stat(path, &mode, &mtime);
	i = rig_child(w->dir, name);
	assert_false(IS_ERR(i));
	assert_int_equal(i->mode, mode);
	assert_int_equal(i->mtime.tv_sec, mtime);
	if (S_ISREG(i->mode))
		compare_file(path, i);
	else if (S_ISLNK(i->mode))
		compare_link(path, i);
	else if (S_ISDIR(i->mode))
		compare_dir(path, i, false);
	inode_put(i);
}

static void compare_dir(const char *host, struct inode *dir, bool is_root)
{
	struct walk w = { host, dir, is_root }; /* lost+found */
	unsigned int got = 0;

	host_list(host, compare_name, &w);
	assert_int_equal(rig_list(dir, count_name, &got), 0);
	assert_int_equal(got, w.names);
	assert_int_equal(PTR_ERR(rig_child(dir, "no such name")), -ENOENT);
}

static void make_tree(void)
{
	rig_run("cd %s && mkdir -p tree/a/b/c tree/many tree/empty && "
		"head -c 3000000 /dev/urandom >tree/a/big && "
		"head -c 4097 /dev/urandom >tree/a/b/page1 && "
		"echo hello >tree/a/b/c/small && : >tree/none && "
		"ln -s a/b tree/fast && "
		"ln -s $(printf 'x%%.0s' $(seq 300)) tree/slow && "
		"truncate -s 6000000 tree/sparse && "
		"echo mid | dd of=tree/sparse bs=1 seek=2500000 conv=notrunc "
		"2>/dev/null && "
		"cd tree/many && seq -f 'some_file_name_%%g' 1 1500 | "
		"xargs touch",
		rig.dir);
}

static void check_volume(const char *opts, unsigned int kib, bool index)
{
	char tree[96], all[512];
	struct inode *root;

	snprintf(tree, sizeof(tree), "%s/tree", rig.dir);
	snprintf(all, sizeof(all), "%s -N 4000 -d %s", opts, tree);
	rig_mkfs(&rig, kib, all);
	if (index) {
		rig_run("PATH=$PATH:/sbin e2fsck -fyD %s/img >/dev/null; "
			"test $? -le 1",
			rig.dir);
		world_disk_free(&rig.disk);
		snprintf(all, sizeof(all), "%s/img", rig.dir);
		world_disk_load(&rig.disk, all);
	}
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), 0);
	root = rig_lookup(&rig, "");
	compare_dir(tree, root, true);
	inode_put(root);
	rig_umount(&rig);
}

static const char *const volumes[] = {
	"-t ext4",
	"-t ext4 -b 1024",
	"-t ext4 -b 2048",
	"-t ext4 -b 4096 -I 128",
	"-t ext4 -O ^metadata_csum,uninit_bg",
	"-t ext4 -O ^64bit,^flex_bg,^resize_inode",
	"-t ext4 -O metadata_csum_seed,orphan_file -b 1024 -g 8192",
	"-t ext4 -O ^extents,^64bit",
	"-t ext4 -b 1024 -O meta_bg,^resize_inode",
	"-t ext4 -O sparse_super2,^resize_inode",
	"-t ext3 -b 1024",
	"-t ext2",
	"-t ext2 -b 1024",
};

static void reads_what_mke2fs_made(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(volumes); i++) {
		print_message("    %s\n", volumes[i]);
		nr_seen = 0;
		check_volume(volumes[i], 20000, false);
		assert_int_equal(nr_seen, 1512);
		if (i % 3 == 0)
			check_volume(volumes[i], 20000, true);
	}
}

static void refuses_what_it_cannot(void **state)
{
	static const char *const opts[] = {
		"-t ext4 -O encrypt",	  "-t ext4 -O bigalloc",
		"-t ext4 -O inline_data", "-t ext4 -O mmp",
		"-t ext4 -O ea_inode",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(opts); i++) {
		rig_mkfs(&rig, 20000, opts[i]);
		assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), -EINVAL);
	}
	rig_mkfs(&rig, 20000, "-t ext4 -O quota");
	assert_int_equal(rig_mount(&rig, 0, NULL), -EROFS);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), 0);
	rig_umount(&rig);
}

static void refuses_a_short_image(void **state)
{
	rig_mkfs(&rig, 20000, "-t ext4");
	rig.disk.bd.nr_sectors -= 100;
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), -EINVAL);
	assert_non_null(strstr(world_last_log, "but the device only"));
}

static int setup(void **state)
{
	int err = rig_setup(state);

	make_tree();
	return err;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_mke2fs_made),
		cmocka_unit_test(refuses_what_it_cannot),
		cmocka_unit_test(refuses_a_short_image),
	};

	return cmocka_run_group_tests(tests, setup, rig_teardown);
}
