/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/cancel.c - ending requests before their time.
 *
 * One that waits (QUEUED, ARMED, TIMER) is claimed and ended here.  One that a
 * worker executes is interrupted, and ends itself.  One that a device has ends when
 * the device says so.
 */
#include <syscall/uring/ops.h>

#include <kernel/mm/user.h>
#include <kernel/time/clock.h>

void uring_end_claimed(struct uring_req *q)
{
	if (q->op == &uring_ops[OP_TIMEOUT] ||
	    q->op == &uring_ops[OP_LINK_TIMEOUT])
		uring_timer_stop(q);
	if (current) /* not from a timer's callback */
		uring_end_here(q, -ECANCELED);
	else
		uring_end(q, -ECANCELED);
}

void uring_end_soon(struct uring_req *q)
{
	if (q->op == &uring_ops[OP_TIMEOUT] ||
	    q->op == &uring_ops[OP_LINK_TIMEOUT])
		uring_timer_stop(q);
	spin_lock(&q->pool->lock);
	q->cancelled = true;
	uring_queue_locked(q);
	q->was_armed = true;
	spin_unlock(&q->pool->lock);
}

/* What its end is called by whoever asked for it; @claimed: it is certain. */
static int told(const struct uring_req *q, bool claimed)
{
	if (q->op->flags & OPF_LEAVES_1)
		return 1;
	return claimed ? 0 : -EALREADY;
}

static bool matches(const struct uring_req *q, const struct uring_match *m)
{
	if (m->flags & CANCEL_ANY)
		return true;
	if ((m->flags & CANCEL_FD) && q->file != m->file)
		return false;
	if ((m->flags & CANCEL_OP) && q->sqe.opcode != m->opcode)
		return false;
	if (!(m->flags & (CANCEL_FD | CANCEL_OP)) ||
	    (m->flags & CANCEL_USERDATA))
		return q->sqe.user_data == m->user_data;
	return true;
}

/* Does @m ask for requests of one user_data only? */
static bool is_named(const struct uring_match *m)
{
	return !(m->flags & CANCEL_ANY) &&
	       (!(m->flags & (CANCEL_FD | CANCEL_OP)) ||
		(m->flags & CANCEL_USERDATA));
}

/* The first of @list that matches, and what it is called; *@claimed if it is ours. */
static int tell_one(const struct list_head *list, const struct uring_match *m,
		    const struct uring_req *not_this,
		    struct uring_req **claimed)
{
	struct uring_req *q;
	int res;

	list_for_each_entry(q, list, ring_node) {
		if (q == not_this || load_once(&q->cancelled) || !matches(q, m))
			continue;
		spin_lock(&q->pool->lock);
		if (uring_claim_locked(q))
			*claimed = q;
		else
			uring_interrupt_locked(q);
		res = told(q, *claimed);
		spin_unlock(&q->pool->lock);
		return res;
	}
	return -ENOENT;
}

/* One that matches: 0, -EALREADY (or 1: told to stop, once each), -ENOENT. */
static int cancel_one(struct uring *r, const struct uring_match *m,
		      const struct uring_req *not_this, bool soon)
{
	struct uring_req *q = NULL;
	int res = -ENOENT;

	spin_lock(&r->lock);
	if (is_named(m))
		res = tell_one(uring_bucket(r, m->user_data), m, not_this, &q);
	else
		for (u32 i = 0; i < URING_BUCKETS && res == -ENOENT; i++)
			res = tell_one(&r->reqs[i], m, not_this, &q);
	spin_unlock(&r->lock);
	if (q && soon)
		uring_end_soon(q);
	else if (q)
		uring_end_claimed(q);
	return res;
}

s64 uring_cancel(struct uring *r, const struct uring_match *m,
		 const struct uring_req *not_this, bool soon)
{
	bool all = m->flags & (CANCEL_ALL | CANCEL_ANY);
	s64 nr = 0;
	int res;

	do {
		res = cancel_one(r, m, not_this, soon);
		nr += res != -ENOENT;
		cond_resched_lazy();
	} while (all && res != -ENOENT);
	return all ? nr : res;
}

void uring_cancel_ring(struct uring *r)
{
	struct uring_match m = { .flags = CANCEL_ANY };

	(void)uring_cancel(r, &m, NULL, false);
}

