/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/handle.c - handles, and the running transaction that they fill.
 *
 * INVARIANTS (and J1 to J4 of journal.h)
 *	H1  A handle is open <=> it holds sbi->barrier for reading.
 *	H2  BUF_RUN <=> on the running transaction's bufs, with a reference;
 *	    set by write access, cleared by the commit with all handles out.
 *	    BUF_MOD: and it was changed.  BUF_FREED: and its block was freed.
 *
 * Without a journal a handle only keeps write-out from taking its copies.
 *
 * ORDERING
 *   TXDATA  a data write has ended before the count that lets the commit go.
 *
 * Locking: sbi->buf_lock.
 */
#include <fs/ext4/journal.h>

#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

/* --- transactions */

u32 ext4_txn_need(const struct ext4_journal *j, u32 nr_bufs, u32 nr_revokes)
{
	/* A descriptor block each time the pool is full, and one more where
	 * the revokes begin; revoke blocks; the commit block. */
	return nr_bufs + DIV_ROUND_UP(nr_bufs, j->pool_blocks - 1) + 1 +
	       DIV_ROUND_UP(nr_revokes, j->revokes_per_block) + 1;
}

static struct ext4_txn *txn_alloc(struct ext4_sb *sbi)
{
	struct ext4_txn *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->sbi = sbi;
	list_init(&t->node);
	list_init(&t->bufs);
	list_init(&t->todo);
	list_init(&t->done);
	list_init(&t->cp);
	list_init(&t->revokes);
	list_init(&t->freed);
	return t;
}

void ext4_txn_free(struct ext4_txn *t)
{
	struct ext4_revokes *r, *rtmp;
	struct ext4_freed *f, *ftmp;

	if (!t)
		return;
	list_for_each_entry_safe(r, rtmp, &t->revokes, node)
		kfree(r);
	list_for_each_entry_safe(f, ftmp, &t->freed, node)
		kfree(f);
	kfree(t);
}

/* --- begin and end */

enum joined {
	JOINED,
	NO_TXN,	  /* none runs, and the caller has brought no memory */
	NO_SPACE, /* none runs, and the log has no room for one */
	FULL,	  /* it would become too large */
};

/* buf_lock is held. */
static enum joined join(struct ext4_journal *j, struct ext4_handle *h,
			struct ext4_txn **fresh)
{
	struct ext4_txn *t = j->running;

	if (!t) {
		if (j->free < j->max_need)
			return NO_SPACE; /* J2 */
		t = *fresh;
		if (!t)
			return NO_TXN;
		*fresh = NULL;
		t->tid = j->next_tid++;
		t->since_ns = clock_mono_ns();
		j->running = t;
	} else if (ext4_txn_need(j, t->nr_bufs + t->reserved + h->left,
				 t->nr_revokes) > j->max_need) {
		return FULL;
	}
	t->reserved += h->left;
	h->txn = t;
	return JOINED;
}

/* One try: 0, -EAGAIN, or an error. */
static int try_begin(struct ext4_journal *j, struct ext4_handle *h,
		     struct ext4_txn **fresh)
{
	struct ext4_sb *sbi = j->sbi;
	bool had = *fresh;
	enum joined res;
	u32 tid = 0;

	down_read(&sbi->barrier);
	if (load_once(&sbi->aborted)) {
		up_read(&sbi->barrier);
		return ext4_refusal(sbi);
	}
	if (ext4_keeps_out(sbi)) {
		up_read(&sbi->barrier);
		ext4_await_thaw(sbi);
		return -EAGAIN;
	}
	spin_lock(&sbi->buf_lock);
	res = join(j, h, fresh);
	if (j->running)
		tid = j->running->tid;
	spin_unlock(&sbi->buf_lock);
	if (res == JOINED) {
		if (had && !*fresh)
			wake_up_all(&sbi->flusher_wait);
		return 0; /* H1 */
	}
	up_read(&sbi->barrier);
	if (res == FULL)
		return ext4_commit(sbi, tid, NULL) ?: -EAGAIN;
	if (res == NO_SPACE)
		return ext4_checkpoint_for_space(j) ?: -EAGAIN;
	*fresh = txn_alloc(sbi);
	return *fresh ? -EAGAIN : -ENOMEM;
}

