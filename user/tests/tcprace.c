/* SPDX-License-Identifier: MIT */
/*
 * user/tests/tcprace.c - one thread is in a stream's call while others take the stream
 * from under it.  userfaultfd(2) makes the call stop where it touches memory.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define PAGE 4096ul

static int uffd;
static char *page; /* not there until let_go() */

static void trap_page(void)
{
	struct uffdio_api a = { .api = UFFD_API };
	struct uffdio_register r = { .range.len = PAGE,
				     .mode = UFFDIO_REGISTER_MODE_MISSING };

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	NEED(uffd);
	CHECK_OK(ioctl(uffd, UFFDIO_API, &a));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	r.range.start = (uintptr_t)page;
	CHECK_OK(ioctl(uffd, UFFDIO_REGISTER, &r));
}

/* Somebody has come to the page. */
static void wait_caught(void)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	struct uffd_msg m;

	CHECK_EQ(poll(&p, 1, 5000), 1);
	CHECK_EQ(read(uffd, &m, sizeof(m)), sizeof(m));
}

static void let_go(void)
{
	static char fill[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy c = { .dst = (uintptr_t)page,
				 .src = (uintptr_t)fill,
				 .len = PAGE };

	memset(fill, 'P', PAGE);
	CHECK_OK(ioctl(uffd, UFFDIO_COPY, &c));
}

static int listen_on(struct sockaddr_in *a, int backlog)
{
	socklen_t len = sizeof(*a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CHECK(s >= 0);
	CHECK_OK(bind(s, (void *)a, len));
	CHECK_OK(getsockname(s, (void *)a, &len));
	CHECK_OK(listen(s, backlog));
	return s;
}

static int connect_to(const struct sockaddr_in *a)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0);
	CHECK_OK(connect(s, (void *)a, sizeof(*a)));
	return s;
}

static void connection(int s[2])
{
	struct sockaddr_in a;
	int l = listen_on(&a, 4);

	s[0] = connect_to(&a);
	CHECK_OK(s[1] = accept(l, NULL, NULL));
	close(l);
}

static int disconnect(int s)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	return connect(s, &a, sizeof(a));
}

static int s[2];
static struct sockaddr_in other;

static void *reads(void *arg)
{
	(void)arg;
	return (void *)recv(s[0], page, 1000, 0);
}

static void *sends(void *arg)
{
	(void)arg;
	return (void *)send(s[0], page, 16, MSG_NOSIGNAL);
}

static void *disconnects(void *arg)
{
	(void)arg;
	return (void *)(long)disconnect(s[0]);
}

static long join(pthread_t t)
{
	void *r;

	CHECK_EQ(pthread_join(t, &r), 0);
	return (long)r;
}

/* What a reader is at stays, though the connection goes. */
TEST(tcprace, disconnect_under_reader)
{
	static char data[1000], other_data[999];
	pthread_t r, d;
	char none;

	ut_own_net();
	trap_page();
	connection(s);
	memset(data, 'd', sizeof(data));
	CHECK_EQ(send(s[1], data, sizeof(data), 0), sizeof(data));
	CHECK_EQ(pthread_create(&r, NULL, reads, NULL), 0);
	wait_caught();
	CHECK_EQ(pthread_create(&d, NULL, disconnects, NULL), 0);
	ut_sleep_ms(50);
	for (int i = 0; i < 200;
	     i++) { /* memory that was freed is used again */
		int p[2];

		CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		CHECK_EQ(write(p[0], other_data, sizeof(other_data)),
			 sizeof(other_data));
		if (i % 2)
			close(p[0]);
	}
	let_go();
	CHECK_EQ(join(r), sizeof(data));
	CHECK(!memcmp(page, data, sizeof(data)));
	CHECK_EQ(join(d), 0);
	CHECK(recv(s[0], &none, 1, MSG_DONTWAIT) < 0);
}

static void *both_elsewhere(void *arg)
{
	(void)arg;
	if (disconnect(s[0]) || disconnect(s[1]))
		return (void *)1;
	return (void *)(long)connect(s[1], (void *)&other, sizeof(other));
}

