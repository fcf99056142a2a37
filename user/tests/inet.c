/* SPDX-License-Identifier: MIT */
/*
 * user/tests/inet.c - TCP and UDP over the loopback.
 *
 * On Linux the loopback must be up.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in addr4(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
}

/* A socket on a port that the kernel chose, and its address. */
static int bound(int type, struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int s = socket(AF_INET, type, 0);

	CHECK(s >= 0);
	*a = addr4(0);
	CHECK_OK(bind(s, (void *)a, sizeof(*a)));
	CHECK_OK(getsockname(s, (void *)a, &len));
	CHECK(ntohs(a->sin_port) > 0);
	return s;
}

static int listener(struct sockaddr_in *a, int backlog)
{
	int s = bound(SOCK_STREAM, a);

	CHECK_OK(listen(s, backlog));
	return s;
}

static void make_pair(int *c, int *s)
{
	struct sockaddr_in a;
	int l = listener(&a, 5);

	CHECK_OK(*c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(*c, (void *)&a, sizeof(a)));
	CHECK_OK(*s = accept(l, NULL, NULL));
	CHECK_OK(close(l));
}

static int events(int fd, int want)
{
	struct pollfd p = { .fd = fd, .events = (short)want };

	CHECK_OK(poll(&p, 1, 0));
	return p.revents;
}

TEST(inet, tcp_exchange)
{
	struct sockaddr_in a, peer;
	socklen_t len = sizeof(peer);
	int c, s;
	char buf[16];

	make_pair(&c, &s);
	CHECK_EQ(send(c, "hello", 5, 0), 5);
	CHECK_EQ(recv(s, buf, sizeof(buf), 0), 5);
	CHECK(!memcmp(buf, "hello", 5));
	CHECK_EQ(write(s, "back", 4), 4);
	CHECK_EQ(read(c, buf, 2), 2);
	CHECK_EQ(read(c, buf, sizeof(buf)), 2);
	CHECK_OK(getpeername(c, (void *)&peer, &len));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK(!memcmp(&a, &peer, sizeof(a)));
	CHECK_ERR(connect(c, (void *)&peer, sizeof(peer)), EISCONN);
}

TEST(inet, tcp_half_close)
{
	int c, s;
	char buf[16];

	make_pair(&c, &s);
	CHECK_EQ(write(c, "end", 3), 3);
	CHECK_OK(shutdown(c, SHUT_WR));
	CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(read(s, buf, sizeof(buf)), 3);
	CHECK_EQ(read(s, buf, sizeof(buf)), 0);
	CHECK(events(s, POLLIN | POLLRDHUP) & POLLRDHUP);
	CHECK_EQ(write(s, "still", 5), 5);
	CHECK_EQ(read(c, buf, sizeof(buf)), 5);
	CHECK_OK(close(s));
	CHECK_EQ(read(c, buf, sizeof(buf)), 0);
}

/* Who closes with data unread resets the connection. */
TEST(inet, tcp_reset)
{
	int c, s, err;
	socklen_t len = sizeof(err);
	char buf[4];

	make_pair(&c, &s);
	CHECK_EQ(write(c, "unread", 6), 6);
	CHECK(events(s, POLLIN) & POLLIN);
	CHECK_OK(close(s));
	CHECK_EQ(events(c, POLLIN) & (POLLIN | POLLERR | POLLHUP),
		 POLLIN | POLLERR | POLLHUP);
	CHECK_OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len));
	CHECK_EQ(err, ECONNRESET);
	CHECK_EQ(read(c, buf, sizeof(buf)), 0);
	CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(inet, tcp_epipe)
{
	int c, s;

	make_pair(&c, &s);
	CHECK_OK(close(s));
	CHECK_EQ(send(c, "x", 1, MSG_NOSIGNAL), 1); /* answered by a reset */
	ut_sleep_ms(20);
	CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(inet, tcp_refused)
{
	struct sockaddr_in a;
	int s = bound(SOCK_STREAM, &a), c, err;
	socklen_t len = sizeof(err);

	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), ECONNREFUSED);
	CHECK_OK(close(c));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EINPROGRESS);
	ut_sleep_ms(20);
	CHECK(events(c, POLLOUT) & POLLERR);
	CHECK_OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len));
	CHECK_EQ(err, ECONNREFUSED);
	CHECK_OK(close(s));
}

