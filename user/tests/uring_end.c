/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uring_end.c - rings and processes end with requests under way; programs
 * that lie, or want what has no end.
 */
#include "uring.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int die_with_transfers(void *disk)
{
	struct ring *r = ring(64);
	static char buf[4096] __attribute__((aligned(4096)));
	int fd = open(disk, O_RDONLY | O_DIRECT);

	CHECK_OK(fd);
	for (int i = 0; i < 31; i++) {
		struct io_uring_sqe *s = next(r, IORING_OP_READ, fd, 1);

		rw(s, buf, sizeof(buf), i * 4096L);
		s->flags = IOSQE_IO_LINK;
		next(r, IORING_OP_FSYNC, fd, 2);
	}
	next(r, IORING_OP_NOP, -1, 3)->flags = IOSQE_IO_DRAIN;
	CHECK_EQ(submit_wait(r, 0), 63);
	return 0;
}

/* With a disk that is slow: UTEST_DISK. */
TEST(slowdisk, processes_end_while_it_works)
{
	char *disk = getenv("UTEST_DISK");

	if (!disk)
		ut_skip("no UTEST_DISK");
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ut_wait(ut_fork(die_with_transfers, disk)), 0);
}

static int die_with_requests(void *how)
{
	struct ring *r = ring(32);
	static char buf[8];
	int p[2];

	CHECK_OK(pipe(p));
	for (int i = 0; i < 8; i++) {
		rw(next(r, IORING_OP_READ, p[0], 1), buf, 8, 0);
		next(r, IORING_OP_POLL_ADD, p[0], 2)->poll32_events = POLLIN;
		rw(next(r, IORING_OP_READ, p[0], 3), buf, 8, 0);
		r->sqe[(*r->sq_tail + r->to_submit - 1) & r->sq_mask].flags =
			IOSQE_ASYNC;
	}
	CHECK_EQ(submit_wait(r, 0), 24);
	if (how)
		execl("/bin/true", "true", NULL);
	if (!how)
		raise(SIGKILL);
	return 0;
}

TEST(uring, processes_end_with_requests_under_way)
{
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(ut_wait(ut_fork(die_with_requests, NULL)),
			 UT_SIGNALLED(SIGKILL));
		CHECK_EQ(ut_wait(ut_fork(die_with_requests, "exec")), 0);
	}
}

static void *hit(void *arg)
{
	struct ring *r = arg;

	for (int i = 0; i < 2000; i++)
		(void)enter(r, 1, 0, 0);
	return NULL;
}

/* Indices that lie, entries that change while they are read: an errno at most. */
TEST(uring, hostile_rings)
{
	struct ring *r = ring(8);
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&t[i], NULL, hit, r));
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		unsigned int x = (unsigned int)random();
		unsigned char *e = (unsigned char *)&r->sqe[x % 8];

		switch (x >> 8 & 7) {
		case 0:
			*r->sq_tail = x;
			break;
		case 1:
			*r->cq_head = x;
			break;
		case 2:
			r->array[x % 8] = x;
			break;
		default:
			e[x >> 12 & 63] = (unsigned char)(x >> 20);
			/* nothing that ends us, closes files or never ends */
			r->sqe[x % 8].fd = -1;
			r->sqe[x % 8].opcode %= 4;
		}
	}
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(t[i], NULL));
	ring_close(r);
	r = ring(8);
	next(r, IORING_OP_NOP, -1, 1);
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 1, 0);
	ring_close(r);
}

