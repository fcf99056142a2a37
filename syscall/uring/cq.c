/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/cq.c - events: into the ring, or, while it is full, into a list.
 *
 * The program moves cq_head to whatever it likes: all that can come of it is that it
 * loses events of its own.
 *
 * ORDERING
 *   URINGCQ  an event before cq_tail; the program reads them in this order.
 *   CQHEAD  the program has read an event before it frees its place.
 *   EVFD  signallers are counted before they look at the eventfd; whoever takes it
 *         away looks at the count afterwards.
 */
#include <syscall/uring/uring.h>

#include <fs/event.h>
#include <kernel/mm/kmalloc.h>

#define OVERFLOW_MAX 65536u

struct lost_cqe {
	struct list_head node;
	struct uring_cqe cqe;
};

u32 uring_ready(const struct uring *r)
{
	return load_once(&r->cq_tail) - load_once(&r->sh->cq_head);
}

/* The program's cq_head is in a line of its own: looked at when need be. */
static bool cq_full(struct uring *r)
{
	if (likely(r->cq_tail - r->cq_head_seen < r->cq_entries))
		return false;
	/* CQHEAD (acquire) - other end: device (the program's cq_head). */
	r->cq_head_seen = load_acquire(&r->sh->cq_head);
	return r->cq_tail - r->cq_head_seen >= r->cq_entries;
}

static void put_locked(struct uring *r, const struct uring_cqe *c)
{
	u32 at = r->cq_tail & (r->cq_entries - 1);
	struct uring_cqe *slot =
		(void *)((u8 *)r->sh->cqe + ((size_t)at << r->cqe_shift));

	slot[0] = *c;
	if (r->flags & SETUP_CQE32)
		slot[1] = (struct uring_cqe){ 0 };
	store_once(&r->cq_tail, r->cq_tail + 1);
	/* URINGCQ (release) - other end: device (the program's cq_tail). */
	store_release(&r->sh->cq_tail, r->cq_tail);
}

/* sq_flags is ours to write, but for what the poller says: both atomically. */
static void overflow_locked(struct uring *r, const struct uring_cqe *c)
{
	struct lost_cqe *l = NULL;

	if (r->nr_overflow < OVERFLOW_MAX)
		l = kmalloc(sizeof(*l));
	if (!l) {
		store_once(&r->sh->cq_overflow, r->sh->cq_overflow + 1);
		return;
	}
	l->cqe = *c;
	list_add_tail(&l->node, &r->overflow);
	r->nr_overflow++;
	(void)atomic_fetch_or(&r->sh->sq_flags, SQ_CQ_OVERFLOW);
}

void uring_post_locked(struct uring *r, u64 user_data, s32 res, u32 flags)
{
	struct uring_cqe c = { user_data, res, flags };

	assert_held(&r->lock);
	if (likely(list_empty(&r->overflow) && !cq_full(r)))
		put_locked(r, &c);
	else
		overflow_locked(r, &c);
}

static void signal_eventfd(struct uring *r)
{
	struct file *f;

	/* EVFD (full) - pairs with uring_eventfd_set(). */
	atomic_inc(&r->signalling);
	f = load_once(&r->eventfd);
	if (f && !(load_once(&r->sh->cq_flags) & CQ_EVENTFD_DISABLED))
		eventfd_signal(f, POLL_URING_WAKE);
	atomic_dec(&r->signalling);
}

void uring_eventfd_set(struct uring *r, struct file *f)
{
	struct file *old = r->eventfd;

	store_once(&r->eventfd, f);
	/* EVFD (full) - pairs with signal_eventfd(). */
	smp_mb();
	while (load_once(&r->signalling))
		cond_resched();
	if (old)
		file_put(old);
}

void uring_announce(struct uring *r)
{
	if (unlikely(load_once(&r->eventfd)))
		signal_eventfd(r);
	if (load_once(&r->nr_waiting) &&
	    (s32)(load_once(&r->cq_tail) - load_once(&r->wake_at)) >= 0)
		wake_up_all(&r->wq);
	wake_up_all_key(&r->poll_wq, POLLIN | POLLRDNORM | POLL_URING_WAKE);
}

void uring_post(struct uring *r, u64 user_data, s32 res, u32 flags)
{
	spin_lock(&r->lock);
	uring_post_locked(r, user_data, res, flags);
	spin_unlock(&r->lock);
	uring_announce(r);
}

bool uring_post_more(struct uring_req *q, s32 res)
{
	struct uring *r = q->ring;
	bool room;

	spin_lock(&r->lock);
	room = list_empty(&r->overflow) && !cq_full(r);
	if (room)
		uring_post_locked(r, q->sqe.user_data, res,
				  q->cqe_flags | CQE_F_MORE);
	spin_unlock(&r->lock);
	if (!room)
		return false;
	q->cqe_flags = 0;
	uring_announce(r);
	return true;
}

void uring_flush_overflow(struct uring *r)
{
	struct lost_cqe *l;

	if (likely(list_empty(&r->overflow)))
		return;
	spin_lock(&r->lock);
	while (!cq_full(r)) {
		l = list_first_entry_or_null(&r->overflow, struct lost_cqe,
					     node);
		if (!l)
			break;
		list_del(&l->node);
		r->nr_overflow--;
		put_locked(r, &l->cqe);
		kfree(l);
	}
	if (list_empty(&r->overflow))
		(void)atomic_fetch_and(&r->sh->sq_flags, ~(u32)SQ_CQ_OVERFLOW);
	spin_unlock(&r->lock);
}

void uring_drop_overflow(struct uring *r)
{
	struct lost_cqe *l, *tmp;

	list_for_each_entry_safe(l, tmp, &r->overflow, node) {
		list_del(&l->node);
		kfree(l);
	}
}
