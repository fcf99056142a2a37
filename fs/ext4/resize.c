/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/resize.c - make a mounted volume larger (EXT4_IOC_RESIZE_FS).
 *
 * The last group gets the blocks that it lacks; then group after group is added, its
 * tables in itself.  Each step is one handle, so that after a crash the volume ends
 * where it did before the step or behind it; what is written outside of the journal
 * before it is behind the end of all that is committed.  e2fsck and others look at
 * the descriptors of all groups that the super block tells of before they replay the
 * log: so a step's descriptors are at home before its super block may be.  For the
 * time of that nobody else has a handle, and no checkpoint runs.  Copies of super
 * block and descriptors are brought up to date at the end, for e2fsck's sake; nobody
 * else reads them.
 *
 * Descriptors for many more groups want blocks, at the same place behind each copy
 * of the super block.  mkfs has reserved them: inode 7's double-indirect block names
 * the first copy of each, and that one, until it is used, the others.
 *
 * INVARIANTS
 *   R1  nr_desc_blocks + s_reserved_gdt_blocks stays the same: so does where a group's
 *	 own tables may begin.
 *   R2  Readers without a lock see arrays that are long enough for the number of
 *	 groups that they see: longer ones are made before, and old ones kept.
 *
 * Locking: sbi->resizing lets one in; what grows changes with all group locks held,
 * inside of a handle.  Arrays are exchanged with all handles out besides.  A step has
 * sbi->frozen, which keeps handles of others out, and then j->cp_lock.
 */
#include <fs/ext4/journal.h>

#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>

#define ZERO_BYTES   65536u
#define LEAST_FREE   50u /* blocks for files: a group of less is not made */
#define STEP_CREDITS 12u

struct growth {
	struct ext4_sb *sbi;
	struct inode *reserve; /* inode 7, or NULL */
	struct ext4_buf *dind; /* its double-indirect block */
	u32 per_block;	       /* numbers in a block */
	u64 percent;	       /* of the volume is the super user's */
};

/* --- locks and arrays */

static void lock_groups(struct ext4_sb *sbi)
{
	for (u32 i = 0; i < EXT4_NR_GROUP_LOCKS; i++)
		mutex_lock(&sbi->group_lock[i]);
}

static void unlock_groups(struct ext4_sb *sbi)
{
	for (u32 i = 0; i < EXT4_NR_GROUP_LOCKS; i++)
		mutex_unlock(&sbi->group_lock[i]);
}

struct arrays {
	struct ext4_buf **desc_buf;
	struct ext4_group *group;
	struct ext4_zone *zone;
};

/* All locks are held. */
static void exchange(struct ext4_sb *sbi, struct arrays *a)
{
	struct arrays old = { sbi->desc_buf, sbi->group, sbi->zone };

	memcpy(a->desc_buf, old.desc_buf,
	       sbi->nr_desc_blocks * sizeof(struct ext4_buf *));
	memcpy(a->group, old.group, sbi->nr_groups * sizeof(*old.group));
	memcpy(a->zone, old.zone, sbi->nr_zones * sizeof(*old.zone));
	store_once(&sbi->desc_buf, a->desc_buf);
	store_once(&sbi->group, a->group);
	store_once(&sbi->zone, a->zone);
	*a = old;
}

static void keep(struct ext4_sb *sbi, void *p, struct ext4_retired *r)
{
	r->p = p;
	r->next = sbi->retired;
	sbi->retired = r;
}

