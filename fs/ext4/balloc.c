/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/balloc.c - give blocks out in runs, and take them back.
 *
 * A run is looked for near its goal: at the goal itself if enough is free
 * there, else the first long enough run of the group, else of the following
 * groups; only then the longest run of the first group that has anything.
 * ext4_group.max_run spares the search of groups that are known to be in
 * splinters.
 *
 * Pages that are dirty but have no blocks yet hold promises (sbi->delayed);
 * what is promised is not given to others.  Tree blocks may take from a reserve that
 * data does not get (ext4_tree_reserve()).
 *
 * With a journal, blocks that were freed count as free at once but stay busy
 * until that is committed: before, a crash would give them back to the file
 * that had them.
 *
 * Locking: the group lock; counters are atomic.
 */
#include <fs/ext4/io.h>
#include <fs/ext4/journal.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define GOOD_AT_GOAL 16u   /* a run that is worth staying for */
#define LONG_RUN     2048u /* the first pass asks for no more */
#define FIRST_PASS   64u   /* groups */

struct want {
	u64 goal;
	u32 len;  /* at most */
	u32 need; /* at least, in this pass */
};

/* May current use what is reserved for the super user? */
static bool is_privileged(const struct ext4_sb *sbi)
{
	if (!current || !current->cred)
		return true; /* write-back of what was promised */
	return capable(CAP_SYS_RESOURCE) ||
	       current_cred()->fsuid == sbi->opt.resuid ||
	       (sbi->opt.resgid &&
		cred_in_group(current_cred(), sbi->opt.resgid));
}

/* Free and neither promised nor reserved. */
static u64 available(const struct ext4_sb *sbi)
{
	u64 taken = load_once(&sbi->delayed);
	u64 free = load_once(&sbi->free_blocks);

	/* Promises will want tree blocks, too. */
	taken += taken / 64 + ext4_tree_reserve(sbi);
	if (!is_privileged(sbi))
		taken += sbi->r_blocks;
	return free > taken ? free - taken : 0;
}

bool ext4_delay_reserve(struct ext4_sb *sbi, u32 nr)
{
	if (available(sbi) < (u64)nr + 8)
		return false;
	/* Racing callers overdraw by what they ask for: the slack above. */
	atomic_add_relaxed(&sbi->delayed, nr);
	return true;
}

void ext4_delay_change(struct ext4_sb *sbi, s64 nr)
{
	atomic_add_relaxed(&sbi->delayed, (u64)nr);
}

/* Blocks of a group that cannot be had: in use, or busy. */
struct taken {
	const u64 *map, *busy; /* busy may be NULL */
	u32 nbits;
};

/* First bit at or behind @from that is @value; nbits: none. */
static u32 next_bit(const struct taken *t, u32 from, bool value)
{
	u64 flip = value ? 0 : ~0ull;

	while (from < t->nbits) {
		u32 i = from / BITS_PER_WORD;
		u64 w = t->map[i] | (t->busy ? t->busy[i] : 0);

		w = (w ^ flip) >> (from % BITS_PER_WORD);
		if (w)
			return min(from + ctz64(w), t->nbits);
		from = ALIGN_DOWN(from, BITS_PER_WORD) + BITS_PER_WORD;
	}
	return t->nbits;
}

/* The run of zeroes that begins at @from, as long as @max at most. */
static u32 zeroes(const struct taken *t, u32 from, u32 max)
{
	return min(next_bit(t, from, true) - from, max);
}

/* First run of @need zeroes from @from on, else the longest: its start. */
static u32 scan(const struct taken *t, u32 from, const struct want *w, u32 *len)
{
	u32 best = from, best_len = 0, at = from;

	while (best_len < w->need) {
		u32 n;

		at = next_bit(t, at, false);
		if (at >= t->nbits)
			break;
		n = zeroes(t, at, w->len);
		if (n > best_len) {
			best = at;
			best_len = n;
		}
		at += n;
	}
	*len = best_len;
	return best;
}

/* A run in the group's bitmap; *len == 0: none that is long enough. */
static u32 pick(struct ext4_sb *sbi, u32 group, const u64 *map,
		const struct want *w, u32 *len)
{
	struct taken t = { .map = map,
			   .busy = sbi->group[group].busy,
			   .nbits = ext4_group_blocks(sbi, group) };
	u32 at, from, whole;

	if (ext4_group_of(sbi, w->goal) == group) {
		from = (u32)(w->goal - ext4_group_start(sbi, group));
		*len = zeroes(&t, from, w->len);
		if (*len >= min(w->need, GOOD_AT_GOAL))
			return from;
		at = scan(&t, from, w, len);
		if (*len >= w->need)
			return at;
	}
	at = scan(&t, 0, w, &whole);
	*len = whole;
	if (whole >= w->need)
		return at;
	/* All of it was seen. */
	sbi->group[group].max_run = whole;
	*len = 0;
	return at;
}