void uring_cancel_pool(struct uring_pool *p)
{
	struct uring_req *q;
	bool claimed;

	do {
		claimed = false;
		spin_lock(&p->lock);
		list_for_each_entry(q, &p->reqs, pool_node) {
			claimed = uring_claim_locked(q);
			if (claimed)
				break;
			if (!q->cancelled)
				uring_interrupt_locked(q);
		}
		spin_unlock(&p->lock);
		if (claimed)
			uring_end_claimed(q);
	} while (claimed);
}

struct uring_req *uring_find_locked(struct uring *r, u64 user_data, u8 op)
{
	struct uring_req *q, *busy = NULL;

	assert_held(&r->lock);
	list_for_each_entry(q, uring_bucket(r, user_data), ring_node) {
		if (q->sqe.opcode != op || q->sqe.user_data != user_data)
			continue;
		if (uring_claim(q))
			return q;
		busy = q;
	}
	return ERR_PTR(busy ? -EALREADY : -ENOENT);
}

/* ---- ASYNC_CANCEL */

int uring_cancel_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	u32 known = CANCEL_ALL | CANCEL_FD | CANCEL_ANY | CANCEL_FD_FIXED |
		    CANCEL_USERDATA | CANCEL_OP;

	if (s->off || s->file_index || (s->op_flags & ~known))
		return -EINVAL;
	if ((s->op_flags & CANCEL_ANY) &&
	    (s->op_flags & (CANCEL_FD | CANCEL_FD_FIXED | CANCEL_OP)))
		return -EINVAL;
	return 0;
}

static int match_file(struct uring *r, struct uring_match *m, s32 fd)
{
	if (!(m->flags & CANCEL_FD))
		return 0;
	m->file = m->flags & CANCEL_FD_FIXED ? uring_fixed_file(r, (u32)fd)
					     : fd_get(fd);
	return m->file ? 0 : -EBADF;
}

s64 uring_cancel_run(struct uring_req *q, bool wait __unused)
{
	struct uring_match m = {
		.flags = q->sqe.op_flags,
		.user_data = q->sqe.addr,
		.opcode = (u8)q->sqe.len,
	};
	s64 n;

	if (q->sqe.flags & SQE_FIXED_FILE)
		m.flags |= CANCEL_FD_FIXED;
	n = match_file(q->ring, &m, q->sqe.fd);
	if (n)
		return n;
	n = uring_cancel(q->ring, &m, q, true);
	if (m.file)
		file_put(m.file);
	return n;
}

/* ---- REG_SYNC_CANCEL */

static bool any_left(struct uring *r, const struct uring_match *m)
{
	struct uring_req *q;
	bool any = false;

	spin_lock(&r->lock);
	for (u32 i = 0; i < URING_BUCKETS; i++)
		list_for_each_entry(q, &r->reqs[i], ring_node)
			any |= matches(q, m);
	spin_unlock(&r->lock);
	return any;
}

static u64 deadline_of(const struct uring_sync_cancel *c)
{
	if (c->sec == -1 && c->nsec == -1)
		return WAIT_FOREVER;
	return clock_mono_ns() + (u64)c->sec * 1000000000u + (u64)c->nsec;
}

s64 uring_sync_cancel(struct uring *r, u64 arg)
{
	struct uring_sync_cancel c;
	struct uring_match m;
	s64 n;
	int err = 0;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if ((c.flags & ~0x3fu) || c.sec < -1 || c.sec > INT32_MAX ||
	    c.nsec < -1 || c.nsec >= 1000000000)
		return -EINVAL;
	m = (struct uring_match){ .flags = c.flags,
				  .user_data = c.addr,
				  .opcode = c.opcode };
	n = match_file(r, &m, c.fd);
	if (n)
		return n;
	n = uring_cancel(r, &m, NULL, false);
	if (n == -EALREADY || n >= 0) {
		/* every end of a request is an event, which wakes */
		spin_lock(&r->lock);
		r->wake_at = r->cq_tail;
		r->nr_waiting++;
		spin_unlock(&r->lock);
		err = wait_event_interruptible_timeout(&r->wq, !any_left(r, &m),
						       deadline_of(&c));
		spin_lock(&r->lock);
		r->nr_waiting--;
		spin_unlock(&r->lock);
		n = err == -ETIMEDOUT	  ? -ETIME
		    : err == -ERESTARTSYS ? -EINTR
					  : 0;
	}
	if (m.file)
		file_put(m.file);
	return n;
}
