/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sockets.c - Unix-domain sockets: data, names, files and credentials.
 */
#include "utest.h"

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATH_OFF offsetof(struct sockaddr_un, sun_path)

static socklen_t path_addr(struct sockaddr_un *a, const char *path)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path, path);
	return PATH_OFF + strlen(path) + 1;
}

/* A name that no other test has. */
static socklen_t abstract_addr(struct sockaddr_un *a, const char *name)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	return PATH_OFF + 1 +
	       snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "%s-%d", name,
			getpid());
}

static int listener(const struct sockaddr_un *a, socklen_t len, int backlog)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_OK(s);
	CHECK_OK(bind(s, (const void *)a, len));
	CHECK_OK(listen(s, backlog));
	return s;
}

static int send_file(int sock, int fd)
{
	char byte = 'f', ctl[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = ctl,
		.msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &m, 0);
}

/* The file that came, or -1; *@creds if they came too. */
static int recv_file(int sock, int flags, struct ucred *creds)
{
	char byte, ctl[128];
	struct iovec v = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = ctl,
		.msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;
	int fd = -1;

	CHECK_EQ(recvmsg(sock, &m, flags), 1);
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		if (c->cmsg_type == SCM_CREDENTIALS && creds)
			memcpy(creds, CMSG_DATA(c), sizeof(*creds));
	}
	return fd;
}

TEST(sockets, pair)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	char buf[16];
	int s[2], n;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_EQ(write(s[0], "hello", 5), 5);
	CHECK_EQ(read(s[1], buf, 3), 3);
	CHECK_OK(ioctl(s[1], FIONREAD, &n));
	CHECK_EQ(n, 2);
	CHECK_EQ(recv(s[1], buf, 16, MSG_PEEK), 2);
	CHECK_EQ(read(s[1], buf, 16), 2);
	CHECK(!memcmp(buf, "lo", 2));
	CHECK_ERR(recv(s[1], buf, 16, MSG_DONTWAIT), EAGAIN);
	p.fd = s[1];
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_ERR(lseek(s[0], 0, SEEK_CUR), ESPIPE);
	CHECK_OK(close(s[0]));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
	CHECK_EQ(read(s[1], buf, 16), 0);
	CHECK_ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(sockets, families)
{
	int p[2];

	CHECK_ERR(socket(AF_UNIX, 77, 0), EINVAL);
	CHECK_ERR(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 99), EPROTONOSUPPORT);
	CHECK_ERR(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_OK(pipe(p));
	CHECK_ERR(listen(p[0], 1), ENOTSOCK);
	CHECK_ERR(listen(-1, 1), EBADF);
}

TEST(sockets, stream_3m)
{
	enum {
		TOTAL = 3000000
	};
	unsigned char buf[7777], *all = malloc(TOTAL);
	int s[2], i, done = 0, at = 0;
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(s[0]);
		for (;;) {
			int n = read(s[1], buf, sizeof(buf));

			if (n <= 0)
				_exit(n < 0 || at != TOTAL);
			for (i = 0; i < n; i++, at++)
				if (buf[i] != (unsigned char)(at * 7))
					_exit(2);
		}
	}
	close(s[1]);
	for (i = 0; i < TOTAL; i++)
		all[i] = i * 7;
	while (done < TOTAL) {
		int n = write(s[0], all + done, TOTAL - done);

		CHECK(n > 0);
		done += n;
	}
	CHECK_OK(shutdown(s[0], SHUT_WR));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

