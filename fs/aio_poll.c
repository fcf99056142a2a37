/* SPDX-License-Identifier: MIT */
/*
 * fs/aio_poll.c - IOCB_CMD_POLL: a request that ends when its file is ready.
 *
 *	begun --armed--> ARMED --woken--> FIRED --> looked at --> ended, or ARMED again
 *
 * To arm a request is to put it into the wait queues that the file's poll() names.  A
 * wake-up gives it to a thread, since a file may not be looked at in a wake-up.
 *
 * INVARIANTS
 *   A1  An ARMED request is on its context's list, a FIRED one on the thread's; who takes
 *       it off there, the thread alone, ends it or arms it again.
 *   A2  A request's waiters are in the queues until it ends.
 *
 * ORDERING
 *   WAKE  of kernel/relay/relay.h: `again` is cleared before the file is looked at;
 *         whoever changes the file wakes afterwards.
 *
 * Locking: poll_lock (RANK_EVENT: wake-ups take it inside a wait queue).
 */
#include <fs/aio.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define POLL_ALWAYS (POLLERR | POLLHUP)
#define NR_WAITS    2u

enum poll_state {
	BUSY, /* being armed, or looked at */
	ARMED,
	FIRED,
};

struct aio_poll {
	struct list_head node;	   /* [poll_lock] A1 */
	enum poll_state state;	   /* [poll_lock] */
	bool again;		   /* [poll_lock] woken while BUSY */
	bool cancelled;		   /* [poll_lock] */
	struct aio_kiocb *k;	   /* [I] */
	const struct aio_ctx *ctx; /* [I] only compared */
	u64 obj;		   /* [I] */
	struct file *file;	   /* [I] the request's */
	u32 events;		   /* [I] */
	u32 nr_waits;		   /* [I] once armed */
	bool failed;		   /* it needs more of them */
	struct poll_table pt;
	struct {
		struct waiter w;
		struct waitq *wq;
	} wait[NR_WAITS];
};

static struct spinlock poll_lock = SPINLOCK_INIT("aio poll", RANK_EVENT);
static struct list_head armed = LIST_HEAD_INIT(armed); /* [poll_lock] */
static struct list_head fired = LIST_HEAD_INIT(fired); /* [poll_lock] */
static struct waitq thread_wq = WAITQ_INIT(thread_wq);
static u32 has_thread; /* [a] */

static void fire_locked(struct aio_poll *p)
{
	p->state = FIRED;
	list_move_tail(&p->node, &fired);
}

static bool woke(struct waiter *w, u64 key)
{
	struct aio_poll *p = w->arg;
	bool mine;

	if (key && !(key & p->events))
		return false;
	spin_lock(&poll_lock);
	mine = p->state == ARMED;
	if (mine)
		fire_locked(p);
	else
		p->again = true;
	spin_unlock(&poll_lock);
	if (mine)
		wake_up_nested_key(&thread_wq, 0);
	return true;
}

static void queue(struct poll_table *pt, struct file *f __unused,
		  struct waitq *wq)
{
	struct aio_poll *p = container_of(pt, struct aio_poll, pt);

	if (p->nr_waits == NR_WAITS) {
		p->failed = true;
		return;
	}
	waiter_init(&p->wait[p->nr_waits].w);
	p->wait[p->nr_waits].w.fn = woke;
	p->wait[p->nr_waits].w.arg = p;
	p->wait[p->nr_waits].wq = wq;
	waitq_add(wq, &p->wait[p->nr_waits++].w);
}

static void disarm(struct aio_poll *p)
{
	for (u32 i = 0; i < p->nr_waits; i++)
		waitq_del(p->wait[i].wq, &p->wait[i].w);
}

static void end(struct aio_poll *p, u32 bits)
{
	struct aio_kiocb *k = p->k;

	disarm(p);
	kfree(p);
	aio_complete(k, bits);
}

static u32 look(struct aio_poll *p, bool first)
{
	u32 bits;

	store_once(&p->again, false);
	/* WAKE (full) - pairs with wake_up_nr_key(): the file, then the queue. */
	smp_mb();
	if (!p->file->ops->poll)
		return (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM) & p->events;
	bits = p->file->ops->poll(p->file, first ? &p->pt : NULL);
	return bits & p->events;
}

/* True: it waits on; false: it is over, with @bits. */
static bool arm(struct aio_poll *p, u32 bits)
{
	bool over;

	spin_lock(&poll_lock);
	over = bits || p->cancelled || aio_is_dead(p->ctx);
	if (!over && p->again) {
		fire_locked(p);
	} else if (!over) {
		p->state = ARMED;
		list_add_tail(&p->node, &armed);
	}
	spin_unlock(&poll_lock);
	return !over;
}

static struct aio_poll *next_fired(void)
{
	struct aio_poll *p;

	spin_lock(&poll_lock);
	p = list_first_entry_or_null(&fired, struct aio_poll, node);
	if (p) {
		list_del(&p->node);
		p->state = BUSY;
	}
	spin_unlock(&poll_lock);
	return p;
}

static void poller(void *arg __unused)
{
	struct aio_poll *p;

	for (;;) {
		wait_event(&thread_wq, !list_empty(&fired));
		while ((p = next_fired())) {
			u32 bits =
				load_once(&p->cancelled) ? 0 : look(p, false);

			if (!arm(p, bits))
				end(p, bits);
			cond_resched();
		}
	}
}

static int start_thread(void)
{
	if (atomic_xchg(&has_thread, 1u))
		return 0;
	if (kthread_create("aiopoll", poller, NULL))
		return 0;
	store_once(&has_thread, 0u);
	return -ENOMEM;
}

int aio_poll(struct aio_kiocb *k, const struct aio_ctx *c, u64 obj,
	     struct file *f, u32 events)
{
	struct aio_poll *p;
	u32 bits;
	int err = start_thread();

	p = err ? NULL : kzalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	list_init(&p->node);
	p->k = k;
	p->ctx = c;
	p->obj = obj;
	p->file = f;
	p->events = events | POLL_ALWAYS;
	p->pt.queue = queue;
	bits = look(p, true);
	if (!bits && (p->failed || !p->nr_waits)) {
		disarm(p); /* nobody would tell us */
		kfree(p);
		return -EINVAL;
	}
	if (!arm(p, bits))
		end(p, bits);
	else
		wake_up_all(&thread_wq); /* it may have fired */
	return 0;
}

/* Those of @c, or the one of @obj, are over. */
static u32 cancel(const struct aio_ctx *c, u64 obj)
{
	struct aio_poll *p, *next;
	u32 nr = 0;

	spin_lock(&poll_lock);
	list_for_each_entry_safe(p, next, &armed, node) {
		if (p->ctx != c || (obj && p->obj != obj))
			continue;
		p->cancelled = true;
		fire_locked(p);
		nr++;
		if (obj)
			break;
	}
	list_for_each_entry(p, &fired, node) {
		if (p->ctx == c && !obj)
			p->cancelled = true;
	}
	spin_unlock(&poll_lock);
	if (nr)
		wake_up_all(&thread_wq);
	return nr;
}

bool aio_poll_cancel(const struct aio_ctx *c, u64 obj)
{
	return cancel(c, obj) != 0;
}

void aio_poll_cancel_all(const struct aio_ctx *c)
{
	(void)cancel(c, 0);
}
