/* SPDX-License-Identifier: MIT */
/*
 * user/tests/netrules.c - the rules of routing that `ip rule` prints.
 */
#include "utest.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* The number of them, and the table of the first one. */
static int rules(int family, int *table)
{
	struct {
		struct nlmsghdr h;
		struct fib_rule_hdr r;
	} q = { .h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_GETRULE,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .family = (unsigned char)family } };
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), n = 0;
	char buf[8192];

	CHECK_OK(s);
	CHECK_EQ(send(s, &q, sizeof(q), 0), sizeof(q));
	for (;;) {
		int len = (int)recv(s, buf, sizeof(buf), 0);
		struct nlmsghdr *h = (void *)buf;

		CHECK(len > 0);
		for (; NLMSG_OK(h, (unsigned)len); h = NLMSG_NEXT(h, len)) {
			struct fib_rule_hdr *r = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE) {
				close(s);
				return n;
			}
			CHECK_EQ(h->nlmsg_type, RTM_NEWRULE);
			CHECK_EQ(r->family, family);
			CHECK_EQ(r->action, FR_ACT_TO_TBL);
			if (!n++)
				*table = r->table;
		}
	}
}

TEST(netrules, dump)
{
	int table = 0;

	ut_own_net();
	CHECK_EQ(rules(AF_INET, &table), 3);
	CHECK_EQ(table, RT_TABLE_LOCAL);
	CHECK_EQ(rules(AF_INET6, &table), 2);
	CHECK_EQ(table, RT_TABLE_LOCAL);
}
