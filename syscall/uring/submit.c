/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/submit.c - requests out of the SQ ring: checked, put into chains, and
 * started; those that are done at once without anybody else's ever seeing them.
 *
 * ORDERING
 *   URINGSQ  the program's entries before its sq_tail.
 *   SQHEAD  our copies of them before sq_head, which gives their places back.
 */
#include <syscall/uring/uring.h>

#include <kernel/dev/blk.h>

/* ---- one entry */

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
		uring_own(q);
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
		uring_req_free(q);
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
	else if (uring_start(now.head))
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
	uring_end_counted(r);
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
	s64 res = err ? err : uring_issue(q, false);

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
	uring_req_clear(q);
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
			q = uring_req_new(r, p);
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
		uring_own(q);
		err = append(&c, q, err);
		q = NULL;
		cond_resched_lazy();
	}
	flush(&b);
	launch(&c);
	r->spare = q;
	return done ? (s64)done : err;
}

s64 uring_submit_alone(struct uring *r, struct uring_pool *p, u32 nr)
{
	s64 n;

	blk_plug(); /* one doorbell for all */
	n = submit_locked(r, p, nr);
	blk_unplug();
	return n;
}

s64 uring_submit(struct uring *r, u32 nr)
{
	struct uring_pool *p = uring_pool_of_current();
	s64 n;

	if (IS_ERR(p))
		return PTR_ERR(p);
	mutex_lock(&r->submit);
	n = uring_submit_alone(r, p, nr);
	mutex_unlock(&r->submit);
	uring_reap(p);
	return n;
}