static void serve_one(const struct sockaddr_un *a, socklen_t len)
{
	struct sockaddr_un from;
	socklen_t from_len = sizeof(from);
	int s = listener(a, len, 4), c, other;
	char buf[8];
	pid_t pid;

	other = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERR(bind(other, (const void *)a, len), EADDRINUSE);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		c = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(c, (const void *)a, len))
			_exit(1);
		if (write(c, "ping", 4) != 4 || read(c, buf, 8) != 4)
			_exit(2);
		_exit(memcmp(buf, "pong", 4) != 0);
	}
	c = accept(s, (void *)&from, &from_len);
	CHECK_OK(c);
	CHECK_EQ(from_len, PATH_OFF);
	CHECK_EQ(read(c, buf, 8), 4);
	CHECK_EQ(write(c, "pong", 4), 4);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(read(c, buf, 8), 0);
	from_len = sizeof(from);
	CHECK_OK(getsockname(c, (void *)&from, &from_len));
	CHECK_EQ(from_len, len);
	CHECK_OK(close(c));
	CHECK_OK(close(s));
	CHECK_ERR(connect(other, (const void *)a, len), ECONNREFUSED);
}

TEST(sockets, path_names)
{
	struct sockaddr_un a;
	socklen_t len = path_addr(&a, "sock");
	struct stat st;
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_ERR(connect(s, (void *)&a, len), ENOENT);
	serve_one(&a, len);
	CHECK_OK(stat("sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_ERR(open("sock", O_RDWR), ENXIO);
	close(ut_open("file", "x"));
	len = path_addr(&a, "file");
	CHECK_ERR(connect(s, (void *)&a, len), ECONNREFUSED);
}

TEST(sockets, abstract_names)
{
	struct sockaddr_un a;
	socklen_t len = abstract_addr(&a, "ut");
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_ERR(connect(s, (void *)&a, len), ECONNREFUSED);
	serve_one(&a, len);
}

TEST(sockets, backlog)
{
	struct sockaddr_un a;
	socklen_t len = abstract_addr(&a, "ut-backlog");
	int l = listener(&a, len, 1), c[8], i, ok = 0;

	for (i = 0; i < 8; i++) {
		c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (!connect(c[i], (void *)&a, len))
			ok++;
		else
			CHECK_EQ(errno, EAGAIN);
	}
	CHECK_EQ(ok, 2);
	CHECK_OK(close(l)); /* with two that were never accepted */
	CHECK_ERR(send(c[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERR(recv(c[0], &i, 1, 0), ECONNRESET);
	CHECK_EQ(recv(c[0], &i, 1, 0), 0);
}

TEST(sockets, datagrams)
{
	struct sockaddr_un a, from;
	socklen_t len = abstract_addr(&a, "ut-dgram"), from_len;
	int d = socket(AF_UNIX, SOCK_DGRAM, 0);
	int e = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[32];

	CHECK_OK(bind(d, (void *)&a, len));
	CHECK_ERR(send(e, "x", 1, 0), ENOTCONN);
	CHECK_EQ(sendto(e, "one", 3, 0, (void *)&a, len), 3);
	CHECK_EQ(sendto(e, "twotwo", 6, 0, (void *)&a, len), 6);
	CHECK_EQ(recv(d, buf, 32, 0), 3);
	CHECK_EQ(recv(d, buf, 2, MSG_TRUNC), 6);
	CHECK_OK(connect(e, (void *)&a, len));
	CHECK_EQ(write(e, "", 0), 0);
	from_len = sizeof(from);
	CHECK_EQ(recvfrom(d, buf, 32, 0, (void *)&from, &from_len), 0);
	CHECK_EQ(from_len, 0);
	from.sun_family = AF_UNIX;
	CHECK_OK(bind(e, (void *)&from, sizeof(sa_family_t)));
	CHECK_EQ(write(e, "z", 1), 1);
	from_len = sizeof(from);
	CHECK_EQ(recvfrom(d, buf, 32, 0, (void *)&from, &from_len), 1);
	CHECK_EQ(from_len, PATH_OFF + 6); /* a name of five digits */
	CHECK_EQ(sendto(d, "y", 1, 0, (void *)&from, from_len), 1);
	CHECK_EQ(read(e, buf, 32), 1);
	CHECK_OK(close(d));
	CHECK_ERR(write(e, "z", 1), ECONNREFUSED);
}

TEST(sockets, packets)
{
	char buf[16];
	int s[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	CHECK_EQ(write(s[0], "abc", 3), 3);
	CHECK_EQ(write(s[0], "de", 2), 2);
	CHECK_EQ(read(s[1], buf, 16), 3);
	CHECK_EQ(read(s[1], buf, 1), 1);
	CHECK_ERR(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_OK(close(s[0]));
	CHECK_EQ(read(s[1], buf, 16), 0);
}

TEST(sockets, files)
{
	int s[2], p[2], fd;
	char buf[8];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(pipe(p));
	CHECK_EQ(send_file(s[0], p[1]), 1);
	CHECK_EQ(write(s[0], "tail", 4), 4);
	CHECK_OK(close(p[1]));
	fd = recv_file(s[1], MSG_CMSG_CLOEXEC, NULL);
	CHECK_OK(fd);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(fd, "via", 3), 3);
	CHECK_EQ(read(p[0], buf, 8), 3);
	CHECK_OK(close(fd));
	CHECK_EQ(read(p[0], buf, 8), 0);
	CHECK_EQ(read(s[1], buf, 8), 4);
	CHECK_ERR(send_file(s[0], 999), EBADF);
}

/* Sockets in sockets, never received: closing must not recurse, nor leak. */
TEST(sockets, files_deep)
{
	int i, s[2], prev = -1;

	for (i = 0; i < 500; i++) {
		CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		if (prev >= 0) {
			CHECK_EQ(send_file(s[0], prev), 1);
			close(prev);
		}
		close(s[0]);
		prev = s[1];
	}
	CHECK_OK(close(prev));
}

TEST(sockets, credentials)
{
	struct ucred c = { 0 };
	socklen_t len = sizeof(c);
	int s[2], one = 1;
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &c, &len));
	CHECK_EQ(c.pid, getpid());
	CHECK_EQ(c.uid, geteuid());
	CHECK_OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(write(s[0], "x", 1) != 1);
	CHECK_EQ(recv_file(s[1], 0, &c), -1);
	CHECK_EQ(c.pid, pid);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(sockets, options)
{
	struct timeval tv = { 0, 50000 };
	int s[2], v;
	socklen_t len = sizeof(v);
	long before;
	char c;

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &len));
	CHECK_EQ(v, SOCK_DGRAM);
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &v, &len));
	CHECK_EQ(v, AF_UNIX);
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &len));
	CHECK_EQ(v, 0);
	v = 8192;
	CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)));
	CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, &len));
	CHECK_EQ(v, 16384);
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, 9999, &v, 4), ENOPROTOOPT);
	CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	before = ut_now_ms();
	CHECK_ERR(read(s[0], &c, 1), EAGAIN);
	CHECK(ut_now_ms() - before >= 49);
}

