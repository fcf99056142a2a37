/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/desc.c - group descriptors, held in memory for as long as mounted.
 *
 * INVARIANT  after ext4_descs_load() every descriptor's three addresses are
 * on the volume; counts are not trusted further than that they bound a loop.
 *
 * Locking: the group lock (ext4.h) for what changes: counts, flags, sums.
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/zone.h>
#include <kernel/mm/kmalloc.h>

struct ext4_desc *ext4_desc(struct ext4_sb *sbi, u32 group,
			    struct ext4_buf **buf)
{
	struct ext4_buf *b = sbi->desc_buf[group / sbi->descs_per_block];

	KASSERT(group < sbi->nr_groups);
	if (buf)
		*buf = b;
	return (void *)((u8 *)b->data +
			group % sbi->descs_per_block * sbi->desc_size);
}

static bool big(const struct ext4_sb *sbi)
{
	return sbi->desc_size >= sizeof(struct ext4_desc);
}

u64 ext4_block_bitmap(const struct ext4_sb *sbi, const struct ext4_desc *d)
{
	return d->block_bitmap_lo |
	       (big(sbi) ? (u64)d->block_bitmap_hi << 32 : 0);
}

u64 ext4_inode_bitmap(const struct ext4_sb *sbi, const struct ext4_desc *d)
{
	return d->inode_bitmap_lo |
	       (big(sbi) ? (u64)d->inode_bitmap_hi << 32 : 0);
}

u64 ext4_inode_table(const struct ext4_sb *sbi, const struct ext4_desc *d)
{
	return d->inode_table_lo |
	       (big(sbi) ? (u64)d->inode_table_hi << 32 : 0);
}

u32 ext4_desc_free_blocks(const struct ext4_sb *s, const struct ext4_desc *d)
{
	return d->free_blocks_lo | (big(s) ? (u32)d->free_blocks_hi << 16 : 0);
}

u32 ext4_desc_free_inodes(const struct ext4_sb *s, const struct ext4_desc *d)
{
	return d->free_inodes_lo | (big(s) ? (u32)d->free_inodes_hi << 16 : 0);
}

u32 ext4_desc_used_dirs(const struct ext4_sb *s, const struct ext4_desc *d)
{
	return d->used_dirs_lo | (big(s) ? (u32)d->used_dirs_hi << 16 : 0);
}

u32 ext4_desc_itable_unused(const struct ext4_sb *s, const struct ext4_desc *d)
{
	return d->itable_unused_lo |
	       (big(s) ? (u32)d->itable_unused_hi << 16 : 0);
}

void ext4_desc_set_free_blocks(const struct ext4_sb *s, struct ext4_desc *d,
			       u32 n)
{
	d->free_blocks_lo = (u16)n;
	if (big(s))
		d->free_blocks_hi = (u16)(n >> 16);
}

void ext4_desc_set_free_inodes(const struct ext4_sb *s, struct ext4_desc *d,
			       u32 n)
{
	d->free_inodes_lo = (u16)n;
	if (big(s))
		d->free_inodes_hi = (u16)(n >> 16);
}

void ext4_desc_set_used_dirs(const struct ext4_sb *s, struct ext4_desc *d,
			     u32 n)
{
	d->used_dirs_lo = (u16)n;
	if (big(s))
		d->used_dirs_hi = (u16)(n >> 16);
}

void ext4_desc_set_itable_unused(const struct ext4_sb *s, struct ext4_desc *d,
				 u32 n)
{
	d->itable_unused_lo = (u16)n;
	if (big(s))
		d->itable_unused_hi = (u16)(n >> 16);
}

static bool is_power_of(u32 n, u32 base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

bool ext4_group_has_super(const struct ext4_sb *sbi, u32 group)
{
	if (group == 0)
		return true;
	if (sbi->has_sparse2)
		return group == sbi->es->backup_bgs[0] ||
		       group == sbi->es->backup_bgs[1];
	if (!sbi->has_sparse || group == 1)
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) ||
	       is_power_of(group, 7);
}

/* Super block, descriptors and room for more of them at a group's start. */
u32 ext4_group_base_blocks(const struct ext4_sb *sbi, u32 group)
{
	u32 meta = group / sbi->descs_per_block;
	u32 at = group % sbi->descs_per_block;
	u32 n = ext4_group_has_super(sbi, group);

	if (!sbi->has_meta_bg)
		return n ? n + sbi->nr_desc_blocks +
				       sbi->es->reserved_gdt_blocks
			 : 0;
	if (meta < sbi->es->first_meta_bg)
		return n ? n + sbi->es->first_meta_bg +
				       sbi->es->reserved_gdt_blocks
			 : 0;
	return n + (at < 2 || at == sbi->descs_per_block - 1);
}

