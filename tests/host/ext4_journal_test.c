/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_journal_test.c - journals: made here and by others, damaged,
 * full, failing; and what an fsync costs.
 *
 * Not here: crashes (ext4_crash_test.c).
 */
/* sources: tests/host/fake/world.c tests/host/fake/sched.c tests/host/fake/disk.c tests/host/fake/trace.c tests/host/fake/ext4_rig.c */
/* sources: fs/inode.c kernel/file/iov.c kernel/mm/pagecache.c kernel/mm/writeback.c */
/* sources: kernel/mm/truncate.c kernel/mm/filemap.c kernel/mm/readahead.c kernel/mm/radix.c */
/* sources: lib/crc.c lib/sort.c lib/string.c lib/fmt.c fs/ext4/ */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/ext4_rig.h>

#include <fs/ext4/journal.h>
#include <lib/errno.h>

static u8 buf[65536];

static struct ext4_super *super(void)
{
	return (void *)(rig.disk.data + 1024);
}

static bool needs_recovery(void)
{
	return super()->feature_incompat & EXT4_INCOMPAT_RECOVER;
}

static struct ext4_journal *journal(void)
{
	return EXT4_SB(rig.sb)->journal;
}

/* Where a journal is; it need not be in one piece. */
struct log {
	struct ext4_run run[16];
	u32 nr_runs, bs;
};

static struct log locate(void)
{
	const struct ext4_journal *j = journal();
	struct log l = { .nr_runs = j->nr_runs, .bs = j->sbi->block_size };

	assert_true(l.nr_runs <= ARRAY_SIZE(l.run));
	memcpy(l.run, j->run, l.nr_runs * sizeof(l.run[0]));
	return l;
}

/* Block @log of it on the disk. */
static u8 *log_block(const struct log *l, u32 log)
{
	u32 i = l->nr_runs;

	do {
		assert_true(i > 0);
	} while (l->run[--i].log > log);
	return rig.disk.data + (l->run[i].blk + log - l->run[i].log) * l->bs;
}

static struct inode *create(const char *name)
{
	struct inode *root = rig_lookup(&rig, ""), *f;

	assert_int_equal(rig_create(root, name, 0644, &f), 0);
	inode_put(root);
	return f;
}

static void unlink(const char *name)
{
	struct inode *root = rig_lookup(&rig, "");

	assert_int_equal(rig_unlink(root, name), 0);
	inode_put(root);
}

static int sync_file(struct inode *i, bool datasync)
{
	struct file f = { .inode = i };

	return i->fops->fsync(&f, datasync);
}

/* What the disk has now is what it will have; memory is forgotten. */
static void power_cut(void)
{
	u8 *now = exact_copy(rig.disk.data, rig.disk.size);

	rig_umount(&rig);
	memcpy(rig.disk.data, now, rig.disk.size);
	free(now);
}

static int count_cb_nr;
static void count_cb(void *ctx, const char *name, size_t len, u64 ino,
		     unsigned int dtype)
{
	count_cb_nr++;
}

static int count_names(void)
{
	struct inode *root = rig_lookup(&rig, "");

	count_cb_nr = 0;
	assert_int_equal(rig_list(root, count_cb, NULL), 0);
	inode_put(root);
	return count_cb_nr;
}

/* --- journals that e2fsprogs wrote */

static void debugfs(const char *commands)
{
	rig_run("printf '%s' | PATH=$PATH:/sbin:/usr/sbin debugfs -w -f - "
		"%s/img >/dev/null 2>&1",
		commands, rig.dir);
}

static void reload(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/img", rig.dir);
	world_disk_free(&rig.disk);
	world_disk_load(&rig.disk, path);
}

/* Three blocks: the first looks like one of the journal's own. */
static void make_contents(const char *name, u32 bs, u8 salt)
{
	char path[128];
	FILE *f;
	u32 i;

	for (i = 0; i < 3 * bs; i++)
		buf[i] = (u8)(i * 7 + salt);
	memcpy(buf, "\xc0\x3b\x39\x98", 4);
	snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, 3 * bs, f), 3 * bs);
	fclose(f);
}

static bool block_is(u32 bs, u64 blk, u8 salt, u32 nth)
{
	u32 i = nth ? 0 : 4;

	for (; i < bs; i++) {
		u32 at = nth * bs + i;

		if (rig.disk.data[blk * bs + i] != (u8)(at * 7 + salt))
			return false;
	}
	return nth || !memcmp(rig.disk.data + blk * bs, "\xc0\x3b\x39\x98", 4);
}

