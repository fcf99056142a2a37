/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/error.c - what happens when the volume is found broken; options.
 *
 * ext4_error() takes no sleeping lock: it is called from everywhere.  The
 * error state reaches the super block with the next write-out.
 */
#include <fs/ext4/ext4.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* From now on nothing is written; what is committed will be replayed. */
static void stop_writing(struct ext4_sb *sbi)
{
	if (!atomic_xchg(&sbi->aborted, 1u) && !(sbi->vfs->flags & MS_RDONLY))
		pr_err("ext4: %s: now read-only", sbi->bdev->name);
	atomic_fetch_or(&sbi->vfs->flags, (u64)MS_RDONLY);
}

static void note_error(struct ext4_sb *sbi, u64 ino, const char *text)
{
	store_once(&sbi->error_ino, ino);
	store_once(&sbi->saw_error, true);
	if (load_once(&sbi->opts) & EXT4_OPT_ERRORS_PANIC)
		panic("ext4: %s: %s", sbi->bdev->name, text);
	store_once(&sbi->error_unsaved, true);
}

void ext4_error(struct ext4_sb *sbi, u64 ino, const char *fmt, ...)
{
	static struct log_ratelimit limit;
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_may(&limit)) {
		if (ino)
			pr_err("ext4: %s: inode %llu: %s", sbi->bdev->name,
			       (unsigned long long)ino, text);
		else
			pr_err("ext4: %s: %s", sbi->bdev->name, text);
	}
	note_error(sbi, ino, text);
	if (!(load_once(&sbi->opts) & EXT4_OPT_ERRORS_CONT))
		stop_writing(sbi);
	wake_up_all(&sbi->flusher_wait);
}

void ext4_give_up(struct ext4_sb *sbi, int err, const char *why)
{
	if (load_once(&sbi->aborted))
		return;
	pr_err("ext4: %s: %s: %d", sbi->bdev->name, why, err);
	note_error(sbi, 0, why);
	stop_writing(sbi);
	wake_up_all(&sbi->flusher_wait);
}

void ext4_shut_down(struct ext4_sb *sbi)
{
	pr_warn("ext4: %s: shut down by ioctl", sbi->bdev->name);
	stop_writing(sbi);
	wake_up_all(&sbi->flusher_wait);
}

/* What the super block wishes; whoever mounts may know better. */
u32 ext4_errors_opt(const struct ext4_super *es)
{
	if (es->errors == EXT4_ERRORS_PANIC)
		return EXT4_OPT_ERRORS_PANIC;
	return es->errors == EXT4_ERRORS_RO ? 0 : EXT4_OPT_ERRORS_CONT;
}

static const struct {
	const char *name;
	u32 set, clear;
} options[] = {
	{ "errors=continue", EXT4_OPT_ERRORS_CONT, EXT4_OPT_ERRORS_PANIC },
	{ "errors=remount-ro", 0,
	  EXT4_OPT_ERRORS_PANIC | EXT4_OPT_ERRORS_CONT },
	{ "errors=panic", EXT4_OPT_ERRORS_PANIC, EXT4_OPT_ERRORS_CONT },
	{ "noload", EXT4_OPT_NOLOAD, 0 },
	{ "norecovery", EXT4_OPT_NOLOAD, 0 },
	{ "data=ordered", 0, EXT4_OPT_WRITEBACK },
	{ "data=writeback", EXT4_OPT_WRITEBACK, 0 },
	{ "barrier", 0, EXT4_OPT_NOBARRIER },
	{ "barrier=1", 0, EXT4_OPT_NOBARRIER },
	{ "barrier=0", EXT4_OPT_NOBARRIER, 0 },
	{ "nobarrier", EXT4_OPT_NOBARRIER, 0 },
	/* What we do anyway, or what changes nothing that can be seen. */
	{ "defaults", 0, 0 },
	{ "user_xattr", 0, 0 },
	{ "acl", 0, 0 },
	{ "noacl", 0, 0 },
	{ "delalloc", 0, 0 },
	{ "auto_da_alloc", 0, 0 },
	{ "journal_checksum", 0, 0 },
	{ "nodiscard", 0, 0 },
	{ "noinit_itable", 0, 0 },
	{ "init_itable", 0, 0 },
	{ "lazytime", 0, 0 },
	{ "nobh", 0, 0 },
	{ "rw", 0, 0 },
	{ "ro", 0, 0 },
};