TEST(sockets, full)
{
	static char block[4096];
	struct pollfd p = { .events = POLLOUT };
	int s[2], n = 0;
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(fcntl(s[0], F_SETFL, O_NONBLOCK));
	while (write(s[0], block, sizeof(block)) > 0)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 8);
	p.fd = s[0];
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		ut_sleep_ms(30);
		while (recv(s[1], block, sizeof(block), MSG_DONTWAIT) > 0)
			;
		_exit(0);
	}
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK(write(s[0], block, sizeof(block)) > 0);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(sockets, many_messages)
{
	struct mmsghdr m[4];
	struct iovec v[4];
	char data[4][8];
	int s[2], i;

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	memset(m, 0, sizeof(m));
	for (i = 0; i < 4; i++) {
		v[i] = (struct iovec){ data[i], i + 1 };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(sendmmsg(s[0], m, 4, 0), 4);
	for (i = 0; i < 4; i++)
		v[i].iov_len = 8;
	CHECK_EQ(recvmmsg(s[1], m, 4, 0, NULL), 4);
	for (i = 0; i < 4; i++)
		CHECK_EQ(m[i].msg_len, i + 1);
}

/* What kind of socket there is comes before whether there are pairs of it. */
TEST(sockets, pairs_of_others)
{
	struct iovec v = { NULL, 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1025 };
	int s[2];

	CHECK_ERR(socketpair(AF_INET, SOCK_DGRAM, 17, s), EOPNOTSUPP);
	CHECK_ERR(socketpair(AF_INET, SOCK_STREAM, 0, s), EOPNOTSUPP);
	CHECK_ERR(socketpair(AF_INET, SOCK_DGRAM, 6, s), EPROTONOSUPPORT);
	CHECK_ERR(socketpair(AF_INET, SOCK_STREAM, 1, s), EPROTONOSUPPORT);
	CHECK_ERR(socketpair(99, SOCK_STREAM, 0, s), EAFNOSUPPORT);
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK_ERR(sendmsg(s[0], &m, 0), EMSGSIZE);
	CHECK_ERR(recvmsg(s[0], &m, MSG_DONTWAIT), EMSGSIZE);
}

TEST(sockets, read_without_peer)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), p[2];
	int q = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	char c;

	CHECK_ERR(recv(s, &c, 1, 0), EINVAL);
	CHECK_ERR(recv(q, &c, 1, 0), ENOTCONN);
	CHECK_OK(pipe(p));
	CHECK_ERR(splice(s, NULL, p[1], NULL, 1, 0), EINVAL);
}

