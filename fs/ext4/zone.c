/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/zone.c - know which blocks no file may ever own.
 *
 * Super blocks, descriptors, bitmaps, inode tables and the journal, as a sorted
 * array of ranges built at mount.  A corrupt extent that points at one of them
 * must be neither written through nor freed.
 */
#include <fs/ext4/zone.h>

#include <fs/ext4/ext4.h>
#include <kernel/mm/kmalloc.h>
#include <lib/sort.h>

struct builder {
	struct ext4_sb *sbi;
	u32 room;
};

static int add(struct builder *bl, u64 start, u64 nr)
{
	struct ext4_sb *sbi = bl->sbi;
	struct ext4_zone *z;

	if (!nr)
		return 0;
	z = sbi->nr_zones ? &sbi->zone[sbi->nr_zones - 1] : NULL;
	if (z && z->end == start) {
		z->end += nr;
		return 0;
	}
	if (sbi->nr_zones == bl->room) {
		u32 room = bl->room ? 2 * bl->room : 64;

		z = krealloc(sbi->zone, room * sizeof(*z));
		if (!z)
			return -ENOMEM;
		sbi->zone = z;
		bl->room = room;
	}
	sbi->zone[sbi->nr_zones++] =
		(struct ext4_zone){ .start = start, .end = start + nr };
	return 0;
}

/* One sort of table of all groups: with flex_bg they lie side by side. */
static int add_tables(struct builder *bl, u32 which)
{
	struct ext4_sb *sbi = bl->sbi;
	u32 group;
	int err = 0;

	for (group = 0; group < sbi->nr_groups && !err; group++) {
		const struct ext4_desc *d = ext4_desc(sbi, group, NULL);

		switch (which) {
		case 0:
			err = add(bl, ext4_group_start(sbi, group),
				  ext4_group_base_blocks(sbi, group));
			break;
		case 1:
			err = add(bl, ext4_block_bitmap(sbi, d), 1);
			break;
		case 2:
			err = add(bl, ext4_inode_bitmap(sbi, d), 1);
			break;
		default:
			err = add(bl, ext4_inode_table(sbi, d),
				  sbi->itable_blocks);
		}
	}
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct ext4_zone *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int merge(struct ext4_sb *sbi)
{
	u32 i, n = 0;

	for (i = 1; i < sbi->nr_zones; i++) {
		struct ext4_zone *last = &sbi->zone[n];
		struct ext4_zone *z = &sbi->zone[i];

		if (z->start < last->end) {
			pr_err("ext4: %s: tables overlap at block %llu",
			       sbi->bdev->name, (unsigned long long)z->start);
			return -EFSCORRUPTED;
		}
		if (z->start == last->end)
			last->end = z->end;
		else
			sbi->zone[++n] = *z;
	}
	sbi->nr_zones = n + 1;
	return 0;
}

int ext4_zones_build(struct ext4_sb *sbi)
{
	struct builder bl = { .sbi = sbi };
	u32 which;
	int err = 0;

	for (which = 0; which < 4 && !err; which++)
		err = add_tables(&bl, which);
	if (err)
		return err;
	sort(sbi->zone, sbi->nr_zones, sizeof(sbi->zone[0]), by_start);
	return merge(sbi);
}

int ext4_zone_add(struct ext4_sb *sbi, u64 start, u64 nr)
{
	struct builder bl = { .sbi = sbi, .room = sbi->nr_zones };
	int err = add(&bl, start, nr);

	if (err)
		return err;
	sort(sbi->zone, sbi->nr_zones, sizeof(sbi->zone[0]), by_start);
	return merge(sbi);
}

void ext4_zones_free(struct ext4_sb *sbi)
{
	kfree(sbi->zone);
	sbi->zone = NULL;
	sbi->nr_zones = 0;
}

bool ext4_blocks_ok(const struct ext4_sb *sbi, u64 blk, u64 nr)
{
	u32 lo = 0, hi = sbi->nr_zones;

	if (!nr || blk <= sbi->first_block || blk >= sbi->nr_blocks ||
	    nr > sbi->nr_blocks - blk)
		return false;
	/* The first zone that ends behind blk must not begin before the end. */
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (sbi->zone[mid].end <= blk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == sbi->nr_zones || sbi->zone[lo].start >= blk + nr;
}