static void replay_foreign(const char *opts, const char *csum, u32 bs)
{
	char cmd[900];

	rig_mkfs(&rig, bs == 1024 ? 16000 : 40000, opts);
	make_contents("a", bs, 1);
	make_contents("b", bs, 2);
	/* Blocks at the volume's end; revoked, written again, half done. */
	snprintf(cmd, sizeof(cmd),
		 "jo %s\\njw -b 9000,9001,9002 %s/a\\njw -b 9003,9004,9005 "
		 "%s/a\\njw -r 9003,9004\\njw -b 9004 %s/b\\njw -b 9001 -c "
		 "%s/b\\njc\\n",
		 csum, rig.dir, rig.dir, rig.dir, rig.dir);
	debugfs(cmd);
	reload();
	assert_true(needs_recovery());
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), 0);
	assert_false(needs_recovery());
	assert_true(block_is(bs, 9000, 1, 0));
	assert_true(block_is(bs, 9001, 1, 1)); /* the other did not commit */
	assert_true(block_is(bs, 9002, 1, 2));
	assert_false(block_is(bs, 9003, 1, 0)); /* revoked */
	assert_true(block_is(bs, 9004, 2, 0));	/* after that */
	assert_true(block_is(bs, 9005, 1, 2));
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	print_message("    %s, jo %s\n", opts, csum);
}

static void replays_what_debugfs_wrote(void **state)
{
	world_quiet = true;
	replay_foreign("-t ext4 -b 1024", "-c", 1024);
	replay_foreign("-t ext4 -b 4096", "-c -v 3", 4096);
	replay_foreign("-t ext4 -b 1024", "-c -v 2", 1024);
	replay_foreign("-t ext4 -b 1024 -O ^metadata_csum", "", 1024);
	replay_foreign("-t ext4 -b 4096 -O ^64bit,^metadata_csum", "", 4096);
	replay_foreign("-t ext4 -b 1024 -O ^64bit", "-c", 1024);
	replay_foreign("-t ext3 -b 1024", "", 1024);
	world_quiet = false;
}

/* A block that begins like one of the journal's is escaped in the log. */
static void escapes_the_magic_number(void **state)
{
	struct inode *root, *l;
	char target[300], got[1024];
	struct log log;
	u32 i;

	memset(target, 'x', 299);
	target[299] = '\0';
	memcpy(target, "\xc0\x3b\x39\x98", 4);
	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_symlink(root, "l", target), 0);
	inode_put(root);
	assert_int_equal(rig_sync(&rig), 0);
	log = locate();
	for (i = 1; i < 100; i++)
		assert_memory_not_equal(log_block(&log, i), target, 8);
	power_cut();
	assert_int_equal(rig_fsck(&rig), 0); /* its own replay, of a copy */
	world_quiet = true;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	world_quiet = false;
	l = rig_lookup(&rig, "l");
	assert_int_equal(l->ops->readlink(l, got, sizeof(got)), 299);
	assert_string_equal(got, target);
	inode_put(l);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* Shorter and longer again: what was cut off does not come back. */
static void grows_over_zeroes(void **state)
{
	struct inode *f;
	u32 i;

	rig_mkfs(&rig, 20000, "-t ext4 -b 4096");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	assert_non_null(journal());
	f = create("f");
	memset(buf, 'o', 3000);
	assert_int_equal(rig_write(f, 0, buf, 3000), 3000);
	assert_int_equal(sync_file(f, false), 0);
	assert_int_equal(rig_truncate(f, 100), 0);
	assert_int_equal(rig_truncate(f, 3000), 0);
	assert_int_equal(ext4_commit_running(EXT4_SB(rig.sb)), 0);
	inode_put(f);
	power_cut();
	world_quiet = true;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	world_quiet = false;
	f = rig_lookup(&rig, "f");
	assert_int_equal(rig_read(f, 0, buf, 4000), 3000);
	for (i = 0; i < 3000; i++)
		assert_int_equal(buf[i], i < 100 ? 'o' : 0);
	inode_put(f);
	rig_umount(&rig);
}

/* --- damage */

/* A volume that was not unmounted, with some transactions in its log. */
static struct log make_dirty(const char *opts)
{
	struct log log;
	struct inode *f;
	char name[16];
	u32 i;

