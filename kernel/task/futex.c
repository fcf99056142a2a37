/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex.c - waiting for words of user memory; see futex.h.
 *
 * INVARIANTS
 *   I1  A queued waiter found the word to be what its caller said, under the lock
 *       of the bucket in which it then was queued.
 *   I2  A waker takes the waiter off its bucket, sets woken, and wakes, all under
 *       the bucket's lock; the waiter takes that lock once more before its
 *       futex_q goes away.
 *
 * User memory is read under a bucket's lock by the _nofault forms only; when the
 * page is not there the lock is dropped, the page faulted in and all begun anew.
 *
 * Not here: priority inheritance (futex_pi.c, futex_requeue_pi.c), exit (futex_robust.c).
 */
#include <kernel/task/futex.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/sched/wait.h>
#include <kernel/time/posix.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/hash.h>

struct futex_bucket futex_buckets[FUTEX_NR_BUCKETS];

static int futex_init(void)
{
	for (u32 i = 0; i < FUTEX_NR_BUCKETS; i++) {
		spin_init(&futex_buckets[i].lock, "futex", RANK_FUTEX);
		list_init(&futex_buckets[i].waiters);
	}
	return 0;
}
INITCALL(INIT_CORE, futex_init);

int futex_key(uaddr_t a, bool shared, struct futex_key *key)
{
	struct mm *mm = current->mm;
	struct vma *v;

	if (a & 3)
		return -EINVAL;
	if (a >= USER_TOP)
		return -EFAULT;
	*key = (struct futex_key){ .object = mm, .off = a };
	if (!shared)
		return 0;
	down_read(&mm->lock);
	v = mm_find_vma(mm, a);
	if (!v || v->start > a) {
		up_read(&mm->lock);
		return -EFAULT;
	}
	if ((v->flags & VM_SHARED) && v->mapping) {
		key->object = v->mapping;
		key->off = (v->pgoff << PAGE_SHIFT) + (a - v->start);
	}
	up_read(&mm->lock);
	return 0;
}

struct futex_bucket *futex_bucket(const struct futex_key *key)
{
	u64 h = hash64((u64)key->object ^ (key->off << 16) ^ (key->off >> 2));

	return &futex_buckets[h % FUTEX_NR_BUCKETS];
}

/* The first to be woken is the one of highest priority that has waited longest. */
static void enlist(struct futex_q *q, struct futex_bucket *b)
{
	struct futex_q *o;

	if (likely(!q->prio)) {
		list_add_tail(&q->node, &b->waiters);
		return;
	}
	list_for_each_entry(o, &b->waiters, node) {
		if (o->prio < q->prio)
			break;
	}
	list_add_tail(&q->node, &o->node);
}

void futex_queue(struct futex_q *q, struct futex_bucket *b)
{
	assert_held(&b->lock);
	q->thread = current;
	q->prio = load_once(&current->rt_prio);
	q->bucket = b;
	enlist(q, b);
}

void futex_move(struct futex_q *q, struct futex_bucket *b,
		const struct futex_key *key)
{
	assert_held(&b->lock);
	list_del(&q->node);
	enlist(q, b);
	q->key = *key;
	store_once(&q->bucket, b);
}

int futex_suspend(struct futex_q *q, u64 deadline_ns)
{
	struct waitq nobody = WAITQ_INIT(nobody); /* woken by thread_wake() */

	return wait_event_clock(&nobody, load_once(&q->woken), deadline_ns);
}

/* The bucket in which @q is or last was, locked. */
static struct futex_bucket *lock_bucket_of(struct futex_q *q)
{
	for (;;) {
		struct futex_bucket *b = load_once(&q->bucket);

		spin_lock(&b->lock);
		if (b == q->bucket)
			return b;
		spin_unlock(&b->lock); /* requeued meanwhile */
	}
}

bool futex_unqueue(struct futex_q *q)
{
	struct futex_bucket *b = lock_bucket_of(q);
	bool was = !q->woken;

	if (was)
		list_del(&q->node);
	spin_unlock(&b->lock);
	return was;
}

