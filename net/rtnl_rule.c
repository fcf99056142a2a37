/* SPDX-License-Identifier: MIT */
/*
 * net/rtnl_rule.c - rtnetlink's rules: which table of routes is looked into first.
 *
 * They are those that every network begins with, and cannot be changed.
 */
#include <net/netlink.h>

#include <lib/errno.h>

enum {
	RTM_NEWRULE = 32,

	FRA_PRIORITY = 6,
	FRA_SUPPRESS_PREFIXLEN = 14,
	FRA_TABLE = 15,
	FRA_PROTOCOL = 21,

	RT_TABLE_DEFAULT = 253,
	RT_TABLE_MAIN = 254,
	RT_TABLE_LOCAL = 255,
	FR_ACT_TO_TBL = 1,
};
#define RTPROT_KERNEL 2

struct rule_head { /* struct fib_rule_hdr */
	u8 family, dst_len, src_len, tos, table, res1, res2, action;
	u32 flags;
};

static int put_rule(struct nl_out *o, const struct nlmsghdr *req, u8 family,
		    u8 table, u32 priority)
{
	struct nlmsghdr *h = nl_begin(o, req, RTM_NEWRULE, NLM_F_MULTI);
	struct rule_head *r = h ? nl_room(o, sizeof(*r)) : NULL;
	u8 proto = RTPROT_KERNEL;

	if (!r)
		return -ENOBUFS;
	*r = (struct rule_head){ .family = family,
				 .table = table,
				 .action = FR_ACT_TO_TBL };
	nl_attr32(o, FRA_TABLE, table);
	nl_attr32(o, FRA_SUPPRESS_PREFIXLEN, ~0u);
	nl_attr(o, FRA_PROTOCOL, &proto, sizeof(proto));
	if (priority)
		nl_attr32(o, FRA_PRIORITY, priority);
	nl_end(o, h);
	return 0;
}

int rtnl_dump_rules(struct nl_out *o, const struct nlmsghdr *req, u8 family)
{
	int err = 0;

	if (family != AF_INET6)
		err = put_rule(o, req, AF_INET, RT_TABLE_LOCAL, 0)
			      ?: put_rule(o, req, AF_INET, RT_TABLE_MAIN, 32766)
			      ?: put_rule(o, req, AF_INET, RT_TABLE_DEFAULT,
					  32767);
	if (!err && family != AF_INET)
		err = put_rule(o, req, AF_INET6, RT_TABLE_LOCAL, 0)
			      ?: put_rule(o, req, AF_INET6, RT_TABLE_MAIN,
					  32766);
	return err;
}
