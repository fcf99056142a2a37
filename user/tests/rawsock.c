/* SPDX-License-Identifier: MIT */
/*
 * user/tests/rawsock.c - raw sockets, ICMP, and errors of datagrams, over the loopback.
 *
 * Each test has a network namespace of its own.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#ifndef ICMP_FILTER
#define ICMP_FILTER 1
struct icmp_filter {
	unsigned int data;
};
#endif

static struct sockaddr_in addr4(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
}

static unsigned short sum(const void *data, size_t n)
{
	const unsigned short *p = data;
	unsigned long s = 0;

	for (; n > 1; n -= 2)
		s += *p++;
	if (n)
		s += *(const unsigned char *)p;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (unsigned short)~s;
}

static long next_packet(int s, void *buf, size_t n)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	if (poll(&p, 1, 200) != 1)
		return -1;
	return recv(s, buf, n, MSG_DONTWAIT);
}

/* A request and its reply are both heard, with their IPv4 headers. */
TEST(rawsock, ping)
{
	struct {
		struct icmphdr h;
		char data[5];
	} __attribute__((packed)) req = { .h = { .type = 8 }, .data = "abcd" };
	struct sockaddr_in a = addr4(0), from;
	socklen_t len = sizeof(from);
	char buf[200];
	struct iphdr *ip = (void *)buf;
	struct icmphdr *h = (void *)(buf + 20);
	int s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	req.h.un.echo.id = htons(77);
	req.h.un.echo.sequence = htons(3);
	req.h.checksum = sum(&req, sizeof(req));
	CHECK_EQ(sendto(s, &req, sizeof(req), 0, (void *)&a, sizeof(a)),
		 sizeof(req));
	CHECK_EQ(next_packet(s, buf, sizeof(buf)), 20 + sizeof(req));
	CHECK_EQ(ip->version, 4);
	CHECK_EQ(ip->ihl, 5);
	CHECK_EQ(ip->protocol, IPPROTO_ICMP);
	CHECK_EQ(ntohs(ip->tot_len), 20 + sizeof(req));
	CHECK_EQ(ip->ttl, 64);
	CHECK_EQ(ip->saddr, htonl(INADDR_LOOPBACK));
	CHECK_EQ(h->type, 8);
	CHECK_EQ(recvfrom(s, buf, sizeof(buf), 0, (void *)&from, &len),
		 20 + sizeof(req));
	CHECK_EQ(h->type, ICMP_ECHOREPLY);
	CHECK_EQ(ntohs(h->un.echo.id), 77);
	CHECK_EQ(sum(h, sizeof(req)), 0);
	CHECK(!memcmp(h + 1, "abcd", 5));
	CHECK_EQ(from.sin_port, 0);
	CHECK_EQ(sum(buf, 20), 0);
}

TEST(rawsock, icmp_filter)
{
	struct icmphdr req = { .type = 8 };
	struct sockaddr_in a = addr4(0);
	struct icmp_filter f = { ~(1u << ICMP_ECHOREPLY) }, g;
	socklen_t len = sizeof(g);
	char buf[200];
	struct icmphdr *h = (void *)(buf + 20);
	int s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	CHECK_OK(setsockopt(s, 255, ICMP_FILTER, &f, sizeof(f)));
	CHECK_OK(getsockopt(s, 255, ICMP_FILTER, &g, &len));
	CHECK_EQ(g.data, f.data);
	req.checksum = sum(&req, sizeof(req));
	CHECK_OK(sendto(s, &req, sizeof(req), 0, (void *)&a, sizeof(a)));
	CHECK_EQ(next_packet(s, buf, sizeof(buf)), 28);
	CHECK_EQ(h->type, ICMP_ECHOREPLY);
	CHECK_EQ(next_packet(s, buf, sizeof(buf)), -1);
}

TEST(rawsock, ping6)
{
	struct icmp6_hdr req = { .icmp6_type = ICMP6_ECHO_REQUEST };
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct icmp6_filter f;
	struct icmp6_hdr got;
	int s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
	CHECK_OK(setsockopt(s, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f)));
	req.icmp6_id = htons(9);
	CHECK_EQ(sendto(s, &req, sizeof(req), 0, (void *)&a, sizeof(a)),
		 sizeof(req));
	CHECK_EQ(next_packet(s, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.icmp6_type, ICMP6_ECHO_REPLY);
	CHECK_EQ(ntohs(got.icmp6_id), 9);
}

