/* SPDX-License-Identifier: MIT */
/*
 * user/tests/fastopen.c - MSG_FASTOPEN and its options: connect and send in one.
 */
#include "utest.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static int listener(struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int s, queue = 5, got = 0;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(s, (void *)a, len));
	CHECK_OK(getsockname(s, (void *)a, &len));
	CHECK_OK(setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, &queue, 4));
	CHECK_OK(listen(s, 5));
	len = sizeof(got);
	CHECK_OK(getsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, &got, &len));
	CHECK_EQ(got, queue);
	return s;
}

static int stream(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0);
	return s;
}

static void gets_hello(int l)
{
	char b[16];
	int s = accept(l, NULL, NULL);

	CHECK(s >= 0);
	CHECK_EQ(recv(s, b, sizeof(b), 0), 5);
	CHECK(!memcmp(b, "hello", 5));
	close(s);
}

TEST(fastopen, sendto)
{
	struct sockaddr_in a;
	int l = listener(&a), c;

	for (int i = 0; i < 3; i++) {
		c = stream();
		CHECK_EQ(sendto(c, "hello", 5, MSG_FASTOPEN, (void *)&a,
				sizeof(a)),
			 5);
		gets_hello(l);
		close(c);
	}
}

TEST(fastopen, does_not_wait)
{
	struct sockaddr_in a;
	int l = listener(&a), c = stream(), err = -1;
	struct pollfd p = { .fd = c, .events = POLLOUT };
	socklen_t len = sizeof(err);

	CHECK_ERR(sendto(c, "hello", 5, MSG_FASTOPEN | MSG_DONTWAIT, (void *)&a,
			 sizeof(a)),
		  EINPROGRESS);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len));
	CHECK_EQ(err, 0);
	CHECK_EQ(send(c, "hello", 5, 0), 5);
	gets_hello(l);
}

TEST(fastopen, errors)
{
	struct sockaddr_in a, none = { .sin_family = AF_UNSPEC };
	int l = listener(&a), c = stream();

	CHECK_ERR(sendto(c, "x", 1, MSG_FASTOPEN, (void *)&none, sizeof(none)),
		  EOPNOTSUPP);
	CHECK_ERR(send(c, "x", 1, MSG_FASTOPEN), EINVAL);
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	CHECK_ERR(sendto(c, "x", 1, MSG_FASTOPEN, (void *)&a, sizeof(a)),
		  EISCONN);
	close(l);
	c = stream();
	CHECK_ERR(sendto(c, "x", 1, MSG_FASTOPEN, (void *)&a, sizeof(a)),
		  ECONNREFUSED);
}

/* The option makes connect() such a call, which with a new peer is an ordinary one. */
TEST(fastopen, connect)
{
	struct sockaddr_in a;
	int l = listener(&a), c = stream(), v = 1, got = 0;
	socklen_t len = sizeof(got);

	CHECK_OK(setsockopt(c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &v, 4));
	CHECK_OK(getsockopt(c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &got, &len));
	CHECK_EQ(got, 1);
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	CHECK_EQ(send(c, "hello", 5, 0), 5);
	gets_hello(l);
	CHECK_ERR(setsockopt(c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &v, 4),
		  EINVAL);
	CHECK_ERR(setsockopt(c, IPPROTO_TCP, TCP_FASTOPEN, &v, 4), EINVAL);
	c = stream();
	v = 2;
	CHECK_ERR(setsockopt(c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &v, 4),
		  EINVAL);
}