/* R2: room for @groups groups with @descs blocks of descriptors. */
static int make_room(struct ext4_sb *sbi, u32 groups, u32 descs)
{
	u32 more = groups - sbi->nr_groups;
	struct ext4_retired *r[3] = { NULL };
	struct arrays a = {
		kcalloc(descs, sizeof(struct ext4_buf *)),
		kcalloc(groups, sizeof(struct ext4_group)),
		kcalloc(sbi->nr_zones + 2 * more, sizeof(struct ext4_zone)),
	};

	for (int i = 0; i < 3; i++)
		r[i] = kmalloc(sizeof(*r[i]));
	if (!a.desc_buf || !a.group || !a.zone || !r[0] || !r[1] || !r[2]) {
		kfree(a.desc_buf);
		kfree(a.group);
		kfree(a.zone);
		for (int i = 0; i < 3; i++)
			kfree(r[i]);
		return -ENOMEM;
	}
	down_write(&sbi->barrier);
	lock_groups(sbi);
	exchange(sbi, &a);
	unlock_groups(sbi);
	up_write(&sbi->barrier);
	keep(sbi, a.desc_buf, r[0]);
	keep(sbi, a.group, r[1]);
	keep(sbi, a.zone, r[2]);
	return 0;
}

/* --- outside of the journal */

static int zero_blocks(struct ext4_sb *sbi, u64 blk, u64 nr)
{
	u32 at_once = ZERO_BYTES >> sbi->block_bits;
	void *zeroes = alloc_pages_exact(ZERO_BYTES, GFP_ZERO);
	int err = zeroes ? 0 : -ENOMEM;

	while (nr && !err) {
		u32 n = (u32)min_t(u64, nr, at_once);

		err = ext4_io(sbi, BIO_WRITE, 0, blk, zeroes, n);
		blk += n;
		nr -= n;
	}
	if (zeroes)
		free_pages_exact(zeroes, ZERO_BYTES);
	return err;
}

/* Block @blk's copies behind all but the first super block; @copy is what they
 * get.  @super: they are super blocks, which know where they are. */
static int write_copies(struct ext4_sb *sbi, u32 at, u8 *copy, bool super)
{
	int err = 0;

	for (u32 g = 1; g < sbi->nr_groups && !err; g++) {
		if (!ext4_group_has_super(sbi, g))
			continue;
		if (super) {
			struct ext4_super *es = (void *)copy;

			es->block_group_nr = (u16)g;
			if (sbi->has_csum)
				ext4_super_csum_set(es);
		}
		err = ext4_io(sbi, BIO_WRITE, 0, ext4_group_start(sbi, g) + at,
			      copy, 1);
	}
	return err;
}

/* What is committed, for e2fsck. */
static void update_copies(struct ext4_sb *sbi)
{
	u8 *copy = alloc_pages_exact(max(sbi->block_size, (u32)PAGE_SIZE),
				     GFP_ZERO);
	int err = copy ? 0 : -ENOMEM;

	for (u32 i = 0; i < sbi->nr_desc_blocks && !err; i++) {
		down_write(&sbi->barrier);
		if (load_once(&sbi->desc_buf[i]->flags) & BUF_STALE)
			ext4_buf_csum_set(sbi, sbi->desc_buf[i]);
		memcpy(copy, sbi->desc_buf[i]->data, sbi->block_size);
		up_write(&sbi->barrier);
		err = write_copies(sbi, 1 + i, copy, false);
	}
	if (!err) {
		memset(copy, 0, sbi->block_size);
		down_write(&sbi->barrier);
		memcpy(copy, sbi->es, sizeof(*sbi->es));
		up_write(&sbi->barrier);
		err = write_copies(sbi, 0, copy, true);
	}
	if (err)
		pr_warn("ext4: %s: copies of the super block are old: %d",
			sbi->bdev->name, err);
	if (copy)
		free_pages_exact(copy, max(sbi->block_size, (u32)PAGE_SIZE));
}

/* --- the reserve of descriptor blocks */

static u32 nr_copies(const struct ext4_sb *sbi, u32 groups)
{
	u32 n = 0;

	for (u32 g = 1; g < groups; g++)
		n += ext4_group_has_super(sbi, g);
	return n;
}

