/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe.h - pipes and fifos, for those who are not read() and write().
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <kernel/file/file.h>
#include <kernel/file/iov.h>
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
/* Copy up to @n bytes from one pipe to another, which neither loses nor waits: some of
 * them, 0 when there is no data or no room, -ENOMEM. */
s64 pipe_tee(struct pipe *in, struct pipe *out, size_t n);
/* The same, and they are gone from @in; whole pages change places. */
s64 pipe_move(struct pipe *in, struct pipe *out, size_t n);

/*
 * Offer up to @n bytes from the front, where they lie, to @put(), and take from the pipe
 * what it says that it took.  Nobody else reads or writes meanwhile, however long @put
 * waits; it must not come to this pipe.  What @put said, or 0: there are none; -ENOMEM.
 */
typedef s64 pipe_put_fn(void *arg, struct iov_iter *from);
s64 pipe_give(struct pipe *p, size_t n, pipe_put_fn *put, void *arg);

/*
 * Pages to read into that then become the pipe's.  From pipe_lend() to pipe_repay() they
 * are the borrower's alone; the pipe goes on as if they were not there.
 */
#define PIPE_LOAN_MAX 16u
struct pipe_loan {
	u32 nr;
	struct iovec_user piece[PIPE_LOAN_MAX]; /* a page each */
};
/* For @n bytes, or fewer: how many, or -ENOMEM. */
s64 pipe_lend(struct pipe *p, struct pipe_loan *l, size_t n);
/* The first @n bytes of them to the end of the pipe.  False, and nothing has happened:
 * there is no reader, or they do not fit as they lie and have to be written. */
bool pipe_land(struct pipe *p, struct pipe_loan *l, size_t n);
void pipe_repay(struct pipe *p, struct pipe_loan *l);

#endif /* FS_PIPE_H */
