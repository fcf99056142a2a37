/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/mqueue.h - POSIX message queues: mq_overview(7).
 *
 * A queue has a name of its own name space and is used through a file.  Messages are
 * taken in the order of their priority, then of their age.
 *
 * Context: coroutine.  Errors: -errno.
 */
#ifndef KERNEL_IPC_MQUEUE_H
#define KERNEL_IPC_MQUEUE_H

#include <kernel/task/signal.h>
#include <lib/types.h>

#define MQ_NAME_MAX	 255u
#define MQ_PRIO_MAX	 32768u
#define MQ_MAXMSG	 10u /* without attributes */
#define MQ_MSGSIZE	 8192u
#define MQ_MAXMSG_LIMIT	 10u /* for those without CAP_SYS_RESOURCE */
#define MQ_MSGSIZE_LIMIT 8192u
#define MQ_MAXMSG_HARD	 65536u
#define MQ_MSGSIZE_HARD	 (16u << 20)
#define MQ_QUEUES_MAX	 256u

/* /proc/sys/fs/mqueue.  [a] */
struct mq_limits {
	u64 queues_max, msg_max, msgsize_max, msg_default, msgsize_default;
};
extern struct mq_limits mq_limits;

struct mq_attr {
	s64 flags, maxmsg, msgsize, curmsgs, pad[4];
};
STATIC_ASSERT(sizeof(struct mq_attr) == 64, "Linux's struct mq_attr");

struct mq_msg {
	struct list_head node;
	u32 prio;
	size_t len;
	u8 data[];
};

struct file;

struct mq_msg *mq_msg_new(size_t len); /* NULL: no memory; kfree() */
/* @name without the slash; a descriptor. */
s64 mq_open_name(const char *name, u32 oflag, u32 mode,
		 const struct mq_attr *attr);
s64 mq_unlink_name(const char *name);
/* Takes @m when it returns 0. */
s64 mq_send(struct file *f, struct mq_msg *m, u64 deadline_ns);
struct mq_msg *mq_receive(struct file *f, size_t room, u64 deadline_ns);
/* @sig 0: no signal, only be told; @none: give the registration up. */
s64 mq_notify_set(struct file *f, bool none, int sig, u64 value);
s64 mq_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old);
bool mq_is_queue(const struct file *f);
size_t mq_msgsize(const struct file *f);

#endif /* KERNEL_IPC_MQUEUE_H */
