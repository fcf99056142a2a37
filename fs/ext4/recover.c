/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/recover.c - replay what is committed in the log but not yet at home.
 *
 * Four walks over the log: SCAN finds where the last whole transaction ends,
 * REVOKE collects the revoke records, VERIFY looks at every block that is
 * going to be written, REPLAY writes them home.  Nothing has been written
 * when an error is found before REPLAY.
 *
 * The log ends at the first block that does not belong: another magic number
 * or another transaction than the expected one.  A commit block with a wrong
 * checksum ends it, too; whether that is a stale block or a damaged journal
 * is told as on Linux, by the time in the commit blocks: it does not run
 * backwards within one life of the log.
 *
 * Context: mount, alone on the volume, with no buffer of it in use.
 */
#include <fs/ext4/journal.h>

#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <lib/crc.h>

#define WINDOW_BYTES (64u << 10)

enum pass {
	SCAN,
	REVOKE,
	VERIFY,
	REPLAY,
};

struct recovery {
	struct ext4_journal *j;
	enum pass pass;
	u8 *window; /* log blocks [win_log, win_log + win_nr) */
	u32 win_log, win_nr;
	u32 log;     /* block to look at next */
	u32 walked;  /* blocks of this pass: bounds a corrupt log */
	u32 tid;     /* expected */
	u32 end_tid; /* found by SCAN: this one is not replayed any more */
	bool end_known, damaged;
	bool doubtful; /* a checksum was wrong since the last commit block */
	u64 last_time;
	u32 crc; /* COMPAT_CHECKSUM of the blocks since the last commit */
	struct ext4_revoke_table *revokes;
	u32 nr_replayed, nr_revoked;
};

enum step {
	GO_ON,
	LOG_ENDS,
};

static void move_on(struct recovery *r, u32 nr)
{
	r->log = ext4_log_next(r->j, r->log, nr);
	r->walked += nr;
}

/* Log block @log in the window, which is read anew if need be. */
static u8 *look_at(struct recovery *r, u32 log, int *err)
{
	struct ext4_journal *j = r->j;
	u32 nr = WINDOW_BYTES >> j->sbi->block_bits;

	if (log - r->win_log >= r->win_nr) {
		nr = min(nr, j->end - log);
		r->win_nr = 0;
		*err = ext4_log_io(j, BIO_READ, log, r->window, nr);
		if (*err)
			return NULL;
		r->win_log = log;
		r->win_nr = nr;
	}
	*err = 0;
	return r->window + ((size_t)(log - r->win_log) << j->sbi->block_bits);
}

/* --- tags of a descriptor block */

struct tags {
	const u8 *at, *end;
	bool last;
	u64 blk;
	u32 flags;
	u32 csum;
};

static void tags_begin(const struct ext4_journal *j, const u8 *block,
		       struct tags *t)
{
	t->at = block + sizeof(struct jbd_head);
	t->end = block + j->sbi->block_size - j->tail_bytes;
	t->last = false;
}

static bool tags_next(const struct ext4_journal *j, struct tags *t)
{
	const struct jbd_tag3 *t3 = (const void *)t->at;
	const struct jbd_tag *t2 = (const void *)t->at;

	if (t->last || t->at + j->tag_bytes > t->end)
		return false;
	t->blk = be32_get(t2->blk);
	if (j->csum_v3) {
		t->flags = be32_get(t3->flags);
		t->csum = be32_get(t3->csum);
		if (j->is_64bit)
			t->blk |= (u64)be32_get(t3->blk_hi) << 32;
	} else {
		t->flags = be16_get(t2->flags);
		t->csum = be16_get(t2->csum);
		if (j->is_64bit)
			t->blk |= (u64)be32_get(t2->blk_hi) << 32;
	}
	t->at += j->tag_bytes;
	if (!(t->flags & JBD_SAME_UUID))
		t->at += JBD_UUID_SIZE;
	t->last = t->flags & JBD_LAST_TAG;
	return true;
}

static u32 count_tags(const struct ext4_journal *j, const u8 *block)
{
	struct tags t;
	u32 n = 0;

	tags_begin(j, block, &t);
	while (tags_next(j, &t))
		n++;
	return n;
}

static bool tail_ok(const struct ext4_journal *j, const u8 *block)
{
	const struct jbd_tail *t;

	if (!j->tail_bytes)
		return true;
	t = (const void *)(block + j->sbi->block_size - sizeof(*t));
	return be32_get(t->csum) == ext4_log_tail_csum(j, block);
}

static bool data_ok(const struct ext4_journal *j, u32 tid, const u8 *data,
		    u32 want)
{
	if (!j->csum_v2 && !j->csum_v3)
		return true;
	if (j->csum_v3)
		return ext4_log_data_csum(j, tid, data) == want;
	return (u16)ext4_log_data_csum(j, tid, data) == want;
}

/* --- what each kind of block means in each pass */

static int write_home(struct recovery *r, u64 blk, u8 *data, u32 flags)
{
	struct ext4_sb *sbi = r->j->sbi;
	struct be32 magic = be32_of(JBD_MAGIC);

	if (flags & JBD_ESCAPED)
		memcpy(data, &magic, sizeof(magic));
	r->nr_replayed++;
	return ext4_io(sbi, BIO_WRITE, 0, blk, data, 1);
}

