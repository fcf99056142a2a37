/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/req.c - requests: out of the SQ ring, in chains, to their end.
 *
 * A chain (SQE_IO_LINK) is a list by ->next.  Its head is started; the others are
 * HELD, owned by the one before them.  A request that must wait for all before it
 * (SQE_IO_DRAIN), and all behind that one, are HELD on ring->deferred.
 *
 * ORDERING
 *   URINGSQ  the program's entries before its sq_tail.
 *   SQHEAD  our copies of them before sq_head, which gives their places back.
 */
#include <syscall/uring/uring.h>

#include <kernel/assert.h>
#include <kernel/dev/blk.h>
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

static struct uring_req *req_new(struct uring *r, struct uring_pool *p)
{
	struct uring_req *q = kmem_cache_alloc(req_cache);

	if (q)
		req_init(q, r, p);
	return q;
}

/* All but its memory. */
static void req_clear(struct uring_req *q)
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

static void req_free(struct uring_req *q)
{
	req_clear(q);
	kmem_cache_free(req_cache, q);
}

/* What it borrows from its submitter becomes its own. */
static void own(struct uring_req *q)
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
		req_free(q);
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
	list_add_tail(&q->ring_node, &r->reqs);
	spin_lock(&q->pool->lock);
	q->state = UR_RUNNING;
	list_add_tail(&q->pool_node, &q->pool->reqs);
	spin_unlock(&q->pool->lock);
}

void uring_show(struct uring_req *q)
{
	if (q->shown)
		return;
	own(q);
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
static bool start(struct uring_req *q)
{
	struct uring *r = q->ring;
	bool defer;

	spin_lock(&r->lock);
	defer = must_defer_locked(q);
	if (defer)
		list_add_tail(&q->node, &r->deferred);
	else
		show_locked(q);
	spin_unlock(&r->lock);
	return !defer;
}

/* The oldest deferred one, if its turn has come: enlisted.  r->lock held. */
static struct uring_req *undefer_locked(struct uring *r)
{
	struct uring_req *q =
		list_first_entry_or_null(&r->deferred, struct uring_req, node);

	if (!q || ((q->sqe.flags & SQE_IO_DRAIN) && r->nr_active))
		return NULL;
	list_del(&q->node);
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
	spin_lock(&q->pool->lock);
	list_del(&q->pool_node);
	spin_unlock(&q->pool->lock);
	spin_unlock(&r->lock);
	uring_announce(r);
	if (q->op == &uring_ops[OP_TIMEOUT]) /* ends any wait for events */
		wake_up_all(&r->wq);
}

/* Timeouts that counted the events up to now. */
static void end_counted(struct uring *r)
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

/* All but the memory.  The successor, RUNNING, or NULL. */
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
	end_counted(r);
	if (unlikely(load_once(&q->pool->dying)))
		wake_up_all(&q->pool->gone);
	return next;
}

struct uring_req *uring_complete(struct uring_req *q, s64 res)
{
	struct uring_req *next = finish(q, res);

	req_free(q);
	return next;
}

void uring_end(struct uring_req *q, s64 res)
{
	struct uring_req *next = finish(q, res);

	ended(q);
	if (next)
		uring_queue(next);
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
	struct cred *mine = t->cred;
	s64 res;

	t->fd_given = q->file;
	t->cred = q->cred;
	res = q->op->run(q, wait);
	t->cred = mine;
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

static s64 issue(struct uring_req *q, bool wait)
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
	for (;;) {
		if (must_stop(q))
			return -ECANCELED;
		res = execute(q, wait);
		if (res != URING_AGAIN)
			return res;
		if (!q->file->ops->poll)
			return URING_PUNT;
		if (!uring_arm(q))
			return URING_PENDING;
	}
}

void uring_run(struct uring_req *q, bool wait)
{
	s64 res;

	for (; q; q = uring_complete(q, res)) {
		if (wait)
			uring_working_on(q);
		if (q->next && q->next->op == &uring_ops[OP_LINK_TIMEOUT])
			uring_guard(q);
		res = issue(q, wait);
		if (res == URING_PUNT)
			uring_queue(q);
		if (res == URING_PUNT || res == URING_PENDING)
			break;
	}
	if (wait)
		uring_working_on(NULL);
}

/* ---- submission */

