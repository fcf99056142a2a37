/* SPDX-License-Identifier: MIT */
/*
 * user/tests/ip6wire.c - datagrams of IPv6 between two network namespaces, over packets.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <sys/socket.h>

#define PORT 7300

static struct wire w;
static unsigned char out[70000], in[70000];

static int socket_at(int i, int type, int proto)
{
	int s;

	wire_enter(&w, i);
	s = socket(AF_INET6, type | SOCK_CLOEXEC, proto);
	CHECK(s >= 0);
	wire_enter(&w, 0);
	return s;
}

static struct sockaddr_in6 addr(const char *ip, int port, int scope)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)port),
				  .sin6_scope_id = (uint32_t)scope };

	CHECK_EQ(inet_pton(AF_INET6, ip, &a.sin6_addr), 1);
	return a;
}

static int readable(int s, int ms)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void on(int s, int opt, int v)
{
	CHECK_OK(setsockopt(s, IPPROTO_IPV6, opt, &v, sizeof(v)));
}

static void setup(void)
{
	wire_setup(&w);
	wire_add_ip(w.index[0], "fd00:9::1", 64);
	wire_enter(&w, 1);
	wire_add_ip(w.index[1], "fd00:9::2", 64);
	wire_enter(&w, 0);
}

static int udp_at(int i, int port)
{
	int s = socket_at(i, SOCK_DGRAM, 0);
	struct sockaddr_in6 a = addr("::", port, 0);

	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

TEST(ip6wire, sizes)
{
	static const size_t sizes[] = { 0, 1, 1452, 1453, 9000, 65527 };
	struct sockaddr_in6 to, from;
	socklen_t len = sizeof(from);
	char text[64];
	int a, b;

	setup();
	a = socket_at(0, SOCK_DGRAM, 0);
	b = udp_at(1, PORT);
	to = addr("fd00:9::2", PORT, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];

		for (size_t k = 0; k < n; k++)
			out[k] = (unsigned char)(k * 13 + (k >> 8));
		CHECK_EQ(sendto(a, out, n, 0, (void *)&to, sizeof(to)), n);
		CHECK(readable(b, 3000));
		CHECK_EQ(recvfrom(b, in, sizeof(in), 0, (void *)&from, &len),
			 n);
		CHECK(!memcmp(in, out, n));
		CHECK(inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text)));
		CHECK(!strcmp(text, "fd00:9::1"));
		CHECK_EQ(from.sin6_scope_id, 0);
	}
}

/* The address that the interface gave itself, when nobody else turned out to have it: then
 * it can be bound to. */
static struct sockaddr_in6 link_local(int i, int port)
{
	struct sockaddr_in6 a = addr("fe80::", port, w.index[i]);
	unsigned char *id = a.sin6_addr.s6_addr + 8;
	unsigned char mac[6];
	int s = socket_at(i, SOCK_DGRAM, 0), tries = 0;

	wire_enter(&w, i);
	wire_mac(w.dev[i], mac);
	memcpy(id, mac, 3);
	memcpy(id + 3, "\xff\xfe", 2);
	memcpy(id + 5, mac + 3, 3);
	id[0] ^= 2;
	while (bind(s, (void *)&a, sizeof(a))) {
		CHECK_EQ(errno, EADDRNOTAVAIL);
		CHECK(tries++ < 50);
		usleep(100000);
	}
	CHECK_OK(close(s));
	wire_enter(&w, 0);
	return a;
}

TEST(ip6wire, link_local)
{
	struct sockaddr_in6 me, to, from;
	socklen_t len = sizeof(from);
	int a, b;

	setup();
	me = link_local(0, 0);
	to = link_local(1, PORT);
	a = socket_at(0, SOCK_DGRAM, 0);
	b = udp_at(1, PORT);
	to.sin6_scope_id = (uint32_t)w.index[0];
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(readable(b, 3000));
	CHECK_EQ(recvfrom(b, in, sizeof(in), 0, (void *)&from, &len), 5);
	CHECK(!memcmp(&from.sin6_addr, &me.sin6_addr, 16));
	CHECK_EQ(from.sin6_scope_id, w.index[1]);
	CHECK_EQ(sendto(b, out, 6, 0, (void *)&from, len), 6);
	CHECK(readable(a, 3000));
	CHECK_EQ(recv(a, in, sizeof(in), 0), 6);
	/* bound to it, a socket is the link's */
	me.sin6_scope_id = 0;
	me.sin6_port = htons(PORT);
	a = socket_at(0, SOCK_DGRAM, 0);
	CHECK_EQ(bind(a, (void *)&me, sizeof(me)), -1);
	CHECK_EQ(errno, EINVAL);
	me.sin6_scope_id = (uint32_t)w.index[0];
	CHECK_OK(bind(a, (void *)&me, sizeof(me)));
}

