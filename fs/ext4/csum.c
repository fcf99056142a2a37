/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/csum.c - the checksums of metadata_csum and uninit_bg.
 *
 * All are crc32c, chained from a seed made of the volume's UUID (and, for what
 * belongs to an inode, its number and generation), but for the descriptors of
 * uninit_bg, which have a crc16.  Sums of directory, extent and attribute
 * blocks lie in their block; those of bitmaps in the group's descriptor.
 *
 * Not here: when they are made and checked (buf.c, flush.c).
 */
#include <fs/ext4/ext4.h>
#include <lib/atomic.h>
#include <lib/crc.h>

u32 ext4_inode_seed(const struct ext4_sb *sbi, u32 ino, u32 generation)
{
	u32 c = crc32c(sbi->csum_seed, &ino, sizeof(ino));

	return crc32c(c, &generation, sizeof(generation));
}

static u32 super_csum(const struct ext4_super *es)
{
	return crc32c(~0u, es, offsetof(struct ext4_super, checksum));
}

bool ext4_super_csum_ok(const struct ext4_super *es)
{
	return es->checksum == super_csum(es);
}

void ext4_super_csum_set(struct ext4_super *es)
{
	es->checksum = super_csum(es);
}

u16 ext4_desc_csum(const struct ext4_sb *sbi, u32 group,
		   const struct ext4_desc *d)
{
	const u32 sum_at = offsetof(struct ext4_desc, checksum);
	const u8 *p = (const u8 *)d;
	u16 zero = 0;

	if (sbi->has_csum) {
		u32 c = crc32c(sbi->csum_seed, &group, sizeof(group));

		c = crc32c(c, p, sum_at);
		c = crc32c(c, &zero, sizeof(zero));
		c = crc32c(c, p + sum_at + 2, sbi->desc_size - sum_at - 2);
		return (u16)c;
	}
	zero = crc16(0xffff, sbi->es->uuid, sizeof(sbi->es->uuid));
	zero = crc16(zero, &group, sizeof(group));
	zero = crc16(zero, p, sum_at);
	if (sbi->desc_size > EXT4_DESC_MIN)
		zero = crc16(zero, p + sum_at + 2, sbi->desc_size - sum_at - 2);
	return zero;
}

u32 ext4_raw_csum(const struct ext4_sb *sbi, u32 seed,
		  const struct ext4_raw_inode *raw)
{
	const u32 lo_at = offsetof(struct ext4_raw_inode, checksum_lo);
	const u32 hi_at = offsetof(struct ext4_raw_inode, checksum_hi);
	const u8 *p = (const u8 *)raw;
	u16 zero = 0;
	u32 c, at;

	c = crc32c(seed, p, lo_at);
	c = crc32c(c, &zero, sizeof(zero));
	at = lo_at + 2;
	c = crc32c(c, p + at, EXT4_GOOD_OLD_INODE_SIZE - at);
	at = EXT4_GOOD_OLD_INODE_SIZE;
	if (sbi->inode_size > at) {
		c = crc32c(c, p + at, hi_at - at);
		if (raw->extra_isize >= hi_at + 2 - at) {
			c = crc32c(c, &zero, sizeof(zero));
			at = hi_at + 2;
		} else {
			at = hi_at;
		}
		c = crc32c(c, p + at, sbi->inode_size - at);
	}
	return c;
}

static bool raw_has_hi(const struct ext4_sb *sbi,
		       const struct ext4_raw_inode *raw)
{
	return sbi->inode_size > EXT4_GOOD_OLD_INODE_SIZE &&
	       raw->extra_isize >= 4;
}

bool ext4_raw_csum_ok(const struct ext4_sb *sbi, u32 seed,
		      const struct ext4_raw_inode *raw)
{
	u32 c = ext4_raw_csum(sbi, seed, raw);

	if (!raw_has_hi(sbi, raw))
		return raw->checksum_lo == (u16)c;
	return raw->checksum_lo == (u16)c && raw->checksum_hi == c >> 16;
}

void ext4_raw_csum_set(const struct ext4_sb *sbi, u32 seed,
		       struct ext4_raw_inode *raw)
{
	u32 c = ext4_raw_csum(sbi, seed, raw);

