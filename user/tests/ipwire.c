/* SPDX-License-Identifier: MIT */
/*
 * user/tests/ipwire.c - datagrams of IPv4 between two network namespaces, over packets.
 *
 * Not here: a router between them (iprouter.c), IPv6 (ip6wire.c), TCP (tcpwire.c).
 */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/ethernet.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>

#define PORT 7100

static struct wire w;

static int socket_at(int i, int type, int proto)
{
	int s;

	wire_enter(&w, i);
	s = socket(AF_INET, type | SOCK_CLOEXEC, proto);
	CHECK(s >= 0);
	wire_enter(&w, 0);
	return s;
}

static int udp_at(int i, int port)
{
	int s = socket_at(i, SOCK_DGRAM, 0);
	struct sockaddr_in a = wire_addr(i, port);

	if (port)
		CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

static int readable(int s, int ms)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void on(int s, int level, int opt, int v)
{
	CHECK_OK(setsockopt(s, level, opt, &v, sizeof(v)));
}

static unsigned char out[70000], in[70000];

static void fill(size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)(i * 31 + (i >> 8));
}

TEST(ipwire, sizes)
{
	static const size_t sizes[] = { 0,    1,    1471, 1472,	 1473,
					2000, 9000, 1480, 30000, 65507 };
	struct sockaddr_in to, from;
	socklen_t len = sizeof(from);
	int a, b;

	wire_setup(&w);
	a = udp_at(0, 0);
	b = udp_at(1, PORT);
	to = wire_addr(1, PORT);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];

		fill(n);
		CHECK_EQ(sendto(a, out, n, 0, (void *)&to, sizeof(to)), n);
		CHECK(readable(b, 2000));
		memset(in, 0, n);
		CHECK_EQ(recvfrom(b, in, sizeof(in), 0, (void *)&from, &len),
			 n);
		CHECK(!memcmp(in, out, n));
		CHECK_EQ(ntohl(from.sin_addr.s_addr), 0x0a090001u);
		/* and back */
		CHECK_EQ(sendto(b, out, n, 0, (void *)&from, len), n);
		CHECK(readable(a, 2000));
		CHECK_EQ(recv(a, in, sizeof(in), 0), n);
	}
	CHECK_EQ(sendto(a, out, 65508, 0, (void *)&to, sizeof(to)), -1);
	CHECK_EQ(errno, EMSGSIZE);
}

/* Where it came, with what, and by which interface. */
TEST(ipwire, told)
{
	char control[256];
	struct iovec v = { in, sizeof(in) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct sockaddr_in to;
	int a, b, seen = 0;

	wire_setup(&w);
	a = udp_at(0, 0);
	b = udp_at(1, PORT);
	to = wire_addr(1, PORT);
	on(b, IPPROTO_IP, IP_PKTINFO, 1);
	on(b, IPPROTO_IP, IP_RECVTTL, 1);
	on(b, IPPROTO_IP, IP_RECVTOS, 1);
	on(a, IPPROTO_IP, IP_TTL, 33);
	on(a, IPPROTO_IP, IP_TOS, 0x28);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(readable(b, 2000));
	CHECK_EQ(recvmsg(b, &m, 0), 5);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *p = (void *)CMSG_DATA(c);

			CHECK_EQ(p->ipi_ifindex, w.index[1]);
			CHECK_EQ(ntohl(p->ipi_addr.s_addr), 0x0a090002u);
			seen |= 1;
		} else if (c->cmsg_type == IP_TTL) {
			CHECK_EQ(*(int *)(void *)CMSG_DATA(c), 33);
			seen |= 2;
		} else if (c->cmsg_type == IP_TOS) {
			CHECK_EQ(*(unsigned char *)CMSG_DATA(c), 0x28);
			seen |= 4;
		}
	}
	CHECK_EQ(seen, 7);
}

static void ping(size_t n)
{
	struct sockaddr_in to = wire_addr(1, 0);
	int s = socket_at(0, SOCK_DGRAM, IPPROTO_ICMP);
	struct icmphdr *h = (void *)out;

	fill(n + sizeof(*h));
	*h = (struct icmphdr){ .type = ICMP_ECHO, .un.echo.sequence = 7 };
	CHECK_EQ(sendto(s, out, sizeof(*h) + n, 0, (void *)&to, sizeof(to)),
		 sizeof(*h) + n);
	CHECK(readable(s, 2000));
	CHECK_EQ(recv(s, in, sizeof(in), 0), sizeof(*h) + n);
	CHECK_EQ(in[0], ICMP_ECHOREPLY);
	CHECK(!memcmp(in + sizeof(*h), out + sizeof(*h), n));
	CHECK_OK(close(s));
}

