/* SPDX-License-Identifier: MIT */
/*
 * user/tests/tcpwire.c - TCP between two network namespaces, over packets.
 */
#include "wire.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PORT 7000

static struct wire w;

static int listen_at(int i, int port, int backlog)
{
	struct sockaddr_in a = wire_addr(i, port);
	int one = 1, s;

	wire_enter(&w, i);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(s >= 0);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(listen(s, backlog));
	wire_enter(&w, 0);
	return s;
}

static int socket_at(int i, int flags)
{
	int s;

	wire_enter(&w, i);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	CHECK(s >= 0);
	wire_enter(&w, 0);
	return s;
}

/* c[0] in A, c[1] in B. */
static int connected(int c[2])
{
	struct sockaddr_in a = wire_addr(1, PORT);
	int l = listen_at(1, PORT, 8);

	c[0] = socket_at(0, 0);
	CHECK_OK(connect(c[0], (void *)&a, sizeof(a)));
	c[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	CHECK(c[1] >= 0);
	return l;
}

static unsigned char byte_at(size_t at, int who)
{
	return (unsigned char)((at * 2654435761u >> 13) ^ at ^ (size_t)who);
}

static void send_all(int s, size_t n, size_t chunk, int who)
{
	unsigned char buf[65536];

	for (size_t done = 0; done < n;) {
		size_t len = chunk < n - done ? chunk : n - done;
		ssize_t r;

		for (size_t i = 0; i < len; i++)
			buf[i] = byte_at(done + i, who);
		r = send(s, buf, len, MSG_NOSIGNAL);
		CHECK(r > 0);
		done += (size_t)r;
	}
}

static size_t recv_all(int s, int who)
{
	unsigned char buf[65536];
	size_t done = 0;
	ssize_t r;

	while ((r = recv(s, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < r; i++)
			CHECK_EQ(buf[i], byte_at(done + (size_t)i, who));
		done += (size_t)r;
	}
	CHECK_EQ(r, 0);
	return done;
}

struct job {
	int s, peer, who;
	size_t n, chunk;
};

static int sender(void *arg)
{
	struct job *j = arg;

	CHECK_OK(close(j->peer));
	send_all(j->s, j->n, j->chunk, j->who);
	CHECK_OK(shutdown(j->s, SHUT_WR));
	return 0;
}

/* @n bytes each way at once. */
static void exchange(int c[2], size_t n, size_t chunk)
{
	struct job a = { c[0], c[1], 1, n, chunk };
	struct job b = { c[1], c[0], 2, n, chunk };
	pid_t pa = ut_fork(sender, &a), pb = ut_fork(sender, &b), pr;

	pr = fork();
	CHECK(pr >= 0);
	if (!pr) {
		CHECK_EQ(recv_all(c[1], 1), n);
		_exit(0);
	}
	CHECK_EQ(recv_all(c[0], 2), n);
	CHECK_EQ(ut_wait(pa), 0);
	CHECK_EQ(ut_wait(pb), 0);
	CHECK_EQ(ut_wait(pr), 0);
}

TEST(tcpwire, both_ways)
{
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	exchange(c, 4u << 20, 50000);
}

TEST(tcpwire, small_writes)
{
	int c[2], one = 1;

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(setsockopt(c[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	exchange(c, 60000, 37);
}

TEST(tcpwire, small_mtu)
{
	int c[2];

	wire_setup(&w);
	wire_mtu(&w, 0, 576);
	wire_mtu(&w, 1, 576);
	(void)connected(c);
	exchange(c, 300000, 10000);
}

TEST(tcpwire, names)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(getsockname(c[0], (void *)&a, &len));
	CHECK_EQ(ntohl(a.sin_addr.s_addr), 0x0a090001);
	len = sizeof(a);
	CHECK_OK(getpeername(c[0], (void *)&a, &len));
	CHECK_EQ(ntohl(a.sin_addr.s_addr), 0x0a090002);
	CHECK_EQ(ntohs(a.sin_port), PORT);
	len = sizeof(a);
	CHECK_OK(getpeername(c[1], (void *)&a, &len));
	CHECK_EQ(ntohl(a.sin_addr.s_addr), 0x0a090001);
	len = sizeof(a);
	CHECK_OK(getsockname(c[1], (void *)&a, &len));
	CHECK_EQ(ntohs(a.sin_port), PORT);
}

TEST(tcpwire, refused)
{
	struct sockaddr_in a;
	struct pollfd p;
	socklen_t len = sizeof(int);
	int s, err = 0;

	wire_setup(&w);
	a = wire_addr(1, PORT);
	s = socket_at(0, 0);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), ECONNREFUSED);
	s = socket_at(0, SOCK_NONBLOCK);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EINPROGRESS);
	p = (struct pollfd){ .fd = s, .events = POLLOUT };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK(p.revents & POLLERR);
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len));
	CHECK_EQ(err, ECONNREFUSED);
}

