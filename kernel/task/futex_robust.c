/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/futex_robust.c - futexes of a thread that ends.
 *
 * The list of held futexes is the user's and may hold anything: each step reads
 * user memory with checks, the number of steps is limited, and whatever does not
 * make sense ends the walk.
 */
#include <kernel/task/futex.h>

#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/task/pi.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define ROBUST_LIST_LIMIT 2048
#define ENTRY_PI	  1ull /* in the low bit of an entry's address */

/* linux/futex.h: struct robust_list_head */
struct robust_head {
	u64 next;
	s64 futex_offset;
	u64 pending;
};

int futex_wake_uaddr(uaddr_t a, int nr)
{
	return futex_wake(a, true, nr, FUTEX_BITSET_ANY);
}

/* Give the ownerless PI futex at @a to the first who waits.  The lock is held. */
static int pass_on_held(struct futex_bucket *b, const struct futex_key *key,
			uaddr_t a)
{
	u32 old = FUTEX_WAITERS | FUTEX_OWNER_DIED, seen;
	struct futex_q *q;
	bool more;
	int err;

	q = futex_first_pi(b, key, &more);
	if (!q)
		return 0;
	err = user_cmpxchg_u32_nofault(a, old,
				       (u32)q->thread->ns_tid |
					       FUTEX_OWNER_DIED |
					       (more ? FUTEX_WAITERS : 0),
				       &seen);
	if (err || seen != old)
		return err;
	pi_hand_over(b, key, q->thread);
	futex_wake_q(q);
	return 0;
}

static void pass_on(uaddr_t a)
{
	struct futex_bucket *b;
	struct futex_key key;
	int err;

	if (futex_key(a, true, &key))
		return;
	b = futex_bucket(&key);
	do {
		spin_lock(&b->lock);
		err = pass_on_held(b, &key, a);
		spin_unlock(&b->lock);
	} while (err == -EAGAIN && !user_fault_in(a, 4, true));
}

/* The thread dies holding, perhaps, the futex at @a.  False: stop the walk. */
static bool futex_death(uaddr_t a, bool pi, bool pending)
{
	u32 me = (u32)current->ns_tid, old, seen;

	if (a & 3)
		return false;
	for (;;) {
		if (get_user_u32(&old, a))
			return false;
		if (pending && !pi && !old) {
			/* Released, but the wake-up was not sent. */
			(void)futex_wake(a, true, 1, FUTEX_BITSET_ANY);
			return true;
		}
		if ((old & FUTEX_TID_MASK) != me)
			return true;
		if (user_cmpxchg_u32(a, old,
				     (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED,
				     &seen))
			return false;
		if (seen == old)
			break;
		cond_resched();
	}
	if (!(old & FUTEX_WAITERS))
		return true;
	if (pi)
		pass_on(a);
	else
		(void)futex_wake(a, true, 1, FUTEX_BITSET_ANY);
	return true;
}

/* A waiter in @b of a PI futex that current owns: its address, or 0. */
static uaddr_t owned_pi(struct futex_bucket *b)
{
	struct futex_q *q;
	uaddr_t a = 0;
	u32 word;

	spin_lock(&b->lock);
	list_for_each_entry(q, &b->waiters, node) {
		if (!q->pi || q->key.object != current->mm ||
		    get_user_u32_nofault(&word, q->key.off) ||
		    (word & FUTEX_TID_MASK) != (u32)current->ns_tid)
			continue;
		a = q->key.off;
		break;
	}
	spin_unlock(&b->lock);
	return a;
}

/* PI futexes need not be on the list: hand on those for which somebody waits.  Of
 * shared memory only those on the list are known. */
static void exit_pi(void)
{
	uaddr_t a;

	if (likely(!load_once(&futex_nr_pi)))
		return;
	for (u32 i = 0; i < FUTEX_NR_BUCKETS; i++) {
		while ((a = owned_pi(&futex_buckets[i])) != 0) {
			if (!futex_death(a, true, false))
				break;
		}
	}
}

static void exit_list(struct thread *t)
{
	uaddr_t head_at = t->robust_list;
	struct robust_head head;
	u64 e, next, pending;

	if (copy_from_user(&head, head_at, sizeof(head)))
		return;
	pending = head.pending & ~ENTRY_PI;
	e = head.next;
	for (u32 n = 0; n < ROBUST_LIST_LIMIT && (e & ~ENTRY_PI) != head_at;
	     n++) {
		uaddr_t at = e & ~ENTRY_PI;

		/* Read the link first: the entry may be reused once released. */
		if (get_user_u64(&next, at))
			break;
		if (at != pending && !futex_death(at + (u64)head.futex_offset,
						  e & ENTRY_PI, false))
			return;
		e = next;
		cond_resched();
	}
	if (pending)
		(void)futex_death(pending + (u64)head.futex_offset,
				  head.pending & ENTRY_PI, true);
}

void futex_exit_robust(struct thread *t)
{
	exit_list(t);
	exit_pi();
}
