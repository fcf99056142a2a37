/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/poll.c - requests that wait for their file, and POLL_ADD.
 *
 * To arm a request is to put it into the wait queues that its file's poll() names.
 * The first wake-up that matters hands it to a worker, which takes it out of the
 * queues and tries again.
 *
 * A wake-up while it is still being armed is only noted: the request is RUNNING.
 *
 * ORDERING
 *   WAKE  of kernel/relay/relay.h: `fired` is cleared before the file is looked at;
 *         whoever changes the file wakes afterwards.
 */
#include <syscall/uring/ops.h>

#include <kernel/file/poll.h>
#include <kernel/mm/kmalloc.h>

#define POLL_ALWAYS (POLLERR | POLLHUP)
/* of sqe.poll32_events, from epoll */
#define POLL_EXCLUSIVE BIT(28)
#define POLL_ONESHOT   BIT(30)
#define POLL_ET	       BIT(31)

static bool woke(struct waiter *w, u64 key)
{
	struct uring_req *q = container_of(w, struct uring_wait, w)->q;
	bool stays = uring_stays_armed(q);

	if (key && !(key & (q->events | POLL_ALWAYS)))
		return false;
	spin_lock(&q->pool->lock);
	if (key & POLL_URING_WAKE)
		q->last_shot = true;
	if (q->state == UR_ARMED)
		uring_queue_locked(q);
	else
		q->fired = true;
	if (!stays) /* once is enough; the queue's lock is held */
		list_del(&w->node);
	spin_unlock(&q->pool->lock);
	return true;
}

struct arming {
	struct poll_table pt;
	struct uring_req *q;
	bool failed;
};

static struct uring_wait *wait_alloc(struct uring_req *q)
{
	struct uring_wait *w;

	if (q->nr_wait < ARRAY_SIZE(q->wait))
		return &q->wait[q->nr_wait];
	w = kmalloc(sizeof(*w));
	if (w) {
		w->next = q->more_wait;
		q->more_wait = w;
	}
	return w;
}

static void queue(struct poll_table *pt, struct file *f __unused,
		  struct waitq *wq)
{
	struct arming *a = container_of(pt, struct arming, pt);
	struct uring_wait *w = wait_alloc(a->q);

	if (!w) {
		a->failed = true;
		return;
	}
	a->q->nr_wait++;
	waiter_init(&w->w);
	w->w.fn = woke;
	w->wq = wq;
	w->q = a->q;
	waitq_add(wq, &w->w);
}

void uring_disarm(struct uring_req *q)
{
	struct uring_wait *w;
	u32 inl = min_t(u32, q->nr_wait, ARRAY_SIZE(q->wait));

	for (u32 i = 0; i < inl; i++)
		waitq_del(q->wait[i].wq, &q->wait[i].w);
	while ((w = q->more_wait)) {
		q->more_wait = w->next;
		waitq_del(w->wq, &w->w);
		kfree(w);
	}
	q->nr_wait = 0;
}

bool uring_arm(struct uring_req *q)
{
	struct arming a = { .pt.queue = queue, .q = q };
	u32 bits;
	bool ready;

	uring_show(q);
	q->fired = false;
	bits = q->file->ops->poll(q->file, &a.pt);
	spin_lock(&q->pool->lock);
	ready = q->fired || q->cancelled || a.failed || q->pool->dying ||
		(bits & (q->events | POLL_ALWAYS));
	if (!ready)
		q->state = UR_ARMED; /* and gone */
	spin_unlock(&q->pool->lock);
	if (!ready)
		return false;
	uring_disarm(q);
	if (a.failed)
		cond_resched(); /* no memory: ask again and again */
	return true;
}

/* ---- POLL_ADD, POLL_REMOVE */

int uring_poll_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->buf_index || s->off || s->addr ||
	    (s->len & ~(u32)(POLL_ADD_MULTI | POLL_ADD_LEVEL)))
		return -EINVAL;
	if ((s->len & POLL_ADD_MULTI) && (s->flags & SQE_CQE_SKIP))
		return -EINVAL;
	q->events = (s->op_flags & ~(POLL_EXCLUSIVE | POLL_ONESHOT | POLL_ET)) |
		    POLL_ALWAYS;
	return 0;
}

