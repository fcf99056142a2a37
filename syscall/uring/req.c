/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/req.c - the life of a request: start, execution, end.
 *
 * A chain (SQE_IO_LINK) is a list by ->next.  Its head is started; the others are
 * HELD, owned by the one before them.  A request that must wait for all before it
 * (SQE_IO_DRAIN), and all behind that one, are HELD on ring->deferred.
 *
 * Not here: how it comes out of the ring (submit.c).
 */
#include <syscall/uring/uring.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/string.h>

static struct kmem_cache *req_cache; /* [I after boot] */

static int uring_init(void)
{
	req_cache =
		kmem_cache_create("io_uring_req", sizeof(struct uring_req), 64);
	return req_cache ? 0 : -ENOMEM;
}
INITCALL(INIT_CORE, uring_init);

/* ---- memory */

/* Its references are the submitter's until it is shown. */
static void req_init(struct uring_req *q, struct uring *r, struct uring_pool *p)
{
	memset(q, 0, offsetof(struct uring_req, sqe));
	q->ring = r;
	q->pool = p;
	q->state = UR_HELD;
	list_init(&q->node);
	list_init(&q->ring_node);
	list_init(&q->pool_node);
}

struct uring_req *uring_req_new(struct uring *r, struct uring_pool *p)
{
	struct uring_req *q = kmem_cache_alloc(req_cache);

	if (q)
		req_init(q, r, p);
	return q;
}

/* All but its memory. */
void uring_req_clear(struct uring_req *q)
{
	if (q->prepared && q->op->drop)
		q->op->drop(q);
	if (q->file)
		file_put(q->file);
	if (!q->owns)
		return;
	cred_put(q->cred);
	uring_pool_put(q->pool);
	uring_put(q->ring);
}

void uring_req_free(struct uring_req *q)
{
	uring_req_clear(q);
	kmem_cache_free(req_cache, q);
}

/* What it borrows from its submitter becomes its own. */
void uring_own(struct uring_req *q)
{
	if (q->owns)
		return;
	q->owns = true;
	q->cred = cred_get(q->cred);
	atomic_inc(&q->pool->refs);
	(void)uring_get(q->ring);
}

void uring_spare_free(struct uring *r)
{
	if (r->spare)
		kmem_cache_free(req_cache, r->spare);
}

void uring_reap(struct uring_pool *p)
{
	struct uring_req *q;

	if (likely(list_empty(&p->ended)))
		return;
	for (;;) {
		spin_lock(&p->lock);
		q = list_first_entry_or_null(&p->ended, struct uring_req, node);
		if (q)
			list_del(&q->node);
		spin_unlock(&p->lock);
		if (!q)
			return;
		uring_req_free(q);
	}
}

/* ---- start */

static void show_locked(struct uring_req *q)
{
	struct uring *r = q->ring;

	assert_held(&r->lock);
	KASSERT(!q->shown);
	q->shown = true;
	r->nr_active++;
	list_add_tail(&q->ring_node, uring_bucket(r, q->sqe.user_data));
	spin_lock(&q->pool->lock);
	q->state = UR_RUNNING;
	list_add_tail(&q->pool_node, &q->pool->reqs);
	spin_unlock(&q->pool->lock);
}

void uring_show(struct uring_req *q)
{
	if (q->shown)
		return;
	uring_own(q);
	spin_lock(&q->ring->lock);
	show_locked(q);
	spin_unlock(&q->ring->lock);
}

static bool must_defer_locked(const struct uring_req *q)
{
	if (!list_empty(&q->ring->deferred))
		return true;
	return (q->sqe.flags & SQE_IO_DRAIN) && q->ring->nr_active;
}

/* HELD to RUNNING; false: deferred. */
bool uring_start(struct uring_req *q)
{
	struct uring *r = q->ring;
	bool defer;

	spin_lock(&r->lock);
	defer = must_defer_locked(q);
	if (defer) {
		list_add_tail(&q->node, &r->deferred);
		spin_lock(&q->pool->lock);
		list_add_tail(&q->pool_node, &q->pool->held);
		spin_unlock(&q->pool->lock);
	} else {
		show_locked(q);
	}
	spin_unlock(&r->lock);
	return !defer;
}

static void unhold_locked(struct uring_req *q)
{
	list_del(&q->node);
	spin_lock(&q->pool->lock);
	list_del(&q->pool_node);
	spin_unlock(&q->pool->lock);
}