void futex_wake_q(struct futex_q *q)
{
	assert_held(&q->bucket->lock);
	list_del(&q->node);
	store_once(&q->woken, 1);
	thread_wake(q->thread);
}

struct futex_q *futex_first_pi(struct futex_bucket *b,
			       const struct futex_key *key, bool *more)
{
	struct futex_q *q, *first = NULL;

	*more = false;
	list_for_each_entry(q, &b->waiters, node) {
		if (!q->pi || !futex_key_equal(&q->key, key))
			continue;
		*more = first != NULL;
		if (!first || first->thread->rt_prio < q->thread->rt_prio)
			first = q;
	}
	return first;
}

int futex_lock_and_compare(struct futex_bucket *b, uaddr_t a, u32 val)
{
	u32 cur;

	for (;;) {
		int err;

		spin_lock(&b->lock);
		err = get_user_u32_nofault(&cur, a);
		if (!err && cur == val)
			return 0;
		spin_unlock(&b->lock);
		if (!err)
			return -EAGAIN;
		err = get_user_u32(&cur, a);
		if (err)
			return err;
		cond_resched();
	}
}

int futex_wait(uaddr_t a, bool shared, u32 val, u32 bitset, u64 deadline_ns)
{
	struct futex_q q = { .bitset = bitset };
	struct futex_bucket *b;
	int err;

	if (!bitset)
		return -EINVAL;
	err = futex_key(a, shared, &q.key);
	if (err)
		return err;
	b = futex_bucket(&q.key);
	err = futex_lock_and_compare(b, a, val);
	if (err)
		return err;
	futex_queue(&q, b);
	spin_unlock(&b->lock);
	err = futex_suspend(&q, deadline_ns);
	/* Whoever was chosen by a waker has been woken, whatever else happened. */
	return futex_unqueue(&q) ? err : 0;
}

/* Wake up to @nr plain waiters of @key; the lock is held.  -EINVAL: a waiter that
 * wants to own the word was found. */
static int wake_held(struct futex_bucket *b, const struct futex_key *key,
		     int nr, u32 bitset)
{
	struct futex_q *q, *next;
	int woken = 0;

	list_for_each_entry_safe(q, next, &b->waiters, node) {
		if (!futex_key_equal(&q->key, key))
			continue;
		if (q->pi || q->to_pi)
			return woken ? woken : -EINVAL;
		if (!(q->bitset & bitset))
			continue;
		futex_wake_q(q);
		if (++woken >= nr)
			break;
	}
	return woken;
}

int futex_wake(uaddr_t a, bool shared, int nr, u32 bitset)
{
	struct futex_key key;
	struct futex_bucket *b;
	int r;

	if (!bitset)
		return -EINVAL;
	r = futex_key(a, shared, &key);
	if (r)
		return r;
	b = futex_bucket(&key);
	spin_lock(&b->lock);
	r = wake_held(b, &key, nr, bitset);
	spin_unlock(&b->lock);
	return r;
}

/* --- two words */

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	struct futex_bucket *first = a < b ? a : b;
	struct futex_bucket *second = a < b ? b : a;

	spin_lock(&first->lock);
	if (first != second)
		spin_lock_nested(&second->lock);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	struct futex_bucket *first = a < b ? a : b;
	struct futex_bucket *second = a < b ? b : a;

	/* the inner one first: ranks are restored in reverse */
	if (first != second)
		spin_unlock(&second->lock);
	spin_unlock(&first->lock);
}

int futex_try_lock_two(struct futex_bucket *ba, struct futex_bucket *bb,
		       uaddr_t a, const u32 *cmp)
{
	u32 cur;
	int err;

	lock_two(ba, bb);
	if (!cmp)
		return 0;
	err = get_user_u32_nofault(&cur, a);
	if (!err && cur == *cmp)
		return 0;
	futex_unlock_two(ba, bb);
	return err ? err : -EAGAIN;
}

int futex_lock_two(struct futex_bucket *ba, struct futex_bucket *bb, uaddr_t a,
		   const u32 *cmp)
{
	u32 cur;

	for (;;) {
		int err = futex_try_lock_two(ba, bb, a, cmp);

		if (err != -EFAULT)
			return err;
		err = get_user_u32(&cur, a);
		if (err)
			return err;
		cond_resched();
	}
}

