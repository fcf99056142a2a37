/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_misc_test.c - times, far offsets, hashes, remounts, state.
 */
/* sources: tests/host/fake/world.c tests/host/fake/sched.c tests/host/fake/disk.c tests/host/fake/trace.c tests/host/fake/ext4_rig.c */
/* sources: fs/inode.c kernel/file/iov.c kernel/mm/pagecache.c kernel/mm/writeback.c */
/* sources: kernel/mm/truncate.c kernel/mm/filemap.c kernel/mm/readahead.c kernel/mm/radix.c */
/* sources: lib/crc.c lib/sort.c lib/string.c lib/fmt.c */
/* sources: fs/ext4/ */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/ext4_rig.h>

#include <fs/ext4/ext4.h>

static struct inode *make_file(const char *name)
{
	struct inode *root = rig_lookup(&rig, ""), *f;

	assert_int_equal(rig_create(root, name, 0644, &f), 0);
	inode_put(root);
	return f;
}

static void remount_all(void)
{
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
}

static void times_survive(void **state)
{
	static const struct timespec64 times[] = {
		{ 0, 1 },
		{ 1700000000, 123456789 },
		{ -1, 999999999 },
		{ -2000000000, 5 },
		{ 4102444800, 7 },
		{ 15000000000ll, 1 },
		{ 2147483648ll, 999 },
	};
	size_t i;

	rig_mkfs(&rig, 8000, "-t ext4");
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		struct iattr a = { .valid = ATTR_ATIME | ATTR_MTIME,
				   .atime = times[i],
				   .mtime = times[i] };
		struct inode *f;

		assert_int_equal(rig_mount(&rig, 0, NULL), 0);
		f = make_file("f");
		a.ctime = inode_now(f);
		assert_int_equal(f->ops->setattr(f, &a), 0);
		inode_put(f);
		remount_all();
		f = rig_lookup(&rig, "f");
		assert_int_equal(f->mtime.tv_sec, times[i].tv_sec);
		assert_int_equal(f->mtime.tv_nsec, times[i].tv_nsec);
		assert_int_equal(f->atime.tv_sec, times[i].tv_sec);
		assert_int_equal(f->btime.tv_sec, f->ctime.tv_sec);
		inode_put(f);
		f = rig_lookup(&rig, "");
		assert_int_equal(rig_unlink(f, "f"), 0);
		inode_put(f);
		rig_umount(&rig);
	}
}

