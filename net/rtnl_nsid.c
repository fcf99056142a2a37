/* SPDX-License-Identifier: MIT */
/*
 * net/rtnl_nsid.c - rtnetlink's numbers of network namespaces: RTM_NEWNSID,
 * RTM_GETNSID.
 */
#include <net/netlink.h>
#include <net/netns.h>

#include <kernel/task/process.h>
#include <lib/errno.h>

enum {
	RTM_NEWNSID = 88,
	RTM_GETNSID = 90,

	NETNSA_NSID = 1,
	NETNSA_PID = 2,
	NETNSA_FD = 3,
};
#define RTGENMSG 1u /* its size: a family */

static int put_nsid(struct nl_out *o, const struct nlmsghdr *req, u16 flags,
		    s32 id)
{
	struct nlmsghdr *h = nl_begin(o, req, RTM_NEWNSID, flags);

	if (!h || !nl_room(o, RTGENMSG))
		return -ENOBUFS;
	nl_attr32(o, NETNSA_NSID, (u32)id);
	nl_end(o, h);
	return 0;
}

/* The namespace that the request names, with a reference, or ERR_PTR. */
static struct net_ns *named(const struct nlmsghdr *req, u32 len)
{
	struct net_ns *n;
	u32 v;

	if (nl_find32(req, len, RTGENMSG, NETNSA_PID, &v))
		n = net_ns_by_pid((int)v);
	else if (nl_find32(req, len, RTGENMSG, NETNSA_FD, &v))
		n = net_ns_by_fd((int)v);
	else
		return ERR_PTR(-EINVAL);
	if (n)
		return n;
	return ERR_PTR(nl_find(req, len, RTGENMSG, NETNSA_PID) ? -ESRCH
							       : -EINVAL);
}

static int new_nsid(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	struct net_ns *of;
	struct nl_out o;
	int err;
	u32 id;

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	if (!nl_find32(req, len, RTGENMSG, NETNSA_NSID, &id))
		return -EINVAL;
	of = named(req, len);
	if (IS_ERR(of))
		return (int)PTR_ERR(of);
	err = net_nsid_set(net, of, (s32)id);
	if (!err) {
		nl_out_init(&o);
		(void)put_nsid(&o, req, 0, net_nsid_of(net, of));
		netlink_tell(net, RTNLGRP_NSID, &o);
	}
	net_ns_put(of);
	return err;
}

static int get_nsid(struct net_ns *net, struct nl_out *o,
		    const struct nlmsghdr *req, u32 len)
{
	struct net_ns *of = named(req, len);
	int err;

	if (IS_ERR(of))
		return (int)PTR_ERR(of);
	err = put_nsid(o, req, 0, net_nsid_of(net, of));
	net_ns_put(of);
	return err;
}

int rtnl_nsid_request(struct net_ns *net, struct nl_out *o,
		      const struct nlmsghdr *req, u32 len, bool dump)
{
	int err = 0;
	s32 id;

	if (len < sizeof(*req) + RTGENMSG)
		return -EINVAL;
	if (!dump)
		return req->type == RTM_GETNSID ? get_nsid(net, o, req, len)
						: new_nsid(net, req, len);
	for (u32 i = 0; !err && (id = net_nsid_nth(net, i)) != NETNSID_NONE;
	     i++)
		err = put_nsid(o, req, NLM_F_MULTI, id);
	return err;
}
