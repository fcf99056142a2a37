/* SPDX-License-Identifier: MIT */
/*
 * fs/eventpoll.h - how many files a user watches by epoll: max_user_watches.
 *
 * Counted for who made the epoll file, as long as that lives.  Context: coroutine.
 */
#ifndef FS_EVENTPOLL_H
#define FS_EVENTPOLL_H

#include <lib/types.h>

struct epoll_user;

/* Of current's real user, with a reference; NULL: no memory. */
struct epoll_user *epoll_user_get(void);
void epoll_user_put(
	struct epoll_user *u); /* watches nothing by this file any more */
/* One more is watched; false: the user has as many as he may. */
bool epoll_user_take(struct epoll_user *u);
void epoll_user_give(struct epoll_user *u);

/* [a] set at boot: a 25th of memory in watches of @size bytes. */
extern u64 epoll_max_user_watches;
void epoll_limit_init(size_t size);

#endif /* FS_EVENTPOLL_H */
