/* SPDX-License-Identifier: MIT */
/*
 * user/tests/optlevels.c - what each level of options takes, gives and refuses; and the
 * control messages that options ask for.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <grp.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	TCP4,
	TCP6,
	UDP4,
	UDP6,
	UNIX,
	NETLINK
};
static const struct {
	int family, type;
} kinds[] = {
	[TCP4] = { AF_INET, SOCK_STREAM }, [TCP6] = { AF_INET6, SOCK_STREAM },
	[UDP4] = { AF_INET, SOCK_DGRAM },  [UDP6] = { AF_INET6, SOCK_DGRAM },
	[UNIX] = { AF_UNIX, SOCK_STREAM }, [NETLINK] = { AF_NETLINK, SOCK_RAW },
};

#define SOL_UDPLITE_ 136
#define ANY	     -77 /* nothing is looked at */

/* What an option is at first (or -errno), what is set, and what it is then (or -errno of
 * the set). */
static const struct {
	int kind, level, opt, first, v, then;
} options[] = {
	{ TCP4, SOL_SOCKET, SO_SNDLOWAT, 1, 1, -ENOPROTOOPT },
	{ TCP4, SOL_SOCKET, 40 /* RXQ_OVFL */, 0, 5, 1 },
	{ TCP4, SOL_SOCKET, 41 /* WIFI_STATUS */, 0, 1, 1 },
	{ TCP4, SOL_SOCKET, 43 /* NOFCS */, 0, 1, 1 },
	{ TCP4, SOL_SOCKET, 46 /* BUSY_POLL */, 0, 50, 50 },
	{ TCP4, SOL_SOCKET, 46, 0, -1, -EINVAL },
	{ TCP4, SOL_SOCKET, 50 /* ATTACH_BPF */, -ENOPROTOOPT, -1, -EBADF },
	{ TCP4, SOL_SOCKET, 50, -ENOPROTOOPT, 0, -EINVAL },
	{ TCP4, SOL_SOCKET, 52, -ENOPROTOOPT, 999, -EBADF },
	{ TCP4, SOL_SOCKET, 59 /* PEERGROUPS */, -ENODATA, 1, -ENOPROTOOPT },
	{ TCP4, SOL_SOCKET, 60 /* ZEROCOPY */, 0, 1, 1 },
	{ TCP4, SOL_SOCKET, 61 /* TXTIME */, 0, 1, -EINVAL },
	{ TCP4, SOL_SOCKET, 62 /* BINDTOIFINDEX */, 0, 100, 100 },
	{ TCP4, SOL_SOCKET, 62, 0, -1, -EINVAL },
	{ TCP4, SOL_SOCKET, 69 /* PREFER_BUSY_POLL */, 0, 2, 1 },
	{ TCP4, SOL_SOCKET, 70, -ENOPROTOOPT, 70000, -EINVAL },
	{ TCP4, SOL_SOCKET, 72 /* BUF_LOCK */, 0, 3, 3 },
	{ TCP4, SOL_SOCKET, 72, 0, 4, -EINVAL },
	{ TCP4, SOL_SOCKET, 73 /* RESERVE_MEM */, 0, -1, -EINVAL },
	{ TCP4, SOL_SOCKET, 74 /* TXREHASH */, 1, 0, 0 },
	{ TCP4, SOL_SOCKET, 74, 1, 2, -EINVAL },
	{ TCP4, SOL_SOCKET, 75 /* RCVMARK */, 0, 1, 1 },
	{ UNIX, SOL_SOCKET, SO_REUSEPORT, 0, 0, 0 },
	{ UNIX, SOL_SOCKET, SO_REUSEPORT, 0, 1, -EOPNOTSUPP },
	{ UNIX, SOL_SOCKET, 74, 0, 1, 1 },
	{ NETLINK, SOL_SOCKET, SO_REUSEPORT, 0, 1, -EOPNOTSUPP },
	{ NETLINK, SOL_SOCKET, 42 /* PEEK_OFF */, -EOPNOTSUPP, 0, -EOPNOTSUPP },
	{ TCP4, SOL_IP, IP_TOS, 0, 5, 4 }, /* ECN is the stream's own */
	{ UDP4, SOL_IP, IP_TOS, 0, 5, 5 },
	{ TCP4, SOL_IP, IP_HDRINCL, 0, 1, -ENOPROTOOPT },
	{ TCP4, SOL_IP, IP_ROUTER_ALERT, 0, 1, -EINVAL },
	{ TCP4, SOL_IP, 21 /* MINTTL */, 0, 255, 255 },
	{ TCP4, SOL_IP, 21, 0, 256, -EINVAL },
	{ UDP4, SOL_IP, 22 /* NODEFRAG */, 0, 1, -ENOPROTOOPT },
	{ UDP4, SOL_IP, 23 /* CHECKSUM */, 0, 2, 1 },
	{ TCP4, SOL_IP, 25 /* RECVFRAGSIZE */, 0, 1, -EINVAL },
	{ UDP4, SOL_IP, 25, 0, 1, 1 },
	{ UDP4, SOL_IP, 26 /* RECVERR_RFC4884 */, 0, 2, -EINVAL },
	{ TCP4, SOL_IP, IP_MULTICAST_TTL, 1, 5, -EINVAL },
	{ TCP4, SOL_IP, IP_MULTICAST_ALL, 1, 0, 0 },
	{ UDP4, SOL_IP, IP_UNICAST_IF, 0, 1 << 24, 1 << 24 },
	{ UDP4, SOL_IP, IP_UNICAST_IF, 0, 1, -EADDRNOTAVAIL },
	{ UDP4, SOL_IP, 52 /* PROTOCOL */, 0, 1, -ENOPROTOOPT },
	{ UDP6, SOL_IP, IP_RECVTTL, 0, 1, 1 },
	{ TCP6, SOL_IPV6, 1 /* ADDRFORM */, -ENOTCONN, 5, -EINVAL },
	{ TCP6, SOL_IPV6, 2 /* 2292PKTINFO */, 0, 7, 1 },
	{ TCP6, SOL_IPV6, 8 /* 2292HOPLIMIT */, 0, 1, 1 },
	{ TCP6, SOL_IPV6, 11 /* FLOWINFO */, 0, 1, 1 },
	{ TCP6, SOL_IPV6, IPV6_UNICAST_HOPS, 64, 0, 0 },
	{ TCP6, SOL_IPV6, IPV6_UNICAST_HOPS, 64, -1, 64 },
	{ TCP6, SOL_IPV6, IPV6_MULTICAST_HOPS, 1, 5, -ENOPROTOOPT },
	{ UDP6, SOL_IPV6, IPV6_MULTICAST_HOPS, 1, 5, 5 },
	{ UDP6, SOL_IPV6, IPV6_MULTICAST_LOOP, 1, 2, -EINVAL },
	{ UDP6, SOL_IPV6, IPV6_MTU, -ENOTCONN, 5, -EINVAL },
	{ TCP6, SOL_IPV6, IPV6_MULTICAST_ALL, 1, 0, 0 },
	{ UDP6, SOL_IPV6, 30 /* ROUTER_ALERT_ISOLATE */, 0, 5, 1 },
	{ UDP6, SOL_IPV6, 31 /* RECVERR_RFC4884 */, 0, 2, -EINVAL },
	{ UDP6, SOL_IPV6, 61 /* PATHMTU */, -EINVAL, 1, -ENOPROTOOPT },
	{ TCP6, SOL_IPV6, IPV6_TCLASS, 0, 5, 4 },
	{ UDP6, SOL_IPV6, IPV6_TCLASS, 0, 5, 5 },
	{ UDP6, SOL_IPV6, 72 /* ADDR_PREFERENCES */, 0x500, 1, 0x401 },
	{ UDP6, SOL_IPV6, 72, 0x500, 5, 5 },
	{ UDP6, SOL_IPV6, 72, 0x500, 3, -EINVAL },
	{ UDP6, SOL_IPV6, 73 /* MINHOPCOUNT */, 0, 100, 100 },
	{ UDP6, SOL_IPV6, 76 /* UNICAST_IF */, 0, 1, -EADDRNOTAVAIL },
	{ TCP4, SOL_TCP, TCP_MAXSEG, 536, 100, 100 },
	{ TCP4, SOL_TCP, TCP_MAXSEG, 536, 87, -EINVAL },
	{ TCP4, SOL_TCP, TCP_MAXSEG, 536, 0, 536 },
	{ TCP4, SOL_TCP, TCP_LINGER2, 60, 0, 60 },
	{ TCP4, SOL_TCP, TCP_DEFER_ACCEPT, 0, 5, 7 },
	{ TCP4, SOL_TCP, TCP_DEFER_ACCEPT, 0, 100, 127 },
	{ TCP4, SOL_TCP, TCP_DEFER_ACCEPT, 0, -1, 0 },
	{ TCP4, SOL_TCP, TCP_WINDOW_CLAMP, 0, 5, 1152 },
	{ TCP4, SOL_TCP, TCP_QUICKACK, 1, 0, 0 },
	{ TCP4, SOL_TCP, 14 /* MD5SIG */, -ENOPROTOOPT, ANY, 0 },
	{ TCP4, SOL_TCP, 16 /* THIN_LINEAR_TIMEOUTS */, 0, 1, 1 },
	{ TCP4, SOL_TCP, 16, 0, 2, -EINVAL },
	{ TCP4, SOL_TCP, 17 /* THIN_DUPACK */, 0, 1, 0 },
	{ TCP4, SOL_TCP, 19 /* REPAIR */, 0, 2, -EINVAL },
	{ TCP4, SOL_TCP, 19, 0, 0, 0 },
	{ TCP4, SOL_TCP, 20 /* REPAIR_QUEUE */, -EINVAL, 1, -EPERM },
	{ TCP4, SOL_TCP, 21 /* QUEUE_SEQ */, -EINVAL, 1, -EINVAL },
	{ TCP4, SOL_TCP, 22 /* REPAIR_OPTIONS */, -ENOPROTOOPT, 1, -EINVAL },
	{ TCP4, SOL_TCP, 29 /* REPAIR_WINDOW */, -EINVAL, 1, -EPERM },
	{ TCP4, SOL_TCP, 34 /* FASTOPEN_NO_COOKIE */, 0, 1, 1 },
	{ TCP4, SOL_TCP, 35 /* ZEROCOPY_RECEIVE */, -EINVAL, ANY, 0 },
	{ TCP4, SOL_TCP, 43 /* IS_MPTCP */, 0, 1, -ENOPROTOOPT },
	{ UDP4, IPPROTO_UDP, 10 /* UDPLITE_SEND_CSCOV */, 0, 8, -ENOPROTOOPT },
	{ UDP4, IPPROTO_UDP, 100 /* ENCAP */, 0, 0, 0 },
	{ UDP4, SOL_UDPLITE_, 1 /* CORK */, 0, 1, 1 },
};

