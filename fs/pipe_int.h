/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe_int.h - what the files of pipes share: pipe.c has the invariants.
 */
#ifndef FS_PIPE_INT_H
#define FS_PIPE_INT_H

#include <fs/pipe.h>

#include <kernel/file/iov.h>
#include <kernel/mm/page.h>
#include <kernel/sched/wait.h>
#include <lib/atomic.h>

#define DEF_PAGES (PIPE_DEF_SIZE / PAGE_SIZE)

struct packet {
	u64 start, end; /* positions */
};

struct pipe {
	struct mutex lock;
	u64 head, tail; /* [lock] bytes ever written, read; see P1 */
	u64 base;	/* [lock] position that is at the first page's start */
	u32 nr_pages;	/* [lock] power of two */
	void **pages;	/* [lock] NULL: not allocated yet */
	struct packet
		*packets; /* [lock] P5, a ring of nr_pages; NULL: none yet */
	u32 first_packet; /* [lock] */
	u32 nr_packets;	  /* [lock] */
	u32 readers, writers; /* [lock] open files that can read, write */
	u32 r_gen, w_gen;     /* [lock] readers and writers ever */
	u32 files;	      /* [fifo_lock] */
	u32 uid;	      /* [I] whose account has ... */
	u32 charged;	      /* [lock] pages: nr_pages */
	bool anon; /* [I] made by pipe2(): opening it waits for nobody */
	struct waitq rd_wq; /* wait for data or the last writer's end */
	struct waitq wr_wq; /* wait for room or the last reader's end */
	void *def_pages[DEF_PAGES];
};

static inline u64 capacity(const struct pipe *p)
{
	return (u64)load_once(&p->nr_pages) * PAGE_SIZE;
}

static inline u64 used(const struct pipe *p)
{
	u64 tail = load_once(&p->tail);

	/* relaxed: a racy answer is checked again under the lock */
	return load_once(&p->head) - tail;
}

static inline u64 room(const struct pipe *p)
{
	return capacity(p) - used(p);
}

static inline bool packets_full(const struct pipe *p)
{
	return load_once(&p->nr_packets) >= load_once(&p->nr_pages);
}

/* --- the ring; p->lock held */

/* Contiguous bytes at ring position @pos, at most @n; NULL: no page there. */
static inline void *span(const struct pipe *p, u64 pos, size_t n, size_t *len)
{
	u64 at = pos - p->base;
	size_t off = at & (PAGE_SIZE - 1);
	void *page = p->pages[(at >> PAGE_SHIFT) & (p->nr_pages - 1)];

	*len = min(n, PAGE_SIZE - off);
	return page ? (char *)page + off : NULL;
}

/* Bytes [0, n) of the pipe were taken. */
static inline void took(struct pipe *p, size_t n)
{
	store_once(&p->tail, p->tail + n);
	if (p->tail == p->head)
		p->base = p->head;
}

/* These two after mutex_unlock(), whose exchange is WAKE's fence: the ring, then
 * the queue. */
static inline void wake_readers(struct pipe *p)
{
	if (!list_empty(&p->rd_wq.list))
		wake_up_all_key(&p->rd_wq, POLLIN | POLLRDNORM);
}

static inline void wake_writers(struct pipe *p)
{
	if (!list_empty(&p->wr_wq.list) && room(p) >= PIPE_BUF) /* P3 */
		wake_up_all_key(&p->wr_wq, POLLOUT | POLLWRNORM);
}

/* pipe.c */
/* Until there is data, or no writer; room for @want bytes, or no reader. */
int pipe_wait_readable(struct pipe *p);
int pipe_wait_writable(struct pipe *p, u64 want);
/* SIGPIPE, and its error. */
s64 pipe_broken(void);
/* At most @max bytes of @from to the end; the lock is held. */
s64 pipe_copy_in(struct pipe *p, struct iov_iter *from, size_t max);

/* pipe_size.c: the account of @p's user */
/* Put @nr pages on it in place of what is there. */
bool pipe_charge(struct pipe *p, u32 nr);
/* Has he, who is nobody special, more than @limit (0: none) in pipes? */
bool pipe_too_many(const struct pipe *p, const u64 *limit);

#endif /* FS_PIPE_INT_H */
