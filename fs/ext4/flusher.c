/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/flusher.c - the thread that writes a volume's metadata in time.
 *
 * It sleeps for ever while nothing is to be done.  A transaction is committed
 * when it is commit= seconds old, or at once when somebody asks; committed
 * blocks are written home when the oldest is HOME_DELAY old, or the log or
 * memory fill up.  Without a journal dirty blocks are written when the first
 * is commit= seconds old.
 *
 * Locking: none of its own.
 */
#include <fs/ext4/flush.h>
#include <fs/ext4/journal.h>
#include <fs/notify.h>

#include <lib/atomic.h>

#define HOME_DELAY_NS (30 * NSEC_PER_SEC)

enum {
	FLUSHER_NONE,
	FLUSHER_RUN,
	FLUSHER_STOP,
};

static bool must_stop(struct ext4_sb *sbi)
{
	return load_once(&sbi->flusher_state) == FLUSHER_STOP;
}

static u64 commit_ns(const struct ext4_sb *sbi)
{
	return (u64)load_once(&sbi->opt.commit_s) * NSEC_PER_SEC;
}

static bool has_news(struct ext4_sb *sbi)
{
	return must_stop(sbi) || load_once(&sbi->error_unsaved) ||
	       !list_empty(&sbi->failed);
}

/* --- with a journal */

struct agenda {
	u64 commit_ns; /* when the running transaction is due, or ~0 */
	u64 home_ns;   /* when committed blocks are, or ~0 */
	bool hurry;    /* space is running out */
};

static void look(struct ext4_journal *j, struct agenda *a)
{
	struct ext4_sb *sbi = j->sbi;

	*a = (struct agenda){ .commit_ns = ~0ull, .home_ns = ~0ull };
	spin_lock(&sbi->buf_lock);
	if (j->running) {
		a->commit_ns = j->running->since_ns + commit_ns(sbi);
		if (tid_after(load_once(&j->wanted), load_once(&j->committed)))
			a->commit_ns = 0;
	}
	if (!list_empty(&j->cps)) {
		struct ext4_txn *t =
			list_first_entry(&j->cps, struct ext4_txn, node);

		a->home_ns = max(t->since_ns, j->last_cp_ns) + HOME_DELAY_NS;
		a->hurry = j->last_cp_tid != load_once(&j->committed) &&
			   (j->free < (j->end - j->first) / 2 ||
			    j->nr_cp > sbi->max_bufs / 4);
		if (a->hurry)
			a->home_ns = 0;
	}
	spin_unlock(&sbi->buf_lock);
}

/* Is there something to do now, or earlier than at @deadline? */
static bool is_news(struct ext4_sb *sbi, u64 deadline)
{
	struct agenda a;
	u64 first;

	if (has_news(sbi))
		return true;
	look(sbi->journal, &a);
	first = min(a.commit_ns, a.home_ns);
	return first <= clock_mono_ns() || first < deadline;
}

static void go_home(struct ext4_journal *j, const struct agenda *a)
{
	j->last_cp_ns = clock_mono_ns();
	j->last_cp_tid = load_once(&j->committed);
	/* With nobody about the log can become empty. */
	(void)ext4_checkpoint_all(j, !a->hurry && a->commit_ns == ~0ull);
}

static void journal_round(struct ext4_sb *sbi)
{
	struct ext4_journal *j = sbi->journal;
	struct agenda a;
	u64 deadline;

	look(j, &a);
	deadline = min(a.commit_ns, a.home_ns); /* ~0: WAIT_FOREVER */
	(void)wait_event_timeout(&sbi->flusher_wait, is_news(sbi, deadline),
				 deadline);
	if (has_news(sbi) || load_once(&sbi->aborted))
		return;
	look(j, &a);
	if (a.commit_ns <= clock_mono_ns())
		(void)ext4_commit_running(sbi);
	else if (a.home_ns <= clock_mono_ns())
		go_home(j, &a);
}

/* --- without one */

static void plain_round(struct ext4_sb *sbi)
{
	wait_event(&sbi->flusher_wait, sbi->nr_dirty || has_news(sbi));
	(void)wait_event_timeout(&sbi->flusher_wait, has_news(sbi),
				 clock_mono_ns() + commit_ns(sbi));
	if (!has_news(sbi))
		(void)ext4_bufs_flush(sbi, false);
}

/* --- the thread */

static void flusher(void *arg)
{
	struct ext4_sb *sbi = arg;

	while (!must_stop(sbi)) {
		if (load_once(&sbi->error_unsaved)) {
			ext4_save_error(sbi);
			if (atomic_xchg(&sbi->error_untold, 0u))
				notify_error(sbi->vfs, NULL, -EUCLEAN);
		} else if (!list_empty(&sbi->failed)) {
			ext4_unwrite_failed(sbi);
		} else if (load_once(&sbi->aborted)) {
			wait_event(&sbi->flusher_wait, has_news(sbi));
		} else if (sbi->journal) {
			journal_round(sbi);
		} else {
			plain_round(sbi);
		}
	}
	store_once(&sbi->flusher_state, FLUSHER_NONE);
	wake_up_all(&sbi->flusher_wait);
	atomic_dec(&sbi->buf_io); /* the last touch, see ext4_bufs_destroy() */
}

/* No thread, no write-out on its own: sync still works. */
void ext4_flusher_start(struct ext4_sb *sbi)
{
	if (load_once(&sbi->flusher_state) != FLUSHER_NONE)
		return;
	store_once(&sbi->flusher_state, FLUSHER_RUN);
	atomic_inc(&sbi->buf_io);
	if (!kthread_create(sbi->journal ? "jbd2" : "ext4-flush", flusher,
			    sbi)) {
		atomic_dec(&sbi->buf_io);
		store_once(&sbi->flusher_state, FLUSHER_NONE);
		pr_warn("ext4: no flusher thread");
	}
}

void ext4_flusher_stop(struct ext4_sb *sbi)
{
	if (load_once(&sbi->flusher_state) == FLUSHER_NONE)
		return;
	store_once(&sbi->flusher_state, FLUSHER_STOP);
	wake_up_all(&sbi->flusher_wait);
	wait_event(&sbi->flusher_wait,
		   load_once(&sbi->flusher_state) == FLUSHER_NONE);
}
