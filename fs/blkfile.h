/* SPDX-License-Identifier: MIT */
/*
 * fs/blkfile.h - block devices as files, through a page cache of their own.
 */
#ifndef FS_BLKFILE_H
#define FS_BLKFILE_H

#include <fs/vfs.h>

int blkfile_open(struct inode *inode, struct file *f);
/* The page cache of @bd, made at first use; NULL: out of memory. */
struct mapping *blkdev_mapping(struct blkdev *bd);

/* Of an open block device; NULL: opened without access (O_PATH). */
struct mapping *blkfile_mapping(struct file *f);

/* Somebody will read the device: it has what is mounted from it, and nothing older is
 * cached. */
int blkfile_refresh(struct blkdev *bd);

/* Is the device of @f mounted, or open with O_EXCL by somebody else? */
bool blkfile_held_by_others(const struct file *f);

/* blkioctl.c */
s64 blkfile_ioctl(struct file *f, unsigned int cmd, u64 arg);
/* Zeroes: FALLOC_FL_ZERO_RANGE, or PUNCH_HOLE if the device has a way to do it; EBUSY if
 * others hold it. */
int blkfile_fallocate(struct file *f, int mode, u64 off, u64 len);

#endif /* FS_BLKFILE_H */
