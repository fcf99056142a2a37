/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sockopts.c - options of sockets that programs set and read back.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static int get(int s, int level, int opt)
{
	int v = -77;
	socklen_t len = sizeof(v);

	CHECK_OK(getsockopt(s, level, opt, &v, &len));
	CHECK_EQ(len, sizeof(v));
	return v;
}

static void set(int s, int level, int opt, int v)
{
	CHECK_OK(setsockopt(s, level, opt, &v, sizeof(v)));
}

TEST(sockopts, kept)
{
	static const struct {
		int level, opt, first, v;
	} o[] = {
		{ SOL_SOCKET, SO_DEBUG, 0, 1 },
		{ SOL_SOCKET, SO_NO_CHECK, 0, 1 },
		{ SOL_SOCKET, SO_PASSSEC, 0, 1 },
		{ SOL_SOCKET, SO_SELECT_ERR_QUEUE, 0, 1 },
		{ SOL_SOCKET, SO_INCOMING_CPU, -1, 1 },
		{ IPPROTO_IP, IP_FREEBIND, 0, 1 },
		{ IPPROTO_IP, IP_TRANSPARENT, 0, 1 },
		{ IPPROTO_IP, IP_PASSSEC, 0, 1 },
		{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0, 1 },
		{ IPPROTO_TCP, TCP_SYNCNT, 6, 3 },
		{ IPPROTO_TCP, TCP_LINGER2, 60, 5 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, 0, 16384 },
	};
	int s = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < sizeof(o) / sizeof(o[0]); i++) {
		CHECK_EQ(get(s, o[i].level, o[i].opt), o[i].first);
		set(s, o[i].level, o[i].opt, o[i].v);
		CHECK_EQ(get(s, o[i].level, o[i].opt), o[i].v);
	}
	CHECK_EQ(get(s, SOL_SOCKET, SO_BPF_EXTENSIONS), 64);
	CHECK_EQ(get(s, SOL_SOCKET, SO_INCOMING_NAPI_ID), 0);
	set(s, SOL_SOCKET, SO_RCVBUF, 1);
	CHECK_EQ(get(s, SOL_SOCKET, SO_RCVBUF), 2304);
}

TEST(sockopts, cookie)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), t;
	unsigned long c = 0, d = 0, again = 0;
	socklen_t len = sizeof(c);

	CHECK_OK(t = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_COOKIE, &c, &len));
	CHECK_EQ(len, 8);
	CHECK_OK(getsockopt(t, SOL_SOCKET, SO_COOKIE, &d, &len));
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_COOKIE, &again, &len));
	CHECK(c && d && c != d && c == again);
}

TEST(sockopts, pacing)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);
	unsigned long rate = 0;
	socklen_t len = sizeof(rate);

	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len));
	CHECK(len == 8 && rate == ~0ul);
	set(s, SOL_SOCKET, SO_MAX_PACING_RATE, 125000);
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len));
	CHECK_EQ(rate, 125000);
}

TEST(sockopts, meminfo)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned v[10];
	socklen_t len = sizeof(v);

	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_MEMINFO, v, &len));
	CHECK_EQ(len, 36);
	CHECK_EQ(v[0], 0);
	CHECK_EQ(v[1], get(s, SOL_SOCKET, SO_RCVBUF));
	CHECK_EQ(v[3], get(s, SOL_SOCKET, SO_SNDBUF));
}

/* An address that nobody here has. */
TEST(sockopts, freebind)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = inet_addr("192.0.2.1") };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EADDRNOTAVAIL);
	set(s, IPPROTO_IP, IP_FREEBIND, 1);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(listen(s, 1));
	CHECK_EQ(inet_pton(AF_INET6, "2001:db8::1", &six.sin6_addr), 1);
	CHECK_OK(s = socket(AF_INET6, SOCK_DGRAM, 0));
	CHECK_ERR(bind(s, (void *)&six, sizeof(six)), EADDRNOTAVAIL);
	set(s, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	CHECK_OK(bind(s, (void *)&six, sizeof(six)));
	CHECK_OK(setuid(65534));
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)),
		  EPERM);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_DEBUG, &on, sizeof(on)), EACCES);
}

/* Who waits for urgent things hears of what is in the queue of errors. */
TEST(sockopts, error_queue_is_urgent)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct pollfd p;
	int s;

	ut_own_net();
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(s, (void *)&a, len));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	set(s, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_SOFTWARE);
	set(s, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
	CHECK_EQ(sendto(s, "x", 1, 0, (void *)&a, len), 1);
	p = (struct pollfd){ .fd = s, .events = POLLPRI };
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(p.revents, POLLPRI | POLLERR);
}
