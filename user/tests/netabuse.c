/* SPDX-License-Identifier: MIT */
/*
 * user/tests/netabuse.c - what ordinary users try with sockets: none of it stops the
 * machine, shows what is the kernel's, or leaves a trace where it failed.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stddef.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* --- options */

/* What an option gives back is the option, and nothing behind it. */
TEST(netabuse, option_tails)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), n;
	char buf[16];
	socklen_t len = sizeof(buf);

	memset(buf, 'x', sizeof(buf));
	CHECK_OK(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, buf, &len));
	CHECK_EQ(len, sizeof(buf));
	CHECK(!strcmp(buf, "cubic"));
	for (n = 6; n < 16; n++)
		CHECK_EQ(buf[n], 0);
	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	memset(buf, 'x', sizeof(buf));
	len = 7;
	CHECK_OK(getsockopt(s, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, buf,
			    &len));
	CHECK_EQ(buf[4], 'x');
	CHECK_EQ(buf[6], 'x');
}

/* A place for a checksum that lies before the packet, in 16 bits. */
TEST(netabuse, checksum_place)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(int);
	int s, v = 65534;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET6, SOCK_RAW, 200));
	CHECK_OK(setsockopt(s, IPPROTO_IPV6, IPV6_CHECKSUM, &v, sizeof(v)));
	v = 0;
	CHECK_OK(getsockopt(s, IPPROTO_IPV6, IPV6_CHECKSUM, &v, &len));
	CHECK_EQ(v, 65534);
	CHECK_ERR(sendto(s, "abcdefgh", 8, 0, (void *)&a, sizeof(a)), EINVAL);
}

TEST(netabuse, raw_errors)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_RAW, 200));
	CHECK_ERR(sendto(s, "x", 1, MSG_OOB, (void *)&a, sizeof(a)),
		  EOPNOTSUPP);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 1), EPERM);
}

static int bind_any(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(s >= 0);
	if (bind(s, (void *)&a, len) || getsockname(s, (void *)&a, &len)) {
		close(s);
		return -1;
	}
	*port = ntohs(a.sin_port);
	return s;
}

/* All ports are taken, and one comes back; what is privileged is not handed out. */
TEST(netabuse, ports_run_out)
{
	const char *const range = "/proc/sys/net/ipv4/ip_local_port_range";
	int fd, port, s[200], n, was;

	ut_own_net();
	CHECK_OK(fd = open(range, O_WRONLY));
	CHECK_ERR(write(fd, "1000 40000", 10), EINVAL);
	CHECK_EQ(pwrite(fd, "40000 40199", 11, 0), 11);
	for (n = 0; n < 200; n++) {
		CHECK_OK(s[n] = bind_any(&port));
		CHECK(port >= 40000 && port <= 40199);
	}
	CHECK_ERR(bind_any(&port), EADDRINUSE);
	CHECK_OK(close(s[77]));
	CHECK_OK(bind_any(&was));
	CHECK_ERR(bind_any(&port), EADDRINUSE);
}

/* --- netlink */

static int nl_open(int proto)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int s = socket(AF_NETLINK, SOCK_RAW, proto);

	CHECK(s >= 0);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

/* Who has taken all the numbers that another one might get keeps nobody from it. */
TEST(netabuse, uevent_ports)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	struct rlimit lim = { 8192, 8192 };
	int s;

	CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
	for (unsigned int i = 0; i < 4096; i++) {
		a.nl_pid = (unsigned int)getpid() + (i << 20);
		CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW,
				    NETLINK_KOBJECT_UEVENT));
		CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	}
	CHECK_OK(s = nl_open(NETLINK_KOBJECT_UEVENT));
}

struct ask {
	struct nlmsghdr h;
	char more[32];
};

static int answer(int s)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} a;

	if (recv(s, &a, sizeof(a), MSG_DONTWAIT) < (long)sizeof(a) ||
	    a.h.nlmsg_type != NLMSG_ERROR)
		return 1;
	return a.e.error;
}

