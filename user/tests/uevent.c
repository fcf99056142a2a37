/* SPDX-License-Identifier: MIT */
/*
 * user/tests/uevent.c - what is said of devices: NETLINK_KOBJECT_UEVENT, the file
 * `uevent' in /sys.
 */
#include "utest.h"

#include <poll.h>
#include <sys/socket.h>

#define PROTO 15
#define FILE_ "/sys/class/mem/null/uevent"

struct nl {
	uint16_t family, pad;
	uint32_t port, groups;
};
struct insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
struct prog {
	uint16_t len;
	const struct insn *insns;
};

static int listener(uint32_t groups)
{
	struct nl a = { .family = 16, .groups = groups };
	int fd = socket(16, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PROTO);
	int on = 1;

	CHECK_OK(fd);
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	CHECK_OK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static int say(const char *what)
{
	int fd = open(FILE_, O_WRONLY), r, e;

	CHECK_OK(fd);
	r = (int)write(fd, what, strlen(what));
	e = errno;
	close(fd);
	errno = e;
	return r < 0 ? -1 : 0;
}

/* The value of @key in @n bytes of NUL-ended lines, or "". */
static const char *value(const char *buf, ssize_t n, const char *key)
{
	size_t k = strlen(key);

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(buf + at) + 1)
		if (!strncmp(buf + at, key, k) && buf[at + (ssize_t)k] == '=')
			return buf + at + k + 1;
	return "";
}

TEST(uevent, is_told)
{
	static char buf[4096];
	char ctl[64];
	struct nl from = { 0 };
	struct iovec iov = { buf, sizeof(buf) - 1 };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	const struct cmsghdr *c;
	struct pollfd p;
	int fd, other;
	ssize_t n;

	if (getuid())
		ut_skip("not root");
	fd = listener(1);
	other = listener(2);
	CHECK_OK(say("change"));
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK((n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC)) > 50);
	CHECK_EQ(recvmsg(fd, &m, 0), n);
	CHECK_EQ(from.port, 0);
	CHECK_EQ(from.groups, 1);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_type == SCM_CREDENTIALS);
	CHECK(!memcmp(CMSG_DATA(c), "\0\0\0\0\0\0\0\0\0\0\0", 12)); /* nobody */
	CHECK(!strcmp(buf, "change@/devices/virtual/mem/null"));
	CHECK(!strcmp(value(buf, n, "ACTION"), "change"));
	CHECK(!strcmp(value(buf, n, "DEVPATH"), "/devices/virtual/mem/null"));
	CHECK(!strcmp(value(buf, n, "SUBSYSTEM"), "mem"));
	CHECK(!strcmp(value(buf, n, "SYNTH_UUID"), "0"));
	CHECK(!strcmp(value(buf, n, "MAJOR"), "1"));
	CHECK(!strcmp(value(buf, n, "DEVNAME"), "null"));
	CHECK(atoi(value(buf, n, "SEQNUM")) > 0);
	CHECK_ERR(recv(other, buf, 10, 0), EAGAIN);
	CHECK_OK(say("add 11111111-2222-3333-4444-555555555555 A=b"));
	CHECK((n = recv(fd, buf, sizeof(buf), 0)) > 50);
	CHECK(!strcmp(value(buf, n, "SYNTH_ARG_A"), "b"));
	CHECK_ERR(say("sleep"), EINVAL);
	CHECK_ERR(say("add 1"), EINVAL);
	CHECK_ERR(say("add 11111111-2222-3333-4444-555555555555 A=-"), EINVAL);
	close(other);
	close(fd);
}

static int cannot_speak(void *arg)
{
	struct nl to = { .family = 16, .groups = 2 };
	int fd = *(int *)arg;

	if (setuid(1000))
		return errno;
	CHECK_ERR(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)),
		  EPERM);
	return 0;
}

