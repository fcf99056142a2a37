/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/commit.c - bring the running transaction to the medium.
 *
 * With all handles out for a moment the transaction is closed and as many of
 * its blocks as the pool holds are copied; then new handles may come.  What
 * was not copied yet keeps BUF_COM until it is, and who wants to change such a
 * buffer waits.  Copies go to the log with descriptors and revoke records;
 * when they, and the file data that they point to, are on the medium, the
 * commit block follows.
 *
 * Who calls fsync() commits in his own thread.  Those who come meanwhile wait
 * for commit_lock, and the first of them commits the changes of all.
 *
 * INVARIANTS  J1 to J4 of journal.h.
 *
 * ORDERING
 *   The end of TXDATA (handle.c) is here.
 *
 * Locking: commit_lock over a whole commit.  No memory is asked for but for
 * requests, which wait for theirs.
 */
#include <fs/ext4/journal.h>

#include <fs/ext4/io.h>
#include <lib/atomic.h>

struct commit {
	struct ext4_journal *j;
	struct ext4_txn *t;
	u32 log;  /* log block of the pool's first */
	u32 used; /* pool blocks */
	u8 *desc; /* open descriptor block in the pool, or NULL */
	u8 *tag;  /* where its next tag goes */
	u8 *last; /* its last tag */
	u64 sec;
};

static u8 *next_slot(struct commit *c)
{
	KASSERT(c->used < c->j->pool_blocks);
	return c->j->pool + ((size_t)c->used++ << c->j->sbi->block_bits);
}

/* --- descriptor blocks */

static u32 tag_flags(const struct ext4_journal *j, const u8 *tag)
{
	if (j->csum_v3)
		return be32_get(((const struct jbd_tag3 *)tag)->flags);
	return be16_get(((const struct jbd_tag *)tag)->flags);
}

static void set_tag_flags(const struct ext4_journal *j, u8 *tag, u32 flags)
{
	if (j->csum_v3)
		((struct jbd_tag3 *)tag)->flags = be32_of(flags);
	else
		((struct jbd_tag *)tag)->flags = be16_of((u16)flags);
}

static void open_desc(struct commit *c)
{
	c->desc = next_slot(c);
	memset(c->desc, 0, c->j->sbi->block_size);
	ext4_log_head(c->desc, JBD_DESCRIPTOR, c->t->tid);
	c->tag = c->desc + sizeof(struct jbd_head);
	c->last = NULL;
}

static void set_tail_csum(struct commit *c, u8 *block)
{
	struct jbd_tail *t;

	if (!c->j->tail_bytes)
		return;
	t = (void *)(block + c->j->sbi->block_size - sizeof(*t));
	t->csum = be32_of(ext4_log_tail_csum(c->j, block));
}

static void close_desc(struct commit *c)
{
	if (!c->desc)
		return;
	set_tag_flags(c->j, c->last, tag_flags(c->j, c->last) | JBD_LAST_TAG);
	set_tail_csum(c, c->desc);
	c->desc = NULL;
}

/* The block @copy of the log is volume block @blk. */
static void add_tag(struct commit *c, u64 blk, const u8 *copy, u32 flags)
{
	struct ext4_journal *j = c->j;
	struct jbd_tag3 *t3 = (void *)c->tag;
	struct jbd_tag *t2 = (void *)c->tag;

	if (c->last)
		flags |= JBD_SAME_UUID;
	t2->blk = be32_of((u32)blk);
	if (j->csum_v3) {
		t3->blk_hi = be32_of((u32)(blk >> 32));
		t3->csum = be32_of(ext4_log_data_csum(j, c->t->tid, copy));
	} else if (j->is_64bit) {
		t2->blk_hi = be32_of((u32)(blk >> 32));
	}
	set_tag_flags(j, c->tag, flags);
	c->last = c->tag;
	c->tag += j->tag_bytes;
	if (!(flags & JBD_SAME_UUID)) {
		memcpy(c->tag, j->super->uuid, JBD_UUID_SIZE);
		c->tag += JBD_UUID_SIZE;
	}
}

/* --- filling the pool */

