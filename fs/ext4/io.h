/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/io.h - block requests: put memory into them, and wait for one.
 */
#ifndef FS_EXT4_IO_H
#define FS_EXT4_IO_H

#include <kernel/dev/blk.h>
#include <kernel/mm/page.h>
#include <lib/types.h>

struct ext4_sb;

/*
 * Append @len bytes at @addr (direct map) to @bio in segments that do not
 * cross a page.  False, and nothing is changed, when it does not fit.
 */
bool ext4_bio_add(struct ext4_sb *sbi, struct bio *bio, void *addr, u32 len);

/*
 * One request for blocks [blk, blk + nr) and the contiguous direct-map memory
 * at @mem; waits for it.  @op: BIO_READ, BIO_WRITE, or without memory
 * BIO_FLUSH, BIO_DISCARD.  @flags: 0 or BIO_FUA.  Waits for memory, too, up
 * to seconds.  Coroutine, no spinlock.
 */
int ext4_io(struct ext4_sb *sbi, u32 op, u32 flags, u64 blk, void *mem, u32 nr);

/* What was written before is on the medium afterwards; nothing is done when
 * nothing was, or barriers are off. */
int ext4_flush_device(struct ext4_sb *sbi);

/* end_io of whoever writes: something has reached the device. */
void ext4_note_write(struct ext4_sb *sbi);

/* Zeroed memory, waited for up to seconds where a failure could not be undone.
 * NULL: none, and the volume has been given up (ext4_error()). */
void *ext4_alloc_wait(struct ext4_sb *sbi, size_t size);

#endif /* FS_EXT4_IO_H */