static int open_reserve(struct growth *g)
{
	struct ext4_sb *sbi = g->sbi;
	int err;

	if (!(sbi->es->feature_compat & EXT4_COMPAT_RESIZE_INODE))
		return 0;
	err = ext4_iget(sbi, EXT4_RESIZE_INO, &g->reserve);
	if (err)
		return err;
	g->dind = ext4_buf_read(sbi, EXT4_I(g->reserve)->data[EXT4_IND + 1],
				EXT4_KIND_NONE, 0);
	return IS_ERR(g->dind) ? (int)PTR_ERR(g->dind) : 0;
}

static void close_reserve(struct growth *g)
{
	if (g->dind && !IS_ERR(g->dind))
		ext4_buf_put(g->dind);
	if (g->reserve)
		inode_put(g->reserve);
}

/* Where the reserve names block @i of the descriptors. */
static u32 *dind_slot(struct growth *g, u32 i)
{
	return (u32 *)g->dind->data + i % g->per_block;
}

/* The first copy of reserved block @i; it has to name the others. */
static struct ext4_buf *reserved_block(struct growth *g, u32 i)
{
	struct ext4_sb *sbi = g->sbi;
	u64 blk = sbi->first_block + 1 + i;
	struct ext4_buf *b;
	u32 k = 0;

	if (*dind_slot(g, i) != blk)
		return ERR_PTR(-EINVAL);
	b = ext4_buf_read(sbi, blk, EXT4_KIND_NONE, 0);
	for (u32 n = 1; !IS_ERR(b) && n < sbi->nr_groups; n++) {
		if (!ext4_group_has_super(sbi, n))
			continue;
		if (((u32 *)b->data)[k++] ==
		    (u64)n * sbi->blocks_per_group + blk)
			continue;
		ext4_buf_put(b);
		b = ERR_PTR(-EINVAL);
	}
	return b;
}

/* Group @group will have copies of what is reserved, too. */
static int reserve_copies(struct growth *g, struct ext4_handle *h, u32 group)
{
	struct ext4_sb *sbi = g->sbi;
	u32 nr = sbi->es->reserved_gdt_blocks, k = nr_copies(sbi, group);
	int err = 0;

	for (u32 i = sbi->nr_desc_blocks; i < sbi->nr_desc_blocks + nr && !err;
	     i++) {
		struct ext4_buf *b = reserved_block(g, i);

		if (IS_ERR(b))
			return (int)PTR_ERR(b);
		err = k < g->per_block ? ext4_write_access(h, b) : -EINVAL;
		if (!err) {
			((u32 *)b->data)[k] =
				(u32)((u64)group * sbi->blocks_per_group +
				      b->blk);
			ext4_dirty(h, b);
		}
		ext4_buf_put(b);
	}
	ext4_add_blocks(g->reserve, nr);
	return err ? err : ext4_mark_dirty(h, g->reserve);
}

/* Descriptors get one block more, out of the reserve.  R1. */
static int new_desc_block(struct growth *g, struct ext4_handle *h)
{
	struct ext4_sb *sbi = g->sbi;
	u32 i = sbi->nr_desc_blocks;
	struct ext4_buf *b;
	int err;

	if (!g->reserve || !sbi->es->reserved_gdt_blocks)
		return -EPERM;
	b = reserved_block(g, i);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	ext4_buf_put(b);
	err = ext4_write_access(h, g->dind);
	if (err)
		return err;
	b = ext4_buf_new(h, sbi->first_block + 1 + i, EXT4_KIND_DESC,
			 i * sbi->descs_per_block);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	ext4_dirty(h, b);
	*dind_slot(g, i) = 0;
	ext4_dirty(h, g->dind);
	lock_groups(sbi);
	sbi->desc_buf[i] = b;
	sbi->nr_desc_blocks++;
	sbi->es->reserved_gdt_blocks--;
	unlock_groups(sbi);
	ext4_add_blocks(g->reserve, -(s64)(nr_copies(sbi, sbi->nr_groups) + 1));
	return ext4_mark_dirty(h, g->reserve);
}

/* --- steps */

/* The volume has @blocks more, up to @end, of which @free are.  All group locks and
 * the super block's buffer are held. */