TEST(inet, tcp_nonblocking)
{
	struct sockaddr_in a;
	int l = listener(&a, 5), c, s, n = 0;
	static char buf[65536];
	long sent = 0, got = 0;
	ssize_t r;

	CHECK_OK(fcntl(l, F_SETFL, O_NONBLOCK));
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EINPROGRESS);
	while (!(events(l, POLLIN) & POLLIN) && n++ < 100)
		ut_sleep_ms(10);
	CHECK_OK(s = accept4(l, NULL, NULL, SOCK_NONBLOCK));
	CHECK(events(c, POLLOUT) & POLLOUT);
	CHECK_OK(connect(c, (void *)&a, sizeof(a))); /* once */
	CHECK_ERR(connect(c, (void *)&a, sizeof(a)), EISCONN);
	CHECK_ERR(read(s, buf, 1), EAGAIN);
	while ((r = write(c, buf, sizeof(buf))) > 0)
		sent += r;
	CHECK_EQ(errno, EAGAIN);
	CHECK(!(events(c, POLLOUT) & POLLOUT));
	for (n = 0; got < sent && n < 1000; n++) {
		r = read(s, buf, sizeof(buf));
		if (r > 0)
			got += r;
		else
			ut_sleep_ms(1);
	}
	CHECK_EQ(got, sent);
	ut_sleep_ms(10);
	CHECK(events(c, POLLOUT) & POLLOUT);
}

struct connector {
	struct sockaddr_in a;
	int bytes;
};

static int connect_and_send(void *arg)
{
	struct connector *k = arg;
	int c = socket(AF_INET, SOCK_STREAM, 0), i;

	if (connect(c, (void *)&k->a, sizeof(k->a)))
		return 1;
	for (i = 0; i < k->bytes; i++)
		if (send(c, &(char){ (char)i }, 1, MSG_NOSIGNAL) != 1)
			return 2;
	return 0;
}

/* More clients than the backlog has room for: they wait for their turn. */
TEST(inet, tcp_backlog)
{
	struct connector k = { .bytes = 3 };
	int l = listener(&k.a, 1), i, s;
	pid_t pids[8];
	char buf[8];

	for (i = 0; i < 8; i++)
		pids[i] = ut_fork(connect_and_send, &k);
	for (i = 0; i < 8; i++) {
		CHECK_OK(s = accept(l, NULL, NULL));
		CHECK_EQ(recv(s, buf, 3, MSG_WAITALL), 3);
		CHECK_EQ(buf[2], 2);
		CHECK_OK(close(s));
	}
	for (i = 0; i < 8; i++)
		CHECK_EQ(ut_wait(pids[i]), 0);
}

static int pour(void *arg)
{
	int fd = *(int *)arg;
	static char buf[100000];
	long left = 5000000;
	unsigned char x = 0;

	while (left > 0) {
		long n = left < (long)sizeof(buf) ? left : (long)sizeof(buf);

		for (long i = 0; i < n; i++)
			buf[i] = (char)x++;
		for (long done = 0, r; done < n; done += r)
			if ((r = write(fd, buf + done, n - done)) <= 0)
				return 1;
		left -= n;
	}
	return 0;
}

