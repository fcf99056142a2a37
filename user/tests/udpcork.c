/* SPDX-License-Identifier: MIT */
/*
 * user/tests/udpcork.c - datagrams from several sends, and several from one.
 *
 * On Linux the loopback must be up.
 */
#include "utest.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#define UDP_SEGMENT_ 103
#define UDP_GRO_     104

/* A receiver, and a sender that is connected to it. */
static void make_pair(int *tx, int *rx)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	CHECK_OK(*rx = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	CHECK_OK(bind(*rx, (void *)&a, sizeof(a)));
	CHECK_OK(getsockname(*rx, (void *)&a, &len));
	CHECK_OK(*tx = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(connect(*tx, (void *)&a, sizeof(a)));
}

static long next(int rx, char *buf, size_t n)
{
	struct pollfd p = { .fd = rx, .events = POLLIN };

	return poll(&p, 1, 200) == 1 ? recv(rx, buf, n, 0) : -1;
}

static void cork(int s, int on)
{
	CHECK_OK(setsockopt(s, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)));
}

TEST(udpcork, more)
{
	char buf[64];
	int tx, rx;

	make_pair(&tx, &rx);
	CHECK_EQ(send(tx, "one ", 4, MSG_MORE), 4);
	CHECK_EQ(send(tx, "two ", 4, MSG_MORE), 4);
	CHECK_ERR(recv(rx, buf, sizeof(buf), 0), EAGAIN);
	CHECK_EQ(send(tx, "three", 5, 0), 5);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 13);
	CHECK(!memcmp(buf, "one two three", 13));
	CHECK_EQ(send(tx, "alone", 5, 0), 5);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 5);
}

TEST(udpcork, option)
{
	char buf[64];
	int tx, rx, on = 0;
	socklen_t len = sizeof(on);

	make_pair(&tx, &rx);
	cork(tx, 1);
	CHECK_OK(getsockopt(tx, IPPROTO_UDP, UDP_CORK, &on, &len));
	CHECK_EQ(on, 1);
	CHECK_EQ(send(tx, "ab", 2, 0), 2);
	CHECK_EQ(send(tx, "cd", 2, 0), 2);
	CHECK_ERR(recv(rx, buf, sizeof(buf), 0), EAGAIN);
	cork(tx, 0);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	CHECK_ERR(recv(rx, buf, sizeof(buf), 0), EAGAIN);
}

TEST(udpcork, too_long)
{
	static char big[65000];
	char buf[64];
	int tx, rx;

	make_pair(&tx, &rx);
	CHECK_EQ(send(tx, big, sizeof(big), MSG_MORE), sizeof(big));
	CHECK_ERR(send(tx, big, sizeof(big), 0), EMSGSIZE);
	CHECK_EQ(send(tx, "fresh", 5, 0), 5);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 5);
}

TEST(udpcork, segments)
{
	int tx, rx, size = 4;
	char buf[64];

	make_pair(&tx, &rx);
	CHECK_OK(
		setsockopt(tx, IPPROTO_UDP, UDP_SEGMENT_, &size, sizeof(size)));
	CHECK_EQ(send(tx, "aaaabbbbcc", 10, 0), 10);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 4);
	CHECK_EQ(next(rx, buf, sizeof(buf)), 4);
	CHECK(!memcmp(buf, "bbbb", 4));
	CHECK_EQ(next(rx, buf, sizeof(buf)), 2);
	size = 65536;
	CHECK_ERR(setsockopt(tx, IPPROTO_UDP, UDP_SEGMENT_, &size,
			     sizeof(size)),
		  EINVAL);
}

/* One that wants them in one piece hears how long the parts are. */
TEST(udpcork, whole)
{
	char buf[64], ctl[64];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct iovec sv = { "aaaabbbbcc", 10 };
	struct msghdr sm = { .msg_iov = &sv, .msg_iovlen = 1 };
	char sctl[CMSG_SPACE(2)] = "";
	struct cmsghdr *c;
	int tx, rx, on = 1;
	uint16_t size = 4;
	struct pollfd p;

	make_pair(&tx, &rx);
	CHECK_OK(setsockopt(rx, IPPROTO_UDP, UDP_GRO_, &on, sizeof(on)));
	sm.msg_control = sctl;
	sm.msg_controllen = sizeof(sctl);
	c = CMSG_FIRSTHDR(&sm);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT_;
	c->cmsg_len = CMSG_LEN(2);
	memcpy(CMSG_DATA(c), &size, 2);
	CHECK_EQ(sendmsg(tx, &sm, 0), 10);
	p = (struct pollfd){ .fd = rx, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 200), 1);
	CHECK_EQ(recvmsg(rx, &m, 0), 10);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO_);
	CHECK_EQ(*(int *)CMSG_DATA(c), 4);
}
