/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/poll.h - wait until one of several files is ready.
 *
 *	poll_init(&w);
 *	for (;;) {
 *		poll_arm(&w);
 *		look at every file: f->ops->poll(f, poll_queue(&w, events))
 *		if (ready or timed out)
 *			break;
 *		r = poll_suspend(&w, deadline);
 *	}
 *	poll_end(&w);
 *
 * The first look puts waiters into the files' queues; later ones only look.
 *
 * Context: coroutine.  The waiters hold references on their files.
 */
#ifndef KERNEL_FILE_POLL_H
#define KERNEL_FILE_POLL_H

#include <kernel/file/file.h>
#include <kernel/sched/wait.h>
#include <lib/types.h>

#define POLL_NR_INLINE 4

struct poll_waits;

struct poll_entry {
	struct waiter w;
	struct waitq *wq;	/* [I] */
	struct file *f;		/* [I] owned */
	struct poll_waits *all; /* [I] */
	u64 events;		/* [I] keys that count */
};

struct poll_block;

struct poll_waits {
	struct poll_table pt;	   /* first: the callback finds us by it */
	struct thread *thread;	   /* [I] */
	u32 triggered;		   /* [a] edge POLL */
	u32 nr;			   /* entries in use */
	u64 events;		   /* for the entries that are made now */
	int err;		   /* -ENOMEM: an entry could not be made */
	struct poll_block *blocks; /* beyond the inline ones */
	struct poll_entry inl[POLL_NR_INLINE];
};

void poll_init(struct poll_waits *w);
/* The table to hand to f->ops->poll() when @events (and errors) are wanted. */
struct poll_table *poll_queue(struct poll_waits *w, u32 events);
/* From now on the looks make no more entries. */
void poll_queued(struct poll_waits *w);
/* Before the files are looked at: forget what was triggered. */
void poll_arm(struct poll_waits *w);
/* As wait_suspend(); 0 at once when something was triggered after poll_arm(). */
int poll_suspend(struct poll_waits *w, u64 deadline_ns);
void poll_end(struct poll_waits *w);
/* f's bits now; files without poll() are always ready. */
u32 file_poll(struct file *f, struct poll_table *pt);

#endif /* KERNEL_FILE_POLL_H */
