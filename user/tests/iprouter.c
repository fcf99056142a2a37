/* SPDX-License-Identifier: MIT */
/*
 * user/tests/iprouter.c - a router between two network namespaces: A - B - C.
 *
 * A has 10.9.0.1, B 10.9.0.2 and 10.8.0.2, C 10.8.0.3.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#define PORT 7200

static struct wire w;
static int ns_c;
static unsigned char buf[70000];

static void write_file(const char *path, const char *text)
{
	int f = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(f >= 0);
	CHECK_EQ(write(f, text, strlen(text)), strlen(text));
	CHECK_OK(close(f));
}

static void setup(void)
{
	wire_setup(&w);
	CHECK_OK(unshare(CLONE_NEWNET));
	ns_c = wire_own_ns();
	wire_if_up("lo", 1);
	wire_enter(&w, 1);
	CHECK_EQ(wire_veth("wr", "wc", ns_c), 0);
	wire_add_ip(wire_if_index("wr"), "10.8.0.2", 24);
	wire_if_up("wr", 1);
	CHECK_OK(setns(ns_c, CLONE_NEWNET));
	wire_add_ip(wire_if_index("wc"), "10.8.0.3", 24);
	wire_if_up("wc", 1);
	CHECK_EQ(wire_add_route("10.9.0.0", 24, "10.8.0.2"), 0);
	wire_enter(&w, 0);
	CHECK_EQ(wire_add_route("0.0.0.0", 0, "10.9.0.2"), 0);
}

static void forward(void)
{
	wire_enter(&w, 1);
	write_file("/proc/sys/net/ipv4/ip_forward", "1\n");
	wire_enter(&w, 0);
}

static struct sockaddr_in c_addr(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(0x0a080003) };
}

static int udp_in_c(void)
{
	struct sockaddr_in a = c_addr(PORT);
	int s;

	CHECK_OK(setns(ns_c, CLONE_NEWNET));
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(s >= 0);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	wire_enter(&w, 0);
	return s;
}

static int udp_in_a(void)
{
	struct sockaddr_in a = c_addr(PORT);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(s >= 0);
	CHECK_OK(connect(s, (void *)&a, sizeof(a)));
	return s;
}

static void on(int s, int opt, int v)
{
	CHECK_OK(setsockopt(s, IPPROTO_IP, opt, &v, sizeof(v)));
}

static int comes(int s, int events, int ms)
{
	struct pollfd p = { .fd = s, .events = (short)events };

	return poll(&p, 1, ms) == 1;
}

static int queued_error(int s, struct sock_extended_err *e, uint32_t *by)
{
	char control[512];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	struct sockaddr_in from;

	CHECK(recvmsg(s, &m, MSG_ERRQUEUE) >= 0);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_type == IP_RECVERR);
	memcpy(e, CMSG_DATA(c), sizeof(*e));
	memcpy(&from,
	       SO_EE_OFFENDER((struct sock_extended_err *)(void *)CMSG_DATA(c)),
	       sizeof(from));
	*by = ntohl(from.sin_addr.s_addr);
	return (int)e->ee_errno;
}

TEST(iprouter, forwards)
{
	int a, c;

	setup();
	a = udp_in_a();
	c = udp_in_c();
	CHECK_EQ(send(a, buf, 100, 0), 100);
	CHECK(!comes(c, POLLIN, 200)); /* B is none yet */
	forward();
	CHECK_EQ(send(a, buf, 100, 0), 100);
	CHECK(comes(c, POLLIN, 2000));
	CHECK_EQ(recv(c, buf, sizeof(buf), 0), 100);
	CHECK_EQ(send(a, buf, 30000, 0), 30000);
	CHECK(comes(c, POLLIN, 2000));
	CHECK_EQ(recv(c, buf, sizeof(buf), 0), 30000);
}