/* Who sends without saying on which link takes the first route; nobody connects so. */
TEST(ip6wire, link_unnamed)
{
	struct sockaddr_in6 to;
	int a, b;

	setup();
	(void)link_local(0, 0);
	to = link_local(1, PORT);
	to.sin6_scope_id = 0;
	a = socket_at(0, SOCK_DGRAM, 0);
	b = udp_at(1, PORT);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(readable(b, 3000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 5);
	CHECK_ERR(connect(a, (void *)&to, sizeof(to)), EINVAL);
	a = socket_at(0, SOCK_STREAM, 0);
	CHECK_ERR(connect(a, (void *)&to, sizeof(to)), EINVAL);
}

static void ping(const struct sockaddr_in6 *to, size_t n)
{
	int s = socket_at(0, SOCK_DGRAM, IPPROTO_ICMPV6);
	struct icmp6_hdr *h = (void *)out;

	memset(out, 7, n + sizeof(*h));
	*h = (struct icmp6_hdr){ .icmp6_type = ICMP6_ECHO_REQUEST };
	CHECK_EQ(sendto(s, out, sizeof(*h) + n, 0, (const void *)to,
			sizeof(*to)),
		 sizeof(*h) + n);
	CHECK(readable(s, 3000));
	CHECK_EQ(recv(s, in, sizeof(in), 0), sizeof(*h) + n);
	CHECK_EQ(in[0], ICMP6_ECHO_REPLY);
	CHECK_OK(close(s));
}

TEST(ip6wire, ping)
{
	struct sockaddr_in6 to;

	setup();
	to = addr("fd00:9::2", 0, 0);
	ping(&to, 56);
	ping(&to, 30000);
	to = link_local(1, 0);
	to.sin6_scope_id = (uint32_t)w.index[0];
	(void)link_local(0, 0);
	ping(&to, 56);
	to = addr("ff02::1", 0, w.index[0]);
	ping(&to, 56);
}

TEST(ip6wire, port_unreachable)
{
	struct sockaddr_in6 to;
	int a;

	setup();
	a = socket_at(0, SOCK_DGRAM, 0);
	to = addr("fd00:9::2", PORT, 0);
	CHECK_OK(connect(a, (void *)&to, sizeof(to)));
	CHECK_EQ(send(a, out, 5, 0), 5);
	CHECK(readable(a, 3000));
	CHECK_EQ(recv(a, in, 5, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, ECONNREFUSED);
}

TEST(ip6wire, no_such_host)
{
	struct sockaddr_in6 to;
	struct pollfd p;
	int a;

	setup();
	a = socket_at(0, SOCK_DGRAM, 0);
	on(a, IPV6_RECVERR, 1);
	to = addr("fd00:9::77", PORT, 0);
	CHECK_OK(connect(a, (void *)&to, sizeof(to)));
	CHECK_EQ(send(a, out, 5, 0), 5);
	p = (struct pollfd){ .fd = a };
	CHECK_EQ(poll(&p, 1, 6000), 1);
	CHECK_EQ(recv(a, in, 5, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, EHOSTUNREACH);
	to = addr("2001:db8::1", PORT, 0);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), -1);
	CHECK_EQ(errno, ENETUNREACH);
}

TEST(ip6wire, groups)
{
	struct sockaddr_in6 to;
	struct ipv6_mreq r;
	int a, b;

	setup();
	(void)link_local(0, 0);
	(void)link_local(1, 0);
	a = socket_at(0, SOCK_DGRAM, 0);
	b = udp_at(1, PORT);
	to = addr("ff02::1234", PORT, w.index[0]);
	CHECK_EQ(sendto(a, out, 5, 0, (void *)&to, sizeof(to)), 5);
	CHECK(!readable(b, 200));
	r.ipv6mr_multiaddr = to.sin6_addr;
	r.ipv6mr_interface = (unsigned int)w.index[1];
	wire_enter(&w, 1);
	CHECK_OK(setsockopt(b, IPPROTO_IPV6, IPV6_JOIN_GROUP, &r, sizeof(r)));
	wire_enter(&w, 0);
	CHECK_EQ(sendto(a, out, 6, 0, (void *)&to, sizeof(to)), 6);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 6);
	to.sin6_scope_id = 0;
	on(a, IPV6_MULTICAST_IF, w.index[0]);
	CHECK_EQ(sendto(a, out, 7, 0, (void *)&to, sizeof(to)), 7);
	CHECK(readable(b, 2000));
	CHECK_EQ(recv(b, in, sizeof(in), 0), 7);
	CHECK_OK(setsockopt(b, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &r, sizeof(r)));
	CHECK_EQ(sendto(a, out, 8, 0, (void *)&to, sizeof(to)), 8);
	CHECK(!readable(b, 200));
}

/* Of several addresses the one that is nearest to the other side's. */
TEST(ip6wire, source)
{
	static const char *const to[] = { "fd00:9::2", "2001:db8:5::2" };
	static const char *const want[] = { "fd00:9::1", "2001:db8:5::1" };
	struct sockaddr_in6 a, me;
	socklen_t len = sizeof(me);
	char text[64];
	int s;

	setup();
	wire_add_ip(w.index[0], "2001:db8:5::1", 64);
	for (int i = 0; i < 2; i++) {
		a = addr(to[i], PORT, 0);
		s = socket_at(0, SOCK_DGRAM, 0);
		CHECK_OK(connect(s, (void *)&a, sizeof(a)));
		CHECK_OK(getsockname(s, (void *)&me, &len));
		CHECK(inet_ntop(AF_INET6, &me.sin6_addr, text, sizeof(text)));
		CHECK(!strcmp(text, want[i]));
		CHECK_OK(close(s));
	}
}
