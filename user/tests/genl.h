/* SPDX-License-Identifier: MIT */
/*
 * user/tests/genl.h - requests of NETLINK_GENERIC: built, asked, answered.
 *
 *	struct req r = begin(family, cmd);
 *	add(&r, type, &value, sizeof(value));
 *	value = word(of(ask(nl, &r), type));
 */
#ifndef USER_TESTS_GENL_H
#define USER_TESTS_GENL_H

#include "utest.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

static char answer[16384];

static inline int genl_socket(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	CHECK(s >= 0);
	return s;
}

struct req {
	struct nlmsghdr h;
	struct genlmsghdr g;
	char attrs[64];
};

static inline struct req begin(int type, int cmd)
{
	return (struct req){
		.h = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
		       .nlmsg_type = (unsigned short)type,
		       .nlmsg_flags = NLM_F_REQUEST,
		       .nlmsg_seq = 7 },
		.g = { .cmd = (unsigned char)cmd, .version = 1 },
	};
}

static inline void add(struct req *r, int type, const void *data, int len)
{
	struct nlattr *a = (void *)((char *)r + NLMSG_ALIGN(r->h.nlmsg_len));

	a->nla_type = (unsigned short)type;
	a->nla_len = (unsigned short)(NLA_HDRLEN + len);
	memcpy(a + 1, data, (size_t)len);
	r->h.nlmsg_len = NLMSG_ALIGN(r->h.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static inline const struct nlmsghdr *ask(int nl, const struct req *r)
{
	CHECK_EQ(send(nl, r, r->h.nlmsg_len, 0), (long)r->h.nlmsg_len);
	CHECK(recv(nl, answer, sizeof(answer), 0) >= (long)sizeof(r->h));
	return (void *)answer;
}

static inline int error_of(int nl, const struct req *r)
{
	const struct nlmsghdr *h = ask(nl, r);

	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(h->nlmsg_seq, 7);
	return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
}

/* The attribute among the @n bytes at @at, or NULL. */
static inline const struct nlattr *attr(const void *at, long n, int type)
{
	const struct nlattr *a = at;

	while (n >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= n) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		n -= NLA_ALIGN(a->nla_len);
		a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
	}
	return NULL;
}

static inline const struct nlattr *inside(const struct nlattr *a, int type)
{
	CHECK(a);
	return attr(a + 1, a->nla_len - NLA_HDRLEN, type);
}

static inline unsigned word(const struct nlattr *a)
{
	CHECK(a && a->nla_len == NLA_HDRLEN + 4);
	return *(const unsigned *)(a + 1);
}

static inline bool is_name(const struct nlattr *a, const char *s)
{
	return a && a->nla_len == NLA_HDRLEN + strlen(s) + 1 &&
	       !strcmp((const char *)(a + 1), s);
}

static inline const struct nlattr *of(const struct nlmsghdr *h, int type)
{
	return attr((const char *)NLMSG_DATA(h) + GENL_HDRLEN,
		    h->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), type);
}

#endif /* USER_TESTS_GENL_H */
