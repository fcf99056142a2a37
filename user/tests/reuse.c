/* SPDX-License-Identifier: MIT */
/*
 * user/tests/reuse.c - sockets that share a port (SO_REUSEPORT), and addresses of
 * another family than the socket's.
 *
 * On Linux the loopback must be up.
 */
#include "utest.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum {
	SHARERS = 3,
	SENDERS = 48
};

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
}

/* Sockets of one port, which is left in @a. */
static void sharers(int type, int s[SHARERS], struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int on = 1;

	*a = loopback();
	for (int i = 0; i < SHARERS; i++) {
		NEED(s[i] = socket(AF_INET, type | SOCK_NONBLOCK, 0));
		CHECK_OK(setsockopt(s[i], SOL_SOCKET, SO_REUSEPORT, &on,
				    sizeof(on)));
		CHECK_OK(bind(s[i], (void *)a, len));
		CHECK_OK(getsockname(s[i], (void *)a, &len));
		if (type == SOCK_STREAM)
			CHECK_OK(listen(s[i], SENDERS));
	}
}

TEST(reuse, datagrams_are_shared)
{
	int s[SHARERS], c, total = 0;
	struct sockaddr_in a;
	char byte;

	sharers(SOCK_DGRAM, s, &a);
	for (int i = 0; i < SENDERS; i++) {
		NEED(c = socket(AF_INET, SOCK_DGRAM, 0));
		CHECK_OK(connect(c, (void *)&a, sizeof(a)));
		/* of one sender all go to the same */
		CHECK_EQ(send(c, &byte, 1, 0), 1);
		CHECK_EQ(send(c, &byte, 1, 0), 1);
		close(c);
	}
	for (int i = 0; i < SHARERS; i++) {
		int n = 0;

		while (recv(s[i], &byte, 1, 0) == 1)
			n++;
		CHECK(n > 0);
		CHECK_EQ(n % 2, 0);
		total += n;
	}
	CHECK_EQ(total, 2 * SENDERS);
}

TEST(reuse, connections_are_shared)
{
	struct sockaddr_in a;
	int s[SHARERS], c, total = 0;

	sharers(SOCK_STREAM, s, &a);
	for (int i = 0; i < SENDERS; i++) {
		NEED(c = socket(AF_INET, SOCK_STREAM, 0));
		CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	}
	for (int i = 0; i < SHARERS; i++) {
		struct pollfd p = { .fd = s[i], .events = POLLIN };
		int n = 0;

		CHECK_EQ(poll(&p, 1, 5000), 1);
		while ((c = accept(s[i], NULL, NULL)) >= 0)
			n++;
		CHECK(n > 0);
		total += n;
	}
	CHECK_EQ(total, SENDERS);
}

/* Who takes what comes to a port that a connected socket has too. */
TEST(reuse, connected_comes_first)
{
	int s[SHARERS], c, len;
	struct sockaddr_in a, own = loopback();
	socklen_t size = sizeof(own);
	char byte;

	sharers(SOCK_DGRAM, s, &a);
	NEED(c = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(c, (void *)&own, size));
	CHECK_OK(getsockname(c, (void *)&own, &size));
	CHECK_OK(connect(s[1], (void *)&own, size));
	for (len = 0; len < 20; len++)
		CHECK_EQ(sendto(c, &byte, 1, 0, (void *)&a, sizeof(a)), 1);
	for (len = 0; recv(s[1], &byte, 1, 0) == 1;)
		len++;
	CHECK_EQ(len, 20);
}

TEST(reuse, family_of_address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct {
		struct sockaddr_in a;
		char rest[32];
	} four = { .a = loopback() };
	int s4, s6;

	NEED(s4 = socket(AF_INET, SOCK_STREAM, 0));
	NEED(s6 = socket(AF_INET6, SOCK_STREAM, 0));
	CHECK_ERR(bind(s6, (void *)&four, sizeof(four.a)), EINVAL);
	CHECK_ERR(bind(s6, (void *)&four, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERR(connect(s6, (void *)&four, sizeof(four.a)), EINVAL);
	CHECK_ERR(connect(s6, (void *)&four, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERR(bind(s4, (void *)&six, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERR(connect(s4, (void *)&six, sizeof(six)), EAFNOSUPPORT);
	four.a.sin_family = AF_UNSPEC;
	CHECK_ERR(bind(s4, (void *)&four, sizeof(four.a)), EAFNOSUPPORT);
	four.a.sin_addr.s_addr = INADDR_ANY;
	CHECK_OK(bind(s4, (void *)&four, sizeof(four.a)));
}
