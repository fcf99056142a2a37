/* SPDX-License-Identifier: MIT */
/*
 * user/tests/mcast.c - multicast and broadcast of IPv4 over the loopback.
 *
 * Each test has a network namespace of its own.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define GROUP "239.1.2.3"

static struct sockaddr_in addr(const char *ip, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port) };

	CHECK_EQ(inet_pton(AF_INET, ip, &a.sin_addr), 1);
	return a;
}

/* A socket that shares @port at @ip. */
static int at(const char *ip, int port)
{
	struct sockaddr_in a = addr(ip, port);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;

	CHECK(s >= 0);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

static struct ip_mreq mreq(const char *ip)
{
	struct ip_mreq m = { .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };

	CHECK_EQ(inet_pton(AF_INET, ip, &m.imr_multiaddr), 1);
	return m;
}

static int got(int s)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	char b[16];

	return poll(&p, 1, 100) == 1 && recv(s, b, sizeof(b), 0) == 2;
}

TEST(mcast, members)
{
	struct sockaddr_in to = addr(GROUP, 4000);
	struct ip_mreq m = mreq(GROUP);
	struct in_addr lo = { htonl(INADDR_LOOPBACK) };
	int a, b, other, s, off = 0;

	ut_own_net();
	a = at("0.0.0.0", 4000);
	b = at(GROUP, 4000);
	other = at("0.0.0.0", 4000);
	CHECK_OK(setsockopt(other, IPPROTO_IP, IP_MULTICAST_ALL, &off,
			    sizeof(off)));
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_ERR(sendto(s, "no", 2, 0, (void *)&to, sizeof(to)), ENETUNREACH);
	CHECK_OK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)));
	CHECK_EQ(sendto(s, "m1", 2, 0, (void *)&to, sizeof(to)), 2);
	CHECK(!got(a) && !got(b)); /* nobody has joined */
	CHECK_OK(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)));
	CHECK_ERR(setsockopt(a, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)),
		  EADDRINUSE);
	CHECK_EQ(sendto(s, "m2", 2, 0, (void *)&to, sizeof(to)), 2);
	CHECK(got(a) && got(b));
	CHECK(!got(other)); /* who wants only what it joined */
	CHECK_OK(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)));
	CHECK_ERR(setsockopt(a, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m, sizeof(m)),
		  EADDRNOTAVAIL);
	CHECK_EQ(sendto(s, "m3", 2, 0, (void *)&to, sizeof(to)), 2);
	CHECK(!got(a) && !got(b));
}

TEST(mcast, errors)
{
	struct ip_mreq m = mreq("10.0.0.1");
	struct in_addr far = { htonl(0x0a000001) };
	struct sockaddr_in to = addr("127.255.255.255", 4001);
	int s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)),
		  EINVAL);
	m = mreq(GROUP);
	m.imr_interface.s_addr = 0;
	CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)),
		  ENODEV);
	CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 4), EINVAL);
	CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &far, sizeof(far)),
		  EADDRNOTAVAIL);
	CHECK_ERR(sendto(s, "x", 1, 0, (void *)&to, sizeof(to)), EACCES);
}

TEST(mcast, broadcast)
{
	struct sockaddr_in to = addr("127.255.255.255", 4002);
	int a, b, s, on = 1;

	ut_own_net();
	a = at("0.0.0.0", 4002);
	b = at("0.0.0.0", 4002);
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
	CHECK_EQ(sendto(s, "bc", 2, 0, (void *)&to, sizeof(to)), 2);
	CHECK(got(a) && got(b));
	to = addr("255.255.255.255", 4002);
	CHECK_ERR(sendto(s, "bc", 2, 0, (void *)&to, sizeof(to)), ENETUNREACH);
}