TEST(ipwire, ping)
{
	wire_setup(&w);
	ping(0);
	ping(56);
	ping(20000);
	ping(65000);
}

/* The next error in the queue of @s: its errno; who says so in *@by. */
static int queued_error(int s, struct sock_extended_err *e,
			struct sockaddr_in *by)
{
	char control[512];
	struct iovec v = { in, sizeof(in) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	CHECK(recvmsg(s, &m, MSG_ERRQUEUE) >= 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(e, CMSG_DATA(c), sizeof(*e));
		memcpy(by,
		       SO_EE_OFFENDER((
			       struct sock_extended_err *)(void *)CMSG_DATA(c)),
		       sizeof(*by));
		return (int)e->ee_errno;
	}
	return 0;
}

TEST(ipwire, port_unreachable)
{
	struct sockaddr_in to, by;
	struct sock_extended_err e;
	struct pollfd p;
	int a;

	wire_setup(&w);
	a = udp_at(0, 0);
	to = wire_addr(1, PORT);
	CHECK_OK(connect(a, (void *)&to, sizeof(to)));
	CHECK_EQ(send(a, out, 5, 0), 5);
	p = (struct pollfd){ .fd = a, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK(p.revents & POLLERR);
	CHECK_EQ(recv(a, in, 5, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, ECONNREFUSED);
	CHECK_OK(close(a));
	/* not connected: who asks for errors is told */
	a = udp_at(0, 0);
	on(a, IPPROTO_IP, IP_RECVERR, 1);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	p = (struct pollfd){ .fd = a };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK_EQ(queued_error(a, &e, &by), ECONNREFUSED);
	CHECK_EQ(e.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK_EQ(e.ee_type, 3);
	CHECK_EQ(e.ee_code, 3);
	CHECK_EQ(ntohl(by.sin_addr.s_addr), 0x0a090002u);
}

TEST(ipwire, no_such_host)
{
	struct sockaddr_in to, by;
	struct sock_extended_err e;
	struct pollfd p;
	int a;

	wire_setup(&w);
	a = udp_at(0, 0);
	to = wire_addr(76, PORT);
	on(a, IPPROTO_IP, IP_RECVERR, 1);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	p = (struct pollfd){ .fd = a };
	CHECK_EQ(poll(&p, 1, 6000), 1);
	CHECK_EQ(queued_error(a, &e, &by), EHOSTUNREACH);
	to.sin_addr.s_addr = htonl(0x08080808);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), -1);
	CHECK_EQ(errno, ENETUNREACH);
}

TEST(ipwire, too_long)
{
	struct sockaddr_in to, by;
	struct sock_extended_err e;
	int a, b, mtu = 0;
	socklen_t len = sizeof(mtu);

	wire_setup(&w);
	a = udp_at(0, 0);
	b = udp_at(1, PORT);
	to = wire_addr(1, PORT);
	CHECK_OK(connect(a, (void *)&to, sizeof(to)));
	CHECK_OK(getsockopt(a, IPPROTO_IP, IP_MTU, &mtu, &len));
	CHECK_EQ(mtu, 1500);
	on(a, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	on(a, IPPROTO_IP, IP_RECVERR, 1);
	CHECK_EQ(send(a, out, 1472, 0), 1472);
	CHECK(readable(b, 2000));
	CHECK_EQ(send(a, out, 1473, 0), -1);
	CHECK_EQ(errno, EMSGSIZE);
	CHECK_EQ(queued_error(a, &e, &by), EMSGSIZE);
	CHECK_EQ(e.ee_origin, SO_EE_ORIGIN_LOCAL);
	CHECK_EQ(e.ee_info, 1500);
	wire_mtu(&w, 0, 1000);
	CHECK_OK(getsockopt(a, IPPROTO_IP, IP_MTU, &mtu, &len));
	CHECK_EQ(mtu, 1000);
	CHECK_EQ(send(a, out, 1472, 0), -1);
	on(a, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	CHECK_EQ(send(a, out, 1473, 0), 1473);
	CHECK_EQ(recv(b, in, sizeof(in), 0), 1472);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 1473);
}

TEST(ipwire, broadcast)
{
	struct sockaddr_in to,
		any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int a, b, bound;

	wire_setup(&w);
	a = udp_at(0, 0);
	b = socket_at(1, SOCK_DGRAM, 0);
	CHECK_OK(bind(b, (void *)&any, sizeof(any)));
	bound = udp_at(1, PORT + 1); /* to an address: hears none */
	to = wire_addr(254, PORT);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), -1);
	CHECK_EQ(errno, EACCES);
	on(a, SOL_SOCKET, SO_BROADCAST, 1);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 5);
	to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	CHECK_EQ(sendto(a, out, 6, 0, (void *)&to, sizeof(to)), -1);
	CHECK_EQ(errno, ENETUNREACH); /* by which interface? */
	CHECK_OK(setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "wa", 3));
	CHECK_EQ(sendto(a, out, 6, 0, (void *)&to, sizeof(to)), 6);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 6);
	to.sin_port = htons(PORT + 1);
	CHECK_EQ(sendto(a, out, 6, 0, (void *)&to, sizeof(to)), 6);
	CHECK(!readable(bound, 100));
}

