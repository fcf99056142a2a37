/* SPDX-License-Identifier: MIT */
/*
 * user/tests/stamps.c - when packets came and went: SO_TIMESTAMPING, SIOCGSTAMP, streams.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SND   0
#define SCHED 1
#define ACK   2

struct stamped {
	long n;		      /* bytes */
	int stamps, extended; /* messages of either kind */
	struct timespec ts[3];
	struct sock_extended_err e;
	unsigned family; /* of who said so */
	char data[256];
};

static struct stamped get(int fd, int flags)
{
	struct stamped r = { 0 };
	char control[256];
	struct iovec iov = { r.data, sizeof(r.data) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	r.n = recvmsg(fd, &m, flags);
	CHECK_OK(r.n);
	CHECK_EQ(m.msg_flags & MSG_ERRQUEUE, flags & MSG_ERRQUEUE);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SO_TIMESTAMPING) {
			CHECK_EQ(c->cmsg_len, CMSG_LEN(sizeof(r.ts)));
			memcpy(r.ts, CMSG_DATA(c), sizeof(r.ts));
			r.stamps++;
		} else if (c->cmsg_level == IPPROTO_IP &&
			   c->cmsg_type == IP_RECVERR) {
			CHECK_EQ(c->cmsg_len, CMSG_LEN(32));
			memcpy(&r.e, CMSG_DATA(c), sizeof(r.e));
			r.family = ((struct sockaddr *)(CMSG_DATA(c) + 16))
					   ->sa_family;
			r.extended++;
		}
	}
	return r;
}

/* Now, and not in a clock of hardware. */
static void is_now(const struct stamped *r)
{
	struct timespec now;

	CHECK_EQ(r->stamps, 1);
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(r->ts[0].tv_sec >= now.tv_sec - 30 &&
	      r->ts[0].tv_sec <= now.tv_sec);
	CHECK(!r->ts[1].tv_sec && !r->ts[1].tv_nsec);
	CHECK(!r->ts[2].tv_sec && !r->ts[2].tv_nsec);
}

/* Two sockets of @type that can talk: of streams, connected. */
static void make_pair(int type, int s[2], struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int l;

	ut_own_net();
	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(s[0] = socket(AF_INET, type, 0));
	CHECK_OK(l = socket(AF_INET, type, 0));
	CHECK_OK(bind(l, (void *)a, len));
	CHECK_OK(getsockname(l, (void *)a, &len));
	if (type == SOCK_STREAM)
		CHECK_OK(listen(l, 1));
	CHECK_OK(connect(s[0], (void *)a, len));
	s[1] = l;
	if (type == SOCK_STREAM)
		CHECK_OK(s[1] = accept(l, NULL, NULL));
}

/* Linux begins to look at its clock a moment after the first one has asked. */
static void ask(int fd, int flags)
{
	CHECK_OK(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags,
			    sizeof(flags)));
	if (flags & SOF_TIMESTAMPING_RX_SOFTWARE)
		ut_sleep_ms(30);
}