/* A datagram of a program's own making arrives at a UDP socket, and one of a UDP
 * socket at who hears the protocol. */
TEST(rawsock, udp_both_ways)
{
	struct {
		struct udphdr h;
		char data[4];
	} d = { .data = "raw" };
	struct sockaddr_in a = addr4(5000), from;
	socklen_t len = sizeof(from);
	char buf[200];
	struct udphdr *h = (void *)(buf + 20);
	int s, u;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
	CHECK_OK(u = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(u, (void *)&a, sizeof(a)));
	d.h.uh_sport = htons(6000);
	d.h.uh_dport = htons(5000);
	d.h.uh_ulen = htons(sizeof(d));
	a.sin_port = 0;
	CHECK_EQ(sendto(s, &d, sizeof(d), 0, (void *)&a, sizeof(a)), sizeof(d));
	CHECK_EQ(next_packet(s, buf, sizeof(buf)), 32);
	CHECK_EQ(recvfrom(u, buf, sizeof(buf), 0, (void *)&from, &len), 4);
	CHECK(!memcmp(buf, "raw", 4));
	CHECK_EQ(ntohs(from.sin_port), 6000);
	from.sin_port = htons(7000);
	CHECK_EQ(sendto(u, "udp", 3, 0, (void *)&from, sizeof(from)), 3);
	CHECK_EQ(next_packet(s, buf, sizeof(buf)), 31);
	CHECK_EQ(ntohs(h->uh_sport), 5000);
	CHECK_EQ(ntohs(h->uh_dport), 7000);
	CHECK_EQ(ntohs(h->uh_ulen), 11);
}

TEST(rawsock, header_included)
{
	struct {
		struct iphdr ip;
		char data[4];
	} d = { .ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = 200 },
		.data = "hdr" };
	struct sockaddr_in a = addr4(0);
	struct {
		struct iphdr ip;
		char data[4];
	} got;
	int s, r;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
	CHECK_OK(r = socket(AF_INET, SOCK_RAW, 200));
	d.ip.daddr = a.sin_addr.s_addr;
	CHECK_EQ(sendto(s, &d, sizeof(d), 0, (void *)&a, sizeof(a)), sizeof(d));
	CHECK_EQ(next_packet(r, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.ip.ttl, 9);
	CHECK_EQ(got.ip.protocol, 200);
	CHECK_EQ(ntohs(got.ip.tot_len), sizeof(d));
	CHECK_EQ(got.ip.saddr, a.sin_addr.s_addr);
	CHECK(!memcmp(got.data, "hdr", 4));
	CHECK_EQ(next_packet(s, &got, sizeof(got)), -1);
}

TEST(rawsock, errors)
{
	ut_own_net();
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 263), EINVAL);
	CHECK_OK(setuid(1000));
	CHECK_ERR(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	CHECK_ERR(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), EPERM);
}

