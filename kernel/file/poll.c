/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/poll.c - wait until one of several files is ready; see poll.h.
 *
 * ORDERING
 *   POLL  the poller clears triggered, full fence, looks at the files; the waker
 *         makes the file ready, full fence (WAKE), sets triggered in the callback.
 */
#include <kernel/file/poll.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define NR_PER_BLOCK 30

struct poll_block {
	struct poll_block *next;
	u32 nr;
	struct poll_entry entry[NR_PER_BLOCK];
};

/* Under the queue's lock, on the waker's hart. */
static bool poll_wake(struct waiter *w, u64 key)
{
	struct poll_entry *e = container_of(w, struct poll_entry, w);

	if (key && !(key & e->events))
		return false;
	/* POLL (full) - pairs with poll_arm(). */
	(void)atomic_xchg(&e->all->triggered, 1u);
	return thread_wake(e->all->thread);
}

static struct poll_entry *new_entry(struct poll_waits *w)
{
	struct poll_block *b = w->blocks;

	if (w->nr < POLL_NR_INLINE)
		return &w->inl[w->nr++];
	if (!b || b->nr == NR_PER_BLOCK) {
		b = kmalloc(sizeof(*b));
		if (!b)
			return NULL;
		b->nr = 0;
		b->next = w->blocks;
		w->blocks = b;
	}
	return &b->entry[b->nr++];
}

static void queue_entry(struct poll_table *pt, struct file *f, struct waitq *wq)
{
	struct poll_waits *w = container_of(pt, struct poll_waits, pt);
	struct poll_entry *e = new_entry(w);

	if (!e) {
		w->err = -ENOMEM;
		return;
	}
	waiter_init(&e->w);
	e->w.fn = poll_wake;
	e->wq = wq;
	e->f = file_get(f);
	e->all = w;
	e->events = w->events;
	waitq_add(wq, &e->w);
}

void poll_init(struct poll_waits *w)
{
	w->pt.queue = queue_entry;
	w->thread = current;
	w->triggered = 0;
	w->nr = 0;
	w->events = 0;
	w->err = 0;
	w->blocks = NULL;
}

struct poll_table *poll_queue(struct poll_waits *w, u32 events)
{
	w->events = events | POLLERR | POLLHUP;
	return w->pt.queue ? &w->pt : NULL;
}

void poll_queued(struct poll_waits *w)
{
	w->pt.queue = NULL;
}

void poll_arm(struct poll_waits *w)
{
	/* POLL (full) - pairs with poll_wake(). */
	(void)atomic_xchg(&w->triggered, 0u);
}

int poll_suspend(struct poll_waits *w, u64 deadline_ns)
{
	struct waitq nobody = WAITQ_INIT(nobody); /* woken by thread_wake() */

	return wait_event_interruptible_timeout(
		&nobody, load_once(&w->triggered), deadline_ns);
}

static void end_entry(struct poll_entry *e)
{
	waitq_del(e->wq, &e->w);
	file_put(e->f);
}

void poll_end(struct poll_waits *w)
{
	struct poll_block *b, *next;

	for (u32 i = 0; i < w->nr; i++)
		end_entry(&w->inl[i]);
	for (b = w->blocks; b; b = next) {
		next = b->next;
		for (u32 i = 0; i < b->nr; i++)
			end_entry(&b->entry[i]);
		kfree(b);
	}
}

u32 file_poll(struct file *f, struct poll_table *pt)
{
	if (!f->ops->poll)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
	return f->ops->poll(f, pt);
}
