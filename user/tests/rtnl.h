/* SPDX-License-Identifier: MIT */
/*
 * user/tests/rtnl.h - requests of rtnetlink(7): built, asked, answered.  In wire.c.
 *
 *	struct rt_request r = { .h = ... };
 *	at = rt_attr(&r, IFLA_LINKINFO, NULL, 0);
 *	rt_attr(&r, IFLA_INFO_KIND, "veth", 4);
 *	rt_nest_end(&r, at);
 *	err = rt_ask(&r);
 */
#ifndef USER_TESTS_RTNL_H
#define USER_TESTS_RTNL_H

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

struct rt_request {
	struct nlmsghdr h;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
		struct ndmsg neigh;
	};
	char attrs[512];
};

/* Of a message of @size bytes behind its header; to be filled in. */
#define RT_REQUEST(kind, nlm, size)                              \
	((struct rt_request){                                    \
		.h.nlmsg_len = (unsigned int)NLMSG_LENGTH(size), \
		.h.nlmsg_type = (unsigned short)(kind),          \
		.h.nlmsg_flags = (unsigned short)(nlm),          \
	})

struct rtattr *rt_attr(struct rt_request *r, int type, const void *data,
		       size_t len);
/* What was added since is inside of @at. */
void rt_nest_end(struct rt_request *r, struct rtattr *at);
/* The answer: 0 or -errno. */
int rt_ask(struct rt_request *r);
/* A socket that hears the groups of that mask (RTMGRP_*). */
int rt_listen(unsigned int groups);
/* The attribute of @type of a message whose own part has @size bytes, or NULL. */
const struct rtattr *rt_find(const struct nlmsghdr *h, size_t size, int type);

#endif /* USER_TESTS_RTNL_H */