/* --- sockets that only messages hold */

static void name_flight(int fd, int n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "ut-flight-%d", n);
	CHECK_OK(bind(fd, (struct sockaddr *)&a,
		      offsetof(struct sockaddr_un, sun_path) + 1 +
			      strlen(a.sun_path + 1)));
}

static bool is_there(int n)
{
	FILE *f = fopen("/proc/net/unix", "r");
	char want[32], line[256];
	bool there = false;

	CHECK(f);
	snprintf(want, sizeof(want), "@ut-flight-%d\n", n);
	while (fgets(line, sizeof(line), f))
		there |= strstr(line, want) != NULL;
	fclose(f);
	return there;
}

/* Linux does it a little later. */
static bool is_collected(int n)
{
	for (int i = 0; i < 100 && is_there(n); i++)
		ut_sleep_ms(10);
	return !is_there(n);
}

static void close_both(const int s[2])
{
	close(s[0]);
	close(s[1]);
}

/* a[0] waits at b[0], and b[0] at a[0]. */
static void make_cycle(int a[2], int b[2])
{
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	name_flight(a[0], 1);
	name_flight(b[0], 2);
	CHECK_EQ(send_file(b[1], a[0]), 1);
	CHECK_EQ(send_file(a[1], b[0]), 1);
}

TEST(sockets, cycle_of_messages)
{
	int a[2], b[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	name_flight(a[0], 0);
	CHECK_EQ(send_file(a[1], a[0]), 1);
	CHECK_EQ(send_file(a[1], a[0]), 1);
	CHECK(is_there(0));
	close_both(a);
	CHECK(is_collected(0));
	make_cycle(a, b);
	close_both(a);
	CHECK(is_there(1) && is_there(2));
	close_both(b);
	CHECK(is_collected(1) && is_collected(2));
}

/* As long as somebody can receive one of them, all stay. */
TEST(sockets, cycle_within_reach)
{
	int a[2], b[2], c[2], fd, peeked;
	char byte;

	make_cycle(a, b);
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, c));
	CHECK_EQ(send_file(c[1], b[0]), 1);
	close_both(b);
	close(a[0]);
	close(c[1]); /* looks for garbage */
	ut_sleep_ms(30);
	CHECK(is_there(1) && is_there(2));
	CHECK_OK(peeked = recv_file(c[0], MSG_PEEK, NULL));
	close(c[0]);
	ut_sleep_ms(30);
	CHECK(is_there(1) && is_there(2));
	CHECK_OK(fd = recv_file(peeked, 0, NULL)); /* that is a[0] */
	close(peeked);
	CHECK_EQ(write(a[1], "y", 1), 1);
	CHECK_OK(peeked = recv_file(fd, 0, NULL)); /* and that b[0] */
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, 'y');
	close(peeked);
	CHECK(is_collected(2));
	close(fd);
	CHECK(is_collected(1));
}