	rig_mkfs(&rig, 8000, opts);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	log = locate();
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		f = create(name);
		assert_int_equal(rig_write(f, 0, buf, 3000), 3000);
		inode_put(f);
		assert_int_equal(rig_sync(&rig), 0);
	}
	power_cut();
	assert_true(needs_recovery());
	return log;
}

/* First block of the log from @from on with this type; fails if none. */
static u32 find_block(const struct log *l, u32 from, enum jbd_type type)
{
	for (;; from++) {
		const struct jbd_head *h = (void *)log_block(l, from);

		assert_true(from < 1000);
		if (be32_get(h->magic) == JBD_MAGIC &&
		    be32_get(h->type) == type)
			return from;
	}
}

static void refuses(int err)
{
	u8 *before = exact_copy(rig.disk.data, rig.disk.size);

	assert_int_equal(rig_mount(&rig, 0, NULL), err);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), err);
	assert_memory_equal(before, rig.disk.data, rig.disk.size);
	free(before);
}

static void damaged_blocks(void **state)
{
	struct log l;
	u32 at;

	/* A block that is described: nothing is replayed. */
	l = make_dirty("-t ext4 -b 1024");
	at = find_block(&l, 1, JBD_DESCRIPTOR);
	log_block(&l, at + 1)[77] ^= 1;
	refuses(-EBADMSG);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, "noload"), 0);
	rig_umount(&rig);
	/* A descriptor whose transaction is committed. */
	l = make_dirty("-t ext4 -b 1024");
	at = find_block(&l, 1, JBD_DESCRIPTOR);
	log_block(&l, at)[40] ^= 1;
	refuses(-EBADMSG);
	/* A descriptor that is none: the log ends there, as after a crash. */
	l = make_dirty("-t ext4 -b 1024");
	at = find_block(&l, 1, JBD_COMMIT);
	log_block(&l, at + 1)[0] ^= 1;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	assert_int_equal(count_names(), 2); /* lost+found, f0 */
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	world_quiet = false;
}

static void damaged_commit_block(void **state)
{
	struct log l = make_dirty("-t ext4 -b 1024");
	u32 at = find_block(&l, 1, JBD_COMMIT);

	world_quiet = true;
	/* What is behind the first sector may be left from before. */
	memset(log_block(&l, at) + 512, 0xee, 512);
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	assert_int_equal(count_names(), 6);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	/* Else it is damage, and nobody shall write. */
	l = make_dirty("-t ext4 -b 1024");
	at = find_block(&l, 1, JBD_COMMIT);
	log_block(&l, at)[57] ^= 1;
	assert_int_equal(rig_mount(&rig, 0, NULL), -EUCLEAN);
	assert_true(needs_recovery());
	assert_int_equal(rig_mount(&rig, MS_RDONLY, "noload"), 0);
	rig_umount(&rig);
	world_quiet = false;
}

static void damaged_super_block(void **state)
{
	static const struct {
		u32 at;
		u8 value;
	} bad[] = {
		{ 0, 0 },	{ 7, 9 },	{ 0xe, 9 },
		{ 0x10, 1 },	{ 0x14, 0xff }, { 0x1c, 0xff },
		{ 0x28, 0x80 }, { 0x50, 7 },	{ 0xfd, 0x55 },
	};
	struct log l = make_dirty("-t ext4 -b 1024");
	u8 *clean = exact_copy(rig.disk.data, rig.disk.size);
	size_t i;

	world_quiet = true;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(rig.disk.data, clean, rig.disk.size);
		log_block(&l, 0)[bad[i].at] = bad[i].value;
		assert_true(rig_mount(&rig, 0, NULL) < 0);
		assert_null(rig.sb);
		assert_int_equal(rig_mount(&rig, MS_RDONLY, "noload"), 0);
		rig_umount(&rig);
	}
	world_quiet = false;
	free(clean);
}