static void far_offsets_on(const char *opts, const u64 *pos, u32 nr)
{
	struct inode *f;
	char buf[16];
	u32 i;

	rig_mkfs(&rig, 16000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = make_file("far");
	for (i = 0; i < nr; i++)
		assert_int_equal(rig_write(f, pos[i], "0123456789", 10), 10);
	inode_put(f);
	remount_all();
	f = rig_lookup(&rig, "far");
	assert_int_equal(f->i_size, pos[nr - 1] + 10);
	for (i = 0; i < nr; i++) {
		assert_int_equal(rig_read(f, pos[i], buf, 10), 10);
		assert_memory_equal(buf, "0123456789", 10);
		assert_int_equal(rig_read(f, pos[i] - 20, buf, 16), 16);
		assert_memory_equal(buf, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	}
	assert_int_equal(rig_write(f, ext4_max_size(f), buf, 16), -EFBIG);
	assert_int_equal(rig_truncate(f, ext4_max_size(f) + 1), -EFBIG);
	assert_int_equal(rig_truncate(f, pos[1]), 0);
	inode_put(f);
	remount_all();
	rig_umount(&rig);
}

static void far_offsets(void **state)
{
	static const u64 ext[] = { 5000, 5ull << 30, 1ull << 40,
				   (4ull << 40) - 100000 };
	static const u64 ind[] = { 5000, 300000, 70ull << 20, 5ull << 30,
				   15ull << 30 };

	far_offsets_on("-t ext4 -b 1024", ext, ARRAY_SIZE(ext));
	far_offsets_on("-t ext4 -b 4096", ext, ARRAY_SIZE(ext));
	far_offsets_on("-t ext2 -b 1024", ind, ARRAY_SIZE(ind));
	far_offsets_on("-t ext2 -b 4096", ind, ARRAY_SIZE(ind));
}

static void hash_on(const char *alg)
{
	struct inode *root, *f;
	char name[64], path[96];
	u32 i;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024 -O ^has_journal");
	snprintf(path, sizeof(path), "%s/img", rig.dir);
	rig_run("PATH=$PATH:/sbin tune2fs -E hash_alg=%s %s >/dev/null", alg,
		path);
	world_disk_free(&rig.disk);
	world_disk_load(&rig.disk, path);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	f = make_file("f");
	for (i = 0; i < 900; i++) {
		/* beyond ASCII, where signs matter */
		sprintf(name, "n%u\xc3\xa4\xf0%0*u", i, (int)(i % 40), i);
		assert_int_equal(rig_link(root, name, f), 0);
	}
	inode_put(f);
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

static void all_hashes(void **state)
{
	hash_on("half_md4");
	hash_on("tea");
	hash_on("legacy");
}

static u16 disk_state(void)
{
	return ((struct ext4_super *)(void *)(rig.disk.data + 1024))->state;
}

static int remount(u64 flags, const char *data)
{
	int err;

	assert_int_equal(rig_sync(&rig), 0);
	err = rig.sb->ops->remount(rig.sb, flags, data);
	if (!err)
		rig.sb->flags =
			(rig.sb->flags & ~(u64)MS_RDONLY) | (flags & MS_RDONLY);
	return err;
}

/* Not unmounted: with a journal it says that it needs recovery. */
static bool is_clean(bool journal)
{
	const struct ext4_super *es = (void *)(rig.disk.data + 1024);

	if (!(es->state & EXT4_VALID_FS))
		return false;
	return !journal || !(es->feature_incompat & EXT4_INCOMPAT_RECOVER);
}

static void state_and_remount_on(const char *opts, bool journal)
{
	struct inode *f, *root, *out;
	char text[64];

	rig_mkfs(&rig, 8000, opts);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), 0);
	assert_true(is_clean(journal));
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_create(root, "f", 0644, &out), -EROFS);
	assert_int_equal(remount(0, "errors=remount-ro"), 0);
	assert_false(is_clean(journal));
	rig.sb->ops->show_options(rig.sb, text, sizeof(text));
	assert_string_equal(text, ",errors=remount-ro");
	f = make_file("f");
	assert_int_equal(rig_write(f, 0, "x", 1), 1);
	assert_int_equal(remount(MS_RDONLY, "nonsense"), -EINVAL);
	assert_int_equal(remount(MS_RDONLY, ""), 0);
	assert_true(is_clean(journal));
	assert_int_equal(rig_fsck(&rig), 0);
	assert_int_equal(rig_write(f, 0, "x", 1), -EROFS);
	assert_int_equal(rig_truncate(f, 0), -EROFS);
	assert_int_equal(rig_unlink(root, "f"), -EROFS);
	assert_int_equal(remount(0, ""), 0);
	inode_put(f);
	inode_put(root);
	rig_umount(&rig);
	assert_true(is_clean(journal));
}

static void state_and_remount(void **state)
{
	state_and_remount_on("-t ext4", true);
	state_and_remount_on("-t ext4 -O ^has_journal", false);
}

/* A bad checksum: that error, and nothing is written any more. */
static void an_error(const char *opts, const char *mount, bool stops)
{
	struct inode *root, *dir, *out;
	struct ext4_map m = { .lblk = 0, .len = 1 };

	rig_mkfs(&rig, 8000, opts);
	assert_int_equal(rig_mount(&rig, 0, mount), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_mkdir(root, "d", &dir), 0);
	assert_int_equal(rig_create(dir, "f", 0644, &out), 0);
	inode_put(out);
	assert_int_equal(ext4_map_read(dir, &m), 0);
	inode_put(dir);
	inode_put(root);
	rig_umount(&rig);
	rig.disk.data[m.pblk * 1024 + 30] ^= 1;
	world_quiet = true;
	assert_int_equal(rig_mount(&rig, 0, mount), 0);
	assert_int_equal(PTR_ERR(rig_lookup(&rig, "d/f")), -EBADMSG);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_create(root, "g", 0644, &out), stops ? -EROFS : 0);
	if (!stops)
		inode_put(out);
	inode_put(root);
	assert_int_equal(!!(rig.sb->flags & MS_RDONLY), stops);
	rig_umount(&rig);
	/* It says so from now on. */
	assert_true(disk_state() & EXT4_ERROR_FS);
	world_quiet = false;
}

