/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/time.c - TIMEOUT, TIMEOUT_REMOVE, LINK_TIMEOUT.
 *
 * Whoever takes a request out of TIMER (its callback, a cancellation, an event that
 * completes its count) does so by uring_claim_locked(), and then stops the timer.
 *
 * A LINK_TIMEOUT is the guard of the request before it in the chain; it is started
 * with that one.  ->guard and ->guarded are cut by the first of the two that ends.
 */
#include <syscall/uring/ops.h>

#include <kernel/mm/user.h>
#include <kernel/time/clock.h>
#include <kernel/time/posix.h>

#define NS_PER_S 1000000000ull
/* Between two events of a timeout that goes on: no program keeps the hart's timers
 * busy, whatever period it asks for. */
#define NS_APART ((u64)100000)

static int clock_of(u32 flags)
{
	return flags & TIMEOUT_BOOTTIME	  ? CLOCK_BOOTTIME
	       : flags & TIMEOUT_REALTIME ? CLOCK_REALTIME
					  : CLOCK_MONOTONIC;
}

static int read_time(u64 uts, u64 *ns)
{
	s64 ts[2];

	if (copy_from_user(ts, uts, sizeof(ts)))
		return -EFAULT;
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= (s64)NS_PER_S)
		return -EINVAL;
	*ns = (u64)ts[0] >= ~0ull / NS_PER_S - 1
		      ? WAIT_FOREVER - 1
		      : (u64)ts[0] * NS_PER_S + (u64)ts[1];
	return 0;
}

/* ---- the callback: loop context */

static void unlink_counted(struct uring_req *q)
{
	spin_lock(&q->ring->lock);
	list_del(&q->node);
	spin_unlock(&q->ring->lock);
}

static bool again(struct uring_req *q)
{
	u64 now;

	if (!(q->sqe.op_flags & TIMEOUT_MULTISHOT) ||
	    (q->time.repeats && !--q->time.repeats))
		return false;
	if (!uring_post_more(q, -ETIME))
		return false;
	now = clock_mono_ns();
	q->time.deadline += q->time.period;
	if (q->time.deadline < now + NS_APART)
		q->time.deadline = now + max(q->time.period, NS_APART);
	spin_lock(&q->pool->lock);
	q->state = UR_TIMER;
	ktimer_arm(&q->time.timer, q->time.deadline);
	spin_unlock(&q->pool->lock);
	return true;
}

static void expired(struct ktimer *k)
{
	struct uring_req *q = k->arg;
	bool mine;

	spin_lock(&q->pool->lock);
	mine = q->state == UR_TIMER && uring_claim_locked(q);
	spin_unlock(&q->pool->lock);
	if (!mine)
		return;
	unlink_counted(q);
	if (!again(q))
		uring_end(q, -ETIME);
}

/* The request that @g guards has taken too long. */
static void guard_expired(struct ktimer *k)
{
	struct uring_req *g = k->arg, *q;
	s64 res = -ETIME;
	bool mine, got = false;

	spin_lock(&g->pool->lock);
	q = g->guarded;
	mine = g->state == UR_TIMER && uring_claim_locked(g);
	if (mine && q) {
		got = uring_claim_locked(q);
		if (!got) {
			uring_interrupt_locked(q);
			res = q->op->flags & OPF_LEAVES_1 ? 1 : -EALREADY;
		}
	}
	spin_unlock(&g->pool->lock);
	if (got)
		uring_end_claimed(q);
	if (mine)
		uring_end(g, res);
}

void uring_timer_stop(struct uring_req *q)
{
	unlink_counted(q);
	(void)ktimer_cancel(&q->time.timer);
}

/* ---- TIMEOUT */

int uring_timeout_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	u32 clocks = s->op_flags & (TIMEOUT_BOOTTIME | TIMEOUT_REALTIME);
	u32 known = TIMEOUT_ABS | TIMEOUT_BOOTTIME | TIMEOUT_REALTIME |
		    TIMEOUT_ETIME_SUCCESS | TIMEOUT_MULTISHOT;
	u64 ns;
	int err;

	if (s->buf_index || s->len != 1 || s->file_index ||
	    (s->op_flags & ~known) || (clocks & (clocks - 1)))
		return -EINVAL;
	if ((s->op_flags & TIMEOUT_MULTISHOT) && (s->op_flags & TIMEOUT_ABS))
		return -EINVAL;
	err = read_time(s->addr, &ns);
	if (err)
		return err;
	q->time.period = ns;
	q->time.deadline = posix_deadline(clock_of(s->op_flags), ns,
					  s->op_flags & TIMEOUT_ABS);
	if (s->op_flags & TIMEOUT_MULTISHOT)
		q->time.repeats = (u32)s->off;
	ktimer_init(&q->time.timer,
		    q->op == &uring_ops[OP_LINK_TIMEOUT] ? guard_expired
							 : expired,
		    q);
	return 0;
}

