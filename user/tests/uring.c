/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uring.c - io_uring_setup(2), io_uring_enter(2), io_uring_register(2).
 *
 * The rings are driven by hand: what the kernel promises about them is under test.
 * Not here: how they end, and who wants to do harm with them (uring_end.c).
 */
#include "uring.h"

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

TEST(uring, setup_says_what_is_wrong)
{
	struct io_uring_params p = { 0 };
	int fd = setup(3, &p);

	NEED(fd);
	CHECK_EQ(p.sq_entries, 4);
	CHECK_EQ(p.cq_entries, 8);
	CHECK(p.features & IORING_FEAT_NODROP);
	CHECK_ERR(read(fd, &p, 1), EINVAL);
	close(fd);
	CHECK_ERR(setup(0, &p), EINVAL);
	CHECK_ERR(setup(1, NULL), EFAULT);
	memset(&p, 0, sizeof(p));
	CHECK_ERR(setup(1u << 20, &p), EINVAL);
	p.flags = IORING_SETUP_CLAMP;
	fd = setup(1u << 20, &p);
	CHECK_OK(fd);
	CHECK_EQ(p.sq_entries, 32768);
	close(fd);
	memset(&p, 0, sizeof(p));
	p.flags = IORING_SETUP_CQSIZE;
	p.cq_entries = 2;
	CHECK_ERR(setup(8, &p), EINVAL);
	memset(&p, 0, sizeof(p));
	p.resv[1] = 1;
	CHECK_ERR(setup(8, &p), EINVAL);
}

TEST(uring, batch_of_nops)
{
	struct ring *r = ring(32);
	struct io_uring_cqe c;

	for (unsigned int round = 0; round < 100; round++) {
		for (unsigned int i = 0; i < 32; i++)
			next(r, IORING_OP_NOP, -1, i);
		CHECK_EQ(submit_wait(r, 32), 32);
		for (unsigned int i = 0; i < 32; i++) {
			CHECK(peek(r, &c));
			CHECK_EQ(c.user_data, i);
			CHECK_EQ(c.res, 0);
		}
		CHECK(!peek(r, &c));
	}
	next(r, 200, -1, 7);
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 7, -EINVAL);
	ring_close(r);
}

TEST(uring, files)
{
	struct ring *r = ring(8);
	char a[8192], b[8192];
	struct iovec v[2] = { { b, 100 }, { b + 100, sizeof(b) - 100 } };
	int fd = ut_open("f", "");

	for (unsigned int i = 0; i < sizeof(a); i++)
		a[i] = (char)(i * 7);
	rw(next(r, IORING_OP_WRITE, fd, 1), a, sizeof(a), 0);
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 1, sizeof(a));
	next(r, IORING_OP_FSYNC, fd, 2);
	rw(next(r, IORING_OP_READV, fd, 3), v, 2, 0);
	CHECK_EQ(submit_wait(r, 2), 2);
	for (int i = 0; i < 2; i++) {
		struct io_uring_cqe c = wait_cqe(r);

		CHECK_EQ(c.res, c.user_data == 2 ? 0 : (int)sizeof(a));
	}
	CHECK(!memcmp(a, b, sizeof(a)));
	rw(next(r, IORING_OP_READ, fd, 4), b, 100, sizeof(a) - 10);
	rw(next(r, IORING_OP_READ, fd, 5), b, 100, sizeof(a));
	rw(next(r, IORING_OP_READ, 77, 6), b, 100, 0);
	rw(next(r, IORING_OP_READ, fd, 7), (void *)8, 100, 0);
	CHECK_EQ(submit_wait(r, 4), 4);
	expect(r, 4, 10);
	expect(r, 5, 0);
	expect(r, 6, -EBADF);
	expect(r, 7, -EFAULT);
	ring_close(r);
}

TEST(uring, read_waits_for_the_pipe)
{
	struct ring *r = ring(8);
	struct io_uring_cqe c;
	char buf[8];
	int p[2];

	CHECK_OK(pipe2(p, O_NONBLOCK)); /* no reason not to wait */
	rw(next(r, IORING_OP_READ, p[0], 1), buf, 8, 0);
	CHECK_EQ(submit_wait(r, 0), 1);
	ut_sleep_ms(20);
	CHECK(!peek(r, &c));
	CHECK_EQ(write(p[1], "abc", 3), 3);
	expect(r, 1, 3);
	rw(next(r, IORING_OP_READ, p[0], 2), buf, 8, 0);
	CHECK_EQ(submit_wait(r, 0), 1);
	CHECK_OK(close(p[1]));
	expect(r, 2, 0);
	ring_close(r);
}