static bool multishot(const struct uring_req *q)
{
	return q->op == &uring_ops[OP_POLL_ADD] &&
	       (q->sqe.len & POLL_ADD_MULTI);
}

bool uring_stays_armed(const struct uring_req *q)
{
	return multishot(q);
}

/* What is true now; a wake-up from here on is noted. */
static s64 look(struct uring_req *q)
{
	struct arming a = { .pt.queue = queue, .q = q };
	bool first = !q->nr_wait;
	u32 bits;

	store_once(&q->fired, false);
	/* WAKE (full) - pairs with wake_up_nr_key(): the file, then the queue. */
	smp_mb();
	if (!q->file->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	bits = q->file->ops->poll(q->file, first ? &a.pt : NULL);
	return a.failed ? -ENOMEM : (s64)bits;
}

/* ARMED again, unless something happened since it was looked at: 0 then. */
static s64 rearm(struct uring_req *q)
{
	s64 res = URING_PENDING;

	spin_lock(&q->pool->lock);
	if (q->cancelled || q->pool->dying)
		res = -ECANCELED;
	else if (q->fired)
		res = 0;
	else
		q->state = UR_ARMED;
	spin_unlock(&q->pool->lock);
	return res;
}

/* It stays in the queues, and says each time what is true. */
static s64 run_multishot(struct uring_req *q)
{
	s64 res;

	do {
		s64 bits = look(q);

		if (bits < 0)
			return bits;
		bits &= q->events;
		if (bits && (!q->nr_wait /* ready for ever */ || q->last_shot ||
			     !uring_post_more(q, (s32)bits)))
			return bits;
		cond_resched();
		res = rearm(q);
	} while (!res);
	return res;
}

s64 uring_poll_run(struct uring_req *q, bool wait __unused)
{
	u32 bits;

	if (multishot(q))
		return run_multishot(q);
	bits = file_poll(q->file, NULL) & q->events;
	return bits ? (s64)bits : URING_AGAIN;
}

int uring_poll_remove_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	u32 update = POLL_UPDATE_EVENTS | POLL_UPDATE_USER_DATA;

	if (s->buf_index || s->file_index || s->ioprio ||
	    (s->len & ~(update | POLL_ADD_MULTI)))
		return -EINVAL;
	if (!(s->len & update) && (s->off || s->op_flags || s->len))
		return -EINVAL;
	return 0;
}

static void rename(struct uring_req *q, u64 user_data)
{
	struct uring *r = q->ring;

	spin_lock(&r->lock);
	list_del(&q->ring_node);
	q->sqe.user_data = user_data;
	list_add_tail(&q->ring_node, uring_bucket(r, user_data));
	spin_unlock(&r->lock);
}

s64 uring_poll_remove_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;
	struct uring *r = q->ring;
	struct uring_req *old;

	spin_lock(&r->lock);
	old = uring_find_locked(r, s->addr, OP_POLL_ADD);
	spin_unlock(&r->lock);
	if (IS_ERR(old))
		return PTR_ERR(old);
	uring_disarm(old);
	if (!(s->len & (POLL_UPDATE_EVENTS | POLL_UPDATE_USER_DATA))) {
		uring_end_soon(old);
		return 0;
	}
	if (s->len & POLL_UPDATE_EVENTS) {
		old->events = (s->op_flags &
			       ~(POLL_EXCLUSIVE | POLL_ONESHOT | POLL_ET)) |
			      POLL_ALWAYS;
		old->sqe.len = (old->sqe.len & ~(u32)POLL_ADD_MULTI) |
			       (s->len & POLL_ADD_MULTI);
	}
	if (s->len & POLL_UPDATE_USER_DATA)
		rename(old, s->off);
	uring_queue(old); /* looks, and waits again */
	return 0;
}