/* Anything in an entry: the child may get hurt by it, nobody else. */
static int random_requests(void *seed)
{
	static const unsigned int setups[] = { 0, IORING_SETUP_SQPOLL };
	struct ring *r = ring_flags(16, setups[(unsigned long)seed & 1]);
	static char mem[8192] = "x";
	int fds[8] = { ut_open("x", "text"), eventfd(0, 0), r->fd };
	long end = ut_now_ms() + 700;
	struct io_uring_cqe c;

	srandom((unsigned int)(unsigned long)seed);
	/* Descriptors 0 to 2 are among those that it writes all memory to. */
	CHECK_OK(dup2(open("/dev/null", O_RDWR), 0));
	CHECK_OK(dup2(0, 1));
	CHECK_OK(dup2(0, 2));
	CHECK_OK(pipe(fds + 3));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 5));
	fds[7] = socket(AF_INET, SOCK_DGRAM, 0);
	(void)reg(r, IORING_REGISTER_FILES, fds, 2);
	while (ut_now_ms() < end) {
		for (int i = 0; i < 8; i++) {
			struct io_uring_sqe *s =
				next(r, (int)(random() % 60), -1, 1);
			unsigned int x = (unsigned int)random();

			s->fd = x & 7 ? fds[random() % 8] : (int)random() % 5;
			s->flags = x & 0x30 ? 0 : (unsigned char)(x >> 8);
			s->addr = (unsigned long)mem + (x & 0x40 ? 0 : x >> 20);
			s->len = x & 0x80 ? x >> 16 & 63 : x >> 6;
			s->off = x & 0x100 ? 0 : (unsigned long)random() - 1;
			s->rw_flags = x & 0x600 ? 0 : (int)random();
			s->ioprio = x & 0x1800 ? 0 : (unsigned short)(x >> 3);
			s->file_index = x & 0x2000 ? 0 : x >> 29;
		}
		(void)submit_wait(r, 0);
		(void)enter(r, 0, 0, IORING_ENTER_SQ_WAKEUP);
		while (peek(r, &c))
			;
	}
	_exit(0);
}

TEST(uring, random_requests)
{
	for (unsigned long i = 1; i <= 6; i++) {
		pid_t pid = ut_fork(random_requests, (void *)i);
		int status = 0;

		ut_sleep_ms(900);
		kill(pid, SIGKILL); /* it may wait for ever, or be over */
		CHECK_EQ(waitpid(pid, &status, 0), pid);
	}
}

#ifndef IORING_TIMEOUT_MULTISHOT
#define IORING_TIMEOUT_MULTISHOT (1U << 6)
#endif

/* --- what has no end */

static volatile bool stop_eating;

/* Takes events without entering the kernel. */
static void *eat(void *arg)
{
	struct io_uring_cqe c;

	while (!stop_eating)
		(void)peek(arg, &c);
	return NULL;
}

/* A timeout that goes on without a pause leaves time for everybody else. */
TEST(uring, timeout_without_period)
{
	struct __kernel_timespec ts = { 0, 0 };
	struct ring *r = ring(8), *other = ring(8);
	struct io_uring_sqe *s;
	long until;
	pthread_t t;

	s = next(r, IORING_OP_TIMEOUT, -1, 1);
	s->addr = (unsigned long)&ts;
	s->len = 1;
	s->timeout_flags = IORING_TIMEOUT_MULTISHOT;
	CHECK(!pthread_create(&t, NULL, eat, r));
	CHECK_EQ(submit_wait(r, 0), 1);
	until = ut_now_ms() + 300;
	for (unsigned long i = 0; ut_now_ms() < until; i++) {
		next(other, IORING_OP_NOP, -1, i);
		CHECK_EQ(submit_wait(other, 1), 1);
		expect(other, i, 0);
		ut_sleep_ms(1);
	}
	stop_eating = true;
	pthread_join(t, NULL);
	ring_close(r);
	ring_close(other);
}

static void wake_poller(struct ring *r)
{
	publish(r);
	r->to_submit = 0;
	CHECK_OK(enter(r, 1, 0, IORING_ENTER_SQ_WAKEUP));
	ut_sleep_ms(50);
}

/* Its poller waits for who writes to a FIFO, which nobody does. */
static int die_in_fifo(void *how)
{
	struct ring *r = ring_flags(8, IORING_SETUP_SQPOLL);

	next(r, IORING_OP_OPENAT, AT_FDCWD, 1)->addr = (unsigned long)"fifo";
	wake_poller(r);
	if (how)
		ring_close(r);
	if (how)
		execl("/bin/true", "true", NULL);
	return 0;
}

TEST(uring, processes_end_with_a_poller_that_waits)
{
	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_EQ(ut_wait(ut_fork(die_in_fifo, NULL)), 0);
	CHECK_EQ(ut_wait(ut_fork(die_in_fifo, "exec")), 0);
}