static void random_damage(void **state)
{
	struct log l = make_dirty("-t ext4 -b 1024 -J size=1");
	u8 *clean = exact_copy(rig.disk.data, rig.disk.size);
	u64 live = world_nr_allocs;
	u32 i, k;

	world_quiet = true;
	for (i = 0; i < 1500; i++) {
		memcpy(rig.disk.data, clean, rig.disk.size);
		for (k = 1 + (u32)random_below(&world_seed, 4); k; k--) {
			u32 blk = (u32)random_below(&world_seed, 60);
			u32 at = (u32)random_below(&world_seed,
						   k & 1 ? 64 : 1024);

			log_block(&l, blk)[at] = (u8)next_random(&world_seed);
		}
		if (!rig_mount(&rig, 0, NULL)) {
			(void)count_names();
			rig_umount(&rig);
		}
		assert_int_equal(world_nr_allocs, live);
	}
	world_quiet = false;
	free(clean);
}

/* --- what is refused, what is reported */

static void refuses_other_kinds(void **state)
{
	struct log l;
	struct jbd_super *js;

	world_quiet = true;
	l = make_dirty("-t ext4 -b 1024 -O ^metadata_csum");
	js = (void *)log_block(&l, 0);
	js->incompat =
		be32_of(be32_get(js->incompat) | JBD_INCOMPAT_FAST_COMMIT);
	assert_int_equal(rig_mount(&rig, 0, NULL), -EINVAL);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), -EINVAL);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, "noload"), 0);
	rig_umount(&rig);
	/* An external journal. */
	super()->journal_inum = 0;
	super()->journal_dev = 0x801;
	assert_int_equal(rig_mount(&rig, 0, NULL), -EINVAL);
	assert_non_null(strstr(world_last_log, "external journal"));
	/* The volume may have fast commits: nobody has written any. */
	rig_mkfs(&rig, 12000, "-t ext4 -b 1024 -O fast_commit");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	inode_put(create("f"));
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	/* Inode 8 is no journal. */
	rig_mkfs(&rig, 8000, "-t ext4 -b 1024 -O ^has_journal,^metadata_csum");
	super()->feature_compat |= EXT4_COMPAT_HAS_JOURNAL;
	super()->journal_inum = 8;
	assert_int_equal(rig_mount(&rig, 0, NULL), -EUCLEAN);
	assert_null(rig.sb);
	world_quiet = false;
}

static void noload_and_read_only(void **state)
{
	u8 *before;

	(void)make_dirty("-t ext4 -b 1024");
	world_quiet = true;
	before = exact_copy(rig.disk.data, rig.disk.size);
	assert_int_equal(rig_mount(&rig, 0, "noload"), -EROFS);
	assert_int_equal(rig_mount(&rig, MS_RDONLY, "noload"), 0);
	assert_int_equal(rig.sb->ops->remount(rig.sb, 0, ""), -EROFS);
	rig_umount(&rig);
	rig.disk.bd.read_only = true;
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), -EROFS);
	assert_non_null(strstr(world_last_log, "noload"));
	assert_memory_equal(before, rig.disk.data, rig.disk.size);
	rig.disk.bd.read_only = false;
	/* Read-only, but it is replayed. */
	assert_int_equal(rig_mount(&rig, MS_RDONLY, NULL), 0);
	assert_int_equal(count_names(), 6);
	rig_umount(&rig);
	assert_false(needs_recovery());
	assert_int_equal(rig_fsck(&rig), 0);
	world_quiet = false;
	free(before);
}

static void tells_of_errors(void **state)
{
	struct log l = make_dirty("-t ext4 -b 1024 -O ^metadata_csum");
	struct jbd_super *js = (void *)log_block(&l, 0);

	js->error = be32_of((u32)-5);
	world_quiet = true;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	rig_umount(&rig);
	world_quiet = false;
	assert_int_equal(be32_get(js->error), 0);
	assert_true(super()->state & EXT4_ERROR_FS);
	/* Which is what e2fsck looks for. */
	assert_int_not_equal(rig_fsck(&rig), 4);
}

static void clean_when_unmounted(void **state)
{
	struct log l;
	struct jbd_super *js;
	struct inode *f;
	u32 i, tid = 0;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	for (i = 0; i < 4; i++) {
		assert_int_equal(rig_mount(&rig, 0, NULL), 0);
		l = locate();
		js = (void *)log_block(&l, 0);
		assert_true(needs_recovery());
		f = create("f");
		assert_int_equal(sync_file(f, false), 0);
		inode_put(f);
		assert_int_not_equal(be32_get(js->start), 0);
		unlink("f");
		if (i & 1) {
			assert_int_equal(rig_sync(&rig), 0);
			assert_int_equal(
				rig.sb->ops->remount(rig.sb, MS_RDONLY, ""), 0);
			assert_false(needs_recovery());
			assert_int_equal(be32_get(js->start), 0);
			assert_int_equal(rig.sb->ops->remount(rig.sb, 0, ""),
					 0);
			rig.sb->flags &= ~(u64)MS_RDONLY;
			assert_true(needs_recovery());
		}
		rig_umount(&rig);
		assert_false(needs_recovery());
		assert_int_equal(be32_get(js->start), 0);
		/* Numbers are not used twice. */
		assert_true(tid_after(be32_get(js->seq), tid) || !i);
		tid = be32_get(js->seq);
		assert_int_equal(rig_fsck(&rig), 0);
	}
}

