/* SPDX-License-Identifier: MIT */
/*
 * net/genetlink.c - NETLINK_GENERIC: families of requests that are found by name.
 *
 * The one family is that which tells of families, "nlctrl".  A program that asks for
 * another hears -ENOENT, and so knows that the kernel does without it.
 */
#include <net/netlink.h>

#include <lib/errno.h>
#include <lib/string.h>

#define GENL_ID_CTRL	  16
#define GENL_CTRL_VERSION 2

#define CTRL_CMD_NEWFAMILY 1
#define CTRL_CMD_GETFAMILY 3

enum {
	CTRL_ATTR_FAMILY_ID = 1,
	CTRL_ATTR_FAMILY_NAME = 2,
	CTRL_ATTR_VERSION = 3,
	CTRL_ATTR_HDRSIZE = 4,
	CTRL_ATTR_MAXATTR = 5,
	CTRL_ATTR_OPS = 6,
	CTRL_ATTR_MCAST_GROUPS = 7,
};
enum {
	CTRL_ATTR_OP_ID = 1,
	CTRL_ATTR_OP_FLAGS = 2,
};
enum {
	CTRL_ATTR_MCAST_GRP_NAME = 1,
	CTRL_ATTR_MCAST_GRP_ID = 2,
};
#define GENL_CMD_CAP_DO	    2u
#define GENL_CMD_CAP_DUMP   4u
#define GENL_CMD_CAP_HASPOL 8u

#define GENL_NAME_MAX 16u /* with its NUL */

struct genlmsghdr {
	u8 cmd, version;
	u16 reserved;
};

static const char ctrl_name[] = "nlctrl";
static const char ctrl_group[] = "notify"; /* nothing ever happens there */

static void put_op(struct nl_out *o, u16 nth, u32 cmd, u32 flags)
{
	struct nlattr *op = nl_nest(o, nth);

	nl_attr32(o, CTRL_ATTR_OP_ID, cmd);
	nl_attr32(o, CTRL_ATTR_OP_FLAGS, flags);
	nl_nest_end(o, op);
}

static void put_group(struct nl_out *o, u16 nth, u32 id, const char *name)
{
	struct nlattr *grp = nl_nest(o, nth);

	nl_attr32(o, CTRL_ATTR_MCAST_GRP_ID, id);
	nl_attr(o, CTRL_ATTR_MCAST_GRP_NAME, name, (u32)strlen(name) + 1);
	nl_nest_end(o, grp);
}

static int put_ctrl(struct nl_out *o, const struct nlmsghdr *req, u16 flags)
{
	struct nlmsghdr *h = nl_begin(o, req, GENL_ID_CTRL, flags);
	struct genlmsghdr *g = h ? nl_room(o, sizeof(*g)) : NULL;
	u16 id = GENL_ID_CTRL;
	struct nlattr *list;

	if (!g)
		return -ENOBUFS;
	g->cmd = CTRL_CMD_NEWFAMILY;
	g->version = GENL_CTRL_VERSION;
	nl_attr(o, CTRL_ATTR_FAMILY_NAME, ctrl_name, sizeof(ctrl_name));
	nl_attr(o, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	nl_attr32(o, CTRL_ATTR_VERSION, GENL_CTRL_VERSION);
	nl_attr32(o, CTRL_ATTR_HDRSIZE, 0);
	nl_attr32(o, CTRL_ATTR_MAXATTR, 0);
	list = nl_nest(o, CTRL_ATTR_OPS);
	put_op(o, 1, CTRL_CMD_GETFAMILY,
	       GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL);
	nl_nest_end(o, list);
	list = nl_nest(o, CTRL_ATTR_MCAST_GROUPS);
	put_group(o, 1, GENL_ID_CTRL, ctrl_group);
	nl_nest_end(o, list);
	nl_end(o, h);
	return 0;
}

/* Does the request name the family, by number or (which is stronger) by name? */
static int names_ctrl(const struct nlmsghdr *req, u32 len)
{
	const struct nlattr *id = nl_find(req, len, sizeof(struct genlmsghdr),
					  CTRL_ATTR_FAMILY_ID);
	const struct nlattr *name = nl_find(req, len, sizeof(struct genlmsghdr),
					    CTRL_ATTR_FAMILY_NAME);
	const char *s;
	u32 n;
	u16 v;

	if (!id && !name)
		return -EINVAL;
	if (id && id->len < sizeof(*id) + sizeof(v))
		return -ERANGE;
	if (!name) {
		memcpy(&v, id + 1, sizeof(v));
		return v == GENL_ID_CTRL ? 0 : -ENOENT;
	}
	s = (const void *)(name + 1);
	n = min((u32)(name->len - sizeof(*name)), GENL_NAME_MAX);
	if (strnlen(s, n) == n)
		return -EINVAL; /* no end */
	return strcmp(s, ctrl_name) ? -ENOENT : 0;
}

int genl_request(struct net_ns *net __unused, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool dump)
{
	const struct genlmsghdr *g = (const void *)(req + 1);
	int err;

	if (req->type != GENL_ID_CTRL)
		return -ENOENT;
	if (len < sizeof(*req) + sizeof(*g))
		return -EINVAL;
	if (g->cmd != CTRL_CMD_GETFAMILY)
		return -EOPNOTSUPP;
	if (dump)
		return put_ctrl(o, req, NLM_F_MULTI);
	err = names_ctrl(req, len);
	return err ? err : put_ctrl(o, req, 0);
}