static void copy_buf(struct commit *c, struct ext4_buf *b)
{
	u8 *copy = next_slot(c);
	struct be32 magic = be32_of(JBD_MAGIC);
	u32 flags = 0;

	if (load_once(&b->flags) & BUF_STALE)
		ext4_buf_csum_set(c->j->sbi, b);
	memcpy(copy, b->data, c->j->sbi->block_size);
	if (!memcmp(copy, &magic, sizeof(magic))) {
		memset(copy, 0, sizeof(magic));
		flags = JBD_ESCAPED;
	}
	add_tag(c, b->blk, copy, flags);
}

/* As many of the rest as there is room for.  True: that was all. */
static bool fill(struct commit *c)
{
	struct ext4_sb *sbi = c->j->sbi;
	struct ext4_txn *t = c->t;

	while (!list_empty(&t->todo)) {
		struct ext4_buf *b =
			list_first_entry(&t->todo, struct ext4_buf, com);

		if (c->used + (c->desc ? 1 : 2) > c->j->pool_blocks)
			break;
		if (!c->desc)
			open_desc(c);
		copy_buf(c, b);
		spin_lock(&sbi->buf_lock);
		list_move_tail(&b->com, &t->done);
		atomic_fetch_and(&b->flags, (u32)~BUF_COM);
		spin_unlock(&sbi->buf_lock);
	}
	close_desc(c);
	wake_up_all(&sbi->buf_wait);
	return list_empty(&t->todo);
}

static int write_pool(struct commit *c)
{
	int err = 0;

	if (c->used)
		err = ext4_log_io(c->j, BIO_WRITE, c->log, c->j->pool, c->used);
	c->log = ext4_log_next(c->j, c->log, c->used);
	c->used = 0;
	return err;
}

static int put_revoke_block(struct commit *c, struct ext4_revokes **at, u32 *i)
{
	struct ext4_journal *j = c->j;
	u32 size = j->is_64bit ? 8 : 4, off = sizeof(struct jbd_revoke);
	u32 n = j->revokes_per_block;
	struct jbd_revoke *h;
	u8 *block;
	int err = c->used == j->pool_blocks ? write_pool(c) : 0;

	block = next_slot(c);
	memset(block, 0, j->sbi->block_size);
	ext4_log_head(block, JBD_REVOKE, c->t->tid);
	for (; n && &(*at)->node != &c->t->revokes; n--, off += size) {
		u64 blk = (*at)->blk[(*i)++];

		if (j->is_64bit)
			*(struct be64 *)(block + off) = be64_of(blk);
		else
			*(struct be32 *)(block + off) = be32_of((u32)blk);
		if (*i == (*at)->nr) {
			*at = list_next_entry(*at, node);
			*i = 0;
		}
	}
	h = (void *)block;
	h->bytes = be32_of(off);
	set_tail_csum(c, block);
	return err;
}

/* The transaction is closed: its list stands still. */
static int put_revokes(struct commit *c)
{
	struct ext4_revokes *at =
		list_first_entry(&c->t->revokes, struct ext4_revokes, node);
	u32 i = 0;
	int err = 0;

	while (!err && &at->node != &c->t->revokes)
		err = put_revoke_block(c, &at, &i);
	return err;
}

/* --- closing a transaction, with every handle out */

/* Sums of bitmaps lie in descriptors: make them before those are copied. */
static void bitmap_sums(struct ext4_sb *sbi, struct ext4_txn *t)
{
	struct ext4_buf *b;

	list_for_each_entry(b, &t->todo, com) {
		if ((b->kind == EXT4_KIND_BLOCK_MAP ||
		     b->kind == EXT4_KIND_INODE_MAP) &&
		    (load_once(&b->flags) & BUF_STALE))
			ext4_buf_csum_set(sbi, b);
	}
}

/* buf_lock is held. */
static void sort_out(struct ext4_txn *t)
{
	struct ext4_buf *b, *tmp;

	list_for_each_entry_safe(b, tmp, &t->bufs, run) {
		u32 flags = load_once(&b->flags);

		list_del(&b->run);
		atomic_fetch_and(&b->flags, (u32) ~(BUF_RUN | BUF_MOD));
		if (flags & BUF_MOD) { /* even if it was freed: somebody came */
			atomic_fetch_and(&b->flags, (u32)~BUF_FREED);
			atomic_fetch_or(&b->flags, (u32)BUF_COM);
			list_add_tail(&b->com, &t->todo);
		} else if (flags & BUF_FREED) {
			list_add_tail(&b->com, &t->done);
		} else {
			ext4_buf_unref_locked(b);
		}
	}
}