static int leave_deferred(void *arg)
{
	struct ring *r = arg;

	next(r, IORING_OP_NOP, -1, 2)->flags = IOSQE_IO_DRAIN | IOSQE_IO_LINK;
	next(r, IORING_OP_NOP, -1, 3);
	CHECK_EQ(submit_wait(r, 0), 2);
	return 0;
}

/* Two processes have a ring; what one of them has not begun ends with it. */
TEST(uring, deferred_end_with_their_process)
{
	struct ring *r = ring(8);
	unsigned int seen = 0;
	int p[2];

	CHECK_OK(pipe(p));
	next(r, IORING_OP_POLL_ADD, p[0], 1)->poll32_events = POLLIN;
	CHECK_EQ(submit_wait(r, 0), 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ut_wait(ut_fork(leave_deferred, r)), 0);
	next(r, IORING_OP_NOP, -1, 4)->flags = IOSQE_IO_DRAIN;
	CHECK_EQ(submit_wait(r, 0), 1);
	CHECK_EQ(write(p[1], "x", 1), 1);
	for (int i = 0; i < 8; i++) {
		struct io_uring_cqe c = wait_cqe(r);

		seen += 1u << (4 * (c.user_data - 1));
		if (c.user_data == 2 || c.user_data == 3)
			CHECK_EQ(c.res, -ECANCELED);
	}
	CHECK_EQ(seen, 0x1331);
	ring_close(r);
}

/* Of many, each is found by its name, by a new one too, and all by their file. */
TEST(uring, many_names)
{
	struct ring *r = ring(64);
	struct io_uring_sqe *s;
	int p[2];

	CHECK_OK(pipe(p));
	for (unsigned long i = 0; i < 192; i++) {
		next(r, IORING_OP_POLL_ADD, p[0], 4096 * i)->poll32_events =
			POLLIN;
		if (i % 64 == 63)
			CHECK_EQ(submit_wait(r, 0), 64);
	}
	s = next(r, IORING_OP_POLL_REMOVE, -1, 1);
	s->addr = 4096 * 77;
	s->off = 9;
	s->len = IORING_POLL_UPDATE_USER_DATA;
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 1, 0);
	next(r, IORING_OP_ASYNC_CANCEL, -1, 2)->addr = 4096 * 77;
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 2, -ENOENT);
	next(r, IORING_OP_ASYNC_CANCEL, -1, 9)->addr = 9;
	CHECK_EQ(submit_wait(r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct io_uring_cqe c = wait_cqe(r);

		/* Linux never says that it is being looked at just now */
		CHECK(c.user_data == 9 && (c.res == 0 || c.res == -ECANCELED ||
					   c.res == -EALREADY));
	}
	s = next(r, IORING_OP_ASYNC_CANCEL, p[0], 3);
	s->cancel_flags = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD;
	CHECK_EQ(submit_wait(r, 128), 1);
	for (int i = 0; i < 192; i++) {
		struct io_uring_cqe c = wait_cqe(r);

		CHECK_EQ(c.res, c.user_data == 3 ? 191 : -ECANCELED);
	}
	ring_close(r);
}

/* What is cut is told by the length in the buffer, not by the event's. */
TEST(uring, recvmsg_that_cuts)
{
	struct io_uring_recvmsg_out *o;
	struct msghdr m = { .msg_namelen = 0 };
	struct ring *r = ring(4);
	struct io_uring_sqe *s;
	struct io_uring_cqe c;
	char b[sizeof(*o) + 4];
	int p[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	s = next(r, IORING_OP_PROVIDE_BUFFERS, 1, 1);
	rw(s, b, sizeof(b), 0);
	s->buf_group = 7;
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 1, 0);
	s = next(r, IORING_OP_RECVMSG, p[0], 2);
	rw(s, &m, 1, 0);
	s->ioprio = IORING_RECV_MULTISHOT;
	s->flags = IOSQE_BUFFER_SELECT;
	s->buf_group = 7;
	s->msg_flags = MSG_TRUNC;
	CHECK_EQ(submit_wait(r, 0), 1);
	CHECK_EQ(write(p[1], "0123456789", 10), 10);
	c = wait_cqe(r);
	CHECK(c.user_data == 2 && c.res == sizeof(b));
	o = (void *)b;
	CHECK_EQ(o->payloadlen, 10);
	CHECK(o->flags & MSG_TRUNC);
	CHECK(!memcmp(b + sizeof(*o), "0123", 4));
	ring_close(r);
}

