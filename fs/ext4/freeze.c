/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/freeze.c - hold a volume still (FIFREEZE), so that what is on the disk is
 * whole by itself: all is written, the log is empty, and the super block says so.
 *
 *	EXT4_THAWED	all is as ever
 *	EXT4_NO_WRITES	nobody begins to write a file
 *	EXT4_NO_STORES	... nor to store into a page of one, by a fault; then all is written
 *	EXT4_FROZEN	no handle begins (ext4_begin())
 *
 * One after the other, because who writes may wait for mm->lock, and who faults holds
 * it.  Who wants what is closed waits, and cannot be interrupted, as on Linux.  So a
 * frozen volume has no dirty page, and the thread that writes them for all volumes
 * need not know of it; attributes that reading changes stay in memory
 * (ext4_write_inode()).
 *
 * ORDERING
 *   FREEZE  a writer counts itself, then looks at `frozen`; who freezes sets it,
 *	     then looks at the count: one sees the other.
 *
 * Locking: the VFS has one of ext4_freeze() and ext4_thaw() at a time; EXT4_FROZEN
 * is set with all handles out.
 */
#include <fs/ext4/flush.h>
#include <fs/ext4/journal.h>

#include <lib/atomic.h>

void ext4_leave(struct ext4_sb *sbi, enum ext4_door door)
{
	/* FREEZE (full) - pairs with nobody_in(): what was made dirty, before. */
	atomic_dec(&sbi->nr_in[door]);
	if (unlikely(load_once(&sbi->frozen)))
		wake_up_all(&sbi->buf_wait);
}

bool ext4_try_enter(struct ext4_sb *sbi, enum ext4_door door)
{
	/* FREEZE (full) - pairs with close(). */
	atomic_inc(&sbi->nr_in[door]);
	if (likely(load_once(&sbi->frozen) <= door))
		return true;
	ext4_leave(sbi, door);
	return false;
}

void ext4_enter(struct ext4_sb *sbi, enum ext4_door door)
{
	while (!ext4_try_enter(sbi, door))
		wait_event(&sbi->buf_wait, load_once(&sbi->frozen) <= door);
}

bool ext4_keeps_out(const struct ext4_sb *sbi)
{
	return unlikely(load_once(&sbi->frozen) == EXT4_FROZEN) &&
	       load_once(&sbi->resizer) != current;
}

void ext4_await_thaw(struct ext4_sb *sbi)
{
	wait_event(&sbi->buf_wait, load_once(&sbi->frozen) != EXT4_FROZEN);
}

static bool nobody_in(const struct ext4_sb *sbi, enum ext4_door door)
{
	/* FREEZE (acquire) - pairs with ext4_leave(). */
	return !load_acquire(&sbi->nr_in[door]);
}

/* From @from on: @door is closed, and all who are in have left.  -EBUSY: it is not at
 * @from (somebody resizes). */
static int close(struct ext4_sb *sbi, u32 from, enum ext4_door door)
{
	/* FREEZE (full) - pairs with ext4_try_enter(). */
	if (atomic_cmpxchg(&sbi->frozen, from, door + 1u) != from)
		return -EBUSY;
	wait_event(&sbi->buf_wait, nobody_in(sbi, door));
	return 0;
}

static void thaw_now(struct ext4_sb *sbi)
{
	store_once(&sbi->frozen, EXT4_THAWED);
	wake_up_all(&sbi->buf_wait);
}

int ext4_freeze(struct super_block *sb)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	int err;

	err = close(sbi, EXT4_THAWED, EXT4_WRITE);
	if (err)
		return err;
	err = close(sbi, EXT4_NO_WRITES, EXT4_STORE);
	if (!err)
		err = sb_sync(sb, true);
	if (err) {
		thaw_now(sbi);
		return err;
	}
	down_write(&sbi->barrier);
	store_once(&sbi->frozen, EXT4_FROZEN);
	up_write(&sbi->barrier);
	/* what was given up is not whole on the disk */
	if (!(sb->flags & MS_RDONLY))
		err = load_once(&sbi->aborted) ? -EIO : ext4_make_clean(sbi);
	if (err)
		(void)ext4_thaw(sb);
	return err;
}

int ext4_thaw(struct super_block *sb)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	int err = 0;

	if (!(sb->flags & MS_RDONLY) && !load_once(&sbi->aborted))
		err = ext4_make_unclean(sbi);
	if (!err)
		thaw_now(sbi);
	return err;
}