/* A listener waits at a connection that it has not accepted. */
TEST(sockets, cycle_in_backlog)
{
	struct sockaddr_un at;
	socklen_t len = sizeof(at);
	int l, s;

	CHECK_OK(l = socket(AF_UNIX, SOCK_STREAM, 0));
	name_flight(l, 3);
	CHECK_OK(listen(l, 4));
	CHECK_OK(getsockname(l, (struct sockaddr *)&at, &len));
	CHECK_OK(s = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(connect(s, (struct sockaddr *)&at, len));
	CHECK_EQ(send_file(s, l), 1);
	close(l);
	CHECK(is_there(3));
	close(s);
	CHECK(is_collected(3));
}

/* Who is connected to a socket that is not connected back is told when there is room. */
TEST(sockets, full_datagrams)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" };
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	struct pollfd p = { .events = POLLOUT };
	int to, s, ep, n = 0;
	pid_t pid;
	char c[8];

	CHECK_OK(to = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(bind(to, (void *)&a, sizeof(a)));
	CHECK_OK(p.fd = s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	CHECK_OK(connect(s, (void *)&a, sizeof(a)));
	CHECK_OK(ep = epoll_create1(0));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev));
	CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 1);
	CHECK_EQ(poll(&p, 1, 0), 1);
	while (write(s, "x", 1) == 1)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 11); /* net.unix.max_dgram_qlen, and one more */
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		ut_sleep_ms(50);
		_exit(read(to, c, sizeof(c)) != 1);
	}
	CHECK_EQ(epoll_wait(ep, &ev, 1, 5000), 1);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(write(s, "x", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	/* a blocked one goes on, and the end of the other is told */
	CHECK_OK(fcntl(s, F_SETFL, 0));
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		ut_sleep_ms(50);
		_exit(read(to, c, sizeof(c)) != 1);
	}
	CHECK_EQ(write(s, "y", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid = fork();
	CHECK_OK(pid);
	if (!pid) {
		ut_sleep_ms(50);
		_exit(0);
	}
	close(to);
	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_ERR(write(s, "z", 1), ECONNREFUSED);
	/* others may hold more */
	ut_own_net();
	CHECK_OK(n = open("/proc/sys/net/unix/max_dgram_qlen", O_RDWR));
	CHECK_EQ(read(n, c, sizeof(c)), 3);
	CHECK(!memcmp(c, "10\n", 3));
	CHECK_EQ(pwrite(n, "20", 2, 0), 2);
	CHECK_OK(unlink("sock"));
	CHECK_OK(to = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_OK(bind(to, (void *)&a, sizeof(a)));
	CHECK_OK(s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	CHECK_OK(connect(s, (void *)&a, sizeof(a)));
	for (n = 0; write(s, "x", 1) == 1; n++)
		;
	CHECK_EQ(n, 21);
}

/* Pointers and lengths that make no sense. */
TEST(sockets, asked_oddly)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)-1;
	int s[2], on = 1;
	char c;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_LINGER, (void *)-1L, 4),
		  EFAULT);
	CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &on, len), EINVAL);
	CHECK_ERR(recv(s[0], (void *)-1L, 1, MSG_DONTWAIT), EFAULT);
	CHECK_EQ(write(s[1], "x", 1), 1);
	CHECK_ERR(recvfrom(s[0], &c, 1, 0, (void *)&a, &len), EINVAL);
	CHECK_OK(s[0] = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(bind(s[0], (void *)&a, 2));
	CHECK_OK(bind(s[0], (void *)&a, 2)); /* it has a name already */
}