/* IP_RECVERR: what became of which datagram. */
TEST(rawsock, error_queue)
{
	struct sockaddr_in a = addr4(5001), name;
	int on = 1, s, err;
	socklen_t len = sizeof(err);
	char data[16], ctl[256];
	struct iovec v = { data, sizeof(data) };
	struct msghdr m = { .msg_name = &name,
			    .msg_namelen = sizeof(name),
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct sock_extended_err *e;
	struct sockaddr_in *who;
	struct cmsghdr *c;
	struct pollfd p;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_ERR(recvmsg(s, &m, MSG_ERRQUEUE), EAGAIN);
	CHECK_OK(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	CHECK_EQ(sendto(s, "lost", 4, 0, (void *)&a, sizeof(a)), 4);
	p = (struct pollfd){ .fd = s, .events = 0 };
	CHECK_EQ(poll(&p, 1, 200), 1);
	CHECK_EQ(p.revents, POLLERR);
	CHECK_EQ(recvmsg(s, &m, MSG_ERRQUEUE), 4);
	CHECK(m.msg_flags & MSG_ERRQUEUE);
	CHECK(!memcmp(data, "lost", 4));
	CHECK_EQ(ntohs(name.sin_port), 5001);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
	e = (void *)CMSG_DATA(c);
	CHECK_EQ(e->ee_errno, ECONNREFUSED);
	CHECK_EQ(e->ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK_EQ(e->ee_type, 3);
	CHECK_EQ(e->ee_code, 3);
	who = (void *)SO_EE_OFFENDER(e);
	CHECK_EQ(who->sin_family, AF_INET);
	CHECK_EQ(who->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
	CHECK_EQ(err, 0);
	CHECK_EQ(sendto(s, "lost", 4, 0, (void *)&a, sizeof(a)), 4);
	p.revents = 0;
	CHECK_EQ(poll(&p, 1, 200), 1);
	CHECK_ERR(recv(s, data, sizeof(data), MSG_DONTWAIT), ECONNREFUSED);
}

/* An error quotes the beginning of what it is about, and is told before what came. */
TEST(rawsock, error_quotes)
{
	struct sockaddr_in a = addr4(5001), me;
	static char data[3000];
	socklen_t len = sizeof(me);
	int on = 1, s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	me = addr4(5002);
	CHECK_OK(bind(s, (void *)&me, len));
	CHECK_OK(setsockopt(s, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	CHECK_EQ(sendto(s, "mine", 4, 0, (void *)&me, len), 4);
	CHECK_EQ(sendto(s, data, 2000, 0, (void *)&a, sizeof(a)), 2000);
	CHECK_ERR(recv(s, data, sizeof(data), MSG_DONTWAIT), ECONNREFUSED);
	CHECK_EQ(recv(s, data, sizeof(data), MSG_DONTWAIT), 4);
	CHECK_EQ(recv(s, data, sizeof(data), MSG_ERRQUEUE), 520);
	CHECK_ERR(recv(s, data, sizeof(data), MSG_ERRQUEUE), EAGAIN);
}

/* The route is that of the call, whomever the program's own header names. */
TEST(rawsock, header_elsewhere)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = 200 };
	struct sockaddr_in a = addr4(0);
	struct iphdr got;
	int s, r;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
	CHECK_OK(r = socket(AF_INET, SOCK_RAW, 200));
	ip.daddr = inet_addr("192.0.2.1");
	CHECK_EQ(sendto(s, &ip, sizeof(ip), 0, (void *)&a, sizeof(a)),
		 sizeof(ip));
	CHECK_EQ(next_packet(r, &got, sizeof(got)), sizeof(got));
	CHECK_EQ(got.daddr, ip.daddr);
}

#define PING_GROUPS "/proc/sys/net/ipv4/ping_group_range"

static int put_groups(const char *s)
{
	int fd = open(PING_GROUPS, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, s, strlen(s)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int pings(void *arg)
{
	gid_t groups[2] = { 70, 7 };

	CHECK_OK(setgroups(arg ? 2 : 0, groups));
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
	return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) < 0 ? errno : 0;
}

/* Who may have a ping socket: groups from the one to the other. */
TEST(rawsock, ping_groups)
{
	char s[32] = "";
	int fd;

	NEED(unshare(CLONE_NEWNET));
	CHECK_EQ(put_groups("0 0\n"), 0);
	CHECK_OK(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	CHECK_EQ(ut_wait(ut_fork(pings, NULL)), EACCES);
	CHECK_EQ(put_groups("900\t1000"), 0);
	CHECK_EQ(ut_wait(ut_fork(pings, NULL)), 0);
	CHECK_EQ(put_groups("60 80"), 0);
	CHECK_EQ(ut_wait(ut_fork(pings, NULL)), EACCES);
	CHECK_EQ(ut_wait(ut_fork(pings, s)), 0);
	CHECK_EQ(put_groups("0 4294967295"), EINVAL);
	CHECK_EQ(put_groups("5 4"), 0); /* nobody */
	CHECK_OK(fd = open(PING_GROUPS, O_RDONLY));
	CHECK(read(fd, s, sizeof(s) - 1) > 0);
	CHECK(!strcmp(s, "1\t0\n"));
	CHECK_EQ(ut_wait(ut_fork(pings, s)), EACCES);
}