static void grown(struct growth *g, u64 end, u64 blocks, u64 free)
{
	struct ext4_sb *sbi = g->sbi;
	struct ext4_super *es = sbi->es;
	u64 reserved = sbi->r_blocks + blocks * g->percent / 100;

	store_once(&sbi->r_blocks, reserved);
	es->r_blocks_count_lo = (u32)reserved;
	es->blocks_count_lo = (u32)end;
	if (sbi->has_64bit) {
		es->r_blocks_count_hi = (u32)(reserved >> 32);
		es->blocks_count_hi = (u32)(end >> 32);
	}
	store_once(&sbi->nr_blocks, end);
	atomic_add_relaxed(&sbi->free_blocks, free);
}

/* The last group up to @end. */
static int extend_last(struct growth *g, u64 end)
{
	struct ext4_sb *sbi = g->sbi;
	u32 group = sbi->nr_groups - 1, old = ext4_group_blocks(sbi, group);
	u32 more = (u32)(end - sbi->nr_blocks);
	struct ext4_desc *d;
	struct ext4_buf *db, *b;
	struct ext4_handle h;
	int err = ext4_begin(sbi, &h, STEP_CREDITS);

	if (err)
		return err;
	d = ext4_desc(sbi, group, &db);
	lock_groups(sbi);
	b = ext4_read_block_bitmap(sbi, group);
	err = IS_ERR(b) ? (int)PTR_ERR(b) : ext4_write_access(&h, b);
	if (!err)
		err = ext4_write_access(&h, db)
			      ?: ext4_write_access(&h, sbi->super_buf);
	if (!err) {
		d->flags &= (u16)~EXT4_BG_BLOCK_UNINIT;
		for (u32 i = old; i < old + more; i++)
			clear_bit(i, b->data);
		ext4_desc_set_free_blocks(sbi, d,
					  ext4_desc_free_blocks(sbi, d) + more);
		sbi->group[group].max_run = sbi->blocks_per_group;
		sbi->group[group].trimmed = 0;
		grown(g, end, more, more);
		ext4_dirty(&h, b);
		ext4_dirty(&h, db);
		ext4_dirty(&h, sbi->super_buf);
	}
	unlock_groups(sbi);
	if (!IS_ERR(b))
		ext4_buf_put(b);
	ext4_end(&h);
	return err;
}

static void set_tables(struct ext4_sb *sbi, struct ext4_desc *d, u64 at)
{
	d->block_bitmap_lo = (u32)at;
	d->inode_bitmap_lo = (u32)(at + 1);
	d->inode_table_lo = (u32)(at + 2);
	if (sbi->desc_size >= sizeof(*d)) {
		d->block_bitmap_hi = (u32)(at >> 32);
		d->inode_bitmap_hi = (u32)((at + 1) >> 32);
		d->inode_table_hi = (u32)((at + 2) >> 32);
	}
	d->flags = EXT4_BG_BLOCK_UNINIT | EXT4_BG_INODE_UNINIT |
		   EXT4_BG_INODE_ZEROED;
	ext4_desc_set_free_inodes(sbi, d, sbi->inodes_per_group);
	ext4_desc_set_itable_unused(sbi, d, sbi->inodes_per_group);
}

/* All group locks are held.  Its own tables are its first @own blocks. */
static void publish(struct growth *g, u32 group, u64 end, u32 own)
{
	struct ext4_sb *sbi = g->sbi;
	u64 start = ext4_group_start(sbi, group);
	u32 len = (u32)(end - start);
	u8 *descs = sbi->desc_buf[group / sbi->descs_per_block]->data;
	struct ext4_desc *d =
		(void *)(descs + group % sbi->descs_per_block * sbi->desc_size);

	memset(d, 0, sbi->desc_size);
	set_tables(sbi, d, start + own - sbi->itable_blocks - 2);
	ext4_desc_set_free_blocks(sbi, d, len - own);
	sbi->group[group] =
		(struct ext4_group){ .max_run = sbi->blocks_per_group };
	sbi->zone[sbi->nr_zones] = (struct ext4_zone){ start, start + own };
	store_once(&sbi->nr_zones, sbi->nr_zones + 1);
	grown(g, end, len, len - own);
	sbi->overhead += own;
	if (sbi->es->overhead_clusters)
		sbi->es->overhead_clusters += own;
	sbi->es->inodes_count += sbi->inodes_per_group;
	atomic_add_relaxed(&sbi->free_inodes, (u64)sbi->inodes_per_group);
	store_once(&sbi->nr_groups, group + 1);
	store_once(&sbi->nr_inodes, sbi->es->inodes_count);
}

