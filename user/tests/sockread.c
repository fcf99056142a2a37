/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sockread.c - how much a read of a socket waits for, and where a peek begins:
 * SO_RCVLOWAT, MSG_WAITALL, MSG_TRUNC, SO_PEEK_OFF.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void set(int s, int level, int opt, int v)
{
	CHECK_OK(setsockopt(s, level, opt, &v, sizeof(v)));
}

static int get(int s, int level, int opt)
{
	int v = -77;
	socklen_t len = sizeof(v);

	CHECK_OK(getsockopt(s, level, opt, &v, &len));
	return v;
}

/* A connection of TCP over the loopback, or a pair of datagram sockets. */
static void pair_of(int type, int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(l = socket(AF_INET, type, 0));
	CHECK_OK(bind(l, (void *)&a, len));
	CHECK_OK(getsockname(l, (void *)&a, &len));
	CHECK_OK(s[0] = socket(AF_INET, type, 0));
	if (type == SOCK_DGRAM) {
		CHECK_OK(connect(s[0], (void *)&a, len));
		s[1] = l;
		return;
	}
	CHECK_OK(listen(l, 1));
	CHECK_OK(connect(s[0], (void *)&a, len));
	CHECK_OK(s[1] = accept(l, NULL, NULL));
	close(l);
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK_OK(poll(&p, 1, ms));
	return p.revents & POLLIN;
}

static pid_t later(int fd, int ms, const char *what)
{
	pid_t pid = fork();

	CHECK_OK(pid);
	if (pid)
		return pid;
	ut_sleep_ms(ms);
	_exit(write(fd, what, strlen(what)) < 0);
}

TEST(sockread, lowat_tcp)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	char buf[64];
	pid_t pid;
	int s[2], ep;

	ut_own_net();
	pair_of(SOCK_STREAM, s);
	set(s[1], SOL_SOCKET, SO_RCVLOWAT, 10);
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_RCVLOWAT), 10);
	CHECK_OK(ep = epoll_create1(0));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &ev));
	CHECK_EQ(write(s[0], "12345", 5), 5);
	CHECK(!readable(s[1], 50));
	CHECK_EQ(epoll_wait(ep, &ev, 1, 50), 0);
	CHECK_EQ(write(s[0], "67890", 5), 5);
	CHECK(readable(s[1], 5000));
	CHECK_EQ(epoll_wait(ep, &ev, 1, 5000), 1);
	/* a read takes what there is, but waits for so much */
	CHECK_EQ(recv(s[1], buf, 4, 0), 4);
	CHECK(!readable(s[1], 0));
	CHECK_EQ(recv(s[1], buf, 64, MSG_DONTWAIT), 6);
	CHECK_EQ(write(s[0], "abc", 3), 3);
	pid = later(s[0], 100, "defghijklm");
	CHECK_EQ(recv(s[1], buf, 64, 0), 13);
	CHECK_EQ(ut_wait(pid), 0);
	/* the number may go down to what is there */
	CHECK_EQ(write(s[0], "xyz", 3), 3);
	CHECK(!readable(s[1], 50));
	set(s[1], SOL_SOCKET, SO_RCVLOWAT, 0);
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_RCVLOWAT), 1);
	CHECK(readable(s[1], 5000));
	CHECK_EQ(recv(s[1], buf, 64, 0), 3);
	/* the end is told whatever there is */
	set(s[1], SOL_SOCKET, SO_RCVLOWAT, 10);
	CHECK_EQ(write(s[0], "12", 2), 2);
	CHECK_OK(shutdown(s[0], SHUT_WR));
	CHECK(readable(s[1], 5000));
	CHECK_EQ(recv(s[1], buf, 64, 0), 2);
	CHECK_EQ(recv(s[1], buf, 64, 0), 0);
}

/* More than a queue holds at first: it grows. */
TEST(sockread, lowat_large)
{
	static char buf[1 << 20];
	int s[2], n;
	pid_t pid;

	ut_own_net();
	pair_of(SOCK_STREAM, s);
	set(s[1], SOL_SOCKET, SO_RCVLOWAT, -1);
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_RCVLOWAT), 3 << 20);
	set(s[1], SOL_SOCKET, SO_RCVLOWAT, sizeof(buf));
	pid = fork();
	CHECK_OK(pid);
	if (!pid)
		_exit(write(s[0], buf, sizeof(buf)) != sizeof(buf));
	CHECK(readable(s[1], 20000));
	n = (int)recv(s[1], buf, sizeof(buf), MSG_DONTWAIT);
	CHECK_EQ(n, sizeof(buf));
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(sockread, lowat_unix)
{
	char buf[64];
	int s[2];
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	set(s[1], SOL_SOCKET, SO_RCVLOWAT, 8);
	CHECK_EQ(write(s[0], "123", 3), 3);
	CHECK(readable(s[1], 0)); /* poll(2) does not ask */
	pid = later(s[0], 100, "456789");
	CHECK_EQ(recv(s[1], buf, 64, 0), 9);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(write(s[0], "123", 3), 3);
	CHECK_EQ(recv(s[1], buf, 64, MSG_DONTWAIT), 3);
	CHECK_EQ(write(s[0], "123", 3), 3);
	close(s[0]);
	CHECK_EQ(recv(s[1], buf, 64, 0), 3);
}

static void wait_all(int s[2])
{
	char buf[64];
	pid_t pid = later(s[0], 50, "1234");

	CHECK_EQ(write(s[0], "abcd", 4), 4);
	CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL), 8);
	CHECK(!memcmp(buf, "abcd1234", 8));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(write(s[0], "xy", 2), 2);
	CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL | MSG_DONTWAIT), 2);
}

