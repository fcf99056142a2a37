/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_core.h - what the files of the block core share.
 *
 * Not for drivers and file systems: kernel/dev/blk.h.
 */
#ifndef KERNEL_DEV_BLK_CORE_H
#define KERNEL_DEV_BLK_CORE_H

#include <kernel/dev/blk.h>

/* blk.c: give @bio, sector of the whole disk, to @disk's driver. */
void blk_queue(struct blkdev *disk, struct bio *bio);

/* blk_split.c: is @bio more than @disk's driver takes at once? */
bool blk_must_split(const struct blkdev *disk, const struct bio *bio);
/* Do it piece by piece; ends with bio_done(bio). */
void blk_split(struct blkdev *disk, struct bio *bio);

/* blk_sysfs.c: show @bd in /sys, or no more. */
void blk_sys_add(struct blkdev *bd);
void blk_sys_del(struct blkdev *bd);

#endif /* KERNEL_DEV_BLK_CORE_H */
