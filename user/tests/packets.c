/* SPDX-License-Identifier: MIT */
/*
 * user/tests/packets.c - what goes with a datagram: hop limit, traffic class, time.
 */
#include "utest.h"

#include <netinet/in.h>
#include <sys/socket.h>

#ifndef IP_RECVORIGDSTADDR
#define IP_RECVORIGDSTADDR 20
#endif
#ifndef IP_ORIGDSTADDR
#define IP_ORIGDSTADDR 20
#endif
#ifndef IPV6_RECVORIGDSTADDR
#define IPV6_RECVORIGDSTADDR 74
#endif
#ifndef IPV6_ORIGDSTADDR
#define IPV6_ORIGDSTADDR 74
#endif

/* Two connected sockets of @family: what [0] sends comes to [1]. */
static void udp_pair(int family, int s[2])
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);

	for (int i = 0; i < 2; i++)
		NEED(s[i] = socket(family, SOCK_DGRAM, 0));
	a.sin6_family = (sa_family_t)family;
	if (family == AF_INET6)
		a.sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&a)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(s[1], (void *)&a, len));
	CHECK_OK(getsockname(s[1], (void *)&a, &len));
	CHECK_OK(connect(s[0], (void *)&a, len));
}

struct marks {
	int hops, class; /* -1: not told */
};

/* Send a byte, with @value as a control message unless @type is 0. */
static ssize_t send_marked(int s, int level, int type, int value)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr *c = (void *)control;

	if (type) {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
				       .cmsg_level = level,
				       .cmsg_type = type };
		memcpy(CMSG_DATA(c), &value, sizeof(value));
	}
	return sendmsg(s, &m, 0);
}

static struct marks received(int s)
{
	char control[256] __attribute__((aligned(8))), byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct marks r = { -1, -1 };

	CHECK_EQ(recvmsg(s, &m, 0), 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		bool six = c->cmsg_level == IPPROTO_IPV6;

		if (c->cmsg_type == (six ? IPV6_HOPLIMIT : IP_TTL))
			memcpy(&r.hops, CMSG_DATA(c), sizeof(int));
		else if (c->cmsg_type == IPV6_TCLASS && six)
			memcpy(&r.class, CMSG_DATA(c), sizeof(int));
		else if (c->cmsg_type == IP_TOS && !six)
			r.class = *CMSG_DATA(c);
	}
	return r;
}

static void check_marks(int family, int level, const int opt[6])
{
	int s[2], on = 1, v = 7;
	struct marks r;

	udp_pair(family, s);
	CHECK_OK(setsockopt(s[1], level, opt[0], &on, sizeof(on)));
	CHECK_OK(setsockopt(s[1], level, opt[1], &on, sizeof(on)));
	CHECK_EQ(send_marked(s[0], level, 0, 0), 1);
	r = received(s[1]);
	CHECK_EQ(r.hops, 64);
	CHECK_EQ(r.class, 0);
	/* The socket's own. */
	CHECK_OK(setsockopt(s[0], level, opt[2], &v, sizeof(v)));
	v = 16;
	CHECK_OK(setsockopt(s[0], level, opt[3], &v, sizeof(v)));
	CHECK_EQ(send_marked(s[0], level, 0, 0), 1);
	r = received(s[1]);
	CHECK_EQ(r.hops, 7);
	CHECK_EQ(r.class, 16);
	/* The message's come first. */
	CHECK_EQ(send_marked(s[0], level, opt[4], 2), 1);
	r = received(s[1]);
	CHECK_EQ(r.hops, 2);
	CHECK_EQ(r.class, 16);
	CHECK_EQ(send_marked(s[0], level, opt[5], 32), 1);
	r = received(s[1]);
	CHECK_EQ(r.hops, 7);
	CHECK_EQ(r.class, 32);
	CHECK_ERR(send_marked(s[0], level, opt[4], 256), EINVAL);
}

TEST(packets, ipv4)
{
	static const int opt[] = { IP_RECVTTL, IP_RECVTOS, IP_TTL,
				   IP_TOS,     IP_TTL,	   IP_TOS };

	check_marks(AF_INET, IPPROTO_IP, opt);
}

TEST(packets, ipv6)
{
	static const int opt[] = { IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS,
				   IPV6_UNICAST_HOPS, IPV6_TCLASS,
				   IPV6_HOPLIMIT,     IPV6_TCLASS };

	check_marks(AF_INET6, IPPROTO_IPV6, opt);
}

/* Sends a byte from @s[0]; when it came, as @s[1]'s option @opt tells, in ns. */
static int64_t stamped(int s[2], int opt, int unit)
{
	char control[64] __attribute__((aligned(8))), byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	struct timespec t;

	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	ut_sleep_ms(50); /* it is the arrival that is told */
	CHECK_EQ(recvmsg(s[1], &m, 0), 1);
	c = CMSG_FIRSTHDR(&m);
	if (!c)
		return -1;
	CHECK_EQ(c->cmsg_level, SOL_SOCKET);
	CHECK_EQ(c->cmsg_type, opt);
	memcpy(&t, CMSG_DATA(c), sizeof(t));
	return t.tv_sec * 1000000000 + t.tv_nsec * unit;
}

