/* SPDX-License-Identifier: MIT */
/*
 * net/rtnetlink.c - rtnetlink(7): which request goes where; see link/rtnl.h.
 */
#include <net/link/rtnl.h>

#include <lib/errno.h>

static int dump(struct net_ns *net, struct nl_out *o,
		const struct nlmsghdr *req, u32 len, u8 family)
{
	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6 &&
	    req->type != RTM_GETLINK)
		return 0;
	switch (req->type) {
	case RTM_GETLINK:
		return rtnl_dump_links(net, o, req, len);
	case RTM_GETADDR:
		return rtnl_dump_addrs(net, o, req, family);
	case RTM_GETROUTE:
		return rtnl_dump_routes(net, o, req, len, family);
	case RTM_GETRULE:
		return rtnl_dump_rules(net, o, req, family);
	case RTM_GETNEIGH:
		return rtnl_dump_neighs(net, o, req, family);
	default:
		return -EOPNOTSUPP;
	}
}

static int get(struct net_ns *net, struct nl_out *o, const struct nlmsghdr *req,
	       u32 len)
{
	switch (req->type) {
	case RTM_GETLINK:
		return rtnl_get_link(net, o, req, len);
	case RTM_GETADDR:
		return rtnl_get_addr(net, o, req, len);
	case RTM_GETROUTE:
		return rtnl_find_route(net, o, req, len);
	case RTM_GETNEIGH:
		return rtnl_get_neigh(net, o, req, len);
	default:
		return -EOPNOTSUPP;
	}
}

static int change(struct net_ns *net, const struct nlmsghdr *req, u32 len)
{
	switch (req->type) {
	case RTM_NEWLINK:
		return rtnl_new_link(net, req, len);
	case RTM_SETLINK:
		return rtnl_set_link(net, req, len);
	case RTM_DELLINK:
		return rtnl_del_link(net, req, len);
	case RTM_NEWADDR:
		return rtnl_new_addr(net, req, len);
	case RTM_DELADDR:
		return rtnl_del_addr(net, req, len);
	case RTM_NEWROUTE:
		return rtnl_new_route(net, req, len);
	case RTM_DELROUTE:
		return rtnl_del_route(net, req, len);
	case RTM_NEWRULE:
		return rtnl_new_rule(net, req, len);
	case RTM_DELRULE:
		return rtnl_del_rule(net, req, len);
	case RTM_NEWNEIGH:
		return rtnl_new_neigh(net, req, len);
	case RTM_DELNEIGH:
		return rtnl_del_neigh(net, req, len);
	default:
		return -EOPNOTSUPP;
	}
}

static const char *said; /* rtnl_mutex */

void rtnl_say(const char *text)
{
	said = text;
}

#define RTM_KIND(type) ((type)&3)
#define RTM_KIND_GET   2

int rtnl_request(struct net_ns *net, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool is_dump)
{
	u8 family = len > sizeof(*req) ? *(const u8 *)(req + 1) : 0;
	int err;

	if (req->type == RTM_NEWNSID || req->type == RTM_GETNSID)
		return rtnl_nsid_request(net, o, req, len, is_dump);
	mutex_lock(&rtnl_mutex);
	said = NULL;
	if (RTM_KIND(req->type) != RTM_KIND_GET)
		err = change(net, req, len);
	else if (is_dump)
		err = dump(net, o, req, len, family);
	else
		err = get(net, o, req, len);
	o->text = err ? said : NULL;
	mutex_unlock(&rtnl_mutex);
	return err;
}
