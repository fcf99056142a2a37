/* SPDX-License-Identifier: MIT */
/*
 * fs/event.h - files that are events: epoll, eventfd, timerfd, signalfd.
 *
 * The *_create() functions give a new file or an ERR_PTR.
 */
#ifndef FS_EVENT_H
#define FS_EVENT_H

#include <kernel/file/file.h>
#include <lib/types.h>

/* linux/eventpoll.h */
struct epoll_event {
	u32 events;
	u32 pad;
	u64 data;
};

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP    (1u << 29)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLET	       (1u << 31)

struct file *epoll_create_file(void);
/* @fd is the number under which @f is known. */
int epoll_ctl(struct file *epf, int op, int fd, struct file *f,
	      const struct epoll_event *ev);
/* Number of events written to @uevents; 0 at the deadline (0: do not wait). */
s64 epoll_wait(struct file *epf, uaddr_t uevents, int max, u64 deadline_ns);
/*
 * The file that @epf watches as @fd, the @nr-th of those (one number may have stood
 * for several files), only to be compared.  -EINVAL: no epoll file; -ENOENT.
 */
struct file *epoll_watched(struct file *epf, int fd, u32 nr);

struct file *eventfd_create(u64 count, bool semaphore, bool nonblock);
bool is_eventfd(const struct file *f);
/* Add 1, unless it is full; @key: bits for those who are woken.  Any context. */
void eventfd_signal(struct file *f, u64 key);

struct itimerval_ns; /* kernel/time/posix.h */
struct file *timerfd_create(int clock, bool nonblock);
#define TFD_TIMER_CANCEL_ON_SET 2u
/* -EINVAL: @f is no timerfd.  @flags: TIMER_ABSTIME, TFD_*. */
int timerfd_set(struct file *f, u32 flags, const struct itimerval_ns *new,
		struct itimerval_ns *old);
int timerfd_get(struct file *f, struct itimerval_ns *out);

struct file *signalfd_create(u64 mask, bool nonblock);
int signalfd_set_mask(struct file *f, u64 mask);

#endif /* FS_EVENT_H */