TEST(optlevels, words)
{
	ut_own_net();
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int k = options[i].kind, level = options[i].level;
		int s = socket(kinds[k].family, kinds[k].type, 0);
		int opt = options[i].opt, v = options[i].v, got = -76, r;
		socklen_t len = sizeof(got);

		CHECK_OK(s);
		r = getsockopt(s, level, opt, &got, &len) ? -errno : got;
		if (r != options[i].first)
			ut_fail(__FILE__, __LINE__,
				"kind %d level %d opt %d is %d at first", k,
				level, opt, r);
		if (v == ANY)
			continue;
		r = setsockopt(s, level, opt, &v, sizeof(v)) ? -errno : 0;
		if (!r && getsockopt(s, level, opt, &got, &len))
			r = -errno;
		if (!r)
			r = got;
		if (r != options[i].then)
			ut_fail(__FILE__, __LINE__,
				"kind %d level %d opt %d: %d became %d", k,
				level, opt, v, r);
		close(s);
	}
}

/* A byte will do for IP, nothing less than a word for TCP. */
TEST(optlevels, lengths)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), v = 0;
	char room[128];
	socklen_t len = sizeof(v);

	CHECK_OK(setsockopt(s, SOL_IP, IP_TOS, "\x10", 1));
	CHECK_OK(getsockopt(s, SOL_IP, IP_TOS, &v, &len));
	CHECK_EQ(v, 0x10);
	CHECK_OK(setsockopt(s, SOL_IP, IP_TOS, NULL, 0));
	CHECK_OK(getsockopt(s, SOL_IP, IP_TOS, &v, &len));
	CHECK_EQ(v, 0);
	CHECK_ERR(setsockopt(s, SOL_IP, IP_TTL, NULL, 0), EINVAL);
	CHECK_ERR(setsockopt(s, SOL_TCP, TCP_NODELAY, "\1", 1), EINVAL);
	CHECK_OK(getsockopt(s, SOL_IP, IP_OPTIONS, &v, &len));
	CHECK_EQ(len, 0);
	len = 128;
	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, 0));
	CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_PEERNAME, room, &len), EINVAL);
}