#define COMMIT_SECONDS 5u

/* commit=N; 0 means the default. */
static int option_commit(struct ext4_sb *sbi, const char *s, size_t len)
{
	u64 n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' || n > 1000)
			return -EINVAL;
		n = 10 * n + (u64)(s[i] - '0');
	}
	if (!len || n > 1000)
		return -EINVAL;
	sbi->commit_ns = (n ? n : COMMIT_SECONDS) * NSEC_PER_SEC;
	sbi->opts |= EXT4_OPT_COMMIT_GIVEN;
	return 0;
}

static size_t key_len(const char *opt)
{
	const char *value = strchr(opt, '=');

	return value ? (size_t)(value - opt) : strlen(opt);
}

/* fs_type->check_option: a known name with another value is a wrong value. */
int ext4_check_option(const char *opt)
{
	size_t len = key_len(opt), i;
	struct ext4_sb *scratch;
	int err = -ENOENT;

	if (str_has_prefix(opt, "commit=")) {
		scratch = kzalloc(sizeof(*scratch));
		err = scratch ? option_commit(scratch, opt + 7, strlen(opt + 7))
			      : -ENOMEM;
		kfree(scratch);
		return err;
	}
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!strcmp(options[i].name, opt))
			return 0;
		if (key_len(options[i].name) == len &&
		    !memcmp(options[i].name, opt, len))
			err = -EINVAL;
	}
	return err;
}

static int option_one(struct ext4_sb *sbi, const char *s, size_t len)
{
	size_t i;

	if (len > 7 && !memcmp(s, "commit=", 7) &&
	    !option_commit(sbi, s + 7, len - 7))
		return 0;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (strlen(options[i].name) != len ||
		    memcmp(options[i].name, s, len) != 0)
			continue;
		sbi->opts = (sbi->opts | options[i].set) & ~options[i].clear;
		return 0;
	}
	pr_err("ext4: %s: unknown option '%.*s'", sbi->bdev->name, (int)len, s);
	return -EINVAL;
}

/* Nothing has changed unless all are understood. */
int ext4_options_parse(struct ext4_sb *sbi, const char *data)
{
	u64 commit_ns = sbi->commit_ns;
	u32 old = sbi->opts;
	int err = 0;

	if (!sbi->commit_ns)
		sbi->commit_ns = COMMIT_SECONDS * NSEC_PER_SEC;
	while (data && *data && !err) {
		const char *comma = strchr(data, ',');
		size_t len = comma ? (size_t)(comma - data) : strlen(data);

		if (len)
			err = option_one(sbi, data, len);
		data += len + (comma != NULL);
	}
	if (err) {
		sbi->opts = old;
		sbi->commit_ns = commit_ns;
	}
	return err;
}

void ext4_show_options(struct super_block *sb, char *buf, size_t n)
{
	static const struct {
		u32 opt;
		const char *text;
	} shown[] = {
		{ EXT4_OPT_NOLOAD, ",norecovery" },
		{ EXT4_OPT_NOBARRIER, ",nobarrier" },
		{ EXT4_OPT_WRITEBACK, ",data=writeback" },
	};
	struct ext4_sb *sbi = EXT4_SB(sb);
	size_t at = 0, i;

	*buf = '\0';
	if ((sbi->opts & EXT4_OPTS_ERRORS) != ext4_errors_opt(sbi->es))
		at = (size_t)scnprintf(
			buf, n, ",errors=%s",
			sbi->opts & EXT4_OPT_ERRORS_CONT    ? "continue"
			: sbi->opts & EXT4_OPT_ERRORS_PANIC ? "panic"
							    : "remount-ro");
	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		if (sbi->opts & shown[i].opt)
			at += (size_t)scnprintf(buf + at, n - at, "%s",
						shown[i].text);
	}
	if (sbi->opts & EXT4_OPT_COMMIT_GIVEN)
		(void)scnprintf(
			buf + at, n - at, ",commit=%llu",
			(unsigned long long)(sbi->commit_ns / NSEC_PER_SEC));
}