static void options(void **state)
{
	struct inode *f;
	char text[128];
	u64 flushes;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	world_quiet = true;
	assert_int_equal(rig_mount(&rig, 0, "commit=9000000"), -EINVAL);
	assert_int_equal(rig_mount(&rig, 0, "commit=x"), -EINVAL);
	assert_int_equal(rig_mount(&rig, 0, "data=journal"), -EINVAL);
	world_quiet = false;
	assert_int_equal(
		rig_mount(&rig, 0, "nobarrier,commit=7,data=writeback"), 0);
	assert_int_equal(EXT4_SB(rig.sb)->opt.commit_s, 7);
	rig.sb->ops->show_options(rig.sb, text, sizeof(text));
	assert_string_equal(text, ",nobarrier,commit=7,data=writeback");
	flushes = rig.disk.flushes;
	f = create("f");
	assert_int_equal(rig_write(f, 0, buf, 5000), 5000);
	assert_int_equal(sync_file(f, false), 0);
	inode_put(f);
	assert_int_equal(rig.disk.flushes, flushes);
	assert_int_equal(rig.disk.fua_writes, 0);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* --- errors of the disk */

static void log_cannot_be_written(void **state)
{
	struct inode *f, *out;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = create("kept");
	assert_int_equal(rig_write(f, 0, "abc", 3), 3);
	assert_int_equal(sync_file(f, false), 0);
	inode_put(create("lost"));
	world_quiet = true;
	rig.disk.fail_one_in = 1;
	assert_int_equal(rig.sb->ops->sync_fs(rig.sb, true), -EIO);
	rig.disk.fail_one_in = 0;
	/* Given up: nothing is written, everything says so. */
	assert_true(rig.sb->flags & MS_RDONLY);
	assert_int_equal(sync_file(f, false), -EROFS);
	inode_put(f);
	f = rig_lookup(&rig, "");
	assert_int_equal(rig_create(f, "more", 0644, &out), -EROFS);
	inode_put(f);
	rig_umount(&rig);
	assert_true(super()->state & EXT4_ERROR_FS);
	assert_true(needs_recovery());
	/* What was committed is there after the next mount. */
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	assert_true(IS_ERR(rig_lookup(&rig, "lost")));
	f = rig_lookup(&rig, "kept");
	assert_int_equal(rig_read(f, 0, buf, 10), 3);
	inode_put(f);
	rig_umount(&rig);
	world_quiet = false;
	assert_true(super()->state & EXT4_ERROR_FS);
}

/* --- costs */

static void cost_of_fsync_on(const char *opts, bool fua)
{
	u64 reads, writes, flushes;
	struct inode *f;
	u32 i;

	rig_mkfs(&rig, 40000, opts);
	rig.disk.bd.has_fua = fua;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = create("f");
	assert_int_equal(sync_file(f, false), 0);
	for (i = 0; i < 8; i++) {
		reads = rig.disk.reads;
		writes = rig.disk.writes;
		flushes = rig.disk.flushes;
		assert_int_equal(rig_write(f, 4096ul * i, buf, 4096), 4096);
		assert_int_equal(sync_file(f, false), 0);
	}
	reads = rig.disk.reads - reads;
	writes = rig.disk.writes - writes;
	flushes = rig.disk.flushes - flushes;
	print_message("    %s: 4 KiB appended and fsync: %llu reads, %llu "
		      "writes, %llu flush\n",
		      opts, (unsigned long long)reads,
		      (unsigned long long)writes, (unsigned long long)flushes);
	/* Data; descriptor and blocks; flush; commit with FUA. */
	assert_int_equal(reads, 0);
	assert_int_equal(writes, 3);
	assert_int_equal(flushes, 1);
	/* Nothing changed: nothing is written. */
	writes = rig.disk.writes;
	flushes = rig.disk.flushes;
	assert_int_equal(sync_file(f, false), 0);
	assert_int_equal(rig.disk.writes, writes);
	assert_int_equal(rig.disk.flushes, flushes);
	/* Overwritten, and only the data is wanted: no transaction. */
	assert_int_equal(rig_write(f, 4096, buf, 4096), 4096);
	assert_int_equal(sync_file(f, true), 0);
	assert_int_equal(rig.disk.writes, writes + 1);
	assert_int_equal(rig.disk.flushes, flushes + 1);
	inode_put(f);
	rig_umount(&rig);
}

static void cost_of_fsync(void **state)
{
	cost_of_fsync_on("-t ext4 -b 4096", true);
	cost_of_fsync_on("-t ext4 -b 1024", true);
	cost_of_fsync_on("-t ext4 -b 4096 -O metadata_csum_seed,orphan_file",
			 true);
}

#define NR_SYNCERS 8u
#define NR_SYNCS   12u

static u32 done_syncs;

static void syncer(void *arg)
{
	struct inode *f = arg;
	u32 i;

	for (i = 0; i < NR_SYNCS; i++) {
		assert_int_equal(rig_write(f, 4096ul * i, buf, 4096), 4096);
		assert_int_equal(sync_file(f, false), 0);
		done_syncs++;
	}
}

static void one_commit_for_many(void **state)
{
	struct inode *f[NR_SYNCERS];
	char name[16];
	u32 i, tid;

	rig_mkfs(&rig, 40000, "-t ext4 -b 4096");
	world_threads = true;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	for (i = 0; i < NR_SYNCERS; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		f[i] = create(name);
	}
	tid = journal()->committed;
	for (i = 0; i < NR_SYNCERS; i++)
		(void)world_spawn(syncer, f[i]);
	while (done_syncs < NR_SYNCERS * NR_SYNCS)
		world_yield();
	tid = journal()->committed - tid;
	print_message("    %u threads, %u fsyncs: %u commits\n", NR_SYNCERS,
		      done_syncs, tid);
	assert_true(tid < done_syncs / 2);
	for (i = 0; i < NR_SYNCERS; i++)
		inode_put(f[i]);
	rig_umount(&rig);
	world_threads = false;
	assert_int_equal(rig_fsck(&rig), 0);
}

/* The thread commits and cleans up in time, then sleeps for ever. */
static void thread_is_in_time(void **state)
{
	struct ext4_journal *j;
	u64 begun;
	u32 tid;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	world_threads = true;
	assert_int_equal(rig_mount(&rig, 0, "commit=2"), 0);
	j = journal();
	(void)sleep_until_ns(clock_mono_ns() + NSEC_PER_SEC, false);
	tid = j->committed;
	begun = clock_mono_ns();
	inode_put(create("f"));
	while (j->committed == tid)
		(void)sleep_until_ns(clock_mono_ns() + NSEC_PER_MSEC * 100,
				     false);
	assert_true(clock_mono_ns() - begun >= 2 * NSEC_PER_SEC - 1000);
	assert_true(clock_mono_ns() - begun < 3 * NSEC_PER_SEC);
	assert_false(j->empty);
	(void)sleep_until_ns(begun + 40 * NSEC_PER_SEC, false);
	assert_true(j->empty);
	assert_true(list_empty(&j->cps));
	rig_umount(&rig);
	world_threads = false;
	assert_int_equal(rig_fsck(&rig), 0);
}

/* --- space */

static void small_log_goes_round(void **state)
{
	struct inode *root, *dir, *f;
	char name[64];
	u32 i, k;

	rig_mkfs(&rig, 16000, "-t ext4 -b 1024 -J size=1");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	for (k = 0; k < 6; k++) {
		snprintf(name, sizeof(name), "d%u", k % 3);
		if (k >= 3)
			continue;
		assert_int_equal(rig_mkdir(root, name, &dir), 0);
		for (i = 0; i < 600; i++) {
			snprintf(name, sizeof(name), "file-with-a-name-%u", i);
			assert_int_equal(rig_create(dir, name, 0644, &f), 0);
			if (i % 7 == 0)
				assert_int_equal(sync_file(f, false), 0);
			inode_put(f);
		}
		for (i = 0; i < 600; i++) {
			snprintf(name, sizeof(name), "file-with-a-name-%u", i);
			assert_int_equal(rig_unlink(dir, name), 0);
		}
		inode_put(dir);
	}
	inode_put(root);
	assert_int_equal(journal()->nr_overruns, 0);
	assert_true(journal()->committed > 200);
	power_cut();
	world_quiet = true;
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	world_quiet = false;
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* J4: what was written home, then the tail, are on the medium in this order. */
static void tail_is_durable(void **state)
{
	u64 fua, flushes;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	inode_put(create("f"));
	assert_int_equal(rig_sync(&rig), 0);
	fua = rig.disk.fua_writes;
	flushes = rig.disk.flushes;
	assert_int_equal(ext4_checkpoint_all(journal(), false), 0);
	assert_true(list_empty(&journal()->cps));
	assert_int_equal(rig.disk.flushes, flushes + 1);
	assert_int_equal(rig.disk.fua_writes, fua + 1);
	rig_umount(&rig);
}

/* EXT4_IOC_CHECKPOINT's other half: what was in the log cannot be read from it. */
static void log_is_erased(void **state)
{
	struct ext4_journal *j;
	u32 log, left = 0, i;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	j = journal();
	inode_put(create("f"));
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(ext4_checkpoint_erase(j, false), 0);
	for (log = j->first; log < j->end; log++) {
		assert_int_equal(ext4_log_io(j, BIO_READ, log, buf, 1), 0);
		for (i = 0; i < 1024; i++)
			left += buf[i] != 0;
	}
	assert_int_equal(left, 0);
	inode_put(create("g"));
	assert_int_equal(rig_sync(&rig), 0);
	power_cut();
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	unlink("f");
	unlink("g");
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* Blocks that were just freed can be had at once, by a commit. */
static void freed_blocks_when_full(void **state)
{
	struct inode *f;
	u64 pos, n = 0, again = 0;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024 -m 0");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = create("f");
	for (pos = 0; rig_write(f, pos, buf, 4096) == 4096; pos += 4096)
		n++;
	assert_int_equal(rig_sync(&rig), 0);
	inode_put(f);
	unlink("f");
	f = create("g");
	for (pos = 0; rig_write(f, pos, buf, 4096) == 4096; pos += 4096)
		again++;
	assert_true(again >= n - 4);
	assert_int_equal(sync_file(f, false), 0);
	inode_put(f);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* EXT4_IOC_SHUTDOWN is like a power cut: what was confirmed is there. */
static void shut_down_by_ioctl(void **state)
{
	u32 how = 2; /* NOLOGFLUSH */
	struct inode *root, *f;
	struct file file;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_create(root, "kept", 0644, &f), 0);
	assert_int_equal(rig_write(f, 0, "data", 4), 4);
	inode_put(f);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_create(root, "lost", 0644, &f), 0);
	inode_put(f);
	file = (struct file){ .inode = root };
	assert_int_equal(root->fops->ioctl(&file, 0x8004587du, (uintptr_t)&how),
			 0);
	assert_int_equal(rig_create(root, "late", 0644, &f), -EIO);
	assert_int_equal(ext4_freeze(root->sb), -EIO);
	inode_put(root);
	rig_umount(&rig);
	/* no error was noted, the journal is replayed */
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "kept");
	assert_false(IS_ERR(f));
	assert_int_equal(f->i_size, 4);
	inode_put(f);
	assert_true(IS_ERR(rig_lookup(&rig, "lost")));
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* FITRIM changes nothing that a read-only mount keeps; the disk here cannot do it. */
static void trim_while_read_only(void **state)
{
	static const struct {
		const char *opts;
		int err;
	} how[] = { { NULL, -EOPNOTSUPP }, { "noload", -EROFS } };
	u64 range[3] = { 0, ~0ull, 0 };
	struct inode *root;
	struct file file;
	u32 i;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		assert_int_equal(rig_mount(&rig, MS_RDONLY, how[i].opts), 0);
		root = rig_lookup(&rig, "");
		file = (struct file){ .inode = root };
		assert_int_equal(root->fops->ioctl(&file, 0xc0185879u,
						   (uintptr_t)range),
				 how[i].err);
		inode_put(root);
		rig_umount(&rig);
	}
}

/* What the calls did is on the medium when they return: nothing is lost. */
static bool names_survive(u64 mount_flags, u32 iflags)
{
	struct inode *root, *d, *f;
	bool all;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, mount_flags, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_mkdir(root, "d", &d), 0);
	assert_int_equal(rig_create(d, "gone", 0644, &f), 0);
	inode_put(f);
	EXT4_I(d)->flags |= iflags;
	ext4_iflags_to_vfs(d);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_create(d, "a", 0644, &f), 0);
	inode_put(f);
	assert_int_equal(rig_symlink(d, "s", "target"), 0);
	assert_int_equal(rig_rename(d, "a", d, "b", 0), 0);
	assert_int_equal(rig_unlink(d, "gone"), 0);
	inode_put(d);
	inode_put(root);
	power_cut();
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "d/b");
	all = !IS_ERR(f) && IS_ERR(rig_lookup(&rig, "d/gone"));
	if (!IS_ERR(f))
		inode_put(f);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
	return all;
}

