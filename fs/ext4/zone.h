/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/zone.h - blocks that hold the volume's own tables.
 */
#ifndef FS_EXT4_ZONE_H
#define FS_EXT4_ZONE_H

struct ext4_sb;

int ext4_zones_build(struct ext4_sb *sbi); /* after ext4_descs_load() */
void ext4_zones_free(struct ext4_sb *sbi);

#endif /* FS_EXT4_ZONE_H */