u32 ext4_free_run(struct ext4_sb *sbi, u32 group, const u64 *map, u32 *at,
		  u32 end)
{
	struct taken t = { .map = map,
			   .busy = sbi->group[group].busy,
			   .nbits = min(end, ext4_group_blocks(sbi, group)) };

	if (*at >= t.nbits)
		return 0;
	*at = next_bit(&t, *at, false);
	return *at < t.nbits ? zeroes(&t, *at, t.nbits) : 0;
}

static void take(struct ext4_sb *sbi, struct ext4_desc *d, u64 *map, u32 at,
		 u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		set_bit(at + i, map);
	d->flags &= (u16)~EXT4_BG_BLOCK_UNINIT;
	ext4_desc_set_free_blocks(sbi, d, ext4_desc_free_blocks(sbi, d) - len);
	atomic_add_relaxed(&sbi->free_blocks, -(u64)len);
}

/* 0, -ENOSPC: not here, or -ENOMEM.  The group lock is held. */
static int try_group(struct ext4_handle *h, struct ext4_sb *sbi, u32 group,
		     const struct want *w, u64 *blk, u32 *got)
{
	struct ext4_buf *db, *b;
	struct ext4_desc *d = ext4_desc(sbi, group, &db);
	u32 free = ext4_desc_free_blocks(sbi, d), at, len;
	int err = -ENOSPC;

	if (!free || sbi->group[group].bad_blocks ||
	    sbi->group[group].max_run < w->need)
		return -ENOSPC;
	b = ext4_read_block_bitmap(sbi, group);
	if (IS_ERR(b))
		return PTR_ERR(b) == -ENOMEM ? -ENOMEM : -ENOSPC;
	at = pick(sbi, group, b->data, w, &len);
	if (!len)
		goto out;
	*blk = ext4_group_start(sbi, group) + at;
	if (len > free || !ext4_blocks_ok(sbi, *blk, len)) {
		ext4_error(sbi, 0, "block bitmap of group %u is corrupt",
			   group);
		sbi->group[group].bad_blocks = true;
		goto out;
	}
	err = ext4_write_access(h, b) ?: ext4_write_access(h, db);
	if (err)
		goto out;
	take(sbi, d, b->data, at, len);
	ext4_dirty(h, b);
	ext4_dirty(h, db);
	*got = len;
out:
	ext4_buf_put(b);
	return err;
}

static int try_groups(struct ext4_handle *h, struct ext4_sb *sbi, u32 nr,
		      const struct want *w, u64 *blk, u32 *got)
{
	u32 group = ext4_group_of(sbi, w->goal), i;
	int err = -ENOSPC;

	for (i = 0; i < nr && err == -ENOSPC; i++) {
		struct mutex *lock = ext4_group_lock(sbi, group);

		mutex_lock(lock);
		err = try_group(h, sbi, group, w, blk, got);
		mutex_unlock(lock);
		if (++group == sbi->nr_groups)
			group = 0;
		if (i % 256 == 255)
			cond_resched();
	}
	return err;
}

/*
 * At most @want blocks in one run, near @goal.  @reserved: they were promised
 * to the caller, who gives the promise back.
 */
int ext4_alloc_blocks(struct ext4_handle *h, struct ext4_sb *sbi, u64 goal,
		      u32 want, bool reserved, u64 *blk, u32 *got)
{
	struct want w = { .goal = goal, .len = want };
	int err;

	if (goal <= sbi->first_block || goal >= sbi->nr_blocks)
		w.goal = sbi->first_block + 1;
	if (!reserved) {
		w.len = (u32)min_t(u64, want, available(sbi));
		if (!w.len)
			return -ENOSPC;
	}
	w.need = min(w.len, min(LONG_RUN, sbi->blocks_per_group / 2));
	err = try_groups(h, sbi, min(sbi->nr_groups, FIRST_PASS), &w, blk, got);
	while (err == -ENOSPC && w.need > 1) {
		w.need = w.need > 64 ? w.need / 8 : 1;
		err = try_groups(h, sbi, sbi->nr_groups, &w, blk, got);
	}
	return err;
}