/* As DHCP does it: from nowhere to everybody. */
TEST(ipwire, without_address)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PORT),
				  .sin_addr.s_addr = htonl(INADDR_BROADCAST) };
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(PORT) };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int a, b;

	wire_setup(&w);
	wire_del_ip(w.index[0], "10.9.0.1", 24);
	a = socket_at(0, SOCK_DGRAM, 0);
	b = socket_at(1, SOCK_DGRAM, 0);
	CHECK_OK(bind(b, (void *)&any, sizeof(any)));
	on(a, SOL_SOCKET, SO_BROADCAST, 1);
	CHECK_OK(setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, "wa", 3));
	CHECK_EQ(sendto(a, out, 6, 0, (void *)&to, sizeof(to)), 6);
	CHECK(readable(b, 2000));
	CHECK_EQ(recvfrom(b, in, sizeof(in), 0, (void *)&from, &len), 6);
	CHECK_EQ(from.sin_addr.s_addr, 0);
}

TEST(ipwire, groups)
{
	struct ip_mreqn r = { .imr_multiaddr.s_addr = htonl(0xef010203) };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PORT),
				  .sin_addr = r.imr_multiaddr };
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(PORT) };
	int a, b, own;

	wire_setup(&w);
	a = udp_at(0, 0);
	b = socket_at(1, SOCK_DGRAM, 0);
	CHECK_OK(bind(b, (void *)&any, sizeof(any)));
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), -1);
	CHECK_EQ(errno, ENETUNREACH); /* by which interface? */
	r.imr_ifindex = w.index[1];
	wire_enter(&w, 1);
	CHECK_OK(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)));
	wire_enter(&w, 0);
	r.imr_ifindex = w.index[0];
	CHECK_OK(setsockopt(a, IPPROTO_IP, IP_MULTICAST_IF, &r, sizeof(r)));
	CHECK_EQ(sendto(a, out, 6, 0, (void *)&to, sizeof(to)), 6);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 6);
	/* one of our own hears it too, unless we do not want that */
	own = socket_at(0, SOCK_DGRAM, 0);
	CHECK_OK(bind(own, (void *)&any, sizeof(any)));
	CHECK_OK(setsockopt(own, IPPROTO_IP, IP_ADD_MEMBERSHIP, &r, sizeof(r)));
	CHECK_EQ(sendto(a, out, 7, 0, (void *)&to, sizeof(to)), 7);
	CHECK(readable(own, 2000));
	CHECK_EQ(recv(own, in, sizeof(in), 0), 7);
	on(a, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	CHECK_EQ(sendto(a, out, 8, 0, (void *)&to, sizeof(to)), 8);
	CHECK(!readable(own, 100));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 7);
	CHECK_EQ(recv(b, in, sizeof(in), 0), 8);
	r.imr_ifindex = w.index[1];
	CHECK_OK(setsockopt(b, IPPROTO_IP, IP_DROP_MEMBERSHIP, &r, sizeof(r)));
	CHECK_EQ(sendto(a, out, 9, 0, (void *)&to, sizeof(to)), 9);
	CHECK(!readable(b, 100));
}