/* The super block says so, unless whoever mounts says something else. */
static void an_error_stops_writing(void **state)
{
	an_error("-t ext4 -b 1024 -e remount-ro", NULL, true);
	an_error("-t ext4 -b 1024 -e continue", NULL, false);
	an_error("-t ext4 -b 1024 -e continue", "errors=remount-ro", true);
	an_error("-t ext4 -b 1024 -e remount-ro", "errors=continue", false);
}

static void warm_names_cost_no_requests(void **state)
{
	struct inode *root, *f;
	char name[32];
	u64 reads;
	u32 i, pass;

	rig_mkfs(&rig, 16000, "-t ext4 -b 4096");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	for (i = 0; i < 400; i++) {
		sprintf(name, "file%u", i);
		inode_put(make_file(name));
	}
	inode_put(root);
	remount_all();
	for (pass = 0; pass < 2; pass++) {
		reads = rig.disk.reads;
		root = rig_lookup(&rig, "");
		for (i = 0; i < 400; i++) {
			sprintf(name, "file%u", i);
			f = rig_child(root, name);
			assert_false(IS_ERR(f));
			inode_put(f);
		}
		inode_put(root);
		reads = rig.disk.reads - reads;
		if (!pass)
			assert_true(reads > 0 && reads < 20);
		else
			assert_int_equal(reads, 0);
	}
	rig_umount(&rig);
}

/* --- a list that others change while it is read */

#define OLD_NAMES 300u

struct reader {
	struct dir_ctx ctx;
	u32 room;		  /* entries until the buffer is full */
	u8 seen[OLD_NAMES];	  /* how often old names were */
	u64 next[OLD_NAMES];	  /* where to go on behind them */
	u32 order[OLD_NAMES], nr; /* of old names */
};

static bool read_one(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
		     unsigned int dtype, u64 next_off)
{
	struct reader *r = container_of(ctx, struct reader, ctx);
	u32 i = (u32)strtoul(name + 1, NULL, 10);

	if (!r->room)
		return false;
	r->room--;
	if (name[0] != 'o' || r->nr == OLD_NAMES)
		return true;
	r->seen[i]++;
	r->next[r->nr] = next_off;
	r->order[r->nr++] = i;
	return true;
}

static void add_names(struct inode *dir, char kind, u32 from, u32 nr)
{
	char name[64];

	for (; nr; nr--, from++) {
		struct inode *f;

		snprintf(name, sizeof(name), "%c%u-a-name-of-some-length", kind,
			 from);
		assert_int_equal(rig_create(dir, name, 0644, &f), 0);
		inode_put(f);
	}
}

/* Listed in small pieces, with @between new names between two of them. */
static void list_while(struct inode *dir, struct reader *r, u32 between)
{
	struct file f = { .inode = dir };
	u32 made = 0;
	u64 old;

	memset(r, 0, sizeof(*r));
	r->ctx.emit = read_one;
	do {
		old = r->ctx.pos;
		r->room = 7;
		assert_int_equal(dir->fops->readdir(&f, &r->ctx), 0);
		if (made < 2000)
			add_names(dir, 'n', made, between);
		made += between;
	} while (r->ctx.pos != old);
}

