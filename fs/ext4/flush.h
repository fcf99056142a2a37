/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/flush.h - write-out of metadata: start, stop, and what it asks for.
 */
#ifndef FS_EXT4_FLUSH_H
#define FS_EXT4_FLUSH_H

#include <lib/types.h>

struct ext4_sb;
struct ext4_buf;

int ext4_flush_init(struct ext4_sb *sbi);
void ext4_flush_destroy(struct ext4_sb *sbi);

/* Write buffers that nobody changes meanwhile, from @copies, one block each,
 * or (NULL) from where they are; sorts them.  Waits for the end. */
int ext4_bufs_write(struct ext4_sb *sbi, struct ext4_buf **buf, u32 nr,
		    u8 *copies);
void ext4_bufs_sort(struct ext4_buf **buf, u32 nr);

/* flusher.c: the volume's thread. */
void ext4_flusher_start(struct ext4_sb *sbi);
void ext4_flusher_stop(struct ext4_sb *sbi);

/* super.c: bring the counters of the super block up to date and mark it dirty
 * if they changed.  Called with every handle kept out. */
void ext4_super_fill(struct ext4_sb *sbi);
/* super.c: an error was found: note it on the volume. */
void ext4_save_error(struct ext4_sb *sbi);

#endif /* FS_EXT4_FLUSH_H */
