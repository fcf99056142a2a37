/* SPDX-License-Identifier: MIT */
/*
 * fs/aio.h - Linux's asynchronous I/O: contexts, requests, events.
 *
 * A context belongs to an address space, which has its ring of events mapped; the
 * address of the mapping is the context's name.  A program may take events out of
 * the ring itself, by moving `head`.
 *
 * Transfers of files opened with O_DIRECT on block devices (and of whoever has
 * file_ops.direct) are under way when aio_submit() returns.  Anything else is done
 * by then, as on Linux for files in the page cache.
 *
 * Context: coroutine.
 */
#ifndef FS_AIO_H
#define FS_AIO_H

#include <lib/types.h>

struct aio_ctx;

/* linux/aio_abi.h */
struct iocb {
	u64 data;
	u32 key;
	u32 rw_flags;
	u16 opcode;
	s16 reqprio;
	u32 fd;
	u64 buf;
	u64 nbytes;
	s64 offset;
	u64 reserved2;
	u32 flags;
	u32 resfd;
};
STATIC_ASSERT(sizeof(struct iocb) == 64, "as in the ABI");

struct io_event {
	u64 data; /* iocb.data */
	u64 obj;  /* the iocb's address */
	s64 res;
	s64 res2;
};
STATIC_ASSERT(sizeof(struct io_event) == 32, "as in the ABI");

#define IOCB_CMD_PREAD	 0
#define IOCB_CMD_PWRITE	 1
#define IOCB_CMD_FSYNC	 2
#define IOCB_CMD_FDSYNC	 3
#define IOCB_CMD_POLL	 5
#define IOCB_CMD_NOOP	 6
#define IOCB_CMD_PREADV	 7
#define IOCB_CMD_PWRITEV 8
#define IOCB_FLAG_RESFD	 BIT(0)

/* A context for @nr requests; its name. 0 or -errno. */
int aio_setup(u32 nr, uaddr_t *id);
/* -EINVAL: no such context.  Waits for what is in flight. */
int aio_destroy(uaddr_t id);

/* The caller's context, referenced; NULL. */
struct aio_ctx *aio_get(uaddr_t id);
void aio_put(struct aio_ctx *c);

/* Room for one more request?  Taken if so; aio_complete() gives it back. */
struct aio_kiocb *aio_begin(struct aio_ctx *c, uaddr_t obj, u64 data);
/* @k was never started. */
void aio_abandon(struct aio_kiocb *k);
struct aio_req *aio_req_of(struct aio_kiocb *k);
/* Files to be let go of when @k has ended. */
struct file;
void aio_hold(struct aio_kiocb *k, struct file *f, struct file *eventfd);
/* --- aio_poll.c */
/* @k ends when @f, which it holds, has one of @events; an error: it was not begun.  @obj is
 * what it was begun with. */
int aio_poll(struct aio_kiocb *k, const struct aio_ctx *c, u64 obj,
	     struct file *f, u32 events);
/* Was there one of @obj?  It ends soon, with 0. */
bool aio_poll_cancel(const struct aio_ctx *c, u64 obj);
void aio_poll_cancel_all(const struct aio_ctx *c);
bool aio_is_dead(const struct aio_ctx *c); /* it begins nothing any more */

/* Done with @res.  Any context. */
void aio_complete(struct aio_kiocb *k, s64 res);

/* At least @min, at most @nr events to @uevents.  How many, or -errno. */
s64 aio_getevents(struct aio_ctx *c, u64 min, u64 nr, uaddr_t uevents,
		  u64 deadline_ns);

u64 aio_nr(void); /* of all contexts: /proc/sys/fs/aio-nr */
#define AIO_MAX_NR 65536u

#endif /* FS_AIO_H */