/* What is sent on a connection that is gone does not come out of the next one. */
TEST(tcprace, send_to_former_peer)
{
	pthread_t t, d;
	char buf[16];
	int l, c;

	ut_own_net();
	l = listen_on(&other, 4);
	trap_page();
	connection(s);
	CHECK_EQ(pthread_create(&t, NULL, sends, NULL), 0);
	wait_caught();
	CHECK_EQ(pthread_create(&d, NULL, both_elsewhere, NULL), 0);
	ut_sleep_ms(50);
	let_go();
	(void)join(t);
	CHECK_EQ(join(d), 0);
	CHECK_OK(c = accept(l, NULL, NULL));
	CHECK_ERR(recv(s[1], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(c, "yes", 3, 0), 3);
	CHECK_EQ(recv(s[1], buf, sizeof(buf), 0), 3);
}

static void *waits_elsewhere(void *arg)
{
	(void)arg;
	if (disconnect(s[0]))
		return (void *)1;
	close(s[1]);
	fcntl(s[0], F_SETFL, O_NONBLOCK);
	return (void *)(long)(connect(s[0], (void *)&other, sizeof(other)) ==
				      -1 &&
			      errno == EINPROGRESS);
}

/* A send that finds its peer gone does not end what the socket does by now. */
TEST(tcprace, send_while_connecting)
{
	pthread_t t, d;
	int l, full, c;

	ut_own_net();
	l = listen_on(&other, 0);
	full = connect_to(&other);
	trap_page();
	connection(s);
	CHECK_EQ(pthread_create(&t, NULL, sends, NULL), 0);
	wait_caught();
	CHECK_EQ(pthread_create(&d, NULL, waits_elsewhere, NULL), 0);
	ut_sleep_ms(50);
	let_go();
	(void)join(t);
	CHECK_EQ(join(d), 1);
	for (int i = 0; i < 3; i++)
		(void)connect(s[0], (void *)&other, sizeof(other));
	for (int i = 0; i < 2; i++) {
		CHECK_OK(c = accept(l, NULL, NULL));
		close(c);
	}
	close(s[0]);
	close(full);
}

static void *connects(void *arg)
{
	(void)arg;
	return (void *)(long)(connect(s[0], (void *)&other, sizeof(other))
				      ? errno
				      : 0);
}

/* shutdown(2) and connect(AF_UNSPEC) end a connect(2) that waits. */
TEST(tcprace, connect_ended)
{
	int l, full;
	pthread_t t;

	ut_own_net();
	l = listen_on(&other, 0);
	full = connect_to(&other);
	CHECK_OK(s[0] = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_EQ(pthread_create(&t, NULL, connects, NULL), 0);
	ut_sleep_ms(50);
	CHECK_OK(shutdown(s[0], SHUT_RDWR));
	CHECK_EQ(join(t), ECONNRESET);
	CHECK_OK(s[0] = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_EQ(pthread_create(&t, NULL, connects, NULL), 0);
	ut_sleep_ms(50);
	CHECK_OK(disconnect(s[0]));
	CHECK(join(t) != 0);
	close(full);
	close(l);
}

/* A socket whose connection was reset is neither connected again nor listens, unless it
 * is disconnected first. */
TEST(tcprace, after_reset)
{
	socklen_t len = sizeof(int);
	char byte = 'x';
	int l, err, c;

	ut_own_net();
	l = listen_on(&other, 8);
	for (int i = 0; i < 3; i++) {
		int a = connect_to(&other);

		CHECK_OK(c = accept(l, NULL, NULL));
		CHECK_EQ(send(a, &byte, 1, 0), 1);
		ut_sleep_ms(10);
		close(c);
		ut_sleep_ms(10);
		CHECK_OK(getsockopt(a, SOL_SOCKET, SO_ERROR, &err, &len));
		CHECK_EQ(err, ECONNRESET);
		if (!i) {
			CHECK_ERR(connect(a, (void *)&other, sizeof(other)),
				  EISCONN);
			CHECK_ERR(listen(a, 1), EINVAL);
		}
		CHECK_OK(disconnect(a));
		CHECK_OK(connect(a, (void *)&other, sizeof(other)));
		CHECK_OK(c = accept(l, NULL, NULL));
		close(c);
		close(a);
	}
}

static void *reads_oob_peer(void *arg)
{
	(void)arg;
	return (void *)recv(s[1], page, 1000, 0);
}

/* A sender of an urgent byte does not wait for who reads. */
TEST(tcprace, urgent_under_reader)
{
	pthread_t r;
	long t0;

	ut_own_net();
	trap_page();
	connection(s);
	CHECK_EQ(send(s[0], "abc", 3, 0), 3);
	CHECK_EQ(pthread_create(&r, NULL, reads_oob_peer, NULL), 0);
	wait_caught();
	t0 = ut_now_ms();
	alarm(2);
	CHECK_EQ(send(s[0], "u", 1, MSG_OOB | MSG_DONTWAIT), 1);
	CHECK(ut_now_ms() - t0 < 1000);
	let_go();
	CHECK_EQ(join(r), 3);
}

static int as_user(void *arg)
{
	(void)arg;
	if (setresuid(1000, 1000, 1000))
		return 1;
	return connect(s[0], (void *)&other, sizeof(other)) ? 2 : 0;
}

/* What a listener made is its, whoever connected: SO_REUSEPORT asks whose it is. */
TEST(tcprace, accepted_is_the_listeners)
{
	socklen_t len = sizeof(other);
	int l, one = 1, c;

	ut_own_net();
	CHECK_OK(l = socket(AF_INET, SOCK_STREAM, 0));
	other = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_addr.s_addr =
					      htonl(INADDR_LOOPBACK) };
	CHECK_OK(setsockopt(l, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	CHECK_OK(bind(l, (void *)&other, len));
	CHECK_OK(getsockname(l, (void *)&other, &len));
	CHECK_OK(listen(l, 4));
	CHECK_OK(s[0] = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_EQ(ut_wait(ut_fork(as_user, NULL)), 0);
	CHECK_OK(c = accept(l, NULL, NULL));
	close(l);
	CHECK_OK(l = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(setsockopt(l, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	CHECK_OK(bind(l, (void *)&other, len));
	CHECK_OK(listen(l, 4));
	close(c);
}

/* There is no descriptor for it: a connection waits on. */
TEST(tcprace, accept_without_room)
{
	struct rlimit lim = { 0, 65536 };
	struct sockaddr_in a;
	int l, c, got, n;
	char byte = 'x';

	ut_own_net();
	l = listen_on(&a, 4);
	c = connect_to(&a);
	CHECK_EQ(send(c, &byte, 1, 0), 1);
	CHECK_OK(n = dup(c));
	lim.rlim_cur = (rlim_t)n + 1;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
	CHECK_ERR(accept(l, NULL, NULL), EMFILE);
	close(n);
	CHECK_OK(got = accept(l, NULL, NULL));
	CHECK_EQ(recv(got, &byte, 1, 0), 1);
}
