/* SPDX-License-Identifier: MIT */
/*
 * fs/eventpoll_user.c - how many files each user watches; see eventpoll.h.
 *
 * Locking: users_lock (RANK_POLL) for the list and who is on it; counts are atomic.
 */
#include <fs/eventpoll.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/spinlock.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/list.h>

#define MEMORY_SHARE 25u

struct epoll_user {
	struct list_head node; /* [users_lock] */
	u32 uid;	       /* [I] */
	u32 refs;	       /* [users_lock] epoll files */
	u64 watches;	       /* [a] */
};

static struct spinlock users_lock = SPINLOCK_INIT("epoll_users", RANK_POLL);
static struct list_head users = LIST_HEAD_INIT(users); /* [users_lock] */

u64 epoll_max_user_watches;

static struct epoll_user *find_locked(u32 uid)
{
	struct epoll_user *u;

	list_for_each_entry(u, &users, node) {
		if (u->uid == uid)
			return u;
	}
	return NULL;
}

struct epoll_user *epoll_user_get(void)
{
	struct epoll_user *spare = kzalloc(sizeof(*spare)), *u;
	u32 uid = current_cred()->uid;

	spin_lock(&users_lock);
	u = find_locked(uid);
	if (!u && spare) {
		u = spare;
		spare = NULL;
		u->uid = uid;
		list_add(&u->node, &users);
	}
	if (u)
		u->refs++;
	spin_unlock(&users_lock);
	kfree(spare);
	return u;
}

void epoll_user_put(struct epoll_user *u)
{
	bool last;

	spin_lock(&users_lock);
	last = !--u->refs;
	if (last)
		list_del(&u->node);
	spin_unlock(&users_lock);
	if (last)
		kfree(u);
}

bool epoll_user_take(struct epoll_user *u)
{
	if (atomic_fetch_add(&u->watches, 1) <
	    load_once(&epoll_max_user_watches))
		return true;
	atomic_dec(&u->watches);
	return false;
}

void epoll_user_give(struct epoll_user *u)
{
	atomic_dec(&u->watches);
}

void epoll_limit_init(size_t size)
{
	epoll_max_user_watches =
		pmem_total_pages() / MEMORY_SHARE * PAGE_SIZE / size;
}