struct requeue {
	struct futex_bucket *from, *to;
	struct futex_key from_key, to_key;
};

/* Both locks are held. */
static int requeue_held(struct requeue *rq, int nr_wake, int nr_move)
{
	struct futex_q *q, *next;
	int done = 0;

	list_for_each_entry_safe(q, next, &rq->from->waiters, node) {
		if (!futex_key_equal(&q->key, &rq->from_key))
			continue;
		if (q->pi || q->to_pi)
			return done ? done : -EINVAL;
		if (done < nr_wake) {
			futex_wake_q(q);
		} else if (done - nr_wake < nr_move) {
			futex_move(q, rq->to, &rq->to_key);
		} else {
			break;
		}
		done++;
	}
	return done;
}

int futex_requeue(uaddr_t a, bool shared, uaddr_t b, bool shared_b, int nr_wake,
		  int nr_move, const u32 *cmp)
{
	struct requeue rq;
	int r;

	if (nr_wake < 0 || nr_move < 0)
		return -EINVAL;
	r = futex_key(a, shared, &rq.from_key);
	if (!r)
		r = futex_key(b, shared_b, &rq.to_key);
	if (r)
		return r;
	rq.from = futex_bucket(&rq.from_key);
	rq.to = futex_bucket(&rq.to_key);
	r = futex_lock_two(rq.from, rq.to, a, cmp);
	if (r)
		return r;
	if (futex_key_equal(&rq.from_key, &rq.to_key))
		r = wake_held(rq.from, &rq.from_key, nr_wake, FUTEX_BITSET_ANY);
	else
		r = requeue_held(&rq, nr_wake, nr_move);
	futex_unlock_two(rq.from, rq.to);
	return r;
}

/* FUTEX_WAKE_OP's third value: op, comparison, two 12-bit signed arguments. */
#define WAKE_OP_SHIFT 8

static s32 sign12(u32 v)
{
	return (s32)(v << 20) >> 20;
}

static int wake_op_apply(uaddr_t a, u32 encoded, u32 *old)
{
	static const u8 ops[] = { UA_SET, UA_ADD, UA_OR, UA_ANDN, UA_XOR };
	u32 op = (encoded >> 28) & 15;
	u32 arg = (u32)sign12(encoded >> 12);

	if (op & WAKE_OP_SHIFT) {
		arg = 1u << (arg & 31);
		op &= ~(u32)WAKE_OP_SHIFT;
	}
	if (op >= ARRAY_SIZE(ops))
		return -ENOSYS;
	return user_atomic_op_u32(a, ops[op], arg, old);
}

/* 1, 0, or -ENOSYS for a comparison that does not exist. */
static int wake_op_compare(u32 encoded, u32 old_word)
{
	s32 arg = sign12(encoded), old = (s32)old_word;

	switch ((encoded >> 24) & 15) {
	case 0:
		return old == arg;
	case 1:
		return old != arg;
	case 2:
		return old < arg;
	case 3:
		return old <= arg;
	case 4:
		return old > arg;
	case 5:
		return old >= arg;
	default:
		return -ENOSYS;
	}
}

int futex_wake_op(uaddr_t a, uaddr_t b, bool shared, int nr, int nr_b,
		  u32 encoded)
{
	struct futex_key key;
	u32 old;
	int r, also, second;

	r = futex_key(a, shared, &key);
	if (!r)
		r = futex_key(b, shared, &key);
	if (!r)
		r = wake_op_compare(encoded, 0) < 0 ? -ENOSYS : 0;
	if (!r)
		r = wake_op_apply(b, encoded, &old);
	if (r)
		return r;
	also = wake_op_compare(encoded, old);
	r = futex_wake(a, shared, nr, FUTEX_BITSET_ANY);
	if (r < 0 || !also)
		return r;
	second = futex_wake(b, shared, nr_b, FUTEX_BITSET_ANY);
	return second < 0 ? second : r + second;
}
