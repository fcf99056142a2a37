/* SPDX-License-Identifier: MIT */
/*
 * user/tests/zerocopy.c - MSG_ZEROCOPY: who is told that the memory of a send is free.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif

/* The numbers of the sends that the first entry tells of. */
static void told(int s, int level, int type, unsigned lo, unsigned hi)
{
	struct sock_extended_err *e;
	char control[128], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = s };
	struct cmsghdr *c;

	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLERR);
	CHECK_EQ(recvmsg(s, &m, MSG_ERRQUEUE), 0);
	CHECK_EQ(m.msg_flags, MSG_ERRQUEUE);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == level && c->cmsg_type == type);
	e = (void *)CMSG_DATA(c);
	CHECK_EQ(e->ee_errno, 0);
	CHECK_EQ(e->ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	CHECK_EQ(e->ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
	CHECK_EQ(e->ee_info, lo);
	CHECK_EQ(e->ee_data, hi);
}

static void connected(int type, struct sockaddr *a, socklen_t len, int s[2])
{
	int l;

	CHECK_OK(l = socket(a->sa_family, type, 0));
	CHECK_OK(bind(l, a, len));
	CHECK_OK(getsockname(l, a, &len));
	CHECK_OK(s[0] = socket(a->sa_family, type, 0));
	if (type == SOCK_STREAM)
		CHECK_OK(listen(l, 1));
	CHECK_OK(connect(s[0], a, len));
	s[1] = l;
	if (type == SOCK_STREAM)
		CHECK_OK(s[1] = accept(l, NULL, NULL));
}

static void exchange(int type, struct sockaddr *a, socklen_t len, int level,
		     int opt)
{
	int s[2], on = 1, two = 2;
	char buf[64];

	connected(type, a, len, s);
	CHECK_EQ(send(s[0], "abc", 3, MSG_ZEROCOPY), 3); /* an ordinary one */
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_ZEROCOPY, &two, 4), EINVAL);
	CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)));
	CHECK_ERR(recv(s[0], buf, 64, MSG_ERRQUEUE), EAGAIN);
	CHECK_EQ(send(s[0], "def", 3, MSG_ZEROCOPY), 3);
	told(s[0], level, opt, 0, 0);
	CHECK_EQ(send(s[0], "ghi", 3, 0), 3);
	CHECK_EQ(send(s[0], "jkl", 3, MSG_ZEROCOPY), 3);
	CHECK_EQ(send(s[0], "mno", 3, MSG_ZEROCOPY), 3);
	ut_sleep_ms(50);
	told(s[0], level, opt, 1, 2);
	CHECK_ERR(recv(s[0], buf, 64, MSG_ERRQUEUE), EAGAIN);
	if (type == SOCK_DGRAM)
		CHECK_EQ(recv(s[1], buf, 64, 0), 3);
	else
		CHECK_EQ(recv(s[1], buf, 15, MSG_WAITALL), 15);
	CHECK(!memcmp(buf, "abc", 3));
}

TEST(zerocopy, told)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	ut_own_net();
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	six.sin6_addr = in6addr_loopback;
	exchange(SOCK_STREAM, (void *)&a, sizeof(a), SOL_IP, IP_RECVERR);
	exchange(SOCK_DGRAM, (void *)&a, sizeof(a), SOL_IP, IP_RECVERR);
	exchange(SOCK_STREAM, (void *)&six, sizeof(six), SOL_IPV6,
		 IPV6_RECVERR);
}

TEST(zerocopy, others)
{
	int s[2], on = 1;
	char c;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)),
		  EOPNOTSUPP);
	CHECK_EQ(send(s[0], "a", 1, MSG_ZEROCOPY), 1);
	CHECK_EQ(recv(s[1], &c, 1, 0), 1);
}
