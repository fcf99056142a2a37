/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe.h - pipes and fifos, for those who are not read() and write().
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <kernel/file/file.h>
#include <lib/types.h>

#define PIPE_BUF      4096u
#define PIPE_DEF_SIZE 65536u
#define PIPE_MAX_SIZE (1024u * 1024u)
/* Pages in pipes of one user, beyond which a new one is small, or refused; 0: none. */
extern u64 pipe_user_pages_soft, pipe_user_pages_hard; /* [a] */
extern u64 pipe_max_size; /* [a] for those without CAP_SYS_RESOURCE */

struct pipe;

/* A new pipe: its two ends, or -errno. */
int pipe_create(u32 flags, struct file **reader, struct file **writer);
/* The pipe behind @f, or NULL when it is something else. */
struct pipe *pipe_of(struct file *f);
/* F_GETPIPE_SZ; F_SETPIPE_SZ: the new size or -errno.  -EBADF: not a pipe. */
s64 pipe_get_size(struct file *f);
s64 pipe_set_size(struct file *f, u64 bytes);

/*
 * Wait until there is room for (to read: are) some bytes: how many, 0 at the end
 * of data, -EAGAIN, -EPIPE (with the signal) or -ERESTARTSYS.
 */
s64 pipe_wait_room(struct pipe *p, bool nonblock);
s64 pipe_wait_data(struct pipe *p, bool nonblock);
/* Put kernel bytes at the end: as many as there is room for. */
size_t pipe_push(struct pipe *p, const void *data, size_t n);
/* Copy up to @n bytes from @off behind the front without taking them. */
size_t pipe_peek(struct pipe *p, size_t off, void *buf, size_t n);

/*
 * Offer up to @n bytes from the front, in @buf, to @put(), and take from the pipe what
 * it says that it took.  Nobody else reads or writes meanwhile, however long @put
 * waits; it must not come to this pipe.  What @put said, or 0: there are none.
 */
typedef s64 pipe_put_fn(void *arg, void *buf, size_t n);
s64 pipe_give(struct pipe *p, void *buf, size_t n, pipe_put_fn *put, void *arg);
/* Move up to @n bytes from one pipe to another without waiting: some of them, 0 when
 * there is no data or no room, -ENOMEM. */
s64 pipe_move(struct pipe *in, struct pipe *out, size_t n);

#endif /* FS_PIPE_H */