static int begin(struct ext4_journal *j, struct ext4_handle *h)
{
	struct ext4_txn *fresh = NULL;
	int err;

	KASSERT(ext4_txn_need(j, h->left, 0) <= j->max_need);
	/* Bounds the memory that committed buffers pin. */
	if (load_once(&j->nr_cp) > j->sbi->max_bufs / 2) {
		err = ext4_checkpoint_all(j, false);
		if (err)
			return err == -ENOMEM ? err : ext4_refusal(j->sbi);
	}
	do {
		err = try_begin(j, h, &fresh);
	} while (err == -EAGAIN);
	ext4_txn_free(fresh);
	return err && err != -ENOMEM ? ext4_refusal(j->sbi) : err;
}

int ext4_begin(struct ext4_sb *sbi, struct ext4_handle *h, u32 credits)
{
	*h = (struct ext4_handle){ .sbi = sbi, .left = credits };
	if (load_once(&sbi->aborted) || (sbi->vfs->flags & MS_RDONLY))
		return ext4_refusal(sbi);
	if (sbi->journal)
		return begin(sbi->journal, h);
	/* Bounds the memory that dirty metadata pins. */
	if (sbi->nr_dirty > sbi->max_bufs / 2)
		(void)ext4_bufs_flush(sbi, false);
	down_read(&sbi->barrier);
	while (ext4_keeps_out(sbi)) {
		up_read(&sbi->barrier);
		ext4_await_thaw(sbi);
		down_read(&sbi->barrier);
	}
	return 0;
}

void ext4_begin_force(struct ext4_sb *sbi, struct ext4_handle *h)
{
	KASSERT(!sbi->journal);
	*h = (struct ext4_handle){ .sbi = sbi };
	down_read(&sbi->barrier);
}

void ext4_end(struct ext4_handle *h)
{
	struct ext4_sb *sbi = h->sbi;

	if (h->txn) {
		spin_lock(&sbi->buf_lock);
		h->txn->reserved -= h->left;
		spin_unlock(&sbi->buf_lock);
	}
	up_read(&sbi->barrier);
	h->sbi = NULL;
}

u32 ext4_handle_tid(const struct ext4_handle *h)
{
	return h->txn ? h->txn->tid : 0;
}

bool ext4_credits_left(const struct ext4_handle *h, u32 nr)
{
	return !h->txn || h->left >= nr;
}

/* --- credits; buf_lock is held */

/* One credit more for a handle that asked for too little. */
static bool extend(struct ext4_handle *h)
{
	struct ext4_journal *j = h->sbi->journal;
	struct ext4_txn *t = h->txn;

	atomic_inc(&j->nr_overruns);
	if (ext4_txn_need(j, t->nr_bufs + t->reserved + 1, t->nr_revokes) >
	    j->max_need)
		return false;
	t->reserved++;
	h->left++;
	return true;
}

static bool spend(struct ext4_handle *h)
{
	if (!h->left && !extend(h))
		return false;
	h->left--;
	h->txn->reserved--;
	return true;
}

static int overrun(struct ext4_handle *h)
{
	ext4_give_up(h->sbi, -ENOSPC, "a handle is too large for the journal");
	return -ENOSPC;
}

/* --- buffers */

/* Is somebody about to read what we would change? */
static bool is_busy(const struct ext4_buf *b)
{
	return load_once(&b->flags) & (BUF_COM | BUF_WRITING);
}

static int access(struct ext4_handle *h, struct ext4_buf *b)
{
	struct ext4_sb *sbi = h->sbi;
	bool ok = true;

	spin_lock(&sbi->buf_lock);
	while (is_busy(b)) {
		spin_unlock(&sbi->buf_lock);
		wait_event(&sbi->buf_wait, !is_busy(b));
		spin_lock(&sbi->buf_lock);
	}
	if (!(load_once(&b->flags) & BUF_RUN)) {
		ok = spend(h);
		if (ok) {
			h->txn->nr_bufs++;
			ext4_buf_ref_locked(b);
			list_add_tail(&b->run, &h->txn->bufs);
			atomic_fetch_or(&b->flags, (u32)BUF_RUN);
		}
	}
	spin_unlock(&sbi->buf_lock);
	return ok ? 0 : overrun(h);
}