/* Events so far, but for those of timeouts. */
static u32 uring_seen_locked(const struct uring *r)
{
	return r->cq_tail + r->nr_overflow - r->cq_timeouts;
}

s64 uring_timeout_run(struct uring_req *q, bool wait __unused)
{
	struct uring *r = q->ring;
	bool counts = q->sqe.off && !(q->sqe.op_flags & TIMEOUT_MULTISHOT);

	uring_show(q);
	spin_lock(&r->lock);
	if (counts) {
		q->time.target = uring_seen_locked(r) + (u32)q->sqe.off;
		list_add_tail(&q->node, &r->counted);
	}
	spin_lock(&q->pool->lock);
	q->state = UR_TIMER;
	ktimer_arm(&q->time.timer, q->time.deadline);
	spin_unlock(&q->pool->lock);
	spin_unlock(&r->lock);
	return URING_PENDING;
}

struct uring_req *uring_counted_locked(struct uring *r)
{
	struct uring_req *q;

	assert_held(&r->lock);
	list_for_each_entry(q, &r->counted, node) {
		if ((s32)(uring_seen_locked(r) - q->time.target) >= 0 &&
		    uring_claim(q))
			return q;
	}
	return NULL;
}

/* ---- TIMEOUT_REMOVE */

int uring_timeout_remove_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	u32 known = TIMEOUT_UPDATE | LINK_TIMEOUT_UPDATE | TIMEOUT_ABS |
		    TIMEOUT_BOOTTIME | TIMEOUT_REALTIME;

	if (s->buf_index || s->len || s->file_index || (s->op_flags & ~known))
		return -EINVAL;
	if (!(s->op_flags & (TIMEOUT_UPDATE | LINK_TIMEOUT_UPDATE)))
		return s->op_flags ? -EINVAL : 0;
	return read_time(s->off, &q->time.period);
}

/* Another deadline for a timer that runs: it stays in TIMER. */
static s64 update_locked(struct uring_req *old, u32 flags, u64 ns)
{
	s64 res = -EALREADY;

	spin_lock(&old->pool->lock);
	if (old->state == UR_TIMER && ktimer_try_cancel(&old->time.timer)) {
		old->time.period = ns;
		old->time.deadline = posix_deadline(clock_of(flags), ns,
						    flags & TIMEOUT_ABS);
		ktimer_arm(&old->time.timer, old->time.deadline);
		res = 0;
	}
	spin_unlock(&old->pool->lock);
	return res;
}

static s64 update(struct uring_req *q, u8 op)
{
	struct uring *r = q->ring;
	struct uring_req *old;
	s64 res = -ENOENT;

	spin_lock(&r->lock);
	list_for_each_entry(old, uring_bucket(r, q->sqe.addr), ring_node) {
		if (old->sqe.opcode != op || old->sqe.user_data != q->sqe.addr)
			continue;
		res = update_locked(old, q->sqe.op_flags, q->time.period);
		break;
	}
	spin_unlock(&r->lock);
	return res;
}

s64 uring_timeout_remove_run(struct uring_req *q, bool wait __unused)
{
	u32 flags = q->sqe.op_flags;
	struct uring *r = q->ring;
	struct uring_req *old;

	if (flags & LINK_TIMEOUT_UPDATE)
		return update(q, OP_LINK_TIMEOUT);
	if (flags & TIMEOUT_UPDATE)
		return update(q, OP_TIMEOUT);
	spin_lock(&r->lock);
	old = uring_find_locked(r, q->sqe.addr, OP_TIMEOUT);
	spin_unlock(&r->lock);
	if (IS_ERR(old))
		return PTR_ERR(old);
	uring_end_soon(old);
	return 0;
}

/* ---- LINK_TIMEOUT */

void uring_guard(struct uring_req *q)
{
	struct uring_req *g = q->next;

	q->next = g->next;
	g->next = NULL;
	uring_show(g);
	spin_lock(&g->pool->lock);
	q->guard = g;
	g->guarded = q;
	g->state = UR_TIMER;
	ktimer_arm(&g->time.timer, g->time.deadline);
	spin_unlock(&g->pool->lock);
}

void uring_unguard(struct uring_req *q)
{
	struct uring_pool *p = q->pool;
	struct uring_req *g;
	bool mine;

	spin_lock(&p->lock);
	g = q->guard;
	q->guard = NULL;
	if (g)
		g->guarded = NULL;
	mine = g && uring_claim_locked(g);
	spin_unlock(&p->lock);
	if (!mine)
		return;
	uring_end_claimed(g);
}
