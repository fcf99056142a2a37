/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/zone.h - blocks that hold the volume's own tables.
 */
#ifndef FS_EXT4_ZONE_H
#define FS_EXT4_ZONE_H

#include <lib/types.h>

struct ext4_sb;

int ext4_zones_build(struct ext4_sb *sbi); /* after ext4_descs_load() */
/* Blocks [start, start + nr) likewise, later. */
int ext4_zone_add(struct ext4_sb *sbi, u64 start, u64 nr);
void ext4_zones_free(struct ext4_sb *sbi);

#endif /* FS_EXT4_ZONE_H */
