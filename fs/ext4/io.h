/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/io.h - put memory into block requests.
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

#endif /* FS_EXT4_IO_H */
