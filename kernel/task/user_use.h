/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/user_use.h - what a user has in use in all processes together, for
 * the limits that count so: RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, pipe-user-pages-*.
 *
 * Who charges remembers the user id and gives back under the same.
 * Context: any, any lock of a rank below RANK_SCHED held.
 */
#ifndef KERNEL_TASK_USER_USE_H
#define KERNEL_TASK_USER_USE_H

#include <lib/types.h>

enum user_use {
	USER_SIGNALS, /* queued signals, and timers that will send one */
	USER_MQ,      /* bytes of message queues */
	USER_PIPES,   /* pages that pipes may hold */
	USER_FLIGHTS, /* files in messages that nobody has received yet */
	NR_USER_USES,
};

/* Take @n for @uid unless it would have more than @limit then; false: not taken, or
 * no memory. */
bool user_charge(u32 uid, enum user_use what, u64 n, u64 limit);
void user_uncharge(u32 uid, enum user_use what, u64 n);
u64 user_used(u32 uid, enum user_use what);

#endif /* KERNEL_TASK_USER_USE_H */