/* One described block, in passes VERIFY and REPLAY. */
static int described(struct recovery *r, const struct tags *t)
{
	struct ext4_sb *sbi = r->j->sbi;
	u8 *data;
	int err;

	if (ext4_is_revoked(r->revokes, t->blk, r->tid)) {
		r->nr_revoked += r->pass == REPLAY;
		return 0;
	}
	data = look_at(r, r->log, &err);
	if (err)
		return err;
	if (r->pass == REPLAY)
		return write_home(r, t->blk, data, t->flags);
	/* the volume may have grown in this log (resize.c) */
	if (t->blk >= sbi->bdev->nr_sectors >>
	    (sbi->block_bits - SECTOR_SHIFT)) {
		pr_err("ext4: %s: journal: block %llu is beyond the end",
		       sbi->bdev->name, (unsigned long long)t->blk);
		return -EFSCORRUPTED;
	}
	if (!data_ok(r->j, r->tid, data, t->csum)) {
		pr_err("ext4: %s: journal: copy of block %llu: wrong checksum",
		       sbi->bdev->name, (unsigned long long)t->blk);
		return -EFSBADCRC;
	}
	return 0;
}

/* COMPAT_CHECKSUM: over the descriptor block and what it describes. */
static int add_crc(struct recovery *r, u32 nr)
{
	u8 *p;
	int err;

	while (nr--) {
		p = look_at(r, r->log, &err);
		if (err)
			return err;
		r->crc = crc32_be(r->crc, p, r->j->sbi->block_size);
		move_on(r, 1);
	}
	return 0;
}

static int descriptor(struct recovery *r, const u8 *block, enum step *step)
{
	struct ext4_journal *j = r->j;
	u32 nr = count_tags(j, block);
	struct tags t;
	u8 *copy;
	int err = 0;

	if (!tail_ok(j, block)) {
		/* In SCAN it may be a stale block of an earlier life. */
		if (r->pass != SCAN)
			return -EFSBADCRC;
		r->doubtful = true;
	}
	if (nr >= j->end - j->first) {
		*step = LOG_ENDS;
		return 0;
	}
	if (r->pass == SCAN && j->csum_v1 && !r->end_known) {
		r->crc = crc32_be(r->crc, block, j->sbi->block_size);
		move_on(r, 1);
		return add_crc(r, nr);
	}
	move_on(r, 1);
	if (r->pass < VERIFY) {
		move_on(r, nr);
		return 0;
	}
	/* Reading the described blocks moves the window. */
	copy = kmemdup(block, j->sbi->block_size);
	if (!copy)
		return -ENOMEM;
	tags_begin(j, copy, &t);
	while (!err && tags_next(j, &t)) {
		err = described(r, &t);
		move_on(r, 1);
	}
	kfree(copy);
	return err;
}

static int revoke_block(struct recovery *r, const u8 *block)
{
	const struct jbd_revoke *h = (const void *)block;
	struct ext4_journal *j = r->j;
	u32 size = j->is_64bit ? 8 : 4, at = (u32)sizeof(*h);
	u32 end = be32_get(h->bytes);
	int err = 0;

	move_on(r, 1);
	if (!tail_ok(j, block)) {
		if (r->pass != SCAN)
			return -EFSBADCRC;
		r->doubtful = true;
	}
	if (r->pass != REVOKE)
		return 0;
	if (end > j->sbi->block_size - j->tail_bytes)
		return -EFSCORRUPTED;
	for (; at + size <= end && !err; at += size) {
		const void *p = block + at;
		u64 blk = j->is_64bit ? be64_get(*(const struct be64 *)p)
				      : be32_get(*(const struct be32 *)p);

		err = ext4_revoke_add(r->revokes, blk, r->tid);
	}
	return err;
}

/*
 * Only the first bytes of a commit block mean something, and a sector is
 * written as a whole: what lies in the other sectors may be old.  The sum as
 * if they were zeroes, as they were in the writer's memory.
 */
static u32 commit_csum_of_head(const struct ext4_journal *j, const u8 *block)
{
	static const u8 zeroes[64];
	u32 at = offsetof(struct jbd_commit, csum), c, n;

	c = crc32c(j->seed, block, at);
	c = crc32c(c, zeroes, 4);
	c = crc32c(c, block + at + 4, sizeof(struct jbd_commit) - at - 4);
	for (n = j->sbi->block_size - (u32)sizeof(struct jbd_commit); n;) {
		u32 k = min(n, (u32)sizeof(zeroes));

		c = crc32c(c, zeroes, k);
		n -= k;
	}
	return c;
}

static bool commit_ok(struct recovery *r, const u8 *block)
{
	const struct jbd_commit *c = (const void *)block;
	struct ext4_journal *j = r->j;
	u32 want = be32_get(c->csum[0]);

	if (j->csum_v1) {
		if (c->csum_type == JBD_CSUM_CRC32 && c->csum_size == 4)
			return want == r->crc;
		return !c->csum_type && !c->csum_size && !want;
	}
	if (!j->csum_v2 && !j->csum_v3)
		return true;
	return ext4_log_commit_csum(j, block) == want ||
	       commit_csum_of_head(j, block) == want;
}