TEST(inet, tcp_bulk)
{
	int c, s;
	static unsigned char buf[30000];
	unsigned char x = 0;
	long got = 0;
	ssize_t n;
	pid_t pid;

	make_pair(&c, &s);
	pid = ut_fork(pour, &c);
	close(c);
	while ((n = read(s, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK_EQ(buf[i], x++);
		got += n;
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(got, 5000000);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(inet, tcp_options)
{
	int c, s, v = 1;
	socklen_t len = sizeof(v);
	struct linger lg = { 1, 0 };
	struct tcp_info ti;
	char buf[4];

	make_pair(&c, &s);
	CHECK_OK(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)));
	v = 0;
	CHECK_OK(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, &len));
	CHECK(v != 0);
	CHECK_OK(getsockopt(c, SOL_SOCKET, SO_PROTOCOL, &v, &len));
	CHECK_EQ(v, IPPROTO_TCP);
	CHECK_OK(getsockopt(c, SOL_SOCKET, SO_DOMAIN, &v, &len));
	CHECK_EQ(v, AF_INET);
	v = 60;
	CHECK_OK(setsockopt(c, IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)));
	v = 0;
	CHECK_ERR(setsockopt(c, IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)),
		  EINVAL);
	CHECK_ERR(setsockopt(c, IPPROTO_TCP, 12345, &v, sizeof(v)),
		  ENOPROTOOPT);
	len = sizeof(ti);
	CHECK_OK(getsockopt(c, IPPROTO_TCP, TCP_INFO, &ti, &len));
	CHECK_EQ(ti.tcpi_state, TCP_ESTABLISHED);
	/* A close that does not linger is a reset. */
	CHECK_OK(setsockopt(c, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)));
	CHECK_OK(close(c));
	CHECK_ERR(read(s, buf, sizeof(buf)), ECONNRESET);
}

TEST(inet, tcp_urgent)
{
	int c, s, at, v = 1;
	char buf[8];

	make_pair(&c, &s);
	CHECK_EQ(write(c, "ab", 2), 2);
	CHECK_EQ(send(c, "!", 1, MSG_OOB), 1);
	CHECK_EQ(write(c, "cd", 2), 2);
	ut_sleep_ms(10);
	CHECK(events(s, POLLPRI) & POLLPRI);
	CHECK_EQ(recv(s, buf, 8, MSG_OOB), 1);
	CHECK_EQ(buf[0], '!');
	CHECK_EQ(read(s, buf, 8), 2); /* up to the mark */
	CHECK_OK(ioctl(s, SIOCATMARK, &at));
	CHECK_EQ(at, 1);
	CHECK_EQ(read(s, buf, 8), 2);
	CHECK(!memcmp(buf, "cd", 2));
	CHECK_ERR(recv(s, buf, 8, MSG_OOB), EINVAL);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_OOBINLINE, &v, sizeof(v)));
	CHECK_EQ(send(c, "?", 1, MSG_OOB), 1);
	CHECK_EQ(read(s, buf, 8), 1);
	CHECK_EQ(buf[0], '?');
}

TEST(inet, ports)
{
	struct sockaddr_in a, b = addr4(80);
	int l = listener(&a, 5), s, v = 1;

	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, sizeof(v)));
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_ERR(bind(s, (void *)&a, 3), EINVAL);
	b.sin_addr.s_addr = htonl(0x0a0b0c0d);
	CHECK_ERR(bind(s, (void *)&b, sizeof(b)), EADDRNOTAVAIL);
	CHECK_OK(close(l));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EINVAL);
	if (geteuid() == 0) {
		CHECK_OK(seteuid(1000));
		b = addr4(81);
		CHECK_OK(l = socket(AF_INET, SOCK_STREAM, 0));
		CHECK_ERR(bind(l, (void *)&b, sizeof(b)), EACCES);
		CHECK_OK(seteuid(0));
	}
	CHECK_ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
}