/* The last group's block bitmap is never left unmade. */
static int make_bitmap(struct ext4_handle *h, u32 group)
{
	struct ext4_sb *sbi = h->sbi;
	struct ext4_desc *d = ext4_desc(sbi, group, NULL);
	struct ext4_buf *b = ext4_read_block_bitmap(sbi, group);
	int err = IS_ERR(b) ? (int)PTR_ERR(b) : ext4_write_access(h, b);

	if (!err) {
		d->flags &= (u16)~EXT4_BG_BLOCK_UNINIT;
		ext4_dirty(h, b);
	}
	if (!IS_ERR(b))
		ext4_buf_put(b);
	return err;
}

static int add_in(struct growth *g, struct ext4_handle *h, u64 end, u32 own)
{
	struct ext4_sb *sbi = g->sbi;
	u32 group = sbi->nr_groups, i = group / sbi->descs_per_block;
	int err = 0;

	if (i == sbi->nr_desc_blocks)
		err = new_desc_block(g, h);
	if (!err && g->reserve && ext4_group_has_super(sbi, group))
		err = reserve_copies(g, h, group);
	if (!err)
		err = ext4_write_access(h, sbi->desc_buf[i])
			      ?: ext4_write_access(h, sbi->super_buf);
	if (err)
		return err;
	lock_groups(sbi);
	publish(g, group, end, own);
	err = make_bitmap(h, group);
	unlock_groups(sbi);
	ext4_dirty(h, sbi->desc_buf[i]);
	ext4_dirty(h, sbi->super_buf);
	return err;
}

/* One group more, up to @end. */
static int add_group(struct growth *g, u64 end)
{
	struct ext4_sb *sbi = g->sbi;
	u32 group = sbi->nr_groups, base = ext4_group_base_blocks(sbi, group);
	u32 own = base + 2 + sbi->itable_blocks, credits = STEP_CREDITS;
	u32 reserved = sbi->es->reserved_gdt_blocks;
	u64 start = ext4_group_start(sbi, group);
	struct ext4_handle h;
	int err;

	if (base && g->reserve)
		credits += reserved;
	if (sbi->journal &&
	    ext4_txn_need(sbi->journal, credits, 0) > sbi->journal->max_need)
		return -ENOSPC;
	err = base ? zero_blocks(sbi, start + base - reserved, reserved) : 0;
	if (!err)
		err = zero_blocks(sbi, start + own - sbi->itable_blocks,
				  sbi->itable_blocks);
	if (!err)
		err = ext4_begin(sbi, &h, credits);
	if (err)
		return err;
	err = add_in(g, &h, end, own);
	ext4_end(&h);
	return err;
}

/* --- a step, and the way home of what it changed */

/* Nobody else has a handle, and the log is empty and stays on the disk. */
static int begin_step(struct ext4_sb *sbi)
{
	int err = 0;

	down_write(&sbi->barrier);
	if (atomic_cmpxchg(&sbi->frozen, EXT4_THAWED, EXT4_FROZEN) !=
	    EXT4_THAWED)
		err = -EBUSY;
	else
		store_once(&sbi->resizer, current);
	up_write(&sbi->barrier);
	if (err || !sbi->journal)
		return err;
	err = ext4_checkpoint_all(sbi->journal, true);
	mutex_lock(&sbi->journal->cp_lock);
	return err ? -EIO : 0;
}