/* The oldest deferred one, if its turn has come: enlisted.  r->lock held. */
static struct uring_req *undefer_locked(struct uring *r)
{
	struct uring_req *q =
		list_first_entry_or_null(&r->deferred, struct uring_req, node);

	if (!q || ((q->sqe.flags & SQE_IO_DRAIN) && r->nr_active))
		return NULL;
	unhold_locked(q);
	show_locked(q);
	return q;
}

static int get_file(struct uring_req *q)
{
	if (!(q->op->flags & OPF_FILE) || q->file)
		return 0;
	if (q->sqe.flags & SQE_FIXED_FILE)
		q->file = uring_fixed_file(q->ring, (u32)q->sqe.fd);
	else
		q->file = fd_get(q->sqe.fd);
	return q->file ? 0 : -EBADF;
}

/* ---- end */

/* @q has broken its chain if it was not as successful as was asked for. */
static bool breaks_chain(const struct uring_req *q, s64 res)
{
	if (res < 0)
		return !(q->op == &uring_ops[OP_TIMEOUT] && res == -ETIME &&
			 (q->sqe.op_flags & TIMEOUT_ETIME_SUCCESS));
	return (q->op->flags & OPF_SHORT_BAD) &&
	       !(q->sqe.flags & SQE_BUFFER_SELECT) &&
	       res < (s64)iov_iter_count(&q->rw.it);
}

static void ended(struct uring_req *q)
{
	struct uring_pool *p = q->pool;

	spin_lock(&p->lock);
	list_add_tail(&q->node, &p->ended);
	spin_unlock(&p->lock);
}

/* @q's end is complete: nothing of its process's waits for it any more.  @reap: nor
 * has it an owner. */
static void leave_pool(struct uring_req *q, bool reap)
{
	struct uring_pool *p = q->pool;
	bool dying;

	spin_lock(&p->lock);
	list_del(&q->pool_node);
	if (reap)
		list_add_tail(&q->node, &p->ended);
	dying = p->dying;
	if (unlikely(dying))
		atomic_inc(&p->refs); /* @q's may go */
	spin_unlock(&p->lock);
	if (likely(!dying))
		return;
	wake_up_all(&p->gone);
	uring_pool_put(p);
}

/* The rest of a chain that is broken; none of them was started.  @silent: the one
 * that broke it was to be heard of only if it failed, and speaks for all. */
static void fail_chain(struct uring_req *q, bool silent)
{
	while (q) {
		struct uring_req *next = q->next;

		if (!silent)
			uring_post(q->ring, q->sqe.user_data, -ECANCELED, 0);
		ended(q);
		q = next;
	}
}

static bool wants_event(const struct uring_req *q, s64 res)
{
	if (!(q->sqe.flags & SQE_CQE_SKIP))
		return true;
	return res < 0 && q->op != &uring_ops[OP_LINK_TIMEOUT];
}

/* Its event, and @next, or NULL, in its place: U1, and P3 of pool.c. */
static void post_result(struct uring_req *q, s64 res, struct uring_req *next)
{
	struct uring *r = q->ring;
	struct uring_req *go;

	spin_lock(&r->lock);
	if (wants_event(q, res)) {
		uring_post_locked(r, q->sqe.user_data, (s32)res, q->cqe_flags);
		r->cq_timeouts += q->op == &uring_ops[OP_TIMEOUT];
	}
	list_del(&q->ring_node);
	if (next)
		show_locked(next);
	r->nr_active--;
	while ((go = undefer_locked(r)))
		uring_queue(go);
	spin_unlock(&r->lock);
	uring_announce(r);
	if (q->op == &uring_ops[OP_TIMEOUT]) /* ends any wait for events */
		wake_up_all(&r->wq);
}

/* Timeouts that counted the events up to now. */
void uring_end_counted(struct uring *r)
{
	struct uring_req *q;

	if (likely(list_empty(&r->counted)))
		return;
	spin_lock(&r->lock);
	/* Ending one makes an event: who does that already will see ours. */
	while (!r->counting && (q = uring_counted_locked(r))) {
		r->counting = true;
		spin_unlock(&r->lock);
		uring_timer_stop(q);
		uring_end(q, 0);
		spin_lock(&r->lock);
		r->counting = false;
	}
	spin_unlock(&r->lock);
}

