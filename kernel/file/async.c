/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/async.c - O_ASYNC: a signal when a file becomes ready.
 *
 * The file is observed as poll(2) would observe it: a waiter in each of its queues.
 * Wakers hold locks that are inside those of signals, so the waiter only notes what
 * happened and sets a timer that is due; its callback sends.  What happens in between
 * is told once.
 *
 * INVARIANT
 *   I1  whoever makes events not 0 arms the timer, nobody else; its callback makes it 0
 *       before it tells.  So it is armed by one hart at a time.
 *
 * Locking: async_mutex for arming; the timer's callback needs nothing of a file but
 * atomic words, and ktimer_cancel() waits for it.
 */
#include <kernel/file/file.h>
#include <kernel/file/poll.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define NR_QUEUES 4u

struct file_async {
	struct poll_table pt;
	struct file *f; /* [I] whose this is */
	int fd;		/* [a] of the call that set O_ASYNC */
	u32 events;	/* [a] POLL* not yet told */
	struct ktimer timer;
	u32 nr; /* [async_mutex] */
	struct async_entry {
		struct waiter w;
		struct waitq *wq;
	} entry[NR_QUEUES];
};

static struct mutex async_mutex = MUTEX_INIT(async_mutex);

/* si_code of what became possible */
static const struct {
	u32 events;
	s32 code;
} kinds[] = {
	{ POLLIN | POLLRDNORM, 1 },
	{ POLLOUT | POLLWRNORM, 2 },
	{ POLLERR, 4 },
	{ POLLPRI | POLLRDBAND, 5 },
	{ POLLHUP | POLLRDHUP, 6 },
};

static void tell(const struct file_async *a, u32 events, s32 code)
{
	u32 sig = load_once(&a->f->owner_sig);
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.signo = sig ? (s32)sig : SIGIO;
	si.code = sig ? code : SI_KERNEL;
	if (sig) {
		si.poll.band = events;
		si.poll.fd = load_once(&a->fd);
	}
	(void)owner_signal(&a->f->owner, si.signo, &si);
}

static void due(struct ktimer *k)
{
	struct file_async *a = k->arg;
	u32 events = atomic_xchg(&a->events, 0u);

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (events & kinds[i].events)
			tell(a, events & kinds[i].events, kinds[i].code);
	}
}

/* Under the queue's lock, on the waker's hart. */
static bool note(struct waiter *w, u64 key)
{
	struct file_async *a = w->arg;
	u32 bits = key ? (u32)key : POLLIN | POLLRDNORM;

	/* I1 */
	if (!atomic_fetch_or(&a->events, bits))
		ktimer_arm(&a->timer, clock_mono_ns());
	return false;
}

static void queue_entry(struct poll_table *pt, struct file *f __unused,
			struct waitq *wq)
{
	struct file_async *a = container_of(pt, struct file_async, pt);
	struct async_entry *e = &a->entry[a->nr];

	if (a->nr == NR_QUEUES)
		return;
	a->nr++;
	waiter_init(&e->w);
	e->w.fn = note;
	e->w.arg = a;
	e->wq = wq;
	waitq_add(wq, &e->w);
}

static void disarm(struct file_async *a)
{
	while (a->nr) {
		struct async_entry *e = &a->entry[--a->nr];

		waitq_del(e->wq, &e->w);
	}
	(void)ktimer_cancel(&a->timer);
	store_once(&a->events, 0);
}

static int arm(struct file *f, int fd)
{
	struct file_async *a = f->async;

	if (!a) {
		a = kzalloc(sizeof(*a));
		if (!a)
			return -ENOMEM;
		a->f = f;
		a->pt.queue = queue_entry;
		ktimer_init(&a->timer, due, a);
		f->async = a;
	}
	store_once(&a->fd, fd);
	if (!a->nr)
		(void)file_poll(f, &a->pt);
	return 0;
}

int file_set_async(struct file *f, int fd, bool on)
{
	int err = 0;

	mutex_lock(&async_mutex);
	if (on)
		err = arm(f, fd);
	else if (f->async)
		disarm(f->async);
	mutex_unlock(&async_mutex);
	return err;
}

void file_async_gone(struct file *f)
{
	disarm(f->async);
	kfree(f->async);
}