/* A socket that is an interface's hears and reaches nothing else. */
TEST(ipwire, bound_to_device)
{
	struct sockaddr_in to,
		lo = { .sin_family = AF_INET,
		       .sin_port = htons(PORT),
		       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons(PORT) };
	char name[16];
	socklen_t len = sizeof(name);
	int a, b, c;

	wire_setup(&w);
	a = udp_at(0, 0);
	b = socket_at(1, SOCK_DGRAM, 0);
	CHECK_EQ(setsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, "nope", 5), -1);
	CHECK_EQ(errno, ENODEV);
	wire_enter(&w, 1);
	CHECK_OK(setsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, "wb", 3));
	CHECK_OK(getsockopt(b, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	CHECK(!strcmp(name, "wb"));
	CHECK_OK(bind(b, (void *)&any, sizeof(any)));
	wire_enter(&w, 0);
	to = wire_addr(1, PORT);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 5);
	c = socket_at(1, SOCK_DGRAM, 0);
	CHECK_EQ(sendto(c, out, 5, 0, (void *)&lo, sizeof(lo)), 5);
	CHECK(!readable(b, 100));
}

/* Between addresses of one machine there are no packets, whatever interface has them. */
TEST(ipwire, own_address)
{
	struct sockaddr_in to, from;
	socklen_t len = sizeof(from);
	int a, b;

	wire_setup(&w);
	wire_if_up("lo", 1);
	a = udp_at(0, 0);
	b = udp_at(0, PORT);
	to = wire_addr(0, PORT);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK_EQ(recvfrom(b, in, 9, MSG_DONTWAIT, (void *)&from, &len), 5);
	CHECK_EQ(ntohl(from.sin_addr.s_addr), 0x0a090001u);
	wire_up(&w, 0, 0);
	wire_up(&w, 0, 1);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
}

TEST(ipwire, address_goes)
{
	struct sockaddr_in a1, to;
	int a, b;

	wire_setup(&w);
	a = udp_at(0, PORT);
	b = udp_at(1, PORT);
	to = wire_addr(1, PORT);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(readable(b, 2000));
	wire_add_ip(w.index[0], "10.9.0.7", 24);
	wire_del_ip(w.index[0], "10.9.0.1", 24);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), -1);
	a1 = wire_addr(0, PORT + 1);
	a = socket_at(0, SOCK_DGRAM, 0);
	CHECK_EQ(bind(a, (void *)&a1, sizeof(a1)), -1);
	CHECK_EQ(errno, EADDRNOTAVAIL);
	wire_add_ip(w.index[0], "10.9.0.1", 24);
	CHECK_OK(bind(a, (void *)&a1, sizeof(a1)));
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
}

/* Frames of any content come in: nobody minds. */
TEST(ipwire, nonsense)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	static const unsigned short types[] = { 0x800, 0x800, 0x86dd, 0x86dd,
						0x806 };
	unsigned int seed = 12345;
	int s;

	wire_setup(&w);
	s = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		ut_skip("no packet sockets");
	to.sll_ifindex = w.index[0];
	memset(to.sll_addr, 0xff, 6);
	for (int i = 0; i < 20000; i++) {
		size_t n = (size_t)(rand_r(&seed) % 300);

		for (size_t k = 0; k < n; k++)
			out[k] = (unsigned char)(rand_r(&seed) >> 5);
		to.sll_protocol = htons(types[i % 5]);
		if (to.sll_protocol == htons(0x800)) {
			memcpy(out, "\x45\0\0\0\0\0\0\0\x40", 9);
			out[3] = (unsigned char)n;
			out[9] = (unsigned char)(i % 3 ? 17 : 1);
			memcpy(out + 12, "\x0a\x09\0\x01\x0a\x09\0\x02", 8);
		} else if (to.sll_protocol == htons(0x86dd)) {
			out[0] = 0x60;
			out[4] = 0;
			out[6] = (unsigned char)(i % 3 ? 58 : 44);
			out[7] = 255;
			memset(out + 24, 0, 16);
			memcpy(out + 24, "\xff\x02", 2);
			out[39] = 1;
		} else {
			memcpy(out, "\0\1\x08\0\6\4\0\1", 8);
		}
		(void)sendto(s, out, n, MSG_DONTWAIT, (void *)&to, sizeof(to));
	}
	ping(56);
}