static int ask_type(int s, int type)
{
	struct ask q = { .h = { .nlmsg_len = sizeof(q),
				.nlmsg_type = (unsigned short)type,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };

	return send(s, &q, sizeof(q), 0) == sizeof(q) ? answer(s) : -errno;
}

/* Who may change nothing is told so before anything else is looked at, and a socket that
 * he has opened does no more in the hands of somebody who may. */
TEST(netabuse, netlink_rights)
{
	int s, mine = nl_open(NETLINK_ROUTE);

	CHECK_OK(setresuid(1000, 1000, 0));
	s = nl_open(NETLINK_ROUTE);
	CHECK_EQ(ask_type(s, RTM_NEWADDR), -EPERM);
	CHECK_EQ(ask_type(s, RTM_DELLINK), -EPERM);
	CHECK_EQ(ask_type(s, RTM_NEWLINK), -EPERM);
	CHECK_EQ(ask_type(mine, RTM_NEWLINK), -EPERM);
	CHECK_OK(setresuid(0, 0, 0));
	CHECK_EQ(ask_type(s, RTM_NEWLINK), -EPERM);
	CHECK(ask_type(mine, RTM_NEWLINK) != -EPERM);
}

/* Messages are for the kernel: others are not there, or not for everybody. */
TEST(netabuse, netlink_names)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_pid = 0x7ffffff };
	struct ask q = { .h = { .nlmsg_len = sizeof(q),
				.nlmsg_type = RTM_GETLINK,
				.nlmsg_flags = NLM_F_REQUEST } };
	int s = nl_open(NETLINK_ROUTE);

	CHECK_ERR(sendto(s, &q, sizeof(q), 0, (void *)&a, sizeof(a)),
		  ECONNREFUSED);
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EINVAL);
	a.nl_family = AF_INET;
	CHECK_ERR(sendto(s, &q, sizeof(q), 0, (void *)&a, sizeof(a)), EINVAL);
	CHECK_EQ(ask_type(s, NLMSG_NOOP), 0);
	CHECK_OK(setresuid(1000, 1000, 1000));
	a.nl_family = AF_NETLINK;
	CHECK_ERR(sendto(s, &q, sizeof(q), 0, (void *)&a, sizeof(a)), EPERM);
	CHECK_ERR(connect(s, (void *)&a, sizeof(a)), EPERM);
}