TEST(optlevels, peer_groups)
{
	gid_t two[2] = { 7, 9 }, got[4];
	socklen_t len = sizeof(got);
	int s[2];

	CHECK_OK(setgroups(2, two));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, 59, got, &len));
	CHECK_EQ(len, sizeof(two));
	CHECK(got[0] == 7 && got[1] == 9);
	len = 4;
	CHECK_ERR(getsockopt(s[0], SOL_SOCKET, 59, got, &len), ERANGE);
	CHECK_EQ(len, sizeof(two));
}

TEST(optlevels, txtime)
{
	unsigned v[2] = { CLOCK_MONOTONIC, 2 }, got[2] = { 9, 9 };
	socklen_t len = sizeof(got);
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_OK(setsockopt(s, SOL_SOCKET, 61, v, sizeof(v)));
	CHECK_OK(getsockopt(s, SOL_SOCKET, 61, got, &len));
	CHECK(len == 8 && got[0] == CLOCK_MONOTONIC && got[1] == 2);
	v[1] = 4;
	CHECK_ERR(setsockopt(s, SOL_SOCKET, 61, v, sizeof(v)), EINVAL);
}

/* --- control messages */

struct told {
	char control[512];
	struct msghdr m;
	struct iovec iov;
	char data[64];
};

static void hear(int s, struct told *t)
{
	memset(t, 0, sizeof(*t));
	t->iov = (struct iovec){ t->data, sizeof(t->data) };
	t->m.msg_iov = &t->iov;
	t->m.msg_iovlen = 1;
	t->m.msg_control = t->control;
	t->m.msg_controllen = sizeof(t->control);
	CHECK(recvmsg(s, &t->m, 0) >= 0);
}