/* J3; the group lock is held. */
static void make_busy(struct ext4_handle *h, u32 group, u32 at, u32 nr)
{
	struct ext4_sb *sbi = h->sbi;
	struct ext4_group *g = &sbi->group[group];
	struct ext4_freed *f = ext4_alloc_wait(sbi, sizeof(*f));
	u32 i;

	if (!g->busy)
		g->busy = ext4_alloc_wait(sbi, sbi->block_size);
	if (!f || !g->busy) {
		kfree(f);
		return; /* given up: nothing will be given out any more */
	}
	*f = (struct ext4_freed){ .group = group, .at = at, .nr = nr };
	for (i = at; i < at + nr; i++)
		set_bit(i, g->busy);
	g->nr_busy += nr;
	atomic_add_relaxed(&sbi->busy_blocks, (u64)nr);
	spin_lock(&sbi->buf_lock);
	list_add_tail(&f->node, &h->txn->freed);
	spin_unlock(&sbi->buf_lock);
}

static void release_one(struct ext4_sb *sbi, const struct ext4_freed *f)
{
	struct mutex *lock = ext4_group_lock(sbi, f->group);
	struct ext4_group *g;
	u32 i, shift = sbi->block_bits - SECTOR_SHIFT;

	/* -o discard; a wish only.  Nobody gets them before they are not busy. */
	if ((load_once(&sbi->opt.flags) & EXT4_OPT_DISCARD) &&
	    sbi->bdev->whole->has_discard)
		(void)blk_range(sbi->bdev, BIO_DISCARD,
				(ext4_group_start(sbi, f->group) + f->at)
					<< shift,
				(u64)f->nr << shift);

	mutex_lock(lock);
	g = &sbi->group[f->group]; /* until now the volume may have grown */
	for (i = f->at; i < f->at + f->nr; i++)
		clear_bit(i, g->busy);
	g->nr_busy -= f->nr;
	g->max_run = sbi->blocks_per_group;
	if (!g->nr_busy) {
		kfree(g->busy);
		g->busy = NULL;
	}
	mutex_unlock(lock);
	atomic_add_relaxed(&sbi->busy_blocks, -(u64)f->nr);
}

void ext4_release_freed(struct ext4_sb *sbi, struct list_head *freed)
{
	struct ext4_freed *f, *tmp;

	list_for_each_entry_safe(f, tmp, freed, node) {
		list_del(&f->node);
		release_one(sbi, f);
		kfree(f);
	}
}

/* Blocks [at, at + nr) of the group that are in use, which all should be. */
static u32 clear_bits(u64 *map, u32 at, u32 nr)
{
	u32 i, freed = 0;

	for (i = at; i < at + nr; i++) {
		if (!test_bit(i, map))
			continue;
		clear_bit(i, map);
		freed++;
	}
	return freed;
}

static void free_in_group(struct ext4_handle *h, struct ext4_sb *sbi, u32 group,
			  u32 at, u32 nr)
{
	struct ext4_buf *db, *b;
	struct ext4_desc *d = ext4_desc(sbi, group, &db);
	u32 freed;

	b = ext4_read_block_bitmap(sbi, group);
	if (IS_ERR(b))
		return; /* reported; the blocks are lost until e2fsck */
	if (ext4_write_access(h, b) || ext4_write_access(h, db))
		goto out;
	freed = clear_bits(b->data, at, nr);
	if (freed != nr)
		ext4_error(sbi, 0, "group %u: blocks at %u freed while free",
			   group, at);
	else if (h->txn)
		make_busy(h, group, at, nr);
	ext4_desc_set_free_blocks(sbi, d,
				  ext4_desc_free_blocks(sbi, d) + freed);
	atomic_add_relaxed(&sbi->free_blocks, (u64)freed);
	sbi->group[group].max_run = sbi->blocks_per_group;
	sbi->group[group].trimmed = 0;
	ext4_dirty(h, b);
	ext4_dirty(h, db);
out:
	ext4_buf_put(b);
}

void ext4_free_blocks(struct ext4_handle *h, struct ext4_sb *sbi, u64 blk,
		      u64 nr, bool metadata)
{
	u64 i;

	if (!ext4_blocks_ok(sbi, blk, nr)) {
		ext4_error(sbi, 0, "freeing blocks %llu+%llu",
			   (unsigned long long)blk, (unsigned long long)nr);
		return;
	}
	for (i = 0; metadata && i < nr; i++)
		ext4_forget(h, blk + i);
	while (nr) {
		u32 group = ext4_group_of(sbi, blk);
		u32 at = (u32)(blk - ext4_group_start(sbi, group));
		u32 n = (u32)min_t(u64, nr, sbi->blocks_per_group - at);
		struct mutex *lock = ext4_group_lock(sbi, group);

		mutex_lock(lock);
		free_in_group(h, sbi, group, at, n);
		mutex_unlock(lock);
		blk += n;
		nr -= n;
	}
}
