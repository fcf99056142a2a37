/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/sigqueue.h - the details of one pending signal.  Each is on the account
 * of the user to whose process it was sent (user_use.h).
 *
 * Locking: the queue's sighand->lock.
 */
#ifndef KERNEL_TASK_SIGQUEUE_H
#define KERNEL_TASK_SIGQUEUE_H

#include <kernel/task/signal.h>

struct sigqueue {
	struct list_head node;
	u32 uid; /* whose account */
	struct siginfo info;
};

/* NULL: out of memory, or @uid would have more than @limit. */
struct sigqueue *sigqueue_alloc(u32 uid, u64 limit);
void sigqueue_free(struct sigqueue *q);

/* Drop the signals of @mask from a pending set. */
void sigqueue_drop(struct list_head *queue, u64 *pending, u64 mask);
/* Take signal @sig out of a pending set, with its details. */
void sigqueue_take(struct list_head *queue, u64 *pending, int sig,
		   struct siginfo *si);
/* Entry number @nr of a queue, which stays: 1, or 0 when there are fewer. */
int sigqueue_peek(const struct list_head *queue, u64 nr, struct siginfo *si);
/* The signal of @set to take first; 0: none. */
int sigset_first(u64 set);

#endif /* KERNEL_TASK_SIGQUEUE_H */