/* A receive asks for no name, whatever the request was used for before. */
TEST(uring, recv_of_datagrams)
{
	struct sockaddr_in *to = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	socklen_t len = sizeof(*to);
	struct iovec iov = { "hello", 5 };
	struct msghdr m = { .msg_name = to, .msg_iov = &iov, .msg_iovlen = 1 };
	struct ring *r = ring(4);
	char b[16];
	int s;

	CHECK(to != MAP_FAILED);
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(s, (void *)to, len));
	CHECK_OK(getsockname(s, (void *)to, &len));
	m.msg_namelen = len;
	for (int i = 0; i < 4; i++)
		rw(next(r, IORING_OP_SENDMSG, s, 1), &m, 1, 0);
	CHECK_EQ(submit_wait(r, 4), 4);
	for (int i = 0; i < 4; i++)
		expect(r, 1, 5);
	CHECK_OK(munmap(to, 4096));
	for (int i = 0; i < 4; i++) {
		rw(next(r, IORING_OP_RECV, s, 2), b, sizeof(b), 0);
		CHECK_EQ(submit_wait(r, 1), 1);
		expect(r, 2, 5);
	}
	CHECK(!memcmp(b, "hello", 5));
	ring_close(r);
}

/* Of the timeout of linux/io_uring.h, by its place: headers may be older. */
struct wait_arg {
	uint64_t sigmask;
	uint32_t sigmask_size, min_wait_us;
	uint64_t ts;
};

static int wait_two(struct ring *r, unsigned int min_wait_ms, long ms)
{
	struct __kernel_timespec ts = { ms / 1000, ms % 1000 * 1000000 };
	struct wait_arg a = { .min_wait_us = min_wait_ms * 1000,
			      .ts = (uint64_t)(uintptr_t)&ts };

	return (int)syscall(SYS_io_uring_enter, r->fd, 0, 2,
			    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &a,
			    sizeof(a));
}

static int write_later(void *arg)
{
	int *p = arg;

	usleep((useconds_t)p[2] * 1000);
	CHECK_EQ(write(p[1], "x", 1), 1);
	return 0;
}

/* Two events are wanted, after some time one will do. */
TEST(uring, min_wait)
{
	struct ring *r = ring(4);
	struct io_uring_cqe c;
	int p[3];
	char b;
	long t;

	if (!(r->p.features & 1u << 15))
		ut_skip("no IORING_FEAT_MIN_TIMEOUT");
	CHECK_OK(pipe(p));
	/* one before it: that is looked at when the time is over */
	p[2] = 10;
	rw(next(r, IORING_OP_READ, p[0], 1), &b, 1, 0);
	CHECK_EQ(submit_wait(r, 0), 1);
	t = ut_now_ms();
	ut_fork(write_later, p);
	CHECK_OK(wait_two(r, 60, 20000));
	CHECK(ut_now_ms() - t >= 59 && ut_now_ms() - t < 10000);
	CHECK(peek(r, &c) && c.user_data == 1);
	/* one after it: that is enough */
	p[2] = 60;
	rw(next(r, IORING_OP_READ, p[0], 2), &b, 1, 0);
	CHECK_EQ(submit_wait(r, 0), 1);
	t = ut_now_ms();
	ut_fork(write_later, p);
	CHECK_OK(wait_two(r, 10, 20000));
	CHECK(ut_now_ms() - t < 10000);
	CHECK(peek(r, &c) && c.user_data == 2);
	/* none at all: the longer of both */
	t = ut_now_ms();
	CHECK_ERR(wait_two(r, 10, 30), ETIME);
	CHECK_ERR(wait_two(r, 30, 10), ETIME);
	CHECK(ut_now_ms() - t >= 58);
	/* what is there already counts */
	next(r, IORING_OP_NOP, -1, 3);
	CHECK_EQ(submit_wait(r, 0), 1);
	t = ut_now_ms();
	CHECK_OK(wait_two(r, 20, 20000));
	CHECK(ut_now_ms() - t < 10000);
	ring_close(r);
}
