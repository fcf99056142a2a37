/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/blk_merge.c - several bios in a row as one request to the device.
 *
 * The request is a bio of its own with the segments of all of them.  When it
 * fails, each is tried alone: one bad sector is one bio's error and no more.
 *
 * INVARIANTS
 *   I1  What is merged is data of one kind, one after the other on the disk, and
 *	 within the limits of one request: never split again.
 */
#include <kernel/dev/blk_core.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

struct merged {
	struct bio bio;
	struct list_head parts;
	u32 max_segs, max_seg_bytes, max_sectors;
};

static bool is_mergeable(const struct bio *bio)
{
	return (bio->op == BIO_READ || bio->op == BIO_WRITE) &&
	       !(bio->flags & (BIO_PIECE | BIO_ALONE | BIO_FLUSHES));
}

/* Does @b go on where @a ends? */
static bool continues(const struct bio *a, const struct bio *b)
{
	return a->op == b->op && a->sector + a->nr_sectors == b->sector &&
	       ((a->flags ^ b->flags) & BIO_FUA) == 0 && is_mergeable(b);
}

static bool joins(const struct merged *m, const struct bio_seg *last,
		  const struct bio_seg *s)
{
	return (u8 *)last->addr + last->len == (u8 *)s->addr &&
	       (u64)last->len + s->len <= m->max_seg_bytes;
}

/* Append the segments of @b.  False: they do not fit, and nothing has changed. */
static bool append(struct merged *m, struct bio *b)
{
	struct bio *r = &m->bio;
	u32 nr = r->nr_segs, last_len = nr ? r->seg[nr - 1].len : 0;

	if (r->nr_sectors + b->nr_sectors > m->max_sectors)
		return false;
	for (u32 i = 0; i < b->nr_segs; i++) {
		if (nr && joins(m, &r->seg[nr - 1], &b->seg[i])) {
			r->seg[nr - 1].len += b->seg[i].len;
			continue;
		}
		if (nr == m->max_segs) {
			if (r->nr_segs)
				r->seg[r->nr_segs - 1].len = last_len;
			return false;
		}
		r->seg[nr++] = b->seg[i];
	}
	r->nr_segs = nr;
	r->nr_sectors += b->nr_sectors;
	list_add_tail(&b->node, &m->parts);
	return true;
}

static void merged_end(struct bio *r)
{
	struct merged *m = r->priv;
	struct bio *b, *next;
	int status = r->status;

	list_for_each_entry_safe(b, next, &m->parts, node) {
		list_del(&b->node);
		if (status) {
			b->flags |= BIO_ALONE;
			blk_queue(r->dev, b);
		} else {
			bio_done(b, 0);
		}
	}
	kfree(m);
}

static struct merged *merged_new(const struct blkdev *disk,
				 const struct bio *first)
{
	struct merged *m = kmalloc(sizeof(*m));
	u32 max = blk_max_sectors(disk, first->op);

	if (!m)
		return NULL;
	list_init(&m->parts);
	list_init(&m->bio.node);
	m->max_segs = min(disk->max_segs ? disk->max_segs : BIO_MAX_SEGS,
			  BIO_MAX_SEGS);
	m->max_seg_bytes = disk->max_seg_bytes ? disk->max_seg_bytes : 1u << 20;
	m->max_sectors = min(max, BLK_MERGED_SECTORS);
	m->bio.op = first->op;
	m->bio.flags = BIO_PIECE | (first->flags & BIO_FUA);
	m->bio.sector = first->sector;
	m->bio.nr_sectors = m->bio.nr_segs = 0;
	m->bio.end_io = merged_end;
	m->bio.priv = m;
	m->bio.dev = first->dev->whole;
	m->bio.flow = first->flow;
	m->bio.hwq = first->hwq;
	return m;
}

static void count(struct bio *b)
{
	atomic_add_relaxed(&b->dev->whole->stat_merges[b->op], 1ull);
	if (b->dev->whole != b->dev)
		atomic_add_relaxed(&b->dev->stat_merges[b->op], 1ull);
}

struct bio *blk_merge(const struct blkdev *disk, struct bio *first,
		      struct list_head *more, u32 *nr)
{
	struct bio *next = list_first_entry_or_null(more, struct bio, node);
	struct merged *m;

	*nr = 1;
	/* a FUA write that is really two steps stays alone */
	if (!next || load_once(&disk->nomerges) == 2 || !is_mergeable(first) ||
	    !continues(first, next) ||
	    ((first->flags & BIO_FUA) && !disk->has_fua))
		return first;
	m = merged_new(disk, first);
	if (!m)
		return first;
	if (!append(m, first)) {
		kfree(m);
		return first;
	}
	while ((next = list_first_entry_or_null(more, struct bio, node)) &&
	       continues(&m->bio, next)) {
		list_del(&next->node);
		if (!append(m, next)) {
			list_add(&next->node, more);
			break;
		}
		count(next);
		++*nr;
	}
	if (*nr > 1)
		return &m->bio;
	list_del(&first->node);
	kfree(m);
	return first;
}
