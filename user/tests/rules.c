/* SPDX-License-Identifier: MIT */
/*
 * user/tests/rules.c - rules: which table of routes a packet is looked up in, if any.
 */
#include "wire.h"
#include "rtnl.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <sys/socket.h>

static struct wire w;

struct wanted {
	int action;
	unsigned int priority, mark, table;
	const char *to;
};

static int rule(int type, const struct wanted *a)
{
	int nlm = type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct rt_request r =
		RT_REQUEST(type, nlm, sizeof(struct fib_rule_hdr));
	struct fib_rule_hdr *h = NLMSG_DATA(&r.h);
	unsigned char raw[4];

	h->family = AF_INET;
	h->action = (unsigned char)a->action;
	rt_attr(&r, FRA_PRIORITY, &a->priority, 4);
	if (a->mark)
		rt_attr(&r, FRA_FWMARK, &a->mark, 4);
	if (a->table)
		rt_attr(&r, FRA_TABLE, &a->table, 4);
	if (a->to) {
		CHECK_EQ(inet_pton(AF_INET, a->to, raw), 1);
		h->dst_len = 32;
		rt_attr(&r, FRA_DST, raw, 4);
	}
	return rt_ask(&r);
}

/* The priority of the rule that is heard of next; its message is of @type. */
static unsigned int hear(int s, int type)
{
	char buf[1024];
	struct nlmsghdr *h = (void *)buf;
	const struct rtattr *a;

	CHECK(recv(s, buf, sizeof(buf), 0) > 0);
	CHECK_EQ(h->nlmsg_type, type);
	a = rt_find(h, sizeof(struct fib_rule_hdr), FRA_PRIORITY);
	CHECK(a);
	return *(const unsigned int *)RTA_DATA(a);
}

static int send_to_b(int s)
{
	struct sockaddr_in to = wire_addr(1, 9);

	return sendto(s, "x", 1, 0, (void *)&to, sizeof(to)) < 0 ? errno : 0;
}

TEST(rules, refuse)
{
	struct wanted no = { .action = FR_ACT_PROHIBIT,
			     .priority = 50,
			     .to = "10.9.0.2" };
	int s, u;

	wire_setup(&w);
	s = rt_listen(RTMGRP_IPV4_RULE);
	CHECK_OK(u = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_EQ(send_to_b(u), 0);
	CHECK_EQ(rule(RTM_NEWRULE, &no), 0);
	CHECK_EQ(hear(s, RTM_NEWRULE), 50);
	CHECK_EQ(rule(RTM_NEWRULE, &no), -EEXIST);
	CHECK_EQ(send_to_b(u), EACCES);
	CHECK_EQ(rule(RTM_DELRULE, &no), 0);
	CHECK_EQ(hear(s, RTM_DELRULE), 50);
	CHECK_EQ(rule(RTM_DELRULE, &no), -ENOENT);
	CHECK_EQ(send_to_b(u), 0);
}

TEST(rules, mark)
{
	struct wanted hole = { .action = FR_ACT_BLACKHOLE,
			       .priority = 60,
			       .mark = 5 };
	struct wanted nothing = { .action = FR_ACT_TO_TBL,
				  .priority = 55,
				  .mark = 6,
				  .table = 7777 };
	int u;

	wire_setup(&w);
	CHECK_OK(u = socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_EQ(rule(RTM_NEWRULE, &hole), 0);
	CHECK_EQ(rule(RTM_NEWRULE, &nothing), 0);
	CHECK_EQ(send_to_b(u), 0);
	CHECK_OK(setsockopt(u, SOL_SOCKET, SO_MARK, &(int){ 5 }, 4));
	CHECK_EQ(send_to_b(u), EINVAL);
	CHECK_OK(setsockopt(u, SOL_SOCKET, SO_MARK, &(int){ 6 }, 4));
	CHECK_EQ(send_to_b(u), 0); /* a table without routes */
	CHECK_EQ(rule(RTM_DELRULE, &hole), 0);
	CHECK_EQ(rule(RTM_DELRULE, &nothing), 0);
}