TEST(iprouter, time_exceeded)
{
	struct sock_extended_err e;
	uint32_t by;
	int a;

	setup();
	forward();
	a = udp_in_a();
	on(a, IP_RECVERR, 1);
	on(a, IP_TTL, 1);
	CHECK_EQ(send(a, buf, 100, 0), 100);
	CHECK(comes(a, 0, 2000));
	CHECK_EQ(queued_error(a, &e, &by), EHOSTUNREACH);
	CHECK_EQ(e.ee_type, ICMP_TIME_EXCEEDED);
	CHECK_EQ(by, 0x0a090002);
	on(a, IP_TTL, 2); /* it gets there; nobody listens */
	CHECK_EQ(send(a, buf, 100, 0), 100);
	CHECK(comes(a, 0, 2000));
	CHECK_EQ(queued_error(a, &e, &by), ECONNREFUSED);
	CHECK_EQ(by, 0x0a080003);
}

TEST(iprouter, path_mtu)
{
	struct sock_extended_err e;
	socklen_t len = sizeof(int);
	uint32_t by;
	int a, c, mtu = 0;

	setup();
	forward();
	wire_enter(&w, 1);
	wire_if_mtu(wire_if_index("wr"), 1200);
	wire_enter(&w, 0);
	a = udp_in_a();
	c = udp_in_c();
	CHECK_OK(getsockopt(a, IPPROTO_IP, IP_MTU, &mtu, &len));
	CHECK_EQ(mtu, 1500);
	on(a, IP_RECVERR, 1);
	on(a, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	CHECK_EQ(send(a, buf, 1400, 0), 1400);
	CHECK(comes(a, 0, 2000));
	CHECK_EQ(queued_error(a, &e, &by), EMSGSIZE);
	CHECK_EQ(e.ee_info, 1200);
	CHECK_EQ(by, 0x0a090002);
	CHECK_OK(getsockopt(a, IPPROTO_IP, IP_MTU, &mtu, &len));
	CHECK_EQ(mtu, 1200);
	CHECK_EQ(send(a, buf, 1400, 0), -1);
	CHECK_EQ(errno, EMSGSIZE);
	CHECK_EQ(send(a, buf, 1172, 0), 1172);
	CHECK(comes(c, POLLIN, 2000));
	CHECK_EQ(recv(c, buf, sizeof(buf), 0), 1172);
	on(a, IP_MTU_DISCOVER, IP_PMTUDISC_WANT);
	CHECK_EQ(send(a, buf, 5000, 0), 5000);
	CHECK(comes(c, POLLIN, 2000));
	CHECK_EQ(recv(c, buf, sizeof(buf), 0), 5000);
	on(a, IP_MTU_DISCOVER, IP_PMTUDISC_DONT); /* the router cuts it, too */
	CHECK_EQ(send(a, buf, 1472, 0), 1472);
	CHECK(comes(c, POLLIN, 2000));
	CHECK_EQ(recv(c, buf, sizeof(buf), 0), 1472);
}

/* No route at the router, and nobody there. */
TEST(iprouter, unreachable)
{
	struct sockaddr_in to = c_addr(PORT);
	struct sock_extended_err e;
	uint32_t by;
	int a;

	setup();
	forward();
	a = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(a >= 0);
	on(a, IP_RECVERR, 1);
	to.sin_addr.s_addr = htonl(0x0a070001);
	CHECK_EQ(sendto(a, buf, 10, 0, (void *)&to, sizeof(to)), 10);
	CHECK(comes(a, 0, 2000));
	CHECK_EQ(queued_error(a, &e, &by), ENETUNREACH);
	CHECK_EQ(by, 0x0a090002);
	to.sin_addr.s_addr = htonl(0x0a080077);
	CHECK_EQ(sendto(a, buf, 10, 0, (void *)&to, sizeof(to)), 10);
	CHECK(comes(a, 0, 6000));
	CHECK_EQ(queued_error(a, &e, &by), EHOSTUNREACH);
	CHECK_EQ(by, 0x0a090002);
}
