/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/checkpoint.c - write committed blocks home and free their log space.
 *
 * A buffer is written as it is in memory, so only while what it holds is
 * committed (J1): one that the running transaction has is left out until that
 * is committed, too.  While it is on its way BUF_WRITING keeps changes away.
 *
 * The tail moves when all buffers of the oldest transactions are at home and
 * the device's cache is written (J4).
 *
 * Locking: cp_lock over a whole checkpoint; commit_lock inside.
 */
#include <fs/ext4/flush.h>
#include <fs/ext4/journal.h>

#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>

/* Buffers that can be written now, into the batch.  buf_lock is held. */
static u32 gather(struct ext4_journal *j)
{
	struct ext4_txn *t;
	struct ext4_buf *b;
	u32 n = 0;

	list_for_each_entry(t, &j->cps, node) {
		list_for_each_entry(b, &t->cp, cp) {
			if (list_is_linked(&b->run) || list_is_linked(&b->com))
				continue; /* J1 */
			atomic_fetch_or(&b->flags, (u32)BUF_WRITING);
			j->batch[n++] = b;
			if (n == EXT4_CP_BATCH)
				return n;
		}
	}
	return n;
}

/* How many were written, or an error. */
static int write_some(struct ext4_journal *j)
{
	struct ext4_sb *sbi = j->sbi;
	u32 n, i;
	int err;

	spin_lock(&sbi->buf_lock);
	n = gather(j);
	spin_unlock(&sbi->buf_lock);
	if (!n)
		return 0;
	err = ext4_bufs_write(sbi, j->batch, n, NULL);
	spin_lock(&sbi->buf_lock);
	for (i = 0; i < n; i++) {
		struct ext4_buf *b = j->batch[i];

		atomic_fetch_and(&b->flags, (u32)~BUF_WRITING);
		if (err)
			continue;
		list_del(&b->cp);
		j->nr_cp--;
		ext4_buf_unref_locked(b);
	}
	spin_unlock(&sbi->buf_lock);
	wake_up_all(&sbi->buf_wait);
	return err ? err : (int)n;
}

/* Transactions that are at home, oldest first, go.  Where the log begins now;
 * true if the tail may move there. */
static bool new_tail(struct ext4_journal *j, u32 *start, u32 *tid)
{
	struct ext4_txn *t, *tmp, *first;
	struct list_head gone;
	bool any;

	list_init(&gone);
	spin_lock(&j->sbi->buf_lock);
	list_for_each_entry_safe(t, tmp, &j->cps, node) {
		if (!list_empty(&t->cp))
			break;
		list_move_tail(&t->node, &gone);
	}
	first = j->committing;
	if (!list_empty(&j->cps))
		first = list_first_entry(&j->cps, struct ext4_txn, node);
	*start = first ? first->start : j->head;
	*tid = j->running ? j->running->tid : j->next_tid;
	if (first)
		*tid = first->tid;
	spin_unlock(&j->sbi->buf_lock);
	any = !list_empty(&gone);
	list_for_each_entry_safe(t, tmp, &gone, node)
		ext4_txn_free(t);
	return any;
}

static int move_tail(struct ext4_journal *j)
{
	u32 start, tid, old = j->tail, freed;
	int err;

	if (!new_tail(j, &start, &tid))
		return 0;
	err = ext4_flush_device(j->sbi);
	if (!err)
		err = ext4_journal_set_tail(j, start, tid, TAIL_DURABLE);
	if (err)
		return err;
	freed = start >= old ? start - old : start - old + (j->end - j->first);
	spin_lock(&j->sbi->buf_lock);
	j->free += freed;
	spin_unlock(&j->sbi->buf_lock);
	return 0;
}

/* cp_lock is held. */
static int checkpoint(struct ext4_journal *j)
{
	int n;

	if (load_once(&j->sbi->aborted))
		return -EIO;
	do {
		n = write_some(j);
		if (n >= 0 && move_tail(j))
			n = -EIO;
	} while (n > 0);
	if (n < 0)
		ext4_give_up(j->sbi, n, "cannot write metadata");
	return n;
}

/* A commit that is under way has ended. */
static void wait_for_commit(struct ext4_journal *j)
{
	mutex_lock(&j->commit_lock);
	mutex_unlock(&j->commit_lock);
}

static bool has_space(struct ext4_journal *j)
{
	bool yes;

	spin_lock(&j->sbi->buf_lock);
	yes = j->running || j->free >= j->max_need;
	spin_unlock(&j->sbi->buf_lock);
	return yes;
}

int ext4_checkpoint_for_space(struct ext4_journal *j)
{
	u32 tries = 3;
	int err = 0;

	mutex_lock(&j->cp_lock);
	while (!err && !has_space(j)) {
		err = checkpoint(j);
		if (err || has_space(j))
			break;
		/* What blocks was running, then; it is committed now. */
		wait_for_commit(j);
		if (!tries--) {
			ext4_give_up(j->sbi, -ENOSPC, "the journal is full");
			err = -EIO;
		}
	}
	mutex_unlock(&j->cp_lock);
	return err;
}

static bool is_done(struct ext4_journal *j)
{
	bool yes;

	spin_lock(&j->sbi->buf_lock);
	yes = list_empty(&j->cps);
	spin_unlock(&j->sbi->buf_lock);
	return yes;
}

/*
 * Nothing is left in the log: say so, and whoever mounts it has nothing to
 * replay.  commit_lock is held.
 */
static int mark_empty(struct ext4_journal *j)
{
	u32 start, tid;
	int err;

	if (j->empty || !is_done(j))
		return 0;
	(void)new_tail(j, &start, &tid);
	err = ext4_flush_device(j->sbi);
	if (!err)
		err = ext4_journal_set_tail(j, start, tid, TAIL_EMPTY);
	return err;
}

int ext4_checkpoint_all(struct ext4_journal *j, bool commit)
{
	u32 tries = commit ? 4 : 1;
	int err = 0;

	mutex_lock(&j->cp_lock);
	while (!err && tries--) {
		if (commit)
			err = ext4_commit_running(j->sbi);
		if (!err)
			err = checkpoint(j);
		if (is_done(j))
			break;
	}
	if (commit && !err) {
		mutex_lock(&j->commit_lock);
		err = mark_empty(j);
		mutex_unlock(&j->commit_lock);
	}
	mutex_unlock(&j->cp_lock);
	return err;
}

/* commit_lock is held, and the ring is empty. */
static int erase(struct ext4_journal *j, bool discard)
{
	u32 log, n;
	int err = 0;

	if (discard)
		return ext4_log_discard(j);
	memset(j->pool, 0, (size_t)j->pool_blocks << j->sbi->block_bits);
	for (log = j->first; !err && log < j->end; log += n) {
		n = min(j->pool_blocks, j->end - log);
		err = ext4_log_io(j, BIO_WRITE, log, j->pool, n);
	}
	return err ? err : ext4_flush_device(j->sbi);
}

int ext4_checkpoint_erase(struct ext4_journal *j, bool discard)
{
	bool empty = false;
	u32 tries = 16;
	int err = 0;

	while (!err && !empty && tries--) {
		err = ext4_checkpoint_all(j, true);
		if (err)
			break;
		mutex_lock(&j->commit_lock);
		empty = j->empty;
		if (empty)
			err = erase(j, discard);
		mutex_unlock(&j->commit_lock);
	}
	return err || empty ? err : -EBUSY;
}
