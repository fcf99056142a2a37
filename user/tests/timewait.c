/* SPDX-License-Identifier: MIT */
/*
 * user/tests/timewait.c - connections that wait for their end are listed, though no socket
 * is left of them.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static struct wire w;

/* A connection from A to port 7100 of B that A has closed first; A's port. */
static int one_that_waits(void)
{
	struct sockaddr_in to = wire_addr(1, 7100), a;
	socklen_t len = sizeof(a);
	int l, s, c;
	char b;

	wire_enter(&w, 1);
	CHECK_OK(l = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(bind(l, (void *)&to, sizeof(to)));
	CHECK_OK(listen(l, 1));
	wire_enter(&w, 0);
	CHECK_OK(s = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(s, (void *)&to, sizeof(to)));
	CHECK_OK(c = accept(l, NULL, NULL));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_OK(close(s));
	CHECK_EQ(read(c, &b, 1), 0);
	CHECK_OK(close(c));
	CHECK_OK(close(l));
	return ntohs(a.sin_port);
}

static int in_proc(int port)
{
	char line[256], want[64];
	FILE *f = fopen("/proc/self/net/tcp", "re");
	int found = 0;

	CHECK(f);
	snprintf(want, sizeof(want),
		 ": 0100090A:%04X 0200090A:1BBC 06 00000000:00000000 03:",
		 (unsigned int)port);
	while (fgets(line, sizeof(line), f))
		found += strstr(line, want) != NULL;
	fclose(f);
	return found;
}

static struct inet_diag_msg in_diag(int port, unsigned int states)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} q = {
		.h.nlmsg_len = sizeof(q),
		.h.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.r.sdiag_family = AF_INET,
		.r.sdiag_protocol = IPPROTO_TCP,
		.r.idiag_states = states,
	};
	struct inet_diag_msg got = { 0 };
	char buf[16384];
	int s;

	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG));
	CHECK_EQ(send(s, &q, sizeof(q), 0), sizeof(q));
	for (;;) {
		long n = recv(s, buf, sizeof(buf), 0);
		struct nlmsghdr *h = (void *)buf;

		CHECK(n > 0);
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			struct inet_diag_msg *m = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE) {
				CHECK_OK(close(s));
				return got;
			}
			if (h->nlmsg_type == NLMSG_ERROR)
				ut_skip("no sock_diag of TCP");
			CHECK_EQ(h->nlmsg_type, SOCK_DIAG_BY_FAMILY);
			if (ntohs(m->id.idiag_sport) == port)
				got = *m;
		}
	}
}

TEST(timewait, listed)
{
	struct inet_diag_msg m;
	int port;

	wire_setup(&w);
	port = one_that_waits();
	for (int i = 0; i < 50 && !in_proc(port); i++)
		ut_sleep_ms(20);
	CHECK_EQ(in_proc(port), 1);
	m = in_diag(port, 1u << TCP_TIME_WAIT);
	CHECK_EQ(m.idiag_state, TCP_TIME_WAIT);
	CHECK_EQ(m.idiag_timer, 3);
	CHECK(m.idiag_expires > 50000 && m.idiag_expires <= 60100);
	CHECK_EQ(ntohs(m.id.idiag_dport), 7100);
	CHECK_EQ(m.id.idiag_dst[0], wire_addr(1, 0).sin_addr.s_addr);
	CHECK_EQ(m.idiag_inode, 0);
	CHECK_EQ(in_diag(port, 1u << TCP_ESTABLISHED).idiag_state, 0);
	wire_enter(&w, 1); /* who closed last has none */
	CHECK_EQ(in_diag(7100, ~0u).idiag_state, 0);
}