/* All but leave_pool() and the memory.  The successor, RUNNING, or NULL. */
static struct uring_req *finish(struct uring_req *q, s64 res)
{
	struct uring *r = q->ring;
	struct uring_req *next = q->next, *bad = NULL;

	q->next = NULL;
	if (q->nr_wait)
		uring_disarm(q);
	if (next && breaks_chain(q, res) && !(q->sqe.flags & SQE_IO_HARDLINK)) {
		bad = next;
		next = NULL;
	}
	if (q->guard)
		uring_unguard(q);
	post_result(q, res, next);
	fail_chain(bad, q->sqe.flags & SQE_CQE_SKIP);
	uring_end_counted(r);
	return next;
}

struct uring_req *uring_complete(struct uring_req *q, s64 res)
{
	struct uring_req *next = finish(q, res);

	leave_pool(q, false);
	uring_req_free(q);
	return next;
}

void uring_end(struct uring_req *q, s64 res)
{
	struct uring_req *next = finish(q, res);

	leave_pool(q, true);
	if (next)
		uring_queue(next);
}

/* The oldest of @p that @r has deferred, and what follows it. */
static void cancel_held_in(struct uring *r, const struct uring_pool *p)
{
	struct uring_req *q, *found = NULL, *go;

	spin_lock(&r->lock);
	list_for_each_entry(q, &r->deferred, node) {
		if (q->pool == p) {
			found = q;
			break;
		}
	}
	if (found)
		unhold_locked(found);
	while ((go = undefer_locked(r)))
		uring_queue(go);
	spin_unlock(&r->lock);
	fail_chain(found, false);
}

bool uring_cancel_held(struct uring_pool *p)
{
	struct uring_req *q;
	struct uring *r;
	bool any = false;

	for (;; any = true) {
		spin_lock(&p->lock);
		q = list_first_entry_or_null(&p->held, struct uring_req,
					     pool_node);
		r = q ? uring_get(q->ring) : NULL;
		spin_unlock(&p->lock);
		if (!r)
			return any;
		cancel_held_in(r, p);
		uring_put(r);
		cond_resched();
	}
}

void uring_end_here(struct uring_req *q, s64 res)
{
	struct uring_req *next = uring_complete(q, res);

	if (next)
		uring_queue(next);
}

/* ---- execution */

static s64 execute(struct uring_req *q, bool wait)
{
	struct thread *t = current;
	struct cred *mine = cred_act(q->cred);
	s64 res;

	t->fd_given = q->file;
	res = q->op->run(q, wait);
	(void)cred_act(mine);
	t->fd_given = NULL;
	if (res <= -512 && res > URING_PENDING) /* -ERESTART* */
		res = load_once(&q->cancelled) ? -ECANCELED : -EINTR;
	return res;
}

/* U4 */
static bool must_stop(const struct uring_req *q)
{
	return load_once(&q->pool->dying) || load_once(&q->ring->dead) ||
	       load_once(&q->cancelled);
}

s64 uring_issue(struct uring_req *q, bool wait)
{
	u16 flags = q->op->flags;
	s64 res;

	if (must_stop(q))
		return -ECANCELED;
	res = get_file(q);
	if (res)
		return res;
	if (!wait && ((flags & OPF_PUNT) || (q->sqe.flags & SQE_ASYNC)))
		return URING_PUNT;
	if (flags & OPF_POLL_IN)
		q->events = POLLIN | POLLRDNORM;
	else if (flags & OPF_POLL_OUT)
		q->events = POLLOUT | POLLWRNORM;
	do {
		res = execute(q, wait);
		if (res != URING_AGAIN)
			return res;
		if (!q->file->ops->poll)
			return URING_PUNT;
		if (!uring_arm(q))
			return URING_PENDING;
	} while (!must_stop(q));
	return -ECANCELED;
}

void uring_run(struct uring_req *q, bool wait)
{
	s64 res;

	for (; q; q = uring_complete(q, res)) {
		if (wait)
			uring_working_on(q);
		if (q->next && q->next->op == &uring_ops[OP_LINK_TIMEOUT])
			uring_guard(q);
		res = uring_issue(q, wait);
		if (res == URING_PUNT)
			uring_queue(q);
		if (res == URING_PUNT || res == URING_PENDING)
			break;
	}
	if (wait)
		uring_working_on(NULL);
}