static int check_flags(const struct uring *r, const struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->flags & ~SQE_KNOWN)
		return -EINVAL;
	if ((s->flags & SQE_BUFFER_SELECT) && !(q->op->flags & OPF_BUFFER))
		return -EOPNOTSUPP;
	if ((s->flags & SQE_CQE_SKIP) && (s->flags & SQE_IO_DRAIN))
		return -EOPNOTSUPP;
	if (s->ioprio && !(q->op->flags & OPF_PRIO))
		return -EINVAL;
	if (!r->restricted)
		return 0;
	if (!(r->allowed_ops & BIT(s->opcode)) ||
	    (s->flags & r->required_flags) != r->required_flags ||
	    (s->flags & ~(r->allowed_flags | r->required_flags)))
		return -EACCES;
	return 0;
}

static int get_cred(struct uring_req *q)
{
	struct uring *r = q->ring;
	u32 id = q->sqe.personality;

	if (likely(!id))
		return 0;
	if (id > URING_PERSONS)
		return -EINVAL;
	mutex_lock(&r->tables);
	if (r->person[id - 1]) {
		q->cred = r->person[id - 1];
		own(q);
	}
	mutex_unlock(&r->tables);
	return q->owns ? 0 : -EINVAL;
}

static int prepare(struct uring_req *q)
{
	int err;

	q->cred = current->cred;
	if (q->sqe.opcode >= NR_OPS || !uring_ops[q->sqe.opcode].run) {
		q->op = &uring_ops[OP_NOP];
		return q->sqe.opcode < NR_OPS ? -EOPNOTSUPP : -EINVAL;
	}
	q->op = &uring_ops[q->sqe.opcode];
	err = check_flags(q->ring, q);
	if (!err)
		err = get_cred(q);
	if (!err && q->op->prep)
		err = q->op->prep(q);
	q->prepared = !err;
	return err;
}

/* The chain that is being read. */
struct chain {
	struct uring_req *head, *last;
	struct uring_req *bad; /* of it; could not be prepared */
	int err;
};

/* A chain with a request that makes no sense is not begun. */
static void reject(struct chain *c)
{
	struct uring_req *q = c->head;

	while (q) {
		struct uring_req *next = q->next;

		uring_post(q->ring, q->sqe.user_data,
			   q == c->bad ? c->err : -ECANCELED, 0);
		req_free(q);
		q = next;
	}
}

static void launch(struct chain *c)
{
	struct chain now = *c;

	*c = (struct chain){ 0 };
	if (!now.head)
		return;
	if (now.bad)
		reject(&now);
	else if (start(now.head))
		uring_run(now.head, false);
}

/* A guard stands behind a request, not alone and not behind another guard. */
static int check_guard(const struct chain *c, const struct uring_req *q)
{
	const struct uring_op *guard = &uring_ops[OP_LINK_TIMEOUT];

	if (q->op != guard || (c->last && c->last->op != guard))
		return 0;
	return -EINVAL;
}

/* SQE_IO_DRAIN within a chain: all of it waits, and so does the next one. */
static void drain_chain(struct chain *c, struct uring_req *q)
{
	struct uring *r = q->ring;

	if (!c->head && r->drain_next) {
		r->drain_next = false;
		q->sqe.flags |= SQE_IO_DRAIN;
	} else if (c->head && (q->sqe.flags & SQE_IO_DRAIN)) {
		r->drain_next = true;
		c->head->sqe.flags |= SQE_IO_DRAIN;
	}
}

/* 0, or what is wrong with @q if that ends the batch. */
static int append(struct chain *c, struct uring_req *q, int err)
{
	bool more = q->sqe.flags & (SQE_IO_LINK | SQE_IO_HARDLINK);

	drain_chain(c, q);
	if (!err)
		err = check_guard(c, q);
	if (err && !c->bad) {
		c->bad = q;
		c->err = err;
	}
	if (c->last)
		c->last->next = q;
	else
		c->head = q;
	c->last = q;
	if (!more)
		launch(c);
	return more ? 0 : err;
}

u32 uring_sq_pending(const struct uring *r)
{
	/* URINGSQ (acquire) - other end: device (the program's sq_tail). */
	u32 n = load_acquire(&r->sh->sq_tail) - r->sq_head;

	return min(n, r->sq_entries);
}

static void copy_sqe(struct uring_sqe *to, const void *from)
{
	u64 *t = (u64 *)to;
	const u64 *f = from;

	for (u32 i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] = load_once(&f[i]); /* each once: it may change */
}