	raw->checksum_lo = (u16)c;
	if (raw_has_hi(sbi, raw))
		raw->checksum_hi = (u16)(c >> 16);
}

static u32 bitmap_csum(struct ext4_sb *sbi, struct ext4_buf *b)
{
	u32 bits = b->kind == EXT4_KIND_BLOCK_MAP ? sbi->blocks_per_group
						  : sbi->inodes_per_group;

	return crc32c(sbi->csum_seed, b->data, bits / 8);
}

static bool bitmap_ok(struct ext4_sb *sbi, struct ext4_buf *b)
{
	const struct ext4_desc *d = ext4_desc(sbi, b->seed, NULL);
	u32 c = bitmap_csum(sbi, b), want;
	bool blocks = b->kind == EXT4_KIND_BLOCK_MAP;

	want = blocks ? d->block_bitmap_csum_lo : d->inode_bitmap_csum_lo;
	if (sbi->desc_size < sizeof(*d))
		return (u16)c == want;
	want |= (u32)(blocks ? d->block_bitmap_csum_hi
			     : d->inode_bitmap_csum_hi)
		<< 16;
	return c == want;
}

static void bitmap_set(struct ext4_sb *sbi, struct ext4_buf *b)
{
	struct ext4_desc *d = ext4_desc(sbi, b->seed, NULL);
	u32 c = bitmap_csum(sbi, b);
	bool big = sbi->desc_size >= sizeof(*d);

	if (b->kind == EXT4_KIND_BLOCK_MAP) {
		d->block_bitmap_csum_lo = (u16)c;
		if (big)
			d->block_bitmap_csum_hi = (u16)(c >> 16);
	} else {
		d->inode_bitmap_csum_lo = (u16)c;
		if (big)
			d->inode_bitmap_csum_hi = (u16)(c >> 16);
	}
}

/*
 * A directory block is told by its contents: where the index's count is, or 0
 * for a block of entries.  These shapes cannot be entries, because a block
 * with a checksum ends in a 12-byte tail.
 */
static u32 dx_offset(const struct ext4_sb *sbi, const void *data)
{
	const struct ext4_dirent *de = data;
	const struct ext4_dirent *dotdot;

	if (de->inode == 0 && de->rec_len == sbi->block_size)
		return EXT4_DX_NODE_OFFSET;
	if (de->rec_len != EXT4_DIRENT_MIN)
		return 0;
	dotdot = (const void *)((const u8 *)data + EXT4_DIRENT_MIN);
	if (dotdot->rec_len != sbi->block_size - EXT4_DIRENT_MIN)
		return 0;
	return EXT4_DX_ROOT_OFFSET;
}

/* Where in the block its sum is and what it should be; NULL: nowhere. */
static u32 *dx_csum(struct ext4_sb *sbi, struct ext4_buf *b, u32 at, u32 *sum)
{
	const struct ext4_dx_count *c = (void *)((u8 *)b->data + at);
	u32 limit = c->limit, count = c->count, zero = 0;
	struct ext4_dx_tail *t;

	if (count > limit ||
	    at + limit * sizeof(struct ext4_dx_entry) + sizeof(*t) >
		    sbi->block_size)
		return NULL;
	t = (void *)((u8 *)b->data + at + limit * sizeof(struct ext4_dx_entry));
	*sum = crc32c(b->seed, b->data,
		      at + count * sizeof(struct ext4_dx_entry));
	*sum = crc32c(*sum, t, offsetof(struct ext4_dx_tail, checksum));
	*sum = crc32c(*sum, &zero, sizeof(zero));
	return &t->checksum;
}

static u32 *dir_csum(struct ext4_sb *sbi, struct ext4_buf *b, u32 *sum)
{
	u32 at = dx_offset(sbi, b->data);
	struct ext4_dir_tail *t;

	if (at)
		return dx_csum(sbi, b, at, sum);
	at = sbi->block_size - (u32)sizeof(*t);
	t = (void *)((u8 *)b->data + at);
	if (t->zero1 || t->zero2 || t->rec_len != sizeof(*t) ||
	    t->file_type != EXT4_FT_TAIL)
		return NULL;
	*sum = crc32c(b->seed, b->data, at);
	return &t->checksum;
}