int ext4_write_access(struct ext4_handle *h, struct ext4_buf *b)
{
	KASSERT(h->sbi == b->sbi);
	/* It stays so while the handle is open. */
	if (!h->txn || (load_once(&b->flags) & BUF_RUN))
		return 0;
	return access(h, b);
}

void ext4_dirty(struct ext4_handle *h, struct ext4_buf *b)
{
	KASSERT(h->sbi == b->sbi);
	if (!h->txn) {
		ext4_buf_mark_dirty(b);
		return;
	}
	KASSERT(load_once(&b->flags) & BUF_RUN);
	if ((load_once(&b->flags) & (BUF_STALE | BUF_MOD)) !=
	    (BUF_STALE | BUF_MOD))
		atomic_fetch_or(&b->flags, (u32)(BUF_STALE | BUF_MOD));
}

/* --- freed metadata blocks */

/* buf_lock is held.  False: bring a new piece of the list. */
static bool add_revoke(struct ext4_txn *t, u64 blk, struct ext4_revokes **fresh)
{
	struct ext4_revokes *r = NULL;

	if (!list_empty(&t->revokes))
		r = list_last_entry(&t->revokes, struct ext4_revokes, node);
	if (!r || r->nr == ARRAY_SIZE(r->blk)) {
		r = *fresh;
		if (!r)
			return false;
		*fresh = NULL;
		list_add_tail(&r->node, &t->revokes);
	}
	r->blk[r->nr++] = blk;
	return true;
}

static void revoke(struct ext4_handle *h, u64 blk)
{
	struct ext4_journal *j = h->sbi->journal;
	struct ext4_revokes *fresh = NULL;
	struct ext4_txn *t = h->txn;
	bool added, ok = true;

	do {
		spin_lock(&h->sbi->buf_lock);
		added = add_revoke(t, blk, &fresh);
		/* A credit pays for each block of them. */
		if (added && t->nr_revokes++ % j->revokes_per_block == 0)
			ok = spend(h);
		spin_unlock(&h->sbi->buf_lock);
		if (!added)
			fresh = ext4_alloc_wait(h->sbi, sizeof(*fresh));
	} while (!added && fresh);
	kfree(fresh);
	if (!ok)
		(void)overrun(h);
}

void ext4_forget(struct ext4_handle *h, u64 blk)
{
	struct ext4_buf *b;

	if (!h->txn) {
		ext4_buf_forget(h->sbi, blk);
		return;
	}
	revoke(h, blk);
	b = ext4_buf_find(h->sbi, blk);
	/* On the list, so that the commit throws it away. */
	if (b && !ext4_write_access(h, b)) {
		atomic_fetch_and(&b->flags, (u32) ~(BUF_MOD | BUF_STALE));
		atomic_fetch_or(&b->flags, (u32)BUF_FREED);
	}
	ext4_buf_put(b);
}

/* --- file data */

struct ext4_txn *ext4_data_begin(struct ext4_handle *h)
{
	struct ext4_txn *t = h->txn;

	if (!t || (load_once(&h->sbi->opt.flags) & EXT4_OPT_WRITEBACK))
		return NULL;
	atomic_inc(&t->data);
	return t;
}

void ext4_data_more(struct ext4_txn *t)
{
	if (t)
		atomic_inc(&t->data);
}

void ext4_data_done(struct ext4_txn *t)
{
	struct ext4_sb *sbi;

	if (!t)
		return;
	sbi = t->sbi;
	/* The commit frees nobody's sbi, but maybe @t. */
	atomic_inc(&sbi->buf_io);
	/* TXDATA (full) - pairs with ext4_commit()'s wait. */
	atomic_dec(&t->data);
	wake_up_all(&sbi->buf_wait);
	atomic_dec(&sbi->buf_io);
}
