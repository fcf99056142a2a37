/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/sync.c - changes that are on the disk when the call returns: of volumes
 * mounted with "sync" or "dirsync", and of what chattr(1) gave +S or +D.
 *
 * As on Linux these are names (ext4_dir_done()), attributes, sizes and flags
 * (ext4_inode_done()) and what write(2) and fallocate(2) do (file_is_sync()); not
 * owners, modes and times, nor what is stored through a mapping.
 *
 * Each is a commit of all that is under way.  An error is the journal's, which is
 * aborted then and tells the next caller; the change itself was made.
 */
#include <fs/ext4/ext4.h>

#include <fs/ext4/io.h>

int ext4_commit_now(struct ext4_sb *sbi)
{
	bool flushed = false;
	int err;

	if (!sbi->journal)
		return ext4_bufs_flush(sbi, true);
	err = ext4_commit(sbi, ext4_newest_tid(sbi), &flushed);
	return err || flushed ? err : ext4_flush_device(sbi);
}

void ext4_dir_done(struct inode *dir)
{
	if (unlikely(inode_is_dirsync(dir)))
		(void)ext4_commit_now(inode_sbi(dir));
}

void ext4_inode_done(struct inode *inode)
{
	if (unlikely(inode_is_sync(inode)))
		(void)ext4_commit_now(inode_sbi(inode));
}
