/* SPDX-License-Identifier: MIT */
/*
 * fs/iflush.c - writes the attributes of dirty inodes a while after they
 * changed.
 *
 * A thread that sleeps until some inode becomes dirty, lets five seconds pass
 * and writes all that are.  So a machine on which nothing changes has no timer.
 *
 * Locking: none of its own; see sb_for_each() and inode_next_dirty().
 *
 * Not here: data (kernel/mm/writeback.c), sync(2) (super.c).
 */
#include <fs/internal.h>
#include <kernel/init.h>
#include <lib/errno.h>

#define DIRTY_AGE_NS (5 * NSEC_PER_SEC)

static struct waitq iflush_wq = WAITQ_INIT(iflush_wq);
static u32 wanted; /* [a] */

void iflush_wake(void)
{
	if (load_once(&wanted))
		return;
	store_once(&wanted, 1);
	wake_up_all(&iflush_wq);
}

static void write_inodes(struct super_block *sb, void *ctx __unused)
{
	struct inode *i = NULL;

	if (!sb->ops->write_inode || (sb->flags & MS_RDONLY) ||
	    load_once(&sb->dead))
		return;
	while ((i = inode_next_dirty(sb, i)) != NULL) {
		if (!load_once(&i->dirty))
			continue;
		sb->ops->write_inode(i, false);
		cond_resched();
	}
}

static void iflush(void *arg __unused)
{
	for (;;) {
		wait_event(&iflush_wq, load_once(&wanted));
		sleep_until_ns(clock_mono_ns() + DIRTY_AGE_NS, false);
		/* before the look: what gets dirty during it asks again */
		store_once(&wanted, 0);
		sb_for_each(write_inodes, NULL);
	}
}

static int iflush_init(void)
{
	return kthread_create("iflush", iflush, NULL) ? 0 : -ENOMEM;
}
INITCALL(INIT_LATE, iflush_init);