static bool is_void(const struct ext4_txn *t)
{
	return list_empty(&t->todo) && list_empty(&t->done) &&
	       list_empty(&t->revokes) && list_empty(&t->freed);
}

/* The running transaction, closed; NULL: none, or nothing was changed. */
static struct ext4_txn *close_txn(struct ext4_journal *j)
{
	struct ext4_sb *sbi = j->sbi;
	struct ext4_txn *t;
	u32 need;

	spin_lock(&sbi->buf_lock);
	t = j->running;
	if (t) {
		KASSERT(!t->reserved && !j->committing);
		j->running = NULL;
		sort_out(t);
		if (is_void(t)) {
			j->next_tid = t->tid; /* no gaps in the log */
		} else {
			need = ext4_txn_need(j, t->nr_bufs, t->nr_revokes);
			KASSERT(need <= j->free); /* J2 */
			j->free -= need;
			t->start = j->head;
			j->committing = t;
		}
	}
	spin_unlock(&sbi->buf_lock);
	if (t && is_void(t)) {
		ext4_txn_free(t);
		t = NULL;
	}
	return t;
}

/* --- the end */

/* J3: the block was freed, so its buffer holds nothing any more. */
static void throw_away(struct ext4_journal *j, struct ext4_buf *b)
{
	struct ext4_sb *sbi = j->sbi;
	u32 gone = BUF_FREED;

	/* Its last state may be on its way home. */
	wait_event(&sbi->buf_wait,
		   !(load_once(&b->flags) & (BUF_WRITING | BUF_READING)));
	spin_lock(&sbi->buf_lock);
	list_del(&b->com);
	if (list_is_linked(&b->cp)) {
		list_del(&b->cp);
		j->nr_cp--;
		ext4_buf_unref_locked(b);
	}
	if (!(load_once(&b->flags) & BUF_RUN)) {
		gone |= BUF_UPTODATE | BUF_VERIFIED | BUF_CHECKED | BUF_STALE;
		b->kind = EXT4_KIND_NONE;
	}
	atomic_fetch_and(&b->flags, ~gone);
	ext4_buf_unref_locked(b);
	spin_unlock(&sbi->buf_lock);
}

/* A newer copy is in the log: older transactions need not care for it. */
static void await_checkpoint(struct ext4_journal *j, struct ext4_buf *b)
{
	struct ext4_sb *sbi = j->sbi;

	spin_lock(&sbi->buf_lock);
	list_del(&b->com);
	if (list_is_linked(&b->cp)) {
		ext4_buf_unref_locked(b); /* ours becomes the list's */
		list_del(&b->cp);
	} else {
		j->nr_cp++;
	}
	list_add_tail(&b->cp, &j->committing->cp);
	spin_unlock(&sbi->buf_lock);
}

static void finish(struct commit *c)
{
	struct ext4_journal *j = c->j;
	struct ext4_sb *sbi = j->sbi;
	struct ext4_txn *t = c->t;
	u32 need = ext4_txn_need(j, t->nr_bufs, t->nr_revokes);
	struct ext4_buf *b, *tmp;
	u32 taken;

	list_for_each_entry_safe(b, tmp, &t->done, com) {
		if (load_once(&b->flags) & BUF_FREED)
			throw_away(j, b);
		else
			await_checkpoint(j, b);
	}
	ext4_release_freed(sbi, &t->freed);
	taken = c->log >= t->start ? c->log - t->start
				   : c->log - t->start + (j->end - j->first);
	KASSERT(taken <= need);
	spin_lock(&sbi->buf_lock);
	j->free += need - taken;
	j->head = c->log;
	j->committing = NULL;
	list_add_tail(&t->node, &j->cps);
	store_once(&j->committed, t->tid);
	spin_unlock(&sbi->buf_lock);
	wake_up_all(&sbi->flusher_wait);
}