/* Its data, or NULL. */
static void *find(struct told *t, int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&t->m); c;
	     c = CMSG_NXTHDR(&t->m, c)) {
		if (c->cmsg_level == level && c->cmsg_type == type)
			return CMSG_DATA(c);
	}
	return NULL;
}

static int word(struct told *t, int level, int type)
{
	int *p = find(t, level, type);

	return p ? *p : -1;
}

static void on(int s, int level, int opt)
{
	int one = 1;

	CHECK_OK(setsockopt(s, level, opt, &one, sizeof(one)));
}

static int bound(int family, void *addr, socklen_t len)
{
	int s = socket(family, SOCK_DGRAM, 0);

	CHECK_OK(s);
	CHECK_OK(bind(s, addr, len));
	CHECK_OK(getsockname(s, addr, &len));
	return s;
}

/* Many at once, to an IPv6 socket from both kinds of senders. */
TEST(optlevels, told_of_both)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct told t;
	int s, c;

	ut_own_net();
	s = bound(AF_INET6, &six, sizeof(six));
	on(s, SOL_IPV6, IPV6_RECVPKTINFO);
	on(s, SOL_IPV6, IPV6_RECVHOPLIMIT);
	on(s, SOL_IPV6, IPV6_RECVTCLASS);
	on(s, SOL_IPV6, 2 /* IPV6_2292PKTINFO */);
	on(s, SOL_IPV6, 8 /* IPV6_2292HOPLIMIT */);
	on(s, SOL_IPV6, 74 /* IPV6_RECVORIGDSTADDR */);
	on(s, SOL_IP, IP_RECVTTL);
	on(s, SOL_IP, 20 /* IP_RECVORIGDSTADDR */);
	on(s, SOL_SOCKET, 75 /* SO_RCVMARK */);
	CHECK_OK(c = socket(AF_INET6, SOCK_DGRAM, 0));
	six.sin6_addr = in6addr_loopback;
	CHECK_EQ(sendto(c, "x", 1, 0, (void *)&six, sizeof(six)), 1);
	hear(s, &t);
	CHECK(find(&t, SOL_IPV6, IPV6_PKTINFO));
	CHECK_EQ(word(&t, SOL_IPV6, IPV6_HOPLIMIT), 64);
	CHECK_EQ(word(&t, SOL_IPV6, IPV6_TCLASS), 0);
	CHECK(find(&t, SOL_IPV6, 2));
	CHECK_EQ(word(&t, SOL_IPV6, 8), 64);
	CHECK(find(&t, SOL_IPV6, 74));
	CHECK_EQ(word(&t, SOL_IP, IP_TTL), -1);
	CHECK_EQ(word(&t, SOL_SOCKET, SO_MARK), 0);
	CHECK(!(t.m.msg_flags & MSG_CTRUNC));
	CHECK_OK(c = socket(AF_INET, SOCK_DGRAM, 0));
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	four.sin_port = six.sin6_port;
	CHECK_EQ(sendto(c, "x", 1, 0, (void *)&four, sizeof(four)), 1);
	hear(s, &t);
	CHECK(find(&t, SOL_IPV6, IPV6_PKTINFO));
	CHECK_EQ(word(&t, SOL_IPV6, IPV6_HOPLIMIT), -1);
	CHECK_EQ(word(&t, SOL_IP, IP_TTL), 64);
	CHECK(find(&t, SOL_IP, 20));
	CHECK(!find(&t, SOL_IPV6, 74));
}