static void names_of_synchronous_directories(void **state)
{
	assert_false(names_survive(0, 0));
	assert_true(names_survive(MS_SYNCHRONOUS, 0));
	assert_true(names_survive(MS_DIRSYNC, 0));
	assert_true(names_survive(0, EXT4_SYNC_FL));
	assert_true(names_survive(0, EXT4_DIRSYNC_FL));
}

/* chattr +S: attributes, sizes and reserved blocks. */
static void synchronous_file(void **state)
{
	struct inode *f;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = create("f");
	EXT4_I(f)->flags |= EXT4_SYNC_FL;
	ext4_iflags_to_vfs(f);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(f->ops->setxattr(f, "user.a", "1", 1, 0), 0);
	inode_put(f);
	power_cut();
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "f");
	assert_int_equal(f->ops->getxattr(f, "user.a", buf, 10), 1);
	assert_int_equal(rig_truncate(f, 5000), 0);
	inode_put(f);
	power_cut();
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "f");
	assert_int_equal(f->i_size, 5000);
	assert_int_equal(rig_fallocate(f, 0, 0, 9000), 0);
	inode_put(f);
	power_cut();
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "f");
	assert_int_equal(f->i_size, 9000);
	inode_put(f);
	rig_umount(&rig);
	assert_int_equal(rig_fsck(&rig), 0);
}

