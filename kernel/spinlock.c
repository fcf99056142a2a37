/* SPDX-License-Identifier: MIT */
/*
 * kernel/spinlock.c - ticket locks with ranks; see spinlock.h.
 */
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/panic.h>
#include <kernel/spinlock.h>
#include <lib/atomic.h>

static void taken(struct spinlock *l, struct hart *h, bool nested)
{
	if (l->rank) {
		if (unlikely(l->rank < h->lock_rank ||
			     (l->rank == h->lock_rank && !nested)))
			panic("spinlock %s (rank %u) taken under rank %u",
			      l->name, l->rank, h->lock_rank);
		l->prev_rank = h->lock_rank;
		h->lock_rank = l->rank;
	} else {
		l->prev_rank = h->lock_rank;
	}
	l->hart = (u16)(h->cpu + 1);
	h->lock_depth++;
}

static void acquire(struct spinlock *l)
{
	u32 ticket = atomic_fetch_add(&l->next, 1);
	u32 spin = 0;

	/* SPIN (acquire) - pairs with spin_unlock(). */
	while (load_acquire(&l->owner) != ticket) {
		cpu_relax();
		if ((++spin & 0xffff) == 0)
			panic_check();
	}
}

void spin_lock(struct spinlock *l)
{
	struct hart *h = this_hart();

	KASSERT(l->hart != h->cpu + 1);
	acquire(l);
	taken(l, h, false);
}

void spin_lock_nested(struct spinlock *l)
{
	acquire(l);
	taken(l, this_hart(), true);
}

bool spin_trylock(struct spinlock *l)
{
	u32 owner = load_once(&l->owner);

	if (load_once(&l->next) != owner ||
	    atomic_cmpxchg(&l->next, owner, owner + 1) != owner)
		return false;
	taken(l, this_hart(), true);
	return true;
}

void spin_unlock(struct spinlock *l)
{
	struct hart *h = this_hart();

	KASSERT(l->hart == h->cpu + 1);
	l->hart = 0;
	h->lock_rank = l->prev_rank;
	h->lock_depth--;
	/* SPIN (release) - pairs with acquire(). */
	store_release(&l->owner, l->owner + 1);
}

bool spin_held(const struct spinlock *l)
{
	return load_once(&l->hart) == this_hart()->cpu + 1;
}
