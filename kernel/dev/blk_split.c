/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_split.c - do a bio piece by piece when it is too large.
 *
 * One piece is in flight at a time: this is for devices with tiny limits, and
 * for DISCARD of a whole disk.  The piece is a bio of its own that borrows the
 * parent's memory; its end starts the next one.
 *
 * INVARIANTS
 *   I1  A piece respects every limit of the disk, and each one is a whole number
 *       of logical blocks.
 *   I2  The parent ends once, after its last piece or its first failed one.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

struct split {
	struct bio piece;
	struct bio *parent;
	struct blkdev *disk;
	u64 sector; /* of the next piece */
	u32 left;   /* sectors not yet issued */
	u32 seg;    /* parent's segment where the next piece begins */
	u32 offset; /* in bytes within it */
};

u32 blk_max_sectors(const struct blkdev *disk, u32 op)
{
	u32 max = disk->max_sectors;

	if (op == BIO_DISCARD && disk->max_discard_sectors)
		max = disk->max_discard_sectors;
	if (op == BIO_WRITE_ZEROES && disk->max_zero_sectors)
		max = disk->max_zero_sectors;
	if (!max)
		return ~0u;
	max -= max % (disk->block_size >> SECTOR_SHIFT);
	KASSERT(max);
	return max;
}

static u32 seg_limit(const struct blkdev *disk)
{
	u32 max = disk->max_seg_bytes;

	if (!max)
		return ~0u;
	max -= max % disk->block_size;
	KASSERT(max);
	return max;
}

bool blk_must_split(const struct blkdev *disk, const struct bio *bio)
{
	u32 max_bytes = seg_limit(disk);

	if (bio->nr_sectors > blk_max_sectors(disk, bio->op))
		return true;
	if (disk->max_segs && bio->nr_segs > disk->max_segs)
		return true;
	for (u32 i = 0; i < bio->nr_segs; i++) {
		if (bio->seg[i].len > max_bytes)
			return true;
	}
	return false;
}

/* Fill the piece with memory, as much as fits; its size in sectors. */
static u32 take_segs(struct split *sp, u32 max_sectors)
{
	const struct blkdev *disk = sp->disk;
	u32 max_segs = disk->max_segs ? disk->max_segs : BIO_MAX_SEGS;
	struct bio *p = &sp->piece;
	u64 room = (u64)max_sectors << SECTOR_SHIFT;
	u64 taken = 0;

	max_segs = min(max_segs, BIO_MAX_SEGS);
	for (p->nr_segs = 0; p->nr_segs < max_segs && taken < room;
	     p->nr_segs++) {
		const struct bio_seg *s = &sp->parent->seg[sp->seg];
		u32 len = s->len - sp->offset;

		len = min(len, seg_limit(disk));
		len = (u32)min((u64)len, room - taken);
		p->seg[p->nr_segs].addr = (u8 *)s->addr + sp->offset;
		p->seg[p->nr_segs].len = len;
		taken += len;
		sp->offset += len;
		if (sp->offset == s->len) {
			sp->seg++;
			sp->offset = 0;
		}
	}
	return (u32)(taken >> SECTOR_SHIFT);
}

static void issue_next(struct split *sp)
{
	struct bio *p = &sp->piece;
	u32 max = min(sp->left, blk_max_sectors(sp->disk, p->op));

	p->sector = sp->sector;
	if (sp->parent->nr_segs)
		max = take_segs(sp, max);
	p->nr_sectors = max;
	sp->sector += max;
	sp->left -= max;
	blk_queue(sp->disk, p);
}

static void piece_end(struct bio *p)
{
	struct split *sp = p->priv;
	struct bio *parent = sp->parent;
	int status = p->status;

	if (!status && sp->left) {
		issue_next(sp);
		return;
	}
	kfree(sp);
	bio_done(parent, status);
}

void blk_split(struct blkdev *disk, struct bio *bio)
{
	struct split *sp = kzalloc(sizeof(*sp));

	if (!sp) {
		bio_done(bio, -ENOMEM);
		return;
	}
	sp->parent = bio;
	sp->disk = disk;
	sp->sector = bio->sector;
	sp->left = bio->nr_sectors;
	sp->piece.op = bio->op;
	sp->piece.flags = BIO_PIECE;
	if (disk->has_fua)
		sp->piece.flags |= bio->flags & BIO_FUA;
	sp->piece.end_io = piece_end;
	sp->piece.priv = sp;
	sp->piece.dev = disk;
	sp->piece.flow = bio->flow;
	issue_next(sp);
}