TEST(inet, udp)
{
	struct sockaddr_in a, b, from;
	socklen_t len = sizeof(from);
	int x = bound(SOCK_DGRAM, &a), y = bound(SOCK_DGRAM, &b);
	char buf[16];

	CHECK_EQ(sendto(x, "one", 3, 0, (void *)&b, sizeof(b)), 3);
	CHECK_EQ(sendto(x, "", 0, 0, (void *)&b, sizeof(b)), 0);
	CHECK_EQ(recvfrom(y, buf, 2, MSG_TRUNC, (void *)&from, &len), 3);
	CHECK_EQ(from.sin_port, a.sin_port);
	CHECK_EQ(recv(y, buf, sizeof(buf), 0), 0);
	CHECK_ERR(recv(y, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(send(x, "x", 1, 0), EDESTADDRREQ);
	CHECK_OK(connect(x, (void *)&b, sizeof(b)));
	CHECK_EQ(send(x, "two", 3, 0), 3);
	CHECK_EQ(recv(y, buf, sizeof(buf), 0), 3);
	/* A connected socket hears its peer only, and of its absence. */
	CHECK_EQ(sendto(y, "three", 5, 0, (void *)&a, sizeof(a)), 5);
	CHECK_EQ(recv(x, buf, sizeof(buf), 0), 5);
	CHECK_OK(close(y));
	CHECK_EQ(send(x, "lost", 4, 0), 4);
	ut_sleep_ms(10);
	CHECK_ERR(recv(x, buf, sizeof(buf), MSG_DONTWAIT), ECONNREFUSED);
	from.sin_family = AF_UNSPEC;
	CHECK_OK(connect(x, (void *)&from, sizeof(from)));
	CHECK_ERR(getpeername(x, (void *)&from, &len), ENOTCONN);
}

TEST(inet, unreachable)
{
	struct sockaddr_in a = addr4(9);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	if (connect(s, (void *)&a, sizeof(a)) && errno != ENETUNREACH)
		ut_skip("this machine has a route");
}

TEST(inet, ipv6)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT },
			    peer;
	struct sockaddr_in a4;
	socklen_t len = sizeof(a);
	int l = socket(AF_INET6, SOCK_STREAM, 0), c, s;

	NEED(l);
	CHECK_OK(bind(l, (void *)&a, sizeof(a)));
	CHECK_OK(listen(l, 1));
	CHECK_OK(getsockname(l, (void *)&a, &len));
	CHECK_OK(c = socket(AF_INET6, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&a, sizeof(a)));
	CHECK_OK(s = accept(l, (void *)&peer, &len));
	CHECK(IN6_IS_ADDR_LOOPBACK(&peer.sin6_addr));
	CHECK_OK(close(s));
	CHECK_OK(close(c));
	CHECK_OK(close(l));
	/* "Any" of IPv6 takes IPv4 too, and shows it mapped. */
	a.sin6_addr = in6addr_any;
	a.sin6_port = 0;
	CHECK_OK(l = socket(AF_INET6, SOCK_STREAM, 0));
	CHECK_OK(bind(l, (void *)&a, sizeof(a)));
	CHECK_OK(listen(l, 1));
	CHECK_OK(getsockname(l, (void *)&a, &len));
	a4 = addr4(ntohs(a.sin6_port));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&a4, sizeof(a4)));
	CHECK_OK(s = accept(l, (void *)&peer, &len));
	CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
}

TEST(inet, epoll_edge)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int c, s, ep = epoll_create1(0);
	char b;

	make_pair(&c, &s);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev));
	CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	CHECK_EQ(write(c, "12", 2), 2);
	CHECK_EQ(epoll_wait(ep, &ev, 1, 1000), 1);
	CHECK_EQ(read(s, &b, 1), 1);
	CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	CHECK_EQ(write(c, "3", 1), 1);
	CHECK_EQ(epoll_wait(ep, &ev, 1, 1000), 1);
}

static volatile sig_atomic_t got_io;

static void on_io(int sig)
{
	got_io = sig;
}

TEST(inet, sigurg)
{
	int c, s;

	make_pair(&c, &s);
	signal(SIGURG, on_io);
	CHECK_OK(fcntl(s, F_SETOWN, getpid()));
	CHECK_EQ(send(c, "!", 1, MSG_OOB), 1);
	for (int i = 0; i < 100 && !got_io; i++)
		ut_sleep_ms(10);
	CHECK_EQ(got_io, SIGURG);
}

TEST(inet, interfaces)
{
	struct ifaddrs *list, *i;
	struct ifreq r = { .ifr_name = "lo" };
	bool found = false;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_OK(getifaddrs(&list));
	for (i = list; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
		    !strcmp(i->ifa_name, "lo"))
			found = true;
	freeifaddrs(list);
	CHECK(found);
	CHECK_EQ(if_nametoindex("lo"), 1);
	CHECK_OK(ioctl(s, SIOCGIFFLAGS, &r));
	CHECK(r.ifr_flags & IFF_LOOPBACK);
	strcpy(r.ifr_name, "none0");
	CHECK_ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
}