/* Copy the next entry; false: its index makes no sense. */
static bool take_sqe(struct uring *r, struct uring_sqe *s)
{
	u32 at = r->sq_head & (r->sq_entries - 1);

	if (r->sq_array)
		at = load_once(&r->sq_array[at]);
	if (at < r->sq_entries)
		copy_sqe(s, r->sqes.mem + ((size_t)at << r->sqe_shift));
	else
		store_once(&r->sh->sq_dropped, r->sh->sq_dropped + 1);
	r->sq_head++;
	/* SQHEAD (release) - other end: device (the program's sq_head). */
	store_release(&r->sh->sq_head, r->sq_head);
	return at < r->sq_entries;
}

/* ---- the quick way: a request that nobody else ever sees */

#define BATCH 16u

/* Events of such requests, in order, that are not in the CQ ring yet. */
struct batch {
	struct uring *ring;
	u32 nr;
	struct uring_cqe cqe[BATCH];
};

static void flush(struct batch *b)
{
	struct uring *r = b->ring;

	if (!b->nr)
		return;
	spin_lock(&r->lock);
	for (u32 i = 0; i < b->nr; i++)
		uring_post_locked(r, b->cqe[i].user_data, b->cqe[i].res,
				  b->cqe[i].flags);
	spin_unlock(&r->lock);
	b->nr = 0;
	uring_announce(r);
	end_counted(r);
	cond_resched_lazy();
}

static bool is_quick(const struct uring *r, const struct uring_sqe *s,
		     const struct chain *c)
{
	return s->opcode < NR_OPS && (uring_ops[s->opcode].flags & OPF_QUICK) &&
	       !(s->flags & ~(SQE_FIXED_FILE | SQE_BUFFER_SELECT)) &&
	       !s->personality && !s->ioprio && !c->head && !r->drain_next &&
	       !r->restricted && list_empty(&r->deferred);
}

/* 0 or what is wrong with it; *@spare is NULL if somebody else has it now. */
static int run_quick(struct uring_req **spare, struct batch *b)
{
	struct uring_req *q = *spare;
	int err = prepare(q);
	s64 res = err ? err : issue(q, false);

	if (res == URING_PUNT) {
		uring_show(q);
		uring_queue(q);
	}
	if (res == URING_PUNT || res == URING_PENDING) {
		*spare = NULL;
		return 0;
	}
	b->cqe[b->nr++] =
		(struct uring_cqe){ q->sqe.user_data, (s32)res, q->cqe_flags };
	if (unlikely(q->shown)) { /* it was armed, but had no need to be */
		b->nr--;
		flush(b);
		uring_end_here(q, res);
		*spare = NULL;
		return err;
	}
	req_clear(q);
	/* What such a request may have changed; it is the next one now. */
	q->prepared = false;
	q->file = NULL;
	q->cqe_flags = 0;
	q->buf.have = false;
	q->done = 0;
	if (b->nr == BATCH)
		flush(b);
	return err;
}

static s64 submit_locked(struct uring *r, struct uring_pool *p, u32 nr)
{
	struct batch b;
	struct uring_req *q = r->spare;
	struct chain c = { 0 };
	u32 done = 0;
	int err = 0;

	b.ring = r;
	b.nr = 0;
	nr = min(nr, uring_sq_pending(r));
	if (q)
		q->pool = p;
	for (; done < nr && (!err || (r->flags & SETUP_SUBMIT_ALL)); done++) {
		if (!q)
			q = req_new(r, p);
		if (!q) {
			err = -EAGAIN;
			break;
		}
		if (!take_sqe(r, &q->sqe))
			break;
		if (is_quick(r, &q->sqe, &c)) {
			err = run_quick(&q, &b);
			continue;
		}
		flush(&b);
		err = prepare(q);
		own(q);
		err = append(&c, q, err);
		q = NULL;
	}
	flush(&b);
	launch(&c);
	r->spare = q;
	return done ? (s64)done : err;
}

void uring_submit_polled(struct uring *r, struct uring_pool *p)
{
	blk_plug();
	(void)submit_locked(r, p, r->sq_entries);
	blk_unplug();
	uring_reap(p);
}

s64 uring_submit(struct uring *r, u32 nr)
{
	struct uring_pool *p = uring_pool_of_current();
	s64 n;

	if (IS_ERR(p))
		return PTR_ERR(p);
	mutex_lock(&r->submit);
	blk_plug(); /* one doorbell for all */
	n = submit_locked(r, p, nr);
	blk_unplug();
	mutex_unlock(&r->submit);
	uring_reap(p);
	return n;
}
