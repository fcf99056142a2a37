/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sockdiag.c - NETLINK_SOCK_DIAG: sockets as ss(8) sees them.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef TCPF_LISTEN
#define TCPF_LISTEN (1 << 10)
#endif

static int diag_socket(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);

	CHECK(s >= 0);
	return s;
}

static int listener(struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0);
	memset(a, 0, sizeof(*a));
	a->sin_family = AF_INET;
	CHECK_OK(bind(s, (void *)a, sizeof(*a)));
	CHECK_OK(listen(s, 7));
	CHECK_OK(getsockname(s, (void *)a, &len));
	return s;
}

static void ask(int nl, const void *req, size_t n, int flags)
{
	char buf[256] = "";
	struct nlmsghdr *h = (void *)buf;

	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
	h->nlmsg_len = (unsigned)NLMSG_LENGTH(n);
	memcpy(NLMSG_DATA(h), req, n);
	CHECK_EQ(send(nl, h, h->nlmsg_len, 0), (long)h->nlmsg_len);
}

/* The message about @inode in the answer to a dump; NULL: there is none. */
static const void *find(int nl, unsigned inode, size_t at)
{
	static char buf[16384];
	const void *found = NULL;

	for (;;) {
		static char keep[512];
		int n = (int)recv(nl, buf, sizeof(buf), 0);
		struct nlmsghdr *h = (void *)buf;

		CHECK(n > 0);
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return found;
			CHECK_EQ(h->nlmsg_type, SOCK_DIAG_BY_FAMILY);
			CHECK(h->nlmsg_flags & NLM_F_MULTI);
			if (*(unsigned *)((char *)NLMSG_DATA(h) + at) != inode)
				continue;
			CHECK(!found && h->nlmsg_len <= sizeof(keep));
			memcpy(keep, NLMSG_DATA(h), h->nlmsg_len - 16);
			found = keep;
		}
	}
}

static unsigned inode_of(int fd)
{
	struct stat st;

	CHECK_OK(fstat(fd, &st));
	return (unsigned)st.st_ino;
}

#define INODE_AT offsetof(struct inet_diag_msg, idiag_inode)

TEST(sockdiag, tcp)
{
	struct inet_diag_req_v2 r = { .sdiag_family = AF_INET,
				      .sdiag_protocol = IPPROTO_TCP,
				      .idiag_states = TCPF_LISTEN };
	const struct inet_diag_msg *m;
	int nl, s;
	struct sockaddr_in a;

	CHECK_OK(unshare(CLONE_NEWNET));
	nl = diag_socket();
	s = listener(&a);
	ask(nl, &r, sizeof(r), NLM_F_DUMP);
	m = find(nl, inode_of(s), INODE_AT);
	CHECK(m);
	CHECK_EQ(m->idiag_state, 10);
	CHECK_EQ(m->id.idiag_sport, a.sin_port);
	CHECK_EQ(m->idiag_rqueue, 0);
	CHECK_EQ(m->idiag_wqueue, 7);
	CHECK_EQ(m->idiag_uid, 0);
	r.idiag_states = 1 << 1; /* established */
	ask(nl, &r, sizeof(r), NLM_F_DUMP);
	CHECK(!find(nl, inode_of(s), INODE_AT));
}

TEST(sockdiag, udp)
{
	struct inet_diag_req_v2 r = { .sdiag_family = AF_INET,
				      .sdiag_protocol = IPPROTO_UDP,
				      .idiag_states = ~0u };
	struct sockaddr_in a = { .sin_family = AF_INET };
	const struct inet_diag_msg *m;
	int nl, s;

	CHECK_OK(unshare(CLONE_NEWNET));
	nl = diag_socket();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	ask(nl, &r, sizeof(r), NLM_F_DUMP);
	m = find(nl, inode_of(s), INODE_AT);
	CHECK(m);
	CHECK_EQ(m->idiag_state, 7);
}

TEST(sockdiag, unix_domain)
{
	struct unix_diag_req r = { .sdiag_family = AF_UNIX,
				   .udiag_states = ~0u,
				   .udiag_show =
					   UDIAG_SHOW_NAME | UDIAG_SHOW_PEER };
	const struct unix_diag_msg *m;
	const struct nlattr *at;
	int nl, p[2];

	CHECK_OK(unshare(CLONE_NEWNET));
	nl = diag_socket();
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	ask(nl, &r, sizeof(r), NLM_F_DUMP);
	m = find(nl, inode_of(p[0]), offsetof(struct unix_diag_msg, udiag_ino));
	CHECK(m);
	CHECK_EQ(m->udiag_type, SOCK_STREAM);
	CHECK_EQ(m->udiag_state, 1);
	at = (const void *)(m + 1);
	CHECK_EQ(at->nla_type, UNIX_DIAG_PEER);
	CHECK_EQ(*(const unsigned *)(at + 1), inode_of(p[1]));
}

TEST(sockdiag, errors)
{
	struct inet_diag_req_v2 r = { .sdiag_family = AF_INET,
				      .sdiag_protocol = 33 };
	char buf[512];
	struct nlmsghdr *h = (void *)buf;
	int nl = diag_socket();

	r.sdiag_family = 43; /* nobody diagnoses that */
	ask(nl, &r, sizeof(r), NLM_F_DUMP);
	CHECK(recv(nl, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(((struct nlmsgerr *)NLMSG_DATA(h))->error, -ENOENT);
}

/* Answers that nobody reads are lost at last, which is told first. */
TEST(sockdiag, overrun)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg link;
	} r = { .h = { .nlmsg_len = sizeof(r),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST },
		.link.ifi_index = 1 };
	int nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), n = 0;
	static char buf[8192];

	CHECK(nl >= 0);
	for (int i = 0; i < 2000; i++)
		CHECK_EQ(send(nl, &r, sizeof(r), 0), sizeof(r));
	CHECK_ERR(recv(nl, buf, sizeof(buf), MSG_DONTWAIT), ENOBUFS);
	while (recv(nl, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		n++;
	CHECK(n > 0 && n < 2000);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(send(nl, &r, sizeof(r), 0), sizeof(r));
	CHECK(recv(nl, buf, sizeof(buf), MSG_DONTWAIT) > 0);
}
