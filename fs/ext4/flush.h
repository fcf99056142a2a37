/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/flush.h - write-out of metadata: start, stop, and what it asks for.
 */
#ifndef FS_EXT4_FLUSH_H
#define FS_EXT4_FLUSH_H

struct ext4_sb;

int ext4_flush_init(struct ext4_sb *sbi);
void ext4_flush_destroy(struct ext4_sb *sbi);
void ext4_flusher_start(struct ext4_sb *sbi);
void ext4_flusher_stop(struct ext4_sb *sbi);

/* super.c: bring the counters of the super block up to date and mark it dirty
 * if they changed.  Called with every handle kept out. */
void ext4_super_fill(struct ext4_sb *sbi);

#endif /* FS_EXT4_FLUSH_H */