static void check_stamps(int s[2])
{
	static const struct {
		int opt, unit;
	} kinds[] = { { SO_TIMESTAMP, 1000 }, { SO_TIMESTAMPNS, 1 } };
	int on = 1, off = 0;
	socklen_t len;

	CHECK_EQ(stamped(s, 0, 1), -1);
	for (int i = 0; i < 2; i++) {
		struct timespec before, after;
		int64_t t;

		CHECK_OK(setsockopt(s[1], SOL_SOCKET, kinds[i].opt, &on, 4));
		ut_sleep_ms(20); /* Linux begins to look at clocks later */
		CHECK_OK(clock_gettime(CLOCK_REALTIME, &before));
		t = stamped(s, kinds[i].opt, kinds[i].unit);
		CHECK_OK(clock_gettime(CLOCK_REALTIME, &after));
		CHECK(t > before.tv_sec * 1000000000 + before.tv_nsec - 1000);
		CHECK(t < after.tv_sec * 1000000000 + after.tv_nsec - 40000000);
		len = sizeof(on);
		on = 0;
		CHECK_OK(
			getsockopt(s[1], SOL_SOCKET, kinds[!i].opt, &on, &len));
		CHECK_EQ(on, 0); /* the last one holds */
		CHECK_OK(getsockopt(s[1], SOL_SOCKET, kinds[i].opt, &on, &len));
		CHECK_EQ(on, 1);
	}
	CHECK_OK(setsockopt(s[1], SOL_SOCKET, SO_TIMESTAMP, &off, 4));
	CHECK_EQ(stamped(s, 0, 1), -1);
}

TEST(packets, stamps)
{
	int s[2];

	udp_pair(AF_INET, s);
	check_stamps(s);
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	check_stamps(s);
}

/* What goes along with where it was sent to, in Linux's order. */
static void check_destination(int family, int level, const int opt[4])
{
	char control[256] __attribute__((aligned(8))), byte;
	struct sockaddr_in6 own = { 0 }, told = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	socklen_t len = sizeof(own);
	int s[2], on = 1;
	struct cmsghdr *c;

	udp_pair(family, s);
	CHECK_OK(getsockname(s[1], (void *)&own, &len));
	CHECK_OK(setsockopt(s[1], level, opt[0], &on, sizeof(on)));
	CHECK_OK(setsockopt(s[1], level, opt[1], &on, sizeof(on)));
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_EQ(recvmsg(s[1], &m, 0), 1);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_type == opt[2]);
	c = c ? CMSG_NXTHDR(&m, c) : NULL;
	CHECK(c && c->cmsg_level == level && c->cmsg_type == opt[3]);
	if (!c)
		return;
	CHECK_EQ(c->cmsg_len, CMSG_LEN(len));
	memcpy(&told, CMSG_DATA(c), len);
	CHECK(!memcmp(&told, &own, len));
}

TEST(packets, destination)
{
	static const int four[] = { IP_PKTINFO, IP_RECVORIGDSTADDR, IP_PKTINFO,
				    IP_ORIGDSTADDR };
	static const int six[] = { IPV6_RECVPKTINFO, IPV6_RECVORIGDSTADDR,
				   IPV6_PKTINFO, IPV6_ORIGDSTADDR };

	check_destination(AF_INET, IPPROTO_IP, four);
	check_destination(AF_INET6, IPPROTO_IPV6, six);
}

/* What a destination that does not wait has no room for stays in the pipe. */
TEST(pipes, splice_loses_nothing)
{
	static unsigned char sent[65536], got[65536];
	size_t in = 0, out = 0;
	int p[2], s[2], full = 0;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (unsigned char)(i * 7 ^ i >> 8);
	CHECK_OK(pipe(p));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, (int[]){ 4096 }, 4);
	CHECK_EQ(write(p[1], sent, sizeof(sent)), sizeof(sent));
	while (out < sizeof(got)) {
		long n = splice(p[0], NULL, s[0], NULL, 30001,
				SPLICE_F_NONBLOCK);

		if (n > 0) {
			in += (size_t)n;
			continue;
		}
		CHECK(n < 0 && errno == EAGAIN);
		full += in < sizeof(sent);
		n = read(s[1], got + out, 5000);
		CHECK(n > 0);
		out += (size_t)n;
	}
	CHECK_EQ(in, sizeof(sent));
	CHECK(full > 0 && !memcmp(sent, got, sizeof(got)));
}

TEST(pipes, splice_between_pipes)
{
	char buf[16] = "";
	int a[2], b[2];

	CHECK_OK(pipe(a));
	CHECK_OK(pipe(b));
	CHECK_EQ(write(a[1], "0123456789", 10), 10);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 4, 0), 4);
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 100, 0), 6);
	CHECK_ERR(splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_EQ(read(b[0], buf, 16), 10);
	CHECK(!strcmp(buf, "0123456789"));
	CHECK_OK(close(a[1]));
	CHECK_EQ(splice(a[0], NULL, b[1], NULL, 1, 0), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_OK(pipe(a));
	CHECK_EQ(write(a[1], "x", 1), 1);
	CHECK_OK(close(b[0]));
	CHECK_ERR(splice(a[0], NULL, b[1], NULL, 1, 0), EPIPE);
	CHECK_EQ(read(a[0], buf, 16), 1);
}