/* Answers that nobody reads take no more than the queue may. */
TEST(netabuse, netlink_hoard)
{
	struct ask q = { .h = { .nlmsg_len = sizeof(q.h),
				.nlmsg_type = RTM_NEWLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };
	int s = nl_open(NETLINK_ROUTE), n = 0;
	char buf[256];

	for (int i = 0; i < 8000; i++)
		(void)send(s, &q, sizeof(q.h), 0);
	for (int i = 0; i < 8000; i++) {
		if (recv(s, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			n++;
		else if (errno == EAGAIN)
			break;
	}
	printf("# %d answers\n", n);
	CHECK(n >= 100 && n <= 4000);
}

/* --- Unix-domain sockets */

static struct sockaddr_un name_of(const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", text);
	return a;
}
#define NAME_LEN(n) ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + (n)))

static int un(int type, const char *name)
{
	struct sockaddr_un a = name_of(name);
	int s = socket(AF_UNIX, type, 0);

	CHECK(s >= 0);
	if (*name)
		CHECK_OK(bind(s, (void *)&a, NAME_LEN(1 + strlen(name))));
	return s;
}

static int un_connect(int s, const char *name)
{
	struct sockaddr_un a = name_of(name);

	return connect(s, (void *)&a, NAME_LEN(1 + strlen(name)));
}

TEST(netabuse, unix_shutdown)
{
	int l = un(SOCK_STREAM, "ab-l"), s = un(SOCK_STREAM, ""), c;

	CHECK_OK(shutdown(s, SHUT_RDWR));
	CHECK_OK(s = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(listen(l, 4));
	fcntl(l, F_SETFL, O_NONBLOCK);
	CHECK_OK(shutdown(l, SHUT_WR));
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	CHECK_OK(un_connect(s, "ab-l"));
	CHECK_OK(shutdown(l, SHUT_RD));
	CHECK_OK(c = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_ERR(un_connect(c, "ab-l"), ECONNREFUSED);
	CHECK_OK(accept(l, NULL, NULL));
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	fcntl(l, F_SETFL, 0);
	CHECK_ERR(accept(l, NULL, NULL), EINVAL);
}

/* Who is connected to somebody else is neither sent to nor connected to; a peer that is
 * gone is told once, and is none from then on. */
TEST(netabuse, unix_dgram_peers)
{
	int a = un(SOCK_DGRAM, "ab-a"), b = un(SOCK_DGRAM, "ab-b");
	int c = un(SOCK_DGRAM, "ab-c");
	char buf[8];

	CHECK_OK(un_connect(a, "ab-b"));
	CHECK_ERR(un_connect(c, "ab-a"), EPERM);
	CHECK_OK(un_connect(b, "ab-a"));
	CHECK_EQ(send(b, "x", 1, 0), 1);
	CHECK_OK(un_connect(c, "ab-c"));
	CHECK_OK(un_connect(a, "ab-c") == -1 && errno == EPERM ? 0 : -1);
	CHECK_EQ(recv(a, buf, sizeof(buf), 0), 1);
	close(b);
	CHECK_ERR(send(a, "x", 1, 0), ECONNREFUSED);
	CHECK_ERR(send(a, "x", 1, 0), ENOTCONN);
}

/* A name of one byte, which is zero, is a name. */
TEST(netabuse, unix_empty_name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(a);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK_OK(bind(s, (void *)&a, NAME_LEN(1)));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_EQ(len, NAME_LEN(1));
	CHECK_OK(s = socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_ERR(bind(s, (void *)&a, NAME_LEN(1)), EADDRINUSE);
}

static int pass(int s, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} u = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { .iov_base = "x", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = u.buf,
			    .msg_controllen = sizeof(u.buf) };

	memcpy(CMSG_DATA(&u.h), &fd, sizeof(fd));
	return (int)sendmsg(s, &m, MSG_DONTWAIT);
}

static int take(int s)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} u;
	char byte;
	struct iovec v = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = u.buf,
			    .msg_controllen = sizeof(u.buf) };
	int fd = -1;

	if (recvmsg(s, &m, MSG_DONTWAIT) == 1 && m.msg_controllen)
		memcpy(&fd, CMSG_DATA(&u.h), sizeof(fd));
	return fd;
}

static volatile bool stop;
/* Where they cannot be told of there are no descriptors. */
TEST(netabuse, unix_rights_untold)
{
	char byte, *none = mmap(NULL, 4096, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = none,
			    .msg_controllen = 64 };
	int p[2], next, again;

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
	CHECK_EQ(pass(p[0], p[0]), 1);
	CHECK_OK(next = dup(0));
	close(next);
	(void)recvmsg(p[1], &m, MSG_DONTWAIT);
	CHECK_OK(again = dup(0));
	CHECK_EQ(again, next);
}

static int box[2];

static void *passes(void *arg)
{
	int p[2];

	(void)arg;
	CHECK_OK(pipe(p));
	while (!stop) {
		for (int i = 0; i < 20; i++)
			(void)pass(box[0], p[0]);
		for (int i = 0; i < 20; i++) {
			int fd = take(box[1]);

			if (fd >= 0)
				close(fd);
		}
	}
	return NULL;
}

static void *releases(void *arg)
{
	(void)arg;
	while (!stop) {
		int q[2];

		CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, q));
		(void)pass(q[0], q[1]); /* a cycle */
		close(q[0]);
		close(q[1]);
	}
	return NULL;
}

/* Files are taken from a socket that is in flight itself, while others look through what
 * is in flight. */
TEST(netabuse, unix_gc_under_reader)
{
	pthread_t t[4];
	int keep[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, box));
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, keep));
	CHECK_EQ(pass(keep[0], box[1]), 1);
	stop = false;
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, i % 2 ? passes : releases,
					NULL),
			 0);
	ut_sleep_ms(1500);
	stop = true;
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}
