/* SPDX-License-Identifier: MIT */
/*
 * user/bench/rings.c - what a request through io_uring costs, beside a system call.
 *
 *	rings [DEPTH]
 *
 *	call		getppid()
 *	enter		NOP, one io_uring_enter() each
 *	enter_batch	NOP, one io_uring_enter() for DEPTH (32)
 *	poller		NOP, taken by the kernel's poller: no call; one at a time
 *	poller_batch	the same, DEPTH at a time
 *	read, poller_read	1 byte of a file, by read() and by the poller
 *
 * Prints `rings NAME NS` of one operation, best of five.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "bench.h"

struct ring {
	int fd;
	struct io_uring_sqe *sqe;
	unsigned int *sq_tail, *sq_flags, *array, *cq_head, *cq_tail, mask;
};

static struct ring plain, polled, *r;
static unsigned int depth = 32;
static int file;
static char byte;

static void setup(struct ring *x, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 1000 };
	unsigned char *m;

	x->fd = (int)syscall(SYS_io_uring_setup, 64, &p);
	if (x->fd < 0)
		die("io_uring_setup");
	m = mmap(NULL, p.sq_off.array + p.sq_entries * 4,
		 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd,
		 IORING_OFF_SQ_RING);
	x->sqe = mmap(NULL, p.sq_entries * sizeof(*x->sqe),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd,
		      IORING_OFF_SQES);
	if (m == MAP_FAILED || x->sqe == MAP_FAILED)
		die("mmap");
	x->sq_tail = (void *)(m + p.sq_off.tail);
	x->sq_flags = (void *)(m + p.sq_off.flags);
	x->array = (void *)(m + p.sq_off.array);
	x->cq_head = (void *)(m + p.cq_off.head);
	x->cq_tail = (void *)(m + p.cq_off.tail);
	x->mask = p.sq_entries - 1;
	for (unsigned int i = 0; i < p.sq_entries; i++)
		x->array[i] = i;
}

static void put(int op, unsigned int n)
{
	unsigned int tail = *r->sq_tail;

	for (unsigned int i = 0; i < n; i++, tail++) {
		struct io_uring_sqe *s = &r->sqe[tail & r->mask];

		memset(s, 0, sizeof(*s));
		s->opcode = (unsigned char)op;
		s->fd = op == IORING_OP_NOP ? -1 : file;
		s->addr = (unsigned long)&byte;
		s->len = op != IORING_OP_NOP;
	}
	__atomic_store_n(r->sq_tail, tail, __ATOMIC_RELEASE);
}

static void take(unsigned int n)
{
	unsigned int want = *r->cq_head + n;

	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) != want)
		;
	__atomic_store_n(r->cq_head, want, __ATOMIC_RELEASE);
}

static void enter(unsigned int n, unsigned int flags)
{
	if (syscall(SYS_io_uring_enter, r->fd, n, 0, flags, NULL, 0) < 0)
		die("io_uring_enter");
}

static void op_call(long n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void op_read(long n)
{
	while (n--)
		if (pread(file, &byte, 1, 0) != 1)
			die("pread");
}

static void by_enter(long n, unsigned int at_once)
{
	r = &plain;
	for (; n > 0; n -= at_once) {
		put(IORING_OP_NOP, at_once);
		enter(at_once, 0);
		take(at_once);
	}
}

static void by_poller(int op, long n, unsigned int at_once)
{
	r = &polled;
	for (; n > 0; n -= at_once) {
		put(op, at_once);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(r->sq_flags, __ATOMIC_RELAXED) &
		    IORING_SQ_NEED_WAKEUP)
			enter(at_once, IORING_ENTER_SQ_WAKEUP);
		take(at_once);
	}
}

static void op_enter(long n)
{
	by_enter(n, 1);
}

static void op_enter_batch(long n)
{
	by_enter(n, depth);
}

static void op_poller(long n)
{
	by_poller(IORING_OP_NOP, n, 1);
}

static void op_poller_batch(long n)
{
	by_poller(IORING_OP_NOP, n, depth);
}

static void op_poller_read(long n)
{
	by_poller(IORING_OP_READ, n, 1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*op)(long n);
	} rows[] = {
		{ "call", op_call },
		{ "enter", op_enter },
		{ "enter_batch", op_enter_batch },
		{ "poller", op_poller },
		{ "poller_batch", op_poller_batch },
		{ "read", op_read },
		{ "poller_read", op_poller_read },
	};
	unsigned int i;

	if (argc > 1)
		depth = (unsigned int)atoi(argv[1]);
	if (depth < 1 || depth > 64)
		return 2;
	file = open("/bin/sh", O_RDONLY);
	if (file < 0)
		die("/bin/sh");
	setup(&plain, 0);
	setup(&polled, IORING_SETUP_SQPOLL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		long n = bench_calibrate(rows[i].op, depth, 20000000);

		n += depth - n % depth;
		bench_print("rings", rows[i].name,
			    bench_best(rows[i].op, n, 5));
	}
	return 0;
}