TEST(uevent, programs_tell)
{
	struct nl to = { .family = 16, .groups = 2 }, from;
	/* those whose first word is "pass" */
	static const struct insn insns[] = {
		{ 0x20, 0, 0, 0 },
		{ 0x15, 0, 1, 0x70617373 },
		{ 0x06, 0, 0, 0xffffffff },
		{ 0x06, 0, 0, 0 },
	};
	const struct prog pr = { 4, insns };
	socklen_t len = sizeof(from);
	int fd, me;
	char buf[16];

	if (getuid())
		ut_skip("not root");
	fd = listener(2);
	me = listener(0);
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &pr, sizeof(pr)));
	CHECK_EQ(sendto(me, "stop it", 7, 0, (struct sockaddr *)&to, 12), 7);
	CHECK_EQ(sendto(me, "pass it", 7, 0, (struct sockaddr *)&to, 12), 7);
	CHECK_EQ(recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
			  &len),
		 7);
	CHECK(!memcmp(buf, "pass it", 7));
	CHECK_EQ(from.groups, 2);
	CHECK(from.port != 0);
	CHECK_ERR(recv(fd, buf, sizeof(buf), 0), EAGAIN);
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &me, sizeof(me)));
	CHECK_EQ(sendto(me, "stop it", 7, 0, (struct sockaddr *)&to, 12), 7);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 7);
	/* one alone, by its port */
	len = sizeof(from);
	CHECK_OK(getsockname(fd, (struct sockaddr *)&from, &len));
	from.groups = 0;
	CHECK_EQ(sendto(me, "you", 3, 0, (struct sockaddr *)&from, 12), 3);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 3);
	from.port = 0x7ffffff1;
	CHECK_ERR(sendto(me, "you", 3, 0, (struct sockaddr *)&from, 12),
		  ECONNREFUSED);
	CHECK_EQ(ut_wait(ut_fork(cannot_speak, &me)), 0);
	close(fd);
	close(me);
}

/* The group that a message of @n bytes was said to, as NETLINK_PKTINFO has it. */
static int told_to(int fd, ssize_t n)
{
	char buf[4096], ctl[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	int group = -1;

	CHECK_EQ(recvmsg(fd, &m, 0), n);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == 270 && c->cmsg_type == 3)
			memcpy(&group, CMSG_DATA(c), sizeof(group));
	return group;
}

TEST(uevent, options)
{
	struct nl to = { .family = 16, .groups = 0xc };
	int fd = listener(0), four = listener(8), on = 1, group = 3, v = 7;
	uint32_t in[2] = { 0 };
	socklen_t len = sizeof(in);

	if (getuid())
		ut_skip("not root");
	CHECK_OK(setsockopt(fd, 270, 1, &group, sizeof(group)));
	group = 33;
	CHECK_ERR(setsockopt(fd, 270, 1, &group, sizeof(group)), EINVAL);
	CHECK_OK(getsockopt(fd, 270, 9, in, &len));
	CHECK_EQ(in[0], 4);
	len = sizeof(v);
	CHECK_OK(getsockopt(fd, 270, 3, &v, &len));
	CHECK_EQ(v, 0);
	CHECK_OK(setsockopt(fd, 270, 3, &on, sizeof(on)));
	CHECK_OK(getsockopt(fd, 270, 3, &v, &len));
	CHECK_EQ(v, 1);
	/* of several groups the first one */
	CHECK_EQ(sendto(four, "abc", 3, 0, (struct sockaddr *)&to, 12), 3);
	CHECK_EQ(told_to(fd, 3), 3);
	CHECK_ERR(recv(four, &v, 1, 0), EAGAIN);
	close(fd);
	close(four);
}

/* Of NETLINK_ROUTE, as systemd wants it: which group an answer was said to. */
TEST(uevent, group_of_an_answer)
{
	struct {
		uint32_t len;
		uint16_t type, flags;
		uint32_t seq, port;
		char family[4];
	} ask = { 20, 18, 0x301, 1, 0, "" }; /* RTM_GETLINK, a dump */
	static char buf[8192];
	char ctl[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	const struct cmsghdr *c;
	int on = 1, fd = socket(16, SOCK_RAW, 0);

	CHECK_OK(fd);
	CHECK_OK(setsockopt(fd, 270, 3, &on, sizeof(on)));
	CHECK_EQ(send(fd, &ask, 20, 0), 20);
	CHECK(recvmsg(fd, &m, 0) > 16);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_level == 270 && c->cmsg_type == 3);
	CHECK(c && c->cmsg_len == CMSG_LEN(4) &&
	      !memcmp(CMSG_DATA(c), "\0\0\0", 4));
	close(fd);
}