TEST(uring, poll_and_cancel)
{
	struct ring *r = ring(8);
	struct io_uring_sqe *s;
	struct io_uring_cqe c;
	uint64_t one = 1;
	int e = eventfd(0, 0);

	s = next(r, IORING_OP_POLL_ADD, e, 1);
	s->poll32_events = POLLIN;
	s->len = IORING_POLL_ADD_MULTI;
	CHECK_EQ(submit_wait(r, 0), 1);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(write(e, &one, 8), 8);
		c = wait_cqe(r);
		CHECK_EQ(c.res, POLLIN);
		CHECK(c.flags & IORING_CQE_F_MORE);
		CHECK_EQ(read(e, &one, 8), 8);
	}
	next(r, IORING_OP_ASYNC_CANCEL, -1, 2)->addr = 1;
	next(r, IORING_OP_ASYNC_CANCEL, -1, 3)->addr = 99;
	CHECK_EQ(submit_wait(r, 3), 2);
	for (int i = 0; i < 3; i++) {
		c = wait_cqe(r);
		CHECK_EQ(c.res, c.user_data == 1   ? -ECANCELED
				: c.user_data == 2 ? 0
						   : -ENOENT);
	}
	ring_close(r);
}

TEST(uring, timeouts)
{
	struct __kernel_timespec ts = { .tv_nsec = 30 * 1000000 },
				 far = { .tv_sec = 100 };
	struct ring *r = ring(8);
	struct io_uring_sqe *s;
	long t = ut_now_ms();

	s = next(r, IORING_OP_TIMEOUT, -1, 1);
	s->addr = (unsigned long)&ts;
	s->len = 1;
	CHECK_EQ(submit_wait(r, 0), 1);
	memset(&ts, 0xff, sizeof(ts)); /* it was copied */
	expect(r, 1, -ETIME);
	CHECK(ut_now_ms() - t >= 29);
	/* ended by the second event after it */
	s = next(r, IORING_OP_TIMEOUT, -1, 2);
	s->addr = (unsigned long)&far;
	s->len = 1;
	s->off = 2;
	next(r, IORING_OP_NOP, -1, 3);
	next(r, IORING_OP_NOP, -1, 4);
	CHECK_EQ(submit_wait(r, 3), 3);
	expect(r, 3, 0);
	expect(r, 4, 0);
	expect(r, 2, 0);
	s = next(r, IORING_OP_TIMEOUT, -1, 5);
	s->addr = (unsigned long)&far;
	s->len = 1;
	next(r, IORING_OP_TIMEOUT_REMOVE, -1, 6)->addr = 5;
	CHECK_EQ(submit_wait(r, 2), 2);
	expect(r, 6, 0);
	expect(r, 5, -ECANCELED);
	ring_close(r);
}

TEST(uring, chains)
{
	struct __kernel_timespec ts = { .tv_nsec = 10 * 1000000 };
	struct ring *r = ring(16);
	struct io_uring_sqe *s;
	char buf[8];
	int p[2];

	CHECK_OK(pipe(p));
	for (unsigned int i = 0; i < 3; i++)
		next(r, IORING_OP_NOP, -1, i)->flags =
			i < 2 ? IOSQE_IO_LINK : 0;
	CHECK_EQ(submit_wait(r, 3), 3);
	for (unsigned int i = 0; i < 3; i++)
		expect(r, i, 0);
	/* the second fails: the rest goes */
	next(r, IORING_OP_NOP, -1, 0)->flags = IOSQE_IO_LINK;
	s = next(r, IORING_OP_READ, 99, 1);
	s->flags = IOSQE_IO_LINK;
	next(r, IORING_OP_NOP, -1, 2);
	CHECK_EQ(submit_wait(r, 3), 3);
	expect(r, 0, 0);
	expect(r, 1, -EBADF);
	expect(r, 2, -ECANCELED);
	/* ... but not behind a hard link */
	next(r, IORING_OP_READ, 99, 1)->flags = IOSQE_IO_HARDLINK;
	next(r, IORING_OP_NOP, -1, 2);
	CHECK_EQ(submit_wait(r, 2), 2);
	expect(r, 1, -EBADF);
	expect(r, 2, 0);
	/* a read that takes too long */
	s = next(r, IORING_OP_READ, p[0], 1);
	rw(s, buf, 8, 0);
	s->flags = IOSQE_IO_LINK;
	s = next(r, IORING_OP_LINK_TIMEOUT, -1, 2);
	s->addr = (unsigned long)&ts;
	s->len = 1;
	CHECK_EQ(submit_wait(r, 2), 2);
	expect(r, 1, -ECANCELED);
	expect(r, 2, -ETIME);
	ring_close(r);
}