/* fsync() of a directory that did not change: as on Linux it is a sync of all. */
static void fsync_of_a_directory(void **state)
{
	struct inode *root, *d, *f;

	rig_mkfs(&rig, 8000, "-t ext4 -b 1024");
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	root = rig_lookup(&rig, "");
	assert_int_equal(rig_mkdir(root, "d", &d), 0);
	assert_int_equal(rig_sync(&rig), 0);
	assert_int_equal(rig_create(d, "f", 0644, &f), 0);
	assert_int_equal(sync_file(root, false), 0);
	inode_put(f);
	inode_put(d);
	inode_put(root);
	power_cut();
	assert_int_equal(rig_mount(&rig, 0, NULL), 0);
	f = rig_lookup(&rig, "d/f");
	assert_false(IS_ERR(f));
	inode_put(f);
	rig_umount(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays_what_debugfs_wrote),
		cmocka_unit_test(escapes_the_magic_number),
		cmocka_unit_test(grows_over_zeroes),
		cmocka_unit_test(damaged_blocks),
		cmocka_unit_test(damaged_commit_block),
		cmocka_unit_test(damaged_super_block),
		cmocka_unit_test(random_damage),
		cmocka_unit_test(refuses_other_kinds),
		cmocka_unit_test(noload_and_read_only),
		cmocka_unit_test(tells_of_errors),
		cmocka_unit_test(clean_when_unmounted),
		cmocka_unit_test(options),
		cmocka_unit_test(log_cannot_be_written),
		cmocka_unit_test(cost_of_fsync),
		cmocka_unit_test(one_commit_for_many),
		cmocka_unit_test(thread_is_in_time),
		cmocka_unit_test(small_log_goes_round),
		cmocka_unit_test(tail_is_durable),
		cmocka_unit_test(log_is_erased),
		cmocka_unit_test(freed_blocks_when_full),
		cmocka_unit_test(shut_down_by_ioctl),
		cmocka_unit_test(trim_while_read_only),
		cmocka_unit_test(names_of_synchronous_directories),
		cmocka_unit_test(synchronous_file),
		cmocka_unit_test(fsync_of_a_directory),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