static u32 *extent_csum(struct ext4_sb *sbi, struct ext4_buf *b, u32 *sum)
{
	const struct ext4_ext_head *eh = b->data;
	u32 at = (u32)sizeof(*eh) + eh->max * (u32)sizeof(struct ext4_extent);

	if (at + sizeof(u32) > sbi->block_size)
		return NULL;
	*sum = crc32c(b->seed, b->data, at);
	return (void *)((u8 *)b->data + at);
}

static u32 *xattr_csum(struct ext4_sb *sbi, struct ext4_buf *b, u32 *sum)
{
	const u32 at = offsetof(struct ext4_xattr_head, checksum);
	struct ext4_xattr_head *xh = b->data;
	u32 c, zero = 0;

	c = crc32c(sbi->csum_seed, &b->blk, sizeof(b->blk));
	c = crc32c(c, b->data, at);
	c = crc32c(c, &zero, sizeof(zero));
	*sum = crc32c(c, (u8 *)b->data + at + 4, sbi->block_size - at - 4);
	return &xh->checksum;
}

static u32 *orphan_csum(struct ext4_sb *sbi, struct ext4_buf *b, u32 *sum)
{
	u32 at = sbi->block_size - (u32)sizeof(struct ext4_orphan_tail);
	struct ext4_orphan_tail *t = (void *)((u8 *)b->data + at);
	u32 c = crc32c(b->seed, &b->blk, sizeof(b->blk));

	*sum = crc32c(c, b->data, at);
	return &t->checksum;
}

static u32 *inner_csum(struct ext4_sb *sbi, struct ext4_buf *b, u32 *sum)
{
	switch (b->kind) {
	case EXT4_KIND_DIR:
		return dir_csum(sbi, b, sum);
	case EXT4_KIND_EXTENT:
		return extent_csum(sbi, b, sum);
	case EXT4_KIND_XATTR:
		return xattr_csum(sbi, b, sum);
	case EXT4_KIND_ORPHAN:
		return orphan_csum(sbi, b, sum);
	default:
		return NULL;
	}
}

bool ext4_buf_csum_ok(struct ext4_sb *sbi, struct ext4_buf *b)
{
	u32 sum = 0, *at;

	if (!sbi->has_csum)
		return true;
	switch (b->kind) {
	case EXT4_KIND_NONE:
	case EXT4_KIND_SUPER: /* checked at mount, before there are buffers */
	case EXT4_KIND_DESC:  /* checked one by one, desc.c */
		return true;
	case EXT4_KIND_BLOCK_MAP:
	case EXT4_KIND_INODE_MAP:
		return bitmap_ok(sbi, b);
	default:
		at = inner_csum(sbi, b, &sum);
		return at && *at == sum;
	}
}

static void descs_set(struct ext4_sb *sbi, struct ext4_buf *b)
{
	u32 i, group = b->seed;

	for (i = 0; i < sbi->descs_per_block && group < sbi->nr_groups;
	     i++, group++) {
		struct ext4_desc *d =
			(void *)((u8 *)b->data + i * sbi->desc_size);

		d->checksum = ext4_desc_csum(sbi, group, d);
	}
}

void ext4_buf_csum_set(struct ext4_sb *sbi, struct ext4_buf *b)
{
	u32 sum = 0, *at;

	atomic_fetch_and(&b->flags, (u32)~BUF_STALE);
	if (b->kind == EXT4_KIND_DESC && (sbi->has_csum || sbi->has_gdt_csum))
		descs_set(sbi, b);
	if (!sbi->has_csum)
		return;
	switch (b->kind) {
	case EXT4_KIND_NONE:
	case EXT4_KIND_DESC:
		return;
	case EXT4_KIND_SUPER:
		ext4_super_csum_set(sbi->es);
		return;
	case EXT4_KIND_BLOCK_MAP:
	case EXT4_KIND_INODE_MAP:
		bitmap_set(sbi, b);
		return;
	default:
		at = inner_csum(sbi, b, &sum);
		if (at)
			*at = sum;
		return;
	}
}