static int write_commit_block(struct commit *c)
{
	struct jbd_commit *block = (void *)next_slot(c);
	u64 now = clock_real_ns();
	int err;

	/* Time does not run backwards in the log, see recover.c. */
	c->j->last_commit_ns = max(c->j->last_commit_ns, now);
	now = c->j->last_commit_ns;
	memset(block, 0, c->j->sbi->block_size);
	ext4_log_head(block, JBD_COMMIT, c->t->tid);
	block->sec = be64_of(now / NSEC_PER_SEC);
	block->nsec = be32_of((u32)(now % NSEC_PER_SEC));
	if (c->j->csum_v2 || c->j->csum_v3)
		block->csum[0] = be32_of(ext4_log_commit_csum(c->j, block));
	err = ext4_log_write_fua(c->j, c->log, block);
	c->log = ext4_log_next(c->j, c->log, 1);
	c->used = 0;
	return err;
}

static bool data_is_done(const struct ext4_txn *t)
{
	/* TXDATA (acquire) - pairs with ext4_data_done(). */
	return !load_acquire(&t->data);
}

/* From the first full pool on. */
static int write_txn(struct commit *c)
{
	struct ext4_sb *sbi = c->j->sbi;
	int err = 0;

	if (c->j->empty)
		err = ext4_journal_set_tail(c->j, c->t->start, c->t->tid,
					    TAIL_BEGINS);
	while (!err && !list_empty(&c->t->todo)) {
		err = write_pool(c);
		if (!err)
			(void)fill(c);
	}
	if (!err)
		err = put_revokes(c);
	if (!err)
		err = write_pool(c);
	if (err)
		return err;
	wait_event(&sbi->buf_wait, data_is_done(c->t));
	err = ext4_flush_device(sbi);
	return err ? err : write_commit_block(c);
}

/* commit_lock is held. */
static int commit_running(struct ext4_journal *j)
{
	struct ext4_sb *sbi = j->sbi;
	struct commit c = { .j = j, .log = j->head };
	int err;

	down_write(&sbi->barrier);
	if (load_once(&sbi->aborted)) {
		up_write(&sbi->barrier);
		return -EIO;
	}
	c.t = close_txn(j);
	if (c.t) {
		bitmap_sums(sbi, c.t);
		(void)fill(&c);
	}
	up_write(&sbi->barrier);
	if (!c.t)
		return 0;
	err = write_txn(&c);
	/* An error in the meantime may be in what was just written; then
	 * nobody shall say that it is done. */
	if (!err && load_once(&sbi->aborted))
		err = -EIO;
	if (err) {
		ext4_give_up(sbi, err, "cannot write to the journal");
		return -EIO;
	}
	finish(&c);
	return 0;
}

/* Is @tid running?  Then its flush is still to come. */
static bool is_running(struct ext4_journal *j, u32 tid)
{
	bool yes;

	spin_lock(&j->sbi->buf_lock);
	yes = j->running && j->running->tid == tid;
	spin_unlock(&j->sbi->buf_lock);
	return yes;
}

int ext4_commit(struct ext4_sb *sbi, u32 tid, bool *flushed)
{
	struct ext4_journal *j = sbi->journal;
	int err = 0;

	if (flushed)
		*flushed = false;
	if (!j || tid_reached(load_once(&j->committed), tid))
		return 0;
	if (flushed)
		*flushed = is_running(j, tid);
	mutex_lock(&j->commit_lock);
	if (!tid_reached(load_once(&j->committed), tid))
		err = commit_running(j);
	mutex_unlock(&j->commit_lock);
	return err;
}

u32 ext4_newest_tid(struct ext4_sb *sbi)
{
	struct ext4_journal *j = sbi->journal;
	u32 tid;

	if (!j)
		return 0;
	spin_lock(&sbi->buf_lock);
	tid = load_once(&j->committed);
	if (j->running)
		tid = j->running->tid;
	else if (j->committing)
		tid = j->committing->tid;
	spin_unlock(&sbi->buf_lock);
	return tid;
}

int ext4_commit_running(struct ext4_sb *sbi)
{
	return ext4_commit(sbi, ext4_newest_tid(sbi), NULL);
}

void ext4_commit_start(struct ext4_sb *sbi)
{
	if (!sbi->journal)
		return;
	store_once(&sbi->journal->wanted, ext4_newest_tid(sbi));
	wake_up_all(&sbi->flusher_wait);
}

bool ext4_retry_nospc(struct ext4_sb *sbi, u32 *tries)
{
	if (!sbi->journal || !load_once(&sbi->busy_blocks) || ++*tries > 3)
		return false;
	return !ext4_commit_running(sbi);
}