TEST(tcpwire, nonblocking_connect)
{
	struct sockaddr_in a;
	struct pollfd p;
	int s;

	wire_setup(&w);
	a = wire_addr(1, PORT);
	(void)listen_at(1, PORT, 8);
	s = socket_at(0, SOCK_NONBLOCK);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EINPROGRESS);
	p = (struct pollfd){ .fd = s, .events = POLLOUT };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_OK(connect(s, (void *)&a, sizeof(a)));
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EISCONN);
}

TEST(tcpwire, half_close)
{
	struct pollfd p;
	char b[16];
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_EQ(send(c[0], "abc", 3, 0), 3);
	CHECK_OK(shutdown(c[0], SHUT_WR));
	CHECK_EQ(recv(c[1], b, 16, MSG_WAITALL), 3);
	CHECK_EQ(recv(c[1], b, 16, 0), 0);
	p = (struct pollfd){ .fd = c[1], .events = POLLIN | POLLRDHUP };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLRDHUP);
	CHECK_EQ(send(c[1], "defg", 4, 0), 4);
	CHECK_OK(close(c[1]));
	CHECK_EQ(recv(c[0], b, 16, MSG_WAITALL), 4);
	CHECK_EQ(recv(c[0], b, 16, 0), 0);
	CHECK_ERR(send(c[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(tcpwire, reset_by_linger)
{
	struct linger l = { 1, 0 };
	char b[4];
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(setsockopt(c[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	CHECK_OK(close(c[1]));
	CHECK_ERR(recv(c[0], b, 4, 0), ECONNRESET);
	CHECK_EQ(recv(c[0], b, 4, 0), 0);
	CHECK_ERR(send(c[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(tcpwire, reset_by_unread_bytes)
{
	char b[4];
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_EQ(send(c[0], "abc", 3, 0), 3);
	ut_sleep_ms(50);
	CHECK_OK(close(c[1]));
	CHECK_ERR(recv(c[0], b, 4, 0), ECONNRESET);
}

/* The first write after the peer's end is answered by a reset. */
TEST(tcpwire, write_to_closed)
{
	struct pollfd p;
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(close(c[1]));
	ut_sleep_ms(50);
	CHECK_EQ(send(c[0], "x", 1, MSG_NOSIGNAL), 1);
	p = (struct pollfd){ .fd = c[0], .events = POLLIN };
	ut_sleep_ms(50);
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK(p.revents & POLLERR);
	CHECK_ERR(send(c[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(tcpwire, no_such_host)
{
	struct sockaddr_in a;
	long t = ut_now_ms();
	int s;

	wire_setup(&w);
	a = wire_addr(9, PORT);
	s = socket_at(0, 0);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EHOSTUNREACH);
	CHECK(ut_now_ms() - t < 6000);
}

TEST(tcpwire, no_route)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = 9 };
	int s;

	wire_setup(&w);
	a.sin_addr.s_addr = htonl(0xc6336401);
	s = socket_at(0, 0);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), ENETUNREACH);
}

static int get_int(int s, int level, int opt)
{
	socklen_t len = sizeof(int);
	int v = 0;

	CHECK_OK(getsockopt(s, level, opt, &v, &len));
	return v;
}

TEST(tcpwire, user_timeout)
{
	unsigned int ms = 800;
	struct pollfd p;
	char b[4];
	int c[2];
	long t;

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(setsockopt(c[0], IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
			    sizeof(ms)));
	wire_up(&w, 1, 0);
	t = ut_now_ms();
	CHECK_EQ(send(c[0], "abc", 3, 0), 3);
	p = (struct pollfd){ .fd = c[0], .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 5000), 1);
	t = ut_now_ms() - t;
	CHECK(t > 500 && t < 3000);
	CHECK_EQ(recv(c[0], b, 4, 0), -1);
	CHECK(errno == ETIMEDOUT || errno == EHOSTUNREACH);
}

TEST(tcpwire, keep_alive)
{
	int c[2], one = 1;
	struct pollfd p;
	char b[4];
	long t;

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(
		setsockopt(c[0], IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one)));
	CHECK_OK(setsockopt(c[0], IPPROTO_TCP, TCP_KEEPINTVL, &one,
			    sizeof(one)));
	CHECK_OK(setsockopt(c[0], IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one)));
	CHECK_OK(setsockopt(c[0], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
	p = (struct pollfd){ .fd = c[0], .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 2500), 0); /* the peer answers */
	wire_up(&w, 1, 0);
	t = ut_now_ms();
	CHECK_EQ(poll(&p, 1, 8000), 1);
	t = ut_now_ms() - t;
	CHECK(t > 500 && t < 5000);
	CHECK_EQ(recv(c[0], b, 4, 0), -1);
	CHECK(errno == ETIMEDOUT || errno == EHOSTUNREACH);
}

TEST(tcpwire, out_of_band)
{
	struct pollfd p;
	char b[16];
	int c[2], at = 0;

	wire_setup(&w);
	(void)connected(c);
	CHECK_EQ(send(c[0], "abc", 3, 0), 3);
	CHECK_EQ(send(c[0], "X", 1, MSG_OOB), 1);
	CHECK_EQ(send(c[0], "de", 2, 0), 2);
	p = (struct pollfd){ .fd = c[1], .events = POLLPRI };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	ut_sleep_ms(50);
	CHECK_EQ(recv(c[1], b, 1, MSG_OOB), 1);
	CHECK_EQ(b[0], 'X');
	CHECK_EQ(recv(c[1], b, 16, 0), 3);
	CHECK_OK(ioctl(c[1], SIOCATMARK, &at));
	CHECK_EQ(at, 1);
	CHECK_EQ(recv(c[1], b, 16, 0), 2);
	CHECK(!memcmp(b, "de", 2));
}

TEST(tcpwire, backlog)
{
	struct sockaddr_in a;
	int l, s[8], ok = 0;
	struct pollfd p;

	wire_setup(&w);
	a = wire_addr(1, PORT);
	l = listen_at(1, PORT, 1);
	for (int i = 0; i < 8; i++) {
		s[i] = socket_at(0, SOCK_NONBLOCK);
		CHECK_ERR(connect(s[i], (void *)&a, sizeof(a)), EINPROGRESS);
		p = (struct pollfd){ .fd = s[i], .events = POLLOUT };
		ok += poll(&p, 1, 300);
	}
	CHECK(ok >= 1 && ok <= 4);
	for (int i = 0; i < ok; i++)
		CHECK(accept(l, NULL, NULL) >= 0);
	p = (struct pollfd){ .fd = l, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 6000), 1); /* the others try again */
	CHECK(accept(l, NULL, NULL) >= 0);
}

TEST(tcpwire, sizes_of_queues)
{
	char b[1000] = { 0 };
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_EQ(send(c[0], b, 1000, 0), 1000);
	ut_sleep_ms(100);
	CHECK_EQ(ioctl(c[1], FIONREAD, &b), 0);
	CHECK_EQ(*(int *)b, 1000);
	CHECK_EQ(ioctl(c[0], TIOCOUTQ, &b), 0);
	CHECK_EQ(*(int *)b, 0);
	wire_up(&w, 1, 0);
	CHECK_EQ(send(c[0], b, 500, 0), 500);
	CHECK_EQ(ioctl(c[0], TIOCOUTQ, &b), 0);
	CHECK_EQ(*(int *)b, 500);
}

/* Who reads nothing stops who writes; then it goes on. */
TEST(tcpwire, closed_window)
{
	static char b[1 << 16];
	struct pollfd p;
	size_t sent = 0, got = 0;
	ssize_t r;
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	for (;;) {
		r = send(c[0], b, sizeof(b), MSG_DONTWAIT);
		if (r > 0) {
			sent += (size_t)r;
			continue;
		}
		CHECK_EQ(errno, EAGAIN);
		p = (struct pollfd){ .fd = c[0], .events = POLLOUT };
		if (!poll(&p, 1, 500))
			break;
	}
	CHECK(sent > 100000 && sent < (32u << 20));
	CHECK_OK(shutdown(c[0], SHUT_WR));
	ut_sleep_ms(400);
	while ((r = recv(c[1], b, sizeof(b), 0)) > 0)
		got += (size_t)r;
	CHECK_EQ(r, 0);
	CHECK_EQ(got, sent);
}

TEST(tcpwire, info)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);
	char b[3000] = { 0 };
	int c[2];

	wire_setup(&w);
	(void)connected(c);
	CHECK_EQ(send(c[0], b, sizeof(b), 0), sizeof(b));
	CHECK_EQ(recv(c[1], b, sizeof(b), MSG_WAITALL), sizeof(b));
	ut_sleep_ms(100);
	CHECK_OK(getsockopt(c[0], IPPROTO_TCP, TCP_INFO, &i, &len));
	CHECK_EQ(i.tcpi_state, TCP_ESTABLISHED);
	CHECK_EQ(i.tcpi_snd_mss, 1448);
	CHECK_EQ(i.tcpi_unacked, 0);
	CHECK_EQ(i.tcpi_pmtu, 1500);
	CHECK(i.tcpi_rtt > 0 && i.tcpi_rtt < 200000);
	CHECK(i.tcpi_snd_cwnd >= 2);
	CHECK_EQ(get_int(c[0], IPPROTO_TCP, TCP_MAXSEG), 1448);
	CHECK_OK(close(c[1]));
	ut_sleep_ms(50);
	CHECK_OK(getsockopt(c[0], IPPROTO_TCP, TCP_INFO, &i, &len));
	CHECK_EQ(i.tcpi_state, TCP_CLOSE_WAIT);
}

TEST(tcpwire, many_short)
{
	struct sockaddr_in a;
	char b[16];
	int l;

	wire_setup(&w);
	a = wire_addr(1, PORT);
	l = listen_at(1, PORT, 64);
	for (int i = 0; i < 1000; i++) {
		int s = socket_at(0, 0), n;

		CHECK_OK(connect(s, (void *)&a, sizeof(a)));
		n = accept(l, NULL, NULL);
		CHECK(n >= 0);
		CHECK_EQ(send(s, "ping", 4, 0), 4);
		CHECK_EQ(recv(n, b, 16, 0), 4);
		CHECK_EQ(send(n, "pong", 4, 0), 4);
		CHECK_EQ(recv(s, b, 16, 0), 4);
		CHECK_OK(close(i & 1 ? s : n));
		CHECK_OK(close(i & 1 ? n : s));
	}
}

TEST(tcpwire, many_at_once)
{
	enum {
		N = 100
	};
	struct sockaddr_in a;
	int l, s[N], n[N];
	char b[1000], got[1000];

	wire_setup(&w);
	a = wire_addr(1, PORT);
	l = listen_at(1, PORT, 128);
	for (int i = 0; i < N; i++) {
		s[i] = socket_at(0, 0);
		CHECK_OK(connect(s[i], (void *)&a, sizeof(a)));
	}
	for (int i = 0; i < N; i++) {
		n[i] = accept(l, NULL, NULL);
		CHECK(n[i] >= 0);
	}
	for (int k = 0; k < 10; k++) {
		for (int i = 0; i < N; i++) {
			memset(b, i + k, sizeof(b));
			CHECK_EQ(send(n[i], b, sizeof(b), 0), sizeof(b));
		}
		for (int i = 0; i < N; i++) {
			memset(b, i + k, sizeof(b));
			CHECK_EQ(recv(s[i], got, sizeof(got), MSG_WAITALL),
				 sizeof(b));
			CHECK(!memcmp(got, b, sizeof(b)));
		}
	}
}

/* What was written before close(2) gets there. */
TEST(tcpwire, close_under_way)
{
	struct job j;
	int c[2];
	pid_t pid;

	wire_setup(&w);
	(void)connected(c);
	j = (struct job){ c[0], c[1], 1, 1u << 20, 60000 };
	pid = ut_fork(sender, &j);
	CHECK_OK(close(c[0]));
	CHECK_EQ(recv_all(c[1], 1), 1u << 20);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(tcpwire, linger_waits)
{
	struct linger l = { 1, 5 };
	char b[1000] = { 0 };
	int c[2];
	long t;

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(setsockopt(c[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	CHECK_EQ(send(c[0], b, sizeof(b), 0), sizeof(b));
	t = ut_now_ms();
	CHECK_OK(close(c[0]));
	CHECK(ut_now_ms() - t < 1000);
	l.l_linger = 1;
	(void)close(c[1]);
	{
		int d[2];
		struct sockaddr_in a = wire_addr(1, PORT + 1);
		int ls = listen_at(1, PORT + 1, 1);

		d[0] = socket_at(0, 0);
		CHECK_OK(connect(d[0], (void *)&a, sizeof(a)));
		d[1] = accept(ls, NULL, NULL);
		CHECK_OK(
			setsockopt(d[0], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
		wire_up(&w, 1, 0);
		CHECK_EQ(send(d[0], b, sizeof(b), 0), sizeof(b));
		t = ut_now_ms();
		CHECK_OK(close(d[0]));
		t = ut_now_ms() - t;
		CHECK(t > 800 && t < 3000);
	}
}

TEST(tcpwire, epoll_edges)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	char b[16];
	int c[2], ep;

	wire_setup(&w);
	(void)connected(c);
	ep = epoll_create1(0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, c[1], &e));
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	CHECK_EQ(send(c[0], "ab", 2, 0), 2);
	CHECK_EQ(epoll_wait(ep, &e, 1, 1000), 1);
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	CHECK_EQ(send(c[0], "cd", 2, 0), 2);
	CHECK_EQ(epoll_wait(ep, &e, 1, 1000), 1);
	CHECK_EQ(recv(c[1], b, 16, 0), 4);
	CHECK_OK(shutdown(c[0], SHUT_WR));
	CHECK_EQ(epoll_wait(ep, &e, 1, 1000), 1);
}

TEST(tcpwire, cork_and_more)
{
	char b[64];
	int c[2], one = 1, zero = 0;

	wire_setup(&w);
	(void)connected(c);
	CHECK_OK(setsockopt(c[0], IPPROTO_TCP, TCP_CORK, &one, sizeof(one)));
	CHECK_EQ(send(c[0], "ab", 2, 0), 2);
	ut_sleep_ms(30);
	CHECK_ERR(recv(c[1], b, 64, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(c[0], "cd", 2, 0), 2);
	CHECK_OK(setsockopt(c[0], IPPROTO_TCP, TCP_CORK, &zero, sizeof(zero)));
	ut_sleep_ms(50);
	CHECK_EQ(recv(c[1], b, 64, MSG_DONTWAIT), 4);
	CHECK_EQ(send(c[0], "ab", 2, MSG_MORE), 2);
	ut_sleep_ms(30);
	CHECK_ERR(recv(c[1], b, 64, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(c[0], "cd", 2, 0), 2);
	ut_sleep_ms(50);
	CHECK_EQ(recv(c[1], b, 64, MSG_DONTWAIT), 4);
}

/* --- a bad line: a program forwards between two tuns, and does not care much */

static int make_tun(int i, const char *name, const char *ip)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd;

	wire_enter(&w, i);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ut_skip("no tun");
	strcpy(r.ifr_name, name);
	CHECK_OK(ioctl(fd, TUNSETIFF, &r));
	wire_add_ip(wire_if_index(name), ip, 24);
	wire_if_up(name, 1);
	wire_enter(&w, 0);
	return fd;
}

struct line {
	int fd[2];
	int loss, dup, hold; /* % */
};

/* One packet from @from on; *@held is one that waits for the next to overtake it. */
static void forward_one(const struct line *l, int from, char *held,
			ssize_t *held_len)
{
	static unsigned int seed = 1;
	char buf[2048];
	ssize_t n = read(l->fd[from], buf, sizeof(buf));
	int dice;

	if (n <= 0)
		return;
	dice = rand_r(&seed) % 100;
	if (dice < l->loss)
		return;
	if (!*held_len && rand_r(&seed) % 100 < l->hold) {
		memcpy(held, buf, (size_t)n);
		*held_len = n;
		return;
	}
	(void)!write(l->fd[!from], buf, (size_t)n);
	if (rand_r(&seed) % 100 < l->dup)
		(void)!write(l->fd[!from], buf, (size_t)n);
	if (*held_len)
		(void)!write(l->fd[!from], held, (size_t)*held_len);
	*held_len = 0;
}

static int forward(void *arg)
{
	struct line *l = arg;
	struct pollfd p[2] = { { l->fd[0], POLLIN, 0 },
			       { l->fd[1], POLLIN, 0 } };
	static char held[2][2048];
	ssize_t len[2] = { 0, 0 };

	int n;

	while ((n = poll(p, 2, 20)) >= 0) {
		if (!n) { /* nobody overtakes it */
			for (int i = 0; i < 2; i++) {
				if (len[i])
					(void)!write(l->fd[!i], held[i],
						     (size_t)len[i]);
				len[i] = 0;
			}
		}
		for (int i = 0; i < 2; i++) {
			if (p[i].revents & POLLIN)
				forward_one(l, i, held[i], &len[i]);
		}
	}
	return 1;
}

static void over_line(int loss, int dup, int hold, size_t n)
{
	struct line l = { .loss = loss, .dup = dup, .hold = hold };
	struct sockaddr_in a = wire_addr(1, PORT);
	int c[2], s, one = 1;
	pid_t pid;

	wire_setup(&w);
	l.fd[0] = make_tun(0, "ta", "10.9.1.1");
	l.fd[1] = make_tun(1, "tb", "10.9.1.2");
	pid = ut_fork(forward, &l);
	a.sin_addr.s_addr = htonl(0x0a090102);
	wire_enter(&w, 1);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_OK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_OK(listen(s, 4));
	c[0] = socket_at(0, 0);
	CHECK_OK(connect(c[0], (void *)&a, sizeof(a)));
	c[1] = accept(s, NULL, NULL);
	CHECK(c[1] >= 0);
	exchange(c, n, 20000);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
}

TEST(tcpwire, good_line)
{
	over_line(0, 0, 0, 1u << 20);
}

TEST(tcpwire, lossy_line)
{
	over_line(2, 0, 0, 300000);
}

TEST(tcpwire, bad_line)
{
	over_line(2, 5, 10, 300000);
}