TEST(uring, drain_waits_for_all_before)
{
	struct ring *r = ring(16);
	struct io_uring_cqe c;
	char buf[8];
	int p[2];

	CHECK_OK(pipe(p));
	rw(next(r, IORING_OP_READ, p[0], 1), buf, 8, 0);
	next(r, IORING_OP_NOP, -1, 2)->flags = IOSQE_IO_DRAIN;
	next(r, IORING_OP_NOP, -1, 3);
	CHECK_EQ(submit_wait(r, 0), 3);
	ut_sleep_ms(10);
	CHECK(!peek(r, &c));
	CHECK_EQ(write(p[1], "x", 1), 1);
	expect(r, 1, 1);
	expect(r, 2, 0);
	expect(r, 3, 0);
	ring_close(r);
}

TEST(uring, events_beyond_the_ring_are_kept)
{
	struct ring *r = ring(4);
	struct io_uring_cqe c;
	unsigned int n = 0;

	for (int i = 0; i < 10; i++) {
		for (unsigned int k = 0; k < 4; k++)
			next(r, IORING_OP_NOP, -1, n++);
		CHECK_EQ(submit_wait(r, 0), 4);
	}
	CHECK(*r->sq_flags & IORING_SQ_CQ_OVERFLOW);
	for (unsigned int i = 0; i < n; i++) {
		c = wait_cqe(r);
		CHECK_EQ(c.user_data, i);
	}
	CHECK(!peek(r, &c));
	CHECK(!(*r->sq_flags & IORING_SQ_CQ_OVERFLOW));
	CHECK_EQ(*r->cq_overflow, 0);
	ring_close(r);
}