u32 ext4_group_blocks(const struct ext4_sb *sbi, u32 group)
{
	return (u32)min_t(u64, sbi->blocks_per_group,
			  sbi->nr_blocks - ext4_group_start(sbi, group));
}

static u64 desc_block(const struct ext4_sb *sbi, u32 i)
{
	u32 group = i * sbi->descs_per_block;

	if (!sbi->has_meta_bg || i < sbi->es->first_meta_bg)
		return sbi->first_block + 1 + i;
	return ext4_group_start(sbi, group) + ext4_group_has_super(sbi, group);
}

static bool range_ok(const struct ext4_sb *sbi, u64 blk, u64 nr)
{
	return blk > sbi->first_block && blk < sbi->nr_blocks &&
	       nr <= sbi->nr_blocks - blk;
}

static int desc_check(struct ext4_sb *sbi, u32 group)
{
	const struct ext4_desc *d = ext4_desc(sbi, group, NULL);

	if (!range_ok(sbi, ext4_block_bitmap(sbi, d), 1) ||
	    !range_ok(sbi, ext4_inode_bitmap(sbi, d), 1) ||
	    !range_ok(sbi, ext4_inode_table(sbi, d), sbi->itable_blocks)) {
		pr_err("ext4: %s: tables of group %u are off the volume",
		       sbi->bdev->name, group);
		return -EFSCORRUPTED;
	}
	if ((sbi->has_csum || sbi->has_gdt_csum) &&
	    d->checksum != ext4_desc_csum(sbi, group, d)) {
		pr_err("ext4: %s: descriptor of group %u: wrong checksum",
		       sbi->bdev->name, group);
		return -EFSBADCRC;
	}
	return 0;
}

int ext4_descs_check(struct ext4_sb *sbi)
{
	u32 group;
	int err;

	for (group = 0; group < sbi->nr_groups; group++) {
		const struct ext4_desc *d = ext4_desc(sbi, group, NULL);

		err = desc_check(sbi, group);
		if (err)
			return err;
		sbi->group[group].max_run = sbi->blocks_per_group;
		sbi->free_blocks += ext4_desc_free_blocks(sbi, d);
		sbi->free_inodes += ext4_desc_free_inodes(sbi, d);
		sbi->nr_dirs += ext4_desc_used_dirs(sbi, d);
		if (group % 1024 == 1023)
			cond_resched();
	}
	sbi->free_blocks = min(sbi->free_blocks, sbi->nr_blocks);
	sbi->free_inodes = min_t(u64, sbi->free_inodes, sbi->nr_inodes);
	return 0;
}

int ext4_descs_load(struct ext4_sb *sbi)
{
	u32 i;

	sbi->desc_buf = kcalloc(sbi->nr_desc_blocks, sizeof(*sbi->desc_buf));
	sbi->group = kcalloc(sbi->nr_groups, sizeof(*sbi->group));
	if (!sbi->desc_buf || !sbi->group)
		return -ENOMEM;
	for (i = 0; i < sbi->nr_desc_blocks; i++)
		ext4_buf_prefetch(sbi, desc_block(sbi, i), 1);
	for (i = 0; i < sbi->nr_desc_blocks; i++) {
		struct ext4_buf *b =
			ext4_buf_read(sbi, desc_block(sbi, i), EXT4_KIND_DESC,
				      i * sbi->descs_per_block);

		if (IS_ERR(b)) {
			pr_err("ext4: %s: cannot read group descriptors",
			       sbi->bdev->name);
			return (int)PTR_ERR(b);
		}
		sbi->desc_buf[i] = b;
	}
	return 0;
}

void ext4_descs_free(struct ext4_sb *sbi)
{
	u32 i;

	if (sbi->desc_buf) {
		for (i = 0; i < sbi->nr_desc_blocks; i++)
			ext4_buf_put(sbi->desc_buf[i]);
		kfree(sbi->desc_buf);
	}
	if (sbi->group) {
		for (i = 0; i < sbi->nr_groups; i++)
			kfree(sbi->group[i].busy);
		kfree(sbi->group);
	}
	while (sbi->retired) {
		struct ext4_retired *r = sbi->retired;

		sbi->retired = r->next;
		kfree(r->p);
		kfree(r);
	}
	sbi->desc_buf = NULL;
	sbi->group = NULL;
}
