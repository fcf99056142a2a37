/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/error.c - what happens when the volume is found broken.
 *
 * ext4_error() takes no sleeping lock: it is called from everywhere.  The
 * error state reaches the super block with the next write-out, which also tells
 * fanotify of errors that no inode was named for.
 */
#include <fs/ext4/ext4.h>
#include <fs/notify.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* From now on nothing is written; what is committed will be replayed. */
static void stop_writing(struct ext4_sb *sbi)
{
	if (!atomic_xchg(&sbi->aborted, 1u) && !(sbi->vfs->flags & MS_RDONLY) &&
	    !load_once(&sbi->shut))
		pr_err("ext4: %s: now read-only", sbi->bdev->name);
	store_once(&sbi->vfs->dead, true);
	/* What was shut is not called read-only: all of it is an I/O error. */
	if (!load_once(&sbi->shut))
		atomic_fetch_or(&sbi->vfs->flags, (u64)MS_RDONLY);
}

/* @told: whoever watches has been, or is told by the caller. */
static void note_error(struct ext4_sb *sbi, u64 ino, const char *text,
		       bool told)
{
	if (!told)
		store_once(&sbi->error_untold, 1u);
	store_once(&sbi->error_ino, ino);
	store_once(&sbi->saw_error, true);
	if (load_once(&sbi->opt.flags) & EXT4_OPT_ERRORS_PANIC)
		panic("ext4: %s: %s", sbi->bdev->name, text);
	store_once(&sbi->error_unsaved, true);
}

static void error_found(struct ext4_sb *sbi, u64 ino, bool told,
			const char *fmt, va_list ap)
{
	static struct log_ratelimit limit;
	char text[160];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if (log_may(&limit)) {
		if (ino)
			pr_err("ext4: %s: inode %llu: %s", sbi->bdev->name,
			       (unsigned long long)ino, text);
		else
			pr_err("ext4: %s: %s", sbi->bdev->name, text);
	}
	note_error(sbi, ino, text, told);
	if (!(load_once(&sbi->opt.flags) & EXT4_OPT_ERRORS_CONT))
		stop_writing(sbi);
	wake_up_all(&sbi->flusher_wait);
}

void ext4_error(struct ext4_sb *sbi, u64 ino, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_found(sbi, ino, false, fmt, ap);
	va_end(ap);
}

void ext4_error_inode(struct inode *inode, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_found(inode_sbi(inode), inode->ino, true, fmt, ap);
	va_end(ap);
	notify_error(inode->sb, inode, -EFSCORRUPTED);
}

static void give_up(struct ext4_sb *sbi, int err, const char *why, bool told)
{
	if (load_once(&sbi->aborted))
		return;
	pr_err("ext4: %s: %s: %d", sbi->bdev->name, why, err);
	note_error(sbi, 0, why, told);
	stop_writing(sbi);
	wake_up_all(&sbi->flusher_wait);
}

void ext4_give_up(struct ext4_sb *sbi, int err, const char *why)
{
	give_up(sbi, err, why, false);
}

void ext4_abort_if_asked(struct ext4_sb *sbi)
{
	if (!(sbi->opt.flags & EXT4_OPT_ABORT))
		return;
	give_up(sbi, -ESHUTDOWN, "abort forced by user", true);
	notify_error(sbi->vfs, NULL, -ESHUTDOWN);
}

int ext4_refusal(const struct ext4_sb *sbi)
{
	return load_once(&sbi->shut) ? -EIO : -EROFS;
}

void ext4_shut_down(struct ext4_sb *sbi)
{
	pr_warn("ext4: %s: shut down by ioctl", sbi->bdev->name);
	store_once(&sbi->shut, true);
	stop_writing(sbi);
	wake_up_all(&sbi->flusher_wait);
}
