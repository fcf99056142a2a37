/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sockwrite.c - streams that end while somebody writes, and when they can be
 * written to again.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PIECES 64 /* more than any socket takes */
#define PIECE  (1u << 20)
#define MANY   ((long)PIECES * PIECE)

static void connection(int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_OK(l);
	CHECK_OK(bind(l, (void *)&a, len));
	CHECK_OK(getsockname(l, (void *)&a, &len));
	CHECK_OK(listen(l, 1));
	CHECK_OK(s[0] = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(s[0], (void *)&a, len));
	CHECK_OK(s[1] = accept(l, NULL, NULL));
	close(l);
}

static int error_of(int s)
{
	socklen_t len = sizeof(int);
	int err = -1;

	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
	return err;
}

/* One megabyte, as often as it takes. */
static long send_many(int s, int flags)
{
	static char some[PIECE];
	struct iovec v[PIECES];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = PIECES };

	for (int i = 0; i < PIECES; i++)
		v[i] = (struct iovec){ some, sizeof(some) };
	return sendmsg(s, &m, MSG_NOSIGNAL | flags);
}

/* A write to who has gone ends early, and the next one says why. */
TEST(sockwrite, to_nobody)
{
	int s[2];
	long n;

	connection(s);
	close(s[1]);
	n = send_many(s[0], MSG_DONTWAIT);
	CHECK(n > 0 && n < MANY);
	ut_sleep_ms(20);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(error_of(s[0]), 0);
}

TEST(sockwrite, to_nobody_waiting)
{
	int s[2];
	long n;

	connection(s);
	close(s[1]);
	n = send_many(s[0], 0);
	CHECK(n > 0 && n < MANY);
	ut_sleep_ms(20);
	CHECK_EQ(error_of(s[0]), EPIPE);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* A reader finds the end that was there before, not the reset. */
TEST(sockwrite, end_stays)
{
	char c;
	int s[2];

	connection(s);
	close(s[1]);
	CHECK_EQ(send(s[0], "x", 1, MSG_NOSIGNAL), 1);
	ut_sleep_ms(20);
	CHECK_EQ(recv(s[0], &c, 1, 0), 0);
	CHECK_EQ(recv(s[0], &c, 1, 0), 0);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(recv(s[0], &c, 1, 0), 0);
}

/* Who waits for room when there is a reset returns what was sent; the error stays. */
TEST(sockwrite, reset_stays)
{
	int s[2], status;
	long n;
	pid_t pid;

	connection(s);
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		struct pollfd p = { .fd = s[0], .events = POLLOUT };

		while (poll(&p, 1, 0) == 1)
			ut_sleep_ms(1);
		close(s[0]);
		close(s[1]); /* unread bytes: a reset */
		_exit(0);
	}
	close(s[1]);
	n = send_many(s[0], 0);
	CHECK(n > 0 && n < MANY);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), ECONNRESET);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

static bool can_write(int s)
{
	struct pollfd p = { .fd = s, .events = POLLOUT };

	return poll(&p, 1, 0) == 1;
}

/* A writer that polls hears of room when a quarter, at most, is still in use. */
static void check_room(int type)
{
	static char some[32768];
	int s[2];

	CHECK_OK(socketpair(AF_UNIX, type, 0, s));
	CHECK(can_write(s[0]));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(send(s[0], some, 30000, MSG_DONTWAIT), 30000);
	CHECK(!can_write(s[0]));
	CHECK_EQ(recv(s[1], some, 30000, 0), 30000);
	CHECK(!can_write(s[0]));
	CHECK_EQ(recv(s[1], some, 30000, 0), 30000);
	CHECK(can_write(s[0]));
	close(s[0]);
	close(s[1]);
}

TEST(sockwrite, unix_room)
{
	check_room(SOCK_STREAM);
	check_room(SOCK_DGRAM);
	check_room(SOCK_SEQPACKET);
}
