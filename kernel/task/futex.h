/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex.h - wait for a word of user memory to change.
 *
 * A futex is named by where its word is: (address space, address), or, for a
 * shared mapping, (page cache, offset).  Waiters queue in a bucket of a hash
 * table; the word is read again under the bucket's lock, and every waker takes
 * that lock after the word was changed, so no wake-up is lost.
 *
 * Deadlines are CLOCK_MONOTONIC nanoseconds or WAIT_FOREVER.
 * Context: coroutine, no spinlock.  Locking: the buckets' (RANK_FUTEX).
 */
#ifndef KERNEL_TASK_FUTEX_H
#define KERNEL_TASK_FUTEX_H

#include <kernel/spinlock.h>
#include <lib/list.h>
#include <lib/types.h>

struct thread;

#define FUTEX_BITSET_ANY ~0u

/* Deadlines are those of wait_event_clock() (kernel/time/posix.h). */

/* --- futex.c; @shared: the word may be in a shared mapping */
/* 0 when woken, -EAGAIN (the word is not @val), -ETIMEDOUT, -ERESTARTSYS. */
int futex_wait(uaddr_t a, bool shared, u32 val, u32 bitset, u64 deadline_ns);
/* How many were woken, at most @nr, or -errno. */
int futex_wake(uaddr_t a, bool shared, int nr, u32 bitset);
/* Wake @nr_wake, move @nr_move to @b.  @cmp: -EAGAIN unless the word is *@cmp. */
int futex_requeue(uaddr_t a, bool shared, uaddr_t b, bool shared_b, int nr_wake,
		  int nr_move, const u32 *cmp);
/* Change the word at @b as @encoded says, wake @nr at @a, and @nr_b at @b if
 * its old value was as @encoded says. */
int futex_wake_op(uaddr_t a, uaddr_t b, bool shared, int nr, int nr_b,
		  u32 encoded);

/* --- futex_pi.c: the word holds the owner's tid, the kernel hands it over */
int futex_lock_pi(uaddr_t a, bool shared, bool try_only, u64 deadline_ns);
int futex_unlock_pi(uaddr_t a, bool shared);

/* --- futex_requeue_pi.c: wait for a word, then to own another */
/* 0: the word at @b is ours; else as futex_wait(). */
int futex_wait_requeue_pi(uaddr_t a, uaddr_t b, bool shared, u32 val,
			  u32 bitset, u64 deadline_ns);
/* The first waiter gets the word at @b, or waits for it; @nr_move more wait. */
int futex_cmp_requeue_pi(uaddr_t a, uaddr_t b, bool shared, int nr_move,
			 u32 cmp);

/* --- futex_robust.c: what exit and exec ask of futexes */
/* Mark the robust futexes that current @t held as ownerless; wakes waiters. */
void futex_exit_robust(struct thread *t);
/* Wake up to @nr waiters of the word at @a in current's address space: count. */
int futex_wake_uaddr(uaddr_t a, int nr);

/* --- shared by the files above */
#define FUTEX_WAITERS	 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK	 0x3fffffffu

struct futex_key {
	const void
		*object; /* struct mm or struct mapping: compared, not used */
	u64 off;
};

struct futex_bucket {
	struct spinlock lock;	  /* RANK_FUTEX */
	struct list_head waiters; /* [lock] by priority, oldest first */
} __aligned(64);

/* On the stack of the thread that waits. */
struct futex_q {
	struct list_head node;	     /* [bucket lock] */
	struct futex_bucket *bucket; /* [a] changed under both buckets' locks */
	struct futex_key key;	     /* [bucket lock] */
	struct thread *thread;	     /* [I] */
	u32 bitset;		     /* [I] */
	u8 prio;    /* [I] real-time priority when it began to wait */
	bool pi;    /* [bucket lock] waits to own the word */
	bool to_pi; /* [bucket lock] will, of that of pi_key; see pi then */
	struct futex_key pi_key;  /* [I] */
	struct thread *owner;	  /* [pi_lock] whom it waits for, as to pi.h */
	struct list_head pi_node; /* [pi_lock] in owner->pi_waiters */
	u32 woken;		  /* [a] set under the bucket lock */
};

/* One of the words of futex_wait_multiple(). */
struct futex_multi {
	uaddr_t addr;
	u32 val;
	bool shared;
	struct futex_q q;
};
/* Index of one that was woken, -EAGAIN, -ETIMEDOUT or -ERESTARTSYS. */
int futex_wait_multiple(struct futex_multi *m, u32 nr, u64 deadline_ns);

/* Lock @b and read the word; -EAGAIN: not locked, the word has changed. */
int futex_lock_and_compare(struct futex_bucket *b, uaddr_t a, u32 val);
/* The same of two buckets, perhaps one; @cmp NULL: just lock them. */
int futex_lock_two(struct futex_bucket *ba, struct futex_bucket *bb, uaddr_t a,
		   const u32 *cmp);
/* The same once; -EFAULT: not locked, the word has to be faulted in. */
int futex_try_lock_two(struct futex_bucket *ba, struct futex_bucket *bb,
		       uaddr_t a, const u32 *cmp);
void futex_unlock_two(struct futex_bucket *ba, struct futex_bucket *bb);
/* The thread that a word names, or NULL; task_lock is held. */
struct thread *futex_owner(u32 tid);
int futex_key(uaddr_t a, bool shared, struct futex_key *key);
struct futex_bucket *futex_bucket(const struct futex_key *key);
#define FUTEX_NR_BUCKETS 256u
extern struct futex_bucket futex_buckets[FUTEX_NR_BUCKETS];
extern u32 futex_nr_pi; /* [a] PI waiters, everywhere */
static inline bool futex_key_equal(const struct futex_key *a,
				   const struct futex_key *b)
{
	return a->object == b->object && a->off == b->off;
}
void futex_queue(struct futex_q *q, struct futex_bucket *b);
/* From its bucket to @b, where it waits for @key; both are locked. */
void futex_move(struct futex_q *q, struct futex_bucket *b,
		const struct futex_key *key);
/* Suspend until woken; the bucket's lock is not held.  As wait_event_clock(). */
int futex_suspend(struct futex_q *q, u64 deadline_ns);
/* Off the bucket; true when it was still there, that is, nobody woke it. */
bool futex_unqueue(struct futex_q *q);
/* The bucket's lock is held; @q may be gone once it is released. */
void futex_wake_q(struct futex_q *q);
/* The most urgent PI waiter of @key, or NULL; *@more: there are others. */
struct futex_q *futex_first_pi(struct futex_bucket *b,
			       const struct futex_key *key, bool *more);

#endif /* KERNEL_TASK_FUTEX_H */
