/* SPDX-License-Identifier: MIT */
/*
 * user/tests/genl.c - NETLINK_GENERIC: which families there are.
 */
#include "genl.h"

static void check_nlctrl(const struct nlmsghdr *h)
{
	const struct genlmsghdr *g = NLMSG_DATA(h);
	const struct nlattr *a;

	CHECK_EQ(h->nlmsg_type, GENL_ID_CTRL);
	CHECK_EQ(h->nlmsg_seq, 7);
	CHECK_EQ(g->cmd, CTRL_CMD_NEWFAMILY);
	CHECK_EQ(g->version, 2);
	CHECK(is_name(of(h, CTRL_ATTR_FAMILY_NAME), "nlctrl"));
	a = of(h, CTRL_ATTR_FAMILY_ID);
	CHECK(a && a->nla_len == NLA_HDRLEN + 2);
	CHECK_EQ(*(const unsigned short *)(a + 1), GENL_ID_CTRL);
	CHECK_EQ(word(of(h, CTRL_ATTR_VERSION)), 2);
	CHECK_EQ(word(of(h, CTRL_ATTR_HDRSIZE)), 0);
	CHECK_EQ(word(of(h, CTRL_ATTR_MAXATTR)), 0);
	a = inside(of(h, CTRL_ATTR_OPS), 1);
	CHECK_EQ(word(inside(a, CTRL_ATTR_OP_ID)), CTRL_CMD_GETFAMILY);
	CHECK_EQ(word(inside(a, CTRL_ATTR_OP_FLAGS)),
		 GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL);
	a = inside(of(h, CTRL_ATTR_MCAST_GROUPS), 1);
	CHECK_EQ(word(inside(a, CTRL_ATTR_MCAST_GRP_ID)), GENL_ID_CTRL);
	CHECK(is_name(inside(a, CTRL_ATTR_MCAST_GRP_NAME), "notify"));
}

TEST(genl, by_name)
{
	struct req r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	int nl = genl_socket();

	add(&r, CTRL_ATTR_FAMILY_NAME, "nlctrl", 7);
	check_nlctrl(ask(nl, &r));
	r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	add(&r, CTRL_ATTR_FAMILY_ID, &(short){ GENL_ID_CTRL }, 2);
	check_nlctrl(ask(nl, &r));
}

/* One that nobody has, a number that nobody has, neither. */
TEST(genl, unknown)
{
	struct req r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	int nl = genl_socket();

	add(&r, CTRL_ATTR_FAMILY_NAME, "no-such-one", 12);
	CHECK_EQ(error_of(nl, &r), -ENOENT);
	r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	add(&r, CTRL_ATTR_FAMILY_ID, &(short){ 1000 }, 2);
	CHECK_EQ(error_of(nl, &r), -ENOENT);
	r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	add(&r, CTRL_ATTR_FAMILY_NAME, "longer-than-names-are", 22);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	add(&r, CTRL_ATTR_FAMILY_NAME, "endless", 7);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	add(&r, CTRL_ATTR_FAMILY_ID, "", 1);
	CHECK_EQ(error_of(nl, &r), -ERANGE);
	r = begin(1000, 1);
	CHECK_EQ(error_of(nl, &r), -ENOENT);
	r = begin(GENL_ID_CTRL, 77);
	CHECK_EQ(error_of(nl, &r), -EOPNOTSUPP);
	r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	r.h.nlmsg_len = NLMSG_LENGTH(0);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
}

TEST(genl, dump)
{
	struct req r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	int nl = genl_socket(), seen = 0;

	r.h.nlmsg_flags |= NLM_F_DUMP;
	for (const struct nlmsghdr *h = ask(nl, &r);;) {
		long n = h->nlmsg_len;

		CHECK(h->nlmsg_flags & NLM_F_MULTI);
		if (h->nlmsg_type == NLMSG_DONE)
			break;
		if (is_name(of(h, CTRL_ATTR_FAMILY_NAME), "nlctrl")) {
			check_nlctrl(h);
			seen++;
		}
		/* The next of this datagram, or the next datagram. */
		h = (const void *)((const char *)h + NLMSG_ALIGN(n));
		if ((const char *)h >= answer + sizeof(answer) ||
		    h->nlmsg_len < sizeof(*h)) {
			memset(answer, 0, sizeof(answer));
			CHECK(recv(nl, answer, sizeof(answer), 0) > 0);
			h = (const void *)answer;
		}
	}
	CHECK_EQ(seen, 1);
}

/* Who wants to hear of families may. */
TEST(genl, group)
{
	int nl = genl_socket(), group = GENL_ID_CTRL;
	unsigned in[2] = { 0 };
	socklen_t len = sizeof(in);

	CHECK_OK(setsockopt(nl, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			    sizeof(group)));
	CHECK_OK(getsockopt(nl, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, in,
			    &len));
	CHECK_EQ(in[0], 1u << (GENL_ID_CTRL - 1));
	CHECK_OK(setsockopt(nl, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group,
			    sizeof(group)));
}
