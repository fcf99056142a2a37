/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/sigqueue.c - pending sets: bits with their details.
 *
 * A bit may be set without an entry (details lost for want of memory); an entry
 * is never there without its bit.
 *
 * Locking: sighand->lock of the set's owner, held by the caller.
 */
#include <kernel/task/sigqueue.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/user_use.h>
#include <lib/bitmap.h>
#include <lib/string.h>

/* Faults of the thread itself come before anything that was sent. */
#define SYNCHRONOUS                                             \
	(SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | \
	 SIG_BIT(SIGTRAP) | SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS))

struct sigqueue *sigqueue_alloc(u32 uid, u64 limit)
{
	struct sigqueue *q;

	if (!user_charge(uid, USER_SIGNALS, 1, limit))
		return NULL;
	q = kmalloc(sizeof(*q));
	if (q)
		q->uid = uid;
	else
		user_uncharge(uid, USER_SIGNALS, 1);
	return q;
}

void sigqueue_free(struct sigqueue *q)
{
	user_uncharge(q->uid, USER_SIGNALS, 1);
	kfree(q);
}

void sigqueue_drop(struct list_head *queue, u64 *pending, u64 mask)
{
	struct sigqueue *q, *tmp;

	if (!(*pending & mask))
		return;
	*pending &= ~mask;
	list_for_each_entry_safe(q, tmp, queue, node) {
		if (!(SIG_BIT(q->info.signo) & mask))
			continue;
		list_del(&q->node);
		sigqueue_free(q);
	}
}

void sigqueue_take(struct list_head *queue, u64 *pending, int sig,
		   struct siginfo *si)
{
	struct sigqueue *q, *tmp, *found = NULL;
	bool more = false;

	list_for_each_entry_safe(q, tmp, queue, node) {
		if (q->info.signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (!more)
		*pending &= ~SIG_BIT(sig);
	if (!found) {
		memset(si, 0, sizeof(*si));
		si->signo = sig;
		return;
	}
	list_del(&found->node);
	*si = found->info;
	sigqueue_free(found);
}

int sigqueue_peek(const struct list_head *queue, u64 nr, struct siginfo *si)
{
	const struct sigqueue *q;

	list_for_each_entry(q, queue, node) {
		if (nr--)
			continue;
		*si = q->info;
		return 1;
	}
	return 0;
}

int sigset_first(u64 set)
{
	if (set & SYNCHRONOUS)
		set &= SYNCHRONOUS;
	return (int)ffs64(set);
}