TEST(sockread, wait_all)
{
	struct timeval tv = { .tv_usec = 50000 };
	char buf[64];
	int s[2];
	pid_t pid;

	ut_own_net();
	pair_of(SOCK_STREAM, s);
	wait_all(s);
	/* a peek waits as well, but not of a Unix-domain stream */
	pid = later(s[0], 50, "1234");
	CHECK_EQ(write(s[0], "abcd", 4), 4);
	CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL | MSG_PEEK), 8);
	CHECK_EQ(recv(s[1], buf, 64, 0), 8);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_OK(setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	CHECK_EQ(write(s[0], "abcd", 4), 4);
	CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL), 4);
	CHECK_ERR(recv(s[1], buf, 8, MSG_WAITALL), EAGAIN);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	wait_all(s);
	CHECK_EQ(write(s[0], "abcd", 4), 4);
	CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL | MSG_PEEK), 4);
}

/* An error that comes when something was read already is told by the next call. */
TEST(sockread, error_stays)
{
	struct linger lin = { .l_onoff = 1 };
	char buf[64];
	int s[2];
	pid_t pid;

	ut_own_net();
	pair_of(SOCK_STREAM, s);
	CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &lin, sizeof(lin)));
	CHECK_EQ(write(s[0], "abc", 3), 3);
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		close(s[1]);
		ut_sleep_ms(100);
		close(s[0]);
		_exit(0);
	}
	close(s[0]);
	CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL), 3);
	CHECK_ERR(recv(s[1], buf, 8, 0), ECONNRESET);
	CHECK_EQ(ut_wait(pid), 0);
}

/* MSG_TRUNC of a stream: bytes go without being looked at. */
TEST(sockread, passed_over)
{
	char buf[8] = "-------";
	int s[2];

	ut_own_net();
	pair_of(SOCK_STREAM, s);
	CHECK_EQ(write(s[0], "abcdefgh", 8), 8);
	CHECK_EQ(recv(s[1], buf, 5, MSG_TRUNC), 5);
	CHECK_EQ(buf[0], '-');
	CHECK_EQ(recv(s[1], NULL, 1, MSG_TRUNC), 1);
	CHECK_EQ(recv(s[1], buf, 8, 0), 2);
	CHECK(!memcmp(buf, "gh-", 3));
}

static void peek_stream(int s[2])
{
	char buf[64];

	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), -1);
	set(s[1], SOL_SOCKET, SO_PEEK_OFF, 2);
	CHECK_EQ(write(s[0], "abcdefgh", 8), 8);
	CHECK_EQ(recv(s[1], buf, 3, MSG_PEEK), 3);
	CHECK(!memcmp(buf, "cde", 3));
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), 5);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 3);
	CHECK(!memcmp(buf, "fgh", 3));
	CHECK_ERR(recv(s[1], buf, 64, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	/* what is read is gone from before it */
	CHECK_EQ(recv(s[1], buf, 3, 0), 3);
	CHECK(!memcmp(buf, "abc", 3));
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), 5);
	CHECK_EQ(write(s[0], "ij", 2), 2);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 2);
	CHECK(!memcmp(buf, "ij", 2));
	CHECK_EQ(recv(s[1], buf, 64, 0), 7);
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), 0);
	set(s[1], SOL_SOCKET, SO_PEEK_OFF, -1);
	CHECK_EQ(write(s[0], "kl", 2), 2);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 2);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 2);
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), -1);
}

TEST(sockread, peek_off_streams)
{
	int s[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	peek_stream(s);
	ut_own_net();
	pair_of(SOCK_STREAM, s);
	peek_stream(s);
}

static void peek_packets(int s[2])
{
	char buf[64];

	set(s[1], SOL_SOCKET, SO_PEEK_OFF, 0);
	CHECK_EQ(send(s[0], "abcd", 4, 0), 4);
	CHECK_EQ(send(s[0], "efgh", 4, 0), 4);
	CHECK_EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
	CHECK(!memcmp(buf, "ab", 2));
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), 2);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 2);
	CHECK(!memcmp(buf, "cd", 2));
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 4);
	CHECK(!memcmp(buf, "efgh", 4));
	CHECK_ERR(recv(s[1], buf, 64, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(recv(s[1], buf, 64, 0), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), 4);
	set(s[1], SOL_SOCKET, SO_PEEK_OFF, 3);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK), 1);
	CHECK_EQ(buf[0], 'h');
	CHECK_EQ(recv(s[1], buf, 64, 0), 4);
	CHECK_EQ(get(s[1], SOL_SOCKET, SO_PEEK_OFF), 0);
	/* an empty one is seen once */
	CHECK_EQ(send(s[0], "", 0, 0), 0);
	CHECK_EQ(recv(s[1], buf, 64, MSG_PEEK | MSG_DONTWAIT), 0);
	CHECK_ERR(recv(s[1], buf, 64, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(recv(s[1], buf, 64, 0), 0);
}

TEST(sockread, peek_off_packets)
{
	int s[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	peek_packets(s);
	CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	peek_packets(s);
	ut_own_net();
	pair_of(SOCK_DGRAM, s);
	peek_packets(s);
	CHECK_OK(s[0] = socket(AF_INET, SOCK_RAW, 253));
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_PEEK_OFF, "\0\0\0", 4),
		  EOPNOTSUPP);
}
