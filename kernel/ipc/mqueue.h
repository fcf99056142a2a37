/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/mqueue.h - POSIX message queues: mq_overview(7).
 *
 * A queue has a name in an IPC namespace and is used through a file.  Messages are
 * taken in the order of their priority, then of their age.
 *
 * Context: coroutine.  Errors: -errno.
 */
#ifndef KERNEL_IPC_MQUEUE_H
#define KERNEL_IPC_MQUEUE_H

#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
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
struct ipc_ns;

struct mq_msg *mq_msg_new(size_t len); /* NULL: no memory; kfree() */
/* @name without the slash, in current's namespace; a descriptor. */
s64 mq_open_name(const char *name, u32 oflag, u32 mode,
		 const struct mq_attr *attr);
s64 mq_unlink_name(struct ipc_ns *ns, const char *name);
/* Takes @m when it returns 0. */
s64 mq_send(struct file *f, struct mq_msg *m, u64 deadline_ns);
struct mq_msg *mq_receive(struct file *f, size_t room, u64 deadline_ns);
/* How a process wants to hear of a message in an empty queue, once. */
#define MQ_COOKIE_LEN 32u
struct mq_notify {
	int sig; /* 0: no signal */
	u64 value;
	/* SIGEV_THREAD: deliver(to, cookie), the last byte of which says why. */
	struct file *to; /* NULL, or owned: given to the queue by success */
	void (*deliver)(struct file *to, const void *data, size_t n);
	u8 cookie[MQ_COOKIE_LEN];
};
/* NULL: give the registration up. */
s64 mq_notify_set(struct file *f, const struct mq_notify *n);
s64 mq_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old);
bool mq_is_queue(const struct file *f);
size_t mq_msgsize(const struct file *f);

/* --- for the file system that shows them (fs/mqueuefs.c) */
struct mqueue;
struct mq_info {
	u64 id; /* never 0, and nobody else's */
	u32 uid, gid, mode;
	struct timespec64 when; /* it was made */
};
struct mqueue *mq_find(struct ipc_ns *ns, const char *name,
		       size_t len); /* reference, or NULL */
struct mqueue *mq_get(struct mqueue *q);
void mq_put(struct mqueue *q);
void mq_get_info(const struct mqueue *q, struct mq_info *out);
/* Permissions and owner, of those that are not -1. */
void mq_chmod(struct mqueue *q, u32 mode, u32 uid, u32 gid);
int mq_create(struct ipc_ns *ns, const char *name,
	      u32 mode); /* with default attributes */
/* Make @f, whose flags are set, a file of @q, of which it takes the reference. */
void mq_file_init(struct file *f, struct mqueue *q);
/* The first queue, in the order of being made, with an id above @id. */
bool mq_next(struct ipc_ns *ns, u64 id, char name[MQ_NAME_MAX + 1], u64 *found);
/* All names go: the namespace ends. */
void mq_drop_names(struct ipc_ns *ns);

#endif /* KERNEL_IPC_MQUEUE_H */