/* Sets it, reads it back. */
static int turned(int fd, int level, int opt, int v)
{
	socklen_t len = sizeof(v);

	CHECK_OK(setsockopt(fd, level, opt, &v, sizeof(v)));
	v = -1;
	CHECK_OK(getsockopt(fd, level, opt, &v, &len));
	return v;
}

TEST(inet, packet_options)
{
	static const int ip[] = { IP_RECVOPTS, IP_RETOPTS, IP_MULTICAST_LOOP };
	static const int ip6[] = { IPV6_MULTICAST_LOOP, IPV6_RECVRTHDR,
				   IPV6_RECVHOPOPTS, IPV6_DONTFRAG };
	socklen_t len = sizeof(int);
	int s, s6, v = -1;

	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(s6 = socket(AF_INET6, SOCK_DGRAM, 0));
	CHECK_OK(getsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, &v, &len));
	CHECK_EQ(v, 1);
	CHECK_OK(getsockopt(s, IPPROTO_IP, IP_RETOPTS, &v, &len));
	CHECK_EQ(v, 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(turned(s, IPPROTO_IP, ip[i], 5), 1);
		CHECK_EQ(turned(s, IPPROTO_IP, ip[i], 0), 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(turned(s6, IPPROTO_IPV6, ip6[i], 1), 1);
		CHECK_EQ(turned(s6, IPPROTO_IPV6, ip6[i], 0), 0);
	}
	CHECK_EQ(turned(s6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, 2), 2);
	CHECK_EQ(turned(s6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, -1), 1);
	v = 6;
	CHECK_ERR(setsockopt(s6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v, 4),
		  EINVAL);
}

TEST(inet, bind_to_device)
{
	char name[16] = "x";
	socklen_t len = sizeof(name);
	int s;

	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	CHECK_EQ(len, 0);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "none7", 6),
		  ENODEV);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	len = 15;
	CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len),
		  EINVAL);
	len = sizeof(name);
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	CHECK_EQ(len, 3);
	CHECK(!strcmp(name, "lo"));
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	len = sizeof(name);
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	CHECK_EQ(len, 0);
}

TEST(inet, socket_diagnosis)
{
	struct {
		struct nlmsghdr h;
		uint8_t family, protocol, rest[54];
	} req = { .h = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = 20,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		  .family = 44 /* nobody's */ };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} ans;
	socklen_t len = sizeof(int);
	int s, v;

	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, 4 /* SOCK_DIAG */));
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_PROTOCOL, &v, &len));
	CHECK_EQ(v, 4);
	CHECK_EQ(send(s, &req, sizeof(req), 0), sizeof(req));
	CHECK(recv(s, &ans, sizeof(ans), 0) >= (ssize_t)sizeof(ans.h) + 4);
	CHECK_EQ(ans.h.nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(ans.e.error, -ENOENT);
}

/* The number behind @key in a file of lines of /proc/net. */
static int sockstat(const char *path, const char *key)
{
	char buf[1024];
	int fd = open(path, O_RDONLY), v = -1;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	const char *at;

	close(fd);
	CHECK(n > 0);
	buf[n > 0 ? n : 0] = '\0';
	at = strstr(buf, key);
	CHECK(at && sscanf(at + strlen(key), "%d", &v) == 1);
	return v;
}

TEST(inet, sockstat)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int tcp = sockstat("/proc/net/sockstat", "TCP: inuse");
	int udp6 = sockstat("/proc/net/sockstat6", "UDP6: inuse");
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	int s, u;

	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(listen(s, 1));
	CHECK_OK(u = socket(AF_INET6, SOCK_DGRAM, 0));
	CHECK_OK(bind(u, (void *)&a6, sizeof(a6)));
	CHECK_EQ(sockstat("/proc/net/sockstat", "TCP: inuse"), tcp + 1);
	CHECK_EQ(sockstat("/proc/net/sockstat6", "UDP6: inuse"), udp6 + 1);
	CHECK(sockstat("/proc/net/sockstat", "sockets: used") >= 2);
}