/* How many were lost before it. */
TEST(optlevels, lost)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	static char big[2000];
	int s, c, v = 1;
	struct told t;

	ut_own_net();
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = bound(AF_INET, &a, sizeof(a));
	on(s, SOL_SOCKET, 40 /* SO_RXQ_OVFL */);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v)));
	CHECK_OK(c = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	for (int i = 0; i < 20; i++)
		CHECK_EQ(send(c, big, sizeof(big), 0), sizeof(big));
	while (recv(s, big, sizeof(big), MSG_DONTWAIT) >= 0)
		;
	CHECK_EQ(send(c, big, 1, 0), 1);
	hear(s, &t);
	CHECK(word(&t, SOL_SOCKET, 40) > 10);
}

static int send_from(int s, void *to, socklen_t len, int level, int type,
		     const void *data, size_t n)
{
	union {
		struct cmsghdr h;
		char room[64];
	} c = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_name = to,
			    .msg_namelen = len,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = CMSG_SPACE(n) };

	c.h.cmsg_level = level;
	c.h.cmsg_type = type;
	c.h.cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(&c.h), data, n);
	return (int)sendmsg(s, &m, 0);
}

/* The sender chooses its address, and a mark, for one datagram. */
TEST(optlevels, sent_with)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, from;
	struct in_pktinfo info = { 0 };
	socklen_t len = sizeof(from);
	unsigned mark = 77;
	struct told t;
	int s, c;
	char b;

	ut_own_net();
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = bound(AF_INET, &a, sizeof(a));
	on(s, SOL_SOCKET, 75 /* SO_RCVMARK */);
	CHECK_OK(c = socket(AF_INET, SOCK_DGRAM, 0));
	info.ipi_spec_dst.s_addr = htonl(0x7f000005);
	CHECK_EQ(send_from(c, &a, sizeof(a), SOL_IP, IP_PKTINFO, &info,
			   sizeof(info)),
		 1);
	CHECK_EQ(recvfrom(s, &b, 1, 0, (void *)&from, &len), 1);
	CHECK_EQ(from.sin_addr.s_addr, info.ipi_spec_dst.s_addr);
	info.ipi_spec_dst.s_addr = htonl(0x08080808);
	CHECK_ERR(send_from(c, &a, sizeof(a), SOL_IP, IP_PKTINFO, &info,
			    sizeof(info)),
		  ENETUNREACH);
	info.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK);
	info.ipi_ifindex = 99;
	CHECK_ERR(send_from(c, &a, sizeof(a), SOL_IP, IP_PKTINFO, &info,
			    sizeof(info)),
		  ENODEV);
	CHECK_ERR(send_from(c, &a, sizeof(a), SOL_IP, 99, &info, 4), EINVAL);
	a.sin_family = AF_UNSPEC; /* will do for IPv4 */
	CHECK_EQ(send_from(c, &a, sizeof(a), SOL_SOCKET, SO_MARK, &mark, 4), 1);
	hear(s, &t);
	CHECK_EQ(word(&t, SOL_SOCKET, SO_MARK), 77);
}

/* What TCP_INFO counts. */
TEST(optlevels, tcp_info)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct {
		struct tcp_info old;
		char rest[300];
	} i, j;
	unsigned char *p = (void *)&i;
	int l, c, s;
	char buf[10];

	ut_own_net();
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(l = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(bind(l, (void *)&a, len));
	CHECK_OK(getsockname(l, (void *)&a, &len));
	CHECK_OK(listen(l, 1));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&a, len));
	CHECK_OK(s = accept(l, NULL, NULL));
	CHECK_EQ(write(c, "0123456789", 10), 10);
	CHECK_EQ(recv(s, buf, 10, MSG_WAITALL), 10);
	len = sizeof(i);
	CHECK_OK(getsockopt(c, SOL_TCP, TCP_INFO, &i, &len));
	CHECK_EQ(len, 248);
	CHECK_EQ(p[0], TCP_ESTABLISHED);
	CHECK_EQ(*(uint64_t *)(p + 200), 10); /* sent */
	CHECK_EQ(*(uint32_t *)(p + 156), 1);  /* in so many segments */
	CHECK_OK(getsockopt(s, SOL_TCP, TCP_INFO, &j, &len));
	p = (void *)&j;
	CHECK_EQ(*(uint64_t *)(p + 128), 10); /* received */
	CHECK_EQ(*(uint32_t *)(p + 152), 1);
}
