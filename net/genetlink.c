/* SPDX-License-Identifier: MIT */
/*
 * net/genetlink.c - NETLINK_GENERIC: families of requests that are found by name.
 *
 * One family tells of families, "nlctrl".  A program that asks for one that is not in
 * the table hears -ENOENT, and so knows that the kernel does without it.
 */
#include <net/genetlink.h>

#include <kernel/task/process.h>
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

#define GENL_NAME_MAX 16u /* with its NUL */

static int ctrl_get(struct nl_sock *nl, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len, bool dump);

static const struct genl_op ctrl_ops[] = {
	{ CTRL_CMD_GETFAMILY,
	  GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL, ctrl_get },
};

static const struct genl_family ctrl_family = {
	.name = "nlctrl",
	.group = "notify", /* nothing ever happens there */
	.id = GENL_ID_CTRL,
	.version = GENL_CTRL_VERSION,
	.nr_ops = ARRAY_SIZE(ctrl_ops),
	.ops = ctrl_ops,
};

static const struct genl_family *const families[] = {
	&ctrl_family,
	&taskstats_family,
};

/* --- a family is told of */

struct nlmsghdr *genl_begin(struct nl_out *o, const struct nlmsghdr *req,
			    const struct genl_family *f, u8 cmd, u16 flags)
{
	struct nlmsghdr *h = nl_begin(o, req, f->id, flags);
	struct genlmsghdr *g = h ? nl_room(o, sizeof(*g)) : NULL;

	if (!g)
		return NULL;
	g->cmd = cmd;
	g->version = (u8)f->version;
	return h;
}

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

static int put_family(struct nl_out *o, const struct nlmsghdr *req, u16 flags,
		      const struct genl_family *f)
{
	struct nlmsghdr *h =
		genl_begin(o, req, &ctrl_family, CTRL_CMD_NEWFAMILY, flags);
	struct nlattr *list;

	if (!h)
		return -ENOBUFS;
	nl_attr(o, CTRL_ATTR_FAMILY_NAME, f->name, (u32)strlen(f->name) + 1);
	nl_attr(o, CTRL_ATTR_FAMILY_ID, &f->id, sizeof(f->id));
	nl_attr32(o, CTRL_ATTR_VERSION, f->version);
	nl_attr32(o, CTRL_ATTR_HDRSIZE, 0);
	nl_attr32(o, CTRL_ATTR_MAXATTR, 0);
	list = nl_nest(o, CTRL_ATTR_OPS);
	for (u32 i = 0; i < f->nr_ops; i++)
		put_op(o, (u16)(i + 1), f->ops[i].cmd, f->ops[i].flags);
	nl_nest_end(o, list);
	if (f->group) {
		list = nl_nest(o, CTRL_ATTR_MCAST_GROUPS);
		put_group(o, 1, f->id, f->group);
		nl_nest_end(o, list);
	}
	nl_end(o, h);
	return 0;
}

/* --- and found */

static const struct genl_family *by_id(u16 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		if (families[i]->id == id)
			return families[i];
	}
	return ERR_PTR(-ENOENT);
}

static const struct genl_family *by_name(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(families); i++) {
		if (!strcmp(families[i]->name, name))
			return families[i];
	}
	return ERR_PTR(-ENOENT);
}

/* Whom the request names, by number or (which is stronger) by name. */
static const struct genl_family *named(const struct nlmsghdr *req, u32 len)
{
	const struct nlattr *id = genl_find(req, len, CTRL_ATTR_FAMILY_ID);
	const struct nlattr *name = genl_find(req, len, CTRL_ATTR_FAMILY_NAME);
	const char *s;
	u32 n;
	u16 v;

	if (!id && !name)
		return ERR_PTR(-EINVAL);
	if (id && id->len < sizeof(*id) + sizeof(v))
		return ERR_PTR(-ERANGE);
	if (!name) {
		memcpy(&v, id + 1, sizeof(v));
		return by_id(v);
	}
	s = (const void *)(name + 1);
	n = min((u32)(name->len - sizeof(*name)), GENL_NAME_MAX);
	if (strnlen(s, n) == n)
		return ERR_PTR(-EINVAL); /* no end */
	return by_name(s);
}

static int ctrl_get(struct nl_sock *nl __unused, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len, bool dump)
{
	const struct genl_family *f;
	int err = 0;

	if (!dump) {
		f = named(req, len);
		return IS_ERR(f) ? (int)PTR_ERR(f) : put_family(o, req, 0, f);
	}
	for (u32 i = 0; i < ARRAY_SIZE(families) && !err; i++)
		err = put_family(o, req, NLM_F_MULTI, families[i]);
	return err;
}

/* --- requests */

static const struct genl_op *op_of(const struct genl_family *f, u8 cmd,
				   bool dump)
{
	u32 need = dump ? GENL_CMD_CAP_DUMP : GENL_CMD_CAP_DO;

	for (u32 i = 0; i < f->nr_ops; i++) {
		if (f->ops[i].cmd == cmd && (f->ops[i].flags & need))
			return &f->ops[i];
	}
	return NULL;
}

int genl_request(struct nl_sock *nl, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool dump)
{
	const struct genlmsghdr *g = (const void *)(req + 1);
	const struct genl_family *f = by_id(req->type);
	const struct genl_op *op;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	if (len < sizeof(*req) + sizeof(*g))
		return -EINVAL;
	op = op_of(f, g->cmd, dump);
	if (!op)
		return -EOPNOTSUPP;
	if ((op->flags & GENL_CMD_ADMIN) &&
	    !(nl->admin && capable(CAP_NET_ADMIN)))
		return -EPERM;
	return op->run(nl, o, req, len, dump);
}