static int end_step(struct ext4_sb *sbi, int err)
{
	struct ext4_journal *j = sbi->journal;

	if (j) {
		if (!err)
			err = ext4_commit_running(sbi);
		for (u32 i = 0; i < sbi->nr_desc_blocks && !err; i++)
			err = ext4_io(sbi, BIO_WRITE, 0, sbi->desc_buf[i]->blk,
				      sbi->desc_buf[i]->data, 1);
		if (!err)
			err = ext4_flush_device(sbi);
		mutex_unlock(&j->cp_lock);
	}
	store_once(&sbi->resizer, NULL);
	store_once(&sbi->frozen, EXT4_THAWED);
	wake_up_all(&sbi->buf_wait);
	return err;
}

static int step(struct growth *g, u64 end, int (*fn)(struct growth *g, u64 end))
{
	int err = begin_step(g->sbi);

	if (err == -EBUSY)
		return err;
	if (!err)
		err = fn(g, end);
	return end_step(g->sbi, err);
}

/* --- the call */

static int grow(struct growth *g, u64 end)
{
	struct ext4_sb *sbi = g->sbi;
	u32 bpg = sbi->blocks_per_group, groups;
	u64 last;
	int err = 0;

	groups = (u32)DIV_ROUND_UP(end - sbi->first_block, (u64)bpg);
	err = make_room(sbi, groups,
			max(DIV_ROUND_UP(groups, sbi->descs_per_block),
			    sbi->nr_desc_blocks));
	last = ext4_group_start(sbi, sbi->nr_groups);
	if (!err && sbi->nr_blocks < last)
		err = step(g, min(last, end), extend_last);
	while (!err && sbi->nr_blocks < end && sbi->nr_groups < groups) {
		u32 own = ext4_group_base_blocks(sbi, sbi->nr_groups) + 2 +
			  sbi->itable_blocks;
		u64 start = sbi->nr_blocks, to = min(end, start + bpg);

		if (to - start < own + LEAST_FREE)
			break; /* as Linux: not worth it */
		err = step(g, to, add_group);
		cond_resched();
	}
	return err;
}

static int may_grow(struct ext4_sb *sbi, u64 end)
{
	u64 have = sbi->bdev->nr_sectors >> (sbi->block_bits - SECTOR_SHIFT);

	if (end < sbi->nr_blocks)
		return -EINVAL;
	if (sbi->has_meta_bg || sbi->has_sparse2 ||
	    !(sbi->has_csum || sbi->has_gdt_csum) || end >> 32)
		return -EOPNOTSUPP;
	if (sbi->es->state & EXT4_ERROR_FS)
		return -EPERM;
	return end > have ? -ENOSPC : 0;
}

static int resize(struct ext4_sb *sbi, u64 end)
{
	struct growth g = { .sbi = sbi, .per_block = sbi->block_size / 4 };
	u64 before = sbi->nr_blocks;
	int err;

	g.percent = sbi->r_blocks * 100 / sbi->nr_blocks;
	err = open_reserve(&g);
	if (!err)
		err = grow(&g, end);
	close_reserve(&g);
	if (sbi->nr_blocks > before) {
		int err2 = ext4_sync_fs(sbi->vfs, true);

		if (!err2)
			update_copies(sbi);
		err = err ? err : err2;
		pr_info("ext4: %s: %llu blocks now, %llu before",
			sbi->bdev->name, (unsigned long long)sbi->nr_blocks,
			(unsigned long long)before);
	}
	return err;
}

int ext4_resize(struct ext4_sb *sbi, u64 end)
{
	int err;

	if (sbi->vfs->flags & MS_RDONLY)
		return -EROFS;
	if (atomic_xchg(&sbi->resizing, 1u))
		return -EBUSY;
	err = may_grow(sbi, end);
	if (!err && end > sbi->nr_blocks)
		err = resize(sbi, end);
	store_once(&sbi->resizing, 0u);
	return err;
}