TEST(stamps, received)
{
	struct sockaddr_in a;
	struct stamped r;
	int s[2];

	make_pair(SOCK_DGRAM, s, &a);
	ask(s[1], SOF_TIMESTAMPING_RX_SOFTWARE);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_EQ(get(s[1], 0).stamps, 0); /* it is not to be told */
	ask(s[1], SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	r = get(s[1], 0);
	is_now(&r);
	ask(s[1], 0);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_EQ(get(s[1], 0).stamps, 0);
}

static void is_told(const struct stamped *r, unsigned what, unsigned key)
{
	is_now(r);
	CHECK_EQ(r->extended, 1);
	CHECK_EQ(r->e.ee_errno, ENOMSG);
	CHECK_EQ(r->e.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
	CHECK_EQ(r->e.ee_info, what);
	CHECK_EQ(r->e.ee_data, key);
	CHECK_EQ(r->family, AF_UNSPEC);
}

TEST(stamps, sent)
{
	struct sockaddr_in a;
	struct stamped r;
	struct pollfd p;
	int s[2];

	make_pair(SOCK_DGRAM, s, &a);
	ask(s[0], SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED |
			  SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
			  SOF_TIMESTAMPING_OPT_TSONLY);
	for (unsigned key = 0; key < 3; key++) {
		CHECK_EQ(send(s[0], "hello", 5, 0), 5);
		p = (struct pollfd){ .fd = s[0], .events = 0 };
		CHECK_EQ(poll(&p, 1, 5000), 1);
		CHECK_EQ(p.revents, POLLERR);
		r = get(s[0], MSG_ERRQUEUE);
		is_told(&r, SCHED, key);
		CHECK_EQ(r.n, 0);
		r = get(s[0], MSG_ERRQUEUE);
		is_told(&r, SND, key);
	}
	CHECK_ERR(recv(s[0], r.data, 1, MSG_ERRQUEUE), EAGAIN);
	CHECK_ERR(recv(s[0], r.data, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(poll(&p, 1, 0), 0);
}

/* What comes back is the packet, if more than the time is wanted. */
TEST(stamps, sent_whole)
{
	struct sockaddr_in a;
	struct stamped r;
	int s[2];

	make_pair(SOCK_DGRAM, s, &a);
	ask(s[0], SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	CHECK_EQ(send(s[0], "hello", 5, 0), 5);
	r = get(s[0], MSG_ERRQUEUE);
	is_told(&r, SND, 0);
	CHECK_EQ(r.n, 14 + 20 + 8 + 5);
	CHECK(!memcmp(r.data, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45", 15));
	CHECK(!memcmp(r.data + 36, &a.sin_port, 2));
	CHECK(!memcmp(r.data + 42, "hello", 5));
}

/* One message of its own asks. */
TEST(stamps, sent_once)
{
	union {
		char raw[CMSG_SPACE(4)];
		struct cmsghdr c;
	} u = { .c = { .cmsg_len = CMSG_LEN(4),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SO_TIMESTAMPING } };
	struct iovec iov = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &u,
			    .msg_controllen = sizeof(u) };
	struct sockaddr_in a;
	struct stamped r;
	int s[2];

	make_pair(SOCK_DGRAM, s, &a);
	ask(s[0], SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_ERR(recv(s[0], r.data, 1, MSG_ERRQUEUE), EAGAIN);
	*(int *)CMSG_DATA(&u.c) = SOF_TIMESTAMPING_TX_SCHED;
	CHECK_EQ(sendmsg(s[0], &m, 0), 1);
	r = get(s[0], MSG_ERRQUEUE);
	is_told(&r, SCHED, 0);
	*(int *)CMSG_DATA(&u.c) = SOF_TIMESTAMPING_SOFTWARE;
	CHECK_ERR(sendmsg(s[0], &m, 0), EINVAL);
}

TEST(stamps, stream)
{
	struct sockaddr_in a;
	struct stamped r;
	int s[2], seen = 0;

	make_pair(SOCK_STREAM, s, &a);
	ask(s[0], SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED |
			  SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
			  SOF_TIMESTAMPING_OPT_ID |
			  SOF_TIMESTAMPING_OPT_TSONLY);
	ask(s[1], SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
	for (unsigned i = 1; i <= 2; i++) {
		CHECK_EQ(send(s[0], "0123456789", 10, 0), 10);
		r = get(s[1], 0);
		CHECK_EQ(r.n, 10);
		is_now(&r);
		for (int j = 0; j < 3; j++) {
			struct pollfd p = { .fd = s[0] };

			CHECK_EQ(poll(&p, 1, 5000), 1);
			r = get(s[0], MSG_ERRQUEUE);
			seen |= 1 << r.e.ee_info;
			is_told(&r, r.e.ee_info, i * 10 - 1);
		}
		CHECK_EQ(seen, 1 << SND | 1 << SCHED | 1 << ACK);
	}
	CHECK_ERR(recv(s[0], r.data, 1, MSG_ERRQUEUE), EAGAIN);
}

static void refused(int fd, int flags)
{
	CHECK_ERR(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags,
			     sizeof(flags)),
		  EINVAL);
}

TEST(stamps, options)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), t, v[2] = { -1, -1 };
	socklen_t len = sizeof(v);

	CHECK_OK(t = socket(AF_INET, SOCK_STREAM, 0));
	refused(s, 1 << 30);
	refused(s, SOF_TIMESTAMPING_OPT_STATS);
	refused(s, 1 << 16); /* OPT_ID_TCP without OPT_ID */
	refused(t, SOF_TIMESTAMPING_OPT_ID);
	ask(s, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID);
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_TIMESTAMPING, v, &len));
	CHECK_EQ(len, 8);
	CHECK_EQ(v[0], SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID);
	CHECK_EQ(v[1], 0);
	len = 4;
	v[0] = 0;
	CHECK_OK(getsockopt(s, SOL_SOCKET, SO_TIMESTAMPING, v, &len));
	CHECK_EQ(v[0], SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID);
}

/* Nothing has been read; something was, when nobody asked; something with its time. */
TEST(stamps, ioctl_asks)
{
	struct timespec ts;
	struct sockaddr_in a;
	struct timeval tv;
	time_t now;
	char b;
	int s[2];

	make_pair(SOCK_DGRAM, s, &a);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_EQ(recv(s[1], &b, 1, 0), 1);
	CHECK_OK(ioctl(s[1], SIOCGSTAMP_OLD, &tv));
	now = time(NULL);
	CHECK(tv.tv_sec >= now - 30 && tv.tv_sec <= now);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_EQ(recv(s[1], &b, 1, 0), 1);
	CHECK_OK(ioctl(s[1], SIOCGSTAMPNS_OLD, &ts));
	CHECK(ts.tv_sec >= tv.tv_sec && ts.tv_sec <= time(NULL));
	CHECK_ERR(ioctl(s[0], SIOCGSTAMP_OLD, &tv), ENOENT);
	CHECK_OK(ioctl(s[1], SIOCGSTAMP_NEW, &ts));
}

/* SO_TIMESTAMP of a stream. */
TEST(stamps, stream_simple)
{
	char control[64], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct sockaddr_in a;
	struct cmsghdr *c;
	struct timeval tv;
	int s[2], on = 1;

	make_pair(SOCK_STREAM, s, &a);
	CHECK_OK(setsockopt(s[1], SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)));
	ut_sleep_ms(30);
	CHECK_EQ(send(s[0], "x", 1, 0), 1);
	CHECK_EQ(recvmsg(s[1], &m, 0), 1);
	c = CMSG_FIRSTHDR(&m);
	CHECK(c && c->cmsg_type == SO_TIMESTAMP);
	memcpy(&tv, CMSG_DATA(c), sizeof(tv));
	CHECK(tv.tv_sec >= time(NULL) - 30 && tv.tv_sec <= time(NULL));
}
