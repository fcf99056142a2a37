/* SPDX-License-Identifier: MIT */
/* fs/watchqueue.h - pipes that the kernel tells of changes; see kernel/keys/watch.h. */
#ifndef FS_WATCHQUEUE_H
#define FS_WATCHQUEUE_H

#include <lib/types.h>

struct file;
struct watch_queue;

/* Its two ends, or -ENOMEM. */
int watch_pipe_create(u32 flags, struct file **reader, struct file **writer);
/* The queue behind @f, or NULL when it is something else. */
struct watch_queue *watch_queue_of(struct file *f);

#endif /* FS_WATCHQUEUE_H */
