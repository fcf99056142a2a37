/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uring.h - rings driven by hand: for the tests of io_uring.
 */
#ifndef USER_TESTS_URING_H
#define USER_TESTS_URING_H

#include "utest.h"

#include <linux/io_uring.h>
#include <linux/time_types.h>

struct ring {
	int fd;
	unsigned char *mem;
	size_t bytes;
	struct io_uring_sqe *sqe;
	unsigned int *sq_head, *sq_tail, *sq_flags, *array;
	unsigned int *cq_head, *cq_tail, *cq_overflow;
	struct io_uring_cqe *cqe;
	unsigned int sq_mask, cq_mask, to_submit;
	struct io_uring_params p;
};

static inline int setup(unsigned int n, struct io_uring_params *p)
{
	return (int)syscall(SYS_io_uring_setup, n, p);
}

static inline int enter(struct ring *r, unsigned int submit, unsigned int min,
			unsigned int flags)
{
	return (int)syscall(SYS_io_uring_enter, r->fd, submit, min, flags, NULL,
			    0);
}

static inline int reg(struct ring *r, unsigned int op, void *arg,
		      unsigned int nr)
{
	return (int)syscall(SYS_io_uring_register, r->fd, op, arg, nr);
}

static inline void map(struct ring *r)
{
	struct io_uring_params *p = &r->p;

	r->bytes = p->sq_off.array + p->sq_entries * sizeof(int);
	r->mem = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQ_RING);
	CHECK(r->mem != MAP_FAILED);
	r->sqe = mmap(NULL, p->sq_entries * sizeof(*r->sqe),
		      PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      IORING_OFF_SQES);
	CHECK(r->sqe != MAP_FAILED);
#define AT(m) ((void *)(r->mem + p->m))
	r->sq_head = AT(sq_off.head);
	r->sq_tail = AT(sq_off.tail);
	r->sq_flags = AT(sq_off.flags);
	r->array = AT(sq_off.array);
	r->cq_head = AT(cq_off.head);
	r->cq_tail = AT(cq_off.tail);
	r->cq_overflow = AT(cq_off.overflow);
	r->cqe = AT(cq_off.cqes);
	r->sq_mask = *(unsigned int *)AT(sq_off.ring_mask);
	r->cq_mask = *(unsigned int *)AT(cq_off.ring_mask);
	CHECK_EQ(r->sq_mask, p->sq_entries - 1);
	CHECK_EQ(r->cq_mask, p->cq_entries - 1);
}

static inline struct ring *ring_flags(unsigned int n, unsigned int flags)
{
	struct ring *r = calloc(1, sizeof(*r));

	CHECK(r);
	r->p.flags = flags;
	r->p.sq_thread_idle = 100;
	r->fd = setup(n, &r->p);
	NEED(r->fd);
	map(r);
	return r;
}

static inline struct ring *ring(unsigned int n)
{
	return ring_flags(n, 0);
}

static inline void ring_close(struct ring *r)
{
	munmap(r->mem, r->bytes);
	munmap(r->sqe, r->p.sq_entries * sizeof(*r->sqe));
	CHECK_OK(close(r->fd));
	free(r);
}

/* The next entry, cleared; sent by submit(). */
static inline struct io_uring_sqe *next(struct ring *r, int op, int fd,
					unsigned long data)
{
	unsigned int at = (*r->sq_tail + r->to_submit++) & r->sq_mask;
	struct io_uring_sqe *s = &r->sqe[at];

	memset(s, 0, sizeof(*s));
	s->opcode = (unsigned char)op;
	s->fd = fd;
	s->user_data = data;
	r->array[at] = at;
	return s;
}

static inline void publish(struct ring *r)
{
	__atomic_store_n(r->sq_tail, *r->sq_tail + r->to_submit,
			 __ATOMIC_RELEASE);
}

static inline int submit_wait(struct ring *r, unsigned int min)
{
	unsigned int n = r->to_submit;

	publish(r);
	r->to_submit = 0;
	return enter(r, n, min, min ? IORING_ENTER_GETEVENTS : 0);
}

static inline bool peek(struct ring *r, struct io_uring_cqe *c)
{
	unsigned int head = *r->cq_head;

	if (head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*c = r->cqe[head & r->cq_mask];
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

static inline struct io_uring_cqe wait_cqe(struct ring *r)
{
	struct io_uring_cqe c;

	while (!peek(r, &c))
		CHECK_OK(enter(r, 0, 1, IORING_ENTER_GETEVENTS));
	return c;
}

static inline void expect(struct ring *r, unsigned long data, int res)
{
	struct io_uring_cqe c = wait_cqe(r);

	if (c.user_data != data || c.res != res)
		ut_fail(__FILE__, __LINE__, "event %lu: %d, not %lu: %d",
			(unsigned long)c.user_data, c.res, data, res);
}

static inline void rw(struct io_uring_sqe *s, void *buf, unsigned int n,
		      long off)
{
	s->addr = (unsigned long)buf;
	s->len = n;
	s->off = (unsigned long)off;
}

#endif /* USER_TESTS_URING_H */