static void list_on(const char *opts, u32 begin)
{
	static struct reader r, again;
	struct inode *root;
	struct file f;
	u32 i;

	rig_mkfs(&rig, 16000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	f = (struct file){ .inode = root };
	add_names(root, 'o', 0, begin);
	/* also from one block to an index, and a level more */
	list_while(root, &r, 37);
	for (i = 0; i < begin; i++)
		assert_int_equal(r.seen[i], 1);
	/* a position is where it was, whatever has come since */
	for (i = 0; i + 1 < r.nr; i += 13) {
		again.ctx = (struct dir_ctx){ read_one, r.next[i] };
		again.nr = 0;
		again.room = ~0u;
		assert_int_equal(root->fops->readdir(&f, &again.ctx), 0);
		assert_int_equal(again.order[0], r.order[i + 1]);
		assert_int_equal(again.nr, r.nr - i - 1);
	}
	inode_put(root);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

static void list_stays_right(void **state)
{
	list_on("-t ext4 -b 1024", OLD_NAMES);
	list_on("-t ext4 -b 1024", 5);
	list_on("-t ext4 -b 4096", OLD_NAMES);
	list_on("-t ext4 -b 1024 -O ^dir_index", OLD_NAMES);
}

static bool disk_has(const char *text)
{
	size_t n = strlen(text), i;

	for (i = 0; i + n <= rig.disk.size; i++) {
		if (rig.disk.data[i] == (u8)text[0] &&
		    !memcmp(rig.disk.data + i, text, n))
			return true;
	}
	return false;
}

/* FALLOC_FL_ZERO_RANGE: the blocks stay the file's, where they are, and so it needs
 * no room. */
static void zeroed_in_place(void **state)
{
	struct ext4_map was = { .lblk = 7, .len = 1 }, m = was;
	static u8 data[16 * 1024], got[16 * 1024];
	struct inode *f, *fill;
	u64 pos;

	memset(data, 'x', sizeof(data));
	rig_mkfs(&rig, 8000, "-t ext4 -b 1024 -m 0");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = make_file("f");
	assert_int_equal(rig_write(f, 0, data, sizeof(data)), sizeof(data));
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(ext4_map_read(f, &was), 0);
	fill = make_file("fill");
	for (pos = 0; rig_write(fill, pos, data, 1024) == 1024; pos += 1024)
		;
	inode_put(fill);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_fallocate(f, 0x11, 2000, 9000), 0);
	memset(data + 2000, 0, 9000);
	assert_int_equal(ext4_map_read(f, &m), 0);
	assert_int_equal(m.state, EXT4_UNWRITTEN);
	assert_int_equal(m.pblk, was.pblk);
	assert_int_equal(rig_read(f, 0, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, data, sizeof(data));
	inode_put(f);
	remount_all();
	f = rig_lookup(&rig, "f");
	assert_int_equal(rig_read(f, 0, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, data, sizeof(data));
	inode_put(f);
	rig_umount(&rig);
}

/* What a removed file was called is nobody's business any more. */
static void removed_names_are_wiped(void **state)
{
	static const char *const name[] = { "first-of-the-block", "a-secret",
					    "another-secret", "stays" };
	struct inode *root, *d;
	size_t i;

	rig_mkfs(&rig, 8000, "-t ext4 -O ^has_journal");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_mkdir(root, "d", &d), 0);
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		struct inode *f;

		assert_int_equal(rig_create(d, name[i], 0644, &f), 0);
		inode_put(f);
	}
	assert_int_equal(rig_sync(&rig), 0);
	assert_true(disk_has("secret"));
	for (i = 0; i < ARRAY_SIZE(name) - 1; i++)
		assert_int_equal(rig_unlink(d, name[i]), 0);
	inode_put(d);
	inode_put(root);
	rig_umount(&rig);
	assert_false(disk_has("secret"));
	assert_false(disk_has("first-of-the-block"));
	assert_true(disk_has("stays"));
	assert_int_equal(rig_fsck(&rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_survive),
		cmocka_unit_test(removed_names_are_wiped),
		cmocka_unit_test(zeroed_in_place),
		cmocka_unit_test(far_offsets),
		cmocka_unit_test(all_hashes),
		cmocka_unit_test(state_and_remount),
		cmocka_unit_test(an_error_stops_writing),
		cmocka_unit_test(warm_names_cost_no_requests),
		cmocka_unit_test(list_stays_right),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
