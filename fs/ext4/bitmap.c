/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/bitmap.c - a group's bitmaps, read or, where mkfs left them out, made.
 *
 * uninit_bg lets mkfs leave bitmaps unwritten: BLOCK_UNINIT means "only the
 * group's own tables are in use", INODE_UNINIT "no inode is".  The bitmap is
 * then made here in memory; the flag goes when the first bit is taken.
 *
 * Locking: the group lock.
 */
#include <fs/ext4/ext4.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

/* Bits [from, to) */
static void set_range(u64 *map, u64 from, u64 to)
{
	for (; from < to; from++)
		set_bit(from, map);
}

static void mark(struct ext4_sb *sbi, u32 group, u64 *map, u64 blk, u64 nr)
{
	u64 start = ext4_group_start(sbi, group);
	u64 end = start + ext4_group_blocks(sbi, group);
	u64 from = max(blk, start), to = min(blk + nr, end);

	if (from < to)
		set_range(map, from - start, to - start);
}

static void make_block_bitmap(struct ext4_sb *sbi, u32 group, u64 *map)
{
	const struct ext4_desc *d = ext4_desc(sbi, group, NULL);

	memset(map, 0, sbi->block_size);
	set_range(map, 0, ext4_group_base_blocks(sbi, group));
	mark(sbi, group, map, ext4_block_bitmap(sbi, d), 1);
	mark(sbi, group, map, ext4_inode_bitmap(sbi, d), 1);
	mark(sbi, group, map, ext4_inode_table(sbi, d), sbi->itable_blocks);
	set_range(map, ext4_group_blocks(sbi, group), sbi->block_size * 8);
}

/* The cached buffer of an uninitialised bitmap; it is never read. */
static struct ext4_buf *make(struct ext4_sb *sbi, u32 group, u64 blk,
			     enum ext4_kind kind)
{
	struct ext4_buf *b = ext4_buf_made(sbi, blk, kind, group);

	if (IS_ERR(b))
		return b;
	if (kind == EXT4_KIND_BLOCK_MAP)
		make_block_bitmap(sbi, group, b->data);
	else
		set_range(b->data, sbi->inodes_per_group, sbi->block_size * 8);
	return b;
}

/* Are the group's own tables marked in use?  Else it would give them away. */
static bool block_bitmap_ok(struct ext4_sb *sbi, u32 group, const u64 *map)
{
	const struct ext4_desc *d = ext4_desc(sbi, group, NULL);
	u64 start = ext4_group_start(sbi, group), i;
	u64 nr = ext4_group_blocks(sbi, group);
	u64 at = ext4_block_bitmap(sbi, d) - start;

	if (at < nr && !test_bit(at, map))
		return false;
	at = ext4_inode_bitmap(sbi, d) - start;
	if (at < nr && !test_bit(at, map))
		return false;
	at = ext4_inode_table(sbi, d) - start;
	for (i = 0; at < nr && i < sbi->itable_blocks && at + i < nr; i++) {
		if (!test_bit(at + i, map))
			return false;
	}
	return true;
}

struct ext4_buf *ext4_read_block_bitmap(struct ext4_sb *sbi, u32 group)
{
	const struct ext4_desc *d = ext4_desc(sbi, group, NULL);
	u64 blk = ext4_block_bitmap(sbi, d);
	struct ext4_buf *b;

	if (sbi->group[group].bad_blocks)
		return ERR_PTR(-EFSCORRUPTED);
	if ((d->flags & EXT4_BG_BLOCK_UNINIT) &&
	    (sbi->has_csum || sbi->has_gdt_csum))
		return make(sbi, group, blk, EXT4_KIND_BLOCK_MAP);
	b = ext4_buf_read(sbi, blk, EXT4_KIND_BLOCK_MAP, group);
	if (!IS_ERR(b) && !block_bitmap_ok(sbi, group, b->data)) {
		ext4_error(sbi, 0, "block bitmap of group %u is corrupt",
			   group);
		ext4_buf_put(b);
		b = ERR_PTR(-EFSCORRUPTED);
	}
	if (IS_ERR(b) && PTR_ERR(b) != -ENOMEM)
		sbi->group[group].bad_blocks = true;
	return b;
}

struct ext4_buf *ext4_read_inode_bitmap(struct ext4_sb *sbi, u32 group)
{
	const struct ext4_desc *d = ext4_desc(sbi, group, NULL);
	u64 blk = ext4_inode_bitmap(sbi, d);
	struct ext4_buf *b;

	if (sbi->group[group].bad_inodes)
		return ERR_PTR(-EFSCORRUPTED);
	if ((d->flags & EXT4_BG_INODE_UNINIT) &&
	    (sbi->has_csum || sbi->has_gdt_csum))
		return make(sbi, group, blk, EXT4_KIND_INODE_MAP);
	b = ext4_buf_read(sbi, blk, EXT4_KIND_INODE_MAP, group);
	if (IS_ERR(b) && PTR_ERR(b) != -ENOMEM)
		sbi->group[group].bad_inodes = true;
	return b;
}
