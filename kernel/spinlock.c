/* SPDX-License-Identifier: MIT */
/*
 * kernel/spinlock.c - locks with ranks; see spinlock.h.
 *
 * Whoever looks first gets it.  With tickets the next one is a certain hart, and where
 * the harts are threads of a host that has fewer processors it may not be running:
 * three harts that filled one page cache waited a host's time slice for each page.
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

static bool try(struct spinlock *l)
{
	/* SPIN (acquire) - pairs with spin_unlock(). */
	return !load_once(&l->locked) && !atomic_xchg(&l->locked, 1);
}

static void acquire(struct spinlock *l)
{
	u32 spin = 0;

	while (unlikely(!try(l))) {
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
	if (!try(l))
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
	/* SPIN (release) - pairs with try(). */
	store_release_io(&l->locked, 0);
}

bool spin_held(const struct spinlock *l)
{
	return load_once(&l->hart) == this_hart()->cpu + 1;
}