TEST(uring, registered_files_and_buffers)
{
	struct ring *r = ring(8);
	struct io_uring_sqe *s;
	static char buf[4096];
	struct iovec v = { buf, sizeof(buf) };
	int fds[3] = { ut_open("f", "hello"), -1, -1 }, fd = fds[0];

	CHECK_OK(reg(r, IORING_REGISTER_FILES, fds, 3));
	CHECK_ERR(reg(r, IORING_REGISTER_FILES, fds, 3), EBUSY);
	CHECK_OK(reg(r, IORING_REGISTER_BUFFERS, &v, 1));
	CHECK_OK(close(fd)); /* the table keeps it */
	s = next(r, IORING_OP_READ_FIXED, 0, 1);
	rw(s, buf + 100, 100, 0);
	s->flags = IOSQE_FIXED_FILE;
	s = next(r, IORING_OP_READ_FIXED, 0, 2);
	rw(s, buf + 4000, 100, 0); /* beyond the buffer */
	s->flags = IOSQE_FIXED_FILE;
	s = next(r, IORING_OP_READ, 1, 3);
	rw(s, buf, 100, 0); /* an empty slot */
	s->flags = IOSQE_FIXED_FILE;
	CHECK_EQ(submit_wait(r, 2),
		 2); /* ends at the one that makes no sense */
	expect(r, 1, 5);
	expect(r, 2, -EFAULT);
	CHECK(!memcmp(buf + 100, "hello", 5));
	CHECK_EQ(enter(r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	expect(r, 3, -EBADF);
	CHECK_OK(reg(r, IORING_UNREGISTER_FILES, NULL, 0));
	CHECK_ERR(reg(r, IORING_UNREGISTER_FILES, NULL, 0), ENXIO);
	ring_close(r);
}

/* No call at all but the first: the poller takes what is in the ring. */
TEST(uring, poller)
{
	struct ring *r = ring_flags(8, IORING_SETUP_SQPOLL);
	struct io_uring_cqe c;
	unsigned int done = 0;

	for (unsigned int i = 0; i < 2000; i++) {
		long t = ut_now_ms();

		next(r, IORING_OP_NOP, -1, i);
		publish(r);
		r->to_submit = 0;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(r->sq_flags, __ATOMIC_RELAXED) &
		    IORING_SQ_NEED_WAKEUP)
			CHECK_OK(enter(r, 1, 0, IORING_ENTER_SQ_WAKEUP));
		while (!peek(r, &c)) {
			if (ut_now_ms() - t > 5000)
				ut_fail(__FILE__, __LINE__, "no event %u", i);
			sched_yield();
		}
		CHECK_EQ(c.user_data, i);
		done++;
	}
	CHECK_EQ(done, 2000);
	/* it falls asleep, says so, and can be woken */
	ut_sleep_ms(400);
	CHECK(__atomic_load_n(r->sq_flags, __ATOMIC_SEQ_CST) &
	      IORING_SQ_NEED_WAKEUP);
	next(r, IORING_OP_NOP, -1, 7);
	publish(r);
	r->to_submit = 0;
	CHECK_OK(enter(r, 1, 1,
		       IORING_ENTER_SQ_WAKEUP | IORING_ENTER_GETEVENTS));
	expect(r, 7, 0);
	ring_close(r);
}

static int listener(struct sockaddr_in *a)
{
	socklen_t n = sizeof(*a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	memset(a, 0, sizeof(*a));
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(s);
	CHECK_OK(bind(s, (struct sockaddr *)a, n));
	CHECK_OK(listen(s, 8));
	CHECK_OK(getsockname(s, (struct sockaddr *)a, &n));
	return s;
}

TEST(uring, sockets)
{
	struct ring *r = ring(8);
	struct sockaddr_in a;
	struct io_uring_cqe c;
	int s = listener(&a), conn[3], peer[3];
	char buf[16];

	next(r, IORING_OP_ACCEPT, s, 1)->ioprio = 1; /* multishot */
	CHECK_EQ(submit_wait(r, 0), 1);
	for (int i = 0; i < 3; i++) {
		struct io_uring_sqe *q;

		conn[i] = socket(AF_INET, SOCK_STREAM, 0);
		q = next(r, IORING_OP_CONNECT, conn[i], 2);
		q->addr = (unsigned long)&a;
		q->off = sizeof(a);
		CHECK_EQ(submit_wait(r, 2), 1);
		for (int k = 0; k < 2; k++) {
			c = wait_cqe(r);
			if (c.user_data == 2) {
				CHECK_EQ(c.res, 0);
				continue;
			}
			CHECK(c.flags & IORING_CQE_F_MORE);
			peer[i] = c.res;
			CHECK_OK(peer[i]);
		}
	}
	for (int i = 0; i < 3; i++) {
		rw(next(r, IORING_OP_RECV, peer[i], 10 + (unsigned long)i), buf,
		   16, 0);
		rw(next(r, IORING_OP_SEND, conn[i], 20), "hello", 5, 0);
		CHECK_EQ(submit_wait(r, 2), 2);
		for (int k = 0; k < 2; k++)
			CHECK_EQ(wait_cqe(r).res, 5);
	}
	ring_close(r); /* with the accept under way */
	CHECK_OK(close(s));
}

TEST(uring, provided_buffers)
{
	struct ring *r = ring(8);
	struct io_uring_sqe *s;
	struct io_uring_cqe c;
	static char pool[4][16];
	bool seen[4] = { false };
	int p[2];

	CHECK_OK(pipe(p));
	s = next(r, IORING_OP_PROVIDE_BUFFERS, 4, 1);
	rw(s, pool, 16, 0);
	s->buf_group = 5;
	CHECK_EQ(submit_wait(r, 1), 1);
	expect(r, 1, 0);
	for (int i = 0; i < 5; i++) {
		unsigned int id;

		s = next(r, IORING_OP_READ, p[0], 2);
		s->len = 16;
		s->flags = IOSQE_BUFFER_SELECT;
		s->buf_group = 5;
		CHECK_EQ(write(p[1], "data", 4), 4);
		CHECK_EQ(submit_wait(r, 1), 1);
		c = wait_cqe(r);
		if (i == 4) {
			CHECK_EQ(c.res, -ENOBUFS);
			break;
		}
		CHECK_EQ(c.res, 4);
		CHECK(c.flags & IORING_CQE_F_BUFFER);
		id = c.flags >> IORING_CQE_BUFFER_SHIFT;
		CHECK(id < 4 && !seen[id]);
		seen[id] = true;
		CHECK(!memcmp(pool[id], "data", 4));
	}
	ring_close(r);
}

/* The disk has some when the process ends, and what they end starts others. */

TEST(uring, probe_and_ring_fds)
{
	struct {
		struct io_uring_probe p;
		struct io_uring_probe_op op[256];
	} b = { 0 };
	struct io_uring_rsrc_update u = { .offset = -1U };
	struct ring *r = ring(8);

	CHECK_OK(reg(r, IORING_REGISTER_PROBE, &b, 256));
	CHECK(b.p.ops_len > IORING_OP_SEND_ZC);
	CHECK(b.op[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED);
	CHECK_ERR(reg(r, 4711, NULL, 0), EINVAL);
	u.data = (unsigned int)r->fd;
	CHECK_EQ(reg(r, IORING_REGISTER_RING_FDS, &u, 1), 1);
	next(r, IORING_OP_NOP, -1, 9);
	publish(r);
	r->to_submit = 0;
	CHECK_EQ(syscall(SYS_io_uring_enter, u.offset, 1, 1,
			 IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING,
			 NULL, 0),
		 1);
	expect(r, 9, 0);
	CHECK_ERR(syscall(SYS_io_uring_enter, 1, 0, 0, 0, NULL, 0), EOPNOTSUPP);
	CHECK_ERR(syscall(SYS_io_uring_enter, 999, 0, 0, 0, NULL, 0), EBADF);
	CHECK_ERR(enter(r, 0, 0, 1u << 20), EINVAL);
	ring_close(r);
}
