/* SPDX-License-Identifier: MIT */
/*
 * kernel/spinlock.h - mutual exclusion between harts, with rank and holder.
 *
 * Kernel code is never preempted and takes no interrupt, so a spinlock only
 * excludes other harts.  It is held for a bounded time and never across
 * anything that may suspend: co_suspend() asserts that the hart holds none.
 *
 * Ranks must strictly increase along a chain of acquisitions on one hart
 * (docs/locking.md); the lock checks it.  spin_lock_nested() is for the second
 * lock of the same rank, when the caller orders the two by address.
 *
 * ORDERING
 *   SPIN    unlock's release of locked to the next holder's exchange of it.  Accesses
 *	     to devices count: two holders' writes to a register arrive in the
 *	     order in which they had the lock.
 */
#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#include <kernel/assert.h>
#include <lib/types.h>

/* Outer first.  docs/locking.md says what each one guards. */
enum lock_rank {
	RANK_NONE,	/* unchecked: leaf locks of tests */
	RANK_TASK,	/* task tree, pids, sessions */
	RANK_TTY,	/* tty and pty state */
	RANK_SIGNAL,	/* pending signals of a process */
	RANK_POLL,	/* epoll and poll tables */
	RANK_FUTEX,	/* futex hash bucket */
	RANK_PI,	/* who waits for whose futex */
	RANK_VFS,	/* mounts, dentries */
	RANK_INODE,	/* short inode state */
	RANK_FILE,	/* fd table, file position */
	RANK_PIPE,	/* pipe and event buffers */
	RANK_NET,	/* interfaces, addresses, routes, neighbours */
	RANK_VMA,	/* short address-space state */
	RANK_PAGECACHE, /* a mapping's page index */
	RANK_PT,	/* page-table locks, user copies */
	RANK_BLK,	/* block queues */
	RANK_DEV,	/* a driver's own lock */
	RANK_IRQ,	/* interrupt controllers */
	RANK_WAITQ,	/* a wait queue's list */
	RANK_EVENT,	/* epoll's list of ready files */
	RANK_TIMER,	/* a hart's timer queue */
	RANK_SCHED,	/* placement, ready lists */
	RANK_MEMCG,	/* charges of groups */
	RANK_SLAB,	/* object caches */
	RANK_PMEM,	/* page allocator */
	RANK_MMU,	/* kernel page tables */
	RANK_LOG,	/* log ring and console */
	NR_RANKS,
};

struct spinlock {
	u32 locked;	  /* [a] 1: somebody has it */
	u16 hart;	  /* holder's dense index + 1, 0 when free */
	u8 rank;	  /* [I] */
	u8 prev_rank;	  /* holder only: rank to return to */
	const char *name; /* [I] */
};

#define SPINLOCK_INIT(nm, rk)              \
	{                                  \
		.rank = (rk), .name = (nm) \
	}

static inline void spin_init(struct spinlock *l, const char *name,
			     enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT(name, (u8)rank);
}

void spin_lock(struct spinlock *l);
void spin_lock_nested(struct spinlock *l);
bool spin_trylock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
bool spin_held(const struct spinlock *l); /* by this hart */

#define assert_held(l) KASSERT(spin_held(l))

#endif /* KERNEL_SPINLOCK_H */
