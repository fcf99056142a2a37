/* SPDX-License-Identifier: MIT */
/*
 * net/netlink.h - netlink messages, for the files that make them.
 */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include <lib/list.h>
#include <net/socket.h>

struct nlmsghdr {
	u32 len;
	u16 type, flags;
	u32 seq, port;
};
struct nlattr {
	u16 len, type;
};
#define NLA_TYPE_MASK 0x3fffu

#define NETLINK_KOBJECT_UEVENT 15

#define NLMSG_ERROR 2
#define NLMSG_DONE  3
#define NLMSG_FIRST 16 /* of a protocol's own */

#define NLM_F_REQUEST 1u
#define NLM_F_MULTI   2u
#define NLM_F_ACK     4u
#define NLM_F_DUMP    0x300u
/* of requests that make something */
#define NLM_F_REPLACE 0x100u
#define NLM_F_EXCL    0x200u
#define NLM_F_CREATE  0x400u
#define NLM_F_APPEND  0x800u

#define NETLINK_ROUTE	  0
#define NETLINK_SOCK_DIAG 4
#define NETLINK_GENERIC	  16

/* Groups that are told of changes: RTNLGRP_*. */
#define RTNLGRP_LINK	    1u
#define RTNLGRP_NEIGH	    3u
#define RTNLGRP_IPV4_IFADDR 5u
#define RTNLGRP_IPV4_ROUTE  7u
#define RTNLGRP_IPV4_RULE   8u
#define RTNLGRP_IPV6_IFADDR 9u
#define RTNLGRP_IPV6_ROUTE  11u
#define RTNLGRP_IPV6_RULE   19u
#define RTNLGRP_NSID	    28u

/* Messages that are read as one. */
struct nl_buf {
	struct list_head node;
	u32 len;
	u32 cost;  /* bytes of memory */
	u32 group; /* that is told of a change: NETLINK_PKTINFO; 0: none */
	u32 port,
		groups; /* whose it is, 0: the kernel's, and bits of whom it is told */
	struct sock_creds creds; /* the sender's */
	u8 data[];
};
#define NL_BUF_SIZE 4096u
#define NL_MSG_ROOM 1024u /* no message of ours is longer */

/* What is being built; a buffer that could not be had sets failed. */
struct nl_out {
	struct list_head bufs;
	bool failed;
	const char *text; /* why a request is refused; or NULL */
};
/* The request of rtnetlink under way is refused for that, a constant.  rtnl_mutex held. */
void rtnl_say(const char *text);
void nl_out_init(struct nl_out *o);
void nl_out_free(struct nl_out *o);
void nl_out_shrink(struct nl_out *o); /* what it does not need is given back */
bool nl_next_buf(struct nl_out *o);   /* what follows is read for itself */
void *nl_room(struct nl_out *o, u32 n); /* zeroed; NULL: out of memory */
/* A message that answers @req: begin, fields by nl_room(), attributes, end. */
struct nlmsghdr *nl_begin(struct nl_out *o, const struct nlmsghdr *req,
			  u16 type, u16 flags);
void nl_end(struct nl_out *o, struct nlmsghdr *h);
void nl_attr(struct nl_out *o, u16 type, const void *data, u32 len);
void nl_attr32(struct nl_out *o, u16 type, u32 v);
/* An attribute of attributes, which follow; NULL, which its end takes: out of memory. */
struct nlattr *nl_nest(struct nl_out *o, u16 type);
void nl_nest_end(struct nl_out *o, struct nlattr *a);
/* The attribute of a request of @len bytes behind its @fixed ones, or NULL. */
const struct nlattr *nl_find(const struct nlmsghdr *req, u32 len, u32 fixed,
			     u16 type);
bool nl_find32(const struct nlmsghdr *req, u32 len, u32 fixed, u16 type,
	       u32 *v);

/* --- rtnetlink.c: the answer to @req, whose whole length is @len; 0 or -errno. */
int rtnl_request(struct net_ns *net, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool dump);
/* --- rtnl_nsid.c: RTM_NEWNSID, RTM_GETNSID */
/* rtnl_rule.c: all of @family, or of both */
int rtnl_nsid_request(struct net_ns *net, struct nl_out *o,
		      const struct nlmsghdr *req, u32 len, bool dump);

/* --- sock_diag.c: as rtnl_request() */
int sock_diag_request(struct net_ns *net, struct nl_out *o,
		      const struct nlmsghdr *req, u32 len, bool dump);

/* --- genetlink.c: as rtnl_request(), from @nl */
struct nl_sock;
int genl_request(struct nl_sock *nl, struct nl_out *o,
		 const struct nlmsghdr *req, u32 len, bool dump);

/* To all sockets of @net that are in that group of NETLINK_ROUTE; takes the buffers. */
void netlink_tell(const struct net_ns *net, u32 group, struct nl_out *o);

/* To all netlink sockets but uevents' ones, in whatever namespace, that @hears, under the
 * list's lock: are there any?  And to each of these; takes the buffers. */
bool netlink_listened(bool (*hears)(const struct nl_sock *nl, const void *arg),
		      const void *arg);
void netlink_tell_those(bool (*hears)(const struct nl_sock *nl,
				      const void *arg),
			const void *arg, struct nl_out *o);

/* @fn, under the list's lock, with each netlink socket of @net but uevents' ones. */
void netlink_for_each(const struct net_ns *net,
		      void (*fn)(struct nl_sock *nl, void *arg), void *arg);

/* A message from nowhere, for who reads that socket (mq_notify(2)); when there is no
 * memory it is lost. */
bool netlink_file(struct file *f);
void netlink_deliver(struct file *f, const void *data, size_t n);

#endif /* NET_NETLINK_H */
