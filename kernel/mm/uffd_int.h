/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/uffd_int.h - what uffd.c (who faults, and its file) and uffd_ioctl.c (who
 * answers) share.
 *
 * ORDERING
 *   UFFD  features, then ready; who asks for anything: ready, then features.
 *
 * Locking: u->lock (RANK_PIPE) for the list, inside of mm->lock.
 */
#ifndef KERNEL_MM_UFFD_INT_H
#define KERNEL_MM_UFFD_INT_H

#include <kernel/mm/uffd.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>

/* UFFD_FEATURE_* */
#define FEATURE_WP	  BIT(0)
#define FEATURE_SIGBUS	  BIT(7)
#define FEATURE_THREAD_ID BIT(8)
#define FEATURE_MINOR_SHM BIT(10)
#define FEATURE_EXACT	  BIT(11)
#define FEATURE_POISON	  BIT(14)
#define FEATURE_MOVE	  BIT(16)

#define MODE_DONTWAKE BIT(0) /* of all answers but WRITEPROTECT */

struct uffd {
	u32 refs;		  /* [a] */
	struct mm *mm;		  /* [I] owned */
	bool user_only;		  /* [I] */
	bool ready;		  /* [a] UFFDIO_API was here, and */
	u32 asked;		  /* [a] 1: one has begun */
	bool closed;		  /* [a] */
	u64 features;		  /* [I once ready] */
	struct spinlock lock;	  /* RANK_PIPE */
	struct list_head waiting; /* [lock] struct asker, oldest first */
	struct waitq read_wq, fault_wq;
};

static inline bool uffd_is_ready(const struct uffd *u)
{
	/* UFFD (acquire) - pairs with do_api(). */
	return load_acquire(&u->ready);
}

void uffd_put(struct uffd *u);
/* No entry of @v is write-protected any more; mm->lock for writing. */
void uffd_unprotect(struct vma *v);
/* Those who wait for what is in [start, end) look again. */
void uffd_answer(struct uffd *u, u64 start, u64 end);
int uffd_check_range(u64 start, u64 len); /* -EINVAL */
/* What is said of @done of @len bytes, with @err behind them. */
s64 uffd_tell_done(struct uffd *u, u64 dst, u64 done, u64 len, int err,
		   bool wake, uaddr_t result);
/* UFFDIO_MOVE: uffd_move.c */
s64 uffd_move(struct uffd *u, uaddr_t arg);
s64 uffd_ioctl(struct file *f, unsigned int cmd, u64 arg);

#endif /* KERNEL_MM_UFFD_INT_H */