static bool has_async(const struct ext4_journal *j)
{
	return be32_get(j->super->head.type) == JBD_SUPER_V2 &&
	       (be32_get(j->super->incompat) & JBD_INCOMPAT_ASYNC_COMMIT);
}

static void log_ends_at(struct recovery *r, u32 tid, bool damaged)
{
	if (!r->end_known) {
		r->end_known = true;
		r->end_tid = tid;
	}
	r->damaged |= damaged;
}

static int scan_commit(struct recovery *r, const u8 *block, enum step *step)
{
	const struct jbd_commit *c = (const void *)block;
	u64 time = be64_get(c->sec);
	bool older = time < r->last_time;

	*step = LOG_ENDS;
	if (r->doubtful) {
		/* Stale blocks, or a descriptor that was damaged later? */
		if (older)
			return 0;
		pr_err("ext4: %s: journal: wrong checksum in transaction %u",
		       r->j->sbi->bdev->name, r->tid);
		return -EFSBADCRC;
	}
	if (r->end_known) {
		/* A whole one behind a broken one: not a crash. */
		r->damaged = true;
		return 0;
	}
	if (!commit_ok(r, block)) {
		if (older)
			return 0;
		log_ends_at(r, r->tid, !has_async(r->j));
		if (!has_async(r->j))
			return 0;
	}
	*step = GO_ON;
	r->crc = ~0u;
	r->last_time = time;
	r->tid++;
	move_on(r, 1);
	return 0;
}

static int block_at(struct recovery *r, const u8 *block, enum step *step)
{
	const struct jbd_head *h = (const void *)block;

	*step = GO_ON;
	if (be32_get(h->magic) != JBD_MAGIC || be32_get(h->seq) != r->tid) {
		*step = LOG_ENDS;
		return 0;
	}
	switch (be32_get(h->type)) {
	case JBD_DESCRIPTOR:
		return descriptor(r, block, step);
	case JBD_REVOKE:
		return revoke_block(r, block);
	case JBD_COMMIT:
		if (r->pass == SCAN)
			return scan_commit(r, block, step);
		r->tid++;
		move_on(r, 1);
		return 0;
	default:
		*step = LOG_ENDS;
		return 0;
	}
}

static int walk(struct recovery *r, enum pass pass)
{
	struct ext4_journal *j = r->j;
	enum step step = GO_ON;
	int err = 0;

	r->pass = pass;
	r->log = be32_get(j->super->start);
	r->tid = be32_get(j->super->seq);
	r->walked = 0;
	r->crc = ~0u;
	while (!err && step == GO_ON && r->walked < j->end - j->first) {
		u8 *block;

		if (pass != SCAN && tid_reached(r->tid, r->end_tid))
			break;
		block = look_at(r, r->log, &err);
		if (block)
			err = block_at(r, block, &step);
		cond_resched();
	}
	if (err)
		return err;
	if (pass == SCAN)
		log_ends_at(r, r->tid, false);
	else if (r->tid != r->end_tid)
		return -EIO; /* it reads differently now */
	return 0;
}

static int replay(struct recovery *r)
{
	enum pass pass;
	int err = 0;

	for (pass = SCAN; pass <= REPLAY && !err; pass++)
		err = walk(r, pass);
	if (!err)
		err = ext4_flush_device(r->j->sbi);
	if (err)
		return err;
	pr_info("ext4: %s: journal replayed: %u transactions, %u blocks, %u revoked",
		r->j->sbi->bdev->name, r->end_tid - be32_get(r->j->super->seq),
		r->nr_replayed, r->nr_revoked);
	if (!r->damaged)
		return 0;
	pr_err("ext4: %s: journal: transaction %u is damaged",
	       r->j->sbi->bdev->name, r->end_tid);
	return -EFSCORRUPTED;
}

static int recover(struct ext4_journal *j, bool skip)
{
	struct recovery r = { .j = j };
	int err = -ENOMEM;

	r.window = alloc_pages_exact(WINDOW_BYTES, 0);
	r.revokes = ext4_revoke_table_new(j->end / 8);
	if (r.window && r.revokes)
		err = skip ? walk(&r, SCAN) : replay(&r);
	/* The next transaction has a number that is nowhere in the log. */
	if (!err)
		err = ext4_journal_set_tail(j, j->first, r.end_tid + 1,
					    TAIL_EMPTY);
	ext4_revoke_table_free(r.revokes);
	if (r.window)
		free_pages_exact(r.window, WINDOW_BYTES);
	return err;
}

/* Afterwards the log is empty, and whatever was read of the volume is old. */
int ext4_journal_recover(struct ext4_journal *j)
{
	int err = recover(j, false);

	if (err)
		pr_err("ext4: %s: cannot replay the journal: %d: run e2fsck",
		       j->sbi->bdev->name, err);
	return err;
}

int ext4_journal_skip(struct ext4_journal *j)
{
	return recover(j, true);
}
