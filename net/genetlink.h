/* SPDX-License-Identifier: MIT */
/*
 * net/genetlink.h - a family of requests of NETLINK_GENERIC: its name and operations.
 */
#ifndef NET_GENETLINK_H
#define NET_GENETLINK_H

#include <net/nlsock.h>

#define GENL_CMD_ADMIN	    1u /* CAP_NET_ADMIN, the sender's and the socket's */
#define GENL_CMD_CAP_DO	    2u
#define GENL_CMD_CAP_DUMP   4u
#define GENL_CMD_CAP_HASPOL 8u

struct genlmsghdr {
	u8 cmd, version;
	u16 reserved;
};

/* An operation: 0 or -errno.  @len: of the whole request, whose headers are there. */
struct genl_op {
	u8 cmd;
	u32 flags; /* GENL_CMD_* */
	int (*run)(struct nl_sock *nl, struct nl_out *o,
		   const struct nlmsghdr *req, u32 len, bool dump);
};

struct genl_family {
	const char *name, *group; /* NULL: none */
	u16 id;			  /* and of its group */
	u32 version;
	u32 nr_ops;
	const struct genl_op *ops;
};

/* The header of a message of @f, and what nl_end() takes; NULL: no memory. */
struct nlmsghdr *genl_begin(struct nl_out *o, const struct nlmsghdr *req,
			    const struct genl_family *f, u8 cmd, u16 flags);

/* The attribute of a request, or NULL. */
static inline const struct nlattr *genl_find(const struct nlmsghdr *req,
					     u32 len, u16 type)
{
	return nl_find(req, len, sizeof(struct genlmsghdr), type);
}

/* --- taskstats.c */
extern const struct genl_family taskstats_family;
void taskstats_release(struct nl_sock *nl); /* it is closed */

#endif /* NET_GENETLINK_H */
